"""`make bench`: measures every figure beside its limit and prints the table.

`make bench ONLY="event-page feed"` measures those; `ONLY=--list` names them; `ONLY="--quick"` tries all of them
briefly and keeps nothing.
"""

import argparse
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from rich.console import Console  # noqa: E402 - the path above comes first
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: E402

from bench import machine, table  # noqa: E402
from bench.databases import postgresql_trouble  # noqa: E402
from bench.figure import Figure, Result  # noqa: E402
from bench.figures import FIGURES  # noqa: E402
from bench.reasons import reasons  # noqa: E402
from bench.stage import CLIENTS, WORKERS, Stage  # noqa: E402

RESULTS = ROOT / "bench" / "results"


class Watch:
    """A progress bar on a terminal, and nothing in a pipe."""

    def __init__(self, steps: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        console = Console(stderr=True)
        self.bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self.bar.add_task("", total=steps)

    def say(self, words: str) -> None:
        """What is being done."""
        self.bar.update(self._task, description=words)

    def step(self, count: int = 1) -> None:
        """So many steps are done."""
        self.bar.advance(self._task, count)


def main() -> int:
    """Exit status 1 when a figure could not be measured; a missed mark is a result like any other."""
    asked = _arguments()
    # Told to end, it still ends its servers and removes its databases.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if asked.list:
        for figure in FIGURES:
            print(f"{figure.name:<22} {figure.about}")
        return 0
    chosen = [figure for figure in FIGURES if not asked.only or figure.name in asked.only]
    results, left_out, head = _run(chosen, quick=asked.quick)
    why = [] if asked.quick else reasons(table.missed(results))
    text = table.markdown(results, left_out, head, why)
    print(text)
    if not asked.quick:
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / _file_name(asked.only)
        path.write_text(text)
        print(f"Written to {path.relative_to(ROOT)}")
    return 1 if any(reason.startswith("failed") for _name, reason in left_out) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measures the service beside its limits.")
    parser.add_argument("names", nargs="*", metavar="FIGURE", help="measure only these")
    parser.add_argument("--quick", action="store_true", help="one short round on little data; nothing is kept")
    parser.add_argument("--list", action="store_true", help="name the figures")
    asked = parser.parse_args()
    asked.only = {name for names in asked.names for name in names.split(",") if name}
    if unknown := asked.only - {figure.name for figure in FIGURES}:
        parser.error(f"no figure is called {', '.join(sorted(unknown))}; --list names them")
    return asked


def _run(chosen: Sequence[Figure], *, quick: bool) -> tuple[list[Result], list[tuple[str, str]], list[str]]:
    watch = Watch(len(chosen) * (1 if quick else 3))
    stage = Stage(quick=quick, say=watch.say)
    busy = machine.load_average()
    results: list[Result] = []
    left_out: list[tuple[str, str]] = []
    trouble = postgresql_trouble() if any(figure.needs_postgresql for figure in chosen) else ""
    try:
        with watch.bar:
            for figure in chosen:
                if figure.needs_postgresql and trouble:
                    left_out.append((figure.name, trouble))
                    watch.step(stage.rounds)
                    continue
                with _reported(figure, left_out):
                    results += _measure(figure, stage, watch)
    finally:
        stage.close()
    return results, left_out, _head(stage, busy)


@contextmanager
def _reported(figure: Figure, left_out: list[tuple[str, str]]) -> Iterator[None]:
    """A figure that fails is named with its reason, and the others are measured."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it was, it is told
        left_out.append((figure.name, f"failed: {type(error).__name__}: {error}"))
        traceback.print_exc()


def _measure(figure: Figure, stage: Stage, watch: Watch) -> list[Result]:
    results = {key: Result(figure.name, row) for key, row in figure.rows.items()}
    watch.say(f"{figure.name}: preparing")
    with figure.prepare(stage) as measure:
        for turn in range(stage.rounds):
            watch.say(f"{figure.name}: round {turn + 1} of {stage.rounds}")
            for key, sample in measure().items():
                results[key].samples.append(sample)
            watch.step()
    return list(results.values())


def _head(stage: Stage, busy: float) -> list[str]:
    short, changed = machine.commit()
    rounds = (
        f"{stage.rounds} rounds"
        if stage.rounds > 1
        else "one quick round on little data, good only for seeing that it works"
    )
    own = 1e6 * stage.client_processor_seconds / max(stage.client_requests, 1)
    return [
        f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}, commit {short}{', with changes not committed' * changed}",
        *machine.facts(),
        f"{rounds}, {stage.seconds:g} s a measurement, {WORKERS} web processes, {CLIENTS} clients on the same machine",
        f"Load average before the run {busy:.1f}; the client itself took {own:.0f} µs of processor time a request",
    ]


def _file_name(only: set[str]) -> str:
    part = f"-{'-'.join(sorted(only))}"[:60] if only else ""
    return f"{datetime.now().astimezone():%Y-%m-%d}-{machine.short_name()}{part}.md"


if __name__ == "__main__":
    sys.exit(main())

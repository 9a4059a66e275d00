"""What a web process has in memory after a thousand requests, against hello after as many."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from itertools import cycle, islice
from statistics import mean

from bench import client, data, forms, machine, servers
from bench.figure import Figure, Measure, Row, Sample, at_most
from bench.servers import Server
from bench.stage import CLIENTS, WORKERS, Stage

REQUESTS = 1000
ANSWERS = 200
PATHS = ("/events/", "/calendar.ics", "/feed.atom", "/subscribe", "/events/{slug}", "/events/{slug}.ics")


@contextmanager
def _prepare(stage: Stage) -> Iterator[Measure]:
    events = data.some_events(100, now=stage.now, every=timedelta(hours=12))

    def measure() -> Mapping[str, Sample]:
        with stage.database("sqlite", "memory") as url:
            data.fill(url, events=events)
            with servers.service(url, folder=stage.folder / "memory", workers=WORKERS) as ours:
                _use(ours, forms.slugs(events))
                measured = _sizes(ours)
        with servers.hello(folder=stage.folder / "hello-memory", workers=WORKERS) as theirs:
            address = theirs.address
            client.run(address, [address.get("/")] * REQUESTS * WORKERS, clients=CLIENTS).require(200)
            limits = _sizes(theirs)
        return {key: Sample(size, limit) for key, size, limit in zip(("own", "share"), measured, limits, strict=True)}

    yield measure


def _use(server: Server, slugs: list[str]) -> None:
    """About a thousand requests for each process: pages, feeds, forms, and answers by them."""
    address = server.address
    paths = [path.replace("{slug}", slug) for path, slug in islice(zip(cycle(PATHS), cycle(slugs)), REQUESTS)]
    gets = [address.get(path, Accept_Encoding="gzip") for path in paths] * WORKERS
    client.run(address, gets[: WORKERS * (REQUESTS - 2 * ANSWERS)], clients=CLIENTS).require(200)
    answers = forms.filled_in(address, slugs, count=ANSWERS * WORKERS)
    client.run(address, answers, clients=CLIENTS).require(303)


def _sizes(server: Server) -> tuple[float, float]:
    pids = server.worker_pids
    return mean(map(machine.resident_mb, pids)), mean(map(machine.proportional_mb, pids))


FIGURES = (
    Figure(
        name="memory",
        about="memory of a web process after 1,000 requests",
        rows={
            "own": Row("memory of a web process (RSS)", "MB", "hello-world server", score="times", mark=at_most(2.5)),
            "share": Row("the same, shared pages divided (PSS)", "MB", "hello-world server", score="times"),
        },
        prepare=_prepare,
    ),
)

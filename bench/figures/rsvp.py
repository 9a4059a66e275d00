"""Registrations by the form: how many a second against what hello and the bare driver allow, and how long one waits."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

from bench import client, data, forms, raw_writes
from bench.client import Address, Load
from bench.figure import Figure, Measure, Row, Sample, at_least, at_most
from bench.stage import CLIENTS, Stage

EVENTS = 200
MANY_CLIENTS = 64
LIMIT = "1 / (1/hello + 1/bare driver)"
SEE_OTHER = 303


@contextmanager
def _service(stage: Stage, kind: str) -> Iterator[tuple[str, Address, list[str]]]:
    events = data.some_events(EVENTS, now=stage.now, every=timedelta(hours=8))
    with stage.database(kind, "rsvp") as url:
        data.fill(url, events=events)
        with stage.service(url) as address:
            _post(stage, address, forms.slugs(events), CLIENTS, count=40)
            yield url, address, forms.slugs(events)


def _post(stage: Stage, address: Address, slugs: list[str], clients: int, *, count: int) -> Load:
    """Only the POSTs are timed; their forms have been fetched before."""
    answers = forms.filled_in(address, slugs, count=count)
    return stage.counted(client.run(address, answers, clients=clients)).require(SEE_OTHER)


@contextmanager
def _spread(stage: Stage, *, kind: str) -> Iterator[Measure]:
    count = stage.size(2000, 300)
    with _service(stage, kind) as (url, address, slugs):

        def measure() -> Mapping[str, Sample]:
            hello = stage.hello_rate()
            raw = raw_writes.rate(url, events=EVENTS, seconds=stage.seconds)
            load = _post(stage, address, slugs, CLIENTS, count=count)
            note = f"hello {hello:,.0f} per second, bare driver {raw:,.0f} per second"
            samples = {"rate": Sample(load.rate, 1 / (1 / hello + 1 / raw), note)}
            return samples | ({"tail": _tail(load)} if kind == "sqlite" else {})

        yield measure


@contextmanager
def _crowd(stage: Stage) -> Iterator[Measure]:
    with _service(stage, "sqlite") as (_url, address, slugs):
        yield lambda: {"tail": _tail(_post(stage, address, slugs, MANY_CLIENTS, count=stage.size(2000, 640)))}


@contextmanager
def _hot(stage: Stage) -> Iterator[Measure]:
    count = stage.size(2000, 300)
    with _service(stage, "postgresql") as (_url, address, slugs):

        def measure() -> Mapping[str, Sample]:
            spread = _post(stage, address, slugs, CLIENTS, count=count)
            hot = _post(stage, address, slugs[:1], CLIENTS, count=count)
            return {"rate": Sample(hot.rate, spread.rate)}

        yield measure


def _tail(load: Load) -> Sample:
    median, worst = load.percentile(50) * 1000, max(load.latencies) * 1000
    return Sample(load.percentile(99) * 1000, note=f"half within {median:,.0f} ms, the slowest {worst:,.0f} ms")


def _row(database: str) -> Row:
    return Row(f"RSVP POST over {EVENTS} events, {database}", "per second", LIMIT, mark=at_least(0.2))


FIGURES = (
    Figure(
        name="rsvp-sqlite",
        about="registrations by the form on SQLite, and how long one waits",
        rows={
            "rate": _row("SQLite"),
            "tail": Row(
                f"p99 of RSVP POST, {CLIENTS} clients, SQLite", "ms", "60 ms", score="itself", mark=at_most(60)
            ),
        },
        prepare=partial(_spread, kind="sqlite"),
    ),
    Figure(
        name="rsvp-crowd",
        about="how long one waits among 64 clients on SQLite",
        rows={
            "tail": Row(
                f"p99 of RSVP POST, {MANY_CLIENTS} clients, SQLite", "ms", "400 ms", score="itself", mark=at_most(400)
            )
        },
        prepare=_crowd,
    ),
    Figure(
        name="rsvp-postgresql",
        about="registrations by the form on PostgreSQL",
        rows={"rate": _row("PostgreSQL")},
        prepare=partial(_spread, kind="postgresql"),
        needs_postgresql=True,
    ),
    Figure(
        name="rsvp-hot",
        about="registrations for one event on PostgreSQL",
        rows={"rate": Row("RSVP POST, one hot event, PostgreSQL", "per second", "spread", mark=at_least(0.7))},
        prepare=_hot,
        needs_postgresql=True,
    ),
)

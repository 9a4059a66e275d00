"""The two pages people open most, against a view that says hello."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from bench import client, data
from bench.figure import Figure, Measure, Row, Sample, at_least
from bench.stage import Stage

HELLO = "hello-world view"


@contextmanager
def _event_page(stage: Stage) -> Iterator[Measure]:
    events = data.some_events(20, now=stage.now, every=timedelta(days=1), capacity=80, seats_taken=12)
    with _measuring(stage, events, f"/events/{events[0]['slug']}") as measure:
        yield measure


@contextmanager
def _listing(stage: Stage) -> Iterator[Measure]:
    events = data.some_events(1000, now=stage.now, every=timedelta(hours=12), capacity=80, seats_taken=12)
    with _measuring(stage, events, "/events/") as measure:
        yield measure


@contextmanager
def _measuring(stage: Stage, events: list[dict[str, object]], path: str) -> Iterator[Measure]:
    """As programs ask for it, and packed, as browsers do."""
    with stage.database("sqlite", "pages") as url:
        data.fill(url, events=events)
        with stage.service(url) as address:
            # Every web process makes the page once, however long the measurement is.
            client.fetch(address, [address.get(path)] * 8)

            def measure() -> Mapping[str, Sample]:
                hello = stage.hello_rate()
                plain = stage.rate(address, address.get(path))
                packed = stage.rate(address, address.get(path, Accept_Encoding="gzip"))
                return {"plain": Sample(plain, hello), "gzip": Sample(packed, hello)}

            yield measure


FIGURES = (
    Figure(
        name="event-page",
        about="an event's page",
        rows={
            "plain": Row("event page", "per second", HELLO, mark=at_least(0.5)),
            "gzip": Row("event page, gzip", "per second", HELLO, mark=at_least(0.5)),
        },
        prepare=_event_page,
    ),
    Figure(
        name="listing",
        about="the list: 20 of 1,000 events",
        rows={
            "plain": Row("list, 20 of 1,000 events", "per second", HELLO, mark=at_least(0.4)),
            "gzip": Row("list, 20 of 1,000 events, gzip", "per second", HELLO, mark=at_least(0.4)),
        },
        prepare=_listing,
    ),
)

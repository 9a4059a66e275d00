"""The public feed of 1,200 events: whole against the same bytes from a constant, unchanged against hello."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from bench import client, data
from bench.databases import SECRET_KEY
from bench.figure import Figure, Measure, Row, Sample, at_least
from bench.stage import Stage
from eventreg.links import Links

EVENTS = 1200
PATH = "/calendar.ics"
PACKED = {"Accept_Encoding": "gzip"}


@contextmanager
def _prepare(stage: Stage) -> Iterator[Measure]:
    links = Links("http://127.0.0.1:8000", SECRET_KEY)
    events = data.some_events(EVENTS, now=stage.now, every=timedelta(hours=8))
    hello = stage.hello.address
    with stage.database("sqlite", "feeds") as url:
        data.fill(url, events=(data.with_block(event, links) for event in events))
        with stage.service(url) as address:
            whole, packed = client.fetch(address, [address.get(PATH), address.get(PATH, **PACKED)])
            if whole.body.count(b"BEGIN:VEVENT") != EVENTS:
                raise client.LoadError(f"the feed does not hold {EVENTS} events")
            (stage.folder / "hello" / "feed").write_bytes(whole.body)
            (stage.folder / "hello" / "feed.gz").write_bytes(packed.body)
            tag = whole.header("ETag")

            def measure() -> Mapping[str, Sample]:
                unchanged = stage.rate(address, address.get(PATH, If_None_Match=tag), status=304)
                return {
                    "whole": Sample(
                        stage.rate(address, address.get(PATH)), stage.rate(hello, hello.get("/constant/feed"))
                    ),
                    "gzip": Sample(
                        stage.rate(address, address.get(PATH, **PACKED)),
                        stage.rate(hello, hello.get("/constant/feed.gz")),
                        f"{len(whole.body):,} bytes, {len(packed.body):,} packed",
                    ),
                    "unchanged": Sample(unchanged, stage.hello_rate()),
                }

            yield measure


FIGURES = (
    Figure(
        name="feed",
        about="the feed of 1,200 events, whole and unchanged",
        rows={
            "whole": Row("feed of 1,200 events, 200", "per second", "the same bytes, constant", mark=at_least(0.5)),
            "gzip": Row("feed of 1,200 events, 200, gzip", "per second", "the same bytes, constant"),
            "unchanged": Row("feed of 1,200 events, 304", "per second", "hello-world view", mark=at_least(0.7)),
        },
        prepare=_prepare,
    ),
)

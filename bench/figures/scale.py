"""Every public page with 100,000 events and 1,000,000 registrations, against the same page with 100 and 1,000.

The hundred events around today are the same in both, so every page shows the same; the others lie before and
after them, as many behind as ahead, outside the months and feeds that are asked for. A page that is kept costs the
same question in both, so each is also measured being made, with nothing kept.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bench import client, data
from bench.client import Address
from bench.databases import SECRET_KEY
from bench.figure import Figure, Measure, Row, Sample, at_most
from bench.stage import Stage
from eventreg.links import Links

NEAR = 100
ALL = 100_000
REGISTRATIONS_EACH = 10
FAR = timedelta(days=600)
"""Beyond what any feed holds."""
PAGES = {
    "list": ("the list", "/events/"),
    "page": ("the list, page 3", "/events/?page=3"),
    "category": ("the list, one category", "/events/?category=talks"),
    "audience": ("the list, one audience", "/events/?audience=alumni"),
    "dates": ("the list, between two dates", "/events/?from={day}&to={later}"),
    "search": ("the list, a rare word", "/events/?q=singular"),
    "common": ("the list, a common word", "/events/?q=reflection"),
    "nothing": ("the list, a word there is not", "/events/?q=nowhere"),
    "past": ("the list, past events", "/events/?past=1"),
    "month": ("the month", "/calendar/{month}"),
    "event": ("an event", "/events/day-of-reflection-50"),
    "form": ("its form", "/events/day-of-reflection-50/rsvp"),
    "file": ("its calendar file", "/events/day-of-reflection-50.ics"),
    "feed": ("the feed", "/calendar.ics"),
    "some": ("the feed of a category", "/calendar.ics?category=talks"),
    "words": ("the feed of a search", "/calendar.ics?q=singular"),
    "atom": ("the Atom feed", "/feed.atom"),
    "subscribe": ("the subscribe page", "/subscribe"),
}


@contextmanager
def _prepare(stage: Stage, *, kind: str) -> Iterator[Measure]:
    asked = {
        "month": f"{stage.now:%Y/%m}",
        "day": f"{stage.now:%Y-%m-%d}",
        "later": f"{stage.now + timedelta(days=7):%Y-%m-%d}",
    }
    with (
        stage.database(kind, "few") as few_url,
        stage.database(kind, "many") as many_url,
        ExitStack() as services,
    ):
        urls = {"few": _filled(few_url, NEAR, stage), "many": _filled(many_url, stage.size(ALL, 5000), stage)}
        running = {
            (name, kept): services.enter_context(stage.service(url, PAGE_CACHE_MB=16 * kept))
            for name, url in urls.items()
            for kept in (True, False)
        }

        def measure() -> Mapping[str, Sample]:
            samples: dict[str, Sample] = {}
            for key, (words, where) in PAGES.items():
                stage.say(f"scale-{kind}: {words}")
                path = where.format(**asked)
                for suffix, kept in (("", True), ("-made", False)):
                    times = [_milliseconds(stage, running[name, kept], path) for name in ("many", "few")]
                    samples[key + suffix] = Sample(*times)
            return samples

        yield measure


def _milliseconds(stage: Stage, address: Address, path: str) -> float:
    """The median of one client alone."""
    load = client.one_by_one(address, address.get(path), seconds=stage.seconds / 4)
    return load.require(200).percentile(50) * 1000


def _filled(url: str, count: int, stage: Stage) -> str:
    stage.say(f"scale: writing {count:,} events and {count * REGISTRATIONS_EACH:,} registrations")
    data.fill(
        url,
        events=_events(count, stage.now),
        registrations=(
            data.registration(number, event_id=number % count + 1, now=stage.now - timedelta(days=365))
            for number in range(1, count * REGISTRATIONS_EACH + 1)
        ),
    )
    return url


def _events(count: int, now: datetime) -> Iterator[dict[str, Any]]:
    links = Links("http://127.0.0.1:8000", SECRET_KEY)
    hour = now.replace(minute=0, second=0, microsecond=0)
    for number in range(1, NEAR + 1):
        starts_at = hour + timedelta(hours=18 * (number - NEAR // 4) + 1)
        near = data.event(number, starts_at=starts_at, now=now, seats_taken=REGISTRATIONS_EACH)
        if number == NEAR // 2:
            near |= {"search_text": f"{near['search_text']} singular"}
        yield data.with_block(near, links)
    for number in range(NEAR + 1, count + 1):
        away = FAR + timedelta(minutes=30 * number)
        starts_at = hour + away if number % 2 else hour - away
        far = data.event(number, starts_at=starts_at, now=now - timedelta(days=90), seats_taken=REGISTRATIONS_EACH)
        yield data.with_short_block(far)


def _figure(kind: str, words: str) -> Figure:
    rows = {
        key + suffix: Row(
            f"{page}{how}, 1,000 times the data, {words}", "ms", "100 and 1,000", score="times", mark=at_most(1.3)
        )
        for key, (page, _path) in PAGES.items()
        for suffix, how in (("", ""), ("-made", ", made anew"))
    }
    about = f"public pages with 100,000 events and 1,000,000 registrations, {words} (slow)"
    return Figure(f"scale-{kind}", about, rows, partial(_prepare, kind=kind), kind == "postgresql")


FIGURES = (_figure("sqlite", "SQLite"), _figure("postgresql", "PostgreSQL"))

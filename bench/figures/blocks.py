"""Writing every event's feed entry anew, against icalendar making entries of the same words."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import icalendar
from sqlalchemy import select

from bench import data
from bench.databases import settings
from bench.figure import Figure, Measure, Row, Sample, at_most
from bench.stage import Stage, apart
from eventreg import create_app
from eventreg.calendar import blocks, vevent
from eventreg.db import db, write_transaction
from eventreg.events.models import Event
from eventreg.links import Links

EVENTS = 1200


@contextmanager
def _prepare(stage: Stage) -> Iterator[Measure]:
    events = data.some_events(stage.size(EVENTS, 200), now=stage.now, every=timedelta(hours=8))
    for event in events:  # of which no two say the same, so that nothing is remembered from one to the next
        event["description"] += f"\nThis is the date numbered {event['id']}.\n"

    def measure() -> Mapping[str, Sample]:
        with stage.database("sqlite", "blocks") as url:
            data.fill(url, events=events)
            ours, theirs = apart(rebuild_and_compare, url, stage.folder)
        return {"rebuild": Sample(ours / len(events) * 1e6, theirs / len(events) * 1e6)}

    yield measure


def rebuild_and_compare(database_url: str, folder: Path) -> tuple[float, float]:
    """Seconds for the whole rebuild with its writes, and for icalendar alone over the same texts."""
    given = settings(database_url, folder)
    app = create_app(given, instance_path=given["INSTANCE_PATH"])
    links: Links = app.extensions["eventreg.links"]
    with app.app_context():
        started = time.perf_counter()
        done: int | None = 0
        while done is not None:
            with write_transaction(db.session()):
                done = blocks.rebuild(db.session(), links, after_id=done)
        ours = time.perf_counter() - started
        words = [_words(event, links) for event in db.session.scalars(select(Event))]
        started = time.perf_counter()
        for texts, instants in words:
            _entry(texts, instants)
        return ours, time.perf_counter() - started


def _words(event: Event, links: Links) -> tuple[dict[str, str], dict[str, datetime]]:
    texts = {
        "uid": event.uid,
        "summary": event.title,
        "status": "CONFIRMED",
        "description": vevent.description(event, page=links.event(event.slug), joins=False),
        "location": vevent.location(event),
        "url": links.event(event.slug),
        "categories": event.category,
    }
    instants = {
        "dtstamp": event.updated_at,
        "created": event.created_at,
        "last-modified": event.updated_at,
        "dtstart": event.starts_at,
        "dtend": event.ends_at,
    }
    return texts, instants


def _entry(texts: dict[str, str], instants: dict[str, datetime]) -> bytes:
    """One entry as the library's own documentation makes it."""
    entry = icalendar.Event()
    for name, instant in instants.items():
        entry.add(name, instant)
    for name, text in texts.items():
        entry.add(name, text)
    entry.add("sequence", 1)
    return bytes(entry.to_ical())


FIGURES = (
    Figure(
        name="feed-rebuild",
        about="all stored feed entries written anew, per event",
        rows={
            "rebuild": Row(
                "cold rebuild of feed entries", "µs per event", "icalendar alone", score="times", mark=at_most(1.3)
            )
        },
        prepare=_prepare,
    ),
)

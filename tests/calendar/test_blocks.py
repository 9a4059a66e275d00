from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.calendar import blocks
from eventreg.events import service
from eventreg.events.models import Event
from eventreg.links import Links
from tests.support.calendars import entry

MakeEvent = Callable[..., Event]


def stored(session: Session, event: Event) -> tuple[bytes | None, int]:
    row = session.execute(sa.select(Event.ics_block, Event.ics_digest).where(Event.id == event.id)).one()
    return row[0], row[1]


def links_of(app: Flask) -> Links:
    links: Links = app.extensions["eventreg.links"]
    return links


def test_new_event_is_stored_with_its_block(app: Flask, session: Session, make_event: MakeEvent) -> None:
    event = make_event(title="A talk")
    block, digest = stored(session, event)
    assert block == blocks.block(event, links_of(app))
    assert digest == blocks.digest(block or b"")
    assert 0 < digest < 2**40


def test_change_rewrites_the_block_in_its_own_transaction(
    app: Flask, session: Session, make_event: MakeEvent, now: datetime
) -> None:
    event = make_event()
    before = stored(session, event)
    session.get_one(Event, event.id).title = "Another title"
    session.flush()
    changed = stored(session, event)
    assert b"SUMMARY:Another title\r\n" in (changed[0] or b"")
    assert changed[1] != before[1]
    session.rollback()
    assert stored(session, event) == before


def test_cancelling_through_the_service_shows_in_the_block(
    session: Session, make_event: MakeEvent, now: datetime
) -> None:
    event = make_event()
    service.cancel(session, event_id=event.id, actor=audit.Actor.system(), now=now + timedelta(hours=1))
    session.commit()
    block = stored(session, event)[0] or b""
    assert b"STATUS:CANCELLED\r\n" in block
    assert b"SUMMARY:Cancelled: A day of reflection\r\n" in block
    assert b"SEQUENCE:1\r\n" in block


def test_seats_taken_leave_the_block_alone(
    session: Session, make_event: MakeEvent, make_registration: Callable[..., object]
) -> None:
    event = make_event(capacity=5)
    before = stored(session, event)
    make_registration(event)
    assert stored(session, event) == before


def test_database_without_events_is_never_stale(app: Flask, session: Session) -> None:
    assert not blocks.are_stale(session, links_of(app))


def test_rebuild_for_another_address_rewrites_every_block_once(
    app: Flask, session: Session, make_event: MakeEvent
) -> None:
    events = [make_event(title=f"Talk {number}") for number in range(3)]
    kept = [stored(session, event) for event in events]
    assert blocks.rebuild(session, links_of(app)) is None
    assert [stored(session, event) for event in events] == kept
    session.commit()
    assert not blocks.are_stale(session, links_of(app))
    moved = Links("https://elsewhere.example.org", "k")
    assert blocks.are_stale(session, moved)
    assert blocks.rebuild(session, moved) is None
    session.commit()
    assert not blocks.are_stale(session, moved)
    assert blocks.are_stale(session, links_of(app))
    for event in events:
        block, digest = stored(session, event)
        assert b"URL:https://elsewhere.example.org/events/talk-" in (block or b"")
        assert digest == blocks.digest(block or b"")


def test_rebuild_goes_on_in_steps_and_is_done_only_after_the_last(
    app: Flask, session: Session, make_event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "_BATCH", 2)
    events = [make_event(title=f"Talk {number}") for number in range(3)]
    moved = Links("https://elsewhere.example.org", "k")
    assert blocks.rebuild(session, moved) == events[1].id
    assert blocks.are_stale(session, moved)
    assert blocks.rebuild(session, moved, after_id=events[1].id) is None
    session.commit()
    assert not blocks.are_stale(session, moved)
    assert all(b"elsewhere" in (stored(session, event)[0] or b"") for event in events)


def test_missing_block_makes_them_stale_and_rebuild_writes_it(
    app: Flask, session: Session, make_event: MakeEvent
) -> None:
    event = make_event()
    blocks.rebuild(session, links_of(app))
    session.execute(sa.update(Event).values(ics_block=None, ics_digest=0))
    session.commit()
    session.expire_all()
    assert blocks.are_stale(session, links_of(app))
    assert blocks.rebuild(session, links_of(app)) is None
    assert stored(session, event)[0] == blocks.block(event, links_of(app))


def test_block_parses_on_its_own(app: Flask, session: Session, make_event: MakeEvent) -> None:
    block = stored(session, make_event(title="Zoë; 李, 🎉"))[0] or b""
    only = entry(b"BEGIN:VCALENDAR\r\nPRODID:x\r\nVERSION:2.0\r\n" + block + b"END:VCALENDAR\r\n")
    assert only["SUMMARY"] == "Zoë; 李, 🎉"

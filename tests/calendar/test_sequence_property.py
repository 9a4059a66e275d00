"""Whatever is edited, in whatever order: SEQUENCE, LAST-MODIFIED and the stored entry stay true."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.calendar import blocks
from eventreg.db import write_transaction
from eventreg.errors import EventStateError
from eventreg.events import service
from eventreg.events.models import Event
from eventreg.events.service import CALENDAR, SIGNIFICANT
from eventreg.events.values import values_of
from tests.support.factories import Factory

START = datetime(2026, 11, 4, 16, tzinfo=UTC)
POOLS: dict[str, list[Any]] = {
    "title": ["A day", "Another; day", "李 🎉\ud800"],
    "summary": ["", "Short"],
    "description": ["", "# Long\n\n- one"],
    "directions": ["", "Left"],
    "starts_at": [START, START - timedelta(hours=1)],
    "ends_at": [START + timedelta(hours=2), START + timedelta(hours=3)],
    "timezone": ["America/New_York", "Europe/Berlin"],
    "all_day": [False, True],
    "location_name": ["", "Room 7"],
    "location_address": ["", "1 Main Street"],
    "online_url": ["", "https://meet.example/1"],
    "category": ["", "Talks"],
    "capacity": [None, 10],
    "visibility": ["public", "unlisted", "private"],
    "contact_email": ["", "olga@example.org"],
    "max_party_size": [1, 4],
}
edit = st.fixed_dictionaries({}, optional={name: st.sampled_from(pool) for name, pool in POOLS.items()})
step = st.tuples(st.one_of(edit, st.sampled_from(["publish", "cancel"])), st.sampled_from([0, 0.4, 1, 3600]))
NAMED = sorted({*POOLS, "status"})


def taken(session: Session, event_id: int, what: Any, now: datetime) -> None:
    """One step, as the desk takes it."""
    given_by: dict[str, Any] = {"event_id": event_id, "actor": audit.Actor.system(), "now": now}
    with write_transaction(session):
        if isinstance(what, dict):
            values = {
                name: value.encode("utf-8", "ignore").decode() if isinstance(value, str) else value
                for name, value in what.items()
            }
            service.update(session, values=replace(values_of(session.get_one(Event, event_id)), **values), **given_by)
            return
        try:
            (service.publish if what == "publish" else service.cancel)(session, **given_by)
        except EventStateError:
            return


@pytest.mark.sqlite_only
def test_any_edits_leave_sequence_stamp_and_stored_entry_true(
    app: Flask, session: Session, factory: Factory, now: datetime
) -> None:
    @settings(max_examples=40)
    @given(steps=st.lists(step, min_size=1, max_size=6))
    def holds(steps: list[Any]) -> None:
        event = factory.event(starts_at=START, status="draft")
        event_id, at = event.id, now
        for what, seconds in steps:
            at += timedelta(seconds=seconds)
            before = {name: getattr(event, name) for name in NAMED}
            sequence, significant, stamp = event.sequence, event.significant_sequence, event.updated_at
            taken(session, event_id, what, at)
            session.expire_all()
            changed = {name for name in NAMED if getattr(event, name) != before[name]}
            assert event.sequence == sequence + bool(changed & CALENDAR)
            assert event.significant_sequence == (event.sequence if changed & SIGNIFICANT else significant)
            if changed:
                assert event.updated_at - stamp >= timedelta(seconds=1)
            else:
                assert event.updated_at == stamp
            assert event.ics_block == blocks.block(event, app.extensions["eventreg.links"])
            assert event.ics_digest == blocks.digest(event.ics_block)

    holds()

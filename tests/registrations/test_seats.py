"""The statement that takes seats says of every event what the rules in Python say of it."""

from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import update

from eventreg.db import table_of
from eventreg.events import rules
from eventreg.events.models import Event
from eventreg.registrations import seats, waitlist
from eventreg.registrations.models import Registration

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
NOW = timedelta(0)
BASE = {
    "status": "published",
    "source_id": None,
    "needs_approval": False,
    "starts_at": HOUR,
    "ends_at": 2 * HOUR,
    "all_day": False,
    "registration_opens_at": None,
    "registration_closes_at": None,
}
WINDOWS = {
    "until it begins": ({}, True),
    "opens now": ({"registration_opens_at": NOW}, True),
    "opens later": ({"registration_opens_at": SECOND}, False),
    "closes now": ({"registration_closes_at": NOW}, False),
    "closes later": ({"registration_closes_at": SECOND}, True),
    "begins now": ({"starts_at": NOW}, False),
    "under way and open": ({"starts_at": -HOUR, "registration_closes_at": SECOND}, True),
    "whole day under way": ({"starts_at": -HOUR, "all_day": True}, True),
    "whole day over": ({"starts_at": -HOUR, "ends_at": NOW, "all_day": True}, False),
    "over": ({"starts_at": -HOUR, "ends_at": NOW}, False),
}
"""Columns of the event, moments as seen from now; and whether somebody gets in while all else is well."""
KINDS = (
    {},
    {"status": "draft"},
    {"status": "cancelled"},
    {"needs_approval": True},
    {"source_id": "elsewhere"},
    {"source_id": "elsewhere", "needs_approval": True},
)
LINES = tuple(
    ({"capacity": capacity, "seats_taken": taken, "waitlist_rule": rule}, waits)
    for capacity, taken in ((None, 0), (2, 1), (2, 2))
    for rule, waits in (("skip", 2), ("hold", 0), ("hold", 2), ("hold", 3))
)
"""Columns of the event, and how large the party is that waits; 0 when nobody does."""


@pytest.mark.parametrize("window", WINDOWS)
def test_seats_are_taken_exactly_where_the_door_is_open(factory, session, now, window) -> None:
    event_id, source_id = factory.event().id, factory.followed_calendar().id
    waiting_id = factory.registration(session.get(Event, event_id), status="waitlisted").id
    columns, opens = WINDOWS[window]
    found, differ = set(), []
    for kind, (line, waits) in product(KINDS, LINES):
        wanted = {**BASE, **columns, **kind, **line}
        values = {name: now + one if isinstance(one, timedelta) else one for name, one in wanted.items()}
        values["source_id"] = source_id if values["source_id"] else None
        connection = session.connection()
        connection.execute(update(table_of(Event)).where(Event.id == event_id).values(values))
        party = {"party_size": waits} if waits else {"status": "cancelled"}
        connection.execute(update(table_of(Registration)).where(Registration.id == waiting_id).values(party))
        event = session.get(Event, event_id, populate_existing=True)
        held = waitlist.holds_seats(session, event)
        door = rules.availability(event, now, seats_are_held=held).door
        is_open = door is rules.Door.OPEN and event.status != "draft"
        takes = seats.take(session, event_id=event_id, seats=1, now=now) is not None
        session.rollback()
        found.add(takes)
        if takes != is_open:
            differ.append((kind, line, waits, door))
    assert (differ, found) == ([], {False, opens})

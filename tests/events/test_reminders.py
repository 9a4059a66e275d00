"""When reminders fall due, as events are published, moved and called off."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from eventreg.audit import Actor
from eventreg.db import write_transaction
from eventreg.errors import InvalidField
from eventreg.events import service
from eventreg.events.models import Event
from eventreg.events.values import values_of

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OLGA = Actor.system("test")


@pytest.fixture
def event(session: Session, now: datetime, make_event: Callable[..., Event]) -> Event:
    """A published event in ten days, as publishing leaves it."""
    event = make_event(status="draft", starts_at=now + 10 * DAY)
    with write_transaction(session):
        service.publish(session, event_id=event.id, actor=OLGA, now=now)
    return event


def change(session: Session, event: Event, now: datetime, **values: object) -> Event:
    with write_transaction(session):
        loaded = service.load(session, event.id)
        if "starts_at" in values:
            values["ends_at"] = values["starts_at"] + 2 * HOUR  # type: ignore[operator]
        wanted = replace(values_of(loaded), **values)  # type: ignore[arg-type]
        service.update(session, event_id=event.id, values=wanted, actor=OLGA, now=now)
    return session.get_one(Event, event.id, populate_existing=True)


def sent(session: Session, event: Event, at: datetime) -> None:
    with write_transaction(session):
        loaded = service.load(session, event.id)
        loaded.remind_at, loaded.reminded_at = None, at


def test_a_draft_reminds_nobody_and_publishing_sets_the_hour_a_day_before(
    session: Session, now: datetime, make_event: Callable[..., Event]
) -> None:
    event = make_event(status="draft", starts_at=now + 10 * DAY)
    assert change(session, event, now, starts_at=now + 9 * DAY).remind_at is None
    with write_transaction(session):
        service.publish(session, event_id=event.id, actor=OLGA, now=now)
    assert session.get_one(Event, event.id, populate_existing=True).remind_at == now + 8 * DAY


def test_an_event_announced_within_its_last_day_reminds_nobody(
    session: Session, now: datetime, make_event: Callable[..., Event]
) -> None:
    event = make_event(status="draft", starts_at=now + DAY)
    with write_transaction(session):
        service.publish(session, event_id=event.id, actor=OLGA, now=now)
    assert session.get_one(Event, event.id, populate_existing=True).remind_at is None


@pytest.mark.parametrize(("hours", "before"), [(2, 2 * HOUR), (720, None), (None, None)])
def test_the_hour_follows_the_organizers_wish(
    session: Session, now: datetime, event: Event, hours: int | None, before: timedelta | None
) -> None:
    expected = None if before is None else now + 10 * DAY - before
    assert change(session, event, now, reminder_hours=hours).remind_at == expected


def test_the_hour_follows_the_start_and_nothing_else(session: Session, now: datetime, event: Event) -> None:
    assert change(session, event, now, title="Another name").remind_at == now + 9 * DAY
    assert change(session, event, now, starts_at=now + 5 * DAY).remind_at == now + 4 * DAY
    assert change(session, event, now, starts_at=now + 20 * HOUR).remind_at is None
    assert change(session, event, now, starts_at=now + 30 * DAY).remind_at == now + 29 * DAY


def test_an_event_made_without_reminders_stays_without(
    session: Session, now: datetime, make_event: Callable[..., Event]
) -> None:
    event = make_event(status="draft", reminder_hours=None)
    with write_transaction(session):
        service.publish(session, event_id=event.id, actor=OLGA, now=now)
    row = session.get_one(Event, event.id, populate_existing=True)
    assert (row.reminder_hours, row.remind_at) == (None, None)


def test_calling_it_off_takes_the_hour_away(session: Session, now: datetime, event: Event) -> None:
    with write_transaction(session):
        service.cancel(session, event_id=event.id, actor=OLGA, now=now)
    assert session.get_one(Event, event.id, populate_existing=True).remind_at is None


def test_other_hours_remind_nobody_a_second_time(session: Session, now: datetime, event: Event) -> None:
    hour = now + 9 * DAY
    sent(session, event, hour)
    row = change(session, event, hour + HOUR, reminder_hours=2)
    assert (row.remind_at, row.reminded_at) == (None, hour)


def test_moved_to_a_later_day_it_reminds_anew_and_moved_by_an_hour_it_does_not(
    session: Session, now: datetime, event: Event
) -> None:
    hour = now + 9 * DAY
    sent(session, event, hour)
    row = change(session, event, hour + 2 * HOUR, starts_at=now + 10 * DAY + HOUR)
    assert (row.remind_at, row.reminded_at) == (None, hour)
    row = change(session, event, hour + 2 * HOUR, starts_at=now + 17 * DAY)
    assert (row.remind_at, row.reminded_at) == (now + 16 * DAY, None)
    assert change(session, event, hour + 3 * HOUR, reminder_hours=48).remind_at == now + 15 * DAY


def test_a_copy_reminds_by_its_own_date(session: Session, now: datetime, event: Event) -> None:
    sent(session, event, now)
    with write_transaction(session):
        copy = service.duplicate(
            session, event_id=event.id, organizer_id=event.organizer_id, actor=OLGA, now=now, host="example.org"
        )
        assert (copy.remind_at, copy.reminded_at, copy.reminder_hours) == (None, None, 24)
        service.publish(session, event_id=copy.id, actor=OLGA, now=now)
        assert copy.remind_at == copy.starts_at - DAY


@pytest.mark.parametrize("hours", [0, -1, 721])
def test_hours_beyond_reason_are_refused_by_name(session: Session, now: datetime, event: Event, hours: int) -> None:
    with pytest.raises(InvalidField) as refused:
        change(session, event, now, reminder_hours=hours)
    assert refused.value.field == "reminder_hours"

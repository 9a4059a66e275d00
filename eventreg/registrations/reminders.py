"""Reminding people of an event they said they come to. Its hour is set by `events.reminders`."""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from eventreg.events import reminders
from eventreg.events.models import Event
from eventreg.outbox import queue
from eventreg.registrations import messages
from eventreg.registrations.models import Registration

KIND = "reminder"
IN_ONE_STATEMENT = 1000
"""Mails queued at a time; the memory an event with thousands of people takes."""

log = logging.getLogger(__name__)


def queue_due(session: Session, *, now: datetime, limit: int) -> int:
    """Owes the reminders of up to `limit` events whose hour has come; how many events that were.

    Several clocks may run it at once. One whose time has passed by is let go with a line in the log.
    """
    query = select(Event.id, Event.remind_at).where(Event.remind_at <= now).order_by(Event.remind_at, Event.id)
    due = session.execute(query.limit(limit)).all()
    for event_id, due_at in due:
        if due_at is not None and _claim(session, event_id, due_at, now):
            _remind(session, event_id, due_at, now)
    return len(due)


def are_due(session: Session, *, now: datetime) -> bool:
    """Whether `queue_due` has something to do; asks without writing."""
    return session.scalar(select(Event.id).where(Event.remind_at <= now).limit(1)) is not None


def _claim(session: Session, event_id: int, due_at: datetime, now: datetime) -> bool:
    """Whether these reminders are ours to queue: whoever empties the column first has them, in this transaction."""
    claimed = session.scalars(
        update(Event)
        .where(Event.id == event_id, Event.remind_at == due_at)
        .values(remind_at=None, reminded_at=now)
        .returning(Event.id)
        .execution_options(synchronize_session=False)
    )
    return claimed.first() is not None


def _remind(session: Session, event_id: int, due_at: datetime, now: datetime) -> None:
    query = select(Event).where(Event.id == event_id).execution_options(populate_existing=True)
    event = session.scalars(query).one()
    if reminders.is_missed(event, due_at=due_at, now=now):
        event.reminded_at = None
        log.warning("Nobody is reminded of %s (event %s): it was due at %s", event.title, event.id, due_at)
        session.flush()
        return
    for people in _partitions(session, event_id, due_at):
        queue.add_all(session, (_mail(person, event, now) for person in people), now=now)


def _partitions(session: Session, event_id: int, due_at: datetime) -> Iterator[list[Any]]:
    """Who said yes or maybe before the reminders fell due. Whoever came later has just read when it is."""
    last_id = 0
    while True:
        people = session.execute(
            select(Registration.__table__)
            .where(
                Registration.event_id == event_id,
                Registration.id > last_id,
                Registration.status == "confirmed",
                Registration.rsvp.in_(("yes", "maybe")),
                Registration.created_at <= due_at,
            )
            .order_by(Registration.id)
            .limit(IN_ONE_STATEMENT)
        ).all()
        if not people:
            return
        yield list(people)
        last_id = people[-1].id


def _mail(person: Any, event: Event, now: datetime) -> dict[str, Any]:
    """`starts_at` tells, when the mail leaves, whether the event is still when it was."""
    return {
        "kind": KIND,
        "recipient": person.email,
        "recipient_name": person.name,
        "event_id": event.id,
        "registration_id": person.id,
        "payload": messages.payload(person, event, extra={"starts_at": event.starts_at.isoformat()}),
        "stamp_at": now,
    }

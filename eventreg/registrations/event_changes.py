"""Changing and cancelling an event, with everything that follows for the people registered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.events import service as events
from eventreg.events.models import Event
from eventreg.events.service import CALENDAR, Changes
from eventreg.events.values import EventValues
from eventreg.registrations import messages, promotion
from eventreg.registrations.models import Registration

TOLD = frozenset(CALENDAR - {"status"})
"""Changes that a mail to the people registered speaks of: all that their calendar entries show."""
TOO_LONG = frozenset({"description"})
"""Said to have changed, and read on the event's page."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving an event did: its changes, how many people are mailed, how many parties moved up."""

    changes: Changes
    told: int
    promoted: int


def save(
    session: Session, *, event_id: int, values: EventValues, notify: bool, actor: audit.Actor, now: datetime
) -> Saved:
    """Takes over an organizer's changes; with `notify`, everybody registered is owed a mail saying old -> new.

    Seats that appear move the waitlist. Raises: NotFound, InvalidField.
    """
    changes = events.update(session, event_id=event_id, values=values, actor=actor, now=now)
    event = events.load(session, event_id)
    told = notify_update(session, event=event, changes=changes, now=now) if notify else 0
    promoted = 0
    if changes.keys() & {"capacity", "waitlist_rule"}:
        promoted = promotion.promote(session, event_id=event_id, now=now)
    return Saved(changes, told, promoted)


def call_off(session: Session, *, event_id: int, actor: audit.Actor, now: datetime) -> int:
    """Cancels the event and owes everybody registered a cancellation; how many that are.

    Raises: NotFound, EventStateError.
    """
    if not events.cancel(session, event_id=event_id, actor=actor, now=now):
        return 0
    event = events.load(session, event_id)
    return _tell_everybody(session, event, kind="event_cancelled", now=now)


def notify_update(session: Session, *, event: Event, changes: Changes, now: datetime) -> int:
    """Owes everybody registered one mail when something changed that they must know; how many that are."""
    if event.status != "published" or event.ends_at <= now:
        return 0
    told = {
        name: ["", ""] if name in TOO_LONG else [_plain(old), _plain(new)]
        for name, (old, new) in changes.items()
        if name in TOLD
    }
    if not told:
        return 0
    previous = {
        name: _plain(changes[name][0] if name in changes else getattr(event, name)) for name in sorted(TOLD - TOO_LONG)
    }
    return _tell_everybody(session, event, kind="update", now=now, extra={"changes": told, "previous_event": previous})


def people_to_tell(session: Session, event_id: int) -> int:
    """How many people a change or cancellation would be mailed to."""
    query = select(func.count()).where(Registration.event_id == event_id, *_CONCERNED)
    return session.scalar(query) or 0


_CONCERNED = (Registration.status != "cancelled", Registration.rsvp != "no")


def _tell_everybody(
    session: Session, event: Event, *, kind: str, now: datetime, extra: Mapping[str, Any] | None = None
) -> int:
    query = (
        select(Registration)
        .where(Registration.event_id == event.id, *_CONCERNED)
        .order_by(Registration.id)
        .with_for_update()
    )
    told = 0
    for registration in session.scalars(query).all():
        messages.tell(session, event, registration, kind=kind, now=now, extra=extra)
        told += 1
    session.flush()
    return told


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value

"""Which mail a change of a registration owes, and what it must say was true."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from eventreg.events.models import Event
from eventreg.outbox import queue
from eventreg.registrations import waitlist
from eventreg.registrations.models import Registration


def next_stamp(registration: Registration, now: datetime) -> datetime:
    """DTSTAMP for the next calendar part: whole seconds, strictly later than the last (RFC 5546 section 2.1.5)."""
    stamp = max(now.replace(microsecond=0), registration.calendar_stamp_at + timedelta(seconds=1))
    registration.calendar_stamp_at = stamp
    return stamp


def kind_for(rsvp: str, status: str) -> str:
    """The mail that tells somebody where they stand.

    >>> kind_for("yes", "waitlisted"), kind_for("maybe", "confirmed"), kind_for("yes", "cancelled")
    ('waitlisted', 'answer', 'withdrawn')
    """
    if status == "cancelled":
        return "withdrawn"
    if status == "waitlisted":
        return "waitlisted"
    return "confirmation" if rsvp == "yes" else "answer"


def tell(
    session: Session,
    event: Event,
    registration: Registration,
    *,
    kind: str,
    now: datetime,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Owes the attendee one mail about where they stand, in the caller's transaction."""
    payload: dict[str, Any] = {
        "rsvp": registration.rsvp,
        "status": registration.status,
        "party_size": registration.party_size,
        "sequence": event.sequence,
        **(extra or {}),
    }
    if registration.status == "waitlisted" and registration.waitlisted_at is not None:
        payload["position"] = waitlist.position(
            session,
            event_id=event.id,
            waitlisted_at=registration.waitlisted_at,
            registration_id=registration.id,
        )
    stamp = next_stamp(registration, now)
    queue.add(
        session,
        kind=kind,
        recipient=registration.email,
        recipient_name=registration.name,
        event_id=event.id,
        registration_id=registration.id,
        payload=payload,
        now=now,
        stamp_at=stamp,
    )

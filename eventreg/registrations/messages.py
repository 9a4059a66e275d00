"""Which mail a change of a registration owes, and what it must say was true."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from eventreg.events.models import Event
from eventreg.outbox import queue
from eventreg.registrations import waitlist
from eventreg.registrations.models import Registration

SECOND = timedelta(seconds=1)


def stamp_after(last: datetime, now: datetime) -> datetime:
    """DTSTAMP for the next calendar part: whole seconds, strictly later than the last (RFC 5546 section 2.1.5)."""
    return max(now.replace(microsecond=0), last + SECOND)


def next_stamp(registration: Registration, now: datetime) -> datetime:
    """The same, kept on the row."""
    registration.calendar_stamp_at = stamp = stamp_after(registration.calendar_stamp_at, now)
    return stamp


def kind_for(rsvp: str, status: str, *, is_offered: bool = False) -> str:
    """The mail that tells somebody where they stand.

    >>> kind_for("yes", "waitlisted"), kind_for("maybe", "confirmed"), kind_for("yes", "cancelled")
    ('waitlisted', 'answer', 'withdrawn')
    >>> kind_for("yes", "pending"), kind_for("yes", "waitlisted", is_offered=True)
    ('pending', 'offer')
    """
    if status == "cancelled":
        return "withdrawn"
    if status == "waitlisted":
        return "offer" if is_offered else "waitlisted"
    if status == "pending":
        return "pending"
    return "confirmation" if rsvp == "yes" else "answer"


def payload(
    registration: Any, event: Event, *, position: int | None = None, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What is true now and what the mail will say was true; `registration` is a row of that table or a part of one."""
    facts: dict[str, Any] = {
        "rsvp": registration.rsvp,
        "status": registration.status,
        "party_size": registration.party_size,
        "sequence": event.sequence,
    }
    if position is not None:
        facts["position"] = position
    if registration.status == "waitlisted" and registration.offer_expires_at is not None:
        facts["offer_expires_at"] = registration.offer_expires_at.isoformat()
    return facts | dict(extra or {})


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
    queue.add(
        session,
        kind=kind,
        recipient=registration.email,
        recipient_name=registration.name,
        event_id=event.id,
        registration_id=registration.id,
        payload=payload(registration, event, position=waitlist.place_of(session, registration), extra=extra),
        now=now,
        stamp_at=next_stamp(registration, now),
    )


def tell_all(
    session: Session,
    event: Event,
    registrations: Iterable[Any],
    *,
    kind: str,
    now: datetime,
    stamps: Mapping[int, datetime],
    places: Mapping[int, int] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Owes each of them one mail, in one statement. `stamps` and `places` (in line) are by registration id.

    The stamps must have been kept on the rows already.
    """
    queue.add_all(
        session,
        (
            {
                "kind": kind,
                "recipient": one.email,
                "recipient_name": one.name,
                "event_id": event.id,
                "registration_id": one.id,
                "payload": payload(one, event, position=(places or {}).get(one.id), extra=extra),
                "stamp_at": stamps[one.id],
            }
            for one in registrations
        ),
        now=now,
    )

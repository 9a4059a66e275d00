"""Parties that are larger than their whole event, because its capacity was lowered after they answered.

They wait, or ask for approval, and hold no seats: their turn never comes unless they get smaller or the capacity is
raised again. Nobody behind them is held up. The organizer sees their names; they are mailed, and their page says so.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.events import rules
from eventreg.events.models import Event
from eventreg.registrations import messages
from eventreg.registrations.models import Registration

PAYLOAD = "outgrown"
"""In the payload of the mail that says so: the places there are in all."""


def of_event(session: Session, event: Event, *, most: int | None = None) -> Sequence[Registration]:
    """The parties, in order of arrival, `most` at most."""
    if event.capacity is None:
        return []
    query = (
        select(Registration)
        .where(
            Registration.event_id == event.id,
            Registration.status.in_(("waitlisted", "pending")),
            Registration.offer_expires_at.is_(None),
            Registration.party_size > event.capacity,
        )
        .order_by(Registration.id)
        .limit(most)
    )
    return session.scalars(query).all()


def is_outgrown(event: Event, registration: Registration) -> bool:
    """Whether this party waits, or asks, for more places than there are in all."""
    waits = registration.status in {"waitlisted", "pending"} and not registration.is_offered
    return waits and rules.outgrows(event, registration.party_size)


def tell(session: Session, event: Event, *, before: int | None, now: datetime) -> list[str]:
    """Owes a mail to each party that the lowered capacity leaves out; their names. `before` is the capacity it had."""
    left_out = [one for one in of_event(session, event) if before is None or one.party_size <= before]
    if event.status == "cancelled" or event.ends_at <= now:
        return []
    for registration in left_out:
        kind = messages.kind_for(registration.rsvp, registration.status)
        messages.tell(session, event, registration, kind=kind, now=now, extra={PAYLOAD: event.capacity})
    session.flush()
    return [one.name for one in left_out]


def oversized(session: Session, event: Event) -> Sequence[str]:
    """Names of parties larger than one registration may be by now; they may stay as they are, or shrink."""
    query = (
        select(Registration.name)
        .where(
            Registration.event_id == event.id,
            Registration.status != "cancelled",
            Registration.rsvp == "yes",
            Registration.party_size > event.max_party_size,
        )
        .order_by(Registration.id)
    )
    return session.scalars(query).all()

"""Who waits, in which order, and who moves up when seats appear.

First come, first served. A party larger than the free seats is skipped until enough are free (rule "skip"),
or everybody behind it waits with it (rule "hold"); the rule is the event's and is written on its form.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from eventreg.events.models import Event
from eventreg.registrations import seats
from eventreg.registrations.models import Registration


def position(session: Session, *, event_id: int, waitlisted_at: datetime, registration_id: int) -> int:
    """Place in line, 1 is next."""
    ahead = select(func.count()).where(
        Registration.event_id == event_id,
        Registration.status == "waitlisted",
        or_(
            Registration.waitlisted_at < waitlisted_at,
            (Registration.waitlisted_at == waitlisted_at) & (Registration.id < registration_id),
        ),
    )
    return 1 + (session.scalar(ahead) or 0)


def length(session: Session, event_id: int) -> int:
    """How many parties wait."""
    query = select(func.count()).where(Registration.event_id == event_id, Registration.status == "waitlisted")
    return session.scalar(query) or 0


def promote(session: Session, *, event_id: int, now: datetime) -> Iterator[Registration]:
    """Moves up whoever fits into the free seats, oldest first, and yields each one moved.

    Runs in the transaction that freed the seats. Nobody is moved into an event that is cancelled, a draft or
    already under way.
    """
    event = seats.lock(session, event_id)
    if event.status != "published" or now >= event.starts_at:
        return
    while (following := _next_in_line(session, event)) is not None:
        if not seat(session, following, now=now):
            return
        yield following
        event = seats.lock(session, event_id)


def seat(session: Session, registration: Registration, *, now: datetime) -> bool:
    """Gives one waiting party its seats; False when it does not fit."""
    if seats.take(session, event_id=registration.event_id, seats=registration.party_size) is None:
        return False
    registration.status = "confirmed"
    registration.waitlisted_at = None
    registration.updated_at = now
    session.flush()
    return True


def _next_in_line(session: Session, event: Event) -> Registration | None:
    query = (
        select(Registration)
        .where(Registration.event_id == event.id, Registration.status == "waitlisted")
        .order_by(Registration.waitlisted_at, Registration.id)
        .limit(1)
    )
    if event.capacity is not None and event.waitlist_rule == "skip":
        query = query.where(Registration.party_size <= event.capacity - event.seats_taken)
    return session.scalar(query)

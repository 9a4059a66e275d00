"""Who waits, in which order, and who is next.

First come, first served. A party larger than the free seats is skipped until enough are free (rule "skip"),
or everybody behind it waits with it (rule "hold"); the rule is the event's and is written on its form.
"""

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from eventreg.events.models import Event
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


def holds_seats(session: Session, event_id: int, rule: str) -> bool:
    """Whether free seats are kept for somebody who waits."""
    return rule == "hold" and length(session, event_id) > 0


def next_in_line(session: Session, event: Event) -> Registration | None:
    """Who moves up next, by the event as `seats.lock` read it; under the rule “hold” whether they fit or not."""
    query = (
        select(Registration)
        .where(Registration.event_id == event.id, Registration.status == "waitlisted")
        .order_by(Registration.waitlisted_at, Registration.id)
        .limit(1)
    )
    if event.capacity is not None and event.waitlist_rule == "skip":
        query = query.where(Registration.party_size <= event.capacity - event.seats_taken)
    return session.scalar(query)

"""Who waits, in which order, and who is next.

First come, first served. A party larger than the free seats is skipped until enough are free (rule "skip"),
or everybody behind it waits with it (rule "hold"); the rule is the event's and is written on its form. A party larger
than the whole event, whose capacity was lowered, holds up nobody. Whoever has been offered a place has left the line:
their seats are held for them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from eventreg.events import rules
from eventreg.events.models import Event
from eventreg.registrations.models import Registration
from eventreg.registrations.seats import IN_LINE

INSTANT = timedelta(microseconds=1)
"""The smallest step of time that both databases keep."""
AT_ONCE = 500
"""Parties that move up in one round at most, so that no round holds more than these in memory."""


def position(session: Session, *, event_id: int, waitlisted_at: datetime, registration_id: int) -> int:
    """Place in line, 1 is next; one COUNT. A party larger than the whole event takes no place in it."""
    ahead = select(func.count()).where(
        Registration.event_id == event_id,
        IN_LINE,
        *_fitting(session, event_id),
        or_(
            Registration.waitlisted_at < waitlisted_at,
            (Registration.waitlisted_at == waitlisted_at) & (Registration.id < registration_id),
        ),
    )
    return 1 + (session.scalar(ahead) or 0)


def place_of(session: Session, registration: Registration) -> int | None:
    """The same for a row; None for one that is not in line.

    It does not wait, has been offered a place, or is larger than the whole event.
    """
    if registration.status != "waitlisted" or registration.waitlisted_at is None or registration.is_offered:
        return None
    event = session.get(Event, registration.event_id)
    if event is not None and rules.outgrows(event, registration.party_size):
        return None
    return position(
        session,
        event_id=registration.event_id,
        waitlisted_at=registration.waitlisted_at,
        registration_id=registration.id,
    )


def end(session: Session, event_id: int, *, now: datetime) -> tuple[int, datetime]:
    """The place of whoever joins the line now, and their `waitlisted_at`; asked under the event's lock.

    That is later than everybody's in line, also when the clock has gone back meanwhile.
    """
    fitting = func.count().filter(*_fitting(session, event_id)) if _fitting(session, event_id) else func.count()
    query = select(fitting, func.max(Registration.waitlisted_at)).where(Registration.event_id == event_id, IN_LINE)
    count, last = session.execute(query).one()
    return count + 1, now if last is None else max(now, last + INSTANT)


def _fitting(session: Session, event_id: int) -> list[ColumnElement[bool]]:
    """Leaves out parties larger than the whole event, which is loaded wherever somebody's place is asked for."""
    event = session.get(Event, event_id)
    return [] if event is None or event.capacity is None else [Registration.party_size <= event.capacity]


def holds_seats(session: Session, event: Event) -> bool:
    """Whether free seats are kept for somebody who waits; not for a party that never fits."""
    if event.waitlist_rule != "hold" or event.capacity is None:
        return False
    first = select(Registration.id).where(
        Registration.event_id == event.id, IN_LINE, Registration.party_size <= event.capacity
    )
    return session.scalar(first.limit(1)) is not None


def next_in_line(session: Session, event: Event) -> Sequence[Registration]:
    """Who moves up next into the free seats, in order, by the event as `seats.lock` read it; AT_ONCE at most.

    What is chosen fits together. Two statements, however long the line is.
    """
    free = None if event.capacity is None else event.capacity - event.seats_taken
    if free is not None and free <= 0:
        return []
    query = (
        select(Registration.id, Registration.party_size)
        .where(Registration.event_id == event.id, IN_LINE)
        .order_by(Registration.waitlisted_at, Registration.id)
        .limit(AT_ONCE if free is None else min(AT_ONCE, free))
    )
    if free is not None:
        largest = free if event.waitlist_rule == "skip" else event.capacity
        query = query.where(Registration.party_size <= largest)
    chosen = []
    for registration_id, party_size in session.execute(query):
        if free is not None and party_size > free:
            if event.waitlist_rule == "hold":
                break
            continue
        chosen.append(registration_id)
        free = None if free is None else free - party_size
    if not chosen:
        return []
    return session.scalars(
        select(Registration)
        .where(Registration.id.in_(chosen))
        .order_by(Registration.waitlisted_at, Registration.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def stuck(session: Session, now: datetime) -> Sequence[str]:
    """Slugs of events where somebody waits although the rule gives them a free seat; for `eventreg doctor`.

    Looks only at events whose line still moves: `rules.line_ends_at` as SQL.
    """
    moves = or_(
        Event.starts_at > now,
        Event.registration_closes_at > now,
        and_(Event.registration_closes_at.is_(None), Event.all_day, Event.ends_at > now),
    )
    fits = or_(Event.capacity.is_(None), Registration.party_size <= Event.capacity - Event.seats_taken)
    earlier = Registration.__table__.alias("earlier")
    is_first = ~(
        select(earlier.c.id)
        .where(
            earlier.c.event_id == Registration.event_id,
            earlier.c.status == "waitlisted",
            earlier.c.offer_expires_at.is_(None),
            earlier.c.party_size <= Event.capacity,
            or_(
                earlier.c.waitlisted_at < Registration.waitlisted_at,
                and_(earlier.c.waitlisted_at == Registration.waitlisted_at, earlier.c.id < Registration.id),
            ),
        )
        .exists()
    )
    query = (
        select(Event.slug)
        .join(Registration, and_(Registration.event_id == Event.id, IN_LINE))
        .where(Event.status == "published", moves, fits, or_(Event.waitlist_rule == "skip", is_first))
        .distinct()
        .order_by(Event.slug)
    )
    return session.scalars(query).all()

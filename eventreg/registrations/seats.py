"""Seats are counted here and nowhere else.

One guarded UPDATE locks the event's row, checks that the party fits and counts it, so the same code is right on
SQLite and on PostgreSQL however many processes ask at once. The CHECK on `events` holds it a second time.
"""

from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Session

from eventreg.db import UTCDateTime
from eventreg.events.models import Event
from eventreg.events.service import load
from eventreg.registrations.models import Registration


def take(session: Session, *, event_id: int, seats: int, now: datetime | None = None) -> int | None:
    """Takes that many seats, all or none; the event's SEQUENCE when it did, None when it could not.

    With `now`, only while registration is open and nobody waits for whom seats are held. Must be the first
    statement of its transaction, or follow `lock`.
    """
    if now is None:
        return session.scalar(_TAKE, {"of_event": event_id, "wanted": seats})
    return session.scalar(_TAKE_WHILE_OPEN, {"of_event": event_id, "wanted": seats, "moment": now})


def give_back(session: Session, *, event_id: int, seats: int) -> None:
    """Frees that many seats."""
    session.execute(
        update(Event)
        .where(Event.id == event_id)
        .values(seats_taken=Event.seats_taken - seats)
        .execution_options(synchronize_session=False)
    )


def lock(session: Session, event_id: int) -> Event:
    """The event as it stands now, held against other writers until the transaction ends.

    Raises: NotFound.
    """
    return load(session, event_id)


def is_open_to_newcomers(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """`events.rules.availability` as SQL: published, inside the window, and no seat held for somebody waiting."""
    someone_waits = exists().where(Registration.event_id == Event.id, Registration.status == "waitlisted")
    return and_(
        Event.status == "published",
        or_(Event.registration_opens_at.is_(None), Event.registration_opens_at <= now),
        or_(
            Event.registration_closes_at > now,
            and_(Event.registration_closes_at.is_(None), Event.all_day.is_(True), Event.ends_at > now),
            and_(Event.registration_closes_at.is_(None), Event.all_day.is_(False), Event.starts_at > now),
        ),
        or_(Event.waitlist_rule == "skip", ~someone_waits),
    )


def recount(session: Session, event_id: int | None = None) -> list[tuple[str, int, int]]:
    """Events whose counter differs from their rows, as (slug, counter, heads in the rows); for `eventreg doctor`."""
    heads = (
        select(func.coalesce(func.sum(Registration.party_size), 0))
        .where(
            Registration.event_id == Event.id,
            Registration.status == "confirmed",
            Registration.rsvp == "yes",
        )
        .correlate(Event)
        .scalar_subquery()
    )
    query = select(Event.slug, Event.seats_taken, heads).where(Event.seats_taken != heads).order_by(Event.slug)
    if event_id is not None:
        query = query.where(Event.id == event_id)
    return [(slug, counter, int(rows)) for slug, counter, rows in session.execute(query)]


# Built once: putting such a statement together takes ten times as long as SQLite takes to run it.
_WANTED: BindParameter[int] = bindparam("wanted", type_=Event.seats_taken.type)
_TAKE = (
    update(Event)
    .where(
        Event.id == bindparam("of_event"),
        or_(Event.capacity.is_(None), Event.seats_taken + _WANTED <= Event.capacity),
    )
    .values(seats_taken=Event.seats_taken + _WANTED)
    .returning(Event.sequence)
    .execution_options(synchronize_session=False)
)
_TAKE_WHILE_OPEN = _TAKE.where(
    is_open_to_newcomers(bindparam("moment", type_=UTCDateTime())), Event.max_party_size >= _WANTED
)

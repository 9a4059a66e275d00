"""Seats are counted here and nowhere else.

One guarded UPDATE locks the event's row, checks that the party fits and counts it, so the same code is right on
SQLite and on PostgreSQL however many processes ask at once. The CHECK on `events` holds it a second time.
"""

from datetime import datetime

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from eventreg.db import UTCDateTime, table_of
from eventreg.events.models import Event
from eventreg.events.service import load
from eventreg.ready import Ready
from eventreg.registrations.models import Registration

_EVENTS, _REGISTRATIONS = table_of(Event), table_of(Registration)

IN_LINE: ColumnElement[bool] = and_(
    Registration.status == literal_column("'waitlisted'"), Registration.offer_expires_at.is_(None)
)
"""Waits, and nothing is offered to it yet. Spelled as in the partial index, or SQLite would not use it."""
HELD: ColumnElement[bool] = and_(
    Registration.rsvp == "yes",
    or_(
        Registration.status == "confirmed",
        and_(Registration.status == literal_column("'waitlisted'"), Registration.offer_expires_at.is_not(None)),
    ),
)
"""Holds its seats: is coming, or may still accept the places it was offered."""


def take(
    session: Session, *, event_id: int, seats: int, now: datetime | None = None, seen: tuple[str, int] | None = None
) -> int | None:
    """Takes that many seats, all or none; the event's SEQUENCE when it did, None when it could not.

    With `now`, only while registration is open and nobody waits for whom seats are held. Must be the first
    statement of its transaction, or follow `lock`. With `seen` besides, only while the event's uid and revision are
    these.
    """
    wanted = {"of_event": event_id, "wanted": seats}
    if now is None:
        taken = _TAKE.first(session, wanted)
    elif seen is None:
        taken = _TAKE_WHILE_OPEN.first(session, {**wanted, "moment": now})
    else:
        as_seen = {**wanted, "moment": now, "same_uid": seen[0], "same_revision": seen[1]}
        taken = _TAKE_AS_SEEN.first(session, as_seen)
    return taken[0] if taken else None


def give_back(session: Session, *, event_id: int, seats: int) -> None:
    """Frees that many seats."""
    _GIVE_BACK.run(session, {"of_event": event_id, "freed": seats})


def lock(session: Session, event_id: int) -> Event:
    """The event as it stands now, held against other writers until the transaction ends.

    Raises: NotFound.
    """
    return load(session, event_id)


def is_open_to_newcomers(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """`events.rules.availability` as SQL: published, of this site, inside the window, no seat held for who waits.

    Nor does an organizer have to approve first. `waitlist.holds_seats` says for which of them seats are held.
    """
    someone_waits = exists().where(
        Registration.event_id == _EVENTS.c.id, IN_LINE, Registration.party_size <= _EVENTS.c.capacity
    )
    return and_(
        _EVENTS.c.status == "published",
        _EVENTS.c.source_id.is_(None),
        _EVENTS.c.needs_approval.is_(false()),
        or_(_EVENTS.c.registration_opens_at.is_(None), _EVENTS.c.registration_opens_at <= now),
        or_(
            _EVENTS.c.registration_closes_at > now,
            and_(_EVENTS.c.registration_closes_at.is_(None), _EVENTS.c.all_day.is_(True), _EVENTS.c.ends_at > now),
            and_(_EVENTS.c.registration_closes_at.is_(None), _EVENTS.c.all_day.is_(False), _EVENTS.c.starts_at > now),
        ),
        or_(_EVENTS.c.waitlist_rule == "skip", ~someone_waits),
    )


def recount(session: Session, event_id: int | None = None) -> list[tuple[str, int, int]]:
    """Events whose counter differs from their rows, as (slug, counter, heads in the rows); for `eventreg doctor`."""
    heads = (
        select(func.coalesce(func.sum(Registration.party_size), 0))
        .where(Registration.event_id == Event.id, HELD)
        .correlate(Event)
        .scalar_subquery()
    )
    query = select(Event.slug, Event.seats_taken, heads).where(Event.seats_taken != heads).order_by(Event.slug)
    if event_id is not None:
        query = query.where(Event.id == event_id)
    return [(slug, counter, int(rows)) for slug, counter, rows in session.execute(query)]


_WANTED: BindParameter[int] = bindparam("wanted", type_=_EVENTS.c.seats_taken.type)
_FREED: BindParameter[int] = bindparam("freed", type_=_EVENTS.c.seats_taken.type)
_take = (
    update(_EVENTS)
    .where(
        _EVENTS.c.id == bindparam("of_event"),
        or_(_EVENTS.c.capacity.is_(None), _EVENTS.c.seats_taken + _WANTED <= _EVENTS.c.capacity),
    )
    .values(seats_taken=_EVENTS.c.seats_taken + _WANTED)
    .returning(_EVENTS.c.sequence)
)
_take_while_open = _take.where(
    is_open_to_newcomers(bindparam("moment", type_=UTCDateTime())), _EVENTS.c.max_party_size >= _WANTED
)
_take_as_seen = _take_while_open.where(
    _EVENTS.c.uid == bindparam("same_uid"), _EVENTS.c.revision == bindparam("same_revision")
)
_TAKE, _TAKE_WHILE_OPEN, _TAKE_AS_SEEN = Ready(_take), Ready(_take_while_open), Ready(_take_as_seen)
_GIVE_BACK = Ready(
    update(_EVENTS).where(_EVENTS.c.id == bindparam("of_event")).values(seats_taken=_EVENTS.c.seats_taken - _FREED)
)

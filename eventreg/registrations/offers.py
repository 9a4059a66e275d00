"""Places offered to somebody who waited: accepting one, and what happens when nobody does in time.

While an offer is open its registration is `waitlisted` with `offer_expires_at`, and its seats are taken; see
`promotion` for how it is made. Whoever lets it pass leaves the line, and the next is asked in the same transaction.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.errors import RegistrationNotOpen
from eventreg.events.models import Event
from eventreg.registrations import changes, messages, moves, seats
from eventreg.registrations.models import Registration
from eventreg.registrations.outcome import Outcome
from eventreg.registrations.promotion import promote

IS_OPEN: ColumnElement[bool] = and_(Registration.status == "waitlisted", Registration.offer_expires_at.is_not(None))
"""Has an offer. The version before knows of none, and may leave the column filled on somebody it has moved up."""
LATE = timedelta(minutes=5)
"""The clock comes by every minute; an offer this far past its time has been missed."""


def accept(session: Session, *, registration_id: int, actor: audit.Actor, now: datetime) -> Outcome:
    """Takes the offered places; accepting twice changes nothing. The confirmation is owed.

    Raises: NotFound; RegistrationNotOpen when nothing is offered, or its time has passed.
    """
    event, registration = changes.load(session, registration_id)
    if registration.status == "confirmed" and registration.rsvp == "yes":
        return changes.outcome(session, registration)
    if registration.status == "cancelled":
        raise RegistrationNotOpen(_("This registration is cancelled, so there is nothing to accept any more."))
    if not registration.is_offered:
        raise RegistrationNotOpen(_("No place is offered to you at the moment. When one is, we write to you."))
    changes.refuse_once_begun(event, now)
    changes.refuse_once_lapsed(event, registration, now)
    registration.status = "confirmed"
    registration.waitlisted_at = registration.offer_expires_at = None
    registration.updated_at = now
    registration.reply_sequence, registration.reply_stamp_at = event.sequence, now  # as in `changes.change`
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="offer.accepted",
        now=now,
        event_id=event.id,
        registration_id=registration.id,
        changes={"status": ("waitlisted", "confirmed")},
    )
    messages.tell(session, event, registration, kind="confirmation", now=now)
    session.flush()
    return changes.outcome(session, registration)


def expire(session: Session, *, now: datetime, limit: int = 100) -> int:
    """Takes back the offers of one event whose time has passed, oldest first, `limit` at most; how many.

    Their seats are given back, each person leaves the line and is owed a mail, and the next in line are asked: all in
    the caller's transaction. One call is one event, so call it again, each time in a transaction of its own, until it
    returns 0; meant for every minute. `are_due` says without a write transaction whether there is anything to do.
    """
    event_id = session.scalar(
        select(Registration.event_id).where(_has_lapsed(now)).order_by(Registration.offer_expires_at).limit(1)
    )
    if event_id is None:
        return 0
    event = seats.lock(session, event_id)
    lapsed = session.scalars(
        select(Registration)
        .where(Registration.event_id == event_id, _has_lapsed(now))
        .order_by(Registration.offer_expires_at, Registration.id)
        .limit(limit)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for registration in lapsed:
        _take_back(session, event, registration, now=now)
    if lapsed:
        promote(session, event_id=event_id, now=now)
    return len(lapsed)


def are_due(session: Session, *, now: datetime) -> bool:
    """Whether `expire` has something to do."""
    return session.scalar(select(Registration.id).where(_has_lapsed(now)).limit(1)) is not None


def next_due_at(session: Session) -> datetime | None:
    """When the next offer runs out; None while none is open."""
    return session.scalar(select(func.min(Registration.offer_expires_at)).where(IS_OPEN))


def overdue(session: Session, now: datetime) -> Sequence[str]:
    """Slugs of events with offers that should have been taken back by now; for `eventreg doctor`."""
    query = (
        select(Event.slug)
        .join(Registration, Registration.event_id == Event.id)
        .where(_has_lapsed(now - LATE))
        .distinct()
        .order_by(Event.slug)
    )
    return session.scalars(query).all()


def end_by_start(session: Session, event: Event) -> None:
    """An event that was moved nearer ends its open offers when it begins, at the latest."""
    session.execute(
        update(Registration)
        .where(Registration.event_id == event.id, IS_OPEN, Registration.offer_expires_at > event.starts_at)
        .values(offer_expires_at=event.starts_at)
        .execution_options(synchronize_session=False)
    )


def withdraw_all(session: Session, event: Event) -> None:
    """Ends every open offer of an event that is called off; its people wait as before, for what will not come."""
    open_ones = (Registration.event_id == event.id, IS_OPEN)
    heads = session.scalar(select(func.coalesce(func.sum(Registration.party_size), 0)).where(*open_ones))
    if heads:
        seats.give_back(session, event_id=event.id, seats=int(heads))
        session.execute(
            update(Registration)
            .where(*open_ones)
            .values(offer_expires_at=None)
            .execution_options(synchronize_session=False)
        )


def _has_lapsed(moment: datetime) -> ColumnElement[bool]:
    """True of no row without an offer; SQLite uses the partial index for it."""
    return and_(Registration.status == "waitlisted", Registration.offer_expires_at <= moment)


def _take_back(session: Session, event: Event, registration: Registration, *, now: datetime) -> None:
    until = registration.offer_expires_at
    moves.leave(session, event, registration, status="cancelled")
    registration.cancelled_at = registration.updated_at = now
    session.flush()
    audit.record(
        session,
        actor=audit.Actor.system("waitlist"),
        action="offer.expired",
        now=now,
        event_id=event.id,
        registration_id=registration.id,
        changes={"status": ("waitlisted", "cancelled"), "offer_expires_at": (until, None)},
    )
    if event.status == "published" and now < event.ends_at:
        extra = {"offer_expired_at": until.isoformat()} if until else {}
        messages.tell(session, event, registration, kind="offer_expired", now=now, extra=extra)
    session.flush()

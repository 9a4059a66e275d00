"""Deciding on people who asked to come: an organizer approves, or does not. Every decision is mailed and in the audit.

A `pending` registration holds no seat and is in no line. Approved, it takes its seats if they are free and not kept for
somebody who waits; else it joins the end of the waitlist, where there is one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.errors import EventStateError
from eventreg.events import rules
from eventreg.events.models import Event
from eventreg.registrations import changes, messages, seats, waitlist
from eventreg.registrations.models import Registration
from eventreg.registrations.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Decided:
    """How many registrations a decision about several did what to; `left` still ask, because nothing was free."""

    approved: int = 0
    waitlisted: int = 0
    declined: int = 0
    left: int = 0


def approve(session: Session, *, registration_id: int, actor: audit.Actor, now: datetime) -> Outcome:
    """Lets somebody come, or wait when their party does not fit.

    Raises: NotFound; EventStateError when they do not ask, the event is cancelled or over, there is neither room nor a
    waitlist, or the party is larger than the event.
    """
    event, registration = changes.load(session, registration_id)
    _refuse_unless_asking(registration)
    _refuse_once_over(event, now)
    if not _let_in(session, event, registration, actor=actor, now=now):
        if rules.outgrows(event, registration.party_size):
            raise EventStateError(_("The party is larger than the whole event. Raise the capacity first."))
        raise EventStateError(
            _("The party does not fit into the free places, and the event has no waitlist. Raise the capacity first.")
        )
    return changes.outcome(session, registration)


def decline(session: Session, *, registration_id: int, actor: audit.Actor, now: datetime) -> Outcome:
    """Does not let them come. Raises: NotFound; EventStateError when they do not ask."""
    event, registration = changes.load(session, registration_id)
    _refuse_unless_asking(registration)
    _turn_away(session, event, registration, actor=actor, now=now)
    return changes.outcome(session, registration)


def approve_all(
    session: Session, *, event_id: int, registration_ids: Iterable[int], actor: audit.Actor, now: datetime
) -> Decided:
    """Lets in those of them who ask, in order of arrival, as far as places go. Raises: NotFound, EventStateError."""
    event = seats.lock(session, event_id)
    _refuse_once_over(event, now)
    approved = waitlisted = left = 0
    for registration in _asking(session, event_id, registration_ids):
        if not _let_in(session, event, registration, actor=actor, now=now):
            left += 1
        elif registration.status == "waitlisted":
            waitlisted += 1
        else:
            approved += 1
    return Decided(approved=approved, waitlisted=waitlisted, left=left)


def decline_all(
    session: Session, *, event_id: int, registration_ids: Iterable[int], actor: audit.Actor, now: datetime
) -> Decided:
    """Lets none of them come who ask. Raises: NotFound."""
    event = seats.lock(session, event_id)
    asking = _asking(session, event_id, registration_ids)
    for registration in asking:
        _turn_away(session, event, registration, actor=actor, now=now)
    return Decided(declined=len(asking))


def _asking(session: Session, event_id: int, registration_ids: Iterable[int]) -> list[Registration]:
    """Those of them who belong to the event and still ask: others may have decided meanwhile."""
    query = (
        select(Registration)
        .where(
            Registration.event_id == event_id,
            Registration.id.in_(list(registration_ids)),
            Registration.status == "pending",
        )
        .order_by(Registration.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(query))


def _refuse_unless_asking(registration: Registration) -> None:
    if registration.status != "pending":
        raise EventStateError(_("This registration does not wait for approval any more."))


def _refuse_once_over(event: Event, now: datetime) -> None:
    if event.status == "cancelled" or event.ends_at <= now:
        raise EventStateError(_("Nobody can be approved for an event that is cancelled or over."))


def _let_in(session: Session, event: Event, registration: Registration, *, actor: audit.Actor, now: datetime) -> bool:
    """Seats or a place in line; False when there is neither."""
    is_kept = waitlist.holds_seats(session, event)
    if not is_kept and seats.take(session, event_id=event.id, seats=registration.party_size) is not None:
        registration.status = "confirmed"
    elif event.waitlist_open and not rules.outgrows(event, registration.party_size):
        _place, since = waitlist.end(session, event.id, now=now)
        registration.status, registration.waitlisted_at = "waitlisted", since
    else:
        return False
    registration.updated_at = now
    _settle(session, event, registration, action="registration.approved", actor=actor, now=now)
    messages.tell(session, event, registration, kind=messages.kind_for(registration.rsvp, registration.status), now=now)
    session.flush()
    return True


def _turn_away(
    session: Session, event: Event, registration: Registration, *, actor: audit.Actor, now: datetime
) -> None:
    registration.status = "cancelled"
    registration.cancelled_at = registration.updated_at = now
    _settle(session, event, registration, action="registration.not_approved", actor=actor, now=now)
    if event.status == "published" and now < event.ends_at:
        messages.tell(session, event, registration, kind="not_approved", now=now)
    session.flush()


def _settle(
    session: Session, event: Event, registration: Registration, *, action: str, actor: audit.Actor, now: datetime
) -> None:
    session.flush()
    audit.record(
        session,
        actor=actor,
        action=action,
        now=now,
        event_id=event.id,
        registration_id=registration.id,
        changes={"status": ("pending", registration.status)},
    )

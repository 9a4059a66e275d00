"""What an organizer does to a registration by hand; every one of these leaves an audit entry."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.errors import EventStateError, InvalidField
from eventreg.registrations import changes, messages, promotion, seats, waitlist
from eventreg.registrations.models import Registration
from eventreg.registrations.outcome import Outcome
from eventreg.registrations.service import (
    AnswerForm,
    insert_registration,
    refuse_larger_than_allowed,
    refuse_unless_waiting,
    store_answers,
)


def add_by_organizer(
    session: Session, *, event_id: int, form: AnswerForm, actor: audit.Actor, now: datetime, tell: bool = True
) -> Outcome:
    """Registers somebody by hand, also before registration opens and after it closes.

    Raises: NotFound; EventStateError for an event that is cancelled, over or run elsewhere; InvalidField("email") when
    the address has a live registration; InvalidField("party_size"); EventFull.
    """
    event = seats.lock(session, event_id)
    if event.status == "cancelled" or event.ends_at <= now:
        raise EventStateError(_("Nobody can be added to an event that is cancelled or over."))
    if event.source_id is not None:
        raise EventStateError(_("This event comes from a followed calendar, and whoever runs it takes the answers."))
    status, since = "confirmed", None
    if form.rsvp == "yes":
        refuse_larger_than_allowed(event, form.party_size)
        if seats.take(session, event_id=event_id, seats=form.party_size) is None:
            refuse_unless_waiting(event, form)
            status, since = "waitlisted", waitlist.end(session, event_id, now=now)[1]
    new = insert_registration(
        session, event_id=event_id, form=form, status=status, source="organizer", now=now, since=since
    )
    if new is None:
        raise InvalidField("email", _("This address is registered already. Open that registration to change it."))
    registration_id = new.id
    store_answers(session, registration_id, form.answers)
    audit.record(
        session,
        actor=actor,
        action="registration.added",
        now=now,
        event_id=event_id,
        registration_id=registration_id,
        changes={"rsvp": (None, form.rsvp), "status": (None, status), "party_size": (None, form.party_size)},
    )
    event, registration = changes.load(session, registration_id)
    if tell:
        messages.tell(
            session, event, registration, kind=messages.kind_for(registration.rsvp, registration.status), now=now
        )
        session.flush()
    return changes.outcome(session, registration)


def correct(
    session: Session, *, registration_id: int, form: AnswerForm, note: str, actor: audit.Actor, now: datetime
) -> Outcome:
    """Puts right what an attendee got wrong. A new address kills the links mailed to the old one and is mailed its own.

    Raises: as `changes.change`; InvalidField("email") when that address has another live registration.
    """
    _event, registration = changes.load(session, registration_id)
    if registration.status == "cancelled":
        raise EventStateError(_("This registration was cancelled. Add the person again instead."))
    old_email, old_note = registration.email, registration.note
    if note != old_note:
        registration.note = note
        audit.record(
            session,
            actor=actor,
            action="registration.noted",
            now=now,
            event_id=registration.event_id,
            registration_id=registration_id,
            changes={"note": (old_note, note)},
        )
    moves = form.email != old_email
    if moves:
        _move_address(session, registration, form, actor=actor, now=now)
    changes.change(
        session, registration_id=registration_id, form=form, actor=actor, now=now, by_organizer=True, tell=not moves
    )
    if moves:
        resend(session, registration_id=registration_id, actor=actor, now=now)
    return changes.outcome(session, registration)


def resend(session: Session, *, registration_id: int, actor: audit.Actor, now: datetime) -> Outcome:
    """Owes the attendee the mail about where they stand once more. Raises: NotFound."""
    event, registration = changes.load(session, registration_id)
    kind = messages.kind_for(registration.rsvp, registration.status, is_offered=registration.is_offered)
    if event.status == "cancelled" and kind != "withdrawn":
        kind = "event_cancelled"
    messages.tell(session, event, registration, kind=kind, now=now, extra={"again": True})
    audit.record(
        session,
        actor=actor,
        action="registration.mail_resent",
        now=now,
        event_id=event.id,
        registration_id=registration_id,
    )
    session.flush()
    return changes.outcome(session, registration)


def promote(session: Session, *, registration_id: int, actor: audit.Actor, now: datetime) -> Outcome:
    """Moves one waiting party up ahead of its turn, when it fits. Raises: NotFound, EventStateError."""
    event, registration = changes.load(session, registration_id)
    if registration.status != "waitlisted":
        raise EventStateError(_("This registration is not on the waitlist."))
    if event.status == "cancelled" or event.ends_at <= now:
        raise EventStateError(_("Nobody can be moved up at an event that is cancelled or over."))
    if not promotion.move_up(session, event, registration, actor=actor, now=now):
        raise EventStateError(_("The party does not fit into the free places. Raise the capacity first."))
    return changes.outcome(session, registration)


def _move_address(
    session: Session, registration: Registration, form: AnswerForm, *, actor: audit.Actor, now: datetime
) -> None:
    other = session.scalar(
        select(Registration.id).where(
            Registration.event_id == registration.event_id,
            Registration.email_key == form.email_key,
            Registration.status != "cancelled",
            Registration.id != registration.id,
        )
    )
    if other is not None:
        raise InvalidField("email", _("Another registration for this event has that address already."))
    old = registration.email
    registration.email, registration.email_key = form.email, form.email_key
    registration.link_generation += 1
    registration.entry_id = None  # nothing of this is in the new recipient's calendar yet
    registration.updated_at = now
    try:
        session.flush()
    except IntegrityError as error:
        raise InvalidField("email", _("Another registration for this event has that address already.")) from error
    audit.record(
        session,
        actor=actor,
        action="registration.address_corrected",
        now=now,
        event_id=registration.event_id,
        registration_id=registration.id,
        changes={"email": (old, form.email)},
    )

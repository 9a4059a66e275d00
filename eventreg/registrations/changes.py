"""Changing and withdrawing an answer: by its attendee behind the signed link, or by an organizer.

Whoever gives a seat back moves the waitlist in the same transaction, and everybody concerned is owed one mail.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.errors import NotFound, RegistrationNotOpen
from eventreg.events import rules
from eventreg.events import wording as event_words
from eventreg.events.models import Event
from eventreg.registrations import answered as answers_told
from eventreg.registrations import messages, moves, seats, waitlist, wording
from eventreg.registrations.models import Answer, Registration
from eventreg.registrations.moves import Before
from eventreg.registrations.outcome import Outcome
from eventreg.registrations.promotion import promote
from eventreg.registrations.service import AnswerForm


def change(
    session: Session,
    *,
    registration_id: int,
    form: AnswerForm,
    actor: audit.Actor,
    now: datetime,
    by_organizer: bool = False,
    tell: bool = True,
) -> Outcome:
    """Takes over a changed answer. Sending what is already there changes nothing and mails nobody.

    The attendee's address is not changed here (see `desk.correct`). After registration has closed an attendee may
    still say no, come with fewer or change what they told us, until the event begins; an organizer may do more.

    Raises: NotFound, RegistrationNotOpen, InvalidField, EventFull (the old answer stands then).
    """
    event, registration = load(session, registration_id)
    before = Before.of(registration)
    if not by_organizer:
        _refuse_unless_changeable(event, registration, form, before, now)
    answered = _replace_answers(session, registration.id, form.answers)
    registration.name, registration.search_text = form.name, form.search_text
    moves.move(session, event, registration, form, by_organizer=by_organizer, now=now)
    session.flush()
    changes = _differences(session, registration, before, answered)
    if not by_organizer or changes.keys() & {"rsvp", "party_size"}:
        # A late mail from a calendar program must not undo what was said here, or said here once more; see `replies`.
        registration.reply_sequence, registration.reply_stamp_at = event.sequence, now
    if changes:
        registration.updated_at = now
        audit.record(
            session,
            actor=actor,
            action="registration.changed",
            now=now,
            event_id=event.id,
            registration_id=registration.id,
            changes=changes,
        )
    if changes and tell:
        _tell_of_change(session, event, registration, before, now=now)
    session.flush()  # `refresh` below throws away what is not written, and so the DTSTAMP that was given out
    if before.seats > registration.seats_held or "waitlisted" in {before.status, registration.status}:
        promote(session, event_id=event.id, now=now)
    session.refresh(registration)
    return outcome(session, registration)


def cancel(
    session: Session, *, registration_id: int, actor: audit.Actor, now: datetime, by_organizer: bool = False
) -> Outcome:
    """Withdraws a registration; withdrawing it twice changes nothing.

    Raises: NotFound; RegistrationNotOpen when the event has begun and the attendee asks.
    """
    event, registration = load(session, registration_id)
    if registration.status == "cancelled":
        return outcome(session, registration)
    if not by_organizer:
        _refuse_once_over(event, now)
        if not is_changeable(event, now):
            raise RegistrationNotOpen(_("This event has begun, so the registration can no longer be cancelled."))
    before = Before.of(registration)
    moves.leave(session, event, registration, status="cancelled")
    registration.cancelled_at = registration.updated_at = now
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="registration.cancelled",
        now=now,
        event_id=event.id,
        registration_id=registration.id,
        changes={"status": (before.status, "cancelled")},
    )
    if event.status != "cancelled":
        messages.tell(session, event, registration, kind="withdrawn", now=now, extra={"previous": before.payload()})
    session.flush()
    if before.seats or before.status == "waitlisted":  # seats held for whoever leaves the line go to the next
        promote(session, event_id=event.id, now=now)
    return outcome(session, registration)


def load(session: Session, registration_id: int) -> tuple[Event, Registration]:
    """A registration and its event, the event locked first, as everywhere, so that nobody waits in a circle.

    Raises: NotFound.
    """
    event_id = session.scalar(select(Registration.event_id).where(Registration.id == registration_id))
    if event_id is None:
        raise NotFound(_("There is no such registration."))
    event = seats.lock(session, event_id)
    registration = session.scalars(
        select(Registration)
        .where(Registration.id == registration_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    return event, registration


def is_changeable(event: Event, now: datetime) -> bool:
    """Whether attendees may still change or withdraw: until it begins (a whole-day event: until it ends).

    On a draft there are those whom an organizer has added by hand, and mailed.
    """
    until = event.ends_at if event.all_day else event.starts_at
    return event.status != "cancelled" and now < until


def outcome(session: Session, registration: Registration) -> Outcome:
    """The registration as values, with its place in line."""
    return Outcome(
        registration_id=registration.id,
        rsvp=registration.rsvp,
        status=registration.status,
        party_size=registration.party_size,
        position=waitlist.place_of(session, registration),
        offer_expires_at=registration.offer_expires_at,
    )


def _refuse_unless_changeable(
    event: Event, registration: Registration, form: AnswerForm, before: Before, now: datetime
) -> None:
    """What an attendee may change, and until when. Raises: RegistrationNotOpen."""
    if registration.status == "cancelled":
        raise RegistrationNotOpen(_("This registration was cancelled. Register again if you would like to come."))
    refuse_once_begun(event, now)
    if form.rsvp == "yes":
        refuse_once_lapsed(event, registration, now)
    found = rules.availability(event, now)
    wants_more = form.rsvp == "yes" and (before.rsvp != "yes" or form.party_size > before.party_size)
    if wants_more and not found.takes_answers:
        raise RegistrationNotOpen(event_words.closed_reason(event, found))


def refuse_once_begun(event: Event, now: datetime) -> None:
    """Raises: RegistrationNotOpen when the event is cancelled, over or under way."""
    _refuse_once_over(event, now)
    if not is_changeable(event, now):
        raise RegistrationNotOpen(_("This event has begun, so the registration can no longer be changed."))


def refuse_once_lapsed(event: Event, registration: Registration, now: datetime) -> None:
    """Raises: RegistrationNotOpen when the time to accept what it was offered has passed."""
    if registration.is_offered and has_lapsed(registration, now):
        raise RegistrationNotOpen(wording.offer_lapsed(event, registration))


def has_lapsed(registration: Registration, now: datetime) -> bool:
    """Whether the time to accept has passed, also before the clock has come by to take the offer back."""
    return registration.offer_expires_at is not None and registration.offer_expires_at <= now


def _refuse_once_over(event: Event, now: datetime) -> None:
    """Raises: RegistrationNotOpen when the event is cancelled or over."""
    found = rules.availability(event, now)
    if found.door in {rules.Door.CANCELLED, rules.Door.PAST}:
        raise RegistrationNotOpen(event_words.closed_reason(event, found))


def _replace_answers(session: Session, registration_id: int, answers: Mapping[int, str]) -> dict[int, tuple[str, str]]:
    """Stores the answers given, leaving those to questions not asked; returns {question id: (old, new)}."""
    stored = session.execute(select(Answer.question_id, Answer.value).where(Answer.registration_id == registration_id))
    old: dict[int, str] = {question_id: value for question_id, value in stored}  # noqa: C416 - rows are no pairs to mypy
    changed = {
        question_id: (old.get(question_id, ""), value)
        for question_id, value in answers.items()
        if old.get(question_id, "") != value
    }
    if changed:
        session.execute(
            delete(Answer).where(Answer.registration_id == registration_id, Answer.question_id.in_(changed))
        )
    rows = [
        {"registration_id": registration_id, "question_id": question_id, "value": new}
        for question_id, (_old, new) in changed.items()
        if new
    ]
    if rows:
        session.execute(insert(Answer), rows)
    return changed


def _differences(
    session: Session, registration: Registration, before: Before, answered: Mapping[int, tuple[str, str]]
) -> dict[str, tuple[Any, Any]]:
    pairs = {
        name: (getattr(before, name), getattr(registration, name)) for name in ("rsvp", "status", "party_size", "name")
    }
    changes: dict[str, tuple[Any, Any]] = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    labels = answers_told.labels_of(session, answered)
    return changes | {answers_told.name(key, labels.get(key, "")): pair for key, pair in answered.items()}


def _tell_of_change(
    session: Session, event: Event, registration: Registration, before: Before, *, now: datetime
) -> None:
    """One mail saying where they stand now; a first "yes" is confirmed like any other."""
    became = messages.kind_for(registration.rsvp, registration.status, is_offered=registration.is_offered)
    newly = (registration.rsvp, registration.status) != (before.rsvp, before.status)
    kind = became if newly and became in {"confirmation", "waitlisted", "pending"} else "changed"
    messages.tell(session, event, registration, kind=kind, now=now, extra={"previous": before.payload()})

"""The one service that applies an answer given in a calendar program, whichever way the mail came in.

The answer is a wish like one given on the page: capacity, the waitlist and the registration's window decide what
becomes of it, and the person is told by mail wherever it is not what their calendar now shows.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.errors import EventFull, InvalidField, RegistrationNotOpen
from eventreg.events.models import Event
from eventreg.outbox import queries as outbox_queries
from eventreg.registrations import changes, messages, offers, queries, wording
from eventreg.registrations.models import RSVPS, Registration
from eventreg.registrations.outcome import Outcome
from eventreg.registrations.service import LINK_PAUSE, AnswerForm

BY_CALENDAR = audit.Actor("attendee", None, "calendar reply")
"""Whoever answered in their calendar program, for the audit trail."""
AHEAD = timedelta(days=1)
"""A DTSTAMP further ahead than this is a clock gone wrong, and would make every later answer look older."""
DECLINED_IN_CALENDAR = "declined_in_calendar"
"""In the payload of the mail after a DECLINED: no CANCEL goes back to a calendar that has taken the entry out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarAnswer:
    """What the calendar program said: RSVP, and the SEQUENCE and DTSTAMP it belongs to."""

    rsvp: str
    sequence: int
    stamp_at: datetime
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether the answer was applied, and in words why not or what it did."""

    is_applied: bool
    words: str


def apply(
    session: Session, *, registration_id: int, answer: CalendarAnswer, actor: audit.Actor = BY_CALENDAR, now: datetime
) -> Taken:
    """Takes over an answer from a calendar program, once, if it is newer than the last one taken over.

    `actor` is an organizer who has looked at an answer that was held. Raises: NotFound.
    """
    event, registration = changes.load(session, registration_id)
    stamp = now if answer.stamp_at > now + AHEAD else answer.stamp_at
    ignored = _why_ignored(event, registration, answer, stamp, now)
    if ignored:
        return Taken(False, ignored)
    _note_comment(session, registration, answer, actor=actor, now=now)
    if answer.sequence < event.significant_sequence:
        return _ask_again(session, event, registration, answer, actor=actor, now=now)
    before = (registration.rsvp, registration.status)
    try:
        outcome = _move(session, event, registration, answer, stamp, actor=actor, now=now)
    except (RegistrationNotOpen, EventFull, InvalidField) as refusal:
        _keep(session, registration, answer, stamp)
        return _refuse(session, event, registration, answer, str(refusal), now=now)
    _keep(session, registration, answer, stamp)
    if (outcome.rsvp, outcome.status) == before:
        return Taken(True, _("It is the answer we had already."))
    return Taken(True, _("Now: %(group)s.", group=wording.group_name(queries.group(outcome))))


def undo(session: Session, *, registration_id: int, declined_at: int, rsvp: str, now: datetime) -> Outcome:
    """Puts back the answer that a DECLINED from the calendar replaced, where there is room for it.

    `declined_at` is that reply's DTSTAMP in seconds; once the answer has changed again there is nothing to undo. It
    is open until the event begins, also after registration has closed: nobody new comes in by it.

    Raises: NotFound, RegistrationNotOpen, EventFull, InvalidField.
    """
    event, registration = changes.load(session, registration_id)
    if not is_undoable(registration, declined_at):
        raise RegistrationNotOpen(_("Your answer has changed since, so there is nothing to undo."))
    changes.refuse_once_begun(event, now)
    return changes.change(
        session,
        registration_id=registration_id,
        form=_form(registration, rsvp if rsvp in RSVPS else "yes"),
        actor=audit.Actor.attendee(),
        now=now,
        by_organizer=not event.needs_approval,
    )


def is_undoable(registration: Registration, declined_at: int) -> bool:
    """Whether that DECLINED is still the last answer given."""
    stamp = registration.reply_stamp_at
    said_no = registration.rsvp == "no" and registration.status == "confirmed"
    return said_no and stamp is not None and int(stamp.timestamp()) == declined_at


def _why_ignored(
    event: Event, registration: Registration, answer: CalendarAnswer, stamp: datetime, now: datetime
) -> str:
    """Why nothing is changed, in words for the organizer; empty when there is no reason."""
    if registration.status == "cancelled":
        return _("The registration is cancelled.")
    if event.status == "cancelled":
        return _("The event is cancelled.")
    if not changes.is_changeable(event, now):
        return _("The event has begun.")
    if answer.sequence > event.sequence:
        return _("It answers a version of the event that was never sent.")
    if not _is_later(registration, answer.sequence, stamp):
        return _("A later answer was taken over already.")
    return ""


def _is_later(registration: Registration, sequence: int, stamp: datetime) -> bool:
    """RFC 5546 section 2.1.5: the higher SEQUENCE, then the later DTSTAMP.

    Nothing kept yet means that the registration itself is the last answer. Only its own mails hold its token, so
    every reply to a first one is later; somebody who came back has the same token as before.
    """
    if registration.reply_stamp_at is None:
        return registration.entry_id is None or stamp >= registration.created_at.replace(microsecond=0)
    return (sequence, stamp) > (registration.reply_sequence or 0, registration.reply_stamp_at)


def _move(
    session: Session,
    event: Event,
    registration: Registration,
    answer: CalendarAnswer,
    stamp: datetime,
    *,
    actor: audit.Actor,
    now: datetime,
) -> Outcome:
    """The answer as the page would take it. Raises: RegistrationNotOpen, EventFull, InvalidField."""
    if answer.rsvp == "yes" and registration.is_offered:
        return offers.accept(session, registration_id=registration.id, actor=actor, now=now)
    declines = answer.rsvp == "no" and registration.rsvp != "no"
    undoes = [int(stamp.timestamp()), registration.rsvp]
    outcome = changes.change(
        session,
        registration_id=registration.id,
        form=_form(registration, answer.rsvp),
        actor=actor,
        now=now,
        tell=not declines,
    )
    if declines:
        extra: dict[str, Any] = {DECLINED_IN_CALENDAR: True, "undo": undoes}
        messages.tell(session, event, registration, kind="reply_taken", now=now, extra=extra)
    return outcome


def _form(registration: Registration, rsvp: str) -> AnswerForm:
    """The registration with another answer; a party that does not fit waits as a whole."""
    return AnswerForm(
        name=registration.name,
        email=registration.email,
        rsvp=rsvp,
        party_size=registration.party_size,
        join_waitlist=True,
    )


def _keep(session: Session, registration: Registration, answer: CalendarAnswer, stamp: datetime) -> None:
    registration.reply_sequence, registration.reply_stamp_at = answer.sequence, stamp
    session.flush()


def _ask_again(
    session: Session,
    event: Event,
    registration: Registration,
    answer: CalendarAnswer,
    *,
    actor: audit.Actor,
    now: datetime,
) -> Taken:
    """They answered to a time or place that no longer holds: noted, and asked once more with what holds now."""
    audit.record(
        session,
        actor=actor,
        action="reply.outdated",
        now=now,
        event_id=event.id,
        registration_id=registration.id,
        changes={"rsvp": (None, answer.rsvp)},
    )
    _tell_once(session, event, registration, kind="ask_again", extra={"answered": answer.rsvp}, now=now)
    return Taken(False, _("It answers an earlier version of the event; they were asked again."))


def _refuse(
    session: Session, event: Event, registration: Registration, answer: CalendarAnswer, reason: str, *, now: datetime
) -> Taken:
    extra = {"answered": answer.rsvp, "reason": reason}
    _tell_once(session, event, registration, kind="reply_refused", extra=extra, now=now)
    return Taken(False, _("It could not be taken, and they were told: %(reason)s", reason=reason))


def _tell_once(
    session: Session, event: Event, registration: Registration, *, kind: str, extra: dict[str, Any], now: datetime
) -> None:
    """Not again within LINK_PAUSE: a calendar program that answers by itself must not make a conversation."""
    since = now - LINK_PAUSE
    if not outbox_queries.was_queued_since(
        session, recipient=registration.email, kind=kind, registration_id=registration.id, since=since
    ):
        messages.tell(session, event, registration, kind=kind, now=now, extra=extra)
        session.flush()


def _note_comment(
    session: Session, registration: Registration, answer: CalendarAnswer, *, actor: audit.Actor, now: datetime
) -> None:
    if answer.comment:
        audit.record(
            session,
            actor=actor,
            action="reply.commented",
            now=now,
            event_id=registration.event_id,
            registration_id=registration.id,
            changes={"comment": (None, answer.comment)},
        )

"""Review queue: mailed answers that wait for an organizer, because of their sender or because they are not clear."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.audit import history
from eventreg.errors import EventStateError, NotFound
from eventreg.incoming.models import ReceivedMail
from eventreg.registrations import changes, replies
from eventreg.registrations.models import Registration

AT_ONCE = 50
"""Shown on one page; what is settled makes room for the rest."""
LATEST = 20


@dataclass(frozen=True, slots=True)
class Arrived:
    """One mail and the person it is about."""

    mail: ReceivedMail
    registration: Registration


def waiting(session: Session, event_id: int) -> Sequence[Arrived]:
    """What has to be looked at, oldest first, AT_ONCE at most."""
    query = _of(event_id).where(ReceivedMail.outcome == "held").order_by(ReceivedMail.id).limit(AT_ONCE)
    return [Arrived(*row) for row in session.execute(query)]


def latest(session: Session, event_id: int) -> Sequence[Arrived]:
    """What came in last and needs nothing, newest first."""
    query = _of(event_id).where(ReceivedMail.outcome != "held").order_by(ReceivedMail.id.desc()).limit(LATEST)
    return [Arrived(*row) for row in session.execute(query)]


def count(session: Session, event_id: int) -> int:
    """How many have to be looked at."""
    held = select(func.count()).where(ReceivedMail.event_id == event_id, ReceivedMail.outcome == "held")
    return session.scalar(held) or 0


def accept(session: Session, *, event_id: int, mail_id: int, actor: audit.Actor, now: datetime) -> replies.Taken:
    """Applies an answer that was held, as if it had come from the registered person in a clear form.

    The rules of every answer hold all the same: a later one is not undone. Raises: NotFound, EventStateError.
    """
    mail = held(session, event_id, mail_id)
    assert mail.registration_id is not None
    if not mail.rsvp:
        raise EventStateError(_("This mail holds no answer that could be read. Change the attendee's answer by hand."))
    _refuse_anothers(session, mail, session.get_one(Registration, mail.registration_id))
    _settle(session, mail, actor=actor, action="reply.accepted", now=now)
    answer = replies.CalendarAnswer(
        rsvp=mail.rsvp,
        sequence=mail.sequence or 0,
        stamp_at=mail.stamp_at or mail.received_at,
        comment=mail.comment,
    )
    taken = replies.apply(session, registration_id=mail.registration_id, answer=answer, actor=actor, now=now)
    mail.reason = taken.words
    session.flush()
    return taken


def dismiss(session: Session, *, event_id: int, mail_id: int, actor: audit.Actor, now: datetime) -> None:
    """Lets an answer go that was held; nobody is told. Raises: NotFound, EventStateError."""
    mail = held(session, event_id, mail_id)
    _settle(session, mail, actor=actor, action="reply.dismissed", now=now)
    session.flush()


def held(session: Session, event_id: int, mail_id: int) -> ReceivedMail:
    """A mail that waits, its event locked first as everywhere. Raises: NotFound; EventStateError once settled."""
    about = session.scalar(
        select(ReceivedMail.registration_id).where(ReceivedMail.id == mail_id, ReceivedMail.event_id == event_id)
    )
    if about is None:
        raise NotFound(_("This event was sent no such answer."))
    changes.load(session, about)
    mail = session.get_one(ReceivedMail, mail_id, populate_existing=True)
    if mail.outcome != "held":
        raise EventStateError(_("Somebody has settled this answer already."))
    return mail


def _refuse_anothers(session: Session, mail: ReceivedMail, registration: Registration) -> None:
    """Raises: EventStateError for an answer to what was mailed to an address that has been corrected since.

    Unless it came from the right one: it may be what the address was corrected by.
    """
    corrected_at = history.last_at(session, registration.id, "registration.address_corrected")
    is_older = corrected_at is not None and mail.received_at <= corrected_at
    if is_older and mail.sender != registration.email_key:
        raise EventStateError(
            _("The address was corrected after this answer came, so somebody else may have given it. Dismiss it.")
        )


def _settle(session: Session, mail: ReceivedMail, *, actor: audit.Actor, action: str, now: datetime) -> None:
    mail.outcome, mail.settled_at = "settled", now
    audit.record(
        session,
        actor=actor,
        action=action,
        now=now,
        event_id=mail.event_id,
        registration_id=mail.registration_id,
        changes={"rsvp": (None, mail.rsvp)} if mail.rsvp else {},
    )


def _of(event_id: int) -> Select[ReceivedMail, Registration]:
    return (
        select(ReceivedMail, Registration)
        .join(Registration, Registration.id == ReceivedMail.registration_id)
        .where(ReceivedMail.event_id == event_id)
    )

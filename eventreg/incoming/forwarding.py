"""Words that came to the reply mailbox go on to the organizer, so that nobody's are lost."""

from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg.calendar.letter import Letter
from eventreg.calendar.reply import NotAnAnswer, OtherMethod
from eventreg.calendar.text import one_line
from eventreg.events.models import Event
from eventreg.incoming.models import ReceivedMail
from eventreg.organizers import leaving
from eventreg.outbox import queue
from eventreg.registrations.models import Registration

LONGEST_TEXT = 5000
LONGEST_SUBJECT = 200
MOST_A_DAY = 20
"""From one registration; somebody's words are not that many, a program's are."""
KIND = "forwarded"


def pass_on(
    session: Session, registration: Registration, letter: Letter, *, reason: NotAnAnswer, now: datetime
) -> tuple[str, str]:
    """Owes the organizer a mail with what was written; the outcome, and in words what was done."""
    if _today(session, registration, now) > MOST_A_DAY:
        return "ignored", _("More mails than %(num)d a day are not passed on.", num=MOST_A_DAY)
    method = reason.method if isinstance(reason, OtherMethod) else ""
    words = letter.words
    if not words and not method:
        return "ignored", _("Nothing is written in it.")
    event = session.get_one(Event, registration.event_id)
    recipient = leaving.mailed_about(session, contact=event.contact_email, organizer_id=event.organizer_id)
    if not recipient:
        return "ignored", _("There is no organizer to pass it on to.")
    queue.add(
        session,
        kind=KIND,
        recipient=recipient,
        event_id=event.id,
        payload={
            "event": one_line(event.title),
            "name": one_line(registration.name),
            "email": registration.email,
            "sender": next(iter(letter.senders()), "")[:254],
            "subject": letter.header("Subject")[:LONGEST_SUBJECT],
            "text": words[:LONGEST_TEXT],
            "is_cut": len(words) > LONGEST_TEXT or not letter.is_whole,
            "method": method,
        },
        now=now,
    )
    return "applied", _("What was written was passed on to %(address)s.", address=recipient)


def _today(session: Session, registration: Registration, now: datetime) -> int:
    query = select(func.count()).where(
        ReceivedMail.registration_id == registration.id,
        ReceivedMail.kind != "bounce",
        ReceivedMail.received_at > now - timedelta(days=1),
    )
    return session.scalar(query) or 0

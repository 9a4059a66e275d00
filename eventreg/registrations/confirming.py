"""Double opt-in: for an event with `confirm_address`, the form's answer counts once the link mailed for it was used.

Until then it is kept with that mail alone and takes no seat. The mail's `message_key` is the opening of the form, so
that an opening is good for one address here as well.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import and_, delete, select, text
from sqlalchemy.orm import Session

from eventreg.errors import EventChanged, OpeningUsed
from eventreg.events import rules
from eventreg.events.models import Event
from eventreg.outbox import queue
from eventreg.outbox.models import Message
from eventreg.registrations import seats, service
from eventreg.registrations.service import AnswerForm

KIND = "confirm_address"
LINK_LIFE = timedelta(hours=24)
"""From when the form was sent."""
ANSWER = "answer"
"""Payload key of what was answered, as form fields; see `fields`."""
_UNCONFIRMED = text("messages.kind = 'confirm_address' AND messages.registration_id IS NULL")
"""Spelled as in the partial index, or SQLite would not use it."""


def ask(session: Session, *, event_id: int, form: AnswerForm, now: datetime, seen: tuple[str, int] | None) -> None:
    """Owes the mail with the link, or the usual one to an address that has answered: the form tells nobody which.

    The same form sent again by the same person replaces the answer behind the link. `seen` as for `register`.
    Raises: NotFound, EventChanged, OpeningUsed, RegistrationNotOpen, InvalidField, EventFull.
    """
    event = seats.lock(session, event_id)
    if seen not in {None, (event.uid, event.revision)}:
        raise EventChanged
    _refuse_hopeless(event, form, now)
    asked = find(session, event_id=event_id, message_key=form.opening or "")
    if asked is not None and asked.recipient.lower() != form.email_key:
        raise OpeningUsed
    existing = service.find_existing(session, event_id=event_id, form=form)
    if existing is not None:
        service.remind(session, existing, form=form, now=now)
    elif asked is not None and is_open(asked, event, now):
        asked.payload = {ANSWER: fields(form)}
    else:
        if asked is not None:
            session.delete(asked)
            session.flush()
        queue.add(
            session,
            kind=KIND,
            recipient=form.email,
            event_id=event_id,
            payload={ANSWER: fields(form)},
            now=now,
            message_key=form.opening,
        )


def _refuse_hopeless(event: Event, form: AnswerForm, now: datetime) -> None:
    """What `register` would refuse at this moment; it decides again when the link is used."""
    service.refuse_unless_open(event, now)
    if form.rsvp != "yes":
        return
    service.refuse_larger_than_allowed(event, form.party_size)
    left = rules.seats_left(event)
    if not event.needs_approval and left is not None and left < form.party_size:
        service.refuse_unless_waiting(event, form)


def fields(form: AnswerForm) -> dict[str, str]:
    """The answer as the RSVP form sends it, so that the form can check it again when the link is used."""
    answers = {f"q-{number}": value for number, value in form.answers.items() if value}
    waits = {"join_waitlist": "y"} if form.join_waitlist else {}
    return {"name": form.name, "rsvp": form.rsvp, "party_size": str(form.party_size), **answers, **waits}


def find(session: Session, *, event_id: int, message_key: str) -> Message | None:
    """The mail that asked for confirmation, as it is now."""
    query = select(Message).where(
        Message.message_key == message_key, Message.kind == KIND, Message.event_id == event_id
    )
    return session.scalar(query.execution_options(populate_existing=True))


def is_used(message: Message) -> bool:
    """Whether its answer has been taken."""
    return message.registration_id is not None


def is_open(message: Message, event: Event, now: datetime) -> bool:
    """Whether its link can still be used."""
    is_kept = not is_used(message) and ANSWER in message.payload
    return is_kept and event.status != "cancelled" and now < message.created_at + LINK_LIFE


def digest(answer: Mapping[str, Any]) -> str:
    """Stands for the answer a page showed."""
    return sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()[:16]


def confirm(session: Session, *, event_id: int, message_key: str, form: AnswerForm, now: datetime) -> int | None:
    """Registers the answer by the rules of this moment; the registration's id, the same at every call.

    None for a link that is not open any more. Raises: NotFound, OpeningUsed, RegistrationNotOpen, InvalidField,
    EventFull (the link stays good then).
    """
    event = seats.lock(session, event_id)
    message = find(session, event_id=event_id, message_key=message_key)
    if message is None:
        return None
    if is_used(message):
        return message.registration_id
    if not is_open(message, event, now):
        return None
    outcome = service.register(session, event_id=event_id, form=form, now=now)
    message.registration_id, message.payload = outcome.registration_id, {}
    session.flush()
    return outcome.registration_id


def are_old(session: Session, *, now: datetime) -> bool:
    """Whether `delete_old` has something to do."""
    return session.scalar(select(Message.id).where(_is_old(now)).limit(1)) is not None


def delete_old(session: Session, *, now: datetime, limit: int) -> int:
    """Deletes up to `limit` answers whose link was not used in time, with all that was typed; how many."""
    some = select(Message.id).where(_is_old(now)).limit(limit).scalar_subquery()
    result = session.scalars(
        delete(Message).where(Message.id.in_(some)).returning(Message.id).execution_options(synchronize_session=False)
    )
    return len(result.all())


def _is_old(now: datetime) -> Any:
    """A mail in a worker's hands is left to it."""
    return and_(_UNCONFIRMED, Message.created_at <= now - LINK_LIFE, Message.state != "sending")

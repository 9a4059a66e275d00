"""Mails owed and looked at, for tests of the outbox and of what empties it."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.db import write_transaction
from eventreg.events.models import Event
from eventreg.outbox import queue
from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration


def owe(
    session: Session, *, now: datetime, kind: str = "test", recipient: str = "sam@example.org", **given: Any
) -> int:
    """Owes one mail in a transaction of its own; its id."""
    with write_transaction(session):
        queue.add(session, kind=kind, recipient=recipient, now=now, **given)
        return int(session.scalars(select(Message.id).order_by(Message.id.desc()).limit(1)).one())


def owe_about(
    session: Session,
    event: Event,
    registration: Registration,
    *,
    now: datetime,
    kind: str = "confirmation",
    **facts: Any,
) -> int:
    """Owes the attendee a mail about where they stand; `facts` replace what the registration says."""
    payload = {
        "rsvp": registration.rsvp,
        "status": registration.status,
        "party_size": registration.party_size,
        "sequence": event.sequence,
    }
    return owe(
        session,
        now=now,
        kind=kind,
        recipient=registration.email,
        recipient_name=registration.name,
        event_id=event.id,
        registration_id=registration.id,
        payload=payload | facts,
        stamp_at=now,
    )


def message(session: Session, message_id: int) -> Message:
    """The row as it is now."""
    session.rollback()
    return session.scalars(
        select(Message).where(Message.id == message_id).execution_options(populate_existing=True)
    ).one()


def states(session: Session) -> list[tuple[str, str]]:
    """Kind and state of every mail, oldest first."""
    session.rollback()
    query = select(Message.kind, Message.state).order_by(Message.id)
    return [(kind, state) for kind, state in session.execute(query)]

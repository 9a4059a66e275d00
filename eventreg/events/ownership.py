"""Whose events they are, when an account is removed."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg import addresses, audit
from eventreg.events.models import Event


def count_of(session: Session, organizer_id: int) -> int:
    """How many events the account has, drafts and past ones too."""
    return session.scalar(select(func.count()).where(Event.organizer_id == organizer_id)) or 0


def hand_over(session: Session, *, organizer_id: int, email: str, to_id: int, actor: audit.Actor, now: datetime) -> int:
    """Gives all of an account's events to another, and takes its address off as their contact; how many."""
    events = session.scalars(select(Event).where(Event.organizer_id == organizer_id).order_by(Event.id)).all()
    for event in events:
        event.organizer_id = to_id
        if event.contact_email and addresses.identity(event.contact_email) == email:
            event.contact_email = ""
    session.flush()
    changes = {"organizer": (email, to_id)}
    for event in events:
        audit.record(session, actor=actor, action="event.handed_over", now=now, event_id=event.id, changes=changes)
    return len(events)

"""Reading the audit trail."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.audit.models import AuditEntry


def of_event(session: Session, event_id: int, *, limit: int, before_id: int | None = None) -> Sequence[AuditEntry]:
    """What was done to an event and its registrations, newest first; `before_id` goes on from there."""
    query = select(AuditEntry).where(AuditEntry.event_id == event_id)
    if before_id is not None:
        query = query.where(AuditEntry.id < before_id)
    return session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit)).all()


def of_event_since(session: Session, event_id: int, moment: datetime) -> Sequence[AuditEntry]:
    """What was done to the event itself after that moment, oldest first."""
    query = (
        select(AuditEntry)
        .where(AuditEntry.event_id == event_id, AuditEntry.registration_id.is_(None), AuditEntry.at > moment)
        .order_by(AuditEntry.id)
        .limit(20)
    )
    return session.scalars(query).all()


def of_registration(session: Session, registration_id: int) -> Sequence[AuditEntry]:
    """What was done to one registration, newest first."""
    query = select(AuditEntry).where(AuditEntry.registration_id == registration_id)
    return session.scalars(query.order_by(AuditEntry.id.desc()).limit(100)).all()


def last_at(session: Session, registration_id: int, action: str) -> datetime | None:
    """When that was last done to the registration; None if never."""
    query = select(AuditEntry.at).where(AuditEntry.registration_id == registration_id, AuditEntry.action == action)
    return session.scalar(query.order_by(AuditEntry.id.desc()).limit(1))

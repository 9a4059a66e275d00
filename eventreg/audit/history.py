"""Reading the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, cast, or_, select
from sqlalchemy.orm import Session

from eventreg.audit.models import AuditEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries: by account (its address, and its id since it was made), by part of the action's name, by time."""

    email: str = ""
    account_id: int | None = None
    account_since: datetime | None = None
    """Ids of removed accounts may be given anew."""
    action: str = ""
    since: datetime | None = None


def newest(session: Session, wanted: Wanted, *, limit: int) -> Sequence[AuditEntry]:
    """The newest of those wanted, newest first."""
    query = select(AuditEntry)
    if wanted.email:
        query = query.where(_about(wanted))
    if wanted.action:
        query = query.where(AuditEntry.action.contains(wanted.action, autoescape=True))
    if wanted.since is not None:
        query = query.where(AuditEntry.at >= wanted.since)
    return session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit)).all()


def _about(wanted: Wanted) -> ColumnElement[bool]:
    """By id, and by the address that entries about accounts hold, which is all there is of a removed one."""
    named = cast(AuditEntry.changes, String).contains(f'"{wanted.email}"', autoescape=True)
    if wanted.account_id is None or wanted.account_since is None:
        return named
    did = and_(AuditEntry.actor_kind == "organizer", AuditEntry.actor_id == wanted.account_id)
    by_id = and_(AuditEntry.at >= wanted.account_since, or_(did, AuditEntry.account_id == wanted.account_id))
    return or_(named, by_id)


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

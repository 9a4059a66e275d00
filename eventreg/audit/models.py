"""The audit trail's one table. Rows are only ever added."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.db import Base


class AuditEntry(Base):
    """One thing somebody did. Ids are kept without foreign keys: the trail outlives what it speaks of."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_event_id", "event_id", "id"),  # an event's history, newest first
        Index("ix_audit_entries_registration_id", "registration_id", "id"),  # one attendee's history
        Index("ix_audit_entries_account_id", "account_id", "id"),  # one account's sign-ins and changes
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(String(254))
    action: Mapped[str] = mapped_column(String(60))
    event_id: Mapped[int | None]
    registration_id: Mapped[int | None]
    account_id: Mapped[int | None]
    """The organizer's account it was done to; `actor_id` is who did it."""
    changes: Mapped[dict[str, Any]]
    """`{"field": [old, new]}`, values as JSON."""

"""One row per mail taken in, so that none is taken twice and an organizer can look at what was held."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.db import Base

KINDS = ("reply", "bounce", "other")
OUTCOMES = ("applied", "ignored", "held", "settled")
"""held: an organizer has to look. settled: one has."""


class ReceivedMail(Base):
    """What one mail to the reply mailbox was and what became of it. Its text is not kept."""

    __tablename__ = "received_mails"
    __table_args__ = (
        CheckConstraint("kind IN ('reply', 'bounce', 'other')", name="kind_known"),
        CheckConstraint("outcome IN ('applied', 'ignored', 'held', 'settled')", name="outcome_known"),
        Index("ix_received_mails_event_id", "event_id", "outcome", "id"),  # the organizer's review queue
        Index("ix_received_mails_registration_id", "registration_id"),  # a person's history; deleting one
        Index("ix_received_mails_received_at", "received_at"),  # forgetting old ones
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of its Message-ID, or of all of it where it has none, and of whom it is about."""
    kind: Mapped[str] = mapped_column(String(10))
    outcome: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why, in words for the organizer."""
    event_id: Mapped[int | None] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id", ondelete="CASCADE"))
    sender: Mapped[str] = mapped_column(String(254), default="")
    attendee: Mapped[str] = mapped_column(String(254), default="")
    rsvp: Mapped[str] = mapped_column(String(10), default="")
    """What a reply answered: yes, no or maybe."""
    sequence: Mapped[int | None]
    stamp_at: Mapped[datetime | None]
    """SEQUENCE and DTSTAMP of a reply."""
    comment: Mapped[str] = mapped_column(Text, default="", server_default="")
    """What was written into a reply."""
    received_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

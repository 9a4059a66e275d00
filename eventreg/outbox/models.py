"""One row per mail the service owes somebody."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.addresses import counting_key
from eventreg.db import Base
from eventreg.indexes import index_of_some

STATES = ("queued", "sending", "sent", "retrying", "failed", "aborted")


def _key_of_recipient(context: Any) -> str:
    """However the row is written, by the ORM or past it."""
    return counting_key(str(context.get_current_parameters()["recipient"]))


class Message(Base):
    """A mail from the moment it is owed. The row is the truth; a wake-up of the worker is only a hint.

    `due_at` is when it may next be tried; `leased_until` is set while a worker has it, and a lease that ran
    out means that worker died. `message_key` is the left side of its Message-ID, fixed, so that a mail sent
    twice is recognisably the same one.
    """

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'sending', 'sent', 'retrying', 'failed', 'aborted')", name="state_known"),
        # The worker: what is due now.
        index_of_some(
            "ix_messages_due",
            "due_at",
            where="state IN ('queued', 'sending', 'retrying')",
        ),
        # Who of an event could not be reached.
        index_of_some(
            "ix_messages_failed",
            "event_id",
            where="state = 'failed'",
        ),
        # Answers whose address was not confirmed.
        index_of_some(
            "ix_messages_unconfirmed",
            "created_at",
            where="kind = 'confirm_address' AND registration_id IS NULL",
        ),
        Index("ix_messages_registration_id", "registration_id", "id"),  # the row's mail on the attendee list
        Index("ix_messages_recipient", "recipient", "created_at"),  # whether an address was owed a link lately
        Index("ix_messages_recipient_key", "recipient_key", "sent_at"),  # how much one address was sent lately
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id", ondelete="CASCADE"))
    recipient: Mapped[str] = mapped_column(String(254))
    recipient_key: Mapped[str] = mapped_column(String(254), default=_key_of_recipient, server_default="")
    """The mailbox (`addresses.counting_key`), for counting what it gets; empty where it does not count any more."""
    recipient_name: Mapped[str] = mapped_column(String(200), default="")
    payload: Mapped[dict[str, Any]]
    """What was true when it was queued: status, party size, old -> new values. JSON."""
    message_key: Mapped[str] = mapped_column(String(32), unique=True)
    stamp_at: Mapped[datetime]
    """DTSTAMP of its calendar part: when it was queued, strictly rising per registration."""
    state: Mapped[str] = mapped_column(String(20), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    leased_by: Mapped[str | None] = mapped_column(String(40))
    """Which worker has or last had it, as `group.number`; see `queue.take_over`."""
    server_reply: Mapped[str] = mapped_column(Text, default="")
    """The mail server's own words at the last try, or where the mail was kept."""
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]
    """When it came back undeliverable; `server_reply` then holds the words of the server that sent it back."""

"""What the outbox holds, for the desk, the commands and the limits on mail to one address."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select, text
from sqlalchemy.orm import Session, aliased

from eventreg.outbox.ceiling import HELD_BACK
from eventreg.outbox.models import STATES, Message
from eventreg.outbox.queue import UNFINISHED, is_first_in_line


@dataclass(frozen=True, slots=True)
class Reason:
    """Why mails of one state are in it: the reply they share, how many, and since when the oldest is owed."""

    state: str
    server_reply: str
    count: int
    oldest_at: datetime


def state_counts(session: Session) -> dict[str, int]:
    """How many mails are in each state, all states named."""
    rows = session.execute(select(Message.state, func.count()).group_by(Message.state)).all()
    return dict.fromkeys(STATES, 0) | {row[0]: row[1] for row in rows}


def reasons(session: Session, *, limit: int = 20) -> Sequence[Reason]:
    """Why mail waits or has failed, the most frequent reason first."""
    count = func.count()
    query = (
        select(Message.state, Message.server_reply, count, func.min(Message.created_at))
        .where(Message.state.in_(("queued", "sending", "retrying", "failed")))
        .group_by(Message.state, Message.server_reply)
        .order_by(count.desc(), Message.state, Message.server_reply)
        .limit(limit)
    )
    return [Reason(*row) for row in session.execute(query).all()]


def held_back_and_bounced(session: Session) -> tuple[int, int]:
    """How many wait for their address to have room, and how many were sent and came back."""
    held_back = select(func.count()).where(UNFINISHED, Message.server_reply.startswith(HELD_BACK))
    came_back = select(func.count()).where(Message.state == "failed", Message.bounced_at.is_not(None))
    return session.scalar(held_back) or 0, session.scalar(came_back) or 0


def latest_for(session: Session, registration_ids: Iterable[int]) -> dict[int, Message]:
    """The newest mail of each of those registrations, by registration id. One query."""
    newest = (
        select(func.max(Message.id))
        .where(Message.registration_id.in_(list(registration_ids)))
        .group_by(Message.registration_id)
    )
    messages = session.scalars(select(Message).where(Message.id.in_(newest))).all()
    return {message.registration_id: message for message in messages if message.registration_id is not None}


def not_reached(session: Session, event_id: int) -> Sequence[int]:
    """Registrations of the event whose newest mail failed or came back, in the order they were made. One query."""
    later = aliased(Message)
    is_newest = ~exists().where(later.registration_id == Message.registration_id, later.id > Message.id)
    query = (
        select(Message.registration_id)
        # Spelled as in the partial index, or SQLite would not use it.
        .where(Message.event_id == event_id, text("messages.state = 'failed'"), is_newest)
        .order_by(Message.registration_id)
    )
    return [number for number in session.scalars(query) if number is not None]


def was_queued_since(
    session: Session, *, recipient: str, kind: str, registration_id: int | None, since: datetime
) -> bool:
    """Whether that address was owed a mail of that kind about that registration (None: about several) after `since`."""
    found = exists().where(
        Message.recipient == recipient,
        Message.created_at > since,
        Message.kind == kind,
        Message.registration_id.is_not_distinct_from(registration_id),
    )
    return bool(session.scalar(select(found)))


def sent_about(session: Session, registration_ids: Iterable[int]) -> Sequence[Any]:
    """What has left about those registrations, oldest first: id, registration, recipient, kind, payload. One query."""
    query = (
        select(Message.id, Message.registration_id, Message.recipient, Message.kind, Message.payload)
        .where(Message.registration_id.in_(list(registration_ids)), Message.state == "sent")
        .order_by(Message.id)
    )
    return session.execute(query).all()


def next_due_at(session: Session) -> datetime | None:
    """When the next mail falls due that waits for no other, leases that may run out included; None: none is owed."""
    query = select(Message.due_at).where(UNFINISHED, is_first_in_line()).order_by(Message.due_at).limit(1)
    return session.scalar(query)

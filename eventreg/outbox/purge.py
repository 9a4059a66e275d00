"""Forgetting what finished mails said. Who got which kind of mail when stays; what stood in it need not."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from eventreg.events.models import Counter
from eventreg.outbox.models import Message

KEY = "purge:messages"
KEPT = frozenset({"rsvp", "status", "party_size", "sequence", "position", "again", "declined_in_calendar", "starts_at"})
"""What a later mail to the same person goes by: whether their calendar holds an entry, and what it last said."""
FINISHED = ("sent", "failed", "aborted")


def is_old(session: Session, *, before: datetime) -> bool:
    """Whether `forget` has something to do."""
    oldest = session.execute(
        select(Message.created_at).where(Message.id > _done(session)).order_by(Message.id).limit(1)
    ).scalar()
    return oldest is not None and oldest < before


def forget(session: Session, *, before: datetime, limit: int) -> int:
    """Takes out of up to `limit` mails from before then what no later mail needs; how many rows it looked at.

    It goes through them once, in the order in which they were queued. One that is still owed then keeps everything.
    """
    done = _done(session)
    rows = session.execute(
        select(Message.id, Message.state, Message.payload, Message.created_at, Message.registration_id)
        .where(Message.id > done)
        .order_by(Message.id)
        .limit(limit)
    ).all()
    looked = 0
    for row in rows:
        if row.created_at >= before:
            break
        looked, done = looked + 1, row.id
        if row.state in FINISHED:
            session.execute(
                update(Message)
                .where(Message.id == row.id)
                .values(_without_words(row))
                .execution_options(synchronize_session=False)
            )
    if looked:
        _remember(session, done)
    return looked


def _without_words(row: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "payload": {name: value for name, value in row.payload.items() if name in KEPT},
        "recipient_name": "",
    }
    if row.registration_id is None:  # no list shows it, and nothing else knows the address
        values |= {"recipient": "", "recipient_key": ""}
    if row.state == "sent":  # why one failed stays on its person's row
        values["server_reply"] = ""
    return values


def _done(session: Session) -> int:
    """The id up to which all has been looked at."""
    return session.scalar(select(Counter.value).where(Counter.key == KEY)) or 0


def _remember(session: Session, done: int) -> None:
    result = session.scalars(
        update(Counter)
        .where(Counter.key == KEY)
        .values(value=done)
        .returning(Counter.key)
        .execution_options(synchronize_session=False)
    )
    if result.first() is None:
        session.add(Counter(key=KEY, value=done))
        session.flush()

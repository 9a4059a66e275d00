"""What has been queued so far."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from eventreg.outbox.models import Message


def was_queued_since(session: Session, *, recipient: str, kind: str, since: datetime) -> bool:
    """Whether that address was owed a mail of that kind after `since`."""
    found = exists().where(Message.recipient == recipient, Message.created_at > since, Message.kind == kind)
    return bool(session.scalar(select(found)))

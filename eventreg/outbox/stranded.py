"""Mails that a clock which ran ahead, and was put right, has put off for longer than anything else can.

Without this they would wait until that hour comes round again, and all later mail to the same person with them.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, select, update
from sqlalchemy.orm import Session

from eventreg.outbox.backoff import LONGEST_WAIT
from eventreg.outbox.models import Message
from eventreg.outbox.queue import LEASE, UNFINISHED

FARTHEST = 2 * LONGEST_WAIT
"""Nothing else is put off for longer than LONGEST_WAIT, the hour of the ceiling; the rest is for clocks that differ."""


def are_due(session: Session, *, now: datetime) -> bool:
    """Whether `bring_back` has something to do; asks without writing."""
    return session.scalar(select(Message.id).where(_is_stranded(now)).limit(1)) is not None


def bring_back(session: Session, *, now: datetime, limit: int) -> int:
    """Makes up to `limit` of them due now; how many. One that a worker has keeps its lease for as long as a new one.

    A worker that lives renews its lease meanwhile.
    """
    some = select(Message.id).where(_is_stranded(now)).limit(limit).with_for_update(skip_locked=True)
    is_held = Message.state == "sending"
    result = session.scalars(
        update(Message)
        .where(Message.id.in_(some.scalar_subquery()))
        .values(due_at=case((is_held, now + LEASE), else_=now), leased_until=case((is_held, now + LEASE), else_=None))
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    return len(result.all())


def _is_stranded(now: datetime) -> ColumnElement[bool]:
    return and_(UNFINISHED, Message.due_at > now + FARTHEST)

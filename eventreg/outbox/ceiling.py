"""How many mails one mailbox gets within an hour; more wait their turn, and none is lost.

Whoever types somebody else's address into many forms must not have us fill their mailbox. Counted is what left, and
what other workers have in their hands. Two workers that claim in the same instant can go past it by a few.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select, text, update
from sqlalchemy.orm import Session

from eventreg.outbox.models import Message

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
HELD_BACK = "Held back: "
"""Begins the reason kept with mails that wait for their address to have room."""
EXEMPT = frozenset({"test"})
"""Asked for by whoever administers the server. Mails about accounts count: strangers can ask for those too."""


@dataclass(frozen=True, slots=True)
class _Used:
    """What an address has had of its hour; `oldest_at` is when it gets room again, less an hour.

    It is None where all of it is in somebody's hands.
    """

    count: int
    oldest_at: datetime | None


def within(session: Session, due: Sequence[Any], *, hourly: int, now: datetime) -> list[int]:
    """Ids of those of the due mails that may leave now; `due` are rows of id, recipient_key and kind, in order.

    The rest, and whatever else is due to the same addresses, is put off until there is room, in one statement an
    address: however many they are, the next claim does not meet them. `hourly` 0 lets everything pass.
    """
    keys = {row.recipient_key for row in due if _counts(row)}
    if hourly == 0 or not keys:
        return [row.id for row in due]
    used = _used(session, keys, now)
    room = Counter({key: max(hourly - _of(used, key).count, 0) for key in keys})
    allowed: list[int] = []
    full: set[str] = set()
    for row in due:
        if _counts(row):
            if room[row.recipient_key] == 0:
                full.add(row.recipient_key)
                continue
            room[row.recipient_key] -= 1
        allowed.append(row.id)
    for key in sorted(full):
        # Never now: the claim would meet them again, for ever.
        until = max((_of(used, key).oldest_at or now) + HOUR, now + MINUTE)
        _put_off(session, key, except_for=allowed, until=until, hourly=hourly, now=now)
    return allowed


def _counts(row: Any) -> bool:
    """Rows from before addresses were counted have no key."""
    return bool(row.recipient_key) and row.kind not in EXEMPT


def _of(used: Mapping[str, _Used], key: str) -> _Used:
    return used.get(key, _Used(0, None))


def _used(session: Session, keys: set[str], now: datetime) -> dict[str, _Used]:
    """One statement for all of them."""
    left = and_(Message.sent_at > now - HOUR, Message.sent_at <= now)
    in_hand = and_(Message.state == "sending", Message.due_at > now)
    # One in hand may have left once before, and come back, long ago.
    oldest_at = func.min(case((left, Message.sent_at)))
    query = (
        select(Message.recipient_key, func.count(), oldest_at)
        .where(Message.recipient_key.in_(keys), Message.kind.not_in(EXEMPT), or_(left, in_hand))
        .group_by(Message.recipient_key)
    )
    return {key: _Used(count, oldest) for key, count, oldest in session.execute(query)}


def _put_off(
    session: Session, key: str, *, except_for: Sequence[int], until: datetime, hourly: int, now: datetime
) -> None:
    """What is locked by another worker's claim is that worker's concern."""
    waiting = (
        select(Message.id)
        .where(
            text("messages.state IN ('queued', 'sending', 'retrying')"),
            Message.recipient_key == key,
            Message.due_at <= now,
            Message.kind.not_in(EXEMPT),
            Message.id.not_in(except_for),
        )
        .with_for_update(skip_locked=True)
    )
    session.execute(
        update(Message)
        .where(Message.id.in_(waiting))
        .values(
            state=case((Message.state == "sending", "queued"), else_=Message.state),
            leased_until=None,
            due_at=until,
            server_reply=f"{HELD_BACK}this address has had {hourly} mails within the hour.",
        )
        .execution_options(synchronize_session=False)
    )

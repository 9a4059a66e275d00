"""Queueing what must be mailed, and keeping account of it. The row is written in the transaction that owes the mail.

A worker claims rows under a lease, and its claim is known by the number of tries: whoever holds try 3 can no
longer say anything about the row once somebody else holds try 4. A worker that dies leaves a lease that runs out.
"""

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, insert, select, text, update
from sqlalchemy.orm import Session, aliased

from eventreg.addresses import counting_key
from eventreg.db import table_of
from eventreg.outbox import ceiling
from eventreg.outbox.backoff import PATIENCE, Failure, Trouble, wait_after
from eventreg.outbox.models import Message
from eventreg.ready import Ready

LEASE = timedelta(seconds=45)
"""How long a claim lasts unless renewed, and so how long the mail of a worker that died waits for another."""
TAKEN_OVER = 5
"""Tries after which a dead worker's mail waits for its lease's end: it may be what the worker died of."""
LONGEST_REPLY = 1000
SECRET = frozenset({"auth"})
"""Kinds whose payload holds what opens an account; it is forgotten once the mail has left."""
FOR_ALL = "No mail could be sent: "
"""Begins the reason kept with mails that were put off because none would have been taken."""

UNFINISHED = text("state IN ('queued', 'sending', 'retrying')")
"""Spelled as in the partial index, or SQLite would not use it."""

_MESSAGES = table_of(Message)
_ADD = Ready(insert(_MESSAGES).inline())
_SENT = (
    update(_MESSAGES)
    .where(
        _MESSAGES.c.id == bindparam("message_id"),
        _MESSAGES.c.state != "sent",
        # One that has come back meanwhile, from an earlier try, has failed and stays so.
        _MESSAGES.c.bounced_at.is_(None),
    )
    .values(state="sent", sent_at=bindparam("at"), leased_until=None, server_reply=bindparam("reply"))
)
_ADD_ALL = insert(_MESSAGES)
"""Past the ORM, which takes longer over thousands of rows than the database."""


def add(
    session: Session,
    *,
    kind: str,
    recipient: str,
    recipient_name: str = "",
    event_id: int | None = None,
    registration_id: int | None = None,
    payload: Mapping[str, Any] | None = None,
    now: datetime,
    stamp_at: datetime | None = None,
    message_key: str | None = None,
) -> None:
    """Owes one mail. `kind` names a folder of `templates/mail/`.

    `stamp_at` is the DTSTAMP of its calendar part (default `now`), `message_key` a unique name of 32 characters
    (default: a new one). Costs one statement.
    """
    _ADD.run(
        session,
        {
            "kind": kind,
            "recipient": recipient,
            "recipient_key": counting_key(recipient),
            "recipient_name": recipient_name,
            "event_id": event_id,
            "registration_id": registration_id,
            "payload": dict(payload or {}),
            "message_key": message_key or secrets.token_hex(16),
            "stamp_at": stamp_at or now,
            "state": "queued",
            "attempts": 0,
            "due_at": now,
            "server_reply": "",
            "created_at": now,
        },
    )


def add_all(session: Session, mails: Iterable[Mapping[str, Any]], *, now: datetime) -> None:
    """Owes many mails at once, each given as the arguments of `add` with none left out. One statement."""
    rows = [
        {**mail, "message_key": secrets.token_hex(16), "state": "queued", "due_at": now, "created_at": now}
        for mail in mails
    ]
    if rows:
        session.connection().execute(_ADD_ALL, rows)


def claim(session: Session, *, limit: int, now: datetime, holder: str | None = None, hourly: int = 0) -> list[Message]:
    """Takes up to `limit` due mails for the caller, in the order they fell due, leased until now + LEASE.

    A mail waits for the earlier ones of the same registration to the same address, so that a confirmation can
    never arrive after the cancellation. The rows come back detached: a picture of what was claimed. `holder` is the
    caller's name, for `take_over`. `hourly` is the most that one address gets within an hour; see `ceiling`.
    """
    query = (
        select(Message.id, Message.recipient_key, Message.kind)
        .where(_is_due(now))
        .order_by(Message.due_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids: list[int] = []
    while not ids:
        due = session.execute(query).all()
        if not due:
            return []
        # Where none of them may leave now, they are due later by now, and the next are looked at.
        ids = ceiling.within(session, due, hourly=hourly, now=now)
    until = now + LEASE
    claimed = session.scalars(
        update(Message)
        .where(Message.id.in_(ids), _is_due(now))
        .values(state="sending", attempts=Message.attempts + 1, leased_until=until, leased_by=holder, due_at=until)
        .returning(Message)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()
    for message in claimed:
        session.expunge(message)
    return sorted(claimed, key=lambda message: ids.index(message.id))


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Due and first in its line. While a mail is leased its `due_at` is the lease's end: one condition serves both."""
    return and_(text("messages." + UNFINISHED.text), Message.due_at <= now, is_first_in_line())


@cache
def is_first_in_line() -> ColumnElement[bool]:
    """No earlier mail of the same registration to the same address is still owed."""
    earlier = aliased(Message)
    return ~exists().where(
        earlier.registration_id == Message.registration_id,
        earlier.recipient == Message.recipient,
        earlier.id < Message.id,
        earlier.state.in_(("queued", "sending", "retrying")),
    )


def take_over(session: Session, *, group: str, now: datetime) -> int:
    """Makes due at once what workers of that group have; how many. None of them may be at work any more.

    A claim that one of them still holds in thought is void: the next has another number of tries.
    """
    result = session.scalars(
        update(Message)
        .where(
            Message.state == "sending",
            Message.leased_by.startswith(f"{group}.", autoescape=True),
            Message.attempts < TAKEN_OVER,
        )
        .values(state="queued", leased_until=None, due_at=now)
        .returning(Message.id)
    )
    return len(result.all())


def renew(session: Session, *, claimed: Iterable[Message], now: datetime) -> None:
    """Lengthens the claim on those that are still the caller's."""
    for message in claimed:
        session.execute(update(Message).where(_is_held(message)).values(leased_until=now + LEASE, due_at=now + LEASE))


def held(session: Session, claimed: Iterable[Message]) -> set[int]:
    """Ids of those that are still the caller's. One statement."""
    tries = {message.id: message.attempts for message in claimed}
    query = select(Message.id, Message.attempts).where(Message.id.in_(tries), Message.state == "sending")
    return {number for number, attempts in session.execute(query) if attempts == tries[number]}


def release(session: Session, *, claimed: Iterable[Message], now: datetime) -> None:
    """Gives mails back that were claimed and never tried, as if nothing had happened."""
    for message in claimed:
        session.execute(
            update(Message)
            .where(_is_held(message))
            .values(state="queued", attempts=Message.attempts - 1, leased_until=None, due_at=now)
        )


def mark_all_sent(session: Session, sent: Iterable[tuple[Message, str]], *, now: datetime) -> None:
    """Records that they left, each with the server's words, whoever holds them by now: they did leave.

    One statement, and one more for secrets.
    """
    pairs = list(sent)
    if not pairs:
        return
    connection = session.connection()
    connection.execute(
        _SENT,
        [{"message_id": message.id, "at": now, "reply": one_line_of(reply)} for message, reply in pairs],
    )
    secret = [message.id for message, _reply in pairs if message.kind in SECRET]
    if secret:
        connection.execute(update(_MESSAGES).where(_MESSAGES.c.id.in_(secret)).values(payload={}))


def mark_retry(session: Session, *, message: Message, failure: Failure, now: datetime) -> None:
    """Records a failed try and when the next one is, or that there will be none."""
    wait = wait_after(failure.trouble, message.attempts, now - message.created_at)
    session.execute(
        update(Message).where(_is_held(message)).values(leased_until=None, **_after_failure(failure, wait, now))
    )


def postpone_due(session: Session, *, failure: Failure, now: datetime) -> None:
    """Puts off every mail that is due when none would be taken, with the reason on each of them.

    Otherwise a server that is away would be asked once per batch of a long queue.
    """
    waiting = and_(Message.state.in_(("queued", "retrying")), Message.due_at <= now)
    is_old = Message.created_at <= now - PATIENCE
    groups = session.execute(select(Message.attempts, is_old).where(waiting).distinct()).all()
    for attempts, old in groups:
        wait = wait_after(failure.trouble, attempts + 1, PATIENCE if old else timedelta())
        session.execute(
            update(Message)
            .where(waiting, Message.attempts == attempts, is_old if old else ~is_old)
            .values(attempts=attempts + 1, **_after_failure(failure, wait, now))
        )


def hasten(session: Session, *, now: datetime) -> int:
    """Makes every mail that waits for its next try due now, because the server has just taken one.

    Those that the server itself asked to bring later keep their time: they were never put off for all.
    """
    result = session.scalars(
        update(Message)
        .where(Message.state == "retrying", Message.due_at > now, Message.server_reply.startswith(FOR_ALL))
        .values(due_at=now)
        .returning(Message.id)
    )
    return len(result.all())


def retry_failed(session: Session, *, now: datetime, with_bounced: bool = False, since: datetime | None = None) -> int:
    """Starts afresh with every mail that failed or waits for its next try, owed `since` then; how many.

    One that came back would come back again, and a server that gets such mail repeatedly thinks less of its sender:
    those are tried only `with_bounced`.
    """
    chosen: list[ColumnElement[bool]] = [Message.state.in_(("failed", "retrying"))]
    if not with_bounced:
        chosen.append(Message.bounced_at.is_(None))
    if since is not None:
        chosen.append(Message.created_at >= since)
    result = session.scalars(
        update(Message)
        .where(*chosen)
        .values(state="queued", attempts=0, due_at=now, bounced_at=None)
        .returning(Message.id)
    )
    return len(result.all())


def withdraw(session: Session, *, registration_id: int, kind: str, reason: str) -> int:
    """Lets go of the mails of that kind that wait for that registration, none of them in a worker's hands; how many."""
    waiting = (Message.registration_id == registration_id, Message.kind == kind)
    result = session.scalars(
        update(Message)
        .where(*waiting, Message.state.in_(("queued", "retrying")))
        .values(state="aborted", server_reply=one_line_of(reason))
        .returning(Message.id)
    )
    return len(result.all())


def _is_held(message: Message) -> ColumnElement[bool]:
    return and_(Message.id == message.id, Message.state == "sending", Message.attempts == message.attempts)


def _after_failure(failure: Failure, wait: timedelta | None, now: datetime) -> dict[str, Any]:
    words = FOR_ALL + failure.words if failure.trouble.is_everybodys else failure.words
    given_up = "aborted" if failure.trouble is Trouble.POINTLESS else "failed"
    return {
        "state": given_up if wait is None else "retrying",
        "due_at": now if wait is None else now + wait,
        "server_reply": one_line_of(words),
    }


def one_line_of(words: str) -> str:
    """A reply as it is kept: one line, and no NUL, which PostgreSQL refuses."""
    return " ".join(words.replace("\0", " ").split())[:LONGEST_REPLY]

"""One batch of owed mails, from the claim to the last mark. No transaction is open while a server is spoken to.

Every mail is marked as soon as it has left, so a crash can send at most one of them twice, and that one with the
same Message-ID.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from flask import Flask
from sqlalchemy.exc import InterfaceError, OperationalError

from eventreg import clock
from eventreg.db import db, write_transaction
from eventreg.mail import gather, kept
from eventreg.mail.deliver import UndeliveredError, Way, open_way
from eventreg.outbox import heartbeat, queue
from eventreg.outbox.backoff import Failure, Trouble
from eventreg.outbox.models import Message

BATCH = 20
RENEWAL_SECONDS = 15
PAUSES_BEFORE_MARKING_AGAIN = (0.2, 1, 3)
"""A mail that left and is not marked would leave once more, so the database gets some time to come back."""
_DATABASE_AWAY = (OperationalError, InterfaceError)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of a batch. `halted` is set when the next one would meet the same trouble, or was told to stop."""

    claimed: int
    sent: int
    halted: bool = False


def deliver_due(
    app: Flask,
    *,
    now: datetime,
    limit: int = BATCH,
    holder: str | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Batch:
    """Sends up to `limit` mails that are due. Needs an application context.

    Safe to run in many processes at once. An error about one mail is recorded with it and never stops the rest.
    """
    with write_transaction(db.session()):
        claimed = queue.claim(db.session(), limit=limit, now=now, holder=holder)
    if not claimed:
        return Batch(0, 0)
    sent = 0
    with _keeping(app, claimed), open_way(app) as way:
        for index, message in enumerate(claimed):
            if is_stopping():
                _give_back(claimed[index:], now)
                return Batch(len(claimed), sent, halted=True)
            failure = _deliver(app, way, message, wakes_others=sent == 0, now=now)
            sent += failure is None
            if failure is not None and failure.trouble.is_everybodys:
                _put_off(claimed[index + 1 :], failure, now)
                return Batch(len(claimed), sent, halted=True)
    return Batch(len(claimed), sent)


def _deliver(app: Flask, way: Way, message: Message, *, wakes_others: bool, now: datetime) -> Failure | None:
    """Writes, sends and marks one mail; the failure when it was not sent."""
    session = db.session()
    try:
        try:
            mail = gather.write(session, message, app, now=now)
        finally:
            session.rollback()
        name = kept.file_name(created_at=message.created_at, kind=message.kind, key=message.message_key)
        reply = way.send(mail, recipient=message.recipient, file_name=name)
    except gather.PointlessError as reason:
        failure = Failure(Trouble.POINTLESS, str(reason))
    except UndeliveredError as error:
        failure = error.failure
        log.warning("Mail %s to registration %s: %s", message.id, message.registration_id, failure.words)
    except _DATABASE_AWAY:
        raise
    except Exception as error:
        log.exception("Mail %s cannot be written", message.id)
        failure = Failure(Trouble.BROKEN, f"It could not be written: {type(error).__name__}: {error}")
    else:
        _mark(lambda: _record_sent(message, reply, now, wakes_others=wakes_others))
        return None
    _mark(lambda: queue.mark_retry(session, message=message, failure=failure, now=now))
    return failure


def _record_sent(message: Message, reply: str, now: datetime, *, wakes_others: bool) -> None:
    session = db.session()
    queue.mark_sent(session, message=message, reply=reply, now=now)
    if wakes_others:
        queue.hasten(session, now=now)


def _give_back(rest: list[Message], now: datetime) -> None:
    _mark(lambda: queue.release(db.session(), claimed=rest, now=now))


def _put_off(rest: list[Message], failure: Failure, now: datetime) -> None:
    """Nobody's mail would be taken now: says so on all of them, and asks again later."""
    session = db.session()

    def mark() -> None:
        for message in rest:
            queue.mark_retry(session, message=message, failure=failure, now=now)
        queue.postpone_due(session, failure=failure, now=now)

    _mark(mark)


def _mark(change: Callable[[], None]) -> None:
    """One transaction, tried again when the database is away for a moment."""
    for pause in PAUSES_BEFORE_MARKING_AGAIN:
        try:
            with write_transaction(db.session()):
                change()
        except _DATABASE_AWAY as error:
            log.warning("What became of a mail cannot be recorded yet: %s", error)
            time.sleep(pause)
        else:
            return
    with write_transaction(db.session()):
        change()


@contextlib.contextmanager
def _keeping(app: Flask, claimed: list[Message]) -> Iterator[None]:
    """Renews the claims while the block lasts, so that a slow server makes no other worker send the same."""
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(app, claimed, done), name="mail-keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _keep(app: Flask, claimed: list[Message], done: threading.Event) -> None:
    while not done.wait(RENEWAL_SECONDS):
        with app.app_context():
            now = clock.now()
            try:
                with write_transaction(db.session()):
                    queue.renew(db.session(), claimed=claimed, now=now)
                    heartbeat.beat(db.session(), now=now)
            except _DATABASE_AWAY as error:
                log.warning("Claims on mails cannot be renewed: %s", error)

"""One batch of owed mails, from the claim to the last mark. No transaction is open while a server is spoken to.

Mails that left within MARK_SECONDS are marked in one transaction, so a crash can send those once more, with the same
Message-ID. A server that takes longer than that over a mail has each marked before the next leaves.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Flask
from sqlalchemy.orm import Session

from eventreg import clock
from eventreg.db import AWAY, db, write_transaction
from eventreg.mail import gather, kept, material
from eventreg.mail.deliver import UndeliveredError, Way, open_way
from eventreg.mail.material import Material
from eventreg.mail.mime import Letter
from eventreg.outbox import heartbeat, queue
from eventreg.outbox.backoff import Failure, Trouble
from eventreg.outbox.models import Message

BATCH = 100
FRESH_SECONDS = 1.0
"""For how long a batch goes by what it has read: an address corrected before that must get nothing any more.

Nor does it send what it has lost to another worker before that, having stood still for longer than its lease.
"""
MARK_SECONDS = 0.05
RENEWAL_SECONDS = 15
PAUSES_BEFORE_MARKING_AGAIN = (0.2, 1, 3)
"""A mail that left and is not marked would leave once more, so the database gets some time to come back."""

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
        claimed = queue.claim(db.session(), limit=limit, now=now, holder=holder, hourly=app.config["MAIL_HOURLY_LIMIT"])
    if not claimed:
        return Batch(0, 0)
    with _keeping(app, claimed), open_way(app) as way:
        with contextlib.closing(_Marks(now)) as marks:
            failure, tried = _send_all(way, _Desk(app, claimed, now=now), marks, is_stopping=is_stopping)
        if failure is not None:
            _put_off(claimed[tried:], failure, now)
        elif tried < len(claimed):
            _give_back(claimed[tried:], now)
    return Batch(len(claimed), marks.count, halted=failure is not None or tried < len(claimed))


def _send_all(
    way: Way, desk: "_Desk", marks: "_Marks", *, is_stopping: Callable[[], bool]
) -> tuple[Failure | None, int]:
    """How many were tried, and what would meet the rest as well, if anything."""
    for index, message in enumerate(desk.claimed):
        if is_stopping():
            return None, index
        if not desk.is_held(index):
            continue
        try:
            marks.sent(message, _send(way, desk, index))
        except UndeliveredError as error:
            marks.failed(message, error.failure)
            if error.failure.trouble.is_everybodys:
                return error.failure, index + 1
    return None, len(desk.claimed)


def _send(way: Way, desk: "_Desk", index: int) -> str:
    """Writes and sends one mail; the server's words. Raises: UndeliveredError, whatever was wrong with this mail."""
    message = desk.claimed[index]
    try:
        return way.send(
            desk.letter(index),
            recipient=message.recipient,
            file_name=kept.file_name(created_at=message.created_at, kind=message.kind, key=message.message_key),
            meanwhile=lambda: desk.write_ahead(index + 1),
        )
    except gather.PointlessError as reason:
        raise UndeliveredError(Failure(Trouble.POINTLESS, str(reason))) from reason
    except UndeliveredError as error:
        log.warning("Mail %s to registration %s: %s", message.id, message.registration_id, error)
        raise
    except Exception as error:
        log.exception("Mail %s cannot be written", message.id)
        words = f"It could not be written: {type(error).__name__}: {error}"
        trouble = Trouble.LATER if _is_shortage(error) else Trouble.BROKEN
        raise UndeliveredError(Failure(trouble, words)) from error


def _is_shortage(error: Exception) -> bool:
    """Whether this machine is short of something, as of open files or memory, and the mail itself is not at fault.

    A template that is not there is an OSError too, and has no number.
    """
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno is not None)


class _Desk:
    """Writes the mails of a batch: each in its turn, and the next while the server takes the one before."""

    def __init__(self, app: Flask, claimed: Sequence[Message], *, now: datetime) -> None:
        self.claimed = claimed
        self._app = app
        self._now = now
        self._found = Material()
        self._held: set[int] = set()
        self._read_at = float("-inf")
        self._ahead: dict[int, Letter] = {}

    def is_held(self, index: int) -> bool:
        """Whether that mail is ours still. What was read too long ago is read again, and what was made of it undone."""
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            self._found, self._held = _read(self.claimed[index:])
            self._read_at = time.monotonic()
            self._ahead.clear()
        return self.claimed[index].id in self._held

    def letter(self, index: int) -> Letter:
        """That mail. Raises: as `gather.write`."""
        return self._ahead.pop(index, None) or self._write(index)

    def write_ahead(self, index: int) -> None:
        """Has that mail ready when its turn comes. Whatever is wrong with it is said then, when it is tried again."""
        if index < len(self.claimed) and self.claimed[index].id in self._held:
            with contextlib.suppress(Exception):
                self._ahead[index] = self._write(index)

    def _write(self, index: int) -> Letter:
        return gather.write(self.claimed[index], self._found, self._app, now=self._now)


def _read(messages: Sequence[Message]) -> tuple[Material, set[int]]:
    """What they are about, and which are ours still.

    In a session of its own, which lets go of the rows as they are when it is closed.
    """
    with Session(db.engine) as session:
        held = queue.held(session, messages)
        return material.read(session, messages), held


class _Marks:
    """Writes down what became of the mails of a batch, in the order in which it happened."""

    def __init__(self, now: datetime) -> None:
        self.count = 0
        self._now = now
        self._unmarked: list[tuple[Message, str]] = []
        self._written_at = float("-inf")

    def sent(self, message: Message, reply: str) -> None:
        """The first is marked at once, and makes due what waited for a server that takes mail."""
        self._unmarked.append((message, reply))
        self.count += 1
        if time.monotonic() - self._written_at >= MARK_SECONDS:
            self._write()

    def failed(self, message: Message, failure: Failure) -> None:
        """One that was not taken."""
        self._write()
        _mark(lambda: queue.mark_retry(db.session(), message=message, failure=failure, now=self._now))

    def close(self) -> None:
        """Marks what is left."""
        self._write()

    def _write(self) -> None:
        if not self._unmarked:
            return
        is_first, rest = len(self._unmarked) == self.count, self._unmarked

        def mark() -> None:
            queue.mark_all_sent(db.session(), rest, now=self._now)
            if is_first:
                queue.hasten(db.session(), now=self._now)

        _mark(mark)
        self._unmarked = []
        self._written_at = time.monotonic()


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
        except AWAY as error:
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
            except AWAY as error:
                log.warning("Claims on mails cannot be renewed: %s", error)

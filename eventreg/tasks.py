"""Wakes the worker and says when it looks by itself. Huey carries wake-ups and the clock, and never the truth.

The truth is the outbox table: a wake-up that is lost costs a minute, one too many costs a query. What else the clock
does stands in `jobs.JOBS`.
"""

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from huey.api import Huey, PostgresHuey, SqliteHuey, TaskWrapper, crontab
from huey.registry import Message as HueyMessage
from huey.serializer import Serializer
from huey.storage import PostgresStorage
from psycopg.errors import DuplicateObject, UniqueViolation

from eventreg import clock, jobs
from eventreg.db import db, write_transaction
from eventreg.mail import batch
from eventreg.outbox import heartbeat, queries, queue

EXTENSION = "eventreg.tasks"
EVERY = timedelta(minutes=1)
"""How often the worker looks without being woken."""
BEAT_SECONDS = 20
BRIEFLY = 0.1
"""Seconds a web process waits for the lock of Huey's SQLite file before it leaves the mail to the next minute."""

log = logging.getLogger(__name__)


class PlainSerializer(Serializer):
    """Wake-ups as JSON. Huey's own pickles would let whoever can write to the queue run anything in the worker."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps([data.id, data.name, data.eta and data.eta.isoformat()]).encode()

    def _deserialize(self, data: bytes) -> HueyMessage:
        identity, name, eta = json.loads(bytes(data))
        blank: dict[str, Any] = dict.fromkeys(HueyMessage._fields)
        return HueyMessage(**blank | {"id": identity, "name": name, "eta": eta and datetime.fromisoformat(eta)})


class PooledStorage(PostgresStorage):
    """Huey's tables in our database, reached through our pool: they cost a web process no connection of their own."""

    @contextmanager
    def db(self, commit: bool = False, close: bool = False) -> Iterator[Any]:  # noqa: ARG002 - each statement commits
        """A cursor; every statement is a transaction of its own."""
        engine = self.connection_params["engine"].execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection, connection.connection.cursor() as cursor:
            yield cursor

    def initialize_schema(self) -> None:
        """Makes the tables; two processes that do so at once meet in PostgreSQL's catalogue, and one tries again."""
        try:
            super().initialize_schema()
        except (UniqueViolation, DuplicateObject):
            super().initialize_schema()

    def _connect(self) -> Any:
        """The connection on which a worker listens; it stays open, so the pool lets it go."""
        lent = self.connection_params["engine"].raw_connection()
        connection = lent.driver_connection
        lent.detach()
        connection.autocommit = True
        return connection


class Wakeups:
    """One app's queue of wake-ups, and what a worker does at each. Nothing is opened before it is needed."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.stopping = threading.Event()
        self.lock_seconds = BRIEFLY
        self.holder: str | None = None
        self._broke_off = False
        self._delivering = threading.Lock()
        self._asked = threading.Event()
        self._jobs: dict[str, threading.Thread] = {}
        self._next_at: datetime | None = None
        self._beaten: float | None = None

    @property
    def huey(self) -> Huey:
        """The queue, beside our own data: a file in the instance folder, or tables in PostgreSQL."""
        return self._queue_and_task[0]

    @property
    def _deliver_task(self) -> TaskWrapper:
        return self._queue_and_task[1]

    @cached_property
    def _queue_and_task(self) -> tuple[Huey, TaskWrapper]:
        """Made together: a wake-up may have waited in the queue since before this process knew what it means."""
        with self.app.app_context():
            engine = db.engine
        kept: dict[str, Any] = {"name": "eventreg", "results": False, "serializer": PlainSerializer()}
        if engine.dialect.name == "postgresql":
            huey: Huey = PostgresHuey(**kept, storage_class=PooledStorage, engine=engine)
        else:
            folder = Path(self.app.instance_path)
            folder.mkdir(parents=True, exist_ok=True)
            # Nothing in it is worth waiting for the disk.
            huey = SqliteHuey(**kept, filename=str(folder / "huey.db"), fsync=False, timeout=self.lock_seconds)
        huey.periodic_task(crontab(), name="look_every_minute")(self.tick)
        return huey, huey.task(name="deliver_due")(self.deliver)

    def wake(self) -> None:
        """Asks the worker to look now. One that is asked and has not looked yet will see all that is committed."""
        if self.huey.storage.queue_size() == 0:
            self._deliver_task()

    def tick(self) -> None:
        """What happens every minute: each job of the clock in a thread of its own, so that none waits for another."""
        with self.app.app_context():
            self.beat()
        for job in jobs.JOBS:
            running = self._jobs.get(job.name)
            if self.stopping.is_set() or (running is not None and running.is_alive()):
                continue
            self._jobs[job.name] = threading.Thread(target=self._do, args=(job,), name=f"job-{job.name}", daemon=True)
            self._jobs[job.name].start()
        self.deliver()

    def await_jobs(self, seconds: float) -> None:
        """Gives the jobs under way that long to end, all together."""
        deadline = time.monotonic() + seconds
        for thread in self._jobs.values():
            thread.join(timeout=max(0, deadline - time.monotonic()))

    def _do(self, job: jobs.Job) -> None:
        if jobs.run(self.app, job, now=clock.now()):
            with self.app.app_context():
                nudge()

    def deliver(self) -> None:
        """Sends until nothing is due, nothing would be taken, or the worker is told to stop.

        Asked again while it does so, this process looks once more and does not begin a second time beside it.
        """
        self._asked.set()
        while self._asked.is_set() and self._delivering.acquire(blocking=False):
            try:
                self._asked.clear()
                self._deliver()
            finally:
                self._delivering.release()

    def _deliver(self) -> None:
        with self.app.app_context():
            self.beat()
            if self._broke_off:
                self.take_over()
            self._broke_off = True
            while not self.stopping.is_set():
                done = batch.deliver_due(
                    self.app, now=clock.now(), holder=self.holder, is_stopping=self.stopping.is_set
                )
                self.beat()
                if done.claimed == 0 or done.halted:
                    break
            self._broke_off = False
            if not self.stopping.is_set():
                self._come_back()

    def take_over(self) -> None:
        """Makes due what this worker, or one before it under the same parent, had in its hands when it broke off.

        Must not be called while this worker delivers. Needs an application context.
        """
        if self.holder is None:
            return
        with write_transaction(db.session()):
            queue.take_over(db.session(), group=self.holder.partition(".")[0], now=clock.now())

    def beat(self) -> None:
        """Says that this worker lives, at most every BEAT_SECONDS. Needs an application context."""
        if self._beaten is not None and time.monotonic() - self._beaten < BEAT_SECONDS:
            return
        with write_transaction(db.session()):
            heartbeat.beat(db.session(), now=clock.now())
        self._beaten = time.monotonic()

    def _come_back(self) -> None:
        """Asks to be woken when the next mail falls due, where that is before the next look."""
        now, due = clock.now(), queries.next_due_at(db.session())
        db.session.rollback()
        if due is None or due - now >= EVERY:
            return
        at = max(due, now + timedelta(seconds=1))
        if self._next_at is not None and now < self._next_at <= at:
            return
        self._next_at = at
        # Not through the queue: `wake` takes what stands there for a worker about to look.
        self.huey.add_schedule(self._deliver_task.task_class(eta=at.astimezone(UTC).replace(tzinfo=None)))


def init_app(app: Flask) -> None:
    """Registers the app's wake-ups. Opens nothing."""
    app.extensions[EXTENSION] = Wakeups(app)


def of(app: Flask) -> Wakeups:
    """The app's wake-ups."""
    made: Wakeups = app.extensions[EXTENSION]
    return made


def nudge() -> None:
    """Wakes the worker after a commit. Never raises, and never waits for longer than a moment."""
    try:
        of(current_app).wake()
    except Exception as error:  # noqa: BLE001 - whatever it is, the mail is owed and the worker looks by itself
        log.warning("The mail worker could not be woken and will look within a minute: %s", error)

"""Wakes the worker and says when it looks by itself. Huey carries wake-ups and the clock, and never the truth.

The truth is the outbox table: a wake-up that is lost costs a minute, one too many costs a query. What else the clock
does stands in `jobs.JOBS`.
"""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, current_app

from eventreg import clock
from eventreg.db import db, write_transaction
from eventreg.outbox import heartbeat, queries, queue
from eventreg.wakeup_queue import Huey, TaskWrapper, crontab, open_queue

if TYPE_CHECKING:
    from eventreg.jobs import Job

EXTENSION = "eventreg.tasks"
EVERY = timedelta(minutes=1)
"""How often the worker looks without being woken."""
BEAT_SECONDS = 20
BRIEFLY = 0.1
"""Seconds a web process waits for the lock of Huey's SQLite file before it leaves the mail to the next minute."""

log = logging.getLogger(__name__)


class Wakeups:
    """One app's queue of wake-ups, and what a worker does at each. Nothing is opened before it is needed.

    Jobs and mail are imported where a worker comes to them: they need many libraries, and a web process only wakes.
    """

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
        huey = open_queue(engine, Path(self.app.instance_path), lock_seconds=self.lock_seconds)
        huey.periodic_task(crontab(), name="look_every_minute")(self.tick)
        return huey, huey.task(name="deliver_due")(self.deliver)

    def wake(self) -> None:
        """Asks the worker to look now. One that is asked and has not looked yet will see all that is committed."""
        if self.huey.storage.queue_size() == 0:
            self._deliver_task()

    def tick(self) -> None:
        """What happens every minute: each job of the clock in a thread of its own, so that none waits for another."""
        from eventreg.jobs import JOBS  # noqa: PLC0415 - see above

        with self.app.app_context():
            self.beat()
        for job in JOBS:
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

    def _do(self, job: "Job") -> None:
        from eventreg import jobs  # noqa: PLC0415 - see above

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
        from eventreg.mail import batch  # noqa: PLC0415 - see above

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

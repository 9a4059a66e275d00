"""The background worker: Huey's consumer, ended politely, so that a mail under way is finished or given back."""

import logging
import secrets
import signal
import threading
from types import FrameType
from typing import Any

from flask import Flask
from huey.consumer import Consumer

# Jobs and mail are imported before there are threads: two that import one library in different order block each other.
from eventreg import jobs, tasks  # noqa: F401
from eventreg.calendar import blocks
from eventreg.db import db, log_briefly, write_transaction
from eventreg.mail import batch  # noqa: F401

PATIENTLY = 5
SHUTDOWN_SECONDS = 3
"""How long a mail under way, and then the jobs of the clock, may take when the worker is told to end."""
THREADS = 2
"""One sends mail for as long as there is any; the other sees to it that the clock goes on meanwhile."""
LONGEST_NAP = 1.0
"""Seconds between looks at an SQLite queue; PostgreSQL wakes the worker itself."""


class MailConsumer(Consumer):
    """Huey's consumer, which tells the task under way to stop after its present mail."""

    def __init__(self, *arguments: Any, stopping: threading.Event, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._stopping = stopping
        for signum in (signal.SIGINT, signal.SIGTERM):
            self._signal_actions[signum] = (False, True)

    def _handle_signal(self, signum: int, frame: FrameType | None) -> None:
        self._stopping.set()
        super()._handle_signal(signum, frame)
        signal.signal(signum, signal.SIG_IGN)


def run(app: Flask, *, group: str | None = None, number: int = 0) -> None:
    """Works until SIGINT or SIGTERM. Must be called in the main thread of a process of its own.

    `group` names what starts workers one after the other, never two at once: what its earlier ones left in their
    hands when they died is taken over at once, instead of when their leases run out.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s worker: %(message)s")
    log_briefly()
    wakeups = tasks.of(app)
    wakeups.lock_seconds = PATIENTLY
    with app.app_context():
        _refresh_calendar(app)
        wakeups.beat()
        wakeups.holder = f"{group or secrets.token_hex(8)}.{number}"
        wakeups.take_over()
        wakeups.wake()
    consumer = MailConsumer(
        wakeups.huey,
        stopping=wakeups.stopping,
        workers=THREADS,
        initial_delay=0.05,
        max_delay=LONGEST_NAP,
        scheduler_interval=1,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    consumer.run()
    wakeups.await_jobs(SHUTDOWN_SECONDS)


def _refresh_calendar(app: Flask) -> None:
    """Feeds name BASE_URL; where it has changed since they were stored, they are written anew."""
    links = app.extensions["eventreg.links"]
    session = db.session()
    if blocks.is_noted(session, links) and not blocks.are_stale(session, links):
        return
    done: int | None = 0
    while done is not None:
        with write_transaction(session):
            done = blocks.rebuild(session, links, after_id=done)

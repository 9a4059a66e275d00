"""Two workers and two clocks on one database: one mail each, one reminder each, whatever the clock does."""

import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg import clock, jobs
from eventreg.db import db, write_transaction
from eventreg.events.models import Event
from eventreg.outbox.models import Message
from eventreg.registrations import reminders
from eventreg.registrations.models import Registration
from tests.support.live import EVENTREG, environment
from tests.support.making import SECRET_KEY
from tests.support.needs import ROOT
from tests.support.outbox import owe_about, states
from tests.support.smtp import SmtpServer, settings_for, wait_until

HOUR = timedelta(hours=1)
PEOPLE = [f"person{number}@example.org" for number in range(25)]
MakeApp = Callable[..., Flask]
MakeEvent = Callable[..., Event]
MakeRegistration = Callable[..., Registration]


@pytest.fixture
def two_workers(
    app: Flask, instance: Path, database_url: str, smtp_server: SmtpServer
) -> Iterator[Callable[[], list[subprocess.Popen[bytes]]]]:
    """Starts two workers, as two hosts would."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> list[subprocess.Popen[bytes]]:
        settings: dict[str, Any] = settings_for(smtp_server) | {"DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY}
        for number in range(2):
            with (instance / f"worker-{number}.log").open("ab") as log:
                started.append(
                    subprocess.Popen(
                        [*EVENTREG, "worker"], cwd=ROOT, env=environment(instance, **settings), stdout=log, stderr=log
                    )
                )
        return started

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_two_workers_send_every_mail_and_every_reminder_once(
    session: Session,
    make_event: MakeEvent,
    make_registration: MakeRegistration,
    smtp_server: SmtpServer,
    two_workers: Callable[[], list[subprocess.Popen[bytes]]],
    instance: Path,
) -> None:
    now = clock.now()
    event = make_event(starts_at=now + 24 * HOUR, remind_at=now)
    for person in PEOPLE:
        registration = make_registration(event, email=person, created_at=now - HOUR)
        owe_about(session, event, registration, now=now)
    session.rollback()
    two_workers()
    smtp_server.wait_for(2 * len(PEOPLE))
    wait_until(lambda: {state for _kind, state in states(session)} == {"sent"}, what="the marks")
    subjects = ("You are coming: A day of reflection", "Reminder: A day of reflection")
    got = Counter((mail["To"], mail["Subject"]) for mail in smtp_server.messages)
    assert got == {(person, subject): 1 for person in PEOPLE for subject in subjects}
    logs = [path.read_text() for path in sorted(instance.glob("worker-*.log"))]
    assert not any("Traceback" in log for log in logs), logs


def reminded(session: Session) -> Counter[str]:
    session.rollback()
    return Counter(session.scalars(select(Message.recipient).where(Message.kind == "reminder")))


def at_once(*works: Callable[[], object]) -> None:
    """Runs them in threads that begin together."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        barrier.wait()
        work()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_clocks_that_meet_at_the_same_event_queue_one_reminder_each(
    make_app: MakeApp, session: Session, now: datetime, make_event: MakeEvent, make_registration: MakeRegistration
) -> None:
    apps = [make_app(), make_app()]
    for _ in range(8):
        event = make_event(starts_at=now + 24 * HOUR, remind_at=now)
        make_registration(event, email=f"person{event.id}@example.org", created_at=now - HOUR)
    session.rollback()

    def work(app: Flask) -> None:
        with app.app_context():
            for _ in range(8):
                with write_transaction(db.session()):
                    reminders.queue_due(db.session(), now=now, limit=2)

    at_once(*(lambda app=app: work(app) for app in apps))  # type: ignore[misc]
    assert set(reminded(session).values()) == {1}
    assert len(reminded(session)) == 8


def test_two_ticks_of_two_workers_do_a_turn_once_and_the_clock_put_back_reminds_nobody_twice(
    make_app: MakeApp, session: Session, now: datetime, make_event: MakeEvent, make_registration: MakeRegistration
) -> None:
    apps = [make_app(), make_app()]
    (job,) = [one for one in jobs.JOBS if one.name == "reminders"]
    event = make_event(starts_at=now + 24 * HOUR, remind_at=now)
    make_registration(event, created_at=now - HOUR)
    session.rollback()
    for minute in (0, 1, -60, -59, -30, 0, 1, 2, 60):
        at = now + timedelta(minutes=minute)
        at_once(*(lambda app=app, at=at: jobs.run(app, job, now=at) for app in apps))  # type: ignore[misc]
    assert reminded(session) == {"amira@example.org": 1}

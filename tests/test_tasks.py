import pickle
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from eventreg import clock, tasks
from eventreg.db import db
from eventreg.outbox import heartbeat
from eventreg.wakeup_queue import PlainSerializer
from tests.support.outbox import message, owe, states
from tests.support.smtp import SmtpServer, settings_for

MakeApp = Callable[..., Flask]


def nudge(app: Flask) -> float:
    """Seconds it took."""
    started = time.monotonic()
    with app.app_context():
        tasks.nudge()
        db.session.remove()
    return time.monotonic() - started


def taken(app: Flask) -> Any:
    """The wake-up a worker would take now, if any."""
    huey = tasks.of(app).huey
    try:
        return huey.dequeue()
    finally:
        huey.storage.close()


def test_a_nudge_waits_for_the_worker_and_a_second_one_adds_nothing(app: Flask) -> None:
    for _ in range(3):
        nudge(app)
    assert tasks.of(app).huey.pending_count() == 1


def test_what_a_nudge_queued_is_what_the_worker_runs(app: Flask, session: Session) -> None:
    owed = owe(session, now=clock.now())
    nudge(app)
    task = taken(app)
    assert task is not None
    tasks.of(app).huey.execute(task)
    assert message(session, owed).state == "sent"
    assert taken(app) is None


def test_a_nudge_after_the_worker_took_the_last_one_is_a_new_one(app: Flask) -> None:
    nudge(app)
    assert taken(app) is not None
    nudge(app)
    assert tasks.of(app).huey.pending_count() == 1


@pytest.mark.sqlite_only
def test_a_nudge_never_raises(app: Flask, instance: Path, caplog: pytest.LogCaptureFixture) -> None:
    (instance / "huey.db").mkdir()
    nudge(app)
    assert "will look within a minute" in caplog.text


@pytest.mark.sqlite_only
def test_a_nudge_waits_only_a_moment_for_a_locked_file(
    app: Flask, instance: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nudge(app)
    taken(app)
    with closing(sqlite3.connect(instance / "huey.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert nudge(app) < 1
    assert "will look within a minute" in caplog.text
    nudge(app)
    assert tasks.of(app).huey.pending_count() == 1


def test_a_nudge_costs_little(app: Flask) -> None:
    nudge(app)
    assert sorted(nudge(app) for _ in range(20))[10] < 0.05


def test_nudges_from_many_threads_all_succeed(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    nudge(app)
    threads = [threading.Thread(target=nudge, args=(app,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert caplog.text == ""


def test_a_pickle_in_the_queue_is_not_opened(app: Flask) -> None:
    serializer = PlainSerializer()
    with pytest.raises(ValueError, match=r"decode|Expecting"):
        serializer.deserialize(pickle.dumps(PlainSerializer))


def test_delivering_goes_on_until_nothing_is_due_and_leaves_a_sign_of_life(
    make_app: MakeApp, session: Session, smtp_server: SmtpServer
) -> None:
    app, now = make_app(**settings_for(smtp_server)), clock.now()
    for number in range(45):
        owe(session, now=now, recipient=f"p{number}@example.org")
    tasks.of(app).deliver()
    assert len(smtp_server.messages) == 45
    assert set(states(session)) == {("test", "sent")}
    seen = heartbeat.last_seen(session)
    assert seen is not None
    assert timedelta(0) <= clock.now() - seen < timedelta(minutes=1)


def test_a_retry_due_within_the_minute_wakes_the_worker_once(
    make_app: MakeApp, session: Session, smtp_server: SmtpServer
) -> None:
    app = make_app(**settings_for(smtp_server))
    owed = owe(session, now=clock.now())
    smtp_server.stop()
    for _ in range(3):
        tasks.of(app).deliver()
    (scheduled,) = tasks.of(app).huey.scheduled()
    wait = message(session, owed).due_at - clock.now()
    assert timedelta(seconds=5) < wait <= timedelta(seconds=15)
    assert abs(scheduled.eta - message(session, owed).due_at.replace(tzinfo=None)) < timedelta(seconds=1)
    assert tasks.of(app).huey.pending_count() == 0


def test_told_to_stop_it_claims_nothing_more(app: Flask, session: Session) -> None:
    owe(session, now=clock.now())
    tasks.of(app).stopping.set()
    tasks.of(app).deliver()
    assert states(session) == [("test", "queued")]


def test_two_workers_at_once_send_every_mail_once(make_app: MakeApp, session: Session, smtp_server: SmtpServer) -> None:
    now = clock.now()
    for number in range(40):
        owe(session, now=now, recipient=f"p{number}@example.org")
    session.rollback()
    workers = [threading.Thread(target=tasks.Wakeups(make_app(**settings_for(smtp_server))).deliver) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(smtp_server.recipients) == sorted([f"p{number}@example.org"] for number in range(40))


@pytest.mark.sqlite_only
def test_a_wake_up_that_waited_before_the_worker_began_is_understood(make_app: Any) -> None:
    first, second = tasks.of(make_app()), tasks.of(make_app())
    first.wake()
    assert second.huey.dequeue() is not None

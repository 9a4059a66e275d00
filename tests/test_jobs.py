import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from eventreg import jobs, tasks
from eventreg.db import db
from eventreg.jobs import DAY, MINUTE, Job
from tests.support.outbox import owe, states

HOUR = timedelta(hours=1)


class Counted:
    """A job that counts what it is asked for."""

    def __init__(self, *, raising: Exception | None = None, did: int = 0) -> None:
        self.at: list[datetime] = []
        self.raising = raising
        self.did = did

    def __call__(self, _app: Flask, now: datetime) -> int:
        self.at.append(now)
        if self.raising is not None:
            raise self.raising
        return self.did


def test_each_turn_is_taken_once_however_many_workers_look(app: Flask, now: datetime) -> None:
    counted = Counted(did=3)
    job = Job("test", counted, every=MINUTE)
    times = [now, now, now + timedelta(seconds=59), now + MINUTE, now + MINUTE, now + 9 * MINUTE]
    assert [jobs.run(app, job, now=at) for at in times] == [3, 0, 0, 3, 0, 3]
    assert counted.at == [now, now + MINUTE, now + 9 * MINUTE]


def test_a_daily_job_is_done_on_the_first_look_of_each_day(app: Flask, now: datetime) -> None:
    counted = Counted()
    job = Job("test", counted, every=DAY)
    for at in (now, now + HOUR, now + 8 * HOUR, now + 9 * HOUR, now + 4 * DAY):
        jobs.run(app, job, now=at)
    assert counted.at == [now, now + 8 * HOUR, now + 4 * DAY]


def test_a_clock_that_was_put_back_does_not_stop_the_jobs(app: Flask, now: datetime) -> None:
    counted = Counted()
    job = Job("test", counted)
    for at in (now, now - HOUR, now - HOUR + MINUTE):
        jobs.run(app, job, now=at)
    assert counted.at == [now, now - HOUR, now - HOUR + MINUTE]


def test_two_workers_at_once_take_a_turn_once(app: Flask, now: datetime) -> None:
    counted, start = Counted(), threading.Barrier(4)
    job = Job("test", counted)

    def worker() -> None:
        start.wait()
        jobs.run(app, job, now=now)

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted.at == [now]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("no such thing"), "The job test failed and comes round again"),
        (OperationalError("", None, Exception("away")), "The job test could not be done and comes round again"),
    ],
)
def test_a_job_that_fails_is_logged_and_comes_round_again(
    app: Flask, now: datetime, caplog: pytest.LogCaptureFixture, error: Exception, words: str
) -> None:
    counted = Counted(raising=error)
    job = Job("test", counted)
    assert [jobs.run(app, job, now=at) for at in (now, now + MINUTE)] == [0, 0]
    assert len(counted.at) == 2
    assert words in caplog.text


def test_a_job_of_batches_goes_on_until_nothing_is_due(app: Flask, now: datetime) -> None:
    left = [250]

    def is_due(_session: Session, *, now: datetime) -> bool:
        return left[0] > 0

    def batch(_session: Session, *, now: datetime, limit: int) -> int:
        done = min(limit, left[0])
        left[0] -= done
        return done

    with app.app_context():
        assert jobs.in_batches(is_due, batch)(app, now) == 250
    assert left == [0]


def test_a_tick_does_every_job_and_the_mail_and_a_slow_or_failing_one_keeps_no_other(
    app: Flask, session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked, done = threading.Event(), threading.Event()
    slow = Counted()

    def stalls(app: Flask, at: datetime) -> int:
        slow(app, at)
        blocked.wait(30)
        return 0

    def good(_app: Flask, _now: datetime) -> int:
        done.set()
        return 0

    made = (Job("stalls", stalls), Job("fails", Counted(raising=ValueError("x"))), Job("good", good))
    monkeypatch.setattr(jobs, "JOBS", made)
    owe(session, now=now - timedelta(days=365))
    wakeups = tasks.of(app)
    wakeups.tick()
    assert done.wait(10)
    assert states(session) == [("test", "sent")]
    wakeups.tick()
    assert len(slow.at) == 1, "one that still runs is not begun again"
    blocked.set()
    wakeups.await_jobs(10)


def test_a_job_that_did_something_wakes_the_worker_for_the_mail_it_owes(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending: Callable[[], int] = tasks.of(app).huey.pending_count
    for did, expected in ((0, 0), (2, 1)):
        monkeypatch.setattr(jobs, "JOBS", (Job(f"does-{did}", Counted(did=did)),))
        tasks.of(app).tick()
        tasks.of(app).await_jobs(10)
        assert pending() == expected
    with app.app_context():
        db.session.remove()

"""A clock that ran ahead, and was put right, keeps nobody's mail for itself."""

from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy.orm import Session

from eventreg import jobs
from eventreg.db import write_transaction
from eventreg.outbox import queue
from eventreg.outbox.backoff import LONGEST_WAIT
from tests.support.outbox import message, owe

DAY = timedelta(days=1)


def claim(session: Session, now: datetime) -> list[int]:
    with write_transaction(session):
        return [one.id for one in queue.claim(session, limit=10, now=now)]


def run(app: Flask, now: datetime) -> int:
    (job,) = [one for one in jobs.JOBS if one.name == "stranded_mail"]
    return jobs.run(app, job, now=now)


def test_what_was_queued_while_the_clock_was_a_day_ahead_leaves_within_a_minute(
    app: Flask, session: Session, now: datetime
) -> None:
    early = owe(session, now=now + DAY)
    late = owe(session, now=now, recipient="amira@example.org")
    assert claim(session, now) == [late]
    assert run(app, now) == 1
    assert claim(session, now) == [early]


def test_what_a_worker_had_then_is_left_to_it_for_one_lease(app: Flask, session: Session, now: datetime) -> None:
    owed = owe(session, now=now + DAY)
    assert claim(session, now + DAY) == [owed]
    assert run(app, now) == 1
    assert message(session, owed).leased_until == now + queue.LEASE
    assert claim(session, now) == []
    assert claim(session, now + queue.LEASE) == [owed]


def test_what_waits_for_as_long_as_any_goes_on_waiting(app: Flask, session: Session, now: datetime) -> None:
    owe(session, now=now + LONGEST_WAIT)
    assert run(app, now) == 0
    assert claim(session, now) == []

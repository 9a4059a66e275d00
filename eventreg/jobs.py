"""What the clock does beside sending mail: one line a job in JOBS, looked at by every worker every minute.

A job takes the app, inside an application context, and `now`; it commits what it does and returns how much it did,
so that mail it may have queued leaves at once. It must be right when two workers run it at the same time: turns are
taken so that they seldom do, and nothing may depend on it. An error ends the job's turn, is logged, and meets no
other job. None may rely on the clock: it can stand still, jump ahead, or be put back.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.db import AWAY, db, upsert, write_transaction
from eventreg.events.models import Counter
from eventreg.following import rounds
from eventreg.incoming import mailbox
from eventreg.incoming import service as incoming
from eventreg.mail import kept
from eventreg.organizers import sign_ins
from eventreg.outbox import purge, stranded
from eventreg.registrations import confirming, offers, reminders, unasked

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
AT_ONCE = 100
"""Rows in one transaction of a job; between two of them others may write."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done every so often. `name` has at most 30 letters and stays the same between releases."""

    name: str
    run: Callable[[Flask, datetime], int]
    every: timedelta = MINUTE


class _Asked(Protocol):
    def __call__(self, session: Session, *, now: datetime) -> bool: ...


class _Batch(Protocol):
    def __call__(self, session: Session, *, now: datetime, limit: int) -> int: ...


def in_batches(is_due: _Asked, batch: _Batch, *, limit: int = AT_ONCE) -> Callable[[Flask, datetime], int]:
    """A job made of a service: does up to `limit` in a transaction of its own, returns how many, until that is none."""

    def run(_app: Flask, now: datetime) -> int:
        done = count = 0
        session = db.session()
        while is_due(session, now=now):
            with write_transaction(session):
                count = batch(session, now=now, limit=limit)
            done += count
            if count == 0:
                break
        session.rollback()
        return done

    return run


def _forget_mail(app: Flask, now: datetime) -> int:
    """The words of mails that are older than MAIL_KEEP_DAYS, and the files of kept ones."""
    days = app.config["MAIL_KEEP_DAYS"]
    if days == 0:
        return 0
    before, session = now - timedelta(days=days), db.session()
    while purge.is_old(session, before=before):
        with write_transaction(session):
            purge.forget(session, before=before, limit=AT_ONCE)
    session.rollback()
    kept.remove_before(Path(app.config["MAIL_FOLDER"]), before)
    return 0


def _look_after_offers(app: Flask, now: datetime) -> int:
    """Those first that nobody has been told of: their time must not pass."""
    again = in_batches(unasked.are_due, unasked.ask_again)(app, now)
    return again + in_batches(offers.are_due, offers.expire)(app, now)


JOBS: tuple[Job, ...] = (
    Job("mailbox", mailbox.poll),
    Job("received_mail", in_batches(incoming.is_old, incoming.forget), DAY),
    Job("reminders", in_batches(reminders.are_due, reminders.queue_due, limit=1)),
    Job("offers", _look_after_offers),
    Job("stranded_mail", in_batches(stranded.are_due, stranded.bring_back)),
    Job("followed calendars", rounds.fetch_due),
    Job("forget_mail", _forget_mail, DAY),
    Job("unconfirmed_answers", in_batches(confirming.are_old, confirming.delete_old), HOUR),
    Job("old_sign_ins", in_batches(sign_ins.are_old, sign_ins.delete_old), DAY),
)


def run(app: Flask, job: Job, *, now: datetime) -> int:
    """Runs the job when its time has come round and no worker has taken this turn; how much it did. Never raises."""
    with app.app_context():
        try:
            return job.run(app, now) if _take_turn(db.session(), job, now) else 0
        except AWAY as error:
            log.warning("The job %s could not be done and comes round again: %s", job.name, error)
        except Exception:
            log.exception("The job %s failed and comes round again", job.name)
        return 0


def _take_turn(session: Session, job: Job, now: datetime) -> bool:
    """Whether this worker is the one to do it: the first in this minute, or day, or whatever `every` is, in UTC.

    A clock that was put back meets another turn than the one last taken, and so does the job again.
    """
    key, turn = f"job:{job.name}", int(now.timestamp() // job.every.total_seconds())
    last = session.scalar(select(Counter.value).where(Counter.key == key))
    session.rollback()
    if last == turn:
        return False
    with write_transaction(session):
        taken = session.scalar(
            upsert(session, Counter)
            .values(key=key, value=turn)
            .on_conflict_do_update(index_elements=["key"], set_={"value": turn}, where=Counter.value != turn)
            .returning(Counter.value)
        )
    return taken is not None

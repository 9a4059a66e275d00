"""Looks for what is wrong with an installation: one line a fault, nothing changed."""

from datetime import datetime

from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from eventreg import settings, storage
from eventreg.calendar import blocks
from eventreg.db import db
from eventreg.incoming import mailbox
from eventreg.links import Links
from eventreg.mail import deliver
from eventreg.migrations import comparing, head_revision, is_behind, revision_of
from eventreg.outbox import heartbeat, queries
from eventreg.registrations import offers, seats, waitlist
from eventreg.web.limits import limiter


def faults(app: Flask, *, now: datetime) -> list[str]:
    """Every fault found, as a sentence that names the way out."""
    return [*settings.misspelt(app), *storage.exposure_faults(app), *_database_faults(app, now=now)]


def _database_faults(app: Flask, *, now: datetime) -> list[str]:
    """What is wrong with the database; while it can be used, also what it says of everything else."""
    if (fault := storage.permission_fault(app)) is not None:
        return [fault]
    session = db.session()
    try:
        revision = revision_of(session)
    except OperationalError as error:
        return [f"The database cannot be used: {str(error.orig).splitlines()[0]}"]
    if is_behind(revision):
        return [f"The database is at migration {revision or 'none'}, not {head_revision()}: run `eventreg db upgrade`."]
    if revision != head_revision():
        return [f"The database is at migration {revision}, newer than this release: bring the new release here, too."]
    if schema := _schema_faults(session):
        return schema
    return [
        *_storage_faults(app),
        *_seat_faults(session, now),
        *_calendar_faults(app, session),
        *_mail_faults(app),
        *_mailbox_faults(app),
        *_counter_faults(app),
        *_worker_faults(session, now),
    ]


def _schema_faults(session: Session) -> list[str]:
    """What the migrations left is what the models need. Counting anything else would fail on a missing column."""
    return [
        f"The database's schema differs from this release's: {difference}. Restore a backup, or put it right by hand."
        for difference in comparing.differences(session.connection(), db.metadata)
    ]


def _storage_faults(app: Flask) -> list[str]:
    fault = storage.write_fault(app)
    return [] if fault is None else [fault]


def _seat_faults(session: Session, now: datetime) -> list[str]:
    miscounted = [
        f"Event {slug} counts {counter} seats taken, but its registrations hold {rows}."
        for slug, counter, rows in seats.recount(session)
    ]
    stuck = [
        f"Event {slug} has free seats, and somebody waits who fits: move them up on its list of people."
        for slug in waitlist.stuck(session, now)
    ]
    overdue = [
        f"Event {slug} has offers whose time has passed: start `eventreg serve` or `eventreg worker`."
        for slug in offers.overdue(session, now)
    ]
    return [*miscounted, *stuck, *overdue]


def _calendar_faults(app: Flask, session: Session) -> list[str]:
    """Only where BASE_URL is set: otherwise it is whatever address the service was last started on.

    Before its first start nothing was shown yet, and the start writes the entries anew.
    """
    links: Links = app.extensions["eventreg.links"]
    has_served = heartbeat.last_seen(session) is not None
    if has_served and links.base_url != settings.DEFAULT_BASE_URL and blocks.are_stale(session, links):
        return ["The stored calendar entries name another BASE_URL: start `eventreg serve`, which rewrites them."]
    return []


def _mail_faults(app: Flask) -> list[str]:
    if not app.config["MAIL_SERVER"]:
        return []
    reason = deliver.reach(app)
    return (
        [f"The mail server {app.config['MAIL_SERVER']}:{app.config['MAIL_PORT']} cannot be used: {reason}"]
        if reason
        else []
    )


def _mailbox_faults(app: Flask) -> list[str]:
    reason = mailbox.trouble(app)
    return [reason] if reason else []


def _counter_faults(app: Flask) -> list[str]:
    if not app.config["REDIS_URL"] or limiter.storage.check():
        return []
    return ["The Redis server of REDIS_URL does not answer: each web process counts its rate limits by itself."]


def _worker_faults(session: Session, now: datetime) -> list[str]:
    """A worker that is missed: mail is due and nobody has come for it."""
    due = queries.next_due_at(session)
    if due is None or now - due < heartbeat.SILENCE or heartbeat.is_heard(session, now=now):
        return []
    return [
        f"Mail waits since {due:%Y-%m-%d %H:%M} UTC and no worker runs: start `eventreg serve` or `eventreg worker`."
    ]

"""Followed calendars read when they are due: what the worker does with them, and how it fares."""

import logging
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import cast

from flask import Flask
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.orm import Session

from eventreg.calendar import reading
from eventreg.calendar.reading import Reading
from eventreg.db import db, write_transaction
from eventreg.events import importing
from eventreg.events.importing import Outcome
from eventreg.following import taking
from eventreg.following.fetching import Fetched, Fetcher, FetchError
from eventreg.following.models import FollowedCalendar
from eventreg.following.service import load

EVERY = timedelta(hours=1)
LONGEST_WAIT = timedelta(hours=24)
LEASE = timedelta(minutes=15)
"""A worker that has not come back with a calendar by then is taken for dead."""
FARTHEST = LONGEST_WAIT + timedelta(hours=1)
"""What is to be read later than this was put off by a clock that ran ahead; hosts' clocks differ by less."""
MOST_IN_A_TURN = 20
MOST_LINES = 30
"""Of skipped events in a report."""

log = logging.getLogger(__name__)


def fetch_due(app: Flask, now: datetime, *, fetcher: Fetcher | None = None) -> int:
    """Reads the calendars that are due, each by one worker only; how many. Needs an application context. Commits."""
    done = 0
    while done < MOST_IN_A_TURN and (claimed := _claim(db.session(), now)) is not None:
        calendar_id, lease = claimed
        fetcher = fetcher or fetcher_of(app)
        try:
            _read(app, calendar_id, lease, fetcher, now)
        except Exception:
            log.exception("The followed calendar %s could not be taken over", calendar_id)
            db.session.rollback()
            _fail(calendar_id, lease, _("Something went wrong on this site; its log says more."), now)
        done += 1
    return done


def fetcher_of(app: Flask) -> Fetcher:
    """Fetches by the settings.

    The agent begins as a browser's does, since some servers refuse any other, and is true: `compatible` and the
    address are how crawlers name themselves.
    """
    links = app.extensions["eventreg.links"]
    agent = f"Mozilla/5.0 (compatible; eventreg/{version('eventreg')}; +{links.absolute('/')})"
    return Fetcher(own_host=links.host, agent=app.config["FOLLOW_USER_AGENT"] or agent)


def _claim(session: Session, now: datetime) -> tuple[int, datetime] | None:
    """(id, end of the lease) of a calendar that is due and that nobody else has taken in this moment."""
    at = FollowedCalendar.next_fetch_at
    query = (
        select(FollowedCalendar.id, FollowedCalendar.next_fetch_at)
        .where(or_(at <= now, at > now + FARTHEST))
        .order_by(FollowedCalendar.next_fetch_at, FollowedCalendar.id)
        .limit(MOST_IN_A_TURN)
    )
    due = session.execute(query).all()
    session.rollback()
    lease = now + LEASE
    for calendar_id, seen in due:
        if seen is None:
            continue
        with write_transaction(session):
            if _reschedule(session, calendar_id, seen=seen, to=lease):
                return calendar_id, lease
    return None


def _reschedule(session: Session, calendar_id: int, *, seen: datetime, to: datetime) -> bool:
    """Moves its next reading, unless somebody moved it since."""
    statement = (
        update(FollowedCalendar)
        .where(FollowedCalendar.id == calendar_id, FollowedCalendar.next_fetch_at == seen)
        .values(next_fetch_at=to)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[tuple[()]]", session.execute(statement)).rowcount == 1


def _read(app: Flask, calendar_id: int, lease: datetime, fetcher: Fetcher, now: datetime) -> None:
    session = db.session()
    calendar = session.get(FollowedCalendar, calendar_id)
    if calendar is None:
        return
    url, etag, last_modified = calendar.url, calendar.etag, calendar.last_modified
    if _is_weekly_reading(calendar, now):
        etag = last_modified = ""
    session.rollback()  # nothing is held while a stranger's server takes its time
    try:
        fetched = fetcher.fetch(url, etag=etag, last_modified=last_modified)
    except FetchError as error:
        _fail(calendar_id, lease, str(error), now)
        return
    if fetched.data is None:
        _settle(calendar_id, lease, None, fetched, [], now)
        return
    found = reading.read(fetched.data, now=now, default_timezone=app.config["DEFAULT_TIMEZONE"])
    if not found.is_calendar:
        _fail(
            calendar_id, lease, _("What its server sends is no calendar. Look for an address that ends in .ics."), now
        )
        return
    outcomes: list[Outcome] = []
    for items in importing.portions(found.items):
        with write_transaction(session):
            source = session.get(FollowedCalendar, calendar_id, with_for_update=True, populate_existing=True)
            if source is None or source.next_fetch_at != lease:
                return  # given up, paused, or taken over by another worker meanwhile
            taking.give_title(session, source, found.title)
            outcomes += [taking.take(session, item=item, source=source, now=now) for item in items]
    _settle(calendar_id, lease, found, fetched, outcomes, now)


def _is_weekly_reading(calendar: FollowedCalendar, now: datetime) -> bool:
    """On Mondays it is read whole once, changed or not: its series have come a week nearer to the horizon."""
    return now.weekday() == 0 and (calendar.fetched_at is None or calendar.fetched_at.date() != now.date())


def _settle(
    calendar_id: int, lease: datetime, found: Reading | None, fetched: Fetched, outcomes: list[Outcome], now: datetime
) -> None:
    session = db.session()
    with write_transaction(session):
        if not _reschedule(session, calendar_id, seen=lease, to=now + EVERY):
            return
        calendar = load(session, calendar_id)
        cancelled = 0
        if found is None or found.is_complete:
            seen = None if found is None else {item.uid for item in found.items if not item.is_cancelled}
            unread = [] if found is None else [*(one for one in found.skipped if one.is_unread), *found.partly]
            cancelled = taking.settle_missing(session, source=calendar, seen=seen, unread=unread, now=now)
        calendar.fetched_at, calendar.failures = now, 0
        if found is not None:
            keeps = found.is_complete
            calendar.etag = fetched.etag if keeps else ""
            calendar.last_modified = fetched.last_modified if keeps else ""
            taking.give_title(session, calendar, found.title)
            calendar.report = _report(found, outcomes, cancelled)


def _fail(calendar_id: int, lease: datetime, why: str, now: datetime) -> None:
    """Asked again later and later, at least once a day. What is here stays."""
    session = db.session()
    with write_transaction(session):
        calendar = session.get(FollowedCalendar, calendar_id, with_for_update=True, populate_existing=True)
        if calendar is None or calendar.next_fetch_at != lease:
            return
        calendar.next_fetch_at = now + min(EVERY * 2 ** min(calendar.failures, 5), LONGEST_WAIT)
        calendar.failures += 1
        calendar.report = why


def _report(found: Reading, outcomes: list[Outcome], cancelled: int) -> str:
    totals = importing.totals(outcomes)
    left_out = [one for one in outcomes if one.kind == "skipped"]
    lines = [
        _(
            "%(taken)s new, %(changed)s changed, %(cancelled)s cancelled because they are missing, "
            "%(unchanged)s unchanged, %(skipped)s left out.",
            **{**totals, "cancelled": cancelled, "skipped": len(left_out) + len(found.skipped)},
        )
    ]
    if not found.is_complete:
        lines.append(_("It came incomplete or could not all be read, so nothing was cancelled for being missing."))
    named = _named(found, left_out)
    lines += [f"{title}: {why}" if title else why for title, why in named[:MOST_LINES]]
    if len(named) > MOST_LINES:
        lines.append(ngettext("And %(num)s more.", "And %(num)s more.", len(named) - MOST_LINES))
    return "\n".join(lines)


def _named(found: Reading, left_out: list[Outcome]) -> list[tuple[str, str]]:
    """(title, why) of what was left out, each once; what concerns the whole file or was not understood comes first."""
    whole = [one for one in found.skipped if not (one.title or one.uid)]
    unread = [*found.partly, *(one for one in found.skipped if one.is_unread)]
    named = [(one.title or one.uid, one.why) for one in (*whole, *unread)]
    named += [(one.title or one.uid, one.why) for one in left_out]
    named += [(one.title or one.uid, one.why) for one in found.skipped]
    return [*dict.fromkeys(named)]

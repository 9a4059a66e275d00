"""The public feeds: a header and the stored blocks of the events in it.

The ETag comes from one aggregate query, before any block is read; a calendar program that asks every hour mostly
costs that query. Source of the header: RFC 7986.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask_babel import gettext as _
from icalendar import vDuration, vUri
from sqlalchemy import ColumnElement, func, literal, or_, select
from sqlalchemy.orm import Session

from eventreg.calendar.text import Text, one_line
from eventreg.calendar.vevent import calendar
from eventreg.events.listing import LISTED, about
from eventreg.events.models import Event
from eventreg.events.search import fold, name_key
from eventreg.links import Links

BACK = timedelta(days=180)
AHEAD = timedelta(days=548)
"""18 months."""
REFRESH = timedelta(hours=1)
END = b"END:VCALENDAR\r\n"
_HAS_BLOCK = Event.ics_digest != 0
"""Asked of the digest, so that no block is touched."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which public events; names of categories and audiences count by their keys, `q` as the list's search does."""

    category: str = ""
    audience: str = ""
    q: str = ""

    def conditions(self, now: datetime) -> list[ColumnElement[bool]]:
        """What an event must meet to be in the feed."""
        chosen = about(q=self.q, category=name_key(self.category), audience=name_key(self.audience))
        return [LISTED, *in_window(now), *chosen]

    def query(self) -> str:
        """The selection as the query of its address, in one spelling only."""
        named = {"category": name_key(self.category), "audience": name_key(self.audience), "q": fold(self.q)}
        chosen = {name: value for name, value in named.items() if value}
        return f"?{urlencode(chosen)}" if chosen else ""


@dataclass(frozen=True, slots=True)
class State:
    """What a feed's bytes depend on beside its address; `last_modified` also covers events that left it."""

    count: int
    digests: int
    changed_at: datetime | None
    category: str
    last_modified: datetime


def in_window(now: datetime) -> list[ColumnElement[bool]]:
    """From 180 days back to 18 months ahead, by whole UTC days; a cancelled event goes once its day has passed."""
    today = day_of(now)
    return [
        Event.starts_at < today + AHEAD,
        Event.ends_at >= today - BACK,
        or_(Event.status != "cancelled", Event.ends_at >= today),
    ]


def day_of(now: datetime) -> datetime:
    """The UTC day's first instant."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def state(session: Session, chosen: Selection, *, now: datetime) -> State:
    """One statement, and no block read.

    `last_modified` is never before today's first instant, when the window moved, nor before the last change of any
    event at all: one that was withdrawn from the feed no longer counts among those in it.
    """
    newest: Any = select(func.max(Event.updated_at)).scalar_subquery()
    named: Any = func.min(Event.category) if name_key(chosen.category) else literal("")
    query = select(func.count(), func.sum(Event.ics_digest), func.max(Event.updated_at), named, newest)
    query = query.where(*chosen.conditions(now), _HAS_BLOCK)
    count, digests, changed_at, category, any_change = session.execute(query).one()
    return State(
        count=count,
        digests=int(digests or 0),
        changed_at=changed_at,
        category=category or chosen.category,
        last_modified=max(any_change or day_of(now), day_of(now)),
    )


def read(session: Session, chosen: Selection, seen: State, *, now: datetime) -> tuple[State, list[bytes]]:
    """The blocks in order, and the state true of exactly them, should a change have come in between."""
    query = (
        select(Event.ics_block, Event.ics_digest, Event.updated_at)
        .where(*chosen.conditions(now), _HAS_BLOCK)
        .order_by(Event.starts_at, Event.uid)
    )
    rows = session.execute(query).all()
    found = replace(
        seen,
        count=len(rows),
        digests=sum(row.ics_digest for row in rows),
        changed_at=max((row.updated_at for row in rows), default=None),
    )
    return found, [row.ics_block for row in rows]


def head(chosen: Selection, found: State, *, links: Links, site_name: str) -> bytes:
    """Everything before the first event."""
    name = one_line(site_name)
    if name_key(chosen.category):
        name = _("%(site)s: %(category)s", site=name, category=one_line(found.category))
    about = _("Public events. Changes show within an hour. Some programs take a day.")
    address = links.absolute(f"/calendar.ics{chosen.query()}")
    return calendar_head(
        name=name, about=about, source=address, page=links.absolute("/events/"), changed_at=found.changed_at
    )


def calendar_head(*, name: str, about: str, source: str, page: str, changed_at: datetime | None) -> bytes:
    """A subscribed calendar's own properties. icalendar omits the VALUE parameters RFC 7986 asks for."""
    made = calendar()
    for key, text in (("NAME", name), ("X-WR-CALNAME", name), ("DESCRIPTION", about), ("X-WR-CALDESC", about)):
        made.add(key, Text(text))
    made.add("REFRESH-INTERVAL", vDuration(REFRESH, params={"VALUE": "DURATION"}))
    made.add("X-PUBLISHED-TTL", vDuration(REFRESH))
    made.add("SOURCE", vUri(source, params={"VALUE": "URI"}))
    made.add("URL", vUri(page))
    if changed_at is not None:
        made.add("LAST-MODIFIED", changed_at.replace(microsecond=0))
    return bytes(made.to_ical()).removesuffix(END)


def etag(header: bytes, found: State) -> str:
    """A strong tag: the header's bytes, how many blocks follow and what their digests add up to."""
    return hashlib.sha256(b"%s%d %d" % (header, found.count, found.digests)).hexdigest()[:32]


def joined(header: bytes, blocks: Iterable[bytes]) -> bytes:
    """The whole feed."""
    return b"".join([header, *blocks, END])

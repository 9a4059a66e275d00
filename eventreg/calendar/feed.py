"""The public feeds: a header and the stored blocks of the events in it.

A web process keeps the finished bytes (`web/page_cache.py`) until the counter of changed events or the day moves, so
a calendar program that asks every hour costs one small statement. Source of the header: RFC 7986.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from eventreg import timezones
from eventreg.calendar.entry_text import END, HEAD
from eventreg.calendar.lines import folded_line, instant, text_line
from eventreg.calendar.text import one_line
from eventreg.events import wording
from eventreg.events.matching import about
from eventreg.events.models import Event
from eventreg.events.search import fold, name_key
from eventreg.events.spans import LISTED, ending_after, joined
from eventreg.links import Links

BACK = timedelta(days=180)
AHEAD = timedelta(days=548)
"""18 months."""
REFRESH = b"PT1H"
_HAS_BLOCK = Event.ics_digest != 0
"""Asked of the digest, so that no block is touched."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which public events; names of categories and audiences count by their keys, `q` as the list's search does.

    `from_on` and `to_on` are days of `timezone`, the site's, as the list has them.
    """

    category: str = ""
    audience: str = ""
    q: str = ""
    from_on: date | None = None
    to_on: date | None = None
    timezone: str = "UTC"

    def entries(self, session: Session, now: datetime) -> Select[Any]:
        """(ics_block, updated_at, category, audience) of every event in the feed, by time."""
        columns = (Event.ics_block, Event.updated_at, Event.category, Event.audience, Event.starts_at, Event.uid)
        common = [LISTED, *in_window(now), _HAS_BLOCK]
        found = joined(ending_after(day_of(now) - BACK, common, self.sought(session)), *columns).c
        shown = (found.ics_block, found.updated_at, found.category, found.audience)
        return select(*shown).order_by(found.starts_at, found.uid)

    def sought(self, session: Session) -> list[ColumnElement[bool]]:
        """What is asked of an event beside the feed's own span of time."""
        asked = about(session, q=self.q, category=name_key(self.category), audience=name_key(self.audience))
        if self.from_on is not None:
            asked.append(Event.ends_at > timezones.day_start(self.from_on, self.timezone))
        if self.to_on is not None:
            asked.append(Event.starts_at < timezones.day_start(self.to_on + timedelta(days=1), self.timezone))
        return asked

    def query(self) -> str:
        """The selection as the query of its address, in one spelling only."""
        named = {
            "category": name_key(self.category),
            "audience": name_key(self.audience),
            "q": fold(self.q),
            "from": self.from_on.isoformat() if self.from_on else "",
            "to": self.to_on.isoformat() if self.to_on else "",
        }
        chosen = {name: value for name, value in named.items() if value}
        return f"?{urlencode(chosen)}" if chosen else ""

    def named(self, site_name: str, *, category: str = "", audience: str = "") -> str:
        """What a program that shows several calendars calls this one; the names as events spell them."""
        parts = []
        if name_key(self.category):
            parts.append(one_line(category or self.category))
        if name_key(self.audience):
            parts.append(_("for %(audience)s", audience=one_line(audience or self.audience)))
        if fold(self.q):
            parts.append(_("“%(words)s”", words=one_line(self.q)))
        if self.from_on is not None:
            parts.append(_("from %(day)s", day=wording.full_day(self.from_on)))
        if self.to_on is not None:
            parts.append(_("until %(day)s", day=wording.full_day(self.to_on)))
        site = one_line(site_name)
        return _("%(site)s: %(category)s", site=site, category=", ".join(parts)) if parts else site


@dataclass(frozen=True, slots=True)
class Found:
    """What a feed shows now; `last_modified` also covers events that left it."""

    blocks: Sequence[bytes]
    changed_at: datetime | None
    category: str
    audience: str
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


def read(session: Session, chosen: Selection, *, now: datetime) -> Found:
    """The stored entries in order, by two statements."""
    rows = session.execute(chosen.entries(session, now)).all()
    category, audience = name_key(chosen.category), name_key(chosen.audience)
    categories = [row.category for row in rows] if category else []
    named = {name for row in rows for name in row.audience.split(", ")} if audience else set()
    return Found(
        blocks=[row.ics_block for row in rows if row.ics_block],
        changed_at=max((row.updated_at for row in rows), default=None),
        category=min(categories, default=chosen.category),
        audience=min((name for name in named if name_key(name) == audience), default=chosen.audience),
        last_modified=last_modified(session, now=now),
    )


def last_modified(session: Session, *, now: datetime) -> datetime:
    """When a feed may last have changed.

    Never before today's first instant, when the window moved, nor before the last change of any event at all: one
    that was withdrawn from the feed no longer counts among those in it.
    """
    newest = session.scalar(select(func.max(Event.updated_at)))
    return max(newest or day_of(now), day_of(now))


def head(chosen: Selection, found: Found, *, links: Links, site_name: str) -> bytes:
    """Everything before the first event."""
    name = chosen.named(site_name, category=found.category, audience=found.audience)
    about = _("Public events. Changes show within an hour. Some programs take a day.")
    address = links.absolute(f"/calendar.ics{chosen.query()}")
    return calendar_head(
        name=name, about=about, source=address, page=links.absolute("/events/"), changed_at=found.changed_at
    )


def calendar_head(*, name: str, about: str, source: str, page: str, changed_at: datetime | None) -> bytes:
    """A subscribed calendar's own properties, in icalendar's order."""
    lines = [
        text_line(b"DESCRIPTION", about),
        text_line(b"X-WR-CALDESC", about),
        text_line(b"NAME", name),
        text_line(b"X-WR-CALNAME", name),
        *([] if changed_at is None else [b"LAST-MODIFIED:" + instant(changed_at)]),
        b"REFRESH-INTERVAL;VALUE=DURATION:" + REFRESH,
        folded_line(b"SOURCE;VALUE=URI:" + source.encode()),
        folded_line(b"URL:" + page.encode()),
        b"X-PUBLISHED-TTL:" + REFRESH,
        b"",
    ]
    return HEAD + b"\r\n".join(lines)


def build(found: Found, chosen: Selection, *, links: Links, site_name: str) -> bytes:
    """The whole feed; the same events give the same bytes on every host, wherever the window stands."""
    return assembled(head(chosen, found, links=links, site_name=site_name), found.blocks)


def assembled(header: bytes, blocks: Iterable[bytes]) -> bytes:
    """The whole feed."""
    return b"".join([header, *blocks, END])

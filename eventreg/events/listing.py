"""Finding events that anybody may see: the list and a month.

Listed are public events that are not drafts; a cancelled one stays, saying so, until its date has passed. Days
asked for are days of the site's own zone. Without a first day the list begins now; with one, it is taken at its
word, also where that lies in the past. `past` turns the list round: what has ended, the latest first.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, defer

from eventreg import timezones
from eventreg.events import spans
from eventreg.events.matching import about
from eventreg.events.models import Counter, Event
from eventreg.events.revision import KEY
from eventreg.events.spans import LISTED, Conditions, stays

PAGE_SIZE = 20
MOST_COUNTED = 500
"""Beyond so many, a list says “more than”: a count would have to read every event."""
_LARGEST_ID = 2**31 - 1
"""PostgreSQL refuses to compare with a larger one."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What somebody is looking for; every part may be left out, and all that are there must hold.

    `category` and `audience` are keys as of `events.search.name_key`.
    """

    q: str = ""
    category: str = ""
    audience: str = ""
    from_on: date | None = None
    to_on: date | None = None
    past: bool = False
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        """Whether it leaves anything out that the plain list shows."""
        return replace(self, page=1) != EventFilter()


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the order of a list an event stands; a link to the next page carries the last one's.

    >>> Place.read("1792436400000000.12").written()
    '1792436400000000.12'
    """

    starts_at: datetime
    event_id: int

    def written(self) -> str:
        """As an address carries it."""
        return f"{(self.starts_at - _EPOCH) // timedelta(microseconds=1)}.{self.event_id}"

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """Back from an address; None when it is none."""
        found = re.fullmatch(r"(-?[0-9]{1,16})\.([0-9]{1,10})", text)
        if found is None or int(found[2]) > _LARGEST_ID:
            return None
        return cls(_EPOCH + timedelta(microseconds=int(found[1])), int(found[2]))


@dataclass(frozen=True, slots=True)
class Page:
    """One page of what was found. `number` may lie beyond `pages`; `events` is empty then.

    `total` stops at MOST_COUNTED + 1.
    """

    events: Sequence[Event]
    total: int
    number: int
    has_next: bool

    @property
    def is_counted(self) -> bool:
        """Whether `total` and `pages` are all there are."""
        return self.total <= MOST_COUNTED

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, math.ceil(self.total / PAGE_SIZE))

    @property
    def first(self) -> str:
        """The place of its first event, for the link to the page before; empty without events."""
        return Place(self.events[0].starts_at, self.events[0].id).written() if self.events else ""

    @property
    def last(self) -> str:
        """The place of its last event, for the link to the page after; empty without events."""
        return Place(self.events[-1].starts_at, self.events[-1].id).written() if self.events else ""


class Spell(NamedTuple):
    """An event's time, from which its days follow."""

    id: int
    starts_at: datetime
    ends_at: datetime
    timezone: str


class Ground(NamedTuple):
    """What all lists stand on: they are the same until an event changes or the next listed one ends."""

    counted: int
    """How often any event has changed."""
    next_end: datetime | None
    first_start: datetime | None
    last_end: datetime | None
    """When the first listed event begins and the last one ends; None without any."""


def ground(session: Session, *, now: datetime) -> Ground:
    """One statement; its smallest and largest values are ends of an index."""
    counted = select(Counter.value).where(Counter.key == KEY).scalar_subquery()
    next_end: Any = select(func.min(Event.ends_at)).where(LISTED, Event.ends_at > now).scalar_subquery()
    first: Any = select(func.min(Event.starts_at)).where(LISTED).scalar_subquery()
    last: Any = select(func.max(Event.ends_at)).where(LISTED).scalar_subquery()
    row = session.execute(select(counted, next_end, first, last)).one()
    return Ground(row[0] or 0, *row[1:])


def find(
    session: Session,
    wanted: EventFilter,
    *,
    now: datetime,
    timezone: str,
    after: Place | None = None,
    before: Place | None = None,
) -> Page:
    """The wanted page of events, counted from the place before or after it where that is known.

    Three statements, whatever is asked, and one more for words on SQLite.
    """
    parts = _parts(session, wanted, now, timezone)
    total = _total(session, parts)
    back = before is not None and wanted.page > 1
    at = (before if back else after) if wanted.page > 1 else None
    offset = 0 if at else (wanted.page - 1) * PAGE_SIZE
    ids = _ids(session, parts, at=at, offset=offset, descending=wanted.past != back)
    has_next = back or len(ids) > PAGE_SIZE
    ids = ids[:PAGE_SIZE][::-1] if back else ids[:PAGE_SIZE]
    known = load(session, ids)
    return Page([known[each] for each in ids], total, wanted.page, has_next)


def load(session: Session, ids: Iterable[int]) -> dict[int, Event]:
    """The events of a list, without their long texts."""
    query = select(Event).options(defer(Event.description), defer(Event.search_text)).where(Event.id.in_(set(ids)))
    return {event.id: event for event in session.scalars(query)}


def month(session: Session, wanted: EventFilter, *, first: date, now: datetime, timezone: str) -> dict[date, list[int]]:
    """The events of each busy day of the month beginning on `first`, in order, by words, category and audience.

    A day more on either side is asked for, because the days of a month are those of each event's own zone.
    """
    a_day, last = timedelta(days=1), month_end(first)
    asked = replace(wanted, from_on=first - a_day, to_on=last + a_day, past=False)
    columns = (Event.id, Event.starts_at, Event.ends_at, Event.timezone)
    found = spans.joined(_parts(session, asked, now, timezone), *columns)
    rows = session.execute(select(found).order_by(found.c.starts_at, found.c.id))
    return by_day([Spell(*row) for row in rows], first=first, last=last)


def month_end(first: date) -> date:
    """The last day of the month that begins on `first`.

    >>> month_end(date(2026, 2, 1))
    datetime.date(2026, 2, 28)
    """
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def by_day(spells: Sequence[Spell], *, first: date, last: date) -> dict[date, list[int]]:
    """The events of each day from `first` to `last`, by the calendar of each event's own zone; busy days only."""
    days: dict[date, list[int]] = {}
    for spell in spells:
        day = max(first, timezones.local_date(spell.starts_at, spell.timezone))
        # An event that ends at midnight ends on the day before.
        end = min(last, timezones.local_date(spell.ends_at - timedelta(microseconds=1), spell.timezone))
        while day <= end:
            days.setdefault(day, []).append(spell.id)
            day += timedelta(days=1)
    return dict(sorted(days.items()))


def _parts(session: Session, wanted: EventFilter, now: datetime, timezone: str) -> list[Conditions]:
    """Every condition of the filter, for each part of the span of time it asks for."""
    first = timezones.day_start(wanted.from_on, timezone) if wanted.from_on else None
    sought = about(session, q=wanted.q, category=wanted.category, audience=wanted.audience)
    common = [LISTED, stays(now)]
    if wanted.to_on is not None:
        common.append(Event.starts_at < timezones.day_start(wanted.to_on + timedelta(days=1), timezone))
    if wanted.past:  # what has ended has also begun, which the index by beginning can tell
        common += [Event.starts_at < now, Event.ends_at <= now]
    elif first is None:
        first = now
    return spans.ending_after(first, common, sought)


def _total(session: Session, parts: Sequence[Conditions]) -> int:
    """How many there are, counted no further than needed. In order, so that the same index serves it as the list."""
    counting = spans.joined(parts, Event.id, order=(Event.starts_at, Event.id), limit=MOST_COUNTED + 1)
    return min(session.scalar(select(func.count()).select_from(counting)) or 0, MOST_COUNTED + 1)


def _ids(
    session: Session, parts: Sequence[Conditions], *, at: Place | None, offset: int, descending: bool
) -> Sequence[int]:
    """One page and the one after its last, from `at` on or after `offset`; read from an index, unless for words."""
    if at is not None:
        parts = [[*conditions, _beyond(at, descending=descending)] for conditions in parts]
    order = _order(Event.starts_at, Event.id, descending=descending)
    found = spans.joined(parts, Event.id, Event.starts_at, order=order, limit=offset + PAGE_SIZE + 1)
    order = _order(found.c.starts_at, found.c.id, descending=descending)
    return session.scalars(select(found.c.id).order_by(*order).limit(PAGE_SIZE + 1).offset(offset)).all()


def _order(*columns: Any, descending: bool) -> list[Any]:
    return [column.desc() for column in columns] if descending else list(columns)


def _beyond(at: Place, *, descending: bool) -> ColumnElement[bool]:
    if descending:
        return and_(Event.starts_at <= at.starts_at, or_(Event.starts_at < at.starts_at, Event.id < at.event_id))
    return and_(Event.starts_at >= at.starts_at, or_(Event.starts_at > at.starts_at, Event.id > at.event_id))

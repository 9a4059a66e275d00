"""Finding events that anybody may see: the list, a month, and what there is to filter by.

Listed are public events that are not drafts; a cancelled one stays, saying so, until its date has passed. Days
asked for are days of the site's own zone. Without a first day the list begins now; with one, it is taken at its
word, also where that lies in the past. `past` turns the list round: what has ended, the latest first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select
from sqlalchemy.orm import Session, defer

from eventreg import timezones
from eventreg.events import wording
from eventreg.events.models import Event
from eventreg.events.search import fold, name_key

PAGE_SIZE = 20
LISTED = and_(Event.visibility == literal_column("'public'"), Event.status != literal_column("'draft'"))
"""The words written out, not bound, so that both databases see that the partial index serves it."""
LONGEST_SEARCH = 200
MOST_WORDS = 8


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
class Page:
    """One page of what was found. `number` may lie beyond `pages`; `events` is empty then."""

    events: Sequence[Event]
    total: int
    number: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, math.ceil(self.total / PAGE_SIZE))


@dataclass(frozen=True, slots=True)
class Choice:
    """A category or an audience that events name, and whether it is worth offering for what comes or what was."""

    key: str
    name: str
    upcoming: bool
    past: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything there is to filter by, in order of names."""

    categories: tuple[Choice, ...]
    audiences: tuple[Choice, ...]


def find(session: Session, wanted: EventFilter, *, now: datetime, timezone: str) -> Page:
    """The wanted page of events. Two statements, whatever is asked."""
    conditions = [LISTED, _stays(now), *_about(wanted), *_when(wanted, now, timezone)]
    total = session.scalar(select(func.count()).select_from(Event).where(*conditions)) or 0
    order = (Event.starts_at.desc(), Event.id.desc()) if wanted.past else (Event.starts_at, Event.id)
    rows = _rows(conditions).order_by(*order).limit(PAGE_SIZE).offset((wanted.page - 1) * PAGE_SIZE)
    return Page(session.scalars(rows).all(), total, wanted.page)


def month(session: Session, wanted: EventFilter, *, first: date, now: datetime, timezone: str) -> Sequence[Event]:
    """All events that touch the month beginning on `first`, by the words, category and audience of the filter.

    A day more on either side, because the days of a month are those of each event's own zone (`by_day`).
    """
    a_day = timedelta(days=1)
    conditions = [LISTED, _stays(now), *_about(wanted), *_between(first - a_day, month_end(first) + a_day, timezone)]
    return session.scalars(_rows(conditions).order_by(Event.starts_at, Event.id)).all()


def month_end(first: date) -> date:
    """The last day of the month that begins on `first`.

    >>> month_end(date(2026, 2, 1))
    datetime.date(2026, 2, 28)
    """
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def by_day(events: Sequence[Event], *, first: date, last: date) -> dict[date, list[Event]]:
    """The events of each day from `first` to `last`, by the calendar of each event's own zone; busy days only."""
    days: dict[date, list[Event]] = {}
    for event in events:
        day = max(first, wording.first_day(event))
        while day <= min(last, wording.last_day(event)):
            days.setdefault(day, []).append(event)
            day += timedelta(days=1)
    return dict(sorted(days.items()))


def choices(session: Session, *, now: datetime) -> Choices:
    """The categories and audiences of all listed events. One statement."""
    ends = (func.min(Event.ends_at), func.max(Event.ends_at))
    columns = (Event.category_key, Event.category, Event.audience)
    categories: dict[str, Choice] = {}
    audiences: dict[str, Choice] = {}
    for category_key, category, audience, earliest, latest in session.execute(
        select(*columns, *ends).where(LISTED).group_by(*columns).order_by(func.max(Event.ends_at), Event.category)
    ):
        upcoming, past = latest > now, earliest <= now
        if category_key:
            _note(categories, Choice(category_key, category, upcoming, past))
        for name in audience.split(", "):
            if name.strip():
                _note(audiences, Choice(name_key(name), name.strip(), upcoming, past))
    return Choices(_in_order(categories), _in_order(audiences))


def categories(session: Session, *, now: datetime) -> tuple[Choice, ...]:
    """The categories alone."""
    return choices(session, now=now).categories


def _note(known: dict[str, Choice], found: Choice) -> None:
    """The latest spelling of a name wins; what it is good for adds up."""
    before = known.get(found.key)
    if before:
        found = replace(found, upcoming=found.upcoming or before.upcoming, past=found.past or before.past)
    known[found.key] = found


def _in_order(known: dict[str, Choice]) -> tuple[Choice, ...]:
    return tuple(sorted(known.values(), key=lambda choice: fold(choice.name)))


def _rows(conditions: Sequence[ColumnElement[bool]]) -> Select[Event]:
    return select(Event).options(defer(Event.description), defer(Event.search_text)).where(*conditions)


def _stays(now: datetime) -> ColumnElement[bool]:
    return or_(Event.status != "cancelled", Event.ends_at > now)


def about(*, q: str, category: str, audience: str) -> list[ColumnElement[bool]]:
    """The conditions of a search; `category` and `audience` are keys. The list and the feeds search alike."""
    words = fold(q[:LONGEST_SEARCH]).split()[:MOST_WORDS]
    conditions: list[ColumnElement[bool]] = [Event.search_text.contains(word, autoescape=True) for word in words]
    if category:
        conditions.append(Event.category_key == category)
    if audience:
        conditions.append(Event.audience_keys.contains(f"|{audience}|", autoescape=True))
    return conditions


def _about(wanted: EventFilter) -> list[ColumnElement[bool]]:
    return about(q=wanted.q, category=wanted.category, audience=wanted.audience)


def _when(wanted: EventFilter, now: datetime, timezone: str) -> list[ColumnElement[bool]]:
    conditions = _between(wanted.from_on, wanted.to_on, timezone)
    if wanted.past:
        conditions.append(Event.ends_at <= now)
    elif wanted.from_on is None:
        conditions.append(Event.ends_at > now)
    return conditions


def _between(first: date | None, last: date | None, timezone: str) -> list[ColumnElement[bool]]:
    """What touches those local days. An event that ends as a day begins does not touch it."""
    conditions: list[ColumnElement[bool]] = []
    if first is not None:
        conditions.append(Event.ends_at > timezones.day_start(first, timezone))
    if last is not None:
        conditions.append(Event.starts_at < timezones.day_start(last + timedelta(days=1), timezone))
    return conditions

"""The events an organizer sees at their desk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg import keyset
from eventreg.events import search
from eventreg.events.models import Event
from eventreg.keyset import At

PER_PAGE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskFilter:
    """Whose events (None: everybody's), before or after now, with these words, which page."""

    organizer_id: int | None
    past: bool = False
    published_only: bool = False
    q: str = ""
    page: int = 1
    after: int | None = None
    before: int | None = None
    """With `page`: the event it begins after, or ends before; see `keyset`."""


@dataclass(frozen=True, slots=True)
class DeskPage:
    """One page of them; `other` counts those on the other side of now, for the tab."""

    rows: Sequence[Event]
    total: int
    other: int
    page: int
    pages: int


def page_of(session: Session, filters: DeskFilter, *, now: datetime) -> DeskPage:
    """Upcoming events soonest first, or past ones latest first. Two statements."""
    mine: list[Any] = []
    if filters.organizer_id is not None:
        mine.append(Event.organizer_id == filters.organizer_id)
    if filters.published_only:
        mine.append(Event.status == "published")
    mine += [Event.search_text.contains(word, autoescape=True) for word in search.fold(filters.q).split()]
    over = Event.ends_at <= now
    tally = select(func.count().filter(over), func.count().filter(~over)).select_from(Event).where(*mine)
    past, upcoming = session.execute(tally).one()
    total, other = (past, upcoming) if filters.past else (upcoming, past)
    pages = max(1, -(-total // PER_PAGE))
    at = At(page=min(max(filters.page, 1), pages), after=filters.after, before=filters.before)
    query = select(Event).where(*mine, over if filters.past else ~over)
    rows = keyset.rows(session, query, (Event.starts_at, Event.id), at=at, size=PER_PAGE, descending=filters.past)
    return DeskPage(rows, total, other, at.page, pages)

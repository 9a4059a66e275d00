"""Which events touch a span of time, asked so that an index answers however many events there are.

An index by beginning does not say what is still under way: whoever asks for what ends after an instant would walk
through all that ever began. So an event is either short, and then it began at most a week before the instant, or it
runs long, and those few have an index of their own (`ix_events_long`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, false, func, literal_column, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import Boolean

from eventreg.events.models import LONG_POSTGRESQL, LONG_SQLITE, Event

LISTED = and_(Event.visibility == literal_column("'public'"), Event.status != literal_column("'draft'"))
"""The words written out, not bound, so that both databases see that the partial index serves it."""
SHORT = timedelta(days=7)
"""What runs longer has `runs_long`, which says so a little below that, because SQLite counts in parts of a day."""
Conditions = Sequence[ColumnElement[bool]]


class runs_long(ColumnElement[bool]):  # noqa: N801 - reads as the SQL it stands for
    """Whether an event lasts longer than SHORT, in the words of the partial index."""

    inherit_cache = True
    type = Boolean()
    _is_implicitly_boolean = True  # SQLite has no type of its own for it; "= 1" would hide the index's words


@compiles(runs_long, "sqlite")
def _in_sqlite(_element: runs_long, _compiler: Any, **_kw: Any) -> str:
    return LONG_SQLITE


@compiles(runs_long)
def _in_postgresql(_element: runs_long, _compiler: Any, **_kw: Any) -> str:
    return LONG_POSTGRESQL


def stays(now: datetime) -> ColumnElement[bool]:
    """A cancelled event stays, saying so, until its date has passed."""
    return or_(Event.status != "cancelled", Event.ends_at > now)


def ending_after(first: datetime | None, common: Conditions, sought: Conditions) -> list[Conditions]:
    """The conditions of each part of what ends after `first`; no event is in two parts. None: everything, one part.

    `common` and `sought` hold in every part. The last part is of the few that run long: there everything but its own
    index is hidden from the planner, which would else walk through all that ever began, or all of a category.
    """
    if first is None:
        return [[*common, *sought]]
    edge = first - SHORT
    begin = func.coalesce(Event.starts_at, Event.starts_at)
    hidden = [func.coalesce(condition, false()) for condition in sought]
    # True of all, and in no index: else PostgreSQL, which takes a third of all for long, reads a whole other index.
    in_its_row = Event.uid != ""
    return [
        [*common, *sought, Event.starts_at > edge, Event.ends_at > first],
        [*common, *hidden, runs_long(), Event.ends_at > first, begin <= edge, in_its_row],
    ]


def joined(parts: Sequence[Conditions], *columns: Any, order: Sequence[Any] = (), limit: int | None = None) -> Subquery:
    """The columns of every part's events as one, `limit` of the first part at most, in `order`.

    What runs long is few, and sorting it is less than walking along by time until enough of it is met.
    """
    first, *others = [select(*columns).where(*conditions) for conditions in parts]
    # Wrapped, because SQLite takes an ORDER BY with a LIMIT only inside.
    chosen = select(first.order_by(*order).limit(limit).subquery())
    return (chosen.union_all(*others) if others else chosen).subquery()

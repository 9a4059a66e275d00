"""A page of a list by key: from the row where the page before ended, instead of counting off all rows before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Which page, and the id of the row it begins after or ends before, where somebody comes from the page beside."""

    page: int = 1
    after: int | None = None
    before: int | None = None


def rows(
    session: Session, query: Select[Any], order: Sequence[Any], *, at: At, size: int, descending: bool
) -> Sequence[Any]:
    """The page of `query` in that order, whose last column is the id.

    A row that has left the list since tells no place any more, and the page is found by its number.
    """
    back = at.before is not None
    edge = at.before if back else at.after
    if edge is not None and at.page > 1:
        place = session.execute(query.with_only_columns(*order).where(order[-1] == edge)).first()
        if place is not None:
            down = descending != back
            beyond = tuple_(*order) < tuple(place) if down else tuple_(*order) > tuple(place)
            found = session.scalars(query.where(beyond).order_by(*_in(order, down)).limit(size)).all()
            if found:
                return found[::-1] if back else found
    return session.scalars(query.order_by(*_in(order, descending)).limit(size).offset((at.page - 1) * size)).all()


def _in(order: Sequence[Any], descending: bool) -> list[Any]:
    return [column.desc() if descending else column.asc() for column in order]

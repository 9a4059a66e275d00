"""The row of a new answer, by statements put together once: building them took longer than running them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Insert, bindparam, exists, select, update
from sqlalchemy.orm import Session

from eventreg.db import insert_of, table_of
from eventreg.ready import Ready
from eventreg.registrations.models import Registration

SECOND = timedelta(seconds=1)


class Inserted(NamedTuple):
    """A new row's id, and the DTSTAMP its first calendar part may carry."""

    id: int
    stamp_at: datetime


def insert(session: Session, values: Mapping[str, Any], *, now: datetime) -> Inserted | None:
    """The new row; None when its address has a live registration, or its opening of the form has been used.

    The unique indexes decide, not a query.

    `values` are its columns without stamps and defaults. One statement, and two more for somebody who comes back
    after cancelling: they keep the calendar entry they had (`entry_id`), its links (`link_generation`), and their
    DTSTAMP is later than that of any part sent before. A calendar program that was sent the cancellation in the same
    second would otherwise not believe that they are coming after all.
    """
    stamp = now.replace(microsecond=0)
    theirs = {"of_event": values["event_id"], "of_key": values["email_key"]}
    stamps = {"calendar_stamp_at": stamp, "created_at": now, "updated_at": now}
    row = _INSERT.first(session, {**_DEFAULTS, **values, **stamps, **theirs})
    if row is None:
        return None
    new_id, came_back = row
    if not came_back:
        return Inserted(new_id, stamp)
    connection = session.connection()
    found = connection.execute(_CANCELLED, theirs).all()
    last = found[-1]
    stamp = max(stamp, *(one.calendar_stamp_at + SECOND for one in found))
    connection.execute(
        _TAKE_UP,
        {
            "new_id": new_id,
            "entry_id": last.entry_id or last.id,
            "link_generation": last.link_generation,
            "calendar_stamp_at": stamp,
        },
    )
    return Inserted(new_id, stamp)


_ROWS = table_of(Registration)
_BEFORE = _ROWS.alias("before")
_DEFAULTS: dict[str, Any] = {"waitlisted_at": None, "opening": None, "note": "", "link_generation": 1}
_IS_THEIRS = (
    _BEFORE.c.event_id == bindparam("of_event", type_=_ROWS.c.event_id.type),
    _BEFORE.c.email_key == bindparam("of_key", type_=_ROWS.c.email_key.type),
    _BEFORE.c.status == "cancelled",
)
_CANCELLED = (
    select(_BEFORE.c.id, _BEFORE.c.entry_id, _BEFORE.c.link_generation, _BEFORE.c.calendar_stamp_at)
    .where(*_IS_THEIRS)
    .order_by(_BEFORE.c.id)
)
_TAKE_UP = update(_ROWS).where(_ROWS.c.id == bindparam("new_id"))


def _insertion(dialect: str) -> Insert:
    return (
        insert_of(dialect)(_ROWS)
        .on_conflict_do_nothing()
        .returning(_ROWS.c.id, exists(select(_BEFORE.c.id).where(*_IS_THEIRS)))
    )


_INSERT = Ready(_insertion)

"""Free seats that are held for somebody who waits, for pages that say what is left.

Who waits is no column of the event, so a page that was made of it (`events.revision`) is true only while this is.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from eventreg.events import rules
from eventreg.events.models import Event
from eventreg.events.revision import Facts

_HOLDS = (
    "EXISTS (SELECT 1 FROM registrations WHERE registrations.event_id = events.id"
    " AND registrations.status = 'waitlisted' AND registrations.offer_expires_at IS NULL"
    " AND registrations.party_size <= events.capacity)"
)
"""`waitlist.holds_seats` in SQL, of an event that `rules.may_hold`."""


def among(session: Session, events: Iterable[Event]) -> frozenset[int]:
    """Ids of those whose free seats are held. One statement, and none where no event's rule holds any."""
    asked = [event.id for event in events if rules.may_hold(event)]
    if not asked:
        return frozenset()
    return frozenset(session.scalars(select(Event.id).where(Event.id.in_(asked), text(_HOLDS))))


def noted(facts: Facts, events: Iterable[Event], held: Collection[int]) -> Facts:
    """The same facts, and that seats of `held` are held among those events, and of no other."""
    asked = sorted(event.id for event in events if rules.may_hold(event))
    if not asked:
        return facts
    rest = (0,) * (len(facts.rows[0]) - 2)
    columns = ", ".join(["-id", f"CASE WHEN {_HOLDS} THEN 1 ELSE 0 END", *map(str, rest)])
    ids = ",".join(str(int(event_id)) for event_id in asked)
    statement = f"{facts.statement} UNION ALL SELECT {columns} FROM events WHERE id IN ({ids})"  # noqa: S608 - numbers
    rows = [(-event_id, int(event_id in held), *rest) for event_id in asked]
    return Facts(statement, tuple(sorted([*facts.rows, *rows])))

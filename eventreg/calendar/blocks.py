"""Each event keeps its entry as every public feed shows it, so that a feed is one query and a join.

The bytes and their digest are written in the transaction that changes the event, by a listener on the session. A
bulk UPDATE of calendar columns would pass it by: change events through their objects.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, inspect, select, update
from sqlalchemy import event as sa_event
from sqlalchemy.orm import Session
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from eventreg.calendar.entry_text import entry_text
from eventreg.db import Base
from eventreg.events import revision
from eventreg.events.models import Event, SiteState
from eventreg.links import Links

STATE_KEY = "calendar_blocks"
COLUMNS = frozenset(
    {
        "uid", "slug", "title", "summary", "description", "starts_at", "ends_at", "timezone", "all_day",
        "location_name", "location_address", "online_url", "category", "status", "sequence", "created_at", "updated_at",
    }
)  # fmt: skip
"""What an entry is made of."""
_BATCH = 400
_READ = (
    select(Event.id, Event.ics_digest, *(getattr(Event, name) for name in sorted(COLUMNS)))
    .where(Event.id > bindparam("after_id"))
    .order_by(Event.id)
    .limit(bindparam("most"))
)
_EVENTS = Base.metadata.tables[Event.__tablename__]
_WRITE = (
    update(_EVENTS)
    .where(_EVENTS.c.id == bindparam("of_id"))
    .values(ics_block=bindparam("content"), ics_digest=bindparam("its_digest"))
)

_current_links: Callable[[], Links] | None = None


def install(current_links: Callable[[], Links]) -> None:
    """Keeps the blocks true from now on. `current_links` is asked at each flush: several apps may share a process."""
    global _current_links  # noqa: PLW0603 - the listener hangs on the Session class, of which there is one
    _current_links = current_links
    if not sa_event.contains(Session, "before_flush", _keep_blocks):
        sa_event.listen(Session, "before_flush", _keep_blocks)


def block(event: Event, links: Links) -> bytes:
    """The event's entry for the public feeds."""
    return entry_text(event, links=links)


def digest(content: bytes) -> int:
    """40 bits of SHA-256: the sum over a million events still fits the column that adds them up."""
    return int.from_bytes(hashlib.sha256(content).digest()[:5], "big")


def are_stale(session: Session, links: Links) -> bool:
    """Whether the stored blocks were made by another release or for another address, or one is missing.

    A database without events has nothing to be stale.
    """
    wrong = select(Event.id).where(Event.ics_block.is_(None)) if is_noted(session, links) else select(Event.id)
    return bool(session.scalar(select(wrong.exists())))


def is_noted(session: Session, links: Links) -> bool:
    """Whether it is remembered that the blocks are this release's, for this address; `rebuild` sees to that.

    Unless it is done while the database has no events yet, the first ones would seem to be of another address.
    """
    state = session.get(SiteState, STATE_KEY)
    return state is not None and state.value.get("made_with") == _fingerprint(links)


def rebuild(session: Session, links: Links, *, after_id: int = 0) -> int | None:
    """Writes the blocks of the next _BATCH events anew where they differ.

    Returns the id to go on after, in a transaction of its own so that nobody waits long for the lock; None when
    all are done, which is then remembered.
    """
    # Rows, not objects: keeping track of what changes in them would take as long as writing the entries.
    events: Sequence[Any] = session.execute(_READ, {"after_id": after_id, "most": _BATCH}).all()
    made = [(event, content := block(event, links), digest(content)) for event in events]
    changed = [
        {"of_id": event.id, "content": content, "its_digest": its_digest}
        for event, content, its_digest in made
        if event.ics_digest != its_digest
    ]
    if changed:
        session.connection().execute(_WRITE, changed)
        revision.note_change(session)
    if len(events) < _BATCH:
        session.merge(SiteState(key=STATE_KEY, value={"made_with": _fingerprint(links)}))
    session.flush()
    return events[-1].id if len(events) == _BATCH else None


def _keep(event: Event, content: bytes) -> None:
    event.ics_block, event.ics_digest = content, digest(content)


def _keep_blocks(session: Session, _context: object, _instances: object) -> None:
    if _current_links is None:
        return
    for changed in [*session.new, *session.dirty]:
        if isinstance(changed, Event) and _matters(changed):
            _fill_defaults(changed)
            _keep(changed, block(changed, _current_links()))


def _matters(event: Event) -> bool:
    state = inspect(event)
    return not state.persistent or any(state.attrs[name].history.has_changes() for name in COLUMNS)


def _fill_defaults(event: Event) -> None:
    """Gives a new event the column defaults its INSERT would, because its entry is made before that.

    What was set to None on purpose, like reminders that nobody wants, stays None.
    """
    missing = inspect(event).unloaded
    for column in inspect(Event).columns:
        default = column.default
        if isinstance(default, ScalarElementColumnDefault) and column.key in missing:
            setattr(event, column.key, default.arg)


def _fingerprint(links: Links) -> str:
    """What this release makes of three invented events on this site: another answer means other bytes for all."""
    made = b"".join(block(event, links) for event in _samples())
    return hashlib.sha256(made).hexdigest()


def _samples() -> list[Event]:
    moment = datetime(2026, 10, 19, 19, 0, tzinfo=UTC)
    common = {
        "uid": "0@example.org",
        "slug": "sample",
        "title": "Sample; with, marks",
        "summary": "A line",
        "description": "# Words\n\n- one\n- [two](https://example.org)\n",
        "starts_at": moment,
        "ends_at": moment + timedelta(hours=3),
        "timezone": "America/New_York",
        "all_day": False,
        "location_name": "Room 1",
        "location_address": "1 Main Street",
        "online_url": "",
        "category": "Talks",
        "status": "published",
        "sequence": 1,
        "created_at": moment,
        "updated_at": moment,
    }
    online = {"location_name": "", "location_address": "", "online_url": "https://example.org/join"}
    midnight = moment.replace(hour=4)
    return [
        Event(**common),
        Event(**{**common, **online, "status": "cancelled", "timezone": "UTC"}),
        Event(**{**common, "all_day": True, "starts_at": midnight, "ends_at": midnight + timedelta(days=2)}),
    ]

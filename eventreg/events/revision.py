"""What tells a page that was made earlier whether it is still true: the database decides, not a clock.

`Event.revision` rises with every change of anything the event's page shows, questions and picture included; seats
are left out, because `seats_taken` says it itself. The counter "events" rises with every change of any event. Both
are raised here, by listeners on the session, in the transaction that makes the change; a bulk UPDATE passes them by
and calls `note_change`. A reader reads the counter before it reads what it shows: should a change come in between,
what was made is thrown away too early and never too late.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event as sa_event
from sqlalchemy import inspect, select, text, update
from sqlalchemy.orm import Session

from eventreg.events.models import Counter, Event, Picture, Question

KEY = "events"
UNSEEN = frozenset({"seats_taken", "revision", "remind_at", "source_sequence", "source_stamp_at"})
"""Columns no page or feed shows, or that speak for themselves."""
LEAP = 100_000
"""More changes than an event sees in its life. Its column has room for ten thousand leaps."""
_PAST_OBJECTS = {"synchronize_session": False}
_CHANGED = "events_changed"
# The row is missing in a database whose tables were emptied.
_RAISE = text(
    "INSERT INTO counters (key, value) VALUES ('events', 1) ON CONFLICT (key) DO UPDATE SET value = counters.value + 1"
)


@dataclass(frozen=True, slots=True)
class Facts:
    """A statement and the rows it gave when something was made of them; the same rows, and that is still true.

    Rows are of whole numbers, which every driver gives alike. No statement: true whatever the database holds.
    """

    statement: str
    rows: tuple[tuple[int, ...], ...]


ALWAYS = Facts("", ())
"""For what depends on the settings alone."""


def counter(session: Session) -> int:
    """How often any event has changed. Read it before the events themselves."""
    return session.scalar(select(Counter.value).where(Counter.key == KEY)) or 0


def of_event(event: Event) -> Facts:
    """Everything an event's own page depends on beside the time, as loaded."""
    statement = f"SELECT id, revision, seats_taken, ics_digest FROM events WHERE id = {int(event.id)}"  # noqa: S608 - a number
    return Facts(statement, ((event.id, event.revision, event.seats_taken, event.ics_digest),))


def of_list(counted: int, seats: Iterable[tuple[int, int]] = ()) -> Facts:
    """Everything a list depends on: all events, by the counter as it was read, and (id, seats taken) of those shown."""
    shown = sorted(set(seats))
    statement = "SELECT 0, coalesce((SELECT value FROM counters WHERE key = 'events'), 0)"
    if shown:
        ids = ",".join(str(int(event_id)) for event_id, _taken in shown)
        statement += f" UNION ALL SELECT id, seats_taken FROM events WHERE id IN ({ids})"  # noqa: S608 - numbers
    return Facts(statement, ((0, counted), *shown))


def note_change(session: Session) -> None:
    """Says that events are changed past their objects; the caller raises `Event.revision` of those."""
    session.info[_CHANGED] = True


def note_source(session: Session, source_id: int) -> None:
    """Says that what every event of that followed calendar shows of it has changed."""
    note_change(session)
    raised = update(Event).where(Event.source_id == source_id).values(revision=Event.revision + 1)
    session.execute(raised, execution_options=_PAST_OBJECTS)


def leap(session: Session) -> None:
    """Makes whatever was kept untrue, after other data were put in place of those that had counted as far.

    By another number each time: what is changed from here on must not count to where the data before had come.
    """
    far = LEAP + secrets.randbelow(LEAP)
    session.execute(update(Event).values(revision=Event.revision + far), execution_options=_PAST_OBJECTS)
    session.execute(update(Counter).where(Counter.key == KEY).values(value=Counter.value + far))


@sa_event.listens_for(Session, "before_flush")
def _note_changes(session: Session, _context: object, _instances: object) -> None:
    """One UPDATE more where a question or a picture changes, none for the event itself."""
    others: set[int] = set()
    for changed in [*session.new, *session.dirty, *session.deleted]:
        if isinstance(changed, Event):
            _note_event(session, changed)
        elif isinstance(changed, Question | Picture) and (changed in session.deleted or session.is_modified(changed)):
            others.add(changed.event_id)
    if others:
        note_change(session)
        raised = update(Event).where(Event.id.in_(sorted(others))).values(revision=Event.revision + 1)
        session.execute(raised, execution_options=_PAST_OBJECTS)


def _note_event(session: Session, event: Event) -> None:
    state = inspect(event)
    if event in session.deleted:
        note_change(session)
    elif not state.persistent:
        event.revision = 1
        note_change(session)
    elif any(state.attrs[name].history.has_changes() for name in state.committed_state.keys() - UNSEEN):
        # Added up by the database: two who loaded the same revision still make two.
        event.revision = Event.revision + 1
        note_change(session)


@sa_event.listens_for(Session, "before_commit")
def _count(session: Session) -> None:
    """Raises the counter as the last thing, so that its row is held for no longer than the commit takes."""
    if session.in_nested_transaction():
        return
    session.flush()  # what the commit would write by itself, so that it is noted
    if session.info.pop(_CHANGED, False):
        session.execute(_RAISE)


@sa_event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, previous: Any) -> None:
    if not previous.nested:
        session.info.pop(_CHANGED, None)

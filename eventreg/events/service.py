"""Making, changing, publishing, cancelling and duplicating events.

Who must be told about a change, and who moves up when seats appear, is decided by
`registrations.event_changes`, which calls `update`, `publish` and `cancel` here.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.errors import CapacityTooSmall, EventStateError, NotFound
from eventreg.events import first_question, reminders, schedule, slugs
from eventreg.events.models import Event, Question
from eventreg.events.values import DERIVED, EventValues, check, columns, values_of

Changes = dict[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Draft:
    """An event to be made. `also` are columns that no organizer decides about; `folded` is for `columns`."""

    uid: str
    values: EventValues
    also: Mapping[str, Any] = field(default_factory=dict)
    folded: str | None = None


SIGNIFICANT = frozenset(
    {"starts_at", "ends_at", "all_day", "timezone", "location_name", "location_address", "online_url", "status"}
)
"""Changes a person must hear of to be at the right place at the right time."""
CALENDAR = SIGNIFICANT | {"title", "summary", "description", "directions"}
"""Changes that raise SEQUENCE: what somebody's entry says."""
MOST_TRIES = 5
A_SECOND = timedelta(seconds=1)


def create(
    session: Session, *, values: EventValues, organizer_id: int, actor: audit.Actor, now: datetime, host: str
) -> Event:
    """A draft with the question every host needs answered. `host` is the right side of its calendar UID.

    Raises: InvalidField.
    """
    event = _new(session, values, organizer_id=organizer_id, now=now, uid=f"{uuid.uuid4()}@{host}")
    _furnish(session, [event], action="event.created", actor=actor, now=now)
    return event


def create_imported(
    session: Session, drafts: Sequence[Draft], *, organizer_id: int, actor: audit.Actor, now: datetime
) -> list[Event]:
    """The same of events that were written elsewhere, in as many statements for many as for one.

    Raises: InvalidField; IntegrityError when a UID is taken at this moment. Then there is none of them.
    """
    events = _new_ones(session, drafts, organizer_id=organizer_id, now=now)
    _furnish(session, events, action="event.imported", actor=actor, now=now)
    return events


def update(session: Session, *, event_id: int, values: EventValues, actor: audit.Actor, now: datetime) -> Changes:
    """Takes over the values that differ and returns them as {column: (old, new)}; nothing differs, nothing is written.

    Raises: NotFound, InvalidField (CapacityTooSmall when more seats are taken than the new capacity).
    """
    event = load(session, event_id)
    _refuse_followed(event)
    check(values)
    if values.capacity is not None and values.capacity < event.seats_taken:
        raise CapacityTooSmall(
            "capacity",
            _(
                "%(count)s places are taken already, so the capacity cannot be lower. "
                "Cancel registrations first, or choose %(count)s or more.",
                count=event.seats_taken,
            ),
        )
    return _apply(session, event, columns(values), action="event.changed", actor=actor, now=now)


def publish(session: Session, *, event_id: int, actor: audit.Actor, now: datetime) -> Event:
    """Makes a draft visible; publishing what is published changes nothing.

    Raises: NotFound; EventStateError for a cancelled event or one that is over.
    """
    event = load(session, event_id)
    _refuse_followed(event)
    if event.status == "published":
        return event
    if event.status == "cancelled":
        raise EventStateError(_("This event was cancelled. Duplicate it to announce a new date."))
    if event.ends_at <= now:
        raise EventStateError(_("This event's end has passed. Give it a new date before you publish it."))
    _apply(session, event, {"status": "published", "published_at": now}, action="event.published", actor=actor, now=now)
    return event


def cancel(session: Session, *, event_id: int, actor: audit.Actor, now: datetime, by_source: bool = False) -> bool:
    """Calls the event off; False when it already was. Telling people is the caller's part.

    `by_source`: the followed calendar it comes from has called it off.
    Raises: NotFound; EventStateError for a draft, which nobody has seen, and for an event of a followed calendar.
    """
    event = load(session, event_id)
    if not by_source:
        _refuse_followed(event)
    if event.status == "cancelled":
        return False
    if event.status == "draft":
        raise EventStateError(_("A draft cannot be cancelled: nobody has seen it yet."))
    if event.ends_at <= now:
        raise EventStateError(_("This event is over, so it can no longer be cancelled."))
    _apply(session, event, {"status": "cancelled", "cancelled_at": now}, action="event.cancelled", actor=actor, now=now)
    return True


def duplicate(
    session: Session, *, event_id: int, organizer_id: int, actor: audit.Actor, now: datetime, host: str
) -> Event:
    """A draft with the same words, place, limits and questions, a week after the original or after today.

    No registrations, a new UID and address; the registration window is cleared. Raises: NotFound.
    """
    original = load(session, event_id)
    starts_at, ends_at = schedule.next_week_after(original, now)
    values = replace(
        values_of(original),
        starts_at=starts_at,
        ends_at=ends_at,
        registration_opens_at=None,
        registration_closes_at=None,
    )
    copy = _new(session, values, organizer_id=organizer_id, now=now, uid=f"{uuid.uuid4()}@{host}")
    for question in session.scalars(
        select(Question).where(Question.event_id == original.id, Question.retired_at.is_(None))
    ):
        session.add(
            Question(
                event_id=copy.id,
                position=question.position,
                label=question.label,
                hint=question.hint,
                kind=question.kind,
                choices=question.choices,
                required=question.required,
            )
        )
    audit.record(
        session,
        actor=actor,
        action="event.duplicated",
        now=now,
        event_id=copy.id,
        changes={"copied_from": (None, original.slug)},
    )
    session.flush()
    return copy


def _refuse_followed(event: Event) -> None:
    if event.source_id is not None:
        raise EventStateError(
            _("This event comes from a followed calendar. It is changed there and follows here within the hour.")
        )


def load(session: Session, event_id: int) -> Event:
    """The event as it stands now, locked until the transaction ends (SQLite holds its write lock already).

    Raises: NotFound.
    """
    query = select(Event).where(Event.id == event_id).with_for_update()
    event = session.scalar(query.execution_options(populate_existing=True))
    if event is None:
        raise NotFound(_("There is no such event."))
    return event


def _new(
    session: Session, values: EventValues, *, organizer_id: int, now: datetime, uid: str, folded: str | None = None
) -> Event:
    return _new_ones(session, [Draft(uid, values, folded=folded)], organizer_id=organizer_id, now=now)[0]


def _new_ones(session: Session, drafts: Sequence[Draft], *, organizer_id: int, now: datetime) -> list[Event]:
    for draft in drafts:
        check(draft.values)
    for tries_left in reversed(range(MOST_TRIES)):
        addresses = slugs.free(session, [draft.values.title for draft in drafts])
        events = [
            _unsaved(draft, slug=slug, organizer_id=organizer_id, now=now)
            for draft, slug in zip(drafts, addresses, strict=True)
        ]
        try:
            with session.begin_nested():
                session.add_all(events)
            break
        except IntegrityError:
            # On PostgreSQL somebody else may have taken an address in this moment; now it is seen.
            if not tries_left:
                raise
    return events


def _unsaved(draft: Draft, *, slug: str, organizer_id: int, now: datetime) -> Event:
    decided: dict[str, Any] = {
        "uid": draft.uid,
        "slug": slug,
        "organizer_id": organizer_id,
        "status": "draft",
        "seats_taken": 0,
        "sequence": 0,
        "significant_sequence": 0,
        "created_at": now,
        "updated_at": now,
    }
    return Event(**{**decided, **columns(draft.values, folded=draft.folded), **draft.also})


def _furnish(session: Session, events: Sequence[Event], *, action: str, actor: audit.Actor, now: datetime) -> None:
    """Gives new events what each of them begins with."""
    ids = [event.id for event in events]
    first_question.ask(session, ids)
    audit.record_events(session, actor=actor, action=action, now=now, event_ids=ids)


def _apply(
    session: Session, event: Event, wanted: dict[str, Any], *, action: str, actor: audit.Actor, now: datetime
) -> Changes:
    """The one place where an event's columns change: keeps SEQUENCE, LAST-MODIFIED and the audit trail true."""
    changes = {name: (getattr(event, name), value) for name, value in wanted.items() if getattr(event, name) != value}
    if not changes:
        return {}
    for name, (_old, new) in changes.items():
        setattr(event, name, new)
    if not changes.keys() - DERIVED:  # folded anew, as searches now are
        session.flush()
        return {}
    if changes.keys() & CALENDAR:
        event.sequence += 1
    if changes.keys() & SIGNIFICANT:
        event.significant_sequence = event.sequence
    if changes.keys() & reminders.DECIDING:
        reminders.schedule(event, moved="starts_at" in changes, now=now)
    # Whole seconds are all that LAST-MODIFIED and HTTP know: a second change within one must not look like the first.
    event.updated_at = max(now, event.updated_at + A_SECOND)
    told = {name: pair for name, pair in changes.items() if name not in DERIVED}
    audit.record(session, actor=actor, action=action, now=now, event_id=event.id, changes=told)
    session.flush()
    return changes

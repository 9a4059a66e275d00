"""Changing, publishing and cancelling an event, with everything that follows for the people registered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.db import table_of
from eventreg.events import rules
from eventreg.events import service as events
from eventreg.events.models import Event
from eventreg.events.service import CALENDAR, SIGNIFICANT, Changes
from eventreg.events.values import EventValues
from eventreg.registrations import messages, offers, outgrown, promotion
from eventreg.registrations.models import Registration

TOLD = frozenset(CALENDAR - {"status"})
"""Changes that a mail to the people registered speaks of: all that their calendar entries show."""
TOO_LONG = frozenset({"description", "directions"})
"""Said to have changed, and read on the event's page."""
MOVING = frozenset({"capacity", "waitlist_rule", "starts_at", "ends_at", "all_day", "registration_closes_at"})
"""Changes that may let the waitlist move: more places, another rule, or a later `rules.line_ends_at`."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving an event did: its changes, how many people are mailed, how many parties moved up.

    `outgrown` are the names of parties that the new capacity leaves out, and `oversized` of those that are larger than
    a new registration may be; see `outgrown`.
    """

    changes: Changes
    told: int
    promoted: int
    outgrown: Sequence[str] = ()
    oversized: Sequence[str] = ()


def save(
    session: Session, *, event_id: int, values: EventValues, notify: bool | None, actor: audit.Actor, now: datetime
) -> Saved:
    """Takes over an organizer's changes; with `notify`, everybody registered is owed a mail saying old -> new.

    `notify` is what a person chose; where nobody was asked (None), a new time or place is mailed and a new word is
    not. Seats that appear move the waitlist. Raises: NotFound, InvalidField.
    """
    changes = events.update(session, event_id=event_id, values=values, actor=actor, now=now)
    event = events.load(session, event_id)
    if "starts_at" in changes:
        offers.end_by_start(session, event)
    told = notify_update(session, event=event, changes=changes, now=now) if are_told(changes, notify) else 0
    promoted = 0
    if changes.keys() & MOVING:
        promoted = promotion.promote(session, event_id=event_id, now=now)
    left_out: Sequence[str] = ()
    if "capacity" in changes:
        left_out = outgrown.tell(session, event, before=changes["capacity"][0], now=now)
    oversized: Sequence[str] = ()
    if "max_party_size" in changes:
        oversized = outgrown.oversized(session, event)
    return Saved(changes, told, promoted, left_out, oversized)


def publish(session: Session, *, event_id: int, actor: audit.Actor, now: datetime) -> int:
    """Makes a draft visible, and moves up who was put on its waitlist and fits by now; how many parties moved.

    Raises: as `events.publish`.
    """
    events.publish(session, event_id=event_id, actor=actor, now=now)
    return promotion.promote(session, event_id=event_id, now=now)


def are_told(changes: Iterable[str], notify: bool | None) -> bool:
    """Whether a change of these columns is mailed; `notify` as for `save`."""
    names = TOLD.intersection(changes)
    return bool(names & SIGNIFICANT) if notify is None else notify and bool(names)


def call_off(session: Session, *, event_id: int, actor: audit.Actor, now: datetime, by_source: bool = False) -> int:
    """Cancels the event and owes everybody registered a cancellation; how many that are.

    `by_source`: the followed calendar it comes from has called it off. Raises: NotFound, EventStateError.
    """
    if not events.cancel(session, event_id=event_id, actor=actor, now=now, by_source=by_source):
        return 0
    event = events.load(session, event_id)
    offers.withdraw_all(session, event)
    return _tell_everybody(session, event, kind="event_cancelled", now=now)


def notify_update(session: Session, *, event: Event, changes: Changes, now: datetime) -> int:
    """Owes everybody registered one mail when something changed that they must know; how many that are."""
    if event.status == "cancelled" or event.ends_at <= now:
        return 0
    told = {
        name: ["", ""] if name in TOO_LONG else [_plain(old), _plain(new)]
        for name, (old, new) in changes.items()
        if name in TOLD
    }
    if not told:
        return 0
    previous = {
        name: _plain(changes[name][0] if name in changes else getattr(event, name)) for name in sorted(TOLD - TOO_LONG)
    }
    return _tell_everybody(session, event, kind="update", now=now, extra={"changes": told, "previous_event": previous})


def people_to_tell(session: Session, event_id: int) -> int:
    """How many people a change or cancellation would be mailed to."""
    query = select(func.count()).where(Registration.event_id == event_id, *_CONCERNED)
    return session.scalar(query) or 0


_CONCERNED = (Registration.status != "cancelled", Registration.rsvp != "no")


_FACTS = (
    Registration.id,
    Registration.email,
    Registration.name,
    Registration.rsvp,
    Registration.status,
    Registration.party_size,
    Registration.waitlisted_at,
    Registration.offer_expires_at,
    Registration.calendar_stamp_at,
)


def _tell_everybody(
    session: Session, event: Event, *, kind: str, now: datetime, extra: Mapping[str, Any] | None = None
) -> int:
    """Three or four statements for any number of people: the event is locked meanwhile."""
    concerned = (Registration.event_id == event.id, *_CONCERNED)
    people = session.execute(select(*_FACTS).where(*concerned).order_by(Registration.id).with_for_update()).all()
    messages.tell_all(
        session,
        event,
        people,
        kind=kind,
        now=now,
        stamps=_stamp_all(session, event, people, now=now),
        places=_places(event, people),
        extra=extra,
    )
    return len(people)


def _stamp_all(session: Session, event: Event, people: Sequence[Any], *, now: datetime) -> dict[int, datetime]:
    """The next DTSTAMP of each, kept on the rows: this second for all but those that have had it already."""
    usual = now.replace(microsecond=0)
    stamps = {one.id: messages.stamp_after(one.calendar_stamp_at, now) for one in people}
    registrations = table_of(Registration)
    connection = session.connection()
    connection.execute(
        update(registrations)
        .where(registrations.c.event_id == event.id, registrations.c.calendar_stamp_at < usual, *_CONCERNED)
        .values(calendar_stamp_at=usual)
    )
    later = [{"of": key, "stamp": stamp} for key, stamp in stamps.items() if stamp != usual]
    if later:
        one = update(registrations).where(registrations.c.id == bindparam("of"))
        connection.execute(one.values(calendar_stamp_at=bindparam("stamp")), later)
    return stamps


def _places(event: Event, people: Sequence[Any]) -> dict[int, int]:
    """Place in line by registration id, of those in line."""
    line = [
        one
        for one in people
        if one.status == "waitlisted" and one.offer_expires_at is None and not rules.outgrows(event, one.party_size)
    ]
    line.sort(key=lambda one: (one.waitlisted_at, one.id))
    return {one.id: place for place, one in enumerate(line, start=1)}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value

"""What a followed calendar says, taken over: its events are published here, change as it changes, and end as it ends.

They are changed in no other way: `events.service` refuses an organizer's changes of an event with a source.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.calendar.reading import Skipped
from eventreg.errors import EventStateError, InvalidField
from eventreg.events import importing, revision
from eventreg.events.importing import Item, Outcome, outcome, skipped
from eventreg.events.models import Event
from eventreg.events.service import SIGNIFICANT
from eventreg.events.values import EventValues
from eventreg.following.models import FollowedCalendar
from eventreg.registrations import event_changes

PATIENCE = timedelta(hours=2)
"""How long an event may be missing from its calendar, between others that are there, before it counts as cancelled."""
LONG_PATIENCE = timedelta(hours=24)
"""The same where the calendar itself may be broken: most of it is missing at once, or its end is."""
FEW_MISSING = 2
SMALLEST_PAGE = 10
"""A calendar this long may only ever show so many; one that is missing after its last may have been pushed out."""


def take(session: Session, *, item: Item, source: FollowedCalendar, now: datetime) -> Outcome:
    """One event of the calendar: published, updated, cancelled or left out. One that fails loses no other."""
    item = _as_shown(item, source)
    event = importing.by_uid(session, item.uid)
    try:
        with session.begin_nested():
            if event is None:
                return _new(session, item, source, now)
            if event.source_id == source.id:
                return _again(session, event, item, source, now)
            return _known_otherwise(session, event, item, source, now)
    except (InvalidField, EventStateError) as error:
        return skipped(item, str(error))
    except IntegrityError:
        return skipped(item, _("Somebody else is adding it at this moment."))


def give_title(session: Session, source: FollowedCalendar, title: str) -> None:
    """Gives a calendar without a title the one it has for itself; the pages of its events, which say it, follow."""
    if source.title or not title:
        return
    source.title = title
    revision.note_source(session, source.id)


def settle_missing(
    session: Session,
    *,
    source: FollowedCalendar,
    seen: Collection[str] | None,
    unread: Sequence[Skipped],
    now: datetime,
) -> int:
    """Cancels what the calendar no longer names, once that has lasted; how many that are.

    `seen` are the UIDs it names now, None when it has not changed since it was last read; `unread` may be any of ours.
    """
    known = session.scalars(
        select(Event)
        .where(Event.source_id == source.id, Event.status == "published", Event.ends_at > now)
        .order_by(Event.starts_at, Event.id)
    ).all()
    if seen is not None:
        perhaps = {one.uid for one in unread if one.uid}
        for event in known:
            if event.uid in seen or _is_one_of(event.uid, perhaps):
                event.source_missing_at = None
            elif event.source_missing_at is None:
                event.source_missing_at = now
        session.flush()
    gone = [event for event in known if event.source_missing_at is not None]
    there = [event for event in known if event.source_missing_at is None]
    done = 0
    for event in gone:
        patience = _patience(event, gone=len(gone), there=there)
        if patience is not None and event.source_missing_at is not None and event.source_missing_at + patience <= now:
            event_changes.call_off(session, event_id=event.id, actor=actor(source), now=now, by_source=True)
            done += 1
    return done


def actor(source: FollowedCalendar) -> audit.Actor:
    """Who acts, for the audit trail."""
    return audit.Actor("system", None, source.title or source.url[:200])


def _patience(event: Event, *, gone: int, there: Sequence[Event]) -> timedelta | None:
    """How long it may be missing; None for ever."""
    if not there or event.starts_at > there[-1].starts_at:
        return None if len(there) >= SMALLEST_PAGE else LONG_PATIENCE
    return LONG_PATIENCE if gone > FEW_MISSING and gone > len(there) else PATIENCE


def _is_one_of(uid: str, known: Collection[str]) -> bool:
    """Whether it is one of those, or a date of a series that is."""
    return uid in known or any(uid[:end] in known for end, sign in enumerate(uid) if sign == "_")


def _as_shown(item: Item, source: FollowedCalendar) -> Item:
    """With what was chosen for the calendar. A link to join is as public here as it is there: nobody registers."""
    place = item.values.location_name
    if item.values.online_url:
        item = importing.with_line(item, _("Join online: %(address)s", address=f"<{item.values.online_url}>"))
        place = place or ("" if item.values.location_address else _("Online"))
    values = item.values
    shown: EventValues = replace(
        values,
        location_name=place,
        online_url="",
        category=values.category or source.category,
        visibility="private" if item.is_private else source.visibility,
        reminder_hours=None,
    )
    return replace(item, values=shown)


def _new(session: Session, item: Item, source: FollowedCalendar, now: datetime) -> Outcome:
    if item.is_cancelled:
        return skipped(item, _("It is cancelled."))
    if item.is_private:
        return skipped(item, _("It is marked private there."))
    if item.unknown_zone:
        return skipped(item, _not_certain(item))
    event = importing.publish_new(
        session,
        item=item,
        organizer_id=source.organizer_id,
        source_id=source.id,
        actor=actor(source),
        now=now,
    )
    return outcome("taken", event, item)


def _again(session: Session, event: Event, item: Item, source: FollowedCalendar, now: datetime) -> Outcome:
    if importing.is_older(event, item):
        event.source_missing_at = None
        return outcome("unchanged", event, item)
    if item.is_cancelled:
        importing.remember(event, item)
        if event.status != "published":
            return outcome("unchanged", event, item)
        event_changes.call_off(session, event_id=event.id, actor=actor(source), now=now, by_source=True)
        return outcome("changed", event, item)
    if item.unknown_zone:
        event.source_missing_at = None
        return skipped(item, _not_certain(item))
    changes = importing.bring_up_to_date(
        session,
        event,
        item,
        values=item.values,
        also={"status": "published", "cancelled_at": None, "source_url": item.url},
        action="event.followed",
        actor=actor(source),
        now=now,
    )
    if changes.keys() & SIGNIFICANT:
        event_changes.notify_update(session, event=event, changes=changes, now=now)
    return outcome("changed" if changes else "unchanged", event, item, changes)


def _known_otherwise(session: Session, event: Event, item: Item, source: FollowedCalendar, now: datetime) -> Outcome:
    """An event of that UID is here already, and not from this calendar: an untouched draft may become its event."""
    if event.source_id is not None:
        return skipped(item, _("Another followed calendar brings it already."))
    if event.organizer_id != source.organizer_id or not importing.is_untouched(session, event):
        return skipped(item, _("An event of this site has its UID."))
    if item.is_cancelled or item.is_private:
        return skipped(item, _("It is cancelled.") if item.is_cancelled else _("It is marked private there."))
    if item.unknown_zone:
        return skipped(item, _not_certain(item))
    changes = importing.bring_up_to_date(
        session,
        event,
        item,
        values=item.values,
        also={"status": "published", "published_at": now, "source_id": source.id, "source_url": item.url},
        action="event.followed",
        actor=actor(source),
        now=now,
    )
    return outcome("taken", event, item, changes)


def _not_certain(item: Item) -> str:
    """Why an event is not published: its times are a guess."""
    return _(
        "Its time zone “%(name)s” is not known, so its time is not certain. It is published once its calendar names a "
        "zone like Europe/Berlin.",
        name=item.unknown_zone,
    )

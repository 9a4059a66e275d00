"""Calendars of others: followed, paused and given up by organizers. The worker reads them (`rounds`)."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg import audit, collation
from eventreg.calendar.source_text import category as fitting
from eventreg.errors import InvalidField, NotFound
from eventreg.events import importing
from eventreg.events.models import VISIBILITIES, Event
from eventreg.following import addresses
from eventreg.following.models import FollowedCalendar
from eventreg.registrations import event_changes


def follow(
    session: Session,
    *,
    url: str,
    title: str,
    category: str,
    visibility: str,
    organizer_id: int,
    actor: audit.Actor,
    now: datetime,
    own_host: str,
) -> FollowedCalendar:
    """From now on that calendar is read every hour, the first time at once. Raises: InvalidField."""
    url = addresses.normalised(url, own_host=own_host)
    if visibility not in VISIBILITIES:
        raise InvalidField("visibility", _("Choose public, unlisted or private."))
    if session.scalar(select(FollowedCalendar.id).where(FollowedCalendar.url == url)) is not None:
        raise InvalidField("url", _("This calendar is followed already."))
    made = FollowedCalendar(
        url=url,
        title=title[:200],
        organizer_id=organizer_id,
        category=fitting(category),
        visibility=visibility,
        next_fetch_at=now,
        created_at=now,
    )
    session.add(made)
    audit.record(session, actor=actor, action="calendar.followed", now=now, changes={"url": (None, url)})
    session.flush()
    return made


def load(session: Session, calendar_id: int) -> FollowedCalendar:
    """The calendar, locked until the transaction ends. Raises: NotFound."""
    found = session.get(FollowedCalendar, calendar_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("This calendar is not followed any more."))
    return found


def listed(session: Session, *, organizer_id: int | None) -> list[FollowedCalendar]:
    """The calendars of one organizer, or of everybody, by title."""
    query = select(FollowedCalendar).order_by(collation.sort_key(FollowedCalendar.title), FollowedCalendar.url)
    if organizer_id is not None:
        query = query.where(FollowedCalendar.organizer_id == organizer_id)
    return list(session.scalars(query))


def name_of(session: Session, calendar_id: int | None) -> str:
    """What a followed calendar is called; "" for none."""
    if calendar_id is None:
        return ""
    return session.scalar(select(FollowedCalendar.title).where(FollowedCalendar.id == calendar_id)) or _(
        "a followed calendar"
    )


def coming(session: Session, calendar_ids: Sequence[int], *, now: datetime) -> dict[int, int]:
    """How many published events of each are still to come."""
    query = (
        select(Event.source_id, func.count())
        .where(Event.source_id.in_(calendar_ids), Event.status == "published", Event.ends_at > now)
        .group_by(Event.source_id)
    )
    return {source_id: count for source_id, count in session.execute(query) if source_id is not None}


def pause(session: Session, *, calendar_id: int, actor: audit.Actor, now: datetime) -> None:
    """It is not read until it is resumed; its events stay as they are. Raises: NotFound."""
    load(session, calendar_id).next_fetch_at = None
    audit.record(session, actor=actor, action="calendar.paused", now=now, changes={"calendar": (None, calendar_id)})
    session.flush()


def read_soon(session: Session, *, calendar_id: int, actor: audit.Actor, now: datetime) -> None:
    """It is due now, paused or not. Raises: NotFound."""
    load(session, calendar_id).next_fetch_at = now
    audit.record(session, actor=actor, action="calendar.resumed", now=now, changes={"calendar": (None, calendar_id)})
    session.flush()


def unfollow(session: Session, *, calendar_id: int, actor: audit.Actor, now: datetime) -> int:
    """Gives it up. Its coming events become drafts of its organizer; how many those are.

    Those that are over, cancelled, or have people registered stay as they are, and may be changed from then on.
    Raises: NotFound.
    """
    calendar = load(session, calendar_id)
    drafts = 0
    for event in session.scalars(select(Event).where(Event.source_id == calendar_id).with_for_update()).all():
        is_coming = event.status == "published" and event.ends_at > now
        if is_coming and event_changes.people_to_tell(session, event.id) == 0:
            importing.to_draft(session, event, actor=actor, now=now)
            drafts += 1
        event.source_id = event.source_missing_at = None
    session.flush()
    changes = {"url": (calendar.url, None)}
    audit.record(session, actor=actor, action="calendar.unfollowed", now=now, changes=changes)
    session.delete(calendar)
    session.flush()
    return drafts

"""One person's private feed: every event they have answered yes or maybe to, or wait for.

Opened by a signed link that holds a registration, its link generation and the feed's own; a reset raises the last.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from eventreg.calendar import feed
from eventreg.calendar.invitation import is_coming, own_status, page_of
from eventreg.calendar.text import one_line
from eventreg.calendar.vevent import vevent
from eventreg.events.models import Event
from eventreg.links import FEED, Links
from eventreg.registrations import queries
from eventreg.registrations.models import Registration

Answered = Sequence[tuple[Registration, Event]]


@dataclass(frozen=True, slots=True)
class Facts:
    """What answers a conditional request, read without any event's title or description."""

    etag: str
    last_modified: datetime


def owner(session: Session, token: str, *, links: Links) -> str | None:
    """The e-mail key whose feed the token opens; None when it is wrong or was reset."""
    numbers = links.numbers(FEED, token, 3)
    if numbers is None:
        return None
    registration_id, generation, feed_generation = numbers
    registration = queries.by_id(session, registration_id)
    if registration is None or registration.link_generation != generation:
        return None
    if queries.feed_generation(session, registration.email_key) != feed_generation:
        return None
    return registration.email_key


def facts(session: Session, email_key: str, *, now: datetime, source: str, site_name: str) -> Facts:
    """The strong tag and date of the feed as it is now.

    The date is never before today's first instant: an answer that was withdrawn leaves no row to take one from.
    """
    query = (
        select(
            Registration.id,
            Registration.rsvp,
            Registration.status,
            Registration.updated_at,
            Event.ics_digest,
            Event.updated_at.label("event_updated_at"),
        )
        .join(Event, Event.id == Registration.event_id)
        .where(*_conditions(email_key, now))
        .order_by(Registration.id)
    )
    rows = session.execute(query).all()
    newest = session.scalar(select(func.max(Registration.updated_at)).where(Registration.email_key == email_key))
    moments: list[datetime] = [feed.day_of(now), *(row.event_updated_at for row in rows), *([newest] if newest else [])]
    tag = hashlib.sha256(repr((source, site_name, [tuple(row) for row in rows])).encode("utf-8", "surrogatepass"))
    return Facts(etag=tag.hexdigest()[:32], last_modified=max(moments))


def read(session: Session, email_key: str, *, now: datetime) -> Answered:
    """The person's registrations with their events, in the order of the events."""
    query = (
        select(Registration, Event)
        .join(Event, Event.id == Registration.event_id)
        .where(*_conditions(email_key, now))
        .order_by(Event.starts_at, Event.uid)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def build(answered: Answered, *, links: Links, source: str, site_name: str) -> bytes:
    """The feed's bytes."""
    blocks = [
        vevent(
            event,
            links=links,
            page=page_of(event, registration, links=links),
            status=own_status(event, registration),
            modified_at=registration.updated_at,
            joins=is_coming(event, registration.rsvp, registration.status),
            in_feed=True,
        ).to_ical()
        for registration, event in answered
    ]
    changes = [max(registration.updated_at, event.updated_at) for registration, event in answered]
    header = feed.calendar_head(
        name=_("My events: %(site)s", site=one_line(site_name)),
        about=_("The events you have answered. Keep this address to yourself: it shows your join links."),
        source=source,
        page=links.absolute("/events/"),
        changed_at=max(changes, default=None),
    )
    return feed.assembled(header, blocks)


def _conditions(email_key: str, now: datetime) -> list[ColumnElement[bool]]:
    return [
        Registration.email_key == email_key,
        Registration.status.in_(("pending", "confirmed", "waitlisted")),
        Registration.rsvp != "no",
        Event.status != "draft",
        *feed.in_window(now),
    ]

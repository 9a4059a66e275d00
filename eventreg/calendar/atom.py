"""The Atom feed: what is coming, the newest announcement first. Source: RFC 4287."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.calendar import feed, markdown_text
from eventreg.calendar.entry_words import local_time, location
from eventreg.calendar.text import clean, one_line
from eventreg.events.models import Event
from eventreg.events.spans import LISTED, ending_after, joined
from eventreg.links import Links

NAMESPACE = "http://www.w3.org/2005/Atom"
LIMIT = 50
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

ET.register_namespace("", NAMESPACE)


def read(session: Session, chosen: feed.Selection, *, now: datetime) -> Sequence[Event]:
    """The events that are not over, the latest changed first.

    Found by time, as every feed is, and only then sorted: by change alone, one would walk through all that ever was.
    """
    today = feed.day_of(now)
    coming = joined(
        ending_after(today, [LISTED, *feed.in_window(now)], chosen.sought(session)), Event.id, Event.updated_at
    )
    newest = select(coming.c.id).order_by(coming.c.updated_at.desc(), coming.c.id.desc()).limit(LIMIT)
    query = select(Event).where(Event.id.in_(newest)).order_by(Event.updated_at.desc(), Event.id.desc())
    return session.scalars(query).all()


def build(events: Sequence[Event], chosen: feed.Selection, *, links: Links, site_name: str) -> bytes:
    """The document; the same events give the same bytes."""
    root = ET.Element(_name("feed"))
    address = links.absolute(f"/feed.atom{chosen.query()}")
    _add(root, "id", address)
    _add(root, "title", chosen.named(site_name))
    _add(root, "updated", _instant(max((event.updated_at for event in events), default=EPOCH)))
    _add(root, "link", rel="self", type="application/atom+xml", href=address)
    _add(root, "link", rel="alternate", type="text/html", href=links.absolute("/events/"))
    _add(_add(root, "author"), "name", one_line(site_name))
    for event in events:
        _add_entry(root, event, links)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _add_entry(root: ET.Element, event: Event, links: Links) -> None:
    entry = _add(root, "entry")
    title = one_line(event.title)
    if event.status == "cancelled":
        title = _("Cancelled: %(title)s", title=title)
    _add(entry, "id", uuid.uuid5(uuid.NAMESPACE_URL, event.uid.encode("utf-8", "replace").decode()).urn)
    _add(entry, "title", title)
    _add(entry, "updated", _instant(event.updated_at))
    _add(entry, "published", _instant(event.published_at or event.created_at))
    _add(entry, "link", rel="alternate", type="text/html", href=links.event(event.slug))
    _add(entry, "link", rel="related", type="text/calendar", href=links.absolute(f"/events/{event.slug}.ics"))
    if category := one_line(event.category):
        _add(entry, "category", term=category)
    _add(
        entry, "summary", "\n".join(line for line in (local_time(event), location(event), clean(event.summary)) if line)
    )
    if text := clean(markdown_text.plain(clean(event.description))):
        _add(entry, "content", text)


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, _name(name), attributes)
    child.text = text
    return child


def _name(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

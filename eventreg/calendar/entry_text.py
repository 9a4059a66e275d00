"""An event's public entry, written straight into bytes: the same that `vevent` and icalendar give.

It stands in the feeds and in the file of a single event. All entries are written anew after a release that changes
them. A test holds both ways of writing to the same bytes. Source: RFC 5545 section 3.6.1.
"""

from datetime import timedelta

from flask_babel import gettext as _

from eventreg.calendar.entry_words import PRODID, description, location
from eventreg.calendar.lines import day, folded_line, instant, parameter, text_line
from eventreg.calendar.text import common_name, mailto, one_line
from eventreg.events import wording
from eventreg.events.models import Event
from eventreg.links import Links

HEAD = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:" + PRODID.encode() + b"\r\n"
END = b"END:VCALENDAR\r\n"


def event_file(event: Event, *, links: Links, site_name: str, contact_email: str) -> bytes:
    """The event for whoever downloads it: METHOD:PUBLISH, the public contact as organizer, no attendee."""
    contact = parameter(b"CN", common_name(site_name)) + b":" + mailto(event.contact_email or contact_email).encode()
    entry = _entry(event, links=links, title=one_line(event.title), organizer=[folded_line(b"ORGANIZER" + contact)])
    return b"".join([HEAD, b"METHOD:PUBLISH\r\n", entry, END])


def entry_text(event: Event, *, links: Links) -> bytes:
    """The VEVENT of the feeds. Google hides the status, so the title says it too."""
    title = one_line(event.title)
    if event.status == "cancelled":
        title = _("Cancelled: %(title)s", title=title)
    return _entry(event, links=links, title=title, organizer=[])


def _entry(event: Event, *, links: Links, title: str, organizer: list[bytes]) -> bytes:
    """Lines in icalendar's order."""
    page, changed = links.event(event.slug), instant(event.updated_at)
    lines = [
        b"BEGIN:VEVENT",
        text_line(b"SUMMARY", title),
        *_span(event),
        b"DTSTAMP:" + changed,
        text_line(b"UID", one_line(event.uid)),
        b"SEQUENCE:%d" % event.sequence,
    ]
    if category := one_line(event.category):
        lines.append(text_line(b"CATEGORIES", category))
    lines.append(b"CREATED:" + instant(event.created_at))
    lines.append(text_line(b"DESCRIPTION", description(event, page=page, joins=False)))
    lines.append(b"LAST-MODIFIED:" + changed)
    if place := location(event):
        lines.append(text_line(b"LOCATION", place))
    lines += organizer
    lines.append(b"STATUS:CANCELLED" if event.status == "cancelled" else b"STATUS:CONFIRMED")
    if event.all_day:
        lines.append(b"TRANSP:TRANSPARENT")
    lines += [folded_line(b"URL:" + page.encode()), b"END:VEVENT", b""]
    return b"\r\n".join(lines)


def _span(event: Event) -> list[bytes]:
    """Instants in UTC; whole days as dates, the end being the day after the last."""
    if event.all_day:
        first, after = wording.first_day(event), wording.last_day(event) + timedelta(days=1)
        return [b"DTSTART;VALUE=DATE:" + day(first), b"DTEND;VALUE=DATE:" + day(after)]
    return [b"DTSTART:" + instant(event.starts_at), b"DTEND:" + instant(event.ends_at)]

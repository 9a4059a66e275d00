"""One event as a VEVENT, the same in mail, download and feed. Source: RFC 5545 section 3.6.1.

Times are written in UTC, which Outlook, Google and Thunderbird all place right, so no VTIMEZONE is needed; the
local time and zone stand in the description in words. The same event gives the same bytes.
"""

from datetime import datetime, timedelta

from flask_babel import gettext as _
from icalendar import Calendar, vCategory, vText, vUri
from icalendar import Event as VEvent

from eventreg.calendar.entry_words import PRODID, description, location
from eventreg.calendar.text import escaped, one_line
from eventreg.events import wording
from eventreg.events.models import Event
from eventreg.links import Links


class Text(vText):
    r"""A TEXT value, escaped as `text.escaped` says. icalendar also takes the two characters `\N` for a line break."""

    def to_ical(self) -> bytes:
        """The escaped value; the text must be clean."""
        return escaped(self).encode()


def calendar(method: str | None = None) -> Calendar:
    """An empty VCALENDAR. `Calendar.new()` would add a random UID, which vdirsyncer takes for a single item."""
    made = Calendar()
    made.add("PRODID", Text(PRODID))
    made.add("VERSION", Text("2.0"))
    if method is not None:
        made.add("METHOD", Text(method))
    return made


def vevent(
    event: Event,
    *,
    links: Links,
    status: str | None = None,
    stamp_at: datetime | None = None,
    modified_at: datetime | None = None,
    page: str | None = None,
    joins: bool = False,
    in_feed: bool = False,
) -> VEvent:
    """The event as one entry.

    `status` is iCalendar's, by default the event's own; "" writes none. `stamp_at` is when this message was made,
    by default LAST-MODIFIED, as feeds and downloads want it. `modified_at` replaces the event's own LAST-MODIFIED
    where the entry depends on more than the event. `page` is the address of a page its reader may open, by default
    the event's public one. `joins` gives the join link and directions of people who are coming. `in_feed` says
    “Cancelled” in the title too, because Google hides the status.
    """
    page = page or links.event(event.slug)
    modified_at = max(modified_at or event.updated_at, event.updated_at).replace(microsecond=0)
    title = one_line(event.title)
    if in_feed and event.status == "cancelled":
        title = _("Cancelled: %(title)s", title=title)
    if status is None:
        status = "CANCELLED" if event.status == "cancelled" else "CONFIRMED"
    entry = VEvent()
    entry.add("UID", Text(one_line(event.uid)))
    entry.add("DTSTAMP", (stamp_at or modified_at).replace(microsecond=0))
    entry.add("CREATED", event.created_at.replace(microsecond=0))
    entry.add("LAST-MODIFIED", modified_at)
    entry.add("SEQUENCE", event.sequence)
    entry.add("SUMMARY", Text(title))
    _add_span(entry, event)
    if status:
        entry.add("STATUS", Text(status))
    entry.add("DESCRIPTION", Text(description(event, page=page, joins=joins)))
    if place := location(event):
        entry.add("LOCATION", Text(place))
    entry.add("URL", vUri(page))
    if category := one_line(event.category):
        categories = vCategory([])
        categories.cats = [Text(category)]
        entry.add("CATEGORIES", categories)
    return entry


def _add_span(entry: VEvent, event: Event) -> None:
    """Instants in UTC; whole days as dates, the end being the day after the last."""
    if event.all_day:
        entry.add("DTSTART", wording.first_day(event))
        entry.add("DTEND", wording.last_day(event) + timedelta(days=1))
        entry.add("TRANSP", Text("TRANSPARENT"))
    else:
        entry.add("DTSTART", event.starts_at.replace(microsecond=0))
        entry.add("DTEND", event.ends_at.replace(microsecond=0))

"""What an event's entry says in words, whoever writes it down: icalendar, `entry_text`, or the Atom feed."""

from functools import lru_cache

from babel import Locale
from babel.dates import get_timezone_name
from flask_babel import get_locale
from flask_babel import gettext as _

from eventreg import timezones
from eventreg.calendar import markdown_text
from eventreg.calendar.text import clean, one_line
from eventreg.events import wording
from eventreg.events.models import Event

PRODID = "-//eventreg//Community calendar//EN"
"""Constant between releases: another one would change every ETag."""


def location(event: Event) -> str:
    """Where, on one line a map can find; never the join link."""
    spot = ", ".join(part for part in (one_line(event.location_name), one_line(event.location_address)) if part)
    return spot or (_("Online") if event.online_url else "")


def description(event: Event, *, page: str, joins: bool) -> str:
    """Plain text; ends with the local time, the zone in words, and the address of a page."""
    parts = [clean(event.summary), clean(markdown_text.plain(clean(event.description)))]
    if joins:
        if event.directions:
            parts.append(_("Directions: %(text)s", text=clean(markdown_text.plain(clean(event.directions)))))
        if event.online_url:
            parts.append(_("Join online: %(address)s", address=one_line(event.online_url)))
    parts.append(f"{local_time(event)}\n{page}")
    return "\n\n".join(part for part in parts if part)


def local_time(event: Event) -> str:
    """When, on the event's own clock: “Monday, October 19, 2026, 3:00-6:00 PM EDT (Eastern Time)”."""
    when = wording.event_time(event)
    if event.all_day or event.timezone == "UTC":
        return when
    return _("%(when)s (%(zone)s)", when=when, zone=_zone_name(event.timezone, get_locale() or Locale("en")))


@lru_cache(maxsize=256)
def _zone_name(timezone: str, locale: Locale) -> str:
    """The zone in words, which CLDR takes long to look up; its IANA name where CLDR does not know it."""
    words = get_timezone_name(timezones.zone(timezone), locale=locale)
    return timezone if locale.territories["ZZ"] in words else words

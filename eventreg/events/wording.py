"""What an event says about itself in words: when, where, for whom, what is left.

Pages and mail say the same thing because both ask here. Text only, no markup, no request: the language is that
of the surrounding context, English where there is none.
"""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from urllib.parse import quote

from babel import Locale
from babel.dates import format_date, format_time
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from eventreg import timezones
from eventreg.events.models import Event
from eventreg.events.rules import Availability, Door, seats_left


def event_time(event: Event, *, dash: str = "-") -> str:
    """The whole time with weekday and zone, like “Monday, October 19, 2026, 3:00-6:00 PM EDT”.

    `dash` stands between the hours; pages use an en dash, plain text a hyphen. An all-day event names its days.
    """
    if event.all_day:
        return _("%(days)s, all day", days=_days(event))
    return _span(event, first_day(event), last_day(event), dash)


def event_hours(event: Event, *, dash: str = "-") -> str:
    """The hours alone, where a heading already names the day: “3:00-6:00 PM EDT”, “all day”.

    An event that ends on another day says until when.
    """
    first, last = first_day(event), last_day(event)
    if event.all_day:
        return _("All day") if first == last else _("All day, until %(day)s", day=short_day(last))
    if first == last:
        return _hours(event, dash)
    return _(
        "%(start)s, until %(day)s, %(end)s",
        start=clock_time(event.starts_at, event.timezone),
        day=short_day(last),
        end=clock_time(event.ends_at, event.timezone),
    )


def time_on(event: Event, day: date) -> str:
    """What a square of a month says of the time on that day: when it begins, or that it goes on."""
    if event.all_day:
        return _("All day")
    return clock_time(event.starts_at, event.timezone) if first_day(event) == day else _("Goes on")


def instant(moment: datetime, timezone: str) -> str:
    """One moment in that zone: “Monday, October 12, 2026, 9:00 AM EDT”."""
    day = full_day(timezones.local_date(moment, timezone))
    return _("%(day)s, %(time)s", day=day, time=clock_time(moment, timezone))


def short_instant(moment: datetime, timezone: str) -> str:
    """The same for a narrow place: “Mon, Oct 12, 9:00 AM EDT”."""
    day = short_day(timezones.local_date(moment, timezone))
    return _("%(day)s, %(time)s", day=day, time=clock_time(moment, timezone))


def clock_time(moment: datetime, timezone: str) -> str:
    """Hours, minutes and zone: “9:00 AM EDT”."""
    zone = timezones.abbreviation(moment, timezone)
    return _("%(time)s %(zone)s", time=_bare_time(moment, timezone), zone=zone)


def full_day(day: date) -> str:
    """“Monday, October 19, 2026”."""
    return day_part(day, "full")


def short_day(day: date) -> str:
    """“Mon, Oct 19”, in a place where the year is plain."""
    return day_part(day, _("EEE, MMM d"))


def month_name(day: date) -> str:
    """“October 2026”."""
    return day_part(day, "LLLL y")


def day_part(day: date, pattern: str) -> str:
    """One part of a date by a CLDR pattern, like `LLL` for “Oct”."""
    return _day(day, pattern, _locale())


def first_day(event: Event) -> date:
    """The day it begins, by the calendar of its own zone."""
    return timezones.local_date(event.starts_at, event.timezone)


def last_day(event: Event) -> date:
    """The last day it touches; an event that ends at midnight ends on the day before."""
    return timezones.local_date(event.ends_at - timedelta(microseconds=1), event.timezone)


def place(event: Event) -> str:
    """Where, on one line. Says that it is online, never the join link."""
    return _spot(
        event, ", ".join(part for part in (event.location_name.strip(), event.location_address.strip()) if part)
    )


def short_place(event: Event) -> str:
    """Where, for a row of a list: the name of the place, without its address."""
    return _spot(event, event.location_name.strip() or event.location_address.strip())


def map_address(event: Event) -> str:
    """Where the place is on OpenStreetMap, empty without one; an address finds more there than a room's name."""
    spot = event.location_address.strip() or event.location_name.strip()
    return f"https://www.openstreetmap.org/search?query={quote(spot, safe='')}" if spot else ""


def audience(event: Event) -> str:
    """For whom, as the organizer named them, or everyone."""
    return event.audience or _("Everyone")


def status_words(availability: Availability, event: Event) -> str:
    """What is left, short enough for a row of a list: “12 of 80 places left”, “Full, waitlist open”."""
    words = {
        Door.CANCELLED: _("Cancelled"),
        Door.PAST: _("This event is over"),
        Door.ELSEWHERE: _("No registration here"),
        Door.CLOSED: _("Registration is closed"),
        Door.FULL: _("Full"),
        Door.WAITLIST: _("Places held, waitlist open") if availability.seats_left else _("Full, waitlist open"),
    }
    if availability.door in words:
        return words[availability.door]
    if availability.door is Door.NOT_OPEN and availability.opens_at is not None:
        return _("Registration opens %(when)s", when=short_instant(availability.opens_at, event.timezone))
    if availability.door is Door.ASK:
        if availability.seats_left is not None and availability.seats_left <= 0:
            return _("Full, you can still ask")
        return _("%(seats)s, on approval", seats=seat_words(event))
    return seat_words(event)


def seat_words(event: Event) -> str:
    """The places nobody holds yet, whatever the window says."""
    left = seats_left(event)
    if left is None or event.capacity is None:
        return _("Unlimited places")
    return ngettext(
        "%(left)s of %(num)s place left", "%(left)s of %(num)s places left", event.capacity, left=max(left, 0)
    )


def closing_words(availability: Availability, event: Event) -> str:
    """Until when an answer is taken: “Registration closes Monday, October 12, 2026, 9:00 AM EDT”."""
    return _("Registration closes %(when)s", when=instant(availability.closes_at, event.timezone))


def closed_reason(event: Event, found: Availability) -> str:
    """Why no answers are taken, with the time that decided it, as a sentence."""
    match found.door:
        case Door.CANCELLED:
            return _("This event was cancelled, so registration is closed.")
        case Door.PAST:
            return _("This event is over.")
        case Door.ELSEWHERE:
            return _("This event is run elsewhere; there is no registration for it here.")
        case Door.NOT_OPEN if found.opens_at is not None:
            return _("Registration opens on %(time)s.", time=instant(found.opens_at, event.timezone))
        case _other:
            return _("Registration closed on %(time)s.", time=instant(found.closes_at, event.timezone))


def _spot(event: Event, spot: str) -> str:
    if spot and event.online_url:
        return _("%(place)s, and online", place=spot)
    return spot or (_("Online") if event.online_url else _("Place to be announced"))


def _days(event: Event) -> str:
    first, last = first_day(event), last_day(event)
    if first == last:
        return full_day(first)
    return _("%(first)s to %(last)s", first=full_day(first), last=full_day(last))


def _span(event: Event, first: date, last: date, dash: str) -> str:
    if first == last:
        return _("%(day)s, %(time)s", day=full_day(first), time=_hours(event, dash))
    return _(
        "%(start)s to %(end)s",
        start=instant(event.starts_at, event.timezone),
        end=instant(event.ends_at, event.timezone),
    )


def _hours(event: Event, dash: str) -> str:
    """“3:00-6:00 PM EDT”; both zones are named when the clocks change in between."""
    zones = [timezones.abbreviation(moment, event.timezone) for moment in (event.starts_at, event.ends_at)]
    start, end = (_bare_time(moment, event.timezone) for moment in (event.starts_at, event.ends_at))
    if zones[0] != zones[1]:
        start = _("%(time)s %(zone)s", time=start, zone=zones[0])
    elif " " in start and start.rpartition(" ")[2] == end.rpartition(" ")[2]:
        start = start.rpartition(" ")[0]
    return _("%(start)s%(dash)s%(end)s %(zone)s", start=start, dash=dash, end=end, zone=zones[1])


def _bare_time(moment: datetime, timezone: str) -> str:
    return _time(timezones.to_wall(moment, timezone).time().replace(second=0, microsecond=0), _locale())


@lru_cache(maxsize=4096)
def _day(day: date, pattern: str, locale: Locale) -> str:
    """Remembered, because CLDR takes long over it, and events share their days and hours with others."""
    return _plain(format_date(day, pattern, locale=locale))


@lru_cache(maxsize=4096)
def _time(wall: time, locale: Locale) -> str:
    return _plain(format_time(wall, "short", locale=locale))


def _plain(text: str) -> str:
    """CLDR's narrow no-break spaces as plain ones, which every mail program and search understands."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def _locale() -> Locale:
    return get_locale() or Locale("en")

"""Dates, times and durations of others' calendars. Pure. Source: RFC 5545 sections 3.3.4-3.3.6, 3.3.9, 3.6.1."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from eventreg.calendar.source_lines import Component, Property
from eventreg.calendar.source_zones import Zone, Zones

EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_TIME = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[Tt ](\d\d):?(\d\d)(?::?(\d\d))?(?:\.\d+)?([Zz])?)?")
_DURATION = re.compile(
    r"([+-])?P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?", re.IGNORECASE
)
_ENDS_OF_A_DAY = frozenset({time(0, 0, 0), time(23, 59, 59)})
Moment = date | datetime
"""A day, or an aware time."""


class BadTime(ValueError):
    """No time, or one that nobody can mean."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long something lasts: days of the calendar, then an exact time. Source: RFC 5545 section 3.3.6."""

    days: int = 0
    exact: timedelta = timedelta()

    def after(self, starts: Moment) -> Moment:
        """The end of what begins then. Raises: BadTime."""
        try:
            if not isinstance(starts, datetime):
                return starts + timedelta(days=self.days - (-self.exact // DAY))
            return instant(starts + timedelta(days=self.days)) + self.exact
        except OverflowError as error:
            raise BadTime("too long") from error


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when; both are days (the end excluded) or both are aware times."""

    starts: Moment
    ends: Moment
    zone: Zone
    has_end: bool
    lasts: Length
    unknown_zone: str = ""
    """The TZID that is not known; the calendar's own zone stands in for it."""
    damaged: str = ""
    """The end, where it cannot be read."""

    @property
    def is_all_day(self) -> bool:
        """Whether only the dates count."""
        return not isinstance(self.starts, datetime)


def span_of(component: Component, zones: Zones) -> Span:
    """When an event takes place. Raises: BadTime."""
    start = component.first("DTSTART")
    if start is None:
        raise BadTime("DTSTART")
    starts, zone, unknown = moment(start, start.value, zones)
    if isinstance(starts, datetime):
        instant(starts)
    damaged, lasts = "", None
    try:
        lasts, unknown_there = _length(component, starts, zone, zones)
        unknown = unknown or unknown_there
    except BadTime as error:
        damaged = str(error)
    if _is_all_day_of_microsoft(component, starts, lasts):
        whole = _day(starts)
        lasts = lasts and Length((_day(_in_zone(lasts.after(starts), starts)) - whole).days)
        starts = whole
    is_timed = isinstance(starts, datetime)
    has_end = not is_timed or lasts is not None
    lasts = lasts or (Length(exact=HOUR) if is_timed else Length(days=1))
    return Span(starts, lasts.after(starts), zone, has_end, lasts, unknown, damaged)


def moment(found: Property, value: str, zones: Zones, *, floating: Zone | None = None) -> tuple[Moment, Zone, str]:
    """One value of a property: (the day or time, its zone, the TZID that is unknown). Raises: BadTime.

    `floating` is the zone of a time that names none: the one of the event's start, or else the calendar's.
    """
    read = _TIME.fullmatch(value.strip())
    if read is None:
        raise BadTime(value)
    year, month, day, hour, minute, second, is_utc = read.groups()
    try:
        on = date(int(year), int(month), int(day))
        if not EARLIEST_YEAR <= on.year <= LATEST_YEAR:
            raise BadTime(value)
        if hour is None or (found.params.get("VALUE", "").upper() == "DATE" and int(hour + minute) % 2400 == 0):
            return on, zones.own, ""
        if (hour, minute) == ("24", "00"):
            on, hour = on + DAY, "00"
        at = time(int(hour), int(minute), min(int(second or 0), 59))
    except ValueError as error:
        raise BadTime(value) from error
    if is_utc:
        return datetime.combine(on, at, UTC), zones.utc, ""
    if zones.is_blank(found.params.get("TZID", "")) or "TZID" not in found.params:
        zone, unknown = floating or zones.own, "" if floating else zones.unknown
        return datetime.combine(on, at, zone.rules), zone, unknown
    tzid = found.params["TZID"]
    known = zones.find(tzid)
    zone = known or floating or zones.own
    return datetime.combine(on, at, zone.rules), zone, "" if known else tzid


def instant(moment_: datetime) -> datetime:
    """In UTC. A time the clocks skip is read with the offset before the gap. Raises: BadTime.

    Source: RFC 5545 section 3.3.5.
    """
    try:
        return moment_.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise BadTime(f"{moment_:%Y-%m-%d %H:%M:%S}") from error


def duration(text: str) -> Length:
    """A DURATION: weeks and days are those of the calendar. Raises: BadTime.

    >>> duration("P1DT1H30M")
    Length(days=1, exact=datetime.timedelta(seconds=5400))
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()[1:]):
        raise BadTime(text)
    sign, weeks, days, hours, minutes, seconds = found.groups()
    whole = int(weeks or 0) * 7 + int(days or 0)
    exact = timedelta(hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(seconds or 0))
    return Length(-whole, -exact) if sign == "-" else Length(whole, exact)


def day_meant(at: datetime, zones: Zones) -> date:
    """The day that a time means where only the dates count: midnight there, as Exchange writes it, or as it stands."""
    if at.tzinfo is not UTC:
        return at.date()
    here = at.astimezone(zones.own.rules)
    return at.date() if here.time() != time.min and at.time() in _ENDS_OF_A_DAY else here.date()


def floating_zone(starts: Moment, zone: Zone) -> Zone | None:
    """The zone of the other times of an event that name none: its start's, unless that is a day or written in UTC."""
    return zone if isinstance(starts, datetime) and starts.tzinfo is not UTC else None


def _length(component: Component, starts: Moment, zone: Zone, zones: Zones) -> tuple[Length | None, str]:
    """(how long it lasts, the TZID of its end that is unknown). None where nothing says so, or the end is the start.

    DTEND gives an exact time; DURATION days of the calendar, then a time. Raises: BadTime.
    """
    given, lasting = component.first("DTEND"), component.first("DURATION")
    unknown = ""
    if given is not None and given.value.strip():
        ends, _zone, unknown = moment(given, given.value, zones, floating=floating_zone(starts, zone))
        found = _between(starts, ends)
    elif lasting is not None and lasting.value.strip():
        found = duration(lasting.value)
    else:
        return None, ""
    return (None if found.after(starts) == starts else found), unknown


def _between(starts: Moment, ends: Moment) -> Length:
    if isinstance(starts, datetime):
        if not isinstance(ends, datetime):
            ends = datetime.combine(ends, time.min, starts.tzinfo)
        return Length(exact=instant(ends) - instant(starts))
    if isinstance(ends, datetime):
        ends = ends.date() + (DAY if ends.time() > time.min else timedelta())
    return Length(days=(ends - starts).days)


def _day(at: Moment) -> date:
    return at.date() if isinstance(at, datetime) else at


def _in_zone(at: Moment, like: Moment) -> Moment:
    """The same instant, in the zone of another time."""
    return at.astimezone(like.tzinfo) if isinstance(at, datetime) and isinstance(like, datetime) else at


def _is_all_day_of_microsoft(component: Component, starts: Moment, lasts: Length | None) -> bool:
    """Outlook writes whole days as midnights and says so in a property of its own."""
    if component.text("X-MICROSOFT-CDO-ALLDAYEVENT").upper() != "TRUE":
        return False
    if not isinstance(starts, datetime) or starts.time() != time.min:
        return False
    ends = None if lasts is None else _in_zone(lasts.after(starts), starts)
    return ends is None or (isinstance(ends, datetime) and ends.time() == time.min and ends > starts)

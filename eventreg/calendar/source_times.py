"""Dates, times and durations of others' calendars. Pure. Source: RFC 5545 sections 3.3.4-3.3.6, 3.3.9, 3.6.1."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from eventreg.calendar.source_lines import Component, Property
from eventreg.calendar.source_zones import Zone, Zones

EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
_TIME = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[Tt ](\d\d):?(\d\d)(?::?(\d\d))?(?:\.\d+)?([Zz])?)?")
_DURATION = re.compile(
    r"([+-])?P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?", re.IGNORECASE
)
Moment = date | datetime
"""A day, or an aware time."""


class BadTime(ValueError):
    """No time, or one that nobody can mean."""


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when; both are days (the end excluded) or both are aware times, and the end is later."""

    starts: Moment
    ends: Moment
    zone: Zone
    has_end: bool
    unknown_zone: str = ""
    """The TZID nobody can know; the calendar's own zone stands in for it."""

    @property
    def is_all_day(self) -> bool:
        """Whether only the dates count."""
        return not isinstance(self.starts, datetime)


def span_of(component: Component, zones: Zones) -> Span:
    """When an event takes place. Raises: BadTime, or bounds.TooMuchWork for a zone of others' making."""
    start = component.first("DTSTART")
    if start is None:
        raise BadTime("DTSTART")
    starts, zone, unknown = moment(start, start.value, zones)
    ends = _end(component, starts, zones)
    if _is_all_day_of_microsoft(component, starts, ends):
        starts, ends = starts.date(), ends.date() if isinstance(ends, datetime) else ends  # type: ignore[union-attr]
    if ends is None:
        step = timedelta(hours=1) if isinstance(starts, datetime) else timedelta(days=1)
        return Span(starts, starts + step, zone, has_end=not isinstance(starts, datetime), unknown_zone=unknown)
    if not isinstance(starts, datetime) and starts == ends:
        ends = starts + timedelta(days=1)  # the one day that many programs mean by it
    return Span(starts, ends, zone, has_end=True, unknown_zone=unknown)


def moment(found: Property, value: str, zones: Zones) -> tuple[Moment, Zone, str]:
    """One value of a property: (the day or time, its zone, the TZID that is unknown). Raises: BadTime."""
    read = _TIME.fullmatch(value.strip())
    if read is None:
        raise BadTime(value)
    year, month, day, hour, minute, second, is_utc = read.groups()
    try:
        on = date(int(year), int(month), int(day))
        if not EARLIEST_YEAR <= on.year <= LATEST_YEAR:
            raise BadTime(value)
        if hour is None or found.params.get("VALUE", "").upper() == "DATE":
            return on, zones.own, ""
        at = time(int(hour), int(minute), min(int(second or 0), 59))
    except ValueError as error:
        raise BadTime(value) from error
    tzid = "" if is_utc else found.params.get("TZID", "")
    zone = zones.utc if is_utc else (zones.find(tzid) if tzid else zones.own)
    unknown = tzid if zone is None else ""
    zone = zone or zones.own
    return datetime.combine(on, at, zone.rules), zone, unknown


def instant(moment_: datetime) -> datetime:
    """In UTC. A time the clocks skip is read with the offset before the gap. Raises: BadTime.

    Source: RFC 5545 section 3.3.5.
    """
    try:
        return moment_.astimezone(UTC)
    except Exception as error:  # whatever a zone of others' making raises
        raise BadTime(f"{moment_:%Y-%m-%d %H:%M:%S}") from error  # str() would ask the zone again


def duration(text: str) -> timedelta:
    """A DURATION. Raises: BadTime.

    >>> duration("PT1H30M")
    datetime.timedelta(seconds=5400)
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()[1:]):
        raise BadTime(text)
    sign, weeks, days, hours, minutes, seconds = found.groups()
    length = timedelta(
        weeks=int(weeks or 0),
        days=int(days or 0),
        hours=int(hours or 0),
        minutes=int(minutes or 0),
        seconds=int(seconds or 0),
    )
    return -length if sign == "-" else length


def _end(component: Component, starts: Moment, zones: Zones) -> Moment | None:
    """The end as DTEND or DURATION give it, of the start's kind; None where there is none."""
    given = component.first("DTEND")
    if given is not None and given.value.strip():
        ends = moment(given, given.value, zones)[0]
    elif (lasting := component.first("DURATION")) is not None:
        length = duration(lasting.value)
        if not isinstance(starts, datetime):
            return starts + max(timedelta(days=1), timedelta(days=-(-length // timedelta(days=1))))
        ends = instant(starts) + length
    else:
        return None
    if isinstance(starts, datetime) and not isinstance(ends, datetime):
        return datetime.combine(ends, time.min, starts.tzinfo)
    if not isinstance(starts, datetime) and isinstance(ends, datetime):
        return ends.date() + timedelta(days=1 if ends.time() > time.min else 0)
    return None if ends == starts and isinstance(starts, datetime) else ends


def _is_all_day_of_microsoft(component: Component, starts: Moment, ends: Moment | None) -> bool:
    """Outlook writes whole days as midnights and says so in a property of its own."""
    return (
        isinstance(starts, datetime)
        and component.text("X-MICROSOFT-CDO-ALLDAYEVENT").upper() == "TRUE"
        and starts.time() == time.min
        and (ends is None or (isinstance(ends, datetime) and ends.time() == time.min and ends > starts))
    )

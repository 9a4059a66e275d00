"""Times of a series in the kind of its start: days where it has days, its zone's times where it has times. Pure.

Source: RFC 5545 sections 3.3.10 (UNTIL) and 3.8.4.4.
"""

from datetime import UTC, date, datetime, time

from eventreg.calendar.recurrence import Rule
from eventreg.calendar.source_lines import Property
from eventreg.calendar.source_times import LATEST_YEAR, Moment, Span, day_meant, floating_zone, instant, moment
from eventreg.calendar.source_zones import Zones


def last_wall(rule: Rule, start: Moment, zones: Zones) -> datetime | None:
    """The last wall clock of a rule; without Z it is one of the start's zone. A day counts to its end.

    Raises: BadTime.
    """
    if not rule.until or int(rule.until[:4]) > LATEST_YEAR:
        return None
    found = moment(Property("UNTIL", {}, rule.until, 0), rule.until, zones)[0]
    if not isinstance(start, datetime):
        return wall(day_meant(found, zones) if isinstance(found, datetime) else found)
    if not isinstance(found, datetime):
        return datetime.combine(found, time.max)
    return wall(found.astimezone(start.tzinfo) if found.tzinfo is UTC else found)


def like_start(given: Property, value: str, span: Span, zones: Zones) -> Moment:
    """A value as a day where the series has days, and as a time of its zone where it has times. Raises: BadTime."""
    start = span.starts
    found = moment(given, value, zones, floating=floating_zone(start, span.zone))[0]
    if not isinstance(start, datetime):
        return day_meant(found, zones) if isinstance(found, datetime) else found
    if isinstance(found, datetime):
        return instant(found).astimezone(start.tzinfo)
    return datetime.combine(found, start.time(), start.tzinfo)


def written(at: Moment) -> str:
    """As a RECURRENCE-ID: a day, or an instant in UTC."""
    return f"{instant(at):%Y%m%dT%H%M%SZ}" if isinstance(at, datetime) else f"{at:%Y%m%d}"


def day_text(at: Moment) -> str:
    """Its day alone, which EXDATE may name."""
    return f"{at:%Y-%m-%d}"


def wall(at: Moment) -> datetime:
    """Its wall clock, without a zone; midnight of a day."""
    return at.replace(tzinfo=None) if isinstance(at, datetime) else datetime.combine(at, time.min)


def day_of(at: Moment) -> date:
    """Its day."""
    return at.date() if isinstance(at, datetime) else at


def in_utc(at: Moment) -> Moment:
    """A time in UTC; a day as it is."""
    return instant(at) if isinstance(at, datetime) else at

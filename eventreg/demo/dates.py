"""From the calendar file's relative dates to days: always on the weekday it names, whatever today is."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
OCTOBER = 10
WEEKS_TO_LOOK_AHEAD = 10


def day(when: Mapping[str, Any], today: date) -> date:
    """The day that `weeks` and `weekday` name, counted from the Monday of this week.

    `october` asks for a day in October when one of the coming ten weeks has it.

    >>> day({"weeks": 5, "weekday": "monday"}, date(2026, 11, 22)).isoformat()
    '2026-12-21'
    >>> day({"october": True, "weeks": 5, "weekday": "monday"}, date(2026, 8, 20)).isoformat()
    '2026-10-05'
    """
    monday = today - timedelta(days=today.weekday())
    offset = timedelta(days=WEEKDAYS.index(when["weekday"]))
    usual = monday + timedelta(weeks=when["weeks"]) + offset
    if when.get("october"):
        weeks = (monday + timedelta(weeks=number) + offset for number in range(2, WEEKS_TO_LOOK_AHEAD + 1))
        return next((one for one in weeks if one.month == OCTOBER), usual)
    return usual


def span(when: Mapping[str, Any], today: date) -> tuple[datetime, datetime]:
    """First and last wall-clock time; of an all-day event the first and last day."""
    first = day(when, today)
    if when.get("all_day"):
        last = first + timedelta(days=when.get("days", 1) - 1)
        return datetime.combine(first, time.min), datetime.combine(last, time.min)
    return clock_time(first, when["from"]), clock_time(first, when["to"])


def clock_time(on: date, hours: str) -> datetime:
    """That day at a wall-clock time like "15:00"."""
    return datetime.combine(on, time.fromisoformat(hours))

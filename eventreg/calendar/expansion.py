"""A repeating event of others as single dates, by recurring-ical-events, in bounded work and number.

Source: RFC 5545 sections 3.8.5.1-3.8.5.3 and 3.8.4.4.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import icalendar
from icalendar import vDDDLists, vDDDTypes, vRecur
from recurring_ical_events import CalendarQuery, ComponentsWithName, EventAdapter

from eventreg.calendar.bounds import Budget, TooMuchWork
from eventreg.calendar.making import numbers
from eventreg.calendar.source_lines import Component, Property
from eventreg.calendar.source_times import BadTime, Moment, Span, duration, moment
from eventreg.calendar.source_zones import Zones

MOST_STEPS = 700_000
"""Of work on one series: a third of a second, or a daily event since 1970."""
LONGEST_RULE = 500
MOST_EXCEPTIONS = 5_000
_INDEX = "X-EVENTREG-INDEX"
_TOO_OFTEN = re.compile(r"FREQ=(SECONDLY|MINUTELY)", re.IGNORECASE)


class BadRule(Exception):
    """The rule cannot be read, or repeats more often than any event does."""


@dataclass(frozen=True, slots=True)
class Member:
    """One VEVENT of a series: what it is and when."""

    component: Component
    span: Span


@dataclass(frozen=True, slots=True)
class Date:
    """One date of a series: which VEVENT speaks for it, from when to when, and its RECURRENCE-ID as text."""

    member: Member
    starts: Moment
    ends: Moment
    recurrence_id: str


class _Plain(EventAdapter):
    """Gives a date as it is found, instead of a copy of the whole event, which costs most of the work."""

    @classmethod
    def everywhere(cls) -> ComponentsWithName:
        """What a query is told to use it."""
        return ComponentsWithName("VEVENT", adapter=cls)

    def as_component(
        self,
        start: Moment | None = None,
        stop: Moment | None = None,
        keep_recurrence_attributes: bool = True,  # noqa: ARG002 - the library's signature
    ) -> dict[str, Any]:
        """Start, end, and what the date is counted by."""
        return {
            _INDEX: self._component[_INDEX],
            "DTSTART": self.start if start is None else start,
            "DTEND": self.end if stop is None else stop,
            "RECURRENCE-ID": self._component.get("RECURRENCE-ID"),
        }


def dates(
    members: Sequence[Member], zones: Zones, *, earliest: datetime, horizon: datetime, budget: Budget
) -> list[Date]:
    """The dates of one series that touch the time from `earliest` to `horizon`, in their order.

    Raises: BadRule, BadTime, bounds.TooMuchWork, or whatever the libraries raise for what they cannot bear.
    """
    series = icalendar.Calendar()
    for index, member in enumerate(members):
        series.add_component(_as_icalendar(member, index, zones))

    def work() -> list[Date]:
        found = CalendarQuery(series, components=[_Plain.everywhere()]).between(earliest, horizon)
        return [_date(one, members) for one in found]

    return sorted(budget.run(work, at_most=MOST_STEPS), key=lambda one: one.recurrence_id)


def _as_icalendar(member: Member, index: int, zones: Zones) -> icalendar.Event:
    component = member.component
    made = icalendar.Event()
    made["UID"] = "series"
    made["DTSTART"] = vDDDTypes(member.span.starts)
    made["DTEND"] = vDDDTypes(member.span.ends)
    made["SEQUENCE"] = numbers(component)[0]
    made[_INDEX] = index
    for rule in component.all("RRULE"):
        if len(rule.value) > LONGEST_RULE or _TOO_OFTEN.search(rule.value):
            raise BadRule(rule.value)
        read = vRecur.from_ical(rule.value.strip())
        if 0 in read.get("INTERVAL", []):
            raise TooMuchWork  # it would never come to an end
        made["RRULE"] = [*made.get("RRULE", []), read]
    for name in ("RDATE", "EXDATE"):
        if given := component.all(name):
            made[name] = vDDDLists(_moments(given, zones))
    if (given_id := component.first("RECURRENCE-ID")) is not None:
        parameters = {"RANGE": given_id.params["RANGE"].upper()} if "RANGE" in given_id.params else {}
        made["RECURRENCE-ID"] = vDDDTypes(moment(given_id, given_id.value, zones)[0])
        made["RECURRENCE-ID"].params.update(parameters)
    return made


def _moments(given: Sequence[Property], zones: Zones) -> list[Moment | tuple[Moment, Moment]]:
    """The values of RDATE or EXDATE; a period is (start, end)."""
    values = [(one, value) for one in given for value in one.value.split(",") if value.strip()]
    if len(values) > MOST_EXCEPTIONS:
        raise BadRule("too many dates")
    made: list[Moment | tuple[Moment, Moment]] = []
    for one, value in values:
        begins, slash, ends = value.partition("/")
        start = moment(one, begins, zones)[0]
        if not slash:
            made.append(start)
        elif isinstance(start, datetime):
            is_length = ends.lstrip("+-").upper().startswith("P")
            stop = start + duration(ends) if is_length else moment(one, ends, zones)[0]
            made.append((start, stop))
    return made


def _date(found: Any, members: Sequence[Member]) -> Date:
    member = members[found[_INDEX]]
    starts, ends, given = found["DTSTART"], found["DTEND"], found["RECURRENCE-ID"]
    counted = starts if given is None else given.dt
    if given is not None and "RANGE" in given.params:  # the change names the first of the dates it moves
        counted = starts - (member.span.starts - given.dt)
    return Date(member, _day_or_instant(starts), _day_or_instant(ends), _written(counted))


def _day_or_instant(value: Moment) -> Moment:
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise BadTime(str(value))
    return value.astimezone(UTC)


def _written(value: date | datetime) -> str:
    if not isinstance(value, datetime):
        return f"{value:%Y%m%d}"
    return f"{value.astimezone(UTC):%Y%m%dT%H%M%SZ}"

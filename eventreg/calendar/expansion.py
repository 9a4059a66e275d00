"""A repeating event of others as single dates, in bounded work and number. Pure.

Source: RFC 5545 sections 3.8.5.1-3.8.5.3 and 3.8.4.4.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

from eventreg.calendar import recurrence
from eventreg.calendar.bounds import Steps, TooMuchWork
from eventreg.calendar.making import numbers
from eventreg.calendar.series_times import day_of, day_text, in_utc, last_wall, like_start, wall, written
from eventreg.calendar.source_lines import Component, Property
from eventreg.calendar.source_times import BadTime, Length, Moment, Span, duration, floating_zone, instant, moment
from eventreg.calendar.source_zones import Zones

MOST_STEPS = 100_000
"""Of work on one series: a tenth of a second, or every day of the last 70 years."""
MOST_RULES = 10
MOST_EXCEPTIONS = 5_000
LONGEST_REACH = timedelta(days=800)
"""How far a date may reach from its regular start: as long as the longest event, moved by as much."""
_ZONES_APART = timedelta(days=2)


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


@dataclass(slots=True)
class Dates:
    """The dates of a series, in their order, and what could not be read of how it repeats."""

    found: list[Date] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    is_too_often: bool = False
    is_too_much: bool = False
    """Whether the steps were used up; those found by then are there."""

    @property
    def is_partial(self) -> bool:
        """Whether the series may have dates that are not here."""
        return bool(self.damaged) or self.is_too_often or self.is_too_much


@dataclass(slots=True)
class _Changes:
    """The VEVENTs with a RECURRENCE-ID: by the date each speaks for, and those that speak for all later ones too."""

    by_id: dict[str, tuple[Moment, Member]] = field(default_factory=dict)
    onward: list[tuple[Moment, Member]] = field(default_factory=list)


@dataclass(slots=True)
class _Series:
    """One series on its way: `main` is the VEVENT that repeats."""

    main: Member
    changes: _Changes
    zones: Zones
    made: Dates
    excluded: set[str] = field(default_factory=set)
    periods: dict[str, Length] = field(default_factory=dict)
    """How long those RDATEs last that say so."""


def dates(members: Sequence[Member], zones: Zones, *, earliest: datetime, horizon: datetime, steps: Steps) -> Dates:
    """The dates of one series that touch the time from `earliest` to `horizon`; never more than the steps allow."""
    made = Dates()
    main = next((one for one in members if one.component.first("RECURRENCE-ID") is None), None)
    changes = _changes(members, main, zones, made)
    excluded: set[str] = set()
    if main is not None:
        series = _Series(main, changes, zones, made)
        excluded = series.excluded = _excluded(series)
        try:
            made.found += _regular(series, earliest, horizon, steps)
        except TooMuchWork:
            made.is_too_much = True
    known = {one.recurrence_id for one in made.found}
    for key, (counted, member) in changes.by_id.items():
        if key not in known and not excluded & {key, day_text(counted)}:
            made.found.append(Date(member, in_utc(member.span.starts), member.span.ends, key))
    made.found = sorted(
        (one for one in made.found if _touches(one, earliest, horizon)), key=attrgetter("recurrence_id")
    )
    return made


def _regular(series: _Series, earliest: datetime, horizon: datetime, steps: Steps) -> Iterator[Date]:
    """The dates that the rules and RDATEs give, each once, as the VEVENT has it that speaks for it."""
    seen: set[str] = set()
    back = _longest(series)
    for start in _starts(series, earliest - back, horizon + back, steps):
        key = written(start)
        if key in seen or series.excluded & {key, day_text(start)}:
            continue
        seen.add(key)
        changed = series.changes.by_id.get(key)
        if changed is not None:
            member, starts, ends = changed[1], changed[1].span.starts, changed[1].span.ends
        else:
            member, starts = _moved(series, start)
            ends = series.periods.get(key, member.span.lasts).after(starts)
        found = Date(member, in_utc(starts), ends, key)
        if _touches(found, earliest, horizon):
            yield found


def _longest(series: _Series) -> timedelta:
    """How far a date may reach beyond its regular start, in either direction."""
    spans = [series.main.span, *(member.span for _counted, member in series.changes.onward)]
    lengths = [timedelta(days=abs(one.lasts.days)) + abs(one.lasts.exact) for one in spans]
    shifts = [abs(wall(member.span.starts) - wall(counted)) for counted, member in series.changes.onward]
    return min(max(lengths) + max(shifts, default=timedelta()), LONGEST_REACH) + _ZONES_APART


def _starts(series: _Series, first: datetime, last: datetime, steps: Steps) -> Iterator[Moment]:
    """DTSTART, then RDATEs, then what the rules give, in the kind of DTSTART."""
    start = series.main.span.starts
    rules = _rules(series)
    ends = [end for _rule, end in rules if end is not None]
    if not ends or wall(start) <= max(ends):
        yield start
    for one, length in _listed(series):
        steps.take()
        if length is not None:
            series.periods[written(one)] = length
        yield one
    since, until = (wall(in_utc(at)) for at in (first, last))
    for rule, end in rules:
        known_end = until if end is None else min(until, end)
        for at in recurrence.wall_times(rule, wall(start), since=since, until=known_end, steps=steps):
            yield at.replace(tzinfo=start.tzinfo) if isinstance(start, datetime) else at.date()


def _rules(series: _Series) -> list[tuple[recurrence.Rule, datetime | None]]:
    """Those that can be read, each with its last wall clock."""
    found = []
    given_rules = series.main.component.all("RRULE")
    if len(given_rules) > MOST_RULES:
        series.made.damaged.append(f"{len(given_rules)} RRULE")
    for given in given_rules[:MOST_RULES]:
        rule, damaged = recurrence.parse(given.value)
        series.made.damaged += damaged
        if rule is None:
            continue
        if rule.is_too_often:
            series.made.is_too_often = True
            continue
        try:
            found.append((rule, last_wall(rule, series.main.span.starts, series.zones)))
        except BadTime:
            series.made.damaged.append(f"UNTIL={rule.until}")
            found.append((rule, None))
    return found


def _changes(members: Sequence[Member], main: Member | None, zones: Zones, made: Dates) -> _Changes:
    changes = _Changes()
    newest: dict[str, int] = {}
    for member in members:
        given = member.component.first("RECURRENCE-ID")
        if given is None:
            continue
        try:
            counted = like_start(given, given.value, (main or member).span, zones)
        except BadTime:
            made.damaged.append(f"RECURRENCE-ID:{given.value}"[:40])
            continue
        key, sequence = written(counted), numbers(member.component)[0]
        if newest.get(key, -1) <= sequence:
            newest[key] = sequence
            changes.by_id[key] = counted, member
        if given.params.get("RANGE", "").upper() == "THISANDFUTURE":
            changes.onward.append((counted, member))
    changes.onward.sort(key=lambda one: written(one[0]))
    return changes


def _moved(series: _Series, start: Moment) -> tuple[Member, Moment]:
    """Which VEVENT speaks for a date without a change of its own, and when the date begins by it."""
    onward = series.changes.onward
    place = bisect_left(onward, written(start), key=lambda one: written(one[0]))
    if not place:
        return series.main, start
    counted, later = onward[place - 1]
    begins = later.span.starts
    if isinstance(begins, datetime) is not isinstance(start, datetime):
        return series.main, start
    if isinstance(begins, datetime) and isinstance(counted, datetime):
        begins = begins.astimezone(counted.tzinfo)
    return later, start + (wall(begins) - wall(counted))


def _excluded(series: _Series) -> set[str]:
    """The dates of EXDATE as RECURRENCE-IDs; of a series with times, whole days too, as 2027-03-09."""
    found = set()
    start = series.main.span.starts
    for given, value in _values(series, "EXDATE"):
        try:
            is_day = not isinstance(moment(given, value, series.zones)[0], datetime)
            one = like_start(given, value, series.main.span, series.zones)
        except BadTime:
            series.made.damaged.append(f"EXDATE:{value}"[:40])
            continue
        found.add(day_text(one) if is_day and isinstance(start, datetime) else written(one))
    return found


def _listed(series: _Series) -> Iterator[tuple[Moment, Length | None]]:
    """The values of RDATE; a period says how long it lasts too."""
    for given, value in _values(series, "RDATE"):
        begins, _slash, ends = value.partition("/")
        try:
            start = like_start(given, begins, series.main.span, series.zones)
            length = _period(given, ends, start, series) if ends and isinstance(start, datetime) else None
        except BadTime:
            series.made.damaged.append(f"RDATE:{value}"[:40])
            continue
        yield start, length


def _period(given: Property, ends: str, start: datetime, series: _Series) -> Length | None:
    if ends.lstrip("+-").upper().startswith("P"):
        return duration(ends)
    span = series.main.span
    stop = moment(given, ends, series.zones, floating=floating_zone(span.starts, span.zone))[0]
    return Length(exact=instant(stop) - instant(start)) if isinstance(stop, datetime) else None


def _values(series: _Series, name: str) -> list[tuple[Property, str]]:
    given = series.main.component.all(name)
    values = [(one, value.strip()) for one in given for value in one.value.split(",")]
    if len(values) > MOST_EXCEPTIONS or not all(value for _one, value in values):
        series.made.damaged.append(f"{name}:")
    return [(one, value) for one, value in values[:MOST_EXCEPTIONS] if value]


def _touches(one: Date, earliest: datetime, horizon: datetime) -> bool:
    if isinstance(one.starts, datetime) and isinstance(one.ends, datetime):
        return one.starts < horizon and instant(one.ends) > earliest
    zone = ZoneInfo(one.member.span.zone.name)
    return day_of(one.starts) <= horizon.astimezone(zone).date() and day_of(one.ends) > earliest.astimezone(zone).date()

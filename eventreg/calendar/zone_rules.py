"""VTIMEZONE components of one TZID as a tzinfo: every change of the clocks from 1990 on, in counted steps. Pure.

Source: RFC 5545 sections 3.6.5 and 3.3.5; TZUNTIL: RFC 7808 section 7.1.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from eventreg.calendar import recurrence
from eventreg.calendar.bounds import Steps
from eventreg.calendar.source_lines import Component

MOST_OBSERVANCES = 200
FIRST_YEAR = 1990
"""Events that are taken over are ten years old at most."""
YEARS_AHEAD = 8
"""Further than any event is believed."""
_OFFSET = re.compile(r"([+-]?)(\d\d?):?(\d\d)(?::?(\d\d))?")
_STRAY_COMMAS = re.compile(r",+(?=;|$)")
_TIME = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:T(\d\d):?(\d\d)(?::?(\d\d))?)?(Z?)")


class BadZone(ValueError):
    """A VTIMEZONE that cannot be evaluated."""


@dataclass(frozen=True, slots=True, order=True)
class Onset:
    """A change of the clocks, at an instant in UTC (naive)."""

    at: datetime
    before: timedelta
    after: timedelta


class FileRules(tzinfo):
    """The offsets of a VTIMEZONE. `beyond` speaks for what is outside of the time that it describes."""

    def __init__(self, onsets: Sequence[Onset], ends: datetime | None) -> None:
        self.onsets = sorted(onsets)
        self.is_constant = len({one.after for one in self.onsets}) == 1
        self.begins = self.onsets[0].at
        self.ends = None if self.is_constant else ends
        self.beyond: tzinfo | None = None
        self._instants = [one.at for one in self.onsets]
        befores = [self.onsets[0].before, *(one.after for one in self.onsets[:-1])]
        # A time that is skipped or comes twice is read with the offset before the change; with the one after it when
        # its fold is set.
        pairs = list(zip(self.onsets, befores, strict=True))
        self._walls = [one.at + max(before, one.after) for one, before in pairs]
        self._late_walls = [one.at + min(before, one.after) for one, before in pairs]

    def covers(self, at: datetime) -> bool:
        """Whether it describes that instant, or that wall clock."""
        return self.is_constant or (self.begins <= at and (self.ends is None or at <= self.ends))

    def offset_at(self, at: datetime) -> timedelta:
        """The offset at an instant in UTC (naive), by these rules alone."""
        return self._after(bisect_right(self._instants, at))

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """The offset of a wall clock."""
        if dt is None:
            return None
        wall = dt.replace(tzinfo=None)
        offset = self._after(bisect_right(self._late_walls if dt.fold else self._walls, wall))
        if self.beyond is None or self.covers(wall - offset):
            return offset
        return wall.replace(tzinfo=self.beyond).utcoffset()

    def fromutc(self, dt: datetime) -> datetime:
        """The wall clock of an instant."""
        at = dt.replace(tzinfo=None)
        if self.beyond is None or self.covers(at):
            offset = self.offset_at(at)
            return (dt + offset).replace(fold=0 if self.utcoffset(dt + offset) == offset else 1)
        return self.beyond.fromutc(dt.replace(tzinfo=self.beyond)).replace(tzinfo=self)

    def dst(self, dt: datetime | None) -> timedelta | None:  # noqa: ARG002 - nobody here asks
        """Unknown."""
        return None

    def tzname(self, dt: datetime | None) -> str | None:  # noqa: ARG002 - nobody here asks
        """Unknown."""
        return None

    def _after(self, count: int) -> timedelta:
        if count:
            return self.onsets[count - 1].after
        return self.onsets[0].after if self.is_constant else self.onsets[0].before


def rules(components: Sequence[Component], *, year: int, steps: Steps) -> FileRules:
    """The rules of all VTIMEZONEs of one name. Raises: BadZone, bounds.TooMuchWork.

    Several that each describe some time are taken together; of those that go on for ever the first is taken.
    """
    onsets: set[Onset] = set()
    ends = datetime.min  # noqa: DTZ901 - naive, as all instants here
    for component in components:
        try:
            found, until = _of_component(component, year, steps)
        except (ValueError, OverflowError):
            continue
        if until is None:
            return FileRules(found, None)
        onsets.update(found)
        ends = max(ends, until)
    if not onsets:
        raise BadZone("no observance can be read")
    return FileRules(sorted(onsets), ends)


def _of_component(component: Component, year: int, steps: Steps) -> tuple[list[Onset], datetime | None]:
    """(its changes, the end of the time that it describes; None: it goes on for ever). Raises: ValueError."""
    parts = [child for child in component.children if child.name in {"STANDARD", "DAYLIGHT"}]
    if not parts or len(parts) > MOST_OBSERVANCES or any(part.is_too_long for part in parts):
        raise BadZone(component.text("TZID"))
    onsets: list[Onset] = []
    is_endless = False
    for part in parts:
        found, goes_on = _onsets(part, year, steps)
        onsets += found
        is_endless = is_endless or goes_on
    until = _time(component.text("TZUNTIL"))
    if until is not None:
        onsets = [one for one in onsets if one.at < until] or onsets
    if is_endless:
        return onsets, until
    last = max(one.at for one in onsets)
    return onsets, last if until is None else min(last, until)


def _onsets(part: Component, year: int, steps: Steps) -> tuple[list[Onset], bool]:
    """(the changes that one observance describes, whether they go on for ever). Raises: BadZone."""
    after = _offset(part.text("TZOFFSETTO"))
    before = _offset(part.text("TZOFFSETFROM"))
    if after is None:
        raise BadZone(part.text("TZOFFSETTO"))
    before = after if before is None else before
    first = _time(part.text("DTSTART")) or datetime(FIRST_YEAR, 1, 1)  # noqa: DTZ001 - a wall clock
    walls: set[datetime] = set()
    is_endless = False
    for given in part.all("RRULE"):
        rule, damaged = recurrence.parse(_STRAY_COMMAS.sub("", given.value))
        if rule is None or damaged or rule.is_too_often:
            raise BadZone(given.value)
        is_endless = is_endless or not (rule.until or rule.count)
        walls.update(_repeated(rule, first, before, year, steps))
    if not part.first("RRULE"):
        walls.add(first)
    for given in part.all("RDATE"):
        for value in given.value.split(","):
            wall = _time(value.partition("/")[0])
            if wall is not None:
                walls.add(wall + before if value.strip().upper().endswith("Z") else wall)
    walls = walls or {first}
    steps.take(len(walls))
    return [Onset(wall - before, before, after) for wall in walls], is_endless


def _repeated(rule: recurrence.Rule, first: datetime, before: timedelta, year: int, steps: Steps) -> Iterator[datetime]:
    until = datetime(year + YEARS_AHEAD, 12, 31)  # noqa: DTZ001 - a wall clock
    if rule.until:
        last = _time(rule.until)
        if last is None:
            raise BadZone(rule.until)
        if rule.until.endswith("Z"):
            last += before
        elif "T" not in rule.until:
            last += timedelta(days=1, seconds=-1)
        until = min(until, last)
    since = min(datetime(FIRST_YEAR, 1, 1), until - timedelta(days=3 * 366))  # noqa: DTZ001 - a wall clock
    return recurrence.wall_times(rule, first, since=since, until=until, steps=steps)


def _offset(text: str) -> timedelta | None:
    found = _OFFSET.fullmatch(text.strip())
    if found is None:
        return None
    length = timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    return (-length if found[1] == "-" else length) if length < timedelta(hours=24) else None


def _time(text: str) -> datetime | None:
    found = _TIME.fullmatch(text.strip().upper())
    if found is None:
        return None
    try:
        return datetime(*(int(part or 0) for part in found.groups()[:6]))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None

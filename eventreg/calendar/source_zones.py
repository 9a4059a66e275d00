"""The zone of a file: what a TZID of a calendar of others means, and by which IANA zone it is shown. Pure.

The file's own VTIMEZONE decides for the time that it describes, over a name that is known; the name decides for the
rest. The cases are a table in tests/calendar/test_source_zones.py.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

# The whole package first: threads that import it from both ends at once block each other.
import icalendar  # noqa: F401
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from eventreg.calendar import zone_names, zone_rules
from eventreg.calendar.bounds import Steps, TooMuchWork
from eventreg.calendar.source_lines import Component
from eventreg.calendar.zone_rules import BadZone, FileRules

MOST_STEPS = 300_000
"""Of work on all zones of a file; a usual one takes 3,000."""
STEPS_TO_COMPARE = 200
"""With the clocks of one IANA zone."""
_YEARS_BACK, _YEARS_AHEAD = 11, 7
"""What lies further from now is not taken over."""
_USUAL = (
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Australia/Sydney",
)


class Zone:
    """How a wall clock becomes an instant, and the IANA zone it is shown in."""

    __slots__ = ("known", "name", "rules")

    def __init__(self, name: str, rules: tzinfo | None = None, *, known: str = "") -> None:
        self.name = name
        self.rules = rules or ZoneInfo(name)
        self.known = known
        """The IANA zone that its name says, where the file gives that name another meaning."""

    def name_at(self, at: datetime) -> str:
        """The zone to show an instant in: one whose clocks then show what the file says."""
        if isinstance(self.rules, ZoneInfo) or self.rules is UTC:
            return self.name
        offset = _offset(self.rules, at)
        for name in (self.name, self.known):
            if name and _offset(ZoneInfo(name), at) == offset:
                return name
        return zone_names.neutral_name(offset) or self.name

    def differs_at(self, at: datetime) -> bool:
        """Whether the file's rules say something else than its well-known name."""
        return bool(self.known) and _offset(self.rules, at) != _offset(ZoneInfo(self.known), at)


class Zones:
    """The zones of one file. `own` is the calendar's: for floating times, and shown for those written in UTC.

    `own_name` is what the file calls its zone; `default` stands in for one that is not known, and `unknown` is then
    its name.
    """

    def __init__(self, components: Sequence[Component], *, own_name: str = "", default: str, now: datetime) -> None:
        self._vtimezones: dict[str, list[Component]] = {}
        for one in components:
            if one.name == "VTIMEZONE":
                self._vtimezones.setdefault(_plain(one.text("TZID")), []).append(one)
        self._found: dict[str, Zone | None] = {}
        self._now = now.astimezone(UTC).replace(tzinfo=None)
        self.steps = Steps(MOST_STEPS)
        self.own = Zone(default)
        own = self.find(own_name) if own_name.strip() else None
        self.unknown = "" if own or not own_name.strip() else own_name
        self.own = own or self.own
        self.utc = Zone(self.own.name, UTC)

    def find(self, tzid: str) -> Zone | None:
        """The zone of a TZID; None for one that is neither known nor described in the file."""
        tzid = _plain(tzid)
        if tzid not in self._found:
            try:
                self._found[tzid] = self._look_up(tzid)
            except TooMuchWork:
                self._found[tzid] = None
        return self._found[tzid]

    def is_blank(self, tzid: str) -> bool:
        """Whether it names no zone, and the file describes none without a name."""
        return not _plain(tzid) and "" not in self._vtimezones

    def _look_up(self, tzid: str) -> Zone | None:
        known = zone_names.name_of(tzid)
        components = self._vtimezones.get(tzid) or self._alike_in_case(tzid)
        try:
            rules = zone_rules.rules(components, year=self._now.year, steps=self.steps)
        except BadZone:
            return self._by_name(tzid, known)
        known = known or next((zone_names.name_of(one.text("X-LIC-LOCATION")) for one in components), "")
        if known and self._is_like(rules, known, self._described(rules)):
            return Zone(known)
        shown = self._shown_as(rules)
        if shown or known:
            rules.beyond = ZoneInfo(shown or known)
        return Zone(shown or known or self.own.name, rules, known=known)

    def _by_name(self, tzid: str, known: str) -> Zone | None:
        if known:
            return Zone(known)
        offset = zone_names.fixed_offset(tzid)
        return None if offset is None else Zone(self.own.name, timezone(offset))

    def _alike_in_case(self, tzid: str) -> list[Component]:
        folded = tzid.casefold()
        return next((found for name, found in self._vtimezones.items() if name.casefold() == folded), [])

    def _described(self, rules: FileRules) -> tuple[datetime, datetime]:
        """The time that matters and that the rules describe; nothing where the second is the earlier."""
        first = self._now.replace(month=1, day=1)
        first, last = first.replace(year=first.year - _YEARS_BACK), first.replace(year=first.year + _YEARS_AHEAD)
        return _within(rules, first, last)

    def _shown_as(self, rules: FileRules) -> str:
        """The IANA zone whose clocks go the same way; one without summer time is called by no city of others."""
        window = self._recent(rules)
        if rules.is_constant:
            offset = rules.onsets[0].after
            is_own = self._is_like(rules, self.own.name, window)
            return self.own.name if is_own else zone_names.neutral_name(offset)
        for by_day in (False, True):
            for name in self._candidates():
                if self._is_like(rules, name, window, by_day=by_day):
                    return name
        return ""

    def _recent(self, rules: FileRules) -> tuple[datetime, datetime]:
        """Three years around now, or the last two that the rules describe."""
        first = self._now.replace(month=1, day=1) - timedelta(days=366)
        first, last = _within(rules, first, first + timedelta(days=3 * 366))
        if first < last:
            return first, last
        last = rules.ends or rules.onsets[-1].at
        return max(rules.begins, last - timedelta(days=2 * 366)), last

    def _candidates(self) -> Iterator[str]:
        yield self.own.name
        yield from _USUAL
        yield from sorted(set(WINDOWS_TO_OLSON.values()))

    def _is_like(self, rules: FileRules, name: str, window: tuple[datetime, datetime], *, by_day: bool = False) -> bool:
        """Whether the clocks of a zone show the same all that time; `by_day`: but for the hours of their changes."""
        self.steps.take(STEPS_TO_COMPARE)
        zone = ZoneInfo(name)
        return all(rules.offset_at(at) == _offset(zone, at) for at in _samples(rules, window, by_day=by_day))


def _samples(rules: FileRules, window: tuple[datetime, datetime], *, by_day: bool) -> Iterator[datetime]:
    """Just before and at each change, and every tenth day; or the noon of every other day."""
    first, last = window
    if by_day:
        first = first.replace(hour=12, minute=0, second=0, microsecond=0)
    for one in () if by_day else rules.onsets:
        if first <= one.at <= last:
            yield one.at - timedelta(seconds=1)
            yield one.at
    while first < last:
        yield first
        first += timedelta(days=2 if by_day else 10)


def _within(rules: FileRules, first: datetime, last: datetime) -> tuple[datetime, datetime]:
    if rules.is_constant:
        return first, last
    return max(first, rules.begins), last if rules.ends is None else min(last, rules.ends)


def _plain(tzid: str) -> str:
    return tzid.replace("\\", "").strip().strip('"').strip()


def _offset(zone: tzinfo, at: datetime) -> timedelta:
    return at.replace(tzinfo=UTC).astimezone(zone).utcoffset() or timedelta()

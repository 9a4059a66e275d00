"""Which time zone a calendar of others means: by its name, by Windows' name, or by what its VTIMEZONE does. Pure.

An event here is shown in an IANA zone. A VTIMEZONE of an invented name is matched with the zone whose clocks go the
same way over two years; one that goes like none gives the right instants and is shown in the calendar's own zone.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from io import StringIO
from zoneinfo import ZoneInfo

from dateutil.tz import tzical
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from eventreg import timezones
from eventreg.calendar.bounds import Budget, TooMuchWork
from eventreg.calendar.source_lines import Component, Property
from eventreg.errors import WallClockError

MOST_OBSERVANCES = 60
MOST_STEPS = 6_000_000
"""Of work on all zones of a file: about three seconds. 19,000 entries in one invented zone cost up to four millions."""
_STEPS_FOR_A_ZONE = 400_000
_STEPS_FOR_A_TIME = 200_000
_KEPT = frozenset({"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE", "TZNAME"})
_WINDOWS = {name.casefold(): iana for name, iana in WINDOWS_TO_OLSON.items()}
_SIMPLE_RULE = re.compile(
    r"FREQ=YEARLY(;((BYMONTH|BYDAY|BYMONTHDAY|UNTIL|WKST|COUNT)=[-+A-Z0-9,]{1,40}|INTERVAL=0{0,3}[1-9][0-9]{0,3})){0,6}"
)
_SIMPLE_VALUE = re.compile(r"[-+:;=/,A-Za-z0-9. ]{1,400}")


class Zone:
    """How a wall clock becomes an instant, and the IANA zone it is shown in."""

    __slots__ = ("name", "rules")

    def __init__(self, name: str, rules: tzinfo | None = None) -> None:
        self.name = name
        self.rules = rules or ZoneInfo(name)


class Zones:
    """The zones of one file. `own` is the calendar's: for floating times, and shown for those written in UTC."""

    def __init__(self, components: list[Component], *, own: str, now: datetime) -> None:
        self._vtimezones = {one.text("TZID").strip(): one for one in components if one.name == "VTIMEZONE"}
        self._found: dict[str, Zone | None] = {}
        self._now = now
        self.budget = Budget(MOST_STEPS)
        self.own = Zone(own)
        self.utc = Zone(own, UTC)

    def find(self, tzid: str) -> Zone | None:
        """The zone of a TZID; None when nobody can know it. Raises: TooMuchWork, once the file's steps are used up."""
        tzid = tzid.strip()
        if tzid not in self._found:
            self._found[tzid] = self._look_up(tzid)
        return self._found[tzid]

    def _look_up(self, tzid: str) -> Zone | None:
        if iana := name_of(tzid):
            return Zone(iana)
        component = self._vtimezones.get(tzid)
        if component is None:
            return None
        if iana := name_of(component.text("X-LIC-LOCATION")):
            return Zone(iana)
        text = _harmless(component, self._now.year)
        if not text:
            return None
        try:
            alike = self.budget.run(lambda: _alike(_parsed(text), self.own.name, self._now), at_most=_STEPS_FOR_A_ZONE)
        except Exception as error:  # dateutil raises whatever it meets; the zone is then unknown
            if isinstance(error, TooMuchWork) and self.budget.left <= 0:
                raise
            return None
        return Zone(alike) if alike else Zone(self.own.name, GivenZone(text, self.budget))


class GivenZone(tzinfo):
    """A VTIMEZONE's rules, as its text has them. Each question is bounded, a mere comparison of two times as well."""

    def __init__(self, text: str, budget: Budget) -> None:
        self._text = text
        self._budget = budget
        self._rules: tzinfo | None = None

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """The offset of that wall clock. Raises: TooMuchWork, or whatever dateutil raises."""
        return self._budget.run(lambda: self._asked(dt), at_most=_STEPS_FOR_A_TIME)

    def _asked(self, dt: datetime | None) -> timedelta | None:
        # Rules that were stopped keep dateutil's lock, and the next question would wait for it for ever: they are
        # put back only once they have answered, and made anew otherwise.
        rules, self._rules = self._rules or _parsed(self._text), None
        found = rules.utcoffset(None if dt is None else dt.replace(tzinfo=rules))
        self._rules = rules
        return found

    def dst(self, dt: datetime | None) -> timedelta | None:  # noqa: ARG002 - nobody here asks
        """Unknown."""
        return None

    def tzname(self, dt: datetime | None) -> str | None:  # noqa: ARG002 - nobody here asks
        """Unknown."""
        return None


@lru_cache(maxsize=500)
def name_of(tzid: str) -> str:
    """The IANA zone a name stands for; "" when it stands for none. Windows' names are from Unicode CLDR.

    >>> name_of("W. Europe Standard Time"), name_of("/citadel.org/20210210_1/America/New_York"), name_of("Home")
    ('Europe/Berlin', 'America/New_York', '')
    """
    cleaned = tzid.strip().strip('"/').strip()
    if cleaned.rpartition("/")[2].upper() in {"UTC", "GMT", "Z", "COORDINATED UNIVERSAL TIME"}:
        return "UTC"
    if windows := _WINDOWS.get(cleaned.casefold()):
        return windows
    parts = cleaned.replace(" ", "_").split("/")
    # A globally unique name ends in the IANA one. Source: RFC 5545 section 3.2.19.
    for start in range(min(len(parts), 8)):
        name = "/".join(parts[start:])
        if name in timezones.names() or ("/" in name and _is_zone(name)):
            return name
    return ""


def _is_zone(name: str) -> bool:
    if name.startswith(("posix/", "right/")):
        return False
    try:
        timezones.zone(name)
    except WallClockError:
        return False
    return True


def _harmless(component: Component, year: int) -> str:
    """The parts of a VTIMEZONE that cannot do harm, as text for dateutil; "" when it is better not to ask."""
    parts = [child for child in component.children if child.name in {"STANDARD", "DAYLIGHT"}]
    if not parts or len(parts) > MOST_OBSERVANCES or any(part.is_too_long for part in parts):
        return ""
    lines = ["BEGIN:VTIMEZONE", "TZID:zone"]
    for part in parts:
        kept = [one for one in part.properties if one.name in _KEPT and _SIMPLE_VALUE.fullmatch(one.value)]
        if any(one.name == "RRULE" and not _SIMPLE_RULE.fullmatch(one.value.upper()) for one in part.properties):
            return ""
        lines += [f"BEGIN:{part.name}", *(_line(one, part, year) for one in kept), f"END:{part.name}"]
    return "\n".join([*lines, "END:VTIMEZONE", ""])


def _parsed(text: str) -> tzinfo:
    found: tzinfo = tzical(StringIO(text)).get("zone")  # type: ignore[no-untyped-call]
    return found


def _line(found: Property, part: Component, year: int) -> str:
    """As it stands; a rule that goes on for ever since 1601, as Outlook's do, begins three years ago."""
    rule = part.text("RRULE").upper()
    if found.name == "DTSTART" and rule and not re.search("UNTIL|COUNT|INTERVAL=(?!1(;|$))", rule):
        first = re.match(r"\d{4}", found.value)
        if first is not None and int(first[0]) < year - 3:
            return f"DTSTART:{year - 3}{found.value[4:]}"
    return f"{found.name}:{found.value}"


def _alike(rules: tzinfo, own: str, now: datetime) -> str:
    """The zone whose clocks show the same, the calendar's own first; "" when there is none."""
    walls = _samples(now.year)
    offsets = tuple(wall.replace(tzinfo=rules).utcoffset() for wall in walls)
    return next((name for name in _candidates(own) if _offsets(name, now.year) == offsets), "")


def _candidates(own: str) -> tuple[str, ...]:
    usual = ("UTC", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "Europe/London")
    return (own, *usual, *sorted(set(WINDOWS_TO_OLSON.values())))


@lru_cache(maxsize=4)
def _samples(year: int) -> tuple[datetime, ...]:
    """Noons of every sixth day of two years."""
    return tuple(datetime(year, 1, 1, 12) + timedelta(days=6 * step) for step in range(122))  # noqa: DTZ001


@lru_cache(maxsize=300)
def _offsets(name: str, year: int) -> tuple[timedelta | None, ...]:
    rules = ZoneInfo(name)
    return tuple(wall.replace(tzinfo=rules).utcoffset() for wall in _samples(year))

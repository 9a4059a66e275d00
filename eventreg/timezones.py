"""Wall clock <-> instant. Gaps and folds are decided here and nowhere else.

A time in a gap (clocks going forward) does not exist and is refused with the reason. A time in a fold
(clocks going back) exists twice; the first is meant, as people do when they say "1:30" that night.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from flask_babel import gettext as _

from eventreg.errors import WallClockError


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    """Every zone there is; finding them out walks through folders and takes 15 ms."""
    return frozenset(available_timezones())


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """Every IANA zone name an organizer may choose."""
    return frozenset(
        name
        for name in _known()
        if "/" in name and not name.startswith(("posix/", "right/", "Etc/", "SystemV/", "US/"))
    ) | {"UTC"}


def zone(name: str) -> ZoneInfo:
    """The zone of that IANA name.

    Raises: WallClockError when there is none.

    >>> zone("America/New_York").key
    'America/New_York'
    """
    if name not in _known():
        raise WallClockError(_("There is no time zone called “%(name)s”. Use a name like America/New_York.", name=name))
    return ZoneInfo(name)


def to_instant(wall: datetime, timezone: str) -> datetime:
    """The UTC instant of a naive wall-clock time in that zone.

    Raises: WallClockError when the clocks skip that time.

    >>> to_instant(datetime(2026, 10, 19, 15, 0), "America/New_York").isoformat()
    '2026-10-19T19:00:00+00:00'
    """
    if wall.tzinfo is not None:
        raise TypeError("a wall-clock time has no zone of its own")
    local_zone = zone(timezone)
    try:
        instant = wall.replace(tzinfo=local_zone, fold=0).astimezone(UTC)
        back = to_wall(instant, timezone)
    except (OverflowError, ValueError) as error:
        raise WallClockError(_("That date is too far away for a calendar.")) from error
    if back != wall:
        raise WallClockError(
            _(
                "%(time)s does not exist on %(day)s in %(zone)s: the clocks go forward and skip it. "
                "Choose %(next)s, the same moment on the new clock, or another time.",
                time=f"{wall:%H:%M}",
                day=f"{wall:%B} {wall.day}, {wall.year}",
                zone=timezone,
                next=f"{back:%H:%M}",
            )
        )
    return instant


def to_wall(instant: datetime, timezone: str) -> datetime:
    """The naive wall-clock time of an instant in that zone."""
    return instant.astimezone(zone(timezone)).replace(tzinfo=None, fold=0)


def day_start(day: date, timezone: str) -> datetime:
    """The first instant of a local day, also where the clocks skip midnight.

    >>> day_start(date(2026, 10, 19), "America/New_York").isoformat()
    '2026-10-19T04:00:00+00:00'
    """
    wall = datetime.combine(day, time.min)
    for minutes in range(0, 181, 15):
        try:
            return to_instant(wall + timedelta(minutes=minutes), timezone)
        except WallClockError:
            continue
    raise WallClockError(_("That date is too far away for a calendar."))


def local_date(instant: datetime, timezone: str) -> date:
    """The calendar day an instant falls on in that zone."""
    return to_wall(instant, timezone).date()


def abbreviation(instant: datetime, timezone: str) -> str:
    """The zone's abbreviation at that instant, like EDT; a bare offset is written as UTC+5:30.

    >>> abbreviation(datetime(2026, 10, 19, 19, tzinfo=UTC), "America/New_York")
    'EDT'
    >>> abbreviation(datetime(2026, 10, 19, 19, tzinfo=UTC), "Asia/Dubai")
    'UTC+4'
    """
    local = instant.astimezone(zone(timezone))
    name = local.tzname() or ""
    if name and not name.startswith(("+", "-")):
        return name
    offset = local.utcoffset() or timedelta()
    minutes = int(offset.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")

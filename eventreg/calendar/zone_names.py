"""The IANA zone that a name of others means: IANA's in any case, Windows' names and words, prefixed names. Pure."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

# The whole package first: threads that import it from both ends at once block each other.
import icalendar  # noqa: F401
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from eventreg.calendar.windows_zones import SHOWN

LONGEST = 200
_UTC = frozenset({"utc", "gmt", "z", "zulu", "uct", "universal", "greenwich"})
_UTC |= {"gmt0", "gmt+0", "gmt-0", "utc+0", "utc-0"}
_UTC_WORDS = frozenset({"coordinated universal time", "universal time", "universal coordinated time", "utc time"})
_NOT_MEANT = ("posix/", "right/", "SystemV/", "localtime", "posixrules", "Factory")
_OFFSET = re.compile(r"\(?(?:(?:utc|gmt)\s*([+-]\d{1,2})(?::?(\d\d))?|([+-]\d\d):?(\d\d))\)?", re.IGNORECASE)
_SHOWN = re.compile(r"\((?:utc|gmt)\s*(?:([+-]\d\d):?(\d\d))?\)\s*(.+)", re.IGNORECASE)
_WINDOWS = {name.casefold(): iana for name, iana in WINDOWS_TO_OLSON.items()}
_WORDS = {words.casefold(): WINDOWS_TO_OLSON[name] for words, name in SHOWN.items()}
MOST_WEST, MOST_EAST = -12, 14
"""Hours; the bounds of IANA's Etc/GMT+12 … Etc/GMT-14, whose signs are the other way round."""


@lru_cache(maxsize=500)
def name_of(tzid: str) -> str:
    """The IANA zone a name stands for; "" when it stands for none.

    >>> [name_of(tzid) for tzid in ("W. Europe Standard Time", "/citadel.org/20210210_1/America/New_York", "Home")]
    ['Europe/Berlin', 'America/New_York', '']
    >>> name_of("europe/BERLIN"), name_of("(UTC+01:00) Brussels, Copenhagen, Madrid, Paris"), name_of("CET")
    ('Europe/Berlin', 'Europe/Paris', 'CET')
    """
    tzid = re.sub(r"\\([,;\\])", r"\1", tzid[:LONGEST]).strip().strip('"').strip()
    is_path = tzid.startswith("/") or "://" in tzid
    cleaned = re.sub(r"\s+", " ", tzid.strip("/").strip())
    if (offset := fixed_offset(cleaned)) is not None:
        return neutral_name(offset)
    if name := _by_windows(cleaned) or _by_iana(cleaned):
        return name
    # A globally unique name ends in the IANA one. Source: RFC 5545 section 3.2.19.
    parts = cleaned.split("/")
    for start in range(1, min(len(parts), 8)):
        rest = "/".join(parts[start:])
        is_whole = "/" in rest or is_path or rest.casefold() in _UTC
        if is_whole and (name := _by_windows(rest) or _by_iana(rest)):
            return name
    return ""


def fixed_offset(tzid: str) -> timedelta | None:
    """The offset that a name says, like "UTC+5:30"; None for every other name.

    >>> fixed_offset("GMT-0330")
    datetime.timedelta(days=-1, seconds=73800)
    """
    found = _OFFSET.fullmatch(tzid.strip())
    if found is None:
        return None
    hours, minutes = found[1] or found[3], int(found[2] or found[4] or 0)
    length = timedelta(hours=abs(int(hours)), minutes=minutes)
    return (-length if hours.startswith("-") else length) if length < timedelta(hours=24) else None


def neutral_name(offset: timedelta) -> str:
    """The zone of whole hours that names no place; "" where IANA has none.

    >>> neutral_name(timedelta(hours=9)), neutral_name(timedelta(hours=5, minutes=30))
    ('Etc/GMT-9', '')
    """
    hours, rest = divmod(offset, timedelta(hours=1))
    if rest or not MOST_WEST <= hours <= MOST_EAST:
        return ""
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"


def _by_iana(name: str) -> str:
    folded = name.replace(" ", "_").casefold()
    if folded.removeprefix("etc/") in _UTC or name.casefold() in _UTC_WORDS:
        return "UTC"
    known = _iana()
    return known.get(folded) or known.get(folded.replace("-", "/", 1), "")


def _by_windows(name: str) -> str:
    folded = re.sub(r" \d$", "", name.casefold())
    if iana := _WINDOWS.get(folded) or _WINDOWS.get(re.sub(r" (daylight|summer) time$", " standard time", folded)):
        return "UTC" if iana == "Etc/UTC" else iana
    shown = _SHOWN.fullmatch(name)
    words = (shown[3] if shown else folded).strip().casefold()
    if iana := _WORDS.get(words):
        return "UTC" if iana == "Etc/UTC" else iana
    if shown is None or shown[1] is None:
        return ""
    return _by_city(words, fixed_offset(f"{shown[1]}:{shown[2]}"))


def _by_city(words: str, offset: timedelta | None) -> str:
    """The first city of a list that IANA knows and whose standard time is that offset."""
    for city in words.split(","):
        for name in _cities().get(city.strip().replace(" ", "_"), ()):
            zone = ZoneInfo(name)
            winter = datetime(2026, 1, 1, tzinfo=UTC).astimezone(zone)
            summer = datetime(2026, 7, 1, tzinfo=UTC).astimezone(zone)
            if offset in {(at.utcoffset() or timedelta()) - (at.dst() or timedelta()) for at in (winter, summer)}:
                return name
    return ""


@lru_cache(maxsize=1)
def _iana() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones() if not name.startswith(_NOT_MEANT)}


@lru_cache(maxsize=1)
def _cities() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(_iana().values()):
        if "/" in name and not name.startswith(("Etc/", "US/")):
            city = name.rpartition("/")[2].casefold()
            found[city] = (*found.get(city, ()), name)
    return found

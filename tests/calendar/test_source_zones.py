"""The zone of a file: one table of what a TZID means, with and without the file's own VTIMEZONE."""

from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import pytest

from eventreg.calendar import source_lines, zone_names
from eventreg.calendar.reading import Reading, read
from eventreg.calendar.source_zones import Zones

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
OWN = "America/New_York"
EU_RULES = (
    ("STANDARD", "16010101T030000", "+0200", "+0100", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"),
    ("DAYLIGHT", "16010101T020000", "+0100", "+0200", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"),
)
MIXED_UP = (
    ("STANDARD", "19701025T030000", "+0200", "+0100", "RRULE:FREQ=YEARLY;BYMINUTE=0;BYHOUR=3;BYDAY=-1SU;BYMONTH=10"),
    ("DAYLIGHT", "19700329T020000", "+0100", "+0200", "RRULE:BYMONTH=3;byday=-1su,;FREQ=YEARLY;INTERVAL=1;"),
)
BRITISH = (
    ("STANDARD", "19961027T020000", "+0100", "+0000", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"),
    ("DAYLIGHT", "19810329T010000", "+0000", "+0100", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"),
)
US_OF_1987 = (
    ("STANDARD", "19671029T020000", "-0400", "-0500", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"),
    ("DAYLIGHT", "19870405T020000", "-0500", "-0400", "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4"),
)
US_TWICE = (
    ("STANDARD", "19671029T020000", "-0400", "-0500", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10;UNTIL=20061029T060000Z"),
    ("DAYLIGHT", "19870405T020000", "-0500", "-0400", "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4;UNTIL=20060402T070000Z"),
    ("DAYLIGHT", "20070311T020000", "-0500", "-0400", "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3"),
    ("STANDARD", "20071104T020000", "-0400", "-0500", "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11"),
)
ONLY_2025 = (
    ("DAYLIGHT", "20250330T020000", "+0100", "+0200", ""),
    ("STANDARD", "20251026T030000", "+0200", "+0100", ""),
)
ONLY_1970 = (
    ("DAYLIGHT", "19700329T020000", "+0100", "+0200", ""),
    ("STANDARD", "19701025T030000", "+0200", "+0100", ""),
)
BY_DATES = (
    ("DAYLIGHT", "20260329T020000", "+0100", "+0200", "RDATE:20260329T020000,20270328T020000"),
    ("STANDARD", "20251026T030000", "+0200", "+0100", "RDATE:20261025T030000,20271031T030000"),
)
SYDNEY = (
    ("STANDARD", "16010101T030000", "+1100", "+1000", "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4"),
    ("DAYLIGHT", "16010101T020000", "+1000", "+1100", "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=10"),
)
LORD_HOWE = (
    ("STANDARD", "16010101T020000", "+1100", "+1030", "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4"),
    ("DAYLIGHT", "16010101T020000", "+1030", "+1100", "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=10"),
)
SLOPPY = (
    ("STANDARD", "19700101T000000", "+0200", "+0100", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"),
    ("DAYLIGHT", "19700101T000000", "+0100", "+0200", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"),
)
BY_MONTH_DAYS = (
    ("STANDARD", "19701101T020000", "-0400", "-0500", "RRULE:FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=1,2,3,4,5,6,7;BYDAY=SU"),
    (
        "DAYLIGHT",
        "19700308T020000",
        "-0500",
        "-0400",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=SU",
    ),
)
DAMAGED = (("STANDARD", "19700101T000000", "+0900", "+0900", "RRULE:FREQ=NEVER"),)


def constant(offset: str, kind: str = "STANDARD") -> tuple[tuple[str, str, str, str, str], ...]:
    return ((kind, "16010101T000000", offset, offset, ""),)


def vtimezone(tzid: str | None, observances: tuple[tuple[str, str, str, str, str], ...], extra: str = "") -> str:
    lines = ["BEGIN:VTIMEZONE", *([] if tzid is None else [f"TZID:{tzid}"]), *([extra] if extra else [])]
    for kind, start, before, after, rule in observances:
        lines += [f"BEGIN:{kind}", f"DTSTART:{start}", f"TZOFFSETFROM:{before}", f"TZOFFSETTO:{after}"]
        lines += [*([rule] if rule else []), f"END:{kind}"]
    return "\n".join([*lines, "END:VTIMEZONE\n"])


def event(time: str, parameter: str) -> str:
    return f"BEGIN:VEVENT\nUID:a@x\nSUMMARY:Talk\nDTSTART{parameter}:{time}\nDURATION:PT1H\nEND:VEVENT\n"


def reading(*parts: str, head: str = "", **given: object) -> Reading:
    data = f"BEGIN:VCALENDAR\n{head}{''.join(parts)}END:VCALENDAR\n".replace("\n", "\r\n").encode()
    return read(data, **{"now": NOW, "default_timezone": OWN, "past": True} | given)  # type: ignore[arg-type]


def became(found: Reading) -> tuple[str, str, str]:
    """(start in UTC, zone it is shown in, zone that is unknown)."""
    assert found.skipped == ()
    (item,) = found.items
    return f"{item.values.starts_at:%Y-%m-%dT%H:%M:%SZ}", item.values.timezone, item.unknown_zone


SUMMER, WINTER = "20270701T160000", "20270115T160000"

BY_NAME = [
    ("Europe/Berlin", "14:00", "Europe/Berlin"),
    ("europe/berlin", "14:00", "Europe/Berlin"),
    ("EUROPE/BERLIN ", "14:00", "Europe/Berlin"),
    ('"Europe/Berlin"', "14:00", "Europe/Berlin"),
    ("/Europe/Berlin", "14:00", "Europe/Berlin"),
    ("/freeassociation.sourceforge.net/Europe/Berlin", "14:00", "Europe/Berlin"),
    ("/freeassociation.sourceforge.net/Tzfile/Europe/Berlin", "14:00", "Europe/Berlin"),
    ("/citadel.org/20210210_1/Europe/London", "15:00", "Europe/London"),
    ("/mozilla.org/20050126_1/America/Argentina/Buenos_Aires", "19:00", "America/Argentina/Buenos_Aires"),
    ("/softwarestudio.org/Tzfile/CET", "14:00", "CET"),
    ("CET", "14:00", "CET"),
    ("EST5EDT", "20:00", "EST5EDT"),
    ("est5edt", "20:00", "EST5EDT"),
    ("Singapore", "08:00", "Singapore"),
    ("GMT", "16:00", "UTC"),
    ("Zulu", "16:00", "UTC"),
    ("utc", "16:00", "UTC"),
    ("Etc/UTC", "16:00", "UTC"),
    ("UTC+0", "16:00", "UTC"),
    ("UTC+9", "07:00", "Etc/GMT-9"),
    ("GMT-0500", "21:00", "Etc/GMT+5"),
    ("Etc/GMT-9", "07:00", "Etc/GMT-9"),
    ("UTC+05:30", "10:30", OWN),
    ("America/New York", "20:00", "America/New_York"),
    ("US-Eastern", "20:00", "US/Eastern"),
    ("W. Europe Standard Time", "14:00", "Europe/Berlin"),
    ("w. europe standard time", "14:00", "Europe/Berlin"),
    ("GMT Standard Time", "15:00", "Europe/London"),
    ("Eastern Daylight Time", "20:00", "America/New_York"),
    ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "14:00", "Europe/Berlin"),
    (r"(UTC+01:00) Amsterdam\, Berlin\, Bern\, Rome\, Stockholm\, Vienna", "14:00", "Europe/Berlin"),
    ("(GMT-05:00) Eastern Time (US & Canada)", "20:00", "America/New_York"),
    ("(UTC) Dublin, Edinburgh, Lisbon, London", "15:00", "Europe/London"),
    ("(UTC) Coordinated Universal Time", "16:00", "UTC"),
    ("(UTC+02:00) Athens, Sofia, Elsewhere", "13:00", "Europe/Athens"),
    ("tzone://Microsoft/Utc", "16:00", "UTC"),
]


@pytest.mark.parametrize(("tzid", "time", "shown"), BY_NAME)
def test_zone_by_its_name_alone(tzid: str, time: str, shown: str) -> None:
    quoted = tzid if tzid.startswith('"') else f'"{tzid}"'
    assert became(reading(event(SUMMER, f";TZID={quoted}"))) == (f"2027-07-01T{time}:00Z", shown, "")


@pytest.mark.parametrize("tzid", ["Home", "Western/Central Europe", "(UTC+01:00) Narnia", "PST", "UTC+99", "Factory"])
def test_unknown_zone_is_named_and_never_silent(tzid: str) -> None:
    found = reading(event(SUMMER, f';TZID="{tzid}"'))
    assert became(found) == ("2027-07-01T20:00:00Z", OWN, tzid)
    assert found.items[0].notes == (f"Nobody knows its time zone “{tzid}”; its times were read as {OWN}.",)


def test_every_iana_name_is_known_in_any_case() -> None:
    names = {one for one in available_timezones() if one not in {"Factory", "localtime"}}
    names = {one for one in names if not one.startswith(("posix", "right"))}
    wrong = [
        (name, zone_names.name_of(given))
        for name in names
        for given in (name, name.lower(), name.upper())
        if zone_names.name_of(given) not in {name, "UTC"}
    ]
    assert (wrong, len(names) > 400) == ([], True)


BY_RULES = [
    # The rules' parts in another order, with hours and minutes, lower case, a trailing semicolon.
    ("Western/Central Europe", MIXED_UP, SUMMER, "2027-07-01T14:00:00Z", "Europe/Berlin"),
    ("Western/Central Europe", MIXED_UP, WINTER, "2027-01-15T15:00:00Z", "Europe/Berlin"),
    ("Home", EU_RULES, SUMMER, "2027-07-01T14:00:00Z", "Europe/Berlin"),
    ("Home", SLOPPY, SUMMER, "2027-07-01T14:00:00Z", "Europe/Berlin"),
    ("Home", BY_MONTH_DAYS, SUMMER, "2027-07-01T20:00:00Z", "America/New_York"),
    # The hours at which the clocks change: one that is skipped, one that comes twice (RFC 5545 section 3.3.5).
    ("Home", EU_RULES, "20270328T015959", "2027-03-28T00:59:59Z", "Europe/Berlin"),
    ("Home", EU_RULES, "20270328T023000", "2027-03-28T01:30:00Z", "Europe/Berlin"),
    ("Home", EU_RULES, "20270328T030000", "2027-03-28T01:00:00Z", "Europe/Berlin"),
    ("Home", EU_RULES, "20271031T023000", "2027-10-31T00:30:00Z", "Europe/Berlin"),
    ("Home", EU_RULES, "20271031T030000", "2027-10-31T02:00:00Z", "Europe/Berlin"),
    # The file decides over a name that is known, and is shown by a zone that says the same.
    ("GMT", BRITISH, "20270723T102000", "2027-07-23T09:20:00Z", "Europe/London"),
    ("GMT", BRITISH, "20270123T102000", "2027-01-23T10:20:00Z", "Europe/London"),
    ("Europe/Berlin", EU_RULES, SUMMER, "2027-07-01T14:00:00Z", "Europe/Berlin"),
    ("W. Europe Standard Time", EU_RULES, SUMMER, "2027-07-01T14:00:00Z", "Europe/Berlin"),
    ("Asia/Tokyo", constant("+0800"), SUMMER, "2027-07-01T08:00:00Z", "Etc/GMT-8"),
    ("America/New_York", US_OF_1987, "20190613T090000", "2019-06-13T13:00:00Z", "America/New_York"),
    ("America/New_York", US_OF_1987, "20270320T090000", "2027-03-20T14:00:00Z", "Etc/GMT+5"),
    ("Anywhere", US_OF_1987, "20190613T090000", "2019-06-13T13:00:00Z", OWN),
    ("America/New_York", US_TWICE, "20270320T090000", "2027-03-20T13:00:00Z", "America/New_York"),
    ("Anywhere", US_TWICE, "20270320T090000", "2027-03-20T13:00:00Z", "America/New_York"),
    # Rules for some time only: what they say then, and what the name or a zone like them says else.
    ("Europe/Berlin", ONLY_2025, "20250701T090000", "2025-07-01T07:00:00Z", "Europe/Berlin"),
    ("Home", ONLY_2025, "20250701T090000", "2025-07-01T07:00:00Z", "Europe/Berlin"),
    ("Home", ONLY_2025, "20250201T090000", "2025-02-01T08:00:00Z", "Europe/Berlin"),
    ("Home", ONLY_2025, SUMMER, "2027-07-01T14:00:00Z", "Europe/Berlin"),
    ("Europe/Berlin", ONLY_2025, SUMMER, "2027-07-01T14:00:00Z", "Europe/Berlin"),
    ("Europe/Berlin", ONLY_1970, SUMMER, "2027-07-01T14:00:00Z", "Europe/Berlin"),
    ("Home", BY_DATES, SUMMER, "2027-07-01T14:00:00Z", "Europe/Berlin"),
    ("Home", BY_DATES, WINTER, "2027-01-15T15:00:00Z", "Europe/Berlin"),
    # One observance; the southern half; parts of hours; seconds.
    ("Home", constant("+0200", "DAYLIGHT"), WINTER, "2027-01-15T14:00:00Z", "Etc/GMT-2"),
    ("Home", (BRITISH[0],), WINTER, "2027-01-15T16:00:00Z", "UTC"),
    ("Home", SYDNEY, SUMMER, "2027-07-01T06:00:00Z", "Australia/Sydney"),
    ("Home", SYDNEY, WINTER, "2027-01-15T05:00:00Z", "Australia/Sydney"),
    ("Home", LORD_HOWE, WINTER, "2027-01-15T05:00:00Z", "Australia/Lord_Howe"),
    ("Home", constant("+0900"), SUMMER, "2027-07-01T07:00:00Z", "Etc/GMT-9"),
    ("Home", constant("-0300"), SUMMER, "2027-07-01T19:00:00Z", "Etc/GMT+3"),
    ("Home", constant("+0545"), SUMMER, "2027-07-01T10:15:00Z", OWN),
    ("Home", constant("+05:45"), SUMMER, "2027-07-01T10:15:00Z", OWN),
    ("Home", constant("+001730"), SUMMER, "2027-07-01T15:42:30Z", OWN),
    ("Home", constant("0000"), SUMMER, "2027-07-01T16:00:00Z", "UTC"),
    # A VTIMEZONE that cannot be evaluated leaves the name.
    ("Europe/Berlin", DAMAGED, SUMMER, "2027-07-01T14:00:00Z", "Europe/Berlin"),
    ("Europe/Berlin", constant("+9999"), SUMMER, "2027-07-01T14:00:00Z", "Europe/Berlin"),
    ("Europe/Berlin", (), SUMMER, "2027-07-01T14:00:00Z", "Europe/Berlin"),
]


@pytest.mark.parametrize("is_last", [False, True])
@pytest.mark.parametrize(("tzid", "observances", "time", "at", "shown"), BY_RULES)
def test_zone_by_the_rules_of_the_file(
    tzid: str, observances: tuple[tuple[str, str, str, str, str], ...], time: str, at: str, shown: str, *, is_last: bool
) -> None:
    parts = [vtimezone(tzid, observances), event(time, f';TZID="{tzid}"')]
    assert became(reading(*(reversed(parts) if is_last else parts))) == (at, shown, "")


@pytest.mark.parametrize("observances", [DAMAGED, constant("+9999"), ()])
def test_zone_without_a_name_or_rules_is_unknown(observances: tuple[tuple[str, str, str, str, str], ...]) -> None:
    found = reading(vtimezone("Home", observances), event(SUMMER, ";TZID=Home"))
    assert became(found) == ("2027-07-01T20:00:00Z", OWN, "Home")


@pytest.mark.parametrize(
    ("given", "used"), [("", ";TZID="), (None, ";TZID="), ("", ';TZID=""'), (" ", ";TZID= "), ("Home ", ";TZID=home")]
)
def test_zone_is_found_by_a_blank_name_and_in_any_case(given: str | None, used: str) -> None:
    found = reading(vtimezone(given, constant("+0000")), event("20270701T090000", used))
    assert became(found) == ("2027-07-01T09:00:00Z", "UTC", "")


def test_several_timezones_of_one_name_are_taken_together() -> None:
    parts = [vtimezone("Home", (one,)) for one in ONLY_2025]
    assert became(reading(*parts, event("20250701T090000", ";TZID=Home")))[0] == "2025-07-01T07:00:00Z"
    parts = [vtimezone("Home", constant("+9999")), vtimezone("Home", EU_RULES)]
    assert became(reading(*parts, event(SUMMER, ";TZID=Home")))[0] == "2027-07-01T14:00:00Z"


@pytest.mark.parametrize(
    ("time", "at"), [("20190320T090000", "2019-03-20T14:00:00Z"), ("20270320T090000", "2027-03-20T13:00:00Z")]
)
def test_rules_count_until_tzuntil(time: str, at: str) -> None:
    zone = vtimezone("America/New_York", US_OF_1987, "TZUNTIL:20200101T000000Z")
    assert became(reading(zone, event(time, ";TZID=America/New_York")))[0] == at


def test_own_rules_of_a_known_name_are_said() -> None:
    found = reading(vtimezone("GMT", BRITISH), event(SUMMER, ";TZID=GMT"))
    assert found.items[0].notes == ("The file gives its time zone “UTC” rules of its own; they were followed.",)
    assert reading(vtimezone("GMT", BRITISH), event(WINTER, ";TZID=GMT")).items[0].notes == ()


@pytest.mark.parametrize(
    ("head", "at", "shown", "unknown"),
    [
        ("X-WR-TIMEZONE:Singapore\n", "2027-07-01T08:00:00Z", "Singapore", ""),
        ("X-WR-TIMEZONE:europe/paris\n", "2027-07-01T14:00:00Z", "Europe/Paris", ""),
        ("X-WR-TIMEZONE:Tokyo Standard Time\n", "2027-07-01T07:00:00Z", "Asia/Tokyo", ""),
        ("X-WR-TIMEZONE:\nTIMEZONE-ID:CET\n", "2027-07-01T14:00:00Z", "CET", ""),
        ("X-WR-TIMEZONE:Home\n", "2027-07-01T07:00:00Z", "Etc/GMT-9", ""),
        ("X-WR-TIMEZONE:Narnia\n", "2027-07-01T20:00:00Z", OWN, "Narnia"),
        ("", "2027-07-01T20:00:00Z", OWN, ""),
    ],
)
def test_floating_time_is_of_the_calendars_zone(head: str, at: str, shown: str, unknown: str) -> None:
    found = reading(vtimezone("Home", constant("+0900")), event(SUMMER, ""), head=head)
    assert became(found) == (at, shown, unknown)


def test_time_in_utc_needs_no_zone_of_the_calendar() -> None:
    assert became(reading(event(SUMMER + "Z", ""), head="X-WR-TIMEZONE:Narnia\n")) == ("2027-07-01T16:00:00Z", OWN, "")


def test_wall_clock_and_instant_agree_all_year() -> None:
    """There and back in every hour of a year, for rules of a file and at both of its changes."""
    source = source_lines.take_apart(f"BEGIN:VCALENDAR\n{vtimezone('Home', SLOPPY)}END:VCALENDAR\n".encode())
    zone = Zones(source.components, default=OWN, now=NOW).find("Home")
    assert zone is not None
    hours = [datetime(2027, 1, 1, tzinfo=UTC) + timedelta(hours=step) for step in range(365 * 24)]
    assert [one.astimezone(zone.rules).astimezone(UTC) for one in hours] == hours


def test_costly_zones_of_a_file_cost_a_bounded_amount_together() -> None:
    hourly = (("STANDARD", "19700101T000000", "+0123", "+0123", "RRULE:FREQ=HOURLY"),)
    names = [f"zone {number}" for number in range(300)]
    parts = [vtimezone(name, hourly) for name in names]
    parts += [event(SUMMER, f";TZID={name}").replace("a@x", f"{name}@x") for name in names]
    found = reading(*parts, event(SUMMER, ";TZID=CET"))
    assert (len(found.items), found.is_complete) == (301, False)
    assert sum(bool(one.unknown_zone) for one in found.items) == 300

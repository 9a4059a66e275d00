"""Calendars of others, read: whole items for the shapes of real programs, words for what is left out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from eventreg.calendar.reading import Reading, read
from eventreg.events.importing import Item
from eventreg.events.values import EventValues

FOREIGN = Path(__file__).parent / "foreign"
NOW = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)
LONDON_AND_HOME = """BEGIN:VTIMEZONE
TZID:Home
BEGIN:STANDARD
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:{winter}
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T010000
TZOFFSETFROM:{winter}
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


def at(day: str, time: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{time}+00:00")


def values(title: str, starts_at: datetime, ends_at: datetime, **given: Any) -> EventValues:
    return EventValues(
        **{"title": title, "starts_at": starts_at, "ends_at": ends_at, "timezone": "America/New_York"} | given
    )


def calendar(*events: str, head: str = "") -> bytes:
    body = "".join(f"BEGIN:VEVENT\n{one.strip()}\nEND:VEVENT\n" for one in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{head}{body}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def one(lines: str = "", *, uid: str = "a@x", title: str = "Talk", start: str = "DTSTART:20261010T100000Z") -> str:
    return f"UID:{uid}\nSUMMARY:{title}\n{start}\n{lines}"


def reading(data: bytes, **given: Any) -> Reading:
    return read(data, **{"now": NOW, "default_timezone": "America/New_York"} | given)


def only(data: bytes, **given: Any) -> Item:
    found = reading(data, **given)
    assert (len(found.items), found.skipped) == (1, ())
    return found.items[0]


def reasons(found: Reading) -> list[tuple[str, str]]:
    return [(one.title, one.why) for one in found.skipped]


def shape(name: str) -> Reading:
    return reading((FOREIGN / f"{name}.ics").read_bytes())


def test_google_series_exception_and_html_are_read() -> None:
    found = shape("google")
    series = {"sequence": 1, "stamp_at": at("2026-09-22", "09:00")}
    assert found.items == (
        Item(
            uid="weekly77@google.com_20261006T160000Z",
            values=values("Brown bag", at("2026-10-06", "16:00"), at("2026-10-06", "17:00")),
            **series,
        ),
        Item(
            uid="4kq1s2g8@google.com",
            values=values(
                "A day of reflection",
                at("2026-10-19", "19:00"),
                at("2026-10-19", "22:00"),
                description="Looking back.\n\n- Talks\n- Music\n\nProgram (<https://example.org/day?a=1&b=2>)",
                location_name="TMEC Amphitheater, 260 Longwood Ave, Boston MA",
                online_url="https://meet.google.com/abc-defg-hij",
            ),
            sequence=1,
            stamp_at=at("2026-09-15", "12:00"),
        ),
        Item(
            uid="weekly77@google.com_20261020T160000Z",
            values=values("Brown bag, moved", at("2026-10-21", "17:00"), at("2026-10-21", "18:00")),
            **series,
        ),
    )
    assert (found.title, found.is_calendar, found.is_complete) == ("Department of Ethics", True, True)
    assert reasons(found) == [("Brown bag", "Those of its dates that are over were left out.")]


def test_outlook_windows_zones_and_its_whole_days_are_read() -> None:
    found = shape("outlook")
    assert found.items == (
        Item(
            uid="040000008200E00074C5B7101A82E00800000000B0F6",
            values=values(
                "Faculty meeting",
                at("2026-11-02", "14:00"),
                at("2026-11-02", "15:30"),
                description="Bring your\nown lunch.",
                location_name="Room 4",
                online_url="https://teams.microsoft.com/l/meetup-join/19",
            ),
            sequence=3,
            stamp_at=at("2026-10-04", "07:00"),
        ),
        Item(
            uid="040000008200E00074C5B7101A82E00800000000B0F7",
            values=values(
                "Retreat",
                at("2026-11-09", "23:00"),
                at("2026-11-11", "23:00"),
                timezone="Europe/Berlin",
                all_day=True,
                summary="Not settled yet, as its organizers say.",
                description="Two days away",
            ),
            stamp_at=at("2026-10-04", "07:00"),
        ),
    )
    assert found.skipped == ()


def test_apple_thunderbird_and_a_university_are_read() -> None:
    apple, thunderbird, university = shape("apple"), shape("thunderbird"), shape("university")
    assert apple.items == (
        Item(
            uid="8B1C2F7A-0001",
            values=values(
                "Zoë’s recital — “Winterreise” 🎶",
                at("2026-10-24", "04:00"),
                at("2026-10-25", "04:00"),
                all_day=True,
                location_name="Atrium",
                location_address="4 Blackfan Circle, Boston",
            ),
            stamp_at=at("2026-09-11", "13:01"),
            url="https://example.org/recital",
        ),
    )
    assert reasons(apple) == [("", "1 entry of the kind VTODO is no event.")]
    circle = {"timezone": "Europe/Berlin", "location_address": "42.350000, -71.100000", "category": "Books, letters"}
    assert thunderbird.items == tuple(
        Item(
            uid=f"ab12-thunder_{start:%Y%m%dT%H%M%SZ}",
            values=values("Reading circle", start, start + timedelta(minutes=90), **circle),
            stamp_at=at("2026-08-02", "09:00"),
            is_private=True,
        )
        for start in (at("2026-10-15", "17:00"), at("2026-11-19", "18:00"), at("2026-12-17", "18:00"))
    )
    assert university.items == (
        Item(
            uid="tag:localist.com,2008:EventInstance_1",
            values=values(
                "Lecture: 1 < 2 & 3 * 4",
                at("2026-12-01", "22:00"),
                at("2026-12-01", "23:00"),
                description="\\# Not a heading\n1\\. one\n- star\nSee <https://example.edu/a_b_c>.",
            ),
            stamp_at=at("2026-10-01", "00:00"),
            is_cancelled=True,
        ),
        Item(
            uid="4ec65dc56857dd3576b819eb0252933591ce25fc@imported",
            values=values("No UID and no end", at("2026-12-03", "22:00"), at("2026-12-03", "23:00")),
            notes=(
                "It names no end; it was given one hour.",
                "It has no UID; it is known by its start and title.",
            ),
        ),
    )
    assert reasons(university) == [
        ("Backwards", "It ends before it begins."),
        ("Whenever", "It has no start or end that can be read."),
    ]
    assert [one.line for one in university.skipped] == [13, 20]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("DTSTART:20261010T100000Z", "DTEND:20261010T110000Z", ("2026-10-10T10:00", "2026-10-10T11:00", False)),
        ("DTSTART:20261010T100000", "DTEND:20261010T110000", ("2026-10-10T14:00", "2026-10-10T15:00", False)),
        ("DTSTART;VALUE=DATE:20261010", "", ("2026-10-10T04:00", "2026-10-11T04:00", True)),
        ("DTSTART;VALUE=DATE:20261010", "DTEND;VALUE=DATE:20261010", ("2026-10-10T04:00", "2026-10-11T04:00", True)),
        ("DTSTART:20261010", "DTEND:20261012", ("2026-10-10T04:00", "2026-10-12T04:00", True)),
        ("DTSTART;VALUE=DATE:20261010", "DURATION:P2D", ("2026-10-10T04:00", "2026-10-12T04:00", True)),
        ("DTSTART:20261010T100000Z", "DURATION:P1DT30M", ("2026-10-10T10:00", "2026-10-11T10:30", False)),
        ("DTSTART:20261010T100000Z", "DTEND;VALUE=DATE:20261011", ("2026-10-10T10:00", "2026-10-11T00:00", False)),
        (
            "DTSTART;TZID=Tokyo Standard Time:20261010T100000",
            "DURATION:PT1H",
            ("2026-10-10T01:00", "2026-10-10T02:00", False),
        ),
        (
            "DTSTART;TZID=/x.org/2020/Asia/Tokyo:20261010T100000",
            "DURATION:PT1H",
            ("2026-10-10T01:00", "2026-10-10T02:00", False),
        ),
        # The clocks skip 2:30 that night; the offset before the gap holds.
        (
            "DTSTART;TZID=America/New_York:20270314T023000",
            "DURATION:PT1H",
            ("2027-03-14T07:30", "2027-03-14T08:30", False),
        ),
    ],
)
def test_time_is_what_the_rules_say(start: str, end: str, expected: tuple[str, str, bool]) -> None:
    made = only(calendar(one(end, start=start))).values
    assert (f"{made.starts_at:%Y-%m-%dT%H:%M}", f"{made.ends_at:%Y-%m-%dT%H:%M}", made.all_day) == expected


def test_floating_times_are_of_the_calendars_zone() -> None:
    made = only(calendar(one("DURATION:PT1H", start="DTSTART:20261010T100000"), head="X-WR-TIMEZONE:Europe/Paris\n"))
    assert (made.values.starts_at, made.values.timezone) == (at("2026-10-10", "08:00"), "Europe/Paris")


def test_invented_zone_is_the_one_whose_clocks_go_alike() -> None:
    event = one("DURATION:PT1H", start="DTSTART;TZID=Home:20261010T100000")
    made = only(calendar(event, head=LONDON_AND_HOME.format(winter="+0000")))
    assert (made.values.starts_at, made.values.timezone, made.notes) == (at("2026-10-10", "09:00"), "Europe/London", ())


def test_invented_zone_like_no_other_gives_the_instant() -> None:
    event = one("DURATION:PT1H", start="DTSTART;TZID=Home:20261110T100000")
    made = only(calendar(event, head=LONDON_AND_HOME.format(winter="+0017")))
    assert (made.values.starts_at, made.values.timezone) == (at("2026-11-10", "09:43"), "America/New_York")


UTC_RULES = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:+0000
TZOFFSETTO:+0000
END:STANDARD
END:VTIMEZONE
"""


@pytest.mark.parametrize(
    ("name", "head"), [("tzone://Microsoft/Utc", ""), ('"tzone://Microsoft/Utc"', ""), ("Zulu time", UTC_RULES)]
)
def test_zone_that_is_utc_is_shown_as_utc(name: str, head: str) -> None:
    event = one("DURATION:PT1H", start=f"DTSTART;TZID={name}:20261010T100000")
    made = only(calendar(event, head=head.format(name=name)))
    assert (made.values.starts_at, made.values.timezone, made.notes) == (at("2026-10-10", "10:00"), "UTC", ())


def test_stamp_of_a_clock_gone_wrong_is_now() -> None:
    stamps = ("LAST-MODIFIED:21990101T000000Z", "DTSTAMP:20261005T160001Z", "DTSTAMP:20261005T155959Z")
    found = [only(calendar(one(f"DURATION:PT1H\n{line}"))).stamp_at for line in stamps]
    assert found == [NOW, NOW, NOW - timedelta(seconds=1)]


def test_zone_nobody_knows_is_said() -> None:
    made = only(calendar(one("DURATION:PT1H", start="DTSTART;TZID=Home:20261010T100000")))
    assert made.notes == ("Nobody knows its time zone “Home”; its times were read as America/New_York.",)
    assert made.values.starts_at == at("2026-10-10", "14:00")


def test_zone_of_one_file_means_nothing_in_the_next() -> None:
    event = one("DURATION:PT1H", start="DTSTART;TZID=Home:20261010T100000")
    only(calendar(event, head=LONDON_AND_HOME.format(winter="+0000")))
    assert only(calendar(event)).values.starts_at == at("2026-10-10", "14:00")


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (calendar(one("DURATION:PT1H", title="Zoë")).replace(b"\r\n", b"\n"), "Zoë"),
        (b"\xef\xbb\xbf" + calendar(one("DURATION:PT1H", title="Zoë")), "Zoë"),
        (b"\xff\xfe" + calendar(one("DURATION:PT1H", title="Zoë")).decode().encode("utf-16-le"), "Zoë"),
        (calendar(one("DURATION:PT1H", title="Zoë")).decode().encode("cp1252"), "Zoë"),
        (calendar(one("DURATION:PT1H", title="Zoë")).replace("ë".encode(), b"\xc3\r\n \xab"), "Zoë"),
        (calendar(one("DURATION:PT1H", title="Z\n o")), "Zo"),
        (calendar(one("DURATION:PT1H", title="A\\, b\\n\x07c\u2028d")), "A, b c d"),
        (calendar(one("DURATION:PT1H\nTHIS IS NO LINE\n:nor this", title="Fine")), "Fine"),
    ],
)
def test_bytes_of_every_kind_give_the_title(data: bytes, title: str) -> None:
    assert only(data).values.title == title


def test_html_that_is_none_costs_no_event() -> None:
    made = only(calendar(one("DURATION:PT1H\nDESCRIPTION:<p>Come<![<![ &#999999999999; <br <br <!-- x")))
    assert made.values.description == "Come\\<\\!\\[\\<\\!\\[ \\<br \\<br"


def test_too_much_text_is_cut_and_said() -> None:
    made = only(calendar(one("DURATION:PT1H\nDESCRIPTION:" + "word\\n" * 9000, title="x" * 10_000)))
    assert (len(made.values.title), made.values.title[-1], len(made.values.description) <= 20_000) == (200, "…", True)
    assert made.notes == (
        "Its title was cut to 200 characters.",
        "Its description was cut to 20000 characters.",
    )


def test_uid_too_long_becomes_one_that_stays() -> None:
    uids = [only(calendar(one("DURATION:PT1H", uid="u" * length))).uid for length in (255, 300, 300, 301)]
    assert uids[0] == "u" * 255
    assert (uids[1] == uids[2], uids[1] == uids[3], len(uids[1])) == (True, False, 49)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("DTEND:20261010T090000Z", "It ends before it begins."),
        ("DTEND:20281010T090000Z", "It lasts longer than a year."),
        (
            "RRULE:FREQ=DAILY;UNTIL=20261001T000000Z\nEXDATE:20261010T100000Z",
            "None of its dates lies ahead within 18 months.",
        ),
    ],
)
def test_what_is_left_out_is_said_and_the_rest_taken(lines: str, why: str) -> None:
    found = reading(calendar(one("DURATION:PT1H", uid="b@x", title="Other"), one(lines)))
    assert ([one.values.title for one in found.items], reasons(found)) == (["Other"], [("Talk", why)])


def test_past_events_are_taken_when_asked_for() -> None:
    data = calendar(one("DURATION:PT1H", start="DTSTART:20260110T100000Z"))
    assert reasons(reading(data)) == [("Talk", "It is over.")]
    assert only(data, past=True).values.starts_at == at("2026-01-10", "10:00")


def test_series_ends_at_the_horizon_and_at_five_hundred() -> None:
    weekly = reading(calendar(one("DURATION:PT1H\nRRULE:FREQ=WEEKLY")))
    assert (len(weekly.items), max(one.values.starts_at for one in weekly.items)) == (78, at("2028-04-01", "10:00"))
    hourly = reading(calendar(one("DURATION:PT30M\nRRULE:FREQ=HOURLY;COUNT=700")))
    assert (len(hourly.items), reasons(hourly)) == (
        500,
        [("Talk", "Of its dates the next 500 were taken; 200 later ones were left out.")],
    )


def test_file_brings_at_most_two_thousand() -> None:
    found = reading(calendar(*(one("DURATION:PT1H", uid=f"{n}@x") for n in range(2010))))
    assert (len(found.items), found.is_complete) == (2000, False)
    assert reasons(found) == [("", "A file brings at most 2000 events; 10 later ones were left out.")]


def test_date_keeps_its_uid_when_it_moves_and_all_that_follow_move_with_it() -> None:
    series = one("DURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4")
    moved = "RECURRENCE-ID;RANGE=THISANDFUTURE:20261012T100000Z\nDURATION:PT2H"
    found = reading(calendar(series, one(moved, start="DTSTART:20261012T150000Z", title="Later")))
    assert [(one.uid, one.values.title, f"{one.values.starts_at:%d %H:%M}") for one in found.items] == [
        ("a@x_20261010T100000Z", "Talk", "10 10:00"),
        ("a@x_20261011T100000Z", "Talk", "11 10:00"),
        ("a@x_20261012T100000Z", "Later", "12 15:00"),
        ("a@x_20261013T100000Z", "Later", "13 15:00"),
    ]


def test_newer_of_two_with_one_uid_is_taken() -> None:
    old, new = one("DURATION:PT1H\nSEQUENCE:1", title="Old"), one("DURATION:PT1H\nSEQUENCE:2", title="New")
    found = reading(calendar(new, old))
    assert [made.values.title for made in found.items] == ["New"]
    assert reasons(found) == [("Old", "A newer version of it, with the same UID, stands in the same file.")]


def test_file_that_is_cut_off_says_so() -> None:
    whole = calendar(one("DURATION:PT1H"), one("DURATION:PT1H", uid="b@x", title="Cut"))
    found = reading(whole[: whole.rindex(b"DURATION")])
    assert ([one.uid for one in found.items], found.is_complete) == (["a@x"], False)
    assert reasons(found) == [("Cut", "It is cut off: its end is missing.")]


def test_what_is_no_calendar_is_none() -> None:
    assert [reading(data) for data in (b"", b"\0\xff" * 9, b"<html>BEGIN:VEVENT")] == [Reading()] * 3

"""Series of others: where they end, how long their dates last, and what is kept of damaged ones."""

from datetime import UTC, datetime

import pytest

from eventreg.calendar.reading import Reading, read

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
NEW_YORK = "DTSTART;TZID=America/New_York:20270302T183000"
DAY = "DTSTART;VALUE=DATE:20270302"
BERLIN = "X-WR-TIMEZONE:Europe/Berlin\n"


def reading(*events: str, head: str = "") -> Reading:
    body = "".join(f"BEGIN:VEVENT\nUID:a@x\nSUMMARY:Talk\n{one}\nEND:VEVENT\n" for one in events)
    data = f"BEGIN:VCALENDAR\n{head}{body}END:VCALENDAR\n".replace("\n", "\r\n").encode()
    return read(data, now=NOW, default_timezone="America/New_York")


def starts(found: Reading) -> list[str]:
    return [f"{one.values.starts_at:%m-%d %H:%M}" for one in found.items]


def spans(found: Reading) -> list[str]:
    return [f"{one.values.starts_at:%m-%d %H:%M} {one.values.ends_at:%m-%d %H:%M}" for one in found.items]


@pytest.mark.parametrize(
    ("start", "until", "expected"),
    [
        # Without Z it is a time of the start's zone, as far as its last second.
        (NEW_YORK, "20270316T183000", 3),
        (NEW_YORK, "20270316T182959", 2),
        (NEW_YORK, "20270316T223000Z", 3),
        (NEW_YORK, "20270316T222959Z", 2),
        (NEW_YORK, "20270316", 3),
        (NEW_YORK, "20270315", 2),
        ("DTSTART:20270302T183000Z", "20270316T183000Z", 3),
        ("DTSTART:20270302T183000Z", "20270316T183000", 3),
        ("DTSTART:20270302T183000", "20270316T183000", 3),
        # Whole days: a midnight of the calendar's zone, as Exchange writes it, or the day as it stands.
        (DAY, "20270315T230000Z", 3),
        (DAY, "20270315T225959Z", 2),
        (DAY, "20270316T000000Z", 3),
        (DAY, "20270315T235959Z", 2),
        (DAY, "20270316T000000", 3),
        (DAY, "20270316", 3),
        (DAY, "20270315", 2),
    ],
)
def test_series_ends_where_it_says(start: str, until: str, expected: int) -> None:
    found = reading(f"{start}\nRRULE:FREQ=WEEKLY;BYDAY=TU;UNTIL={until}", head=BERLIN)
    assert (len(found.items), found.skipped, found.partly) == (expected, (), ())


def test_whole_days_of_exchange_end_at_a_midnight_in_summer_too() -> None:
    rule = "DTSTART;VALUE=DATE:20270601\nRRULE:FREQ=WEEKLY;UNTIL=20270614T220000Z\nEXDATE:20270607T220000Z"
    assert starts(reading(rule, head=BERLIN)) == ["05-31 22:00", "06-14 22:00"]


@pytest.mark.parametrize("until", ["99991231T235959Z", "99991231"])
def test_series_until_the_end_of_time_has_no_end(until: str) -> None:
    found = reading(f"{NEW_YORK}\nRRULE:FREQ=MONTHLY;UNTIL={until}")
    assert (len(found.items), found.partly) == (15, ())


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # The clocks go forward on March 14 and back on November 7. RFC 5545 sections 3.3.6 and 3.8.5.3.
        ("DTSTART;TZID=America/New_York:20270313T120000\nDURATION:P1D", ["03-13 17:00 03-14 16:00"]),
        ("DTSTART;TZID=America/New_York:20270313T120000\nDURATION:PT24H", ["03-13 17:00 03-14 17:00"]),
        ("DTSTART;TZID=America/New_York:20271106T120000\nDURATION:P1D", ["11-06 16:00 11-07 17:00"]),
        ("DTSTART;TZID=America/New_York:20270313T120000\nDURATION:P1DT2H", ["03-13 17:00 03-14 18:00"]),
        ("DTSTART;TZID=America/New_York:20270313T013000\nDURATION:P1DT1H", ["03-13 06:30 03-14 07:30"]),
        ("DTSTART;TZID=America/New_York:20270310T120000\nDURATION:P1W", ["03-10 17:00 03-17 16:00"]),
        ("DTSTART:20270313T120000Z\nDURATION:P1D", ["03-13 12:00 03-14 12:00"]),
        (
            "DTSTART;TZID=America/New_York:20270312T120000\nDURATION:P1D\nRRULE:FREQ=DAILY;COUNT=3",
            ["03-12 17:00 03-13 17:00", "03-13 17:00 03-14 16:00", "03-14 16:00 03-15 16:00"],
        ),
        (
            (
                "DTSTART;TZID=America/New_York:20270312T120000\nDTEND;TZID=America/New_York:20270313T120000\n"
                "RRULE:FREQ=DAILY;COUNT=3"
            ),
            ["03-12 17:00 03-13 17:00", "03-13 17:00 03-14 17:00", "03-14 16:00 03-15 16:00"],
        ),
        (
            (
                "DTSTART;TZID=America/New_York:20270313T120000\nDTEND;TZID=America/New_York:20270314T120000\n"
                "RRULE:FREQ=DAILY;COUNT=2"
            ),
            ["03-13 17:00 03-14 16:00", "03-14 16:00 03-15 15:00"],
        ),
        (
            (
                "DTSTART;TZID=America/New_York:20270302T120000\nDURATION:PT1H\n"
                "RDATE;VALUE=PERIOD;TZID=America/New_York:20270313T120000/P1D,20270320T120000/20270320T150000"
            ),
            ["03-02 17:00 03-02 18:00", "03-13 17:00 03-14 16:00", "03-20 16:00 03-20 19:00"],
        ),
        ("DTSTART;VALUE=DATE:20270313\nDURATION:P2D", ["03-13 05:00 03-15 04:00"]),
        # A time that names no zone is of the start's.
        ("DTSTART;TZID=Asia/Tokyo:20270313T120000\nDTEND;TZID=:20270313T130000", ["03-13 03:00 03-13 04:00"]),
        ("DTSTART;TZID=Asia/Tokyo:20270313T120000\nDTEND:20270313T130000", ["03-13 03:00 03-13 04:00"]),
        (
            "DTSTART;TZID=Asia/Tokyo:20270313T120000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20270314T120000",
            ["03-13 03:00 03-13 04:00", "03-15 03:00 03-15 04:00"],
        ),
    ],
)
def test_date_lasts_as_long_as_the_standard_says(lines: str, expected: list[str]) -> None:
    assert spans(reading(lines)) == expected


@pytest.mark.parametrize("rule", ["", "\nRRULE:FREQ=WEEKLY;COUNT=3"])
@pytest.mark.parametrize(
    "times",
    [
        "DTSTART:20270302T120000Z\nDTEND:20270302T110000Z",
        "DTSTART;VALUE=DATE:20270302\nDTEND;VALUE=DATE:20270301",
        "DTSTART:20270302T120000Z\nDURATION:-PT1H",
    ],
)
def test_end_before_the_start_is_no_event_in_a_series_either(times: str, rule: str) -> None:
    found = reading(times + rule)
    assert (found.items, [one.why for one in found.skipped]) == ((), ["It ends before it begins."])


def test_changed_date_that_ends_before_it_starts_loses_no_other() -> None:
    changed = "RECURRENCE-ID:20270303T120000Z\nDTSTART:20270303T120000Z\nDTEND:20270303T110000Z"
    found = reading("DTSTART:20270302T120000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3", changed)
    assert (starts(found), [one.why for one in found.skipped]) == (
        ["03-02 12:00", "03-04 12:00"],
        ["It ends before it begins."],
    )


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("DTSTART;VALUE=DATE:20270805T150000", ("08-05 19:00", False)),
        ("DTSTART;VALUE=DATE:20270805T150000Z", ("08-05 15:00", False)),
        ("DTSTART;VALUE=DATE;TZID=Europe/Berlin:20270805T150000", ("08-05 13:00", False)),
        ("DTSTART;VALUE=DATE:20270805T000000", ("08-05 04:00", True)),
        ("DTSTART;VALUE=DATE-TIME:20270805", ("08-05 04:00", True)),
        ("DTSTART:20270805T240000Z", ("08-06 00:00", False)),
    ],
)
def test_value_counts_and_not_its_label(start: str, expected: tuple[str, bool]) -> None:
    (item,) = reading(start).items
    assert (f"{item.values.starts_at:%m-%d %H:%M}", item.values.all_day) == expected


FIRST, THREE = ["03-02 23:30"], ["03-02 23:30", "03-09 23:30", "03-16 22:30"]


@pytest.mark.parametrize(
    ("lines", "expected", "part"),
    [
        ("RRULE:", FIRST, "RRULE"),
        ("RRULE:None", FIRST, "None"),
        ("RRULE:FREQ=FORTNIGHTLY;COUNT=3", FIRST, "FREQ=FORTNIGHTLY;COUNT=3"),
        ("RRULE:FREQ=WEEKLY;BYDAY=TU,;COUNT=3", THREE, "BYDAY=TU,"),
        ("RRULE:FREQ=WEEKLY;BYDAY=;COUNT=3", THREE, "BYDAY="),
        ("RRULE:FREQ=WEEKLY;BYDAY=TU,undefined;COUNT=3", THREE, "BYDAY=TU,UNDEFINED"),
        ("RRULE:FREQ=WEEKLY;INTERVAL=0;COUNT=3", THREE, "INTERVAL=0"),
        ("RRULE:FREQ=WEEKLY;COUNT=3;BYMONTH=0", THREE, "BYMONTH=0"),
        ("RDATE:20270401Z", FIRST, "RDATE:20270401Z"),
        ("RDATE:20270401Z,20270309T183000", THREE[:2], "RDATE:20270401Z"),
        ("RDATE;VALUE=PERIOD:20270309T183000/PX", FIRST, "RDATE:20270309T183000/PX"),
        ("RDATE:", FIRST, "RDATE:"),
        ("RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:None", THREE, "EXDATE:None"),
        ("RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:", THREE, "EXDATE:"),
        ("RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20270399,20270309T183000", [THREE[0], THREE[2]], "EXDATE:20270399"),
        ("RRULE:FREQ=WEEKLY;COUNT=3\nRRULE:x", THREE, "x"),
    ],
)
def test_rest_of_a_damaged_series_is_kept_and_the_damage_named(lines: str, expected: list[str], part: str) -> None:
    found = reading(f"{NEW_YORK}\nDURATION:PT1H\n{lines}")
    why = f"A part of how it repeats cannot be read: {part}. The rest was taken."
    assert (starts(found), found.skipped, [one.why for one in found.partly]) == (expected, (), [why])
    assert {one.notes for one in found.items} == {(why,)}


@pytest.mark.parametrize("until", ["NaN", "20270299T000000Z", "soon"])
def test_series_with_a_damaged_end_goes_on_and_says_so(until: str) -> None:
    found = reading(f"{NEW_YORK}\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;UNTIL={until}")
    assert (starts(found)[:3], len(found.items) > 50) == (THREE, True)
    assert f"UNTIL={until.upper()}" in found.items[0].notes[0]


@pytest.mark.parametrize("end", ["DTEND:None", "DTEND:", "DURATION:P1", "DURATION:PT1H30", "DTEND:20270399T000000Z"])
def test_damaged_end_costs_no_event(end: str) -> None:
    (item,) = reading(f"{NEW_YORK}\n{end}").items
    assert f"{item.values.ends_at:%m-%d %H:%M}" == "03-03 00:30"
    assert item.notes[0].endswith("it was given one hour.")


def test_damaged_recurrence_id_costs_no_other_date() -> None:
    changed = "RECURRENCE-ID:None\nDTSTART:20270303T120000Z\nDURATION:PT1H"
    found = reading(f"{NEW_YORK}\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=3", changed)
    assert (starts(found), "RECURRENCE-ID:None" in found.partly[0].why) == (THREE, True)


def test_change_of_a_date_is_found_by_its_instant_or_its_day() -> None:
    series = f"{NEW_YORK}\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=3"
    for given in (":20270309T233000Z", ":20270309T183000", ";VALUE=DATE:20270309", ";TZID=UTC:20270309T233000"):
        found = reading(series, f"RECURRENCE-ID{given}\nDTSTART:20270310T120000Z\nDURATION:PT1H")
        assert starts(found) == [THREE[0], "03-10 12:00", THREE[2]]
        assert found.items[1].uid == "a@x_20270309T233000Z"

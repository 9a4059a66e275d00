"""Calendar files made to hang or to cost much: each ends, loses what is bad, and keeps the rest."""

import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from types import FrameType

import pytest

from eventreg.calendar.reading import Reading, read

NOW = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)
NEVER = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"
EVERY_SECOND = ";".join(
    f"{name}={','.join(map(str, range(count)))}" for name, count in (("BYHOUR", 24), ("BYMINUTE", 60), ("BYSECOND", 60))
)


@pytest.fixture(autouse=True)
def _guard() -> Iterator[None]:
    """Ends a test that hangs, whether it turns in circles or waits for a lock; nothing swallows what it raises."""

    def end(_number: int, _frame: FrameType | None) -> None:
        pytest.fail("reading the file comes to no end")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, 60)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def event(uid: str, start: str, end: str, lines: str = "") -> str:
    return f"BEGIN:VEVENT\nUID:{uid}\nSUMMARY:{uid}\nDTSTART{start}\nDTEND{end}\n{lines}END:VEVENT\n"


def near(uid: str, lines: str = "") -> str:
    return event(uid, ":20261110T100000Z", ":20261110T110000Z", lines)


def reading(*parts: str) -> Reading:
    data = f"BEGIN:VCALENDAR\n{''.join(parts)}END:VCALENDAR\n".encode()
    return read(data, now=NOW, default_timezone="America/New_York")


def became(found: Reading) -> tuple[list[str], list[tuple[str, str]], bool]:
    """(what was taken, what was left out and why, whether it is all of it)."""
    return [one.uid for one in found.items], [(one.title, one.why) for one in found.skipped], found.is_complete


@pytest.mark.parametrize(
    "rule",
    [
        NEVER,
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=WEEKLY;BYMONTH=4;BYMONTHDAY=31",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=-30",
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
        "FREQ=YEARLY;BYYEARDAY=1;BYMONTH=5",
        "FREQ=YEARLY;BYDAY=MO;BYSETPOS=366",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=1",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=YEARLY;INTERVAL=999999999",
        "FREQ=YEARLY;COUNT=999999999;BYMONTH=2;BYMONTHDAY=30",
    ],
)
def test_rule_that_never_comes_true_gives_its_first_date(rule: str) -> None:
    found = reading(*(near(f"{number}", f"RRULE:{rule}\n") for number in range(5)))
    assert (len(found.items), found.skipped, found.partly, found.is_complete) == (5, (), (), True)


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=5", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"])
def test_rule_that_repeats_too_often_gives_its_first_date_and_is_said(rule: str) -> None:
    found = reading(near("a", f"RRULE:{rule}\n"))
    why = "It repeats more often than every hour; its first date was taken."
    assert became(found) == (["a_20261110T100000Z"], [], True)
    assert (found.items[0].notes, [one.why for one in found.partly]) == ((why,), [why])


def test_rules_that_take_too_long_cost_a_bounded_amount_together() -> None:
    parts = [near(f"{number}", f"RRULE:FREQ=YEARLY;BYDAY=MO,TU;{EVERY_SECOND}\n") for number in range(300)]
    found = reading(*parts, near("last"))
    too_long = "Working out its dates takes too long; those found so far were taken."
    unread = "Its dates were not worked out: the file holds too many, or rules that take too long."
    assert {one.why for one in found.partly} == {too_long}
    assert {one.why for one in found.skipped} == {unread}
    assert (len(found.items) + len(found.skipped), found.is_complete) == (301, False)
    assert "last" in [one.uid for one in found.items]


def test_same_file_gives_the_same_events_every_time() -> None:
    """Also when the bounds are reached: nothing that is remembered makes the second reading cheaper."""
    parts = [near(f"{number}", f"RRULE:FREQ=YEARLY;BYDAY=MO;{EVERY_SECOND}\n") for number in range(60)]
    first, second = reading(*parts), reading(*parts)
    assert (first == second, 0 < len(first.items) < 60) == (True, True)


def test_yearly_series_of_two_decades_are_all_read() -> None:
    birthdays = [
        event(f"{number}", ":20040610T100000Z", ":20040610T110000Z", "RRULE:FREQ=YEARLY\n") for number in range(1200)
    ]
    found = reading(*birthdays)
    left_out = {one.why for one in found.skipped}
    assert (len(found.items), len({one.uid.partition("_")[0] for one in found.items})) == (1200, 1200)
    assert (left_out, found.is_complete) == ({"Those of its dates that are over were left out."}, True)


def test_entry_of_junk_lines_is_left_out() -> None:
    found = reading(near("junk", "X-JUNK:1\n" * 1000), near("a", "X-JUNK:1\n" * 900))
    assert became(found) == (["a"], [("junk", "It has more than 1000 lines.")], False)


def test_file_of_too_many_lines_is_read_as_far_as_it_goes() -> None:
    found = reading(near("a"), "X:\n" * 200_000, near("b"))
    why = "What comes after the first 200000 lines or 20000 entries was left out."
    assert became(found) == (["a"], [("", why)], False)


def calls(*parts: str) -> int:
    """How many functions are called to read it."""
    count = 0

    def note(_frame: FrameType, what: str, _argument: object) -> None:
        nonlocal count
        count += what == "call"

    sys.setprofile(note)
    try:
        reading(*parts)
    finally:
        sys.setprofile(None)
    return count


def test_words_of_a_series_are_worked_out_once_for_all_its_dates() -> None:
    plain = calls(near("a", "RRULE:FREQ=DAILY\n"))
    assert calls(near("a", "RRULE:FREQ=DAILY\n" + "X-JUNK:1\n" * 900)) - plain < 900 * 50
    assert calls(near("a", "RRULE:FREQ=DAILY\nDESCRIPTION:" + "word*\\n" * 3000 + "\n")) - plain < 3000 * 50


def test_changes_of_one_series_in_great_number_are_sorted_out_in_one_go() -> None:
    changes = [near("a", f"SEQUENCE:{n}\n") for n in range(500)]
    changes += [near("a", f"RECURRENCE-ID:20261110T10{n % 60:02d}{n // 60:02d}Z\n") for n in range(500)]
    onward = [
        near("b", f"RECURRENCE-ID;RANGE=THISANDFUTURE:20261110T10{n % 60:02d}{n // 60:02d}Z\n") for n in range(500)
    ]
    assert calls(*changes, near("b", "RRULE:FREQ=DAILY\n"), *onward) < 1500 * 400

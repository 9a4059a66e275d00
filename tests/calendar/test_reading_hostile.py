"""Calendar files made to hang or to cost much: each ends, loses what is bad, and keeps the rest."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from types import FrameType

import pytest

from eventreg.calendar.bounds import Budget
from eventreg.calendar.reading import Reading, read

NOW = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)
UNREAD = "It has no start or end that can be read."
EVERY_DAY = "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU"
NO_STEP = "FREQ=YEARLY;INTERVAL=0;BYDAY=MO,TU,WE,TH,FR,SA,SU"


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


def zone(rule: str) -> str:
    """A zone that is like no other until its rule begins in 2028."""
    parts = "".join(
        f"BEGIN:{kind}\nDTSTART:20280101T000000\nTZOFFSETFROM:+0123\nTZOFFSETTO:+0123\nRRULE:{rule}\nEND:{kind}\n"
        for kind in ("STANDARD", "DAYLIGHT")
    )
    return f"BEGIN:VTIMEZONE\nTZID:weird\n{parts}END:VTIMEZONE\n"


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


IN_ZONE, IN_UTC = ";TZID=weird:21990101T100000", ":21990101T230000Z"


def test_zone_whose_rule_never_moves_on_is_unknown() -> None:
    soon = event("a", ";TZID=weird:20261110T100000", ":20261110T160000Z")
    found = reading(zone(NO_STEP), event("far", IN_ZONE, IN_UTC), soon)
    assert became(found) == (["a"], [("far", "It is more than five years ahead.")], True)
    assert found.items[0].notes == ("Nobody knows its time zone “weird”; its times were read as America/New_York.",)


@pytest.mark.parametrize("lines", ["", "RRULE:FREQ=YEARLY\n"])
@pytest.mark.parametrize(("start", "end"), [(IN_ZONE, IN_UTC), (":21990101T000000Z", ";TZID=weird:21990102T000000")])
def test_comparing_times_of_a_costly_zone_loses_one_entry(start: str, end: str, lines: str) -> None:
    found = reading(zone(EVERY_DAY), event("far", start, end, lines), near("a"))
    assert became(found) == (["a"], [("far", UNREAD)], True)


def test_zone_that_was_stopped_answers_again() -> None:
    far = ";TZID=weird:21990101T100000", ";TZID=weird:21990101T120000"
    soon = ";TZID=weird:20261110T100000", ";TZID=weird:20261110T110000"
    found = reading(zone(EVERY_DAY), event("b", *far), event("c", *far), event("a", *soon))
    assert became(found) == (["a"], [("b", UNREAD), ("c", UNREAD)], True)
    assert found.items[0].values.starts_at == datetime(2026, 11, 10, 8, 37, tzinfo=UTC)


def test_costly_zones_cost_a_bounded_amount_together() -> None:
    far = [event(f"{n}", IN_ZONE, IN_UTC) for n in range(2000)]
    found = reading(zone(EVERY_DAY), *far, near("a"))
    assert became(found) == (["a"], [(f"{n}", UNREAD) for n in range(2000)], False)


def test_entry_of_junk_lines_is_left_out() -> None:
    found = reading(near("junk", "X-JUNK:1\n" * 1000), near("a", "X-JUNK:1\n" * 900))
    assert became(found) == (["a"], [("junk", "It has more than 1000 lines.")], False)


def test_file_of_too_many_lines_is_read_as_far_as_it_goes() -> None:
    found = reading(near("a"), "X:\n" * 200_000, near("b"))
    why = "What comes after the first 200000 lines or 20000 entries was left out."
    assert became(found) == (["a"], [("", why)], False)


def steps(lines: str) -> int:
    """What a series of 500 dates costs beside the working out of its dates."""
    budget = Budget(20_000_000)
    found = budget.run(lambda: reading(near("a", f"RRULE:FREQ=DAILY\n{lines}")), at_most=20_000_000)
    assert len(found.items) == 500
    return 20_000_000 - budget.left


def test_words_of_a_series_are_worked_out_once_for_all_its_dates() -> None:
    plain = steps("")
    assert steps("X-JUNK:1\n" * 900) - plain < 900 * 100
    assert steps("DESCRIPTION:" + "word*\\n" * 3000 + "\n") - plain < 3000 * 100


def test_changes_of_one_series_in_great_number_are_sorted_out_in_one_go() -> None:
    changes = [near("a", f"SEQUENCE:{n}\n") for n in range(1500)]
    changes += [near("a", f"RECURRENCE-ID:20261110T10{n % 60:02d}{n // 60:02d}Z\n") for n in range(1500)]
    budget = Budget(5_000_000)
    found = budget.run(lambda: reading(*changes), at_most=5_000_000)
    assert len(found.skipped) >= 1499

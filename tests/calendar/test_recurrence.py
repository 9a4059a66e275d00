"""Recurrence rules: the same times as dateutil gives, and what dateutil gives wrong or never."""

import random
from datetime import datetime
from itertools import islice

import pytest
from dateutil.rrule import rrulestr

from eventreg.calendar.bounds import Steps, TooMuchWork
from eventreg.calendar.recurrence import DAYS, parse, wall_times

UNTIL = datetime(2030, 1, 1)
MOST = 40
FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY")


def times(text: str, start: datetime, since: datetime | None = None, steps: int = 10**8) -> list[datetime]:
    rule, damaged = parse(text)
    assert rule is not None
    assert damaged == ()
    return [*islice(wall_times(rule, start, since=since or start, until=UNTIL, steps=Steps(steps)), MOST)]


def rule_of(chance: random.Random) -> str:
    frequency = chance.choice(FREQUENCIES)
    is_counted = frequency in {"YEARLY", "MONTHLY"} and chance.random() < 0.5
    offers = {
        "INTERVAL": lambda: chance.randint(1, 5),
        "BYMONTH": lambda: chance.randint(1, 12),
        "BYMONTHDAY": lambda: chance.choice((-1, 1)) * chance.randint(1, 31),
        "BYYEARDAY": lambda: chance.choice((-1, 1)) * chance.randint(1, 366),
        "BYDAY": lambda: f"{chance.choice((-1, 1)) * chance.randint(1, 5) if is_counted else ''}{chance.choice(DAYS)}",
        "BYHOUR": lambda: chance.randint(0, 23),
        "BYMINUTE": lambda: chance.randint(0, 59),
        "WKST": lambda: chance.choice(DAYS),
        "COUNT": lambda: chance.randint(1, 20),
    }
    not_here = {"BYYEARDAY"} if frequency != "YEARLY" else set()
    not_here |= {"BYMONTHDAY"} if frequency == "WEEKLY" else set()
    parts = [f"FREQ={frequency}"]
    for name in chance.sample(sorted(offers.keys() - not_here), chance.randint(0, 4)):
        count = chance.randint(1, 3) if name.startswith("BY") else 1
        parts.append(f"{name}={','.join(sorted({str(offers[name]()) for _ in range(count)}))}")
    return ";".join(parts)


def test_times_are_those_of_dateutil() -> None:
    """dateutil is asked only for as many as there are: it would look for one more for ever."""
    chance = random.Random(20261130)
    compared = 0
    for _ in range(150):
        text = rule_of(chance)
        start = datetime(
            chance.randint(2000, 2026), chance.randint(1, 12), chance.randint(1, 28), chance.randint(0, 23)
        )
        found = times(text, start)
        compared += bool(found)
        if found:
            assert (text, [*islice(rrulestr(text, dtstart=start), len(found))]) == (text, found)
            assert times(text, start, since=found[-1])[0] == found[-1]
    assert compared > 75


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        # RFC 5545 section 3.8.5.3.
        ("FREQ=YEARLY;BYDAY=20MO", datetime(1997, 5, 19, 9), ["1997-05-19", "1998-05-18", "1999-05-17"]),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", datetime(1997, 5, 12, 9), ["1997-05-12", "1998-05-11", "1999-05-17"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", datetime(1997, 8, 5, 9), ["1997-08-05", "1997-08-10"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", datetime(1997, 8, 5, 9), ["1997-08-05", "1997-08-17"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", datetime(1997, 9, 29, 9), ["1997-09-29", "1997-10-30"]),
        ("FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", datetime(1996, 11, 5), ["1996-11-05"]),
        # dateutil wants all kinds of BYDAY at once, and every day of a week that BYWEEKNO names.
        ("FREQ=MONTHLY;BYDAY=1MO,FR", datetime(2027, 3, 1), ["2027-03-01", "2027-03-05", "2027-03-12", "2027-03-19"]),
        ("FREQ=YEARLY;BYWEEKNO=20", datetime(2026, 5, 13), ["2026-05-13", "2027-05-19", "2028-05-17"]),
        ("FREQ=YEARLY;BYWEEKNO=-1;BYDAY=TH", datetime(2026, 1, 1), ["2026-12-31", "2027-12-30", "2028-12-28"]),
        ("FREQ=YEARLY", datetime(2024, 2, 29), ["2024-02-29", "2028-02-29"]),
        ("FREQ=MONTHLY", datetime(2029, 8, 31), ["2029-08-31", "2029-10-31", "2029-12-31"]),
    ],
)
def test_times_are_those_of_the_standard(text: str, start: datetime, expected: list[str]) -> None:
    assert [f"{one:%Y-%m-%d}" for one in times(text, start)][: len(expected)] == expected


def test_steps_end_a_rule_that_never_comes_true() -> None:
    assert times("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", datetime(2026, 1, 1), steps=300) == []
    with pytest.raises(TooMuchWork):
        times("FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", datetime(2026, 1, 1), steps=300)


@pytest.mark.parametrize(
    ("text", "damaged"),
    [
        ("FREQ=WEEKLY;BYDAY=MO,;COUNT=3", ("BYDAY=MO,",)),
        ("FREQ=WEEKLY;BYDAY=MO,XX", ("BYDAY=MO,XX",)),
        ("FREQ=WEEKLY;BYDAY=", ("BYDAY=",)),
        ("FREQ=WEEKLY;UNTIL=NaN", ("UNTIL=NAN",)),
        ("FREQ=WEEKLY;COUNT=-1", ("COUNT=-1",)),
        ("FREQ=WEEKLY;INTERVAL=0", ("INTERVAL=0",)),
        ("FREQ=WEEKLY;BYMONTH=13,3", ("BYMONTH=13,3",)),
        ("FREQ=WEEKLY;BYHOUR=undefined", ("BYHOUR=UNDEFINED",)),
        ("FREQ=WEEKLY;FOO=1", ("FOO=1",)),
        ("FREQ=WEEKLY;SKIP=FORWARD", ("SKIP",)),
        ("freq=weekly; byday = mo ;; X-FOO=1;RSCALE=GREGORIAN;SKIP=OMIT;", ()),
    ],
)
def test_rest_of_a_damaged_rule_is_read(text: str, damaged: tuple[str, ...]) -> None:
    rule, found = parse(text)
    assert rule is not None
    assert (rule.frequency, found) == ("WEEKLY", damaged)


@pytest.mark.parametrize(
    "text", ["", " ", ";", "FREQ=", "FREQ=FORTNIGHTLY", "BYDAY=MO", "None", "RSCALE=CHINESE;FREQ=YEARLY"]
)
def test_rule_without_a_frequency_is_none(text: str) -> None:
    rule, damaged = parse(text)
    assert (rule, len(damaged)) == (None, 1)

"""Recurrence rules: RRULE text -> rule -> wall clock times, in counted steps. Pure. Source: RFC 5545 section 3.3.10.

dateutil, on which the libraries for recurring events rest, looks for the next date of "February 30" until the year
9999 and cannot be stopped; here every period that is looked at costs a step. A test compares the dates of both.
"""

import re
from calendar import isleap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import count as counting

from eventreg.calendar.bounds import Steps

LONGEST = 2_000
LARGEST_INTERVAL = 100_000
LARGEST_COUNT = 1_000_000
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
_LIMITS = {
    "BYMONTH": (1, 12),
    "BYWEEKNO": (-53, 53),
    "BYYEARDAY": (-366, 366),
    "BYMONTHDAY": (-31, 31),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSECOND": (0, 60),
    "BYSETPOS": (-366, 366),
}
_LENGTHS, FEBRUARY = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 2
_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER = re.compile(r"[+-]?\d{1,9}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `until` is the text of UNTIL, for its meaning depends on the event's start."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: str = ""
    week_start: int = 0
    by: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    by_day: tuple[tuple[int, int], ...] = ()
    """(which one in the month or year, 0 for each; weekday)."""

    @property
    def is_too_often(self) -> bool:
        """Whether it repeats more often than any event does."""
        return self.frequency in {"MINUTELY", "SECONDLY"}


def parse(text: str) -> tuple[Rule | None, tuple[str, ...]]:
    """(the rule made of all parts that can be read, the others). No rule where its FREQ cannot be read.

    >>> parse("FREQ=WEEKLY;BYDAY=MO,;UNTIL=20270316T183000;")[1]
    ('BYDAY=MO,',)
    """
    if len(text) > LONGEST:
        return None, (text[:40],)
    read: dict[str, str] = {}
    for part in text.upper().split(";"):
        name, _sign, value = part.partition("=")
        if part.strip():
            read.setdefault(name.strip(), value.strip())
    damaged: list[str] = []
    frequency = read.pop("FREQ", "")
    if frequency not in _FREQUENCIES or read.pop("RSCALE", "GREGORIAN") != "GREGORIAN":
        return None, (text.strip()[:40] or "RRULE",)
    interval = _number(read, "INTERVAL", 1, 10**9, damaged)
    count = _number(read, "COUNT", 1, 10**9, damaged)
    until = read.pop("UNTIL", "")
    if until and not re.fullmatch(r"\d{4}-?\d\d-?\d\d(T[\d:]{4,8}(\.\d+)?Z?)?", until):
        damaged.append(f"UNTIL={until}")
        until = ""
    week_start = read.pop("WKST", "MO")
    by_day = _weekdays(read.pop("BYDAY", None), damaged)
    by = {name: _numbers(name, read.pop(name), damaged) for name in _LIMITS if name in read}
    if read.pop("SKIP", "OMIT") != "OMIT":
        damaged.append("SKIP")
    damaged += [f"{name}={value}"[:40] for name, value in read.items() if not name.startswith("X-")]
    return (
        Rule(
            frequency,
            min(interval or 1, LARGEST_INTERVAL),
            min(count, LARGEST_COUNT) if count else None,
            until,
            DAYS.index(week_start) if week_start in DAYS else 0,
            {name: values for name, values in by.items() if values},
            by_day,
        ),
        tuple(damaged),
    )


def wall_times(rule: Rule, start: datetime, *, since: datetime, until: datetime, steps: Steps) -> Iterator[datetime]:
    """The times of a rule from `start` to `until`, in their order, without those before `since`.

    All of them are naive. Raises: TooMuchWork.
    """
    left = rule.count
    for wall in _Periods(rule, start, steps).times(since if left is None else start, until):
        if wall > until or left == 0:
            return
        if wall >= start:
            left = None if left is None else left - 1
            if wall >= since:
                yield wall


def _number(read: dict[str, str], name: str, least: int, most: int, damaged: list[str]) -> int | None:
    text = read.pop(name, None)
    if text is None:
        return None
    if _NUMBER.fullmatch(text) and least <= int(text) <= most:
        return int(text)
    damaged.append(f"{name}={text}"[:40])
    return None


def _numbers(name: str, text: str, damaged: list[str]) -> tuple[int, ...]:
    least, most = _LIMITS[name]
    parts = [part.strip() for part in text.split(",")]
    good = {int(part) for part in parts if _NUMBER.fullmatch(part) and least <= int(part) <= most}
    good -= {0} if least < 0 else set()
    if len(good) < len(set(parts)):
        damaged.append(f"{name}={text}"[:40])
    return tuple(sorted(good))


def _weekdays(text: str | None, damaged: list[str]) -> tuple[tuple[int, int], ...]:
    if text is None:
        return ()
    parts = [part.strip() for part in text.split(",")]
    found = [_DAY.fullmatch(part.replace(" ", "")) for part in parts]
    if not all(found):
        damaged.append(f"BYDAY={text}"[:40])
    return tuple(sorted({(int(one[1] or 0), DAYS.index(one[2])) for one in found if one}))


class _Periods:
    """The years, months, weeks, days or hours of a rule, and the times in each."""

    def __init__(self, rule: Rule, start: datetime, steps: Steps) -> None:
        self._rule, self._start, self._steps = rule, start, steps
        by, frequency = rule.by, rule.frequency
        self._months = frozenset(by.get("BYMONTH", ()))
        self._weeks = frozenset(by.get("BYWEEKNO", ()))
        self._year_days = frozenset(by.get("BYYEARDAY", ()))
        self._month_days = frozenset(by.get("BYMONTHDAY", ()))
        is_counted = frequency == "MONTHLY" or (frequency == "YEARLY" and not self._weeks)
        self._weekdays = frozenset(day for which, day in rule.by_day if not which or not is_counted)
        self._counted = frozenset((which, day) for which, day in rule.by_day if which and is_counted)
        self._counted_weekdays = frozenset(day for _which, day in self._counted)
        self._is_in_month = frequency == "MONTHLY" or bool(self._months)
        self._fill_in(frequency)
        self._hours = frozenset(by.get("BYHOUR", ()))
        minutes, seconds = by.get("BYMINUTE", (start.minute,)), by.get("BYSECOND", (start.second,))
        hours = (0,) if frequency == "HOURLY" else by.get("BYHOUR", (start.hour,))
        self._clock = [(hour, minute, min(second, 59)) for hour in hours for minute in minutes for second in seconds]

    def _fill_in(self, frequency: str) -> None:
        """What a rule does not say is taken from the start."""
        if self._weeks and not (self._year_days or self._month_days or self._weekdays):
            self._weekdays = frozenset({self._start.weekday()})
        if self._weeks or self._year_days or self._month_days or self._weekdays or self._counted:
            return
        if frequency == "WEEKLY":
            self._weekdays = frozenset({self._start.weekday()})
        elif frequency in {"YEARLY", "MONTHLY"}:
            self._month_days = frozenset({self._start.day})
            if frequency == "YEARLY" and not self._months:
                self._months = frozenset({self._start.month})

    def times(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """Those of each period from the one of `since` on, until one begins after `until`."""
        places = self._rule.by.get("BYSETPOS")
        for days, hour in self._periods(max(since, self._start), until):
            self._steps.take(1 + len(days))
            fitting = [day for day in days if self._fits(day)]
            if not fitting or (hour is not None and self._hours and hour not in self._hours):
                continue
            self._steps.take(len(fitting) * len(self._clock))
            found = [
                datetime.combine(day, time(at if hour is None else hour, minute, second))
                for day in fitting
                for at, minute, second in self._clock
            ]
            if places is not None:
                count = len(found)
                picked = {place - 1 if place > 0 else count + place for place in places}
                found = [found[place] for place in sorted(picked) if 0 <= place < count]
            yield from found

    def _periods(self, since: datetime, until: datetime) -> Iterator[tuple[list[date], int | None]]:
        """(its days, its hour where a period is an hour)."""
        interval, start, frequency = self._rule.interval, self._start, self._rule.frequency
        if frequency == "YEARLY":
            for year in counting(start.year + (since.year - start.year) // interval * interval, interval):
                if year > until.year:
                    return
                yield [day for month in sorted(self._months) or range(1, 13) for day in _days(year, month)], None
        elif frequency == "MONTHLY":
            first, last = _month_number(start), _month_number(until)
            for number in counting(first + (_month_number(since) - first) // interval * interval, interval):
                if number > last:
                    return
                is_meant = not self._months or number % 12 + 1 in self._months
                yield _days(number // 12, number % 12 + 1) if is_meant else [], None
        else:
            yield from self._even_periods(since, until)

    def _even_periods(self, since: datetime, until: datetime) -> Iterator[tuple[list[date], int | None]]:
        frequency, begins = self._rule.frequency, self._start.replace(minute=0, second=0, microsecond=0)
        unit = {"WEEKLY": timedelta(days=7), "DAILY": timedelta(days=1)}.get(frequency, timedelta(hours=1))
        if frequency != "HOURLY":
            begins = begins.replace(hour=0)
        if frequency == "WEEKLY":
            begins -= timedelta(days=(begins.weekday() - self._rule.week_start) % 7)
        unit *= self._rule.interval
        begins += (since - begins) // unit * unit
        while begins <= until:
            day = begins.date()
            if frequency == "WEEKLY":
                yield [day + timedelta(days=step) for step in range(7)], None
            else:
                yield [day], begins.hour if frequency == "HOURLY" else None
            begins += unit

    def _fits(self, day: date) -> bool:
        if self._months and day.month not in self._months:
            return False
        if (self._weekdays or self._counted) and day.weekday() not in self._weekdays and not self._is_counted(day):
            return False
        if self._month_days and not self._month_days & {day.day, day.day - _length(day.year, day.month) - 1}:
            return False
        if self._year_days and not self._year_days & set(_both_ways(day)):
            return False
        return not self._weeks or bool(self._weeks & set(_week_numbers(day, self._rule.week_start)))

    def _is_counted(self, day: date) -> bool:
        """Whether it is such a one as "the last Sunday", of the month or of the year."""
        if day.weekday() not in self._counted_weekdays:
            return False
        if self._is_in_month:
            forward, back = day.day, day.day - _length(day.year, day.month) - 1
        else:
            forward, back = _both_ways(day)
        places = {((forward - 1) // 7 + 1, day.weekday()), (-((-back - 1) // 7 + 1), day.weekday())}
        return bool(self._counted & places)


def _month_number(moment: datetime) -> int:
    return moment.year * 12 + moment.month - 1


def _length(year: int, month: int) -> int:
    return _LENGTHS[month - 1] + (month == FEBRUARY and isleap(year))


def _days(year: int, month: int) -> list[date]:
    return [date(year, month, day) for day in range(1, _length(year, month) + 1)]


def _both_ways(day: date) -> tuple[int, int]:
    """The number of a day in its year, from the front and, negative, from the end."""
    number = day.timetuple().tm_yday
    return number, number - date(day.year, 12, 31).timetuple().tm_yday - 1


def _week_numbers(day: date, week_start: int) -> tuple[int, int]:
    """The number of its week from the front and from the end; week 1 is the first with four days in the year."""
    fourth = day - timedelta(days=(day.weekday() - week_start) % 7) + timedelta(days=3)
    number = (fourth.timetuple().tm_yday - 1) // 7 + 1
    _front, back = _both_ways(fourth)
    return number, -((-back - 1) // 7 + 1)

"""Wall clocks, instants, gaps and folds."""

from datetime import UTC, date, datetime, timedelta

import pytest

from eventreg import timezones
from eventreg.errors import InvalidField, WallClockError
from eventreg.events import rules, schedule

NEW_YORK = "America/New_York"


def test_time_in_a_gap_is_refused_with_the_reason_and_the_way_out() -> None:
    with pytest.raises(InvalidField) as refused:
        schedule.instants(datetime(2027, 3, 14, 2, 30), datetime(2027, 3, 14, 5, 0), timezone=NEW_YORK, all_day=False)
    assert (refused.value.field, refused.value.message) == (
        "starts_at",
        (
            "02:30 does not exist on March 14, 2027 in America/New_York: the clocks go forward and skip it. "
            "Choose 03:30, the same moment on the new clock, or another time."
        ),
    )


def test_time_in_a_fold_is_the_first_of_the_two() -> None:
    assert timezones.to_instant(datetime(2026, 11, 1, 1, 30), NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wall", "hour"),
    [(datetime(2026, 10, 31, 15), 19), (datetime(2026, 11, 2, 15), 20), (datetime(2027, 3, 15, 15), 19)],
)
def test_same_wall_clock_on_both_sides_of_a_clock_change(wall, hour) -> None:
    instant = timezones.to_instant(wall, NEW_YORK)
    assert (instant.hour, timezones.to_wall(instant, NEW_YORK)) == (hour, wall)


def test_all_day_event_runs_to_the_midnight_after_its_last_day() -> None:
    span = schedule.instants(datetime(2026, 8, 14, 9, 0), datetime(2026, 8, 16, 9, 0), timezone=NEW_YORK, all_day=True)
    assert span == (datetime(2026, 8, 14, 4, tzinfo=UTC), datetime(2026, 8, 17, 4, tzinfo=UTC))


def test_day_whose_midnight_the_clocks_skip_still_begins() -> None:
    assert timezones.day_start(date(2026, 4, 24), "Africa/Cairo") == datetime(2026, 4, 23, 22, tzinfo=UTC)


def test_local_span_gives_back_what_was_typed(make_event, now) -> None:
    first, after_last = schedule.instants(datetime(2026, 11, 1), datetime(2026, 11, 2), timezone=NEW_YORK, all_day=True)
    event = make_event(starts_at=first, ends_at=after_last, all_day=True)
    assert schedule.local_span(event) == (datetime(2026, 11, 1), datetime(2026, 11, 2))


@pytest.mark.parametrize(
    ("starts", "ends", "timezone", "field"),
    [
        (datetime(2026, 10, 19, 15), datetime(2026, 10, 19, 15), NEW_YORK, "ends_at"),
        (datetime(2026, 10, 19, 15), datetime(2028, 10, 19, 15), NEW_YORK, "ends_at"),
        (datetime(2026, 10, 19, 15), datetime(2026, 10, 19, 16), "Mars/Olympus", "timezone"),
        (datetime(1, 1, 1, 0), datetime(1, 1, 1, 1), "Asia/Tokyo", "starts_at"),
        (datetime(9999, 12, 31, 22), datetime(9999, 12, 31, 23), NEW_YORK, "starts_at"),
    ],
)
@pytest.mark.parametrize("all_day", [False, True])
def test_impossible_spans_name_their_field(starts, ends, timezone, field, all_day) -> None:
    if all_day and ends.date() == starts.date() and timezone == NEW_YORK and starts.year == 2026:
        assert schedule.instants(starts, ends, timezone=timezone, all_day=True)
        return
    with pytest.raises(InvalidField) as refused:
        schedule.instants(starts, ends, timezone=timezone, all_day=all_day)
    assert refused.value.field in {field, "ends_at"}


def test_naive_and_aware_are_never_mixed() -> None:
    with pytest.raises(TypeError):
        timezones.to_instant(datetime(2026, 10, 19, 15, tzinfo=UTC), NEW_YORK)
    with pytest.raises(WallClockError):
        timezones.zone("../../etc/passwd")


@pytest.mark.parametrize(
    ("given", "door"),
    [
        ({"status": "cancelled"}, "cancelled"),
        ({"starts_at": -3.0}, "past"),
        ({"registration_opens_at": 1.0}, "not_open"),
        ({"registration_closes_at": 0.0}, "closed"),
        ({"starts_at": -1.0}, "closed"),
        ({"capacity": 2, "seats_taken": 2}, "waitlist"),
        ({"capacity": 2, "seats_taken": 2, "waitlist_open": False}, "full"),
        ({"capacity": 2, "seats_taken": 1}, "open"),
        ({}, "open"),
        ({"starts_at": -1.0, "all_day": True}, "open"),
    ],
)
def test_door_is_the_first_reason_that_applies(make_event, now, given, door) -> None:
    given = {key: now + timedelta(hours=value) if isinstance(value, float) else value for key, value in given.items()}
    assert rules.availability(make_event(**given), now).door == door

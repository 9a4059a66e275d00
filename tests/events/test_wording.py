from datetime import UTC, date, datetime, timedelta

import pytest

from eventreg.events import rules, wording
from eventreg.events.models import Event

START = datetime(2026, 10, 19, 19, 0, tzinfo=UTC)
NOW = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)


def an_event(**given: object) -> Event:
    values: dict[str, object] = {
        "title": "A day of reflection",
        "starts_at": START,
        "ends_at": START + timedelta(hours=3),
        "timezone": "America/New_York",
        "all_day": False,
        "location_name": "TMEC Amphitheater",
        "location_address": "260 Longwood Ave, Boston MA",
        "online_url": "",
        "audience": "",
        "status": "published",
        "capacity": 80,
        "seats_taken": 68,
        "waitlist_open": True,
    }
    return Event(**values | given)


def all_day(first: datetime, days: int) -> Event:
    return an_event(all_day=True, starts_at=first, ends_at=first + timedelta(days=days))


def test_event_time_names_weekday_date_hours_and_zone() -> None:
    assert wording.event_time(an_event()) == "Monday, October 19, 2026, 3:00-6:00 PM EDT"
    assert wording.event_time(an_event(), dash="–") == "Monday, October 19, 2026, 3:00–6:00 PM EDT"


def test_event_time_across_noon_says_both_halves_of_the_day() -> None:
    morning = an_event(starts_at=START - timedelta(hours=6), ends_at=START)
    assert wording.event_time(morning) == "Monday, October 19, 2026, 9:00 AM-3:00 PM EDT"


def test_event_time_over_midnight_names_both_days() -> None:
    late = an_event(ends_at=START + timedelta(hours=12))
    assert wording.event_time(late) == "Monday, October 19, 2026, 3:00 PM EDT to Tuesday, October 20, 2026, 3:00 AM EDT"


def test_event_time_until_midnight_stays_on_its_day() -> None:
    assert wording.event_time(an_event(ends_at=START + timedelta(hours=9))) == (
        "Monday, October 19, 2026, 3:00 PM-12:00 AM EDT"
    )


@pytest.mark.parametrize(
    ("starts_at", "said"),
    [
        (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), "Sunday, November 1, 2026, 1:30 AM EDT-2:30 AM EST"),
        (datetime(2027, 3, 14, 6, 30, tzinfo=UTC), "Sunday, March 14, 2027, 1:30 AM EST-4:30 AM EDT"),
    ],
)
def test_event_time_over_a_clock_change_names_both_zones(starts_at: datetime, said: str) -> None:
    assert wording.event_time(an_event(starts_at=starts_at, ends_at=starts_at + timedelta(hours=2))) == said


def test_event_time_of_an_all_day_event_names_its_days_and_not_the_day_after() -> None:
    first = datetime(2026, 8, 14, 4, 0, tzinfo=UTC)
    assert wording.event_time(all_day(first, 1)) == "Friday, August 14, 2026, all day"
    assert wording.event_time(all_day(first, 3)) == "Friday, August 14, 2026 to Sunday, August 16, 2026, all day"
    assert wording.last_day(all_day(first, 3)) == date(2026, 8, 16)


def test_event_hours_under_a_heading_leave_the_day_out() -> None:
    assert wording.event_hours(an_event()) == "3:00-6:00 PM EDT"
    assert wording.event_hours(an_event(ends_at=START + timedelta(hours=12))) == (
        "3:00 PM EDT, until Tue, Oct 20, 3:00 AM EDT"
    )
    first = datetime(2026, 8, 14, 4, 0, tzinfo=UTC)
    assert wording.event_hours(all_day(first, 1)) == "All day"
    assert wording.event_hours(all_day(first, 2)) == "All day, until Sat, Aug 15"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "TMEC Amphitheater, 260 Longwood Ave, Boston MA"),
        ({"online_url": "https://meet.example.org/x"}, "TMEC Amphitheater, 260 Longwood Ave, Boston MA, and online"),
        ({"location_name": "", "location_address": "", "online_url": "https://meet.example.org/x"}, "Online"),
        ({"location_name": "", "location_address": ""}, "Place to be announced"),
    ],
)
def test_place_says_where_and_never_the_join_link(given: dict[str, str], said: str) -> None:
    assert wording.place(an_event(**given)) == said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "12 of 80 places left"),
        ({"capacity": 1, "seats_taken": 0}, "1 of 1 place left"),
        ({"capacity": None}, "Unlimited places"),
        ({"seats_taken": 80}, "Full, waitlist open"),
        ({"seats_taken": 80, "waitlist_open": False}, "Full"),
        ({"registration_closes_at": NOW}, "Registration is closed"),
        ({"registration_opens_at": NOW + timedelta(days=7)}, "Registration opens Mon, Oct 12, 12:00 PM EDT"),
        ({"status": "cancelled", "seats_taken": 80}, "Cancelled"),
        ({"starts_at": NOW - timedelta(days=2), "ends_at": NOW - timedelta(days=1)}, "This event is over"),
    ],
)
def test_status_words_say_what_is_left(given: dict[str, object], said: str) -> None:
    event = an_event(**given)
    assert wording.status_words(rules.availability(event, NOW), event) == said


def test_instant_names_weekday_date_and_zone_of_the_event() -> None:
    assert wording.instant(START, "Asia/Dubai") == "Monday, October 19, 2026, 11:00 PM UTC+4"

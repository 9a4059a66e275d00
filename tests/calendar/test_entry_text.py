from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eventreg.calendar.entry_text import entry_text
from eventreg.calendar.vevent import vevent
from eventreg.events.models import Event
from tests.support.calendars import LINKS, celebration

WORDS = st.text(st.characters(codec="utf-8"), max_size=200) | st.text("a\\;,^é李🎉\n ", max_size=200)


@given(
    title=WORDS,
    summary=WORDS,
    description=WORDS,
    location_name=WORDS,
    category=WORDS,
    status=st.sampled_from(["published", "cancelled"]),
    all_day=st.booleans(),
    starts_at=st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    lasts=st.timedeltas(timedelta(minutes=1), timedelta(days=40)),
)
@example(
    "x" * 80, "\\" * 200, "^" * 200, "é" * 90, "", "published", False, datetime(2026, 1, 1, tzinfo=UTC), timedelta(1)
)
def test_entry_is_byte_for_byte_what_icalendar_writes(
    title: str,
    summary: str,
    description: str,
    location_name: str,
    category: str,
    status: str,
    all_day: bool,
    starts_at: datetime,
    lasts: timedelta,
) -> None:
    event = celebration(
        title=title,
        summary=summary,
        description=description,
        location_name=location_name,
        category=category,
        status=status,
        all_day=all_day,
        starts_at=starts_at,
        ends_at=starts_at + lasts,
    )
    assert entry_text(event, links=LINKS) == vevent(event, links=LINKS, in_feed=True).to_ical()


@pytest.mark.parametrize("online_url", ["", "https://meet.example/x"])
def test_place_is_the_same_too(online_url: str) -> None:
    event: Event = celebration(online_url=online_url, location_name="", location_address="")
    assert entry_text(event, links=LINKS) == vevent(event, links=LINKS, in_feed=True).to_ical()

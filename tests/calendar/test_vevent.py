from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventreg import timezones
from eventreg.calendar import blocks
from eventreg.calendar.entry_words import local_time
from eventreg.calendar.text import clean, one_line
from eventreg.calendar.vevent import calendar, vevent
from eventreg.events.models import Event
from eventreg.events.schedule import instants
from tests.support.calendars import LINKS, STAMP, celebration, entry, unfolded, values

wall = datetime.fromisoformat


def shown(event: Event, **options: Any) -> dict[str, str]:
    return values(entry(wrapped(event, **options)))


def wrapped(event: Event, **options: Any) -> bytes:
    made = calendar()
    made.add_component(vevent(event, links=LINKS, **options))
    return bytes(made.to_ical())


def test_event_becomes_an_entry_property_by_property() -> None:
    assert shown(celebration()) == {
        "SUMMARY": "A day of reflection",
        "DTSTART": "20261019T190000Z",
        "DTEND": "20261019T220000Z",
        "DTSTAMP": "20260920T093015Z",
        "UID": "5f0c1f0e-3f0e-4c53-9a5e-6b1f9d1f7a10@events.example.org",
        "SEQUENCE": "2",
        "CATEGORIES": "Celebrations",
        "CREATED": "20260901T120000Z",
        "DESCRIPTION": (
            "Twenty years\\, and what comes next.\\n\\nProgram\\n\\n- 3 PM Welcome\\n"
            "- 4 PM Panel (https://example.org/panel)\\n\\n"
            "Monday\\, October 19\\, 2026\\, 3:00-6:00 PM EDT (Eastern Time)\\n"
            "https://events.example.org/events/a-day-of-reflection"
        ),
        "LAST-MODIFIED": "20260920T093015Z",
        "LOCATION": "TMEC Amphitheater\\, 260 Longwood Ave\\, Boston MA",
        "STATUS": "CONFIRMED",
        "URL": "https://events.example.org/events/a-day-of-reflection",
    }


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        (wall("2026-03-07T15:00"), "20260307T200000Z"),  # the day before clocks go forward
        (wall("2026-03-09T15:00"), "20260309T190000Z"),
        (wall("2026-10-31T15:00"), "20261031T190000Z"),  # the day before clocks go back
        (wall("2026-11-02T15:00"), "20261102T200000Z"),
    ],
)
def test_times_are_utc_on_both_sides_of_each_clock_change(local: datetime, utc: str) -> None:
    starts_at, ends_at = instants(local, local + timedelta(hours=1), timezone="America/New_York", all_day=False)
    content = wrapped(celebration(starts_at=starts_at, ends_at=ends_at))
    assert values(entry(content))["DTSTART"] == utc
    assert b"TZID" not in content


def test_utc_is_called_utc_and_every_zone_by_a_name() -> None:
    assert local_time(celebration(timezone="UTC")) == "Monday, October 19, 2026, 7:00-10:00 PM UTC"
    named = {name: local_time(celebration(timezone=name)) for name in timezones.names()}
    assert [words for words in named.values() if "Unknown" in words] == []


def test_all_day_event_of_two_days_ends_on_the_day_after_the_last() -> None:
    starts_at, ends_at = instants(wall("2026-10-31"), wall("2026-11-01"), timezone="America/New_York", all_day=True)
    content = wrapped(celebration(starts_at=starts_at, ends_at=ends_at, all_day=True))
    only = entry(content)
    assert (only.decoded("DTSTART"), only.decoded("DTEND")) == (date(2026, 10, 31), date(2026, 11, 2))
    assert values(only)["TRANSP"] == "TRANSPARENT"
    assert b"DTSTART;VALUE=DATE:20261031\r\n" in content
    assert "Saturday\\, October 31\\, 2026 to Sunday\\, November 1\\, 2026\\, all day" in values(only)["DESCRIPTION"]


def test_cancelled_event_says_so_in_its_title_in_feeds_only() -> None:
    off = celebration(status="cancelled")
    assert (shown(off)["STATUS"], shown(off)["SUMMARY"]) == ("CANCELLED", "A day of reflection")
    assert shown(off, in_feed=True)["SUMMARY"] == "Cancelled: A day of reflection"


def test_join_link_and_directions_are_for_people_who_come() -> None:
    event = celebration(online_url="https://meet.example/j/1?pwd=x", directions="Take the *Green Line*.")
    assert "meet.example" not in unfolded(wrapped(event))
    assert "Green Line" not in unfolded(wrapped(event))
    assert (
        "\\n\\nDirections: Take the Green Line.\\n\\nJoin online: https://meet.example/j/1?pwd=x\\n\\nMonday"
        in (shown(event, joins=True)["DESCRIPTION"])
    )


def test_event_without_a_place_is_online_or_has_no_location() -> None:
    nowhere = {"location_name": "", "location_address": ""}
    assert shown(celebration(**nowhere, online_url="https://meet.example/j/1"))["LOCATION"] == "Online"
    assert "LOCATION" not in shown(celebration(**nowhere))


def test_stamp_is_the_last_change_unless_a_message_gives_its_own() -> None:
    assert shown(celebration(), stamp_at=STAMP)["DTSTAMP"] == "20261005T160000Z"
    assert shown(celebration(), modified_at=STAMP)["LAST-MODIFIED"] == "20261005T160000Z"


def test_line_break_in_title_or_place_cannot_add_a_property() -> None:
    event = celebration(
        title="Talk\r\nATTENDEE:mailto:sam@example.org", location_name="Room\nX-EVIL:1", category="a\r\nX-EVIL:2"
    )
    properties = shown(event)
    assert properties["SUMMARY"] == "Talk ATTENDEE:mailto:sam@example.org"
    assert properties["CATEGORIES"] == "a X-EVIL:2"
    assert not {"ATTENDEE", "X-EVIL"} & properties.keys()


def test_hostile_title_and_place_read_back_as_typed() -> None:
    title = 'Science; art, \\ "play" \\Nature é 李 🎉'
    only = entry(wrapped(celebration(title=title, location_name=title, location_address="")))
    assert (only["SUMMARY"], only["LOCATION"]) == (title, title)


hostile = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from('\\;,:"\n\r\t\x00\x1b\u2028\ufeff\ud800é李🎉N n^')
    ),
    max_size=200,
)  # fmt: skip


@given(title=hostile, place=hostile, description=hostile, category=hostile)
def test_any_text_gives_sound_lines_reads_back_and_repeats(
    title: str, place: str, description: str, category: str
) -> None:
    event = celebration(
        title=title, location_name=place, location_address="", summary=description, description="", category=category
    )
    content = wrapped(event)
    only = entry(content)
    assert content == wrapped(event)
    assert only["SUMMARY"] == one_line(title)
    assert only.get("LOCATION", "") == one_line(place)
    assert only.get("CATEGORIES", None) is None or only["CATEGORIES"].cats == [one_line(category)]
    assert str(only["DESCRIPTION"]).startswith(clean(description))


@given(text=hostile)
def test_any_description_gives_sound_lines(text: str) -> None:
    entry(wrapped(celebration(description=text, directions=text), joins=True))


def test_block_is_the_entry_alone_and_the_same_every_time() -> None:
    content = blocks.block(celebration(), LINKS)
    assert content.startswith(b"BEGIN:VEVENT\r\n")
    assert content.endswith(b"END:VEVENT\r\n")
    assert content == blocks.block(celebration(), LINKS)


def test_event_of_less_than_a_minute_still_ends_after_it_begins() -> None:
    start = datetime(2026, 10, 19, 19, 0, 0, tzinfo=UTC)
    only = entry(wrapped(celebration(starts_at=start, ends_at=start + timedelta(seconds=1))))
    assert only.decoded("DTEND") > only.decoded("DTSTART")

"""What is written straight into bytes is what icalendar writes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from icalendar import vCalAddress, vDuration, vUri

from eventreg.calendar.entry_text import END, entry_text, event_file
from eventreg.calendar.feed import calendar_head
from eventreg.calendar.text import common_name, mailto, one_line
from eventreg.calendar.vevent import Text, calendar, vevent
from eventreg.events.models import Event
from tests.support.calendars import LINKS, celebration

WORDS = st.text(st.characters(codec="utf-8"), max_size=200) | st.text('a\\;,^"é李🎉\n ', max_size=200)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
HOUR = timedelta(hours=1)


def by_icalendar(event: Event, *, site_name: str, contact_email: str) -> bytes:
    """The file of one event."""
    entry = vevent(event, links=LINKS)
    entry.add("ORGANIZER", vCalAddress(mailto(contact_email), params={"CN": common_name(site_name)}))
    whole = calendar("PUBLISH")
    whole.add_component(entry)
    return bytes(whole.to_ical())


@given(
    words=st.fixed_dictionaries(
        dict.fromkeys(("title", "summary", "description", "location_name", "category"), WORDS)
        | {"status": st.sampled_from(["published", "cancelled"]), "all_day": st.booleans()}
    ),
    starts_at=MOMENTS,
    lasts=st.timedeltas(timedelta(minutes=1), timedelta(days=40)),
    site_name=WORDS.filter(one_line),
    contact_email=st.emails() | WORDS.filter(one_line),
)
@example(
    words={"title": "x" * 80, "summary": "\\" * 200, "description": "^" * 200, "location_name": "é" * 90},
    starts_at=datetime(2026, 1, 1, tzinfo=UTC),
    lasts=timedelta(days=1),
    site_name="^" * 90,
    contact_email=f"olga@{'example.' * 20}org",
)
def test_entry_and_file_are_byte_for_byte_what_icalendar_writes(
    words: dict[str, Any], starts_at: datetime, lasts: timedelta, site_name: str, contact_email: str
) -> None:
    event = celebration(**words, starts_at=starts_at, ends_at=starts_at + lasts, contact_email="")
    assert entry_text(event, links=LINKS) == vevent(event, links=LINKS, in_feed=True).to_ical()
    site = {"site_name": site_name, "contact_email": contact_email}
    assert event_file(event, links=LINKS, **site) == by_icalendar(event, **site)


@pytest.mark.parametrize("online_url", ["", "https://meet.example/x"])
def test_place_is_the_same_too(online_url: str) -> None:
    event: Event = celebration(online_url=online_url, location_name="", location_address="")
    assert entry_text(event, links=LINKS) == vevent(event, links=LINKS, in_feed=True).to_ical()


@given(
    name=WORDS.map(one_line).filter(bool),
    about=WORDS.map(one_line).filter(bool),
    path=st.text("abc/?=&%-", max_size=200),
    changed_at=st.none() | MOMENTS,
)
def test_head_of_a_feed_is_byte_for_byte_what_icalendar_writes(
    name: str, about: str, path: str, changed_at: datetime | None
) -> None:
    source, page = LINKS.absolute(f"/calendar.ics{path}"), LINKS.absolute(f"/{path}")
    made = calendar()
    for key, text in (("NAME", name), ("X-WR-CALNAME", name), ("DESCRIPTION", about), ("X-WR-CALDESC", about)):
        made.add(key, Text(text))
    made.add("REFRESH-INTERVAL", vDuration(HOUR, params={"VALUE": "DURATION"}))
    made.add("X-PUBLISHED-TTL", vDuration(HOUR))
    made.add("SOURCE", vUri(source, params={"VALUE": "URI"}))
    made.add("URL", vUri(page))
    if changed_at is not None:
        made.add("LAST-MODIFIED", changed_at.replace(microsecond=0))
    head = calendar_head(name=name, about=about, source=source, page=page, changed_at=changed_at)
    assert head + END == made.to_ical()

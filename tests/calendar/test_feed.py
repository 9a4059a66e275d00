from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from eventreg.calendar import feed
from eventreg.calendar.feed import Selection
from eventreg.events.models import Event
from tests.support.calendars import LINKS, celebration, entries, parsed

MakeEvent = Callable[..., Event]
GOLDEN = Path(__file__).parent / "golden" / "feed.ics"


def feed_bytes(session: Session, now: datetime, **chosen: str) -> bytes:
    selection = Selection(**chosen)
    found = feed.read(session, selection, now=now)
    return feed.build(found, selection, links=LINKS, site_name="Community events")


def titles(session: Session, now: datetime, **chosen: str) -> list[str]:
    return [str(entry["SUMMARY"]) for entry in entries(feed_bytes(session, now, **chosen))]


def as_given(event: Event) -> dict[str, object]:
    columns = ("uid", "slug", "title", "summary", "description", "starts_at", "ends_at", "category", "sequence",
               "created_at", "updated_at")  # fmt: skip
    return {name: getattr(event, name) for name in columns}


def test_feed_is_byte_for_byte_what_it_was(session: Session, make_event: MakeEvent, now: datetime) -> None:
    first = celebration()
    second = celebration(
        uid="0a4b7a5e-0000-4000-8000-000000000002@events.example.org",
        slug="open-house",
        title="Open house, éclairs; 李 🎉",
        starts_at=first.starts_at - timedelta(days=3, hours=15),
        ends_at=first.starts_at - timedelta(days=1, hours=15),
    )
    make_event(**as_given(first))
    make_event(**as_given(second), all_day=True, status="cancelled")
    content = feed_bytes(session, now)
    assert content == GOLDEN.read_bytes()
    assert content == feed_bytes(session, now)
    assert len(entries(content)) == 2


def test_feed_has_the_header_subscribers_need(session: Session, make_event: MakeEvent, now: datetime) -> None:
    make_event(category="Talks")
    content = feed_bytes(session, now, category="talks")
    calendar = parsed(content)
    assert calendar["NAME"] == calendar["X-WR-CALNAME"] == "Community events: Talks"
    assert calendar["DESCRIPTION"] == calendar["X-WR-CALDESC"]
    for line in (
        b"REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n",
        b"X-PUBLISHED-TTL:PT1H\r\n",
        b"SOURCE;VALUE=URI:https://events.example.org/calendar.ics?category=talks\r\n",
        b"LAST-MODIFIED:20261005T160000Z\r\n",
    ):
        assert line in content
    header = content[: content.index(b"BEGIN:VEVENT")]
    assert b"\nUID:" not in header
    for name in (b"METHOD", b"ATTENDEE", b"ORGANIZER", b"VALARM"):
        assert name not in content


def test_empty_feed_is_a_calendar_without_events(session: Session, now: datetime) -> None:
    content = feed_bytes(session, now)
    assert entries(content) == []
    assert parsed(content)["NAME"] == "Community events"


@pytest.mark.parametrize(
    ("given", "listed"),
    [
        ({}, True),
        ({"status": "draft"}, False),
        ({"visibility": "unlisted"}, False),
        ({"visibility": "private"}, False),
        ({"status": "cancelled"}, True),
    ],
)
def test_only_public_events_that_are_no_drafts_are_in_the_feed(
    session: Session, make_event: MakeEvent, now: datetime, given: dict[str, str], listed: bool
) -> None:
    make_event(**given)
    assert bool(titles(session, now)) is listed


@pytest.mark.parametrize(
    ("days", "listed"), [(-182, False), (-179, True), (-1, True), (0, True), (540, True), (550, False)]
)
def test_feed_reaches_from_180_days_back_to_18_months_ahead(
    session: Session, make_event: MakeEvent, now: datetime, days: int, listed: bool
) -> None:
    make_event(starts_at=now + timedelta(days=days))
    assert bool(titles(session, now)) is listed


def test_long_event_that_began_before_the_window_is_still_in_it(
    session: Session, make_event: MakeEvent, now: datetime
) -> None:
    make_event(title="Exhibition", starts_at=now - timedelta(days=300), ends_at=now + timedelta(days=30))
    assert titles(session, now) == ["Exhibition"]


def test_cancelled_event_stays_with_its_uid_until_its_day_has_passed(
    session: Session, make_event: MakeEvent, now: datetime
) -> None:
    event = make_event(title="Talk", status="cancelled", starts_at=now + timedelta(days=2))
    (only,) = entries(feed_bytes(session, now))
    assert (only["UID"], only["STATUS"], only["SUMMARY"]) == (event.uid, "CANCELLED", "Cancelled: Talk")
    assert titles(session, now + timedelta(days=4)) == []


def test_category_audience_and_search_narrow_the_feed(session: Session, make_event: MakeEvent, now: datetime) -> None:
    make_event(title="Café talk", category="Talks & Lectures", audience="alumni, staff")
    make_event(title="Picnic", category="Activities", audience="students", starts_at=now + timedelta(days=31))
    assert titles(session, now, category="talks-lectures") == ["Café talk"]
    assert titles(session, now, category="Talks & Lectures") == ["Café talk"]
    assert titles(session, now, audience="students") == ["Picnic"]
    assert titles(session, now, q="cafe TALK") == ["Café talk"]
    assert titles(session, now, category="activities", q="cafe") == []
    assert titles(session, now, category="nothing of the kind") == []
    assert titles(session, now, q="%") == []
    assert titles(session, now, category="\x00") == ["Café talk", "Picnic"]


def test_join_link_is_never_in_the_feed(session: Session, make_event: MakeEvent, now: datetime) -> None:
    make_event(online_url="https://meet.example/secret", location_name="", location_address="")
    content = feed_bytes(session, now)
    assert b"meet.example" not in content.replace(b"\r\n ", b"")
    assert b"LOCATION:Online\r\n" in content


def test_bytes_change_with_every_event_and_with_the_address_and_not_with_a_window_that_drops_none(
    session: Session, make_event: MakeEvent, now: datetime
) -> None:
    seen = [feed_bytes(session, now)]
    event = make_event()
    seen.append(feed_bytes(session, now))
    other = make_event(title="Another", starts_at=now + timedelta(days=40))
    seen.append(feed_bytes(session, now))
    other.title = "Another title"
    session.commit()
    seen.append(feed_bytes(session, now))
    event.visibility = "unlisted"
    session.commit()
    seen.append(feed_bytes(session, now))
    seen.append(feed_bytes(session, now, category="talks"))
    assert len(set(seen)) == len(seen)
    assert feed_bytes(session, now) == feed_bytes(session, now + timedelta(days=30))


def test_event_withdrawn_from_the_feed_moves_its_date(session: Session, make_event: MakeEvent, now: datetime) -> None:
    make_event()
    gone = make_event(title="Gone")
    before = feed.last_modified(session, now=now)
    gone.visibility = "private"
    gone.updated_at = now + timedelta(minutes=5)
    session.commit()
    assert feed.last_modified(session, now=now) > before


def test_feed_is_in_the_order_of_time(session: Session, make_event: MakeEvent, now: datetime) -> None:
    for days in (3, 1, 2):
        make_event(title=f"Day {days}", starts_at=now + timedelta(days=days))
    assert titles(session, now) == ["Day 1", "Day 2", "Day 3"]

"""Events that need no database, and how calendar bytes are looked at."""

from datetime import UTC, datetime
from typing import Any

from icalendar import Calendar
from icalendar import Event as VEvent

from eventreg.events.models import Event
from eventreg.links import Links
from eventreg.registrations.models import Registration
from tests.support.making import BASE_URL, SECRET_KEY

LINKS = Links(BASE_URL, SECRET_KEY)
STAMP = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)
SITE = {"site_name": "Community events", "contact_email": "events@example.org"}
MAILBOX = "rsvp@example.org"


def celebration(**given: Any) -> Event:
    """The anniversary on Monday, October 19, 2026, 3 PM in Boston, as a row would hold it."""
    values: dict[str, Any] = {
        "id": 1,
        "uid": "5f0c1f0e-3f0e-4c53-9a5e-6b1f9d1f7a10@events.example.org",
        "slug": "a-day-of-reflection",
        "title": "A day of reflection",
        "summary": "Twenty years, and what comes next.",
        "description": "## Program\n\n- **3 PM** Welcome\n- 4 PM [Panel](https://example.org/panel)\n",
        "starts_at": datetime(2026, 10, 19, 19, 0, tzinfo=UTC),
        "ends_at": datetime(2026, 10, 19, 22, 0, tzinfo=UTC),
        "timezone": "America/New_York",
        "all_day": False,
        "location_name": "TMEC Amphitheater",
        "location_address": "260 Longwood Ave, Boston MA",
        "directions": "",
        "online_url": "",
        "contact_email": "olga@example.org",
        "category": "Celebrations",
        "status": "published",
        "visibility": "public",
        "sequence": 2,
        "created_at": datetime(2026, 9, 1, 12, 0, tzinfo=UTC),
        "updated_at": datetime(2026, 9, 20, 9, 30, 15, tzinfo=UTC),
    }
    return Event(**values | given)


def amira(**given: Any) -> Registration:
    """Amira's confirmed yes to it."""
    values: dict[str, Any] = {
        "id": 7,
        "event_id": 1,
        "name": "Amira Haddad",
        "email": "amira@example.org",
        "email_key": "amira@example.org",
        "rsvp": "yes",
        "status": "confirmed",
        "party_size": 2,
        "link_generation": 1,
        "created_at": STAMP,
        "updated_at": STAMP,
    }
    return Registration(**values | given)


def parsed(content: bytes) -> Calendar:
    """The calendar; fails unless every line is as RFC 5545 section 3.1 wants it."""
    assert content.endswith(b"END:VCALENDAR\r\n")
    for line in content.removesuffix(b"\r\n").split(b"\r\n"):
        assert len(line) <= 75, line
        assert b"\r" not in line
        assert b"\n" not in line
        line.decode()  # no character is split
    calendar = Calendar.from_ical(content)
    assert isinstance(calendar, Calendar)
    assert [error for entry in calendar.walk() for error in entry.errors] == []
    return calendar


def entries(content: bytes) -> list[VEvent]:
    """Its events, in order."""
    return list(parsed(content).walk("VEVENT"))


def entry(content: bytes) -> VEvent:
    """Its only event."""
    (only,) = entries(content)
    return only


def values(component: VEvent) -> dict[str, str]:
    """Its properties as they stand in the file, without parameters."""
    return {name: value.to_ical().decode() for name, value in component.property_items(recursive=False)[1:-1]}


def unfolded(content: bytes) -> str:
    """The text with its folded lines joined, to look for a word in."""
    return content.decode().replace("\r\n ", "")

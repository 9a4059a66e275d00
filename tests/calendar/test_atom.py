from collections.abc import Callable
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

from sqlalchemy.orm import Session

from eventreg.calendar import atom
from eventreg.calendar.feed import Selection
from eventreg.events.models import Event
from tests.support.calendars import LINKS, celebration

A = {"a": "http://www.w3.org/2005/Atom"}


def build(*events: Event, **chosen: str) -> bytes:
    return atom.build(events, Selection(**chosen), links=LINKS, site_name="Community events")


def test_feed_has_what_rfc_4287_requires() -> None:
    root = ET.fromstring(build(celebration(), category="Celebrations"))
    assert root.tag == "{http://www.w3.org/2005/Atom}feed"
    assert root.findtext("a:id", namespaces=A) == "https://events.example.org/feed.atom?category=celebrations"
    assert root.findtext("a:title", namespaces=A) == "Community events: Celebrations"
    assert root.findtext("a:updated", namespaces=A) == "2026-09-20T09:30:15Z"
    assert root.findtext("a:author/a:name", namespaces=A) == "Community events"
    links = {link.get("rel"): link.get("href") for link in root.findall("a:link", A)}
    assert links == {
        "self": "https://events.example.org/feed.atom?category=celebrations",
        "alternate": "https://events.example.org/events/",
    }


def test_entry_tells_what_when_and_where() -> None:
    (entry,) = ET.fromstring(build(celebration())).findall("a:entry", A)
    assert entry.findtext("a:title", namespaces=A) == "A day of reflection"
    assert entry.findtext("a:id", namespaces=A) == "urn:uuid:0dd33786-2971-5d76-87a1-4eb869925344"
    assert entry.findtext("a:updated", namespaces=A) == "2026-09-20T09:30:15Z"
    assert entry.findtext("a:published", namespaces=A) == "2026-09-01T12:00:00Z"
    assert entry.findtext("a:summary", namespaces=A) == (
        "Monday, October 19, 2026, 3:00-6:00 PM EDT (Eastern Time)\n"
        "TMEC Amphitheater, 260 Longwood Ave, Boston MA\nTwenty years, and what comes next."
    )
    assert entry.findtext("a:content", namespaces=A) == (
        "Program\n\n- 3 PM Welcome\n- 4 PM Panel (https://example.org/panel)"
    )
    assert [category.get("term") for category in entry.findall("a:category", A)] == ["Celebrations"]


def test_hostile_text_stays_text_and_the_document_well_formed() -> None:
    title = "<script>\x00 & ]]> \ud800\ufffe é 李 🎉"
    (entry,) = ET.fromstring(build(celebration(title=title, summary=title, category='"<')))[6:]
    assert entry.findtext("a:title", namespaces=A) == "<script> & ]]> é 李 🎉"


def test_same_events_give_the_same_bytes_and_none_a_valid_feed() -> None:
    assert build(celebration()) == build(celebration())
    assert ET.fromstring(build()).findtext("a:updated", namespaces=A) == "2000-01-01T00:00:00Z"


def test_feed_lists_public_events_to_come_the_latest_changed_first(
    session: Session, make_event: Callable[..., Event], now: datetime
) -> None:
    make_event(title="Older", updated_at=now - timedelta(days=2))
    make_event(title="Newer", updated_at=now - timedelta(days=1))
    make_event(title="Over", starts_at=now - timedelta(days=9))
    make_event(title="Draft", status="draft")
    make_event(title="Unlisted", visibility="unlisted")
    assert [event.title for event in atom.read(session, Selection(), now=now)] == ["Newer", "Older"]

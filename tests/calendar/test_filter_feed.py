"""Any filter of the list is a calendar to subscribe to, and is called what it holds."""

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from eventreg.events.models import Event
from tests.support.calendars import entries, parsed, unfolded
from tests.support.html import Page

MakeEvent = Callable[..., Event]


@pytest.fixture
def some(make_event: MakeEvent, now: datetime) -> None:
    """Three events on October 6, 7 and 8 in New York, the second late in the evening."""
    given = {"category": "Talks & Lectures", "audience": "All staff, Alumni"}
    make_event(title="Tea talk", starts_at=now + timedelta(days=1), **given)
    evening = now + timedelta(days=2, hours=10, minutes=30)  # 10:30 PM, the next day in UTC
    make_event(title="Night talk", starts_at=evening, ends_at=evening + timedelta(hours=1), **given)
    make_event(title="Tea party", starts_at=now + timedelta(days=3), category="Activities", audience="Students")


def titles(client: FlaskClient, query: str) -> list[str]:
    return [str(one["SUMMARY"]) for one in entries(client.get(f"/calendar.ics?{query}").data)]


@pytest.mark.parametrize(
    ("query", "expected", "name"),
    [
        ("", ["Tea talk", "Night talk", "Tea party"], "Community events"),
        ("category=talks-lectures", ["Tea talk", "Night talk"], "Community events: Talks & Lectures"),
        ("audience=all-staff", ["Tea talk", "Night talk"], "Community events: for All staff"),
        ("audience=Students&q=tea", ["Tea party"], "Community events: for Students, “tea”"),
        ("from=2026-10-07", ["Night talk", "Tea party"], "Community events: from Wednesday, October 7, 2026"),
        ("to=2026-10-07", ["Tea talk", "Night talk"], "Community events: until Wednesday, October 7, 2026"),
        ("from=2026-10-08&to=2026-10-08&q=tea", ["Tea party"], None),
        ("from=2026-10-09&to=2026-10-01", [], None),
        ("from=soon&to=0000-00-00&category=activities", ["Tea party"], "Community events: Activities"),
    ],
)
def test_filter_narrows_the_feed_as_it_narrows_the_list(
    client: FlaskClient, some: None, query: str, expected: list[str], name: str | None
) -> None:
    assert titles(client, query) == expected
    content = client.get(f"/calendar.ics?{query}").data
    parsed(content)
    if name is not None:
        written = name.replace(",", "\\,")
        assert f"\r\nNAME:{written}\r\nX-WR-CALNAME:{written}\r\n" in unfolded(content)
    listed = Page.of(client.get(f"/events/?{query}"))
    if "soon" not in query:
        assert [title for title in ("Tea talk", "Night talk", "Tea party") if title in listed.text] == expected


def test_two_spellings_of_a_filter_are_one_calendar(client: FlaskClient, some: None) -> None:
    sources = {
        unfolded(client.get(f"/calendar.ics?{query}").data).partition("SOURCE;VALUE=URI:")[2].partition("\r\n")[0]
        for query in ("q=TEA&from=2026-10-07&category=activities", "category=Activities&from=2026-10-07&q=tea&to=")
    }
    assert sources == {"https://events.example.org/calendar.ics?category=activities&q=tea&from=2026-10-07"}


def test_list_leads_to_the_calendar_of_its_filter(client: FlaskClient, some: None) -> None:
    query = "q=tea&category=activities&audience=students&from=2026-10-06&to=2026-10-30"
    page = Page.of(client.get(f"/events/?{query}&page=1"))
    subscribe = Page.of(client.get(page.link("Subscribe to this filter")))
    assert "matching “tea”, in Activities, for Students, from Tuesday, October 6, 2026" in subscribe.text
    webcal = urlsplit(subscribe.link("Open in my calendar"))
    assert (webcal.scheme, webcal.path) == ("webcal", "/calendar.ics")
    assert parse_qs(webcal.query) == {name: [value] for name, value in (one.split("=") for one in query.split("&"))}
    assert titles(client, webcal.query) == ["Tea party"]
    google = parse_qs(urlsplit(subscribe.link("Add to Google Calendar")).query)
    assert google == {"cid": [webcal.geturl()]}
    outlook = parse_qs(urlsplit(subscribe.link("Add to Outlook.com")).query)
    assert outlook["url"] == [webcal.geturl().replace("webcal:", "https:")]
    assert outlook["name"][0].startswith("Community events: Activities, for Students, “tea”, from ")


def test_what_no_event_names_is_said_and_left_out(client: FlaskClient, some: None) -> None:
    page = Page.of(client.get("/subscribe?category=nowhere&audience=nobody&q=tea&from=soon"))
    for words in ("no category called “nowhere”", "no audience called “nobody”", "“From” was left out"):
        assert words in page.text
    assert urlsplit(page.link("Open in my calendar")).query == "q=tea"

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from eventreg.events.models import Event
from tests.support.html import Page

MakeEvent = Callable[..., Event]


def shown(response: Any) -> list[str]:
    """The titles of a list, as links to event pages, in order and once each."""
    links = [text for href, text in Page.of(response).links if re.fullmatch(r"/events/[^/?]+", href)]
    return list(dict.fromkeys(links))


@pytest.mark.parametrize("address", ["/", "/events/"])
def test_list_says_when_where_and_what_is_left(client: FlaskClient, make_event: MakeEvent, address: str) -> None:
    make_event(
        title="The anniversary",
        starts_at=datetime(2026, 10, 19, 19, 0, tzinfo=UTC),
        ends_at=datetime(2026, 10, 19, 22, 0, tzinfo=UTC),
        capacity=80,
        seats_taken=68,
        category="Celebrations",
    )
    response = client.get(address)
    page = Page.of(response)
    assert (
        "The anniversary, Monday, October 19, 2026, 3:00–6:00 PM EDT, 12 of 80 places left "
        "3:00–6:00 PM EDT·TMEC Amphitheater Celebrations12 of 80 places left"
    ) in page.text
    assert "Monday, October 19, 2026" in page.text.split("The anniversary")[0]
    assert page.link("The anniversary") == "/events/the-anniversary"
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"status": "cancelled"}, "Cancelled"),
        ({"capacity": 2, "seats_taken": 2}, "Full, waitlist open"),
        ({"capacity": 2, "seats_taken": 2, "waitlist_open": False}, "Full"),
        ({"registration_closes_at": datetime(2026, 10, 1, tzinfo=UTC)}, "Registration is closed"),
        (
            {"registration_opens_at": datetime(2026, 10, 12, 13, tzinfo=UTC)},
            "Registration opens Mon, Oct 12, 9:00 AM EDT",
        ),
    ],
)
def test_list_says_the_status_in_words(
    client: FlaskClient, make_event: MakeEvent, given: dict[str, Any], said: str
) -> None:
    make_event(title="Tea", **given)
    assert f"Wednesday, November 4, 2026, 11:00 AM–1:00 PM EST, {said}" in Page.of(client.get("/events/")).text


@pytest.mark.parametrize("address", ["/", "/events/", "/calendar/2026/11", "/events/?past=1", "/events/?q=tea"])
@pytest.mark.parametrize(
    "given",
    [{"status": "draft"}, {"visibility": "unlisted"}, {"visibility": "private"}],
    ids=["draft", "unlisted", "private"],
)
def test_hidden_event_is_on_no_list(
    client: FlaskClient, make_event: MakeEvent, given: dict[str, str], address: str
) -> None:
    make_event(title="Tea", category="Hidden things", **given)
    page = Page.of(client.get(address))
    assert "Tea" not in [text for _, text in page.links]
    assert "Hidden things" not in page.text


def test_filters_stay_in_the_address_from_page_to_page(client: FlaskClient, make_event: MakeEvent) -> None:
    for _ in range(21):
        make_event(title="Tea talk", category="Talks", audience=("Staff",))
    address = "/events/?q=tea&category=talks&audience=staff&from=2026-10-06&to=2026-12-31"
    first = Page.of(client.get(address))
    second = Page.of(client.get(first.link("Next")))
    kept = {"q": ["tea"], "category": ["talks"], "audience": ["staff"], "from": ["2026-10-06"], "to": ["2026-12-31"]}
    following = parse_qs(urlsplit(first.link("Next")).query)
    assert len(following.pop("after")) == 1
    assert following == kept | {"page": ["2"]}
    assert "Tea talk" in second.text
    assert parse_qs(urlsplit(second.link("Previous")).query) == kept
    form = second.form("q", "category")
    assert dict(form.data()) == {name: values[0] for name, values in kept.items()}


@pytest.mark.parametrize(
    ("query", "month"),
    [
        ("", "2026/11"),
        ("?q=walk", "2026/12"),
        ("?from=2027-01-05", "2027/01"),
        ("?past=1", "2026/09"),
        ("?q=no", "2026/10"),
    ],
)
def test_month_beside_the_list_is_that_of_its_first_row(
    client: FlaskClient, make_event: MakeEvent, query: str, month: str
) -> None:
    for title, starts_at in (
        ("Tea", datetime(2026, 11, 4, 17, tzinfo=UTC)),
        ("Walk", datetime(2026, 12, 9, 17, tzinfo=UTC)),
        ("Past tea", datetime(2026, 9, 9, 17, tzinfo=UTC)),
    ):
        make_event(title=title, starts_at=starts_at)
    page = Page.of(client.get(f"/events/{query}"))
    leads = [href for href, text in page.links if "See as a month" in text or text.endswith(("2026", "2027"))]
    assert [urlsplit(href).path for href in leads] == [f"/calendar/{month}"] * 2


def test_search_form_finds_and_says_what_it_looked_for(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(title="Café <b>talk</b>")
    make_event(title="Walk")
    page = Page.of(client.get("/"))
    found = page.submit(client, page.form("q").set(q="cafe"))
    assert shown(found) == ["Café <b>talk</b>"]
    assert "1 event, matching “cafe”" in Page.of(found).text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("category=nowhere", "There is no category called “nowhere”."),
        ("audience=nobody", "There is no audience called “nobody”."),
        ("from=yesterday", "“From” was left out: “yesterday” is not a date between 1970 and 2199 like 2026-10-19."),
        ("to=2026-02-30", "“To” was left out: “2026-02-30” is not a date between 1970 and 2199 like 2026-10-19."),
        ("from=0000-01-01", "“From” was left out"),
        ("from=9999-12-31", "“From” was left out"),
        ("to=9999-12-31", "“To” was left out"),
        ("from=20261019", "“From” was left out"),
        ("from=2026-10-20&to=2026-10-19", "“To” is a day before “From”, so no event lies between them."),
        ("page=two", "“two” is not the number of a page, so this is the first."),
        ("page=-1", "“-1” is not the number of a page, so this is the first."),
        ("page=0", "“0” is not the number of a page"),
        ("page=99", "There is only 1 page"),
        ("page=99999999999999999999", "There is only 1 page"),
        ("page=" + "9" * 5000, "is not the number of a page"),
        ("past=perhaps", "“Past events” was left out: “perhaps” is neither yes nor no."),
        ("q=zebra", "No event fits all of that"),
        ("q=%00zebra%00", "No event fits all of that"),
        ("category=%00%ff%ed%a0%80", "There is no category called"),
        ("from=%00", "1 event"),
        ("q=" + "x" * 6000, "No event fits all of that"),
        ("q=%25", "No event fits all of that"),
        ("page=١", "is not the number of a page"),
    ],
)
def test_filter_that_makes_no_sense_is_named_and_a_way_back_is_there(
    client: FlaskClient, make_event: MakeEvent, query: str, said: str
) -> None:
    make_event(title="Tea")
    response = client.get(f"/events/?{query}")
    assert response.status_code == 200
    page = Page.of(response)
    assert said in page.text
    if said != "1 event":
        back = "Go to the last page" if said.startswith("There is only") else "Clear all filters"
        assert shown(client.get(page.link(back))) == ["Tea"]


def test_empty_list_says_what_to_loosen(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(title="Tea", category="Talks")
    make_event(title="Walk", category="Walks", starts_at=datetime(2026, 9, 1, tzinfo=UTC))
    page = Page.of(client.get("/events/?q=walk&category=talks"))
    assert shown(client.get(page.link("Search for something other"))) == ["Tea"]
    assert "/events/?q=walk" in page.link("Look in all categories")
    assert shown(client.get("/events/?q=walk&past=1")) == ["Walk"]


def test_empty_site_says_so(client: FlaskClient) -> None:
    assert "Nothing is planned yet" in Page.of(client.get("/")).text


def test_what_began_on_an_earlier_day_stands_first_as_under_way(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(
        title="Festival",
        starts_at=datetime(2026, 10, 4, 4, 0, tzinfo=UTC),
        ends_at=datetime(2026, 10, 7, 4, 0, tzinfo=UTC),
        all_day=True,
    )
    make_event(title="Tea", starts_at=datetime(2026, 10, 5, 20, 0, tzinfo=UTC))
    text = Page.of(client.get("/events/")).text
    assert (
        text.index("Under way")
        < text.index("Festival")
        < text.index("Monday, October 5, 2026 Today")
        < text.index("Tea")
    )


def test_month_is_a_table_of_days_with_their_events(client: FlaskClient, make_event: MakeEvent) -> None:
    day = datetime(2026, 10, 19, 13, 0, tzinfo=UTC)
    for hour in range(5):
        make_event(title=f"Talk {hour}", starts_at=day + timedelta(hours=hour), category="Talks")
    start = datetime(2026, 10, 21, 4, 0, tzinfo=UTC)
    make_event(title="Festival", starts_at=start, ends_at=start + timedelta(days=2), all_day=True)
    make_event(title="Concert", starts_at=datetime(2026, 10, 30, 23, 0, tzinfo=UTC), status="cancelled")
    page = Page.of(client.get("/calendar/2026/10"))
    grid, _, rows = page.text.partition("Monday, October 19, 2026 Oct 19 Mon")
    assert "Events in October 2026, a row for each week SunMonTueWedThuFriSat" in grid
    assert (
        "19 9:00 AM EDT Talk 0 10:00 AM EDT Talk 1 11:00 AM EDT Talk 2 +2 more on Monday, October 19, 2026 20" in grid
    )
    assert "21 All day Festival 22 All day Festival 23" in grid
    assert "30 Cancelled Concert 31" in grid
    assert [rows.count(f"Talk {hour}, Monday, October 19, 2026") for hour in range(5)] == [1, 1, 1, 1, 1]
    assert shown(client.get(page.link("+2 more"))) == [f"Talk {hour}" for hour in range(5)]


def test_month_keeps_the_filters_and_leads_to_its_neighbours(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(title="Tea", category="Talks", starts_at=datetime(2026, 12, 5, 15, 0, tzinfo=UTC))
    make_event(title="Walk", category="Walks", starts_at=datetime(2026, 12, 6, 15, 0, tzinfo=UTC))
    page = Page.of(client.get("/calendar/2026/12?category=talks"))
    assert "Tea" in page.text
    assert "Walk " not in page.text.replace("Walks", "")
    assert page.link("November 2026") == "/calendar/2026/11?category=talks"
    assert page.link("January 2027") == "/calendar/2027/01?category=talks"


def test_calendar_leads_to_the_present_month(client: FlaskClient) -> None:
    response = client.get("/calendar?category=talks&page=3")
    assert (response.status_code, response.headers["Location"]) == (302, "/calendar/2026/10?category=talks")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/calendar/1970/01", 200),
        ("/calendar/2199/12", 200),
        ("/calendar/1969/12", 404),
        ("/calendar/2200/01", 404),
        ("/calendar/0000/01", 404),
        ("/calendar/9999/12", 404),
        ("/calendar/2026/00", 404),
        ("/calendar/2026/13", 404),
        ("/calendar/2026/1", 404),
        ("/calendar/99999999999999999999/01", 404),
        ("/calendar/2026/10%00", 404),
        ("/calendar/xxxx/xx", 404),
    ],
)
def test_month_beyond_the_calendar_is_not_there(client: FlaskClient, address: str, status: int) -> None:
    assert client.get(address).status_code == status


def test_subscribe_page_offers_four_ways_for_everything_and_for_a_category(
    client: FlaskClient, make_event: MakeEvent
) -> None:
    make_event(category="Talks & Lectures")
    page = Page.of(client.get("/subscribe"))
    hrefs = [href for href, _ in page.links]
    assert 'value="https://events.example.org/calendar.ics"' in page.html
    assert "webcal://events.example.org/calendar.ics" in hrefs
    assert "https://calendar.google.com/calendar/r?cid=webcal%3A%2F%2Fevents.example.org%2Fcalendar.ics" in hrefs
    assert (
        "https://outlook.live.com/calendar/0/addfromweb"
        "?url=https%3A%2F%2Fevents.example.org%2Fcalendar.ics&name=Community%20events" in hrefs
    )
    assert "Google decides when it looks for changes: often after 8 hours, at times after a day." in page.text
    chosen = client.get(page.link("Talks & Lectures"))
    assert "webcal://events.example.org/calendar.ics?category=talks-lectures" in [h for h, _ in Page.of(chosen).links]
    assert "There is no category called “nowhere”." in Page.of(client.get("/subscribe?category=nowhere")).text


def test_feeds_offered_by_the_subscribe_page_answer(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(title="Tea", category="Talks")
    address = Page.of(client.get("/subscribe?category=talks")).link("Open in my calendar")
    feed = client.get(address.removeprefix("webcal://events.example.org"))
    assert (feed.status_code, b"SUMMARY:Tea" in feed.data) == (200, True)


def test_privacy_page_is_there(client: FlaskClient) -> None:
    assert "As little as lets you into an event" in Page.of(client.get("/privacy")).text

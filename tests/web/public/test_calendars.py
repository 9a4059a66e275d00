import gzip
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from eventreg.events.models import Event
from eventreg.web import qr
from tests.conftest import Clock
from tests.support.calendars import entries, entry, parsed
from tests.support.queries import query_counter

MakeEvent = Callable[..., Event]
FEEDS = ("/calendar.ics", "/calendar.ics?category=talks", "/feed.atom", "/sitemap.xml")


def test_feed_answers_as_a_calendar_without_cookie_or_redirect(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event()
    response = client.get("/calendar.ics")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert "Set-Cookie" not in response.headers
    assert "Content-Encoding" not in response.headers
    tag, weak = response.get_etag()
    assert tag
    assert not weak
    assert len(entries(response.data)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept": "application/json"},
        {"Accept": "image/png"},
        {"Authorization": "Bearer stray"},
        {"Authorization": "Basic b2xnYTp4"},
        {"Cookie": "session=broken; remember_token=x"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_feed_does_not_mind_what_else_is_asked(
    client: FlaskClient, make_event: MakeEvent, headers: dict[str, str], method: str
) -> None:
    make_event()
    plain = client.get("/calendar.ics")
    response = client.open("/calendar.ics", method=method, headers=headers)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert response.headers["ETag"] == plain.headers["ETag"]
    assert response.content_length == len(plain.data)
    assert response.data == (plain.data if method == "GET" else b"")


@pytest.mark.parametrize("path", FEEDS)
def test_unchanged_feed_answers_304_and_a_changed_one_200(
    client: FlaskClient, session: Session, make_event: MakeEvent, path: str, clock: Clock
) -> None:
    event = make_event(category="Talks")
    first = client.get(path)
    for asked in (
        {"If-None-Match": first.headers["ETag"]},
        {"If-None-Match": f'"other", W/{first.headers["ETag"]}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ):
        again = client.get(path, headers=asked)
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert "Content-Type" not in again.headers
    clock.now += timedelta(minutes=1)
    event = session.get_one(Event, event.id)
    event.title, event.updated_at = "Another title", clock.now
    session.commit()
    for asked in ({"If-None-Match": first.headers["ETag"]}, {"If-Modified-Since": first.headers["Last-Modified"]}):
        changed = client.get(path, headers=asked)
        assert changed.status_code == 200
        assert changed.headers["ETag"] != first.headers["ETag"]
        if path != "/sitemap.xml":
            assert b"Another title" in changed.data


@pytest.mark.parametrize("path", FEEDS[:3])
def test_compressed_feed_holds_the_same_and_has_its_own_tag_that_is_known_again(
    client: FlaskClient, make_event: MakeEvent, path: str
) -> None:
    make_event(category="Talks", description="Words. " * 100)
    plain = client.get(path)
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    for response in (plain, packed):
        asked = {"Accept-Encoding": "gzip", "If-None-Match": response.headers["ETag"]}
        assert client.get(path, headers=asked).status_code == 304


def test_feed_follows_an_edit_on_the_next_request(client: FlaskClient, session: Session, make_event: MakeEvent) -> None:
    event = make_event(title="Before")
    assert entry(client.get("/calendar.ics").data)["SUMMARY"] == "Before"
    session.get_one(Event, event.id).title = "After"
    session.commit()
    assert entry(client.get("/calendar.ics").data)["SUMMARY"] == "After"


def test_feed_never_outlives_the_window_unnoticed(client: FlaskClient, make_event: MakeEvent, clock: Clock) -> None:
    make_event(starts_at=clock.now - timedelta(days=179, hours=12))
    first = client.get("/calendar.ics")
    clock.now += timedelta(days=2)
    for asked in ({"If-None-Match": first.headers["ETag"]}, {"If-Modified-Since": first.headers["Last-Modified"]}):
        later = client.get("/calendar.ics", headers=asked)
        assert later.status_code == 200
        assert entries(later.data) == []


@pytest.mark.parametrize(
    "query",
    ["category=%00", "category=unknown", f"q={'a+' * 3000}", f"category={'x' * 3000}", "q=%ED%A0%80", "audience=%25"],
)
def test_odd_filters_give_a_valid_calendar(client: FlaskClient, make_event: MakeEvent, query: str) -> None:
    make_event()
    response = client.get(f"/calendar.ics?{query}")
    assert response.status_code == 200
    parsed(response.data)
    assert ET.fromstring(client.get(f"/feed.atom?{query}").data) is not None


def test_event_file_is_a_publication_to_save(client: FlaskClient, make_event: MakeEvent) -> None:
    event = make_event(title="Zoë’s “talk”: 李/🎉", slug="zoe-s-talk", contact_email="olga@example.org")
    response = client.get("/events/zoe-s-talk.ics")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8; method=PUBLISH"
    assert response.headers["Content-Disposition"] == (
        'attachment; filename="zoe-s-talk.ics"; '
        "filename*=UTF-8''Zo%C3%AB%E2%80%99s%20%E2%80%9Ctalk%E2%80%9D-%20%E6%9D%8E-%F0%9F%8E%89.ics"
    )
    assert parsed(response.data)["METHOD"] == "PUBLISH"
    only = entry(response.data)
    assert (only["UID"], only["SUMMARY"], str(only["ORGANIZER"])) == (event.uid, event.title, "mailto:olga@example.org")
    assert "ATTENDEE" not in only
    again = client.get("/events/zoe-s-talk.ics", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304
    assert "Set-Cookie" not in response.headers


@pytest.mark.sqlite_only
def test_site_contact_given_with_a_name_is_an_address_alone(
    make_app: Callable[..., Flask], make_client: Callable[..., FlaskClient], make_event: MakeEvent
) -> None:
    client = make_client(make_app(CONTACT_EMAIL="Community Office <office@example.org>"))
    make_event(slug="talk", contact_email="")
    assert str(entry(client.get("/events/talk.ics").data)["ORGANIZER"]) == "mailto:office@example.org"


@pytest.mark.parametrize(
    ("given", "file", "listed"),
    [
        ({}, 200, True),
        ({"visibility": "unlisted"}, 200, False),
        ({"visibility": "private"}, 404, False),
        ({"status": "draft"}, 404, False),
        ({"status": "cancelled"}, 200, True),
    ],
)
def test_visibility_is_the_same_rule_everywhere(
    client: FlaskClient, make_event: MakeEvent, given: dict[str, Any], file: int, listed: bool
) -> None:
    make_event(slug="the-event", **given)
    response = client.get("/events/the-event.ics")
    assert response.status_code == file
    assert response.headers.get("X-Robots-Tag") == ("noindex" if given == {"visibility": "unlisted"} else None)
    for path in ("/calendar.ics", "/feed.atom", "/sitemap.xml"):
        assert (b"/events/the-event" in client.get(path).data.replace(b"\r\n ", b"")) is listed


@pytest.mark.parametrize("slug", ["nothing", "%00", "a" * 3000, "..", "%F0%9F%8E%89", "x.ics"])
def test_unknown_event_file_is_not_found(client: FlaskClient, make_event: MakeEvent, slug: str) -> None:
    make_event()
    assert client.get(f"/events/{slug}.ics").status_code == 404


def test_past_events_stay_in_the_feed_the_day_after_the_last(
    client: FlaskClient, make_event: MakeEvent, clock: Clock
) -> None:
    make_event(starts_at=clock.now)
    clock.now += timedelta(days=1)
    assert len(entries(client.get("/calendar.ics").data)) == 1


def test_atom_feed_says_what_it_is(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(title="A <b>talk</b> & more")
    response = client.get("/feed.atom")
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    title = ET.fromstring(response.data).findtext("{*}entry/{*}title")
    assert title == "A <b>talk</b> & more"


def test_robots_may_fetch_every_calendar(client: FlaskClient) -> None:
    lines = client.get("/robots.txt").text.splitlines()
    assert "Sitemap: https://events.example.org/sitemap.xml" in lines
    closed = [line.partition(": ")[2] for line in lines if line.startswith("Disallow")]
    assert closed == ["/organize/", "/auth/", "/api/"]


def test_sitemap_lists_public_events_with_their_last_change(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(slug="talk")
    root = ET.fromstring(client.get("/sitemap.xml").data)
    assert [(url.findtext("{*}loc"), url.findtext("{*}lastmod")) for url in root] == [
        ("https://events.example.org/events/", None),
        ("https://events.example.org/events/talk", "2026-10-05T16:00:00Z"),
    ]


def test_addresses_come_from_the_settings_never_from_the_host_header(
    client: FlaskClient, make_event: MakeEvent
) -> None:
    make_event(slug="talk")
    for path in (*FEEDS, "/events/talk.ics", "/robots.txt"):
        assert b"evil" not in client.get(path, headers={"Host": "evil.example"}).data


@pytest.mark.parametrize("path", FEEDS)
def test_feed_is_made_once_and_then_costs_one_statement_that_reads_no_entry(
    client: FlaskClient, make_event: MakeEvent, path: str
) -> None:
    make_event(category="Talks")
    first = client.get(path)
    for headers in ({}, {"If-None-Match": first.headers["ETag"]}):
        with query_counter() as queries:
            client.get(path, headers=headers)
        assert queries.statements == ["SELECT 0, coalesce((SELECT value FROM counters WHERE key = 'events'), 0)"]


@pytest.mark.parametrize("path", FEEDS)
def test_feed_has_the_same_tag_on_every_host(
    make_app: Callable[..., Flask], make_client: Callable[..., FlaskClient], make_event: MakeEvent, path: str
) -> None:
    make_event(category="Talks")
    tags = {make_client(make_app()).get(path).headers["ETag"] for _host in range(2)}
    assert len(tags) == 1


def test_feed_keeps_its_tag_when_only_the_window_moved(
    client: FlaskClient, make_event: MakeEvent, clock: Clock
) -> None:
    make_event()
    first = client.get("/calendar.ics")
    clock.now += timedelta(days=3)
    again = client.get("/calendar.ics", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("query", ["", "?category=talks"])
def test_subscribe_page_draws_the_address_for_a_phone(client: FlaskClient, make_event: MakeEvent, query: str) -> None:
    make_event(category="Talks")
    drawn = str(qr.drawn(f"webcal://events.example.org/calendar.ics{query}"))
    assert re.findall(r'<div class="qr"[^>]*>(.*?)</div>', client.get(f"/subscribe{query}").text, re.DOTALL) == [drawn]


def test_subscribe_page_says_of_each_way_how_soon_it_shows_a_change(client: FlaskClient) -> None:
    ways = client.get("/subscribe").text.partition('<ul class="ways">')[2].partition("</ul>")[0]
    assert re.findall(r'<p class="soft small">(.*?)</p>', ways) == [
        "Looks for changes as often as you set it to, usually every hour.",
        (
            "Google decides when it looks for changes: often after 8 hours, at times after a day. If the button does "
            "nothing, copy the address below and choose Other calendars, From URL."
        ),
        (
            "Outlook looks for changes every few hours, at times only once a day. In Outlook for Windows or Mac, "
            "choose Add calendar, From Internet, and paste the address below."
        ),
        (
            "Your program decides when it looks for changes: some do every hour, others once a day. Subscribe to the "
            "address rather than import it: an imported file stays as it is."
        ),
    ]

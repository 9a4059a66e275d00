from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from eventreg.events.models import Event
from eventreg.links import Links
from eventreg.registrations import feeds
from eventreg.registrations.models import Registration
from eventreg.web import compression
from tests.conftest import Clock
from tests.support.calendars import entries, entry, parsed, unfolded
from tests.support.queries import query_counter

MakeEvent = Callable[..., Event]
MakeRegistration = Callable[..., Registration]


@pytest.fixture
def links(app: Flask) -> Links:
    found: Links = app.extensions["eventreg.links"]
    return found


def file_of(links: Links, registration: Registration) -> str:
    return f"/r/{links.manage_token(registration.id, registration.link_generation)}.ics"


def feed_of(links: Links, registration: Registration, generation: int = 1) -> str:
    address = links.personal_feed(registration.id, registration.link_generation, generation)
    return address.removeprefix(links.base_url)


def states(content: bytes) -> dict[str, str]:
    return {str(one["SUMMARY"]): str(one["STATUS"]) for one in entries(content)}


def is_for_its_owner(response: Any) -> bool:
    wanted = {"Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}
    return wanted.items() <= dict(response.headers).items() and "Set-Cookie" not in response.headers


def test_my_file_holds_my_event_with_the_join_link(
    client: FlaskClient, make_event: MakeEvent, make_registration: MakeRegistration, links: Links
) -> None:
    registration = make_registration(make_event(online_url="https://meet.example/j/1", slug="talk"))
    response = client.get(file_of(links, registration))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8; method=PUBLISH"
    assert response.headers["Content-Disposition"].startswith('attachment; filename="talk.ics"; ')
    assert is_for_its_owner(response)
    assert "https://meet.example/j/1" in unfolded(response.data)
    again = client.get(file_of(links, registration), headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304
    assert is_for_its_owner(again)


def test_my_file_takes_the_entry_back_once_i_cancelled(
    client: FlaskClient, make_event: MakeEvent, make_registration: MakeRegistration, links: Links
) -> None:
    event = make_event(online_url="https://meet.example/j/1")
    registration = make_registration(event, status="cancelled")
    response = client.get(file_of(links, registration))
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8; method=CANCEL"
    assert parsed(response.data)["METHOD"] == "CANCEL"
    assert entry(response.data)["UID"] == event.uid
    assert "meet.example" not in unfolded(response.data)


@pytest.mark.parametrize("token", ["nothing", "%00", "a.b", "WzEsMV0.x", "9" * 3000])
def test_wrong_token_opens_nothing(client: FlaskClient, token: str) -> None:
    assert client.get(f"/r/{token}.ics").status_code == 404
    assert client.get(f"/my/{token}.ics").status_code == 404


def test_tokens_open_only_what_they_were_made_for(
    client: FlaskClient, make_event: MakeEvent, make_registration: MakeRegistration, links: Links
) -> None:
    registration = make_registration(make_event())
    manage, feed = file_of(links, registration), feed_of(links, registration)
    assert client.get(manage.replace("/r/", "/my/")).status_code == 404
    assert client.get(feed.replace("/my/", "/r/")).status_code == 404


def test_file_of_a_replaced_link_is_not_found(
    client: FlaskClient, session: Session, make_event: MakeEvent, make_registration: MakeRegistration, links: Links
) -> None:
    registration = make_registration(make_event())
    manage, feed = file_of(links, registration), feed_of(links, registration)
    session.get_one(Registration, registration.id).link_generation = 2
    session.commit()
    assert client.get(manage).status_code == 404
    assert client.get(feed).status_code == 404


def test_my_feed_lists_every_answer_of_mine_and_of_nobody_else(
    client: FlaskClient, make_event: MakeEvent, make_registration: MakeRegistration, links: Links, now: datetime
) -> None:
    online = {"online_url": "https://meet.example/mine"}
    mine = make_registration(make_event(title="Coming", **online), email="Amira@Example.org")
    make_registration(make_event(title="Perhaps", online_url="https://meet.example/perhaps"), rsvp="maybe")
    make_registration(make_event(title="Waiting", capacity=1), status="waitlisted")
    make_registration(make_event(title="Asked to come", needs_approval=True), status="pending")
    make_registration(
        make_event(title="Offered a place", capacity=1),
        status="waitlisted",
        offer_expires_at=now + timedelta(hours=3),
    )
    make_registration(make_event(title="Not going"), rsvp="no")
    make_registration(make_event(title="Withdrawn"), status="cancelled")
    make_registration(make_event(title="Called off", status="cancelled"))
    make_registration(make_event(title="Private", visibility="private"))
    make_registration(make_event(title="Long ago", starts_at=now - timedelta(days=200)))
    make_registration(make_event(title="Of Sam"), name="Sam Stone", email="sam@example.org")
    response = client.get(feed_of(links, mine))
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert is_for_its_owner(response)
    assert "Content-Disposition" not in response.headers
    assert states(response.data) == {
        "Coming": "CONFIRMED",
        "Perhaps": "TENTATIVE",
        "Waiting": "TENTATIVE",
        "Asked to come": "TENTATIVE",
        "Offered a place": "TENTATIVE",
        "Cancelled: Called off": "CANCELLED",
        "Private": "CONFIRMED",
    }
    assert "https://meet.example/mine" in unfolded(response.data)
    assert "https://meet.example/perhaps" not in unfolded(response.data)
    for name in (b"METHOD", b"ATTENDEE", b"ORGANIZER", b"sam@", b"amira@"):
        assert name not in response.data
    assert parsed(response.data)["NAME"] == "My events: Community events"
    assert f"SOURCE;VALUE=URI:{links.base_url}{feed_of(links, mine)}" in unfolded(response.data)


def test_my_feed_answers_304_until_an_answer_or_event_changes(
    client: FlaskClient,
    session: Session,
    make_event: MakeEvent,
    make_registration: MakeRegistration,
    links: Links,
    clock: Clock,
) -> None:
    event = make_event()
    registration = make_registration(event)
    path = feed_of(links, registration)
    seen = client.get(path)
    assert client.get(path, headers={"If-None-Match": seen.headers["ETag"]}).status_code == 304
    assert client.get(path, headers={"If-Modified-Since": seen.headers["Last-Modified"]}).status_code == 304

    def changed() -> None:
        nonlocal seen
        for name, header in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
            again = client.get(path, headers={name: seen.headers[header]})
            assert again.status_code == 200
        seen = again

    clock.now += timedelta(minutes=1)
    found = session.get_one(Event, event.id)
    found.online_url, found.updated_at = "https://meet.example/new", clock.now
    session.commit()
    changed()
    clock.now += timedelta(minutes=1)
    mine = session.get_one(Registration, registration.id)
    mine.status, mine.updated_at, mine.cancelled_at = "cancelled", clock.now, clock.now
    session.commit()
    changed()
    assert entries(seen.data) == []


def test_reset_feed_is_gone_and_its_new_address_works(
    client: FlaskClient, session: Session, make_event: MakeEvent, make_registration: MakeRegistration, links: Links
) -> None:
    registration = make_registration(make_event())
    old = feed_of(links, registration)
    assert client.get(old).status_code == 200
    generation = feeds.reset(session, registration.email_key)
    session.commit()
    assert client.get(old).status_code == 404
    assert client.get(feed_of(links, registration, generation)).status_code == 200


def test_feeds_and_files_answer_head_and_write_nothing(
    client: FlaskClient, make_event: MakeEvent, make_registration: MakeRegistration, links: Links
) -> None:
    registration = make_registration(make_event())
    for path in (file_of(links, registration), feed_of(links, registration)):
        with query_counter() as queries:
            head = client.head(path)
        assert (head.status_code, head.data) == (200, b"")
        assert queries.writes == []
        assert head.headers["ETag"] == client.get(path).headers["ETag"]


def test_my_feed_of_many_events_costs_a_fixed_number_of_statements(
    client: FlaskClient, make_event: MakeEvent, make_registration: MakeRegistration, links: Links
) -> None:
    for number in range(6):
        registration = make_registration(make_event(title=f"Talk {number}"))
    with query_counter() as queries:
        response = client.get(feed_of(links, registration))
    assert len(entries(response.data)) == 6
    assert queries.count == 5


def test_private_feed_is_compressed_and_not_remembered(
    client: FlaskClient, make_event: MakeEvent, make_registration: MakeRegistration, links: Links
) -> None:
    feed = feed_of(links, make_registration(make_event(description="A day of reflection. " * 50)))
    before = compression._kept.cache_info().currsize
    response = client.get(feed, headers={"Accept-Encoding": "gzip"})
    assert (response.headers["Content-Encoding"], is_for_its_owner(response)) == ("gzip", True)
    assert compression._kept.cache_info().currsize == before

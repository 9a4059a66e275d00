"""An organizer's own feed: what is at their desk, with the head count of this minute."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.events.models import Event
from eventreg.links import Links
from eventreg.organizers import service as organizers
from eventreg.organizers.models import Organizer
from eventreg.registrations import changes
from eventreg.registrations.models import Registration
from tests.conftest import Clock
from tests.support.calendars import entries, entry, parsed, unfolded, values
from tests.support.html import Page
from tests.support.queries import query_counter

MakeEvent = Callable[..., Event]
MakeRegistration = Callable[..., Registration]
MakeOrganizer = Callable[..., Organizer]


@pytest.fixture
def links(app: Flask) -> Links:
    found: Links = app.extensions["eventreg.links"]
    return found


@pytest.fixture
def feed_of(links: Links, make_organizer: MakeOrganizer) -> Callable[..., str]:
    def address(organizer: Organizer | None = None) -> str:
        whose = organizer or make_organizer()
        return links.desk_feed(whose.id, whose.feed_generation).removeprefix(links.base_url)

    return address


def titles(content: bytes) -> list[str]:
    return [str(one["SUMMARY"]) for one in entries(content)]


def test_titles_tell_who_comes_who_waits_and_what_is_a_draft(
    client: FlaskClient,
    make_event: MakeEvent,
    make_registration: MakeRegistration,
    feed_of: Callable[..., str],
    now: datetime,
) -> None:
    days = iter(range(1, 10))

    def on_the_next_day(title: str, **given: Any) -> Event:
        return make_event(title=title, starts_at=now + timedelta(days=next(days)), **given)

    full = on_the_next_day("Anniversary, part 1", capacity=5)
    make_registration(full, party_size=3)
    make_registration(full, email="b@example.org", party_size=2)
    make_registration(full, email="w@example.org", status="waitlisted", party_size=3)
    make_registration(full, email="no@example.org", rsvp="no")
    make_registration(full, email="gone@example.org", status="cancelled")
    make_registration(on_the_next_day("Open house"), rsvp="maybe")
    make_registration(on_the_next_day("Dinner", capacity=8), status="pending")
    on_the_next_day("Idea", status="draft", visibility="private")
    make_registration(on_the_next_day("Storm", status="cancelled"))
    response = client.get(feed_of())
    assert titles(response.data) == [
        "Anniversary, part 1 (5/5, 3 waiting)",
        "Open house (0)",
        "Dinner (0/8, 1 to approve)",
        "Draft: Idea",
        "Cancelled: Storm",
    ]
    assert [str(one["STATUS"]) for one in entries(response.data)] == [
        "CONFIRMED",
        "CONFIRMED",
        "CONFIRMED",
        "TENTATIVE",
        "CANCELLED",
    ]
    assert b"@example.org" not in response.data.replace(b"@events.example.org", b"")


def test_entry_is_the_public_one_but_for_what_the_desk_adds(
    client: FlaskClient, make_event: MakeEvent, feed_of: Callable[..., str], now: datetime
) -> None:
    long = "Zoë’s éclairs; 李, 🎉 " * 12
    event = make_event(title="Talk", slug="talk", summary=long, category="Talks")
    public, desk = entry(client.get("/calendar.ics").data), entry(client.get(feed_of()).data)
    expected = values(public) | {"SUMMARY": "Talk (0)", "URL": "https://events.example.org/organize/events/talk"}
    expected["DESCRIPTION"] = expected["DESCRIPTION"].replace("/events/talk", "/organize/events/talk")
    assert values(desk) == expected
    assert event.uid == str(desk["UID"])


def test_feed_is_marked_private_and_says_what_it_is(
    client: FlaskClient, make_event: MakeEvent, feed_of: Callable[..., str]
) -> None:
    make_event()
    path = feed_of()
    response = client.get(path)
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    wanted = {"Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}
    assert wanted.items() <= dict(response.headers).items()
    assert not {"Set-Cookie", "Content-Disposition"} & set(response.headers.keys())
    assert parsed(response.data)["NAME"] == "My desk: Community events"
    assert f"SOURCE;VALUE=URI:https://events.example.org{path}" in unfolded(response.data)
    for name in (b"METHOD", b"ATTENDEE", b"ORGANIZER", b"VALARM"):
        assert name not in response.data
    closed = re.findall(r"^Disallow: (.+)$", client.get("/robots.txt").text, re.MULTILINE)
    assert not any(path.startswith(one.strip()) for one in closed)


def test_every_answer_moves_tag_stamp_sequence_and_date_and_nothing_else_does(
    client: FlaskClient,
    session: Session,
    make_event: MakeEvent,
    make_registration: MakeRegistration,
    feed_of: Callable[..., str],
    clock: Clock,
) -> None:
    event = make_event(capacity=5)
    path = feed_of()
    seen = client.get(path)

    def known(response: Any) -> tuple[Any, ...]:
        only = entry(response.data)
        return response.headers["ETag"], values(only)["DTSTAMP"], values(only)["LAST-MODIFIED"], only["SEQUENCE"]

    history = [known(seen)]
    registration = None
    for step in ("answer", "withdrawal"):
        clock.now += timedelta(minutes=1)
        for name, header in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
            assert client.get(path, headers={name: seen.headers[header]}).status_code == 304
        assert known(client.get(path)) == history[-1]
        if registration is None:
            registration = make_registration(event, created_at=clock.now, updated_at=clock.now)
        else:
            changes.cancel(session, registration_id=registration.id, actor=audit.Actor.attendee(), now=clock.now)
            session.commit()
        for name, header in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
            assert client.get(path, headers={name: seen.headers[header]}).status_code == 200, step
        seen = client.get(path)
        history.append(known(seen))
    for earlier, later in pairwise(history):
        assert earlier[0] != later[0]
        assert earlier[1:] < later[1:]
        assert earlier[3] < later[3]
    assert titles(seen.data) == ["A day of reflection (0/5)"]


def test_repeated_request_reads_no_block_and_many_events_cost_no_more(
    client: FlaskClient, make_event: MakeEvent, feed_of: Callable[..., str]
) -> None:
    for number in range(6):
        make_event(title=f"Talk {number}")
    path = feed_of()
    with query_counter() as queries:
        first = client.get(path)
    assert (len(entries(first.data)), queries.count) == (6, 4)
    assert queries.writes == []
    with query_counter() as queries:
        assert client.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert queries.count == 3
    assert not any("ics_block" in statement.partition("FROM")[0] for statement in queries.statements)
    assert client.head(path).headers["ETag"] == first.headers["ETag"]


def test_organizer_sees_their_own_an_admin_all_and_a_door_helper_nothing(
    client: FlaskClient, make_event: MakeEvent, make_organizer: MakeOrganizer, feed_of: Callable[..., str]
) -> None:
    otto = make_organizer("otto@example.org")
    make_event(title="Olga's")
    make_event(title="Otto's", organizer=otto)
    assert titles(client.get(feed_of()).data) == ["Olga's (0)"]
    assert titles(client.get(feed_of(otto)).data) == ["Otto's (0)"]
    admin = make_organizer("admin@example.org", "admin")
    assert sorted(titles(client.get(feed_of(admin)).data)) == ["Olga's (0)", "Otto's (0)"]
    assert client.get(feed_of(make_organizer("door@example.org", "door"))).status_code == 404


def test_closed_account_wrong_token_and_another_purpose_open_nothing(
    client: FlaskClient,
    session: Session,
    make_event: MakeEvent,
    make_registration: MakeRegistration,
    make_organizer: MakeOrganizer,
    feed_of: Callable[..., str],
    links: Links,
) -> None:
    registration = make_registration(make_event())
    path = feed_of()
    assert client.get(path).status_code == 200
    token = links.manage_token(registration.id, 1)
    for wrong in (f"/desk/{token}.ics", path.replace("/desk/", "/my/"), "/desk/x.ics", "/desk/%00.ics"):
        assert client.get(wrong).status_code == 404
    make_organizer().active = False
    session.commit()
    assert client.get(path).status_code == 404


def test_desk_offers_the_address_and_gives_a_new_one(olga: Any, client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(title="Mine")

    def shown() -> str:
        page = olga.get("/organize/").text
        address = re.search(r'id="feed-address"[^>]* value="([^"]+)"', page)
        assert address is not None
        assert f'href="webcal:{address[1].removeprefix("https:")}"' in page
        return address[1].removeprefix("https://events.example.org")

    old = shown()
    assert titles(client.get(old).data) == ["Mine (0)"]
    page = Page.of(olga.get("/organize/"))
    (form,) = [one for one in page.forms if one.action == "/organize/feed"]
    assert page.submit(olga, form).status_code == 303
    assert client.get(old).status_code == 404
    assert shown() != old
    assert titles(client.get(shown()).data) == ["Mine (0)"]


def test_reset_leaves_a_line_in_the_audit_trail(session: Session, make_organizer: MakeOrganizer, now: datetime) -> None:
    olga = make_organizer()
    assert organizers.reset_feed(session, organizer_id=olga.id, actor=audit.Actor.system(), now=now) == 2
    entry_made = session.query(audit.AuditEntry).order_by(audit.AuditEntry.id.desc()).first()
    assert entry_made is not None
    assert entry_made.action == "organizer.feed_reset"

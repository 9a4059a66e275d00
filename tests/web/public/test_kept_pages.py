"""Public pages are kept by each web process; whatever changes, the very next request shows it."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from eventreg.events.models import Event, Picture, Question
from eventreg.registrations import seats
from eventreg.registrations.models import Registration
from tests.conftest import Clock
from tests.support.html import Page
from tests.support.queries import query_counter

MakeEvent = Callable[..., Event]
PAGES = (
    "/events/talk",
    "/",
    "/events/",
    "/events/?q=talk&category=talks",
    "/calendar/2026/10",
    "/subscribe",
    "/calendar.ics",
    "/feed.atom",
    "/sitemap.xml",
    "/events/talk.ics",
    "/events/talk/cover.svg",
    "/privacy",
)


def make(make_event: MakeEvent, **given: Any) -> Event:
    start = datetime(2026, 10, 19, 19, 0, tzinfo=UTC)
    return make_event(**{"title": "Talk", "slug": "talk", "category": "Talks", "starts_at": start, **given})


@pytest.mark.parametrize("path", PAGES)
def test_page_is_made_once_and_the_same_for_everybody_who_asks_again(
    make_client: Callable[..., FlaskClient], make_event: MakeEvent, path: str
) -> None:
    make(make_event)
    first = make_client().get(path)
    with query_counter() as queries:
        again = make_client().get(path)
    assert (again.status_code, again.data, list(again.headers)) == (200, first.data, list(first.headers))
    assert queries.count == (0 if path == "/privacy" else 1)
    assert "Set-Cookie" not in again.headers


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("is_kept", [False, True])
def test_page_answers_every_way_of_asking_alike_whether_kept_or_made(
    make_app: Callable[..., Flask],
    make_client: Callable[..., FlaskClient],
    make_event: MakeEvent,
    path: str,
    is_kept: bool,
) -> None:
    make(make_event)
    for number in range(5):  # so that every page is worth packing
        make_event(title=f"Picnic {number}", slug=f"picnic-{number}")
    client = make_client(make_app(PAGE_CACHE_MB=16 if is_kept else 0))
    plain = client.get(path)
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == plain.data
    tags = [response.headers["ETag"] for response in (plain, packed)]
    assert len(set(tags)) == 2
    for tag in tags:
        for asked in (tag, f'"other", W/{tag}'):
            unchanged = client.get(path, headers={"If-None-Match": asked, "Accept-Encoding": "gzip"})
            assert (unchanged.status_code, unchanged.data, unchanged.headers["ETag"]) == (304, b"", tag)
            assert {"Content-Type", "Content-Length", "Content-Encoding"} & {*unchanged.headers.keys()} == set()
    head = client.head(path)
    assert (head.data, head.content_length, head.headers["ETag"]) == (b"", len(plain.data), tags[0])
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def _retitle(session: Session, event: Event) -> None:
    event.title = "Another title"


def _cancel(session: Session, event: Event) -> None:
    event.status = "cancelled"


def _withdraw(session: Session, event: Event) -> None:
    event.visibility = "private"


def _picture(session: Session, event: Event) -> None:
    session.add(Picture(event_id=event.id, digest="0" * 16, alt_text="A hall", width=1200, height=400, webp=b"webp"))


def _seat(session: Session, event: Event) -> None:
    assert seats.take(session, event_id=event.id, seats=3) is not None


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        (_retitle, "/events/talk", "Another title"),
        (_retitle, "/events/", "Another title"),
        (_retitle, "/calendar/2026/10", "Another title"),
        (_retitle, "/calendar.ics", "Another title"),
        (_retitle, "/feed.atom", "Another title"),
        (_cancel, "/events/talk", "This event is cancelled"),
        (_cancel, "/events/", "Cancelled"),
        (_cancel, "/events/talk.ics", "STATUS:CANCELLED"),
        (_withdraw, "/events/", "Nothing is planned yet"),
        (_picture, "/events/talk", "picture-0000000000000000.webp"),
        (_seat, "/events/talk", "7 of 10 places left"),
        (_seat, "/events/", "7 of 10 places left"),
        (_seat, "/calendar/2026/10", "7 of 10 places left"),
    ],
)
def test_page_shows_a_change_made_elsewhere_on_the_very_next_request(
    client: FlaskClient,
    session: Session,
    make_event: MakeEvent,
    change: Callable[[Session, Event], None],
    path: str,
    says: str,
) -> None:
    event = make(make_event, capacity=10)
    before = [client.get(path) for _ in range(2)][1]
    assert says not in before.text
    change(session, session.get_one(Event, event.id))
    session.commit()
    after = client.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert says in after.text
    assert after.headers["ETag"] != before.headers["ETag"]


@pytest.mark.parametrize("path", ["/events/talk", "/events/", "/calendar/2026/10"])
def test_places_are_held_while_somebody_waits_for_them_and_pages_say_so_on_the_next_request(
    client: FlaskClient, session: Session, make_event: MakeEvent, make_registration: Any, path: str
) -> None:
    event = make(make_event, capacity=4, waitlist_rule="hold")
    make(make_event, title="Walk", slug="walk", capacity=4, waitlist_rule="hold")
    make_registration(event, party_size=3)

    def are_said_to_be_held() -> list[bool]:
        return ["Places held, waitlist open" in client.get(path).text for _ in range(2)]

    # Seats and the event itself are as they were each time; only who waits is different.
    assert are_said_to_be_held() == [False, False]
    wim = make_registration(event, email="wim@example.org", status="waitlisted", party_size=2)
    assert are_said_to_be_held() == [True, True]
    session.get_one(Registration, wim.id).party_size = 5  # larger than the event, and in nobody's way
    assert are_said_to_be_held() == [False, False]


def test_no_place_is_offered_to_newcomers_that_is_held_for_somebody_else(
    client: FlaskClient, make_event: MakeEvent, make_registration: Any
) -> None:
    event = make(make_event, capacity=4, waitlist_rule="hold")
    make_registration(event, party_size=3)
    assert '"remainingAttendeeCapacity": 1' in client.get("/events/talk").text
    make_registration(event, email="wim@example.org", status="waitlisted", party_size=2)
    page = Page.of(client.get("/events/talk"))
    assert ("Join the waitlist" in page.text, "RSVP" in page.text) == (True, False)
    assert '"remainingAttendeeCapacity": 0' in client.get("/events/talk").text


def test_withdrawn_event_is_gone_on_the_next_request(
    client: FlaskClient, session: Session, make_event: MakeEvent
) -> None:
    event = make(make_event)
    assert client.get("/events/talk").status_code == 200
    _withdraw(session, session.get_one(Event, event.id))
    session.commit()
    assert client.get("/events/talk").status_code == 404


def test_revision_rises_with_a_question_and_not_with_a_seat(session: Session, make_event: MakeEvent) -> None:
    event = make(make_event, capacity=10)

    def revision() -> int:
        session.commit()
        return int(session.scalar(text(f"SELECT revision FROM events WHERE id = {event.id}")) or 0)

    before = revision()
    _seat(session, event)
    assert revision() == before
    question = Question(event_id=event.id, position=1, label="Anything?", kind="text")
    session.add(question)
    assert revision() == before + 1
    question.label = "Anything else?"
    assert revision() == before + 2
    session.delete(question)
    assert revision() == before + 3


def test_counter_rises_with_every_change_of_an_event_and_not_with_a_seat_or_one_taken_back(
    session: Session, make_event: MakeEvent
) -> None:
    event = make(make_event, capacity=10)

    def counter() -> int:
        session.commit()
        return int(session.scalar(text("SELECT value FROM counters WHERE key = 'events'")) or 0)

    before = counter()
    _seat(session, event)
    assert counter() == before
    event.title = "Another"
    session.flush()
    session.rollback()
    assert counter() == before
    event.title = "Another"
    session.flush()
    event.title = "A third"
    assert counter() == before + 1


@pytest.mark.parametrize(
    ("given", "passes", "before", "after"),
    [
        ({"registration_opens_at": timedelta(hours=1)}, timedelta(hours=1), "Registration opens", "RSVP"),
        ({"registration_closes_at": timedelta(hours=1)}, timedelta(hours=1), "RSVP", "Registration closed"),
        ({}, timedelta(days=20), "RSVP", "This event is over"),
    ],
)
def test_event_page_changes_when_time_passes(
    client: FlaskClient,
    make_event: MakeEvent,
    clock: Clock,
    given: dict[str, timedelta],
    passes: timedelta,
    before: str,
    after: str,
) -> None:
    make(make_event, **{name: clock.now + wait for name, wait in given.items()})
    assert before in Page.of(client.get("/events/talk")).text
    clock.now += passes - timedelta(seconds=1)
    if given:
        assert before in Page.of(client.get("/events/talk")).text
    clock.now += timedelta(seconds=1)
    assert after in Page.of(client.get("/events/talk")).text


def test_list_drops_an_event_as_it_ends_and_says_today_at_midnight(
    client: FlaskClient, make_event: MakeEvent, clock: Clock
) -> None:
    make_event(title="Breakfast", starts_at=clock.now, ends_at=clock.now + timedelta(hours=1))
    make_event(title="Supper", starts_at=clock.now + timedelta(days=1))
    assert "Breakfast" in client.get("/events/").text
    clock.now += timedelta(hours=1)
    assert "Breakfast" not in client.get("/events/").text
    assert "Today" not in client.get("/events/").text
    clock.now = datetime(2026, 10, 6, 3, 59, 59, tzinfo=UTC)
    assert "Today" not in client.get("/events/").text
    clock.now += timedelta(seconds=1)  # midnight in New York
    assert "Today" in client.get("/events/").text


def test_clock_set_back_shows_what_was_true_then(client: FlaskClient, make_event: MakeEvent, clock: Clock) -> None:
    make(make_event, registration_closes_at=clock.now + timedelta(minutes=30))
    clock.now += timedelta(hours=1)
    assert "Registration closed" in client.get("/events/talk").text
    clock.now -= timedelta(hours=1)
    assert "Registration closed" not in client.get("/events/talk").text


def test_parameters_nobody_reads_make_no_other_page(client: FlaskClient, make_event: MakeEvent) -> None:
    make(make_event)
    client.get("/events/talk")
    with query_counter() as queries:
        response = client.get("/events/talk?utm_source=mail&fbclid=x%ED")
    assert (response.status_code, queries.count) == (200, 1)
    assert "Another" not in response.text


def test_filters_are_not_mixed_up(client: FlaskClient, make_event: MakeEvent) -> None:
    make(make_event)
    make_event(title="Picnic", category="Parties")

    def rows(path: str) -> TestResponse:
        return client.get(path)

    for _ in range(2):
        assert (
            "Picnic" in rows("/events/?category=parties").text,
            "Picnic" in rows("/events/?category=talks").text,
        ) == (
            True,
            False,
        )


@pytest.mark.parametrize(
    ("asked", "other", "said"),
    [("q=%FF", "q=%EF%BF%BD", "%FF"), ("q=\xc3\xa9", "q=%C3%83%C2%A9", "é"), ("q=%E9%", "q=%EF%BF%BD%", "%E9%")],
)
def test_queries_that_are_read_differently_are_different_pages(
    client: FlaskClient, make_event: MakeEvent, asked: str, other: str, said: str
) -> None:
    make(make_event)
    for query in (other, asked, other, asked):
        page = Page.of(client.get("/events/", environ_overrides={"QUERY_STRING": query}))
    assert dict(page.form("q").data())["q"] == said


def test_page_of_a_query_without_end_is_not_kept(client: FlaskClient, make_event: MakeEvent) -> None:
    make(make_event)
    counts = []
    for length in (900, 1100):
        path = f"/events/?q={'x' * length}"
        client.get(path)
        with query_counter() as queries:
            assert client.get(path).status_code == 200
        counts.append(queries.count > 1)
    assert counts == [False, True]


def test_nothing_is_kept_beyond_the_limit(make_app: Callable[..., Flask], make_client: Any, make_event: Any) -> None:
    make(make_event)
    app = make_app(PAGE_CACHE_MB=1)
    client = make_client(app)
    for number in range(200):
        client.get(f"/events/?q=talk{number}")
    client.get("/events/talk")
    with query_counter() as queries:
        client.get("/events/talk")
    assert queries.count == 1
    cache = app.extensions["eventreg.page_cache"]
    assert sum(page.size for page in [*cache._new.values(), *cache._lasting.values()]) <= 1024 * 1024

"""How many statements each page costs: one table, the same with three rows and with sixty."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from eventreg.events.models import Event
from eventreg.links import Links
from eventreg.web import page_cache
from tests.conftest import Clock
from tests.support.queries import query_counter

MakeEvent = Callable[..., Event]
# What it costs to make the page, on SQLite; a search asks its index of words first, on SQLite alone.
PUBLIC = {
    "/": 7,
    "/events/": 7,
    "/events/?page=2": 7,
    "/events/?past=1": 7,
    "/events/?category=talks": 7,
    "/events/?q=talk&audience=staff&from=2026-10-01&to=2026-12-31": 9,
    "/calendar/2026/10": 5,
    "/events/talk-1": 2,
    "/events/talk-1.ics": 1,
    "/events/talk-1/cover.svg": 1,
    "/subscribe": 3,
    "/privacy": 0,
    "/calendar.ics": 3,
    "/calendar.ics?category=talks": 3,
    "/feed.atom": 3,
    "/sitemap.xml": 3,
}
ATTENDEE = {"/events/talk-1/rsvp": 2, "/events/talk-1/rsvp?rsvp=no": 2}


def fill(make_event: MakeEvent, make_registration: Any, clock: Clock, numbers: range) -> None:
    for number in numbers:
        event = make_event(
            title=f"Talk {number}",
            slug=f"talk-{number}",
            category="Talks",
            audience=("Staff",),
            capacity=200,
            starts_at=clock.now + timedelta(days=1 + number % 20, minutes=number),
        )
        make_registration(event, email=f"amira.{number}@example.org")


@pytest.mark.sqlite_only
def test_every_page_costs_the_same_however_much_there_is(
    app: Flask, client: FlaskClient, make_event: MakeEvent, make_registration: Any, clock: Clock
) -> None:
    measured: list[dict[str, int]] = []
    for numbers in (range(1, 4), range(4, 61)):
        fill(make_event, make_registration, clock, numbers)
        page_cache.of(app).clear()
        measured.append({path: cost(client, path) for path in [*PUBLIC, *ATTENDEE]})
        again = {path: cost(client, path) for path in PUBLIC}
        # Once made, every public page costs the one statement that says it is still true.
        assert again == {path: int(path != "/privacy") for path in PUBLIC}
    assert measured == [PUBLIC | ATTENDEE] * 2


def cost(client: FlaskClient, path: str) -> int:
    with query_counter() as queries:
        assert client.get(path).status_code == 200
    assert queries.writes == []
    return queries.count


DESK = (
    "/organize/",
    "/organize/events/talk-1",
    "/organize/events/talk-1/edit",
    "/organize/events/talk-1/attendees",
    "/organize/events/new",
)


@pytest.mark.sqlite_only
def test_desk_and_own_page_cost_the_same_however_much_there_is(
    app: Flask, olga: FlaskClient, make_event: MakeEvent, make_registration: Any
) -> None:
    links: Links = app.extensions["eventreg.links"]
    event = make_event(title="Talk 1", slug="talk-1", capacity=500)
    mine = make_registration(event, email="olga.own@example.org")
    own = f"/r/{links.manage_token(mine.id, mine.link_generation)}"
    measured = []
    for numbers in (range(2), range(2, 59)):
        for number in numbers:
            make_registration(event, email=f"amira.{number}@example.org")
            make_event(title=f"Other {number}")
        measured.append({path: cost(olga, path) for path in (*DESK, own)})
    assert measured[0] == measured[1]

"""How many statements each page costs: one table, the same with three rows and with sixty."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.events.models import Event, Picture, Question
from eventreg.following.models import FollowedCalendar
from eventreg.incoming.models import ReceivedMail
from eventreg.registrations.models import STATUSES
from eventreg.web import page_cache
from tests.conftest import Clock
from tests.support import site
from tests.support.factories import Factory
from tests.support.outbox import owe_about
from tests.support.queries import query_counter

MakeEvent = Callable[..., Event]
NEEDS = "Dietary or access needs"
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


# Every address that can be read, as Olga reads it: who she is takes two statements, whose event it is one.
ADDRESSES = {
    "/": 7,
    "/auth/account": 3,
    "/auth/change": 2,
    "/auth/login": 2,
    "/auth/mf-recovery": 2,
    "/auth/mf-recovery-codes": 2,
    "/auth/reset": 2,
    "/auth/reset/<token>": 2,
    "/auth/tf-rescue": 2,
    "/auth/tf-select": 2,
    "/auth/tf-setup": 2,
    "/auth/tf-validate": 2,
    "/auth/verify": 2,
    "/calendar": 0,
    "/calendar.ics": 3,
    "/calendar/<int(fixed_digits=4):year>/<int(fixed_digits=2):month>": 5,
    "/confirm/<token>": 3,
    "/desk/<token>.ics": 4,
    "/dev/mail": 0,
    "/dev/mail/<name>": 0,
    "/dev/mail/<name>/download": 0,
    "/dev/mail/<name>/html": 0,
    "/events/": 7,
    "/events/<slug>": 2,
    "/events/<slug>.ics": 1,
    "/events/<slug>/cover.svg": 1,
    "/events/<slug>/picture-<digest>.webp": 2,
    "/events/<slug>/rsvp": 2,
    "/events/<slug>/rsvp/<token>": 1,
    "/events/<slug>/rsvp/sent": 1,
    "/feed.atom": 3,
    "/healthz": 0,
    "/lost-link": 0,
    "/lost-link/sent": 0,
    "/my/<token>.ics": 5,
    "/organize/": 5,
    "/organize/calendars": 4,
    "/organize/calendars/<int:calendar_id>/remove": 4,
    "/organize/events/<slug>": 10,
    "/organize/events/<slug>/attendees": 7,
    "/organize/events/<slug>/attendees.<any(csv, xlsx, json):extension>": 6,
    "/organize/events/<slug>/attendees/<int:registration_id>": 10,
    "/organize/events/<slug>/attendees/new": 4,
    "/organize/events/<slug>/cancel": 4,
    "/organize/events/<slug>/edit": 5,
    "/organize/events/<slug>/history": 5,
    "/organize/events/<slug>/picture": 4,
    "/organize/events/<slug>/picture.webp": 5,
    "/organize/events/<slug>/questions": 4,
    "/organize/events/<slug>/questions/<int:question_id>": 4,
    "/organize/events/<slug>/replies": 5,
    "/organize/events/new": 3,
    "/organize/import": 2,
    "/organize/signed-in": 2,
    "/privacy": 0,
    "/r/<token>": 4,
    "/r/<token>.ics": 1,
    "/readyz": 4,
    "/robots.txt": 0,
    "/sitemap.xml": 3,
    "/static/<path:filename>": 0,
    "/subscribe": 3,
    "/undo/<token>": 1,
}


def crowd(session: Session, factory: Factory, built: site.Site, numbers: range) -> None:
    """More of everything that a page may show: people, mail, replies, history, questions, events, calendars."""
    event = built.event
    olga = audit.Actor("organizer", event.organizer_id, "Olga")
    for number in numbers:
        for status in STATUSES:
            one = factory.registration(
                event, email=f"{status}{number}@example.org", status=status, answers={NEEDS: "x"}
            )
            owe_about(session, event, one, now=factory.now)
            reply: dict[str, Any] = {"kind": "reply", "outcome": "held", "rsvp": "no", "sequence": 0}
            of_one = {"event_id": event.id, "registration_id": one.id}
            session.add(ReceivedMail(digest=f"{one.id:064}", received_at=factory.now, **of_one, **reply))
            audit.record(session, actor=olga, action="registration.noted", now=factory.now, **of_one)
        session.add(Question(event_id=event.id, position=number + 5, label=f"Question {number}", kind="text"))
        session.add(
            FollowedCalendar(url=f"https://{number}.example", organizer_id=event.organizer_id, created_at=factory.now)
        )
        session.commit()
        other = factory.event(title=f"Other {number}", category=f"Kind {number}")
        factory.registration(other)


@pytest.mark.sqlite_only
def test_every_address_costs_the_same_however_much_there_is(
    app: Flask, session: Session, factory: Factory, make_client: Any, sign_in: Any
) -> None:
    built = site.build(app, factory)
    built.event.capacity = 500
    session.add(Picture(event_id=built.event.id, digest="0000", alt_text="A hall", width=12, height=4, webp=b"webp"))
    session.commit()
    measured: list[dict[str, int]] = []
    for numbers in (range(2), range(2, 30)):
        crowd(session, factory, built, numbers)
        olga = make_client()
        sign_in(olga)
        counts = {}
        # Some of the pages for signing in sign out, so they come last.
        for rule, address in sorted(built.addresses("GET"), key=lambda pair: pair[0].rule.startswith("/auth/")):
            page_cache.of(app).clear()
            with query_counter() as queries:
                assert olga.get(address).status_code != 500
            assert queries.writes == []
            counts[rule.rule] = queries.count
        measured.append(counts)
    assert measured == [ADDRESSES] * 2

"""Somebody whom an organizer has added to a draft was mailed a link: what it opens works as it does later."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from eventreg.events.models import Event
from eventreg.registrations.models import Registration
from tests.flows.test_rsvp_journey import manage_path
from tests.support.html import Page
from tests.support.letters import calendar_of
from tests.support.outbox import states


@pytest.fixture
def own(olga: FlaskClient, make_event: Any, post: Any) -> str:
    """The link in Amira's mail, after Olga has added her to a draft."""
    event = make_event(status="draft", slug="board-dinner", capacity=4)
    page = Page.of(olga.get(f"/organize/events/{event.slug}/attendees/new"))
    page.submit(olga, page.form("name", "email").set(name="Amira", email="amira@example.org", rsvp="yes"))
    (mail,) = post()
    path: str = manage_path(mail)
    return path


def test_they_change_their_answer_and_nothing_leads_to_a_page_that_is_not_there(
    client: FlaskClient, session: Session, own: str
) -> None:
    page = Page.of(client.get(own))
    assert "You are coming." in page.text
    assert not [href for href, _words in page.links if "/events/board-dinner" in href]
    page = Page.of(page.submit(client, page.form("rsvp").set(party_size="3"), follow_redirects=True))
    assert "Saved. You are coming, with 2 guests." in page.text
    assert (session.get_one(Event, 1).seats_taken, states(session)[1:]) == (3, [("changed", "queued")])


def test_they_cancel_and_the_entry_leaves_their_calendar(
    client: FlaskClient, session: Session, own: str, post: Any
) -> None:
    page = Page.of(client.get(own))
    page = Page.of(page.submit(client, page.form(action="/cancel"), follow_redirects=True))
    assert "Your registration is cancelled. You are not attending." in page.text
    assert not [href for href, _words in page.links if "/events/board-dinner" in href]
    assert (session.get_one(Event, 1).seats_taken, session.get_one(Registration, 1).status) == (0, "cancelled")
    assert b"METHOD:CANCEL" in (calendar_of(post()[-1]) or b"")


def test_they_are_told_when_the_draft_moves(olga: FlaskClient, session: Session, own: str, clock: Any) -> None:
    page = Page.of(olga.get("/organize/events/board-dinner/edit"))
    assert "Tell 1 person about changes" in page.text
    later = (clock.now + timedelta(days=40)).strftime("%Y-%m-%dT%H:%M")
    end = (clock.now + timedelta(days=40, hours=1)).strftime("%Y-%m-%dT%H:%M")
    form = page.form("title", "capacity").set(starts_at=later, ends_at=end, notify="y")
    page.submit(olga, form, follow_redirects=True)
    assert states(session)[1:] == [("update", "queued")]

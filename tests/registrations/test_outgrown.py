"""Capacity lowered below a waiting party: nobody waits for ever without being told, and nobody behind is held up."""

from typing import Any

import pytest
from sqlalchemy import select

from eventreg.events.models import Event
from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration
from tests.support.html import Page


@pytest.fixture
def link(app):
    links = app.extensions["eventreg.links"]
    return lambda registration: "/r/" + links.manage_token(registration.id, registration.link_generation)


def lower(olga: Any, event: Event, **values: str) -> Page:
    page = Page.of(olga.get(f"/organize/events/{event.slug}/edit"))
    saved = page.submit(olga, page.form("title").set(**values), button="save")
    assert saved.status_code == 302, Page.of(saved).text
    return Page.of(olga.get(saved.location))


@pytest.fixture
def event(make_event, make_registration) -> Event:
    """Ten places, three of them taken; a party of 4 waits before Wim, who is alone."""
    made = make_event(capacity=10, max_party_size=6)
    make_registration(made, name="Zoe", email="zoe@example.org", party_size=3)
    make_registration(made, name="Paul Large", email="paul@example.org", party_size=4, status="waitlisted")
    return made


def row(session, name: str) -> Registration:
    session.expire_all()
    return session.scalars(select(Registration).where(Registration.name == name)).one()


@pytest.mark.parametrize("rule", ["skip", "hold"])
def test_party_larger_than_a_lowered_capacity_is_named_told_and_holds_up_nobody(
    rule, event, make_registration, olga, client, session, link, post
) -> None:
    make_registration(event, name="Wim", email="wim@example.org", party_size=2, status="waitlisted")
    shown = lower(olga, event, capacity="3", waitlist_rule=rule)
    assert "Paul Large waits with a party larger than the event now" in shown.text
    assert "1 party is larger than the event, so its turn never comes." in shown.text
    assert shown.link("Paul Large").endswith(f"/attendees/{row(session, 'Paul Large').id}")
    mails = [one for one in session.scalars(select(Message)) if one.recipient == "paul@example.org"]
    assert [one.kind for one in mails] == ["waitlisted"]
    (mailed,) = [one for one in post() if "paul@example.org" in str(one["To"])]
    body = mailed.get_body(("plain",)).get_content().replace("\n", " ")
    assert "The event has 3 places in all now, and your party is 4" in body
    assert "come with fewer people" in body
    page = Page.of(client.get(link(row(session, "Paul Large"))))
    assert "The event has 3 places in all now, and your party is 4" in page.text
    assert "number 1 in line" not in page.text
    assert "Leave the waitlist" in page.text
    # Wim is the next, and gets the first places that come free.
    assert "number 1 in line" in Page.of(client.get(link(row(session, "Wim")))).text
    zoe = Page.of(client.get(link(row(session, "Zoe"))))
    assert zoe.submit(client, zoe.form("rsvp").set(party_size="1")).status_code == 303
    assert (row(session, "Wim").status, row(session, "Paul Large").status) == ("confirmed", "waitlisted")


def test_party_that_gets_smaller_keeps_its_place_and_moves_up(event, olga, client, session, link) -> None:
    lower(olga, event, capacity="3")
    zoe = Page.of(client.get(link(row(session, "Zoe"))))
    zoe.submit(client, zoe.form("rsvp").set(rsvp="no"))
    assert row(session, "Paul Large").status == "waitlisted"
    page = Page.of(client.get(link(row(session, "Paul Large"))))
    assert page.submit(client, page.form("rsvp").set(party_size="3")).status_code == 303
    assert (row(session, "Paul Large").status, row(session, "Paul Large").party_size) == ("confirmed", 3)
    assert "larger than the event" not in Page.of(olga.get(f"/organize/events/{event.slug}")).text


def test_raised_capacity_lets_the_party_in_and_a_second_lowering_tells_nobody_twice(event, olga, session) -> None:
    lower(olga, event, capacity="3")
    again = lower(olga, event, summary="Other words")
    assert "waits with a party" not in again.text
    lower(olga, event, capacity="8")
    assert row(session, "Paul Large").status == "confirmed"
    told = [one.kind for one in session.scalars(select(Message).order_by(Message.id)) if "paul" in one.recipient]
    assert told == ["waitlisted", "update", "promotion"]


def test_party_that_asks_is_told_too(make_event, make_registration, olga, client, session, link) -> None:
    made = make_event(capacity=9, max_party_size=6, needs_approval=True)
    asking = make_registration(made, name="Ada", email="ada@example.org", party_size=5, status="pending")
    shown = lower(olga, made, capacity="4", max_party_size="3")
    assert "Ada waits with a party larger than the event now" in shown.text
    assert "Ada has a larger party than one registration may be now." in shown.text
    page = Page.of(client.get(link(asking)))
    assert "The event has 4 places in all now, and your party is 5" in page.text
    assert page.submit(client, page.form("rsvp").set(party_size="4")).status_code == 303
    assert row(session, "Ada").party_size == 4
    assert session.scalars(select(Message.kind).order_by(Message.id)).first() == "pending"

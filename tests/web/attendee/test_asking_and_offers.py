"""The attendee's pages of an event that approves people, and of one that offers freed places for some hours."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from eventreg.events.models import Event
from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration
from tests.support.html import Page

HOUR = timedelta(hours=1)


@pytest.fixture
def link(app):
    links = app.extensions["eventreg.links"]
    return lambda registration: "/r/" + links.manage_token(registration.id, registration.link_generation)


@pytest.fixture
def offered(make_event, make_registration, now):
    """Amira's party of two, asked until tomorrow noon for the last two places."""
    event = make_event(capacity=2, offer_hours=24)
    return make_registration(event, party_size=2, status="waitlisted", offer_expires_at=now + 24 * HOUR)


def row(session, registration) -> tuple[str, str]:
    session.expire_all()
    found = session.get(Registration, registration.id)
    return found.rsvp, found.status


def kinds(session) -> list[str]:
    return list(session.scalars(select(Message.kind).order_by(Message.id)))


def test_offer_is_accepted_by_its_button_and_by_no_visit(offered, client, session, link) -> None:
    path = link(offered)
    for method in ("GET", "HEAD"):
        client.open(path, method=method)
    assert client.get(f"{path}/accept").status_code == 405
    assert client.post(f"{path}/accept").status_code == 400  # without the token of the page
    assert row(session, offered) == ("yes", "waitlisted")
    page = Page.of(client.get(path))
    assert "2 places are yours if you accept them by Tuesday, October 6, 2026, 12:00 PM EDT." in page.text
    assert "Saving a change here does not accept the offer." in page.text
    accepted = page.submit(client, page.form(action="/accept"))
    assert (accepted.status_code, accepted.location) == (303, path)
    page = Page.of(client.get(path))
    assert "Accepted. You are coming, with one guest." in page.text
    assert "Accept the" not in page.text
    assert (row(session, offered), kinds(session)) == (("yes", "confirmed"), ["confirmation"])


def test_offer_that_has_lapsed_cannot_be_accepted_and_the_page_says_so(offered, client, session, link, clock) -> None:
    page = Page.of(client.get(link(offered)))
    clock.now += 24 * HOUR
    refused = page.submit(client, page.form(action="/accept"))
    words = "The time to accept ended Tuesday, October 6, 2026, 12:00 PM EDT, so the place goes to the next in line."
    assert (refused.status_code, words in Page.of(refused).text) == (409, True)
    later = Page.of(client.get(link(offered)))
    assert words in later.text
    assert "Accept the" not in later.text
    assert (row(session, offered), kinds(session)) == (("yes", "waitlisted"), [])


def test_offer_is_declined_by_leaving_the_waitlist(offered, client, session, link) -> None:
    page = Page.of(client.get(link(offered)))
    page.submit(client, page.form(action="/cancel"))
    assert row(session, offered) == ("yes", "cancelled")
    assert session.get(Event, offered.event_id).seats_taken == 0


def test_event_that_approves_takes_a_yes_as_a_request(make_event, client, session, link) -> None:
    event = make_event(capacity=2, needs_approval=True)
    slug = event.slug
    assert "Ask to come" in Page.of(client.get(f"/events/{slug}")).text
    page = Page.of(client.get(f"/events/{slug}/rsvp"))
    assert "An organizer approves everybody who wants to come." in page.text
    form = page.form("rsvp").set(name="Amira", email="amira@example.org", rsvp="yes", party_size="2")
    result = Page.of(page.submit(client, form, follow_redirects=True))
    assert "You have asked to come, as a party of 2. An organizer decides." in result.text
    assert "No place is held for you yet." in result.text
    assert "Add to your calendar" not in result.text
    asked = session.scalars(select(Registration)).one()
    assert (row(session, asked), kinds(session)) == (("yes", "pending"), ["pending"])
    assert session.get(Event, event.id).seats_taken == 0
    mine = Page.of(client.get(link(asked)))
    assert "You have asked to come, as a party of 2. An organizer decides." in mine.text
    assert "Withdraw my request" in mine.text


@pytest.mark.parametrize("waitlist_open", [True, False])
def test_full_event_that_approves_still_takes_requests(
    make_event, make_registration, client, session, waitlist_open
) -> None:
    event = make_event(capacity=1, needs_approval=True, waitlist_open=waitlist_open)
    make_registration(event, email="wim@example.org")
    slug = event.slug
    assert "Full, you can still ask" in Page.of(client.get(f"/events/{slug}")).text
    page = Page.of(client.get(f"/events/{slug}/rsvp"))
    assert "Every place is taken at the moment; you can still ask." in page.text
    form = page.form("rsvp").set(name="Amira", email="amira@example.org", rsvp="yes")
    assert page.submit(client, form).status_code == 303
    assert session.scalars(select(Registration.status).order_by(Registration.id)).all() == ["confirmed", "pending"]


@pytest.mark.parametrize(
    ("answer", "stands", "mail"),
    [
        ({"rsvp": "yes", "party_size": "3"}, ("yes", "pending"), ["changed"]),
        ({"rsvp": "no"}, ("no", "confirmed"), ["changed"]),
        ({"rsvp": "maybe"}, ("maybe", "confirmed"), ["changed"]),
    ],
)
def test_request_may_be_changed_while_it_waits(
    make_event, make_registration, client, session, link, answer, stands, mail
) -> None:
    event = make_event(capacity=3, needs_approval=True)
    asked = make_registration(event, status="pending")
    page = Page.of(client.get(link(asked)))
    assert page.submit(client, page.form("rsvp").set(**answer)).status_code == 303
    assert (row(session, asked), kinds(session)) == (stands, mail)
    assert session.get(Event, event.id).seats_taken == 0


def test_maybe_that_becomes_yes_asks_where_approval_is_needed(
    make_event, make_registration, client, session, link
) -> None:
    event = make_event(needs_approval=True)
    maybe = make_registration(event, rsvp="maybe")
    page = Page.of(client.get(link(maybe)))
    assert "a yes asks for a place" in page.text
    page.submit(client, page.form("rsvp").set(rsvp="yes"))
    assert (row(session, maybe), kinds(session)) == (("yes", "pending"), ["pending"])


def test_request_is_withdrawn(make_event, make_registration, client, session, link) -> None:
    event = make_event(needs_approval=True)
    asked = make_registration(event, status="pending")
    page = Page.of(client.get(link(asked)))
    page.submit(client, page.form(action="/cancel"))
    assert (row(session, asked), kinds(session)) == (("yes", "cancelled"), ["withdrawn"])


def test_approval_switched_off_leaves_requests_and_switched_on_leaves_whoever_comes(
    make_event, make_registration, client, session, link
) -> None:
    event = make_event(needs_approval=False)
    asked = make_registration(event, status="pending")
    coming = make_registration(event, email="wim@example.org")
    page = Page.of(client.get(link(asked)))
    page.submit(client, page.form("rsvp").set(party_size="2"))
    assert row(session, asked) == ("yes", "pending")
    session.get(Event, event.id).needs_approval = True
    session.commit()
    page = Page.of(client.get(link(coming)))
    refused = page.submit(client, page.form("rsvp").set(party_size="2"))
    assert (refused.status_code, row(session, coming)) == (422, ("yes", "confirmed"))
    assert "ask them if you would like to bring more people" in Page.of(refused).text
    assert session.get(Event, event.id).seats_taken == 1

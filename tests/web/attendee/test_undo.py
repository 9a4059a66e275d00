"""Taking back a no that came from the calendar."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from eventreg.audit import Actor
from eventreg.registrations import changes
from tests.support.html import Page
from tests.support.letters import calendar_of, html_of, text_of
from tests.support.mailroom import answer, owed, standing

pytestmark = pytest.mark.sqlite_only
MINUTE = timedelta(minutes=1)


@pytest.fixture
def event(make_event):
    return make_event(capacity=2)


@pytest.fixture
def declined(session, event, make_registration, clock):
    """Amira's party of two, which has declined in its calendar."""
    amira = make_registration(event, party_size=2)
    answer(session, amira, now=clock.now)
    clock.now += 5 * MINUTE
    return amira


@pytest.fixture
def link(declined, post) -> str:
    """The path in the mail."""
    (mail,) = post()
    assert calendar_of(mail) is None
    found = re.search(r"https://events\.example\.org(/undo/\S+)", text_of(mail))
    assert found
    assert found[1] in html_of(mail)
    return found[1]


def press(client, link: str) -> Page:
    page = Page.of(client.get(link))
    return Page.of(page.submit(client, page.form(action=link), follow_redirects=True))


def test_looking_changes_nothing_and_tells_nobody_else(session, client, event, link) -> None:
    response = client.get(link)
    assert "Your calendar told us that you are not coming." in Page.of(response).text
    assert (response.headers["Cache-Control"], response.headers["Referrer-Policy"]) == (
        "private, no-store",
        "same-origin",
    )
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert client.head(link).status_code == 200
    assert standing(session, event) == [("amira@example.org", "no", "confirmed")]


def test_button_puts_the_yes_back_and_the_mail_brings_the_entry(session, client, event, link, post) -> None:
    assert "Taken back. You are coming, with one guest." in press(client, link).text
    assert standing(session, event) == [("amira@example.org", "yes", "confirmed")]
    assert event.seats_taken == 2
    content = calendar_of(post()[-1])
    assert content is None or b"METHOD:PUBLISH" in content or b"METHOD:REQUEST" in content
    assert owed(session)[-1] == ("confirmation", "amira@example.org")


def test_late_copy_of_the_no_does_not_undo_the_undo(session, client, event, declined, link, clock) -> None:
    press(client, link)
    answer(session, declined, now=clock.now, stamp=clock.now - 5 * MINUTE, message_id="another")
    assert standing(session, event) == [("amira@example.org", "yes", "confirmed")]


def test_place_that_is_gone_means_waiting(session, client, event, link, make_registration) -> None:
    make_registration(event, email="wim@example.org")
    assert "You are on the waitlist as a party of 2, number 1 in line." in press(client, link).text


def test_place_that_is_gone_without_a_waitlist_is_said(session, client, event, link, make_registration) -> None:
    event.waitlist_open = False
    make_registration(event, email="wim@example.org", party_size=2)
    page = Page.of(client.get(link))
    response = page.submit(client, page.form(action=link))
    assert response.status_code == 409
    assert "Every place is taken." in Page.of(response).text
    assert standing(session, event)[0] == ("amira@example.org", "no", "confirmed")


def test_registration_that_has_closed_lets_them_back(session, client, event, link, clock) -> None:
    event.registration_closes_at = clock.now - MINUTE
    assert "Taken back." in press(client, link).text


def test_answer_that_changed_since_or_an_event_that_began_leaves_nothing_to_take_back(
    session, client, event, declined, link, clock
) -> None:
    form = Page.of(client.get(link)).form(action=link)
    clock.now = event.starts_at + MINUTE
    assert "There is nothing to take back." in Page.of(client.get(link)).text
    assert client.post(link, data=dict(form.data())).status_code == 409
    clock.now = event.starts_at - timedelta(days=1)
    changes.cancel(session, registration_id=declined.id, actor=Actor.attendee(), now=clock.now)
    assert "There is nothing to take back." in Page.of(client.get(link)).text
    response = client.post(link, data=dict(form.data()))
    assert response.status_code == 409
    assert "Your answer has changed since, so there is nothing to undo." in Page.of(response).text
    assert standing(session, event) == [("amira@example.org", "no", "cancelled")]


def test_maybe_is_put_back_as_maybe(session, client, event, make_registration, clock, post) -> None:
    wim = make_registration(event, email="wim@example.org", rsvp="maybe")
    answer(session, wim, now=clock.now)
    clock.now += 5 * MINUTE
    found = re.search(r"https://events\.example\.org(/undo/\S+)", text_of(post()[-1]))
    assert found
    press(client, found[1])
    assert standing(session, event) == [("wim@example.org", "maybe", "confirmed")]


def test_link_changed_or_of_a_registration_that_was_reset_is_unknown(session, client, declined, link) -> None:
    assert client.get(link[:-1] + ("A" if link[-1] != "A" else "B")).status_code == 404
    assert client.get("/undo/nonsense").status_code == 404
    declined.link_generation += 1
    assert client.get(link).status_code == 404
    assert urlsplit(link).path == link

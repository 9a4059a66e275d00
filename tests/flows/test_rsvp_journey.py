"""A person finds an event, answers, reads the mail, changes their mind and withdraws: as a browser without scripts."""

import re
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa

from eventreg.registrations.models import Answer, Registration
from tests.support.html import Page


def manage_path(message: EmailMessage) -> str:
    """The path of “my registration” in a mail's plain text."""
    body = message.get_body(("plain",))
    assert body is not None
    found = re.search(r"https://events\.example\.org(/r/[^\s>]+)", body.get_content())
    assert found, body.get_content()
    return found[1]


def standing(session: Any) -> list[tuple[str, str, str, int]]:
    """(address, answer, status, party) of every registration, in order of arrival."""
    rows = session.scalars(sa.select(Registration).order_by(Registration.id))
    return [(row.email, row.rsvp, row.status, row.party_size) for row in rows]


def rsvp(client: Any, slug: str, **values: str) -> Any:
    """Opens the form and sends it filled in."""
    page = Page.of(client.get(f"/events/{slug}/rsvp"))
    form = page.form("rsvp", "email")
    return page.submit(client, form.set(**values), follow_redirects=True)


def test_person_finds_an_event_answers_changes_and_cancels(client, session, make_event, post) -> None:
    make_event(title="Riverway walk")
    make_event(title="Anniversary celebration", capacity=10)

    listing = Page.of(client.get("/events/?q=anniversary"))
    assert ("Anniversary celebration" in listing.text, "Riverway" in listing.text) == (True, False)
    event = Page.of(client.get(listing.link("Anniversary celebration")))
    assert "10" in event.text
    form_page = Page.of(client.get(event.link("RSVP")))
    needs = next(name for name in form_page.form("rsvp").names if name.startswith("q-"))
    form = form_page.form("rsvp", "name", "email", "party_size", "csrf_token")
    form.set(name="Amira Haddad", email="Amira@Example.org", rsvp="yes", party_size="2").fill(needs, "no nuts")
    result = Page.of(form_page.submit(client, form, follow_redirects=True))
    assert "You are coming, with one guest." in result.text

    (mail,) = post()
    assert mail["To"].addresses[0].addr_spec == "Amira@example.org"
    assert "no nuts" in mail.get_body(("plain",)).get_content()
    mine = manage_path(mail)
    page = Page.of(client.get(mine))
    assert "You are coming, with one guest." in page.text
    change = page.form("rsvp", "party_size")
    assert dict(change.data())[needs] == "no nuts"
    changed = Page.of(page.submit(client, change.set(party_size="1"), follow_redirects=True))
    assert "You are coming." in changed.text
    assert standing(session) == [("Amira@example.org", "yes", "confirmed", 1)]

    cancelled = Page.of(changed.submit(client, changed.form(action="/cancel"), follow_redirects=True))
    assert "You are not attending." in cancelled.text
    assert standing(session) == [("Amira@example.org", "yes", "cancelled", 1)]
    assert len(post()) == 3


def test_form_with_errors_names_each_field_and_loses_nothing(client, session, make_event) -> None:
    event = make_event()
    page = Page.of(client.get(f"/events/{event.slug}/rsvp"))
    form = page.form("rsvp")
    needs = next(name for name in form.names if name.startswith("q-"))
    form.set(name="", email="amira@example", party_size="9", rsvp="yes").fill(needs, "no nuts\nstep-free")
    response = page.submit(client, form)
    again = Page.of(response)
    assert (response.status_code, standing(session)) == (422, [])
    for name in ("name", "email", "party_size"):
        (control,) = again.form("rsvp").named(name)
        assert control.attributes["aria-invalid"] == "true"
        errors = control.attributes["aria-describedby"].split()
        assert any(f'id="{identifier}"' in again.html for identifier in errors)
    kept = dict(again.form("rsvp").data())
    assert (kept["email"], kept["party_size"], kept[needs].split()) == (
        "amira@example",
        "9",
        ["no", "nuts", "step-free"],
    )
    summary = {href for href, _text in again.links if href.startswith("#")}
    assert {"#name", "#email", "#party_size"} <= summary


def test_second_answer_of_an_address_looks_like_a_first_and_changes_nothing(client, session, make_event, post) -> None:
    event = make_event(capacity=10)
    answers = {"name": "Amira", "email": "amira@example.org", "rsvp": "yes", "party_size": "3"}
    first = Page.of(rsvp(client, event.slug, **answers))
    post()
    stranger = {**answers, "name": "Sam", "email": " AMIRA@example.org ", "party_size": "3"}
    second = Page.of(rsvp(client, event.slug, **stranger))
    assert second.text == first.text
    assert standing(session) == [("amira@example.org", "yes", "confirmed", 3)]
    assert session.scalars(sa.select(Registration.name)).all() == ["Amira"]
    assert session.scalar(sa.select(sa.func.count()).select_from(Answer)) == 0


def test_page_after_a_lost_link_is_the_same_for_unknown_addresses(client, make_event, make_registration, post) -> None:
    make_registration(make_event())
    pages = []
    for email in ("amira@example.org", "sam@example.org"):
        page = Page.of(client.get("/lost-link"))
        pages.append(Page.of(page.submit(client, page.form("email").set(email=email), follow_redirects=True)).text)
    assert pages[0] == pages[1]
    assert [mail["To"].addresses[0].addr_spec for mail in post()] == ["amira@example.org"]


def test_form_opened_before_the_last_place_went_is_checked_when_it_is_sent(
    client, session, make_event, make_registration
) -> None:
    event = make_event(capacity=2)
    page = Page.of(client.get(f"/events/{event.slug}/rsvp"))
    make_registration(event, email="wim@example.org", party_size=1)
    form = page.form("rsvp").set(name="Amira", email="amira@example.org", rsvp="yes", party_size="2")
    refused = page.submit(client, form)
    assert (refused.status_code, len(standing(session))) == (422, 1)
    again = Page.of(refused)
    assert "1 place is left" in again.text
    waiting = Page.of(again.submit(client, again.form("rsvp").set(join_waitlist="y"), follow_redirects=True))
    assert "waitlist" in waiting.text
    assert standing(session)[-1] == ("amira@example.org", "yes", "waitlisted", 2)

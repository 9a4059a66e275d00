"""An address that was copied together with what cannot be seen works wherever one is typed."""

from typing import Any

import pytest
import sqlalchemy as sa

from eventreg.organizers.models import Organizer
from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration
from tests.support.factories import PASSWORD
from tests.support.html import Page

PASTED = ("\ufeffolga\u200b@example.org\u00a0", "olga\uff20example.org", "<mailto:Olga@example.org>")


def submit(client: Any, address: str, *fields: str, **values: str) -> Any:
    page = Page.of(client.get(address))
    return page.submit(client, page.form(*fields).set(**values))


@pytest.mark.parametrize("pasted", PASTED)
def test_pasted_address_registers_and_finds_its_link_again(client, session, make_event, pasted) -> None:
    event = make_event()
    answer = submit(client, f"/events/{event.slug}/rsvp", "rsvp", name="Olga", email=pasted, rsvp="yes")
    assert answer.status_code == 303
    assert session.scalars(sa.select(Registration.email_key)).all() == ["olga@example.org"]
    session.execute(sa.delete(Message))
    session.commit()
    assert submit(client, "/lost-link", "email", email=pasted).status_code == 303
    assert [one.lower() for one in session.scalars(sa.select(Message.recipient))] == ["olga@example.org"]


@pytest.mark.parametrize("pasted", PASTED)
def test_pasted_address_signs_in_and_resets(client, session, make_organizer, pasted) -> None:
    make_organizer()
    assert submit(client, "/auth/reset", "email", email=pasted).status_code < 400
    assert session.scalars(sa.select(Message.recipient)).all() == ["olga@example.org"]
    answer = submit(client, "/auth/login", "email", "password", email=pasted, password=PASSWORD)
    assert (answer.status_code, answer.location) == (302, "/organize/")


def test_international_host_signs_in_as_it_is_written_and_as_mail_writes_it(
    make_client, session, make_organizer
) -> None:
    made: Organizer = make_organizer(email="zoe@xn--bcher-kva.example")
    for email in ("zoe@bücher.example", "Zoe@xn--bcher-kva.example"):
        answer = submit(make_client(), "/auth/login", "email", "password", email=email, password=PASSWORD)
        assert (answer.status_code, answer.location, made.email) == (302, "/organize/", "zoe@xn--bcher-kva.example")


def test_pasted_address_at_the_desk_is_the_person(olga, session, make_event) -> None:
    event = make_event()
    address = f"/organize/events/{event.slug}/attendees/new"
    answer = submit(olga, address, "email", name="Amira", email="\u2060amira\uff20example.org\u3164")
    assert answer.status_code == 302
    assert session.scalars(sa.select(Registration.email)).all() == ["amira@example.org"]


def test_address_of_which_nothing_can_be_seen_is_asked_for(client, make_event) -> None:
    event = make_event()
    answer = submit(client, f"/events/{event.slug}/rsvp", "rsvp", name="Olga", email="\u200b\ufeff", rsvp="yes")
    assert answer.status_code == 422
    assert "Please give your e-mail address." in Page.of(answer).text


def test_international_site_mails_ascii_headers_and_links(make_app, make_client, session, make_event, post) -> None:
    app = make_app(
        BASE_URL="https://bücher.example",
        MAIL_DEFAULT_SENDER="Bücher <events@bücher.example>",
        CONTACT_EMAIL="hilfe@bücher.example",
        REPLY_ADDRESS="rsvp@bücher.example",
    )
    event = make_event(contact_email="olga@straße.example")
    client = make_client(app)
    answer = submit(client, f"/events/{event.slug}/rsvp", "rsvp", name="Zoë", email="zoe@bücher.example", rsvp="yes")
    assert answer.status_code == 303
    (mail,) = post(app)
    assert mail.as_bytes().partition(b"\n\n")[0].isascii()
    assert mail["To"] == "zoe@xn--bcher-kva.example"
    assert mail["Reply-To"].endswith("@xn--bcher-kva.example")
    (invitation,) = (part for part in mail.walk() if part.get_content_type() == "text/calendar")
    text = invitation.get_content()
    assert "bücher" not in text
    assert "@xn--bcher-kva.example" in text
    for address in ("/calendar.ics", "/sitemap.xml", "/feed.atom"):
        assert ("https://xn--bcher-kva.example/" in client.get(address).text, address) == (True, address)

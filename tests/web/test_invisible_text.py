"""Names and words of which nothing can be seen are asked for again; controls of direction are in none."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from eventreg.audit import Actor
from eventreg.calendar import making, source_lines
from eventreg.errors import InvalidField
from eventreg.events import service
from eventreg.events.models import Event, Question
from eventreg.events.values import values_of
from eventreg.registrations.models import Registration
from tests.support.html import Page

INVISIBLE = ("\u200b", "\u3164", "\u2800\u115f", "\U000e0041\U000e007f", "\ufe0f\u200d", "\u202e\u0301")


def submit(client: Any, address: str, *fields: str, **values: str) -> Page:
    page = Page.of(client.get(address))
    response = page.submit(client, page.form(*fields).set(**values))
    assert response.status_code == 422, response.status_code
    return Page.of(response)


@pytest.mark.parametrize("given", INVISIBLE)
def test_name_that_cannot_be_seen_is_asked_for_on_the_public_form_and_at_the_desk(
    given: str, olga, session, make_event
) -> None:
    slug = make_event().slug
    page = submit(olga, f"/events/{slug}/rsvp", "rsvp", name=given, email="sam@example.org", rsvp="yes")
    assert "Please give your name." in page.text
    page = submit(olga, f"/organize/events/{slug}/attendees/new", "email", name=given, email="sam@example.org")
    assert "Give their name." in page.text
    assert session.scalar(sa.select(sa.func.count()).select_from(Registration)) == 0


@pytest.mark.parametrize("given", INVISIBLE)
def test_title_and_question_that_cannot_be_seen_are_asked_for(given: str, olga, session, make_event) -> None:
    event = make_event()
    slug, asked = event.slug, session.scalar(sa.select(sa.func.count()).select_from(Question))
    page = submit(olga, f"/organize/events/{slug}/edit", "title", title=given)
    assert "Give the event a title." in page.text
    page = submit(olga, f"/organize/events/{slug}/questions", "label", label=given)
    assert "Write the question." in page.text
    session.expire_all()
    assert (
        session.scalar(sa.select(Event.title)),
        session.scalar(sa.select(sa.func.count()).select_from(Question)),
    ) == (
        event.title,
        asked,
    )


@pytest.mark.parametrize("given", INVISIBLE)
def test_title_that_cannot_be_seen_is_refused_by_the_service_and_named_in_an_import(
    given: str, session, make_event, now
) -> None:
    event = make_event()
    values = values_of(event)
    with pytest.raises(InvalidField) as refused:
        service.update(session, event_id=event.id, values=replace(values, title=given), actor=Actor.system(), now=now)
    assert refused.value.field == "title"
    source = source_lines.take_apart(f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:{given}\nEND:VEVENT\n".encode())
    assert making.words(source.components[0]).title == "Untitled event"


def test_override_of_direction_is_in_no_name_that_is_shown_mailed_or_exported(olga, session, make_event, post) -> None:
    controls = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    event = make_event(title="Tea \u2067party\u2069")  # as a version before stored it
    page = Page.of(olga.get(f"/events/{event.slug}/rsvp"))
    form = page.form("rsvp").set(name="Bob\u202egpj.exe", email="bob@example.org", rsvp="yes")
    assert page.submit(olga, form).status_code == 303
    assert session.scalar(sa.select(Registration.name)) == "Bobgpj.exe"
    (mail,) = post()
    texts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    texts += [str(value) for value in mail.values()]
    texts += [olga.get("/calendar.ics").text, olga.get(f"/events/{event.slug}.ics").text]
    assert [text for text in texts if controls & set(text)] == []
    pages = [olga.get(f"/organize/events/{event.slug}/attendees{end}").text for end in ("", ".csv", ".json")]
    assert [("Bobgpj.exe" in text, "\u202e" in text) for text in pages] == [(True, False)] * 3


@pytest.mark.parametrize("name", ["محمد علی\u200cزاده", "שרה כהן", "Zoë 👩\u200d🔬", "한지민"])
def test_name_in_any_script_is_kept_letter_by_letter(name: str, client, session, make_event) -> None:
    event = make_event()
    page = Page.of(client.get(f"/events/{event.slug}/rsvp"))
    page.submit(client, page.form("rsvp").set(name=name, email="amira@example.org", rsvp="yes"))
    assert session.scalar(sa.select(Registration.name)) == name

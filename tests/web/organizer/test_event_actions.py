"""Publishing, cancelling and copying an event, and what its desk tells."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg import tasks
from eventreg.events.models import Event, Question
from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration
from tests.support.html import Page
from tests.support.queries import query_counter


def press(client: Any, address: str, button: str) -> Page:
    """Presses a button on a page and follows to where it leads."""
    page = Page.of(client.get(address))
    (form,) = [form for form in page.forms for one in form.controls if one.tag == "button" and one.value == button]
    response = page.submit(client, form)
    assert response.status_code == 302, Page.of(response).text
    return Page.of(client.get(response.location))


def test_draft_is_published_with_one_button(olga: Any, client: Any, make_event: Any) -> None:
    event = make_event(status="draft")
    assert client.get(f"/events/{event.slug}").status_code == 404
    page = press(olga, f"/organize/events/{event.slug}", "Publish")
    assert "Published. People can open the event and answer." in page.text
    assert client.get(f"/events/{event.slug}").status_code == 200


def test_draft_whose_date_has_passed_is_not_published_and_says_why(olga: Any, make_event: Any, now: Any) -> None:
    event = make_event(status="draft", starts_at=now.replace(year=2025))
    page = press(olga, f"/organize/events/{event.slug}", "Publish")
    assert "This event's end has passed. Give it a new date before you publish it." in page.text


@pytest.mark.parametrize("where", ["", "/edit"], ids=["overview", "form"])
def test_publishing_moves_up_who_fits_says_so_and_wakes_the_worker(
    olga: Any, app: Flask, session: Session, make_event: Any, make_registration: Any, where: str
) -> None:
    event = make_event(status="draft", capacity=2)
    make_registration(event, name="Wim", email="wim@example.org", status="waitlisted", party_size=2)
    address = f"/organize/events/{event.slug}"
    page = Page.of(olga.get(f"{address}{where}"))
    form = page.form("title", "starts_at") if where else page.form(action="/publish")
    answered = page.submit(olga, form, **({"button": "publish"} if where else {}))
    assert (answered.status_code, answered.location) == (302, address)
    said = "Published. People can open the event and answer. 1 registration moved up from the waitlist."
    assert said in Page.of(olga.get(address)).text
    assert session.scalars(select(Message.kind)).all() == ["promotion"]
    assert tasks.of(app).huey.pending_count() == 1


def test_cancelling_names_how_many_are_mailed_and_owes_each_one_mail(
    olga: Any, make_event: Any, make_registration: Any, session: Session
) -> None:
    event = make_event()
    make_registration(event)
    make_registration(event, name="Wim", email="wim@example.org", status="waitlisted")
    make_registration(event, name="Sam", email="sam@example.org", rsvp="no")
    asked = Page.of(olga.get(f"/organize/events/{event.slug}/cancel"))
    assert "2 mails are written and kept on the server" in asked.text
    page = press(olga, f"/organize/events/{event.slug}/cancel", "Cancel the event")
    assert "The event is cancelled. 2 mails were written and kept on the server" in page.text
    session.refresh(event)
    assert event.status == "cancelled"
    mails = session.execute(select(Message.kind, Message.recipient).order_by(Message.id)).all()
    assert [tuple(mail) for mail in mails] == [
        ("event_cancelled", "amira@example.org"),
        ("event_cancelled", "wim@example.org"),
    ]
    assert "This event is cancelled already." in Page.of(olga.get(f"/organize/events/{event.slug}/cancel")).text


def test_copy_is_a_draft_with_the_questions_and_nobody_on_it(
    olga: Any, make_event: Any, make_registration: Any, session: Session
) -> None:
    event = make_event(capacity=9, questions=[{"label": "Bus?", "kind": "checkbox"}])
    make_registration(event)
    facts = {column.name: getattr(event, column.name) for column in Event.__table__.columns}
    page = press(olga, f"/organize/events/{event.slug}", "Make a copy")
    assert "Copied: words, place, limits and questions. Not copied: registrations" in page.text
    copy = session.scalars(select(Event).where(Event.id != event.id)).one()
    assert (copy.status, copy.title, copy.capacity, copy.seats_taken) == ("draft", event.title, 9, 0)
    assert copy.uid != event.uid
    assert [one.label for one in session.scalars(select(Question).where(Question.event_id == copy.id))] == ["Bus?"]
    assert session.scalars(select(Registration).where(Registration.event_id == copy.id)).all() == []
    form = page.form("title", "starts_at").set(title="Another")
    assert page.submit(olga, form, button="save").status_code == 302
    session.refresh(event)
    assert {column.name: getattr(event, column.name) for column in Event.__table__.columns} == facts


def test_every_number_of_the_list_leads_to_the_people_it_counts(
    olga: Any, make_event: Any, make_registration: Any
) -> None:
    event = make_event(capacity=5)
    make_registration(event, party_size=2)
    make_registration(event, name="Wim", email="wim@example.org", status="waitlisted", party_size=3)
    make_registration(event, name="Mia", email="mia@example.org", rsvp="maybe")
    make_registration(event, name="Noa", email="noa@example.org", rsvp="no")
    page = Page.of(olga.get("/organize/"))
    assert "2 attending A day of reflection / 5" in page.text
    for words, number, who in (
        ("attending", "2", "Amira"),
        ("waiting for", "3", "Wim"),
        ("said maybe to", "1", "Mia"),
        ("said no to", "1", "Noa"),
    ):
        address = page.link(f"{number} {words} {event.title}")
        listed = Page.of(olga.get(address)).text
        assert f"1 registration, {number} p" in listed
        assert [name for name in ("Amira", "Wim", "Mia", "Noa") if f"{name}" in listed] == [who]


def test_list_shows_upcoming_first_past_behind_its_tab_and_finds_by_words(
    olga: Any, make_event: Any, make_organizer: Any, now: Any
) -> None:
    make_event(title="Tea in May", starts_at=now.replace(year=2027, month=5))
    make_event(title="Café in June", starts_at=now.replace(year=2027, month=6))
    make_event(title="Old tea", starts_at=now.replace(year=2025))
    make_event(title="Secret tea", organizer=make_organizer(email="sam@example.org"))
    upcoming = Page.of(olga.get("/organize/")).text
    assert upcoming.index("Tea in May") < upcoming.index("Café in June")
    assert "Old tea" not in upcoming
    assert "Secret tea" not in upcoming
    assert "Upcoming (2)" in upcoming
    assert "Past (1)" in upcoming
    assert "Old tea" in Page.of(olga.get("/organize/?when=past")).text
    found = Page.of(olga.get("/organize/?q=cafe")).text
    assert "Café in June" in found
    assert "Tea in May" not in found
    assert "No event here has these words." in Page.of(olga.get("/organize/?q=%00zzz&page=-1")).text


@pytest.mark.sqlite_only
def test_list_asks_the_database_as_often_for_many_events_as_for_one(
    olga: Any, make_event: Any, make_registration: Any
) -> None:
    make_registration(make_event(title="One"))
    olga.get("/organize/")
    with query_counter() as few:
        olga.get("/organize/")
    for number in range(12):
        make_registration(make_event(title=f"More {number}"))
    with query_counter() as many:
        olga.get("/organize/")
    assert few.count == many.count <= 5


def test_history_says_in_words_who_did_what(olga: Any, make_event: Any) -> None:
    event = make_event()
    page = Page.of(olga.get(f"/organize/events/{event.slug}/edit"))
    page.submit(
        olga,
        page.form("title").set(title="A day of cake", starts_at="2026-11-05T10:00", ends_at="2026-11-05T12:00"),
        button="save",
    )
    text = Page.of(olga.get(f"/organize/events/{event.slug}/history")).text
    assert "Olga Ortega changed the event" in text
    assert "Title: A day of reflection → A day of cake" in text
    assert "→ Thursday, November 5, 2026, 10:00 AM EST" in text


def test_picture_needs_words_is_shown_and_goes_again(olga: Any, make_event: Any, tmp_path: Any) -> None:
    import io

    from PIL import Image

    event = make_event(status="draft")
    buffer = io.BytesIO()
    Image.effect_noise((440, 400), 90).convert("RGB").save(buffer, "PNG")
    assert 256 * 1024 < buffer.tell() < 480 * 1024, "larger than other forms may be, and kept in memory by the client"
    address = f"/organize/events/{event.slug}/picture"
    page = Page.of(olga.get(address))

    def send(**values: Any) -> Any:
        return olga.post(address, data={**dict(page.form("picture").data()), **values})

    assert "Choose a picture." in Page.of(send(picture_alt="Steps")).text
    wordless = send(picture=(io.BytesIO(buffer.getvalue()), "x.png"))
    assert wordless.status_code == 422
    assert "what the picture shows" in Page.of(wordless).text
    broken = send(picture=(io.BytesIO(b"no picture"), "x.png"), picture_alt="Steps")
    assert "That file is not a JPEG, PNG, WebP or GIF picture." in Page.of(broken).text
    assert send(picture=(io.BytesIO(buffer.getvalue()), "x.png"), picture_alt="Steps").status_code == 302
    assert olga.get(f"{address}.webp").mimetype == "image/webp"
    assert "It shows: Steps" in Page.of(olga.get(address)).text
    press(olga, address, "Remove the picture")
    assert olga.get(f"{address}.webp").status_code == 404

"""A stored answer stays valid for its owner, whatever became of the question; numbers are never filled in."""

from typing import Any

import pytest
from sqlalchemy import select

from eventreg.audit import AuditEntry
from eventreg.events.models import Question
from eventreg.registrations.models import Answer, Registration
from tests.support.html import Page

MEAL = {"label": "Meal", "kind": "choice", "choices": "Meat\nVegan\nFish"}


@pytest.fixture
def link(app):
    links = app.extensions["eventreg.links"]
    return lambda registration: "/r/" + links.manage_token(registration.id, registration.link_generation)


def answers(session) -> dict[int, str]:
    session.expire_all()
    return {one.question_id: one.value for one in session.scalars(select(Answer))}


def change_question(session, **columns: Any) -> Question:
    question = session.scalars(select(Question)).one()
    for name, value in columns.items():
        setattr(question, name, value)
    session.commit()
    return question


@pytest.mark.parametrize(
    ("asked", "given", "later"),
    [
        (MEAL, "Vegan", {"choices": "Meat\nFish"}),
        (MEAL, "Vegan", {"choices": "Meat\nVegan or vegetarian\nFish", "required": True}),
        (MEAL, "Vegan", {"kind": "text"}),
        ({"label": "Meal"}, "no nuts", {"kind": "checkbox"}),
        ({"label": "Meal"}, "no nuts", {"kind": "choice", "choices": "Meat\nFish", "required": True}),
        ({"label": "Meal", "kind": "paragraph"}, "n" * 400, {"kind": "text"}),
        ({"label": "Meal", "kind": "paragraph"}, "one\ntwo", {"kind": "text"}),
    ],
    ids=["removed", "renamed", "choice to text", "text to box", "text to choice", "too long", "lines to line"],
)
@pytest.mark.parametrize("saver", ["attendee", "organizer"])
def test_stored_answer_stays_when_only_the_name_is_saved(
    saver, asked, given, later, make_event, make_registration, client, olga, session, link
) -> None:
    event = make_event(questions=[asked])
    registration = make_registration(event, answers={"Meal": given})
    question = change_question(session, **later)
    who, address = (client, link(registration)) if saver == "attendee" else (olga, person(event, registration))
    page = Page.of(who.get(address))
    assert page.submit(who, page.form("rsvp").set(name="Amira H.")).status_code in {302, 303}
    assert answers(session) == {question.id: given}
    noted = session.scalars(select(AuditEntry.changes).where(AuditEntry.action == "registration.changed")).one()
    assert noted == {"name": ["Amira Haddad", "Amira H."]}


def person(event, registration) -> str:
    return f"/organize/events/{event.slug}/attendees/{registration.id}"


def test_removed_choice_is_offered_to_its_owner_alone(make_event, make_registration, client, session, link) -> None:
    event = make_event(questions=[MEAL])
    registration = make_registration(event, answers={"Meal": "Vegan"})
    question = change_question(session, choices="Meat\nFish")
    page = Page.of(client.get(link(registration)))
    assert "Vegan (no longer offered)" in page.text
    fields = {"rsvp": "yes", "name": "Zoe", "email": "zoe@example.org", f"q-{question.id}": "Vegan"}
    new = Page.of(client.get(f"/events/{event.slug}/rsvp"))
    token = dict(new.form("rsvp").data())["csrf_token"]
    refused = client.post(f"/events/{event.slug}/rsvp", data=fields | {"csrf_token": token})
    assert (refused.status_code, session.query(Registration).count()) == (422, 1)
    saved = page.submit(client, page.form("rsvp").fill(f"q-{question.id}", "Fish"))
    assert (saved.status_code, answers(session)) == (303, {question.id: "Fish"})
    assert "Vegan" not in Page.of(client.get(link(registration))).text


def test_box_left_out_of_a_request_stays_ticked_and_one_unticked_on_the_page_does_not(
    make_event, make_registration, client, session, link
) -> None:
    event = make_event(questions=[{"label": "Bus", "kind": "checkbox"}])
    registration = make_registration(event, answers={"Bus": "yes"})
    page = Page.of(client.get(link(registration)))
    token = dict(page.form("rsvp").data())["csrf_token"]
    partial = {"rsvp": "yes", "name": "Amira H.", "csrf_token": token}
    assert client.post(link(registration), data=partial).status_code == 303
    assert list(answers(session).values()) == ["yes"]
    page = Page.of(client.get(link(registration)))
    assert page.submit(client, page.form("rsvp").fill(page.form("rsvp").names[-1], [])).status_code == 303
    assert answers(session) == {}


@pytest.mark.parametrize("typed", ["", "  ", "two", "1.5", "\u200b"])
def test_party_that_is_no_number_keeps_the_seats_and_says_so(
    typed, make_event, make_registration, client, olga, session, link
) -> None:
    event = make_event(capacity=9)
    registration = make_registration(event, party_size=4)
    for who, address in ((client, link(registration)), (olga, person(event, registration))):
        page = Page.of(who.get(address))
        refused = page.submit(who, page.form("rsvp").set(party_size=typed))
        said = Page.of(refused).text
        assert refused.status_code == 422
        assert "Enter a number, like 2." in said if not typed.strip() else "number, like 2." in said
    session.expire_all()
    assert (session.get(Registration, registration.id).party_size, session.get(type(event), event.id).seats_taken) == (
        4,
        4,
    )


def test_party_left_empty_does_not_hold_up_a_no_and_keeps_its_number(
    make_event, make_registration, client, session, link
) -> None:
    registration = make_registration(make_event(), party_size=3)
    page = Page.of(client.get(link(registration)))
    assert page.submit(client, page.form("rsvp").set(rsvp="no", party_size="")).status_code == 303
    session.expire_all()
    row = session.get(Registration, registration.id)
    assert (row.rsvp, row.party_size) == ("no", 3)


@pytest.mark.parametrize("size", ["5", "4", "3", "1"])
@pytest.mark.parametrize("now_at_most", [1, 3])
def test_party_above_a_lowered_maximum_may_stay_or_shrink(
    size, now_at_most, make_event, make_registration, client, olga, session, link
) -> None:
    event = make_event(max_party_size=now_at_most, capacity=20)
    for who in ("attendee", "organizer"):
        registration = make_registration(event, party_size=5, email=f"{who}@example.org")
        browser, address = (client, link(registration)) if who == "attendee" else (olga, person(event, registration))
        page = Page.of(browser.get(address))
        saved = page.submit(browser, page.form("rsvp").set(name="Amira H.", party_size=size))
        assert saved.status_code in {302, 303}, who
        session.expire_all()
        assert session.get(Registration, registration.id).party_size == int(size)
        page = Page.of(browser.get(address))
        grown = page.submit(browser, page.form("rsvp").set(party_size="6"))
        assert grown.status_code == 422
    assert session.get(type(event), event.id).seats_taken == 2 * int(size)


def test_party_above_a_lowered_maximum_does_not_grow_back(make_event, make_registration, client, session, link) -> None:
    registration = make_registration(make_event(max_party_size=3), party_size=4)
    page = Page.of(client.get(link(registration)))
    before = page.form("rsvp").set(party_size="2")
    assert page.submit(client, before).status_code == 303
    page = Page.of(client.get(link(registration)))
    assert page.submit(client, page.form("rsvp").set(party_size="4")).status_code == 422
    assert page.submit(client, page.form("rsvp").set(party_size="3")).status_code == 303


def test_party_that_comes_back_after_a_no_keeps_to_the_maximum(
    make_event, make_registration, session, client, link
) -> None:
    event = make_event(max_party_size=3, capacity=9)
    registration = make_registration(event, party_size=5, rsvp="no")
    page = Page.of(client.get(link(registration)))
    assert page.submit(client, page.form("rsvp").set(rsvp="yes")).status_code == 422
    assert page.submit(client, page.form("rsvp").set(rsvp="yes", party_size="3")).status_code == 303
    assert (registration.rsvp, registration.party_size, event.seats_taken) == ("yes", 3, 3)


def test_history_names_the_question_by_its_words(make_event, make_registration, client, olga, session, link) -> None:
    event = make_event(questions=[MEAL])
    registration = make_registration(event)
    page = Page.of(client.get(link(registration)))
    question = session.scalars(select(Question)).one()
    page.submit(client, page.form("rsvp").fill(f"q-{question.id}", "Fish"))
    session.add(
        AuditEntry(
            at=registration.created_at,
            actor_kind="attendee",
            actor_name="",
            action="registration.changed",
            event_id=event.id,
            registration_id=registration.id,
            changes={f"answer {question.id}": ["Fish", "Meat"], "answer 999": ["a", "b"]},
        )
    )
    change_question(session, label="Dinner", retired_at=registration.created_at)
    pages = [f"/organize/events/{event.slug}", f"/organize/events/{event.slug}/history", person(event, registration)]
    for address in pages:
        said = Page.of(olga.get(address)).text
        assert "Meal: empty → Fish" in said, address  # as it was asked then
        assert "Dinner: Fish → Meat" in said, address  # an older entry, which holds no words
        assert "An answer: a → b" in said, address
        assert f"answer {question.id}" not in said.lower(), address

"""No form of the desk overwrites what changed after it was opened; no button acts on what is no longer so."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from eventreg.events.models import Event, Picture, Question
from eventreg.following.models import FollowedCalendar
from eventreg.registrations.models import Registration
from tests.support import site
from tests.support.html import Page


def with_button(page: Page, words: str) -> Any:
    """The page's form whose button says this."""
    return next(form for form in page.forms if any(words in one.value for one in form.controls if one.tag == "button"))


NOTHING_TO_OVERWRITE = {
    "/organize/calendars": "follows another",
    "/organize/events/<slug>/attendees/<int:registration_id>/resend": "mails what is so now",
    "/organize/events/<slug>/attendees/new": "adds",
    "/organize/events/<slug>/duplicate": "copies what is so now",
    "/organize/events/<slug>/questions": "adds",
    "/organize/events/new": "adds",
    "/organize/feed": "changes an address nobody types",
    "/organize/import": "adds",
}
"""Addresses whose form replaces nothing that a person decided."""


def forms(built: site.Site, client: Any, *also: str) -> Iterator[tuple[str, Any]]:
    """Every form of every page of the desk that changes something, `also` of these: (its rule, the form)."""
    adapter = built.app.url_map.bind("events.example.org")
    of_desk = [address for _rule, address in built.addresses("GET", of=lambda rule: rule.rule.startswith("/organize"))]
    for address in [*of_desk, *also]:
        response = client.get(address)
        if response.mimetype != "text/html":
            continue
        for form in Page.of(response).forms:
            path = (form.action or address).removeprefix("https://events.example.org")
            if form.method == "post" and path.startswith("/organize"):
                rule, _arguments = adapter.match(path, method="POST", return_rule=True)
                yield rule.rule, form


def test_every_form_of_the_desk_says_what_its_page_showed(app, factory, session, olga) -> None:
    built = site.build(app, factory)
    session.add(Picture(event_id=built.event.id, digest="0" * 16, alt_text="A hall", width=1, height=1, webp=b""))
    session.add(Question(event_id=built.event.id, label="Bus", position=2))
    session.get_one(FollowedCalendar, built.calendar_id).next_fetch_at = factory.now
    asking = factory.registration(built.event, name="Zoe", email="zoe@example.org", status="pending")
    also = (person(built.event, asking), person(built.event, built.wim), "/organize/events/draft")
    found: dict[str, bool] = {}
    for rule, form in forms(built, olga, *also):
        has_version = any(name.partition("-")[0] == "version" for name in form.names)
        found[rule] = found.get(rule, True) and has_version
    assert {rule for rule, has_version in found.items() if not has_version} <= NOTHING_TO_OVERWRITE.keys()
    posts = {rule.rule for rule, _address in built.addresses("POST", of=lambda rule: rule.rule.startswith("/organize"))}
    assert posts - found.keys() - NOTHING_TO_OVERWRITE.keys() == set()


def test_every_address_of_the_desk_refuses_a_button_of_an_old_page(app, factory, session, olga) -> None:
    built = site.build(app, factory)
    token = dict(Page.of(olga.get("/organize/")).form(action="/auth/logout").data())["csrf_token"]
    before, open_addresses = site.everything(session), []
    for rule, address in built.addresses("POST", of=lambda rule: rule.rule.startswith("/organize")):
        if rule.rule in NOTHING_TO_OVERWRITE or "GET" in (rule.methods or ()):
            continue  # a form with fields of its own: see the tests below
        stale = {"version": "status:00000000", "registration": str(built.amira.id), "csrf_token": token}
        stale[f"version-{built.amira.id}"] = "status:00000000"
        response = olga.post(address, data=stale)
        page = Page.of(response)
        if (response.status_code, "now:" in page.text) != (409, True):
            open_addresses.append((rule.rule, response.status_code))
        else:
            names = {name.partition("-")[0] for name in with_button(page, "Do it anyway").names}
            assert {"version", "csrf_token"} <= names, rule.rule
    assert open_addresses == []
    assert site.everything(session) == before


@pytest.fixture
def link(app):
    links = app.extensions["eventreg.links"]
    return lambda registration: "/r/" + links.manage_token(registration.id, registration.link_generation)


def person(event, registration) -> str:
    return f"/organize/events/{event.slug}/attendees/{registration.id}"


@pytest.mark.parametrize("first", ["attendee", "organizer"])
def test_person_changed_meanwhile_is_shown_and_saved_by_one_press(
    first, make_event, make_registration, client, olga, session, link
) -> None:
    event = make_event(capacity=20)
    registration = make_registration(event, answers={"Dietary or access needs": "no nuts"})
    at_desk, own = (olga, person(event, registration)), (client, link(registration))
    (slow, slow_at), (quick, quick_at) = (at_desk, own) if first == "attendee" else (own, at_desk)
    opened = Page.of(slow.get(slow_at))
    page = Page.of(quick.get(quick_at))
    page.submit(quick, page.form("rsvp").set(party_size="4"))
    conflict = opened.submit(slow, opened.form("rsvp").set(name="Amira H."))
    said = Page.of(conflict)
    assert conflict.status_code == 409
    assert "now: 4" in said.text
    assert "yours: 1" in said.text
    assert "no nuts" in conflict.get_data(as_text=True)
    session.expire_all()
    row = session.get(Registration, registration.id)
    assert (row.name, row.party_size) == ("Amira Haddad", 4)
    form = said.form("rsvp")
    assert dict(form.data())["name"] == "Amira H."
    assert said.submit(slow, form).status_code in {302, 303}
    session.expire_all()
    row = session.get(Registration, registration.id)
    assert (row.name, row.party_size, session.get(Event, event.id).seats_taken) == ("Amira H.", 1, 1)


def test_answer_changed_meanwhile_is_not_overwritten(
    make_event, make_registration, client, olga, session, link
) -> None:
    event = make_event()
    registration = make_registration(event, answers={"Dietary or access needs": "no nuts"})
    opened = Page.of(olga.get(person(event, registration)))
    page = Page.of(client.get(link(registration)))
    question = session.scalars(select(Question)).one()
    page.submit(client, page.form("rsvp").fill(f"q-{question.id}", "no nuts, no milk"))
    conflict = opened.submit(olga, opened.form("rsvp").set(note="rang"))
    said = Page.of(conflict).text
    assert (conflict.status_code, "now: no nuts, no milk" in said, "yours: no nuts" in said) == (409, True, True)


def test_form_without_a_version_or_with_a_strange_one_does_not_crash(
    make_event, make_registration, olga, session
) -> None:
    event = make_event()
    registration = make_registration(event)
    page = Page.of(olga.get(person(event, registration)))
    old = {name: value for name, value in page.form("rsvp").data() if name != "version"}
    assert olga.post(person(event, registration), data=old | {"party_size": "2"}).status_code == 302
    for strange in ("", "x", "party_size:", "\x00" * 9, "name:00000000 " * 400):
        response = olga.post(person(event, registration), data=old | {"party_size": "3", "version": strange})
        assert (response.status_code, "now: 2" in Page.of(response).text) == (409, True)


def test_question_changed_meanwhile_is_shown(make_event, olga, session) -> None:
    event = make_event(questions=[{"label": "Meal", "kind": "choice", "choices": "Meat\nFish"}])
    question = session.scalars(select(Question)).one()
    address = f"/organize/events/{event.slug}/questions/{question.id}"
    opened = Page.of(olga.get(address))
    page = Page.of(olga.get(address))
    page.submit(olga, page.form("label").set(choices="Meat\nFish\nVegan", required="y"))
    conflict = opened.submit(olga, opened.form("label").set(label="Which meal?"))
    said = Page.of(conflict)
    assert (conflict.status_code, "now: Meat" in said.text, "yours: no" in said.text) == (409, True, True)
    session.expire_all()
    assert (question.label, question.choices) == ("Meal", "Meat\nFish\nVegan")
    assert said.submit(olga, said.form("label")).status_code == 302
    session.expire_all()
    assert (question.label, question.choices, question.required) == ("Which meal?", "Meat\nFish", False)


def test_event_changed_meanwhile_is_shown_field_by_field(make_event, olga, session) -> None:
    event = make_event(capacity=10)
    address = f"/organize/events/{event.slug}/edit"
    opened, page = Page.of(olga.get(address)), Page.of(olga.get(address))
    page.submit(olga, page.form("title").set(capacity="30", needs_approval="y"))
    conflict = opened.submit(olga, opened.form("title").set(title="Another title"), button="save")
    said = Page.of(conflict)
    assert (conflict.status_code, "now: 30" in said.text, "yours: 10" in said.text) == (409, True, True)
    assert "Title: empty" not in said.text
    assert said.submit(olga, said.form("title"), button="save").status_code == 302
    session.expire_all()
    assert (event.title, event.capacity, event.needs_approval) == ("Another title", 10, False)


def test_approval_of_a_party_that_grew_meanwhile_is_asked_again(
    make_event, make_registration, client, olga, session, link
) -> None:
    event = make_event(needs_approval=True, max_party_size=8)
    registration = make_registration(event, status="pending", party_size=2)
    lists = f"/organize/events/{event.slug}/attendees?status=pending"
    opened, listed = Page.of(olga.get(person(event, registration))), Page.of(olga.get(lists))
    page = Page.of(client.get(link(registration)))
    page.submit(client, page.form("rsvp").set(party_size="7"))
    asked = opened.submit(olga, opened.form(action="/approve"))
    assert (asked.status_code, "now: 7" in Page.of(asked).text) == (409, True)
    form = listed.form(action="/decide")
    data = [*form.data("approve"), ("registration", str(registration.id))]
    data.append((f"version-{registration.id}", opened.form(action="/approve").named("version")[0].value))
    together = olga.post(f"/organize/events/{event.slug}/attendees/decide", data=dict(data))
    assert (together.status_code, "Amira Haddad: People" in Page.of(together).text) == (409, True)
    session.expire_all()
    assert session.get(Registration, registration.id).status == "pending"
    again = Page.of(together)
    assert again.submit(olga, with_button(again, "Do it anyway")).status_code == 302
    session.expire_all()
    assert session.get(Registration, registration.id).status == "confirmed"


def test_single_approval_is_done_by_the_second_press(make_event, make_registration, olga, session) -> None:
    event = make_event(needs_approval=True, max_party_size=8)
    registration = make_registration(event, status="pending", party_size=2)
    opened = Page.of(olga.get(person(event, registration)))
    registration.party_size = 3
    session.commit()
    again = Page.of(opened.submit(olga, opened.form(action="/approve")))
    assert again.submit(olga, with_button(again, "Do it anyway")).status_code == 302
    session.expire_all()
    assert session.get(Registration, registration.id).status == "confirmed"


def test_followed_calendar_that_was_paused_meanwhile_is_not_removed_unseen(olga, make_organizer, now, session) -> None:
    calendar = FollowedCalendar(
        url="https://example.org/c.ics", organizer_id=make_organizer().id, created_at=now, next_fetch_at=now
    )
    session.add(calendar)
    session.commit()
    opened, page = (
        Page.of(olga.get(f"/organize/calendars/{calendar.id}/remove")),
        Page.of(olga.get("/organize/calendars")),
    )
    assert page.submit(olga, page.form(action="/pause")).status_code == 302
    refused = opened.submit(olga, opened.form(action="/remove"))
    assert (refused.status_code, "Paused" in Page.of(refused).text) == (409, True)
    session.expire_all()
    assert session.get(FollowedCalendar, calendar.id) is not None


def test_people_of_another_organizers_event_are_not_told_by_the_difference(
    make_event, make_registration, make_organizer, olga
) -> None:
    sam = make_organizer(email="sam@example.org", name="Sam")
    theirs = make_registration(make_event(organizer=sam), name="Secret Guest", status="pending")
    mine = make_event(title="Mine")
    token = dict(Page.of(olga.get("/organize/")).form(action="/auth/logout").data())["csrf_token"]
    data = {"registration": str(theirs.id), f"version-{theirs.id}": "name:00000000", "csrf_token": token}
    response = olga.post(f"/organize/events/{mine.slug}/attendees/decide", data=data)
    assert (response.status_code, "Secret" in response.get_data(as_text=True)) == (302, False)


@pytest.mark.parametrize(
    ("left_empty", "status"),
    [("max_party_size", 422), ("capacity", 302), ("offer_hours", 302), ("reminder_hours", 302)],
)
def test_number_left_empty_is_never_filled_in(left_empty, status, make_event, olga, session) -> None:
    event = make_event(max_party_size=4, capacity=9, offer_hours=12)
    page = Page.of(olga.get(f"/organize/events/{event.slug}/edit"))
    saved = page.submit(olga, page.form("title").set(**{left_empty: " "}), button="save")
    session.expire_all()
    kept = getattr(event, left_empty)
    assert (saved.status_code, kept) == (status, 4 if left_empty == "max_party_size" else None)
    assert ("Enter a number, like 2." in Page.of(saved).text) == (status == 422)

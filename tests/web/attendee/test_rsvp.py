"""The RSVP form as somebody fills it in."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from eventreg.events.models import Event, Question
from eventreg.outbox.models import Message
from eventreg.registrations.models import Answer, Registration
from tests.support.html import Page, csrf
from tests.support.queries import query_counter


def open_form(client, event: Event) -> Page:
    response = client.get(f"/events/{event.slug}/rsvp")
    assert response.status_code == 200
    return Page.of(response)


def send(client, event: Event, **values):
    page = open_form(client, event)
    form = page.form("rsvp").set(**{"name": "Amira Haddad", "email": "amira@example.org", "rsvp": "yes", **values})
    return page.submit(client, form)


def rows(session) -> list[Registration]:
    return list(session.scalars(select(Registration).order_by(Registration.id)))


def test_rsvp_for_two_with_a_need_says_so_in_words(make_event, client, session) -> None:
    event = make_event(capacity=10)
    response = send(client, event, party_size="2", q__1="no nuts\r\nplease")
    assert response.status_code == 303
    page = Page.of(client.get(response.location))
    assert "You are coming, with one guest." in page.text
    assert "Attending: A day of reflection" in page.text
    assert [(one.name, one.party_size, one.status) for one in rows(session)] == [("Amira Haddad", 2, "confirmed")]
    assert session.scalars(select(Answer.value)).all() == ["no nuts\nplease"]
    assert session.get(Event, event.id).seats_taken == 2


def test_result_page_never_says_sent_where_no_mail_server_is_set(make_event, client) -> None:
    event = make_event()
    page = Page.of(client.get(send(client, event).location))
    assert "This site has no mail server yet" in page.text
    assert "on its way" not in page.text


def test_contract_fields_alone_are_enough(make_event, client, session) -> None:
    event = make_event()
    token = csrf(client.get(f"/events/{event.slug}/rsvp").text)
    data = {"name": "Amira", "email": "a@example.org", "rsvp": "yes", "party_size": "1", "csrf_token": token}
    assert client.post(f"/events/{event.slug}/rsvp", data=data).status_code == 303
    assert len(rows(session)) == 1


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"name": ""}, "name", "Please give your name."),
        ({"name": "x" * 201}, "name", "This has 201 characters. Shorten it to 200."),
        ({"name": " \x00\x07 "}, "name", "Please give your name."),
        ({"email": ""}, "email", "Please give your e-mail address."),
        ({"email": "amira"}, "email", "is not an e-mail address we can write to"),
        ({"email": "a@b@c.org"}, "email", "is not an e-mail address we can write to"),
        ({"email": "x" * 250 + "@example.org"}, "email", "at most 254 characters"),
        ({"email": "amira@example.org\r\nBcc: sam@example.org"}, "email", "is not an e-mail address"),
        ({"party_size": "5"}, "party_size", "This event takes 1 to 4 people"),
        ({"party_size": "0"}, "party_size", "This event takes 1 to 4 people"),
        ({"party_size": "-1"}, "party_size", "This event takes 1 to 4 people"),
        ({"party_size": "two"}, "party_size", "Write a whole number, like 2."),
        ({"party_size": "--1"}, "party_size", "Write a whole number, like 2."),
        ({"party_size": "9" * 5000}, "party_size", "Write a whole number, like 2."),
        ({"q__1": "x" * 3001}, "q-1", "This has 3001 characters. Shorten it to 3000."),
    ],
)
def test_bad_field_is_named_beside_it_and_in_the_summary_and_nothing_is_lost(
    make_event, client, session, values, field, words
) -> None:
    event = make_event()
    response = send(client, event, **{"q__1": "no nuts", **values})
    page = Page.of(response)
    assert response.status_code == 422
    assert page.text.count(words) >= 2, "once at the field, once in the summary"
    assert f'id="{field}-error"' in response.text
    assert 'aria-invalid="true"' in response.text
    assert "autofocus" in response.text.split('role="alert"')[1][:80]
    again = page.form("rsvp")
    kept = {one.name: one.value for one in again.controls}
    if "q__1" not in values:
        assert kept["q-1"] == "no nuts"
    if "name" not in values:
        assert kept["name"] == "Amira Haddad"
    assert rows(session) == []


@pytest.mark.sqlite_only
def test_no_answer_chosen_is_asked_for(make_event, client) -> None:
    event = make_event()
    page = open_form(client, event)
    response = page.submit(client, page.form("rsvp").set(name="Amira", email="amira@example.org"))
    assert response.status_code == 422
    assert "Choose yes, maybe or no." in Page.of(response).text


@pytest.mark.sqlite_only
def test_answer_that_is_none_of_the_three_is_refused_in_our_words(make_event, client, session) -> None:
    event = make_event()
    token = csrf(client.get(f"/events/{event.slug}/rsvp").text)
    data = {"name": "Sam", "email": "s@example.org", "rsvp": "perhaps", "csrf_token": token}
    response = client.post(f"/events/{event.slug}/rsvp", data=data)
    assert (response.status_code, "Choose yes, maybe or no." in Page.of(response).text) == (422, True)
    assert rows(session) == []


@pytest.mark.sqlite_only
def test_required_question_holds_up_only_those_who_come(make_event, client, session) -> None:
    event = make_event(
        questions=[{"label": "Which bus?", "required": True, "kind": "choice", "choices": "North\nSouth"}]
    )
    response = send(client, event)
    assert (response.status_code, "Please answer this question." in response.text) == (422, True)
    assert send(client, event, rsvp="no").status_code == 303
    assert send(client, event, email="wim@example.org", q__1="South").status_code == 303
    token = csrf(client.get(f"/events/{event.slug}/rsvp").text)
    data = {"name": "Sam", "email": "s@example.org", "rsvp": "yes", "q-1": "East", "csrf_token": token}
    assert client.post(f"/events/{event.slug}/rsvp", data=data).status_code == 422
    assert [one.email for one in rows(session)] == ["amira@example.org", "wim@example.org"]


def test_known_address_sees_the_page_a_stranger_sees_and_is_mailed_the_link(
    make_event, make_client, clock, session
) -> None:
    event = make_event(capacity=10)
    send(make_client(), event, party_size="2")
    clock.now += timedelta(minutes=5)
    known_client, strange_client = make_client(), make_client()
    known = send(known_client, event, email="AMIRA@example.org ", name="Sam Stranger")
    strange = send(strange_client, event, email="sam@example.org", name="Sam Stranger")
    pages = [
        Page.of(one.get(answer.location)).text for one, answer in ((known_client, known), (strange_client, strange))
    ]
    assert pages[0] == pages[1]
    assert known.location == strange.location
    assert [(one.email, one.party_size, one.name) for one in rows(session)] == [
        ("amira@example.org", 2, "Amira Haddad"),
        ("sam@example.org", 1, "Sam Stranger"),
    ]
    mails = [(one.kind, one.recipient) for one in session.scalars(select(Message).order_by(Message.id))]
    assert mails == [
        ("confirmation", "amira@example.org"),
        ("link", "amira@example.org"),
        ("confirmation", "sam@example.org"),
    ]


def test_full_event_offers_the_waitlist_and_says_the_place_in_line(make_event, make_registration, client) -> None:
    event = make_event(capacity=1)
    make_registration(event, email="first@example.org")
    page = open_form(client, event)
    assert "Every place is taken. You can join the waitlist." in page.text
    result = Page.of(client.get(send(client, event).location))
    assert "You are on the waitlist, number 1 in line." in result.text


def test_form_says_that_free_places_are_held_for_somebody_who_waits(make_event, make_registration, client) -> None:
    event = make_event(capacity=5, waitlist_rule="hold")
    make_registration(event, email="first@example.org", party_size=3)
    assert "Holds a place for you." in open_form(client, event).text
    make_registration(event, email="waits@example.org", party_size=3, status="waitlisted")
    page = open_form(client, event)
    assert "The places left are held for people who wait. You can join the waitlist." in page.text
    assert "Holds a place for you." not in page.text
    result = Page.of(client.get(send(client, event).location))
    assert "You are on the waitlist, number 2 in line." in result.text


def test_party_that_does_not_fit_is_offered_the_waitlist_whole(make_event, make_registration, client, session) -> None:
    event = make_event(capacity=4)
    make_registration(event, email="first@example.org", party_size=2)
    response = send(client, event, party_size="3", q__1="no nuts")
    assert response.status_code == 422
    page = Page.of(response)
    assert "Only 2 places are left, and your party is 3. RSVP for 2, or tick the box to wait together." in page.text
    assert len(rows(session)) == 1
    again = page.submit(client, page.form("rsvp").set(join_waitlist="y"))
    assert "You are on the waitlist as a party of 3, number 1 in line." in Page.of(client.get(again.location)).text
    assert session.get(Event, event.id).seats_taken == 2


@pytest.mark.sqlite_only
def test_form_opened_before_the_close_is_refused_a_second_after_it_with_the_time(
    make_event, client, clock, now
) -> None:
    event = make_event(registration_closes_at=now + timedelta(minutes=10))
    page = open_form(client, event)
    clock.now = now + timedelta(minutes=10, seconds=1)
    response = page.submit(client, page.form("rsvp").set(name="Amira", email="amira@example.org", rsvp="yes"))
    assert response.status_code == 409
    assert "Registration closed on Monday, October 5, 2026, 12:10 PM EDT." in Page.of(response).text


@pytest.mark.sqlite_only
def test_form_filled_in_quicker_than_a_person_can_comes_back_with_the_answers(
    make_event, make_app, make_client, clock, session
) -> None:
    event = make_event()
    client = make_client(make_app(MIN_FILL_SECONDS=2))
    page = open_form(client, event)
    form = page.form("rsvp").set(name="Amira", email="amira@example.org", rsvp="yes", q__1="no nuts")
    clock.now += timedelta(seconds=1)
    response = page.submit(client, form)
    again = Page.of(response)
    assert (response.status_code, "That did not go through That was very quick." in again.text) == (422, True)
    assert ("q-1", "no nuts") in again.form("rsvp").data()
    clock.now += timedelta(seconds=2)
    assert again.submit(client, again.form("rsvp")).status_code == 303
    assert len(rows(session)) == 1


@pytest.mark.sqlite_only
def test_form_that_was_never_opened_is_taken_for_a_robots_once(
    make_event, make_app, make_client, clock, session
) -> None:
    event, other = make_event(), make_event(title="Another")
    client = make_client(make_app(MIN_FILL_SECONDS=2))
    data = {"name": "Sam", "email": "sam@example.org", "rsvp": "yes"}
    data["csrf_token"] = csrf(client.get(f"/events/{other.slug}/rsvp").text)
    clock.now += timedelta(minutes=1)
    assert client.post(f"/events/{event.slug}/rsvp", data=data).status_code == 422
    clock.now += timedelta(seconds=3)
    assert client.post(f"/events/{event.slug}/rsvp", data=data).status_code == 303


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"registration_opens_at": "later"}, "Registration has not opened yet Registration opens on "),
        ({"registration_closes_at": "before"}, "Registration is closed Registration closed on "),
        ({"starts_at": "before"}, "This event is over Already registered?"),
    ],
)
def test_closed_form_says_why_once(make_event, client, now, given, said) -> None:
    moments = {"later": now + timedelta(days=1), "before": now - timedelta(days=1)}
    event = make_event(**{name: moments[when] for name, when in given.items()})
    page = Page.of(client.get(f"/events/{event.slug}/rsvp"))
    assert said in page.text


@pytest.mark.sqlite_only
def test_trap_for_robots_comes_back_with_the_answers(make_event, client, session) -> None:
    event = make_event()
    response = send(client, event, leave_empty="https://spam.example")
    page = Page.of(response)
    assert response.status_code == 422
    assert ("name", "Amira Haddad") in page.form("rsvp").data()
    assert ("leave_empty", "") in page.form("rsvp").data()
    assert rows(session) == []


@pytest.mark.sqlite_only
def test_missing_or_strange_csrf_token_gives_everything_back(make_event, client, session) -> None:
    event = make_event()
    data = {"name": "Amira", "email": "a@example.org", "rsvp": "yes", "q-1": "no nuts"}
    for token in ({}, {"csrf_token": "x"}, {"csrf_token": "\x00"}):
        response = client.post(f"/events/{event.slug}/rsvp", data=data | token)
        page = Page.of(response)
        assert response.status_code == 422
        assert ("q-1", "no nuts") in page.form("rsvp").data()
        assert "What you wrote is still here; send it again." in page.text
        assert "CSRF" not in page.text
    assert rows(session) == []


@pytest.mark.sqlite_only
def test_one_address_or_one_visitor_has_a_limit_and_keeps_what_was_typed(make_event, make_app, make_client) -> None:
    event = make_event()
    client = make_client(make_app(RATELIMIT_ENABLED=True))
    answers = [send(client, event, email="Victim@example.org") for _ in range(11)]
    assert [one.status_code for one in answers] == [303] * 10 + [429]
    page = Page.of(answers[-1])
    assert "Wait a few minutes" in page.text
    assert ("email", "Victim@example.org") in page.form("rsvp").data()
    assert send(client, event, email="somebody.else@example.org").status_code == 303
    assert [send(client, event, email="").status_code for _ in range(11)] == [422] * 11


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "given", [{"status": "draft"}, {"visibility": "private"}, {"status": "draft", "visibility": "unlisted"}]
)
def test_event_the_public_may_not_see_has_no_form(make_event, client, given) -> None:
    event = make_event(**given)
    assert client.get(f"/events/{event.slug}/rsvp").status_code == 404
    assert client.post(f"/events/{event.slug}/rsvp").status_code == 404


@pytest.mark.sqlite_only
def test_result_page_opens_with_its_own_token_only(make_event, client) -> None:
    event, other = make_event(), make_event(title="Another")
    location = send(client, event).location
    token = location.rsplit("/", 1)[1]
    assert client.get(f"/events/{other.slug}/rsvp/{token}").status_code == 404
    assert client.get(f"/events/{event.slug}/rsvp/{token}x").status_code == 404


@pytest.mark.sqlite_only
def test_hostile_name_and_answer_are_shown_as_text(make_event, client, session) -> None:
    event = make_event()
    name = "<script>alert(1)</script>"
    response = send(client, event, name=name, email="", q__1="</textarea><b>x")
    assert name not in response.text
    assert "</textarea><b>x" not in response.text
    assert ("name", name) in Page.of(response).form("rsvp").data()


def test_rsvp_post_issues_at_most_six_statements(make_event, client, session) -> None:
    event = make_event(capacity=10)
    page = open_form(client, event)
    form = page.form("rsvp").set(name="Amira", email="amira@example.org", rsvp="yes", q__1="no nuts")
    with query_counter() as queries:
        page.submit(client, form)
    first = [one.split()[0] for one in queries.statements]
    again = open_form(client, event)
    form = again.form("rsvp").set(name="Wim", email="wim@example.org", rsvp="yes", q__1="no nuts")
    with query_counter() as queries:
        again.submit(client, form)
    assert [one.split()[0] for one in queries.statements] == first[1:]
    assert first == [
        "SELECT",
        "UPDATE",
        "INSERT",
        "INSERT",
        "INSERT",
    ]


def test_question_added_since_the_last_answer_holds_up_the_next(make_event, client, session) -> None:
    event = make_event(capacity=10)
    assert send(client, event, email="amira@example.org").status_code == 303
    page = open_form(client, event)
    form = page.form("rsvp").set(name="Wim", email="wim@example.org", rsvp="yes")
    session.add(Question(event_id=event.id, position=9, label="Which table?", kind="text", required=True))
    session.commit()
    refused = page.submit(client, form)
    assert (refused.status_code, "Which table?" in refused.text) == (422, True)
    assert send(client, event, email="wim@example.org", rsvp="no").status_code == 303
    assert [row.email for row in rows(session)] == ["amira@example.org", "wim@example.org"]


def test_event_taken_back_since_the_last_answer_has_no_form(make_event, client, session) -> None:
    event = make_event(capacity=10)
    assert send(client, event, email="amira@example.org").status_code == 303
    page = open_form(client, event)
    forms = [page.form("rsvp").set(name="Wim", email="wim@example.org", rsvp=rsvp) for rsvp in ("yes", "no")]
    event.visibility = "private"
    session.commit()
    assert [page.submit(client, form).status_code for form in forms] == [404, 404]
    assert [row.email for row in rows(session)] == ["amira@example.org"]

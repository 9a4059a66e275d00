"""One answer per opening of the form, and nothing else refused by it."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration
from tests.support.html import Page


@pytest.fixture
def event(make_event):
    return make_event(capacity=100, slug="talk")


def opened(client, **given) -> dict[str, str]:
    form = Page.of(client.get("/events/talk/rsvp")).form("rsvp")
    return dict(form.set(name="Amira", rsvp="yes", **given).data())


def answer(client, form: dict[str, str], email: str, **given: str):
    return client.post("/events/talk/rsvp", data={**form, "email": email, **given})


def live(session) -> list[str]:
    return list(
        session.scalars(select(Registration.email).where(Registration.status != "cancelled").order_by(Registration.id))
    )


def test_one_opening_takes_one_address_however_often_its_cookie_is_sent(client, event, session) -> None:
    form, cookie = opened(client), client.get_cookie("session").value
    codes = []
    for number in range(12):
        client.set_cookie("session", cookie)
        codes.append(answer(client, form, f"p{number}@example.org", party_size="1").status_code)
    assert codes == [303] + [409] * 11
    assert live(session) == ["p0@example.org"]
    assert event.seats_taken == 1


@pytest.mark.parametrize("rsvp", ["no", "maybe"])
def test_answers_without_a_seat_use_up_the_opening_too(client, event, session, rsvp) -> None:
    form, cookie = opened(client), client.get_cookie("session").value
    assert answer(client, form, "amira@example.org", rsvp=rsvp).status_code == 303
    client.set_cookie("session", cookie)
    assert answer(client, form, "wim@example.org").status_code == 409
    assert live(session) == ["amira@example.org"]


def test_refused_form_comes_back_as_typed_and_is_taken_when_sent_again(client, event, session) -> None:
    form = opened(client)
    assert answer(client, form, "amira@example.org").status_code == 303
    page = Page.of(answer(client, form, "wim@example.org", name="Wim"))
    assert "This form was already sent for another address." in page.text
    again = page.form("rsvp")
    assert {("email", "wim@example.org"), ("name", "Wim")} <= set(again.data())
    assert page.submit(client, again).status_code == 303
    assert live(session) == ["amira@example.org", "wim@example.org"]


def test_second_person_opens_the_form_again(client, event, session) -> None:
    for email in ("amira@example.org", "wim@example.org"):
        assert answer(client, opened(client), email).status_code == 303
    assert live(session) == ["amira@example.org", "wim@example.org"]


def test_same_answer_sent_twice_shows_the_same_page_and_mails_once(client, event, session) -> None:
    form = opened(client)
    pages = [answer(client, form, email) for email in ("amira@example.org", "AMIRA@example.org")]
    assert [one.status_code for one in pages] == [303, 303]
    assert client.get(pages[0].location).text == client.get(pages[1].location).text
    assert len(session.scalars(select(Message)).all()) == 1


def test_form_with_errors_does_not_use_up_its_opening(client, event, session) -> None:
    form = opened(client)
    assert answer(client, form, "nonsense").status_code == 422
    assert answer(client, form, "amira@example.org", name="").status_code == 422
    assert answer(client, form, "amira@example.org").status_code == 303


def test_party_that_does_not_fit_does_not_use_up_the_opening(client, make_event, make_registration, session) -> None:
    make_registration(make_event(capacity=3, slug="talk"), email="first@example.org")
    form = opened(client)
    assert answer(client, form, "amira@example.org", party_size="3").status_code == 422
    assert answer(client, form, "amira@example.org", party_size="2").status_code == 303


def test_openings_of_two_events_are_two(client, event, make_event, session) -> None:
    make_event(slug="other")
    form, other = opened(client), Page.of(client.get("/events/other/rsvp")).form("rsvp")
    assert answer(client, form, "amira@example.org").status_code == 303
    sent = client.post("/events/other/rsvp", data=dict(other.set(name="W", rsvp="yes", email="wim@example.org").data()))
    assert sent.status_code == 303


@pytest.mark.parametrize("known", [True, False])
def test_used_opening_tells_nothing_of_who_is_coming(client, event, make_registration, session, known) -> None:
    """Whether or not Wim was registered, each order of answers gets the same statuses."""
    if known:
        make_registration(event, email="wim@example.org")
    form, cookie = opened(client), client.get_cookie("session").value
    codes = []
    for email in ("wim@example.org", "sam@example.org", "wim@example.org"):
        client.set_cookie("session", cookie)
        codes.append(answer(client, form, email).status_code)
    assert codes == [303, 409, 303]
    form, cookie = opened(client), client.get_cookie("session").value
    codes = []
    for email in ("sam@example.org", "wim@example.org"):
        client.set_cookie("session", cookie)
        codes.append(answer(client, form, email).status_code)
    assert codes == [303, 409], "the other way round"


def test_form_that_was_not_opened_counts_as_opened_once(client, event, make_event, session) -> None:
    make_event(slug="other")
    token = dict(Page.of(client.get("/events/other/rsvp")).form("rsvp").data())["csrf_token"]
    form, cookie = {"name": "Sam", "rsvp": "yes", "csrf_token": token}, client.get_cookie("session").value
    codes = []
    for number in range(3):
        client.set_cookie("session", cookie)
        codes.append(answer(client, form, f"p{number}@example.org").status_code)
    assert codes == [303, 409, 409]


def test_opening_is_good_for_one_answer_across_visits_at_once(make_client, event, session) -> None:
    first = make_client()
    form, cookie = opened(first), first.get_cookie("session").value
    visitors = [make_client() for _ in range(6)]
    codes: list[int] = []

    def send(number: int) -> None:
        codes.append(answer(visitors[number], form, f"p{number}@example.org").status_code)

    for visitor in visitors:
        visitor.session = None
        visitor.set_cookie("session", cookie)
    threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    session.rollback()
    session.expire_all()
    assert sorted(codes) == [303] + [409] * 5
    assert (len(live(session)), event.seats_taken) == (1, 1)


def test_cancelled_registration_does_not_free_its_opening(client, event, session) -> None:
    form, cookie = opened(client), client.get_cookie("session").value
    assert answer(client, form, "amira@example.org").status_code == 303
    registration = session.scalars(select(Registration)).one()
    links = client.application.extensions["eventreg.links"]
    page = Page.of(client.get(f"/r/{links.manage_token(registration.id, 1)}"))
    assert page.submit(client, page.form(action="/cancel")).status_code == 303
    client.set_cookie("session", cookie)
    assert answer(client, form, "wim@example.org").status_code == 409
    assert live(session) == []


def test_open_form_from_before_an_upgrade_is_taken(client, event, session, now) -> None:
    """What the session held before openings were told apart is what it holds now."""
    form = opened(client)
    with client.session_transaction() as kept:
        kept["opened"] = {str(event.id): int((now - timedelta(minutes=1)).timestamp() * 1000)}
    assert answer(client, form, "amira@example.org").status_code == 303

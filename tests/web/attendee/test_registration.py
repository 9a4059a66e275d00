"""My registration behind the signed link, and getting the link again."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from eventreg.events.models import Event
from eventreg.outbox.models import Message
from eventreg.registrations.models import Answer, Registration
from tests.support.html import Page


@pytest.fixture
def link(app):
    links = app.extensions["eventreg.links"]
    return lambda registration: "/r/" + links.manage_token(registration.id, registration.link_generation)


def test_page_shows_the_answer_with_everything_filled_in(make_event, make_registration, client, link) -> None:
    event = make_event(online_url="https://meet.example.org/room", directions="Second floor")
    registration = make_registration(event, party_size=3, answers={"Dietary or access needs": "no nuts"})
    response = client.get(link(registration))
    page = Page.of(response)
    assert "You are coming, with 2 guests." in page.text
    assert "https://meet.example.org/room" in page.text
    assert "Second floor" in page.text
    data = dict(page.form("rsvp").data())
    assert (data["rsvp"], data["name"], data["party_size"], data["q-1"]) == ("yes", "Amira Haddad", "3", "no nuts")
    assert "email" not in data
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("now_at_most", [1, 2])
def test_party_larger_than_the_event_takes_by_now_may_stay_or_say_no(
    now_at_most, make_event, make_registration, client, session, link
) -> None:
    registration = make_registration(make_event(max_party_size=now_at_most), party_size=3)
    page = Page.of(client.get(link(registration)))
    assert page.submit(client, page.form("rsvp").set(name="Amira H.")).status_code == 303
    assert page.submit(client, page.form("rsvp").set(rsvp="no")).status_code == 303
    session.expire_all()
    row = session.get(Registration, registration.id)
    assert (row.rsvp, row.party_size) == ("no", 3)


def test_change_to_one_and_then_cancel(make_event, make_registration, client, session, link) -> None:
    event = make_event(capacity=5)
    registration = make_registration(event, party_size=2)
    page = Page.of(client.get(link(registration)))
    saved = page.submit(client, page.form("rsvp").set(party_size="1", q__1="vegan"))
    assert saved.status_code == 303
    page = Page.of(client.get(saved.location))
    assert "Saved. You are coming." in page.text
    assert (session.get(Event, event.id).seats_taken, session.scalars(select(Answer.value)).all()) == (1, ["vegan"])
    cancelled = page.submit(client, page.form(action="/cancel"))
    page = Page.of(client.get(cancelled.location))
    assert "Your registration is cancelled. You are not attending." in page.text
    assert page.link("Register again") == f"/events/{event.slug}/rsvp"
    assert session.get(Event, event.id).seats_taken == 0
    assert [one.kind for one in session.scalars(select(Message).order_by(Message.id))] == ["changed", "withdrawn"]


def test_opening_a_link_changes_nothing_and_cancelling_needs_a_post_with_a_token(
    make_event, make_registration, client, session, link
) -> None:
    registration = make_registration(make_event())
    address = link(registration)
    assert client.get(f"{address}/cancel").status_code == 405
    assert client.post(f"{address}/cancel").status_code == 400
    assert client.post(address, data={"rsvp": "no", "name": "Sam"}).status_code == 422
    assert session.get(Registration, registration.id).status == "confirmed"


@pytest.mark.sqlite_only
def test_wrong_reset_or_foreign_link_is_unknown(make_event, make_registration, client, session, link, app) -> None:
    registration = make_registration(make_event())
    old = link(registration)
    registration.link_generation += 1
    session.commit()
    for address in (old, "/r/nonsense", "/r/" + app.extensions["eventreg.links"].manage_token(999, 1)):
        unknown = client.get(address)
        page = Page.of(unknown)
        assert (unknown.status_code, page.link("Get your link again")) == (404, "/lost-link")
        assert client.post(f"{address}/cancel").status_code in {400, 404}
    assert client.get(link(registration)).status_code == 200


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("event", "registration", "said"),
    [
        ({"capacity": 9}, {}, "Your place goes to whoever waits."),
        ({"capacity": None}, {}, "Your answer is taken back."),
        ({"capacity": 9}, {"rsvp": "no"}, "Your answer is taken back."),
        ({"capacity": 1}, {"status": "waitlisted"}, "You give up your place in line."),
        ({"needs_approval": True}, {"status": "pending"}, "You can ask again while registration is open."),
    ],
)
def test_cancelling_says_first_what_is_given_up(
    make_event, make_registration, client, link, event, registration, said
) -> None:
    page = Page.of(client.get(link(make_registration(make_event(**event), **registration))))
    every = {"Your place goes", "Your answer is taken", "You give up", "You can ask again"}
    assert (said in page.text, [words in page.text for words in every].count(True)) == (True, 1)


@pytest.mark.sqlite_only
def test_larger_party_than_fits_keeps_the_old_answer_and_says_so(make_event, make_registration, client, link) -> None:
    event = make_event(capacity=3)
    registration = make_registration(event, party_size=2)
    make_registration(event, email="wim@example.org")
    page = Page.of(client.get(link(registration)))
    response = page.submit(client, page.form("rsvp").set(party_size="3"))
    assert response.status_code == 422
    assert "Every other place is taken. Your registration still stands for 2." in Page.of(response).text


@pytest.mark.sqlite_only
def test_page_of_a_cancelled_event_says_that_first_and_offers_nothing(
    make_event, make_registration, client, link
) -> None:
    registration = make_registration(make_event(status="cancelled"))
    page = Page.of(client.get(link(registration)))
    assert "This event was cancelled." in page.text
    assert [form.names for form in page.forms if "rsvp" in form.names] == []


@pytest.mark.sqlite_only
def test_join_link_is_shown_to_nobody_who_only_waits(make_event, make_registration, client, link) -> None:
    event = make_event(online_url="https://meet.example.org/room")
    for given in ({"status": "waitlisted"}, {"rsvp": "maybe"}, {"rsvp": "no"}, {"status": "cancelled"}):
        registration = make_registration(event, email=f"{len(given)}{next(iter(given.values()))}@example.org", **given)
        assert "meet.example.org" not in client.get(link(registration)).text


@pytest.mark.sqlite_only
def test_private_feed_gets_a_new_address_and_the_old_one_dies(make_event, make_registration, client, link) -> None:
    registration = make_registration(make_event())
    page = Page.of(client.get(link(registration)))

    def feed(of: Page) -> str:
        return next(word for word in of.html.split('"') if "/my/" in word).removeprefix("https://events.example.org")

    old = feed(page)
    assert client.get(old).status_code == 200
    page = Page.of(client.get(page.submit(client, page.form(action="/feed")).location))
    assert client.get(old).status_code == 404
    assert client.get(feed(page)).status_code == 200


def test_lost_link_answers_alike_and_mails_only_who_is_registered(
    make_event, make_registration, make_client, session
) -> None:
    make_registration(make_event())
    pages = []
    for address in ("sam@example.org", "Amira@example.org"):
        client = make_client()
        page = Page.of(client.get("/lost-link"))
        response = page.submit(client, page.form("email").set(email=address))
        assert response.status_code == 303
        pages.append(client.get(response.location).text)
    assert pages[0] == pages[1]
    assert [(one.kind, one.recipient) for one in session.scalars(select(Message))] == [("link", "amira@example.org")]


@pytest.mark.sqlite_only
@pytest.mark.parametrize("settings", [{}, {"DEMO": True}, {"MAIL_SERVER": "mail.example.org"}])
def test_lost_link_says_look_in_your_mail_only_where_mail_is_sent(make_app, make_client, settings) -> None:
    page = Page.of(make_client(make_app(**settings)).get("/lost-link/sent"))
    is_sent = "MAIL_SERVER" in settings
    assert ("Look in your" in page.text, "spam folder" in page.text) == (is_sent, is_sent)
    assert ("/dev/mail" in [href for href, _ in page.links]) is ("DEMO" in settings)


@pytest.mark.sqlite_only
def test_lost_link_has_a_limit_per_address(make_app, make_client) -> None:
    client = make_client(make_app(RATELIMIT_ENABLED=True))
    codes = []
    for _ in range(6):
        page = Page.of(client.get("/lost-link"))
        codes.append(page.submit(client, page.form("email").set(email="sam@example.org")).status_code)
    assert codes == [303] * 5 + [429]


@pytest.mark.sqlite_only
def test_newly_required_question_does_not_hold_up_cancelling(make_event, make_registration, client, link) -> None:
    registration = make_registration(make_event(questions=[{"label": "Bus?", "required": True}]))
    page = Page.of(client.get(link(registration)))
    assert page.submit(client, page.form("rsvp").set(name="Amira H")).status_code == 422
    assert page.submit(client, page.form(action="/cancel")).status_code == 303


@pytest.mark.sqlite_only
def test_once_begun_the_answer_stands(make_event, make_registration, client, link, clock) -> None:
    registration = make_registration(make_event())
    page = Page.of(client.get(link(registration)))
    clock.now += timedelta(days=30, minutes=1)
    response = page.submit(client, page.form(action="/cancel"))
    assert response.status_code == 409
    assert "has begun" in Page.of(response).text

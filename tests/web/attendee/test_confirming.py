"""Answers that count once the link mailed to their address was used."""

import re
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from eventreg import jobs
from eventreg.events import service as events
from eventreg.events.models import Question
from eventreg.outbox import queue
from eventreg.outbox.models import Message
from eventreg.registrations import confirming
from eventreg.registrations.models import Answer, Registration
from tests.support.html import Page
from tests.support.letters import text_of
from tests.support.queries import query_counter

HOUR = timedelta(hours=1)


@pytest.fixture
def event(make_event):
    return make_event(capacity=10, slug="talk", confirm_address=True)


def answer(client, email="amira@example.org", **given):
    """Opens the form and sends it."""
    page = Page.of(client.get("/events/talk/rsvp"))
    form = page.form("rsvp", "email")
    return page.submit(client, form.set(**{"name": "Amira Haddad", "email": email, "rsvp": "yes", **given}))


def path_in(mail) -> str:
    return re.search(r"https://events\.example\.org(/confirm/[^\s>]+)", text_of(mail))[1]


def press(client, path: str):
    page = Page.of(client.get(path))
    return page.submit(client, page.form("shown"))


def standing(session) -> list[tuple[str, str, str, int]]:
    session.expire_all()
    rows = session.scalars(select(Registration).order_by(Registration.id))
    return [(row.email, row.rsvp, row.status, row.party_size) for row in rows]


def kinds(session) -> list[str]:
    return list(session.scalars(select(Message.kind).order_by(Message.id)))


def test_invented_addresses_take_no_seat(client, event, session) -> None:
    for number in range(100):
        sent = answer(client, f"p{number}@example.org", rsvp=("yes", "maybe", "no")[number % 3], party_size="1")
        assert (sent.status_code, sent.location) == (303, "/events/talk/rsvp/sent")
    assert standing(session) == []
    assert event.seats_taken == 0
    assert kinds(session) == [confirming.KIND] * 100


def test_person_confirms_by_the_mailed_link_and_changes_the_answer_later(client, event, session, post) -> None:
    assert "We'll e-mail you a link to confirm." in Page.of(client.get("/events/talk")).text
    page = Page.of(client.get("/events/talk/rsvp"))
    assert "We'll e-mail you a link to confirm." in page.text
    form = page.form("rsvp", "email").set(name="Amira", email="Amira@Example.org", rsvp="yes", party_size="2")
    needs = next(name for name in form.names if name.startswith("q-"))
    result = Page.of(page.submit(client, form.fill(needs, "no nuts"), follow_redirects=True))
    assert "Press the button in it within 24 hours to finish. Nothing is saved until then." in result.text
    (mail,) = post()
    assert mail["To"].addresses[0].addr_spec == "Amira@example.org"
    asked = Page.of(client.get(path_in(mail)))
    assert all(words in asked.text for words in ("Amira@example.org", "no nuts", "2"))
    assert (standing(session), event.seats_taken) == ([], 0), "looking changes nothing"
    mine = Page.of(asked.submit(client, asked.form("shown"), follow_redirects=True))
    assert "You are coming, with one guest." in mine.text
    assert standing(session) == [("Amira@example.org", "yes", "confirmed", 2)]
    assert event.seats_taken == 2
    assert session.scalars(select(Answer.value)).all() == ["no nuts"]
    assert session.scalars(select(Message.payload).where(Message.kind == confirming.KIND)).all() == [{}]
    _asked, confirmation = post()
    assert "/r/" in text_of(confirmation)
    assert mine.submit(client, mine.form("rsvp").set(party_size="1")).status_code == 303
    assert event.seats_taken == 1


def test_button_pressed_twice_registers_once(client, event, session, post) -> None:
    answer(client)
    (mail,) = post()
    page = Page.of(client.get(path_in(mail)))
    codes = [page.submit(client, page.form("shown")) for _ in range(2)]
    assert [one.status_code for one in codes] == [303, 303]
    assert codes[0].location == codes[1].location
    assert codes[0].location.startswith("/r/")
    assert len(standing(session)) == event.seats_taken == 1
    assert kinds(session) == [confirming.KIND, "confirmation"]
    used = client.get(path_in(mail))
    assert (used.status_code, "You have confirmed this answer" in Page.of(used).text) == (410, True)
    assert "/events/talk/rsvp" in Page.of(used).html


def test_button_pressed_at_once_from_several_browsers_registers_once(make_client, event, session, post) -> None:
    answer(make_client())
    (mail,) = post()
    browsers = [make_client() for _ in range(4)]
    pages = [Page.of(browser.get(path_in(mail))) for browser in browsers]
    codes: list[int] = []

    def send(number: int) -> None:
        page, browser = pages[number], browsers[number]
        browser.session = None
        codes.append(page.submit(browser, page.form("shown")).status_code)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    session.rollback()
    assert codes == [303] * 4
    assert standing(session) == [("amira@example.org", "yes", "confirmed", 1)]
    session.refresh(event)
    assert event.seats_taken == 1


def test_link_expires_and_what_was_typed_is_deleted(app, client, event, session, post, clock) -> None:
    answer(client)
    (mail,) = post()
    page = Page.of(client.get(path_in(mail)))
    clock.now += 24 * HOUR - timedelta(seconds=1)
    assert client.get(path_in(mail)).status_code == 200
    jobs.run(app, next(job for job in jobs.JOBS if job.name == "unconfirmed_answers"), now=clock.now)
    assert kinds(session) == [confirming.KIND]
    clock.now += timedelta(seconds=1)
    for _ in range(2):
        for late in (client.get(path_in(mail)), page.submit(client, page.form("shown"))):
            assert late.status_code == 410
            assert "/events/talk/rsvp" in Page.of(late).html
        clock.now += HOUR
        jobs.run(app, next(job for job in jobs.JOBS if job.name == "unconfirmed_answers"), now=clock.now)
        session.rollback()
        assert (kinds(session), standing(session)) == ([], [])


def test_confirmed_answers_keep_their_mail_on_the_list(app, client, event, session, post, clock) -> None:
    answer(client)
    (mail,) = post()
    press(client, path_in(mail))
    clock.now += 48 * HOUR
    jobs.run(app, next(job for job in jobs.JOBS if job.name == "unconfirmed_answers"), now=clock.now)
    session.rollback()
    assert kinds(session) == [confirming.KIND, "confirmation"]


def test_mail_that_could_not_leave_in_time_is_not_sent(client, event, session, post, clock) -> None:
    answer(client)
    clock.now += 25 * HOUR
    assert post() == []
    session.rollback()
    assert session.scalars(select(Message.state)).all() == ["aborted"]


def test_known_address_gets_its_link_and_the_same_page(client, event, session, post, make_registration, now) -> None:
    make_registration(event, created_at=now - HOUR)
    pages = []
    for email in ("amira@example.org", "wim@example.org"):
        sent = answer(client, email)
        pages.append((sent.status_code, sent.location, client.get(sent.location).get_data()))
    assert pages[0] == pages[1]
    assert kinds(session) == ["link", confirming.KIND]
    known, new = post()
    assert ("/r/" in text_of(known), "/confirm/" in text_of(new)) == (True, True)
    assert len(standing(session)) == 1


@pytest.mark.parametrize("known", ["amira@example.org", "wim@example.org", "sam@example.org"])
def test_used_opening_tells_nothing_of_who_is_coming(client, event, session, make_registration, known) -> None:
    make_registration(event, email=known)
    page = Page.of(client.get("/events/talk/rsvp"))
    cookie = client.get_cookie("session").value
    codes = []
    for email in ("amira@example.org", "wim@example.org", "amira@example.org"):
        client.set_cookie("session", cookie)
        codes.append(page.submit(client, page.form("rsvp").set(name="A", email=email, rsvp="yes")).status_code)
    assert codes == [303, 409, 303]


@pytest.mark.parametrize("confirmed", [True, False])
def test_sending_the_form_again_tells_nothing_of_confirmation(client, event, session, post, confirmed) -> None:
    page = Page.of(client.get("/events/talk/rsvp"))
    cookie = client.get_cookie("session").value
    form = page.form("rsvp").set(name="A", email="amira@example.org", rsvp="yes")
    assert page.submit(client, form).status_code == 303
    (mail,) = post()
    if confirmed:
        press(client, path_in(mail))
    client.set_cookie("session", cookie)
    assert page.submit(client, form).location == "/events/talk/rsvp/sent"


def test_form_sent_again_replaces_the_answer_and_a_page_that_showed_the_old_one_asks_again(
    client, event, session, post
) -> None:
    page = Page.of(client.get("/events/talk/rsvp"))
    form = page.form("rsvp").set(name="A", email="amira@example.org", rsvp="yes", party_size="2")
    page.submit(client, form)
    (mail,) = post()
    seen = Page.of(client.get(path_in(mail)))
    page.submit(client, form.set(party_size="3"))
    again = seen.submit(client, seen.form("shown"))
    assert (again.status_code, standing(session), len(post())) == (409, [], 1)
    now_seen = Page.of(again)
    assert "sent again after you opened this page" in now_seen.text
    assert now_seen.submit(client, now_seen.form("shown")).status_code == 303
    assert standing(session) == [("amira@example.org", "yes", "confirmed", 3)]


def test_event_that_filled_up_meanwhile_puts_the_party_on_the_waitlist(
    client, event, session, post, make_registration
) -> None:
    answer(client)
    (mail,) = post()
    make_registration(event, email="wim@example.org", party_size=10)
    assert press(client, path_in(mail)).status_code == 303
    assert standing(session)[-1] == ("amira@example.org", "yes", "waitlisted", 1)


def test_party_that_fits_no_more_corrects_the_form_and_needs_no_second_mail(
    client, event, session, post, make_registration
) -> None:
    answer(client, party_size="3")
    (mail,) = post()
    make_registration(event, email="wim@example.org", party_size=8)
    refused = press(client, path_in(mail))
    page = Page.of(refused)
    assert (refused.status_code, "2 places are left" in page.text, len(standing(session))) == (422, True, 1)
    form = page.form("rsvp", "email")
    assert {("name", "Amira Haddad"), ("party_size", "3"), ("email", "amira@example.org")} <= set(form.data())
    data = dict(form.set(party_size="2").data()) | {"email": "stranger@example.org"}
    assert client.post(form.action, data=data).status_code == 303
    assert standing(session)[-1] == ("amira@example.org", "yes", "confirmed", 2), "the link is of one address"
    assert kinds(session)[-1] == "confirmation"


def test_question_that_became_required_is_asked_before_the_answer_counts(client, event, session, post) -> None:
    answer(client)
    (mail,) = post()
    question = session.scalars(select(Question).where(Question.event_id == event.id)).one()
    question.required = True
    session.commit()
    refused = press(client, path_in(mail))
    page = Page.of(refused)
    assert (refused.status_code, "Please answer this question." in page.text, standing(session)) == (422, True, [])
    form = page.form("rsvp").fill(f"q-{question.id}", "no nuts")
    assert page.submit(client, form).status_code == 303
    assert session.scalars(select(Answer.value)).all() == ["no nuts"]


def test_closed_window_refuses_the_form_and_the_link(client, event, session, post, now) -> None:
    answer(client)
    (mail,) = post()
    page = Page.of(client.get("/events/talk/rsvp"))
    event.registration_closes_at = now - HOUR
    session.commit()
    refused = press(client, path_in(mail))
    assert (refused.status_code, "Registration closed" in Page.of(refused).text) == (409, True)
    form = page.form("rsvp").set(name="Wim", email="wim@example.org", rsvp="yes")
    assert page.submit(client, form).status_code == 409
    assert (standing(session), kinds(session)) == ([], [confirming.KIND])


def test_full_event_without_a_waitlist_refuses_at_the_form(client, event, session, make_registration) -> None:
    event.waitlist_open = False
    make_registration(event, email="wim@example.org", party_size=10)
    assert answer(client).status_code == 422
    assert answer(client, rsvp="no").status_code == 303
    assert kinds(session) == [confirming.KIND]


def test_approval_is_asked_once_the_address_is_confirmed(client, event, session, post) -> None:
    event.needs_approval = True
    session.commit()
    answer(client)
    (mail,) = post()
    assert standing(session) == []
    press(client, path_in(mail))
    assert standing(session) == [("amira@example.org", "yes", "pending", 1)]


def test_setting_takes_effect_on_forms_that_are_open(client, make_event, session, olga) -> None:
    event = make_event(slug="talk", capacity=10)
    assert answer(client, "wim@example.org").location.startswith("/events/talk/rsvp/")
    opened = Page.of(client.get("/events/talk/rsvp"))
    page = Page.of(olga.get("/organize/events/talk/edit"))
    assert "The answer counts once they press a button in the mail we send." in page.text
    form = page.form("title").set(confirm_address="y")
    assert page.submit(olga, form, button="save").status_code == 302
    session.refresh(event)
    assert event.confirm_address is True
    assert "Confirmation of the e-mail address" in Page.of(olga.get("/organize/events/talk/history")).text
    sent = opened.submit(client, opened.form("rsvp").set(name="A", email="amira@example.org", rsvp="yes"))
    assert (sent.location, len(standing(session))) == ("/events/talk/rsvp/sent", 1)
    again = Page.of(olga.get("/organize/events/talk/edit"))
    form = again.form("title")
    assert ("confirm_address", "y") in form.data()
    data = [pair for pair in form.data("save") if pair[0] not in {"confirm_address", "waitlist_shown"}]
    olga.post("/organize/events/talk/edit", data=dict(data))
    session.refresh(event)
    assert event.confirm_address is True, "a script that does not know of it leaves it"


def test_copy_of_an_event_asks_for_confirmation_too(event, session, olga, now) -> None:
    page = Page.of(olga.get("/organize/events/talk"))
    page.submit(olga, page.form(action="/duplicate"))
    session.expire_all()
    copies = session.scalars(select(events.Event).where(events.Event.id != event.id)).all()
    assert [copy.confirm_address for copy in copies] == [True]


def test_link_of_another_event_or_purpose_opens_nothing(app, client, event, make_event, session, post) -> None:
    answer(client)
    (mail,) = post()
    other, links = make_event(slug="other"), app.extensions["eventreg.links"]
    key = session.scalar(select(Message.message_key))
    assert client.get("/confirm/nonsense").status_code == 404
    assert client.get("/confirm/" + links.sign("undo-decline", [event.id, key])).status_code == 404
    assert client.get("/confirm/" + links.sign("confirm-address", [other.id, key])).status_code == 410
    assert client.post(path_in(mail)).status_code == 400, "without a CSRF token"
    assert standing(session) == []


def test_mail_waits_for_the_hourly_limit_of_its_mailbox(client, event, session, clock) -> None:
    for _ in range(3):
        answer(client)
    assert len(queue.claim(session, limit=10, now=clock.now, hourly=2)) == 2
    session.rollback()


@pytest.mark.sqlite_only
def test_setting_costs_other_events_no_statement(client, make_event, session) -> None:
    make_event(slug="talk", capacity=10)
    answer(client, "wim@example.org")
    page = Page.of(client.get("/events/talk/rsvp"))
    form = page.form("rsvp").set(name="A", email="amira@example.org", rsvp="yes")
    with query_counter() as queries:
        assert page.submit(client, form).status_code == 303
    assert queries.count == 3, "seats, row and mail"
    assert session.scalar(select(func.count()).select_from(Registration)) == 2

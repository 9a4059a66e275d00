"""The queue of answers that an organizer has to look at."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from eventreg.incoming.models import ReceivedMail
from tests.support.html import Page
from tests.support.mailroom import answer, history, owed, received, standing

pytestmark = pytest.mark.sqlite_only
MINUTE = timedelta(minutes=1)


@pytest.fixture
def event(olga, make_event):
    return make_event(capacity=3)


@pytest.fixture
def amira(event, make_registration):
    return make_registration(event)


@pytest.fixture
def held(session, amira, clock):
    """A no for Amira, sent by Sam for Sam."""
    clock.now += 5 * MINUTE
    answer(session, amira, now=clock.now - MINUTE, attendee="sam@example.org", shape="exchange")
    return session.scalars(sa.select(ReceivedMail)).one()


def queue(event) -> str:
    return f"/organize/events/{event.slug}/replies"


def press(olga, event, button: str) -> Page:
    page = Page.of(olga.get(queue(event)))
    return Page.of(page.submit(olga, page.form(action=button), follow_redirects=True))


def test_overview_and_page_say_what_waits_and_why(olga, event, amira, held) -> None:
    overview = Page.of(olga.get(f"/organize/events/{event.slug}"))
    assert "1 mailed answer waits for you." in overview.text
    page = Page.of(olga.get(overview.link("Look at it")))
    for words in (
        "Amira Haddad",
        "Answer: no, now: yes",
        "sam@example.org",
        "Sorry, I am away that week.",
        "It was not sent from the registered address.",
    ):
        assert words in page.text, page.text


def test_overview_says_nothing_when_nothing_waits(olga, event, amira) -> None:
    assert "mailed answer" not in Page.of(olga.get(f"/organize/events/{event.slug}")).text
    assert "No answer waits for you." in Page.of(olga.get(queue(event))).text


def test_applied_answer_changes_the_registration_and_leaves_the_queue(session, olga, event, amira, held) -> None:
    page = press(olga, event, "/apply")
    assert "The answer is taken over." in page.text
    assert "No answer waits for you." in page.text
    assert standing(session, event) == [("amira@example.org", "no", "confirmed")]
    assert (received(session), owed(session)) == ([("reply", "settled")], [("reply_taken", "amira@example.org")])
    assert ("Olga Ortega", "reply.accepted") in history(session)
    assert ("Olga Ortega", "registration.changed") in history(session)
    told = Page.of(olga.get(f"/organize/events/{event.slug}/attendees/{amira.id}"))
    assert "took over a mailed answer for Amira Haddad" in told.text


def test_mail_without_a_readable_answer_offers_to_change_it_by_hand(session, olga, event, amira, clock) -> None:
    clock.now += 5 * MINUTE
    answer(session, amira, "DELEGATED", now=clock.now - MINUTE)
    page = Page.of(olga.get(queue(event)))
    assert "Answer: not clear, now: yes" in page.text
    assert "It answers DELEGATED, which is neither yes, no nor maybe." in page.text
    assert "/apply" not in olga.get(queue(event)).text
    assert olga.get(page.link("Change answer of Amira Haddad")).status_code == 200
    assert "No answer waits for you." in press(olga, event, "/dismiss").text


def test_dismissed_answer_changes_nothing(session, olga, event, amira, held) -> None:
    assert "Nothing was changed, and nobody was told." in press(olga, event, "/dismiss").text
    assert standing(session, event) == [("amira@example.org", "yes", "confirmed")]
    assert (received(session), owed(session)) == ([("reply", "settled")], [])
    assert history(session)[-1] == ("Olga Ortega", "reply.dismissed")


def test_answer_is_settled_once(session, olga, event, amira, held) -> None:
    page = Page.of(olga.get(queue(event)))
    form = page.form(action="/apply")
    page.submit(olga, form)
    again = Page.of(page.submit(olga, form, follow_redirects=True))
    assert "Somebody has settled this answer already." in again.text
    assert len(owed(session)) == 1


def test_answer_that_came_too_late_is_not_applied_and_says_why(session, olga, event, amira, held, clock) -> None:
    answer(session, amira, "TENTATIVE", now=clock.now)
    clock.now += 2 * MINUTE
    assert "The answer was not taken over. A later answer was taken over already." in press(olga, event, "/apply").text
    assert standing(session, event)[0][1] == "maybe"


def test_answers_of_another_event_are_unknown(session, olga, event, amira, held, make_event) -> None:
    other = make_event(title="Another")
    page = Page.of(olga.get(queue(event)))
    data = dict(page.form(action="/apply").data())
    assert olga.post(f"{queue(other)}/{held.id}/apply", data=data).status_code == 404
    assert olga.post(f"{queue(event)}/{2**40}/apply", data=data).status_code == 404
    assert received(session) == [("reply", "held")]


def test_history_of_a_person_says_that_their_calendar_answered(session, olga, event, amira, clock) -> None:
    answer(session, amira, now=clock.now, shape="exchange")
    clock.now += 2 * MINUTE
    page = Page.of(olga.get(f"/organize/events/{event.slug}/attendees/{amira.id}"))
    assert "The attendee, by calendar reply, changed the registration of Amira Haddad" in page.text
    assert "Comment: empty → Sorry, I am away that week." in page.text
    assert "“No” noted: waiting to be sent" in page.text
    latest = Page.of(olga.get(queue(event)))
    assert "Amira Haddad answered no: taken over. Now: Not attending." in latest.text


@pytest.mark.parametrize("address", ["replies", "replies/1/apply", "replies/1/dismiss"])
def test_strangers_see_nothing(address, client, event) -> None:
    method = client.get if address == "replies" else client.post
    assert method(f"/organize/events/{event.slug}/{address}").status_code in {302, 400}

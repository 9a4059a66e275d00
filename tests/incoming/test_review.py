"""An answer that was held, and an address that was corrected meanwhile."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from eventreg.audit import Actor
from eventreg.db import write_transaction
from eventreg.errors import EventStateError
from eventreg.incoming import review
from eventreg.incoming.models import ReceivedMail
from eventreg.registrations import desk
from eventreg.registrations.service import AnswerForm
from tests.support.mailroom import answer, received, standing

MINUTE = timedelta(minutes=1)
OLGA = Actor("organizer", None, "Olga Ortega")


@pytest.fixture
def event(make_event):
    return make_event()


@pytest.fixture
def amira(event, make_registration):
    return make_registration(event)


def correct(session, registration, email, now) -> None:
    form = AnswerForm(name=registration.name, email=email, rsvp="yes", party_size=1)
    with write_transaction(session):
        desk.correct(session, registration_id=registration.id, form=form, note="", actor=OLGA, now=now)


def settle(session, how, now):
    """What `how` makes of the one mail that is held."""
    mail = session.scalars(sa.select(ReceivedMail).where(ReceivedMail.outcome == "held")).one()
    event_id, mail_id = mail.event_id, mail.id
    with write_transaction(session):
        return how(session, event_id=event_id, mail_id=mail_id, actor=OLGA, now=now)


def test_held_answer_from_before_the_address_was_corrected_is_not_applied(session, event, amira, now) -> None:
    assert answer(session, amira, now=now, attendee="sam@example.org").outcome == "held"
    correct(session, amira, "amira@example.net", now + 2 * MINUTE)
    with pytest.raises(EventStateError, match=r"^The address was corrected after this answer came"):
        settle(session, review.accept, now + 3 * MINUTE)
    assert standing(session, event) == [("amira@example.net", "yes", "confirmed")]
    assert received(session) == [("reply", "held")]
    settle(session, review.dismiss, now + 4 * MINUTE)
    assert received(session) == [("reply", "settled")]


def test_held_answer_from_what_turned_out_to_be_the_right_address_is_applied(session, event, amira, now) -> None:
    answer(session, amira, now=now, attendee="sam@example.org")
    correct(session, amira, "Sam@example.org", now + 2 * MINUTE)
    assert settle(session, review.accept, now + 3 * MINUTE).is_applied
    assert standing(session, event) == [("Sam@example.org", "no", "confirmed")]


def test_held_answer_that_only_claims_the_corrected_address_is_not_applied(session, event, amira, now) -> None:
    answer(session, amira, now=now, attendee="sam@example.org", sender="mal@evil.example")
    correct(session, amira, "sam@example.org", now + 2 * MINUTE)
    with pytest.raises(EventStateError, match=r"^The address was corrected after this answer came"):
        settle(session, review.accept, now + 3 * MINUTE)


def test_held_mail_without_a_readable_answer_is_only_dismissed(session, event, amira, now) -> None:
    assert answer(session, amira, "DELEGATED", now=now).outcome == "held"
    with pytest.raises(EventStateError, match=r"^This mail holds no answer that could be read"):
        settle(session, review.accept, now + 3 * MINUTE)
    settle(session, review.dismiss, now + 4 * MINUTE)
    assert (received(session), standing(session, event)[0][1]) == ([("reply", "settled")], "yes")


def test_held_answer_from_after_the_address_was_corrected_is_applied(session, event, amira, now) -> None:
    correct(session, amira, "amira@example.net", now)
    session.expire_all()
    answer(session, amira, now=now, attendee="sam@example.org")
    assert settle(session, review.accept, now + 3 * MINUTE).is_applied
    assert standing(session, event) == [("amira@example.net", "no", "confirmed")]

"""What a mail that came back leaves behind."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from eventreg.db import write_transaction
from eventreg.events.models import Event
from eventreg.outbox import bounces, queue
from eventreg.outbox.backoff import Failure, Trouble
from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration
from tests.support.outbox import message, owe, owe_about

HOUR = timedelta(hours=1)
WORDS = "550 5.1.1 <sam@example.org>: no such\n mailbox"


def claim(session: Session, now: datetime) -> Message:
    with write_transaction(session):
        (claimed,) = queue.claim(session, limit=10, now=now)
    return claimed


def sent(session: Session, now: datetime) -> Message:
    owe(session, now=now)
    claimed = claim(session, now)
    with write_transaction(session):
        queue.mark_all_sent(session, [(claimed, "250 OK")], now=now)
    return claimed


def record(session: Session, key: str, now: datetime, words: str = WORDS) -> bool:
    with write_transaction(session):
        return bounces.record(session, message_key=key, words=words, now=now)


def test_a_mail_that_came_back_has_failed_with_the_words_and_is_news_once(session: Session, now: datetime) -> None:
    mail = sent(session, now)
    assert [record(session, mail.message_key, now + each * HOUR) for each in (1, 2)] == [True, False]
    row = message(session, mail.id)
    assert (row.state, row.bounced_at, row.sent_at, row.server_reply) == (
        "failed",
        now + HOUR,
        now,
        "It came back: 550 5.1.1 <sam@example.org>: no such mailbox",
    )


def test_the_key_may_have_lost_its_case_on_the_way(session: Session, now: datetime) -> None:
    mail = sent(session, now)
    assert record(session, f" {mail.message_key.upper()} ", now) is True


@pytest.mark.parametrize("key", ["", "0" * 32, "\0", "x" * 5000, "%", "not-one-of-ours"])
def test_a_key_that_is_none_of_ours_changes_nothing(session: Session, now: datetime, key: str) -> None:
    mail = sent(session, now)
    assert record(session, key, now) is False
    assert message(session, mail.id).state == "sent"


@pytest.mark.parametrize(("words", "kept"), [("", "It came back."), ("\0 \r\n5.0.0\0", "It came back: 5.0.0")])
def test_whatever_the_words_hold_they_are_one_line(session: Session, now: datetime, words: str, kept: str) -> None:
    mail = sent(session, now)
    record(session, mail.message_key, now, words)
    assert message(session, mail.id).server_reply == kept


def test_what_was_never_tried_or_was_not_needed_cannot_come_back(session: Session, now: datetime) -> None:
    owed = owe(session, now=now)
    key = message(session, owed).message_key
    assert record(session, key, now) is False
    claimed = claim(session, now)
    with write_transaction(session):
        queue.mark_retry(session, message=claimed, failure=Failure(Trouble.POINTLESS, "Corrected."), now=now)
    assert record(session, key, now) is False
    assert message(session, owed).state == "aborted"


def test_one_that_comes_back_while_it_is_tried_again_stays_failed(session: Session, now: datetime) -> None:
    owed = owe(session, now=now)
    claimed = claim(session, now)  # it left, and the worker died before it could say so
    assert record(session, claimed.message_key, now) is True
    with write_transaction(session):
        queue.mark_all_sent(session, [(claimed, "250 OK")], now=now)
    assert message(session, owed).state == "failed"
    with write_transaction(session):
        assert queue.claim(session, limit=10, now=now + HOUR) == []


def test_it_is_sent_again_only_where_that_is_asked_for(session: Session, now: datetime) -> None:
    mail = sent(session, now)
    record(session, mail.message_key, now)
    with write_transaction(session):
        assert queue.retry_failed(session, now=now) == 0
    with write_transaction(session):
        assert queue.retry_failed(session, now=now, with_bounced=True) == 1
    again = claim(session, now)
    assert (again.message_key, again.bounced_at) == (mail.message_key, None)
    with write_transaction(session):
        queue.mark_all_sent(session, [(again, "250 OK")], now=now)
    assert message(session, mail.id).state == "sent"
    assert record(session, mail.message_key, now) is True


def test_whoever_it_was_for_keeps_the_place(
    session: Session, now: datetime, make_event: Callable[..., Event], make_registration: Callable[..., Registration]
) -> None:
    event = make_event(capacity=3)
    amira = make_registration(event, party_size=2)
    owe_about(session, event, amira, now=now)
    mail = claim(session, now)
    assert record(session, mail.message_key, now) is True
    session.refresh(event)
    session.refresh(amira)
    assert (event.seats_taken, amira.status) == (2, "confirmed")

"""How much one address gets within an hour."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from eventreg import addresses
from eventreg.db import write_transaction
from eventreg.outbox import bounces, ceiling, queue
from eventreg.outbox.models import Message
from tests.support.outbox import message, owe
from tests.support.queries import query_counter

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
WORDS = "Held back: this address has had 3 mails within the hour."


def owe_many(session: Session, count: int, now: datetime, recipient: str = "sam@example.org") -> list[int]:
    return [owe(session, now=now, kind="link", recipient=recipient) for _ in range(count)]


def send(session: Session, now: datetime, *, limit: int = 10, hourly: int = 3) -> list[str]:
    """One batch, sent at `now`; to whom."""
    with write_transaction(session):
        claimed = queue.claim(session, limit=limit, now=now, hourly=hourly)
    with write_transaction(session):
        queue.mark_all_sent(session, [(each, "250 OK") for each in claimed], now=now)
    return [each.recipient for each in claimed]


def test_more_than_the_limit_waits_with_the_reason_until_the_hour_has_room(session: Session, now: datetime) -> None:
    owed = owe_many(session, 5, now)
    assert len(send(session, now)) == 3
    rows = [message(session, each) for each in owed[3:]]
    assert [(row.state, row.server_reply, row.due_at, row.attempts) for row in rows] == [
        ("queued", WORDS, now + HOUR, 0)
    ] * 2
    assert send(session, now + HOUR - MINUTE) == []
    assert len(send(session, now + HOUR)) == 2
    assert {message(session, each).state for each in owed} == {"sent"}


def test_room_comes_back_mail_by_mail(session: Session, now: datetime) -> None:
    for minutes in (0, 20, 40):
        owe_many(session, 1, now + minutes * MINUTE)
        send(session, now + minutes * MINUTE)
    owe_many(session, 2, now + 50 * MINUTE)
    times = (50, 59, 60, 79, 80)
    assert [len(send(session, now + minutes * MINUTE)) for minutes in times] == [0, 0, 1, 0, 1]


def test_the_letters_case_makes_no_other_address(session: Session, now: datetime) -> None:
    for recipient in ("sam@example.org", "Sam@example.org", "SAM@EXAMPLE.ORG", "sAm@example.org"):
        owe_many(session, 1, now, recipient)
    assert len(send(session, now)) == 3


def test_mail_about_accounts_counts_like_any_other_and_a_test_of_the_server_does_not(
    session: Session, now: datetime
) -> None:
    for _ in range(5):
        owe(session, now=now, kind="auth")
    owe_many(session, 3, now)
    owe(session, now=now, kind="test")
    assert Counter(send(session, now)) == {"sam@example.org": 4}


def test_plus_addresses_of_one_mailbox_share_its_hour(session: Session, now: datetime) -> None:
    for number in range(29):
        owe_many(session, 1, now, f"Anna+{number}@example.org")
    for recipient in ("s.am@gmail.com", "sam+1@gmail.com", "Sa.m@GoogleMail.com", "sam@gmail.com"):
        owe_many(session, 1, now, recipient)
    owe_many(session, 1, now, "annabel@example.org")
    sent = Counter(addresses.counting_key(recipient) for recipient in send(session, now, limit=50))
    assert sent == {"anna@example.org": 3, "sam@gmail.com": 3, "annabel@example.org": 1}


def test_zero_sets_no_limit(session: Session, now: datetime) -> None:
    owe_many(session, 30, now)
    assert len(send(session, now, limit=50, hourly=0)) == 30


def test_what_another_worker_has_in_its_hands_counts(session: Session, now: datetime) -> None:
    owe_many(session, 6, now)
    with write_transaction(session):
        assert len(queue.claim(session, limit=2, now=now, hourly=3)) == 2
    with write_transaction(session):
        assert len(queue.claim(session, limit=10, now=now, hourly=3)) == 1
    with write_transaction(session):
        assert queue.claim(session, limit=10, now=now, hourly=3) == []


def test_a_dead_workers_mail_does_not_stand_in_its_own_way(session: Session, now: datetime) -> None:
    owe_many(session, 3, now)
    with write_transaction(session):
        queue.claim(session, limit=3, now=now, hourly=3)
    assert len(send(session, now + queue.LEASE)) == 3


def test_one_that_left_long_ago_and_is_tried_again_is_room_to_wait_for_in_an_hour(
    session: Session, now: datetime
) -> None:
    """Room that came back in the past would have the claim meet the same mail for ever."""
    (again,) = owe_many(session, 1, now)
    send(session, now)
    later = now + 3 * HOUR
    with write_transaction(session):
        assert bounces.record(session, message_key=session.get_one(Message, again).message_key, words="", now=later)
        assert queue.retry_failed(session, now=later, with_bounced=True) == 1
    (waits,) = owe_many(session, 1, later)
    with write_transaction(session):
        assert [each.id for each in queue.claim(session, limit=1, now=later, hourly=1)] == [again]
    with write_transaction(session):
        due = session.execute(select(Message.id, Message.recipient_key, Message.kind).where(Message.id == waits)).all()
        assert ceiling.within(session, due, hourly=1, now=later) == []
    assert message(session, waits).due_at == later + HOUR


def test_an_address_with_very_many_mails_keeps_nobody_waiting(session: Session, now: datetime) -> None:
    with write_transaction(session):
        queue.add_all(
            session,
            (
                {
                    "kind": "link",
                    "recipient": "sam@example.org",
                    "recipient_name": "",
                    "event_id": None,
                    "registration_id": None,
                    "payload": {},
                    "stamp_at": now,
                }
                for _ in range(2000)
            ),
            now=now - MINUTE,
        )
    owe_many(session, 1, now, "wim@example.org")
    assert Counter(send(session, now)) == {"sam@example.org": 3}
    assert send(session, now) == ["wim@example.org"]
    assert send(session, now + MINUTE) == []
    session.rollback()
    assert len(session.scalars(select(Message.id).where(Message.server_reply == WORDS)).all()) == 1997


def test_a_claim_asks_once_for_all_addresses(session: Session, now: datetime) -> None:
    for number in range(10):
        owe_many(session, 1, now, f"p{number}@example.org")
    with write_transaction(session), query_counter() as seen:
        queue.claim(session, limit=10, now=now, hourly=3)
    assert seen.count == 3


@pytest.mark.sqlite_only
def test_counting_uses_its_index(session: Session) -> None:
    plan = session.execute(
        text(
            "EXPLAIN QUERY PLAN SELECT recipient_key, count(*), min(sent_at) FROM messages WHERE recipient_key IN ('a')"
            " AND kind NOT IN ('test') AND (sent_at > '2026' OR state = 'sending' AND due_at > '2')"
            " GROUP BY recipient_key"
        )
    ).all()
    assert "ix_messages_recipient_key" in str(plan)

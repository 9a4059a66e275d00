import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from eventreg.db import db, write_transaction
from eventreg.events.models import Event
from eventreg.outbox import queries, queue
from eventreg.outbox.backoff import Failure, Trouble
from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration
from tests.support.outbox import message, owe, owe_about

REFUSED = Failure(Trouble.UNREACHABLE, "Connection refused")
GREYLISTED = Failure(Trouble.LATER, "451 4.7.1 Greylisted")
UNKNOWN = Failure(Trouble.REJECTED, "550 5.1.1 No such mailbox")
SECOND = timedelta(seconds=1)
THREE_DAYS = timedelta(days=3)


def claim(session: Session, now: datetime, limit: int = 10) -> list[Message]:
    with write_transaction(session):
        return queue.claim(session, limit=limit, now=now)


def ids(claimed: list[Message]) -> list[int]:
    return [each.id for each in claimed]


def fail(session: Session, claimed: Message, failure: Failure, now: datetime) -> None:
    with write_transaction(session):
        queue.mark_retry(session, message=claimed, failure=failure, now=now)


def test_claim_takes_what_is_due_in_order_and_up_to_the_limit(session: Session, now: datetime) -> None:
    later, first, second = (owe(session, now=now + offset) for offset in (SECOND, -2 * SECOND, -SECOND))
    assert ids(claim(session, now, limit=1)) == [first]
    assert ids(claim(session, now)) == [second]
    assert ids(claim(session, now)) == []
    assert ids(claim(session, now + SECOND)) == [later]


def test_a_claimed_mail_is_nobody_elses_until_its_lease_runs_out(session: Session, now: datetime) -> None:
    owed = owe(session, now=now)
    (claimed,) = claim(session, now)
    assert (claimed.state, claimed.attempts, claimed.leased_until) == ("sending", 1, now + queue.LEASE)
    assert claim(session, now + queue.LEASE - SECOND) == []
    (again,) = claim(session, now + queue.LEASE)
    assert (again.id, again.attempts) == (owed, 2)


def test_a_worker_that_lost_its_lease_cannot_undo_what_the_next_one_did(session: Session, now: datetime) -> None:
    owed = owe(session, now=now)
    (lost,) = claim(session, now)
    claim(session, now + queue.LEASE)
    fail(session, lost, UNKNOWN, now)
    with write_transaction(session):
        queue.release(session, claimed=[lost], now=now)
        queue.renew(session, claimed=[lost], now=now + timedelta(days=1))
    row = message(session, owed)
    assert (row.state, row.attempts, row.leased_until) == ("sending", 2, now + 2 * queue.LEASE)


def test_a_mail_that_left_is_sent_also_when_its_lease_was_lost(session: Session, now: datetime) -> None:
    owed = owe(session, now=now)
    (lost,) = claim(session, now)
    (other,) = claim(session, now + queue.LEASE)
    with write_transaction(session):
        queue.mark_all_sent(session, [(lost, "250 OK")], now=now)
    fail(session, other, GREYLISTED, now)
    row = message(session, owed)
    assert (row.state, row.server_reply, row.sent_at) == ("sent", "250 OK", now)
    assert claim(session, now + timedelta(days=9)) == []


def test_renewing_a_claim_lengthens_it(session: Session, now: datetime) -> None:
    owe(session, now=now)
    claimed = claim(session, now)
    with write_transaction(session):
        queue.renew(session, claimed=claimed, now=now + timedelta(minutes=5))
    assert claim(session, now + timedelta(minutes=5)) == []


def test_released_mail_is_as_if_it_had_never_been_claimed(session: Session, now: datetime) -> None:
    owed = owe(session, now=now)
    claimed = claim(session, now)
    with write_transaction(session):
        queue.release(session, claimed=claimed, now=now + SECOND)
    row = message(session, owed)
    assert (row.state, row.attempts, row.leased_until, row.due_at) == ("queued", 0, None, now + SECOND)


@pytest.mark.parametrize(
    ("failure", "state", "wait", "reply"),
    [
        (REFUSED, "retrying", timedelta(seconds=15), "No mail could be sent: Connection refused"),
        (GREYLISTED, "retrying", timedelta(minutes=1), "451 4.7.1 Greylisted"),
        (UNKNOWN, "failed", timedelta(0), "550 5.1.1 No such mailbox"),
        (Failure(Trouble.POINTLESS, "The registration is gone."), "aborted", timedelta(0), "The registration is gone."),
    ],
)
def test_a_failed_try_keeps_the_servers_words_and_the_next_time(
    session: Session, now: datetime, failure: Failure, state: str, wait: timedelta, reply: str
) -> None:
    owed = owe(session, now=now)
    (claimed,) = claim(session, now)
    fail(session, claimed, failure, now)
    row = message(session, owed)
    assert (row.state, row.due_at, row.leased_until, row.server_reply) == (state, now + wait, None, reply)


def test_a_server_that_is_away_for_days_ends_in_failed_and_not_in_nothing(session: Session, now: datetime) -> None:
    owed, at = owe(session, now=now), now
    while message(session, owed).state != "failed":
        (claimed,) = claim(session, at)
        fail(session, claimed, REFUSED, at)
        at = message(session, owed).due_at
    assert timedelta(days=3) <= at - now < timedelta(days=3, hours=1)


@pytest.mark.parametrize(
    ("age", "state", "wait"),
    [(THREE_DAYS - SECOND, "retrying", timedelta(hours=1)), (THREE_DAYS, "failed", timedelta(0))],
)
def test_a_mail_tried_often_because_some_others_left_is_not_given_up_before_three_days(
    session: Session, now: datetime, age: timedelta, state: str, wait: timedelta
) -> None:
    """A server that lets some through and then refuses has every one put off and hastened again at each round."""
    owed = [owe(session, now=now), owe(session, now=now)]
    with write_transaction(session):
        session.execute(update(Message).values(attempts=100))
    (claimed,) = claim(session, now + age, limit=1)
    with write_transaction(session):
        queue.mark_retry(session, message=claimed, failure=REFUSED, now=now + age)
        queue.postpone_due(session, failure=REFUSED, now=now + age)
    rows = [message(session, each) for each in owed]
    assert [(row.state, row.attempts, row.due_at) for row in rows] == [(state, 101, now + age + wait)] * 2


def test_words_that_a_database_would_refuse_are_kept_as_far_as_they_go(session: Session, now: datetime) -> None:
    owed = owe(session, now=now)
    (claimed,) = claim(session, now)
    fail(session, claimed, Failure(Trouble.REJECTED, "550 a\0b\r\n" + "c" * 5000), now)
    assert message(session, owed).server_reply == ("550 a b " + "c" * 5000)[: queue.LONGEST_REPLY]


@pytest.fixture
def event(make_event: Callable[..., Event]) -> Event:
    return make_event()


@pytest.fixture
def amira(event: Event, make_registration: Callable[..., Registration]) -> Registration:
    return make_registration(event)


def test_a_later_mail_never_overtakes_an_earlier_one_to_the_same_person(
    session: Session, now: datetime, event: Event, amira: Registration
) -> None:
    confirmation = owe_about(session, event, amira, now=now)
    withdrawn = owe_about(session, event, amira, now=now, kind="withdrawn", status="cancelled")
    other = owe(session, now=now)
    first, unrelated = claim(session, now)
    assert [first.id, unrelated.id] == [confirmation, other]
    fail(session, first, GREYLISTED, now)
    fail(session, unrelated, UNKNOWN, now)
    assert claim(session, now + SECOND) == []
    (again,) = claim(session, now + timedelta(minutes=1))
    with write_transaction(session):
        queue.mark_all_sent(session, [(again, "250 OK")], now=now)
    assert ids(claim(session, now + timedelta(minutes=1))) == [withdrawn]


def test_a_mail_to_a_corrected_address_does_not_wait_for_the_wrong_one(
    session: Session, now: datetime, event: Event, amira: Registration
) -> None:
    wrong = owe_about(session, event, amira, now=now)
    right = owe(
        session, now=now, kind="confirmation", recipient="amira@example.com", registration_id=amira.id, payload={}
    )
    assert ids(claim(session, now)) == [wrong, right]


def test_a_server_that_is_away_puts_off_everything_due_with_the_reason(session: Session, now: datetime) -> None:
    tried, waiting, later = owe(session, now=now), owe(session, now=now), owe(session, now=now + SECOND)
    (claimed,) = claim(session, now, limit=1)
    with write_transaction(session):
        queue.mark_retry(session, message=claimed, failure=REFUSED, now=now)
        queue.postpone_due(session, failure=REFUSED, now=now)
    rows = [message(session, each) for each in (tried, waiting, later)]
    assert [(row.state, row.attempts, row.server_reply) for row in rows] == [
        ("retrying", 1, "No mail could be sent: Connection refused"),
        ("retrying", 1, "No mail could be sent: Connection refused"),
        ("queued", 0, ""),
    ]
    assert [row.due_at - now for row in rows] == [timedelta(seconds=15), timedelta(seconds=15), SECOND]


def test_a_server_that_is_back_gets_what_was_put_off_for_all_at_once(session: Session, now: datetime) -> None:
    away, greylisted = owe(session, now=now), owe(session, now=now)
    for claimed, failure in zip(claim(session, now), (REFUSED, GREYLISTED), strict=True):
        fail(session, claimed, failure, now)
    with write_transaction(session):
        assert queue.hasten(session, now=now + SECOND) == 1
    assert ids(claim(session, now + SECOND)) == [away]
    assert message(session, greylisted).due_at == now + timedelta(minutes=1)


def test_retrying_starts_afresh_with_what_failed_or_waits(session: Session, now: datetime) -> None:
    failed, waits, _sent = owe(session, now=now), owe(session, now=now), owe(session, now=now)
    first, second, third = claim(session, now)
    fail(session, first, UNKNOWN, now)
    fail(session, second, GREYLISTED, now)
    with write_transaction(session):
        queue.mark_all_sent(session, [(third, "250 OK")], now=now)
        assert queue.retry_failed(session, now=now) == 2
    assert ids(claim(session, now)) == [failed, waits]
    assert [message(session, each).attempts for each in (failed, waits)] == [1, 1]


def test_what_a_mail_about_an_account_said_is_forgotten_once_it_left(session: Session, now: datetime) -> None:
    owed = owe(session, now=now, kind="auth", payload={"subject": "s", "text": "a link that opens an account"})
    (claimed,) = claim(session, now)
    with write_transaction(session):
        queue.mark_all_sent(session, [(claimed, "250 OK")], now=now)
    assert message(session, owed).payload == {}


def test_many_workers_at_once_claim_every_mail_once(app: Flask, session: Session, now: datetime) -> None:
    owed = [owe(session, now=now) for _ in range(30)]
    session.rollback()
    taken: list[int] = []
    start = threading.Barrier(4)

    def work() -> None:
        with app.app_context():
            start.wait()
            while True:
                with write_transaction(db.session()):
                    claimed = queue.claim(db.session(), limit=3, now=now)
                if not claimed:
                    break
                taken.extend(ids(claimed))
            db.session.remove()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(taken) == owed


@pytest.mark.sqlite_only
def test_finding_what_is_due_reads_the_index_of_unfinished_mail(session: Session) -> None:
    plan = session.execute(
        text(
            "EXPLAIN QUERY PLAN SELECT id FROM messages WHERE messages.state IN ('queued', 'sending', 'retrying')"
            " AND messages.due_at <= '2026-10-05' ORDER BY due_at, id LIMIT 20"
        )
    ).all()
    assert "ix_messages_due" in str(plan)


def test_counts_name_every_state(session: Session, now: datetime) -> None:
    owe(session, now=now)
    owe(session, now=now)
    (claimed,) = claim(session, now, limit=1)
    fail(session, claimed, UNKNOWN, now)
    assert queries.state_counts(session) == {
        "queued": 1,
        "sending": 0,
        "sent": 0,
        "retrying": 0,
        "failed": 1,
        "aborted": 0,
    }

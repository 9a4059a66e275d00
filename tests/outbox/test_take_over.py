"""Mail in the hands of a worker that is known to be dead."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from eventreg.db import write_transaction
from eventreg.outbox import queue
from tests.support.outbox import message, owe


def claim(session: Session, now: datetime, holder: str | None) -> list[int]:
    with write_transaction(session):
        return [one.id for one in queue.claim(session, limit=10, now=now, holder=holder)]


def take_over(session: Session, now: datetime, group: str = "abc") -> int:
    with write_transaction(session):
        return queue.take_over(session, group=group, now=now)


def test_what_a_dead_worker_had_is_due_at_once_for_the_next_of_its_service(session: Session, now: datetime) -> None:
    owed = owe(session, now=now)
    assert claim(session, now, "abc.1") == [owed]
    assert claim(session, now, "abc.2") == []
    assert take_over(session, now) == 1
    assert claim(session, now, "abc.2") == [owed]
    assert message(session, owed).attempts == 2


def test_what_workers_of_other_services_have_is_left_to_them(session: Session, now: datetime) -> None:
    for holder in ("xyz.1", "abcd.1", None):
        owe(session, now=now, recipient=f"{holder}@example.org")
        claim(session, now, holder)
    assert take_over(session, now) == 0
    assert claim(session, now, "abc.2") == []


def test_a_mail_that_workers_die_of_waits_for_its_lease(session: Session, now: datetime) -> None:
    owed = owe(session, now=now)
    taken = 0
    while claim(session, now, "abc.1"):
        taken += take_over(session, now)
    assert (taken, message(session, owed).attempts) == (queue.TAKEN_OVER - 1, queue.TAKEN_OVER)
    assert claim(session, now + queue.LEASE + timedelta(seconds=1), "abc.1") == [owed]


def test_the_word_of_a_worker_that_was_believed_dead_no_longer_counts(session: Session, now: datetime) -> None:
    owed = owe(session, now=now)
    with write_transaction(session):
        (old,) = queue.claim(session, limit=1, now=now, holder="abc.1")
    take_over(session, now)
    claim(session, now, "abc.2")
    with write_transaction(session):
        queue.release(session, claimed=[old], now=now)
    assert (message(session, owed).state, message(session, owed).attempts) == ("sending", 2)

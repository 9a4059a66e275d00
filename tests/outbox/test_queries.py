from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from eventreg.db import write_transaction
from eventreg.events.models import Event
from eventreg.outbox import heartbeat, queries, queue
from eventreg.outbox.backoff import Failure, Trouble
from eventreg.registrations.models import Registration
from tests.support.outbox import owe, owe_about

HOUR = timedelta(hours=1)


def test_latest_mail_is_found_per_registration(
    session: Session, now: datetime, make_event: Callable[..., Event], make_registration: Callable[..., Registration]
) -> None:
    event = make_event()
    amira, wim, sam = (make_registration(event, email=f"{name}@example.org") for name in ("amira", "wim", "sam"))
    owe_about(session, event, amira, now=now)
    newest = owe_about(session, event, amira, now=now, kind="changed")
    only = owe_about(session, event, wim, now=now)
    found = queries.latest_for(session, [amira.id, wim.id, sam.id])
    assert {key: value.id for key, value in found.items()} == {amira.id: newest, wim.id: only}
    assert queries.latest_for(session, []) == {}


def test_mail_of_a_kind_to_one_address_is_known_for_a_time(session: Session, now: datetime) -> None:
    owe(session, now=now, kind="link")

    def was(**changed: object) -> bool:
        asked = {"recipient": "sam@example.org", "kind": "link", "registration_id": None, "since": now - HOUR}
        asked |= changed
        return queries.was_queued_since(session, **asked)  # type: ignore[arg-type]

    assert (was(), was(since=now), was(kind="test"), was(recipient="wim@example.org")) == (True, False, False, False)
    assert was(registration_id=1) is False


def test_reasons_are_grouped_the_most_frequent_first(session: Session, now: datetime) -> None:
    for offset in range(3):
        owe(session, now=now - offset * HOUR)
    with write_transaction(session):
        (claimed,) = queue.claim(session, limit=1, now=now - 2 * HOUR)
        queue.mark_retry(session, message=claimed, failure=Failure(Trouble.REJECTED, "550 No"), now=now)
    assert queries.reasons(session) == [
        queries.Reason("queued", "", 2, now - HOUR),
        queries.Reason("failed", "550 No", 1, now - 2 * HOUR),
    ]


def test_next_due_counts_leases_and_nothing_finished(session: Session, now: datetime) -> None:
    assert queries.next_due_at(session) is None
    owe(session, now=now)
    assert queries.next_due_at(session) == now
    with write_transaction(session):
        (claimed,) = queue.claim(session, limit=1, now=now)
    assert queries.next_due_at(session) == now + queue.LEASE
    with write_transaction(session):
        queue.mark_all_sent(session, [(claimed, "250 OK")], now=now)
    assert queries.next_due_at(session) is None


def test_next_due_is_not_what_waits_behind_another(
    session: Session, now: datetime, make_event: Callable[..., Event], make_registration: Callable[..., Registration]
) -> None:
    event = make_event()
    amira = make_registration(event)
    for kind in ("confirmation", "withdrawn"):
        owe_about(session, event, amira, now=now, kind=kind)
    with write_transaction(session):
        (claimed,) = queue.claim(session, limit=2, now=now)
        queue.mark_retry(session, message=claimed, failure=Failure(Trouble.LATER, "451 Greylisted"), now=now)
    assert queries.next_due_at(session) == now + timedelta(minutes=1)
    owe(session, now=now + timedelta(seconds=20))
    assert queries.next_due_at(session) == now + timedelta(seconds=20)


def test_a_workers_sign_of_life_is_the_last_one(session: Session, now: datetime) -> None:
    assert heartbeat.last_seen(session) is None
    for at in (now, now + HOUR):
        with write_transaction(session):
            heartbeat.beat(session, now=at)
    assert heartbeat.last_seen(session) == now + HOUR

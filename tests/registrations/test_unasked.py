"""While no mail leaves, nobody's time to accept an offer passes."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from eventreg import jobs
from eventreg.audit import Actor, AuditEntry
from eventreg.db import write_transaction
from eventreg.outbox.models import Message
from eventreg.registrations import changes, offers, seats
from eventreg.registrations.models import Registration

HOUR = timedelta(hours=1)


@pytest.fixture
def line(session, make_event, make_registration, now):
    """Three who wait for one place; the first has just been offered it, for four hours."""
    event = make_event(capacity=1, offer_hours=4)
    amira = make_registration(event)
    made = [
        make_registration(
            event, email=f"w{number}@example.org", status="waitlisted", waitlisted_at=now + timedelta(seconds=number)
        )
        for number in range(3)
    ]
    with write_transaction(session):
        changes.cancel(session, registration_id=amira.id, actor=Actor.attendee(), now=now)
    return made


def look(app, now) -> int:
    (job,) = (one for one in jobs.JOBS if one.name == "offers")
    return jobs.run(app, job, now=now)


def offered(session, line) -> list[object]:
    session.rollback()
    session.expire_all()
    assert seats.recount(session) == []
    return [session.get(Registration, one.id).offer_expires_at for one in line]


def offer_mails(session) -> list[tuple[str, str | None]]:
    query = select(Message).where(Message.kind == "offer").order_by(Message.id)
    return [(one.state, one.payload["offer_expires_at"]) for one in session.scalars(query)]


def leave(session, state: str) -> None:
    with write_transaction(session):
        session.execute(update(Message).where(Message.state == "queued").values(state=state))


def test_offer_is_made_anew_while_its_mail_cannot_leave(app, session, line, now) -> None:
    assert [look(app, now + hours * HOUR) for hours in (1, 2, 3, 4)] == [0, 1, 0, 1]
    assert offered(session, line) == [now + 8 * HOUR, None, None]
    assert offer_mails(session) == [
        ("aborted", (now + 4 * HOUR).isoformat()),
        ("aborted", (now + 6 * HOUR).isoformat()),
        ("queued", (now + 8 * HOUR).isoformat()),
    ]
    entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "offer.made").order_by(AuditEntry.id)).all()
    assert entries[-1].changes == {"offer_expires_at": [(now + 6 * HOUR).isoformat(), (now + 8 * HOUR).isoformat()]}
    with write_transaction(session):
        outcome = offers.accept(session, registration_id=line[0].id, actor=Actor.attendee(), now=now + 7 * HOUR)
    assert outcome.holds_seats


def test_one_that_has_lapsed_meanwhile_is_made_anew_and_not_passed_on(app, session, line, now) -> None:
    assert look(app, now + 9 * HOUR) == 1
    assert offered(session, line) == [now + 13 * HOUR, None, None]


@pytest.mark.parametrize("state", ["sent", "failed"])
def test_offer_whose_mail_has_left_or_never_will_passes_to_the_next(app, session, line, now, state) -> None:
    leave(session, state)
    assert look(app, now + 2 * HOUR) == 0
    assert look(app, now + 4 * HOUR) == 1
    assert offered(session, line) == [None, now + 8 * HOUR, None]


@pytest.mark.parametrize(
    ("words", "is_anew"), [("No mail could be sent: Connection refused", True), ("452 4.2.2 Mailbox full", False)]
)
def test_only_who_takes_no_mail_for_anybody_stops_the_clock(app, session, line, now, words, is_anew) -> None:
    with write_transaction(session):
        session.execute(update(Message).where(Message.kind == "offer").values(state="retrying", server_reply=words))
    assert look(app, now + 4 * HOUR) == 1
    later = now + 8 * HOUR
    assert offered(session, line) == ([later, None, None] if is_anew else [None, later, None])


def test_mail_in_a_workers_hands_is_left_to_it(app, session, line, now) -> None:
    leave(session, "sending")
    assert look(app, now + 2 * HOUR) == 0
    assert offered(session, line) == [now + 4 * HOUR, None, None]
    assert offer_mails(session) == [("sending", (now + 4 * HOUR).isoformat())]

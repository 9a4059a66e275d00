"""Journey 3: people register while the mail server is away, the service is killed, and everybody gets one mail."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from eventreg import clock
from eventreg.db import write_transaction
from eventreg.events.models import Event
from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration
from tests.flows.rusher import answer
from tests.support.live import LiveServer
from tests.support.outbox import states
from tests.support.smtp import SmtpServer, wait_until

PEOPLE = [f"person{number}@example.org" for number in range(6)]


def test_an_absent_mail_server_costs_no_registration_no_time_and_no_mail(
    make_live_server: Callable[..., LiveServer],
    session: Session,
    make_event: Callable[..., Event],
    smtp_server: SmtpServer,
) -> None:
    event = make_event(starts_at=clock.now() + timedelta(days=30))
    form = f"/events/{event.slug}/rsvp"
    session.rollback()
    smtp_server.stall()
    server = make_live_server()
    results: list[tuple[int, str, float]] = []
    for person in PEOPLE:
        answer(server.url(form), time.time(), person, results)
    assert Counter(heading for _status, heading, _seconds in results) == {"You are coming.": len(PEOPLE)}
    assert max(seconds for _status, _heading, seconds in results) < 2

    def says_why() -> bool:
        session.rollback()
        replies = list(session.scalars(select(Message.server_reply)))
        return len(replies) == len(PEOPLE) and all(reply.startswith("No mail could be sent: ") for reply in replies)

    wait_until(says_why, what="the reason on every mail")
    assert server.run("mail", "status").returncode == 0
    server.kill()
    smtp_server.stop()
    smtp_server.start()
    with write_transaction(session):  # the waits and leases are over
        session.execute(update(Message).values(due_at=clock.now(), leased_until=None))
    make_live_server()
    wait_until(lambda: {state for _kind, state in states(session)} == {"sent"}, what="sending")
    assert sorted(smtp_server.recipients) == sorted([person] for person in PEOPLE)
    session.rollback()
    assert len(session.scalars(select(Registration)).all()) == len(PEOPLE)
    session.rollback()

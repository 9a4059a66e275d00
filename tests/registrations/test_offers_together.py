"""Several processes at the same offers: each is accepted or taken back, once, and nobody is asked twice."""

import threading
from collections import Counter
from datetime import timedelta

from sqlalchemy import select

from eventreg.audit import Actor
from eventreg.db import db, write_transaction
from eventreg.errors import RegistrationNotOpen
from eventreg.outbox.models import Message
from eventreg.registrations import offers, seats
from eventreg.registrations.models import Registration

OFFERED = 6


def accepts(registration_id: int, now):
    """Somebody who presses the button."""

    def do(session) -> None:
        with write_transaction(session):
            offers.accept(session, registration_id=registration_id, actor=Actor.attendee(), now=now)

    return do


def clock(now):
    """A worker that takes back what has lapsed."""

    def do(session) -> None:
        count = 1
        while count:
            with write_transaction(session):
                count = offers.expire(session, now=now, limit=2)

    return do


def test_two_clocks_and_everybody_accepting_settle_each_offer_once(
    app, session, make_event, make_registration, now
) -> None:
    event = make_event(capacity=OFFERED, offer_hours=24)
    until = now + timedelta(hours=1)
    ids = [
        make_registration(event, email=f"o{number}@example.org", status="waitlisted", offer_expires_at=until).id
        for number in range(OFFERED)
    ]
    for number in range(OFFERED):
        make_registration(event, email=f"w{number}@example.org", status="waitlisted")
    together = threading.Barrier(OFFERED + 2)
    failed: list[BaseException] = []

    def run(do) -> None:
        try:
            with app.app_context():
                together.wait(timeout=20)
                do(db.session())
                db.session.remove()
        except RegistrationNotOpen:
            pass
        except BaseException as error:
            failed.append(error)
            raise

    acts = [clock(until), *(accepts(one, until - timedelta(seconds=1)) for one in ids), clock(until)]
    threads = [threading.Thread(target=run, args=(do,)) for do in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failed == []

    session.rollback()
    session.expire_all()
    assert seats.recount(session) == []
    found = Counter(session.scalars(select(Registration.status).where(Registration.id.in_(ids))))
    assert set(found) <= {"confirmed", "cancelled"}
    mails = Counter(session.scalars(select(Message.kind)))
    assert mails == +Counter(
        {"confirmation": found["confirmed"], "offer_expired": found["cancelled"], "offer": found["cancelled"]}
    )

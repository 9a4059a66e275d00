"""Damaged replies through the whole service: nothing changes that should not, and every seat is counted."""

import random

import sqlalchemy as sa

from eventreg.events.models import Event
from eventreg.registrations.models import Registration
from tests.support.mailroom import address_of, bring, standing
from tests.support.replies import NAMES, mailed, mutated

MAILS = 400


def frozen(session, *registrations: Registration) -> list[str]:
    """Every column of those rows, and of the event but its seats."""
    session.rollback()
    rows = []
    for model, ids in ((Registration, [one.id for one in registrations]), (Event, [registrations[0].event_id])):
        table = model.__table__
        columns = [column for column in table.c if column.name != "seats_taken"]
        found = session.execute(sa.select(*columns).where(table.c.id.in_(ids)).order_by(table.c.id)).all()
        rows += [repr(tuple(row)) for row in found]
    return rows


def test_hundreds_of_damaged_replies_change_nothing_they_should_not(
    session, make_event, make_registration, now
) -> None:
    event = make_event(capacity=3)
    amira = make_registration(event, party_size=2)
    wim = make_registration(event, email="wim@example.org", name="Wim")
    other = make_registration(make_event(title="Another"), email="amira@example.org")
    before = frozen(session, wim, other), frozen(session, other)
    to, uid = address_of(amira), event.uid
    chance = random.Random(20261019)
    outcomes: set[str] = set()
    for number in range(MAILS):
        data = mailed(
            NAMES[number % len(NAMES)],
            to=to,
            uid=uid,
            stamp=now,
            partstat=chance.choice(("ACCEPTED", "DECLINED", "TENTATIVE")),
            message_id=f"m{number}",
        )
        stamped = data.replace(
            b"20261005T160000Z", f"2026100{chance.randint(5, 6)}T16{number // 60:02}{number % 60:02}Z".encode()
        )
        outcomes.add(bring(session, mutated(stamped, chance), now=now).outcome)
    assert outcomes == {"applied", "held", "ignored"}
    rows = standing(session, event)  # which also counts the seats
    assert [row[0] for row in rows] == ["amira@example.org", "wim@example.org"]
    assert rows[1] == ("wim@example.org", "yes", "confirmed")
    assert (frozen(session, wim, other), frozen(session, other)) == before
    assert (amira.email, amira.party_size, amira.name) == ("amira@example.org", 2, "Amira Haddad")

"""What an organizer sets off for many people at once costs as many statements as for a few."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from eventreg.audit import Actor, AuditEntry
from eventreg.db import write_transaction
from eventreg.events.models import Event
from eventreg.events.values import values_of
from eventreg.outbox.models import Message
from eventreg.registrations import changes, event_changes, seats
from eventreg.registrations.models import Registration
from tests.support.queries import query_counter

OLGA = Actor("organizer", 1, "Olga")


@pytest.fixture
def hall(make_event, make_registration, now):
    """Makes an event of one place, taken, for which that many wait."""

    def make(waiting: int, **given) -> Event:
        event = make_event(title=f"Hall {waiting}", capacity=1, **given)
        make_registration(event, email="first@example.org", calendar_stamp_at=now - timedelta(days=1))
        for number in range(waiting):
            make_registration(
                event,
                email=f"p{number}@example.org",
                status="waitlisted",
                waitlisted_at=now + timedelta(seconds=waiting - number),
            )
        return event

    return make


def save(session, event, now, *, notify: bool, **values) -> tuple[event_changes.Saved, int]:
    """Saves the event, and how many statements that took."""
    event_id, wanted = event.id, replace(values_of(event), **values)
    with write_transaction(session), query_counter() as queries:
        saved = event_changes.save(session, event_id=event_id, values=wanted, notify=notify, actor=OLGA, now=now)
    session.expire_all()
    return saved, queries.count


def test_news_of_an_event_reaches_everybody_with_a_stamp_and_place_of_their_own(session, hall, now) -> None:
    costs = []
    for waiting in (3, 40):
        event = hall(waiting)
        saved, cost = save(session, event, now, notify=True, title=f"Other {waiting}")
        assert saved.told == waiting + 1
        costs.append(cost)
        rows = session.execute(
            select(Registration.calendar_stamp_at, Message.stamp_at, Message.payload["position"].as_integer())
            .join(Message, Message.registration_id == Registration.id)
            .where(Message.event_id == event.id)
            .order_by(Registration.id)
        ).all()
        later = now + timedelta(seconds=1)  # they had a calendar part this very second
        places = [None, *range(waiting, 0, -1)]
        assert [tuple(row) for row in rows] == [
            (now, now, None),
            *[(later, later, place) for place in places[1:]],
        ]
    assert costs[0] == costs[1]


@pytest.mark.parametrize("offer_hours", [None, 24])
def test_everybody_who_fits_moves_up_together_in_order(session, hall, now, offer_hours) -> None:
    costs = []
    for waiting in (3, 40):
        event = hall(waiting, offer_hours=offer_hours)
        saved, cost = save(session, event, now + timedelta(hours=1), notify=False, capacity=waiting)
        assert saved.promoted == waiting - 1
        costs.append(cost)
        assert seats.recount(session, event.id) == []
        told = session.scalars(select(Message.registration_id).where(Message.event_id == event.id).order_by(Message.id))
        arrived = session.scalars(
            select(Registration.id)
            .where(Registration.event_id == event.id, Registration.email != "first@example.org")
            .order_by(Registration.id)
        ).all()
        assert list(told) == list(reversed(arrived))[: waiting - 1]  # whoever came last had waited longest
        noted = select(func.count()).where(AuditEntry.event_id == event.id, AuditEntry.registration_id.is_not(None))
        assert session.scalar(noted) == waiting - 1
    assert costs[0] == costs[1]


def test_place_in_line_is_one_count(session, hall, now) -> None:
    event = hall(40)
    last = session.scalars(
        select(Registration)
        .where(Registration.event_id == event.id, Registration.status == "waitlisted")
        .order_by(Registration.waitlisted_at.desc())
    ).first()
    session.rollback()
    registration = session.get(Registration, last.id)
    session.get(Event, event.id)  # as every page has, which shows it
    with query_counter() as queries:
        assert changes.outcome(session, registration).position == 40
    assert queries.count == 1

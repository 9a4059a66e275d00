"""Deciding on people who asked to come."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from eventreg.audit import Actor, AuditEntry
from eventreg.db import write_transaction
from eventreg.errors import EventStateError
from eventreg.events.models import Event
from eventreg.outbox.models import Message
from eventreg.registrations import approval, changes, desk, seats, service
from eventreg.registrations.approval import Decided
from eventreg.registrations.models import Registration
from eventreg.registrations.service import AnswerForm

OLGA = Actor("organizer", 1, "Olga")


@pytest.fixture
def asking(make_registration):
    """Makes people who ask to come to an event, in the order of their party sizes."""

    def make(event, *parties: int) -> list[int]:
        return [
            make_registration(
                event, name=f"Asks {number}", email=f"a{number}@example.org", status="pending", party_size=party
            ).id
            for number, party in enumerate(parties, start=1)
        ]

    return make


def act(session, do, now, **given):
    with write_transaction(session):
        return do(session, actor=OLGA, now=now, **given)


def statuses(session) -> list[str]:
    session.expire_all()
    assert seats.recount(session) == []
    return list(session.scalars(select(Registration.status).order_by(Registration.id)))


def mails(session) -> list[tuple[str, str]]:
    return [(one.kind, one.recipient) for one in session.scalars(select(Message).order_by(Message.id))]


def test_approved_party_takes_its_seats_and_is_told(session, make_event, asking, now) -> None:
    event = make_event(capacity=2, needs_approval=True)
    (first,) = asking(event, 2)
    outcome = act(session, approval.approve, now, registration_id=first)
    session.expire_all()
    assert (outcome.status, session.get(Event, event.id).seats_taken) == ("confirmed", 2)
    assert mails(session) == [("confirmation", "a1@example.org")]
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.actor_name, entry.changes) == (
        "registration.approved",
        "Olga",
        {"status": ["pending", "confirmed"]},
    )


def test_approved_party_that_does_not_fit_waits(session, make_event, make_registration, asking, now) -> None:
    event = make_event(capacity=2, needs_approval=True)
    make_registration(event)
    (first,) = asking(event, 2)
    outcome = act(session, approval.approve, now, registration_id=first)
    assert (outcome.status, outcome.position) == ("waitlisted", 1)
    assert mails(session) == [("waitlisted", "a1@example.org")]


def test_approved_party_that_neither_fits_nor_can_wait_goes_on_asking(
    session, make_event, make_registration, asking, now
) -> None:
    event = make_event(capacity=2, needs_approval=True, waitlist_open=False)
    make_registration(event, email="sam@example.org")
    (first,) = asking(event, 2)
    with pytest.raises(EventStateError, match="does not fit into the free places, and the event has no waitlist"):
        act(session, approval.approve, now, registration_id=first)
    assert (statuses(session), mails(session)) == (["confirmed", "pending"], [])


def test_rule_hold_sends_the_approved_behind_those_who_wait(
    session, make_event, make_registration, asking, now
) -> None:
    event = make_event(capacity=2, needs_approval=True, waitlist_rule="hold")
    make_registration(event, email="sam@example.org")
    make_registration(event, email="wim@example.org", status="waitlisted", party_size=2)
    (first,) = asking(event, 1)
    outcome = act(session, approval.approve, now, registration_id=first)
    assert (outcome.status, outcome.position, session.get(Event, event.id).seats_taken) == ("waitlisted", 2, 1)


def test_clock_put_back_lets_nobody_who_is_approved_overtake(
    session, make_event, make_registration, asking, now
) -> None:
    event = make_event(capacity=1, needs_approval=True)
    make_registration(event, email="sam@example.org")
    (first,) = asking(event, 1)
    make_registration(event, email="wim@example.org", status="waitlisted")
    outcome = act(session, approval.approve, now - timedelta(hours=1), registration_id=first)
    assert (outcome.status, outcome.position) == ("waitlisted", 2)


def test_party_larger_than_the_event_is_not_put_on_its_waitlist(session, make_event, asking, now) -> None:
    event = make_event(capacity=2, needs_approval=True)
    ids = asking(event, 3, 2)
    with pytest.raises(EventStateError, match=r"^The party is larger than the whole event\. Raise the capacity first"):
        act(session, approval.approve, now, registration_id=ids[0])
    done = act(session, approval.approve_all, now, event_id=event.id, registration_ids=ids)
    assert (done, statuses(session)) == (Decided(approved=1, left=1), ["pending", "confirmed"])


def test_declined_person_is_told_and_may_ask_again(session, make_event, asking, now) -> None:
    event = make_event(needs_approval=True)
    (first,) = asking(event, 1)
    assert act(session, approval.decline, now, registration_id=first).status == "cancelled"
    assert mails(session) == [("not_approved", "a1@example.org")]
    with pytest.raises(EventStateError, match="does not wait for approval any more"):
        act(session, approval.approve, now, registration_id=first)
    form = AnswerForm(name="A", email="a1@example.org", rsvp="yes")
    with write_transaction(session):
        again = service.register(session, event_id=event.id, form=form, now=now + timedelta(hours=1))
    assert (again.status, statuses(session)) == ("pending", ["cancelled", "pending"])


def test_several_are_approved_in_order_of_arrival_as_far_as_places_go(session, make_event, asking, now) -> None:
    event = make_event(capacity=3, needs_approval=True, waitlist_open=False)
    ids = asking(event, 2, 2, 1, 1)
    done = act(session, approval.approve_all, now, event_id=event.id, registration_ids=reversed(ids))
    assert done == Decided(approved=2, left=2)
    assert statuses(session) == ["confirmed", "pending", "confirmed", "pending"]


def test_several_are_approved_onto_the_waitlist_and_others_are_left_alone(
    session, make_event, make_registration, asking, now
) -> None:
    event, other = make_event(capacity=1, needs_approval=True), make_event(title="Other", needs_approval=True)
    ids = asking(event, 1, 1, 1)
    coming = make_registration(other, email="x@example.org", status="pending").id
    done = act(session, approval.approve_all, now, event_id=event.id, registration_ids=[*ids[:2], coming, 999])
    assert done == Decided(approved=1, waitlisted=1)
    assert statuses(session) == ["confirmed", "waitlisted", "pending", "pending"]
    assert act(session, approval.decline_all, now, event_id=event.id, registration_ids=ids) == Decided(declined=1)
    assert statuses(session) == ["confirmed", "waitlisted", "cancelled", "pending"]


def test_nobody_is_approved_for_what_is_over(session, make_event, asking, now) -> None:
    event = make_event(needs_approval=True, starts_at=now - timedelta(hours=3))
    (first,) = asking(event, 1)
    with pytest.raises(EventStateError, match="cancelled or over"):
        act(session, approval.approve, now, registration_id=first)


def test_organizer_needs_nobodys_approval(session, make_event, make_registration, now) -> None:
    event = make_event(capacity=3, needs_approval=True)
    form = AnswerForm(name="Wim", email="wim@example.org", rsvp="yes")
    assert act(session, desk.add_by_organizer, now, event_id=event.id, form=form).status == "confirmed"
    maybe = make_registration(event, rsvp="maybe").id
    form = AnswerForm(name="Amira", email="amira@example.org", rsvp="yes")
    outcome = act(session, changes.change, now, registration_id=maybe, form=form, by_organizer=True)
    assert (outcome.status, statuses(session)) == ("confirmed", ["confirmed", "confirmed"])


def test_second_request_of_the_same_address_changes_nothing_and_sees_the_same(session, make_event, now) -> None:
    event = make_event(needs_approval=True)
    form = AnswerForm(name="Amira", email="amira@example.org", rsvp="yes", party_size=2)
    outcomes = []
    for minutes in (0, 30):
        with write_transaction(session):
            outcomes.append(
                service.register(session, event_id=event.id, form=form, now=now + timedelta(minutes=minutes))
            )
    assert outcomes[0] == outcomes[1]
    assert (statuses(session), mails(session)) == (
        ["pending"],
        [("pending", "amira@example.org"), ("link", "amira@example.org")],
    )

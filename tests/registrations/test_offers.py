"""A place offered for some hours: accepted, changed, let pass, called off."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from eventreg.audit import Actor, AuditEntry
from eventreg.db import write_transaction
from eventreg.errors import CapacityTooSmall, EventFull, EventStateError, RegistrationNotOpen
from eventreg.events.models import Event
from eventreg.events.values import values_of
from eventreg.outbox.models import Message
from eventreg.registrations import changes, desk, event_changes, offers, promotion, seats, waitlist
from eventreg.registrations.models import Registration
from eventreg.registrations.service import AnswerForm

HOUR = timedelta(hours=1)
OLGA = Actor("organizer", 1, "Olga")


@pytest.fixture
def hall(make_event, make_registration, now):
    """An event of two places, both taken by Amira, whose waitlist offers for a day; two parties wait for it."""
    event = make_event(capacity=2, offer_hours=24)
    amira = make_registration(event, party_size=2)
    line = [
        make_registration(
            event,
            name=f"Waiting {number}",
            email=f"w{number}@example.org",
            status="waitlisted",
            party_size=party,
            waitlisted_at=now + timedelta(seconds=number),
        )
        for number, party in enumerate((2, 1), start=1)
    ]
    return event, amira, line


def act(session, do, registration, now, **given):
    registration_id = registration.id
    with write_transaction(session):
        return do(session, registration_id=registration_id, actor=Actor.attendee(), now=now, **given)


def expire(session, now, **given) -> int:
    with write_transaction(session):
        return offers.expire(session, now=now, **given)


def mails(session) -> list[tuple[str, str]]:
    return [(one.kind, one.recipient) for one in session.scalars(select(Message).order_by(Message.id))]


def state(session, registration) -> tuple[str, object]:
    row = session.get(Registration, registration.id, populate_existing=True)
    return row.status, row.offer_expires_at


def taken(session, event) -> int:
    session.expire_all()
    assert seats.recount(session) == []
    return session.get(Event, event.id).seats_taken


def test_freed_seats_are_held_for_whoever_is_asked(session, hall, now) -> None:
    event, amira, (first, second) = hall
    act(session, changes.cancel, amira, now)
    assert state(session, first) == ("waitlisted", now + 24 * HOUR)
    assert state(session, second) == ("waitlisted", None)
    assert taken(session, event) == 2
    assert mails(session) == [("withdrawn", "amira@example.org"), ("offer", "w1@example.org")]
    message = session.scalars(select(Message).where(Message.kind == "offer")).one()
    assert message.payload == {
        "rsvp": "yes",
        "status": "waitlisted",
        "party_size": 2,
        "sequence": 0,
        "offer_expires_at": (now + 24 * HOUR).isoformat(),
    }
    assert (
        waitlist.end(session, event.id, now=now)[0],
        changes.outcome(session, session.get(Registration, second.id)).position,
    ) == (2, 1)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "offer.made")).one()
    assert (entry.registration_id, entry.changes) == (
        first.id,
        {"offer_expires_at": [None, (now + 24 * HOUR).isoformat()]},
    )


def test_accepting_confirms_once(session, hall, now) -> None:
    event, amira, (first, _second) = hall
    act(session, changes.cancel, amira, now)
    for later in (1, 2):
        outcome = act(session, offers.accept, first, now + later * HOUR)
        assert (outcome.status, outcome.holds_seats, outcome.offer_expires_at) == ("confirmed", True, None)
    assert taken(session, event) == 2
    assert mails(session)[2:] == [("confirmation", "w1@example.org")]
    assert expire(session, now + 48 * HOUR) == 0


@pytest.mark.parametrize(("hours", "expired"), [(23, False), (24, True)])
def test_accepting_after_the_moment_is_refused_before_the_clock_has_come_by(session, hall, now, hours, expired) -> None:
    _event, amira, (first, _second) = hall
    act(session, changes.cancel, amira, now)
    if not expired:
        assert act(session, offers.accept, first, now + hours * HOUR).holds_seats
        return
    with pytest.raises(RegistrationNotOpen, match=r"^The time to accept ended Tuesday, October 6, 2026, 12:00 PM EDT"):
        act(session, offers.accept, first, now + hours * HOUR)
    form = AnswerForm(name="W", email="w1@example.org", rsvp="yes", party_size=1)
    with pytest.raises(RegistrationNotOpen, match=r"^The time to accept ended"):
        act(session, changes.change, first, now + hours * HOUR, form=form)
    assert state(session, first) == ("waitlisted", now + 24 * HOUR)


def test_accepting_what_is_not_offered_says_so(session, hall, now) -> None:
    _event, amira, (first, _second) = hall
    with pytest.raises(RegistrationNotOpen, match=r"^No place is offered to you at the moment"):
        act(session, offers.accept, first, now)
    act(session, changes.cancel, amira, now)
    with pytest.raises(RegistrationNotOpen, match="nothing to accept any more"):
        act(session, offers.accept, amira, now)


def test_offer_that_passes_asks_the_next_in_the_same_transaction(session, hall, now) -> None:
    event, amira, (first, second) = hall
    act(session, changes.cancel, amira, now)
    late = now + 24 * HOUR
    assert (offers.are_due(session, now=late - HOUR), expire(session, late - HOUR)) == (False, 0)
    assert offers.next_due_at(session) == late
    assert offers.are_due(session, now=late)
    assert (expire(session, late), expire(session, late)) == (1, 0)
    assert state(session, first) == ("cancelled", None)
    assert state(session, second) == ("waitlisted", late + 24 * HOUR)
    assert taken(session, event) == 1
    assert mails(session)[2:] == [("offer_expired", "w1@example.org"), ("offer", "w2@example.org")]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "offer.expired")).one()
    assert (entry.actor_name, entry.registration_id) == ("waitlist", first.id)


def test_expiring_takes_one_event_at_a_time_and_oldest_first(session, make_event, make_registration, now) -> None:
    made = []
    for number, minutes in enumerate((3, 1, 2), start=1):
        event = make_event(title=f"Hall {number}", capacity=2, offer_hours=1)
        made += [
            make_registration(
                event,
                email=f"p{number}{who}@example.org",
                status="waitlisted",
                offer_expires_at=now + timedelta(minutes=minutes, seconds=who),
            )
            for who in (0, 1)
        ]
    later = now + HOUR
    assert expire(session, later, limit=1) == 1
    assert state(session, made[2]) == ("cancelled", None)
    assert [expire(session, later) for _ in range(4)] == [1, 2, 2, 0]
    assert {state(session, one) for one in made} == {("cancelled", None)}
    assert seats.recount(session) == []


@pytest.mark.parametrize("leaves", ["cancel", "no", "maybe"])
def test_declining_gives_the_seats_back_and_asks_the_next(session, hall, now, leaves) -> None:
    event, amira, (first, second) = hall
    act(session, changes.cancel, amira, now)
    if leaves == "cancel":
        act(session, changes.cancel, first, now + HOUR)
    else:
        form = AnswerForm(name="W", email="w1@example.org", rsvp=leaves, party_size=2)
        act(session, changes.change, first, now + HOUR, form=form)
    assert state(session, first) == ("cancelled" if leaves == "cancel" else "confirmed", None)
    assert state(session, second) == ("waitlisted", now + 25 * HOUR)
    assert taken(session, event) == 1


def test_party_size_changes_within_what_is_held_and_never_accepts(session, hall, now) -> None:
    event, amira, (first, second) = hall
    act(session, changes.cancel, amira, now)
    form = AnswerForm(name="Waiting 1", email="w1@example.org", rsvp="yes", party_size=1)
    outcome = act(session, changes.change, first, now + HOUR, form=form)
    assert (outcome.party_size, outcome.is_offered) == (1, True)
    assert state(session, second) == ("waitlisted", now + 25 * HOUR)  # one seat was freed, and asked for at once
    larger = AnswerForm(name="Waiting 1", email="w1@example.org", rsvp="yes", party_size=2)
    with pytest.raises(EventFull, match=r"^Every other place is taken\. The offer still stands for 1\.$"):
        act(session, changes.change, first, now + 2 * HOUR, form=larger)
    assert taken(session, event) == 2
    assert mails(session)[2:] == [("changed", "w1@example.org"), ("offer", "w2@example.org")]


def test_organizer_moves_somebody_up_who_has_an_offer_without_taking_seats_twice(session, hall, now) -> None:
    event, amira, (first, second) = hall
    act(session, changes.cancel, amira, now)
    act(session, desk.promote, first, now)
    assert (state(session, first), taken(session, event)) == (("confirmed", None), 2)
    assert mails(session)[-1] == ("promotion", "w1@example.org")
    with pytest.raises(EventStateError, match="does not fit"):
        act(session, desk.promote, second, now)


@pytest.mark.parametrize(
    ("begins_in", "until"),
    [(timedelta(minutes=60), None), (timedelta(minutes=61), 61), (timedelta(days=2), 24 * 60)],
)
def test_offer_never_outlives_the_wait_for_the_event(make_event, now, begins_in, until) -> None:
    event = make_event(offer_hours=24, starts_at=now + begins_in)
    found = promotion.offer_until(event, now)
    assert found == (None if until is None else now + timedelta(minutes=until))


def test_place_is_given_at_once_when_the_event_is_about_to_begin(session, make_event, make_registration, now) -> None:
    event = make_event(capacity=1, offer_hours=24, starts_at=now + timedelta(minutes=30))
    amira = make_registration(event)
    wim = make_registration(event, email="wim@example.org", status="waitlisted")
    act(session, changes.cancel, amira, now)
    assert state(session, wim) == ("confirmed", None)
    assert mails(session)[-1] == ("promotion", "wim@example.org")


def test_called_off_event_holds_nothing_for_anybody(session, hall, now) -> None:
    event, amira, (first, _second) = hall
    act(session, changes.cancel, amira, now)
    with write_transaction(session):
        assert event_changes.call_off(session, event_id=event.id, actor=OLGA, now=now) == 2
    assert (state(session, first), taken(session, event)) == (("waitlisted", None), 0)
    assert expire(session, now + 48 * HOUR) == 0


def test_event_moved_nearer_ends_the_offer_when_it_begins(session, hall, now) -> None:
    event, amira, (first, _second) = hall
    act(session, changes.cancel, amira, now)
    values = replace(values_of(event), starts_at=now + 5 * HOUR, ends_at=now + 6 * HOUR)
    with write_transaction(session):
        event_changes.save(session, event_id=event.id, values=values, notify=False, actor=OLGA, now=now)
    assert state(session, first) == ("waitlisted", now + 5 * HOUR)
    with pytest.raises(RegistrationNotOpen, match="This event has begun"):
        act(session, offers.accept, first, now + 5 * HOUR)


def test_capacity_cannot_fall_below_what_is_held_for_an_offer(session, hall, now) -> None:
    event, amira, _line = hall
    act(session, changes.cancel, amira, now)
    values = replace(values_of(event), capacity=1)
    with pytest.raises(CapacityTooSmall), write_transaction(session):
        event_changes.save(session, event_id=event.id, values=values, notify=False, actor=OLGA, now=now)


def test_offers_stand_when_the_event_stops_offering(session, hall, now) -> None:
    event, amira, (first, second) = hall
    act(session, changes.cancel, amira, now)
    with write_transaction(session):
        session.get(Event, event.id).offer_hours = None
    assert expire(session, now + 24 * HOUR) == 1
    assert (state(session, first), state(session, second)) == (("cancelled", None), ("confirmed", None))


def test_doctor_hears_of_an_offer_that_nobody_took_back(session, hall, now) -> None:
    event, amira, _line = hall
    act(session, changes.cancel, amira, now)
    late = now + 24 * HOUR
    assert offers.overdue(session, late + timedelta(minutes=4)) == []
    assert offers.overdue(session, late + timedelta(minutes=5)) == [event.slug]


def test_offer_left_on_somebody_whom_the_version_before_moved_up_is_none(
    session, make_event, make_registration, now
) -> None:
    event = make_event(capacity=4, offer_hours=24)
    amira = make_registration(event, party_size=2, offer_expires_at=now + HOUR)
    late = now + 2 * HOUR
    assert (offers.are_due(session, now=late), offers.next_due_at(session)) == (False, None)
    assert (expire(session, late), offers.overdue(session, late)) == (0, [])
    assert (state(session, amira)[0], taken(session, event), mails(session)) == ("confirmed", 2, [])
    wim = make_registration(event, email="wim@example.org", status="waitlisted", offer_expires_at=now + HOUR)
    with write_transaction(session):
        assert event_changes.call_off(session, event_id=event.id, actor=OLGA, now=now) == 2
    assert (state(session, amira)[0], state(session, wim), taken(session, event)) == (
        "confirmed",
        ("waitlisted", None),
        2,
    )

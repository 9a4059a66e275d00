"""Changing, cancelling and moving up."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from eventreg.audit import Actor, AuditEntry
from eventreg.db import write_transaction
from eventreg.errors import EventFull, InvalidField, RegistrationNotOpen
from eventreg.events.models import Event
from eventreg.outbox.models import Message
from eventreg.registrations import changes, seats, waitlist
from eventreg.registrations.models import Answer, Registration
from eventreg.registrations.service import AnswerForm

AMIRA = {"name": "Amira Haddad", "email": "amira@example.org"}


def change(session, registration: Registration, now, *, by_organizer: bool = False, **values):
    registration_id = registration.id
    form = AnswerForm(**{**AMIRA, "rsvp": "yes", **values})
    with write_transaction(session):
        return changes.change(
            session,
            registration_id=registration_id,
            form=form,
            actor=Actor.attendee(),
            now=now,
            by_organizer=by_organizer,
        )


def cancel(session, registration: Registration, now):
    registration_id = registration.id
    with write_transaction(session):
        return changes.cancel(session, registration_id=registration_id, actor=Actor.attendee(), now=now)


def mails(session) -> list[tuple[str, str]]:
    return [(one.kind, one.recipient) for one in session.scalars(select(Message).order_by(Message.id))]


def waiting(make_registration, event: Event, now, *parties: int) -> list[Registration]:
    return [
        make_registration(
            event,
            name=f"Waiting {number}",
            email=f"w{number}@example.org",
            status="waitlisted",
            party_size=party,
            waitlisted_at=now + timedelta(seconds=number),
        )
        for number, party in enumerate(parties, start=1)
    ]


def test_smaller_party_gives_seats_back_and_is_mailed_once(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=4)
    registration = make_registration(event, party_size=3)
    outcome = change(session, registration, now, party_size=1)
    assert (outcome.status, outcome.party_size, session.get(Event, event.id).seats_taken) == ("confirmed", 1, 1)
    assert mails(session) == [("changed", "amira@example.org")]
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.actor_kind, entry.changes) == (
        "registration.changed",
        "attendee",
        {"party_size": [3, 1]},
    )


def test_larger_party_takes_seats_or_leaves_everything_as_it_was(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=4)
    registration = make_registration(event, party_size=2)
    assert change(session, registration, now, party_size=3).party_size == 3
    make_registration(event, email="wim@example.org")
    with pytest.raises(EventFull, match=r"Every other place is taken\. Your registration still stands for 3\."):
        change(session, registration, now, party_size=4, answers={1: "never stored"})
    session.expire_all()
    assert (session.get(Registration, registration.id).party_size, session.get(Event, event.id).seats_taken) == (3, 4)
    assert session.scalars(select(Answer)).all() == []


def test_sending_the_same_again_changes_and_mails_nothing(make_event, make_registration, session, now) -> None:
    registration = make_registration(make_event(), answers={"Dietary or access needs": "no nuts"})
    change(session, registration, now + timedelta(hours=1), answers={1: "no nuts"})
    assert (mails(session), session.scalars(select(AuditEntry)).all()) == ([], [])
    assert session.get(Registration, registration.id).updated_at == now


def test_answers_are_replaced_and_emptied(make_event, make_registration, session, now) -> None:
    event = make_event(questions=[{"label": "Food"}, {"label": "Bus"}, {"label": "Old", "retired_at": now}])
    registration = make_registration(event, answers={"Food": "no nuts", "Bus": "yes", "Old": "kept"})
    change(session, registration, now, answers={1: "vegan", 2: ""})
    assert {one.question_id: one.value for one in session.scalars(select(Answer))} == {1: "vegan", 3: "kept"}


def test_no_frees_the_seats_for_whoever_waits_longest(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=2)
    registration = make_registration(event, party_size=2)
    first, second = waiting(make_registration, event, now, 1, 1)
    outcome = change(session, registration, now, rsvp="no", party_size=2)
    assert (outcome.rsvp, outcome.status, outcome.holds_seats) == ("no", "confirmed", False)
    assert [session.get(Registration, one.id).status for one in (first, second)] == ["confirmed", "confirmed"]
    assert session.get(Event, event.id).seats_taken == 2
    assert mails(session) == [
        ("changed", "amira@example.org"),
        ("promotion", "w1@example.org"),
        ("promotion", "w2@example.org"),
    ]


def test_cancelling_promotes_the_oldest_fitting_party_in_the_same_transaction(
    make_event, make_registration, session, now
) -> None:
    event = make_event(capacity=2)
    registration = make_registration(event, party_size=2)
    large, small, last = waiting(make_registration, event, now, 3, 2, 1)
    outcome = cancel(session, registration, now)
    assert outcome.status == "cancelled"
    assert [session.get(Registration, one.id).status for one in (large, small, last)] == [
        "waitlisted",
        "confirmed",
        "waitlisted",
    ]
    assert mails(session) == [("withdrawn", "amira@example.org"), ("promotion", "w2@example.org")]
    assert seats.recount(session) == []


def test_rule_hold_keeps_freed_seats_for_the_first_in_line(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=3, waitlist_rule="hold")
    make_registration(event, email="stays@example.org")
    registration = make_registration(event, party_size=2)
    waiting(make_registration, event, now, 3, 1)
    cancel(session, registration, now)
    assert mails(session) == [("withdrawn", "amira@example.org")]


def test_rule_hold_gives_the_held_seats_to_the_next_when_the_first_leaves_the_line(
    make_event, make_registration, session, now
) -> None:
    event = make_event(capacity=3, waitlist_rule="hold")
    make_registration(event, email="stays@example.org")
    large, _small = waiting(make_registration, event, now, 3, 1)
    cancel(session, large, now)
    assert mails(session) == [("withdrawn", "w1@example.org"), ("promotion", "w2@example.org")]


def test_cancelling_twice_changes_and_mails_nothing_more(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=2)
    registration = make_registration(event)
    cancel(session, registration, now)
    cancel(session, registration, now)
    assert (session.get(Event, event.id).seats_taken, mails(session)) == (0, [("withdrawn", "amira@example.org")])


def test_leaving_the_waitlist_frees_nothing(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=1)
    make_registration(event, email="wim@example.org")
    registration = make_registration(event, status="waitlisted")
    assert cancel(session, registration, now).status == "cancelled"
    assert session.get(Event, event.id).seats_taken == 1


def test_maybe_that_becomes_yes_goes_to_the_end_of_the_line_when_full(
    make_event, make_registration, session, now
) -> None:
    event = make_event(capacity=1)
    make_registration(event, email="wim@example.org")
    waiting(make_registration, event, now, 1)
    registration = make_registration(event, rsvp="maybe")
    outcome = change(session, registration, now + timedelta(minutes=1))
    assert (outcome.rsvp, outcome.status, outcome.position) == ("yes", "waitlisted", 2)
    assert mails(session) == [("waitlisted", "amira@example.org")]


def test_waiting_party_that_shrinks_moves_up_when_it_fits(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=2)
    make_registration(event, email="wim@example.org")
    registration = make_registration(event, status="waitlisted", party_size=2)
    assert change(session, registration, now, party_size=1).status == "confirmed"
    assert session.get(Event, event.id).seats_taken == 2


def test_after_registration_closed_people_may_give_up_but_not_ask_for_more(
    make_event, make_registration, session, now
) -> None:
    event = make_event(registration_closes_at=now - timedelta(hours=1))
    registration = make_registration(event, party_size=2)
    assert change(session, registration, now, party_size=1, answers={1: "vegan"}).party_size == 1
    with pytest.raises(RegistrationNotOpen, match="Registration closed on Monday"):
        change(session, registration, now, party_size=2)
    assert change(session, registration, now, rsvp="no").rsvp == "no"


def test_once_it_has_begun_attendees_change_nothing(make_event, make_registration, session, now) -> None:
    registration = make_registration(make_event(starts_at=now - timedelta(minutes=1)))
    with pytest.raises(RegistrationNotOpen, match="has begun"):
        cancel(session, registration, now)
    with pytest.raises(RegistrationNotOpen, match="has begun"):
        change(session, registration, now, rsvp="no")


def test_calendar_stamps_of_a_registration_rise_strictly(make_event, make_registration, session, now) -> None:
    registration = make_registration(make_event(), party_size=3)
    for party in (2, 1, 2, 3, 4):
        change(session, registration, now, party_size=party)
    change(session, registration, now, party_size=4, name="Amira H.")
    cancel(session, registration, now)
    stamps = session.scalars(select(Message.stamp_at).order_by(Message.id)).all()
    assert [int((stamp - now).total_seconds()) for stamp in stamps] == [1, 2, 3, 4, 5, 6, 7]


def test_nobody_is_promoted_into_an_event_under_way(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=1, starts_at=now - timedelta(minutes=1))
    registration = make_registration(event)
    waiting(make_registration, event, now, 1)
    with write_transaction(session):
        changes.cancel(session, registration_id=registration.id, actor=Actor.system(), now=now, by_organizer=True)
    assert mails(session) == [("withdrawn", "amira@example.org")]


def test_withdrawing_from_a_cancelled_event_says_that_it_is_cancelled(
    make_event, make_registration, session, now
) -> None:
    registration = make_registration(make_event(status="cancelled"))
    with pytest.raises(RegistrationNotOpen, match="was cancelled"):
        cancel(session, registration, now)


def test_rule_hold_passes_over_a_party_that_is_larger_than_the_event(
    make_event, make_registration, session, now
) -> None:
    event = make_event(capacity=3, waitlist_rule="hold")
    registration = make_registration(event, party_size=3)
    _never, small, large, last = waiting(make_registration, event, now, 4, 1, 3, 1)
    cancel(session, registration, now)
    assert mails(session) == [("withdrawn", "amira@example.org"), ("promotion", "w2@example.org")]
    assert waitlist.stuck(session, now) == []
    cancel(session, large, now)  # the next in line does not wait for whoever never fits
    assert mails(session)[2:] == [("withdrawn", "w3@example.org"), ("promotion", "w4@example.org")]
    with write_transaction(session):
        for one in (small, last):
            session.get(Registration, one.id).status = "cancelled"
        session.get(Event, event.id).seats_taken = 0
    make_registration(event, email="next@example.org", status="waitlisted", waitlisted_at=now + timedelta(hours=1))
    assert waitlist.stuck(session, now) == [event.slug]


def test_waiting_party_does_not_grow_beyond_the_event(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=3)
    make_registration(event, email="wim@example.org", party_size=2)
    registration = make_registration(event, status="waitlisted", party_size=2)
    assert change(session, registration, now, party_size=3).party_size == 3
    with pytest.raises(InvalidField, match="This event has 3 places in all, so at most 3 people can come"):
        change(session, registration, now, party_size=4)
    assert session.get(Registration, registration.id, populate_existing=True).party_size == 3


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, r"^The places left are kept for people who wait\. Your registration still stands for 1\.$"),
        (
            {"status": "waitlisted", "offer_expires_at": timedelta(hours=1)},
            r"^The places left are kept for people who wait\. The offer still stands for 1\.$",
        ),
    ],
    ids=["coming", "offered"],
)
def test_places_kept_for_who_waits_are_not_taken_by_bringing_more(
    make_event, make_registration, session, now, columns, words
) -> None:
    event = make_event(capacity=5, waitlist_rule="hold")
    make_registration(event, email="wim@example.org", party_size=2)
    columns = {name: now + value if isinstance(value, timedelta) else value for name, value in columns.items()}
    registration = make_registration(event, **columns)
    waiting(make_registration, event, now, 3)
    with pytest.raises(EventFull, match=words) as refused:
        change(session, registration, now, party_size=2)
    assert (refused.value.seats_left, refused.value.can_wait) == (0, False)
    assert (session.get(Event, event.id, populate_existing=True).seats_taken, mails(session)) == (3, [])
    assert change(session, registration, now, party_size=2, by_organizer=True).party_size == 2
    assert (session.get(Event, event.id, populate_existing=True).seats_taken, seats.recount(session)) == (4, [])


@pytest.mark.parametrize("status", ["confirmed", "waitlisted"])
def test_nobody_brings_more_than_an_organizer_approved(make_event, make_registration, session, now, status) -> None:
    event = make_event(capacity=4, needs_approval=True)
    if status == "waitlisted":
        make_registration(event, email="wim@example.org", party_size=4)
    registration = make_registration(event, status=status, party_size=2)
    words = (
        "The organizers decide who comes: ask them if you would like to bring more people. Your registration still "
        "stands for 2."
    )
    with pytest.raises(InvalidField) as refused:
        change(session, registration, now, party_size=3)
    assert (refused.value.field, refused.value.message) == ("party_size", words)
    assert change(session, registration, now, party_size=3, by_organizer=True).party_size == 3
    assert change(session, registration, now, party_size=1).party_size == 1
    assert seats.recount(session) == []


STILL_OPEN = [{"all_day": True}, {"registration_closes_at": timedelta(minutes=30)}]


@pytest.mark.parametrize("columns", STILL_OPEN, ids=["whole day", "closes later"])
def test_line_moves_on_while_an_event_under_way_takes_answers(
    make_event, make_registration, session, now, columns
) -> None:
    columns = {name: now + value if isinstance(value, timedelta) else value for name, value in columns.items()}
    event = make_event(capacity=2, starts_at=now - timedelta(hours=1), offer_hours=24, **columns)
    registration_id = make_registration(event, party_size=2).id
    first, _second = waiting(make_registration, event, now, 1, 1)
    with write_transaction(session):
        changes.cancel(session, registration_id=registration_id, actor=Actor.system(), now=now, by_organizer=True)
    assert mails(session)[1:] == [("promotion", "w1@example.org"), ("promotion", "w2@example.org")]
    with write_transaction(session):
        session.get(Event, event.id).seats_taken = 1
        session.get(Registration, first.id).status = "cancelled"
    make_registration(event, email="w3@example.org", status="waitlisted")
    assert waitlist.stuck(session, now) == [event.slug]
    assert waitlist.stuck(session, now + timedelta(hours=1)) == []


def test_clock_put_back_lets_nobody_who_changes_their_mind_overtake(
    make_event, make_registration, session, now
) -> None:
    event = make_event(capacity=1)
    make_registration(event, email="wim@example.org")
    registration = make_registration(event, rsvp="maybe")
    waiting(make_registration, event, now, 1)
    outcome = change(session, registration, now - timedelta(hours=1))
    assert (outcome.status, outcome.position) == ("waitlisted", 2)

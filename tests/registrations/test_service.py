"""Taking answers: seats, waitlist, mail owed, and the silence about who is coming."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from eventreg.db import write_transaction
from eventreg.errors import EventFull, InvalidField, NotFound, RegistrationNotOpen
from eventreg.events.models import Event
from eventreg.outbox.models import Message
from eventreg.registrations import seats, service
from eventreg.registrations.models import Answer, Registration
from eventreg.registrations.service import AnswerForm
from tests.support.queries import query_counter


def amira(**values) -> AnswerForm:
    return AnswerForm(**{"name": "Amira Haddad", "email": "Amira@example.org", "rsvp": "yes", **values})


def wim(**values) -> AnswerForm:
    return AnswerForm(**{"name": "Wim de Wit", "email": "wim@example.org", "rsvp": "yes", **values})


def register(session, event: Event, form: AnswerForm, now):
    event_id = event.id
    with write_transaction(session):
        outcome = service.register(session, event_id=event_id, form=form, now=now)
    session.expire_all()
    return outcome


def mails(session) -> list[tuple[str, str]]:
    return [(one.kind, one.recipient) for one in session.scalars(select(Message).order_by(Message.id))]


def test_register_with_room_takes_seats_and_owes_one_confirmation(make_event, session, now) -> None:
    event = make_event(capacity=5)
    outcome = register(session, event, amira(party_size=2, answers={1: "no nuts"}), now)

    row = session.scalars(select(Registration)).one()
    assert (row.rsvp, row.status, row.party_size, row.email, row.email_key) == (
        "yes",
        "confirmed",
        2,
        "Amira@example.org",
        "amira@example.org",
    )
    assert (outcome.registration_id, outcome.status, outcome.holds_seats, outcome.position) == (
        row.id,
        "confirmed",
        True,
        None,
    )
    assert session.get(Event, event.id).seats_taken == 2
    assert session.scalars(select(Answer.value)).all() == ["no nuts"]
    message = session.scalars(select(Message)).one()
    assert (message.kind, message.recipient, message.state, message.payload) == (
        "confirmation",
        "Amira@example.org",
        "queued",
        {"rsvp": "yes", "status": "confirmed", "party_size": 2, "sequence": 0},
    )


def test_register_costs_four_statements(make_event, session, now) -> None:
    event_id = make_event(capacity=5).id
    with query_counter() as queries, write_transaction(session):
        service.register(session, event_id=event_id, form=amira(answers={1: "x"}), now=now)
    assert [one.split()[0] for one in queries.statements] == ["UPDATE", "INSERT", "INSERT", "INSERT"]


@pytest.mark.parametrize("rsvp", ["no", "maybe"])
def test_register_without_a_yes_holds_no_seat(make_event, session, now, rsvp) -> None:
    event = make_event(capacity=1, seats_taken=0)
    outcome = register(session, event, amira(rsvp=rsvp, party_size=3), now)
    assert (outcome.status, outcome.holds_seats, session.get(Event, event.id).seats_taken) == ("confirmed", False, 0)
    assert mails(session) == [("answer", "Amira@example.org")]


def test_register_when_full_goes_on_the_waitlist_in_order(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=1)
    make_registration(event, email="first@example.org")
    first = register(session, event, amira(), now)
    second = register(session, event, wim(), now + timedelta(seconds=1))
    assert [(one.status, one.position) for one in (first, second)] == [("waitlisted", 1), ("waitlisted", 2)]
    assert session.get(Event, event.id).seats_taken == 1
    assert mails(session) == [("waitlisted", "Amira@example.org"), ("waitlisted", "wim@example.org")]


def test_register_when_full_without_waitlist_is_refused(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=1, waitlist_open=False)
    make_registration(event, email="first@example.org")
    with pytest.raises(EventFull) as refused:
        register(session, event, amira(), now)
    assert (refused.value.seats_left, refused.value.can_wait) == (0, False)
    assert (len(session.scalars(select(Registration)).all()), mails(session)) == (1, [])


def test_party_larger_than_what_is_left_is_never_taken_in_part(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=4)
    make_registration(event, email="first@example.org", party_size=2)
    with pytest.raises(EventFull) as refused:
        register(session, event, amira(party_size=3), now)
    assert (refused.value.seats_left, refused.value.can_wait) == (2, True)
    assert "2 places" in str(refused.value)
    assert session.get(Event, event.id).seats_taken == 2

    outcome = register(session, event, amira(party_size=3, join_waitlist=True), now)
    assert (outcome.status, outcome.party_size, outcome.position) == ("waitlisted", 3, 1)
    assert session.get(Event, event.id).seats_taken == 2


def test_rule_hold_lets_nobody_past_a_waiting_party(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=4, waitlist_rule="hold")
    make_registration(event, email="first@example.org", party_size=3)
    register(session, event, amira(party_size=3, join_waitlist=True), now)
    assert register(session, event, wim(), now).status == "waitlisted"


@pytest.mark.parametrize("needs_approval", [True, False])
@pytest.mark.parametrize(
    ("capacity", "words"),
    [
        (1, "This event has one place in all, so people come one by one."),
        (3, "This event has 3 places in all, so at most 3 people can come on one registration."),
    ],
)
def test_party_larger_than_the_event_is_refused_at_once(
    make_event, session, now, needs_approval, capacity, words
) -> None:
    event = make_event(capacity=capacity, needs_approval=needs_approval)
    with pytest.raises(InvalidField) as refused:
        register(session, event, amira(party_size=4, join_waitlist=True), now)
    assert (refused.value.field, refused.value.message) == ("party_size", words)
    assert session.scalars(select(Registration)).all() == []


def test_rule_hold_keeps_no_places_for_a_party_that_never_fits(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=3, waitlist_rule="hold")
    make_registration(event, email="large@example.org", status="waitlisted", party_size=4)  # before it was lowered to 3
    assert [register(session, event, one, now).status for one in (amira(), wim())] == ["confirmed", "confirmed"]


def test_clock_put_back_lets_nobody_overtake(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=1)
    make_registration(event, email="first@example.org")
    register(session, event, amira(), now)
    assert register(session, event, wim(), now - timedelta(hours=1)).position == 2
    line = select(Registration.name, Registration.waitlisted_at).where(Registration.status == "waitlisted")
    assert [tuple(one) for one in session.execute(line.order_by(Registration.waitlisted_at))] == [
        ("Amira Haddad", now),
        ("Wim de Wit", now + timedelta(microseconds=1)),
    ]


def test_rule_skip_lets_a_fitting_party_past_a_waiting_one(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=4)
    make_registration(event, email="first@example.org", party_size=3)
    register(session, event, amira(party_size=3, join_waitlist=True), now)
    assert register(session, event, wim(), now).status == "confirmed"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"status": "cancelled"}, "was cancelled"),
        ({"status": "draft"}, "has not opened"),
        ({"registration_opens_at": timedelta(hours=1)}, "opens on Monday, October 5, 2026, 1:00 PM EDT"),
        ({"registration_closes_at": timedelta(0)}, "closed on Monday, October 5, 2026, 12:00 PM EDT"),
        ({"starts_at": timedelta(hours=-5)}, "is over"),
    ],
)
@pytest.mark.parametrize("rsvp", ["yes", "no"])
def test_register_outside_the_window_is_refused_with_the_reason(make_event, session, now, values, words, rsvp) -> None:
    values = {key: now + value if isinstance(value, timedelta) else value for key, value in values.items()}
    event = make_event(**values)
    with pytest.raises(RegistrationNotOpen, match=words):
        register(session, event, amira(rsvp=rsvp), now)
    assert session.scalars(select(Registration)).all() == []


@pytest.mark.parametrize("rsvp", ["yes", "no"])
def test_register_for_an_event_that_is_run_elsewhere_is_refused(factory, session, now, rsvp) -> None:
    event = factory.event(capacity=5, source_id=factory.followed_calendar().id)
    with pytest.raises(RegistrationNotOpen, match="run elsewhere; there is no registration for it here"):
        register(session, event, amira(rsvp=rsvp), now)
    assert (session.scalars(select(Registration)).all(), session.get(Event, event.id).seats_taken) == ([], 0)


def test_registration_is_open_until_the_second_it_closes(make_event, session, now) -> None:
    event = make_event(registration_closes_at=now + timedelta(seconds=1))
    assert register(session, event, amira(), now).status == "confirmed"


def test_party_above_the_maximum_names_its_field(make_event, session, now) -> None:
    event = make_event(max_party_size=2)
    with pytest.raises(InvalidField) as refused:
        register(session, event, amira(party_size=3), now)
    assert (refused.value.field, refused.value.message) == (
        "party_size",
        "At most 2 people can come on one registration.",
    )


def test_register_for_an_unknown_event_is_not_found(session, now) -> None:
    with pytest.raises(NotFound), write_transaction(session):
        service.register(session, event_id=99, form=amira(), now=now)


def test_second_answer_of_an_address_changes_nothing_and_mails_the_link(make_event, session, now) -> None:
    event = make_event(capacity=5)
    first = register(session, event, amira(party_size=2), now)
    later = now + timedelta(minutes=5)
    second = register(
        session, event, amira(email="AMIRA@EXAMPLE.ORG", name="Sam", party_size=1, answers={1: "x"}), later
    )

    assert (second.status, second.party_size, second.position) == ("confirmed", 1, None)
    row = session.scalars(select(Registration)).one()
    assert (row.id, row.name, row.party_size) == (first.registration_id, "Amira Haddad", 2)
    assert session.get(Event, event.id).seats_taken == 2
    assert session.scalars(select(Answer)).all() == []
    assert mails(session) == [("confirmation", "Amira@example.org"), ("link", "Amira@example.org")]


def test_second_answer_is_told_what_a_first_one_would_be_told(make_event, session, now) -> None:
    event = make_event(capacity=1)
    register(session, event, amira(), now)
    known = register(session, event, amira(), now + timedelta(minutes=5))
    stranger = register(session, event, wim(), now + timedelta(minutes=5))
    assert (known.status, known.position) == (stranger.status, stranger.position) == ("waitlisted", 1)


def test_links_are_not_mailed_again_and_again(make_event, session, now) -> None:
    event = make_event()
    register(session, event, amira(), now)
    for minute in range(1, 15):
        register(session, event, amira(), now + timedelta(minutes=minute))
    assert mails(session).count(("link", "Amira@example.org")) == 1
    register(session, event, amira(), now + timedelta(minutes=20))
    assert mails(session).count(("link", "Amira@example.org")) == 2


def test_each_event_answered_twice_has_its_own_link_mailed(make_event, session, now) -> None:
    events = [make_event(title="One"), make_event(title="Two")]
    for event in events * 2:
        register(session, event, amira(), now)
    assert mails(session) == [("confirmation", "Amira@example.org")] * 2 + [("link", "Amira@example.org")] * 2


def test_form_sent_twice_by_a_double_click_owes_one_mail(make_event, session, now) -> None:
    event = make_event()
    form = amira(opened_at=now - timedelta(seconds=30))
    register(session, event, form, now)
    register(session, event, form, now + timedelta(milliseconds=200))
    assert mails(session) == [("confirmation", "Amira@example.org")]


def test_register_after_cancelling_is_a_new_answer_at_the_end_of_the_line(
    make_event, make_registration, session, now
) -> None:
    event = make_event(capacity=1)
    make_registration(event, email="first@example.org")
    make_registration(event, email="amira@example.org", status="cancelled")
    register(session, event, wim(), now)
    again = register(session, event, amira(), now + timedelta(seconds=1))
    assert (again.status, again.position) == ("waitlisted", 2)


def test_calendar_part_of_a_second_registration_is_later_than_the_cancellation_of_the_first(
    make_event, make_registration, session, now
) -> None:
    event = make_event()
    make_registration(event, status="cancelled", calendar_stamp_at=now + timedelta(seconds=8))
    make_registration(event, email="wim@example.org", status="cancelled", calendar_stamp_at=now + timedelta(hours=8))
    outcome = register(session, event, amira(), now)
    stamps = (
        session.get(Registration, outcome.registration_id).calendar_stamp_at,
        session.scalars(select(Message.stamp_at)).one(),
    )
    assert stamps == (now + timedelta(seconds=9), now + timedelta(seconds=9))


def test_database_itself_refuses_a_seat_too_many(make_event, make_registration, session) -> None:
    event = make_event(capacity=1)
    make_registration(event)
    for seats_back in (-1, 2):
        with pytest.raises(IntegrityError):
            seats.give_back(session, event_id=event.id, seats=seats_back)
        session.rollback()


def test_recount_names_an_event_whose_counter_is_wrong(make_event, make_registration, session) -> None:
    event = make_event(title="Right")
    make_registration(event, party_size=2)
    make_registration(event, email="wim@example.org", rsvp="maybe")
    assert seats.recount(session) == []
    make_event(title="Wrong", seats_taken=3)
    assert seats.recount(session) == [("wrong", 3, 0)]


def test_lost_links_go_to_known_addresses_only(make_event, make_registration, session, now) -> None:
    make_registration(make_event(title="One"))
    make_registration(make_event(title="Two"))
    make_registration(make_event(title="Over", starts_at=now - timedelta(days=2)))
    with write_transaction(session):
        assert service.send_lost_links(session, email_key="sam@example.org", now=now) is False
        assert service.send_lost_links(session, email_key="amira@example.org", now=now) is True
    message = session.scalars(select(Message)).one()
    assert (message.kind, message.recipient, message.payload) == (
        "link",
        "amira@example.org",
        {"registration_ids": [1, 2]},
    )


def test_coming_back_keeps_the_calendar_entry_and_the_generation_of_its_links(
    make_event, make_registration, session, now
) -> None:
    event = make_event()
    other = make_registration(event, email="wim@example.org", status="cancelled", link_generation=7)
    first = make_registration(event, email="amira@example.org", status="cancelled", link_generation=3)
    second = session.get_one(Registration, register(session, event, amira(), now).registration_id)
    assert (second.entry_id, second.link_generation) == (first.id, 3)
    second.status = "cancelled"
    second.link_generation = 4
    session.commit()
    third = session.get_one(Registration, register(session, event, amira(), now).registration_id)
    assert (third.entry_id, third.link_generation) == (first.id, 4)
    newcomer = session.get_one(
        Registration, register(session, event, amira(email="x@example.org"), now).registration_id
    )
    assert (newcomer.entry_id, newcomer.link_generation, other.entry_id) == (None, 1, None)


def test_second_answer_is_reminded_of_the_live_registration(make_event, make_registration, session, now) -> None:
    event = make_event()
    corrected = make_registration(event).id  # its address was put right after the other had been withdrawn
    make_registration(event, status="cancelled")
    register(session, event, amira(), now + timedelta(hours=1))
    message = session.scalars(select(Message)).one()
    assert (message.kind, message.payload) == ("link", {"registration_ids": [corrected]})


def test_name_of_letters_that_fold_into_many_is_taken(make_event, session, now) -> None:
    registration_id = register(session, make_event(), amira(name="\ufdfa" * 200), now).registration_id
    row = session.get(Registration, registration_id)
    assert (row.name, len(row.search_text)) == ("\ufdfa" * 200, 500)


def test_places_held_for_a_waiting_party_are_not_said_to_be_too_few(
    make_event, make_registration, session, now
) -> None:
    event = make_event(capacity=4, waitlist_rule="hold", waitlist_open=False)
    make_registration(event, email="sam@example.org", party_size=2)
    make_registration(event, email="wim@example.org", status="waitlisted", party_size=3)
    with pytest.raises(EventFull, match="The places left are kept for people who wait"):
        register(session, event, amira(), now)

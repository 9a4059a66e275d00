"""What organizers do by hand, and what follows from changing an event."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from eventreg.audit import Actor, AuditEntry
from eventreg.db import write_transaction
from eventreg.errors import CapacityTooSmall, EventFull, EventStateError, InvalidField
from eventreg.events.models import Event
from eventreg.events.values import values_of
from eventreg.outbox.models import Message
from eventreg.registrations import changes, desk, event_changes, queries
from eventreg.registrations.models import STATUSES, Registration
from eventreg.registrations.queries import AttendeeFilter
from eventreg.registrations.service import AnswerForm

OLGA = Actor("organizer", 1, "Olga Ortega")


def form(**values) -> AnswerForm:
    return AnswerForm(**{"name": "Amira Haddad", "email": "amira@example.org", "rsvp": "yes", **values})


def mails(session) -> list[tuple[str, str]]:
    return [(one.kind, one.recipient) for one in session.scalars(select(Message).order_by(Message.id))]


def actions(session) -> list[str]:
    return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_person_added_after_the_deadline_is_confirmed_mailed_and_logged(make_event, session, now) -> None:
    event_id = make_event(registration_closes_at=now - timedelta(days=1), capacity=3).id
    with write_transaction(session):
        outcome = desk.add_by_organizer(session, event_id=event_id, form=form(party_size=2), actor=OLGA, now=now)
    assert (outcome.status, session.get(Event, event_id).seats_taken) == ("confirmed", 2)
    assert session.get(Registration, outcome.registration_id).source == "organizer"
    assert (mails(session), actions(session)) == ([("confirmation", "amira@example.org")], ["registration.added"])


def test_person_added_beyond_capacity_is_refused_or_waits(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=2)
    make_registration(event, email="wim@example.org")
    event_id = event.id
    with pytest.raises(EventFull), write_transaction(session):
        desk.add_by_organizer(session, event_id=event_id, form=form(party_size=2), actor=OLGA, now=now)
    with write_transaction(session):
        outcome = desk.add_by_organizer(
            session, event_id=event_id, form=form(party_size=2, join_waitlist=True), actor=OLGA, now=now
        )
    assert (outcome.status, outcome.position) == ("waitlisted", 1)


def test_person_added_after_the_clock_was_put_back_waits_behind_the_others(
    make_event, make_registration, session, now
) -> None:
    event = make_event(capacity=1)
    make_registration(event, email="wim@example.org")
    make_registration(event, email="first@example.org", status="waitlisted")
    event_id = event.id
    with write_transaction(session):
        earlier = now - timedelta(hours=1)
        outcome = desk.add_by_organizer(session, event_id=event_id, form=form(), actor=OLGA, now=earlier)
    assert (outcome.status, outcome.position) == ("waitlisted", 2)


@pytest.mark.parametrize("rsvp", ["yes", "maybe"])
def test_person_is_not_added_to_an_event_that_is_run_elsewhere(factory, session, now, rsvp) -> None:
    event_id = factory.event(source_id=factory.followed_calendar().id).id
    with pytest.raises(EventStateError, match="whoever runs it takes the answers"), write_transaction(session):
        desk.add_by_organizer(session, event_id=event_id, form=form(rsvp=rsvp), actor=OLGA, now=now)
    assert session.scalars(select(Registration)).all() == []


def test_person_added_twice_names_the_field(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=5)
    make_registration(event)
    event_id = event.id
    with pytest.raises(InvalidField) as refused, write_transaction(session):
        desk.add_by_organizer(session, event_id=event_id, form=form(email="AMIRA@example.org"), actor=OLGA, now=now)
    assert refused.value.field == "email"
    assert session.get(Event, event_id).seats_taken == 1


def test_corrected_address_kills_the_old_link_and_is_mailed(make_event, make_registration, session, now) -> None:
    registration = make_registration(make_event(), email="amria@example.org")
    registration_id = registration.id
    with write_transaction(session):
        desk.correct(session, registration_id=registration_id, form=form(), note="called", actor=OLGA, now=now)
    session.expire_all()
    row = session.get(Registration, registration_id)
    assert (row.email, row.email_key, row.link_generation, row.note, row.search_text) == (
        "amira@example.org",
        "amira@example.org",
        2,
        "called",
        "amira haddad amira@example.org",
    )
    assert mails(session) == [("confirmation", "amira@example.org")]
    assert queries.by_link(session, (registration_id, 1)) is None
    assert queries.by_link(session, (registration_id, 2)) is not None


def test_corrected_address_and_party_owe_one_mail_to_the_new_address(
    make_event, make_registration, session, now
) -> None:
    registration_id = make_registration(make_event(), name="Amria", email="amria@example.org").id
    with write_transaction(session):
        desk.correct(session, registration_id=registration_id, form=form(party_size=2), note="", actor=OLGA, now=now)
    assert mails(session) == [("confirmation", "amira@example.org")]


def test_corrected_address_of_somebody_else_is_refused(make_event, make_registration, session, now) -> None:
    event = make_event()
    make_registration(event)
    other_id = make_registration(event, email="wim@example.org").id
    with pytest.raises(InvalidField, match="has that address already"), write_transaction(session):
        desk.correct(session, registration_id=other_id, form=form(), note="", actor=OLGA, now=now)


def test_resent_mail_says_where_they_stand(make_event, make_registration, session, now) -> None:
    registration_id = make_registration(make_event(), status="waitlisted").id
    with write_transaction(session):
        desk.resend(session, registration_id=registration_id, actor=OLGA, now=now)
    message = session.scalars(select(Message)).one()
    assert (message.kind, message.payload["position"]) == ("waitlisted", 1)
    assert actions(session) == ["registration.mail_resent"]


def test_mail_resent_about_a_cancelled_event_says_so(make_event, make_registration, session, now) -> None:
    registration_id = make_registration(make_event(status="cancelled")).id
    with write_transaction(session):
        desk.resend(session, registration_id=registration_id, actor=OLGA, now=now)
    assert mails(session) == [("event_cancelled", "amira@example.org")]


@pytest.mark.parametrize(("status", "days"), [("cancelled", 1), ("published", -1)], ids=["cancelled", "over"])
def test_promotion_by_hand_is_refused_once_the_event_is_off(
    status, days, make_event, make_registration, session, now
) -> None:
    event = make_event(status=status, starts_at=now + timedelta(days=days))
    registration_id = make_registration(event, status="waitlisted").id
    with pytest.raises(EventStateError, match="cancelled or over"), write_transaction(session):
        desk.promote(session, registration_id=registration_id, actor=OLGA, now=now)


def test_promotion_by_hand_moves_a_later_party_when_it_fits(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=3)
    make_registration(event, email="first@example.org", party_size=2)
    make_registration(event, email="big@example.org", status="waitlisted", party_size=3)
    later = make_registration(event, status="waitlisted", waitlisted_at=now + timedelta(hours=1)).id
    with write_transaction(session):
        assert desk.promote(session, registration_id=later, actor=OLGA, now=now).status == "confirmed"
    with pytest.raises(EventStateError), write_transaction(session):
        desk.promote(session, registration_id=later, actor=OLGA, now=now)


def save(session, event: Event, now, *, notify: bool | None = False, **values):
    event_id, wanted = event.id, replace(values_of(event), **values)
    with write_transaction(session):
        return event_changes.save(session, event_id=event_id, values=wanted, notify=notify, actor=OLGA, now=now)


def test_raised_capacity_promotes_in_order_and_mails_each_once(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=1)
    make_registration(event)
    for number in (1, 2, 3):
        make_registration(
            event, email=f"w{number}@example.org", status="waitlisted", waitlisted_at=now + timedelta(seconds=number)
        )
    saved = save(session, event, now, capacity=3)
    assert (saved.promoted, saved.told) == (2, 0)
    assert mails(session) == [("promotion", "w1@example.org"), ("promotion", "w2@example.org")]


def test_draft_that_is_published_moves_up_who_fits_by_now(make_event, make_registration, session, now) -> None:
    event = make_event(status="draft", capacity=1)
    make_registration(event)
    for number in (1, 2):
        make_registration(
            event, email=f"w{number}@example.org", status="waitlisted", waitlisted_at=now + timedelta(seconds=number)
        )
    event_id = event.id
    assert save(session, event, now, capacity=2).promoted == 0
    for promoted in (1, 0):
        with write_transaction(session):
            assert event_changes.publish(session, event_id=event_id, actor=OLGA, now=now) == promoted
    assert mails(session) == [("promotion", "w1@example.org")]
    assert actions(session) == ["event.changed", "event.published", "registration.promoted"]


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        ({"starts_at": -1}, {"registration_closes_at": 1}),
        ({"starts_at": -1}, {"all_day": True}),
        ({"starts_at": -1}, {"starts_at": 0.5}),
        ({"starts_at": -3, "ends_at": -2, "all_day": True}, {"ends_at": 1}),
    ],
)
def test_change_that_opens_the_line_again_moves_it(
    columns, values, make_event, make_registration, session, now
) -> None:
    """Numbers are hours from now."""

    def moments(named):
        return {name: one if one is True else now + timedelta(hours=one) for name, one in named.items()}

    event = make_event(capacity=2, **moments(columns))
    gone = make_registration(event).id
    make_registration(event, email="wim@example.org", status="waitlisted", party_size=2)
    with write_transaction(session):
        changes.cancel(session, registration_id=gone, actor=OLGA, now=now, by_organizer=True)
    assert save(session, event, now, **moments(values)).promoted == 1
    assert mails(session)[-1] == ("promotion", "wim@example.org")


def test_capacity_below_the_seats_taken_says_how_many(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=5)
    make_registration(event, party_size=4)
    with pytest.raises(CapacityTooSmall, match="4 places are taken already"):
        save(session, event, now, capacity=3)


def test_moved_event_tells_everybody_concerned_old_and_new(make_event, make_registration, session, now) -> None:
    event = make_event(capacity=2)
    make_registration(event)
    make_registration(event, email="maybe@example.org", rsvp="maybe")
    make_registration(event, email="no@example.org", rsvp="no")
    make_registration(event, email="gone@example.org", status="cancelled")
    make_registration(event, email="waits@example.org", status="waitlisted", party_size=2)
    saved = save(session, event, now, notify=True, location_name="Room 7")
    assert saved.told == 3
    assert mails(session) == [
        ("update", one) for one in ("amira@example.org", "maybe@example.org", "waits@example.org")
    ]
    message = session.scalars(select(Message)).first()
    assert message.payload["changes"] == {"location_name": ["TMEC Amphitheater", "Room 7"]}
    assert (session.get(Event, event.id).sequence, session.get(Event, event.id).significant_sequence) == (1, 1)


def test_changed_text_is_told_when_the_organizer_asks_for_it(make_event, make_registration, session, now) -> None:
    event = make_event()
    make_registration(event)
    assert save(session, event, now, notify=True, description="Long " * 500, summary="Shorter").told == 1
    message = session.scalars(select(Message)).one()
    assert message.payload["changes"] == {
        "description": ["", ""],
        "summary": ["Looking back, looking forward", "Shorter"],
    }
    assert save(session, event, now, notify=True, capacity=7).told == 0


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"location_name": "Room 7"}, ["location_name"]),
        ({"location_name": "Room 7", "title": "Renamed"}, ["location_name", "title"]),
        ({"title": "Renamed", "summary": "Shorter", "directions": "Left"}, []),
        ({"capacity": 7}, []),
    ],
)
def test_where_nobody_was_asked_a_new_place_is_told_and_a_new_word_is_not(
    values, told, make_event, make_registration, session, now
) -> None:
    event = make_event()
    make_registration(event)
    assert save(session, event, now, notify=None, **values).told == (1 if told else 0)
    assert [sorted(message.payload["changes"]) for message in session.scalars(select(Message))] == [told] * bool(told)


def test_typo_saved_silently_raises_sequence_and_mails_nobody(make_event, make_registration, session, now) -> None:
    event = make_event()
    make_registration(event)
    assert save(session, event, now, title="A day of reflection.").told == 0
    row = session.get(Event, event.id)
    assert (row.sequence, row.significant_sequence, mails(session)) == (1, 0, [])


def test_saving_what_is_there_changes_nothing(make_event, session, now) -> None:
    event = make_event()
    assert save(session, event, now + timedelta(hours=1), notify=True).changes == {}
    assert (session.get(Event, event.id).sequence, session.get(Event, event.id).updated_at) == (0, now)


def test_called_off_event_tells_everybody_once(make_event, make_registration, session, now) -> None:
    event = make_event()
    make_registration(event)
    make_registration(event, email="no@example.org", rsvp="no")
    event_id = event.id
    for expected in (1, 0):
        with write_transaction(session):
            assert event_changes.call_off(session, event_id=event_id, actor=OLGA, now=now) == expected
    assert mails(session) == [("event_cancelled", "amira@example.org")]


def test_attendee_list_searches_filters_sorts_and_pages(make_event, make_registration, session) -> None:
    event = make_event()
    make_registration(event, name="Zoë O'Brien", email="zoe@example.org", party_size=3)
    make_registration(event, name="Amira 100%", email="amira@example.org", rsvp="maybe")
    make_registration(event, name="Wim_de Wit", email="wim@example.org", status="cancelled")

    def names(**filters) -> list[str]:
        return [one.name for one in queries.attendees(session, event.id, AttendeeFilter(**filters)).rows]

    assert names() == ["Zoë O'Brien", "Amira 100%", "Wim_de Wit"]
    assert names(q="zoe brien") == ["Zoë O'Brien"]
    assert names(q="%") == ["Amira 100%"]
    assert names(q="m_d") == ["Wim_de Wit"]
    assert names(q="nul\x00l") == []
    assert names(status="attending") == ["Zoë O'Brien"]
    assert names(status="maybe") == ["Amira 100%"]
    assert names(status="confirmed", sort="name") == ["Amira 100%", "Zoë O'Brien"]
    assert names(status="nonsense") == []
    assert names(sort="name") == ["Amira 100%", "Wim_de Wit", "Zoë O'Brien"]
    assert names(sort="party", direction="desc")[0] == "Zoë O'Brien"
    assert names(page=10**9) == names()


@pytest.mark.parametrize("sort", queries.SORTS)
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_attendee_list_goes_on_where_the_page_before_ended(
    make_event, make_registration, session, sort, direction
) -> None:
    event, other = make_event(), make_event(title="Another")
    for number in range(2 * queries.PER_PAGE + 5):
        given = {"name": "ABCDE"[number % 5], "party_size": 1 + number % 3, "status": STATUSES[number % 4]}
        make_registration(event, email=f"p{number * 37 % 100}.{number}@example.org", **given)
    strange = make_registration(other, name="C").id

    def ids(**where) -> list[int]:
        found = queries.attendees(session, event.id, AttendeeFilter(sort=sort, direction=direction, **where))
        return [one.id for one in found.rows]

    pages = [ids(page=number) for number in (1, 2, 3)]
    assert len({one for page in pages for one in page}) == 2 * queries.PER_PAGE + 5
    second = ids(page=2, after=pages[0][-1])
    third = ids(page=3, after=second[-1])
    assert [second, third, ids(page=2, before=third[0])] == [*pages[1:], pages[1]]
    assert ids(page=1, before=second[0]) == pages[0]
    # A row of another event, or one that is not on the list, tells nothing.
    assert ids(page=2, after=strange) == ids(page=2, before=10**9) == pages[1]
    # Whoever leaves from a page that one has read takes nobody off the next.
    session.delete(session.get_one(Registration, pages[0][3]))
    session.flush()
    assert ids(page=2, after=pages[0][-1]) == pages[1]


def test_counts_are_heads_by_group(make_event, make_registration, session, now) -> None:
    event, empty = make_event(), make_event(title="Nobody yet")
    make_registration(event, party_size=3)
    make_registration(event, email="w@example.org", rsvp="maybe", party_size=2)
    make_registration(event, email="x@example.org", rsvp="no", created_at=now + timedelta(hours=1))
    found = queries.counts(session, [event.id, empty.id])
    assert found == {event.id: queries.Counts(attending=3, maybe=2, no=1, last_answer_at=now + timedelta(hours=1))}

"""Who is reminded of an event, when, and that nobody is twice."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.audit import Actor
from eventreg.db import write_transaction
from eventreg.events.models import Event
from eventreg.outbox.models import Message
from eventreg.registrations import changes, event_changes, reminders
from eventreg.registrations.models import Registration
from tests.conftest import Clock
from tests.support.letters import calendar_of, text_of
from tests.support.outbox import owe_about, states

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
OLGA = Actor.system("test")
MakeRegistration = Callable[..., Registration]


@pytest.fixture
def event(now: datetime, make_event: Callable[..., Event]) -> Event:
    """In two days, at noon in New York; its reminders are due tomorrow."""
    return make_event(
        starts_at=now + 2 * DAY, remind_at=now + DAY, online_url="https://meet.example.org/j/1", directions="Door B"
    )


@pytest.fixture
def amira(event: Event, make_registration: MakeRegistration) -> Registration:
    return make_registration(event, party_size=2)


def queue_due(session: Session, now: datetime, limit: int = 10) -> int:
    with write_transaction(session):
        return reminders.queue_due(session, now=now, limit=limit)


def reminded(session: Session) -> list[str]:
    session.rollback()
    query = select(Message.recipient).where(Message.kind == "reminder").order_by(Message.id)
    return list(session.scalars(query))


def row(session: Session, event: Event) -> Event:
    session.rollback()
    return session.get_one(Event, event.id, populate_existing=True)


def test_nobody_is_reminded_before_the_hour_and_everybody_once_after_it(
    session: Session, now: datetime, event: Event, amira: Registration
) -> None:
    assert [queue_due(session, now + DAY + after) for after in (-SECOND, timedelta(0), SECOND, HOUR)] == [0, 1, 0, 0]
    assert reminded(session) == ["amira@example.org"]
    assert (row(session, event).remind_at, row(session, event).reminded_at) == (None, now + DAY)


def test_only_those_who_come_or_may_come_and_answered_before_the_hour_are_reminded(
    session: Session, now: datetime, event: Event, amira: Registration, make_registration: MakeRegistration
) -> None:
    make_registration(event, email="maybe@example.org", rsvp="maybe")
    make_registration(event, email="no@example.org", rsvp="no")
    make_registration(event, email="wim@example.org", status="waitlisted")
    make_registration(event, email="gone@example.org", status="cancelled")
    make_registration(event, email="pending@example.org", status="pending")
    make_registration(event, email="at-the-hour@example.org", created_at=now + DAY)
    make_registration(event, email="late@example.org", created_at=now + DAY + SECOND)
    queue_due(session, now + DAY + HOUR)
    assert reminded(session) == ["amira@example.org", "maybe@example.org", "at-the-hour@example.org"]


def test_a_large_event_is_reminded_in_parts_without_missing_anybody(
    session: Session,
    now: datetime,
    event: Event,
    make_registration: MakeRegistration,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    people = [make_registration(event, email=f"p{number}@example.org").email for number in range(7)]
    monkeypatch.setattr(reminders, "IN_ONE_STATEMENT", 3)
    queue_due(session, now + DAY)
    assert reminded(session) == people


def test_as_many_events_as_asked_for_are_done_at_a_time(
    session: Session, now: datetime, make_event: Callable[..., Event], make_registration: MakeRegistration
) -> None:
    for hours in (3, 1, 2):
        event = make_event(starts_at=now + 2 * DAY, remind_at=now + hours * HOUR)
        make_registration(event, email=f"p{hours}@example.org")
    assert [queue_due(session, now + DAY, limit=2) for _ in range(3)] == [2, 1, 0]
    assert reminded(session) == ["p1@example.org", "p2@example.org", "p3@example.org"]


def test_a_clock_put_back_an_hour_reminds_nobody_twice(
    session: Session, now: datetime, event: Event, amira: Registration
) -> None:
    for at in (now + DAY, now + DAY - HOUR, now + DAY - 30 * 60 * SECOND, now + DAY, now + DAY + HOUR):
        queue_due(session, at)
    assert reminded(session) == ["amira@example.org"]


@pytest.mark.parametrize("late", [DAY + SECOND, 3 * DAY])
def test_what_is_too_late_is_let_go_with_a_line_in_the_log(
    session: Session,
    now: datetime,
    make_event: Callable[..., Event],
    make_registration: MakeRegistration,
    caplog: pytest.LogCaptureFixture,
    late: timedelta,
) -> None:
    event = make_event(starts_at=now + 10 * DAY, remind_at=now)
    make_registration(event)
    assert queue_due(session, now + late) == 1
    assert reminded(session) == []
    assert "Nobody is reminded of A day of reflection" in caplog.text
    assert (row(session, event).remind_at, row(session, event).reminded_at) == (None, None)


def test_an_event_that_has_begun_reminds_nobody(
    session: Session, now: datetime, make_event: Callable[..., Event], make_registration: MakeRegistration
) -> None:
    event = make_event(starts_at=now + 2 * HOUR, remind_at=now)
    make_registration(event)
    queue_due(session, now + 2 * HOUR)
    assert reminded(session) == []


# The mail.


def text(mails: list[EmailMessage]) -> str:
    return text_of(mails[-1])


def test_the_reminder_has_the_facts_and_the_link_and_leaves_the_calendar_alone(
    session: Session,
    now: datetime,
    clock: Clock,
    event: Event,
    amira: Registration,
    post: Callable[..., list[EmailMessage]],
) -> None:
    clock.now = now + DAY
    queue_due(session, clock.now)
    (mail,) = post()
    assert mail["Subject"] == "Reminder: A day of reflection"
    assert text_of(mail).startswith(
        "A day of reflection begins on Wednesday, October 7, 2026, 12:00 PM EDT.\n\nYou are coming, with one guest.\n"
    )
    for words in ("TMEC Amphitheater", "Join online: https://meet.example.org/j/1", "Door B", "/r/"):
        assert words in text_of(mail)
    assert calendar_of(mail) is None


def test_whoever_said_maybe_is_asked_and_not_given_the_join_link(
    session: Session,
    now: datetime,
    clock: Clock,
    event: Event,
    make_registration: MakeRegistration,
    post: Callable[..., list[EmailMessage]],
) -> None:
    make_registration(event, rsvp="maybe")
    clock.now = now + DAY
    queue_due(session, clock.now)
    words = text(post())
    assert "You said maybe." in words
    assert "If you know by now whether you come, use the link to say so." in words
    assert "meet.example.org" not in words


def test_a_later_cancellation_still_takes_the_entry_out_of_the_calendar(
    session: Session,
    now: datetime,
    clock: Clock,
    event: Event,
    amira: Registration,
    post: Callable[..., list[EmailMessage]],
) -> None:
    owe_about(session, event, amira, now=now)
    clock.now = now + DAY
    queue_due(session, clock.now)
    post()
    with write_transaction(session):
        changes.cancel(session, registration_id=amira.id, actor=OLGA, now=clock.now)
    post()
    assert states(session) == [("confirmation", "sent"), ("reminder", "sent"), ("withdrawn", "sent")]
    (withdrawn,) = [mail for mail in post() if "calendar" in str(mail["Content-Type"]) or calendar_of(mail)][-1:]
    assert b"METHOD:CANCEL" in (calendar_of(withdrawn) or b"")


def moves(session: Session, event: Event, now: datetime) -> None:
    loaded = session.get_one(Event, event.id)
    loaded.starts_at += HOUR
    loaded.ends_at += HOUR


def is_called_off(session: Session, event: Event, now: datetime) -> None:
    event_changes.call_off(session, event_id=event.id, actor=OLGA, now=now)


def is_cancelled_by_its_attendee(session: Session, event: Event, now: datetime) -> None:
    (person,) = session.scalars(select(Registration.id)).all()
    changes.cancel(session, registration_id=person, actor=OLGA, now=now)


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (moves, "The event was moved before this reminder left."),
        (is_called_off, "The event was cancelled before this mail left."),
        (is_cancelled_by_its_attendee, "The answer was changed or withdrawn before this reminder left."),
        (None, "This reminder could not leave in time."),
    ],
)
def test_a_reminder_that_is_no_longer_true_does_not_leave_and_says_why(
    session: Session,
    now: datetime,
    clock: Clock,
    event: Event,
    amira: Registration,
    post: Callable[..., list[EmailMessage]],
    happens: Callable[[Session, Event, datetime], None] | None,
    reason: str,
) -> None:
    clock.now = now + DAY
    queue_due(session, clock.now)
    if happens is None:
        clock.now = now + 2 * DAY  # the event begins
    else:
        with write_transaction(session):
            happens(session, event, clock.now)
    post()
    session.rollback()
    found = session.execute(select(Message.state, Message.server_reply).where(Message.kind == "reminder")).one()
    assert tuple(found) == ("aborted", reason)

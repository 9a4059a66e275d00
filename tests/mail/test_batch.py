"""From the claim to the last mark: nothing lost, nothing sent twice unrecognisably, nobody held up by another."""

import errno
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import InternalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from eventreg.db import db, write_transaction
from eventreg.events.models import Event
from eventreg.mail import batch, gather, kept
from eventreg.mail.batch import Batch
from eventreg.outbox import queue
from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration
from tests.support.calendars import entry, parsed
from tests.support.letters import calendar_of, read, text_of
from tests.support.outbox import message, owe, owe_about, states
from tests.support.smtp import SmtpServer, settings_for

MINUTE = timedelta(minutes=1)
MakeApp = Callable[..., Flask]


@pytest.fixture
def mailing(make_app: MakeApp, smtp_server: SmtpServer) -> Flask:
    """The application, mailing through the real server."""
    return make_app(**settings_for(smtp_server))


@pytest.fixture
def event(make_event: Callable[..., Event]) -> Event:
    return make_event()


@pytest.fixture
def amira(event: Event, make_registration: Callable[..., Registration]) -> Registration:
    return make_registration(event, party_size=2, answers={"Dietary or access needs": "No nuts"})


def deliver(app: Flask, now: datetime, **options: object) -> Batch:
    with app.app_context():
        return batch.deliver_due(app, now=now, **options)  # type: ignore[arg-type]


def test_an_owed_mail_is_sent_once_and_marked_with_the_servers_words(
    mailing: Flask, session: Session, now: datetime, event: Event, amira: Registration, smtp_server: SmtpServer
) -> None:
    owed = owe_about(session, event, amira, now=now)
    assert deliver(mailing, now) == Batch(1, 1)
    assert deliver(mailing, now + timedelta(days=9)) == Batch(0, 0)
    (mail,) = smtp_server.messages
    row = message(session, owed)
    assert (row.state, row.server_reply, row.sent_at, row.leased_until) == ("sent", "250 OK", now, None)
    assert mail["Message-ID"] == f"<{row.message_key}@example.org>"
    assert "You are coming, with one guest." in text_of(mail)
    assert "Dietary or access needs: No nuts" in text_of(mail)
    parsed(calendar_of(mail) or b"")


def test_one_mail_per_person_and_nobody_sees_another(
    mailing: Flask,
    session: Session,
    now: datetime,
    event: Event,
    make_registration: Callable[..., Registration],
    smtp_server: SmtpServer,
) -> None:
    people = [make_registration(event, email=f"p{number}@example.org") for number in range(25)]
    for person in people:
        owe_about(session, event, person, now=now)
    assert [deliver(mailing, now, limit=20).sent for _ in range(3)] == [20, 5, 0]
    assert sorted(smtp_server.recipients) == sorted([person.email] for person in people)
    for mail, (recipient,) in zip(smtp_server.messages, smtp_server.recipients, strict=True):
        others = {person.email for person in people} - {recipient}
        assert mail["To"] == recipient
        assert not any(other in str(mail) for other in others)


def test_a_server_that_is_away_costs_no_mail_and_says_why(
    mailing: Flask, session: Session, now: datetime, event: Event, amira: Registration, smtp_server: SmtpServer
) -> None:
    owed = [owe_about(session, event, amira, now=now), *(owe(session, now=now) for _ in range(24))]
    smtp_server.stop()
    assert deliver(mailing, now, limit=20) == Batch(20, 0, halted=True)
    assert {(row.state, row.server_reply) for row in (message(session, each) for each in owed)} == {
        ("retrying", "No mail could be sent: Connection refused")
    }
    assert deliver(mailing, now) == Batch(0, 0)
    smtp_server.start()
    assert deliver(mailing, now + MINUTE, limit=20).sent == 20
    assert deliver(mailing, now + MINUTE).sent == 5
    assert len(smtp_server.messages) == 25
    assert {state for _kind, state in states(session)} == {"sent"}


def test_a_server_that_stalls_is_given_up_for_this_batch_after_one_timeout(
    make_app: MakeApp, session: Session, now: datetime, smtp_server: SmtpServer
) -> None:
    for _ in range(5):
        owe(session, now=now)
    smtp_server.stall()
    app = make_app(**settings_for(smtp_server) | {"MAIL_TIMEOUT": 0.5})
    assert deliver(app, now) == Batch(5, 0, halted=True)
    assert smtp_server.turned_to() == 1


def test_one_success_wakes_what_was_put_off_for_all(
    mailing: Flask, session: Session, now: datetime, smtp_server: SmtpServer
) -> None:
    owe(session, now=now)
    smtp_server.stop()
    for tries in range(6):
        deliver(mailing, now + tries * timedelta(hours=2))
    later = now + timedelta(hours=10, minutes=1)
    smtp_server.start()
    owe(session, now=later)
    assert [deliver(mailing, later).sent for _ in range(2)] == [1, 1]


def test_a_refused_recipient_and_a_mail_that_cannot_be_written_hold_up_nobody(
    mailing: Flask, session: Session, now: datetime, smtp_server: SmtpServer
) -> None:
    smtp_server.refused = {"wim@example.org": "550 5.1.1 No such mailbox"}
    owed = [
        owe(session, now=now, kind="confirmation"),
        owe(session, now=now, recipient="not an address"),
        owe(session, now=now, recipient="wim@example.org"),
        owe(session, now=now, recipient="sam@example.org"),
    ]
    assert deliver(mailing, now) == Batch(4, 1)
    rows = [message(session, each) for each in owed]
    assert [row.state for row in rows] == ["aborted", "failed", "failed", "sent"]
    assert rows[0].server_reply == "The registration is gone."
    assert rows[1].server_reply.startswith("It could not be written: ")
    assert rows[2].server_reply == "550 5.1.1 No such mailbox"
    assert smtp_server.recipients == [["sam@example.org"]]


@pytest.mark.parametrize("shortage", [OSError(errno.EMFILE, "Too many open files"), MemoryError()])
def test_a_mail_that_a_shortage_kept_from_being_written_is_sent_later(
    mailing: Flask, session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch, shortage: Exception
) -> None:
    def write(*_arguments: object, **_options: object) -> None:
        raise shortage

    owed = owe(session, now=now)
    with monkeypatch.context() as short:
        short.setattr(gather, "write", write)
        assert deliver(mailing, now) == Batch(1, 0)
    row = message(session, owed)
    assert (row.state, row.server_reply.startswith("It could not be written: ")) == ("retrying", True)
    assert deliver(mailing, now + MINUTE).sent == 1


def test_a_mail_of_a_kind_without_words_fails_at_once(
    mailing: Flask, session: Session, now: datetime, event: Event, amira: Registration
) -> None:
    owed = owe_about(session, event, amira, now=now, kind="unheard_of")
    assert deliver(mailing, now) == Batch(1, 0)
    row = message(session, owed)
    assert (row.state, row.server_reply.startswith("It could not be written: TemplateNotFound")) == ("failed", True)


def test_a_greylisted_mail_is_sent_later_under_the_same_message_id(
    mailing: Flask, session: Session, now: datetime, smtp_server: SmtpServer
) -> None:
    seen: list[bytes] = []
    smtp_server.on_data = lambda envelope: seen.append(envelope.content)
    owed = owe(session, now=now)
    smtp_server.reply = "451 4.7.1 Greylisted"
    deliver(mailing, now)
    assert message(session, owed).server_reply == "451 4.7.1 Greylisted"
    assert deliver(mailing, now + timedelta(seconds=59)).claimed == 0
    smtp_server.reply = "250 OK"
    assert deliver(mailing, now + MINUTE).sent == 1
    assert seen[0] == seen[1]


def test_a_worker_that_dies_in_the_middle_loses_nothing(
    mailing: Flask, session: Session, now: datetime, smtp_server: SmtpServer
) -> None:
    owe(session, now=now)
    with mailing.app_context(), write_transaction(db.session()):
        queue.claim(db.session(), limit=5, now=now)
    assert deliver(mailing, now + queue.LEASE - timedelta(seconds=1)).claimed == 0
    assert deliver(mailing, now + queue.LEASE).sent == 1


def test_telling_it_to_stop_gives_back_what_was_not_tried(
    mailing: Flask, session: Session, now: datetime, smtp_server: SmtpServer
) -> None:
    for _ in range(3):
        owe(session, now=now)
    asked = iter([False, True])
    assert deliver(mailing, now, is_stopping=lambda: next(asked)) == Batch(3, 1, halted=True)
    assert states(session) == [("test", "sent"), ("test", "queued"), ("test", "queued")]
    assert deliver(mailing, now).sent == 2


def test_a_slow_server_makes_no_other_worker_send_the_same(
    mailing: Flask, session: Session, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim is renewed while the mail is under way, and a worker that looks then finds nothing due."""
    from eventreg import clock

    monkeypatch.setattr(batch, "RENEWAL_SECONDS", 0.1)
    owed = owe(session, now=clock.now())
    under_way, go_on = threading.Event(), threading.Event()

    def wait(_envelope: object) -> None:
        under_way.set()
        go_on.wait(10)

    smtp_server.on_data = wait
    first = threading.Thread(target=deliver, args=(mailing, clock.now()))
    first.start()
    assert under_way.wait(10)
    claimed_until = message(session, owed).leased_until
    deadline = time.monotonic() + 5
    while message(session, owed).leased_until == claimed_until and time.monotonic() < deadline:
        time.sleep(0.05)
    renewed_until = message(session, owed).leased_until
    assert claimed_until is not None
    assert renewed_until is not None
    assert renewed_until > claimed_until
    assert deliver(mailing, claimed_until).claimed == 0
    go_on.set()
    first.join()
    assert (len(smtp_server.messages), message(session, owed).state) == (1, "sent")


def test_a_worker_that_stood_still_sends_nothing_that_another_has_taken_over(
    mailing: Flask, session: Session, now: datetime, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "FRESH_SECONDS", 0.0)
    people = ["sam@example.org", "wim@example.org", "amira@example.org"]
    for person in people:
        owe(session, now=now, recipient=person)
    session.rollback()
    by_another: list[str] = []

    def take_over(_envelope: object) -> None:
        """While the first mail is under way, its worker stands still for longer than its lease."""
        with mailing.app_context(), write_transaction(db.session()):
            taken = queue.claim(db.session(), limit=5, now=now + queue.LEASE)
            by_another.extend(each.recipient for each in taken)
            queue.mark_all_sent(db.session(), [(each, "250 OK") for each in taken], now=now + queue.LEASE)

    smtp_server.on_data = take_over
    assert deliver(mailing, now).sent == 1
    assert by_another == people
    assert smtp_server.recipients == [["sam@example.org"]]
    assert [state for _kind, state in states(session)] == ["sent"] * 3


def test_what_was_written_ahead_does_not_leave_when_it_is_no_longer_true(
    mailing: Flask,
    session: Session,
    now: datetime,
    event: Event,
    amira: Registration,
    smtp_server: SmtpServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch, "FRESH_SECONDS", 0.0)
    owe(session, now=now, recipient="sam@example.org")
    owed = owe_about(session, event, amira, now=now)
    session.rollback()

    def correct(_envelope: object) -> None:
        """While the first mail is under way, and the second is written."""
        with mailing.app_context(), write_transaction(db.session()):
            registration = db.session.get_one(Registration, amira.id)
            registration.email = registration.email_key = "amira@example.com"

    smtp_server.on_data = correct
    assert deliver(mailing, now) == Batch(2, 1)
    assert smtp_server.recipients == [["sam@example.org"]]
    given_up = message(session, owed)
    assert (given_up.state, given_up.server_reply) == ("aborted", "The address was corrected before this mail left.")


@pytest.mark.parametrize("error", [InternalError("", None, Exception("no room")), PoolTimeout("no connection is free")])
def test_what_left_is_marked_once_the_database_is_back(
    mailing: Flask,
    session: Session,
    now: datetime,
    smtp_server: SmtpServer,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    mark_all_sent, troubles = queue.mark_all_sent, [error]

    def mark(*given: Any, **options: Any) -> None:
        if troubles:
            raise troubles.pop()
        mark_all_sent(*given, **options)

    monkeypatch.setattr(queue, "mark_all_sent", mark)
    monkeypatch.setattr(batch, "PAUSES_BEFORE_MARKING_AGAIN", (0,))
    owe(session, now=now)
    deliver(mailing, now)
    assert (troubles, states(session), len(smtp_server.messages)) == ([], [("test", "sent")], 1)


def test_a_server_that_will_not_have_us_is_asked_twice_and_fails_no_mail(
    mailing: Flask, session: Session, now: datetime, smtp_server: SmtpServer
) -> None:
    asked: list[object] = []
    smtp_server.on_data = asked.append
    smtp_server.reply = "550 5.4.5 Daily user sending limit exceeded"
    for number in range(5):
        owe(session, now=now, recipient=f"p{number}@example.org")
    assert deliver(mailing, now, limit=4) == Batch(4, 0, halted=True)
    assert (len(asked), {state for _kind, state in states(session)}) == (2, {"retrying"})
    smtp_server.reply = "250 OK"
    assert deliver(mailing, now + MINUTE).sent == 5


# What may still leave.


def test_a_mail_to_an_address_that_was_corrected_never_leaves(
    mailing: Flask, session: Session, now: datetime, event: Event, amira: Registration, smtp_server: SmtpServer
) -> None:
    owed = owe_about(session, event, amira, now=now)
    link = owe(session, now=now, kind="link", recipient="amira@example.org", payload={"registration_ids": [amira.id]})
    registration = session.get_one(Registration, amira.id)
    registration.email = registration.email_key = "amira@example.com"
    registration.link_generation += 1
    session.commit()
    deliver(mailing, now)
    assert smtp_server.messages == []
    assert {(message(session, each).state, message(session, each).server_reply) for each in (owed, link)} == {
        ("aborted", "The address was corrected before this mail left.")
    }


def test_a_confirmation_of_an_event_that_is_off_is_left_unsaid_and_the_cancellation_says_it(
    mailing: Flask, session: Session, now: datetime, event: Event, amira: Registration, smtp_server: SmtpServer
) -> None:
    owe_about(session, event, amira, now=now)
    owe_about(session, event, amira, now=now, kind="event_cancelled")
    session.get_one(Event, event.id).status = "cancelled"
    session.commit()
    for _ in range(2):
        deliver(mailing, now)
    assert states(session) == [("confirmation", "aborted"), ("event_cancelled", "sent")]
    (mail,) = smtp_server.messages
    assert mail["Subject"] == "Cancelled: A day of reflection"
    # Nothing had been put into the calendar, so there is nothing to take out.
    assert calendar_of(mail) is None


def test_the_calendar_follows_the_person_through_every_mail(
    mailing: Flask, session: Session, now: datetime, event: Event, amira: Registration, smtp_server: SmtpServer
) -> None:
    told = [
        ("waitlisted", {"status": "waitlisted", "position": 1}),
        ("promotion", {}),
        ("changed", {"rsvp": "no"}),
        ("changed", {"rsvp": "maybe"}),
        ("withdrawn", {"status": "cancelled"}),
        ("withdrawn", {"status": "cancelled"}),
    ]
    for seconds, (kind, facts) in enumerate(told):
        owe_about(session, event, amira, now=now + timedelta(seconds=seconds), kind=kind, **facts)
    for _ in told:
        deliver(mailing, now + MINUTE)
    found = [calendar_of(mail) for mail in smtp_server.messages]
    assert [None if ics is None else parsed(ics)["METHOD"] for ics in found] == [
        None,
        "PUBLISH",
        "CANCEL",
        "PUBLISH",
        "CANCEL",
        None,
    ]
    stamps = [entry(ics)["DTSTAMP"].dt for ics in found if ics is not None]
    assert stamps == sorted(set(stamps))
    assert {str(entry(ics)["UID"]) for ics in found if ics is not None} == {event.uid}


@pytest.mark.parametrize(
    ("columns", "method"),
    [
        ({"rsvp": "no"}, "CANCEL"),
        ({"status": "waitlisted"}, "CANCEL"),
        ({"status": "pending"}, "CANCEL"),
        ({"rsvp": "maybe"}, None),
        ({}, None),
    ],
)
def test_a_cancellation_that_was_held_up_leaves_unless_the_entry_is_wanted_again(
    mailing: Flask,
    session: Session,
    now: datetime,
    event: Event,
    amira: Registration,
    make_registration: Callable[..., Registration],
    smtp_server: SmtpServer,
    columns: dict[str, str],
    method: str | None,
) -> None:
    owe_about(session, event, amira, now=now)
    deliver(mailing, now)
    owed = owe_about(session, event, amira, now=now, kind="withdrawn", status="cancelled")
    old = session.get_one(Registration, amira.id)
    old.status, old.cancelled_at = "cancelled", now
    session.commit()
    make_registration(event, entry_id=old.id, **columns)
    deliver(mailing, now + MINUTE)
    ics = [calendar_of(mail) for mail in smtp_server.messages][1:]
    assert [parsed(one or b"")["METHOD"] for one in ics] == ([method] if method else [])
    assert message(session, owed).state == ("sent" if method else "aborted")


def test_links_of_one_person_come_in_one_mail(
    mailing: Flask,
    session: Session,
    now: datetime,
    event: Event,
    amira: Registration,
    make_event: Callable[..., Event],
    make_registration: Callable[..., Registration],
    smtp_server: SmtpServer,
) -> None:
    other = make_registration(make_event(title="Grand rounds"))
    stranger = make_registration(event, email="sam@example.org")
    owe(
        session,
        now=now,
        kind="link",
        recipient=amira.email,
        payload={"registration_ids": [other.id, amira.id, stranger.id]},
    )
    deliver(mailing, now)
    text = text_of(smtp_server.messages[0])
    links = mailing.extensions["eventreg.links"]
    assert [links.manage(each.id, 1) in text for each in (amira, other, stranger)] == [True, True, False]


def test_mail_about_an_account_arrives_in_the_sites_dress(
    mailing: Flask, session: Session, now: datetime, smtp_server: SmtpServer
) -> None:
    payload = {
        "subject": "Choose a\r\nnew password",
        "text": "Open https://x.example/t",
        "html": "<p><b>t</b></p>",
    }
    owe(session, now=now, kind="auth", recipient="olga@example.org", payload=payload)
    deliver(mailing, now)
    (mail,) = smtp_server.messages
    assert mail["Subject"] == "Choose a new password"
    assert text_of(mail).startswith("Open https://x.example/t\n")
    assert "<p><b>t</b></p>" in str(mail.get_body(("html",)).get_content())  # type: ignore[union-attr]
    assert session.scalar(select(Message.payload)) == {}


def test_without_a_server_the_mail_is_kept_and_the_row_says_where(
    app: Flask, session: Session, now: datetime, event: Event, amira: Registration, instance: Path
) -> None:
    owed = owe_about(session, event, amira, now=now)
    assert deliver(app, now) == Batch(1, 1)
    (name,) = kept.names(instance / "mail")
    assert message(session, owed).server_reply == f"Kept in {instance / 'mail' / name}"
    mail = read((instance / "mail" / name).read_bytes())
    assert mail["To"] == "amira@example.org"


def test_no_transaction_is_open_while_the_server_is_spoken_to(
    mailing: Flask, session: Session, now: datetime, event: Event, amira: Registration, smtp_server: SmtpServer
) -> None:
    owe_about(session, event, amira, now=now)
    session.rollback()
    open_connections: list[int] = []

    def look(_envelope: object) -> None:
        with mailing.app_context():
            open_connections.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]

    smtp_server.on_data = look
    deliver(mailing, now)
    assert open_connections == [0]


@pytest.mark.parametrize("reply_address", ["rsvp@example.org", None])
def test_what_cannot_be_delivered_comes_back_to_the_answers_own_address(
    make_app: MakeApp,
    session: Session,
    now: datetime,
    event: Event,
    amira: Registration,
    smtp_server: SmtpServer,
    reply_address: str | None,
) -> None:
    app = make_app(**settings_for(smtp_server), REPLY_ADDRESS=reply_address)
    owe_about(session, event, amira, now=now)
    owe(session, now=now, kind="link", recipient=amira.email, payload={"registration_ids": [amira.id]})
    deliver(app, now)
    token = app.extensions["eventreg.links"].reply_token(amira.id, 1)
    own = f"rsvp+{token}@example.org" if reply_address else "events@example.org"
    assert smtp_server.senders == [own, "events@example.org"]
    assert {str(mail["From"]) for mail in smtp_server.messages} == {"Community events <events@example.org>"}


def test_a_slow_server_has_each_mail_marked_before_the_next_leaves(
    mailing: Flask, session: Session, now: datetime, smtp_server: SmtpServer
) -> None:
    for number in range(3):
        owe(session, now=now, recipient=f"p{number}@example.org")
    seen: list[list[str]] = []

    def look(_envelope: object) -> None:
        time.sleep(2 * batch.MARK_SECONDS)
        with mailing.app_context():
            seen.append(sorted(state for _kind, state in states(db.session())))

    smtp_server.on_data = look
    deliver(mailing, now)
    assert seen == [["sending"] * 3, ["sending", "sending", "sent"], ["sending", "sent", "sent"]]

"""Mail that came back is told from everything else, and recorded with the mail it was."""

import pytest
import sqlalchemy as sa

from eventreg.calendar import letter
from eventreg.incoming import bounce
from eventreg.outbox.models import Message
from tests.support.mailroom import address_of, bring, received
from tests.support.replies import mailed, words

KEY = "0af3bd55" * 4


def report(action: str = "failed", *, key: str = KEY, returned: str = "message/rfc822") -> bytes:
    """A report as Postfix writes it (RFC 3464)."""
    return f"""Return-Path: <>
From: MAILER-DAEMON@mail.example.org (Mail Delivery System)
To: events@example.org
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <20261005160007.1@mail.example.org>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org
X-Postfix-Queue-ID: 4B1F9D1F7A
Arrival-Date: Mon,  5 Oct 2026 16:00:05 +0000 (UTC)

Final-Recipient: rfc822; amira@example.org
Original-Recipient: rfc822;amira@example.org
Action: {action}
Status: 5.1.1
Remote-MTA: dns; mx.example.org
Diagnostic-Code: smtp; 550 5.1.1 <amira@example.org>: Recipient address
    rejected: User unknown

--b
Content-Type: {returned}

From: Community events <events@example.org>
To: amira@example.org
Subject: You are coming: A day of reflection
Message-ID: <{key}@example.org>
Content-Type: text/calendar; method=REQUEST

BEGIN:VCALENDAR
METHOD:REQUEST
END:VCALENDAR

--b--
""".replace("\n", "\r\n").encode()


EXIM = f"""Return-path: <>
From: Mail Delivery System <Mailer-Daemon@mail.example.org>
To: events@example.org
X-Failed-Recipients: amira@example.org
Subject: Mail delivery failed: returning message to sender
Auto-Submitted: auto-replied

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  amira@example.org
    host mx.example.org [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<amira@example.org>:
    550 5.7.1 Relaying denied

------ This is a copy of the message, including all the headers. ------

Message-ID: <{KEY}@example.org>
Subject: You are coming
""".encode()

QMAIL = f"""Return-Path: <>
From: MAILER-DAEMON@mail.example.org
Subject: failure notice

Hi. This is the qmail-send program at mail.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<amira@example.org>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Message-ID: <{KEY.upper()}@example.org>
""".encode()


def read(data: bytes) -> bounce.Bounce | None:
    return bounce.read(letter.read(data), data)


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers", "text/plain"])
def test_report_of_the_standard_is_read(returned) -> None:
    words_of_it = "550 5.1.1 <amira@example.org>: Recipient address rejected: User unknown"
    assert read(report(returned=returned)) == bounce.Bounce(True, (KEY,), words_of_it)


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_mail_that_is_not_lost_is_no_failure(action) -> None:
    found = read(report(action))
    assert found is not None
    assert not found.is_final


def test_reports_in_words_are_read() -> None:
    assert read(EXIM) == bounce.Bounce(True, (KEY,), "550 5.7.1 Relaying denied")
    found = read(QMAIL)
    assert found is not None
    assert (found.is_final, found.keys) == (True, (KEY,))
    assert found.words.startswith("Hi. This is the qmail-send program")
    late = read(
        EXIM.replace(b"Mail delivery failed: returning message to sender", b"Warning: message delayed 24 hours")
    )
    assert late is not None
    assert not late.is_final


@pytest.mark.parametrize("data", [EXIM, QMAIL], ids=["exim", "qmail"])
def test_returned_mail_that_speaks_of_delay_is_lost_all_the_same(data) -> None:
    found = read(data + b"Subject: You are coming: Why trains are delayed\n\nIt starts ten minutes late, a delay.\n")
    assert found is not None
    assert found.is_final


def test_report_that_does_not_say_what_was_done_goes_by_its_words() -> None:
    silent = report().replace(b"Action: failed\r\n", b"")
    found = [read(silent), read(silent.replace(b"could not be delivered", b"is delayed; we are still trying"))]
    assert [one.is_final for one in found if one] == [True, False]


def about_something_else(kind: str) -> bytes:
    """A report as one of delivery looks, that the mail was read or that somebody calls it spam."""
    return report().replace(b"delivery-status", kind.encode()).replace(b"Action: failed\r\n", b"")


@pytest.mark.parametrize("kind", ["disposition-notification", "feedback-report"])
def test_read_receipt_and_complaint_leave_the_mail_sent_and_are_nobodys_words(
    kind, session, amira, message, now
) -> None:
    taken = bring(session, about_something_else(kind), now=now, envelope=address_of(amira))
    assert (taken.outcome, taken.kind) == ("ignored", "other")
    assert (message.state, message.bounced_at) == ("sent", None)
    assert session.scalar(sa.select(sa.func.count(Message.id))) == 1


@pytest.mark.parametrize(
    "data",
    [
        mailed("gmail"),
        mailed("exchange"),
        words(f"> Message-ID: <{KEY}@example.org>\nI could not be delivered from my duties.", to="rsvp@example.org"),
        words(to="rsvp@example.org", subject="Undeliverable: my dog", sender="postman@example.org"),
        b"From: amira@example.org\r\nSubject: Out of Office\r\nAuto-Submitted: auto-replied\r\n\r\nAway.\r\n",
    ],
)
def test_other_mail_is_none(data) -> None:
    assert read(data) is None


@pytest.fixture
def amira(make_event, make_registration):
    return make_registration(make_event())


@pytest.fixture
def message(session, amira, now):
    """The confirmation, sent."""
    row = Message(
        kind="confirmation",
        recipient="amira@example.org",
        event_id=amira.event_id,
        registration_id=amira.id,
        payload={"rsvp": "yes", "status": "confirmed", "party_size": 1},
        message_key=KEY,
        state="sent",
        attempts=1,
        stamp_at=now,
        due_at=now,
        created_at=now,
        sent_at=now,
    )
    session.add(row)
    session.commit()
    return row


def test_mail_that_came_back_is_marked_once_and_the_seat_stays(session, amira, message, now) -> None:
    taken = bring(session, report(), now=now)
    assert str(taken).startswith(f"applied: bounce: mail {KEY} came back: 550 5.1.1 ")
    assert (message.state, message.bounced_at, amira.status) == ("failed", now, "confirmed")
    assert message.server_reply == (
        "It came back: 550 5.1.1 <amira@example.org>: Recipient address rejected: User unknown"
    )
    assert bring(session, report(), now=now).outcome == "ignored"


@pytest.mark.parametrize("data", [report("delayed"), report(key="f" * 32)], ids=["delayed", "not ours"])
def test_report_about_nothing_lost_or_nothing_of_ours_changes_nothing(data, session, message, now) -> None:
    assert str(bring(session, data, now=now)).startswith("ignored: bounce: ")
    assert (message.state, message.bounced_at, received(session)) == ("sent", None, [])


@pytest.mark.parametrize("by_envelope", [True, False])
def test_report_without_the_mail_is_known_by_its_recipient(by_envelope, session, amira, message, now) -> None:
    data, to = report(key="none"), address_of(amira)
    assert bring(session, data, now=now).outcome == "ignored"
    if by_envelope:
        assert bring(session, data, now=now, envelope=to).outcome == "applied"
    else:
        assert (
            bring(session, data.replace(b"To: events@example.org", f"To: {to}".encode()), now=now).outcome == "applied"
        )
    assert message.bounced_at == now


def test_report_without_the_mail_is_taken_in_once(session, amira, message, now) -> None:
    """Brought again it would be held to mean the mail before, which arrived."""
    newest = Message(
        **{column.name: getattr(message, column.name) for column in sa.inspect(Message).columns}
        | {"id": None, "message_key": "e" * 32}
    )
    session.add(newest)
    session.commit()
    found = [bring(session, report(key="none"), now=now, envelope=address_of(amira)) for _time in range(2)]
    assert [(one.outcome, one.kind) for one in found] == [("applied", "bounce"), ("ignored", "bounce")]
    assert (newest.state, message.state, received(session)) == ("failed", "sent", [("bounce", "applied")])


def test_people_who_quote_a_mail_report_nothing(session, amira, message, now) -> None:
    data = words(f"> Message-ID: <{KEY}@example.org>", to=address_of(amira))
    assert bring(session, data, now=now).kind == "other"
    assert session.scalar(sa.select(Message.bounced_at).where(Message.id == message.id)) is None


@pytest.mark.sqlite_only
def test_desk_says_that_mail_came_back(session, olga, amira, message, now) -> None:
    from eventreg.events.models import Event
    from tests.support.html import Page

    bring(session, report(key="none"), now=now, envelope=address_of(amira))
    slug = session.get_one(Event, amira.event_id).slug
    page = Page.of(olga.get(f"/organize/events/{slug}/attendees/{amira.id}"))
    assert "User unknown" in page.text
    came_in = Page.of(olga.get(f"/organize/events/{slug}/replies"))
    assert "Amira Haddad: a mail came back. 550 5.1.1 <amira@example.org>: Recipient address rejected" in came_in.text

"""A full event, an answer in a calendar program, and who moves up: real mail both ways."""

import smtplib
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import urlsplit

from icalendar import Calendar
from icalendar import Event as VEvent

from eventreg import clock
from tests.support.html import Page
from tests.support.letters import calendar_of, text_of
from tests.support.live import LiveServer
from tests.support.load import Visitor, heading
from tests.support.mailroom import standing
from tests.support.replies import mailed
from tests.support.smtp import ALLOWED, SmtpServer, free_port


def invitation(mail: EmailMessage) -> tuple[VEvent, str]:
    """The entry in a mail's calendar part, and its METHOD."""
    content = calendar_of(mail)
    assert content is not None
    calendar = Calendar.from_ical(content)
    (entry,) = calendar.walk("VEVENT")
    return entry, str(calendar["METHOD"])


def reply_to(mail: EmailMessage, shape: str, partstat: str) -> tuple[bytes, str]:
    """What that program mails for this invitation, and to whom: all of it from what was received."""
    entry, method = invitation(mail)
    assert method == "REQUEST"
    to = str(entry["ORGANIZER"]).removeprefix("mailto:")
    attendee = str(entry["ATTENDEE"]).removeprefix("mailto:")
    stamp = clock.now().replace(microsecond=0) + timedelta(seconds=1)
    data = mailed(
        shape,
        to=to,
        uid=str(entry["UID"]),
        sequence=int(entry["SEQUENCE"]),
        attendee=attendee,
        partstat=partstat,
        stamp=stamp,
        message_id=f"{shape}.{partstat}",
    )
    return data, to


def deliver(port: int, data: bytes, to: str) -> None:
    ALLOWED.add(port)
    try:
        with smtplib.LMTP("127.0.0.1", port, timeout=600) as server:
            assert server.sendmail("amira@example.org", [to], data) == {}
    finally:
        ALLOWED.discard(port)


def register(server: LiveServer, slug: str, email: str) -> str:
    visitor = Visitor()
    form = visitor.fill_in(server.url(f"/events/{slug}/rsvp"), name=email[:4], email=email, rsvp="yes")
    _status, text, _headers = visitor.post(server.url(f"/events/{slug}/rsvp"), form)
    return heading(text)


def test_no_from_a_calendar_program_frees_the_seat_and_the_next_in_line_is_mailed(
    make_live_server: Callable[..., LiveServer], session, make_event, smtp_server: SmtpServer
) -> None:
    event = make_event(capacity=1, starts_at=clock.now() + timedelta(days=30))
    slug = event.slug
    session.rollback()
    port = free_port()
    server = make_live_server(REPLY_ADDRESS="rsvp@example.org", REPLY_LMTP_PORT=port)
    assert register(server, slug, "amira@example.org") == "You are coming."
    assert register(server, slug, "wim@example.org").startswith("You are on the waitlist, number 1 in line.")
    received = smtp_server.wait_for_mail_to("amira@example.org")
    assert invitation(received)[0]["ORGANIZER"] == f"mailto:{received['Reply-To']}"
    smtp_server.wait_for_mail_to("wim@example.org")

    data, to = reply_to(received, "gmail", "DECLINED")
    deliver(port, data, to)
    deliver(port, data, to)  # a mail server that was cut off brings it again
    told = smtp_server.wait_for_mail_to("amira@example.org", count=2)
    moved = smtp_server.wait_for_mail_to("wim@example.org", count=2)
    assert told["Subject"] == "You are not attending: A day of reflection"
    assert calendar_of(told) is None  # no CANCEL to whoever declined there
    entry, method = invitation(moved)
    assert (method, entry["ATTENDEE"].params["PARTSTAT"]) == ("REQUEST", "ACCEPTED")
    assert standing(session, event) == [
        ("amira@example.org", "no", "confirmed"),
        ("wim@example.org", "yes", "confirmed"),
    ]

    # She has slipped, and takes it back: the place is gone, so she waits.
    undo = next(line for line in text_of(told).splitlines() if "/undo/" in line)
    visitor = Visitor()
    _status, text, _headers = visitor.send(undo)
    form = Page(text, urlsplit(undo).path).form("csrf_token", action=urlsplit(undo).path)
    _status, text, _headers = visitor.post(undo, form)
    assert "You are on the waitlist, number 1 in line." in Page(text).text
    smtp_server.wait_for_mail_to("amira@example.org", count=3)

    # Wim's program is another one, and says maybe: she is back.
    data, to = reply_to(moved, "exchange", "TENTATIVE")
    deliver(port, data, to)
    again = smtp_server.wait_for_mail_to("amira@example.org", count=4)
    assert invitation(again)[1] == "REQUEST"
    assert standing(session, event) == [
        ("amira@example.org", "yes", "confirmed"),
        ("wim@example.org", "maybe", "confirmed"),
    ]
    assert len(smtp_server.messages) == 7
    assert server.stop() == 0
    assert "Traceback" not in server.log
    assert server.log.count("Mail received: applied: reply: ") == 2

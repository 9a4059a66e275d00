"""Mails that need no database, and how mails are looked at."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from flask import Flask

from eventreg.events.models import Event
from eventreg.mail import compose, gather
from eventreg.mail.compose import Subject
from eventreg.mail.contents import Site
from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration
from tests.support.calendars import LINKS, MAILBOX, STAMP, amira, celebration
from tests.support.making import make_app
from tests.support.needs import ROOT

KEY = "0af3bd55" * 4
ANSWERS = [("Dietary or access needs", "Vegetarian,\nno nuts")]


def templates_app(folder: Path) -> Flask:
    """An application whose templates and translations mails are written with; its database is never opened."""
    return make_app(f"sqlite:///{folder / 'unused.db'}", folder)


def site(**given: Any) -> Site:
    """The settings of an installation with a reply mailbox."""
    values = {
        "name": "Community events",
        "sender": "events@example.org",
        "contact": "office@example.org",
        "reply_address": MAILBOX,
        "links": LINKS,
    }
    return Site(**values | given)


def row(kind: str, **payload: Any) -> Message:
    """An outbox row about Amira's confirmed yes for two; `payload` replaces what was true when it was queued."""
    return Message(
        id=1,
        kind=kind,
        recipient="amira@example.org",
        recipient_name="Amira Haddad",
        event_id=1,
        registration_id=7,
        payload={"rsvp": "yes", "status": "confirmed", "party_size": 2, "sequence": 2} | payload,
        message_key=KEY,
        stamp_at=STAMP,
        created_at=datetime(2026, 10, 5, 16, 0, 0, 500_000, tzinfo=UTC),
        attempts=1,
    )


def write(
    app: Flask,
    message: Message,
    *,
    event: Event | None = None,
    registration: Registration | None = None,
    answers: list[tuple[str, str]] | None = None,
    is_in_calendar: bool = False,
    **settings: Any,
) -> bytes:
    """The mail about Amira's answer to the celebration, as bytes."""
    subject = Subject(
        event=event or celebration(),
        registration=registration or amira(),
        answers=ANSWERS if answers is None else answers,
        is_in_calendar=is_in_calendar,
    )
    with app.app_context():
        mail = compose.about_registration(message, subject, site=site(**settings), templates=gather.templates_of(app))
        return mail.as_bytes()


def read(content: bytes) -> EmailMessage:
    """A mail as a mail program reads it."""
    return message_from_bytes(content, policy=policy.default)


def text_of(mail: EmailMessage) -> str:
    """Its plain text, lines parted by `\\n`."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def html_of(mail: EmailMessage) -> str:
    """Its HTML."""
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def calendar_of(mail: EmailMessage) -> bytes | None:
    """Its calendar part; None when it carries none."""
    for part in mail.walk():
        if part.get_content_type() == "text/calendar":
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            return content
    return None


def structure(mail: EmailMessage) -> list[str]:
    """The content types, each indented by its depth."""
    found: list[str] = []

    def look(part: Any, depth: int) -> None:
        found.append("  " * depth + part.get_content_type())
        for child in part.iter_parts() if part.is_multipart() else ():
            look(child, depth + 1)

    look(mail, 0)
    return found


GOLDEN = ROOT / "tests" / "mail" / "golden"

"""Reads from the database what a mail is about, decides whether it may still leave, and has it written."""

from datetime import datetime
from typing import Any

from flask import Flask
from flask_babel import gettext as _
from jinja2 import Environment, StrictUndefined
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.errors import EventRegError
from eventreg.events import queries as event_queries
from eventreg.events import reminders as event_reminders
from eventreg.events.models import Event
from eventreg.mail import compose, contents
from eventreg.mail.compose import Subject
from eventreg.mail.contents import Site
from eventreg.mail.mime import Letter
from eventreg.outbox import queries as outbox_queries
from eventreg.outbox.models import Message
from eventreg.registrations import queries as registration_queries
from eventreg.registrations import reminders
from eventreg.registrations.models import Registration

PLAIN = frozenset({"auth", "test"})


class PointlessError(EventRegError):
    """The mail must not leave any more; the message says why."""


def site_of(app: Flask) -> Site:
    """The settings that mails need."""
    config = app.config
    return Site(
        name=config["SITE_NAME"],
        sender=config["MAIL_DEFAULT_SENDER"],
        contact=config["CONTACT_EMAIL"],
        reply_address=config["REPLY_ADDRESS"],
        links=app.extensions["eventreg.links"],
    )


def templates_of(app: Flask) -> Environment:
    """The app's templates, where a name that no one has set is an error and not a gap in somebody's mail."""
    made: Environment | None = app.extensions.get("eventreg.mail.templates")
    if made is None:
        made = app.jinja_env.overlay(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        app.extensions["eventreg.mail.templates"] = made
    return made


def write(session: Session, message: Message, app: Flask, *, now: datetime) -> Letter:
    """The mail of that row. Raises: PointlessError; anything else means that it cannot be written."""
    options: dict[str, Any] = {"site": site_of(app), "templates": templates_of(app)}
    if message.kind in PLAIN:
        return compose.plain(message, **options)
    if message.kind == "forwarded":
        return compose.forwarded(message, **options)
    if message.kind == "link":
        return compose.about_links(message, _own(session, message), **options)
    return compose.about_registration(message, _subject(session, message, now), **options)


def _subject(session: Session, message: Message, now: datetime) -> Subject:
    row = session.execute(
        select(Registration, Event)
        .join(Event, Event.id == Registration.event_id)
        .where(Registration.id == message.registration_id)
    ).first()
    if row is None:
        raise PointlessError(_("The registration is gone."))
    registration, event = row
    if registration.email_key != message.recipient.lower():
        # Its links would open the registration to whoever has the old address.
        raise PointlessError(_("The address was corrected before this mail left."))
    if event.status == "cancelled" and message.kind not in {"event_cancelled", "withdrawn"}:
        raise PointlessError(_("The event was cancelled before this mail left."))
    if message.kind == reminders.KIND:
        _refuse_late_reminder(message, registration, event, now)
    given = registration_queries.answers_of(session, [registration.id]).get(registration.id, {})
    questions = event_queries.questions(session, event.id, include_retired=True)
    return Subject(
        event=event,
        registration=registration,
        answers=[(question.label, given[question.id]) for question in questions if question.id in given],
        is_in_calendar=_is_in_calendar(message, outbox_queries.sent_before(session, message)),
    )


def _refuse_late_reminder(message: Message, registration: Registration, event: Event, now: datetime) -> None:
    """Raises: PointlessError for a reminder that would be untrue by now, or come too late to be of use."""
    payload = message.payload
    if (registration.status, registration.rsvp) != (payload["status"], payload["rsvp"]):
        raise PointlessError(_("The answer was changed or withdrawn before this reminder left."))
    if event.starts_at != datetime.fromisoformat(payload["starts_at"]):
        raise PointlessError(_("The event was moved before this reminder left."))
    if event_reminders.is_missed(event, due_at=message.created_at, now=now):
        raise PointlessError(_("This reminder could not leave in time."))


def _is_in_calendar(message: Message, sent: list[Message]) -> bool:
    """Whether the last of the mails that say where the person stands left an entry in their calendar.

    A mail sent again carries again what it carried, so those that say the same as it do not count.
    """
    standing = [earlier for earlier in sent if "rsvp" in earlier.payload and earlier.kind not in contents.WITHOUT_ENTRY]
    if message.payload.get("again"):
        while standing and _says_the_same(standing[-1], message):
            standing.pop()
    return bool(standing) and compose.holds_entry(standing[-1])


def _says_the_same(earlier: Message, message: Message) -> bool:
    named = ("rsvp", "status")
    if earlier.payload.get(compose.DECLINED_THERE):
        return False
    same = [earlier.payload.get(name) for name in named] == [message.payload.get(name) for name in named]
    return same and not compose.holds_entry(earlier)


def _own(session: Session, message: Message) -> list[tuple[Event, Registration]]:
    rows = session.execute(
        select(Event, Registration)
        .join(Registration, Event.id == Registration.event_id)
        .where(
            Registration.id.in_(message.payload["registration_ids"]),
            Registration.email_key == message.recipient.lower(),
        )
        .order_by(Event.starts_at, Registration.id)
    ).all()
    if not rows:
        raise PointlessError(_("The address was corrected before this mail left."))
    return [(event, registration) for event, registration in rows]

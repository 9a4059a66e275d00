"""What the desk says about mail: what it was, what became of it, when reminders go out."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from eventreg.events import reminders as event_reminders
from eventreg.events import wording
from eventreg.events.models import Event
from eventreg.outbox.models import Message


def mail_kinds() -> dict[str, str]:
    """The mails a registration gets."""
    return {
        "confirmation": _("Confirmation"),
        "waitlisted": _("Waitlist notice"),
        "offer": _("Place offered"),
        "offer_expired": _("Offer ended"),
        "pending": _("Request noted"),
        "not_approved": _("Not approved"),
        "answer": _("Answer noted"),
        "promotion": _("Moved up from the waitlist"),
        "changed": _("Change noted"),
        "withdrawn": _("Cancellation noted"),
        "update": _("News of the event"),
        "event_cancelled": _("Event cancelled"),
        "reply_taken": _("“No” noted"),
        "reply_refused": _("Answer not taken"),
        "ask_again": _("Asked once more"),
        "reminder": _("Reminder"),
        "link": _("Link"),
        "confirm_address": _("Confirmation of the address"),
    }


def reminder(event: Event, now: datetime) -> str:
    """When people are, were or would have been reminded of it; empty for an event that reminds nobody."""
    if event.reminder_hours is None or event.status == "cancelled":
        return ""
    if event.reminded_at is not None:
        return _("Reminders went out on %(when)s.", when=wording.instant(event.reminded_at, event.timezone))
    due = event_reminders.hour(event) if event.status == "draft" else event.remind_at
    if due is not None and due > now:
        return _("Reminders go out on %(when)s.", when=wording.instant(due, event.timezone))
    if event.remind_at is not None:
        return _("Reminders go out now.")
    return _("No reminders: their hour had passed.")


@dataclass(frozen=True, slots=True)
class MailWords:
    """A mail's state: how it looks (ok, warn, stop), what it is and what became of it, and the server's own words."""

    look: str
    text: str
    reply: str


def mail_state(message: Message | None, event: Event, *, is_sent: bool) -> MailWords:
    """The newest mail of a registration. `is_sent` is False where mail is only kept: nothing is called sent then."""
    if message is None:
        return MailWords("", _("No mail yet"), "")
    kind = mail_kinds().get(message.kind, message.kind)
    when = wording.short_instant(message.sent_at or message.created_at, event.timezone)
    states = {
        "queued": ("", _("waiting to be sent")),
        "sending": ("", _("being sent")),
        "sent": ("ok", _("sent %(when)s", when=when) if is_sent else _("kept %(when)s, not sent", when=when)),
        "retrying": ("warn", _("not taken yet, trying again")),
        "failed": ("stop", _("not delivered")),
        "aborted": ("", _("not needed any more")),
    }
    look, state = states[message.state]
    if message.bounced_at is not None:
        state = _("came back, not delivered")
    if message.state == "aborted" and message.server_reply:
        return MailWords("", message.server_reply, "")
    return MailWords(look, f"{kind}: {state}", message.server_reply)

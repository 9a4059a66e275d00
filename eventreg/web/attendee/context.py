"""What only the attendees' templates need."""

from flask import Flask

from eventreg.events import wording as event_words
from eventreg.registrations import wording
from eventreg.web import kept_mail


def init_app(app: Flask) -> None:
    """Registers the template globals."""
    app.jinja_env.globals.update(
        closed_reason=event_words.closed_reason,
        waitlist_rule=wording.waitlist_rule,
        outgrown_words=wording.outgrown,
        ways_out=wording.ways_out,
        dev_mail_is_open=kept_mail.is_open,
    )

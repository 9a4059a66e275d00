"""What only the attendees' templates need."""

from flask import Flask, current_app, request

from eventreg.events import wording as event_words
from eventreg.registrations import wording

LOOPBACK = frozenset({"127.0.0.1", "::1"})


def init_app(app: Flask) -> None:
    """Registers the template globals."""
    app.jinja_env.globals.update(
        closed_reason=event_words.closed_reason, waitlist_rule=wording.waitlist_rule, dev_mail_is_open=dev_mail_is_open
    )


def dev_mail_is_open() -> bool:
    """Whether this visitor may read kept mail at /dev/mail: the demo, on the machine itself, behind no proxy."""
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return (
        current_app.config["DEMO"]
        and not current_app.config["MAIL_SERVER"]
        and request.remote_addr in LOOPBACK
        and not forwarded
    )

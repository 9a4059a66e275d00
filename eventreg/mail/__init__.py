"""Turns what the outbox owes into mails, and hands them to a mail server or keeps them in a folder."""

from typing import Literal

from flask import Flask

from eventreg.mail import deliver


def init_app(app: Flask) -> None:
    """Sets Flask-Mail up with the app's settings. Opens no connection."""
    deliver.init_app(app)


def destination(app: Flask) -> Literal["server", "kept"]:
    """Whether mail leaves through a server or is kept in `instance/mail/`, so that pages can say which."""
    return "server" if app.config["MAIL_SERVER"] else "kept"

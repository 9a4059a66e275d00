"""Turns what the outbox owes into mails, and hands them to a mail server or keeps them in a folder."""

from typing import Literal

from flask import Flask


def destination(app: Flask) -> Literal["server", "kept"]:
    """Whether mail leaves through a server or is kept in `instance/mail/`, so that pages can say which."""
    return "server" if app.config["MAIL_SERVER"] else "kept"

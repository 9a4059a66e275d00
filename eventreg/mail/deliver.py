"""The only importer of Flask-Mail: opens the way out, one connection for a batch, and speaks to the mail server.

Flask-Mail connects without a time limit and starts TLS without looking at the certificate; both are put right here.
"""

import contextlib
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import flask_mail
from flask import Flask, current_app

from eventreg.addresses import for_envelope, host_of
from eventreg.errors import EventRegError
from eventreg.mail import kept, smtp
from eventreg.mail.mime import Letter
from eventreg.outbox.backoff import Failure, Trouble


class UndeliveredError(EventRegError):
    """A mail was not taken; `failure` says what that means for the next try."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.words)
        self.failure = failure


class TimedConnection(flask_mail.Connection):
    """Flask-Mail's connection with MAIL_TIMEOUT on connecting and on each command, and TLS that checks who answers."""

    host: smtp.Host | None

    def configure_host(self) -> Any:
        """Connects, secures and signs in."""
        state, config = self.mail, current_app.config
        # smtplib would ask the name server for its own name, and wait as long as that takes.
        options: dict[str, Any] = {
            "timeout": config["MAIL_TIMEOUT"],
            "local_hostname": host_of(config["MAIL_DEFAULT_SENDER"]),
        }
        # Reading all the world's certificates takes as long as twenty mails.
        secure = ssl.create_default_context() if state.use_ssl or state.use_tls else None
        host: smtp.Host
        if state.use_ssl:
            host = smtp.TimedSMTPoverTLS(state.server, state.port, context=secure, **options)
        else:
            host = smtp.TimedSMTP(state.server, state.port, **options)
        try:
            if state.use_tls:
                host.starttls(context=secure)
            host.ehlo_or_helo_if_needed()
            if state.username and state.password:
                host.login(state.username, state.password)
        except BaseException:
            host.close()
            raise
        return host

    def __exit__(self, *_error: object) -> None:
        """Takes leave. What was accepted stays accepted when the server has gone."""
        if self.host is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self.host.quit()
            self.host.close()

    def hand_over(self, letter: Letter, *, recipient: str, meanwhile: Callable[[], None]) -> str:
        """Sends one mail and returns the server's words. Raises: smtp.RefusedError, smtp.BrokenError, as connecting.

        Servers take only so many mails on one connection: the next is said again on another, at once.
        """
        was_open = self.host is not None and self.host.sock is not None
        given: dict[str, Any] = {"recipient": recipient, "content": letter.content, "meanwhile": meanwhile}
        try:
            words = smtp.transmit(self._opened(), sender=for_envelope(letter.sender), **given)
        except (smtp.RefusedError, smtp.BrokenError) as error:
            if not (was_open and error.is_goodbye):
                raise
            words = smtp.transmit(self._opened(), sender=for_envelope(letter.sender), **given)
        flask_mail.email_dispatched.send(current_app._get_current_object(), message=letter)  # type: ignore[attr-defined] # noqa: SLF001 - as Flask-Mail does
        return words

    def _opened(self) -> smtp.Host:
        if self.host is None or self.host.sock is None:
            made: smtp.Host = self.configure_host()
            self.host = made
        return self.host


class Mail(flask_mail.Mail):
    """Flask-Mail with our connection."""

    def connect(self) -> TimedConnection:
        """A connection that has not been opened yet: `hand_over` opens it, once more where it was lost."""
        return TimedConnection(current_app.extensions["mail"])


def _nothing() -> None:
    """What is done meanwhile, unless something else is."""


class Way(Protocol):
    """How mails leave this program."""

    def send(self, letter: Letter, *, recipient: str, file_name: str, meanwhile: Callable[[], None] = _nothing) -> str:
        """Sends or keeps one mail and returns what was said about it. Raises: UndeliveredError.

        A server takes its time over a mail it has got; `meanwhile` is called then. It must not raise.
        """


class ToServer:
    """Through the mail server of the settings."""

    def __init__(self, connection: TimedConnection) -> None:
        self._connection = connection
        self._in_a_row = 0

    def send(
        self,
        letter: Letter,
        *,
        recipient: str,
        file_name: str,  # noqa: ARG002 - kept mail has names
        meanwhile: Callable[[], None] = _nothing,
    ) -> str:
        """One mail; a lost connection is opened again with the next."""
        try:
            words = self._connection.hand_over(letter, recipient=for_envelope(recipient), meanwhile=meanwhile)
        except smtp.RefusedError as refusal:
            raise UndeliveredError(self._read(refusal)) from refusal
        except smtp.BrokenError as broken:
            raise UndeliveredError(Failure(self._once_or_again(Trouble.UNREACHABLE), str(broken))) from broken
        except (smtplib.SMTPException, OSError) as error:
            raise UndeliveredError(smtp.read_trouble(error)) from error
        self._in_a_row = 0
        return words

    def _read(self, refusal: smtp.RefusedError) -> Failure:
        failure = smtp.read_refusal(refusal)
        if refusal.code == smtp.CLOSING:
            return Failure(self._once_or_again(Trouble.UNREACHABLE), failure.words)
        if smtp.is_about_us(refusal):
            return Failure(self._once_or_again(Trouble.REFUSED_FOR_ALL), failure.words)
        self._in_a_row = 0
        return failure

    def _once_or_again(self, trouble: Trouble) -> Trouble:
        """Once may be about this mail, and must not hold up the others for ever; twice is about the server, or us."""
        self._in_a_row += 1
        return Trouble.LATER if self._in_a_row == 1 else trouble


class ToFolder:
    """Into `instance/mail/`, where no mail server is set."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(
        self,
        letter: Letter,
        *,
        recipient: str,  # noqa: ARG002 - it is in the mail
        file_name: str,
        meanwhile: Callable[[], None] = _nothing,  # noqa: ARG002 - nobody is waited for
    ) -> str:
        """One mail as one file."""
        try:
            path = kept.keep(self._folder, file_name, letter.content)
        except OSError as error:
            words = f"The mail cannot be kept in {self._folder}: {error.strerror}"
            raise UndeliveredError(Failure(Trouble.UNREACHABLE, words)) from error
        return f"Kept in {path}"


def _connection(app: Flask) -> TimedConnection:
    """A connection that has not been opened yet; the first one sets Flask-Mail up with the app's settings."""
    if "eventreg.mail" not in app.extensions:
        # Flask-Mail would send nothing while testing; tests here have a real server.
        app.config["MAIL_SUPPRESS_SEND"] = False
        made = Mail()
        made.init_app(app)
        app.extensions["eventreg.mail"] = made
    connection: TimedConnection = app.extensions["eventreg.mail"].connect()
    return connection


@contextmanager
def open_way(app: Flask) -> Iterator[Way]:
    """The way out for one batch; needs an application context. Nothing is opened before the first mail."""
    if not app.config["MAIL_SERVER"]:
        yield ToFolder(Path(app.config["MAIL_FOLDER"]))
        return
    connection = _connection(app)
    connection.host = None
    try:
        yield ToServer(connection)
    finally:
        connection.__exit__(None, None, None)


def reach(app: Flask) -> str:
    """Why no mail could be sent now, in the server's own words; empty when it answers and lets us in."""
    connection = _connection(app)
    try:
        connection.host = connection.configure_host()
    except (smtplib.SMTPException, OSError) as error:
        return smtp.read_trouble(error).words
    connection.__exit__(None, None, None)
    return ""


def send_now(app: Flask, letter: Letter, *, recipient: str, kind: str, now: datetime, key: str) -> str:
    """Sends one mail past the queue, for `eventreg mail test`. Raises: UndeliveredError."""
    with open_way(app) as way:
        return way.send(letter, recipient=recipient, file_name=kept.file_name(created_at=now, kind=kind, key=key))

"""SMTP with a limit on every answer, and its refusals read into what they mean for the next try.

smtplib's own timeout restarts at every byte, so a server that dribbles would hold a worker for ever.
"""

import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

from eventreg.errors import EventRegError
from eventreg.outbox.backoff import Failure, Trouble

PERMANENT = 500
CLOSING = 421
NEEDS_LOGIN = frozenset({530, 534, 535, 538})
"""Codes about who is sending, whatever command they answer. Source: RFC 4954 section 6."""
TOO_LARGE = 552
STAGES = (("sender", {250}), ("recipient", {250, 251}), ("content", {354}))
"""What MAIL, RCPT and DATA are about, and the codes that let a mail go on. Source: RFC 5321 section 4.3.2."""
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9+_-]+(\.[A-Za-z0-9+_-]+)*@[A-Za-z0-9.-]+")
_ABOUT_US = re.compile(
    r"(?i)\brelay|client host|sender address|\bhelo\b|sending limit|blocked using|\b5\.7\.(2[5-9]|509)\b|\b5\.4\.5\b"
)
"""How a server says that it is who sends that it will not have. Postfix waits with that until RCPT, others until DATA.
Sources: Postfix' smtpd_delay_reject; RFC 7372; the lists of errors of Gmail and Exchange Online."""
_NO_SUCH_RECIPIENT = re.compile(r"\b5\.1\.([1-6]|10)\b")
"""Whatever the rest says, like Postfix' “User unknown in relay recipient table”. Source: RFC 3463 section 3.2."""


class RefusedError(EventRegError):
    """The server refused one mail. `stage` is sender, recipient or content."""

    def __init__(self, stage: str, code: int, words: bytes | str) -> None:
        self.stage = stage
        self.code = code
        self.words = spoken(code, words)
        super().__init__(self.words)

    @property
    def is_goodbye(self) -> bool:
        """Whether it is how a server ends a connection that has had its number of mails."""
        return self.code == CLOSING and self.stage == STAGES[0][0]


class BrokenError(EventRegError):
    """The connection was lost in the middle of one mail, which may or may not have been taken.

    `is_goodbye` when the server had not yet said a word about it: it has not, and another connection may take it.
    """

    def __init__(self, words: str, *, is_goodbye: bool) -> None:
        super().__init__(words)
        self.is_goodbye = is_goodbye


def spoken(code: int, words: bytes | str) -> str:
    r"""A server's reply as it said it, on one line.

    >>> spoken(550, b"5.1.1 No such\nmailbox")
    '550 5.1.1 No such mailbox'
    """
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return f"{code} {' '.join(text.split())}".strip()


class _Replies:
    """The receiving half of a connection: each reply must be complete within `seconds` of `restart()`."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self._seconds = seconds
        self._buffer = b""
        self._deadline = 0.0

    def restart(self) -> None:
        self._deadline = time.monotonic() + self._seconds

    def readline(self, limit: int) -> bytes:
        while b"\n" not in self._buffer and len(self._buffer) < limit:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"the server did not answer within {self._seconds:g} seconds")
            self._sock.settimeout(left)
            try:
                received = self._sock.recv(4096)
            except TimeoutError as error:
                raise TimeoutError(f"the server did not answer within {self._seconds:g} seconds") from error
            finally:
                self._sock.settimeout(self._seconds)
            if not received:
                break
            self._buffer += received
        end = min(self._buffer.find(b"\n") + 1 or len(self._buffer), limit)
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line

    def close(self) -> None:
        """The socket is closed by its owner."""


class _Timed:
    """Mixed into smtplib's classes: replaces the file that replies are read from."""

    sock: Any
    file: Any
    timeout: float
    heard = 0
    """Replies since `transmit` began."""

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            self.file = _Replies(self.sock, self.timeout)
        self.file.restart()
        reply: tuple[int, bytes] = super().getreply()  # type: ignore[misc]
        self.heard += 1
        return reply

    def ehlo(self, name: str = "") -> tuple[int, bytes]:
        """As smtplib's, which would say HELO to a server that is closing, and forget what it said."""
        reply: tuple[int, bytes] = super().ehlo(name)  # type: ignore[misc]
        if reply[0] == CLOSING:
            raise smtplib.SMTPHeloError(*reply)
        return reply


class TimedSMTP(_Timed, smtplib.SMTP):
    """SMTP, later STARTTLS or not."""


class TimedSMTPoverTLS(_Timed, smtplib.SMTP_SSL):
    """SMTP inside TLS from the first byte."""


Host = TimedSMTP | TimedSMTPoverTLS


def transmit(host: Host, *, sender: str, recipient: str, content: bytes, meanwhile: Callable[[], None]) -> str:
    """Hands one mail over and returns the server's words of acceptance; calls `meanwhile` before it waits for them.

    Raises: RefusedError, after which the connection may be used for the next mail; BrokenError, after which it may not.
    """
    host.heard = 0
    try:
        return _transmit(host, sender, recipient, content, meanwhile)
    except RefusedError as refusal:
        if refusal.code == CLOSING:
            host.close()
        else:
            _reset(host)
        raise
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        host.close()
        is_silent = isinstance(error.__context__, TimeoutError)  # smtplib takes it for an end of the connection
        raise BrokenError(_plain(error), is_goodbye=host.heard == 0 and not is_silent) from error
    except Exception:
        # The fault is this mail's, and the next must not find its half-said commands.
        _reset(host)
        raise


def _transmit(host: smtplib.SMTP, sender: str, recipient: str, content: bytes, meanwhile: Callable[[], None]) -> str:
    host.ehlo_or_helo_if_needed()
    options = ""
    if not recipient.isascii():
        if not host.has_extn("smtputf8"):
            raise RefusedError("recipient", 553, "The mail server does not take addresses with such letters")
        options = " SMTPUTF8 BODY=8BITMIME"
    commands = [f"MAIL FROM:{_path(sender)}{options}", f"RCPT TO:{_path(recipient)}", "DATA"]
    if any("\r" in command or "\n" in command for command in commands):
        raise ValueError("an address holds a line break")
    say = _at_once if host.has_extn("pipelining") else _one_by_one
    say(host, [f"{command}\r\n".encode() for command in commands])
    host.send(_dotted(content))
    meanwhile()
    code, words = host.getreply()
    if code != 250:  # noqa: PLR2004 - RFC 5321 section 4.3.2
        raise RefusedError("content", code, words)
    return spoken(code, words)


def _one_by_one(host: smtplib.SMTP, commands: list[bytes]) -> None:
    """Says MAIL, RCPT and DATA, each when the one before it was taken."""
    for command, (stage, good) in zip(commands, STAGES, strict=True):
        host.send(command)
        code, words = host.getreply()
        if code not in good:
            raise RefusedError(stage, code, words)


def _at_once(host: smtplib.SMTP, commands: list[bytes]) -> None:
    """The same without waiting in between, which spares two ways to the server and back. Source: RFC 2920."""
    host.send(b"".join(commands))
    refusal: RefusedError | None = None
    try:
        for stage, good in STAGES:
            code, words = host.getreply()
            if code not in good:
                refusal = refusal or RefusedError(stage, code, words)
        if refusal is not None and code in good:
            # It waits for a mail to nobody; section 3.1 has it get an empty one.
            host.send(b".\r\n")
            host.getreply()
    except smtplib.SMTPServerDisconnected:
        if refusal is None:
            raise
    if refusal is not None:
        raise refusal


def _path(address: str) -> str:
    """An address as MAIL and RCPT take it; smtplib takes longer to find that out than to say it."""
    return f"<{address}>" if _PLAIN_ADDRESS.fullmatch(address) else smtplib.quoteaddr(address)


def _dotted(content: bytes) -> bytes:
    r"""What DATA sends of it, to the dot that ends it (RFC 5321 section 4.5.2); without the search of smtplib's own.

    >>> _dotted(b".a\r\n.\r\nb")
    b'..a\r\n..\r\nb\r\n.\r\n'
    """
    end = b"" if content.endswith(b"\r\n") else b"\r\n"
    return (b"\n" + content).replace(b"\n.", b"\n..")[1:] + end + b".\r\n"


def _reset(host: smtplib.SMTP) -> None:
    try:
        is_reset = host.rset()[0] == 250  # noqa: PLR2004 - RFC 5321 section 4.3.2
    except (smtplib.SMTPException, OSError):
        is_reset = False
    if not is_reset:
        host.close()


def read_refusal(error: RefusedError) -> Failure:
    """What a refusal of one mail means.

    >>> read_refusal(RefusedError("recipient", 550, "5.1.1 No such mailbox")).trouble.name
    'REJECTED'
    >>> read_refusal(RefusedError("recipient", 451, "4.7.1 Greylisted")).trouble.name
    'LATER'
    >>> read_refusal(RefusedError("sender", 550, "5.7.1 Not your address")).trouble.name
    'REFUSED_FOR_ALL'
    >>> read_refusal(RefusedError("content", 550, "5.4.5 Daily user sending limit exceeded")).trouble.name
    'LATER'
    """
    if error.code in NEEDS_LOGIN or (error.stage == "sender" and error.code >= PERMANENT and error.code != TOO_LARGE):
        return Failure(Trouble.REFUSED_FOR_ALL, error.words)
    if error.code < PERMANENT or is_about_us(error):
        return Failure(Trouble.LATER, error.words)
    return Failure(Trouble.REJECTED, error.words)


def is_about_us(error: RefusedError) -> bool:
    """Whether a 5xx speaks of who sends, though it answers for one mail: worth trying when the settings are mended.

    >>> is_about_us(RefusedError("recipient", 554, "5.7.1 <amira@example.org>: Relay access denied"))
    True
    >>> is_about_us(RefusedError("recipient", 550, "5.1.1 User unknown in relay recipient table"))
    False
    """
    is_said = _ABOUT_US.search(error.words) is not None and _NO_SUCH_RECIPIENT.search(error.words) is None
    return error.code >= PERMANENT and error.stage != "sender" and is_said


def read_trouble(error: Exception) -> Failure:
    """What it means that no connection was to be had."""
    if isinstance(error, smtplib.SMTPResponseException):
        words = spoken(error.smtp_code, error.smtp_error)
        return Failure(Trouble.REFUSED_FOR_ALL if error.smtp_code >= PERMANENT else Trouble.UNREACHABLE, words)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Failure(Trouble.REFUSED_FOR_ALL, str(error))
    return Failure(Trouble.UNREACHABLE, _plain(error))


def _plain(error: Exception) -> str:
    """An error in words, without the number and class Python puts around it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__

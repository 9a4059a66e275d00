"""A real mail server for tests, and a guard against mail that no test asked for."""

import asyncio
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support import HANG_SECONDS

ALLOWED: set[int] = set()
"""Ports of the mail servers the running test asked for."""
UNEXPECTED: list[str] = []
"""Connections the running test tried to make to any other mail server."""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class SmtpServer:
    """An SMTP server on a free port that keeps what it is sent, or behaves as badly as it is told.

    `reply` answers DATA ("250 OK" keeps the message; "451 …", "550 …" do not). `refused` maps a recipient to the
    reply its RCPT gets. `stall()` makes it accept connections and say nothing; `stop()` leaves the port closed.
    `extensions` are what its EHLO offers beside aiosmtpd's own.
    """

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.port = free_port()
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.senders: list[str] = []
        self.connections = 0
        self.reply = "250 OK"
        self.refused: dict[str, str] = {}
        self.extensions: list[str] = []
        self.on_data: Any = None
        self._arrived = threading.Condition()
        self._controller: Controller | None = None
        self._silent: socket.socket | None = None
        ALLOWED.add(self.port)

    def start(self, **options: Any) -> None:
        """Listens; `options` go to aiosmtpd (TLS, authentication)."""
        server = self

        class _Controller(Controller):
            def factory(self) -> SMTP:
                server.connections += 1
                return super().factory()

        self._controller = _Controller(
            self, hostname=self.host, port=self.port, ready_timeout=10, enable_SMTPUTF8=True, **options
        )
        self._controller.start()
        self.connections = 0  # aiosmtpd connects once to itself

    def stop(self) -> None:
        """Closes the port: connections are refused from now on."""
        if self._controller is not None:
            self._controller.stop(no_assert=True)
            self._controller = None
        if self._silent is not None:
            self._silent.close()
            self._silent = None

    def stall(self) -> None:
        """Accepts connections and never says a word."""
        self.stop()
        self._silent = socket.socket()
        self._silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._silent.bind((self.host, self.port))
        self._silent.listen(50)

    def turned_to(self) -> int:
        """How many connections have come since `stall`."""
        assert self._silent is not None
        self._silent.setblocking(False)
        count = 0
        while True:
            try:
                self._silent.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1

    def wait_for(self, count: int, *, seconds: float = 15) -> list[EmailMessage]:
        """The messages once there are that many; fails when they do not come."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.messages) >= count, timeout=seconds)
        assert arrived, f"{len(self.messages)} of {count} mails arrived within {seconds:g} s"
        return self.messages

    def to(self, address: str) -> list[EmailMessage]:
        """What was sent to that address, oldest first."""
        return [mail for mail, to in zip(self.messages, self.recipients, strict=True) if address in to]

    def wait_for_mail_to(self, address: str, *, count: int = 1, seconds: float = 15) -> EmailMessage:
        """The newest mail to that address once there are `count`."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.to(address)) >= count, timeout=seconds)
        assert arrived, f"{len(self.to(address))} of {count} mails to {address} arrived within {seconds:g} s"
        return self.to(address)[-1]

    # What aiosmtpd calls, in its own thread.

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [responses[0], *(f"250-{name}" for name in self.extensions), *responses[1:]]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.on_data is not None:
            await asyncio.to_thread(self.on_data, envelope)
        if self.reply.startswith("2"):
            content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
            message = message_from_bytes(content, policy=policy.default)
            with self._arrived:
                self.messages.append(message)
                self.recipients.append(list(envelope.rcpt_tos))
                self.senders.append(envelope.mail_from or "")
                self._arrived.notify_all()
        return self.reply


@contextmanager
def running_smtp_server() -> Iterator[SmtpServer]:
    """A server that accepts, until the block ends."""
    server = SmtpServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()
        ALLOWED.discard(server.port)


def settings_for(server: SmtpServer) -> dict[str, Any]:
    """The settings that send mail there."""
    return {
        "MAIL_SERVER": server.host,
        "MAIL_PORT": server.port,
        "MAIL_TIMEOUT": 2.0,
        "MAIL_DEFAULT_SENDER": "events@example.org",
    }


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if event == "smtplib.connect" and args[2] not in ALLOWED:
        UNEXPECTED.append(f"{args[1]}:{args[2]}")


def watch_for_unexpected_mail() -> None:
    """From now on every connection that smtplib makes is compared with ALLOWED. Lasts as long as the process."""
    sys.addaudithook(_watch)


def wait_until(condition: Any, *, seconds: float = HANG_SECONDS, what: str = "it") -> Any:
    """The first truthy value of `condition()`; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:g} s"
        time.sleep(0.03)

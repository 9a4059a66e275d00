"""A listener for the site's mail server to hand replies to. Source: RFC 2033.

It takes everything and never sends anything back: what is no answer is let go inside. Only while the database is away
does it ask the mail server to keep the mail and come again.
"""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable
from weakref import WeakSet

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import Envelope, Session
from flask import Flask

from eventreg import clock
from eventreg.calendar.letter import Letter
from eventreg.db import db, said
from eventreg.incoming.ingest import DATABASE_AWAY, ingest_for, parsed
from eventreg.incoming.service import Taken

TAKEN = "250 2.0.0 OK"
COME_AGAIN = "451 4.3.0 The database is away; keep the mail and come again"
LARGEST = 33_554_432
"""Bytes of a mail that is accepted, because refusing one would send it back; its beginning is what is looked at."""
LONGEST_LINE = 1024 * 1024
IDLE_SECONDS = 300
MOST_RECIPIENTS = 100
AT_ONCE = 8
"""Mails worked on at a time; the others wait for their turn."""

LEAVE_SECONDS = 3

log = logging.getLogger(__name__)


class Listener(LMTP):
    """aiosmtpd's LMTP, for lines as mail servers write them and not as they should."""

    line_length_limit = LONGEST_LINE


class Handler:
    """What aiosmtpd calls: every recipient is taken, and each has an answer of its own after DATA."""

    def __init__(self, app: Flask, after: Callable[[], None]) -> None:
        self._app = app
        self._after = after
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def idle(self) -> None:
        """Waits until no mail is under way, so that none is brought again that was taken."""
        for _turn in range(AT_ONCE):
            await self._turns.acquire()
        await asyncio.sleep(0.05)  # for the last answer to leave

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: LMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],  # noqa: ARG002
    ) -> str:
        """Takes the recipient."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients at once; send the rest after these"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: LMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        """One reply a recipient, in their order (RFC 2033 section 4.2)."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        # Final delivery adds Return-Path (RFC 5321 section 4.4); an empty one marks what programs send.
        data = content if envelope.mail_from not in {None, "", "<>"} else b"Return-Path: <>\r\n" + content
        async with self._turns:
            letter = await asyncio.to_thread(parsed, data)
        return "\r\n".join([await self._take(data, letter, recipient) for recipient in envelope.rcpt_tos])

    async def _take(self, data: bytes, letter: Letter | str, recipient: str) -> str:
        async with self._turns:
            try:
                taken = await asyncio.to_thread(self._in_thread, data, letter, recipient)
            except DATABASE_AWAY as error:
                log.warning("Mail received: kept by the mail server, as the database is away: %s", said(error))
                return COME_AGAIN
        log.debug("%s: %s", recipient, taken.outcome)
        return TAKEN

    async def handle_exception(self, error: Exception) -> str:
        """A fault of ours must not send somebody's mail back."""
        log.error("The mail server's conversation failed", exc_info=error)
        return "451 4.3.0 Something went wrong here; come again"

    def _in_thread(self, data: bytes, letter: Letter | str, recipient: str) -> Taken:
        with self._app.app_context():
            try:
                taken = ingest_for(self._app, data, letter, now=clock.now(), envelope=recipient)
                if taken.may_owe_mail:
                    self._after()
                return taken
            finally:
                db.session.remove()


def serve(app: Flask, listener: socket.socket, *, after: Callable[[], None] = lambda: None) -> None:
    """Takes mail until SIGINT or SIGTERM. Must be called in the main thread.

    `after` is called in an application context once a mail may be owed, to wake the mail worker.
    """

    async def until_told() -> None:
        loop, stopping = asyncio.get_running_loop(), asyncio.Event()
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, stopping.set)
        await run(app, listener, after=after, stopping=stopping)

    asyncio.run(until_told())


async def run(app: Flask, listener: socket.socket, *, after: Callable[[], None], stopping: asyncio.Event) -> None:
    """Takes mail until `stopping` is set, and then for as long as mail is under way, LEAVE_SECONDS at most."""
    handler, name = Handler(app, after), app.extensions["eventreg.links"].host
    talking: WeakSet[Listener] = WeakSet()

    def connect() -> Listener:
        talking.add(made := _connection(handler, name))
        return made

    server = await asyncio.get_running_loop().create_server(connect, sock=listener)
    async with server:
        await stopping.wait()
        server.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(handler.idle(), LEAVE_SECONDS)
        for one in list(talking):
            if one.transport is not None:
                one.transport.close()
        await asyncio.sleep(0.05)  # for the connections to notice


def _connection(handler: Handler, host: str) -> Listener:
    """One mail server's conversation. Given no name of its own, aiosmtpd would ask the name server for it each time."""
    return Listener(
        handler,
        data_size_limit=LARGEST,
        enable_SMTPUTF8=True,
        timeout=IDLE_SECONDS,
        hostname=host,
        ident="eventreg LMTP",
        loop=asyncio.get_running_loop(),
    )

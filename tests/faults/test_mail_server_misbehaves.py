"""A mail server that refuses, stalls, hangs up and turns mail away: nobody who answers notices, and no mail is lost."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from statistics import median

import pytest
from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from eventreg import clock, tasks
from eventreg.db import write_transaction
from eventreg.events.models import Event
from eventreg.links import Links
from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration
from tests.flows.rusher import answer
from tests.support import live
from tests.support.html import Page
from tests.support.live import LiveServer
from tests.support.load import Visitor, heading
from tests.support.outbox import states
from tests.support.promises import COMING
from tests.support.smtp import free_port, wait_until


class BadServer:
    """Speaks SMTP over a plain socket, as badly as `mode` says; keeps the recipient of what it took."""

    def __init__(self) -> None:
        self.port = free_port()
        self.mode = "good"
        self.taken: list[str] = []
        self.connections = 0
        self._listener: socket.socket | None = None

    def listen(self) -> None:
        """Opens its port."""
        self._listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False, backlog=50)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """Connections are refused from now on."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _address = listener.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with suppress(OSError), closing(connection), connection.makefile("rb") as lines:
            connection.sendall(b"220 bad\r\n")
            recipient = ""
            for line in lines:
                verb = line[:4].upper()
                if verb == b"RCPT":
                    recipient = line.decode().partition("<")[2].partition(">")[0]
                if verb == b"DATA":
                    connection.sendall(b"354 go on\r\n")
                    if not self._take(connection, lines, recipient):
                        return
                    continue
                connection.sendall(self._reply(verb, recipient) + b"\r\n")

    def _reply(self, verb: bytes, recipient: str) -> bytes:
        if verb == b"MAIL" and self.mode == "refuses all":
            return b"554 5.7.1 This host is not welcome"
        if verb == b"RCPT" and self.mode == "refuses one" and recipient.startswith("unknown"):
            return b"550 5.1.1 No such mailbox"
        return b"221 bye" if verb == b"QUIT" else b"250 ok"

    def _take(self, connection: socket.socket, lines: object, recipient: str) -> bool:
        """The content of a mail; whether the conversation goes on."""
        for line in lines:  # type: ignore[attr-defined]
            if self.mode == "closes":
                return False
            if self.mode == "stalls":  # in the middle of what is mailed
                time.sleep(30)
                return False
            if line == b".\r\n":
                break
        if self.mode == "later":
            connection.sendall(b"451 4.3.0 Come back later\r\n")
            return True
        self.taken.append(recipient)
        connection.sendall(b"250 taken\r\n")
        return True


@pytest.fixture
def bad() -> Iterator[BadServer]:
    server = BadServer()
    server.listen()
    yield server
    server.stop()


ALL = "No mail could be sent: "
CASES = {
    "refuses connections": f"{ALL}Connection refused",
    "stalls": "the server did not answer within 1 seconds",
    "closes": "Connection unexpectedly closed",
    "later": "451 4.3.0 Come back later",
    "refuses all": f"{ALL}554 5.7.1 This host is not welcome",
}
"""What it does, and what the reason says that stands with every mail meanwhile."""


def replies(session: Session) -> dict[str, tuple[str, str]]:
    session.rollback()
    rows = session.execute(select(Message.recipient, Message.state, Message.server_reply)).all()
    return {row.recipient: (row.state, row.server_reply) for row in rows}


def test_people_answer_within_a_second_and_every_mail_ends_sent_or_failed(
    make_live_server: Callable[..., LiveServer], session: Session, make_event: Callable[..., Event], bad: BadServer
) -> None:
    event = make_event(starts_at=clock.now().replace(year=clock.now().year + 1))
    form = f"/events/{event.slug}/rsvp"
    session.rollback()
    service = make_live_server(MAIL_SERVER="127.0.0.1", MAIL_PORT=bad.port, MAIL_TIMEOUT=1)
    seconds: list[float] = []

    def register(*names: str) -> list[str]:
        people = [f"{name}@example.org" for name in names]
        for person in people:
            results: list[tuple[int, str, float]] = []
            answer(service.url(form), time.time(), person, results)
            assert [(status, heading) for status, heading, _took in results] == [(200, "You are coming.")]
            seconds.append(results[0][2])
        return people

    def say(people: list[str], expected: tuple[str, str], words: str) -> None:
        def is_said() -> bool:
            found = replies(session)
            return all(found[one][0] == expected[0] and expected[1] in found[one][1] for one in people)

        wait_until(is_said, what=words)

    def due_again() -> None:
        with write_transaction(session):
            waiting = Message.state == "retrying"
            session.execute(update(Message).where(waiting).values(due_at=clock.now()))
        tasks.nudge()

    everybody: list[str] = []
    for number, (mode, reason) in enumerate(CASES.items()):
        bad.mode = mode
        if mode == "refuses connections":
            bad.stop()
        people = register(f"first{number}", f"second{number}")
        everybody += people
        say(people, ("retrying", reason), f"{mode}: {reason}")
        if mode == "refuses connections":
            bad.listen()
        bad.mode = "good"
        due_again()
        say(people, ("sent", "250 taken"), f"sending after the server {mode}")
    bad.mode = "refuses one"
    say([*register("unknown")], ("failed", "550 5.1.1 No such mailbox"), "the refusal")
    everybody += register("last")
    say(everybody, ("sent", "250 taken"), "sending")
    assert sorted(bad.taken) == sorted(everybody)
    assert median(seconds) < 1
    assert "Traceback" not in service.log


def test_no_page_speaks_to_the_mail_server_so_none_can_wait_for_it(
    database_url: str, instance: Path, session: Session, make_event: Callable[..., Event], bad: BadServer
) -> None:
    event = make_event(starts_at=clock.now().replace(year=clock.now().year + 1), questions=[])
    path = f"/events/{event.slug}/rsvp"
    session.rollback()
    settings = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": bad.port, "DATABASE_URL": database_url}
    service = live.start(instance=instance, more=["--web-only"], **settings)
    try:
        amira = Visitor()
        form = amira.fill_in(service.url(path), name="Amira", email="amira@example.org", rsvp="yes")
        status, thanks, _headers = amira.post(service.url(path), form)
        assert (status, heading(thanks)) == (200, COMING)
        links: Links = current_app.extensions["eventreg.links"]
        own = service.url(f"/r/{links.manage_token(session.scalars(select(Registration.id)).one(), 1)}")
        changed = Page(amira.send(own)[1], own).form("rsvp").set(rsvp="maybe")
        assert "You said maybe." in amira.post(service.url(changed.action), changed)[1]
        cancelled = Page(amira.send(own)[1], own).form(action="/cancel")
        assert "Your registration is cancelled." in amira.post(service.url(cancelled.action), cancelled)[1]
    finally:
        service.kill()
    assert bad.connections == 0
    assert states(session) == [("confirmation", "queued"), ("changed", "queued"), ("withdrawn", "queued")]

"""The listener, as a mail server speaks to it."""

import asyncio
import smtplib
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import TimeoutError as PoolTimeout

from eventreg import clock
from eventreg.calendar import letter as letters
from eventreg.incoming import lmtp, port, service
from tests.support.mailroom import address_of, owed, received, standing
from tests.support.replies import mailed, words
from tests.support.smtp import ALLOWED, wait_until


class Listening:
    """The listener in a thread: its port, and what it called after an answer."""

    def __init__(self, app) -> None:
        self.woken = 0
        self.listener = port.listen("127.0.0.1", 0)
        self.port = self.listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        work = lmtp.run(app, self.listener, after=self._wake, stopping=self._stopping)
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(work,))
        self._thread.start()

    def _wake(self) -> None:
        self.woken += 1

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self._loop.close()
        self.listener.close()


@pytest.fixture
def listening(app) -> Iterator[Listening]:
    started = Listening(app)
    ALLOWED.add(started.port)
    yield started
    started.stop()
    ALLOWED.discard(started.port)


@pytest.fixture
def speak(listening) -> Iterator[Callable[..., list[tuple[int, bytes]]]]:
    """Hands one mail to the listener and returns its answer for each recipient."""

    def hand_over(data: bytes, *recipients: str) -> list[tuple[int, bytes]]:
        with smtplib.LMTP("127.0.0.1", listening.port, timeout=600) as server:
            server.ehlo_or_helo_if_needed()
            assert server.mail("amira@example.org") == (250, b"OK")
            for recipient in recipients:
                assert server.rcpt(recipient)[0] == 250
            server.putcmd("data")
            assert server.getreply()[0] == 354
            server.send(data.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
            return [server.getreply() for _recipient in recipients]

    return hand_over


@pytest.fixture
def event(make_event):
    return make_event(starts_at=clock.now() + timedelta(days=30))  # the listener reads the clock


@pytest.fixture
def amira(event, make_registration):
    return make_registration(event)


def test_each_recipient_has_an_answer_of_its_own(session, speak, listening, event, amira, make_registration) -> None:
    sam = make_registration(event, email="sam@example.org", name="Sam")
    data = mailed(uid=event.uid, stamp=amira.created_at)
    found = speak(data, address_of(sam), address_of(amira), "rsvp@example.org", f"rsvp+{'a' * 26}@example.org")
    assert found == [(250, b"2.0.0 OK")] * 4
    assert received(session) == [("reply", "held"), ("reply", "applied")]  # sent from Amira's address
    assert standing(session, event) == [
        ("amira@example.org", "no", "confirmed"),
        ("sam@example.org", "yes", "confirmed"),
    ]
    assert listening.woken == 1  # nobody is owed anything by the other three


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "data",
    [b"", b"\x00\xff\xfe", b"From: a@b.c\r\n\r\n" + b"x" * 900_000, b"From: a@b.c\r\n\r\n" + b"x\r\n" * 200_000],
    ids=["nothing", "noise", "one long line", "too large"],
)
def test_whatever_comes_is_taken_and_never_sent_back(data, session, speak, amira) -> None:
    assert speak(data, address_of(amira)) == [(250, b"2.0.0 OK")]


def test_mail_is_to_be_kept_while_the_database_is_away(session, speak, event, amira) -> None:
    data, to = mailed(uid=event.uid, stamp=amira.created_at), address_of(amira)
    session.execute(sa.text("ALTER TABLE received_mails RENAME TO elsewhere"))
    session.commit()
    assert [code for code, _words in speak(data, to)] == [451]
    session.execute(sa.text("ALTER TABLE elsewhere RENAME TO received_mails"))
    session.commit()
    assert speak(data, to) == [(250, b"2.0.0 OK")]
    assert owed(session) == [("reply_taken", "amira@example.org")]


@pytest.mark.sqlite_only
def test_mail_is_to_be_kept_while_no_connection_to_the_database_is_free(
    speak, event, amira, monkeypatch, caplog
) -> None:
    def away(*_arguments: object, **_given: object) -> None:
        raise PoolTimeout("no connection is free")

    monkeypatch.setattr(service, "_answer", away)
    assert [code for code, _words in speak(mailed(uid=event.uid, stamp=amira.created_at), address_of(amira))] == [451]
    assert "kept by the mail server, as the database is away: no connection is free" in caplog.text


@pytest.mark.sqlite_only
def test_mail_to_many_recipients_is_parsed_once(speak, amira, monkeypatch) -> None:
    parsed, read = [], letters.read
    monkeypatch.setattr(letters, "read", lambda data: parsed.append(len(data)) or read(data))
    speak(words(to="rsvp@example.org"), *[f"rsvp+{number}@example.org" for number in range(20)])
    assert len(parsed) == 1


def test_mail_with_an_empty_envelope_sender_is_no_persons(session, listening, speak, amira) -> None:
    with smtplib.LMTP("127.0.0.1", listening.port, timeout=600) as server:
        server.sendmail("", [address_of(amira)], words(to=address_of(amira)))
    assert (received(session), owed(session)) == ([("other", "ignored")], [])
    speak(words(to=address_of(amira)).replace(b"<w1@", b"<w2@"), address_of(amira))
    assert owed(session) == [("forwarded", "olga@example.org")]


@pytest.mark.sqlite_only
def test_too_many_recipients_are_to_come_again(speak, listening, amira) -> None:
    with smtplib.LMTP("127.0.0.1", listening.port, timeout=600) as server:
        server.ehlo_or_helo_if_needed()
        server.mail("a@b.c")
        codes = [server.rcpt(f"rsvp+{number}@example.org")[0] for number in range(102)]
    assert codes == [250] * 100 + [452] * 2


@pytest.mark.sqlite_only
def test_smtp_is_not_spoken_here(listening) -> None:
    with socket.create_connection(("127.0.0.1", listening.port), timeout=10) as server:
        stream = server.makefile("rwb")
        assert stream.readline().startswith(b"220 events.example.org eventreg LMTP")
        stream.write(b"EHLO mail.example.org\r\n")
        stream.flush()
        assert stream.readline().startswith(b"500 ")
        stream.close()


@pytest.mark.sqlite_only
def test_mail_under_way_is_answered_before_the_listener_ends(app, session, event, amira) -> None:
    started = Listening(app)
    with socket.create_connection(("127.0.0.1", started.port), timeout=10) as server:
        stream = server.makefile("rwb")
        data = mailed(uid=event.uid, stamp=amira.created_at)
        to = address_of(amira).encode()
        stream.write(b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<" + to + b">\r\nDATA\r\n" + data + b"\r\n.\r\n")
        stream.flush()
        wait_until(lambda: received(session), what="the mail's arrival")
        started.stop()
        while stream.readline() != b"250 2.0.0 OK\r\n":
            pass
        stream.close()


@pytest.mark.sqlite_only
def test_port_that_is_taken_is_said(listening) -> None:
    with pytest.raises(port.PortTaken, match=f"on port {listening.port} of 127.0.0.1: Address already in use"):
        port.listen("127.0.0.1", listening.port)

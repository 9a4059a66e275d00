"""`eventreg reply`: one mail at a time, and the listener, as a mail server runs them."""

import re
import signal
import socket
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from eventreg import clock
from eventreg.cli.reply import reply
from tests.support.calendars import LINKS
from tests.support.live import EVENTREG, environment, run_eventreg
from tests.support.mailroom import address_of, standing
from tests.support.making import SECRET_KEY
from tests.support.replies import mailed, words
from tests.support.smtp import free_port

LINE = re.compile(r"(applied|ignored|held): (reply|bounce|other|mail): .+\n")


def ingest(app: Flask, data: bytes, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(reply, ["ingest", *arguments], input=data)


@pytest.fixture
def event(make_event):
    return make_event(starts_at=clock.now() + timedelta(days=30))


@pytest.fixture
def amira(event, make_registration, session):
    made = make_registration(event)
    session.rollback()
    return made


def test_reply_from_standard_input_is_one_line_and_status_nought(app, session, event, amira) -> None:
    data = mailed("exchange", to=address_of(amira), uid=event.uid, stamp=amira.created_at)
    session.rollback()
    done = ingest(app, data)
    assert (done.exit_code, done.output) == (0, "applied: reply: Now: Not attending.\n")
    assert ingest(app, data, "-").output == "ignored: mail: it was taken in before\n"
    assert standing(session, event) == [("amira@example.org", "no", "confirmed")]


def test_reply_from_a_file_may_be_held(app, session, event, amira, tmp_path: Path) -> None:
    file = tmp_path / "reply.eml"
    data = mailed(to=address_of(amira), uid=event.uid, stamp=amira.created_at, attendee="sam@example.org")
    file.write_bytes(data)
    session.rollback()
    done = ingest(app, b"", str(file))
    assert (done.exit_code, done.output[:13]) == (0, "held: reply: ")


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 1000,
        bytes(range(256)) * 50,
        b"From: a@b.c\r\n\r\nwords",
        mailed(uid="\ud800".encode("utf-8", "surrogatepass").decode("latin-1")),
        mailed().ljust(300_000),
        words("x" * 2_000_000, to="rsvp@example.org"),
        b"Return-Path: <>\nFrom: mailer-daemon@x\nSubject: failure notice\n\n",
    ],
    ids=["empty", "noughts", "bytes", "words", "surrogate", "too large", "huge", "bounce"],
)
def test_whatever_comes_is_one_line_and_status_nought(data, app, session) -> None:
    session.rollback()
    done = ingest(app, data)
    assert (done.exit_code, bool(LINE.fullmatch(done.output))) == (0, True), done.output


def test_database_that_is_away_is_one_line_and_status_one(bare_database_url, instance, tmp_path) -> None:
    file = tmp_path / "reply.eml"
    file.write_bytes(mailed(to=f"rsvp+{LINKS.reply_token(7, 1)}@example.org"))
    settings = {"DATABASE_URL": bare_database_url, "SECRET_KEY": SECRET_KEY}
    done = run_eventreg("reply", "ingest", str(file), instance=instance, **settings)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr
    assert done.stderr.startswith("eventreg: The database cannot be used: ")


@pytest.mark.sqlite_only
def test_file_that_cannot_be_read_is_one_line_and_status_one(database_url, instance, tmp_path) -> None:
    for path, why in ((tmp_path / "none.eml", "No such file"), (tmp_path, "Is a directory")):
        done = run_eventreg("reply", "ingest", str(path), instance=instance, DATABASE_URL=database_url)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr
        assert why in done.stderr


@pytest.mark.sqlite_only
@pytest.mark.sqlite_only
def test_no_standard_input_is_one_line_and_status_one(database_url, instance) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *EVENTREG, "reply", "ingest"],
        env=environment(instance, DATABASE_URL=database_url),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "eventreg: There is no standard input to read the mail from.\n"


def test_listener_says_where_it_listens_and_ends_when_told(database_url, instance, tmp_path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [*EVENTREG, "reply", "serve", "--lmtp", str(port)],
        env=environment(instance, DATABASE_URL=database_url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Taking in replies by LMTP on 127.0.0.1:{port}. Ctrl-C stops it.\n"
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            assert connection.recv(100).startswith(b"220 ")
        second = run_eventreg("reply", "serve", "--lmtp", str(port), instance=instance, DATABASE_URL=database_url)
        assert (second.returncode, len(second.stderr.splitlines())) == (1, 1)
        assert f"port {port} of 127.0.0.1: Address already in use" in second.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert "Traceback" not in process.communicate()[1]
    finally:
        process.kill()
        process.communicate()

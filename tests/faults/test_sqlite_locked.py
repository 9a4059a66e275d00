"""Another program holds SQLite's write lock for five seconds while people register."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from eventreg import clock
from eventreg.events.models import Event
from tests.support.live import LiveServer
from tests.support.load import Load, Visitor
from tests.support.promises import assert_kept
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.sqlite_only

LOCKER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(5)
sys.stdin.readline()
connection.rollback()
"""


@contextmanager
def locked(database: str) -> Iterator[None]:
    """Locked for five seconds, or for as long as the block lasts if that is more; free again at its end."""
    command = [sys.executable, "-c", LOCKER, database]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as locker:
        assert locker.stdout is not None
        assert locker.stdout.readline() == "locked\n"
        yield
        locker.communicate("go on\n", timeout=600)
        assert locker.returncode == 0


def test_a_database_locked_for_five_seconds_keeps_everybody_waiting_and_nobody_out(
    make_live_server: Callable[..., LiveServer],
    session: Session,
    make_event: Callable[..., Event],
    smtp_server: SmtpServer,
    database_url: str,
) -> None:
    event = make_event(capacity=30, starts_at=clock.now() + timedelta(days=30), questions=[])
    event_id, path = event.id, f"/events/{event.slug}/rsvp"
    session.rollback()
    server = make_live_server()
    with Load([server.base_url], path) as load:
        load.wait_for(5)
        with locked(sa.make_url(database_url).database or ""):
            before = len(load.promises)
            # Readers are not held up: pages are shown meanwhile.
            for address in ("/", path, "/calendar.ics"):
                assert Visitor().send(server.url(address))[0] == 200
        load.wait_for(5)
        load.stop()
    assert len(load.promises) > before
    assert load.broken == 0, load.story()
    assert load.refusals == []
    assert_kept(session, event_id, load, smtp_server)

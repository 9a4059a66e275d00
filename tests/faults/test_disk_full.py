"""The disk under everything the service writes fills up, and gets room again: database, log, wake-ups, rate limits."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from eventreg import clock
from eventreg.events.models import Event
from tests.support.databases import Databases
from tests.support.forked import run_forked
from tests.support.html import Page
from tests.support.live import LiveServer
from tests.support.load import NOT_READY, Load, Promise, Visitor, heading
from tests.support.needs import require
from tests.support.promises import assert_kept
from tests.support.smtp import SmtpServer, wait_until

pytestmark = pytest.mark.sqlite_only


@pytest.fixture
def disk(instance: Path) -> Iterator[Path]:
    """The instance folder as a disk of its own, of eight megabytes."""
    require("mounting")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", instance], check=True)
    yield instance
    subprocess.run(["umount", "--lazy", instance], check=True)


@pytest.fixture
def database_url(disk: Path, databases: Databases) -> str:
    shutil.copyfile(databases.empty("sqlite").removeprefix("sqlite:///"), disk / "eventreg.db")
    (disk / "eventreg.db").chmod(0o600)
    return f"sqlite:///{disk / 'eventreg.db'}"


def fill(file: Path) -> None:
    """Leaves not one byte free."""
    with file.open("wb", buffering=0) as filler:
        for size in (1 << 16, 1 << 12, 1):
            with suppress(OSError):
                while filler.write(bytes(size)):
                    pass


def test_a_full_disk_is_a_clear_page_and_the_service_resumes_once_there_is_room(
    disk: Path,
    make_live_server: Callable[..., LiveServer],
    session: Session,
    make_event: Callable[..., Event],
    smtp_server: SmtpServer,
) -> None:
    event = make_event(capacity=5, starts_at=clock.now() + timedelta(days=30), questions=[])
    event_id, path = event.id, f"/events/{event.slug}/rsvp"
    session.rollback()
    server = make_live_server(RATELIMIT_ENABLED="true")
    url = server.url(path)
    kept = Load([server.base_url], path)

    def answer(name: str) -> tuple[int, str]:
        visitor = Visitor()
        email = f"{name}@example.org"
        form = visitor.fill_in(url, name=name, email=email, rsvp="yes")
        status, text, _headers = visitor.post(url, form)
        if status == 503:
            refused.append((visitor, form, Page(text, path).form("email")))
            assert heading(text) == NOT_READY
        else:
            kept.promises.append(Promise(email, heading(text), 0, repeated=False))
        return status, text

    refused: list[tuple[Visitor, object, object]] = []
    assert answer("amira")[0] == 200
    smtp_server.wait_for(1)
    fill(disk / "filler")
    assert os.statvfs(disk).f_bavail == 0
    number = 0
    while len(refused) < 6:
        number += 1
        assert number < 60, "the disk is not full"
        assert answer(f"person{number}")[0] in {200, 503}
    wait_until(lambda: Visitor().send(server.url("/readyz"))[0] == 503, what="readiness to end")
    # Whoever only reads is not held up.
    for address in ("/", f"/events/{event.slug}", "/calendar.ics", "/healthz"):
        assert Visitor().send(server.url(address))[0] == 200
    (disk / "filler").unlink()

    for visitor, form, again in refused:
        assert again.data() == form.data()
        status, text, _headers = visitor.post(url, again)
        assert status == 200
        kept.promises.append(Promise(dict(form.data())["email"], heading(text), 0, repeated=True))
    wait_until(lambda: Visitor().send(server.url("/readyz"))[0] == 200, what="being ready again")
    assert_kept(session, event_id, kept, smtp_server)
    with sqlite3.connect(disk / "eventreg.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    assert server.run("doctor").stdout == "Nothing is wrong.\n"
    assert "Traceback" not in server.log


def test_commands_on_a_full_disk_name_the_disk_and_leave_nothing_behind(disk: Path, database_url: str) -> None:
    assert run_forked("doctor", instance=disk).stdout == "Nothing is wrong.\n"
    before = {path.name for path in disk.iterdir()}
    key = (disk / "secret_key").read_text()
    fill(disk / "filler")
    full = "No space left on device"
    doctor = run_forked("doctor", instance=disk)
    assert (doctor.returncode, doctor.stderr) == (1, f"The database cannot be written: {full} ({disk}).\n")
    backup = run_forked("backup", str(disk / "copy.tar.gz"), instance=disk)
    assert backup.returncode == 1
    assert len(backup.stderr.splitlines()) == 1
    assert "SECRET_KEY" not in backup.stderr
    assert (disk / "secret_key").read_text() == key
    (disk / "secret_key").unlink()
    fill(disk / "filler2")
    doctor = run_forked("doctor", instance=disk)
    assert (doctor.returncode, doctor.stderr) == (
        1,
        f"eventreg: SECRET_KEY is not set and none can be kept in {disk / 'secret_key'}: {full}.\n",
    )
    left = {path.name for path in disk.iterdir()} - before
    assert left <= {"filler", "filler2", "eventreg.db-wal", "eventreg.db-shm", "eventreg.db-turn"}

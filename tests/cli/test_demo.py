"""`eventreg demo` on a new installation, and what doctor says before the service was started once."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from eventreg.db import write_transaction
from eventreg.outbox import heartbeat
from tests.support.forked import run_forked
from tests.support.making import SECRET_KEY


def test_instance_folder_that_does_not_exist_is_made(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    done = run_forked("demo", instance=folder, DATABASE_URL=database_url, SECRET_KEY=SECRET_KEY)
    assert (done.returncode, done.stderr) == (0, "")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "demo_account.json").is_file()


@pytest.mark.sqlite_only
def test_file_in_the_place_of_the_instance_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run_forked("demo", instance=tmp_path / "file", SECRET_KEY=SECRET_KEY)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith(f"eventreg: The instance folder {tmp_path / 'file'} is a file")


@pytest.mark.sqlite_only
def test_password_that_cannot_be_kept_leaves_no_events(database_url: str, instance: Path) -> None:
    (instance / "demo_account.json").mkdir()
    settings = {"DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY}
    done = run_forked("demo", instance=instance, **settings)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "The demo's password cannot be kept" in done.stderr
    assert run_forked("event", "list", "--past", instance=instance, **settings).stdout == ""


def test_doctor_asks_for_a_restart_only_after_the_first_one(
    database_url: str, instance: Path, session: Session, now: datetime
) -> None:
    settings = {"DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY, "BASE_URL": "https://www.example.org/rsvp"}
    assert run_forked("demo", instance=instance, **settings).returncode == 0
    done = run_forked("doctor", instance=instance, **settings)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Nothing is wrong.\n", "")
    with write_transaction(session):
        heartbeat.beat(session, now=now)
    done = run_forked("doctor", instance=instance, **settings)
    assert done.returncode == 1
    assert "The stored calendar entries name another BASE_URL" in done.stderr

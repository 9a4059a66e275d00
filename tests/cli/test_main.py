"""The console command as somebody types it, in a process of its own."""

import csv
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from eventreg.db import db
from eventreg.events.models import Event
from eventreg.registrations.models import Registration

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(database_url: str, instance: Path) -> Run:
    """Runs `eventreg …` on the test's database."""

    def run(*arguments: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("EVENTREG_")}
        given = {"DATABASE_URL": database_url, "INSTANCE_PATH": str(instance), **settings}
        environment = kept | {f"EVENTREG_{name}": value for name, value in given.items()}
        return subprocess.run(
            [sys.executable, "-m", "eventreg.cli", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            timeout=600,
            check=False,
        )

    return run


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one line it was refused with."""
    assert done.returncode == 1, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


@pytest.mark.sqlite_only
def test_attendees_are_exported_to_every_format_with_the_same_people(
    make_event, make_registration, run, tmp_path
) -> None:
    event = make_event()
    make_registration(event, name="Zoë 李", answers={"Dietary or access needs": "nuts,\nplease"})
    make_registration(event, name="Wim", email="wim@example.org", rsvp="maybe")
    rows = list(csv.reader(io.StringIO(run("attendees", "export", event.slug).stdout.removeprefix("\ufeff"))))
    assert [row[0] for row in rows[1:]] == ["Zoë 李", "Wim"]
    assert rows[1][-1] == "nuts,\nplease"

    book = tmp_path / "people.xlsx"
    assert run("attendees", "export", event.slug, "--format", "xlsx", "-o", str(book)).returncode == 0
    assert [cell.value for cell in load_workbook(book).active["A"]][1:] == ["Zoë 李", "Wim"]

    text = run("attendees", "export", event.slug, "--format", "json", "--status", "maybe").stdout
    assert "Wim" in json.dumps(json.loads(text))
    assert "Zo" not in text


@pytest.mark.sqlite_only
def test_what_cannot_be_done_is_one_line_and_status_one(run, tmp_path) -> None:
    assert "There is no event “nope”" in refused(run("attendees", "export", "nope"))
    assert "MAIL_PORT is set to 'smtp'" in refused(run("event", "list", MAIL_PORT="smtp"))
    calendar = tmp_path / "x.ics"
    calendar.write_text("BEGIN:VCALENDAR\n")
    assert "There is no account to give the drafts to." in refused(run("event", "import", str(calendar)))
    assert "database" in refused(run("event", "list", DATABASE_URL="sqlite:////nowhere/at/all.db"))


@pytest.mark.sqlite_only
def test_wrong_usage_is_status_two(run) -> None:
    assert [run(*words).returncode for words in (["nonsense"], ["backup"], ["event", "import", "/no/such"])] == [
        2,
        2,
        2,
    ]


@pytest.mark.sqlite_only
def test_version_is_printed_even_with_a_bad_setting(run) -> None:
    done = run("--version", MAIL_PORT="smtp")
    assert (done.returncode, done.stdout) == (0, f"eventreg {version('eventreg')}\n")


@pytest.mark.sqlite_only
def test_help_lists_the_commands_even_with_a_bad_setting(run) -> None:
    done = run("--help", MAIL_PORT="smtp")
    assert done.returncode == 0
    assert {"serve", "worker", "backup", "doctor"} <= set(done.stdout.split())


def test_database_without_tables_is_migrated_by_db_upgrade(bare_database_url, run) -> None:
    assert "run `eventreg db upgrade`" in run("doctor", DATABASE_URL=bare_database_url).stderr
    assert run("db", "upgrade", DATABASE_URL=bare_database_url).returncode == 0
    assert run("doctor", DATABASE_URL=bare_database_url).stdout == "Nothing is wrong.\n"


def test_migrations_say_what_the_models_say(run) -> None:
    done = run("db", "check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_doctor_names_a_wrong_count_and_a_mail_server_that_is_not_there(make_event, run, session) -> None:
    make_event(title="Wrong", seats_taken=2)
    done = run("doctor", MAIL_SERVER="127.0.0.1", MAIL_PORT="9", MAIL_TIMEOUT="1")
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert lines[0] == "Event wrong counts 2 seats taken, but its registrations hold 0."
    assert lines[1].startswith("The mail server 127.0.0.1:9 cannot be used: ")
    assert len(lines) == 2


def test_doctor_names_what_the_schema_lacks_one_line_each(run, session) -> None:
    with db.engine.begin() as connection:
        for statement in ("DROP INDEX ix_messages_failed", "ALTER TABLE messages DROP COLUMN leased_by"):
            connection.exec_driver_sql(statement)
    try:
        done = run("doctor")
    finally:
        with db.engine.begin() as connection:
            connection.exec_driver_sql("CREATE INDEX ix_messages_failed ON messages (event_id) WHERE state = 'failed'")
            connection.exec_driver_sql("ALTER TABLE messages ADD COLUMN leased_by VARCHAR(40)")
    way_out = "Restore a backup, or put it right by hand."
    assert (done.returncode, sorted(done.stderr.splitlines())) == (
        1,
        [
            f"The database's schema differs from this release's: no column messages.leased_by. {way_out}",
            f"The database's schema differs from this release's: no index ix_messages_failed on messages. {way_out}",
        ],
    )


@pytest.mark.sqlite_only
def test_doctor_names_shared_counters_that_cannot_be_reached(run) -> None:
    said = "The Redis server of REDIS_URL does not answer: each web process counts its rate limits by itself."
    assert refused(run("doctor", REDIS_URL="redis://127.0.0.1:9/0")) == said


def test_doctor_names_who_waits_for_nothing_and_offers_that_nobody_took_back(
    make_event, make_registration, run, session
) -> None:
    later = datetime.now(UTC) + timedelta(days=30)
    waits = {"status": "waitlisted", "party_size": 2}
    for rule in ("skip", "hold"):
        free = make_event(title=f"Free {rule}", capacity=3, waitlist_rule=rule, starts_at=later)
        make_registration(free, **waits)
        full = make_event(title=f"Full {rule}", capacity=3, waitlist_rule=rule, starts_at=later)
        make_registration(full, party_size=2)
        make_registration(full, email="wim@example.org", **waits)
    held = make_event(title="Held", capacity=2, waitlist_rule="hold", starts_at=later)
    make_registration(held, email="sam@example.org")
    make_registration(held, **waits)
    make_registration(held, email="wim@example.org", status="waitlisted", waitlisted_at=later)
    over = make_event(title="Over", capacity=3, starts_at=datetime(2026, 10, 5, tzinfo=UTC))
    make_registration(over, **waits)
    offers = make_event(title="Offers", capacity=3, starts_at=later)
    make_registration(offers, offer_expires_at=datetime(2026, 10, 5, tzinfo=UTC), **waits)
    make_registration(offers, email="wim@example.org", status="waitlisted", offer_expires_at=later)
    assert run("doctor").stderr.splitlines() == [
        "Event free-hold has free seats, and somebody waits who fits: move them up on its list of people.",
        "Event free-skip has free seats, and somebody waits who fits: move them up on its list of people.",
        "Event offers has offers whose time has passed: start `eventreg serve` or `eventreg worker`.",
    ]


@pytest.mark.sqlite_only
def test_event_list_shows_what_is_to_come_and_with_past_everything(run, session, make_event) -> None:
    make_event(title="Long ago", starts_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert run("event", "list").stdout == ""
    assert "Long ago" in run("event", "list", "--past").stdout


def test_backup_put_back_holds_the_same_people_and_key(
    make_event, make_registration, run, session, instance, tmp_path
) -> None:
    make_registration(make_event(title="Kept"))
    file = tmp_path / "copy.tar.gz"
    done = run("backup", str(file))
    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    key = (instance / "secret_key").read_text()

    assert "already holds events" in refused(run("restore", str(file)))
    session.execute(sa.delete(Registration))
    session.execute(sa.update(Event).values(title="Spoiled", seats_taken=0))
    session.commit()
    (instance / "secret_key").write_text("another key, made by another start")
    done = run("restore", str(file), "--force")
    assert done.returncode == 0, done.stderr
    session.rollback()
    session.expire_all()
    assert [one.title for one in session.scalars(sa.select(Event))] == ["Kept"]
    assert [one.email for one in session.scalars(sa.select(Registration))] == ["amira@example.org"]
    assert (instance / "secret_key").read_text() == key
    assert run("doctor").stdout == "Nothing is wrong.\n"


@pytest.mark.sqlite_only
def test_backup_into_a_folder_is_dated_and_can_be_verified(run, tmp_path) -> None:
    done = run("backup", "--keep", "3", str(tmp_path / "copies"))
    (file,) = (tmp_path / "copies").iterdir()
    assert done.stdout.startswith(f"Wrote {file} (")
    done = run("backup", "--verify", str(file))
    assert (done.returncode, done.stdout.startswith(f"{file} can be restored: a copy of a sqlite")) == (0, True)
    file.write_bytes(file.read_bytes()[:100])
    assert "is not a backup" in refused(run("backup", "--verify", str(file)))
    assert run("backup", "--keep", "0", str(tmp_path)).returncode == 2


@pytest.mark.sqlite_only
def test_restore_refuses_what_is_no_backup(run, tmp_path) -> None:
    nonsense = tmp_path / "nonsense"
    nonsense.write_bytes(b"\x1f\x8b nonsense")
    assert "is not a backup" in refused(run("restore", str(nonsense)))


@pytest.mark.sqlite_only
@pytest.mark.parametrize("kept", [["eventreg-backup.json"], ["eventreg-backup.json", "eventreg.db"], []])
def test_backup_that_lacks_a_part_is_refused_and_replaces_nothing(kept, make_event, run, tmp_path) -> None:
    make_event(title="Still here")
    whole, damaged = tmp_path / "whole.tar.gz", tmp_path / "damaged.tar.gz"
    assert run("backup", str(whole)).returncode == 0
    with tarfile.open(whole) as tar, tarfile.open(damaged, "w:gz") as other:
        for member in tar.getmembers():
            if member.name in kept:
                other.addfile(member, tar.extractfile(member))
    assert "or it is damaged" in refused(run("restore", str(damaged), "--force"))
    assert "Still here" in run("event", "list", "--past").stdout


def test_database_without_tables_is_one_line_that_names_the_way_out(run, bare_database_url) -> None:
    line = refused(run("mail", "status", DATABASE_URL=bare_database_url))
    assert line.startswith("eventreg: The database cannot be used: ")
    assert line.endswith("Run `eventreg db upgrade` first.")

"""The database is upgraded while the version before goes on writing to it, statement for statement as it did."""

import itertools
import secrets
import subprocess
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest
import sqlalchemy as sa
from flask_migrate import upgrade

from eventreg import turns
from eventreg.db import db
from tests.support import making
from tests.support.live import EVENTREG, environment, run_eventreg
from tests.support.making import SECRET_KEY
from tests.support.needs import ROOT
from tests.support.smtp import wait_until

WRITERS = 3
PAUSE_SECONDS = 0.01
NOW = datetime.now(UTC)
FILLERS = {sa.String: "", sa.Text: "", sa.Integer: 1, sa.BigInteger: 1, sa.Boolean: True, sa.JSON: {}}


class OldVersion:
    """What the version of revision 0001 did when somebody registered, by the tables as it knew them."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url)  # with the pragmas of `eventreg.db`, which were the same
        tables = sa.MetaData()
        tables.reflect(self.engine)
        self.organizers, self.events = tables.tables["organizers"], tables.tables["events"]
        self.registrations, self.messages = tables.tables["registrations"], tables.tables["messages"]
        self.written = 0
        self.errors: list[Exception] = []
        self._numbers = itertools.count()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WRITERS)]

    def row(self, table: sa.Table, **given: Any) -> dict[str, Any]:
        """A row of it: what must be there and is not given is filled in by its type."""
        moment = NOW if self.engine.dialect.name == "postgresql" else NOW.replace(tzinfo=None)
        filled: dict[str, Any] = {}
        for column in table.columns:
            if column.nullable or column.primary_key or column.name in given:
                continue
            kind = type(column.type.as_generic())
            filled[column.name] = moment if issubclass(kind, sa.DateTime) else FILLERS[kind]
        return filled | given

    def add_event(self) -> None:
        moment = NOW if self.engine.dialect.name == "postgresql" else NOW.replace(tzinfo=None)
        with self.engine.begin() as connection:
            connection.execute(self.organizers.insert(), self.row(self.organizers, id=1, email="olga@example.org"))
            event = {"id": 1, "organizer_id": 1, "status": "published", "visibility": "public", "slug": "tea"}
            event |= {"timezone": "UTC", "title": "Tea", "uid": "tea@example.org", "waitlist_rule": "skip"}
            event |= {"starts_at": moment + timedelta(days=3), "ends_at": moment + timedelta(days=3, hours=1)}
            connection.execute(
                self.events.insert(), self.row(self.events, **event, seats_taken=0, sequence=0, significant_sequence=0)
            )

    def register(self) -> None:
        """One transaction: the seat, the row, the mail; then the event is read, all columns by name."""
        person = f"person{next(self._numbers)}@example.org"
        with self.engine.begin() as connection:
            taken = sa.update(self.events).where(self.events.c.id == 1)
            connection.execute(taken.values(seats_taken=self.events.c.seats_taken + 1))
            answer = {"event_id": 1, "email": person, "email_key": person, "rsvp": "yes", "status": "confirmed"}
            key = connection.execute(
                self.registrations.insert().returning(self.registrations.c.id),
                self.row(self.registrations, **answer, source="form", name=person),
            ).scalar_one()
            mail = {"kind": "confirmation", "event_id": 1, "registration_id": key, "recipient": person}
            connection.execute(
                self.messages.insert(),
                self.row(self.messages, **mail, state="sent", attempts=0, message_key=secrets.token_hex(16)),
            )
        with self.engine.connect() as connection:
            assert connection.execute(sa.select(self.events)).one().slug == "tea"
        self.written += 1

    def wait_for(self, more: int) -> None:
        wanted = self.written + more
        wait_until(lambda: self.written >= wanted or self.errors, what="writing by the old version")
        assert self.errors == []

    def _turn(self) -> AbstractContextManager[None]:
        """Writers of SQLite queued, as they do now."""
        file = self.engine.url.database
        return turns.turn(Path(file), patience=10) if file and file.endswith(".db") else nullcontext()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self.engine.dispose()

    def _work(self) -> None:
        try:
            while not self._stopping.is_set():
                with self._turn():
                    self.register()
                self._stopping.wait(PAUSE_SECONDS)
        except Exception as error:  # noqa: BLE001 - shown by whoever waits
            self.errors.append(error)


@contextmanager
def upgrading(instance: Path, url: str) -> Iterator[subprocess.Popen[str]]:
    """`eventreg db upgrade` under way; it has ended well at the end of the block."""
    process = subprocess.Popen(
        [*EVENTREG, "db", "upgrade"],
        cwd=ROOT,
        env=environment(instance, DATABASE_URL=url, SECRET_KEY=SECRET_KEY),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, said
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def old(bare_database_url: str, instance: Path) -> OldVersion:
    app = making.make_app(bare_database_url, instance)
    with app.app_context():
        upgrade(revision="0001")
        db.engine.dispose()
    made = OldVersion(bare_database_url)
    made.add_event()
    return made


def test_the_version_before_goes_on_writing_during_the_upgrade_and_after_it(
    old: OldVersion, bare_database_url: str, instance: Path
) -> None:
    with old:
        old.wait_for(20)
        with upgrading(instance, bare_database_url):
            pass
        old.wait_for(20)
    assert old.errors == []
    settings = {"DATABASE_URL": bare_database_url, "SECRET_KEY": SECRET_KEY}
    # The new version finds its seats counted and nothing else amiss.
    done = run_eventreg("doctor", instance=instance, **settings)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Nothing is wrong.\n", "")
    listed = run_eventreg("attendees", "export", "tea", "--format", "csv", "-o", "-", instance=instance, **settings)
    assert len(listed.stdout.splitlines()) == old.written + 1


def test_an_upgrade_that_has_to_wait_for_a_long_report_keeps_nobody_else_waiting_with_it(
    old: OldVersion, bare_database_url: str, instance: Path, database_kind: str
) -> None:
    report = sa.create_engine(bare_database_url)
    with old, report.connect() as reading:
        old.wait_for(1)
        reading.execute(sa.select(old.registrations.c.id)).all()
        with upgrading(instance, bare_database_url) as upgrade:
            for _ in range(3):
                old.wait_for(5)
            if database_kind == "postgresql":
                assert upgrade.poll() is None, "the report held nothing up"
            reading.rollback()
        old.wait_for(5)
    report.dispose()
    assert old.errors == []

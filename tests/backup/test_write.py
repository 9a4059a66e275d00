"""Dated copies in a folder, checking one, and what stands in the process list meanwhile."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from eventreg import backup
from eventreg.backup import archive, copies
from eventreg.db import db
from eventreg.errors import EventRegError

pytestmark = pytest.mark.sqlite_only
SECRET = "p@ss/word%:'\" with spaces "


def test_dated_copies_are_kept_up_to_a_number_and_nothing_else_is_removed(app, session, now, tmp_path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    others = {"eventreg-notes.tar.gz", "eventreg-20200101T000000Z.tar.gz.old", "my.tar.gz"}
    for name in others:
        (folder / name).touch()
    (folder / "eventreg-20190101T000000Z.tar.gz").mkdir()
    for day in range(4):
        backup.write_into(app, folder, keep=2, now=now + timedelta(days=day))
    made = {"eventreg-20261007T160000Z.tar.gz", "eventreg-20261008T160000Z.tar.gz"}
    assert {path.name for path in folder.iterdir()} == others | made | {"eventreg-20190101T000000Z.tar.gz"}
    assert {(folder / name).stat().st_mode & 0o777 for name in made} == {0o600}


def test_copy_just_written_stays_when_the_clock_ran_ahead_before(app, session, now, tmp_path) -> None:
    backup.write_into(app, tmp_path, keep=1, now=now + timedelta(days=400))
    file, _size = backup.write_into(app, tmp_path, keep=1, now=now)
    assert [path.name for path in tmp_path.glob("eventreg-*")] == [file.name]


def test_nothing_is_removed_when_no_copy_can_be_written(app, session, now, tmp_path) -> None:
    old, _size = backup.write_into(app, tmp_path, keep=1, now=now)
    db.session.remove()
    path = Path(db.engine.url.database)
    db.engine.dispose()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises((EventRegError, sa.exc.DatabaseError)):
        backup.write_into(app, tmp_path, keep=1, now=now + timedelta(days=1))
    assert old.is_file()


def test_verify_says_what_a_whole_copy_holds_and_refuses_a_damaged_one(app, session, tmp_path) -> None:
    file = tmp_path / "copy.tar.gz"
    backup.write(app, file)
    assert backup.verify(file).kind == "sqlite"
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(EventRegError, match="is not a backup"):
        backup.verify(file)


@pytest.fixture
def secret_app(databases, make_app) -> Iterator[Flask]:
    """On PostgreSQL, as a role with a password."""
    url = sa.make_url(databases.empty("postgresql"))
    role = f"{url.database}_role"
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD 'unused'")
    app = make_app(DATABASE_URL=url.set(username=role, password=SECRET).render_as_string(hide_password=False))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    with engine.connect() as connection:
        connection.exec_driver_sql(f"REASSIGN OWNED BY {role} TO CURRENT_USER")
        connection.exec_driver_sql(f"DROP OWNED BY {role}")
        connection.exec_driver_sql(f"DROP ROLE {role}")
    engine.dispose()


def arguments_of(program: str) -> list[str]:
    """The arguments of every running process of that name, as anybody on the machine may read them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if Path(words.split("\0")[0]).name == program:
            found.append(words)
    return found


def seen_while_held(program: str, work: Callable[[], object]) -> list[str]:
    """Arguments of the program while a lock on a table holds it up, so it is surely looked at while it runs."""
    url = db.engine.url
    engine = sa.create_engine(url)
    mine = f"dbname={url.database}"
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            failed.append(error)

    with engine.connect() as connection:
        connection.exec_driver_sql("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        thread = threading.Thread(target=run)
        thread.start()
        seen: list[str] = []
        while thread.is_alive() and not seen:
            seen = [words for words in arguments_of(program) if mine in words]
        connection.rollback()
    thread.join()
    engine.dispose()
    assert failed == []
    return seen


def test_password_of_the_database_stands_in_no_process_list(secret_app, tmp_path) -> None:
    file = tmp_path / "copy.tar.gz"

    def inside(work: Callable[[], object]) -> Callable[[], object]:
        def run() -> None:
            with secret_app.app_context():
                work()

        return run

    backing_up = seen_while_held("pg_dump", inside(lambda: backup.write(secret_app, file)))
    with tempfile.TemporaryDirectory() as folder:
        _note, _key, copy = archive.unpack(file, Path(folder))
        restoring = seen_while_held("psql", inside(lambda: copies.put_back(copy, db.engine.url)))
    assert (len(backing_up), len(restoring)) == (1, 1)
    assert not [words for words in (*backing_up, *restoring) if "p@ss" in words or "p%40ss" in words]

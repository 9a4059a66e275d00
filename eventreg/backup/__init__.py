"""A consistent copy of an installation in one file, and putting it back.

`archive` knows the file, `copies` the database in it; a copy is checked as a whole before it replaces anything.
"""

import os
import re
import sqlite3
import tempfile
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from eventreg.backup import archive, copies
from eventreg.db import db, write_transaction
from eventreg.errors import EventRegError
from eventreg.events.models import Event
from eventreg.events.revision import leap
from eventreg.migrations import head_revision, known_revisions, revision_of

NAME = "eventreg-%Y%m%dT%H%M%SZ.tar.gz"
NAMED = re.compile(r"eventreg-\d{8}T\d{6}Z\.tar\.gz")


def write(app: Flask, file: Path) -> int:
    """Writes the copy and returns its size in bytes. The file appears whole or not at all.

    Raises: EventRegError.
    """
    url = db.engine.url
    revision = revision_of(db.session())
    db.session.rollback()
    if revision is None:
        raise EventRegError("This database has no tables yet; run `eventreg db upgrade` first.")
    note = archive.Note(kind=url.get_backend_name(), revision=revision, base_url=app.config["BASE_URL"])
    try:
        with tempfile.TemporaryDirectory(dir=file.resolve().parent, prefix=".eventreg-backup-") as folder:
            copy = Path(folder) / archive.DATABASE[note.kind]
            copies.take(url, copy)
            whole = Path(folder) / "archive"
            archive.pack(whole, note, key=app.config["SECRET_KEY"], copy=copy)
            size = whole.stat().st_size
            whole.replace(file)
    except OSError as error:
        raise EventRegError(f"{file} cannot be written: {error.strerror}.") from error
    except sqlite3.Error as error:
        raise EventRegError(f"{file} cannot be written: {error}.") from error
    return size


def write_into(app: Flask, folder: Path, *, keep: int | None, now: datetime) -> tuple[Path, int]:
    """Writes a copy named for `now` into the folder and checks it; with `keep`, removes older ones beyond that number.

    Only files named as this function names them are removed, and never the one just written, whatever the clock said
    when the others were made.

    Raises: EventRegError.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EventRegError(f"{folder} cannot be made: {error.strerror}.") from error
    file = folder / now.strftime(NAME)
    size = write(app, file)
    verify(file)
    if keep is not None:
        older = sorted(
            path
            for path in folder.iterdir()
            if NAMED.fullmatch(path.name) and path != file and path.is_file() and not path.is_symlink()
        )
        for path in older[: max(0, len(older) + 1 - keep)]:
            path.unlink()
    return file, size


def verify(file: Path) -> archive.Note:
    """Reads all of a copy, as `restore` does before it replaces anything.

    Raises: EventRegError when it could not be restored by this release.
    """
    with tempfile.TemporaryDirectory(prefix="eventreg-verify-") as folder:
        note, _key, _copy = _checked(file, Path(folder))
    return note


def restore(app: Flask, file: Path, *, force: bool) -> None:
    """Replaces this installation's data.

    Everything about the file is checked first, and the database is replaced in one transaction: what fails on the way
    leaves the old data as it was.

    Raises: EventRegError when the file is no backup, of another kind of database or a newer version, or when there
    are events already and `force` is not set.
    """
    url = db.engine.url
    kind = url.get_backend_name()
    if not force and _has_events():
        raise EventRegError("This database already holds events; use --force to replace them.")
    db.session.remove()
    db.engine.dispose()
    with tempfile.TemporaryDirectory(prefix="eventreg-restore-") as folder:
        note, key, copy = _checked(file, Path(folder))
        if note.kind != kind:
            raise EventRegError(f"{file} is a copy of a {note.kind} database; this installation uses {kind}.")
        try:
            copies.put_back(copy, url)
            _keep_key(app, key)
        except OSError as error:
            raise EventRegError(f"{file} cannot be put back: {error.strerror}.") from error
    _outdate_kept_pages()


def _checked(file: Path, folder: Path) -> tuple[archive.Note, str, Path]:
    note, key, copy = archive.unpack(file, folder)
    if note.revision not in known_revisions():
        raise EventRegError(f"{file} was made by a newer version; update eventreg first.")
    try:
        revision = copies.check(note.kind, copy)
    except copies.DamagedError as error:
        raise EventRegError(f"{file} is damaged: {error}.") from error
    if revision != note.revision:
        raise EventRegError(
            f"{file} is damaged: its database is at migration {revision}, its note says {note.revision}."
        )
    return note, key, copy


def _outdate_kept_pages() -> None:
    """Web processes that went on running must not take a page of the data before for one of these.

    A copy from before an upgrade has nothing that such a page is asked by.
    """
    session = db.session()
    if revision_of(session) == head_revision():
        with write_transaction(session):
            leap(session)


def _has_events() -> bool:
    if not sa.inspect(db.engine).has_table("events"):
        return False
    return db.session.scalar(sa.select(sa.exists(sa.select(Event.id)))) is True


def _keep_key(app: Flask, key: str) -> None:
    path = Path(app.instance_path) / "secret_key"
    if app.config["SECRET_KEY"] == key:
        return
    temporary = path.with_name(".secret_key.restored")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key)
        os.fsync(file.fileno())
    temporary.replace(path)

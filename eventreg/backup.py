"""A consistent copy of an installation in one file, and putting it back.

The file is a tar archive: the database (an SQLite copy made by its online backup, or a `pg_dump` archive), the
secret key, without which mailed links would die, and a note saying what it is.
"""

import io
import json
import os
import sqlite3
import subprocess
import tarfile
import tempfile
import zlib
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from eventreg.db import db, write_transaction
from eventreg.errors import EventRegError
from eventreg.events.models import Event
from eventreg.events.revision import leap
from eventreg.migrations import head_revision, known_revisions, revision_of

NOTE = "eventreg-backup.json"
KEY = "secret_key"
DATABASE = {"sqlite": "eventreg.db", "postgresql": "eventreg.pgdump"}


def write(app: Flask, file: Path) -> int:
    """Writes the copy and returns its size in bytes. The file appears whole or not at all.

    Raises: EventRegError.
    """
    url = db.engine.url
    kind = url.get_backend_name()
    note = {"kind": kind, "revision": revision_of(db.session()), "base_url": app.config["BASE_URL"]}
    db.session.rollback()
    try:
        with tempfile.TemporaryDirectory(dir=file.resolve().parent, prefix=".eventreg-backup-") as folder:
            copy = Path(folder) / DATABASE[kind]
            if kind == "sqlite":
                _copy_sqlite(Path(url.database or ""), copy)
            else:
                _run("pg_dump", "--format=custom", "--no-owner", f"--file={copy}", _libpq(url))
            archive = Path(folder) / "archive"
            archive.touch(mode=0o600)
            with tarfile.open(archive, "w:gz") as tar:
                _add(tar, NOTE, json.dumps(note).encode())
                _add(tar, KEY, app.config["SECRET_KEY"].encode())
                tar.add(copy, copy.name)
            size = archive.stat().st_size
            archive.replace(file)
    except OSError as error:
        raise EventRegError(f"{file} cannot be written: {error.strerror}.") from error
    except sqlite3.Error as error:
        raise EventRegError(f"{file} cannot be written: {error}.") from error
    return size


def restore(app: Flask, file: Path, *, force: bool) -> None:
    """Replaces this installation's data.

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
        note, key = _unpack(file, Path(folder))
        if note.get("kind") != kind:
            raise EventRegError(f"{file} is a copy of a {note.get('kind')} database; this installation uses {kind}.")
        copy = Path(folder) / DATABASE[kind]
        if kind == "sqlite":
            _copy_sqlite(copy, Path(url.database or ""))
        else:
            _run(
                "pg_restore",
                "--clean",
                "--if-exists",
                "--no-owner",
                "--single-transaction",
                f"--dbname={_libpq(url)}",
                str(copy),
            )
        _keep_key(app, key)
    _outdate_kept_pages()


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


def _copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's online backup: consistent while others write."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as from_, sqlite3.connect(target) as to:
        from_.backup(to)
    from_.close()
    to.close()


def _unpack(file: Path, folder: Path) -> tuple[dict[str, str], str]:
    """The note and the secret key, read before anything is replaced; the database's copy is in the folder."""
    try:
        with tarfile.open(file, "r:gz") as tar:
            tar.extractall(folder, filter="data")
        note: dict[str, str] = json.loads((folder / NOTE).read_text())
        key = (folder / KEY).read_text()
        (folder / DATABASE[note["kind"]]).stat()
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError, KeyError) as error:
        raise EventRegError(f"{file} is not a backup made by `eventreg backup`, or it is damaged.") from error
    if note.get("revision") and note["revision"] not in known_revisions():
        raise EventRegError(f"{file} was made by a newer version; update eventreg first.")
    return note, key


def _keep_key(app: Flask, key: str) -> None:
    path = Path(app.instance_path) / "secret_key"
    if app.config["SECRET_KEY"] == key:
        return
    temporary = path.with_name(".secret_key.restored")
    temporary.touch(mode=0o600)
    temporary.write_text(key)
    temporary.replace(path)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    tar.addfile(info, io.BytesIO(content))


def _libpq(url: sa.URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)  # noqa: S603
    except FileNotFoundError as error:
        raise EventRegError(f"{command[0]} is not installed; it comes with PostgreSQL's client programs.") from error
    if done.returncode:
        raise EventRegError(f"{command[0]} failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")

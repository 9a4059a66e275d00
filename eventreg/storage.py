"""Where an installation writes: whether its account may, whether there is room, and whether others may read it.

Nothing here changes data: a GET asks it. A write is tried on a file that is removed at once, and on PostgreSQL on one
of the server's own temporary files.
"""

import os
import pwd
import secrets
import stat
import threading
import time
from pathlib import Path

from flask import Flask
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from eventreg import file_modes
from eventreg.db import bare, db, said

PROBE_BYTES = 64 * 1024
"""More than the write-ahead log takes for one answer."""
PROBE_EVERY_SECONDS = 5
_SPILL = "SET LOCAL work_mem = '64kB'; SELECT count(*) FROM generate_series(1, 20000)"
"""Needs more than `work_mem`, so PostgreSQL writes it to its disk: a row that is rolled back may never get there."""


def database_file() -> Path | None:
    """The SQLite file; None on PostgreSQL. Needs an application context, like everything below."""
    url = db.engine.url
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def permission_fault(app: Flask) -> str | None:
    """The first folder or file that the service needs and may not write, as a sentence; None when there is none."""
    for path in [*_folders(app), *(file for file in _files(app) if file.exists())]:
        if not os.access(path, os.W_OK):
            missing = "" if path.exists() else "does not exist and "
            return (
                f"{path} {missing}cannot be written by the account {_account()}: give that account the file and its "
                "folder, and mount the disk for writing."
            )
    return None


def write_fault(app: Flask) -> str | None:
    """Why a write would fail now, as a sentence; None when one went through."""
    if (fault := permission_fault(app)) is not None:
        return fault
    try:
        for folder in _folders(app):
            _write_and_remove(folder)
    except OSError as error:
        return f"The database cannot be written: {error.strerror} ({error.filename})."
    return None if database_file() else _postgresql_fault()


class WriteProbe:
    """The outcome of `write_fault`, asked at most every PROBE_EVERY_SECONDS in a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._valid_until = 0.0
        self._fault: str | None = None

    def fault(self, app: Flask) -> str | None:
        """Why a write would fail; None when one went through."""
        with self._lock:
            if time.monotonic() >= self._valid_until:
                self._fault = write_fault(app)
                self._valid_until = time.monotonic() + PROBE_EVERY_SECONDS
            return self._fault


def exposure_faults(app: Flask) -> list[str]:
    """One sentence for each file or folder that other accounts of this machine may use."""
    instance, mails = Path(app.instance_path), Path(app.config["MAIL_FOLDER"])
    private = [instance, mails, *_files(app), instance / "secret_key", instance / "demo_account.json"]
    found = file_modes.exposed(dict.fromkeys(private))
    # Owned by root and readable for the service's group, it is as safe.
    found += file_modes.exposed([instance / "config.py"], allowed=stat.S_IRGRP)
    faults = [_exposure(str(path), mode, "700" if path.is_dir() else "600") for path, mode in found]
    if kept := file_modes.exposed(mails.glob("*.eml")):
        faults.append(_exposure(f"{mails}/*.eml", kept[0][1], "600"))
    return faults


def _exposure(path: str, mode: int, right: str) -> str:
    return f"{path} has mode {mode:03o}, so other accounts of this machine may use it: run `chmod {right} {path}`."


def _folders(app: Flask) -> list[Path]:
    """Where files are made. With PostgreSQL, Redis and a mail server the instance folder may be read-only."""
    database, instance = database_file(), Path(app.instance_path)
    is_needed = database or not app.config["REDIS_URL"] or not app.config["MAIL_SERVER"]
    folders = [database.parent] if database else []
    return list(dict.fromkeys([*folders, instance] if is_needed else folders))


def _files(app: Flask) -> list[Path]:
    """Database, queue of wake-ups and rate limits, with what lies beside them."""
    database, instance = database_file(), Path(app.instance_path)
    bases = [database, instance / "huey.db"] if database else []
    bases += [] if app.config["REDIS_URL"] else [instance / "limits.db"]
    return [path for base in bases for path in file_modes.with_siblings(base)]


def _write_and_remove(folder: Path) -> None:
    path = folder / f".write-probe.{secrets.token_hex(4)}"
    try:
        with path.open("xb", buffering=0) as file:
            if file.write(bytes(PROBE_BYTES)) < PROBE_BYTES:
                file.write(b"\0")  # says why there was no room for all of it
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = str(folder)
        raise
    finally:
        path.unlink(missing_ok=True)


def _postgresql_fault() -> str | None:
    driver_error = db.engine.dialect.loaded_dbapi.Error
    try:
        with bare(db.engine) as driver:
            (is_read_only,) = driver.execute("SELECT current_setting('transaction_read_only')").fetchone()
            driver.execute(_SPILL, prepare=False)
    except (DBAPIError, PoolTimeout, driver_error) as error:
        return f"The database cannot be written: {said(error)}."
    return (
        None if is_read_only == "off" else "The database is read-only: it is a standby, or was told to refuse writes."
    )


def _account() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())

"""Migrated databases for the figures. SQLite files lie on a disk, never in memory: durability is part of the work."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from flask_migrate import upgrade
from psycopg import sql

from eventreg import create_app
from eventreg.db import db

ROOT = Path(__file__).resolve().parent.parent
POSTGRESQL = os.environ.get("EVENTREG_BENCH_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/postgres")
KINDS = ("sqlite", "postgresql")
SECRET_KEY = "only-for-the-bench-only-for-the-bench"
DISK = Path("/var/tmp")


def settings(database_url: str, folder: Path) -> dict[str, Any]:
    """The settings of a measured installation: real doors, only the limits off that stop programs."""
    return {
        "INSTANCE_PATH": folder / "instance",
        "DATABASE_URL": database_url,
        "BASE_URL": "http://127.0.0.1:8000",
        "SECRET_KEY": SECRET_KEY,
        "RATELIMIT_ENABLED": "false",
        "MIN_FILL_SECONDS": "0",
    }


def postgresql_trouble() -> str:
    """Why there is no PostgreSQL to measure on; empty when there is."""
    try:
        with psycopg.connect(POSTGRESQL, connect_timeout=3):
            return ""
    except psycopg.OperationalError as error:
        return f"no PostgreSQL server ({str(error).splitlines()[0]})"


def raw_url(database_url: str) -> str:
    """The same address as the bare drivers take it: a file's path, or libpq's."""
    url = sa.make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


class Databases:
    """Makes empty ones in a folder and on the server, and removes all of them at the end."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="eventreg-bench-", dir=DISK if DISK.is_dir() else None))
        self._names: list[str] = []

    def make(self, kind: str, name: str) -> str:
        """The address of a new migrated database."""
        return self._make_sqlite(name) if kind == "sqlite" else self._make_postgresql(name)

    def drop(self, database_url: str) -> None:
        """Removes one."""
        url = sa.make_url(database_url)
        if url.get_backend_name() == "sqlite":
            for end in ("", "-wal", "-shm"):
                Path(f"{url.database}{end}").unlink(missing_ok=True)
        else:
            self._drop(str(url.database))

    def close(self) -> None:
        """Removes everything made here."""
        for name in self._names:
            self._drop(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    @cached_property
    def _sqlite_template(self) -> Path:
        path = self.folder / "template.db"
        _migrate(f"sqlite:///{path}", self.folder)
        return path

    @cached_property
    def _postgresql_template(self) -> str:
        name = self._create("template", "template0")
        _migrate(_address(name), self.folder)
        return name

    def _make_sqlite(self, name: str) -> str:
        path = self.folder / f"{name}.db"
        with sqlite3.connect(self._sqlite_template) as source, sqlite3.connect(path) as copy:
            source.backup(copy)
        source.close()
        copy.close()
        return f"sqlite:///{path}"

    def _make_postgresql(self, name: str) -> str:
        return _address(self._create(name, self._postgresql_template))

    def _create(self, name: str, template: str) -> str:
        full = f"eventreg_bench_{os.getpid()}_{name.replace('-', '_')}"
        self._drop(full)
        with _server() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(full), sql.Identifier(template))
            )
        self._names.append(full)
        return full

    def _drop(self, name: str) -> None:
        with _server() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _server() -> Iterator[psycopg.Connection]:
    with psycopg.connect(POSTGRESQL, autocommit=True) as connection:
        yield connection


def _address(name: str) -> str:
    url = sa.make_url(POSTGRESQL).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


def _migrate(database_url: str, folder: Path) -> None:
    given = settings(database_url, folder)
    app = create_app(given, instance_path=given["INSTANCE_PATH"])
    with app.app_context():
        upgrade()
        db.engine.dispose()

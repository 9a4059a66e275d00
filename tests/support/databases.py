"""Real databases for tests: made once per run by the migrations, empty again for each test.

SQLite: the migrated file is copied, in memory-backed storage where there is any. PostgreSQL: one database per
test process; its rows are deleted and its sequences set back, which takes 1 ms where TRUNCATE takes 40.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import sqlalchemy as sa
from psycopg import sql

from tests.support import making
from tests.support.needs import POSTGRESQL, require

KINDS = ("sqlite", "postgresql")
KEPT = {"alembic_version", "roles"}
"""Filled by the migrations and left alone by tests."""


def fast_folder() -> Path:
    """A new temporary folder, in memory where the machine offers it."""
    memory = Path("/dev/shm")
    usable = memory.is_dir() and os.access(memory, os.W_OK)
    return Path(tempfile.mkdtemp(prefix="eventreg-test-", dir=memory if usable else None))


class Databases:
    """The databases of one test process. Nothing is made before it is asked for."""

    def __init__(self, worker: str) -> None:
        self.folder = fast_folder()
        self._name = f"eventreg_test_{worker}_{os.getpid()}"
        self._template: Path | None = None
        self._migrated = False
        self._made: list[str] = []
        self._count = 0

    def empty(self, kind: str) -> str:
        """The address of a migrated database without rows."""
        return self._sqlite() if kind == "sqlite" else self._postgresql()

    def bare(self, kind: str) -> str:
        """The address of a database without tables, for tests of the migrations and of starting up."""
        self._count += 1
        if kind == "sqlite":
            return f"sqlite:///{self.folder / f'bare{self._count}.db'}"
        require("postgresql")
        name = f"{self._name}_{self._count}"
        self._create(name)
        return _address(name)

    def _sqlite(self) -> str:
        if self._template is None:
            template = self.folder / "template.db"
            making.migrate(f"sqlite:///{template}", self.folder / "migrating")
            self._template = template
        self._count += 1
        path = self.folder / f"{self._count}.db"
        shutil.copyfile(self._template, path)
        return f"sqlite:///{path}"

    def _postgresql(self) -> str:
        require("postgresql")
        address = _address(self._name)
        if not self._migrated:
            self._create(self._name)
            making.migrate(address, self.folder / "migrating")
            self._migrated = True
        with _server(self._name) as connection:
            connection.execute("SET lock_timeout = '10s'")
            connection.execute(_clearing(connection))
        return address

    def _create(self, name: str) -> None:
        with _server() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
            # A crash of the machine may cost a test its rows; waiting for the disk costs every test.
            connection.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(name)))
        self._made.append(name)

    def close(self) -> None:
        """Removes everything made here."""
        for name in self._made:
            with _server() as connection:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        shutil.rmtree(self.folder, ignore_errors=True)


def _address(name: str) -> str:
    url = sa.make_url(POSTGRESQL).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


@contextmanager
def _server(database: str | None = None) -> Iterator[psycopg.Connection]:
    with psycopg.connect(POSTGRESQL, autocommit=True, **({"dbname": database} if database else {})) as connection:
        yield connection


def _clearing(connection: psycopg.Connection) -> str:
    """The statements that empty every table there is now, also those that libraries made for themselves."""
    tables = [
        f'"{name}"'
        for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        if name not in KEPT
    ]
    sequences = connection.execute(
        "SELECT s.sequencename FROM pg_sequences s WHERE s.schemaname = 'public' AND s.sequencename <> 'roles_id_seq'"
    ).fetchall()
    # Foreign keys are not looked at while this setting lasts, so the order does not matter.
    return "; ".join(
        ["SET session_replication_role = replica"]
        + [f"DELETE FROM {table}" for table in tables]
        + [f"SELECT setval('\"{name}\"', 1, false)" for (name,) in sequences]
    )

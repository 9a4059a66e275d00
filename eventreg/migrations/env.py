"""Runs migrations on the app's own engine (Flask-Migrate)."""

import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal

from alembic import context
from flask import current_app
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, DateTime
from sqlalchemy.exc import OperationalError
from sqlalchemy.types import TypeDecorator

from eventreg import turns
from eventreg.db import BUSY_TIMEOUT_MS
from eventreg.errors import EventRegError
from eventreg.indexes import tell_conditions
from eventreg.migrations.comparing import is_ours

database = current_app.extensions["migrate"].db
LONGEST_WAIT_MS = 2000
PAUSE_SECONDS = 1
TRIES = 60


def configure(connection: Connection) -> None:
    """SQLite changes tables by copying them ("batch"), and compares types without a native one."""
    tell_conditions(database.metadata)
    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        include_object=is_ours,
        render_item=_as_plain_type,
    )


def _as_plain_type(kind: str, item: object, _context: object) -> str | Literal[False]:
    """A migration names SQL types, not this program's, which may change after it was written."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}" if not isinstance(item.impl, DateTime) else "sa.DateTime(timezone=True)"
    return False


def run() -> None:
    """All pending migrations, while the version before goes on serving.

    PostgreSQL gives a changed table to nobody else, and whoever waits for it makes all others wait behind. So the wait
    is short, and begun again some time later: a long report holds up the migration, never the visitors.
    """
    for _try in range(TRIES):
        try:
            _run()
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return
    raise EventRegError(
        "The database is too busy to be changed: something has held its tables for minutes. "
        "Nothing was changed; end long reports and backups, then run `eventreg db upgrade` again."
    )


def _turn() -> AbstractContextManager[None]:
    """SQLite's writers queue, and so does this one."""
    url = database.engine.url
    is_file = url.get_backend_name() == "sqlite" and url.database
    return turns.turn(Path(url.database), patience=BUSY_TIMEOUT_MS / 1000) if is_file else nullcontext()


def _run() -> None:
    """One transaction for all of them; on PostgreSQL two starting hosts wait for each other."""
    with _turn(), database.engine.connect().execution_options(eventreg_write=True) as connection:
        configure(connection)
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7233011)")
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {LONGEST_WAIT_MS}")
            context.run_migrations()
        connection.commit()


run()

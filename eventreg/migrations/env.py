"""Runs migrations on the app's own engine (Flask-Migrate)."""

from typing import Literal

from alembic import context
from flask import current_app
from sqlalchemy import Connection, DateTime
from sqlalchemy.types import TypeDecorator

database = current_app.extensions["migrate"].db


def configure(connection: Connection) -> None:
    """SQLite changes tables by copying them ("batch"), and compares types without a native one."""
    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        include_object=_is_ours,
        render_item=_as_plain_type,
    )


def _is_ours(_object: object, name: str, kind: str, reflected: bool, compare_to: object) -> bool:
    """Leaves alone what is not of this schema, like the task queue's tables, or of one database only, like the search."""
    is_extra = kind == "table" or (kind == "index" and name.endswith("_trgm"))
    return not (is_extra and reflected and compare_to is None)


def _as_plain_type(kind: str, item: object, _context: object) -> str | Literal[False]:
    """A migration names SQL types, not this program's, which may change after it was written."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}" if not isinstance(item.impl, DateTime) else "sa.DateTime(timezone=True)"
    return False


def run() -> None:
    """One transaction for all pending migrations; on PostgreSQL two starting hosts wait for each other."""
    with database.engine.connect().execution_options(eventreg_write=True) as connection:
        configure(connection)
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7233011)")
            context.run_migrations()
        connection.commit()


run()

"""The database: declarative base, column types, and how a transaction begins.

Services flush and never commit; the edge (a view, a command, a task) commits once. Work that writes runs
inside `write_transaction()`, which on SQLite takes the write lock at its BEGIN: a transaction that reads
first and writes later would fail there with SQLITE_BUSY however long it was willing to wait.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, DateTime, Dialect, Engine, MetaData, Table, event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.types import TypeDecorator

from eventreg import turns

BUSY_TIMEOUT_MS = 10_000
"""How long a writer waits for SQLite's lock before the request is answered with an error."""


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC instant; refuses naive values, so that no wall clock is ever stored as an instant."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Instant to column. Raises: TypeError for a naive value."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError(f"naive datetime {value!r} where an instant is stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Column to instant."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of every model. Constraint names are fixed so that migrations can address them."""

    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={datetime: UTCDateTime(), dict[str, Any]: JSON},
    )


def table_of(model: type[Base]) -> Table:
    """The model's table, for statements put together once and run on `session.connection()`.

    That is a third of the work of the same statement on the model; nothing loaded in the session is brought up to date.
    """
    return cast(Table, model.__table__)


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


@event.listens_for(Engine, "connect")
def _prepare_sqlite(dbapi_connection: Any, _record: Any) -> None:
    """Pragmas per connection, and the driver's own transaction handling off (SQLAlchemy's documented recipe)."""
    if not type(dbapi_connection).__module__.startswith("sqlite3"):
        return
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        writes = connection.get_execution_options().get("eventreg_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def write_transaction(session: Session) -> Iterator[None]:
    """One transaction that writes: commits at the end of the block, rolls back when it raises.

    Whatever was read before is let go first, so the block's first statement may be the guarded UPDATE. Objects
    loaded before the block are detached by that; load what you need inside.
    """
    session.rollback()
    with _turn(session):
        session.connection(execution_options={"eventreg_write": True})
        try:
            yield
            session.commit()
        except BaseException:
            session.rollback()
            raise


def _turn(session: Session) -> AbstractContextManager[None]:
    """SQLite has one writer at a time; its writers queue here rather than poll there."""
    url = session.get_bind().engine.url
    if url.get_backend_name() != "sqlite" or not url.database:
        return nullcontext()
    return turns.turn(Path(url.database), patience=BUSY_TIMEOUT_MS / 1000)

"""The database: declarative base, column types, and how a transaction begins.

Services flush and never commit; the edge (a view, a command, a task) commits once. Work that writes runs
inside `write_transaction()`, which on SQLite takes the write lock at its BEGIN: a transaction that reads
first and writes later would fail there with SQLITE_BUSY however long it was willing to wait.
"""

import logging
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import JSON, URL, DateTime, Dialect, Engine, MetaData, Table, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.types import TypeDecorator

from eventreg import collation, turns
from eventreg.ready import execute

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeout)
"""How a database says that it is away, locked or full."""
BUSY_TIMEOUT_MS = 10_000
"""How long a writer waits for SQLite's lock before the request is answered with an error."""
POSTGRESQL_SESSION = (
    "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; "
    f"SET tcp_user_timeout = 11000; SET lock_timeout = {BUSY_TIMEOUT_MS + 2000}"
)
"""What the server is asked for on each connection. A dead peer is gone after 11 s, and a wait for its lock ends
a little later, so whoever waits for it gets it rather than an error."""


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


def insert_of(dialect: str) -> "Callable[[type[Base] | Table], postgresql.Insert | sqlite.Insert]":
    """`insert` in the words of that database, which can say what becomes of a row that is there already.

    Looked up by name: each database's words are some megabytes, and an engine has loaded only its own.
    """
    words: Any = import_module(f"sqlalchemy.dialects.{dialect}")
    return cast("Callable[[type[Base] | Table], postgresql.Insert | sqlite.Insert]", words.insert)


def upsert(session: Session, model: type[Base]) -> "postgresql.Insert | sqlite.Insert":
    """The same of the session's database."""
    return insert_of(session.connection().dialect.name)(model)


class _OneDatabase(FlaskSession):
    """A session that does not look anew for its database each time it needs the connection: there is one."""

    def __init__(self, db: SQLAlchemy, **kwargs: Any) -> None:
        super().__init__(db, **kwargs)
        self._engine = db.engine

    def get_bind(self, *_about: Any, bind: Engine | Connection | None = None, **_more: Any) -> Engine | Connection:
        """The engine, or the bind that is asked for."""
        return self._engine if bind is None else bind


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False, "class_": _OneDatabase})


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
    collation.register(dbapi_connection)


@event.listens_for(Engine, "connect")
def _prepare_postgresql(dbapi_connection: Any, _record: Any) -> None:
    """A host that drops off the network holds its row locks until the server notices; it is told to look soon."""
    if not type(dbapi_connection).__module__.startswith("psycopg"):
        return
    dbapi_connection.autocommit = True
    dbapi_connection.execute(POSTGRESQL_SESSION)
    dbapi_connection.autocommit = False


def _refuse_ended(driver_error: type[Exception], dbapi_connection: Any, *_lent: Any) -> None:
    """Gives up the connections that PostgreSQL has ended while nobody used them, before one of them is used.

    To an idle connection the server says nothing but that it ends, so what can be read is asked about: the same
    safety as SQLAlchemy's `pool_pre_ping` without its question and answer for every transaction. A server that fell
    silent is found by the keepalives, and that can be read too.
    """
    socket = select.poll()
    try:
        socket.register(dbapi_connection.fileno(), select.POLLIN)
        if socket.poll(0):
            dbapi_connection.execute("SELECT 1")
            dbapi_connection.rollback()
    except driver_error as error:
        raise InvalidatePoolError from error


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        writes = connection.get_execution_options().get("eventreg_write", False)
        execute(connection, "BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def write_transaction(session: Session) -> Iterator[None]:
    """One transaction that writes: commits at the end of the block, rolls back when it raises.

    Whatever was read before is let go first, so the block's first statement may be the guarded UPDATE. Objects
    loaded before the block are detached by that; load what you need inside.
    """
    let_go(session)
    with _turn(session):
        session.connection(execution_options={"eventreg_write": True})
        try:
            yield
            session.commit()
        except BaseException:
            let_go(session)
            raise


def let_go(session: Session) -> None:
    """Ends a transaction unwritten, also when the database has ended it already by going away."""
    try:
        session.rollback()
    except DBAPIError:
        session.invalidate()


def said(error: BaseException) -> str:
    """The database's own words, on one line, without the statement that SQLAlchemy puts around them."""
    words = str(getattr(error, "orig", None) or error).strip().splitlines()
    return words[0] if words else type(error).__name__


def log_briefly() -> None:
    """From now on a database that is away is one line in the log of whoever meets it, not a page of its callers."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(_shorten)


def _shorten(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if error is not None and isinstance(error, (*AWAY, *_driver_errors())):
        record.msg, record.args = "%s: %s", (record.getMessage(), said(error))
        record.exc_info = record.exc_text = None
    return True


def _driver_errors() -> tuple[type[Exception], ...]:
    """Of PostgreSQL's driver, where something has loaded it; without it nothing can raise them."""
    driver = sys.modules.get("psycopg")
    return () if driver is None else (driver.OperationalError,)


def init_app(app: Flask) -> None:
    """Registers the database. A connection that broke after the answer was made spoils no answer."""
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            event.listen(db.engine, "checkout", partial(_refuse_ended, db.engine.dialect.loaded_dbapi.Error))

    @app.teardown_appcontext  # runs before Flask-SQLAlchemy's own, which was registered before it
    def _end(_error: BaseException | None) -> None:
        if db.session.registry.has():
            let_go(db.session())


def _turn(session: Session) -> AbstractContextManager[None]:
    """SQLite has one writer at a time; its writers queue here rather than poll there."""
    database = _sqlite_file(session)
    return turns.turn(database, patience=BUSY_TIMEOUT_MS / 1000) if database else nullcontext()


def in_line(session: Session, row: str) -> AbstractContextManager[None]:
    """For a request that will hold that row to its end: the threads of a process go through the block one by one.

    On SQLite all of them, because there every writer holds everything.
    """
    return turns.line(_sqlite_file(session) or row, patience=BUSY_TIMEOUT_MS / 1000)


def _sqlite_file(session: Session) -> Path | None:
    return _file_of(session.get_bind().engine.url)


@lru_cache(maxsize=8)
def _file_of(url: URL) -> Path | None:
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


@contextmanager
def bare(engine: Engine) -> Iterator[Any]:
    """The driver's own connection, on which every statement is a transaction of its own.

    For what is asked on every request: a session costs ten times as much. Raises: what the driver raises, and the
    connection is given up then.
    """
    lent = engine.raw_connection()
    driver: Any = lent.driver_connection
    begins_by_itself = engine.dialect.name == "postgresql"  # SQLite's do not, see _prepare_sqlite
    try:
        if begins_by_itself:
            driver.autocommit = True
        yield driver
        if begins_by_itself:
            driver.autocommit = False
    except BaseException:
        lent.invalidate()
        raise
    finally:
        lent.close()


def peek(engine: Engine, statement: str) -> list[tuple[Any, ...]] | None:
    """The rows of one statement without parameters, read with the bare driver.

    Whoever listens to the engine's statements hears of this one too. None when the database does not answer; the
    ordinary way then says why.
    """
    driver_error = engine.dialect.loaded_dbapi.Error  # a new connection fails in the driver's words
    try:
        with bare(engine) as driver:
            for heard in engine.dispatch.before_cursor_execute:
                heard(None, None, statement, (), None, False)
            rows: list[tuple[Any, ...]] = driver.execute(statement).fetchall()
    except (DBAPIError, PoolTimeout, driver_error):
        return None
    return rows

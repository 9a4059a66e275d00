"""Huey as wake-ups need it: plain messages, in a file or through our own pool, and no driver that is not used."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from eventreg.db import bare

__all__ = ["Huey", "PlainSerializer", "TaskWrapper", "crontab", "open_queue"]

MOST_TRIES = 20
"""At making the tables, six things in all, each of which another process may be making."""


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """What is imported in the block finds these libraries missing, where nothing has imported them before.

    Must be used before there are threads.
    """
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type] # None is Python's own word for it
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


# Huey takes up every driver that is installed, and no web process that keeps its queue in a file needs one.
with _without("redis", "psycopg"):
    from huey import storage
    from huey.api import Huey, PostgresHuey, SqliteHuey, TaskWrapper, crontab
    from huey.registry import Message
    from huey.serializer import Serializer


class PlainSerializer(Serializer):
    """Wake-ups as JSON. Huey's own pickles would let whoever can write to the queue run anything in the worker."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps([data.id, data.name, data.eta and data.eta.isoformat()]).encode()

    def _deserialize(self, data: bytes) -> Message:
        identity, name, eta = json.loads(bytes(data))
        blank: dict[str, Any] = dict.fromkeys(Message._fields)
        return Message(**blank | {"id": identity, "name": name, "eta": eta and datetime.fromisoformat(eta)})


class PooledStorage(storage.PostgresStorage):
    """Huey's tables in our database, reached through our pool: they cost a web process no connection of their own."""

    def __init__(self, *arguments: Any, engine: Engine, **options: Any) -> None:
        self._engine = engine
        self._driver: Any = engine.dialect.loaded_dbapi
        setattr(storage, "psycopg", self._driver)  # noqa: B010 - Huey refuses to work without, and typing knows none
        super().__init__(*arguments, **options)

    @contextmanager
    def db(self, commit: bool = False, close: bool = False) -> Iterator[Any]:  # noqa: ARG002 - each statement commits
        """A cursor; every statement is a transaction of its own."""
        with bare(self._engine) as driver, driver.cursor() as cursor:
            yield cursor

    def initialize_schema(self) -> None:
        """Makes the tables. Processes that do so at once meet in PostgreSQL's catalogue, at one table after another.

        Whoever was later finds that table when it tries again.
        """
        errors = self._driver.errors
        met = errors.UniqueViolation, errors.DuplicateObject, errors.DuplicateTable
        for tries_left in reversed(range(MOST_TRIES)):
            try:
                super().initialize_schema()
            except met:
                if not tries_left:
                    raise
            else:
                return

    def _connect(self) -> Any:
        """The connection on which a worker listens; it stays open, so the pool lets it go."""
        lent = self._engine.raw_connection()
        connection: Any = lent.driver_connection
        lent.detach()
        connection.autocommit = True
        return connection


def open_queue(engine: Engine, folder: Path, *, lock_seconds: float) -> Huey:
    """The queue beside our own data: tables in PostgreSQL, or a file in `folder`."""
    kept: dict[str, Any] = {"name": "eventreg", "results": False, "serializer": PlainSerializer()}
    if engine.dialect.name == "postgresql":
        return PostgresHuey(**kept, storage_class=PooledStorage, engine=engine)
    folder.mkdir(parents=True, exist_ok=True)
    # Nothing in it is worth waiting for the disk.
    return SqliteHuey(**kept, filename=str(folder / "huey.db"), fsync=False, timeout=lock_seconds)

"""What `serve` and `worker` look at before they start: settings, the right to write, the database and its schema."""

import time
from typing import Any

import click
from flask import Flask
from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from eventreg import settings, storage
from eventreg.db import db, said
from eventreg.errors import EventRegError

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 5.0
REPEAT_SECONDS = 60
"""How often the line about a database that is awaited comes again."""
CERTAIN = 2
"""Refusals in a row by a server that runs. One may stand between two answers: it refused, and then it was up."""


def check_start(app: Flask) -> None:
    """`check_surroundings`, and the schema. Raises: what that raises; EventRegError for an older schema."""
    check_surroundings(app)
    refuse_older_schema(app)


def check_surroundings(app: Flask) -> None:
    """Warns of misspelt settings, and waits for a PostgreSQL server that is not up yet.

    Raises: EventRegError when a file cannot be written; OperationalError when the database refuses this service.
    """
    for warning in settings.misspelt(app):
        click.echo(f"eventreg: Warning: {warning}", err=True)
    with app.app_context():
        fault = storage.permission_fault(app) if storage.database_file() else None
    if fault is not None:
        raise EventRegError(fault)
    await_database(app)


def await_database(app: Flask) -> None:
    """Returns when the database answers: at boot PostgreSQL may come up after this service.

    Raises: OperationalError at once when the server runs and refuses: wrong password, no such database or role.
    """
    refusals, pause, said_at = 0, FIRST_WAIT_SECONDS, None
    while True:
        with app.app_context():
            url = db.engine.url
            try:
                db.engine.connect().close()
            except OperationalError as error:
                refusals = refusals + 1 if url.get_backend_name() == "sqlite" or _is_up(db.engine.dialect, url) else 0
                if refusals >= CERTAIN:
                    raise
                reason = said(error)
            else:
                db.engine.dispose()  # nothing is open when processes are made
                return
        if refusals:
            continue
        if said_at is None or time.monotonic() - said_at >= REPEAT_SECONDS:
            click.echo(f"eventreg: Waiting for the database: {reason}", err=True)
            said_at = time.monotonic()
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_WAIT_SECONDS)


def refuse_older_schema(app: Flask) -> None:
    """Raises: EventRegError when the database has to be upgraded first."""
    from eventreg.migrations import is_behind, revision_of

    with app.app_context():
        found = revision_of(db.session())
        db.session.remove()
        # Nothing is open when processes are made.
        db.engine.dispose()
    if is_behind(found):
        raise EventRegError("The database is not ready for this release. Run `eventreg db upgrade` first.")


def _is_up(dialect: Any, url: URL) -> bool:
    """Whether the server takes connections, of anybody: PQping needs no right password, and no language."""
    from psycopg import pq
    from psycopg.conninfo import make_conninfo

    _positional, parameters = dialect.create_connect_args(url)
    options = settings.POSTGRESQL_OPTIONS["connect_args"]
    known = {"host", "hostaddr", "port", "dbname", "user", "password", "service"}
    parameters = {name: value for name, value in parameters.items() if name in known or name.startswith("ssl")}
    conninfo = make_conninfo(**parameters, connect_timeout=options["connect_timeout"])
    return pq.PGconn.ping(conninfo.encode()) in {pq.Ping.OK, pq.Ping.NO_ATTEMPT}

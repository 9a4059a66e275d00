"""Databases made by early forms of the first two migrations, which were changed after they had landed.

Each step takes back one of those changes, newest first; together they lead from 0002 as it is to 0001 and 0002 as they
first were. Where a step's words differ between the databases, they are in `ONLY`.
"""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import Connection

from eventreg.db import db
from eventreg.migrations import comparing
from tests.support import making

LISTED = "visibility = 'public' AND status <> 'draft'"
LONG = {
    "sqlite": f"{LISTED} AND julianday(ends_at) - julianday(starts_at) > 6.9",
    "postgresql": f"{LISTED} AND ends_at - starts_at > interval '6.9 days'",
}
ONLY = {
    "sqlite": [
        "DROP TRIGGER event_search_insert",
        "DROP TRIGGER event_search_delete",
        "DROP TRIGGER event_search_update",
        "DROP TABLE event_search",
    ],
    "postgresql": ["DROP INDEX ix_events_search_text_trgm", "DROP INDEX ix_events_audience_keys_trgm"],
}
STEPS_BACK: list[Callable[[str], list[str]]] = [
    lambda _kind: ["DROP INDEX ix_messages_failed"],
    lambda _kind: ["DROP INDEX ix_messages_recipient_key", "ALTER TABLE messages DROP COLUMN recipient_key"],
    lambda kind: [
        "DROP INDEX ix_events_long",
        f"CREATE INDEX ix_events_long ON events (ends_at, starts_at, id, status) WHERE {LONG[kind]}",
    ],
    lambda kind: [
        "DROP INDEX ix_events_long",
        f"CREATE INDEX ix_events_long ON events (ends_at, starts_at, id) WHERE {LONG[kind]}",
    ],
    lambda kind: [
        *(f"DROP INDEX ix_events_{name}" for name in ("listed_category", "long", "ends_at", "categories", "audiences")),
        *ONLY[kind],
        "ALTER TABLE received_mails DROP COLUMN comment",
    ],
    lambda _kind: [
        f"ALTER TABLE events DROP COLUMN {name}" for name in ("reminded_at", "source_url", "source_missing_at")
    ],
    lambda _kind: ["ALTER TABLE messages DROP COLUMN leased_by"],
    lambda _kind: [
        "DROP INDEX ix_events_updated_at",
        "DROP INDEX ix_events_listed",
        f"CREATE INDEX ix_events_listed ON events (starts_at, id) WHERE {LISTED}",
    ],
]


@pytest.fixture
def bare_app(bare_database_url: str, tmp_path) -> Flask:
    app = making.make_app(bare_database_url, tmp_path)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def schema(connection: Connection) -> dict[str, object]:
    """All there is, as the database itself says it; the order of columns is of no consequence."""
    inspector = sa.inspect(connection)
    tables = {
        name: (
            sorted(f"{c['name']} {c['type']!r} {c['nullable']} {c['default']}" for c in inspector.get_columns(name)),
            sorted(str(check) for check in inspector.get_check_constraints(name)),
            sorted(str(key) for key in inspector.get_foreign_keys(name)),
            sorted(str(unique) for unique in inspector.get_unique_constraints(name)),
        )
        for name in inspector.get_table_names()
    }
    others = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    }[connection.dialect.name]
    return {**tables, **dict(connection.execute(sa.text(others)).fetchall())}


def go_back(connection: Connection, steps: int) -> None:
    for step in STEPS_BACK[:steps]:
        for statement in step(connection.dialect.name):
            connection.exec_driver_sql(statement)


def test_database_of_every_early_migration_becomes_what_a_new_one_is(bare_app) -> None:
    upgrade(revision="0003")
    with db.engine.connect() as connection:
        new = schema(connection)
    for steps in range(1, len(STEPS_BACK) + 1):
        with db.engine.begin() as connection:
            go_back(connection, steps)
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '0002'"))
            assert schema(connection) != new
        upgrade(revision="0003")
        with db.engine.connect() as connection:
            assert (steps, schema(connection)) == (steps, new)
    upgrade()
    with db.engine.connect() as connection:
        assert comparing.differences(connection, db.metadata) == []


def test_waiting_mail_of_an_early_database_counts_towards_its_address(bare_app) -> None:
    upgrade(revision="0002")
    with db.engine.begin() as connection:
        go_back(connection, len(STEPS_BACK))
        connection.execute(
            sa.text(
                "INSERT INTO messages (kind, recipient, recipient_name, payload, message_key, stamp_at, state, "
                "attempts, due_at, server_reply, created_at) VALUES"
                " ('confirmation', 'Wim@Example.org', '', '{}', 'key', :now, 'queued', 0, :now, '', :now)"
            ),
            {"now": "2026-10-05 16:00:00+00"},
        )
    upgrade()
    with db.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT recipient_key FROM messages")) == "wim@example.org"


DAMAGE = {
    "DROP INDEX ix_messages_failed": ["no index ix_messages_failed on messages"],
    "ALTER TABLE events DROP COLUMN source_url": ["no column events.source_url"],
    "ALTER TABLE events ADD COLUMN colour VARCHAR(9)": ["an unknown column events.colour"],
    "CREATE INDEX ix_mine ON events (status)": ["an unknown index ix_mine on events"],
    "DROP TABLE counters": ["no table counters"],
}


@pytest.mark.parametrize("statement", DAMAGE)
def test_difference_between_database_and_models_is_named(app, session, statement) -> None:
    with db.engine.connect() as connection:
        connection.exec_driver_sql(statement)
        assert comparing.differences(connection, db.metadata) == DAMAGE[statement]
        connection.rollback()


def test_lost_check_is_named(app, session) -> None:
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE events DROP CONSTRAINT ck_events_status_known")
        else:
            connection.exec_driver_sql("PRAGMA writable_schema = ON")
            connection.exec_driver_sql(
                "UPDATE sqlite_master SET sql = replace(sql, 'ck_events_status_known', 'ck_other')"
            )
        found = comparing.differences(connection, db.metadata)
        connection.rollback()
    assert "no check ck_events_status_known on events" in found


def test_lost_search_is_named(app, session) -> None:
    with db.engine.connect() as connection:
        connection.exec_driver_sql(ONLY[connection.dialect.name][0])
        found = comparing.differences(connection, db.metadata)
        connection.rollback()
    assert len(found) == 1
    assert found[0].endswith(" for the search")

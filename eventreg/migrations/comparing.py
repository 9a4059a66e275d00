"""Differences between a live database and the models, for `eventreg doctor` and `eventreg db migrate`.

Alembic's autogenerate compares tables, columns, indexes and foreign keys, but no CHECK constraints and nothing of the
search, which the models do not name; those are compared here by name. Alembic is imported by the functions that need
it: a web process never does.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import CheckConstraint, Connection, MetaData, inspect, text

from eventreg.indexes import tell_conditions

SEARCH = {
    "sqlite": ("event_search", "event_search_insert", "event_search_delete", "event_search_update"),
    "postgresql": ("ix_events_search_text_trgm", "ix_events_audience_keys_trgm"),
}
"""What keeps the groups of letters that the search uses: made by a migration, not by a model."""
NAMED_IN = {
    "sqlite": "SELECT name FROM sqlite_master",
    "postgresql": "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()",
}


def is_ours(_object: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    """Leaves out what is not of this schema, like the task queue, or of one database only, like the search."""
    is_extra = kind == "table" or (kind == "index" and (name or "").endswith("_trgm"))
    return not (is_extra and reflected and compare_to is None)


def differences(connection: Connection, metadata: MetaData) -> list[str]:
    """Each difference in a few words: `no index ix_messages_failed on messages`."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - only commands change or compare a schema
    from alembic.migration import MigrationContext  # noqa: PLC0415 - the same

    tell_conditions(metadata)
    context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": is_ours})
    found = [words for difference in compare_metadata(context, metadata) for words in _words(difference)]
    return [*found, *_check_differences(connection, metadata), *_search_differences(connection)]


def _words(difference: Any) -> Iterator[str]:
    """One of Alembic's differences. Those of one column come as a list of tuples."""
    if isinstance(difference, list):
        for what, _schema, table, column, *_values in difference:
            yield f"another {what.removeprefix('modify_')} of the column {table}.{column}"
        return
    what, *parts = difference
    sign, kind = ("no", what.removeprefix("add_")) if what.startswith("add_") else ("an unknown", what[7:])
    kind = {"fk": "foreign key", "constraint": "unique constraint"}.get(kind, kind)
    if kind == "column":
        yield f"{sign} column {parts[1]}.{parts[2].name}"
    elif kind == "table":
        yield f"{sign} table {parts[0].name}"
    else:
        yield f"{sign} {kind} {parts[0].name} on {parts[0].table.name}"


def _check_differences(connection: Connection, metadata: MetaData) -> Iterator[str]:
    inspector = inspect(connection)
    there = set(inspector.get_table_names())
    for table in metadata.sorted_tables:
        if table.name not in there:
            continue
        has = {str(check["name"]) for check in inspector.get_check_constraints(table.name)}
        wanted = {str(check.name) for check in table.constraints if isinstance(check, CheckConstraint)}
        yield from (f"no check {name} on {table.name}" for name in sorted(wanted - has))
        yield from (f"an unknown check {name} on {table.name}" for name in sorted(has - wanted))


def _search_differences(connection: Connection) -> Iterator[str]:
    """PostgreSQL may go without its extension for groups of letters; then nothing is missing."""
    kind = connection.dialect.name
    if kind == "postgresql" and not connection.scalar(text("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")):
        return
    has = set(connection.scalars(text(NAMED_IN[kind])))
    yield from (f"no {name} for the search" for name in SEARCH[kind] if name not in has)

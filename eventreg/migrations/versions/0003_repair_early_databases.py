"""repair databases made by an early form of 0001 or 0002

Both files were changed after they had landed, so a database could be at 0002 without all that 0002 makes now. This adds
whatever is missing and finds nothing to do elsewhere. Landed migrations are frozen since: see digests.json.

Adds only, so the version before it can go on serving while this runs. SQLite's tables are not copied.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
LISTED = "visibility = 'public' AND status <> 'draft'"
LONG = {
    'sqlite': f"{LISTED} AND julianday(ends_at) - julianday(starts_at) > 6.9",
    'postgresql': f"{LISTED} AND ends_at - starts_at > interval '6.9 days'",
}
COLUMNS = (
    ('messages', 'leased_by', sa.String(length=40), None),
    ('messages', 'recipient_key', sa.String(length=254), ''),
    ('events', 'reminded_at', INSTANT, None),
    ('events', 'source_url', sa.String(length=1000), ''),
    ('events', 'source_missing_at', INSTANT, None),
    ('received_mails', 'comment', sa.Text(), ''),
)
"""Table, column, type, and the default of one that may not be null."""


def upgrade() -> None:
    for table, name, type_, default in COLUMNS:
        if name not in {column['name'] for column in sa.inspect(op.get_bind()).get_columns(table)}:
            op.add_column(table, sa.Column(name, type_, server_default=default, nullable=default is None))
    op.execute("UPDATE messages SET recipient_key = lower(recipient)"
               " WHERE recipient_key = '' AND state IN ('queued', 'sending', 'retrying')")
    _repair_indexes()
    _repair_search()


def _repair_indexes() -> None:
    for name, table, columns, where in (
        ('ix_events_updated_at', 'events', ['updated_at'], None),
        ('ix_events_listed', 'events', ['starts_at', 'id', 'ends_at', 'status', 'updated_at', 'ics_digest'], LISTED),
        ('ix_events_listed_category', 'events', ['category_key', 'starts_at', 'id', 'ends_at', 'status'], LISTED),
        ('ix_events_long', 'events', ['visibility', 'ends_at', 'starts_at', 'id', 'status'], LONG[op.get_bind().dialect.name]),
        ('ix_events_ends_at', 'events', ['ends_at'], LISTED),
        ('ix_events_categories', 'events', ['category_key', 'ends_at'], LISTED),
        ('ix_events_audiences', 'events', ['audience', 'ends_at'], LISTED),
        ('ix_messages_recipient_key', 'messages', ['recipient_key', 'sent_at'], None),
        ('ix_messages_failed', 'messages', ['event_id'], "state = 'failed'"),
    ):
        there = {index['name']: index['column_names'] for index in sa.inspect(op.get_bind()).get_indexes(table)}
        if name in there and there[name] != columns:
            op.drop_index(name, table)
        if there.get(name) != columns:
            condition = sa.text(where) if where else None
            op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def _repair_search() -> None:
    """The groups of three letters of 0002, where they are missing."""
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(f"""
            DO $$ BEGIN
                CREATE EXTENSION IF NOT EXISTS pg_trgm;
                CREATE INDEX IF NOT EXISTS ix_events_search_text_trgm ON events USING gin (search_text gin_trgm_ops)
                    WHERE {LISTED};
                CREATE INDEX IF NOT EXISTS ix_events_audience_keys_trgm ON events USING gin (audience_keys gin_trgm_ops)
                    WHERE {LISTED};
            EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file THEN
                RAISE NOTICE 'without pg_trgm, searches take longer';
            END $$
        """)
        return
    names = {row[0] for row in op.get_bind().exec_driver_sql("SELECT name FROM sqlite_master")}
    if {'event_search', 'event_search_insert', 'event_search_delete', 'event_search_update'} <= names:
        return
    take = "INSERT INTO event_search (event_search, rowid, search_text, audience_keys) VALUES ('delete', old.id, old.search_text, old.audience_keys);"
    put = "INSERT INTO event_search (rowid, search_text, audience_keys) VALUES (new.id, new.search_text, new.audience_keys);"
    for statement in (
        "CREATE VIRTUAL TABLE IF NOT EXISTS event_search USING fts5(search_text, audience_keys, content='events', content_rowid='id', tokenize='trigram')",
        f"CREATE TRIGGER IF NOT EXISTS event_search_insert AFTER INSERT ON events BEGIN {put} END",
        f"CREATE TRIGGER IF NOT EXISTS event_search_delete AFTER DELETE ON events BEGIN {take} END",
        f"CREATE TRIGGER IF NOT EXISTS event_search_update AFTER UPDATE OF search_text, audience_keys ON events BEGIN {take} {put} END",
        "INSERT INTO event_search (event_search) VALUES ('rebuild')",
    ):
        op.execute(statement)


def downgrade() -> None:
    """What 0003 adds belongs to 0002."""

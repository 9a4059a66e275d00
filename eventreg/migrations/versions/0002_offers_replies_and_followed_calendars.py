"""offers, approval, reminders, replies, bounces, followed calendars

Adds and never changes, so the version before it can go on serving while this runs. SQLite's tables are not copied.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('counters',
    sa.Column('key', sa.String(length=40), nullable=False),
    sa.Column('value', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_counters'))
    )
    op.execute("INSERT INTO counters (key, value) VALUES ('events', 1)")
    op.create_table('followed_calendars',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('url', sa.String(length=2000), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('organizer_id', sa.Integer(), nullable=False),
    sa.Column('category', sa.String(length=60), nullable=False),
    sa.Column('visibility', sa.String(length=20), nullable=False),
    sa.Column('etag', sa.String(length=500), nullable=False),
    sa.Column('last_modified', sa.String(length=100), nullable=False),
    sa.Column('fetched_at', INSTANT, nullable=True),
    sa.Column('next_fetch_at', INSTANT, nullable=True),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('report', sa.Text(), nullable=False),
    sa.Column('created_at', INSTANT, nullable=False),
    sa.CheckConstraint("visibility IN ('public', 'unlisted', 'private')", name=op.f('ck_followed_calendars_visibility_known')),
    sa.ForeignKeyConstraint(['organizer_id'], ['organizers.id'], name=op.f('fk_followed_calendars_organizer_id_organizers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_followed_calendars')),
    sa.UniqueConstraint('url', name=op.f('uq_followed_calendars_url'))
    )
    op.create_index('ix_followed_calendars_next_fetch_at', 'followed_calendars', ['next_fetch_at'])
    op.create_table('received_mails',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('outcome', sa.String(length=10), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=True),
    sa.Column('registration_id', sa.Integer(), nullable=True),
    sa.Column('sender', sa.String(length=254), nullable=False),
    sa.Column('attendee', sa.String(length=254), nullable=False),
    sa.Column('rsvp', sa.String(length=10), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=True),
    sa.Column('stamp_at', INSTANT, nullable=True),
    sa.Column('comment', sa.Text(), server_default='', nullable=False),
    sa.Column('received_at', INSTANT, nullable=False),
    sa.Column('settled_at', INSTANT, nullable=True),
    sa.CheckConstraint("kind IN ('reply', 'bounce', 'other')", name=op.f('ck_received_mails_kind_known')),
    sa.CheckConstraint("outcome IN ('applied', 'ignored', 'held', 'settled')", name=op.f('ck_received_mails_outcome_known')),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_received_mails_event_id_events'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_received_mails_registration_id_registrations'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_received_mails')),
    sa.UniqueConstraint('digest', name=op.f('uq_received_mails_digest'))
    )
    op.create_index('ix_received_mails_event_id', 'received_mails', ['event_id', 'outcome', 'id'])
    op.create_index('ix_received_mails_registration_id', 'received_mails', ['registration_id'])
    op.create_index('ix_received_mails_received_at', 'received_mails', ['received_at'])

    op.add_column('events', sa.Column('offer_hours', sa.Integer(), nullable=True))
    op.add_column('events', sa.Column('needs_approval', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('events', sa.Column('reminder_hours', sa.Integer(), server_default='24', nullable=True))
    op.add_column('events', sa.Column('remind_at', INSTANT, nullable=True))
    op.add_column('events', sa.Column('reminded_at', INSTANT, nullable=True))
    _add_source_id()
    op.add_column('events', sa.Column('source_sequence', sa.Integer(), server_default='0', nullable=False))
    op.add_column('events', sa.Column('source_stamp_at', INSTANT, nullable=True))
    op.add_column('events', sa.Column('source_url', sa.String(length=1000), server_default='', nullable=False))
    op.add_column('events', sa.Column('source_missing_at', INSTANT, nullable=True))
    op.add_column('events', sa.Column('revision', sa.Integer(), server_default='0', nullable=False))
    is_set = sa.text('remind_at IS NOT NULL')
    op.create_index('ix_events_remind_at', 'events', ['remind_at'], sqlite_where=is_set, postgresql_where=is_set)
    op.create_index('ix_events_source_id', 'events', ['source_id', 'starts_at'])

    op.add_column('registrations', sa.Column('offer_expires_at', INSTANT, nullable=True))
    op.add_column('registrations', sa.Column('entry_id', sa.Integer(), nullable=True))
    op.add_column('registrations', sa.Column('reply_sequence', sa.Integer(), nullable=True))
    op.add_column('registrations', sa.Column('reply_stamp_at', INSTANT, nullable=True))
    is_offered = sa.text('offer_expires_at IS NOT NULL')
    op.create_index('ix_registrations_offers', 'registrations', ['offer_expires_at'], sqlite_where=is_offered, postgresql_where=is_offered)

    op.add_column('messages', sa.Column('bounced_at', INSTANT, nullable=True))
    op.add_column('messages', sa.Column('recipient_key', sa.String(length=254), server_default='', nullable=False))
    op.execute("UPDATE messages SET recipient_key = lower(recipient) WHERE state IN ('queued', 'sending', 'retrying')")
    has_failed = sa.text("state = 'failed'")
    op.create_index('ix_messages_failed', 'messages', ['event_id'], sqlite_where=has_failed, postgresql_where=has_failed)
    op.create_index('ix_messages_recipient_key', 'messages', ['recipient_key', 'sent_at'])
    op.add_column('messages', sa.Column('leased_by', sa.String(length=40), nullable=True))
    op.add_column('organizers', sa.Column('feed_generation', sa.Integer(), server_default='1', nullable=False))
    _add_list_indexes()
    _add_search()
    _set_reminders()


def _add_list_indexes() -> None:
    listed = "visibility = 'public' AND status <> 'draft'"
    long = {
        'sqlite': f"{listed} AND julianday(ends_at) - julianday(starts_at) > 6.9",
        'postgresql': f"{listed} AND ends_at - starts_at > interval '6.9 days'",
    }[op.get_bind().dialect.name]
    for name, columns, where in (
        ('ix_events_listed_category', ['category_key', 'starts_at', 'id', 'ends_at', 'status'], listed),
        ('ix_events_long', ['visibility', 'ends_at', 'starts_at', 'id', 'status'], long),
        ('ix_events_ends_at', ['ends_at'], listed),
        ('ix_events_categories', ['category_key', 'ends_at'], listed),
        ('ix_events_audiences', ['audience', 'ends_at'], listed),
    ):
        op.create_index(name, 'events', columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _add_search() -> None:
    """Words wherever they stand: groups of three letters, kept by the database itself.

    A PostgreSQL that may not have pg_trgm searches all the same, by reading along.
    """
    if op.get_bind().dialect.name == 'postgresql':
        op.execute("""
            DO $$ BEGIN
                CREATE EXTENSION IF NOT EXISTS pg_trgm;
                CREATE INDEX ix_events_search_text_trgm ON events USING gin (search_text gin_trgm_ops)
                    WHERE visibility = 'public' AND status <> 'draft';
                CREATE INDEX ix_events_audience_keys_trgm ON events USING gin (audience_keys gin_trgm_ops)
                    WHERE visibility = 'public' AND status <> 'draft';
            EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file THEN
                RAISE NOTICE 'without pg_trgm, searches take longer';
            END $$
        """)
        return
    take = "INSERT INTO event_search (event_search, rowid, search_text, audience_keys) VALUES ('delete', old.id, old.search_text, old.audience_keys);"
    put = "INSERT INTO event_search (rowid, search_text, audience_keys) VALUES (new.id, new.search_text, new.audience_keys);"
    for statement in (
        "CREATE VIRTUAL TABLE event_search USING fts5(search_text, audience_keys, content='events', content_rowid='id', tokenize='trigram')",
        f"CREATE TRIGGER event_search_insert AFTER INSERT ON events BEGIN {put} END",
        f"CREATE TRIGGER event_search_delete AFTER DELETE ON events BEGIN {take} END",
        f"CREATE TRIGGER event_search_update AFTER UPDATE OF search_text, audience_keys ON events BEGIN {take} {put} END",
        "INSERT INTO event_search (event_search) VALUES ('rebuild')",
    ):
        op.execute(statement)


def _drop_search() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('DROP INDEX IF EXISTS ix_events_search_text_trgm, ix_events_audience_keys_trgm')
        return  # the extension may serve others
    for name in ('insert', 'delete', 'update'):
        op.execute(f'DROP TRIGGER event_search_{name}')
    op.execute('DROP TABLE event_search')


def _add_source_id() -> None:
    """With its reference in the same statement, or SQLite would copy the table to add it."""
    if op.get_bind().dialect.name == 'sqlite':
        op.execute('ALTER TABLE events ADD COLUMN source_id INTEGER'
                   ' CONSTRAINT fk_events_source_id_followed_calendars REFERENCES followed_calendars (id)')
        return
    op.add_column('events', sa.Column('source_id', sa.Integer(), nullable=True))
    op.create_foreign_key(op.f('fk_events_source_id_followed_calendars'), 'events', 'followed_calendars', ['source_id'], ['id'])


def _set_reminders() -> None:
    """Events that are announced already remind like new ones, unless their hour has passed."""
    if op.get_bind().dialect.name == 'sqlite':
        hour = "strftime('%Y-%m-%d %H:%M:%S.000000', starts_at, '-24 hours')"
        now = "strftime('%Y-%m-%d %H:%M:%S', 'now')"
    else:
        hour, now = "starts_at - interval '24 hours'", 'now()'
    op.execute(f"UPDATE events SET remind_at = {hour} WHERE status = 'published' AND {hour} > {now}")


def downgrade() -> None:
    _drop_search()
    for name in ('listed_category', 'long', 'ends_at', 'categories', 'audiences'):
        op.drop_index(f'ix_events_{name}', 'events')
    op.drop_column('organizers', 'feed_generation')
    op.drop_column('messages', 'leased_by')
    op.drop_index('ix_messages_recipient_key', 'messages')
    op.drop_index('ix_messages_failed', 'messages')
    op.drop_column('messages', 'recipient_key')
    op.drop_column('messages', 'bounced_at')
    op.drop_index('ix_registrations_offers', 'registrations')
    for name in ('reply_stamp_at', 'reply_sequence', 'entry_id', 'offer_expires_at'):
        op.drop_column('registrations', name)
    op.drop_index('ix_events_source_id', 'events')
    op.drop_index('ix_events_remind_at', 'events')
    for name in ('revision', 'source_missing_at', 'source_url', 'source_stamp_at', 'source_sequence', 'source_id', 'reminded_at', 'remind_at', 'reminder_hours', 'needs_approval', 'offer_hours'):
        op.drop_column('events', name)
    op.drop_table('received_mails')
    op.drop_table('followed_calendars')
    op.drop_table('counters')

"""first tables

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op


revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('audit_entries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_kind', sa.String(length=20), nullable=False),
    sa.Column('actor_id', sa.Integer(), nullable=True),
    sa.Column('actor_name', sa.String(length=254), nullable=False),
    sa.Column('action', sa.String(length=60), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=True),
    sa.Column('registration_id', sa.Integer(), nullable=True),
    sa.Column('changes', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entries'))
    )
    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.create_index('ix_audit_entries_event_id', ['event_id', 'id'], unique=False)
        batch_op.create_index('ix_audit_entries_registration_id', ['registration_id', 'id'], unique=False)

    op.create_table('feed_resets',
    sa.Column('email_key', sa.String(length=254), nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('email_key', name=op.f('pk_feed_resets'))
    )
    op.create_table('organizers',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('password', sa.String(length=255), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('fs_uniquifier', sa.String(length=64), nullable=False),
    sa.Column('tf_primary_method', sa.String(length=64), nullable=True),
    sa.Column('tf_totp_secret', sa.String(length=255), nullable=True),
    sa.Column('tf_last_counter', sa.BigInteger(), nullable=True),
    sa.Column('mf_recovery_codes', sa.UnicodeText(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_organizers')),
    sa.UniqueConstraint('email', name=op.f('uq_organizers_email')),
    sa.UniqueConstraint('fs_uniquifier', name=op.f('uq_organizers_fs_uniquifier'))
    )
    op.create_table('roles',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=20), nullable=False),
    sa.Column('description', sa.String(length=200), nullable=False),
    sa.CheckConstraint("name IN ('admin', 'organizer', 'door')", name=op.f('ck_roles_name_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roles')),
    sa.UniqueConstraint('name', name=op.f('uq_roles_name'))
    )
    op.create_table('site_state',
    sa.Column('key', sa.String(length=40), nullable=False),
    sa.Column('value', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_site_state'))
    )
    op.create_table('events',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('uid', sa.String(length=255), nullable=False),
    sa.Column('slug', sa.String(length=100), nullable=False),
    sa.Column('organizer_id', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('summary', sa.String(length=400), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('timezone', sa.String(length=64), nullable=False),
    sa.Column('all_day', sa.Boolean(), nullable=False),
    sa.Column('location_name', sa.String(length=200), nullable=False),
    sa.Column('location_address', sa.String(length=400), nullable=False),
    sa.Column('directions', sa.Text(), nullable=False),
    sa.Column('online_url', sa.String(length=1000), nullable=False),
    sa.Column('contact_email', sa.String(length=254), nullable=False),
    sa.Column('category', sa.String(length=60), nullable=False),
    sa.Column('category_key', sa.String(length=60), nullable=False),
    sa.Column('audience', sa.String(length=400), nullable=False),
    sa.Column('audience_keys', sa.String(length=400), nullable=False),
    sa.Column('search_text', sa.Text(), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('visibility', sa.String(length=20), nullable=False),
    sa.Column('capacity', sa.Integer(), nullable=True),
    sa.Column('seats_taken', sa.Integer(), nullable=False),
    sa.Column('max_party_size', sa.Integer(), nullable=False),
    sa.Column('waitlist_open', sa.Boolean(), nullable=False),
    sa.Column('waitlist_rule', sa.String(length=10), nullable=False),
    sa.Column('registration_opens_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('registration_closes_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('significant_sequence', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('cancelled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ics_block', sa.LargeBinary(), nullable=True),
    sa.Column('ics_digest', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("status IN ('draft', 'published', 'cancelled')", name=op.f('ck_events_status_known')),
    sa.CheckConstraint("visibility IN ('public', 'unlisted', 'private')", name=op.f('ck_events_visibility_known')),
    sa.CheckConstraint("waitlist_rule IN ('skip', 'hold')", name=op.f('ck_events_waitlist_rule_known')),
    sa.CheckConstraint('capacity IS NULL OR (capacity >= 1 AND seats_taken <= capacity)', name=op.f('ck_events_seats_within_capacity')),
    sa.CheckConstraint('ends_at > starts_at', name=op.f('ck_events_ends_after_start')),
    sa.CheckConstraint('max_party_size BETWEEN 1 AND 100', name=op.f('ck_events_max_party_size_sane')),
    sa.CheckConstraint('registration_opens_at IS NULL OR registration_closes_at IS NULL OR registration_closes_at > registration_opens_at', name=op.f('ck_events_window_in_order')),
    sa.CheckConstraint('seats_taken >= 0', name=op.f('ck_events_seats_taken_not_negative')),
    sa.ForeignKeyConstraint(['organizer_id'], ['organizers.id'], name=op.f('fk_events_organizer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_events')),
    sa.UniqueConstraint('slug', name=op.f('uq_events_slug')),
    sa.UniqueConstraint('uid', name=op.f('uq_events_uid'))
    )
    with op.batch_alter_table('events', schema=None) as batch_op:
        batch_op.create_index('ix_events_category_key', ['category_key', 'starts_at'], unique=False)
        batch_op.create_index('ix_events_listed', ['starts_at', 'id', 'ends_at', 'status', 'updated_at', 'ics_digest'], unique=False, sqlite_where=sa.text("visibility = 'public' AND status <> 'draft'"), postgresql_where=sa.text("visibility = 'public' AND status <> 'draft'"))
        batch_op.create_index('ix_events_organizer_id', ['organizer_id', 'starts_at'], unique=False)
        batch_op.create_index('ix_events_updated_at', ['updated_at'], unique=False)

    op.create_table('organizers_roles',
    sa.Column('organizer_id', sa.Integer(), nullable=False),
    sa.Column('role_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['organizer_id'], ['organizers.id'], name=op.f('fk_organizers_roles_organizer_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['role_id'], ['roles.id'], name=op.f('fk_organizers_roles_role_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organizer_id', 'role_id', name=op.f('pk_organizers_roles'))
    )
    op.create_table('event_pictures',
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=16), nullable=False),
    sa.Column('alt_text', sa.String(length=200), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('webp', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_event_pictures_event_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_event_pictures'))
    )
    op.create_table('questions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('label', sa.String(length=200), nullable=False),
    sa.Column('hint', sa.String(length=300), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('choices', sa.Text(), nullable=False),
    sa.Column('required', sa.Boolean(), nullable=False),
    sa.Column('retired_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("kind IN ('text', 'paragraph', 'choice', 'checkbox')", name=op.f('ck_questions_kind_known')),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_questions_event_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_questions'))
    )
    with op.batch_alter_table('questions', schema=None) as batch_op:
        batch_op.create_index('ix_questions_event_id', ['event_id', 'position'], unique=False)

    op.create_table('registrations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('email_key', sa.String(length=254), nullable=False),
    sa.Column('search_text', sa.String(length=500), nullable=False),
    sa.Column('rsvp', sa.String(length=10), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('party_size', sa.Integer(), nullable=False),
    sa.Column('waitlisted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source', sa.String(length=20), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('link_generation', sa.Integer(), nullable=False),
    sa.Column('calendar_stamp_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('checked_in_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('cancelled_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("rsvp IN ('yes', 'no', 'maybe')", name=op.f('ck_registrations_rsvp_known')),
    sa.CheckConstraint("status <> 'waitlisted' OR (rsvp = 'yes' AND waitlisted_at IS NOT NULL)", name=op.f('ck_registrations_waits_for_yes')),
    sa.CheckConstraint("status IN ('pending', 'confirmed', 'waitlisted', 'cancelled')", name=op.f('ck_registrations_status_known')),
    sa.CheckConstraint('email_key = lower(email_key)', name=op.f('ck_registrations_email_key_lower')),
    sa.CheckConstraint('party_size >= 1', name=op.f('ck_registrations_party_size_positive')),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_registrations_event_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_registrations'))
    )
    with op.batch_alter_table('registrations', schema=None) as batch_op:
        batch_op.create_index('ix_registrations_email_key', ['email_key'], unique=False)
        batch_op.create_index('ix_registrations_event_id', ['event_id', 'id'], unique=False)
        batch_op.create_index('ix_registrations_waiting', ['event_id', 'waitlisted_at', 'id'], unique=False, sqlite_where=sa.text("status = 'waitlisted'"), postgresql_where=sa.text("status = 'waitlisted'"))
        batch_op.create_index('uq_registrations_live', ['event_id', 'email_key'], unique=True, sqlite_where=sa.text("status <> 'cancelled'"), postgresql_where=sa.text("status <> 'cancelled'"))

    op.create_table('answers',
    sa.Column('registration_id', sa.Integer(), nullable=False),
    sa.Column('question_id', sa.Integer(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['question_id'], ['questions.id'], name=op.f('fk_answers_question_id')),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_answers_registration_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('registration_id', 'question_id', name=op.f('pk_answers'))
    )
    op.create_table('messages',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=30), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=True),
    sa.Column('registration_id', sa.Integer(), nullable=True),
    sa.Column('recipient', sa.String(length=254), nullable=False),
    sa.Column('recipient_name', sa.String(length=200), nullable=False),
    sa.Column('payload', sa.JSON(), nullable=False),
    sa.Column('message_key', sa.String(length=32), nullable=False),
    sa.Column('stamp_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('leased_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('server_reply', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('queued', 'sending', 'sent', 'retrying', 'failed', 'aborted')", name=op.f('ck_messages_state_known')),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_messages_event_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_messages_registration_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_messages')),
    sa.UniqueConstraint('message_key', name=op.f('uq_messages_message_key'))
    )
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.create_index('ix_messages_due', ['due_at'], unique=False, sqlite_where=sa.text("state IN ('queued', 'sending', 'retrying')"), postgresql_where=sa.text("state IN ('queued', 'sending', 'retrying')"))
        batch_op.create_index('ix_messages_recipient', ['recipient', 'created_at'], unique=False)
        batch_op.create_index('ix_messages_registration_id', ['registration_id', 'id'], unique=False)

    roles = sa.table("roles", sa.column("name", sa.String), sa.column("description", sa.String))
    op.bulk_insert(
        roles,
        [
            {"name": "admin", "description": "Every event and account"},
            {"name": "organizer", "description": "Their own events"},
            {"name": "door", "description": "Names and party sizes at the door"},
        ],
    )


def downgrade() -> None:
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.drop_index('ix_messages_registration_id')
        batch_op.drop_index('ix_messages_recipient')
        batch_op.drop_index('ix_messages_due', sqlite_where=sa.text("state IN ('queued', 'sending', 'retrying')"), postgresql_where=sa.text("state IN ('queued', 'sending', 'retrying')"))

    op.drop_table('messages')
    op.drop_table('answers')
    with op.batch_alter_table('registrations', schema=None) as batch_op:
        batch_op.drop_index('uq_registrations_live', sqlite_where=sa.text("status <> 'cancelled'"), postgresql_where=sa.text("status <> 'cancelled'"))
        batch_op.drop_index('ix_registrations_waiting', sqlite_where=sa.text("status = 'waitlisted'"), postgresql_where=sa.text("status = 'waitlisted'"))
        batch_op.drop_index('ix_registrations_event_id')
        batch_op.drop_index('ix_registrations_email_key')

    op.drop_table('registrations')
    with op.batch_alter_table('questions', schema=None) as batch_op:
        batch_op.drop_index('ix_questions_event_id')

    op.drop_table('questions')
    op.drop_table('event_pictures')
    op.drop_table('organizers_roles')
    with op.batch_alter_table('events', schema=None) as batch_op:
        batch_op.drop_index('ix_events_updated_at')
        batch_op.drop_index('ix_events_organizer_id')
        batch_op.drop_index('ix_events_listed', sqlite_where=sa.text("visibility = 'public' AND status <> 'draft'"), postgresql_where=sa.text("visibility = 'public' AND status <> 'draft'"))
        batch_op.drop_index('ix_events_category_key')

    op.drop_table('events')
    op.drop_table('site_state')
    op.drop_table('roles')
    op.drop_table('organizers')
    op.drop_table('feed_resets')
    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_entries_registration_id')
        batch_op.drop_index('ix_audit_entries_event_id')

    op.drop_table('audit_entries')

"""sign-ins as rows, failure counts, the account in audit entries

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('sign_ins',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('organizer_id', sa.Integer(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('is_halfway', sa.Boolean(), nullable=False),
    sa.Column('user_agent', sa.String(length=200), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organizer_id'], ['organizers.id'], name=op.f('fk_sign_ins_organizer_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_ins')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_sign_ins_token_hash'))
    )
    op.create_index('ix_sign_ins_organizer_id', 'sign_ins', ['organizer_id', 'id'])
    op.create_index('ix_sign_ins_created_at', 'sign_ins', ['created_at'])
    op.create_table('failure_counts',
    sa.Column('account_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('action', sa.String(length=60), nullable=False),
    sa.Column('hour', sa.Integer(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('account_id', 'action', name=op.f('pk_failure_counts'))
    )
    op.add_column('audit_entries', sa.Column('account_id', sa.Integer(), nullable=True))
    op.create_index('ix_audit_entries_account_id', 'audit_entries', ['account_id', 'id'])


def downgrade() -> None:
    op.drop_index('ix_audit_entries_account_id', 'audit_entries')
    op.drop_column('audit_entries', 'account_id')
    op.drop_table('failure_counts')
    op.drop_table('sign_ins')

"""confirmation of the address

Adds only, so the version before it can go on serving while this runs.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

UNCONFIRMED = sa.text("kind = 'confirm_address' AND registration_id IS NULL")


def upgrade() -> None:
    op.add_column('events', sa.Column('confirm_address', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index('ix_messages_unconfirmed', 'messages', ['created_at'], sqlite_where=UNCONFIRMED, postgresql_where=UNCONFIRMED)


def downgrade() -> None:
    op.drop_index('ix_messages_unconfirmed', 'messages')
    op.drop_column('events', 'confirm_address')

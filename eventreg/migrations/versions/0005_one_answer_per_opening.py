"""one answer per opening of the form

Adds only, so the version before it can go on serving while this runs.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

IS_SET = sa.text('opening IS NOT NULL')


def upgrade() -> None:
    op.add_column('registrations', sa.Column('opening', sa.String(length=32), nullable=True))
    op.create_index('uq_registrations_opening', 'registrations', ['opening'], unique=True, sqlite_where=IS_SET, postgresql_where=IS_SET)


def downgrade() -> None:
    op.drop_index('uq_registrations_opening', 'registrations')
    op.drop_column('registrations', 'opening')

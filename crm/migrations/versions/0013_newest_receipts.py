"""receipts by day and those without an agreement, and what an office planned, are found in their order by indexes"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

ALONE = sa.text('agreement_id IS NULL')


def upgrade() -> None:
    op.create_index('ix_receipts_value', 'receipts', ['value_on', 'id'])
    for name, columns in (('office', ['office_id', 'value_on']), ('donor', ['donor_id', 'value_on']), ('pledge', ['pledge_id'])):
        op.create_index(f'ix_receipts_alone_{name}', 'receipts', columns, sqlite_where=ALONE, postgresql_where=ALONE)
    op.drop_index('ix_interactions_office_state_starts', table_name='interactions')
    op.create_index('ix_interactions_office_state_starts', 'interactions', ['office_id', 'state', 'starts_at', 'id'])


def downgrade() -> None:
    op.drop_index('ix_interactions_office_state_starts', table_name='interactions')
    op.create_index('ix_interactions_office_state_starts', 'interactions', ['office_id', 'state', 'starts_at'])
    for name in ('pledge', 'donor', 'office'):
        op.drop_index(f'ix_receipts_alone_{name}', table_name='receipts')
    op.drop_index('ix_receipts_value', table_name='receipts')

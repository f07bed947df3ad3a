"""the pledges of a programme are found in the order of their days; the index of agreements holds no receipt without one"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index('ix_pledges_programme_id', table_name='pledges')
    op.create_index('ix_pledges_programme_made', 'pledges', ['programme_id', 'pledged_on', 'id', 'office_id'])
    op.drop_index('ix_receipts_agreement_id', table_name='receipts')
    where = sa.text('agreement_id IS NOT NULL')
    op.create_index('ix_receipts_agreement_id', 'receipts', ['agreement_id'], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index('ix_receipts_agreement_id', table_name='receipts')
    op.create_index('ix_receipts_agreement_id', 'receipts', ['agreement_id'])
    op.drop_index('ix_pledges_programme_made', table_name='pledges')
    op.create_index('ix_pledges_programme_id', 'pledges', ['programme_id'])

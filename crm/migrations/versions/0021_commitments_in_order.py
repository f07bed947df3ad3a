"""commitments in the order of their list: the first page of 200,000 is read from an index"""

import sqlalchemy as sa
from alembic import op

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

DUE = "coalesce(due_on, '9999-12-31')"


def upgrade() -> None:
    op.create_index('ix_commitments_due_order', 'commitments', [sa.text(DUE), 'id'])
    op.create_index('ix_commitments_office_due_order', 'commitments', ['office_id', sa.text(DUE), 'id'])


def downgrade() -> None:
    op.drop_index('ix_commitments_office_due_order', table_name='commitments')
    op.drop_index('ix_commitments_due_order', table_name='commitments')

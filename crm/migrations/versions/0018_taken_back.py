"""pledges that were taken back, among all others"""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    where = sa.text('announced_minor = 0')
    op.create_index('ix_pledges_taken_back', 'pledges', ['id', 'office_id'], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index('ix_pledges_taken_back', table_name='pledges')

"""what else is wrong with a rejected row, so that it is mended once"""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('import_rejects') as batch_op:
        batch_op.add_column(sa.Column('also', sa.Text(), nullable=False, server_default=''))
    with op.batch_alter_table('import_rejects') as batch_op:
        batch_op.alter_column('also', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('import_rejects') as batch_op:
        batch_op.drop_column('also')

"""what donors call their pledges"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('pledges', schema=None) as batch_op:
        batch_op.add_column(sa.Column('donor_reference', sa.String(length=100), nullable=False, server_default=''))
    with op.batch_alter_table('pledges', schema=None) as batch_op:
        batch_op.alter_column('donor_reference', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('pledges', schema=None) as batch_op:
        batch_op.drop_column('donor_reference')

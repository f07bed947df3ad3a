"""what all share is read once by each process, as long as its edition has the same number"""

import sqlalchemy as sa
from alembic import op

from crm.db import new_id

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    editions = op.create_table(
        'editions',
        sa.Column('name', sa.String(length=20), nullable=False),
        sa.Column('number', sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint('name', name=op.f('pk_editions')),
    )
    op.bulk_insert(editions, [{'name': name, 'number': new_id()} for name in ('rates', 'codes', 'offices')])


def downgrade() -> None:
    op.drop_table('editions')

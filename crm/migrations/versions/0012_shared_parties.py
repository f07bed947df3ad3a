"""shared parties are found by an index"""

from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_parties_visibility', 'parties', ['visibility'])


def downgrade() -> None:
    op.drop_index('ix_parties_visibility', table_name='parties')

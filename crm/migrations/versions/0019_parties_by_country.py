"""parties by their country: how many of each are counted from an index alone"""

from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_parties_country', 'parties', ['country'])


def downgrade() -> None:
    op.drop_index('ix_parties_country', table_name='parties')

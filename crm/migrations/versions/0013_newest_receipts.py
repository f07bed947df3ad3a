"""receipts of all offices are listed by the day they came without being sorted each time"""

from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_receipts_value', 'receipts', ['value_on', 'id'])


def downgrade() -> None:
    op.drop_index('ix_receipts_value', table_name='receipts')

"""parties of a kind: PostgreSQL read the kinds of all parties for those of one that an office knows"""

from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_party_kinds_kind_office', 'party_kinds', ['kind', 'office_id'])
    op.create_index('ix_party_kinds_kind_visibility', 'party_kinds', ['kind', 'visibility'])


def downgrade() -> None:
    op.drop_index('ix_party_kinds_kind_visibility', table_name='party_kinds')
    op.drop_index('ix_party_kinds_kind_office', table_name='party_kinds')

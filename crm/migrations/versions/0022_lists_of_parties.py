"""lists of parties: those of a kind, and the last contact of each, are found in an index alone"""

from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_party_kinds_kind_office', 'party_kinds', ['kind', 'office_id'])
    op.create_index('ix_party_kinds_kind_visibility', 'party_kinds', ['kind', 'visibility'])
    op.drop_index('ix_interactions_party_starts', table_name='interactions')
    op.create_index('ix_interactions_party_starts', 'interactions', ['party_id', 'starts_at', 'state', 'level', 'office_id'])


def downgrade() -> None:
    op.drop_index('ix_interactions_party_starts', table_name='interactions')
    op.create_index('ix_interactions_party_starts', 'interactions', ['party_id', 'starts_at'])
    op.drop_index('ix_party_kinds_kind_visibility', table_name='party_kinds')
    op.drop_index('ix_party_kinds_kind_office', table_name='party_kinds')

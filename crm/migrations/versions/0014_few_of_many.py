"""what few of many rows have (an organisation above, a party of a note) is found by an index of those alone"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

INDEXES = (('ix_parties_part_of_id', 'parties', 'part_of_id'), ('ix_notes_party_id', 'notes', 'party_id'))


def upgrade() -> None:
    for name, table, column in INDEXES:
        op.drop_index(name, table_name=table)
        where = sa.text(f'{column} IS NOT NULL')
        op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, column in INDEXES:
        op.drop_index(name, table_name=table)
        op.create_index(name, table, [column])

"""those who took part are found by the party, or the user, of those who are one"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

INDEXES = (('ix_participants_party_id', 'participants', 'party_id'), ('ix_participants_user_id', 'participants', 'user_id'))


def upgrade() -> None:
    for name, table, column in INDEXES:
        op.drop_index(name, table_name=table)
        where = sa.text(f'{column} IS NOT NULL')
        op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, column in INDEXES:
        op.drop_index(name, table_name=table)
        op.create_index(name, table, [column])

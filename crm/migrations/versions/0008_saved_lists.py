"""saved lists"""

import sqlalchemy as sa
from alembic import op

import crm.db

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('saved_lists',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('office_id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('noun', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('query', sa.String(length=2000), nullable=False),
    sa.Column('is_shared', sa.Boolean(), nullable=False),
    sa.Column('created_at', crm.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('created_by_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint("noun IN ('parties', 'interactions', 'pledges', 'commitments', 'asks', 'follow-ups', 'programmes')", name=op.f('ck_saved_lists_noun_known')),
    sa.CheckConstraint('length(name) > 0', name=op.f('ck_saved_lists_name_present')),
    sa.ForeignKeyConstraint(['office_id'], ['offices.id'], name=op.f('fk_saved_lists_office_id')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_saved_lists_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_lists')),
    sa.UniqueConstraint('user_id', 'noun', 'name', name=op.f('uq_saved_lists_user_id_noun_name'))
    )
    with op.batch_alter_table('saved_lists', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_saved_lists_office_id'), ['office_id'], unique=False)


def downgrade() -> None:
    op.drop_table('saved_lists')

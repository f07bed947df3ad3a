"""possible duplicates"""

import sqlalchemy as sa
from alembic import op

import crm.db
import crm.models.base

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('party_distinctions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('office_id', sa.Uuid(), nullable=False),
    sa.Column('one_id', sa.Uuid(), nullable=False),
    sa.Column('other_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', crm.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('created_by_id', sa.Uuid(), nullable=True),
    sa.ForeignKeyConstraint(['office_id'], ['offices.id'], name=op.f('fk_party_distinctions_office_id')),
    sa.ForeignKeyConstraint(['one_id'], ['parties.id'], name=op.f('fk_party_distinctions_one_id')),
    sa.ForeignKeyConstraint(['other_id'], ['parties.id'], name=op.f('fk_party_distinctions_other_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_party_distinctions')),
    sa.UniqueConstraint('office_id', 'one_id', 'other_id', name=op.f('uq_party_distinctions_office_id_one_id_other_id'))
    )
    with op.batch_alter_table('party_distinctions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_party_distinctions_office_id'), ['office_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_party_distinctions_one_id'), ['one_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_party_distinctions_other_id'), ['other_id'], unique=False)
    op.create_table('party_keys',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('office_id', sa.Uuid(), nullable=False),
    sa.Column('visibility', sa.String(length=10), nullable=False),
    sa.Column('party_id', sa.Uuid(), nullable=False),
    sa.Column('key', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("visibility IN ('shared', 'office')", name=op.f('ck_party_keys_visibility_known')),
    sa.ForeignKeyConstraint(['office_id', 'party_id'], ['parties.office_id', 'parties.id'], name=op.f('fk_party_keys_office_id_party_id')),
    sa.ForeignKeyConstraint(['office_id'], ['offices.id'], name=op.f('fk_party_keys_office_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_party_keys'))
    )
    with op.batch_alter_table('party_keys', schema=None) as batch_op:
        batch_op.create_index('ix_party_keys_key', ['key'], unique=False)
        batch_op.create_index(batch_op.f('ix_party_keys_office_id'), ['office_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_party_keys_party_id'), ['party_id'], unique=False)


def downgrade() -> None:
    op.drop_table('party_keys')
    op.drop_table('party_distinctions')

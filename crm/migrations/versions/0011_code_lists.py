"""code lists: goal areas, sectors, kinds of interactions and of parties as they stand in seeds/0011-codes.csv; a programme's goal areas are tags of it"""

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import op

import crm.db

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

SEEDS = Path(__file__).parents[1] / 'seeds' / '0011-codes.csv'
SCHEMES = "scheme IN ('sdg-goal', 'sdg-target', 'crc')"
INTERACTIONS = "kind IN ('meeting', 'call', 'visit', 'letter', 'event', 'media')"
PARTIES = (
    "kind IN ('donor', 'national-leader', 'local-leader-religious', 'local-leader-traditional', 'local-leader-community', 'government', "
    "'parliament', 'ngo', 'community-group', 'media', 'private-sector', 'academic', 'youth', 'family-group', 'un-agency', 'pooled-fund')"
)
WITH_GOAL_AREAS = "scheme IN ('sdg-goal', 'sdg-target', 'crc', 'goal-area')"


def upgrade() -> None:
    codes = op.create_table('codes',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('list_name', sa.String(length=20), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('label', sa.String(length=200), nullable=False),
    sa.Column('description', sa.String(length=600), nullable=False),
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=True),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('is_withdrawn', sa.Boolean(), nullable=False),
    sa.Column('created_at', crm.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('created_by_id', sa.Uuid(), nullable=True),
    sa.Column('version', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("list_name IN ('goal-areas', 'sectors', 'interaction-kinds', 'party-kinds')", name=op.f('ck_codes_list_name_known')),
    sa.CheckConstraint('length(code) > 0 AND length(label) > 0', name=op.f('ck_codes_present')),
    sa.CheckConstraint('valid_from IS NULL OR valid_to IS NULL OR valid_to >= valid_from', name=op.f('ck_codes_ends_after_start')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_codes')),
    sa.UniqueConstraint('list_name', 'code', name=op.f('uq_codes_list_name_code'))
    )
    op.create_table('code_labels',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('code_id', sa.Uuid(), nullable=False),
    sa.Column('language', sa.String(length=10), nullable=False),
    sa.Column('label', sa.String(length=200), nullable=False),
    sa.CheckConstraint('length(label) > 0', name=op.f('ck_code_labels_label_present')),
    sa.ForeignKeyConstraint(['code_id'], ['codes.id'], name=op.f('fk_code_labels_code_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_code_labels')),
    sa.UniqueConstraint('code_id', 'language', name=op.f('uq_code_labels_code_id_language'))
    )
    with SEEDS.open(encoding='utf-8', newline='') as file:
        op.bulk_insert(codes, [_seed(row) for row in csv.DictReader(file)])
    _check_schemes(WITH_GOAL_AREAS)
    with op.batch_alter_table('party_kinds', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_party_kinds_kind_known'), type_='check')
    with op.batch_alter_table('interactions', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_interactions_kind_known'), type_='check')
        batch_op.alter_column('kind', existing_type=sa.String(length=10), type_=sa.String(length=40), existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table('interactions', schema=None) as batch_op:
        batch_op.alter_column('kind', existing_type=sa.String(length=40), type_=sa.String(length=10), existing_nullable=False)
        batch_op.create_check_constraint(batch_op.f('ck_interactions_kind_known'), INTERACTIONS)
    with op.batch_alter_table('party_kinds', schema=None) as batch_op:
        batch_op.create_check_constraint(batch_op.f('ck_party_kinds_kind_known'), PARTIES)
    op.execute("DELETE FROM programme_tags WHERE scheme = 'goal-area'")
    _check_schemes(SCHEMES)
    op.drop_table('code_labels')
    op.drop_table('codes')


def _seed(row: dict[str, str]) -> dict[str, object]:
    return {
        'id': crm.db.new_id(),
        'list_name': row['list'],
        'code': row['code'],
        'label': row['label'],
        'description': row['description'],
        'position': int(row['position']),
        'valid_from': date.fromisoformat(row['valid_from']) if row['valid_from'] else None,
        'valid_to': date.fromisoformat(row['valid_to']) if row['valid_to'] else None,
        'is_withdrawn': row['withdrawn'] == 'yes',
        'created_at': datetime.now(UTC),
        'created_by_id': None,
        'version': 1,
    }


def _check_schemes(condition: str) -> None:
    """Which schemes a tag may have."""
    with op.batch_alter_table('programme_tags', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_programme_tags_scheme_known'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_programme_tags_scheme_known'), condition)

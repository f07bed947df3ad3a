"""saved lists of agreements and receipts"""

from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

BEFORE = "noun IN ('parties', 'interactions', 'pledges', 'commitments', 'asks', 'follow-ups', 'programmes')"
NOW = "noun IN ('parties', 'interactions', 'pledges', 'commitments', 'asks', 'follow-ups', 'programmes', 'agreements', 'receipts')"


def _known(condition: str) -> None:
    with op.batch_alter_table('saved_lists', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_saved_lists_noun_known'), type_='check')
        batch_op.create_check_constraint(op.f('ck_saved_lists_noun_known'), condition)


def upgrade() -> None:
    _known(NOW)


def downgrade() -> None:
    op.execute("DELETE FROM saved_lists WHERE noun IN ('agreements', 'receipts')")
    _known(BEFORE)

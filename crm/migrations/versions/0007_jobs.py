"""background work: jobs, workers, how far an import is"""

import sqlalchemy as sa
from alembic import op

import crm.db
import crm.models.base

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

STATE = 'ck_import_batches_state_known'
BEFORE = "state IN ('checked', 'applied', 'refused')"
AFTER = "state IN ('checked', 'queued', 'running', 'applied', 'cancelled', 'failed', 'refused')"
OPEN = sa.text("state IN ('queued', 'running')")


def _number(name: str) -> sa.Column:
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False)


def _moment(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, crm.db.UtcDateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table('jobs',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('office_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('subject_id', sa.Uuid(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('run', sa.Uuid(), nullable=True),
    _number('tries'),
    _number('done'),
    _number('total'),
    sa.Column('message', sa.String(length=600), nullable=False),
    _moment('next_try_at'),
    _moment('ended_at'),
    _moment('created_at', nullable=False),
    sa.Column('created_by_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'dismissed')", name=op.f('ck_jobs_state_known')),
    sa.ForeignKeyConstraint(['office_id'], ['offices.id'], name=op.f('fk_jobs_office_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_jobs'))
    )
    with op.batch_alter_table('jobs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_jobs_office_id'), ['office_id'], unique=False)
        batch_op.create_index('ix_jobs_state_created', ['state', 'created_at', 'id'], unique=False)
        batch_op.create_index('ix_jobs_subject', ['subject_id'], unique=False)
        batch_op.create_index('uq_jobs_open_subject', ['subject_id'], unique=True, sqlite_where=OPEN, postgresql_where=OPEN)

    op.create_table('workers',
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('host', sa.String(length=200), nullable=False),
    _number('pid'),
    _moment('started_at', nullable=False),
    _moment('beat_at', nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_workers'))
    )

    with op.batch_alter_table('import_batches', schema=None) as batch_op:
        batch_op.add_column(sa.Column('taken', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('progress', sa.Text(), nullable=False, server_default=''))
        batch_op.drop_constraint(batch_op.f(STATE), type_='check')
        batch_op.create_check_constraint(batch_op.f(STATE), AFTER)
    with op.batch_alter_table('import_batches', schema=None) as batch_op:
        batch_op.alter_column('taken', server_default=None)
        batch_op.alter_column('progress', server_default=None)


def downgrade() -> None:
    # What was stopped in between counts as brought in, as far as it got; what waits, or has taken nothing, as checked.
    batches = sa.table('import_batches', sa.column('state'), sa.column('taken'), sa.column('applied_at'), sa.column('created_at'))
    stopped = batches.c.state.in_(('queued', 'running', 'cancelled', 'failed'))
    op.execute(batches.update().where(stopped, batches.c.taken > 0).values(state='applied', applied_at=batches.c.created_at))
    op.execute(batches.update().where(stopped).values(state='checked'))
    with op.batch_alter_table('import_batches', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f(STATE), type_='check')
        batch_op.create_check_constraint(batch_op.f(STATE), BEFORE)
        batch_op.drop_column('progress')
        batch_op.drop_column('taken')
    op.drop_table('workers')
    op.drop_table('jobs')

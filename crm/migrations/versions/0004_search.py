"""the search index"""

import sqlalchemy as sa
from alembic import op

import crm.db
import crm.models.base

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

# A later migration that rebuilds search_entries in batch mode on SQLite drops these triggers with it: make them anew there.


def tokens(row):
    """The words of an entry as the index has them: each with the entry's mark before it, and once more with `wide`."""
    words = f"trim({row}words || ' ' || {row}party_words)"
    marked = f"replace(' ' || {words}, ' ', ' ' || {row}mark)"
    return f"{marked} || CASE WHEN {row}wide = '' THEN '' ELSE replace(' ' || {words}, ' ', ' ' || {row}wide) END"


SQLITE = (
    f"CREATE VIEW search_texts AS SELECT seq, {tokens('')} AS tokens FROM search_entries",
    # detail=none and columnsize=0: no places of words, no lengths, no rank. The prefixes are those of `wide` and seven letters.
    "CREATE VIRTUAL TABLE search_tokens USING fts5(tokens, content='search_texts', content_rowid='seq', "
    "tokenize='ascii', detail=none, columnsize=0, prefix='2 3 4 5 6 7 8')",
    "CREATE TRIGGER search_entries_made AFTER INSERT ON search_entries BEGIN "
    f"INSERT INTO search_tokens (rowid, tokens) VALUES (new.seq, {tokens('new.')}); END",
    "CREATE TRIGGER search_entries_gone AFTER DELETE ON search_entries BEGIN "
    f"INSERT INTO search_tokens (search_tokens, rowid, tokens) VALUES ('delete', old.seq, {tokens('old.')}); END",
    "CREATE TRIGGER search_entries_changed AFTER UPDATE OF words, party_words, mark, wide ON search_entries BEGIN "
    f"INSERT INTO search_tokens (search_tokens, rowid, tokens) VALUES ('delete', old.seq, {tokens('old.')}); "
    f"INSERT INTO search_tokens (rowid, tokens) VALUES (new.seq, {tokens('new.')}); END",
)
POSTGRESQL = (
    "CREATE TABLE search_tokens (seq bigint PRIMARY KEY REFERENCES search_entries (seq) ON DELETE CASCADE, "
    "office_id uuid NOT NULL, circle varchar(10) NOT NULL, wide varchar(1) NOT NULL, tsv tsvector NOT NULL)",
    "CREATE INDEX ix_search_tokens_wide_seq ON search_tokens (wide, seq)",
    "CREATE INDEX ix_search_tokens_tsv ON search_tokens USING gin (tsv) WITH (fastupdate = off)",
    # the words come from one place, `normalise()`: no parser and no dictionary of the database's looks at them again
    "CREATE FUNCTION search_entries_follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "INSERT INTO search_tokens (seq, office_id, circle, wide, tsv) VALUES (NEW.seq, NEW.office_id, NEW.circle, NEW.wide, "
    f"array_to_tsvector(string_to_array(ltrim({tokens('NEW.')}), ' '))) ON CONFLICT (seq) DO UPDATE "
    "SET office_id = excluded.office_id, circle = excluded.circle, wide = excluded.wide, tsv = excluded.tsv; RETURN NULL; END $$",
    "CREATE TRIGGER search_entries_made AFTER INSERT OR UPDATE ON search_entries "
    "FOR EACH ROW EXECUTE FUNCTION search_entries_follow()",
)


def upgrade() -> None:
    op.create_table('search_entries',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('office_id', sa.Uuid(), nullable=False),
    sa.Column('circle', sa.String(length=10), nullable=False),
    sa.Column('noun', sa.String(length=20), nullable=False),
    sa.Column('record_id', sa.Uuid(), nullable=False),
    sa.Column('party_id', sa.Uuid(), nullable=True),
    sa.Column('mark', sa.String(length=16), nullable=False),
    sa.Column('wide', sa.String(length=1), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('party_words', sa.Text(), nullable=False),
    sa.CheckConstraint("circle IN ('shared', 'open', 'office')", name=op.f('ck_search_entries_circle_known')),
    sa.ForeignKeyConstraint(['office_id'], ['offices.id'], name=op.f('fk_search_entries_office_id')),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_search_entries')),
    sa.UniqueConstraint('record_id', 'noun', name=op.f('uq_search_entries_record_id_noun')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('search_entries', schema=None) as batch_op:
        batch_op.create_index('ix_search_entries_mark_seq', ['mark', 'seq'], unique=False)
        batch_op.create_index('ix_search_entries_wide_seq', ['wide', 'seq'], unique=False)
        batch_op.create_index(batch_op.f('ix_search_entries_party_id'), ['party_id'], unique=False)
    for statement in SQLITE if op.get_bind().dialect.name == 'sqlite' else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    op.execute('DROP TABLE search_tokens')
    if op.get_bind().dialect.name == 'sqlite':
        op.execute('DROP VIEW search_texts')
    op.drop_table('search_entries')
    if op.get_bind().dialect.name != 'sqlite':
        op.execute('DROP FUNCTION search_entries_follow()')

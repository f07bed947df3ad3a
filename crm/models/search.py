"""The search index: one row of plain words for each record that can be found, and how a database is asked for words.

`search_entries` is the same table everywhere; triggers of the database (migration 0004) keep its twin `search_tokens` beside it:
FTS5 on SQLite, a tsvector under GIN on PostgreSQL. Only `crm.queries.search` reads it; it holds rows of every office.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pysqlite3.dbapi2 as pysqlite3
from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Index, String, Text, UniqueConstraint, Uuid, cast, column, literal, table
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Base, db
from crm.models.base import OFFICE, OPEN, SHARED, one_of

CIRCLES = (SHARED, OPEN, OFFICE)
"""Who may find an entry: every office, all whose scope covers its office, members of its office only."""
MARK_LENGTH = 16


class SearchEntry(Base):
    """The words of one record, normalised (`crm.queries.words`), with the circle that may find it.

    `party_words` are the names of the party it is about, so that a renamed party is one UPDATE. A word reaches the index with
    `mark` before it (its office, circle and noun) and, unless it is a member's word only, with `wide` (its noun) for readers of
    all offices: what a reader of one office asks for lies together and costs nothing of what other offices hold."""

    __audit_skip__ = True
    __follows__ = True
    __tablename__ = "search_entries"
    __table_args__ = (
        one_of("circle", CIRCLES),
        UniqueConstraint("record_id", "noun"),
        Index("ix_search_entries_mark_seq", "mark", "seq"),
        Index("ix_search_entries_wide_seq", "wide", "seq"),
        {"sqlite_autoincrement": True},  # a number is never given twice: pages of hits stand on them
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    circle: Mapped[str] = mapped_column(String(10))
    noun: Mapped[str] = mapped_column(String(20))
    record_id: Mapped[uuid.UUID]
    party_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    mark: Mapped[str] = mapped_column(String(MARK_LENGTH))
    wide: Mapped[str] = mapped_column(String(1), default="")
    words: Mapped[str] = mapped_column(Text, default="")
    party_words: Mapped[str] = mapped_column(Text, default="")


#: The twin of `search_entries` that the database asks for words. SQLite calls its key `rowid`.
TOKENS = table(
    "search_tokens",
    *(column(name) for name in ("rowid", "search_tokens")),  # SQLite
    *(column(name, kind) for name, kind in (("seq", BigInteger()), ("office_id", Uuid()), ("circle", String()), ("wide", String()))),
    column("tsv", TSVECTOR()),
)
#: A longer beginning is not kept by FTS5 and would be collected from all words that have it: asked for by its first letters.
QUICK_LETTERS = 8
#: So many of a noun's newest entries are looked at one by one on PostgreSQL before its index is asked for all.
NEWEST = 1_500
#: The same of one office, where only a letter or two were typed.
NEWEST_OF_OFFICE = 200


def is_sqlite() -> bool:
    """Whether the session's database is SQLite."""
    return db.session.get_bind().dialect.name == "sqlite"


@dataclass(frozen=True)
class Token:
    """A word with its mark as the index has it, or the beginning of one. Holds letters, digits and `NEARLY` only."""

    text: str
    is_beginning: bool = True


def matching(groups: Sequence[Sequence[Token]], column: ColumnElement[Any] | None = None) -> ColumnElement[bool]:
    """Entries that hold one token of each group. `column`: where the tsvector is, on PostgreSQL."""
    if is_sqlite():
        texts = (" OR ".join(f'"{token.text}"{"*" if token.is_beginning else ""}' for token in group) for group in groups)
        return TOKENS.c.search_tokens.op("MATCH", is_comparison=True)(literal(" AND ".join(f"({text})" for text in texts)))
    texts = (" | ".join(f"'{token.text}'{':*' if token.is_beginning else ''}" for token in group) for group in groups)
    asked = cast(literal(" & ".join(f"({text})" for text in texts)), TSQUERY)
    return (TOKENS.c.tsv if column is None else column).op("@@", is_comparison=True)(asked)


def damage() -> str:
    """What FTS5 finds wrong between its index and `search_entries`; empty where nothing is, or on PostgreSQL."""
    if not is_sqlite():
        return ""
    with closing(db.engine.raw_connection()) as connection:
        try:
            connection.cursor().execute("INSERT INTO search_tokens (search_tokens, rank) VALUES ('integrity-check', 1)")
        except pysqlite3.OperationalError:
            return ""  # somebody is writing: the next time will do
        except pysqlite3.DatabaseError as error:
            return str(error)
    return ""

"""Notes: text about a record, one row per level, so that no sensitive text sits in a row a wider circle can read."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Base
from crm.models.base import Keyed, Levelled, Stamped, Versioned, level_check, scoped_key, scoped_parent

SUBJECTS = ("party_id", "interaction_id", "commitment_id", "programme_id")


class Note(Keyed, Levelled, Versioned, Stamped, Base):
    """A note about exactly one party, interaction, commitment or programme."""

    __tablename__ = "notes"
    __table_args__ = (
        scoped_key(),
        level_check(),
        scoped_parent("interaction_id", "interactions"),
        scoped_parent("commitment_id", "commitments"),
        scoped_parent("programme_id", "programmes"),
        CheckConstraint(" + ".join(f"(CASE WHEN {name} IS NULL THEN 0 ELSE 1 END)" for name in SUBJECTS) + " = 1", name="one_subject"),
    )

    party_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("parties.id"))
    interaction_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    commitment_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    programme_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    body: Mapped[str] = mapped_column(Text)


# Most notes are of an interaction: among so many that are of no party, SQLite would think an index of little use.
_OF_PARTY = Note.party_id.is_not(None)
Index("ix_notes_party_id", Note.party_id, sqlite_where=_OF_PARTY, postgresql_where=_OF_PARTY)

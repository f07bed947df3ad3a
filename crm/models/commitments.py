"""Commitments: anything promised, by them or by us, in money or not."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, func, literal, literal_column
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from crm.db import Base
from crm.models.asks import Ask
from crm.models.base import (
    NAME_LENGTH,
    NO_DAY,
    SENTENCE_LENGTH,
    Keyed,
    Levelled,
    Stamped,
    Versioned,
    level_check,
    one_of,
    scoped_key,
    scoped_parent,
)
from crm.models.interactions import Interaction
from crm.models.parties import Party, Position
from crm.models.programmes import Programme

DIRECTIONS = ("theirs", "ours")
COMMITMENT_KINDS = ("financial", "in-kind", "law-policy", "budget-line", "service", "public-voice", "access")
OUTCOMES = ("kept", "part", "broken", "overtaken")


class Commitment(Keyed, Levelled, Versioned, Stamped, Base):
    """A promise: who, what exactly, by when, with what evidence. Late is computed, never stored."""

    __tablename__ = "commitments"
    __table_args__ = (
        scoped_key(),
        level_check(),
        scoped_parent("interaction_id", "interactions"),
        scoped_parent("ask_id", "asks"),
        scoped_parent("programme_id", "programmes"),
        one_of("direction", DIRECTIONS),
        one_of("kind", COMMITMENT_KINDS),
        one_of("outcome", OUTCOMES, null=True),
        CheckConstraint("(outcome IS NULL) = (outcome_on IS NULL)", name="outcome_dated"),
        CheckConstraint("verified_by_id IS NULL OR verified_by_id <> created_by_id", name="verified_by_another"),
        Index("ix_commitments_office_outcome_due", "office_id", "outcome", "due_on"),
    )

    reference: Mapped[str] = mapped_column(String(30), unique=True)
    direction: Mapped[str] = mapped_column(String(6), default="theirs")
    kind: Mapped[str] = mapped_column(String(12))
    party_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("parties.id"), index=True)
    position_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("positions.id"))
    on_behalf_of: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    words: Mapped[str] = mapped_column(Text)
    made_on: Mapped[date]
    due_on: Mapped[date | None] = mapped_column()
    interaction_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    ask_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    programme_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    place_text: Mapped[str] = mapped_column(String(200), default="")
    quantity: Mapped[str] = mapped_column(String(200), default="")
    baseline: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    indicator_text: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    funding_source: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    evidence: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    witness: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    owner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    outcome: Mapped[str | None] = mapped_column(String(10))
    outcome_on: Mapped[date | None]
    outcome_note: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    verified_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    verified_at: Mapped[datetime | None]
    due_order: Mapped[date] = column_property(
        func.coalesce(due_on, literal(NO_DAY, literal_execute=True))
    )  # lists sort by it: no date comes last

    party: Mapped[Party] = relationship()
    position: Mapped[Position | None] = relationship()
    interaction: Mapped[Interaction | None] = relationship(
        primaryjoin="foreign(Commitment.interaction_id) == Interaction.id", viewonly=True
    )
    ask: Mapped[Ask | None] = relationship(primaryjoin="foreign(Commitment.ask_id) == Ask.id", viewonly=True)
    programme: Mapped[Programme | None] = relationship(primaryjoin="foreign(Commitment.programme_id) == Programme.id", viewonly=True)


# In the order of their list, for readers of all offices and of one. By the very expression that the list is sorted by.
Index("ix_commitments_due_order", func.coalesce(Commitment.due_on, literal_column(f"'{NO_DAY}'")), Commitment.id)
Index(
    "ix_commitments_office_due_order", Commitment.office_id, func.coalesce(Commitment.due_on, literal_column(f"'{NO_DAY}'")), Commitment.id
)
# Open promises of a side in the order they fall due, for readers of all offices.
_OPEN = Commitment.outcome.is_(None)
Index("ix_commitments_open_due", Commitment.direction, Commitment.due_on, Commitment.id, sqlite_where=_OPEN, postgresql_where=_OPEN)

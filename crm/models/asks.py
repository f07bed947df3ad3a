"""Asks: what we ask of a party or the holder of a position, in one sentence, and the answers it was given."""

from __future__ import annotations

import uuid
from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, func
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from crm.db import Base
from crm.models.base import (
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
from crm.models.parties import Party, Position
from crm.models.programmes import Programme
from crm.money import Money, from_minor

ANSWERS = ("yes", "part", "no", "none")


class Ask(Keyed, Levelled, Versioned, Stamped, Base):
    """One thing we ask of one addressee, by when, for which programme; with a fallback."""

    __tablename__ = "asks"
    __table_args__ = (
        scoped_key(),
        level_check(),
        scoped_parent("programme_id", "programmes"),
        CheckConstraint("(amount_minor IS NULL) = (currency IS NULL)", name="amount_with_currency"),
        CheckConstraint("amount_minor IS NULL OR amount_minor > 0", name="amount_positive"),
    )

    reference: Mapped[str] = mapped_column(String(30), unique=True)
    addressee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("parties.id"), index=True)
    position_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("positions.id"), index=True)
    sentence: Mapped[str] = mapped_column(String(SENTENCE_LENGTH))
    fallback: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    by_when: Mapped[date | None] = mapped_column()
    when_order: Mapped[date] = column_property(func.coalesce(by_when, NO_DAY))  # lists sort by it: no date comes last
    amount_minor: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    programme_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    closed_on: Mapped[date | None]
    closed_reason: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")

    addressee: Mapped[Party] = relationship()
    position: Mapped[Position | None] = relationship()
    programme: Mapped[Programme | None] = relationship(primaryjoin="foreign(Ask.programme_id) == Programme.id", viewonly=True)
    answers: Mapped[list[AskAnswer]] = relationship(primaryjoin="foreign(AskAnswer.ask_id) == Ask.id", viewonly=True)

    @property
    def amount(self) -> Money | None:
        """The amount asked for, where the ask is for money."""
        return None if self.amount_minor is None or self.currency is None else from_minor(self.amount_minor, self.currency)


class AskAnswer(Keyed, Levelled, Versioned, Stamped, Base):
    """What was answered to an ask at one interaction."""

    __audit_parent__ = "interaction_id"

    __tablename__ = "ask_answers"
    __table_args__ = (
        scoped_key(),
        level_check(),
        scoped_parent("ask_id", "asks"),
        scoped_parent("interaction_id", "interactions"),
        UniqueConstraint("ask_id", "interaction_id"),
        one_of("answer", ANSWERS),
    )

    ask_id: Mapped[uuid.UUID] = mapped_column(index=True)
    interaction_id: Mapped[uuid.UUID] = mapped_column(index=True)
    answer: Mapped[str] = mapped_column(String(4))
    words: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")

    ask: Mapped[Ask] = relationship(primaryjoin="foreign(AskAnswer.ask_id) == Ask.id", viewonly=True)

"""Programmes: what the money is for; outputs, yearly requirements, indicators and their measurements."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.db import Base
from crm.models.base import (
    NAME_LENGTH,
    SENTENCE_LENGTH,
    DecimalText,
    Keyed,
    OfficeScoped,
    Stamped,
    Versioned,
    currency_check,
    one_of,
    scoped_key,
    scoped_parent,
)
from crm.models.places import Place
from crm.money import Money, from_minor

GOAL_AREA = "goal-area"
TAG_SCHEMES = ("sdg-goal", "sdg-target", "crc", GOAL_AREA)


class Programme(Keyed, OfficeScoped, Versioned, Stamped, Base):
    """A health or social programme that must keep running."""

    __tablename__ = "programmes"
    __table_args__ = (
        scoped_key(),
        scoped_parent("place_id", "places"),
        currency_check(),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="ends_after_start"),
    )

    reference: Mapped[str] = mapped_column(String(30), unique=True)
    title: Mapped[str] = mapped_column(String(NAME_LENGTH))
    summary: Mapped[str] = mapped_column(Text, default="")
    sector: Mapped[str | None] = mapped_column(String(5))
    place_id: Mapped[uuid.UUID | None]
    place_text: Mapped[str] = mapped_column(String(200), default="")
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    currency: Mapped[str] = mapped_column(String(3))

    place: Mapped[Place | None] = relationship(primaryjoin="foreign(Programme.place_id) == Place.id", viewonly=True)
    tags: Mapped[list[ProgrammeTag]] = relationship(
        cascade="all, delete-orphan",
        order_by="ProgrammeTag.scheme, ProgrammeTag.code",
        primaryjoin="foreign(ProgrammeTag.programme_id) == Programme.id",
    )
    outputs: Mapped[list[Output]] = relationship(order_by="Output.position", primaryjoin="foreign(Output.programme_id) == Programme.id")


class ProgrammeTag(Keyed, OfficeScoped, Base):
    """An SDG goal or target, an article of the Convention on the Rights of the Child, or a goal area of the strategic plan."""

    __audit_parent__ = "programme_id"

    __tablename__ = "programme_tags"
    __table_args__ = (
        scoped_parent("programme_id", "programmes"),
        UniqueConstraint("programme_id", "scheme", "code"),
        one_of("scheme", TAG_SCHEMES),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(index=True)
    scheme: Mapped[str] = mapped_column(String(12))
    code: Mapped[str] = mapped_column(String(10))


class Output(Keyed, OfficeScoped, Versioned, Stamped, Base):
    """What a programme delivers; money is allocated to it."""

    __audit_parent__ = "programme_id"

    __tablename__ = "outputs"
    __table_args__ = (scoped_key(), scoped_parent("programme_id", "programmes"), UniqueConstraint("programme_id", "position"))

    programme_id: Mapped[uuid.UUID] = mapped_column(index=True)
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(NAME_LENGTH))


class Requirement(Keyed, OfficeScoped, Stamped, Base):
    """What a programme needs in a year: a new version supersedes, none is edited."""

    __audit_parent__ = "programme_id"

    __tablename__ = "requirements"
    __table_args__ = (
        scoped_key(),
        scoped_parent("programme_id", "programmes"),
        UniqueConstraint("programme_id", "year", "version"),
        currency_check(),
        CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
        CheckConstraint("year BETWEEN 1990 AND 2100", name="year_sensible"),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(index=True)
    year: Mapped[int]
    version: Mapped[int] = mapped_column(default=1)
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    source: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")

    @property
    def amount(self) -> Money:
        """The amount with its currency."""
        return from_minor(self.amount_minor, self.currency)


class Indicator(Keyed, OfficeScoped, Versioned, Stamped, Base):
    """What shows that a programme works: baseline, target, and measurements against them."""

    __audit_parent__ = "programme_id"

    __tablename__ = "indicators"
    __table_args__ = (
        scoped_key(),
        scoped_parent("programme_id", "programmes"),
        scoped_parent("output_id", "outputs"),
        one_of("direction", ("up", "down")),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(index=True)
    output_id: Mapped[uuid.UUID | None]
    title: Mapped[str] = mapped_column(String(NAME_LENGTH))
    unit: Mapped[str] = mapped_column(String(60), default="")
    direction: Mapped[str] = mapped_column(String(4), default="up")
    baseline_value: Mapped[Decimal | None] = mapped_column(DecimalText)
    baseline_on: Mapped[date | None]
    target_value: Mapped[Decimal | None] = mapped_column(DecimalText)
    target_on: Mapped[date | None]
    source: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")

    measurements: Mapped[list[Measurement]] = relationship(
        order_by="Measurement.measured_on", primaryjoin="foreign(Measurement.indicator_id) == Indicator.id"
    )


class Measurement(Keyed, OfficeScoped, Stamped, Base):
    """One measured value of an indicator."""

    __tablename__ = "measurements"
    __table_args__ = (scoped_key(), scoped_parent("indicator_id", "indicators"), UniqueConstraint("indicator_id", "measured_on"))

    indicator_id: Mapped[uuid.UUID] = mapped_column(index=True)
    measured_on: Mapped[date]
    value: Mapped[Decimal] = mapped_column(DecimalText)
    source: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")

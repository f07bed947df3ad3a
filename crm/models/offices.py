"""Offices: the tree of headquarters, regional and country offices, and the counters of spoken references."""

from __future__ import annotations

import uuid

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Base
from crm.models.base import Keyed, Stamped, Versioned, currency_check, one_of
from crm.models.editions import OFFICES

OFFICE_KINDS = ("hq", "regional", "country")


class Office(Keyed, Versioned, Stamped, Base):
    """An office. Unscoped: names and codes of offices are no secret inside the organisation."""

    __edition__ = OFFICES

    __tablename__ = "offices"
    __table_args__ = (one_of("kind", OFFICE_KINDS), currency_check(), currency_check("reporting_currency"))

    code: Mapped[str] = mapped_column(String(12), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(10))
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("offices.id"), index=True)
    currency: Mapped[str] = mapped_column(String(3))
    reporting_currency: Mapped[str] = mapped_column(String(3), default="USD")
    timezone: Mapped[str] = mapped_column(String(60), default="UTC")
    language: Mapped[str] = mapped_column(String(10), default="en")


class ReferenceCounter(Base):
    """The next number of a kind of record in an office and year: taken in the saving transaction, never reused."""

    __audit_skip__ = True

    __tablename__ = "reference_counters"
    __table_args__ = (UniqueConstraint("office_id", "kind", "year"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    kind: Mapped[str] = mapped_column(String(4))
    year: Mapped[int]
    last: Mapped[int] = mapped_column(default=0)

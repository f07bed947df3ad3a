"""Flows: what FTS (later IATI) reports about funding between any two parties. Never our own money."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.db import Base
from crm.models.base import NAME_LENGTH, DecimalText, Keyed, OfficeScoped, Stamped, one_of, scoped_key, scoped_parent
from crm.models.parties import Party

FLOW_STATUSES = ("pledge", "commitment", "paid")


class Flow(Keyed, OfficeScoped, Stamped, Base):
    """One reported flow, kept per importing office, counted once by (source, source_id) in wider views."""

    __tablename__ = "flows"
    __table_args__ = (
        scoped_key(),
        scoped_parent("batch_id", "import_batches"),
        UniqueConstraint("office_id", "source", "source_id"),
        one_of("status", FLOW_STATUSES),
        Index("ix_flows_donor", "donor_id", "status"),
        Index("ix_flows_recipient", "recipient_id", "status"),
    )

    source: Mapped[str] = mapped_column(String(10))
    source_id: Mapped[str] = mapped_column(String(60))
    batch_id: Mapped[uuid.UUID] = mapped_column(index=True)
    status: Mapped[str] = mapped_column(String(12))
    boundary: Mapped[str] = mapped_column(String(12), default="")
    on_boundary: Mapped[str] = mapped_column(String(12), default="")
    amount_usd_minor: Mapped[int]
    original_minor: Mapped[int | None]
    original_currency: Mapped[str | None] = mapped_column(String(3))
    exchange_rate: Mapped[Decimal | None] = mapped_column(DecimalText)
    flow_date: Mapped[date]
    decision_date: Mapped[date | None]
    first_reported: Mapped[date | None]
    budget_year: Mapped[str] = mapped_column(String(40), default="")
    donor_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("parties.id"))
    donor_name: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    recipient_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("parties.id"))
    recipient_name: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    plan_id: Mapped[str] = mapped_column(String(40), default="")
    plan_code: Mapped[str] = mapped_column(String(60), default="")
    plan_name: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    clusters: Mapped[str] = mapped_column(Text, default="")
    project: Mapped[str] = mapped_column(Text, default="")
    emergency: Mapped[str] = mapped_column(Text, default="")
    locations: Mapped[str] = mapped_column(Text, default="")
    usage_years: Mapped[str] = mapped_column(String(40), default="")
    contribution_type: Mapped[str] = mapped_column(String(30), default="")
    flow_type: Mapped[str] = mapped_column(String(30), default="")
    method: Mapped[str] = mapped_column(String(100), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    keywords: Mapped[str] = mapped_column(Text, default="")
    ref_code: Mapped[str] = mapped_column(String(200), default="")
    reported_updated: Mapped[date | None]

    donor: Mapped[Party | None] = relationship(foreign_keys=[donor_id])
    recipient: Mapped[Party | None] = relationship(foreign_keys=[recipient_id])


class PlanRequirement(Keyed, OfficeScoped, Stamped, Base):
    """What FTS says a plan required and was funded, for a country and year: FTS's figures, not ours."""

    __tablename__ = "plan_requirements"
    __table_args__ = (
        scoped_key(),
        scoped_parent("batch_id", "import_batches"),
        UniqueConstraint("office_id", "source", "country", "plan_id", "plan_name", "year"),
    )

    source: Mapped[str] = mapped_column(String(10))
    batch_id: Mapped[uuid.UUID] = mapped_column(index=True)
    country: Mapped[str] = mapped_column(String(3), default="")
    plan_id: Mapped[str] = mapped_column(String(40), default="")
    plan_code: Mapped[str] = mapped_column(String(60), default="")
    plan_name: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    plan_type: Mapped[str] = mapped_column(String(100), default="")
    year: Mapped[int]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    requirements_usd_minor: Mapped[int | None]
    funding_usd_minor: Mapped[int | None]
    percent_funded: Mapped[Decimal | None] = mapped_column(DecimalText)


class PlanLink(Keyed, OfficeScoped, Stamped, Base):
    """An officer's word that a reported plan is about one of our programmes."""

    __tablename__ = "plan_links"
    __table_args__ = (scoped_parent("programme_id", "programmes"), UniqueConstraint("office_id", "source", "plan_name", "programme_id"))

    source: Mapped[str] = mapped_column(String(10))
    plan_name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    programme_id: Mapped[uuid.UUID] = mapped_column(index=True)

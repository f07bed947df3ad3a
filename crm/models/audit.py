"""The field history of every record: who changed what, when; the values apart, so that they can be erased."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm import clock
from crm.db import Base
from crm.models.base import level_check


class AuditEntry(Base):
    """One change of one record. `about_id` is the record it belongs to (a party's for a new alias). `office_id` is empty for records outside offices (accounts, rates).
    `version` is the version the record has since this change, for edit conflicts."""

    __audit_skip__ = True
    __follows__ = True
    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_about", "about_id", "seq"),
        Index("ix_audit_entries_office_seq", "office_id", "seq"),
        level_check(),
    )

    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    office_id: Mapped[uuid.UUID | None]
    level: Mapped[str] = mapped_column(String(10), default="open")
    at: Mapped[datetime] = mapped_column(default=clock.now)
    actor_id: Mapped[uuid.UUID | None]
    actor_name: Mapped[str] = mapped_column(String(200))
    noun: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[uuid.UUID]
    about_id: Mapped[uuid.UUID]
    action: Mapped[str] = mapped_column(String(20))
    version: Mapped[int | None]

    values: Mapped[list[AuditValue]] = relationship(order_by="AuditValue.id")


class AuditValue(Base):
    """One field of a change, from and to, as text."""

    __audit_skip__ = True
    __follows__ = True
    __tablename__ = "audit_values"
    __table_args__ = (ForeignKeyConstraint(["entry_seq"], ["audit_entries.seq"]),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    entry_seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), index=True)
    office_id: Mapped[uuid.UUID | None]
    level: Mapped[str] = mapped_column(String(10), default="open")
    field: Mapped[str] = mapped_column(String(60))
    old: Mapped[str | None] = mapped_column(Text)
    new: Mapped[str | None] = mapped_column(Text)

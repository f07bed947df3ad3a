"""Exchange rates: one row per source and day, holding what that source quoted."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import Base
from crm.models.base import Keyed, currency_check
from crm.models.editions import RATES


class RateSheet(Keyed, Base):
    """What a source published for a day: units of each quoted currency per one `base`. Unscoped.
    `quotes` is canonical JSON {currency: exact decimal as text}."""

    __audit_changes_only__ = True
    __edition__ = RATES

    __tablename__ = "rate_sheets"
    __table_args__ = (UniqueConstraint("source", "published_on"), currency_check("base"))

    source: Mapped[str] = mapped_column(String(40))
    base: Mapped[str] = mapped_column(String(3))
    published_on: Mapped[date] = mapped_column(index=True)
    quotes: Mapped[str] = mapped_column(Text)
    batch_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    loaded_at: Mapped[datetime] = mapped_column(default=clock.now)

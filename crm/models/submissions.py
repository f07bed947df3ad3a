"""Submissions: form tokens that were used, so that a double click or a retry makes one record."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import Base
from crm.models.base import Keyed


class Submission(Keyed, Base):
    """A used token of one person: what was sent (SHA-256) and which address answered. One's own only."""

    __audit_skip__ = True

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("user_id", "token"),)

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    token: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    record_id: Mapped[uuid.UUID | None]
    at: Mapped[datetime] = mapped_column(default=clock.now)

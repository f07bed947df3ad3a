"""What all share and few change, as editions: a number that is another one after each change."""

from __future__ import annotations

import uuid

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Base

RATES, CODES, OFFICES = "rates", "codes", "offices"
NAMES = (RATES, CODES, OFFICES)


class Edition(Base):
    """The number of what is held now. Unscoped. Records name theirs by `__edition__`; crm/editions.py gives new numbers."""

    __audit_skip__ = True

    __tablename__ = "editions"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[uuid.UUID]

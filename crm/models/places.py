"""Places of an office's country: the administrative tree with its codes."""

from __future__ import annotations

import uuid

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Base
from crm.models.base import Keyed, OfficeScoped, scoped_key, scoped_parent


class Place(Keyed, OfficeScoped, Base):
    """A country, governorate, district …; `depth` 0 is the country."""

    __tablename__ = "places"
    __table_args__ = (scoped_key(), scoped_parent("parent_id", "places"), UniqueConstraint("office_id", "code"))

    name: Mapped[str] = mapped_column(String(200))
    code: Mapped[str] = mapped_column(String(30))
    depth: Mapped[int] = mapped_column(default=0)
    parent_id: Mapped[uuid.UUID | None]

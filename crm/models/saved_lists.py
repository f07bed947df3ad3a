"""Saved lists: filters, sort and columns of a list under a name, one's own or shared in the office."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Base
from crm.models.base import Keyed, OfficeScoped, Stamped, one_of

NOUNS = ("parties", "interactions", "pledges", "commitments", "asks", "follow-ups", "programmes", "agreements", "receipts")
LIST_NAME_LENGTH, QUERY_LENGTH = 80, 2000


class SavedList(Keyed, OfficeScoped, Stamped, Base):
    """The address of a list under a name: what it shows is decided anew for each reader. One's own, or shared with the office's people."""

    __tablename__ = "saved_lists"
    __table_args__ = (
        one_of("noun", NOUNS),
        UniqueConstraint("user_id", "noun", "name"),
        CheckConstraint("length(name) > 0", name="name_present"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    noun: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(LIST_NAME_LENGTH))
    query: Mapped[str] = mapped_column(String(QUERY_LENGTH), default="")
    is_shared: Mapped[bool] = mapped_column(default=False)

"""Files: evidence attached to a record (a signed agreement, a decree, a photo), and what an office keeps of each on disk, once."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm import clock
from crm.db import Base
from crm.models.base import (
    SENTENCE_LENGTH,
    Keyed,
    Levelled,
    OfficeScoped,
    Stamped,
    level_check,
    one_of,
    scoped_key,
    scoped_parent,
)

#: What a file may belong to, by the column that says so. Exactly one is filled in.
RECORDS = ("party_id", "interaction_id", "commitment_id", "pledge_id", "agreement_id", "receipt_id")
#: Those of money: what is removed from them is never purged.
MONEY_RECORDS = ("pledge_id", "agreement_id", "receipt_id")
EVIDENCE = ("agreement", "decree", "letter", "minutes", "report", "photo", "payment", "other")
FILE_NAME_LENGTH = 150


class FileContent(Keyed, OfficeScoped, Base):
    """Bytes on disk, once for each office that has them: no office learns what another one holds."""

    __audit_skip__ = True

    __tablename__ = "file_contents"
    __table_args__ = (
        scoped_key(),
        UniqueConstraint("office_id", "sha256"),
        CheckConstraint("size > 0", name="size_positive"),
    )

    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    media_type: Mapped[str] = mapped_column(String(100))
    stored_as: Mapped[str] = mapped_column(String(40), unique=True)
    has_thumbnail: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class File(Keyed, Levelled, Stamped, Base):
    """A file attached to exactly one record. Its office and level are the record's (a party's: the office that attached it)."""

    __audit_parent__ = "about_id"
    __part_of__ = ("interaction_id", "commitment_id")

    __tablename__ = "files"
    __table_args__ = (
        scoped_key(),
        level_check(),
        one_of("evidence", EVIDENCE),
        scoped_parent("interaction_id", "interactions"),
        scoped_parent("commitment_id", "commitments"),
        scoped_parent("pledge_id", "pledges"),
        scoped_parent("agreement_id", "agreements"),
        scoped_parent("receipt_id", "receipts"),
        scoped_parent("content_id", "file_contents"),
        CheckConstraint(" + ".join(f"(CASE WHEN {name} IS NULL THEN 0 ELSE 1 END)" for name in RECORDS) + " = 1", name="one_record"),
        CheckConstraint("length(name) > 0", name="name_present"),
        Index("ix_files_party_created", "party_id", "created_at"),
    )

    party_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("parties.id"))
    interaction_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    commitment_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    pledge_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    agreement_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    receipt_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    content_id: Mapped[uuid.UUID] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(FILE_NAME_LENGTH))
    caption: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    evidence: Mapped[str] = mapped_column(String(12), default="other")
    removed_at: Mapped[datetime | None] = mapped_column(index=True)
    removed_by_id: Mapped[uuid.UUID | None]

    content: Mapped[FileContent] = relationship(primaryjoin="foreign(File.content_id) == FileContent.id", viewonly=True)

    @property
    def about_id(self) -> uuid.UUID:
        """The record it belongs to."""
        found: uuid.UUID = getattr(self, self.record_column)
        return found

    @property
    def record_column(self) -> str:
        """Which kind of record it belongs to, as its column."""
        return next(name for name in RECORDS if getattr(self, name) is not None)

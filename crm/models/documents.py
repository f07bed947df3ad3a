"""Documents: generated packs and reports. The stored PDF, hashed, is the issued document; the snapshot says from what."""

from __future__ import annotations

import uuid
from datetime import date

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.db import Base
from crm.models.base import NAME_LENGTH, Keyed, Levelled, Stamped, level_check, one_of, scoped_key, scoped_parent
from crm.models.parties import Party

DOCUMENT_LEVELS = ("internal", "public")


class Document(Keyed, Levelled, Stamped, Base):
    """One generated document. `level` says who may read the record: `office` as soon as one source row was."""

    __tablename__ = "documents"
    __table_args__ = (
        scoped_key(),
        level_check(),
        scoped_parent("interaction_id", "interactions"),
        scoped_parent("programme_id", "programmes"),
        one_of("document_level", DOCUMENT_LEVELS),
        Index("ix_documents_office_created", "office_id", "created_at"),
    )

    reference: Mapped[str] = mapped_column(String(30), unique=True)
    slug: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(NAME_LENGTH))
    document_level: Mapped[str] = mapped_column(String(10), default="internal")
    language: Mapped[str] = mapped_column(String(10), default="en")
    as_of: Mapped[date]
    party_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("parties.id"), index=True)
    interaction_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    programme_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    pages: Mapped[int]
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    stored_as: Mapped[str] = mapped_column(String(80))

    party: Mapped[Party | None] = relationship()
    snapshot: Mapped[Snapshot] = relationship(primaryjoin="foreign(Snapshot.document_id) == Document.id", uselist=False, viewonly=True)


class Snapshot(Keyed, Levelled, Stamped, Base):
    """What a document was built from: figures, record references, rates and texts as canonical JSON; frozen HTML;
    hashes of fonts and assets; versions of the rendering libraries."""

    __audit_skip__ = True

    __tablename__ = "snapshots"
    __table_args__ = (level_check(), scoped_parent("document_id", "documents"))

    document_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    content: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    assets: Mapped[str] = mapped_column(Text, default="")
    versions: Mapped[str] = mapped_column(Text, default="")

"""Import batches: which file was brought in, how it is read, what it did to which record, and which rows were refused and why."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Base
from crm.models.base import SENTENCE_LENGTH, Keyed, OfficeScoped, Stamped, Versioned, one_of, scoped_key, scoped_parent

BATCH_STATES = ("checked", "queued", "running", "applied", "cancelled", "failed", "refused")
#: The format of a batch that is no file: several records of a list changed at once.
BULK = "bulk"
#: Formats that hold what an office notes of people, as a rule for itself alone: read by its members, and by whoever brought the file.
OF_MEMBERS = ("parties", "interactions")
#: States of a batch that a job carries forward.
CARRIED_STATES = ("queued", "running")


class ImportBatch(Keyed, OfficeScoped, Stamped, Base):
    """One file: checked (dry run), waiting for or in background work, applied, stopped in between (cancelled, failed), or refused.

    `taken` is how many of the file's records were taken in so far, written in the transaction of those records; `progress` is JSON of
    what they did, until the counts and the summary of the whole are written at the end.

    `header` is JSON {"header": […], "tags": […]}; `summary` is JSON {"notes": [sentences], "samples": [rows shown before bringing in]}.

    Of the format `BULK` it is no file but one change of several records of a list, its maker's own: `header` is JSON {"noun", "action", "value"},
    the ids of the records stand in its `ImportSheet`, and what was refused in its `ImportReject`s, by the record's id."""

    __tablename__ = "import_batches"
    __table_args__ = (scoped_key(), one_of("state", BATCH_STATES), Index("ix_import_batches_office_created", "office_id", "created_at"))

    reference: Mapped[str] = mapped_column(String(30), unique=True)
    format: Mapped[str] = mapped_column(String(20))
    file_name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    stored_as: Mapped[str] = mapped_column(String(80), default="")
    state: Mapped[str] = mapped_column(String(10))
    message: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    header: Mapped[str] = mapped_column(Text, default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    rows: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    taken: Mapped[int] = mapped_column(default=0)
    progress: Mapped[str] = mapped_column(Text, default="")
    applied_at: Mapped[datetime | None]


class ImportReject(Keyed, OfficeScoped, Base):
    """A refused row with the reason beside it. `also` is JSON of what else is wrong with it, [[column, reason], …]; "" where nothing is."""

    __audit_skip__ = True

    __tablename__ = "import_rejects"
    __table_args__ = (scoped_parent("batch_id", "import_batches"),)

    batch_id: Mapped[uuid.UUID] = mapped_column(index=True)
    row_number: Mapped[int]
    column: Mapped[str] = mapped_column(String(100), default="")
    reason: Mapped[str] = mapped_column(String(SENTENCE_LENGTH))
    raw: Mapped[str] = mapped_column(Text, default="")
    also: Mapped[str] = mapped_column(Text, default="")


class ImportSheet(Keyed, OfficeScoped, Versioned, Base):
    """How a spreadsheet of a batch is read: JSON of its sheet, columns, forms of days and amounts, cells mended on the page, totals typed.
    Of a change of several records: JSON {"ids", "query"}: which, and how their list was asked for."""

    __audit_skip__ = True

    __tablename__ = "import_sheets"
    __table_args__ = (scoped_parent("batch_id", "import_batches"), UniqueConstraint("batch_id"))

    batch_id: Mapped[uuid.UUID]
    settings: Mapped[str] = mapped_column(Text, default="{}")


class ImportLayout(Keyed, OfficeScoped, Base):
    """What the columns of a source were said to mean, remembered for the office's next file with the same headings."""

    __audit_skip__ = True

    __tablename__ = "import_layouts"
    __table_args__ = (UniqueConstraint("office_id", "format", "headings"),)

    format: Mapped[str] = mapped_column(String(20))
    headings: Mapped[str] = mapped_column(String(64))
    settings: Mapped[str] = mapped_column(Text, default="{}")


class ImportChange(Keyed, OfficeScoped, Base):
    """What a batch did, written in the same transaction: made records of a noun (no record and field; `new` is JSON, id -> how it
    was left), or changed a field of one record from `old` to `new`, or took a part of one away (no field; `old` is JSON of its columns).
    By this an import is undone."""

    __audit_skip__ = True

    __tablename__ = "import_changes"
    __table_args__ = (scoped_parent("batch_id", "import_batches"), Index("ix_import_changes_batch_noun", "batch_id", "noun", "id"))

    batch_id: Mapped[uuid.UUID]
    noun: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[uuid.UUID | None]
    field: Mapped[str] = mapped_column(String(60), default="")
    old: Mapped[str | None] = mapped_column(Text)
    new: Mapped[str | None] = mapped_column(Text)


class ImportUndo(Keyed, OfficeScoped, Stamped, Base):
    """That a batch was undone: when, by whom, and (JSON) how much was taken back and what was kept and why."""

    __audit_parent__ = "batch_id"

    __tablename__ = "import_undos"
    __table_args__ = (scoped_parent("batch_id", "import_batches"), UniqueConstraint("batch_id"))

    batch_id: Mapped[uuid.UUID]
    summary: Mapped[str] = mapped_column(Text, default="{}")

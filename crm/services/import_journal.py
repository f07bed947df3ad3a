"""The journal of an import, or of a change of several records: which record a batch made or changed, from what to what, or took away; written in
the same transaction. Undo reads it."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session

from crm.db import Base, db
from crm.models.imports import ImportBatch, ImportChange

_JOURNAL = "tl_import_journal"
#: What is written with a record and goes with it: the search index, and what possible duplicates are found by.
FOLLOWING = frozenset({"search_entries", "party_keys", "party_distinctions"})
#: Records of the work itself: not part of what a file brings.
NOT_JOURNALED = FOLLOWING | frozenset(
    {
        "audit_entries",
        "audit_values",
        "import_batches",
        "import_rejects",
        "import_sheets",
        "import_layouts",
        "import_changes",
        "import_undos",
        "reference_counters",
        "submissions",
    }
)
#: Columns that a record's makers do not write.
KEPT_BY_THE_HOUSE = frozenset({"id", "office_id", "version", "created_at", "created_by_id"})
#: Parts that go when the record goes that they are parts of.
OWNED = {"party_kinds": "party_id", "party_names": "party_id"}
VERSION = "version"


class _Journal:
    """What one batch did since it was last kept."""

    def __init__(self, batch: ImportBatch) -> None:
        self.batch_id, self.office_id = batch.id, batch.office_id
        self.made: set[uuid.UUID] = set()
        self.forget()

    def forget(self) -> None:
        """Drop what was not kept: it was rolled back."""
        self.new: dict[uuid.UUID, Any] = {}
        self.old: dict[tuple[uuid.UUID, str], tuple[Any, str | None]] = {}
        self.touched: dict[uuid.UUID, Any] = {}
        self.found: dict[uuid.UUID, str] = {}  # how a record stood before this part touched it
        self.gone: dict[uuid.UUID, tuple[str, str]] = {}

    def see(self, session: Session) -> None:
        """Take in what is about to be flushed."""
        for record in session.new:
            if isinstance(record, Base) and record.__tablename__ not in NOT_JOURNALED:
                self.new[record.id] = record  # type: ignore[attr-defined]
        for record in session.deleted:
            if isinstance(record, Base) and record.__tablename__ in OWNED and record.id not in self.made:  # type: ignore[attr-defined]
                self.gone[record.id] = (record.__tablename__, json.dumps(values_of(record)))  # type: ignore[attr-defined]
        for record in session.dirty:
            if not isinstance(record, Base) or record.__tablename__ in NOT_JOURNALED:
                continue
            state = inspect(record)
            key: uuid.UUID = state.attrs.id.value
            for column in state.mapper.column_attrs:
                changes = state.attrs[column.key].history
                if changes.has_changes():
                    if key not in self.touched:
                        self.found[key] = found_as(record)
                    self.touched[key] = record
                    if column.key not in KEPT_BY_THE_HOUSE:
                        before = as_text(changes.deleted[0]) if changes.deleted else None
                        self.old.setdefault((key, column.key), (record, before))

    def keep(self) -> None:
        """Write down what was done since the last time. Inside the transaction (or savepoint) that did it."""
        db.session.flush()
        new, old, touched, gone, found = self.new, self.old, self.touched, self.gone, self.found
        self.forget()
        made: dict[str, dict[str, str]] = {}
        for record in new.values():
            owner = OWNED.get(record.__tablename__)
            is_with_owner = owner is not None and (getattr(record, owner) in new or getattr(record, owner) in self.made)
            if inspect(record).persistent and not is_with_owner:
                made.setdefault(record.__tablename__, {})[str(record.id)] = left_as(record)
        rows = [self._row(noun, None, "", None, json.dumps(left)) for noun, left in made.items()]
        for (record_id, field), (record, before) in old.items():
            now = as_text(getattr(record, field))
            if record_id not in new and record_id not in self.made and now != before:
                rows.append(self._row(record.__tablename__, record_id, field, before, now))
        rows += [
            self._row(record.__tablename__, key, VERSION, found[key], left_as(record)) for key, record in touched.items() if key not in new
        ]
        rows += [self._row(noun, key, "", values, None) for key, (noun, values) in gone.items() if key not in new]
        self.made |= new.keys()
        db.session.add_all(rows)
        db.session.flush()
        for row in rows:
            db.session.expunge(row)

    def _row(self, noun: str, record_id: uuid.UUID | None, field: str, old: str | None, new: str | None) -> ImportChange:
        return ImportChange(office_id=self.office_id, batch_id=self.batch_id, noun=noun, record_id=record_id, field=field, old=old, new=new)


@contextmanager
def journaling(batch: ImportBatch) -> Iterator[None]:
    """Note every record that is made or changed inside as done by this batch. Call `keep` after each part, and at the end."""
    info = db.session().info
    info[_JOURNAL] = _Journal(batch)
    try:
        yield
        keep()
    finally:
        info.pop(_JOURNAL, None)


def keep() -> None:
    """Write down what the batch did so far; nothing where no batch is being brought in."""
    journal: _Journal | None = db.session().info.get(_JOURNAL)
    if journal is not None:
        journal.keep()


def forget() -> None:
    """A part was rolled back: nothing of it is written down."""
    journal: _Journal | None = db.session().info.get(_JOURNAL)
    if journal is not None:
        journal.forget()


@event.listens_for(Session, "before_flush")
def _listen(session: Session, _context: Any, _instances: Any) -> None:
    journal: _Journal | None = session.info.get(_JOURNAL)
    if journal is not None:
        journal.see(session)


def as_text(value: object) -> str | None:
    """A value as the journal (and the history) keeps it; a moment in UTC, as it comes back from the database."""
    if value is None:
        return None
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC)
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def values_of(record: Any) -> dict[str, str | None]:
    """The columns of a record as the journal keeps them."""
    return {column.key: as_text(getattr(record, column.key)) for column in inspect(record).mapper.column_attrs}


def left_as(record: Any) -> str:
    """How a record was left: its version where it has one, else a digest of what its makers write. Another value later: it was changed."""
    return _mark(record, lambda name: getattr(record, name))


def found_as(record: Any) -> str:
    """The same of a record as it stands in the database, before what was changed of it is flushed: another value than it was left with says
    that somebody changed it between two parts of an import."""
    attributes = inspect(record).attrs

    def before(name: str) -> Any:
        gone = attributes[name].history.deleted
        return gone[0] if gone else getattr(record, name)

    return _mark(record, before)


def _mark(record: Any, value_of: Callable[[str], Any]) -> str:
    mapper = inspect(record).mapper
    if mapper.version_id_col is not None:
        return f"v{value_of('version')}"
    values = [(column.key, as_text(value_of(column.key))) for column in mapper.column_attrs if column.key not in KEPT_BY_THE_HOUSE]
    return hashlib.sha256(repr(sorted(values)).encode()).hexdigest()[:32]

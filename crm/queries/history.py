"""The field history of records: who changed what, and what a field held when a form was opened."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, inspect, or_, select
from sqlalchemy.orm import selectinload

from crm.db import db
from crm.models.audit import AuditEntry, AuditValue

PAGE = 50
_FIRST = 1


@dataclass(frozen=True)
class HistoryPage:
    """Some changes, newest first; `before` asks for the older ones (None: these were the last)."""

    entries: list[AuditEntry]
    before: int | None


@dataclass(frozen=True)
class Since:
    """What others changed since a version: field -> its text before their first change; who and when they saved last."""

    before: dict[str, str | None]
    who: str
    at: datetime | None


def history_of(about_id: uuid.UUID, *, before: int | None = None, size: int = PAGE) -> HistoryPage:
    """The changes of a record and its parts, newest first, `size` at a time, as far as the scope allows. Two statements."""
    has_fields = exists().where(AuditValue.entry_seq == AuditEntry.seq)
    statement = (
        select(AuditEntry)
        .where(AuditEntry.about_id == about_id, or_(AuditEntry.action != "changed", has_fields))
        .order_by(AuditEntry.seq.desc())
        .limit(size + 1)
        .options(selectinload(AuditEntry.values))
    )
    if before is not None:
        statement = statement.where(AuditEntry.seq < before)
    entries = list(db.session.scalars(statement))
    return HistoryPage(entries[:size], entries[size - 1].seq if len(entries) > size else None)


def changes_since(record: Any, version: int) -> Since:
    """What was changed on one record after it had `version`: each field with its text before, and who saved last."""
    entries = db.session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.about_id == _about(record),
            AuditEntry.record_id == record.id,
            AuditEntry.action == "changed",
            AuditEntry.version > version,
        )
        .order_by(AuditEntry.seq)
        .options(selectinload(AuditEntry.values))
    )
    before: dict[str, str | None] = {}
    who, at = "", None
    for entry in entries:
        who, at = entry.actor_name, entry.at
        for value in entry.values:
            before.setdefault(value.field, value.old)
    return Since(before, who, at)


def original_of(record: Any, field: str, version: int) -> object:
    """What a field of `record` held at `version`: from the history, else (nobody touched it since) what it holds now."""
    before = changes_since(record, version).before
    return typed(record, field, before[field]) if field in before else getattr(record, field)


def parts_at(record: Any, noun: str, version: int, now: Iterable[tuple[str, ...]], fields: tuple[str, ...]) -> set[tuple[str, ...]]:
    """The parts (`noun`: their table) that `record` had at `version`, as tuples of `fields`, undone from what it has `now`.

    Counts parts that are added and removed, never changed in place: kinds, other names, tags."""
    found = set(now)
    for entry in parts_since(record, noun, version):
        if entry.action == "created":
            held = {value.field: value.new or "" for value in entry.values}
            found.discard(tuple(held.get(field, "") for field in fields))
        elif entry.action == "deleted":
            held = {value.field: value.old or "" for value in entry.values}
            found.add(tuple(held.get(field, "") for field in fields))
    return found


def parts_since(record: Any, noun: str, version: int) -> list[AuditEntry]:
    """The changes of the parts (`noun`: their table) of `record` since it had `version`, newest first. What came with the
    migrations has no entry of its first version: all changes are later."""
    known = db.session.scalar(
        select(AuditEntry)
        .where(AuditEntry.about_id == _about(record), AuditEntry.record_id == record.id, AuditEntry.version == version)
        .order_by(AuditEntry.seq.desc())
        .limit(1)
    )
    if known is None and version != _FIRST:
        return []
    later = select(AuditEntry).where(AuditEntry.about_id == record.id, AuditEntry.noun == noun)
    if known is not None:
        later = later.where(AuditEntry.seq > known.seq, AuditEntry.at != known.at)
    return list(db.session.scalars(later.order_by(AuditEntry.seq.desc()).options(selectinload(AuditEntry.values))))


def typed(record: Any, field: str, text: str | None) -> object:
    """A text of the history as the type of the record's column."""
    column = inspect(record).mapper.columns.get(field)
    if text is None or column is None:
        return text
    try:
        return _read(column.type.python_type, text)
    except (ValueError, ArithmeticError, NotImplementedError):
        return text


def _read(kind: type, text: str) -> object:
    if kind is bool:
        return text == "True"
    if issubclass(kind, datetime | date):
        return kind.fromisoformat(text)
    if kind in (uuid.UUID, Decimal, int):
        return kind(text)
    return text


def _about(record: Any) -> uuid.UUID:
    parent = getattr(record, "__audit_parent__", None)
    found: uuid.UUID = (getattr(record, parent) if parent else None) or record.id
    return found

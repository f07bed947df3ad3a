"""Whether a record that was changed after an import stands as the import left it all the same: changed, and changed back, by hand or by an undo."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from crm.db import among, db
from crm.models.audit import AuditEntry
from crm.services.import_journal import as_text

_CHUNK = 400


def changed_back(entity: Any, left: Mapping[uuid.UUID, int], now: Mapping[uuid.UUID, int], made: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Of records that were left at one version and stand at another, those of which the history shows that nothing differs: no field of
    theirs and no part. One whose history is not whole, or not the reader's to see, is none of them. `made`: all that the import made, parts
    among them. Three statements a 400."""
    found: set[uuid.UUID] = set()
    parent = getattr(entity, "__audit_parent__", None)
    ids = [record_id for record_id in left if record_id in now]
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        records = {record.id: record for record in db.session.scalars(select(entity).where(among(entity.id, chunk)))}
        about = {key: (getattr(record, parent) if parent else None) or key for key, record in records.items()}
        entries: dict[uuid.UUID, list[AuditEntry]] = defaultdict(list)
        statement = select(AuditEntry).where(among(AuditEntry.about_id, list(set(about.values())))).options(selectinload(AuditEntry.values))
        for entry in db.session.scalars(statement.order_by(AuditEntry.seq)):
            entries[entry.about_id].append(entry)
        for key, record in records.items():
            its = [entry for entry in entries[about[key]] if about[key] == key or entry.record_id == key]
            if _is_as_left(record, its, left[key], now[key], made):
                found.add(key)
    return found


def _is_as_left(record: Any, entries: Sequence[AuditEntry], left: int, now: int, made: Collection[uuid.UUID]) -> bool:
    own = {entry.version: entry for entry in entries if (entry.noun, entry.record_id) == (record.__tablename__, record.id)}
    if any(version not in own for version in range(left, now + 1)):
        return False
    since = own[left]
    # What was written together has one moment: a part that was made with its record is no later change.
    if any(own[version].at <= since.at for version in range(left + 1, now + 1)):
        return False
    histories: dict[tuple[str, uuid.UUID], list[AuditEntry]] = defaultdict(list)
    for entry in entries:
        is_of_the_import = entry.action == "created" and entry.record_id in made
        if entry.at > since.at and not is_of_the_import:
            histories[entry.noun, entry.record_id].append(entry)
    mine = histories.pop((record.__tablename__, record.id), [])
    of_parts = {entry.at for some in histories.values() for entry in some}
    return _comes_to_nothing(mine, of_parts, record) and all(_comes_to_nothing(some) for some in histories.values())


def _comes_to_nothing(entries: Sequence[AuditEntry], of_parts: Collection[datetime] = (), record: Any = None) -> bool:
    """Whether changes of one record or part, oldest first, leave it as it was before them. A change that says nothing counted the version up
    for a part (`of_parts`: when those changed); one that does not follow from the one before was erased in part, and proves nothing."""
    first, last = entries[0].action, entries[-1].action
    if first == "created":
        return last == "deleted"
    if last == "deleted":
        return False
    before: dict[str, str | None] = {}
    after: dict[str, str | None] = {}
    for entry in entries:
        if not entry.values and entry.at not in of_parts:
            return False
        for value in entry.values:
            if value.old == value.new or after.get(value.field, value.old) != value.old:
                return False
            before.setdefault(value.field, value.old)
            after[value.field] = value.new
    is_so = record is None or all(as_text(getattr(record, name)) == text for name, text in after.items())
    return before == after and is_so

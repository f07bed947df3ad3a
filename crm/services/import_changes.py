"""Whether a record that was changed after an import stands as the import left it all the same: changed, and changed back, by hand or by an undo."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from crm.db import among, db
from crm.models.audit import AuditEntry

_CHUNK = 400


def changed_back(noun: str, left: Mapping[uuid.UUID, int], now: Mapping[uuid.UUID, int], made: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Of records that were left at one version and stand at another, those of which the history shows that nothing differs: no field of
    theirs and no part. One whose history is not whole, or not the reader's to see, is none of them. `made`: all that the import made, parts
    among them. Two statements a 400."""
    found: set[uuid.UUID] = set()
    ids = [record_id for record_id in left if record_id in now]
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        entries: dict[uuid.UUID, list[AuditEntry]] = defaultdict(list)
        statement = select(AuditEntry).where(among(AuditEntry.about_id, chunk)).options(selectinload(AuditEntry.values))
        for entry in db.session.scalars(statement.order_by(AuditEntry.seq)):
            entries[entry.about_id].append(entry)
        found |= {one for one in chunk if _is_as_left(noun, one, entries[one], left[one], now[one], made)}
    return found


def _is_as_left(noun: str, record_id: uuid.UUID, entries: Sequence[AuditEntry], left: int, now: int, made: Collection[uuid.UUID]) -> bool:
    own = {entry.version: entry for entry in entries if (entry.noun, entry.record_id) == (noun, record_id)}
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
    return all(map(_comes_to_nothing, histories.values()))


def _comes_to_nothing(entries: Sequence[AuditEntry]) -> bool:
    """Whether changes of one record or part, oldest first, leave it as it was before them."""
    first, last = entries[0].action, entries[-1].action
    if first == "created":
        return last == "deleted"
    if last == "deleted":
        return False
    before: dict[str, str | None] = {}
    after: dict[str, str | None] = {}
    for name, old, new in _values(entries):
        if old == new:  # erased since: nobody knows what it said
            return False
        before.setdefault(name, old)
        after[name] = new
    return before == after


def _values(entries: Iterable[AuditEntry]) -> Iterable[tuple[str, str | None, str | None]]:
    for entry in entries:
        for value in entry.values:
            yield value.field, value.old, value.new

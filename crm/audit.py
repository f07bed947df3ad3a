"""The history listener: every change of a record through the session leaves an entry with its fields, from and to."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import event, inspect, select, update
from sqlalchemy.orm import Session

from crm import clock
from crm.db import Base, follow, waiting_for, write_following
from crm.models.audit import AuditEntry, AuditValue
from crm.models.base import OFFICE, OPEN
from crm.policy import Actor

HIDDEN = frozenset({"password_hash"})
# `taken` and `progress` say how far an import is: what it did is in the history of its rows.
IGNORED = frozenset({"id", "office_id", "version", "created_at", "created_by_id", "folded_name", "taken", "progress"})


def _text(field: str, value: object) -> str | None:
    if value is None:
        return None
    if field in HIDDEN:
        return "•"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


_PENDING = "tl_history"
Values = list[tuple[str, str | None, str | None]]


@event.listens_for(Session, "before_flush")
def _note_history(session: Session, _context: Any, _instances: Any) -> None:
    actor: Actor | None = session.info.get("tl_actor")
    at = clock.now()  # one moment for all that is flushed together: a record and its parts
    noted: list[tuple[dict[str, Any], Values]] = []
    for action, records in (("created", session.new), ("changed", session.dirty), ("deleted", session.deleted)):
        for record in list(records):
            if getattr(record, "__audit_skip__", False) or not isinstance(record, Base):
                continue
            if action == "created" and getattr(record, "__audit_changes_only__", False):
                continue
            if entry := _entry_for(session, actor, action, record, at):
                noted.append(entry)
    session.info[_PENDING] = noted


@event.listens_for(Session, "after_flush")
def _write_history(session: Session, _context: Any) -> None:
    """All entries of a flush with one statement, and their fields with another: an import makes thousands."""
    follow(session, _PENDING, session.info.pop(_PENDING, []), _write)


def _write(session: Session, noted: Sequence[tuple[dict[str, Any], Values]]) -> None:
    keys = write_following(session, AuditEntry, [entry for entry, _fields in noted], key=AuditEntry.seq)
    fields = [
        {"entry_seq": seq, "office_id": entry["office_id"], "level": entry["level"], "field": name, "old": old, "new": new}
        for seq, (entry, values) in zip(keys, noted, strict=True)
        for name, old, new in values
    ]
    write_following(session, AuditValue, fields)


def _entry_for(session: Session, actor: Actor | None, action: str, record: Any, at: datetime) -> tuple[dict[str, Any], Values] | None:
    if action == "created" and actor is not None and getattr(record, "created_by_id", actor) is None:
        record.created_by_id = actor.user_id
    values = _values(action, record)
    if action == "changed" and not values and not _is_bumped(record):
        return None
    parent = getattr(record, "__audit_parent__", None)
    levels = _levels(action, record)
    if levels == (OPEN, OFFICE):
        _narrow_history(session, record, getattr(record, parent) if parent else record.id)
    entry = {
        "office_id": record.id if record.__tablename__ == "offices" else getattr(record, "office_id", None),
        "level": OFFICE if OFFICE in levels else OPEN,  # for whoever could read the record before and can after it, since it says both
        "at": at,
        "actor_id": actor.user_id if actor else None,
        "actor_name": actor.name if actor else "system",
        "noun": record.__tablename__,
        "record_id": record.id,
        "about_id": (getattr(record, parent) if parent else None) or record.id,
        "action": action,
        "version": _version_after(action, record),
    }
    return entry, values


def _levels(action: str, record: Any) -> tuple[str, str]:
    """The level of a record before and after what is flushed now."""
    now = getattr(record, "level", None) or OPEN
    if action == "created" or not hasattr(type(record), "level"):
        return now, now
    history = inspect(record).attrs.level.history
    return (history.deleted[0] if history.deleted and history.deleted[0] else now), now


def _narrow_history(session: Session, record: Any, about_id: uuid.UUID) -> None:
    """What a record said while it was open is of its office alone from now on."""
    its = (AuditEntry.about_id == about_id, AuditEntry.noun == record.__tablename__, AuditEntry.record_id == record.id)
    options = {"synchronize_session": False}
    narrowed: Any = update(AuditValue).where(AuditValue.entry_seq.in_(select(AuditEntry.seq).where(*its)))
    session.execute(narrowed.values(level=OFFICE), execution_options=options)
    session.execute(update(AuditEntry).where(*its).values(level=OFFICE), execution_options=options)
    for entry, _fields in waiting_for(session, _PENDING):
        if (entry["about_id"], entry["noun"], entry["record_id"]) == (about_id, record.__tablename__, record.id):
            entry["level"] = OFFICE


def _is_bumped(record: Any) -> bool:
    """Whether a service counted the version up because parts of the record change (crm.services.versions.touch)."""
    state = inspect(record)
    return state.mapper.version_id_col is not None and bool(state.attrs.version.history.has_changes())


def _version_after(action: str, record: Any) -> int | None:
    if inspect(record).mapper.version_id_col is None:
        return None
    if action == "created":
        return 1
    return int(record.version) if action == "deleted" or _is_bumped(record) else int(record.version) + 1


def _values(action: str, record: Any) -> Values:
    state = inspect(record)
    is_child = getattr(record, "__audit_parent__", None) is not None
    if action != "changed" and not is_child and action != "deleted":
        return []
    found: Values = []
    for column in state.mapper.column_attrs:
        name = column.key
        if name in IGNORED or name == getattr(record, "__audit_parent__", None):
            continue
        if action == "changed":
            history = state.attrs[name].history
            if not history.has_changes():
                continue
            old = history.deleted[0] if history.deleted else None
            new = history.added[0] if history.added else None
            if old == new:
                continue
            found.append((name, _text(name, old), _text(name, new)))
        else:
            text = _text(name, state.dict.get(name))
            if text not in (None, ""):
                found.append((name, None, text) if action == "created" else (name, text, None))
    return found

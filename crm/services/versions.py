"""Edits never overwrite each other silently: one check of the version that a form was opened with (F7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.errors import EditConflict
from crm.i18n import _
from crm.queries import history

_FIRST = 1


def check_version(
    record: Any,
    version: int,
    yours: Mapping[str, object],
    *,
    parts: Mapping[str, tuple[object, object]] | None = None,
) -> dict[str, object]:
    """Compare what a form wants to save with what others saved since it was opened; return what to write.

    `record` is the row as it is now, `version` the one the form carried, `yours` maps column names to the values typed
    (the columns' own types: a date, a UUID, ""). `parts` gives, for fields that are rows of their own (kinds, other names),
    (original, theirs); their typed value is in `yours` too, all three as comparable values.

    Nobody saved in between: `yours` comes back as it is. Somebody did: a field they left alone takes yours, a field you
    left alone keeps theirs, both alike is no matter. Where both changed a field differently: EditConflict with
    {field: (original, theirs, yours)} of exactly those fields, `version` = the newest (send that one with the choices)
    and `merged` = what the other fields should hold.
    Always write the RETURNED values. In a service:

        values = check_version(note, edit.version, {"body": edit.body, "level": edit.level})
        for name, value in values.items():
            setattr(note, name, value)
    """
    if record.version == version:
        return dict(yours)
    since = history.changes_since(record, version)
    merged: dict[str, object] = {}
    conflicts: dict[str, tuple[object, object, object]] = {}
    for field, mine in yours.items():
        if parts is not None and field in parts:
            original, theirs = parts[field]
        else:
            theirs = getattr(record, field)
            original = history.typed(record, field, since.before[field]) if field in since.before else theirs
        if theirs in (original, mine):
            merged[field] = mine
        elif mine == original:
            merged[field] = theirs
        else:
            conflicts[field] = (original, theirs, mine)
    if version < _FIRST or version > record.version:  # a form without its version: nothing is known, all that differs is shown
        conflicts = {field: (None, theirs, yours[field]) for field, theirs in _now(record, yours, parts) if theirs != yours[field]}
    if conflicts:
        raise EditConflict(_sentence(since.who), changes=conflicts, version=record.version, merged=merged, who=since.who)
    return merged


def touch(record: Any) -> None:
    """Count the version up because parts of the record (kinds, names) change though its own columns do not."""
    record.version += 1


def _now(record: Any, yours: Mapping[str, object], parts: Mapping[str, tuple[object, object]] | None) -> list[tuple[str, object]]:
    return [(field, parts[field][1] if parts and field in parts else getattr(record, field)) for field in yours]


def _sentence(who: str) -> str:
    if who:
        return _("%(person)s saved this record while you were writing. Nothing of yours is lost: choose what to keep.", person=who)
    return _("This record was changed while you were writing. Nothing of yours is lost: choose what to keep.")

"""Who changed what: the history of a record put into words, for any noun. What a noun calls its fields and parts is passed in."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from flask import render_template, request

from crm.formatting import day, moment
from crm.i18n import LazyText, _, get_locale
from crm.models.audit import AuditEntry
from crm.policy import offices_by_id
from crm.queries import files, history, lookups
from crm.web.gate import actor

FILES = "files"
_LONGEST_KEY = 19  # digits of a 64-bit key
_NAMERS: Mapping[str, Callable[[set[uuid.UUID]], Mapping[uuid.UUID, str]]] = {
    "party": lambda keys: {key: match.name for key, match in lookups.party_matches(keys).items()},
    "person": lookups.people,
    "programme": lambda _keys: dict(lookups.programme_choices()),
    "ask": lookups.ask_sentences,
    "office": lambda _keys: {office.id: office.name for office in offices_by_id().values()},
}


@dataclass(frozen=True)
class Words:
    """How a noun's history reads. `fields`: its columns -> their names, in no order; a column that is not here is not shown.
    `parts`: tables of its parts -> (what they are, the column that tells one from another). `values`: column -> stored word ->
    shown word. `names`: columns that hold an id -> of what: "party", "person", "programme", "ask" or "office"."""

    fields: Mapping[str, LazyText]
    parts: Mapping[str, tuple[LazyText, str]] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


def page(record_id: uuid.UUID, words: Words, *, name: str, back: str, address: str) -> str:
    """The page of a record's history, newest first. The caller has fetched the record in the reader's scope."""
    found = history.history_of(record_id, before=cursor())
    return render_template("history/index.html", name=name, back=back, address=address, lines=lines(found, words), before=found.before)


def cursor() -> int | None:
    """The change before which the page begins, where the address names one."""
    before = request.args.get("before", "")
    return int(before) if before.isascii() and before.isdigit() and len(before) < _LONGEST_KEY else None


def lines(found: history.HistoryPage, words: Words) -> list[dict[str, Any]]:
    """One line for each part that came or went, one for each field that changed. One statement for each sort of name."""
    show = _shower(found, words)
    said: list[dict[str, Any]] = []
    names = file_names(found)
    for entry in found.entries:
        common = {"when": entry.at, "who": entry.actor_name}
        held = {value.field: value for value in entry.values}
        if entry.noun == FILES:
            said.append({**common, **file_line(entry, names)})
        elif entry.noun in words.parts:
            said += _part(entry.action, words.parts[entry.noun], held, show, common)
        elif entry.action == "created":
            said.append({**common, "what": _("Recorded")})
        elif entry.action == "changed":
            said += _changed(held, words.fields, show, common)
    return said


def file_names(found: history.HistoryPage) -> Mapping[uuid.UUID, str]:
    """The names of the files that some changes are about, as far as they are still there. At most one statement."""
    return files.names({entry.record_id for entry in found.entries if entry.noun == FILES})


def file_line(entry: AuditEntry, names: Mapping[uuid.UUID, str]) -> dict[str, str]:
    """A file that was attached, removed, put back or deleted for good, as a line of its record's history."""
    held = {value.field: value for value in entry.values}
    if entry.action == "created":
        return {"what": _("File attached"), "new": (held["name"].new or "") if "name" in held else ""}
    if entry.action == "deleted":
        return {"what": _("File deleted for good"), "old": (held["name"].old or "") if "name" in held else ""}
    name = names.get(entry.record_id, "")
    moved = held.get("removed_at")
    if moved is None:
        return {"what": _("Who can read the file"), "new": name}
    return {"what": _("File removed"), "old": name} if moved.new else {"what": _("File put back"), "new": name}


def _changed(held: Mapping[str, Any], names: Mapping[str, LazyText], show: Any, common: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**common, "what": names[column], "old": show(column, value.old), "new": show(column, value.new)}
        for column, value in held.items()
        if column in names
    ]


def _part(action: str, part: tuple[LazyText, str], held: Mapping[str, Any], show: Any, common: dict[str, Any]) -> list[dict[str, Any]]:
    what, column = part
    if action == "changed":
        return [{**common, "what": what, "old": show(name, value.old), "new": show(name, value.new)} for name, value in held.items()]
    value = held.get(column)
    return [{**common, "what": what, "old": show(column, value.old) if value else "", "new": show(column, value.new) if value else ""}]


def _shower(found: history.HistoryPage, words: Words) -> Callable[[str, str | None], str]:
    """How a stored text of a column is shown: a name for an id, a label for a word, a day or moment in words."""
    ids: dict[str, set[uuid.UUID]] = {}
    for entry in found.entries:
        for value in entry.values:
            if value.field in words.names:
                ids.setdefault(words.names[value.field], set()).update(uuid.UUID(text) for text in (value.old, value.new) if text)
    known = {str(key): name for kind, keys in ids.items() for key, name in _NAMERS[kind](keys).items()}

    def show(column: str, text: str | None) -> str:
        if not text:
            return ""
        if column in words.names:
            return known.get(text, _("one you cannot see"))
        if column in words.values:
            return str(words.values[column].get(text, text))
        return moment_or_day(column, text)

    return show


def moment_or_day(column: str, text: str) -> str:
    """A stored day ("due_on", "by_when") or moment ("starts_at") in words; any other text as it is."""
    try:
        if column.endswith("_at"):
            return moment(datetime.fromisoformat(text), actor().timezone, get_locale(), names_zone=False)
        if column.endswith("_on") or column in ("by_when", "valid_from", "valid_to"):
            return day(date.fromisoformat(text), get_locale())
    except ValueError:
        return text
    return text

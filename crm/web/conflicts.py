"""Two people edited the same record: the page of yours, theirs and the original, and what was chosen there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import request

from crm.formatting import day
from crm.forms.base import BaseForm
from crm.i18n import get_locale


@dataclass(frozen=True)
class ConflictItem:
    """One field that both changed, as texts for templates/components/conflict.html."""

    name: str
    label: str
    original: str
    theirs: str
    yours: str
    is_sent: bool = True


def conflict_items(form: BaseForm, show: Callable[[str, object], str] | None = None) -> list[ConflictItem]:
    """The fields of `form.conflict`, labelled as the form's. `show(field, value)` words a value where its text is not enough."""
    if form.conflict is None:
        return []
    word = show or (lambda _field, value: shown(value))
    items = []
    for name, (original, theirs, yours) in form.conflict.changes.items():
        label = str(form[name].label.text) if name in form else name
        items.append(ConflictItem(name, label, word(name, original), word(name, theirs), word(name, yours)))
    return items


def shown(value: object) -> str:
    """A value as a text: a day in words, several values one a line."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return day(value, get_locale())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "\n".join(str(part) for part in value)
    return str(value)


def take_choices(form: BaseForm, theirs: Mapping[str, Any]) -> None:
    """After a conflict page: fields where the person chose what the other saved take the record's value, before validation.
    `theirs`: form field -> value as the field's `data` has it."""
    for name, value in theirs.items():
        if request.form.get(f"choose-{name}") == "theirs" and name in form:
            form[name].data = value
            form[name].raw_data = value if isinstance(value, list) else [value] if value else []


def settle(form: BaseForm, merged: Mapping[str, Any]) -> None:
    """Before a conflict page: the newest version, and what the other saved in fields that the person left alone."""
    if form.conflict is None:
        return
    form.version.data = str(form.conflict.version)
    for name, value in merged.items():
        if name in form and name not in form.conflict.changes:
            form[name].data = value

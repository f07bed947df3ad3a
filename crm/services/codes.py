"""Keeping the code lists: adding, changing, withdrawing and removing entries. They hold for all offices."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.db import db, hold, transactional
from crm.errors import Invalid, NotFound
from crm.formatting import day
from crm.i18n import DEFAULT_LOCALE, LOCALES, _, get_locale
from crm.models.base import SENTENCE_LENGTH
from crm.models.codes import GOAL_AREAS, INTERACTION_KINDS, LABEL_LENGTH, LISTS, PARTY_KINDS, SECTORS, Code, CodeLabel
from crm.models.interactions import Interaction
from crm.models.parties import PartyKind
from crm.models.programmes import GOAL_AREA, Programme, ProgrammeTag
from crm.policy import Actor, Permission, require_everywhere, unscoped
from crm.queries import codes as queries
from crm.queries.names import fold
from crm.services.checking import FIRST_DAY, LAST_DAY, Checks
from crm.services.versions import check_version, touch

LAST_POSITION = 9999
#: What a form and an edit conflict call the name in another language.
LABEL_FIELD = "label_%s"
#: The languages that the page offers; the table takes any.
LANGUAGES = tuple(language for language in LOCALES if language != DEFAULT_LOCALE)


@dataclass(frozen=True)
class CodeInput:
    """What is said about an entry. `position`: its place in the list, None for the end. `labels`: language -> name, "" for none."""

    label: str
    code: str = ""
    description: str = ""
    position: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    is_withdrawn: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)


@transactional
def add_code(actor: Actor, name: str, new: CodeInput) -> uuid.UUID:
    """Add an entry to a list. Raises `Invalid` by field, `NotFound` where there is no such list."""
    require_everywhere(actor, Permission.CODE_MANAGE)
    shape = LISTS.get(name)
    if shape is None:
        raise NotFound(_("There is no such list."))
    hold(f"code list {name}")
    rows = queries.of_list(name)
    checks = Checks()
    _check_marks(name, "label", new.label, checks)
    code = new.code.strip()
    if not shape.pattern.fullmatch(code):
        checks.refuse("code", code_rule(name))
    elif any(row.code.casefold() == code.casefold() for row in rows):
        checks.refuse("code", _("The list has this code already. A code is never given twice: records of earlier years hold it."))
    position = new.position if new.position is not None else min(LAST_POSITION, max((row.position for row in rows), default=0) + 10)
    values = _checked(new, position, rows, None, checks)
    labels = _checked_labels(name, new.labels, checks)
    checks.done()
    made = Code(list_name=name, code=code, **values)
    made.labels = [CodeLabel(code_id=made.id, language=language, label=label) for language, label in labels.items() if label]
    db.session.add(made)
    db.session.flush()
    queries.forget()
    return made.id


@transactional
def change_code(actor: Actor, code_id: uuid.UUID, values: CodeInput, *, version: int) -> uuid.UUID:
    """Change what is said about an entry; its code stays. Records that hold it show the new label.

    Raises `Invalid` by field, and `EditConflict` where somebody changed it since the form was opened; each language's name counts
    as a field (LABEL_FIELD)."""
    require_everywhere(actor, Permission.CODE_MANAGE)
    record = _entry(code_id)
    checks = Checks()
    _check_marks(record.list_name, "label", values.label, checks)
    checked = _checked(
        values, record.position if values.position is None else values.position, queries.of_list(record.list_name), record, checks
    )
    labels = _checked_labels(record.list_name, values.labels, checks)
    checks.done()
    with unscoped("the history of code lists belongs to no office"):
        now = {row.language: row.label for row in record.labels}
        then = queries.labels_at(record, version, record.labels)
        parts: dict[str, tuple[object, object]] = {LABEL_FIELD % key: (then.get(key, ""), now.get(key, "")) for key in labels}
        typed = checked | {LABEL_FIELD % key: label for key, label in labels.items()}
        kept: dict[str, Any] = check_version(record, version, typed, parts=parts)
    is_named_anew = _set_labels(record, {key: str(kept.pop(LABEL_FIELD % key)) for key in labels})
    is_changed = any(getattr(record, name) != value for name, value in kept.items())
    for name, value in kept.items():
        setattr(record, name, value)
    if is_named_anew and not is_changed:
        touch(record)
    db.session.flush()
    queries.forget()
    return record.id


@transactional
def remove_code(actor: Actor, code_id: uuid.UUID) -> str:
    """Take an entry away that no record holds: the list it was in. What records hold, or the system relies on, is refused."""
    require_everywhere(actor, Permission.CODE_MANAGE)
    record = _entry(code_id, is_leaving=True)
    if record.code in LISTS[record.list_name].relied_on:
        raise Invalid(relied_on_sentence(record.label))
    if is_in_use(record):
        raise Invalid(held_sentence(record.label))
    db.session.delete(record)
    db.session.flush()
    queries.forget()
    return record.list_name


def is_in_use(record: Code) -> bool:
    """Whether any record of any office holds an entry."""
    statement = {
        SECTORS: select(Programme.id).where(Programme.sector == record.code),
        INTERACTION_KINDS: select(Interaction.id).where(Interaction.kind == record.code),
        PARTY_KINDS: select(PartyKind.id).where(PartyKind.kind == record.code),
        GOAL_AREAS: select(ProgrammeTag.id).where(ProgrammeTag.scheme == GOAL_AREA, ProgrammeTag.code == record.code),
    }[record.list_name]
    with unscoped("an entry of a code list may be in use in any office"):
        return db.session.scalar(statement.limit(1)) is not None


def code_rule(name: str) -> str:
    """What a code of a list looks like, as a sentence."""
    return {
        GOAL_AREAS: _("A code has 1 to 10 letters, digits, points and hyphens, such as 2026-1."),
        INTERACTION_KINDS: _("A code has 1 to 40 small letters, digits and hyphens, such as site-visit."),
        PARTY_KINDS: _("A code has 1 to 40 small letters, digits and hyphens, such as trade-union."),
        SECTORS: _("A code has the five digits of the OECD-DAC list, such as 12240."),
    }[name]


def relied_on_sentence(label: str) -> str:
    """Why an entry can be neither removed nor withdrawn."""
    return _("The system itself relies on “%(label)s”, so it can be neither removed nor withdrawn. Its names can be changed.", label=label)


def held_sentence(label: str) -> str:
    """Why an entry cannot be removed, and what to do instead."""
    return _("Records hold “%(label)s”, so it cannot be removed. Withdraw it: they keep it, and no new one takes it.", label=label)


def _entry(code_id: uuid.UUID, *, is_leaving: bool = False) -> Code:
    """An entry as it is once nobody else writes its list; where it is to leave, once nobody is about to hold it either."""
    record = queries.find(code_id)
    if record is not None:
        hold(f"code list {record.list_name}")
        db.session.expire_all()
        record = queries.find(code_id, is_leaving=is_leaving)
    if record is None:
        raise NotFound(_("There is no such entry."))
    return record


def _checked(values: CodeInput, position: int, rows: list[Code], record: Code | None, checks: Checks) -> dict[str, object]:
    """The columns of an entry, each refused by its field."""
    label = " ".join(checks.text("label", values.label, LABEL_LENGTH, needed=_("Enter what the entry is called.")).split())
    begins, ends = checks.day("valid_from", values.valid_from), checks.day("valid_to", values.valid_to)
    if not 0 <= position <= LAST_POSITION:
        checks.refuse("position", _("Enter a number from 0 to %(last)s.", last=LAST_POSITION))
    if begins and ends and ends < begins:
        checks.refuse("valid_to", _("The last day lies before the first."))
    if record is not None and record.code in LISTS[record.list_name].relied_on:
        for name, is_limited in (("is_withdrawn", values.is_withdrawn), ("valid_from", begins), ("valid_to", ends)):
            if is_limited:
                checks.refuse(name, relied_on_sentence(record.label))
    if label and not values.is_withdrawn and (other := _twin(label, begins, ends, rows, record)):
        checks.refuse("label", _twin_sentence(other))
    return {
        "label": label,
        "description": checks.text("description", values.description, SENTENCE_LENGTH),
        "position": position,
        "valid_from": begins,
        "valid_to": ends,
        "is_withdrawn": values.is_withdrawn,
    }


def _twin(label: str, begins: date | None, ends: date | None, rows: list[Code], record: Code | None) -> Code | None:
    """Another entry of the same name that is offered on one of the same days: nobody could tell the two apart in a form."""
    first, last = begins or FIRST_DAY, ends or LAST_DAY
    for row in rows:
        if row is record or row.is_withdrawn or LISTS[row.list_name].shows_codes or fold(row.label) != fold(label):
            continue
        if (row.valid_from or FIRST_DAY) <= last and first <= (row.valid_to or LAST_DAY):
            return row
    return None


def _twin_sentence(other: Code) -> str:
    if other.valid_from is None and other.valid_to is None:
        return _("Entry %(code)s has this name. Give another name, or withdraw that entry.", code=other.code)
    return _(
        "Entry %(code)s has this name and is offered on some of the same days (%(dates)s). Give another name or other days.",
        code=other.code,
        dates=dates_in_words(other.valid_from, other.valid_to),
    )


def dates_in_words(begins: date | None, ends: date | None) -> str:
    """When an entry is offered; "" where always."""
    locale = get_locale()
    if begins and ends:
        return _("%(first)s to %(last)s", first=day(begins, locale), last=day(ends, locale))
    if begins:
        return _("from %(first)s", first=day(begins, locale))
    return _("until %(last)s", last=day(ends, locale)) if ends else ""


def _checked_labels(name: str, labels: Mapping[str, str], checks: Checks) -> dict[str, str]:
    for language, label in labels.items():
        _check_marks(name, LABEL_FIELD % language, label, checks)
    return {
        language: " ".join(checks.text(LABEL_FIELD % language, label, LABEL_LENGTH).split())
        for language, label in labels.items()
        if language in LANGUAGES
    }


def _check_marks(name: str, field: str, label: str, checks: Checks) -> None:
    marks = LISTS[name].marks
    if any(mark in label for mark in marks):
        checks.refuse(
            field,
            _("Leave %(marks)s out of the name: a file holds several in one cell, with such marks between them.", marks=" ".join(marks)),
        )


def _set_labels(record: Code, labels: Mapping[str, str]) -> bool:
    """Give an entry these names in other languages; languages that are not there stay. Whether anything changed."""
    held = {row.language: row for row in record.labels}
    changed = {language: label for language, label in labels.items() if label != (held[language].label if language in held else "")}
    for language, label in changed.items():
        if not label:
            record.labels.remove(held[language])
            db.session.delete(held[language])  # at once, so that the history sees it
        elif language in held:
            held[language].label = label
        else:
            record.labels.append(CodeLabel(code_id=record.id, language=language, label=label))
    return bool(changed)

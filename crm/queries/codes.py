"""Reading the code lists: what is offered, and what a code is called in the reader's language."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from sqlalchemy import and_, event, func, or_, select
from sqlalchemy.orm import Session, SessionTransaction, selectinload

from crm import editions
from crm.db import db, is_writing
from crm.i18n import get_locale
from crm.models.codes import LISTS, Code, CodeLabel
from crm.models.editions import CODES
from crm.policy import unscoped
from crm.queries import history
from crm.queries.names import fold
from crm.queries.paging import Order, Page, Paging, fetch_page

_HELD, _KEPT = "tl_codes", "tl_codes_kept"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as readers see it: its label is in their language, else in English."""

    code: str
    label: str
    valid_from: date | None
    valid_to: date | None
    is_withdrawn: bool

    def is_offered(self, on: date) -> bool:
        """Whether new records of a day may hold it."""
        return is_offered(self, on)


def is_offered(entry: Entry | Code, on: date) -> bool:
    """Whether new records of a day may hold an entry: not withdrawn, and the day within its dates."""
    begins, ends = entry.valid_from, entry.valid_to
    return not entry.is_withdrawn and (begins is None or begins <= on) and (ends is None or on <= ends)


def entries(name: str) -> Mapping[str, Entry]:
    """Every entry of a list by its code, in the list's order: read once for a transaction and language, and by a process while no list changes."""
    locale = get_locale()
    held: dict[tuple[str, str], Mapping[str, Entry]] = db.session().info.setdefault(_HELD, {})
    if (name, locale) not in held:
        held[name, locale] = editions.shared(CODES, (name, locale), lambda: _read(name, locale))
    return held[name, locale]


def _read(name: str, locale: str) -> Mapping[str, Entry]:
    rows = db.session.execute(
        select(Code.code, func.coalesce(CodeLabel.label, Code.label), Code.valid_from, Code.valid_to, Code.is_withdrawn)
        .outerjoin(CodeLabel, and_(CodeLabel.code_id == Code.id, CodeLabel.language == locale))
        .where(Code.list_name == name)
        .order_by(Code.position, Code.code)
    )
    return MappingProxyType({row[0]: Entry(*row) for row in rows})


def keep(name: str, code: str) -> bool:
    """Whether an entry is in its list still, whatever was read before; a transaction that writes keeps it there until it ends, so that
    nobody removes what it is about to hold. Once for a transaction or savepoint, whose end lets go."""
    session = db.session()
    if not is_writing():
        return code in entries(name)
    within = session.get_nested_transaction() or session.get_transaction()
    kept: tuple[object, set[tuple[str, str]]] = session.info.get(_KEPT, (None, set()))
    if within is None or kept[0] is not within:
        kept = session.info[_KEPT] = (within, set())
    if (name, code) not in kept[1]:
        row = select(Code.id).where(Code.list_name == name, Code.code == code).with_for_update(read=True, key_share=True)
        if db.session.scalar(row) is None:
            return False
        kept[1].add((name, code))
    return True


def forget() -> None:
    """The lists have changed: read them anew."""
    db.session().info.pop(_HELD, None)


@event.listens_for(Session, "after_transaction_end")
def _forget_at_the_end(session: Session, transaction: SessionTransaction) -> None:
    """The next transaction of a session (a worker's, a request's that saves) sees what others changed, and nothing that was undone."""
    if transaction.parent is None:
        session.info.pop(_HELD, None)


def label(name: str, code: str | None) -> str:
    """What a code is called; a code that no list knows is shown as it is, and none as nothing."""
    found = entries(name).get(code) if code else None
    return found.label if found else code or ""


def offered(name: str, on: date, *held: str | None) -> list[Entry]:
    """What a form of a day offers: what new records may hold, and what the record holds already."""
    return [entry for code, entry in entries(name).items() if code in held or is_offered(entry, on)]


def offered_choices(name: str, on: date, *held: str | None) -> list[tuple[str, str]]:
    """What a form of a day offers, as codes with their names."""
    return [(entry.code, entry.label) for entry in offered(name, on, *held)]


class Names(Mapping[str, object]):
    """The names of a list's codes in the reader's language, for pages and histories that word a code. A code that no list knows
    is shown as it is. `also`: words of the same column that are in no list."""

    def __init__(self, name: str, also: Mapping[str, object] | None = None) -> None:
        self.name = name
        self.also = also or {}

    def __getitem__(self, code: str) -> object:
        return self.also[code] if code in self.also else label(self.name, code)

    def __contains__(self, code: object) -> bool:
        return code in self.also or code in entries(self.name)

    def __iter__(self) -> Iterator[str]:
        yield from self.also
        yield from entries(self.name)

    def __len__(self) -> int:
        return len(self.also) + len(entries(self.name))

    def get(self, code: str, default: Any = None) -> Any:
        """The name of a code, or `default` where no list knows it."""
        if code in self.also:
            return self.also[code]
        found = entries(self.name).get(code)
        return found.label if found else default


def words(name: str) -> dict[str, str]:
    """Every name of a list's entries in every language, folded, with its code: what a file may call them. Two statements."""
    rows = db.session.execute(select(Code.code, Code.label).where(Code.list_name == name).order_by(Code.is_withdrawn.desc()))
    others = db.session.execute(
        select(Code.code, CodeLabel.label)
        .join(CodeLabel, CodeLabel.code_id == Code.id)
        .where(Code.list_name == name)
        .order_by(Code.is_withdrawn.desc())
    )
    pairs = [*others, *rows]
    return {fold(code): code for code, _label in pairs} | {fold(text): code for code, text in pairs}


# --- for those who keep the lists ---------------------------------------------------------------------------------


def counts() -> dict[str, int]:
    """How many entries each list has. One statement."""
    rows = db.session.execute(select(Code.list_name, func.count()).group_by(Code.list_name))
    found = {row[0]: row[1] for row in rows}
    return {name: found.get(name, 0) for name in LISTS}


def page_of(name: str, words: str, paging: Paging) -> Page[Code]:
    """A page of a list with its names in other languages; `words`: in a code or a label of any language. Three statements."""
    statement = select(Code).where(Code.list_name == name).options(selectinload(Code.labels))
    if words:
        in_other = Code.labels.any(CodeLabel.label.icontains(words, autoescape=True))
        statement = statement.where(
            or_(Code.code.icontains(words, autoescape=True), Code.label.icontains(words, autoescape=True), in_other)
        )
    return fetch_page(statement, Order(Code.position, Code.id), paging)


def find(code_id: uuid.UUID, *, is_leaving: bool = False) -> Code | None:
    """One entry with its names in other languages; where it is to leave its list, once no transaction keeps it there (`keep`)."""
    statement = select(Code).where(Code.id == code_id).options(selectinload(Code.labels))
    return db.session.scalar(statement.with_for_update() if is_leaving else statement)


def of_list(name: str) -> list[Code]:
    """All entries of a list as rows."""
    return list(db.session.scalars(select(Code).where(Code.list_name == name).order_by(Code.position, Code.code)))


def labels_at(record: Code, version: int, now: Iterable[CodeLabel]) -> dict[str, str]:
    """The other-language names that an entry had at a version, by language: what others changed since is undone from `now`.

    The caller is outside the row scope, since the history of the lists belongs to no office."""
    found = {row.id: (row.language, row.label) for row in now}
    for entry in history.parts_since(record, "code_labels", version):
        held: dict[str, Any] = {value.field: value for value in entry.values}
        if entry.action == "created":
            found.pop(entry.record_id, None)
        elif entry.action == "deleted":
            found[entry.record_id] = (held["language"].old, held["label"].old)
        elif "label" in held and entry.record_id in found:
            found[entry.record_id] = (found[entry.record_id][0], held["label"].old)
    return dict(found.values())


def history_of(code_id: uuid.UUID, *, before: int | None = None) -> history.HistoryPage:
    """Who changed what on an entry, for everybody: the lists hold for all offices."""
    with unscoped("the history of code lists belongs to no office"):
        return history.history_of(code_id, before=before)

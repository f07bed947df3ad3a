"""What all share and few change (rates, code lists, offices) is read once by each process, and again when the database says so.

The database holds a number for each kind (`Edition`). Whoever changes a record of a kind gives it a new number in the same
transaction, so a number says what is held: two processes that read the same number may each use what they read for it. Numbers
are never used twice. A kind without a number is read anew each time.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from sqlalchemy import event, select, update
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

from crm.db import db, new_id, transactional
from crm.models.editions import NAMES, Edition

T = TypeVar("T")

_READ, _OWN = "tl_editions", "tl_editions_own"
#: So many numbers of a kind are kept: that of now, and one for readers that began before a change.
_KEPT_NUMBERS = 2
_kept: dict[str, dict[uuid.UUID, dict[Hashable, Any]]] = {}
_lock = threading.Lock()


#: The number of each kind, for a statement that asks for them along with its own columns; what it finds is given to `note`.
NUMBERS: tuple[Any, ...] = tuple(select(Edition.number).where(Edition.name == name).scalar_subquery().label(name) for name in NAMES)


def note(numbers: Sequence[uuid.UUID | None]) -> None:
    """What another statement of this transaction found for `NUMBERS`."""
    db.session().info[_READ] = dict(zip(NAMES, numbers, strict=True))


def shared(name: str, key: Hashable, read: Callable[[], T]) -> T:
    """What `read` reads of a kind, kept under `key` while its number stays. Nobody may change what is returned, but for what is
    found in it alone and kept with it (the rates of `RateBook`).

    At most three statements, mostly one or none; inside a transaction that has changed the kind it is read each time.
    Nothing is flushed for it: what a service wants to see of its own it flushes first."""
    session = db.session()
    number = None if name in session.info.get(_OWN, ()) else _number(session, name)
    if number is None:
        return read()
    held = _kept.get(name, {}).get(number)
    if held is not None and key in held:
        found: T = held[key]
        return found
    found = read()
    session.info.pop(_READ, None)
    if _number(session, name) == number:  # else somebody changed it while it was read
        with _lock:
            of_kind = _kept.setdefault(name, {})
            of_kind.setdefault(number, {})[key] = found
            while len(of_kind) > _KEPT_NUMBERS:
                del of_kind[next(iter(of_kind))]
    return found


def _number(session: Session, name: str) -> uuid.UUID | None:
    read: dict[str, uuid.UUID | None] | None = session.info.get(_READ)
    if read is None:
        read = session.info[_READ] = {row[0]: row[1] for row in session.execute(select(Edition.name, Edition.number))}
    return read.get(name)


@transactional
def renew() -> None:
    """New numbers for all kinds: after migrations, and after anything else that writes past the session."""
    session = db.session()
    for name in NAMES:
        _change(session, name)


def _change(session: Session, name: str) -> None:
    session.info.setdefault(_OWN, set()).add(name)
    numbered = update(Edition).where(Edition.name == name).values(number=new_id())
    session.execute(numbered, execution_options={"synchronize_session": False})


@event.listens_for(Session, "before_flush")
def _changed_by_flush(session: Session, _context: Any, _instances: Any) -> None:
    found = {getattr(record, "__edition__", "") for record in (*session.new, *session.deleted)}
    for record in session.dirty:  # thousands in an import, hardly one of them of a kind
        name = getattr(record, "__edition__", "")
        if name and name not in found and session.is_modified(record):
            found.add(name)
    for name in sorted(found - {""}):
        _change(session, name)


@event.listens_for(Session, "do_orm_execute")
def _changed_by_statement(state: ORMExecuteState) -> None:
    if state.is_select or state.bind_mapper is None:
        return
    name = getattr(state.bind_mapper.class_, "__edition__", None)
    if name is not None:
        _change(state.session, name)


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    """The next transaction asks again."""
    if transaction.parent is None:
        session.info.pop(_READ, None)
        session.info.pop(_OWN, None)

"""Writing the search index: one listener, so that no service can forget it, and the pass that makes index and tables equal."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import delete, event, inspect, select, update
from sqlalchemy.orm import Session

from crm.db import db, follow, transactional, waiting_for, write_following
from crm.models.parties import Party, PartyName
from crm.models.search import SearchEntry
from crm.policy import Actor, Permission, require, system_actor, unscoped
from crm.queries.search_index import (
    CHUNK,
    NOUN_OF,
    NOUNS,
    PART_OF,
    Searchable,
    differences,
    entries,
    entries_of,
    is_outdated,
    names_of,
    party_words,
    record_ids,
    strays,
)

_NAMED = frozenset({"name"})
_MADE = "tl_search_made"


@event.listens_for(Session, "after_flush")
def _follow(session: Session, _context: Any) -> None:
    """Entries are written in the transaction of their records: what is saved is found, what is rolled back is not."""
    fresh, dirty, deleted = list(session.new), list(session.dirty), list(session.deleted)
    made = [record for record in fresh if type(record) in NOUN_OF]
    parts = [record for record in fresh if type(record) in PART_OF]
    changed: dict[str, set[uuid.UUID]] = defaultdict(set)
    gone: dict[str, list[uuid.UUID]] = defaultdict(list)
    renamed: set[uuid.UUID] = set()
    for record in deleted:
        if type(record) in NOUN_OF:
            gone[NOUN_OF[type(record)].noun].append(record.id)
    for record in dirty:
        searchable = NOUN_OF.get(type(record))
        if searchable is not None and _has_changed(record, searchable.watched):
            changed[searchable.noun].add(record.id)
            renamed.update([record.id] if isinstance(record, Party) and _has_changed(record, _NAMED) else [])
    changed_parts = [one for one in dirty if type(one) in PART_OF and _has_changed(one, frozenset(PART_OF[type(one)][1].texts))]
    for record in (*parts, *changed_parts, *(one for one in deleted if type(one) in PART_OF)):
        changed[PART_OF[type(record)][0].noun].add(_parent_of(record))
        renamed.update([record.party_id] if isinstance(record, PartyName) else [])
    if not made and not changed and not gone:
        return
    new_keys = {record.id for record in (*made, *waiting_for(session, _MADE))}
    with unscoped("search entries follow their records"):
        for noun, keys in gone.items():
            session.execute(delete(SearchEntry).where(SearchEntry.noun == noun, SearchEntry.record_id.in_(keys)))
        for noun, keys_changed in changed.items():
            _write_changed(session, NOUNS[noun], keys_changed - new_keys - set(gone[noun]))
        _rename(session, renamed - new_keys - set(gone["parties"]))
    follow(session, _MADE, [*made, *(part for part in parts if _parent_of(part) in new_keys)], _write_made)


def _parent_of(part: Any) -> uuid.UUID:
    parent: uuid.UUID = getattr(part, PART_OF[type(part)][1].parent)
    return parent


def _has_changed(record: Any, names: frozenset[str]) -> bool:
    attributes = inspect(record).attrs
    return any(attributes[name].history.has_changes() for name in names if name in attributes)


def _write_made(session: Session, items: Sequence[Any]) -> None:
    """The entries of new records, `items`: with their parts, which are as new. Two statements for up to so many of any nouns."""
    parts: dict[uuid.UUID, list[Any]] = defaultdict(list)
    held = [item for item in items if (state := inspect(item)).pending or state.persistent]  # the others were removed again meanwhile
    for item in held:
        if type(item) in PART_OF:
            parts[_parent_of(item)].append(item)
    records = [item for item in held if type(item) in NOUN_OF]
    with unscoped("search entries follow their records"):
        for start in range(0, len(records), CHUNK):
            write_following(session, SearchEntry, [vars(wanted) for wanted in entries_of(records[start : start + CHUNK], parts)])


def _write_changed(session: Session, searchable: Searchable, changed: Iterable[uuid.UUID]) -> None:
    for part in _parts(sorted(changed)):
        for key, wanted in entries(searchable, part).items():
            held = update(SearchEntry).where(SearchEntry.noun == searchable.noun, SearchEntry.record_id == key)
            values = {name: value for name, value in vars(wanted).items() if name not in ("noun", "record_id")}
            found: Any = session.execute(held.values(values), execution_options={"synchronize_session": False})
            if not found.rowcount:
                session.add(SearchEntry(**vars(wanted)))


def _rename(session: Session, party_ids: Iterable[uuid.UUID]) -> None:
    """The records about a party are found by its new name: one UPDATE a party."""
    for key, names in names_of(list(party_ids)).items():
        about = update(SearchEntry).where(SearchEntry.party_id == key)
        session.execute(about.values(party_words=party_words(names)), execution_options={"synchronize_session": False})


def _parts(keys: list[uuid.UUID]) -> Iterable[list[uuid.UUID]]:
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))


# --- making index and tables equal -----------------------------------------------------------------------------------


def reindex(
    actor: Actor, said: Callable[[str, int, int], object] = lambda *_: None, nouns: Collection[Searchable] = tuple(NOUNS.values())
) -> tuple[int, int]:
    """Write the entries that are missing or not as their records are, drop those whose record is gone: (written, dropped).

    A transaction for each chunk, so that people can go on saving; done twice, it finds nothing to do the second time.
    `said(noun, records so far, entries written so far)` is called after each chunk."""
    require(actor, Permission.OFFICE_MANAGE)
    written = dropped = 0
    for searchable in nouns:
        after: uuid.UUID | None = None
        seen = 0
        while True:
            after, count, done = _mend(searchable, after)
            seen, written = seen + count, written + done
            said(str(searchable.label), seen, written)
            if after is None:
                break
        while gone := _drop_strays(searchable):
            dropped += gone
    return written, dropped


@transactional
def _mend(searchable: Searchable, after: uuid.UUID | None) -> tuple[uuid.UUID | None, int, int]:
    """One chunk: the last id (None at the end), how many records there were, how many entries were written."""
    with unscoped("search entries follow their records"):
        ids = record_ids(searchable, after)
        found = differences(searchable, ids)
        write_following(db.session(), SearchEntry, [vars(one.wanted) for one in found if one.wanted and not one.held])
        for one in found:
            for name, value in vars(one.wanted).items() if one.wanted and one.held else ():
                setattr(one.held, name, value)
        db.session.flush()
    db.session.expunge_all()
    return (ids[-1] if len(ids) == CHUNK else None), len(ids), len(found)


@transactional
def _drop_strays(searchable: Searchable) -> int:
    with unscoped("search entries follow their records"):
        found = strays(searchable)
        for entry in found:
            db.session.delete(entry)
        db.session.flush()
    return len(found)


def bring_up_to_date() -> None:
    """After the migrations: write the index of a database from before there was one, or the entries of parties where their words were
    made otherwise. Does nothing where every entry is as it should be."""
    with unscoped("search entries follow their records"):
        has_entry = db.session.scalar(select(SearchEntry.seq).limit(1)) is not None
        has_records = has_entry or any(record_ids(one, None) for one in NOUNS.values())
        is_old = has_entry and is_outdated()
    db.session.rollback()
    if has_records and not has_entry:
        reindex(system_actor([]))
    elif is_old:
        reindex(system_actor([]), nouns=[NOUN_OF[Party]])

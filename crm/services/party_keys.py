"""The keys by which possible duplicates are found: one listener, so that no service can forget them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, event, inspect, or_, select
from sqlalchemy.orm import Session, selectinload

from crm.db import db, new_id, transactional, write_following
from crm.models.parties import Party, PartyDistinction, PartyKey, PartyName
from crm.policy import unscoped
from crm.queries.likeness import keys

CHUNK = 500
_AS_THEY_STAND = {"synchronize_session": False}
_WATCHED = ("name", "visibility")
_PENDING = "tl_party_keys"


@event.listens_for(Session, "before_flush")
def _follow(session: Session, _context: object, _instances: object) -> None:
    """Keys are written in the transaction of their party."""
    made = {record for record in session.new if isinstance(record, Party)}
    changed = {record for record in session.dirty if isinstance(record, Party) and _has_changed(record)}
    renamed = {
        record.party_id
        for record in (*session.new, *session.dirty, *session.deleted)
        if isinstance(record, PartyName) and record.party_id is not None
    } - {party.id for party in made}
    gone = {record.id for record in session.deleted if isinstance(record, Party)}
    with unscoped("keys follow the names of their party"):
        changed |= {party for key in renamed - gone if (party := session.get(Party, key)) is not None}
        stale = sorted({party.id for party in changed - made} | gone)
        if stale:
            session.execute(delete(PartyKey).where(PartyKey.party_id.in_(stale)), execution_options=_AS_THEY_STAND)
        if gone:
            told_apart = or_(PartyDistinction.one_id.in_(sorted(gone)), PartyDistinction.other_id.in_(sorted(gone)))
            session.execute(delete(PartyDistinction).where(told_apart), execution_options=_AS_THEY_STAND)
        wanted = made | {party for party in changed if party.id not in gone}
        session.info[_PENDING] = [
            row for party in wanted for row in rows_for(party, _names(session, party) if party.id in renamed else party.names)
        ]


@event.listens_for(Session, "after_flush")
def _write(session: Session, _context: object) -> None:
    """The keys of all parties of a flush, with one statement: an import makes thousands."""
    write_following(session, PartyKey, session.info.pop(_PENDING, []))


def _names(session: Session, party: Party) -> set[PartyName]:
    """A party's other names as they will be: a name that was added by itself is not among those the party in memory knows."""
    with session.no_autoflush:
        held = set(session.scalars(select(PartyName).where(PartyName.party_id == party.id)))
    added = {record for record in session.new if isinstance(record, PartyName) and record.party_id == party.id}
    return (held | added | set(party.names)) - set(session.deleted) - set(inspect(party).attrs.names.history.deleted)


def _has_changed(party: Party) -> bool:
    attributes = inspect(party).attrs
    return any(attributes[name].history.has_changes() for name in _WATCHED)


def rows_for(party: Party, names: Iterable[PartyName] | None = None) -> list[dict[str, Any]]:
    """The keys of a party's name and other names (those it knows, unless they are given), as rows of `PartyKey`."""
    others = party.names if names is None else names
    found = {key for name in (party.name, *(row.name for row in others)) for key in keys(name)}
    of = {"office_id": party.office_id, "visibility": party.visibility, "party_id": party.id}
    return [{"id": new_id(), **of, "key": key} for key in sorted(found)]


def fill_if_empty() -> None:
    """Write the keys of parties from before there were any: after the migration. Does nothing where there is a key."""
    with unscoped("keys follow the names of their party"):
        if db.session.scalar(select(PartyKey.id).limit(1)) is not None:
            db.session.rollback()
            return
    after: uuid.UUID | None = None
    while True:
        after = _fill(after)
        if after is None:
            return


@transactional
def _fill(after: uuid.UUID | None) -> uuid.UUID | None:
    with unscoped("keys follow the names of their party"):
        statement = select(Party).options(selectinload(Party.names)).order_by(Party.id).limit(CHUNK)
        parties = db.session.scalars(statement if after is None else statement.where(Party.id > after)).all()
        write_following(db.session(), PartyKey, [row for party in parties for row in rows_for(party)])
    last = parties[-1].id if len(parties) == CHUNK else None
    db.session.expunge_all()
    return last


def wrong_keys() -> Iterable[tuple[uuid.UUID, str]]:
    """For `flask verify`: parties whose keys are not those of their names, as (id, reference)."""
    after: uuid.UUID | None = None
    while True:
        statement = select(Party).options(selectinload(Party.names)).order_by(Party.id).limit(CHUNK)
        parties = db.session.scalars(statement if after is None else statement.where(Party.id > after)).all()
        held: dict[uuid.UUID, set[tuple[int, str, uuid.UUID]]] = {party.id: set() for party in parties}
        for row in db.session.execute(
            select(PartyKey.party_id, PartyKey.key, PartyKey.visibility, PartyKey.office_id).where(PartyKey.party_id.in_(list(held)))
        ):
            held[row.party_id].add((row.key, row.visibility, row.office_id))
        for party in parties:
            if held[party.id] != {(row["key"], row["visibility"], row["office_id"]) for row in rows_for(party)}:
                yield party.id, party.reference
        if len(parties) < CHUNK:
            return
        after = parties[-1].id
        db.session.expunge_all()

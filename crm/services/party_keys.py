"""The keys by which possible duplicates are found: one listener, so that no service can forget them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlalchemy import delete, event, inspect, or_, select
from sqlalchemy.orm import Session, selectinload

from crm.db import db, transactional
from crm.models.parties import Party, PartyDistinction, PartyKey, PartyName
from crm.policy import unscoped
from crm.queries.likeness import keys

CHUNK = 500
_AS_THEY_STAND = {"synchronize_session": False}
_WATCHED = ("name", "visibility")


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
        for party in made | {party for party in changed if party.id not in gone}:
            session.add_all(rows_for(party, _names(session, party) if party.id in renamed else party.names))


def _names(session: Session, party: Party) -> set[PartyName]:
    """A party's other names as they will be: a name that was added by itself is not among those the party in memory knows."""
    with session.no_autoflush:
        held = set(session.scalars(select(PartyName).where(PartyName.party_id == party.id)))
    added = {record for record in session.new if isinstance(record, PartyName) and record.party_id == party.id}
    return (held | added | set(party.names)) - set(session.deleted) - set(inspect(party).attrs.names.history.deleted)


def _has_changed(party: Party) -> bool:
    attributes = inspect(party).attrs
    return any(attributes[name].history.has_changes() for name in _WATCHED)


def rows_for(party: Party, names: Iterable[PartyName] | None = None) -> list[PartyKey]:
    """The keys of a party's name and other names (those it knows, unless they are given), as rows."""
    others = party.names if names is None else names
    found = {key for name in (party.name, *(row.name for row in others)) for key in keys(name)}
    return [PartyKey(office_id=party.office_id, visibility=party.visibility, party_id=party.id, key=key) for key in sorted(found)]


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
        for party in parties:
            db.session.add_all(rows_for(party))
        db.session.flush()
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
            if held[party.id] != {(row.key, row.visibility, row.office_id) for row in rows_for(party)}:
                yield party.id, party.reference
        if len(parties) < CHUNK:
            return
        after = parties[-1].id
        db.session.expunge_all()

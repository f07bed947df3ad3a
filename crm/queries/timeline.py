"""One timeline of everything about a party, newest first: contacts, promises, money, notes, files, documents, changes of post."""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Date,
    Select,
    and_,
    bindparam,
    cast,
    exists,
    literal,
    null,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, joinedload
from sqlalchemy.sql.base import ExecutableOption

from crm.db import UtcDateTime, db
from crm.models.commitments import Commitment
from crm.models.documents import Document
from crm.models.files import File
from crm.models.interactions import Interaction, Participant
from crm.models.notes import Note
from crm.models.parties import Position, Tenure
from crm.models.pledges import Agreement, Pledge, Receipt
from crm.queries.commitments import taken_back

PAGE = 50


@dataclass(frozen=True)
class Event:
    """Something that happened (or is planned): `kind` says what `record` is. `day` is set where only the day is known."""

    at: datetime
    kind: str
    record: Any
    day: date | None = None


@dataclass(frozen=True)
class Timeline:
    """Some events, newest first; `earlier` is the cursor of the older ones (None: these were the last)."""

    events: list[Event]
    earlier: str | None


@dataclass(frozen=True)
class _Source:
    kind: str
    statement: Select[Any]
    column: InstrumentedAttribute[Any]
    key: InstrumentedAttribute[uuid.UUID]
    options: tuple[ExecutableOption, ...] = ()


def timeline_of(party_id: uuid.UUID, *, before: str | None = None, size: int = PAGE) -> Timeline:
    """The newest `size` events of a party, or those before a cursor: one statement for their keys and one or two for each kind
    that is among them."""
    cursor = _decode(before) if before else None
    sources = _sources()
    keys = _newest_keys(size + 1) if cursor is None else _keys(size + 1, cursor)
    found: list[tuple[datetime, int, uuid.UUID, date | None]] = []
    for rank, key, day, moment in db.session.execute(keys, {"party_id": party_id}):
        found.append((moment or datetime.combine(day, time.min, tzinfo=UTC), rank, key, day))
    found.sort(key=lambda item: item[:3], reverse=True)
    shown = found[:size]
    records = {rank: _records(sources[rank], [item[2] for item in shown if item[1] == rank]) for rank in {item[1] for item in shown}}
    events = [Event(at, sources[rank].kind, records[rank][key], day) for at, rank, key, day in shown if key in records[rank]]
    earlier = _encode(*found[size - 1][:3]) if len(found) > size else None
    return Timeline(events, earlier)


@cache
def _newest_keys(most: int) -> CompoundSelect[Any]:
    """Put together once: it is the longest statement of a party's page, and the same for every party."""
    return _keys(most, None)


def _keys(most: int, cursor: tuple[datetime, int, uuid.UUID] | None) -> CompoundSelect[Any]:
    """The keys of the newest events of every source, of the party that is given as `party_id` when it is sent."""
    return union_all(*(_newest_of(source, rank, cursor, most) for rank, source in enumerate(_sources())))


def _newest_of(source: _Source, rank: int, cursor: tuple[datetime, int, uuid.UUID] | None, most: int) -> Select[Any]:
    """The keys of the newest events of a source, with its rank and the day or moment of each."""
    statement = source.statement.where(source.column.is_not(None))
    if cursor is not None:
        statement = statement.where(_before(source, rank, cursor))
    newest = statement.with_only_columns(source.key.label("key"), source.column.label("at"))
    part = newest.order_by(source.column.desc(), source.key.desc()).limit(most).subquery()
    is_moment = source.column.type.python_type is datetime
    day = cast(null(), Date) if is_moment else part.c.at
    moment = part.c.at if is_moment else cast(null(), UtcDateTime)
    return select(literal(rank).label("rank"), part.c.key, day.label("day"), moment.label("moment"))


def _records(source: _Source, keys: list[uuid.UUID]) -> dict[uuid.UUID, Any]:
    wanted = select(source.key.class_).where(source.key.in_(keys)).options(*source.options)
    return {record.id: record for record in db.session.scalars(wanted)}


@cache
def _sources() -> tuple[_Source, ...]:
    party_id: Any = bindparam("party_id")
    # Two small sets by their indexes: an OR over both makes the database read every contact, or post held, in scope.
    met = union(
        select(Interaction.id).where(Interaction.party_id == party_id),
        select(Participant.interaction_id).where(Participant.party_id == party_id),
    )
    about = union(
        select(Tenure.id).where(Tenure.person_id == party_id),
        select(Tenure.id).where(Tenure.position_id.in_(select(Position.id).where(Position.organisation_id == party_id))),
    )
    holdings = select(Tenure).where(Tenure.id.in_(about))
    whole = (joinedload(Tenure.position).joinedload(Position.organisation), joinedload(Tenure.person))
    # A pledge that was taken back never happened: the record itself says so, and who did it and why. Money taken back had been in the
    # figures: it stays to be seen, called so, with the entry that took it back.
    promises = select(Commitment).where(Commitment.party_id == party_id)
    pledged = select(Pledge).where(Pledge.donor_id == party_id, ~Pledge.is_taken_back)
    is_pledge = exists().where(Pledge.id == Commitment.id)
    make: Callable[..., _Source] = _Source
    return (
        make("document", select(Document).where(Document.party_id == party_id), Document.created_at, Document.id),
        make("note", select(Note).where(Note.party_id == party_id), Note.created_at, Note.id),
        make("tenure-ended", holdings, Tenure.ends_on, Tenure.id, whole),
        make("tenure-began", holdings, Tenure.starts_on, Tenure.id, whole),
        make(
            "receipt",
            select(Receipt).where(Receipt.donor_id == party_id),
            Receipt.value_on,
            Receipt.id,
            (joinedload(Receipt.taken_back_by),),
        ),
        make("agreement", select(Agreement).where(Agreement.donor_id == party_id), Agreement.signed_on, Agreement.id),
        make("pledge", pledged, Pledge.pledged_on, Pledge.id),
        make("commitment-ended", promises.where(~taken_back()), Commitment.outcome_on, Commitment.id),
        make("commitment", promises.where(~is_pledge), Commitment.made_on, Commitment.id),
        make(
            "interaction",
            select(Interaction).where(Interaction.id.in_(met)),
            Interaction.starts_at,
            Interaction.id,
        ),
        make("file", select(File).where(File.party_id == party_id, File.removed_at.is_(None)), File.created_at, File.id),
    )


def _before(source: _Source, rank: int, cursor: tuple[datetime, int, uuid.UUID]) -> ColumnElement[bool]:
    """(column, rank, key) < cursor, for a column of moments or of days (a day counts as its first moment in UTC)."""
    moment, at_rank, key = cursor
    column = source.column
    earlier: ColumnElement[bool]
    if column.type.python_type is datetime:
        earlier, same = column < moment, column == moment
    elif moment.time() == time.min:
        earlier, same = column < moment.date(), column == moment.date()
    else:
        return column <= moment.date()
    if rank < at_rank:
        return or_(earlier, same)
    return or_(earlier, and_(same, source.key < key)) if rank == at_rank else earlier


def _encode(at: datetime, rank: int, key: uuid.UUID) -> str:
    packed = json.dumps([at.astimezone(UTC).isoformat(), rank, str(key)]).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _decode(text: str) -> tuple[datetime, int, uuid.UUID] | None:
    """The cursor, or None where it is none: a stranger's text shows the first page."""
    if len(text) > 300:  # noqa: PLR2004 - far above any real one
        return None
    try:
        at, rank, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        moment = datetime.fromisoformat(at)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC), int(rank), uuid.UUID(key)
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error):
        return None

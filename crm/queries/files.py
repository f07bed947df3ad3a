"""Files attached to records: those of one record, one file with its record, and what an office keeps in all."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from crm import clock
from crm.db import db
from crm.errors import NotFound
from crm.models.commitments import Commitment
from crm.models.files import MONEY_RECORDS, File, FileContent
from crm.models.interactions import Interaction
from crm.models.parties import Party
from crm.models.pledges import Agreement, Pledge, Receipt
from crm.policy import Permission
from crm.queries import lookups

#: How long a removed file can be put back; what belongs to money stays for good.
DAYS_KEPT = 30


@dataclass(frozen=True)
class Kind:
    """What files may belong to: its table, the column of `files` that names it, and what attaching to it needs."""

    model: Any
    column: InstrumentedAttribute[uuid.UUID | None]
    needs: Permission


KINDS: Mapping[str, Kind] = {
    "party": Kind(Party, File.party_id, Permission.CONTACT_LOG),
    "interaction": Kind(Interaction, File.interaction_id, Permission.CONTACT_LOG),
    "commitment": Kind(Commitment, File.commitment_id, Permission.CONTACT_LOG),
    "pledge": Kind(Pledge, File.pledge_id, Permission.MONEY_WRITE),
    "agreement": Kind(Agreement, File.agreement_id, Permission.MONEY_WRITE),
    "receipt": Kind(Receipt, File.receipt_id, Permission.MONEY_WRITE),
}
_BY_COLUMN = {kind.column.key: noun for noun, kind in KINDS.items()}


@dataclass(frozen=True)
class Shown:
    """A file as a list shows it: who added and who removed it, where the reader may see their names."""

    file: File
    added_by: str
    removed_by: str


def record_of(noun: str, record_id: uuid.UUID) -> Any:
    """The record that files belong to; NotFound where absent or out of the reader's scope and level."""
    model = KINDS[noun].model
    found = db.session.scalar(select(model).where(model.id == record_id))
    if found is None:
        raise NotFound
    return found


def noun_of(file: File) -> str:
    """Which kind of record a file belongs to."""
    return _BY_COLUMN[file.record_column]


def get(file_id: uuid.UUID, *, also_removed: bool = False) -> File:
    """A file with its content. NotFound where it is absent, removed, or where it or its record is not the reader's to see."""
    statement = select(File).where(File.id == file_id).options(joinedload(File.content))
    found = db.session.scalar(statement if also_removed else statement.where(File.removed_at.is_(None)))
    if found is None:
        raise NotFound
    record_of(noun_of(found), found.about_id)
    return found


def files_of(noun: str, record_id: uuid.UUID, *, most: int | None = None) -> list[Shown]:
    """The files of a record, newest first; removed ones (behind the others) while they can be put back. At most two statements."""
    since = clock.now() - timedelta(days=DAYS_KEPT)
    statement = (
        select(File)
        .where(KINDS[noun].column == record_id)
        .options(joinedload(File.content))
        .order_by(File.removed_at.is_not(None), File.created_at.desc(), File.id.desc())
        .limit(most)
    )
    if KINDS[noun].column.key not in MONEY_RECORDS:
        statement = statement.where(or_(File.removed_at.is_(None), File.removed_at > since))
    files = db.session.scalars(statement).all()
    hands = {key for file in files for key in (file.created_by_id, file.removed_by_id) if key is not None}
    people: dict[uuid.UUID | None, str] = dict(lookups.people(hands).items())
    return [Shown(file, people.get(file.created_by_id, ""), people.get(file.removed_by_id, "")) for file in files]


def count_of(noun: str, record_id: uuid.UUID) -> int:
    """How many files of a record are not removed."""
    return db.session.scalar(select(func.count()).select_from(File).where(KINDS[noun].column == record_id, File.removed_at.is_(None))) or 0


def names(file_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of some files, as far as the reader may see them."""
    return dict(db.session.execute(select(File.id, File.name).where(File.id.in_(file_ids))).all()) if file_ids else {}


def held_by(office_id: uuid.UUID) -> int:
    """How many bytes an office keeps: each content once."""
    return int(db.session.scalar(select(func.coalesce(func.sum(FileContent.size), 0)).where(FileContent.office_id == office_id)) or 0)


def to_purge(office_id: uuid.UUID, removed_before: datetime) -> Sequence[File]:
    """Files of an office that were removed before a moment and are not evidence of money."""
    is_money = [getattr(File, name).is_(None) for name in MONEY_RECORDS]
    return db.session.scalars(
        select(File).where(File.office_id == office_id, File.removed_at < removed_before, *is_money).order_by(File.id)
    ).all()


def contents() -> Sequence[FileContent]:
    """Every content in scope, by its place on disk: for verify and for clearing up."""
    return db.session.scalars(select(FileContent).order_by(FileContent.stored_as)).all()

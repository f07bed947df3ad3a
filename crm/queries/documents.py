"""Reading documents: the list, one with its snapshot, the newest pack of a meeting, and what changed since one was made."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, true, union_all
from sqlalchemy.orm import joinedload

from crm.db import db
from crm.errors import NotFound
from crm.i18n import _
from crm.models.asks import Ask
from crm.models.audit import AuditEntry
from crm.models.commitments import Commitment
from crm.models.documents import Document, Snapshot
from crm.models.interactions import Interaction
from crm.models.offices import Office
from crm.models.parties import Party
from crm.models.pledges import Agreement, Receipt
from crm.models.programmes import Programme
from crm.models.users import User
from crm.queries.commitments import taken_back
from crm.queries.paging import Order, Page, Paging, fetch_page

MOST_LOOKED_AT = 400
#: The kind of document that a meeting is prepared with.
PACK = "briefing-pack"
_NOUNS: Mapping[str, Any] = {"interaction": Interaction, "party": Party, "programme": Programme}


@dataclass(frozen=True)
class DocumentFilter:
    """What a list of documents is narrowed to; anything empty does not narrow."""

    slug: str = ""
    party_id: uuid.UUID | None = None
    interaction_id: uuid.UUID | None = None


def find(filters: DocumentFilter, paging: Paging) -> Page[Document]:
    """A page of documents with their parties, newest first."""
    conditions: list[ColumnElement[bool]] = []
    if filters.slug:
        conditions.append(Document.slug == filters.slug)
    if filters.party_id:
        conditions.append(Document.party_id == filters.party_id)
    if filters.interaction_id:
        conditions.append(Document.interaction_id == filters.interaction_id)
    statement = select(Document).where(*conditions).options(joinedload(Document.party))
    return fetch_page(statement, Order(Document.created_at, Document.id, is_descending=True), paging)


def get(document_id: uuid.UUID) -> Document:
    """One document; raises NotFound when absent or out of scope."""
    found = db.session.scalar(select(Document).where(Document.id == document_id).options(joinedload(Document.party)))
    if found is None:
        raise NotFound(_("There is no such document here."))
    return found


@dataclass(frozen=True)
class Used:
    """A record that a document names: its kind, key, and reference."""

    noun: str
    id: uuid.UUID
    reference: str


@dataclass(frozen=True)
class Kept:
    """What a snapshot row keeps of a document."""

    content: str
    html: str
    assets: str
    versions: str

    @property
    def used(self) -> tuple[Used, ...]:
        """Every record behind the document's figures, each once."""
        lines = json.loads(self.content)["document"]["references"]
        found = {(one["noun"], one["id"]): one["reference"] for line in lines for one in line["sources"]}
        return tuple(
            Used(noun, uuid.UUID(key), reference)
            for (noun, key), reference in sorted(found.items(), key=lambda item: (item[0][0], item[1]))
        )


def snapshot(document_id: uuid.UUID) -> Kept:
    """The snapshot of a document; raises NotFound."""
    found = db.session.scalar(select(Snapshot).where(Snapshot.document_id == document_id))
    if found is None:
        raise NotFound(_("There is no such document here."))
    return Kept(found.content, found.html, found.assets, found.versions)


def maker(document: Document) -> str:
    """The name of who made a document, where the reader may see it."""
    return db.session.scalar(select(User.name).where(User.id == document.created_by_id)) or ""


def office_of(record: Document | Interaction) -> Office:
    """The office of a record (an unscoped table)."""
    return db.session.get_one(Office, record.office_id)


def interaction(interaction_id: uuid.UUID) -> Interaction:
    """The meeting a pack is about; raises NotFound when absent or out of scope."""
    found = db.session.scalar(select(Interaction).where(Interaction.id == interaction_id).options(joinedload(Interaction.party)))
    if found is None:
        raise NotFound(_("There is no such meeting here."))
    return found


def newest_for(interaction_id: uuid.UUID, slug: str) -> Document | None:
    """The newest document of a kind about a meeting."""
    return db.session.scalar(
        select(Document)
        .where(Document.interaction_id == interaction_id, Document.slug == slug)
        .order_by(Document.created_at.desc(), Document.id.desc())
        .limit(1)
    )


def made_for(interaction_ids: Collection[uuid.UUID], slug: str) -> set[uuid.UUID]:
    """Those of some meetings about which a document of a kind was made that the reader may open. One statement."""
    if not interaction_ids:
        return set()
    statement = select(Document.interaction_id).where(Document.interaction_id.in_(interaction_ids), Document.slug == slug)
    return {key for key in db.session.scalars(statement) if key is not None}


@dataclass(frozen=True)
class Since:
    """What happened to the records behind a document after it was made: `others` changed, `added` came."""

    about: bool
    others: int
    added: int
    at: datetime | None

    def __bool__(self) -> bool:
        return self.about or bool(self.others) or bool(self.added)


def changed_since(document: Document, used: Collection[Used]) -> Since:
    """Whether the meeting was edited since, how many other records behind the document were, and how many came. Two statements."""
    about = document.interaction_id
    ids = {one.id for one in used if one.noun not in ("flow", "note")}
    if about:
        ids.add(about)
    if document.party_id:
        ids.add(document.party_id)
    rows = db.session.execute(
        select(AuditEntry.about_id, func.max(AuditEntry.at))
        .where(AuditEntry.about_id.in_(sorted(ids)[:MOST_LOOKED_AT]), AuditEntry.at > document.created_at)
        .group_by(AuditEntry.about_id)
    ).all()
    added, newest = _added_since(document)
    moments = [row[1] for row in rows] + ([newest] if newest else [])
    return Since(
        about=any(row[0] == about for row in rows),
        others=sum(row[0] != about for row in rows),
        added=added,
        at=max(moments, default=None),
    )


def _added_since(document: Document) -> tuple[int, datetime | None]:
    """How many contacts, asks, promises, agreements and receipts of the document's party were recorded after it, and when the last;
    not promises whose pledge was taken back, which another document would not have either."""
    if document.party_id is None:
        return 0, None
    kinds: tuple[tuple[Any, Any], ...] = (
        (Interaction, Interaction.party_id),
        (Ask, Ask.addressee_id),
        (Commitment, Commitment.party_id),
        (Agreement, Agreement.donor_id),
        (Receipt, Receipt.donor_id),
    )
    came = union_all(
        *(
            select(model.id, model.created_at.label("at")).where(
                party == document.party_id, model.created_at > document.created_at, ~taken_back() if model is Commitment else true()
            )
            for model, party in kinds
        )
    ).subquery()
    row = db.session.execute(select(func.count(), func.max(came.c.at)).select_from(came)).one()
    return row[0], row[1]


def resolve(noun: str, text: str) -> uuid.UUID:
    """The key of a record named by its reference (JOR-IN-2026-0001) or its key; raises NotFound."""
    model = _NOUNS[noun]
    typed = text.strip()
    try:
        condition = model.id == uuid.UUID(typed)
    except ValueError:
        condition = model.reference == typed.upper()
    found: uuid.UUID | None = db.session.scalar(select(model.id).where(condition))
    if found is None:
        raise NotFound(_("Nothing here is called %(reference)s.", reference=typed[:60]))
    return found

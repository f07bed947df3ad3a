"""Documents as records: taking a number, and keeping the row with its snapshot once the file stands on disk."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from crm.db import db, transactional
from crm.errors import Invalid, NotFound
from crm.i18n import _
from crm.models.base import LEVELS, NAME_LENGTH, OPEN
from crm.models.documents import DOCUMENT_LEVELS, Document, Snapshot
from crm.models.interactions import Interaction
from crm.models.programmes import Programme
from crm.policy import Actor, Permission, require
from crm.services import submissions
from crm.services.references import next_reference


@dataclass(frozen=True)
class NewDocument:
    """A drawn document. `level` says who may read the row; `document_level` for whom its text is."""

    office_id: uuid.UUID
    reference: str
    slug: str
    title: str
    document_level: str
    language: str
    as_of: date
    pages: int
    size: int
    sha256: str
    stored_as: str
    content: str
    html: str
    assets: str
    versions: str
    made_at: datetime
    level: str = OPEN
    party_id: uuid.UUID | None = None
    interaction_id: uuid.UUID | None = None
    programme_id: uuid.UUID | None = None


@transactional
def reserve_reference(actor: Actor, office_id: uuid.UUID) -> str:
    """Take the number that a document's footer will print. A document that then fails leaves a gap, never a number twice."""
    require(actor, Permission.DOCUMENT_BUILD, office_id)
    return next_reference(office_id, "document")


@transactional
def keep_document(actor: Actor, new: NewDocument, *, token: str = "", digest: str = "") -> tuple[uuid.UUID, bool]:
    """Keep a drawn document and its snapshot: (its key, whether this form token had made one before; then nothing is kept).

    Raises Denied, Invalid (document_level, level, title), NotFound for a meeting or programme out of scope."""
    require(actor, Permission.DOCUMENT_BUILD, new.office_id)
    key, again = submissions.once(actor, token, digest, lambda: _keep(actor, new))
    if key is None:
        raise NotFound(_("There is no such document here."))
    return key, again


def _keep(actor: Actor, new: NewDocument) -> uuid.UUID:
    if new.document_level not in DOCUMENT_LEVELS:
        raise Invalid(_("Choose internal or public."), field="document_level")
    if new.level not in LEVELS:
        raise Invalid(_("Choose one of the levels."), field="level")
    for model, key in ((Interaction, new.interaction_id), (Programme, new.programme_id)):
        if key is not None and db.session.scalar(select(model.id).where(model.id == key, model.office_id == new.office_id)) is None:
            raise NotFound(_("There is no such record here."))
    document = Document(
        office_id=new.office_id,
        level=new.level,
        reference=new.reference,
        slug=new.slug,
        title=new.title[:NAME_LENGTH],
        document_level=new.document_level,
        language=new.language,
        as_of=new.as_of,
        party_id=new.party_id,
        interaction_id=new.interaction_id,
        programme_id=new.programme_id,
        pages=new.pages,
        size=new.size,
        sha256=new.sha256,
        stored_as=new.stored_as,
        created_at=new.made_at,
        created_by_id=actor.user_id,
    )
    db.session.add(document)
    db.session.flush()
    db.session.add(
        Snapshot(
            office_id=new.office_id,
            level=new.level,
            document_id=document.id,
            content=new.content,
            html=new.html,
            assets=new.assets,
            versions=new.versions,
            created_by_id=actor.user_id,
        )
    )
    db.session.flush()
    return document.id

"""Changes of several records at once, as whoever made them reads them again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select

from crm.db import db
from crm.models.imports import BULK, ImportBatch, ImportChange, ImportReject, ImportUndo
from crm.queries.paging import Order, Page, Paging, fetch_page

REFUSED_SHOWN = 200


def made_by(user_id: uuid.UUID | None, paging: Paging) -> Page[ImportBatch]:
    """The changes that a person made, newest first; what was only looked at is left out."""
    mine = select(ImportBatch).where(ImportBatch.format == BULK, ImportBatch.created_by_id == user_id, ImportBatch.state != "checked")
    return fetch_page(mine, Order(ImportBatch.created_at, ImportBatch.id, is_descending=True), paging)


def undone_among(batch_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Which of some batches, changes or imports, were undone."""
    return set(db.session.scalars(select(ImportUndo.batch_id).where(ImportUndo.batch_id.in_(batch_ids))))


def refused_of(batch_id: uuid.UUID) -> list[tuple[uuid.UUID, str]]:
    """The records that a change left as they are, with the reason: at most 200."""
    statement = select(ImportReject.column, ImportReject.reason).where(ImportReject.batch_id == batch_id)
    rows = db.session.execute(statement.order_by(ImportReject.row_number).limit(REFUSED_SHOWN))
    return [(uuid.UUID(row.column), row.reason) for row in rows]


def changed_of(batch_id: uuid.UUID, table: str) -> set[uuid.UUID]:
    """The records of a table that a change changed, whether or not it was undone since."""
    statement = select(ImportChange.record_id).where(ImportChange.batch_id == batch_id, ImportChange.noun == table)
    return {key for key in db.session.scalars(statement.distinct()) if key is not None}

"""Follow-ups as they are read: mine or the office's, open or done."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import selectinload

from crm.db import db
from crm.errors import NotFound
from crm.i18n import _
from crm.models.interactions import FollowUp
from crm.queries.offices import Days, as_days
from crm.queries.paging import Order, Page, Paging, fetch_page


@dataclass(frozen=True)
class Filters:
    """What a list of follow-ups shows. `owner_id` None: everybody's."""

    owner_id: uuid.UUID | None = None
    state: str = "open"
    party_id: uuid.UUID | None = None


def get(follow_up_id: uuid.UUID) -> FollowUp:
    """One follow-up; raises `NotFound` (absent or out of scope alike)."""
    found = db.session.scalar(
        select(FollowUp).where(FollowUp.id == follow_up_id).options(selectinload(FollowUp.party), selectinload(FollowUp.owner))
    )
    if found is None:
        raise NotFound(_("There is no such follow-up here."))
    return found


def matching(filters: Filters, today: date | Days) -> Select[FollowUp]:
    """The statement of a list."""
    statement = select(FollowUp)
    if filters.owner_id:
        statement = statement.where(FollowUp.owner_id == filters.owner_id)
    if filters.party_id:
        statement = statement.where(FollowUp.party_id == filters.party_id)
    if filters.state in ("open", "late"):
        statement = statement.where(FollowUp.done_on.is_(None))
    if filters.state == "late":
        statement = statement.where(as_days(today).past(FollowUp.due_on, FollowUp.office_id))
    if filters.state == "done":
        statement = statement.where(FollowUp.done_on.is_not(None))
    return statement


def listing(filters: Filters, today: date | Days, paging: Paging) -> Page[FollowUp]:
    """One page of follow-ups: open ones by due day, done ones newest first."""
    statement = matching(filters, today).options(selectinload(FollowUp.party), selectinload(FollowUp.owner))
    order = Order(FollowUp.due_on, FollowUp.id, is_descending=filters.state == "done")
    return fetch_page(statement, order, paging)


def due(until: date, limit: int, *, owner_id: uuid.UUID | None = None, offices: Collection[uuid.UUID] | None = None) -> list[FollowUp]:
    """Open follow-ups due until a day, earliest first."""
    statement = select(FollowUp).where(FollowUp.done_on.is_(None), FollowUp.due_on <= until)
    if owner_id is not None:
        statement = statement.where(FollowUp.owner_id == owner_id)
    if offices is not None:
        statement = statement.where(FollowUp.office_id.in_(offices))
    return list(
        db.session.scalars(
            statement.order_by(FollowUp.due_on, FollowUp.id)
            .limit(limit)
            .options(selectinload(FollowUp.party), selectinload(FollowUp.owner))
        )
    )


def of_ask(ask_id: uuid.UUID) -> list[FollowUp]:
    """The follow-ups of an ask."""
    return _of(FollowUp.ask_id == ask_id)


def of_commitment(commitment_id: uuid.UUID) -> list[FollowUp]:
    """The follow-ups of a commitment."""
    return _of(FollowUp.commitment_id == commitment_id)


def _of(condition: ColumnElement[bool]) -> list[FollowUp]:
    statement = select(FollowUp).where(condition).order_by(FollowUp.due_on, FollowUp.id)
    return list(db.session.scalars(statement.options(selectinload(FollowUp.owner))))

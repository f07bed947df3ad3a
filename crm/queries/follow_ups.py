"""Follow-ups as they are read: mine or the office's, open or done."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import joinedload, selectinload

from crm.db import db
from crm.errors import NotFound
from crm.i18n import _
from crm.models.interactions import FollowUp
from crm.queries.offices import Days, as_days
from crm.queries.paging import Order, Page, Paging, fetch_all, fetch_page


@dataclass(frozen=True)
class Filters:
    """What a list of follow-ups shows. `owner_id` None: everybody's."""

    owner_id: uuid.UUID | None = None
    state: str = "open"
    party_id: uuid.UUID | None = None


def get(follow_up_id: uuid.UUID) -> FollowUp:
    """One follow-up; raises `NotFound` (absent or out of scope alike)."""
    found = db.session.scalar(
        select(FollowUp).where(FollowUp.id == follow_up_id).options(joinedload(FollowUp.party), joinedload(FollowUp.owner))
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


_LISTED: tuple[Any, ...] = (
    FollowUp.id,
    FollowUp.office_id,
    FollowUp.text,
    FollowUp.due_on,
    FollowUp.owner_id,
    FollowUp.party_id,
    FollowUp.interaction_id,
    FollowUp.ask_id,
    FollowUp.commitment_id,
    FollowUp.done_on,
    FollowUp.done_note,
)
SORTS = ("due", "-due")


def _listed(filters: Filters, today: date | Days, sort: str) -> tuple[Select[Any], Order]:
    return matching(filters, today).with_only_columns(*_LISTED), Order(FollowUp.due_on, FollowUp.id, is_descending=sort == "-due")


def listing(filters: Filters, today: date | Days, paging: Paging, *, sort: str = "due") -> Page[Any]:
    """One page of follow-ups by due day, as rows of columns."""
    return fetch_page(*_listed(filters, today, sort), paging)


def every(filters: Filters, today: date | Days, *, sort: str = "due") -> Iterator[Sequence[Any]]:
    """All follow-ups of a list in its order, the same rows as on its pages, a chunk at a time: for files."""
    return fetch_all(*_listed(filters, today, sort))


def due(until: date, limit: int, *, owner_id: uuid.UUID | None = None, offices: Collection[uuid.UUID] | None = None) -> list[FollowUp]:
    """Open follow-ups due until a day, earliest first."""
    statement = select(FollowUp).where(FollowUp.done_on.is_(None), FollowUp.due_on <= until)
    if owner_id is not None:
        statement = statement.where(FollowUp.owner_id == owner_id)
    if offices is not None:
        statement = statement.where(FollowUp.office_id.in_(offices))
    return list(
        db.session.scalars(
            statement.order_by(FollowUp.due_on, FollowUp.id).limit(limit).options(joinedload(FollowUp.party), joinedload(FollowUp.owner))
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

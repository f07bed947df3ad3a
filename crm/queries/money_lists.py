"""Agreements and receipts as lists: the rows of a page or of a file, and what stands beside some of them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from crm.db import db
from crm.models.pledges import Agreement, AgreementBudgetLine, Pledge, Receipt, ReceiptMatch
from crm.models.programmes import Programme
from crm.queries.offices import Days, as_days
from crm.queries.paging import Order, Page, Paging, fetch_all, fetch_page
from crm.queries.pledges import money_order, named_like, titled_like

AGREEMENT_STATES = ("open", "late", "paid")
RECEIPTS_FOR = ("agreement", "pledge", "alone")
AGREEMENT_SORTS = ("newest", "oldest", "due", "reference")
RECEIPT_SORTS = ("newest", "oldest", "reference")


@dataclass(frozen=True)
class AgreementFilter:
    """What a list of agreements is narrowed to; anything empty does not narrow. Days bound the signature."""

    q: str = ""
    status: str = ""
    donor_id: uuid.UUID | None = None
    programme_id: uuid.UUID | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class ReceiptFilter:
    """What a list of receipts is narrowed to; anything empty does not narrow. Days bound the day the money arrived.
    `under`: money under an agreement, that converted a pledge, or that came alone. `taken_back`: those that were taken back, and those
    that take one back, are "hidden", or "only" they are listed."""

    q: str = ""
    under: str = ""
    taken_back: str = ""
    donor_id: uuid.UUID | None = None
    since: date | None = None
    until: date | None = None


_AGREEMENTS: tuple[Any, ...] = (
    Agreement.id,
    Agreement.office_id,
    Agreement.reference,
    Agreement.title,
    Agreement.donor_reference,
    Agreement.donor_id,
    Agreement.signed_on,
    Agreement.starts_on,
    Agreement.ends_on,
    Agreement.currency,
    Agreement.value_minor,
    Agreement.received_minor,
    Agreement.next_due_on,
)
_RECEIPTS: tuple[Any, ...] = (
    Receipt.id,
    Receipt.office_id,
    Receipt.reference,
    Receipt.donor_id,
    Receipt.agreement_id,
    Receipt.pledge_id,
    Receipt.value_on,
    Receipt.amount_minor,
    Receipt.currency,
    Receipt.bank_reference,
    Receipt.reason,
    Receipt.reversal_of_id,
)


def _agreements(filters: AgreementFilter, today: date | Days, sort: str) -> tuple[Select[Any], Order]:
    is_open = Agreement.received_minor < Agreement.value_minor
    states: Mapping[str, ColumnElement[bool]] = {
        "open": is_open,
        "late": and_(is_open, as_days(today).past(Agreement.next_due_on, Agreement.office_id)),
        "paid": ~is_open,
    }
    lines = select(AgreementBudgetLine.agreement_id).where(AgreementBudgetLine.programme_id == filters.programme_id)
    conditions: list[ColumnElement[bool] | None] = [
        or_(
            named_like(filters.q, Agreement.donor_id, Agreement.reference, Agreement.title, Agreement.donor_reference),
            Agreement.id.in_(select(AgreementBudgetLine.agreement_id).where(AgreementBudgetLine.programme_id.in_(titled_like(filters.q)))),
        )
        if filters.q
        else None,
        states.get(filters.status),
        Agreement.donor_id == filters.donor_id if filters.donor_id else None,
        Agreement.id.in_(lines) if filters.programme_id else None,
        Agreement.signed_on >= filters.since if filters.since else None,
        Agreement.signed_on <= filters.until if filters.until else None,
        Agreement.next_due_on.is_not(None) if sort == "due" else None,
    ]
    statement = select(*_AGREEMENTS).where(*(condition for condition in conditions if condition is not None))
    return statement, money_order(sort, Agreement.signed_on, Agreement.next_due_on, Agreement.reference, Agreement.id)


def list_agreements(filters: AgreementFilter, paging: Paging, *, today: date | Days, sort: str = "newest") -> Page[Any]:
    """A page of agreements as rows of columns. Sorted by due day, those with nothing due stand aside."""
    return fetch_page(*_agreements(filters, today, sort), paging)


def every_agreement(filters: AgreementFilter, *, today: date | Days, sort: str = "newest") -> Iterator[Sequence[Any]]:
    """All agreements of a list in its order, the same rows as on its pages, a chunk at a time: for files."""
    return fetch_all(*_agreements(filters, today, sort))


def programmes_of(agreement_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """The programmes that some agreements are for, by title. One statement."""
    found: dict[uuid.UUID, list[str]] = {}
    rows = db.session.execute(
        select(AgreementBudgetLine.agreement_id, Programme.title)
        .join(Programme, Programme.id == AgreementBudgetLine.programme_id)
        .where(AgreementBudgetLine.agreement_id.in_(agreement_ids))
        .distinct()
        .order_by(Programme.title)
    )
    for agreement_id, title in rows:
        found.setdefault(agreement_id, []).append(title)
    return found


def _receipts(filters: ReceiptFilter, sort: str) -> tuple[Select[Any], Order]:
    kinds: Mapping[str, ColumnElement[bool]] = {
        "agreement": Receipt.agreement_id.is_not(None),
        "pledge": Receipt.pledge_id.is_not(None),
        "alone": and_(Receipt.agreement_id.is_(None), Receipt.pledge_id.is_(None)),
    }
    is_void = or_(Receipt.reversal_of_id.is_not(None), Receipt.is_taken_back)
    conditions: list[ColumnElement[bool] | None] = [
        {"hidden": ~is_void, "only": is_void}.get(filters.taken_back),
        named_like(filters.q, Receipt.donor_id, Receipt.reference, Receipt.bank_reference) if filters.q else None,
        kinds.get(filters.under),
        Receipt.donor_id == filters.donor_id if filters.donor_id else None,
        Receipt.value_on >= filters.since if filters.since else None,
        Receipt.value_on <= filters.until if filters.until else None,
    ]
    statement = select(*_RECEIPTS).where(*(condition for condition in conditions if condition is not None))
    return statement, money_order(sort, Receipt.value_on, Receipt.value_on, Receipt.reference, Receipt.id)


def list_receipts(filters: ReceiptFilter, paging: Paging, *, sort: str = "newest") -> Page[Any]:
    """A page of receipts as rows of columns, those that take another one back among them."""
    return fetch_page(*_receipts(filters, sort), paging)


def every_receipt(filters: ReceiptFilter, *, sort: str = "newest") -> Iterator[Sequence[Any]]:
    """All receipts of a list in its order, the same rows as on its pages, a chunk at a time: for files."""
    return fetch_all(*_receipts(filters, sort))


def taken_back_among(receipt_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Which of some receipts were taken back by a later one. One statement."""
    return {key for key in db.session.scalars(select(Receipt.reversal_of_id).where(Receipt.reversal_of_id.in_(receipt_ids))) if key}


def unmatched_among(rows: Sequence[Any]) -> dict[uuid.UUID, int]:
    """What some receipts (rows of the list) hold beyond the instalments they pay, in minor units; as `pledges.unmatched`. Two statements."""
    matched = dict(
        db.session.execute(
            select(ReceiptMatch.receipt_id, func.sum(ReceiptMatch.amount_minor))
            .where(ReceiptMatch.receipt_id.in_([row.id for row in rows]))
            .group_by(ReceiptMatch.receipt_id)
        ).all()
    )
    pledges = {row.pledge_id for row in rows if row.pledge_id is not None}
    currencies = dict(db.session.execute(select(Pledge.id, Pledge.currency).where(Pledge.id.in_(pledges))).all())
    found = {}
    for row in rows:
        paid = int(matched.get(row.id) or 0)
        is_used_up = row.pledge_id is not None and not paid and currencies.get(row.pledge_id) != row.currency
        found[row.id] = 0 if is_used_up else row.amount_minor - paid
    return found


def references_of(agreement_ids: Collection[uuid.UUID], pledge_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The references of some agreements and pledges. Two statements."""
    found = dict(db.session.execute(select(Agreement.id, Agreement.reference).where(Agreement.id.in_(agreement_ids))).all())
    return found | dict(db.session.execute(select(Pledge.id, Pledge.reference).where(Pledge.id.in_(pledge_ids))).all())

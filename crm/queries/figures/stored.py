"""The sums that money records keep, recomputed from the rows behind them (`flask verify`, domain 0.1)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, select

from crm.db import db
from crm.models.pledges import Agreement, AgreementTerms, Allocation, Instalment, Pledge, PledgeTerms, Receipt, ReceiptMatch
from crm.queries.figures import programmable


@dataclass(frozen=True)
class Wrong:
    """A record whose kept value is not what its rows say."""

    table: str
    record_id: uuid.UUID
    reference: str
    what: str


@dataclass
class _Plan:
    """A version's instalments, summed."""

    amount: int = 0
    matched: int = 0
    due: list[date] = field(default_factory=list)


def wrong_pledges() -> Iterator[Wrong]:
    """M3: outstanding, announced and converted are the sums of the terms, on no day below 0, and the plan adds up."""
    terms = defaultdict(list)
    for row in db.session.execute(
        select(
            PledgeTerms.pledge_id,
            PledgeTerms.id,
            PledgeTerms.version,
            PledgeTerms.kind,
            PledgeTerms.effective_on,
            PledgeTerms.change_minor,
            PledgeTerms.reversal_of_id,
        ).order_by(PledgeTerms.version)
    ):
        terms[row.pledge_id].append(row)
    plans = _current_plans(PledgeTerms.pledge_id, Instalment.pledge_terms_id, PledgeTerms)
    for pledge in db.session.execute(
        select(
            Pledge.id,
            Pledge.reference,
            Pledge.announced_minor,
            Pledge.outstanding_minor,
            Pledge.converted_minor,
            Pledge.next_due_on,
        ).order_by(Pledge.reference)
    ):
        rows = terms[pledge.id]
        kinds = {row.id: row.kind for row in rows}
        outstanding = sum(row.change_minor for row in rows)
        converted = -sum(row.change_minor for row in rows if "conversion" in (row.kind, kinds.get(row.reversal_of_id)))
        announced = sum(row.change_minor for row in rows if "announced" in (row.kind, kinds.get(row.reversal_of_id)))
        least = min(
            (sum(row.change_minor for row in rows if row.effective_on <= day) for day in {row.effective_on for row in rows}), default=0
        )
        plan = plans.get(pledge.id, _Plan())
        checks = {
            "outstanding": pledge.outstanding_minor == outstanding,
            "announced": pledge.announced_minor == announced,
            "converted": pledge.converted_minor == converted,
            "outstanding below zero on some day": least >= 0,
            "versions of terms": [row.version for row in rows] == list(range(1, len(rows) + 1)),
            "plan does not add up": plan.amount == outstanding,
            "next due day": pledge.next_due_on == min(plan.due, default=None),
        }
        yield from _failed("pledges", pledge.id, pledge.reference, checks)


def wrong_agreements() -> Iterator[Wrong]:
    """M2, M7: value and received are sums, the value on every day above 0; the plan adds up to it; what came pays the plan as
    far as it reaches."""
    terms = defaultdict(list)
    for term in db.session.execute(select(AgreementTerms.agreement_id, AgreementTerms.effective_on, AgreementTerms.change_minor)):
        terms[term.agreement_id].append((term.effective_on, term.change_minor))
    received = dict(
        _pairs(
            select(Receipt.agreement_id, func.sum(Receipt.amount_minor))
            .where(Receipt.agreement_id.is_not(None))
            .group_by(Receipt.agreement_id)
        )
    )
    plans = _current_plans(AgreementTerms.agreement_id, Instalment.agreement_terms_id, AgreementTerms)
    for row in db.session.execute(
        select(Agreement.id, Agreement.reference, Agreement.value_minor, Agreement.received_minor, Agreement.next_due_on).order_by(
            Agreement.reference
        )
    ):
        plan = plans.get(row.id, _Plan())
        changes = terms[row.id]
        value, came = sum(change for _on, change in changes), received.get(row.id, 0)
        least = min((sum(change for on, change in changes if on <= day) for day, _change in changes), default=0)
        checks = {
            "value": row.value_minor == value,
            "signed for nothing on some day": least > 0,
            "received": row.received_minor == came,
            "plan does not add up": plan.amount == value,
            "matches do not cover what came": plan.matched == min(value, came),
            "next due day": row.next_due_on == min(plan.due, default=None),
        }
        yield from _failed("agreements", row.id, row.reference, checks)


def wrong_matches() -> Iterator[Wrong]:
    """What an instalment keeps as matched is the sum of its matches; no receipt pays more than it brought."""
    matched = dict(_pairs(select(ReceiptMatch.instalment_id, func.sum(ReceiptMatch.amount_minor)).group_by(ReceiptMatch.instalment_id)))
    for row in db.session.execute(select(Instalment.id, Instalment.matched_minor)):
        if row.matched_minor != matched.get(row.id, 0):
            yield Wrong("instalments", row.id, "", "matched")
    used = dict(_pairs(select(ReceiptMatch.receipt_id, func.sum(ReceiptMatch.amount_minor)).group_by(ReceiptMatch.receipt_id)))
    reversed_ids = set(db.session.scalars(select(Receipt.reversal_of_id).where(Receipt.reversal_of_id.is_not(None))))
    for receipt in db.session.execute(select(Receipt.id, Receipt.reference, Receipt.amount_minor, Receipt.reversal_of_id)):
        most = 0 if receipt.reversal_of_id or receipt.id in reversed_ids else receipt.amount_minor
        if not 0 <= used.get(receipt.id, 0) <= most:
            yield Wrong("receipts", receipt.id, receipt.reference, "matched more than it brought")


def wrong_allocations() -> Iterator[Wrong]:
    """M12: what was allocated from a source is on every day at most what can be programmed of what it had brought, and with
    what is planned at most what can be of what was signed."""
    sources = db.session.execute(select(Allocation.agreement_id, Allocation.receipt_id).distinct())
    for row in sources.all():
        overdrawn = [
            left for _day, left in programmable.by_day(agreement_id=row.agreement_id, receipt_id=row.receipt_id) if left.is_overdrawn
        ]
        if overdrawn:
            is_too_much_given = any(left.allocated_minor > left.available_minor for left in overdrawn)
            yield Wrong(
                "agreements" if row.agreement_id else "receipts",
                row.agreement_id or row.receipt_id,
                ", ".join(overdrawn[-1].references),
                "allocated more than can be programmed" if is_too_much_given else "planned more than was signed",
            )


def _pairs(statement: Any) -> Iterable[tuple[uuid.UUID, int]]:
    return [(row[0], int(row[1])) for row in db.session.execute(statement)]


def _current_plans(parent: Any, column: Any, terms: Any) -> dict[uuid.UUID, _Plan]:
    """The plan of the newest version of each parent; an instalment of an older version that says it is current counts too."""
    plans: dict[uuid.UUID, _Plan] = {}
    rows = db.session.execute(
        select(parent.label("parent"), Instalment.amount_minor, Instalment.matched_minor, Instalment.due_on)
        .join(terms, column == terms.id)
        .where(Instalment.is_current)
    )
    for row in rows:
        plan = plans.setdefault(row.parent, _Plan())
        plan.amount += row.amount_minor
        plan.matched += row.matched_minor
        if row.due_on and row.matched_minor < row.amount_minor:
            plan.due.append(row.due_on)
    return plans


def _failed(table: str, record_id: uuid.UUID, reference: str, checks: dict[str, bool]) -> Iterator[Wrong]:
    for what, is_right in checks.items():
        if not is_right:
            yield Wrong(table, record_id, reference, what)

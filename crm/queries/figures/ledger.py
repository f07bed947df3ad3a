"""The records behind every figure of our money: plain rows loaded once, in a constant number of statements.

What counts is chosen by a `Scope`; as of a day, rows dated later are left out. Rates are looked up by `RateBook`.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, case, exists, false, func, or_, select, true, union_all
from sqlalchemy.orm import aliased

from crm import clock
from crm.db import among, db
from crm.models.pledges import (
    Agreement,
    AgreementBudgetLine,
    AgreementTerms,
    Allocation,
    Instalment,
    Pledge,
    PledgeTerms,
    Receipt,
    ReceiptMatch,
)
from crm.money import split
from crm.policy import offices_by_id
from crm.queries.due import said_when


@dataclass(frozen=True)
class Scope:
    """Which records are looked at. Exactly one is given; `office_ids=None` and nothing else means all in the actor's scope."""

    office_ids: Collection[uuid.UUID] | None = None
    party_id: uuid.UUID | None = None
    pledge_id: uuid.UUID | None = None
    pledge_ids: Collection[uuid.UUID] | None = None
    agreement_id: uuid.UUID | None = None
    agreement_ids: Collection[uuid.UUID] | None = None
    receipt_id: uuid.UUID | None = None
    programme_ids: Collection[uuid.UUID] | None = None


class Term(NamedTuple):
    """A dated change of a pledge or an agreement. The newest one has the plan that holds, where anything is outstanding; those
    before have none."""

    id: uuid.UUID
    version: int
    kind: str
    on: date
    change: int
    reversal_of_id: uuid.UUID | None = None
    plan: tuple[Due, ...] = ()


class Due(NamedTuple):
    """An instalment: what was planned and what was paid of it by the ledger's day (by value date)."""

    id: uuid.UUID
    due_on: date | None
    due_when: str
    amount: int
    position: int
    paid: int = 0


@dataclass
class PledgeRow:
    """A pledge with its terms, oldest version first."""

    id: uuid.UUID
    office_id: uuid.UUID
    reference: str
    donor_id: uuid.UUID
    programme_id: uuid.UUID | None
    pledged_on: date
    currency: str
    rate_policy: str
    fixed_rate: Decimal | None
    is_taken_back: bool = False
    terms: list[Term] = field(default_factory=list)


@dataclass
class AgreementRow:
    """An agreement with its terms, receipts and, where they were asked for, budget lines."""

    id: uuid.UUID
    office_id: uuid.UUID
    reference: str
    donor_id: uuid.UUID
    pledge_id: uuid.UUID | None
    signed_on: date
    currency: str
    recovery_rate: Decimal
    recovery_basis: str
    terms: list[Term] = field(default_factory=list)
    receipts: list[ReceiptRow] = field(default_factory=list)
    lines: list[tuple[uuid.UUID, int]] = field(default_factory=list)

    def part_at(self, places: Sequence[int], minor: int) -> int:
        """A programme's part of an amount by its budget lines, those at some places: whole cents, no cent lost over all programmes (M6)."""
        if places and len(places) == len(self.lines):
            return minor
        parts = split(minor, [weight for _line, weight in self.lines])
        return parts[places[0]] if len(places) == 1 else sum([parts[place] for place in places])


@dataclass
class ReceiptRow:
    """A receipt or its reversal (negative)."""

    id: uuid.UUID
    office_id: uuid.UUID
    reference: str
    donor_id: uuid.UUID
    agreement_id: uuid.UUID | None
    pledge_id: uuid.UUID | None
    value_on: date
    amount: int
    currency: str
    bank: int | None
    reversal_of_id: uuid.UUID | None
    is_settled: bool = False  # taken back, or the taking back: with the other row of the same day it comes to nothing


@dataclass
class AllocationRow:
    """An allocation or its reversal (negative)."""

    id: uuid.UUID
    reference: str
    agreement_id: uuid.UUID | None
    receipt_id: uuid.UUID | None
    programme_id: uuid.UUID
    output_id: uuid.UUID | None
    on: date
    amount: int
    currency: str
    is_planned: bool
    reversal_of_id: uuid.UUID | None


@dataclass
class Ledger:
    """What a scope holds."""

    as_of: date
    reporting: dict[uuid.UUID, str]
    pledges: list[PledgeRow] = field(default_factory=list)
    agreements: list[AgreementRow] = field(default_factory=list)
    loose: list[ReceiptRow] = field(default_factory=list)
    allocations: list[AllocationRow] = field(default_factory=list)

    def needed(self) -> set[tuple[str, date]]:
        """The currencies and days whose rates these records may need."""
        days: set[tuple[str, date]] = set()
        for pledge in self.pledges:
            days.add((pledge.currency, pledge.pledged_on))
        for agreement in self.agreements:
            days.add((agreement.currency, agreement.signed_on))
            days.add((agreement.currency, self.as_of))
            days.update((agreement.currency, term.on) for term in agreement.terms if term.change)
            days.update((agreement.currency, receipt.value_on) for receipt in agreement.receipts)
        days.update((receipt.currency, receipt.value_on) for receipt in self.loose)
        days.update((allocation.currency, allocation.on) for allocation in self.allocations)
        return days


#: So many records are asked for by their keys once they are known; more by the condition that found them.
_NAMED = 1000
#: As of a day no farther back hardly a receipt is newer, so all are read: without a newer one what was matched is what was paid.
_NEARLY_NOW = timedelta(days=2)


def _among(column: Any, keys: Collection[uuid.UUID], again: Select[uuid.UUID]) -> ColumnElement[bool]:
    """Whether a column names one of the records that were found."""
    return among(column, keys) if len(keys) <= _NAMED else column.in_(again)


def load(
    scope: Scope,
    as_of: date,
    *,
    with_allocations: bool = False,
    with_lines: bool = False,
    is_outstanding: bool = False,
    currencies: Collection[str] | None = None,
) -> Ledger:
    """The records of a scope up to a day: at most nine statements, whatever the data. `currencies` narrows it to theirs,
    `is_outstanding` pledges to those of which something was outstanding, without what became of them before."""
    pledge_where, agreement_where, receipt_where, allocation_where = conditions(scope)
    if currencies is not None:
        codes = sorted(currencies)
        pledge_where = None if pledge_where is None else pledge_where & Pledge.currency.in_(codes)
        agreement_where = None if agreement_where is None else agreement_where & Agreement.currency.in_(codes)
        receipt_where &= Receipt.currency.in_(codes)
        allocation_where &= Allocation.currency.in_(codes)
    ledger = Ledger(as_of, reporting_currencies())
    if pledge_where is not None:
        ledger.pledges = (_outstanding_pledges if is_outstanding else _pledges)(pledge_where, as_of)
    if agreement_where is not None:
        ledger.agreements = _agreements(agreement_where, as_of, with_lines=with_lines)
    by_id = {agreement.id: agreement for agreement in ledger.agreements}
    signed = _among(Receipt.agreement_id, by_id, _ids(agreement_where))
    is_now = as_of >= clock.today() - _NEARLY_NOW
    came = _receipts(either(scope, receipt_where, signed), None if is_now else as_of)
    receipts = [receipt for receipt in came if receipt.value_on <= as_of]
    _settle(receipts)
    for receipt in receipts:
        if receipt.agreement_id is None:
            ledger.loose.append(receipt)
        elif receipt.agreement_id in by_id:
            by_id[receipt.agreement_id].receipts.append(receipt)
    if agreement_where is not None and by_id:
        mine = _among(AgreementTerms.agreement_id, by_id, _ids(agreement_where))
        is_all_in = is_now and len(receipts) == len(came)
        _fill_plans(by_id.values(), AgreementTerms, AgreementTerms.agreement_id, mine, as_of, is_all_in=is_all_in)
    if with_allocations:
        ledger.allocations = _allocations(allocation_where, as_of)
    return ledger


def either(scope: Scope, loose: ColumnElement[bool], signed: ColumnElement[bool]) -> ColumnElement[bool]:
    """Receipts that are one or the other. Few are looked for as two: asked for both at once PostgreSQL walks through every receipt."""
    if scope.party_id is None and scope.pledge_id is None and scope.pledge_ids is None:
        return or_(loose, signed)
    return Receipt.id.in_(union_all(select(Receipt.id).where(loose), select(Receipt.id).where(signed)))


def _ids(agreement_where: ColumnElement[bool] | None) -> Any:
    return select(Agreement.id).where(false() if agreement_where is None else agreement_where)


def signed_ids(agreement_where: ColumnElement[bool], as_of: date) -> Select[uuid.UUID]:
    """The keys of agreements that were signed by a day."""
    return select(Agreement.id).where(agreement_where, Agreement.signed_on <= as_of)


def conditions(
    scope: Scope,
) -> tuple[ColumnElement[bool] | None, ColumnElement[bool] | None, ColumnElement[bool], ColumnElement[bool]]:
    """What a scope means for pledges, agreements, receipts without an agreement, and allocations."""
    loose = Receipt.agreement_id.is_(None)
    if scope.party_id is not None:
        agreements = Agreement.donor_id == scope.party_id
        mine = loose & (Receipt.donor_id == scope.party_id)
        return Pledge.donor_id == scope.party_id, agreements, mine, _of_sources(agreements, mine)
    pledge_keys = [scope.pledge_id] if scope.pledge_id is not None else scope.pledge_ids
    if pledge_keys is not None:
        agreements = Agreement.pledge_id.in_(pledge_keys)
        mine = loose & Receipt.pledge_id.in_(pledge_keys)
        return Pledge.id.in_(pledge_keys), agreements, mine, _of_sources(agreements, mine)
    if scope.agreement_id is not None:
        return None, Agreement.id == scope.agreement_id, false(), Allocation.agreement_id == scope.agreement_id
    if scope.agreement_ids is not None:
        keys = list(scope.agreement_ids)
        return None, Agreement.id.in_(keys), false(), Allocation.agreement_id.in_(keys)
    if scope.receipt_id is not None:
        it = or_(Receipt.id == scope.receipt_id, Receipt.reversal_of_id == scope.receipt_id)
        return None, None, loose & it, Allocation.receipt_id == scope.receipt_id
    if scope.programme_ids is not None:
        programmes = list(scope.programme_ids)
        named = select(AgreementBudgetLine.agreement_id).where(AgreementBudgetLine.programme_id.in_(programmes))
        return Pledge.programme_id.in_(programmes), Agreement.id.in_(named), false(), Allocation.programme_id.in_(programmes)
    if scope.office_ids is not None:
        ids = list(scope.office_ids)
        return Pledge.office_id.in_(ids), Agreement.office_id.in_(ids), loose & Receipt.office_id.in_(ids), Allocation.office_id.in_(ids)
    return true(), true(), loose, true()


def _of_sources(agreements: ColumnElement[bool], receipts: ColumnElement[bool]) -> ColumnElement[bool]:
    return or_(
        Allocation.agreement_id.in_(select(Agreement.id).where(agreements)),
        Allocation.receipt_id.in_(select(Receipt.id).where(receipts)),
    )


_PLEDGE: tuple[Any, ...] = (
    Pledge.id,
    Pledge.office_id,
    Pledge.reference,
    Pledge.donor_id,
    Pledge.programme_id,
    Pledge.pledged_on,
    Pledge.currency,
    Pledge.rate_policy,
    Pledge.fixed_rate,
    Pledge.is_taken_back,
)
_PLEDGES = select(*_PLEDGE).order_by(Pledge.pledged_on, Pledge.id)  # what a statement starts from is put together once


def _pledges(where: ColumnElement[bool], as_of: date) -> list[PledgeRow]:
    rows = db.session.execute(_PLEDGES.where(where, Pledge.pledged_on <= as_of))
    found = {row.id: PledgeRow(*row) for row in rows}
    if not found:
        return []
    mine = _among(PledgeTerms.pledge_id, found, select(Pledge.id).where(where))
    _fill_terms(found, mine, as_of)
    _fill_plans(found.values(), PledgeTerms, PledgeTerms.pledge_id, mine, as_of)
    return list(found.values())


def _outstanding_pledges(where: ColumnElement[bool], as_of: date) -> list[PledgeRow]:
    """Pledges of which something was outstanding (M3), with the newest version's plan and one change, of all that was outstanding."""
    its = (PledgeTerms.pledge_id == Pledge.id, PledgeTerms.effective_on <= as_of)
    outstanding = select(func.sum(PledgeTerms.change_minor)).where(*its).correlate(Pledge).scalar_subquery()
    newest = select(PledgeTerms.id).where(*its).order_by(PledgeTerms.version.desc()).limit(1).correlate(Pledge).scalar_subquery()
    rows = db.session.execute(_PLEDGES.add_columns(outstanding, newest).where(where, Pledge.pledged_on <= as_of, outstanding != 0))
    found = {}
    for *values, minor, newest_id in rows:
        pledge = found[values[0]] = PledgeRow(*values)
        pledge.terms.append(Term(newest_id, 1, "announced", pledge.pledged_on, int(minor)))
    mine = _among(PledgeTerms.pledge_id, found, select(Pledge.id).where(where))
    _fill_plans(found.values(), PledgeTerms, PledgeTerms.pledge_id, mine, as_of)
    return list(found.values())


def _fill_terms(rows: Mapping[uuid.UUID, PledgeRow], mine: ColumnElement[bool], as_of: date) -> None:
    """Give each pledge its terms up to a day, oldest version first: one statement."""
    columns = _term_columns(PledgeTerms)
    terms = select(PledgeTerms.pledge_id, *columns).where(mine, PledgeTerms.effective_on <= as_of).order_by(PledgeTerms.version)
    for key, *term in db.session.execute(terms):
        if (row := rows.get(key)) is not None:
            row.terms.append(Term(*term))


def _term_columns(model: type[PledgeTerms | AgreementTerms]) -> tuple[Any, ...]:
    """What a `Term` is made of."""
    return (model.id, model.version, model.kind, model.effective_on, model.change_minor, model.reversal_of_id)


def _fill_plans(
    rows: Iterable[PledgeRow | AgreementRow],
    model: type[PledgeTerms | AgreementTerms],
    parent: Any,
    mine: ColumnElement[bool],
    as_of: date,
    *,
    is_all_in: bool = False,
) -> None:
    """Give the newest term of each record its plan, an agreement's with what was paid of it: one statement, none where no record has
    anything outstanding. `is_all_in`: no receipt is newer than the day, so that what was paid is what is matched."""
    newest = {row.terms[-1].id: row for row in rows if sum(term.change for term in row.terms) > 0}
    if not newest:
        return
    link = Instalment.pledge_terms_id if model is PledgeTerms else Instalment.agreement_terms_id
    columns: tuple[Any, ...] = (link, Instalment.id, Instalment.due_on, Instalment.due_when, Instalment.amount_minor, Instalment.position)
    statement = select(*columns, Instalment.matched_minor)
    if model is AgreementTerms and not is_all_in:
        paid = func.sum(case((Receipt.value_on <= as_of, ReceiptMatch.amount_minor), else_=0))
        statement = select(*columns, paid).select_from(Instalment)
        statement = statement.outerjoin(ReceiptMatch, ReceiptMatch.instalment_id == Instalment.id)
        statement = statement.outerjoin(Receipt, ReceiptMatch.receipt_id == Receipt.id).group_by(Instalment.id)
    if len(newest) <= _NAMED:
        statement = statement.where(among(link, newest))
    else:
        statement = statement.join(model, link == model.id).where(mine, model.effective_on <= as_of, is_newest(model, parent, as_of))
    plans: dict[uuid.UUID, list[Due]] = {term_id: [] for term_id in newest}
    planned: Iterable[Any] = db.session.execute(statement.order_by(Instalment.position))
    for term_id, key, due_on, when, amount, position, got in planned:
        if (plan := plans.get(term_id)) is not None:
            plan.append(Due(key, due_on, said_when(when) if when else "", amount, position, int(got)))
    for row, plan in zip(newest.values(), plans.values(), strict=True):
        row.terms[-1] = row.terms[-1]._replace(plan=tuple(plan))


_AGREEMENT: tuple[Any, ...] = (
    Agreement.id,
    Agreement.office_id,
    Agreement.reference,
    Agreement.donor_id,
    Agreement.pledge_id,
    Agreement.signed_on,
    Agreement.currency,
    Agreement.recovery_rate,
    Agreement.recovery_basis,
)
_AGREEMENTS_WITH_TERMS = select(*_AGREEMENT, *_term_columns(AgreementTerms)).order_by(
    Agreement.signed_on, Agreement.id, AgreementTerms.version
)
_LINES = select(AgreementBudgetLine.agreement_id, AgreementBudgetLine.programme_id, AgreementBudgetLine.amount_minor).order_by(
    AgreementBudgetLine.id
)
_RECEIPTS = select(
    Receipt.id,
    Receipt.office_id,
    Receipt.reference,
    Receipt.donor_id,
    Receipt.agreement_id,
    Receipt.pledge_id,
    Receipt.value_on,
    Receipt.amount_minor,
    Receipt.currency,
    Receipt.bank_reporting_minor,
    Receipt.reversal_of_id,
).order_by(Receipt.value_on, Receipt.id)
_ALLOCATIONS = select(
    Allocation.id,
    Allocation.reference,
    Allocation.agreement_id,
    Allocation.receipt_id,
    Allocation.programme_id,
    Allocation.output_id,
    Allocation.allocated_on,
    Allocation.amount_minor,
    Allocation.currency,
    Allocation.is_planned,
    Allocation.reversal_of_id,
).order_by(Allocation.allocated_on, Allocation.id)


def agreement_rows(where: ColumnElement[bool], as_of: date) -> list[AgreementRow]:
    """Agreements that were signed by a day, without their terms, receipts and lines: one statement."""
    rows = db.session.execute(select(*_AGREEMENT).where(where, Agreement.signed_on <= as_of).order_by(Agreement.signed_on, Agreement.id))
    return [AgreementRow(*row) for row in rows]


def is_newest(terms: type[PledgeTerms | AgreementTerms], parent: Any, as_of: date) -> ColumnElement[bool]:
    """Whether a version of terms was the newest by a day: the one whose plan held."""
    newer = aliased(terms)
    return ~exists().where(getattr(newer, parent.key) == parent, newer.version > terms.version, newer.effective_on <= as_of)


def _agreements(where: ColumnElement[bool], as_of: date, *, with_lines: bool) -> list[AgreementRow]:
    """Agreements with their terms, oldest version first, and where they are asked for with their budget lines: two statements at most."""
    its = (AgreementTerms.agreement_id == Agreement.id) & (AgreementTerms.effective_on <= as_of)
    rows = db.session.execute(_AGREEMENTS_WITH_TERMS.outerjoin(AgreementTerms, its).where(where, Agreement.signed_on <= as_of))
    found: dict[uuid.UUID, AgreementRow] = {}
    for row in rows:
        agreement = found.get(row[0])
        if agreement is None:
            agreement = found[row[0]] = AgreementRow(*row[: len(_AGREEMENT)])
        if row[len(_AGREEMENT)] is not None:
            agreement.terms.append(Term(*row[len(_AGREEMENT) :]))
    if with_lines and found:
        again = select(Agreement.id).where(where)
        lines = db.session.execute(_LINES.where(_among(AgreementBudgetLine.agreement_id, found, again)))
        for agreement_id, programme_id, amount in lines:
            if (agreement := found.get(agreement_id)) is not None:
                agreement.lines.append((programme_id, amount))
    return list(found.values())


def _receipts(where: ColumnElement[bool], until: date | None) -> list[ReceiptRow]:
    """Receipts up to a day, or all, by value date; `_settle` says which of them came to nothing."""
    rows = db.session.execute(_RECEIPTS.where(where, true() if until is None else Receipt.value_on <= until))
    return [ReceiptRow(*row) for row in rows]


def _settle(receipts: Sequence[ReceiptRow]) -> None:
    """Mark those that were taken back, and what took them back."""
    taken_back = {row.reversal_of_id for row in receipts}
    for row in receipts:
        row.is_settled = row.reversal_of_id is not None or row.id in taken_back


def receipts_of(scope: Scope, as_of: date, *, since: date) -> list[ReceiptRow]:
    """The receipts of a scope from one day up to another, reversals among them: one statement."""
    _pledges_where, agreement_where, loose, _allocations_where = conditions(scope)
    mine = either(scope, loose, Receipt.agreement_id.in_(_ids(agreement_where)))
    found = _receipts(mine & (Receipt.value_on >= since), as_of)
    _settle(found)
    return found


def reporting_currencies() -> dict[uuid.UUID, str]:
    """Each office's reporting currency."""
    return {office.id: office.reporting_currency for office in offices_by_id().values()}


def _allocations(where: ColumnElement[bool], as_of: date) -> list[AllocationRow]:
    rows = db.session.execute(_ALLOCATIONS.where(where, Allocation.allocated_on <= as_of))
    return [AllocationRow(*row) for row in rows]

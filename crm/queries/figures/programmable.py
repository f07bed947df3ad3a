"""How much of a source's money can be given to programmes, and how much of it is (M11, M12).

Programmable money is counted in the office's reporting currency where every receipt of the source has a bank amount or
a rate, else in the receipts' own; once something is allocated, the currency stays. A receipt without an agreement bears
no cost recovery: no rate was agreed for it, so all of it is programmable.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.errors import NotFound
from crm.i18n import _
from crm.models.pledges import Agreement, Receipt
from crm.money import Money, RecoveryBasis, add, cost_recovery, from_minor, to_minor
from crm.queries.figures import ledger as records
from crm.queries.figures.ledger import AgreementRow, AllocationRow, Ledger, ReceiptRow, Scope
from crm.queries.rates import RateBook

BASES = {"programmable": RecoveryBasis.ON_PROGRAMMABLE, "gross": RecoveryBasis.ON_GROSS, "none": RecoveryBasis.NONE}


@dataclass(frozen=True)
class Programmable:
    """Whole minor units of one currency. `available`: programmable part of what was received; `plannable`: of what was
    signed (or received, where that is more); `allocated` and `planned`: net of reversals; `left_out`: sentences naming
    receipts that have no rate to this currency. `references`: standing allocations, `planned_references`: those that are
    planned. `is_signed_known`: False where a change of the agreement has no rate, so that only what came is plannable."""

    currency: str
    received_minor: int
    available_minor: int
    recovery_minor: int
    plannable_minor: int
    allocated_minor: int
    planned_minor: int
    references: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    planned_references: tuple[str, ...] = ()
    is_signed_known: bool = True

    @property
    def is_overdrawn(self) -> bool:
        """Whether more is allocated than came, or more allocated and planned than was signed, as far as that is known (M12)."""
        is_over_planned = self.is_signed_known and self.allocated_minor + self.planned_minor > self.plannable_minor
        return self.allocated_minor > self.available_minor or is_over_planned

    @property
    def available(self) -> Money:
        """What can be programmed of what was received."""
        return from_minor(self.available_minor, self.currency)

    @property
    def recovery(self) -> Money:
        """The cost recovery on what was received, its own line (M11)."""
        return from_minor(self.recovery_minor, self.currency)

    @property
    def allocated(self) -> Money:
        """What was allocated."""
        return from_minor(self.allocated_minor, self.currency)

    @property
    def planned(self) -> Money:
        """What is set aside of signed money."""
        return from_minor(self.planned_minor, self.currency)

    @property
    def unallocated(self) -> Money:
        """What is still to be allocated; always shown (M12)."""
        return from_minor(self.available_minor - self.allocated_minor, self.currency)


def of_agreement(agreement_id: uuid.UUID, as_of: date = date.max) -> Programmable:
    """The programmable money of an agreement (M11, M12); raises `NotFound`."""
    return _counted(_of_agreement(agreement_id, as_of))


def of_loaded(ledger: Ledger, agreement: AgreementRow, book: RateBook) -> Programmable:
    """The same of an agreement that was loaded alone, with its allocations; `book`: rates to its office's reporting currency."""
    return _counted(_Source(agreement, agreement.receipts, ledger.allocations, agreement.currency, book))


def of_receipt(receipt_id: uuid.UUID, as_of: date = date.max) -> Programmable:
    """The programmable money of a receipt that has no agreement; raises `NotFound`."""
    return _counted(_of_receipt(receipt_id, as_of))


def by_day(
    *, agreement_id: uuid.UUID | None = None, receipt_id: uuid.UUID | None = None, since: date = date.min
) -> Iterator[tuple[date, Programmable]]:
    """The programmable money of a source on each day from `since` on which something of it changed, in one currency: that of
    its last day. M12 holds on every one of them, not on the last alone."""
    source = _of_agreement(agreement_id, date.max) if agreement_id else _of_receipt(receipt_id, date.max)
    currency = _counted(source).currency
    terms = source.agreement.terms if source.agreement else []
    days = {row.value_on for row in source.receipts} | {row.on for row in source.allocations} | {term.on for term in terms}
    for day in sorted(one for one in days if one >= since):
        agreement = source.agreement and replace(source.agreement, terms=[term for term in terms if term.on <= day])
        yield (
            day,
            _counted(
                replace(
                    source,
                    agreement=agreement,
                    receipts=[row for row in source.receipts if row.value_on <= day],
                    allocations=[row for row in source.allocations if row.on <= day],
                ),
                currency,
            ),
        )


@dataclass(frozen=True)
class _Source:
    """The rows of an agreement or of a receipt without one; `own` is its currency."""

    agreement: AgreementRow | None
    receipts: list[ReceiptRow]
    allocations: list[AllocationRow]
    own: str
    book: RateBook


def _of_agreement(agreement_id: uuid.UUID, as_of: date) -> _Source:
    ledger = records.load(Scope(agreement_id=agreement_id), as_of, with_allocations=True)
    agreement = ledger.agreements[0] if ledger.agreements else None
    found = agreement or _named(Agreement, agreement_id)
    reporting = ledger.reporting[found.office_id]
    book = RateBook(reporting, {pair for pair in ledger.needed() if pair[1] != date.max})
    receipts = agreement.receipts if agreement else []
    return _Source(agreement, receipts, ledger.allocations, found.currency, book)


def _named(model: type[Agreement | Receipt], record_id: uuid.UUID | None) -> Any:
    """Office and currency of a source that is not among what a day holds; raises `NotFound`."""
    found = db.session.execute(select(model.office_id, model.currency).where(model.id == record_id)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such record here."))
    return found


def _of_receipt(receipt_id: uuid.UUID | None, as_of: date) -> _Source:
    ledger = records.load(Scope(receipt_id=receipt_id), as_of, with_allocations=True)
    found = next((row for row in ledger.loose if row.id == receipt_id), None) or _named(Receipt, receipt_id)
    book = RateBook(ledger.reporting[found.office_id], ledger.needed())
    return _Source(None, ledger.loose, ledger.allocations, found.currency, book)


def _received(receipts: list[ReceiptRow], book: RateBook) -> tuple[Decimal, list[str]]:
    """What receipts come to in the reporting currency, exact, and the sentences for those that have no rate."""
    together, left_out = Decimal(0), []
    for receipt in receipts:
        own = from_minor(receipt.amount, receipt.currency)
        if receipt.currency == book.to:
            together = add(together, own.amount)
        elif receipt.bank is not None:
            together = add(together, from_minor(receipt.bank, book.to).amount)
        elif (rate := book.find(receipt.currency, receipt.value_on)) is not None:
            together = add(together, rate.times(own.amount))
        elif not receipt.is_settled:  # one that was taken back comes to nothing at any rate
            left_out.append(
                _(
                    "Receipt %(reference)s is left out: %(why)s.",
                    reference=receipt.reference,
                    why=book.why_missing(receipt.currency, receipt.value_on),
                )
            )
    return together, left_out


def _counted(source: _Source, in_currency: str | None = None) -> Programmable:
    """What can be programmed of some rows, in the currency given or else the one that its allocations and rates lead to."""
    agreement, receipts, allocations, own, book = source.agreement, source.receipts, source.allocations, source.own, source.book
    reporting = book.to
    together, left_out = _received(receipts, book)
    held = {row.currency for row in _standing(allocations)}
    signed = None if agreement is None else _signed_in(agreement, reporting, book)
    has_rates = not left_out and (agreement is None or bool(receipts) or signed is not None)
    currency = in_currency or (next(iter(held)) if len(held) == 1 else reporting if has_rates else own)
    if currency == own != reporting:
        together, left_out = sum((from_minor(row.amount, own).amount for row in receipts), Decimal(0)), []
        signed = None if agreement is None else from_minor(sum(term.change for term in agreement.terms), own).amount
    basis = BASES[agreement.recovery_basis] if agreement else RecoveryBasis.NONE
    rate = agreement.recovery_rate if agreement else Decimal(0)
    received = Money(together, currency).rounded()
    parts = cost_recovery(received, rate, basis)
    plannable = to_minor(parts.programmable)
    if signed is not None:
        plannable = max(plannable, to_minor(cost_recovery(Money(signed, currency).rounded(), rate, basis).programmable))
    actual = [row for row in allocations if not row.is_planned]
    planned = [row for row in allocations if row.is_planned]
    return Programmable(
        currency,
        to_minor(received),
        to_minor(parts.programmable),
        to_minor(parts.recovery),
        plannable,
        sum(row.amount for row in actual if row.currency == currency),
        sum(row.amount for row in planned if row.currency == currency),
        tuple(row.reference for row in _standing(allocations)),
        tuple(left_out),
        tuple(row.reference for row in _standing(allocations) if row.is_planned),
        agreement is None or signed is not None,
    )


def _standing(allocations: list[AllocationRow]) -> list[AllocationRow]:
    reversed_ids = {row.reversal_of_id for row in allocations}
    return [row for row in allocations if row.reversal_of_id is None and row.id not in reversed_ids]


def _signed_in(agreement: AgreementRow, to: str, book: RateBook) -> Decimal | None:
    """The signed value in a currency, each change at the rate of its day (M4); None where a rate is missing."""
    together = Decimal(0)
    for term in agreement.terms:
        if not term.change:
            continue
        rate = book.find(agreement.currency, term.on)
        if rate is None:
            return None
        together = add(together, rate.times(from_minor(term.change, agreement.currency).amount))
    return together if agreement.currency != to else from_minor(sum(term.change for term in agreement.terms), to).amount

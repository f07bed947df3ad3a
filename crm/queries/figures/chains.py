"""Money followed record by record: a donor's pledges from the announcement to the allocation, and how far some pledges have come.

The same figures as `money.party_money`, cut along the records; loaded once, a constant number of statements.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from crm import clock
from crm.i18n import _
from crm.money import from_minor
from crm.queries.figures import ledger as records
from crm.queries.figures.adding import Adder, Figure, Reference
from crm.queries.figures.ledger import AgreementRow, Ledger, PledgeRow, ReceiptRow, Scope
from crm.queries.figures.money import (
    MoneyFigures,
    _Books,  # the adding up of a ledger lives there alone; this module only chooses which records are in it
    pledge_rate,
    today,
)
from crm.queries.figures.money import receipt_reporting as receipt_value
from crm.queries.rates import Rate, RateBook


@dataclass(frozen=True)
class SignedPart:
    """An agreement with its own figures and the rates of the signature's and the report's day."""

    row: AgreementRow
    money: MoneyFigures
    signature_rate: Rate | None
    report_rate: Rate | None
    receipts: tuple[tuple[ReceiptRow, Figure], ...]


@dataclass(frozen=True)
class Chain:
    """A pledge (or none), the agreements it became, and receipts that came without an agreement."""

    pledge: PledgeRow | None
    announced: MoneyFigures | None
    pledge_rate: Rate | None
    signed: tuple[SignedPart, ...]
    unsigned: MoneyFigures | None


@dataclass(frozen=True)
class CalendarMonth:
    """What fell due (by the plans of the day) and what came in, in one month."""

    first_on: date
    due: Figure
    received: Figure


@dataclass(frozen=True)
class DonorMoney:
    """Everything of one donor as of a day: the stages, the chains behind them, allocations, and the months.

    `calendar_currency` is the one currency of all of it, or the reporting currency where there are several.
    """

    money: MoneyFigures
    chains: tuple[Chain, ...]
    allocated: Figure
    calendar_currency: str
    calendar: tuple[CalendarMonth, ...]
    receipts: tuple[ReceiptRow, ...]


@dataclass(frozen=True)
class PledgeStep:
    """How far the money of a pledge has come on a day, under the pledge's own reference, and the programme that it goes to."""

    pledge_id: uuid.UUID
    reference: str
    programme_id: uuid.UUID | None
    announced: Figure
    outstanding: Figure
    signed: Figure
    received: Figure
    is_taken_back: bool = False

    @property
    def rank(self) -> int:
        """Which stage it has reached: 2 money has come, 1 it is signed, 0 it is pledged."""
        return 2 if self.received else 1 if self.signed else 0


def pledge_steps(pledge_ids: Collection[uuid.UUID], as_of: date | None = None) -> dict[uuid.UUID, PledgeStep]:
    """How far some pledges have come as of a day (default today), each by its own figures; keys that are no pledge in scope are
    absent. The number of statements is constant, and none is sent for no keys."""
    if not pledge_ids:
        return {}
    day = as_of or today()
    ledger = records.load(Scope(pledge_ids=list(pledge_ids)), day)
    books: dict[str, RateBook] = {}
    found = {}
    for pledge in ledger.pledges:
        currency = ledger.reporting[pledge.office_id]
        if currency not in books:
            books[currency] = RateBook(currency, ledger.needed())
        mine = Ledger(day, ledger.reporting, pledges=[pledge])
        mine.agreements = [row for row in ledger.agreements if row.pledge_id == pledge.id]
        mine.loose = [row for row in ledger.loose if row.pledge_id == pledge.id]
        money = _Books(mine, books[currency]).figures()
        found[pledge.id] = PledgeStep(
            pledge.id,
            pledge.reference,
            pledge.programme_id,
            money.announced,
            money.pledged,
            money.secured,
            money.paid,
            pledge.is_taken_back,
        )
    return found


def donor_money(
    party_ids: Iterable[uuid.UUID],
    as_of: date,
    currency: str,
    *,
    office_ids: Iterable[uuid.UUID] | None = None,
    back: int = 18,
    ahead: int = 6,
) -> DonorMoney:
    """The money of a donor that may be known under several parties (a ministry and its country), each record once (M16), without
    pledges that were taken back.

    `office_ids` narrows it to some offices in scope. In `currency` where rates are held (M4, M5)."""
    ledger = _ledger(tuple(dict.fromkeys(party_ids)), as_of, None if office_ids is None else frozenset(office_ids))
    book = RateBook(currency, ledger.needed())
    receipts = sorted((row for source in ledger.agreements for row in source.receipts), key=lambda row: (row.value_on, row.reference))
    receipts = sorted((*receipts, *ledger.loose), key=lambda row: (row.value_on, row.reference))
    money = _Books(ledger, book).figures()
    own, months = _calendar(ledger, book, money, receipts, back, ahead)
    return DonorMoney(money, _chains(ledger, book), _allocated(ledger, book), own, months, tuple(receipts))


def _ledger(party_ids: tuple[uuid.UUID, ...], as_of: date, office_ids: frozenset[uuid.UUID] | None) -> Ledger:
    whole = Ledger(as_of, records.reporting_currencies())
    for party_id in party_ids:
        part = records.load(Scope(party_id=party_id), as_of, with_allocations=True)
        whole.pledges += [row for row in part.pledges if not row.is_taken_back and (office_ids is None or row.office_id in office_ids)]
        whole.agreements += [row for row in part.agreements if office_ids is None or row.office_id in office_ids]
        whole.loose += [row for row in part.loose if office_ids is None or row.office_id in office_ids]
        held = {row.id for row in whole.agreements} | {row.id for row in whole.loose}
        whole.allocations += [row for row in part.allocations if row.agreement_id in held or row.receipt_id in held]
    return whole


def _chains(ledger: Ledger, book: RateBook) -> tuple[Chain, ...]:
    def of(**rows: list[object]) -> MoneyFigures:
        return _Books(Ledger(ledger.as_of, ledger.reporting, **rows), book).figures()  # type: ignore[arg-type]  # lists of rows

    def signed(agreement: AgreementRow) -> SignedPart:
        rates = (book.find(agreement.currency, agreement.signed_on), book.find(agreement.currency, ledger.as_of))
        return SignedPart(agreement, of(agreements=[agreement]), *rates, tuple((row, of(loose=[row]).paid) for row in agreement.receipts))

    chains = []
    known = {pledge.id for pledge in ledger.pledges}
    for pledge in ledger.pledges:
        loose = [row for row in ledger.loose if row.pledge_id == pledge.id]
        chains.append(
            Chain(
                pledge,
                of(pledges=[pledge]),
                pledge_rate(pledge, book, ledger.reporting[pledge.office_id]),
                tuple(signed(row) for row in ledger.agreements if row.pledge_id == pledge.id),
                of(loose=list(loose)) if loose else None,
            )
        )
    chains += [Chain(None, None, None, (signed(row),), None) for row in ledger.agreements if row.pledge_id not in known]
    rest = [row for row in ledger.loose if row.pledge_id not in known]
    if rest:
        chains.append(Chain(None, None, None, (), of(loose=list(rest))))
    return tuple(chains)


def _allocated(ledger: Ledger, book: RateBook) -> Figure:
    """What was given to programmes, planned parts left out; an allocation in another currency at its day's rate."""
    adder = Adder(book.to)
    for row in ledger.allocations:
        if row.is_planned:
            continue
        own = from_minor(row.amount, row.currency)
        rate = book.find(row.currency, row.on)
        why = "" if rate else book.why_missing(row.currency, row.on)
        adder.add(own, Reference(row.id, row.reference, "allocation", row.on), rate.times(own.amount) if rate else None, rate, why)
    return adder.figure()


def _calendar(
    ledger: Ledger, book: RateBook, money: MoneyFigures, receipts: list[ReceiptRow], back: int, ahead: int
) -> tuple[str, tuple[CalendarMonth, ...]]:
    currencies = {row.amount.currency for row in money.instalments} | {row.currency for row in receipts}
    own = next(iter(currencies)) if len(currencies) == 1 else book.to
    first = clock.add_months(ledger.as_of.replace(day=1), -back)
    months = [clock.add_months(first, step) for step in range(back + ahead + 1)]
    due, got = {month: Adder(own) for month in months}, {month: Adder(own) for month in months}
    for row in money.instalments:
        month = row.due_on.replace(day=1) if row.due_on else None
        if month not in due:
            continue
        rate = None if own == row.amount.currency else book.find(row.amount.currency, ledger.as_of)
        value = row.amount.amount if own == row.amount.currency else rate.times(row.amount.amount) if rate else None
        due[month].add(row.amount, row.source, value, rate, "" if value is not None else _("no rate for the day of this report"))
    for receipt in receipts:
        month = receipt.value_on.replace(day=1)
        if month not in got:
            continue
        amount = from_minor(receipt.amount, receipt.currency)
        source = Reference(receipt.id, receipt.reference, "receipt", receipt.value_on)
        if own == receipt.currency:
            got[month].add(amount, source, amount.amount)
        else:
            got[month].add(amount, source, *receipt_value(receipt, book, ledger.reporting[receipt.office_id]))
    return own, tuple(CalendarMonth(month, due[month].figure(), got[month].figure()) for month in months)

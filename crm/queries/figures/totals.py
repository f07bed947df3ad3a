"""Pledged, secured and paid as three numbers, added up by the database: for pages that show totals and no record behind them.

The same figures as `money.party_money` and `money.office_money`, to the cent, without their sources: amounts are summed per
currency and rate day, and each sum is converted once. What is in a currency of which a rate is missing is read record by
record, because every amount that a total leaves out is named.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, String, and_, case, func, null, or_, select

from crm.db import db
from crm.models.offices import Office
from crm.models.pledges import Agreement, AgreementTerms, Pledge, PledgeTerms, Receipt
from crm.models.search import is_sqlite
from crm.money import add, from_minor
from crm.queries.figures import ledger as records
from crm.queries.figures.adding import Adder, Figure
from crm.queries.figures.ledger import Scope
from crm.queries.figures.money import (
    _Books,  # what has no rate is added up where everything is
    reader_currency,
    today,
)
from crm.queries.rates import Rate, RateBook, fixed


@dataclass(frozen=True)
class Secured:
    """What is signed and what of it came, as of a day in one currency (M2). The figures name no sources."""

    as_of: date
    currency: str
    secured: Figure
    paid: Figure
    by_month: Mapping[date, Decimal]
    """What of `paid` came in each month that had money, by its first day; without what no rate is held for."""


@dataclass(frozen=True)
class Totals(Secured):
    """The same with what is outstanding of pledges: stages, never to be added up."""

    pledged: Figure

    @property
    def left_out(self) -> tuple[str, ...]:
        """The sentences of everything a total leaves out, each once."""
        figures = (self.pledged, self.secured, self.paid)
        return tuple(dict.fromkeys(gap.sentence for figure in figures for gap in figure.left_out))


class Stages(NamedTuple):
    """Which records of money there are at all: what there is none of is not asked for."""

    pledges: bool = True
    agreements: bool = True
    receipts: bool = True


def party_totals(party_id: uuid.UUID, as_of: date | None = None, *, currency: str | None = None, known: Stages | None = None) -> Totals:
    """A donor's money with the offices in scope, as of a day (default today), in the reader's reporting currency."""
    return _totals(Scope(party_id=party_id), as_of or today(), reader_currency(currency), known or Stages())


def office_totals(office_ids: Collection[uuid.UUID] | None = None, as_of: date | None = None, *, currency: str | None = None) -> Totals:
    """The money of offices (None: all in scope), each record counted once (M16), as of a day (default today)."""
    return _totals(_of_offices(office_ids), as_of or today(), reader_currency(currency), Stages())


def office_secured(office_ids: Collection[uuid.UUID] | None = None, as_of: date | None = None, *, currency: str | None = None) -> Secured:
    """The same without pledges."""
    day, to = as_of or today(), reader_currency(currency)
    scope = _of_offices(office_ids)
    return Secured(day, to, **_added_up(scope, day, to, {"secured": _signed(scope, day, to), "paid": _received(scope, day, to)}))


def _of_offices(office_ids: Collection[uuid.UUID] | None) -> Scope:
    return Scope(office_ids=None if office_ids is None else frozenset(office_ids))


def _totals(scope: Scope, day: date, to: str, known: Stages) -> Totals:
    stages = {
        "pledged": _pledged(scope, day, to) if known.pledges else [],
        "secured": _signed(scope, day, to) if known.agreements else [],
        "paid": _received(scope, day, to) if known.receipts or known.agreements else [],  # an agreement's money, whoever sent it
    }
    return Totals(day, to, **_added_up(scope, day, to, stages))


class _Sum(NamedTuple):
    """Amounts of one currency and rate day; `on` is None where no rate is asked for. `bank`: what the bank credited, in the
    currency of the totals. `is_loose`: of receipts without an agreement, which are secured too. `came_in`: the first day of the
    month of receipts."""

    currency: str
    on: date | None
    minor: int
    changes: int = 1
    fixed_rate: Decimal | None = None
    bank: int | None = None
    is_loose: bool = False
    came_in: date | None = None


def _added_up(scope: Scope, day: date, to: str, stages: dict[str, list[_Sum]]) -> dict[str, Any]:
    """What `Secured` holds: each stage as a figure: its sums converted, and record by record what is in a currency that lacks a rate."""
    book = RateBook(to, {(one.currency, one.on) for sums in stages.values() for one in sums if one.on})
    values = {name: [(one, *_value(one, book)) for one in sums] for name, sums in stages.items()}
    incomplete = {one.currency for known in values.values() for one, value, _rate in known if value is None and one.changes}
    adders = {name: Adder(to) for name in stages}
    for name, known in values.items():
        complete = [item for item in known if item[0].currency not in incomplete]
        _add(adders[name], complete)
        if name == "paid":
            _add(adders["secured"], [item for item in complete if item[0].is_loose])
    if incomplete:
        ledger = records.load(scope, day, currencies=incomplete)
        rest = _Books(ledger, RateBook(to, ledger.needed())).figures()
        for name, adder in adders.items():
            adder.take(getattr(rest, name))
    by_month: dict[date, Decimal] = {}
    for one, value, _rate in values["paid"]:
        if one.came_in is not None and value is not None:
            by_month[one.came_in] = add(by_month.get(one.came_in, Decimal(0)), value)
    return {name: adder.figure(has_sources=False) for name, adder in adders.items()} | {"by_month": by_month}


def _add(adder: Adder, known: Iterable[tuple[_Sum, Decimal | None, Rate | None]]) -> None:
    own: dict[str, int] = {}
    together = Decimal(0)
    rates = set()
    for one, value, rate in known:
        own[one.currency] = own.get(one.currency, 0) + one.minor
        together = add(together, value or Decimal(0))
        if rate is not None and one.changes:
            rates.add(rate)
    adder.add_sums([from_minor(minor, code) for code, minor in own.items()], together, rates)


def _value(one: _Sum, book: RateBook) -> tuple[Decimal | None, Rate | None]:
    """A sum in the reporting currency, and the rate: an event's fixed one or the bank's amount before that of the day (M4)."""
    own = from_minor(one.minor, one.currency).amount
    if one.currency == book.to:
        return own, None
    if one.bank is not None:
        return from_minor(one.bank, book.to).amount, None
    if one.on is None:
        return None, None
    rate = book.find(one.currency, one.on) if one.fixed_rate is None else fixed(one.currency, book.to, one.fixed_rate, one.on)
    return (None if rate is None else rate.times(own)), rate


def _pledged(scope: Scope, day: date, to: str) -> list[_Sum]:
    """What is outstanding of pledges (M3), by currency and the day they were made; a fixed rate is one to the office's currency."""
    where = records.conditions(scope)[0]
    if where is None:
        return []
    on = case((Pledge.currency == to, null()), else_=Pledge.pledged_on)
    fixed_rate = case((Office.reporting_currency == to, Pledge.fixed_rate), else_=null())
    rows = db.session.execute(
        select(Pledge.currency, on, func.sum(PledgeTerms.change_minor), func.count(PledgeTerms.id), fixed_rate)
        .select_from(Pledge)
        .join(PledgeTerms, PledgeTerms.pledge_id == Pledge.id)
        .join(Office, Office.id == Pledge.office_id)
        .where(where, Pledge.pledged_on <= day, PledgeTerms.effective_on <= day)
        .group_by(Pledge.currency, on, fixed_rate)
    )
    return [one for one in _sums(rows) if one.minor]  # none is ever below zero, so nothing is outstanding of any of them


def _signed(scope: Scope, day: date, to: str) -> list[_Sum]:
    """What was signed and amended, by currency and the day of each change."""
    where = records.conditions(scope)[1]
    if where is None:
        return []
    on = case((Agreement.currency == to, null()), else_=AgreementTerms.effective_on)
    changes = func.count(func.nullif(AgreementTerms.change_minor, 0))
    rows = db.session.execute(
        select(Agreement.currency, on, func.sum(AgreementTerms.change_minor), changes)
        .select_from(Agreement)
        .join(AgreementTerms, AgreementTerms.agreement_id == Agreement.id)
        .where(where, Agreement.signed_on <= day, AgreementTerms.effective_on <= day)
        .group_by(Agreement.currency, on)
    )
    return _sums(rows)


def _received(scope: Scope, day: date, to: str) -> list[_Sum]:
    """What came in, reversals taken off, by currency and value date; by month where no rate is asked for."""
    bank = case((Office.reporting_currency == to, Receipt.bank_reporting_minor), else_=null())
    is_known = or_(Receipt.currency == to, bank.is_not(None))
    on = case((is_known, null()), else_=Receipt.value_on)
    is_loose = Receipt.agreement_id.is_(None)
    month = _month(Receipt.value_on)
    amounts = (func.sum(Receipt.amount_minor), func.count(Receipt.id), null(), func.sum(bank), is_loose, month)
    rows = db.session.execute(
        select(Receipt.currency, on, *amounts)
        .select_from(Receipt)
        .join(Office, Office.id == Receipt.office_id)
        .where(_counted(scope, day), Receipt.value_on <= day)
        .group_by(Receipt.currency, on, is_loose, month)
    )
    return _sums((*row, date(int(in_month[:4]), int(in_month[5:]), 1)) for *row, in_month in rows)


def _counted(scope: Scope, day: date) -> ColumnElement[bool]:
    """Receipts without an agreement, and those of agreements that were signed by a day."""
    _pledges, agreements, loose, _allocations = records.conditions(scope)
    if agreements is None:
        return loose
    if scope.office_ids is None:
        return records.either(scope, loose, Receipt.agreement_id.in_(records.signed_ids(agreements, day)))
    # A receipt is of its agreement's office: all count that are of an office, but those of the few agreements that were signed later.
    later = select(Agreement.id).where(agreements, Agreement.signed_on > day)
    return and_(Receipt.office_id.in_(list(scope.office_ids)), or_(Receipt.agreement_id.is_(None), Receipt.agreement_id.not_in(later)))


def _month(day: Any) -> ColumnElement[str]:
    """The month of a day as "2026-11". Year and month as numbers of their own took twice as long."""
    found: ColumnElement[str] = func.substr(day, 1, 7, type_=String) if is_sqlite() else func.to_char(day, "YYYY-MM", type_=String)
    return found


def _sums(rows: Iterable[Any]) -> list[_Sum]:
    """Rows as sums; the sum of whole numbers is a Decimal on PostgreSQL."""
    found = []
    for currency, on, minor, changes, *more in rows:
        fixed_rate, bank, is_loose, came_in = (*more, *(None,) * 4)[:4]
        found.append(_Sum(currency, on, int(minor), changes, fixed_rate, None if bank is None else int(bank), bool(is_loose), came_in))
    return found

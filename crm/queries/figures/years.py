"""One year of many programmes for a list: what each needs, what is secured for it, what is missing.

The same figures as that year of `programmes.programmes_money`, to the cent, without their sources. Only agreements that have
a part in the year are read, their plans summed by the database: a page for all offices names programmes with thousands.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, extract, func, or_, select

from crm.db import among, db
from crm.models.pledges import Agreement, AgreementBudgetLine, AgreementTerms, Allocation, Instalment
from crm.money import Money, from_minor, split, to_minor
from crm.queries.figures import ledger as records
from crm.queries.figures.adding import Adder, Figure, Reference
from crm.queries.figures.ledger import AgreementRow, Scope, Term
from crm.queries.figures.money import balance, plan_of, signed_reporting, today
from crm.queries.figures.programmes import add_need, gap_and_over, offices_and_needs
from crm.queries.rates import RateBook

#: Keys in one statement; databases take some 30,000 parameters.
_KEYS = 10_000


@dataclass(frozen=True)
class YearGap:
    """A programme's year. `gap` and `over` are None where the requirement has no rate."""

    year: int
    required: Figure
    secured: Figure
    gap: Money | None
    over: Money | None


@dataclass
class _Signed:
    """An agreement with a part in the year: its plan of the day by year."""

    row: AgreementRow
    by_year: dict[int, int]


def programmes_year(programme_ids: Collection[uuid.UUID], year: int, as_of: date | None = None) -> dict[uuid.UUID, YearGap]:
    """A year of some programmes as of a day (default today), each in its office's reporting currency; absent: out of scope.

    As many statements for much as for little, up to 10,000 agreements."""
    day = as_of or today()
    offices, needs = offices_and_needs(programme_ids, year, as_of=day)
    if not offices:
        return {}
    currencies = records.reporting_currencies()
    signed = _signed(list(offices), year, day)
    given = _allocations(list(offices), year, day)
    needed = {(need.currency, day) for listed in needs.values() for need in listed}
    needed |= {(one.row.currency, term.on) for one in signed for term in one.row.terms if term.change}
    needed |= {(row.currency, row.allocated_on) for row in given}
    books = {code: RateBook(code, needed) for code in {currencies[office] for office in offices.values()}}
    named: dict[uuid.UUID, list[_Signed]] = {}
    for one in signed:
        for programme in {line for line, _weight in one.row.lines}:
            named.setdefault(programme, []).append(one)
    parts: dict[uuid.UUID, list[Any]] = {}
    for row in given:
        parts.setdefault(row.programme_id, []).append(row)
    found = {}
    for programme, office in offices.items():
        book = books[currencies[office]]
        required, secured = Adder(book.to), Adder(book.to)
        for need in needs.get(programme, []):
            add_need([required], need, book, day)
        _add_agreements(secured, programme, named.get(programme, ()), year, book)
        _add_allocations(secured, parts.get(programme, ()), book)
        needs_, has = required.figure(), secured.figure(has_sources=False)
        found[programme] = YearGap(year, needs_, has, *gap_and_over(needs_, has))
    return found


def _signed(programme_ids: list[uuid.UUID], year: int, day: date) -> list[_Signed]:
    """The agreements that name the programmes and have a part in the year: an instalment due in it, or, because what has no
    day counts there, their signature."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    named = select(AgreementBudgetLine.agreement_id).where(AgreementBudgetLine.programme_id.in_(programme_ids))
    due = exists().where(
        AgreementTerms.agreement_id == Agreement.id,
        Instalment.agreement_terms_id == AgreementTerms.id,
        Instalment.due_on.between(first, last),
    )
    where = and_(Agreement.id.in_(named), or_(Agreement.signed_on.between(first, last), due))
    rows = {row.id: row for row in records.agreement_rows(where, day)}
    for keys in _parted(list(rows)):
        _fill(rows, keys, day)
    plans: dict[uuid.UUID, dict[int, int]] = {}
    for keys in _parted(list(rows)):
        _plans(plans, rows, keys)
    odd = [row.id for row in rows.values() if sum(plans.get(row.id, {}).values()) != max(0, balance(row.terms))]
    for keys in _parted(odd):  # a change that was dated back cuts a plan from its end, or adds to it: read item by item
        for whole in records.load(Scope(agreement_ids=keys), day).agreements:
            plan: dict[int, int] = {}
            for item in plan_of(whole.terms):
                on = item.due_on or whole.signed_on
                plan[on.year] = plan.get(on.year, 0) + item.amount
            plans[whole.id] = plan
    return [_Signed(row, plans.get(key, {})) for key, row in rows.items()]


def _parted(keys: Sequence[uuid.UUID]) -> Iterator[Sequence[uuid.UUID]]:
    return (keys[start : start + _KEYS] for start in range(0, len(keys), _KEYS))


def _fill(rows: Mapping[uuid.UUID, AgreementRow], keys: Sequence[uuid.UUID], day: date) -> None:
    """The changes and the budget lines of some agreements."""
    terms = db.session.execute(
        select(AgreementTerms.agreement_id, AgreementTerms.id, AgreementTerms.effective_on, AgreementTerms.change_minor)
        .where(among(AgreementTerms.agreement_id, keys), AgreementTerms.effective_on <= day)
        .order_by(AgreementTerms.version)
    )
    for key, term_id, on, change in terms:
        rows[key].terms.append(Term(term_id, 0, "", on, change))
    lines = db.session.execute(
        select(AgreementBudgetLine.agreement_id, AgreementBudgetLine.programme_id, AgreementBudgetLine.amount_minor)
        .where(among(AgreementBudgetLine.agreement_id, keys))
        .order_by(AgreementBudgetLine.id)
    )
    for key, programme, weight in lines:
        rows[key].lines.append((programme, weight))


def _plans(plans: dict[uuid.UUID, dict[int, int]], rows: Mapping[uuid.UUID, AgreementRow], keys: Sequence[uuid.UUID]) -> None:
    """What the newest plans, those of the last terms that were read, have in each year; what has no day counts in the year of signature."""
    due_year = extract("year", Instalment.due_on)
    newest = {rows[key].terms[-1].id: key for key in keys if rows[key].terms}
    found: Iterable[Any] = db.session.execute(
        select(Instalment.agreement_terms_id, due_year, func.sum(Instalment.amount_minor))
        .where(among(Instalment.agreement_terms_id, newest))
        .group_by(Instalment.agreement_terms_id, due_year)
    )
    for term_id, year, minor in found:
        key = newest[term_id]
        plan = plans.setdefault(key, {})
        of = rows[key].signed_on.year if year is None else int(year)
        plan[of] = plan.get(of, 0) + int(minor)


def _add_agreements(secured: Adder, programme: uuid.UUID, signed: Collection[_Signed], year: int, book: RateBook) -> None:
    own: dict[str, int] = {}
    together = 0
    for one in signed:
        row = one.row
        years = sorted(of for of, weight in one.by_year.items() if weight > 0) or [row.signed_on.year]
        if year not in years:
            continue
        weights, place = [one.by_year.get(of, 0) or 1 for of in years], years.index(year)
        whole = balance(row.terms)
        places = [at for at, (line, _weight) in enumerate(row.lines) if line == programme]
        own_minor = split(row.part_at(places, whole), weights)[place]
        value, _rates, why = signed_reporting(row, book)
        if value is None:
            source = Reference(row.id, row.reference, "agreement", row.signed_on)
            secured.add(from_minor(own_minor, row.currency), source, None, None, why)
            continue
        own[row.currency] = own.get(row.currency, 0) + own_minor
        minor = to_minor(Money(value, book.to).rounded())
        is_same = row.currency == book.to and minor == whole
        together += own_minor if is_same else split(row.part_at(places, minor), weights)[place]
    secured.add_sums([from_minor(minor, code) for code, minor in own.items()], from_minor(together, book.to).amount, ())


def _allocations(programme_ids: list[uuid.UUID], year: int, day: date) -> Sequence[Any]:
    """What was allocated in the year, planned parts too, from sources that have no budget line for the programme."""
    has_line = exists().where(
        AgreementBudgetLine.agreement_id == Allocation.agreement_id,
        AgreementBudgetLine.programme_id == Allocation.programme_id,
        Agreement.id == AgreementBudgetLine.agreement_id,
        Agreement.signed_on <= day,
    )
    return db.session.execute(
        select(
            Allocation.id,
            Allocation.programme_id,
            Allocation.reference,
            Allocation.allocated_on,
            Allocation.amount_minor,
            Allocation.currency,
        )
        .where(Allocation.programme_id.in_(programme_ids), _within(year, day), ~has_line)
        .order_by(Allocation.allocated_on, Allocation.id)
    ).all()


def _within(year: int, day: date) -> ColumnElement[bool]:
    return Allocation.allocated_on.between(date(year, 1, 1), min(day, date(year, 12, 31)))


def _add_allocations(secured: Adder, rows: Collection[Any], book: RateBook) -> None:
    for row in rows:
        own = from_minor(row.amount_minor, row.currency)
        rate = book.find(row.currency, row.allocated_on)
        why = "" if rate else book.why_missing(row.currency, row.allocated_on)
        source = Reference(row.id, row.reference, "allocation", row.allocated_on)
        secured.add(own, source, None if rate is None else rate.times(own.amount), rate, why)

"""The money of programmes: what they need, what is secured for them, and the gap, in all and by year (M2, M6).

Secured for a programme: the budget lines of signed agreements that name it (an agreement's secured amount split by its
lines, parts equal to the whole), and allocations, planned ones too, from sources without budget lines. Paid: the same
share of what came in, and actual allocations from sources without lines. By year: the due years of the plan of the day;
what waits for an event counts in the year of signature, an allocation in its own year. Pledges are outside all totals.
A requirement counts in the version that was there on the report's day (where none was, in its newest); in another currency
it is seen at the report day's rate.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import case, func, select, true

from crm import clock
from crm.db import db
from crm.errors import NotFound
from crm.i18n import _
from crm.models.programmes import Programme, Requirement
from crm.money import Money, add, from_minor, split, to_minor, total, zero
from crm.policy import bound_actor
from crm.queries.figures import ledger as records
from crm.queries.figures.adding import Adder, Figure, Reference
from crm.queries.figures.ledger import AgreementRow, AllocationRow, Ledger, PledgeRow, Scope
from crm.queries.figures.money import balance, open_parts, plan_of, pledge_rate, receipt_reporting, signed_reporting, today
from crm.queries.rates import RateBook


@dataclass(frozen=True)
class YearMoney:
    """A programme's year. `gap` and `over` are None where the requirement has no rate; both are 0 without a requirement
    only if nothing is secured either."""

    year: int
    required: Figure
    secured: Figure
    paid: Figure
    pledged: Figure
    gap: Money | None
    over: Money | None

    @property
    def rate_gain(self) -> Money:
        """By how much paid is more than secured: what was signed counts at its signature's rate, what came at its own (M4)."""
        if self.paid.left_out or self.secured.left_out:
            return zero(self.paid.currency)
        return max(self.paid.reporting - self.secured.reporting, zero(self.paid.currency))


@dataclass(frozen=True)
class OutputMoney:
    """What was allocated (and planned) for an output; None: for the programme as a whole."""

    output_id: uuid.UUID | None
    allocated: Figure
    planned: Figure


@dataclass(frozen=True)
class ProgrammeMoney:
    """A programme's money as of a day. `gap = max(0, required - secured)`, `over` the other way round; pledged is outside."""

    programme_id: uuid.UUID
    as_of: date
    currency: str
    required: Figure
    secured: Figure
    paid: Figure
    allocated: Figure
    planned: Figure
    pledged: Figure
    gap: Money | None
    over: Money | None
    years: tuple[YearMoney, ...]
    outputs: tuple[OutputMoney, ...]

    @property
    def short_years(self) -> tuple[YearMoney, ...]:
        """The years whose own requirement is not secured (decision 7)."""
        return tuple(year for year in self.years if year.required.sources and year.gap)

    @property
    def short_by_year(self) -> Money:
        """What is missing year by year: the total's gap is less where another year has more than it requires."""
        return self.gap_in(self.short_years)

    @property
    def ended_short(self) -> tuple[YearMoney, ...]:
        """The years over by the report's day that had a gap: what was missing then is no money to be found now."""
        return tuple(year for year in self.years if year.gap and year.year < self.as_of.year)

    @property
    def short_ahead(self) -> tuple[YearMoney, ...]:
        """The year of the report's day and later ones that have a gap."""
        return tuple(year for year in self.years if year.gap and year.year >= self.as_of.year)

    @property
    def needed_years(self) -> tuple[int, ...]:
        """The years that the need, and so the gap over all of them, covers."""
        return tuple(year.year for year in self.years if year.required.sources)

    @property
    def surplus_offsets(self) -> bool:
        """Is the gap over all years less than the gaps of single years together? Then one year's surplus offsets another's gap (0007)."""
        return self.gap is not None and all(year.gap is not None for year in self.years) and self.gap < self.gap_in(self.years)

    def gap_in(self, years: Iterable[YearMoney]) -> Money:
        """The gaps of some years together; a year whose gap is not known is not in it."""
        return total((year.gap for year in years if year.gap is not None), self.currency)

    @property
    def left_out(self) -> tuple[str, ...]:
        """The sentences of everything a total leaves out, each once."""
        figures = (self.required, self.secured, self.paid, self.allocated, self.planned, self.pledged)
        return tuple(dict.fromkeys(gap.sentence for figure in figures for gap in figure.left_out))


def programme_money(programme_id: uuid.UUID, as_of: date | None = None) -> ProgrammeMoney:
    """One programme's money as of a day (default today), in its office's reporting currency; raises `NotFound`."""
    found = programmes_money([programme_id], as_of)
    if programme_id not in found:
        raise NotFound(_("There is no such record here."))
    return found[programme_id]


def programmes_money(programme_ids: Collection[uuid.UUID], as_of: date | None = None) -> dict[uuid.UUID, ProgrammeMoney]:
    """The money of some programmes in a constant number of statements; those out of scope are absent."""
    day = as_of or today()
    rows = db.session.execute(select(Programme.id, Programme.office_id).where(Programme.id.in_(list(programme_ids)))).all()
    if not rows:
        return {}
    ledger = records.load(Scope(programme_ids=[row.id for row in rows]), day, with_allocations=True, with_lines=True, is_outstanding=True)
    needs = requirements([row.id for row in rows], as_of=day)
    books: dict[str, RateBook] = {}
    result = {}
    for row in rows:
        reporting = ledger.reporting[row.office_id]
        if reporting not in books:
            needed = ledger.needed() | {(need.currency, day) for listed in needs.values() for need in listed}
            books[reporting] = RateBook(reporting, needed)
        result[row.id] = _Programme(row.id, ledger, books[reporting], needs.get(row.id, [])).figures()
    return result


@dataclass(frozen=True)
class Need:
    """What a programme needs in a year, in the version of a day."""

    id: uuid.UUID
    year: int
    minor: int
    currency: str
    reference: str


def requirements(programme_ids: list[uuid.UUID], year: int | None = None, *, as_of: date) -> dict[uuid.UUID, list[Need]]:
    """The version of each year, or of one, that was the newest by the end of a day, so that what is written down later changes no
    earlier report; where nothing was written down by then, the newest of all."""
    actor = bound_actor()
    ends = None if as_of >= today() else datetime.combine(as_of, time.max, tzinfo=clock.zone(actor.timezone if actor else "UTC"))
    newest_of_all = func.max(Requirement.version)
    held: Any = newest_of_all
    if ends is not None:
        held = func.coalesce(func.max(case((Requirement.created_at <= ends, Requirement.version))), newest_of_all)
    newest = (
        select(Requirement.programme_id, Requirement.year, held.label("version"))
        .where(Requirement.programme_id.in_(programme_ids), true() if year is None else Requirement.year == year)
        .group_by(Requirement.programme_id, Requirement.year)
        .subquery()
    )
    rows = db.session.execute(
        select(
            Requirement.id, Requirement.programme_id, Requirement.year, Requirement.amount_minor, Requirement.currency, Programme.reference
        )
        .join(Programme, Requirement.programme_id == Programme.id)
        .join(
            newest,
            (newest.c.programme_id == Requirement.programme_id)
            & (newest.c.year == Requirement.year)
            & (newest.c.version == Requirement.version),
        )
        .order_by(Requirement.year)
    )
    found: dict[uuid.UUID, list[Need]] = {}
    for row in rows:
        reference = f"{row.reference} {row.year}"
        found.setdefault(row.programme_id, []).append(Need(row.id, row.year, row.amount_minor, row.currency, reference))
    return found


def add_need(adders: Iterable[Adder], need: Need, book: RateBook, day: date) -> None:
    """Add a requirement, in another currency at the rate of the report's day."""
    source = Reference(need.id, need.reference, "requirement", date(need.year, 1, 1))
    own = from_minor(need.minor, need.currency)
    rate = book.find(need.currency, day)
    why = "" if rate else book.why_missing(need.currency, day)
    for adder in adders:
        adder.add(own, source, None if rate is None else rate.times(own.amount), rate, why)


class _Year:
    def __init__(self, currency: str) -> None:
        self.required, self.secured, self.paid, self.pledged = (Adder(currency) for _name in range(4))


class _Programme:
    """Adds one programme up."""

    def __init__(self, programme_id: uuid.UUID, ledger: Ledger, book: RateBook, needs: list[Need]) -> None:
        self.id, self.ledger, self.book, self.currency = programme_id, ledger, book, book.to
        self.required, self.secured, self.paid, self.pledged, self.allocated, self.planned = (Adder(book.to) for _name in range(6))
        self.years: dict[int, _Year] = {}
        self.outputs: dict[uuid.UUID | None, tuple[Adder, Adder]] = {}
        for need in needs:
            add_need((self.required, self._year(need.year).required), need, book, ledger.as_of)
        with_lines = set()
        for agreement in ledger.agreements:
            places = [place for place, (line, _weight) in enumerate(agreement.lines) if line == programme_id]
            if places:
                with_lines.add(agreement.id)
                self._add_agreement(agreement, places)
        for allocation in ledger.allocations:
            if allocation.programme_id == programme_id:
                self._add_allocation(allocation, is_counted=allocation.agreement_id not in with_lines)
        for pledge in ledger.pledges:
            if pledge.programme_id == programme_id:
                self._add_pledge(pledge)

    def _year(self, year: int) -> _Year:
        if year not in self.years:
            self.years[year] = _Year(self.currency)
        return self.years[year]

    def _add_agreement(self, agreement: AgreementRow, places: list[int]) -> None:
        """Add its part of an agreement: what the lines at these places come to."""
        source = Reference(agreement.id, agreement.reference, "agreement", agreement.signed_on)
        parts = open_parts(agreement)
        planned: dict[int, int] = {}
        came: dict[int, int] = {}
        for due, left in parts:
            year = due.due_on.year if due.due_on else agreement.signed_on.year
            planned[year] = planned.get(year, 0) + due.amount
            came[year] = came.get(year, 0) + due.amount - left
        value = balance(agreement.terms)
        received = sum(receipt.amount for receipt in agreement.receipts)
        if received > value:  # a surplus has no due day: the year of signature
            came[agreement.signed_on.year] = came.get(agreement.signed_on.year, 0) + received - value
        secured, rates, why = signed_reporting(agreement, self.book)
        self._share(agreement, places, source, "secured", value, secured, planned, why)
        for rate in rates:
            self.secured.add_reporting(zero(agreement.currency), source, Decimal(0), rate)
        if received:
            together, missing = self._paid(agreement)
            self._share(agreement, places, source, "paid", received, together, came, missing)

    def _paid(self, agreement: AgreementRow) -> tuple[Decimal | None, str]:
        together = Decimal(0)
        for receipt in agreement.receipts:
            value, rate, why = receipt_reporting(receipt, self.book, self.ledger.reporting[agreement.office_id])
            if value is None:
                return None, why
            together = add(together, value)
            if rate is not None:
                reference = Reference(receipt.id, receipt.reference, "receipt", receipt.value_on)
                self.paid.add_reporting(zero(receipt.currency), reference, Decimal(0), rate)
        return together, ""

    def _share(
        self,
        agreement: AgreementRow,
        places: list[int],
        source: Reference,
        stage: str,
        minor: int,
        reporting: Decimal | None,
        by_year: dict[int, int],
        why: str,
    ) -> None:
        """This programme's part of an agreement's amount by its budget lines, then by year: whole cents, no cent lost (M6)."""
        currency = agreement.currency
        own = agreement.part_at(places, minor)
        whole = None if reporting is None else to_minor(Money(reporting, self.currency).rounded())
        is_same = whole == minor and currency == self.currency  # then its parts are the same too
        value = own if is_same else None if whole is None else agreement.part_at(places, whole)
        adder: Adder = getattr(self, stage)
        adder.add_minor(own, currency, source, value, why)
        years = sorted(year for year, weight in by_year.items() if weight > 0) or [agreement.signed_on.year]
        if len(years) == 1:
            only: Adder = getattr(self._year(years[0]), stage)
            only.add_minor(own, currency, source, value, why)
            return
        weights = [by_year.get(year, 0) or 1 for year in years]
        owns = split(own, weights)
        values = owns if is_same else [None] * len(years) if value is None else split(value, weights)
        for year, own_part, value_part in zip(years, owns, values, strict=True):
            yearly: Adder = getattr(self._year(year), stage)
            yearly.add_minor(own_part, currency, source, value_part, why)

    def _add_allocation(self, row: AllocationRow, *, is_counted: bool) -> None:
        source = Reference(row.id, row.reference, "allocation", row.on)
        own = from_minor(row.amount, row.currency)
        rate = self.book.find(row.currency, row.on)
        why = "" if rate else self.book.why_missing(row.currency, row.on)
        value = None if rate is None else rate.times(own.amount)
        if row.output_id not in self.outputs:
            self.outputs[row.output_id] = (Adder(self.currency), Adder(self.currency))
        output = self.outputs[row.output_id]
        adders = [self.planned, output[1]] if row.is_planned else [self.allocated, output[0]]
        if is_counted:
            year = self._year(row.on.year)
            adders += [self.secured, year.secured]
            if not row.is_planned:
                adders += [self.paid, year.paid]
        for adder in adders:
            adder.add(own, source, value, rate, why)

    def _add_pledge(self, pledge: PledgeRow) -> None:
        minor = balance(pledge.terms)
        if not minor:
            return
        source = Reference(pledge.id, pledge.reference, "pledge", pledge.pledged_on)
        rate = pledge_rate(pledge, self.book, self.ledger.reporting[pledge.office_id])
        why = "" if rate else self.book.why_missing(pledge.currency, pledge.pledged_on)
        own = from_minor(minor, pledge.currency)
        self.pledged.add(own, source, None if rate is None else rate.times(own.amount), rate, why)
        by_year: dict[int, int] = {}
        for due in plan_of(pledge.terms):
            year = due.due_on.year if due.due_on else pledge.pledged_on.year
            by_year[year] = by_year.get(year, 0) + due.amount
        for year, part_minor in by_year.items():
            part = from_minor(part_minor, pledge.currency)
            self._year(year).pledged.add(part, source, None if rate is None else rate.times(part.amount), rate, why)

    def figures(self) -> ProgrammeMoney:
        required, secured = self.required.figure(), self.secured.figure()
        gap, over = gap_and_over(required, secured)
        return ProgrammeMoney(
            programme_id=self.id,
            as_of=self.ledger.as_of,
            currency=self.currency,
            required=required,
            secured=secured,
            paid=self.paid.figure(),
            allocated=self.allocated.figure(),
            planned=self.planned.figure(),
            pledged=self.pledged.figure(),
            gap=gap,
            over=over,
            years=tuple(self._figures_of(year, sums) for year, sums in sorted(self.years.items())),
            outputs=tuple(OutputMoney(output, given.figure(), planned.figure()) for output, (given, planned) in self.outputs.items()),
        )

    def _figures_of(self, year: int, sums: _Year) -> YearMoney:
        required, secured = sums.required.figure(), sums.secured.figure()
        gap, over = gap_and_over(required, secured)
        return YearMoney(year, required, secured, sums.paid.figure(), sums.pledged.figure(), gap, over)


def gap_and_over(required: Figure, secured: Figure) -> tuple[Money | None, Money | None]:
    """`max(0, required - secured)` and the overfunding (M2); unknown where the requirement has no rate.

    Secured money without a rate is not in it: then the gap is at most this (`secured.left_out` says what is missing).
    """
    if required.left_out:
        return None, None
    rest = required.reporting - secured.reporting
    nothing = zero(required.currency)
    return max(rest, nothing), max(-rest, nothing)

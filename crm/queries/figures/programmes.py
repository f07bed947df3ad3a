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
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.errors import NotFound
from crm.i18n import _
from crm.models.programmes import Programme, Requirement
from crm.money import Money, add, from_minor, rounded_minor, split, total, zero
from crm.policy import bound_actor
from crm.queries.figures import ledger as records
from crm.queries.figures.adding import Adder, Figure, Reference
from crm.queries.figures.ledger import AgreementRow, AllocationRow, Ledger, PledgeRow, Scope
from crm.queries.figures.money import balance, open_parts, plan_of, pledge_rate, receipt_reporting, signed_reporting, today
from crm.queries.rates import Rate, RateBook


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
    offices, needs = offices_and_needs(programme_ids, as_of=day)
    if not offices:
        return {}
    ledger = records.load(Scope(programme_ids=list(offices)), day, with_allocations=True, with_lines=True, is_outstanding=True)
    books: dict[str, RateBook] = {}
    result = {}
    for key, office_id in offices.items():
        reporting = ledger.reporting[office_id]
        if reporting not in books:
            needed = ledger.needed() | {(need.currency, day) for listed in needs.values() for need in listed}
            books[reporting] = RateBook(reporting, needed)
        result[key] = _Programme(key, ledger, books[reporting], needs.get(key, [])).figures()
    return result


@dataclass(frozen=True)
class Need:
    """What a programme needs in a year, in the version of a day."""

    id: uuid.UUID
    year: int
    minor: int
    currency: str
    reference: str


def offices_and_needs(
    programme_ids: Collection[uuid.UUID], year: int | None = None, *, as_of: date
) -> tuple[dict[uuid.UUID, uuid.UUID], dict[uuid.UUID, list[Need]]]:
    """The offices of those programmes that are in scope, and what each needs: the version of each year, or of one, that was the newest by
    the end of a day, so that what is written down later changes no earlier report; where nothing was written down by then, the newest of
    all. One statement."""
    actor = bound_actor()
    ends = datetime.max.replace(tzinfo=UTC)
    if as_of < today():
        ends = datetime.combine(as_of, time.max, tzinfo=clock.zone(actor.timezone if actor else "UTC"))
    its = Requirement.programme_id == Programme.id
    needed: tuple[Any, ...] = (Requirement.id, Requirement.year, Requirement.created_at, Requirement.amount_minor, Requirement.currency)
    rows: Iterable[Any] = db.session.execute(
        select(Programme.id, Programme.office_id, Programme.reference, *needed)
        .outerjoin(Requirement, its if year is None else its & (Requirement.year == year))
        .where(Programme.id.in_(list(programme_ids)))
        .order_by(Requirement.year, Requirement.version)
    )
    offices: dict[uuid.UUID, uuid.UUID] = {}
    held: dict[tuple[uuid.UUID, int], tuple[Need, bool]] = {}
    for programme_id, office_id, reference, key, of_year, written_at, minor, currency in rows:
        offices[programme_id] = office_id
        if key is None:
            continue
        is_by_then = written_at <= ends
        before = held.get((programme_id, of_year))
        if before is None or is_by_then or not before[1]:
            need = Need(key, of_year, minor, currency, f"{reference} {of_year}")
            held[programme_id, of_year] = (need, is_by_then)
    found: dict[uuid.UUID, list[Need]] = {}
    for (programme_id, _year), (need, _is_by_then) in held.items():
        found.setdefault(programme_id, []).append(need)
    return offices, found


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
        received = sum([receipt.amount for receipt in agreement.receipts])
        if received > value:  # a surplus has no due day: the year of signature
            came[agreement.signed_on.year] = came.get(agreement.signed_on.year, 0) + received - value
        if agreement.currency == self.currency:
            self._share(agreement, places, source, "secured", value, value, planned)
            if received:
                self._share(agreement, places, source, "paid", received, received, came)
            return
        secured, rates, why = signed_reporting(agreement, self.book)
        self._share(agreement, places, source, "secured", value, self._whole(secured), planned, why)
        for rate in rates:
            self.secured.note(rate)
        if received:
            together, missing = self._paid(agreement)
            self._share(agreement, places, source, "paid", received, self._whole(together), came, missing)

    def _whole(self, reporting: Decimal | None) -> int | None:
        return None if reporting is None else rounded_minor(reporting, self.currency)

    def _paid(self, agreement: AgreementRow) -> tuple[Decimal | None, str]:
        """What came of an agreement in another currency than the reporting one, each part at its day's rate."""
        together = Decimal(0)
        for receipt in agreement.receipts:
            value, rate, why = receipt_reporting(receipt, self.book, self.ledger.reporting[agreement.office_id])
            if value is None:
                return None, why
            together = add(together, value)
            if rate is not None:
                self.paid.note(rate)
        return together, ""

    def _share(
        self,
        agreement: AgreementRow,
        places: list[int],
        source: Reference,
        stage: str,
        minor: int,
        whole: int | None,
        by_year: dict[int, int],
        why: str = "",
    ) -> None:
        """This programme's part of an agreement's amount by its budget lines, then by year: whole cents, no cent lost (M6). `minor` in
        its own currency, `whole` in the reporting currency, None where no rate was published (`why`)."""
        currency = agreement.currency
        own = agreement.part_at(places, minor)
        is_same = currency == self.currency  # then its parts are the same too
        value = own if is_same else None if whole is None else agreement.part_at(places, whole)
        adder: Adder = getattr(self, stage)
        adder.add_minor(own, currency, source, value, why)
        years = sorted([year for year, weight in by_year.items() if weight > 0]) or [agreement.signed_on.year]
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
        rate = self.book.find(row.currency, row.on)
        why = "" if rate else self.book.why_missing(row.currency, row.on)
        value = self._converted(row.amount, row.currency, rate)
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
            adder.add_whole(row.amount, row.currency, source, value, rate, why)

    @staticmethod
    def _converted(minor: int, currency: str, rate: Rate | None) -> Decimal | None:
        """A whole amount in the reporting currency, not rounded; None where there is no rate, or where nothing is to be converted."""
        return None if rate is None or not rate.source else rate.times(from_minor(minor, currency).amount)

    def _add_pledge(self, pledge: PledgeRow) -> None:
        minor = balance(pledge.terms)
        if not minor:
            return
        source = Reference(pledge.id, pledge.reference, "pledge", pledge.pledged_on)
        rate = pledge_rate(pledge, self.book, self.ledger.reporting[pledge.office_id])
        why = "" if rate else self.book.why_missing(pledge.currency, pledge.pledged_on)
        value = self._converted(minor, pledge.currency, rate)
        self.pledged.add_whole(minor, pledge.currency, source, value, rate, why)
        by_year: dict[int, int] = {}
        for due in plan_of(pledge.terms):
            year = due.due_on.year if due.due_on else pledge.pledged_on.year
            by_year[year] = by_year.get(year, 0) + due.amount
        for year, part in by_year.items():
            converted = value if part == minor else self._converted(part, pledge.currency, rate)
            self._year(year).pledged.add_whole(part, pledge.currency, source, converted, rate, why)

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

"""Our money: pledged, secured, paid, receivable, late. Every figure once, each with its rates and the records behind it.

Stages are never added up (M2). Pledged is what is outstanding (M3), at the pledge's frozen rate; secured is what was
signed, each change at the rate of its day, and receipts without an agreement; paid is what the bank credited, else the
rate of the value date; receivable is at the rate of the report's day, and the difference stands on a line of its own (M4).
An amount without a rate stays in its own currency and is named (`left_out`); totals never guess.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.errors import NotFound
from crm.i18n import _
from crm.models.pledges import Agreement, Pledge
from crm.money import Money, add, convert_across, from_minor, zero
from crm.policy import bound_actor, offices_by_id
from crm.queries.figures import ledger as records
from crm.queries.figures import programmable
from crm.queries.figures.adding import DEFAULT_CURRENCY, Adder, Figure, Reference
from crm.queries.figures.ledger import AgreementRow, Due, Ledger, PledgeRow, ReceiptRow, Scope, Term
from crm.queries.figures.programmable import Programmable
from crm.queries.rates import Rate, RateBook, fixed

#: Ageing of what is late, by days since it was due (M7): the last day of each bucket, None = all beyond.
BUCKETS: tuple[tuple[str, int | None], ...] = (("0-30", 30), ("31-90", 90), ("91-180", 180), ("181-365", 365), (">365", None))


# --- what is late and what comes next ---------------------------------------------------------------------------


@dataclass(frozen=True)
class OpenInstalment:
    """An instalment of the plan of the day: what was planned, what is still to come, and since when it is late."""

    id: uuid.UUID
    source: Reference
    due_on: date | None
    due_when: str
    amount: Money
    open_amount: Money
    days_late: int

    @property
    def is_late(self) -> bool:
        """Due before the report's day and not paid in full."""
        return self.days_late > 0


@dataclass(frozen=True)
class Ageing:
    """What is late, in all and by days since it was due (M7)."""

    total: Figure
    buckets: tuple[tuple[str, Figure], ...]
    count: int
    oldest_on: date | None


@dataclass(frozen=True)
class NextDue:
    """The next instalment to come, today included."""

    due_on: date
    amount: Money
    source: Reference


@dataclass(frozen=True)
class MoneyFigures:
    """Our money of a donor, an office or a pledge, as of a day. Never add these up: they are stages (M2)."""

    as_of: date
    currency: str
    pledged: Figure
    announced: Figure
    converted: Figure
    lapsed: Figure
    secured: Figure
    paid: Figure
    receivable: Figure
    credit: Figure
    realised_fx: Figure
    unrealised_fx: Figure
    late_pledged: Ageing
    late: Ageing
    next_due: NextDue | None
    instalments: tuple[OpenInstalment, ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        """The sentences of everything a total leaves out, each once."""
        figures = (self.pledged, self.secured, self.paid, self.receivable)
        return tuple(dict.fromkeys(gap.sentence for figure in figures for gap in figure.left_out))


@dataclass(frozen=True)
class PledgeFigures:
    """A pledge as of a day: what was announced, what became of it, what is outstanding (M3); `chain`: its agreements too."""

    as_of: date
    announced: Figure
    uplifts: Figure
    reductions: Figure
    converted: Figure
    lapsed: Figure
    outstanding: Figure
    rate: Rate | None
    instalments: tuple[OpenInstalment, ...]
    late: Ageing
    next_due: NextDue | None
    chain: MoneyFigures


@dataclass(frozen=True)
class AgreementFigures:
    """An agreement as of a day (M2, M4). `secured` is its amended value; `signature_rate` and `report_rate` are None
    where none was published (the sentence stands in `secured.left_out`, `receivable.left_out`)."""

    as_of: date
    secured: Figure
    paid: Figure
    receivable: Figure
    credit: Figure
    realised_fx: Figure
    unrealised_fx: Figure
    signature_rate: Rate | None
    report_rate: Rate | None
    instalments: tuple[OpenInstalment, ...]
    late: Ageing
    next_due: NextDue | None
    programmable: Programmable


# --- one record ------------------------------------------------------------------------------------------------


def balance(terms: Iterable[Term]) -> int:
    """The sum of changes: what is outstanding of a pledge, or an agreement's value (M3)."""
    return sum(term.change for term in terms)


def by_kind(terms: Iterable[Term]) -> dict[str, int]:
    """The changes by kind; a reversal counts against the kind it reverses (M19)."""
    listed = list(terms)
    kinds = {term.id: term.kind for term in listed}
    together: dict[str, int] = {}
    for term in listed:
        kind = kinds.get(term.reversal_of_id, term.kind) if term.reversal_of_id else term.kind
        together[kind] = together.get(kind, 0) + term.change
    return together


def plan_of(terms: list[Term]) -> list[Due]:
    """The plan of the day: the newest version's by then. Where a change was dated back it is cut from its end to what
    stood that day, or completed by a part without a day, so that a plan always adds up to what was outstanding."""
    if not terms:
        return []
    rest, plan = max(0, balance(terms)), []
    whole = terms[-1].plan
    if rest and rest == sum(due.amount for due in whole):  # nearly always: nothing was dated back
        return [due for due in whole if due.amount]
    for due in whole:
        part = min(rest, due.amount)
        if part:
            plan.append(Due(due.id, due.due_on, due.due_when, part, due.position, due.paid))
            rest -= part
    if rest:
        plan.append(Due(terms[-1].id, None, _("planned otherwise since"), rest, len(plan) + 1))
    return plan


def open_parts(agreement: AgreementRow) -> list[tuple[Due, int]]:
    """The plan of the day with what was still to come of each instalment.

    The records of matches answer where they cover what had come by then; for a plan that was replaced since, what had
    come is laid on it oldest due first, as it was then.
    """
    plan = plan_of(agreement.terms)
    received = sum([receipt.amount for receipt in agreement.receipts])
    left = [(due, due.amount - due.paid) for due in plan]
    expected = min(received, sum([due.amount for due in plan]))
    fits = all(0 <= rest <= due.amount for due, rest in left)
    if fits and sum([due.paid for due in plan]) == expected:
        return left
    paid: dict[uuid.UUID, int] = {}
    for due in sorted(plan, key=lambda due: (due.due_on or date.max, due.position)):
        part = min(expected, due.amount)
        paid[due.id] = part
        expected -= part
    return [(due, due.amount - paid[due.id]) for due in plan]


def pledge_rate(pledge: PledgeRow, book: RateBook, reporting: str) -> Rate | None:
    """The rate a pledge is seen at for ever: the event's fixed one, else that of the day it was made (M4)."""
    if pledge.rate_policy == "fixed" and pledge.fixed_rate is not None and reporting == book.to:
        return fixed(pledge.currency, book.to, pledge.fixed_rate, pledge.pledged_on)
    return book.find(pledge.currency, pledge.pledged_on)


def signed_reporting(agreement: AgreementRow, book: RateBook) -> tuple[Decimal | None, list[Rate], str]:
    """An agreement's value in the reporting currency, each change at the rate of its day (M4); or why there is none."""
    together, rates = Decimal(0), []
    for term in agreement.terms:
        if not term.change:
            continue
        rate = book.find(agreement.currency, term.on)
        if rate is None:
            return None, [], book.why_missing(agreement.currency, term.on)
        together = add(together, rate.times(from_minor(term.change, agreement.currency).amount))
        rates.append(rate)
    return together, rates, ""


def receipt_reporting(receipt: ReceiptRow, book: RateBook, reporting: str) -> tuple[Decimal | None, Rate | None, str]:
    """A receipt in the reporting currency: what the bank credited where known, else at its value date (M4). One that was taken
    back needs no rate: with its reversal it comes to nothing at any."""
    if receipt.currency == book.to:
        return from_minor(receipt.amount, receipt.currency).amount, None, ""
    if receipt.bank is not None and reporting == book.to:
        return from_minor(receipt.bank, book.to).amount, None, ""
    rate = book.find(receipt.currency, receipt.value_on)
    if rate is None and receipt.is_settled:
        return Decimal(0), None, ""
    if rate is None:
        return None, None, book.why_missing(receipt.currency, receipt.value_on)
    return rate.times(from_minor(receipt.amount, receipt.currency).amount), rate, ""


# --- adding up -------------------------------------------------------------------------------------------------


class _Ages:
    """Late instalments on their way into buckets."""

    def __init__(self, currency: str) -> None:
        self.total = Adder(currency)
        self.buckets = {name: Adder(currency) for name, _last in BUCKETS}
        self.count = 0
        self.oldest: date | None = None

    def add(self, instalment: OpenInstalment, rate: Rate | None, why: str) -> None:
        if not instalment.is_late or not instalment.open_amount:
            return
        name = next(name for name, last in BUCKETS if last is None or instalment.days_late <= last)
        value = None if rate is None else rate.times(instalment.open_amount.amount)
        for adder in (self.total, self.buckets[name]):
            adder.add(instalment.open_amount, instalment.source, value, rate, why)
        self.count += 1
        if instalment.due_on and (self.oldest is None or instalment.due_on < self.oldest):
            self.oldest = instalment.due_on

    def ageing(self) -> Ageing:
        return Ageing(self.total.figure(), tuple((name, adder.figure()) for name, adder in self.buckets.items()), self.count, self.oldest)


_STAGES = (
    "pledged",
    "announced",
    "uplifts",
    "reductions",
    "converted",
    "lapsed",
    "secured",
    "paid",
    "receivable",
    "credit",
    "realised_fx",
    "unrealised_fx",
)


class _Books:
    """Adds a ledger up."""

    def __init__(self, ledger: Ledger, book: RateBook) -> None:
        self.ledger, self.book, self.as_of = ledger, book, ledger.as_of
        self.sums = {name: Adder(book.to) for name in _STAGES}
        self.late_pledged, self.late = _Ages(book.to), _Ages(book.to)
        self.instalments: list[OpenInstalment] = []
        for pledge in ledger.pledges:
            self._add_pledge(pledge)
        for agreement in ledger.agreements:
            self._add_agreement(agreement)
        for receipt in ledger.loose:
            self._add_receipt(receipt, is_secured=True)

    def _add_pledge(self, pledge: PledgeRow) -> None:
        source = Reference(pledge.id, pledge.reference, "pledge", pledge.pledged_on)
        rate = pledge_rate(pledge, self.book, self.ledger.reporting[pledge.office_id])
        why = "" if rate else self.book.why_missing(pledge.currency, pledge.pledged_on)
        kinds = by_kind(pledge.terms)
        amounts = {
            "pledged": balance(pledge.terms),
            "announced": kinds.get("announced", 0),
            "uplifts": kinds.get("uplift", 0),
            "reductions": -kinds.get("reduction", 0),
            "converted": -kinds.get("conversion", 0),
            "lapsed": -kinds.get("lapse", 0) - kinds.get("withdrawal", 0),
        }
        for name, minor in amounts.items():
            if minor:
                own = from_minor(minor, pledge.currency)
                self.sums[name].add(own, source, None if rate is None else rate.times(own.amount), rate, why)
        for due in plan_of(pledge.terms):
            instalment = self._instalment(due, due.amount, pledge.currency, source)
            self.instalments.append(instalment)
            self.late_pledged.add(instalment, rate, why)

    def _add_agreement(self, agreement: AgreementRow) -> None:
        source = Reference(agreement.id, agreement.reference, "agreement", agreement.signed_on)
        value = balance(agreement.terms)
        received = sum(receipt.amount for receipt in agreement.receipts)
        own = from_minor(value, agreement.currency)
        secured, rates, why = signed_reporting(agreement, self.book)
        self.sums["secured"].add(own, source, secured, rates[0] if rates else None, why)
        for rate in rates[1:]:
            self.sums["secured"].add_reporting(zero(own.currency), source, Decimal(0), rate)
        paid = Decimal(0)
        is_paid_known = True
        for receipt in agreement.receipts:
            part = self._add_receipt(receipt, is_secured=False)
            is_paid_known = is_paid_known and part is not None
            paid = add(paid, part or Decimal(0))
        report_rate = self.book.find(agreement.currency, self.as_of)
        report_why = "" if report_rate else self.book.why_missing(agreement.currency, self.as_of)
        open_minor = max(0, value - received)
        open_money = from_minor(open_minor, agreement.currency)
        if open_minor:
            self.sums["receivable"].add(
                open_money, source, report_rate.times(open_money.amount) if report_rate else None, report_rate, report_why
            )
        if received > value:
            self._add_credit(agreement, from_minor(received - value, agreement.currency), source, paid if is_paid_known else None, received)
        self._add_fx(agreement, source, value, received, secured, paid if is_paid_known else None, why)
        for due, left in open_parts(agreement):
            instalment = self._instalment(due, left, agreement.currency, source)
            self.instalments.append(instalment)
            self.late.add(instalment, report_rate, report_why)

    def _add_credit(self, agreement: AgreementRow, credit: Money, source: Reference, paid: Decimal | None, received: int) -> None:
        """Money above what was signed: its part of what was paid; visible, never part of the agreement (domain 0.3)."""
        value = (
            None
            if paid is None
            else convert_across(credit.amount, from_minor(received, agreement.currency).amount, paid)
            if paid > 0
            else paid
        )
        self.sums["credit"].add(credit, source, value, None, _("not every receipt has a rate"))

    def _add_fx(
        self, agreement: AgreementRow, source: Reference, value: int, received: int, secured: Decimal | None, paid: Decimal | None, why: str
    ) -> None:
        """Realised: paid less the same amount at the signature rate; unrealised: receivable at both rates (M4).

        The signature rate of an amended agreement is its secured amount over its value, so that both sides tie.
        """
        if agreement.currency == self.book.to or value <= 0:
            return
        got, left = from_minor(received, agreement.currency), from_minor(max(0, value - received), agreement.currency)
        whole = from_minor(value, agreement.currency).amount

        def at_signature(part: Money) -> Decimal | None:
            return None if not secured or secured <= 0 else convert_across(part.amount, whole, secured) if part else Decimal(0)

        if received:
            carried = at_signature(got)
            difference = None if carried is None or paid is None else paid - carried
            self.sums["realised_fx"].add_reporting(got, source, difference, None, why or _("not every receipt has a rate"))
        if left:
            rate, carried = self.book.find(agreement.currency, self.as_of), at_signature(left)
            difference = None if carried is None or rate is None else rate.times(left.amount) - carried
            missing = why or (self.book.why_missing(agreement.currency, self.as_of) if rate is None else "")
            self.sums["unrealised_fx"].add_reporting(left, source, difference, rate, missing)

    def _add_receipt(self, receipt: ReceiptRow, *, is_secured: bool) -> Decimal | None:
        source = Reference(receipt.id, receipt.reference, "receipt", receipt.value_on)
        own = from_minor(receipt.amount, receipt.currency)
        value, rate, why = receipt_reporting(receipt, self.book, self.ledger.reporting[receipt.office_id])
        self.sums["paid"].add(own, source, value, rate, why)
        if is_secured:
            self.sums["secured"].add(own, source, value, rate, why)
        return value

    def _instalment(self, due: Due, left: int, currency: str, source: Reference) -> OpenInstalment:
        days = (self.as_of - due.due_on).days if due.due_on and left else 0
        return OpenInstalment(
            due.id, source, due.due_on, due.due_when, from_minor(due.amount, currency), from_minor(left, currency), max(0, days)
        )

    def next_due(self) -> NextDue | None:
        coming = [row for row in self.instalments if row.due_on and row.due_on >= self.as_of and row.open_amount]
        first = min(coming, key=lambda row: (row.due_on or date.max, row.source.reference), default=None)
        return NextDue(first.due_on, first.open_amount, first.source) if first and first.due_on else None

    def figures(self) -> MoneyFigures:
        done = {name: adder.figure() for name, adder in self.sums.items()}
        return MoneyFigures(
            as_of=self.as_of,
            currency=self.book.to,
            pledged=done["pledged"],
            announced=done["announced"],
            converted=done["converted"],
            lapsed=done["lapsed"],
            secured=done["secured"],
            paid=done["paid"],
            receivable=done["receivable"],
            credit=done["credit"],
            realised_fx=done["realised_fx"],
            unrealised_fx=done["unrealised_fx"],
            late_pledged=self.late_pledged.ageing(),
            late=self.late.ageing(),
            next_due=self.next_due(),
            instalments=tuple(self.instalments),
        )


def _books(ledger: Ledger, currency: str) -> _Books:
    return _Books(ledger, RateBook(currency, ledger.needed()))


def today() -> date:
    """The reader's day."""
    actor = bound_actor()
    return clock.today(actor.timezone) if actor else clock.today()


def _today_of(model: type[Pledge | Agreement], key: uuid.UUID) -> date:
    """The day in the office of a record: a reader west of it is still on the day before, on which it may not have been;
    raises `NotFound`."""
    office_id = db.session.scalar(select(model.office_id).where(model.id == key))
    if office_id is None:
        raise NotFound(_("There is no such record here."))
    return clock.today(offices_by_id()[office_id].timezone)


def reader_currency(currency: str | None) -> str:
    """The currency asked for, else the reader's reporting currency."""
    actor = bound_actor()
    return currency or (actor.reporting_currency if actor else DEFAULT_CURRENCY)


# --- the figures -----------------------------------------------------------------------------------------------


def pledge_figures(pledge_id: uuid.UUID, as_of: date | None = None) -> PledgeFigures:
    """A pledge as of a day (default its office's today), in its own and its office's reporting currency; raises `NotFound`."""
    day = as_of or _today_of(Pledge, pledge_id)
    ledger = records.load(Scope(pledge_id=pledge_id), day)
    if not ledger.pledges:
        raise NotFound(_("There is no such record here."))
    pledge = ledger.pledges[0]
    currency = ledger.reporting[pledge.office_id]
    book = RateBook(currency, ledger.needed())
    alone = _Books(Ledger(day, ledger.reporting, pledges=[pledge]), book)
    done = {name: adder.figure() for name, adder in alone.sums.items()}
    return PledgeFigures(
        as_of=day,
        announced=done["announced"],
        uplifts=done["uplifts"],
        reductions=done["reductions"],
        converted=done["converted"],
        lapsed=done["lapsed"],
        outstanding=done["pledged"],
        rate=pledge_rate(pledge, book, currency),
        instalments=tuple(alone.instalments),
        late=alone.late_pledged.ageing(),
        next_due=alone.next_due(),
        chain=_Books(ledger, book).figures(),
    )


def agreement_figures(agreement_id: uuid.UUID, as_of: date | None = None) -> AgreementFigures:
    """An agreement as of a day (default its office's today), in its own and its office's reporting currency; raises `NotFound`."""
    day = as_of or _today_of(Agreement, agreement_id)
    ledger = records.load(Scope(agreement_id=agreement_id), day, with_allocations=True)
    if not ledger.agreements:
        raise NotFound(_("There is no such record here."))
    agreement = ledger.agreements[0]
    books = _books(ledger, ledger.reporting[agreement.office_id])
    done = {name: adder.figure() for name, adder in books.sums.items()}
    return AgreementFigures(
        as_of=day,
        secured=done["secured"],
        paid=done["paid"],
        receivable=done["receivable"],
        credit=done["credit"],
        realised_fx=done["realised_fx"],
        unrealised_fx=done["unrealised_fx"],
        signature_rate=books.book.find(agreement.currency, agreement.signed_on),
        report_rate=books.book.find(agreement.currency, day),
        instalments=tuple(books.instalments),
        late=books.late.ageing(),
        next_due=books.next_due(),
        programmable=programmable.of_loaded(ledger, agreement, books.book),
    )


def party_money(party_id: uuid.UUID, as_of: date | None = None, *, currency: str | None = None) -> MoneyFigures:
    """A donor's money with the offices in scope, as of a day (default today), in the reader's reporting currency."""
    return _books(records.load(Scope(party_id=party_id), as_of or today()), reader_currency(currency)).figures()


def office_money(
    office_ids: Collection[uuid.UUID] | None = None, as_of: date | None = None, *, currency: str | None = None
) -> MoneyFigures:
    """The money of offices (None: all in scope), each record counted once (M16), as of a day (default today)."""
    scope = Scope(office_ids=None if office_ids is None else frozenset(office_ids))
    return _books(records.load(scope, as_of or today()), reader_currency(currency)).figures()


@dataclass(frozen=True)
class Month:
    """What came in a month; `first_on` is its first day."""

    first_on: date
    paid: Figure


def receipts_by_month(
    *,
    party_id: uuid.UUID | None = None,
    office_ids: Collection[uuid.UUID] | None = None,
    as_of: date | None = None,
    months: int = 24,
    currency: str | None = None,
) -> tuple[Month, ...]:
    """What came in each of the last months, oldest first, empty ones too; a reversal counts in the month it corrects."""
    day = as_of or today()
    first = clock.add_months(day.replace(day=1), 1 - months)
    scope = Scope(party_id=party_id) if party_id else Scope(office_ids=None if office_ids is None else frozenset(office_ids))
    rows = records.receipts_of(scope, day, since=first)
    book = RateBook(reader_currency(currency), {(row.currency, row.value_on) for row in rows})
    reporting = records.reporting_currencies()
    sums = {clock.add_months(first, step): Adder(book.to) for step in range(months)}
    for row in rows:
        value, rate, why = receipt_reporting(row, book, reporting[row.office_id])
        source = Reference(row.id, row.reference, "receipt", row.value_on)
        sums[row.value_on.replace(day=1)].add(from_minor(row.amount, row.currency), source, value, rate, why)
    return tuple(Month(month, adder.figure()) for month, adder in sums.items())


@dataclass(frozen=True)
class Step:
    """A bar of the funnel: stages side by side, never added up (M2). `key` is pledged, secured, paid, receivable or late."""

    key: str
    label: str
    figure: Figure


def funnel(money: MoneyFigures) -> tuple[Step, ...]:
    """The stages of some money, in order, for a chart."""
    return (
        Step("pledged", _("Pledged, outstanding"), money.pledged),
        Step("secured", _("Secured (signed)"), money.secured),
        Step("paid", _("Paid"), money.paid),
        Step("receivable", _("Still to be paid"), money.receivable),
        Step("late", _("Of that late"), money.late.total),
    )

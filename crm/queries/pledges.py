"""Reading pledges, agreements and receipts: lists, one record with all that hangs on it, what falls due, what happened.

Sums are not made here: `crm.queries.figures` does. What a list shows in an own currency is kept on the record.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, exists, false, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, aliased, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from crm.db import db
from crm.errors import NotFound
from crm.i18n import _
from crm.models.commitments import Commitment
from crm.models.parties import Party, PartyName
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
from crm.models.programmes import Programme
from crm.money import Money, from_minor, split, to_minor
from crm.queries.due import said_when
from crm.queries.names import fold
from crm.queries.offices import Days, as_days
from crm.queries.paging import Order, Page, Paging, fetch_all, fetch_page

RecordT = TypeVar("RecordT")
STATUSES = ("outstanding", "part-converted", "converted", "part-lapsed", "lapsed", "taken-back")
SORTS = ("newest", "oldest", "due", "reference")


# --- lists -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PledgeFilter:
    """What a list of pledges is narrowed to; anything empty does not narrow.

    `status`: outstanding, part-converted, converted, part-lapsed (signed, and the rest lapsed or was withdrawn), lapsed (also
    withdrawn or cut to nothing), taken-back (recorded by mistake), or late. `taken_back`: "hidden" or "only" those.
    """

    q: str = ""
    status: str = ""
    taken_back: str = ""
    donor_id: uuid.UUID | None = None
    programme_id: uuid.UUID | None = None
    office_id: uuid.UUID | None = None
    currency: str = ""
    since: date | None = None
    until: date | None = None


def _status_where(status: str, today: date | Days) -> SQLColumnExpression[bool] | None:
    open_amount, signed = Pledge.outstanding_minor, Pledge.converted_minor
    match status:
        case "outstanding":
            return and_(open_amount > 0, signed == 0)
        case "part-converted":
            return and_(open_amount > 0, signed > 0)
        case "converted":
            return and_(open_amount == 0, signed > 0, ~Pledge.id.in_(_lapsed()))
        case "part-lapsed":
            return and_(open_amount == 0, signed > 0, Pledge.id.in_(_lapsed()))
        case "lapsed":
            return and_(open_amount == 0, signed == 0, Pledge.announced_minor > 0)
        case "taken-back":
            return Pledge.is_taken_back
        case "late":
            return and_(open_amount > 0, as_days(today).past(Pledge.next_due_on, Pledge.office_id))
    return None


_LAPSES = ("lapse", "withdrawal")


def _lapsed() -> Select[uuid.UUID]:
    """The pledges of which a part lapsed or was withdrawn, and that was not taken back."""
    back = aliased(PledgeTerms)
    is_taken_back = exists().where(back.reversal_of_id == PledgeTerms.id)
    return select(PledgeTerms.pledge_id).where(PledgeTerms.kind.in_(_LAPSES), ~is_taken_back)


def lapsed_among(pledge_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of some pledges of which a part lapsed or was withdrawn. One statement."""
    return set(db.session.scalars(_lapsed().where(PledgeTerms.pledge_id.in_(pledge_ids)))) if pledge_ids else set()


def titled_like(q: str) -> Select[uuid.UUID]:
    """The programmes whose title holds the words."""
    return select(Programme.id).where(Programme.title.icontains(q.strip()[:100], autoescape=True))


def named_like(q: str, *columns: Any) -> ColumnElement[bool]:
    """A record whose donor (the first column) or any of the other columns holds the words."""
    pattern = fold(q)
    donors = select(Party.id).where(Party.folded_name.contains(pattern, autoescape=True))
    other_names = select(PartyName.party_id).where(PartyName.folded_name.contains(pattern, autoescape=True))
    typed = q.strip()[:100]
    return or_(columns[0].in_(donors), columns[0].in_(other_names), *(column.icontains(typed, autoescape=True) for column in columns[1:]))


def money_order(sort: str, newest: Any, due: Any, reference: Any, key: Any) -> Order:
    """The order of a list of money: newest (by default) or oldest first, by what is due next, or by reference."""
    if sort == "reference":
        return Order(reference, key)
    if sort == "due":
        return Order(due, key)
    return Order(newest, key, is_descending=sort != "oldest")


def matching(filters: PledgeFilter, today: date | Days) -> list[SQLColumnExpression[bool]]:
    """What a filter means: the list and its totals ask the same."""
    conditions: list[SQLColumnExpression[bool] | None] = [
        or_(
            named_like(filters.q, Pledge.donor_id, Pledge.reference, Pledge.event_name, Pledge.donor_reference),
            Pledge.programme_id.in_(titled_like(filters.q)),
        )
        if filters.q.strip()
        else None,
        _status_where(filters.status, today),
        {"hidden": ~Pledge.is_taken_back, "only": Pledge.is_taken_back}.get(filters.taken_back),
        Pledge.donor_id == filters.donor_id if filters.donor_id else None,
        Pledge.programme_id == filters.programme_id if filters.programme_id else None,
        Pledge.office_id == filters.office_id if filters.office_id else None,
        Pledge.currency == filters.currency if filters.currency else None,
        Pledge.pledged_on >= filters.since if filters.since else None,
        Pledge.pledged_on <= filters.until if filters.until else None,
    ]
    return [condition for condition in conditions if condition is not None]


_LISTED: tuple[Any, ...] = (
    Pledge.id,
    Pledge.office_id,
    Pledge.reference,
    Pledge.donor_id,
    Pledge.programme_id,
    Pledge.pledged_on,
    Pledge.event_name,
    Pledge.donor_reference,
    Pledge.currency,
    Pledge.announced_minor,
    Pledge.outstanding_minor,
    Pledge.converted_minor,
    Pledge.next_due_on,
)


def _listed(filters: PledgeFilter, today: date | Days, sort: str) -> tuple[Select[Any], Order]:
    statement = select(*_LISTED).where(*matching(filters, today))
    if sort == "due":
        statement = statement.where(Pledge.next_due_on.is_not(None))
    return statement, money_order(sort, Pledge.pledged_on, Pledge.next_due_on, Pledge.reference, Pledge.id)


def list_pledges(filters: PledgeFilter, paging: Paging, *, today: date | Days, sort: str = "newest") -> Page[Any]:
    """A page of pledges as rows of columns. Sorted by due day, those with nothing due stand aside."""
    return fetch_page(*_listed(filters, today, sort), paging)


def every_pledge(filters: PledgeFilter, *, today: date | Days, sort: str = "newest") -> Iterator[Sequence[Any]]:
    """All pledges of a list in its order, the same rows as on its pages, a chunk at a time: for files."""
    return fetch_all(*_listed(filters, today, sort))


# --- one record ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PledgeDetail:
    """A pledge with everything that hangs on it. The instalments of its last terms are the plan of today.

    `reversed_ids`: keys of terms, receipts and allocations that a later row reversed.
    """

    pledge: Pledge
    agreements: tuple[Agreement, ...]
    receipts: tuple[Receipt, ...]
    allocations: tuple[Allocation, ...]
    reversed_ids: frozenset[uuid.UUID] = field(default_factory=frozenset)

    @property
    def plan(self) -> list[Instalment]:
        """The instalments of today's terms. One statement."""
        return list(self.pledge.terms[-1].instalments) if self.pledge.terms else []

    @property
    def is_lapsed(self) -> bool:
        """Whether a part lapsed or was withdrawn, and that was not taken back: as `lapsed_among` asks."""
        return any(row.kind in _LAPSES and row.id not in self.reversed_ids for row in self.pledge.terms)


@dataclass(frozen=True)
class AgreementDetail:
    """An agreement with its terms, receipts, matches, budget lines and allocations."""

    agreement: Agreement
    allocations: tuple[Allocation, ...]
    reversed_ids: frozenset[uuid.UUID] = field(default_factory=frozenset)

    @property
    def plan(self) -> list[Instalment]:
        """The instalments of today's terms. One statement."""
        return list(self.agreement.terms[-1].instalments) if self.agreement.terms else []


def _allocations(condition: ColumnElement[bool]) -> tuple[Allocation, ...]:
    statement = (
        select(Allocation)
        .where(condition)
        .options(joinedload(Allocation.programme), joinedload(Allocation.output))
        .order_by(Allocation.allocated_on, Allocation.id)
    )
    return tuple(db.session.scalars(statement))


def earmarks(agreement: Agreement, value: Money) -> tuple[tuple[AgreementBudgetLine, Money], ...]:
    """The budget lines of an agreement with their parts of its value, split as the lines were signed: together the value (M6)."""
    lines = sorted(agreement.budget_lines, key=lambda line: line.id)
    if not lines:
        return ()
    parts = split(to_minor(value), [line.amount_minor for line in lines])
    return tuple((line, from_minor(part, agreement.currency)) for line, part in zip(lines, parts, strict=True))


def _reversed(*groups: Collection[Any]) -> frozenset[uuid.UUID]:
    return frozenset(row.reversal_of_id for rows in groups for row in rows if row.reversal_of_id)


def pledge_of(pledge_id: uuid.UUID) -> Pledge:
    """One pledge with its donor; raises `NotFound` when absent or out of scope. One statement."""
    return _found(db.session.scalar(select(Pledge).where(Pledge.id == pledge_id).options(joinedload(Pledge.donor))))


def agreement_of(agreement_id: uuid.UUID) -> Agreement:
    """One agreement with its donor; raises `NotFound` when absent or out of scope. One statement."""
    return _found(db.session.scalar(select(Agreement).where(Agreement.id == agreement_id).options(joinedload(Agreement.donor))))


def _found(record: RecordT | None) -> RecordT:
    if record is None:
        raise NotFound(_("There is no such record here."))
    return record


def pledge_detail(pledge_id: uuid.UUID) -> PledgeDetail:
    """One pledge in a constant number of statements; raises `NotFound` when absent or out of scope.

    Its agreements come with terms, receipts and what these pay."""
    promise = joinedload(Pledge.commitment)
    statement = (
        select(Pledge)
        .where(Pledge.id == pledge_id)
        .options(promise.joinedload(Commitment.interaction), promise.joinedload(Commitment.ask))
        .options(joinedload(Pledge.donor), joinedload(Pledge.programme), joinedload(Pledge.terms))
    )
    pledge = _found(db.session.scalars(statement).unique().one_or_none())
    signed = select(Agreement).where(Agreement.pledge_id == pledge.id).order_by(Agreement.signed_on, Agreement.id)
    agreements = tuple(db.session.scalars(signed.options(joinedload(Agreement.terms))).unique())
    is_its = Receipt.pledge_id == pledge.id
    if agreements:  # as two: asked for both at once PostgreSQL walks through every receipt
        under = select(Receipt.id).where(Receipt.agreement_id.in_([row.id for row in agreements]))
        is_its = Receipt.id.in_(union_all(select(Receipt.id).where(is_its), under))
    paid = select(Receipt).where(is_its).options(_matches()).order_by(Receipt.value_on, Receipt.id)
    every_receipt = db.session.scalars(paid).unique().all()
    for agreement in agreements:
        set_committed_value(agreement, "receipts", [row for row in every_receipt if row.agreement_id == agreement.id])
    receipts = tuple(row for row in every_receipt if row.pledge_id == pledge.id)
    sources = ((Allocation.agreement_id, agreements), (Allocation.receipt_id, receipts))
    allocations = _allocations(or_(false(), *(key.in_([row.id for row in rows]) for key, rows in sources if rows)))
    return PledgeDetail(pledge, agreements, receipts, allocations, _reversed(pledge.terms, every_receipt, allocations))


def agreement_detail(agreement_id: uuid.UUID) -> AgreementDetail:
    """One agreement in a constant number of statements; raises `NotFound` when absent or out of scope."""
    statement = (
        select(Agreement)
        .where(Agreement.id == agreement_id)
        .options(
            joinedload(Agreement.donor),
            joinedload(Agreement.pledge),
            joinedload(Agreement.terms),
            selectinload(Agreement.budget_lines).joinedload(AgreementBudgetLine.programme),
            selectinload(Agreement.receipts).options(_matches()),
        )
    )
    agreement = _found(db.session.scalars(statement).unique().one_or_none())
    allocations = _allocations(Allocation.agreement_id == agreement.id)
    return AgreementDetail(agreement, allocations, _reversed(agreement.terms, agreement.receipts, allocations))


def _matches() -> Any:
    """What receipts pay, in the statement that asks for them: hardly one pays more than two instalments. All of it is of one office,
    so that whoever may read the receipt may read what it pays."""
    return joinedload(Receipt.matches).joinedload(ReceiptMatch.instalment)


def receipt_detail(receipt_id: uuid.UUID) -> Receipt:
    """One receipt with donor, agreement and matches; raises `NotFound`. One statement."""
    statement = select(Receipt).where(Receipt.id == receipt_id)
    options = (joinedload(Receipt.donor), joinedload(Receipt.agreement), _matches())
    return _found(db.session.scalars(statement.options(*options)).unique().one_or_none())


def unmatched(receipt: Receipt) -> Money:
    """What a receipt with its matches loaded holds beyond the instalments it pays. Nothing where it converted a pledge in
    another currency: then it pays no instalment and is used up."""
    matched = sum(row.amount_minor for row in receipt.matches)
    if receipt.pledge_id is not None and not matched:
        currency = db.session.scalar(select(Pledge.currency).where(Pledge.id == receipt.pledge_id))
        if currency != receipt.currency:
            return from_minor(0, receipt.currency)
    return from_minor(receipt.amount_minor - matched, receipt.currency)


def allocation_detail(allocation_id: uuid.UUID) -> Allocation:
    """One allocation with programme and output; raises `NotFound`."""
    found = _allocations(Allocation.id == allocation_id)
    if not found:
        raise NotFound(_("There is no such record here."))
    return found[0]


# --- what falls due --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DueInstalment:
    """An instalment that is late or falls due soon. `kind` is pledge or agreement, `record_id` that record's key.

    `days_late` is negative while the day is still to come.
    """

    id: uuid.UUID
    kind: str
    record_id: uuid.UUID
    reference: str
    donor_id: uuid.UUID
    donor: str
    due_on: date
    open_amount: Money
    days_late: int
    office_id: uuid.UUID

    @property
    def is_late(self) -> bool:
        """Due before today."""
        return self.days_late > 0


def due_instalments(
    today: date | Days,
    days: int = 30,
    *,
    office_ids: Collection[uuid.UUID] | None = None,
    donor_id: uuid.UUID | None = None,
    limit: int = 100,
) -> tuple[DueInstalment, ...]:
    """What is late, and what falls due within some days, of pledges and agreements: the longest late first. Two statements."""
    when = as_days(today)
    until = when.here + timedelta(days=days)
    pledged = _due(Pledge, Instalment.pledge_terms_id, until, office_ids, donor_id, limit)
    pledged = pledged.join(PledgeTerms, Instalment.pledge_terms_id == PledgeTerms.id).join(Pledge, PledgeTerms.pledge_id == Pledge.id)
    signed = _due(Agreement, Instalment.agreement_terms_id, until, office_ids, donor_id, limit)
    signed = signed.join(AgreementTerms, Instalment.agreement_terms_id == AgreementTerms.id)
    signed = signed.join(Agreement, AgreementTerms.agreement_id == Agreement.id)
    found = []
    for kind, statement in (("pledge", pledged), ("agreement", signed)):
        of_donor = (Agreement if kind == "agreement" else Pledge).donor_id == Party.id
        for row in db.session.execute(statement.outerjoin(Party, of_donor)):
            left = from_minor(row.amount_minor - row.matched_minor, row.currency)
            found.append(
                DueInstalment(
                    row.id,
                    kind,
                    row.record_id,
                    row.reference,
                    row.donor_id,
                    row.donor or "",
                    row.due_on,
                    left,
                    (when.of(row.office_id) - row.due_on).days,
                    row.office_id,
                )
            )
    return tuple(sorted(found, key=lambda row: (row.due_on, row.reference))[:limit])


def _due(
    entity: type[Pledge | Agreement],
    terms: InstrumentedAttribute[uuid.UUID | None],
    until: date,
    office_ids: Collection[uuid.UUID] | None,
    donor_id: uuid.UUID | None,
    limit: int,
) -> Select[*tuple[Any, ...]]:
    """The first of those that are due; of which office they are is known before what they belong to is looked for."""
    due = [terms.is_not(None), Instalment.is_current, Instalment.due_on <= until, Instalment.matched_minor < Instalment.amount_minor]
    if office_ids is not None:
        due.append(Instalment.office_id.in_(list(office_ids)))
    order = (Instalment.due_on, Instalment.id)
    statement = (
        select(
            Instalment.id,
            Instalment.office_id,
            Instalment.due_on,
            Instalment.amount_minor,
            Instalment.matched_minor,
            Instalment.currency,
            entity.id.label("record_id"),
            entity.reference,
            entity.donor_id,
            Party.name.label("donor"),
        )
        .select_from(Instalment)
        .order_by(*order)
        .limit(limit)
    )
    if donor_id is not None:
        return statement.where(*due, entity.donor_id == donor_id)
    return statement.where(Instalment.id.in_(select(Instalment.id).where(*due).order_by(*order).limit(limit)))


@dataclass(frozen=True)
class OpenInstalment:
    """An instalment of a donor's present plans that is still to come. `kind`: agreement or pledge; `reference`: that record's."""

    id: uuid.UUID
    kind: str
    record_id: uuid.UUID
    reference: str
    due_on: date | None
    due_when: str
    open_amount: Money


def open_instalments(donor_id: uuid.UUID, office_id: uuid.UUID, currency: str, *, limit: int = 100) -> tuple[OpenInstalment, ...]:
    """What is still to come of a donor to an office in a currency, agreements first, the oldest due first. Two statements."""
    found = []
    for kind, entity, terms, parent in (
        ("agreement", Agreement, AgreementTerms, AgreementTerms.agreement_id),
        ("pledge", Pledge, PledgeTerms, PledgeTerms.pledge_id),
    ):
        own = Instalment.agreement_terms_id if kind == "agreement" else Instalment.pledge_terms_id
        rows = db.session.execute(
            select(
                Instalment.id,
                entity.id.label("record_id"),
                entity.reference,
                Instalment.due_on,
                Instalment.due_when,
                Instalment.amount_minor,
                Instalment.matched_minor,
            )
            .select_from(Instalment)
            .join(terms, own == terms.id)
            .join(entity, parent == entity.id)
            .where(
                Instalment.is_current,
                Instalment.matched_minor < Instalment.amount_minor,
                Instalment.currency == currency,
                entity.donor_id == donor_id,
                entity.office_id == office_id,
            )
            .order_by(Instalment.due_on.nulls_last(), entity.reference, Instalment.position)
            .limit(limit)
        )
        for row in rows:
            left = from_minor(row.amount_minor - row.matched_minor, currency)
            found.append(OpenInstalment(row.id, kind, row.record_id, row.reference, row.due_on, said_when(row.due_when), left))
    return tuple(found)


# --- what happened ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MoneyEvent:
    """Something that happened to a pledge. `kind`: a kind of terms (announced, uplift, lapse, signed, amendment …),
    receipt, allocation, or one of them with `is_reversal`. `amount` may be negative; None where only the plan changed."""

    on: date
    kind: str
    reference: str
    record_id: uuid.UUID
    record_kind: str
    amount: Money | None
    reason: str
    is_reversal: bool
    is_reversed: bool


def pledge_timeline(detail: PledgeDetail) -> tuple[MoneyEvent, ...]:
    """Everything that happened to a pledge and its agreements, oldest first. No statement: it is all in the detail."""
    pledge = detail.pledge
    events = [
        _event(row.effective_on, row.kind, pledge.reference, pledge, "pledge", row.change_minor, pledge.currency, row, detail.reversed_ids)
        for row in pledge.terms
    ]
    for agreement in detail.agreements:
        events += agreement_timeline(AgreementDetail(agreement, (), detail.reversed_ids))
    events += _receipt_events(detail.receipts, detail.reversed_ids)
    events += _allocation_events(detail.allocations, detail.reversed_ids)
    return tuple(sorted(events, key=lambda event: event.on))


def agreement_timeline(detail: AgreementDetail) -> tuple[MoneyEvent, ...]:
    """The same for an agreement."""
    agreement = detail.agreement
    events = [
        _event(
            row.effective_on,
            row.kind,
            agreement.reference,
            agreement,
            "agreement",
            row.change_minor,
            agreement.currency,
            row,
            detail.reversed_ids,
        )
        for row in agreement.terms
    ]
    events += _receipt_events(agreement.receipts, detail.reversed_ids)
    events += _allocation_events(detail.allocations, detail.reversed_ids)
    return tuple(sorted(events, key=lambda event: event.on))


def _receipt_events(rows: Collection[Receipt], reversed_ids: frozenset[uuid.UUID]) -> list[MoneyEvent]:
    return [
        _event(row.value_on, "receipt", row.reference, row, "receipt", row.amount_minor, row.currency, row, reversed_ids) for row in rows
    ]


def _allocation_events(rows: Collection[Allocation], reversed_ids: frozenset[uuid.UUID]) -> list[MoneyEvent]:
    return [
        _event(row.allocated_on, "allocation", row.reference, row, "allocation", row.amount_minor, row.currency, row, reversed_ids)
        for row in rows
    ]


def _event(
    on: date,
    kind: str,
    reference: str,
    record: Any,
    record_kind: str,
    minor: int,
    currency: str,
    row: Any,
    reversed_ids: frozenset[uuid.UUID],
) -> MoneyEvent:
    amount = from_minor(minor, currency) if minor else None
    return MoneyEvent(
        on, kind, reference, record.id, record_kind, amount, row.reason, row.reversal_of_id is not None, row.id in reversed_ids
    )

"""Allocations: programmable money given to programmes and outputs, never more than there is. M6, M11, M12, M19."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from crm.db import db, transactional
from crm.errors import Invalid, NotFound
from crm.formatting import day
from crm.i18n import _, get_locale
from crm.models.pledges import Agreement, AgreementBudgetLine, Allocation, Receipt
from crm.models.programmes import Programme
from crm.money import Money, split
from crm.policy import Actor, Permission, require
from crm.queries.figures import programmable
from crm.queries.figures.programmable import Programmable
from crm.services import money_rules as rules
from crm.services.references import next_reference

MOST_SHARES = 60


@dataclass(frozen=True)
class MoneySource:
    """Where money is taken from: exactly one of an agreement, or a receipt that has none."""

    agreement_id: uuid.UUID | None = None
    receipt_id: uuid.UUID | None = None


@dataclass(frozen=True)
class NewAllocation:
    """An amount for a programme (and output), in the source's allocation currency (`programmable.of_agreement(…).currency`).

    `is_planned`: set aside from signed money that has not arrived.
    """

    source: MoneySource
    programme_id: uuid.UUID
    amount: Money
    allocated_on: date
    output_id: uuid.UUID | None = None
    is_planned: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Share:
    """A programme's (and output's) share of a split; shares are weights, so 60/25/15 and 0.6/0.25/0.15 mean the same."""

    programme_id: uuid.UUID
    share: Decimal
    output_id: uuid.UUID | None = None


@transactional
def allocate(actor: Actor, new: NewAllocation) -> uuid.UUID:
    """Give money to a programme: all allocations together at most what can be programmed of what was received; planned
    ones at most what can be programmed of what was signed (M12). Raises `Invalid` by field."""
    require(actor, Permission.MONEY_WRITE)
    source = _locked_source(actor, new.source)
    left = _programmable(source)
    minor = rules.minor_of(new.amount, currency=left.currency)
    _refuse_too_much(left, minor, is_planned=new.is_planned)
    made = _add(source, left, new.programme_id, new.output_id, minor, new.allocated_on, is_planned=new.is_planned, reason=new.reason)
    _refuse_too_early(source, new.allocated_on, minor, is_planned=new.is_planned)
    return made


@transactional
def split_by_shares(
    actor: Actor,
    source: MoneySource,
    shares: Sequence[Share],
    on: date,
    *,
    amount: Money | None = None,
    is_planned: bool = False,
    reason: str = "",
) -> tuple[uuid.UUID, ...]:
    """Split an amount (by default all that is not yet allocated) by shares so that the parts equal the whole (M6).

    Returns the allocations' ids in the order of the shares; a share that comes to nothing makes none.
    """
    require(actor, Permission.MONEY_WRITE)
    if not shares or len(shares) > MOST_SHARES:
        raise Invalid(_("Give between 1 and %(n)s shares.", n=MOST_SHARES), field="shares")
    for place, share in enumerate(shares):
        if not share.share.is_finite() or share.share <= 0:
            raise Invalid(_("A share must be greater than 0."), field=f"shares-{place}-share")
    held = _locked_source(actor, source)
    left = _programmable(held)
    rest = _rest(left, is_planned=is_planned)
    minor = rules.minor_of(amount, currency=left.currency) if amount is not None else rest
    if minor <= 0:
        raise Invalid(_("Nothing is left to allocate."), field="amount")
    _refuse_too_much(left, minor, is_planned=is_planned)
    parts = split(minor, [share.share for share in shares])
    made = tuple(
        _add(held, left, share.programme_id, share.output_id, part, on, is_planned=is_planned, reason=reason, place=place)
        for place, (share, part) in enumerate(zip(shares, parts, strict=True))
        if part
    )
    _refuse_too_early(held, on, minor, is_planned=is_planned)
    return made


@transactional
def reverse_allocation(actor: Actor, allocation_id: uuid.UUID, reason: str) -> uuid.UUID:
    """Take an allocation back by a row with the opposite sign (M12, M19); allocating anew is a new record. Returns its id."""
    require(actor, Permission.MONEY_WRITE)
    wrong = db.session.scalar(select(Allocation).where(Allocation.id == allocation_id))
    if wrong is None:
        raise NotFound(_("There is no such record here."))
    _locked_source(actor, MoneySource(wrong.agreement_id, wrong.receipt_id))
    said = rules.text_of(reason, "reason", is_needed=True)
    if wrong.reversal_of_id is not None:
        raise Invalid(_("A reversal cannot be reversed. Record the allocation again."))
    if db.session.scalar(select(Allocation.id).where(Allocation.reversal_of_id == wrong.id)) is not None:
        raise Invalid(_("This allocation has been reversed already."))
    reversal = Allocation(
        office_id=wrong.office_id,
        reference=next_reference(wrong.office_id, "allocation"),
        agreement_id=wrong.agreement_id,
        receipt_id=wrong.receipt_id,
        programme_id=wrong.programme_id,
        output_id=wrong.output_id,
        allocated_on=wrong.allocated_on,
        amount_minor=-wrong.amount_minor,
        currency=wrong.currency,
        is_planned=wrong.is_planned,
        reason=said,
        reversal_of_id=wrong.id,
    )
    db.session.add(reversal)
    db.session.flush()
    return reversal.id


def _locked_source(actor: Actor, source: MoneySource) -> Agreement | Receipt:
    """The agreement or receipt, held until the end, so that two allocations at once never overshoot."""
    if (source.agreement_id is None) == (source.receipt_id is None):
        raise Invalid(_("Choose where the money comes from."), field="source")
    found: Agreement | Receipt | None
    if source.agreement_id is not None:
        found = db.session.scalar(select(Agreement).where(Agreement.id == source.agreement_id))
    else:
        found = db.session.scalar(select(Receipt).where(Receipt.id == source.receipt_id))
    if found is None:
        raise Invalid(_("Choose an agreement or receipt that is on record."), field="source")
    require(actor, Permission.MONEY_WRITE, found.office_id)
    if isinstance(found, Agreement):
        return rules.locked(Agreement, found.id)
    if found.agreement_id is not None:
        raise Invalid(_("This receipt belongs to an agreement. Allocate from the agreement."), field="source")
    if found.reversal_of_id is not None:
        raise Invalid(_("A reversal holds no money."), field="source")
    return rules.locked(Receipt, found.id)


def _programmable(source: Agreement | Receipt) -> Programmable:
    return programmable.of_agreement(source.id) if isinstance(source, Agreement) else programmable.of_receipt(source.id)


def _rest(left: Programmable, *, is_planned: bool) -> int:
    """What may still be allocated; planned and actual ones together never exceed what was signed."""
    of_signed = left.plannable_minor - left.allocated_minor - left.planned_minor
    return of_signed if is_planned else min(of_signed, left.available_minor - left.allocated_minor)


def _refuse_too_much(left: Programmable, minor: int, *, is_planned: bool) -> None:
    rest = _rest(left, is_planned=is_planned)
    if minor <= rest:
        return
    if is_planned:
        sentence = _("Of what was signed only %(left)s is not yet allocated or planned.", left=rules.shown(max(0, rest), left.currency))
    else:
        sentence = _(
            "Of what was received %(available)s can be programmed and only %(left)s is neither allocated nor planned.",
            available=rules.shown(left.available_minor, left.currency),
            left=rules.shown(max(0, rest), left.currency),
        )
    raise Invalid(" ".join([sentence, *left.left_out]), field="amount")


def _refuse_too_early(source: Agreement | Receipt, on: date, minor: int, *, is_planned: bool) -> None:
    """Refuse what is dated before its money came (a planned one: before it was signed): M12 holds on every day."""
    if isinstance(source, Receipt):
        return  # all of it came at once, and nothing is allocated before
    for then, left in programmable.by_day(agreement_id=source.id, since=on):
        if not left.is_overdrawn:
            continue
        of_signed = left.plannable_minor - left.allocated_minor - left.planned_minor
        rest = max(0, (of_signed if is_planned else min(of_signed, left.available_minor - left.allocated_minor)) + minor)
        known = {"day": day(then, get_locale()), "left": rules.shown(rest, left.currency)}
        if is_planned:
            sentence = _("On %(day)s only %(left)s was signed and neither allocated nor planned. Choose a later day.", **known)
        else:
            sentence = _("On %(day)s only %(left)s had come that was neither allocated nor planned. Choose a later day.", **known)
        raise Invalid(sentence, field="allocated_on")


def _add(
    source: Agreement | Receipt,
    left: Programmable,
    programme_id: uuid.UUID,
    output_id: uuid.UUID | None,
    minor: int,
    on: date,
    *,
    is_planned: bool,
    reason: str,
    place: int | None = None,
) -> uuid.UUID:
    prefix = "" if place is None else f"shares-{place}-"
    rules.programme_of(source.office_id, programme_id, f"{prefix}programme_id")
    rules.output_of(programme_id, output_id, f"{prefix}output_id")
    if isinstance(source, Agreement):
        _refuse_other_purpose(source, programme_id, f"{prefix}programme_id")
        since, sentence = source.signed_on, _("The agreement was signed on %(day)s.", day=day(source.signed_on, get_locale()))
    else:
        since, sentence = source.value_on, _("The money came on %(day)s.", day=day(source.value_on, get_locale()))
    allocation = Allocation(
        office_id=source.office_id,
        reference=next_reference(source.office_id, "allocation"),
        agreement_id=source.id if isinstance(source, Agreement) else None,
        receipt_id=source.id if isinstance(source, Receipt) else None,
        programme_id=programme_id,
        output_id=output_id,
        allocated_on=rules.past_day(on, "allocated_on", source.office_id, since=since, since_sentence=sentence),
        amount_minor=minor,
        currency=left.currency,
        is_planned=is_planned,
        reason=rules.text_of(reason, "reason"),
    )
    db.session.add(allocation)
    db.session.flush()
    return allocation.id


def _refuse_other_purpose(agreement: Agreement, programme_id: uuid.UUID, field: str) -> None:
    """Where the agreement's budget names programmes, its money stays with them (M10)."""
    rows = db.session.execute(
        select(AgreementBudgetLine.programme_id, Programme.title)
        .join(Programme, AgreementBudgetLine.programme_id == Programme.id)
        .where(AgreementBudgetLine.agreement_id == agreement.id)
        .order_by(Programme.title)
    ).all()
    if rows and programme_id not in {row.programme_id for row in rows}:
        names = ", ".join(dict.fromkeys(row.title for row in rows))
        raise Invalid(_("This agreement's budget is for other programmes: %(names)s.", names=names), field=field)

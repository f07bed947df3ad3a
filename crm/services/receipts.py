"""Receipts: money that arrived, what it pays, and its reversal. M2, M7, M12, M19."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select

from crm.db import db, transactional
from crm.errors import Invalid, NotFound
from crm.formatting import day
from crm.i18n import _, get_locale
from crm.models.pledges import Agreement, Instalment, Pledge, PledgeTerms, Receipt
from crm.money import Money
from crm.policy import Actor, Permission, require
from crm.queries.figures import programmable
from crm.services import fields
from crm.services import money_rules as rules
from crm.services.checking import donor_named
from crm.services.money_rules import PlanItem
from crm.services.parties import NewParty
from crm.services.pledges import reverse_conversions
from crm.services.references import next_reference

BANK_REFERENCE_LENGTH = 100


@dataclass(frozen=True)
class MatchLine:
    """How much of a receipt pays which instalment."""

    instalment_id: uuid.UUID
    amount: Money


@dataclass(frozen=True)
class NewReceipt:
    """Money on the account: under an agreement, against a pledge without one, or neither (then office and donor are given).

    `bank_reporting`: what the bank credited in the office's reporting currency, where known. `matches` pay first; the
    rest pays the oldest due. `converted`: how much of the pledge it converts where the currencies differ. `is_again`: part of a
    receipt that was taken back, so that the bank's part of it may round to 0. `new_donor`: the donor of money that came alone, where it is
    to be recorded too.
    """

    amount: Money
    value_on: date
    agreement_id: uuid.UUID | None = None
    pledge_id: uuid.UUID | None = None
    office_id: uuid.UUID | None = None
    donor_id: uuid.UUID | None = None
    bank_reporting: Money | None = None
    bank_reference: str = ""
    matches: Sequence[MatchLine] = ()
    converted: Money | None = None
    reason: str = ""
    is_again: bool = False
    new_donor: NewParty | None = None


@transactional
def record_receipt(actor: Actor, new: NewReceipt) -> uuid.UUID:
    """Record money that arrived; it pays the oldest due instalments, and a surplus stays visible as unmatched credit (M7).

    Refused before the agreement's signature and in another currency than the agreement's. Against a pledge it converts
    that part of the pledge (M3). Raises `Invalid` by field (agreement_id, pledge_id, donor_id, amount, value_on, …).
    """
    require(actor, Permission.MONEY_WRITE, new.office_id)
    agreement, pledge = _agreement_of(new), _pledge_of(new)
    over = agreement or pledge
    office_id = over.office_id if over else new.office_id
    if office_id is None or (new.office_id is not None and new.office_id != office_id):
        raise Invalid(_("Choose an office."), field="office_id")
    require(actor, Permission.MONEY_WRITE, office_id)
    if over is None:
        new = replace(new, donor_id=donor_named(actor, office_id, new.donor_id, new.new_donor))
    checked = check_receipt(new, office_id, agreement, pledge)
    receipt = Receipt(
        office_id=office_id,
        reference=next_reference(office_id, "receipt"),
        donor_id=over.donor_id if over else new.donor_id,
        agreement_id=agreement.id if agreement else None,
        pledge_id=pledge.id if pledge else None,
        value_on=new.value_on,
        amount_minor=checked.minor,
        currency=new.amount.currency,
        bank_reporting_minor=checked.bank_minor,
        bank_reference=checked.bank_reference,
        reason=checked.reason,
    )
    db.session.add(receipt)
    if agreement is not None:
        agreement.received_minor = rules.within_reach(agreement.received_minor + checked.minor, agreement.currency)
    db.session.flush()
    if agreement is not None:
        _match_as_said(receipt, rules.agreement_plan(agreement) if new.matches else (), new.matches)
        rules.apply_credit(agreement)
    elif new.matches and pledge is None:
        raise Invalid(_("Only money under an agreement or against a pledge pays instalments."), field="matches")
    if pledge is not None:
        _convert(pledge, receipt, new)
    return receipt.id


@dataclass(frozen=True)
class CheckedReceipt:
    """What of a receipt was read, in minor units."""

    minor: int
    bank_minor: int | None
    bank_reference: str
    reason: str


def check_receipt(new: NewReceipt, office_id: uuid.UUID, agreement: Agreement | None, pledge: Pledge | None) -> CheckedReceipt:
    """Refuse (`Invalid` by field) what cannot be recorded as money of an office under an agreement, against a pledge, or alone. Writes
    nothing."""
    over = agreement or pledge
    if over is None:
        rules.visible_party(new.donor_id, office_id)
    elif new.donor_id not in (None, over.donor_id):
        raise Invalid(_("The agreement or pledge is another donor's."), field="donor_id")
    minor = rules.minor_of(new.amount, currency=agreement.currency if agreement else "")
    fields.currency(new.amount.currency, over.currency if over else None)
    _check_value_day(new, office_id, agreement, pledge)
    return CheckedReceipt(
        minor,
        _bank_amount(new, office_id),
        rules.text_of(new.bank_reference, "bank_reference", longest=BANK_REFERENCE_LENGTH),
        rules.text_of(new.reason, "reason"),
    )


def _agreement_of(new: NewReceipt) -> Agreement | None:
    if new.agreement_id is None:
        return None
    if new.pledge_id is not None:
        raise Invalid(_("Name the agreement or the pledge, not both."), field="pledge_id")
    try:
        return rules.locked(Agreement, new.agreement_id)
    except NotFound as error:
        raise Invalid(_("Choose an agreement that is on record."), field="agreement_id") from error


def _pledge_of(new: NewReceipt) -> Pledge | None:
    if new.pledge_id is None:
        return None
    try:
        pledge = rules.locked(Pledge, new.pledge_id)
    except NotFound as error:
        raise Invalid(_("Choose a pledge that is on record."), field="pledge_id") from error
    refuse_settled(pledge.reference, pledge.outstanding_minor)
    return pledge


def refuse_settled(reference: str, outstanding_minor: int) -> None:
    """Refuse money against a pledge of which nothing is outstanding."""
    if not outstanding_minor:
        raise Invalid(
            _("Nothing of pledge %(reference)s is outstanding. Record the money under its agreement.", reference=reference),
            field="pledge_id",
        )


def _check_value_day(new: NewReceipt, office_id: uuid.UUID, agreement: Agreement | None, pledge: Pledge | None) -> None:
    since, sentence = rules.FIRST_DAY, ""
    if agreement is not None:
        since = agreement.signed_on
        sentence = _(
            "Agreement %(reference)s was signed on %(day)s. Money that came earlier is recorded without the agreement.",
            reference=agreement.reference,
            day=day(since, get_locale()),
        )
    elif pledge is not None:
        since = pledge.pledged_on
        sentence = _("Pledge %(reference)s was made on %(day)s.", reference=pledge.reference, day=day(since, get_locale()))
    rules.past_day(new.value_on, "value_on", office_id, since=since, since_sentence=sentence)


def _bank_amount(new: NewReceipt, office_id: uuid.UUID) -> int | None:
    if new.bank_reporting is None:
        return None
    currency = rules.office_of(office_id).reporting_currency
    minor = rules.minor_of(new.bank_reporting, "bank_reporting", currency=currency, is_zero_fine=new.is_again)
    if new.amount.currency == currency and new.bank_reporting != new.amount:
        raise Invalid(_("The receipt is in %(currency)s itself: both amounts are the same.", currency=currency), field="bank_reporting")
    return minor


def _match_as_said(receipt: Receipt, present: Sequence[Instalment], matches: Sequence[MatchLine]) -> dict[uuid.UUID, int]:
    """Match by hand: instalments of the present plan, no more than is open on each and than arrived; what each was paid."""
    plan = {row.id: row for row in present}
    paid: dict[uuid.UUID, int] = {}
    left = receipt.amount_minor
    for place, line in enumerate(matches):
        field = f"matches-{place}-amount"
        instalment = plan.get(line.instalment_id)
        if instalment is None:
            raise Invalid(_("Choose an instalment of the present plan."), field=f"matches-{place}-instalment_id")
        minor = rules.minor_of(line.amount, field, currency=receipt.currency)
        open_minor = instalment.amount_minor - instalment.matched_minor
        if minor > open_minor:
            raise Invalid(_("Of this instalment only %(left)s is open.", left=rules.shown(open_minor, receipt.currency)), field=field)
        if minor > left:
            raise Invalid(_("Of this receipt only %(left)s is left.", left=rules.shown(left, receipt.currency)), field=field)
        rules.match(receipt, instalment, minor)
        paid[instalment.id] = paid.get(instalment.id, 0) + minor
        left -= minor
    db.session.flush()
    return paid


def _convert(pledge: Pledge, receipt: Receipt, new: NewReceipt) -> None:
    """A receipt against a pledge converts that part; where more came than is outstanding, the rest is unmatched credit.

    What was promised only after the money came is converted on the day it was promised, so that on no day less than nothing is
    outstanding (M3).
    """
    plan = rules.pledge_items(pledge)
    if pledge.currency == receipt.currency:
        if new.converted is not None and rules.minor_of(new.converted, "converted", currency=pledge.currency) != receipt.amount_minor:
            raise Invalid(_("In the pledge's own currency the receipt converts exactly its amount."), field="converted")
        part = min(receipt.amount_minor, pledge.outstanding_minor)
        rows = rules.pledge_plan(pledge)
        paid = _match_as_said(receipt, rows, new.matches)
        rules.match_in_order(receipt, part - sum(paid.values()), rows)
        used: dict[uuid.UUID | None, int] = {row.id: row.matched_minor for row in rows}
    elif new.converted is None:
        raise Invalid(
            _("The money came in another currency. Say how much of the pledge, in %(currency)s, it pays.", currency=pledge.currency),
            field="converted",
        )
    else:
        part = rules.minor_of(new.converted, "converted", currency=pledge.currency)
        if part > pledge.outstanding_minor:
            rules.refuse_overdrawn_pledge(pledge, -part, receipt.value_on, "converted")
        used = {item.carried_from_id: item.minor for item in rules.take_first(plan, part)[0]}
    steps = rules.conversion_steps(pledge, receipt.value_on, part)
    for place, (on, minor) in enumerate(steps):
        left = _left(plan, used, sum(later for _on, later in steps[place + 1 :]))
        rules.add_pledge_terms(pledge, "conversion", on, -minor, left, converts=minor, receipt_id=receipt.id)


def _left(plan: Sequence[PlanItem], used: Mapping[uuid.UUID | None, int], later: int) -> list[PlanItem]:
    """What remains of a plan after what is used of it; `later` of that is used only by a later step, the last first."""
    left = []
    for item in reversed(plan):
        taken = used.get(item.carried_from_id, 0)
        back = min(later, taken)
        later -= back
        if rest := item.minor - taken + back:
            left.append(replace(item, minor=rest))
    return left[::-1]


@transactional
def reverse_receipt(actor: Actor, receipt_id: uuid.UUID, reason: str) -> uuid.UUID:
    """Take a mistaken receipt back by a row with the opposite sign, on its value date; its matches go with it (M19).

    Refused, naming the allocations, where less would be left than was allocated from it (M12). Returns the reversal's id.
    """
    require(actor, Permission.MONEY_WRITE)
    seen = db.session.scalar(select(Receipt).where(Receipt.id == receipt_id))
    if seen is None:
        raise NotFound(_("There is no such record here."))
    require(actor, Permission.MONEY_WRITE, seen.office_id)
    agreement = rules.locked(Agreement, seen.agreement_id) if seen.agreement_id else None
    pledge = rules.locked(Pledge, seen.pledge_id) if seen.pledge_id else None
    receipt = rules.locked(Receipt, receipt_id)
    said = rules.text_of(reason, "reason", is_needed=True)
    if receipt.reversal_of_id is not None:
        raise Invalid(_("A reversal cannot be reversed. Record the receipt again."))
    if db.session.scalar(select(Receipt.id).where(Receipt.reversal_of_id == receipt.id)) is not None:
        raise Invalid(_("This receipt has been reversed already."))
    rules.reverse_matches(rules.standing_matches(receipt_id=receipt.id))
    reversal = Receipt(
        office_id=receipt.office_id,
        reference=next_reference(receipt.office_id, "receipt"),
        donor_id=receipt.donor_id,
        agreement_id=receipt.agreement_id,
        pledge_id=receipt.pledge_id,
        value_on=receipt.value_on,
        amount_minor=-receipt.amount_minor,
        currency=receipt.currency,
        bank_reporting_minor=None if receipt.bank_reporting_minor is None else -receipt.bank_reporting_minor,
        bank_reference=receipt.bank_reference,
        reason=said,
        reversal_of_id=receipt.id,
    )
    db.session.add(reversal)
    db.session.flush()
    if agreement is not None:
        agreement.received_minor -= receipt.amount_minor
        rules.apply_credit(agreement)
    if pledge is not None:
        _give_back(pledge, receipt, said)
    _refuse_if_allocated(receipt)
    return reversal.id


def _give_back(pledge: Pledge, receipt: Receipt, reason: str) -> None:
    converted = select(PledgeTerms).where(PledgeTerms.receipt_id == receipt.id, PledgeTerms.kind == "conversion")
    reverse_conversions(pledge, db.session.scalars(converted).all(), reason)


def _refuse_if_allocated(receipt: Receipt) -> None:
    left = programmable.of_agreement(receipt.agreement_id) if receipt.agreement_id else programmable.of_receipt(receipt.id)
    if left.allocated_minor > left.available_minor:
        raise Invalid(
            _(
                "%(allocated)s was allocated from this money and only %(left)s would be left. Reverse allocations first: %(names)s.",
                allocated=rules.shown(left.allocated_minor, left.currency),
                left=rules.shown(left.available_minor, left.currency),
                names=", ".join(left.references),
            )
        )
    if left.is_overdrawn:
        raise Invalid(rules.planned_too_much(left, left.plannable_minor))
    if receipt.agreement_id:
        rules.refuse_overdrawn_source(receipt.agreement_id, receipt.value_on)

"""Agreements: what a donor signed. Signing carries the pledge's open plan over and closes the converted part (M3, M7)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from crm import clock
from crm.data import earmarking_modalities
from crm.db import db, transactional
from crm.errors import Invalid
from crm.formatting import day
from crm.i18n import _, get_locale
from crm.models.base import NAME_LENGTH
from crm.models.pledges import RECOVERY_BASES, Agreement, AgreementBudgetLine, AgreementTerms, Pledge, Receipt
from crm.money import Money, split
from crm.policy import Actor, Permission, require
from crm.queries.figures import programmable
from crm.queries.figures.programmable import Programmable
from crm.services import fields
from crm.services import money_rules as rules
from crm.services.checking import Opened, donor_named
from crm.services.money_rules import PlanItem, PlanLine
from crm.services.parties import NewParty
from crm.services.references import next_reference

__all__ = ["Amendment", "BudgetLine", "NewAgreement", "PlanLine", "amend_agreement", "reschedule_agreement", "sign_agreement"]

MOST_BUDGET_LINES = 60
DONOR_REFERENCE_LENGTH = 100


@dataclass(frozen=True)
class BudgetLine:
    """What part of an agreement is for which programme (and output)."""

    programme_id: uuid.UUID
    amount: Money
    output_id: uuid.UUID | None = None


@dataclass(frozen=True)
class NewAgreement:
    """What was signed. With a pledge, the donor and office are the pledge's unless given.

    `converted`: how much of the pledge this agreement converts, in the pledge's currency; needed only where the
    agreement is in another currency. Budget lines are all or none: they add up to the amount.
    Without a plan the pledge's open instalments are taken over in order up to the amount. `new_donor`: the donor, where it is to be
    recorded too.
    """

    amount: Money
    signed_on: date
    title: str
    pledge_id: uuid.UUID | None = None
    office_id: uuid.UUID | None = None
    donor_id: uuid.UUID | None = None
    donor_reference: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    earmarking: str | None = None
    recovery_rate: Decimal = Decimal("0.08")
    recovery_basis: str = "programmable"
    budget_lines: Sequence[BudgetLine] = ()
    plan: Sequence[PlanLine] | None = None
    converted: Money | None = None
    new_donor: NewParty | None = None


@dataclass(frozen=True)
class Amendment:
    """A signed change of an agreement's amount, up or down (`change` may be negative), with its plan.

    Without a plan more becomes an instalment without a day and less is cut from the end. The budget lines stay as they were
    signed: every amount of the agreement, on every day, is split as they are (M6, M19).
    """

    change: Money
    on: date
    reason: str
    plan: Sequence[PlanLine] | None = None
    version: int | Opened | None = None


@transactional
def sign_agreement(actor: Actor, new: NewAgreement) -> uuid.UUID:
    """Record a signed agreement; the converted part of its pledge is closed at the same moment (M2, M3, M7).

    Raises `Invalid` by field (pledge_id, donor_id, title, amount, converted, signed_on, ends_on, earmarking,
    recovery_rate, recovery_basis, budget_lines-N-amount, plan …). An agreement larger than what is outstanding is
    refused: the uplift of the pledge comes first.
    """
    require(actor, Permission.MONEY_WRITE, new.office_id)
    pledge = _pledge_of(new)
    office_id = pledge.office_id if pledge else new.office_id
    if office_id is None:
        raise Invalid(_("Choose an office."), field="office_id")
    require(actor, Permission.MONEY_WRITE, office_id)
    if pledge is None:
        new = replace(new, donor_id=donor_named(actor, office_id, new.donor_id, new.new_donor))
    donor_id = new.donor_id or (pledge.donor_id if pledge else None)
    if pledge is None or new.donor_id is not None:
        rules.visible_party(donor_id, office_id)
    minor, currency = rules.minor_of(new.amount), fields.currency(new.amount.currency, pledge.currency if pledge else None)
    signed_on = _signature_day(office_id, new.signed_on, pledge)
    _check_terms(new)
    lines = _checked_lines(office_id, new.budget_lines, minor, currency)
    converted = _converted(pledge, new, minor)
    if pledge is not None:
        rules.refuse_overdrawn_pledge(pledge, -converted, signed_on)
    taken, left = rules.take_first(rules.pledge_items(pledge), converted) if pledge else ([], [])
    plan = _plan(new, taken, minor, is_same_currency=pledge is not None and pledge.currency == currency)
    agreement = Agreement(
        office_id=office_id,
        reference=next_reference(office_id, "agreement"),
        donor_id=donor_id,
        pledge_id=pledge.id if pledge else None,
        title=rules.text_of(new.title, "title", longest=NAME_LENGTH, is_needed=True),
        donor_reference=rules.text_of(new.donor_reference, "donor_reference", longest=DONOR_REFERENCE_LENGTH),
        signed_on=signed_on,
        starts_on=new.starts_on,
        ends_on=new.ends_on,
        currency=currency,
        earmarking=new.earmarking or None,
        recovery_rate=new.recovery_rate,
        recovery_basis=new.recovery_basis,
        value_minor=minor,
    )
    db.session.add(agreement)
    db.session.flush()
    rules.add_agreement_terms(agreement, "signed", signed_on, minor, plan)
    _add_lines(agreement, lines)
    if pledge is not None:
        rules.add_pledge_terms(pledge, "conversion", signed_on, -converted, left, converts=converted, agreement_id=agreement.id)
    return agreement.id


def _pledge_of(new: NewAgreement) -> Pledge | None:
    if new.pledge_id is None:
        return None
    if db.session.scalar(select(Pledge.id).where(Pledge.id == new.pledge_id)) is None:
        raise Invalid(_("Choose a pledge that is on record."), field="pledge_id")
    pledge = rules.locked(Pledge, new.pledge_id)
    if new.office_id is not None and new.office_id != pledge.office_id:
        raise Invalid(_("The pledge belongs to another office."), field="pledge_id")
    return pledge


def _signature_day(office_id: uuid.UUID, on: date, pledge: Pledge | None) -> date:
    if pledge is None:
        return rules.past_day(on, "signed_on", office_id)
    sentence = _("The pledge was made on %(day)s; its agreement cannot be older.", day=day(pledge.pledged_on, get_locale()))
    return rules.past_day(on, "signed_on", office_id, since=pledge.pledged_on, since_sentence=sentence)


def _check_terms(new: NewAgreement) -> None:
    if new.starts_on and new.ends_on and new.ends_on < new.starts_on:
        raise Invalid(_("The end lies before the start."), field="ends_on")
    for field, value in (("starts_on", new.starts_on), ("ends_on", new.ends_on)):
        if value and not rules.FIRST_DAY <= value <= rules.LAST_DAY:
            raise Invalid(_("This day is out of range."), field=field)
    if new.earmarking and new.earmarking not in earmarking_modalities():
        raise Invalid(_("Choose an earmarking from the list."), field="earmarking")
    if new.recovery_basis not in RECOVERY_BASES:
        raise Invalid(_("Choose what the cost recovery is a share of."), field="recovery_basis")
    if not new.recovery_rate.is_finite() or not 0 <= new.recovery_rate < 1:
        raise Invalid(_("A cost recovery rate is at least 0 and less than 100 percent."), field="recovery_rate")


def _checked_lines(office_id: uuid.UUID, lines: Sequence[BudgetLine], total: int, currency: str) -> list[tuple[BudgetLine, int]]:
    """Budget lines in minor units; they add up to the agreement, or there are none."""
    if len(lines) > MOST_BUDGET_LINES:
        raise Invalid(_("An agreement has at most %(n)s budget lines.", n=MOST_BUDGET_LINES), field="budget_lines")
    checked = []
    for place, line in enumerate(lines):
        rules.programme_of(office_id, line.programme_id, f"budget_lines-{place}-programme_id")
        rules.output_of(line.programme_id, line.output_id, f"budget_lines-{place}-output_id")
        checked.append((line, rules.minor_of(line.amount, f"budget_lines-{place}-amount", currency=currency)))
    planned = sum(minor for _line, minor in checked)
    if checked and planned != total:
        raise Invalid(
            _(
                "The budget lines add up to %(planned)s, but the agreement is %(total)s: they differ by %(rest)s.",
                planned=rules.shown(planned, currency),
                total=rules.shown(total, currency),
                rest=rules.shown(abs(total - planned), currency),
            ),
            field="budget_lines",
        )
    return checked


def _converted(pledge: Pledge | None, new: NewAgreement, minor: int) -> int:
    """How much of the pledge is converted, in the pledge's currency."""
    if pledge is None:
        return 0
    if pledge.currency == new.amount.currency:
        if new.converted is not None and rules.minor_of(new.converted, "converted", currency=pledge.currency) != minor:
            raise Invalid(_("In the pledge's own currency the agreement converts exactly its amount."), field="converted")
        return minor
    if new.converted is None:
        raise Invalid(
            _("The agreement is in another currency. Say how much of the pledge, in %(currency)s, it converts.", currency=pledge.currency),
            field="converted",
        )
    return rules.minor_of(new.converted, "converted", currency=pledge.currency)


def _plan(new: NewAgreement, taken: list[PlanItem], minor: int, *, is_same_currency: bool) -> list[PlanItem]:
    currency = new.amount.currency
    if new.plan:
        return rules.checked_plan(new.plan, minor, currency)
    if not taken:
        return rules.plan_or_one((), minor, currency)
    if is_same_currency:
        return taken
    parts = split(minor, [item.minor for item in taken])
    return [PlanItem(part, item.due_on, item.due_when, item.carried_from_id) for part, item in zip(parts, taken, strict=True) if part]


def _add_lines(agreement: Agreement, lines: Sequence[tuple[BudgetLine, int]]) -> None:
    for line, minor in lines:
        db.session.add(
            AgreementBudgetLine(
                office_id=agreement.office_id,
                agreement_id=agreement.id,
                programme_id=line.programme_id,
                output_id=line.output_id,
                amount_minor=minor,
                currency=agreement.currency,
            )
        )
    db.session.flush()


def _agreement(actor: Actor, agreement_id: uuid.UUID, version: int | Opened | None) -> Agreement:
    require(actor, Permission.MONEY_WRITE)
    agreement = rules.locked(Agreement, agreement_id)
    require(actor, Permission.MONEY_WRITE, agreement.office_id)
    rules.refuse_stale(agreement, version, _("This agreement has changed since you opened it. Look at it again before you go on."))
    return agreement


def _effective(agreement: Agreement, on: date) -> date:
    sentence = _("The agreement was signed on %(day)s; a change cannot lie before that.", day=day(agreement.signed_on, get_locale()))
    return rules.past_day(on, "on", agreement.office_id, since=agreement.signed_on, since_sentence=sentence)


@transactional
def amend_agreement(actor: Actor, agreement_id: uuid.UUID, amendment: Amendment) -> uuid.UUID:
    """Raise or cut a signed agreement by new terms, never below what was received, nor below what allocations set aside of
    it, on any day from that of the change; returns the terms' id (M2, M12, M19).

    Raises `Invalid` by field (change, on, reason, plan), `NotFound`, `Denied`, `EditConflict`.
    """
    agreement = _agreement(actor, agreement_id, amendment.version)
    reason = rules.text_of(amendment.reason, "reason", is_needed=True)
    on = _effective(agreement, amendment.on)
    size = rules.minor_of(abs(amendment.change), "change", currency=agreement.currency)
    change = size if amendment.change.amount > 0 else -size
    value = rules.within_reach(agreement.value_minor + change, agreement.currency, "change")
    if value <= 0 or (change < 0 and value < agreement.received_minor):
        raise Invalid(
            _(
                "Of this agreement %(received)s has been received; it cannot be cut below that, nor to nothing.",
                received=_received(agreement),
            ),
            field="change",
        )
    if change < 0:
        _refuse_cut_between(agreement, change, on)
    if amendment.plan is None:
        plan = rules.changed_plan(rules.agreement_items(agreement), change)
    else:
        plan = rules.checked_plan(amendment.plan, value, agreement.currency)
    before = programmable.of_agreement(agreement.id) if change < 0 else None
    terms = rules.add_agreement_terms(agreement, "amendment", on, change, plan, reason=reason)
    if before is not None:
        _refuse_cut_below_plans(agreement, before, value - change)
        rules.refuse_overdrawn_source(agreement.id, on, "change")
    return terms.id


def _refuse_cut_between(agreement: Agreement, change: int, on: date) -> None:
    """Refuse a cut dated back that would leave less than had been received, or nothing, on a day since then."""
    terms = db.session.execute(
        select(AgreementTerms.effective_on, AgreementTerms.change_minor).where(AgreementTerms.agreement_id == agreement.id)
    ).all()
    receipts = db.session.execute(select(Receipt.value_on, Receipt.amount_minor).where(Receipt.agreement_id == agreement.id)).all()
    for then in sorted({on, *(one for one, _minor in (*terms, *receipts) if one > on)}):
        value = sum(minor for one, minor in terms if one <= then)
        received = sum(minor for one, minor in receipts if one <= then)
        if value + change <= 0 or value + change < received:
            sentence = _(
                "On %(day)s this agreement came to %(value)s, of which %(received)s had been received. It cannot be cut below that, nor to nothing. Choose a later day.",
                day=day(then, get_locale()),
                value=rules.shown(value, agreement.currency),
                received=rules.shown(received, agreement.currency),
            )
            raise Invalid(sentence, field="on")


def _refuse_cut_below_plans(agreement: Agreement, before: Programmable, value_before: int) -> None:
    """Refuse a cut below what is allocated and planned (M12). Where the day of the cut has no rate, what could be planned
    before it is cut in proportion: whether something may be saved never hangs on a rate."""
    left = programmable.of_agreement(agreement.id)
    in_proportion = before.plannable_minor * agreement.value_minor // value_before
    most = left.plannable_minor if left.is_signed_known else max(left.available_minor, in_proportion)
    if left.allocated_minor + left.planned_minor > most:
        raise Invalid(rules.planned_too_much(left, most), field="change")


def _received(agreement: Agreement) -> str:
    return rules.shown(agreement.received_minor, agreement.currency)


@transactional
def reschedule_agreement(
    actor: Actor,
    agreement_id: uuid.UUID,
    plan: Sequence[PlanLine],
    reason: str,
    *,
    on: date | None = None,
    version: int | Opened | None = None,
) -> uuid.UUID:
    """Give an agreement another plan for its whole value; what was received pays the new plan, oldest due first (M7)."""
    agreement = _agreement(actor, agreement_id, version)
    said = rules.text_of(reason, "reason", is_needed=True)
    effective = _effective(agreement, on or clock.today(rules.office_of(agreement.office_id).timezone))
    items = rules.checked_plan(plan, agreement.value_minor, agreement.currency)
    return rules.add_agreement_terms(agreement, "reschedule", effective, 0, items, reason=said).id

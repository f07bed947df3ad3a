"""Receipts: money that arrived, what it pays shown before it is saved; one receipt; taking it back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request, url_for

from crm import clock
from crm.forms.pledges import ReasonForm, ReceiptForm
from crm.i18n import _
from crm.money import Money, from_minor
from crm.policy import Permission, require
from crm.queries import money_choices
from crm.queries import pledges as queries
from crm.queries.figures.money import Figure, agreement_figures, pledge_figures
from crm.services import receipts as services
from crm.web.agreements import bp as agreements_bp
from crm.web.gate import actor, permit
from crm.web.helpers import save_form, status
from crm.web.money import may_write
from crm.web.money_forms import checked_save, given, hidden_answers, offer_money
from crm.web.money_history import history_page
from crm.web.pledges import bp as pledges_bp

bp = Blueprint("receipts", __name__, url_prefix="/receipts")


@dataclass(frozen=True)
class Paid:
    """What a receipt would pay of which instalment."""

    due_on: date | None
    due_when: str
    amount: Money


@dataclass(frozen=True)
class Preview:
    """A receipt before it is saved: what it pays, what stays unmatched, and how its agreement or pledge would stand."""

    pays: tuple[Paid, ...]
    unmatched: Money
    paid: Figure
    left: Figure


@agreements_bp.route("/<uuid:agreement_id>/receipts/new", endpoint="receive", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def under_agreement(agreement_id: uuid.UUID) -> Any:
    """Money under an agreement: the oldest due instalments are paid first."""
    agreement = queries.agreement_detail(agreement_id).agreement
    require(actor(), Permission.MONEY_WRITE, agreement.office_id)
    facts = {
        "reference": agreement.reference,
        "donor": agreement.donor.name,
        "title": agreement.title,
        "left": agreement.receivable,
        "back": url_for("agreements.detail", agreement_id=agreement_id),
    }

    def figures() -> tuple[Figure, Figure]:
        seen = agreement_figures(agreement_id)
        return seen.paid, seen.receivable

    return _record(facts, agreement.office_id, agreement.currency, figures, agreement_id=agreement_id)


@pledges_bp.route("/<uuid:pledge_id>/receipts/new", endpoint="receive", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def against_pledge(pledge_id: uuid.UUID) -> Any:
    """Money that came against a pledge without an agreement: it converts that part of the pledge."""
    pledge = queries.pledge_detail(pledge_id).pledge
    require(actor(), Permission.MONEY_WRITE, pledge.office_id)
    facts = {
        "reference": pledge.reference,
        "donor": pledge.donor.name,
        "title": "",
        "left": pledge.outstanding,
        "back": url_for("pledges.detail", pledge_id=pledge_id),
    }

    def figures() -> tuple[Figure, Figure]:
        seen = pledge_figures(pledge_id)
        return seen.chain.paid, seen.outstanding

    return _record(facts, pledge.office_id, pledge.currency, figures, pledge_id=pledge_id)


def _record(
    facts: dict[str, Any],
    office_id: uuid.UUID,
    currency: str,
    figures: Any,
    *,
    agreement_id: uuid.UUID | None = None,
    pledge_id: uuid.UUID | None = None,
) -> Any:
    who, form = actor(), ReceiptForm()
    form.reporting_currency = money_choices.office_currency(office_id)[1]
    form.pledge_currency = currency if pledge_id else ""
    form.own_currency = currency if agreement_id else ""
    if request.method == "GET":
        form.value_on.data = clock.today(who.timezone)
    offer_money(form.currency, office_id, currency)

    def save() -> uuid.UUID:
        return services.record_receipt(
            who,
            services.NewReceipt(
                amount=given(form.money),
                value_on=given(form.value_on.data),
                agreement_id=agreement_id,
                pledge_id=pledge_id,
                bank_reporting=form.bank_money,
                bank_reference=form.bank_reference.data or "",
                converted=form.converted_money,
            ),
        )

    def look(receipt_id: uuid.UUID) -> Preview:
        receipt = queries.receipt_detail(receipt_id)
        pays = [
            Paid(row.instalment.due_on, row.instalment.due_when, from_minor(row.amount_minor, receipt.currency)) for row in receipt.matches
        ]
        matched = sum(row.amount_minor for row in receipt.matches)
        paid, left = figures()
        return Preview(tuple(pays), from_minor(receipt.amount_minor - matched, receipt.currency), paid, left)

    back = facts["back"]
    step = checked_save(form, save, look, then=lambda _key: back, message=_("The receipt is recorded."))
    if step.response:
        return step.response
    template = "receipts/check.html" if step.preview else "receipts/form.html"
    return render_template(
        template,
        form=form,
        facts=facts,
        preview=step.preview,
        answers=hidden_answers() if step.preview else [],
        is_pledge=pledge_id is not None,
    ), step.code


@bp.get("/<uuid:receipt_id>")
@permit(Permission.RECORD_SEE)
def detail(receipt_id: uuid.UUID) -> Any:
    """A receipt and what it paid."""
    receipt = queries.receipt_detail(receipt_id)
    related = money_choices.receipt_reversal(receipt)
    return render_template(
        "receipts/detail.html",
        receipt=receipt,
        related=related,
        reporting=money_choices.office_currency(receipt.office_id)[1],
        pledge=money_choices.pledge_of(receipt.pledge_id),
        may=may_write(receipt.office_id),
    )


@bp.get("/<uuid:receipt_id>/history")
@permit(Permission.RECORD_SEE)
def receipt_history(receipt_id: uuid.UUID) -> Any:
    """Who recorded a receipt."""
    receipt = queries.receipt_detail(receipt_id)
    address = url_for("receipts.receipt_history", receipt_id=receipt_id)
    back = url_for("receipts.detail", receipt_id=receipt_id)
    return history_page(receipt_id, name=receipt.reference, back=back, address=address)


@bp.route("/<uuid:receipt_id>/reverse", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def reverse(receipt_id: uuid.UUID) -> Any:
    """Take a mistaken receipt back by a row with the opposite sign; its matches go with it."""
    who, receipt = actor(), queries.receipt_detail(receipt_id)
    require(who, Permission.MONEY_WRITE, receipt.office_id)
    form = ReasonForm()
    what, back = receipt.reference, url_for("receipts.detail", receipt_id=receipt_id)

    def save() -> uuid.UUID:
        return services.reverse_receipt(who, receipt_id, form.reason.data or "")

    done = save_form(form, save, then=lambda key: url_for("receipts.detail", receipt_id=key), message=_("The receipt is taken back."))
    return done or (render_template("pledges/reverse.html", form=form, what=what, back=back), status(form))

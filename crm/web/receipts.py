"""Receipts: money that arrived, what it pays shown before it is saved; one receipt; matching it by hand; taking it back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request, url_for

from crm import clock
from crm.forms.money_fields import typed
from crm.forms.pledges import LooseReceiptForm, MatchForm, ReasonForm, ReceiptForm
from crm.i18n import _
from crm.models.pledges import Receipt
from crm.money import Money, from_minor
from crm.policy import Permission, require
from crm.queries import lookups, money_choices
from crm.queries import pledges as queries
from crm.queries.figures.adding import Figure
from crm.queries.figures.money import agreement_figures, pledge_figures
from crm.services import matching
from crm.services import receipts as services
from crm.web import files, saved_lists
from crm.web import lookups as shared
from crm.web.agreements import bp as agreements_bp
from crm.web.exports import offer_files
from crm.web.gate import actor, permit
from crm.web.helpers import paging, save_form, status
from crm.web.listing import Seen
from crm.web.lookups import Found, prefill, settle
from crm.web.money import may_write, taken_back_chip, taken_back_options
from crm.web.money_forms import checked_save, given, hidden_answers, offer_money, offer_offices, read_uuid, writable
from crm.web.money_history import history_page
from crm.web.pledges import bp as pledges_bp
from crm.web.receipt_list import LISTING, UNDER_NAMES

bp = Blueprint("receipts", __name__, url_prefix="/receipts")
offer_files(bp, LISTING)


@bp.get("/")
@permit(Permission.RECORD_SEE)
def index() -> Any:
    """Receipts in scope: words, under what, donor, year of their arrival, sort, columns."""
    seen = Seen.of(LISTING, request.args, actor())
    filters, asked = seen.reading.filters, paging()
    page = seen.reading.page(asked)
    donors = money_choices.donors_of(Receipt, filters.donor_id)
    year, back = (seen.reading.understood.get(name, "") for name in ("year", "back"))
    chips = [
        (filters.q, _("Words: %(words)s", words=filters.q), "q"),
        (filters.under, str(UNDER_NAMES.get(filters.under, "")), "under"),
        (filters.donor_id, _("Donor: %(name)s", name=dict(donors).get(filters.donor_id, _("one donor"))), "donor"),
        (year, _("Arrived in %(year)s", year=year), "year"),
        (back, taken_back_chip(back), "back"),
    ]
    return render_template(
        "receipts/index.html",
        page=page,
        filters=filters,
        year=year,
        back=back,
        back_options=taken_back_options(),
        headers=seen.headers(),
        rows=seen.cells(page.rows),
        chips=[shared.chip(label, name) for value, label, name in chips if value],
        under_options=shared.options(UNDER_NAMES.items()),
        donor_options=shared.options((str(key), name) for key, name in donors) if donors else [],
        kept={name: value for name, value in seen.arguments.items() if name in ("sort", "columns")},
        pages=shared.pages(page, asked),
        tools=seen.tools(),
        saved=saved_lists.above(seen),
    )


@dataclass(frozen=True)
class Paid:
    """What a receipt would pay of which instalment."""

    due_on: date | None
    due_when: str
    amount: Money


@dataclass(frozen=True)
class Preview:
    """A receipt before it is saved: what it pays, what stays unmatched, and how its agreement or pledge (if any) would stand."""

    pays: tuple[Paid, ...]
    unmatched: Money
    paid: Figure | None
    left: Figure | None


@agreements_bp.route("/<uuid:agreement_id>/receipts/new", endpoint="receive", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def under_agreement(agreement_id: uuid.UUID) -> Any:
    """Money under an agreement: the oldest due instalments are paid first."""
    agreement = queries.agreement_of(agreement_id)
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

    return _record(ReceiptForm(), facts, agreement.office_id, agreement.currency, figures, agreement_id=agreement_id)


@pledges_bp.route("/<uuid:pledge_id>/receipts/new", endpoint="receive", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def against_pledge(pledge_id: uuid.UUID) -> Any:
    """Money that came against a pledge without an agreement: it converts that part of the pledge."""
    pledge = queries.pledge_of(pledge_id)
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

    return _record(ReceiptForm(), facts, pledge.office_id, pledge.currency, figures, pledge_id=pledge_id)


@bp.route("/new", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def alone() -> Any:
    """Money that came without a pledge or an agreement; `?party=` fills in the donor. It is matched by hand once there is one."""
    form = LooseReceiptForm()
    offices = writable(actor())
    offer_offices(form.office_id, offices)
    asked = read_uuid(form.office_id.data)
    office_id = asked if asked in offices else offices[0]
    if request.method == "GET":
        prefill(form.donor, read_uuid(request.args.get("party")), office_id)
    party_id = read_uuid(form.donor.choice) or read_uuid(request.args.get("party"))
    facts = {
        "reference": "",
        "donor": form.donor.text,
        "left": None,
        "offices": offices,
        "likely": lookups.likely_parties(office_id),
        "back": url_for("parties.detail", party_id=party_id) if lookups.party_match(party_id) else url_for("pledges.index"),
    }
    return _record(form, facts, office_id, money_choices.office_currency(office_id)[1], None)


def _record(
    form: ReceiptForm,
    facts: dict[str, Any],
    office_id: uuid.UUID,
    currency: str,
    figures: Any,
    *,
    agreement_id: uuid.UUID | None = None,
    pledge_id: uuid.UUID | None = None,
) -> Any:
    who = actor()
    is_alone = isinstance(form, LooseReceiptForm)
    form.reporting_currency = money_choices.office_currency(office_id)[1]
    form.pledge_currency = currency if pledge_id else ""
    form.own_currency = currency if agreement_id else ""
    if request.method == "GET":
        form.value_on.data = clock.today(who.timezone)
        form.named_currency.data = form.reporting_currency
    offer_money(form.currency, office_id, currency)
    settled: dict[str, Found | None] = {"donor": None if is_alone else Found()}

    def save() -> uuid.UUID:
        return services.record_receipt(
            who,
            services.NewReceipt(
                amount=given(form.money),
                value_on=given(form.value_on.data),
                agreement_id=agreement_id,
                pledge_id=pledge_id,
                office_id=office_id if is_alone else None,
                donor_id=given(settled["donor"]).party_id,
                new_donor=given(settled["donor"]).new,
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
        paid, left = figures() if figures else (None, None)
        return Preview(tuple(pays), from_minor(receipt.amount_minor - matched, receipt.currency), paid, left)

    def is_donor_known() -> bool:
        if isinstance(form, LooseReceiptForm):
            settled["donor"] = settle(form.donor, office_id)
        return settled["donor"] is not None

    def then(key: uuid.UUID) -> str:
        return url_for("receipts.detail", receipt_id=key) if is_alone else str(facts["back"])

    step = checked_save(form, save, look, then=then, message=_("The receipt is recorded."), check=is_donor_known)
    if step.response:
        return step.response
    if is_alone:
        facts["donor"] = form.donor.text
    template = "receipts/check.html" if step.preview else "receipts/form.html"
    return render_template(
        template,
        form=form,
        facts=facts,
        preview=step.preview,
        answers=hidden_answers() if step.preview else [],
        is_pledge=pledge_id is not None,
        is_alone=is_alone,
    ), step.code


@bp.get("/<uuid:receipt_id>")
@permit(Permission.RECORD_SEE)
def detail(receipt_id: uuid.UUID) -> Any:
    """A receipt and what it paid."""
    receipt = queries.receipt_detail(receipt_id)
    related = money_choices.receipt_reversal(receipt)
    rest = queries.unmatched(receipt)
    may = may_write(receipt.office_id)
    is_standing = receipt.reversal_of_id is None and related is None
    others = _others(receipt) if may and is_standing and rest else ()
    return render_template(
        "receipts/detail.html",
        receipt=receipt,
        related=related,
        reporting=money_choices.office_currency(receipt.office_id)[1],
        pledge=money_choices.pledge_of(receipt.pledge_id),
        may=may,
        rest=rest if is_standing else None,
        others=others,
        files=files.part("receipt", receipt_id, receipt.office_id),
    )


def _others(receipt: Receipt) -> list[queries.OpenInstalment]:
    """Open instalments of the donor that the receipt does not pay by itself."""
    found = queries.open_instalments(receipt.donor_id, receipt.office_id, receipt.currency)
    return [row for row in found if row.record_id not in (receipt.agreement_id, receipt.pledge_id)]


@bp.route("/<uuid:receipt_id>/match", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def match(receipt_id: uuid.UUID) -> Any:
    """Let what a receipt holds beyond its instalments pay others of the donor."""
    who, receipt = actor(), queries.receipt_detail(receipt_id)
    require(who, Permission.MONEY_WRITE, receipt.office_id)
    form = MatchForm()
    form.own_currency = receipt.currency
    others = _others(receipt)
    rest = queries.unmatched(receipt)
    if request.method == "GET":
        left = rest
        for row in others:
            part = min(left, row.open_amount)
            form.matches.append_entry({"instalment_id": str(row.id), "amount": typed(part) if part else ""})
            left = left - part
    back = url_for("receipts.detail", receipt_id=receipt_id)

    def save() -> uuid.UUID:
        lines = [services.MatchLine(read_uuid(key) or receipt_id, amount) for key, amount in form.chosen]
        return matching.match_receipt(who, receipt_id, lines)

    done = save_form(form, save, then=lambda key: url_for("receipts.detail", receipt_id=key), message=_("The money is matched."))
    by_id = {str(row.id): row for row in others}
    return done or (
        render_template("receipts/match.html", form=form, receipt=receipt, rest=rest, by_id=by_id, back=back),
        status(form),
    )


@bp.route("/<uuid:receipt_id>/release", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def release(receipt_id: uuid.UUID) -> Any:
    """Undo a matching: keep the money without agreement or pledge."""
    who, receipt = actor(), queries.receipt_detail(receipt_id)
    require(who, Permission.MONEY_WRITE, receipt.office_id)
    form = ReasonForm()
    back = url_for("receipts.detail", receipt_id=receipt_id)

    def save() -> uuid.UUID:
        return matching.release_receipt(who, receipt_id, form.reason.data or "")

    done = save_form(form, save, then=lambda key: url_for("receipts.detail", receipt_id=key), message=_("The matching is undone."))
    what = _("the matching of %(reference)s", reference=receipt.reference)
    return done or (render_template("pledges/reverse.html", form=form, what=what, back=back), status(form))


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

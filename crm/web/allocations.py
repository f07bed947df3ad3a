"""Allocations: an amount split over outputs, its parts shown before they are saved; one allocation; taking it back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for

from crm import clock
from crm.errors import Invalid
from crm.forms.pledges import MOST_SHARES, AllocationForm, ReasonForm
from crm.i18n import _
from crm.money import Money
from crm.policy import Permission, require
from crm.queries import money_choices
from crm.queries import pledges as queries
from crm.queries.figures import programmable
from crm.services import allocations as services
from crm.services.allocations import MoneySource, Share
from crm.web.agreements import bp as agreements_bp
from crm.web.gate import actor, permit
from crm.web.helpers import save_form, status
from crm.web.money import may_write
from crm.web.money_forms import checked_save, given, hidden_answers, read_uuid
from crm.web.receipts import bp as receipts_bp

bp = Blueprint("allocations", __name__, url_prefix="/allocations")


@dataclass(frozen=True)
class Part:
    """A part of a split before it is saved."""

    programme: str
    output: str
    amount: Money


@dataclass(frozen=True)
class Preview:
    """The parts, what they come to, and what would be left."""

    parts: tuple[Part, ...]
    whole: Money
    left: Money


@agreements_bp.route("/<uuid:agreement_id>/allocations/new", endpoint="allocate", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def from_agreement(agreement_id: uuid.UUID) -> Any:
    """Allocate programmable money of an agreement."""
    agreement = queries.agreement_of(agreement_id)
    return _allocate(
        MoneySource(agreement_id=agreement_id),
        agreement.office_id,
        agreement.reference,
        [line.programme_id for line in agreement.budget_lines],
        url_for("agreements.detail", agreement_id=agreement_id),
    )


@receipts_bp.route("/<uuid:receipt_id>/allocations/new", endpoint="allocate", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def from_receipt(receipt_id: uuid.UUID) -> Any:
    """Allocate money that came without an agreement."""
    receipt = queries.receipt_detail(receipt_id)
    back = url_for("receipts.detail", receipt_id=receipt_id)
    return _allocate(MoneySource(receipt_id=receipt_id), receipt.office_id, receipt.reference, [], back)


def _left(source: MoneySource) -> programmable.Programmable:
    if source.agreement_id is not None:
        return programmable.of_agreement(source.agreement_id)
    return programmable.of_receipt(given(source.receipt_id))


def _allocate(source: MoneySource, office_id: uuid.UUID, reference: str, only: list[uuid.UUID], back: str) -> Any:
    who, form = actor(), AllocationForm()
    require(who, Permission.MONEY_WRITE, office_id)
    held = _left(source)
    form.own_currency = held.currency
    targets = [
        ("", _("Choose")),
        *((f"{t.programme_id}:{t.output_id or ''}", _target(t)) for t in money_choices.targets_of(office_id, only)),
    ]
    form.offer(targets)
    if request.method == "GET":
        form.allocated_on.data = clock.today(who.timezone)

    def save() -> uuid.UUID:
        shares = [_share(place, value, number) for place, (value, number) in enumerate(form.chosen)]
        made = services.split_by_shares(
            who,
            source,
            shares,
            given(form.allocated_on.data),
            amount=form.money,
            is_planned=form.kind.data == "planned",
            reason=form.reason.data or "",
        )
        if not made:
            raise Invalid(_("Nothing is left to allocate."), field="amount")
        found.extend(made)
        return made[0]

    found: list[uuid.UUID] = []

    def look(_first: uuid.UUID) -> Preview:
        rows = [queries.allocation_detail(key) for key in found]
        parts = tuple(Part(row.programme.title, row.output.title if row.output else "", row.amount) for row in rows)
        whole = parts[0].amount
        for part in parts[1:]:
            whole += part.amount
        return Preview(parts, whole, _left(source).unallocated)

    def one_more(_go: str) -> bool:
        if len(form.shares.entries) < MOST_SHARES:
            form.shares.append_entry()
            form.offer(targets)
        return True

    step = checked_save(form, save, look, then=lambda _key: back, message=_("The allocation is recorded."), helper=one_more)
    if step.response:
        return step.response
    template = "allocations/check.html" if step.preview else "allocations/form.html"
    facts = {"reference": reference, "back": back, "held": held}
    return render_template(
        template, form=form, facts=facts, preview=step.preview, answers=hidden_answers() if step.preview else []
    ), step.code


def _target(target: money_choices.Target) -> str:
    return _("%(programme)s: %(output)s", programme=target.programme, output=target.output) if target.output else target.programme


def _share(place: int, value: str, number: Any) -> Share:
    programme, _colon, output = value.partition(":")
    programme_id = read_uuid(programme)
    if programme_id is None or (output and read_uuid(output) is None):
        raise Invalid(_("Choose from the list."), field=f"shares-{place}-programme_id")
    return Share(programme_id, number, read_uuid(output))


@bp.get("/<uuid:allocation_id>")
@permit(Permission.RECORD_SEE)
def detail(allocation_id: uuid.UUID) -> Any:
    """An allocation: how much, to what, from which money."""
    allocation = queries.allocation_detail(allocation_id)
    return render_template(
        "allocations/detail.html",
        allocation=allocation,
        related=money_choices.allocation_reversal(allocation),
        source=money_choices.source_of(allocation),
        may=may_write(allocation.office_id),
    )


@bp.route("/<uuid:allocation_id>/reverse", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def reverse(allocation_id: uuid.UUID) -> Any:
    """Take an allocation back by a row with the opposite sign."""
    who, allocation = actor(), queries.allocation_detail(allocation_id)
    require(who, Permission.MONEY_WRITE, allocation.office_id)
    form = ReasonForm()

    def save() -> uuid.UUID:
        return services.reverse_allocation(who, allocation_id, form.reason.data or "")

    done = save_form(
        form, save, then=lambda key: url_for("allocations.detail", allocation_id=key), message=_("The allocation is taken back.")
    )
    back = url_for("allocations.detail", allocation_id=allocation_id)
    return done or (render_template("pledges/reverse.html", form=form, what=allocation.reference, back=back), status(form))

"""Agreements: signing (from a pledge or without one), one with its plan and money, amendment, another plan."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, render_template, request, url_for

from crm import clock
from crm.data import earmarking_modalities
from crm.errors import Invalid
from crm.forms.base import choices
from crm.forms.pledges import AgreementForm, AmendmentForm, RescheduleForm
from crm.i18n import _
from crm.models.pledges import Agreement, Pledge
from crm.policy import Permission, require
from crm.queries import lookups, money_choices
from crm.queries import pledges as queries
from crm.queries.figures.money import agreement_figures
from crm.services import agreements as services
from crm.services.checking import Opened
from crm.services.money_rules import PlanLine
from crm.web import files, money_forms, saved_lists
from crm.web import lookups as shared
from crm.web.agreement_list import LISTING, STATUS_NAMES
from crm.web.exports import offer_files
from crm.web.gate import actor, permit
from crm.web.helpers import paging, save_form, status
from crm.web.listing import Seen
from crm.web.lookups import Found, opened, prefill, settle
from crm.web.money import as_of, event_lines, may_write, record_url
from crm.web.money_forms import (
    checked_save,
    given,
    hidden_answers,
    label_of,
    offer_money,
    offer_offices,
    plan_helper,
    programme_options,
    read_uuid,
    reschedule_page,
    writable,
)
from crm.web.money_history import history_page
from crm.web.pledges import bp as pledges_bp

bp = Blueprint("agreements", __name__, url_prefix="/agreements")
offer_files(bp, LISTING)


@bp.get("/")
@permit(Permission.RECORD_SEE)
def index() -> Any:
    """Agreements in scope: words, state, donor, programme, year of the signature, sort, columns."""
    seen = Seen.of(LISTING, request.args, actor())
    filters, asked = seen.reading.filters, paging()
    page = seen.reading.page(asked)
    donors = money_choices.donors_of(Agreement, filters.donor_id)
    programmes = money_choices.programmes_offered(filters.programme_id)
    year = seen.reading.understood.get("year", "")
    chips = [
        (filters.q, _("Words: %(words)s", words=filters.q), "q"),
        (filters.status, str(STATUS_NAMES[filters.status][0]) if filters.status else "", "status"),
        (filters.donor_id, _("Donor: %(name)s", name=dict(donors).get(filters.donor_id, _("one donor"))), "donor"),
        (filters.programme_id, _("Programme: %(name)s", name=dict(programmes).get(filters.programme_id, _("one programme"))), "programme"),
        (year, _("Signed in %(year)s", year=year), "year"),
    ]
    return render_template(
        "agreements/index.html",
        page=page,
        filters=filters,
        year=year,
        headers=seen.headers(),
        rows=seen.cells(page.rows),
        chips=[shared.chip(label, name) for value, label, name in chips if value],
        status_options=shared.options((key, words[0]) for key, words in STATUS_NAMES.items()),
        donor_options=shared.options((str(key), name) for key, name in donors) if donors else [],
        programme_options=shared.options((str(key), title) for key, title in programmes) if programmes else [],
        kept={name: value for name, value in seen.arguments.items() if name in ("sort", "columns")},
        pages=shared.pages(page, asked),
        tools=seen.tools(),
        saved=saved_lists.above(seen),
    )


@bp.route("/new", methods=["GET", "POST"])
@pledges_bp.route("/<uuid:pledge_id>/agreement", endpoint="sign", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def create(pledge_id: uuid.UUID | None = None) -> Any:
    """Sign an agreement: from a pledge, whose open plan it takes over, or without one."""
    who, form = actor(), AgreementForm()
    found = queries.pledge_detail(pledge_id) if pledge_id else None
    pledge = found.pledge if found else None
    if pledge is not None:
        require(who, Permission.MONEY_WRITE, pledge.office_id)
    offices = [pledge.office_id] if pledge else writable(who)
    offer_offices(form.office_id, offices)
    office_id = pledge.office_id if pledge else read_uuid(form.office_id.data) or offices[0]
    form.pledge_currency = pledge.currency if pledge else ""
    if pledge is not None:
        del form.donor
    if request.method == "GET":
        _prefill(form, pledge, office_id)
    offer_money(form.currency, office_id, pledge.currency if pledge else "")
    programmes = programme_options([office_id])
    form.offer(programmes)
    form.earmarking.choices = choices(
        [("", _("Not said")), *((code, f"{code} – {item.name}") for code, item in earmarking_modalities().items())]
    )

    settled: dict[str, Found | None] = {"donor": Found() if pledge is not None else None}

    def is_donor_known() -> bool:
        if pledge is None:
            settled["donor"] = settle(form.donor, office_id)
        return settled["donor"] is not None

    def save() -> uuid.UUID:
        amount = given(form.money)
        lines = [services.BudgetLine(_programme(key, place), part) for place, (key, part) in enumerate(form.earmarks)]
        return services.sign_agreement(
            who,
            services.NewAgreement(
                amount=amount,
                signed_on=given(form.signed_on.data),
                title=form.title.data or "",
                pledge_id=pledge_id,
                office_id=office_id,
                donor_id=given(settled["donor"]).party_id,
                new_donor=given(settled["donor"]).new,
                donor_reference=form.donor_reference.data or "",
                starts_on=form.starts_on.data,
                ends_on=form.ends_on.data,
                earmarking=form.earmarking.data or None,
                recovery_rate=given(form.recovery),
                recovery_basis=form.recovery_basis.data or "programmable",
                budget_lines=lines,
                plan=form.plan_lines or None,
                converted=form.converted_money,
            ),
        )

    step = checked_save(
        form,
        save,
        agreement_figures,
        then=lambda key: url_for("agreements.detail", agreement_id=key),
        message=_("The agreement is recorded."),
        helper=plan_helper(form, form.total),
        check=is_donor_known,
    )
    if step.response:
        return step.response
    facts = {"pledge": pledge, "donor": pledge.donor.name if pledge else form.donor.text, "back": _back(pledge_id)}
    form.offer(programmes)  # a row may have been added
    if step.preview:
        titles = {choice.value: str(choice.label) for choice in programmes}
        labels = {"earmarking": label_of(form.earmarking), "lines": [(titles.get(key, ""), part) for key, part in form.earmarks]}
        return render_template(
            "agreements/check.html", form=form, facts=facts, figures=step.preview, labels=labels, answers=hidden_answers()
        )
    return render_template(
        "agreements/form.html", form=form, facts=facts, offices=offices, likely=[] if pledge else lookups.likely_parties(office_id)
    ), step.code


def _programme(key: str, place: int) -> uuid.UUID:
    found = read_uuid(key)
    if found is None:
        raise Invalid(_("Choose from the list."), field=f"budget_lines-{place}-programme_id")
    return found


def _back(pledge_id: uuid.UUID | None) -> str:
    return url_for("pledges.detail", pledge_id=pledge_id) if pledge_id else url_for("pledges.index")


def _prefill(form: AgreementForm, pledge: Pledge | None, office_id: uuid.UUID) -> None:
    form.signed_on.data = clock.today(actor().timezone)
    if pledge is not None:
        form.lines.entries[0].form.programme_id.data = str(pledge.programme_id or "")
    else:
        prefill(form.donor, read_uuid(request.args.get("party")), office_id)


@bp.get("/<uuid:agreement_id>")
@permit(Permission.RECORD_SEE)
def detail(agreement_id: uuid.UUID) -> Any:
    """An agreement as of a day: what was signed, came, is still to come, can be programmed and is allocated."""
    found = queries.agreement_detail(agreement_id)
    agreement = found.agreement
    on, day_note = as_of(lookups.office(agreement.office_id).timezone, agreement.signed_on)
    figures = agreement_figures(agreement_id, on)
    return render_template(
        "agreements/detail.html",
        found=found,
        agreement=agreement,
        figures=figures,
        earmarks=queries.earmarks(agreement, figures.secured.own[0] if figures.secured.own else agreement.value),
        on=on,
        day_note=day_note,
        events=event_lines(queries.agreement_timeline(found), record_url),
        files=files.part("agreement", agreement_id, agreement.office_id),
        may=may_write(agreement.office_id),
    )


@bp.get("/<uuid:agreement_id>/history")
@permit(Permission.RECORD_SEE)
def agreement_history(agreement_id: uuid.UUID) -> Any:
    """Who changed what on an agreement."""
    agreement = queries.agreement_of(agreement_id)
    address = url_for("agreements.agreement_history", agreement_id=agreement_id)
    back = url_for("agreements.detail", agreement_id=agreement_id)
    return history_page(agreement_id, name=agreement.reference, back=back, address=address)


@bp.route("/<uuid:agreement_id>/amend", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def amend(agreement_id: uuid.UUID) -> Any:
    """Raise or cut a signed agreement; the earlier terms stay readable."""
    who = actor()
    agreement = queries.agreement_of(agreement_id)
    require(who, Permission.MONEY_WRITE, agreement.office_id)
    form = AmendmentForm()
    form.own_currency = agreement.currency
    if request.method == "GET":
        form.on.data = clock.today(who.timezone)
        form.version.data = str(agreement.version)
    back = url_for("agreements.detail", agreement_id=agreement_id)
    facts = {"agreement": agreement.reference, "value": agreement.value, "received": agreement.received, "back": back}

    def save() -> uuid.UUID:
        change = given(form.money)
        services.amend_agreement(
            who,
            agreement_id,
            services.Amendment(
                change if form.direction.data == "up" else -change,
                given(form.on.data),
                form.reason.data or "",
                plan=form.plan_lines or None,
                version=opened(form),
            ),
        )
        return agreement_id

    if request.method == "POST" and "add" in request.form:
        form.add_row()
        return render_template("agreements/amend.html", form=form, facts=facts)
    done = save_form(form, save, then=lambda _key: back, message=_("The amendment is recorded."))
    if done is None and form.conflict is not None:
        return money_forms.conflict_page(form, back)
    return done or (render_template("agreements/amend.html", form=form, facts=facts), status(form))


@bp.route("/<uuid:agreement_id>/reschedule", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def reschedule(agreement_id: uuid.UUID) -> Any:
    """Another plan for the whole value; what was received pays it, oldest due first."""
    found = queries.agreement_detail(agreement_id)
    record = found.agreement

    def save(form: RescheduleForm, version: Opened) -> uuid.UUID:
        services.reschedule_agreement(actor(), agreement_id, form.plan_lines, form.reason.data or "", on=form.on.data, version=version)
        return agreement_id

    plan = [PlanLine(row.amount, row.due_on, row.due_when) for row in found.plan]
    return reschedule_page(record, plan, record.value, url_for("agreements.detail", agreement_id=agreement_id), save)

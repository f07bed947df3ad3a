"""The funding landscape as reported to OCHA FTS: the list with its figures, one flow, plans and their links to our programmes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from crm.formatting import day, money, number, percent
from crm.forms.flows import PlanLinkForm, UnlinkForm
from crm.i18n import _, _l, get_locale
from crm.models.flows import Flow
from crm.money import from_minor
from crm.policy import Permission, all_offices, can, offices_where
from crm.queries import flows as queries
from crm.queries.figures import landscape as figures
from crm.queries.flows import IN_KIND, NONE_GIVEN, SHARED, Filters
from crm.queries.parties import names_of
from crm.services import flows
from crm.services.flows import NewPlanLink
from crm.web.gate import actor, permit
from crm.web.helpers import args_with, paging, save_form, status
from crm.web.landscape import (
    DASH,
    KIND_NAMES,
    PART_HEADERS,
    STAGE_HEADERS,
    STATUS_NAMES,
    amounts,
    badges,
    facts_of,
    original_of,
    original_rows,
    pages_of,
    part_cells,
    stage_rows,
)

bp = Blueprint("flows", __name__, url_prefix="/flows")
PARTS_SHOWN = 15
DIRECTIONS = {"incoming": _l("Incoming"), "internal": _l("Internal"), "outgoing": _l("Outgoing")}


@bp.get("/")
@permit(Permission.RECORD_SEE)
def index() -> Any:
    """Reported flows in scope, narrowed and paged, with their figures by status, plan, recipient and donor."""
    filters = Filters.of(request.args)
    asked = paging()
    conditions = queries.matching(filters)
    page = queries.find(conditions, filters.sort, asked)
    seen, plans = figures.by_plan(conditions)
    recipients, donors = figures.by_recipient(conditions), figures.by_donor(conditions)
    names = None
    if queries.has_each_once() and not filters.is_narrowed:
        names = queries.Named(*([part.name for part in parts] for parts in (donors, recipients, plans)))
    choices = queries.choices(names)
    return render_template(
        "flows/index.html",
        filters=filters,
        page=page,
        rows=[_row(flow) for flow in page.rows],
        headers=_headers(filters),
        pages=pages_of(page, asked, "flows.index", args_with),
        facts_items=facts_of(seen),
        stage_headers=[str(label) for label in STAGE_HEADERS],
        stages=stage_rows(seen),
        originals=original_rows(seen),
        parts=[
            _parts("plans", _("By plan"), _("Plan"), plans, "plan"),
            _parts("recipients", _("By recipient"), _("Recipient"), recipients, "recipient_id"),
            _parts("donors", _("By donor"), _("Donor"), donors, "donor_id"),
        ],
        as_of=queries.data_as_of(*conditions),
        years=_span(choices.years),
        choices=choices,
        options=_options(choices),
        chips=_chips(filters),
        is_empty=not page.rows and not filters.is_narrowed,
    )


def _span(years: Sequence[str]) -> str:
    """The years of use that are known, from the first to the last."""
    known = sorted(year for year in years if year)
    return "" if not known else known[0] if known[0] == known[-1] else _("%(first)s to %(last)s", first=known[0], last=known[-1])


def _options(choices: queries.Choices) -> dict[str, list[tuple[str, str]]]:
    none = (NONE_GIVEN, _("none given"))
    return {
        "status": [("", _("All")), *((key, str(word)) for key, (word, _tone) in STATUS_NAMES.items())],
        "plan": [("", _("All")), none, *((name, name) for name in choices.plans if name)],
        "year": [("", _("All")), *((year, year) for year in choices.years)],
        "cluster": [("", _("All")), none, *((name, name) for name in choices.clusters)],
    }


def _headers(filters: Filters) -> list[dict[str, Any]]:
    def sortable(name: str) -> dict[str, str]:
        is_sorted = filters.sort.lstrip("-") == name
        turned = name if filters.sort == f"-{name}" else f"-{name}"
        arrow = ("descending" if filters.sort.startswith("-") else "ascending") if is_sorted else ""
        return {"sort_url": url_for("flows.index", **args_with(sort=turned, page=None, after=None)), "sorted": arrow}

    return [
        {"key": "who", "label": _("Donor and recipient"), "phone": "who"},
        {"key": "plan", "label": _("Plan"), "phone": "what"},
        {"key": "status", "label": _("Status"), "phone": "status"},
        {"key": "date", "label": _("Date"), "phone": "when", "nowrap": True, **sortable("date")},
        {"key": "money", "label": _("Money"), "numeric": True, "phone": "amount", **sortable("amount")},
        {"key": "kind", "label": _("In kind"), "numeric": True, "phone": "labelled"},
        {"key": "original", "label": _("Original"), "numeric": True, "phone": "labelled"},
    ]


def _row(flow: Flow) -> list[Any]:
    word, tone = STATUS_NAMES[flow.status]
    cash, goods, original = amounts(flow)
    return [
        {
            "text": flow.donor_name or _("donor not given"),
            "href": url_for("flows.detail", flow_id=flow.id),
            "sub": _("to %(recipient)s", recipient=flow.recipient_name or _("recipient not given")),
        },
        flow.plan_name or _("no plan given"),
        {"status": str(word), "tone": tone, "badges": badges(flow)},
        day(flow.flow_date, get_locale()),
        {"text": cash, "unit": "USD"} if cash else None,
        {"text": goods, "unit": "USD"} if goods else None,
        original,
    ]


def _parts(key: str, title: str, label: str, parts: list[figures.Part], argument: str) -> dict[str, Any]:
    """A breakdown as a table: the largest, each leading to its flows."""
    rows = []
    for part in parts[:PARTS_SHOWN]:
        value = (part.name or NONE_GIVEN) if argument == "plan" else part.party_id
        href = url_for("flows.index", **args_with(**{argument: str(value)}, page=None, after=None)) if value else ""
        rows.append({"name": part.name or _("none given"), "href": href, "cells": part_cells(part)})
    return {
        "key": key,
        "title": title,
        "headers": [label, *(str(name) for name in PART_HEADERS)],
        "rows": rows,
        "left": number(len(parts) - PARTS_SHOWN, get_locale()) if len(parts) > PARTS_SHOWN else "",
        "count": number(len(parts), get_locale()),
    }


def _chips(filters: Filters) -> list[dict[str, str]]:
    def named(value: str) -> str:
        return _("none given") if value == NONE_GIVEN else value

    party_names = names_of([key for key in (filters.donor_id, filters.recipient_id) if key])
    word = str(STATUS_NAMES[filters.status][0]) if filters.status else ""
    shown = {
        "donor": _("Donor: %(name)s", name=filters.donor) if filters.donor else "",
        "recipient": _("Recipient: %(name)s", name=filters.recipient) if filters.recipient else "",
        "donor_id": _("Donor: %(name)s", name=party_names.get(filters.donor_id, DASH)) if filters.donor_id else "",
        "recipient_id": _("Recipient: %(name)s", name=party_names.get(filters.recipient_id, DASH)) if filters.recipient_id else "",
        "plan": _("Plan: %(name)s", name=named(filters.plan)) if filters.plan else "",
        "status": word,
        "year": _("Used in %(year)s", year=filters.year) if filters.year else "",
        "cluster": _("Cluster: %(name)s", name=named(filters.cluster)) if filters.cluster else "",
        "batch": _("From one file") if filters.batch_id else "",
    }
    return [
        {"label": label, "remove_url": url_for("flows.index", **args_with(**{name: None}, page=None, after=None))}
        for name, label in shown.items()
        if label
    ]


@bp.get("/<uuid:flow_id>")
@permit(Permission.RECORD_SEE)
def detail(flow_id: uuid.UUID) -> Any:
    """One flow with every field as reported, its number at the source, and the file it came from."""
    flow = queries.get(flow_id)
    batch = queries.batch_of(flow)
    word, tone = STATUS_NAMES[flow.status]
    return render_template(
        "flows/detail.html",
        flow=flow,
        badges=[{"text": str(word), "tone": tone}, *badges(flow)],
        strip=_facts(flow),
        groups=_groups(flow),
        batch=batch,
        batch_url=url_for("imports.detail", batch_id=batch.id) if batch and can(actor(), Permission.IMPORT_CONTACTS) else "",
        copies=queries.copies_of(flow),
        links=queries.links(plan_name=flow.plan_name) if flow.plan_name else [],
        office=next((office.name for office in all_offices() if office.id == flow.office_id), ""),
    )


def _facts(flow: Flow) -> list[dict[str, Any]]:
    """How much, when and under which plan."""
    amount = money(from_minor(flow.amount_usd_minor, "USD"), get_locale(), decimals=0)
    kind = _("In kind") if flow.contribution_type == IN_KIND else ""
    plan = flow.plan_name or _("No plan given")
    return [
        {"label": _("Amount"), "value": amount, "note": original_of(flow) or kind},
        {"label": _("Date"), "value": day(flow.flow_date, get_locale())},
        {"label": _("Plan"), "value": plan, "href": url_for("flows.index", plan=flow.plan_name or NONE_GIVEN), "is_text": True},
    ]


def _groups(flow: Flow) -> list[tuple[str, list[dict[str, Any]]]]:
    def when(value: Any) -> str:
        return day(value, get_locale()) if value else ""

    def listed(joined: str) -> str:
        return ", ".join(filter(None, joined.split(",")))

    def party(key: uuid.UUID | None, name: str, argument: str) -> dict[str, Any]:
        label = _("Donor") if argument == "donor_id" else _("Recipient")
        return {"label": label, "value": name, "href": url_for("parties.detail", party_id=key) if key else ""}

    is_shared = flow.on_boundary == SHARED
    return [
        (
            _("Who and how much"),
            [
                party(flow.donor_id, flow.donor_name, "donor_id"),
                party(flow.recipient_id, flow.recipient_name, "recipient_id"),
                {"label": _("Amount"), "value": money(from_minor(flow.amount_usd_minor, "USD"), get_locale())},
                {"label": _("Original amount"), "value": original_of(flow)},
                {"label": _("Original currency per USD"), "value": number(flow.exchange_rate, get_locale()) if flow.exchange_rate else ""},
                {"label": _("Money or goods"), "value": _("In kind") if flow.contribution_type == IN_KIND else _("Money")},
                {"label": _("Kind of flow"), "value": str(KIND_NAMES.get(flow.flow_type, flow.flow_type))},
                {"label": _("Method"), "value": flow.method},
            ],
        ),
        (
            _("What for"),
            [
                {
                    "label": _("Plan"),
                    "value": flow.plan_name or _("none given"),
                    "href": url_for("flows.index", plan=flow.plan_name or NONE_GIVEN),
                    "note": flow.plan_code,
                },
                {"label": _("Plan number at FTS"), "value": flow.plan_id},
                {"label": _("Clusters"), "value": listed(flow.clusters)},
                {"label": _("Project"), "value": flow.project},
                {"label": _("Emergency"), "value": flow.emergency},
                {"label": _("Places"), "value": listed(flow.locations)},
                {"label": _("Years of use"), "value": flow.usage_years},
                {"label": _("Budget year"), "value": flow.budget_year},
                {"label": _("Description"), "value": flow.description},
                {"label": _("Keywords"), "value": listed(flow.keywords)},
            ],
        ),
        (
            _("When and where from"),
            [
                {"label": _("Date"), "value": when(flow.flow_date)},
                {"label": _("Decided"), "value": when(flow.decision_date)},
                {"label": _("First reported"), "value": when(flow.first_reported)},
                {"label": _("Updated at FTS"), "value": when(flow.reported_updated)},
                {"label": _("FTS flow number"), "value": flow.source_id},
                {"label": _("Reporter's code"), "value": flow.ref_code},
                {"label": _("Direction"), "value": str(DIRECTIONS.get(flow.boundary, flow.boundary))},
                {
                    "label": _("Single or shared"),
                    "value": _("Shared with other places: shown, never added to single ones")
                    if is_shared
                    else _("Single: of this place alone"),
                },
            ],
        ),
    ]


# --- plans -------------------------------------------------------------------------------------------------------


@bp.get("/plans")
@permit(Permission.RECORD_SEE)
def plans() -> Any:
    """What FTS says each plan required and was funded, and which of our programmes a plan is about."""
    form = _link_form()
    form.plan.data = request.args.get("plan", "")
    return _plans_page(form)


@bp.post("/plans/link")
@permit(Permission.CONTACT_LOG)
def link() -> Any:
    """Say that a plan is about one of our programmes."""
    who = actor()
    form = _link_form()
    done = save_form(
        form,
        lambda: flows.link_plan(who, NewPlanLink(form.plan.data, uuid.UUID(form.programme.data))),
        then=lambda _key: url_for("flows.plans"),
        message=_("The plan is linked to the programme. No figure changes."),
    )
    return done or _plans_page(form)


def _link_form() -> PlanLinkForm:
    offices = offices_where(actor(), Permission.CONTACT_LOG)
    programmes = [(str(key), f"{reference} {title}") for key, reference, title in queries.programmes_to_link(offices)] if offices else []
    return PlanLinkForm(plans=queries.plan_names(), programmes=programmes)


def _plans_page(form: PlanLinkForm) -> Any:
    linked = queries.links()
    rows = [_plan_row(row) for row in queries.plans(linked)]
    return render_template("flows/plans.html", form=form, rows=rows, links=linked, unlink=UnlinkForm(formdata=None)), status(form)


def _plan_row(row: queries.PlanRow) -> dict[str, Any]:
    plan = row.requirement
    required, funded = plan.requirements_usd_minor, plan.funding_usd_minor
    is_none = not plan.plan_id and not plan.plan_code
    return {
        "name": _("Not specified (outside plans)") if is_none and plan.plan_name.casefold() == "not specified" else plan.plan_name,
        "href": url_for("flows.index", plan=NONE_GIVEN if is_none else plan.plan_name),
        "kind": plan.plan_type,
        "code": plan.plan_code,
        "country": plan.country,
        "year": str(plan.year),
        "required": number(from_minor(required, "USD").amount, get_locale(), decimals=0) if required is not None else DASH,
        "funded": number(from_minor(funded, "USD").amount, get_locale(), decimals=0) if funded is not None else DASH,
        "percent": percent(plan.percent_funded / 100, get_locale()) if plan.percent_funded is not None else DASH,
        "links": row.links,
    }


@bp.post("/plans/links/<uuid:link_id>/unlink")
@permit(Permission.CONTACT_LOG)
def unlink(link_id: uuid.UUID) -> Any:
    """Take a link between a plan and a programme back."""
    flows.unlink_plan(actor(), link_id)
    flash(_("The link is taken back. No figure changes."), "success")
    return redirect(url_for("flows.plans"), code=303)

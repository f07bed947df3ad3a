"""Programmes: the list by year, one with its money, outputs and indicators, and the forms behind it."""

from __future__ import annotations

import dataclasses
import uuid
from decimal import Decimal
from typing import Any

from flask import Blueprint, render_template, request, url_for

from crm import clock
from crm.data import crc_articles, sdg_goals
from crm.errors import NotFound
from crm.formatting import compact_number, day, month, number
from crm.forms.base import BaseForm, choices
from crm.forms.programmes import IndicatorForm, MeasurementForm, OutputForm, ProgrammeForm, RequirementForm
from crm.i18n import _, get_locale, ngettext
from crm.models.codes import GOAL_AREAS, SECTORS
from crm.models.programmes import GOAL_AREA, Indicator, Programme
from crm.money import Money
from crm.policy import Permission, can, require
from crm.queries import codes, flows, lookups, money_choices
from crm.queries import programmes as queries
from crm.queries.figures.programmes import ProgrammeMoney, YearMoney, programme_money
from crm.queries.programmes import IndicatorSeries
from crm.services import programmes as services
from crm.services.programmes import IndicatorInput, ProgrammeInput
from crm.web import lookups as shared
from crm.web import saved_lists
from crm.web.conflicts import conflict_items, settle, shown, take_choices
from crm.web.exports import offer_files
from crm.web.gate import actor, permit
from crm.web.helpers import paging, save_form, status
from crm.web.listing import Seen
from crm.web.money import as_of, may_write
from crm.web.money_forms import chosen, given, offer_money, offer_offices, read_uuid, writable
from crm.web.money_history import history_page
from crm.web.programme_list import LISTING, sector_name, year_of
from reports import charts

bp = Blueprint("programmes", __name__, url_prefix="/programmes")
offer_files(bp, LISTING)


@bp.get("/")
@permit(Permission.RECORD_SEE)
def index() -> Any:
    """The programmes in scope with need, secured and gap of a year: words, year, sector, sort, columns."""
    seen = Seen.of(LISTING, request.args, actor())
    filters, asked = seen.reading.filters, paging()
    page = seen.reading.page(asked)
    sectors = sorted((sector_name(code), code) for code in queries.sectors_used())
    chips = [
        (filters.q, _("Words: %(words)s", words=filters.q), "q"),
        (filters.sector, _("Sector: %(name)s", name=sector_name(filters.sector)), "sector"),
    ]
    return render_template(
        "programmes/index.html",
        page=page,
        filters=filters,
        year=year_of(seen.reading.understood, actor()),
        headers=seen.headers(),
        rows=seen.cells(page.rows),
        chips=[shared.chip(label, name) for value, label, name in chips if value],
        sector_options=shared.options((code, name) for name, code in sectors),
        kept={name: value for name, value in seen.arguments.items() if name in ("sort", "columns")},
        pages=shared.pages(page, asked),
        tools=seen.tools(),
        saved=saved_lists.above(seen),
    )


# --- one -----------------------------------------------------------------------------------------------------------


@bp.get("/<uuid:programme_id>")
@permit(Permission.RECORD_SEE)
def detail(programme_id: uuid.UUID) -> Any:
    """A programme: what it needs and has, by year and output; what shows that it works; who asks and promises for it."""
    found = queries.programme_detail(programme_id, most=None if request.args.get("behind") == "all" else queries.MONEY_SHOWN)
    on, day_note = as_of(lookups.office(found.programme.office_id).timezone)
    money = programme_money(programme_id, on)
    office_id = found.programme.office_id
    return render_template(
        "programmes/detail.html",
        found=found,
        programme=found.programme,
        money=money,
        outputs={item.output_id: item for item in money.outputs},
        chart=_funding_chart(money),
        lines={series.indicator.id: _indicator_chart(series) for series in found.indicators},
        measured={series.indicator.id: _measured(series) for series in found.indicators},
        asks=money_choices.asks_for(programme_id),
        promises_=money_choices.promises_for(programme_id),
        plans=flows.links(programme_id=programme_id),
        tags=_tags(found.programme),
        sector=codes.label(SECTORS, found.programme.sector),
        on=on,
        day_note=day_note,
        next_action="need" if not _is_need_known(money) else "pledge" if money.gap or money.short_years else "",
        may=may_write(office_id),
        may_measure=can(actor(), Permission.CONTACT_LOG, office_id),
    )


def _is_need_known(money: ProgrammeMoney) -> bool:
    """Whether it is written down what the programme needs in the year of the view or a coming one."""
    return any(item.required.sources and item.year >= money.as_of.year for item in money.years)


def _tags(programme: Programme) -> list[str]:
    texts = []
    for tag in programme.tags:
        if tag.scheme == "sdg-goal" and tag.code in sdg_goals():
            texts.append(_("SDG %(code)s %(name)s", code=tag.code, name=sdg_goals()[tag.code].name))
        elif tag.scheme == "sdg-target":
            texts.append(_("SDG target %(code)s", code=tag.code))
        elif tag.scheme == GOAL_AREA:
            texts.append(codes.label(GOAL_AREAS, tag.code))
        elif tag.code in crc_articles():
            texts.append(_("CRC article %(code)s, %(name)s", code=tag.code, name=crc_articles()[tag.code].short_title))
    return texts


def _amount(money: Money | None) -> Decimal | None:
    return None if money is None else money.amount


def _funding_year(item: YearMoney) -> charts.FundingYear:
    is_known = not item.secured.is_partial and not item.paid.is_partial
    secured, paid = item.secured.reporting, item.paid.reporting
    return charts.FundingYear(
        str(item.year),
        paid=paid.amount if is_known else None,
        secured_unpaid=max(Decimal(0), secured.amount - paid.amount) if is_known else None,
        pledged=None if item.pledged.is_partial else item.pledged.reporting.amount or None,
        requirement=None if item.required.is_partial or not item.required.sources else item.required.reporting.amount,
        gap=_amount(item.gap),
    )


def _funding_chart(money: ProgrammeMoney) -> charts.Chart:
    if money.gap is not None and money.gap:
        title = _("%(gap)s is still missing", gap=f"{money.currency} {compact_number(money.gap.amount, get_locale())}")
    elif money.short_years:
        count = len(money.short_years)
        title = ngettext(
            "%(num)d year is short, though over all years enough is secured",
            "%(num)d years are short, though over all years enough is secured",
            count,
        )
    elif money.over is not None and money.over and money.required:
        title = _("More is secured than is required")
    elif money.required:
        title = _("What is required is secured")
    else:
        title = _("No requirement is recorded yet")
    words = charts.FundingWords(
        period=_("Year"),
        paid=_("Paid"),
        secured_unpaid=_("Secured, not yet paid"),
        domestic=_("Domestic budget"),
        pledged=_("Pledged (outside totals)"),
        gap=_("Gap"),
        requirement=_("Requirement"),
        missing=_("no data"),
        need_mark=_("need {value}"),
    )
    data = charts.StackedBars(
        title,
        _("Funding by year against the requirement, %(currency)s; pledges stand beside it", currency=money.currency),
        _("Records of this office as of %(day)s.", day=day(money.as_of, get_locale())),
        tuple(_funding_year(item) for item in money.years),
        words,
    )
    return charts.for_screens(charts.stacked_bars, data, prefix="funding", lang=get_locale())


def _indicator_chart(series: IndicatorSeries) -> charts.Chart | None:
    indicator = series.indicator
    points = [(row.measured_on, row.value) for row in series.measurements]
    if indicator.baseline_on is not None and indicator.baseline_value is not None:
        points.append((indicator.baseline_on, indicator.baseline_value))
    if len(points) < 2:  # noqa: PLR2004 - one value is no line
        return None
    points.sort()
    data = charts.Line(
        indicator.title,
        indicator.unit,
        indicator.source,
        tuple(month(on, get_locale(), is_short=True) for on, _value in points),
        (charts.Series(_("Latest"), tuple(value for _on, value in points)),),
        baseline=indicator.baseline_value,
        target=indicator.target_value,
        baseline_label=_("Baseline"),
        target_label=_("Target"),
        x_head=_("Day"),
    )
    chart = charts.for_screens(charts.line, data, prefix=f"i{indicator.id.hex[-8:]}", lang=get_locale())
    rows = tuple((day(on, get_locale()), *row[1:]) for (on, _value), row in zip(points, chart.rows, strict=True))
    return dataclasses.replace(chart, headers=(chart.headers[0], indicator.unit or _("Value")), rows=rows)


def _measured(series: IndicatorSeries) -> list[tuple[str, str, str]]:
    """(day, value, source) of each measurement; none where no source was said."""
    if not any(row.source for row in series.measurements):
        return []
    return [(day(row.measured_on, get_locale()), number(row.value, get_locale()), row.source) for row in series.measurements]


# --- forms ---------------------------------------------------------------------------------------------------------


def _offer(form: ProgrammeForm, office_id: uuid.UUID, programme: Programme | None = None) -> None:
    today = clock.today(lookups.office(office_id).timezone)
    held = [tag.code for tag in programme.tags if tag.scheme == GOAL_AREA] if programme else []
    sectors = codes.offered(SECTORS, today, programme.sector if programme else None)
    form.sector.choices = choices([("", _("Not said")), *((item.code, f"{item.code} {item.label}") for item in sectors)])
    form.goal_areas.choices = choices((item.code, item.label) for item in codes.offered(GOAL_AREAS, today, *held))
    form.goals.choices = choices([(code, f"{code} {goal.name}") for code, goal in sdg_goals().items()])


def _input(form: ProgrammeForm, office_id: uuid.UUID | None) -> ProgrammeInput:
    return ProgrammeInput(
        title=form.title.data or "",
        starts_on=given(form.starts_on.data),
        office_id=office_id,
        ends_on=form.ends_on.data,
        summary=form.summary.data or "",
        sector=form.sector.data or None,
        place_text=form.place_text.data or "",
        currency=form.currency.data or "",
        tags=form.tags(),
    )


@bp.route("/new", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def create() -> Any:
    """Record a programme."""
    who, form = actor(), ProgrammeForm()
    offices = writable(who)
    offer_offices(form.office_id, offices)
    office_id = read_uuid(form.office_id.data) or offices[0]
    offer_money(form.currency, office_id, "" if form.currency.data else money_choices.office_currency(office_id)[1])
    _offer(form, office_id)
    done = save_form(
        form,
        lambda: services.create_programme(who, _input(form, office_id)),
        then=lambda key: url_for("programmes.detail", programme_id=key),
        message=_("The programme is recorded. Say next what it needs."),
    )
    back = url_for("programmes.index")
    return done or (
        render_template("programmes/form.html", form=form, offices=offices, back=back, title=_("Record a programme")),
        status(form),
    )


@bp.get("/<uuid:programme_id>/history")
@permit(Permission.RECORD_SEE)
def programme_history(programme_id: uuid.UUID) -> Any:
    """Who changed what on a programme."""
    programme = queries.programme_detail(programme_id).programme
    address = url_for("programmes.programme_history", programme_id=programme_id)
    back = url_for("programmes.detail", programme_id=programme_id)
    return history_page(programme_id, name=programme.title, back=back, address=address)


@bp.route("/<uuid:programme_id>/edit", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def edit(programme_id: uuid.UUID) -> Any:
    """Change what is said about a programme."""
    who, programme = actor(), _writable_programme(programme_id)
    current = _programme_as_typed(programme)
    form = ProgrammeForm(data=current) if request.method == "GET" else ProgrammeForm()
    take_choices(form, current)
    offer_money(form.currency, programme.office_id, programme.currency)
    _offer(form, programme.office_id, programme)

    def save() -> uuid.UUID:
        return services.edit_programme(who, programme_id, _input(form, None), version=form.known_version)

    back = url_for("programmes.detail", programme_id=programme_id)
    done = save_form(form, save, then=lambda _key: back, message=_("The programme is saved."))
    return (
        done
        or _conflict(form, back)
        or (
            render_template("programmes/form.html", form=form, offices=[], back=back, title=_("Edit the programme")),
            status(form),
        )
    )


def _programme_as_typed(programme: Programme) -> dict[str, Any]:
    """A programme as the form has it."""
    tags: dict[str, list[str]] = {}
    for tag in programme.tags:
        tags.setdefault(tag.scheme, []).append(tag.code)
    return {
        **{name: getattr(programme, name) or "" for name in ("title", "summary", "sector", "place_text", "currency")},
        "starts_on": programme.starts_on,
        "ends_on": programme.ends_on,
        "goal_areas": tags.get(GOAL_AREA, []),
        "goals": tags.get("sdg-goal", []),
        "targets": " ".join(tags.get("sdg-target", [])),
        "articles": " ".join(tags.get("crc", [])),
        "version": str(programme.version),
    }


def _conflict(form: BaseForm, back: str) -> Any:
    """The page of yours, theirs and the original, where somebody else saved first; else None."""
    if form.conflict is None:
        return None
    settle(form, {name: _typed_as(name, value) for name, value in form.conflict.merged.items()})
    items = conflict_items(form, _conflict_words)
    return render_template("programmes/conflict.html", form=form, items=items, who=form.conflict.who, back=back), 409


def _typed_as(name: str, value: object) -> object:
    """A merged value as the form's field has it: goals and goal areas are ticked, other tags are codes with blanks between."""
    if isinstance(value, tuple):
        return list(value) if name in ("goals", "goal_areas") else " ".join(value)
    if isinstance(value, uuid.UUID | Decimal):
        return str(value)
    return "" if value is None else value


def _conflict_words(name: str, value: object) -> str:
    """What the conflict page shows: goals and sectors by name."""
    if name == "goals" and isinstance(value, tuple):
        return "\n".join(f"{code} {sdg_goals()[code].name}" for code in value if code in sdg_goals())
    if name == "goal_areas" and isinstance(value, tuple):
        return "\n".join(codes.label(GOAL_AREAS, code) for code in value)
    if name == "sector" and isinstance(value, str):
        return codes.label(SECTORS, value)
    return shown(_typed_as(name, value)) if isinstance(value, tuple) else shown(value)


def _writable_programme(programme_id: uuid.UUID) -> Programme:
    programme = queries.programme_detail(programme_id).programme
    require(actor(), Permission.MONEY_WRITE, programme.office_id)
    return programme


@bp.route("/<uuid:programme_id>/requirements/new", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def requirement(programme_id: uuid.UUID) -> Any:
    """Say what a programme needs in a year: a new version."""
    who, programme = actor(), _writable_programme(programme_id)
    form = RequirementForm()
    form.own_currency = programme.currency
    if request.method == "GET":
        form.year.data = str(year_of(request.args, who))

    def save() -> uuid.UUID:
        return services.set_requirement(who, programme_id, given(form.number), given(form.money), form.source.data or "")

    back = url_for("programmes.detail", programme_id=programme_id)
    done = save_form(form, save, then=lambda _key: back, message=_("The requirement is recorded."))
    return done or (render_template("programmes/requirement.html", form=form, programme=programme, back=back), status(form))


@bp.route("/<uuid:programme_id>/outputs/new", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def output(programme_id: uuid.UUID) -> Any:
    """Add what a programme delivers."""
    who, programme, form = actor(), _writable_programme(programme_id), OutputForm()
    back = url_for("programmes.detail", programme_id=programme_id)
    done = save_form(
        form,
        lambda: services.add_output(who, programme_id, form.title.data or ""),
        then=lambda _key: back,
        message=_("The output is added."),
    )
    return done or (
        render_template("programmes/output.html", form=form, programme=programme, back=back, title=_("Add an output")),
        status(form),
    )


@bp.route("/<uuid:programme_id>/outputs/<uuid:output_id>/edit", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def edit_output(programme_id: uuid.UUID, output_id: uuid.UUID) -> Any:
    """Reword an output."""
    who, programme = actor(), _writable_programme(programme_id)
    held = next((row for row in programme.outputs if row.id == output_id), None)
    if held is None:
        raise NotFound
    form = OutputForm(data={"title": held.title, "version": str(held.version)}) if request.method == "GET" else OutputForm()
    take_choices(form, {"title": held.title})
    back = url_for("programmes.detail", programme_id=programme_id)
    done = save_form(
        form,
        lambda: services.edit_output(who, output_id, form.title.data or "", version=form.known_version),
        then=lambda _key: back,
        message=_("The output is saved."),
    )
    return (
        done
        or _conflict(form, back)
        or (
            render_template("programmes/output.html", form=form, programme=programme, back=back, title=_("Reword the output")),
            status(form),
        )
    )


def _indicator_input(form: IndicatorForm) -> IndicatorInput:
    return IndicatorInput(
        title=form.title.data or "",
        unit=form.unit.data or "",
        direction=form.direction.data or "up",
        output_id=chosen(form.output_id),
        baseline_value=form.baseline,
        baseline_on=form.baseline_on.data,
        target_value=form.target,
        target_on=form.target_on.data,
        source=form.source.data or "",
    )


@bp.route("/<uuid:programme_id>/indicators/new", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def indicator(programme_id: uuid.UUID) -> Any:
    """Add what shows that a programme works."""
    who, programme, form = actor(), _writable_programme(programme_id), IndicatorForm()
    _offer_outputs(form, programme)
    back = url_for("programmes.detail", programme_id=programme_id)
    done = save_form(
        form,
        lambda: services.add_indicator(who, programme_id, _indicator_input(form)),
        then=lambda _key: back,
        message=_("The indicator is added."),
    )
    return done or (
        render_template("programmes/indicator.html", form=form, programme=programme, back=back, title=_("Add an indicator")),
        status(form),
    )


def _as_typed(held: Indicator) -> dict[str, Any]:
    """An indicator as the form has it."""
    numbers = {name: getattr(held, name) for name in ("baseline_value", "target_value")}
    texts = {name: "" if value is None else f"{value:f}" for name, value in numbers.items()}
    days = {"baseline_on": held.baseline_on, "target_on": held.target_on}
    own = {name: getattr(held, name) for name in ("title", "unit", "direction", "source")}
    return {**own, **texts, **days, "output_id": str(held.output_id or ""), "version": str(held.version)}


def _offer_outputs(form: IndicatorForm, programme: Programme) -> None:
    form.output_id.choices = choices([("", _("The programme as a whole")), *((str(row.id), row.title) for row in programme.outputs)])


def _indicator(programme_id: uuid.UUID, indicator_id: uuid.UUID) -> Indicator:
    found = queries.indicator_detail(indicator_id)
    if found.programme_id != programme_id:
        raise NotFound
    return found


@bp.route("/<uuid:programme_id>/indicators/<uuid:indicator_id>/edit", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def edit_indicator(programme_id: uuid.UUID, indicator_id: uuid.UUID) -> Any:
    """Change an indicator; its measurements stay."""
    who, programme, held = actor(), _writable_programme(programme_id), _indicator(programme_id, indicator_id)
    current = _as_typed(held)
    form = IndicatorForm(data=current) if request.method == "GET" else IndicatorForm()
    take_choices(form, current)
    _offer_outputs(form, programme)
    back = url_for("programmes.detail", programme_id=programme_id)
    done = save_form(
        form,
        lambda: services.edit_indicator(who, indicator_id, _indicator_input(form), version=form.known_version),
        then=lambda _key: back,
        message=_("The indicator is saved."),
    )
    return (
        done
        or _conflict(form, back)
        or (
            render_template("programmes/indicator.html", form=form, programme=programme, back=back, title=_("Edit the indicator")),
            status(form),
        )
    )


@bp.route("/<uuid:programme_id>/indicators/<uuid:indicator_id>/measurements/new", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def measurement(programme_id: uuid.UUID, indicator_id: uuid.UUID) -> Any:
    """Record a measured value; field staff may."""
    who, held = actor(), _indicator(programme_id, indicator_id)
    require(who, Permission.CONTACT_LOG, held.office_id)
    form = MeasurementForm()
    if request.method == "GET":
        form.measured_on.data = clock.today(who.timezone)

    def save() -> uuid.UUID:
        return services.record_measurement(who, indicator_id, given(form.measured_on.data), given(form.number), form.source.data or "")

    back = url_for("programmes.detail", programme_id=programme_id)
    done = save_form(form, save, then=lambda _key: back, message=_("The measurement is recorded."))
    last = held.measurements[-1] if held.measurements else None
    shown = (
        _("Last: %(value)s on %(day)s.", value=number(last.value, get_locale()), day=day(last.measured_on, get_locale())) if last else ""
    )
    return done or (render_template("programmes/measurement.html", form=form, indicator=held, last=shown, back=back), status(form))

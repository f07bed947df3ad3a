"""A donor's place in the funding landscape, as FTS reports it. Never our money, and nothing here meets a figure of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from crm import formatting
from crm.money import zero
from crm.queries.figures.landscape import USD, Cell, FlowLine, Part, PartyFlows, Side, Stage, originals
from reports import charts
from reports.briefing_money import CHART_WIDTH, Plates
from reports.briefing_shapes import Cell as Place
from reports.briefing_shapes import Column, Fact, Landscape, Plate, Row, Table
from reports.charts import Bar, Bars
from reports.drawn_text import _, ngettext
from reports.printing import Printer
from reports.reference_book import NOTHING, Figure, Source

MOST_BARS = 8
MOST_ROWS = 10
SHORT_NAME = 60


def reported_of(flows: Iterable[PartyFlows]) -> PartyFlows | None:
    """What is reported of a donor: of the first of its records that has flows."""
    return next((one for one in flows if one.given), None)


def steer_facts(found: PartyFlows, printer: Printer) -> tuple[Fact, ...]:
    """What a donor committed and paid as reported, in short for page one; nothing of it is ours."""
    facts = _stage_facts(found.given, printer, is_short=True)
    return tuple(
        fact for fact, stage in zip(facts, found.given.landscape.stages, strict=True) if stage.status != "pledge" and fact.figure.mark
    )


def reported_years(side: Side) -> str:
    """The years of the flows, first to last; "" without any."""
    years = sorted({flow.date.year for flow in side.flows})
    return "" if not years else str(years[0]) if years[0] == years[-1] else f"{years[0]}\N{EN DASH}{years[-1]}"


def landscape(found: PartyFlows | None, printer: Printer, plates: Plates) -> Landscape:
    """Section 4 from what is reported of a donor."""
    if found is None:
        return Landscape((), "", None, None, None, None, None)
    side = found.given
    stages = side.landscape.stages
    source = _source(found, printer)
    return Landscape(
        (*_stage_facts(side, printer), _total_fact(side, printer)),
        _lead(side),
        _by_plan(side, printer, source),
        _chart(side, printer, plates, source),
        _by_recipient(side, printer, source),
        _by_currency(side, printer, source),
        _apart(stages, side, printer, source),
    )


def _stage_facts(side: Side, printer: Printer, *, is_short: bool = False) -> tuple[Fact, ...]:
    words = {
        "commitment": (_("Committed"), _("firm, not reported as paid")),
        "paid": (_("Paid"), _("reported as transferred")),
        "pledge": (_("Pledged"), _("not binding, in no total")),
    }
    whats = {
        "commitment": _("Committed: money, single boundary"),
        "paid": _("Paid: money, single boundary"),
        "pledge": _("Pledged: money, single boundary"),
    }
    return tuple(
        Fact(
            words[stage.status][0],
            _of(stage.financial, whats[stage.status], side, printer, _is(stage.status), is_short=is_short),
            words[stage.status][1],
        )
        for stage in side.landscape.stages
    )


def _total_fact(side: Side, printer: Printer) -> Fact:
    """FTS's own total, the one sum over two statuses there is."""
    figures = side.landscape
    cell = Cell(figures.fts_total, figures.committed.single.flows + figures.paid.single.flows)
    what = _("FTS’s own total: commitments and payments, in kind included")
    figure = _of(cell, what, side, printer, lambda flow: flow.status in ("commitment", "paid") and not flow.is_shared)
    return Fact(_("FTS total"), figure, _("commitments + paid, in kind included; as FTS adds them"))


def _source(found: PartyFlows, printer: Printer) -> str:
    newest = max((flow.updated for flow in found.given.flows if flow.updated), default=None)
    if newest is None:
        return _("Source: OCHA Financial Tracking Service, as imported. Not our money.")
    return _("Source: OCHA Financial Tracking Service, rows updated up to %(day)s. Not our money.", day=printer.day(newest))


def _lead(side: Side) -> str:
    count = ngettext("%(num)d flow is reported", "%(num)d flows are reported", side.flow_count)
    if not (span := reported_years(side)):
        return count
    return _(
        "%(count)s, dated %(span)s. These are other people’s records of who funds whom; none of it is in our figures.",
        count=count,
        span=span,
    )


def _is(
    status: str, *, plan: str | None = None, recipient: str | None = None, shared: bool = False, in_kind: bool = False
) -> Callable[[FlowLine], bool]:
    def fits(flow: FlowLine) -> bool:
        return (
            flow.status == status
            and flow.is_shared == shared
            and (shared or flow.is_in_kind == in_kind)
            and (plan is None or flow.plan_name == plan)
            and (recipient is None or flow.recipient_name == recipient)
        )

    return fits


def _of(
    cell: Cell,
    what: str,
    side: Side,
    printer: Printer,
    fits: Callable[[FlowLine], bool],
    *,
    is_bare: bool = False,
    is_short: bool = False,
) -> Figure:
    if not cell:
        return NOTHING
    sources = _flows(flow for flow in side.flows if fits(flow))
    note = ngettext("%(num)d flow", "%(num)d flows", cell.flows)
    if not sources:  # beyond the flows that are named one by one
        sources = _flows(side.flows)
        note = _("%(count)s of those reported", count=note)
    return printer.reported(cell.usd, _("FTS: %(what)s", what=what), sources, note, is_bare=is_bare, is_short=is_short)


def _flows(flows: Iterable[FlowLine]) -> list[Source]:
    return [Source("flow", str(flow.id), f"FTS {flow.source_id}") for flow in flows]


def _heads() -> tuple[Column, ...]:
    return (
        Column(_("Committed"), num=True, unit="USD"),
        Column(_("Paid"), num=True, unit="USD"),
        Column(_("Pledged"), num=True, unit="USD"),
    )


def _part_rows(parts: Iterable[Part], side: Side, printer: Printer, *, by: str, none: str) -> list[Row]:
    rows = []
    for part in parts:
        name = part.name or none
        cells = []
        for stage in part.landscape.stages:
            fits = _is(stage.status, plan=part.name) if by == "plan" else _is(stage.status, recipient=part.name)
            what = {
                "commitment": _("committed, %(name)s", name=name),
                "paid": _("paid, %(name)s", name=name),
                "pledge": _("pledged, %(name)s", name=name),
            }[stage.status]
            cells.append(Place(figure=_of(stage.financial, what, side, printer, fits, is_bare=True)))
        if any(cell.figure is not NOTHING for cell in cells):
            rows.append(Row((Place(name), *cells)))
    return rows


def _by_plan(side: Side, printer: Printer, source: str) -> Table | None:
    rows = _part_rows(side.by_plan[:MOST_ROWS], side, printer, by="plan", none=_("no plan given"))
    if not rows:
        return None
    left = len(side.by_plan) - MOST_ROWS
    return Table(
        _("Under which plan"),
        (Column(_("Plan")), *_heads()),
        tuple(rows),
        subtitle=ngettext("the largest; %(num)d more is in the attached file", "the largest; %(num)d more are in the attached file", left)
        if left > 0
        else "",
        source=source,
    )


def _by_recipient(side: Side, printer: Printer, source: str) -> Table | None:
    rows = _part_rows(side.by_counterpart[:MOST_ROWS], side, printer, by="recipient", none=_("no recipient given"))
    if not rows:
        return None
    left = len(side.by_counterpart) - MOST_ROWS
    return Table(
        _("To whom"),
        (Column(_("Recipient")), *_heads()),
        tuple(rows),
        subtitle=ngettext("the largest; %(num)d more is in the attached file", "the largest; %(num)d more are in the attached file", left)
        if left > 0
        else "",
        source=source,
    )


def _chart(side: Side, printer: Printer, plates: Plates, source: str) -> Plate | None:
    """Two bars a recipient would mix stages: the chart shows what was reported as paid, or committed where nothing was paid."""
    is_paid = bool(side.landscape.paid.financial)
    chosen: list[tuple[Part, Stage]] = []
    for part in side.by_counterpart:
        stage = part.landscape.paid if is_paid else part.landscape.committed
        if stage.financial:
            chosen.append((part, stage))
    chosen.sort(key=lambda pair: (-pair[1].financial.usd.amount, pair[0].name))
    if not chosen:
        return None
    top, rest = chosen[:MOST_BARS], chosen[MOST_BARS:]
    figures, bars = [], []
    word = _("paid") if is_paid else _("committed")
    for part, stage in top:
        name = part.name or _("no recipient given")
        what = _("paid, %(name)s", name=name) if is_paid else _("committed, %(name)s", name=name)
        figures.append(_of(stage.financial, what, side, printer, _is(stage.status, recipient=part.name)))
        bars.append(Bar(name[:SHORT_NAME], stage.financial.usd.amount, "quiet"))
    if rest:
        together = sum((stage.financial for _part, stage in rest), Cell())
        names = {part.name for part, _stage in rest}
        label = ngettext("%(num)d other", "%(num)d others", len(rest))
        status = rest[0][1].status
        sources = _flows(flow for flow in side.flows if _is(status)(flow) and flow.recipient_name in names) or _flows(side.flows)
        figures.append(printer.reported(together.usd, _("FTS: %(what)s", what=_("%(stage)s, all other recipients", stage=word)), sources))
        bars.append(Bar(label, together.usd.amount, "quiet"))
    whole = side.landscape.paid.financial if is_paid else side.landscape.committed.financial
    share = top[0][1].financial.usd.amount / whole.usd.amount if whole.usd.amount else None
    title = (
        _(
            "%(share)s of what is reported as %(stage)s went to %(name)s",
            share=formatting.percent(share, printer.lang),
            stage=word,
            name=top[0][0].name[:SHORT_NAME],
        )
        if share is not None and top[0][0].name
        else _("To whom it is reported as %(stage)s", stage=word)
    )
    chart = charts.bars(
        Bars(
            title=title,
            subtitle=_("USD, %(stage)s as reported to FTS, money only, flows to this place alone", stage=word),
            source=source,
            bars=tuple(bars),
            label_head=_("Recipient"),
            value_head=_("USD"),
            missing=_("no data"),
        ),
        prefix=plates.prefix(),
        lang=printer.lang,
        width=CHART_WIDTH,
    )
    return plates.add(
        chart, figures, in_text=not rest and {part.name for part, _stage in top} <= {part.name for part in side.by_counterpart[:MOST_ROWS]}
    )


def _by_currency(side: Side, printer: Printer, source: str) -> Table | None:
    """What the file gives in the original currency, per stage, goods and shared flows apart; never converted by us."""
    words = {"commitment": _("Committed"), "paid": _("Paid"), "pledge": _("Pledged")}
    rows = []
    for one in originals(side.landscape):
        stage = words[one.status]
        label = {
            "financial": stage,
            "in kind": _("%(stage)s, in kind", stage=stage),
            "shared": _("%(stage)s, shared", stage=stage),
        }[one.kind]
        fits = _is(one.status, shared=one.kind == "shared", in_kind=one.kind == "in kind")
        named = _flows(flow for flow in side.flows if fits(flow) and flow.original and flow.original.currency == one.amount.currency)
        what = _("FTS: %(stage)s in %(currency)s, as given", stage=label, currency=one.amount.currency)
        figure = printer.reported(one.amount, what, named or _flows(side.flows), is_bare=True)
        given = _("%(n)s of %(all)s flows", n=printer.number(one.given_for), all=printer.number(one.flows))
        rows.append(Row((Place(label), Place(one.amount.currency), Place(figure=figure), Place(figure=Figure(given, given, figure.mark)))))
    if not rows:
        return None
    return Table(
        _("In the original currency"),
        (Column(_("Stage")), Column(_("Currency")), Column(_("Amount"), num=True), Column(_("Given for"), num=True)),
        tuple(rows),
        source=source,
    )


def _apart(stages: Iterable[Stage], side: Side, printer: Printer, source: str) -> Table | None:
    """What must not be mixed with the rest: in kind, shared with other places, parked, passed through."""
    rows = []
    words = {"commitment": _("committed"), "paid": _("paid"), "pledge": _("pledged")}
    for stage in stages:
        kinds: tuple[tuple[str, Cell, Callable[[FlowLine], bool]], ...] = (
            (_("In kind, valued by the reporter"), stage.in_kind, _is(stage.status, in_kind=True)),
            (_("Shared with other countries or plans"), stage.shared, _is(stage.status, shared=True)),
            (_("Parked: not yet given to its final recipient"), stage.parked, _typed(stage.status, "parked")),
            (_("Passed through to others"), stage.passed_through, _typed(stage.status, "pass through")),
        )
        for label, cell, fits in kinds:
            if cell and cell.usd != zero(USD):
                figure = _of(cell, f"{label}, {words[stage.status]}", side, printer, fits, is_bare=True)
                rows.append(
                    Row(
                        (
                            Place(label),
                            Place(words[stage.status]),
                            Place(ngettext("%(num)d flow", "%(num)d flows", cell.flows), figure=figure),
                        )
                    )
                )
    if not rows:
        return None
    return Table(
        _("Kept apart: in kind, shared, parked"),
        (Column(_("What")), Column(_("Stage")), Column(_("Amount"), num=True, unit="USD")),
        tuple(rows),
        source=source,
    )


def _typed(status: str, flow_type: str) -> Callable[[FlowLine], bool]:
    return lambda flow: flow.status == status and flow.flow_type == flow_type and not flow.is_shared

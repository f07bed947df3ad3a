"""The money page and the programme page of a briefing pack. Figures come from `crm.queries.figures` alone; stages are never added."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date

from babel.dates import format_date
from babel.lists import format_list

from crm import formatting
from crm.data import crc_articles, sdg_goals, sdg_targets
from crm.i18n import get_locale
from crm.models.codes import GOAL_AREAS, SECTORS
from crm.models.programmes import GOAL_AREA, Programme
from crm.money import Money, zero
from crm.queries import codes
from crm.queries.figures.adding import Figure as MoneyFigure
from crm.queries.figures.chains import Chain, DonorMoney, SignedPart
from crm.queries.figures.money import OpenInstalment
from crm.queries.figures.programmes import ProgrammeMoney, YearMoney
from crm.queries.programmes import IndicatorSeries, ProgrammeDetail
from reports import charts
from reports.briefing_shapes import Cell, Column, Fact, MoneyPage, Plate, ProgrammePage, Row, Table
from reports.charts import Bar, FundingWords, FundingYear, Funnel, Month, Receipts, StackedBars
from reports.drawn_text import _, isolated, ngettext
from reports.printing import Printer, record
from reports.reference_book import NOTHING, Figure

MOST_CHAINS = 12
"""Pledges and agreements that are followed line by line; the totals hold all of them."""
MOST_INSTALMENTS = 24
CHART_WIDTH = 640.0
SOON = 30
"""Days before a due day from which an instalment is due soon."""
MOST_RECEIPTS = 8
LONGEST_TAG = 60


class Plates:
    """Numbers the charts in the order in which they are printed."""

    def __init__(self) -> None:
        self.all: list[Plate] = []

    def add(self, chart: charts.Chart, figures: Iterable[Figure], *, in_text: bool = False) -> Plate:
        """The chart with the next number and the marks of its figures."""
        marks = tuple(dict.fromkeys(figure.mark for figure in figures if figure.mark))
        plate = Plate(len(self.all) + 1, chart, marks, in_text)
        self.all.append(plate)
        return plate

    def prefix(self) -> str:
        """What the ids of the next chart begin with."""
        return f"f{len(self.all) + 1}"


# --- money -------------------------------------------------------------------------------------------------------


def money_page(donor: DonorMoney, titles: dict[uuid.UUID, str], printer: Printer, plates: Plates) -> MoneyPage:
    """Section 3 from a donor's money."""
    money = donor.money
    printer.note_gaps(money.left_out)
    facts = stage_facts(donor, printer)
    if not donor.chains:
        return MoneyPage(money.currency, facts, "", None, None, None, None)
    shown = donor.chains[-MOST_CHAINS:]
    more = len(donor.chains) - len(shown)
    funnel = _funnel(donor, printer, plates)
    ledger = _ledger(shown, titles, printer, money.currency)
    instalments = _instalments(money.instalments, printer)
    calendar = _calendar(donor, printer, plates)
    return MoneyPage(
        money.currency,
        facts,
        _lead(donor, printer),
        ledger,
        funnel,
        instalments,
        calendar,
        ngettext(
            "%(num)d earlier pledge or agreement is in the totals and not followed line by line.",
            "%(num)d earlier pledges and agreements are in the totals and not followed line by line.",
            more,
        )
        if more
        else "",
    )


def stage_facts(donor: DonorMoney, printer: Printer, *, is_short: bool = False) -> tuple[Fact, ...]:
    """The stages side by side."""
    money, unit = donor.money, "" if is_short else donor.money.currency
    stages = (
        (_("Pledged, outstanding"), money.pledged, _("Pledged and outstanding"), _("outside all totals")),
        (_("Secured (signed)"), money.secured, _("Secured by signature"), _("at the rate of signature")),
        (_("of which paid"), money.paid, _("Paid, as received"), _("at the rate of receipt")),
        (_("Receivable"), money.receivable, _("Receivable, signed and not yet paid"), _("at the rate of the report’s day")),
        (_("of that late"), money.late.total, _("Late, due before the report’s day"), ""),
    )
    return tuple(_stage_fact(label, figure, what, note, unit, printer, is_short=is_short) for label, figure, what, note in stages)


def _stage_fact(label: str, figure: MoneyFigure, what: str, note: str, unit: str, printer: Printer, *, is_short: bool) -> Fact:
    """A stage in the reporting currency; what has no rate stands beside it in its own currency, never as nothing."""
    converted = printer.reporting(figure, what, is_short=is_short, is_bare=not is_short)
    if not figure.left_out:
        return Fact(label, converted, note, unit)
    apart = " + ".join(printer.amount(amount, is_short=True) for amount in figure.without_rate)
    if figure.is_unknown:
        return Fact(label, Figure(apart, converted.value, converted.mark), _("no rate to %(currency)s", currency=figure.currency))
    return Fact(label, converted, _("without %(amounts)s, which has no rate", amounts=apart), unit)


def _known(figure: MoneyFigure) -> charts.Number | None:
    """What a chart draws of a figure: nothing known where nothing of it has a rate."""
    return None if figure.is_unknown else figure.reporting.amount


def _lead(donor: DonorMoney, printer: Printer) -> str:
    """One sentence that says what matters."""
    late = donor.money.late
    if late.count and late.oldest_on:
        return ngettext(
            "%(num)d instalment is late; the oldest has been due since %(day)s.",
            "%(num)d instalments are late; the oldest has been due since %(day)s.",
            late.count,
            day=printer.day(late.oldest_on),
        )
    if donor.money.next_due:
        return _("Nothing is late. The next instalment is due on %(day)s.", day=printer.day(donor.money.next_due.due_on))
    return _("Nothing is late.")


def _funnel(donor: DonorMoney, printer: Printer, plates: Plates) -> Plate | None:
    money = donor.money
    steps: tuple[tuple[str, MoneyFigure, charts.Kind, str], ...] = (
        (_("Announced"), money.announced, "pledged", _("Announced in pledges")),
        (_("Signed"), money.secured, "secured", _("Secured by signature")),
        (_("Paid"), money.paid, "paid", _("Paid, as received")),
        (_("Allocated"), donor.allocated, "done", _("Allocated to programmes")),
    )
    if not any(step[1] for step in steps):
        return None
    printed = [printer.reporting(figure, what) for _label, figure, _kind, what in steps]
    bars = tuple(Bar(label, _known(figure), kind) for label, figure, kind, _what in steps)
    chart = charts.funnel(
        Funnel(
            title=_("From what was announced to what reached programmes"),
            subtitle=_("%(currency)s, each stage at the rate of its own day; stages are not added up", currency=money.currency),
            source=_("Source: our records of pledges, agreements, receipts and allocations, as of %(day)s.", day=printer.day(money.as_of)),
            stages=bars,
            share_words=_("{share} of {stage}"),
            label_head=_("Stage"),
            value_head=_("Amount, %(currency)s", currency=money.currency),
            share_head=_("Share of the stage before"),
            missing=_("no data"),
        ),
        prefix=plates.prefix(),
        lang=printer.lang,
        width=CHART_WIDTH,
    )
    return plates.add(chart, printed)


def _ledger(chains: Sequence[Chain], titles: dict[uuid.UUID, str], printer: Printer, currency: str) -> Table:
    rows: list[Row] = []
    for chain in chains:
        if chain.pledge is not None and chain.announced is not None:
            event = titles.get(chain.pledge.id, "")
            head = (
                _(
                    "%(reference)s, pledged on %(day)s at %(event)s",
                    reference=chain.pledge.reference,
                    day=printer.day(chain.pledge.pledged_on),
                    event=event,
                )
                if event
                else _("%(reference)s, pledged on %(day)s", reference=chain.pledge.reference, day=printer.day(chain.pledge.pledged_on))
            )
            rows.append(Row((Cell(head),), "group"))
            name = chain.pledge.reference
            rate = printer.use(chain.pledge_rate)
            stages = (
                (_("Announced"), chain.announced.announced, _("%(record)s: announced", record=name)),
                (_("Converted into agreements"), chain.announced.converted, _("%(record)s: converted", record=name)),
                (_("Lapsed or withdrawn"), chain.announced.lapsed, _("%(record)s: lapsed or withdrawn", record=name)),
                (_("Still outstanding"), chain.announced.pledged, _("%(record)s: outstanding", record=name)),
            )
            rows += _stage_rows(stages, rate, printer)
        for part in chain.signed:
            rows += _signed_rows(part, titles, printer, is_alone=chain.pledge is None)
        if chain.unsigned is not None:
            rows.append(Row((Cell(_("Received without an agreement")),), "group"))
            rows += _stage_rows(((_("Paid"), chain.unsigned.paid, _("Received without an agreement")),), "", printer)
    return Table(
        _("Each pledge and agreement, stage by stage"),
        (
            Column(_("Stage")),
            Column(_("Own currency"), num=True),
            Column(_("Reporting currency"), num=True, unit=currency),
            Column(_("Rate")),
        ),
        tuple(rows),
        subtitle=_("Stages stand below each other and are never added up"),
        source=_("Source: our records, as of %(day)s.", day=printer.day(printer.as_of)),
    )


def _signed_rows(part: SignedPart, titles: dict[uuid.UUID, str], printer: Printer, *, is_alone: bool) -> list[Row]:
    name = part.row.reference
    title = titles.get(part.row.id, "")
    head = _("%(reference)s “%(title)s”, signed on %(day)s", reference=name, title=title, day=printer.day(part.row.signed_on))
    rows = [Row((Cell(head),), "group" if is_alone else "subgroup")]
    signature, today = printer.use(part.signature_rate), printer.use(part.report_rate)
    rows += _stage_rows(((_("Signed"), part.money.secured, _("%(record)s: signed", record=name)),), signature, printer)
    if 1 < len(part.receipts) <= MOST_RECEIPTS:
        for receipt, figure in part.receipts:
            label = _("Receipt %(reference)s, %(day)s", reference=receipt.reference, day=printer.day(receipt.value_on))
            rows += _stage_rows(((label, figure, label),), _rates_of(figure, printer), printer, kind="part")
    paid = part.money.paid
    rate = _rates_of(paid, printer) if len(part.receipts) == 1 else ""
    rows += _stage_rows(((_("Paid"), paid, _("%(record)s: paid", record=name)),), rate, printer)
    rows += _stage_rows(((_("Receivable"), part.money.receivable, _("%(record)s: receivable", record=name)),), today, printer)
    late = part.money.late
    if late.count:
        rows += _stage_rows(((_("of that late"), late.total, _("%(record)s: late", record=name)),), today, printer)
    return rows


def _rates_of(figure: MoneyFigure, printer: Printer) -> str:
    return "; ".join(printer.use(rate) for rate in figure.rates)


def _stage_rows(stages: Sequence[tuple[str, MoneyFigure, str]], rate: str, printer: Printer, *, kind: str = "") -> list[Row]:
    rows = []
    for label, figure, what in stages:
        if not figure.sources or not figure:
            continue
        own, converted = printer.pair(figure, what)
        rows.append(Row((Cell(label), Cell(figure=own), Cell(figure=converted), Cell(rate)), kind))
    return rows


def _instalments(instalments: Sequence[OpenInstalment], printer: Printer) -> Table | None:
    if not instalments:
        return None
    ordered = sorted(instalments, key=lambda one: (one.due_on or date.max, one.source.reference, str(one.id)))
    still_open = [one for one in ordered if one.open_amount]
    done = [one for one in ordered if not one.open_amount]
    shown = (
        [*done[-max(0, MOST_INSTALMENTS - len(still_open)) :], *still_open][:MOST_INSTALMENTS]
        if len(ordered) > MOST_INSTALMENTS
        else ordered
    )
    rows = []
    for one in shown:
        source = [record(one.source.kind, one.source.id, one.source.reference)]
        due = printer.day(one.due_on) if one.due_on else one.due_when
        what = _("%(record)s: instalment due %(due)s", record=one.source.reference, due=due)
        planned = printer.plain(one.amount, what, source, _("open: %(amount)s", amount=printer.amount(one.open_amount)))
        left = Figure(printer.amount(one.open_amount), printer.amount(one.open_amount), planned.mark) if one.open_amount else NOTHING
        word, status = instalment_status(one, printer)
        rows.append(
            Row(
                (
                    Cell(due),
                    Cell(one.source.reference),
                    Cell(figure=planned),
                    Cell(figure=left),
                    Cell(word, status=status),
                )
            )
        )
    left_off = len(ordered) - len(shown)
    return Table(
        _("Instalments: what was due, what is open"),
        (Column(_("Due")), Column(_("Of")), Column(_("Planned"), num=True), Column(_("Still open"), num=True), Column(_("Standing"))),
        tuple(rows),
        subtitle=ngettext("%(num)d more is not shown", "%(num)d more are not shown", left_off) if left_off else "",
        source=_("Source: the plans in force on %(day)s, receipts matched to instalments.", day=printer.day(printer.as_of)),
    )


def instalment_status(one: OpenInstalment, printer: Printer) -> tuple[str, str]:
    """The word for an instalment and its sign: paid, late by days, due soon, open, pledged and not signed."""
    if not one.open_amount:
        return _("Paid"), "done"
    if one.is_late and one.due_on:
        return formatting.due_day(one.due_on, printer.as_of, printer.lang), "late"
    if one.due_on and (one.due_on - printer.as_of).days <= SOON:
        return formatting.due_day(one.due_on, printer.as_of, printer.lang), "due"
    return (_("Pledged, not signed"), "open") if one.source.kind == "pledge" else (_("Open"), "open")


def _calendar(donor: DonorMoney, printer: Printer, plates: Plates) -> Plate | None:
    busy = [index for index, month in enumerate(donor.calendar) if month.due or month.received]
    if not busy:
        return None
    months = donor.calendar[max(0, busy[0] - 1) : busy[-1] + 2]
    figures = []
    for attribute, what in (("due", _("Due by month, by the plans in force")), ("received", _("Received by month"))):
        listed: list[MoneyFigure] = [getattr(month, attribute) for month in months]
        printer.note_gaps(gap.sentence for figure in listed for gap in figure.left_out)
        sources = [source for figure in listed for source in printer.sources(figure)]
        if sources:
            figures.append(printer.of_records("", _("month by month"), what, sources))
    chart = charts.receipts_by_month(
        Receipts(
            title=_("What fell due and what came in, month by month"),
            subtitle=_("%(currency)s, by the plans in force; months before the report’s day and after", currency=donor.calendar_currency),
            source=_("Source: our records of instalments and receipts, as of %(day)s.", day=printer.day(printer.as_of)),
            months=tuple(
                Month(_month_label(month.first_on, printer), month.due.exact.amount, _received(month.received, month.first_on, printer))
                for month in months
            ),
            period=_("Month"),
            due=_("Due"),
            received=_("Received"),
            missing=_("no data"),
        ),
        prefix=plates.prefix(),
        lang=printer.lang,
        width=CHART_WIDTH,
    )
    return plates.add(chart, figures)


def _received(figure: MoneyFigure, first_on: date, printer: Printer) -> charts.Number | None:
    """Nothing can have come in a month that has not begun: it is not a zero."""
    return None if first_on > printer.as_of else figure.exact.amount


def _month_label(first_on: date, printer: Printer) -> str:
    return str(format_date(first_on, "LLL yy", locale=printer.lang.replace("-", "_")))


# --- programme ---------------------------------------------------------------------------------------------------


def programme_page(detail: ProgrammeDetail, money: ProgrammeMoney, printer: Printer, plates: Plates) -> ProgrammePage:
    """Section 5 from a programme and its money."""
    programme = detail.programme
    printer.note_gaps(money.left_out)
    own = [record("programme", programme.id, programme.reference)]
    gap_sources = [*printer.sources(money.required), *printer.sources(money.secured)] or own
    unit = money.currency
    gap_what = _("Gap: need less secured, never below nothing")
    gap = printer.plain(money.gap, gap_what, gap_sources, is_bare=True) if money.gap is not None and money.required.sources else NOTHING
    facts = (
        Fact(_("Need"), printer.reporting(money.required, _("Need of the programme, all years"), is_bare=True), "", unit),
        Fact(_("Secured"), printer.reporting(money.secured, _("Secured for the programme, all donors"), is_bare=True), "", unit),
        Fact(_("of which paid"), printer.reporting(money.paid, _("Paid for the programme, all donors"), is_bare=True), "", unit),
        Fact(_("Gap"), gap, "", unit),
        Fact(
            _("Pledged"),
            printer.reporting(money.pledged, _("Pledged for the programme, outstanding"), is_bare=True),
            _("outside all totals"),
            unit,
        ),
    )
    place = programme.place.name if programme.place else programme.place_text
    days = (
        _("%(first)s to %(last)s", first=printer.day(programme.starts_on), last=printer.day(programme.ends_on))
        if programme.ends_on
        else _("since %(first)s", first=printer.day(programme.starts_on))
    )
    sector = codes.label(SECTORS, programme.sector)
    return ProgrammePage(
        title=programme.title,
        line=" · ".join(isolated(part) for part in (programme.reference, sector, place, days) if part),
        summary=programme.summary,
        tags=tag_words(programme),
        facts=facts,
        years=_years_chart(money, printer, plates),
        year_table=_years_table(money, printer),
        indicators=_indicators(detail.indicators, printer),
        outputs=_outputs(detail, money, printer),
        mark=printer.of_records(programme.reference, programme.reference, _("The programme"), own).mark,
    )


def tag_words(programme: Programme) -> str:
    """The rights and goals a programme serves, in words."""
    goals, targets, articles = sdg_goals(), sdg_targets(), crc_articles()
    words = []
    for tag in programme.tags:
        if tag.scheme == "sdg-goal":
            label, name = _("SDG %(code)s", code=tag.code), goals[tag.code].name if tag.code in goals else ""
        elif tag.scheme == "sdg-target":
            label, name = _("SDG target %(code)s", code=tag.code), targets[tag.code].short_name if tag.code in targets else ""
        elif tag.scheme == GOAL_AREA:
            label, name = codes.label(GOAL_AREAS, tag.code), ""
        else:
            label, name = _("CRC article %(code)s", code=tag.code), articles[tag.code].short_title if tag.code in articles else ""
        words.append(f"{label} ({name})" if name and len(name) <= LONGEST_TAG else label)
    return "; ".join(words)


def _years_chart(money: ProgrammeMoney, printer: Printer, plates: Plates) -> Plate | None:
    if not money.years:
        return None
    figures = [figure for year in money.years for figure in _year_figures(year, printer)]
    title, past = _years_title(money, printer)
    if past.mark:
        figures.insert(0, past)  # named in the title: its mark is among the few that a caption bears
    chart = charts.stacked_bars(
        StackedBars(
            title=title,
            subtitle=_(
                "%(currency)s a year; the line is the need, the open hatch the gap; pledges stand beside, outside all totals",
                currency=money.currency,
            ),
            source=_(
                "Source: our records of requirements, agreements, receipts and pledges of all donors, as of %(day)s.",
                day=printer.day(money.as_of),
            ),
            years=tuple(
                FundingYear(
                    str(year.year),
                    _known(year.paid),
                    None if year.secured.is_unknown else max(year.secured.reporting - year.paid.reporting, zero(money.currency)).amount,
                    _known(year.pledged) if year.pledged else None,
                    year.required.reporting.amount if year.required.sources and not year.required.left_out else None,
                    gap=year.gap.amount if year.gap is not None else None,
                )
                for year in money.years
            ),
            words=FundingWords(
                _("Year"),
                _("Paid"),
                _("Secured, not yet paid"),
                _("Domestic budget"),
                _("Pledged (outside totals)"),
                _("Gap"),
                _("Need"),
                _("no data"),
                _("need {value}"),
            ),
        ),
        prefix=plates.prefix(),
        lang=printer.lang,
        width=CHART_WIDTH,
    )
    return plates.add(chart, figures, in_text=True)


def years_words(years: Sequence[int]) -> str:
    """Years in a row as a span, others as a list: 2024–2027; 2022 and 2024."""
    if len(years) > 1 and years[-1] - years[0] == len(years) - 1:
        return f"{years[0]}\N{EN DASH}{years[-1]}"
    return format_list([str(year) for year in years], locale=get_locale().replace("-", "_"))


def _years_title(money: ProgrammeMoney, printer: Printer) -> tuple[str, Figure]:
    """The point of the chart, and the figure it names: years that are over ended short, money is missing only in those to come."""
    ahead, over = (
        format_list([str(year.year) for year in years], locale=get_locale().replace("-", "_"))
        for years in (money.short_ahead, money.ended_short)
    )
    if not money.ended_short:
        return (_("Money is missing in %(years)s", years=ahead) if ahead else _("Every year is covered by signed money")), NOTHING
    sources = [source for year in money.ended_short for figure in (year.required, year.secured) for source in printer.sources(figure)]
    what = _("Gaps of the years that are over: %(years)s", years=over)
    past = printer.plain(money.gap_in(money.ended_short), what, sources, is_short=True)
    if not ahead:
        return _("%(years)s ended short by %(amount)s", years=over, amount=past.text), past
    return (
        _("Money is missing in %(ahead)s; %(over)s ended short by %(amount)s", ahead=ahead, over=over, amount=past.text),
        past,
    )


def _year_figures(year: YearMoney, printer: Printer) -> tuple[Figure, Figure, Figure, Figure, Figure]:
    """Need, secured, paid, gap, pledged of one year."""
    name = str(year.year)
    sources = [*printer.sources(year.required), *printer.sources(year.secured)]
    gap: Figure = NOTHING
    if year.gap is not None and year.required.sources:
        gap = printer.plain(year.gap, _("Gap in %(year)s", year=name), sources, is_bare=True)
    return (
        printer.reporting(year.required, _("Need in %(year)s", year=name), is_bare=True),
        printer.reporting(year.secured, _("Secured for %(year)s", year=name), is_bare=True),
        printer.reporting(year.paid, _("Paid for %(year)s", year=name), is_bare=True),
        gap,
        printer.reporting(year.pledged, _("Pledged for %(year)s", year=name), is_bare=True),
    )


def _years_table(money: ProgrammeMoney, printer: Printer) -> Table | None:
    if not money.years:
        return None
    rows = tuple(Row((Cell(str(year.year)), *(Cell(figure=figure) for figure in _year_figures(year, printer)))) for year in money.years)
    heads = (_("Need"), _("Secured"), _("of which paid"), _("Gap"), _("Pledged, outside totals"))
    return Table(
        _("Need, secured and gap by year"),
        (Column(_("Year")), *(Column(head, num=True, unit=money.currency) for head in heads)),
        rows,
        source=" ".join([*(_gain_words(year, printer) for year in money.years if year.rate_gain), *_offset_words(money)]),
    )


def _offset_words(money: ProgrammeMoney) -> list[str]:
    if not money.surplus_offsets:
        return []
    return [
        _(
            "The gaps of the years add up to more than the gap over all years, because what is secured beyond the need of one year "
            "offsets what is missing in another only in the total."
        )
    ]


def _gain_words(year: YearMoney, printer: Printer) -> str:
    return _(
        "%(year)s: paid is more than secured by %(amount)s, a realised exchange difference: what was signed counts at the rate of "
        "signature, what was paid at the rate of receipt. It is no new money.",
        year=year.year,
        amount=printer.amount(year.rate_gain),
    )


def _indicators(series: Sequence[IndicatorSeries], printer: Printer) -> Table | None:
    rows = []
    for one in series:
        indicator, latest = one.indicator, one.latest
        source = [record("indicator", indicator.id, indicator.title)]
        if latest is not None and latest.measured_on > printer.as_of:
            earlier = [measured for measured in one.measurements if measured.measured_on <= printer.as_of]
            latest = earlier[-1] if earlier else None
        values = []
        for value, what in (
            (indicator.baseline_value, _("Baseline of “%(title)s”", title=indicator.title)),
            (latest.value if latest else None, _("Newest value of “%(title)s”", title=indicator.title)),
            (indicator.target_value, _("Target of “%(title)s”", title=indicator.title)),
        ):
            values.append(NOTHING if value is None else printer.of_records(printer.number(value), str(value), what, source))
        days = (indicator.baseline_on, latest.measured_on if latest else None, indicator.target_on)
        rows.append(
            Row(
                (
                    Cell(indicator.title),
                    Cell(indicator.unit),
                    *(Cell(printer.day(on) if on else "", figure=figure) for figure, on in zip(values, days, strict=True)),
                    Cell((latest.source if latest else "") or indicator.source),
                )
            )
        )
    if not rows:
        return None
    columns = (
        Column(_("Indicator")),
        Column(_("Unit")),
        Column(_("Baseline"), num=True),
        Column(_("Newest"), num=True),
        Column(_("Target"), num=True),
        Column(_("Source")),
    )
    return Table(_("What shows that it works"), columns, tuple(rows))


def _outputs(detail: ProgrammeDetail, money: ProgrammeMoney, printer: Printer) -> Table | None:
    given = {output.output_id: output for output in money.outputs}
    names: list[tuple[uuid.UUID | None, str]] = [(output.id, output.title) for output in detail.programme.outputs]
    if None in given:
        names.append((None, _("For the programme as a whole")))
    if not names:
        return None
    rows = []
    for output_id, title in names:
        found = given.get(output_id)
        allocated = printer.reporting(found.allocated, _("Allocated to “%(title)s”", title=title), is_bare=True) if found else NOTHING
        planned = printer.reporting(found.planned, _("Planned for “%(title)s”", title=title), is_bare=True) if found else NOTHING
        rows.append(Row((Cell(title), Cell(figure=allocated), Cell(figure=planned))))
    return Table(
        _("What money was allocated to"),
        (
            Column(_("Output")),
            Column(_("Allocated"), num=True, unit=money.currency),
            Column(_("Planned, not yet received"), num=True, unit=money.currency),
        ),
        tuple(rows),
    )


def gap_of(money: ProgrammeMoney) -> Money | None:
    """The gap of a programme, where its need is known."""
    return money.gap if money.required.sources else None

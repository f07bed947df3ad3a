"""Reading what OCHA's Financial Tracking Service publishes: funding flows and requirements, with and without the HXL tag row. Typed rows, no database."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import BinaryIO, TypeVar

from crm import clock
from crm.exchange.cells import CellInvalid, clean, day, decimal, year
from crm.exchange.columns import Column, locate
from crm.exchange.tabular import MAX_BYTES, MAX_ROWS, RawRow, RowNote, RowProblem, Table, open_table, require
from crm.i18n import gettext as _
from crm.money import MAX_MINOR, known_currency, minor_units

#: Longest texts taken, in characters. A longer one rejects its row: nothing is cut silently.
MAX_NAME = 300
MAX_DESCRIPTION = 20_000
MAX_CODE = 200
MAX_PLAN_CODE = 60
MAX_LIST = 4_000
MAX_LABEL = 100
MAX_RATE = Decimal(10) ** 12
RATE_DECIMALS = 12
#: An original amount that differs more than this share from the USD amount at the file's own rate is noted.
RATE_TOLERANCE = Decimal("0.01")
#: What FTS writes where several organisations, plans or projects stand behind one cell.
MULTIPLE = "Multiple"

_USD_LIMIT = Decimal(MAX_MINOR).scaleb(-2)
_Value = TypeVar("_Value")
_Choice = TypeVar("_Choice", bound=StrEnum)
_ID = re.compile(r"[1-9]\d{0,17}(?:\.0)?")


class FlowStatus(StrEnum):
    """How firm a flow is. FTS counts commitments and payments in its totals, never pledges."""

    PLEDGE = "pledge"
    COMMITMENT = "commitment"
    PAID = "paid"


class Boundary(StrEnum):
    """Which way a flow crosses the place or plan that was searched for."""

    INCOMING = "incoming"
    INTERNAL = "internal"
    OUTGOING = "outgoing"


class OnBoundary(StrEnum):
    """Whether a flow belongs to that place alone. A shared one is shown and never added to single ones (M16)."""

    SINGLE = "single"
    SHARED = "shared"


class ContributionType(StrEnum):
    """Money or goods and services; in kind has its own column (M9)."""

    FINANCIAL = "financial"
    IN_KIND = "in kind"


class FlowType(StrEnum):
    """What kind of movement a flow is; parked and pass-through money is labelled wherever it is shown."""

    STANDARD = "standard"
    PARKED = "parked"
    PASS_THROUGH = "pass through"  # noqa: S105 - a kind of money movement
    CARRY_OVER = "carry-over"
    OTHER = "other"


_STATUSES = {
    "pledge": FlowStatus.PLEDGE,
    "pledged": FlowStatus.PLEDGE,
    "uncommittedpledge": FlowStatus.PLEDGE,
    "commitment": FlowStatus.COMMITMENT,
    "committed": FlowStatus.COMMITMENT,
    "paid": FlowStatus.PAID,
    "paidcontribution": FlowStatus.PAID,
}
_CONTRIBUTIONS = {
    "": ContributionType.FINANCIAL,
    "financial": ContributionType.FINANCIAL,
    "cash": ContributionType.FINANCIAL,
    "inkind": ContributionType.IN_KIND,
}
_FLOW_TYPES = {
    "": FlowType.STANDARD,
    "standard": FlowType.STANDARD,
    "parked": FlowType.PARKED,
    "passthrough": FlowType.PASS_THROUGH,
    "carryover": FlowType.CARRY_OVER,
}
_BOUNDARIES = {"": Boundary.INCOMING, "shared": Boundary.INCOMING} | {boundary.value: boundary for boundary in Boundary}
_ON_BOUNDARIES = {"": OnBoundary.SINGLE} | {on.value: on for on in OnBoundary}


@dataclass(frozen=True, slots=True)
class FlowParty:
    """The giving or receiving end of a flow, as published. `name` is never split: "Germany, Government of" is one donor.

    `name` is "" where FTS does not say, and "Multiple" where several stand behind it. `locations` are ISO alpha-3 codes.
    `usage_from` and `usage_to` are the first and last year the money is for.
    """

    name: str
    types: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    usage_from: int | None = None
    usage_to: int | None = None


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One reported flow. Amounts are exact decimals: `amount_usd` in USD, `original_amount` in `original_currency`.

    `exchange_rate` is units of the original currency per USD. `project_name`, `plan_name` and names are text as published.
    """

    row_number: int
    source_id: str
    status: FlowStatus
    amount_usd: Decimal
    original_amount: Decimal | None
    original_currency: str | None
    exchange_rate: Decimal | None
    date: dt.date
    decision_date: dt.date | None
    first_reported: dt.date | None
    budget_year: str
    donor: FlowParty
    recipient: FlowParty
    plan_name: str
    plan_code: str
    plan_id: str
    clusters: tuple[str, ...]
    project_name: str
    project_code: str
    emergency: str
    contribution_type: ContributionType
    flow_type: FlowType
    method: str
    boundary: Boundary
    on_boundary: OnBoundary
    description: str
    keywords: tuple[str, ...]
    ref_code: str
    created: dt.date | None
    updated: dt.date | None
    raw: RawRow

    @property
    def counts_in_totals(self) -> bool:
        """Whether FTS itself adds it: committed or paid, not shared with other places. Parked and pass-through money counts.

        Checked: these flows into Jordan 2020 sum to USD 714,246,261, which is FTS's own funding figure for that year.
        """
        return self.status is not FlowStatus.PLEDGE and self.on_boundary is OnBoundary.SINGLE


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """What a plan required and was funded in a country and year, in USD, as FTS says: never our figure.

    `plan_id` is "" for "Not specified" (funding outside plans; no requirement). With `cluster`, the row is a PART of its
    plan's row in another file: never add the two. `percent` is FTS's, and may exceed 100.
    """

    row_number: int
    country: str
    plan_id: str
    plan_name: str
    plan_code: str
    plan_type: str
    starts: dt.date | None
    ends: dt.date | None
    year: int
    cluster_code: str
    cluster: str
    requirements_usd: Decimal | None
    funding_usd: Decimal | None
    percent: Decimal | None
    raw: RawRow


@dataclass(frozen=True, slots=True)
class FlowFile:
    """A file of flows: what was taken, what was rejected and why, and what a person should know.

    Every data row is in exactly one of: `rows`, `problems`, or a note of kind "duplicate".
    Kinds of notes: duplicate, default, rate, future, encoding, unfinished.
    """

    rows: tuple[FlowRow, ...]
    problems: tuple[RowProblem, ...]
    notes: tuple[RowNote, ...]
    header: tuple[str, ...]
    tags: tuple[str, ...]
    row_count: int

    @property
    def duplicates(self) -> tuple[RowNote, ...]:
        """Rows that were not counted because another row reports the same flow."""
        return tuple(note for note in self.notes if note.kind == "duplicate")


@dataclass(frozen=True, slots=True)
class RequirementFile:
    """A file of requirements; as `FlowFile`."""

    rows: tuple[RequirementRow, ...]
    problems: tuple[RowProblem, ...]
    notes: tuple[RowNote, ...]
    header: tuple[str, ...]
    tags: tuple[str, ...]
    row_count: int


FLOW_COLUMNS: Mapping[str, Column] = {
    "source_id": Column("id", "#activity+id+fts_internal", ("flow id",), required=True),
    "status": Column("status", "#status+text", ("flow status",), required=True),
    "amount_usd": Column("amountUSD", "#value+funding+total+usd", ("amount (US$)",), required=True),
    "date": Column("date", "#date", ("flow date",), required=True),
    "donor": Column("srcOrganization", "#org+name+funder", ("source organization", "donor"), required=True),
    "recipient": Column("destOrganization", "#org+name+impl", ("destination organization", "recipient organization"), required=True),
    "original_amount": Column("originalAmount", "#value+funding+total"),
    "original_currency": Column("originalCurrency", "#value+funding+total+currency"),
    "exchange_rate": Column("exchangeRate", "#financial+fx"),
    "decision_date": Column("decisionDate", "#date+decision"),
    "first_reported": Column("firstReportedDate", "#date+reported", ("first reported",)),
    "budget_year": Column("budgetYear", "#date+year+budget"),
    "description": Column("description", "#description+notes"),
    "donor_types": Column("srcOrganizationTypes", "#org+type+funder+list", ("source organization types",)),
    "donor_locations": Column("srcLocations", "#country+iso3+funder+list", ("source locations",)),
    "donor_from": Column("srcUsageYearStart", "#date+year+start+funder"),
    "donor_to": Column("srcUsageYearEnd", "#date+year+end+funder"),
    "plan_name": Column("destPlan", "#activity+appeal+name", ("destination plan",)),
    "plan_code": Column("destPlanCode", "#activity+appeal+id+external", ("destination plan code",)),
    "plan_id": Column("destPlanId", "#activity+appeal+id+fts_internal", ("destination plan id",)),
    "recipient_types": Column("destOrganizationTypes", "#org+type+impl+list", ("destination organization types",)),
    "clusters": Column("destGlobalClusters", "#sector+cluster+name+list", ("destination global clusters",)),
    "recipient_locations": Column("destLocations", "#country+iso3+impl+list", ("destination locations",)),
    "project_name": Column("destProject", "#activity+project+name", ("destination project",)),
    "project_code": Column("destProjectCode", "#activity+project+code", ("destination project code",)),
    "emergency": Column("destEmergency", "#crisis+name", ("destination emergency",)),
    "recipient_from": Column("destUsageYearStart", "#date+year+start+impl"),
    "recipient_to": Column("destUsageYearEnd", "#date+year+end+impl"),
    "contribution_type": Column("contributionType", "#financial+contribution+type"),
    "flow_type": Column("flowType", "#financial+contribution+type"),
    "method": Column("method", "#financial+method"),
    "boundary": Column("boundary", "#financial+direction"),
    "on_boundary": Column("onBoundary", "#financial+direction+type"),
    "keywords": Column("keywords", "#description+keywords"),
    "ref_code": Column("refCode", "#activity+code"),
    "created": Column("createdAt", "#date+created"),
    "updated": Column("updatedAt", "#date+updated"),
}

REQUIREMENT_COLUMNS: Mapping[str, Column] = {
    "plan_name": Column("name", "#activity+appeal+name", ("plan", "plan name", "appeal name"), required=True),
    "year": Column("year", "#date+year", required=True),
    "funding": Column("funding", "#value+funding+total+usd", ("funding usd", "total funding"), required=True),
    "requirements": Column("requirements", "#value+funding+required+usd", ("requirements usd", "revised requirements"), required=True),
    "country": Column("countryCode", "#country+code", ("country",)),
    "plan_id": Column("id", "#activity+appeal+id+fts_internal", ("plan id",)),
    "plan_code": Column("code", "#activity+appeal+id+external", ("plan code",)),
    "plan_type": Column("typeName", "#activity+appeal+type+name", ("plan type",)),
    "starts": Column("startDate", "#date+start"),
    "ends": Column("endDate", "#date+end"),
    "cluster_code": Column("clusterCode", "#sector+cluster+code"),
    "cluster": Column("cluster", "#sector+cluster+name", ("cluster name",)),
    "percent": Column("percentFunded", "#value+funding+pct"),
}


# --- cells of a row ---------------------------------------------------------------------------------------------


class _FieldInvalid(Exception):
    """A cell of this row is wrong."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        super().__init__(reason)


class _Cells:
    """The cells of the row at hand, by field. Repeated short texts are kept once for the whole file."""

    __slots__ = ("_kept", "_places", "row")

    def __init__(self, places: Mapping[str, int]) -> None:
        self._places = places
        self._kept: dict[str, str] = {}
        self.row: tuple[str, ...] = ()

    def turn_to(self, cells: tuple[str, ...]) -> None:
        """Take the next row."""
        kept = self._kept
        if len(kept) > 200_000:  # noqa: PLR2004 - a bound on what is remembered
            kept.clear()
        self.row = tuple([kept.setdefault(cell, cell) if len(cell) <= MAX_CODE else cell for cell in cells])

    def get(self, field: str) -> str:
        """Return the cell, "" where the file has no such column."""
        place = self._places.get(field)
        return "" if place is None else self.row[place]

    def text(self, field: str, limit: int) -> str:
        """Return the cell as clean text."""
        cell = self.get(field)
        if not cell:
            return ""
        try:
            return clean(cell, limit)
        except CellInvalid as invalid:
            raise _FieldInvalid(field, str(invalid)) from invalid

    def items(self, field: str) -> tuple[str, ...]:
        """Return a cell that FTS joins with commas and without blanks: types, places, clusters, keywords; never names."""
        text = self.text(field, MAX_LIST)
        return tuple(filter(None, map(str.strip, text.split(",")))) if text else ()

    def day(self, field: str) -> dt.date | None:
        """Return the cell as a date."""
        return self._read(field, day)

    def year(self, field: str) -> int | None:
        """Return the cell as a year."""
        return self._read(field, year)

    def decimal(self, field: str, *, decimals: int, maximum: Decimal) -> Decimal | None:
        """Return the cell as an exact number."""
        return self._read(field, lambda cell: decimal(cell, decimals=decimals, maximum=maximum))

    def identifier(self, field: str) -> str:
        """Return the cell as one of FTS's numbers, "" where it is empty or "Multiple"."""
        text = self.get(field).strip()
        if not text or text == MULTIPLE:
            return ""
        if not text.isascii() or not _ID.fullmatch(text):
            raise _FieldInvalid(field, _("“%(text)s” is not an FTS number.", text=text[:40]))
        return text.removesuffix(".0")

    def choice(self, field: str, choices: Mapping[str, _Choice]) -> _Choice:
        """Return the cell as one of a few words; case, blanks and hyphens do not matter."""
        text = self.get(field).strip()
        found = choices.get(text) or choices.get("".join(filter(str.isalnum, text.casefold())))
        if found is None:
            raise _FieldInvalid(
                field, _("“%(text)s” is unknown here. Known: %(known)s.", text=text[:40], known=", ".join(dict.fromkeys(choices.values())))
            )
        return found

    def _read(self, field: str, reader: Callable[[str], _Value | None]) -> _Value | None:
        cell = self.get(field)
        if not cell:
            return None
        try:
            return reader(cell)
        except CellInvalid as invalid:
            raise _FieldInvalid(field, str(invalid)) from invalid


# --- flows ------------------------------------------------------------------------------------------------------


def read_flows(source: bytes | BinaryIO, *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS) -> FlowFile:
    """Read a file of FTS funding flows, incoming, internal or outgoing; headings and columns may stand in any order.

    Raises `Refused`, with nothing taken, for a file that cannot be trusted as a whole (see `tabular.open_table`) or lacks
    a needed column. Every row is then taken whole or rejected whole. One flow id counts once (M16): of rows that
    report the same flow, the one updated last is taken and the others noted; rows of one id that contradict each other in
    amount, status or kind and were updated on the same day are all rejected, because nothing says which is true.
    """
    table = open_table(source, max_bytes=max_bytes, max_rows=max_rows)
    places = locate(table, FLOW_COLUMNS)
    _require(table, FLOW_COLUMNS, places)
    _tell_types_apart(table, places)
    notes = [*table.warnings, *_defaults(places)]
    taken: list[FlowRow] = []
    problems: list[RowProblem] = []
    today = clock.today()
    for outcome in _read_rows(table, FLOW_COLUMNS, places, _flow):
        if isinstance(outcome, RowProblem):
            problems.append(outcome)
        else:
            taken.append(outcome)
            if outcome.date > today:
                notes.append(RowNote("future", outcome.row_number, _("The date lies in the future.")))
            _note_rate(outcome, notes)
    rows = _count_once(taken, problems, notes)
    problems.sort(key=lambda problem: problem.row_number)
    kept = {row.row_number for row in rows}
    left_out = {row.row_number for row in taken} - kept
    notes = [note for note in notes if note.kind not in {"rate", "future"} or note.row_number not in left_out]
    return FlowFile(tuple(rows), tuple(problems), tuple(notes), table.header, table.tags, table.row_count)


def _require(table: Table, columns: Mapping[str, Column], places: Mapping[str, int]) -> None:
    require(table, {column.heading: field in places for field, column in columns.items() if column.required})


def _tell_types_apart(table: Table, places: dict[str, int]) -> None:
    """Contribution type and flow type share one HXL tag: where the headings do not tell, the first row's words do."""
    first, second = places.get("contribution_type"), places.get("flow_type")
    names = {table.header[place].casefold() for place in (first, second) if place is not None}
    if first is None or names & {"contributiontype", "flowtype"}:
        return
    row = next((row for row in table.rows() if not isinstance(row, RowProblem)), None)
    if row is None:
        return
    word = "".join(filter(str.isalnum, row[1][first].casefold()))
    if word in _FLOW_TYPES and word not in _CONTRIBUTIONS:
        if second is None:
            del places["contribution_type"]
        else:
            places["contribution_type"] = second
        places["flow_type"] = first


def _defaults(places: Mapping[str, int]) -> Iterator[RowNote]:
    """What is taken for granted where an older file lacks a column that decides how a flow counts."""
    for field, meaning in (
        ("on_boundary", OnBoundary.SINGLE),
        ("boundary", Boundary.INCOMING),
        ("contribution_type", ContributionType.FINANCIAL),
        ("flow_type", FlowType.STANDARD),
    ):
        if field not in places:
            yield RowNote(
                "default",
                0,
                _(
                    "The file has no column “%(column)s”: every flow is taken as %(meaning)s.",
                    column=FLOW_COLUMNS[field].heading,
                    meaning=meaning,
                ),
            )


def _read_rows(
    table: Table, columns: Mapping[str, Column], places: Mapping[str, int], build: Callable[[int, _Cells, RawRow], _Value]
) -> Iterator[_Value | RowProblem]:
    cells, positions = _Cells(places), table.positions
    for row in table.rows():
        if isinstance(row, RowProblem):
            yield row
            continue
        row_number, texts = row
        cells.turn_to(texts)
        try:
            yield build(row_number, cells, RawRow(positions, cells.row))
        except _FieldInvalid as invalid:
            place = places.get(invalid.field)
            heading = columns[invalid.field].heading if place is None else table.header[place] or columns[invalid.field].heading
            yield RowProblem(row_number, heading, str(invalid), cells.row)


def _flow(row_number: int, cells: _Cells, raw: RawRow) -> FlowRow:
    source_id, when = cells.identifier("source_id"), cells.day("date")
    if not source_id:
        raise _FieldInvalid("source_id", _("The flow has no number."))
    if when is None:
        raise _FieldInvalid("date", _("The flow has no date."))
    amount = cells.decimal("amount_usd", decimals=2, maximum=_USD_LIMIT)
    if amount is None:
        raise _FieldInvalid("amount_usd", _("The flow has no amount."))
    original, currency = _original(cells)
    rate = cells.decimal("exchange_rate", decimals=RATE_DECIMALS, maximum=MAX_RATE)
    if rate is not None and rate == 0:
        raise _FieldInvalid("exchange_rate", _("An exchange rate of 0 cannot be."))
    on_boundary = cells.choice("on_boundary", _ON_BOUNDARIES)
    if cells.get("boundary").strip().casefold() == "shared":
        on_boundary = OnBoundary.SHARED
    flow_type = "".join(filter(str.isalnum, cells.text("flow_type", MAX_LABEL).casefold()))
    return FlowRow(
        row_number=row_number,
        source_id=source_id,
        status=cells.choice("status", _STATUSES),
        amount_usd=amount,
        original_amount=original,
        original_currency=currency,
        exchange_rate=rate,
        date=when,
        decision_date=cells.day("decision_date"),
        first_reported=cells.day("first_reported"),
        budget_year=cells.text("budget_year", 40).removesuffix(".0"),
        donor=_party(cells, "donor"),
        recipient=_party(cells, "recipient"),
        plan_name=cells.text("plan_name", MAX_NAME),
        plan_code=cells.text("plan_code", MAX_PLAN_CODE),
        plan_id=cells.identifier("plan_id"),
        clusters=cells.items("clusters"),
        project_name=cells.text("project_name", MAX_DESCRIPTION),
        project_code=cells.text("project_code", MAX_CODE),
        emergency=cells.text("emergency", MAX_NAME),
        contribution_type=cells.choice("contribution_type", _CONTRIBUTIONS),
        flow_type=_FLOW_TYPES.get(flow_type, FlowType.OTHER),
        method=cells.text("method", MAX_LABEL),
        boundary=cells.choice("boundary", _BOUNDARIES),
        on_boundary=on_boundary,
        description=cells.text("description", MAX_DESCRIPTION),
        keywords=cells.items("keywords"),
        ref_code=cells.text("ref_code", MAX_CODE),
        created=cells.day("created"),
        updated=cells.day("updated"),
        raw=raw,
    )


def _party(cells: _Cells, end: str) -> FlowParty:
    usage_from, usage_to = cells.year(f"{end}_from"), cells.year(f"{end}_to")
    if usage_from and usage_to and usage_from > usage_to:
        raise _FieldInvalid(f"{end}_from", _("The years of use end (%(to)s) before they begin (%(from_)s).", to=usage_to, from_=usage_from))
    return FlowParty(cells.text(end, MAX_NAME), cells.items(f"{end}_types"), cells.items(f"{end}_locations"), usage_from, usage_to)


def _original(cells: _Cells) -> tuple[Decimal | None, str | None]:
    """Return the original amount and currency: the fact that the USD figure is derived from (M1)."""
    currency = cells.get("original_currency").strip().upper()
    if currency and not known_currency(currency):
        raise _FieldInvalid("original_currency", _("“%(text)s” is not a currency code.", text=currency[:20]))
    if not currency:
        if cells.get("original_amount").strip():
            raise _FieldInvalid("original_currency", _("The original amount has no currency."))
        return None, None
    units = minor_units(currency)
    return cells.decimal("original_amount", decimals=units, maximum=Decimal(MAX_MINOR).scaleb(-units)), currency


def _note_rate(row: FlowRow, notes: list[RowNote]) -> None:
    """Note a USD amount that the file's own rate does not give (M5, M20); the row is taken all the same."""
    if not row.original_amount or not row.exchange_rate or not row.amount_usd or row.on_boundary is OnBoundary.SHARED:
        return
    expected = row.original_amount / row.exchange_rate
    if abs(expected - row.amount_usd) > row.amount_usd * RATE_TOLERANCE + 1:
        text = _(
            "USD %(usd)s is not what %(currency)s %(original)s gives at the rate of %(rate)s.",
            usd=f"{row.amount_usd:,f}",
            currency=row.original_currency,
            original=f"{row.original_amount:,f}",
            rate=row.exchange_rate,
        )
        notes.append(RowNote("rate", row.row_number, text))


def _said(row: FlowRow) -> tuple[object, ...]:
    """What must be equal for two rows to report one flow without contradiction."""
    return row.status, row.amount_usd, row.original_amount, row.original_currency, row.contribution_type


def _count_once(taken: list[FlowRow], problems: list[RowProblem], notes: list[RowNote]) -> list[FlowRow]:
    """Return the rows with each flow id once (M16)."""
    by_id: dict[str, list[FlowRow]] = {}
    for row in taken:
        by_id.setdefault(row.source_id, []).append(row)
    if len(by_id) == len(taken):
        return taken
    rows: list[FlowRow] = []
    for same in by_id.values():
        newest = max(same, key=lambda row: (row.updated or dt.date.min, -row.row_number))
        rivals = [row for row in same if row.updated == newest.updated]
        if len({_said(row) for row in rivals}) > 1:
            numbers = ", ".join(str(row.row_number) for row in rivals)
            reason = _("Rows %(rows)s report flow %(id)s differently and were updated on the same day.", rows=numbers, id=newest.source_id)
            problems.extend(RowProblem(row.row_number, "", reason, row.raw.cells) for row in same)
            continue
        rows.append(newest)
        for row in same:
            if row is not newest:
                text = _("Flow %(id)s is counted once, from row %(row)s.", id=row.source_id, row=newest.row_number)
                notes.append(RowNote("duplicate", row.row_number, text))
    rows.sort(key=lambda row: row.row_number)
    notes.sort(key=lambda note: note.row_number)
    return rows


# --- requirements -----------------------------------------------------------------------------------------------


def read_requirements(source: bytes | BinaryIO, *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS) -> RequirementFile:
    """Read a file of FTS requirements and funding per plan and year (or per plan, year and cluster).

    Raises `Refused` as `read_flows`. The same country, plan, year and cluster twice counts once when the figures are equal;
    when they differ, all of those rows are rejected.
    """
    table = open_table(source, max_bytes=max_bytes, max_rows=max_rows)
    places = locate(table, REQUIREMENT_COLUMNS)
    _require(table, REQUIREMENT_COLUMNS, places)
    notes, problems = list(table.warnings), []
    by_key: dict[tuple[object, ...], list[RequirementRow]] = {}
    for outcome in _read_rows(table, REQUIREMENT_COLUMNS, places, _requirement):
        if isinstance(outcome, RowProblem):
            problems.append(outcome)
        else:
            key = (outcome.country, outcome.plan_id, outcome.plan_name, outcome.year, outcome.cluster_code, outcome.cluster)
            by_key.setdefault(key, []).append(outcome)
    rows: list[RequirementRow] = []
    for same in by_key.values():
        if len({(row.requirements_usd, row.funding_usd) for row in same}) > 1:
            numbers = ", ".join(str(row.row_number) for row in same)
            reason = _("Rows %(rows)s give different figures for the same plan and year.", rows=numbers)
            problems.extend(RowProblem(row.row_number, "", reason, row.raw.cells) for row in same)
            continue
        rows.append(same[0])
        text = _("The same plan and year as row %(row)s: counted once.", row=same[0].row_number)
        notes.extend(RowNote("duplicate", row.row_number, text) for row in same[1:])
    problems.sort(key=lambda problem: problem.row_number)
    return RequirementFile(tuple(rows), tuple(problems), tuple(notes), table.header, table.tags, table.row_count)


def _requirement(row_number: int, cells: _Cells, raw: RawRow) -> RequirementRow:
    plan_name, of_year = cells.text("plan_name", MAX_NAME), cells.year("year")
    if not plan_name:
        raise _FieldInvalid("plan_name", _("The plan has no name."))
    if of_year is None:
        raise _FieldInvalid("year", _("The plan has no year."))
    starts, ends = cells.day("starts"), cells.day("ends")
    if starts and ends and starts > ends:
        raise _FieldInvalid("ends", _("The plan ends before it starts."))
    return RequirementRow(
        row_number=row_number,
        country=cells.text("country", MAX_LABEL),
        plan_id=cells.identifier("plan_id"),
        plan_name=plan_name,
        plan_code=cells.text("plan_code", MAX_PLAN_CODE),
        plan_type=cells.text("plan_type", MAX_LABEL),
        starts=starts,
        ends=ends,
        year=of_year,
        cluster_code=cells.text("cluster_code", MAX_PLAN_CODE),
        cluster=cells.text("cluster", MAX_NAME),
        requirements_usd=cells.decimal("requirements", decimals=2, maximum=_USD_LIMIT),
        funding_usd=cells.decimal("funding", decimals=2, maximum=_USD_LIMIT),
        percent=cells.decimal("percent", decimals=8, maximum=Decimal(10) ** 9),
        raw=raw,
    )

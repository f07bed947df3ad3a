"""Reading exchange rates: the ECB's daily and history files, a generic file of units per USD (such as UNORE), and the ECB history we ship."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import BinaryIO

from crm import clock, data
from crm.errors import Refused
from crm.exchange.cells import CellInvalid, day, decimal
from crm.exchange.columns import Column, locate
from crm.exchange.tabular import MAX_BYTES, RowNote, RowProblem, Table, open_table, read_bytes, require, unpack_single
from crm.i18n import gettext as _
from crm.money import known_currency

ECB = "ECB"
PER_USD = "per USD"
UNORE = "UNORE"
#: What a file's heading of the rate, or its column of the source, says where the rates are the UN's.
_UN_WORDS = ("operational rate", "un rate", "unore")
#: Longest name of a source.
SOURCE_LENGTH = 40
#: Longest quote taken: 12 digits and 12 decimals.
RATE_DECIMALS = 12
MAX_RATE = Decimal(10) ** 12
#: Rates are published ahead at most this long (UNORE appears before its month begins).
MAX_DAYS_AHEAD = 45

_NOT_QUOTED = frozenset({"", "N/A", "NA", "-"})
#: Worth more than one dollar for decades: a quote of 1 or more says that the file is the wrong way round.
_DEARER_THAN_USD = ("KWD", "BHD", "OMR", "JOD")


@dataclass(frozen=True, slots=True)
class RateSheet:
    """What a source published for one day: `quotes` are units of each currency per ONE `base`, exact (M5)."""

    source: str
    base: str
    on: dt.date
    quotes: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class RateFile:
    """Sheets by day, oldest first; rows that were not taken, and what a person should know. Iterating yields the sheets."""

    source: str
    base: str
    sheets: tuple[RateSheet, ...]
    problems: tuple[RowProblem, ...]
    notes: tuple[RowNote, ...]
    header: tuple[str, ...]

    def __iter__(self) -> Iterator[RateSheet]:
        return iter(self.sheets)


class _RowInvalid(Exception):
    """A row of rates is wrong."""

    def __init__(self, column: str, reason: str) -> None:
        self.column = column
        super().__init__(reason)


def ecb_history(*, since: dt.date | None = None) -> Iterator[RateSheet]:
    """Yield the shipped ECB reference rates, oldest day first (1999-01-04 to 2026-10-30); base EUR. Source: European Central Bank."""
    days, *series = data.ecb_history_columns()
    columns = [(column[0], column) for column in series]
    for place, text in enumerate(days[1:], 1):
        on = dt.date.fromisoformat(text)
        if since is None or on >= since:
            quotes = {code: Decimal(column[place]) for code, column in columns if column[place]}
            yield RateSheet(ECB, "EUR", on, MappingProxyType(quotes))


def read_ecb(source: bytes | BinaryIO, *, max_bytes: int = MAX_BYTES) -> RateFile:
    """Read the ECB's `eurofxref.csv` (one day) or `eurofxref-hist.csv` (all days), plain or inside the ECB's ZIP.

    A day is taken whole or rejected whole. The same day twice counts once when equal; when it differs, both are rejected.
    Columns that are no known currency are left out and noted. Raises `Refused` when it is no such file.
    """
    table = open_table(unpack_single(read_bytes(source, max_bytes=max_bytes), max_bytes=max_bytes), max_bytes=max_bytes)
    headings = {heading.casefold(): place for place, heading in enumerate(table.header)}
    codes = [(heading, place) for heading, place in ((h.upper(), p) for p, h in enumerate(table.header)) if known_currency(heading)]
    require(table, {"Date": "date" in headings, "USD": any(code == "USD" for code, _place in codes)})
    notes = list(table.warnings)
    strange = [heading for heading in table.header if heading and heading.casefold() != "date" and not known_currency(heading.upper())]
    if strange:
        notes.append(RowNote("column", 0, _("Left out, because they are no currencies: %(names)s.", names=", ".join(strange[:12]))))
    gathered, problems = _Days(table.header), []
    for row in table.rows():
        if isinstance(row, RowProblem):
            problems.append(row)
            continue
        number, cells = row
        try:
            on = _day(cells[headings["date"]], table.header[headings["date"]])
            quotes = {code: _quote(cells[place], code) for code, place in codes if cells[place].strip().upper() not in _NOT_QUOTED}
            gathered.add_day(on, quotes, number, cells)
        except _RowInvalid as invalid:
            problems.append(RowProblem(number, invalid.column, str(invalid), cells))
    return _rate_file(ECB, "EUR", gathered, problems, notes, table)


#: Columns of a generic file of rates.
RATE_COLUMNS: Mapping[str, Column] = {
    "currency": Column("currency", "#currency+code", ("currency code", "code", "abbrev", "abbrev.", "iso code", "iso"), required=True),
    "rate": Column("rate", "#value+rate", ("exchange rate", "operational rate", "units per usd", "un rate"), required=True),
    "date": Column("date", "#date", ("effective date", "effective", "as of", "valid from"), required=True),
    "base": Column("base", "", ("base currency", "per")),
    "source": Column("source", "", ("rate source", "published by")),
}


def read_per_usd(source: bytes | BinaryIO, *, name: str = "", max_bytes: int = MAX_BYTES) -> RateFile:
    """Read a file of currency, rate and date, each rate in units of the currency per ONE US dollar, as UNORE gives them.

    The source of the sheets is `name`, else what the file says: its column "source", one name in all rows, or a heading
    such as "UN operational rate" (UNORE, whose sheets count for a month); else "per USD". The same currency and day twice counts once when equal; when it differs both
    rows are rejected. A file that quotes KWD, BHD, OMR or JOD at 1 or more is the wrong way round and is `Refused`.
    """
    table = open_table(unpack_single(read_bytes(source, max_bytes=max_bytes), max_bytes=max_bytes), max_bytes=max_bytes)
    places = locate(table, RATE_COLUMNS)
    require(table, {column.heading: field in places for field, column in RATE_COLUMNS.items() if column.required})
    said = name or (UNORE if _is_un(table.header[places["rate"]]) else "")
    gathered, problems = _Days(table.header), []
    for row in table.rows():
        if isinstance(row, RowProblem):
            problems.append(row)
            continue
        number, cells = row
        try:
            said = said or _source(table.header, places, cells)
            _refuse_other_source(table.header, places, cells, name or said)
            code, rate, on = _per_usd(table.header, places, cells)
            gathered.add_quote(on, code, rate, number, cells)
        except _RowInvalid as invalid:
            problems.append(RowProblem(number, invalid.column, str(invalid), cells))
    _refuse_wrong_way_round(gathered)
    return _rate_file(said or PER_USD, "USD", gathered, problems, list(table.warnings), table)


def _per_usd(header: tuple[str, ...], places: Mapping[str, int], cells: tuple[str, ...]) -> tuple[str, Decimal, dt.date]:
    """Return currency, units per USD and day of one row."""
    heading = {field: header[place] for field, place in places.items()}
    code = cells[places["currency"]].strip().upper()
    if not known_currency(code):
        raise _RowInvalid(heading["currency"], _("“%(text)s” is not a currency code.", text=code[:20]))
    if "base" in places and cells[places["base"]].strip().upper() not in {"USD", ""}:
        raise _RowInvalid(heading["base"], _("Only rates per USD are read here."))
    rate = _quote(cells[places["rate"]], heading["rate"])
    if code == "USD" and rate != 1:
        raise _RowInvalid(heading["rate"], _("One US dollar is one US dollar."))
    return code, rate, _day(cells[places["date"]], heading["date"])


def _is_un(text: str) -> bool:
    words = " ".join(text.casefold().replace("_", " ").split())
    return any(known in words for known in _UN_WORDS)


def _source(header: tuple[str, ...], places: Mapping[str, int], cells: tuple[str, ...]) -> str:
    """The source that a row names, "" where it names none; the ECB's own rates come in the ECB's own file."""
    if "source" not in places:
        return ""
    text = " ".join(cells[places["source"]].split())
    if text.upper() == ECB:
        raise _RowInvalid(header[places["source"]], _("Rates of the ECB are read from the ECB's own file."))
    if len(text) > SOURCE_LENGTH:
        raise _RowInvalid(header[places["source"]], _("Name the source in at most %(n)s characters.", n=SOURCE_LENGTH))
    return UNORE if _is_un(text) else text


def _refuse_other_source(header: tuple[str, ...], places: Mapping[str, int], cells: tuple[str, ...], said: str) -> None:
    if _source(header, places, cells) not in {"", said}:
        raise _RowInvalid(header[places["source"]], _("One file holds the rates of one source: %(name)s.", name=said))


def _day(cell: str, heading: str) -> dt.date:
    try:
        on = day(cell)
    except CellInvalid as invalid:
        raise _RowInvalid(heading, str(invalid)) from invalid
    if on is None:
        raise _RowInvalid(heading, _("The row has no date."))
    if on > clock.today() + dt.timedelta(days=MAX_DAYS_AHEAD):
        raise _RowInvalid(heading, _("The date lies in the future."))
    return on


def _quote(cell: str, heading: str) -> Decimal:
    try:
        rate = decimal(cell, decimals=RATE_DECIMALS, maximum=MAX_RATE)
    except CellInvalid as invalid:
        raise _RowInvalid(heading, str(invalid)) from invalid
    if not rate:
        raise _RowInvalid(heading, _("The row has no rate.") if rate is None else _("An exchange rate of 0 cannot be."))
    return rate


class _Days:
    """Quotes by day and currency as they come in, with the rows they stood in, so that contradictions are found."""

    def __init__(self, header: tuple[str, ...]) -> None:
        self.header = header
        self.quotes: dict[dt.date, dict[str, tuple[Decimal, int, tuple[str, ...]]]] = {}
        self.contradicted: dict[int, RowProblem] = {}
        self._bad: set[tuple[dt.date, str]] = set()

    def add_quote(self, on: dt.date, code: str, rate: Decimal, number: int, cells: tuple[str, ...]) -> None:
        """Take one quote; of two that differ neither stays."""
        held = self.quotes.setdefault(on, {})
        other = held.get(code)
        if other is None and (on, code) not in self._bad:
            held[code] = (rate, number, cells)
        elif other is None or other[0] != rate:
            reason = _("The file gives %(code)s on %(day)s more than once, with different rates.", code=code, day=on.isoformat())
            self.contradicted[number] = RowProblem(number, "", reason, cells)
            if other is not None:
                self.contradicted[other[1]] = RowProblem(other[1], "", reason, other[2])
                del held[code]
            self._bad.add((on, code))

    def add_day(self, on: dt.date, quotes: Mapping[str, Decimal], number: int, cells: tuple[str, ...]) -> None:
        """Take a whole day; of two that differ neither stays."""
        held = self.quotes.get(on)
        if held is None and (on, "") not in self._bad:
            self.quotes[on] = {code: (rate, number, cells) for code, rate in quotes.items()}
        elif held is None or {code: rate for code, (rate, _number, _cells) in held.items()} != quotes:
            reason = _("The file gives %(day)s more than once, with different rates.", day=on.isoformat())
            self.contradicted[number] = RowProblem(number, "", reason, cells)
            for _rate, other, other_cells in (held or {}).values():
                self.contradicted[other] = RowProblem(other, "", reason, other_cells)
            self.quotes.pop(on, None)
            self._bad.add((on, ""))


def _refuse_wrong_way_round(gathered: _Days) -> None:
    for on, held in gathered.quotes.items():
        for code in _DEARER_THAN_USD:
            if code in held and held[code][0] >= 1:
                raise Refused(
                    _(
                        "The file gives %(code)s %(rate)s on %(day)s. One US dollar buys less than 1 %(code)s, so these look like "
                        "dollars per unit. Bring units of each currency per US dollar.",
                        code=code,
                        rate=held[code][0],
                        day=on.isoformat(),
                    )
                )


def _rate_file(source: str, base: str, gathered: _Days, problems: list[RowProblem], notes: list[RowNote], table: Table) -> RateFile:
    sheets = tuple(
        RateSheet(source, base, on, MappingProxyType({code: rate for code, (rate, _number, _cells) in sorted(held.items())}))
        for on, held in sorted(gathered.quotes.items())
        if held
    )
    problems = sorted([*problems, *gathered.contradicted.values()], key=lambda problem: problem.row_number)
    return RateFile(source, base, sheets, tuple(problems), tuple(notes), table.header)

"""Tables written: as CSV, line by line, and as XLSX in flat memory. Cells are text, numbers, days and moments; never a formula (P5)."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import IO, Any

import xlsxwriter  # type: ignore[import-untyped]

from crm import clock
from crm.exchange.tabular import neutralise

#: What a cell may hold. A moment is written as it stands: whoever hands it over has put it into the reader's time zone.
Cell = str | date | datetime | Decimal | int | None
#: Excel's own bounds: rows of a sheet (one of them the heading), digits it keeps of a number, and its first day.
_SHEET_ROWS, _DIGITS, _FIRST_DAY = 1_048_575, 15, date(1900, 3, 1)
_WIDTHS = (10, 44)
_SHEET_NAME = 31
_CELL_UNITS = 32_767  # of UTF-16


def csv_text(cell: Cell) -> str:
    """A cell as CSV: 2026-11-30, 2026-11-30 14:30, 1234.50, and text that no spreadsheet runs."""
    if isinstance(cell, str):
        return neutralise(cell)
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    return format(cell, "f") if isinstance(cell, Decimal) else str(cell)


def csv_lines(header: Sequence[str], chunks: Iterable[Iterable[Sequence[Cell]]]) -> Iterator[str]:
    """A CSV file (UTF-8 with its mark), in parts: the heading with the first chunk of rows, then a part a chunk."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    stream.write("\ufeff")
    writer.writerow([neutralise(label) for label in header])
    for rows in chunks:
        writer.writerows([csv_text(cell) for cell in row] for row in rows)
        yield stream.getvalue()
        stream.seek(0)
        stream.truncate()
    if rest := stream.getvalue():
        yield rest


def write_workbook(target: IO[bytes], title: str, header: Sequence[str], chunks: Iterable[Iterable[Sequence[Cell]]]) -> None:
    """An XLSX file: text as text, numbers as numbers, days as days, the heading held in sight. Rows beyond one sheet go on in another."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_date_format": "yyyy-mm-dd",
    }
    with xlsxwriter.Workbook(target, options) as book:
        book.set_properties({"title": title, "created": clock.now().astimezone(UTC).replace(tzinfo=None)})
        writers = _Formats(book)
        rows = itertools.chain.from_iterable(chunks)
        written = 0
        while part := list(itertools.islice(rows, 1)):
            written += 1
            _write_sheet(book, _sheet_name(title, written), writers, header, itertools.chain(part, itertools.islice(rows, _SHEET_ROWS - 1)))
        if not written:
            _write_sheet(book, _sheet_name(title, 1), writers, header, ())


def _sheet_name(title: str, place: int) -> str:
    """What a sheet is called: the list's name as far as Excel takes it, and which of several it is."""
    number = f" {place}" if place > 1 else ""
    name = "".join(char for char in title if char not in "[]:*?/\\").strip("' ")[: _SHEET_NAME - len(number)].strip("' ")
    return f"{name}{number}" if name and name.casefold() != "history" else ""


class _Formats:
    """How the cells of a workbook look: one format a number of decimals."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self.bold = book.add_format({"bold": True})
        self.day = book.add_format({"num_format": "yyyy-mm-dd"})
        self.moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self._numbers: dict[int, Any] = {}

    def number(self, decimals: int) -> Any:
        if decimals not in self._numbers:
            self._numbers[decimals] = self._book.add_format({"num_format": "#,##0" + ("." + "0" * decimals if decimals else "")})
        return self._numbers[decimals]


def _write_sheet(book: Any, name: str, formats: _Formats, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    sheet = book.add_worksheet(name or None)
    sheet.freeze_panes(1, 0)
    for place, label in enumerate(header):
        sheet.set_column(place, place, min(max(len(label) + 4, _WIDTHS[0]), _WIDTHS[1]) if place else _WIDTHS[1])
        sheet.write_string(0, place, label, formats.bold)
    for number, row in enumerate(rows, 1):
        for place, cell in enumerate(row):
            if isinstance(cell, str):
                if cell:
                    _write_text(sheet, number, place, cell)
            elif cell is not None:
                _write_value(sheet, formats, number, place, cell)


def _write_text(sheet: Any, number: int, place: int, text: str) -> None:
    """Text as text: xlsxwriter takes what stands between <r> and </r> for markup of its own, unless it comes in pieces. What is longer
    than a cell can be is cut, and shows it."""
    if len(text) > _CELL_UNITS // 2 and len(units := text.encode("utf-16-le")) > _CELL_UNITS * 2:
        text = units[: _CELL_UNITS * 2 - 2].decode("utf-16-le", "ignore") + "…"
    if text.startswith("<r>") and text.endswith("</r>"):
        sheet.write_rich_string(number, place, text[0], text[1:-1], text[-1])
    else:
        sheet.write_string(number, place, text)


def _write_value(sheet: Any, formats: _Formats, number: int, place: int, cell: date | datetime | Decimal | int) -> None:
    if isinstance(cell, date):
        is_moment = isinstance(cell, datetime)
        if (cell.date() if isinstance(cell, datetime) else cell) < _FIRST_DAY:
            sheet.write_string(number, place, csv_text(cell))  # a spreadsheet knows no such day
        else:
            naive = cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell
            sheet.write_datetime(number, place, naive, formats.moment if is_moment else formats.day)
        return
    exact = Decimal(cell)
    if len(exact.as_tuple().digits) > _DIGITS:
        sheet.write_string(number, place, csv_text(cell))  # a spreadsheet would round it
        return
    sheet.write_number(number, place, float(exact), formats.number(max(0, -int(exact.as_tuple().exponent))))

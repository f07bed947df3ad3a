"""Tables as files: written for an import, and read back without trusting what wrote them."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence

import python_calamine
import xlsxwriter

from crm.exchange.tabular import neutralise

_RUNS = re.compile(rb"<f[ />]|<hyperlink|<oleObject|<ddeLink")
_HARMLESS = re.compile(r"[+-]\d[\d ]*(?:[.,]\d+)*%?")


def csv_of(rows: Iterable[Sequence[str]]) -> bytes:
    """A CSV file as our own are written: a cell that a spreadsheet would run has an apostrophe before it."""
    stream = io.StringIO()
    csv.writer(stream).writerows([neutralise(cell) for cell in row] for row in rows)
    return stream.getvalue().encode()


def xlsx_of(rows: Iterable[Sequence[str]]) -> bytes:
    """A workbook whose cells are all texts."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                sheet.write_string(number, place, cell)
    return stream.getvalue()


def cells_of_csv(data: bytes) -> list[list[str]]:
    """The cells of a CSV file; fails on one that a spreadsheet would run, whether it parts cells by commas, semicolons or tabs."""
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    for row in rows:
        for cell in row:
            for part in (cell, *(each.strip(" ") for each in re.split(r"[;\t\r\n]", cell))):
                assert not part.startswith(tuple("=+-@\t\r\n＝＋－＠")) or _HARMLESS.fullmatch(part), cell
    return rows


def cells_of_xlsx(data: bytes) -> list[list[str]]:
    """The cells of a workbook's first sheet, as text; fails on a formula or a link in any part of it."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        for name in book.namelist():
            assert not _RUNS.search(book.read(name)), name
    sheet = python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0)
    return [[str(cell) for cell in row] for row in sheet.to_python()]

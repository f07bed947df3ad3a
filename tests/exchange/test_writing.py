"""Lists as files: every text as it was, never a formula, never markup (P5)."""

from __future__ import annotations

import io
import zipfile

import pytest

from crm.exchange.spreadsheet import read_grid
from crm.exchange.writing import csv_lines, write_workbook
from tests.factories.naughty import LINES, NAUGHTY

MARKUP = (
    "<r>a</r>",
    "<r></r>",
    "<r><t>a</t></r>",
    "<r>&</r>",
    '<r><t>a</t></r></is></c><c r="B9"><f>1+1</f><v>2</v></c><c r="C9" t="inlineStr"><is><r></r>',
    "_x0041_ _x005F_",
    "#N/A",
    "1234",
    "2026-01-01",
    "x" * 32_767,
)


def workbook(texts):
    stream = io.BytesIO()
    write_workbook(stream, "List", ["A", "B"], [[[text, "end"] for text in texts]])
    return stream.getvalue()


def first_column(data):
    return [cells[0] for _number, cells in read_grid(data).rows[1:]]


@pytest.mark.parametrize("texts", [NAUGHTY, LINES, MARKUP], ids=["naughty", "lines", "markup"])
def test_every_text_is_read_back_as_it_was(texts):
    data = workbook(texts)
    assert first_column(data) == list(texts)
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")
    lines = "".join(csv_lines(["A", "B"], [[[text, "end"] for text in texts]]))
    assert first_column(lines.encode()) == list(texts)


@pytest.mark.parametrize("text", ["x" * 40_000, "\N{GRINNING FACE}" * 20_000, f"<r>{'x' * 40_000}</r>"])
def test_what_no_cell_holds_is_cut_and_shows_it(text):
    [read] = first_column(workbook([text]))
    assert text.startswith(read[:-1])
    assert read.endswith("…")
    assert 32_765 <= len(read.encode("utf-16-le")) // 2 <= 32_767

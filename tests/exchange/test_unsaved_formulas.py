"""Formulas of which a workbook holds no result: named with their cell, in Excel's and OpenDocument's files, and none that has one."""

from __future__ import annotations

import io
import time
import zipfile

import pytest

from crm.errors import Refused
from crm.exchange import _workbook_child as child
from crm.exchange.sheets import Setup, read_sheet
from crm.exchange.spreadsheet import read_grid
from crm.exchange.tabular import MAX_COLUMNS, MAX_ROWS
from tests.exchange.test_spreadsheet import ods, ods_row, ods_table, parts_of, workbook

SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def simple():
    def fill(book):
        book.add_worksheet("First").write_row(0, 0, ["x", "y"])
        book.add_worksheet("People").write_row(0, 0, ["Name", "Phone"])

    return workbook(fill)


def xlsx(rows, *, prefix=""):
    """A workbook whose second sheet holds these rows, as XML."""
    colon = f":{prefix}" if prefix else ""
    tag = f"{prefix}:" if prefix else ""
    text = f'<?xml version="1.0"?><{tag}worksheet xmlns{colon}="{SPACE}"><{tag}sheetData>{rows}</{tag}sheetData></{tag}worksheet>'
    return parts_of(simple(), **{"xl/worksheets/sheet2.xml": text})


def row(number, *cells):
    return f'<row r="{number}">{"".join(cells)}</row>'


def word(place, text):
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


HEAD = row(1, word("A1", "Name"), word("B1", "E-mail"))


@pytest.mark.parametrize(
    ("cell", "is_unsaved"),
    [
        ('<c r="B2"><f>A1</f></c>', True),
        ('<c r="B2" s="3"><f t="shared" ref="B2:B9" si="0">A1&amp;"x"</f><v></v></c>', True),
        ('<c s="1" r="B2">\n <f t="shared" si="0"/>\n <v/>\n</c>', True),
        ('<c r="B2"><f>A1</f><v>3</v></c>', False),
        ('<c r="B2" t="str"><f>IF(A1="","",A1)</f><v></v></c>', False),  # its result is an empty text
        ('<c r="B2" t="str"><f>A1</f></c>', True),
        ('<c r="B2" s="1"/>', False),
    ],
)
def test_a_cell_of_excel(cell, is_unsaved):
    grid = read_grid(xlsx(HEAD + row(2, word("A2", "Ana"), cell)), sheet="People")
    assert grid.formulas == (frozenset({(2, 1)}) if is_unsaved else frozenset())


def test_only_the_sheet_that_is_read_counts_and_prefixes_do_not_matter():
    rows = "<x:row r='5'><x:c r='AB5'><x:f>A1</x:f></x:c><x:c r='AC5' t='inlineStr'><x:is><x:t>z</x:t></x:is></x:c></x:row>"
    data = xlsx(rows, prefix="x")
    assert read_grid(data, sheet="People").formulas == {(5, 27)}
    assert read_grid(data, sheet="First").formulas == frozenset()


def test_a_row_of_formulas_alone_is_a_row_and_a_heading_is_named():
    rows = row(1, word("A1", "Name"), '<c r="B1"><f>A9</f></c>') + row(2, word("A2", "Ana")) + row(3, '<c r="A3"><f>A2</f></c>')
    file = read_sheet(xlsx(rows), "parties", Setup(sheet="People"))
    assert [(problem.row_number, problem.column) for problem in file.problems] == [(3, "Name")]
    assert "holds a formula without a saved result" in file.problems[0].reason
    assert "The heading in B1 is a formula without a saved result" in file.notes[0].text
    assert file.formulas == {"Name": [3]}


def test_formulas_are_found_across_the_pieces_of_a_large_sheet(monkeypatch):
    monkeypatch.setattr(child, "_PIECE", 700)
    monkeypatch.setattr(child, "_TAIL", 300)
    rows = HEAD + "".join(
        row(n, word(f"A{n}", "N" * (n % 90)), f'<c r="B{n}"><f>A{n}</f>{"" if n % 3 else "<v>1</v>"}</c>') for n in range(2, 200)
    )
    data = xlsx(rows)
    assert child.unsaved_formulas(data, "People", 1_000, 50) == [(n, 1) for n in range(2, 200) if n % 3]


def test_a_workbook_that_is_full_of_them_is_refused():
    cells = "".join(f"<c r='{chr(65 + place)}%(n)s'><f>1</f></c>" for place in range(26))
    with pytest.raises(Refused, match="full of formulas without a saved result"):
        read_grid(xlsx(HEAD + "".join(row(n, cells % {"n": n}) for n in range(2, 2000))), sheet="People")


def test_a_workbook_that_does_not_say_where_its_cells_are_says_that():
    placeless = xlsx(
        "<row><c t='inlineStr'><is><t>Name</t></is></c></row><row><c t='inlineStr'><is><t>Ana</t></is></c><c><f>1</f></c></row>"
    )
    grid = read_grid(placeless, sheet="People")
    assert "does not say where" in grid.notes[0].text


@pytest.mark.parametrize(
    ("attributes", "is_unsaved"),
    [
        ("", True),
        ('office:value-type="float"', True),
        ('office:value-type="float" office:value="3"', False),
        ('office:value-type="date" office:date-value="2026-01-01"', False),
        ('office:value-type="string"', False),
    ],
)
def test_a_cell_of_opendocument(attributes, is_unsaved):
    def cell(text):
        return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'

    formula = f'<table:table-cell table:formula="of:=[.A1]" {attributes}/>'
    rows = f"<table:table-row>{cell('Name')}{cell('x')}{cell('E-mail')}</table:table-row>"
    rows += '<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="3"/></table:table-row>'
    rows += f'<table:table-row><table:table-cell office:value-type="string" table:number-columns-repeated="2"><text:p>A</text:p></table:table-cell>{formula}</table:table-row>'
    grid = read_grid(ods(ods_table(rows)))
    assert grid.formulas == (frozenset({(4, 2)}) if is_unsaved else frozenset())


def test_a_list_of_parts_that_cannot_be_followed_is_an_error_that_the_process_leaves_aside():
    out = parts_of(simple(), **{"xl/_rels/workbook.xml.rels": "<Relationships/>"})
    with zipfile.ZipFile(io.BytesIO(out)) as book, pytest.raises((KeyError, StopIteration, RuntimeError)):
        list(child.xlsx_formulas(book, "People"))


FORMULA = '<table:table-cell table:formula="of:=[.A1]" office:value-type="float"{more}/>'


def test_cells_and_rows_that_are_repeated_are_each_named():
    repeated = FORMULA.format(more=' table:number-columns-repeated="2"')
    rows = ods_row("Name", "Phone") + f'<table:table-row table:number-rows-repeated="3">{repeated}</table:table-row>'
    assert read_grid(ods(ods_table(rows))).formulas == {(row, column) for row in (2, 3, 4) for column in (0, 1)}


@pytest.mark.parametrize("times", ["99999999999", "9" * 6_000, "x", "-3", "0", ""])
def test_numbers_beyond_every_sheet_name_no_cell_there(times):
    plain = FORMULA.format(more="")
    many = FORMULA.format(more=f' table:number-columns-repeated="{times}"')
    first = ods_row("Name", "Phone")
    for rows in (
        f'{first}<table:table-row table:number-rows-repeated="{times}"/><table:table-row>{plain}</table:table-row>',
        f"{first}<table:table-row>{many}{plain}</table:table-row>",
        f'{first}<table:table-row table:number-rows-repeated="{times}">{plain}</table:table-row>',
    ):
        try:
            grid = read_grid(ods(ods_table(rows)))
        except Refused:
            continue
        assert all(row <= MAX_ROWS and column < MAX_COLUMNS for row, column in grid.formulas)


def test_a_tag_of_many_formulas_is_refused_or_read_at_once():
    began = time.process_time()
    tag = f"<table:table-cell {':formula=' * 40_000}"
    assert list(child._matches(io.BytesIO(tag.encode() * 2), child._ODS_CELL)) == []
    many = "".join(FORMULA.format(more="") for _ in range(200))
    rows = f'<table:table-row table:number-rows-repeated="200000">{many}</table:table-row>'
    with zipfile.ZipFile(io.BytesIO(ods(ods_table(rows)))) as book:
        assert len(child.ods_formulas(book, "Leute")) == child._MOST_FORMULAS + 1
    assert time.process_time() - began < 1

"""Cells merged over rows stand in every row of the list, in Excel's and OpenDocument's files; comments and rows passed over are said."""

from __future__ import annotations

import os
import zipfile
from io import BytesIO

import pytest

from crm.errors import Refused
from crm.exchange import _workbook_child as child
from crm.exchange import spreadsheet
from crm.exchange.sheets import Setup, read_sheet
from crm.exchange.spreadsheet import letter, read_grid
from tests.exchange.test_spreadsheet import is_known, ods, ods_row, ods_table, parts_of, simple, workbook

SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def xlsx(rows, merges):
    """A workbook of these rows, whose cells are merged as given in Excel's way: “B2:B4”."""

    def fill(book):
        sheet = book.add_worksheet("People")
        for number, cells in enumerate(rows):
            sheet.write_row(number, 0, cells)

    data = workbook(fill)
    with zipfile.ZipFile(BytesIO(data)) as book:
        text = book.read("xl/worksheets/sheet1.xml").decode()
    ranges = "".join(f'<mergeCell ref="{merge}"/>' for merge in merges)
    return parts_of(data, **{"xl/worksheets/sheet1.xml": text.replace("</sheetData>", f"</sheetData><mergeCells>{ranges}</mergeCells>")})


def listing(data):
    return spreadsheet.find_headings(read_grid(data), is_known)


def seconds():
    return sum(os.times()[:4])


HEADINGS = ["Name", "Phone", "Organisation"]


def test_a_cell_merged_over_rows_stands_in_each_and_the_file_says_how_many():
    rows = [HEADINGS, ["Ana", "1", "Water Fund"], ["Bo", "2"], ["Cy"], ["Di", "4", "Radio"]]
    found = listing(xlsx(rows, ["C2:C4"]))
    assert [cells for _row, cells in found.rows] == [
        ("Ana", "1", "Water Fund"),
        ("Bo", "2", "Water Fund"),
        ("Cy", "", "Water Fund"),
        ("Di", "4", "Radio"),
    ]
    assert [note.text for note in found.notes] == ["2 cells took the value of a merged cell above them (rows 3, 4)."]
    one = listing(xlsx(rows, ["C2:C3"]))
    assert [note.text for note in one.notes] == ["1 cell took the value of the merged cell above it (row 3)."]
    assert not listing(xlsx(rows, [])).notes


def test_titles_headings_and_headings_of_sections_stay_as_they_are():
    rows = [["List", "", ""], ["", "How to reach", ""], ["Name", "Phone", "E-mail"], ["DONORS"], ["Ana", "1", "a@x.example"], ["Bo", "2"]]
    before = listing(xlsx(rows, []))
    after = listing(xlsx(rows, ["A1:C1", "B2:C2", "A3:A4", "C2:C6", "A4:C4"]))
    assert (after.headings, after.rows, after.notes) == (before.headings, before.rows, [])


def test_of_a_merge_over_rows_and_columns_the_first_column_alone_is_filled():
    rows = [[*HEADINGS, "Country"], ["Ana", "1", "Fund", ""], ["Bo", "2", "", ""], ["Cy", "3", "", ""]]
    assert [cells[2:] for _row, cells in listing(xlsx(rows, ["C2:D3"])).rows] == [("Fund",), ("Fund",), ()]


def test_what_stands_in_a_covered_cell_is_kept_and_a_row_without_anything_is_none():
    rows = [HEADINGS, ["Ana", "1", "Fund"], ["", "", ""], ["Bo", "2", "Own"], ["Cy", "3"]]
    found = listing(xlsx(rows, ["C2:C5", "A2:A3"]))
    assert found.rows == [(2, ("Ana", "1", "Fund")), (4, ("Bo", "2", "Own")), (5, ("Cy", "3", "Fund"))]


def spanned(text, rows=1, columns=1):
    return (
        f'<table:table-cell table:number-columns-spanned="{columns}" table:number-rows-spanned="{rows}" office:value-type="string">'
        f"<text:p>{text}</text:p></table:table-cell>"
    )


def cell(text):
    return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


def line(*inner, repeated=1):
    return f'<table:table-row table:number-rows-repeated="{repeated}">{"".join(inner)}</table:table-row>'


COVERED = "<table:covered-table-cell/>"


def test_opendocument_says_it_by_a_span_over_rows():
    rows = line(spanned("List", 1, 3), '<table:covered-table-cell table:number-columns-repeated="2"/>')
    rows += line('<table:table-cell table:number-columns-repeated="3"/>', repeated=2)
    rows += ods_row(*HEADINGS)
    rows += line(cell("Ana"), spanned("1", 2, 2), COVERED) + line(cell("Bo"), COVERED, COVERED)
    rows += line(cell("Cy"), '<table:table-cell table:number-columns-repeated="1"/>', spanned("Fund", 3))
    rows += line(cell("Di"), cell("2"), COVERED, repeated=2)
    found = listing(ods(ods_table(rows)))
    assert found.rows == [
        (5, ("Ana", "1")),
        (6, ("Bo", "1")),
        (7, ("Cy", "", "Fund")),
        (8, ("Di", "2", "Fund")),
        (9, ("Di", "2", "Fund")),
    ]
    assert [note.text for note in found.notes] == ["3 cells took the value of a merged cell above them (rows 6, 8, 9)."]


def test_only_the_sheet_that_is_read_counts():
    first = ods_table(ods_row("Name", "Phone") + line(spanned("Ana", 2), cell("1")) + line(COVERED, cell("2")))
    other = '<table:table table:name="Other">' + line(cell("x"), spanned("y", 3)) * 2 + "</table:table>"
    grid = read_grid(ods(first.replace("</office:spreadsheet>", other + "</office:spreadsheet>")))
    assert grid.merges == [(2, 3, 0)]


def test_the_cells_under_a_formula_without_a_saved_result_miss_it_too():
    def text(place, word):
        return f'<c r="{place}" t="inlineStr"><is><t>{word}</t></is></c>'

    rows = f'<row r="2">{text("A2", "Ana")}<c r="B2"><f>A1</f></c></row><row r="3">{text("A3", "Bo")}</row>'
    head = f'<row r="1">{text("A1", "Name")}{text("B1", "E-mail")}</row>'
    part = f'<worksheet xmlns="{SPACE}"><sheetData>{head}{rows}</sheetData><mergeCells><mergeCell ref="B2:B3"/></mergeCells></worksheet>'
    file = read_sheet(parts_of(simple(), **{"xl/worksheets/sheet1.xml": part}), "parties", Setup())
    assert [(problem.row_number, problem.column) for problem in file.problems] == [(2, "E-mail"), (3, "E-mail")]


def test_an_amount_merged_over_rows_is_counted_in_none_until_it_is_said_what_each_is():
    rows = [["Donor", "Date", "Amount", "Currency"]] + [[name, "2026-01-01", 900 if name == "A" else "", "EUR"] for name in "ABC"]
    data = xlsx([*rows, ["D", "2026-01-02", 50, "EUR"]], ["C2:C4"])
    file = read_sheet(data, "pledges", Setup())
    assert [(problem.row_number, problem.column) for problem in file.problems] == [(row, "Amount") for row in (2, 3, 4)]
    assert "merged over several rows, from row 2" in file.problems[0].reason
    assert file.control.read == {"EUR": [1, 5000]}
    said = read_sheet(data, "pledges", Setup(edits={str(row): {"Amount": "300"} for row in (2, 3, 4)}))
    assert (said.problems, said.control.read) == ([], {"EUR": [4, 95000]})
    tall = read_sheet(xlsx([*rows[:2], ["", "", "", ""], ["B", "2026-01-01", 10, "EUR"]], ["C2:C3"]), "pledges", Setup())
    assert (tall.problems, tall.control.read) == ([], {"EUR": [2, 91000]})


# --- made to harm ----------------------------------------------------------------------------------------------------


def tall_sheet(merges, rows=2_000):
    return xlsx([HEADINGS, *([f"Person {n}", "1"] for n in range(rows))], merges)


MANY = '<table:table-cell table:number-columns-repeated="499" table:number-rows-spanned="99"/>'
FULL = "full of cells that are merged"
HARM = {
    "over a million rows": (lambda: xlsx([HEADINGS, ["Ana", "1", "Fund"], ["Bo", "2"]], ["C2:C1048576"]), ""),
    "over every cell": (lambda: xlsx([HEADINGS, ["Ana", "1", "Fund"], ["Bo", "2"]], ["A1:XFD1048576", "C2:XFD1048576"]), ""),
    "thousands that overlap": (lambda: tall_sheet([f"A{n % 1999 + 2}:C1048576" for n in range(90_000)]), ""),
    "more than are followed": (lambda: tall_sheet(["A2:A2001"] * 500_000), FULL),
    "over columns, without end": (lambda: tall_sheet(["A5:C5"] * 1_500_000), ""),
    "none of which Excel knows": (lambda: tall_sheet(["A2:A9999999", "ZZZ2:ZZZ9", "A0:A0", "A9:A2"]), "damaged"),
    "a tag without end": (lambda: tall_sheet(["A2:A" + "mergeCell ref=" * 400_000]), "damaged"),
    "long texts in many rows": (
        lambda: xlsx(
            [["Name"] * 40, *(["x" * 30_000 if n == 0 else ""] * 39 + ["y"] for n in range(2_000))],
            [f"{letter(column)}2:{letter(column)}1048576" for column in range(39)],
        ),
        FULL,
    ),
    "far columns in short rows": (
        lambda: xlsx(
            [["Name"], ["x"] * 499, *(["y"] for _row in range(5_000))],
            [f"{letter(column)}2:{letter(column)}1048576" for column in range(499)],
        ),
        FULL,
    ),
    "OpenDocument, over a million rows": (
        lambda: ods(ods_table(ods_row(*HEADINGS) + line(spanned("Ana", "9" * 4_000, "9" * 4_000)) + ods_row("Bo"))),
        "",
    ),
    "OpenDocument, in repeated cells": (
        lambda: ods(ods_table(ods_row(*HEADINGS) + line(MANY) * 300 + ods_row("Bo"))),
        FULL,
    ),
}


def unpacked(data):
    """The same workbook, not packed: none of it is refused for how well it packs."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.infolist():
            new.writestr(part.filename, old.read(part.filename))
    return out.getvalue()


@pytest.mark.parametrize(("make", "said"), HARM.values(), ids=HARM)
def test_merges_made_to_harm_are_read_or_refused_in_two_seconds(make, said):
    data = unpacked(make())
    began = seconds()
    if said:
        with pytest.raises(Refused, match=said):
            listing(data)
    else:
        assert sum(len(cells) for _row, cells in listing(data).rows) < 1_000_000
    assert seconds() - began < 2


def test_more_cells_than_are_gone_through_are_refused(monkeypatch):
    monkeypatch.setattr(spreadsheet, "MAX_COVERED", 20)
    rows = [HEADINGS, ["Ana", "1", "Fund"], *(["Bo", "2"] for _row in range(30))]
    with pytest.raises(Refused, match="full of cells that are merged"):
        listing(xlsx(rows, ["C2:C40"]))
    assert len(listing(xlsx(rows, ["C2:C9"])).rows) == 31


def test_more_letters_than_a_file_may_have_are_refused(monkeypatch):
    data = xlsx([HEADINGS, ["Ana", "1", "F" * 900], *(["Bo", "2"] for _row in range(300))], ["C2:C400"])
    assert len(listing(data).rows) == 301
    monkeypatch.setattr(spreadsheet, "MAX_BYTES", 200_000)
    with pytest.raises(Refused, match="full of cells that are merged"):
        listing(data)


def test_merges_and_comments_are_found_across_the_pieces_of_a_large_sheet(monkeypatch):
    monkeypatch.setattr(child, "_PIECE", 300)
    monkeypatch.setattr(child, "_TAIL", 120)
    data = tall_sheet([f"A{n}:{'A' if n % 2 else 'B'}{n + n % 3}" for n in range(2, 400)], rows=500)
    found, _comments = child.merges_and_comments(data, "People", 300, 500, has_merges=True)
    assert found == [(n, min(n + n % 3, 300), 0) for n in range(2, 300) if n % 3]
    assert child.merges_and_comments(data, "People", 300, 500, has_merges=False) == ([], set())


def test_tags_without_end_are_gone_through_once():
    began = seconds()
    for pattern, mark in ((child._XLSX_MERGE, child._MERGE), (child._XLSX_COMMENT, b""), (child._ODS_SPAN_OR_COMMENT, b"")):
        for text in (b"<mergeCell ref=", b"<comment ref ", b"<x:comment ", b":mergeCell \n", b"<aaaa", b"number-rows-spanned="):
            assert list(child._matches(BytesIO(text * 100_000), pattern, mark)) == []
    assert seconds() - began < 2


def test_a_sheet_without_merges_or_comments_is_not_looked_through_for_them():
    commands = []
    plain = workbook(lambda book: book.add_worksheet().write_row(0, 0, HEADINGS))
    run = spreadsheet.subprocess.run

    def watched(command, **options):
        commands.append(command[-1])
        return run(command, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spreadsheet.subprocess, "run", watched)
        read_grid(plain)
        read_grid(xlsx([HEADINGS], ["A1:B1"]))
    assert commands == ["0", "1"]


# --- comments --------------------------------------------------------------------------------------------------------


def commented(*places):
    def fill(book):
        sheet = book.add_worksheet("People")
        for number, cells in enumerate([HEADINGS, ["Ana", "1"], ["Bo", "2"]]):
            sheet.write_row(number, 0, cells)
        for place in places:
            sheet.write_comment(place, "Birthday 9 June, and <comment ref='Z9'>")
        book.add_worksheet("Other").write_comment("A1", "x")

    return workbook(fill)


def test_cells_with_comments_are_counted_on_the_sheet_that_is_read():
    assert [note.text for note in read_grid(commented("B3")).notes] == ["1 cell has a comment, which is not brought in (row 3)."]
    several = read_grid(commented("B3", "A3", "C2"))
    assert [note.text for note in several.notes] == ["3 cells have a comment, which is not brought in (rows 2, 3)."]
    assert not read_grid(commented()).notes


def test_a_conversation_about_a_cell_is_one_comment():
    data = commented("B3")
    with zipfile.ZipFile(BytesIO(data)) as book:
        links = book.read("xl/worksheets/_rels/sheet1.xml.rels").decode()
    link = '<Relationship Id="t" Type="http://schemas.microsoft.com/office/2017/10/relationships/threadedComment" Target="../threadedComments/threadedComment1.xml"/>'
    thread = '<ThreadedComments xmlns="x"><threadedComment ref="B3" id="1"><text>?</text></threadedComment><threadedComment ref="B3" id="2"/><threadedComment ref="A2" id="3"/></ThreadedComments>'
    changed = {"xl/worksheets/_rels/sheet1.xml.rels": links.replace("</Relationships>", link + "</Relationships>")}
    data = parts_of(data, **changed, **{"xl/threadedComments/threadedComment1.xml": thread})
    assert [note.text for note in read_grid(data).notes] == ["2 cells have a comment, which is not brought in (rows 2, 3)."]


def test_a_comment_that_cannot_be_followed_takes_no_merges_away():
    data = xlsx([HEADINGS, ["Ana", "1", "Fund"], ["Bo", "2"]], ["C2:C3"])
    link = '<Relationships xmlns="x"><Relationship Id="c" Type="y/comments" Target="../comments9.xml"/></Relationships>'
    data = parts_of(data, **{"xl/worksheets/_rels/sheet1.xml.rels": link, "xl/comments1.xml": "<comments/>"})
    assert (read_grid(data).merges, read_grid(data).notes) == ([(2, 3, 2)], [])


def test_comments_of_opendocument_are_counted():
    note = '<office:annotation><text:p>Birthday</text:p></office:annotation><office:annotation-end office:name="1"/>'
    rows = ods_row(*HEADINGS) + ods_row("Ana", repeated=3)
    rows += f'<table:table-row>{cell("Bo")}<table:table-cell office:value-type="string">{note}<text:p>2</text:p></table:table-cell></table:table-row>'
    assert [said.text for said in read_grid(ods(ods_table(rows))).notes] == ["1 cell has a comment, which is not brought in (row 5)."]


# --- rows that are none of the list ----------------------------------------------------------------------------------


def test_rows_with_nothing_in_a_column_that_is_read_are_said_with_their_numbers():
    rows = [f"{n},Person {n},p{n}@x.example" for n in range(3)]
    data = "\n".join(["No.,Name,E-mail", *rows, "DONORS", *rows, "Total contacts: 6", ""]).encode()
    file = read_sheet(data, "parties", Setup())
    assert (len(file.rows), file.problems) == (6, [])
    assert [note.text for note in file.notes] == [
        "2 rows are left out, such as headings of sections: no column that is read holds anything there (rows 5, 9)."
    ]
    many = "\n".join(["No.,Name,E-mail", *(["x", *rows] * 10)]).encode()
    assert "(rows 2, 6, 10, 14, 18, 22, 26, 30 and 2 more)" in read_sheet(many, "parties", Setup()).notes[0].text
    unnamed = read_sheet(data, "parties", Setup(columns={"E-mail": "email"}))
    assert unnamed.missing()
    assert not unnamed.notes


def test_a_row_that_says_the_headings_again_is_left_out_and_said():
    data = b"Name,Post,E-mail\nAna,Head,a@x.example\nName, Post,E-mail\nBo,Head,b@x.example\nName,Post,\nName,,\nPost,Name,\n"
    file = read_sheet(data, "parties", Setup())
    assert [row.row_number for row in file.rows] == [2, 4, 6, 7]
    assert not file.problems
    assert [note.text for note in file.notes] == ["2 rows say the headings again, and are left out (rows 3, 5)."]

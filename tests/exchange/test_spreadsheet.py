"""Opening spreadsheets: encodings, separators, workbooks, bombs, titles above the headings."""

from __future__ import annotations

import datetime as dt
import io
import os
import subprocess
import sys
import zipfile

import pytest
import xlsxwriter

from crm.errors import Refused
from crm.exchange import spreadsheet
from crm.exchange.spreadsheet import find_headings, letter, read_grid

KNOWN = {"name", "phone", "e-mail"}
ROWS = [["Name", "Phone"], ["Ana Núñez", "+41 22 555 01 01"], ["ليلى", "2"]]
CSV = "Name,Phone\nAna Núñez,+41 22 555 01 01\nليلى,2\n"


def seconds():
    """Of the processor, ours and that of the processes we started: other work on the machine does not count."""
    return sum(os.times()[:4])


def is_known(cell):
    return cell.strip().casefold() in KNOWN


def cells(grid):
    return [list(row) for _number, row in grid.rows]


def workbook(fill, **options):
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, options)
    fill(book)
    book.close()
    return buffer.getvalue()


def parts_of(data, **changed):
    """The same workbook with parts replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, changed.pop(part.filename, None) or old.read(part.filename))
        for name, text in changed.items():
            new.writestr(name, text)
    return out.getvalue()


def simple():
    return workbook(lambda book: book.add_worksheet().write_row(0, 0, ["Name", "Phone"]))


def ods(content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    return out.getvalue()


def ods_table(rows):
    spaces = " ".join(f'xmlns:{key}="urn:oasis:names:tc:opendocument:xmlns:{key}:1.0"' for key in ("office", "table", "text"))
    return (
        f'<?xml version="1.0"?><office:document-content {spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="Leute">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    )


def ods_row(*texts, repeated=1):
    inner = "".join(f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>' for text in texts)
    return f'<table:table-row table:number-rows-repeated="{repeated}">{inner}</table:table-row>'


@pytest.mark.parametrize(
    "data",
    [
        CSV.encode(),
        b"\xef\xbb\xbf" + CSV.encode(),
        b"\xef\xbb\xbf\xef\xbb\xbf" + CSV.encode(),
        CSV.encode("utf-16"),
        CSV.replace(",", ";").encode(),
        CSV.replace(",", "\t").encode(),
        ("A list, of the Amman office, 2026\n\n" + CSV.replace(",", ";")).encode(),
    ],
)
def test_text_is_read_whatever_its_encoding_and_separator(data):
    listing = find_headings(read_grid(data), is_known)
    assert listing.headings == ("Name", "Phone")
    assert [list(row) for _number, row in listing.rows] == ROWS[1:]


def test_rows_keep_the_numbers_a_spreadsheet_shows():
    listing = find_headings(read_grid(b"List\n\nName,Phone\n\nAna,1\n"), is_known)
    assert (listing.header_row, [number for number, _cells in listing.rows]) == (3, [5])


def test_an_old_encoding_is_read_and_said():
    grid = read_grid("Name,Phone\nNúñez,1\n".encode("cp1252"))
    assert cells(grid)[1] == ["Núñez", "1"]
    assert any("not UTF-8" in note.text for note in grid.notes)


def test_our_own_apostrophes_are_taken_off_again():
    assert cells(read_grid(b"Name,Phone\n'=SUM(A1),'+x\n"))[1] == ["=SUM(A1)", "+x"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"Name,Phone\nA\0na,1\n", "zero bytes"),
        ("Name,Phone\nNúñez Çé ليلى,1\n".encode() + "Núñez,2\n".encode("cp1252"), "mixes two encodings: line 3"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old Excel"),
        (b"%PDF-1.7 nothing", "PDF"),
        (b"PK\x03\x04" + b"nonsense" * 20, "damaged"),
        (b"Name,Phone\n" + b"x" * 51_000_000, "larger than"),
        (b"\n".join([b"Name"] * 250_010), "more than 250,000 rows"),
        ((",".join(["x"] * 600) + "\n").encode(), "more than 500 columns"),
        (b'Name,Phone\n"Ana,1\n', "never closed"),
    ],
)
def test_what_is_no_list_is_refused_with_a_sentence_and_soon(data, said):
    began = seconds()
    with pytest.raises(Refused, match=said):
        read_grid(data)
    assert seconds() - began < 2


def test_a_workbook_gives_values_days_numbers_and_never_formulas():
    def fill(book):
        sheet = book.add_worksheet("People")
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(0, 0, ["Name", "Phone", "Since", "Share", "Sure"])
        sheet.write_row(1, 0, ["=cmd|' /C calc'!A0"], None)
        sheet.write_string(1, 0, "=cmd|' /C calc'!A0")
        sheet.write_number(1, 1, 962791234567)
        sheet.write_datetime(1, 2, dt.date(2026, 4, 3), day)
        sheet.write_formula(1, 3, "=1+1", None, 2.5)
        sheet.write_boolean(1, 4, True)

    grid = read_grid(workbook(fill))
    assert (grid.kind, grid.sheets, grid.sheet) == ("xlsx", ("People",), "People")
    assert cells(grid)[1] == ["=cmd|' /C calc'!A0", "962791234567", "2026-04-03", "2.5", "yes"]


def test_a_sheet_is_chosen_and_hidden_ones_are_not_offered():
    def fill(book):
        book.add_worksheet("One").write(0, 0, "a")
        book.add_worksheet("Two").write(2, 1, "b")
        book.add_worksheet("Secret").hide()

    data = workbook(fill)
    assert read_grid(data).sheet == "One"
    two = read_grid(data, sheet="Two")
    assert (two.sheets, list(two.rows)) == (("One", "Two"), [(3, ("", "b"))])
    assert read_grid(data, sheet="Secret").sheet == "One"


def test_titles_merged_and_blank_headings():
    def fill(book):
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 4, "Contacts of the Amman office")
        sheet.merge_range(2, 1, 2, 2, "Minister")
        sheet.merge_range(2, 3, 2, 4, "Deputy")
        sheet.write_row(3, 0, ["", "Name", "Phone", "Name", "Phone"])
        sheet.write_row(4, 0, ["1", "Ana", "5", "Bo", "6", "note"])

    listing = find_headings(read_grid(workbook(fill)), is_known)
    assert listing.header_row == 4
    assert listing.headings == ("column A", "Minister: Name", "Minister: Phone", "Deputy: Name", "Deputy: Phone", "column F")


def test_a_list_without_any_heading_we_know_takes_its_first_wide_row():
    listing = find_headings(read_grid(b"Title\nfoo,bar\n1,2\n"), is_known)
    assert (listing.header_row, listing.headings) == (2, ("foo", "bar"))
    chosen = find_headings(read_grid(b"Title\nfoo,bar\n1,2\n"), is_known, row=3)
    assert (chosen.headings, list(chosen.rows)) == (("1", "2"), [])


def test_open_document_sheets_are_read():
    grid = read_grid(ods(ods_table(ods_row("Name", "Phone") + ods_row("Ana", "1") + ods_row(repeated=1048574))))
    assert (grid.kind, grid.sheets, cells(grid)) == ("ods", ("Leute",), [["Name", "Phone"], ["Ana", "1"]])


def written(*texts, row=2):
    cells = "".join(f'<c r="{letter(place)}{row}" t="inlineStr"><is><t>{text}</t></is></c>' for place, text in enumerate(texts))
    return f'<row r="{row}">{cells}</row>'


SPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def with_rows(*rows):
    sheet = f"<worksheet {SPACE}><sheetData>{written('Name', 'Phone', row=1)}{''.join(rows)}</sheetData></worksheet>"
    return parts_of(simple(), **{"xl/worksheets/sheet1.xml": sheet})


def test_the_first_sheet_that_has_rows_is_read():
    def fill(book):
        book.add_worksheet("Empty")
        book.add_worksheet("Cover").write(3, 0, "Contacts of 2026")
        book.add_worksheet("People").write_column(0, 0, ["Name", "Ana"])
        book.add_worksheet("End")

    grid = read_grid(workbook(fill))
    assert (grid.sheets, grid.sheet, cells(grid)) == (("Empty", "Cover", "People", "End"), "People", [["Name"], ["Ana"]])
    assert cells(read_grid(workbook(fill), sheet="Cover")) == [["Contacts of 2026"]]
    assert cells(read_grid(workbook(fill), sheet="End")) == []
    assert cells(read_grid(workbook(lambda book: (book.add_worksheet(), book.add_worksheet())))) == []
    tables = ods_table("").replace(
        "</table:table>", "</table:table>" + '<table:table table:name="Two">' + ods_row("Name") + "</table:table>"
    )
    assert read_grid(ods(tables)).sheet == "Two"


def test_control_characters_that_excel_writes_in_words_are_dropped():
    assert cells(read_grid(with_rows(written("A_x0000_n_x0007_a", "1_x000D_\n2"))))[1] == ["Ana", "1\n2"]


@pytest.mark.parametrize("error", ["#N/A", "#REF!"])
def test_cells_of_errors_are_empty_and_said(error):
    grid = read_grid(with_rows(f'<row r="2"><c r="A2" t="inlineStr"><is><t>Ana</t></is></c><c r="B2" t="e"><v>{error}</v></c></row>'))
    assert cells(grid)[1] == ["Ana"]
    assert [note.kind for note in grid.notes] == ["errors"]
    shown = f'<table:table-cell office:value-type="string" calcext:value-type="error"><text:p>{error}</text:p></table:table-cell>'
    assert [note.kind for note in read_grid(ods(ods_table(ods_row("Name") + f"<table:table-row>{shown}</table:table-row>"))).notes] == [
        "errors"
    ]
    assert read_grid(simple()).notes == []


def test_a_workbook_in_a_zip_is_read_as_a_list_in_one_is():
    def packed(data):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("list.xlsx", data)
        return out.getvalue()

    assert cells(read_grid(packed(simple()))) == [["Name", "Phone"]]
    assert cells(read_grid(packed(CSV.encode()))) == ROWS
    with pytest.raises(Refused):
        read_grid(packed(packed(simple())))


def damaged_first_part(kind):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", "<x/>")
    data = bytearray(out.getvalue())
    data[50] ^= 0xFF
    return bytes(data)


def with_parts(data, *parts):
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as archive:
        for name, text in parts:
            archive.writestr(name, text)
    return out.getvalue()


LOCKED = '<m><encryption-data xmlns="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/></m>'


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: damaged_first_part(zipfile.ZIP_DEFLATED), "damaged"),
        (lambda: damaged_first_part(zipfile.ZIP_LZMA), "damaged"),
        (lambda: ods(os.urandom(500)), "damaged"),
        (lambda: parts_of(ods(os.urandom(500)), **{"META-INF/manifest.xml": LOCKED}), "password"),
        (lambda: with_parts(ods("<x/>"), ("encrypted-package", "x")), "password"),
        (lambda: with_parts(simple(), ("XL/worksheets/Sheet1.xml", "<worksheet/>")), "damaged"),
        (lambda: parts_of(ods("<x/>"), mimetype="application/vnd.oasis.opendocument.spreadsheet-template"), "not a spreadsheet"),
    ],
)
def test_a_strange_workbook_is_refused_with_the_sentence_that_is_true_of_it(make, said):
    with pytest.raises(Refused, match=said):
        read_grid(make())


@pytest.mark.parametrize("part", range(20))
def test_a_workbook_cut_off_anywhere_is_refused(part):
    for data in (simple(), ods(ods_table(ods_row("Name", "Phone")))):
        with pytest.raises(Refused):
            read_grid(data[: len(data) * part // 20])


LAUGHS = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'


def bombs():
    sheet = "xl/worksheets/sheet1.xml"
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    open_, close = f"<worksheet {space}><sheetData>", "</sheetData></worksheet>"
    yield "4 GB in few bytes", lambda: lying(4_000_000_000), "far more"
    yield "a directory that lies", lambda: lying(1_000), "far more|damaged"
    yield "entities", lambda: parts_of(simple(), **{sheet: LAUGHS + open_ + close}), "entities"
    yield (
        "an outside entity",
        lambda: parts_of(simple(), **{"xl/sharedStrings.xml": '<!DOCTYPE x SYSTEM "file:///etc/passwd"><sst/>'}),
        "entities",
    )
    yield "entities in UTF-16", lambda: parts_of(simple(), **{sheet: (LAUGHS + open_ + close).encode("utf-16")}), "damaged"
    columns = "".join(f'<c r="{letter(place)}1" t="n"><v>1</v></c>' for place in range(16_384))
    yield "16,384 columns", lambda: parts_of(simple(), **{sheet: open_ + f'<row r="1">{columns}</row>' + close}), "500 columns"
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    yield "a cell in the far corner", lambda: parts_of(simple(), **{sheet: open_ + far + close}), "more memory|500 columns"
    tall = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="B1048576"><v>1</v></c></row>'
    yield "a row a million below", lambda: parts_of(simple(), **{sheet: open_ + tall + close}), "more memory|250,000 rows"
    yield (
        "a million texts",
        lambda: parts_of(
            simple(),
            **{"xl/sharedStrings.xml": f"<sst {space}>" + "".join(f"<si><t>{place}</t></si>" for place in range(1_000_001)) + "</sst>"},
        ),
        "texts",
    )
    yield "empty cells without end", lambda: parts_of(simple(), **{sheet: open_ + "<c/>" * 35_000_000 + close}), "far more"
    yield "many parts", lambda: parts_of(simple(), **{f"x/{place}.xml": "<a/>" for place in range(2_100)}), "far more"
    wide = ods_table(
        '<table:table-row table:number-rows-repeated="1000000"><table:table-cell office:value-type="string" table:number-columns-repeated="16384"><text:p>x</text:p></table:table-cell></table:table-row>'
    )
    yield "an ODS that repeats", lambda: ods(wide), "more memory|500 columns|rows|too long|damaged"
    padded = "".join(f"<!--{place}--><!{' ' * 4000}>" for place in range(20_000))
    yield "what begins like a declaration", lambda: parts_of(simple(), **{sheet: open_ + padded + close}), "damaged|far more"
    yield "ODS entities", lambda: ods(LAUGHS + ods_table(ods_row("a")).partition("?>")[2]), "entities"


def lying(size):
    """A workbook whose sheet unpacks to far more than it is; its directory says `size`."""
    data = bytearray(parts_of(simple(), **{"xl/worksheets/sheet1.xml": b"<worksheet>" + b" " * 200_000_000}))
    for signature, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        start = 0
        while (start := data.find(signature, start)) >= 0:
            name_at = start + (46 if signature == b"PK\x01\x02" else 30)
            if data[name_at : name_at + 24] == b"xl/worksheets/sheet1.xml":
                data[start + place : start + place + 4] = size.to_bytes(4, "little")
            start += 4
    return bytes(data)


@pytest.mark.parametrize(("make", "said"), [case[1:] for case in bombs()], ids=[case[0] for case in bombs()])
def test_a_workbook_made_to_harm_is_refused_in_two_seconds_and_little_memory(make, said):
    data = make()
    began = seconds()
    with pytest.raises(Refused, match=said):
        read_grid(data)
    assert seconds() - began < 2


def test_what_keeps_the_parser_busy_is_stopped_and_said_to_take_too_long(monkeypatch):
    monkeypatch.setattr(spreadsheet, "FEW_SECONDS", 1)
    monkeypatch.setattr(spreadsheet, "BYTES_A_SECOND", 10**9)
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rows = "".join(f'<row r="{row}">{"<c/>" * 150}<c t="n"><v>{row * 7_919_317 % 10**9}</v></c></row>' for row in range(1, 150_000))
    data = parts_of(simple(), **{"xl/worksheets/sheet1.xml": f"<worksheet {space}><sheetData>{rows}</sheetData></worksheet>"})
    with pytest.raises(Refused, match="too long"):
        read_grid(data)


MEASURE = """
import resource, sys
from crm.errors import Refused
from crm.exchange.spreadsheet import read_grid
for path in sys.argv[1:]:
    try:
        read_grid(open(path, "rb").read())
    except Refused:
        pass
own = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
"""


def test_what_is_made_to_harm_takes_little_memory(tmp_path):
    for place, (_name, make, _said) in enumerate(bombs()):
        (tmp_path / str(place)).write_bytes(make())
    done = subprocess.run([sys.executable, "-c", MEASURE, *map(str, sorted(tmp_path.iterdir()))], capture_output=True, check=True)
    assert int(done.stdout) < 300 * 1024


def test_a_text_repeated_without_end_ends_its_own_process_only():
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    cells = [letter(place) for place in range(20)]
    rows = "".join(
        f'<row r="{row}">' + "".join(f'<c r="{cell}{row}" t="s"><v>0</v></c>' for cell in cells) + "</row>" for row in range(1, 20_000)
    )
    data = parts_of(
        simple(),
        **{
            "xl/sharedStrings.xml": f"<sst {space}><si><t>{'x' * 32_000}</t></si></sst>",
            "xl/worksheets/sheet1.xml": f"<worksheet {space}><sheetData>{rows}</sheetData></worksheet>",
        },
    )
    with pytest.raises(Refused, match=r"more memory|larger than"):
        read_grid(data)


def test_a_list_that_says_the_same_in_most_columns_is_read():
    table = ods_table("".join(ods_row(f"Name {row}", *["yes"] * 12) for row in range(10_000)))
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(ods(table))) as archive, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as smaller:
        for part in archive.infolist():
            smaller.writestr(part.filename, archive.read(part), zipfile.ZIP_STORED if part.filename == "mimetype" else zipfile.ZIP_DEFLATED)
    assert len(packed.getvalue()) * 60 < len(table)
    assert len(read_grid(packed.getvalue()).rows) == 10_000


def test_twenty_thousand_rows_are_read_in_little_time():
    def fill(book):
        sheet = book.add_worksheet()
        for row in range(20_000):
            sheet.write_row(row, 0, [f"Name {row}", f"+96279{row:07}", f"a{row}@example.org", "Amman", "x"])

    data = workbook(fill, constant_memory=True)
    began = seconds()
    assert len(read_grid(data).rows) == 20_000
    assert seconds() - began < 8
    assert spreadsheet.MEMORY_MEGABYTES < 300

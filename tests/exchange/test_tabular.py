"""Opening files that strangers send: limits, encodings, cut-off files, headings, HXL rows, and formula characters both ways (P5, P7)."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import os
import time
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import Refused
from crm.exchange.columns import Column, locate, tag_key
from crm.exchange.tabular import (
    MAX_BYTES,
    RawRow,
    RowProblem,
    Table,
    heading_key,
    is_tag_row,
    neutralise,
    open_table,
    rejects_csv,
    require,
    restore,
    unpack_single,
)

PLAIN = b"name,amount\nM\xc3\xa9decins,5\n"


def rows(table: Table) -> list[tuple[str, ...]]:
    return [row[1] for row in table.rows() if not isinstance(row, RowProblem)]


def problems(table: Table) -> list[RowProblem]:
    return [row for row in table.rows() if isinstance(row, RowProblem)]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        codecs.BOM_UTF8 + PLAIN,
        codecs.BOM_UTF8 * 2 + PLAIN,
        b"\xc3\xaf\xc2\xbb\xc2\xbf" + PLAIN,
        codecs.BOM_UTF8 + b"\xc3\xaf\xc2\xbb\xc2\xbf" + PLAIN,
        PLAIN.decode().encode("utf-16"),
        codecs.BOM_UTF16_BE + PLAIN.decode().encode("utf-16-be"),
        PLAIN.decode().encode("cp1252"),
        PLAIN.replace(b",", b"\t"),
        PLAIN.replace(b",", b";"),
        PLAIN.replace(b"\n", b"\r\n"),
        PLAIN.replace(b"\n", b"\r"),
        b"\n\n" + PLAIN,
        PLAIN + b"\n,\n\n",
    ],
)
def test_any_usual_encoding_and_separator_gives_the_same_rows(data: bytes) -> None:
    table = open_table(data)
    assert table.header == ("name", "amount")
    assert rows(table) == [("Médecins", "5")]
    assert table.row_count == 1
    assert open_table(io.BytesIO(data)).header == table.header


def test_a_file_that_is_not_utf8_is_read_with_a_warning() -> None:
    table = open_table(PLAIN.decode().encode("cp1252"))
    assert table.encoding == "cp1252"
    assert [note.kind for note in table.warnings] == ["encoding"]
    assert open_table("name\nn\x81e\xe9\n".encode("latin-1")).encoding == "latin-1"


def test_a_doubly_encoded_mark_is_taken_off_and_warned_about() -> None:
    table = open_table(b"\xc3\xaf\xc2\xbb\xc2\xbf" + PLAIN)
    assert table.header[0] == "name"
    assert "encoded twice" in table.warnings[0].text


def test_one_damaged_character_rejects_its_row_and_spoils_no_other() -> None:
    table = open_table("name,amount\nMédecins,1\nB\udcfed,2\nÉcole,3\n".encode("utf-8", "surrogateescape"))
    assert [row[0] for row in rows(table)] == ["Médecins", "École"]
    assert [(problem.row_number, problem.column) for problem in problems(table)] == [(3, "name")]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b" \r\n\t\n", "is empty"),
        (codecs.BOM_UTF8, "is empty"),
        (b"\0", "zero bytes"),
        (b"a,b\n1,\0\n", "zero bytes"),
        (PLAIN.decode().encode("utf-16-le"), "zero bytes"),
        (b"\xff\xfe" + b"\xd8\xd8" * 5, "not. Save it as"),
        ("\ufeffa\0b,c\n".encode("utf-16-le"), "UTF-16"),
        (b"PK\x03\x04rest", "Excel"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x1f\x8b\x08rest", "gzip"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel"),
        (b"<!DOCTYPE html><p>Sign in</p>", "HTML"),
        (b"\n <?xml version='1.0'?>", "HTML"),
        (b'{"error": "not found"}', "JSON"),
        (b"\x01\x02\x03\x04,\x05\x06\n", "not a text file"),
        (b'name,amount\n"Ana,5\nBen,6\n', "row 2 is never closed"),
        (b'name,amount\nAna,5\n"Be"n,6\n', "Row 3 has a quotation mark in the wrong place"),
        (b"name,amount\nAna,5\nBe", "stops in the middle of row 3"),
        (b"name,amount\nAna,5\nB,\xc3", "middle of a character"),
        (b'name,amount\nAna,"' + b"x" * 140_000 + b'"\n', "never closed"),
        (b"name,amount\nAna," + b"x" * 2_000_001, "line longer than"),
        (b"name,Amount,NAME\n1,2,3\n", r"“NAME” occurs twice \(columns 1 and 3\)"),
        (b",".join(b"c%d" % place for place in range(16_384)) + b"\n", "more than 500 columns"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_whole(data: bytes, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        open_table(data)


def test_a_row_of_another_width_is_rejected_alone() -> None:
    table = open_table(b"a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12,\n13,14,15\n")
    assert rows(table) == [("1", "2", "3"), ("10", "11", "12"), ("13", "14", "15")]
    assert [(problem.row_number, problem.raw) for problem in problems(table)] == [(3, ("4", "5")), (4, ("6", "7", "8", "9"))]
    assert "4 cells where the heading has 3" in problems(table)[1].reason


def test_row_numbers_are_those_of_a_spreadsheet() -> None:
    table = open_table(b'a,b\n"1\n\n1",2\n\n3,4\n')
    assert [row[0] for row in table.rows() if not isinstance(row, RowProblem)] == [2, 4]


def test_no_line_break_at_the_end_is_doubtful_but_taken() -> None:
    table = open_table(b"a,b\n1,2\n3,4")
    assert len(rows(table)) == 2
    assert [(note.kind, note.row_number) for note in table.warnings] == [("unfinished", 3)]
    assert not open_table("a,b\r\n1,2\r\n".encode("utf-16")).warnings
    assert open_table("a,b\r\n1,2".encode("utf-16")).warnings


def test_the_caller_sets_the_limits() -> None:
    with pytest.raises(Refused, match="larger than 10 bytes"):
        open_table(PLAIN, max_bytes=10)
    with pytest.raises(Refused, match="larger than 10 bytes"):
        open_table(io.BytesIO(PLAIN), max_bytes=10)
    with pytest.raises(Refused, match="more than 20 rows"):
        open_table(b"a\n" + b"1\n" * 100, max_rows=20)


FILL = MAX_BYTES - 100_000
HUGE: dict[str, Callable[[], bytes]] = {
    "one byte too many": lambda: b"a" * (MAX_BYTES + 1),
    "one line": lambda: b"a,b\n" + b"x" * FILL,
    "only line breaks": lambda: b"a,b\n" + b"\n" * FILL,
    "only carriage returns": lambda: b"a,b\n" + b"\r" * FILL,
    "only commas": lambda: b"a,b\n" + b"," * FILL,
    "only quotes": lambda: b"a,b\n" + b'"' * FILL,
    "a million short rows": lambda: b"a,b\n" + b"1,2\n" * (FILL // 4),
    "a quotation mark opened in the last of many long rows": lambda: b"a,b\n" + (b"x" * 498 + b",1\n") * (FILL // 501) + b'"open',
    "cut off in the last of many long rows": lambda: b"a,b\n" + (b"x" * 498 + b",1\n") * (FILL // 501) + b"x",
    "a zero byte at the end": lambda: b"a,b\n" + (b"x" * 498 + b",1\n") * (FILL // 501) + b"\0",
    "latin-1 throughout, cut off": lambda: b"a,b\n" + (b"\xe9" * 498 + b",1\n") * (FILL // 501) + b"x",
    "utf-16 throughout, cut off": lambda: ("\ufeffa,b\n" + ("é" * 248 + ",1\n") * (FILL // 502) + "x").encode("utf-16-le"),
    "no text": lambda: bytes(range(1, 32)) * (FILL // 31),
    "a zip bomb": lambda: _zip("bomb.csv", b"\n" * (MAX_BYTES + 10)),
}


def _zip(*parts: str | bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in zip(parts[::2], parts[1::2], strict=True):
            archive.writestr(str(name), data)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", HUGE)
def test_p7_fifty_megabytes_of_anything_bad_are_refused_in_two_seconds(kind: str) -> None:
    data = HUGE[kind]()
    start = time.process_time()
    with pytest.raises(Refused) as caught:
        open_table(unpack_single(data))
    assert time.process_time() - start < 2
    assert str(caught.value).endswith(".")


def test_p7_fifty_megabytes_are_opened_without_holding_copies() -> None:
    data = b"a,b\n" + (b"x" * 498 + b",1\n") * (FILL // 501)
    tracemalloc.start()
    table = open_table(data)
    count = sum(1 for _row in table.rows())
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == table.row_count == FILL // 501
    assert peak < 5_000_000


def test_random_bytes_never_break_the_opener() -> None:
    for size in (1, 10, 1_000, 100_000):
        try:
            list(open_table(os.urandom(size)).rows())
        except Refused as refused:
            assert str(refused)  # noqa: PT017 - either outcome is right


@given(st.binary(max_size=300))
def test_no_bytes_break_the_opener(data: bytes) -> None:
    try:
        list(open_table(data).rows())
    except Refused as refused:
        assert str(refused)  # noqa: PT017


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12), min_size=3, max_size=3), max_size=8))
def test_what_csv_writes_the_opener_reads(records: list[list[str]]) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["a", "b", "c"])
    writer.writerows(records)
    table = open_table(buffer.getvalue().encode())
    assert rows(table) == [tuple(record) for record in records if any(record)]


# --- ZIP ------------------------------------------------------------------------------------------------------


def test_a_zip_holds_one_file() -> None:
    assert unpack_single(_zip("a.csv", PLAIN)) == PLAIN
    assert unpack_single(PLAIN) == PLAIN
    for bad in (_zip("a.csv", PLAIN, "b.csv", PLAIN), _zip()):
        with pytest.raises(Refused):
            open_table(unpack_single(bad))
    with pytest.raises(Refused, match="damaged"):
        unpack_single(_zip("a.csv", os.urandom(1000))[:-40])
    damaged = bytearray(_zip("a.csv", PLAIN * 50))
    damaged[60:70] = b"\xff" * 10
    with pytest.raises(Refused, match="damaged"):
        unpack_single(bytes(damaged))


def test_a_workbook_or_another_file_brought_as_csv_is_called_what_it_is() -> None:
    for name in ("xl/workbook.xml", "content.xml"):
        with pytest.raises(Refused, match="Say which list it holds"):
            unpack_single(_zip(name, b"<x/>", "b.xml", b"<x/>"))
    for data, said in (
        (b"\xd0\xcf\x11\xe0" + bytes(99), "an old Excel or Word file"),
        (b"\x89PNG" + bytes(9), "This is a picture, .* as XLSX, ODS, CSV or TSV"),
        (b"GIF89a" + bytes(9), "This is a picture"),
        (b"RIFF" + bytes(4) + b"WEBPVP8 ", "This is a picture"),
        (b"a\0b", "zero bytes"),
    ):
        with pytest.raises(Refused, match=said):
            open_table(data)


# --- headings and HXL ---------------------------------------------------------------------------------------------


def test_missing_columns_are_named_beside_those_the_file_has() -> None:
    table = open_table(b"name,amount\n1,2\n")
    require(table, {"name": True})
    with pytest.raises(Refused, match=r"The column “id” is missing\. The file has: “name”, “amount”"):
        require(table, {"id": False, "name": True})
    with pytest.raises(Refused, match="The columns “id”, “date” are missing"):
        require(table, {"id": False, "date": False})


@pytest.mark.parametrize(
    "data",
    [
        b"Geber,Betrag\n#org+name+funder,#value+usd\nAna,5\n",
        b"Report of 2026,\n\nGeber,Betrag\n#org +name +funder,#value+usd\nAna,5\n",
        b"#org+name+funder,#value+usd\nAna,5\n",
        b"Geber,Betrag,\n#org+name+funder,#value+usd,\nAna,5,\n",
    ],
)
def test_the_tag_row_is_found_with_or_without_headings(data: bytes) -> None:
    table = open_table(data)
    assert [tag.replace(" ", "") for tag in table.tags] == ["#org+name+funder", "#value+usd"]
    assert rows(table) == [("Ana", "5")]


def test_hashtags_in_data_are_no_tag_row() -> None:
    assert is_tag_row(["#date", "", "#org+name"])
    assert not is_tag_row(["#date", "plain"])
    assert not is_tag_row(["", ""])
    assert not is_tag_row(["#1", "#2 is broken"])
    assert open_table(b"name,note\nAna,#blessed\n").tags == ()


def test_columns_are_found_by_heading_tag_and_other_names() -> None:
    columns = {
        "donor": Column("srcOrganization", "#org+name+funder", ("source organization",)),
        "recipient": Column("destOrganization", "#org+name+impl"),
        "usd": Column("amountUSD", "#value+funding+total+usd"),
        "original": Column("originalAmount", "#value+funding+total"),
    }
    assert locate(open_table(b"AMOUNT_USD,Source Organisation,destorganization\n1,2,3\n"), columns) == {
        "usd": 0,
        "donor": 1,
        "recipient": 2,
    }
    tagged = b"A,B,C,D\n#value+total+funding,#value+usd+total+funding,#org+funder+name,#org+name\n1,2,3,4\n"
    assert locate(open_table(tagged), columns) == {"original": 0, "usd": 1, "donor": 2, "recipient": 3}
    assert tag_key("#Org +name+LIST") == ("#org", frozenset({"name", "list"}))
    assert heading_key(" Source Organisation ") == "sourceorganization"


def test_a_raw_row_reads_as_a_mapping() -> None:
    raw = RawRow({"a": 0, "b": 1}, ("1", "2"))
    assert dict(raw) == {"a": "1", "b": "2"}
    assert len(raw) == 2
    assert raw.cells == ("1", "2")


# --- formula characters -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "=cmd|' /C calc'!A0",
        "+1-2",
        "@SUM(1)",
        "-2+3",
        "- first point",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1+1",
        "'=1",
        "+41-22-555",
        "-",
        "+",
    ],
)
def test_p5_text_like_a_formula_is_prefixed(text: str) -> None:
    assert neutralise(text) == "'" + text
    assert restore(neutralise(text)) == text


@pytest.mark.parametrize(
    "text", ["", "plain", "-5.00", "+5", "-1,234.56", "+41 22 555 01 01", "-12.5%", "5=5", "'quoted' text", "''", "O'Neill", " =1", "<b>"]
)
def test_p5_honest_text_stays_readable(text: str) -> None:
    assert neutralise(text) == text
    assert restore(text) == text


@given(st.one_of(st.text(max_size=12), st.text(alphabet="'=+-@\t\r\n 1a", max_size=8)))
def test_p5_every_text_comes_back_and_none_stays_a_formula(text: str) -> None:
    safe = neutralise(text)
    assert restore(safe) == text
    if safe[:1] in set("=@\t\r\n＝＠"):
        pytest.fail(f"{safe!r} would run")
    if safe[:1] in {"+", "-"}:
        assert set(safe[1:]) <= set("0123456789.,% ")


def test_rejected_rows_come_back_as_a_file_that_can_be_mended_and_brought_again() -> None:
    first = open_table(b"name,amount\n#org+name,#value\n=cmd(),x\n'=quoted,5\nshort\n")
    bad = [RowProblem(row[0], "amount", "“x” is not a number.", row[1]) for row in first.rows() if not isinstance(row, RowProblem)]
    file = rejects_csv([*problems(first), *bad], first.header, first.tags)
    assert file.startswith(codecs.BOM_UTF8)
    assert b'"\'=cmd()"' in file
    records = list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))
    assert records[0] == ["rejected row", "rejected column", "rejected because", "name", "amount"]
    assert [record[0] for record in records] == ["rejected row", "", "3", "4", "5"]
    assert all(len(record) == 5 for record in records)
    again = open_table(file)
    assert again.header == ("name", "amount")
    assert again.tags == ("#org+name", "#value")
    assert rows(again) == [("=cmd()", "x"), ("'=quoted", "5"), ("short", "")]
    twice = open_table(rejects_csv([RowProblem(2, "", "again", row) for row in rows(again)], again.header))
    assert rows(twice) == rows(again)


def test_every_refusal_of_a_row_is_a_sentence() -> None:
    for problem in problems(open_table(b"a,b\n1\n")):
        assert problem.reason.endswith(".")


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_every_damaged_zip_is_refused(kind):
    rows = b"id,status\r\n" + b"".join(b"%d,paid\r\n" % number for number in range(300))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        archive.writestr("a.csv", rows)
    for place in range(60, 200):
        data = bytearray(buffer.getvalue())
        data[place] ^= 0xFF
        with contextlib.suppress(Refused):
            unpack_single(bytes(data))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x;=1+1", "x;'=1+1"),
        ("x; @SUM(A1)", "x; '@SUM(A1)"),
        ("first\n=2+2", "first\n'=2+2"),
        ("a;'=1", "a;''=1"),
        ("a; -5.00; +41 22 555", "a; -5.00; +41 22 555"),
        ("one, -two", "one, -two"),
    ],
)
def test_p5_no_text_begins_a_cell_where_semicolons_part_them(text, written):
    assert neutralise(text) == written
    assert restore(written) == text


@given(st.text(alphabet="a;=+-@'1 \t\n,5%.", max_size=12))
def test_p5_what_was_neutralised_is_restored(text):
    assert restore(neutralise(text)) == text

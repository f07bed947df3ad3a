"""The process that opens a workbook: bytes on stdin, its cells as JSON lines on stdout, within bounds. Imports nothing of ours.

Started by `crm.exchange.spreadsheet` as a script. It bounds its own memory and processor time, so that a workbook made to
fill the machine ends this process alone. Formulas are never run: a cell gives the value that was saved with it, and one with which
none was saved is named.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import itertools
import json
import posixpath
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

import python_calamine

try:
    import resource as limits
except ImportError:  # pragma: no cover - absent on Windows
    LIMITS: Any = None
else:
    LIMITS = limits

_LARGEST = 1e21
_THOUSANDS = 3
#: What a part raises that the parser can read and this cannot.
_NOT_READ = (KeyError, StopIteration, ValueError, LookupError, RuntimeError, SyntaxError, expat.ExpatError, zipfile.BadZipFile, zlib.error)
_as_json = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
_MOST_FORMULAS = 50_000
_PIECE = 1 << 20
_DIGITS = 7
#: Longer than any formula that a spreadsheet program writes.
_TAIL = 1 << 16
#: A cell of Excel with a formula and no value beside it: its attributes, and an empty value where one is there.
_XLSX_FORMULA = re.compile(
    rb"<(?:\w++:)?c\b([^<>]*+)>\s*+<(?:\w++:)?f\b[^<>]*?(?:/>|>[^<]*+</(?:\w++:)?f\s*+>)\s*+"
    rb"(<(?:\w+:)?v\s*+/>|<(?:\w+:)?v\s*+>\s*+</(?:\w+:)?v\s*+>)?\s*+</(?:\w+:)?c\s*+>"
)
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})(\d{1,7})["']""")
_IS_TEXT = re.compile(rb"""\bt\s*=\s*["']str["']""")
_ODS_CELL = re.compile(rb"<(?:\w++:)?table-cell\b[^<>]*+>")
_ODS_FORMULA = b":formula="
_ODS_TYPE = re.compile(rb"""office:value-type=["'](\w+)["']""")
_ODS_VALUE = re.compile(rb"office:(?:\w+-)?value=")
#: Cells that are merged over rows, and comments: more are not named.
_MOST_MERGES = 100_000
_MOST_COMMENTS = 100_000
_COMMENTS_NAMED = 9
_MERGE = b"mergeCell"
#: A merge of Excel over more than one row.
_XLSX_MERGE = re.compile(rb"""<(?:\w++:)?mergeCell\s++ref\s*+=\s*+["']([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(?!\2["'])(\d{1,7})["']""")
_XLSX_COMMENT = re.compile(rb"<(?:\w++:)?(?:comment|threadedComment)\s[^<>]*+>")
_PLACE_OF_COMMENT = re.compile(rb"""\bref\s*+=\s*+["']([A-Z]{1,3})(\d{1,7})["']""")
_COMMENT_LINKS = ("/comments", "/threadedComment")
_ODS_SPAN_OR_COMMENT = re.compile(rb"""number-rows-spanned=["'](?!1["'])|:annotation[\s/>]""")
_ODS_TAGS = frozenset({"table", "table-row", "table-cell", "covered-table-cell"})
#: A cell that is merged over rows: its row, the last one, and its column.
Merge = tuple[int, int, int]


def bound(megabytes: int, seconds: int) -> None:
    """Bound address space and processor time."""
    if LIMITS is None:  # pragma: no cover - absent on Windows
        return
    with contextlib.suppress(ValueError, OSError):
        LIMITS.setrlimit(LIMITS.RLIMIT_AS, (megabytes << 20, megabytes << 20))
        LIMITS.setrlimit(LIMITS.RLIMIT_CORE, (0, 0))
        LIMITS.setrlimit(LIMITS.RLIMIT_CPU, (seconds, seconds + 1))  # the first ends it by a signal that says why


@lru_cache(maxsize=4096, typed=True)  # lists say the same numbers and days again and again; typed: 1.0 is not True
def text_of(value: Any) -> str:
    """A cell as text: whole numbers without a point, days as 2026-11-30, a time of day as 14:30. Other numbers have the fifteen
    digits that spreadsheets show, and never three decimals, which could be read as thousands."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _LARGEST else _number(value)
    if isinstance(value, dt.datetime):
        is_day = (value.hour, value.minute, value.second) == (0, 0, 0)
        return value.date().isoformat() if is_day else value.isoformat(" ", "minutes")
    if isinstance(value, dt.time):
        return value.isoformat("minutes")
    return str(value)


def _number(value: float) -> str:
    text = format(Decimal(f"{value:.15g}"), "f")
    return f"{text}0" if len(text.partition(".")[2]) == _THOUSANDS else text


def send(out: Any, value: object) -> int:
    """Write one JSON line; returns its length."""
    return int(out.write(_as_json(value).encode() + b"\n"))


def first_list(book: Any, names: list[str]) -> tuple[str, Any]:
    """The first sheet of more than one row, since a cover may stand before the list; else the first that holds something. A sheet is
    read once: that is most of the work."""
    first: tuple[str, Any] | None = None
    for name in names:
        sheet = book.get_sheet_by_name(name)
        if sheet.start is not None and sheet.end[0] > sheet.start[0]:
            return name, sheet
        if first is None or (first[1].start is None and sheet.start is not None):
            first = name, sheet
    return first or ("", None)


def _column(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1


def _matches(file: Any, pattern: re.Pattern[bytes], mark: bytes = b"") -> Iterator[re.Match[bytes]]:
    """What a pattern finds in a part that is read piece by piece, each once. `mark`: what stands in all it finds; a piece without is passed over."""
    left = b""
    while piece := file.read(_PIECE):
        window, used = left + piece, 0
        for match in pattern.finditer(window) if mark in window else ():
            used = match.end()
            yield match
        left = window[max(used, len(window) - _TAIL) :]


def _part_of(book: zipfile.ZipFile, name: str) -> str:
    """The part of Excel's file that holds a sheet."""
    sheets = _read(book, "xl/workbook.xml")
    of_sheet = next(node.attrib for node in sheets.iter() if node.tag.endswith("}sheet") and node.get("name") == name)
    key = next(value for attribute, value in of_sheet.items() if attribute.endswith("}id"))
    links = _read(book, "xl/_rels/workbook.xml.rels")
    return _target("xl", next(node.get("Target", "") for node in links if node.get("Id") == key))


def _read(book: zipfile.ZipFile, name: str) -> ET.Element:
    """A small part of a workbook. No part declares entities: that is looked at before this process starts."""
    return ET.fromstring(book.read(name))  # noqa: S314 - as said


def _target(folder: str, target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{folder}/{target}")


def xlsx_formulas(book: zipfile.ZipFile, name: str) -> Iterator[tuple[int, int]]:
    """The cells of a sheet with a formula of which no value was saved: row and column from 1 and 0; (0, 0) where the file does not say."""
    with book.open(_part_of(book, name)) as file:
        for match in _matches(file, _XLSX_FORMULA):
            if match[2] and _IS_TEXT.search(match[1]):
                continue  # the saved value is an empty text
            place = _PLACE.search(match[1])
            yield (int(place[2]), _column(place[1])) if place else (0, 0)


def xlsx_merges(book: zipfile.ZipFile, name: str) -> Iterator[Merge]:
    """The cells of a sheet that are merged over more than one row, in the order of the file; of one over several columns too, its first."""
    with book.open(_part_of(book, name)) as file:
        for match in _matches(file, _XLSX_MERGE, _MERGE):
            yield int(match[2]), int(match[3]), _column(match[1])


def xlsx_comments(book: zipfile.ZipFile, name: str) -> set[tuple[int, int]]:
    """The cells of a sheet that have a comment, or several: row and column from 1 and 0."""
    folder, _slash, own = _part_of(book, name).rpartition("/")
    links = f"{folder}/_rels/{own}.rels"
    if links not in book.namelist():
        return set()
    found: set[tuple[int, int]] = set()
    nodes = _read(book, links)
    parts = dict.fromkeys(_target(folder, node.get("Target", "")) for node in nodes if node.get("Type", "").endswith(_COMMENT_LINKS))
    for part in parts:  # each once, however often it is named
        with book.open(part) as file:
            for match in _matches(file, _XLSX_COMMENT):
                if len(found) < _MOST_COMMENTS and (place := _PLACE_OF_COMMENT.search(match[0])):
                    found.add((int(place[2]), _column(place[1])))
    return found


def _is_unsaved(kind: str | None, *, has_value: bool) -> bool:
    return kind is None or (kind != "string" and not has_value)


def ods_formulas(book: zipfile.ZipFile, name: str) -> list[tuple[int, int]]:
    """The same of OpenDocument, whose cells are counted: only where a look at the text shows that there are any."""
    with book.open("content.xml") as file:
        tags = (match[0] for match in _matches(file, _ODS_CELL) if _ODS_FORMULA in match[0])
        kinds = ((_ODS_TYPE.search(tag), bool(_ODS_VALUE.search(tag))) for tag in tags)
        if not any(_is_unsaved(kind[1].decode() if kind else None, has_value=has_value) for kind, has_value in kinds):
            return []
    found: list[tuple[int, int]] = []

    def take(row: int, column: int, repeated: int, times: int, own: dict[str, str]) -> None:
        values = [key for key in own if key == "value" or key.endswith("-value")]
        if "formula" in own and _is_unsaved(own.get("value-type"), has_value=bool(values)):
            for down, right in itertools.product(range(repeated), range(times)):
                found.append((row + down, column + right))
                if len(found) > _MOST_FORMULAS:
                    raise _EnoughError

    _walk_ods(book, name, take, lambda _row, _column: None)
    return found


def ods_merges(book: zipfile.ZipFile, name: str, last: int) -> tuple[list[Merge], set[tuple[int, int]]]:
    """The cells of a sheet of OpenDocument that are merged over more than one row, from the first to the row `last`, and those that have a
    comment, as row and column: only where a look at the text shows that there are any."""
    with book.open("content.xml") as file:
        if not any(True for _match in _matches(file, _ODS_SPAN_OR_COMMENT)):
            return [], set()
    merges: list[Merge] = []
    comments: set[tuple[int, int]] = set()

    def take(row: int, column: int, _repeated: int, times: int, own: dict[str, str]) -> None:
        down = _times(own.get("number-rows-spanned"))
        if down > 1 and row <= last:
            merges.extend((row, row + down - 1, column + right) for right in range(min(times, _MOST_MERGES)))
            if len(merges) > _MOST_MERGES:
                raise _EnoughError

    def note(row: int, column: int) -> None:
        if len(comments) < _MOST_COMMENTS:
            comments.add((row, column))

    _walk_ods(book, name, take, note)
    return merges, comments


def _walk_ods(
    book: zipfile.ZipFile, name: str, take: Callable[[int, int, int, int, dict[str, str]], None], note: Callable[[int, int], None]
) -> None:
    """Go through the cells of a sheet of OpenDocument: its row, its column, how often both are repeated, and its attributes without their
    prefixes. `note`: the place of each comment. Ends where one of the two has enough."""
    row, column, is_inside, repeated, at = 1, 0, False, 1, 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, is_inside, repeated, at
        kind = tag.rpartition(":")[2]
        if kind == "annotation" and is_inside:
            note(row, at)
        if kind not in _ODS_TAGS:
            return
        own = {key.rpartition(":")[2]: value for key, value in attributes.items() if not key.startswith("calcext:")}
        if kind == "table":
            is_inside, row = own.get("name") == name, 1
        elif kind == "table-row":
            column, repeated = 0, _times(own.get("number-rows-repeated"))
        elif is_inside:
            times, at = _times(own.get("number-columns-repeated")), column
            take(row, column, repeated, times, own)
            column += times

    def end(tag: str) -> None:
        nonlocal row
        row += repeated if tag.rpartition(":")[2] == "table-row" else 0

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    with book.open("content.xml") as file, contextlib.suppress(_EnoughError):
        parser.ParseFile(file)


class _EnoughError(Exception):
    """There are more than are named."""


def _times(text: str | None) -> int:
    """How often a cell or row is repeated; a number beyond every sheet is cut."""
    return int(text[:_DIGITS]) if text and text.isdecimal() else 1


def unsaved_formulas(data: bytes, name: str, most_rows: int, most_columns: int) -> list[tuple[int, int]]:
    """The cells of a sheet that hold a formula of which no value was saved, at most one more than are named; (0, 0) for one beyond the
    rows and columns that are read."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        found = ods_formulas(book, name) if "content.xml" in book.namelist() else xlsx_formulas(book, name)
        listed = itertools.islice(found, _MOST_FORMULAS + 1)
        return [(row, column) if row <= most_rows and column < most_columns else (0, 0) for row, column in listed]


def merges_and_comments(
    data: bytes, name: str, last: int, most_columns: int, *, has_merges: bool
) -> tuple[list[Merge], set[tuple[int, int]]]:
    """The cells of a sheet that are merged over rows, at most one more than are followed: none beyond the columns that are read or the row
    `last`, and none that goes on below it. And the cells that have a comment."""
    found: Iterable[Merge] = ()
    comments: set[tuple[int, int]] = set()
    merges: list[Merge] = []
    with contextlib.suppress(*_NOT_READ), zipfile.ZipFile(io.BytesIO(data)) as book:
        if "content.xml" in book.namelist():
            found, comments = ods_merges(book, name, last) if has_merges else ((), set())
        else:
            with contextlib.suppress(*_NOT_READ):
                comments = xlsx_comments(book, name) if any("omment" in part for part in book.namelist()) else set()
            found = xlsx_merges(book, name) if has_merges else ()
        within = ((top, min(bottom, last), column) for top, bottom, column in found if column < most_columns)
        merges += itertools.islice((merge for merge in within if merge[0] < merge[1]), _MOST_MERGES + 1)
    return merges, comments


def main(wanted: str, most_rows: int, most_columns: int, most_bytes: int, *, has_formulas: bool, has_merges: bool) -> None:
    """Answer {"sheets": […], "sheet": …} or {"refused": reason}, then [row number, [cells]] for each row that is not blank.

    "formulas" beside the sheets: [row number, column] of each cell with a formula of which no value was saved; "merges": [row number,
    last row, column] of each that is merged over rows; "comments": how many cells have one, and the rows of the first."""
    out = sys.stdout.buffer
    data = sys.stdin.buffer.read()
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = [sheet.name for sheet in book.sheets_metadata if sheet.visible == python_calamine.SheetVisibleEnum.Visible]
        if not names:
            send(out, {"refused": "empty"})
            return
        name, sheet = (wanted, book.get_sheet_by_name(wanted)) if wanted in names else first_list(book, names)
    except Exception:  # noqa: BLE001 - whatever a strange file does to the parser, it is one answer
        send(out, {"refused": "damaged"})
        return
    formulas: list[tuple[int, int]] = []
    with contextlib.suppress(*_NOT_READ):
        formulas = (
            unsaved_formulas(data, name, most_rows, most_columns) if has_formulas else []
        )  # where the parser reads a file that this does not, its rows are worth more
    if len(formulas) > _MOST_FORMULAS:
        send(out, {"refused": "formulas"})
        return
    last = sheet.end[0] + 1 if sheet.end else 0
    merges, comments = merges_and_comments(data, name, last, most_columns, has_merges=has_merges)
    if len(merges) > _MOST_MERGES:
        send(out, {"refused": "merges"})
        return
    named = sorted({row for row, _column in comments})[:_COMMENTS_NAMED]
    head = {"sheets": names, "sheet": name, "formulas": formulas, "merges": merges, "comments": [len(comments), named]}
    if sheet.end is None or sheet.start is None:
        send(out, head)
        return
    if sheet.end[1] + 1 > most_columns:
        send(out, {"refused": "columns"})
        return
    if sheet.end[0] + 1 > most_rows:
        send(out, {"refused": "rows"})
        return
    send(out, head)
    lead = [""] * sheet.start[1]
    sent = 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        cells = [*lead, *(cell if type(cell) is str else text_of(cell) for cell in row)]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            sent += send(out, [number, cells])
        if sent > most_bytes:
            send(out, {"refused": "size"})
            return


if __name__ == "__main__":
    bound(int(sys.argv[1]), int(sys.argv[2]))
    main(sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]), has_formulas=sys.argv[7] == "1", has_merges=sys.argv[8] == "1")

"""Opening what an office keeps its lists in: CSV, TSV, XLSX and ODS as a grid of text cells, and finding the headings in it.

Knows no meaning of a column, no database and no Flask. A workbook is looked at before it is opened (sizes, entities), and
opened in a process of its own with bounds on memory and time. Everything else about a file is a sentence.
"""

from __future__ import annotations

import io
import json
import lzma
import os
import re
import signal
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from crm.errors import Refused
from crm.exchange.tabular import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, REJECT_COLUMNS, RowNote, raw_records, read_bytes, restore, unpack_single
from crm.formatting import file_size, number
from crm.i18n import get_locale, ngettext
from crm.i18n import gettext as _
from crm.services.sheet_told import in_rows

#: What a spreadsheet may be called; the upload and the guide say the same.
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".ods", ".zip")
#: A workbook's parts: how many, how large together once unpacked, and how many texts.
MAX_PARTS = 2_000
MAX_UNPACKED = 150_000_000
MAX_TEXTS = 900_000
#: Real lists of Excel are packed to a tenth or a twentieth; OpenDocument repeats more words, some of its lists come to two hundred.
MAX_RATIO = {"xlsx": 60, "ods": 250}
#: The process that opens a workbook.
CHILD = Path(__file__).resolve().parent / "_workbook_child.py"
MEMORY_MEGABYTES = 280
#: Seconds of processor time: so many for a small workbook, one more for so many bytes of what it unpacks to, and at the most.
FEW_SECONDS, BYTES_A_SECOND, SECONDS = 2, 20_000_000, 30

_TOO_LONG = getattr(signal, "SIGXCPU", 0)
_ROWS_BEFORE_HEADINGS = 25
_RATIO_FROM = 2_000_000
_PIECE = 1 << 18
_OVERLAP = 32
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
_DECLARATION = re.compile(rb"<!\s*+(?:DOCTYPE|ENTITY)", re.IGNORECASE)  # possessive: blanks are never tried again one fewer
#: Cells that hold an error, as Excel and LibreOffice write them; the parser reads them as empty.
_ERROR_CELLS = (b' t="e"', b'calcext:value-type="error"')
#: What a cell with a formula has; where none is, nobody looks for those without a saved result.
_FORMULAS = {
    "xlsx": tuple(opening + end for opening in (b"<f", b":f") for end in (b">", b" ", b"\n", b"\r", b"\t")),
    "ods": (b":formula=",),
}
#: What a workbook has whose cells are merged; of OpenDocument, over rows or columns, and what one with comments has.
_MERGES = {"xlsx": (b"mergeCell",), "ods": (b"number-rows-spanned=", b":annotation")}
#: How many cells of merges over rows are gone through, or added beside short rows to hold them.
MAX_COVERED = 2_000_000
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TEXT_START = re.compile(rb"<(?:\w+:)?si[\s>/]")
_LOCAL_HEADER = 30
_ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"
_MANIFEST = "META-INF/manifest.xml"


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows of one sheet that are not blank, each with its number as a spreadsheet shows it, and every cell as text."""

    kind: str  # "text", "xlsx" or "ods"
    sheets: tuple[str, ...]  # () for text
    sheet: str
    rows: Sequence[tuple[int, tuple[str, ...]]]
    notes: Sequence[RowNote] = ()
    #: Cells that hold a formula of which no value was saved: row as a spreadsheet shows it, column from 0. They are empty among the rows.
    formulas: frozenset[tuple[int, int]] = frozenset()
    #: Cells merged over more than one row: their row, the last one, and the column from 0. Only the first row has the value among the rows.
    merges: Sequence[tuple[int, int, int]] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """A grid whose headings were found: one name for every column that holds something, and the rows below, in which a cell that is merged
    over rows stands in each."""

    header_row: int
    headings: tuple[str, ...]
    rows: Sequence[tuple[int, tuple[str, ...]]]
    notes: list[RowNote] = field(default_factory=list)
    #: Those of the grid, and the cells over which one of them is merged.
    formulas: frozenset[tuple[int, int]] = frozenset()


def read_grid(data: bytes, *, sheet: str = "") -> Grid:
    """Read a file into its cells. `sheet`: the name of the one wanted, else the first that is not hidden and has rows. Raises `Refused`.

    Never more than 50 MB in, 250,000 rows and 500 columns out. Cells of text files lose the apostrophe by which our own
    files keep a spreadsheet from running them (P5)."""
    data = read_bytes(data)
    if data.startswith(_OLD_OFFICE):
        raise Refused(
            _("This is an old Excel file, or one with a password. Save it as an Excel workbook (.xlsx) without a password, and bring that.")
        )
    kind = _kind_of(data)
    if kind == "text" and data.startswith(_ZIP):
        data = unpack_single(data)
        kind = _kind_of(data)
    if kind == "text":
        warnings, records = raw_records(data)
        return Grid("text", (), "", _text_rows(records), warnings)
    marks = _look_before_opening(kind, data)
    grid = _workbook(kind, data, sheet, has_formulas=not marks.isdisjoint(_FORMULAS[kind]), has_merges=not marks.isdisjoint(_MERGES[kind]))
    if marks.isdisjoint(_ERROR_CELLS):
        return grid
    text = _("The workbook has cells that show an error, such as #N/A or #REF!. They are read as empty.")
    return replace(grid, notes=[RowNote("errors", 0, text), *grid.notes])


def _text_rows(records: Iterator[list[str]]) -> list[tuple[int, tuple[str, ...]]]:
    rows: list[tuple[int, tuple[str, ...]]] = []
    for row_number, record in enumerate(records, 1):
        if any(cell.strip() for cell in record):
            rows.append((row_number, tuple(map(restore, record))))
    return rows


# --- workbooks -------------------------------------------------------------------------------------------------------


_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, OSError, ValueError, RuntimeError)


def _kind_of(data: bytes) -> str:
    """What a file is: "xlsx", "ods" or "text", which a ZIP of one file is too until it is unpacked."""
    if not data.startswith(_ZIP):
        return "text"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            names = {part.filename for part in parts}
            is_ods = "content.xml" in names and parts[0].file_size < _PIECE and archive.read(parts[0]).strip() == _ODS_TYPE
            has_list = is_ods and _MANIFEST in names and archive.getinfo(_MANIFEST).file_size < _PIECE
            manifest = archive.read(_MANIFEST) if has_list else b""
    except _BROKEN as error:
        raise Refused(_("The workbook is damaged and cannot be opened.")) from error
    if len(parts) > MAX_PARTS:
        _refuse_bomb()
    if "encrypted-package" in names or b"encryption-data" in manifest:
        _refuse_password()
    if "xl/workbook.xml" in names or is_ods:
        return "ods" if is_ods else "xlsx"
    if names & {"[Content_Types].xml", "content.xml", "xl/workbook.bin"}:
        raise Refused(_("This document is not a spreadsheet that is read here. Save the list as .xlsx, .ods or CSV, and bring that."))
    return "text"


def _refuse_bomb() -> NoReturn:
    raise Refused(_("The workbook would unpack to far more than a list of contacts holds, so it was not opened."))


def _refuse_password() -> NoReturn:
    raise Refused(_("The workbook has a password. Save it without one, and bring that."))


def _unpacked(data: bytes) -> int:
    """How many bytes the parts of a workbook come to, as its directory says."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return sum(part.file_size for part in archive.infolist())


def _look_before_opening(kind: str, data: bytes) -> set[bytes]:
    """Refuse a workbook that says or holds too much, or declares entities: by its directory first, then part by part. Which marks of
    errors, formulas and merges are in one that may be opened."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [part for part in archive.infolist() if not part.is_dir()]
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        _refuse_bomb()
    if len({part.filename.casefold() for part in parts}) < len(parts):  # the parser would take another one than a spreadsheet program
        raise Refused(_("The workbook is damaged and cannot be opened."))
    for part in parts:
        if part.flag_bits & 1:
            _refuse_password()
        if part.file_size > max(_RATIO_FROM, part.compress_size * MAX_RATIO[kind]):
            _refuse_bomb()
    left = MAX_UNPACKED
    marks: set[bytes] = set()
    for part in parts:
        if part.filename.lower().endswith((".xml", ".rels")):
            left = _look_at_part(data, part, left, (*_ERROR_CELLS, *_FORMULAS[kind], *_MERGES[kind]), marks)
    return marks


def _look_at_part(data: bytes, part: zipfile.ZipInfo, left: int, wanted: Sequence[bytes], marks: set[bytes]) -> int:
    """Read one part through and note which marks it has; how many bytes the rest of the workbook may still have."""
    texts, tail = 0, b""
    is_texts = part.filename.endswith("sharedStrings.xml")
    for piece in _unpack(data, part):
        left -= len(piece)
        if left < 0:
            _refuse_bomb()
        if b"\0" in piece:  # UTF-16, in which a declaration could hide
            raise Refused(_("The workbook is damaged and cannot be opened."))
        window = tail + piece
        if _DECLARATION.search(window):
            raise Refused(_("The workbook declares entities of its own, which no spreadsheet program does. It was not opened."))
        marks.update(mark for mark in wanted if mark not in marks and mark in window)
        if is_texts:
            texts += len(_TEXT_START.findall(window)) - len(_TEXT_START.findall(tail))
        if texts > MAX_TEXTS:
            raise Refused(_("The workbook holds more than %(limit)s different texts. Split it.", limit=number(MAX_TEXTS, get_locale())))
        tail = window[-_OVERLAP:]
    return left


def _unpack(data: bytes, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """What really is in a part, whatever its directory entry says about its size."""
    start = part.header_offset
    header = data[start : start + _LOCAL_HEADER]
    if len(header) < _LOCAL_HEADER or header[:4] != b"PK\x03\x04":
        raise Refused(_("The workbook is damaged and cannot be opened."))
    begin = start + _LOCAL_HEADER + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    raw = data[begin : begin + part.compress_size]
    if part.compress_type == zipfile.ZIP_STORED:
        for place in range(0, len(raw), _PIECE):
            yield raw[place : place + _PIECE]
        return
    if part.compress_type != zipfile.ZIP_DEFLATED:
        raise Refused(_("The workbook is packed in a way that is not read here. Save it again as .xlsx or .ods."))
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        piece = inflate.decompress(raw, _PIECE)
        while piece:
            yield piece
            piece = inflate.decompress(inflate.unconsumed_tail, _PIECE)
    except zlib.error as error:
        raise Refused(_("The workbook is damaged and cannot be opened.")) from error


def _workbook(kind: str, data: bytes, sheet: str, *, has_formulas: bool, has_merges: bool) -> Grid:
    seconds = min(SECONDS, FEW_SECONDS + _unpacked(data) // BYTES_A_SECOND)
    limits = (MEMORY_MEGABYTES, seconds, sheet[:200], MAX_ROWS, MAX_COLUMNS, MAX_BYTES, int(has_formulas), int(has_merges))
    command = [sys.executable, "-s", "-P", "-W", "ignore", str(CHILD), *map(str, limits)]
    kept = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
    environ = {key: os.environ[key] for key in kept if key in os.environ} | {"PYTHONUTF8": "1", "MALLOC_ARENA_MAX": "1"}
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS + 5, check=False, env=environ)  # noqa: S603 - our own file
    except subprocess.TimeoutExpired as error:
        raise Refused(_("The workbook took too long to open. Split it, or save the one sheet as CSV.")) from error
    if done.returncode == -_TOO_LONG:
        raise Refused(_("The workbook took too long to open. Split it, or save the one sheet as CSV."))
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        raise Refused(_("The workbook needs more memory than it may have. Split it, or save the one sheet as CSV."))
    head = json.loads(lines[0])
    last = json.loads(lines[-1])
    for answer in (head, last):
        if isinstance(answer, dict) and "refused" in answer:
            _refuse_workbook(answer["refused"])
    rows = [(int(line[0]), tuple(map(_shown, line[1]))) for line in map(json.loads, lines[1:])]
    formulas = frozenset((int(row), int(column)) for row, column in head["formulas"])
    hidden = sorted({row for row, _column in formulas if row} - {row for row, _cells in rows})
    if hidden:  # rows of which nothing else holds anything
        rows = sorted([*rows, *((row, ()) for row in hidden)])
    notes = []
    if (0, 0) in formulas:
        text = _("The workbook holds formulas without a saved result, and does not say where. Open it, save it again and bring that.")
        notes.append(RowNote("formula", 0, text))
    comments, commented = head["comments"]
    if comments:
        notes.append(_not_brought_in(comments, commented))
    merges = [(int(top), int(bottom), int(column)) for top, bottom, column in head["merges"]]
    return Grid(kind, tuple(head["sheets"]), head["sheet"], rows, notes, formulas, merges)


def _not_brought_in(comments: int, rows: Sequence[int]) -> RowNote:
    """That cells have comments: how many, and the first rows with one."""
    text = ngettext(
        "%(num)d cell has a comment, which is not brought in (%(where)s).",
        "%(num)d cells have a comment, which is not brought in (%(where)s).",
        comments,
        where=in_rows(rows),
    )
    return RowNote("comment", 0, text)


def _shown(cell: str) -> str:
    """A cell without what Excel writes as _x0000_ and no file of ours could give back."""
    return cell if cell.isprintable() else _CONTROLS.sub("", cell.replace("\r\n", "\n"))


def _refuse_workbook(reason: str) -> NoReturn:
    if reason == "columns":
        raise Refused(_("The file has more than %(limit)s columns.", limit=MAX_COLUMNS))
    if reason == "rows":
        raise Refused(_("The file has more than %(limit)s rows. Split it.", limit=number(MAX_ROWS, get_locale())))
    if reason == "size":
        limit = file_size(MAX_BYTES, get_locale())
        raise Refused(_("The file is larger than %(limit)s. Split it, or ask for a shorter period.", limit=limit))
    if reason == "empty":
        raise Refused(_("The file is empty."))
    if reason == "merges":
        _refuse_merges()
    if reason == "formulas":
        raise Refused(
            _("The workbook is full of formulas without a saved result. Open it in a spreadsheet program, save it again, and bring that.")
        )
    raise Refused(_("The workbook is damaged and cannot be opened."))


def _refuse_merges() -> NoReturn:
    raise Refused(
        _("The sheet is full of cells that are merged over rows. Take the merges apart in a spreadsheet program, and bring that.")
    )


# --- headings --------------------------------------------------------------------------------------------------------


def find_headings(grid: Grid, is_known: Callable[[str], bool], *, row: int = 0) -> Listing:
    """Find the row of headings and name every column. Raises `Refused` where there is none.

    `is_known` says of a cell whether it is a heading of what is expected: of the first rows the one with most of them is
    taken, so that titles above do not matter. `row`: take that one instead. A blank cell takes the heading above it (merged
    headings), two alike are told apart by what stands above them, a column without any heading is called by its letter."""
    if not grid.rows:
        raise Refused(_("The file is empty."))
    places = [index for index, (_number, cells) in enumerate(grid.rows[: 2 * _ROWS_BEFORE_HEADINGS]) if cells][:_ROWS_BEFORE_HEADINGS]
    first = [grid.rows[index] for index in places]
    chosen = next((index for index, (found, _cells) in enumerate(first) if found == row), -1) if row else _best(first, is_known)
    if chosen < 0 or not first:
        raise Refused(_("The file has no headings in its first row."))
    place = places[chosen]
    header_row, cells = grid.rows[place]
    above = first[place - 1][1] if place and first[place - 1][0] == header_row - 1 else ()
    rows, formulas, merged = _unmerged(grid, place)
    width = max([len(cells), *(len(found) for _number, found in rows)], default=0)
    used = [False] * width
    for _row_number, found in rows:
        for column, cell in enumerate(found):
            if cell and not used[column]:
                used[column] = bool(cell.strip())
    names = _names(cells, above, used)
    notes = [*grid.notes, *_headings_unsaved(grid, header_row), *merged]
    return Listing(header_row, names, rows, notes, formulas)


def _unmerged(grid: Grid, place: int) -> tuple[Sequence[tuple[int, tuple[str, ...]]], frozenset[tuple[int, int]], list[RowNote]]:
    """The rows below the headings (the row at `place`), in which an empty cell under one that is merged over it has the value of that one, or
    misses it as that one does; and a note of how many. A row that holds nothing else stays away. Raises `Refused` where that is too much."""
    header_row, rows = grid.rows[place][0], grid.rows[place + 1 :]
    waiting = sorted((merge for merge in grid.merges if merge[0] > header_row), reverse=True)
    if not waiting:
        return rows, grid.formulas, []
    reach: dict[int, tuple[int, str]] = {}  # column -> the last row of its merge, and the value
    found: list[tuple[int, tuple[str, ...]]] = []
    formulas, taken, gone_through, letters = set(grid.formulas), [], 0, 0
    for row, own in rows:
        gone_through += len(reach)
        reach = {column: merge for column, merge in reach.items() if merge[0] >= row}
        empty = [column for column in reach if not _at(own, column)]
        cells = own
        if empty:
            wide = [*own, *[""] * (max(empty) + 1 - len(own))]
            for column in empty:
                wide[column] = reach[column][1]
            cells = tuple(wide)
            values = [wide[column] for column in empty if wide[column]]
            taken += [row] * len(values)
            formulas.update((row, column) for column in empty if not wide[column])
            gone_through += len(wide) - len(own)
            letters += sum(map(len, values))
        if gone_through > MAX_COVERED or letters > MAX_BYTES:
            _refuse_merges()
        while waiting and waiting[-1][0] <= row:
            top, bottom, column = waiting.pop()
            if top == row and (_at(own, column) or (row, column) in grid.formulas):
                reach[column] = bottom, _at(own, column)
        found.append((row, cells))
    return found, frozenset(formulas), [_merged(taken)] if taken else []


def _at(cells: Sequence[str], column: int) -> str:
    """A cell of a row, "" where it is blank or beyond the row."""
    return cells[column] if column < len(cells) and cells[column].strip() else ""


def _merged(rows: Sequence[int]) -> RowNote:
    """That cells took the value of a merged one: in these rows, one for each cell."""
    text = ngettext(
        "%(num)d cell took the value of the merged cell above it (%(where)s).",
        "%(num)d cells took the value of a merged cell above them (%(where)s).",
        len(rows),
        where=in_rows(list(dict.fromkeys(rows))),
    )
    return RowNote("merged", 0, text)


def _headings_unsaved(grid: Grid, header_row: int) -> list[RowNote]:
    """Headings that are formulas of which no value was saved: the column has no name then."""
    places = sorted(column for row, column in grid.formulas if row == header_row)
    return [
        RowNote(
            "formula",
            header_row,
            _(
                "The heading in %(cell)s is a formula without a saved result. Open the file, save it again and bring that.",
                cell=f"{letter(column)}{header_row}",
            ),
        )
        for column in places
    ]


def _best(first: Sequence[tuple[int, tuple[str, ...]]], is_known: Callable[[str], bool]) -> int:
    """The place of the row that looks most like headings; the first with two filled cells where none is known."""
    known = [sum(is_known(cell) for cell in cells) for _row, cells in first]
    most = max(known)
    if most:
        return known.index(most)
    wide = [index for index, (_row, cells) in enumerate(first) if sum(bool(cell.strip()) for cell in cells) > 1]
    return wide[0] if wide else 0


def _names(cells: Sequence[str], above: Sequence[str], used: Sequence[bool]) -> tuple[str, ...]:
    def at(row: Sequence[str], column: int) -> str:
        return " ".join(row[column].split())[:100] if column < len(row) else ""

    carried, groups = "", []
    for column in range(len(used)):
        carried = at(above, column) or carried
        groups.append(carried if sum(bool(at(above, place)) for place in range(len(above))) > 1 else "")
    names: list[str] = []
    plain = [at(cells, column) for column in range(len(used))]
    for column, is_used in enumerate(used):
        name = plain[column] or (at(above, column) if groups[column] else "")
        if not name:
            name = _("column %(letter)s", letter=letter(column)) if is_used else ""
        elif plain.count(name) > 1 and groups[column]:
            name = f"{groups[column]}: {name}"
        while name and name in names:
            name = f"{name} ({letter(column)})"
        names.append(name)
    return tuple(names)


def letter(column: int) -> str:
    """A column as a spreadsheet calls it: 0 is A, 26 is AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def is_reject_column(heading: str) -> bool:
    """Whether a column is one that our file of rejected rows adds: left out when the file comes back."""
    return heading.casefold() in REJECT_COLUMNS

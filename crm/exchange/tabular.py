"""Opening CSV and TSV bytes safely: limits, encodings, cut-off files, headings, HXL tag rows; and writing rejected rows back. Knows no format's meaning."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, NoReturn

from crm.errors import Refused
from crm.formatting import file_size, number
from crm.i18n import get_locale, ngettext
from crm.i18n import gettext as _

#: Largest file taken, in bytes, and largest number of rows, columns and characters in a cell or a line.
MAX_BYTES = 50_000_000
MAX_ROWS = 250_000
MAX_COLUMNS = 500
MAX_CELL = 131_072
MAX_LINE = 2_000_000
#: The first columns of a file of rejected rows; a file that starts with them is one of ours coming back.
REJECT_COLUMNS = ("rejected row", "rejected column", "rejected because")

_CHUNK = 1 << 20
_DELIMITERS = ",\t;|"
_ROWS_BEFORE_TAGS = 10
_ROWS_LOOKED_AT = 40
_TAG = re.compile(r"#[A-Za-z]\w*(?:\s*\+\s*[A-Za-z]\w*)*")
#: Letters that the encoding of a saved file did not have.
_LOST = re.compile(rb"\?{3,}")
_DOUBLE_BOM = "\ufeff".encode().decode("latin-1").encode()  # a byte order mark that went through UTF-8 twice
_DAMAGED = "\ufffd"
_UNFINISHED = "unexpected end of data"  # csv and codecs both say it so

# csv keeps one limit for the process. Raised once, here, never lowered: no reader of ours can change it under another.
csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL))


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that was not taken: its number as a spreadsheet shows it, the column ("" = the whole row), why, and its cells.

    `also`: what else is wrong with it, as (column, why)."""

    row_number: int
    column: str
    reason: str
    raw: tuple[str, ...] = ()
    also: tuple[tuple[str, str], ...] = ()

    def in_cells(self) -> tuple[str, str]:
        """The columns, and why; of several problems each with its column."""
        if not self.also:
            return self.column, self.reason
        problems = ((self.column, self.reason), *self.also)
        columns = ", ".join(dict.fromkeys(column for column, _reason in problems if column))
        return columns, " ".join(f"{column}: {reason}" if column else reason for column, reason in problems)


@dataclass(frozen=True, slots=True)
class RowNote:
    """Something a person should know about a file or a row that WAS taken (row 0 = the file). `kind` is for filtering."""

    kind: str
    row_number: int
    text: str


class RawRow(Mapping[str, str]):
    """A row as it stood in the file, by heading, without a copy of the headings per row."""

    __slots__ = ("_cells", "_positions")

    def __init__(self, positions: Mapping[str, int], cells: tuple[str, ...]) -> None:
        self._positions = positions
        self._cells = cells

    def __getitem__(self, heading: str) -> str:
        return self._cells[self._positions[heading]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells in the order of the file."""
        return self._cells


@dataclass(slots=True)
class Table:
    """An opened file: headings, HXL tags if it has any, and a stream of rows. Made by `open_table`, which has read it once to the end."""

    header: tuple[str, ...]
    tags: tuple[str, ...]  # as many as headings; () where the file has no tag row
    encoding: str
    delimiter: str
    row_count: int
    warnings: list[RowNote] = field(default_factory=list)
    _data: bytes = b""
    _skip: int = 0  # records before the data
    _ours: bool = False
    _damaged: bool = False

    def rows(self) -> Iterator[tuple[int, tuple[str, ...]] | RowProblem]:
        """Yield (row number, cells), each as wide as the header; a row that cannot be read comes as a `RowProblem`. Blank rows are left out."""
        width = len(self.header)
        lead = len(REJECT_COLUMNS) if self._ours else 0
        for row_number, record in enumerate(_records(self._data, self.encoding, self.delimiter), 1):
            if row_number <= self._skip or not any(record):
                continue
            cells = record[lead:] if lead else record
            if len(cells) > width and not "".join(cells[width:]).strip():
                cells = cells[:width]
            if len(cells) != width:
                yield RowProblem(
                    row_number,
                    "",
                    _("The row has %(found)s cells where the heading has %(expected)s.", found=len(cells), expected=width),
                    tuple(cells),
                )
                continue
            if self._damaged and any(_DAMAGED in cell for cell in cells):
                column = next(heading for heading, cell in zip(self.header, cells, strict=True) if _DAMAGED in cell)
                yield RowProblem(row_number, column, _("A character in this cell could not be read (damaged UTF-8)."), tuple(cells))
                continue
            yield row_number, tuple(map(restore, cells)) if self._ours else tuple(cells)

    @property
    def positions(self) -> dict[str, int]:
        """Heading -> place, for `RawRow`; a column without a heading is called by its number."""
        return {heading or f"column {place + 1}": place for place, heading in enumerate(self.header)}


# --- opening ----------------------------------------------------------------------------------------------------


def heading_key(heading: str) -> str:
    """Return a heading without case, spaces, punctuation and spelling of "organisation", for comparing."""
    return "".join(char for char in heading.casefold() if char.isalnum()).replace("organisation", "organization")


def read_bytes(source: bytes | BinaryIO, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file, reading no more than the limit. Raises `Refused` when it is larger or empty."""
    data = source if isinstance(source, bytes) else source.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise Refused(
            _("The file is larger than %(limit)s. Split it, or ask for a shorter period.", limit=file_size(max_bytes, get_locale()))
        )
    if not data or data.isspace():
        raise Refused(_("The file is empty."))
    return data


def unpack_single(data: bytes, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the one file inside a ZIP, or the bytes themselves when they are no ZIP. Raises `Refused`; a bomb is never unpacked."""
    if not data.startswith(b"PK\x03\x04"):
        return data
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if {"xl/workbook.xml", "content.xml"} & {member.filename for member in members}:
                raise Refused(_("This is a workbook. Say which list it holds, or save its sheet as “CSV UTF-8” and bring that."))
            if len(members) != 1 or members[0].flag_bits & 1:
                raise Refused(_("The ZIP must hold exactly one file, without a password."))
            with archive.open(members[0]) as file:
                return read_bytes(io.BytesIO(file.read(max_bytes + 1)), max_bytes=max_bytes)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise Refused(_("The ZIP is damaged and cannot be opened.")) from error


def open_table(source: bytes | BinaryIO, *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS) -> Table:
    """Open CSV, TSV or semicolon-separated bytes; read them through once, so that a bad file is refused before any row is used.

    Takes UTF-8 (with one, two or doubly encoded byte order marks), UTF-16 with its mark, and, with a warning, Windows-1252
    or Latin-1. The tag row of HXL is found within the first ten rows and kept apart; the heading is the row above it.
    Raises `Refused` for: empty, too large, zero bytes, another kind of file, a quotation mark that is never closed, a file
    that stops in the middle of a row, no or double headings, too many rows or columns.
    """
    data = read_bytes(source, max_bytes=max_bytes)
    warnings: list[RowNote] = []
    encoding, damaged = _encoding(data, warnings)
    delimiter = _delimiter(data, encoding)
    first, count, last_row, last_width = _scan(data, encoding, delimiter, max_rows)
    header_row, tags_row = _find_header(first)
    header = tuple(cell.strip() for cell in first[header_row]) if header_row >= 0 else ()
    tags = tuple(cell.strip() for cell in first[tags_row]) if tags_row >= 0 else ()
    if header_row < 0:
        header = ("",) * len(tags)
    ours = tuple(cell.casefold() for cell in header[: len(REJECT_COLUMNS)]) == REJECT_COLUMNS
    if ours:
        header, tags = header[len(REJECT_COLUMNS) :], tags[len(REJECT_COLUMNS) :]
    header, tags = _level(header, tags)
    _check_header(header, tags)
    skip = max(header_row, tags_row) + 1
    whole = len(header) + (len(REJECT_COLUMNS) if ours else 0)
    if not _ends_with_newline(data, encoding) and last_row > skip:
        if last_width < whole:
            _cut_off(last_row)
        warnings.append(
            RowNote(
                "unfinished", last_row, _("The file does not end with a line break: see whether row %(row)s is its last.", row=last_row)
            )
        )
    rows = count - sum(any(record) for record in first[:skip])
    return Table(header, tags, encoding, delimiter, rows, warnings, data, skip, ours, damaged)


def raw_records(source: bytes | BinaryIO) -> tuple[list[RowNote], Iterator[list[str]]]:
    """Open text bytes as rows of cells without looking for headings: what is doubtful about the file, and every row, blank ones too.

    Encodings and limits as in `open_table`; the separator is the one that divides most of the first rows alike, since a title may
    stand above them. A file of two encodings is refused, and so is one that is cut off, whenever its row is reached."""
    data = read_bytes(source)
    warnings: list[RowNote] = []
    encoding, is_damaged = _encoding(data, warnings)
    if is_damaged:
        _refuse_mixed(data)
    delimiter = _likely_delimiter(data, encoding)

    def rows() -> Iterator[list[str]]:
        for row_number, record in enumerate(_records(data, encoding, delimiter), 1):
            if len(record) > MAX_COLUMNS and any(cell.strip() for cell in record[MAX_COLUMNS:]):
                raise Refused(_("The file has more than %(limit)s columns.", limit=MAX_COLUMNS))
            if row_number > MAX_ROWS:
                raise Refused(_("The file has more than %(limit)s rows. Split it.", limit=number(MAX_ROWS, get_locale())))
            yield record[:MAX_COLUMNS]

    return warnings, rows()


def _refuse_mixed(data: bytes) -> NoReturn:
    text = data.decode("utf-8", "replace")
    row = text.count("\n", 0, text.index(_DAMAGED)) + 1
    raise Refused(
        _("The file mixes two encodings: line %(row)s is not UTF-8 as the others are. Save it as “CSV UTF-8” and bring that.", row=row)
    )


def _likely_delimiter(data: bytes, encoding: str) -> str:
    with _text(data, encoding) as text:
        lines = [line for _row in range(_ROWS_LOOKED_AT) if (line := text.readline(MAX_LINE))]
    best, most = ",", 0
    for delimiter in _DELIMITERS:
        widths = _widths(lines, delimiter)
        usual = max((width for width in widths if width > 1), key=lambda width: (widths.count(width), width), default=0)
        score = widths.count(usual) * usual if usual else 0
        if score > most:
            best, most = delimiter, score
    return best


def _widths(lines: Sequence[str], delimiter: str) -> list[int]:
    """How many cells the first rows have by a delimiter; up to a row that it does not part into cells that can be."""
    widths: list[int] = []
    with contextlib.suppress(csv.Error):
        for row in csv.reader(lines, delimiter=delimiter):
            widths.append(len(row))  # noqa: PERF401 - what was read before an error counts
    return widths


def require(table: Table, wanted: Mapping[str, bool]) -> None:
    """Refuse a table where a column is missing. `wanted` maps the name a person knows to whether it was found."""
    missing = [name for name, found in wanted.items() if not found]
    if missing:
        has = ", ".join(f"“{heading[:40]}”" for heading in table.header[:12] if heading) or "…"
        raise Refused(
            ngettext(
                "The column %(missing)s is missing. The file has: %(has)s.",
                "The columns %(missing)s are missing. The file has: %(has)s.",
                len(missing),
                missing=", ".join(f"“{name}”" for name in missing),
                has=has + (" …" if len(table.header) > 12 else ""),  # noqa: PLR2004
            )
        )


def _cut_off(row_number: int) -> NoReturn:
    raise Refused(_("The file stops in the middle of row %(row)s: it was cut off on its way. Bring a whole copy.", row=row_number))


_SIGNATURES = (
    (b"PK\x03\x04", "a ZIP or Excel file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip file"),
    (b"{\\rtf", "a text document"),
    (b"SQLite format", "a database"),
)
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")


def _refuse_other_kinds(data: bytes) -> None:
    if data.startswith(_PICTURES) or (data.startswith(b"RIFF") and data[8:12] == b"WEBP"):
        raise Refused(
            _(
                "This is a picture, which holds no rows that can be read. Bring the list itself, as XLSX, ODS, CSV or TSV; what OCHA FTS "
                "publishes, and exchange rates, as CSV."
            )
        )
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            raise Refused(_("This is %(kind)s, not a CSV file. Save it as “CSV UTF-8” and bring that.", kind=kind))
    start = data[:2048].lstrip(codecs.BOM_UTF8 + b" \t\r\n")
    if b"<iati-" in start:
        raise Refused(
            _(
                "This is an IATI file. IATI is not read here yet. What is read: flows and requirements as OCHA FTS publishes them, and "
                "exchange rates, each as CSV."
            )
        )
    if start[:1] == b"<" or (start[:1] in (b"{", b"[") and b":" in start):
        raise Refused(_("This is HTML, XML or JSON, which is not read here. Bring the source's own CSV file instead."))


def _encoding(data: bytes, warnings: list[RowNote]) -> tuple[str, bool]:
    """Return the encoding, and whether some characters are damaged; note what was doubtful."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        if _decodes(data, "utf-16"):
            return "utf-16", False
        raise Refused(_("The file begins as UTF-16 but is not. Save it as “CSV UTF-8” and bring that."))
    _refuse_other_kinds(data)
    if b"\0" in data:
        raise Refused(_("The file holds zero bytes, so it is not text. Save it as “CSV UTF-8” and bring that."))
    sample = data[:_CHUNK]
    if len(sample.translate(None, bytes(range(1, 9)) + bytes(range(14, 32)) + b"\x7f")) < len(sample) * 0.98:
        raise Refused(_("This is not a text file. Save it as “CSV UTF-8” and bring that."))
    if data.startswith((_DOUBLE_BOM, codecs.BOM_UTF8 + _DOUBLE_BOM)):
        warnings.append(RowNote("encoding", 0, _("The file was encoded twice: see whether accented letters are right.")))
    return ("utf-8", False) if _decodes(data, "utf-8") else _not_utf8(data, warnings)


def _not_utf8(data: bytes, warnings: list[RowNote]) -> tuple[str, bool]:
    text = data.decode("utf-8", "replace")
    bad = text.count(_DAMAGED)
    good = len(text) - bad - len(text.encode("ascii", "ignore"))
    if bad < good:
        warnings.append(RowNote("encoding", 0, ngettext("%(num)s character is damaged.", "%(num)s characters are damaged.", bad)))
        return "utf-8", True
    encoding = "cp1252" if _decodes(data, "cp1252") else "latin-1"
    warnings.append(
        RowNote(
            "encoding",
            0,
            _("The file is not UTF-8; it was read as %(encoding)s. See whether accented letters are right.", encoding=encoding),
        )
    )
    if b"???" in data and (lost := len(_LOST.findall(data))):  # the pattern takes half a second for 50 MB in which there are none
        warnings.append(
            RowNote(
                "encoding",
                0,
                ngettext(
                    "Letters were lost when the file was saved: in %(num)s place question marks stand for them. Save it as “CSV UTF-8” or as a workbook.",
                    "Letters were lost when the file was saved: in %(num)s places question marks stand for them. Save it as “CSV UTF-8” or as a workbook.",
                    lost,
                ),
            )
        )
    return encoding, False


def _decodes(data: bytes, encoding: str) -> bool:
    """Say whether the bytes are that encoding, piece by piece. UTF-8 that ends inside a character was cut off: `Refused`."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(data), _CHUNK):
            if "\0" in decoder.decode(data[start : start + _CHUNK]):
                return False
    except UnicodeDecodeError:
        return False
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise Refused(_("The file stops in the middle of a character: it was cut off on its way. Bring a whole copy.")) from error
    return True


def _text(data: bytes, encoding: str) -> io.TextIOWrapper:
    skip = 0
    if encoding == "utf-8":
        for mark in (codecs.BOM_UTF8, codecs.BOM_UTF8, _DOUBLE_BOM):
            skip += len(mark) if data.startswith(mark, skip) else 0
    buffer = io.BytesIO(data)
    buffer.seek(skip)
    return io.TextIOWrapper(buffer, encoding=encoding, errors="replace" if encoding == "utf-8" else "strict", newline="")


def _delimiter(data: bytes, encoding: str) -> str:
    with _text(data, encoding) as text:
        for _row in range(_ROWS_BEFORE_TAGS):
            line = re.sub(r'"[^"]*"', "", text.readline(MAX_LINE))
            if (found := max(_DELIMITERS, key=line.count)) and line.count(found):
                return found
    return ","


def _records(data: bytes, encoding: str, delimiter: str) -> Iterator[list[str]]:
    with _text(data, encoding) as text:
        reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
        row_number = 0
        while True:
            row_number += 1
            try:
                yield next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                _refuse_csv_error(error, row_number)


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(MAX_LINE):
        if len(line) >= MAX_LINE:
            raise Refused(_("The file has a line longer than %(limit)s characters.", limit=number(MAX_LINE, get_locale())))
        yield line


def _refuse_csv_error(error: csv.Error, row_number: int) -> NoReturn:
    said = str(error)
    if "field larger" in said:
        raise Refused(
            _(
                "Row %(row)s holds a cell of more than %(limit)s characters: probably a quotation mark that is never closed.",
                row=row_number,
                limit=number(MAX_CELL, get_locale()),
            )
        ) from error
    if _UNFINISHED in said:
        raise Refused(
            _("A quotation mark opened in row %(row)s is never closed: the file was cut off, or the mark is wrong.", row=row_number)
        ) from error
    raise Refused(
        _(
            "Row %(row)s has a quotation mark in the wrong place, or one that is never closed, so its columns cannot be told apart.",
            row=row_number,
        )
    ) from error


def _scan(data: bytes, encoding: str, delimiter: str, max_rows: int) -> tuple[list[list[str]], int, int, int]:
    """Read to the end once. Return the first rows, the number of rows that are not blank (before the last included), the last row and its width."""
    first: list[list[str]] = []
    count = last_row = last_width = row_number = 0
    most_records = max_rows * 2 + _ROWS_BEFORE_TAGS
    for row_number, record in enumerate(_records(data, encoding, delimiter), 1):
        if row_number <= _ROWS_BEFORE_TAGS + 1:
            first.append(record)
            if len(record) > MAX_COLUMNS:
                raise Refused(_("The file has more than %(limit)s columns.", limit=MAX_COLUMNS))
        if any(record):
            count += 1
            last_row, last_width = row_number, len(record)
        if count > max_rows + _ROWS_BEFORE_TAGS or row_number > most_records:
            raise Refused(_("The file has more than %(limit)s rows. Split it.", limit=number(max_rows, get_locale())))
    return first, count, last_row, last_width


def is_tag_row(record: Sequence[str]) -> bool:
    """Say whether a row is HXL's: at least half of its filled cells are hashtags, and all of them begin with "#"."""
    filled = [cell.strip() for cell in record if cell.strip()]
    tagged = sum(bool(_TAG.fullmatch(cell)) for cell in filled)
    return bool(filled) and tagged * 2 >= len(filled) and all(cell.startswith("#") for cell in filled)


def _find_header(first: list[list[str]]) -> tuple[int, int]:
    """Return the places of the heading and of the tag row; -1 where there is none."""
    for place, record in enumerate(first[:_ROWS_BEFORE_TAGS]):
        if is_tag_row(record):
            above = [row for row in range(place) if any(cell.strip() for cell in first[row])]
            return (above[-1] if above else -1), place
    for place, record in enumerate(first):
        if any(cell.strip() for cell in record):
            return place, -1
    raise Refused(_("The file is empty."))


def _level(header: tuple[str, ...], tags: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Make headings and tags equally wide, without the empty columns at the end."""
    width = max(len(header), len(tags))
    header = header + ("",) * (width - len(header))
    level_tags = tags + ("",) * (width - len(tags)) if tags else ()
    while width and not header[width - 1] and not (level_tags and level_tags[width - 1]):
        width -= 1
    return header[:width], level_tags[:width]


def _check_header(header: tuple[str, ...], tags: tuple[str, ...]) -> None:
    if not header:
        raise Refused(_("The file has no headings in its first row."))
    if len(header) > MAX_COLUMNS:
        raise Refused(_("The file has more than %(limit)s columns.", limit=MAX_COLUMNS))
    seen: dict[str, int] = {}
    for place, heading in enumerate(header, 1):
        name = heading.casefold()
        if name and name in seen:
            raise Refused(
                _(
                    "The heading “%(heading)s” occurs twice (columns %(first)s and %(second)s).",
                    heading=heading[:60],
                    first=seen[name],
                    second=place,
                )
            )
        seen[name] = place
    if not any(header) and not any(tags):
        raise Refused(_("The file has no headings in its first row."))


def _ends_with_newline(data: bytes, encoding: str) -> bool:
    end = data[-8:].decode("utf-16-le" if data.startswith(codecs.BOM_UTF16_LE) else "utf-16-be", "ignore") if encoding == "utf-16" else ""
    return end.endswith(("\n", "\r")) if encoding == "utf-16" else data.endswith((b"\n", b"\r"))


# --- formula characters (P5) and rejected rows --------------------------------------------------------------------

_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
_PREFIX = "'"
_BEGINS = _FORMULA | {_PREFIX}
_PARTS = re.compile(r"[;\t\r\n]")
#: Numbers, amounts and international phone numbers stay as they are: "-5.00", "+1,234", "+41 22 555 01 01".
_HARMLESS = re.compile(r"[+-]\d{1,18}(?:[.,]\d{1,18})*%?|\+\d[\d ]{3,24}")


#: Where a spreadsheet that parts cells otherwise than by commas would begin another cell inside of one, with the apostrophes there.
_INSIDE = re.compile(r"(?<!^)([;\t\r\n] *)('*)(?=[=+\-@＝＋－＠])(?!(?<!')[+-]\d[\d ]*(?:[.,]\d+)*%?(?:[;\t\r\n]|$))")
_INSIDE_KEPT = re.compile(r"(?<!^)([;\t\r\n] *)'('*)(?=[=+\-@＝＋－＠])")


def neutralise(text: str) -> str:
    """Return a cell that no spreadsheet runs: text beginning like a formula gets an apostrophe before it; plain numbers do not (P5).

    The same inside of it after a semicolon, a tab or a line break: where lists are parted by semicolons, as in most of Europe, those
    would begin a cell."""
    if text[:1] not in _BEGINS and not _PARTS.search(text):
        return text  # nearly all cells
    core = text.lstrip(_PREFIX)
    begins = bool(core) and core[0] in _FORMULA and (text[0] == _PREFIX or not _HARMLESS.fullmatch(text))
    return (_PREFIX if begins else "") + _INSIDE.sub(r"\1'\2", text)


def restore(text: str) -> str:
    """Return the text that `neutralise` was given: the importer's other half of P5."""
    if text[:1] == _PREFIX and (core := text.lstrip(_PREFIX)) and core[0] in _FORMULA:
        text = text[1:]
    return _INSIDE_KEPT.sub(r"\1\2", text) if _PREFIX in text else text


def rejects_csv(problems: Iterable[RowProblem], header: Sequence[str], tags: Sequence[str] = ()) -> bytes:
    """Return rejected rows as a CSV file (UTF-8 with mark): row number, column, reason, then the row as it came.

    A person mends it and brings it back: the first three columns are then ignored, and the apostrophes of `neutralise`
    are taken off again. Rows stand in the order of the file they came from.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([*REJECT_COLUMNS, *map(neutralise, header)])
    if any(tags):
        writer.writerow(["", "", "", *tags])
    for problem in sorted(problems, key=lambda problem: problem.row_number):
        cells = [*problem.raw, *[""] * (len(header) - len(problem.raw))]
        writer.writerow([problem.row_number, *map(neutralise, problem.in_cells()), *map(neutralise, cells)])
    return codecs.BOM_UTF8 + buffer.getvalue().encode("utf-8", "replace")

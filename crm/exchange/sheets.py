"""A spreadsheet of a known kind as typed rows: which column is which field, cells read by it, and what has to be asked first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from crm.errors import Refused
from crm.exchange import sheet_columns as columns_of
from crm.exchange.cells import CellInvalid, clean
from crm.exchange.sheet_cells import DAY_ORDERS, day_order, parts, read_country, read_day, read_word
from crm.exchange.sheet_columns import SHEETS
from crm.exchange.sheet_fields import COUNTRY, DAY, LIST, WORD, WORDS, SheetField
from crm.exchange.spreadsheet import Grid, Listing, find_headings, is_reject_column, read_grid
from crm.exchange.tabular import RowNote, RowProblem
from crm.i18n import gettext as _

LONGEST_CELL = 20_000
MOST_EDITS = 2_000
_EXAMPLES = 3
_MOST_EXAMPLE = 60


@dataclass(frozen=True)
class Setup:
    """What was said of a file: the sheet, the row of headings, heading -> field, how days are written, and mended cells.

    `columns` None: nobody said anything yet, they are guessed. `edits`: row number -> heading -> text. `note_level`, `form` and
    `country` are for rows that do not say."""

    sheet: str = ""
    header_row: int = 0
    columns: Mapping[str, str] | None = None
    day_order: str = ""
    form: str = "person"
    country: str = ""
    note_level: str = ""
    edits: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def load(cls, text: str) -> Setup:
        """Read what `dump` wrote; whatever else stands there counts as nothing said."""
        try:
            found = json.loads(text or "{}")
        except ValueError:
            return cls()
        known = {name: found[name] for name in cls.__dataclass_fields__ if name in found} if isinstance(found, dict) else {}
        return cls(**known)

    def dump(self) -> str:
        """The same as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    def remembered(self) -> Setup:
        """What holds for the next file of the same source too: everything but mended cells and where the headings were."""
        return replace(self, edits={}, header_row=0, sheet="")


@dataclass(frozen=True, slots=True)
class Question:
    """Days that can mean two things: in which column, and the cell that shows it."""

    heading: str
    example: str


@dataclass(frozen=True, slots=True)
class TypedRow:
    """A row whose cells could all be read, by field."""

    row_number: int
    values: Mapping[str, Any]
    raw: tuple[str, ...]


@dataclass(slots=True)
class SheetFile:
    """A spreadsheet that was read: its columns with what they are taken for, its rows, those that could not be read, and questions."""

    slug: str
    setup: Setup
    grid: Grid
    listing: Listing
    columns: dict[str, str]
    rows: list[TypedRow] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    notes: list[RowNote] = field(default_factory=list)

    @property
    def headings(self) -> tuple[str, ...]:
        """The names of the columns that hold something or were named."""
        return self.listing.headings

    @property
    def by_field(self) -> dict[str, str]:
        """Field -> heading (the first of several), for naming the column of a refused row."""
        found: dict[str, str] = {}
        for heading, name in self.columns.items():
            if name:
                found.setdefault(name, heading)
        return found

    def missing(self) -> list[str]:
        """What a list of this kind needs and no column gives."""
        return [str(label) for label in columns_of.missing(self.slug, self.columns)]

    def examples(self, heading: str) -> list[str]:
        """The first cells of a column that hold something, to recognise it by."""
        place = self.headings.index(heading)
        found: list[str] = []
        for _row, cells in self.listing.rows:
            if place < len(cells) and (text := " ".join(cells[place].split())) and text[:_MOST_EXAMPLE] not in found:
                found.append(text[:_MOST_EXAMPLE])
            if len(found) == _EXAMPLES:
                break
        return found


def digest_of(headings: Iterable[str]) -> str:
    """What a source is remembered by: its headings, whatever their order."""
    named = sorted(heading.casefold() for heading in headings if heading and not is_reject_column(heading))
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()


def read_sheet(data: bytes, slug: str, setup: Setup, remembered: Callable[[str], Setup | None] = lambda _headings: None) -> SheetFile:
    """Read a spreadsheet as a list of the kind `slug`. Raises `Refused` where it is no table at all.

    `remembered`: what was said of an earlier file, by the digest of its headings; asked only where `setup` says nothing of columns."""
    grid = read_grid(data, sheet=setup.sheet)
    listing = find_headings(grid, lambda cell: columns_of.is_heading(slug, cell), row=setup.header_row)
    if setup.columns is None:
        earlier = remembered(digest_of(listing.headings))
        if earlier is not None:
            setup = replace(earlier, sheet=setup.sheet, header_row=setup.header_row, edits=setup.edits)
    guessed = columns_of.guess(slug, listing.headings)
    said = setup.columns if setup.columns is not None else guessed
    known = SHEETS[slug].fields
    columns = {heading: said.get(heading, "") if said.get(heading, "") in known else "" for heading in guessed}
    if not listing.rows:
        raise Refused(_("The file has headings but no rows below them."))
    file = SheetFile(slug, setup, grid, listing, columns, notes=list(listing.notes))
    orders = _ask(file)
    for row_number, cells in listing.rows:
        _take(file, row_number, _mended(file, row_number, cells), orders)
    return file


def _mended(file: SheetFile, row_number: int, cells: tuple[str, ...]) -> tuple[str, ...]:
    """The cells of a row as wide as the headings, with what was typed on the page in their place."""
    width = len(file.headings)
    row = [*cells[:width], *[""] * (width - len(cells))]
    for heading, text in file.setup.edits.get(str(row_number), {}).items():
        if heading in file.headings:
            row[file.headings.index(heading)] = text
    return tuple(row)


def _ask(file: SheetFile) -> dict[str, str]:
    """How each column writes its days: as said, else as its own cells show; what stays open becomes a question."""
    orders: dict[str, str] = {}
    fields = SHEETS[file.slug].fields
    for place, heading in enumerate(file.headings):
        name = file.columns.get(heading, "")
        if not name or fields[name].reads != DAY:
            continue
        found, doubtful = day_order(row[place] for _number, row in file.listing.rows if place < len(row))
        orders[heading] = file.setup.day_order if file.setup.day_order in DAY_ORDERS else found
        if doubtful and not orders[heading]:
            file.questions.append(Question(heading, doubtful[:_MOST_EXAMPLE]))
    return orders


def _take(file: SheetFile, row_number: int, cells: tuple[str, ...], orders: Mapping[str, str]) -> None:
    fields = SHEETS[file.slug].fields
    values: dict[str, Any] = {}
    for place, heading in enumerate(file.headings):
        name = file.columns.get(heading, "")
        if not name or not cells[place].strip():
            continue
        try:
            value = _read(fields[name], clean(cells[place], LONGEST_CELL), orders.get(heading, ""))
        except CellInvalid as error:
            file.problems.append(RowProblem(row_number, heading, str(error), cells))
            return
        if fields[name].is_many:
            given = value if isinstance(value, tuple) else (value,)
            if name == "note" and list(file.columns.values()).count("note") > 1:
                given = tuple(f"{heading}: {text}" for text in given)
            values[name] = (*values.get(name, ()), *given)
        else:
            values[name] = value
    if values:
        file.rows.append(TypedRow(row_number, values, cells))


def _read(item: SheetField, cell: str, order: str) -> str | date | tuple[str, ...] | None:
    """A cell as its field wants it."""
    if item.reads == DAY:
        return read_day(cell, order)
    if item.reads == COUNTRY:
        return read_country(cell)
    if item.reads == WORD:
        return read_word(cell, item.words or {})
    if item.reads == WORDS:
        return tuple(read_word(word, item.words or {}) for word in parts(cell, ";\n|,،"))
    if item.reads == LIST:
        return parts(cell)
    return parts(cell, item.marks) if item.marks else cell

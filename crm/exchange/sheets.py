"""A spreadsheet of a known kind as typed rows: which column is which field, cells read by it, and what has to be asked first."""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from operator import itemgetter
from typing import Any

from crm.errors import Refused
from crm.exchange import sheet_columns as columns_of
from crm.exchange.cells import CellInvalid, clean
from crm.exchange.cells import year as read_year
from crm.exchange.sheet_cells import (
    AMOUNT_MARKS,
    DAY_ORDERS,
    AmountDoubtful,
    AmountMerged,
    DayAmbiguous,
    MonthOnly,
    NoCurrency,
    WordUnknown,
    YearShort,
    amount_mark,
    begins_with_total,
    day_order,
    is_total_label,
    parts,
    plain_digits,
    read_amount,
    read_country,
    read_currency,
    read_day,
    read_word,
    refuse_error,
)
from crm.exchange.sheet_columns import SHEETS
from crm.exchange.sheet_fields import (
    AMOUNT,
    AMOUNTS,
    COUNTRY,
    CURRENCY,
    DAY,
    LIST,
    NEED_OF_YEAR,
    REPORTED,
    WORD,
    WORD_MARKS,
    WORDS,
    YEAR,
    ListedWords,
    SheetField,
    SheetKind,
)
from crm.exchange.sheet_forms import is_form_of_address, settle
from crm.exchange.sheet_money import year_named
from crm.exchange.sheet_values import OF_LISTS, Replaced, Wrong
from crm.exchange.spreadsheet import Grid, Listing, find_headings, is_reject_column, read_grid
from crm.exchange.tabular import RowNote, RowProblem
from crm.exchange.turned_names import turned
from crm.i18n import gettext as _
from crm.i18n import ngettext
from crm.models.parties import FORM_IN_KINDS
from crm.money import Money, currency_named, to_minor
from crm.queries.names import fold, is_none_word
from crm.services.sheet_told import in_rows

LONGEST_CELL = 20_000
MOST_EDITS = 2_000
#: What is said of a row that is not the one it looks like.
TWO = "two"
_EXAMPLES = 3
_MOST_LOOKED_AT = 200
#: Years of two digits below this are of this century in both ways of reading them.
_EITHER_CENTURY = 50
_MOST_EXAMPLE = 60
#: What parts the amounts of a total in several currencies.
_BETWEEN_TOTALS = ";\n|/+&"
#: A cell of a workbook that may be a number, whose point says nothing about how people type theirs beside it.
_BRACKETS = re.compile(r"\([^()]*\)")
#: Columns that a list has at the least where a row with one cell may be the heading of a section.
_LEAST_COLUMNS = 3
_NUMBER_CELL = re.compile(r"-?\d+\.\d+")


@dataclass(frozen=True)
class Setup:
    """What was said of a file: the sheet, the row of headings, heading -> field, how days and amounts are written, and mended cells.

    `columns` None: nobody said anything yet, they are guessed. `edits`: row number -> heading -> text. `note_level`, `form`,
    `country` and `currency` are for rows that do not say. `totals`: what the amounts should come to, as a person typed it.
    `left_out`: the numbers of rows that a person says are none of the list. `values`: heading -> value -> what is read instead in
    every row. `century`: of which hundred years those of two digits are. `months`: what a month without a day means. `twins`: row -> the
    earlier row, or the reference of the record, that it is one with; `TWO` where it is somebody else than it looks like, and
    `parted`: that row -> all those (rows and references) that it was said to be another one than.
    `emptied`: the columns in which formulas without a saved result are read as empty. `turned`: those whose names of people are
    turned round, as “Haddad, Rania” to “Rania Haddad”. `employers`: name of an organisation that rows name for posts -> the name or reference
    of the one that it is; `employers_apart`: name -> the names and references that it was said to be another one than."""

    sheet: str = ""
    header_row: int = 0
    columns: Mapping[str, str] | None = None
    day_order: str = ""
    form: str = "person"
    country: str = ""
    note_level: str = ""
    amount_mark: str = ""
    currency: str = ""
    totals: str = ""
    edits: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_out: Sequence[int] = ()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    century: str = ""
    months: str = ""
    twins: Mapping[str, str] = field(default_factory=dict)
    parted: Mapping[str, Sequence[str]] = field(default_factory=dict)
    emptied: Sequence[str] = ()
    turned: Sequence[str] = ()
    employers: Mapping[str, str] = field(default_factory=dict)
    employers_apart: Mapping[str, Sequence[str]] = field(default_factory=dict)

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

    def remembered(self, of_lists: Collection[str]) -> Setup:
        """What holds for the next file of the same source too: everything but mended cells, rows left out or put together, totals, where the
        headings were, and what is read in place of values that are not words of a list (`of_lists`: the headings of columns whose values are)."""
        values = {heading: table for heading, table in self.values.items() if heading in of_lists}
        return replace(
            self,
            edits={},
            left_out=(),
            totals="",
            header_row=0,
            sheet="",
            values=values,
            twins={},
            parted={},
            emptied=(),
            employers={},
            employers_apart={},
        )


@dataclass(frozen=True, slots=True)
class Question:
    """What a file leaves open ("days", "amounts" or "currency"): in which column, and the cell that shows it."""

    heading: str
    example: str
    about: str = DAY + "s"


@dataclass(frozen=True, slots=True)
class TypedRow:
    """A row whose cells could all be read, by field."""

    row_number: int
    values: Mapping[str, Any]
    raw: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SheetTotal:
    """A total that the sheet itself has at its foot, in minor units."""

    row_number: int
    currency: str
    minor: int


@dataclass(slots=True)
class Control:
    """The amounts of a file, to be held against its own total: currency -> [how many, their sum in minor units], of all rows and of
    those that could not be read as a whole; how many rows have no amount that can be read; the totals at the foot, and the rows of
    those that add up several currencies, which nothing can be held against."""

    read: dict[str, list[int]] = field(default_factory=dict)
    refused: dict[str, list[int]] = field(default_factory=dict)
    unread: int = 0
    totals: list[SheetTotal] = field(default_factory=list)
    mixed: list[int] = field(default_factory=list)

    def take(self, amounts: Iterable[Money], *, is_refused: bool = False) -> None:
        """Count the amounts of a row."""
        for sums in (self.read, self.refused) if is_refused else (self.read,):
            add_up(sums, amounts)


def add_up(sums: dict[str, list[int]], amounts: Iterable[Money]) -> None:
    """Count amounts by currency: how many, and their sum in minor units."""
    for amount in amounts:
        counted = sums.setdefault(amount.currency, [0, 0])
        counted[0] += 1
        counted[1] += to_minor(amount)


def counted(kind: SheetKind, values: Mapping[str, Any]) -> list[Money]:
    """The amounts of a row that the total line of its sheet adds up."""
    found = next((values[name] for name in kind.counted if values.get(name)), ())
    return [found] if isinstance(found, Money) else [amount for _year, amount in found]


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
    #: Of each problem's row what could be read, and the fields that could not.
    unread: list[tuple[TypedRow, Collection[str]]] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    notes: list[RowNote] = field(default_factory=list)
    control: Control = field(default_factory=Control)
    left_out: list[int] = field(default_factory=list)
    #: The rows that are not left out, as they are read: with cells mended, and values replaced.
    as_read: Sequence[tuple[int, tuple[str, ...]]] = ()
    wrong: Wrong = field(default_factory=Wrong)
    #: Rows with a day whose year has two digits.
    short_years: list[int] = field(default_factory=list)
    #: Whether those years are the same, whichever hundred years can be chosen.
    is_century_clear: bool = True
    #: Rows that hold nothing in a column that is read, and those that say the headings again: neither are rows of the list.
    passed_over: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    #: Cells that say that there is nothing, and count as empty.
    empty_words: int = 0
    #: Rows with a month without a day.
    bare_months: list[int] = field(default_factory=list)
    #: Names that look like “Family, First”: heading -> how many, and the first of them.
    turnable: dict[str, tuple[int, str]] = field(default_factory=dict)
    #: Words for a form of organisation that were read as kinds, beside a person: heading and word -> in how many rows.
    not_forms: dict[tuple[str, str], int] = field(default_factory=dict)
    #: Rows in which a column holds a formula without a saved result.
    formulas: dict[str, list[int]] = field(default_factory=dict)
    #: Which of day and month is read first where a day could be read either way -> the first such day.
    days_read: dict[str, str] = field(default_factory=dict)
    #: In how many rows what was said of a value counts, by heading and value.
    replaced: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether something has to be said of the file before its rows can be judged: a question, or a column that is needed."""
        return bool(self.questions or self.missing())

    @property
    def kind(self) -> SheetKind:
        """Which list it is."""
        return SHEETS[self.slug]

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

    def field_of(self, heading: str) -> SheetField | None:
        """What a column is taken for; None where it is left out."""
        return self.kind.fields.get(self.columns.get(heading, ""))

    def remembered(self) -> Setup:
        """What holds for the next file of the same source too."""
        of_lists = {heading for heading in self.headings if (item := self.field_of(heading)) is not None and item.reads in OF_LISTS}
        return replace(self.setup, columns=self.columns).remembered(of_lists)

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


def read_sheet(
    data: bytes, slug: str, setup: Setup, remembered: Callable[[str], Setup | None] = lambda _headings: None, *, reporting: str = ""
) -> SheetFile:
    """Read a spreadsheet as a list of the kind `slug`. Raises `Refused` where it is no table at all.

    `remembered`: what was said of an earlier file, by the digest of its headings; asked only where `setup` says nothing of columns.
    `reporting`: the currency of columns that hold amounts in the office's reporting currency."""
    grid = read_grid(data, sheet=setup.sheet)
    listing = find_headings(grid, lambda cell: columns_of.is_heading(slug, cell), row=setup.header_row)
    if setup.columns is None:
        earlier = remembered(digest_of(listing.headings))
        if earlier is not None:
            setup = replace(
                earlier,
                sheet=setup.sheet,
                header_row=setup.header_row,
                edits=setup.edits,
                left_out=setup.left_out,
                twins=setup.twins,
                parted=setup.parted,
                emptied=setup.emptied,
                employers=setup.employers,
                employers_apart=setup.employers_apart,
            )
    guessed = columns_of.guess(slug, listing.headings, _addresses(slug, listing))
    guessed = _by_what_stands_there(slug, guessed, listing)
    said = setup.columns if setup.columns is not None else guessed
    known = SHEETS[slug].fields
    columns = {heading: said.get(heading, "") if said.get(heading, "") in known else "" for heading in guessed}
    has_choice = len(grid.sheets) > 1 and columns_of.missing(slug, columns)  # it is asked what the columns are, and which sheet
    if not listing.rows and not has_choice:
        raise Refused(_("The file has headings but no rows below them."))
    file = SheetFile(slug, setup, grid, listing, columns, notes=list(listing.notes))
    _Rows(file, reporting).take()
    return file


def _first_cells(listing: Listing, heading: str) -> list[str]:
    """The first cells of a column, those that hold something."""
    place = listing.headings.index(heading)
    return [cells[place] for _number, cells in listing.rows[:_MOST_LOOKED_AT] if place < len(cells) and cells[place].strip()]


def _addresses(slug: str, listing: Listing) -> dict[str, bool]:
    """Of columns *Title* those whose first cells are forms of address for the most part (Dr., Mrs), or none; others leave it open."""
    found = {}
    for heading in listing.headings:
        cells = _first_cells(listing, heading) if heading and columns_of.is_of_titles(slug, heading) else []
        such = sum(map(is_form_of_address, cells))
        if cells and (2 * such > len(cells) or not such):
            found[heading] = bool(such)
    return found


def _by_what_stands_there(slug: str, guessed: dict[str, str], listing: Listing) -> dict[str, str]:
    """A column *Type* holds persons and organisations, or donors and NGOs: where most of its first cells are none of the former, it is
    what they are to us, unless another column is. “Company” is both, and speaks for neither."""
    known = SHEETS[slug].fields
    heading = next((heading for heading, name in guessed.items() if name == "form"), "")
    if not heading or "kinds" not in known or "kinds" in guessed.values():
        return guessed
    kinds = known["kinds"].words
    words = {word for word in known["form"].words or {} if not (isinstance(kinds, ListedWords) and kinds.kind_of(word))}
    cells = _first_cells(listing, heading)
    forms = sum(fold(cell) in words for cell in cells)
    return guessed if not cells or 2 * forms >= len(cells) else guessed | {heading: "kinds"}


def _mended(file: SheetFile, row_number: int, cells: tuple[str, ...]) -> tuple[str, ...]:
    """The cells of a row as wide as the headings, with what was typed on the page in their place."""
    width, edits = len(file.headings), file.setup.edits.get(str(row_number))
    if len(cells) == width and not edits:
        return cells
    row = [*cells[:width], *[""] * (width - len(cells))]
    for heading, text in (edits or {}).items():
        if heading in file.headings:
            row[file.headings.index(heading)] = text
    return tuple(row)


class _Rows:
    """Reads the rows of a file: how each column writes its days and amounts, as said, else as its own cells show it."""

    def __init__(self, file: SheetFile, reporting: str) -> None:
        self.file, self.reporting = file, reporting
        out = set(file.setup.left_out)
        file.left_out = [number for number, _cells in file.listing.rows if number in out]
        known = file.kind.fields
        fields = {heading: known[name] for heading, name in file.columns.items() if name}
        instead = Replaced(file.headings, fields, file.setup.values)
        rows = ((number, _mended(file, number, cells)) for number, cells in file.listing.rows if number not in out)
        self.rows = [(number, instead.cells(cells)) for number, cells in rows] if instead else list(rows)
        file.as_read, file.replaced = self.rows, instead.counts
        self.columns = [
            (place, heading, known[name], name) for place, heading in enumerate(file.headings) if (name := file.columns.get(heading, ""))
        ]
        self.columns.sort(key=lambda column: (column[2].reads != CURRENCY, column[2].reads not in AMOUNTS))
        self.ways = {heading: self._way(heading, item, name) for _place, heading, item, name in self.columns}
        self.currencies = {heading: currency_named(heading) for _place, heading, item, _name in self.columns if item.reads in AMOUNTS}
        self.totals: list[tuple[int, tuple[str, ...], int]] = []
        self.covered = self._amounts_merged()
        self.names = [(heading, name) for _place, heading, item, name in self.columns if item.is_name]

    def _amounts_merged(self) -> dict[int, list[tuple[int, int]]]:
        """The places of columns of amounts -> the first and last rows of the merges in them that have several rows of the list, in order."""
        places = {place for place, _heading, item, _name in self.columns if item.reads in AMOUNTS}
        found: dict[int, list[tuple[int, int]]] = {}
        numbers = [number for number, _cells in self.rows]
        for top, bottom, place in sorted(self.file.grid.merges) if places else ():
            is_of_several = bisect_right(numbers, bottom) - bisect_left(numbers, top) > 1
            if place in places and is_of_several and top > self.file.listing.header_row:
                found.setdefault(place, []).append((top, bottom))
        return found

    def _way(self, heading: str, item: SheetField, name: str) -> str:
        """How a column writes its days or amounts (with the others of its field); what stays open of its days becomes a question."""
        setup = self.file.setup
        places = [place for place, other, _item, its in self.columns if other == heading or (its == name and item.reads in AMOUNTS)]
        cells = (row[place] for _number, row in self.rows for place in places)
        if item.reads in AMOUNTS:
            typed = (cell for cell in cells if self.file.grid.kind == "text" or not _NUMBER_CELL.fullmatch(cell))
            return setup.amount_mark if setup.amount_mark in AMOUNT_MARKS else amount_mark(typed)
        if item.reads != DAY:
            return ""
        found, doubtful = day_order(cells, setup.century)
        order = setup.day_order if setup.day_order in DAY_ORDERS else found
        if doubtful and order:
            self.file.days_read.setdefault(order, doubtful[:_MOST_EXAMPLE])
        elif doubtful:
            self.file.questions.append(Question(heading, doubtful[:_MOST_EXAMPLE]))
        return order

    def take(self) -> None:
        """Every row that is not left out: a typed one, a problem, or a total; what the amounts come to."""
        for row_number, cells in self.rows:
            if self._is_headings(cells):
                self.file.repeated.append(row_number)
            elif self.file.kind.is_money and self._is_total(cells):
                self.totals.append((row_number, cells, len(self.file.rows) + len(self.file.problems)))
            else:
                self._take(row_number, cells)
        for row_number, cells, rows_before in self.totals:
            self._take_total(row_number, cells, is_last=rows_before == len(self.file.rows) + len(self.file.problems))
        self.file.notes += _not_taken(self.file)

    def _is_headings(self, cells: tuple[str, ...]) -> bool:
        """Whether a row says the headings again, as a list of several printed pages does."""
        filled = [(heading, cell) for heading, cell in zip(self.file.headings, cells, strict=True) if cell.strip()]
        return len(filled) > 1 and all(" ".join(cell.split()) == heading for heading, cell in filled)

    def _take(self, row_number: int, cells: tuple[str, ...]) -> None:
        file = self.file
        values: dict[str, Any] = {}
        problems: list[tuple[str, str, str]] = []  # column, why, field
        for place, heading, item, name in self.columns:
            if not cells[place].strip() and not self._is_missed(row_number, place, heading):
                continue
            try:
                self._refuse_merged(row_number, place, heading)
                value = self._cell(item, heading, cells[place], values.get("currency", ""))
            except CellInvalid as error:
                if _is_for_nothing(item, cells[place]):
                    file.empty_words += 1
                    continue
                self._ask(heading, cells[place], error)
                self._note(row_number, heading, cells[place], error)
                problems.append((heading, str(error), name))
                continue
            if value is None:
                continue
            if item.is_many:
                given = value if isinstance(value, tuple) else (value,)
                if name == "note" and list(file.columns.values()).count("note") > 1:
                    given = tuple(f"{heading}: {text}" for text in given)
                values[name] = (*values.get(name, ()), *given)
            else:
                values[name] = value
        if not values and not problems:
            file.passed_over.append(row_number)
            return
        self._settle(values, cells, is_read=not problems)
        self._turn(values)
        if sentence := self._none_of_the_list(cells, values):
            file.problems.append(RowProblem(row_number, "", sentence, cells))
            return
        if file.kind.is_money:
            amounts = counted(file.kind, values)
            file.control.take(amounts, is_refused=bool(problems))
            file.control.unread += not amounts
        row = TypedRow(row_number, values, cells)
        if not problems:
            file.rows.append(row)
            return
        first, *more = [(heading, sentence) for heading, sentence, _name in problems]
        file.problems.append(RowProblem(row_number, *first, cells, tuple(more)))
        file.unread.append((row, {name for _heading, _sentence, name in problems}))

    def _none_of_the_list(self, cells: tuple[str, ...], values: Mapping[str, Any]) -> str:
        """Why a row seems to be no record: a total, or the heading of a section; "" where it is one."""
        if not self.file.kind.is_money and _looks_like_a_total(cells):
            return _("This row looks like a total, not a record of the list. Leave it out, or write out what it is.")
        is_alone = self.file.slug == "parties" and set(values) == {"name"} and len(self.columns) >= _LEAST_COLUMNS
        if is_alone and _looks_like_a_heading(values["name"]):
            return _(
                "This row holds nothing but words in capitals, as the heading of a section does. Leave it out, or fill in another cell."
            )
        return ""

    def _settle(self, values: dict[str, Any], cells: tuple[str, ...], *, is_read: bool) -> None:
        """Take words for a form of organisation beside a person as what they are to us, and count them."""
        if self.file.slug != "parties":
            return
        named = [(name, heading, cells[place]) for place, heading, _item, name in self.columns if name in ("form", "kinds")]
        for word in settle(self.file.kind.fields, values, named):
            if is_read:
                self.file.not_forms[word] = self.file.not_forms.get(word, 0) + 1

    def _turn(self, values: dict[str, Any]) -> None:
        """Count the names of a row that look like “Family, First”, and turn them round where that was said. Never those of organisations."""
        file = self.file
        if not self.names or not _is_person(file, values):
            return
        for heading, name in self.names:
            if isinstance(text := values.get(name), str) and (round_ := turned(text)):
                count, first = file.turnable.get(heading, (0, text))
                file.turnable[heading] = (count + 1, first)
                if heading in file.setup.turned:
                    values[name] = round_

    def _is_missed(self, row_number: int, place: int, heading: str) -> bool:
        """Whether an empty cell holds a formula without a saved result, and nobody said that it is read as empty."""
        if (row_number, place) not in self.file.listing.formulas:
            return False
        self.file.formulas.setdefault(heading, []).append(row_number)
        return heading not in self.file.setup.emptied

    def _refuse_merged(self, row_number: int, place: int, heading: str) -> None:
        """One amount for several rows is no amount of each: it would be counted in every one. Raises `AmountMerged`, unless it was typed for this row."""
        merges = self.covered.get(place, ())
        at = bisect_right(merges, row_number, key=itemgetter(0)) - 1
        if at >= 0 and merges[at][1] >= row_number and heading not in self.file.setup.edits.get(str(row_number), ()):
            raise AmountMerged(
                _("The amount stands in a cell merged over several rows, from row %(row)s. Say what it is in each.", row=merges[at][0])
            )

    def _cell(self, item: SheetField, heading: str, cell: str, currency: str) -> Any:
        """What a cell of a row says."""
        if not cell.strip():
            raise CellInvalid(
                _("The cell holds a formula without a saved result. Open the file, save it again and bring that, or type the value here.")
            )
        text = clean(cell, LONGEST_CELL, may_turn=True)
        return self._value(item, heading, cell if text == cell else text, currency)

    def _note(self, row_number: int, heading: str, cell: str, error: CellInvalid) -> None:
        """What a person may say at once of all rows with the same problem."""
        if isinstance(error, YearShort):
            self.file.short_years.append(row_number)
            self.file.is_century_clear &= error.year < _EITHER_CENTURY
        elif isinstance(error, MonthOnly):
            self.file.bare_months.append(row_number)
        elif cell.strip() and not isinstance(error, (AmountDoubtful, AmountMerged, NoCurrency, DayAmbiguous)):
            self.file.wrong.note(heading, error.word if isinstance(error, WordUnknown) else cell, str(error), row_number)

    def _ask(self, heading: str, cell: str, error: CellInvalid) -> None:
        """What makes a cell doubtful for want of a word about the whole file becomes a question, once for a column."""
        about = "amounts" if isinstance(error, AmountDoubtful) else "currency" if isinstance(error, NoCurrency) else ""
        if about and (heading, about) not in {(question.heading, question.about) for question in self.file.questions}:
            self.file.questions.append(Question(heading, " ".join(cell.split())[:_MOST_EXAMPLE], about))

    def _value(self, item: SheetField, heading: str, cell: str, currency: str, *, is_total: bool = False) -> Any:
        refuse_error(cell)
        if item.reads not in AMOUNTS:
            return _read(item, cell, self.ways[heading], self.file.setup)
        own, otherwise = self.currencies[heading], "" if is_total else self.file.setup.currency
        if item.reads == REPORTED:
            currency, otherwise = own or self.reporting, ""
        amount = read_amount(
            cell, currency, self.ways[heading], otherwise=own or otherwise, is_zero_fine=item.reads not in (AMOUNT, REPORTED)
        )
        if item.reads != NEED_OF_YEAR or amount is None:
            return amount
        year, _rest = year_named(heading)
        if not year:
            raise CellInvalid(_("The heading “%(heading)s” names no year. Say under “Columns” what this column is.", heading=heading))
        return ((year, amount),)

    # --- totals --------------------------------------------------------------------------------------------------

    def _is_total(self, cells: tuple[str, ...]) -> bool:
        """Whether a row is a sum of the rows above: it is called one, has an amount, and nothing that only a row of the list has."""
        first = next((place for place, cell in enumerate(cells) if cell.strip()), 0)
        filled = [(name, item) for place, _heading, item, name in self.columns if cells[place].strip()]
        if not any(name in self.file.kind.counted for name, _item in filled):
            return False
        if is_total_label(cells[first]):
            return not any(item.reads == DAY and place != first and cells[place].strip() for place, _heading, item, _name in self.columns)
        is_bare = all(item.reads in AMOUNTS for _name, item in filled) and len(filled) == sum(bool(cell.strip()) for cell in cells)
        return is_bare and len(self.file.rows) > 1

    def _take_total(self, row_number: int, cells: tuple[str, ...], *, is_last: bool) -> None:
        file = self.file
        if not is_last:
            file.notes.append(
                RowNote("total", row_number, _("Row %(row)s is a subtotal, not a row of the list. It is left out.", row=row_number))
            )
            return
        named = " ".join(
            cell
            for place, cell in enumerate(cells)
            if (item := file.kind.fields.get(file.columns.get(file.headings[place], ""))) is None or item.reads not in AMOUNTS
        )
        read = list(file.control.read)
        currency = currency_named(named) or (read[0] if len(read) == 1 else "" if read else file.setup.currency)
        try:
            amounts = self._amounts_of_total(cells, currency)
        except CellInvalid as error:
            if isinstance(error, NoCurrency) and len(read) > 1:
                file.control.mixed.append(row_number)
                file.notes.append(_taken_for_total(row_number))
                return
            place, heading = next((place, heading) for place, heading, _item, name in self.columns if name in file.kind.counted)
            if isinstance(error, AmountDoubtful):
                self._ask(heading, cells[place], error)
            sentence = _("This row is a total, and it cannot be held against the rows: %(why)s", why=str(error))
            file.problems.append(RowProblem(row_number, "", sentence, cells))
            return
        sums: dict[str, list[int]] = {}
        add_up(sums, amounts)
        file.control.totals += [SheetTotal(row_number, code, minor) for code, (_count, minor) in sums.items()]
        file.notes.append(_taken_for_total(row_number))

    def _amounts_of_total(self, cells: tuple[str, ...], currency: str) -> list[Money]:
        """What a total row says, by currency where it says several: "EUR 1,250,000; USD 300,000"."""
        values: dict[str, Any] = {}
        for place, heading, item, name in self.columns:
            if name not in self.file.kind.counted:
                continue
            pieces = parts(cells[place], _BETWEEN_TOTALS)
            if len(pieces) > 1 and all(map(currency_named, pieces)):
                return [amount for piece in pieces if (amount := read_amount(piece, "", self.ways[heading], is_zero_fine=True))]
            if (amount := self._value(item, heading, cells[place], currency, is_total=True)) is not None:
                values[name] = (*values.get(name, ()), *amount) if item.is_many else amount
        return counted(self.file.kind, values)


def _not_taken(file: SheetFile) -> list[RowNote]:
    """The rows that are no rows of the list, and were asked about by nobody. While a column that is needed is not known, that is not said."""
    notes = []
    if file.repeated:
        text = ngettext(
            "%(num)d row says the headings again, and is left out (%(where)s).",
            "%(num)d rows say the headings again, and are left out (%(where)s).",
            len(file.repeated),
            where=in_rows(file.repeated),
        )
        notes.append(RowNote("headings", 0, text))
    if file.passed_over and not file.missing():
        text = ngettext(
            "%(num)d row is left out, such as the heading of a section: no column that is read holds anything there (%(where)s).",
            "%(num)d rows are left out, such as headings of sections: no column that is read holds anything there (%(where)s).",
            len(file.passed_over),
            where=in_rows(file.passed_over),
        )
        notes.append(RowNote("passed over", 0, text))
    return notes


def _taken_for_total(row_number: int) -> RowNote:
    return RowNote("total", row_number, _("Row %(row)s is taken for the total of the sheet.", row=row_number))


def _is_person(file: SheetFile, values: Mapping[str, Any]) -> bool:
    """Whether a row of people, organisations and groups says that it is a person, or leaves it to what was said of the file; a row of
    another list names whom it names. The name of one whose first name stands apart is not both."""
    if file.slug != "parties":
        return True
    forms = [kind.removeprefix(FORM_IN_KINDS) for kind in values.get("kinds", ()) if kind.startswith(FORM_IN_KINDS)]
    said = values.get("form") or (forms[0] if forms else file.setup.form)
    return bool(said == "person") and "given_name" not in values


#: Digits that the count of a list's rows has at most: a telephone number beside a name has more.
_LONGEST_COUNT = 6


def _looks_like_a_heading(name: str) -> bool:
    """Whether the one cell of a row is a few words in capitals: “PARTNERS AND OTHERS (old list)”."""
    bare = _BRACKETS.sub(" ", name)
    return bare.isupper() and len(bare.split()) > 1


def _is_for_nothing(item: SheetField, cell: str) -> bool:
    """Whether a cell that cannot be read says that there is nothing: “-”, “n/a”, “none”. Beside an amount it is no currency, and “#N/A” is
    a failed formula."""
    return item.reads not in (*AMOUNTS, CURRENCY) and "#" not in cell and is_none_word(cell)


def _looks_like_a_total(cells: tuple[str, ...]) -> bool:
    """Whether a row of a list that has no amounts is called a total and holds nothing but numbers beside: "Total", or "Total contacts"
    beside (or before) a count."""
    first, *rest = [plain_digits(cell.strip()) for cell in cells if cell.strip()] or [""]
    if is_total_label(first):
        return all(cell.isdecimal() for cell in rest)
    counts = rest or first.replace(":", " ").split()[-1:]
    return begins_with_total(first) and all(cell.isdecimal() and len(cell) <= _LONGEST_COUNT for cell in counts)


def read_totals(text: str, currencies: Iterable[str], mark: str = "") -> dict[str, int]:
    """What a person says a file comes to: "EUR 1,250,000; USD 300,000", the currency left out where the file has one alone. In minor
    units. Raises `CellInvalid`."""
    known = list(currencies)
    found: dict[str, int] = {}
    for piece in parts(text, ";\n"):
        amount = read_amount(piece, "", mark, otherwise=known[0] if len(known) == 1 else "", is_zero_fine=True)
        if amount is not None:
            if amount.currency in found:
                raise CellInvalid(_("Two totals are in %(currency)s.", currency=amount.currency))
            found[amount.currency] = to_minor(amount)
    return found


def _read(item: SheetField, cell: str, order: str, setup: Setup) -> str | int | date | tuple[str, ...] | None:
    """A cell as its field wants it."""
    if item.reads == CURRENCY:
        return read_currency(cell)
    if item.reads == YEAR:
        return read_year(plain_digits(cell))
    if item.reads == DAY:
        return read_day(cell, order, setup.century, setup.months)
    if item.reads == COUNTRY:
        return read_country(cell)
    if item.reads == WORD:
        return read_word(cell, item.words or {})
    if item.reads == WORDS:
        return tuple(read_word(word, item.words or {}) for word in parts(cell, WORD_MARKS))
    if item.reads == LIST:
        return parts(cell)
    return parts(cell, item.marks) if item.marks else cell

"""Spreadsheets brought in: reading one by what was said of it (exchange), its columns, its rejected cells and its totals (services)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crm.errors import Invalid
from crm.exchange.cells import CellInvalid
from crm.exchange.sheet_cells import read_day
from crm.exchange.sheet_columns import SHEETS, is_of_a_log
from crm.exchange.sheet_fields import also_words
from crm.exchange.sheets import Setup, SheetFile, TypedRow, add_up, counted, digest_of, read_sheet, read_totals
from crm.exchange.tabular import RowProblem
from crm.formatting import long_day
from crm.i18n import _, get_locale, ngettext
from crm.jobs import mending
from crm.models.codes import INTERACTION_KINDS, PARTY_KINDS
from crm.models.imports import ImportBatch
from crm.queries import codes
from crm.queries import sheet_imports as held
from crm.queries.imports import header_of
from crm.services.import_kinds import ByChunk, Contents, FileFacts, Reject
from crm.services.sheet_imports import SheetOptions, SheetRow
from crm.services.sheet_interactions import Interactions
from crm.services.sheet_parties import Parties
from crm.services.sheet_pledges import Pledges
from crm.services.sheet_positions import Positions
from crm.services.sheet_programmes import Programmes
from crm.services.sheet_receipts import Receipts

_TIME_OF_DAY = re.compile(r"[T ](\d{1,2}:\d{2})(?::\d{2})?$")
#: What brings the rows of each kind of list in.
_TAKES: Mapping[str, Callable[[SheetOptions], ByChunk[SheetRow]]] = {
    "parties": Parties,
    "positions": Positions,
    "interactions": Interactions,
    "programmes": Programmes,
    "pledges": Pledges,
    "receipts": Receipts,
}
#: The kinds of lists that can be brought.
KINDS = {slug: SHEETS[slug] for slug in _TAKES}


@dataclass(frozen=True)
class ReadSheet:
    """A spreadsheet as it was read, and what it holds for the service."""

    file: SheetFile
    contents: Contents[SheetRow]


def setup_of(batch_id: uuid.UUID) -> Setup:
    """What was said of the file of a batch."""
    sheet = held.sheet_of(batch_id)
    return Setup.load(sheet.settings) if sheet is not None else Setup()


@dataclass(frozen=True)
class SaidByHand:
    """How much a person said of a file that is lost with it, and the version of that: cells mended, answers that count for several rows, rows
    left out, possible duplicates settled. What the columns mean is said again in a minute, and what the office remembers stays."""

    cells: int = 0
    answers: int = 0
    left_out: int = 0
    settled: int = 0
    version: int = 0

    @property
    def is_something(self) -> bool:
        """Whether anything at all would be lost."""
        return bool(self.cells or self.answers or self.left_out or self.settled)


def said_by_hand(batch: ImportBatch) -> SaidByHand:
    """What would be lost with the file of a batch. Two statements at most."""
    sheet = held.sheet_of(batch.id)
    if sheet is None:
        return SaidByHand()
    setup = Setup.load(sheet.settings)
    layout = held.layout_of(batch.office_id, batch.format, digest_of(header_of(batch)[0]))
    kept = Setup.load(layout.settings) if layout is not None else Setup()
    values = sum(
        kept.values.get(heading, {}).get(value) != instead for heading, table in setup.values.items() for value, instead in table.items()
    )
    of_days = (setup.century not in ("", kept.century)) + (setup.months not in ("", kept.months))
    return SaidByHand(
        cells=sum(map(len, setup.edits.values())),
        answers=values + of_days + len(setup.emptied),
        left_out=len(setup.left_out),
        settled=len(setup.twins) + len(setup.employers) + len(setup.employers_apart),
        version=sheet.version,
    )


def read(office_id: uuid.UUID, slug: str, data: bytes, setup: Setup, facts: Callable[..., FileFacts]) -> ReadSheet:
    """Read a spreadsheet of an office. Raises `Refused`. `facts(rows=…, header=…)` says what is known of the file as such."""

    def remembered(headings: str) -> Setup | None:
        layout = held.layout_of(office_id, slug, headings)
        return Setup.load(layout.settings) if layout is not None else None

    with also_words({name: codes.words(name) for name in (PARTY_KINDS, INTERACTION_KINDS)}):
        file = read_sheet(data, slug, setup, remembered, reporting=held.reporting_currency(office_id))
    twins = {int(row): twin for row, twin in file.setup.twins.items()}
    parted = {int(row): tuple(others) for row, others in file.setup.parted.items()}
    options = SheetOptions(
        file.setup.form,
        file.setup.country,
        file.setup.note_level,
        file.by_field,
        twins,
        parted,
        file.setup.employers,
        file.setup.employers_apart,
    )
    missing, kind = file.missing(), _TAKES[slug](options)
    place = file.headings.index(file.by_field["day"]) if "time" in SHEETS[slug].fields and "day" in file.by_field else None
    rejects = _rejects(file, kind, office_id, place)
    rows: Sequence[SheetRow] = [_row(row, place) for row in file.rows] if not missing else []
    rows, broken = kind.gather(rows, [_unread(file, problem) for problem in file.problems])
    rejects += broken
    contents = Contents(
        facts(rows=len(file.rows) + len(file.problems), header=file.headings),
        rows,
        rejects,
        _notes(file, missing),
        [*(note.text for note in file.notes if note.kind == "merged"), *mending.replaced_in_words(file)],
        kind,
        replace(file.setup, columns=file.columns).dump(),
        _control(file, {reject.row_number for reject in broken}),
        is_open=file.is_open,
        left_out=file.left_out,
        mended=len(file.replaced) + bool(file.setup.century) + bool(file.setup.months) + len(file.setup.emptied),
        settled=len(twins) + len(file.setup.employers) + len(file.setup.employers_apart),
        turnable=[(heading, *found) for heading, found in file.turnable.items() if heading not in file.setup.turned],
    )
    return ReadSheet(file, contents)


def _rejects(file: SheetFile, kind: ByChunk[SheetRow], office_id: uuid.UUID, day_place: int | None) -> list[Reject]:
    """The rows of which a cell could not be read, each with all that is wrong with it."""
    read_of = {row.row_number: (row, names) for row, names in file.unread} if not file.missing() else {}
    rejects = []
    for problem in file.problems:
        also = dict.fromkeys(problem.also)
        if problem.row_number in read_of:
            row, names = read_of[problem.row_number]
            found = kind.further(office_id, _row(row, day_place), names)
            also |= dict.fromkeys((file.by_field.get(name, ""), sentence) for name, sentence in found)
        rejects.append(Reject(problem.row_number, problem.column, problem.reason, problem.raw, tuple(also)))
    return rejects


def headings_digest(file: SheetFile) -> str:
    """What the source of a file is remembered by."""
    return digest_of(file.headings)


def _row(row: TypedRow, day_place: int | None) -> SheetRow:
    """A row for the service; the time of day that stands in the cell of the day counts where no cell of its own gives one."""
    values = row.values
    if day_place is not None and "time" not in values and (match := _TIME_OF_DAY.search(row.raw[day_place])) and match[1] != "00:00":
        values = {**values, "time": match[1]}
    return SheetRow(row.row_number, values, row.raw)


def _unread(file: SheetFile, problem: RowProblem) -> SheetRow:
    """A row of which a cell could not be read: its cells as they stand, to tell which record it is a row of."""
    return SheetRow(
        problem.row_number, {name: problem.raw[file.headings.index(heading)] for name, heading in file.by_field.items()}, problem.raw
    )


def _control(file: SheetFile, broken: Collection[int]) -> dict[str, Any]:
    """The amounts of the file, of its rows that are refused before they are compared, and the totals they are held against."""
    if not file.kind.is_money:
        return {}
    control = file.control
    for row in file.rows:
        if row.row_number in broken:
            add_up(control.refused, counted(file.kind, row.values))
    totals = [[total.currency, total.minor, total.row_number] for total in control.totals]
    totals += [[currency, minor, 0] for currency, minor in said_totals(file).items()]
    return {"read": control.read, "refused": control.refused, "unread": control.unread, "totals": totals, "mixed": control.mixed}


def said_totals(file: SheetFile, text: str | None = None) -> dict[str, int]:
    """What a person said that a file comes to, by currency in minor units; `Invalid` where that cannot be read and `text` is given."""
    mark = file.setup.amount_mark
    try:
        return read_totals(file.setup.totals if text is None else text, file.control.read, mark)
    except CellInvalid as error:
        if text is None:
            return {}
        raise Invalid(str(error), field="totals") from error


def _of_days(order: str, text: str, century: str) -> str:
    """How days that could be read either way are read, by the first of them; "" where that is no day."""
    try:
        found = read_day(text, order, century)
    except CellInvalid:
        found = None
    if found is None:
        return ""
    day = long_day(found, get_locale())
    if order == "dmy":
        return _("Days are read day first: %(text)s is %(day)s.", text=text, day=day)
    return _("Days are read month first: %(text)s is %(day)s.", text=text, day=day)


def _notes(file: SheetFile, missing: list[str]) -> list[str]:
    notes = [*(note.text for note in file.notes if note.kind != "merged"), *mending.beside_people(file)]
    notes += [no_column(label) for label in missing]
    notes += filter(None, (_of_days(order, text, file.setup.century) for order, text in file.days_read.items()))
    left_out = [heading for heading, name in file.columns.items() if not name and heading]
    if left_out:
        listed = ", ".join(f"“{heading[:40]}”" for heading in left_out[:12])
        notes.append(
            ngettext(
                "%(num)d column is left out: %(headings)s.",
                "%(num)d columns are left out: %(headings)s.",
                len(left_out),
                headings=listed,
            )
        )
    notes += [
        _(
            "“%(heading)s” looks like contacts that were held. They can be brought in as a list of their own, “%(list)s”.",
            heading=heading[:40],
            list=SHEETS["interactions"].title,
        )
        for heading in left_out
        if is_of_a_log(file.slug, heading)
    ]
    if len(file.grid.sheets) > 1:
        notes.append(_("The workbook has %(n)s sheets; “%(sheet)s” was read.", n=len(file.grid.sheets), sheet=file.grid.sheet))
    return notes


def no_column(label: str) -> str:
    """The sentence that a needed column is not there."""
    return _("No column gives: %(field)s. Say which one does under “Columns”.", field=label)


def cells_of(file: SheetFile, row_number: int) -> dict[str, Any]:
    """The cells of one row by heading, as they stand in the file."""
    row = next((cells for number, cells in file.listing.rows if number == row_number), ())
    return {heading: row[place] if place < len(row) else "" for place, heading in enumerate(file.headings) if heading}

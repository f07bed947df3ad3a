"""Spreadsheets brought in: reading one by what was said of it (exchange), its columns, its rejected cells and its totals (services)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from crm.exchange.sheet_columns import SHEETS, also_words
from crm.exchange.sheets import Setup, SheetFile, TypedRow, digest_of, read_sheet
from crm.i18n import _, ngettext
from crm.models.codes import PARTY_KINDS
from crm.queries import codes
from crm.queries import sheet_imports as held
from crm.services.imports import ByChunk, Contents, FileFacts, Reject
from crm.services.sheet_imports import Parties, SheetOptions, SheetRow

#: What brings the rows of each kind of list in.
_TAKES: Mapping[str, Callable[[SheetOptions], ByChunk[SheetRow]]] = {"parties": Parties}
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


def read(office_id: uuid.UUID, slug: str, data: bytes, setup: Setup, facts: Callable[..., FileFacts]) -> ReadSheet:
    """Read a spreadsheet of an office. Raises `Refused`. `facts(rows=…, header=…)` says what is known of the file as such."""

    def remembered(headings: str) -> Setup | None:
        layout = held.layout_of(office_id, slug, headings)
        return Setup.load(layout.settings) if layout is not None else None

    with also_words(codes.words(PARTY_KINDS)):
        file = read_sheet(data, slug, setup, remembered)
    rejects = [Reject(problem.row_number, problem.column, problem.reason, problem.raw) for problem in file.problems]
    options = SheetOptions(form=file.setup.form, country=file.setup.country, note_level=file.setup.note_level, headings=file.by_field)
    missing = file.missing()
    rows = [_row(row) for row in file.rows] if not missing else []
    contents = Contents(
        facts(rows=len(file.rows) + len(rejects), header=file.headings),
        rows,
        rejects,
        _notes(file, missing),
        _TAKES[slug](options),
        replace(file.setup, columns=file.columns).dump(),
    )
    return ReadSheet(file, contents)


def headings_digest(file: SheetFile) -> str:
    """What the source of a file is remembered by."""
    return digest_of(file.headings)


def _row(row: TypedRow) -> SheetRow:
    return SheetRow(row.row_number, row.values, row.raw)


def _notes(file: SheetFile, missing: list[str]) -> list[str]:
    notes = [note.text for note in file.notes]
    notes += [no_column(label) for label in missing]
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

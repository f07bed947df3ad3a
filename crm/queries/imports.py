"""Import batches: the list, one batch with its summary, and its rejected rows."""

from __future__ import annotations

import json
import re
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from crm.db import db
from crm.errors import NotFound
from crm.i18n import _
from crm.models.imports import BULK, ImportBatch, ImportReject
from crm.queries.paging import Order, Page, Paging, fetch_page

#: How many problems are shown, and of how many rows of each the cells are.
_KINDS_SHOWN, ROWS_OF_A_KIND = 50, 5
#: What differs in the sentences about rows with the same problem: the value that is named, and numbers.
_VALUES = re.compile(r"“[^”]*”|«[^»]*»|\d+")
_IS_FILE = ImportBatch.format != BULK


@dataclass(frozen=True)
class Summary:
    """What a batch keeps of its dry run: sentences about the file, the first rows it makes or changes, for a file of rates how
    many single rates its new and changed days bring, and for a sheet of amounts what they come to (`Outcome.sums`, `Contents.control`).
    Of a spreadsheet also whether it leaves something open, the numbers of the rows that were left out, and how many things were said of
    whole columns when its rows were mended, and of possible duplicates; `twins`: row -> the earlier rows or references it may be one with;
    `turnable`: columns of names that look like “Family, First”, how many, and the first; `joined`: how many of the unchanged rows are one
    with another row, and `joined_more` of the changed ones; `employers`: new organisations of posts that may be another one: the first row, the name, and of each other its reference or
    name, that in words with the reason, whether it is on record, and whether the reason is a good one; `organisations`: all new ones of posts, the first row,
    the name, in how many rows; `sure`: the rows of `twins` of which name and address say that they are that earlier row; `organisation_rows`: names of
    organisations that are rows themselves; `as_read`: sentences on how the file was read, where nothing is lost or in doubt, or as
    a person said."""

    notes: Sequence[str]
    samples: Sequence[dict[str, Any]]
    doubles: Sequence[tuple[int, str, str]] = ()
    double_rows: int = 0
    rates: Mapping[str, int] = field(default_factory=dict)
    sums: Mapping[str, Mapping[str, Sequence[int]]] = field(default_factory=dict)
    control: Mapping[str, Any] = field(default_factory=dict)
    is_open: bool = False
    left_out: Sequence[int] = ()
    mended: int = 0
    settled: int = 0
    twins: Mapping[str, Sequence[str]] = field(default_factory=dict)
    turnable: Sequence[tuple[str, int, str]] = ()
    joined: int = 0
    joined_more: int = 0
    employers: Sequence[tuple[int, str, Sequence[tuple[str, str, bool, bool]]]] = ()
    organisations: Sequence[tuple[int, str, int]] = ()
    sure: Sequence[int] = ()
    organisation_rows: Sequence[str] = ()
    as_read: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RowCounts:
    """What becomes of the rows of a file. The rows of `joined` are one with another row: they are not among the changed and the unchanged
    ones, as they are in the columns of the batch."""

    created: int
    updated: int
    unchanged: int
    joined: int
    rejected: int


def row_counts(batch: ImportBatch, summary: Summary | None = None) -> RowCounts:
    """The counts of a batch as they are shown. Reads nothing but the batch."""
    known = summary or summary_of(batch)
    updated, unchanged = batch.updated - known.joined_more, batch.unchanged - known.joined
    return RowCounts(batch.created, updated, unchanged, known.joined + known.joined_more, batch.rejected)


def batches(paging: Paging) -> Page[ImportBatch]:
    """The batches in scope, newest first. Two statements."""
    return fetch_page(select(ImportBatch).where(_IS_FILE), Order(ImportBatch.created_at, ImportBatch.id, is_descending=True), paging)


def get(batch_id: uuid.UUID) -> ImportBatch:
    """A batch; NotFound where absent or out of scope."""
    batch = db.session.scalar(select(ImportBatch).where(ImportBatch.id == batch_id, _IS_FILE))
    if batch is None:
        raise NotFound
    return batch


def by_name(text: str) -> ImportBatch:
    """A batch by its id or its reference; NotFound where absent or out of scope."""
    try:
        return get(uuid.UUID(text))
    except ValueError:
        batch = db.session.scalar(select(ImportBatch).where(ImportBatch.reference == text.strip().upper(), _IS_FILE))
    if batch is None:
        raise NotFound(_("There is no such import here."))
    return batch


def summary_of(batch: ImportBatch) -> Summary:
    """The kept summary of a batch."""
    kept = _kept(batch.summary)
    return Summary(
        kept.get("notes", []),
        kept.get("samples", []),
        kept.get("doubles", []),
        kept.get("double_rows", 0),
        kept.get("rates", {}),
        kept.get("sums", {}),
        kept.get("control", {}),
        bool(kept.get("is_open")),
        kept.get("left_out", ()),
        int(kept.get("mended", 0)),
        int(kept.get("settled", 0)),
        kept.get("twins", {}),
        kept.get("turnable", ()),
        int(kept.get("joined", 0)),
        int(kept.get("joined_more", 0)),
        kept.get("employers", ()),
        kept.get("organisations", ()),
        kept.get("sure", ()),
        kept.get("organisation_rows", ()),
        kept.get("as_read", ()),
    )


def header_of(batch: ImportBatch) -> tuple[list[str], list[str]]:
    """The headings and the HXL tags of the file."""
    kept = _kept(batch.header)
    return kept.get("header", []), kept.get("tags", [])


@dataclass(frozen=True, slots=True)
class EqualRejects:
    """Rejected rows with the same problem: the column, the sentence (that of the first row where they differ in the value they name, and are
    not `is_one_sentence`), how many they are, and the first few, each with its cells."""

    column: str
    reason: str
    is_one_sentence: bool
    count: int
    rows: Sequence[tuple[int, Sequence[str]]]


def equal_rejects(batch_id: uuid.UUID) -> list[EqualRejects]:
    """The problems of a batch's rejected rows, those of most rows first: at most 50. Rows with the same sentence about the same column, in
    capitals or not, have the same problem; so have single ones of which the sentence differs in the value, or the row, that it names. Two statements."""
    mine = ImportReject.batch_id == batch_id
    count, first = func.count().label("n"), func.min(ImportReject.row_number).label("first")
    counted = select(ImportReject.column, ImportReject.reason, count, first).where(mine).group_by(ImportReject.column, ImportReject.reason)
    said: dict[tuple[str, str], _Kind] = {}
    for column, reason, n, row in db.session.execute(counted.order_by(first, ImportReject.column, ImportReject.reason)):
        said.setdefault((column, " ".join(reason.split()).casefold()), _Kind(column, row)).take_in(n, [reason])
    kinds: dict[tuple[str, str], _Kind] = {}
    for (column, sentence), one in said.items():
        kind = kinds.setdefault((column, sentence if one.count > 1 else _VALUES.sub("…", sentence)), _Kind(column, one.first))
        kind.is_one_sentence = not kind.count
        kind.take_in(one.count, one.reasons)
    shown = sorted(kinds.values(), key=lambda kind: (-kind.count, kind.first, kind.column))[:_KINDS_SHOWN]
    rows = _first_of(mine, {reason for kind in shown for reason in kind.reasons[:ROWS_OF_A_KIND]})
    found = []
    for kind in shown:
        held = [row for reason in kind.reasons[:ROWS_OF_A_KIND] for row in rows.get((kind.column, reason), ())]
        first_rows = sorted(held, key=lambda row: row.row_number)[:ROWS_OF_A_KIND]
        if not first_rows:  # checked anew in between
            continue
        cells = [(row.row_number, cells_of(row)) for row in first_rows]
        found.append(EqualRejects(kind.column, kind.reasons[0], kind.is_one_sentence, kind.count, cells))
    return found


@dataclass(slots=True)
class _Kind:
    """One problem, and the sentences that say it, that of the first row first."""

    column: str
    first: int
    count: int = 0
    reasons: list[str] = field(default_factory=list)
    is_one_sentence: bool = True

    def take_in(self, count: int, reasons: Iterable[str]) -> None:
        """More rows that have it."""
        self.count += count
        self.reasons += reasons


def _first_of(mine: Any, reasons: Collection[str]) -> dict[tuple[str, str], list[ImportReject]]:
    """(column, reason) -> the first few rows that were rejected so."""
    if not reasons:
        return {}
    turn = (ImportReject.row_number, ImportReject.id)
    place = func.row_number().over(partition_by=(ImportReject.column, ImportReject.reason), order_by=turn).label("place")
    placed = select(ImportReject.id, place).where(mine, ImportReject.reason.in_(sorted(reasons))).subquery()
    found: dict[tuple[str, str], list[ImportReject]] = defaultdict(list)
    statement = select(ImportReject).join(placed, placed.c.id == ImportReject.id).where(mine, placed.c.place <= ROWS_OF_A_KIND)
    for row in db.session.scalars(statement.order_by(*turn)):
        found[row.column, row.reason].append(row)
    return found


@dataclass(frozen=True, slots=True)
class RejectPlace:
    """A rejected row without its cells. `also`: what else is wrong with it, as (column, reason)."""

    row: int
    column: str
    reason: str
    also: tuple[tuple[str, str], ...] = ()

    @property
    def problems(self) -> tuple[tuple[str, str], ...]:
        """All that is wrong with it, as (column, reason), the first one first."""
        return ((self.column, self.reason), *self.also)


def reject_places(batch_id: uuid.UUID) -> list[RejectPlace]:
    """Every rejected row of a batch that has a number, in the order of the file, each once. One statement."""
    statement = select(ImportReject.row_number, ImportReject.column, ImportReject.reason, ImportReject.also)
    statement = statement.where(ImportReject.batch_id == batch_id, ImportReject.row_number > 0)
    rows = db.session.execute(statement.order_by(ImportReject.row_number, ImportReject.id))
    return list({number: RejectPlace(number, column, reason, _pairs(also)) for number, column, reason, also in rows}.values())


def every_reject(batch_id: uuid.UUID) -> Iterator[ImportReject]:
    """All rejected rows of a batch, in the order of the file."""
    yield from db.session.scalars(_rejects(batch_id).execution_options(yield_per=1000))


def also_of(reject: ImportReject) -> tuple[tuple[str, str], ...]:
    """What else is wrong with a rejected row, as (column, reason)."""
    return _pairs(reject.also)


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    try:
        kept = json.loads(text or "[]")
    except ValueError:
        return (("", text),)
    pairs = [one for one in kept if isinstance(one, list) and len(one) == len(("column", "reason"))] if isinstance(kept, list) else []
    return tuple((str(column), str(reason)) for column, reason in pairs)


def cells_of(reject: ImportReject) -> list[str]:
    """The cells of a rejected row as they came."""
    try:
        cells = json.loads(reject.raw or "[]")
    except ValueError:
        return [reject.raw]
    return [str(cell) for cell in cells] if isinstance(cells, list) else [reject.raw]


def _rejects(batch_id: uuid.UUID) -> Any:
    return select(ImportReject).where(ImportReject.batch_id == batch_id).order_by(ImportReject.row_number, ImportReject.id)


def _kept(text: str) -> dict[str, Any]:
    """What was written down as JSON; nothing where it is not."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

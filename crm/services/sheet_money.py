"""Spreadsheets of money: what pledges, receipts and programmes have in common. A record is taken whole or not at all, by the service that
takes it from a form too; its refusal is the reason of the row. Decision 0019."""

from __future__ import annotations

import re
import uuid
from abc import abstractmethod
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError

from crm.db import savepoint
from crm.errors import Invalid
from crm.i18n import _
from crm.models.commitments import Commitment
from crm.models.imports import ImportChange
from crm.models.pledges import Agreement, AgreementTerms, Instalment, Pledge, PledgeTerms, Receipt, ReceiptMatch
from crm.models.programmes import Programme, Requirement
from crm.money import Money, to_minor
from crm.policy import Actor, OfficeFacts
from crm.queries import sheet_imports as parties
from crm.queries import sheet_money as held
from crm.queries.names import fold
from crm.queries.sheet_imports import Named
from crm.queries.sheet_money import NEAR, KnownProgramme
from crm.services.import_kinds import ByChunk, Outcome, Reject, Sample
from crm.services.money_rules import office_of
from crm.services.sheet_imports import RowRefused, SheetOptions, SheetRow, acting

_OURS = re.compile(r"[A-Z]{2,10}-[A-Z]{2}-\d{4}-\d{4,}")
_MOST_NAMED = 6
_MOST_DOUBLES = 100
#: Whose amount, its currency and minor units; of how many earlier rows of each a later one is held against.
_Sum = tuple[uuid.UUID | None, str, int]
_MOST_NEAR = 50
#: Key under which the rows of a record that were put together stand among its values.
ROWS = "rows"


def is_our_reference(text: str) -> bool:
    """Whether a text has the form of a reference that is given here: JOR-PL-2026-0042."""
    return _OURS.fullmatch(text.upper()) is not None


def rows_of(record: SheetRow) -> Sequence[SheetRow]:
    """The rows that a record was put together from."""
    rows: Sequence[SheetRow] = record.values.get(ROWS, (record,))
    return rows


def money_of(row: SheetRow, name: str) -> Money | None:
    """A field that holds an amount."""
    value = row.values.get(name)
    return value if isinstance(value, Money) else None


@dataclass
class Judged:
    """What a record would do: "created", "updated" or "unchanged"; `sums`: its amounts with what becomes of each; `write` does it, and
    `forget` takes back what later rows are told of it, where it is refused after all."""

    action: str
    title: str
    sums: Sequence[tuple[str, Money]]
    changes: tuple[tuple[str, str, str], ...] = ()
    write: Callable[[Actor], object] | None = None
    forget: Callable[[], object] | None = None
    like: str = ""


@dataclass
class _Group:
    rows: list[SheetRow] = field(default_factory=list)
    refused: int = 0


class MoneySheet(ByChunk[SheetRow]):
    """One kind of list of money. `columns`: the field of a refusal, as the service calls it, and as the sheet does."""

    lets_go = (
        Commitment,
        Pledge,
        PledgeTerms,
        Instalment,
        Agreement,
        AgreementTerms,
        Receipt,
        ReceiptMatch,
        Programme,
        Requirement,
        ImportChange,
    )
    columns: Mapping[str, str] = {}

    def __init__(self, options: SheetOptions) -> None:
        self.options = options
        self.office: OfficeFacts | None = None
        self.donors: Mapping[str, Sequence[Named]] = {}
        self.alike: Mapping[str, Sequence[str]] = {}
        self.programmes: Sequence[KnownProgramme] = ()
        self._near: dict[_Sum, deque[tuple[date, int]]] = defaultdict(lambda: deque(maxlen=_MOST_NEAR))

    # --- what a kind says ----------------------------------------------------------------------------------------

    @abstractmethod
    def look_up(self, office_id: uuid.UUID, records: Sequence[SheetRow], *, is_writing: bool) -> None:
        """Read what is on record of some records, in a few statements."""

    @abstractmethod
    def judge(self, office_id: uuid.UUID, record: SheetRow) -> Judged:
        """What a record would do; raises `RowRefused` or `Invalid`. Writes nothing."""

    @abstractmethod
    def amounts(self, row: SheetRow) -> Sequence[Money]:
        """The amounts of one row that the sheet's total line adds up."""

    def group_of(self, row: SheetRow) -> str:
        """What rows of one record have in common; "" where a row stands alone."""
        del row
        return ""

    def notes(self) -> list[str]:
        """What a person should know of the rows so far."""
        return []

    # --- the frame -----------------------------------------------------------------------------------------------

    def gather(self, records: Sequence[SheetRow], refused: Sequence[SheetRow]) -> tuple[Sequence[SheetRow], Sequence[Reject]]:
        """Rows of one record become one, at the place of the first; where one of them cannot be read, none is taken."""
        groups: dict[str, _Group] = defaultdict(_Group)
        for row in records:
            groups[self.group_of(row) or f"row {row.row_number}"].rows.append(row)
        for row in refused:
            if (key := self.group_of(row)) in groups:
                groups[key].refused = groups[key].refused or row.row_number
        whole = [self._merged(group.rows) for group in groups.values() if not group.refused]
        sentence = _("Row %(row)s of the same record cannot be read, so none of its rows is taken.")
        rejects = [
            Reject(row.row_number, "", sentence % {"row": group.refused}, row.raw)
            for group in groups.values()
            if group.refused
            for row in group.rows
        ]
        return whole, rejects

    def _merged(self, rows: Sequence[SheetRow]) -> SheetRow:
        """Several rows as one: of each field the first that says something."""
        if len(rows) == 1:
            return rows[0]
        values: dict[str, Any] = {}
        for row in rows:
            for name, value in row.values.items():
                values.setdefault(name, value)
        return replace(rows[0], values=values | {ROWS: tuple(rows)})

    def take(self, office_id: uuid.UUID, records: Sequence[SheetRow], outcome: Outcome, *, is_writing: bool) -> None:
        """Judge some records, write them where told so, and count them."""
        actor = acting()
        self.office = office_of(office_id)  # held, so that it is read once for all rows
        self.look_up(office_id, records, is_writing=is_writing)
        for record in records:
            try:
                judged = self.judge(office_id, record)
                if is_writing:
                    self._write(judged, actor)
            except RowRefused as error:
                self._reject(record, error.name, error.sentence, outcome)
            except Invalid as error:
                name, sentences = next(iter(error.errors.items()))
                self._reject(record, self._column(name), sentences[0], outcome)
            except (IntegrityError, DataError):
                self._reject(record, "", _("The database refused this row: a value breaks one of its rules."), outcome)
            else:
                self._count(record, judged, outcome)
        outcome.notes[:] = self.notes()

    def _write(self, judged: Judged, actor: Actor) -> None:
        if judged.write is None:
            return
        try:
            with savepoint():
                judged.write(actor)
        except (Invalid, IntegrityError, DataError):
            if judged.forget is not None:
                judged.forget()
            raise

    def _column(self, name: str) -> str:
        plain = re.sub(r"^(plan|matches)(-\d+)?-?", "", name) or "amount"
        return self.columns.get(plain, plain)

    def _reject(self, record: SheetRow, name: str, sentence: str, outcome: Outcome) -> None:
        for row in rows_of(record):
            outcome.rejects.append(Reject(row.row_number, self.options.headings.get(name, ""), sentence, row.raw))
            outcome.add_up("rejected", _minor(self.amounts(row)))

    def _count(self, record: SheetRow, judged: Judged, outcome: Outcome) -> None:
        row = record.row_number
        outcome.note(judged.action, lambda: Sample(row, judged.action, judged.title, judged.changes))
        for action, amount in judged.sums:
            outcome.add_up(action, _minor([amount]))
        if judged.like:
            outcome.double_rows += 1
            if len(outcome.doubles) < _MOST_DOUBLES:
                outcome.doubles.append((row, judged.title, judged.like))

    # --- what kinds share ----------------------------------------------------------------------------------------

    def like(self, references: Sequence[str], donor_id: uuid.UUID | None, amount: Money, on: date, row_number: int) -> str:
        """Why a new record may be one that is on record (`references`), or the one of an earlier row: the same donor and amount within a
        week. "" where nothing says so."""
        said = self._near[donor_id, amount.currency, to_minor(amount)]
        row = next((row for day_, row in said if row != row_number and abs(day_ - on) <= NEAR), None)
        said.append((on, row_number))
        if references:
            return _("%(references)s: the same donor and amount within a week", references=", ".join(references[:3]))
        return _("row %(row)s of this file: the same donor and amount within a week", row=row) if row else ""

    def all_amounts(self, record: SheetRow, action: str) -> list[tuple[str, Money]]:
        """Every amount of a record under one action."""
        return [(action, amount) for row in rows_of(record) for amount in self.amounts(row)]

    def agreed(self, record: SheetRow, *names: str) -> None:
        """Refuse a record of which two rows say different things in a field that is the same for all of them."""
        for name in names:
            said = {fold(value) if isinstance(value, str) else value: row for row in rows_of(record) if (value := row.values.get(name))}
            if len(said) > 1:
                listed = ", ".join(str(row.row_number) for row in said.values())
                raise RowRefused(name, _("Rows %(rows)s are of one record and say different things here.", rows=listed))

    def look_up_donors(self, office_id: uuid.UUID, texts: Iterable[str]) -> None:
        """Read who the cells for donors mean, and whom they may mean."""
        wanted = sorted({text for text in texts if text})
        self.donors = parties.parties_named(office_id, wanted)
        unknown = [text for text in wanted if not self.donors.get(text)]
        meant = held.donors_meant(office_id, unknown)
        self.alike = {text: [f"{name} ({reference})" for name, reference in found] for text, found in meant.items()}

    def donor(self, text: str) -> Named:
        """Who a cell means; refused where nobody, or several, and then whom it may mean is named."""
        named = self.donors.get(text, ())
        if len(named) == 1:
            return named[0]
        if named:
            listed = ", ".join(f"{one.name} ({one.reference})" for one in named[:_MOST_NAMED])
            raise RowRefused(
                "donor", _("Several have this name. Write the reference of the one you mean: %(references)s.", references=listed)
            )
        raise RowRefused(
            "donor",
            _("“%(name)s” is not on record. Record this party first, or write its name as it stands there.", name=text[:100])
            + _perhaps(self.alike.get(text, ())),
        )

    def programme(self, text: str) -> KnownProgramme:
        """Which programme of the office a cell means, by reference or title."""
        alike = programmes_named(self.programmes, text)
        if len(alike) == 1:
            return alike[0]
        if alike:
            listed = ", ".join(f"{one.title} ({one.reference})" for one in alike[:_MOST_NAMED])
            raise RowRefused("programme", _("Several programmes have this title. Write the reference: %(references)s.", references=listed))
        names = {one.title: one.reference for one in self.programmes} | {one.reference: one.reference for one in self.programmes}
        raise RowRefused(
            "programme", _("No programme of this office is called “%(name)s”.", name=text[:100]) + _perhaps(held.near(text, names))
        )


def programmes_named(programmes: Iterable[KnownProgramme], text: str) -> list[KnownProgramme]:
    """The programmes with this reference, else those with this title."""
    listed = list(programmes)
    referred = [one for one in listed if one.reference and one.reference == text.strip().upper()]
    return referred or [one for one in listed if fold(one.title) == fold(text)]


def _perhaps(names: Sequence[str]) -> str:
    return " " + _("Perhaps meant: %(names)s.", names="; ".join(names)) if names else ""


def not_on_record(name: str, text: str, names: Sequence[str] = ()) -> RowRefused:
    """The refusal of a reference that nothing has."""
    return RowRefused(name, _("“%(text)s” is not on record in this office.", text=text[:100]) + _perhaps(names))


def _minor(amounts: Iterable[Money]) -> list[tuple[str, int]]:
    return [(amount.currency, to_minor(amount)) for amount in amounts]

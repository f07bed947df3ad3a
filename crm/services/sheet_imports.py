"""What every kind of spreadsheet shares when its rows are brought in: a row by field, what was said of the file, who acts, refusing a row."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from crm.data import countries, countries_by_iso2
from crm.errors import Invalid, NotFound
from crm.models.base import OFFICE, OPEN
from crm.models.offices import Office
from crm.policy import Actor, OfficeFacts, bound_actor


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row of a spreadsheet: its number, its cells by field (text, a day, or several texts), and as they stood."""

    row_number: int
    values: Mapping[str, Any]
    raw: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        """A field as one text; "" where the row has none."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else "\n".join(value) if isinstance(value, tuple) else ""

    def several(self, name: str) -> tuple[str, ...]:
        """A field that may hold several texts."""
        value = self.values.get(name, ())
        return value if isinstance(value, tuple) else (value,) if value else ()

    def day(self, name: str) -> date | None:
        """A field that holds a day."""
        value = self.values.get(name)
        return value if isinstance(value, date) else None


@dataclass(frozen=True)
class SheetOptions:
    """What a person said about a file as a whole, the headings of its columns by field, and row -> the earlier row, or the reference of
    the record, that it is one with (any other word: it is somebody else than it looks like). `parted`: row -> the earlier rows and references that it is none of.
    `employers`: name of an organisation -> the name or reference that it is read as; `employers_apart`: name -> those that it is none of."""

    form: str = "person"
    country: str = ""
    note_level: str = ""
    headings: Mapping[str, str] = field(default_factory=dict)
    twins: Mapping[int, str] = field(default_factory=dict)
    parted: Mapping[int, Sequence[str]] = field(default_factory=dict)
    employers: Mapping[str, str] = field(default_factory=dict)
    employers_apart: Mapping[str, Sequence[str]] = field(default_factory=dict)


class RowRefused(Exception):
    """A row is not taken: the field, and the sentence why; and `also` what else is wrong with it, as (field, sentence)."""

    def __init__(self, name: str, sentence: str, also: Sequence[tuple[str, str]] = ()) -> None:
        self.name, self.sentence, self.also = name, sentence, tuple(also)
        super().__init__(sentence)


class Problems:
    """What is wrong with a row, in the order of its checks; as a context it takes in what a check raises (`RowRefused`, `Invalid`)."""

    __slots__ = ("_columns", "_found")

    def __init__(self, columns: Mapping[str, str]) -> None:
        """`columns`: fields as the services call them -> fields of the sheet, where they differ."""
        self._columns = columns
        self._found: dict[tuple[str, str], None] = {}

    def add(self, name: str, sentence: str) -> None:
        """Note one more; said twice it counts once."""
        self._found[name, sentence] = None

    def refuse(self) -> None:
        """Raise `RowRefused` where something is wrong."""
        if self._found:
            (name, sentence), *also = self._found
            raise RowRefused(name, sentence, also)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, RowRefused):
            self.add(error.name, error.sentence)
        elif isinstance(error, Invalid):
            for name, sentences in error.errors.items():
                self.add(self._columns.get(name, name), sentences[0])
        return isinstance(error, (RowRefused, Invalid))


def acting() -> Actor:
    """Whoever brings the file in."""
    actor = bound_actor()
    if actor is None:
        raise NotFound
    return actor


def note_level(actor: Actor, office_id: uuid.UUID, wanted: str) -> str:
    """Who may read what a file says of people: the office alone unless said otherwise, where the person belongs to it."""
    return wanted if wanted in (OPEN, OFFICE) else OFFICE if office_id in actor.member_of else OPEN


def calling_country(office: Office | OfficeFacts) -> str | None:
    """The country whose numbers an office writes without a country code: that of its code, where that is a country's."""
    known = countries()
    return known[office.code].iso2 if office.code in known else office.code if office.code in countries_by_iso2() else None

"""What a briefing pack is made of: plain, frozen pieces ready to print, section by section. No reading and no rules here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from reports.charts import Chart
from reports.reference_book import Figure, Reference


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure with its label and, where the figure is bare, its unit; `note` stands small below it."""

    label: str
    figure: Figure
    note: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A station of the chain. `state`: held (there), now (what this meeting is about), open (missing)."""

    word: str
    text: str
    state: str
    mark: int = 0


@dataclass(frozen=True, slots=True)
class Plate:
    """A chart with its number and the marks of the figures it draws; `in_text`: a table beside it holds its numbers."""

    number: int
    chart: Chart
    marks: tuple[int, ...]
    in_text: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: words, or a figure with its mark; `status` gives the word a sign (late, due, done, open)."""

    text: str = ""
    figure: Figure | None = None
    status: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row; `kind` is "group" for a heading inside the table, "total" for a ruled line."""

    cells: tuple[Cell, ...]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; numbers stand right; the unit stands in the head."""

    label: str
    num: bool = False
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the sentence that says its point."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    subtitle: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Steer:
    """Page one: who, when, where; the ask framed; fallback, offer, points, red line; facts; the chain. What is empty is left out.

    `reported` is what FTS reports of them, apart from `facts`, which are ours."""

    kicker: str
    title: str
    when: str
    where: str
    language: str
    delegation: str
    theirs: str
    purpose: str
    ask: str
    ask_line: str
    ask_mark: int
    fallback: str
    offer: str
    points: tuple[str, ...]
    red_line: str
    facts: tuple[Fact, ...]
    chain: tuple[Link, ...]
    reported: tuple[Fact, ...] = ()
    reported_years: str = ""
    size: int = 0
    in_full: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody we meet: official post, how to address them, since when, the official biography.

    `is_named`: as written down for this meeting; no post of theirs is on record."""

    name: str
    post: str
    address: str
    since: str
    biography: str
    mark: int
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact that was held."""

    day: str
    kind: str
    text: str
    answer: str
    reference: str
    mark: int


@dataclass(frozen=True, slots=True)
class Remark:
    """A note that the reader's level covers."""

    text: str
    line: str
    mark: int


@dataclass(frozen=True, slots=True)
class Who:
    """Section 1."""

    name: str
    other_names: str
    kinds: str
    about: str
    people: tuple[Person, ...]
    contacts: tuple[Contact, ...]
    contact_line: Figure
    timeline: Plate | None
    notes: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class Promise:
    """An open promise with how it stands on the day."""

    words: str
    by: str
    due: str
    status_kind: str
    status: str
    evidence: str
    mark: int


@dataclass(frozen=True, slots=True)
class Promises:
    """Section 2, ours first."""

    ours: tuple[Promise, ...]
    theirs: tuple[Promise, ...]
    record: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class MoneyPage:
    """Section 3. Stages stand side by side and are never added."""

    currency: str
    facts: tuple[Fact, ...]
    lead: str
    ledger: Table | None
    funnel: Plate | None
    instalments: Table | None
    calendar: Plate | None
    more: str = ""


@dataclass(frozen=True, slots=True)
class Landscape:
    """Section 4: what FTS reports. Not our money."""

    facts: tuple[Fact, ...]
    lead: str
    by_plan: Table | None
    by_recipient: Plate | None
    recipients: Table | None
    by_currency: Table | None
    apart: Table | None


@dataclass(frozen=True, slots=True)
class ProgrammePage:
    """Section 5."""

    title: str
    line: str
    summary: str
    tags: str
    facts: tuple[Fact, ...]
    years: Plate | None
    year_table: Table | None
    indicators: Table | None
    outputs: Table | None
    mark: int


@dataclass(frozen=True, slots=True)
class Question:
    """An accountability question: who, what, by when."""

    who: str
    what: str
    by_when: str
    mark: int


@dataclass(frozen=True, slots=True)
class RateLine:
    """A rate that was used."""

    pair: str
    value: str
    day: str
    source: str


@dataclass(frozen=True, slots=True)
class BriefingPack:
    """A briefing pack: `level` is the record's own (`office` as soon as one source was of that level)."""

    title: str
    reference: str
    office: str
    lang: str
    as_of: date
    level: str
    steer: Steer
    who: Who
    promises: Promises
    money: MoneyPage
    landscape: Landscape
    programme: ProgrammePage | None
    questions: tuple[Question, ...]
    lines: int
    """Lines to write on under "What was said": as many as the sheet has room for."""
    references: tuple[Reference, ...]
    rates: tuple[RateLine, ...]
    left_out: tuple[str, ...]
    plates: tuple[Plate, ...] = field(default=())
    party_id: str = ""
    interaction_id: str = ""
    programme_id: str = ""

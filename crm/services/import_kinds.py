"""What an import takes in, what it did, and how one kind of record is compared and written: typed rows, outcomes, kinds.

Knows no batch: `crm.services.imports` keeps those, and each list of an office has its kind in a module of its own.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any, Generic, TypeVar

from sqlalchemy import select

from crm.db import db
from crm.i18n import _
from crm.models.flows import Flow, PlanRequirement
from crm.models.imports import ImportBatch
from crm.policy import Actor
from crm.queries.parties import reported_organisations
from crm.services import parties

FTS = "fts"
SAMPLES = 20

Record = TypeVar("Record")


# --- what comes in ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReportedFlow:
    """One flow as reported, in the columns of `Flow`. Kinds are those of the two organisations, where they are new here."""

    row_number: int
    source_id: str
    status: str
    amount_usd_minor: int
    flow_date: date
    donor_name: str = ""
    recipient_name: str = ""
    boundary: str = ""
    on_boundary: str = ""
    original_minor: int | None = None
    original_currency: str | None = None
    exchange_rate: Decimal | None = None
    decision_date: date | None = None
    first_reported: date | None = None
    budget_year: str = ""
    plan_id: str = ""
    plan_code: str = ""
    plan_name: str = ""
    clusters: str = ""
    project: str = ""
    emergency: str = ""
    locations: str = ""
    usage_years: str = ""
    contribution_type: str = ""
    flow_type: str = ""
    method: str = ""
    description: str = ""
    keywords: str = ""
    ref_code: str = ""
    reported_updated: date | None = None
    donor_kinds: frozenset[str] = frozenset()
    recipient_kinds: frozenset[str] = frozenset()
    raw: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportedRequirement:
    """One plan and year as FTS gives it, in the columns of `PlanRequirement`."""

    row_number: int
    plan_name: str
    year: int
    country: str = ""
    plan_id: str = ""
    plan_code: str = ""
    plan_type: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    requirements_usd_minor: int | None = None
    funding_usd_minor: int | None = None
    percent_funded: Decimal | None = None
    raw: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportedRates:
    """What a source quoted for a day: units of each currency per one `base`."""

    row_number: int
    source: str
    base: str
    on: date
    quotes: Mapping[str, Decimal]
    raw: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not taken: where, and why, with its cells; and `also` what else is wrong with it, as (column, why)."""

    row_number: int
    column: str
    reason: str
    raw: tuple[str, ...] = ()
    also: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known about a file as such."""

    format: str
    name: str
    sha256: str
    size: int
    stored_as: str = ""
    header: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Contents(Generic[Record]):
    """The typed records of a file, its rejected rows, the sentences a person should read about it, and those that say how it was read
    where nothing is lost or in doubt, or as somebody said."""

    facts: FileFacts
    records: Sequence[Record]
    rejects: Sequence[Reject] = ()
    notes: Sequence[str] = ()
    as_read: Sequence[str] = ()
    kind: ByChunk[Record] | None = None
    settings: str = ""  # of a spreadsheet: how it is read
    #: Of a sheet of amounts: "read" and "refused" (currency -> [how many, sum in minor units]), "unread" rows, the "totals" given, and
    #: the "mixed" rows of totals that add up several currencies.
    control: Mapping[str, Any] = field(default_factory=dict)
    #: Of a spreadsheet: whether something has to be said of it first, the rows that a person left out, and how many things were said of
    #: the values of whole columns, and of possible duplicates.
    is_open: bool = False
    left_out: Sequence[int] = ()
    mended: int = 0
    settled: int = 0
    #: Columns of names that look like “Family, First”, and were not said to be turned round: heading, how many, the first one.
    turnable: Sequence[tuple[str, int, str]] = ()

    def kept_as(self, stored_as: str) -> Contents[Record]:
        """The same, once the file is kept under a name."""
        return replace(self, facts=replace(self.facts, stored_as=stored_as))


# --- what it does -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of the summary: what would be made, changed from what to what, or (`joined`) added to another row."""

    row_number: int
    action: str
    title: str
    changes: tuple[tuple[str, str, str], ...] = ()


@dataclass(slots=True)
class Outcome:
    """Counts of a dry run or of the work done. `older` rows are among the unchanged: what is held is newer; so are `joined` ones, which a
    person said are one with another row, and which add nothing to it. Rates are counted by day; `rates` says how many single rates the new and the changed days bring."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    older: int = 0
    joined: int = 0
    joined_more: int = 0  # of the changed ones: rows that a person said are one with another row, and which add to it
    samples: list[Sample] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    as_read: list[str] = field(default_factory=list)  # how cells were read, and what came of a person's answers
    doubles: list[tuple[int, str, str]] = field(default_factory=list)  # row, its name, what it is like
    double_rows: int = 0
    twins: dict[str, list[str]] = field(default_factory=dict)  # row -> the earlier rows or references it may be one with
    sure: list[int] = field(
        default_factory=list
    )  # of the rows of `twins`, those of which name and address say that they are that earlier row
    #: New organisations of posts that may be another one: row, name, and of each other its reference or name, why, whether it is on record, and
    #: whether that is a good reason.
    employers: list[tuple[int, str, list[tuple[str, str, bool, bool]]]] = field(default_factory=list)
    organisation_rows: list[str] = field(default_factory=list)  # names of organisations that are rows themselves
    organisations: list[tuple[int, str, int]] = field(default_factory=list)  # all new ones of posts: first row, name, in how many rows
    rates: dict[str, int] = field(default_factory=dict)
    sums: dict[str, dict[str, list[int]]] = field(default_factory=dict)  # action -> currency -> [how many, sum in minor units]

    def add_up(self, action: str, amounts: Iterable[tuple[str, int]]) -> None:
        """Count the amounts of a row: (currency, minor units) under what becomes of it (created, updated, unchanged, rejected)."""
        for currency, minor in amounts:
            counted = self.sums.setdefault(action, {}).setdefault(currency, [0, 0])
            counted[0] += 1
            counted[1] += minor

    def note(self, action: str, sample: Callable[[], Sample]) -> None:
        """Count one row, and keep the first few of each kind to be shown."""
        before = getattr(self, action)
        setattr(self, action, before + 1)
        if action != "unchanged" and before < SAMPLES:
            self.samples.append(sample())


class Kind(ABC, Generic[Record]):
    """How one kind of record is compared and written."""

    @abstractmethod
    def held(self, office_id: uuid.UUID, records: Sequence[Record]) -> dict[Any, Any]:
        """What the office holds already, by key. One statement."""

    @abstractmethod
    def key(self, record: Record) -> Any: ...

    @abstractmethod
    def title(self, record: Record) -> str: ...

    @abstractmethod
    def changes(self, held: Any, record: Record) -> dict[str, tuple[Any, Any]] | None:
        """Field -> (held, reported) where they differ; None where what is held is newer."""

    def prepare(self, actor: Actor, batch: ImportBatch, records: Sequence[Record]) -> None:
        """Make once for the whole file what its rows refer to."""

    @abstractmethod
    def create(self, batch: ImportBatch, record: Record) -> None: ...

    @abstractmethod
    def change(self, batch: ImportBatch, held: Any, record: Record, changes: Mapping[str, tuple[Any, Any]]) -> None: ...


#: What FTS writes in place of a name: several organisations stand behind the flow, or none is given.
_NO_ORGANISATION = frozenset({"", "multiple", "not specified", "n/a"})


def is_organisation(name: str) -> bool:
    """Whether a donor's or recipient's cell names one organisation."""
    return name.casefold() not in _NO_ORGANISATION


_NOT_COLUMNS = frozenset({"row_number", "raw", "donor_kinds", "recipient_kinds"})


class _Flows(Kind[ReportedFlow]):
    columns = tuple(item.name for item in fields(ReportedFlow) if item.name not in _NOT_COLUMNS)

    def __init__(self) -> None:
        self._parties: dict[str, uuid.UUID] = {}

    def held(self, office_id: uuid.UUID, records: Sequence[ReportedFlow]) -> dict[str, Flow]:
        found = db.session.scalars(
            select(Flow).where(Flow.office_id == office_id, Flow.source == FTS, Flow.source_id.in_([r.source_id for r in records]))
        )
        return {flow.source_id: flow for flow in found}

    def key(self, record: ReportedFlow) -> str:
        return record.source_id

    def title(self, record: ReportedFlow) -> str:
        return _(
            "%(donor)s to %(recipient)s",
            donor=record.donor_name or _("not specified"),
            recipient=record.recipient_name or _("not specified"),
        )

    def changes(self, held: Flow, record: ReportedFlow) -> dict[str, tuple[Any, Any]] | None:
        found = {name: (was, now) for name in self.columns if (was := getattr(held, name)) != (now := getattr(record, name))}
        if found and held.reported_updated and record.reported_updated and record.reported_updated < held.reported_updated:
            return None
        return found

    def prepare(self, actor: Actor, batch: ImportBatch, records: Sequence[ReportedFlow]) -> None:
        wanted: dict[str, set[str]] = {}
        for record in records:
            wanted.setdefault(record.donor_name, set()).update(record.donor_kinds)
            wanted.setdefault(record.recipient_name, set()).update(record.recipient_kinds)
        named = {name: sorted(kinds) for name, kinds in wanted.items() if is_organisation(name)}
        self._parties = reported_organisations(FTS, {name: name for name in named})
        for name, kinds in named.items():
            if name not in self._parties:
                self._parties[name], _made = parties.find_or_create_reported_organisation(
                    actor, batch.office_id, name, kinds=kinds, scheme=FTS
                )

    def create(self, batch: ImportBatch, record: ReportedFlow) -> None:
        values = {name: getattr(record, name) for name in self.columns}
        db.session.add(
            Flow(
                office_id=batch.office_id,
                source=FTS,
                batch_id=batch.id,
                donor_id=self._parties.get(record.donor_name),
                recipient_id=self._parties.get(record.recipient_name),
                **values,
            )
        )

    def change(self, batch: ImportBatch, held: Flow, record: ReportedFlow, changes: Mapping[str, tuple[Any, Any]]) -> None:
        for name, (_was, now) in changes.items():
            setattr(held, name, now)
        held.batch_id = batch.id
        # A party that was merged into another since stays so: the link follows a changed name only.
        if "donor_name" in changes or held.donor_id is None:
            held.donor_id = self._parties.get(record.donor_name)
        if "recipient_name" in changes or held.recipient_id is None:
            held.recipient_id = self._parties.get(record.recipient_name)


class _Requirements(Kind[ReportedRequirement]):
    keys = ("country", "plan_id", "plan_name", "year")
    columns = tuple(item.name for item in fields(ReportedRequirement) if item.name not in _NOT_COLUMNS)

    def held(self, office_id: uuid.UUID, records: Sequence[ReportedRequirement]) -> dict[Any, PlanRequirement]:
        years = {record.year for record in records}
        found = db.session.scalars(
            select(PlanRequirement).where(
                PlanRequirement.office_id == office_id, PlanRequirement.source == FTS, PlanRequirement.year.in_(sorted(years))
            )
        )
        return {tuple(getattr(row, name) for name in self.keys): row for row in found}

    def key(self, record: ReportedRequirement) -> Any:
        return tuple(getattr(record, name) for name in self.keys)

    def title(self, record: ReportedRequirement) -> str:
        return _("%(plan)s, %(year)s", plan=record.plan_name, year=record.year)

    def changes(self, held: PlanRequirement, record: ReportedRequirement) -> dict[str, tuple[Any, Any]]:
        return {name: (was, now) for name in self.columns if (was := getattr(held, name)) != (now := getattr(record, name))}

    def create(self, batch: ImportBatch, record: ReportedRequirement) -> None:
        values = {name: getattr(record, name) for name in self.columns}
        db.session.add(PlanRequirement(office_id=batch.office_id, source=FTS, batch_id=batch.id, **values))

    def change(
        self, batch: ImportBatch, held: PlanRequirement, record: ReportedRequirement, changes: Mapping[str, tuple[Any, Any]]
    ) -> None:
        del record
        for name, (_was, now) in changes.items():
            setattr(held, name, now)
        held.batch_id = batch.id


class ByChunk(Kind[Record]):
    """A kind of record that is judged and written some rows at a time, each whole or not at all. `lets_go`: what it reads and makes."""

    lets_go: tuple[type[Any], ...] = ()

    def gather(self, records: Sequence[Record], refused: Sequence[Record]) -> tuple[Sequence[Record], Sequence[Reject]]:
        """Put together, once for a whole file, rows that are one record: those records, and the rows that cannot be read without one
        of `refused`, rows of which a cell could not be read."""
        del refused
        return records, ()

    def further(self, office_id: uuid.UUID, record: Record, unread: Collection[str]) -> Sequence[tuple[str, str]]:
        """What else is wrong with a row of which the fields `unread` could not be read, as (field, sentence): so that a person mends it once."""
        del office_id, record, unread
        return ()

    @abstractmethod
    def take(self, office_id: uuid.UUID, records: Sequence[Record], outcome: Outcome, *, is_writing: bool) -> None:
        """Count (and write) some rows; a row that is refused goes to the outcome's rejects."""

    def recall(self, office_id: uuid.UUID, records: Sequence[Record]) -> None:
        """Take note of rows that another worker took in, so that later ones are held against them. Writes nothing."""
        self.take(office_id, records, Outcome(), is_writing=False)

    def held(self, office_id: uuid.UUID, records: Sequence[Record]) -> dict[Any, Any]:
        del office_id, records
        return {}

    def key(self, record: Record) -> Any:
        return record

    def title(self, record: Record) -> str:
        return str(record)

    def changes(self, held: Any, record: Record) -> dict[str, tuple[Any, Any]] | None:
        del held, record
        return {}

    def create(self, batch: ImportBatch, record: Record) -> None:
        """Nothing: `take` writes."""

    def change(self, batch: ImportBatch, held: Any, record: Record, changes: Mapping[str, tuple[Any, Any]]) -> None:
        """Nothing: `take` writes."""


def kind_of(contents: Contents[Any]) -> Kind[Any] | None:
    """How the rows of a file are taken; None for rates, which have a service of their own."""
    slug = contents.facts.format
    if contents.kind is not None:
        return contents.kind
    if slug == "fts-flows":
        return _Flows()
    return _Requirements() if slug == "fts-requirements" else None

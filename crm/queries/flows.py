"""The funding landscape as others report it: lists of flows, plans, links to our programmes. Never our own money.

In wider views a flow that several offices hold counts once (M16): the copy that its source updated last.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, selectinload

from crm.db import db
from crm.errors import NotFound
from crm.models.flows import FLOW_STATUSES, Flow, PlanLink, PlanRequirement
from crm.models.imports import ImportBatch
from crm.models.programmes import Programme
from crm.policy import bound_actor
from crm.queries.paging import Order, Page, Paging, fetch_page

SORTS = ("-date", "date", "-amount", "amount")
#: In the address: flows that name no plan, cluster or year.
NONE_GIVEN = "-"
SHARED, SINGLE = "shared", "single"
IN_KIND = "in kind"
_SUGGESTED = 300
_TEXT = 300


@dataclass(frozen=True)
class Filters:
    """What a list of flows was asked for; anything unknown counts as not asked. `plan` "-" means none given."""

    donor: str = ""
    recipient: str = ""
    donor_id: uuid.UUID | None = None
    recipient_id: uuid.UUID | None = None
    batch_id: uuid.UUID | None = None
    plan: str = ""
    status: str = ""
    year: str = ""
    cluster: str = ""
    sort: str = "-date"

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Filters:
        """Read the query string of the list; a stranger's values are harmless."""
        status, year, sort = given.get("status", ""), given.get("year", ""), given.get("sort", "")
        is_year = len(year) == 4 and year.isascii() and year.isdigit()  # noqa: PLR2004
        return cls(
            donor=_line(given.get("donor", "")),
            recipient=_line(given.get("recipient", "")),
            donor_id=_key(given.get("donor_id", "")),
            recipient_id=_key(given.get("recipient_id", "")),
            batch_id=_key(given.get("batch", "")),
            plan=_line(given.get("plan", "")),
            status=status if status in FLOW_STATUSES else "",
            year=year if is_year or year == NONE_GIVEN else "",
            cluster=_line(given.get("cluster", "")),
            sort=sort if sort in SORTS else "-date",
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out by them."""
        return self != Filters(sort=self.sort)


@dataclass(frozen=True)
class Choices:
    """What a list can be narrowed to: what occurs in the flows in scope."""

    donors: Sequence[str]
    recipients: Sequence[str]
    plans: Sequence[str]
    years: Sequence[str]
    clusters: Sequence[str]


@dataclass(frozen=True)
class DataAsOf:
    """How new reported figures are: the source's newest update, and when a file was last brought in."""

    newest_update: date | None = None
    brought_in: datetime | None = None


@dataclass(frozen=True)
class Link:
    """An officer's word that a plan is about a programme."""

    id: uuid.UUID
    office_id: uuid.UUID
    plan_name: str
    programme_id: uuid.UUID
    reference: str
    title: str


@dataclass(frozen=True)
class PlanRow:
    """What FTS says a plan required and was funded in a year: FTS's figures, in US cents, never ours."""

    requirement: PlanRequirement
    links: Sequence[Link] = field(default_factory=tuple)


# --- conditions --------------------------------------------------------------------------------------------------


def counted_once(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition that leaves one copy of each flow (M16); nothing to do where the scope is one office.

    `conditions` narrow the copies looked at; give only what all copies of a flow share (its organisations)."""
    if has_each_once():
        return Flow.id.is_not(None)
    place = func.row_number().over(
        partition_by=(Flow.source, Flow.source_id), order_by=(Flow.reported_updated.desc().nulls_last(), Flow.created_at.desc(), Flow.id)
    )
    ranked = select(Flow.id.label("id"), place.label("place")).where(*conditions).subquery()
    return Flow.id.in_(select(ranked.c.id).where(ranked.c.place == 1))


def has_each_once() -> bool:
    """Whether the reader's scope can hold no flow twice: it is one office."""
    who = bound_actor()
    return who is not None and not who.covers_all and len(who.visible) <= 1


def matching(filters: Filters) -> list[ColumnElement[bool]]:
    """The conditions of a list. One statement where a year is asked for."""
    found: list[ColumnElement[bool]] = [counted_once()]
    for asked, name in ((filters.donor, Flow.donor_name), (filters.recipient, Flow.recipient_name)):
        if asked:
            found.append(name.icontains(asked, autoescape=True))
    for key, column in ((filters.donor_id, Flow.donor_id), (filters.recipient_id, Flow.recipient_id), (filters.batch_id, Flow.batch_id)):
        if key is not None:
            found.append(column == key)
    if filters.plan:
        found.append(Flow.plan_name == ("" if filters.plan == NONE_GIVEN else filters.plan))
    if filters.status:
        found.append(Flow.status == filters.status)
    if filters.year:
        found.append(_in_year(filters.year))
    if filters.cluster == NONE_GIVEN:
        found.append(Flow.clusters == "")
    elif filters.cluster:
        found.append(("," + Flow.clusters + ",").contains(f",{filters.cluster},", autoescape=True))
    return found


def _in_year(year: str) -> ColumnElement[bool]:
    if year == NONE_GIVEN:
        return Flow.usage_years == ""
    spans = [span for span in db.session.scalars(select(Flow.usage_years).distinct()) if year in _years_of(span)]
    return Flow.usage_years.in_(spans) if spans else false()


def _years_of(span: str) -> list[str]:
    """The years of "2020" or "2018-2021"."""
    first, _to, last = span.partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        return []
    return [str(year) for year in range(int(first), int(last or first) + 1)]


# --- lists -------------------------------------------------------------------------------------------------------


def find(conditions: Sequence[ColumnElement[bool]], sort: str, paging: Paging) -> Page[Flow]:
    """One page of flows. Two statements, whatever the data."""
    column = Flow.amount_usd_minor if sort.endswith("amount") else Flow.flow_date
    return fetch_page(select(Flow).where(*conditions), Order(column, Flow.id, is_descending=sort.startswith("-")), paging)


@dataclass(frozen=True)
class Named:
    """The names that the figures of a whole list have: every flow is in them, and each is there once."""

    donors: Collection[str]
    recipients: Collection[str]
    plans: Collection[str]


def choices(known: Named | None = None) -> Choices:
    """What there is to narrow by. Four statements, or one where the names are known."""
    if known is None:
        known = Named(_names(Flow.donor_name, _SUGGESTED), _names(Flow.recipient_name, _SUGGESTED), _names(Flow.plan_name, None))
    used = db.session.execute(select(Flow.usage_years, Flow.clusters).distinct()).all()
    return Choices(
        donors=sorted({*known.donors} - {""})[:_SUGGESTED],
        recipients=sorted({*known.recipients} - {""})[:_SUGGESTED],
        plans=sorted({*known.plans}),
        years=sorted({year for span in {row.usage_years for row in used} for year in _years_of(span)}, reverse=True),
        clusters=sorted({name for row in used for name in row.clusters.split(",") if name}),
    )


def _names(column: InstrumentedAttribute[str], most: int | None) -> Collection[str]:
    return db.session.scalars(select(column).distinct().order_by(column).limit(most)).all()


def get(flow_id: uuid.UUID) -> Flow:
    """A flow with its two organisations; NotFound where absent or out of scope."""
    flow = db.session.scalar(select(Flow).where(Flow.id == flow_id).options(selectinload(Flow.donor), selectinload(Flow.recipient)))
    if flow is None:
        raise NotFound
    return flow


def batch_of(flow: Flow) -> ImportBatch | None:
    """The file that last said something new about a flow."""
    return db.session.scalar(select(ImportBatch).where(ImportBatch.id == flow.batch_id))


def copies_of(flow: Flow) -> int:
    """How many other offices in scope hold the same flow."""
    same = select(func.count(Flow.id)).where(Flow.source == flow.source, Flow.source_id == flow.source_id, Flow.id != flow.id)
    return db.session.scalar(same) or 0


def data_as_of(*conditions: ColumnElement[bool]) -> DataAsOf:
    """How new the flows are that meet the conditions."""
    # By file first: there are few, so that thousands of flows need not be joined with theirs.
    updated = func.max(Flow.reported_updated).label("updated")
    by_file = select(Flow.batch_id, updated).where(*conditions).group_by(Flow.batch_id).subquery()
    row = db.session.execute(
        select(func.max(by_file.c.updated), func.max(ImportBatch.applied_at)).join(ImportBatch, ImportBatch.id == by_file.c.batch_id)
    ).one()
    return DataAsOf(*row)


# --- plans -------------------------------------------------------------------------------------------------------


def plans(linked: Sequence[Link]) -> list[PlanRow]:
    """The plans of the requirement files in scope, each year once (M16), with those of `linked` that are theirs. One statement."""
    rows: dict[Any, PlanRequirement] = {}
    for row in db.session.scalars(_plans()):
        rows.setdefault((row.source, row.country, row.plan_id, row.plan_name, row.year), row)
    return [
        PlanRow(row, [link for link in linked if link.plan_name == row.plan_name])
        for row in sorted(rows.values(), key=lambda row: (-row.year, row.requirements_usd_minor is None, row.plan_name, row.country))
    ]


def _plans() -> Select[Any]:
    """Every plan in scope, the copy that was brought in last first."""
    return (
        select(PlanRequirement)
        .join(ImportBatch, ImportBatch.id == PlanRequirement.batch_id)
        .order_by(ImportBatch.applied_at.desc(), PlanRequirement.id)
    )


def plan_names() -> list[str]:
    """Every plan that a flow or a requirement in scope names."""
    named = {name for column in (Flow.plan_name, PlanRequirement.plan_name) for name in db.session.scalars(select(column).distinct())}
    return sorted(named - {""})


def has_plan(source: str, plan_name: str) -> bool:
    """Whether a flow or a requirement in scope names this plan."""
    in_flows = select(Flow.id).where(Flow.source == source, Flow.plan_name == plan_name).limit(1)
    in_plans = select(PlanRequirement.id).where(PlanRequirement.source == source, PlanRequirement.plan_name == plan_name).limit(1)
    return db.session.scalar(in_flows) is not None or db.session.scalar(in_plans) is not None


def links(*, programme_id: uuid.UUID | None = None, plan_name: str | None = None) -> list[Link]:
    """Links of plans to programmes in scope, of one programme or plan where given."""
    statement = (
        select(PlanLink.id, PlanLink.office_id, PlanLink.plan_name, PlanLink.programme_id, Programme.reference, Programme.title)
        .join(Programme, Programme.id == PlanLink.programme_id)
        .order_by(PlanLink.plan_name, Programme.reference)
    )
    if programme_id is not None:
        statement = statement.where(PlanLink.programme_id == programme_id)
    if plan_name is not None:
        statement = statement.where(PlanLink.plan_name == plan_name)
    return [Link(*row) for row in db.session.execute(statement)]


def programmes_to_link(office_ids: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, str, str]]:
    """(id, reference, title) of the programmes of some offices, by reference."""
    rows = db.session.execute(
        select(Programme.id, Programme.reference, Programme.title).where(Programme.office_id.in_(office_ids)).order_by(Programme.reference)
    )
    return [(row.id, row.reference, row.title) for row in rows]


def of_party(party_id: uuid.UUID) -> ColumnElement[bool]:
    """The flows that a party gives or receives."""
    return or_(Flow.donor_id == party_id, Flow.recipient_id == party_id)


def _line(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())[:_TEXT]


def _key(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None

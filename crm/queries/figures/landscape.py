"""The funding landscape in figures, as reported to OCHA FTS: never our pledged, secured, paid or gap.

Committed, paid and pledged stand apart and are never added up, but in `fts_total`, which is FTS's own sum of commitments
and payments. Shared-boundary flows stand beside the single ones and are in no sum of theirs; in kind has its own column;
parked and pass-through money is in its column and named. A flow that several offices hold counts once (M16).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import InstrumentedAttribute

from crm.db import db
from crm.models.flows import Flow
from crm.money import Money, from_minor, zero
from crm.queries.flows import IN_KIND, SHARED, DataAsOf, counted_once, data_as_of, of_party

USD = "USD"
PARKED, PASS_THROUGH = "parked", "pass through"
#: Flows named one by one beside a party's figures; `flow_count` says how many there are.
FLOWS_NAMED = 500


@dataclass(frozen=True)
class Cell:
    """Some flows: their sum in USD as FTS gives it, how many they are, and what they were in their original currencies.

    `originals` sums, per currency, the flows whose original amount the file gives; `with_original` counts those."""

    usd: Money = field(default_factory=lambda: zero(USD))
    flows: int = 0
    originals: tuple[Money, ...] = ()
    with_original: int = 0

    def __add__(self, other: Cell) -> Cell:
        if not other.flows:
            return self
        if not self.flows:
            return other
        sums: dict[str, Money] = {}
        for amount in (*self.originals, *other.originals):
            sums[amount.currency] = sums.get(amount.currency, zero(amount.currency)) + amount
        ordered = tuple(sums[code] for code in sorted(sums))
        return Cell(self.usd + other.usd, self.flows + other.flows, ordered, self.with_original + other.with_original)

    def __bool__(self) -> bool:
        return bool(self.flows)


_NO_FLOWS = Cell()


@dataclass(frozen=True)
class Stage:
    """The flows of one status. `financial` and `in_kind` are of single boundary; `parked` and `passed_through` are parts of
    them, named apart; `shared` flows belong to other places too and are in neither."""

    status: str
    financial: Cell = _NO_FLOWS
    in_kind: Cell = _NO_FLOWS
    shared: Cell = _NO_FLOWS
    parked: Cell = _NO_FLOWS
    passed_through: Cell = _NO_FLOWS

    @property
    def single(self) -> Cell:
        """Financial and in kind: what FTS adds up for this place."""
        return self.financial + self.in_kind

    @property
    def flows(self) -> int:
        """How many flows there are, shared ones too."""
        return self.single.flows + self.shared.flows


@dataclass(frozen=True)
class Landscape:
    """Reported flows by status. The three stages are never added up."""

    committed: Stage = field(default_factory=lambda: Stage("commitment"))
    paid: Stage = field(default_factory=lambda: Stage("paid"))
    pledged: Stage = field(default_factory=lambda: Stage("pledge"))

    @property
    def stages(self) -> tuple[Stage, Stage, Stage]:
        """In the order in which they are shown."""
        return self.committed, self.paid, self.pledged

    @property
    def fts_total(self) -> Money:
        """FTS's own total: commitments and payments of single boundary, in kind included; pledges and shared flows not."""
        return self.committed.single.usd + self.paid.single.usd

    @property
    def in_kind(self) -> Money:
        """The part of FTS's total that is goods and services (M9)."""
        return self.committed.in_kind.usd + self.paid.in_kind.usd

    @property
    def shared(self) -> Money:
        """Commitments and payments that belong to other places too: in no total."""
        return self.committed.shared.usd + self.paid.shared.usd

    @property
    def flows(self) -> int:
        """How many flows there are in all."""
        return sum(stage.flows for stage in self.stages)


@dataclass(frozen=True)
class Part:
    """The flows of one plan or of one organisation. `name` "" means that the file gives none."""

    name: str
    party_id: uuid.UUID | None
    landscape: Landscape


@dataclass(frozen=True)
class Original:
    """Some flows of one status and kind (money, in kind, shared) in one original currency: `given_for` of `flows` flows of that
    status and kind name an original amount at all."""

    status: str
    kind: str
    amount: Money
    given_for: int
    flows: int


@dataclass(frozen=True)
class FlowLine:
    """One flow behind the figures: FTS's number is its reference."""

    id: uuid.UUID
    source_id: str
    date: dt.date
    status: str
    donor_name: str
    recipient_name: str
    plan_name: str
    usd: Money
    original: Money | None
    is_shared: bool
    is_in_kind: bool
    flow_type: str
    updated: dt.date | None


@dataclass(frozen=True)
class Side:
    """What a party gave, or received: its figures, under which plan, to (or from) whom, and the flows behind them."""

    landscape: Landscape
    by_plan: tuple[Part, ...] = ()
    by_counterpart: tuple[Part, ...] = ()
    flows: tuple[FlowLine, ...] = ()
    flow_count: int = 0

    def __bool__(self) -> bool:
        return bool(self.flow_count)


@dataclass(frozen=True)
class PartyFlows:
    """A party's place in the funding landscape, as reported to FTS; `as_of` says how new it is."""

    given: Side
    received: Side
    as_of: DataAsOf

    def __bool__(self) -> bool:
        return bool(self.given or self.received)


def by_plan(conditions: Sequence[ColumnElement[bool]]) -> tuple[Landscape, list[Part]]:
    """The figures of the flows that meet the conditions of a list (queries.flows.matching), and the same per plan, the largest FTS total
    first; flows without a plan under "". One statement for both."""
    groups = _grouped(conditions, Flow.plan_name)
    return _landscape(groups), _parts(groups, has_party=False)


def by_recipient(conditions: Sequence[ColumnElement[bool]]) -> list[Part]:
    """The same per recipient, the largest FTS total first. One statement."""
    return _parts(_grouped(conditions, Flow.recipient_name, Flow.recipient_id), has_party=True)


def by_donor(conditions: Sequence[ColumnElement[bool]]) -> list[Part]:
    """The same per donor, the largest FTS total first. One statement."""
    return _parts(_grouped(conditions, Flow.donor_name, Flow.donor_id), has_party=True)


def party_flows_summary(party_id: uuid.UUID, *, known: tuple[bool, bool] | None = None) -> PartyFlows:
    """What a party gave and received as reported to FTS: for its page and the pack. Six statements at the most, two of them per side
    that has flows; no figure is ours, and none of two statuses are added up but in FTS's own total. One where it has none, and none
    where that is known: whether it gave, and whether it received."""
    gives, receives = Flow.donor_id == party_id, Flow.recipient_id == party_id
    if known is None:
        is_named = select(select(Flow.id).where(gives).exists(), select(Flow.id).where(receives).exists())
        has_given, has_received = db.session.execute(is_named).one()
    else:
        has_given, has_received = known
    if not has_given and not has_received:
        return PartyFlows(Side(Landscape()), Side(Landscape()), DataAsOf())
    mine = of_party(party_id)
    once = counted_once(mine)
    given = _side([once, gives], Flow.recipient_name, Flow.recipient_id) if has_given else Side(Landscape())
    received = _side([once, receives], Flow.donor_name, Flow.donor_id) if has_received else Side(Landscape())
    return PartyFlows(given, received, data_as_of(once, mine))


def originals(figures: Landscape) -> list[Original]:
    """What the file gives in original currencies, never converted: by status, shared flows and goods apart."""
    return [
        Original(stage.status, kind, amount, cell.with_original, cell.flows)
        for stage in figures.stages
        for kind, cell in (("financial", stage.financial), ("in kind", stage.in_kind), ("shared", stage.shared))
        for amount in cell.originals
        if amount
    ]


# --- from rows to figures ----------------------------------------------------------------------------------------

_KEYS = (Flow.status, Flow.on_boundary, Flow.contribution_type, Flow.flow_type, Flow.original_currency)


class _Group(NamedTuple):
    """Flows that nothing tells apart: the cells that they count in, their sums in whole cents."""

    key: tuple[Any, ...]
    status: str
    cells: tuple[str, ...]
    usd: int
    flows: int
    currency: str
    original: int
    with_original: int


class _Sum:
    """Groups of flows on their way into a cell."""

    __slots__ = ("flows", "originals", "usd", "with_original")

    def __init__(self) -> None:
        self.usd = self.flows = self.with_original = 0
        self.originals: dict[str, int] = {}

    def add(self, group: _Group) -> None:
        self.usd += group.usd
        self.flows += group.flows
        self.with_original += group.with_original
        if group.currency and group.with_original:
            self.originals[group.currency] = self.originals.get(group.currency, 0) + group.original

    def cell(self) -> Cell:
        originals = tuple(from_minor(self.originals[code], code) for code in sorted(self.originals))
        return Cell(from_minor(self.usd, USD), self.flows, originals, self.with_original)


def _grouped(conditions: Iterable[ColumnElement[bool]], *keys: InstrumentedAttribute[Any]) -> list[_Group]:
    """Every group of flows that the figures tell apart."""
    counted = func.count(Flow.id)
    has_original = func.sum(case((Flow.original_minor.is_not(None), 1), else_=0))
    rows = db.session.execute(
        select(*keys, *_KEYS, counted, func.sum(Flow.amount_usd_minor), has_original, func.sum(Flow.original_minor))
        .where(*conditions)
        .group_by(*keys, *_KEYS)
    )
    found = []
    for row in rows:
        key, values = tuple(row)[: len(keys)], tuple(row)[len(keys) :]
        status, boundary, contribution, flow_type, currency, flows, usd, with_original, original = values
        cells = _cells(boundary, contribution, flow_type)
        found.append(_Group(key, status, cells, int(usd), int(flows), currency, int(original or 0), int(with_original)))
    return found


def _cells(boundary: str, contribution: str, flow_type: str) -> tuple[str, ...]:
    """The cells of a `Stage` that a flow counts in."""
    if boundary == SHARED:
        return ("shared",)
    also = {PARKED: ("parked",), PASS_THROUGH: ("passed_through",)}.get(flow_type, ())
    return ("in_kind" if contribution == IN_KIND else "financial", *also)


def _landscape(groups: Iterable[_Group]) -> Landscape:
    sums: dict[str, dict[str, _Sum]] = {status: {} for status in ("commitment", "paid", "pledge")}
    for group in groups:
        of_status = sums[group.status]
        for name in group.cells:
            if name not in of_status:
                of_status[name] = _Sum()
            of_status[name].add(group)
    return Landscape(*(Stage(status, **{name: one.cell() for name, one in cells.items()}) for status, cells in sums.items()))


def _parts(groups: Iterable[_Group], *, has_party: bool) -> list[Part]:
    by_key: dict[tuple[Any, ...], list[_Group]] = {}
    for group in groups:
        by_key.setdefault(group.key, []).append(group)
    parts = [Part(key[0], key[1] if has_party else None, _landscape(same)) for key, same in by_key.items()]
    return sorted(parts, key=_by_size)


def _by_size(part: Part) -> tuple[Any, ...]:
    figures = part.landscape
    return -figures.fts_total.amount, -figures.shared.amount, -figures.pledged.single.usd.amount, part.name


def _side(
    conditions: Sequence[ColumnElement[bool]],
    name: InstrumentedAttribute[str],
    key: InstrumentedAttribute[Any],
) -> Side:
    groups = _grouped(conditions, Flow.plan_name, name, key)
    if not groups:
        return Side(Landscape())
    figures = _landscape(groups)
    plans = _parts((group._replace(key=group.key[:1]) for group in groups), has_party=False)
    counterparts = _parts((group._replace(key=group.key[1:]) for group in groups), has_party=True)
    return Side(figures, tuple(plans), tuple(counterparts), tuple(_lines(conditions)), figures.flows)


def _lines(conditions: Sequence[ColumnElement[bool]]) -> Iterator[FlowLine]:
    flows = db.session.scalars(select(Flow).where(*conditions).order_by(Flow.flow_date.desc(), Flow.id.desc()).limit(FLOWS_NAMED))
    for flow in flows:
        original = flow.original_minor is not None and flow.original_currency
        yield FlowLine(
            id=flow.id,
            source_id=flow.source_id,
            date=flow.flow_date,
            status=flow.status,
            donor_name=flow.donor_name,
            recipient_name=flow.recipient_name,
            plan_name=flow.plan_name,
            usd=from_minor(flow.amount_usd_minor, USD),
            original=from_minor(flow.original_minor, flow.original_currency) if original else None,  # type: ignore[arg-type]
            is_shared=flow.on_boundary == SHARED,
            is_in_kind=flow.contribution_type == IN_KIND,
            flow_type=flow.flow_type,
            updated=flow.reported_updated,
        )

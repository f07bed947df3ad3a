"""Reading programmes: the list, one with outputs, requirements, indicators and their measurements. Sums are in `figures`."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from crm.db import db
from crm.errors import NotFound
from crm.i18n import _
from crm.models.parties import Party
from crm.models.places import Place
from crm.models.pledges import Agreement, AgreementBudgetLine, Pledge
from crm.models.programmes import Indicator, Measurement, Programme, Requirement
from crm.money import Money, from_minor
from crm.queries.paging import Order, Page, Paging, fetch_all, fetch_page

SORTS = ("title", "newest", "reference")
#: Agreements and pledges on a programme's page; all of them stand one click away.
MONEY_SHOWN = 15


@dataclass(frozen=True)
class ProgrammeFilter:
    """What a list of programmes is narrowed to; anything empty does not narrow. `running_on`: those that run that day."""

    q: str = ""
    office_id: uuid.UUID | None = None
    sector: str = ""
    running_on: date | None = None


_LISTED: tuple[Any, ...] = (
    Programme.id,
    Programme.office_id,
    Programme.reference,
    Programme.title,
    Programme.place_id,
    Programme.place_text,
    Programme.sector,
    Programme.starts_on,
    Programme.ends_on,
)


def _listed(filters: ProgrammeFilter, sort: str) -> tuple[Select[Any], Order]:
    typed = filters.q.strip()[:100]
    conditions: list[ColumnElement[bool] | None] = [
        or_(*(column.icontains(typed, autoescape=True) for column in (Programme.title, Programme.reference, Programme.place_text)))
        if typed
        else None,
        Programme.office_id == filters.office_id if filters.office_id else None,
        Programme.sector == filters.sector if filters.sector else None,
        Programme.starts_on <= filters.running_on if filters.running_on else None,
        or_(Programme.ends_on.is_(None), Programme.ends_on >= filters.running_on) if filters.running_on else None,
    ]
    orders = {
        "title": Order(Programme.title, Programme.id),
        "newest": Order(Programme.starts_on, Programme.id, is_descending=True),
        "reference": Order(Programme.reference, Programme.id),
    }
    wanted = (condition for condition in conditions if condition is not None)
    return select(*_LISTED).where(*wanted), orders.get(sort, orders["title"])


def list_programmes(filters: ProgrammeFilter, paging: Paging, *, sort: str = "title") -> Page[Any]:
    """A page of programmes as rows of columns; `figures.years.programmes_year(ids)` gives their money."""
    return fetch_page(*_listed(filters, sort), paging)


def every_programme(filters: ProgrammeFilter, *, sort: str = "title") -> Iterator[Sequence[Any]]:
    """All programmes of a list in its order, the same rows as on its pages, a chunk at a time: for files."""
    return fetch_all(*_listed(filters, sort))


def places_of(place_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of some places. One statement."""
    return dict(db.session.execute(select(Place.id, Place.name).where(Place.id.in_(place_ids))).all())


def sectors_used() -> list[str]:
    """The sectors of the programmes in scope: for the filter of the list. One statement."""
    return [code for code in db.session.scalars(select(Programme.sector).distinct()) if code]


def titles_of(programme_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The titles of programmes in scope, for labels."""
    if not programme_ids:
        return {}
    rows = db.session.execute(select(Programme.id, Programme.title).where(Programme.id.in_(list(programme_ids))))
    return {row.id: row.title for row in rows}


def choices(office_id: uuid.UUID) -> list[tuple[uuid.UUID, str]]:
    """The programmes of an office for a form: (key, title)."""
    rows = db.session.execute(select(Programme.id, Programme.title).where(Programme.office_id == office_id).order_by(Programme.title))
    return [(row.id, row.title) for row in rows]


class Signed(NamedTuple):
    """What a programme's page shows of an agreement."""

    id: uuid.UUID
    reference: str
    donor: str | None
    signed_on: date
    value: Money
    received: Money


class Made(NamedTuple):
    """What a programme's page shows of a pledge."""

    id: uuid.UUID
    reference: str
    donor: str | None
    pledged_on: date
    announced: Money
    outstanding: Money


_SIGNED: tuple[Any, ...] = (
    Agreement.id,
    Agreement.reference,
    Party.name,
    Agreement.signed_on,
    Agreement.currency,
    Agreement.value_minor,
    Agreement.received_minor,
)
_MADE: tuple[Any, ...] = (
    Pledge.id,
    Pledge.reference,
    Party.name,
    Pledge.pledged_on,
    Pledge.currency,
    Pledge.announced_minor,
    Pledge.outstanding_minor,
)


@dataclass(frozen=True)
class IndicatorSeries:
    """An indicator with its measurements, oldest first."""

    indicator: Indicator
    measurements: tuple[Measurement, ...]

    @property
    def latest(self) -> Measurement | None:
        """The newest measurement."""
        return self.measurements[-1] if self.measurements else None


@dataclass(frozen=True)
class ProgrammeDetail:
    """A programme with everything that hangs on it. `requirements`: every version, by year, newest version first.
    `agreements` and `pledges` (none that was taken back): the newest ones; the counts say how many there are."""

    programme: Programme
    requirements: dict[int, tuple[Requirement, ...]]
    indicators: tuple[IndicatorSeries, ...]
    agreements: tuple[Signed, ...]
    agreement_count: int
    pledges: tuple[Made, ...]
    pledge_count: int


def programme_detail(programme_id: uuid.UUID, *, most: int | None = MONEY_SHOWN) -> ProgrammeDetail:
    """One programme in a constant number of statements, with so many agreements and pledges (None: all of them); raises
    `NotFound` when absent or out of scope."""
    programme = (
        db.session.scalars(
            select(Programme)
            .where(Programme.id == programme_id)
            .options(joinedload(Programme.place), joinedload(Programme.tags), selectinload(Programme.outputs))
        )
        .unique()
        .one_or_none()
    )
    if programme is None:
        raise NotFound(_("There is no such record here."))
    years: dict[int, list[Requirement]] = {}
    for row in db.session.scalars(
        select(Requirement).where(Requirement.programme_id == programme.id).order_by(Requirement.year, Requirement.version.desc())
    ):
        years.setdefault(row.year, []).append(row)
    indicators = db.session.scalars(
        select(Indicator)
        .where(Indicator.programme_id == programme.id)
        .options(joinedload(Indicator.measurements))
        .order_by(Indicator.created_at, Indicator.id)
    ).unique()
    is_named = Agreement.id.in_(select(AgreementBudgetLine.agreement_id).where(AgreementBudgetLine.programme_id == programme.id))
    signed, signed_count = _newest(Agreement, _SIGNED, Agreement.signed_on, is_named, most)
    is_made = (Pledge.programme_id == programme.id) & ~Pledge.is_taken_back
    made, made_count = _newest(Pledge, _MADE, Pledge.pledged_on, is_made, most)
    return ProgrammeDetail(
        programme,
        {year: tuple(rows) for year, rows in years.items()},
        tuple(IndicatorSeries(indicator, tuple(indicator.measurements)) for indicator in indicators),
        tuple(
            Signed(key, reference, donor, on, from_minor(value, currency), from_minor(received, currency))
            for key, reference, donor, on, currency, value, received in signed
        ),
        signed_count,
        tuple(
            Made(key, reference, donor, on, from_minor(announced, currency), from_minor(rest, currency))
            for key, reference, donor, on, currency, announced, rest in made
        ),
        made_count,
    )


def _newest(
    entity: type[Agreement | Pledge], columns: Sequence[Any], on: Any, where: ColumnElement[bool], most: int | None
) -> tuple[list[Sequence[Any]], int]:
    """The newest agreements or pledges as rows of columns, with their donors' names, and how many there are in all: one statement. Names
    are looked up for the newest alone."""
    in_all = select(func.count(entity.id)).where(where).scalar_subquery()
    newest = select(entity.id).where(where).order_by(on.desc(), entity.id.desc()).limit(most)
    found = select(*columns, in_all).outerjoin(Party, Party.id == entity.donor_id).where(entity.id.in_(newest))
    rows = db.session.execute(found.order_by(on.desc(), entity.id.desc())).all()
    return [row[:-1] for row in rows], rows[0][-1] if rows else 0


def indicator_detail(indicator_id: uuid.UUID) -> Indicator:
    """One indicator with its measurements; raises `NotFound`."""
    found = db.session.scalar(select(Indicator).where(Indicator.id == indicator_id).options(selectinload(Indicator.measurements)))
    if found is None:
        raise NotFound(_("There is no such record here."))
    return found

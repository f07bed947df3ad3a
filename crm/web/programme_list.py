"""The list of programmes with their money of a year: how its address is read, and its columns for page, CSV and XLSX. No route."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flask import url_for

from crm import clock
from crm.formatting import money
from crm.i18n import _, _l, get_locale
from crm.models.codes import SECTORS
from crm.money import Money
from crm.policy import Actor
from crm.queries import codes
from crm.queries import programmes as queries
from crm.queries.figures.years import YearGap, programmes_year
from crm.web import lookups as shared
from crm.web.listing import ASCENDING, DESCENDING, Column, Listing, Reading
from crm.web.money import searched


@dataclass(frozen=True)
class Around:
    """What stands beside some programmes: their money of the year, and their places."""

    year: int
    money: Mapping[uuid.UUID, YearGap] = field(default_factory=dict)
    places: Mapping[uuid.UUID, str] = field(default_factory=dict)


def sector_name(code: str | None) -> str:
    """A sector in words, its code where it has none."""
    return codes.label(SECTORS, code)


def year_of(args: Mapping[str, str], reader: Actor) -> int:
    """The year of the list's money: the one asked for, else the one it is."""
    return int(shared.year_span(args)[0] or clock.today(reader.timezone).year)


def _link(row: Any, _around: Around, value: str) -> dict[str, str]:
    return {"text": value, "href": url_for("programmes.detail", programme_id=row.id), "reference": row.reference}


def _place(row: Any, around: Around) -> str:
    return around.places.get(row.place_id) or row.place_text or ""


def _where(row: Any, _around: Around, value: str) -> dict[str, str]:
    return {"text": value, "sub": sector_name(row.sector)}


def _need(row: Any, around: Around) -> Money | None:
    found = around.money.get(row.id)
    return found.required.money if found is not None and found.required.sources else None


def _need_cell(_row: Any, _around: Around, value: Money | None) -> Any:
    return money(value, get_locale()) if value is not None else {"text": _("not recorded")}


def _secured(row: Any, around: Around) -> Money | None:
    found = around.money.get(row.id)
    return found.secured.reporting if found is not None else None


def _gap(row: Any, around: Around) -> Money | None:
    found = around.money.get(row.id)
    return found.gap if found is not None and found.required.sources else None


def _gap_cell(row: Any, around: Around, value: Money | None) -> Any:
    if value is not None:
        return money(value, get_locale())
    return {"status": _("no rate"), "tone": "soon"} if _need(row, around) is not None else ""


def _currency(row: Any, around: Around) -> str:
    secured = _secured(row, around)
    return secured.currency if secured is not None else ""


def _need_currency(row: Any, around: Around) -> str:
    need = _need(row, around)
    return need.currency if need is not None else ""


_REFERENCE = Column("reference", _l("Reference"), lambda row, _around: row.reference)
_SECTOR = Column("sector", _l("Sector"), lambda row, _around: sector_name(row.sector))
_YEAR = Column("year", _l("Year"), lambda _row, around: str(around.year))
_CURRENCY = Column("currency", _l("Currency"), _currency)
_NEED_CURRENCY = Column("need-currency", _l("Currency of the need"), _need_currency)
COLUMNS = (
    Column(
        "title",
        _l("Programme"),
        lambda row, _around: row.title,
        _link,
        phone="who",
        sorts=(("title", ASCENDING),),
        also=(_REFERENCE,),
    ),
    Column("place", _l("Where"), _place, _where, phone="what", needs="places", also=(_SECTOR,)),
    Column("need", _l("Needs in the year"), _need, _need_cell, phone="sum", is_numeric=True, needs="money", also=(_YEAR, _NEED_CURRENCY)),
    Column("secured", _l("Secured"), _secured, phone="sum", is_numeric=True, needs="money", also=(_YEAR, _CURRENCY)),
    Column("gap", _l("Gap"), _gap, _gap_cell, phone="sum", is_numeric=True, needs="money", also=(_YEAR, _CURRENCY)),
    Column("starts", _l("Starts"), lambda row, _around: row.starts_on, is_usual=False, is_nowrap=True, sorts=(("newest", DESCENDING),)),
    Column("ends", _l("Ends"), lambda row, _around: row.ends_on, is_usual=False, is_nowrap=True),
)


def _around(year: int, today: Any, rows: Sequence[Any], needs: Collection[str]) -> Around:
    return Around(
        year,
        programmes_year([row.id for row in rows], year, today) if "money" in needs else {},
        queries.places_of({row.place_id for row in rows if row.place_id}) if "places" in needs else {},
    )


def _read(args: Mapping[str, str], reader: Actor) -> Reading:
    today = clock.today(reader.timezone)
    year = year_of(args, reader)
    sector = args.get("sector", "")
    filters = queries.ProgrammeFilter(q=searched(args), sector=sector if sector in codes.entries(SECTORS) else "")
    sort = shared.choice_arg("sort", queries.SORTS, args) or queries.SORTS[0]
    asked: dict[str, object] = {
        "q": filters.q,
        "sector": filters.sector,
        "year": year if year != today.year else "",
        "sort": sort if sort != queries.SORTS[0] else "",
    }
    return Reading(
        {name: str(value) for name, value in asked.items() if value},
        sort,
        partial(queries.list_programmes, filters, sort=sort),
        partial(queries.every_programme, filters, sort=sort),
        partial(_around, year, today),
        filters,
        today,
    )


LISTING = Listing("programmes", _l("Programmes"), COLUMNS, _read)

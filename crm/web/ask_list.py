"""The list of asks: how its address is read, and its columns for page, CSV and XLSX. No route."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flask import url_for

from crm.forms.lookups import uuid_of
from crm.i18n import _, _l
from crm.money import from_minor
from crm.policy import Actor
from crm.queries import asks as queries
from crm.queries.asks import Filters, Standing
from crm.queries.offices import Days
from crm.queries.parties import names_of
from crm.queries.programmes import titles_of
from crm.web import lookups as shared
from crm.web.listing import ASCENDING, DESCENDING, Column, Listing, Reading


@dataclass(frozen=True)
class Around:
    """What stands beside some asks: how each stands, of whom it is asked, for which programme."""

    standings: Mapping[uuid.UUID, Standing] = field(default_factory=dict)
    parties: Mapping[uuid.UUID, str] = field(default_factory=dict)
    programmes: Mapping[uuid.UUID, str] = field(default_factory=dict)


def _link(row: Any, _around: Around, value: str) -> dict[str, str]:
    return {"text": shared.short(value, 140), "href": url_for("asks.detail", ask_id=row.id)}


def _status(row: Any, around: Around, value: str) -> dict[str, str]:
    return {"status": value, "tone": around.standings[row.id].tone}


_CURRENCY = Column("currency", _l("Currency"), lambda row, _around: row.currency or "", is_numeric=True)
COLUMNS = (
    Column("ask", _l("Ask"), lambda row, _around: row.sentence, _link, phone="who"),
    Column(
        "status",
        _l("Status"),
        lambda row, around: around.standings[row.id].word,
        _status,
        phone="status",
        is_nowrap=True,
        needs="standings",
    ),
    Column(
        "whom",
        _l("Of whom"),
        lambda row, around: around.parties.get(row.addressee_id) or _("A party you cannot see"),
        phone="what",
        needs="parties",
    ),
    Column("programme", _l("Programme"), lambda row, around: around.programmes.get(row.programme_id, ""), phone="hide", needs="programmes"),
    Column("when", _l("By when"), lambda row, _around: row.by_when, phone="when", is_nowrap=True, sorts=(("when", ASCENDING),)),
    Column("reference", _l("Reference"), lambda row, _around: row.reference, phone="hide", sorts=(("new", DESCENDING),)),
    Column(
        "amount",
        _l("Amount"),
        lambda row, _around: from_minor(row.amount_minor, row.currency) if row.currency else None,
        phone="sum",
        is_usual=False,
        is_numeric=True,
        also=(_CURRENCY,),
    ),
    Column("fallback", _l("Fallback"), lambda row, _around: row.fallback, is_usual=False),
    Column("closed", _l("Closed on"), lambda row, _around: row.closed_on, is_usual=False, is_nowrap=True),
    Column("reason", _l("Reason for closing"), lambda row, _around: row.closed_reason, is_usual=False),
)


def _standings(today: Days, rows: Sequence[Any]) -> dict[uuid.UUID, Standing]:
    answers = queries.answers_to([row.id for row in rows])
    return {row.id: queries.standing(row, answers[row.id], today.of(row.office_id)) for row in rows}


def _around(today: Days, rows: Sequence[Any], needs: Collection[str]) -> Around:
    return Around(
        _standings(today, rows) if "standings" in needs else {},
        names_of({row.addressee_id for row in rows}) if "parties" in needs else {},
        titles_of({row.programme_id for row in rows if row.programme_id}) if "programmes" in needs else {},
    )


def _read(args: Mapping[str, str], _reader: Actor) -> Reading:
    today = shared.days_here()
    filters = Filters(
        status=shared.choice_arg("status", queries.STATUSES, args),
        party_id=uuid_of(args.get("party")),
        programme_id=uuid_of(args.get("programme")),
    )
    sort = shared.choice_arg("sort", queries.SORTS, args) or queries.SORTS[0]
    asked: dict[str, object] = {
        "status": filters.status,
        "party": filters.party_id,
        "programme": filters.programme_id,
        "sort": sort if sort != queries.SORTS[0] else "",
    }
    return Reading(
        {name: str(value) for name, value in asked.items() if value},
        sort,
        partial(queries.listing, filters, today, sort=sort),
        partial(queries.every, filters, today, sort=sort),
        partial(_around, today),
        filters,
        today,
    )


LISTING = Listing("asks", _l("Asks"), COLUMNS, _read)

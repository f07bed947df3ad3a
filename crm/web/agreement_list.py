"""The list of agreements: how its address is read, and its columns for page, CSV and XLSX. No route."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flask import url_for

from crm.i18n import LazyText, _, _l
from crm.money import from_minor
from crm.policy import Actor
from crm.queries import money_lists as queries
from crm.queries.offices import Days
from crm.queries.parties import names_of
from crm.web import lookups as shared
from crm.web.listing import ASCENDING, DESCENDING, Column, Listing, Reading
from crm.web.money import searched
from crm.web.money_forms import read_uuid

STATUS_NAMES: dict[str, tuple[LazyText, str]] = {
    "open": (_l("Money is to come"), "info"),
    "late": (_l("Late"), "late"),
    "paid": (_l("Paid in full"), "done"),
}


@dataclass(frozen=True)
class Around:
    """What stands beside some agreements: donors, programmes, and what day it is in which office."""

    today: Days
    donors: Mapping[uuid.UUID, str] = field(default_factory=dict)
    programmes: Mapping[uuid.UUID, Sequence[str]] = field(default_factory=dict)


def _state(row: Any, around: Around) -> str:
    if row.received_minor >= row.value_minor:
        return "paid"
    return "late" if row.next_due_on and row.next_due_on < around.today.of(row.office_id) else "open"


def _link(row: Any, _around: Around, value: str) -> dict[str, str]:
    return {"text": value, "href": url_for("agreements.detail", agreement_id=row.id), "reference": row.reference}


def _status(row: Any, around: Around, value: str) -> dict[str, str]:
    return {"status": value, "tone": STATUS_NAMES[_state(row, around)][1]}


_REFERENCE = Column("reference", _l("Reference"), lambda row, _around: row.reference)
_CURRENCY = Column("currency", _l("Currency"), lambda row, _around: row.currency, is_numeric=True)


def _sum(key: str, label: LazyText, minor: Any, *, is_usual: bool = True) -> Column:
    return Column(
        key,
        label,
        lambda row, _around: from_minor(minor(row), row.currency),
        phone="sum",
        is_usual=is_usual,
        is_numeric=True,
        also=(_CURRENCY,),
    )


COLUMNS = (
    Column("title", _l("Agreement"), lambda row, _around: row.title, _link, phone="who", also=(_REFERENCE,)),
    Column("status", _l("State"), lambda row, around: str(STATUS_NAMES[_state(row, around)][0]), _status, phone="status"),
    Column(
        "donor",
        _l("Donor"),
        lambda row, around: around.donors.get(row.donor_id) or _("A party you cannot see"),
        phone="what",
        needs="donors",
    ),
    Column(
        "signed",
        _l("Signed"),
        lambda row, _around: row.signed_on,
        phone="when",
        is_nowrap=True,
        sorts=(("newest", DESCENDING), ("oldest", ASCENDING)),
    ),
    Column("ends", _l("Ends"), lambda row, _around: row.ends_on, is_usual=False, is_nowrap=True),
    Column(
        "due",
        _l("Next due"),
        lambda row, _around: row.next_due_on if row.received_minor < row.value_minor else None,
        is_nowrap=True,
        sorts=(("due", ASCENDING),),
    ),
    _sum("value", _l("Value"), lambda row: row.value_minor),
    _sum("received", _l("Received"), lambda row: row.received_minor),
    _sum("receivable", _l("Still to come"), lambda row: max(0, row.value_minor - row.received_minor), is_usual=False),
    Column("programmes", _l("Programmes"), lambda row, around: around.programmes.get(row.id, ()), is_usual=False, needs="programmes"),
    Column("starts", _l("Starts"), lambda row, _around: row.starts_on, is_usual=False, is_nowrap=True),
    Column("donor-reference", _l("The donor's reference"), lambda row, _around: row.donor_reference, is_usual=False),
)


def _around(today: Days, rows: Sequence[Any], needs: Collection[str]) -> Around:
    return Around(
        today,
        names_of({row.donor_id for row in rows}) if "donors" in needs else {},
        queries.programmes_of([row.id for row in rows]) if "programmes" in needs else {},
    )


def _read(args: Mapping[str, str], _reader: Actor) -> Reading:
    today = shared.days_here()
    year, since, until = shared.year_span(args)
    filters = queries.AgreementFilter(
        q=searched(args),
        status=shared.choice_arg("status", STATUS_NAMES, args),
        donor_id=read_uuid(args.get("donor")),
        programme_id=read_uuid(args.get("programme")),
        since=since,
        until=until,
    )
    sort = shared.choice_arg("sort", queries.AGREEMENT_SORTS, args) or queries.AGREEMENT_SORTS[0]
    asked: dict[str, object] = {
        "q": filters.q,
        "status": filters.status,
        "donor": filters.donor_id,
        "programme": filters.programme_id,
        "year": year,
        "sort": sort if sort != queries.AGREEMENT_SORTS[0] else "",
    }
    return Reading(
        {name: str(value) for name, value in asked.items() if value},
        sort,
        partial(queries.list_agreements, filters, today=today, sort=sort),
        partial(queries.every_agreement, filters, today=today, sort=sort),
        partial(_around, today),
        filters,
        today,
    )


LISTING = Listing("agreements", _l("Agreements"), COLUMNS, _read)

"""The list of pledges: how its address is read, and its columns for page, CSV and XLSX. No route."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flask import url_for

from crm.i18n import _, _l
from crm.money import from_minor
from crm.policy import Actor
from crm.queries import pledges as queries
from crm.queries.offices import Days
from crm.queries.parties import names_of
from crm.queries.programmes import titles_of
from crm.web import lookups as shared
from crm.web.listing import ASCENDING, DESCENDING, Column, Listing, Reading
from crm.web.money import STATUS_NAMES, TAKEN_BACK, searched, status_word, taken_back_asked
from crm.web.money_forms import read_uuid


@dataclass(frozen=True)
class Around:
    """What stands beside some pledges: donors, programmes, of which a part lapsed, and what day it is in which office."""

    today: Days
    donors: Mapping[uuid.UUID, str] = field(default_factory=dict)
    programmes: Mapping[uuid.UUID, str] = field(default_factory=dict)
    lapsed: Collection[uuid.UUID] = ()


def _donor(row: Any, _around: Around, value: str) -> dict[str, str]:
    return {"text": value, "href": url_for("pledges.detail", pledge_id=row.id), "reference": row.reference}


def _status(row: Any, around: Around, _value: str) -> dict[str, str]:
    return status_word(row, around.today.of(row.office_id), around.lapsed)


_REFERENCE = Column("reference", _l("Reference"), lambda row, _around: row.reference)
_CURRENCY = Column("currency", _l("Currency"), lambda row, _around: row.currency, is_numeric=True)
COLUMNS = (
    Column(
        "donor",
        _l("Donor"),
        lambda row, around: around.donors.get(row.donor_id) or _("A party you cannot see"),
        _donor,
        phone="who",
        needs="donors",
        also=(_REFERENCE,),
    ),
    Column(
        "status",
        _l("State"),
        lambda row, around: status_word(row, around.today.of(row.office_id), around.lapsed)["status"],
        _status,
        phone="status",
        needs="lapsed",
    ),
    Column("programme", _l("Programme"), lambda row, around: around.programmes.get(row.programme_id, ""), phone="what", needs="programmes"),
    Column(
        "made",
        _l("Made"),
        lambda row, _around: row.pledged_on,
        phone="when",
        is_nowrap=True,
        sorts=(("newest", DESCENDING), ("oldest", ASCENDING)),
    ),
    Column(
        "due",
        _l("Next due"),
        lambda row, _around: row.next_due_on if row.outstanding_minor else None,
        is_nowrap=True,
        sorts=(("due", ASCENDING),),
    ),
    Column(
        "announced",
        _l("Pledged"),
        lambda row, _around: from_minor(row.announced_minor, row.currency),
        phone="sum",
        is_numeric=True,
        also=(_CURRENCY,),
    ),
    Column(
        "outstanding",
        _l("Outstanding"),
        lambda row, _around: from_minor(row.outstanding_minor, row.currency),
        phone="sum",
        is_numeric=True,
        also=(_CURRENCY,),
    ),
    Column("event", _l("Pledging event"), lambda row, _around: row.event_name, is_usual=False),
    Column("theirs", _l("Donor's reference"), lambda row, _around: row.donor_reference, is_usual=False),
)


def _around(today: Days, rows: Sequence[Any], needs: Collection[str]) -> Around:
    return Around(
        today,
        names_of({row.donor_id for row in rows}) if "donors" in needs else {},
        titles_of({row.programme_id for row in rows if row.programme_id}) if "programmes" in needs else {},
        queries.lapsed_among([row.id for row in rows]) if "lapsed" in needs else (),
    )


def _read(args: Mapping[str, str], _reader: Actor) -> Reading:
    today = shared.days_here()
    year, since, until = shared.year_span(args)
    status = shared.choice_arg("status", STATUS_NAMES, args)
    back = shared.choice_arg("back", TAKEN_BACK, args)
    filters = queries.PledgeFilter(
        q=searched(args),
        status=status,
        taken_back=taken_back_asked("shown" if status == "taken-back" else back),
        donor_id=read_uuid(args.get("donor")),
        programme_id=read_uuid(args.get("programme")),
        since=since,
        until=until,
    )
    sort = shared.choice_arg("sort", queries.SORTS, args) or queries.SORTS[0]
    asked: dict[str, object] = {
        "q": filters.q,
        "status": filters.status,
        "back": back,
        "donor": filters.donor_id,
        "programme": filters.programme_id,
        "year": year,
        "sort": sort if sort != queries.SORTS[0] else "",
    }
    return Reading(
        {name: str(value) for name, value in asked.items() if value},
        sort,
        partial(queries.list_pledges, filters, today=today, sort=sort),
        partial(queries.every_pledge, filters, today=today, sort=sort),
        partial(_around, today),
        filters,
        today,
    )


LISTING = Listing("pledges", _l("Pledges"), COLUMNS, _read)

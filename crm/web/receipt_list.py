"""The list of receipts: how its address is read, and its columns for page, CSV and XLSX. No route."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flask import url_for

from crm.i18n import LazyText, _, _l
from crm.money import Money, from_minor
from crm.policy import Actor
from crm.queries import money_lists as queries
from crm.queries.parties import names_of
from crm.web import lookups as shared
from crm.web.listing import ASCENDING, DESCENDING, Column, Listing, Reading
from crm.web.money import TAKEN_BACK, searched, taken_back_asked
from crm.web.money_forms import read_uuid

UNDER_NAMES: dict[str, LazyText] = {
    "agreement": _l("Under an agreement"),
    "pledge": _l("From a pledge"),
    "alone": _l("Under nothing yet"),
}


@dataclass(frozen=True)
class Around:
    """What stands beside some receipts: donors, what they are under, what of them is unmatched, which were taken back."""

    donors: Mapping[uuid.UUID, str] = field(default_factory=dict)
    references: Mapping[uuid.UUID, str] = field(default_factory=dict)
    unmatched: Mapping[uuid.UUID, int] = field(default_factory=dict)
    taken_back: Collection[uuid.UUID] = ()


def _is_void(row: Any, around: Around) -> bool:
    """Whether it takes another one back, or was taken back itself: nothing of it is to be matched."""
    return row.reversal_of_id is not None or row.id in around.taken_back


def _unmatched(row: Any, around: Around) -> Money | None:
    return None if _is_void(row, around) else from_minor(around.unmatched[row.id], row.currency)


def _state(row: Any, around: Around) -> tuple[str, str]:
    if row.reversal_of_id is not None:
        return _("Takes another one back"), "quiet"
    if row.id in around.taken_back:
        return _("Taken back"), "quiet"
    return (_("Not matched in full"), "soon") if around.unmatched[row.id] > 0 else (_("Matched"), "done")


def _link(row: Any, _around: Around, value: str) -> dict[str, str]:
    return {"text": value, "href": url_for("receipts.detail", receipt_id=row.id), "reference": row.reference}


def _status(row: Any, around: Around, value: str) -> dict[str, str]:
    return {"status": value, "tone": _state(row, around)[1]}


_REFERENCE = Column("reference", _l("Reference"), lambda row, _around: row.reference)
_CURRENCY = Column("currency", _l("Currency"), lambda row, _around: row.currency, is_numeric=True)
COLUMNS = (
    Column(
        "donor",
        _l("Donor"),
        lambda row, around: around.donors.get(row.donor_id) or _("A party you cannot see"),
        _link,
        phone="who",
        needs="donors",
        also=(_REFERENCE,),
    ),
    Column("status", _l("State"), lambda row, around: _state(row, around)[0], _status, phone="status", needs="matches"),
    Column(
        "arrived",
        _l("Arrived"),
        lambda row, _around: row.value_on,
        phone="when",
        is_nowrap=True,
        sorts=(("newest", DESCENDING), ("oldest", ASCENDING)),
    ),
    Column(
        "under",
        _l("Under"),
        lambda row, around: around.references.get(row.agreement_id or row.pledge_id) or "",
        phone="what",
        is_nowrap=True,
        needs="references",
    ),
    Column(
        "amount",
        _l("Amount"),
        lambda row, _around: from_minor(row.amount_minor, row.currency),
        phone="sum",
        is_numeric=True,
        also=(_CURRENCY,),
    ),
    Column("unmatched", _l("Not matched"), _unmatched, phone="sum", is_numeric=True, needs="matches", also=(_CURRENCY,)),
    Column("bank", _l("The bank's reference"), lambda row, _around: row.bank_reference, is_usual=False),
    Column("reason", _l("Reason"), lambda row, _around: row.reason, is_usual=False),
)


def _around(rows: Sequence[Any], needs: Collection[str]) -> Around:
    agreements, pledges = {row.agreement_id for row in rows}, {row.pledge_id for row in rows}
    return Around(
        names_of({row.donor_id for row in rows}) if "donors" in needs else {},
        queries.references_of(agreements - {None}, pledges - {None}) if "references" in needs else {},
        queries.unmatched_among(rows) if "matches" in needs else {},
        queries.taken_back_among([row.id for row in rows]) if "matches" in needs else (),
    )


def _read(args: Mapping[str, str], _reader: Actor) -> Reading:
    year, since, until = shared.year_span(args)
    back = shared.choice_arg("back", TAKEN_BACK, args)
    filters = queries.ReceiptFilter(
        q=searched(args),
        taken_back=taken_back_asked(back),
        under=shared.choice_arg("under", UNDER_NAMES, args),
        donor_id=read_uuid(args.get("donor")),
        since=since,
        until=until,
    )
    sort = shared.choice_arg("sort", queries.RECEIPT_SORTS, args) or queries.RECEIPT_SORTS[0]
    asked: dict[str, object] = {
        "q": filters.q,
        "under": filters.under,
        "back": back,
        "donor": filters.donor_id,
        "year": year,
        "sort": sort if sort != queries.RECEIPT_SORTS[0] else "",
    }
    return Reading(
        {name: str(value) for name, value in asked.items() if value},
        sort,
        partial(queries.list_receipts, filters, sort=sort),
        partial(queries.every_receipt, filters, sort=sort),
        _around,
        filters,
    )


LISTING = Listing("receipts", _l("Receipts"), COLUMNS, _read)

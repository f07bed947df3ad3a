"""The list of interactions: how its address is read, and its columns for page, CSV and XLSX. No route."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from flask import url_for

from crm import clock
from crm.forms.lookups import uuid_of
from crm.i18n import _, _l
from crm.models.interactions import INTERACTION_STATES
from crm.policy import Actor
from crm.queries import interactions as queries
from crm.queries.interactions import KIND_LABELS, Filters
from crm.queries.parties import names_of
from crm.queries.programmes import titles_of
from crm.web import interaction_page as words
from crm.web import lookups as shared
from crm.web.listing import ASCENDING, DESCENDING, Column, Listing, Reading

SORTS = ("-when", "when")
_LONGEST_LIST_TEXT = 140


@dataclass(frozen=True)
class Around:
    """What stands beside some interactions: whom each was with, for which programme; and the words for kinds."""

    words: Mapping[str, str]
    parties: Mapping[uuid.UUID, str] = field(default_factory=dict)
    programmes: Mapping[uuid.UUID, str] = field(default_factory=dict)


def _link(row: Any, _around: Around, value: str) -> dict[str, str]:
    return {"text": value, "href": url_for("interactions.detail", interaction_id=row.id)}


def _status(row: Any, _around: Around, value: str) -> dict[str, str]:
    return {"status": value, "tone": words.state_tone(row)}


def _beginning(_row: Any, _around: Around, value: str) -> str:
    return shared.short(value, _LONGEST_LIST_TEXT) if value else ""


COLUMNS = (
    Column(
        "who",
        _l("With"),
        lambda row, around: around.parties.get(row.party_id) or _("A party you cannot see"),
        _link,
        phone="who",
        needs="parties",
    ),
    Column("state", _l("State"), lambda row, _around: words.state_word(row), _status, phone="status"),
    Column("what", _l("What"), lambda row, _around: row.summary or row.purpose, _beginning, phone="what"),
    Column("kind", _l("Kind"), lambda row, around: around.words[row.kind], phone="when"),
    Column(
        "when",
        _l("When"),
        lambda row, _around: row.starts_at,
        phone="amount",
        is_nowrap=True,
        is_moment=True,
        sorts=(("-when", DESCENDING), ("when", ASCENDING)),
    ),
    Column("reference", _l("Reference"), lambda row, _around: row.reference, phone="hide"),
    Column(
        "programme", _l("Programme"), lambda row, around: around.programmes.get(row.programme_id, ""), is_usual=False, needs="programmes"
    ),
    Column("place", _l("Place"), lambda row, _around: row.place_text, is_usual=False),
    Column("purpose", _l("Purpose"), lambda row, _around: row.purpose, _beginning, is_usual=False),
)


def _around(labels: Mapping[str, str], rows: Sequence[Any], needs: Collection[str]) -> Around:
    return Around(
        labels,
        names_of({row.party_id for row in rows}) if "parties" in needs else {},
        titles_of({row.programme_id for row in rows if row.programme_id}) if "programmes" in needs else {},
    )


def _read(args: Mapping[str, str], reader: Actor) -> Reading:
    zone = clock.zone(reader.timezone)
    since, until = shared.day_arg("from", args), shared.day_arg("to", args)
    filters = Filters(
        state=shared.choice_arg("state", INTERACTION_STATES, args),
        kind=shared.choice_arg("kind", KIND_LABELS, args),
        party_id=uuid_of(args.get("party")),
        programme_id=uuid_of(args.get("programme")),
        since=datetime.combine(since, time(), zone) if since else None,
        until=datetime.combine(until + timedelta(days=1), time(), zone) if until and until < date.max else None,
    )
    sort = shared.choice_arg("sort", SORTS, args) or SORTS[0]
    asked: dict[str, object] = {
        "state": filters.state,
        "kind": filters.kind,
        "party": filters.party_id,
        "programme": filters.programme_id,
        "from": since,
        "to": until,
        "sort": sort if sort != SORTS[0] else "",
    }
    return Reading(
        {name: str(value) for name, value in asked.items() if value},
        sort,
        partial(queries.listing, filters, is_newest_first=sort == SORTS[0]),
        partial(queries.every, filters, is_newest_first=sort == SORTS[0]),
        partial(_around, {key: str(label) for key, label in KIND_LABELS.items()}),
        filters,
    )


LISTING = Listing("interactions", _l("Interactions"), COLUMNS, _read)

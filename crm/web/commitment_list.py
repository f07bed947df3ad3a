"""The list of commitments: how its address is read, and its columns for page, CSV and XLSX. No route."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flask import url_for

from crm.forms.lookups import uuid_of
from crm.i18n import _, _l
from crm.models.commitments import COMMITMENT_KINDS, DIRECTIONS
from crm.policy import Actor
from crm.queries import commitments as queries
from crm.queries import lookups
from crm.queries.commitments import DIRECTION_LABELS, KIND_LABELS, Filters, Standing
from crm.queries.offices import Days
from crm.queries.parties import names_of
from crm.queries.programmes import titles_of
from crm.web import lookups as shared
from crm.web.listing import ASCENDING, DESCENDING, Column, Listing, Reading
from crm.web.money import TAKEN_BACK, taken_back_asked


@dataclass(frozen=True)
class Around:
    """What stands beside some commitments: how each stands, with whom, for which programme, whose it is."""

    standings: Mapping[uuid.UUID, Standing] = field(default_factory=dict)
    parties: Mapping[uuid.UUID, str] = field(default_factory=dict)
    programmes: Mapping[uuid.UUID, str] = field(default_factory=dict)
    people: Mapping[uuid.UUID, str] = field(default_factory=dict)


def _link(row: Any, _around: Around, value: str) -> dict[str, str]:
    return {"text": shared.short(value, 140), "href": url_for("commitments.detail", commitment_id=row.id)}


def _status(row: Any, around: Around, value: str) -> dict[str, str]:
    return {"status": value, "tone": around.standings[row.id].tone}


COLUMNS = (
    Column("words", _l("What was promised"), lambda row, _around: row.words, _link, phone="who"),
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
        "party",
        _l("With"),
        lambda row, around: around.parties.get(row.party_id) or _("A party you cannot see"),
        phone="what",
        needs="parties",
    ),
    Column("by", _l("By whom"), lambda row, _around: str(DIRECTION_LABELS[row.direction]), phone="when"),
    Column("kind", _l("Kind"), lambda row, _around: str(KIND_LABELS[row.kind]), phone="when"),
    Column("due", _l("Due"), lambda row, _around: row.due_on, phone="when", is_nowrap=True, sorts=(("due", ASCENDING),)),
    Column("made", _l("Made on"), lambda row, _around: row.made_on, phone="hide", is_nowrap=True, sorts=(("made", DESCENDING),)),
    Column("reference", _l("Reference"), lambda row, _around: row.reference, phone="hide", is_usual=False),
    Column("owner", _l("Who follows it up"), lambda row, around: around.people.get(row.owner_id, ""), is_usual=False, needs="people"),
    Column(
        "programme", _l("Programme"), lambda row, around: around.programmes.get(row.programme_id, ""), is_usual=False, needs="programmes"
    ),
    Column("quantity", _l("How much or how many"), lambda row, _around: row.quantity, is_usual=False),
    Column("place", _l("Place"), lambda row, _around: row.place_text, is_usual=False),
    Column("outcome", _l("Outcome said on"), lambda row, _around: row.outcome_on, is_usual=False, is_nowrap=True),
    Column("note", _l("What became of it"), lambda row, _around: row.outcome_note, is_usual=False),
)


def _around(today: Days, rows: Sequence[Any], needs: Collection[str]) -> Around:
    return Around(
        queries.standings(rows, today) if "standings" in needs else {},
        names_of({row.party_id for row in rows}) if "parties" in needs else {},
        titles_of({row.programme_id for row in rows if row.programme_id}) if "programmes" in needs else {},
        lookups.people(row.owner_id for row in rows) if "people" in needs else {},
    )


def _read(args: Mapping[str, str], _reader: Actor) -> Reading:
    today = shared.days_here()
    status = shared.choice_arg("status", queries.STATUSES, args)
    back = shared.choice_arg("back", TAKEN_BACK, args)
    filters = Filters(
        direction=shared.choice_arg("direction", DIRECTIONS, args),
        status=status,
        taken_back=taken_back_asked("shown" if status == "taken-back" else back),
        kind=shared.choice_arg("kind", COMMITMENT_KINDS, args),
        party_id=uuid_of(args.get("party")),
        programme_id=uuid_of(args.get("programme")),
    )
    sort = shared.choice_arg("sort", queries.SORTS, args) or queries.SORTS[0]
    asked: dict[str, object] = {
        "direction": filters.direction,
        "status": filters.status,
        "back": back,
        "kind": filters.kind,
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


LISTING = Listing("commitments", _l("Commitments"), COLUMNS, _read)

"""The list of follow-ups: how its address is read, and its columns for page, CSV and XLSX. No route."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flask import url_for

from crm.forms.lookups import uuid_of
from crm.i18n import _, _l
from crm.policy import Actor
from crm.queries import follow_ups as queries
from crm.queries import lookups
from crm.queries.follow_ups import Filters
from crm.queries.offices import Days
from crm.queries.parties import names_of
from crm.web import lookups as shared
from crm.web.listing import ASCENDING, DESCENDING, Column, Listing, Reading

STATES = {"open": _l("Open"), "late": _l("Late"), "done": _l("Done")}
WHOSE = {"mine": _l("Mine"), "all": _l("Everybody's")}


@dataclass(frozen=True)
class Around:
    """What stands beside some follow-ups: what day it is in which office, about whom they are, who does them."""

    today: Days
    parties: Mapping[uuid.UUID, str] = field(default_factory=dict)
    people: Mapping[uuid.UUID, str] = field(default_factory=dict)


def standing(row: Any, today: Days) -> tuple[str, str]:
    """How a follow-up stands, in words, and its tone."""
    return (_("Done"), "done") if row.done_on else shared.due_words(row.due_on, today.of(row.office_id))


def about(row: Any) -> str:
    """The page that a follow-up comes from."""
    if row.interaction_id:
        return url_for("interactions.detail", interaction_id=row.interaction_id)
    if row.commitment_id:
        return url_for("commitments.detail", commitment_id=row.commitment_id)
    if row.ask_id:
        return url_for("asks.detail", ask_id=row.ask_id)
    return url_for("parties.detail", party_id=row.party_id) if row.party_id else ""


def _link(row: Any, _around: Around, value: str) -> dict[str, str]:
    return {"text": value, "href": about(row)}


def _status(row: Any, around: Around, value: str) -> dict[str, str]:
    return {"status": value, "tone": standing(row, around.today)[1]}


def _party(row: Any, around: Around) -> str:
    return around.parties.get(row.party_id) or _("A party you cannot see") if row.party_id else ""


COLUMNS = (
    Column("text", _l("What is to be done"), lambda row, _around: row.text, _link, phone="who"),
    Column("status", _l("State"), lambda row, around: standing(row, around.today)[0], _status, phone="status", is_nowrap=True),
    Column(
        "due",
        _l("Due"),
        lambda row, _around: row.due_on,
        phone="when",
        is_nowrap=True,
        sorts=(("due", ASCENDING), ("-due", DESCENDING)),
    ),
    Column("party", _l("About whom"), _party, phone="what", needs="parties"),
    Column("owner", _l("Who does it"), lambda row, around: around.people.get(row.owner_id, ""), phone="when", needs="people"),
    Column("done", _l("Done on"), lambda row, _around: row.done_on, is_usual=False, is_nowrap=True),
    Column("note", _l("Note"), lambda row, _around: row.done_note, is_usual=False),
)


def _around(today: Days, rows: Sequence[Any], needs: Collection[str]) -> Around:
    return Around(
        today,
        names_of({row.party_id for row in rows if row.party_id}) if "parties" in needs else {},
        lookups.people(row.owner_id for row in rows) if "people" in needs else {},
    )


def _read(args: Mapping[str, str], reader: Actor) -> Reading:
    """Mine and open where nothing is said; about one party: everybody's."""
    today, party_id = shared.days_here(), uuid_of(args.get("party"))
    usual = "all" if party_id else "mine"
    whose, state = shared.choice_arg("whose", WHOSE, args) or usual, shared.choice_arg("state", STATES, args) or "open"
    usual_sort = "-due" if state == "done" else "due"
    sort = shared.choice_arg("sort", queries.SORTS, args) or usual_sort
    filters = Filters(reader.user_id if whose == "mine" else None, state, party_id)
    asked: dict[str, object] = {
        "whose": whose if whose != usual else "",
        "state": state if state != "open" else "",
        "party": party_id,
        "sort": sort if sort != usual_sort else "",
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


LISTING = Listing("follow-ups", _l("Follow-ups"), COLUMNS, _read)

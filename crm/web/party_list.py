"""The list of parties: how its address is read, and its columns for page, CSV and XLSX. No route."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from flask import url_for

from crm import clock
from crm.data import countries_by_iso2
from crm.forms.parties import FORM_NAMES
from crm.i18n import _l
from crm.policy import Actor
from crm.queries import parties as queries
from crm.queries.parties import KIND_NAMES, Filters
from crm.web.listing import ASCENDING, DESCENDING, Column, Listing, Reading
from crm.web.party_page import local_day


@dataclass(frozen=True)
class Around:
    """What stands beside some parties: kinds, other names, when each was last met, how each is reached, the post each holds; the words
    for kinds and forms; whether the form has a column of its own."""

    reader: Actor
    words: Mapping[str, str]
    kinds: Mapping[uuid.UUID, Sequence[str]] = field(default_factory=dict)
    names: Mapping[uuid.UUID, Sequence[str]] = field(default_factory=dict)
    contacts: Mapping[uuid.UUID, datetime] = field(default_factory=dict)
    channels: Mapping[str, Mapping[uuid.UUID, Sequence[str]]] = field(default_factory=dict)
    posts: Mapping[uuid.UUID, tuple[str, str]] = field(default_factory=dict)
    has_form: bool = False


def _country(row: Any, _around: Around) -> str:
    country = countries_by_iso2().get(row.country or "")
    return country.name if country else ""


def _kinds(row: Any, around: Around) -> list[str]:
    kinds = [around.words[kind] for kind in around.kinds.get(row.id, ())]
    return kinds if around.has_form else [around.words[row.form], *kinds]


def _contact(row: Any, around: Around) -> Any:
    at = around.contacts.get(row.id)
    return local_day(at, around.reader) if at else None


def _reached(kind: str) -> Callable[[Any, Around], Sequence[str]]:
    return lambda row, around: around.channels[kind].get(row.id, ())


def _post(place: int) -> Callable[[Any, Around], str]:
    return lambda row, around: around.posts[row.id][place] if row.id in around.posts else ""


def _link(row: Any, _around: Around, value: str) -> dict[str, str]:
    return {"text": value, "href": url_for("parties.detail", party_id=row.id)}


def _badges(_row: Any, _around: Around, value: Sequence[str]) -> dict[str, Any]:
    return {"badges": [{"text": text} for text in value]}


COLUMNS = (
    Column(
        "name",
        _l("Name"),
        lambda row, _around: row.name,
        _link,
        phone="who",
        sorts=(("name", ASCENDING), ("-name", DESCENDING)),
    ),
    Column("kinds", _l("What they are to us"), _kinds, _badges, phone="what", needs="kinds"),
    Column("country", _l("Country"), _country, phone="status", sorts=(("country", ASCENDING), ("-country", DESCENDING))),
    Column("contact", _l("Last interaction"), _contact, phone="when", needs="contacts"),
    Column("reference", _l("Reference"), lambda row, _around: row.reference, phone="hide", sorts=(("newest", DESCENDING),)),
    Column("form", _l("Form"), lambda row, around: around.words[row.form], is_usual=False, needs="form"),
    Column("names", _l("Other names"), lambda row, around: around.names.get(row.id, ()), is_usual=False, needs="names"),
    Column("website", _l("Website"), lambda row, _around: row.website, is_usual=False),
    Column("post", _l("Post"), _post(0), is_usual=False, needs="posts"),
    Column("organisation", _l("Organisation of the post"), _post(1), is_usual=False, needs="posts"),
    Column("email", _l("E-mail"), _reached("email"), is_usual=False, needs="email"),
    Column("phone", _l("Phone"), _reached("phone"), is_usual=False, needs="phone"),
    Column("mobile", _l("Mobile phone"), _reached("mobile"), is_usual=False, needs="mobile"),
)


def _around(reader: Actor, words: Mapping[str, str], rows: Sequence[Any], needs: Collection[str]) -> Around:
    ids = [row.id for row in rows]
    return Around(
        reader,
        words,
        queries.kinds_of(ids) if "kinds" in needs else {},
        queries.other_names_of(ids) if "names" in needs else {},
        queries.last_contacts(ids) if "contacts" in needs else {},
        {kind: queries.channels_by_kind(ids, kind) for kind in ("email", "phone", "mobile") if kind in needs},
        queries.posts_of(ids, clock.today(reader.timezone)) if "posts" in needs else {},
        has_form="form" in needs,
    )


def _read(args: Mapping[str, str], reader: Actor) -> Reading:
    filters = Filters.of(args)
    asked = {"q": filters.q, "form": filters.form, "kind": filters.kind, "country": filters.country}
    if filters.sort != "name":
        asked["sort"] = filters.sort
    words = {key: str(label) for key, label in (*FORM_NAMES.items(), *KIND_NAMES.items())}
    return Reading(
        {name: value for name, value in asked.items() if value},
        filters.sort,
        partial(queries.find, filters),
        partial(queries.every, filters),
        partial(_around, reader, words),
        filters,
    )


LISTING = Listing("parties", _l("Parties"), COLUMNS, _read)

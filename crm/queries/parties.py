"""Parties: lists, one party, and what a party's page shows beside its timeline (queries/timeline.py)."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Label, Select, String, case, cast, exists, false, func, literal, or_, select
from sqlalchemy.orm import selectinload

from crm.data import countries_by_iso2
from crm.db import among, db
from crm.errors import Invalid, NotFound
from crm.i18n import _
from crm.models.base import SHARED
from crm.models.codes import PARTY_KINDS
from crm.models.interactions import Interaction
from crm.models.parties import FORMS, Channel, Party, PartyIdentifier, PartyKind, PartyName, Position, Tenure
from crm.models.search import is_sqlite
from crm.queries import codes
from crm.queries.names import fold
from crm.queries.paging import Order, Page, Paging, Part, fetch_all, fetch_first, fetch_page, starts_after

KIND_NAMES = codes.Names(PARTY_KINDS)
_BY_COUNTRY = ("country", "-country")
SORTS = ("name", "-name", *_BY_COUNTRY, "newest")
MEMBERS_SHOWN = 50
SUGGESTED = 200
_CHUNK = 400


@dataclass(frozen=True)
class Filters:
    """What a list of parties was asked for; anything unknown counts as not asked."""

    q: str = ""
    form: str = ""
    kind: str = ""
    country: str = ""
    sort: str = "name"

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Filters:
        """Read the query string of a list; a stranger's values are harmless."""
        form, kind, country, sort = (given.get(name, "") for name in ("form", "kind", "country", "sort"))
        return cls(
            q=" ".join("".join(c for c in given.get("q", "")[:200] if unicodedata.category(c) not in ("Cc", "Cs")).split()),
            form=form if form in FORMS else "",
            kind=kind if kind in KIND_NAMES else "",
            country=country if len(country) == 2 and country.isascii() and country.isalpha() else "",  # noqa: PLR2004
            sort=sort if sort in SORTS else "name",
        )


def _matching(filters: Filters) -> Select[Any]:
    statement = select(Party)
    if filters.q:
        needle = fold(filters.q) or "\u0001"
        statement = statement.where(
            or_(
                Party.folded_name.contains(needle, autoescape=True),
                Party.id.in_(select(PartyName.party_id).where(PartyName.folded_name.contains(needle, autoescape=True))),
                Party.reference == filters.q.upper(),
            )
        )
    if filters.form:
        statement = statement.where(Party.form == filters.form)
    if filters.kind:
        statement = statement.where(exists().where(PartyKind.party_id == Party.id, PartyKind.kind == filters.kind))
    if filters.country:
        statement = statement.where(Party.country == filters.country)
    return statement


_FIRST, _LAST = "000", "999"  # before and after the places of all countries


@lru_cache(maxsize=1)
def _codes_by_name() -> str:
    return "".join(f",{country.iso2}" for country in sorted(countries_by_iso2().values(), key=lambda one: fold(one.name)))


def _by_country(none: str) -> Label[str]:
    """The place of a party's country among all by name, where it has one (else `none`), and its own name: one text to sort by. The
    names of countries are no data of ours, so it is worked out; `find` and `every` look for it among few countries at a time."""
    code = literal(",") + Party.country
    if is_sqlite():
        place = func.printf("%03d", func.instr(_codes_by_name(), code), type_=String)
    else:
        place = func.lpad(cast(func.strpos(_codes_by_name(), code), String), 3, "0", type_=String)
    return (case((Party.country.is_(None), none), else_=place) + Party.folded_name).label("country_order")


@dataclass(slots=True)
class _Country:
    """A country of a list: its place as in `_by_country`, and how many parties are there. Codes that name none share a place."""

    place: str
    codes: list[str | None]
    count: int = 0

    @property
    def is_its(self) -> ColumnElement[bool]:
        """Whether a party is of it."""
        return or_(Party.country.in_([code for code in self.codes if code]), Party.country.is_(None) if None in self.codes else false())


def _countries(filters: Filters) -> list[_Country]:
    """The countries of a list in its order, those without one last. One statement."""
    counted = _matching(filters).with_only_columns(Party.country, func.count()).group_by(Party.country)
    is_back = filters.sort.startswith("-")
    found: dict[str, _Country] = {}
    for code, count in db.session.execute(counted):
        place = f"{_codes_by_name().find(f',{code}') + 1:03}" if code else _FIRST if is_back else _LAST
        one = found.setdefault(place, _Country(place, []))
        one.codes.append(code)
        one.count += count
    return sorted(found.values(), key=lambda one: one.place, reverse=is_back)


def _part(filters: Filters, paging: Paging) -> Part:
    """The countries that a page by country lies in: from that of the cursor, or the first row, to that of its last row."""
    countries = _countries(filters)
    start = starts_after(paging)
    place = start[: len(_LAST)] if isinstance(start, str) else ""
    is_back = filters.sort.startswith("-")
    skipped = 0 if place else (paging.number - 1) * paging.size
    taken: list[_Country] = []
    before, kept = 0, 0
    for one in countries:
        is_over = (one.place > place if is_back else one.place < place) if place else not taken and before + one.count <= skipped
        if is_over:
            before += one.count
            continue
        taken.append(one)
        kept += 0 if one.place == place else one.count
        if kept + (0 if place else before) > skipped + paging.size:
            break
    return Part(or_(false(), *(one.is_its for one in taken)), before, sum(one.count for one in countries))


def _listed(filters: Filters) -> tuple[Select[Any], Order]:
    order = {
        "name": Order(Party.folded_name, Party.id),
        "-name": Order(Party.folded_name, Party.id, is_descending=True),
        "country": Order(_by_country(_LAST), Party.id),
        "-country": Order(_by_country(_FIRST), Party.id, is_descending=True),
        "newest": Order(Party.created_at, Party.id, is_descending=True),
    }[filters.sort]
    wanted = (Party.id, Party.reference, Party.form, Party.name, Party.country, Party.website, order.column)
    return _matching(filters).with_only_columns(*wanted), order


def find(filters: Filters, paging: Paging) -> Page[Any]:
    """One page of parties as rows of columns. Two statements, whatever the data."""
    return fetch_page(*_listed(filters), paging, _part(filters, paging) if filters.sort in _BY_COUNTRY else None)


def every(filters: Filters) -> Iterator[Sequence[Any]]:
    """All parties of a list in its order, the same rows as on its pages, a chunk at a time: for files. By country, one country after
    the other."""
    statement, order = _listed(filters)
    if filters.sort not in _BY_COUNTRY:
        yield from fetch_all(statement, order)
        return
    for one in _countries(filters):
        yield from fetch_all(statement.where(one.is_its), order)


def kinds_of(party_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """What each party is to us. One statement."""
    return _gathered(select(PartyKind.party_id, PartyKind.kind).where(among(PartyKind.party_id, party_ids)).order_by(PartyKind.kind))


def other_names_of(party_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """The other names of each party. One statement."""
    return _gathered(select(PartyName.party_id, PartyName.name).where(among(PartyName.party_id, party_ids)).order_by(PartyName.name))


def channels_by_kind(party_ids: Sequence[uuid.UUID], kind: str) -> dict[uuid.UUID, list[str]]:
    """The addresses or numbers of one kind at which the reader's offices reach each party, preferred ones first. One statement."""
    mine = select(Channel.party_id, Channel.value).where(among(Channel.party_id, party_ids), Channel.kind == kind)
    return _gathered(mine.order_by(Channel.is_preferred.desc(), Channel.value))


def posts_of(person_ids: Sequence[uuid.UUID], on: date) -> dict[uuid.UUID, tuple[str, str]]:
    """The post that each person holds on a day, the one begun last, and its organisation. One statement."""
    rows = db.session.execute(
        select(Tenure.person_id, Position.title, Party.name)
        .join(Position, Position.id == Tenure.position_id)
        .join(Party, Party.id == Position.organisation_id)
        .where(
            among(Tenure.person_id, person_ids),
            or_(Tenure.starts_on.is_(None), Tenure.starts_on <= on),
            or_(Tenure.ends_on.is_(None), Tenure.ends_on >= on),
        )
        .order_by(Tenure.starts_on.nulls_first(), Tenure.id)
    )
    return {person_id: (title, organisation) for person_id, title, organisation in rows}


def _gathered(statement: Select[uuid.UUID, str]) -> dict[uuid.UUID, list[str]]:
    found: dict[uuid.UUID, list[str]] = {}
    for party_id, text in db.session.execute(statement):
        found.setdefault(party_id, []).append(text)
    return found


def get(party_id: uuid.UUID) -> Party:
    """A party with its kinds, names and what it is part of; NotFound where absent or out of scope."""
    party = db.session.scalar(
        select(Party).where(Party.id == party_id).options(selectinload(Party.kinds), selectinload(Party.names), selectinload(Party.part_of))
    )
    if party is None:
        raise NotFound
    return party


def names_of(party_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of parties in scope, for choices and labels."""
    rows = db.session.execute(select(Party.id, Party.name).where(Party.id.in_(list(party_ids))))
    return {row.id: row.name for row in rows}


def visibilities(party_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """How widely parties in scope are visible. One statement a 400."""
    found: dict[uuid.UUID, str] = {}
    for start in range(0, len(party_ids), _CHUNK):
        rows = db.session.execute(select(Party.id, Party.visibility).where(Party.id.in_(party_ids[start : start + _CHUNK])))
        found |= {row.id: row.visibility for row in rows}
    return found


def resolve(text: str, field: str, *, forms: Sequence[str] = FORMS) -> uuid.UUID:
    """The one party that a typed name, other name or reference means. Invalid beside `field` where none or several do."""
    folded = fold(text)
    alike = exists().where(PartyName.party_id == Party.id, PartyName.folded_name == folded)
    rows = db.session.scalars(
        select(Party)
        .where(Party.form.in_(forms), or_(Party.reference == text.strip().upper(), Party.folded_name == folded, alike))
        .order_by(Party.folded_name, Party.id)
        .limit(6)
    ).all()
    exact = [party for party in rows if party.name == text.strip() or party.reference == text.strip().upper()]
    rows = exact if len(exact) == 1 else rows
    if len(rows) == 1:
        return rows[0].id
    if not rows:
        raise Invalid(_("Nobody of this name is on record. Choose from the list, or record it first."), field=field)
    listed = ", ".join(party.reference for party in rows)
    raise Invalid(_("Several have this name. Type the reference of the one you mean: %(references)s.", references=listed), field=field)


def suggestions(*, forms: Sequence[str] = FORMS) -> list[str]:
    """Names to choose from while typing: at most 200, by name."""
    return list(db.session.scalars(select(Party.name).where(Party.form.in_(forms)).order_by(Party.folded_name, Party.id).limit(SUGGESTED)))


def namesakes(name: str, *, other_than: uuid.UUID | None = None) -> Sequence[Party]:
    """Parties in scope whose name or other name is spelt alike (folded): perhaps the same one."""
    folded = fold(name)
    if not folded:
        return []
    alike = exists().where(PartyName.party_id == Party.id, PartyName.folded_name == folded)
    statement = select(Party).where(or_(Party.folded_name == folded, alike)).order_by(Party.folded_name, Party.id).limit(5)
    if other_than is not None:
        statement = statement.where(Party.id != other_than)
    return db.session.scalars(statement.options(selectinload(Party.kinds))).all()


def identifiers(party_id: uuid.UUID) -> Sequence[PartyIdentifier]:
    """What other registers call a party."""
    return db.session.scalars(select(PartyIdentifier).where(PartyIdentifier.party_id == party_id).order_by(PartyIdentifier.scheme)).all()


def reported_organisations(scheme: str, names: Mapping[str, str]) -> dict[str, uuid.UUID]:
    """Which shared parties a source means: {its value: its name there} -> {value: party id}, unknown ones left out.

    By identifier first, else by exact name among shared organisations; the oldest where several. Two statements a 400 names."""
    known: dict[str, uuid.UUID] = {}
    wanted = list(names)
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        rows = db.session.execute(
            select(PartyIdentifier.value, PartyIdentifier.party_id)
            .where(PartyIdentifier.scheme == scheme, PartyIdentifier.value.in_(part), PartyIdentifier.visibility == SHARED)
            .order_by(PartyIdentifier.id.desc())
        )
        known.update({row.value: row.party_id for row in rows})
        rest = {names[value]: value for value in part if value not in known}
        if not rest:
            continue
        named = db.session.execute(
            select(Party.name, Party.id)
            .where(Party.name.in_(list(rest)), Party.visibility == SHARED, Party.form == "organisation")
            .order_by(Party.id.desc())
        )
        by_name = {row.name: row.id for row in named}
        known.update({value: by_name[names[value]] for value in part if value not in known and names[value] in by_name})
    return known


def last_contacts(party_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """When each party was last met, called or written to. One statement."""
    held = select(Interaction.starts_at).where(Interaction.party_id == Party.id, Interaction.state == "held").correlate(Party)
    last = held.order_by(Interaction.starts_at.desc()).limit(1).scalar_subquery()  # the newest of each by the index, not all of them
    rows: Iterable[Any] = db.session.execute(select(Party.id, last).where(among(Party.id, party_ids)))
    return {party_id: at for party_id, at in rows if at is not None}


def channel(channel_id: uuid.UUID) -> Channel:
    """A way to reach a party; NotFound where absent or out of scope."""
    found = db.session.scalar(select(Channel).where(Channel.id == channel_id))
    if found is None:
        raise NotFound
    return found


def channels_of(party_id: uuid.UUID) -> Sequence[Channel]:
    """The ways to reach a party that the reader's offices know, preferred ones first."""
    return db.session.scalars(
        select(Channel)
        .where(Channel.party_id == party_id)
        .order_by(Channel.is_preferred.desc(), Channel.kind, Channel.id)
        .limit(MEMBERS_SHOWN)
    ).all()


def members_of(party_id: uuid.UUID) -> tuple[Sequence[Party], int]:
    """The first parties that say they are part of this one, and how many there are."""
    return fetch_first(select(Party).where(Party.part_of_id == party_id), (Party.folded_name, Party.id), Party.id, MEMBERS_SHOWN)

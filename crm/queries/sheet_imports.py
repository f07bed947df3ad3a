"""What an office holds already of what a spreadsheet lists: parties alike, organisations by name, ways to reach them. A few statements a chunk."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import aliased, selectinload

from crm.db import among, db
from crm.i18n import _
from crm.models.base import SHARED
from crm.models.imports import ImportLayout, ImportSheet
from crm.models.notes import Note
from crm.models.offices import Office
from crm.models.parties import Channel, Party, PartyName, Position, Tenure
from crm.queries import parties
from crm.queries.duplicates import Candidate, possible_duplicates_of
from crm.queries.names import fold

_CHUNK = 400
_MOST_SAID = 3


@dataclass(slots=True, eq=False)
class KnownParty:
    """A party on record (or, in a dry run, one that an earlier row would make: without an id), as far as rows are compared with it."""

    id: uuid.UUID | None
    office_id: uuid.UUID
    reference: str
    version: int
    form: str
    name: str
    country: str | None = None
    website: str = ""
    about: str = ""
    part_of_id: uuid.UUID | None = None
    visibility: str = ""
    kinds: frozenset[str] = frozenset()
    names: tuple[tuple[str, str], ...] = ()  # (kind, name)
    channels: frozenset[tuple[str, str]] = frozenset()
    posts: Mapping[tuple[str, str], date | None] = field(default_factory=dict)  # folded (title, organisation) -> since when
    notes: frozenset[str] = frozenset()
    said: dict[str, tuple[object, int]] = field(default_factory=dict)  # what this file said of it, and in which row


def usable(office_id: uuid.UUID) -> ColumnElement[bool]:
    """Parties that a record of an office may name: shared ones and the office's own."""
    return or_(Party.visibility == SHARED, Party.office_id == office_id)


def known_parties(
    office_id: uuid.UUID, folded: Collection[str], references: Collection[str], keys: Collection[uuid.UUID] = ()
) -> list[KnownParty]:
    """The parties an office can use whose name folds to one of `folded`, or that have one of the references or keys. Five statements a
    400 names."""
    rows: dict[uuid.UUID, Party] = {}
    wanted: Sequence[Any]
    for column, wanted in ((Party.folded_name, sorted(folded)), (Party.reference, sorted(references)), (Party.id, sorted(keys))):
        for start in range(0, len(wanted), _CHUNK):
            statement = select(Party).where(column.in_(wanted[start : start + _CHUNK]), usable(office_id))
            for party in db.session.scalars(statement.options(selectinload(Party.kinds), selectinload(Party.names))):
                rows[party.id] = party
    ids = list(rows)
    channels = _channels(office_id, ids)
    posts, notes = posts_of(ids), _notes(office_id, ids)
    return [
        KnownParty(
            id=party.id,
            office_id=party.office_id,
            reference=party.reference,
            version=party.version,
            form=party.form,
            name=party.name,
            country=party.country,
            website=party.website,
            about=party.about,
            part_of_id=party.part_of_id,
            visibility=party.visibility,
            kinds=frozenset(row.kind for row in party.kinds),
            names=tuple((row.kind, row.name) for row in party.names),
            channels=frozenset(channels[party.id]),
            posts=posts[party.id],
            notes=frozenset(notes[party.id]),
        )
        for party in rows.values()
    ]


def organisations_held(office_id: uuid.UUID, most: int) -> list[tuple[str, str]]:
    """Name and reference of the newest organisations that an office can use. One statement."""
    statement = select(Party.name, Party.reference).where(Party.form == "organisation", usable(office_id))
    return [(row.name, row.reference) for row in db.session.execute(statement.order_by(Party.id.desc()).limit(most))]


def ids_of(office_id: uuid.UUID, references: Collection[str]) -> dict[str, uuid.UUID]:
    """The parties an office can use that have one of some references. One statement a 400."""
    wanted = sorted(references)
    found: dict[str, uuid.UUID] = {}
    for start in range(0, len(wanted), _CHUNK):
        statement = select(Party.reference, Party.id).where(Party.reference.in_(wanted[start : start + _CHUNK]), usable(office_id))
        found |= {row.reference: row.id for row in db.session.execute(statement)}
    return found


@dataclass(frozen=True, slots=True)
class Facts:
    """What tells a party on record from another one: its name, post and organisation, country, ways to reach it."""

    id: uuid.UUID
    name: str
    country: str
    post: tuple[str, str] | None
    reached: tuple[str, ...]


def facts_of(office_id: uuid.UUID, references: Collection[str], on: date) -> dict[str, Facts]:
    """Reference -> what is on record, of the parties that an office can use. Three statements."""
    statement = select(Party.id, Party.reference, Party.name, Party.country)
    rows = db.session.execute(statement.where(Party.reference.in_(sorted(references)), usable(office_id))).all()
    ids = [row.id for row in rows]
    posts = parties.posts_of(ids, on)
    reached: dict[uuid.UUID, list[str]] = defaultdict(list)
    mine = select(Channel.party_id, Channel.value).where(among(Channel.party_id, ids), Channel.office_id == office_id)
    for party_id, value in db.session.execute(mine.where(Channel.kind != "address").order_by(Channel.kind, Channel.value)):
        reached[party_id].append(value)
    return {row.reference: Facts(row.id, row.name, row.country or "", posts.get(row.id), tuple(reached[row.id])) for row in rows}


def names_of(office_id: uuid.UUID, references: Collection[str]) -> dict[str, str]:
    """Reference -> name, of the parties that an office can use. One statement."""
    statement = select(Party.reference, Party.name).where(Party.reference.in_(sorted(references)), usable(office_id))
    return {row.reference: row.name for row in db.session.execute(statement)}


def _channels(office_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, set[tuple[str, str]]]:
    found: dict[uuid.UUID, set[tuple[str, str]]] = defaultdict(set)
    for start in range(0, len(ids), _CHUNK):
        statement = select(Channel.party_id, Channel.kind, Channel.value).where(
            Channel.party_id.in_(ids[start : start + _CHUNK]), Channel.office_id == office_id
        )
        for party_id, kind, value in db.session.execute(statement):
            found[party_id].add((kind, value))
    return found


def posts_of(person_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[tuple[str, str], date | None]]:
    """The posts that people hold or held: person -> folded (title, organisation) -> since when, the last time. One statement a 400."""
    ids = sorted(set(person_ids))
    found: dict[uuid.UUID, dict[tuple[str, str], date | None]] = defaultdict(dict)
    organisation = aliased(Party)
    for start in range(0, len(ids), _CHUNK):
        statement = (
            select(Tenure.person_id, Position.title, organisation.folded_name, Tenure.starts_on)
            .join(Position, Position.id == Tenure.position_id)
            .join(organisation, organisation.id == Position.organisation_id)
            .where(Tenure.person_id.in_(ids[start : start + _CHUNK]))
        )
        for person_id, title, name, since in db.session.execute(statement):
            post = (fold(title), name)
            found[person_id][post] = max(filter(None, (since, found[person_id].get(post))), default=None)
    return found


def undated_tenures(office_id: uuid.UUID, person_ids: Collection[uuid.UUID]) -> list[tuple[Tenure, tuple[str, str]]]:
    """An office's tenures of some people without a first day, with the folded (title, organisation) of each. One statement a 400."""
    ids = sorted(person_ids)
    found: list[tuple[Tenure, tuple[str, str]]] = []
    organisation = aliased(Party)
    for start in range(0, len(ids), _CHUNK):
        statement = (
            select(Tenure, Position.title, organisation.folded_name)
            .join(Position, Position.id == Tenure.position_id)
            .join(organisation, organisation.id == Position.organisation_id)
            .where(Tenure.person_id.in_(ids[start : start + _CHUNK]), Tenure.office_id == office_id, Tenure.starts_on.is_(None))
        )
        found += [(tenure, (fold(title), name)) for tenure, title, name in db.session.execute(statement)]
    return found


def _notes(office_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    found: dict[uuid.UUID, set[str]] = defaultdict(set)
    for start in range(0, len(ids), _CHUNK):
        statement = select(Note.party_id, Note.body).where(Note.party_id.in_(ids[start : start + _CHUNK]), Note.office_id == office_id)
        for party_id, body in db.session.execute(statement):
            if party_id is not None:
                found[party_id].add(body)
    return found


@dataclass(frozen=True, slots=True)
class Named:
    """A party that a cell may mean."""

    id: uuid.UUID
    name: str
    reference: str
    form: str


def parties_named(office_id: uuid.UUID, texts: Iterable[str], *, forms: Sequence[str] = ()) -> dict[str, list[Named]]:
    """Which parties cells mean: by reference, else by exact name, else by a name or other name that folds alike. Three statements a 400 cells."""
    wanted = {text: fold(text) for text in texts if text.strip()}
    by_reference: dict[str, Named] = {}
    by_name: dict[str, dict[uuid.UUID, Named]] = defaultdict(dict)
    columns = (Party.id, Party.name, Party.reference, Party.form, Party.folded_name)
    own = [usable(office_id)] + ([Party.form.in_(forms)] if forms else [])
    for chunk in _parts(sorted({text.strip().upper() for text in wanted if "-" in text})):
        for row in db.session.execute(select(*columns).where(Party.reference.in_(chunk), *own)):
            by_reference[row.reference] = Named(row.id, row.name, row.reference, row.form)
    for chunk in _parts(sorted(set(wanted.values()))):
        for row in db.session.execute(select(*columns).where(Party.folded_name.in_(chunk), *own)):
            by_name[row.folded_name][row.id] = Named(row.id, row.name, row.reference, row.form)
        other = (
            select(*columns[:4], PartyName.folded_name)
            .join(PartyName, PartyName.party_id == Party.id)
            .where(PartyName.folded_name.in_(chunk), *own)
        )
        for row in db.session.execute(other):
            by_name[row.folded_name].setdefault(row.id, Named(row.id, row.name, row.reference, row.form))
    found: dict[str, list[Named]] = {}
    for text, folded in wanted.items():
        referred = by_reference.get(text.strip().upper())
        alike = [referred] if referred else list(by_name[folded].values())
        exact = [one for one in alike if one.name == text.strip()]
        found[text] = exact if len(exact) == 1 else alike
    return found


def _parts(items: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


@dataclass(frozen=True, slots=True)
class NewContact:
    """What of a new party may show that it is on record already."""

    row: int
    form: str
    names: tuple[str, ...]
    channels: tuple[tuple[str, str], ...]


def possible_duplicates(office_id: uuid.UUID, contacts: Sequence[NewContact]) -> dict[int, list[tuple[str, str]]]:
    """Rows that may be on record already under another name: {row: references, each with its name and why}. A suggestion only; nothing is
    put together. Within what the reader may see and the office may use: the office's colleagues read the summary."""
    candidates = [
        Candidate(
            contact.names[0],
            contact.form,
            contact.names[1:],
            emails=tuple(value for kind, value in contact.channels if kind == "email"),
            phones=tuple(value for kind, value in contact.channels if kind in ("phone", "mobile", "messaging")),
        )
        for contact in contacts
    ]
    alike = possible_duplicates_of(candidates, office_id=office_id)
    return {
        contact.row: [
            (one.reference, _("%(name)s (%(reference)s: %(why)s)", name=one.name, reference=one.reference, why=one.why))
            for one in found[:_MOST_SAID]
        ]
        for contact, found in zip(contacts, alike, strict=True)
        if found
    }


def positions_in(organisation_ids: Iterable[uuid.UUID]) -> Mapping[tuple[uuid.UUID, str], uuid.UUID]:
    """The posts of some organisations: (organisation, folded title) -> post."""
    ids = sorted(set(organisation_ids))
    found: dict[tuple[uuid.UUID, str], uuid.UUID] = {}
    for start in range(0, len(ids), _CHUNK):
        statement = select(Position.organisation_id, Position.title, Position.id).where(
            Position.organisation_id.in_(ids[start : start + _CHUNK])
        )
        for organisation_id, title, position_id in db.session.execute(statement.order_by(Position.id.desc())):
            found[organisation_id, fold(title)] = position_id
    return found


# --- how a file is read ----------------------------------------------------------------------------------------------


def sheet_of(batch_id: uuid.UUID) -> ImportSheet | None:
    """How a batch's spreadsheet is read; None for files of a fixed format."""
    return db.session.scalar(select(ImportSheet).where(ImportSheet.batch_id == batch_id))


def layout_of(office_id: uuid.UUID, slug: str, headings: str) -> ImportLayout | None:
    """What the office said last of columns with these headings (their digest)."""
    return db.session.scalar(
        select(ImportLayout).where(ImportLayout.office_id == office_id, ImportLayout.format == slug, ImportLayout.headings == headings)
    )


def reporting_currency(office_id: uuid.UUID) -> str:
    """The currency that an office reports in."""
    return db.session.scalar(select(Office.reporting_currency).where(Office.id == office_id)) or ""

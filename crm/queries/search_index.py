"""What of each noun is searchable, in one table, and the index entry that follows from a record. Knows no reader: see `search`."""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, literal, select

from crm.db import db
from crm.i18n import LazyText, _l
from crm.models.asks import Ask
from crm.models.base import OFFICE, OPEN, SHARED, Levelled, Shareable
from crm.models.commitments import Commitment
from crm.models.documents import Document
from crm.models.interactions import Interaction, Participant
from crm.models.parties import Party, PartyName, Position
from crm.models.pledges import Agreement, Allocation, Pledge, Receipt
from crm.models.programmes import Output, Programme
from crm.models.search import SearchEntry
from crm.queries.words import VERSION, near_words, normalise, sound_words, whole

CHUNK = 500


@dataclass(frozen=True)
class Part:
    """Rows of a record whose text is searched with it; of the record's own level."""

    model: type[Any]
    parent: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Searchable:
    """What is searchable of a noun: columns of the row itself, of its parts, and the names of the party it is about.

    Only text of the row's own level may stand here (`parts` share it by a rule of `flask verify`): notes, for example, do not.
    `names` are found in spite of a slip; they are among `texts`, or (a party's) in `parts`."""

    noun: str
    letter: str
    label: LazyText
    model: type[Any]
    texts: tuple[str, ...]
    party: str = ""
    names: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def watched(self) -> frozenset[str]:
        """The columns whose change changes the entry."""
        scope = "visibility" if issubclass(self.model, Shareable) else "level"
        return frozenset({*self.texts, *self.names, self.party, scope})


#: Noun -> what is searchable. A new noun is one line here; the order is that of the page.
NOUNS: dict[str, Searchable] = {
    one.noun: one
    for one in (
        Searchable(
            "parties", "p", _l("Parties"), Party, ("reference", "about"), "id", ("name",), (Part(PartyName, "party_id", ("name",)),)
        ),
        Searchable("positions", "s", _l("Posts"), Position, ("title", "portfolio"), "organisation_id", ("title",)),
        Searchable(
            "interactions",
            "i",
            _l("Interactions"),
            Interaction,
            (
                "reference", "purpose", "summary", "place_text", "point_1", "point_2", "point_3",
                "fallback", "offer", "red_line", "cancelled_reason",
            ),
            "party_id",
            parts=(Part(Participant, "interaction_id", ("name", "post")),),
        ),
        Searchable("asks", "a", _l("Asks"), Ask, ("reference", "sentence", "fallback"), "addressee_id"),
        Searchable(
            "commitments",
            "c",
            _l("Commitments"),
            Commitment,
            ("reference", "words", "on_behalf_of", "place_text", "quantity", "evidence", "witness", "outcome_note"),
            "party_id",
        ),
        Searchable("pledges", "l", _l("Pledges"), Pledge, ("reference", "event_name", "donor_reference"), "donor_id"),
        Searchable("agreements", "g", _l("Agreements"), Agreement, ("reference", "title", "donor_reference"), "donor_id"),
        Searchable("receipts", "r", _l("Receipts"), Receipt, ("reference", "bank_reference", "reason"), "donor_id"),
        Searchable("allocations", "x", _l("Allocations"), Allocation, ("reference", "reason")),
        Searchable(
            "programmes",
            "m",
            _l("Programmes"),
            Programme,
            ("reference", "title", "summary", "place_text"),
            names=("title",),
            parts=(Part(Output, "programme_id", ("title",)),),
        ),
        Searchable("documents", "d", _l("Documents"), Document, ("reference", "title"), "party_id"),
    )
}  # fmt: skip
NOUN_OF: dict[type[Any], Searchable] = {one.model: one for one in NOUNS.values()}
PART_OF: dict[type[Any], tuple[Searchable, Part]] = {part.model: (one, part) for one in NOUNS.values() for part in one.parts}


def mark(office_id: uuid.UUID | None, circle: str, letter: str) -> str:
    """What stands before each word of an entry: the same for all entries of a noun that the same people may find."""
    if circle == SHARED or office_id is None:
        return f"1{letter}"
    office = hashlib.blake2b(office_id.bytes, digest_size=4).hexdigest()
    return f"0{office}{'m' if circle == OFFICE else 'o'}{letter}"


@dataclass(frozen=True)
class Wanted:
    """An entry as the record has it now; its fields are the columns of `SearchEntry`."""

    noun: str
    record_id: uuid.UUID
    office_id: uuid.UUID
    circle: str
    party_id: uuid.UUID | None
    mark: str
    wide: str
    words: str
    party_words: str


def _circle(searchable: Searchable) -> ColumnElement[Any]:
    model = searchable.model
    if issubclass(model, Shareable):
        return model.visibility  # type: ignore[return-value]
    return model.level if issubclass(model, Levelled) else literal(OPEN)  # type: ignore[return-value]


def entries(searchable: Searchable, record_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Wanted]:
    """The entries that some records should have, by record. Four statements at the most."""
    model = searchable.model
    about = getattr(model, searchable.party) if searchable.party else literal(None)
    own = [getattr(model, name) for name in (*searchable.texts, *searchable.names)]
    rows = db.session.execute(select(model.id, model.office_id, _circle(searchable), about, *own).where(model.id.in_(record_ids))).all()
    texts: dict[uuid.UUID, list[str]] = defaultdict(list)
    for part in () if model is Party else searchable.parts:
        parent = getattr(part.model, part.parent)
        columns = [getattr(part.model, name) for name in part.texts]
        for key, *found in db.session.execute(select(parent, *columns).where(parent.in_(record_ids)).order_by(part.model.id)):
            texts[key] += found
    known = _known({row[3] for row in rows if row[3] is not None})
    return {row[0]: _wanted(searchable, row, texts[row[0]], known.get(row[3], _NOBODY)) for row in rows}


def entries_of(records: Sequence[Any], parts: Mapping[uuid.UUID, Sequence[Any]]) -> list[Wanted]:
    """The same for records that were just made, of any nouns, with all their parts by record: of the database only the names of
    parties are asked. One statement."""
    abouts = {record.id: getattr(record, party) for record in records if (party := NOUN_OF[type(record)].party)}
    known = _known({key for key in abouts.values() if key is not None})
    found = []
    for record in records:
        searchable, about = NOUN_OF[type(record)], abouts.get(record.id)
        own = (getattr(record, name) for name in (*searchable.texts, *searchable.names))
        mine = () if isinstance(record, Party) else sorted(parts.get(record.id, ()), key=lambda part: part.id.int)
        texts = [getattr(part, name) for part in mine for name in PART_OF[type(part)][1].texts]
        circle = record.visibility if isinstance(record, Shareable) else record.level if isinstance(record, Levelled) else OPEN
        found.append(_wanted(searchable, (record.id, record.office_id, circle, about, *own), texts, known.get(about, _NOBODY)))
    return found


_NOBODY: tuple[Sequence[str], str] = ((), "")


def _known(party_ids: Collection[uuid.UUID]) -> dict[uuid.UUID | None, tuple[Sequence[str], str]]:
    """The names of some parties and the words of these. One statement."""
    return {key: (names, party_words(names)) for key, names in names_of(party_ids).items()}


def _wanted(searchable: Searchable, row: Sequence[Any], texts: Sequence[str], party: tuple[Sequence[str], str]) -> Wanted:
    """The entry of a record. `row`: key, office, level or visibility, party, its own texts and names; `texts`: those of its parts;
    `party`: all names of its party, and their words."""
    key, office_id, level, party_id, *values = row
    circle = level if level == SHARED or (level == OFFICE and not issubclass(searchable.model, Shareable)) else OPEN
    own = values[: len(searchable.texts)]
    near = party[0] if searchable.model is Party else values[len(searchable.texts) :]
    words = normalise(" ".join(text for text in (*own, *texts) if text))
    return Wanted(
        noun=searchable.noun,
        record_id=key,
        office_id=office_id,
        circle=circle,
        party_id=party_id,
        mark=mark(office_id, circle, searchable.letter),
        wide="" if circle == OFFICE else searchable.letter,
        words=" ".join(
            [*words, *(_name_words(near) if searchable.names else ()), *(sound_words(near) if searchable.model is Party else ())]
        ),
        party_words=party[1],
    )


def _name_words(names: Sequence[str]) -> list[str]:
    """What only names are found by: their beginning, and spellings a slip away."""
    return [*sorted({word for name in names if (word := whole(name))}), *near_words(names)]


def names_of(party_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """Every name of some parties. One statement."""
    names: dict[uuid.UUID, list[str]] = {}
    if party_ids:
        joined = select(Party.id, Party.name, PartyName.name).outerjoin(PartyName, PartyName.party_id == Party.id)
        for key, name, other in db.session.execute(joined.where(Party.id.in_(party_ids)).order_by(Party.id, PartyName.id)):
            names.setdefault(key, [name]).extend([other] if other else [])
    return names


def party_words(names: Sequence[str]) -> str:
    """The words of a party's names, as its own entry and those of its records hold them."""
    return " ".join(normalise(" ".join(names)))


# --- the index and the tables ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """An entry that is not as its record is: `wanted` None where there is no such record, `held` None where there is no entry."""

    noun: str
    record_id: uuid.UUID
    wanted: Wanted | None
    held: SearchEntry | None


def record_ids(searchable: Searchable, after: uuid.UUID | None) -> list[uuid.UUID]:
    """The next ids of a noun's records, in order."""
    statement = select(searchable.model.id).order_by(searchable.model.id).limit(CHUNK)
    return list(db.session.scalars(statement if after is None else statement.where(searchable.model.id > after)))


def differences(searchable: Searchable, ids: Sequence[uuid.UUID]) -> list[Difference]:
    """Where the entries of some records are not as the records are."""
    wanted = entries(searchable, ids)
    statement = select(SearchEntry).where(SearchEntry.noun == searchable.noun, SearchEntry.record_id.in_(ids))
    held = {entry.record_id: entry for entry in db.session.scalars(statement)}
    return [
        Difference(searchable.noun, key, one, held.get(key))
        for key, one in sorted(wanted.items())
        if key not in held or any(getattr(held[key], name) != value for name, value in vars(one).items())
    ]


def is_outdated() -> bool:
    """Whether the entry of a party was written before its words were made as they are now."""
    old = select(SearchEntry.seq).where(SearchEntry.noun == NOUN_OF[Party].noun, ~SearchEntry.words.contains(VERSION, autoescape=True))
    return db.session.scalar(old.limit(1)) is not None


def strays(searchable: Searchable) -> list[SearchEntry]:
    """Entries, at most one chunk, whose record is gone."""
    is_there = exists().where(searchable.model.id == SearchEntry.record_id)
    return list(db.session.scalars(select(SearchEntry).where(SearchEntry.noun == searchable.noun, ~is_there).limit(CHUNK)))


def wrong_entries() -> Iterator[Difference]:
    """Every entry that is missing, left over or not as its record is (`flask verify`)."""
    for searchable in NOUNS.values():
        after: uuid.UUID | None = None
        while ids := record_ids(searchable, after):
            yield from differences(searchable, ids)
            db.session.expunge_all()
            after = ids[-1]
        for entry in strays(searchable):
            yield Difference(searchable.noun, entry.record_id, None, entry)

"""Possible duplicates: parties in the reader's scope that may be the one about to be recorded. Suggestions only.

By name and other names as crm.queries.likeness compares them, by e-mail address and by telephone number. Pairs of which the
office has said that they are not one are left out.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from crm.db import db
from crm.i18n import LazyText, _l
from crm.models.base import SHARED
from crm.models.parties import Channel, Party, PartyDistinction, PartyKey, PartyName
from crm.queries.likeness import Likeness, keys, likeness
from crm.queries.names import fold

MOST = 5
#: Candidates looked up together; parties of one key looked at (a common first name is shared by thousands).
CHUNK, OF_ONE_KEY = 200, 40
_MOST_NAMES = 6
_NUMBERS = ("phone", "mobile", "messaging")

REASONS: dict[str, LazyText] = {
    "email": _l("the same e-mail address"),
    "phone": _l("the same number"),
    "same": _l("the same name"),
    "written": _l("the same name, spelt otherwise"),
    "typed": _l("nearly the same name"),
}
_BY_LIKENESS = {Likeness.SAME: "same", Likeness.WRITTEN: "written", Likeness.TYPED: "typed"}


@dataclass(frozen=True)
class Candidate:
    """A party about to be recorded, or one on record (`party_id`). Addresses and numbers in their usual form."""

    name: str
    form: str = ""
    other_names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    party_id: uuid.UUID | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All its names, the first few."""
        return tuple(name for name in (self.name, *self.other_names) if name)[:_MOST_NAMES]


@dataclass(frozen=True)
class Alike:
    """A party that may be the same, and why (a key of `REASONS`, the strongest)."""

    id: uuid.UUID
    name: str
    reference: str
    form: str
    reason: str

    @property
    def why(self) -> str:
        """The reason in words."""
        return str(REASONS[self.reason])


def possible_duplicates(candidate: Candidate) -> tuple[Alike, ...]:
    """Whom one party may be, the likeliest first; at most five. Four statements at the most."""
    return possible_duplicates_of([candidate])[0]


def possible_duplicates_of(candidates: Sequence[Candidate], *, office_id: uuid.UUID | None = None) -> list[tuple[Alike, ...]]:
    """The same for many, in their order: four statements for each 200 of them. With an office, only what that office has or shares
    in: for what its colleagues will read."""
    return [alike for start in range(0, len(candidates), CHUNK) for alike in _of_chunk(candidates[start : start + CHUNK], office_id)]


def _of_chunk(candidates: Sequence[Candidate], office_id: uuid.UUID | None) -> Iterator[tuple[Alike, ...]]:
    wanted = [frozenset(key for name in one.names for key in keys(name)) for one in candidates]
    by_key = _parties_by_key(frozenset().union(*wanted), office_id)
    by_channel = _parties_by_channel(candidates, office_id)
    found = [{party_id for key in some for party_id in by_key.get(key, ())} for some in wanted]
    reached = [_reached(one, by_channel) for one in candidates]
    known = _names({party_id for some in (*found, *reached) for party_id in some})
    apart = _distinctions([one.party_id for one in candidates if one.party_id])
    for one, named, told in zip(candidates, found, reached, strict=True):
        alike = []
        for party_id in {*named, *told} - {one.party_id} - apart.get(one.party_id, set()):
            reason = told.get(party_id) or (_reason(one, known[party_id]) if party_id in known else "")
            if reason and party_id in known:
                other = known[party_id]
                alike.append(Alike(party_id, other.name, other.reference, other.form, reason))
        ranks = list(REASONS)
        yield tuple(sorted(alike, key=lambda other: (ranks.index(other.reason), fold(other.name), other.id))[:MOST])


def _parties_by_key(wanted: Iterable[int], office_id: uuid.UUID | None) -> dict[int, list[uuid.UUID]]:
    """Parties in scope by key, the newest first, so many of each."""
    place = func.row_number().over(partition_by=PartyKey.key, order_by=PartyKey.party_id.desc()).label("place")
    statement = select(PartyKey.key, PartyKey.party_id, place).where(PartyKey.key.in_(sorted(wanted)))
    if office_id is not None:
        statement = statement.where(or_(PartyKey.visibility == SHARED, PartyKey.office_id == office_id))
    rows = statement.subquery()
    found: dict[int, list[uuid.UUID]] = defaultdict(list)
    for key, party_id in db.session.execute(select(rows.c.key, rows.c.party_id).where(rows.c.place <= OF_ONE_KEY)):
        found[key].append(party_id)
    return found


def _parties_by_channel(candidates: Sequence[Candidate], office_id: uuid.UUID | None) -> dict[tuple[str, str], set[uuid.UUID]]:
    emails = sorted({email.casefold() for one in candidates for email in one.emails})
    phones = sorted({phone for one in candidates for phone in one.phones})
    if not emails and not phones:
        return {}
    statement = select(Channel.kind, Channel.value, Channel.party_id).where(
        or_((Channel.kind == "email") & func.lower(Channel.value).in_(emails), Channel.kind.in_(_NUMBERS) & Channel.value.in_(phones))
    )
    if office_id is not None:
        statement = statement.where(Channel.office_id == office_id)
    found: dict[tuple[str, str], set[uuid.UUID]] = defaultdict(set)
    for kind, value, party_id in db.session.execute(statement):
        found["email" if kind == "email" else "phone", value.casefold()].add(party_id)
    return found


def _reached(one: Candidate, by_channel: dict[tuple[str, str], set[uuid.UUID]]) -> dict[uuid.UUID, str]:
    """Who is reached at the same number or address, which counts more."""
    told = {party_id: "phone" for phone in one.phones for party_id in by_channel.get(("phone", phone.casefold()), ())}
    return told | {party_id: "email" for email in one.emails for party_id in by_channel.get(("email", email.casefold()), ())}


@dataclass
class _Known:
    name: str
    reference: str
    form: str
    names: list[str]


def _names(party_ids: set[uuid.UUID]) -> dict[uuid.UUID, _Known]:
    """The names of parties in scope. Two statements a 400."""
    ids = list(party_ids)
    known: dict[uuid.UUID, _Known] = {}
    for start in range(0, len(ids), 400):
        part = ids[start : start + 400]
        for party_id, name, reference, form in db.session.execute(
            select(Party.id, Party.name, Party.reference, Party.form).where(Party.id.in_(part))
        ):
            known[party_id] = _Known(name, reference, form, [name])
        for party_id, name in db.session.execute(
            select(PartyName.party_id, PartyName.name).where(PartyName.party_id.in_(part)).order_by(PartyName.name)
        ):
            if party_id in known:
                known[party_id].names.append(name)
    return known


def _reason(one: Candidate, other: _Known) -> str:
    if one.form and one.form != other.form:
        return ""
    is_person = (one.form or other.form) == "person"
    best = max((likeness(mine, its, is_person=is_person) for mine in one.names for its in other.names), default=Likeness.NO)
    return _BY_LIKENESS.get(best, "")


def _distinctions(party_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID | None, set[uuid.UUID]]:
    """Who is known to be somebody else than whom."""
    if not party_ids:
        return {}
    rows = db.session.execute(
        select(PartyDistinction.one_id, PartyDistinction.other_id).where(
            or_(PartyDistinction.one_id.in_(party_ids), PartyDistinction.other_id.in_(party_ids))
        )
    )
    apart: dict[uuid.UUID | None, set[uuid.UUID]] = defaultdict(set)
    for one, other in rows:
        apart[one].add(other)
        apart[other].add(one)
    return apart

"""What forms offer and how they read what was typed: parties by name, colleagues, programmes, posts."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, exists, or_, select, true

from crm.db import db
from crm.models.asks import Ask
from crm.models.base import SHARED
from crm.models.interactions import Interaction
from crm.models.parties import Party, PartyName, Position, Tenure
from crm.models.programmes import Programme
from crm.models.users import Membership, User
from crm.policy import ROLES, OfficeFacts, Permission, offices_by_id
from crm.queries import positions
from crm.queries.names import fold

MOST_MATCHES = 8
MOST_LIKELY = 40
_RECENT = 200
_WRITERS = tuple(role for role, allowed in ROLES.items() if Permission.CONTACT_LOG in allowed)


@dataclass(frozen=True)
class Match:
    """A party that a typed text may mean."""

    id: uuid.UUID
    name: str
    form: str
    reference: str
    country: str | None


@dataclass(frozen=True)
class Resolution:
    """What a typed text means: `one` party surely, or `several` it may mean (near names too), or nobody (`several` empty)."""

    one: Match | None
    several: tuple[Match, ...] = ()


def match_of(party: Party) -> Match:
    """A party as what a text may mean."""
    return Match(party.id, party.name, party.form, party.reference, party.country)


def _usable(office_id: uuid.UUID | None) -> ColumnElement[bool]:
    """Parties that a record of an office may name: shared ones and the office's own."""
    return true() if office_id is None else or_(Party.visibility == SHARED, Party.office_id == office_id)


def resolve_party(text: str, office_id: uuid.UUID | None = None) -> Resolution:
    """Read a typed party: its reference, else its exact name, else the one name that folds alike (other names count); where
    more than one fits, or only the beginning does, those are returned to choose from. At most three statements."""
    text = text.strip()
    folded = fold(text)
    if not folded:
        return Resolution(None)
    usable = select(Party).where(_usable(office_id))
    if "-" in text and len(text) <= 30:  # noqa: PLR2004 - the column's length
        referred = db.session.scalar(usable.where(Party.reference == text.upper()))
        if referred is not None:
            return Resolution(match_of(referred))
    other = exists().where(PartyName.party_id == Party.id, PartyName.folded_name == folded)
    alike = list(
        db.session.scalars(usable.where(or_(Party.folded_name == folded, other)).order_by(Party.name, Party.id).limit(MOST_MATCHES + 1))
    )
    exact = [party for party in alike if party.name == text]
    if len(exact) == 1:
        return Resolution(match_of(exact[0]))
    if len(alike) == 1:
        return Resolution(match_of(alike[0]))
    if not alike:
        near = usable.where(Party.folded_name.startswith(folded, autoescape=True)).order_by(Party.folded_name, Party.id)
        alike = list(db.session.scalars(near.limit(MOST_MATCHES)))
    return Resolution(None, tuple(match_of(party) for party in alike[:MOST_MATCHES]))


def party_match(party_id: uuid.UUID | None, office_id: uuid.UUID | None = None) -> Match | None:
    """One party by its id, where a record of the office may name it."""
    if party_id is None:
        return None
    found = db.session.scalar(select(Party).where(Party.id == party_id, _usable(office_id)))
    return match_of(found) if found else None


def party_matches(party_ids: Collection[uuid.UUID], office_id: uuid.UUID | None = None) -> dict[uuid.UUID, Match]:
    """Some parties by their ids, where a record of the office may name them."""
    if not party_ids:
        return {}
    return {party.id: match_of(party) for party in db.session.scalars(select(Party).where(Party.id.in_(party_ids), _usable(office_id)))}


def likely_parties(office_id: uuid.UUID) -> list[str]:
    """Names to offer while typing: whom the office met last, then, where these are few, what it recorded last. Three statements at
    most."""
    recent = db.session.scalars(
        select(Interaction.party_id).where(Interaction.office_id == office_id).order_by(Interaction.starts_at.desc()).limit(_RECENT)
    )
    order = list(dict.fromkeys(recent))[:MOST_LIKELY]
    names = dict(db.session.execute(select(Party.id, Party.name).where(Party.id.in_(order))).all()) if order else {}
    found = dict.fromkeys(names[party_id] for party_id in order if party_id in names)
    if len(found) < MOST_LIKELY:
        newest = select(Party.name).where(Party.office_id == office_id).order_by(Party.id.desc()).limit(MOST_LIKELY)
        found |= dict.fromkeys(db.session.scalars(newest))
    return list(found)[:MOST_LIKELY]


def _post(tenure: Tenure) -> str:
    position: Position | None = tenure.position  # empty where it lies outside the reader's scope
    organisation: Party | None = position.organisation if position is not None else None
    if position is None:
        return ""
    return position.title if organisation is None else f"{position.title}, {organisation.name}"


def posts_on_days(wanted: Collection[tuple[uuid.UUID, date]]) -> dict[tuple[uuid.UUID, date], str]:
    """The post that people hold, each on days of their own, as text: "Minister of Health, Ministry of Health"."""
    held = positions.tenures_of_people({person_id for person_id, _day in wanted})
    found = {}
    for person_id, day in wanted:
        current = [one for one in held.get(person_id, ()) if positions.is_current(one, day)]
        if current:
            found[person_id, day] = _post(current[-1])
    return found


def post_choices(party_id: uuid.UUID) -> list[tuple[uuid.UUID, str]]:
    """The posts of an organisation, or those that a person holds or held, by title. One statement."""
    held = exists().where(Tenure.position_id == Position.id, Tenure.person_id == party_id)
    statement = (
        select(Position.id, Position.title).where(or_(Position.organisation_id == party_id, held)).order_by(Position.title, Position.id)
    )
    return list(db.session.execute(statement.limit(50)))


def programme_choices(office_id: uuid.UUID | None = None) -> list[tuple[uuid.UUID, str]]:
    """The programmes of an office (None: all in scope), by title."""
    statement = select(Programme.id, Programme.title).order_by(Programme.title, Programme.id)
    if office_id is not None:
        statement = statement.where(Programme.office_id == office_id)
    return list(db.session.execute(statement))


def programme_named(programme_id: uuid.UUID | None) -> tuple[str, str] | None:
    """Title and reference of a programme in scope."""
    if programme_id is None:
        return None
    row = db.session.execute(select(Programme.title, Programme.reference).where(Programme.id == programme_id)).one_or_none()
    return None if row is None else (row.title, row.reference)


def colleague_choices(office_id: uuid.UUID, *, also: Iterable[uuid.UUID | None] = ()) -> list[tuple[uuid.UUID, str]]:
    """The people who record contacts in an office (and some others in scope), by name."""
    return colleagues_of([office_id], also=also)


def colleagues_of(office_ids: Collection[uuid.UUID], *, also: Iterable[uuid.UUID | None] = ()) -> list[tuple[uuid.UUID, str]]:
    """The people who record contacts in any of some offices (and some others in scope), by name."""
    works = exists().where(Membership.user_id == User.id, Membership.office_id.in_(office_ids), Membership.role.in_(_WRITERS))
    others = [user_id for user_id in also if user_id is not None]
    statement = select(User.id, User.name).where(or_(works, User.id.in_(others)), User.is_active.is_(True))
    return list(db.session.execute(statement.order_by(User.name, User.id)))


def people(user_ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    """The names of some colleagues, as far as the reader may see them."""
    wanted = {user_id for user_id in user_ids if user_id is not None}
    return dict(db.session.execute(select(User.id, User.name).where(User.id.in_(wanted))).all()) if wanted else {}


def ask_sentences(ask_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The sentences of some asks, as far as the reader may see them."""
    return dict(db.session.execute(select(Ask.id, Ask.sentence).where(Ask.id.in_(ask_ids))).all()) if ask_ids else {}


def office(office_id: uuid.UUID) -> OfficeFacts:
    """An office by its id."""
    return offices_by_id()[office_id]


def office_names(office_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of some offices."""
    known = offices_by_id()
    return {key: known[key].name for key in office_ids if key in known}

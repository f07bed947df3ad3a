"""What is on record of what lists of posts and of contacts name: posts with their holders, contacts held, colleagues, asks, programmes."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, or_, select

from crm.db import db
from crm.models.asks import Ask, AskAnswer
from crm.models.base import SHARED
from crm.models.interactions import FollowUp, Interaction, Participant
from crm.models.notes import Note
from crm.models.parties import Position, Tenure
from crm.models.programmes import Programme
from crm.models.users import User
from crm.queries.names import fold
from crm.queries.sheet_imports import NewContact, possible_duplicates

_CHUNK = 400

Item = TypeVar("Item")


def _parts(items: Iterable[Item]) -> Iterable[Sequence[Item]]:
    wanted = list(items)
    for start in range(0, len(wanted), _CHUNK):
        yield wanted[start : start + _CHUNK]


def near_names(office_id: uuid.UUID, texts: Iterable[str], form: str = "") -> dict[str, str]:
    """Parties that names not on record may mean, each as "name (reference: why)". Four statements for each 200 names."""
    wanted = sorted({text for text in texts if text.strip()})
    alike = possible_duplicates(office_id, [NewContact(row, form, (text,), ()) for row, text in enumerate(wanted)])
    return {wanted[row]: "; ".join(text for _reference, text in found) for row, found in alike.items()}


# --- posts -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class KnownTenure:
    """Somebody in a post: on record, or (without an id) as an earlier row of the file says. `said`: field -> what the file said, in which row."""

    id: uuid.UUID | None
    office_id: uuid.UUID
    version: int
    person_id: uuid.UUID
    starts_on: date | None = None
    ends_on: date | None = None
    form_of_address: str = ""
    biography: str = ""
    said: dict[str, tuple[object, int]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class KnownPost:
    """A post of an organisation, as `KnownTenure`."""

    id: uuid.UUID | None
    office_id: uuid.UUID
    version: int
    organisation_id: uuid.UUID
    title: str
    portfolio: str = ""
    tenures: list[KnownTenure] = field(default_factory=list)
    said: dict[str, tuple[object, int]] = field(default_factory=dict)


def posts_of(office_id: uuid.UUID, organisation_ids: Iterable[uuid.UUID]) -> list[KnownPost]:
    """The posts of some organisations with everybody who holds or held them: shared ones and the office's own. Two statements a 400."""

    def usable(entity: type[Position | Tenure]) -> ColumnElement[bool]:
        return or_(entity.visibility == SHARED, entity.office_id == office_id)

    found: dict[uuid.UUID, KnownPost] = {}
    for ids in _parts(sorted(set(organisation_ids))):
        columns = (Position.id, Position.office_id, Position.version, Position.organisation_id, Position.title, Position.portfolio)
        for row in db.session.execute(select(*columns).where(Position.organisation_id.in_(ids), usable(Position)).order_by(Position.id)):
            found[row.id] = KnownPost(*row)
    for ids in _parts(sorted(found)):
        names = ("id", "office_id", "version", "person_id", "starts_on", "ends_on", "form_of_address", "biography")
        held = select(Tenure.position_id, *(getattr(Tenure, name) for name in names)).where(Tenure.position_id.in_(ids), usable(Tenure))
        for position_id, *values in db.session.execute(held.order_by(Tenure.starts_on.nulls_first(), Tenure.id)):
            found[position_id].tenures.append(KnownTenure(*values))
    return list(found.values())


def version_of(entity: type[Position | Tenure], record_id: uuid.UUID) -> int:
    """The version that a record has now."""
    return db.session.scalars(select(entity.version).where(entity.id == record_id)).one()


# --- contacts held ---------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class KnownContact:
    """A contact on record, or (without an id) one that an earlier row of the file makes, as far as rows are compared with it."""

    id: uuid.UUID | None
    reference: str
    state: str
    kind: str
    starts_at: datetime
    party_id: uuid.UUID
    purpose: str = ""
    summary: str = ""
    place_text: str = ""
    language: str = ""
    minutes: int | None = None
    programme_id: uuid.UUID | None = None
    people: set[tuple[str, uuid.UUID | str]] = field(default_factory=set)  # (side, id or folded name)
    steps: set[str] = field(default_factory=set)  # folded
    notes: set[str] = field(default_factory=set)
    answers: dict[uuid.UUID, tuple[str, str]] = field(default_factory=dict)  # ask -> answer, words
    said: dict[str, tuple[object, int]] = field(default_factory=dict)


def contacts_with(
    office_id: uuid.UUID, party_ids: Collection[uuid.UUID], since: datetime, until: datetime, references: Collection[str]
) -> list[KnownContact]:
    """An office's contacts with some parties between two moments, and those of some references. Five statements a 400."""
    names = (
        "id",
        "reference",
        "state",
        "kind",
        "starts_at",
        "party_id",
        "purpose",
        "summary",
        "place_text",
        "language",
        "minutes",
        "programme_id",
    )
    columns = [getattr(Interaction, name) for name in names]
    found: dict[uuid.UUID, KnownContact] = {}
    near = Interaction.starts_at.between(since, until)
    for ids in _parts(sorted(party_ids)):
        for row in db.session.execute(select(*columns).where(Interaction.office_id == office_id, Interaction.party_id.in_(ids), near)):
            found[row.id] = KnownContact(*row)
    for texts in _parts(sorted(references)):
        for row in db.session.execute(select(*columns).where(Interaction.office_id == office_id, Interaction.reference.in_(texts))):
            found.setdefault(row.id, KnownContact(*row))
    for ids in _parts(sorted(found)):
        _add_parts(found, ids)
    return list(found.values())


def _add_parts(found: Mapping[uuid.UUID, KnownContact], ids: Sequence[uuid.UUID]) -> None:
    people = select(Participant.interaction_id, Participant.side, Participant.party_id, Participant.user_id, Participant.name)
    for key, side, party_id, user_id, name in db.session.execute(people.where(Participant.interaction_id.in_(ids))):
        found[key].people |= {(side, who) for who in (party_id, user_id, fold(name)) if who}
    for step in db.session.execute(select(FollowUp.interaction_id, FollowUp.text).where(FollowUp.interaction_id.in_(ids))):
        found[step.interaction_id].steps.add(fold(step.text))
    for note in db.session.execute(select(Note.interaction_id, Note.body).where(Note.interaction_id.in_(ids))):
        found[note.interaction_id].notes.add(note.body)
    given = select(AskAnswer.interaction_id, AskAnswer.ask_id, AskAnswer.answer, AskAnswer.words)
    for key, ask_id, answer, words in db.session.execute(given.where(AskAnswer.interaction_id.in_(ids))):
        found[key].answers[ask_id] = (answer, words)


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person of our own offices."""

    id: uuid.UUID
    name: str
    email: str
    office_id: uuid.UUID


def colleagues_named(office_id: uuid.UUID, texts: Iterable[str]) -> dict[str, list[Colleague]]:
    """Which colleagues in scope cells mean: by e-mail address, else by name as it is folded; those of the office before others. Also
    those who left, since a list speaks of the past. One statement."""
    wanted = {text: fold(text) for text in texts if text.strip()}
    if not wanted:
        return {}
    by_email: dict[str, Colleague] = {}
    by_name: dict[str, list[Colleague]] = defaultdict(list)
    for row in db.session.execute(select(User.id, User.name, User.email, User.office_id).order_by(User.name, User.id)):
        one = Colleague(*row)
        by_email[one.email.casefold()] = one
        by_name[fold(one.name)].append(one)
    found: dict[str, list[Colleague]] = {}
    for text, folded in wanted.items():
        named = by_email.get(text.strip().casefold())
        alike = [named] if named else by_name.get(folded, [])
        found[text] = [one for one in alike if one.office_id == office_id] or alike
    return found


def asks_named(office_id: uuid.UUID, texts: Iterable[str]) -> dict[str, list[tuple[uuid.UUID, str]]]:
    """Which of an office's asks cells mean, by reference or by their whole sentence: (ask, reference). One statement a 400."""
    found: dict[str, list[tuple[uuid.UUID, str]]] = defaultdict(list)
    for part in _parts(sorted({text for text in texts if text.strip()})):
        means = or_(Ask.reference.in_([text.upper() for text in part]), Ask.sentence.in_(part))
        for row in db.session.execute(select(Ask.id, Ask.reference, Ask.sentence).where(Ask.office_id == office_id, means)):
            for text in part:
                if row.reference == text.upper() or row.sentence == text:
                    found[text].append((row.id, row.reference))
    return found


def programmes_named(office_id: uuid.UUID, texts: Iterable[str]) -> dict[str, list[tuple[uuid.UUID, str]]]:
    """Which of an office's programmes cells mean, by reference or title in any case: (programme, reference). One statement."""
    wanted = {text for text in texts if text.strip()}
    if not wanted:
        return {}
    found: dict[str, list[tuple[uuid.UUID, str]]] = defaultdict(list)
    for row in db.session.execute(select(Programme.id, Programme.reference, Programme.title).where(Programme.office_id == office_id)):
        for text in wanted:
            if row.reference == text.upper() or fold(row.title) == fold(text):
                found[text].append((row.id, row.reference))
    return found

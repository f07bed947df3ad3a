"""What the contact services share: typed text, days and references checked in one sweep, refused field by field.

Not a service: nothing here commits or asks for a permission; its callers do.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import or_, select

from crm import clock
from crm.db import db
from crm.errors import EditConflict, Invalid
from crm.i18n import _
from crm.models.asks import Ask
from crm.models.base import LEVELS, OFFICE, OPEN, SHARED
from crm.models.interactions import Interaction
from crm.models.parties import Party, Position
from crm.models.programmes import Programme
from crm.models.users import User
from crm.policy import Actor, offices_by_id
from crm.services import fields, parties
from crm.services.versions import check_version

#: What a party is to us that gives.
DONOR = "donor"
FIRST_DAY = date(1945, 1, 1)
LAST_DAY = date(2100, 12, 31)


@dataclass(frozen=True)
class Opened:
    """What an edit form was opened with: the record's version; after a conflict page also the version it showed (`settled`)
    and what was chosen there for each field, "yours" or "theirs"."""

    version: int
    settled: int = 0
    choices: Mapping[str, str] = field(default_factory=dict)


def merge(
    record: Any, opened: int | Opened, yours: Mapping[str, object], *, parts: Mapping[str, tuple[object, object]] | None = None
) -> dict[str, object]:
    """`versions.check_version`, and the choices of a conflict page: what to write. Raises `EditConflict` where a choice is
    missing or somebody saved once more since."""
    known = Opened(opened) if isinstance(opened, int) else opened
    try:
        return check_version(record, known.version, yours, parts=parts)
    except EditConflict as clash:
        if clash.version != known.settled or any(name not in known.choices for name in clash.changes):
            raise
        chosen = {name: theirs if known.choices[name] == "theirs" else mine for name, (_before, theirs, mine) in clash.changes.items()}
        return {**clash.merged, **chosen}


def new_party(actor: Actor, office_id: uuid.UUID, new: parties.NewParty, field_name: str) -> uuid.UUID:
    """Make the party that a record names for the first time; refusals stand beside the field that names it."""
    try:
        return parties.create_party(actor, office_id, new)
    except Invalid as error:
        raise Invalid(errors={field_name: [text for texts in error.errors.values() for text in texts]}) from error


def donor_named(actor: Actor, office_id: uuid.UUID, donor_id: uuid.UUID | None, new: parties.NewParty | None) -> uuid.UUID | None:
    """The donor that a record names: one on record, or somebody new, who is made and is a donor to us from now on."""
    if donor_id is not None or new is None:
        return donor_id
    return new_party(actor, office_id, replace(new, kinds=[*new.kinds, DONOR]), "donor_id")


def narrower(*levels: str) -> str:
    """The narrowest of some levels: a record shows no more than what it is made from."""
    return OFFICE if OFFICE in levels else OPEN


def office_today(office_id: uuid.UUID) -> date:
    """The day it is in an office."""
    return clock.today(offices_by_id()[office_id].timezone)


class Checks:
    """Collects refusals by field, so that a person sees all of them at once. `prefix` goes before each field's name. What a record
    refers to is looked up once, however many of its rows refer to it."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.errors: dict[str, list[str]] = {}
        self._found: dict[tuple[type[Any], uuid.UUID, uuid.UUID | None], Any] = {}

    def part(self, prefix: str) -> Checks:
        """Checks of a part (a row) that collect into the same whole."""
        part = Checks(f"{self.prefix}{prefix}")
        part.errors, part._found = self.errors, self._found
        return part

    def know(self, record: Interaction) -> None:
        """Take a record that this transaction makes, or holds, for found: its rows refer to it."""
        self._found[Interaction, record.id, record.office_id] = record

    def know_colleagues(self, user_ids: Iterable[uuid.UUID]) -> None:
        """Take people of our own offices, in scope, for found."""
        self._found.update({(User, user_id, None): user_id for user_id in user_ids})

    @property
    def parties(self) -> list[Party]:
        """The parties that were found."""
        return [found for found in self._found.values() if isinstance(found, Party)]

    def _once(self, model: type[Any], key: uuid.UUID | None, office_id: uuid.UUID | None, what: Any, *where: Any) -> Any:
        """What is asked for with a key, as a record or column; looked up once."""
        if key is None:
            return None
        if (model, key, office_id) not in self._found:
            self._found[model, key, office_id] = db.session.scalar(select(what).where(model.id == key, *where))
        return self._found[model, key, office_id]

    def refuse(self, field: str, sentence: str) -> None:
        """Note a refusal."""
        self.errors.setdefault(f"{self.prefix}{field}", []).append(sentence)

    def done(self) -> None:
        """Raise `Invalid` with everything that was refused."""
        if self.errors:
            raise Invalid(errors=self.errors)

    def text(self, field: str, value: str, longest: int, *, needed: str = "") -> str:
        """Tidy text (NFC, no control characters), at most `longest` characters; `needed`: the sentence when it is empty."""
        try:
            return fields.text(value or "", field, longest, needed=needed)
        except Invalid as error:
            self.refuse(field, str(error))
            return value or ""

    def choice(self, field: str, value: str, allowed: Collection[str]) -> str:
        """One of the allowed words."""
        if value not in allowed:
            self.refuse(field, _("Choose one of the answers offered."))
        return value

    def code(self, field: str, name: str, value: str, on: date, *held: str | None) -> str:
        """A code of a list that a record of a day may hold; see `fields.code`."""
        try:
            return fields.code(name, value, on, *held, field=field)
        except Invalid as error:
            self.refuse(field, str(error))
            return value

    def level(self, field: str, value: str, actor: Actor, office_id: uuid.UUID) -> str:
        """A level; only the office's own people write for the office alone (nobody writes what they cannot read)."""
        if value not in LEVELS:
            self.refuse(field, _("Choose who can read it."))
        elif value == OFFICE and office_id not in actor.member_of and not actor.is_system:
            self.refuse(field, _("Only somebody of the office itself can record something for the office alone."))
        return value

    def day(self, field: str, value: date | None, *, needed: str = "", latest: date | None = None, too_late: str = "") -> date | None:
        """A day within sense; `latest` refuses later ones with the sentence `too_late`."""
        if value is None:
            if needed:
                self.refuse(field, needed)
            return None
        if not FIRST_DAY <= value <= LAST_DAY:
            self.refuse(field, _("Enter a day between 1945 and 2100."))
        elif latest is not None and value > latest:
            self.refuse(field, too_late)
        return value

    def party(self, field: str, party_id: uuid.UUID | None, office_id: uuid.UUID, *, needed: str = "") -> Party | None:
        """A party in scope that the office's own people can see too: shared, or the office's."""
        is_theirs = or_(Party.visibility == SHARED, Party.office_id == office_id)
        found: Party | None = self._once(Party, party_id, office_id, Party, is_theirs)
        if found is None and (needed or party_id):
            self.refuse(field, needed or _("Choose somebody from the list."))
        return found

    def programme(self, field: str, programme_id: uuid.UUID | None, office_id: uuid.UUID) -> uuid.UUID | None:
        """A programme of the same office."""
        if programme_id is None:
            return None
        found: uuid.UUID | None = self._once(Programme, programme_id, office_id, Programme.id, Programme.office_id == office_id)
        if found is None:
            self.refuse(field, _("Choose a programme of this office."))
        return found

    def colleague(self, field: str, user_id: uuid.UUID | None) -> uuid.UUID | None:
        """A person of our own offices, in scope."""
        if user_id is None:
            return None
        found: uuid.UUID | None = self._once(User, user_id, None, User.id)
        if found is None:
            self.refuse(field, _("Choose one of your colleagues."))
        return found

    def position(self, field: str, position_id: uuid.UUID | None) -> uuid.UUID | None:
        """A post in scope."""
        if position_id is None:
            return None
        found = db.session.scalar(select(Position.id).where(Position.id == position_id))
        if found is None:
            self.refuse(field, _("Choose one of the posts offered."))
        return found

    def ask(self, field: str, ask_id: uuid.UUID | None, office_id: uuid.UUID) -> Ask | None:
        """An ask of the same office, in scope."""
        if ask_id is None:
            return None
        found: Ask | None = self._once(Ask, ask_id, office_id, Ask, Ask.office_id == office_id)
        if found is None:
            self.refuse(field, _("Choose one of the asks of this office."))
        return found

    def interaction(self, field: str, interaction_id: uuid.UUID | None, office_id: uuid.UUID) -> Interaction | None:
        """An interaction of the same office, in scope."""
        if interaction_id is None:
            return None
        found: Interaction | None = self._once(Interaction, interaction_id, office_id, Interaction, Interaction.office_id == office_id)
        if found is None:
            self.refuse(field, _("Choose one of the interactions of this office."))
        return found

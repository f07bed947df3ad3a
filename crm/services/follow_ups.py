"""Follow-ups: what one of us must do by a day; done with a note, moved, opened again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select

from crm.db import db, transactional
from crm.errors import NotFound
from crm.i18n import _
from crm.models.base import OPEN, SENTENCE_LENGTH
from crm.models.commitments import Commitment
from crm.models.interactions import FollowUp
from crm.policy import Actor, Permission, require
from crm.services.checking import Checks, Opened, merge, narrower, new_party, office_today
from crm.services.parties import NewParty


@dataclass(frozen=True)
class NewFollowUp:
    """Something to be done. Without an owner it is the actor's own. `new_party`: whom it is about, where that one is to be recorded too."""

    office_id: uuid.UUID
    text: str
    due_on: date | None
    owner_id: uuid.UUID | None = None
    party_id: uuid.UUID | None = None
    interaction_id: uuid.UUID | None = None
    ask_id: uuid.UUID | None = None
    commitment_id: uuid.UUID | None = None
    level: str = OPEN
    new_party: NewParty | None = None


def check_follow_up(actor: Actor, new: NewFollowUp, checks: Checks) -> dict[str, object]:
    """The column values of a follow-up, refusals collected in `checks`; never wider than what it belongs to."""
    interaction = checks.interaction("interaction_id", new.interaction_id, new.office_id)
    ask = checks.ask("ask_id", new.ask_id, new.office_id)
    commitment = None
    if new.commitment_id is not None:
        commitment = db.session.scalar(select(Commitment).where(Commitment.id == new.commitment_id, Commitment.office_id == new.office_id))
        if commitment is None:
            checks.refuse("commitment_id", _("Choose one of the commitments of this office."))
    parents = [found for found in (interaction, ask, commitment) if found is not None]
    party_id = new.party_id or next(
        (id_ for id_ in (interaction and interaction.party_id, ask and ask.addressee_id, commitment and commitment.party_id) if id_), None
    )
    party = checks.party("party_id", party_id, new.office_id)
    return {
        "text": checks.text("text", new.text, SENTENCE_LENGTH, needed=_("Write what is to be done.")),
        "due_on": checks.day("due_on", new.due_on, needed=_("Enter the day by which it is to be done.")),
        "owner_id": checks.colleague("owner_id", new.owner_id) or actor.user_id,
        "party_id": party.id if party else None,
        "interaction_id": interaction.id if interaction else None,
        "ask_id": ask.id if ask else None,
        "commitment_id": commitment.id if commitment else None,
        "level": narrower(checks.level("level", new.level, actor, new.office_id), *(parent.level for parent in parents)),
    }


@transactional
def create_follow_up(actor: Actor, new: NewFollowUp) -> uuid.UUID:
    """Record a follow-up. Raises `Invalid` by field."""
    require(actor, Permission.CONTACT_LOG, new.office_id)
    if new.party_id is None and new.new_party is not None:
        new = replace(new, party_id=new_party(actor, new.office_id, new.new_party, "party_id"))
    checks = Checks()
    values = check_follow_up(actor, new, checks)
    checks.done()
    record = add_follow_up(new.office_id, values)
    db.session.flush()
    return record.id


def add_follow_up(office_id: uuid.UUID, values: Mapping[str, object]) -> FollowUp:
    """Make a follow-up of what `check_follow_up` gave.

    Part of the services that record follow-ups: call it inside their transaction, once nothing was refused."""
    record = FollowUp(office_id=office_id, **values)
    db.session.add(record)
    return record


def _load(follow_up_id: uuid.UUID) -> FollowUp:
    found = db.session.scalar(select(FollowUp).where(FollowUp.id == follow_up_id).with_for_update())
    if found is None:
        raise NotFound(_("There is no such follow-up here."))
    return found


@transactional
def finish_follow_up(actor: Actor, follow_up_id: uuid.UUID, *, note: str = "") -> uuid.UUID:
    """Done, today, with a note if there is something to say. Doing it twice changes nothing."""
    record = _load(follow_up_id)
    require(actor, Permission.CONTACT_LOG, record.office_id)
    checks = Checks()
    words = checks.text("done_note", note, SENTENCE_LENGTH)
    checks.done()
    if record.done_on is None:
        record.done_on = office_today(record.office_id)
    if words:
        record.done_note = words
    db.session.flush()
    return record.id


@transactional
def reopen_follow_up(actor: Actor, follow_up_id: uuid.UUID) -> uuid.UUID:
    """It was not done after all."""
    record = _load(follow_up_id)
    require(actor, Permission.CONTACT_LOG, record.office_id)
    record.done_on = None
    db.session.flush()
    return record.id


@transactional
def edit_follow_up(
    actor: Actor, follow_up_id: uuid.UUID, *, text: str, due_on: date | None, owner_id: uuid.UUID | None, version: int | Opened
) -> uuid.UUID:
    """Change words, day or owner. Raises `EditConflict`."""
    record = _load(follow_up_id)
    require(actor, Permission.CONTACT_LOG, record.office_id)
    checks = Checks()
    values: dict[str, object] = {
        "text": checks.text("text", text, SENTENCE_LENGTH, needed=_("Write what is to be done.")),
        "due_on": checks.day("due_on", due_on, needed=_("Enter the day by which it is to be done.")),
        "owner_id": checks.colleague("owner_id", owner_id) or record.owner_id,
    }
    checks.done()
    for name, value in merge(record, version, values).items():
        setattr(record, name, value)
    db.session.flush()
    return record.id

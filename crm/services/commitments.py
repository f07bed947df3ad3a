"""Commitments: recording what was promised by either side, what became of it, and a second person's check."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select

from crm import clock
from crm.db import db, transactional
from crm.errors import Denied, Invalid, NotFound
from crm.i18n import _
from crm.models.base import NAME_LENGTH, OPEN, SENTENCE_LENGTH, TEXT_LENGTH
from crm.models.commitments import COMMITMENT_KINDS, DIRECTIONS, OUTCOMES, Commitment
from crm.models.notes import Note
from crm.policy import Actor, Permission, require
from crm.queries import commitments as queries
from crm.services.checking import Checks, Opened, merge, narrower, new_party, office_today
from crm.services.levels import carry_level
from crm.services.parties import NewParty
from crm.services.references import next_reference

SHORT_LENGTH = 200


@dataclass(frozen=True)
class NewCommitment:
    """A promise as it was heard. Only who, what (in their own words) and which kind are needed; the rest is the SMART check's."""

    office_id: uuid.UUID
    party_id: uuid.UUID | None
    kind: str
    words: str
    made_on: date | None
    direction: str = "theirs"
    due_on: date | None = None
    interaction_id: uuid.UUID | None = None
    ask_id: uuid.UUID | None = None
    programme_id: uuid.UUID | None = None
    position_id: uuid.UUID | None = None
    level: str = OPEN
    on_behalf_of: str = ""
    witness: str = ""
    evidence: str = ""
    quantity: str = ""
    baseline: str = ""
    indicator_text: str = ""
    funding_source: str = ""
    place_text: str = ""
    owner_id: uuid.UUID | None = None
    new_party: NewParty | None = None


def check_commitment(actor: Actor, new: NewCommitment, checks: Checks) -> dict[str, object]:
    """The column values of a promise, refusals collected in `checks`. Its level is never wider than its contact's or ask's."""
    ask = checks.ask("ask_id", new.ask_id, new.office_id)
    interaction = checks.interaction("interaction_id", new.interaction_id, new.office_id)
    party = checks.party("party_id", new.party_id, new.office_id, needed=_("Choose who the promise is with."))
    latest = office_today(new.office_id)
    made_on = checks.day(
        "made_on",
        new.made_on,
        needed=_("Enter the day it was promised."),
        latest=latest,
        too_late=_("A promise cannot have been made after today."),
    )
    due_on = checks.day("due_on", new.due_on)
    if made_on and due_on and due_on < made_on:
        checks.refuse("due_on", _("It cannot be due before it was promised."))
    levels = [checks.level("level", new.level, actor, new.office_id), *(found.level for found in (ask, interaction) if found is not None)]
    return {
        "party_id": party.id if party else None,
        "kind": checks.choice("kind", new.kind, COMMITMENT_KINDS),
        "direction": checks.choice("direction", new.direction, DIRECTIONS),
        "words": checks.text("words", new.words, TEXT_LENGTH, needed=_("Write what was promised, in one sentence.")),
        "made_on": made_on,
        "due_on": due_on,
        "interaction_id": interaction.id if interaction else None,
        "ask_id": ask.id if ask else None,
        "programme_id": checks.programme("programme_id", new.programme_id, new.office_id),
        "position_id": checks.position("position_id", new.position_id),
        "level": narrower(*levels),
        "on_behalf_of": checks.text("on_behalf_of", new.on_behalf_of, NAME_LENGTH),
        "witness": checks.text("witness", new.witness, NAME_LENGTH),
        "evidence": checks.text("evidence", new.evidence, SENTENCE_LENGTH),
        "quantity": checks.text("quantity", new.quantity, SHORT_LENGTH),
        "baseline": checks.text("baseline", new.baseline, SENTENCE_LENGTH),
        "indicator_text": checks.text("indicator_text", new.indicator_text, SENTENCE_LENGTH),
        "funding_source": checks.text("funding_source", new.funding_source, SENTENCE_LENGTH),
        "place_text": checks.text("place_text", new.place_text, SHORT_LENGTH),
        "owner_id": checks.colleague("owner_id", new.owner_id),
    }


@transactional
def record_commitment(actor: Actor, new: NewCommitment) -> uuid.UUID:
    """Record a promise, by them or by us. A financial one without a pledge is allowed: words heard before anybody books them.

    Raises `Invalid` by field, `Denied`."""
    require(actor, Permission.CONTACT_LOG, new.office_id)
    checks = Checks()
    if new.party_id is None and new.new_party is not None:
        new = replace(new, party_id=new_party(actor, new.office_id, new.new_party, "party_id"))
    values = check_commitment(actor, new, checks)
    checks.done()
    record = add_commitment(new.office_id, values)
    db.session.flush()
    return record.id


def add_commitment(office_id: uuid.UUID, values: Mapping[str, object]) -> Commitment:
    """Make a promise of what `check_commitment` gave.

    Part of the services that record promises: call it inside their transaction, once nothing was refused."""
    record = Commitment(office_id=office_id, reference=next_reference(office_id, "commitment"), **values)
    db.session.add(record)
    return record


def _load(commitment_id: uuid.UUID) -> Commitment:
    found = db.session.scalar(select(Commitment).where(Commitment.id == commitment_id).with_for_update())
    if found is None:
        raise NotFound(_("There is no such commitment here."))
    return found


@transactional
def edit_commitment(actor: Actor, commitment_id: uuid.UUID, new: NewCommitment, version: int | Opened) -> uuid.UUID:
    """Change a promise; `office_id` of the input is the record's own. A second person's check falls with a change of anything
    the promise says or of its evidence. Raises `EditConflict` where both changed a field."""
    record = _load(commitment_id)
    require(actor, Permission.CONTACT_LOG, record.office_id)
    if new.office_id != record.office_id:
        raise Invalid(_("A record cannot move to another office."))
    checks = Checks()
    if new.party_id is None and new.new_party is not None:
        new = replace(new, party_id=new_party(actor, new.office_id, new.new_party, "party_id"))
    values = check_commitment(actor, new, checks)
    if queries.has_pledge(commitment_id):
        for field in ("party_id", "direction", "kind", "made_on", "programme_id"):
            if values[field] != getattr(record, field):
                checks.refuse(field, _("This promise is a pledge, whose figures hang on it. It stays as it is."))
    checks.done()
    set_values(record, merge(record, version, values))
    carry_level(record)
    return record.id


@transactional
def give_commitment(actor: Actor, commitment_id: uuid.UUID, owner_id: uuid.UUID) -> uuid.UUID:
    """Say who of us follows a promise up. What it says stays, and so does a second person's check of it."""
    record = _load(commitment_id)
    require(actor, Permission.CONTACT_LOG, record.office_id)
    checks = Checks()
    record.owner_id = checks.colleague("owner_id", owner_id)
    checks.done()
    db.session.flush()
    return record.id


def set_values(record: Commitment, values: Mapping[str, object]) -> None:
    """Set a promise's columns; where what it says becomes another, a second person's check of it falls."""
    for name, value in values.items():
        if name in queries.SAID and getattr(record, name) != value:
            record.verified_by_id, record.verified_at = None, None
        setattr(record, name, value)


@transactional
def declare_outcome(
    actor: Actor, commitment_id: uuid.UUID, *, outcome: str, on: date | None, note: str, version: int | Opened
) -> uuid.UUID:
    """Say what became of a promise: kept, part, broken or overtaken; an empty outcome opens it again. The check of a second
    person counts for what was known before, so it is asked for again."""
    record = _load(commitment_id)
    require(actor, Permission.CONTACT_LOG, record.office_id)
    checks = Checks()
    if outcome:
        checks.choice("outcome", outcome, OUTCOMES)
        checks.day(
            "outcome_on",
            on,
            needed=_("Enter the day it became clear."),
            latest=office_today(record.office_id),
            too_late=_("The outcome cannot lie in the future."),
        )
        if on and on < record.made_on:
            checks.refuse("outcome_on", _("The outcome cannot lie before the promise."))
    words = checks.text("outcome_note", note, SENTENCE_LENGTH)
    checks.done()
    yours = {"outcome": outcome or None, "outcome_on": on if outcome else None, "outcome_note": words if outcome else ""}
    for name, value in merge(record, version, yours).items():
        setattr(record, name, value)
    record.verified_by_id, record.verified_at = None, None
    db.session.flush()
    return record.id


@transactional
def verify_commitment(actor: Actor, commitment_id: uuid.UUID, *, evidence: str, version: int | Opened) -> uuid.UUID:
    """A second person has seen the evidence. Never whoever recorded the promise, last changed something it says, or declared
    its outcome (four eyes)."""
    record = _load(commitment_id)
    require(actor, Permission.PROMISE_VERIFY, record.office_id)
    if actor.user_id is None or actor.user_id in queries.hands_in(record):
        raise Denied(_("Another person must verify this: you recorded or changed it, or declared its outcome."))
    checks = Checks()
    seen = checks.text("evidence", evidence, SENTENCE_LENGTH, needed=_("Write which evidence you have seen."))
    checks.done()
    for name, value in merge(record, version, {"evidence": seen}).items():
        setattr(record, name, value)
    record.verified_by_id, record.verified_at = actor.user_id, clock.now()
    db.session.flush()
    return record.id


@transactional
def add_note(actor: Actor, commitment_id: uuid.UUID, *, body: str, level: str) -> uuid.UUID:
    """Write a note about a promise, for everybody who sees it or for the office's own members."""
    record = _load(commitment_id)
    require(actor, Permission.CONTACT_LOG, record.office_id)
    checks = Checks()
    text = checks.text("body", body, TEXT_LENGTH, needed=_("Write the note."))
    wanted = narrower(checks.level("level", level, actor, record.office_id), record.level)
    checks.done()
    note = Note(office_id=record.office_id, level=wanted, commitment_id=record.id, body=text)
    db.session.add(note)
    db.session.flush()
    return note.id

"""Notes: text about a record, one row per level. Who may read it is chosen when it is written and never widened."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from crm.db import db, transactional
from crm.errors import Conflict, Invalid, NotFound
from crm.i18n import _
from crm.models.base import LEVELS, OFFICE, TEXT_LENGTH
from crm.models.notes import Note
from crm.policy import Actor, Permission, require
from crm.queries import notes as found
from crm.queries import parties
from crm.services import fields
from crm.services.versions import check_version


@transactional
def write_note(actor: Actor, office_id: uuid.UUID, party_id: uuid.UUID, body: str, level: str) -> uuid.UUID:
    """Write a note about a party, for one's office. `level`: open (all whose scope covers the office) or office (its own people).
    Invalid: party_id, body, level."""
    require(actor, Permission.CONTACT_LOG, office_id)
    try:
        party = parties.get(party_id)
    except NotFound as error:
        raise Invalid(_("Choose a party of the list."), field="party_id") from error
    level = _level(actor, office_id, level)
    note = Note(office_id=office_id, level=level, party_id=party.id, body=_body(body))
    db.session.add(note)
    db.session.flush()
    return note.id


@transactional
def write_notes(actor: Actor, office_id: uuid.UUID, new: Sequence[tuple[uuid.UUID, str]], level: str) -> None:
    """Write several notes about parties in scope, (party, its words), by the rules of `write_note`: for imports."""
    require(actor, Permission.CONTACT_LOG, office_id)
    if not new:
        return
    level = _level(actor, office_id, level)
    known = parties.visibilities(sorted({party_id for party_id, _words in new}))
    for party_id, body in new:
        if party_id not in known:
            raise Invalid(_("Choose a party of the list."), field="party_id")
        db.session.add(Note(office_id=office_id, level=level, party_id=party_id, body=_body(body)))
    db.session.flush()


@transactional
def edit_note(actor: Actor, note_id: uuid.UUID, version: int, body: str) -> uuid.UUID:
    """Change a note's words; who may read it stays."""
    note = found.get(note_id)
    require(actor, Permission.CONTACT_LOG, note.office_id)
    for field, value in check_version(note, version, {"body": _body(body)}).items():
        setattr(note, field, value)
    return note.id


@transactional
def withdraw_note(actor: Actor, note_id: uuid.UUID, version: int) -> uuid.UUID:
    """Take a note away; its history keeps the words for those who could read it. Returns the id of what it was about."""
    note = found.get(note_id)
    require(actor, Permission.CONTACT_LOG, note.office_id)
    if note.version != version:
        raise Conflict(_("Somebody changed this note since you opened it. Read it again before you withdraw it."))
    about = note.party_id or note.interaction_id or note.commitment_id or note.programme_id
    if about is None:
        raise NotFound
    db.session.delete(note)
    return about


def _level(actor: Actor, office_id: uuid.UUID, level: str) -> str:
    level = fields.choice(level, "level", LEVELS)
    if level == OFFICE and office_id not in actor.member_of:
        raise Invalid(_("Only somebody of the office itself can write a note for the office alone."), field="level")
    return level


def _body(text: str) -> str:
    return fields.text(text, "body", TEXT_LENGTH, needed=_("Write the note."))

"""Notes about records, as far as scope and level allow."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select

from crm.db import db
from crm.errors import NotFound
from crm.models.notes import Note

MOST = 50


def get(note_id: uuid.UUID) -> Note:
    """A note; NotFound where absent, out of scope or of a level the reader is not of."""
    note = db.session.scalar(select(Note).where(Note.id == note_id))
    if note is None:
        raise NotFound
    return note


def notes_of(party_id: uuid.UUID) -> Sequence[Note]:
    """The newest notes about a party that the reader may read, newest first."""
    return db.session.scalars(
        select(Note).where(Note.party_id == party_id).order_by(Note.created_at.desc(), Note.id.desc()).limit(MOST)
    ).all()

"""A level goes down: what hangs on a record is never wider than the record (domain 0.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.models.asks import Ask, AskAnswer
from crm.models.commitments import Commitment
from crm.models.documents import Document, Snapshot
from crm.models.files import File
from crm.models.interactions import FollowUp, Interaction, Participant
from crm.models.notes import Note
from crm.services.checking import narrower

#: What hangs on a record, by the column that says so. `flask verify` finds a pair that is missing here.
BELOW: Mapping[type[Any], tuple[Any, ...]] = {
    Ask: (AskAnswer.ask_id, Interaction.ask_id, Commitment.ask_id, FollowUp.ask_id),
    Interaction: (
        Participant.interaction_id,
        AskAnswer.interaction_id,
        Commitment.interaction_id,
        FollowUp.interaction_id,
        Note.interaction_id,
        Document.interaction_id,
        File.interaction_id,
    ),
    Commitment: (FollowUp.commitment_id, Note.commitment_id, File.commitment_id),
    Document: (Snapshot.document_id,),
}


def carry_level(record: Any) -> None:
    """Give the level of a changed record to everything below it: parts take it, records of their own only where it is narrower.

    Call it inside the transaction that changed the record."""
    waiting, seen = [record], {record.id}
    while waiting:
        above = waiting.pop()
        for child in _below(above):
            level = _level(child, above)
            if child.id in seen or child.level == level:
                continue
            child.level = level
            seen.add(child.id)
            waiting.append(child)
    db.session.flush()


def _below(record: Any) -> Iterator[Any]:
    for column in BELOW.get(type(record), ()):
        yield from db.session.scalars(select(column.class_).where(column == record.id))


def _level(child: Any, above: Any) -> str:
    if isinstance(child, Participant | Snapshot | File):
        level: str = above.level
        return level
    if isinstance(child, AskAnswer):  # hangs on two: as narrow as the narrower
        asked = db.session.scalar(select(Ask.level).where(Ask.id == child.ask_id))
        met = db.session.scalar(select(Interaction.level).where(Interaction.id == child.interaction_id))
        levels = {Ask: asked, Interaction: met} | {type(above): above.level}
        return narrower(*(one or "office" for one in levels.values()))
    return narrower(above.level, child.level)

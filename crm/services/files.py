"""Files attached to records: attaching what was looked into and stored, removing, putting back, purging. Knows no disk.

`crm.jobs.files` looks into what was sent, stores it, and hands it over; whatever is refused here, it takes off the disk again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import exists, select

from crm import clock
from crm.db import after_commit, db, hold, transactional
from crm.errors import Denied, Invalid, NotFound
from crm.formatting import file_size
from crm.i18n import _, get_locale
from crm.models.base import OPEN, SENTENCE_LENGTH, SHARED
from crm.models.files import EVIDENCE, File, FileContent
from crm.models.parties import Party
from crm.policy import Actor, Permission, require
from crm.queries import files as queries
from crm.services import fields
from crm.services.parties import working_office

#: How many files a record may have.
MOST_FILES = 200


@dataclass(frozen=True)
class StoredFile:
    """A file that was looked into and lies on disk under `stored_as`, not yet anybody's."""

    name: str
    media_type: str
    size: int
    sha256: str
    stored_as: str
    has_thumbnail: bool = False


@dataclass(frozen=True)
class Words:
    """What a person says of the files they attach: one caption and one kind of evidence for all of them. `usual`: what files of a media
    type are taken for where `evidence` is left open ("")."""

    caption: str = ""
    evidence: str = "other"
    usual: Mapping[str, str] = field(default_factory=dict)

    def evidence_of(self, media_type: str) -> str:
        """What a file of a media type shows. Raises `Invalid` (evidence) where only a person can say."""
        found = self.evidence or self.usual.get(media_type, "")
        if not found:
            raise Invalid(
                _("Choose what the picture or table shows: only of PDF and Word files is it taken for granted."), field="evidence"
            )
        return fields.choice(found, "evidence", EVIDENCE)


@dataclass(frozen=True)
class Attached:
    """What became of one stored file: its record, and where its content lies (another place: the office had it already)."""

    file_id: uuid.UUID
    stored_as: str


def office_for(actor: Actor, noun: str, record: Any) -> uuid.UUID:
    """The office whose file it becomes: the record's; for a party that all offices share, the one the actor works for."""
    if noun == "party" and record.visibility == SHARED:
        return working_office(actor)
    office_id: uuid.UUID = record.office_id
    return office_id


@transactional
def attach(actor: Actor, noun: str, record_id: uuid.UUID, stored: Sequence[StoredFile], words: Words, quota: int) -> list[Attached]:
    """Attach stored files to a record: all of them or none. The record's level is theirs. `quota`: bytes the office may keep.

    Raises NotFound, Denied, Invalid (files, caption, evidence)."""
    kind = queries.KINDS[noun]
    record = _held(noun, record_id)
    office_id = office_for(actor, noun, record)
    require(actor, kind.needs, office_id)
    caption = fields.line(words.caption, "caption", SENTENCE_LENGTH)
    evidence = {one.media_type: words.evidence_of(one.media_type) for one in stored}
    if not stored:
        raise Invalid(_("Choose a file."), field="files")
    hold(f"files:{office_id}")  # two who send the same file, or the last one that fits
    if queries.count_of(noun, record_id) + len(stored) > MOST_FILES:
        raise Invalid(_("A record holds at most %(most)s files.", most=MOST_FILES), field="files")
    level = getattr(record, "level", OPEN)
    done = []
    for one in stored:
        content = _content(office_id, one, quota)
        _refuse_twice(noun, record_id, office_id, content, one.name)
        file = File(office_id=office_id, level=level, content_id=content.id, name=one.name, caption=caption)
        file.evidence = evidence[one.media_type]
        setattr(file, kind.column.key, record_id)
        db.session.add(file)
        db.session.flush()
        done.append(Attached(file.id, content.stored_as))
    return done


def _held(noun: str, record_id: uuid.UUID) -> Any:
    """The record, kept from changing its level until the files hang on it."""
    model = queries.KINDS[noun].model
    statement = select(model).where(model.id == record_id)
    found = db.session.scalar(statement if model is Party else statement.with_for_update(of=model))
    if found is None:
        raise NotFound(_("There is no such record here."))
    return found


def _content(office_id: uuid.UUID, one: StoredFile, quota: int) -> FileContent:
    """The office's content with these bytes, or a new one where it fits."""
    found = db.session.scalar(select(FileContent).where(FileContent.office_id == office_id, FileContent.sha256 == one.sha256))
    if found is not None:
        return found
    if queries.held_by(office_id) + one.size > quota:
        raise Invalid(
            _(
                "“%(name)s” does not fit: your office may keep %(quota)s of files in all. Remove what is no longer needed, or ask the "
                "administrator for more.",
                name=f"\u2068{one.name}\u2069",
                quota=file_size(quota, get_locale()),
            ),
            field="files",
        )
    content = FileContent(
        office_id=office_id,
        sha256=one.sha256,
        size=one.size,
        media_type=one.media_type,
        stored_as=one.stored_as,
        has_thumbnail=one.has_thumbnail,
    )
    db.session.add(content)
    db.session.flush()
    return content


def _refuse_twice(noun: str, record_id: uuid.UUID, office_id: uuid.UUID, content: FileContent, name: str) -> None:
    there = db.session.scalar(
        select(File.name).where(
            queries.KINDS[noun].column == record_id,
            File.office_id == office_id,
            File.content_id == content.id,
            File.removed_at.is_(None),
        )
    )
    if there is not None:
        raise Invalid(
            _("“%(name)s” is attached here already, as “%(there)s”.", name=f"\u2068{name}\u2069", there=f"\u2068{there}\u2069"),
            field="files",
        )


@transactional
def remove(actor: Actor, file_id: uuid.UUID) -> uuid.UUID:
    """Take a file off its record. It can be put back for 30 days, then it is purged; evidence of money is kept. Twice is once."""
    file = _file(actor, file_id)
    if file.removed_at is None:
        file.removed_at, file.removed_by_id = clock.now(), actor.user_id
        db.session.flush()
    return file.id


@transactional
def put_back(actor: Actor, file_id: uuid.UUID) -> uuid.UUID:
    """Put a removed file back on its record. Twice is once. Invalid where the same file was attached again since."""
    file = _file(actor, file_id)
    hold(f"files:{file.office_id}")  # somebody may be attaching the same one, or putting this one back
    db.session.expire(file)
    file = _file(actor, file_id)
    if file.removed_at is not None:
        _refuse_twice(queries.noun_of(file), file.about_id, file.office_id, file.content, file.name)
        file.removed_at, file.removed_by_id = None, None
        db.session.flush()
    return file.id


def _file(actor: Actor, file_id: uuid.UUID) -> File:
    file = queries.get(file_id, also_removed=True)
    require(actor, queries.KINDS[queries.noun_of(file)].needs, file.office_id)
    return file


@transactional
def purge(actor: Actor, office_id: uuid.UUID, forget: Callable[[str], object]) -> int:
    """Delete for good what an office removed more than 30 days ago, but for evidence of money: how many files.

    `forget` takes a content that nothing names any more off the disk, once this is committed."""
    require(actor, Permission.OFFICE_MANAGE, office_id)
    if office_id not in actor.member_of:
        raise Denied(_("Purging needs sight of all the files of an office."))  # else one that is still in use would look unused
    hold(f"files:{office_id}")
    gone = queries.to_purge(office_id, clock.now() - timedelta(days=queries.DAYS_KEPT))
    touched = {file.content_id for file in gone}
    for file in gone:
        db.session.delete(file)
    db.session.flush()
    is_used = exists().where(File.content_id == FileContent.id)
    for content in db.session.scalars(select(FileContent).where(FileContent.id.in_(touched), ~is_used)).all():
        db.session.delete(content)
        after_commit(partial(forget, content.stored_as))
    db.session.flush()
    return len(gone)

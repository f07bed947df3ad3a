"""Keeping what was sent as evidence: looked into (exchange), stored on disk, then attached (service). And its way back out.

A file stands on disk before its row is committed and is taken away again when that fails; a row never names a file that is not there.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import secrets
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flask import current_app

from crm import clock
from crm.db import db
from crm.errors import Conflict, Invalid, Refused
from crm.exchange import files as exchange
from crm.exchange.inspection.kinds import MOST_BYTES
from crm.i18n import _
from crm.models.files import FileContent
from crm.policy import Actor, all_offices, require
from crm.queries import files as queries
from crm.services import files, submissions
from crm.services.files import Attached, StoredFile, Words

log = logging.getLogger("throughline")
MOST_AT_ONCE = 10
#: A younger file may be one on its way: its row is not committed yet.
SETTLED_SECONDS = 3600
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BLOCK = 1 << 18
_COMING = ".coming"


class NotKept(Invalid):
    """The disk did not take it. Nothing was saved; the sentence says whom to tell."""


@dataclass(frozen=True)
class Upload:
    """A file as it was sent."""

    name: str
    stream: BinaryIO


def attach(
    actor: Actor, noun: str, record_id: uuid.UUID, uploads: Sequence[Upload], words: Words, *, token: str = "", digest: str = ""
) -> tuple[int, int]:
    """Look into files, store and attach them: (how many, of how many photos place and device were taken out). All or none.

    `digest`: of what was typed. The same form token with the same contents twice does nothing more.
    Raises NotFound, Denied, Conflict (the token was used for other contents), Invalid (files, caption, evidence), NotKept."""
    record = queries.record_of(noun, record_id)
    require(actor, queries.KINDS[noun].needs, files.office_for(actor, noun, record))
    if not uploads:
        raise Invalid(_("Choose a file."), field="files")
    if len(uploads) > MOST_AT_ONCE:
        raise Invalid(_("Send at most %(most)s files at once.", most=MOST_AT_ONCE), field="files")
    db.session.rollback()  # looking into files takes its time: no transaction stands open meanwhile
    with _room() as coming:
        orders, digest = _take_in(uploads, coming, f"{noun}{record_id}{digest}")
        earlier = submissions.find(actor, token) if token else None
        if earlier is not None and earlier.digest == digest:
            return len(uploads), 0
        fit = _fit(orders)
        stored = _store(fit)
        try:
            attached = _attach(actor, noun, record_id, stored, words, token, digest)
        except BaseException:
            _discard(one.stored_as for one in stored)
            raise
        if attached is not None:
            _settle(stored, attached)
        else:
            _discard(one.stored_as for one in stored)
    return len(fit), sum(one.thumbnail is not None for one in fit)


def _attach(
    actor: Actor, noun: str, record_id: uuid.UUID, stored: Sequence[StoredFile], words: Words, token: str, digest: str
) -> list[Attached] | None:
    """The rows; None where another click with the same token was faster."""
    done: list[Attached] = []

    def save() -> uuid.UUID:
        done.extend(files.attach(actor, noun, record_id, stored, words, _quota()))
        return record_id

    try:
        _kept, is_again = submissions.once(actor, token, digest, save)
    except (Conflict, Invalid):
        earlier = submissions.find(actor, token) if token else None
        if earlier is None or earlier.digest != digest:
            raise
        return None
    return None if is_again else done


def _quota() -> int:
    return int(current_app.config["FILE_QUOTA_BYTES"])


# --- what comes in -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _room() -> Iterator[Path]:
    """A folder for what is on its way, on the disk where it will stay; gone afterwards. A full disk is said in a sentence."""
    try:
        place = folder() / _COMING
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place) as coming:
            yield Path(coming)
    except exchange.NoRoom as error:
        raise _not_kept(error.errno) from error
    except OSError as error:
        raise _not_kept(error.errno) from error


def _not_kept(code: int | None) -> NotKept:
    log.error("files could not be kept: %s", os.strerror(code) if code else "unknown")
    if code in _FULL:
        return NotKept(
            _("Nothing was saved: the server has no room left for files. Tell your administrator, then choose the files again."),
            field="files",
        )
    return NotKept(_("Nothing was saved: the server could not write the files. Tell your administrator."), field="files")


def _take_in(uploads: Sequence[Upload], coming: Path, typed: str) -> tuple[list[exchange.Order], str]:
    """The uploads as files of ours, and a digest of all that was sent. Raises `Invalid` where one is too large."""
    orders, whole, refused = [], hashlib.sha256(typed.encode()), []
    for place, upload in enumerate(uploads):
        source = coming / f"{place}"
        size = 0
        with source.open("xb") as target:
            while block := upload.stream.read(_BLOCK):
                size += len(block)
                if size > MOST_BYTES:
                    refused.append(str(exchange.refusal("size", exchange.clean_name(upload.name))))
                    break
                target.write(block)
                whole.update(block)
        whole.update(f"\x00{size}{upload.name}\x00".encode("utf-8", "surrogatepass"))
        orders.append(exchange.Order(upload.name, source, coming / f"{place}-clean", coming / f"{place}-small"))
    if refused:
        raise Invalid(errors={"files": refused})
    return orders, whole.hexdigest()


def _fit(orders: Sequence[exchange.Order]) -> list[exchange.Fit]:
    """What was found in all of them; `Invalid` with a sentence for each that is not kept."""
    found = exchange.examine(orders)
    if refused := [str(one) for one in found if isinstance(one, Refused)]:
        raise Invalid(errors={"files": refused})
    return [one for one in found if isinstance(one, exchange.Fit)]


# --- on disk -------------------------------------------------------------------------------------------------------


def folder() -> Path:
    """Where files are kept, under random names in folders of two letters; nothing in it is served as it stands."""
    return Path(current_app.instance_path) / "files"


def path_of(stored_as: str) -> Path:
    """Where a content lies."""
    name = Path(stored_as).name
    return folder() / name[:2] / name


def thumbnail_of(stored_as: str) -> Path:
    """Where the small likeness of a photo lies."""
    return path_of(stored_as).with_suffix(".jpg")


def _store(fit: Sequence[exchange.Fit]) -> list[StoredFile]:
    """Put what is fit where it will stay, on the disk for sure before anything names it."""
    done: list[StoredFile] = []
    try:
        for one in fit:
            name = secrets.token_hex(16)
            place = path_of(name)
            digest, size = _digest(one.path)
            stored = StoredFile(one.name, one.kind, size, digest, name, has_thumbnail=one.thumbnail is not None)
            done.append(stored)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _move(one.path, place)
            if one.thumbnail is not None:
                _move(one.thumbnail, thumbnail_of(name))
            _sync_folder(place.parent)
        _sync_folder(folder())
    except BaseException:
        _discard(one.stored_as for one in done)
        raise
    return done


def _move(source: Path, target: Path) -> None:
    with source.open("rb") as stream:
        os.fsync(stream.fileno())
    source.chmod(0o600)
    source.replace(target)


def _sync_folder(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), stream.seek(0, os.SEEK_END)


def _settle(stored: Sequence[StoredFile], attached: Sequence[Attached]) -> None:
    """What the office had already is not kept twice; where its file was lost meanwhile, this one takes its place."""
    for one, row in zip(stored, attached, strict=True):
        if row.stored_as == one.stored_as:
            continue
        if not path_of(row.stored_as).exists():
            path_of(row.stored_as).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path_of(one.stored_as).replace(path_of(row.stored_as))
            if one.has_thumbnail:
                thumbnail_of(one.stored_as).replace(thumbnail_of(row.stored_as))
        _discard([one.stored_as])


def _discard(names: Iterator[str] | Sequence[str]) -> None:
    for name in names:
        forget(name)


def forget(stored_as: str) -> None:
    """Take a content and its likeness off the disk; what is not there is gone already."""
    for path in (path_of(stored_as), thumbnail_of(stored_as)):
        with contextlib.suppress(OSError):
            path.unlink()


# --- clearing up ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cleared:
    """What clearing up took away: files removed long ago, and stray ones that no row names."""

    purged: int
    strays: int


def clear_up(actor: Actor) -> Cleared:
    """Purge what was removed more than 30 days ago, and delete strays that have lain for an hour."""
    purged = sum(files.purge(actor, office.id, forget) for office in all_offices())
    strays = 0
    for path in strays_of(folder()):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        strays += 1
    return Cleared(purged, strays)


def strays_of(place: Path) -> list[Path]:
    """Files that no content names: a process that died between a file and its row leaves one. To be asked with sight of everything."""
    owned = {name for content in queries.contents() for name in (content.stored_as, f"{content.stored_as}.jpg")}
    settled = clock.now().timestamp() - SETTLED_SECONDS
    found = [path for path in sorted(place.glob("??/*")) if path.name not in owned]
    found += sorted((place / _COMING).glob("*"))
    return [path for path in found if path.stat().st_mtime < settled]


def what_is_wrong(place: Path, content: FileContent) -> str:
    """Why a stored content is not what was kept; "" where it is."""
    path = place / content.stored_as[:2] / content.stored_as
    if not path.is_file():
        return "the file is missing"
    digest, size = _digest(path)
    if size != content.size or digest != content.sha256:
        return "the file is not the one that was kept"
    return ""

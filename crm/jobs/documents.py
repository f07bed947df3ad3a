"""Builds, freezes, draws and stores a document. Reading, drawing and writing are apart: no transaction is open while a page is drawn."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from crm import clock
from crm.db import READ_ONLY, db, steady_reading
from crm.errors import Invalid, NotFound
from crm.i18n import LOCALES, _
from crm.models.documents import Document
from crm.policy import Actor, actor_within, all_offices, bind_actor, require
from crm.queries import documents as queries
from crm.services import documents, submissions
from crm.services.documents import NewDocument
from reports import glyphs, registry, snapshots
from reports.glyphs import Unprinted
from reports.registry import INTERNAL, Order
from reports.render import RenderFailed

MOST_BOXES = 12


@dataclass(frozen=True)
class Place:
    """Where the files are, and whether this is a demonstration (then every page says so)."""

    folder: Path
    is_demo: bool = False


def make_document(
    actor: Actor,
    slug: str,
    params: Mapping[str, uuid.UUID],
    place: Place,
    *,
    as_of: date | None = None,
    lang: str = "en",
    level: str = INTERNAL,
    token: str = "",
    digest: str = "",
) -> uuid.UUID:
    """Make a document and keep it: its key. The same form token twice gives the first one's key.

    Raises NotFound, Denied, Invalid (level, lang, interaction, as_of), RenderFailed: each a sentence, nothing kept."""
    report = registry.get(slug)
    report.check_level(level)
    if lang not in LOCALES:
        raise Invalid(_("Choose one of the six languages."), field="lang")
    if token and (earlier := submissions.find(actor, token)) is not None and earlier.record_id is not None:
        return earlier.record_id
    for parameter in report.parameters:
        if parameter.is_needed and parameter.name not in params:
            raise Invalid(_("Say which record it is about: %(name)s.", name=parameter.label), field=parameter.name)
    meeting = queries.interaction(params["interaction"])
    office = queries.office_of(meeting)
    office_id, timezone = office.id, office.timezone
    require(actor, report.permission, office_id)
    day = as_of or clock.today(timezone)
    if day > clock.today(timezone):
        raise Invalid(_("The day of the data cannot lie ahead."), field="as_of")
    number = documents.reserve_reference(actor, office_id)
    moment = clock.now()  # to the microsecond in the record, so that what came since can be told; to the second on paper
    order = Order(params, day, moment.replace(microsecond=0), timezone, number, lang, level, place.is_demo)
    with _reading(actor, office_id) as reader:
        built = report.build(reader, order)
    pdf = snapshots.draw(built.frozen)
    stored_as = _store(place.folder, pdf.bytes)
    new = NewDocument(
        office_id=office_id,
        reference=number,
        slug=slug,
        title=built.frozen.title,
        document_level=level,
        language=lang,
        as_of=day,
        pages=pdf.pages,
        size=len(pdf.bytes),
        sha256=hashlib.sha256(pdf.bytes).hexdigest(),
        stored_as=stored_as,
        content=built.frozen.content,
        html=built.frozen.html,
        assets=snapshots.assets(),
        versions=snapshots.versions(),
        made_at=moment,
        level=built.record_level,
        party_id=built.party_id,
        interaction_id=built.interaction_id,
        programme_id=built.programme_id,
    )
    try:
        document_id, again = documents.keep_document(actor, new, token=token, digest=digest)
    except BaseException:
        _discard(place.folder, stored_as)
        raise
    if again:
        _discard(place.folder, stored_as)
    return document_id


def read_file(document: Document, place: Place) -> bytes:
    """The issued PDF, proven by its hash: the stored file or, where that is gone or was changed, drawn again from the snapshot.

    Raises NotFound with a sentence where neither is what was issued (the libraries or fonts are others by now)."""
    try:
        data = _path(place.folder, document.stored_as).read_bytes()
    except OSError:
        data = b""
    if _is_issued(document, data):
        return data
    with contextlib.suppress(RenderFailed):
        kept = queries.snapshot(document.id)
        again = snapshots.draw(snapshots.thaw(kept.content, kept.html)).bytes
        if _is_issued(document, again):
            return again
    if data:
        raise NotFound(
            _("The file of %(reference)s is not the one that was issued. Make the document again.", reference=document.reference)
        )
    raise NotFound(_("The file of %(reference)s is missing. Make the document again.", reference=document.reference))


def _is_issued(document: Document, data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == document.sha256


def boxes(kept: queries.Kept) -> tuple[str, ...]:
    """What the pages of a kept document show as empty boxes, a sentence for each place: no font that drew it holds these characters."""
    return tuple(_box_sentence(one) for one in glyphs.unprinted(kept.content, kept.html, kept.assets))


def _box_sentence(found: Unprinted) -> str:
    named = ", ".join(f"\u2068{one}\u2069 (U+{ord(one):04X})" for one in found.characters[:MOST_BOXES])
    more = len(found.characters) - MOST_BOXES
    if more > 0:
        named = _("%(names)s and %(num)d more", names=named, num=more)
    section = found.section or _("the first page")
    if found.record:
        return _("%(record)s, in “%(section)s”: %(characters)s", record=found.record, section=section, characters=named)
    return _("“%(section)s”: %(characters)s", section=section, characters=named)


@contextlib.contextmanager
def _reading(actor: Actor, office_id: uuid.UUID) -> Iterator[Actor]:
    """Read only, from one state of the records, within the scope of the document's office: the actor to read as.

    Whoever may open the document must be allowed to see all that stands in it, however much its maker may see (P1)."""
    info = db.session().info
    before = info.get(READ_ONLY, False)
    info[READ_ONLY] = True
    try:
        with steady_reading():
            reader = actor_within(actor, office_id, all_offices())
            bind_actor(reader)
            yield reader
    finally:
        bind_actor(actor)
        info[READ_ONLY] = before


def _path(folder: Path, name: str) -> Path:
    if Path(name).name != name or not name.endswith(".pdf"):
        raise NotFound(_("There is no such document here."))
    return folder / name


def _store(folder: Path, data: bytes) -> str:
    """Write the file whole, to the disk, under a name nobody can guess; then give the name."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{secrets.token_hex(16)}.pdf"
    waiting = folder / f".{name}.part"
    try:
        with waiting.open("xb") as file:
            waiting.chmod(0o600)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        waiting.replace(folder / name)
    except OSError:
        waiting.unlink(missing_ok=True)
        raise
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return name


def _discard(folder: Path, name: str) -> None:
    with contextlib.suppress(OSError):
        _path(folder, name).unlink()

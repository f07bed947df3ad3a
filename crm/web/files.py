"""Files attached to records: the part of a record's page, adding, downloading, removing and putting back."""

from __future__ import annotations

import contextlib
import unicodedata
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from crm.errors import Conflict, Denied, Invalid, NotFound
from crm.exchange.files import ACCEPT, KIND_NAMES
from crm.exchange.inspection.kinds import ENDINGS, MOST_BYTES, WRITTEN
from crm.formatting import file_size
from crm.forms.base import choices
from crm.forms.files import EVIDENCE_LABELS, FilesForm, RemoveForm
from crm.forms.interactions import LEVEL_NOTES
from crm.i18n import LazyText, _, _l, get_locale, ngettext
from crm.jobs import files as jobs
from crm.jobs.files import NotKept, Upload
from crm.models.base import OPEN
from crm.models.files import MONEY_RECORDS, File
from crm.policy import Permission, can, require
from crm.queries import files as queries
from crm.queries.files import KINDS, Shown
from crm.services import files as services
from crm.services.files import Words
from crm.web.errors import page as error_page
from crm.web.gate import actor, permit
from crm.web.helpers import body_digest, save_form, status

bp = Blueprint("files", __name__)

#: Bytes that one form with files may have in all.
MOST_IN_ALL = 105 * 1_000_000
#: Files that a record's own page lists; all are a click away.
LISTED = 8
NO_ROOM = 507
_PIECE = 1 << 16
_SEALED = "default-src 'none'; sandbox; frame-ancestors 'none'"


@dataclass(frozen=True)
class _Place:
    """Where a kind of record has its page, and what the page of its files is called."""

    endpoint: str
    argument: str
    title: LazyText
    usual: str


_PLACES: Mapping[str, _Place] = {
    "party": _Place("parties.detail", "party_id", _l("Files of %(name)s"), "other"),
    "interaction": _Place("interactions.detail", "interaction_id", _l("Files of interaction %(name)s"), "other"),
    "commitment": _Place("commitments.detail", "commitment_id", _l("Files of promise %(name)s"), "other"),
    "pledge": _Place("pledges.detail", "pledge_id", _l("Files of pledge %(name)s"), "other"),
    "agreement": _Place("agreements.detail", "agreement_id", _l("Files of agreement %(name)s"), "agreement"),
    "receipt": _Place("receipts.detail", "receipt_id", _l("Files of receipt %(name)s"), "payment"),
}


def set_up_room(app: Flask) -> None:
    """A form with files may be larger than others. After the gate (only for those who are signed in), before the form is read."""

    @app.before_request
    def _room() -> None:
        if request.method == "POST" and request.blueprint == bp.name and (request.endpoint or "").startswith("files.attach_"):
            request.max_content_length = MOST_IN_ALL


# --- part of a record's page ---------------------------------------------------------------------------------------


def part(noun: str, record_id: uuid.UUID, office_id: uuid.UUID | None, *, has_any: bool = True) -> dict[str, Any]:
    """The files of a record for its page. `office_id`: whose record it is; None (a shared party): whichever office the reader works for.
    `has_any`: False where it is known to have none, nor any that were removed."""
    found = queries.files_of(noun, record_id, most=LISTED + 1) if has_any else []
    return {
        "items": [_line(one) for one in found[:LISTED]],
        "has_more": len(found) > LISTED,
        "url": _address(f"files.of_{noun}", noun, record_id),
        "may": can(actor(), KINDS[noun].needs, office_id),
    }


def _line(shown: Shown) -> dict[str, Any]:
    file, content = shown.file, shown.file.content
    may = can(actor(), KINDS[queries.noun_of(file)].needs, file.office_id)
    is_there = file.removed_at is None
    return {
        "name": file.name,
        "url": url_for("files.download", file_id=file.id) if is_there else "",
        "thumbnail": url_for("files.thumbnail", file_id=file.id) if is_there and content.has_thumbnail else "",
        "caption": file.caption,
        "evidence": str(EVIDENCE_LABELS[file.evidence]) if file.evidence != "other" else "",
        "kind": str(KIND_NAMES[content.media_type]),
        "size": file_size(content.size, get_locale()),
        "when": file.created_at,
        "who": shown.added_by or _("somebody of another office"),
        "removed_at": file.removed_at,
        "removed_by": shown.removed_by or _("somebody of another office"),
        "remove_url": url_for("files.remove", file_id=file.id) if may and is_there else "",
        "restore_url": url_for("files.restore", file_id=file.id) if may and not is_there else "",
    }


# --- the page of a record's files ----------------------------------------------------------------------------------


@bp.get("/parties/<uuid:party_id>/files")
@permit(Permission.RECORD_SEE)
def of_party(party_id: uuid.UUID) -> Any:
    """The files of a party and the form to add some."""
    return _page("party", party_id)


@bp.post("/parties/<uuid:party_id>/files")
@permit(Permission.CONTACT_LOG)
def attach_to_party(party_id: uuid.UUID) -> Any:
    """Attach files to a party."""
    return _attach("party", party_id)


@bp.get("/interactions/<uuid:interaction_id>/files")
@permit(Permission.RECORD_SEE)
def of_interaction(interaction_id: uuid.UUID) -> Any:
    """The files of an interaction and the form to add some."""
    return _page("interaction", interaction_id)


@bp.post("/interactions/<uuid:interaction_id>/files")
@permit(Permission.CONTACT_LOG)
def attach_to_interaction(interaction_id: uuid.UUID) -> Any:
    """Attach files to an interaction."""
    return _attach("interaction", interaction_id)


@bp.get("/commitments/<uuid:commitment_id>/files")
@permit(Permission.RECORD_SEE)
def of_commitment(commitment_id: uuid.UUID) -> Any:
    """The files of a promise and the form to add some."""
    return _page("commitment", commitment_id)


@bp.post("/commitments/<uuid:commitment_id>/files")
@permit(Permission.CONTACT_LOG)
def attach_to_commitment(commitment_id: uuid.UUID) -> Any:
    """Attach files to a promise."""
    return _attach("commitment", commitment_id)


@bp.get("/pledges/<uuid:pledge_id>/files")
@permit(Permission.RECORD_SEE)
def of_pledge(pledge_id: uuid.UUID) -> Any:
    """The files of a pledge and the form to add some."""
    return _page("pledge", pledge_id)


@bp.post("/pledges/<uuid:pledge_id>/files")
@permit(Permission.MONEY_WRITE)
def attach_to_pledge(pledge_id: uuid.UUID) -> Any:
    """Attach files to a pledge."""
    return _attach("pledge", pledge_id)


@bp.get("/agreements/<uuid:agreement_id>/files")
@permit(Permission.RECORD_SEE)
def of_agreement(agreement_id: uuid.UUID) -> Any:
    """The files of an agreement and the form to add some."""
    return _page("agreement", agreement_id)


@bp.post("/agreements/<uuid:agreement_id>/files")
@permit(Permission.MONEY_WRITE)
def attach_to_agreement(agreement_id: uuid.UUID) -> Any:
    """Attach files to an agreement."""
    return _attach("agreement", agreement_id)


@bp.get("/receipts/<uuid:receipt_id>/files")
@permit(Permission.RECORD_SEE)
def of_receipt(receipt_id: uuid.UUID) -> Any:
    """The files of a receipt and the form to add some."""
    return _page("receipt", receipt_id)


@bp.post("/receipts/<uuid:receipt_id>/files")
@permit(Permission.MONEY_WRITE)
def attach_to_receipt(receipt_id: uuid.UUID) -> Any:
    """Attach files to a receipt."""
    return _attach("receipt", receipt_id)


def _page(noun: str, record_id: uuid.UUID, form: FilesForm | None = None, code: int = 200) -> Any:
    record = queries.record_of(noun, record_id)
    may = _may_attach(noun, record)
    if form is None:
        form = _form(noun, formdata=None)
    lines = [_line(one) for one in queries.files_of(noun, record_id)]
    return render_template(
        "files/index.html",
        title=_title(noun, record),
        back=_record_url(noun, record_id),
        readers=_readers(noun, record),
        there=[line for line in lines if not line["removed_at"]],
        removed=[line for line in lines if line["removed_at"]],
        is_money=KINDS[noun].column.key in MONEY_RECORDS,
        days=queries.DAYS_KEPT,
        form=form if may else None,
        accept=ACCEPT,
        written=[ending for kind in WRITTEN for ending in ENDINGS[kind]],
        usual=_PLACES[noun].usual,
        most_size=MOST_BYTES,
        most_files=jobs.MOST_AT_ONCE,
        address=_address(f"files.attach_to_{noun}", noun, record_id),
    ), code


def _form(noun: str, **given: Any) -> FilesForm:
    """The form of a record's files. Where they are usually of one kind it is left open: a picture is not taken for a signed agreement."""
    form, usual = FilesForm(**given), _PLACES[noun].usual
    if usual != "other":
        form.evidence.choices = choices([("", _("Choose")), *EVIDENCE_LABELS.items()])
        form.evidence.description = _(
            "A PDF or Word file is taken for “%(usual)s” unless you choose. Of a picture, say what it shows.", usual=EVIDENCE_LABELS[usual]
        )
        if not form.is_submitted():
            form.evidence.data = ""
    return form


def _may_attach(noun: str, record: Any) -> bool:
    try:
        return can(actor(), KINDS[noun].needs, services.office_for(actor(), noun, record))
    except Denied:
        return False


def _title(noun: str, record: Any) -> str:
    return str(_PLACES[noun].title) % {"name": record.name if noun == "party" else record.reference}


def _address(endpoint: str, noun: str, record_id: uuid.UUID, **more: Any) -> str:
    return url_for(endpoint, **{_PLACES[noun].argument: record_id, **more})


def _record_url(noun: str, record_id: uuid.UUID) -> str:
    return _address(_PLACES[noun].endpoint, noun, record_id, _anchor="files")


def _readers(noun: str, record: Any) -> str:
    """Who can open the files: whoever can open the record; a party's are those of the office that attached them."""
    if noun == "party":
        return _("Each office sees the files that its own people attached, and so do its region and headquarters.")
    return str(LEVEL_NOTES[getattr(record, "level", OPEN)])


def _attach(noun: str, record_id: uuid.UUID) -> Any:
    """Look into what was sent, keep it, and go back to the record. What is refused is said beside the field; the caption stays."""
    record = queries.record_of(noun, record_id)
    require(actor(), KINDS[noun].needs, services.office_for(actor(), noun, record))
    with contextlib.ExitStack() as received:
        for one in request.files.getlist("files"):
            received.callback(one.close)
        return _attached(noun, record_id)


def _attached(noun: str, record_id: uuid.UUID) -> Any:
    form = _form(noun)
    if not form.validate():
        return _page(noun, record_id, form, status(form))
    uploads = [Upload(one.filename or "", one.stream) for one in form.files.data]
    try:
        count, photos = jobs.attach(
            actor(),
            noun,
            record_id,
            uploads,
            Words(form.caption.data or "", form.evidence.data, dict.fromkeys(WRITTEN, _PLACES[noun].usual)),
            token=(form.submission.data or "")[:64],
            digest=body_digest(),
        )
    except NotKept as error:
        form.take(error)
        return _page(noun, record_id, form, NO_ROOM)
    except Invalid as error:
        form.take(error)
        form.take(Invalid(_("Nothing was attached. Choose the files again."), field="files"))  # a browser forgets them
        return _page(noun, record_id, form, status(form))
    except Conflict as error:
        form.take(Invalid(str(error)))
        return _page(noun, record_id, form, status(form))
    said = [ngettext("%(num)d file is attached.", "%(num)d files are attached.", count)]
    if photos:
        said.append(
            ngettext("Place, time and device were taken out of the photo.", "Place, time and device were taken out of the photos.", photos)
        )
    flash(" ".join(said), "success")
    return redirect(_record_url(noun, record_id), code=303)


# --- one file ------------------------------------------------------------------------------------------------------


@bp.get("/files/<uuid:file_id>")
@permit(Permission.RECORD_SEE)
def download(file_id: uuid.UUID) -> Any:
    """The file as it was kept: always as a download, never as a page of this site."""
    file = queries.get(file_id)
    answer = _send(jobs.path_of(file.content.stored_as), file, file.content.media_type)
    answer.headers["Content-Disposition"] = f"attachment; {_file_name(file.name)}"
    return answer


@bp.get("/files/<uuid:file_id>/thumbnail")
@permit(Permission.RECORD_SEE)
def thumbnail(file_id: uuid.UUID) -> Any:
    """The small likeness of a photo, drawn by us."""
    file = queries.get(file_id)
    if not file.content.has_thumbnail:
        raise NotFound
    answer = _send(jobs.thumbnail_of(file.content.stored_as), file, "image/jpeg")
    answer.headers["Content-Disposition"] = "inline"
    return answer


def _send(path: Path, file: File, media_type: str) -> Response:
    """A file in pieces, sealed against being taken for anything else. Raises `_Lost` where the disk no longer has it."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise _Lost(file.name) from error
    answer = Response(_pieces(path), content_type=media_type)
    answer.content_length = size
    answer.headers["Content-Security-Policy"] = _SEALED
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Accept-Ranges"] = "none"
    return answer


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


class _Lost(Exception):
    """The disk no longer has what a row names."""


@bp.errorhandler(_Lost)
def lost(error: _Lost) -> Any:
    """Say that it is us, not the reader."""
    name = f"\u2068{error}\u2069"
    return error_page(404, sentence=_("The file “%(name)s” is missing on the server. Tell your administrator.", name=name))


def _file_name(name: str) -> str:
    """A name for a header: in plain letters for old programs, and as it is."""
    plain = "".join(
        c if c.isascii() and (c.isalnum() or c in " .-_()") else "_"
        for c in unicodedata.normalize("NFKD", name)
        if not unicodedata.combining(c)
    )
    return f"filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


@bp.route("/files/<uuid:file_id>/remove", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def remove(file_id: uuid.UUID) -> Any:
    """Take a file off its record; the page says first what will happen."""
    file = queries.get(file_id, also_removed=request.method == "POST")
    noun = queries.noun_of(file)
    require(actor(), KINDS[noun].needs, file.office_id)
    form = RemoveForm()
    back = _record_url(noun, file.about_id)
    name = f"\u2068{file.name}\u2069"
    answer = save_form(
        form,
        lambda: services.remove(actor(), file_id),
        then=lambda _key: back,
        message=_("“%(name)s” is removed.", name=name),
    )
    if answer is not None:
        return answer
    return render_template(
        "files/remove.html",
        file=file,
        form=form,
        kind=str(KIND_NAMES[file.content.media_type]),
        is_money=file.record_column in MONEY_RECORDS,
        days=queries.DAYS_KEPT,
        back=back,
    ), status(form)


@bp.post("/files/<uuid:file_id>/restore")
@permit(Permission.CONTACT_LOG)
def restore(file_id: uuid.UUID) -> Any:
    """Put a removed file back."""
    file = queries.get(file_id, also_removed=True)
    noun, record_id, name = queries.noun_of(file), file.about_id, f"\u2068{file.name}\u2069"
    try:
        services.put_back(actor(), file_id)
    except Invalid as error:
        flash(str(error), "error")
    else:
        flash(_("“%(name)s” is back.", name=name), "success")
    return redirect(_record_url(noun, record_id), code=303)

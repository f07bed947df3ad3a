"""Imports: the list of files brought in, bringing one, what it would do, doing it, its rejected rows."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from crm import clock
from crm.data import currencies
from crm.errors import Conflict, Invalid, Refused
from crm.exchange import registry
from crm.formatting import day, file_size, number
from crm.forms.imports import ActForm, UploadForm
from crm.i18n import LazyText, _, _l, get_locale, ngettext
from crm.jobs import imports
from crm.models.imports import CARRIED_STATES, ImportBatch
from crm.policy import Permission, all_offices, can, offices_where, require
from crm.queries import imports as queries
from crm.queries import jobs
from crm.services import submissions
from crm.web.gate import actor, permit
from crm.web.helpers import args_with, paging, status
from crm.web.landscape import DASH, pages_of

bp = Blueprint("imports", __name__, url_prefix="/imports")

STATES: dict[str, tuple[LazyText, str]] = {
    "checked": (_l("Waiting for you"), "soon"),
    "queued": (_l("Waiting for the background worker"), "info"),
    "running": (_l("Being brought in"), "info"),
    "applied": (_l("Brought in"), "done"),
    "cancelled": (_l("Stopped, brought in in part"), "soon"),
    "failed": (_l("Failed"), "late"),
    "refused": (_l("Refused"), "late"),
}
#: Columns of what is brought in, in words, for "changed from … to …".
FIELDS: dict[str, LazyText] = {
    "status": _l("Status"),
    "amount_usd_minor": _l("Amount"),
    "flow_date": _l("Date"),
    "donor_name": _l("Donor"),
    "recipient_name": _l("Recipient"),
    "boundary": _l("Boundary"),
    "on_boundary": _l("Single or shared"),
    "original_minor": _l("Original amount"),
    "original_currency": _l("Original currency"),
    "exchange_rate": _l("Exchange rate"),
    "decision_date": _l("Decided"),
    "first_reported": _l("First reported"),
    "budget_year": _l("Budget year"),
    "plan_id": _l("Plan number"),
    "plan_code": _l("Plan code"),
    "plan_name": _l("Plan"),
    "plan_type": _l("Kind of plan"),
    "clusters": _l("Clusters"),
    "project": _l("Project"),
    "emergency": _l("Emergency"),
    "locations": _l("Places"),
    "usage_years": _l("Years of use"),
    "contribution_type": _l("Money or goods"),
    "flow_type": _l("Kind of flow"),
    "method": _l("Method"),
    "description": _l("Description"),
    "keywords": _l("Keywords"),
    "ref_code": _l("Reporter's code"),
    "reported_updated": _l("Updated at the source"),
    "country": _l("Country"),
    "year": _l("Year"),
    "starts_on": _l("Starts"),
    "ends_on": _l("Ends"),
    "requirements_usd_minor": _l("Requirements"),
    "funding_usd_minor": _l("Funding"),
    "percent_funded": _l("Per cent funded"),
}
FAMILY_NAMES: dict[str, LazyText] = {
    "fts": _l("FTS"),
    "rates": _l("Exchange rates"),
    "": _l("Not recognised"),
    "unknown": _l("Not recognised"),
}


@bp.get("/")
@permit(Permission.IMPORT_CONTACTS)
def index() -> Any:
    """The files that were brought, newest first, what each did or why it was refused."""
    asked = paging()
    page = queries.batches(asked)
    codes = {office.id: office.code for office in all_offices()}
    rows = [_row(batch, codes.get(batch.office_id, "")) for batch in page.rows]
    return render_template(
        "imports/index.html",
        page=page,
        rows=rows,
        headers=_headers(),
        pages=pages_of(page, asked, "imports.index", args_with),
        is_stuck=not jobs.is_worker_running() and any(jobs.open_counts().values()),
    )


def _headers() -> list[dict[str, Any]]:
    return [
        {"key": "file", "label": _("File"), "phone": "who"},
        {"key": "state", "label": _("How it stands"), "phone": "status"},
        {"key": "kind", "label": _("Kind"), "phone": "what"},
        {"key": "when", "label": _("Brought"), "phone": "when"},
        {"key": "office", "label": _("Office"), "phone": "hide"},
        {"key": "created", "label": _("New"), "numeric": True, "phone": "labelled"},
        {"key": "updated", "label": _("Changed"), "numeric": True, "phone": "labelled"},
        {"key": "unchanged", "label": _("Unchanged"), "numeric": True, "phone": "hide"},
        {"key": "rejected", "label": _("Rejected"), "numeric": True, "phone": "labelled"},
    ]


def _row(batch: ImportBatch, office: str) -> list[Any]:
    word, tone = STATES[batch.state]
    counts = (batch.created, batch.updated, batch.unchanged, batch.rejected)
    return [
        {"text": batch.file_name, "href": url_for("imports.detail", batch_id=batch.id), "sub": batch.message or batch.reference},
        {"status": str(word), "tone": tone},
        kind_name(batch.format),
        day(batch.created_at.astimezone(clock.zone(actor().timezone)).date(), get_locale()),
        office,
        *(None if batch.state == "refused" else number(count, get_locale()) for count in counts),
    ]


def kind_name(slug: str) -> str:
    """A format in words."""
    return str(registry.FORMATS[slug].title) if slug in registry.FORMATS else str(FAMILY_NAMES.get(slug, slug))


@bp.route("/new", methods=["GET", "POST"])
@permit(Permission.IMPORT_ALL)
def create() -> Any:
    """Bring a file: it is checked and shown before anything is done. A refused one says why beside the field."""
    who = actor()
    may = set(offices_where(who, Permission.IMPORT_ALL))
    names = {office.id: office.name for office in all_offices()}
    ordered = [office_id for office_id in offices_where(who, Permission.IMPORT_ALL) if office_id in names]
    form = UploadForm(offices=[(str(office_id), names[office_id]) for office_id in ordered])
    if request.method == "POST" and form.validate():
        office_id = uuid.UUID(form.office.data)
        if office_id in may:
            done = _check(form, office_id)
            if done is not None:
                return done
    kinds = [(str(entry.title), str(entry.description)) for entry in registry.FORMATS.values()]
    return render_template("imports/form.html", form=form, kinds=kinds), status(form)


def _check(form: UploadForm, office_id: uuid.UUID) -> Response | None:
    who, upload = actor(), form.file.data
    token = (form.submission.data or "")[:64]
    with upload.stream:
        data = upload.read()
    digest = hashlib.sha256(office_id.bytes + data).hexdigest()
    earlier = submissions.find(who, token)
    if earlier is not None and earlier.digest == digest and earlier.record_id is not None:
        return redirect(url_for("imports.detail", batch_id=earlier.record_id), code=303)
    batch = queries.get(imports.check_file(who, office_id, "", upload.filename or "", data))
    if batch.state == "refused":
        form.take(Invalid(batch.message, field="file"))
        return None
    kept, is_second = submissions.once(who, token, digest, lambda: batch.id)
    if is_second and kept != batch.id:  # a double click that overtook itself: one batch stays
        imports.discard(who, batch.id)
    return redirect(url_for("imports.detail", batch_id=kept), code=303)


@bp.get("/<uuid:batch_id>")
@permit(Permission.IMPORT_CONTACTS)
def detail(batch_id: uuid.UUID) -> Any:
    """What a file would do, or did: counts, first rows, rejected rows with their reasons."""
    batch = queries.get(batch_id)
    header, _tags = queries.header_of(batch)
    places = {heading: place for place, heading in enumerate(header)}
    rejects = []
    for row in queries.first_rejects(batch.id):
        cells = queries.cells_of(row)
        place = places.get(row.column, -1)
        held = cells[place] if 0 <= place < len(cells) else ""
        rejects.append([number(row.row_number, get_locale()), row.column or _("whole row"), held[:120], row.reason])
    summary = queries.summary_of(batch)
    word, tone = STATES[batch.state]
    work = _work(batch)
    may = can(actor(), Permission.IMPORT_ALL, batch.office_id)
    return render_template(
        "imports/detail.html",
        batch=batch,
        kind=kind_name(batch.format),
        state=str(word),
        tone=tone,
        office=next((office.name for office in all_offices() if office.id == batch.office_id), ""),
        size=file_size(batch.size, get_locale()),
        repeated=_repeated(batch),
        notes=summary.notes,
        samples=[_sample(sample) for sample in summary.samples],
        rejects=rejects,
        form=ActForm() if may and work is None and batch.state in ("checked", "cancelled", "failed") else None,
        bring=_bring_label(batch) if batch.state == "checked" else _("Bring in the rest"),
        work=work,
        may_cancel=may and work is not None,
        so_far=_so_far(batch) if batch.state in ("cancelled", "failed") else "",
    )


def _so_far(batch: ImportBatch) -> str:
    """What stays of a file whose work ended before its end."""
    if not batch.taken:
        return _("Nothing of the file was brought in.")
    return _(
        "%(taken)s of about %(all)s rows were compared, and what they brought stays: %(created)s new, %(updated)s changed.",
        taken=number(batch.taken, get_locale()),
        all=number(max(batch.taken, batch.rows - batch.rejected), get_locale()),
        created=number(batch.created, get_locale()),
        updated=number(batch.updated, get_locale()),
    )


def _work(batch: ImportBatch) -> dict[str, Any] | None:
    """How far the background work on a batch is, in words; None where none is going on."""
    job = jobs.open_job_of(batch.id) if batch.state not in ("applied", "refused") else None
    if job is None and batch.state not in CARRIED_STATES:
        return None
    total = max(batch.taken, job.total if job else 0, 1)
    percent = min(99, batch.taken * 100 // total)
    if batch.taken:
        text = _("%(taken)s of about %(all)s rows", taken=number(batch.taken, get_locale()), all=number(total, get_locale()))
    else:
        text = _("Nothing is brought in yet.")
    note = ""
    if job is None:
        note = _("The work on this file was lost. Stop it, and bring in the rest.")
    elif not jobs.is_worker_running():
        note = _("The background worker is not running; ask your administrator. The file waits until it does.")
    elif job.next_try_at is not None:
        note = _("It did not work this time; it is tried again by itself (try %(n)s).", n=number(job.tries + 1, get_locale()))
    return {"percent": percent, "text": text, "note": note, "state": str(STATES["running" if batch.state == "running" else "queued"][0])}


@bp.get("/<uuid:batch_id>/progress.json")
@permit(Permission.IMPORT_CONTACTS)
def progress(batch_id: uuid.UUID) -> Any:
    """How far the background work on a batch is, for its page: `is_over` once the page itself has more to say."""
    work = _work(queries.get(batch_id))
    return {"is_over": work is None, **(work or {})}


def _repeated(batch: ImportBatch) -> int:
    """Rows of the file that repeat another row: counted once."""
    if batch.state not in ("checked", "applied"):
        return 0  # not known before the whole file is compared
    return max(0, batch.rows - batch.created - batch.updated - batch.unchanged - batch.rejected)


def _bring_label(batch: ImportBatch) -> str:
    count = batch.created + batch.updated
    return (
        ngettext("Bring in %(n)s row", "Bring in %(n)s rows", count, n=number(count, get_locale()))
        if count
        else _("Confirm without changes")
    )


def _sample(sample: dict[str, Any]) -> dict[str, Any]:
    known = currencies()
    return {
        "row": sample["row"],
        "is_new": sample["action"] == "created",
        "title": sample["title"],
        "changes": [
            {"field": name if name in known else str(FIELDS.get(name, name)), "old": old or DASH, "new": new or DASH}
            for name, old, new in sample["changes"]
        ],
    }


@bp.post("/<uuid:batch_id>/apply")
@permit(Permission.IMPORT_ALL)
def apply(batch_id: uuid.UUID) -> Any:
    """Bring a checked file in: a short one at once, a long one, or the rest of one, in the background. A second click finds it done."""
    batch = queries.get(batch_id)
    require(actor(), Permission.IMPORT_ALL, batch.office_id)
    try:
        if batch.state != "checked" or not imports.is_short(batch):
            imports.apply_in_background(actor(), batch_id)
            return redirect(url_for("imports.detail", batch_id=batch_id), code=303)
        imports.apply_batch(actor(), batch_id)
    except Refused as error:
        flash(str(error), "error")
    except Conflict:
        if queries.get(batch_id).state not in ("applied", *CARRIED_STATES):
            raise
    else:
        batch = queries.get(batch_id)
        flash(
            _(
                "Brought in: %(created)s new, %(updated)s changed, %(unchanged)s unchanged, %(rejected)s rejected.",
                **{name: number(getattr(batch, name), get_locale()) for name in ("created", "updated", "unchanged", "rejected")},
            ),
            "success",
        )
    return redirect(url_for("imports.detail", batch_id=batch_id), code=303)


@bp.post("/<uuid:batch_id>/cancel")
@permit(Permission.IMPORT_ALL)
def cancel(batch_id: uuid.UUID) -> Any:
    """Stop the background work on a file; what was brought in stays. A second click, or one that comes too late, finds it ended."""
    batch = queries.get(batch_id)
    require(actor(), Permission.IMPORT_ALL, batch.office_id)
    try:
        imports.cancel(actor(), batch_id)
    except Conflict:
        if queries.get(batch_id).state in CARRIED_STATES:
            raise
        flash(_("The work had ended before."), "warning")
    else:
        is_begun = queries.get(batch_id).state == "cancelled"
        flash(_("Stopped. What was brought in stays.") if is_begun else _("Stopped before anything was brought in."), "success")
    return redirect(url_for("imports.detail", batch_id=batch_id), code=303)


@bp.post("/<uuid:batch_id>/discard")
@permit(Permission.IMPORT_ALL)
def discard(batch_id: uuid.UUID) -> Any:
    """Drop a checked file: nothing was brought in."""
    name = queries.get(batch_id).file_name
    imports.discard(actor(), batch_id)
    flash(_("%(file)s is discarded; nothing of it was brought in.", file=name), "success")
    return redirect(url_for("imports.index"), code=303)


@bp.get("/<uuid:batch_id>/rejects.csv")
@permit(Permission.IMPORT_CONTACTS)
def rejects(batch_id: uuid.UUID) -> Any:
    """The rejected rows as a file, to be mended and brought again."""
    batch = queries.get(batch_id)
    response = Response(imports.rejects_of(batch), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{batch.reference}-rejects.csv"'
    return response

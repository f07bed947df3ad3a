"""Imports: the list of files brought in, bringing one, what it would do, doing it, its rejected rows."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
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
from crm.jobs.imports import FAMILIES
from crm.models.imports import ImportBatch
from crm.policy import Permission, all_offices, can, offices_where, require
from crm.queries import imports as queries
from crm.services import submissions
from crm.web.gate import actor, permit
from crm.web.helpers import args_with, paging, status
from crm.web.landscape import DASH, pages_of

bp = Blueprint("imports", __name__, url_prefix="/imports")

STATES: dict[str, tuple[LazyText, str]] = {
    "checked": (_l("Waiting for you"), "soon"),
    "applied": (_l("Brought in"), "done"),
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
        "imports/index.html", page=page, rows=rows, headers=_headers(), pages=pages_of(page, asked, "imports.index", args_with)
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
    if earlier is not None and earlier.digest != digest:
        raise Conflict(submissions.sent_otherwise())
    if earlier is not None and earlier.record_id is not None:
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
        counts=_counts(batch, summary.rates),
        form=ActForm() if batch.state == "checked" and can(actor(), Permission.IMPORT_ALL, batch.office_id) else None,
        bring=_bring_label(batch),
    )


def _counts(batch: ImportBatch, rates: Mapping[str, int]) -> list[dict[str, Any]]:
    """New, changed, unchanged and rejected: rows; for a file of rates its days, with how many rates they bring."""
    is_done, is_by_day = batch.state == "applied", batch.format in FAMILIES["rates"]

    def counted(count: int, brought: int | None = None) -> dict[str, Any]:
        if not is_by_day:
            return {"value": number(count, get_locale())}
        words = ngettext("%(n)s day", "%(n)s days", count, n=number(count, get_locale()))
        note = ngettext("%(n)s rate", "%(n)s rates", brought, n=number(brought, get_locale())) if brought else ""
        return {"value": words, "note": note}

    kept = counted(batch.unchanged)
    return [
        {"label": _("New") if is_done else _("Would be new"), **counted(batch.created, rates.get("created"))},
        {"label": _("Changed") if is_done else _("Would change"), **counted(batch.updated, rates.get("updated"))},
        {"label": _("Unchanged"), **kept, "note": _("held as they are")},
        {
            "label": _("Rejected"),
            "value": number(batch.rejected, get_locale()),
            "note": _("with the reason, below") if batch.rejected else "",
            "tone": "late" if batch.rejected else "",
        },
    ]


def _repeated(batch: ImportBatch) -> int:
    """Rows of the file that repeat another row: counted once."""
    return max(0, batch.rows - batch.created - batch.updated - batch.unchanged - batch.rejected)


def _bring_label(batch: ImportBatch) -> str:
    count = batch.created + batch.updated
    if count and batch.format in FAMILIES["rates"]:
        return ngettext("Bring in the rates of %(n)s day", "Bring in the rates of %(n)s days", count, n=number(count, get_locale()))
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
    """Bring a checked file in. A second click finds it done."""
    batch = queries.get(batch_id)
    require(actor(), Permission.IMPORT_ALL, batch.office_id)
    try:
        imports.apply_batch(actor(), batch_id)
    except (Refused, Invalid) as error:
        flash(str(error), "error")
    except Conflict:
        if queries.get(batch_id).state != "applied":
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

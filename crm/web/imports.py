"""Imports: the list of files brought in, bringing one, what it would do, doing it, its rejected rows."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from crm import clock
from crm.data import countries_by_iso2, currencies
from crm.errors import Conflict, Invalid, Refused
from crm.exchange import registry
from crm.exchange.sheet_columns import SHEETS
from crm.exchange.sheet_fields import COUNTRY, WORD, WORDS, ListedWords, SheetField
from crm.exchange.turned_names import turned
from crm.formatting import day, file_size, number, percent
from crm.forms.imports import ActForm, UploadForm
from crm.i18n import LazyText, _, _l, get_locale, ngettext, quoted_apart
from crm.jobs import imports, sheets
from crm.jobs.imports import FAMILIES
from crm.models.imports import CARRIED_STATES, ImportBatch
from crm.models.jobs import Job
from crm.policy import Actor, Permission, can, offices_by_id, offices_where, require
from crm.queries import codes, jobs, lookups
from crm.queries import imports as queries
from crm.queries.asks import ANSWER_LABELS
from crm.queries.bulk import undone_among
from crm.queries.paging import LAST_NUMBERED_PAGE, Page
from crm.services import import_undo, submissions
from crm.services.imports import UNDO, permission_for, undo_is_going_on
from crm.web import lookups as shared
from crm.web.control_totals import control_of
from crm.web.gate import actor, permit
from crm.web.helpers import args_with, paging, status
from crm.web.landscape import DASH, pages_of
from crm.web.sheet_doubles import groups_in

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
_MOST_ROWS_NAMED = 20
_CELL_SHOWN = 120
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
    codes = {office.id: office.code for office in offices_by_id().values()}
    ids = [batch.id for batch in page.rows]
    work, undone = jobs.open_jobs_of(ids), undone_among(ids)
    counts = {batch.id: queries.row_counts(batch) for batch in page.rows}
    headers = _headers(has_joined=any(one.joined for one in counts.values()))
    rows = [
        _row(batch, codes.get(batch.office_id, ""), work.get(batch.id), counts[batch.id], headers, is_undone=batch.id in undone)
        for batch in page.rows
    ]
    return render_template(
        "imports/index.html",
        page=page,
        rows=rows,
        headers=headers,
        pages=pages_of(page, asked, "imports.index", args_with),
        is_stuck=not jobs.is_worker_running() and any(jobs.open_counts().values()),
    )


def _headers(*, has_joined: bool) -> list[dict[str, Any]]:
    """The columns of the list; the rows that are one with others have one where a file of the page has any."""
    joined = {"key": "joined", "label": _("Joined"), "numeric": True, "phone": "labelled"}
    return [
        {"key": "file", "label": _("File"), "phone": "who"},
        {"key": "state", "label": _("How it stands"), "phone": "status"},
        {"key": "kind", "label": _("Kind"), "phone": "what"},
        {"key": "when", "label": _("Brought"), "phone": "when"},
        {"key": "office", "label": _("Office"), "phone": "hide"},
        {"key": "created", "label": _("New"), "numeric": True, "phone": "labelled"},
        {"key": "updated", "label": _("Changed"), "numeric": True, "phone": "labelled"},
        {"key": "unchanged", "label": _("Unchanged"), "numeric": True, "phone": "hide"},
        *([joined] if has_joined else []),
        {"key": "rejected", "label": _("Rejected"), "numeric": True, "phone": "labelled"},
    ]


def _standing(batch: ImportBatch, job: Job | None, *, is_undone: bool) -> tuple[str, str]:
    """How a batch stands, in a word with its tone: what its open job does with it, else what became of it."""
    if job is not None and job.kind == UNDO:
        return _undo_state(job), "info"
    if is_undone:
        return _("Undone"), "quiet"
    done = import_undo.done_of(batch)
    if done is not None and done.failed:
        return _("Undoing failed"), "late"
    if done is not None and done.is_begun:
        return _("Undone in part"), "soon"
    if _waits_for_answer(batch):
        return _("Waits for an answer"), "soon"
    word, tone = STATES[batch.state]
    return str(word), tone


def _waits_for_answer(batch: ImportBatch) -> bool:
    """Whether something has to be said of a spreadsheet (its columns, days, amounts) before its rows can be counted."""
    return batch.state == "checked" and queries.summary_of(batch).is_open


def _undo_state(job: Job) -> str:
    return _("Being undone") if job.state == "running" else _("Undoing waits for the background worker")


def _row(
    batch: ImportBatch, office: str, job: Job | None, counts: queries.RowCounts, headers: Sequence[Mapping[str, Any]], *, is_undone: bool
) -> list[Any]:
    word, tone = _standing(batch, job, is_undone=is_undone)
    far = "" if job is None or job.state != "running" else percent(Decimal(_percent(batch, job)) / 100, get_locale())
    shown = [name for header in headers if hasattr(counts, name := header["key"])]
    is_known = batch.state != "refused" and not _waits_for_answer(batch)
    return [
        {"text": batch.file_name, "href": url_for("imports.detail", batch_id=batch.id), "sub": batch.message or batch.reference},
        {"status": word, "tone": tone, "sub": far},
        kind_name(batch.format),
        day(batch.created_at.astimezone(clock.zone(actor().timezone)).date(), get_locale()),
        office,
        *(number(getattr(counts, name), get_locale()) if is_known else None for name in shown),
    ]


def kind_name(slug: str) -> str:
    """A format in words."""
    if slug in SHEETS:
        return str(SHEETS[slug].title)
    return str(registry.FORMATS[slug].title) if slug in registry.FORMATS else str(FAMILY_NAMES.get(slug, slug))


@bp.route("/new", methods=["GET", "POST"])
@permit(Permission.IMPORT_CONTACTS)
def create() -> Any:
    """Bring a file: it is checked and shown before anything is done. A refused one says why beside the field."""
    who = actor()
    may = offices_where(who, Permission.IMPORT_CONTACTS)
    names = {office.id: office.name for office in offices_by_id().values()}
    offices = [(str(office_id), names[office_id]) for office_id in may if office_id in names]
    form = UploadForm(offices=offices, kinds=_kinds(), is_of_all_kinds=can(who, Permission.IMPORT_ALL))
    if request.method == "POST" and form.validate():
        office_id = uuid.UUID(form.office.data)
        if can(who, permission_for(form.kind.data), office_id):
            done = _check(form, office_id)
            if done is not None:
                return done
        else:
            form.take(Invalid(_("Your role does not bring such a file into this office. Ask the head of the office."), field="office"))
    lists = [kind for slug, kind in sheets.KINDS.items() if can(who, permission_for(slug))]
    fixed = registry.FORMATS.values() if can(who, Permission.IMPORT_ALL) else ()
    kinds = [(str(entry.title), str(entry.description)) for entry in (*lists, *fixed)]
    return render_template("imports/form.html", form=form, kinds=kinds), status(form)


def _kinds() -> list[tuple[str, str]]:
    """What a person may bring: lists of their own, and where the role allows it files of a fixed format."""
    lists = [(slug, str(kind.title)) for slug, kind in sheets.KINDS.items() if can(actor(), permission_for(slug))]
    return [*([("", _("FTS or exchange rates (told by the headings)"))] if can(actor(), Permission.IMPORT_ALL) else []), *lists]


def _check(form: UploadForm, office_id: uuid.UUID) -> Response | None:
    who, upload = actor(), form.file.data
    token = (form.submission.data or "")[:64]
    with upload.stream:
        data = upload.read()
    kind = form.kind.data
    digest = hashlib.sha256(office_id.bytes + kind.encode() + data).hexdigest()
    earlier = submissions.find(who, token)
    if earlier is not None and earlier.digest != digest:
        raise Conflict(submissions.sent_otherwise())
    if earlier is not None and earlier.record_id is not None:
        return redirect(url_for("imports.detail", batch_id=earlier.record_id), code=303)
    batch = queries.get(imports.check_file(who, office_id, kind, upload.filename or "", data))
    if batch.state == "refused":
        form.take(Invalid(batch.message, field="file"))
        return None
    kept, is_second = submissions.once(who, token, digest, lambda: batch.id)
    if is_second and kept != batch.id:  # a double click that overtook itself: one batch stays
        imports.discard(who, batch.id)
    page = "sheet_imports.columns" if kind in sheets.KINDS and _is_open(who, kept or batch.id) else "imports.detail"
    return redirect(url_for(page, batch_id=kept), code=303)


def _is_open(who: Actor, batch_id: uuid.UUID) -> bool:
    """Whether something has to be said of a spreadsheet before it can be brought in."""
    return imports.sheet_to_mend(who, batch_id).file.is_open


@bp.get("/<uuid:batch_id>")
@permit(Permission.IMPORT_CONTACTS)
def detail(batch_id: uuid.UUID) -> Any:
    """What a file would do, or did: counts, first rows, why rows were rejected, a line for each problem."""
    batch = queries.get(batch_id)
    summary = queries.summary_of(batch)
    may = can(actor(), permission_for(batch.format), batch.office_id)
    job = jobs.open_job_of(batch.id) if batch.state != "refused" else None
    work = _work(batch, job)
    rejects = _rejects(batch, may_mend=may and batch.state == "checked" and batch.format in sheets.KINDS) if batch.rejected else []
    undo = _undo_of(batch, may=may)
    word, tone = _standing(batch, job, is_undone=undo["undone"] is not None)
    is_whole = undo["undone"] is None and not undo["undo_done"]
    is_begun = batch.state == "applied" or batch.taken > 0
    may_go_on = may and work is None and is_whole and batch.state in ("checked", "cancelled", "failed")
    return render_template(
        "imports/detail.html",
        batch=batch,
        kind=kind_name(batch.format),
        state=word,
        tone=tone,
        office=next((office.name for office in offices_by_id().values() if office.id == batch.office_id), ""),
        size=file_size(batch.size, get_locale()),
        repeated=_repeated(batch),
        notes=[quoted_apart(note) for note in summary.notes],
        as_read=[quoted_apart(note) for note in summary.as_read],
        samples=[_sample(sample, batch.format) for sample in summary.samples],
        doubles=[*summary.doubles, *_employers(summary)],
        impact=_impact(batch, summary) if batch.format in sheets.KINDS else "",
        may_discard=may and batch.state == "refused",
        is_open=summary.is_open,
        left_out=_left_out(summary.left_out),
        is_mended=bool(summary.mended),
        is_settled=bool(summary.settled),
        has_organisations=bool(summary.organisations),
        turnable=[turn_words(*one) for one in summary.turnable] if batch.state == "checked" and may else [],
        may_settle=batch.state == "checked"
        and (batch.format == "parties" or bool(summary.twins or summary.organisations or summary.settled)),
        rejects=rejects,
        more_rejected=0 if work is not None else batch.rejected - sum(one["count"] for one in rejects),
        counts=_counts(batch, summary),
        form=ActForm() if may_go_on else None,
        asks_to_discard=may_go_on and batch.state == "checked" and sheets.said_by_hand(batch).is_something,
        bring=_bring_label(batch) if batch.state == "checked" else _("Bring in the rest"),
        is_sheet=batch.format in sheets.KINDS,
        is_money=_is_money(batch),
        control=control_of(summary, is_done=batch.state == "applied") if batch.state in ("checked", "applied") else None,
        work=work,
        may_cancel=may and work is not None,
        stop_label=_("Stop; keep what was brought in") if batch.state in CARRIED_STATES else _("Stop; what was taken back stays so"),
        so_far=_so_far(batch) if batch.state in ("cancelled", "failed") else "",
        **(_brought(batch) if is_begun and undo["undone"] is None and can(actor(), Permission.RECORD_SEE) else {}),
        **undo,
    )


def _employers(summary: queries.Summary) -> list[tuple[int, str, str]]:
    """New organisations of posts that may be one, a line for each group: the first row, its name there, the others in words."""
    rows = {name: row for row, name, _count in summary.organisations}
    words = {other: why for _row, _name, others in summary.employers for other, why, *_more in others}
    found = []
    for keys in groups_in(summary):
        new = sorted((key for key in keys if key in rows), key=lambda key: rows[key]) or keys
        found.append((rows.get(new[0], 0), new[0], ", ".join(words.get(key, key) for key in keys if key != new[0])))
    return found


def _rejects(batch: ImportBatch, *, may_mend: bool) -> list[dict[str, Any]]:
    """Why rows were rejected, a line for each problem: how many rows, the first of them, what stands there, and where that is mended."""
    header, _tags = queries.header_of(batch)
    places = {heading: place for place, heading in enumerate(header)}
    lines = []
    for one in queries.equal_rejects(batch.id):
        place = places.get(one.column, -1)
        held = dict.fromkeys(cells[place][:_CELL_SHOWN] for _row, cells in one.rows if 0 <= place < len(cells))
        rows = [row for row, _cells in one.rows]
        is_one_value = one.is_one_sentence and one.count > 1 and len(held) == 1
        anchor = "several" if is_one_value else f"row-{rows[0]}"
        lines.append(
            {
                "count": one.count,
                "rows": _rows_in_words(rows, one.count),
                "column": one.column or _("whole row"),
                "held": [text for text in held if text.strip()],
                "has_more": one.count != len(rows) and not (one.is_one_sentence and len(held) == 1),
                "why": one.reason if one.is_one_sentence else _("such as: %(sentence)s", sentence=one.reason),
                "mend": url_for("sheet_imports.rows", batch_id=batch.id, _anchor=anchor) if may_mend else "",
            }
        )
    return lines


def _rows_in_words(rows: Sequence[int], count: int) -> str:
    """The numbers of the first rows, and how many more there are."""
    named, left = ", ".join(map(str, dict.fromkeys(rows))), count - len(rows)
    return ngettext("%(rows)s and %(n)s more", "%(rows)s and %(n)s more", left, rows=named, n=number(left, get_locale())) if left else named


def _brought(batch: ImportBatch) -> dict[str, Any]:
    """The first records that came in, each with its page, and whether there are more."""
    found, has_more = import_undo.brought(batch.id)
    return {"brought": [_with_page(one) for one in found], "has_more_brought": has_more}


def _with_page(one: import_undo.Brought) -> dict[str, str]:
    name = "party_id" if one.noun == "parties" else f"{one.noun.removesuffix('s')}_id"
    what = shared.FORM_LABELS[one.form] if one.form else import_undo.NOUNS[one.noun]
    return {"title": one.title, "what": str(what), "url": shared.link(f"{one.noun}.detail", **{name: one.id})}


@bp.get("/<uuid:batch_id>/records")
@permit(Permission.IMPORT_CONTACTS)
def records(batch_id: uuid.UUID) -> Any:
    """Every record that an import made, with its page; one that was removed since is not there."""
    require(actor(), Permission.RECORD_SEE)
    batch, asked = queries.get(batch_id), paging()
    first = (asked.number - 1) * asked.size
    found, has_more = import_undo.brought(batch.id, first, asked.size)
    has_next = has_more and asked.number < LAST_NUMBERED_PAGE
    page = Page(found, total=0, is_exact=False, number=asked.number, size=asked.size, has_next=has_next, after=None)
    return render_template(
        "imports/records.html",
        batch=batch,
        rows=[[{"text": one["title"], "href": one["url"]}, one["what"]] for one in map(_with_page, found)],
        headers=[{"key": "name", "label": _("Name"), "phone": "who"}, {"key": "what", "label": _("What"), "phone": "what"}],
        pages=pages_of(page, asked, "imports.records", lambda **changed: args_with(**changed, batch_id=batch_id)),
        is_whole=not has_more and asked.number == 1,
    )


def _counts(batch: ImportBatch, summary: queries.Summary) -> list[dict[str, Any]]:
    """New, changed, unchanged, joined with another and rejected: rows; for a file of rates its days, with how many rates they bring."""
    rates = summary.rates
    is_done, is_by_day = batch.state == "applied" or batch.taken > 0, batch.format in FAMILIES["rates"]

    def counted(count: int, brought: int | None = None) -> dict[str, Any]:
        if not is_by_day:
            return {"value": number(count, get_locale())}
        words = ngettext("%(n)s day", "%(n)s days", count, n=number(count, get_locale()))
        note = ngettext("%(n)s rate", "%(n)s rates", brought, n=number(brought, get_locale())) if brought else ""
        return {"value": words, "note": note}

    rows = queries.row_counts(batch, summary)
    joined = {"label": _("Joined with another row"), **counted(rows.joined), "note": _("as you said")}
    return [
        {"label": _("New") if is_done else _("Would be new"), **counted(rows.created, rates.get("created"))},
        {"label": _("Changed") if is_done else _("Would change"), **counted(rows.updated, rates.get("updated"))},
        {"label": _("Unchanged"), **counted(rows.unchanged), "note": _("held as they are")},
        *([joined] if rows.joined else []),
        {
            "label": _("Rejected"),
            "value": number(batch.rejected, get_locale()),
            "note": _("with the reason, below") if batch.rejected else "",
            "tone": "late" if batch.rejected else "",
        },
    ]


def _impact(batch: ImportBatch, summary: queries.Summary) -> str:
    """The whole file in one sentence, and in another the rows that are one with others."""
    count = queries.row_counts(batch, summary).joined
    joined = ngettext(
        "%(n)s row is joined with another row.",
        "%(n)s rows are joined with other rows.",
        count,
        n=number(count, get_locale()),
    )
    return f"{_counts_said(batch, summary)} {joined}" if count else _counts_said(batch, summary)


def _counts_said(batch: ImportBatch, summary: queries.Summary) -> str:
    doubles, left_out = summary.double_rows + len(groups_in(summary)), len(summary.left_out)
    rows = queries.row_counts(batch, summary)
    shown = {
        "new": number(rows.created, get_locale()),
        "changed": number(rows.updated, get_locale()),
        "unchanged": number(rows.unchanged, get_locale()),
        "doubles": ngettext("%(n)s possible duplicate", "%(n)s possible duplicates", doubles, n=number(doubles, get_locale())),
        "problems": ngettext("%(n)s with a problem", "%(n)s with problems", batch.rejected, n=number(batch.rejected, get_locale())),
        "out": number(left_out, get_locale()),
    }
    if left_out:
        return _("%(new)s new, %(changed)s changed, %(unchanged)s unchanged, %(doubles)s, %(problems)s, %(out)s left out.", **shown)
    return _("%(new)s new, %(changed)s changed, %(unchanged)s unchanged, %(doubles)s, %(problems)s.", **shown)


def turn_words(heading: str, count: int, first: str) -> str:
    """What is offered for a column of names that look like “Family, First”."""
    return ngettext(
        "%(n)s name under “%(column)s” looks like “Family, First”: turn it round, “%(name)s” to “%(turned)s”?",
        "%(n)s names under “%(column)s” look like “Family, First”: turn them round, such as “%(name)s” to “%(turned)s”?",
        count,
        n=number(count, get_locale()),
        column=heading,
        name=first[:80],
        turned=turned(first)[:80],
    )


def _left_out(rows: Sequence[int]) -> str:
    """Which rows a person left out; "" where none."""
    if not rows:
        return ""
    named = ", ".join(number(row, get_locale()) for row in rows[:_MOST_ROWS_NAMED]) + (" …" if len(rows) > _MOST_ROWS_NAMED else "")
    return ngettext(
        "Row %(rows)s was left out by hand.",
        "%(num)d rows were left out by hand: %(rows)s.",
        len(rows),
        rows=named,
    )


def _undo_of(batch: ImportBatch, *, may: bool) -> dict[str, Any]:
    """Whether a batch can be undone, or how it was."""
    record = import_undo.undone(batch.id)
    if record is None:
        done = import_undo.done_of(batch)
        return {
            "undone": None,
            "may_undo": may and not import_undo.why_not(batch),
            "undo_done": _undo_done(done) if done and done.is_begun else "",
            "undo_failed": done.failed if done else "",
        }
    found = import_undo.summary_of(record)
    names = [(str(import_undo.NOUNS.get(one["noun"], one["noun"])), one["title"], one["why"]) for one in found.get("names", [])]
    return {
        "undo_words": undo_words(batch),
        "undone": record,
        "may_undo": False,
        "undo_done": "",
        "undo_failed": "",
        "undo_counts": found,
        "undo_names": names,
        "undo_rows": undo_rows(found.get("by_noun", {})),
    }


def _undo_done(done: import_undo.Done) -> str:
    """What an undo did that has not come to its end."""
    return _(
        "So far %(removed)s records were removed, %(restored)s put back, and %(reversed)s taken back by entries that say so.",
        removed=number(done.removed, get_locale()),
        restored=number(done.counts["restored"], get_locale()),
        reversed=number(done.counts["reversed"], get_locale()),
    )


def undo_rows(by_noun: Mapping[str, Sequence[int]]) -> list[list[str]]:
    """What an undo removes and puts back, a line for each kind of record or part."""
    return [
        [str(import_undo.NOUNS.get(noun, noun)), *(number(count, get_locale()) for count in counts)] for noun, counts in by_noun.items()
    ]


def undo_words(batch: ImportBatch) -> str:
    """Why the figures of an undo are others than those of its import; "" for rates, which both count by day."""
    if batch.format in FAMILIES["rates"]:
        return ""
    return _(
        "The import counted rows of the file: %(created)s new, %(updated)s changed. Undoing counts records. A row can have made several, "
        "such as a person with their organisation and post; and where a row only added something to a record, undoing removes what it "
        "added and puts nothing back.",
        created=number(batch.created, get_locale()),
        updated=number(queries.row_counts(batch).updated, get_locale()),
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


def _percent(batch: ImportBatch, job: Job | None) -> int:
    """How far the work on a batch is; a hundred is said by its end alone."""
    done, total = (job.done, job.total) if job is not None and job.kind == UNDO else (batch.taken, job.total if job else batch.rows)
    return min(99, done * 100 // max(done, total, 1))


def _work(batch: ImportBatch, job: Job | None) -> dict[str, Any] | None:
    """How far the background work on a batch is, in words; None where none is going on. `job`: its open one."""
    if job is not None and job.kind == UNDO:
        return _undo_work(batch, job)
    if job is None and batch.state not in CARRIED_STATES:
        return None
    total = max(batch.taken, job.total if job else batch.rows, 1)
    if batch.taken:
        text = _("%(taken)s of about %(all)s rows", taken=number(batch.taken, get_locale()), all=number(total, get_locale()))
    else:
        text = _("Nothing is brought in yet.")
    lost = _("No background worker has this file. If no command is bringing it in, its work was lost: stop it, and bring in the rest.")
    note = lost if job is None else _waits(job)
    return {
        "percent": _percent(batch, job),
        "text": text,
        "note": note,
        "state": str(STATES["running" if batch.state == "running" else "queued"][0]),
    }


def _undo_work(batch: ImportBatch, job: Job) -> dict[str, Any]:
    """How far the undo of a batch is, and who asked for it."""
    done, total = number(job.done, get_locale()), number(max(job.done, job.total), get_locale())
    far = (
        _("%(done)s of about %(all)s records and parts of records.", done=done, all=total) if job.done else _("Nothing is taken back yet.")
    )
    who = lookups.people([job.created_by_id]).get(job.created_by_id, "") if job.created_by_id else ""
    return {
        "percent": _percent(batch, job),
        "text": far + (" " + _("%(who)s asked for it.", who=who) if who else ""),
        "note": _waits(job),
        "state": _undo_state(job),
    }


def _waits(job: Job) -> str:
    """Why work does not go on at this moment; "" where it does."""
    if not jobs.is_worker_running():
        return _("The background worker is not running; ask your administrator. The file waits until it does.")
    if job.next_try_at is not None:
        return _("It did not work this time; it is tried again by itself (try %(n)s).", n=number(job.tries + 1, get_locale()))
    return ""


@bp.get("/<uuid:batch_id>/progress.json")
@permit(Permission.IMPORT_CONTACTS)
def progress(batch_id: uuid.UUID) -> Any:
    """How far the background work on a batch is, for its page: `is_over` once the page itself has more to say."""
    batch = queries.get(batch_id)
    work = _work(batch, jobs.open_job_of(batch.id) if batch.state != "refused" else None)
    return {"is_over": work is None, **(work or {})}


def _is_money(batch: ImportBatch) -> bool:
    return batch.format in SHEETS and SHEETS[batch.format].is_money


def _repeated(batch: ImportBatch) -> int:
    """Rows of the file that repeat another row: counted once. Several rows of money may be one record, and say so themselves."""
    if _is_money(batch):
        return 0
    if batch.state not in ("checked", "applied"):
        return 0  # not known before the whole file is compared
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


def _sample(sample: dict[str, Any], slug: str) -> dict[str, Any]:
    known = currencies()
    fields_known = SHEETS[slug].fields if slug in SHEETS else {}
    labels = {**FIELDS, **{name: item.label for name, item in fields_known.items()}}
    return {
        "row": sample["row"],
        "is_new": sample["action"] == "created",
        "is_joined": sample["action"] == "joined",
        "title": sample["title"],
        "changes": [
            {
                "field": name if name in known else str(labels.get(name, name)),
                "old": _in_words(name, fields_known.get(name), old) or DASH,
                "new": _in_words(name, fields_known.get(name), new) or DASH,
            }
            for name, old, new in sample["changes"]
        ],
    }


def _in_words(name: str, item: SheetField | None, text: str) -> str:
    """A value as a person reads it: the name of a country, the words of a list, for their codes."""
    if item is None or not text:
        return text
    if name == "answer":
        return str(ANSWER_LABELS.get(text, text))
    if item.reads == COUNTRY:
        country = countries_by_iso2().get(text)
        return country.name if country else text
    if item.reads in (WORD, WORDS) and isinstance(item.words, ListedWords):
        return ", ".join(codes.label(item.words.name, code) for code in text.split(", "))
    return text


@bp.post("/<uuid:batch_id>/apply")
@permit(Permission.IMPORT_CONTACTS)
def apply(batch_id: uuid.UUID) -> Any:
    """Bring a checked file in: a short one at once, a long one, or the rest of one, in the background. A second click finds it done."""
    batch = queries.get(batch_id)
    require(actor(), permission_for(batch.format), batch.office_id)
    if batch.state == "checked" and queries.summary_of(batch).is_open:
        flash(_("Say first what the file leaves open; then it can be brought in."), "warning")
        return redirect(url_for("sheet_imports.columns", batch_id=batch_id), code=303)
    try:
        if batch.state != "checked" or not imports.is_short(batch):
            imports.apply_in_background(actor(), batch_id)
            return redirect(url_for("imports.detail", batch_id=batch_id), code=303)
        imports.apply_batch(actor(), batch_id)
    except (Refused, Invalid) as error:
        flash(str(error), "error")
    except Conflict:
        if queries.get(batch_id).state not in ("applied", *CARRIED_STATES):
            raise
    else:
        flash(_brought_in(queries.row_counts(queries.get(batch_id))), "success")
    return redirect(url_for("imports.detail", batch_id=batch_id), code=303)


def _brought_in(counts: queries.RowCounts) -> str:
    """What a file did, in the sentence that follows it."""
    shown = {name: number(count, get_locale()) for name, count in asdict(counts).items()}
    if counts.joined:
        return _(
            "Brought in: %(created)s new, %(updated)s changed, %(unchanged)s unchanged, %(joined)s joined with other rows, "
            "%(rejected)s rejected.",
            **shown,
        )
    return _("Brought in: %(created)s new, %(updated)s changed, %(unchanged)s unchanged, %(rejected)s rejected.", **shown)


@bp.post("/<uuid:batch_id>/cancel")
@permit(Permission.IMPORT_CONTACTS)
def cancel(batch_id: uuid.UUID) -> Any:
    """Stop the background work on a file; what was brought in stays. A second click, or one that comes too late, finds it ended."""
    batch = queries.get(batch_id)
    require(actor(), permission_for(batch.format), batch.office_id)
    if undo_is_going_on(batch):
        return _cancel_undo(batch)
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


def _cancel_undo(batch: ImportBatch) -> Response:
    try:
        imports.cancel_undo(actor(), batch.id)
    except Conflict as error:
        flash(str(error), "warning")
    else:
        done = import_undo.done_of(queries.get(batch.id))
        flash(
            _("Stopped. What was taken back stays so; undoing again goes on.")
            if done and done.is_begun
            else _("Stopped before anything was taken back."),
            "success",
        )
    return redirect(url_for("imports.detail", batch_id=batch.id), code=303)


@bp.get("/<uuid:batch_id>/discard")
@permit(Permission.IMPORT_CONTACTS)
def ask_to_discard(batch_id: uuid.UUID) -> Any:
    """Whether to drop a file, with what a person said of it and would have to say again."""
    batch = queries.get(batch_id)
    if not can(actor(), permission_for(batch.format), batch.office_id):
        flash(_("Your role does not discard such a file of this office. Ask the head of the office."), "error")
        return redirect(url_for("imports.detail", batch_id=batch_id), code=303)
    if batch.state not in ("checked", "refused"):
        flash(_("Only a file that waits for you can be discarded."), "warning")
        return redirect(url_for("imports.detail", batch_id=batch_id), code=303)
    said = sheets.said_by_hand(batch)
    form = ActForm(data={"version": str(said.version)})
    return render_template("imports/discard.html", batch=batch, lost=_lost(said), form=form)


def _lost(said: sheets.SaidByHand) -> list[dict[str, Any]]:
    """What goes with a file that is discarded, as figures with their names."""
    counted = [
        (_("Cells mended"), said.cells, _("row by row")),
        (_("Answers for several rows"), said.answers, _("what is read instead of a value, a year or an empty formula")),
        (_("Rows left out"), said.left_out, ""),
        (_("Possible duplicates settled"), said.settled, ""),
    ]
    return [{"label": label, "value": number(count, get_locale()), "note": note} for label, count, note in counted if count]


@bp.post("/<uuid:batch_id>/discard")
@permit(Permission.IMPORT_CONTACTS)
def discard(batch_id: uuid.UUID) -> Any:
    """Drop a checked or refused file: nothing was brought in. Of one of which something was said that the person has not been shown, asks first."""
    batch = queries.get(batch_id)
    require(actor(), permission_for(batch.format), batch.office_id)
    said, name = sheets.said_by_hand(batch), batch.file_name
    if said.is_something and ActForm().known_version != said.version:
        return redirect(url_for("imports.ask_to_discard", batch_id=batch_id), code=303)
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

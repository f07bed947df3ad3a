"""Background work that failed, for administrators: which kind, in which office, when, why; tried again or taken off the list."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from crm.errors import Conflict
from crm.formatting import number
from crm.i18n import LazyText, _, _l, get_locale
from crm.jobs import engine
from crm.models.jobs import Job
from crm.policy import Permission, can, offices_by_id
from crm.queries import jobs as queries
from crm.services import jobs
from crm.web.gate import actor, permit
from crm.web.helpers import args_with, paging
from crm.web.landscape import pages_of

bp = Blueprint("jobs", __name__, url_prefix="/jobs")

KINDS: dict[str, LazyText] = {"import": _l("Bringing a file in"), "undo": _l("Undoing an import"), "bulk": _l("Changing several records")}


@bp.get("/")
@permit(Permission.JOB_MANAGE)
def index() -> Any:
    """The failed jobs, newest first, and whether anybody does the others. No word of any record."""
    asked = paging()
    page = queries.failed(asked)
    names = {office.id: office.name for office in offices_by_id().values()}
    return render_template(
        "jobs/index.html",
        page=page,
        pages=pages_of(page, asked, "jobs.index", args_with),
        rows=[_row(job, names.get(job.office_id, "")) for job in page.rows],
        counts=queries.open_counts(),
        workers=[(worker.name, worker.beat_at, not queries.is_silent(worker)) for worker in queries.workers()],
        is_running=queries.is_worker_running(),
    )


def _row(job: Job, office: str) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": str(KINDS.get(job.kind, job.kind)),
        "office": office,
        "asked": job.created_at,
        "ended": job.ended_at,
        "sentence": job.message,
        "tries": number(job.tries, get_locale()),
        "may": can(actor(), Permission.JOB_MANAGE, job.office_id),
    }


@bp.post("/<uuid:job_id>/retry")
@permit(Permission.JOB_MANAGE)
def retry(job_id: uuid.UUID) -> Any:
    """Try a failed job again. A second click finds it under way."""
    return _act(lambda: engine.retry(actor(), job_id), _("It is tried again, from where it stands."))


@bp.post("/<uuid:job_id>/dismiss")
@permit(Permission.JOB_MANAGE)
def dismiss(job_id: uuid.UUID) -> Any:
    """Take a failed job off the list; its record stays as it is."""
    return _act(lambda: jobs.dismiss(actor(), job_id), _("It is off the list. Its record stays as it is."))


def _act(do: Any, sentence: str) -> Any:
    try:
        do()
    except Conflict as error:
        flash(str(error), "warning")
    else:
        flash(sentence, "success")
    return redirect(url_for("jobs.index"), code=303)

"""Documents: the list, one with its facts and file, and the briefing pack of a meeting."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for

from crm import clock
from crm.errors import Invalid, NotFound
from crm.formatting import file_size, relative_day
from crm.forms.documents import MakeForm
from crm.i18n import LOCALES, LazyText, _, _l, get_locale, ngettext
from crm.jobs import documents as jobs
from crm.models.base import OFFICE
from crm.models.documents import Document
from crm.policy import Permission, can
from crm.queries import documents as queries
from crm.queries import parties
from crm.queries.documents import PACK, DocumentFilter, Since, Used
from crm.web.gate import actor, permit
from crm.web.helpers import args_with, body_digest, paging
from crm.web.lookups import when_words
from reports.registry import LEVEL_WORDS, REPORTS
from reports.render import RenderFailed

bp = Blueprint("documents", __name__)
MOST_LISTED = 60
_PAGES: dict[str, tuple[str, str]] = {
    "interaction": ("interactions.detail", "interaction_id"),
    "ask": ("asks.detail", "ask_id"),
    "commitment": ("commitments.detail", "commitment_id"),
    "pledge": ("pledges.detail", "pledge_id"),
    "agreement": ("agreements.detail", "agreement_id"),
    "receipt": ("receipts.detail", "receipt_id"),
    "programme": ("programmes.detail", "programme_id"),
    "flow": ("flows.detail", "flow_id"),
}
_NOUNS: dict[str, LazyText] = {
    "interaction": _l("Interactions"),
    "ask": _l("Asks"),
    "commitment": _l("Promises"),
    "pledge": _l("Pledges"),
    "agreement": _l("Agreements"),
    "receipt": _l("Receipts"),
    "allocation": _l("Allocations"),
    "programme": _l("Programmes"),
    "requirement": _l("Needs by year"),
    "indicator": _l("Indicators"),
    "tenure": _l("Posts"),
    "note": _l("Notes"),
    "flow": _l("Reported flows (not our money)"),
}


def _place() -> jobs.Place:
    return jobs.Place(Path(current_app.instance_path) / "documents", bool(current_app.config.get("IS_DEMO")))


def _titles() -> dict[str, str]:
    return {slug: str(report.title) for slug, report in REPORTS.items()}


def _read_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


# --- list ----------------------------------------------------------------------------------------------------------


@bp.get("/documents/")
@permit(Permission.RECORD_SEE)
def index() -> Any:
    """The documents in scope, newest first."""
    slug = request.args.get("slug", "")
    party_id = _read_id(request.args.get("party", "")[:40])
    filters = DocumentFilter(slug if slug in REPORTS else "", party_id)
    page = queries.find(filters, paging())
    names = parties.names_of([party_id]) if party_id else {}
    return render_template(
        "documents/index.html",
        page=page,
        filters=filters,
        party_name=names.get(party_id, "") if party_id else "",
        titles=_titles(),
        levels=LEVEL_WORDS,
        args_with=args_with,
    )


# --- one -----------------------------------------------------------------------------------------------------------


@bp.get("/documents/<uuid:document_id>")
@permit(Permission.RECORD_SEE)
def detail(document_id: uuid.UUID) -> Any:
    """A document: what it is, who made it and from what, its file, and whether the records changed since."""
    document = queries.get(document_id)
    office = queries.office_of(document)
    kept = queries.snapshot(document_id)
    used = kept.used
    made_at = when_words(document.created_at, office.timezone)
    return render_template(
        "documents/detail.html",
        document=document,
        title=_titles().get(document.slug, document.slug),
        level=str(LEVEL_WORDS[document.document_level]),
        level_note=_level_note(document),
        language=LOCALES.get(document.language, document.language),
        size=file_size(document.size, get_locale()),
        made_at=made_at,
        maker=queries.maker(document) or _("somebody of another office"),
        changed=_since_words(document, queries.changed_since(document, used)),
        groups=_grouped(used),
        boxes=jobs.boxes(kept),
        form=MakeForm() if document.interaction_id and can(actor(), Permission.DOCUMENT_BUILD, document.office_id) else None,
    )


def _level_note(document: Document) -> str:
    if document.level == OFFICE:
        return _("Only members of the office can open it: it holds a note or record of that level.")
    return _("Everybody whose scope covers the office can open it.")


def _since_words(document: Document, since: Since) -> str:
    """What to say beside the age of a document whose records were changed: one sentence for each thing that happened."""
    if not since:
        return ""
    made = relative_day(document.created_at.date(), clock.today(), get_locale())
    happened = []
    if since.about:
        happened.append(_("The meeting was edited since."))
    if since.others:
        happened.append(
            ngettext("%(num)d record behind it was changed since.", "%(num)d records behind it were changed since.", since.others)
        )
    if since.added:
        happened.append(ngettext("%(num)d new record is not in it.", "%(num)d new records are not in it.", since.added))
    return " ".join([_("Made %(made)s.", made=made), *happened])


def _grouped(used: Sequence[Used]) -> list[dict[str, Any]]:
    """The records behind a document by kind, each with its page where there is one."""
    groups: list[dict[str, Any]] = []
    for noun, label in _NOUNS.items():
        mine = sorted((one for one in used if one.noun == noun), key=lambda one: one.reference)
        if not mine:
            continue
        endpoint, name = _PAGES.get(noun, ("", ""))
        has_page = endpoint in current_app.view_functions
        items = [(one.reference, _page_of(endpoint, name, one.id) if has_page else "") for one in mine[:MOST_LISTED]]
        groups.append({"label": str(label), "count": len(mine), "items": items, "more": max(0, len(mine) - MOST_LISTED)})
    return groups


def _page_of(endpoint: str, name: str, key: uuid.UUID) -> str:
    values: dict[str, Any] = {name: key}
    return url_for(endpoint, **values)


@bp.get("/documents/<uuid:document_id>.pdf")
@permit(Permission.RECORD_SEE)
def pdf(document_id: uuid.UUID) -> Any:
    """The stored file, as it was issued."""
    document = queries.get(document_id)
    try:
        data = jobs.read_file(document, _place())
    except NotFound as error:
        return _refused(str(error), url_for("documents.detail", document_id=document_id), status=404)
    response = Response(data, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{_file_name(document)}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def _file_name(document: Document) -> str:
    """The reference and the kind of document: letters, digits and hyphens alone."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char == "-") else "-" for char in f"{document.reference}-{document.slug}")
    return f"{plain}.pdf"


# --- the pack of a meeting -----------------------------------------------------------------------------------------


@bp.get("/interactions/<uuid:interaction_id>/brief")
@permit(Permission.RECORD_SEE)
def brief(interaction_id: uuid.UUID) -> Any:
    """The newest briefing pack of a meeting, or the button that makes one."""
    return _brief_page(interaction_id)


def _brief_page(interaction_id: uuid.UUID, *, problem: str = "", status: int = 200) -> Any:
    meeting = queries.interaction(interaction_id)
    office = queries.office_of(meeting)
    newest = queries.newest_for(interaction_id, PACK)
    changed = ""
    if newest is not None:
        changed = _since_words(newest, queries.changed_since(newest, queries.snapshot(newest.id).used))
    return render_template(
        "documents/brief.html",
        meeting=meeting,
        when=when_words(meeting.starts_at, office.timezone),
        document=newest,
        level=str(LEVEL_WORDS[newest.document_level]) if newest else "",
        level_note=_level_note(newest) if newest else "",
        size=file_size(newest.size, get_locale()) if newest else "",
        made_at=when_words(newest.created_at, office.timezone) if newest else "",
        changed=changed,
        problem=problem,
        form=MakeForm() if can(actor(), Permission.DOCUMENT_BUILD, meeting.office_id) else None,
    ), status


@bp.post("/interactions/<uuid:interaction_id>/brief")
@permit(Permission.DOCUMENT_BUILD)
def make_brief(interaction_id: uuid.UUID) -> Any:
    """Make the pack and show it. What goes wrong is said on the page; nothing is kept by halves."""
    form = MakeForm()
    try:
        document_id = jobs.make_document(
            actor(),
            PACK,
            {"interaction": interaction_id},
            _place(),
            lang=get_locale(),
            token=(form.submission.data or "")[:64],
            digest=f"{interaction_id}{body_digest()}"[:64],
        )
    except (RenderFailed, Invalid) as error:
        return _brief_page(interaction_id, problem=str(error), status=422)
    except OSError:
        current_app.logger.exception("a document could not be stored")
        return _brief_page(
            interaction_id, problem=_("The document could not be stored on disk. Tell the administrator, and try again."), status=503
        )
    flash(_("The briefing pack is ready."), "success")
    return redirect(url_for("documents.detail", document_id=document_id), code=303)


def _refused(sentence: str, back_url: str, *, status: int) -> Any:
    return render_template("documents/refused.html", sentence=sentence, back_url=back_url), status

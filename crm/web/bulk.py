"""Several rows of a list changed at once: which and how, what that would do, doing it, taking it back."""

from __future__ import annotations

import json
import uuid
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from crm import clock
from crm.data import countries_by_iso2
from crm.errors import Conflict, Invalid, NotFound, Refused
from crm.formatting import day, number
from crm.forms.base import choices
from crm.forms.bulk import FORMS, WHAT, ValueForm
from crm.forms.imports import ActForm
from crm.forms.lookups import uuid_of
from crm.forms.parties import country_choices
from crm.i18n import LazyText, _, _l, get_locale, ngettext
from crm.jobs import bulk as jobs
from crm.models.codes import PARTY_KINDS
from crm.models.imports import CARRIED_STATES, ImportBatch
from crm.policy import Permission
from crm.queries import bulk as queries
from crm.queries import codes, lookups
from crm.queries import jobs as work_queries
from crm.queries.parties import KIND_NAMES
from crm.services import bulk, import_undo
from crm.services.bulk import CHANGED, REFUSED, SAME, Action, Choice, Verdict
from crm.web import lookups as shared
from crm.web import saved_lists
from crm.web.gate import actor, permit
from crm.web.helpers import paging
from crm.web.landscape import DASH
from crm.web.listing import Listing, Seen

bp = Blueprint("bulk", __name__, url_prefix="/bulk")
SHOWN = 100
#: The page of one record of a noun, and what its address calls the record.
_PAGES = {
    "parties": ("parties.detail", "party_id"),
    "asks": ("asks.detail", "ask_id"),
    "commitments": ("commitments.detail", "commitment_id"),
    "follow-ups": ("follow_ups.edit", "follow_up_id"),
}
STATES: dict[str, tuple[LazyText, str]] = {
    "checked": (_l("Not done yet"), "soon"),
    "queued": (_l("Waiting for the background worker"), "info"),
    "running": (_l("Being done"), "info"),
    "applied": (_l("Done"), "done"),
    "cancelled": (_l("Stopped, done in part"), "soon"),
    "failed": (_l("Failed"), "late"),
}


@bp.get("/")
@permit(Permission.CONTACT_LOG)
def index() -> Any:
    """What one changed several of at once, newest first: the way back to undoing it."""
    asked = paging()
    page = queries.made_by(actor().user_id, asked)
    undone = queries.undone_among([batch.id for batch in page.rows])
    headers = [
        {"key": "what", "label": _("What was done"), "phone": "who"},
        {"key": "state", "label": _("How it stands"), "phone": "status"},
        {"key": "when", "label": _("When"), "phone": "when"},
        {"key": "changed", "label": _("Changed"), "numeric": True, "phone": "labelled"},
        {"key": "refused", "label": _("Left as they are"), "numeric": True, "phone": "labelled"},
    ]
    rows = [_row(batch, is_undone=batch.id in undone) for batch in page.rows]
    return render_template("bulk/index.html", headers=headers, rows=rows, page=page, pages=shared.pages(page, asked))


def _row(batch: ImportBatch, *, is_undone: bool) -> list[Any]:
    kept = json.loads(batch.header)
    word, tone = (_("Undone"), "quiet") if is_undone else STATES[batch.state]
    title = f"{WHAT[kept['noun']]}: {bulk.action_of(kept['noun'], kept['action']).label}"
    return [
        {"text": title, "href": url_for("bulk.detail", bulk_id=batch.id), "sub": batch.reference},
        {"status": str(word), "tone": tone},
        day(batch.created_at.astimezone(clock.zone(actor().timezone)).date(), get_locale()),
        number(batch.updated, get_locale()),
        number(batch.rejected, get_locale()),
    ]


# --- which, and how ----------------------------------------------------------------------------------------------------


@bp.post("/<string:noun>")
@permit(Permission.CONTACT_LOG)
def choose(noun: str) -> Any:
    """Take the rows that were ticked in a list, or all that fit its filters, ask what the change must be told, and lead to what it would do."""
    listing = saved_lists.LISTINGS.get(noun)
    action = bulk.action_of(noun, request.form.get("action", ""))
    if listing is None:
        raise NotFound
    try:
        arguments = saved_lists.arguments(request.form.get("query", ""))
    except Refused as error:
        flash(str(error), "error")
        return redirect(url_for(listing.endpoint), code=303)
    back = url_for(listing.endpoint, **arguments)
    ids = _chosen(listing, arguments)
    is_asked = "step" in request.form or not action.asks_for
    form = _form(noun, action, ids, is_asked=is_asked)
    if is_asked and form.validate():
        try:
            batch_id = bulk.record_choice(actor(), noun, action.key, _typed(form), ids, query=urlencode(arguments))
        except Invalid as error:
            form.take(error)
        else:
            return redirect(url_for("bulk.detail", bulk_id=batch_id), code=303)
    if not ids or len(ids) > bulk.MOST or not action.asks_for:
        flash(form.whole_errors[0] if form.whole_errors else _wrong_number(ids), "error")
        return redirect(back, code=303)
    everything = "all" in request.form
    page = render_template(
        "bulk/value.html",
        form=form,
        noun=noun,
        action=action,
        ids=[] if everything else ids,
        everything=everything,
        query=request.form.get("query", ""),
        count=len(ids),
        what=str(WHAT[noun]),
        back=back,
    )
    return page, 422 if is_asked else 200


def _wrong_number(ids: list[uuid.UUID]) -> str:
    if not ids:
        return _("Choose at least one row first.")
    return _("At most %(n)s records are changed at once. Filter the list further.", n=number(bulk.MOST, get_locale()))


def _chosen(listing: Listing, arguments: dict[str, Any]) -> list[uuid.UUID]:
    """The records that were ticked, or all that fit the list's filters: one more than can be changed at the most."""
    if "all" not in request.form:
        found = (uuid_of(text) for text in request.form.getlist("ids")[: bulk.MOST + 1])
        return list(dict.fromkeys(key for key in found if key is not None))
    ids: list[uuid.UUID] = []
    for rows in Seen.of(listing, MultiDict(arguments), actor()).reading.chunks():
        ids += [row.id for row in rows]
        if len(ids) > bulk.MOST:
            break
    return ids[: bulk.MOST + 1]


def _form(noun: str, action: Action, ids: list[uuid.UUID], *, is_asked: bool) -> ValueForm:
    made = FORMS[action.asks_for]
    form = made() if is_asked else made(formdata=None)
    field: Any = getattr(form, "value", None)
    if action.asks_for == "person":
        people = lookups.colleagues_of(bulk.offices_of(noun, ids)) if ids else []
        field.choices = choices([("", _("Choose")), *((str(key), name) for key, name in people)])
    elif action.asks_for == "kind":
        kinds = KIND_NAMES.items() if action.key == "remove-kind" else codes.offered_choices(PARTY_KINDS, clock.today())
        field.choices = choices([("", _("Choose")), *kinds])
    elif action.asks_for == "country":
        field.choices = choices([("", _("Choose")), *country_choices()[1:]])
    return form


def _typed(form: ValueForm) -> str:
    field: Any = getattr(form, "value", None)
    value = field.data if field is not None else ""
    return value.isoformat() if isinstance(value, date) else value or ""


# --- what it would do, and did -----------------------------------------------------------------------------------------


@bp.get("/<uuid:bulk_id>")
@permit(Permission.CONTACT_LOG)
def detail(bulk_id: uuid.UUID) -> Any:
    """What a change would do to which record, or did; how far it is; the way to undo it."""
    who = actor()
    batch = bulk.own(who, bulk_id)
    choice = bulk.choice_of(batch)
    job = work_queries.open_job_of(batch.id) if batch.state in CARRIED_STATES else None
    verdicts, is_void = _judged(batch, choice)
    changed = [verdict for verdict in verdicts if verdict.outcome == CHANGED]
    if batch.state == "checked":
        refused = [(verdict.title, verdict.why) for verdict in verdicts if verdict.outcome == REFUSED]
        counts = {CHANGED: len(changed), REFUSED: len(refused), SAME: len(verdicts) - len(changed) - len(refused)}
        gone = 0 if is_void else batch.rows - len(verdicts)
    else:
        lines = queries.refused_of(batch.id)
        titles = bulk.titles_of(choice.noun, [key for key, _why in lines])
        refused = [(titles.get(key, _("A record you cannot see any more")), why) for key, why in lines]
        counts = {CHANGED: batch.updated, REFUSED: batch.rejected, SAME: batch.unchanged}
        gone = batch.taken - sum(counts.values())
    undone = import_undo.undone(batch.id)
    named = [] if batch.state == "checked" else _named(choice, bulk.changed_by(batch, choice)[:SHOWN])
    work = _work(batch, is_lost=job is None)
    word, tone = STATES[batch.state]
    return render_template(
        "bulk/detail.html",
        batch=batch,
        what=str(WHAT[choice.noun]),
        title=_title(choice),
        state=str(word),
        tone=tone,
        changed=_lines(choice, changed[:SHOWN]),
        named=named,
        counts=counts,
        gone=gone,
        is_void=is_void,
        refused=[(shared.short(title), why) for title, why in refused[: queries.REFUSED_SHOWN]],
        back=_list_of(choice),
        do_label=_do_label(counts[CHANGED]),
        is_long=not jobs.is_short(batch),
        form=ActForm(),
        work=work,
        undone=undone,
        undo=import_undo.summary_of(undone) if undone else {},
        may_undo=not bulk.why_not(batch),
    )


def _judged(batch: ImportBatch, choice: Choice) -> tuple[list[Verdict], bool]:
    """What a change that is not done yet would do to each record; and whether what was chosen for them is in its list no longer."""
    if batch.state != "checked":
        return [], False
    try:
        return bulk.judge(actor(), choice), False
    except Invalid:
        return [], True


def _list_of(choice: Choice) -> str:
    """The list where the records were chosen, with its filters."""
    return url_for(saved_lists.LISTINGS[choice.noun].endpoint, **saved_lists.arguments(choice.query))


def _title(choice: Choice) -> str:
    """What a change does, in one line."""
    said = _words(choice.action, choice.value, _people(choice, [choice.value])) if choice.action.asks_for else ""
    return f"{choice.action.label}: {said}" if said and said != DASH else str(choice.action.label)


def _do_label(count: int) -> str:
    return ngettext("Change %(n)s record", "Change %(n)s records", count, n=number(count, get_locale()))


def _people(choice: Choice, texts: list[str]) -> dict[uuid.UUID, str]:
    return lookups.people(uuid_of(text) for text in texts) if choice.action.asks_for == "person" else {}


def _lines(choice: Choice, verdicts: list[Verdict]) -> list[tuple[str, str, str]]:
    """(name, how it stands, how it will) of some records."""
    people = _people(choice, [text for verdict in verdicts for text in (verdict.before, verdict.after)])

    def words(text: str) -> str:
        return _words(choice.action, text, people)

    return [(shared.short(verdict.title), words(verdict.before), words(verdict.after)) for verdict in verdicts]


def _named(choice: Choice, ids: list[uuid.UUID]) -> list[tuple[str, str]]:
    """(name, page) of records that were changed, as far as the reader sees them now."""
    titles = bulk.titles_of(choice.noun, ids)
    endpoint, key_name = _PAGES[choice.noun]
    return [(shared.short(titles[key]), shared.link(endpoint, **{key_name: key})) for key in ids if key in titles]


def _words(action: Action, text: str, people: dict[uuid.UUID, str]) -> str:
    """How a record stands, in words."""
    if action.key in ("done", "reopen", "close"):
        ended = _("Closed") if action.key == "close" else _("Done")
        return {"": _("Open"), "yes": ended}.get(text, text)
    if not text:
        return DASH
    if action.asks_for == "day":
        return day(date.fromisoformat(text), get_locale())
    if action.asks_for == "person":
        return people.get(uuid.UUID(text), _("somebody you cannot see"))
    if action.asks_for == "kind":
        return ", ".join(str(KIND_NAMES.get(kind, kind)) for kind in text.split(","))
    country = countries_by_iso2().get(text)
    return country.name if country else text


def _work(batch: ImportBatch, *, is_lost: bool) -> dict[str, Any] | None:
    """How far the background work is, in words; None where none is going on."""
    if batch.state not in CARRIED_STATES:
        return None
    note = ""
    if is_lost:
        note = _("The work on this was lost. Stop it, and do the rest.")
    elif not work_queries.is_worker_running():
        note = _("The background worker is not running; ask your administrator. It waits until then.")
    done = {"taken": number(batch.taken, get_locale()), "all": number(batch.rows, get_locale())}
    return {
        "percent": min(99, batch.taken * 100 // max(batch.rows, 1)),
        "text": _("%(taken)s of %(all)s records", **done),
        "note": note,
        "state": str(STATES[batch.state][0]),
    }


@bp.get("/<uuid:bulk_id>/progress.json")
@permit(Permission.CONTACT_LOG)
def progress(bulk_id: uuid.UUID) -> Any:
    """How far the background work is, for its page: `is_over` once the page itself has more to say."""
    batch = bulk.own(actor(), bulk_id)
    work = _work(batch, is_lost=work_queries.open_job_of(batch.id) is None)
    return {"is_over": work is None, **(work or {})}


# --- doing it, and taking it back --------------------------------------------------------------------------------------


@bp.post("/<uuid:bulk_id>/apply")
@permit(Permission.CONTACT_LOG)
def apply(bulk_id: uuid.UUID) -> Any:
    """Do it: some now, many, or the rest of them, in the background. A second click finds it done."""
    who = actor()
    batch = bulk.own(who, bulk_id)
    try:
        if batch.state == "checked" and jobs.is_short(batch):
            done = bulk.apply(who, bulk_id)
            flash(_did(done), "success" if done.updated else "warning")
        else:
            jobs.in_background(who, bulk_id)
    except Invalid as error:  # what was chosen was removed from its list meanwhile: the page says so, and offers to drop it
        flash(str(error), "error")
    except Conflict:
        if bulk.own(who, bulk_id).state not in ("applied", *CARRIED_STATES):
            raise
    return redirect(url_for("bulk.detail", bulk_id=bulk_id), code=303)


def _did(batch: ImportBatch) -> str:
    count = number(batch.updated, get_locale())
    return ngettext("%(n)s record is changed.", "%(n)s records are changed.", batch.updated, n=count)


@bp.post("/<uuid:bulk_id>/discard")
@permit(Permission.CONTACT_LOG)
def discard(bulk_id: uuid.UUID) -> Any:
    """Leave all as it is."""
    back = _list_of(bulk.choice_of(bulk.own(actor(), bulk_id)))
    bulk.discard(actor(), bulk_id)
    flash(_("Nothing was changed."), "success")
    return redirect(back, code=303)


@bp.post("/<uuid:bulk_id>/cancel")
@permit(Permission.CONTACT_LOG)
def cancel(bulk_id: uuid.UUID) -> Any:
    """Stop the background work; what was changed stays so. A second click, or one that comes too late, finds it ended."""
    who = actor()
    try:
        bulk.cancel(who, bulk_id)
    except Conflict:
        if bulk.own(who, bulk_id).state in CARRIED_STATES:
            raise
        flash(_("The work had ended before."), "warning")
    else:
        flash(_("Stopped. What was changed stays so, and can be undone."), "success")
    return redirect(url_for("bulk.detail", bulk_id=bulk_id), code=303)


@bp.route("/<uuid:bulk_id>/undo", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def undo(bulk_id: uuid.UUID) -> Any:
    """Take a change back: what that would do first, then one button. A second click finds it done."""
    who = actor()
    batch = bulk.own(who, bulk_id)
    here = url_for("bulk.detail", bulk_id=bulk_id)
    if request.method == "POST":
        try:
            bulk.undo(who, bulk_id)
        except Conflict as error:
            if import_undo.undone(bulk_id) is None:
                flash(str(error), "error")
        else:
            flash(_("The change is taken back."), "success")
        return redirect(here, code=303)
    if sentence := bulk.why_not(batch):
        flash(sentence, "warning")
        return redirect(here, code=303)
    doing = bulk.plan_undo(who, batch)
    kept = [(shared.short(one.title), one.why) for one in doing.kept[: queries.REFUSED_SHOWN]]
    choice = bulk.choice_of(batch)
    return render_template(
        "bulk/undo.html",
        batch=batch,
        what=str(WHAT[choice.noun]),
        title=_title(choice),
        records=bulk.touched(doing),
        doing=doing,
        kept=kept,
        form=ActForm(),
    )

"""Follow-ups: the list of mine or the office's, a new one, done, moved, opened again."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from crm import clock
from crm.forms.base import BaseForm
from crm.forms.follow_ups import DoneForm, FollowUpEditForm, FollowUpForm
from crm.forms.lookups import uuid_of
from crm.i18n import _, _l
from crm.models.interactions import FollowUp
from crm.policy import Permission, can, require
from crm.queries import asks as ask_queries
from crm.queries import commitments as commitment_queries
from crm.queries import follow_ups as queries
from crm.queries import interactions as interaction_queries
from crm.queries import lookups
from crm.queries.follow_ups import Filters
from crm.services import follow_ups
from crm.services.follow_ups import NewFollowUp
from crm.web import history, saved_lists
from crm.web import lookups as shared
from crm.web.exports import offer_files
from crm.web.follow_up_list import LISTING, STATES, WHOSE, about
from crm.web.gate import actor, permit
from crm.web.helpers import paging, save_form, status
from crm.web.listing import Seen
from crm.web.lookups import Found

bp = Blueprint("follow_ups", __name__, url_prefix="/follow-ups")
offer_files(bp, LISTING)


@bp.get("/")
@permit(Permission.RECORD_SEE)
def index() -> Any:
    """Follow-ups: whose (mine by default), state (open by default), party, sort, columns."""
    seen = Seen.of(LISTING, request.args, actor())
    filters: Filters = seen.reading.filters
    asked = paging()
    page = seen.reading.page(asked)
    party = lookups.party_match(filters.party_id)
    set_apart = seen.reading.understood  # what is as it usually is needs no word
    chips = [
        (party is not None, _("About: %(name)s", name=party.name) if party else "", "party"),
        ("whose" in set_apart, str(WHOSE.get(set_apart.get("whose", ""), "")), "whose"),
        ("state" in set_apart, str(STATES.get(set_apart.get("state", ""), "")), "state"),
    ]
    act = {"key": "act", "label": _("What you can do"), "phone": "act"}
    return render_template(
        "follow_ups/index.html",
        page=page,
        headers=[*seen.headers(), act],
        rows=[[*cells, _act(row)] for cells, row in zip(seen.cells(page.rows), page.rows, strict=True)],
        state=filters.state,
        whose="mine" if filters.owner_id else "all",
        state_options=[(key, str(label)) for key, label in STATES.items()],
        whose_options=[(key, str(label)) for key, label in WHOSE.items()],
        chips=[shared.chip(label, name) for is_set, label, name in chips if is_set],
        kept={name: value for name, value in seen.arguments.items() if name in ("sort", "party", "columns")},
        pages=shared.pages(page, asked),
        tools=seen.tools(),
        several=seen.several(page),
        saved=saved_lists.above(seen),
        back=request.full_path.rstrip("?"),
    )


def _act(row: Any) -> dict[str, Any]:
    """What can be done with a follow-up from its row: to edit it, and done or open again in one tap."""
    if not can(actor(), Permission.CONTACT_LOG, row.office_id):
        return {}
    is_done = row.done_on is not None
    return {
        "of": row.text,
        "edit_url": "" if is_done else url_for("follow_ups.edit", follow_up_id=row.id),
        "post_url": url_for("follow_ups.reopen" if is_done else "follow_ups.done", follow_up_id=row.id),
        "label": _("Open again") if is_done else _("Done"),
    }


@bp.route("/new", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def create() -> Any:
    """Set a follow-up; ?interaction=, ?commitment=, ?ask=, ?party= say what it is about."""
    who = actor()
    form = FollowUpForm()
    interaction = shared.still_there(form, form.interaction_id, request.args.get("interaction"), interaction_queries.get)
    commitment = shared.still_there(form, form.commitment_id, request.args.get("commitment"), commitment_queries.get)
    ask = shared.still_there(form, form.ask_id, request.args.get("ask"), ask_queries.get)
    ids = {name: found.id if found else None for name, found in (("interaction", interaction), ("commitment", commitment), ("ask", ask))}
    parent = interaction or commitment or ask
    office = shared.choose_office(form, who, parent.office_id if parent else None)
    require(who, Permission.CONTACT_LOG, office.id)
    for name, key in ids.items():
        form[f"{name}_id"].data = str(key or "")
    if request.method == "GET":
        about = interaction.party_id if interaction else commitment.party_id if commitment else ask.addressee_id if ask else None
        shared.prefill(form.party, uuid_of(request.args.get("party")) or about, office.id)
    shared.offer_colleagues([form.owner_id], office.id)
    settled: dict[str, Found | None] = {}

    def check() -> bool:
        settled["party"] = shared.settle(form.party, office.id)
        return settled["party"] is not None

    def save() -> uuid.UUID:
        found = settled["party"] or Found()
        return follow_ups.create_follow_up(
            who,
            NewFollowUp(
                office_id=office.id,
                text=form.text.data or "",
                due_on=shared.due_from(form.within.data, form.due_on.data, clock.today(office.timezone)),
                owner_id=uuid_of(form.owner_id.data),
                party_id=found.party_id,
                new_party=found.new,
                interaction_id=ids["interaction"],
                ask_id=ids["ask"],
                commitment_id=ids["commitment"],
            ),
        )

    back = (
        url_for("interactions.detail", interaction_id=interaction.id)
        if interaction
        else url_for("commitments.detail", commitment_id=commitment.id)
        if commitment
        else url_for("asks.detail", ask_id=ask.id)
        if ask
        else url_for("follow_ups.index")
    )
    answer = save_form(form, save, then=lambda _key: back, message=_("The follow-up is set."), check=check)
    if answer is not None:
        return answer
    return render_template(
        "follow_ups/form.html", form=form, suggestions=lookups.likely_parties(office.id), back=back, has_parent=parent is not None
    ), status(form)


@bp.route("/<uuid:follow_up_id>", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def edit(follow_up_id: uuid.UUID) -> Any:
    """Change words, day or owner."""
    who = actor()
    record = queries.get(follow_up_id)
    require(who, Permission.CONTACT_LOG, record.office_id)
    form = FollowUpEditForm()
    back = about(record) or url_for("follow_ups.index")
    if request.method == "GET":
        form.text.data, form.due_on.data, form.owner_id.data = record.text, record.due_on, str(record.owner_id or "")
        form.version.data = str(record.version)
    shared.offer_colleagues([form.owner_id], record.office_id, record.owner_id)
    answer = save_form(
        form,
        lambda: follow_ups.edit_follow_up(
            who,
            follow_up_id,
            text=form.text.data or "",
            due_on=form.due_on.data,
            owner_id=uuid_of(form.owner_id.data),
            version=shared.opened(form),
        ),
        then=lambda _key: back,
        message=_("Your changes are saved."),
    )
    if answer is not None:
        return answer
    if form.conflict is not None:
        return shared.conflict_page(form, {}, shared.value_words(form), back)
    return _page(record, form, DoneForm(formdata=None, done_note=record.done_note), back), status(form)


def _page(record: FollowUp, form: FollowUpEditForm, done_form: DoneForm, back: str) -> str:
    """A follow-up: what it is and where it comes from, done in one tap, its words and day to edit."""
    words, tone = (_("Done"), "done") if record.done_on else shared.due_words(record.due_on, shared.days_here().of(record.office_id))
    source = {"url": about(record), "label": _("What it comes from")} if about(record) else None
    return render_template(
        "follow_ups/edit.html", form=form, record=record, done_form=done_form, back=back, about=source, due_words=words, due_tone=tone
    )


_HISTORY = history.Words(
    fields={
        "text": _l("What is to be done"),
        "due_on": _l("Due"),
        "owner_id": _l("Who does it"),
        "done_on": _l("Done"),
        "done_note": _l("Note"),
    },
    names={"owner_id": "person"},
)


@bp.get("/<uuid:follow_up_id>/history")
@permit(Permission.RECORD_SEE)
def follow_up_history(follow_up_id: uuid.UUID) -> Any:
    """Who changed what on a follow-up."""
    record = queries.get(follow_up_id)
    may_open = can(actor(), Permission.CONTACT_LOG, record.office_id)
    back = url_for("follow_ups.edit", follow_up_id=follow_up_id) if may_open else about(record) or url_for("follow_ups.index")
    address = url_for("follow_ups.follow_up_history", follow_up_id=follow_up_id)
    return history.page(follow_up_id, _HISTORY, name=shared.short(record.text), back=back, address=address)


@bp.post("/<uuid:follow_up_id>/done")
@permit(Permission.CONTACT_LOG)
def done(follow_up_id: uuid.UUID) -> Any:
    """Done, in one tap; with a note if there is something to say."""
    who = actor()
    record = queries.get(follow_up_id)
    require(who, Permission.CONTACT_LOG, record.office_id)
    form = DoneForm()
    back = shared.back_to(url_for("follow_ups.index"))
    answer = save_form(
        form,
        lambda: follow_ups.finish_follow_up(who, follow_up_id, note=form.done_note.data or ""),
        then=lambda _key: back,
        message=_("Done: %(text)s", text=shared.short(record.text)),
    )
    if answer is not None:
        return answer
    edit_form = FollowUpEditForm(
        formdata=None, text=record.text, due_on=record.due_on, owner_id=str(record.owner_id or ""), version=str(record.version)
    )
    shared.offer_colleagues([edit_form.owner_id], record.office_id, record.owner_id)
    return _page(record, edit_form, form, back), status(form)


@bp.post("/<uuid:follow_up_id>/reopen")
@permit(Permission.CONTACT_LOG)
def reopen(follow_up_id: uuid.UUID) -> Any:
    """It was not done after all."""
    who = actor()
    record = queries.get(follow_up_id)
    require(who, Permission.CONTACT_LOG, record.office_id)
    back = shared.back_to(url_for("follow_ups.index"))
    answer = save_form(
        BaseForm(),
        lambda: follow_ups.reopen_follow_up(who, follow_up_id),
        then=lambda _key: back,
        message=_("The follow-up is open again."),
    )
    if answer is None:
        flash(_("Nothing was changed. Try again."), "error")
    return answer if answer is not None else redirect(back, code=303)

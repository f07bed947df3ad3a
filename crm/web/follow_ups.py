"""Follow-ups: the list of mine or the office's, a new one, done, moved, opened again."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from crm import clock
from crm.formatting import day
from crm.forms.base import BaseForm
from crm.forms.follow_ups import DoneForm, FollowUpEditForm, FollowUpForm
from crm.forms.lookups import uuid_of
from crm.i18n import _, _l, get_locale
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
from crm.web import history
from crm.web import lookups as shared
from crm.web.gate import actor, permit
from crm.web.helpers import paging, save_form, status
from crm.web.lookups import Found

bp = Blueprint("follow_ups", __name__, url_prefix="/follow-ups")
STATES = {"open": _l("Open"), "late": _l("Late"), "done": _l("Done")}
WHOSE = {"mine": _l("Mine"), "all": _l("Everybody's")}


@bp.get("/")
@permit(Permission.RECORD_SEE)
def index() -> Any:
    """Follow-ups: whose (mine by default), state (open by default), party."""
    today = shared.days_here()
    party_id = uuid_of(request.args.get("party"))
    whose = shared.choice_arg("whose", WHOSE) or ("all" if party_id else "mine")
    state = shared.choice_arg("state", STATES) or "open"
    asked = paging()
    page = queries.listing(Filters(actor().user_id if whose == "mine" else None, state, party_id), today, asked)
    party = lookups.party_match(party_id)
    return render_template(
        "follow_ups/index.html",
        page=page,
        rows=[_row(record, today.of(record.office_id)) for record in page.rows],
        state=state,
        whose=whose,
        state_options=[(key, str(label)) for key, label in STATES.items()],
        whose_options=[(key, str(label)) for key, label in WHOSE.items()],
        chips=[shared.chip(_("About: %(name)s", name=party.name), "party")] if party else [],
        kept={"party": str(party_id)} if party_id else {},
        pages=shared.pages(page, asked),
        done_form=DoneForm(formdata=None),
        back=request.full_path.rstrip("?"),
    )


def _row(record: FollowUp, today: date) -> dict[str, Any]:
    words, tone = (_("Done"), "done") if record.done_on else shared.due_words(record.due_on, today)
    return {
        "record": record,
        "status": words,
        "tone": tone,
        "day": day(record.done_on or record.due_on, get_locale()),
        "owner": record.owner.name if record.owner else "",
        "party": record.party.name if record.party else "",
        "about": _about(record),
        "may_log": can(actor(), Permission.CONTACT_LOG, record.office_id),
    }


def _about(record: FollowUp) -> str:
    """The page that a follow-up comes from."""
    if record.interaction_id:
        return url_for("interactions.detail", interaction_id=record.interaction_id)
    if record.commitment_id:
        return url_for("commitments.detail", commitment_id=record.commitment_id)
    if record.ask_id:
        return url_for("asks.detail", ask_id=record.ask_id)
    return url_for("parties.detail", party_id=record.party_id) if record.party_id else ""


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
        settled["party"] = shared.settle(form.party, office.id, can_add=False)
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
    back = _about(record) or url_for("follow_ups.index")
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
    about = {"url": _about(record), "label": _("What it comes from")} if _about(record) else None
    return render_template(
        "follow_ups/edit.html", form=form, record=record, done_form=done_form, back=back, about=about, due_words=words, due_tone=tone
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
    back = url_for("follow_ups.edit", follow_up_id=follow_up_id) if may_open else _about(record) or url_for("follow_ups.index")
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

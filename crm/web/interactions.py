"""Interactions: the list, logging and planning, an interaction's page, changing, cancelling, answers and notes."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from crm import clock
from crm.formatting import day
from crm.forms.interactions import LEVEL_NOTES, AnswersForm, InteractionForm, NoteForm, ReasonForm
from crm.i18n import _, _l, get_locale, named
from crm.models.base import OFFICE
from crm.models.interactions import INTERACTION_STATES, Interaction
from crm.policy import OfficeFacts, Permission, can, require
from crm.queries import asks as ask_queries
from crm.queries import commitments as commitment_queries
from crm.queries import documents as document_queries
from crm.queries import interactions as queries
from crm.queries import lookups
from crm.queries.commitments import KIND_LABELS as PROMISE_LABELS
from crm.queries.figures.chains import pledge_steps
from crm.queries.interactions import KIND_LABELS, STATE_LABELS, Filters
from crm.services import interactions
from crm.web import files, history, saved_lists
from crm.web import interaction_form as filling
from crm.web import interaction_page as words
from crm.web import lookups as shared
from crm.web.exports import offer_files
from crm.web.gate import actor, permit
from crm.web.helpers import paging, save_form, status
from crm.web.interaction_form import CANCELLED, HELD, PLANNED
from crm.web.interaction_list import LISTING
from crm.web.listing import Seen
from crm.web.lookups import Found

bp = Blueprint("interactions", __name__, url_prefix="/interactions")

offer_files(bp, LISTING)


# --- the list ------------------------------------------------------------------------------------------------------


@bp.get("/")
@permit(Permission.RECORD_SEE)
def index() -> Any:
    """Interactions in scope, by when: state, kind, party, from, to, sort, columns; pages and cursors."""
    seen = Seen.of(LISTING, request.args, actor())
    filters: Filters = seen.reading.filters
    since, until = shared.day_arg("from"), shared.day_arg("to")
    asked = paging()
    page = seen.reading.page(asked)
    party = lookups.party_match(filters.party_id)
    chips = [
        (filters.state, str(STATE_LABELS.get(filters.state, "")), "state"),
        (filters.kind, str(KIND_LABELS.get(filters.kind, "")), "kind"),
        (filters.party_id, _("With: %(name)s", name=party.name) if party else _("With one party"), "party"),
        (filters.programme_id, _("For one programme"), "programme"),
        (since, _("From %(day)s", day=day(since, get_locale())) if since else "", "from"),
        (until, _("To %(day)s", day=day(until, get_locale())) if until else "", "to"),
    ]
    return render_template(
        "interactions/index.html",
        page=page,
        headers=seen.headers(),
        rows=seen.cells(page.rows),
        chips=[shared.chip(label, name) for value, label, name in chips if value],
        state_options=shared.options(STATE_LABELS.items()),
        kind_options=shared.options(KIND_LABELS.items()),
        filters=filters,
        since=since.isoformat() if since else "",
        until=until.isoformat() if until else "",
        kept={name: value for name, value in seen.arguments.items() if name in ("sort", "party", "programme", "columns")},
        pages=shared.pages(page, asked),
        party=party,
        tools=seen.tools(),
        saved=saved_lists.above(seen),
    )


# --- logging and planning ------------------------------------------------------------------------------------------


@bp.route("/new", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def create() -> Any:
    """Log an interaction that was held, or plan one (?state=planned); ?party= or ?name=, ?ask= and ?kind= fill in, ?planned= writes up a planned one."""
    who = actor()
    form = InteractionForm()
    planned = shared.still_there(form, form.planned, request.args.get("planned"), queries.get)
    if planned is not None and planned.state != PLANNED and request.method == "GET":
        flash(_("This interaction is no longer planned."), "warning")
        return redirect(url_for("interactions.detail", interaction_id=planned.id))
    office = shared.choose_office(form, who, planned.office_id if planned else None)
    require(who, Permission.CONTACT_LOG, office.id)
    asked_state = form.state.data or request.args.get("state")
    state = PLANNED if asked_state == PLANNED and planned is None else HELD
    if request.method == "GET":
        filling.prefill(form, office, planned, state)
    form.state.data = state
    filling.offer(form, office, planned)
    if request.method == "POST" and ("add" in request.form or "look-up" in request.form):
        found = shared.settle(form.party, office.id) if form.party.text else None
        filling.add_row(form, request.form.get("add", ""))
        return _form_page(form, office, planned, found), 200
    settled: dict[str, Found | None] = {}

    def check() -> bool:
        settled["party"] = shared.settle(form.party, office.id)
        return filling.is_complete(form) and settled["party"] is not None

    answer = save_form(
        form,
        lambda: interactions.log_interaction(who, filling.typed(form, settled["party"] or Found(), office, planned)),
        then=lambda key: url_for("interactions.detail", interaction_id=key, done=1),
        message=_("The interaction is planned.") if state == PLANNED else _("The interaction is logged."),
        check=check,
    )
    if answer is not None:
        return answer
    if form.conflict is not None and planned is not None:
        back = url_for("interactions.detail", interaction_id=planned.id)
        return shared.conflict_page(form, filling.labels(), shared.value_words(form, office.timezone), back)
    if planned is not None and planned.state == CANCELLED:
        form.planned.data, planned = "", None  # the refusal says so: sent again, what was typed is a contact of its own
        filling.offer(form, office, planned)
    return _form_page(form, office, planned, settled.get("party") or filling.known(form)), status(form)


def _form_page(form: InteractionForm, office: OfficeFacts, planned: Interaction | None, found: Found | None) -> str:
    filling.offer_rows(form)
    party_id = found.party_id if found is not None else filling.party_of(form)
    asks = filling.offer_asks(form, party_id, office, planned)
    return render_template(
        "interactions/form.html",
        form=form,
        office=office,
        planned=planned,
        state=form.state.data,
        asks={str(ask.id): ask for ask in asks},
        suggestions=lookups.likely_parties(office.id),
        level_notes=LEVEL_NOTES,
        is_party_known=party_id is not None,
        can_narrow=office.id in actor().member_of,
        cancel_url=url_for("interactions.detail", interaction_id=planned.id) if planned else url_for("interactions.index"),
    )


# --- a contact's page ----------------------------------------------------------------------------------------------


@bp.get("/<uuid:interaction_id>")
@permit(Permission.RECORD_SEE)
def detail(interaction_id: uuid.UUID) -> Any:
    """An interaction: who, when, what was said, answered, promised, and what comes next. ?done=1 proposes what to do now."""
    return _detail_page(interaction_id, NoteForm(formdata=None), 200)


def _detail_page(interaction_id: uuid.UUID, note_form: NoteForm, code: int) -> Any:
    record = queries.get(interaction_id)
    office = lookups.office(record.office_id)
    today = clock.today(office.timezone)
    promises = commitment_queries.of_interaction(record.id)
    standings = commitment_queries.standings(promises, today)
    ask = words.ask_of(record)
    is_promised = any(one.direction == "theirs" and standings[one.id].key != "taken-back" for one in promises)
    followed = promises if is_promised or ask is None else commitment_queries.of_ask(ask.id)
    steps = pledge_steps({one.id for one in (*promises, *followed) if one.kind == "financial"}, today)
    may_log = can(actor(), Permission.CONTACT_LOG, record.office_id)
    notes = queries.notes_of(record.id)
    return render_template(
        "interactions/detail.html",
        record=record,
        office=office,
        party_name=shared.name_of(record.party),
        kind=str(KIND_LABELS[record.kind]),
        state=words.state_word(record),
        state_tone=words.state_tone(record),
        when=shared.when_words(record.starts_at, office.timezone),
        level_note=str(LEVEL_NOTES[record.level]),
        chain=words.chain(record, ask, followed, steps),
        answers=[
            {
                "ask": ask,
                "word": str(ask_queries.ANSWER_LABELS[given.answer]),
                "words": given.words,
                "tone": shared.answer_tone(given.answer),
            }
            for ask, given in words.answers_of(record)
        ],
        promises={
            side: [
                shared.promise_line(one, standings[one.id], steps[one.id].reference if one.id in steps else str(PROMISE_LABELS[one.kind]))
                for one in promises
                if one.direction == side
            ]
            for side in ("ours", "theirs")
        },
        follow_ups=[words.step(one, today) for one in record.follow_ups],
        notes=[(note, str(LEVEL_NOTES[note.level])) for note in notes],
        authors=lookups.people(note.created_by_id for note in notes),
        note_form=note_form,
        files=files.part("interaction", record.id, record.office_id),
        may_log=may_log,
        proposals=words.proposals(record, promises, steps, today) if request.args.get("done") and may_log else [],
        pack=shared.pack_link(record, has_pack=bool(document_queries.made_for([record.id], document_queries.PACK))),
        is_overdue=words.is_overdue(record),
        OFFICE=OFFICE,
    ), code


_HISTORY = history.Words(
    fields={
        "state": _l("State"),
        "kind": _l("Kind"),
        "starts_at": _l("When"),
        "minutes": _l("Length in minutes"),
        "place_text": _l("Place"),
        "language": _l("Language"),
        "party_id": _l("Who"),
        "purpose": _l("Purpose"),
        "ask_id": _l("The ask"),
        "programme_id": _l("Programme"),
        "fallback": _l("Fallback"),
        "offer": _l("What we offer"),
        "point_1": _l("First point"),
        "point_2": _l("Second point"),
        "point_3": _l("Third point"),
        "red_line": _l("Red line"),
        "summary": _l("What was said"),
        "cancelled_reason": _l("Reason for cancelling"),
        "level": _l("Who can read it"),
    },
    parts={"participants": (_l("Who took part"), "name"), "ask_answers": (_l("Answer"), "answer")},
    values={"state": STATE_LABELS, "kind": KIND_LABELS, "level": LEVEL_NOTES, "answer": ask_queries.ANSWER_LABELS},
    names={"party_id": "party", "programme_id": "programme", "ask_id": "ask"},
)


@bp.get("/<uuid:interaction_id>/history")
@permit(Permission.RECORD_SEE)
def interaction_history(interaction_id: uuid.UUID) -> Any:
    """Who changed what on an interaction, its answers and who took part."""
    record = queries.get(interaction_id)
    name = _("%(kind)s with %(name)s", kind=KIND_LABELS[record.kind], name=shared.name_of(record.party))
    back = url_for("interactions.detail", interaction_id=interaction_id)
    address = url_for("interactions.interaction_history", interaction_id=interaction_id)
    return history.page(interaction_id, _HISTORY, name=name, back=back, address=address)


# --- changing ------------------------------------------------------------------------------------------------------


@bp.route("/<uuid:interaction_id>/edit", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def edit(interaction_id: uuid.UUID) -> Any:
    """Change an interaction's own fields; its promises, answers and follow-ups have pages of their own."""
    who = actor()
    record = queries.get(interaction_id)
    require(who, Permission.CONTACT_LOG, record.office_id)
    office = lookups.office(record.office_id)
    back = url_for("interactions.detail", interaction_id=interaction_id)
    if request.method == "GET" and record.state == CANCELLED:
        flash(_cannot_change(record), "warning")
        return redirect(back)
    form = InteractionForm()
    if request.method == "GET":
        filling.show(form, record, office)
        form.version.data = str(record.version)
    elif form.state.data != record.state or record.state == CANCELLED:
        form.whole_errors.append(_cannot_change(record))
    if request.method == "GET" or form.state.data not in INTERACTION_STATES:
        form.state.data = record.state
    form.planned.data = ""
    shared.choose_office(form, who, record.office_id)
    filling.offer(form, office, record)
    if request.method == "POST" and ("add" in request.form or "look-up" in request.form):
        filling.add_row(form, request.form.get("add", ""))
        found = shared.settle(form.party, office.id) if form.party.text else None
        return _edit_page(form, record, office, found, back)
    settled: dict[str, Found | None] = {}

    def check() -> bool:
        settled["party"] = shared.settle(form.party, office.id)
        return filling.is_complete(form) and settled["party"] is not None

    answer = save_form(
        form,
        lambda: interactions.edit_interaction(who, interaction_id, filling.edited(form, settled["party"] or Found(), office, record)),
        then=lambda _key: back,
        message=_("Your changes are saved."),
        check=check,
    )
    if answer is not None:
        return answer
    if form.conflict is not None:
        filling.offer_asks(form, record.party_id, office, record)
        return shared.conflict_page(form, filling.labels(), shared.value_words(form, office.timezone), back)
    return _edit_page(form, record, office, settled.get("party") or filling.known(form), back), status(form)


def _cannot_change(record: Interaction) -> str:
    """Why a form that was opened for a plan can no longer be saved: what was typed stays on the page to be copied."""
    if record.state == CANCELLED:
        return _("This interaction was cancelled meanwhile, so it stays as it was. What you typed is still here: copy what you need.")
    return _("This interaction was written up meanwhile, so its plan stays as it was. What you typed is still here: copy what you need.")


def _edit_page(form: InteractionForm, record: Interaction, office: OfficeFacts, found: Found | None, back: str) -> str:
    party_id = found.party_id if found is not None else filling.party_of(form)
    asks = filling.offer_asks(form, party_id, office, record)
    return render_template(
        "interactions/edit.html",
        form=form,
        office=office,
        record=record,
        state=form.state.data,
        planned=None,
        asks={str(ask.id): ask for ask in asks},
        suggestions=lookups.likely_parties(office.id),
        level_notes=LEVEL_NOTES,
        is_party_known=party_id is not None,
        can_narrow=office.id in actor().member_of,
        cancel_url=back,
    )


@bp.route("/<uuid:interaction_id>/cancel", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def cancel(interaction_id: uuid.UUID) -> Any:
    """Say that a planned interaction will not take place, and why."""
    who = actor()
    record = queries.get(interaction_id)
    require(who, Permission.CONTACT_LOG, record.office_id)
    form = ReasonForm()
    back = url_for("interactions.detail", interaction_id=interaction_id)
    if request.method == "GET":
        form.version.data = str(record.version)
    answer = save_form(
        form,
        lambda: interactions.cancel_interaction(who, interaction_id, reason=form.reason.data or "", version=shared.opened(form)),
        then=lambda _key: back,
        message=_("The interaction is cancelled."),
    )
    if answer is not None:
        return answer
    if form.conflict is not None:
        return shared.conflict_page(form, filling.labels(), shared.value_words(form), back)
    return render_template(
        "interactions/reason.html",
        form=form,
        title=_("Cancel this interaction"),
        lead=_(
            "%(party)s, %(when)s",
            party=named(shared.name_of(record.party)),
            when=shared.when_words(record.starts_at, lookups.office(record.office_id).timezone),
        ),
        button=_("Cancel the interaction"),
        back=back,
    ), status(form)


@bp.route("/<uuid:interaction_id>/answers", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def answers(interaction_id: uuid.UUID) -> Any:
    """Record or change what was answered to the asks at this interaction."""
    who = actor()
    record = queries.get(interaction_id)
    require(who, Permission.CONTACT_LOG, record.office_id)
    office = lookups.office(record.office_id)
    back = url_for("interactions.detail", interaction_id=interaction_id)
    form = AnswersForm()
    given = {ask.id: answer for ask, answer in words.answers_of(record)}
    asks = ask_queries.open_asks_of(record.party_id, office.id, clock.today(office.timezone))
    known = [ask for ask, _answer in words.answers_of(record) if ask.id not in {other.id for other in asks}]
    asks = [*known, *asks]
    if request.method == "GET":
        for ask in asks:
            held = given.get(ask.id)
            form.answers.append_entry({"ask_id": str(ask.id), "answer": held.answer if held else "", "words": held.words if held else ""})
    answer = save_form(
        form,
        lambda: interactions.answer_asks(who, interaction_id, filling.answers_typed(form)),
        then=lambda _key: back,
        message=_("The answers are saved."),
    )
    if answer is not None:
        return answer
    return render_template(
        "interactions/answers.html",
        form=form,
        asks={str(ask.id): ask for ask in asks},
        party_name=shared.name_of(record.party),
        party_id=record.party_id,
        back=back,
    ), status(form)


@bp.post("/<uuid:interaction_id>/notes")
@permit(Permission.CONTACT_LOG)
def note(interaction_id: uuid.UUID) -> Any:
    """Write a note about an interaction."""
    who = actor()
    record = queries.get(interaction_id)
    require(who, Permission.CONTACT_LOG, record.office_id)
    form = NoteForm()
    answer = save_form(
        form,
        lambda: interactions.add_note(who, interaction_id, body=form.body.data or "", level=form.level.data or ""),
        then=lambda _key: url_for("interactions.detail", interaction_id=interaction_id),
        message=_("The note is saved."),
    )
    return answer if answer is not None else _detail_page(interaction_id, form, status(form))

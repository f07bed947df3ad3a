"""Commitments: the list, recording one, its page with the SMART check, its outcome, a second person's check, notes."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from crm import clock
from crm.formatting import day
from crm.forms.commitments import CommitmentForm, OutcomeForm, VerifyForm
from crm.forms.interactions import LEVEL_NOTES, NoteForm
from crm.forms.lookups import uuid_of
from crm.i18n import _, get_locale
from crm.models.base import OFFICE
from crm.models.commitments import DIRECTIONS, Commitment
from crm.policy import OfficeFacts, Permission, can, require
from crm.queries import asks as ask_queries
from crm.queries import commitments as queries
from crm.queries import follow_ups as follow_up_queries
from crm.queries import interactions as interaction_queries
from crm.queries import lookups
from crm.queries.commitments import DIRECTION_LABELS, KIND_LABELS, OUTCOME_LABELS, STATUS_LABELS, Filters
from crm.services import commitments
from crm.services.commitments import NewCommitment
from crm.web import files, saved_lists
from crm.web import lookups as shared
from crm.web.chain import Link, ask_link, here, leads_to, missing
from crm.web.commitment_list import LISTING
from crm.web.exports import offer_files
from crm.web.gate import actor, permit
from crm.web.helpers import paging, save_form, status
from crm.web.listing import Seen
from crm.web.lookups import Found
from crm.web.money import taken_back_chip, taken_back_options
from crm.web.money_history import history_page

bp = Blueprint("commitments", __name__, url_prefix="/commitments")
offer_files(bp, LISTING)
_TEXTS = ("words", "on_behalf_of", "place_text", "quantity", "baseline", "indicator_text", "funding_source", "evidence", "witness")
_IDS = ("programme_id", "position_id", "interaction_id", "ask_id", "owner_id")


@bp.get("/")
@permit(Permission.RECORD_SEE)
def index() -> Any:
    """Commitments in scope: direction, status, kind, what was taken back, party, programme, sort, columns."""
    seen = Seen.of(LISTING, request.args, actor())
    filters: Filters = seen.reading.filters
    asked = paging()
    page = seen.reading.page(asked)
    party = lookups.party_match(filters.party_id)
    back = seen.reading.understood.get("back", "")
    chips = [
        (filters.direction, str(DIRECTION_LABELS.get(filters.direction, "")), "direction"),
        (filters.status, str(STATUS_LABELS.get(filters.status, "")), "status"),
        (filters.kind, str(KIND_LABELS.get(filters.kind, "")), "kind"),
        (back, taken_back_chip(back), "back"),
        (filters.party_id, _("With: %(name)s", name=party.name) if party else _("With one party"), "party"),
        (filters.programme_id, _("For one programme"), "programme"),
    ]
    return render_template(
        "commitments/index.html",
        page=page,
        headers=seen.headers(),
        rows=seen.cells(page.rows),
        chips=[shared.chip(label, name) for value, label, name in chips if value],
        direction_options=shared.options(DIRECTION_LABELS.items()),
        status_options=shared.options(STATUS_LABELS.items()),
        kind_options=shared.options(KIND_LABELS.items()),
        back=back,
        back_options=taken_back_options(),
        filters=filters,
        kept={name: value for name, value in seen.arguments.items() if name in ("sort", "party", "programme", "columns")},
        pages=shared.pages(page, asked),
        party=party,
        tools=seen.tools(),
        several=seen.several(page),
        saved=saved_lists.above(seen),
    )


# --- recording one -------------------------------------------------------------------------------------------------


@bp.route("/new", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def create() -> Any:
    """Record a promise; ?party=, ?interaction=, ?ask=, ?direction= fill in."""
    who = actor()
    form = CommitmentForm()
    interaction = shared.still_there(form, form.interaction_id, request.args.get("interaction"), interaction_queries.get)
    ask = shared.still_there(form, form.ask_id, request.args.get("ask"), ask_queries.get)
    parent = interaction or ask
    office = shared.choose_office(form, who, parent.office_id if parent else None)
    require(who, Permission.CONTACT_LOG, office.id)
    if request.method == "GET":
        party_id = uuid_of(request.args.get("party")) or (interaction.party_id if interaction else ask.addressee_id if ask else None)
        shared.prefill(form.party, party_id, office.id)
        form.made_on.data = shared.local(interaction.starts_at, office).date() if interaction else clock.today(office.timezone)
        form.kind.data = "financial"
        form.direction.data = shared.choice_arg("direction", DIRECTIONS) or "theirs"
        form.interaction_id.data = str(interaction.id if interaction else "")
        form.ask_id.data = str((ask.id if ask else interaction.ask_id if interaction else "") or "")
        programme_id = (interaction.programme_id if interaction else None) or (ask.programme_id if ask else None)
        form.programme_id.data = str(programme_id or "")
        form.level.data = OFFICE if parent is not None and parent.level == OFFICE else "open"
    return _form_answer(form, office, None)


@bp.route("/<uuid:commitment_id>/edit", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def edit(commitment_id: uuid.UUID) -> Any:
    """Change a promise."""
    record = queries.get(commitment_id)
    require(actor(), Permission.CONTACT_LOG, record.office_id)
    form = CommitmentForm()
    office = shared.choose_office(form, actor(), record.office_id)
    if request.method == "GET":
        shared.prefill(form.party, record.party_id, office.id)
        for name in (*_TEXTS, "direction", "kind", "made_on", "due_on", "level"):
            form[name].data = getattr(record, name)
        for name in _IDS:
            form[name].data = str(getattr(record, name) or "")
        form.version.data = str(record.version)
    return _form_answer(form, office, record)


def _form_answer(form: CommitmentForm, office: OfficeFacts, record: Commitment | None) -> Any:
    who = actor()
    shared.offer(form.kind, KIND_LABELS.items())
    shared.offer_programmes(form.programme_id, office.id)
    people = lookups.colleague_choices(office.id, also=(record.owner_id if record else None, who.user_id))
    shared.offer(form.owner_id, [("", _("Nobody yet")), *((str(key), name) for key, name in people)])
    settled: dict[str, Any] = {}

    def check() -> bool:
        settled["party"] = shared.settle(form.party, office.id)
        return settled["party"] is not None

    def save() -> uuid.UUID:
        new = _typed(form, settled["party"], office)
        return (
            commitments.record_commitment(who, new)
            if record is None
            else commitments.edit_commitment(who, record.id, new, shared.opened(form))
        )

    back = url_for("commitments.detail", commitment_id=record.id) if record is not None else url_for("commitments.index")
    answer = save_form(
        form,
        save,
        then=lambda key: url_for("commitments.detail", commitment_id=key),
        message=_("Your changes are saved.") if record is not None else _("The promise is recorded."),
        check=check,
    )
    if answer is not None:
        return answer
    shared.offer_posts(form.position_id, form.party)
    if form.conflict is not None:
        return shared.conflict_page(form, {"party_id": _("Who")}, shared.value_words(form), back)
    return render_template(
        "commitments/form.html",
        form=form,
        record=record,
        suggestions=lookups.likely_parties(office.id),
        level_notes=LEVEL_NOTES,
        can_narrow=office.id in who.member_of,
        back=back,
    ), status(form)


def _typed(form: CommitmentForm, party: Found, office: OfficeFacts) -> NewCommitment:
    texts: dict[str, Any] = {name: form[name].data or "" for name in _TEXTS}
    ids: dict[str, Any] = {name: uuid_of(form[name].data) for name in _IDS}
    return NewCommitment(
        office_id=office.id,
        party_id=party.party_id,
        new_party=party.new,
        kind=form.kind.data or "",
        direction=form.direction.data or "",
        made_on=form.made_on.data,
        due_on=form.due_on.data,
        level=form.level.data or "",
        **texts,
        **ids,
    )


# --- its page ------------------------------------------------------------------------------------------------------


@bp.get("/<uuid:commitment_id>")
@permit(Permission.RECORD_SEE)
def detail(commitment_id: uuid.UUID) -> Any:
    """A promise and how it stands. One with a pledge has its page there, also for whom its words are out of reach."""
    if queries.has_pledge(commitment_id):
        return redirect(url_for("pledges.detail", pledge_id=commitment_id))
    return _detail_page(queries.get(commitment_id), NoteForm(formdata=None), None, None, 200)


def _detail_page(
    record: Commitment, note_form: NoteForm, outcome_form: OutcomeForm | None, verify_form: VerifyForm | None, code: int
) -> Any:
    who = actor()
    office = lookups.office(record.office_id)
    today = clock.today(office.timezone)
    standing = queries.standing(record.outcome, record.due_on, today)
    may_log = can(who, Permission.CONTACT_LOG, record.office_id)
    is_own_work = who.user_id is not None and who.user_id in queries.hands_in(record)
    may_verify = can(who, Permission.PROMISE_VERIFY, record.office_id) and not is_own_work
    if outcome_form is None:
        outcome_form = OutcomeForm(
            formdata=None,
            outcome=record.outcome or "kept",
            outcome_on=record.outcome_on or today,
            outcome_note=record.outcome_note,
            version=str(record.version),
        )
    if verify_form is None:
        verify_form = VerifyForm(formdata=None, evidence=record.evidence, version=str(record.version))
    notes = queries.notes_of(record.id)
    people = lookups.people([record.verified_by_id, record.owner_id, record.created_by_id, *(note.created_by_id for note in notes)])
    is_money = record.kind == "financial" and record.direction == "theirs"
    pledge_url = "" if queries.why_no_pledge(record) else url_for("pledges.create", commitment=record.id)
    return render_template(
        "commitments/detail.html",
        record=record,
        party_name=shared.name_of(record.party),
        standing=standing,
        kind=str(KIND_LABELS[record.kind]),
        side=_("We promised") if record.direction == "ours" else _("They promised"),
        facts=_facts(record, today),
        chain=_chain(record),
        smart=queries.smart_check(record),
        outcome=str(OUTCOME_LABELS[record.outcome]) if record.outcome else "",
        verified=_(
            "Verified by %(person)s, %(when)s",
            person=people.get(record.verified_by_id, _("a colleague")),
            when=shared.when_words(record.verified_at, office.timezone),
        )
        if record.verified_by_id and record.verified_at
        else "",
        owner=people.get(record.owner_id, "") if record.owner_id else "",
        recorder=people.get(record.created_by_id, "") if record.created_by_id else "",
        notes=[(note, str(LEVEL_NOTES[note.level])) for note in notes],
        authors=people,
        note_form=note_form,
        outcome_form=outcome_form,
        verify_form=verify_form,
        follow_ups=follow_up_queries.of_commitment(record.id),
        files=files.part("commitment", record.id, record.office_id),
        may_log=may_log,
        may_verify=may_verify,
        why_not_verify=_("Another person must verify this: you recorded or changed it, or declared its outcome.") if is_own_work else "",
        pledge_url=pledge_url if can(who, Permission.MONEY_WRITE, record.office_id) else "",
        is_money=is_money,
        named_amount=queries.amount_said(record) if record.direction == "theirs" and not is_money else None,
        level_note=str(LEVEL_NOTES[record.level]),
        OFFICE=OFFICE,
    ), code


def _facts(record: Commitment, today: date) -> list[dict[str, Any]]:
    words, tone = shared.due_words(record.due_on, today)
    check = queries.smart_check(record)
    return [
        {"label": _("With"), "value": shared.name_of(record.party), "href": url_for("parties.detail", party_id=record.party_id)},
        {"label": _("Promised on"), "value": day(record.made_on, get_locale())},
        {
            "label": _("Due"),
            "value": day(record.due_on, get_locale()) if record.due_on else _("No date"),
            "note": words if record.due_on and record.outcome is None else "",
            "tone": tone,
        },
        {"label": _("Clear on"), "value": _("%(met)s of %(all)s points", met=check.met, all=len(check.points))},
    ]


def _chain(record: Commitment) -> list[Link]:
    no_money = _("No money yet") if record.kind in ("financial", "budget-line") else _("Not a promise of money")
    return [
        ask_link(record.ask),
        here(_("Commitment"), record.words),
        missing(_("Money"), no_money),
        leads_to(None, record.programme_id, record.ask.programme_id if record.ask else None),
    ]


@bp.get("/<uuid:commitment_id>/history")
@permit(Permission.RECORD_SEE)
def commitment_history(commitment_id: uuid.UUID) -> Any:
    """Who changed what on a promise."""
    record = queries.get(commitment_id)
    address = url_for("commitments.commitment_history", commitment_id=commitment_id)
    back = url_for("commitments.detail", commitment_id=commitment_id)
    name = queries.pledge_references([record.id]).get(record.id, record.reference)
    return history_page(commitment_id, name=name, back=back, address=address)


@bp.post("/<uuid:commitment_id>/outcome")
@permit(Permission.CONTACT_LOG)
def outcome(commitment_id: uuid.UUID) -> Any:
    """Say what became of a promise."""
    who = actor()
    record = queries.get(commitment_id)
    require(who, Permission.CONTACT_LOG, record.office_id)
    form = OutcomeForm()
    back = url_for("commitments.detail", commitment_id=commitment_id)
    answer = save_form(
        form,
        lambda: commitments.declare_outcome(
            who,
            commitment_id,
            outcome=form.outcome.data or "",
            on=form.outcome_on.data,
            note=form.outcome_note.data or "",
            version=shared.opened(form),
        ),
        then=lambda _key: back,
        message=_("The outcome is saved."),
    )
    if answer is not None:
        return answer
    if form.conflict is not None:
        return shared.conflict_page(form, {}, shared.value_words(form), back)
    return _detail_page(record, NoteForm(formdata=None), form, None, status(form))


@bp.post("/<uuid:commitment_id>/verify")
@permit(Permission.PROMISE_VERIFY)
def verify(commitment_id: uuid.UUID) -> Any:
    """A second person has seen the evidence."""
    who = actor()
    record = queries.get(commitment_id)
    require(who, Permission.PROMISE_VERIFY, record.office_id)
    form = VerifyForm()
    back = url_for("commitments.detail", commitment_id=commitment_id)
    answer = save_form(
        form,
        lambda: commitments.verify_commitment(who, commitment_id, evidence=form.evidence.data or "", version=shared.opened(form)),
        then=lambda _key: back,
        message=_("The promise is verified."),
    )
    if answer is not None:
        return answer
    if form.conflict is not None:
        return shared.conflict_page(form, {}, shared.value_words(form), back)
    return _detail_page(record, NoteForm(formdata=None), None, form, status(form))


@bp.post("/<uuid:commitment_id>/notes")
@permit(Permission.CONTACT_LOG)
def note(commitment_id: uuid.UUID) -> Any:
    """Write a note about a promise."""
    who = actor()
    record = queries.get(commitment_id)
    require(who, Permission.CONTACT_LOG, record.office_id)
    form = NoteForm()
    answer = save_form(
        form,
        lambda: commitments.add_note(who, commitment_id, body=form.body.data or "", level=form.level.data or ""),
        then=lambda _key: url_for("commitments.detail", commitment_id=commitment_id),
        message=_("The note is saved."),
    )
    return answer if answer is not None else _detail_page(record, form, None, None, status(form))

"""Parties: the list, its files, a party's page, its forms, its history, its channels and notes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for

from crm import clock
from crm.data import countries_by_iso2
from crm.errors import Conflict, Denied, EditConflict, Invalid
from crm.forms.base import choices
from crm.forms.lookups import uuid_of
from crm.forms.notes import NoteEditForm, NoteForm
from crm.forms.parties import CHANNEL_NAMES, FORM_NAMES, VISIBILITY_NAMES, ChannelForm, PartyForm, country_choices, lines_of
from crm.i18n import LazyText, _, _l
from crm.models.base import OFFICE, OPEN, SHARED
from crm.models.codes import PARTY_KINDS
from crm.models.parties import FORMS, NAME_KINDS, Party
from crm.policy import Actor, Permission, can, offices_by_id, offices_where, require
from crm.queries import codes, timeline
from crm.queries import notes as note_queries
from crm.queries import parties as queries
from crm.queries import positions as position_queries
from crm.queries.commitments import pledge_references
from crm.queries.duplicates import Candidate
from crm.queries.figures.chains import pledge_steps
from crm.queries.figures.totals import Stages, party_totals
from crm.queries.lookups import office_names
from crm.queries.paging import LAST_NUMBERED_PAGE, Page, Paging
from crm.queries.parties import KIND_NAMES, Filters
from crm.queries.party_standing import standing as standing_of
from crm.queries.party_standing import there
from crm.services import notes, parties, submissions
from crm.services.parties import NAME_FIELDS
from crm.web import files, history, party_page, saved_lists
from crm.web.conflicts import conflict_items, settle, shown, take_choices
from crm.web.duplicates import Question
from crm.web.exports import offer_files
from crm.web.gate import actor, permit
from crm.web.helpers import args_with, paging, save_form, status
from crm.web.landscape import party_panel
from crm.web.listing import Seen
from crm.web.lookups import link, whom
from crm.web.party_list import LISTING

bp = Blueprint("parties", __name__, url_prefix="/parties")
GROUPS = ("organisation", "group")
offer_files(bp, LISTING)


# --- the list ------------------------------------------------------------------------------------------------------


@bp.get("/")
@permit(Permission.RECORD_SEE)
def index() -> Any:
    """Parties in scope: q, form, kind, country, sort, columns; pages and cursors."""
    seen = Seen.of(LISTING, request.args, actor())
    filters: Filters = seen.reading.filters
    asked = paging()
    page = seen.reading.page(asked)
    return render_template(
        "parties/index.html",
        filters=filters,
        page=page,
        headers=seen.headers(),
        rows=seen.cells(page.rows),
        chips=_chips(filters),
        form_options=[("", _("All")), *((key, str(label)) for key, label in FORM_NAMES.items())],
        kind_options=[("", _("All")), *((key, str(label)) for key, label in KIND_NAMES.items())],
        country_options=[("", _("All")), *country_choices()[1:]],
        pages=_pages(page, asked),
        kept={name: value for name, value in seen.arguments.items() if name in ("sort", "columns")},
        tools=seen.tools(),
        several=seen.several(page),
        saved=saved_lists.above(seen),
    )


def _kind_badges(party: Party) -> list[str]:
    return [str(FORM_NAMES[party.form]), *(str(KIND_NAMES[row.kind]) for row in party.kinds)]


def _chips(filters: Filters) -> list[dict[str, str]]:
    country = countries_by_iso2().get(filters.country.upper())
    shown_as = {
        "q": _("Name has: %(text)s", text=filters.q) if filters.q else "",
        "form": str(FORM_NAMES.get(filters.form, "")),
        "kind": str(KIND_NAMES.get(filters.kind, "")),
        "country": country.name if country else filters.country,
    }
    return [
        {"label": label, "remove_url": url_for("parties.index", **args_with(**{name: None}, page=None, after=None))}
        for name, label in shown_as.items()
        if label
    ]


def _pages(page: Page[Any], asked: Paging) -> dict[str, Any]:
    first = 0 if asked.after else (page.number - 1) * page.size
    previous_url = next_url = ""
    if page.has_previous and not asked.after:
        previous_url = url_for("parties.index", **args_with(page=page.number - 1))
    if page.has_next and not asked.after and page.number < LAST_NUMBERED_PAGE:
        next_url = url_for("parties.index", **args_with(page=page.number + 1))
    elif page.has_next:
        next_url = url_for("parties.index", **args_with(page=None, after=page.after))
    return {"first": first + 1, "last": first + len(page.rows), "previous_url": previous_url, "next_url": next_url}


# --- one party -----------------------------------------------------------------------------------------------------


@bp.get("/<uuid:party_id>")
@permit(Permission.RECORD_SEE)
def detail(party_id: uuid.UUID) -> Any:
    """A party's page: who they are to us, how it stands, what needs us, what happened."""
    who = actor()
    today = clock.today(who.timezone)
    party = queries.get(party_id)
    before = request.args.get("before")
    past = timeline.timeline_of(party_id, before=before)
    known = there(party_id)
    standing = standing_of(party_id, clock.now(), known, None if before else past)
    figures = party_totals(party_id, today, known=Stages(known.pledges, known.agreements, known.receipts))
    steps = pledge_steps([standing.pledge.id], today) if standing.pledge else {}
    ended = [event.record.id for event in past.events if event.kind == "commitment-ended"]
    called = pledge_references([*(one.id for one in (*standing.ours, *standing.theirs)), *ended]) if known.commitments else {}
    members, member_count = queries.members_of(party_id) if known.members else ([], 0)
    return render_template(
        "parties/detail.html",
        party=party,
        badges=[{"text": text} for text in _kind_badges(party)],
        country=countries_by_iso2().get(party.country or ""),
        level=VISIBILITY_NAMES[party.visibility],
        level_note=_who_sees(party),
        strip=party_page.facts(standing, figures, who, today, party_id),
        money_gaps=figures.left_out,
        chain=party_page.chain(standing, party_id, next(iter(steps.values()), None)),
        ours=party_page.promises(standing.ours, today, called),
        theirs=party_page.promises(standing.theirs, today, called),
        standing=standing,
        next=party_page.next_step(party, standing, who, today),
        events=party_page.entries(past.events, party, who, called),
        reported=party_panel(party_id, (known.given, known.received)),
        earlier=past.earlier,
        is_continued=bool(before),
        positions=position_queries.positions_of(party_id) if party.form != "person" else [],
        tenures=position_queries.tenures_of(party_id) if party.form == "person" else [],
        members=members,
        member_count=member_count,
        channels=queries.channels_of(party_id) if known.channels else [],
        channel_names=CHANNEL_NAMES,
        notes=note_queries.notes_of(party_id) if known.notes else [],
        files=files.part("party", party_id, None if party.visibility == SHARED else party.office_id, has_any=known.files),
        today=today,
        is_current=position_queries.is_current,
        actions=_actions(party, who),
        office_level=OFFICE,
        link=link,
    )


def _who_sees(party: Party) -> str:
    office = _office_name(party.office_id)
    if party.visibility == SHARED:
        return _(
            "Names, kinds and posts are read by every office and edited by %(office)s; all else stays with each office.", office=office
        )
    return _("Read by %(office)s and the offices above it.", office=office)


def _office_name(office_id: uuid.UUID) -> str:
    return office_names([office_id]).get(office_id, "")


def _actions(party: Party, who: Actor) -> list[dict[str, str]]:
    """What can be done with a party, most usual first: the page shows the first two, the rest behind "More"."""
    found = []
    if can(who, Permission.CONTACT_LOG):
        found += [
            {"label": _("Log an interaction"), "url": link("interactions.create", party=party.id), "icon": "log"},
            {"label": _("Plan an interaction"), "url": link("interactions.create", party=party.id, state="planned"), "icon": "calendar"},
            {"label": _("Write an ask"), "url": link("asks.create", party=party.id), "icon": "asks"},
            {"label": _("Record a promise"), "url": link("commitments.create", party=party.id), "icon": "commitments"},
        ]
    if can(who, Permission.MONEY_WRITE):
        found.append({"label": _("Record a pledge"), "url": link("pledges.create", party=party.id), "icon": "pledges"})
        found.append({"label": _("Record money received"), "url": link("receipts.alone", party=party.id), "icon": "money"})
    if can(who, Permission.CONTACT_LOG, party.office_id):
        found.append({"label": _("Edit"), "url": url_for("parties.edit", party_id=party.id), "icon": "edit"})
    return [action for action in found if action["url"]]


@bp.get("/<uuid:party_id>/history")
@permit(Permission.RECORD_SEE)
def party_history(party_id: uuid.UUID) -> Any:
    """Who changed what on a party."""
    party = queries.get(party_id)
    back = url_for("parties.detail", party_id=party_id)
    return history.page(party_id, _HISTORY, name=party.name, back=back, address=url_for("parties.party_history", party_id=party_id))


_PARTS: dict[str, tuple[LazyText, str]] = {
    "party_kinds": (_l("What they are to us"), "kind"),
    "party_names": (_l("Other name"), "name"),
    "party_identifiers": (_l("Name in another register"), "value"),
    "positions": (_l("Post"), "title"),
    "tenures": (_l("Post held"), "starts_on"),
    "channels": (_l("Way to reach them"), "value"),
}
_FIELDS: dict[str, LazyText] = {
    "name": _l("Name"),
    "country": _l("Country"),
    "website": _l("Website"),
    "about": _l("About"),
    "visibility": _l("Who can see this party"),
    "kind": _l("Kind"),
    "value": _l("Address or number"),
    "label": _l("What it is for"),
    "title": _l("Title of the post"),
    "portfolio": _l("What it covers"),
    "starts_on": _l("From"),
    "ends_on": _l("Until"),
    "form_of_address": _l("Form of address"),
    "biography": _l("Short official biography"),
}


_HISTORY = history.Words(_FIELDS, _PARTS, values={"kind": codes.Names(PARTY_KINDS, CHANNEL_NAMES), "visibility": VISIBILITY_NAMES})


# --- its form ------------------------------------------------------------------------------------------------------


@bp.get("/suggest")
@permit(Permission.RECORD_SEE)
def suggest() -> Any:
    """Whom a form may be about, while ?q= is typed: parties that a record of the ?office= may name; with ?add= also those who may be
    the same as somebody new, and how to add one."""
    office_id = uuid_of(request.args.get("office"))
    return jsonify(whom(actor(), request.args.get("q", ""), office_id, can_add="add" in request.args))


@bp.route("/new", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def create() -> Any:
    """GET the form (?form=person, organisation or group); POST it. Namesakes are shown once before saving."""
    who = actor()
    form = PartyForm(kinds=_kinds_offered())
    if request.method == "GET":
        wanted = request.args.get("form", "person")
        form.form_of.data = wanted if wanted in FORMS else "person"
        form.visibility.data = "shared" if form.form_of.data == "organisation" else "office"
        form.name.data = request.args.get("name", "")[:300]
        form.part_of.data = _name_of(request.args.get("part_of"))
        form.post_organisation.data = _name_of(request.args.get("organisation"))
    offices = offices_where(who, Permission.CONTACT_LOG)
    form.office_id.choices = choices((str(office.id), office.name) for office in offices_by_id().values() if office.id in offices)
    office_id = _chosen_office(form, offices)
    question = Question(form.seen)

    def is_somebody_new() -> bool:
        is_sent_again = submissions.find(who, form.submission.data or "") is not None
        return is_sent_again or question.is_answered(_candidate(form, form.form_of.data or "person"))

    def save() -> uuid.UUID:
        new = replace(_typed(form, form.form_of.data or "person"), distinct_from=question.distinct_from)
        return parties.create_party(who, office_id, new)

    answer = save_form(
        form, save, then=lambda key: url_for("parties.detail", party_id=key), message=_("The party is recorded."), check=is_somebody_new
    )
    if answer is not None:
        return answer
    suggested = queries.suggestions(forms=GROUPS)
    return render_template(
        "parties/form.html",
        form=form,
        party=None,
        alike=question.shown,
        suggested=suggested,
        has_offices=len(offices) > 1,
        form_names=FORM_NAMES,
    ), status(form)


def _name_of(text: str | None) -> str:
    try:
        return queries.names_of([uuid.UUID(text or "")]).popitem()[1]
    except (ValueError, KeyError):
        return ""


def _chosen_office(form: PartyForm, offices: Sequence[uuid.UUID]) -> uuid.UUID:
    try:
        chosen = uuid.UUID(form.office_id.data or "")
    except ValueError:
        chosen = offices[0]
    if chosen not in offices:
        chosen = offices[0]
    form.office_id.data = str(chosen)
    return chosen


def _typed(form: PartyForm, kind_of_party: str) -> parties.NewParty:
    names = [parties.OtherName(text, kind) for kind in NAME_KINDS for text in lines_of(form[NAME_FIELDS[kind]].data)]
    part_of = (form.part_of.data or "").strip()
    return parties.NewParty(
        form=kind_of_party,
        name=form.name.data or "",
        kinds=tuple(form.kinds.data or ()),
        names=names,
        country=form.country.data or None,
        website=form.website.data or "",
        about=form.about.data or "",
        visibility=form.visibility.data or "",
        part_of_id=queries.resolve(part_of, "part_of", forms=GROUPS) if part_of else None,
        post=_typed_post(form) if kind_of_party == "person" else None,
    )


def _candidate(form: PartyForm, kind_of_party: str, party_id: uuid.UUID | None = None) -> Candidate:
    others = tuple(text for kind in NAME_KINDS for text in lines_of(form[NAME_FIELDS[kind]].data))
    return Candidate(form.name.data or "", kind_of_party, others, party_id=party_id)


def _typed_post(form: PartyForm) -> parties.HeldPost | None:
    title, organisation = form.post_title.data or "", form.post_organisation.data or ""
    if not title and not organisation:
        return None
    organisation_id, new_name = None, ""
    if organisation:
        try:
            organisation_id = queries.resolve(organisation, "post_organisation", forms=GROUPS)
        except Invalid:
            if not form.post_is_new.data or queries.namesakes(organisation):
                raise
            new_name = organisation
    return parties.HeldPost(title, organisation_id, new_name, form.post_from.data, form.post_address.data or "")


@bp.route("/<uuid:party_id>/edit", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def edit(party_id: uuid.UUID) -> Any:
    """Edit a party; its owner office only. A conflict shows yours, theirs and the original."""
    who = actor()
    party = queries.get(party_id)
    require(who, Permission.CONTACT_LOG, party.office_id)
    current = _as_typed(party)
    visibilities = (SHARED,) if party.visibility == SHARED else (SHARED, OFFICE)
    if request.method == "POST":
        form = PartyForm(kinds=_kinds_offered(party), visibilities=visibilities)
        take_choices(form, current)
    else:
        form = PartyForm(formdata=None, data=current, kinds=_kinds_offered(party), visibilities=visibilities)
        form.version.data = str(party.version)
    question = Question(form.seen)

    def is_another() -> bool:
        changed = _candidate(form, party.form, party.id)
        return set(changed.names) <= {party.name, *(row.name for row in party.names)} or question.is_answered(changed)

    answer = save_form(
        form,
        lambda: parties.edit_party(
            who, party_id, form.known_version, replace(_typed(form, "edited"), distinct_from=question.distinct_from)
        ),
        then=lambda key: url_for("parties.detail", party_id=key),
        message=_("Your changes are saved."),
        check=is_another,
    )
    if answer is not None:
        return answer
    if form.conflict is not None:
        return _conflict_page(form, form.conflict, party_id)
    return render_template(
        "parties/form.html", form=form, party=party, alike=question.shown, suggested=queries.suggestions(forms=GROUPS), has_offices=False
    ), status(form)


def _kinds_offered(party: Party | None = None) -> list[tuple[str, str]]:
    """The kinds that may be ticked: those of today, and those that the party has already."""
    held = [row.kind for row in party.kinds] if party else []
    return [(entry.code, entry.label) for entry in codes.offered(PARTY_KINDS, clock.today(), *held)]


def _as_typed(party: Party) -> dict[str, Any]:
    """A party as the form has it."""
    held: dict[str, Any] = {label: "\n".join(row.name for row in party.names if row.kind == kind) for kind, label in NAME_FIELDS.items()}
    return held | {
        "name": party.name,
        "kinds": [row.kind for row in party.kinds],
        "country": party.country or "",
        "part_of": party.part_of.name if party.part_of else "",
        "website": party.website,
        "about": party.about,
        "visibility": party.visibility,
    }


def _conflict_page(form: PartyForm, conflict: EditConflict, party_id: uuid.UUID) -> Any:
    if "part_of_id" in conflict.changes:
        conflict.changes["part_of"] = conflict.changes.pop("part_of_id")
    conflict.merged["part_of"] = conflict.merged.pop("part_of_id", None)
    above = (*conflict.changes.get("part_of", ()), conflict.merged["part_of"])
    names = queries.names_of([key for key in above if isinstance(key, uuid.UUID)])

    def show(field: str, value: object) -> str:
        if isinstance(value, uuid.UUID):
            return names.get(value, "")
        if field == "kinds" and isinstance(value, tuple):
            return "\n".join(str(KIND_NAMES[kind]) for kind in value)
        if field == "country" and isinstance(value, str) and value in countries_by_iso2():
            return countries_by_iso2()[value].name
        return str(VISIBILITY_NAMES[str(value)]) if field == "visibility" else shown(value)

    def as_typed(field: str, value: object) -> object:
        if field == "kinds" and isinstance(value, tuple):
            return list(value)
        return show(field, value) if field == "part_of" else shown(value)

    settle(form, {field: as_typed(field, value) for field, value in conflict.merged.items()})
    back = url_for("parties.detail", party_id=party_id)
    return render_template("parties/conflict.html", form=form, items=conflict_items(form, show), who=conflict.who, back=back), 409


# --- channels ------------------------------------------------------------------------------------------------------


@bp.route("/<uuid:party_id>/channels/new", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def add_channel(party_id: uuid.UUID) -> Any:
    """Note a way to reach a party."""
    who = actor()
    party = queries.get(party_id)
    form = ChannelForm()
    question = Question(form.seen)

    def is_reached_alone() -> bool:
        try:
            value = parties.channel_value(form.kind.data, form.value.data or "", party.country)
        except Invalid:
            return True  # the service says what is wrong with it
        emails, phones = ((value,), ()) if form.kind.data == "email" else ((), (value,))
        return question.is_answered(Candidate("", party.form, emails=emails, phones=phones, party_id=party.id))

    answer = save_form(
        form,
        lambda: parties.add_channel(
            who,
            party_id,
            parties.NewChannel(
                form.kind.data,
                form.value.data or "",
                form.label.data or "",
                is_preferred=form.is_preferred.data,
                distinct_from=question.distinct_from,
            ),
        ),
        then=lambda _key: url_for("parties.detail", party_id=party_id, _anchor="reach"),
        message=_("The way to reach them is recorded."),
        check=is_reached_alone,
    )
    if answer is not None:
        return answer
    office = _office_name(parties.working_office(who))
    return render_template("parties/channel.html", form=form, party=party, office=office, alike=question.shown), status(form)


@bp.post("/channels/<uuid:channel_id>/remove")
@permit(Permission.CONTACT_LOG)
def remove_channel(channel_id: uuid.UUID) -> Any:
    """Take a way to reach a party away."""
    party_id = parties.remove_channel(actor(), channel_id)
    flash(_("It is taken away."), "done")
    return redirect(url_for("parties.detail", party_id=party_id, _anchor="reach"), code=303)


# --- notes ---------------------------------------------------------------------------------------------------------


def _level_choices(office: str) -> list[Any]:
    return choices(
        [
            (OPEN, _("The people of %(office)s, of its region and of headquarters", office=office)),
            (OFFICE, _("Only the people of %(office)s", office=office)),
        ]
    )


@bp.route("/<uuid:party_id>/notes/new", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def add_note(party_id: uuid.UUID) -> Any:
    """Write a note about a party; the form says who will read it."""
    who = actor()
    party = queries.get(party_id)
    office_id = parties.working_office(who)
    form = NoteForm()
    form.level.choices = _level_choices(_office_name(office_id))
    answer = save_form(
        form,
        lambda: notes.write_note(who, office_id, party_id, form.body.data or "", form.level.data),
        then=lambda _key: url_for("parties.detail", party_id=party_id, _anchor="notes"),
        message=_("The note is saved."),
    )
    if answer is not None:
        return answer
    return render_template("notes/form.html", form=form, party=party, note=None), status(form)


@bp.route("/notes/<uuid:note_id>/edit", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def edit_note(note_id: uuid.UUID) -> Any:
    """Change a note's words."""
    who = actor()
    note = note_queries.get(note_id)
    require(who, Permission.CONTACT_LOG, note.office_id)
    if note.party_id is None:
        raise Denied(_("This note is edited where it belongs: on the interaction, commitment or programme it is about."))
    party = queries.get(note.party_id)
    if request.method == "POST":
        form = NoteEditForm()
        take_choices(form, {"body": note.body})
    else:
        form = NoteEditForm(formdata=None, data={"body": note.body})
        form.version.data = str(note.version)
    to = url_for("parties.detail", party_id=party.id, _anchor="notes")
    answer = save_form(
        form,
        lambda: notes.edit_note(who, note_id, form.known_version, form.body.data or ""),
        then=lambda _key: to,
        message=_("The note is saved."),
    )
    if answer is not None:
        return answer
    if form.conflict is not None:
        conflict = form.conflict
        settle(form, conflict.merged)
        return render_template("parties/conflict.html", form=form, items=conflict_items(form), who=conflict.who, back=to), 409
    readers = _level_choices(_office_name(note.office_id))
    level = next(choice.label for choice in readers if choice.value == note.level)
    return render_template("notes/form.html", form=form, party=party, note=note, readers=level), status(form)


@bp.post("/notes/<uuid:note_id>/withdraw")
@permit(Permission.CONTACT_LOG)
def withdraw_note(note_id: uuid.UUID) -> Any:
    """Take a note away."""
    note = note_queries.get(note_id)
    text = request.form.get("version", "")
    version = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004
    party_id = note.party_id
    try:
        notes.withdraw_note(actor(), note_id, version)
    except Conflict as error:
        flash(str(error), "error")
    else:
        flash(_("The note is withdrawn."), "done")
    to = url_for("parties.detail", party_id=party_id, _anchor="notes") if party_id else url_for("parties.index")
    return redirect(to, code=303)

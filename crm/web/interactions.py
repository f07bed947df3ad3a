"""Interactions: the list, logging and planning, a contact's page, changing, cancelling, answers and notes."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from crm import clock
from crm.formatting import day, moment
from crm.forms.interactions import LEVEL_NOTES, MOST_ROWS, AnswersForm, ContactForm, NoteForm, ReasonForm
from crm.forms.lookups import uuid_of
from crm.i18n import _, get_locale, ngettext
from crm.models.asks import Ask, AskAnswer
from crm.models.base import OFFICE
from crm.models.commitments import Commitment
from crm.models.interactions import INTERACTION_KINDS, INTERACTION_STATES, Interaction
from crm.models.offices import Office
from crm.models.parties import Party
from crm.policy import Actor, Permission, can, require
from crm.queries import asks as ask_queries
from crm.queries import commitments as commitment_queries
from crm.queries import interactions as queries
from crm.queries import lookups
from crm.queries.commitments import KIND_LABELS as PROMISE_LABELS
from crm.queries.interactions import KIND_LABELS, STATE_LABELS, Filters
from crm.services import interactions
from crm.services.asks import NewAnswer
from crm.services.interactions import AskMade, NewInteraction, NewParticipant, NewPromise, NextStep
from crm.web import lookups as shared
from crm.web.gate import actor, permit
from crm.web.helpers import paging, save_form, status
from crm.web.lookups import Found

bp = Blueprint("interactions", __name__, url_prefix="/interactions")

HELD, PLANNED = "held", "planned"
_TONES = {"planned": "soon", "held": "done", "cancelled": "quiet"}
_PLAN_FIELDS = ("purpose", "fallback", "offer", "point_1", "point_2", "point_3", "red_line")
_LONGEST_LIST_TEXT = 140


# --- the list ------------------------------------------------------------------------------------------------------


@bp.get("/")
@permit(Permission.RECORD_SEE)
def index() -> Any:
    """Contacts in scope, by when: state, kind, party, from, to, sort; pages and cursors."""
    who = actor()
    zone = clock.zone(who.timezone)
    since, until = shared.day_arg("from"), shared.day_arg("to")
    filters = Filters(
        state=shared.choice_arg("state", INTERACTION_STATES),
        kind=shared.choice_arg("kind", INTERACTION_KINDS),
        party_id=uuid_of(request.args.get("party")),
        programme_id=uuid_of(request.args.get("programme")),
        since=datetime.combine(since, time(), zone) if since else None,
        until=datetime.combine(until + timedelta(days=1), time(), zone) if until and until < date.max else None,
    )
    sort = shared.choice_arg("sort", ("when", "-when")) or "-when"
    asked = paging()
    page = queries.listing(filters, asked, is_newest_first=sort == "-when")
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
        headers=[
            {"key": "who", "label": _("With"), "phone": "who"},
            {"key": "state", "label": _("State"), "phone": "status"},
            {"key": "what", "label": _("What"), "phone": "what"},
            {"key": "kind", "label": _("Kind"), "phone": "when"},
            shared.sort_header("when", _("When"), sort, "-when", "when", phone="amount"),
            {"key": "reference", "label": _("Reference"), "phone": "hide"},
        ],
        rows=[_row(record, who) for record in page.rows],
        chips=[shared.chip(label, name) for value, label, name in chips if value],
        state_options=shared.options(STATE_LABELS.items()),
        kind_options=shared.options(KIND_LABELS.items()),
        filters=filters,
        since=since.isoformat() if since else "",
        until=until.isoformat() if until else "",
        kept={name: request.args[name] for name in ("sort", "party", "programme") if request.args.get(name)},
        pages=shared.pages(page, asked),
        party=party,
    )


def _row(record: Interaction, who: Actor) -> list[Any]:
    text = record.summary or record.purpose
    return [
        {"text": _party_name(record), "href": url_for("interactions.detail", interaction_id=record.id)},
        {"status": _state_word(record), "tone": _state_tone(record)},
        shared.short(text, _LONGEST_LIST_TEXT) if text else "",
        str(KIND_LABELS[record.kind]),
        moment(record.starts_at, who.timezone, get_locale()),
        record.reference,
    ]


def _party_name(record: Interaction) -> str:
    party: Party | None = record.party  # empty where it lies outside the reader's scope
    return party.name if party is not None else _("A party you cannot see")


def _answers_of(record: Interaction) -> list[tuple[Ask, AskAnswer]]:
    """The answers whose ask the reader may see."""
    found: list[tuple[Ask | None, AskAnswer]] = [(given.ask, given) for given in record.answers]
    return [(ask, given) for ask, given in found if ask is not None]


def _is_overdue(record: Interaction) -> bool:
    return record.state == PLANNED and record.starts_at < clock.now()


def _state_word(record: Interaction) -> str:
    return _("Not written up") if _is_overdue(record) else str(STATE_LABELS[record.state])


def _state_tone(record: Interaction) -> str:
    return "late" if _is_overdue(record) else _TONES[record.state]


# --- logging and planning ------------------------------------------------------------------------------------------


@bp.route("/new", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def create() -> Any:
    """Log a contact that was held, or plan one (?state=planned); ?party= and ?ask= fill in, ?planned= writes up a planned one."""
    who = actor()
    form = ContactForm()
    planned_id = uuid_of(form.planned.data or request.args.get("planned"))
    planned = queries.get(planned_id) if planned_id else None
    if planned is not None and planned.state != PLANNED:
        flash(_("This contact is no longer planned."), "warning")
        return redirect(url_for("interactions.detail", interaction_id=planned.id))
    office = shared.choose_office(form, who, planned.office_id if planned else None)
    require(who, Permission.CONTACT_LOG, office.id)
    asked_state = form.state.data or request.args.get("state")
    state = PLANNED if asked_state == PLANNED and planned is None else HELD
    if request.method == "GET":
        _prefill(form, office, planned, state)
    form.state.data = state
    _offer(form, office, planned)
    if request.method == "POST" and ("add" in request.form or "look-up" in request.form):
        found = shared.settle(form.party, office.id) if form.party.text else None
        _add_row(form, request.form.get("add", ""))
        return _form_page(form, office, planned, found), 200
    settled: dict[str, Found | None] = {}

    def check() -> bool:
        settled["party"] = shared.settle(form.party, office.id)
        return _check_typed(form) and settled["party"] is not None

    answer = save_form(
        form,
        lambda: interactions.log_interaction(who, _typed(form, settled["party"] or Found(), office, planned)),
        then=lambda key: url_for("interactions.detail", interaction_id=key, done=1),
        message=_("The contact is planned.") if state == PLANNED else _("The contact is logged."),
        check=check,
    )
    if answer is not None:
        return answer
    if form.conflict is not None and planned is not None:
        back = url_for("interactions.detail", interaction_id=planned.id)
        return shared.conflict_page(form, _labels(), shared.value_words(form, office.timezone), back)
    return _form_page(form, office, planned, settled.get("party") or _known(form)), status(form)


def _known(form: ContactForm) -> Found | None:
    return Found(party_id=form.party.chosen) if form.party.chosen else None


def _check_typed(form: ContactForm) -> bool:
    """What can be said before the service looks, so that a name in doubt does not hide the other refusals."""
    found: list[tuple[Any, str]] = []
    if form.minutes.data and form.minutes_typed is None:
        found.append((form.minutes, _("Enter the length as a number of minutes.")))
    if form.day.data is None and not form.day.errors:
        found.append((form.day, _("Enter the day.")))
    if form.state.data == HELD and not form.summary.data:
        found.append((form.summary, _("Write one sentence about what was said.")))
    for field, sentence in found:
        field.errors = [*field.errors, sentence]
    return not found


def _add_row(form: ContactForm, name: str) -> None:
    rows: Any = {"promises": form.promises, "follow_ups": form.follow_ups, "theirs": form.theirs}.get(name)
    if rows is not None and len(rows.entries) < MOST_ROWS:
        rows.append_entry()


def _prefill(form: ContactForm, office: Office, planned: Interaction | None, state: str) -> None:
    """The fields of a fresh form: now (held) or tomorrow at ten (planned), oneself, the ask or plan it comes from."""
    here = clock.now().astimezone(clock.zone(office.timezone))
    if planned is not None:
        _show(form, planned, office)
        form.version.data, form.planned.data = str(planned.version), str(planned.id)
        return
    form.kind.data = "meeting"
    form.day.data = here.date() + timedelta(days=1) if state == PLANNED else here.date()
    form.time.data = time(10) if state == PLANNED else time(here.hour, 30 if here.minute >= 30 else 0)  # noqa: PLR2004
    form.ours.data = [actor().id]
    party_id = uuid_of(request.args.get("party"))
    ask_id = uuid_of(request.args.get("ask"))
    if ask_id is not None:
        ask = ask_queries.get(ask_id)
        party_id = party_id or ask.addressee_id
        form.ask_id.data = str(ask.id)
        form.programme_id.data = str(ask.programme_id or "")
        form.fallback.data = ask.fallback
    shared.prefill(form.party, party_id, office.id)
    last = queries.last_held_with(party_id) if form.party.chosen and party_id else None
    if last is not None and last.office_id == office.id:
        form.place_text.data, form.language.data = last.place_text, last.language


def _show(form: ContactForm, record: Interaction, office: Office) -> None:
    """A contact as the form has it."""
    here = shared.local(record.starts_at, office)
    shared.prefill(form.party, record.party_id, record.office_id)
    form.day.data, form.time.data = here.date(), here.time()
    form.kind.data, form.level.data = record.kind, record.level
    form.minutes.data = str(record.minutes or "")
    form.ask_id.data = str(record.ask_id or "")
    form.programme_id.data = str(record.programme_id or "")
    for name in ("place_text", "language", "summary", *_PLAN_FIELDS):
        form[name].data = getattr(record, name)
    form.ours.data = [str(one.user_id) for one in record.participants if one.user_id is not None]
    theirs = [one for one in record.participants if one.user_id is None and one.party_id != record.party_id]
    while form.theirs.entries:
        form.theirs.pop_entry()
    for one in theirs:
        form.theirs.append_entry({"name": one.name, "post": one.post})
    form.theirs.append_entry()


def _offer(form: ContactForm, office: Office, record: Interaction | None) -> None:
    shared.offer(form.kind, KIND_LABELS.items())
    shared.offer_programmes(form.programme_id, office.id)
    also = [one.user_id for one in record.participants] if record is not None else []
    steps = [entry.form.owner_id for entry in form.follow_ups.entries]
    shared.offer_colleagues([form.ours, *steps], office.id, *also)
    for entry in form.promises.entries:
        shared.offer(entry.form.kind, PROMISE_LABELS.items())
        if not entry.form.kind.data:
            entry.form.kind.data = "service"


def _form_page(form: ContactForm, office: Office, planned: Interaction | None, found: Found | None) -> str:
    _offer(form, office, planned)  # rows that were added need their choices too
    party_id = found.party_id if found is not None else _party_of(form)
    asks = _asks(form, party_id, office, planned)
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


def _party_of(form: ContactForm) -> uuid.UUID | None:
    return form.party.chosen or uuid_of(form.party.choice)


def _asks(form: ContactForm, party_id: uuid.UUID | None, office: Office, record: Interaction | None) -> list[Ask]:
    """The asks that the form speaks of: the planned one and the open ones of the party; a row of answers for each."""
    asks: list[Ask] = ask_queries.open_asks_of(party_id, office.id, clock.today(office.timezone)) if party_id else []
    wanted = [record.ask_id if record is not None else None, uuid_of(form.ask_id.data)]
    wanted += [uuid_of(entry.form.ask_id.data) for entry in form.answers.entries]
    asks = [*ask_queries.some({key for key in wanted if key} - {ask.id for ask in asks}, office.id), *asks]
    first = record.ask_id if record is not None else None
    asks.sort(key=lambda ask: ask.id != first)
    shared.offer(form.ask_id, [("", _("None of these")), *((str(ask.id), ask.sentence) for ask in asks)])
    form.ask_id.data = form.ask_id.data or ""
    if form.state.data == HELD:
        _drop_unknown_asks(form, {str(ask.id) for ask in asks})
        present = {entry.form.ask_id.data for entry in form.answers.entries}
        for ask in asks:
            if str(ask.id) not in present and len(form.answers.entries) < MOST_ROWS:
                form.answers.append_entry({"ask_id": str(ask.id), "answer": ""})
    return asks


def _drop_unknown_asks(form: ContactForm, known: set[str]) -> None:
    """Rows of asks that are none of this office's show nothing; what was refused about them stands above the form."""
    for entry in form.answers.entries:
        if entry.form.ask_id.data not in known:
            form.whole_errors.extend(dict.fromkeys(entry.form.answer.errors))
    form.answers.entries = [entry for entry in form.answers.entries if entry.form.ask_id.data in known]
    form.answers.errors = [entry.errors for entry in form.answers.entries if entry.errors]


def _typed(form: ContactForm, party: Found, office: Office, record: Interaction | None) -> NewInteraction:
    """What the form says. A held contact keeps what its plan said."""
    state = form.state.data or HELD
    today = clock.today(office.timezone)
    plan: dict[str, Any] = {name: form[name].data or "" for name in _PLAN_FIELDS}
    ask_id = uuid_of(form.ask_id.data)
    if state == HELD:
        plan = {name: getattr(record, name) if record is not None else "" for name in _PLAN_FIELDS}
        plan["purpose"] = form.purpose.data or ""
        ask_id = record.ask_id if record is not None else ask_id
    new_ask = form.new_ask.form
    return NewInteraction(
        office_id=office.id,
        state=state,
        kind=form.kind.data or "",
        starts_at=shared.moment_of(form.day.data, form.time.data, office),
        party_id=party.party_id,
        new_party=party.new,
        minutes=form.minutes_typed,
        place_text=form.place_text.data or "",
        language=form.language.data or "",
        ask_id=ask_id,
        new_ask=AskMade(new_ask.sentence.data or "", new_ask.by_when.data) if state == PLANNED else None,
        programme_id=uuid_of(form.programme_id.data),
        summary=form.summary.data or "",
        office_note=form.office_note.data or "",
        level=form.level.data or "open",
        participants=_participants(form, office),
        answers=_answers(form) if state == HELD else (),
        promises=[
            NewPromise(row.direction.data or "theirs", row.kind.data or "", row.words.data or "", row.due_on.data)
            for row in (entry.form for entry in form.promises.entries)
        ]
        if state == HELD
        else (),
        follow_ups=[
            NextStep(row.text.data or "", shared.due_from(row.within.data, row.due_on.data, today), uuid_of(row.owner_id.data))
            for row in (entry.form for entry in form.follow_ups.entries)
        ],
        planned_id=uuid_of(form.planned.data),
        version=shared.opened(form),
        **plan,
    )


def _answers(form: ContactForm | AnswersForm) -> list[NewAnswer]:
    return [
        NewAnswer(uuid_of(row.ask_id.data) or uuid.UUID(int=0), row.answer.data or "", row.words.data or "")
        for row in (entry.form for entry in form.answers.entries)
    ]


def _participants(form: ContactForm, office: Office) -> list[NewParticipant]:
    """Colleagues by choice; theirs by name: the one party of that name, else the name alone."""
    ours = [NewParticipant("ours", user_id=key) for key in map(uuid_of, form.ours.data or []) if key is not None]
    theirs = []
    for row in (entry.form for entry in form.theirs.entries):
        name = row.name.data or ""
        known = lookups.resolve_party(name, office.id).one if name else None
        theirs.append(NewParticipant("theirs", name=name, post=row.post.data or "", party_id=known.id if known else None))
    return [*ours, *theirs]


# --- a contact's page ----------------------------------------------------------------------------------------------


@bp.get("/<uuid:interaction_id>")
@permit(Permission.RECORD_SEE)
def detail(interaction_id: uuid.UUID) -> Any:
    """A contact: who, when, what was said, answered, promised, and what comes next. ?done=1 proposes what to do now."""
    return _detail_page(interaction_id, NoteForm(formdata=None), 200)


def _detail_page(interaction_id: uuid.UUID, note_form: NoteForm, code: int) -> Any:
    record = queries.get(interaction_id)
    office = lookups.office(record.office_id)
    today = clock.today(office.timezone)
    promises = commitment_queries.of_interaction(record.id)
    pledged = commitment_queries.pledged([one.id for one in promises if one.kind == "financial"])
    may_log = can(actor(), Permission.CONTACT_LOG, record.office_id)
    notes = queries.notes_of(record.id)
    return render_template(
        "interactions/detail.html",
        record=record,
        office=office,
        party_name=_party_name(record),
        kind=str(KIND_LABELS[record.kind]),
        state=_state_word(record),
        state_tone=_state_tone(record),
        when=moment(record.starts_at, office.timezone, get_locale()),
        level_note=str(LEVEL_NOTES[record.level]),
        chain=_chain(record, promises, pledged),
        answers=[
            {
                "ask": ask,
                "word": str(ask_queries.ANSWER_LABELS[given.answer]),
                "words": given.words,
                "tone": _answer_tone(given.answer),
            }
            for ask, given in _answers_of(record)
        ],
        promises={side: [_promise(one, today) for one in promises if one.direction == side] for side in ("ours", "theirs")},
        follow_ups=[_step(one, today) for one in record.follow_ups],
        notes=[(note, str(LEVEL_NOTES[note.level])) for note in notes],
        authors=lookups.people(note.created_by_id for note in notes),
        note_form=note_form,
        may_log=may_log,
        proposals=_proposals(record, promises, pledged, today) if request.args.get("done") and may_log else [],
        brief_url=shared.link("documents.brief", interaction_id=record.id)
        or f"{url_for('interactions.detail', interaction_id=record.id)}/brief",
        is_overdue=_is_overdue(record),
        OFFICE=OFFICE,
    ), code


def _answer_tone(answer: str) -> str:
    return {"yes": "done", "part": "soon", "no": "late"}.get(answer, "quiet")


def _promise(record: Commitment, today: date) -> dict[str, Any]:
    standing = commitment_queries.standing(record.outcome, record.due_on, today)
    return {
        "text": shared.short(record.words, 200),
        "url": url_for("commitments.detail", commitment_id=record.id),
        "status": standing.word,
        "tone": standing.tone,
        "due": record.due_on or "",
        "who": str(PROMISE_LABELS[record.kind]),
    }


def _step(record: Any, today: date) -> dict[str, Any]:
    words, tone = (_("Done"), "done") if record.done_on else shared.due_words(record.due_on, today)
    return {
        "text": record.text,
        "url": url_for("follow_ups.edit", follow_up_id=record.id) if shared.may_log(record.office_id) else "",
        "status": words,
        "tone": tone,
        "due": record.done_on or record.due_on,
        "who": record.owner.name if record.owner else "",
    }


def _chain(record: Interaction, promises: Sequence[Commitment], pledged: set[uuid.UUID]) -> list[dict[str, str]]:
    """Ask, commitment, money, programme as far as this contact goes."""
    ask = record.ask or next((ask for ask, _given in _answers_of(record)), None)
    theirs = next((one for one in promises if one.direction == "theirs"), None)
    money = next((one for one in promises if one.id in pledged), None)
    programme_id = record.programme_id or (ask.programme_id if ask else None)
    title = dict(lookups.programme_choices(record.office_id)).get(programme_id) if programme_id else None
    return [
        shared.link_to(_("Ask"), ask.sentence, url_for("asks.detail", ask_id=ask.id), ask.reference)
        if ask
        else shared.link_missing(_("Ask"), _("No ask yet")),
        shared.link_to(_("Commitment"), theirs.words, url_for("commitments.detail", commitment_id=theirs.id), theirs.reference)
        if theirs
        else shared.link_missing(_("Commitment"), _("No commitment yet")),
        shared.link_to(_("Money"), _("Pledge"), shared.link("pledges.detail", pledge_id=money.id), money.reference)
        if money
        else shared.link_missing(_("Money"), _("No money yet")),
        shared.link_to(_("Programme"), title, shared.link("programmes.detail", programme_id=programme_id))
        if title
        else shared.link_missing(_("Programme"), _("No programme named yet")),
    ]


def _proposals(record: Interaction, promises: Sequence[Commitment], pledged: set[uuid.UUID], today: date) -> list[dict[str, str]]:
    """Done, and what next: each one link."""
    found = []
    for one in promises:
        if one.kind == "financial" and one.direction == "theirs" and one.id not in pledged:
            to = shared.link("pledges.create", interaction=record.id, party=record.party_id, commitment=one.id)
            if to and can(actor(), Permission.MONEY_WRITE, record.office_id):
                found.append(
                    {
                        "title": _("Money was promised: record the pledge"),
                        "text": shared.short(one.words),
                        "action_label": _("Record the pledge"),
                        "action_url": to,
                    }
                )
            else:
                found.append(
                    {
                        "title": _("Money was promised"),
                        "text": _("A grants officer of your office records the pledge from the commitment."),
                        "action_label": _("Open it"),
                        "action_url": url_for("commitments.detail", commitment_id=one.id),
                    }
                )
    if record.state == HELD:
        answered = {given.ask_id for given in record.answers}
        open_asks = [ask for ask in ask_queries.open_asks_of(record.party_id, record.office_id, today) if ask.id not in answered]
        if open_asks:
            text = ngettext(
                "%(num)d open ask has no answer from this contact.", "%(num)d open asks have no answer from this contact.", len(open_asks)
            )
            found.append(
                {
                    "title": _("Was an ask answered?"),
                    "text": text,
                    "action_label": _("Record answers"),
                    "action_url": url_for("interactions.answers", interaction_id=record.id),
                }
            )
        if not record.follow_ups:
            found.append(
                {
                    "title": _("Nothing is set to follow"),
                    "text": _("A thank-you note, a document to send, a date to fix?"),
                    "action_label": _("Add a follow-up"),
                    "action_url": url_for("follow_ups.create", interaction=record.id),
                }
            )
        found.append(
            {
                "title": _("Plan the next meeting"),
                "text": _("Then open its briefing pack."),
                "action_label": _("Plan it"),
                "action_url": url_for("interactions.create", state=PLANNED, party=record.party_id),
            }
        )
    return found


# --- changing ------------------------------------------------------------------------------------------------------


@bp.route("/<uuid:interaction_id>/edit", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def edit(interaction_id: uuid.UUID) -> Any:
    """Change a contact's own fields; its promises, answers and follow-ups have pages of their own."""
    who = actor()
    record = queries.get(interaction_id)
    require(who, Permission.CONTACT_LOG, record.office_id)
    office = lookups.office(record.office_id)
    back = url_for("interactions.detail", interaction_id=interaction_id)
    form = ContactForm()
    if request.method == "GET":
        _show(form, record, office)
        form.version.data = str(record.version)
    form.state.data, form.planned.data = record.state, ""
    shared.choose_office(form, who, record.office_id)
    _offer(form, office, record)
    if request.method == "POST" and ("add" in request.form or "look-up" in request.form):
        _add_row(form, request.form.get("add", ""))
        found = shared.settle(form.party, office.id) if form.party.text else None
        return _edit_page(form, record, office, found, back)
    settled: dict[str, Found | None] = {}

    def check() -> bool:
        settled["party"] = shared.settle(form.party, office.id)
        return _check_typed(form) and settled["party"] is not None

    answer = save_form(
        form,
        lambda: interactions.edit_interaction(who, interaction_id, _edited(form, settled["party"] or Found(), office, record)),
        then=lambda _key: back,
        message=_("Your changes are saved."),
        check=check,
    )
    if answer is not None:
        return answer
    if form.conflict is not None:
        _asks(form, record.party_id, office, record)
        return shared.conflict_page(form, _labels(), shared.value_words(form, office.timezone), back)
    return _edit_page(form, record, office, settled.get("party") or _known(form), back), status(form)


def _edited(form: ContactForm, party: Found, office: Office, record: Interaction) -> NewInteraction:
    new = _typed(form, party, office, record)
    return dataclasses.replace(new, state=record.state, answers=(), promises=(), follow_ups=(), office_note="")


def _edit_page(form: ContactForm, record: Interaction, office: Office, found: Found | None, back: str) -> str:
    party_id = found.party_id if found is not None else _party_of(form)
    asks = _asks(form, party_id, office, record)
    return render_template(
        "interactions/edit.html",
        form=form,
        office=office,
        record=record,
        state=record.state,
        planned=None,
        asks={str(ask.id): ask for ask in asks},
        suggestions=lookups.likely_parties(office.id),
        level_notes=LEVEL_NOTES,
        is_party_known=party_id is not None,
        can_narrow=office.id in actor().member_of,
        cancel_url=back,
    )


def _labels() -> dict[str, object]:
    """The names of fields that the form splits or calls otherwise."""
    return {
        "party_id": _("Who"),
        "starts_at": _("When"),
        "participants": _("Who took part"),
        "reason": _("Reason"),
        "cancelled_reason": _("Reason"),
    }


@bp.route("/<uuid:interaction_id>/cancel", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def cancel(interaction_id: uuid.UUID) -> Any:
    """Say that a planned contact will not take place, and why."""
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
        message=_("The contact is cancelled."),
    )
    if answer is not None:
        return answer
    if form.conflict is not None:
        return shared.conflict_page(form, _labels(), shared.value_words(form), back)
    return render_template(
        "interactions/reason.html",
        form=form,
        title=_("Cancel this contact"),
        lead=_(
            "%(party)s, %(when)s",
            party=_party_name(record),
            when=moment(record.starts_at, lookups.office(record.office_id).timezone, get_locale()),
        ),
        button=_("Cancel the contact"),
        back=back,
    ), status(form)


@bp.route("/<uuid:interaction_id>/answers", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def answers(interaction_id: uuid.UUID) -> Any:
    """Record or change what was answered to the asks at this contact."""
    who = actor()
    record = queries.get(interaction_id)
    require(who, Permission.CONTACT_LOG, record.office_id)
    office = lookups.office(record.office_id)
    back = url_for("interactions.detail", interaction_id=interaction_id)
    form = AnswersForm()
    given = {ask.id: answer for ask, answer in _answers_of(record)}
    asks = ask_queries.open_asks_of(record.party_id, office.id, clock.today(office.timezone))
    known = [ask for ask, _answer in _answers_of(record) if ask.id not in {other.id for other in asks}]
    asks = [*known, *asks]
    if request.method == "GET":
        for ask in asks:
            held = given.get(ask.id)
            form.answers.append_entry({"ask_id": str(ask.id), "answer": held.answer if held else "", "words": held.words if held else ""})
    answer = save_form(
        form,
        lambda: interactions.answer_asks(who, interaction_id, _answers(form)),
        then=lambda _key: back,
        message=_("The answers are saved."),
    )
    if answer is not None:
        return answer
    return render_template(
        "interactions/answers.html",
        form=form,
        asks={str(ask.id): ask for ask in asks},
        party_name=_party_name(record),
        party_id=record.party_id,
        back=back,
    ), status(form)


@bp.post("/<uuid:interaction_id>/notes")
@permit(Permission.CONTACT_LOG)
def note(interaction_id: uuid.UUID) -> Any:
    """Write a note about a contact."""
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

"""The form of an interaction, planned or held: what it starts with, what it offers, what was typed into it. No route."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import time, timedelta
from typing import Any

from flask import request

from crm import clock
from crm.forms.interactions import MOST_ROWS, AnswersForm, InteractionForm
from crm.forms.lookups import uuid_of
from crm.forms.money_fields import offer_currencies, read_money
from crm.i18n import _
from crm.models.asks import Ask
from crm.models.codes import INTERACTION_KINDS
from crm.models.interactions import Interaction
from crm.policy import OfficeFacts
from crm.queries import asks as ask_queries
from crm.queries import codes, lookups
from crm.queries import interactions as queries
from crm.queries.commitments import KIND_LABELS as PROMISE_LABELS
from crm.services.asks import NewAnswer
from crm.services.interactions import AskMade, NewInteraction, NewParticipant, NewPromise, NextStep
from crm.web import lookups as shared
from crm.web.gate import actor
from crm.web.lookups import Found

HELD, PLANNED, CANCELLED = "held", "planned", "cancelled"
_PLAN_FIELDS = ("purpose", "fallback", "offer", "point_1", "point_2", "point_3", "red_line")


def known(form: InteractionForm) -> Found | None:
    return Found(party_id=form.party.chosen) if form.party.chosen else None


def is_complete(form: InteractionForm) -> bool:
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
    new_ask = form.new_ask.form
    if form.state.data == PLANNED:
        read_money(new_ask.amount, new_ask.currency.data, is_needed=False)
    return not found and not new_ask.amount.errors


def add_row(form: InteractionForm, name: str) -> None:
    rows: Any = {"promises": form.promises, "follow_ups": form.follow_ups, "theirs": form.theirs}.get(name)
    if rows is not None and len(rows.entries) < MOST_ROWS:
        rows.append_entry()


def prefill(form: InteractionForm, office: OfficeFacts, planned: Interaction | None, state: str) -> None:
    """The fields of a fresh form: now (held) or tomorrow at ten (planned), oneself, the ask or plan it comes from, ?kind=,
    ?name= of somebody who may not be on record."""
    here = clock.now().astimezone(clock.zone(office.timezone))
    if planned is not None:
        show(form, planned, office)
        form.version.data, form.planned.data = str(planned.version), str(planned.id)
        return
    today = here.date()
    kind = request.args.get("kind", "")
    form.kind.data = kind if kind in {entry.code for entry in codes.offered(INTERACTION_KINDS, today)} else "meeting"
    form.day.data = today + timedelta(days=1) if state == PLANNED else today
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
    if not form.party.text and party_id is None:
        form.party.form.text.data = " ".join(request.args.get("name", "").split())[:300]
    last = queries.last_held_with(party_id) if form.party.chosen and party_id else None
    if last is not None and last.office_id == office.id:
        form.place_text.data, form.language.data = last.place_text, last.language


def show(form: InteractionForm, record: Interaction, office: OfficeFacts) -> None:
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


def offer(form: InteractionForm, office: OfficeFacts, record: Interaction | None) -> None:
    """Give every field what may be chosen in it."""
    kinds = codes.offered(INTERACTION_KINDS, clock.today(office.timezone), record.kind if record is not None else None)
    shared.offer(form.kind, [(entry.code, entry.label) for entry in kinds])
    shared.offer_programmes(form.programme_id, office.id)
    also = [one.user_id for one in record.participants] if record is not None else []
    shared.offer_colleagues([form.ours], office.id, *also)
    offer_rows(form)
    new_ask = form.new_ask.form
    offer_currencies(new_ask.currency, (office.currency, office.reporting_currency))
    new_ask.currency.data = new_ask.currency.data or office.reporting_currency


def offer_rows(form: InteractionForm) -> None:
    """Give the fields of rows what may be chosen in them, those of rows that were added since too. No statement."""
    for entry in form.follow_ups.entries:
        entry.form.owner_id.choices = form.ours.choices
        entry.form.owner_id.data = entry.form.owner_id.data or actor().id
    for entry in form.promises.entries:
        shared.offer(entry.form.kind, PROMISE_LABELS.items())
        if not entry.form.kind.data:
            entry.form.kind.data = "financial"


def party_of(form: InteractionForm) -> uuid.UUID | None:
    return form.party.chosen or uuid_of(form.party.choice)


def offer_asks(form: InteractionForm, party_id: uuid.UUID | None, office: OfficeFacts, record: Interaction | None) -> list[Ask]:
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


def _drop_unknown_asks(form: InteractionForm, known: set[str]) -> None:
    """Rows of asks that are none of this office's show nothing; what was refused about them stands above the form."""
    for entry in form.answers.entries:
        if entry.form.ask_id.data not in known:
            form.whole_errors.extend(dict.fromkeys(entry.form.answer.errors))
    form.answers.entries = [entry for entry in form.answers.entries if entry.form.ask_id.data in known]
    form.answers.errors = [entry.errors for entry in form.answers.entries if entry.errors]


def typed(form: InteractionForm, party: Found, office: OfficeFacts, record: Interaction | None) -> NewInteraction:
    """What the form says. A held contact keeps what its plan said."""
    state = form.state.data or HELD
    today = clock.today(office.timezone)
    plan: dict[str, Any] = {name: form[name].data or "" for name in _PLAN_FIELDS}
    ask_id = uuid_of(form.ask_id.data)
    if state == HELD:
        plan = {name: getattr(record, name) if record is not None else "" for name in _PLAN_FIELDS}
        plan["purpose"] = form.purpose.data or ""
        ask_id = record.ask_id if record is not None else ask_id
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
        new_ask=_ask_made(form) if state == PLANNED else None,
        programme_id=uuid_of(form.programme_id.data),
        summary=form.summary.data or "",
        office_note=form.office_note.data or "",
        level=form.level.data or "open",
        participants=_participants(form, office),
        answers=answers_typed(form) if state == HELD else (),
        promises=[
            NewPromise(row.direction.data or "theirs", row.kind.data or "", row.words.data or "", row.due_on.data, row.quantity.data or "")
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


def _ask_made(form: InteractionForm) -> AskMade:
    row = form.new_ask.form
    return AskMade(row.sentence.data or "", row.by_when.data, amount=read_money(row.amount, row.currency.data, is_needed=False))


def answers_typed(form: InteractionForm | AnswersForm) -> list[NewAnswer]:
    return [
        NewAnswer(uuid_of(row.ask_id.data) or uuid.UUID(int=0), row.answer.data or "", row.words.data or "")
        for row in (entry.form for entry in form.answers.entries)
    ]


def _participants(form: InteractionForm, office: OfficeFacts) -> list[NewParticipant]:
    """Colleagues by choice; theirs by name: the one party of that name, else the name alone."""
    ours = [NewParticipant("ours", user_id=key) for key in map(uuid_of, form.ours.data or []) if key is not None]
    theirs = []
    for row in (entry.form for entry in form.theirs.entries):
        name = row.name.data or ""
        known = lookups.resolve_party(name, office.id).one if name else None
        theirs.append(NewParticipant("theirs", name=name, post=row.post.data or "", party_id=known.id if known else None))
    return [*ours, *theirs]


def edited(form: InteractionForm, party: Found, office: OfficeFacts, record: Interaction) -> NewInteraction:
    new = typed(form, party, office, record)
    return dataclasses.replace(new, state=record.state, answers=(), promises=(), follow_ups=(), office_note="")


def labels() -> dict[str, object]:
    """The names of fields that the form splits or calls otherwise."""
    return {
        "party_id": _("Who"),
        "starts_at": _("When"),
        "participants": _("Who took part"),
        "reason": _("Reason"),
        "cancelled_reason": _("Reason"),
    }

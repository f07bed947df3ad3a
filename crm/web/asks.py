"""Asks: the list, writing one, its page with the answers, changing, closing and opening again."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from crm import clock
from crm.formatting import day
from crm.forms.asks import AskForm
from crm.forms.base import BaseForm
from crm.forms.interactions import LEVEL_NOTES, ReasonForm
from crm.forms.lookups import uuid_of
from crm.forms.money_fields import offer_currencies, read_money, typed
from crm.i18n import _, _l, get_locale
from crm.models.asks import Ask
from crm.models.commitments import Commitment
from crm.money import Money
from crm.policy import OfficeFacts, Permission, can, require
from crm.queries import asks as queries
from crm.queries import commitments as commitment_queries
from crm.queries import follow_ups as follow_up_queries
from crm.queries import lookups
from crm.queries.asks import ANSWER_LABELS, Filters
from crm.queries.figures.chains import PledgeStep, pledge_steps
from crm.services import asks
from crm.services.asks import NewAsk
from crm.web import history, saved_lists
from crm.web import lookups as shared
from crm.web.ask_list import LISTING
from crm.web.chain import Link, commitment_link, follow, here, leads_to, money_link, to_record
from crm.web.exports import offer_files
from crm.web.gate import actor, permit
from crm.web.helpers import paging, save_form, status
from crm.web.listing import Seen
from crm.web.lookups import Found

bp = Blueprint("asks", __name__, url_prefix="/asks")
offer_files(bp, LISTING)
STATUS_LABELS = queries.STATUS_LABELS


@bp.get("/")
@permit(Permission.RECORD_SEE)
def index() -> Any:
    """Asks in scope: status, party, programme, sort, columns; open ones first by when they are wanted."""
    seen = Seen.of(LISTING, request.args, actor())
    filters: Filters = seen.reading.filters
    asked = paging()
    page = seen.reading.page(asked)
    party = lookups.party_match(filters.party_id)
    programmes = lookups.programme_choices()
    chips = [
        (filters.status, str(STATUS_LABELS.get(filters.status, "")), "status"),
        (filters.party_id, _("Of: %(name)s", name=party.name) if party else _("Of one party"), "party"),
        (filters.programme_id, dict(programmes).get(filters.programme_id or uuid.UUID(int=0), _("For one programme")), "programme"),
    ]
    return render_template(
        "asks/index.html",
        page=page,
        headers=seen.headers(),
        rows=seen.cells(page.rows),
        chips=[shared.chip(label, name) for value, label, name in chips if value],
        status_options=shared.options(STATUS_LABELS.items()),
        programme_options=shared.options((str(key), title) for key, title in programmes),
        filters=filters,
        kept={name: value for name, value in seen.arguments.items() if name in ("sort", "party", "columns")},
        pages=shared.pages(page, asked),
        party=party,
        tools=seen.tools(),
        several=seen.several(page),
        saved=saved_lists.above(seen),
    )


# --- writing one ---------------------------------------------------------------------------------------------------


@bp.route("/new", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def create() -> Any:
    """Write an ask; ?party= and ?programme= fill in."""
    who = actor()
    form = AskForm()
    office = shared.choose_office(form, who)
    if request.method == "GET":
        shared.prefill(form.addressee, uuid_of(request.args.get("party")), office.id)
        form.programme_id.data = str(uuid_of(request.args.get("programme")) or "")
    return _form_answer(form, office, None)


@bp.route("/<uuid:ask_id>/edit", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def edit(ask_id: uuid.UUID) -> Any:
    """Change an ask."""
    ask = queries.get(ask_id)
    require(actor(), Permission.CONTACT_LOG, ask.office_id)
    form = AskForm()
    office = shared.choose_office(form, actor(), ask.office_id)
    if request.method == "GET":
        shared.prefill(form.addressee, ask.addressee_id, office.id)
        for name in ("sentence", "by_when", "fallback", "level"):
            form[name].data = getattr(ask, name)
        form.programme_id.data, form.position_id.data = str(ask.programme_id or ""), str(ask.position_id or "")
        form.amount.data = typed(ask.amount) if ask.amount else ""
        form.currency.data = ask.currency
        form.version.data = str(ask.version)
    return _form_answer(form, office, ask)


def _form_answer(form: AskForm, office: OfficeFacts, ask: Ask | None) -> Any:
    who = actor()
    shared.offer_programmes(form.programme_id, office.id)
    offer_currencies(form.currency, (office.currency, office.reporting_currency, *([ask.currency] if ask and ask.currency else [])))
    form.currency.data = form.currency.data or office.reporting_currency
    settled: dict[str, Any] = {}

    def check() -> bool:
        settled["party"] = shared.settle(form.addressee, office.id)
        settled["amount"] = read_money(form.amount, form.currency.data, is_needed=False)
        return settled["party"] is not None and not form.amount.errors

    def save() -> uuid.UUID:
        new = _typed(form, settled["party"], settled["amount"], office)
        return asks.create_ask(who, new) if ask is None else asks.edit_ask(who, ask.id, new, shared.opened(form))

    back = url_for("asks.detail", ask_id=ask.id) if ask is not None else url_for("asks.index")
    answer = save_form(
        form,
        save,
        then=lambda key: url_for("asks.detail", ask_id=key),
        message=_("Your changes are saved.") if ask is not None else _("The ask is recorded."),
        check=check,
    )
    if answer is not None:
        return answer
    shared.offer_posts(form.position_id, form.addressee)
    if form.conflict is not None:
        labels = {"addressee_id": _("Whom we ask"), "amount_minor": _("Amount, in the smallest unit"), "currency": _("Currency")}
        return shared.conflict_page(form, labels, shared.value_words(form), back)
    return render_template(
        "asks/form.html",
        form=form,
        ask=ask,
        suggestions=lookups.likely_parties(office.id),
        level_notes=LEVEL_NOTES,
        can_narrow=office.id in who.member_of,
        back=back,
    ), status(form)


def _typed(form: AskForm, party: Found, amount: Money | None, office: OfficeFacts) -> NewAsk:
    return NewAsk(
        office_id=office.id,
        addressee_id=party.party_id,
        new_addressee=party.new,
        sentence=form.sentence.data or "",
        by_when=form.by_when.data,
        programme_id=uuid_of(form.programme_id.data),
        position_id=uuid_of(form.position_id.data),
        fallback=form.fallback.data or "",
        amount=amount,
        level=form.level.data or "",
    )


# --- its page ------------------------------------------------------------------------------------------------------


@bp.get("/<uuid:ask_id>")
@permit(Permission.RECORD_SEE)
def detail(ask_id: uuid.UUID) -> Any:
    """An ask: of whom, by when, what was answered when, what was promised for it."""
    ask = queries.get(ask_id)
    office = lookups.office(ask.office_id)
    today = clock.today(office.timezone)
    answers = queries.answers_to([ask.id])[ask.id]
    promises = commitment_queries.of_ask(ask.id)
    steps = pledge_steps([one.id for one in promises if one.kind == "financial"], today)
    standings = commitment_queries.standings(promises, today)
    standing = queries.standing(ask, answers, today)
    may_log = can(actor(), Permission.CONTACT_LOG, ask.office_id)
    return render_template(
        "asks/detail.html",
        ask=ask,
        addressee=shared.name_of(ask.addressee),
        standing=standing,
        answers=[(given, str(ANSWER_LABELS[given.answer]), shared.answer_tone(given.answer)) for given in reversed(answers)],
        promises=[
            shared.promise_line(one, standings[one.id], steps[one.id].reference if one.id in steps else one.reference) for one in promises
        ],
        planned=[one for one in queries.interactions_about(ask.id) if one.state == "planned"],
        follow_ups=follow_up_queries.of_ask(ask.id),
        facts=_facts(ask, today, standing),
        chain=_chain(ask, promises, steps),
        level_note=str(LEVEL_NOTES[ask.level]),
        office=office,
        may_log=may_log,
        reopen_form=BaseForm(formdata=None, version=str(ask.version)) if may_log and ask.closed_on else None,
    )


def _facts(ask: Ask, today: Any, standing: queries.Standing) -> list[dict[str, Any]]:
    words, tone = shared.due_words(ask.by_when, today)
    found: list[dict[str, Any]] = [
        {
            "label": _("Of whom"),
            "value": shared.name_of(ask.addressee),
            "href": url_for("parties.detail", party_id=ask.addressee_id),
            "is_text": True,
            "note": ask.position.title if ask.position else "",
        },
        {
            "label": _("By when"),
            "value": day(ask.by_when, get_locale()) if ask.by_when else _("No date"),
            "note": words if ask.by_when and standing.key in ("open", "overdue") else "",
            "tone": tone,
        },
    ]
    if ask.amount is not None:
        found.append({"label": _("Amount"), "value": shared.money_words(ask.amount)})
    return found


def _chain(ask: Ask, promises: list[Commitment], steps: dict[uuid.UUID, PledgeStep]) -> list[Link]:
    theirs = follow(promises, steps)
    step = steps.get(theirs.id) if theirs else None
    may_edit = to_record(ask.office_id, Permission.CONTACT_LOG, "asks.edit", ask_id=ask.id) if ask.closed_on is None else ""
    return [
        here(_("Ask"), ask.sentence),
        commitment_link(theirs, to_record(ask.office_id, Permission.CONTACT_LOG, "commitments.create", ask=ask.id), step),
        money_link(step),
        leads_to(step, theirs.programme_id if theirs else None, ask.programme_id, mend=may_edit),
    ]


_HISTORY = history.Words(
    fields={
        "addressee_id": _l("Whom we ask"),
        "sentence": _l("The ask"),
        "fallback": _l("Fallback"),
        "by_when": _l("By when"),
        "currency": _l("Currency"),
        "amount_minor": _l("Amount, in the smallest unit"),
        "programme_id": _l("Programme"),
        "closed_on": _l("Closed on"),
        "closed_reason": _l("Reason for closing"),
        "level": _l("Who can read it"),
    },
    values={"level": LEVEL_NOTES},
    names={"addressee_id": "party", "programme_id": "programme"},
)


@bp.get("/<uuid:ask_id>/history")
@permit(Permission.RECORD_SEE)
def ask_history(ask_id: uuid.UUID) -> Any:
    """Who changed what on an ask."""
    ask = queries.get(ask_id)
    back = url_for("asks.detail", ask_id=ask_id)
    return history.page(ask_id, _HISTORY, name=shared.short(ask.sentence), back=back, address=url_for("asks.ask_history", ask_id=ask_id))


@bp.route("/<uuid:ask_id>/close", methods=["GET", "POST"])
@permit(Permission.CONTACT_LOG)
def close(ask_id: uuid.UUID) -> Any:
    """Close an ask for a reason."""
    who = actor()
    ask = queries.get(ask_id)
    require(who, Permission.CONTACT_LOG, ask.office_id)
    back = url_for("asks.detail", ask_id=ask_id)
    form = ReasonForm()
    if request.method == "GET":
        form.version.data = str(ask.version)
    answer = save_form(
        form,
        lambda: asks.close_ask(who, ask_id, reason=form.reason.data or "", version=shared.opened(form)),
        then=lambda _key: back,
        message=_("The ask is closed."),
    )
    if answer is not None:
        return answer
    if form.conflict is not None:
        return shared.conflict_page(form, {"closed_on": _("Closed on"), "closed_reason": _("Reason")}, shared.value_words(form), back)
    return render_template(
        "interactions/reason.html", form=form, title=_("Close this ask"), lead=ask.sentence, button=_("Close the ask"), back=back
    ), status(form)


@bp.post("/<uuid:ask_id>/reopen")
@permit(Permission.CONTACT_LOG)
def reopen(ask_id: uuid.UUID) -> Any:
    """Open a closed ask again."""
    who = actor()
    ask = queries.get(ask_id)
    require(who, Permission.CONTACT_LOG, ask.office_id)
    form = BaseForm()
    back = url_for("asks.detail", ask_id=ask_id)
    answer = save_form(
        form, lambda: asks.reopen_ask(who, ask_id, version=shared.opened(form)), then=lambda _key: back, message=_("The ask is open again.")
    )
    return answer if answer is not None else redirect(back, code=303)

"""Pledges: the list, a new one with its plan, one with everything that became of it, its changes."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from crm import clock
from crm.errors import NotFound
from crm.formatting import day, money
from crm.forms.base import choices
from crm.forms.money_fields import typed as typed_amount
from crm.forms.pledges import PledgeChangeForm, PledgeForm, ReasonForm, RescheduleForm
from crm.i18n import _, get_locale
from crm.models.base import OFFICE
from crm.models.commitments import Commitment
from crm.models.pledges import Pledge
from crm.policy import Permission, can, require
from crm.queries import commitments as commitment_queries
from crm.queries import lookups, money_choices
from crm.queries import pledges as queries
from crm.queries.figures.lists import pledge_totals
from crm.queries.figures.money import pledge_figures
from crm.queries.interactions import KIND_LABELS
from crm.queries.lookups import Resolution
from crm.services import pledges as services
from crm.services.checking import Opened
from crm.services.money_rules import PlanLine
from crm.web import files, money_forms, saved_lists
from crm.web.exports import offer_files
from crm.web.gate import actor, permit
from crm.web.helpers import args_with, paging, save_form, status
from crm.web.listing import Seen
from crm.web.lookups import Found, conflict_page, opened, prefill, settle, short, still_there, value_words
from crm.web.money import (
    STATUS_NAMES,
    TERM_NAMES,
    as_of,
    event_lines,
    funnel_chart,
    may_write,
    record_url,
    set_up,
    status_word,
    taken_back_chip,
    taken_back_options,
)
from crm.web.money_forms import (
    checked_save,
    chosen,
    given,
    hidden_answers,
    label_of,
    offer_money,
    offer_offices,
    offer_programmes,
    plan_helper,
    read_uuid,
    reschedule_page,
    writable,
)
from crm.web.money_history import history_page
from crm.web.pledge_list import LISTING

bp = Blueprint("pledges", __name__, url_prefix="/pledges")
set_up(bp)
offer_files(bp, LISTING)


@bp.get("/")
@permit(Permission.RECORD_SEE)
def index() -> Any:
    """The pledges in scope, filtered, with totals per currency of the whole list."""
    seen = Seen.of(LISTING, request.args, actor())
    reading = seen.reading
    page = reading.page(paging())
    return render_template(
        "pledges/index.html",
        page=page,
        filters=reading.filters,
        year=reading.understood.get("year", ""),
        back=reading.understood.get("back", ""),
        back_options=taken_back_options(),
        back_chip=taken_back_chip(reading.understood.get("back", "")),
        headers=seen.headers(),
        rows=seen.cells(page.rows),
        kept={name: value for name, value in seen.arguments.items() if name in ("sort", "columns")},
        totals=pledge_totals(reading.filters, reading.today),
        status_names=STATUS_NAMES,
        donors=money_choices.donors_of(Pledge, reading.filters.donor_id),
        programmes=money_choices.programmes_offered(reading.filters.programme_id),
        args_with=args_with,
        tools=seen.tools(),
        saved=saved_lists.above(seen),
    )


@bp.route("/new", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def create() -> Any:
    """Record a pledge: the form, the check of the answers, then the record. `?commitment=` takes over a promise of money."""
    who, form = actor(), PledgeForm()
    promise = still_there(form, form.commitment_id, request.args.get("commitment"), commitment_queries.get)
    if promise is not None and commitment_queries.has_pledge(promise.id) and request.method == "GET":
        return redirect(url_for("pledges.detail", pledge_id=promise.id))
    if promise is not None:
        require(who, Permission.MONEY_WRITE, promise.office_id)
    offices = [promise.office_id] if promise is not None else writable(who)
    offer_offices(form.office_id, offices)
    asked = read_uuid(form.office_id.data)
    office_id = asked if promise is None and asked in offices else offices[0]
    form.reporting_currency = money_choices.office_currency(office_id)[1]
    if request.method == "GET":
        _prefill(form, office_id, promise)
        form.named_currency.data = form.reporting_currency
    offer_money(form.currency, office_id)
    typed_donor, donor_choice = "" if form.donor.chosen_form() else form.donor.text, read_uuid(form.donor.choice)
    meant = lookups.resolve_party(typed_donor, office_id) if typed_donor and donor_choice is None else None
    context = (form.programme_id, form.interaction_id, form.ask_id)
    is_offered = request.method == "POST" and any(field.data for field in context)  # else nobody looks, unless the form comes back
    for field in context:
        field.choices = choices([("", _("Not said"))])
    if is_offered:
        _offer_context(form, offices, _likely_donor(typed_donor, donor_choice, meant, office_id))

    form.donor.can_add = promise is None  # who made a promise is on record
    settled: dict[str, Found | None] = {}

    def is_donor_known() -> bool:
        settled["donor"] = settle(form.donor, office_id, meant=meant)
        return settled["donor"] is not None

    def save() -> uuid.UUID:
        return services.record_pledge(who, _typed(form, office_id, given(settled["donor"])))

    step = checked_save(
        form,
        save,
        pledge_figures,
        then=lambda key: url_for("pledges.detail", pledge_id=key),
        message=_("The pledge is recorded."),
        helper=plan_helper(form, form.total),
        check=is_donor_known,
    )
    if step.response:
        return step.response
    if not is_offered and step.preview is None:
        _offer_context(form, offices, _likely_donor(typed_donor, donor_choice, meant, office_id))
    if form.conflict is not None:
        labels = {"made_on": form.pledged_on.label.text}
        return conflict_page(form, labels, value_words(form), url_for("commitments.detail", commitment_id=form.commitment_id.data))
    if step.preview:
        labels = {"donor": form.donor.text, **{name: label_of(form[name]) for name in ("programme_id", "interaction_id", "ask_id")}}
        return render_template(
            "pledges/check.html", form=form, figures=step.preview, labels=labels, answers=hidden_answers(), elsewhere=_elsewhere(form)
        )
    return render_template(
        "pledges/form.html",
        form=form,
        offices=offices,
        likely=lookups.likely_parties(office_id),
        promise=promise,
        elsewhere=_elsewhere(form),
        refusal=commitment_queries.why_no_pledge(promise) if promise is not None and request.method == "GET" else "",
    ), step.code


def _typed(form: PledgeForm, office_id: uuid.UUID, donor: Found) -> services.NewPledge:
    return services.NewPledge(
        office_id=office_id,
        donor_id=donor.party_id,
        new_donor=donor.new,
        amount=given(form.money),
        pledged_on=given(form.pledged_on.data),
        words=form.words.data or "",
        plan=form.plan_lines,
        programme_id=chosen(form.programme_id),
        event_name=form.event_name.data or "",
        donor_reference=form.donor_reference.data or "",
        rate_policy=form.rate_policy.data or "day",
        fixed_rate=form.rate,
        commitment_id=read_uuid(form.commitment_id.data),
        opened=opened(form),
        interaction_id=chosen(form.interaction_id),
        ask_id=chosen(form.ask_id),
        witness=form.witness.data or "",
    )


def _prefill(form: PledgeForm, office_id: uuid.UUID, promise: Commitment | None) -> None:
    """What the address names: the promise with all it says, or donor, interaction, ask and programme; today as the day."""
    form.pledged_on.data = clock.today(actor().timezone)
    context = {name: read_uuid(request.args.get(name)) for name in ("interaction", "ask", "programme")}
    party_id = read_uuid(request.args.get("party"))
    if promise is not None:
        party_id = promise.party_id
        ask = money_choices.ask_of(promise.ask_id) if promise.ask_id and promise.programme_id is None else None
        programme_id = ask.programme_id if ask else promise.programme_id
        context = {"interaction": promise.interaction_id, "ask": promise.ask_id, "programme": programme_id}
        form.commitment_id.data, form.version.data = str(promise.id), str(promise.version)
        form.pledged_on.data, form.words.data, form.witness.data = promise.made_on, promise.words, promise.witness
        found = commitment_queries.amount_said(promise)
        if found is not None:
            form.amount.data, form.currency.data = typed_amount(found), found.currency
            if promise.due_on is not None:
                form.show_plan([PlanLine(found, promise.due_on)], blank=0)
    prefill(form.donor, party_id, office_id)
    for field, name in ((form.interaction_id, "interaction"), (form.ask_id, "ask"), (form.programme_id, "programme")):
        field.data = str(context[name] or "")


def _likely_donor(text: str, choice: uuid.UUID | None, meant: Resolution | None, office_id: uuid.UUID) -> uuid.UUID | None:
    """Whom the text means so far, for the choices that hang on the donor; doubts are answered when it is sent. `meant`: where it was
    looked up before."""
    known = lookups.party_match(choice, office_id)
    if known is None and meant is None and text:
        meant = lookups.resolve_party(text, office_id)
    found = known or (meant.one if meant else None)
    return found.id if found else None


def _offer_context(form: PledgeForm, offices: list[uuid.UUID], donor_id: uuid.UUID | None) -> None:
    """The programmes, and the donor's interactions and asks, once the donor is known."""
    offer_programmes(form.programme_id, offices)
    contacts = money_choices.contacts_of(donor_id) if donor_id else []
    asks = money_choices.asks_of(donor_id) if donor_id else []
    # What was chosen before the donor was: it goes with the pledge unless somebody says otherwise, so it is shown.
    chosen = read_uuid(form.interaction_id.data), read_uuid(form.ask_id.data)
    if chosen[0] and chosen[0] not in {row.id for row in contacts} and (contact := money_choices.contact_of(chosen[0])):
        contacts = [contact, *contacts]
    if chosen[1] and chosen[1] not in {row.id for row in asks} and (ask := money_choices.ask_of(chosen[1])):
        asks = [ask, *asks]
    form.interaction_id.choices = choices([("", _("Not said")), *((str(row.id), _contact_words(row)) for row in contacts)])
    form.ask_id.choices = choices([("", _("Not said")), *((str(row.id), f"{row.reference} – {row.sentence}") for row in asks)])


def _elsewhere(form: PledgeForm) -> str:
    """What to know where the pledge is for another programme than the ask that it answers; "" where they agree."""
    ask_id = read_uuid(form.ask_id.data)
    ask = money_choices.ask_of(ask_id) if ask_id else None
    asked = lookups.programme_named(ask.programme_id) if ask else None
    if ask is None or asked is None or ask.programme_id == read_uuid(form.programme_id.data):
        return ""
    led = lookups.programme_named(read_uuid(form.programme_id.data))
    if led is None:
        return _("The ask was for %(asked)s; this pledge names no programme, so the chain will end before one.", asked=asked[0])
    return _("The ask was for %(asked)s; the chain will lead to %(programme)s.", asked=asked[0], programme=led[0])


def _contact_words(row: money_choices.Contact) -> str:
    """An interaction to choose: its day in the reader's office, and what it was for, else its kind."""
    on = day(row.at.astimezone(clock.zone(actor().timezone)).date(), get_locale())
    return f"{on} – {short(row.title, 90) if row.title else KIND_LABELS[row.kind]}"


@bp.get("/<uuid:pledge_id>")
@permit(Permission.RECORD_SEE)
def detail(pledge_id: uuid.UUID) -> Any:
    """A pledge and what became of it, as of a day."""
    who = actor()
    found = queries.pledge_detail(pledge_id)
    on, day_note = as_of(lookups.office(found.pledge.office_id).timezone, found.pledge.pledged_on)
    figures = pledge_figures(pledge_id, on)
    chain = figures.chain
    pledged = money(figures.announced.money, get_locale(), compact=True)
    if not figures.announced:
        title = _("Nothing is pledged any more")
    elif chain.paid:
        title = _("%(paid)s of %(pledged)s has been paid", paid=money(chain.paid.money, get_locale(), compact=True), pledged=pledged)
    else:
        title = _("Nothing of %(pledged)s has been paid yet", pledged=pledged)
    promise: Commitment | None = found.pledge.commitment  # None where its level keeps it from the reader
    return render_template(
        "pledges/detail.html",
        found=found,
        pledge=found.pledge,
        figures=figures,
        chain=chain,
        ask=promise.ask if promise else None,
        promise=promise,
        status=status_word(found.pledge, on, [pledge_id] if found.is_lapsed else []),
        on=on,
        day_note=day_note,
        chart=funnel_chart(figures.announced, chain, title),
        events=event_lines(
            queries.pledge_timeline(found),
            record_url,
        ),
        files=files.part("pledge", pledge_id, found.pledge.office_id),
        may=may_write(found.pledge.office_id),
        may_log=can(who, Permission.CONTACT_LOG, found.pledge.office_id),
        OFFICE=OFFICE,
    )


@bp.get("/<uuid:pledge_id>/history")
@permit(Permission.RECORD_SEE)
def pledge_history(pledge_id: uuid.UUID) -> Any:
    """Who changed what on a pledge."""
    pledge = queries.pledge_of(pledge_id)
    address = url_for("pledges.pledge_history", pledge_id=pledge_id)
    back = url_for("pledges.detail", pledge_id=pledge_id)
    return history_page(pledge_id, name=pledge.reference, back=back, address=address)


@bp.route("/<uuid:pledge_id>/change", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def change(pledge_id: uuid.UUID) -> Any:
    """Raise, cut, lapse or withdraw a pledge, with a reason."""
    who = actor()
    pledge = queries.pledge_of(pledge_id)
    require(who, Permission.MONEY_WRITE, pledge.office_id)
    form = PledgeChangeForm()
    form.own_currency = pledge.currency
    form.kind.choices = choices([(kind, TERM_NAMES[kind]) for kind in services.CHANGES])
    if request.method == "GET":
        form.on.data = clock.today(who.timezone)
        form.version.data = str(pledge.version)
        wanted = request.args.get("kind", "")
        form.kind.data = wanted if wanted in services.CHANGES else None
    facts = {"outstanding": pledge.outstanding, "reference": pledge.reference, "donor": pledge.donor.name}

    def save() -> uuid.UUID:
        services.change_pledge(
            who,
            pledge_id,
            services.PledgeChange(form.kind.data or "", given(form.on.data), form.reason.data or "", form.money, version=opened(form)),
        )
        return pledge_id

    back = url_for("pledges.detail", pledge_id=pledge_id)
    done = save_form(form, save, then=lambda _key: back, message=_("The change is recorded."))
    if done is None and form.conflict is not None:
        return money_forms.conflict_page(form, back)
    return done or (render_template("pledges/change.html", form=form, pledge_id=pledge_id, facts=facts), status(form))


@bp.route("/<uuid:pledge_id>/reschedule", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def reschedule(pledge_id: uuid.UUID) -> Any:
    """Another plan for what is outstanding; the earlier one stays readable."""
    found = queries.pledge_detail(pledge_id)
    record = found.pledge

    def save(form: RescheduleForm, version: Opened) -> uuid.UUID:
        services.reschedule_pledge(actor(), pledge_id, form.plan_lines, form.reason.data or "", on=form.on.data, version=version)
        return pledge_id

    plan = [PlanLine(row.amount, row.due_on, row.due_when) for row in found.plan]
    return reschedule_page(record, plan, record.outstanding, url_for("pledges.detail", pledge_id=pledge_id), save)


@bp.route("/<uuid:pledge_id>/terms/<uuid:terms_id>/reverse", methods=["GET", "POST"])
@permit(Permission.MONEY_WRITE)
def reverse_terms(pledge_id: uuid.UUID, terms_id: uuid.UUID) -> Any:
    """Take a mistaken change back by terms with the opposite sign."""
    who = actor()
    found = queries.pledge_detail(pledge_id)
    terms = next((row for row in found.pledge.terms if row.id == terms_id), None)
    if terms is None:
        raise NotFound
    require(who, Permission.MONEY_WRITE, found.pledge.office_id)
    form = ReasonForm()
    what = _(
        "%(kind)s, %(day)s, pledge %(reference)s",
        kind=TERM_NAMES[terms.kind],
        day=day(terms.effective_on, get_locale()),
        reference=found.pledge.reference,
    )

    def save() -> uuid.UUID:
        services.reverse_terms(who, terms_id, form.reason.data or "")
        return pledge_id

    back = url_for("pledges.detail", pledge_id=pledge_id)
    done = save_form(form, save, then=lambda _key: back, message=_("The change is taken back."))
    return done or (render_template("pledges/reverse.html", form=form, what=what, back=back), status(form))

"""Home: the work list."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from flask import Blueprint, render_template, request, url_for

from crm import clock
from crm.formatting import day, money, month, number, percent, relative_day
from crm.i18n import _, get_locale, ngettext
from crm.models.commitments import Commitment
from crm.models.interactions import FollowUp, Interaction
from crm.policy import ROLES, Actor, Permission, can
from crm.queries import documents as document_queries
from crm.queries import home as queries
from crm.queries.figures.totals import office_secured
from crm.queries.home import Series, SetUp
from crm.queries.interactions import KIND_LABELS
from crm.queries.offices import OfficeNode, office_tree
from crm.queries.pledges import DueInstalment, due_instalments
from crm.web import lookups as shared
from crm.web.gate import actor, permit
from reports import charts

bp = Blueprint("home", __name__)
DUE_DAYS = 30
MOST_OFFICES_FOR_MONEY = 12
_LONGEST = 8
_ENOUGH_MONTHS = 3  # fewer say nothing of what is usual


@bp.get("/")
@permit(Permission.ACCOUNT_OWN)
def index() -> Any:
    """What needs me today. Who sees names only gets the list of what sets an office up."""
    who = actor()
    if not can(who, Permission.RECORD_SEE):
        return render_template("home/set_up.html", steps=_set_up_steps(office_tree(who)), manages=can(who, Permission.USER_MANAGE))
    zone = clock.zone(who.timezone)
    today = clock.today(zone)
    offices = None if who.covers_all else sorted(who.visible)
    work = queries.work(who.user_id, zone, offices)
    days = shared.days_here()
    due_money = due_instalments(days, DUE_DAYS, office_ids=offices, limit=_LONGEST)
    held = queries.contacts_by_month(zone, offices)
    is_begun = _has_contacts(who, work, held, offices)
    first_steps = queries.set_up(who.home_office_id) if who.home_office_id and not is_begun else None
    packs = document_queries.made_for([record.id for record in work.meetings], document_queries.PACK)
    planned = [_meeting(record, who, today, has_pack=record.id in packs) for record in work.meetings]
    tomorrow = today + timedelta(days=1)
    return render_template(
        "home/index.html",
        today=today,
        meetings=[line for line in planned if line["on"] <= tomorrow],
        coming=[line for line in planned if line["on"] > tomorrow][:_LONGEST],
        to_write_up=[_to_write_up(record, who) for record in work.to_write_up],
        owed=[_promise(record, days.of(record.office_id)) for record in (*work.ours, *work.theirs)],
        follow_ups=[_follow_up(record, days.of(record.office_id)) for record in work.follow_ups],
        due_money=[_instalment(record, days.of(record.office_id)) for record in due_money],
        figures=_figures(who, zone, offices, held),
        first_steps=_first_steps(first_steps) if first_steps is not None and first_steps.is_needed else [],
        back=request.path,
    )


def _meeting(record: Interaction, who: Actor, today: date, *, has_pack: bool) -> dict[str, Any]:
    here = record.starts_at.astimezone(clock.zone(who.timezone))
    on = here.date()
    to = url_for("interactions.detail", interaction_id=record.id)
    is_near = (on - today).days <= 1
    about = ["" if is_near else day(on, get_locale()), str(KIND_LABELS[record.kind]), record.place_text, shared.short(record.purpose, 140)]
    label, pack_url = shared.pack_link(record, has_pack=has_pack)
    near = _("Today") if on == today else _("Tomorrow")
    return {
        "on": on,
        "time": f"{here:%H:%M}",
        "title": shared.name_of(record.party),
        "url": to,
        "text": " · ".join(part for part in about if part),
        "status": near if is_near else relative_day(on, today, get_locale()),
        "tone": "soon" if on == today else "quiet",
        "action_label": label or _("Open"),
        "action_url": pack_url or to,
    }


def _to_write_up(record: Interaction, who: Actor) -> dict[str, Any]:
    may_log = can(who, Permission.CONTACT_LOG, record.office_id)
    return {
        "title": shared.name_of(record.party),
        "url": url_for("interactions.detail", interaction_id=record.id),
        "text": shared.when_words(record.starts_at, who.timezone),
        "status": _("Not written up"),
        "tone": "late",
        "action_label": _("Write up") if may_log else "",
        "action_url": url_for("interactions.create", planned=record.id) if may_log else "",
    }


def _promise(record: Commitment, today: date) -> dict[str, Any]:
    words, tone = shared.due_words(record.due_on, today)
    side = (
        _("By us, to %(name)s", name=shared.name_of(record.party))
        if record.direction == "ours"
        else _("By %(name)s", name=shared.name_of(record.party))
    )
    return {
        "title": shared.short(record.words, 140),
        "url": url_for("commitments.detail", commitment_id=record.id),
        "text": side,
        "status": words,
        "tone": tone,
    }


def _follow_up(record: FollowUp, today: date) -> dict[str, Any]:
    words, tone = shared.due_words(record.due_on, today)
    party: Any = record.party
    return {
        "id": record.id,
        "title": record.text,
        "url": url_for("follow_ups.edit", follow_up_id=record.id) if shared.may_log(record.office_id) else "",
        "text": party.name if party is not None else "",
        "status": words,
        "tone": tone,
        "may_log": shared.may_log(record.office_id),
    }


def _instalment(record: DueInstalment, today: date) -> dict[str, Any]:
    words, tone = shared.due_words(record.due_on, today)
    endpoint, name = ("pledges.detail", "pledge_id") if record.kind == "pledge" else ("agreements.detail", "agreement_id")
    return {
        "title": record.donor,
        "url": shared.link(endpoint, **{name: record.record_id}),
        "text": _("%(reference)s, due %(day)s", reference=record.reference, day=day(record.due_on, get_locale())),
        "amount": money(record.open_amount, get_locale()),
        "status": words,
        "tone": tone,
    }


# --- figures -------------------------------------------------------------------------------------------------------


def _has_contacts(who: Actor, work: queries.Work, held: Series, offices: Sequence[uuid.UUID] | None) -> bool:
    """Whether it is seen already that the reader's own office has contacts, so that it need not be asked whether it only begins."""
    if offices == [who.home_office_id] and any(held.values):
        return True
    return any(record.office_id == who.home_office_id for record in (*work.meetings, *work.to_write_up))


def _figures(who: Actor, zone: Any, offices: Sequence[uuid.UUID] | None, held: Series) -> list[dict[str, Any]]:
    found = [_contacts(held), _asks(queries.answered(zone, offices))]
    if offices is not None and len(offices) <= MOST_OFFICES_FOR_MONEY:
        found.append(_received(who, clock.today(zone), offices))
    return found


def _labels(series: Series) -> tuple[str, ...]:
    return tuple(month(start, get_locale()) for start in series.starts)


def _contacts(series: Series) -> dict[str, Any]:
    values = [value or 0 for value in series.values]
    if not any(values):
        return {
            "label": _("Interactions"),
            "value": "0",
            "message": _("Nothing was logged in the last twelve months."),
            "spark": None,
            "url": url_for("interactions.index", state="held"),
        }
    now, before = values[-1], values[:-1]
    known = len(before) - next((place for place, value in enumerate(before) if value), len(before))
    message = _("held this month so far")
    if known >= _ENOUGH_MONTHS:
        usual = Decimal(sum(before)) / known
        words = number(usual.quantize(Decimal(1) if usual >= 1 else Decimal("0.1"), ROUND_HALF_UP), get_locale())
        message = _("held this month so far; %(usual)s a month over the %(n)s months before", usual=words, n=known)
    chart = charts.sparkline(
        charts.Sparkline(_("Interactions held in each of the last twelve months"), tuple(values), labels=_labels(series)),
        prefix="held",
        lang=get_locale(),
        width=240,
        height=36,
    )
    return {
        "label": _("Interactions"),
        "value": str(now),
        "message": message,
        "spark": chart.svg,
        "url": url_for("interactions.index", state="held"),
    }


def _asks(found: queries.Answered) -> dict[str, Any]:
    if not found.given:
        return {
            "label": _("Asks answered yes"),
            "value": "–",
            "message": _("No ask was answered in the last year."),
            "spark": None,
            "url": url_for("asks.index"),
        }
    share = percent(Decimal(found.yes) / found.given, get_locale())
    message = ngettext("of %(num)d answer in the last year", "of %(num)d answers in the last year", found.given)
    chart = charts.sparkline(
        charts.Sparkline(
            _("Share of answers that were yes, by quarter, percent"), found.share.values, kind="done", labels=_labels(found.share)
        ),
        prefix="asked",
        lang=get_locale(),
        width=240,
        height=36,
    )
    return {
        "label": _("Asks answered yes"),
        "value": share,
        "message": message,
        "spark": chart.svg,
        "url": url_for("asks.index", status="answered"),
    }


def _received(who: Actor, today: date, offices: Sequence[uuid.UUID]) -> dict[str, Any]:
    figures = office_secured(offices, today, currency=who.reporting_currency)
    this_month = today.replace(day=1)
    months = [clock.add_months(this_month, back - 11) for back in range(12)]
    chart = charts.sparkline(
        charts.Sparkline(
            _("Received in each of the last twelve months, %(currency)s", currency=who.reporting_currency),
            tuple(figures.by_month.get(first_on, Decimal(0)) for first_on in months),
            kind="paid",
            labels=tuple(month(first_on, get_locale()) for first_on in months),
        ),
        prefix="paid",
        lang=get_locale(),
        width=240,
        height=36,
    )
    message = _(
        "signed; %(paid)s of it received so far. The line shows receipts by month.",
        paid=money(figures.paid.reporting, get_locale(), compact=True),
    )
    return {
        "label": _("Secured"),
        "value": money(figures.secured.reporting, get_locale(), compact=True),
        "message": message,
        "spark": chart.svg,
        "url": shared.link("pledges.index"),
        "note": _("Part of it has no exchange rate and is left out.") if figures.secured.is_partial else "",
    }


# --- an office that begins -----------------------------------------------------------------------------------------


def _first_steps(done: SetUp) -> list[dict[str, Any]]:
    """What to do first in an empty office, each one link; only what the person may do."""
    may_log, may_manage = can(actor(), Permission.CONTACT_LOG), can(actor(), Permission.USER_MANAGE)
    steps = (
        (
            may_manage,
            done.colleagues,
            _("Add your colleagues"),
            _("Who signs in, and in which role."),
            _("Add a colleague"),
            shared.link("users.create"),
        ),
        (
            may_log,
            done.parties,
            _("Add the first party"),
            _("A donor, a ministry, a leader or a community group."),
            _("Add a party"),
            shared.link("parties.create"),
        ),
        (
            can(actor(), Permission.IMPORT_ALL),
            done.imports,
            _("Bring in the first file"),
            _("Reported funding of your country (OCHA FTS): the donors come with it. First it says what it would do."),
            _("Bring a file"),
            shared.link("imports.create"),
        ),
        (
            can(actor(), Permission.IMPORT_ALL) and bool(done.without_rate),
            False,
            _("Bring in exchange rates"),
            _("Amounts in %(currencies)s have no rate of their days, so totals leave them out.", currencies=", ".join(done.without_rate)),
            _("Bring rates"),
            shared.link("imports.create"),
        ),
        (
            can(actor(), Permission.MONEY_WRITE),
            done.programmes,
            _("Set up a programme"),
            _("What the money is for, and what it needs each year."),
            _("Add a programme"),
            shared.link("programmes.create"),
        ),
        (
            may_log,
            done.contacts,
            _("Log the first interaction"),
            _("Who, when and one sentence are enough."),
            _("Log it"),
            shared.link("interactions.create"),
        ),
    )
    return _task_list(steps)


def _set_up_steps(offices: Sequence[OfficeNode]) -> list[dict[str, Any]]:
    """What to set up for somebody who sees names and no records, each one link; only what they may do."""
    who = actor()
    people = [person for node in offices for person in node.people if person.is_active]
    works = any(Permission.RECORD_SEE in ROLES[membership.role] for person in people for membership in person.memberships)
    may_office, may_people = can(who, Permission.OFFICE_MANAGE), can(who, Permission.USER_MANAGE)
    here = next((node.office for node in offices if node.office.id == who.home_office_id), None)
    details = _("%(name)s: %(currency)s, %(timezone)s", name=here.name, currency=here.currency, timezone=here.timezone) if here else ""
    return _task_list(
        (
            (may_office, here is not None, _("Office details"), details, _("Look at them"), shared.link("offices.index")),
            (
                may_office,
                len(offices) > 1,
                _("The offices below it"),
                _("A country office has its own people, records, currency and time zone."),
                _("Add an office"),
                shared.link("offices.create"),
            ),
            (
                may_people,
                works,
                _("Somebody who works with records"),
                _("A head of office, manager or officer: they find parties, log interactions and follow the money."),
                _("Add a person"),
                shared.link("users.create"),
            ),
            (
                may_people,
                works and len(people) > _FIRST_PEOPLE,
                _("The other colleagues"),
                _("Who signs in, and in which role. Each changes the first password under Account."),
                _("Add a person"),
                shared.link("users.create"),
            ),
        )
    )


_FIRST_PEOPLE = 2


def _task_list(steps: Iterable[tuple[bool, bool, str, str, str, str]]) -> list[dict[str, Any]]:
    """Steps (may the person do it, is it done, title, text, label of its link, address) as lines of a task list."""
    return [
        {
            "title": title,
            "text": text,
            "status": _("Done") if is_done else _("To do"),
            "tone": "done" if is_done else "quiet",
            "action_label": "" if is_done else label,
            "action_url": "" if is_done else to,
        }
        for may, is_done, title, text, label, to in steps
        if may and (to or is_done)
    ]

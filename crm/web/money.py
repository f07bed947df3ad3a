"""What the money pages share: the check before saving, words for states, rates and events, choices, the day of a view."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from babel.lists import format_list
from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response
from wtforms import SelectField

from crm import clock
from crm.errors import Conflict, EditConflict, Invalid, ProgrammingError
from crm.formatting import day, money, number
from crm.forms.base import BaseForm, choices, clean
from crm.forms.money_fields import PlanForm, offer_currencies
from crm.i18n import LazyText, _, _l, get_locale
from crm.money import Money, from_minor
from crm.policy import Actor, Permission, can, offices_where
from crm.queries import history, lookups, money_choices
from crm.queries.figures.money import Figure, MoneyFigures
from crm.queries.pledges import MoneyEvent
from crm.queries.rates import Rate
from crm.services.rehearsals import rehearse
from crm.web.gate import actor
from crm.web.helpers import save_form
from reports import charts

GivenT = TypeVar("GivenT")
STATUS_NAMES: dict[str, tuple[LazyText, str]] = {
    "outstanding": (_l("Outstanding"), "info"),
    "part-converted": (_l("Partly signed"), "info"),
    "converted": (_l("Signed in full"), "done"),
    "lapsed": (_l("Lapsed or withdrawn"), "quiet"),
    "late": (_l("Late"), "late"),
}
TERM_NAMES: dict[str, LazyText] = {
    "announced": _l("Announced"),
    "uplift": _l("Raised"),
    "reduction": _l("Reduced"),
    "conversion": _l("Converted by a signature or a receipt"),
    "lapse": _l("Lapsed"),
    "withdrawal": _l("Withdrawn"),
    "reschedule": _l("Rescheduled"),
    "reversal": _l("Taken back"),
    "signed": _l("Signed"),
    "amendment": _l("Amended"),
    "receipt": _l("Received"),
    "allocation": _l("Allocated"),
}
_EVENT_ICONS = {"receipt": "money", "allocation": "programmes", "signed": "documents", "lapse": "late", "withdrawal": "late"}
_EVENT_TONES = {"receipt": "paid", "signed": "secured", "allocation": "done", "lapse": "late", "withdrawal": "late", "announced": "pledged"}
_CROSS_DIGITS = 6
SOON_DAYS = 30


# --- the check before saving ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """Where a form with a check stands: an answer to send, a preview to confirm, or the form again with a status."""

    response: Response | None = None
    preview: Any = None
    code: int = 200


def checked_save(
    form: BaseForm,
    save: Callable[[], uuid.UUID],
    look: Callable[[uuid.UUID], Any],
    *,
    then: Callable[[uuid.UUID], str],
    message: str,
    helper: Callable[[str], bool] | None = None,
    check: Callable[[], bool] | None = None,
) -> Step:
    """One form in two steps. The button `go` says which: check (the default) validates, rehearses the service and gives
    what `look` saw; save keeps it, once; change shows the form again. Other words go to `helper` (add a row, fill a plan),
    which answers whether what it read was right; `check` is asked besides the form's own validation."""
    if request.method != "POST":
        return Step()
    go = request.form.get("go", "add" if "add" in request.form else "check")
    if go == "change":
        return Step()
    if go not in {"check", "save"} and helper is not None:
        return Step(code=200 if helper(go) else 422)
    if go == "save":
        done = save_form(form, save, then=then, message=message, check=check)
        return Step(response=done, code=409 if form.conflict else 422)
    is_valid = form.validate()
    if check is not None:
        is_valid = check() and is_valid
    if not is_valid:
        return Step(code=422)
    try:
        return Step(preview=rehearse(actor(), save, look))
    except Invalid as error:
        form.take(error)
        return Step(code=422)
    except Conflict as error:
        form.conflict = error if isinstance(error, EditConflict) else None
        form.take(Invalid(str(error)))
        return Step(code=409)


def plan_helper(form: PlanForm, total: Callable[[], Money | None]) -> Callable[[str], bool]:
    """What the buttons of a plan do without a script: one more row, or equal parts of `total`."""

    def help_with(go: str) -> bool:
        if go == "equal":
            ready(form)
            return form.fill_equal_parts(total())
        form.add_row()
        return True

    return help_with


def ready(form: BaseForm) -> None:
    """Give every field a list of errors of its own, so that sentences can be put beside it without validating all."""
    for field in form:
        entries = getattr(field, "entries", ())
        parts = [inner for entry in entries for inner in entry.form] or list(getattr(field, "form", ())) or [field]
        for part in parts:
            part.errors = list(part.errors)


def hidden_answers() -> list[tuple[str, str]]:
    """What was typed, to travel along under the check page."""
    return [(name, value) for name, values in request.form.lists() for value in values if name not in {"csrf_token", "go", "add"}]


# --- choices -------------------------------------------------------------------------------------------------------


def read_uuid(text: str | None) -> uuid.UUID | None:
    """A key from a form or an address; anything else is none."""
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def chosen(field: SelectField) -> uuid.UUID | None:
    """The key chosen in a select; Invalid beside it for text that is none."""
    found = read_uuid(field.data)
    if field.data and found is None:
        raise Invalid(_("Choose from the list."), field=field.name)
    return found


def searched() -> str:
    """The words a list is searched for: one line, without characters that no name holds."""
    return " ".join(str(clean(request.args.get("q", "")[:200])).split())


def read_day(text: str | None) -> date | None:
    """A day from an address; anything odd is none."""
    try:
        return date.fromisoformat(text) if text and len(text) == 10 else None  # noqa: PLR2004
    except ValueError:
        return None


def as_of(who: Actor) -> tuple[date, bool]:
    """The day a view is asked for (`?as_of=2024-03-29`), by default today; and whether it is another day than today."""
    today = clock.today(who.timezone)
    asked = read_day(request.args.get("as_of"))
    return (asked, asked != today) if asked and asked <= today else (today, False)


def writable(who: Actor) -> list[uuid.UUID]:
    """The offices whose money the actor may write, the home office first."""
    return offices_where(who, Permission.MONEY_WRITE)


def offer_offices(field: SelectField, office_ids: Sequence[uuid.UUID]) -> None:
    """The offices to choose from."""
    names = lookups.office_names(office_ids)
    field.choices = choices([(str(key), names[key]) for key in office_ids if key in names])
    if not field.data and office_ids:
        field.data = str(office_ids[0])


def offer_money(field: SelectField, office_id: uuid.UUID | None, default: str = "") -> None:
    """The currencies, the office's own among the first."""
    usual = money_choices.office_currency(office_id) if office_id else ()
    offer_currencies(field, (*([default] if default else []), *(usual[1:] + usual[:1] if usual else ())))
    if not field.data:
        field.data = default or (usual[1] if usual else "USD")


def offer_programmes(field: SelectField, office_ids: Sequence[uuid.UUID]) -> None:
    """The programmes of the offices; with several offices each is named."""
    names = lookups.office_names(office_ids) if len(office_ids) > 1 else {}
    field.choices = choices(
        [
            ("", _("Not said")),
            *(
                (str(row.id), f"{row.title} ({names[row.office_id]})" if names else row.title)
                for row in money_choices.programmes_of(office_ids)
            ),
        ]
    )


def label_of(field: Any) -> str:
    """The words of what is chosen, empty where nothing is."""
    return next((str(choice.label) for choice in field.choices or () if choice.value == field.data and field.data), "")


# --- words ---------------------------------------------------------------------------------------------------------


def rate_text(rate: Rate) -> str:
    """A rate as a line: "1 EUR = 0.9906 USD, 21 Sep 2022, ECB"."""
    value = rate.value
    if len(value.normalize().as_tuple().digits) > _CROSS_DIGITS:
        value = Decimal(f"{value:.{_CROSS_DIGITS}g}")
    shown = number(Decimal(f"{value:f}"), get_locale())
    if rate.source == "fixed":
        return _("1 %(base)s = %(value)s %(to)s, laid down by the event", base=rate.base, value=shown, to=rate.to)
    return _(
        "1 %(base)s = %(value)s %(to)s, %(day)s, %(source)s",
        base=rate.base,
        value=shown,
        to=rate.to,
        day=day(rate.published_on, get_locale()),
        source=rate.source,
    )


def missing_rates(figures: Iterable[Figure]) -> list[tuple[str, str]]:
    """Which rates some figures miss: (the currency of the total, the reason), each once however many amounts wait for it."""
    return list(dict.fromkeys((figure.currency, gap.why) for figure in figures for gap in figure.left_out if gap.why))


def amount_list(amounts: Iterable[Money]) -> str:
    """Amounts of several currencies beside each other; they are never added up."""
    return format_list([money(amount, get_locale()) for amount in amounts], locale=get_locale().replace("-", "_"))


def status_word(pledge: Any, today: date) -> dict[str, str]:
    """The status of a pledge in a word with its tone, for a list."""
    from_record = "converted" if pledge.converted_minor else "lapsed"
    if pledge.outstanding_minor:
        from_record = "part-converted" if pledge.converted_minor else "outstanding"
        if pledge.next_due_on and pledge.next_due_on < today:
            from_record = "late"
    word, tone = STATUS_NAMES[from_record]
    return {"status": str(word), "tone": tone}


def event_lines(events: Sequence[MoneyEvent], url: Callable[[MoneyEvent], str]) -> list[dict[str, Any]]:
    """What happened, newest first, as entries of a timeline."""
    return [
        {
            "when": event.on,
            "kind": str(TERM_NAMES.get(event.kind, event.kind)),
            "title": _("%(kind)s (taken back)", kind=TERM_NAMES.get(event.kind, event.kind))
            if event.is_reversal
            else str(TERM_NAMES.get(event.kind, event.kind)),
            "amount": event.amount,
            "reference": event.reference,
            "text": event.reason,
            "url": url(event),
            "icon": "undo" if event.is_reversal else _EVENT_ICONS.get(event.kind, "change"),
            "tone": "quiet" if event.is_reversal or event.is_reversed else _EVENT_TONES.get(event.kind, ""),
            "is_reversed": event.is_reversed,
        }
        for event in reversed(events)
    ]


_PAGES = {
    "pledge": ("pledges.detail", "pledge_id"),
    "agreement": ("agreements.detail", "agreement_id"),
    "receipt": ("receipts.detail", "receipt_id"),
    "allocation": ("allocations.detail", "allocation_id"),
}


def page_of(kind: str, record_id: uuid.UUID) -> str:
    """The page of a money record."""
    endpoint, key = _PAGES[kind]
    arguments: dict[str, Any] = {key: record_id}
    return url_for(endpoint, **arguments)


def record_url(event: MoneyEvent) -> str:
    """The page of the record behind an event."""
    return page_of(event.record_kind, event.record_id)


def may_write(office_id: uuid.UUID) -> bool:
    """Whether the reader may write this office's money."""
    return can(actor(), Permission.MONEY_WRITE, office_id)


# --- history -------------------------------------------------------------------------------------------------------

_NOUNS: dict[str, LazyText] = {
    "pledges": _l("Pledge"),
    "commitments": _l("Commitment"),
    "pledge_terms": _l("Terms of the pledge"),
    "agreements": _l("Agreement"),
    "agreement_terms": _l("Terms of the agreement"),
    "agreement_budget_lines": _l("Budget line"),
    "programmes": _l("Programme"),
    "programme_tags": _l("Goal or right"),
    "outputs": _l("Output"),
    "requirements": _l("Requirement"),
    "indicators": _l("Indicator"),
}
_FIELDS: dict[str, LazyText] = {
    "title": _l("Title"),
    "summary": _l("What it does"),
    "sector": _l("Sector"),
    "place_text": _l("Where"),
    "starts_on": _l("Starts on"),
    "ends_on": _l("Ends on"),
    "currency": _l("Currency"),
    "next_due_on": _l("Next due"),
    "words": _l("Words"),
    "due_on": _l("Due"),
    "outcome": _l("Outcome"),
    "unit": _l("Unit"),
    "direction": _l("Better is"),
    "baseline_value": _l("Baseline"),
    "baseline_on": _l("Baseline of"),
    "target_value": _l("Target"),
    "target_on": _l("Target by"),
    "source": _l("Source"),
    "code": _l("Number"),
    "year": _l("Year"),
    "kind": _l("Kind"),
    "reason": _l("Reason"),
    "effective_on": _l("From"),
}


def history_page(record_id: uuid.UUID) -> tuple[list[dict[str, Any]], int | None]:
    """Who changed what on a money record or programme, newest first, and the cursor of older changes. Amounts stand in
    the terms, which are never edited; sums that follow from them are left out here."""
    before = request.args.get("before", "")
    number_ = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None  # noqa: PLR2004 - a 64-bit key
    page = history.history_of(record_id, before=number_)
    lines: list[dict[str, Any]] = []
    for entry in page.entries:
        common = {"when": entry.at, "who": entry.actor_name}
        noun = str(_NOUNS.get(entry.noun, entry.noun))
        if entry.action != "changed":
            sentence = _("%(noun)s recorded", noun=noun) if entry.action == "created" else _("%(noun)s taken away", noun=noun)
            said = next((value.new or value.old for value in entry.values if value.field in {"title", "code", "reason"}), "")
            lines.append({**common, "what": sentence, "new": said})
            continue
        lines += [
            {**common, "what": str(_FIELDS[value.field]), "old": value.old, "new": value.new}
            for value in entry.values
            if value.field in _FIELDS
        ]
    return lines, page.before


# --- charts --------------------------------------------------------------------------------------------------------


def _bar_value(figure: Figure, *, is_own: bool) -> Decimal | None:
    if is_own:
        return figure.own[0].amount if figure.own else Decimal(0)
    return None if figure.is_partial else figure.reporting.amount


def funnel_chart(announced: Figure, figures: MoneyFigures, title: str) -> charts.Chart:
    """Announced, signed, received: in their own currency where it is one, else in the reporting currency."""
    stages = (announced, figures.secured, figures.paid)
    own = {amount.currency for stage in stages for amount in stage.own}
    is_own = len(own) == 1
    currency = own.pop() if is_own else figures.currency
    data = charts.Funnel(
        title,
        _("Each stage of the same money, %(currency)s; stages are not added up", currency=currency),
        _("Records of this office as of %(day)s.", day=day(figures.as_of, get_locale())),
        (
            charts.Bar(_("Pledged"), _bar_value(announced, is_own=is_own), "pledged"),
            charts.Bar(_("Secured (signed)"), _bar_value(figures.secured, is_own=is_own), "secured"),
            charts.Bar(_("Paid"), _bar_value(figures.paid, is_own=is_own), "paid"),
        ),
        share_words=_("{share} of {stage}"),
        label_head=_("Stage"),
        value_head=_("Amount, %(currency)s", currency=currency),
        share_head=_("Share of the stage before"),
        missing=_("no rate"),
    )
    return charts.for_screens(charts.funnel, data, prefix="funnel", lang=get_locale())


def _minor(value: int | None, currency: str) -> Money | None:
    """Whole minor units as an amount; none stays none."""
    return None if value is None else from_minor(value, currency)


def set_up(blueprint: Blueprint) -> None:
    """Give templates the words for rates and states."""
    blueprint.add_app_template_filter(rate_text, "rate")
    blueprint.add_app_template_filter(_minor, "minor")
    blueprint.add_app_template_filter(missing_rates, "missing_rates")
    blueprint.add_app_template_filter(amount_list, "amounts")
    blueprint.add_app_template_global(page_of, "page_of")
    blueprint.add_app_template_global(TERM_NAMES, "term_names")  # type: ignore[arg-type]  # Flask types it as a function


def given(value: GivenT | None) -> GivenT:
    """A value that the form's validation has made sure of."""
    if value is None:
        message = "a form was saved without a value it needs"
        raise ProgrammingError(message)
    return value

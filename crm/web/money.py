"""What the money pages share: the day of a view, words for states, rates and events, links, the funnel."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from babel.lists import format_list
from flask import Blueprint, request, url_for

from crm import clock
from crm.formatting import day, long_day, money, number
from crm.forms.base import clean
from crm.i18n import LazyText, _, _l, get_locale
from crm.money import Money, from_minor
from crm.policy import Permission, can
from crm.queries.figures.adding import Figure
from crm.queries.figures.money import MoneyFigures
from crm.queries.pledges import MoneyEvent
from crm.queries.rates import Rate
from crm.web.gate import actor
from reports import charts

STATUS_NAMES: dict[str, tuple[LazyText, str]] = {
    "outstanding": (_l("Outstanding"), "info"),
    "part-converted": (_l("Partly signed"), "info"),
    "converted": (_l("Signed in full"), "done"),
    "part-lapsed": (_l("Signed; the rest lapsed"), "done"),
    "lapsed": (_l("Lapsed or withdrawn"), "quiet"),
    "taken-back": (_l("Taken back"), "quiet"),
    "late": (_l("Late"), "late"),
}
#: What a list does with what was taken back: left out where its address does not say otherwise.
TAKEN_BACK: dict[str, LazyText] = {"shown": _l("Shown too"), "only": _l("Only these")}
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


# --- addresses ---------------------------------------------------------------------------------------------------


def taken_back_options() -> list[tuple[str, str]]:
    """The choices of a list's filter for what was taken back."""
    return [("", _("Left out")), *((key, str(label)) for key, label in TAKEN_BACK.items())]


def taken_back_chip(choice: str) -> str:
    """What stands above a list that does not leave out what was taken back; "" where it does."""
    return {"shown": _("With those taken back"), "only": _("Only those taken back")}.get(choice, "")


def taken_back_asked(choice: str) -> str:
    """The filter of a query for a choice of the list."""
    return {"shown": "", "only": "only"}.get(choice, "hidden")


def searched(args: Mapping[str, str] | None = None) -> str:
    """The words a list is searched for: one line, without characters that no name holds."""
    return " ".join(str(clean((request.args if args is None else args).get("q", "")[:200])).split())


def read_day(text: str | None) -> date | None:
    """A day from an address; anything odd is none."""
    try:
        return date.fromisoformat(text) if text and len(text) == 10 else None  # noqa: PLR2004
    except ValueError:
        return None


def as_of(timezone: str, since: date | None = None) -> tuple[date, str]:
    """The day a view is asked for (`?as_of=2024-03-29`), by default today in the record's office; and what to say where it is
    not simply today.

    `since`: the day the record begins; a day before it, one to come and one that cannot be read give today's figures."""
    today = clock.today(timezone)
    text = request.args.get("as_of", "")
    asked = read_day(text)
    if not text or asked == today:
        return today, ""
    if asked is None:
        return today, _("“%(text)s” is no day: write it as 2026-03-31. These are the figures of today.", text=text[:40])
    named = long_day(asked, get_locale())
    if asked > today:
        return today, _("%(day)s is still to come. These are the figures of today.", day=named)
    if since is not None and asked < since:
        return today, _(
            "This record begins on %(since)s, after %(day)s. These are the figures of today.",
            since=long_day(since, get_locale()),
            day=named,
        )
    return asked, _("Figures as of %(day)s. The records below are those of today.", day=named)


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


def status_word(pledge: Any, today: date, lapsed: Collection[uuid.UUID]) -> dict[str, str]:
    """The status of a pledge in a word with its tone, for a list; `lapsed`: the pledges of which a part lapsed or was withdrawn."""
    from_record = (
        "taken-back"
        if not pledge.announced_minor
        else "lapsed"
        if not pledge.converted_minor
        else "part-lapsed"
        if pledge.id in lapsed
        else "converted"
    )
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
            if event.is_reversal and event.kind != "reversal"
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

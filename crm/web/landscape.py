"""What the pages of reported funding share: words for statuses and kinds, amounts, the links of a paged list."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from flask import url_for

from crm.formatting import money, number
from crm.i18n import LazyText, _, _l, get_locale
from crm.models.flows import Flow
from crm.money import Money, from_minor
from crm.queries.figures.landscape import PARKED, PASS_THROUGH, Landscape, Part, Stage, originals, party_flows_summary
from crm.queries.flows import IN_KIND, SHARED
from crm.queries.paging import LAST_NUMBERED_PAGE, Page, Paging

DASH = "–"
PANEL_ROWS = 12
STATUS_NAMES: dict[str, tuple[LazyText, str]] = {
    "commitment": (_l("Committed"), "secured"),
    "paid": (_l("Paid"), "paid"),
    "pledge": (_l("Pledged"), "pledged"),
}
KIND_NAMES: dict[str, LazyText] = {
    "standard": _l("Standard"),
    PARKED: _l("Parked: not yet passed to those who use it"),
    PASS_THROUGH: _l("Passed through: handed on to others"),
    "carry-over": _l("Carried over from an earlier year"),
    "other": _l("Other"),
}


def usd(amount: Money) -> str:
    """Whole US dollars, as FTS writes them; a dash for none."""
    return money(amount, get_locale(), decimals=0) if amount else DASH


def bare(amount: Money) -> str:
    """The same where the heading of the column names the currency."""
    return number(amount.amount, get_locale(), decimals=0) if amount else DASH


def party_panel(party_id: uuid.UUID, known: tuple[bool, bool]) -> list[dict[str, Any]]:
    """A party's place in the landscape, for its page (templates/flows/_party.html): what it gave, then what it received;
    each by status, by plan, by counterpart and in original currencies. Empty where nothing is reported. `known`: whether it gave, and
    whether it received, anything at all."""
    found = party_flows_summary(party_id, known=known)
    sides = (
        (_("Given, as reported to FTS"), found.given, url_for("flows.index", donor_id=party_id), _("To whom, in USD")),
        (_("Received, as reported to FTS"), found.received, url_for("flows.index", recipient_id=party_id), _("From whom, in USD")),
    )
    return [
        {
            "title": title,
            "url": url,
            "flows": side.flow_count,
            "facts": facts_of(side.landscape),
            "plans": _panel_rows(side.by_plan),
            "counterparts": _panel_rows(side.by_counterpart),
            "counterpart_label": label,
            "originals": original_rows(side.landscape),
            "as_of": found.as_of,
        }
        for title, side, url, label in sides
        if side
    ]


def _panel_rows(parts: Sequence[Part]) -> list[list[str]]:
    return [
        [
            part.name or _("none given"),
            *(bare(stage.single.usd) for stage in part.landscape.stages),
            bare(part.landscape.shared),
        ]
        for part in parts[:PANEL_ROWS]
    ]


def badges(flow: Flow) -> list[dict[str, str]]:
    """What must be said beside a flow's amount: shared, parked, passed through."""
    found = []
    if flow.on_boundary == SHARED:
        found.append({"text": _("Shared")})
    if flow.flow_type == PARKED:
        found.append({"text": _("Parked")})
    if flow.flow_type == PASS_THROUGH:
        found.append({"text": _("Pass-through")})
    return found


def amounts(flow: Flow) -> tuple[str | None, str | None, str | None]:
    """Money in USD or in kind in USD (None: it is the other), and the original amount where the file gives it."""
    shown = number(from_minor(flow.amount_usd_minor, "USD").amount, get_locale(), decimals=0)
    original = original_of(flow) or None
    return (None, shown, original) if flow.contribution_type == IN_KIND else (shown, None, original)


def original_of(flow: Flow) -> str:
    """The amount in the currency it was given in; "" where the file does not say."""
    if flow.original_minor is None or flow.original_currency is None:
        return ""
    amount = from_minor(flow.original_minor, flow.original_currency)
    is_whole = amount.amount == amount.amount.to_integral_value()
    return money(amount, get_locale(), decimals=0 if is_whole else None)


def facts_of(figures: Landscape) -> list[dict[str, str]]:
    """The strip above the list: the three stages apart, and FTS's own total with its rule."""
    found = [
        {"label": _("%(status)s, USD", status=str(STATUS_NAMES[stage.status][0])), "value": bare(stage.financial.usd), "note": _note(stage)}
        for stage in figures.stages
    ]
    note = _("commitments + paid, in kind included; as FTS adds them")
    found.append({"label": _("FTS total, USD"), "value": bare(figures.fts_total), "note": note})
    return found


def _note(stage: Stage) -> str:
    if not stage.flows:
        return _("none reported")
    parts = []
    if stage.in_kind.usd:
        parts.append(_("%(amount)s more in kind", amount=usd(stage.in_kind.usd)))
    if stage.shared.usd:
        parts.append(_("%(amount)s shared with other places, not added", amount=usd(stage.shared.usd)))
    return "; ".join(parts) or _("none in kind, none shared")


STAGE_HEADERS = (
    _l("As reported"),
    _l("Money, USD"),
    _l("In kind, USD"),
    _l("Flows"),
    _l("of it parked"),
    _l("of it passed through"),
    _l("Shared (not added)"),
    _l("Shared flows"),
)


def stage_rows(figures: Landscape) -> list[list[str]]:
    """The three stages as a table; no line adds them up."""
    return [
        [
            str(STATUS_NAMES[stage.status][0]),
            bare(stage.financial.usd),
            bare(stage.in_kind.usd),
            number(stage.single.flows, get_locale()),
            bare(stage.parked.usd),
            bare(stage.passed_through.usd),
            bare(stage.shared.usd),
            number(stage.shared.flows, get_locale()),
        ]
        for stage in figures.stages
    ]


def original_rows(figures: Landscape) -> list[list[str]]:
    """What the file gives in original currencies, by status and currency; shared flows and goods on lines of their own."""
    rows = []
    for one in originals(figures):
        word = str(STATUS_NAMES[one.status][0])
        label = {
            "financial": word,
            "in kind": _("%(status)s, in kind", status=word),
            "shared": _("%(status)s, shared", status=word),
        }[one.kind]
        given = _("%(n)s of %(all)s flows", n=number(one.given_for, get_locale()), all=number(one.flows, get_locale()))
        rows.append([label, money(one.amount, get_locale(), decimals=0), given])
    return rows


PART_HEADERS = (
    _l("Committed, USD"),
    _l("Paid, USD"),
    _l("Pledged, USD"),
    _l("In kind, USD"),
    _l("Shared, USD (not added)"),
    _l("FTS total, USD"),
    _l("Flows"),
)


def part_cells(part: Part) -> list[str]:
    """The figures of one plan or organisation, under PART_HEADERS."""
    figures = part.landscape
    return [
        bare(figures.committed.financial.usd),
        bare(figures.paid.financial.usd),
        bare(figures.pledged.financial.usd),
        bare(figures.in_kind),
        bare(figures.shared),
        bare(figures.fts_total),
        number(figures.flows, get_locale()),
    ]


def pages_of(page: Page[Any], asked: Paging, endpoint: str, args_with: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The numbers and links of a pager: numbered pages first, a cursor beyond."""
    first = 0 if asked.after else (page.number - 1) * page.size
    previous_url = next_url = ""
    if page.has_previous and not asked.after:
        previous_url = url_for(endpoint, **args_with(page=page.number - 1))
    if page.has_next and not asked.after and page.number < LAST_NUMBERED_PAGE:
        next_url = url_for(endpoint, **args_with(page=page.number + 1))
    elif page.has_next:
        next_url = url_for(endpoint, **args_with(page=None, after=page.after))
    return {"first": first + 1, "last": first + len(page.rows), "previous_url": previous_url, "next_url": next_url}

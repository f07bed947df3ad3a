"""Control totals of a sheet of money: what its amounts come to by currency and by what becomes of them, held against the sheet's own total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crm.formatting import money, number
from crm.i18n import _, get_locale, ngettext
from crm.money import from_minor
from crm.queries.imports import Summary

_ACTIONS = ("created", "updated", "unchanged", "rejected")


def control_of(summary: Summary, *, is_done: bool) -> dict[str, Any] | None:
    """The table (headers and a row for each currency), and sentences with their tone; None where the file holds no amounts."""
    if not summary.control:
        return None
    read: Mapping[str, Sequence[int]] = summary.control["read"]
    refused: Mapping[str, Sequence[int]] = summary.control["refused"]
    totals: Sequence[tuple[str, int, int]] = summary.control["totals"]
    rows = []
    for currency in sorted(read):
        parts = {action: list(summary.sums.get(action, {}).get(currency, (0, 0))) for action in _ACTIONS}
        parts["rejected"] = [a + b for a, b in zip(parts["rejected"], refused.get(currency, (0, 0)), strict=True)]
        rows.append([currency, _cell(currency, read[currency]), *(_cell(currency, parts[action]) for action in _ACTIONS)])
    becomes = (_("New"), _("Changed")) if is_done else (_("Would be new"), _("Would change"))
    notes = [_compared(currency, minor, row, read.get(currency, (0, 0))[1]) for currency, minor, row in totals]
    open_ones = sorted(set(read) - {currency for currency, _minor, _row in totals})
    mixed = summary.control.get("mixed", ()) if not totals else ()
    notes += [(_mixed(row, read), "late") for row in mixed]
    if totals and open_ones:
        notes.append((_("No total is given for: %(currencies)s.", currencies=", ".join(open_ones)), "soon"))
    unread = summary.control["unread"]
    if unread:
        sentence = ngettext(
            "%(num)d row has no amount that can be read, so it is in no sum.",
            "%(num)d rows have no amount that can be read, so they are in no sum.",
            unread,
        )
        notes.append((sentence, "late"))
    return {"headers": [_("Currency"), _("In the file"), *becomes, _("Unchanged"), _("Rejected")], "rows": rows, "notes": notes}


def _mixed(row: int, currencies: Iterable[str]) -> str:
    """What stands in the way of a total that adds up several currencies."""
    return _(
        "The total in row %(row)s adds up several currencies (%(currencies)s), so nothing can be held against it. Say what each of them "
        "should come to under “Columns, days and amounts”.",
        row=row,
        currencies=", ".join(sorted(currencies)),
    )


def _cell(currency: str, counted: Sequence[int]) -> str:
    count, minor = counted
    if not count:
        return number(0, get_locale())
    return _("%(amount)s (%(count)s)", amount=_shown(currency, minor), count=number(count, get_locale()))


def _shown(currency: str, minor: int) -> str:
    return money(from_minor(minor, currency), get_locale())


def _compared(currency: str, minor: int, row: int, found: int) -> tuple[str, str]:
    """Whether the rows come to a total: of the sheet (its row), or given by a person (row 0)."""
    said = {"total": _shown(currency, minor), "found": _shown(currency, found), "row": row, "rest": _shown(currency, abs(found - minor))}
    if minor == found:
        sentence = (
            _("The rows come to the total in row %(row)s: %(total)s.", **said)
            if row
            else _("The rows come to the total you gave: %(total)s.", **said)
        )
        return sentence, "done"
    if row and found < minor:
        return _("The total in row %(row)s says %(total)s, but the rows come to %(found)s: %(rest)s less.", **said), "late"
    if row:
        return _("The total in row %(row)s says %(total)s, but the rows come to %(found)s: %(rest)s more.", **said), "late"
    if found < minor:
        return _("You expected %(total)s, but the rows come to %(found)s: %(rest)s less.", **said), "late"
    return _("You expected %(total)s, but the rows come to %(found)s: %(rest)s more.", **said), "late"

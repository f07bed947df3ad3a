"""Checks of single fields that services share: typed text, its length by the column, choices. Each names the field it refuses."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date

from crm.errors import Invalid
from crm.formatting import is_blank
from crm.i18n import _
from crm.money import currency_in_use, known_currency
from crm.queries import codes

_KEPT = frozenset("\n\t")


def text(value: str, field: str, longest: int, *, needed: str = "", lines: bool = True) -> str:
    """`value` composed (NFC), without control characters and outer blanks; `lines=False` makes it one line.

    Invalid (beside `field`) where it is longer than `longest`, or empty though `needed` (the sentence) says it must not be."""
    found = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n")
    if not found.isprintable():  # which text without any control character nearly always is
        found = "".join(c for c in found if c in _KEPT or unicodedata.category(c) not in ("Cc", "Cs"))
    found = found.strip()
    found = "" if is_blank(found) else found
    if not lines:
        found = " ".join(found.split())
    if needed and not found:
        raise Invalid(needed, field=field)
    if len(found) > longest:
        raise Invalid(_("Use at most %(n)s characters; this has %(have)s.", n=longest, have=len(found)), field=field)
    return found


def line(value: str, field: str, longest: int, *, needed: str = "") -> str:
    """One line of text; see `text`."""
    return text(value, field, longest, needed=needed, lines=False)


def choice(value: str, field: str, known: Iterable[str]) -> str:
    """`value` where it is one of `known`, else Invalid beside `field`."""
    if value not in known:
        raise Invalid(_("Choose one of the list."), field=field)
    return value


def currency(code: str, *held: str | None, field: str = "currency") -> str:
    """A currency for a new amount: one in use, or one that the record or what it belongs to is `held` in already. Raises `Invalid`."""
    if code in held or currency_in_use(code):
        return code
    if known_currency(code):
        raise Invalid(_("%(code)s is no longer in use. Choose the currency that took its place.", code=code), field=field)
    raise Invalid(_("Choose a currency."), field=field)


def code(name: str, value: str, on: date, *held: str | None, field: str) -> str:
    """`value` where it is a code of a list that a record of a day may hold, or that it has `held` already. Raises `Invalid`."""
    entry = codes.entries(name).get(value)
    if entry is None or (value not in held and not codes.keep(name, value)):
        raise Invalid(_("Choose one of the list."), field=field)
    if value not in held and not entry.is_offered(on):
        raise Invalid(_("“%(label)s” is not offered at present. Choose another one of the list.", label=entry.label), field=field)
    return value

"""Exchange rates as they were published (M5): the day's sheet or the newest before it that is still in force, never guessed.

How long a sheet is in force is its source's: a daily source 7 days, the UN's monthly rates 31 (until the next sheet, decision 0009).

A `RateBook` loads what a set of currencies and days needs in two statements at the most, whatever the data.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select

from crm import editions
from crm.db import db
from crm.errors import RateMissing
from crm.formatting import day
from crm.i18n import _, get_locale
from crm.models.editions import RATES
from crm.models.rates import RateSheet
from crm.money import Money, convert, convert_across

#: How many days back a source's sheet still counts: daily sources by the default.
MOST_DAYS_BACK = 7
ECB, UNORE = "ECB", "UNORE"
REACH: Mapping[str, int] = {UNORE: 31}
_FARTHEST = max(MOST_DAYS_BACK, *REACH.values())
FIXED = "fixed"
_FEW_DAYS = 40
#: How many of a source's newest sheets are looked at for the newest quote of a currency: a revision may name few of them.
_NEWEST_SHEETS = 40
#: So many sheets (twenty years of three daily sources) are kept by a process: 600 bytes each.
_MOST_KEPT = 16_000


class Leg(NamedTuple):
    """What the source quoted: `value` units of `quote` for one `base`."""

    base: str
    quote: str
    value: Decimal


@dataclass(frozen=True)
class Rate:
    """Units of `to` for one `base`, with the day it was really published and the quotes it comes from.

    `value` of a cross rate is exact to 60 digits; converting multiplies by one leg and divides by the other once.
    """

    base: str
    to: str
    value: Decimal
    published_on: date
    source: str
    legs: tuple[Leg, ...] = ()

    def convert(self, amount: Money) -> Money:
        """The amount in the other currency, exact, not rounded (M6)."""
        return Money(self.times(amount.amount), self.to)

    def times(self, amount: Decimal) -> Decimal:
        """The same on the bare number."""
        if not self.source:  # to itself
            return amount
        if len(self.legs) == 2:  # noqa: PLR2004 - through the source's base
            return convert_across(amount, self.legs[0].value, self.legs[1].value)
        if self.legs and self.legs[0].base == self.to:
            return convert_across(amount, self.legs[0].value, Decimal(1))
        return convert(amount, self.value)


@lru_cache(maxsize=4096)
def same(currency: str, on: date) -> Rate:
    """The rate of a currency to itself."""
    return Rate(currency, currency, Decimal(1), on, "")


def fixed(base: str, to: str, value: Decimal, on: date) -> Rate:
    """The rate that a pledging event laid down (M4)."""
    return Rate(base, to, value, on, FIXED)


@lru_cache(maxsize=8192)
def _quotes(text: str) -> Mapping[str, str]:
    loaded: dict[str, str] = json.loads(text)
    return loaded


class _Sheet(NamedTuple):
    source: str
    base: str
    published_on: date
    quotes: str

    def value(self, currency: str) -> Decimal | None:
        """Units of the currency per one base; the base itself is 1."""
        if currency == self.base:
            return Decimal(1)
        found = _quotes(self.quotes).get(currency)
        return None if found is None else Decimal(found)


_Days = Mapping[date, Sequence[_Sheet]]
_Known = dict[tuple[str, str, date], Rate | None]
#: So many rates are kept with the sheets that they were found in (from, to, day); then they are looked for again.
_MOST_KNOWN = 20_000
_SHEET = (RateSheet.source, RateSheet.base, RateSheet.published_on, RateSheet.quotes)


def _sheets(days: set[date]) -> _Days:
    """What may count on some days, by the day of publishing."""
    monthly = [_reached(days, most) & (RateSheet.source == source) for source, most in REACH.items()]
    return _by_day(db.session.execute(select(*_SHEET).where(or_(_reached(days, MOST_DAYS_BACK), *monthly))))


def _all_sheets() -> tuple[_Days, _Known] | None:
    """All that are held, with room for the rates found in them; None where they are too many to be kept."""
    found = db.session.execute(select(*_SHEET).limit(_MOST_KEPT + 1)).all()
    return None if len(found) > _MOST_KEPT else (_by_day(found), {})


def _by_day(rows: Iterable[Any]) -> _Days:
    by_day: dict[date, list[_Sheet]] = {}
    for row in rows:
        by_day.setdefault(row[2], []).append(_Sheet(*row))
    for sheets in by_day.values():
        sheets.sort(key=lambda sheet: (sheet.source != ECB, sheet.source))
    return by_day


class RateBook:
    """The sheets that a set of (currency, day) pairs needs, for amounts to be seen in one currency (`to`)."""

    def __init__(self, to: str, needed: Iterable[tuple[str, date]]) -> None:
        """Take what is held of them in this process, or load them: one statement, and one more where something is missing."""
        self.to = to
        days = {on for currency, on in needed if currency != to}
        self._days: _Days = {}
        self._newest: list[_Sheet] | None = None
        self._known: _Known = {}
        if days:
            held = editions.shared(RATES, "sheets", _all_sheets)
            if held is None:
                self._days = _sheets(days)
            else:
                self._days, self._known = held

    def rate(self, currency: str, on: date) -> Rate:
        """The rate of a currency on a day; raises `RateMissing` with a sentence naming the newest one held."""
        found = self.find(currency, on)
        if found is None:
            raise RateMissing(self.why_missing(currency, on))
        return found

    def find(self, currency: str, on: date) -> Rate | None:
        """The same, or None."""
        if currency == self.to:
            return same(currency, on)
        key = (currency, self.to, on)
        try:
            return self._known[key]
        except KeyError:
            found = self._find(currency, on)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[key] = found
        return found

    def _find(self, currency: str, on: date) -> Rate | None:
        others: list[_Sheet] = []
        for back in range(_FARTHEST + 1):
            for sheet in self._days.get(on - timedelta(days=back), ()):
                if back > REACH.get(sheet.source, MOST_DAYS_BACK):
                    continue
                if sheet.source != ECB:
                    others.append(sheet)
                elif (rate := _through(sheet, currency, self.to)) is not None:
                    return rate
        return next((rate for sheet in others if (rate := _through(sheet, currency, self.to)) is not None), None)

    def why_missing(self, currency: str, on: date) -> str:
        """The sentence for an amount that stands in its own currency alone."""
        if self._newest is None:
            place = func.row_number().over(partition_by=RateSheet.source, order_by=RateSheet.published_on.desc()).label("place")
            newest = select(RateSheet.id, place).subquery()
            rows = db.session.execute(
                select(RateSheet.source, RateSheet.base, RateSheet.published_on, RateSheet.quotes)
                .join(newest, newest.c.id == RateSheet.id)
                .where(newest.c.place <= _NEWEST_SHEETS)
                .order_by(RateSheet.published_on.desc())
            )
            self._newest = [_Sheet(*row) for row in rows]
        pair, day_ = f"{currency}-{self.to}", day(on, get_locale())
        held = [sheet for sheet in self._newest if sheet.value(currency) and sheet.value(self.to)]
        if not held:
            return _("no %(pair)s rate for %(day)s; none is held; bring a file that has it", pair=pair, day=day_)
        newest_day = held[0].published_on
        if newest_day > on:
            reach = max(REACH.get(sheet.source, MOST_DAYS_BACK) for sheet in held)
            return _("no %(pair)s rate within %(n)s days before %(day)s; bring a file that has it", pair=pair, n=reach, day=day_)
        return _(
            "no %(pair)s rate for %(day)s; newest held %(newest)s; bring a newer file",
            pair=pair,
            day=day_,
            newest=day(newest_day, get_locale()),
        )


def _reached(days: Collection[date], most: int) -> ColumnElement[bool]:
    """The days on which a sheet may have been published that still counts on some days; many are asked for as a span."""
    if len(days) <= _FEW_DAYS:
        return RateSheet.published_on.in_(sorted({on - timedelta(days=back) for on in days for back in range(most + 1)}))
    return RateSheet.published_on.between(min(days) - timedelta(days=most), max(days))


@lru_cache(maxsize=16_384)
def _through(sheet: _Sheet, currency: str, to: str) -> Rate | None:
    """One source's rate: directly, the other way round, or through its base. Two sources are never chained."""
    first, second = sheet.value(currency), sheet.value(to)
    if first is None or second is None:
        return None
    if currency == sheet.base:
        legs: tuple[Leg, ...] = (Leg(sheet.base, to, second),)
        value = second
    elif to == sheet.base:
        legs = (Leg(sheet.base, currency, first),)
        value = convert_across(Decimal(1), first, Decimal(1))
    else:
        legs = (Leg(sheet.base, currency, first), Leg(sheet.base, to, second))
        value = convert_across(Decimal(1), first, second)
    return Rate(currency, to, value, sheet.published_on, sheet.source, legs)


def rate(currency: str, to: str, on: date) -> Rate:
    """The rate of one currency to another on a day (M5); raises `RateMissing`. For many, use a `RateBook`."""
    return RateBook(to, [(currency, on)]).rate(currency, on)


@dataclass(frozen=True)
class Held:
    """How much of a source's rates is held."""

    source: str
    first_on: date
    newest_on: date
    days: int


def held() -> tuple[Held, ...]:
    """What rates are held, by source."""
    rows = db.session.execute(
        select(RateSheet.source, func.min(RateSheet.published_on), func.max(RateSheet.published_on), func.count(RateSheet.id))
        .group_by(RateSheet.source)
        .order_by(RateSheet.source)
    )
    return tuple(Held(*row) for row in rows)


def sheets_of(source: str, days: Iterable[date]) -> dict[date, RateSheet]:
    """The held sheets of a source on some days, by day."""
    wanted = sorted(set(days))
    if not wanted:
        return {}
    held_between = RateSheet.published_on.between(wanted[0], wanted[-1])
    condition = held_between if len(wanted) > _FEW_DAYS else RateSheet.published_on.in_(wanted)
    return {sheet.published_on: sheet for sheet in db.session.scalars(select(RateSheet).where(RateSheet.source == source, condition))}

"""What a figure is and how it is added up: an amount in its own currencies and in the reporting currency, the rates between them, the
records behind it, and what has no rate and is named instead (M4, M6)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal
from typing import NamedTuple

from crm.formatting import money as written
from crm.i18n import _, get_locale
from crm.money import Money, add, from_minor, zero
from crm.queries.rates import Rate

DEFAULT_CURRENCY = "USD"
_NOTHING = Decimal(0)
_FINEST, _DIGITS = Decimal(1).scaleb(-30), Context(prec=90)


class Reference(NamedTuple):
    """A record behind a figure; `kind` is pledge, agreement, receipt, allocation or requirement."""

    id: uuid.UUID
    reference: str
    kind: str
    on: date


@dataclass(frozen=True)
class LeftOut:
    """An amount that a total leaves out because no rate was published; `sentence` names it, why, and what to do; `why` is
    the reason alone, the same for all that one rate is missing for."""

    amount: Money
    source: Reference
    sentence: str
    why: str = ""


@dataclass(frozen=True)
class Figure:
    """An amount in its own currencies and in the reporting currency, the rates between them, and the records behind it."""

    currency: str
    own: tuple[Money, ...] = ()
    exact: Money = field(default_factory=lambda: zero(DEFAULT_CURRENCY))
    rates: tuple[Rate, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    sources: tuple[Reference, ...] = ()

    @property
    def reporting(self) -> Money:
        """The total in the reporting currency, rounded once, half up (M6); what it leaves out stands in `left_out`."""
        return self.exact.rounded()

    @property
    def money(self) -> Money:
        """The amount in its own currency where that is one, else in the reporting currency."""
        return self.own[0] if len(self.own) == 1 else self.reporting

    @property
    def is_partial(self) -> bool:
        """Whether something has no rate and is not in `reporting`."""
        return bool(self.left_out)

    @property
    def is_unknown(self) -> bool:
        """Whether nothing of it has a rate, so that there is an amount and no total."""
        return bool(self.left_out) and not self.exact

    @property
    def without_rate(self) -> tuple[Money, ...]:
        """What `reporting` leaves out, by currency."""
        together: dict[str, Money] = {}
        for gap in self.left_out:
            together[gap.amount.currency] = together.get(gap.amount.currency, zero(gap.amount.currency)) + gap.amount
        return tuple(together[code] for code in sorted(together))

    def __bool__(self) -> bool:
        return any(self.own) or bool(self.exact)


class Adder:
    """Adds up a figure."""

    def __init__(self, currency: str) -> None:
        """Start from nothing in a reporting currency."""
        self.currency = currency
        self._own: dict[str, Decimal] = {}
        self._exact = Decimal(0)
        self._own_minor: dict[str, int] = {}  # what is whole cents is added up as such, which is quicker
        self._exact_minor = 0
        self._rates: dict[int, Rate] = {}  # each object once here; the same rate once in the figure
        self._left_out: list[LeftOut] = []
        self._sources: dict[int, Reference] = {}  # by the number of the key, which is quicker to look up than the key

    def add(self, own: Money, source: Reference, reporting: Decimal | None, rate: Rate | None = None, why: str = "") -> None:
        """Add an amount with what it is in the reporting currency; None = no rate, `why` says so."""
        self._own[own.currency] = add(self._own.get(own.currency, _NOTHING), own.amount)
        self._sources[source.id.int] = source
        if reporting is None:
            self.add_reporting(own, source, reporting, rate, why)
            return
        self._exact = add(self._exact, reporting)
        if rate is not None and rate.source:
            self._rates[id(rate)] = rate

    def add_minor(self, minor: int, currency: str, source: Reference, reporting_minor: int | None, why: str = "") -> None:
        """The same for whole minor units of both currencies (a part of a split, M6)."""
        self._own_minor[currency] = self._own_minor.get(currency, 0) + minor
        self._sources[source.id.int] = source
        if reporting_minor is None:
            self.add_reporting(from_minor(minor, currency), source, None, None, why)
        else:
            self._exact_minor += reporting_minor

    def add_whole(
        self, minor: int, currency: str, source: Reference, reporting: Decimal | None, rate: Rate | None = None, why: str = ""
    ) -> None:
        """The same for whole minor units; at the rate of a currency to itself nothing is converted."""
        if rate is not None and not rate.source:
            self.add_minor(minor, currency, source, minor)
            return
        self._own_minor[currency] = self._own_minor.get(currency, 0) + minor
        self._sources[source.id.int] = source
        self.add_reporting(from_minor(minor, currency), source, reporting, rate, why)

    def note(self, rate: Rate) -> None:
        """Name a rate that something was converted at before it was added."""
        if rate.source:
            self._rates[id(rate)] = rate

    def add_sums(self, own: Iterable[Money], reporting: Decimal, rates: Iterable[Rate]) -> None:
        """Add many records at once: what they come to in each currency and together; they are no sources of the figure."""
        for amount in own:
            self._own[amount.currency] = add(self._own.get(amount.currency, _NOTHING), amount.amount)
        self._exact = add(self._exact, reporting)
        self._rates |= {id(rate): rate for rate in rates if rate.source}

    def take(self, figure: Figure) -> None:
        """Add all of another figure in the same currency."""
        self.add_sums(figure.own, (figure.exact + zero(self.currency)).amount, figure.rates)
        self._left_out += figure.left_out
        self._sources |= {source.id.int: source for source in figure.sources}

    def add_reporting(self, own: Money, source: Reference, reporting: Decimal | None, rate: Rate | None = None, why: str = "") -> None:
        """The same for an amount that exists in the reporting currency alone (a difference of rates)."""
        if reporting is not None:
            self._exact = add(self._exact, reporting)
            if rate is not None and rate.source:
                self._rates[id(rate)] = rate
        elif own:
            text = _("%(amount)s of %(reference)s: %(why)s", amount=written(own, get_locale()), reference=source.reference, why=why)
            self._left_out.append(LeftOut(own, source, text, why))

    def figure(self, *, has_sources: bool = True) -> Figure:
        """What has been added up; without the records behind it where they are not all known.

        Divisions end after 60 digits, so a sum depends in its last ones on its order: half a cent might fall short of it, and a
        receipt and its reversal leave something. Those are cut off: one by one or together, records come to the same."""
        rates = {(rate.base, rate.published_on, rate.source, rate.value): rate for rate in self._rates.values()}
        own = self._own | {
            code: add(self._own.get(code, _NOTHING), from_minor(minor, code).amount) for code, minor in self._own_minor.items()
        }
        exact = add(self._exact, from_minor(self._exact_minor, self.currency).amount)
        return Figure(
            self.currency,
            tuple(Money(own[code], code) for code in sorted(own)),
            Money(exact.quantize(_FINEST, context=_DIGITS), self.currency),
            tuple(rates[key] for key in sorted(rates)),
            tuple(self._left_out),
            tuple(self._sources.values()) if has_sources else (),
        )

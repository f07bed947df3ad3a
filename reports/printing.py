"""Turns figures of `crm.queries.figures` into printed ones: every amount gets its mark, every rate and gap is kept for the annex."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from crm import clock, formatting
from crm.money import Money
from crm.queries.figures.adding import Figure as MoneyFigure
from crm.queries.rates import FIXED, Rate
from reports.briefing_shapes import RateLine
from reports.drawn_text import _
from reports.reference_book import NOTHING, Figure, ReferenceBook, Source

RATE_DIGITS = 6


@dataclass(slots=True)
class Printer:
    """The voice of one document: language, time zone, the day it speaks of, and its book of references."""

    lang: str
    timezone: str
    as_of: date
    book: ReferenceBook = field(default_factory=ReferenceBook)
    _rates: dict[tuple[str, str, date, str], Rate] = field(default_factory=dict)
    _left_out: dict[str, None] = field(default_factory=dict)

    # --- words -----------------------------------------------------------------------------------------------

    def day(self, value: date | None) -> str:
        """A date, or a dash."""
        return NOTHING.text if value is None else formatting.day(value, self.lang)

    def moment(self, value: datetime) -> str:
        """A moment in the office's time."""
        return formatting.moment(value, self.timezone, self.lang)

    def local_day(self, value: datetime) -> date:
        """The day of a moment in the office's time."""
        return value.astimezone(clock.zone(self.timezone)).date()

    def amount(self, value: Money, *, is_short: bool = False) -> str:
        """An amount with its currency."""
        return formatting.money(value, self.lang, compact=is_short)

    def bare(self, value: Money, *, decimals: int | None = None) -> str:
        """An amount whose currency stands in the head of the column."""
        return formatting.money(value, self.lang, decimals=decimals).partition(" ")[2]

    def number(self, value: Decimal | int) -> str:
        """A number."""
        return formatting.number(value, self.lang)

    # --- figures ---------------------------------------------------------------------------------------------

    def of_records(self, text: str, value: str, what: str, sources: Iterable[Source], note: str = "") -> Figure:
        """A figure that is no money: a count, a share, a measured value."""
        return self.book.figure(text, value, what, sources, note)

    def reporting(self, figure: MoneyFigure, what: str, *, is_short: bool = False, is_bare: bool = False) -> Figure:
        """A figure in the reporting currency. Where nothing of it has a rate: a dash with its mark, and the annex says why."""
        if not figure.sources:
            return NOTHING
        for rate in figure.rates:
            self._rates[rate.base, rate.to, rate.published_on, rate.source] = rate
        for gap in figure.left_out:
            self._left_out[gap.sentence] = None
        value = figure.reporting
        exact = NOTHING.text if figure.is_unknown else self.amount(value)
        text = NOTHING.text if figure.is_unknown else self.bare(value) if is_bare else self.amount(value, is_short=is_short)
        own = " + ".join(self.amount(part) for part in figure.own)
        notes = [own] if own and figure.own != (value,) else []
        notes += [self.rate_words(rate) for rate in figure.rates]
        notes += [_("left out: %(sentence)s", sentence=gap.sentence) for gap in figure.left_out]
        return self.book.figure(text, exact, what, self.sources(figure), "; ".join(notes))

    def pair(self, figure: MoneyFigure, what: str) -> tuple[Figure, Figure]:
        """A figure in its own currencies (each written out, never added up) and in the reporting currency: one mark for both."""
        converted = self.reporting(figure, what, is_bare=True)
        if not converted.mark or not figure.own:
            return NOTHING, converted
        text = " + ".join(self.amount(part) for part in figure.own)
        return Figure(text, text, converted.mark), converted

    def plain(
        self, value: Money, what: str, sources: Iterable[Source], note: str = "", *, is_bare: bool = False, is_short: bool = False
    ) -> Figure:
        """One amount of known records."""
        text = self.bare(value) if is_bare else self.amount(value, is_short=is_short)
        return self.book.figure(text, self.amount(value), what, sources, note)

    def reported(
        self, value: Money, what: str, sources: Iterable[Source], note: str = "", *, is_bare: bool = False, is_short: bool = False
    ) -> Figure:
        """An amount as somebody else reports it: without decimals where it is whole, in print and in the annex."""
        decimals = 0 if value.amount == value.amount.to_integral_value() else None
        exact = formatting.money(value, self.lang, decimals=decimals)
        text = self.bare(value, decimals=decimals) if is_bare else self.amount(value, is_short=True) if is_short else exact
        return self.book.figure(text, exact, what, sources, note)

    @staticmethod
    def sources(figure: MoneyFigure) -> list[Source]:
        """The records behind a figure of money."""
        return [Source(source.kind, str(source.id), source.reference) for source in figure.sources]

    # --- rates and gaps --------------------------------------------------------------------------------------

    def rate_words(self, rate: Rate) -> str:
        """A rate in words: 1 EUR = 0.9906 USD (ECB, 21 Sep 2022)."""
        value = self._rate_value(rate)
        if rate.source == FIXED:
            return _("1 %(base)s = %(value)s %(to)s (the event's own rate)", base=rate.base, value=value, to=rate.to)
        return _(
            "1 %(base)s = %(value)s %(to)s (%(source)s, %(day)s)",
            base=rate.base,
            value=value,
            to=rate.to,
            source=rate.source,
            day=self.day(rate.published_on),
        )

    def use(self, rate: Rate | None) -> str:
        """Note a rate for the annex and say it in short; "" where there is none."""
        if rate is None or not rate.source:
            return ""
        self._rates[rate.base, rate.to, rate.published_on, rate.source] = rate
        if rate.source == FIXED:
            return _("%(value)s (the event's own)", value=self._rate_value(rate))
        return _("%(value)s (%(source)s, %(day)s)", value=self._rate_value(rate), source=rate.source, day=self.day(rate.published_on))

    def note_gaps(self, sentences: Iterable[str]) -> None:
        """Keep what totals leave out for the annex."""
        self._left_out.update(dict.fromkeys(sentences))

    def _rate_value(self, rate: Rate) -> str:
        return self.number(Decimal(f"{rate.value:.{RATE_DIGITS}f}").normalize())

    @property
    def rate_lines(self) -> tuple[RateLine, ...]:
        """Every rate used, by currency and day."""
        rates = [self._rates[key] for key in sorted(self._rates)]
        return tuple(
            RateLine(
                f"{rate.base}-{rate.to}",
                self._rate_value(rate),
                self.day(rate.published_on),
                _("fixed for the pledging event") if rate.source == FIXED else rate.source,
            )
            for rate in rates
        )

    @property
    def left_out(self) -> tuple[str, ...]:
        """The sentences of every amount that a total leaves out."""
        return tuple(self._left_out)


def record(noun: str, row_id: uuid.UUID, reference: str) -> Source:
    """A record as a source."""
    return Source(noun, str(row_id), reference)

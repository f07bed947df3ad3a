"""Numbers and texts of a chart: how they are printed, how wide they run, round ticks."""

from __future__ import annotations

import functools
import math
import unicodedata
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_compact_decimal, format_decimal, format_scientific

from reports.charts.shapes import Number

SMALL: Final = 10.0
BODY: Final = 11.0
MISSING: Final = "\N{EN DASH}"
_TEN_THOUSANDS: Final = frozenset({"ja", "ko", "zh"})
RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ur"})

_REGULAR = (
    "26 27 41 65 57 83 73 22 30 30 55 57 27 32 27 37 57 57 57 57 57 57 57 57 57 57 27 27 57 57 57 43 90 64 65 63 73 56 52 73 74 34 27 62 52 91 76 78 "
    "60 78 62 55 56 73 60 93 59 57 57 33 37 33 57 44 28 56 62 48 62 56 34 62 62 26 26 53 26 94 62 60 62 62 41 48 36 62 51 79 53 51 47 38 55 38 57"
)
_ADVANCE: Final = {chr(32 + index): int(width) / 100 for index, width in enumerate(_REGULAR.split())}
BOLD: Final = 1.15  # how much wider bold runs, at most
_SLACK: Final = 1.06  # system fonts on the web run a little wider than Noto


def to_float(value: Number | None) -> float | None:
    """A finite float, or None; anything else is refused."""
    if value is None:
        return None
    number = float(value)
    if not math.isfinite(number):
        message = f"a chart cannot show {value!r}"
        raise ValueError(message)
    return number


@functools.lru_cache(maxsize=16)
def locale_of(lang: str) -> Locale:
    return Locale.parse("en_GB" if lang == "en" else lang.replace("-", "_"))


@functools.lru_cache(maxsize=8192)
def short(value: float, lang: str) -> str:
    """A printed value: 950, 4.5, 1.2M. One decimal at most, none where it says nothing."""
    size = abs(value)
    if size >= 1e15:  # noqa: PLR2004 - the compact words end at 10^12
        return str(format_scientific(Decimal(f"{value:.2g}"), locale=locale_of(lang)))
    if size >= 10_000:  # noqa: PLR2004 - below it the whole number is as short
        digits = 1 if _significant(size, _places(lang)) else 0
        return str(format_compact_decimal(_half_up(Decimal(repr(value)), digits, lang), locale=locale_of(lang), fraction_digits=digits))
    pattern = "#,##0" if size == int(size) or size >= 100 else ("#,##0.#" if size >= 1 or size == 0 else "0.##")  # noqa: PLR2004
    return str(format_decimal(Decimal(repr(value)), format=pattern, locale=locale_of(lang)))


def _places(lang: str) -> int:
    """The noughts between two words for large numbers: three, or four where ten thousands are counted."""
    return 4 if lang.partition("-")[0] in _TEN_THOUSANDS else 3


def _half_up(value: Decimal, digits: int, lang: str) -> Decimal:
    """A value as its compact form will round it, but half up as all amounts are (M6): Babel's rounding takes 2.65M for 2.6M."""
    places = _places(lang)
    step = Decimal(1).scaleb(value.adjusted() // places * places - digits)
    return (value / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step


def _significant(size: float, places: int) -> bool:
    """Does one decimal of the compact form say something (12.5M and 2.5亿 yes, 250M no)?"""
    lead = size / 10.0 ** (int(math.log10(size) // places) * places)
    return bool(lead < 100 and round(lead, 1) != round(lead))  # noqa: PLR2004


@functools.lru_cache(maxsize=4096)
def day_words(day: date, lang: str) -> str:
    """A day as pages and packs write it: "4 Sep 2025" in English, the language's own medium form elsewhere. British English of CLDR has
    "Sept", which stands nowhere else."""
    locale = Locale.parse(lang.replace("-", "_"))
    return str(format_date(day, format="d MMM y" if locale.language == "en" else "medium", locale=locale))


@functools.lru_cache(maxsize=8192)
def full(value: float, lang: str) -> str:
    """The value of the data table: all digits, two decimals at most."""
    return str(format_decimal(Decimal(repr(value)), format="#,##0.##", locale=locale_of(lang)))


def nice_ticks(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """Round ticks (1, 2, 2.5 or 5 times a power of ten) that enclose low..high; at least two."""
    least = 1e-6 * max(abs(low), abs(high), 1e-3)  # closer than that is one value
    if high - low < least:
        high = low + max(1.0, abs(low) / 10)
    rough = (high - low) / max(1, count - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999), power * 10)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(float(f"{index * step:.12g}") for index in range(first, max(last, first + 1) + 1))


@functools.lru_cache(maxsize=8192)
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Approximate width of a text in the unit of `size`, on the wide side."""
    total = 0.0
    for char in text:
        known = _ADVANCE.get(char)
        if known is not None:
            total += known
        elif unicodedata.combining(char):
            continue
        else:
            total += 1.0 if unicodedata.east_asian_width(char) in {"W", "F"} else 0.62
    return total * size * _SLACK * (BOLD if bold else 1.0)


def fit(text: str, width: float, size: float, lines: int = 1) -> list[str]:
    """The text in at most `lines` lines of `width`, cut with an ellipsis where it does not fit."""
    wrapped: list[str] = []
    rest = " ".join(text.split())
    while rest and len(wrapped) < lines:
        if text_width(rest, size) <= width:
            wrapped.append(rest)
            return wrapped
        cut = _cut(rest, width, size)
        last = len(wrapped) == lines - 1
        space = rest.rfind(" ", 0, cut + 1)
        if not last and space > 0:
            wrapped.append(rest[:space])
            rest = rest[space + 1 :]
        elif not last and cut > 0:
            wrapped.append(rest[:cut])
            rest = rest[cut:]
        else:
            shorter = _cut(rest, width - text_width("…", size), size)
            wrapped.append(rest[:shorter].rstrip() + "…")
            return wrapped
    return wrapped


def _cut(text: str, width: float, size: float) -> int:
    """How many leading characters fit."""
    total = 0.0
    for index, char in enumerate(text):
        total += text_width(char, size)
        if total > width:
            return index
    return len(text)


def say(value: float | None, lang: str) -> str:
    return MISSING if value is None else short(value, lang)


def cell(value: float | None, lang: str, suffix: str = "") -> str:
    return MISSING if value is None else full(value, lang) + suffix

"""How money, numbers, dates and sizes are written, in any language. The language is an argument; rounding is half up, once, here (M6)."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date, format_timedelta
from babel.numbers import format_compact_decimal, format_decimal, format_percent

from crm import clock
from crm.money import Money, minor_units, round_half_up

_WIDE = Context(prec=80, rounding=ROUND_HALF_UP)
_LATE = {
    "en": "{days} late",
    "fr": "{days} de retard",
    "es": "{days} de retraso",
    "ar": "متأخر {days}",
    "ru": "опоздание {days}",
    "zh": "逾期{days}",
}
_COMPACT = ((Decimal(10) ** 9, "bn"), (Decimal(10) ** 6, "m"), (Decimal(10) ** 3, "k"))


@lru_cache(maxsize=128)
def _babel(locale: str) -> Locale:
    """The nearest known locale; an unknown one is written the English way rather than breaking a page."""
    try:
        return Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")


def _fixed(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), context=_WIDE)


def number(value: Decimal | int, locale: str = "en", *, decimals: int | None = None) -> str:
    """A number with grouped digits: "1,234,567.5". With `decimals`, exactly that many, half up."""
    exact = Decimal(value)
    if decimals is not None:
        exact = _fixed(exact, decimals)
    shown = max(0, -int(exact.as_tuple().exponent)) if decimals is None else decimals
    pattern = "#,##0" + ("." + "0" * shown if shown else "")
    if decimals is None and shown:
        pattern = "#,##0." + "#" * shown
    return _grouped(str(exact), pattern, locale)


@lru_cache(maxsize=8192)
def _grouped(exact: str, pattern: str, locale: str) -> str:
    """By the text of a number: as numbers 0 and -0 would be one key."""
    return format_decimal(Decimal(exact), format=pattern, locale=_babel(locale), decimal_quantization=False)


def money(amount: Money, locale: str = "en", *, compact: bool = False, decimals: int | None = None) -> str:
    """An amount with its currency code first: "EUR 10,000,000.00"; compact: "EUR 10.0 m", number and unit held together.

    The decimals are the currency's unless `decimals` says otherwise (0 for tables of large sums).
    """
    if compact:
        return f"{amount.currency} {compact_number(amount.amount, locale)}"
    places = minor_units(amount.currency) if decimals is None else decimals
    value = round_half_up(amount.amount, amount.currency) if decimals is None else amount.amount
    return f"{amount.currency} {number(value, locale, decimals=places)}"


def compact_number(value: Decimal | int, locale: str = "en") -> str:
    """A large number in short, with one decimal: "10.0 m", "1.2 bn", "12.5 k"; below 1,000 it is written out, without decimals."""
    exact = Decimal(value)
    language = _babel(locale)
    for position, (size, unit) in enumerate(_COMPACT):
        if abs(exact) < size:
            continue
        short = _fixed(exact / size, 1)
        if abs(short) >= 1000 and position:  # noqa: PLR2004 - 999,950 is 1.0 m, not 1,000.0 k
            size, unit = _COMPACT[position - 1]  # noqa: PLW2901
            short = Decimal("1.0").copy_sign(short)
        if language.language == "en":
            return f"{number(short, locale, decimals=1)}\N{NO-BREAK SPACE}{unit}"
        return format_compact_decimal(short * size, locale=language, fraction_digits=1)
    return number(exact, locale, decimals=0)


def percent(share: Decimal, locale: str = "en", *, decimals: int = 0) -> str:
    """A share as a percentage, half up: Decimal("0.0741") is "7%", with one decimal "7.4%"."""
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    language = _babel(locale)
    sign = format_percent(Decimal(0), locale=language).replace("0", "{}", 1)
    shown = format_decimal(_fixed(Decimal(share) * 100, decimals), format=pattern, locale=language, decimal_quantization=False)
    return sign.format(shown) if "{}" in sign else f"{shown}%"


def day(value: date, locale: str = "en") -> str:
    """A date: "5 Jan 2026" in English, the language's own medium form elsewhere."""
    return patterned_day(value, "d MMM y" if _babel(locale).language == "en" else "medium", locale)


def long_day(value: date, locale: str = "en") -> str:
    """A date with the month in full: "5 January 2026"."""
    return patterned_day(value, "d MMMM y" if _babel(locale).language == "en" else "long", locale)


def month(value: date, locale: str = "en", *, is_short: bool = False) -> str:
    """A month and year: "January 2026", where there is little room "Jan 2026"."""
    return patterned_day(value, "LLL y" if is_short else "LLLL y", locale)


def patterned_day(value: date, pattern: str, locale: str = "en") -> str:
    """A date by a pattern of CLDR. Pages name the same days again and again."""
    return _patterned(value.date() if isinstance(value, datetime) else value, pattern, locale)


@lru_cache(maxsize=8192)
def _patterned(value: date, pattern: str, locale: str) -> str:
    return format_date(value, pattern, locale=_babel(locale))


def moment(value: datetime, tz: tzinfo | str = UTC, locale: str = "en", *, names_zone: bool = True) -> str:
    """An aware moment in an office's time zone, 24 hours, zone named: "5 Jan 2026, 14:30 EAT". Where the reader is in that
    zone, `names_zone=False` leaves its name out."""
    zone = clock.zone(tz) if isinstance(tz, str) else tz
    local = value.astimezone(zone)
    return f"{day(local.date(), locale)}, {local:%H:%M} {(local.tzname() or '') if names_zone else ''}".rstrip()


def relative_day(value: date, today: date, locale: str = "en") -> str:
    """How far a day is from today: "in 3 days", "tomorrow", "today", "12 days ago". Nothing is said about being late."""
    distance = (value - today).days
    if distance in _NEAR_DAYS:
        words = _NEAR_DAYS[distance]
        return words.get(_babel(locale).language, words["en"])
    return _days(distance, locale, direction=True)


def due_day(value: date, today: date, locale: str = "en") -> str:
    """How far a due day is: "in 3 days", "tomorrow", "today", "12 days late". Computed, never stored."""
    distance = (value - today).days
    if distance < 0:
        language = _babel(locale).language
        return _LATE.get(language, _LATE["en"]).format(days=_days(-distance, locale, direction=False))
    return relative_day(value, today, locale)


_NEAR_DAYS: dict[int, dict[str, str]] = {
    -1: {"en": "yesterday", "fr": "hier", "es": "ayer", "ar": "أمس", "ru": "вчера", "zh": "昨天"},
    0: {"en": "today", "fr": "aujourd’hui", "es": "hoy", "ar": "اليوم", "ru": "сегодня", "zh": "今天"},
    1: {"en": "tomorrow", "fr": "demain", "es": "mañana", "ar": "غدًا", "ru": "завтра", "zh": "明天"},
}


def _days(count: int, locale: str, *, direction: bool) -> str:
    said = format_timedelta(timedelta(days=count), granularity="day", threshold=10**9, add_direction=direction, locale=_babel(locale))
    return said.replace(str(abs(count)), number(abs(count), locale))  # Babel groups no digits


def file_size(size: int, locale: str = "en") -> str:
    """A size in bytes, kB, MB or GB (powers of 1,000): "1.5 MB"."""
    value = Decimal(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        decimals = 0 if unit == "bytes" else 1
        if unit == "GB" or _fixed(value, decimals) < 1000:  # noqa: PLR2004
            return f"{number(value, locale, decimals=decimals)} {unit}"
        value /= 1000
    raise AssertionError


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def is_blank(text: str) -> bool:
    """Whether nothing of a text would be seen: blanks, marks of direction, joiners, fillers, or nothing at all."""
    return all(unicodedata.category(char) in _UNSEEN or char in _FILLERS for char in text)


def web_link(text: str) -> str:
    """A recorded web address where it is one that a page may link to (http, https), else "": no text of a record runs."""
    return text if text.lower().startswith(("http://", "https://")) else ""

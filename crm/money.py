"""Exact money: amounts, minor units, rounding, splitting, converting, cost recovery, and reading what a person typed. No rate is looked up here."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import TYPE_CHECKING, NamedTuple, NoReturn, cast

from babel.core import UnknownLocaleError
from babel.numbers import get_decimal_symbol

from crm import data
from crm.errors import Invalid, ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The largest amount taken, in minor units: 18 digits, which a signed 64-bit integer holds with room for sums.
MAX_MINOR = 999_999_999_999_999_999
#: Longest text that is looked at as an amount.
MAX_AMOUNT_TEXT = 60
#: Longest text that is searched for an amount.
_LONGEST_SEARCHED = 4000
_EXACT = Context(prec=120, traps=[Inexact])
#: Digits kept where a division cannot be exact; rounding to minor units afterwards is then right.
_WIDE = Context(prec=60)
_SUMS = Context(prec=90)
_GROUP = 3
_CODE = 3


# --- refusals ---------------------------------------------------------------------------------------------------


class AmountInvalid(Invalid):
    """An amount was refused. `template % params` is the sentence, so that a higher layer can translate it."""

    def __init__(self, template: str, **params: str) -> None:
        """Keep the sentence apart from what fills it."""
        self.template = template
        self.params: dict[str, str] = params
        super().__init__(template % params if params else template)


class AmountAmbiguous(AmountInvalid):
    """An amount can be read in two ways; `readings` holds both, smaller first, and the sentence names them."""

    def __init__(self, template: str, *, readings: tuple[Decimal, Decimal], **params: str) -> None:
        """Keep both readings."""
        self.readings = readings
        super().__init__(template, **params)


class CurrencyUnknown(AmountInvalid):
    """A code that is no ISO 4217 currency."""


class CurrencyMismatch(ProgrammingError):
    """Two currencies met in one sum: convert first, by a rate that is shown."""


# --- currencies -------------------------------------------------------------------------------------------------


def known_currency(currency: str) -> bool:
    """Say whether a code is an ISO 4217 currency we know, withdrawn ones included."""
    return currency in data.currencies()


def currency_in_use(currency: str) -> bool:
    """Say whether a code is an ISO 4217 currency that was not withdrawn: what a new record may be in."""
    found = data.currencies().get(currency)
    return found is not None and found.active


def minor_units(currency: str) -> int:
    """Return the number of decimals of a currency (JPY 0, EUR 2, KWD 3); raises `CurrencyUnknown`."""
    found = data.currencies().get(currency)
    if found is None:
        raise CurrencyUnknown("“%(code)s” is not a currency code. Use the three letters of ISO 4217, such as EUR.", code=str(currency)[:20])
    return found.minor_units


@lru_cache(maxsize=512)
def _step(currency: str) -> Decimal:
    """Return the smallest amount of a currency: 0.01, 1, 0.001."""
    return Decimal(1).scaleb(-minor_units(currency))


# --- the value --------------------------------------------------------------------------------------------------


def _decimal(value: object) -> Decimal:
    """Return an exact, finite Decimal; a float is a mistake of ours and raises `ProgrammingError`."""
    if type(value) is Decimal:  # nearly always: pages of money come through here thousands of times
        exact = value
    elif isinstance(value, bool) or not isinstance(value, Decimal | int):
        message = f"money is Decimal or int, never {type(value).__name__}"
        raise ProgrammingError(message)
    else:
        exact = Decimal(value)
    if not exact.is_finite():
        raise AmountInvalid("The amount is not a number.")
    return exact


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency. May hold more decimals than the currency has (a conversion not yet rounded, M6).

    Sums and comparisons of two currencies raise `CurrencyMismatch`; floats are refused.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        """Refuse floats, infinities and unknown currencies."""
        exact = _decimal(self.amount)
        if exact is not self.amount:
            object.__setattr__(self, "amount", exact)
        minor_units(self.currency)

    def _same(self, other: object) -> Decimal:
        if not isinstance(other, Money) or self.currency != other.currency:
            message = f"{self} and {other} do not compare or add up without a rate"
            raise CurrencyMismatch(message)
        return other.amount

    def __add__(self, other: Money) -> Money:
        return Money(_EXACT.add(self.amount, self._same(other)), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(_EXACT.subtract(self.amount, self._same(other)), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount if self.amount else self.amount, self.currency)

    def __abs__(self) -> Money:
        return Money(_EXACT.abs(self.amount), self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def __str__(self) -> str:
        """Return the plain form for logs and tests, "EUR 10.50"; people read `formatting.money`."""
        return f"{self.currency} {self.amount}"

    @property
    def is_exact(self) -> bool:
        """Whether the amount is a whole number of minor units."""
        return round_half_up(self.amount, self.currency) == self.amount

    def rounded(self) -> Money:
        """Return the amount at the currency's decimals, half up: once, at presentation (M6)."""
        return Money(round_half_up(self.amount, self.currency), self.currency)


def zero(currency: str) -> Money:
    """Return nothing, in a currency."""
    return from_minor(0, currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Return the sum of amounts that are all in `currency`; the sum of none is zero."""
    result = zero(currency)
    for amount in amounts:
        result += amount
    return result


def to_minor(money: Money) -> int:
    """Return the amount as whole minor units (cents). Raises `AmountInvalid` when it has too many decimals or digits."""
    units = minor_units(money.currency)
    scaled = money.amount.scaleb(units, context=_WIDE)
    whole = scaled.to_integral_value()
    if scaled != whole:
        _too_many_decimals(money.currency)
    if abs(whole) > MAX_MINOR:
        _too_large(money.currency)
    return int(whole)


def from_minor(minor: int, currency: str) -> Money:
    """Return the amount of a whole number of minor units."""
    if isinstance(minor, bool) or not isinstance(minor, int):
        message = f"minor units are int, never {type(minor).__name__}"
        raise ProgrammingError(message)
    return _of_minor(minor, currency)


@lru_cache(maxsize=8192)
def _of_minor(minor: int, currency: str) -> Money:
    """The value itself; the same amount comes up in a page as a part, in its year and in the whole."""
    return Money(Decimal(minor).scaleb(-minor_units(currency), context=_WIDE), currency)


def rounded_minor(amount: Decimal, currency: str) -> int:
    """Return an amount as whole minor units, half up (M6). Raises `AmountInvalid` when it has too many digits."""
    whole = int(round_half_up(amount, currency).scaleb(minor_units(currency), context=_WIDE))
    if abs(whole) > MAX_MINOR:
        _too_large(currency)
    return whole


def round_half_up(amount: Decimal, currency: str) -> Decimal:
    """Return the amount at the currency's decimals; a half goes away from zero (M6)."""
    return _decimal(amount).quantize(_step(currency), rounding=ROUND_HALF_UP, context=_WIDE)


# --- rates ------------------------------------------------------------------------------------------------------


def _rate(rate: object) -> Decimal:
    value = _decimal(rate)
    if value <= 0:
        raise AmountInvalid("A rate must be greater than 0.")
    return value


def convert(amount: Decimal, rate: Decimal) -> Decimal:
    """Return amount x rate, exact and not rounded: EUR 10,000,000 at 0.9906 USD per EUR is 9,906,000 (M5, M6)."""
    return _EXACT.multiply(_decimal(amount), _rate(rate))


def convert_across(amount: Decimal, from_per_base: Decimal, to_per_base: Decimal) -> Decimal:
    """Return an amount crossed through a common base (ECB: both quotes are units per 1 EUR), multiplied first, divided once."""
    return _WIDE.divide(_EXACT.multiply(_decimal(amount), _rate(to_per_base)), _rate(from_per_base))


def add(one: Decimal, other: Decimal) -> Decimal:
    """Return the sum of two converted amounts to 90 digits; Python's own `+` keeps 28, too few for totals of 18 and their parts."""
    return _SUMS.add(one, other)


# --- splitting and cost recovery --------------------------------------------------------------------------------


def split(total_minor: int, weights: Sequence[Decimal | int | Fraction]) -> list[int]:
    """Share whole minor units by weight so that the parts equal the whole (M6, largest remainder).

    The units left after rounding down go to the largest remainders, the earlier line first where they are equal.
    A negative total is the mirror image of the positive one. Weights are not negative, not all zero, never floats.
    """
    if isinstance(total_minor, bool) or not isinstance(total_minor, int):
        message = f"minor units are int, never {type(total_minor).__name__}"
        raise ProgrammingError(message)
    if len(weights) == 1 and type(weights[0]) is int and weights[0] > 0:
        return [total_minor]  # most plans have one part
    shares = _whole_numbers(weights)
    whole = sum(shares)
    if whole <= 0 or min(shares) < 0:
        raise AmountInvalid("The shares of a split must not be negative, and at least one must be greater than 0.")
    size = abs(total_minor)
    parts = [share * size // whole for share in shares]
    left = size - sum(parts)
    if left == 1 and len(parts) == 2:  # noqa: PLR2004 - most agreements have two lines: the larger remainder, the first where equal
        parts[0 if shares[0] * size % whole >= shares[1] * size % whole else 1] += 1
    elif left:
        by_remainder = sorted(range(len(parts)), key=lambda line: (-(shares[line] * size % whole), line))
        for line in by_remainder[:left]:
            parts[line] += 1
    return [-part for part in parts] if total_minor < 0 else parts


def _whole_numbers(weights: Sequence[Decimal | int | Fraction]) -> Sequence[int]:
    """Whole numbers in the same proportion."""
    if {*map(type, weights)} == {int}:  # nearly always
        return cast("Sequence[int]", weights)
    shares = [weight if isinstance(weight, Fraction) else Fraction(_decimal(weight)) for weight in weights]
    scale = lcm(*(share.denominator for share in shares))
    return [share.numerator * (scale // share.denominator) for share in shares]


class RecoveryBasis(StrEnum):
    """What the cost recovery rate is a share of (M11)."""

    ON_PROGRAMMABLE = "on_programmable"  # programmable = receipt / (1 + rate)
    ON_GROSS = "on_gross"  # recovery = receipt x rate
    NONE = "none"  # regular resources


class CostRecovery(NamedTuple):
    """What can be programmed and what pays indirect cost; the two add up to the receipt."""

    programmable: Money
    recovery: Money


def cost_recovery(amount: Money, rate: Decimal, basis: RecoveryBasis | str = RecoveryBasis.ON_PROGRAMMABLE) -> CostRecovery:
    """Part a receipt into programmable money and cost recovery, each exact to the minor unit (M11).

    `rate` is a share: Decimal("0.08") for 8 %. One part is rounded half up, the other is the rest, so they sum to the whole.
    Raises `AmountInvalid` for a rate below 0 or from 1 on, or an amount that is not whole minor units.
    """
    share, basis = _decimal(rate), RecoveryBasis(basis)
    if not 0 <= share < 1:
        raise AmountInvalid("A cost recovery rate is at least 0 and less than 100 percent.")
    to_minor(amount)
    if basis is RecoveryBasis.NONE:
        return CostRecovery(amount, zero(amount.currency))
    if basis is RecoveryBasis.ON_GROSS:
        recovery = Money(_EXACT.multiply(amount.amount, share), amount.currency).rounded()
        return CostRecovery(amount - recovery, recovery)
    programmable = Money(_WIDE.divide(amount.amount, 1 + share), amount.currency).rounded()
    return CostRecovery(programmable, amount - programmable)


# --- what a person typed ----------------------------------------------------------------------------------------

_BIDI = dict.fromkeys([0x061C, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_MINUS = "-\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d"
_APOSTROPHES = "'\u2019\u02bc\u2032`\u00b4"
_POINT, _COMMA, _SPACE, _QUOTE, _ARABIC_POINT, _ARABIC_GROUP = ".", ",", " ", "'", "\u066b", "\u066c"
_SEPARATORS = _POINT + _COMMA + _SPACE + _QUOTE + _ARABIC_POINT + _ARABIC_GROUP
_LOOKALIKE = {"\u060c": _COMMA, "\uff0c": _COMMA, "\uff0e": _POINT, "\u3002": _POINT}
_SYMBOLS = {
    "€": {"EUR"},
    "£": {"GBP", "EGP", "LBP", "SYP", "SSP", "SDG", "GIP", "FKP", "SHP"},
    "¥": {"JPY", "CNY"},
    "₹": {"INR"},
    "₦": {"NGN"},
    "US$": {"USD"},
}
_DOLLARS = frozenset(
    [
        "USD",
        "CAD",
        "AUD",
        "NZD",
        "HKD",
        "SGD",
        "TWD",
        "FJD",
        "JMD",
        "BBD",
        "BZD",
        "BMD",
        "BSD",
        "BND",
        "GYD",
        "KYD",
        "LRD",
        "NAD",
        "SBD",
        "SRD",
        "TTD",
        "XCD",
        "MXN",
        "ARS",
        "CLP",
        "COP",
        "UYU",
    ]
)
_SCALES = {
    "k": 3,
    "thousand": 3,
    "m": 6,
    "mn": 6,
    "mln": 6,
    "mio": 6,
    "million": 6,
    "millions": 6,
    "bn": 9,
    "billion": 9,
    "billions": 9,
    "milliard": 9,
    "milliards": 9,
}
_SHAPE = re.compile(
    r"(?P<open>\()?(?P<before>[^\d(.,\u066b]*)(?P<number>\d(?:[\d.,' \u066b\u066c]*\d)?|[.,\u066b]\d+)(?P<after>[^\d()]*)(?P<close>\))?"
)


def _not_an_amount(text: str) -> NoReturn:
    raise AmountInvalid("“%(text)s” is not an amount. Write it like 1234.56 or 1,234.56.", text=text[:MAX_AMOUNT_TEXT])


def _too_many_decimals(currency: str) -> NoReturn:
    units = minor_units(currency)
    if units == 0:
        raise AmountInvalid("%(currency)s has no decimals: write a whole amount.", currency=currency)
    raise AmountInvalid("%(currency)s has %(units)s decimals; this amount has more.", currency=currency, units=str(units))


def _too_large(currency: str, maximum_minor: int = MAX_MINOR) -> NoReturn:
    most = from_minor(maximum_minor, currency).amount
    raise AmountInvalid("The amount is too large: at most %(currency)s %(most)s.", currency=currency, most=f"{most:,f}")


@lru_cache(maxsize=256)
def _decimal_mark(locale: str) -> str:
    try:
        mark = get_decimal_symbol(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return ""
    return {_ARABIC_POINT: _POINT}.get(mark, mark)


def _plain(text: str) -> str:
    """Return the text with ASCII digits, one kind of space, apostrophe and minus, and without direction marks."""
    result = []
    for char in text.translate(_BIDI):
        digit = unicodedata.decimal(char, None)
        if digit is not None:
            result.append(str(digit))
        elif char in _LOOKALIKE:
            result.append(_LOOKALIKE[char])
        elif char in _MINUS:
            result.append("-")
        elif char in _APOSTROPHES:
            result.append(_QUOTE)
        elif char.isspace():
            result.append(_SPACE)
        else:
            result.append(char)
    return "".join(result).strip()


def _grouped(text: str, separator: str) -> str | None:
    """Return the digits of a whole number in well-formed groups of three (with commas also 12,34,567), else None."""
    head, *groups = text.split(separator)
    if not groups:
        return head if head.isdigit() else None
    if not head.isdigit() or not all(group.isdigit() for group in groups):
        return None
    threes = len(head) <= _GROUP and all(len(group) == _GROUP for group in groups)
    lakhs = (
        separator == _COMMA
        and len(groups) > 1
        and len(head) <= _GROUP - 1
        and all(len(group) == _GROUP - 1 for group in groups[:-1])
        and len(groups[-1]) == _GROUP
    )
    return head + "".join(groups) if (threes or lakhs) and not (head.startswith("0")) else None


def _readings(number: str) -> list[str]:
    """Return the ways to read digits and separators, as plain "1234.56" texts: none, one, or two (whole number first)."""
    kinds = [char for char in dict.fromkeys(number) if char in _SEPARATORS]
    if not kinds:
        return [number]
    mark = next((char for char in reversed(number) if char in _SEPARATORS), "")
    whole, _, decimals = number.rpartition(mark)
    never_decimal = mark in (_SPACE, _QUOTE, _ARABIC_GROUP)
    if (len(kinds) == 1 and number.count(mark) > 1) or never_decimal:
        grouped = _grouped(number, mark) if len(kinds) == 1 else None
        return [grouped] if grouped else []
    if len(kinds) > 2 or number.count(mark) > 1:  # noqa: PLR2004 - one kind for groups, one for decimals
        return []
    if len(kinds) == 2:  # noqa: PLR2004
        grouped = _grouped(whole, next(kind for kind in kinds if kind != mark))
        return [f"{grouped}.{decimals}"] if grouped else []
    decimal = f"{whole or '0'}.{decimals}"
    if mark != _ARABIC_POINT and len(decimals) == _GROUP and (grouped := _grouped(number, mark)):
        return [grouped, decimal]
    return [decimal]


def decimal_mark_shown(text: str) -> str:
    """Which mark an amount shows to stand before its decimals: "." or ","; "" where it shows none, or can be read in two ways."""
    match = _SHAPE.search(_plain(text)[:MAX_AMOUNT_TEXT])
    number = re.sub(" +", " ", match["number"]) if match else ""
    readings, marks = _readings(number), [char for char in number if char in (_POINT, _COMMA)]
    if len(readings) != 1 or not marks:
        return ""
    last = marks[-1]
    return last if "." in readings[0] else _POINT if last == _COMMA else _COMMA


def currency_named(text: str) -> str:
    """The currency that an amount, or a cell of its own, names: by its three letters or by a sign that only one has; else ""."""
    plain = _plain(text)[:MAX_AMOUNT_TEXT]
    words = re.findall(r"[A-Za-z]+", plain)
    codes = [word.upper() for word in words if len(word) == _CODE and known_currency(word.upper()) and (word.isupper() or len(words) == 1)]
    signs = [code for sign, known in _SYMBOLS.items() if sign in plain and len(known) == 1 for code in known]
    named = {*codes, *signs}
    return named.pop() if len(named) == 1 else ""


def _check_words(words: str, currency: str, text: str) -> int:
    """Return the power of ten that the letters around a number mean ("m" 6); refuse another currency or unknown words."""
    scale, seen = 0, False
    for word in words.split():
        if word.upper() == currency or (word == "$" and currency in _DOLLARS) or currency in _SYMBOLS.get(word, ()):
            continue
        if word.lower().rstrip(".") in _SCALES and not seen:
            scale, seen = _SCALES[word.lower().rstrip(".")], True
            continue
        if known_currency(word.upper()) or word in _SYMBOLS or word == "$":
            raise AmountInvalid("The amount says %(other)s, but the currency is %(currency)s.", other=word, currency=currency)
        _not_an_amount(text)
    return scale


def _sign_and_scale(match: re.Match[str], currency: str, text: str) -> tuple[bool, int]:
    """Return whether the amount is negative, and its power of ten, from what stands around the digits."""
    before, after = match["before"].strip(), match["after"].strip()
    if bool(match["open"]) != bool(match["close"]):
        _not_an_amount(text)
    negative = bool(match["open"])
    signs = [char for char in before + after if char in "+-"]
    if len(signs) > 1 or (signs and negative):
        _not_an_amount(text)
    before, after = (re.sub(r"([€£¥₹₦]|US\$|\$)", r" \1 ", part.replace("+", " ").replace("-", " ")) for part in (before, after))
    scale_before = _check_words(before, currency, text)
    if scale_before:
        _not_an_amount(text)
    return negative or signs == ["-"], _check_words(after, currency, text)


def parse_amount(
    text: str,
    currency: str,
    locale: str | None = None,
    *,
    allow_zero: bool = False,
    allow_negative: bool = False,
    maximum_minor: int = MAX_MINOR,
) -> Decimal:
    """Read an amount a person typed in a currency, exactly (M1).

    Takes "1,234.56", "1 234,56" (any space), "1.234.567,89", "1'234.50", "12,34,567", Arabic-Indic and other digits, a
    currency code or sign of that same currency, and "10m", "1.5 million", "2 bn", "500k". "1.234" and "1,234" can mean two
    things in a currency with decimals: without `locale` they raise `AmountAmbiguous`; with it, its decimal mark decides.
    Every refusal is an `AmountInvalid` whose sentence says what is wrong: not an amount, too many decimals for the
    currency, zero or negative where that is not allowed, more than `maximum_minor` minor units.
    """
    units = minor_units(currency)
    plain = _plain(text or "")
    if not plain:
        raise AmountInvalid("Enter an amount.")
    match = _SHAPE.fullmatch(plain) if len(plain) <= MAX_AMOUNT_TEXT else None
    if match is None:
        _not_an_amount(text.strip())
    negative, scale = _sign_and_scale(match, currency, text.strip())
    readings = [Decimal(reading).scaleb(scale, context=_WIDE) for reading in _readings(re.sub(" +", " ", match["number"]))]
    if not readings:
        _not_an_amount(text.strip())
    value = readings[0]
    if len(readings) > 1 and (units > 0 or scale):
        mark = _decimal_mark(locale) if locale else ""
        if not mark:
            larger, smaller = readings
            raise AmountAmbiguous(
                "“%(text)s” can mean %(currency)s %(larger)s or %(currency)s %(smaller)s. Write %(plain)s or %(other)s.",
                readings=(smaller, larger),
                text=text.strip(),
                currency=currency,
                larger=f"{larger:,f}",
                smaller=f"{smaller:,f}",
                plain=f"{larger:f}",
                other=_unmistakable(smaller, units),
            )
        value = readings[1] if mark in match["number"] else readings[0]
    if value > Decimal(maximum_minor).scaleb(-units, context=_WIDE):
        _too_large(currency, maximum_minor)
    exact = value.quantize(Decimal(1).scaleb(-units), context=_WIDE)
    if value != exact or (units < _decimals(value) == _GROUP and not scale):  # "0.500" may be a mistyped 500
        _too_many_decimals(currency)
    if value == 0 and not allow_zero:
        raise AmountInvalid("The amount must be greater than 0.")
    if negative and value and not allow_negative:
        raise AmountInvalid("The amount must not be negative.")
    return -exact if negative and exact else exact


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _unmistakable(value: Decimal, units: int) -> str:
    """Return a number in a form that is read in one way only: two decimals, or four where the currency has three."""
    shown = value.quantize(Decimal(1).scaleb(-2), context=_WIDE)
    return f"{shown:f}" if shown == value or units < _GROUP else f"{value:f}0"


_NUMBER_IN_TEXT = (
    r"\d(?:[\d.,'\u2019 \u00a0\u202f]*\d)?(?:[ \u00a0\u202f]?(?:" + "|".join(sorted(_SCALES, key=len, reverse=True)) + r")\b)?"
)
_AMOUNT_IN_TEXT = re.compile(
    rf"(?P<before>\b[A-Z]{{3}}|€)[ \u00a0\u202f]?(?P<first>{_NUMBER_IN_TEXT})|(?P<second>{_NUMBER_IN_TEXT})[ \u00a0\u202f]?(?P<after>[A-Z]{{3}}\b|€)(?![ \u00a0\u202f]?\d)"
)


def amount_in(text: str) -> Money | None:
    """The amount that some words name, such as "EUR 10 million by June"; None where they name none, several, or one that can
    be read in two ways: a form is prefilled with it, so nothing is guessed."""
    found: dict[Money, None] = {}
    for match in _AMOUNT_IN_TEXT.finditer(text[:_LONGEST_SEARCHED]):
        code = match["before"] or match["after"]
        currency = "EUR" if code == "€" else code
        if not known_currency(currency):
            continue
        try:
            found[Money(parse_amount(match["first"] or match["second"], currency), currency)] = None
        except AmountInvalid:
            return None
    return next(iter(found)) if len(found) == 1 else None

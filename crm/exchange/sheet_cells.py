"""Cells of spreadsheets that people keep: days in many forms, lists in one cell, words for countries. Asks where a cell can mean two things."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache

from babel import Locale

from crm.data import countries, countries_by_iso2
from crm.exchange.cells import FIRST_YEAR, LAST_YEAR, CellInvalid
from crm.i18n import gettext as _
from crm.money import (
    AmountAmbiguous,
    AmountInvalid,
    Money,
    currency_in_use,
    currency_named,
    decimal_mark_shown,
    known_currency,
    parse_amount,
)
from crm.queries.names import fold

#: How days may be written in a file: day first (3/4 is 3 April), or month first (3/4 is 4 March).
DAY_ORDERS = ("dmy", "mdy")
#: The first of the hundred years that years of two digits are of.
CENTURIES = ("2000", "1950")
#: What is said of a month without a day: that its first day is meant.
FIRST_DAY = "first"
#: How amounts may be written in a file: 1,234.56, or 1.234,56. Each with a language that writes them so.
AMOUNT_MARKS: Mapping[str, str] = {"point": "en", "comma": "de"}
#: Languages whose words for months and countries are read.
LANGUAGES = ("en", "fr", "es", "ar", "pt")

_NUMERIC = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:[T ]+\d{1,2}:\d{2}.*)?")
_MONTH_NUMERIC = re.compile(r"(\d{1,2})[./-](\d{4})|(\d{4})[./-](\d{1,2})")
_TOKEN = re.compile(r"\d+|[^\W\d]+")
_FILLERS = frozenset({"de", "del", "er", "of", "st", "nd", "rd", "th"})
_MORE_MONTHS: Mapping[str, int] = {
    "كانون الثاني": 1,
    "شباط": 2,
    "آذار": 3,
    "نيسان": 4,
    "أيار": 5,
    "حزيران": 6,
    "تموز": 7,
    "آب": 8,
    "أيلول": 9,
    "تشرين الأول": 10,
    "تشرين الثاني": 11,
    "كانون الأول": 12,
    "sept": 9,
    "janv": 1,
    "fevr": 2,
    "juil": 7,
    "setiembre": 9,
}
_MONTH_LAST = 12
_YEAR_DIGITS = 4
_SHORT_DIGITS = 2


#: Names of countries that neither the list nor the languages hold, parted by strokes; of abbreviations without their points.
_MORE_COUNTRIES: Mapping[str, str] = {
    "AE": "uae/emirates/the emirates/eau/émirats/emiratos/الإمارات/دولة الإمارات العربية المتحدة",
    "CD": "drc/dr congo/congo dr/democratic republic of congo/rdc/rd congo/république démocratique du congo/"
    "الكونغو الديمقراطية/جمهورية الكونغو الديمقراطية",
    "CF": "car/rca/centrafrique/centroáfrica/أفريقيا الوسطى/إفريقيا الوسطى",
    "CG": "republic of congo/république du congo/república del congo",
    "CZ": "czech republic/république tchèque/república checa/جمهورية التشيك",
    "DE": "federal republic of germany",
    "GB": "great britain/britain/england/scotland/wales/northern ireland/grande bretagne/angleterre/gran bretaña/inglaterra/بريطانيا/إنجلترا/انكلترا",
    "JO": "hashemite kingdom of jordan/the hashemite kingdom of jordan/hkj/المملكة الأردنية الهاشمية",
    "KP": "dprk/rpdc",
    "KR": "rok",
    "MK": "macedonia/macédoine",
    "MM": "burma/birmanie/birmania/بورما",
    "NL": "holland/hollande/holanda",
    "PS": "opt/occupied palestinian territory/territoire palestinien occupé/territorio palestino ocupado/west bank/gaza/gaza strip/cisjordanie/"
    "cisjordania/فلسطين/دولة فلسطين/الضفة الغربية/غزة/قطاع غزة",
    "SA": "ksa/saudi/kingdom of saudi arabia/السعودية",
    "SY": "سورية",
    "SZ": "swaziland",
    "TL": "east timor",
    "TR": "turkey",
    "TT": "trinidad",
    "US": "eeuu/états unis d'amérique/estados unidos de américa/أمريكا/الولايات المتحدة الأمريكية",
    "VA": "vatican/vaticano",
    "ZA": "rsa",
}


class DayAmbiguous(CellInvalid):
    """A day that can be read in two ways; `readings` holds day first, then month first."""

    def __init__(self, text: str, readings: tuple[date, date]) -> None:
        """Keep both readings."""
        self.readings = readings
        super().__init__(
            _(
                "“%(text)s” can be %(one)s or %(other)s. Say under “Columns” how days are written in this file.",
                text=text,
                one=readings[0].isoformat(),
                other=readings[1].isoformat(),
            )
        )


class YearShort(CellInvalid):
    """A day whose year has two digits, and nothing says of which century it is."""

    def __init__(self, text: str, digits: str) -> None:
        """Keep the two digits."""
        self.year = int(digits)
        super().__init__(_("“%(text)s”: write the year with four digits.", text=text[:40]))


class MonthOnly(CellInvalid):
    """A month without a day, and nothing says which day is meant."""


class AmountDoubtful(CellInvalid):
    """An amount that can be read in two ways: in this column nothing shows which."""


class WordUnknown(CellInvalid):
    """A word that a list does not know; the others of its cell may be fine."""

    def __init__(self, word: str) -> None:
        """Keep the word."""
        self.word = word
        super().__init__(_("“%(text)s” is none of the words known for this column.", text=word[:60]))


class AmountMerged(CellInvalid):
    """An amount that stands in one cell for several rows."""


class NoCurrency(CellInvalid):
    """An amount of which nothing says the currency."""


#: What a cell shows whose formula fails, in the languages of ours.
_FAILED = frozenset(
    (
        *("#N/A", "#N/D", "#NV", "#REF!", "#BEZUG!", "#¡REF!", "#VALUE!", "#WERT!", "#VALEUR!", "#¡VALOR!", "#VALOR!"),
        *("#DIV/0!", "#¡DIV/0!", "#NAME?", "#NOM?", "#¿NOMBRE?", "#NOME?", "#NUM!", "#NOMBRE!", "#ZAHL!", "#¡NUM!", "#NÚM!"),
        *("#NULL!", "#NUL!", "#¡NULO!", "#NULO!", "#SPILL!", "#CALC!", "#GETTING_DATA"),
    )
)


def refuse_error(cell: str) -> None:
    """Raise `CellInvalid` where a cell shows that its formula failed, as it stands in a CSV file."""
    text = cell.strip()
    if text in _FAILED:
        raise CellInvalid(_("The cell shows an error of the spreadsheet, “%(text)s”. Write what belongs there, or empty it.", text=text))


def plain_digits(text: str) -> str:
    """The text with digits of every script as 0 to 9, and without marks of direction."""
    if text.isascii():
        return text
    shown = (str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text if unicodedata.category(char) != "Cf")
    return "".join(shown)


@lru_cache(maxsize=1)
def _months() -> Mapping[str, int]:
    found: dict[str, int] = {}
    for language in LANGUAGES:
        for widths in Locale(language).months.values():
            for width in ("wide", "abbreviated"):
                for place, name in widths[width].items():
                    found.setdefault(fold(name), int(place))
    found.update({fold(name): place for name, place in _MORE_MONTHS.items()})
    return found


@lru_cache(maxsize=20_000)
def read_day(cell: str, order: str = "", century: str = "", months: str = "") -> date | None:
    """A day as 2026-04-03, 3/4/2026, 3.4.2026 or 3 April 2026 in five languages; None where the cell is empty.

    `order` ("dmy" or "mdy") settles 3/4/2026; without it such a cell raises `DayAmbiguous`. Points always part day.month.year.
    Years have four digits: "03/04/26" can mean three things, so it raises `YearShort`, unless `century` ("2000", "1950") says that
    its last two digits are the year, and of which hundred years. A month without a day ("March 2024", "03/2024") raises `MonthOnly`, unless
    `months` ("first") says that its first day is meant."""
    text = " ".join(plain_digits(cell).split())
    if not text:
        return None
    if match := _NUMERIC.fullmatch(text):
        return _numeric(text, match, order, century)
    if match := _MONTH_NUMERIC.fullmatch(text):
        return _first_of(text, int(match[2] or match[3]), int(match[1] or match[4]), months)
    tokens = [token for token in _TOKEN.findall(text[:60]) if token.casefold() not in _FILLERS]
    numbers = [token for token in tokens if token.isdecimal()]
    month = _months().get(fold(" ".join(token for token in tokens if not token.isdecimal())))
    if month is not None and list(map(len, numbers)) == [_YEAR_DIGITS]:
        return _first_of(text, int(numbers[0]), month, months)
    if month is not None and list(map(len, numbers))[1:] == [_SHORT_DIGITS] and len(numbers[0]) <= _SHORT_DIGITS and tokens[-1].isdecimal():
        numbers[1] = str(_whole_year(text, numbers[1], century))
    if month is None or [len(token) // _YEAR_DIGITS for token in numbers] != [0, 1] or not tokens[-1].isdecimal():
        raise CellInvalid(_("“%(text)s” is not a date. Write it as 2026-11-30.", text=text[:40]))
    return _date(text, int(numbers[1]), month, int(numbers[0]))


def _first_of(text: str, year: int, month: int, months: str) -> date:
    first = _date(text, year, month, 1)
    if months != FIRST_DAY:
        raise MonthOnly(_("“%(text)s” has no day. Write the day too.", text=text[:40]))
    return first


def _whole_year(text: str, digits: str, century: str) -> int:
    if century not in CENTURIES:
        raise YearShort(text, digits)
    first = int(century)
    return first + (int(digits) - first) % 100


def _numeric(text: str, match: re.Match[str], order: str, century: str) -> date:
    first, mark, middle, last = match[1], match[2], int(match[3]), match[4]
    if len(first) == _YEAR_DIGITS:
        return _date(text, int(first), middle, int(last))
    if len(last) == _SHORT_DIGITS:
        last = str(_whole_year(text, last, century))
    if len(last) != _YEAR_DIGITS:
        raise CellInvalid(_("“%(text)s”: write the year with four digits.", text=text[:40]))
    day, year = int(first), int(last)
    if mark == "." or order == "dmy" or day == middle:
        return _date(text, year, middle, day)
    if order == "mdy":
        return _date(text, year, day, middle)
    if day > _MONTH_LAST or middle > _MONTH_LAST:
        return _date(text, year, *((middle, day) if day > _MONTH_LAST else (day, middle)))
    raise DayAmbiguous(text, (_date(text, year, middle, day), _date(text, year, day, middle)))


def _date(text: str, year: int, month: int, day: int) -> date:
    try:
        found = date(year, month, day)
    except ValueError as error:
        raise CellInvalid(_("There is no such day as “%(text)s”.", text=text[:40])) from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise CellInvalid(_("The year of “%(text)s” is outside %(first)s to %(last)s.", text=text[:40], first=FIRST_YEAR, last=LAST_YEAR))
    return found


def day_order(cells: Iterable[str], century: str = "") -> tuple[str, str]:
    """How a column writes its days, and the first cell that could be read either way: ("dmy", "03/04/2026"), ("", "03/04/2026") where it stays
    open, or ("", "") where neither matters.

    A column that holds 25/12/2026 is read day first throughout; one that holds both 25/12 and 12/25 says nothing."""
    seen: set[str] = set()
    doubtful = ""
    widths = (_YEAR_DIGITS, _SHORT_DIGITS) if century in CENTURIES else (_YEAR_DIGITS,)
    for cell in cells:
        match = _NUMERIC.fullmatch(plain_digits(cell).strip())
        if match is None or match[2] == "." or len(match[1]) == _YEAR_DIGITS or len(match[4]) not in widths:
            continue
        first, middle = int(match[1]), int(match[3])
        if first > _MONTH_LAST >= middle:
            seen.add("dmy")
        elif middle > _MONTH_LAST >= first:
            seen.add("mdy")
        elif first != middle and not doubtful:
            doubtful = cell.strip()
    return seen.pop() if len(seen) == 1 else "", doubtful


_PARTS = ";\n|"
_BLANKS = re.compile(r"\s{2,}")


def parts(cell: str, marks: str = _PARTS) -> tuple[str, ...]:
    """The entries of a cell that holds several, in their order, each once; one in quotation marks may hold the marks that part them."""
    cell = _BLANKS.sub(lambda run: "\n" if "\n" in run[0] else " ", cell)  # a long run would be looked through from each of its places
    mark = f"[{re.escape(marks)}]"
    found = re.findall(rf'\s*"((?:[^"]|"")+)"\s*(?:{mark}|$)|([^{re.escape(marks)}]+)', cell)
    pieces = (quoted.replace('""', '"') or plain for quoted, plain in found)
    return tuple(dict.fromkeys(" ".join(piece.split()) for piece in pieces if piece.strip()))


def joined(entries: Iterable[str]) -> str:
    """Entries as one cell that `parts` takes apart into the same ones."""
    return "; ".join(f'"{each.replace(chr(34), chr(34) * 2)}"' if each[:1] == '"' or set(each) & set(_PARTS) else each for each in entries)


@lru_cache(maxsize=1)
def country_words() -> Mapping[str, str]:
    """What countries are called: folded name, in five languages, or code -> code of two letters."""
    known = countries_by_iso2()
    found = {fold(country.name): code for code, country in known.items()}
    for code, country in known.items():
        found.setdefault(fold(country.official_name), code)
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code in known:
                found.setdefault(fold(name), code)
    for code, names in _MORE_COUNTRIES.items():
        for name in names.split("/"):
            found.setdefault(fold(name), code)
    found.update({fold(code): country.iso2 for code, country in countries().items()})
    found.update({fold(code): code for code in known})
    return found


def read_country(cell: str) -> str:
    """A country by name in five languages, by its code or by a usual abbreviation, with points or without, as two letters; "" where the
    cell is empty."""
    text = cell.strip()
    if not text:
        return ""
    known = country_words()
    code = known.get(fold(text)) or known.get(fold(text.replace(".", "")))
    if code is None:
        raise CellInvalid(_("“%(text)s” is not a country that is known here.", text=text[:60]))
    return code


def read_word(cell: str, words: Mapping[str, str]) -> str:
    """A word of a list (folded word -> code); "" where the cell is empty."""
    text = cell.strip()
    if not text:
        return ""
    code = words.get(fold(text))
    if code is None:
        raise WordUnknown(text)
    return code


# --- amounts ---------------------------------------------------------------------------------------------------------

_NOTHING = re.compile(r"[-\u2010-\u2015\u2212 .]*")
_CURRENCY_WORDS: Mapping[str, str] = {
    "euro": "EUR",
    "euros": "EUR",
    "us dollar": "USD",
    "us dollars": "USD",
    "dollar us": "USD",
    "dollars us": "USD",
    "dolar estadounidense": "USD",
    "دولار": "USD",
    "دولار امريكي": "USD",
    "يورو": "EUR",
}


@lru_cache(maxsize=1)
def _currency_words() -> Mapping[str, str]:
    found = {fold(word): code for word, code in _CURRENCY_WORDS.items()}
    for language in LANGUAGES:
        for code, name in Locale(language).currencies.items():
            if currency_in_use(code):
                found.setdefault(fold(name), code)
    return found


def read_currency(cell: str) -> str:
    """A currency by its three letters, its sign or its name in five languages; "" where the cell is empty."""
    text = " ".join(cell.split())
    if not text:
        return ""
    code = text.upper() if known_currency(text.upper()) else currency_named(text) or _currency_words().get(fold(text), "")
    if not code:
        raise CellInvalid(_("“%(text)s” is no currency. Write its three letters, such as EUR.", text=text[:60]))
    return code


def amount_mark(cells: Iterable[str]) -> str:
    """How a column writes its amounts: "point" (1,234.56), "comma" (1.234,56), or "" where its cells do not show it, or contradict
    each other."""
    shown = {mark for cell in cells if (mark := decimal_mark_shown(cell))}
    return {".": "point", ",": "comma"}[shown.pop()] if len(shown) == 1 else ""


def read_amount(cell: str, currency: str = "", mark: str = "", *, otherwise: str = "", is_zero_fine: bool = False) -> Money | None:
    """An amount in `currency` (which its own cell may name too), else in the one that its cell names, else in the one that holds
    `otherwise`; None where the cell is empty or only a dash.

    `mark` ("point", "comma") settles 1.234; without it such a cell raises `AmountDoubtful`. More decimals than the currency has,
    zero and less are refused, a currency that is nowhere said raises `NoCurrency`: `CellInvalid` with the sentence."""
    text = " ".join(cell.split())
    if _NOTHING.fullmatch(text):
        return None
    code = currency_named(text) or currency or otherwise
    if not code:
        raise NoCurrency(_("Nothing says which currency “%(text)s” is in. Say under “Columns” which one this file is in.", text=text[:60]))
    if currency and code != currency:
        raise CellInvalid(_("The amount says %(other)s, but the currency is %(currency)s.", other=code, currency=currency))
    try:
        return Money(parse_amount(text, code, AMOUNT_MARKS.get(mark), allow_zero=is_zero_fine), code)
    except AmountAmbiguous as error:
        smaller, larger = error.readings
        raise AmountDoubtful(
            _(
                "“%(text)s” can be %(larger)s or %(smaller)s. Say under “Columns” how amounts are written in this file.",
                text=text[:60],
                larger=f"{code} {larger:,f}",
                smaller=f"{code} {smaller:,f}",
            )
        ) from error
    except AmountInvalid as error:
        raise CellInvalid(_(error.template, **error.params)) from error


_TOTALS = (
    "total/totals/grand total/sum/overall total/total general/total général/totaux/somme/suma/totales/total amount/montant total/subtotal/"
    "sub total/sub-total/sous-total/subtotales/gesamt/gesamtsumme/insgesamt/summe/zwischensumme/итого/всего/合计/总计/小计/共计/"
    "المجموع/مجموع/الاجمالي/الإجمالي/إجمالي/المجموع الكلي/المجموع الفرعي"
)
_TOTAL_WORDS = frozenset(map(fold, _TOTALS.split("/")))
_LONGEST_LABEL = 60


def begins_with_total(cell: str) -> bool:
    """Whether a cell begins as totals do, or is a number of all in two words: "Total contacts", "Total number of people", "Nombre total"."""
    words = [fold(word) for word in _TOKEN.findall(plain_digits(cell)) if not word.isdecimal()]
    return len(cell) <= _LONGEST_LABEL and bool(words) and (words[0] in _TOTAL_WORDS or (len(words) > 1 and words[1] in _TOTAL_WORDS))


def is_total_label(cell: str) -> bool:
    """Whether a cell says that its row is a total: "Total", "Somme", "TOTAL EUR:", "Total 2026"; not "Total Energies"."""
    if len(cell) > _LONGEST_LABEL:
        return False
    words = [word for word in _TOKEN.findall(plain_digits(cell)) if not word.isdecimal() and not known_currency(word)]
    return fold(" ".join(words)) in _TOTAL_WORDS

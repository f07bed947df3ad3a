"""Reading single cells of imported files: text, dates, decimals, years. Each either returns a value or raises `CellInvalid` with the reason."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal
from functools import lru_cache

from crm.formatting import is_blank
from crm.i18n import gettext as _

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}.*)?")
_WORDED = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3,9})\.?[ -](\d{4})")
_MONTHS = {
    name: place
    for place, (short, full) in enumerate(
        (
            ("jan", "january"),
            ("feb", "february"),
            ("mar", "march"),
            ("apr", "april"),
            ("may", "may"),
            ("jun", "june"),
            ("jul", "july"),
            ("aug", "august"),
            ("sep", "september"),
            ("oct", "october"),
            ("nov", "november"),
            ("dec", "december"),
        ),
        1,
    )
    for name in (short, full)
} | {"sept": 9}
_PLAIN = re.compile(r"\d{1,40}(?:\.\d{1,40})?")
_GROUPED = re.compile(r"\d{1,3}(?:(?:,\d{3}){2,}(?:\.\d{1,40})?|,\d{3}\.\d{1,40})")
_FLOAT_YEAR = re.compile(r"\d{4}(?:\.0)?")
FIRST_YEAR, LAST_YEAR = 1945, 2100


class CellInvalid(ValueError):
    """A cell cannot be read; its text is the reason, for a person."""


def clean(cell: str, limit: int, *, may_turn: bool = False) -> str:
    """The cell as text: composed (NFC), without control characters and outer blanks. Markup and formulas stay text. Characters that
    override the direction of writing make one name look like another: refused, unless the text `may_turn` as one typed in a form may."""
    text = cell.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        if is_blank(text):
            return ""  # a name that shows nothing is none
    if not text.isprintable():
        if not may_turn and ("\u202d" in text or "\u202e" in text):
            raise CellInvalid(_("The text holds a hidden character that turns the direction of writing round."))
        text = _CONTROLS.sub("", text).strip()
    if len(text) > limit:
        raise CellInvalid(_("The text is longer than %(limit)s characters.", limit=limit))
    return text


@lru_cache(maxsize=20_000)
def day(cell: str) -> date | None:
    """A date as 2026-11-30 (a time after it is dropped) or 30 November 2026; None where the cell is empty. 11/12/2026 is refused."""
    text = cell.strip()
    if not text:
        return None
    if match := _ISO.fullmatch(text):
        year_, month, day_ = int(match[1]), int(match[2]), int(match[3])
    elif (match := _WORDED.fullmatch(text)) and match[2].lower() in _MONTHS:
        year_, month, day_ = int(match[3]), _MONTHS[match[2].lower()], int(match[1])
    else:
        raise CellInvalid(_("“%(text)s” is not a date. Write it as 2026-11-30.", text=text[:40]))
    try:
        found = date(year_, month, day_)
    except ValueError as error:
        raise CellInvalid(_("There is no such day as “%(text)s”.", text=text[:40])) from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise CellInvalid(_("The year of “%(text)s” is outside %(first)s to %(last)s.", text=text, first=FIRST_YEAR, last=LAST_YEAR))
    return found


@lru_cache(maxsize=2_000)
def year(cell: str) -> int | None:
    """A year, "2026" (or "2026.0", as some programs write it); None where the cell is empty."""
    text = cell.strip()
    if not text:
        return None
    if not text.isascii() or not _FLOAT_YEAR.fullmatch(text) or not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
        raise CellInvalid(_("“%(text)s” is not a year.", text=text[:40]))
    return int(text[:4])


def decimal(cell: str, *, decimals: int, maximum: Decimal) -> Decimal | None:
    """An exact number of 0 or more with a decimal point; None where the cell is empty. Zeros after `decimals` places do not count.

    "1,234,567.89" is taken; "1,234" and "1.234,5" are not, because they can mean two things in a file.
    """
    text = cell.strip()
    if not text:
        return None
    if not text.isascii() or not (_PLAIN.fullmatch(text) or _GROUPED.fullmatch(text)):
        raise CellInvalid(_why_no_decimal(text))
    whole, _point, part = text.replace(",", "").partition(".")
    part = part.rstrip("0")
    if len(part) > decimals:
        raise CellInvalid(_("“%(text)s” has more than %(decimals)s decimals.", text=text[:60], decimals=decimals))
    value = Decimal(f"{whole}.{part}" if part else whole)
    if value > maximum:
        raise CellInvalid(_("“%(text)s” is too large.", text=text[:60]))
    return value


def _why_no_decimal(text: str) -> str:
    shown = text[:60]
    if text.startswith(("-", "\u2212", "(")):
        return _("“%(text)s” is negative.", text=shown)
    if re.fullmatch(r"[0-9.,]+[eE][+-]?[0-9]+", text):
        return _("“%(text)s” is in scientific notation: a spreadsheet has rounded it.", text=shown)
    if re.fullmatch(r"[0-9.,' \u00a0\u202f]+", text):
        return _("“%(text)s” can be read in more than one way. Write it with a decimal point and without grouping.", text=shown)
    return _("“%(text)s” is not a number.", text=shown)

"""The ways to reach the party of a row of a spreadsheet: telephone cells with words, several numbers in one, addresses torn by a blank."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import phonenumbers

from crm.errors import Invalid
from crm.i18n import _
from crm.queries.names import fold, is_none_word, says_none
from crm.services import parties
from crm.services.sheet_imports import Problems, SheetRow

CHANNELS = ("email", "phone", "mobile", "address")
CALLED = ("phone", "mobile")
#: What stands between two telephone numbers of a cell; a slash without blanks is a part of one.
_BETWEEN_NUMBERS = re.compile(r"\s+/\s+|\s*[,|]\s*|\s+(?:or|and|ou|et|o|y|oder|und|أو|و)\s+", re.IGNORECASE)
_FEWEST_DIGITS = 6
#: Digits beside letters that are surely no number to call: “after 2 pm”, “ext. 214”. The shortest numbers that are called have as many, and no letters.
_MOST_IN_WORDS = 3
_TORN = re.compile(r"\s*([@.])\s*")
#: Words beside a number that say no more than that it is one.
_CALL_WORDS = frozenset(
    map(fold, ("tel", "phone", "telephone", "telefono", "mob", "mobile", "cell", "gsm", "portable", "movil", "هاتف", "الهاتف", "جوال"))
)
#: The sign of an e-mail address typed more than once, and what was typed for the points of where it is.
_SIGNS, _BETWEEN_PARTS = re.compile(r"\s*@[\s@]*"), re.compile(r"\s*[,.]\s*|\s+")
#: What is written for the sign of an e-mail address, so that no machine reads it.
_AT = re.compile(r"\s*[\[({]\s*(?:at|chez|arroba)\s*[\])}]\s*", re.IGNORECASE)


def _numbers(text: str) -> list[str]:
    """The telephone numbers of a cell, which lists part by a slash, a comma or a word: each has digits enough to be one."""
    pieces = [piece.strip() for piece in _BETWEEN_NUMBERS.split(text)]
    return pieces if all(sum(map(str.isdigit, piece)) >= _FEWEST_DIGITS for piece in pieces) else [text]


def _two_numbers(text: str, region: str | None) -> list[str]:
    """The numbers of an entry that is none, where a blank parts it into two valid ones; else nothing."""
    pieces = text.split()
    found = []
    for place in range(1, len(pieces)):
        both = " ".join(pieces[:place]), " ".join(pieces[place:])
        with suppress(Invalid, phonenumbers.NumberParseException):
            if all(phonenumbers.is_valid_number(phonenumbers.parse(piece[:60], region)) for piece in both):
                found.append([parties.channel_value("phone", piece, region) for piece in both])
    return found[0] if len(found) == 1 else []


def _whole(texts: Iterable[str]) -> list[str]:
    """The entries of a cell, where a mark between brackets does not part: “(evenings, not Mondays)” is one remark."""
    found: list[str] = []
    for text in texts:
        if found and found[-1].count("(") > found[-1].count(")"):
            found[-1] = f"{found[-1]}, {text}"
        else:
            found.append(text)
    return found


def _beside(text: str, region: str | None) -> tuple[str, str]:
    """A telephone number and the words beside it, where exactly one number stands in the text; else the text as it is, and nothing.

    An extension is a part of its number, and so are letters that stand for digits: they are read with it."""
    if not any(map(str.isalpha, text)):
        return text, ""
    numbers = list(phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.POSSIBLE))
    if len(numbers) != 1:
        return text, ""
    before, after = text[: numbers[0].start], text[numbers[0].end :]
    said = [_bare(part) for part in (before, after)]
    words = ", ".join(part for part in said if part and fold(part) not in _CALL_WORDS)
    if sum(map(str.isdigit, words)) >= _FEWEST_DIGITS:  # perhaps a second number
        return text, ""
    return numbers[0].raw_string, words


def _bare(text: str) -> str:
    """A remark without what sets it off from its number: “(evenings)”, “- evenings”, “Evenings:”."""
    bare = text.strip(" .:,;/–—-")
    if bare[:1] == "(" and bare.find(")") in (-1, len(bare) - 1):
        return bare.strip("() ")
    return bare if any(map(str.isalnum, bare)) else ""


@dataclass(slots=True)
class Reached:
    """The ways to reach the party of a row, and as notes what its telephone cells say beside numbers, and instead of one."""

    channels: tuple[tuple[str, str], ...]
    beside: list[str]
    wordy: list[str]
    joined: int = 0  # e-mail addresses with a blank inside, or (at)
    unsure: int = 0  # telephone numbers as long as one of their country, but none that it gives out


def _one_address(given: Sequence[str]) -> str:
    """The one e-mail address of a cell that was torn by blanks (“rana@ x.example”), or that writes (at) for @; "" where it is none."""
    said = " ".join(given)
    whole = _TORN.sub(r"\1", _AT.sub("@", said))
    return whole if whole != said and whole.count("@") == 1 and _is_address(whole) else ""


def nearest_address(text: str) -> str:
    """The e-mail address that a cell with a slip of the pen is meant for (two signs, a comma or a blank for a point); "" where none is clear."""
    name, sign, house = _SIGNS.sub("@", " ".join(text.split())).strip(" .,;").partition("@")
    first = re.split(r"[\s,;]", house.strip(), maxsplit=1)[0]
    if first != house.strip() and _is_address(f"{name.strip()}{sign}{first}"):
        return ""  # an address, and something beside it
    found = f"{name.strip()}{sign}{_BETWEEN_PARTS.sub('.', house.strip())}"
    return found if found != text.strip() and _is_address(found) else ""


def _is_address(text: str) -> bool:
    with suppress(Invalid):
        parties.channel_value("email", text, None)
        return True
    return False


def _says_something(text: str) -> bool:
    """Whether a cell is no “-” or “n/a”."""
    return not is_none_word(text)


def _is_number(text: str) -> bool:
    """Whether an entry of a telephone cell is meant as a number: it has digits, and more than a remark has (“after 2 pm”, “ext. 12”)."""
    digits = sum(map(str.isdecimal, text))
    return digits > _MOST_IN_WORDS or (digits > 0 and ("+" in text or not any(map(str.isalpha, text))))


def channels_of(row: SheetRow, region: str | None, problems: Problems) -> Reached:
    """The ways to reach the party of a row. Words of a telephone cell are no number and refuse nothing; digits that are none do."""
    kept: dict[tuple[str, str], None] = {}
    said: list[str] = []
    wordy: list[str] = []
    joined = 0
    for kind in CHANNELS:
        given = row.several(kind)
        texts: Iterable[str] = given if _says_something(" ".join(given)) else ()
        if kind == "email" and (whole := _one_address(given)):
            texts, joined = (whole,), joined + 1
        if kind in CALLED:
            entries = [text for text in _whole(texts) if not says_none(text)]
            wordy.append(", ".join(bare for text in entries if not _is_number(text) and (bare := _bare(text))))
            texts = chain.from_iterable(map(_numbers, filter(_is_number, entries)))
        for text in texts:
            entry, words = _beside(text, region) if kind in CALLED else (text, "")
            try:
                value = parties.channel_value(kind, entry, region)
            except Invalid as error:
                if kind in CALLED and (both := _two_numbers(text, region)):
                    kept |= dict.fromkeys((kind, number) for number in both)
                else:
                    problems.add(kind, str(error))
                continue
            kept[kind, value] = None
            if words:
                said.append(_("Phone %(number)s: %(words)s", number=value, words=words))
    unsure = sum(kind in CALLED and not _is_given_out(value) for kind, value in kept)
    return Reached(tuple(kept), said, [_("Phone: %(words)s", words=words) for words in wordy if words], joined, unsure)


@lru_cache(maxsize=2_000)  # an import reads a row twice: checked, and then kept
def _is_given_out(number: str) -> bool:
    """Whether a number as it is kept begins like those that its country gives out. New ranges are known late, so that others are taken too."""
    return phonenumbers.is_valid_number(phonenumbers.parse(number))


def could_be_of(row: SheetRow, region: str) -> bool:
    """Whether a telephone number of a row that has no country code is one of a country."""
    for text in chain.from_iterable(_numbers(text) for kind in CALLED for text in row.several(kind)):
        if text.lstrip(" (").startswith(("+", "00")):
            continue
        with suppress(phonenumbers.NumberParseException):
            if phonenumbers.is_valid_number(phonenumbers.parse(text[:60], region)):
                return True
    return False


def is_called_from_anywhere(row: SheetRow, kind: str) -> bool:
    """Whether all numbers of a row's cell have a country code, so that they are read alike whatever its country is."""
    texts = [text for text in chain.from_iterable(map(_numbers, row.several(kind))) if _is_number(text)]
    return all(text.lstrip(" (").startswith(("+", "00")) for text in texts)

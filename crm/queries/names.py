"""Folding names, so that people find each other's spelling: case, accents, Arabic letter forms and punctuation do not count."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_LETTERS = str.maketrans(
    {
        "أ": "ا",
        "إ": "ا",
        "آ": "ا",
        "ٱ": "ا",
        "ى": "ي",
        "ی": "ي",
        "ئ": "ي",
        "ؤ": "و",
        "ة": "ه",
        "ۀ": "ه",
        "ک": "ك",
        "گ": "ك",
        "ـ": "",
        "ء": "",
        "ё": "е",
        "й": "и",
        "ı": "i",
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
    }
)
_LONGEST = 600


@lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """A name as it is compared and searched: NFKC, case folded, marks stripped, Arabic (and a few Latin and Cyrillic) letter
    forms made one, punctuation and symbols as blanks, blanks made one; at most 600 characters. Folding twice changes nothing.
    Text of punctuation only folds to its own case-folded self, so that it can still be found."""
    bare = text.casefold() if text.isascii() else _bare(text)
    folded = " ".join("".join(" " if _splits(c) else c for c in bare).split())
    if folded:
        return folded[:_LONGEST].rstrip()
    return "".join(c for c in bare if unicodedata.category(c)[0] not in "ZC")[:_LONGEST].rstrip()


def _bare(text: str) -> str:
    composed = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    bare = "".join(c for c in unicodedata.normalize("NFKD", composed) if not unicodedata.combining(c))
    return unicodedata.normalize("NFKC", bare).casefold().translate(_LETTERS)


@lru_cache(maxsize=10_000)
def _splits(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "PSZC"


#: What people write into a cell or a field where there is nothing to write.
_NONE = frozenset(map(fold, ("n/a", "na", "none", "nil", "aucun", "aucune", "ninguno", "ninguna", "لا يوجد", "لا توجد")))


_DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2015\u2212 ")


def is_none_word(text: str) -> bool:
    """Whether a text is a dash, or a word for nothing ("n/a", "none", "nil"). Other signs may be what is left of something: they are none."""
    said = text.strip()
    return bool(said) and (set(said) <= _DASHES or fold(said.strip(" .-")) in _NONE)


def says_none(text: str) -> bool:
    """Whether a text says that there is nothing to say: "-", "n/a", "none"; an empty one too."""
    return not any(map(str.isalnum, text)) or fold(text.strip(" .-")) in _NONE

"""Text as it goes onto a page: stacked marks are bounded, and controls of direction end where the text they stand in ends.

What a snapshot keeps is the text as it was written; these rules hold for what is drawn. A text within them is drawn as it is.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from markupsafe import Markup

from crm import i18n

MOST_DIACRITICS: Final = 4
"""General diacritics (U+0300 and their kin) on one base character: old Greek and Vietnamese need three, phonetic script four."""
MOST_MARKS: Final = 10
"""Marks of any kind on one base character: pointed Hebrew needs five, a Tibetan stack with its vowels eight."""

_FSI, _PDI, _PDF = "\u2068", "\u2069", "\u202c"
_EMBEDDINGS: Final = frozenset("\u202a\u202b\u202d\u202e")
_ISOLATES: Final = frozenset("\u2066\u2067\u2068")
_CONTROLS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")


def drawable(text: str) -> str:
    """The text as it may be drawn beside others."""
    return text if text.isascii() else isolated(bounded(text))


def finalize(value: Any) -> Any:
    """What a template prints: `drawable` for plain text; markup holds what went through here before."""
    return drawable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def bounded(text: str) -> str:
    """The text with at most so many marks on a base character; ten thousand of them would climb over the whole page.

    Joiners and other characters without extent start no new stack."""
    kept: list[str] = []
    general = marks = 0
    for char in text:
        kind = unicodedata.category(char)
        if kind in ("Mn", "Me"):
            marks += 1
            general += unicodedata.name(char, "").startswith("COMBINING")
            if marks > MOST_MARKS or general > MOST_DIACRITICS:
                continue
        elif kind != "Cf":
            general = marks = 0
        kept.append(char)
    return text if len(kept) == len(text) else "".join(kept)


def isolated(text: str) -> str:
    """The text with every embedding, override and isolate closed within it, and apart from the words around it.

    A right-to-left override in a name would otherwise turn the rest of the sentence. A text without such controls, and one that
    went through here before, comes back as it is."""
    if not _CONTROLS.search(text):
        return text
    kept: list[str] = []
    ends: list[str] = []
    reaches_out = False
    for char in text:
        if char in _EMBEDDINGS:
            reaches_out = reaches_out or _PDI not in ends
            ends.append(_PDF)
        elif char in _ISOLATES:
            ends.append(_PDI)
        elif char == _PDF:
            if not ends or ends[-1] != _PDF:
                continue
            ends.pop()
        elif char == _PDI:
            if _PDI not in ends:
                continue
            while ends.pop() != _PDI:
                pass
        kept.append(char)
    whole = "".join([*kept, *reversed(ends)])
    return f"{_FSI}{whole}{_PDI}" if reaches_out else whole


def gettext(message: str, /, **params: Any) -> str:
    """`crm.i18n.gettext` with every text that is filled in kept apart from the sentence."""
    return i18n.gettext(message, **_apart(params))


def ngettext(singular: str, plural: str, count: int, /, **params: Any) -> str:
    """`crm.i18n.ngettext` with every text that is filled in kept apart from the sentence."""
    return i18n.ngettext(singular, plural, count, **_apart(params))


def _apart(params: dict[str, Any]) -> dict[str, Any]:
    return {name: isolated(value) if isinstance(value, str) else value for name, value in params.items()}


_ = gettext

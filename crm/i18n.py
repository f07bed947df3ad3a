"""Translated text below Flask: gettext with the language in a context variable. Web templates wire on through `translations_for`."""

from __future__ import annotations

import gettext as _gettext_module
import re
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, total_ordering
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from unicodedata import bidirectional

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

DOMAIN = "messages"
DEFAULT_LOCALE = "en"
TRANSLATIONS = Path(__file__).parent / "translations"
#: The languages a person can choose, each in its own name: the six UN languages.
LOCALES: Mapping[str, str] = MappingProxyType(
    {"ar": "العربية", "zh": "中文", "en": "English", "fr": "Français", "ru": "Русский", "es": "Español"}
)
_RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})
_QUOTED = re.compile("(?<=“)([^“”]+)(?=”)")

_locale: ContextVar[str] = ContextVar("throughline_locale", default=DEFAULT_LOCALE)


def get_locale() -> str:
    """Return the language of this context, such as "en" or "fr"."""
    return _locale.get()


def set_locale(locale: str) -> None:
    """Set the language for the rest of this context; a request does so once, when it starts. Elsewhere take `use_locale`."""
    _locale.set(locale)


@contextmanager
def use_locale(locale: str) -> Iterator[None]:
    """Speak another language inside the block (a document in French for an English reader's click)."""
    token = _locale.set(locale)
    try:
        yield
    finally:
        _locale.reset(token)


def negotiate(preferred: Iterable[str], *, default: str = DEFAULT_LOCALE) -> str:
    """Return the first of our languages that a list of tags such as ["fr-CA", "en"] asks for."""
    for tag in preferred:
        language = tag.strip().replace("_", "-").partition("-")[0].lower()
        if language in LOCALES:
            return language
    return default


def direction(locale: str | None = None) -> str:
    """Return "rtl" or "ltr" for a language (by default this context's)."""
    language = (locale or get_locale()).replace("_", "-").partition("-")[0].lower()
    return "rtl" if language in _RIGHT_TO_LEFT else "ltr"


def named(name: str) -> str:
    """A name inside a sentence: in the direction of its own script, and moving nothing around it."""
    return f"\u2068{name}\u2069"


def is_turned(name: str) -> bool:
    """Whether a name holds letters that are written the other way than the reader's language."""
    other = ("L",) if direction() == "rtl" else ("R", "AL")
    return any(bidirectional(character) in other for character in name)


def sentence(text: str) -> str:
    """A sentence that may begin with a name, in the direction of its own language: an element that takes its direction from the
    first letter would take the name's, and "X became Y" reads "Y became X" where X is in Arabic and Y is not."""
    return ("\u200f" if direction() == "rtl" else "\u200e") + text


def quoted_apart(text: str) -> list[str]:
    """A sentence in pieces, of which every second one is what stands between “ and ”: words of another script there turn nothing around them."""
    return _QUOTED.split(text)


@lru_cache(maxsize=64)
def translations_for(locale: str) -> _gettext_module.NullTranslations:
    """Return the catalogue of a language; "pt-BR" falls back to "pt", and a language without a catalogue to the English of the code."""
    tag = locale.replace("-", "_")
    wanted = [tag, tag.partition("_")[0]]
    if not all(part.isalnum() for name in wanted for part in name.split("_")):
        return _gettext_module.NullTranslations()
    return _gettext_module.translation(DOMAIN, localedir=TRANSLATIONS, languages=wanted, fallback=True)


def _fill(text: str, params: Mapping[str, Any]) -> str:
    return text % params if params else text


def gettext(message: str, /, **params: Any) -> str:
    """Return the message in this context's language. With parameters, `%(name)s` is filled in; without, a "%" stays as it is."""
    return _fill(translations_for(get_locale()).gettext(message), params)


def ngettext(singular: str, plural: str, count: int, /, **params: Any) -> str:
    """Return the form of a message for a count; `%(num)d` is the count."""
    return translations_for(get_locale()).ngettext(singular, plural, count) % {"num": count, **params}


def pgettext(context: str, message: str, /, **params: Any) -> str:
    """Return a message that means different things in different places ("May" the month)."""
    return _fill(translations_for(get_locale()).pgettext(context, message), params)


@total_ordering
class LazyText:
    """Text that is translated when it is shown, for module-level labels. Behaves as a string where one is read."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], str]) -> None:
        """Keep the function that makes the text."""
        self._make = make

    def __str__(self) -> str:
        return self._make()

    def __repr__(self) -> str:
        return f"LazyText({str(self)!r})"

    def __hash__(self) -> int:
        return hash(str(self))

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, str | LazyText) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return str(self) < str(other) if isinstance(other, str | LazyText) else NotImplemented

    def __add__(self, other: object) -> str:
        return str(self) + str(other) if isinstance(other, str | LazyText) else NotImplemented

    def __radd__(self, other: object) -> str:
        return str(other) + str(self) if isinstance(other, str) else NotImplemented

    def __mod__(self, params: object) -> str:
        return str(self) % params

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __len__(self) -> int:
        return len(str(self))

    def __bool__(self) -> bool:
        return bool(str(self))

    def __contains__(self, part: str) -> bool:
        return part in str(self)

    def __iter__(self) -> Iterator[str]:
        return iter(str(self))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # no __html__: the text is escaped like any other
            raise AttributeError(name)
        return getattr(str(self), name)


def lazy_gettext(message: str, /, **params: Any) -> Any:
    """Return text that is translated at the moment it is shown."""
    return LazyText(lambda: gettext(message, **params))


_ = gettext
_l = lazy_gettext

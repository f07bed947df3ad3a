"""What a drawn document could not print: characters that no font of ours holds, and where in the document they stand.

Paper shows an empty box for them and the text inside the PDF is right all the same, so nobody is told unless we say it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from fontTools.ttLib import TTFont

from reports.render import HERE

_UNSEEN = re.compile(
    "[\u0000-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u1680\u17b4\u17b5\u180b-\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)  # blanks, controls, and what Unicode says to leave out where a font does not know it: none of them is drawn as a box
_NOT_DRAWN = frozenset({"style", "script", "title", "desc"})
_WALLS = frozenset({"section", "main", "body", "html", "table", "tbody", "thead", "figure"})
_ALONE = frozenset({"br", "hr", "img", "meta", "link", "wbr", "col", "input"})


@dataclass(frozen=True, slots=True)
class Unprinted:
    """Characters that stand as empty boxes in one place: the section's heading, and the record quoted there where one is."""

    section: str
    record: str
    characters: tuple[str, ...]


def unprinted(content: str, html: str, assets: str) -> tuple[Unprinted, ...]:
    """The characters of a kept document that none of the fonts it was drawn with holds, by place, in the order of the pages.

    `assets`: the snapshot's hashes by file name; a font that came later does not count for an older document.
    """
    fonts = frozenset(name.removeprefix("fonts/") for name in json.loads(assets or "{}") if name.startswith("fonts/"))
    missing = absent(html, fonts)
    if not missing:
        return ()
    reader = _Reader(missing)
    reader.feed(html)
    reader.close()
    records = {line["mark"]: ", ".join(one["reference"] for one in line["sources"][:2]) for line in _references(content)}
    places: dict[tuple[str, str], dict[str, None]] = {}
    for section, element, text in reader.found:
        place = places.setdefault((" ".join(section.heading.split()), records.get(element.mark(), "")), {})
        place.update(dict.fromkeys(one for one in text if one in missing))
    return tuple(Unprinted(section, record, tuple(characters)) for (section, record), characters in places.items())


def _references(content: str) -> Iterable[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(content)["document"]["references"]
    return found


def absent(text: str, fonts: frozenset[str]) -> frozenset[str]:
    """The characters of a text that would be drawn and that none of these font files holds."""
    covered = _covered(fonts)
    return frozenset(one for one in set(text) if ord(one) not in covered and not _UNSEEN.match(one))


@functools.lru_cache(maxsize=8)
def _covered(fonts: frozenset[str]) -> frozenset[int]:
    """Every character that one of these fonts holds; a font that is not shipped any more holds none."""
    return frozenset().union(*(_held_by(name) for name in sorted(fonts)))


@functools.cache
def _held_by(name: str) -> frozenset[int]:
    path = HERE / "fonts" / name
    if path.parent != HERE / "fonts" or not path.is_file():
        return frozenset()
    with TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap())


@dataclass(slots=True, eq=False)
class _Element:
    """An open element: the marks of the annex that stand in it."""

    tag: str
    parent: _Element | None
    marks: set[int] = field(default_factory=set)

    def mark(self) -> int:
        """The one mark that stands in the element or nearest around it, short of a whole section or table; 0 where none does."""
        here: _Element | None = self
        while here is not None and here.tag not in _WALLS and len(here.marks) < 2:  # noqa: PLR2004 - two marks name no one record
            if here.marks:
                return next(iter(here.marks))
            here = here.parent
        return 0


@dataclass(slots=True, eq=False)
class _Section:
    heading: str = ""


class _Reader(HTMLParser):
    """Finds the texts with absent characters: (the section, the element, the text)."""

    def __init__(self, absent: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.absent = absent
        self.section = _Section()
        self.open: _Element | None = None
        self.found: list[tuple[_Section, _Element, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _ALONE:
            return
        self.open = _Element(tag, self.open)
        if tag == "h2":
            self.section = _Section()
        for name, value in attrs:
            if found := re.fullmatch(r"#ref-(\d{1,6})" if name == "href" else r"ref-(\d{1,6})" if name == "id" else r"(?!)", value or ""):
                self._mark(int(found[1]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of a drawing that holds nothing."""

    def handle_endtag(self, tag: str) -> None:
        here = self.open
        while here is not None and here.tag != tag:
            here = here.parent
        if here is not None:
            self.open = here.parent

    def handle_data(self, data: str) -> None:
        here = self.open
        if here is None or here.tag in _NOT_DRAWN:
            return
        if here.tag == "h2":
            self.section.heading += data
        if not self.absent.isdisjoint(data):
            self.found.append((self.section, here, data))

    def _mark(self, number: int) -> None:
        here = self.open
        while here is not None:
            here.marks.add(number)
            here = here.parent

"""Marks of a document: every figure carries one, and each mark leads to a line of the annex that names the records behind it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_NAMED = 12
"""References that a line of the annex spells out; longer lists are counted and attached as a file."""


@dataclass(frozen=True, slots=True)
class Source:
    """A record behind a figure: its noun, its key as text, and the reference a person can say."""

    noun: str
    id: str
    reference: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure ready to print with its mark. `value` is exact and language-free; a dash has neither value nor mark."""

    text: str
    value: str = ""
    mark: int = 0


NOTHING = Figure("\N{EN DASH}")
"""What stands where no figure is known."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A line of the annex: what the figure is, its exact value, the records, and how it was converted where it was."""

    mark: int
    what: str
    value: str
    sources: tuple[Source, ...]
    note: str = ""

    @property
    def named(self) -> tuple[str, ...]:
        """The references that the line spells out."""
        return tuple(source.reference for source in self.sources[:MOST_NAMED])

    @property
    def more(self) -> int:
        """How many more stand in the attached file alone."""
        return max(0, len(self.sources) - MOST_NAMED)


@dataclass(slots=True)
class ReferenceBook:
    """Collects marks in the order in which figures are first printed. The same figure has the same mark."""

    _lines: dict[tuple[str, str, str], Reference] = field(default_factory=dict)

    def figure(self, text: str, value: str, what: str, sources: Iterable[Source], note: str = "") -> Figure:
        """Print `text` for a figure: `what` it is in words, its exact `value`, the records it was made from.

        Raises ValueError where a figure names no record: a figure without a record behind it is not printed.
        """
        found = tuple(sorted(set(sources), key=lambda source: (source.noun, source.reference, source.id)))
        if not found:
            message = f"no record behind “{what}”"
            raise ValueError(message)
        key = (what, value, note)
        line = self._lines.get(key)
        if line is None or line.sources != found:
            key = key if line is None else (what, f"{value} {len(self._lines)}", note)
            line = self._lines.setdefault(key, Reference(len(self._lines) + 1, what, value, found, note))
        return Figure(text, value, line.mark)

    @property
    def references(self) -> tuple[Reference, ...]:
        """All lines, by mark."""
        return tuple(sorted(self._lines.values(), key=lambda line: line.mark))


def records_csv(references: Iterable[Reference]) -> bytes:
    """Every mark with every record behind it, one row each: the file attached to the document."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["mark", "figure", "value", "kind", "reference", "record"])
    for line in references:
        for source in line.sources:
            writer.writerow([line.mark, _plain(line.what), _plain(line.value), source.noun, _plain(source.reference), source.id])
    return text.getvalue().encode("utf-8-sig")


def _plain(text: str) -> str:
    """Text that a spreadsheet reads as text: formulas are given an apostrophe (people's words come from outside)."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text

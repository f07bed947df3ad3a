"""What a person said of values of a column: read this in place of that; and values that stand in many rows with the same problem."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crm.exchange.sheet_cells import joined, parts
from crm.exchange.sheet_fields import COUNTRY, CURRENCY, WORD, WORD_MARKS, WORDS, SheetField

MOST_VALUES = 500
#: Columns of words from a list: what is said of them holds for the next file of a source too, and names nobody.
OF_LISTS = frozenset({WORD, WORDS, COUNTRY, CURRENCY})
_LONGEST_KEY = 300


def value_key(text: str) -> str:
    """A value as it is told apart from others of its column: case and blanks do not count. Of a long one its beginning, and what
    tells it from others that begin so."""
    key = " ".join(text.split()).casefold()
    return key if len(key) <= _LONGEST_KEY else key[:_LONGEST_KEY] + hashlib.sha256(key.encode()).hexdigest()


@dataclass(slots=True)
class WrongValue:
    """A value of a column that cannot be read: the first spelling of it, why, and in which rows."""

    heading: str
    text: str
    why: str
    rows: list[int] = field(default_factory=list)


class Wrong(dict[tuple[str, str], WrongValue]):
    """Values that cannot be read, by heading and key, in the order of the file."""

    def note(self, heading: str, text: str, why: str, row: int) -> None:
        """One more row that has it."""
        found = self.setdefault((heading, value_key(text)), WrongValue(heading, " ".join(text.split()), why))
        if not found.rows or found.rows[-1] != row:
            found.rows.append(row)


class Replaced:
    """Reads one text in place of another in whole columns, and counts the rows in which it did.

    `values`: heading -> value -> what is read instead. Of a column that may hold several words, each word counts by itself."""

    def __init__(self, headings: Sequence[str], fields: Mapping[str, SheetField], values: Mapping[str, Mapping[str, str]]) -> None:
        """Find the columns of which something was said."""
        self._columns = [
            (
                place,
                heading,
                {value_key(text): (text, instead) for text, instead in values[heading].items()},
                fields[heading].reads == WORDS,
            )
            for place, heading in enumerate(headings)
            if values.get(heading) and heading in fields
        ]
        self.counts: dict[tuple[str, str], int] = {}

    def __bool__(self) -> bool:
        return bool(self._columns)

    def cells(self, row: tuple[str, ...]) -> tuple[str, ...]:
        """The cells of a row with what is read in their place."""
        found = list(row)
        for place, heading, table, has_words in self._columns:
            if row[place].strip():
                found[place] = self._cell(heading, row[place], table, has_words=has_words)
        return tuple(found)

    def _cell(self, heading: str, cell: str, table: Mapping[str, tuple[str, str]], *, has_words: bool) -> str:
        whole = table.get(value_key(cell))
        words = parts(cell, WORD_MARKS) if has_words and whole is None else ()
        known = [whole] if whole is not None else [table[key] for key in map(value_key, words) if key in table]
        for text in {text for text, _instead in known}:
            self.counts[heading, text] = self.counts.get((heading, text), 0) + 1
        if whole is not None:
            return whole[1]
        read = (table[key][1] if (key := value_key(word)) in table else word for word in words)
        return joined(word for word in read if word) if known else cell


def said_of_values(values: Mapping[str, Mapping[str, str]], said: Mapping[tuple[str, str], str | None]) -> dict[str, dict[str, str]]:
    """What is read in place of what, once more was said: (heading, the value) -> what to read instead; None: as it stands.

    Nothing is replaced twice: what led to a value that is now read otherwise leads to the same. What is said at once stands beside each
    other, so that two values can change places; an answer that is said again as it was is none."""
    found = {heading: dict(table) for heading, table in values.items()}
    new = {
        (heading, text): instead
        for (heading, text), instead in said.items()
        if text not in values.get(heading, {}) or values[heading][text] != instead
    }
    said_now = {(heading, value_key(text)) for heading, text in new}
    for (heading, text), instead in new.items():
        table, key = found.setdefault(heading, {}), value_key(text)
        for other in [other for other in table if value_key(other) == key]:
            del table[other]
        if instead is None:
            continue
        for other, before in values.get(heading, {}).items():
            if value_key(before) == key and (heading, value_key(other)) not in said_now:
                table[other] = instead
        table[text] = instead
    return {heading: table for heading, table in found.items() if table}

"""Rows of one file that may be one: compared with the rows before them as crm.queries.duplicates compares a party with those on record."""

from __future__ import annotations

import re

from crm.i18n import _
from crm.queries.duplicates import OF_ONE_KEY, REASONS
from crm.queries.likeness import Likeness, keys, likeness, words
from crm.queries.sheet_imports import NewContact

_BY_LIKENESS = {Likeness.SAME: "same", Likeness.WRITTEN: "written", Likeness.TYPED: "typed"}
_RANKS = list(REASONS)


class RowsAlike:
    """The rows so far that make somebody: by address and number for a whole file, by name until they are on record.

    Another country does not tell two rows apart, as it does not against records: it is asked, never put together."""

    def __init__(self) -> None:
        self._reached: dict[int, int] = {}  # hash of an address or number -> the first row that has it
        self._named: dict[int, list[NewContact]] = {}

    def forget_names(self) -> None:
        """The rows so far are on record, and found there."""
        self._named.clear()

    def earlier(self, contact: NewContact) -> tuple[int, str, bool] | None:
        """The earlier row that a row may be one with, the likeliest, that in words, and whether both its name and an address or number say
        so; the row is one of the earlier ones from now on."""
        nearest = self.nearest(contact)
        if nearest is None:
            return None
        row, why, is_sure = nearest
        return row, _("row %(row)s of this file: %(why)s", row=row, why=why), is_sure

    def nearest(self, contact: NewContact) -> tuple[int, str, bool] | None:
        """The same with the reason alone."""
        reached = [
            (_RANKS.index("email" if kind == "email" else "phone"), row)
            for kind, value in contact.channels
            if (row := self._reached.setdefault(_reach(kind, value), contact.row)) != contact.row
        ]
        shared = {key for name in contact.names for key in keys(name)}
        alike = {id(one): one for key in shared for one in self._named.get(key, ())}
        named = [(rank, one.row) for one in alike.values() if (rank := _rank(contact, one)) is not None]
        for key in shared:
            held = self._named.setdefault(key, [])
            held.append(contact)
            del held[:-OF_ONE_KEY]
        if not (reached or named):
            return None
        rank, row = min(reached + named)
        is_sure = any(row == other for _rank_of, other in reached) and any(row == other for _rank_of, other in named)
        return row, str(REASONS[_RANKS[rank]]), is_sure


def is_better(name: str, other: str) -> bool:
    """Whether a spelling of a name is surely better than another one of two rows that are one: the same words, of which only the other's are
    in capitals or small letters throughout, or has an initial where this one has the name."""
    mine, its = words(name), words(other)
    if sorted(mine) == sorted(its):
        return _is_well_cased(name) and not _is_well_cased(other)
    if len(mine) != len(its) or any(len(word) == 1 for word in mine):
        return False
    pairs = list(zip(mine, its, strict=True))
    return any(one != two for one, two in pairs) and all(one == two or (len(two) == 1 and one.startswith(two)) for one, two in pairs)


def _is_well_cased(name: str) -> bool:
    """Whether the words of a name begin with capitals and go on in small letters. Short words, and scripts without capitals, say nothing."""
    telling = [word for word in re.findall(r"[^\W\d_]{4,}", name) if word.lower() != word.upper()]
    return all(word[0].isupper() and not word.isupper() for word in telling)


def _reach(kind: str, value: str) -> int:
    return hash(("email" if kind == "email" else "phone", value.casefold()))


def _rank(one: NewContact, other: NewContact) -> int | None:
    if one.form != other.form or other.row >= one.row:
        return None
    is_person = one.form == "person"
    best = max((likeness(mine, its, is_person=is_person) for mine in one.names for its in other.names), default=Likeness.NO)
    return _RANKS.index(_BY_LIKENESS[best]) if best else None

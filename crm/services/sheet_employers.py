"""Organisations that rows name for posts, and that would be new: which of them may be one, with each other, with a row or with a record.

A list of contacts spells its employers as they were heard. Each spelling would become an organisation of its own, which every office sees.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from crm.i18n import _
from crm.queries import sheet_imports as found
from crm.queries.names import fold
from crm.queries.sheet_imports import NewContact
from crm.services.sheet_alike import RowsAlike

#: Organisations that a person is asked about, and that are kept to be compared with: a whole register is no list of employers.
MOST_ASKED, MOST_HELD = 100, 5_000


@dataclass(frozen=True, slots=True)
class Employer:
    """A new organisation that may be another one: the first row that names it, and of each other one its reference or name, that in words with the reason, and whether it is on
    record."""

    row: int
    name: str
    others: tuple[tuple[str, str, bool], ...]


class Employers:
    """The new organisations of posts of a file so far."""

    def __init__(self, same: Mapping[str, str], apart: Mapping[str, Sequence[str]]) -> None:
        """`same`: name -> the name or reference that a person said it is read as; `apart`: name -> those that it was said to be none of."""
        self._same = {fold(name): other for name, other in same.items()}
        self._apart: dict[str, dict[str, None]] = defaultdict(dict)  # both ways
        for name, others in apart.items():
            self._apart[fold(name)] |= dict.fromkeys(others)
            for other in others:
                self._apart[fold(other)][name] = None
        self._alike = RowsAlike()
        self._names: list[tuple[int, str, bool]] = []  # row, name, whether it is named for a post; its place is what it is compared as
        self.asked: dict[str, Employer] = {}

    def meant(self, name: str) -> str:
        """The name or reference that a name is read as: what it was said to be, and that in turn."""
        for _step in range(MOST_ASKED if self._same and name else 0):
            other = self._same.get(fold(name))
            if other is None or fold(other) == fold(name):
                break
            name = other
        return name

    def apart(self, name: str) -> Collection[str]:
        """The names and references that a name was said to be none of."""
        return self._apart.get(fold(name), ())

    def take(self, office_id: uuid.UUID, listed: Iterable[tuple[int, str]], named: Sequence[tuple[int, str]]) -> None:
        """Take in (row, name) of organisations that are rows of the file themselves, and of new ones that rows name for posts."""
        for row, name in listed:
            if (other := self._nearest(row, name, is_named=False)) is not None and other[2]:
                self._ask(other[0], other[1], [(name, _("%(name)s (row %(row)s: %(why)s)", name=name, row=row, why=other[3]), False)])
        on_record = found.possible_duplicates(
            office_id, [NewContact(place, "organisation", (name,), ()) for place, (_row, name) in enumerate(named)]
        )
        for place, (row, name) in enumerate(named):
            others = [(reference, words, True) for reference, words in on_record.get(place, ())]
            if (other := self._nearest(row, name, is_named=True)) is not None:
                others.append((other[1], _("%(name)s (row %(row)s: %(why)s)", name=other[1], row=other[0], why=other[3]), False))
            if others:
                self._ask(row, name, others)

    def _nearest(self, row: int, name: str, *, is_named: bool) -> tuple[int, str, bool, str] | None:
        """An earlier one that it may be: row, name, whether it was named for a post, and why in words."""
        if len(self._names) >= MOST_HELD:
            return None
        self._names.append((row, name, is_named))
        nearest = self._alike.nearest(NewContact(len(self._names), "organisation", (name,), ()))
        if nearest is None:
            return None
        earlier = self._names[nearest[0] - 1]
        return None if fold(earlier[1]) == fold(name) else (*earlier, nearest[1])

    def _ask(self, row: int, name: str, others: Sequence[tuple[str, str, bool]]) -> None:
        """Ask about a name, unless it was settled, or so many are."""
        folded = fold(name)
        left = [one for one in others if one[0] not in self.apart(name)]
        if left and folded not in self._same and (folded in self.asked or len(self.asked) < MOST_ASKED):
            before = self.asked.get(folded)
            self.asked[folded] = Employer(row, name, (*(before.others if before else ()), *left))

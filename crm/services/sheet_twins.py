"""Rows of a list of parties that a person said are one with an earlier row or a record, or two: what was said, and what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from itertools import chain

from crm.i18n import _, ngettext
from crm.queries.sheet_imports import KnownParty

_MOST_JOINED = 20


class TwinsSaid:
    """What a person said of rows that look like another one: that they are one with it, or two (`parted`: none of these); and what came of
    that.

    A row is one with an earlier row, whatever that was found to be: new, or on record."""

    def __init__(self, twins: Mapping[int, str], parted: Mapping[int, Sequence[str]]) -> None:
        self._twins, self._parted = twins, parted
        named = chain(twins.values(), chain.from_iterable(parted.values()))
        self._targets = {int(text) for text in named if text.isdecimal()}
        self._found: dict[int, KnownParty] = {}
        self._lost: set[int] = set()
        self._joined: dict[int, tuple[str, list[str], bool]] = {}

    def twin(self, row: int) -> str:
        """The earlier row, or the reference, that a row is one with; "" for none."""
        twin = self._twins.get(row, "")
        return twin if twin.isdecimal() or "-" in twin else ""

    def reference(self, row: int) -> str:
        """The reference that a row is one with; "" for none."""
        twin = self.twin(row)
        return "" if twin.isdecimal() else twin

    def is_settled(self, row: int) -> bool:
        """Whether anything was said of a row."""
        return row in self._twins

    def parted(self, row: int) -> Sequence[str]:
        """The rows and references that a row was said to be another one than."""
        return self._parted.get(row, ())

    def party_of(self, row: int) -> uuid.UUID | None:
        """The party that an earlier row made, or was found to be; None where it was not taken."""
        one = self._found.get(row)
        return one.id if one is not None else None

    def target(self, twin: str) -> KnownParty | None:
        """The party of the earlier row, as it was when that row was taken."""
        return self._found.get(int(twin)) if twin.isdecimal() else None

    def among(self, twin: str, known: Mapping[str, list[KnownParty]]) -> KnownParty | None:
        """The party of the earlier row, as it is now; None where that row was not taken."""
        kept = self.target(twin)
        if kept is None or kept.id is None:  # made by this file, and not written yet
            return kept
        return next((one for one in known.get(str(kept.id), ()) if one.id == kept.id), None)

    def forget_unfound(self) -> None:
        """Rows of which the record is not found any more, by a worker that goes on with the file: nothing can be one with it."""
        self._lost |= {row for row, one in self._found.items() if one.id is None}
        self._found = {row: one for row, one in self._found.items() if one.id is not None}

    def note(self, row: int, twin: str, match: KnownParty | None, aside: Sequence[str], *, makes: bool) -> None:
        """A row was taken: later ones may be one with it. `aside`: the fields of which it says otherwise; `makes`: it makes its party."""
        if row in self._targets and match is not None:
            self._found[row] = match
        if twin.isdecimal() or (twin and not makes):
            called = twin if twin.isdecimal() or match is None else f"{match.name} ({twin})"
            self._joined[row] = (called, list(aside), makes)

    def notes(self, headings: Mapping[str, str]) -> list[str]:
        """What came of it otherwise than it was said, or beside that, in sentences."""
        said = []
        news = [(row, one) for row, one in self._joined.items() if one[1] or one[2]]
        for row, (twin, aside, is_alone) in news[:_MOST_JOINED]:
            other = _other(twin)
            if is_alone and twin.isdecimal() and int(twin) in self._lost:
                said.append(
                    _("Row %(row)s is brought in by itself: who was made of %(other)s has another name by now.", row=row, other=other)
                )
                continue
            if is_alone:
                said.append(_("Row %(row)s is brought in by itself: %(other)s, with which it is one, is not taken.", row=row, other=other))
                continue
            names = ", ".join(headings.get(name, name) for name in aside)
            said.append(_("%(one)s It says otherwise, which is left aside: %(names)s.", one=_as_one(row, twin), names=names))
        return said + _more_joined(len(news) - len(said))

    def as_said(self) -> list[str]:
        """The rows that are one with others as it was said, in sentences."""
        rows = [(row, twin) for row, (twin, aside, is_alone) in self._joined.items() if not aside and not is_alone]
        said = [_as_one(row, twin) for row, twin in rows[:_MOST_JOINED]]
        return said + _more_joined(len(rows) - len(said))


def _other(twin: str) -> str:
    return _("row %(row)s", row=twin) if twin.isdecimal() else twin


def _as_one(row: int, twin: str) -> str:
    return _("Row %(row)s is brought in as one with %(other)s.", row=row, other=_other(twin))


def _more_joined(left: int) -> list[str]:
    if not left:
        return []
    return [ngettext("%(num)d more row is brought in as one with another.", "%(num)d more rows are brought in as one with others.", left)]

"""Possible duplicates named once before something is saved; saving again says that they are others."""

from __future__ import annotations

import uuid

from wtforms import HiddenField

from crm.queries.duplicates import Alike, Candidate, possible_duplicates_of

_MOST = 40


class Question:
    """Asks of a form, once: is it one of these? Its hidden field keeps whom the person has been shown."""

    def __init__(self, seen: HiddenField) -> None:
        self._seen = seen
        self.alike: tuple[Alike, ...] = ()
        self.shown: tuple[Alike, ...] = ()
        self.distinct_from: tuple[uuid.UUID, ...] = ()

    def is_answered(self, candidate: Candidate, office_id: uuid.UUID | None = None) -> bool:
        """Whether nobody is alike who was not shown before. Else `shown` are all who are; saving again answers it. `office_id`: only
        those that a record of this office may name."""
        (alike,) = possible_duplicates_of([candidate], office_id=office_id)
        self.alike, known = alike, _ids(self._seen.data)
        self.distinct_from = tuple(other.id for other in alike if other.id in known)
        if len(self.distinct_from) == len(alike):
            return True
        self.shown = alike
        self._seen.data = " ".join(sorted(map(str, known | {other.id for other in alike})))
        return False


def _ids(text: str | None) -> set[uuid.UUID]:
    found = set()
    for part in (text or "").split()[:_MOST]:
        try:
            found.add(uuid.UUID(part))
        except ValueError:
            continue
    return found

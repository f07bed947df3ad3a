"""Whom the cells of a list name: the one party, colleague, ask or programme on record, or the sentence why the row is not taken."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence

from crm.i18n import _
from crm.queries import sheet_contacts as held
from crm.queries import sheet_imports as found
from crm.queries.sheet_contacts import Colleague
from crm.queries.sheet_imports import Named
from crm.services.sheet_imports import RowRefused

_MOST_NAMED = 6
_SHOWN = 80


class PartyNames:
    """Parties that cells of some rows name, looked up together: by reference, else by a name or other name, never by an internal id."""

    def __init__(self, office_id: uuid.UUID, texts: Iterable[str], *, forms: Sequence[str] = ()) -> None:
        wanted = {text for text in texts if text.strip()}
        self.named = found.parties_named(office_id, wanted, forms=forms)
        unknown = (text for text in wanted if not self.named.get(text))
        self._near = held.near_names(office_id, unknown, forms[0] if forms else "")

    def all_ids(self) -> set[uuid.UUID]:
        """Everybody whom a cell may mean."""
        return {one.id for named in self.named.values() for one in named}

    def one(self, text: str, field: str, preferred: Iterable[uuid.UUID] = ()) -> Named:
        """The one that a text names; of several, the only one of `preferred`. Raises `RowRefused` naming the candidates."""
        alike = self.named.get(text, [])
        if len(alike) > 1:
            liked = set(preferred)
            alike = [one for one in alike if one.id in liked] if sum(one.id in liked for one in alike) == 1 else alike
        if len(alike) == 1:
            return alike[0]
        if alike:
            raise RowRefused(field, several(text, (f"{one.name} ({one.reference})" for one in alike)))
        raise RowRefused(field, self._unknown(text))

    def _unknown(self, text: str) -> str:
        shown = text[:_SHOWN]
        if near := self._near.get(text):
            return _(
                "“%(text)s” is not on record. Perhaps it is %(near)s: then write that reference. Else record it first.",
                text=shown,
                near=near,
            )
        return _("“%(text)s” is not on record. Record it first, or bring it in a list of people, organisations and groups.", text=shown)


def several(text: str, candidates: Iterable[str]) -> str:
    """The sentence that a text can mean several."""
    listed = "; ".join(list(candidates)[:_MOST_NAMED])
    return _("“%(text)s” can mean several: %(candidates)s. Write the reference of the one you mean.", text=text[:_SHOWN], candidates=listed)


def colleague(named: Mapping[str, Sequence[Colleague]], text: str, field: str) -> uuid.UUID:
    """The colleague whom a text names. Raises `RowRefused`."""
    alike = named.get(text, ())
    if len(alike) == 1:
        return alike[0].id
    if alike:
        listed = "; ".join(f"{one.name} ({one.email})" for one in alike[:_MOST_NAMED])
        raise RowRefused(
            field, _("“%(text)s” can mean several colleagues: %(names)s. Write the e-mail address.", text=text[:_SHOWN], names=listed)
        )
    raise RowRefused(
        field, _("“%(text)s” is none of your colleagues here. Write an e-mail address with which one signs in.", text=text[:_SHOWN])
    )


def record_of(named: Mapping[str, Sequence[tuple[uuid.UUID, str]]], text: str, field: str, unknown: str) -> uuid.UUID:
    """The record of the office that a text names by its reference or its title; `unknown` is the sentence where none does."""
    alike = named.get(text, ())
    if len(alike) == 1:
        return alike[0][0]
    raise RowRefused(field, several(text, (reference for _id, reference in alike)) if alike else unknown)

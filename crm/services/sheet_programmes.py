"""Spreadsheets of programmes with what they need each year: a row for each year, or a column. What a year needs is said anew, never edited."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.formatting import day
from crm.i18n import _, get_locale, ngettext
from crm.models.programmes import ProgrammeTag
from crm.money import Money
from crm.policy import Actor
from crm.queries import sheet_money as held
from crm.queries.names import fold
from crm.queries.sheet_money import KnownProgramme
from crm.services import money_rules as rules
from crm.services import programmes
from crm.services.programmes import ProgrammeInput
from crm.services.sheet_imports import RowRefused, SheetOptions, SheetRow
from crm.services.sheet_money import Judged, MoneySheet, money_of, programmes_named, rows_of

_TEXTS = ("summary", "sector", "place_text")
_DAYS = ("starts_on", "ends_on")


class Programmes(MoneySheet):
    """Programmes. The same one is known by its reference, else by its title; empty cells change nothing."""

    def __init__(self, options: SheetOptions) -> None:
        super().__init__(options)
        self._claimed: dict[str, int] = {}
        self._unknown_references = self._without_start = 0

    def group_of(self, row: SheetRow) -> str:
        """Rows with one reference, else one title, are years of one programme."""
        return fold(row.text("reference") or row.text("title"))

    def amounts(self, row: SheetRow) -> Sequence[Money]:
        """What the years of a row need."""
        found = money_of(row, "amount")
        return [found] if found else [amount for _year, amount in row.values.get("need", ()) if isinstance(amount, Money)]

    def notes(self) -> list[str]:
        """References that are not ours, and programmes that do not say when they start."""
        said = []
        if self._unknown_references:
            said.append(
                ngettext(
                    "%(num)d reference is not on record here; its programme was matched by title.",
                    "%(num)d references are not on record here; their programmes were matched by title.",
                    self._unknown_references,
                )
            )
        if self._without_start:
            said.append(
                ngettext(
                    "%(num)d new programme does not say when it starts: 1 January of the first year with a need is taken.",
                    "%(num)d new programmes do not say when they start: 1 January of the first year with a need is taken.",
                    self._without_start,
                )
            )
        return said

    def look_up(self, office_id: uuid.UUID, records: Sequence[SheetRow], *, is_writing: bool) -> None:
        """All programmes of the office: there are hundreds at most."""
        del records, is_writing
        self.programmes = held.programmes_of(office_id)

    def judge(self, office_id: uuid.UUID, record: SheetRow) -> Judged:
        """New, changed, or as it is on record."""
        self.agreed(record, "title", *_TEXTS, *_DAYS)
        one = self._match(record)
        needs = _needs(record)
        if one is None:
            return self._new(office_id, record, needs)
        if self._claimed.setdefault(one.reference, record.row_number) != record.row_number:
            raise RowRefused("title", _("Row %(row)s is about the same programme.", row=self._claimed[one.reference]))
        source = record.text("source")
        minors = {year: programmes.check_need(year, amount, one.currency, source) for year, amount in needs.items()}
        fresh = {name: value for name, value in _said(record).items() if value != (one.values.get(name) or "")}
        if (title := record.text("title")) and title != one.title and fold(title) != fold(one.title):
            fresh["title"] = title
        changed = {year: amount for year, amount in needs.items() if one.needs.get(year) != minors[year]}
        if fresh:
            programmes.check_programme(_input(one, fresh, ()), office_id, one.values.get("sector"))
        changes = [(name, _shown(one.title if name == "title" else one.values.get(name)), _shown(value)) for name, value in fresh.items()]
        for year, amount in changed.items():
            old = one.needs.get(year)
            changes.append(
                (str(year), rules.shown(old, one.currency) if old is not None else "", rules.shown(minors[year], amount.currency))
            )
        sums = [
            ("unchanged" if year not in changed else "created" if year not in one.needs else "updated", amount)
            for year, amount in needs.items()
        ]
        if not changes:
            return Judged("unchanged", one.title, sums)
        return Judged(
            "updated", one.title, sums, tuple(changes), write=partial(_change, one=one, fresh=fresh, needs=changed, source=source)
        )

    def _match(self, record: SheetRow) -> KnownProgramme | None:
        reference, title = record.text("reference"), record.text("title")
        referred = [one for one in self.programmes if reference and one.reference == reference.upper()]
        if referred:
            return referred[0]
        self._unknown_references += bool(reference)
        if not title:
            raise RowRefused("title", _("Say what the programme is called."))
        alike = programmes_named(self.programmes, title)
        if len(alike) > 1:
            listed = ", ".join(one.reference for one in alike[:6])
            raise RowRefused("title", _("Several programmes have this title. Write the reference: %(references)s.", references=listed))
        return alike[0] if alike else None

    def _new(self, office_id: uuid.UUID, record: SheetRow, needs: Mapping[int, Money]) -> Judged:
        title, said = record.text("title"), _said(record)
        if self._claimed.setdefault(fold(title), record.row_number) != record.row_number:
            raise RowRefused("title", _("Row %(row)s is about the same programme.", row=self._claimed[fold(title)]))
        if "starts_on" not in said:
            if not needs:
                raise RowRefused("starts_on", _("Say when the programme starts."))
            said["starts_on"] = date(min(needs), 1, 1)
            self._without_start += 1
        currencies = {amount.currency for amount in needs.values()} or {record.text("currency")}
        if len(currencies) > 1:
            raise RowRefused(
                "currency", _("A programme's needs are in one currency; here are %(names)s.", names=", ".join(sorted(currencies)))
            )
        new = ProgrammeInput(title=title, office_id=office_id, currency=currencies.pop(), **said)
        currency, source = programmes.check_programme(new, office_id), record.text("source")
        for year, amount in needs.items():
            programmes.check_need(year, amount, currency, source)
        return Judged("created", title, self.all_amounts(record, "created"), write=partial(_create, new=new, needs=needs, source=source))


def _needs(record: SheetRow) -> dict[int, Money]:
    """What each year needs, from the column of the amount beside that of the year, and from columns that are years."""
    found: dict[int, Money] = {}
    for row in rows_of(record):
        given = list(row.values.get("need", ()))
        amount, year = money_of(row, "amount"), row.values.get("year")
        if amount is not None:
            if not isinstance(year, int):
                raise RowRefused("year", _("Say of which year this is the need."))
            given.append((year, amount))
        for year_, amount_ in given:
            if year_ in found:
                raise RowRefused("year", _("The year %(year)s stands twice for this programme.", year=year_))
            found[year_] = amount_
    return found


def _said(record: SheetRow) -> dict[str, Any]:
    """The fields of a programme that a record fills."""
    texts = {name: text for name in _TEXTS if (text := record.text(name))}
    return texts | {name: on for name in _DAYS if (on := record.day(name))}


def _shown(value: object) -> str:
    return day(value, get_locale()) if isinstance(value, date) else str(value or "")[:200]


def _input(one: KnownProgramme, fresh: Mapping[str, Any], tags: Sequence[tuple[str, str]]) -> ProgrammeInput:
    return ProgrammeInput(**{"title": one.title, **one.values, **fresh, "tags": tags})


def _create(actor: Actor, *, new: ProgrammeInput, needs: Mapping[int, Money], source: str) -> None:
    programme_id = programmes.create_programme(actor, new)
    for year, amount in sorted(needs.items()):
        programmes.set_requirement(actor, programme_id, year, amount, source)


def _change(actor: Actor, *, one: KnownProgramme, fresh: Mapping[str, Any], needs: Mapping[int, Money], source: str) -> None:
    assert one.id is not None  # noqa: S101 - on record
    if fresh:
        tags = db.session.execute(select(ProgrammeTag.scheme, ProgrammeTag.code).where(ProgrammeTag.programme_id == one.id))
        programmes.edit_programme(actor, one.id, _input(one, fresh, [(tag.scheme, tag.code) for tag in tags]), version=one.version)
    for year, amount in sorted(needs.items()):
        programmes.set_requirement(actor, one.id, year, amount, source)

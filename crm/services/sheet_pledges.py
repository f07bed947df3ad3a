"""Spreadsheets of pledges: a row for each, or a row for each instalment. A file makes pledges and never changes one (M3, M7, M19, M20)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date

from crm.errors import Invalid
from crm.formatting import day
from crm.i18n import _, get_locale, ngettext
from crm.money import Money, from_minor, to_minor
from crm.policy import Actor
from crm.queries import sheet_money as held
from crm.queries.due import DAY_NOT_AGREED
from crm.queries.names import fold
from crm.queries.sheet_money import NEAR, KnownPledge
from crm.services import money_rules as rules
from crm.services import pledges
from crm.services.money_rules import PlanLine
from crm.services.pledges import NewPledge
from crm.services.sheet_imports import RowRefused, SheetOptions, SheetRow
from crm.services.sheet_money import Judged, MoneySheet, is_our_reference, money_of, not_on_record, rows_of

Key = tuple[uuid.UUID, date, str, int, str]


class Pledges(MoneySheet):
    """Pledges. The same one is known by our reference, else by the donor's, else by donor, day, amount and what it is for."""

    columns: Mapping[str, str] = {
        "donor_id": "donor",
        "words": "title",
        "event_name": "event",
        "programme_id": "programme",
    }

    def __init__(self, options: SheetOptions) -> None:
        super().__init__(options)
        self._known: Sequence[KnownPledge] = ()
        self._claimed: dict[uuid.UUID, int] = {}
        self._said: dict[Key, int] = {}
        self._several = self._other_plans = 0

    def group_of(self, row: SheetRow) -> str:
        """Rows with one reference are the instalments of one pledge."""
        return fold(row.text("reference") or row.text("donor_reference"))

    def amounts(self, row: SheetRow) -> Sequence[Money]:
        """The instalment of a row, else its amount."""
        found = money_of(row, "instalment") or money_of(row, "amount")
        return [found] if found else []

    def notes(self) -> list[str]:
        """Pledges on several rows, and plans that stay as they are."""
        said = []
        if self._several:
            said.append(
                ngettext(
                    "%(num)d pledge stands on several rows: they are its instalments, which are added up.",
                    "%(num)d pledges stand on several rows each: they are their instalments, which are added up.",
                    self._several,
                )
            )
        if self._other_plans:
            said.append(
                ngettext(
                    "%(num)d pledge on record has another plan than the file; the plan on record stays. Reschedule it on its page.",
                    "%(num)d pledges on record have other plans than the file; the plans on record stay. Reschedule them on their pages.",
                    self._other_plans,
                )
            )
        return said

    def look_up(self, office_id: uuid.UUID, records: Sequence[SheetRow], *, is_writing: bool) -> None:
        """Donors, programmes, and pledges that may be those of the rows."""
        del is_writing
        self.look_up_donors(office_id, (record.text("donor") for record in records))
        self.programmes = held.programmes_of(office_id) if any(record.text("programme") for record in records) else ()
        donors = {one.id for named in self.donors.values() for one in named}
        references = {text for record in records for name in ("reference", "donor_reference") if (text := record.text(name))}
        days = {on for record in records if (on := record.day("pledged_on"))}
        self._known = held.pledges_like(office_id, references, donors, days)

    def judge(self, office_id: uuid.UUID, record: SheetRow) -> Judged:
        """New, or on record as the row says; anything else is refused."""
        self.agreed(record, "donor", "donor_reference", "title", "pledged_on", "programme", "event")
        ours, theirs = record.text("reference"), record.text("donor_reference")
        referred = next((one for one in self._known if ours and one.reference == ours.upper()), None)
        if ours and referred is None:
            if is_our_reference(ours):
                raise not_on_record("reference", ours)
            theirs = theirs or ours
        amount, plan = _plan(record)
        donor = self.donor(record.text("donor")) if record.text("donor") else None
        if referred is not None:
            return self._held(record, referred, amount, plan, donor.id if donor else referred.donor_id)
        on = record.day("pledged_on")
        if donor is None:
            raise RowRefused("donor", _("Say who pledged this."))
        if on is None:
            raise RowRefused("pledged_on", _("Say on which day it was pledged."))
        title = record.text("title")
        alike = self._alike(donor.id, theirs, on, amount, title)
        key = (donor.id, on, amount.currency, to_minor(amount), fold(theirs or title))
        if alike:
            self._said.setdefault(key, record.row_number)
            return self._held(record, alike[0], amount, plan, donor.id)
        if key in self._said:
            raise RowRefused(
                "", _("Row %(row)s says the same. If these are two pledges, give each its own reference.", row=self._said[key])
            )
        new = NewPledge(
            office_id=office_id,
            donor_id=donor.id,
            amount=amount,
            pledged_on=on,
            words=title,
            plan=plan,
            programme_id=self.programme(record.text("programme")).id if record.text("programme") else None,
            event_name=record.text("event"),
            donor_reference=theirs,
        )
        pledges.check_pledge(new)
        self._said[key] = record.row_number
        self._several += len(rows_of(record)) > 1
        near = [
            one.reference
            for one in self._known
            if one.donor_id == donor.id and _is_amount(one, amount) and abs(one.on - on) <= NEAR and one.id not in self._claimed
        ]
        return Judged(
            "created",
            _title(donor.name, amount, on),
            self.all_amounts(record, "created"),
            write=lambda actor: self._make(actor, new, record.row_number),
            forget=lambda: self._said.pop(key),
            like=self.like(near, donor.id, amount, on, record.row_number),
        )

    def _make(self, actor: Actor, new: NewPledge, row_number: int) -> None:
        self._claimed[pledges.record_pledge(actor, new)] = row_number

    def _alike(self, donor_id: uuid.UUID, theirs: str, on: date, amount: Money, title: str) -> list[KnownPledge]:
        """The pledges on record that a row without our reference is about, one that no earlier row of the file was about first."""
        mine = [one for one in self._known if one.donor_id == donor_id and one.id not in self._claimed]
        if theirs:
            return [one for one in mine if fold(one.donor_reference) == fold(theirs)]
        return [one for one in mine if one.on == on and _is_amount(one, amount) and (not title or fold(one.title) == fold(title))]

    def _held(self, record: SheetRow, one: KnownPledge, amount: Money, plan: Sequence[PlanLine], donor_id: uuid.UUID) -> Judged:
        """A row about a pledge on record: it says the same, or is refused: what was announced stays, and changes are recorded as such."""
        earlier = self._claimed.get(one.id) if one.id else None
        if earlier is not None and earlier != record.row_number:
            raise RowRefused("", _("Row %(row)s is about the same pledge, %(reference)s.", row=earlier, reference=one.reference))
        differs = "donor" if donor_id != one.donor_id else "amount" if not _is_amount(one, amount) else ""
        if not differs and record.day("pledged_on") not in (None, one.on):
            differs = "pledged_on"
        if differs:
            raise RowRefused(
                differs,
                _(
                    "It is on record as %(reference)s: %(amount)s, pledged on %(day)s. A file does not change a pledge; record what changed on its page.",
                    reference=one.reference,
                    amount=rules.shown(one.promised_minor, one.currency),
                    day=day(one.on, get_locale()),
                ),
            )
        if one.id:
            self._claimed[one.id] = record.row_number
        stated = {(line.due_on, to_minor(line.amount)) for line in plan if line.due_on}
        self._other_plans += (
            bool(stated) and one.outstanding_minor == one.promised_minor and stated != {part for part in one.plan if part[0]}
        )
        return Judged("unchanged", one.reference, self.all_amounts(record, "unchanged"))


def _is_amount(one: KnownPledge, amount: Money) -> bool:
    """Whether a row gives what was announced, or what became of it by uplifts and cuts."""
    return amount.currency == one.currency and to_minor(amount) in (one.announced_minor, one.promised_minor)


def _title(donor: str, amount: Money, on: date) -> str:
    return _(
        "%(donor)s, %(amount)s, %(day)s", donor=donor, amount=rules.shown(to_minor(amount), amount.currency), day=day(on, get_locale())
    )


def _plan(record: SheetRow) -> tuple[Money, list[PlanLine]]:
    """The amount of a pledge and its instalments: those that have an amount of their own, else the rows' amounts where there are several."""
    rows = rows_of(record)
    currencies = {found.currency for row in rows for name in ("amount", "instalment") if (found := money_of(row, name))}
    if len(currencies) > 1:
        raise RowRefused("currency", _("One pledge has one currency; here are %(names)s.", names=", ".join(sorted(currencies))))
    has_parts = any(money_of(row, "instalment") for row in rows)
    name = "instalment" if has_parts else "amount"
    parts = [(found, row) for row in rows if (found := money_of(row, name))]
    if not parts:
        raise RowRefused("amount", _("Say how much was pledged."))
    lines = [
        PlanLine(found, row.day("due_on"), row.text("due_when") or ("" if row.day("due_on") else DAY_NOT_AGREED)) for found, row in parts
    ]
    together = from_minor(sum(to_minor(found) for found, _row in parts), currencies.pop())
    if not has_parts:
        is_planned = len(parts) > 1 or rows[0].day("due_on") or rows[0].text("due_when")
        return together, lines if is_planned else []
    totals = {found for row in rows if (found := money_of(row, "amount"))}
    if len(totals) > 1:
        raise RowRefused("amount", _("The rows of one pledge give different amounts for the whole of it."))
    whole = totals.pop() if totals else together
    if whole != together:
        raise Invalid(
            _(
                "The instalments add up to %(planned)s, but the amount is %(total)s.",
                planned=rules.shown(to_minor(together), together.currency),
                total=rules.shown(to_minor(whole), whole.currency),
            ),
            field="amount",
        )
    return whole, lines

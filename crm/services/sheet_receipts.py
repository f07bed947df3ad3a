"""Spreadsheets of receipts: money that came, under an agreement, against a pledge, or from a donor alone. A file makes receipts and never
changes one (M2, M7, M19, M20)."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from crm.db import db
from crm.formatting import day
from crm.i18n import _, get_locale
from crm.models.pledges import Agreement, Pledge
from crm.money import Money, to_minor
from crm.policy import Actor
from crm.queries import sheet_money as held
from crm.queries.names import fold
from crm.queries.sheet_money import NEAR, KnownPledge, KnownReceipt
from crm.services import money_rules as rules
from crm.services import receipts
from crm.services.receipts import NewReceipt
from crm.services.sheet_imports import RowRefused, SheetOptions, SheetRow
from crm.services.sheet_money import Judged, MoneySheet, is_our_reference, money_of, not_on_record

Key = tuple[str, uuid.UUID | None, date, str, int]


class Receipts(MoneySheet):
    """Receipts. The same one is known by our reference, else by the bank's with its agreement, day and amount, else by those three."""

    columns: Mapping[str, str] = {
        "donor_id": "donor",
        "agreement_id": "agreement",
        "pledge_id": "agreement",
        "bank_reporting": "bank_amount",
        "converted": "amount",
    }

    def __init__(self, options: SheetOptions) -> None:
        super().__init__(options)
        self._agreements: Mapping[str, Sequence[Agreement]] = {}
        self._pledges: Sequence[KnownPledge] = ()
        self._known: Sequence[KnownReceipt] = ()
        self._claimed: dict[uuid.UUID, int] = {}
        self._said: dict[Key, int] = {}
        self._spent: Counter[uuid.UUID] = Counter()
        self._names: Mapping[str, str] = {}

    def amounts(self, row: SheetRow) -> Sequence[Money]:
        """What came."""
        found = money_of(row, "amount")
        return [found] if found else []

    def look_up(self, office_id: uuid.UUID, records: Sequence[SheetRow], *, is_writing: bool) -> None:
        """Donors, agreements, pledges, and receipts that may be those of the rows."""
        if is_writing:
            self._spent.clear()  # what earlier rows took is on record
        self.look_up_donors(office_id, (record.text("donor") for record in records))
        texts = {text for record in records if (text := record.text("agreement"))}
        self._agreements = held.agreements_like(office_id, texts)
        rest = {text for text in texts if not self._agreements.get(text)}
        self._pledges = held.pledges_like(office_id, rest)
        targets: list[Agreement | KnownPledge] = [*(one for found in self._agreements.values() for one in found), *self._pledges]
        donors = {one.id for named in self.donors.values() for one in named} | {target.donor_id for target in targets}
        ours = {text for record in records if (text := record.text("reference"))}
        banks = {text for record in records for name in ("bank_reference", "reference") if (text := record.text(name))}
        days = {on for record in records if (on := record.day("value_on"))}
        self._known = held.receipts_like(office_id, ours, banks, donors, days)
        unknown = rest - {text for text in rest if self._pledges_named(text)}
        self._names = held.agreement_names(office_id) if unknown else {}

    def judge(self, office_id: uuid.UUID, record: SheetRow) -> Judged:
        """New, or on record as the row says; anything else is refused."""
        amount, on = money_of(record, "amount"), record.day("value_on")
        if amount is None:
            raise RowRefused("amount", _("Say how much came."))
        if on is None:
            raise RowRefused("value_on", _("Say on which day it came."))
        ours, bank = record.text("reference"), record.text("bank_reference")
        referred = next((one for one in self._known if ours and one.reference == ours.upper()), None)
        if ours and referred is None:
            if is_our_reference(ours):
                raise not_on_record("reference", ours)
            bank = bank or ours
        target = self._target(record.text("agreement"))
        donor = self.donor(record.text("donor")) if record.text("donor") else None
        if target is None and donor is None:
            if referred is None:
                raise RowRefused("agreement", _("Say under which agreement or against which pledge the money came, or from whom."))
            return self._referred(record, referred, amount, on)
        donor_id = target.donor_id if target is not None else donor.id if donor is not None else None
        new = NewReceipt(
            amount=amount,
            value_on=on,
            agreement_id=target.id if isinstance(target, Agreement) else None,
            pledge_id=target.id if isinstance(target, KnownPledge) else None,
            office_id=office_id,
            donor_id=donor.id if donor is not None else donor_id,
            bank_reporting=money_of(record, "bank_amount"),
            bank_reference=bank,
            reason=record.text("reason"),
        )
        if referred is not None:
            return self._referred(record, referred, amount, on, donor_id=new.donor_id, target_id=target.id if target is not None else None)
        alike = self._alike(new, target.id if target is not None else None)
        key = (fold(bank), new.agreement_id or new.pledge_id or new.donor_id, on, amount.currency, to_minor(amount))
        if alike is not None:
            self._said.setdefault(key, record.row_number)
            return self._held(record, alike, amount, on)
        return self._new(office_id, record, new, target, key)

    def _new(self, office_id: uuid.UUID, record: SheetRow, new: NewReceipt, target: Agreement | KnownPledge | None, key: Key) -> Judged:
        donor_id, amount, on = new.donor_id, new.amount, new.value_on
        if key in self._said:
            raise RowRefused(
                "", _("Row %(row)s says the same. If money came twice, give each payment its own bank reference.", row=self._said[key])
            )
        pledge = db.session.get(Pledge, target.id) if isinstance(target, KnownPledge) else None
        receipts.check_receipt(new, office_id, target if isinstance(target, Agreement) else None, pledge)
        spent = self._spend(target, amount) if isinstance(target, KnownPledge) else 0
        self._said[key] = record.row_number

        def forget() -> None:
            del self._said[key]
            if isinstance(target, KnownPledge) and target.id is not None:
                self._spent[target.id] -= spent

        near = [
            one.reference
            for one in self._known
            if one.donor_id == donor_id
            and (one.currency, one.minor) == (amount.currency, to_minor(amount))
            and abs(one.on - on) <= NEAR
            and one.id not in self._claimed
        ]
        return Judged(
            "created",
            _(
                "%(reference)s, %(amount)s, %(day)s",
                reference=target.reference if target is not None else record.text("donor"),
                amount=rules.shown(to_minor(amount), amount.currency),
                day=day(on, get_locale()),
            ),
            self.all_amounts(record, "created"),
            write=lambda actor: self._make(actor, new, record.row_number),
            forget=forget,
            like=self.like(near, donor_id, amount, on, record.row_number),
        )

    def _make(self, actor: Actor, new: NewReceipt, row_number: int) -> None:
        self._claimed[receipts.record_receipt(actor, new)] = row_number

    def _spend(self, pledge: KnownPledge, amount: Money) -> int:
        """Refuse money that a pledge cannot take, after what earlier rows of the file took of it; how much of it this row takes, in minor
        units."""
        assert pledge.id is not None  # noqa: S101 - on record
        if pledge.currency != amount.currency:
            sentence = _(
                "The money came in %(own)s, pledge %(reference)s is in %(other)s. Record it on the page of the pledge, where you say how much of it this pays.",
                own=amount.currency,
                other=pledge.currency,
                reference=pledge.reference,
            )
            raise RowRefused("amount", sentence)
        left = pledge.outstanding_minor - self._spent[pledge.id]
        receipts.refuse_settled(pledge.reference, left)
        taken = min(left, to_minor(amount))
        self._spent[pledge.id] += taken
        return taken

    # --- what is on record ---------------------------------------------------------------------------------------

    def _pledges_named(self, text: str) -> list[KnownPledge]:
        referred = [one for one in self._pledges if one.reference == text.upper()]
        return referred or [one for one in self._pledges if one.donor_reference and fold(one.donor_reference) == fold(text)]

    def _target(self, text: str) -> Agreement | KnownPledge | None:
        """The agreement or pledge that a cell means; refused where several, or none."""
        if not text:
            return None
        found: list[Agreement | KnownPledge] = [*self._agreements.get(text, ())] or [*self._pledges_named(text)]
        if len(found) > 1:
            listed = ", ".join(one.reference for one in found[:6])
            raise RowRefused(
                "agreement", _("Several have this name. Write the reference of the one you mean: %(references)s.", references=listed)
            )
        if not found:
            raise not_on_record("agreement", text, held.near(text, self._names))
        return found[0]

    def _alike(self, new: NewReceipt, target_id: uuid.UUID | None) -> KnownReceipt | None:
        """The receipt on record that a row is about: one that no earlier row was about first, of the same day and amount. A payment
        that was parted by hand since is told by its bank reference and the sum of its parts."""
        same = [
            one
            for one in self._known
            if one.id not in self._claimed
            and (one.on, one.currency) == (new.value_on, new.amount.currency)
            and (one.target_id == target_id if target_id is not None else one.donor_id == new.donor_id)
        ]
        bank = fold(new.bank_reference)
        if bank:
            named = [one for one in self._known if fold(one.bank_reference) == bank and one.id not in self._claimed]
            parted = [one for one in named if (one.on, one.currency) == (new.value_on, new.amount.currency)]
            exact = [one for one in same if one in named and one.minor == to_minor(new.amount)]
            if exact or (len(parted) > 1 and sum(one.minor for one in parted) == to_minor(new.amount)):
                return (exact or parted)[0]
            return next((one for one in named if one.target_id == target_id and one.donor_id == new.donor_id), None)
        return next((one for one in same if one.minor == to_minor(new.amount)), None)

    def _referred(
        self,
        record: SheetRow,
        one: KnownReceipt,
        amount: Money,
        on: date,
        *,
        donor_id: uuid.UUID | None = None,
        target_id: uuid.UUID | None = None,
    ) -> Judged:
        """A row that names a receipt by our reference: whatever it says of it must be so, and it may say it once."""
        earlier = self._claimed.get(one.id, record.row_number) if one.id is not None else record.row_number
        if earlier != record.row_number:
            raise RowRefused("reference", _("Row %(row)s is about %(reference)s already.", row=earlier, reference=one.reference))
        bank = record.text("bank_reference")
        sentence = _(
            "%(reference)s is on record otherwise. A file does not change a receipt: take it back on its page, then record it again."
        )
        for name, is_other in (
            ("agreement", target_id is not None and target_id != one.target_id),
            ("donor", bool(record.text("donor")) and donor_id is not None and donor_id != one.donor_id),
            ("bank_reference", bool(bank) and fold(bank) != fold(one.bank_reference)),
        ):
            if is_other:
                raise RowRefused(name, sentence % {"reference": one.reference})
        return self._held(record, one, amount, on)

    def _held(self, record: SheetRow, one: KnownReceipt, amount: Money, on: date) -> Judged:
        """A row about a receipt on record: it says the same, or is refused, since what came is corrected by taking it back (M19)."""
        parts = [
            one,
            *(other for other in self._known if other is not one and other.bank_reference and other.bank_reference == one.bank_reference),
        ]
        is_whole = len(parts) > 1 and sum(part.minor for part in parts) == to_minor(amount)
        if one.currency != amount.currency or one.on != on or not (one.minor == to_minor(amount) or is_whole):
            raise RowRefused(
                "amount" if (one.currency, one.minor) != (amount.currency, to_minor(amount)) else "value_on",
                _(
                    "It is on record as %(reference)s: %(amount)s of %(day)s. A file does not change a receipt: take it back on its page, then record it again.",
                    reference=one.reference,
                    amount=rules.shown(one.minor, one.currency),
                    day=day(one.on, get_locale()),
                ),
            )
        for part in parts if is_whole and one.minor != to_minor(amount) else [one]:
            if part.id is not None:
                self._claimed.setdefault(part.id, record.row_number)
        return Judged("unchanged", one.reference, self.all_amounts(record, "unchanged"))

"""Forms of money promised, signed, received and allocated. What the rows mean is checked by the services."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from wtforms import FormField, HiddenField, RadioField, SelectField, StringField, TextAreaField

from crm.errors import Invalid
from crm.forms.base import BaseForm, Needed, OneLine, choices
from crm.forms.lookups import AsksWhom, PartyField, RowForm
from crm.forms.money_fields import (
    DayField,
    DayNeeded,
    InReportingCurrency,
    PlanForm,
    Rows,
    add_error,
    amount_field,
    currency_field,
    read_money,
    read_number,
    sync,
)
from crm.i18n import _, _l
from crm.models.base import NAME_LENGTH, SENTENCE_LENGTH, TEXT_LENGTH
from crm.models.pledges import REFERENCE_LENGTH
from crm.money import Money, from_minor, split, to_minor

HUNDRED = Decimal(100)
MOST_SHARES = 60


class PledgeForm(AsksWhom, InReportingCurrency, PlanForm):
    """A new pledge with its plan."""

    office_id = SelectField(_l("Office"), validate_choice=False)
    donor = PartyField(_l("Donor"), description=_l("Start typing the name, or enter a reference."))
    amount = amount_field(_l("Amount pledged"), _l("Such as 10,000,000 or 10m."))
    currency = currency_field()
    pledged_on = DayField(_l("Pledged on"), [DayNeeded()])
    words = TextAreaField(_l("Their exact words"), [OneLine(TEXT_LENGTH)])
    event_name = StringField(_l("Pledging event"), [OneLine(NAME_LENGTH)])
    donor_reference = StringField(
        _l("Donor's reference"), [OneLine(REFERENCE_LENGTH)], description=_l("What the donor calls this pledge or grant.")
    )
    rate_policy = RadioField(
        _l("Rate that counts for this pledge"),
        choices=choices([("day", _l("The published rate of the day it was made")), ("fixed", _l("A rate the event laid down"))]),
        default="day",
    )
    fixed_rate = StringField(_l("The event's rate"), [OneLine(40)])
    programme_id = SelectField(_l("Programme"), validate_choice=False)
    interaction_id = SelectField(_l("Said at"), validate_choice=False)
    ask_id = SelectField(_l("In answer to"), validate_choice=False)
    commitment_id = HiddenField()
    witness = StringField(_l("Witness"), [OneLine(NAME_LENGTH)])

    money: Money | None = None
    rate: Decimal | None = None

    def validate(self, extra_validators: Any = None) -> bool:
        """Read amounts and plan; every refusal stands beside its field."""
        is_valid = bool(super().validate(extra_validators))
        self.money = read_money(self.amount, self.currency.data)
        is_plan_read = self.read_plan(self.currency.data) if self.money else not self.amount.errors
        if self.rate_policy.data == "fixed":
            self.rate = read_number(self.fixed_rate, is_needed=True)
        elif self.fixed_rate.data:
            self.rate = read_number(self.fixed_rate)
        self.hold_to_named(self.fixed_rate)
        return is_valid and self.money is not None and is_plan_read and not self.fixed_rate.errors

    def total(self) -> Money | None:
        """The amount alone, for the helper of equal parts."""
        return read_money(self.amount, self.currency.data)

    def take(self, error: Invalid) -> None:
        """A refusal of the promise itself stands above the form; the promise is no field that a person sees."""
        super().take(Invalid(errors={"" if name == "commitment_id" else name: texts for name, texts in error.errors.items()}))


class PledgeChangeForm(BaseForm):
    """An uplift, a reduction, a lapse or a withdrawal."""

    kind = RadioField(_l("What has changed"), [Needed(_l("Choose what has changed."))], validate_choice=False)
    amount = amount_field(_l("By how much"), is_needed=False)
    on = DayField(_l("On"), [DayNeeded()])
    reason = StringField(_l("Reason"), [Needed(), OneLine(SENTENCE_LENGTH)])

    money: Money | None = None
    own_currency = ""

    def validate(self, extra_validators: Any = None) -> bool:
        """Read the amount in the pledge's own currency."""
        is_valid = bool(super().validate(extra_validators))
        self.money = read_money(self.amount, self.own_currency, is_needed=False)
        return is_valid and not self.amount.errors


class RescheduleForm(PlanForm):
    """Another plan for what is open."""

    on = DayField(_l("Agreed on"), [DayNeeded()])
    reason = StringField(_l("Reason"), [Needed(), OneLine(SENTENCE_LENGTH)])

    own_currency = ""

    def validate(self, extra_validators: Any = None) -> bool:
        """Read the plan in the record's own currency."""
        is_valid = bool(super().validate(extra_validators))
        is_plan_read = self.read_plan(self.own_currency)
        if is_plan_read and not self.plan_lines:
            self.take(Invalid(_("Give at least one instalment."), field="plan"))
            is_plan_read = False
        return is_valid and is_plan_read


class EarmarkRow(RowForm):
    """A programme that a part of an agreement is for: its percent, or its amount; one row alone is the whole."""

    programme_id = SelectField(_l("Programme"), validate_choice=False)
    percent = StringField(_l("Percent"), [OneLine(10)])
    amount = StringField(_l("or amount"), [OneLine(40)])

    @property
    def is_blank(self) -> bool:
        """Whether nothing was chosen or typed."""
        return not (self.programme_id.data or self.percent.data or self.amount.data)


class AgreementForm(AsksWhom, PlanForm):
    """What was signed. Without instalments the pledge's open plan is taken over."""

    office_id = SelectField(_l("Office"), validate_choice=False)
    donor = PartyField(_l("Donor"), description=_l("Start typing the name, or enter a reference."))
    title = StringField(_l("Title"), [Needed(), OneLine(NAME_LENGTH)])
    donor_reference = StringField(_l("The donor's reference"), [OneLine(100)])
    amount = amount_field(_l("Amount signed"))
    currency = currency_field()
    converted = amount_field(
        _l("Part of the pledge it converts"), _l("Only where the agreement is in another currency than the pledge."), is_needed=False
    )
    signed_on = DayField(_l("Signed on"), [DayNeeded()])
    starts_on = DayField(_l("Starts on"))
    ends_on = DayField(_l("Ends on"))
    lines = Rows(FormField(EarmarkRow), label=_l("Earmarked to"), min_entries=1, max_entries=MOST_SHARES)
    earmarking = SelectField(_l("Earmarking"), validate_choice=False)
    recovery_rate = StringField(_l("Cost recovery, percent"), [OneLine(10)], default="8")
    recovery_basis = RadioField(
        _l("Cost recovery is a share of"),
        choices=choices(
            [("programmable", _l("what can be programmed")), ("gross", _l("the whole amount")), ("none", _l("nothing: none is taken"))]
        ),
        default="programmable",
    )

    money: Money | None = None
    converted_money: Money | None = None
    recovery: Decimal | None = None
    pledge_currency = ""
    earmarks: Sequence[tuple[str, Money]] = ()
    _line_of: Sequence[int] = ()

    def offer(self, programmes: Sequence[Any]) -> None:
        """Set the programmes to choose from, in each row."""
        for entry in self.lines.entries:
            entry.form.programme_id.choices = programmes

    def add_line(self) -> None:
        """One more blank row of the earmarking, for who has no script."""
        if len(self.lines.entries) < MOST_SHARES:
            self.lines.append_entry()

    def _read_lines(self) -> bool:
        """Read which programmes the agreement is for: all by percent, or all by amount; a blank row is left out."""
        rows = [(number, entry.form) for number, entry in enumerate(self.lines.entries) if not entry.form.is_blank]
        self._line_of = [number for number, _row in rows]
        for _number, row in rows:
            if not row.programme_id.data:
                add_error(row.programme_id, _("Choose a programme."))
        chosen = [row.programme_id.data for _number, row in rows]
        for place, (_number, row) in enumerate(rows):
            if row.programme_id.data and row.programme_id.data in chosen[:place]:
                add_error(row.programme_id, _("This programme is named twice. Give it one row."))
        parts = self._parts([row for _number, row in rows])
        sync(self.lines)
        if self.money is None:  # its own field says so
            return not self.lines.errors
        if parts is None or self.lines.errors:
            return False
        self.earmarks = list(zip(chosen, parts, strict=True))
        return True

    def _parts(self, rows: Sequence[EarmarkRow]) -> list[Money] | None:
        """What each row is in money: of percents the parts are exactly the whole (M6)."""
        if not rows or self.money is None:
            return []
        if len(rows) == 1 and not rows[0].percent.data and not rows[0].amount.data:
            return [self.money]
        if all(row.amount.data and not row.percent.data for row in rows):
            read = [read_money(row.amount, self.money.currency) for row in rows]
            return [part for part in read if part is not None] if all(read) else None
        if not all(row.percent.data and not row.amount.data for row in rows):
            self.lines.errors = [*self.lines.errors, _("Give every programme its percent, or every one its amount.")]
            return None
        percents = [read_number(row.percent, is_needed=True) for row in rows]
        for row, percent in zip(rows, percents, strict=True):
            if percent is not None and percent <= 0:
                add_error(row.percent, _("A share is more than 0 percent."))
        if any(row.percent.errors for row in rows):
            return None
        known = [percent for percent in percents if percent is not None]
        together = sum(known, Decimal(0))
        if together != HUNDRED:
            sentence = _("The shares come to %(sum)s percent; together they must be 100.", sum=f"{together.normalize():f}")
            self.lines.errors = [*self.lines.errors, sentence]
            return None
        return [from_minor(part, self.money.currency) for part in split(to_minor(self.money), known)]

    def take(self, error: Invalid) -> None:
        """Put refusals of budget lines beside their own rows."""
        rest: dict[str, list[str]] = {}
        for name, sentences in error.errors.items():
            place, _dash, part = name.removeprefix("budget_lines-").partition("-")
            if name.startswith("budget_lines-") and place.isdigit() and int(place) < len(self._line_of):
                row = self.lines.entries[self._line_of[int(place)]].form
                field = row.programme_id if part == "programme_id" else row.amount
                field.errors = [*field.errors, *sentences]
            else:
                rest["lines" if name == "budget_lines" else name] = sentences
        sync(self.lines)
        if rest:
            super().take(Invalid(errors=rest))

    def validate(self, extra_validators: Any = None) -> bool:
        """Read amounts, shares, percent and plan."""
        is_valid = bool(super().validate(extra_validators))
        self.money = read_money(self.amount, self.currency.data)
        is_plan_read = self.read_plan(self.currency.data) if self.money else not self.amount.errors
        if self.pledge_currency and self.pledge_currency != self.currency.data:
            self.converted_money = read_money(self.converted, self.pledge_currency, is_needed=False)
        is_plan_read = self._read_lines() and is_plan_read
        percent = read_number(self.recovery_rate, is_needed=self.recovery_basis.data != "none")
        self.recovery = Decimal(0) if percent is None else percent / HUNDRED
        is_read = not (self.converted.errors or self.recovery_rate.errors)
        return is_valid and self.money is not None and is_plan_read and is_read

    def total(self) -> Money | None:
        """The amount alone, for the helper of equal parts."""
        return read_money(self.amount, self.currency.data)


class AmendmentForm(PlanForm):
    """A signed change of an agreement's amount."""

    direction = RadioField(
        _l("The agreement is"),
        [Needed(_l("Choose whether it is raised or cut."))],
        choices=choices([("up", _l("Raised")), ("down", _l("Cut"))]),
    )
    change = amount_field(_l("By how much"))
    on = DayField(_l("Signed on"), [DayNeeded()])
    reason = StringField(_l("Reason"), [Needed(), OneLine(SENTENCE_LENGTH)])

    money: Money | None = None
    own_currency = ""

    def validate(self, extra_validators: Any = None) -> bool:
        """Read the change in the agreement's own currency."""
        is_valid = bool(super().validate(extra_validators))
        self.money = read_money(self.change, self.own_currency)
        is_plan_read = self.read_plan(self.own_currency)
        return is_valid and is_plan_read and self.money is not None


class ReceiptForm(InReportingCurrency, BaseForm):
    """Money that arrived. The oldest due instalments are paid first; the page shows which before it is saved."""

    amount = amount_field(_l("Amount received"))
    currency = currency_field()
    value_on = DayField(_l("Value date"), [DayNeeded()])
    bank_reporting = amount_field(_l("What the bank credited"), is_needed=False)
    bank_reference = StringField(_l("The bank's reference"), [OneLine(100)])
    converted = amount_field(_l("Part of the pledge it pays"), is_needed=False)

    money: Money | None = None
    bank_money: Money | None = None
    converted_money: Money | None = None
    pledge_currency = ""
    own_currency = ""

    def validate(self, extra_validators: Any = None) -> bool:
        """Read the amounts."""
        is_valid = bool(super().validate(extra_validators))
        self.money = read_money(self.amount, self.own_currency or self.currency.data)
        self.bank_money = read_money(self.bank_reporting, self.reporting_currency, is_needed=False)
        self.hold_to_named(self.bank_reporting)
        if self.pledge_currency and self.pledge_currency != self.currency.data:
            self.converted_money = read_money(self.converted, self.pledge_currency, is_needed=False)
        return is_valid and self.money is not None and not self.bank_reporting.errors and not self.converted.errors


class LooseReceiptForm(AsksWhom, ReceiptForm):
    """Money that came without a pledge or an agreement: whose it is, and to which office it came."""

    office_id = SelectField(_l("Office"), validate_choice=False)
    donor = PartyField(_l("Donor"), description=_l("Start typing the name, or enter a reference."))

    def take(self, error: Invalid) -> None:
        """The donor's refusal stands beside the lookup."""
        rest = dict(error.errors)
        for sentence in rest.pop("donor_id", []):
            self.donor.refuse(sentence)
        if rest:
            super().take(Invalid(errors=rest))


class MatchRow(RowForm):
    """How much of a receipt pays an instalment."""

    instalment_id = HiddenField()
    amount = StringField(_l("Pays"), [OneLine(40)])


class MatchForm(BaseForm):
    """A receipt's rest over open instalments; a row without an amount is left out."""

    matches = Rows(FormField(MatchRow), label=_l("What it pays"), max_entries=200)

    own_currency = ""
    chosen: Sequence[tuple[str, Money]] = ()
    _row_of: Sequence[int] = ()

    def validate(self, extra_validators: Any = None) -> bool:
        """Read the amounts in the receipt's currency."""
        is_valid = bool(super().validate(extra_validators))
        chosen: list[tuple[str, Money]] = []
        rows: list[int] = []
        for number, entry in enumerate(self.matches.entries):
            row = entry.form
            if not row.amount.data:
                continue
            amount = read_money(row.amount, self.own_currency)
            if amount is None:
                is_valid = False
                continue
            chosen.append((row.instalment_id.data or "", amount))
            rows.append(number)
        self.chosen, self._row_of = chosen, rows
        sync(self.matches)
        if is_valid and not chosen:
            self.take(Invalid(_("Say how much of the receipt pays which instalment."), field="matches"))
            return False
        return is_valid

    def take(self, error: Invalid) -> None:
        """Put refusals of instalments beside their own rows; the rest above the form."""
        rest: dict[str, list[str]] = {}
        for name, sentences in error.errors.items():
            place = name.removeprefix("matches-").partition("-")[0]
            if name.startswith("matches-") and place.isdigit() and int(place) < len(self._row_of):
                field = self.matches.entries[self._row_of[int(place)]].form.amount
                field.errors = [*field.errors, *sentences]
            else:
                rest[""] = [*rest.get("", []), *sentences]
        sync(self.matches)
        if rest:
            super().take(Invalid(errors=rest))


class ShareRow(RowForm):
    """An output's share."""

    target = SelectField(_l("Programme and output"), validate_choice=False)
    share = StringField(_l("Share"), [OneLine(20)])

    number: Decimal | None = None


class AllocationForm(BaseForm):
    """An amount split over outputs by shares; one share is the whole amount. Empty amount: all that is left."""

    amount = amount_field(_l("Amount to allocate"), is_needed=False)
    allocated_on = DayField(_l("Allocated on"), [DayNeeded()])
    kind = RadioField(
        _l("Which money"),
        choices=choices([("actual", _l("Received: it can be spent")), ("planned", _l("Signed, not yet received: set aside"))]),
        default="actual",
    )
    shares = Rows(FormField(ShareRow), label=_l("Shares"), min_entries=3, max_entries=MOST_SHARES)
    reason = StringField(_l("Remark"), [OneLine(SENTENCE_LENGTH)])

    money: Money | None = None
    own_currency = ""
    chosen: Sequence[tuple[str, Decimal]] = ()
    _row_of: Sequence[int] = ()

    def offer(self, targets: Sequence[tuple[str, str]]) -> None:
        """Set the programmes and outputs to choose from, in each row."""
        for entry in self.shares.entries:
            entry.form.target.choices = choices(targets)

    def validate(self, extra_validators: Any = None) -> bool:
        """Read the amount and the shares; a row without a target and a share is left out."""
        is_valid = bool(super().validate(extra_validators))
        self.money = read_money(self.amount, self.own_currency, is_needed=False)
        chosen: list[tuple[str, Decimal]] = []
        rows: list[int] = []
        for number, entry in enumerate(self.shares.entries):
            row = entry.form
            if not row.target.data and not row.share.data:
                continue
            share = read_number(row.share, is_needed=True)
            if not row.target.data:
                row.target.errors = [*row.target.errors, _("Choose a programme or output.")]
            if share is not None and row.target.data:
                chosen.append((row.target.data, share))
                rows.append(number)
            else:
                is_valid = False
        self.chosen, self._row_of = chosen, rows
        sync(self.shares)
        if is_valid and not chosen:
            self.take(Invalid(_("Give at least one output and its share."), field="shares"))
            return False
        return is_valid and not self.amount.errors

    def take(self, error: Invalid) -> None:
        """Put refusals of shares beside their own rows."""
        rest: dict[str, list[str]] = {}
        for name, sentences in error.errors.items():
            place, _dash, part = name.removeprefix("shares-").partition("-")
            if name.startswith("shares-") and place.isdigit() and int(place) < len(self._row_of):
                row = self.shares.entries[self._row_of[int(place)]].form
                field = row.share if part == "share" else row.target
                field.errors = [*field.errors, *sentences]
            else:
                rest[name] = sentences
        sync(self.shares)
        if rest:
            super().take(Invalid(errors=rest))


class ReasonForm(BaseForm):
    """Why something is taken back."""

    reason = StringField(_l("Reason"), [Needed(), OneLine(SENTENCE_LENGTH)])

"""Forms of programmes: what they are, what they need, what they deliver, what shows it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from wtforms import RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.widgets import CheckboxInput, ListWidget

from crm.forms.base import BaseForm, Needed, OneLine, choices
from crm.forms.money_fields import DayField, DayNeeded, amount_field, currency_field, read_count, read_money, read_number
from crm.i18n import _, _l
from crm.models.base import NAME_LENGTH, SENTENCE_LENGTH, TEXT_LENGTH
from crm.models.programmes import GOAL_AREA
from crm.money import Money

FIRST_YEAR, LAST_YEAR = 1990, 2100


class ProgrammeForm(BaseForm):
    """A programme and its tags."""

    office_id = SelectField(_l("Office"), validate_choice=False)
    title = StringField(_l("Title"), [Needed(), OneLine(NAME_LENGTH)])
    summary = TextAreaField(_l("What it does"), [OneLine(TEXT_LENGTH)])
    starts_on = DayField(_l("Starts on"), [DayNeeded()])
    ends_on = DayField(_l("Ends on"))
    currency = currency_field(_l("Currency of its requirement"))
    sector = SelectField(_l("Sector"), validate_choice=False)
    place_text = StringField(_l("Where"), [OneLine(200)])
    goal_areas = SelectMultipleField(
        _l("Goal areas of the strategic plan"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validate_choice=False,
        description=_l("Those of the plan of these years, and those the programme has already."),
    )
    goals = SelectMultipleField(_l("Sustainable Development Goals"), validate_choice=False)
    targets = StringField(_l("Targets"), [OneLine(200)], description=_l("Numbers, with blanks between: 3.8 4.1"))
    articles = StringField(_l("Articles of the Convention on the Rights of the Child"), [OneLine(200)], description=_l("Numbers: 24 28"))

    def validate(self, extra_validators: Any = None) -> bool:
        """Refuse a blank currency that was sent: it would silently be another."""
        is_valid = bool(super().validate(extra_validators))
        if self.currency.raw_data and not self.currency.data:
            self.currency.errors = [*self.currency.errors, _("Choose a currency.")]
        return is_valid and not self.currency.errors

    def tags(self) -> list[tuple[str, str]]:
        """The tags typed and ticked, as (scheme, code)."""
        found = [("sdg-goal", code) for code in self.goals.data or []]
        found += [(GOAL_AREA, code) for code in self.goal_areas.data or []]
        for field, scheme in ((self.targets, "sdg-target"), (self.articles, "crc")):
            found += [(scheme, code.lower()) for code in (field.data or "").replace(",", " ").replace(";", " ").split()]
        return found


class RequirementForm(BaseForm):
    """What a programme needs in a year; a new version, the earlier one stays."""

    year = StringField(_l("Year"), [Needed(), OneLine(4)])
    amount = amount_field(_l("Needed in that year"), _l("0 where nothing is needed."))
    source = StringField(_l("Source"), [OneLine(SENTENCE_LENGTH)], description=_l("Such as the signed programme document and its page."))

    money: Money | None = None
    number: int | None = None
    own_currency = ""

    def validate(self, extra_validators: Any = None) -> bool:
        """Read the year and the amount in the programme's currency."""
        is_valid = bool(super().validate(extra_validators))
        self.number = read_count(self.year, FIRST_YEAR, LAST_YEAR) if self.year.data else None
        self.money = read_money(self.amount, self.own_currency, allow_zero=True)
        return is_valid and self.number is not None and self.money is not None


class OutputForm(BaseForm):
    """What a programme delivers."""

    title = StringField(_l("Output"), [Needed(), OneLine(NAME_LENGTH)])


class IndicatorForm(BaseForm):
    """What shows that a programme works."""

    title = StringField(_l("Indicator"), [Needed(), OneLine(NAME_LENGTH)])
    unit = StringField(_l("Unit"), [OneLine(60)], description=_l("Such as children, percent, visits a month."))
    direction = RadioField(_l("Better is"), choices=choices([("up", _l("more")), ("down", _l("less"))]), default="up")
    output_id = SelectField(_l("Output"), validate_choice=False)
    baseline_value = StringField(_l("Baseline"), [OneLine(40)])
    baseline_on = DayField(_l("Baseline of"))
    target_value = StringField(_l("Target"), [OneLine(40)])
    target_on = DayField(_l("Target by"))
    source = StringField(_l("Source"), [OneLine(SENTENCE_LENGTH)])

    baseline: Decimal | None = None
    target: Decimal | None = None

    def validate(self, extra_validators: Any = None) -> bool:
        """Read the numbers."""
        is_valid = bool(super().validate(extra_validators))
        self.baseline, self.target = read_number(self.baseline_value), read_number(self.target_value)
        return is_valid and not (self.baseline_value.errors or self.target_value.errors)


class MeasurementForm(BaseForm):
    """A measured value."""

    measured_on = DayField(_l("Measured on"), [DayNeeded()])
    value = StringField(_l("Value"), [Needed(), OneLine(40)])
    source = StringField(_l("Source"), [OneLine(SENTENCE_LENGTH)])

    number: Decimal | None = None

    def validate(self, extra_validators: Any = None) -> bool:
        """Read the number."""
        is_valid = bool(super().validate(extra_validators))
        self.number = read_number(self.value) if self.value.data else None
        return is_valid and self.number is not None

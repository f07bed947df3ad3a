"""Amounts, currencies, days, numbers and instalment plans as people type them. Nothing typed is ever changed or lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from wtforms import DateField, Field, FieldList, FormField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import StopValidation

from crm.clock import month_steps
from crm.data import currencies
from crm.errors import Invalid
from crm.forms.base import BaseForm, OneLine, TokenField
from crm.forms.lookups import RowForm
from crm.i18n import _, _l
from crm.money import MAX_AMOUNT_TEXT, AmountInvalid, Money, from_minor, known_currency, minor_units, parse_amount, split, to_minor
from crm.queries.due import said_when
from crm.services.money_rules import PlanLine

USUAL = ("USD", "EUR", "GBP", "CHF", "JPY", "SEK", "NOK")
MOST_ROWS = 120
_DAY_SHAPES = ("%Y-%m-%d", "%d.%m.%Y", "%d %b %Y", "%d %B %Y")
_NUMBER_LENGTH = 40
_THREE = 3


def add_error(field: Field, sentence: str) -> None:
    """Put a sentence beside a field, after those it has."""
    field.errors = [*field.errors, sentence]


class InReportingCurrency:
    """For a form with a field that is in the reporting currency of its office: which one the page named (`named_currency`), and which it
    is now (`reporting_currency`, set by the view). In between another office may have been chosen, or its currency changed."""

    named_currency = TokenField()
    reporting_currency = ""

    def hold_to_named(self, field: Field) -> None:
        """Refuse what was typed under the name of another currency; from then on the page names the right one."""
        named = self.named_currency.data
        if field.data and named and named != self.reporting_currency:
            sentence = _(
                "The page asked for it in %(named)s, but the reporting currency of this office is %(now)s. Enter it in %(now)s.",
                named=named[:3],
                now=self.reporting_currency,
            )
            add_error(field, sentence)
            self.named_currency.data = self.reporting_currency


class DayField(DateField):
    """A day: the native control, or typed as 2023-03-31, 31.3.2023 or 31 Mar 2023. Empty is None."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read a typed day; what cannot be read stays in the field with a sentence beside it."""
        text = " ".join(str(value) for value in valuelist).strip()
        self.data = None
        if not text:
            return
        for shape in _DAY_SHAPES:
            try:
                self.data = datetime.strptime(text, shape).date()  # noqa: DTZ007 - a day has no zone
            except ValueError:
                continue
            return
        raise ValueError(_("“%(text)s” is not a day. Write it like 2023-03-31 or 31 Mar 2023.", text=text[:40]))


class DayNeeded:
    """A day that must be given; what was typed and cannot be read keeps its own sentence."""

    def __init__(self) -> None:
        self.field_flags = {"required": True}

    def __call__(self, _form: Any, field: Field) -> None:
        if field.data is None and not field.errors:
            raise StopValidation(_("Fill in: %(label)s.", label=field.label.text))


def amount_field(label: Any, description: Any = "", *, is_needed: bool = True) -> StringField:
    """A text field for an amount; `read_money` reads it once the currency is known."""
    rules = [_Shown(), OneLine(MAX_AMOUNT_TEXT)] if is_needed else [OneLine(MAX_AMOUNT_TEXT)]
    return StringField(label, rules, description=description)


class _Shown:
    """Marks a field as needed for the label; `read_money` says the sentence."""

    field_flags = {"required": True}  # noqa: RUF012 - WTForms reads it by name

    def __call__(self, _form: Any, _field: Field) -> None:
        return


def currency_field(label: Any = None, rules: Sequence[Any] = ()) -> SelectField:
    """A select of currencies; fill its choices by `offer_currencies`."""
    return SelectField(label or _l("Currency"), list(rules), validate_choice=False)


#: Codes of ISO 4217 that no donor pays in: units of funds, indexes and clearing. Not offered; where one is written it is taken.
_UNITS = frozenset({"BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW", "XAU", "XAG", "XDR", "XPD", "XPT", "XSU", "XUA", "XAD"})


def offer_currencies(field: SelectField, usual: Iterable[str] = (), *, blank: str = "") -> None:
    """Offer the office's own and the usual currencies first, then all that are in use; `blank`: the words of an empty first choice."""
    first = list(dict.fromkeys(code for code in (*usual, *USUAL) if known_currency(code)))
    usual_group, all_group = _("Usual"), _("All")
    rest = [c for c in currencies().values() if c.active and c.code not in first and c.code not in _UNITS]
    field.choices = [
        *([SelectChoice("", blank, optgroup=usual_group)] if blank else []),
        *(SelectChoice(code, code, optgroup=usual_group) for code in first),
        *(SelectChoice(c.code, f"{c.code} {c.name}", optgroup=all_group) for c in rest),
    ]


def read_money(
    field: Field, currency: str | None, *, is_needed: bool = True, allow_zero: bool = False, allow_negative: bool = False
) -> Money | None:
    """The amount typed into `field`, or None with the reason beside it (M1: two readings are asked about, never guessed)."""
    text = field.data or ""
    if not text and not is_needed:
        return None
    if field.errors:
        return None
    code = (currency or "").strip().upper()
    if not known_currency(code):
        if not field.errors:
            add_error(field, _("Choose a currency."))
        return None
    try:
        return Money(parse_amount(text, code, allow_zero=allow_zero, allow_negative=allow_negative), code)
    except AmountInvalid as error:
        add_error(field, _(error.template, **error.params))
        return None


def typed(amount: Money) -> str:
    """An amount as a form holds it: read back in one way only, whatever the currency's decimals."""
    text = f"{amount.rounded().amount:f}"
    return f"{text}0" if minor_units(amount.currency) == _THREE else text


def read_number(field: Field, *, is_needed: bool = False) -> Decimal | None:
    """A plain number ("0.9906", "0,9906", "1 250"), or None with the reason beside the field."""
    text = str("" if field.data is None else field.data).replace("\u00a0", " ").replace("\u202f", " ").strip()
    if not text:
        if is_needed:
            add_error(field, _("Fill in: %(label)s.", label=field.label.text))
        return None
    sentence = _("“%(text)s” is not a number. Write it like 1250 or 0.75.", text=text[:_NUMBER_LENGTH])
    plain = text.replace(" ", "").removesuffix("%")
    if "," in plain:
        whole, _comma, decimals = plain.partition(",")
        if "." in plain or "," in decimals or len(decimals) == _THREE:
            add_error(field, sentence)
            return None
        plain = f"{whole}.{decimals}"
    shape = plain.removeprefix("-").replace(".", "", 1)
    if len(plain) > _NUMBER_LENGTH or not (shape.isascii() and shape.isdigit()):
        add_error(field, sentence)
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:
        add_error(field, sentence)
        return None


def read_count(field: Field, least: int, most: int) -> int | None:
    """A whole number between two bounds, or None with the reason beside the field."""
    text = (field.data or "").strip()
    if text.isascii() and text.isdigit() and len(text) < 6 and least <= int(text) <= most:  # noqa: PLR2004
        return int(text)
    add_error(field, _("Write a whole number from %(least)s to %(most)s.", least=least, most=most))
    return None


class Rows(FieldList):  # type: ignore[type-arg]  # generic in the stubs only
    """Rows whose numbers are plain and few, whatever a stranger sends."""

    def _extract_indices(self, prefix: str, formdata: Iterable[str]) -> Iterator[int]:
        for key in formdata:
            number = key[len(prefix) + 1 :].split("-", 1)[0] if key.startswith(f"{prefix}-") else ""
            if number.isascii() and number.isdigit() and len(number) < 5:  # noqa: PLR2004
                yield int(number)


def sync(rows: Rows) -> None:
    """Let the list of rows know the refusals that came beside its rows' fields, so that the form knows it holds errors."""
    own = [text for text in rows.errors if isinstance(text, str)]
    inner = [entry.errors for entry in rows.entries]
    rows.errors = [*(inner if any(inner) else []), *own]


class PlanRow(RowForm):
    """One instalment: due on a day or when something happens, and how much."""

    due_on = DayField(_l("Due on"))
    due_when = StringField(_l("Or when"), [OneLine(600)])
    amount = StringField(_l("Amount"), [OneLine(MAX_AMOUNT_TEXT)])

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed."""
        return not any(field.data or (field.raw_data and "".join(map(str, field.raw_data)).strip()) for field in self)


class PlanForm(BaseForm):
    """A form with a plan of instalments. After `read_plan`, `plan_lines` holds what was typed, blank rows left out."""

    plan = Rows(FormField(PlanRow), label=_l("Instalments"), min_entries=1, max_entries=MOST_ROWS)
    parts = StringField(_l("Number of parts"), [OneLine(10)])
    every = StringField(_l("Months between them"), [OneLine(10)])
    first_on = DayField(_l("First one due on"))

    plan_lines: Sequence[PlanLine] = ()
    _row_of: Sequence[int] = ()

    def read_plan(self, currency: str | None) -> bool:
        """Read the rows; refusals stand beside their fields."""
        lines: list[PlanLine] = []
        rows: list[int] = []
        is_right = True
        for number, entry in enumerate(self.plan.entries):
            row = entry.form
            if row.is_blank:
                continue
            amount = read_money(row.amount, currency)
            if row.due_on.data is None and not row.due_when.data and not row.due_on.errors:
                add_error(row.due_on, _("Say on which day, or after what, this instalment is due."))
            if any(field.errors for field in row) or amount is None:
                is_right = False
                continue
            lines.append(PlanLine(amount, row.due_on.data, row.due_when.data or ""))
            rows.append(number)
        self.plan_lines, self._row_of = lines, rows
        sync(self.plan)
        return is_right

    def take(self, error: Invalid) -> None:
        """Put refusals of instalments beside their own rows."""
        rest: dict[str, list[str]] = {}
        for name, sentences in error.errors.items():
            if name == "donor_id" and "donor" in self:
                for sentence in sentences:
                    self["donor"].refuse(sentence)
                continue
            place, _dash, part = name.removeprefix("plan-").partition("-")
            if name.startswith("plan-") and place.isdigit() and int(place) < len(self._row_of):
                field = getattr(self.plan.entries[self._row_of[int(place)]].form, part, None)
                if field is not None:
                    field.errors = [*field.errors, *sentences]
                    continue
            rest[name] = sentences
        sync(self.plan)
        if rest:
            super().take(Invalid(errors=rest))

    def add_row(self) -> None:
        """One more blank row, for who has no script."""
        if len(self.plan.entries) < MOST_ROWS:
            self.plan.append_entry()

    def show_plan(self, lines: Iterable[PlanLine], *, blank: int = 1) -> None:
        """Fill the rows anew, with some blank ones after them."""
        while self.plan.entries:
            self.plan.pop_entry()
        for line in lines:
            self.plan.append_entry({"due_on": line.due_on, "due_when": said_when(line.due_when), "amount": typed(line.amount)})
        for _row in range(blank):
            self.add_row()

    def fill_equal_parts(self, total: Money | None) -> bool:
        """Fill the rows with equal parts every so many months from a day; the parts add up to the total (M6)."""
        count = read_count(self.parts, 1, MOST_ROWS - 1)
        step = read_count(self.every, 1, 120)
        first: date | None = self.first_on.data
        if first is None and not self.first_on.errors:
            add_error(self.first_on, _("Fill in: %(label)s.", label=self.first_on.label.text))
        if total is None or count is None or step is None or first is None:
            return False
        try:
            days = month_steps(first, count, every=step)
        except Invalid as error:
            add_error(self.first_on, str(error))
            return False
        minor = to_minor(total)
        if minor < count:
            add_error(self.parts, _("The amount is too small for so many parts."))
            return False
        parts = split(minor, [1] * count)
        self.show_plan(PlanLine(from_minor(part, total.currency), day) for part, day in zip(parts, days, strict=True))
        return True

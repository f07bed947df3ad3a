"""The form of a contact, planned or held, and the small ones on its page. Choices are passed in by the view."""

from __future__ import annotations

from collections.abc import Mapping

from wtforms import FormField, HiddenField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.widgets import CheckboxInput

from crm.forms.base import Needed, OneLine, choices
from crm.forms.lookups import ClockField, PartyField, RowForm, RowsForm
from crm.forms.money_fields import DayField, Rows, amount_field, currency_field
from crm.i18n import LazyText, _l
from crm.models.base import SENTENCE_LENGTH, TEXT_LENGTH

MOST_ROWS = 40
LEVEL_CHOICES = (("open", _l("Everybody whose work covers this office")), ("office", _l("This office only")))
LEVEL_NOTES: Mapping[str, LazyText] = {
    "open": _l("The office, its region and headquarters."),
    "office": _l("Members of this office; neither the region nor headquarters."),
}
WITHIN = (
    ("", _l("On a day")),
    ("1", _l("Tomorrow")),
    ("3", _l("In 3 days")),
    ("7", _l("In a week")),
    ("14", _l("In two weeks")),
    ("30", _l("In a month")),
)


class PersonRow(RowForm):
    """Somebody of theirs."""

    name = StringField(_l("Name"), [OneLine(300)])
    post = StringField(_l("Post"), [OneLine(300)])


class AnswerRow(RowForm):
    """The answer to one ask."""

    ask_id = HiddenField()
    answer = RadioField(
        _l("Answer"),
        choices=choices(
            [("yes", _l("Yes")), ("part", _l("In part")), ("no", _l("No")), ("none", _l("No answer yet")), ("", _l("Not raised"))]
        ),
        default="",
        validate_choice=False,
    )
    words = StringField(_l("In their words"), [OneLine(SENTENCE_LENGTH)])


class PromiseRow(RowForm):
    """Something promised."""

    words = TextAreaField(_l("What was promised"), [OneLine(TEXT_LENGTH)])
    direction = SelectField(_l("By whom"), choices=choices([("theirs", _l("By them")), ("ours", _l("By us"))]), validate_choice=False)
    kind = SelectField(_l("Kind"), validate_choice=False)
    due_on = DayField(_l("By when"))
    quantity = StringField(
        _l("How much or how many"), [OneLine(200)], description=_l("Such as EUR 10 million: a pledge starts from this amount.")
    )


class StepRow(RowForm):
    """A follow-up."""

    text = StringField(_l("What is to be done"), [OneLine(SENTENCE_LENGTH)])
    within = SelectField(_l("Due"), choices=choices(WITHIN), default="7", validate_choice=False)
    due_on = DayField(_l("Or on this day"))
    owner_id = SelectField(_l("Who does it"), validate_choice=False)


class NewAskRow(RowForm):
    """A new ask, written with the contact."""

    sentence = StringField(_l("The ask, in one sentence"), [OneLine(SENTENCE_LENGTH)])
    by_when = DayField(_l("By when"))
    amount = amount_field(_l("Amount"), _l("Only where the ask is for money."), is_needed=False)
    currency = currency_field()


class InteractionForm(RowsForm):
    """A contact: who and when first; everything else may stay empty or is filled in."""

    aliases = {"party_id": "party-text", "starts_at": "day"}  # noqa: RUF012

    party = PartyField(_l("Who"), description=_l("A person, an organisation or a group. Start typing, or enter a reference."))
    day = DayField(_l("Day"))
    time = ClockField(_l("Time"))
    kind = SelectField(_l("Kind"), validate_choice=False)
    office = SelectField(_l("For which office"), validate_choice=False)
    state = HiddenField()
    planned = HiddenField()
    summary = TextAreaField(_l("What was said"), [OneLine(TEXT_LENGTH)], description=_l("One sentence is enough."))
    office_note = TextAreaField(
        _l("For this office only"), [OneLine(TEXT_LENGTH)], description=_l("What the region and headquarters should not read. Kept apart.")
    )
    answers = Rows(FormField(AnswerRow), label=_l("Answers"), max_entries=MOST_ROWS)
    promises = Rows(FormField(PromiseRow), label=_l("What was promised"), min_entries=1, max_entries=MOST_ROWS)
    follow_ups = Rows(FormField(StepRow), label=_l("What comes next"), min_entries=1, max_entries=MOST_ROWS)
    minutes = StringField(_l("Length in minutes"), [OneLine(6)])
    place_text = StringField(_l("Place"), [OneLine(200)])
    language = StringField(_l("Language"), [OneLine(60)])
    theirs = Rows(FormField(PersonRow), label=_l("Their side"), min_entries=1, max_entries=MOST_ROWS)
    ours = SelectMultipleField(_l("Our side"), validate_choice=False, option_widget=CheckboxInput())
    purpose = TextAreaField(_l("Purpose"), [OneLine(SENTENCE_LENGTH)], description=_l("What should be different afterwards."))
    ask_id = RadioField(_l("The ask"), validate_choice=False)
    new_ask = FormField(NewAskRow, label=_l("A new ask"))
    fallback = StringField(_l("Fallback"), [OneLine(SENTENCE_LENGTH)], description=_l("What we ask if the answer is no."))
    offer = StringField(_l("What we offer"), [OneLine(SENTENCE_LENGTH)])
    point_1 = StringField(_l("First point"), [OneLine(SENTENCE_LENGTH)])
    point_2 = StringField(_l("Second point"), [OneLine(SENTENCE_LENGTH)])
    point_3 = StringField(_l("Third point"), [OneLine(SENTENCE_LENGTH)])
    red_line = StringField(_l("Red line"), [OneLine(SENTENCE_LENGTH)], description=_l("What we do not accept, or do not say."))
    programme_id = SelectField(_l("Programme"), validate_choice=False)
    level = RadioField(_l("Who can read it"), choices=choices(LEVEL_CHOICES), default="open", validate_choice=False)

    @property
    def minutes_typed(self) -> int | None:
        """The length as a number; None where empty or unreadable (`check_minutes` says so)."""
        text = self.minutes.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None  # noqa: PLR2004


class AnswersForm(RowsForm):
    """The answers given at a contact, recorded or changed afterwards."""

    answers = Rows(FormField(AnswerRow), label=_l("Answers"), max_entries=MOST_ROWS)


class ReasonForm(RowsForm):
    """Why something is cancelled or closed."""

    reason = TextAreaField(_l("Reason"), [Needed(_l("Write the reason.")), OneLine(SENTENCE_LENGTH)])


class NoteForm(RowsForm):
    """A note with who may read it."""

    body = TextAreaField(_l("Note"), [Needed(_l("Write the note.")), OneLine(TEXT_LENGTH)])
    level = RadioField(_l("Who can read it"), choices=choices(LEVEL_CHOICES), default="open", validate_choice=False)

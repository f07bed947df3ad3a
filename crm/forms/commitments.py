"""Forms of commitments. Choices are passed in by the view."""

from __future__ import annotations

from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField

from crm.forms.base import Needed, OneLine, choices
from crm.forms.interactions import LEVEL_CHOICES
from crm.forms.lookups import PartyField, RowsForm
from crm.forms.money_fields import DayField
from crm.i18n import _l
from crm.models.base import NAME_LENGTH, SENTENCE_LENGTH, TEXT_LENGTH


class CommitmentForm(RowsForm):
    """A promise, and the questions of the SMART check, none of which must be answered."""

    aliases = {"party_id": "party-text"}  # noqa: RUF012

    direction = RadioField(
        _l("Whose promise"),
        choices=choices([("theirs", _l("They promised")), ("ours", _l("We promised"))]),
        default="theirs",
        validate_choice=False,
    )
    party = PartyField(_l("Who"), description=_l("Who promised, or whom we promised. Start typing, or enter a reference."))
    office = SelectField(_l("For which office"), validate_choice=False)
    words = TextAreaField(
        _l("What exactly was promised"),
        [Needed(_l("Write what was promised, in one sentence.")), OneLine(TEXT_LENGTH)],
        description=_l("In their words."),
    )
    kind = SelectField(_l("Kind"), validate_choice=False)
    made_on = DayField(_l("Promised on"))
    due_on = DayField(_l("By when"))
    on_behalf_of = StringField(_l("On whose behalf"), [OneLine(NAME_LENGTH)])
    position_id = SelectField(_l("In which post"), validate_choice=False)
    programme_id = SelectField(_l("For which programme"), validate_choice=False)
    place_text = StringField(_l("For which place"), [OneLine(200)])
    quantity = StringField(_l("How much or how many"), [OneLine(200)])
    baseline = StringField(_l("From which baseline"), [OneLine(SENTENCE_LENGTH)])
    indicator_text = StringField(_l("By which indicator"), [OneLine(SENTENCE_LENGTH)])
    funding_source = StringField(_l("With which money"), [OneLine(SENTENCE_LENGTH)])
    evidence = StringField(_l("What evidence will show it"), [OneLine(SENTENCE_LENGTH)])
    witness = StringField(_l("Witness"), [OneLine(NAME_LENGTH)])
    owner_id = SelectField(_l("Who of us follows it"), validate_choice=False)
    interaction_id = HiddenField()
    ask_id = HiddenField()
    level = RadioField(_l("Who can read it"), choices=choices(LEVEL_CHOICES), default="open", validate_choice=False)


class OutcomeForm(RowsForm):
    """What became of a promise."""

    outcome = RadioField(
        _l("What became of it"),
        choices=choices(
            [
                ("kept", _l("Kept")),
                ("part", _l("Kept in part")),
                ("broken", _l("Broken")),
                ("overtaken", _l("Overtaken by events")),
                ("", _l("Still open")),
            ]
        ),
        validate_choice=False,
    )
    outcome_on = DayField(_l("On which day"))
    outcome_note = TextAreaField(_l("What happened"), [OneLine(SENTENCE_LENGTH)])


class VerifyForm(RowsForm):
    """A second person's check."""

    evidence = StringField(_l("Evidence seen"), [Needed(_l("Write which evidence you have seen.")), OneLine(SENTENCE_LENGTH)])

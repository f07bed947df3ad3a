"""Forms of follow-ups. Choices are passed in by the view."""

from __future__ import annotations

from wtforms import HiddenField, SelectField, StringField

from crm.forms.base import Needed, OneLine, choices
from crm.forms.interactions import WITHIN
from crm.forms.lookups import PartyField, RowsForm
from crm.forms.money_fields import DayField
from crm.i18n import _l
from crm.models.base import SENTENCE_LENGTH


class FollowUpForm(RowsForm):
    """Something to be done by one of us."""

    aliases = {"party_id": "party-text"}  # noqa: RUF012

    text = StringField(_l("What is to be done"), [Needed(_l("Write what is to be done.")), OneLine(SENTENCE_LENGTH)])
    within = SelectField(_l("Due"), choices=choices(WITHIN), default="7", validate_choice=False)
    due_on = DayField(_l("Or on this day"))
    owner_id = SelectField(_l("Who does it"), validate_choice=False)
    party = PartyField(_l("About whom"), is_needed=False)
    office = SelectField(_l("For which office"), validate_choice=False)
    interaction_id = HiddenField()
    ask_id = HiddenField()
    commitment_id = HiddenField()


class FollowUpEditForm(RowsForm):
    """Changing a follow-up."""

    text = StringField(_l("What is to be done"), [Needed(_l("Write what is to be done.")), OneLine(SENTENCE_LENGTH)])
    due_on = DayField(_l("Due on"))
    owner_id = SelectField(_l("Who does it"), validate_choice=False)


class DoneForm(RowsForm):
    """Done, with a note if there is something to say."""

    done_note = StringField(_l("Note"), [OneLine(SENTENCE_LENGTH)])

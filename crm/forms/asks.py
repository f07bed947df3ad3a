"""Forms of asks. Choices are passed in by the view."""

from __future__ import annotations

from wtforms import RadioField, SelectField, StringField, TextAreaField

from crm.forms.base import Needed, OneLine, choices
from crm.forms.interactions import LEVEL_CHOICES
from crm.forms.lookups import PartyField, RowsForm
from crm.forms.money_fields import DayField, amount_field, currency_field
from crm.i18n import _l
from crm.models.base import SENTENCE_LENGTH


class AskForm(RowsForm):
    """One ask of one addressee."""

    aliases = {"addressee_id": "addressee-text"}  # noqa: RUF012

    addressee = PartyField(_l("Whom we ask"), description=_l("A person, an organisation or a group. Start typing, or enter a reference."))
    office = SelectField(_l("For which office"), validate_choice=False)
    sentence = TextAreaField(
        _l("The ask, in one sentence"),
        [Needed(_l("Write the ask in one sentence.")), OneLine(SENTENCE_LENGTH)],
        description=_l("What they would do if they said yes."),
    )
    by_when = DayField(_l("By when"))
    programme_id = SelectField(_l("Programme"), validate_choice=False)
    position_id = SelectField(_l("In which post"), validate_choice=False, description=_l("An ask of a post stays when its holder leaves."))
    amount = amount_field(_l("Amount"), _l("Only where the ask is for money."), is_needed=False)
    currency = currency_field()
    fallback = StringField(_l("Fallback"), [OneLine(SENTENCE_LENGTH)], description=_l("What we ask if the answer is no."))
    level = RadioField(_l("Who can read it"), choices=choices(LEVEL_CHOICES), default="open", validate_choice=False)

"""What a change of several records must be told, one field by kind of change. Choices are passed in by the view."""

from __future__ import annotations

from wtforms import Field, SelectField, StringField

from crm.forms.base import BaseForm, Needed, OneLine
from crm.forms.money_fields import DayField
from crm.i18n import LazyText, _l
from crm.models.base import SENTENCE_LENGTH


class ValueForm(BaseForm):
    """The new value of all records that were chosen."""

    value: Field


class DayForm(ValueForm):
    """A day."""

    value = DayField(_l("The day"), [Needed(_l("Enter the day."))])


class PersonForm(ValueForm):
    """One of us."""

    value = SelectField(_l("To whom"), [Needed(_l("Choose one of your colleagues."))], validate_choice=False)


class KindForm(ValueForm):
    """What parties are to us."""

    value = SelectField(_l("What they are to us"), [Needed(_l("Choose what they are to us."))], validate_choice=False)


class CountryForm(ValueForm):
    """A country."""

    value = SelectField(_l("Country"), [Needed(_l("Choose the country."))], validate_choice=False)


class ReasonForm(ValueForm):
    """A sentence that stands on each of them."""

    value = StringField(_l("The reason"), [Needed(_l("Write why they are closed.")), OneLine(SENTENCE_LENGTH)])


class NoteForm(ValueForm):
    """A sentence, where there is something to say."""

    value = StringField(
        _l("Note"), [OneLine(SENTENCE_LENGTH)], description=_l("It stands on each of them, in the place of an earlier one.")
    )


FORMS: dict[str, type[ValueForm]] = {
    "day": DayForm,
    "person": PersonForm,
    "kind": KindForm,
    "country": CountryForm,
    "reason": ReasonForm,
    "note": NoteForm,
    "": ValueForm,
}
WHAT: dict[str, LazyText] = {
    "parties": _l("Parties"),
    "asks": _l("Asks"),
    "commitments": _l("Commitments"),
    "follow-ups": _l("Follow-ups"),
}

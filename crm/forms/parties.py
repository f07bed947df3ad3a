"""Forms of parties and of the ways to reach them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wtforms import BooleanField, HiddenField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.widgets import CheckboxInput, ListWidget

from crm.data import countries_by_iso2
from crm.forms.base import BaseForm, Needed, OneLine, choices
from crm.forms.money_fields import DayField
from crm.i18n import LazyText, _, _l

FORM_NAMES: dict[str, LazyText] = {"person": _l("Person"), "organisation": _l("Organisation"), "group": _l("Group")}
VISIBILITY_NAMES: dict[str, LazyText] = {"shared": _l("Shared with all offices"), "office": _l("Your office")}
CHANNEL_NAMES: dict[str, LazyText] = {
    "email": _l("E-mail"),
    "phone": _l("Phone"),
    "mobile": _l("Mobile phone"),
    "address": _l("Postal address"),
    "web": _l("Web page"),
    "messaging": _l("Messaging"),
}


def country_choices() -> list[tuple[str, str]]:
    """Countries by name, the empty choice first."""
    named = sorted(((country.name, code) for code, country in countries_by_iso2().items()), key=lambda pair: pair[0].casefold())
    return [("", _("Not given")), *((code, name) for name, code in named)]


def lines_of(text: str | None) -> list[str]:
    """The lines of a text that hold something."""
    return [line.strip() for line in (text or "").split("\n") if line.strip()]


class PartyForm(BaseForm):
    """A person, organisation or group. Other names are typed one a line. `kinds`: those that are offered, with their names."""

    form_of = HiddenField()
    office_id = SelectField(_l("Office"), validate_choice=False)
    name = StringField(_l("Name"), [Needed(_l("Enter a name.")), OneLine(300)])
    native_names = TextAreaField(_l("Name in its own script"), description=_l("One a line, as the party writes it."))
    aliases = TextAreaField(_l("Also known as"), description=_l("One a line. All of them find the party."))
    acronyms = TextAreaField(_l("Acronyms"), description=_l("One a line."))
    former_names = TextAreaField(_l("Former names"), description=_l("One a line."))
    kinds = SelectMultipleField(
        _l("What they are to us"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=_l("All that apply."),
    )
    country = SelectField(_l("Country"))
    part_of = StringField(_l("Part of"), [OneLine(300)], description=_l("The organisation or group it belongs to."))
    website = StringField(_l("Website"), [OneLine(300)])
    about = TextAreaField(_l("About"), description=_l("Who they are, in words that anybody who sees the party may read."))
    visibility = RadioField(_l("Who can see this party"))
    post_title = StringField(_l("Post"), [OneLine(300)], description=_l("Such as Minister of Health."))
    post_organisation = StringField(_l("In which organisation"), [OneLine(300)])
    post_is_new = BooleanField(_l("This organisation is not on record yet: record it too"))
    post_from = DayField(_l("Holds it since"))
    post_address = StringField(_l("Form of address"), [OneLine(200)], description=_l("Such as Her Excellency Dr Amal Haddad."))
    seen = HiddenField()

    def __init__(
        self, *args: Any, kinds: Iterable[tuple[str, str]] = (), visibilities: Iterable[str] = ("shared", "office"), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kinds.choices = choices(kinds)
        self.country.choices = choices(country_choices())
        self.visibility.choices = choices((key, str(VISIBILITY_NAMES[key])) for key in visibilities)


class ChannelForm(BaseForm):
    """A way to reach a party."""

    kind = SelectField(_l("Kind"))
    value = StringField(_l("Address or number"), [Needed(_l("Enter the address or number.")), OneLine(600)])
    label = StringField(_l("What it is for"), [OneLine(100)], description=_l("Such as private secretary, mornings only."))
    is_preferred = BooleanField(_l("Preferred"))
    seen = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = choices((kind, str(label)) for kind, label in CHANNEL_NAMES.items())

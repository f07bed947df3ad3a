"""Forms for offices and people. Choices come from the view."""

from __future__ import annotations

from wtforms import BooleanField, HiddenField, PasswordField, SelectField, StringField

from crm.forms.base import BaseForm, Needed, OneLine, choices
from crm.forms.money_fields import currency_field
from crm.i18n import LazyText, _l

OFFICE_KIND_NAMES: dict[str, LazyText] = {"country": _l("Country office"), "regional": _l("Regional office"), "hq": _l("Headquarters")}


class OfficeForm(BaseForm):
    """A new office."""

    code = StringField(_l("Code"), [Needed(), OneLine(12)], description=_l("Two to twelve capital letters; stands in every reference."))
    name = StringField(_l("Name"), [Needed(), OneLine(200)])
    kind = SelectField(_l("Kind"), choices=choices(OFFICE_KIND_NAMES.items()))
    parent_id = SelectField(_l("Belongs to"), validate_choice=False)
    currency = currency_field(_l("Local currency"), [Needed()])
    reporting_currency = currency_field(_l("Reporting currency"), [Needed()])
    timezone = StringField(_l("Time zone"), [Needed(), OneLine(60)], description=_l("Such as Asia/Amman."))


class OfficeSettingsForm(BaseForm):
    """What can be changed of an office."""

    name = StringField(_l("Name"), [Needed(), OneLine(200)])
    currency = currency_field(_l("Local currency"), [Needed()])
    reporting_currency = currency_field(_l("Reporting currency"), [Needed()])
    timezone = StringField(_l("Time zone"), [Needed(), OneLine(60)], description=_l("Such as Asia/Amman."))


class MoveForm(BaseForm):
    """Where an office goes, and where it belonged when its move was looked at."""

    parent_id = HiddenField()
    seen = HiddenField()


class UserForm(BaseForm):
    """A new person who can sign in."""

    name = StringField(_l("Name"), [Needed(), OneLine(200)])
    email = StringField(_l("E-mail address"), [Needed(), OneLine(254)])
    office_id = SelectField(_l("Office"), validate_choice=False)
    role = SelectField(_l("Role"), validate_choice=False)
    password = PasswordField(
        _l("First password"), [Needed()], description=_l("At least 12 characters. Hand it over in person; they change it after signing in.")
    )


class MembershipForm(BaseForm):
    """Role and standing of a person."""

    role = SelectField(_l("Role"), validate_choice=False)
    is_active = BooleanField(_l("May sign in"))
    password = PasswordField(_l("New password"), description=_l("Leave empty to keep the present one. Setting one ends all sessions."))

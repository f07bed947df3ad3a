"""Forms of one's own account."""

from __future__ import annotations

from wtforms import BooleanField, HiddenField, PasswordField, RadioField, StringField

from crm.forms.base import BaseForm, Needed, OneLine, choices
from crm.i18n import _l


class SignInForm(BaseForm):
    """Address and password."""

    email = StringField(_l("E-mail address"), [Needed(_l("Enter your e-mail address.")), OneLine(254)])
    password = PasswordField(_l("Password"), [Needed(_l("Enter your password."))])
    next = HiddenField()


class PasswordForm(BaseForm):
    """The current and the new password."""

    current = PasswordField(_l("Current password"), [Needed(_l("Enter your current password."))])
    new = PasswordField(
        _l("New password"), [Needed(_l("Enter a new password."))], description=_l("At least 12 characters; a sentence is good.")
    )


class PreferencesForm(BaseForm):
    """How the pages look and answer."""

    theme = RadioField(
        _l("Light or dark"), choices=choices([("auto", _l("As the device")), ("light", _l("Light")), ("dark", _l("Dark"))]), default="auto"
    )
    has_shortcuts = BooleanField(_l("Keyboard shortcuts"))

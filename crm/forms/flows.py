"""Forms of the funding landscape."""

from __future__ import annotations

from typing import Any

from wtforms import SelectField

from crm.forms.base import BaseForm, Needed
from crm.i18n import _l


class PlanLinkForm(BaseForm):
    """Which plan is about which of our programmes."""

    plan = SelectField(_l("Plan, as reported"), [Needed(_l("Choose a plan."))])
    programme = SelectField(_l("Our programme"), [Needed(_l("Choose one of your programmes."))])

    def __init__(self, *, plans: list[str], programmes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan.choices = [("", ""), *((name, name) for name in plans)]
        self.programme.choices = [("", ""), *programmes]


class UnlinkForm(BaseForm):
    """The button that takes a link back."""

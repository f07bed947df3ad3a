"""Forms of posts and of who holds them."""

from __future__ import annotations

from wtforms import StringField, TextAreaField

from crm.forms.base import BaseForm, Needed, OneLine
from crm.forms.money_fields import DayField, DayNeeded
from crm.i18n import _l


class PositionForm(BaseForm):
    """A post in an organisation."""

    title = StringField(_l("Title of the post"), [Needed(_l("Enter the title of the post.")), OneLine(300)])
    portfolio = TextAreaField(_l("What it covers"), description=_l("The matters this post decides on."))


class TenureForm(BaseForm):
    """Who holds a post, from when, addressed how."""

    person = StringField(_l("Who holds it"), [Needed(_l("Enter the person's name.")), OneLine(300)])
    starts_on = DayField(_l("From"))
    ends_on = DayField(_l("Until"), description=_l("Leave it empty while the person holds the post."))
    form_of_address = StringField(_l("Form of address"), [OneLine(200)])
    biography = TextAreaField(_l("Short official biography"))


class TenureEditForm(BaseForm):
    """The days, form of address and biography of a tenure."""

    starts_on = DayField(_l("From"))
    ends_on = DayField(_l("Until"), description=_l("Leave it empty while the person holds the post."))
    form_of_address = StringField(_l("Form of address"), [OneLine(200)])
    biography = TextAreaField(_l("Short official biography"))


class TenureEndForm(BaseForm):
    """The last day of a tenure."""

    ends_on = DayField(_l("Last day in the post"), [DayNeeded()])

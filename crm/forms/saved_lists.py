"""Forms of saved lists."""

from __future__ import annotations

from wtforms import BooleanField, StringField

from crm.forms.base import BaseForm, Needed, OneLine, TokenField
from crm.i18n import _l
from crm.models.saved_lists import LIST_NAME_LENGTH


class SavedListForm(BaseForm):
    """A name for a list, and whether the office's people may open it too."""

    name = StringField(_l("Name of the list"), [Needed(_l("Give the list a name.")), OneLine(LIST_NAME_LENGTH)])
    is_shared = BooleanField(_l("Share it with the people of my office"))
    noun = TokenField()
    query = TokenField()

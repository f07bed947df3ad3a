"""Forms of notes."""

from __future__ import annotations

from wtforms import RadioField, TextAreaField

from crm.forms.base import BaseForm, Needed, OneLine
from crm.i18n import _l


class NoteForm(BaseForm):
    """A note and who may read it; the view gives the levels as choices."""

    body = TextAreaField(_l("Note"), [Needed(_l("Write the note.")), OneLine(20_000)])
    level = RadioField(_l("Who will read it"), default="open")


class NoteEditForm(BaseForm):
    """The words of a note."""

    body = TextAreaField(_l("Note"), [Needed(_l("Write the note.")), OneLine(20_000)])

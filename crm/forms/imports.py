"""Forms of bringing files in."""

from __future__ import annotations

from typing import Any

from flask_wtf.file import FileField
from wtforms import SelectField

from crm.forms.base import BaseForm, Needed
from crm.i18n import _l


class UploadForm(BaseForm):
    """A file, and the office that keeps what it says."""

    file = FileField(
        _l("File"),
        [Needed(_l("Choose a file."))],
        description=_l(
            "CSV or TSV: flows or requirements as OCHA FTS publishes them, or exchange rates. A ZIP may hold one such file. At most 30 MB."
        ),
    )
    office = SelectField(_l("Office"), description=_l("Its colleagues see what the file says; so do the offices above it."))

    def __init__(self, *, offices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.office.choices = offices


class ActForm(BaseForm):
    """A button that does something to a checked file."""

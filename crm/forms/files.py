"""Forms of files: attaching some to a record, removing one."""

from __future__ import annotations

from collections.abc import Mapping

from flask_wtf.file import MultipleFileField
from wtforms import SelectField, StringField

from crm.forms.base import BaseForm, Needed, OneLine, choices
from crm.i18n import LazyText, _l
from crm.models.base import SENTENCE_LENGTH

EVIDENCE_LABELS: Mapping[str, LazyText] = {
    "agreement": _l("Signed agreement"),
    "decree": _l("Decree or law"),
    "letter": _l("Letter or message"),
    "minutes": _l("Minutes or notes"),
    "report": _l("Report"),
    "photo": _l("Photo"),
    "payment": _l("Proof of payment"),
    "other": _l("Something else"),
}


class FilesForm(BaseForm):
    """Some files, what they show, and one line about them."""

    files = MultipleFileField(
        _l("Files"),
        [Needed(_l("Choose a file."))],
        description=_l(
            "PDF, photos (JPEG, PNG, WebP), Word, Excel, PowerPoint, OpenDocument, TXT or CSV; at most 25 MB each, 10 at once and 100 MB "
            "together. Place, time and device are taken out of photos."
        ),
    )
    evidence = SelectField(_l("What it shows"), choices=choices(EVIDENCE_LABELS.items()), default="other")
    caption = StringField(_l("Caption"), [OneLine(SENTENCE_LENGTH)], description=_l("One line for whoever looks for it later."))


class RemoveForm(BaseForm):
    """A button that takes a file off its record or puts it back."""

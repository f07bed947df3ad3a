"""The form of an entry of a code list: its names, its dates, its place."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, StringField, TextAreaField

from crm.forms.base import BaseForm, Needed, OneLine
from crm.forms.money_fields import DayField, read_count
from crm.i18n import DEFAULT_LOCALE, LOCALES, _l
from crm.models.base import SENTENCE_LENGTH
from crm.models.codes import CODE_LENGTH, LABEL_LENGTH

LAST_POSITION = 9999
#: Field -> language: what an entry is called in other languages.
LABEL_FIELDS = {f"label_{language}": language for language in LOCALES if language != DEFAULT_LOCALE}


class CodeForm(BaseForm):
    """An entry. A new one has a code, which never changes afterwards. One field for each language is added below."""

    code = StringField(_l("Code"), [OneLine(CODE_LENGTH)])
    label = StringField(_l("Name in English"), [Needed(_l("Enter what the entry is called.")), OneLine(LABEL_LENGTH)])
    description = TextAreaField(_l("Description"), [OneLine(SENTENCE_LENGTH)], description=_l("What belongs here, for whoever chooses."))
    position = StringField(_l("Place in the list"), [OneLine(5)], description=_l("A number; smaller ones come first."))
    valid_from = DayField(_l("Offered from"))
    valid_to = DayField(_l("Offered until"))
    is_withdrawn = BooleanField(_l("Withdrawn: records that hold it keep it, new ones are not offered it"))

    place: int | None = None

    def validate(self, extra_validators: Any = None) -> bool:
        """Read the place; none typed is the end of the list, or where it is."""
        is_valid = bool(super().validate(extra_validators))
        self.place = read_count(self.position, 0, LAST_POSITION) if self.position.data else None
        return is_valid and not self.position.errors

    def labels(self) -> dict[str, str]:
        """What was typed for each language."""
        return {language: self[name].data or "" for name, language in LABEL_FIELDS.items()}

    def label_fields(self) -> list[Any]:
        """The fields of the other languages, with the language of each."""
        return [(self[name], language) for name, language in LABEL_FIELDS.items()]


for _name, _language in LABEL_FIELDS.items():
    setattr(CodeForm, _name, StringField(LOCALES[_language], [OneLine(LABEL_LENGTH)]))

"""The base of every form: strips blanks, folds nothing else, carries the form token and version, takes service errors."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from flask_wtf import FlaskForm
from werkzeug.datastructures import CombinedMultiDict, FileStorage, MultiDict
from wtforms import Field, FieldList, FileField, FormField, HiddenField, MultipleFileField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import StopValidation

from crm.errors import EditConflict, Invalid
from crm.formatting import is_blank
from crm.i18n import _

_KEPT_CONTROLS = frozenset("\n\r\t")


def clean(value: Any) -> Any:
    """The documented rule for typed text: NFC, control characters but line breaks and tabs dropped, line ends made one,
    blanks around cut; what shows nothing at all is empty."""
    if not isinstance(value, str):
        return value
    text = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c for c in text if c in _KEPT_CONTROLS or unicodedata.category(c) not in ("Cc", "Cs"))
    return "" if is_blank(text) else text.strip()


def choices(pairs: Iterable[tuple[str, object]]) -> list[SelectChoice]:
    """The choices of a select or radio field from (value, label) pairs."""
    return [SelectChoice(value, label) for value, label in pairs]


class OneLine:
    """Refuse line breaks in a one-line field and text over `longest` characters, in clear words."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self.field_flags = {"maxlength": longest}

    def __call__(self, _form: Any, field: Field) -> None:
        if isinstance(field.data, str) and len(field.data) > self.longest:
            raise StopValidation(_("Use at most %(n)s characters; this has %(have)s.", n=self.longest, have=len(field.data)))


class Needed:
    """A field that must be filled in; says which, in the field's own words."""

    def __init__(self, sentence: str | None = None) -> None:
        self.sentence = sentence
        self.field_flags = {"required": True}

    def __call__(self, _form: Any, field: Field) -> None:
        if field.data is None or (isinstance(field.data, str) and not field.data.strip()) or field.data == []:
            field.errors = []
            raise StopValidation(str(self.sentence) if self.sentence else _("Fill in: %(label)s.", label=field.label.text))


class TokenField(HiddenField):
    """A hidden field without an id, since a page may hold several forms."""

    def __call__(self, **kwargs: Any) -> Any:
        return super().__call__(**{"id": False, **kwargs})


class BaseForm(FlaskForm):  # type: ignore[misc]
    """Fields' text is cleaned before validation; `submission` makes a double click one record."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # noqa: D106 - WTForms reads it by name
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Field:
            if not issubclass(unbound_field.field_class, FieldList | FormField):  # their parts are cleaned one by one
                options["filters"] = [*unbound_field.kwargs.get("filters", ()), clean]
                unbound_field.kwargs.pop("filters", None)
            return unbound_field.bind(form=form, **options)  # type: ignore[no-any-return]

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """Files go to fields of files only: a text sent as a file is no text."""
            found = super().wrap_formdata(form, formdata)
            if not isinstance(found, CombinedMultiDict):
                return found
            texts, files = MultiDict[str, Any](), MultiDict[str, Any]()
            for part in found.dicts:
                for name, value in part.items(multi=True):
                    if not isinstance(value, FileStorage):
                        texts.add(name, value)
                    elif isinstance(form._fields.get(name), FileField | MultipleFileField):
                        files.add(name, value)
            return CombinedMultiDict([files, texts])

    submission = TokenField()
    version = TokenField()
    conflict: EditConflict | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.submission.data:
            self.submission.data = uuid.uuid4().hex
        self.whole_errors: list[str] = []

    def take(self, error: Invalid) -> None:
        """Put a service's refusal beside the fields it names; the rest above the form."""
        for name, sentences in error.errors.items():
            field = self._fields.get(name)
            if field is None or not isinstance(field.errors, list | tuple):
                self.whole_errors.extend(sentences)
            else:
                field.errors = [*field.errors, *sentences]

    @property
    def known_version(self) -> int:
        """The version of the record the form was opened with; 0 where none."""
        sent = self.version.raw_data if self.is_submitted() else [self.version.data]
        text = str((sent or [""])[0] or "")  # what the form carried, never what the record holds now
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004

    @property
    def has_errors(self) -> bool:
        """Whether anything was refused."""
        return bool(self.whole_errors or self.errors)

    def error_items(self) -> Iterator[tuple[str, str]]:
        """(field id, sentence) of everything refused, in the order of the fields; "" for the whole form."""
        for sentence in self.whole_errors:
            yield "", sentence
        for field in self:
            yield from _items(field)


def _items(field: Any) -> Iterator[tuple[str, str]]:
    entries = getattr(field, "entries", None)
    inner = list(entries) if entries is not None else list(field) if hasattr(field, "form") else []
    if inner:
        for part in inner:
            yield from _items(part)
        own = [error for error in field.errors if isinstance(error, str)]
        for sentence in own:
            yield field.id, sentence
        return
    for sentence in field.errors:
        yield field.id, str(sentence)

"""Fields that several forms share: whom a text means, clock times, rows, and refusals put beside the row they name."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, time
from typing import Any

from wtforms import Field, FieldList, Form, FormField, HiddenField, StringField
from wtforms.widgets import TimeInput

from crm.errors import Invalid
from crm.forms.base import BaseForm, OneLine, clean
from crm.i18n import LazyText, _, _l

NAME_LENGTH = 300
NEW = "new:"
NEW_FORMS = ("person", "organisation", "group")
NEW_WORDS: dict[str, LazyText] = {
    "person": _l("A new person, recorded with this."),
    "organisation": _l("A new organisation, recorded with this."),
    "group": _l("A new group, recorded with this."),
}
_TIME_SHAPES = ("%H:%M", "%H.%M", "%H%M", "%H:%M:%S", "%I:%M %p", "%I %p", "%H")


class RowForm(Form):
    """A part of a form whose text is cleaned like the form's own."""

    class Meta(Form.Meta):  # type: ignore[misc]  # noqa: D106 - WTForms reads it by name
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            options["filters"] = [clean]
            return unbound_field.bind(form=form, **options)

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed into its text fields."""
        return not any(field.data for field in self if isinstance(field, StringField) and not isinstance(field, HiddenField))


class ClockField(Field):
    """A time of day: the native control, or typed as 14:30, 14.30, 1430 or 2:30 pm. Empty is None."""

    widget = TimeInput()

    def _value(self) -> str:
        if self.raw_data:
            return " ".join(str(value) for value in self.raw_data)
        return f"{self.data:%H:%M}" if self.data is not None else ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read a typed time; what cannot be read stays in the field with a sentence beside it."""
        text = " ".join(str(value) for value in valuelist).strip()
        self.data: time | None = None
        if not text:
            return
        for shape in _TIME_SHAPES:
            try:
                self.data = datetime.strptime(text.upper(), shape).time()  # noqa: DTZ007 - a time of day has no zone
            except ValueError:
                continue
            return
        raise ValueError(_("“%(text)s” is not a time. Write it like 14:30.", text=text[:40]))


class PartyLookup(RowForm):
    """The text of a lookup, the answer to a doubt about it (a party's id, or new:person), and the text that this answered. Of a
    new person the post and its organisation; `seen`: who was shown as perhaps the same."""

    text = StringField(_l("Name"), [OneLine(NAME_LENGTH)])
    choice = HiddenField()
    choice_for = HiddenField()
    seen = HiddenField()
    post = StringField(_l("Their post"), [OneLine(NAME_LENGTH)])
    organisation = StringField(_l("Their organisation"), [OneLine(NAME_LENGTH)])


class PartyField(FormField):  # type: ignore[type-arg]  # not generic at run time
    """Whom a text means. The view asks queries.lookups and calls `settle`, `offer` or `refuse`; the macro is
    components/lookup.html. Works without a script: a doubt comes back as radio tiles, and is a question, no error.
    `can_add`: whether somebody new can be recorded with the record."""

    def __init__(self, label: Any, *, is_needed: bool = True, can_add: bool = True, description: Any = "", **kwargs: Any) -> None:
        super().__init__(PartyLookup, label, description=description, **kwargs)
        self.is_needed = is_needed
        self.can_add = can_add
        self.question = ""
        self.options: list[tuple[str, str, str]] = []
        self.chosen: uuid.UUID | None = None

    @property
    def text(self) -> str:
        """What was typed."""
        return str(self.form.text.data or "")

    @property
    def choice(self) -> str:
        """The answer to a doubt, where it answers the text as it stands now."""
        return str(self.form.choice.data or "") if self.form.choice_for.data == self.text else ""

    def settle(self, party_id: uuid.UUID, name: str) -> None:
        """The text means this party."""
        self.chosen = party_id
        self.form.text.data, self.form.choice.data, self.form.choice_for.data = name, str(party_id), name

    def offer(self, options: Sequence[tuple[str, str, str]], sentence: str) -> None:
        """Come back with choices (value, label, note) and a sentence that asks which."""
        self.options = list(options)
        self.form.choice_for.data = self.text
        self.question = sentence

    def refuse(self, sentence: str) -> None:
        """A sentence beside the text."""
        self.form.text.errors = [*self.form.text.errors, sentence]

    @property
    def new_words(self) -> dict[str, str]:
        """What becomes of somebody new, by form."""
        return {form: str(words) for form, words in NEW_WORDS.items()}

    @property
    def said(self) -> str:
        """That somebody new is recorded too, where that was chosen, and in which post; else empty."""
        form = self.chosen_form()
        post = [str(self.form.post.data or ""), str(self.form.organisation.data or "")] if form == "person" else []
        return " ".join(part for part in (self.new_words.get(form, ""), ", ".join(filter(None, post))) if part)

    def chosen_form(self) -> str:
        """The form of a new party, where "add as …" was chosen; else empty."""
        form = self.choice.removeprefix(NEW)
        return form if self.choice.startswith(NEW) and form in NEW_FORMS else ""


class AsksWhom(BaseForm):
    """For a form with lookups: what it asks back."""

    @property
    def questions(self) -> list[tuple[str, str]]:
        """(field id, sentence) of what was asked back: nothing is wrong with it, one choice is missing."""
        return [(f"{field.form.choice.id}-0", field.question) for field in self.lookups() if field.question]

    def lookups(self) -> Iterator[PartyField]:
        """The party lookups of this form."""
        yield from (field for field in self if isinstance(field, PartyField))


class RowsForm(AsksWhom):
    """A form with rows: refusals that a service names as `promises-1-due_on` stand beside the field of that row, and
    `party_id` beside the lookup `party`."""

    #: Service field -> form field, where the two differ.
    aliases: dict[str, str] = {}  # noqa: RUF012 - each form has its own, nobody writes to it

    def take(self, error: Invalid) -> None:
        """Put a service's refusal beside the fields it names; the rest above the form."""
        rest: dict[str, list[str]] = {}
        for name, sentences in error.errors.items():
            leaf = self._leaf(self.aliases.get(name, name))
            if leaf is None:
                rest[name] = sentences
            else:
                leaf.errors = [*leaf.errors, *sentences]
        for field in self:
            if isinstance(field, FieldList):
                found = [entry.errors for entry in field.entries]
                field.errors = found if any(found) else [text for text in field.errors if isinstance(text, str)]
        if rest:
            super().take(Invalid(errors=rest))

    def _leaf(self, name: str) -> Any:
        head, _dash, tail = name.partition("-")
        field = self._fields.get(head)
        if field is None:
            return None
        if isinstance(field, FieldList) and tail:
            number, _dash, part = tail.partition("-")
            if not (number.isascii() and number.isdigit()) or int(number) >= len(field.entries):
                return None
            inner = field.entries[int(number)]
            return inner.form._fields.get(part) if isinstance(inner, FormField) else inner
        if isinstance(field, FormField):
            return field.form._fields.get(tail or "text")
        return field if not tail else None


def uuid_of(text: object) -> uuid.UUID | None:
    """The id in a field or address; None where it is none."""
    try:
        return uuid.UUID(str(text)) if text and len(str(text)) <= 36 else None  # noqa: PLR2004 - an id's length
    except ValueError:
        return None

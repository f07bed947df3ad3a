"""Forms of bringing files in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from flask_wtf.file import FileField
from wtforms import BooleanField, RadioField, SelectField, StringField

from crm.errors import Invalid
from crm.forms.base import BaseForm, Needed, OneLine, choices
from crm.forms.money_fields import offer_currencies
from crm.forms.parties import FORM_NAMES
from crm.i18n import _, _l


class UploadForm(BaseForm):
    """A file, what it holds, and the office that keeps what it says."""

    kind = SelectField(_l("What the file holds"), description=_l("You are shown what it would do before anything is done."))
    file = FileField(
        _l("File"),
        [Needed(_l("Choose a file."))],
        description=_l(
            "A list as a spreadsheet (.xlsx, .ods, CSV or TSV), or a file of OCHA FTS or of exchange rates as CSV. A ZIP may hold one CSV file. At most 30 MB."
        ),
    )
    office = SelectField(_l("Office"))

    def __init__(self, *, offices: list[tuple[str, str]], kinds: list[tuple[str, str]], is_of_all_kinds: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.office.choices = offices
        self.kind.choices = kinds
        own = _("A list of contacts or posts, or a log of contacts, is read here by the office's colleagues and by whoever brings it.")
        above = _("Any other file is read by the offices above it too.")
        self.office.description = f"{own} {above}" if is_of_all_kinds else own


#: What stands between the numbers of rows, and between the first and the last of several.
_BETWEEN_ROWS, _TO = re.compile(r"[\s,;،؛、，]*[,;،؛、，][\s,;،؛、，]*|(?<=\d)\s+(?=\d)"), re.compile(r"\s*[-–—]\s*")
_DIGITS_OF_ROW = 9
#: What lists of each kind leave no need to ask.
_NOT_ASKED = {"positions": ("form_of", "country", "note_level"), "interactions": ("country",)}


class SheetForm(BaseForm):
    """How a spreadsheet is read: what its columns do not say themselves."""

    sheet = SelectField(_l("Sheet"), validate_choice=False)
    header_row = StringField(_l("Row of the headings"), description=_l("As the spreadsheet numbers it. Rows above it are left out."))
    day_order = RadioField(_l("How are days written?"), validate_choice=False)
    form_of = SelectField(
        _l("Rows that do not say what they are"), description=_l("For lists without a column for person, organisation or group.")
    )
    country = SelectField(_l("Phone numbers without a country code, in rows without a country, are of"))
    note_level = SelectField(_l("Who may read the notes"))
    amount_mark = RadioField(_l("How are amounts written?"), validate_choice=False)
    currency = SelectField(_l("Currency of amounts that do not say theirs"), validate_choice=False)
    totals = StringField(
        _l("What the amounts should come to"),
        [OneLine(200)],
        description=_l("The total of your own sheet, such as EUR 1,250,000; USD 300,000. You are told whether the rows come to it."),
    )
    is_remembered = BooleanField(_l("Remember this for the office's next file with these headings"))

    def __init__(
        self,
        *,
        sheets: Iterable[str],
        countries: list[tuple[str, str]],
        example: str = "",
        slug: str = "parties",
        is_money: bool = False,
        kinds: Iterable[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sheet.choices = choices((str(place), name) for place, name in enumerate(sheets))
        self._offer_days(example)
        if is_money:
            self._offer_amounts()
            del self.form_of, self.country, self.note_level
            return
        del self.amount_mark, self.currency, self.totals
        self.country.choices = countries
        self.form_of.choices = choices((key, str(label)) for key, label in FORM_NAMES.items())
        self.note_level.choices = choices(
            [("office", _("The office's own people")), ("open", _("Everybody whose scope covers the office"))]
        )
        if slug == "interactions":
            self.form_of.label.text, self.form_of.description = _("Contacts that do not say their kind"), ""
            self.form_of.choices = choices(kinds)
            self.note_level.label.text = _("Who may read what was said")
        for name in _NOT_ASKED.get(slug, ()):
            delattr(self, name)

    def _offer_amounts(self) -> None:
        offer_currencies(self.currency, blank=_("Ask where a row does not say"))
        self.amount_mark.choices = choices(
            [
                ("", _("As the file shows; ask where it does not")),
                ("point", _("1,234.56: the point stands before the decimals")),
                ("comma", _("1.234,56: the comma stands before the decimals")),
            ]
        )

    def _offer_days(self, example: str) -> None:
        shown = example or "03/04/2026"
        self.day_order.choices = choices(
            [
                ("", _("As the file shows; ask where it does not")),
                ("dmy", _("Day first: %(example)s begins with the day", example=shown)),
                ("mdy", _("Month first: %(example)s begins with the month", example=shown)),
            ]
        )


class MendForm(BaseForm):
    """Cells of rejected rows, typed on the page; what was said of values of a whole column can hold for the next file too."""

    is_remembered = BooleanField(_l("Remember these answers for the office's next file with these headings"))


class RowsForm(MendForm):
    """The rows of a spreadsheet: those with problems mended, and any of them left out."""

    also_out = StringField(
        _l("More rows to leave out"),
        [OneLine(500)],
        description=_l("Rows without a problem too: their numbers in the spreadsheet, such as 12, 40-45."),
    )

    def rows_out(self, known: Collection[int]) -> set[int]:
        """The rows that are named in `also_out`, of those that the list has. Empty, and why beside the field, where one is none of them."""
        found: set[int] = set()
        for part in _BETWEEN_ROWS.split(self.also_out.data or ""):
            numbers = [text.strip() for text in _TO.split(part, maxsplit=1)]
            if not part:
                continue
            if not all(text.isdecimal() and len(text) <= _DIGITS_OF_ROW for text in numbers):
                self.take(Invalid(_("Write the numbers of rows, such as 12, 40-45. “%(text)s” is none.", text=part[:60]), field="also_out"))
                return set()
            first, last = int(numbers[0]), int(numbers[-1])
            rows = {row for row in known if first <= row <= last}
            if not rows or (first == last and first not in known):
                self.take(Invalid(_("The list has no row %(rows)s.", rows=part[:60]), field="also_out"))
                return set()
            found |= rows
        return found


#: What stands between pairs of rows that are one, and within a pair.
_BETWEEN_PAIRS, _IS_ONE_WITH = re.compile(r"[,;،؛、，]|\n"), re.compile(r"\s*[=＝]\s*")
_PAIR = 2


class DoublesForm(MendForm):
    """Possible duplicates of a list, and rows that are one though nothing asks about them."""

    also_one = StringField(
        _l("Other rows that are one"),
        [OneLine(500)],
        description=_l("By their numbers in the spreadsheet, or with the reference of a record: 12 = 4, 15 = JOR-PA-2026-0042."),
    )

    def pairs(self, known: Collection[int]) -> dict[str, str]:
        """Row -> the earlier row, or the reference, that it is said to be one with in `also_one`. Empty, and why beside the field, where that
        cannot be."""
        found: dict[str, str] = {}
        for part in filter(str.strip, _BETWEEN_PAIRS.split(self.also_one.data or "")):
            named = [text.strip().upper() for text in _IS_ONE_WITH.split(part)]
            rows = sorted(int(text) for text in named if text.isdecimal() and len(text) <= _DIGITS_OF_ROW)
            references = [text for text in named if "-" in text]
            if len(named) != _PAIR or len(rows) + len(references) != _PAIR or not rows:
                return self._no_pair(_("Write two rows that are one as 12 = 4. “%(text)s” says something else.", text=part.strip()[:60]))
            if missing := [row for row in rows if row not in known]:
                return self._no_pair(_("The list has no row %(rows)s.", rows=missing[0]))
            other = references[0] if references else str(rows[0])
            if str(rows[-1]) == other:
                return self._no_pair(_("Row %(row)s is itself.", row=other))
            if found.get(str(rows[-1]), other) != other:
                return self._no_pair(_("Row %(row)s is said to be one with two.", row=rows[-1]))
            found[str(rows[-1])] = other
        return found

    def _no_pair(self, why: str) -> dict[str, str]:
        self.take(Invalid(why, field="also_one"))
        return {}


class ActForm(BaseForm):
    """A button that does something to a checked file."""

"""Mending rows with equal problems, and words that no list knows, at once: what the page offers for each of them, and what it was answered."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

from crm import clock
from crm.data import countries_by_iso2
from crm.exchange.sheet_cells import CENTURIES, FIRST_DAY, country_words, joined, parts
from crm.exchange.sheet_fields import COUNTRY, DAY, WORD, WORD_MARKS, WORDS, ListedWords, SheetField
from crm.exchange.sheet_values import OF_LISTS, WrongValue, value_key
from crm.exchange.sheets import SheetFile
from crm.forms.base import clean
from crm.forms.parties import FORM_NAMES, country_choices
from crm.i18n import LazyText, _, _l
from crm.models.parties import FORM_IN_KINDS
from crm.queries import codes
from crm.queries.imports import RejectPlace
from crm.queries.interactions import STATE_LABELS
from crm.queries.names import fold
from crm.queries.words import meant

#: What choosing a form for a value of a column of kinds does: it says what the party is, and leaves no kind.
_FORMS_AMONG_KINDS: Mapping[str, LazyText] = {
    "person": _l("No category: it is a person"),
    "organisation": _l("No category: it is an organisation"),
    "group": _l("No category: it is a group"),
}
_SHOWN = 60
_LONGEST_CELL = 120
#: What a choice says for leaving the cells empty: no code of a list.
EMPTY = "-"


@dataclass(frozen=True)
class Offer:
    """One value of a column: in how many rows it stands in the way, or (`is_said`) is read otherwise; how that is answered.

    `choices`: of a column of words, what can be chosen; else text is typed. `now`: what the control holds. `guess`: the choice that is
    surely meant, chosen until it is answered. `about`: of a word, who the first row is about, or its cells; of any other value, the cells of
    the row, where it is one."""

    key: str
    heading: str
    text: str
    why: str
    rows: Sequence[int]
    count: int
    choices: Sequence[tuple[str, str]]
    now: str
    is_said: bool = False
    is_of_list: bool = False
    is_out: bool = False
    guess: str = ""
    about: Sequence[str] = ()

    def answer(self) -> str | None:
        """What is to be read instead, as the control says now; None: as it stands. Of rows that are left out a guess says nothing."""
        if self.is_out and self.guess == self.now:
            return None
        if not self.choices:
            return None if self.now.split() == self.text.split() else self.now
        return {"": None, EMPTY: ""}.get(self.now, self.now)


class Guesses:
    """What misspelt words in the columns of a file are surely meant for. The words that a column knows are gathered once."""

    def __init__(self, file: SheetFile) -> None:
        """Nothing is asked yet."""
        self._file = file
        self._known: dict[str, list[tuple[str, str]]] = {}

    def of(self, heading: str, text: str) -> str:
        """The choice that a word is surely meant for; "" where none is, or several are."""
        if heading not in self._known:
            item = self._file.field_of(heading)
            self._known[heading] = _called(item) if item is not None else []
        return meant(text, self._known[heading]) or self._plainer(heading, text)

    def _plainer(self, heading: str, text: str) -> str:
        """What is said by a word without what only says where it works (a local NGO), or which stands for a person by itself (a volunteer)."""
        known = dict(self._known[heading])
        words = fold(text).split()
        if " ".join(words) in _PERSONS and "person" in known.values():
            return "person"
        left = [word for word in words if word not in _WHERE]
        return known.get(" ".join(left), "") if left != words else ""


#: Words that say where something works, beside what it is; and what a person is called in a column of categories.
_WHERE = frozenset(
    map(
        fold,
        [
            "local",
            "national",
            "international",
            "intl",
            "regional",
            "foreign",
            "locale",
            "nationale",
            "internationale",
            "internacional",
            "nacional",
            "محلي",
            "محلية",
            "دولي",
            "دولية",
            "وطني",
            "وطنية",
        ],
    )
)
_PERSONS = frozenset(
    map(
        fold,
        [
            "consultant",
            "consultants",
            "consultante",
            "volunteer",
            "volunteers",
            "freelancer",
            "freelance",
            "expert",
            "experte",
            "activist",
            "bénévole",
            "consultor",
            "consultora",
            "voluntario",
            "voluntaria",
            "experto",
            "experta",
            "متطوع",
            "متطوعة",
            "مستشار",
            "مستشارة",
            "خبير",
            "خبيرة",
        ],
    )
)


def _called(item: SheetField) -> list[tuple[str, str]]:
    """What the choices of a column of words are called, folded, as the page and as files call them: (name, choice)."""
    found = [(fold(label), choice) for choice, label in _choices(item, is_said=False)[1:-1]]
    if item.reads == COUNTRY:
        return [*found, *country_words().items()]
    if item.reads not in (WORD, WORDS) or item.words is None:
        return []
    if not isinstance(item.words, ListedWords):
        return [*found, *item.words.items()]
    forms = ((word, code.removeprefix(FORM_IN_KINDS)) for word, code in item.words.first.items())
    return [*found, *forms, *item.words.known.items(), *codes.words(item.words.name).items()]


def guessed(choices: Sequence[tuple[str, str]], guess: str) -> list[tuple[str, str]]:
    """Choices, of which one is said to be a guess."""
    return [(choice, _("%(name)s (nearest)", name=label) if choice == guess else label) for choice, label in choices]


def offers_of(file: SheetFile, wrong: Iterable[WrongValue], guesses: Guesses) -> list[Offer]:
    """What is offered for values that stand in the way of rows, as the page shows it or was answered."""
    as_read = dict(file.as_read)
    return [
        _offer(
            file,
            one.heading,
            one.text,
            why=one.why,
            rows=one.rows,
            count=len(one.rows),
            guess=guesses.of(one.heading, one.text),
            about=_about(file, as_read.get(one.rows[0], ()), one),
        )
        for one in wrong
    ]


#: What says of a row who it is about, where it says more than a name: the words of another column are chosen by it.
_ABOUT = ("name", "person", "title", "post_title", "organisation", "post_organisation")


def _about(file: SheetFile, cells: Sequence[str], one: WrongValue) -> list[str]:
    """What the page shows of the first row in which a value stands in the way."""
    item = file.field_of(one.heading)
    is_word = item is not None and bool(_choices(item, is_said=False))
    if len(one.rows) > 1 and not is_word:
        return []
    who = [cells[place] for place in _places(file, _ABOUT, but=one.heading) if place < len(cells) and cells[place].strip()]
    if is_word and len(who) > 1:
        cells = who
    return [cell[:_LONGEST_CELL] for cell in cells if cell.strip()]


def said_in(file: SheetFile, cells: Sequence[str], fields: Sequence[str]) -> list[str]:
    """What a row says in the columns of some fields, as the page shows it."""
    headings = [file.headings[place] for place in _places(file, fields, but="")]
    shown = (in_words(file, heading, cells[file.headings.index(heading)]) for heading in headings) if cells else ()
    return [text[:_LONGEST_CELL] for text in shown if text.strip()]


def _places(file: SheetFile, fields: Sequence[str], *, but: str) -> list[int]:
    headings = (file.by_field.get(field) for field in fields)
    return [file.headings.index(heading) for heading in headings if heading is not None and heading != but]


@dataclass(frozen=True)
class OfColumn:
    """The words of one column that stand in the way for the same reason: `why`, said of all of them at once."""

    heading: str
    why: str
    offers: Sequence[Offer]

    @property
    def has_guesses(self) -> bool:
        """Whether the nearest word is chosen for some of them."""
        return any(one.guess for one in self.offers)


def by_column(offers: Iterable[Offer]) -> list[OfColumn]:
    """The words among offers, those of a column and a reason together, first those of which nothing can be guessed."""
    found: dict[tuple[str, str], list[Offer]] = {}
    for one in offers:
        if one.choices:
            found.setdefault((one.heading, one.why.replace(one.text, "")), []).append(one)
    return [
        OfColumn(
            heading,
            listed[0].why if len(listed) == 1 else _("Such as: %(sentence)s", sentence=listed[0].why),
            sorted(listed, key=lambda one: bool(one.guess)),
        )
        for (heading, _why), listed in found.items()
    ]


def said_of(file: SheetFile) -> list[Offer]:
    """The values that are read otherwise than they stand, so that what was said can be taken back."""
    return [
        _offer(file, heading, text, count=count, now=file.setup.values[heading][text], is_said=True)
        for (heading, text), count in file.replaced.items()
    ]


def _offer(
    file: SheetFile,
    heading: str,
    text: str,
    *,
    count: int,
    why: str = "",
    rows: Sequence[int] = (),
    now: str | None = None,
    is_said: bool = False,
    guess: str = "",
    about: Sequence[str] = (),
) -> Offer:
    item = file.field_of(heading)
    key = hashlib.sha256(f"{heading}\0{value_key(text)}".encode()).hexdigest()[:12]
    name = f"as-{key}" if is_said else f"all-{key}"
    choices = _choices(item, is_said=is_said) if item is not None else []
    shown = (EMPTY if choices and now == "" else now) if now is not None else "" if choices else text
    if choices and shown not in dict(choices):  # what was chosen before an entry was withdrawn
        choices.append((shown, shown))
    guess = guess if guess in dict(choices) else ""
    choices = guessed(choices, guess) if guess else choices
    if guess and request.method != "POST":  # what a page did not ask is not answered by it
        shown = guess
    if name in request.form:
        answered = clean(request.form[name])
        shown = answered if not choices or answered in dict(choices) else shown
    return Offer(
        key=key,
        heading=heading,
        text=text,
        why=why,
        rows=rows,
        count=count,
        choices=choices,
        now=shown,
        is_said=is_said,
        is_of_list=item is not None and item.reads in OF_LISTS,
        is_out=key in request.form.getlist("out-all"),
        guess=guess,
        about=about,
    )


def _choices(item: SheetField, *, is_said: bool) -> list[tuple[str, str]]:
    """What can be chosen for a value of a column of words; nothing where any text may stand."""
    first = [("", _("As it stands in the file") if is_said else _("Choose …"))]
    last = [(EMPTY, _("Leave the cell empty"))]
    if item.reads == COUNTRY:
        return [*first, *country_choices()[1:], *last]
    if item.reads not in (WORD, WORDS) or item.words is None:
        return []
    names: dict[str, object] = {**FORM_NAMES, **STATE_LABELS}
    if isinstance(item.words, ListedWords):
        forms = dict.fromkeys(code.removeprefix(FORM_IN_KINDS) for code in item.words.first.values())
        listed = codes.offered_choices(item.words.name, clock.today())
        return [*first, *listed, *((code, str(_FORMS_AMONG_KINDS.get(code, names.get(code, code)))) for code in forms), *last]
    return [*first, *((code, str(names.get(code, code))) for code in dict.fromkeys(item.words.values())), *last]


def choices_of(file: SheetFile, heading: str, stands: str) -> list[tuple[str, str]]:
    """What can be chosen for one cell of a column of words: as it stands, the words of the list, nothing; none where any text may stand."""
    item = file.field_of(heading)
    found = _choices(item, is_said=False) if item is not None else []
    if not found:
        return []
    first = (stands, _("As it stands: %(text)s", text=stands[:_SHOWN])) if stands.strip() else ("", _("Choose …"))
    return [first, *found[1:-1], *([("", found[-1][1])] if stands.strip() else [])]


def in_words(file: SheetFile, heading: str, cell: str) -> str:
    """A cell as it is read, with what was chosen in place of its words as the choices call it, not as its code."""
    item, chosen = file.field_of(heading), set(file.setup.values.get(heading, {}).values()) - {""}
    if item is None or not chosen:
        return cell
    if item.reads == WORDS and cell not in chosen:
        words = parts(cell, WORD_MARKS)
        return joined(_label(item, word) if word in chosen else word for word in words) if chosen & set(words) else cell
    return _label(item, cell) if cell in chosen else cell


def _label(item: SheetField, code: str) -> str:
    if item.reads == COUNTRY:
        country = countries_by_iso2().get(code)
        return country.name if country else code
    if item.reads not in (WORD, WORDS):
        return code
    if isinstance(item.words, ListedWords) and code in codes.entries(item.words.name):
        return codes.label(item.words.name, code)
    return str({**FORM_NAMES, **STATE_LABELS}.get(code, code))


def answers(offers: Iterable[Offer]) -> dict[tuple[str, str], str | None]:
    """What was said of values: (heading, value) -> what to read instead; None where one is read as it stands again."""
    given = ((one, one.answer()) for one in offers)
    return {(one.heading, one.text): instead for one, instead in given if instead is not None or one.is_said}


@dataclass(frozen=True)
class OfDays:
    """Something that days of many rows leave open, and that is said once: the name of its control, in how many rows, the first of them."""

    name: str
    label: str
    what: str
    why: str
    rows: Sequence[int]
    choices: Sequence[tuple[str, str]]
    now: str
    proposed: str = ""
    example: str = ""

    @property
    def count(self) -> int:
        """In how many rows it stands in the way; none once it was said."""
        return len(self.rows)


def days_of(file: SheetFile) -> list[OfDays]:
    """How years of two digits and months without a day are asked about, where rows have any, or it was said."""
    centuries = [
        ("", _("Write them with four digits, row by row")),
        (CENTURIES[0], _("2000 to 2099: 26 is 2026, 98 is 2098")),
        (CENTURIES[1], _("1950 to 2049: 26 is 2026, 98 is 1998")),
    ]
    months = [("", _("Write the days, row by row")), (FIRST_DAY, _("Take the first of the month: March 2024 is 1 March 2024"))]
    # the later hundred years begin where these end: of the list both say the same, and what is remembered is right of an older year too
    clear, first = CENTURIES[1] if file.is_century_clear else "", "" if file.kind.is_money else FIRST_DAY
    asked = [
        OfDays(
            name="century",
            label=_("Years of two digits"),
            what=_("the year of a day has two digits"),
            why=_("Say which years these are; the last two digits are taken as the year."),
            rows=file.short_years,
            choices=centuries,
            now=_said_of_days("century", file.setup.century, centuries, clear),
            proposed=clear,
            example=_first_day(file, file.short_years),
        ),
        OfDays(
            name="months",
            label=_("Months without a day"),
            what=_("a month has no day"),
            why=_("Say which day is meant."),
            rows=file.bare_months,
            choices=months,
            now=_said_of_days("months", file.setup.months, months, first),
            proposed=first,
            example=_first_day(file, file.bare_months),
        ),
    ]
    return [one for one in asked if one.rows or getattr(file.setup, one.name)]


def _first_day(file: SheetFile, rows: Sequence[int]) -> str:
    """What the first of some rows says in its columns of days."""
    days = [name for name, item in file.kind.fields.items() if item.reads == DAY] if rows else []
    return " · ".join(said_in(file, dict(file.as_read).get(rows[0], ()), days)) if days else ""


def _said_of_days(name: str, before: str, choices: Sequence[tuple[str, str]], proposed: str) -> str:
    """What a control holds: what was chosen, else what was said before, else, until the page is answered, what is proposed."""
    said = request.form.get(name, before or (proposed if request.method == "GET" else ""))
    return said if said in dict(choices) else ""


def formulas_of(file: SheetFile) -> list[dict[str, Any]]:
    """The columns that hold formulas without a saved result, and whether they are read as empty: as it was said, or is answered.

    `is_said`: they were read as empty already, so that they stand in the way of nothing."""
    said = set(request.form.getlist("emptied"))
    return [
        {
            "heading": heading,
            "place": file.headings.index(heading),
            "count": len(rows),
            "row": rows[0],
            "is_said": heading in file.setup.emptied,
            "is_emptied": str(file.headings.index(heading)) in said if request.method == "POST" else heading in file.setup.emptied,
        }
        for heading, rows in file.formulas.items()
    ]


def mended_at_once(file: SheetFile, offers: Iterable[Offer]) -> set[tuple[int, str]]:
    """The cells (row, heading) that are mended at once with others."""
    mended = {(row, one.heading) for one in offers for row in one.rows}
    mended |= {(row, heading) for heading, rows in file.formulas.items() if heading not in file.setup.emptied for row in rows}
    days = [heading for heading in file.headings if (item := file.field_of(heading)) is not None and item.reads == DAY]
    mended |= {(row, heading) for row in (*file.short_years, *file.bare_months) for heading in days}
    return mended


def rows_in_several(rejects: Iterable[RejectPlace], mended: Collection[tuple[int, str]]) -> set[int]:
    """The rows of which all that is wrong is mended at once with others."""
    return {one.row for one in rejects if all((one.row, column) in mended for column, _reason in one.problems)}


def rows_out(offers: Iterable[Offer]) -> set[int]:
    """The rows that are left out because all with their value are."""
    return {row for one in offers if one.is_out for row in one.rows}


def taken(meant: Mapping[str, Sequence[Mapping[str, str]]]) -> tuple[str, str]:
    """Of the parties that were offered for cells, the one that was chosen: the name of the cell, and the party's reference; ("", "") for
    none."""
    chosen = request.form.get("take")
    return next(((name, one["reference"]) for name, offered in meant.items() for one in offered if one["take"] == chosen), ("", ""))

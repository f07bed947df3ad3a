"""Values of a spreadsheet that stand in the way of rows, to be mended in all of them at once; and what was said of values, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from crm.data import countries_by_iso2
from crm.exchange.sheet_fields import AMOUNTS, COUNTRY, WORD, WORDS, ListedWords
from crm.exchange.sheet_values import OF_LISTS, WrongValue, value_key
from crm.exchange.sheets import SheetFile
from crm.exchange.turned_names import turned
from crm.formatting import number
from crm.i18n import _, get_locale, ngettext
from crm.queries import codes
from crm.queries.imports import RejectPlace

_LEAST, _MOST, _MOST_ALONE = 2, 20, 40
_MOST_SAID = 12
_SHOWN = 60


def equal_problems(file: SheetFile, rejects: Iterable[RejectPlace]) -> list[WrongValue]:
    """The values that stand in the way of several rows, those of most rows first; then words that a list does not know, of one row each.

    What cannot be read is known from reading. A value that is refused later (a name that is not on record) counts where every row
    that has it is refused: replaced in the whole column, it changes nothing that was fine."""
    places = {heading: place for place, heading in enumerate(file.headings) if file.field_of(heading) is not None}
    unread = {problem.row_number: {problem.column, *(column for column, _why in problem.also)} for problem in file.problems}
    refused = {one.row: one for one in rejects}
    cells = dict(file.as_read)
    found: dict[tuple[str, str], WrongValue] = {}
    doubtful: dict[tuple[str, str], WrongValue] = {}
    for (heading, key), wrong in file.wrong.items():
        item = file.field_of(heading)
        (doubtful if item is not None and item.reads in AMOUNTS else found)[heading, key] = wrong
    for one in refused.values():
        for column, reason in one.problems:
            if column in unread.get(one.row, ()) or column not in places or one.row not in cells:
                continue
            text = " ".join(cells[one.row][places[column]].split())
            if text:
                doubtful.setdefault((column, value_key(text)), WrongValue(column, text, reason))
    standing = defaultdict(list)
    asked = {heading for heading, _key in doubtful}
    for row, row_cells in file.as_read if asked else ():
        for heading in asked:
            if (value := (heading, value_key(row_cells[places[heading]]))) in doubtful:
                standing[value].append(row)
    for value, rows in standing.items():
        why = {next((reason for column, reason in refused[row].problems if column == value[0]), "") for row in rows if row in refused}
        if all(row in refused for row in rows) and (value in file.wrong or (len(why) == 1 and "" not in why)):
            found[value] = WrongValue(doubtful[value].heading, doubtful[value].text, doubtful[value].why, rows)
    several = [wrong for wrong in found.values() if len(wrong.rows) >= _LEAST and wrong.text]
    several = sorted(several, key=lambda wrong: (-len(wrong.rows), places[wrong.heading], wrong.rows[0]))[:_MOST]
    alone = [wrong for value, wrong in found.items() if len(wrong.rows) < _LEAST and value in file.wrong and _is_of_list(file, wrong)]
    return several + sorted(alone, key=lambda wrong: (places[wrong.heading], wrong.rows[0]))[:_MOST_ALONE]


def _is_of_list(file: SheetFile, wrong: WrongValue) -> bool:
    """Whether a value stands in a column of words of a list: what is said of one is remembered, so that the next file is not asked about."""
    item = file.field_of(wrong.heading)
    return item is not None and item.reads in OF_LISTS and bool(wrong.text)


def replaced_in_words(file: SheetFile) -> list[str]:
    """A sentence for each value that is read otherwise than it stands."""
    said = []
    for (heading, text), count in list(file.replaced.items())[:_MOST_SAID]:
        instead = file.setup.values[heading][text]
        shown = {
            "n": number(count, get_locale()),
            "value": text[:_SHOWN],
            "column": heading,
            "instead": _in_words(file, heading, instead)[:_SHOWN],
        }
        said.append(
            ngettext(
                "“%(value)s” under “%(column)s” is read as “%(instead)s” in %(n)s row.",
                "“%(value)s” under “%(column)s” is read as “%(instead)s” in %(n)s rows.",
                count,
                **shown,
            )
            if instead
            else ngettext(
                "“%(value)s” under “%(column)s” is read as an empty cell in %(n)s row.",
                "“%(value)s” under “%(column)s” is read as an empty cell in %(n)s rows.",
                count,
                **shown,
            )
        )
    left = len(file.replaced) - len(said)
    if left:
        said.append(ngettext("%(num)d more value is read otherwise.", "%(num)d more values are read otherwise.", left))
    emptied = {heading: len(rows) for heading, rows in file.formulas.items() if heading in file.setup.emptied}
    said += [
        ngettext(
            "%(n)s formula without a saved result under “%(column)s” is read as an empty cell.",
            "%(n)s formulas without a saved result under “%(column)s” are read as empty cells.",
            count,
            n=number(count, get_locale()),
            column=heading,
        )
        for heading, count in emptied.items()
    ]
    for heading, (count, first) in file.turnable.items():
        if heading in file.setup.turned:
            shown = {"n": number(count, get_locale()), "column": heading, "name": first[:_SHOWN], "turned": turned(first)[:_SHOWN]}
            sentence = ngettext(
                "%(n)s name under “%(column)s” is turned round: “%(name)s” is read as “%(turned)s”.",
                "%(n)s names under “%(column)s” are turned round: “%(name)s” is read as “%(turned)s”.",
                count,
                **shown,
            )
            said.append(sentence)
    if file.setup.century:
        begin = int(file.setup.century)
        said.append(_("Years of two digits are taken as %(first)s to %(last)s.", first=begin, last=begin + 99))
    if file.empty_words:
        said.append(
            ngettext(
                "%(num)d cell says that there is nothing (“-”, “n/a”): it counts as empty.",
                "%(num)d cells say that there is nothing (“-”, “n/a”): they count as empty.",
                file.empty_words,
            )
        )
    if file.setup.months:
        said.append(_("A month without a day is taken as its first day."))
    return said


def beside_people(file: SheetFile) -> list[str]:
    """A sentence for each word for a form of organisation that was read as a kind, since a person stands beside it."""
    said = []
    for (heading, word), count in list(file.not_forms.items())[:_MOST_SAID]:
        shown = {"n": number(count, get_locale()), "value": word[:_SHOWN], "column": heading}
        said.append(
            ngettext(
                "“%(value)s” under “%(column)s” stands beside a person, who stays one, in %(n)s row.",
                "“%(value)s” under “%(column)s” stands beside people, who stay people, in %(n)s rows.",
                count,
                **shown,
            )
        )
    return said


def _in_words(file: SheetFile, heading: str, text: str) -> str:
    """What is read in place of a value, as a person calls it: the name of a country or of an entry of a list, for its code."""
    item = file.field_of(heading)
    if item is not None and item.reads == COUNTRY and text in countries_by_iso2():
        return countries_by_iso2()[text].name
    if item is not None and item.reads in (WORD, WORDS) and isinstance(item.words, ListedWords):
        return codes.label(item.words.name, text)
    return text

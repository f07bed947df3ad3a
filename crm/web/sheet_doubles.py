"""Rows of a file that may be one with an earlier row or with a record: what the page offers for each, and what was said."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import request, url_for

from crm import clock
from crm.data import countries_by_iso2
from crm.exchange.sheets import TWO, Setup, SheetFile
from crm.formatting import number
from crm.i18n import _, get_locale
from crm.queries import sheet_imports as held
from crm.queries.imports import Summary
from crm.queries.names import fold
from crm.queries.sheet_imports import parties_named as held_named
from crm.web.mending import in_words

SHOWN = 40
_LONGEST = 400


@dataclass(frozen=True)
class Double:
    """One such row: its cells, what it is like, and the choices, of which one is `now`. `is_settled`: it was said before; `others`: the rows and
    references that it is asked about; `records`: name and address of those on record."""

    row: int
    values: Sequence[str]
    like: str
    choices: list[dict[str, Any]]
    now: str
    is_settled: bool = False
    others: Sequence[str] = ()
    records: Sequence[Mapping[str, str]] = ()

    @property
    def name(self) -> str:
        """Of the choices."""
        return f"twin-{self.row}"


def doubles_of(file: SheetFile, summary: Summary, office_id: uuid.UUID) -> list[Double]:
    """The first rows of which nothing was said yet, then those that were settled, as the page shows them or was answered."""
    cells = dict(file.as_read)
    used = [(place, heading) for place, heading in enumerate(file.headings) if file.columns.get(heading)]

    def values_of(row: int) -> list[str]:
        shown, left = [], _LONGEST
        for place, heading in used if row in cells else ():
            if cells[row][place].strip() and left > 0:
                shown.append(in_words(file, heading, cells[row][place])[:left])
                left -= len(shown[-1])
        return shown

    said = {int(row): twin for row, twin in file.setup.twins.items()}
    waiting = [(row, like) for row, _name, like in summary.doubles if str(row) in summary.twins and row not in said and row in cells]
    asked = [(row, like, tuple(summary.twins[str(row)]), "") for row, like in waiting[:SHOWN]]
    parted = file.setup.parted
    asked += [(row, "", tuple(parted.get(str(row), ())) if twin == TWO else (twin,), twin) for row, twin in sorted(said.items())]
    references = {twin for _row, _like, twins, _said in asked for twin in twins if not twin.isdecimal()}
    facts = held.facts_of(office_id, references, clock.today())
    return [_double(row, values_of(row), like, twins, said_before, values_of, facts) for row, like, twins, said_before in asked]


def _double(
    row: int,
    values: Sequence[str],
    like: str,
    twins: Sequence[str],
    said: str,
    values_of: Callable[[int], list[str]],
    facts: Mapping[str, held.Facts],
) -> Double:
    choices: list[dict[str, Any]] = [{"value": "", "label": _("As if nothing had been said") if said else _("Not said yet"), "values": []}]
    for twin in twins:
        if twin.isdecimal():
            label, shown = _("The same as row %(n)s", n=number(int(twin), get_locale())), values_of(int(twin))
        else:
            label, shown = _("The same as %(reference)s", reference=twin), _on_record(facts.get(twin))
        choices.append({"value": twin, "label": label, "values": shown})
    choices.append({"value": TWO, "label": _("Two different ones"), "values": []})
    answered = request.form.get(f"twin-{row}")
    now = answered if answered in {choice["value"] for choice in choices} else said
    records = [{"name": one.name, "url": url_for("parties.detail", party_id=one.id)} for twin in twins if (one := facts.get(twin))]
    return Double(row, values, like, choices, now or "", bool(said), twins, records)


def _on_record(one: held.Facts | None) -> list[str]:
    """What is known of a record, as the cells of a row are shown."""
    if one is None:
        return []
    country = countries_by_iso2().get(one.country)
    return [one.name, *(one.post or ()), *([country.name] if country else []), *one.reached]


def said_of_doubles(before: Setup, doubles: Iterable[Double]) -> Setup:
    """What was said of a file once the page was answered: row -> what it is one with, or that it is another one, and than which."""
    said, parted = dict(before.twins), dict(before.parted)
    for double in doubles:
        row = str(double.row)
        if double.now:
            said[row] = double.now
        else:
            said.pop(row, None)
        if double.now != TWO:
            parted.pop(row, None)
        elif double.others:
            parted[row] = double.others
    return replace(before, twins=said, parted=parted)


# --- organisations of posts ------------------------------------------------------------------------------------------

#: What a choice says: the other one, this one in place of the other, none of them.
_SAME, _THIS, _APART = "same:", "this:", "two"


@dataclass(frozen=True)
class Employer:
    """A new organisation of posts that may be another one: the first row that names it (0 where that is not known), what it is like, and the
    choices, of which one is `now`. `others`: the references and names that it is asked about."""

    name: str
    row: int
    like: str
    choices: Sequence[Mapping[str, Any]]
    now: str
    others: Sequence[str]
    is_settled: bool = False

    @property
    def key(self) -> str:
        """The name of its control."""
        return _control(self.name)


def employers_of(before: Setup, summary: Summary) -> list[Employer]:
    """The organisations of which nothing was said yet, then those that were settled, as the page shows them or was answered."""
    found = []
    for row, name, others in summary.employers[:SHOWN]:
        choices = [_choice(_SAME + other, _("The same: read it as %(name)s", name=why)) for other, why, _is_held in others]
        choices += [
            _choice(_THIS + other, _("The same: read %(other)s as “%(name)s”", other=why, name=name))
            for other, why, is_held in others
            if not is_held
        ]
        found.append(_employer(row, name, ", ".join(why for _other, why, _is_held in others), choices, "", [other[0] for other in others]))
    for name, other in before.employers.items():
        found.append(_employer(0, name, "", [_as(other)], _SAME + other, [other]))
    for name, apart in before.employers_apart.items():
        found.append(_employer(0, name, "", [_as(other) for other in apart], _APART, list(apart)))
    return found


def _choice(value: str, label: str) -> dict[str, Any]:
    return {"value": value, "label": label, "values": []}


def _as(other: str) -> dict[str, Any]:
    return _choice(_SAME + other, _("The same: read it as %(name)s", name=other))


def _control(name: str) -> str:
    return f"employer-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _employer(row: int, name: str, like: str, choices: list[dict[str, Any]], said: str, others: Sequence[str]) -> Employer:
    first = _choice("", _("As if nothing had been said") if said else _("Not said yet"))
    shown = [first, *choices, _choice(_APART, _("Two different ones"))]
    answered = request.form.get(_control(name))
    now = answered if answered in {choice["value"] for choice in shown} else said
    return Employer(name, row, like, shown, now or "", others, bool(said))


@dataclass(frozen=True)
class Named:
    """A new organisation of posts in the list of all: what was typed as the one that it is, and why that cannot be."""

    name: str
    rows: int
    text: str
    why: str = ""

    @property
    def key(self) -> str:
        """The name of its field."""
        return f"as-{_control(self.name)}"


def all_named(file: SheetFile, summary: Summary, office_id: uuid.UUID) -> tuple[list[Named], dict[str, str]]:
    """All new organisations of posts, with what was typed beside each; and name -> the name or reference that it is read as. A text that
    names no organisation, of the file or on record, or several, is said beside its field."""
    typed = {name: " ".join(request.form.get(f"as-{_control(name)}", "").split())[:_LONGEST] for _row, name, _rows in summary.organisations}
    wanted = {text for text in typed.values() if text}
    here = _names_here(file) if wanted else {}
    held = held_named(office_id, wanted, forms=("organisation", "group")) if wanted else {}
    listed, said = [], {}
    for _row, name, rows in summary.organisations:
        text, why = typed[name], ""
        known = held.get(text, ())
        if text and fold(text) == fold(name):
            why = _("That is its own name.")
        elif len(known) > 1:
            why = _("Several have this name. Write a reference, such as %(reference)s.", reference=known[0].reference)
        elif known:
            said[name] = known[0].reference
        elif text and fold(text) in here:
            said[name] = here[fold(text)]
        elif text:
            why = _("No organisation is called “%(text)s”, on record or in this file.", text=text[:80])
        listed.append(Named(name, rows, text, why))
    return listed, said


def _names_here(file: SheetFile) -> dict[str, str]:
    """Folded -> as it stands: what the columns of names and organisations hold."""
    places = [place for place, heading in enumerate(file.headings) if file.columns.get(heading) in ("name", "post_organisation", "part_of")]
    return {fold(cells[place]): cells[place].strip() for _row, cells in file.as_read for place in places if cells[place].strip()}


def said_of_employers(before: Setup, employers: Iterable[Employer], typed: Mapping[str, str]) -> Setup:
    """What was said of a file once the page was answered: name -> what it is read as, and name -> those that it is none of. `typed`: what was
    said in the list of all. Of two that are said to be each other the later answer counts."""
    same, apart = dict(before.employers), {name: tuple(others) for name, others in before.employers_apart.items()}
    for one in employers:
        same.pop(one.name, None)
        apart.pop(one.name, None)
    for one in employers:
        if one.now == _APART:
            apart[one.name] = tuple(one.others)
        elif one.now.startswith(_THIS):
            same[one.now.removeprefix(_THIS)] = one.name
        elif one.now:
            same[one.name] = one.now.removeprefix(_SAME)
    for name, other in typed.items():
        same[name] = other
        apart.pop(name, None)
    for name in list(same):
        seen, at = {fold(name)}, same.get(name, "")
        while (step := next((key for key in same if fold(key) == fold(at)), None)) is not None:
            if fold(at) in seen:
                del same[step]
                break
            seen.add(fold(at))
            at = same[step]
    return replace(before, employers=same, employers_apart=apart)

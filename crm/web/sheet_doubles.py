"""Rows of a file that may be one with an earlier row or with a record: what the page offers for each, and what was said."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from flask import request, url_for

from crm import clock
from crm.data import countries_by_iso2
from crm.exchange.sheets import TWO, Setup, SheetFile
from crm.i18n import _, named
from crm.queries import sheet_imports as held
from crm.queries.imports import Summary
from crm.queries.names import fold
from crm.queries.sheet_imports import parties_named as held_named
from crm.services.sheet_employers import is_short_for
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
    is_sure: bool = False
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
    settled = ((row, twin) for row, twin in sorted(said.items()) if row in cells)  # not of rows that are left out by now
    asked += [(row, "", tuple(parted.get(str(row), ())) if twin == TWO else (twin,), twin) for row, twin in settled]
    references = {twin for _row, _like, twins, _said in asked for twin in twins if not twin.isdecimal()}
    facts = held.facts_of(office_id, references, clock.today())
    return [
        _double(row, values_of(row), like, twins, said_before, values_of, facts, is_sure=row in summary.sure)
        for row, like, twins, said_before in asked
    ]


def _double(
    row: int,
    values: Sequence[str],
    like: str,
    twins: Sequence[str],
    said: str,
    values_of: Callable[[int], list[str]],
    facts: Mapping[str, held.Facts],
    *,
    is_sure: bool,
) -> Double:
    choices: list[dict[str, Any]] = []
    for twin in twins:
        if twin.isdecimal():
            label, shown = _("The same as row %(n)s", n=twin), values_of(int(twin))
        else:
            label, shown = _("The same as %(reference)s", reference=twin), _on_record(facts.get(twin))
        choices.append({"value": twin, "label": label, "values": shown})
    choices.append({"value": TWO, "label": _("Two different ones"), "values": []})
    choices.append({"value": "", "label": _("As if nothing had been said") if said else _("Not said yet"), "values": []})
    answered = request.form.get(f"twin-{row}")
    proposed = twins[0] if is_sure and not said and request.method == "GET" else said
    now = answered if answered in {choice["value"] for choice in choices} else proposed
    records = [{"name": one.name, "url": url_for("parties.detail", party_id=one.id)} for twin in twins if (one := facts.get(twin))]
    return Double(row, values, like, choices, now or "", bool(said), is_sure and not said, twins, records)


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

#: What a choice says: what all of a group are read as, and that they are different ones. Those of one group, and why they are in it.
_AS, _APART = "as:", "two"
_MOST_OF_GROUP = 8
#: Of two it is enough to say that they are different ones.
_FEWEST_MARKED = 3


@dataclass(frozen=True)
class Member:
    """One of a group: its name, or the reference of a record, what it is called, that in words with the reason why it may be one of them, in how
    many rows it is named, whether it can be read as another one (it is new, and named for posts), and whether it is marked as belonging to
    the others. `whose`: who the first row that names it is about."""

    key: str
    called: str
    words: str
    rows: int
    is_new: bool
    is_ticked: bool
    whose: Sequence[str] = ()

    @property
    def value(self) -> str:
        """What its mark sends."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Group:
    """New organisations of posts that may be one, with each other, a row or a record. `now`: what they are said to be, at first what is
    `proposed` where there are good reasons alone (`is_sure`)."""

    key: str
    members: Sequence[Member]
    choices: Sequence[tuple[str, str]]
    now: str
    proposed: str
    has_marks: bool
    is_sure: bool = False

    @property
    def has_strays(self) -> bool:
        """Whether the mark of a member was taken away."""
        return not all(one.is_ticked for one in self.members)


@dataclass(frozen=True)
class Settled:
    """Something that was said of an organisation: its control, and whether it stays."""

    name: str
    key: str
    choices: Sequence[tuple[str, str]]
    now: str
    is_apart: bool


def groups_in(summary: Summary) -> list[list[str]]:
    """The names, and references of records, of the organisations of which nothing was said yet, those that may be one together."""
    groups: dict[str, list[str]] = {}
    for _row, name, others in summary.employers:
        for key in (name, *(other[0] for other in others)):
            groups.setdefault(key, [key])
        for other, *_why in others:
            one, two = groups[name], groups[other]
            if one is not two and len(one) + len(two) <= _MOST_OF_GROUP:
                one += two
                groups |= dict.fromkeys(two, one)
    return [group for group in {id(group): group for group in groups.values()}.values() if len(group) > 1]


def groups_of(summary: Summary, office_id: uuid.UUID, whose: Callable[[int], list[str]]) -> list[Group]:
    """The same, as the page shows them or was answered. `whose`: row -> who it is about. One statement."""
    rows = {name: count for _row, name, count in summary.organisations}
    words: dict[str, str] = {}
    links: dict[frozenset[str], bool] = {}  # two of a group, and whether there is a good reason for them to be one
    for _row, name, others in summary.employers:
        for other, why, _is_held, is_sure in others:
            words.setdefault(other, why)
            links[frozenset((name, other))] = is_sure or links.get(frozenset((name, other)), False)
    groups = [_without_strays(group, rows, links) for group in groups_in(summary)]
    called = called_of(office_id, {key for group in groups for key in group if key not in rows})
    found = [_group(group, words, rows, links, called) for group in groups]
    first = {name: row for row, name, _count in summary.organisations}
    return [group if group.is_sure else replace(group, members=[_named(one, first, whose) for one in group.members]) for group in found]


def _named(one: Member, first: Mapping[str, int], whose: Callable[[int], list[str]]) -> Member:
    """A member with who its first row is about: what is to be decided may be known by that."""
    return replace(one, whose=whose(first[one.key])) if one.key in first else one


def called_of(office_id: uuid.UUID, keys: Collection[str]) -> dict[str, str]:
    """What records are called on the page: reference -> name, with the reference where two have one name. What is no reference is not there."""
    names = held.names_of(office_id, [key for key in keys if "-" in key])
    often = Counter(map(fold, names.values()))
    return {
        key: _("%(name)s (%(reference)s)", name=named(name), reference=key)
        if often[fold(name)] > 1
        else _("%(name)s (on record)", name=named(name))
        for key, name in names.items()
    }


def _without_strays(keys: list[str], rows: Mapping[str, int], links: Mapping[frozenset[str], bool]) -> list[str]:
    """A group without rows of the file that share no more than first letters with one name of it, where these stand for another one that
    more speaks for: JCC is Justice for Children Centre, by its addresses too, and not Jerash Camp Committee."""
    degree = Counter(key for pair in links if pair <= set(keys) for key in pair)

    def is_stray(key: str) -> bool:
        near = [other for other in keys if frozenset((key, other)) in links]
        if key in rows or degree[key] > 1 or len(near) != 1 or not is_short_for(near[0], key):
            return False
        return any(is_short_for(near[0], other) and degree[other] > 1 for other in keys if other != key)

    return [key for key in keys if not is_stray(key)]


def _group(
    keys: list[str],
    words: Mapping[str, str],
    rows: Mapping[str, int],
    links: Mapping[frozenset[str], bool],
    called: Mapping[str, str],
) -> Group:
    control = _control("\0".join(sorted(keys)))
    has_marks = len(keys) >= _FEWEST_MARKED
    ticked = set(request.form.getlist(f"with-{control}")) if has_marks and f"employer-{control}" in request.form else None
    members = []
    for key in keys:
        is_new = key in rows
        member = Member(key, called.get(key, key), words.get(key, key), rows.get(key, 0), is_new, is_ticked=True)
        members.append(replace(member, is_ticked=ticked is None or not is_new or member.value in ticked))
    choices = [("", _("Not said yet")), *((_AS + one.key, _("All one: %(name)s", name=one.called)) for one in members)]
    choices.append((_APART, _("Different ones")))
    counted = Counter(key for pair in links if pair <= set(keys) for key in pair)
    best = max(members, key=lambda one: _fitness(one, keys, counted))
    proposed = _AS + best.key
    is_sure = _is_sure(keys, links)
    if request.method == "GET":
        now = proposed if is_sure else ""
    else:
        answered = request.form.get(f"employer-{control}", "")
        now = answered if answered in dict(choices) else ""
    return Group(control, members, choices, now, proposed, has_marks, is_sure)


def _is_sure(keys: Sequence[str], links: Mapping[frozenset[str], bool]) -> bool:
    """Whether good reasons alone hold a group together, and no first letters stand for two of it that are not near each other."""
    reached, left = {keys[0]}, set(keys[1:])
    while step := {key for key in left if any(links.get(frozenset((key, other))) for other in reached)}:
        reached |= step
        left -= step
    for key in keys:
        full = [other for other in keys if is_short_for(key, other)]
        if any(frozenset((one, two)) not in links for place, one in enumerate(full) for two in full[:place]):
            return False
    return not left


def _fitness(one: Member, keys: Iterable[str], links: Mapping[str, int]) -> tuple[bool, bool, int, int, bool, int]:
    """What speaks for calling a group by the name of one: it is on record, not only the first letters of another, like most others, named
    most often, in Latin letters, long."""
    is_held = one.words != one.key and not one.is_new and "-" in one.key and one.key in one.words
    is_short = any(is_short_for(one.key, other) for other in keys)
    return is_held, not is_short, links.get(one.key, 0), one.rows, one.key.isascii(), len(one.key)


def settled_of(before: Setup, office_id: uuid.UUID) -> list[Settled]:
    """What was said of organisations, each with the way back."""
    back = ("", _("As if nothing had been said"))
    found = []
    called = called_of(office_id, {*before.employers.values(), *chain.from_iterable(before.employers_apart.values())})
    for name, other in before.employers.items():
        found.append(_settled(name, [(_AS, _("Read as %(name)s", name=called.get(other, other))), back], _AS))
    for name, apart in before.employers_apart.items():
        names = ", ".join(called.get(one, one) for one in apart)
        found.append(_settled(name, [(_APART, _("Another one than %(names)s", names=names)), back], _APART))
    return found


def _settled(name: str, choices: Sequence[tuple[str, str]], now: str) -> Settled:
    control = f"said-{_control(now + name)}"
    return Settled(name, control, choices, "" if request.form.get(control) == "" else now, now == _APART)


def _control(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


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


def all_named(summary: Summary, office_id: uuid.UUID) -> tuple[list[Named], dict[str, str]]:
    """All new organisations of posts, with what was typed beside each; and name -> the name or reference that it is read as. A text that
    names no organisation, of the file or on record, or several, is said beside its field."""
    typed = {name: " ".join(request.form.get(f"as-{_control(name)}", "").split())[:_LONGEST] for _row, name, _rows in summary.organisations}
    wanted = {text for text in typed.values() if text}
    here = {fold(name): name for name in (*summary.organisation_rows, *(name for _row, name, _rows in summary.organisations))}
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


def said_of_employers(before: Setup, groups: Iterable[Group], settled: Iterable[Settled], typed: Mapping[str, str]) -> Setup:
    """What was said of a file once the page was answered: name -> what it is read as, and name -> those that it is none of. `typed`: what was
    said in the list of all."""
    back = {(one.name, one.is_apart) for one in settled if not one.now}
    same = {name: other for name, other in before.employers.items() if (name, False) not in back}
    apart = {name: tuple(others) for name, others in before.employers_apart.items() if (name, True) not in back}
    for group in groups:
        if not group.now:
            continue
        chosen = group.now.removeprefix(_AS) if group.now != _APART else ""
        new = [one.key for one in group.members if one.is_new and one.key != chosen]
        alone = [one.key for one in group.members if one.key in new and (not chosen or not one.is_ticked)]
        same |= {name: chosen for name in new if name not in alone}
        for place, name in enumerate(alone):  # of each pair once
            if others := [one.key for one in group.members if one.key != name and one.key not in alone[:place]]:
                apart[name] = (*apart.get(name, ()), *others)
    same |= typed
    apart = {name: tuple(dict.fromkeys(others)) for name, others in apart.items() if name not in typed}
    return replace(before, employers=_without_rings(same), employers_apart=apart)


def _without_rings(same: Mapping[str, str]) -> dict[str, str]:
    """The same without answers by which a name would be read as itself in the end."""
    found: dict[str, str] = {}
    step_of: dict[str, str] = {}  # folded name -> folded
    for name, other in same.items():
        folded, at = fold(name), fold(other)
        for _step in range(len(step_of)):
            if at not in step_of or at == folded:
                break
            at = step_of[at]
        if at != folded:
            found[name], step_of[folded] = other, fold(other)
    return found

"""Organisations that rows name for posts, and that would be new: which of them may be one, with each other, with a row or with a record.

A list of contacts spells its employers as they were heard, in full, by their first letters, in two languages. Each spelling would become an
organisation of its own, which every office sees. Suggestions only: a person says which are one.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from crm.i18n import _, _l, named
from crm.queries import sheet_imports as found
from crm.queries.names import fold
from crm.queries.sheet_imports import NewContact
from crm.services.sheet_alike import RowsAlike

#: Organisations that a person is asked about, that are listed to be put together by hand, and that are kept to be compared with: a whole
#: register is no list of employers.
MOST_ASKED, MOST_LISTED, MOST_HELD = 100, 500, 5_000
_MOST_OTHERS, _OF_ONE_DOMAIN = 4, 6
_SHORTEST, _LONGEST = 3, 8  # letters of a name that is one of first letters
_FEWEST_WORDS = 2
_SMALL_WORDS = frozenset(["of", "and", "for", "the", "in", "on", "to", "de", "la", "le", "et", "du", "des", "pour", "y", "del", "para"])
#: Where anybody has an address: to share one of these says nothing.
_ANYBODYS = frozenset(
    [
        "gmail",
        "googlemail",
        "yahoo",
        "ymail",
        "rocketmail",
        "hotmail",
        "outlook",
        "live",
        "msn",
        "icloud",
        "me",
        "aol",
        "gmx",
        "web",
        "mail",
        "yandex",
        "proton",
        "protonmail",
        "zoho",
        "qq",
        "163",
        "126",
        "orange",
        "wanadoo",
        "laposte",
        "free",
        "maktoob",
        "batelco",
        "zain",
    ]
)
_WHY_LETTERS = _l("its first letters")
_WHY_COUNTRY = _l("the same but for the country")


#: Reference or name, that in words with the reason, whether it is on record, whether the reason is a good one.
Other = tuple[str, str, bool, bool]


@dataclass(frozen=True, slots=True)
class Met:
    """An organisation that a row names, or is: where it is on record its name there and its reference. `is_new`: named for a post, and not on
    record. `emails`: the addresses of the row."""

    row: int
    name: str
    reference: str = ""
    is_new: bool = False
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Employer:
    """A new organisation that may be another one: the first row that names it, and of each other one its reference or name, that in words with
    the reason, whether it is on record, and whether the reason is a good one."""

    row: int
    name: str
    others: tuple[Other, ...]


@dataclass(slots=True, eq=False)
class _Entry:
    row: int
    name: str
    reference: str
    is_new: bool
    rows: int = 0
    domains: set[str] = field(default_factory=set)

    @property
    def key(self) -> str:
        return self.reference or self.name

    def because(self, why: str, *, is_sure: bool = True) -> Other:
        """This one, as another one is asked about it."""
        if self.reference:
            words = _("%(name)s (%(reference)s: %(why)s)", name=named(self.name), reference=self.reference, why=why)
            return self.reference, words, True, is_sure
        return self.name, _("%(name)s (row %(row)s: %(why)s)", name=named(self.name), row=self.row, why=why), False, is_sure


class Employers:
    """The organisations of a file so far."""

    def __init__(self, same: Mapping[str, str], apart: Mapping[str, Sequence[str]]) -> None:
        """`same`: name -> the name or reference that a person said it is read as; `apart`: name -> those that it was said to be none of."""
        self._same = {fold(name): other for name, other in same.items()}
        self._apart: dict[str, dict[str, None]] = defaultdict(dict)  # both ways
        for name, others in apart.items():
            self._apart[fold(name)] |= dict.fromkeys(others)
            for other in others:
                self._apart[fold(other)][name] = None
        self.country = ""  # the name of the office's own, which many add to a name
        self._alike = RowsAlike()
        self._entries: dict[str, _Entry] = {}
        self._places: list[_Entry] = []  # an entry's place is what it is compared as
        self._by_letters: dict[tuple[str, bool], list[_Entry]] = defaultdict(list)  # letters, whether the name is no more than them
        self._by_bare: dict[str, list[_Entry]] = defaultdict(list)
        self._by_domain: dict[str, list[_Entry]] = defaultdict(list)
        self._held: dict[tuple[str, bool], list[_Entry]] | None = None  # those on record, as `_by_letters`
        self.asked: dict[str, Employer] = {}

    def meant(self, name: str) -> str:
        """The name or reference that a name is read as: what it was said to be, and that in turn."""
        for _step in range(MOST_LISTED if self._same and name else 0):
            other = self._same.get(fold(name))
            if other is None or fold(other) == fold(name):
                break
            name = other
        return name

    def apart(self, name: str) -> Collection[str]:
        """The names and references that a name was said to be none of."""
        return self._apart.get(fold(name), ())

    def listed(self) -> list[tuple[int, str, int]]:
        """The new organisations so far, the first 500 and all that are asked about: the first row that names each, its name, how many rows do."""
        new = [one for one in self._places if one.is_new]
        asked = {fold(key) for one in self.asked.values() for key in (one.name, *(other[0] for other in one.others))}
        shown = [*new[:MOST_LISTED], *(one for one in new[MOST_LISTED:] if fold(one.name) in asked)]
        return [(one.row, one.name, one.rows) for one in shown]

    def rows_listed(self) -> list[str]:
        """The names of the first 500 organisations that are rows of the file themselves."""
        return [one.name for one in self._places if not one.is_new and not one.reference][:MOST_LISTED]

    def take(self, office_id: uuid.UUID, met: Iterable[Met]) -> None:
        """Take in what some rows name, in the order of the file."""
        seen = list(met)
        fresh = {fold(one.name): one for one in reversed(seen) if one.is_new and fold(one.name) not in self._entries}
        on_record = self._on_record(office_id, fresh)
        for one in seen:
            folded = fold(one.name)
            entry = self._entries.get(folded)
            if entry is None:
                if len(self._places) >= MOST_HELD:
                    continue
                entry = self._entries[folded] = _Entry(one.row, one.name, one.reference, one.is_new)
                self._places.append(entry)
                for other, why in self._near(entry):
                    self._pair(entry, other, why)
                self._ask(entry, on_record.get(folded, ()))
            entry.rows += 1
            if entry.is_new and not one.is_new:  # a row of its own
                entry.is_new = False
                self.asked.pop(folded, None)
            for domain in _domains(one.emails) - entry.domains:
                self._meet_at(entry, domain)

    def _on_record(self, office_id: uuid.UUID, fresh: Mapping[str, Met]) -> dict[str, list[Other]]:
        """Folded new name -> who on record it may be."""
        names = {folded: one.name for folded, one in fresh.items()}
        compared = [(folded, name) for folded, name in names.items() if not _letters_alone(folded)]
        alike = found.possible_duplicates(
            office_id, [NewContact(place, "organisation", (name,), ()) for place, (_folded, name) in enumerate(compared)]
        )
        on_record = {compared[place][0]: [(reference, words, True, True) for reference, words in others] for place, others in alike.items()}
        bare = {folded: self._bare(folded) for folded in names}
        shorter = {folded: text for folded, text in bare.items() if text != folded}
        held = found.parties_named(office_id, set(shorter.values()), forms=("organisation", "group")) if shorter else {}
        for folded, text in shorter.items():
            for one in held.get(text, ())[:_MOST_OTHERS]:
                # of another country's office perhaps
                other = _Entry(0, one.name, one.reference, is_new=False).because(str(_WHY_COUNTRY), is_sure=False)
                on_record.setdefault(folded, []).append(other)
        for folded, text in bare.items():
            by_letters = self._held_by_letters(office_id, text)
            on_record.setdefault(folded, []).extend(one.because(str(_WHY_LETTERS), is_sure=len(by_letters) == 1) for one in by_letters)
        return on_record

    def _held_by_letters(self, office_id: uuid.UUID, bare: str) -> list[_Entry]:
        """Those on record, of the newest 5,000 that the office can use, of which a name has the first letters, or that are called by its own."""
        if self._held is None:
            self._held = defaultdict(list)
            for name, reference in found.organisations_held(office_id, MOST_HELD):
                folded = self._bare(fold(name))
                for letters, is_alone in _all_letters(folded):
                    self._held[letters, is_alone].append(_Entry(0, name, reference, is_new=False))
        near = {one.reference: one for letters, is_alone in _all_letters(bare) for one in self._held.get((letters, not is_alone), ())}
        return list(near.values())[:_MOST_OTHERS]

    def _near(self, entry: _Entry) -> list[tuple[_Entry, str]]:
        """Those before an entry that it may be, each with why; it is one of them from now on."""
        folded = fold(entry.name)
        near: list[tuple[_Entry, str]] = []
        bare = self._bare(folded)
        near += [(one, str(_WHY_COUNTRY)) for one in self._by_bare[bare]]
        self._by_bare[bare].append(entry)
        if letters := _letters_alone(bare):
            near += [(one, str(_WHY_LETTERS)) for is_alone in (False, True) for one in self._by_letters.get((letters, is_alone), ())]
            self._by_letters[letters, True].append(entry)
        else:
            for letters in _first_letters(bare):
                near += [(one, str(_WHY_LETTERS)) for one in self._by_letters.get((letters, True), ())]
                self._by_letters[letters, False].append(entry)
        if not _letters_alone(folded) and (
            nearest := self._alike.nearest(NewContact(len(self._places), "organisation", (entry.name,), ()))
        ):
            near.append((self._places[nearest[0] - 1], nearest[1]))
        return near

    def _meet_at(self, entry: _Entry, domain: str) -> None:
        """Its people have addresses where those of others have theirs."""
        entry.domains.add(domain)
        others = self._by_domain[domain]
        if len(others) < _OF_ONE_DOMAIN:
            for other in others:
                # one name in two scripts, or with a word more at its end, rather than two of one house
                is_longer = any(f"{fold(one.name)} ".startswith(f"{fold(two.name)} ") for one, two in ((entry, other), (other, entry)))
                is_sure = is_longer or entry.name.isascii() != other.name.isascii()
                self._pair(entry, other, _("addresses at %(domain)s", domain=domain), is_sure=is_sure)
            others.append(entry)

    def _pair(self, one: _Entry, other: _Entry, why: str, *, is_sure: bool = True) -> None:
        if one is other or fold(one.name) == fold(other.name):
            return
        if one.is_new:
            self._ask(one, [other.because(why, is_sure=is_sure)])
        elif other.is_new:
            self._ask(other, [one.because(why, is_sure=is_sure)])

    def _ask(self, entry: _Entry, others: Sequence[Other]) -> None:
        """Ask about an organisation, unless it was settled, or so many are."""
        folded = fold(entry.name)
        apart = self.apart(entry.name)
        before = self.asked.get(folded)
        held = {one[0] for one in before.others} if before else set()
        left = [one for one in {other[0]: other for other in others}.values() if one[0] not in apart and one[0] not in held]
        is_open = folded not in self._same and (before is not None or len(self.asked) < MOST_ASKED)
        if entry.is_new and left and is_open:
            self.asked[folded] = Employer(entry.row, entry.name, (*(before.others if before else ()), *left)[:_MOST_OTHERS])

    def _bare(self, folded: str) -> str:
        """A folded name without the office's country at its end."""
        ending = f" {fold(self.country)}" if self.country else ""
        return folded.removesuffix(ending) if ending else folded


def _letters_alone(folded: str) -> str:
    """The letters of a folded name that is no more than first letters, “moh” or “g i z”; "" for any other name."""
    words = folded.split()
    letters = "".join(words) if len(words) == 1 or all(len(word) == 1 for word in words) else ""
    return letters if _SHORTEST <= len(letters) <= _LONGEST and letters.isascii() and letters.isalpha() else ""


def _first_letters(folded: str) -> set[str]:
    """What a folded name of several words may be called by its first letters: those of all words, without small ones, with “of” alone."""
    words = [word for word in folded.split() if word.isascii()]
    if len(words) < _FEWEST_WORDS:
        return set()
    chosen = (
        words,
        [word for word in words if word not in _SMALL_WORDS],
        [word for word in words if word == "of" or word not in _SMALL_WORDS],
    )
    return {letters for some in chosen if _SHORTEST <= len(letters := "".join(word[0] for word in some)) <= _LONGEST}


def is_short_for(name: str, other: str) -> bool:
    """Whether a name is no more than the first letters of another one: MoH of Ministry of Health."""
    letters = _letters_alone(fold(name))
    return bool(letters) and letters in _first_letters(fold(other))


def _all_letters(folded: str) -> list[tuple[str, bool]]:
    """The first letters by which a folded name may be called, or that it is (then True)."""
    letters = _letters_alone(folded)
    return [(letters, True)] if letters else [(one, False) for one in sorted(_first_letters(folded))]


def _domains(emails: Iterable[str]) -> set[str]:
    """Where the addresses of a row are, but for those where anybody has one."""
    domains = {email.rpartition("@")[2].casefold() for email in emails if "@" in email}
    return {domain for domain in domains if not _ANYBODYS & set(domain.split(".")[:-1])}

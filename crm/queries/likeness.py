"""How alike two names are: across case, accents, titles, word order, transliteration and a typing error. Knows no database.

A suggestion is all that follows from it: two names that are alike may be two people, and nothing here says they are one.
"""

from __future__ import annotations

import enum
import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from anyascii import anyascii
from rapidfuzz.distance import OSA

from crm.queries.names import fold

#: Forms of address and of companies, articles and small words: they do not make two names different.
_TITLES = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "miss",
        "dr",
        "prof",
        "professor",
        "eng",
        "engineer",
        "hon",
        "honourable",
        "honorable",
        "excellency",
        "he",
        "hh",
        "hrh",
        "his",
        "her",
        "sheikh",
        "shaikh",
        "sheik",
        "cheikh",
        "imam",
        "mufti",
        "rev",
        "reverend",
        "bishop",
        "archbishop",
        "father",
        "pastor",
        "pr",
        "sister",
        "brother",
        "madam",
        "madame",
        "mme",
        "monsieur",
        "mlle",
        "sr",
        "sra",
        "srta",
        "senor",
        "senora",
        "don",
        "dona",
        "herr",
        "frau",
        "sayed",
        "sayyid",
        "hajj",
        "haji",
        "hajja",
        "ustaz",
        "ustadh",
        "mp",
        "minister",
    ]
)
_SMALL = frozenset(
    [
        "the",
        "of",
        "and",
        "for",
        "in",
        "at",
        "to",
        "a",
        "an",
        "de",
        "la",
        "le",
        "les",
        "l",
        "du",
        "des",
        "d",
        "et",
        "y",
        "e",
        "el",
        "los",
        "las",
        "del",
        "al",
        "ul",
        "der",
        "die",
        "das",
        "und",
        "von",
        "van",
        "ltd",
        "limited",
        "inc",
        "llc",
        "plc",
        "gmbh",
        "sa",
        "sarl",
        "bv",
        "asbl",
        "ngo",
    ]
)
_ARABIC_TITLES = frozenset(["السيد", "السيده", "الدكتور", "الدكتوره", "د", "المهندس", "الشيخ", "الاستاذ", "الاستاذه", "معالي", "سعاده"])
_ARABIC_ARTICLE = "ال"
_PAIRS = (("ph", "f"), ("kh", "k"), ("gh", "g"), ("sh", "s"), ("ch", "s"), ("th", "t"), ("dh", "d"), ("tch", "s"), ("ck", "k"), ("zh", "s"))
_ALIKE = str.maketrans("cqzjpv", "kksgbf")
_VOWELS = re.compile(r"[aeiouwy]+")
_DOUBLED = re.compile(r"(.)\1+")
_CAPITALS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MOST_WORDS = 12
_LONG_WORD, _SHORT_WORD = 8, 5
_STRIPPED_FROM = 7
#: Share of two names' words, weighed by how rare they are, from which on one is offered for the other.
_NEAR_ENOUGH = 1 / 3


class Likeness(enum.IntEnum):
    """How two names are alike, the nearer the greater; 0 where they are not."""

    NO = 0
    TYPED = 1  # but for a typing error, or a further name of a person
    WRITTEN = 2  # the same words in another order, spelling or script
    SAME = 3  # but for case, accents, titles and small words


@lru_cache(maxsize=1_000)
def words(name: str) -> tuple[str, ...]:
    """The words of a name in Latin letters and lower case, without titles, articles and small words; all of them where nothing
    else is left. At most twelve."""
    folded = fold(name).split()
    bare = [word for word in folded if word not in _ARABIC_TITLES] or folded
    latin: list[str] = []
    for word in bare:
        if word.startswith(_ARABIC_ARTICLE) and len(word) > len(_ARABIC_ARTICLE) + 1:
            word = word[len(_ARABIC_ARTICLE) :]  # noqa: PLW2901
        spaced = _CAPITALS.sub(" ", anyascii(word)) if not word.isascii() else word
        latin += re.findall(r"[a-z0-9]+", spaced.casefold())
    kept = [word for word in latin if word not in _TITLES and word not in _SMALL]
    return tuple((kept or latin)[:_MOST_WORDS])


@lru_cache(maxsize=8_000)
def skeleton(word: str) -> str:
    """What stays of a word however it is transliterated: its consonants, alike ones made one. Numbers stay as they are."""
    if word.isdigit():
        return word
    if len(word) >= _STRIPPED_FROM and word[:2] in ("al", "el") and word[2] not in "aeiouy":
        word = word[2:]
    for pair, one in _PAIRS:
        word = word.replace(pair, one)
    bare = _DOUBLED.sub(r"\1", _VOWELS.sub("", word.translate(_ALIKE)))
    return bare.rstrip("h") or bare or word


def keys(name: str) -> frozenset[int]:
    """Numbers that names which may be alike share: of all words in any order, of all letters in a row, of all words but one,
    and for a single word of all letters but one."""
    parts = sorted(skeleton(word) for word in words(name))
    if not parts:
        return frozenset()
    found = {"w " + " ".join(parts), "j " + _DOUBLED.sub(r"\1", "".join(skeleton(word) for word in words(name)))}
    if len(parts) == 1:
        only = parts[0]
        if len(only) > 3:  # noqa: PLR2004 - shorter ones would be alike to half of all names
            found |= {"d " + only[:place] + only[place + 1 :] for place in range(len(only))} | {"d " + only}
    else:
        found |= {"m " + " ".join(parts[:place] + parts[place + 1 :]) for place in range(len(parts))}
        found.add("m " + " ".join(parts))
    return frozenset(_number(text) for text in found)


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), signed=True)


class _Name(NamedTuple):
    """A name as it is compared: its words with the skeleton of each, and what two names alike share. A name is read once, and compared with
    dozens."""

    parts: tuple[tuple[str, str], ...]
    numbers: tuple[str, ...]
    in_order: tuple[str, ...]
    joined: str
    bones: tuple[str, ...]
    by_bone: tuple[str, ...]


@lru_cache(maxsize=14_000)
def _read(name: str) -> _Name:
    its = words(name)
    parts = tuple((word, skeleton(word)) for word in its)
    by_bone = sorted(parts, key=itemgetter(1))
    return _Name(
        parts=parts,
        numbers=tuple(sorted(word for word in its if word.isdigit())),
        in_order=tuple(sorted(its)),
        joined="".join(its),
        bones=tuple(bone for _word, bone in by_bone),
        by_bone=tuple(word for word, _bone in by_bone),
    )


def likeness(one: str, other: str, *, is_person: bool) -> Likeness:
    """How alike two names are. Two organisations that differ by a whole word are sisters, not one; numbers always count."""
    here, there = _read(one), _read(other)
    if not here.parts or not there.parts or here.numbers != there.numbers:
        return Likeness.NO
    if here.in_order == there.in_order or here.joined == there.joined:
        return Likeness.SAME
    if here.bones == there.bones and all(map(_is_near, here.by_bone, there.by_bone)):
        return Likeness.WRITTEN
    ways = ((here.parts, there.parts), (there.parts, here.parts))
    fits = any(_fits(short, long, is_person=is_person) for short, long in ways if len(short) <= len(long))
    return Likeness.TYPED if fits else Likeness.NO


def _is_near(one: str, other: str) -> bool:
    """Whether two words of one skeleton may be spellings of one: vowels differ a little, or one comes from a script that writes
    none. A name that ends in -a is not its brother in -o."""
    if one == other or not (_has_vowel(one) and _has_vowel(other)):
        return True
    if one[:-1] == other[:-1] and {one[-1], other[-1]} == {"a", "o"}:
        return False
    return OSA.distance(one, other) <= (2 if min(len(one), len(other)) > _SHORT_WORD else 1)


def _has_vowel(word: str) -> bool:
    return any(letter in "aeiou" for letter in word)


def _fits(short: Sequence[tuple[str, str]], long: Sequence[tuple[str, str]], *, is_person: bool) -> bool:
    """Whether every word of the shorter name is one of the longer's, one of them perhaps mistyped; a person may have one more
    name, or an initial."""
    rest, mistyped, varied, matched = list(long), 0, 0, 0
    place: int | None
    for word, bone in short:
        if is_person and len(word) == 1 and len(short) > 1:
            place = next((i for i, (other, _bone) in enumerate(rest) if other[0] == word), None)
            if place is None:
                return False
            rest.pop(place)
            continue
        for i, (other, its) in enumerate(rest):
            if its == bone and _is_near(word, other):
                place = i
                varied += other != word and _has_vowel(word) and _has_vowel(other)
                break
        else:
            mistyped += 1
            place = None if mistyped > 1 else next((i for i, (other, _bone) in enumerate(rest) if _is_mistyped(word, other)), None)
        if place is None or (mistyped and varied):
            return False
        matched += 1
        rest.pop(place)
    rest = [part for part in rest if not (is_person and len(part[0]) == 1)]
    if not rest:
        return matched > mistyped or len(short) == 1
    return is_person and len(rest) == 1 and mistyped == 0 and matched >= 2  # noqa: PLR2004 - first and family name


def _is_mistyped(one: str, other: str) -> bool:
    """One letter too many, too few, wrong or exchanged with its neighbour in a word of five or more, two in a long one."""
    shorter = min(len(one), len(other))
    if shorter < _SHORT_WORD - 1 or one.isdigit() or other.isdigit():
        return False
    return OSA.distance(one, other) <= (2 if shorter >= _LONG_WORD else 1)


class Nearest:
    """Names to be found by one that is not among them: by the words they share, rare ones first ("Kingdom of Vesterhav" leads to
    "Vesterhav, Ministry of Foreign Affairs"). What is near may be somebody else: it is offered, never taken."""

    def __init__(self, names: Iterable[str]) -> None:
        self._words = {name: frozenset(map(skeleton, words(name))) for name in names}
        self._having: dict[str, list[str]] = defaultdict(list)
        for name, parts in self._words.items():
            for part in parts:
                self._having[part].append(name)

    def of(self, text: str, most: int = 3) -> list[str]:
        """The nearest names, the likeliest first; none where nothing but common words is shared."""
        mine = frozenset(map(skeleton, words(text)))
        shared: dict[str, float] = defaultdict(float)
        for part in mine:
            for name in self._having.get(part, ()):
                shared[name] += self._weight(part)
        own = self._sum(mine)
        rated = {name: 2 * weight / (own + self._sum(self._words[name])) for name, weight in shared.items()}
        fits = (name for name, rate in rated.items() if rate >= _NEAR_ENOUGH)
        return sorted(fits, key=lambda name: (-rated[name], name))[:most]

    def _weight(self, part: str) -> float:
        return math.log1p(len(self._words) / max(1, len(self._having.get(part, ()))))

    def _sum(self, parts: Iterable[str]) -> float:
        return sum(map(self._weight, parts))

"""Words as they are indexed and asked for: one `normalise()` for both databases, so that a search finds the same on both."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from rapidfuzz.distance import OSA

from crm.queries.likeness import skeleton
from crm.queries.likeness import words as latin_words
from crm.queries.names import fold

LONGEST_WORD = 40
MOST_WORDS = 2000
#: Before a spelling that lacks a letter. A sign, so that no word of a person holds it: `fold` makes blanks of signs.
NEARLY = "§"
#: Before a whole name, and for the blanks in it: names that begin with what was typed, and those that are it.
WHOLE = "¶"
#: Before what is heard of a word of a name, whatever its script: its letters in Latin without vowels (`likeness.skeleton`), behind
#: a letter for its own script. The signs of both others together begin no other word.
SOUND = WHOLE + NEARLY
#: Stands among the words of every party: another number here makes `flask db upgrade` write the entries anew.
VERSION = f"{SOUND}1"
_PART = 200
_LONGEST_WHOLE = 60
#: Han, kana and the scripts of South-East Asia are written without blanks between words.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUNS = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_ARABIC_ARTICLES = ("وال", "بال", "لل", "ال")
_SHORTEST_STEM = 3
_FUZZY_FROM, _FUZZY_TO, _TWO_SLIPS_FROM = 4, 14, 8
_MOST_FUZZY_WORDS = 8
_TWO_MEANT_FROM = 9
#: Words of their own that are a slip away from a word of a list.
_OTHER_WORDS = frozenset(("founder", "founders", "medic", "ssudan"))
_SHORTEST_SOUND = 2


@lru_cache(maxsize=16_384)
def _folded(part: str) -> tuple[str, ...]:
    """The words of a piece of text without blanks: signs split it, and text of signs alone has none."""
    return tuple(word for word in fold(part).split() if any(c.isalnum() for c in word))


def _parts(text: str) -> Iterable[str]:
    for part in text.split():
        if len(part) <= _PART:
            yield part
        else:
            yield from (part[start : start + _PART] for start in range(0, len(part), _PART))


def _pieces(text: str) -> Iterable[str]:
    for part in _parts(text):
        yield from _folded(part)


def _bigrams(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)]


@lru_cache(maxsize=16_384)
def _indexed(part: str) -> tuple[str, ...]:
    """What a piece of text without blanks is found under: texts repeat their words, so this is what `normalise` asks again and again."""
    found: list[str] = []
    for piece in _folded(part):
        for run in _RUNS.findall(piece):
            if _IS_UNSPACED.match(run):
                found += [*_bigrams(run), run[-1]]
                continue
            word = run[:LONGEST_WORD]
            found.append(word)
            if word.isdigit() and word[0] == "0" and (bare := word.lstrip("0")):
                found.append(bare)
            article = next((one for one in _ARABIC_ARTICLES if word.startswith(one)), "")
            if article and len(word) - len(article) >= _SHORTEST_STEM:
                found.append(word[len(article) :])
    return tuple(found)


def normalise(text: str) -> list[str]:
    """The words under which a text is found, each once, in order: folded as names are (`crm.queries.names.fold`); what is written
    without blanks as pairs of characters and its last one; a number also without its leading noughts; an Arabic word also
    without its article. At most 2,000 words of 40 characters."""
    found: dict[str, None] = {}
    for part in _parts(text):
        found.update(dict.fromkeys(_indexed(part)))
        if len(found) >= MOST_WORDS:
            break
    return list(found)[:MOST_WORDS]


def asked(text: str) -> list[str]:
    """The words that a search asks for, each once: as `normalise`, but nothing is added to what was typed."""
    found: dict[str, None] = {}
    for piece in _pieces(text):
        for run in _RUNS.findall(piece):
            words = (_bigrams(run) or [run]) if _IS_UNSPACED.match(run) else [run[:LONGEST_WORD]]
            found.update(dict.fromkeys(words))
    return list(found)


def near_spellings(word: str) -> set[str]:
    """The word, and the word without each of its letters: two words that share one of these are a slip apart (SymSpell)."""
    if not _FUZZY_FROM <= len(word) <= _FUZZY_TO or word.isdigit() or _IS_UNSPACED.search(word):
        return set()
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


def whole(name: str) -> str:
    """A name as one word, so that names can be asked for by their beginning. Empty for signs alone."""
    folded = " ".join(_pieces(name))
    return WHOLE + folded.replace(" ", WHOLE)[:_LONGEST_WHOLE] if folded else ""


def near_words(names: Iterable[str]) -> list[str]:
    """What a name is indexed under so that it is found in spite of a slip, marked with `NEARLY`."""
    words = dict.fromkeys(word for name in names for word in normalise(name))
    chosen = [word for word in words if near_spellings(word)][:_MOST_FUZZY_WORDS]
    return sorted({NEARLY + spelling for word in chosen for spelling in near_spellings(word)})


def _sounds(text: str) -> list[tuple[str, bool, str]]:
    """The words of a name that are more than a title, an article or two letters long as they sound: (word, whether its script is
    Latin, sound). What is written without blanks has none: its words are not known."""
    kept = set(latin_words(text))
    found = []
    for word in dict.fromkeys(fold(text).split()):
        if word.isdigit() or _IS_UNSPACED.search(word):
            continue
        found += [
            (word, word.isascii(), sound) for part in latin_words(word) if part in kept and len(sound := skeleton(part)) >= _SHORTEST_SOUND
        ]
    return found


def sound_words(names: Iterable[str]) -> list[str]:
    """What names are indexed under so that they are found by how they are written in another script; and the version of the words."""
    return [VERSION, *sorted({f"{SOUND}{'l' if is_latin else 'o'}{sound}" for name in names for _word, is_latin, sound in _sounds(name)})]


def sounds_asked(text: str) -> tuple[tuple[tuple[str, bool], ...], ...]:
    """What a name typed in one script is asked for in the others: for each word the word itself, or one that sounds like it and is
    written otherwise. Empty where nothing sounds. The last word may go on, once it is three letters long without its vowels."""
    heard: dict[str, list[str]] = {}
    for word, is_latin, sound in _sounds(text):
        heard.setdefault(word, []).append(f"{SOUND}{'o' if is_latin else 'l'}{sound}")
    typed = [word for word in fold(text).split() if word in heard or word.isdigit()]
    groups: list[tuple[tuple[str, bool], ...]] = []
    for place, word in enumerate(typed):
        is_last = place == len(typed) - 1
        may_go_on = {sound: is_last and len(sound) - len(SOUND) > _SHORTEST_SOUND + 1 for sound in heard.get(word, ())}
        groups.append(((word[:LONGEST_WORD], False), *may_go_on.items()))
    return tuple(groups) if heard else ()


def is_near(asked_word: str, word: str) -> bool:
    """Whether a word begins with what was asked, or is a slip away from it (two slips from eight letters on)."""
    if word.startswith(asked_word):
        return True
    if not near_spellings(asked_word):
        return False
    slips = _slips(asked_word)
    return OSA.distance(asked_word, word, score_cutoff=slips) <= slips


def _slips(word: str) -> int:
    return 0 if len(word) < _FUZZY_FROM else 1 if len(word) < _TWO_SLIPS_FROM else 2


def meant(text: str, known: Iterable[tuple[str, str]]) -> str:
    """What a misspelt word is surely meant for: the only entry with a name that begins with the same letter and is a slip away (two from nine
    letters on).

    `known`: folded names with what they are for; those of three letters are too short to be meant. "" where several entries are near, where
    none is, for a word that is known as it stands, that only goes on after a name (Dominican is not of Dominica), or is another word."""
    asked_word, found = fold(text), set()
    is_word = any(map(str.isalpha, asked_word)) and not _IS_UNSPACED.search(asked_word) and asked_word not in _OTHER_WORDS
    slips = min(_slips(asked_word), 2 if len(asked_word) >= _TWO_MEANT_FROM else 1) if is_word else 0
    for name, entry in known:
        if name == asked_word:
            return ""
        if (
            len(name) >= _FUZZY_FROM
            and name[0] == asked_word[:1]
            and not asked_word.startswith(name)
            and abs(len(name) - len(asked_word)) <= slips
            and OSA.distance(asked_word, name, score_cutoff=slips) <= slips
        ):
            found.add(entry)
    return found.pop() if len(found) == 1 else ""


def closeness(asked_words: Iterable[str], name: str) -> int | None:
    """How many slips lie between what was asked and a name; None where one of the words is not in it, even nearly."""
    words = normalise(name)
    total = 0
    for one in asked_words:
        slips = [0 if word.startswith(one) else OSA.distance(one, word) for word in words if is_near(one, word)]
        if not slips:
            return None
        total += min(slips)
    return total

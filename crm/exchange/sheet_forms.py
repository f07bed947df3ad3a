"""Words such as “company” in a list of contacts: of what form the row is, or what the organisation is whose person it names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from crm.exchange.sheet_cells import parts
from crm.exchange.sheet_fields import WORD_MARKS, ListedWords, SheetField
from crm.exchange.turned_names import names_an_organisation
from crm.models.parties import FORM_DOUBT, FORM_IN_KINDS
from crm.queries.names import fold, says_none

_PERSON = "person"
#: Words that say the form and nothing else; others of `FORM_WORDS` (“company”, “committee”) are said of a person's organisation too.
_SURE_WORDS = "organisation organization organisme organización منظمة group groupe grupo مجموعة"
_SURE = frozenset(map(fold, _SURE_WORDS.split()))
_TITLE_WORDS = (
    "mr mrs ms miss mx dr prof professor eng engr hon he h.e hrh h.r.h rev m mme mlle monsieur madame mademoiselle sr sra srta señor señora "
    "herr frau السيد السيدة الدكتور الدكتورة د المهندس المهندسة الأستاذ الأستاذة الشيخ معالي سعادة"
)
_TITLES = frozenset(map(fold, _TITLE_WORDS.split()))
#: What stands in a column of titles beside those: before a name it may be a name too, or an organisation's.
_MORE_TITLES = (
    "excellency sheikh shaikh sheik cheikh sheikha fr father père padre pr pastor imam mufti bishop archbishop sister brother soeur judge hajj haj "
    "haji hajja amb ambassador engineer arch maj major col colonel lt capt captain gen general brig sgt drs dra pharm sir madam don doña lic ing "
    "السادة الآنسة دكتور دكتورة مهندس مهندسة أستاذ أستاذة شيخ سيد سيدة الشيخة القاضي المحامي الأب الحاج الحاجة عطوفة م أ ا"
)
_ALONE = _TITLES | frozenset(map(fold, _MORE_TITLES.split()))


class _Said(NamedTuple):
    field: str
    heading: str
    word: str
    form: str

    @property
    def is_loose(self) -> bool:
        return self.form != _PERSON and fold(self.word) not in _SURE


def is_form_of_address(cell: str) -> bool:
    """Whether a cell holds titles and nothing else: “Dr.”, “H.E. Mr”, “أ.د.”."""
    readings = (fold(cell.replace(".", "")).split(), fold(cell).split())
    return any(words and _ALONE.issuperset(words) for words in readings)


def settle(fields: Mapping[str, SheetField], values: dict[str, Any], cells: Iterable[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """Take words for a form of organisation as kinds where a row is about a person: (heading, word) of each that was.

    `cells`: field, heading and text of the cells of the row. A row that names a post, another organisation or a person's title is of
    the form that the rest of it, or the file, says. Where the word and the rest contradict each other, they stand under `FORM_DOUBT`."""
    said = list(_said(fields, cells))
    deciding = [one for one in said if one.field == "form"] or said
    if not deciding:
        return []
    loose = [one for one in said if one.is_loose]
    if deciding[0].form != _PERSON:
        if not _about_a_person(values):
            return []
        is_sure = any(one.form != _PERSON and not one.is_loose for one in said)
        if _is_doubtful(values, is_sure=is_sure):
            values[FORM_DOUBT] = (deciding[0].field, deciding[0].word)
        if is_sure or names_an_organisation(_name(values)):
            return []
    _as_kinds(fields, values, loose)
    return [(one.heading, one.word) for one in loose]


def _said(fields: Mapping[str, SheetField], cells: Iterable[tuple[str, str, str]]) -> Iterable[_Said]:
    for name, heading, cell in cells:
        known = fields[name].words or {}
        if name == "form" and (form := known.get(fold(cell))):
            yield _Said(name, heading, " ".join(cell.split()), form)
        for word in parts(cell, WORD_MARKS) if name == "kinds" else ():
            if (code := known.get(fold(word), "")).startswith(FORM_IN_KINDS):
                yield _Said(name, heading, word, code.removeprefix(FORM_IN_KINDS))


def _as_kinds(fields: Mapping[str, SheetField], values: dict[str, Any], loose: Iterable[_Said]) -> None:
    """Read words as what the party is to us, not as its form; those for which there is no kind say nothing."""
    known, kinds = fields["kinds"].words, list(values.get("kinds", ()))
    for one in loose:
        if one.field == "form":
            values.pop("form", None)
        elif FORM_IN_KINDS + one.form in kinds:
            kinds.remove(FORM_IN_KINDS + one.form)
        if isinstance(known, ListedWords) and (kind := known.kind_of(fold(one.word))):
            kinds.append(kind)
    if kinds:
        values["kinds"] = tuple(dict.fromkeys(kinds))
    else:
        values.pop("kinds", None)


def _text(values: Mapping[str, Any], name: str) -> str:
    text = values.get(name, "")
    return text if isinstance(text, str) and not says_none(text) else ""


def _name(values: Mapping[str, Any]) -> str:
    return " ".join(text for name in ("given_name", "family_name", "name") if (text := _text(values, name)))


def _is_of_another(values: Mapping[str, Any]) -> bool:
    organisation = _text(values, "post_organisation")
    return bool(organisation) and fold(organisation) != fold(_name(values))


def _has_title(values: Mapping[str, Any]) -> bool:
    first = (_name(values).split() or [""])[0].rstrip(".")
    return bool(_text(values, "form_of_address")) or fold(first) in _TITLES


def _about_a_person(values: Mapping[str, Any]) -> bool:
    """Whether anything in a row with a name speaks for a person."""
    has_sign = _text(values, "post_title") or _text(values, "given_name") or _is_of_another(values) or _has_title(values)
    return bool(_name(values) and has_sign)


def _is_doubtful(values: Mapping[str, Any], *, is_sure: bool) -> bool:
    """Whether a word for an organisation contradicts the rest: the name is one of an organisation, which has no post; or the word says
    nothing but the form, and all else speaks for a person."""
    if names_an_organisation(_name(values)):
        return bool(_text(values, "post_title")) and not is_sure
    return is_sure and (_has_title(values) or bool(_text(values, "post_title") and _is_of_another(values)))

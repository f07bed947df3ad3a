"""Names of people as lists keep them by family name: "Haddad, Rania". Told from organisations, which are turned round too, and titles."""

from __future__ import annotations

from crm.queries.names import fold

_COMMA, _ARABIC_COMMA = ",", "،"
_LONGEST = 200
_MOST_FAMILY, _MOST_GIVEN = 4, 3
#: Words of organisations.
_OF_ORGANISATIONS = (
    "government ministry department office embassy council agency institute university school bank fund foundation association society committee "
    "union republic kingdom state states federation centre center group company authority commission secretariat programme project network "
    "gouvernement ministere ministre bureau ambassade conseil agence universite ecole banque fonds fondation comite republique royaume "
    "gobierno ministerio oficina embajada consejo agencia universidad banco fondo fundacion asociacion sociedad comite republica reino "
    "ltd inc llc plc corp gmbh sarl srl حكومة وزارة جامعة مؤسسة جمعية لجنة منظمة سفارة مكتب بنك صندوق"
)
#: What stands behind a name without being one, and letters that organisations and people end with.
_BEHIND_NAMES = (
    "ag sa bv jr sr ii iii iv phd md mp mba msc esq minister director president secretary ambassador head chief manager the and for y et"
)
_ORGANISATIONS = frozenset(map(fold, _OF_ORGANISATIONS.split()))
_NO_NAMES = _ORGANISATIONS | frozenset(map(fold, _BEHIND_NAMES.split()))
#: What the second part ends with where it was cut from the first: "Luxembourg, Government of".
_ENDS = frozenset({"of", "de", "du", "des", "del", "da", "do", "for", "pour", "para"})


def turned(text: str) -> str:
    """“Haddad, Rania” as “Rania Haddad”; "" where a name does not look like that: one comma, a few words of letters on each side,
    none of them a word of organisations or a title."""
    before, _comma, behind = text.replace(_ARABIC_COMMA, _COMMA).partition(_COMMA)
    if len(text) > _LONGEST or _COMMA in behind:
        return ""
    family, given = before.split(), behind.split()
    if not 0 < len(family) <= _MOST_FAMILY or not 0 < len(given) <= _MOST_GIVEN:
        return ""
    if not all(
        word.replace("-", "").replace("'", "").replace("’", "").replace(".", "").isalpha() for word in map(_bare, (*family, *given))
    ):
        return ""
    if given[-1].casefold() in _ENDS or {fold(word) for word in (*family, *given)} & _NO_NAMES:
        return ""
    return f"{' '.join(given)} {' '.join(family)}"


def names_an_organisation(text: str) -> bool:
    """Whether a name has a word that names of organisations have, and those of people do not."""
    return not _ORGANISATIONS.isdisjoint(fold(text[:_LONGEST]).split())


def _bare(word: str) -> str:
    """A word without marks that stand on its letters: those are no letters of their own."""
    return fold(word).replace(" ", "") or word

"""A row of a list of contacts by itself: its name, employer, kinds, and what it says that has no field of its own. Knows no record."""

from __future__ import annotations

import re

from crm.i18n import _
from crm.models.parties import FORM_DOUBT, FORM_IN_KINDS
from crm.queries.names import fold, says_none
from crm.services.parties import OtherName
from crm.services.sheet_imports import RowRefused, SheetRow

_BRACKETS = re.compile(r"[(\[][^()\[\]]*[)\]]")
_BETWEEN_NAMES = re.compile(r"\s*/\s*|\s+\|\s+")
_REFERENCE = re.compile(r"[A-Z0-9]{2,12}-PA-\d{4}-\d{4,9}")
#: What stands for a name where there is nobody.
NOBODY = frozenset(
    map(fold, ("tbc", "tbd", "to be confirmed", "vacant", "unknown", "xxx", "vacante", "inconnu", "desconocido", "شاغر", "غير معروف"))
)
#: What stands for an employer where there is none.
_NO_EMPLOYER = frozenset(
    map(
        fold,
        [
            "freelance",
            "freelancer",
            "self-employed",
            "independent",
            "retired",
            "indépendant",
            "indépendante",
            "retraité",
            "retraitée",
            "autónomo",
            "autónoma",
            "jubilado",
            "jubilada",
            "متقاعد",
            "متقاعدة",
            "مستقل",
            "مستقلة",
            "عمل حر",
        ],
    )
)


def full_name(row: SheetRow) -> str:
    """The name of a row: given name before family name where they stand apart (then "Nom" beside "Prénom" is the family name)."""
    given = row.text("given_name")
    family = row.text("family_name") or (row.text("name") if given else "")
    return " ".join(part for part in (given, family) if part) if given or not row.text("name") else row.text("name")


def nobody(name: str, row: SheetRow) -> str:
    """Why a name that names nobody is refused, and what else stands in the row that would be without one."""
    title = row.text("post_title")
    if title and row.text("post_organisation") and not says_none(title):
        return _(
            "“%(name)s” names nobody. Write who holds the post “%(title)s”, or leave the row out. Where you empty name and post, the organisation alone is recorded.",
            name=name[:60],
            title=title[:60],
        )
    return _("“%(name)s” names nobody. Write the name, or leave the row out.", name=name[:60])


def employer(row: SheetRow, name: str) -> str:
    """An organisation that a row names; "" where its cell says that there is none, or that nobody knows."""
    text = row.text(name)
    return "" if says_none(text) or fold(text) in NOBODY or fold(text) in _NO_EMPLOYER else text


def employed_by_nobody(row: SheetRow) -> list[str]:
    """What a row says in place of an employer (freelance, retired), as notes."""
    said = dict.fromkeys(row.text(name) for name in ("post_organisation", "part_of"))
    return [_("Organisation: %(name)s", name=text) for text in said if fold(text) in _NO_EMPLOYER]


def is_reference(text: str) -> bool:
    """Whether a text is the reference of a party (JOR-PA-2026-0042), and no name."""
    return _REFERENCE.fullmatch(text.strip().upper()) is not None


def kept_of_post(row: SheetRow, title: str) -> list[str]:
    """What a row says of a post that cannot be one, since no organisation is named or the row is none of a person: as notes."""
    since, address = row.day("post_since"), row.text("form_of_address")
    said = []
    if title and since:
        said.append(_("Post: %(title)s, since %(day)s", title=title, day=since.isoformat()))
    elif title:
        said.append(_("Post: %(title)s", title=title))
    elif since:
        said.append(_("Since: %(day)s", day=since.isoformat()))
    if address and not says_none(address):
        said.append(_("Form of address: %(words)s", words=address))
    return said


def other_names(row: SheetRow) -> list[OtherName]:
    columns = (("native", "native"), ("aliases", "alias"), ("acronyms", "acronym"), ("former", "former"))
    return [OtherName(text, kind) for column, kind in columns for text in row.several(column)]


def kinds_of(row: SheetRow) -> tuple[tuple[str, ...], str]:
    """What a row says a party is to us, and of which form it is: a column of its own, else a form among the kinds; "" for neither."""
    said = row.several("kinds")
    forms = [kind.removeprefix(FORM_IN_KINDS) for kind in said if kind.startswith(FORM_IN_KINDS)]
    return tuple(kind for kind in said if not kind.startswith(FORM_IN_KINDS)), row.text("form") or (forms[0] if forms else "")


def refuse_doubtful_form(row: SheetRow) -> None:
    """A row of which one word says that it is an organisation, and all else that it is a person, or the other way round."""
    if doubt := row.several(FORM_DOUBT):
        name, word = doubt
        raise RowRefused(
            name,
            _(
                "“%(word)s” says that the row is no person, but a post or a title stands beside it. Write “person” here; or “organisation” or "
                "“group”, and empty the post or the title.",
                word=word[:60],
            ),
        )


def also_called(name: str) -> list[str]:
    """What else a name may be compared by: without what stands in brackets, and each side of a stroke (“Sana Abbadi / سناء العبادي”)."""
    bare = " ".join(_BRACKETS.sub(" ", name).split())
    sides = [side.strip() for side in _BETWEEN_NAMES.split(bare)]
    return [text for text in dict.fromkeys((bare, *sides)) if text != name and len(text.split()) > 1]

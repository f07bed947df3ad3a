"""What the columns of an office's spreadsheet mean: the fields of each kind of list, the headings people give them, and guessing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from crm.exchange.sheet_contacts import CONTACT_SHEETS
from crm.exchange.sheet_fields import COUNTRY, DAY, LIST, NEED_OF_YEAR, WORD, WORDS, ListedWords, SheetField, SheetKind, words_of
from crm.exchange.sheet_money import MONEY_SHEETS, year_named
from crm.exchange.spreadsheet import is_reject_column
from crm.i18n import LazyText
from crm.i18n import lazy_gettext as _l
from crm.models.codes import PARTY_KINDS
from crm.models.parties import FORM_IN_KINDS
from crm.queries.names import fold

FORM_WORDS = words_of(
    {
        "person": "people/individual/contact/personne/individu/persona/individuo/شخص/فرد",
        "organisation": "organization/institution/company/organisme/organización/institución/مؤسسة/منظمة/هيئة",
        "group": "community group/committee/groupe/comité/grupo/مجموعة/لجنة",
    }
)
KIND_WORDS = words_of(
    {
        "donor": "donors/funder/bailleur/bailleur de fonds/donateur/donante/مانح/جهة مانحة",
        "national-leader": "national leader/leader national/dirigeant national/líder nacional/قائد وطني",
        "local-leader-religious": "religious leader/chef religieux/leader religieux/líder religioso/زعيم ديني/رجل دين",
        "local-leader-traditional": "traditional leader/chef traditionnel/chef coutumier/líder tradicional/شيخ عشيرة/زعيم تقليدي",
        "local-leader-community": "community leader/local leader/leader communautaire/chef local/líder comunitario/قائد مجتمعي/زعيم محلي",
        "government": "govt/gov/ministry/embassy/municipality/governorate/gouvernement/ministère/ambassade/municipalité/mairie/gobierno/ministerio/embajada/"
        "municipio/alcaldía/حكومة/حكومي/وزارة/سفارة/بلدية/محافظة",
        "parliament": "parlement/parlamento/برلمان/مجلس النواب",
        "ngo": "ngos/ngo or civil society/civil society/cso/ingo/ingos/international ngo/association/assoc/assoc./assn/ong/oing/ong internationale/société civile/"
        "sociedad civil/ong internacional/asociación/منظمة غير حكومية/منظمة غير حكومية دولية/مجتمع مدني/جمعية",
        "community-group": "community group/cbo/groupe communautaire/grupo comunitario/مجموعة مجتمعية",
        "media": "press/journalist/médias/presse/medios/prensa/إعلام/صحافة",
        "private-sector": "private sector/private/business/company/secteur privé/entreprise/sector privado/empresa/قطاع خاص",
        "academic": "academia/university/universitaire/académique/académico/universidad/أكاديمي/جامعة",
        "youth": "young people/jeunesse/jeunes/juventud/jóvenes/شباب",
        "family-group": "family group/families/groupe familial/grupo familiar/مجموعة أسر",
        "un-agency": "un agency/un/united nations/agence des nations unies/onu/agencia de la onu/وكالة الأمم المتحدة/أمم متحدة",
        "pooled-fund": "pooled fund/fonds commun/fondo mancomunado/صندوق مشترك",
    }
)
_NAME = "name/full name/contact name/contact/person/nom/nom complet/nom et prénom/nombre/nombre completo/nombre y apellido/الاسم/الاسم الكامل/اسم"
_ORGANISATION = (
    "organisation/organization/institution/company/employer/ministry/agency/organisme/ministère/institución/organización/entidad/"
    "المؤسسة/المنظمة/الجهة/الوزارة"
)
_REFERENCE = "reference/ref/our reference/throughline reference/référence/referencia/المرجع"

PARTIES = SheetKind(
    "parties",
    _l("People, organisations and groups"),
    _l("A list of contacts as an office keeps it: names, what they are, country, posts, e-mail, phone, notes."),
    MappingProxyType(
        {
            "reference": SheetField(_l("Reference"), _REFERENCE),
            "name": SheetField(_l("Name"), _NAME, one_of="name", is_name=True),
            "given_name": SheetField(_l("First name"), "first name/given name/forename/prénom/nombre de pila/primer nombre/الاسم الأول"),
            "family_name": SheetField(
                _l("Family name"), "last name/family name/surname/nom de famille/apellido/apellidos/اسم العائلة/الكنية/اللقب", one_of="name"
            ),
            "form": SheetField(
                _l("Person, organisation or group"), "form/type/contact type/type de contact/tipo/نوع جهة الاتصال", WORD, FORM_WORDS
            ),
            "native": SheetField(
                _l("Name in its own script"),
                "native name/name in arabic/arabic name/local name/nom en arabe/nom local/nombre local/الاسم بالعربية/الاسم بالعربي",
                is_many=True,
            ),
            "aliases": SheetField(
                _l("Also known as"), "other names/aliases/alias/also known as/aka/autres noms/otros nombres/أسماء أخرى", LIST, is_many=True
            ),
            "acronyms": SheetField(
                _l("Acronyms"), "acronym/acronyms/abbreviation/sigle/acronyme/sigla/siglas/الاختصار", LIST, is_many=True
            ),
            "former": SheetField(
                _l("Former names"), "former name/former names/formerly/ancien nom/nombre anterior/الاسم السابق", LIST, is_many=True
            ),
            "kinds": SheetField(
                _l("What they are to us"),
                "what they are to us/kind/kinds/category/categories/sector/stakeholder type/catégorie/categoría/الفئة/التصنيف/نوع الجهة",
                WORDS,
                ListedWords(PARTY_KINDS, KIND_WORDS, {word: FORM_IN_KINDS + code for word, code in FORM_WORDS.items()}),
                is_many=True,
            ),
            "country": SheetField(_l("Country"), "country/country code/nationality/pays/país/البلد/الدولة", COUNTRY),
            "website": SheetField(_l("Website"), "website/web site/web/url/site web/sitio web/página web/الموقع الإلكتروني"),
            "about": SheetField(_l("About"), "about/description/profile/présentation/descripción/نبذة/الوصف"),
            "part_of": SheetField(_l("Part of"), "part of/parent/parent organisation/rattaché à/parte de/يتبع لـ"),
            "post_title": SheetField(
                _l("Post"),
                "post/position/job title/title/role/function/designation/fonction/poste/titre/cargo/puesto/المنصب/الوظيفة/المسمى الوظيفي",
            ),
            "post_organisation": SheetField(_l("Organisation of the post"), _ORGANISATION + "/organisation of the post"),
            "post_since": SheetField(
                _l("In the post since"), "since/in post since/start date/depuis/en poste depuis/desde/منذ/تاريخ التعيين", DAY
            ),
            "form_of_address": SheetField(
                _l("Form of address"), "form of address/salutation/honorific/formule d'appel/civilité/tratamiento/صيغة المخاطبة"
            ),
            "email": SheetField(
                _l("E-mail"),
                "email/e-mail/mail/email address/e-mail address/email 2/courriel/adresse e-mail/correo/correo electrónico/البريد الإلكتروني/الايميل",
                is_many=True,
                marks=";\n|, ",
            ),
            "phone": SheetField(
                _l("Phone"),
                "phone/telephone/tel/phone number/office phone/landline/téléphone/teléfono/الهاتف/رقم الهاتف/هاتف",
                is_many=True,
                marks=";\n|,",
            ),
            "mobile": SheetField(
                _l("Mobile phone"),
                "mobile/mobile phone/cell/cell phone/whatsapp/portable/tél. portable/móvil/celular/الجوال/الموبايل/رقم الجوال/الهاتف المحمول",
                is_many=True,
                marks=";\n|,",
            ),
            "address": SheetField(_l("Postal address"), "address/postal address/adresse/dirección/العنوان", is_many=True),
            "note": SheetField(
                _l("Note"), "note/notes/comment/comments/remarks/remarques/commentaires/notas/observaciones/ملاحظات", is_many=True
            ),
        }
    ),
)
#: Headings of a list of contacts that tell when each was met last: of a log, which is a list of its own.
_OF_A_LOG = (
    "last contact/last contacted/last contact date/date of last contact/last met/last meeting/last interaction/last call/last visit/dernier contact/"
    "date du dernier contact/dernière rencontre/dernière réunion/dernier échange/último contacto/fecha del último contacto/última reunión/"
    "آخر تواصل/آخر اتصال/آخر لقاء/آخر اجتماع/تاريخ آخر تواصل"
)
#: Headings that mean a post, or how its holder is addressed.
_OF_TITLES = frozenset(map(fold, ("title", "titre")))
SHEETS: Mapping[str, SheetKind] = MappingProxyType({kind.slug: kind for kind in (PARTIES, *CONTACT_SHEETS, *MONEY_SHEETS)})


@lru_cache(maxsize=1)
def _of_a_log() -> frozenset[str]:
    return frozenset(map(fold, _OF_A_LOG.split("/")))


def is_of_a_log(slug: str, heading: str) -> bool:
    """Whether a heading of a list of contacts says when each was met last, which a log of contacts holds."""
    return slug == PARTIES.slug and not _of_a_log().isdisjoint((fold(heading), fold(heading.partition("(")[0])))


@lru_cache(maxsize=16)
def _headings(slug: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, item in SHEETS[slug].fields.items():
        for heading in (name.replace("_", " "), *item.headings.split("/")):
            found.setdefault(fold(heading), name)
    return found


_LONGER_THAN_HEADINGS = 100


def is_heading(slug: str, cell: str) -> bool:
    """Whether a cell is a heading that lists of this kind are known to have."""
    return len(cell) < _LONGER_THAN_HEADINGS and (fold(cell) in _headings(slug) or bool(_field_of_year(slug, cell)))


def _field_of_year(slug: str, heading: str) -> str:
    """The field of amounts by year, where a heading is a year, alone or beside a word for that field; else ""."""
    year, rest = year_named(heading)
    for name, item in SHEETS[slug].fields.items() if year else ():
        if item.reads == NEED_OF_YEAR and (not rest or rest in map(fold, item.headings.split("/"))):
            return name
    return ""


def _beside(kind: SheetKind, heading: str, before: str) -> str:
    """The field that a heading means because of the column before it; else ""."""
    fits = (name for name, item in kind.fields.items() if before in item.after and heading in map(fold, item.beside.split("/")))
    return next(fits, "")


def is_of_titles(slug: str, heading: str) -> bool:
    """Whether a heading may mean a post, or Dr. and Mrs: “Title”, “Title / Titre”, “Title (Mr, Ms)”, of a list that has both."""
    words = fold(heading.partition("(")[0]).split()
    return "form_of_address" in SHEETS[slug].fields and bool(words) and _OF_TITLES.issuperset(words)


def guess(slug: str, headings: Sequence[str], addresses: Mapping[str, bool] = MappingProxyType({})) -> dict[str, str]:
    """Heading -> field, "" where none fits. What a field is called exactly comes first, then headings that begin or end with it.

    “Title” is the form of address beside another column for the post, else the post. `addresses`: of such headings those whose cells are
    forms of address for the most part, or (false) never, which decides."""
    kind = SHEETS[slug]
    found = dict.fromkeys((heading for heading in headings if heading), "")
    taken: set[str] = set()

    def take(heading: str, name: str | None) -> None:
        if name and not found[heading] and (name not in taken or kind.fields[name].is_many):
            found[heading] = name
            taken.add(name)

    usable = [heading for heading in found if not is_reject_column(heading)]
    of_titles = [heading for heading in usable if is_of_titles(slug, heading) and addresses.get(heading, True)]
    usable = [heading for heading in usable if heading not in of_titles]
    before = ""
    for heading in usable:
        take(heading, _beside(kind, fold(heading), before) or _headings(slug).get(fold(heading)))
        before = found[heading]
    for heading in usable:
        take(heading, _field_of_year(slug, heading))
    for heading in usable:
        words = fold(heading).split()
        trimmed = [fold(heading.partition("(")[0]), " ".join(words[:-1]), " ".join(words[1:])] if len(words) > 1 else []
        trimmed = [] if is_of_a_log(slug, heading) else trimmed  # “Last contact” is no contact's name
        for text in trimmed:
            take(heading, _headings(slug).get(text))
    post = _headings(slug).get("title")
    for heading in of_titles:
        take(heading, "form_of_address" if post in taken or addresses.get(heading) else post)
    return found


def missing(slug: str, columns: Mapping[str, str]) -> list[LazyText]:
    """The labels of fields that a list of this kind needs and no column fills."""
    filled = set(columns.values())
    groups: dict[str, list[str]] = {}
    for name, item in SHEETS[slug].fields.items():
        if item.one_of:
            groups.setdefault(item.one_of, []).append(name)
    return [SHEETS[slug].fields[names[0]].label for names in groups.values() if not filled & set(names)]

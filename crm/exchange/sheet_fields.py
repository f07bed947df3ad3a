"""What a field of a list is: how its cells are read and which headings offices give it. The lists themselves are in `sheet_columns`,
`sheet_contacts` and `sheet_money`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import MappingProxyType

from crm.i18n import LazyText
from crm.queries.names import fold

TEXT, DAY, COUNTRY, WORD, LIST, WORDS = "text", "day", "country", "word", "list", "words"
#: Cells of money: an amount, one where 0 says something too, one of the year that its heading names, one in the reporting currency;
#: a currency, a year.
AMOUNT, NEED, NEED_OF_YEAR, REPORTED, CURRENCY, YEAR = "amount", "need", "need-of-year", "reported", "currency", "year"
AMOUNTS = frozenset({AMOUNT, NEED, NEED_OF_YEAR, REPORTED})
#: What parts the words of a cell that may hold several of a list.
WORD_MARKS = ";\n|,،"


_listed: ContextVar[Mapping[str, Mapping[str, str]]] = ContextVar("listed_words", default=MappingProxyType({}))


@contextmanager
def also_words(words: Mapping[str, Mapping[str, str]]) -> Iterator[None]:
    """Read words of code lists that people keep by what they call their entries too: list -> folded word -> code."""
    token = _listed.set(words)
    try:
        yield
    finally:
        _listed.reset(token)


@dataclass(frozen=True, slots=True)
class ListedWords(Mapping[str, str]):
    """Words for the entries of a code list: those that say something else, those of the list as it is kept, then those known here."""

    name: str
    known: Mapping[str, str]
    first: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, word: str) -> str:
        return self.first.get(word) or _listed.get().get(self.name, {}).get(word) or self.known[word]

    def kind_of(self, word: str) -> str:
        """The entry of the list that a word is for, whatever else it says; "" for none."""
        return _listed.get().get(self.name, {}).get(word) or self.known.get(word, "")

    def __iter__(self) -> Iterator[str]:
        yield from {**self.first, **self.known, **_listed.get().get(self.name, {})}

    def __len__(self) -> int:
        return sum(1 for _word in self)

    def __bool__(self) -> bool:
        return bool(self.known)  # asked for every cell: not by counting


@dataclass(frozen=True, slots=True)
class SheetField:
    """A field of a kind of list: its name to a person, how a cell of it is read, and headings that offices give it.

    `words`: for a word of a list, folded spelling -> code. `is_many`: several columns may go into it. `one_of`: needed, unless
    another field of the same group is there. `marks`: what parts the entries of a cell that holds several. `beside`: headings that
    mean it right after a column of one of the fields `after`, whatever they mean elsewhere. `is_name`: one name, of a person as a rule."""

    label: LazyText
    headings: str
    reads: str = TEXT
    words: Mapping[str, str] | None = None
    is_many: bool = False
    one_of: str = ""
    marks: str = ""
    beside: str = ""
    after: tuple[str, ...] = ()
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class SheetKind:
    """A kind of list that an office may bring. `counted`: the fields whose amounts its total line adds up, of each row the first
    one that is there."""

    slug: str
    title: LazyText
    description: LazyText
    fields: Mapping[str, SheetField]
    counted: tuple[str, ...] = ()

    @property
    def is_money(self) -> bool:
        """Whether its rows are amounts, which are added up to be held against the sheet's own total."""
        return bool(self.counted)


def words_of(table: Mapping[str, str]) -> Mapping[str, str]:
    """Code -> spellings parted by strokes, as folded spelling -> code."""
    return MappingProxyType({fold(word.strip()): code for code, words in table.items() for word in (code, *words.split("/"))})

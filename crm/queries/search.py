"""The only reader of the search index. It adds the scope itself, in what it asks for and in what it takes, and reads every hit
again through the ordinary scope before it is shown. Nothing is ranked by numbers that hang on rows the reader may not see."""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, literal, or_, select, true, tuple_, union, union_all
from sqlalchemy.orm import InstrumentedAttribute, aliased

from crm.db import db
from crm.models.asks import Ask
from crm.models.base import OFFICE, OPEN, SHARED, Levelled, Shareable
from crm.models.commitments import Commitment
from crm.models.documents import Document
from crm.models.interactions import Interaction
from crm.models.parties import Party, Position
from crm.models.pledges import Agreement, Allocation, Pledge, Receipt
from crm.models.programmes import Programme
from crm.models.search import NEWEST, NEWEST_OF_OFFICE, QUICK_LETTERS, TOKENS, SearchEntry, Token, is_sqlite, matching
from crm.money import Money, from_minor
from crm.policy import Actor
from crm.queries.commitments import taken_back
from crm.queries.search_index import NOUNS, Searchable, mark, names_of
from crm.queries.words import NEARLY, asked, closeness, near_spellings, sounds_asked, whole

MOST_ASKED = 8
LONGEST = 200
FEW = 3
MANY_OFFICES = 6
"""Whose offices are more than these is answered from the words of all offices, each hit then looked at; fewer, office by office."""
Part = Select[*tuple[Any, ...]]
_NEAR_CANDIDATES, _NEAR_SHOWN = 60, 8
_LAST = 2**63 - 1  # beyond every entry's number
_LETTERS = 2
_LONG_WORD, _NEAR_BEGINNING = 8, 3
_REFERENCE = re.compile(r"[A-Z0-9]{2,12}-[A-Z]{2}-\d{4}-\d{4,9}")


@dataclass(frozen=True)
class Query:
    """What was typed, as it is searched: at most eight words; a reference where it is one."""

    text: str
    words: tuple[str, ...] = ()
    is_cut: bool = False
    reference: str = ""

    @classmethod
    def of(cls, text: str) -> Query:
        """Read a stranger's text: any length, any signs."""
        shown = " ".join("".join(c if c.isprintable() else " " for c in text[: LONGEST + 1]).split())
        words = asked(shown[:LONGEST])
        is_cut = len(words) > MOST_ASKED or len(text) > LONGEST
        reference = shown.upper() if _REFERENCE.fullmatch(shown.upper()) else ""
        return cls(shown[:LONGEST], tuple(words[:MOST_ASKED]), is_cut, reference)


@dataclass(frozen=True)
class Hit:
    """A record that was found, as the reader may see it. `about` is the party it is about, `subject` what an interaction was or will
    be about, `names` its other names, `texts` where the words may stand; `is_taken_back`: a pledge that was, its promise, or money
    that was; `takes_back`: the entry that did."""

    noun: str
    id: uuid.UUID
    office_id: uuid.UUID
    title: str
    reference: str = ""
    about: str = ""
    about_id: uuid.UUID | None = None
    subject: str = ""
    kind: str = ""
    at: date | datetime | None = None
    amount: Money | None = None
    names: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    is_taken_back: bool = False
    takes_back: bool = False


@dataclass(frozen=True)
class Group:
    """Hits of one noun. `after` leads to the ones recorded before the last of them; None where there are none."""

    noun: str
    hits: tuple[Hit, ...]
    after: uuid.UUID | None = None


@dataclass(frozen=True)
class Found:
    """What a search found: the record of that very reference, hits by noun, and names that are nearly what was typed."""

    exact: Hit | None = None
    groups: tuple[Group, ...] = ()
    near: tuple[Hit, ...] = field(default=())

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return self.exact is None and not self.groups and not self.near


def find(
    who: Actor, query: Query, *, nouns: Collection[str] = (), most: int = 5, after: uuid.UUID | None = None, by_name: bool = True
) -> Found:
    """What holds every word of a query (each as the beginning of a word), newest recorded first: `most` of each noun.

    Parties, posts and programmes whose name begins with what was typed come first, the very name before all; without `by_name`
    the newest do, as pages of hits need it. Names a slip away are looked for only where fewer than three hits were found. The
    record of the very reference stands alone: the parts of a reference are words that others hold too.
    `after` asks for what was recorded before a record."""
    exact = _by_reference(query.reference) if query.reference and after is None else None
    if exact is not None or not query.words:
        return Found(exact)
    chosen = [NOUNS[noun] for noun in NOUNS if not nouns or noun in nouns]
    found = _matches(who, query, chosen, most + 1, after, by_name=by_name)
    shown = _read({noun: ids[:most] for noun, ids in found.items()})
    groups = []
    for noun, ids in found.items():
        hits = tuple(hit for key in ids[:most] if (hit := shown.get((noun, key))) is not None and hit != exact)
        if hits:
            groups.append(Group(noun, hits, ids[most - 1] if len(ids) > most else None))
    near: tuple[Hit, ...] = ()
    if after is None and sum(len(group.hits) for group in groups) < FEW:
        near = _near(who, query, [one for one in chosen if one.names], {hit.id for group in groups for hit in group.hits})
    return Found(exact, tuple(groups), near)


def recent(who: Actor, *, nouns: Collection[str], most: int) -> tuple[Group, ...]:
    """The records of the reader's own scope that were recorded last, by noun; none that was taken back."""
    parts = []
    for searchable in (one for one in NOUNS.values() if one.noun in nouns):
        for column, value in _marks(who, searchable):
            parts.append(_recent_branch(who, searchable, column, value, most))
    found: dict[str, list[tuple[int, uuid.UUID]]] = defaultdict(list)
    for row in _union(parts):
        found[row.noun].append((row.seq, row.record_id))
    ids = {noun: [key for _seq, key in sorted(rows, reverse=True)[:most]] for noun, rows in found.items()}
    shown = _read(ids)
    groups = ((noun, tuple(hit for key in ids.get(noun, ()) if (hit := shown.get((noun, key))))) for noun in NOUNS)
    return tuple(Group(noun, hits) for noun, hits in groups if hits)


# --- asking the index ---------------------------------------------------------------------------------------------------


def _is_wide(who: Actor) -> bool:
    return who.reads_all or len(who.readable) > MANY_OFFICES


def _marks(who: Actor, searchable: Searchable) -> list[tuple[InstrumentedAttribute[str], str]]:
    """Before which marks the words stand that this reader may find: column and value of the entries that bear them."""
    members = sorted(who.member_of & who.readable) if issubclass(searchable.model, Levelled) else []
    own = [(SearchEntry.mark, mark(office_id, OFFICE, searchable.letter)) for office_id in members]
    if _is_wide(who):
        return [(SearchEntry.wide, searchable.letter), *own]
    shared = [(SearchEntry.mark, mark(None, SHARED, searchable.letter))] if issubclass(searchable.model, Shareable) else []
    return [*shared, *((SearchEntry.mark, mark(office_id, OPEN, searchable.letter)) for office_id in sorted(who.readable)), *own]


def _within(who: Actor, office_id: Any, circle: Any) -> ColumnElement[bool]:
    """The scope once more, on the entries themselves: a mark alone is not trusted."""
    return _within_offices(None if who.reads_all else who.readable, who.member_of & who.readable, office_id, circle)


def _within_offices(
    readable: frozenset[uuid.UUID] | None, members: frozenset[uuid.UUID], office_id: Any, circle: Any
) -> ColumnElement[bool]:
    of_them = true() if readable is None else or_(circle == SHARED, office_id.in_(sorted(readable)))
    return of_them & or_(circle != OFFICE, office_id.in_(sorted(members)))


def _entry_within(who: Actor) -> ColumnElement[bool]:
    """The same on `SearchEntry`, put together once for a reader: each way of asking has it."""
    return _kept_within("entries", None if who.reads_all else who.readable, who.member_of & who.readable)


def _token_within(who: Actor) -> ColumnElement[bool]:
    """The same on the index of PostgreSQL."""
    return _kept_within("tokens", None if who.reads_all else who.readable, who.member_of & who.readable)


@lru_cache(maxsize=256)
def _kept_within(where: str, readable: frozenset[uuid.UUID] | None, members: frozenset[uuid.UUID]) -> ColumnElement[bool]:
    columns: tuple[Any, Any] = (SearchEntry.office_id, SearchEntry.circle)
    if where == "tokens":
        columns = (TOKENS.c.office_id, TOKENS.c.circle)
    return _within_offices(readable, members, *columns)


_ENTRY = (SearchEntry.noun, SearchEntry.record_id, SearchEntry.seq)


def _recent_branch(who: Actor, searchable: Searchable, column: InstrumentedAttribute[str], value: str, most: int) -> Part:
    within = _entry_within(who)
    statement = select(*_ENTRY, literal(0).label("rank")).where(within, column == value)
    if searchable.model in (Pledge, Commitment):
        statement = statement.where(~exists().where(Pledge.id == SearchEntry.record_id, Pledge.is_taken_back))
    return statement.order_by(SearchEntry.seq.desc()).limit(most)


@dataclass(frozen=True)
class _Asked:
    """One of several ways in which a noun is asked for words: one of each group of (word, whether it may go on)."""

    searchable: Searchable
    groups: tuple[tuple[tuple[str, bool], ...], ...]
    rank: int
    most: int
    after: uuid.UUID | None = None

    @property
    def has_many(self) -> bool:
        """Whether an office may well have thousands that answer: of the noun it records most, those with a beginning of a letter or two."""
        return self.searchable.noun == "interactions" and all(
            may_go_on and len(word) <= _LETTERS for group in self.groups for word, may_go_on in group
        )

    def before(self, who: Actor, key: Any) -> ColumnElement[bool]:
        """What was recorded before the record `after`; nothing where the reader may not find that one."""
        if self.after is None:
            return true()
        known = aliased(SearchEntry)
        wanted = select(known.seq).where(known.record_id == self.after, known.noun == self.searchable.noun)
        wanted = wanted.where(_within(who, known.office_id, known.circle))
        earlier: ColumnElement[bool] = key < wanted.scalar_subquery()
        return earlier


def _branches(who: Actor, one: _Asked) -> list[Part]:
    """The newest entries that answer, as far as the reader's marks go."""
    marks = _marks(who, one.searchable)
    if is_sqlite():
        return [_on_sqlite(who, one)] if marks else []  # who sees names only finds no records
    narrow = [value for column, value in marks if column is SearchEntry.mark]
    if one.has_many:
        found = [_on_postgresql_newest(who, one, value) for value in narrow]
    else:
        found = [_on_postgresql(who, one, narrow)] if narrow else []
    return found + [_on_postgresql_wide(who, one, value) for column, value in marks if column is SearchEntry.wide]


def _on_sqlite(who: Actor, one: _Asked) -> Part:
    """FTS5 gives the newest first and stops when there are enough."""
    marks = [value for _column, value in _marks(who, one.searchable)]
    is_wide = _is_wide(who)
    groups = [
        [
            Token(first + (word[: QUICK_LETTERS - 1] if may_go_on and len(first) == 1 else word), may_go_on)
            for first in marks
            for word, may_go_on in group
        ]
        for group in one.groups
    ]
    key = TOKENS.c.rowid
    statement = select(*_ENTRY, literal(one.rank).label("rank")).join(TOKENS, key == SearchEntry.seq)
    statement = statement.where(matching(groups), one.before(who, key), _entry_within(who))
    for group in one.groups if is_wide else ():
        word, may_go_on = group[0]
        if len(group) == 1 and len(word) >= QUICK_LETTERS and may_go_on:  # the index knows its first letters: look at the rest
            spaced = literal(" ") + SearchEntry.words + " " + SearchEntry.party_words
            statement = statement.where(func.instr(spaced, " " + word) > 0)
    return statement.order_by(key.desc()).limit(one.most)


def _tokens(one: _Asked, marks: Sequence[str], column: ColumnElement[Any] = TOKENS.c.tsv) -> ColumnElement[bool]:
    groups = [[Token(first + word, may_go_on) for first in marks for word, may_go_on in group] for group in one.groups]
    return matching(groups, column)


def _on_postgresql(who: Actor, one: _Asked, marks: Sequence[str]) -> Part:
    """GIN gives all that answer, few enough under the marks of some offices. `+ 0`: the planner shall not walk by key instead."""
    found = select(TOKENS.c.seq).where(_tokens(one, marks), one.before(who, TOKENS.c.seq), _token_within(who))
    return _taken(one, found.order_by((TOKENS.c.seq + 0).desc()).limit(one.most))


def _on_postgresql_wide(who: Actor, one: _Asked, value: str) -> Part:
    """Where all offices are asked, the newest entries are looked at first, and GIN only where they hold too few: it gives a frequent
    word's entries all at once, in no order, and the planner knows nothing of how many begin with a few letters."""
    newest = select(TOKENS.c.seq, TOKENS.c.tsv, TOKENS.c.office_id, TOKENS.c.circle)
    newest = newest.where(_is_of(TOKENS.c.wide, TOKENS.c.seq, value), one.before(who, TOKENS.c.seq))
    return _newest_first(who, one, value, newest.order_by(TOKENS.c.wide.desc(), TOKENS.c.seq.desc()).limit(NEWEST))


def _on_postgresql_newest(who: Actor, one: _Asked, value: str) -> Part:
    """The same of one office: a letter or two begin thousands of its words."""
    newest = select(SearchEntry.seq).where(_is_of(SearchEntry.mark, SearchEntry.seq, value), one.before(who, SearchEntry.seq))
    listed = newest.order_by(SearchEntry.mark.desc(), SearchEntry.seq.desc()).limit(NEWEST_OF_OFFICE).subquery()
    walked = select(TOKENS.c.seq, TOKENS.c.tsv, TOKENS.c.office_id, TOKENS.c.circle).join(listed, listed.c.seq == TOKENS.c.seq)
    return _newest_first(who, one, value, walked)


def _is_of(mark: Any, seq: Any, value: str) -> ColumnElement[bool]:
    """As a span of both columns, in the order of both: by `mark = …` alone the planner walks by key through all other entries."""
    place = tuple_(mark, seq)
    return and_(place >= tuple_(literal(value), 0), place <= tuple_(literal(value), _LAST))


def _newest_first(who: Actor, one: _Asked, value: str, newest: Select[Any]) -> Part:
    walked = newest.subquery()
    within = _token_within(who)
    looked_at = select(walked.c.seq).where(_tokens(one, [value], walked.c.tsv), _within(who, walked.c.office_id, walked.c.circle))
    first = looked_at.order_by(walked.c.seq.desc()).limit(one.most).cte()
    has_enough = select(func.count()).select_from(first).scalar_subquery() >= one.most
    rest = select(TOKENS.c.seq).where(_tokens(one, [value]), one.before(who, TOKENS.c.seq), within, ~has_enough)
    rest = rest.order_by((TOKENS.c.seq + 0).desc()).limit(one.most)
    return _taken(one, union(select(first.c.seq), select(rest.subquery().c.seq)))


def _taken(one: _Asked, found: Any) -> Part:
    hits = found.subquery()
    statement = select(*_ENTRY, literal(one.rank).label("rank")).join(hits, hits.c.seq == SearchEntry.seq)
    return statement.order_by(SearchEntry.seq.desc()).limit(one.most)


def _union(parts: Sequence[Part]) -> Sequence[Any]:
    if not parts:
        return []
    columns = ("noun", "record_id", "seq", "rank")
    each = [select(*(sub.c[name] for name in columns)) for sub in (part.subquery() for part in parts)]
    return db.session.execute(union_all(*each)).all()


def _matches(
    who: Actor, query: Query, chosen: Sequence[Searchable], most: int, after: uuid.UUID | None, *, by_name: bool
) -> dict[str, list[uuid.UUID]]:
    """The ids that were found, by noun in the order of the page, best first. One statement."""
    begun = tuple(((word, True),) for word in query.words)
    typed = whole(query.text)
    parts = []
    for searchable in chosen:
        if by_name and searchable.names and typed:
            parts += _branches(who, _Asked(searchable, (((typed, False),),), 0, most))
            parts += _branches(who, _Asked(searchable, (((typed, True),),), 1, most))
        parts += _branches(who, _Asked(searchable, begun, 2, most, after))
        if searchable.model is Party and (heard := sounds_asked(" ".join(query.words))):  # the name in another script
            parts += _branches(who, _Asked(searchable, heard, 3 if by_name else 2, most, after))
    found: dict[str, dict[uuid.UUID, tuple[int, int]]] = {one.noun: {} for one in chosen}
    for row in _union(parts):
        kept = found[row.noun].get(row.record_id)
        place = (row.rank, -row.seq)
        found[row.noun][row.record_id] = place if kept is None else min(kept, place)
    return {noun: sorted(rows, key=rows.__getitem__)[:most] for noun, rows in found.items() if rows}


def _near(who: Actor, query: Query, chosen: Sequence[Searchable], known: Collection[uuid.UUID]) -> tuple[Hit, ...]:
    """Names in the reader's scope that a typing error may have meant, closest first: at most sixty candidates of a noun."""
    groups: list[tuple[tuple[str, bool], ...]] = []
    for word in query.words:
        spellings = sorted(near_spellings(word))
        likely = [(word[:_NEAR_BEGINNING], True)] if len(word) >= _LONG_WORD else []
        groups.append(((word, True), *likely, *((NEARLY + spelling, False) for spelling in spellings)))
    if not any(len(group) > 1 for group in groups):
        return ()
    asked_for = [_Asked(searchable, tuple(groups), 3, _NEAR_CANDIDATES) for searchable in chosen]
    rows = _union([part for one in asked_for for part in _branches(who, one)])
    ids: dict[str, list[uuid.UUID]] = defaultdict(list)
    for row in rows:
        if row.record_id not in known:
            ids[row.noun].append(row.record_id)
    close = []
    for hit in _read(ids).values():
        slips = [found for name in (hit.title, *hit.names) if (found := closeness(query.words, name)) is not None]
        if slips:
            close.append((min(slips), hit.title, str(hit.id), hit))
    return tuple(hit for *_place, hit in sorted(close, key=lambda row: row[:3])[:_NEAR_SHOWN])


# --- reading hits again, through the ordinary scope ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Shown:
    """Which columns of a noun are shown."""

    title: Any
    kind: Any = None
    at: Any = None
    subject: Any = None
    minor: Any = None
    currency: Any = None
    texts: tuple[Any, ...] = ()
    is_taken_back: Any = None
    takes_back: Any = None


_LATER = aliased(Allocation)
_SHOWN: Mapping[str, _Shown] = {
    "parties": _Shown(Party.name, Party.form, texts=(Party.about,)),
    "positions": _Shown(Position.title, texts=(Position.portfolio,)),
    "interactions": _Shown(
        literal(""),
        Interaction.kind,
        Interaction.starts_at,
        case((Interaction.purpose != "", Interaction.purpose), else_=Interaction.summary),
        texts=(
            Interaction.summary, Interaction.purpose, Interaction.point_1, Interaction.point_2, Interaction.point_3,
            Interaction.fallback, Interaction.offer, Interaction.red_line, Interaction.place_text,
        ),
    ),
    "asks": _Shown(Ask.sentence, at=Ask.by_when, texts=(Ask.fallback,)),
    "commitments": _Shown(
        Commitment.words, Commitment.direction, Commitment.made_on, texts=(Commitment.quantity, Commitment.evidence), is_taken_back=taken_back()
    ),
    "pledges": _Shown(
        literal(""), at=Pledge.pledged_on, minor=Pledge.announced_minor, currency=Pledge.currency, texts=(Pledge.event_name, Pledge.donor_reference),
        is_taken_back=Pledge.is_taken_back,
    ),
    "agreements": _Shown(
        Agreement.title, at=Agreement.signed_on, minor=Agreement.value_minor, currency=Agreement.currency, texts=(Agreement.donor_reference,)
    ),
    "receipts": _Shown(
        literal(""), at=Receipt.value_on, minor=Receipt.amount_minor, currency=Receipt.currency, texts=(Receipt.bank_reference, Receipt.reason),
        is_taken_back=Receipt.is_taken_back, takes_back=Receipt.reversal_of_id.is_not(None),
    ),
    "allocations": _Shown(
        literal(""), at=Allocation.allocated_on, minor=Allocation.amount_minor, currency=Allocation.currency, texts=(Allocation.reason,),
        is_taken_back=exists().where(_LATER.reversal_of_id == Allocation.id), takes_back=Allocation.reversal_of_id.is_not(None),
    ),
    "programmes": _Shown(Programme.title, at=Programme.starts_on, texts=(Programme.summary, Programme.place_text)),
    "documents": _Shown(Document.title, at=Document.created_at),
}  # fmt: skip


@cache
def _of_keys(noun: str) -> Part:
    """The records of a noun whose keys are given as `keys`; put together once."""
    searchable = NOUNS[noun]
    return _statement(searchable).where(searchable.model.id.in_(bindparam("keys", expanding=True)))


def _statement(searchable: Searchable) -> Part:
    model, shown = searchable.model, _SHOWN[searchable.noun]
    about = bool(searchable.party) and model is not Party
    none = literal(None)
    statement = select(
        model.id,
        model.office_id,
        shown.title.label("title"),
        getattr(model, "reference", literal("")).label("reference"),
        (Party.name if about else literal("")).label("about"),
        (Party.id if about else none).label("about_id"),
        (none if shown.kind is None else shown.kind).label("kind"),
        (none if shown.at is None else shown.at).label("at"),
        (literal("") if shown.subject is None else shown.subject).label("subject"),
        (none if shown.minor is None else shown.minor).label("minor"),
        (none if shown.currency is None else shown.currency).label("currency"),
        (none if shown.is_taken_back is None else shown.is_taken_back).label("is_taken_back"),
        (none if shown.takes_back is None else shown.takes_back).label("takes_back"),
        *(text.label(f"text_{place}") for place, text in enumerate(shown.texts)),
    )
    return statement.outerjoin(Party, Party.id == getattr(model, searchable.party)) if about else statement


#: How many columns of a statement stand before its texts.
_TEXTS_FROM = 13


def _hit(searchable: Searchable, row: Any) -> Hit:
    return Hit(
        noun=searchable.noun,
        id=row.id,
        office_id=row.office_id,
        title=row.title or "",
        reference=row.reference or "",
        about=row.about or "",
        about_id=row.about_id,
        kind=row.kind or "",
        at=row.at,
        amount=None if row.minor is None else from_minor(row.minor, row.currency),
        subject=row.subject or "",
        texts=tuple(row[_TEXTS_FROM:]),
        is_taken_back=bool(row.is_taken_back),
        takes_back=bool(row.takes_back),
    )


def _read(ids: Mapping[str, Sequence[uuid.UUID]]) -> dict[tuple[str, uuid.UUID], Hit]:
    """Some records as the reader may see them: what lies outside the scope is not there. A statement a noun; two for parties."""
    found: dict[tuple[str, uuid.UUID], Hit] = {}
    for noun, keys in ids.items():
        searchable = NOUNS[noun]
        if keys:
            rows = db.session.execute(_of_keys(noun), {"keys": keys})
            found.update({(noun, row.id): _hit(searchable, row) for row in rows})
    return _with_other_names(found)


def _with_other_names(found: dict[tuple[str, uuid.UUID], Hit]) -> dict[tuple[str, uuid.UUID], Hit]:
    names = names_of({key for noun, key in found if noun == "parties"})
    return {
        place: replace(hit, names=tuple(names[hit.id][1:])) if hit.noun == "parties" and hit.id in names else hit
        for place, hit in found.items()
    }


def _by_reference(reference: str) -> Hit | None:
    """The record of a reference, in scope."""
    letters = reference.rsplit("-", 3)[1]
    noun = _NOUN_OF_LETTERS.get(letters)
    if noun is None:
        return None
    searchable = NOUNS[noun]
    row = db.session.execute(_statement(searchable).where(searchable.model.reference == reference)).first()
    return None if row is None else next(iter(_with_other_names({(noun, row.id): _hit(searchable, row)}).values()))


#: As `crm.services.references` counts them.
_NOUN_OF_LETTERS = {
    "PA": "parties",
    "IN": "interactions",
    "AS": "asks",
    "CO": "commitments",
    "PL": "pledges",
    "AG": "agreements",
    "RC": "receipts",
    "AL": "allocations",
    "PR": "programmes",
    "DO": "documents",
}


# --- where the words stand ----------------------------------------------------------------------------------------------

_WORD = re.compile(r"\w+", re.UNICODE)


@dataclass(frozen=True)
class Piece:
    """A piece of a text, and whether it is what was asked for."""

    text: str
    is_hit: bool = False


def pieces(text: str, words: Iterable[str]) -> list[Piece]:
    """A text cut where the words of a query stand in it."""
    asked_words = tuple(words)
    found: list[Piece] = []
    done = 0
    for match in _WORD.finditer(text):
        if any(inner.startswith(asked_words) for inner in asked(match.group())):
            if match.start() > done:
                found.append(Piece(text[done : match.start()]))
            found.append(Piece(match.group(), is_hit=True))
            done = match.end()
    if done < len(text):
        found.append(Piece(text[done:]))
    return found


def is_by_name(hit: Hit, query: Query) -> bool:
    """Whether a party was found by a name of its own, in whatever script, and not by what is said of it."""
    if any(closeness(query.words, name) == 0 for name in (hit.title, *hit.names)):
        return True
    return not any(piece.is_hit for text in hit.texts for piece in pieces(text, query.words))


def excerpt(texts: Iterable[str], words: Sequence[str], around: int = 60) -> list[Piece]:
    """The surroundings of the first word of a query in the first text that has one, else the beginning of the first text."""
    given = [" ".join(text.split()) for text in texts if text]
    for text in given:
        cut = pieces(text, words)
        place = next((place for place, piece in enumerate(cut) if piece.is_hit), None)
        if place is None:
            continue
        start = max(0, sum(len(piece.text) for piece in cut[:place]) - around)
        return _trimmed(text, start, words, around)
    return _trimmed(given[0], 0, (), around) if given else []


def _trimmed(text: str, start: int, words: Sequence[str], around: int) -> list[Piece]:
    if start:
        start = text.find(" ", start) + 1 or start
    end = start + 2 * around + 40
    if end < len(text):
        end = text.rfind(" ", start + around, end) if " " in text[start + around : end] else end
    cut = pieces(text[start:end], words)
    return [*([Piece("… ")] if start else []), *cut, *([Piece(" …")] if end < len(text) else [])]

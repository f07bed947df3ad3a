"""Undoing an import (domain.md 0.3): first what it would do, then doing it. What somebody has built on is kept and named.

New records are removed with their history left, changed fields are put back where nobody touched them since. Money is never removed:
pledges and receipts are taken back by rows of the opposite sign that say so (M19, decision 0019).
"""

from __future__ import annotations

import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import Any

from sqlalchemy import Select, case, func, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from crm.db import Base, among, db, hold, is_writing, savepoint, transactional
from crm.errors import Conflict, Invalid, NotFound, ThroughlineError
from crm.i18n import LazyText, _, _l
from crm.models.audit import AuditEntry, AuditValue
from crm.models.base import SENTENCE_LENGTH
from crm.models.codes import INTERACTION_KINDS, PARTY_KINDS, SECTORS
from crm.models.commitments import Commitment
from crm.models.imports import BULK, CARRIED_STATES, ImportBatch, ImportChange, ImportUndo
from crm.models.parties import Party, Position, Tenure
from crm.models.pledges import Agreement, Instalment, Pledge, PledgeTerms, Receipt, ReceiptMatch
from crm.models.programmes import Programme
from crm.policy import Actor, require, unscoped
from crm.queries import codes, history
from crm.queries.figures import programmable
from crm.queries.figures.programmable import Programmable
from crm.queries.jobs import open_job_of
from crm.services import import_changes, imports, jobs, pledges
from crm.services.import_journal import FOLLOWING, OWNED, VERSION, as_text, left_as
from crm.services.imports import permission_for
from crm.services.jobs import Carry, Run
from crm.services.receipts import reverse_receipt
from crm.services.versions import touch

_CHUNK, _MANY = 400, 20_000
#: Characters of one made record in the journal: its id and version.
_ENTRY_LENGTH = 46
MOST_KEPT_NAMES = 200
#: UUIDs are compared in Python, their numbers in C.
_AS_NUMBER = attrgetter("int")
_MOST_TITLE = 80
#: Records that are not counted by themselves, beside those that the history keeps with another.
_PARTS = frozenset({"notes"})
#: Money promised and received with its parts: a ledger, whose sums its services keep.
LEDGER = frozenset({"commitments", "pledges", "pledge_terms", "instalments", "receipts", "receipt_matches"})
NOUNS: Mapping[str, LazyText] = {
    "parties": _l("Party"),
    "party_kinds": _l("Kind of a party"),
    "party_names": _l("Other name"),
    "party_identifiers": _l("Name in a register"),
    "positions": _l("Post"),
    "tenures": _l("Who holds a post"),
    "channels": _l("Way to reach a party"),
    "notes": _l("Note"),
    "interactions": _l("Interaction"),
    "participants": _l("Who took part"),
    "follow_ups": _l("Follow-up"),
    "ask_answers": _l("Answer to an ask"),
    "flows": _l("Reported flow"),
    "pledges": _l("Pledge"),
    "receipts": _l("Receipt"),
    "programmes": _l("Programme"),
    "programme_tags": _l("Tag of a programme"),
    "requirements": _l("What a programme needs in a year"),
    "plan_requirements": _l("Reported plan"),
    "rate_sheets": _l("Rates of a day"),
    "asks": _l("Ask"),
    "commitments": _l("Commitment"),
}
#: Columns that several records are given at once, in words.
FIELDS: Mapping[str, LazyText] = {
    "due_on": _l("Due"),
    "by_when": _l("By when"),
    "owner_id": _l("Who does it"),
    "done_on": _l("Done"),
    "done_note": _l("Note"),
    "closed_on": _l("Closed on"),
    "closed_reason": _l("Reason for closing"),
    "country": _l("Country"),
}

#: Fields that hold an entry of a code list, which may have been removed since.
CODED: Mapping[tuple[str, str], str] = {
    ("party_kinds", "kind"): PARTY_KINDS,
    ("interactions", "kind"): INTERACTION_KINDS,
    ("programmes", "sector"): SECTORS,
}

Key = tuple[str, uuid.UUID]
_LET_GO = (AuditEntry, AuditValue, Party, Pledge, PledgeTerms, Instalment, Receipt, ReceiptMatch, Commitment)


@dataclass(frozen=True)
class Kept:
    """Something that stays as it is: what, its name, and why."""

    noun: str
    title: str
    why: str
    record_id: uuid.UUID


@dataclass
class Plan:
    """What undoing would do: money to take back (receipts before pledges), records to remove, fields to put back (to their value
    before), parts to make again (their columns by id), what stays, and what the database refused to remove when it was done."""

    receipts: list[uuid.UUID] = field(default_factory=list)
    pledges: list[uuid.UUID] = field(default_factory=list)
    removals: dict[str, list[uuid.UUID]] = field(default_factory=dict)
    restores: dict[Key, dict[str, str | None]] = field(default_factory=dict)
    revivals: dict[Key, dict[str, str | None]] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)
    refused: set[Key] = field(default_factory=set)
    gone: int = 0

    @property
    def removed(self) -> int:
        """How many records go. Parts of a record are not counted, unless nothing else goes: then they are what the file brought."""
        whole = sum(len(ids) for noun, ids in self.removals.items() if not _is_part(noun))
        return whole or sum(len(ids) for ids in self.removals.values())

    @property
    def restored(self) -> int:
        """How many records are put back: of which a field changes back, or a part that was taken away is made again."""
        return len(self.restores) + len({values[OWNED[noun]] for (noun, _id), values in self.revivals.items()})

    @property
    def by_noun(self) -> dict[str, tuple[int, int]]:
        """Noun -> how many are removed, how many put back; parts after the records that they came with."""
        back = Counter(noun for noun, _id in (*self.restores, *self.revivals))
        return {noun: (len(self.removals.get(noun, ())), back[noun]) for noun in _in_order({*self.removals, *back})}

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all would be done."""
        return not (self.removals or self.restores or self.revivals or self.reversed)

    @property
    def reversed(self) -> int:
        """How many pledges and receipts are taken back by rows that say so."""
        return len(self.receipts) + len(self.pledges)


def undone(batch_id: uuid.UUID) -> ImportUndo | None:
    """The undo of a batch, where it was undone."""
    return db.session.scalar(select(ImportUndo).where(ImportUndo.batch_id == batch_id))


def why_not(batch: ImportBatch, run: Run | None = None) -> str:
    """The sentence that says why a batch cannot be undone; "" where it can. `run`: the run of background work that wants to."""
    job = open_job_of(batch.id)
    if job is not None and batch.state not in CARRIED_STATES and (run is None or run.job_id != job.id):
        return imports.is_being_undone() if job.kind == imports.UNDO else _("The rest of this file is being brought in.")
    is_in_part = batch.state in ("cancelled", "failed") and batch.taken > 0
    if batch.state != "applied" and not is_in_part:
        return _("Only a file that was brought in can be undone.")
    if undone(batch.id) is not None:
        return _("This import was undone before. Nothing was done a second time.")
    has_journal = db.session.scalar(select(ImportChange.id).where(ImportChange.batch_id == batch.id).limit(1)) is not None
    if not has_journal:
        if batch.created or batch.updated:
            return _("This file was brought in before what an import changes was written down, so it cannot be undone as a whole.")
        return _("This file changed nothing, so there is nothing to undo.")
    return ""


def plan(batch: ImportBatch) -> Plan:
    """What undoing a batch would do at this moment. Reads only."""
    return _plan(_journal(batch))


def _plan(journal: Journal, together: dict[Key, list[Key]] | None = None) -> Plan:
    """What undoing what is written down would do. `together` takes in which record stays where another one stays."""
    made, fields = dict(journal.made), journal.fields
    found = Plan(revivals=dict(journal.gone))
    stays: dict[Key, str] = {}
    money = {noun: list(made.pop(noun, ())) for noun in LEDGER}
    _plan_receipts(money["receipts"], found)
    _plan_pledges(money["pledges"], found)
    standing: dict[str, set[uuid.UUID]] = {}
    for noun, expected in made.items():
        now = _left_as_now(noun, expected)
        standing[noun] = set(now)
        found.gone += len(expected) - len(now)
        changed = {record_id: mark for record_id, mark in now.items() if mark != expected[record_id]}
        as_left = _changed_back(noun, expected, changed, journal) if changed else set()
        stays |= {(noun, record_id): _("changed since") for record_id in changed if record_id not in as_left}
    below = _hold_what_is_built_on(standing, stays)
    if together is not None:
        together.update(below)
    for noun in _children_first():
        ids = [record_id for record_id in made.get(noun, {}) if record_id in standing[noun] and (noun, record_id) not in stays]
        if ids:
            found.removals[noun] = ids
    _plan_fields(fields, found)
    _plan_revivals(found)
    _name_what_stays(stays, found)
    return found


def _plan_receipts(ids: Sequence[uuid.UUID], found: Plan) -> None:
    """Receipts that stand, newest first; money that was allocated since stays, as its reversal would be refused (M12)."""
    standing: list[Receipt] = []
    for part in _chunks(ids):
        gone = select(Receipt.reversal_of_id).where(Receipt.reversal_of_id.in_(part))
        standing += db.session.scalars(select(Receipt).where(Receipt.id.in_(part), Receipt.id.not_in(gone)))
    found.gone += len(ids) - len(standing)
    left: dict[uuid.UUID, tuple[int, Programmable]] = {}
    taken: Counter[uuid.UUID] = Counter()
    for receipt in sorted(standing, key=lambda row: (row.value_on, row.id), reverse=True):
        source = receipt.agreement_id or receipt.id
        if source not in left:
            left[source] = _received_of(receipt)
        received, money = left[source]
        rest = max(0, received - taken[source] - receipt.amount_minor)
        if money.allocated_minor > money.available_minor * rest // max(1, received):
            names = ", ".join(money.references)
            found.kept.append(Kept("receipts", receipt.reference, _("It was allocated since: %(names)s.", names=names), receipt.id))
        else:
            taken[source] += receipt.amount_minor
            found.receipts.append(receipt.id)


def _received_of(receipt: Receipt) -> tuple[int, Programmable]:
    """What came of the money that a receipt is part of, in minor units of its currency, and what was allocated of it."""
    if receipt.agreement_id is None:
        return receipt.amount_minor, programmable.of_receipt(receipt.id)
    received = db.session.scalars(select(Agreement.received_minor).where(Agreement.id == receipt.agreement_id)).one()
    return received, programmable.of_agreement(receipt.agreement_id)


def _plan_pledges(ids: Sequence[uuid.UUID], found: Plan) -> None:
    """Pledges on which nothing hangs."""
    for part in _chunks(ids):
        gone, hangs = pledges.taken_back(part), pledges.why_not_taken_back(part)
        found.gone += len(gone)
        for pledge_id, reference in db.session.execute(select(Pledge.id, Pledge.reference).where(Pledge.id.in_(part)).order_by(Pledge.id)):
            if pledge_id in gone:
                continue
            if pledge_id in hangs:
                found.kept.append(Kept("pledges", reference, hangs[pledge_id], pledge_id))
            else:
                found.pledges.append(pledge_id)


@dataclass
class Journal:
    """What a batch, or a part of it, did: what it made (noun -> id -> how it was left), the fields it changed, oldest first, and the
    parts it took away."""

    made: dict[str, dict[uuid.UUID, str]] = field(default_factory=dict)
    fields: dict[Key, list[tuple[str, str | None, str | None]]] = field(default_factory=dict)
    gone: dict[Key, dict[str, str | None]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many records and parts."""
        return sum(map(len, self.made.values())) + len(self.fields) + len(self.gone)

    def take_in(self, other: Journal) -> None:
        """Add what another one says."""
        for noun, ids in other.made.items():
            self.made.setdefault(noun, {}).update(ids)
        self.fields.update(other.fields)
        self.gone.update(other.gone)


def _journal(batch: ImportBatch) -> Journal:
    made: dict[str, dict[uuid.UUID, str]] = defaultdict(dict)
    fields: dict[Key, list[tuple[str, str | None, str | None]]] = defaultdict(list)
    gone: dict[Key, dict[str, str | None]] = {}
    rows = db.session.execute(
        select(ImportChange.noun, ImportChange.record_id, ImportChange.field, ImportChange.old, ImportChange.new)
        .where(ImportChange.batch_id == batch.id)
        .order_by(ImportChange.id)
    )
    for noun, record_id, name, old, new in rows:
        if record_id is None:
            made[noun] |= {uuid.UUID(key): left for key, left in json.loads(new or "{}").items()}
        elif name == VERSION and record_id in made[noun]:
            if old in (None, made[noun][record_id]):  # else somebody changed it between two parts, and it is not as the import left it
                made[noun][record_id] = new or ""
        elif not name:
            gone[noun, record_id] = json.loads(old or "{}")
        elif name != VERSION and record_id not in made[noun]:
            fields[noun, record_id].append((name, old, new))
    if batch.format != BULK:  # what money changed is changed back by the rows that reverse it
        fields = {key: changes for key, changes in fields.items() if key[0] not in LEDGER | {"agreements"}}
    return Journal(made, fields, gone)


@lru_cache(maxsize=1)
def _classes() -> dict[str, Any]:
    return {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}


def _children_first() -> list[str]:
    return [table.name for table in reversed(Base.metadata.sorted_tables)]


def _is_part(noun: str) -> bool:
    return noun in _PARTS or getattr(_classes()[noun], "__audit_parent__", None) is not None


def _in_order(nouns: Collection[str]) -> list[str]:
    """Nouns as they are shown: parts after the records that they came with."""
    return sorted(nouns, key=lambda noun: (_is_part(noun), list(NOUNS).index(noun) if noun in NOUNS else len(NOUNS)))


def _chunks(ids: Sequence[uuid.UUID]) -> Iterator[Sequence[uuid.UUID]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _left_as_now(noun: str, expected: Mapping[uuid.UUID, str]) -> dict[uuid.UUID, str]:
    """How the records stand now, by id; those that are gone are left out."""
    entity = _classes()[noun]
    found: dict[uuid.UUID, str] = {}
    for ids in _chunks(list(expected)):
        if inspect(entity).version_id_col is not None:
            rows = db.session.execute(_held(select(entity.id, entity.version).where(among(entity.id, ids)).order_by(entity.id)))
            found |= {row.id: f"v{row.version}" for row in rows}
        else:
            rows_now = db.session.scalars(_held(select(entity).where(among(entity.id, ids)).order_by(entity.id)))
            found |= {record.id: left_as(record) for record in rows_now}
    return found


def _changed_back(noun: str, expected: Mapping[uuid.UUID, str], changed: Mapping[uuid.UUID, str], journal: Journal) -> set[uuid.UUID]:
    """Of records that have another version than they were left with, those that stand as they were left."""
    if inspect(_classes()[noun]).version_id_col is None:
        return set()
    left = {record_id: int(expected[record_id].removeprefix("v")) for record_id in changed}
    now = {record_id: int(mark.removeprefix("v")) for record_id, mark in changed.items()}
    return import_changes.changed_back(_classes()[noun], left, now, {record_id for ids in journal.made.values() for record_id in ids})


def _held(statement: Select[Any]) -> Select[Any]:
    """What a plan looks at. Where it is done at once nobody saves it meanwhile: an edit that is being saved is waited for, and seen."""
    return statement.with_for_update() if is_writing() else statement


def _references_to(noun: str) -> Iterator[tuple[str, Any, Any]]:
    """(noun, entity, column) of everything that can refer to records of a noun."""
    for name, entity in _classes().items():
        mapper = inspect(entity)
        for constraint in mapper.local_table.foreign_key_constraints:
            if constraint.referred_table.name == noun:
                local = next(element.parent for element in constraint.elements if element.column.name == "id")
                yield name, entity, getattr(entity, mapper.get_property_by_column(local).key)


def _hold_what_is_built_on(standing: Mapping[str, set[uuid.UUID]], stays: dict[Key, str]) -> dict[Key, list[Key]]:
    """Add to `stays` what others refer to, what that hangs on, and the parts of what stays. Returns what stays where another stays."""
    below: dict[Key, list[Key]] = defaultdict(list)  # stays -> what then stays too
    visible = {record_id for ids in standing.values() for record_id in ids}
    for noun, ids in standing.items():
        in_turn = sorted(ids, key=_AS_NUMBER)
        for name, entity, column in _references_to(noun):
            if OWNED.get(name) == column.key or name in FOLLOWING:
                continue
            for child_id, parent_id in _pairs(entity, column, in_turn):
                child, parent = (name, child_id), (noun, parent_id)
                if child_id in visible and child_id in standing.get(name, ()):
                    below[child].append(parent)
                    if name in _PARTS or getattr(entity, "__audit_parent__", None) == column.key:
                        below[parent].append(child)
                else:
                    stays.setdefault(parent, _built_on())
    waiting = list(stays)
    while waiting:
        for other in below.get(waiting.pop(), ()):
            if other not in stays:
                stays[other] = "" if _is_part(other[0]) else _("something that stays refers to it")
                waiting.append(other)
    return below


def _pairs(entity: Any, column: Any, ids: Sequence[uuid.UUID]) -> Iterator[tuple[uuid.UUID, uuid.UUID]]:
    """(id, what it refers to) of the rows that refer to some records; another office's too, of which only that they exist is used."""
    for start in range(0, len(ids), _MANY):
        with unscoped("what an import made may be in use in another office"):
            rows = db.session.execute(select(entity.id, column).where(among(column, ids[start : start + _MANY]))).all()
        yield from ((row[0], row[1]) for row in rows)


def _built_on() -> str:
    return _("others have built on it")


def _plan_fields(fields: Mapping[Key, list[tuple[str, str | None, str | None]]], found: Plan) -> None:
    ids: dict[str, list[uuid.UUID]] = defaultdict(list)
    for noun, record_id in fields:
        ids[noun].append(record_id)
    for noun, some in ids.items():
        entity = _classes()[noun]
        for chunk in _chunks(some):
            rows = db.session.scalars(_held(select(entity).where(entity.id.in_(chunk)).order_by(entity.id)))
            records = {record.id: record for record in rows}
            found.gone += len(chunk) - len(records)
            for record_id, record in records.items():
                _plan_record(noun, record, fields[noun, record_id], found)


def _plan_record(noun: str, record: Any, changes: Sequence[tuple[str, str | None, str | None]], found: Plan) -> None:
    now: dict[str, str | None] = {}
    before = {name: old for name, old, _new in reversed(changes)}
    left = {name for name, old in before.items() if as_text(getattr(record, name)) == old}  # as before: nothing to put back
    is_back = frozenset(left)
    for name, old, new in reversed(changes):
        current = now[name] if name in now else as_text(getattr(record, name))
        if name in left or current != new:
            left.add(name)
        else:
            now[name] = old
    removed = {name for name, old in now.items() if old and (noun, name) in CODED and not codes.keep(CODED[noun, name], old)}
    for name in removed:
        found.kept.append(Kept(noun, title_of(record), _no_longer_listed(now.pop(name) or ""), record.id))
    if now:
        found.restores[noun, record.id] = now
    if changed := left - is_back - {"folded_name"}:
        words = ", ".join(str(FIELDS.get(name, name)) for name in sorted(changed))
        found.kept.append(Kept(noun, title_of(record), _("changed since: %(fields)s", fields=words), record.id))
    db.session.expunge(record)


def _plan_revivals(found: Plan) -> None:
    """Leave out parts whose record is gone, and those that somebody made again since."""
    parties = {key: uuid.UUID(values[OWNED[key[0]]] or "") for key, values in found.revivals.items()}
    held: set[tuple[uuid.UUID, str | None]] = set()
    visible: dict[uuid.UUID, str] = {}
    for chunk in _chunks(sorted(set(parties.values()))):
        for party in db.session.scalars(
            select(Party).where(Party.id.in_(chunk)).options(selectinload(Party.kinds), selectinload(Party.names))
        ):
            visible[party.id] = party.name
            held |= {(party.id, row.kind) for row in party.kinds} | {(party.id, row.name) for row in party.names}
    for key, party_id in parties.items():
        is_gone = party_id not in visible
        found.gone += is_gone
        if is_gone or (party_id, found.revivals[key]["name" if key[0] == "party_names" else "kind"]) in held:
            del found.revivals[key]
        elif key[0] == "party_kinds" and not codes.keep(PARTY_KINDS, kind := found.revivals[key]["kind"] or ""):
            found.kept.append(Kept("parties", visible[party_id], _no_longer_listed(kind), party_id))
            del found.revivals[key]


def _no_longer_listed(code: str) -> str:
    return _("it held “%(code)s” before, which its list has no more", code=code)


def _name_what_stays(stays: Mapping[Key, str], found: Plan) -> None:
    classes = _classes()
    named = [(key, why) for key, why in stays.items() if why]
    for (noun, record_id), why in named:
        record = db.session.scalar(select(classes[noun]).where(classes[noun].id == record_id))
        if record is not None:
            found.kept.append(Kept(noun, title_of(record), why, record_id))


def title_of(record: Any) -> str:
    """What a person calls a record."""
    if record.__tablename__ == "interactions":
        return f"{record.purpose or record.summary}"[:_MOST_TITLE] + f" ({record.reference})"
    for name in ("name", "title", "plan_name", "value", "sentence", "words", "text", "kind"):
        if text := getattr(record, name, None):
            own = str(text)
            reference = getattr(record, "reference", "")
            return f"{own} ({reference})" if reference else own
    if record.__tablename__ == "tenures":
        return f"{record.person.name}, {record.position.title}"
    if record.__tablename__ == "requirements":
        programme = db.session.get(Programme, record.programme_id)
        return f"{programme.title if programme else ''}, {record.year}"
    if record.__tablename__ == "rate_sheets":
        return f"{record.source}, {record.published_on.isoformat()}"
    return str(getattr(record, "reference", "") or getattr(record, "source_id", "") or record.id)


#: What a file brings whole, in the order in which it is shown.
BROUGHT = ("parties", "positions", "interactions", "programmes", "pledges", "receipts")
BROUGHT_SHOWN = 50
_ROWS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Brought:
    """A record that a batch made. `title` of a post names its organisation; `form` of a party: a person, an organisation or a group."""

    noun: str
    id: uuid.UUID
    title: str
    form: str = ""


def brought(batch_id: uuid.UUID, first: int = 0, count: int = BROUGHT_SHOWN) -> tuple[list[Brought], bool]:
    """Records that a batch made and that the reader may see, from the one at place `first`: `count` at most, and whether there are more.
    A statement, one for each noun among them, and one for the organisations of posts."""
    order = case({noun: place for place, noun in enumerate(BROUGHT)}, value=ImportChange.noun)
    of_batch = select(ImportChange.noun, ImportChange.new).where(
        ImportChange.batch_id == batch_id, ImportChange.record_id.is_(None), ImportChange.noun.in_(BROUGHT)
    )
    rows = db.session.execute(of_batch.order_by(order, ImportChange.id).execution_options(yield_per=_ROWS_AT_ONCE))
    keys = ((noun, uuid.UUID(key)) for noun, left in rows for key in json.loads(left or "{}"))
    shown = list(islice(keys, first, first + count + 1))
    rows.close()
    found: dict[uuid.UUID, Brought] = {}
    for noun in dict.fromkeys(noun for noun, _key in shown):
        entity = _classes()[noun]
        statement = select(entity).where(entity.id.in_([key for of, key in shown[:count] if of == noun]))
        if entity is Position:
            statement = statement.options(selectinload(Position.organisation))
        found |= {record.id: _brought(noun, record) for record in db.session.scalars(statement)}
    return [found[key] for _noun, key in shown[:count] if key in found], len(shown) > count


def _brought(noun: str, record: Any) -> Brought:
    title = title_of(record)
    if isinstance(record, Position) and record.organisation is not None:  # none where the reader may not see it
        title = f"{title}, {record.organisation.name}"
    return Brought(noun, record.id, title, record.form if isinstance(record, Party) else "")


# --- doing it --------------------------------------------------------------------------------------------------------


def _to_undo(actor: Actor, batch_id: uuid.UUID, run: Run | None = None) -> ImportBatch:
    """A batch that the actor may undo, held until the transaction ends."""
    if run is not None:
        jobs.still_mine(actor, run)
    hold("import")
    batch = _locked(actor, batch_id)
    if sentence := why_not(batch, run):
        raise Conflict(sentence)
    return batch


def _locked(actor: Actor, batch_id: uuid.UUID) -> ImportBatch:
    statement = select(ImportBatch).where(ImportBatch.id == batch_id, ImportBatch.format != BULK).with_for_update()
    batch = db.session.scalar(statement.execution_options(populate_existing=True))
    if batch is None:
        raise NotFound
    require(actor, permission_for(batch.format), batch.office_id)
    return batch


@transactional
def undo(actor: Actor, batch_id: uuid.UUID) -> uuid.UUID:
    """Undo a batch that was brought in: all of it, or nothing where an error stops it; what somebody built on is kept and named.

    Raises NotFound, Denied, Conflict (not brought in, undone before, nothing written down). Returns the id of the undo."""
    batch = _to_undo(actor, batch_id)
    return take_back(actor, batch, plan(batch))


# --- by parts: each a transaction, between which others may save ------------------------------------------------------


@dataclass
class Parts:
    """An undo that is done by parts: what is to be undone, the first last; what stays; how many records are left.

    Records that stay or go together are one of `units`, and a unit goes before what it refers to."""

    units: list[Journal]
    kept: dict[uuid.UUID, Kept]
    gone: int
    left: int

    def part(self, most: int) -> tuple[Journal, int]:
        """The next units together, of about `most` records, and how many units they are."""
        part, count = Journal(), 0
        for unit in reversed(self.units):
            if count and part.size + unit.size > most:
                break
            part.take_in(unit)
            count += 1
        return part, count


def parts(batch: ImportBatch) -> Parts:
    """How a batch is undone by parts, as things are at this moment. Reads only: a part looks again before it does anything."""
    journal = _journal(batch)
    together: dict[Key, list[Key]] = {}
    doing = _plan(journal, together)
    units = [Journal(made={noun: {key: ""}}) for noun, ids in (("receipts", doing.receipts), ("pledges", doing.pledges)) for key in ids]
    units += [Journal(fields={key: journal.fields[key]}) for key in doing.restores]
    revived: dict[str | None, Journal] = defaultdict(Journal)
    for key, values in doing.revivals.items():
        revived[values[OWNED[key[0]]]].gone[key] = values
    units += revived.values()
    keys = [(noun, key) for noun, ids in doing.removals.items() for key in reversed(ids)]
    _join_owned(doing, together)
    for members in _groups(keys, together):
        unit = Journal()
        for noun, record_id in members:
            unit.made.setdefault(noun, {})[record_id] = journal.made[noun][record_id]
        units.append(unit)
    if batch.format == "programmes" and units:  # a need counts again when the newer one goes: never both, nor neither
        for unit in units[1:]:
            units[0].take_in(unit)
        del units[1:]
    return Parts(units[::-1], {one.record_id: one for one in doing.kept}, doing.gone, sum(unit.size for unit in units))


def _join_owned(doing: Plan, together: dict[Key, list[Key]]) -> None:
    """Kinds and names go with the party that goes: their going counts up its version."""
    for noun, column in OWNED.items():
        entity, owned = _classes()[noun], doing.removals.get(noun, [])
        owners = set(doing.removals.get("parties", ()))
        for chunk in _chunks(owned):
            for key, owner in db.session.execute(select(entity.id, getattr(entity, column)).where(entity.id.in_(chunk))):
                if owner in owners:
                    together.setdefault((noun, key), []).append(("parties", owner))
                    together.setdefault(("parties", owner), []).append((noun, key))


def _groups(keys: Sequence[Key], below: Mapping[Key, Sequence[Key]]) -> list[list[Key]]:
    """Keys that hang on each other (strongly connected components, by Tarjan), each group before those that it hangs on."""
    found: list[list[Key]] = []
    wanted, index, low = set(keys), dict[Key, int](), dict[Key, int]()  # as Tarjan calls them
    open_: dict[Key, None] = {}
    for root in keys:
        trail = [] if root in index else [(root, iter(below.get(root, ())))]
        if trail:
            index[root] = low[root] = len(index)
            open_[root] = None
        while trail:
            key, others = trail[-1]
            for other in others:
                if other in wanted and other not in index:
                    index[other] = low[other] = len(index)
                    open_[other] = None
                    trail.append((other, iter(below.get(other, ()))))
                    break
                if other in open_:
                    low[key] = min(low[key], index[other])
            else:
                trail.pop()
                if trail:
                    low[trail[-1][0]] = min(low[trail[-1][0]], low[key])
                if low[key] == index[key]:
                    group: list[Key] = []
                    while not group or group[-1] != key:
                        group.append(open_.popitem()[0])
                    found.append(group)
    return found[::-1]


@transactional
def take_back_part(actor: Actor, batch_id: uuid.UUID, doing: Parts, most: int, run: Run | None = None) -> int:
    """Undo the next part of a batch, of about `most` records, and keep what was done: where the work ends, `parts` finds what is left.
    Returns how many records were gone through so far.

    Raises as `undo` does, and Superseded where the run lost its job: nothing of the part is done then."""
    batch = _to_undo(actor, batch_id, run)
    journal, count = doing.part(most)
    part = _plan(journal)
    done = done_of(batch) or Done(gone=doing.gone)
    _do(actor, batch, part, done)
    done.is_begun = True
    _keep(batch, done)
    db.session.flush()
    doing.kept |= {one.record_id: one for one in part.kept}
    del doing.units[-count:]
    doing.left -= journal.size
    return done.total


@transactional
def finish(actor: Actor, batch_id: uuid.UUID, doing: Parts, run: Run | None = None) -> uuid.UUID:
    """Write down that a batch was undone, after its last part. Raises as `take_back_part` does. Returns the id of the undo."""
    batch = _to_undo(actor, batch_id, run)
    return _write_down(batch, done_of(batch) or Done(gone=doing.gone), list(doing.kept.values()))


@dataclass
class Done:
    """What an undo did so far: counts ("reversed", "restored"), noun -> removed and put back, what was gone before; why it failed."""

    counts: Counter[str] = field(default_factory=Counter)
    by_noun: dict[str, list[int]] = field(default_factory=dict)
    gone: int = 0
    failed: str = ""
    is_begun: bool = False

    @property
    def removed(self) -> int:
        """As `Plan.removed` counts."""
        whole = sum(removed for noun, (removed, _back) in self.by_noun.items() if not _is_part(noun))
        return whole or sum(removed for removed, _back in self.by_noun.values())

    @property
    def total(self) -> int:
        """How many records and parts were gone through."""
        return self.counts["reversed"] + sum(map(sum, self.by_noun.values()))


def done_of(batch: ImportBatch) -> Done | None:
    """What an undo that has not come to its end did; None where none was begun."""
    kept = imports.undo_progress(batch)
    return Done(**{**kept, "counts": Counter(kept["counts"])}) if kept else None


def _keep(batch: ImportBatch, done: Done) -> None:
    batch.progress = json.dumps({**json.loads(batch.progress or "{}"), imports.UNDO: vars(done)}, ensure_ascii=False)


# --- in the background ------------------------------------------------------------------------------------------------


def size_of(batch: ImportBatch) -> int:
    """About how many records and parts an import made or changed. One statement, however long the journal is."""
    made = func.sum(case((ImportChange.record_id.is_(None), func.length(ImportChange.new)), else_=0))
    row = db.session.execute(select(made, func.count(ImportChange.record_id.distinct())).where(ImportChange.batch_id == batch.id)).one()
    return (int(row[0] or 0) + _ENTRY_LENGTH - 1) // _ENTRY_LENGTH + int(row[1])


@transactional
def queue(actor: Actor, batch_id: uuid.UUID, *, carry: Carry) -> uuid.UUID:
    """Have a worker undo a batch, or the rest of one. Raises NotFound, Denied, Conflict (as `undo`, or it is being undone)."""
    batch = _to_undo(actor, batch_id)
    if (done := done_of(batch)) is not None:
        done.failed = ""
        _keep(batch, done)
    permission, total = permission_for(batch.format), size_of(batch)
    return jobs.ask(actor, permission, batch.office_id, kind=imports.UNDO, subject_id=batch.id, total=total, carry=carry)


@transactional
def cancel(actor: Actor, batch_id: uuid.UUID) -> None:
    """Stop undoing; what was taken back stays so, and undoing again goes on. Raises NotFound, Denied, Conflict (none is going on)."""
    batch = _visible(actor, batch_id)
    if not imports.undo_is_going_on(batch):
        raise Conflict(_("The work had ended before."))
    jobs.cancel(actor, permission_for(batch.format), batch.office_id, batch.id)  # a part that is being saved is waited for


def _visible(actor: Actor, batch_id: uuid.UUID) -> ImportBatch:
    batch = db.session.scalar(select(ImportBatch).where(ImportBatch.id == batch_id, ImportBatch.format != BULK))
    if batch is None:
        raise NotFound
    require(actor, permission_for(batch.format), batch.office_id)
    return batch


@transactional
def fail(actor: Actor, batch_id: uuid.UUID, sentence: str) -> None:
    """Say on a batch why its undo ended before its end; what was taken back stays so."""
    batch = _locked(actor, batch_id)
    if undone(batch.id) is None:
        done = done_of(batch) or Done()
        done.failed = sentence[:SENTENCE_LENGTH]
        _keep(batch, done)
        db.session.flush()


# --- one part, or the whole -------------------------------------------------------------------------------------------


def take_back(actor: Actor, batch: ImportBatch, doing: Plan, **said: int) -> uuid.UUID:
    """Do what a plan says, after what parts did before, and write down that the batch was undone, with what is `said` more: the id of
    that. Part of the services that undo; inside their transaction."""
    done = done_of(batch) or Done(gone=doing.gone)
    _do(actor, batch, doing, done)
    return _write_down(batch, done, doing.kept, **said)


def _do(actor: Actor, batch: ImportBatch, doing: Plan, done: Done) -> None:
    _reverse(actor, batch, doing, done.counts)
    _restore(doing, done.counts)
    _revive(doing, done.counts)
    _remove(doing)
    for noun, counts in doing.by_noun.items():  # what the database refused is no longer in it
        done.by_noun[noun] = [before + more for before, more in zip(done.by_noun.get(noun, (0, 0)), counts, strict=True)]


def _write_down(batch: ImportBatch, done: Done, kept: Sequence[Kept], **said: int) -> uuid.UUID:
    names = [{"noun": one.noun, "why": one.why, "id": str(one.record_id)} for one in kept[:MOST_KEPT_NAMES]]
    by_noun = {noun: done.by_noun[noun] for noun in _in_order(done.by_noun)}
    counts = {**done.counts, "removed": done.removed, "by_noun": by_noun, "gone": done.gone, "kept": len(kept), "names": names}
    record = ImportUndo(office_id=batch.office_id, batch_id=batch.id, summary=json.dumps({**counts, **said}, ensure_ascii=False))
    db.session.add(record)
    db.session.flush()
    return record.id


def summary_of(record: ImportUndo) -> dict[str, Any]:
    """The kept summary of an undo: removed, reversed, restored, gone, kept (numbers), by_noun (noun -> removed, put back), and names
    (of what was kept: noun, id, why, and the title, read for this reader)."""
    try:
        found = json.loads(record.summary)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    titles = _titles([(one["noun"], uuid.UUID(one["id"])) for one in found.get("names", [])])
    unseen = _("A record that you may not see")
    found["names"] = [{**one, "title": titles.get((one["noun"], uuid.UUID(one["id"])), unseen)} for one in found.get("names", [])]
    return found


def _titles(keys: Sequence[Key]) -> dict[Key, str]:
    """What records that the reader may see are called: a statement for each noun, and for what names them."""
    ids: dict[str, list[uuid.UUID]] = defaultdict(list)
    for noun, record_id in keys:
        ids[noun].append(record_id)
    found: dict[Key, str] = {}
    for noun, some in ids.items():
        entity = _classes()[noun]
        statement = select(entity).where(entity.id.in_(some))
        if entity is Tenure:
            statement = statement.options(selectinload(Tenure.person), selectinload(Tenure.position))
        found |= {(noun, record.id): title_of(record) for record in db.session.scalars(statement)}
    return found


def _reverse(actor: Actor, batch: ImportBatch, doing: Plan, counts: Counter[str]) -> None:
    """Take money back, each record for itself: where a rule of money refuses one, it stays with the reason."""
    reason = _("Import %(reference)s was undone.", reference=batch.reference)
    for noun, ids, reverse in (("receipts", doing.receipts, reverse_receipt), ("pledges", doing.pledges, pledges.take_back_pledge)):
        for record_id in ids:
            try:
                with savepoint():
                    reverse(actor, record_id, reason)
            except (Invalid, IntegrityError) as error:
                why = str(error) if isinstance(error, Invalid) else _built_on()
                doing.kept.append(Kept(noun, title_of(db.session.get_one(_classes()[noun], record_id)), why, record_id))
            else:
                counts["reversed"] += 1
            _let_go()


def _restore(doing: Plan, counts: Counter[str]) -> None:
    """Put fields back, many records together; where the database refuses one of them, each on its own, so that only that one stays."""
    ids: dict[str, list[uuid.UUID]] = defaultdict(list)
    for noun, record_id in doing.restores:
        ids[noun].append(record_id)
    for noun, some in ids.items():
        for chunk in _chunks(some):
            try:
                counts["restored"] += _put_back(noun, chunk, doing)
            except IntegrityError:
                for record_id in chunk:
                    _put_back_alone(noun, record_id, doing, counts)
            _let_go()


def _put_back(noun: str, ids: Sequence[uuid.UUID], doing: Plan) -> int:
    entity = _classes()[noun]
    with savepoint():
        records = db.session.scalars(select(entity).where(entity.id.in_(ids)).with_for_update()).all()
        for record in records:
            for name, old in doing.restores[noun, record.id].items():
                setattr(record, name, history.typed(record, name, old))
    for record in records:
        db.session.expunge(record)
    return len(records)


def _put_back_alone(noun: str, record_id: uuid.UUID, doing: Plan, counts: Counter[str]) -> None:
    try:
        counts["restored"] += _put_back(noun, [record_id], doing)
    except IntegrityError:
        entity = _classes()[noun]
        record = db.session.scalar(select(entity).where(entity.id == record_id))
        title = title_of(record) if record is not None else ""
        del doing.restores[noun, record_id]
        doing.kept.append(Kept(noun, title, _("what it held before is gone"), record_id))


def _revive(doing: Plan, counts: Counter[str]) -> None:
    """Make parts of records again that the batch took away; where one like it was made at this moment, that one stays."""
    parents: dict[uuid.UUID, None] = {}
    for (noun, record_id), values in list(doing.revivals.items()):
        entity = _classes()[noun]
        record = entity(id=record_id)
        for name, old in values.items():
            setattr(record, name, history.typed(record, name, old))
        record.visibility = db.session.get_one(Party, getattr(record, OWNED[noun])).visibility
        try:
            with savepoint():
                db.session.add(record)
        except IntegrityError:
            del doing.revivals[noun, record_id]
            continue
        parents[getattr(record, OWNED[noun])] = None
    counts["restored"] += _touch_parties(parents)


def _touch_parties(ids: Collection[uuid.UUID]) -> int:
    """Count up the version of parties whose kinds or names change, so that editors see it: how many."""
    found = db.session.scalars(select(Party).where(Party.id.in_(sorted(ids)))).all() if ids else []
    for party in found:
        touch(party)
    db.session.flush()
    return len(found)


def _remove(doing: Plan) -> None:
    """Children before what they refer to; where the database still refuses one, it stays and is named."""
    for noun, ids in doing.removals.items():
        for chunk in _chunks(list(reversed(ids))):
            try:
                with savepoint():
                    _delete(noun, chunk)
                _let_go()
            except IntegrityError:
                for record_id in chunk:
                    _delete_alone(noun, record_id, doing)
        doing.removals[noun] = [record_id for record_id in ids if (noun, record_id) not in doing.refused]


def _let_go() -> None:
    """Let go of the history that was written, so that memory and the time of each flush stay flat."""
    session = db.session()
    changed = session.dirty
    for record in list(session.identity_map.values()):
        if isinstance(record, _LET_GO) and record not in changed:
            session.expunge(record)


def _delete_alone(noun: str, record_id: uuid.UUID, doing: Plan) -> None:
    entity = _classes()[noun]
    record = db.session.scalar(select(entity).where(entity.id == record_id))
    title = title_of(record) if record is not None else ""
    try:
        with savepoint():
            _delete(noun, [record_id])
    except (IntegrityError, ThroughlineError):
        doing.refused.add((noun, record_id))
        doing.kept.append(Kept(noun, title, _built_on(), record_id))


def _delete(noun: str, ids: Sequence[uuid.UUID]) -> None:
    """Remove records of one noun; the version of what a kind or name was part of counts up, so that editors see it."""
    entity = _classes()[noun]
    statement = select(entity).where(entity.id.in_(ids))
    if entity is Party:
        statement = statement.options(selectinload(Party.kinds), selectinload(Party.names))
    records = list(db.session.scalars(statement))
    parents = set()
    for record in records:
        if noun in OWNED:
            parents.add(getattr(record, OWNED[noun]))
        db.session.delete(record)
    db.session.flush()
    _touch_parties(parents)

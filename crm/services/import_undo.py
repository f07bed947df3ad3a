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
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from crm.db import Base, db, hold, savepoint, transactional
from crm.errors import Conflict, Invalid, NotFound, ThroughlineError
from crm.i18n import LazyText, _, _l
from crm.models.audit import AuditEntry, AuditValue
from crm.models.commitments import Commitment
from crm.models.imports import BULK, ImportBatch, ImportChange, ImportUndo
from crm.models.parties import Party
from crm.models.pledges import Agreement, Instalment, Pledge, PledgeTerms, Receipt, ReceiptMatch
from crm.models.programmes import Programme
from crm.policy import Actor, require, unscoped
from crm.queries import history
from crm.queries.figures import programmable
from crm.queries.figures.programmable import Programmable
from crm.services import pledges
from crm.services.import_journal import FOLLOWING, OWNED, VERSION, as_text, left_as
from crm.services.imports import permission_for
from crm.services.receipts import reverse_receipt
from crm.services.versions import touch

_CHUNK = 400
MOST_KEPT_NAMES = 200
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
    before), parts to make again (their columns by id), and what stays."""

    receipts: list[uuid.UUID] = field(default_factory=list)
    pledges: list[uuid.UUID] = field(default_factory=list)
    removals: dict[str, list[uuid.UUID]] = field(default_factory=dict)
    restores: dict[Key, dict[str, str | None]] = field(default_factory=dict)
    revivals: dict[Key, dict[str, str | None]] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)
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
        nouns = sorted({*self.removals, *back}, key=lambda noun: (_is_part(noun), list(NOUNS).index(noun) if noun in NOUNS else len(NOUNS)))
        return {noun: (len(self.removals.get(noun, ())), back[noun]) for noun in nouns}

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


def why_not(batch: ImportBatch) -> str:
    """The sentence that says why a batch cannot be undone; "" where it can."""
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
    made, fields, gone = _journal(batch.id)
    found = Plan(revivals=gone)
    stays: dict[Key, str] = {}
    money = {noun: list(made.pop(noun, ())) for noun in LEDGER}
    _plan_receipts(money["receipts"], found)
    _plan_pledges(money["pledges"], found)
    if batch.format != BULK:  # what money changed is changed back by the rows that reverse it
        fields = {key: changes for key, changes in fields.items() if key[0] not in LEDGER | {"agreements"}}
    for noun, expected in made.items():
        now = _left_as_now(noun, expected)
        found.gone += len(expected) - len(now)
        for record_id, mark in now.items():
            if mark != expected[record_id]:
                stays[noun, record_id] = _("changed since")
    standing = {noun: set(_left_as_now(noun, expected)) for noun, expected in made.items()}
    _hold_what_is_built_on(standing, stays)
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


_Changes = dict[Key, list[tuple[str, str | None, str | None]]]


def _journal(batch_id: uuid.UUID) -> tuple[dict[str, dict[uuid.UUID, str]], _Changes, dict[Key, dict[str, str | None]]]:
    """What the batch made (noun -> id -> how it was left), the fields it changed, oldest first, and the parts it took away."""
    made: dict[str, dict[uuid.UUID, str]] = defaultdict(dict)
    fields: _Changes = defaultdict(list)
    gone: dict[Key, dict[str, str | None]] = {}
    rows = db.session.execute(
        select(ImportChange.noun, ImportChange.record_id, ImportChange.field, ImportChange.old, ImportChange.new)
        .where(ImportChange.batch_id == batch_id)
        .order_by(ImportChange.id)
    )
    for noun, record_id, name, old, new in rows:
        if record_id is None:
            made[noun] |= {uuid.UUID(key): left for key, left in json.loads(new or "{}").items()}
        elif name == VERSION and record_id in made[noun]:
            made[noun][record_id] = new or ""
        elif not name:
            gone[noun, record_id] = json.loads(old or "{}")
        elif name != VERSION and record_id not in made[noun]:
            fields[noun, record_id].append((name, old, new))
    return made, fields, gone


@lru_cache(maxsize=1)
def _classes() -> dict[str, Any]:
    return {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}


def _children_first() -> list[str]:
    return [table.name for table in reversed(Base.metadata.sorted_tables)]


def _is_part(noun: str) -> bool:
    return noun in _PARTS or getattr(_classes()[noun], "__audit_parent__", None) is not None


def _chunks(ids: Sequence[uuid.UUID]) -> Iterator[Sequence[uuid.UUID]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _left_as_now(noun: str, expected: Mapping[uuid.UUID, str]) -> dict[uuid.UUID, str]:
    """How the records stand now, by id; those that are gone are left out."""
    entity = _classes()[noun]
    found: dict[uuid.UUID, str] = {}
    for ids in _chunks(list(expected)):
        if inspect(entity).version_id_col is not None:
            rows = db.session.execute(select(entity.id, entity.version).where(entity.id.in_(ids)))
            found |= {row.id: f"v{row.version}" for row in rows}
        else:
            found |= {record.id: left_as(record) for record in db.session.scalars(select(entity).where(entity.id.in_(ids)))}
    return found


def _references_to(noun: str) -> Iterator[tuple[str, Any, Any]]:
    """(noun, entity, column) of everything that can refer to records of a noun."""
    for name, entity in _classes().items():
        mapper = inspect(entity)
        for constraint in mapper.local_table.foreign_key_constraints:
            if constraint.referred_table.name == noun:
                local = next(element.parent for element in constraint.elements if element.column.name == "id")
                yield name, entity, getattr(entity, mapper.get_property_by_column(local).key)


def _hold_what_is_built_on(standing: Mapping[str, set[uuid.UUID]], stays: dict[Key, str]) -> None:
    """Add to `stays` what others refer to, what that hangs on, and the parts of what stays."""
    below: dict[Key, list[Key]] = defaultdict(list)  # stays -> what then stays too
    visible = {record_id for ids in standing.values() for record_id in ids}
    for noun, ids in standing.items():
        for name, entity, column in _references_to(noun):
            if OWNED.get(name) == column.key or name in FOLLOWING:
                continue
            for child_id, parent_id in _pairs(entity, column, sorted(ids)):
                child, parent = (name, child_id), (noun, parent_id)
                if child_id in visible and child_id in standing.get(name, ()):
                    below[child].append(parent)
                    if getattr(entity, "__audit_parent__", None) == column.key:
                        below[parent].append(child)
                else:
                    stays.setdefault(parent, _built_on())
    waiting = list(stays)
    while waiting:
        for other in below.get(waiting.pop(), ()):
            if other not in stays:
                stays[other] = "" if _is_part(other[0]) else _("something that stays refers to it")
                waiting.append(other)


def _pairs(entity: Any, column: Any, ids: Sequence[uuid.UUID]) -> Iterator[tuple[uuid.UUID, uuid.UUID]]:
    """(id, what it refers to) of the rows that refer to some records; another office's too, of which only that they exist is used."""
    for chunk in _chunks(ids):
        with unscoped("what an import made may be in use in another office"):
            rows = db.session.execute(select(entity.id, column).where(column.in_(chunk))).all()
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
            records = {record.id: record for record in db.session.scalars(select(entity).where(entity.id.in_(chunk)))}
            found.gone += len(chunk) - len(records)
            for record_id, record in records.items():
                _plan_record(noun, record, fields[noun, record_id], found)


def _plan_record(noun: str, record: Any, changes: Sequence[tuple[str, str | None, str | None]], found: Plan) -> None:
    now: dict[str, str | None] = {}
    left: set[str] = set()
    for name, old, new in reversed(changes):
        current = now[name] if name in now else as_text(getattr(record, name))
        if name in left or current != new:
            left.add(name)
        else:
            now[name] = old
    if now:
        found.restores[noun, record.id] = now
    if left - {"folded_name"}:
        words = ", ".join(str(FIELDS.get(name, name)) for name in sorted(left))
        found.kept.append(Kept(noun, title_of(record), _("changed since: %(fields)s", fields=words), record.id))
    db.session.expunge(record)


def _plan_revivals(found: Plan) -> None:
    """Leave out parts whose record is gone, and those that somebody made again since."""
    parties = {key: uuid.UUID(values[OWNED[key[0]]] or "") for key, values in found.revivals.items()}
    held: set[tuple[uuid.UUID, str | None]] = set()
    visible: set[uuid.UUID] = set()
    for chunk in _chunks(sorted(set(parties.values()))):
        for party in db.session.scalars(
            select(Party).where(Party.id.in_(chunk)).options(selectinload(Party.kinds), selectinload(Party.names))
        ):
            visible.add(party.id)
            held |= {(party.id, row.kind) for row in party.kinds} | {(party.id, row.name) for row in party.names}
    for key, party_id in parties.items():
        is_gone = party_id not in visible
        found.gone += is_gone
        if is_gone or (party_id, found.revivals[key]["name" if key[0] == "party_names" else "kind"]) in held:
            del found.revivals[key]


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


def brought(batch_id: uuid.UUID) -> list[tuple[str, uuid.UUID, str]]:
    """The first records that a batch made and that the reader may see: noun, id, title. Two statements, and one for each noun."""
    found: list[tuple[str, uuid.UUID, str]] = []
    of_batch = select(ImportChange.noun, ImportChange.new).where(
        ImportChange.batch_id == batch_id, ImportChange.record_id.is_(None), ImportChange.noun.in_(BROUGHT)
    )
    made: dict[str, list[uuid.UUID]] = defaultdict(list)
    for noun, left in db.session.execute(of_batch.order_by(ImportChange.id).limit(len(BROUGHT))):
        made[noun] += [uuid.UUID(key) for key in json.loads(left or "{}")]
    for noun in BROUGHT:
        entity = _classes()[noun]
        if ids := made[noun][: BROUGHT_SHOWN - len(found)]:
            records = {record.id: record for record in db.session.scalars(select(entity).where(entity.id.in_(ids)))}
            found += [(noun, key, title_of(records[key])) for key in ids if key in records]
    return found


# --- doing it --------------------------------------------------------------------------------------------------------


def _to_undo(actor: Actor, batch_id: uuid.UUID) -> ImportBatch:
    """A batch that the actor may undo, held until the transaction ends."""
    hold("import")
    batch = db.session.scalar(select(ImportBatch).where(ImportBatch.id == batch_id, ImportBatch.format != BULK).with_for_update())
    if batch is None:
        raise NotFound
    require(actor, permission_for(batch.format), batch.office_id)
    if sentence := why_not(batch):
        raise Conflict(sentence)
    return batch


@transactional
def take_back_part(actor: Actor, batch_id: uuid.UUID, most: int) -> int:
    """Take back at most `most` of a batch's pledges and receipts: how many were. So a long undo lets others save in between; `undo`
    does the rest, and where the work ends before, undoing again goes on. Raises as `undo` does."""
    batch = _to_undo(actor, batch_id)
    found = plan(batch)
    part = Plan(receipts=found.receipts[:most])
    part.pledges = found.pledges[: most - len(part.receipts)]
    counts: Counter[str] = Counter()
    _reverse(actor, batch, part, counts)
    return counts["reversed"]


@transactional
def undo(actor: Actor, batch_id: uuid.UUID, *, taken_back: int = 0) -> uuid.UUID:
    """Undo a batch that was brought in: all of it, or nothing where an error stops it; what somebody built on is kept and named.

    `taken_back`: how much of its money was taken back by parts before. Raises NotFound, Denied, Conflict (not brought in, undone
    before, nothing written down). Returns the id of the undo."""
    batch = _to_undo(actor, batch_id)
    doing = plan(batch)
    doing.gone -= taken_back
    return take_back(actor, batch, doing, counts=Counter(reversed=taken_back))


def take_back(actor: Actor, batch: ImportBatch, doing: Plan, *, counts: Counter[str] | None = None, **said: int) -> uuid.UUID:
    """Do what a plan says, and write down that the batch was undone, with what is `said` more: the id of
    that. `counts`: what was done before. Part of the services that undo; inside their transaction."""
    counts, by_noun = Counter() if counts is None else counts, doing.by_noun
    _reverse(actor, batch, doing, counts)
    _restore(doing, counts)
    _revive(doing, counts)
    _remove(doing, counts)
    kept = [{"noun": one.noun, "title": one.title, "why": one.why, "id": str(one.record_id)} for one in doing.kept]
    record = ImportUndo(
        office_id=batch.office_id,
        batch_id=batch.id,
        summary=json.dumps(
            {**counts, **said, "by_noun": by_noun, "gone": doing.gone, "kept": len(kept), "names": kept[:MOST_KEPT_NAMES]},
            ensure_ascii=False,
        ),
    )
    db.session.add(record)
    db.session.flush()
    return record.id


def summary_of(record: ImportUndo) -> dict[str, Any]:
    """The kept summary of an undo: removed, reversed, restored, gone, kept (numbers), by_noun (noun -> removed, put back), and names
    (of what was kept)."""
    try:
        found = json.loads(record.summary)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


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
        doing.kept.append(Kept(noun, title, _("what it held before is gone"), record_id))


def _revive(doing: Plan, counts: Counter[str]) -> None:
    """Make parts of records again that the batch took away; where one like it was made at this moment, that one stays."""
    parents: dict[uuid.UUID, None] = {}
    for (noun, record_id), values in doing.revivals.items():
        entity = _classes()[noun]
        record = entity(id=record_id)
        for name, old in values.items():
            setattr(record, name, history.typed(record, name, old))
        record.visibility = db.session.get_one(Party, getattr(record, OWNED[noun])).visibility
        try:
            with savepoint():
                db.session.add(record)
        except IntegrityError:
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


def _remove(doing: Plan, counts: Counter[str]) -> None:
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
    counts["removed"] += doing.removed


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

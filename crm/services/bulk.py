"""Several records of a list changed at once: what that would do by record, doing it, taking it back.

A change of several records is an import batch of the format `BULK`, seen by whoever made it and nobody else; its journal is that of
imports. Each record goes through the service that changes it alone, with its permissions; one that may not be changed is named.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.exc import StaleDataError

from crm import clock
from crm.data import countries_by_iso2
from crm.db import db, savepoint, transactional
from crm.errors import Conflict, Invalid, NotFound, ThroughlineError
from crm.i18n import LazyText, _, _l
from crm.models.asks import Ask
from crm.models.base import OPEN, SENTENCE_LENGTH
from crm.models.codes import PARTY_KINDS
from crm.models.commitments import Commitment
from crm.models.imports import BULK, CARRIED_STATES, ImportBatch, ImportChange, ImportReject, ImportSheet
from crm.models.interactions import FollowUp
from crm.models.parties import Party, PartyKind
from crm.models.users import User
from crm.policy import Actor, Permission, can, offices_where, require
from crm.queries import codes
from crm.queries.bulk import changed_of
from crm.services import asks, commitments, follow_ups, import_journal, import_undo, jobs, parties, users
from crm.services.checking import FIRST_DAY, LAST_DAY
from crm.services.fields import text as tidy
from crm.services.import_undo import Kept, Plan, title_of
from crm.services.jobs import Carry, Run
from crm.services.references import next_reference

#: So many records are changed at once at the most, and so many while the person waits; more are work for the background.
MOST, AT_ONCE = 2000, 200
_PART = 100
_KEPT_UNDONE = timedelta(days=1)
CHANGED, SAME, REFUSED = "changed", "same", "refused"


@dataclass(frozen=True)
class Verdict:
    """What becomes of one record: changed (from what to what, as `as_text` writes it), the same as it is, or refused and why."""

    record_id: uuid.UUID
    title: str
    outcome: str
    before: str = ""
    after: str = ""
    why: str = ""


@dataclass(frozen=True)
class Given:
    """What a change gives: its value, typed; where it is a person, that person's rights."""

    value: Any
    person: Actor | None = None


@dataclass(frozen=True)
class Action:
    """One thing that can be done with several records of a list.

    `asks_for`: what it must be told ("day", "person", "kind", "country", "reason", "note" or nothing). `now` and `then` say how a record
    stands before and after it; `refuses` why it cannot be done, "" where it can."""

    key: str
    label: LazyText
    asks_for: str
    now: Callable[[Any], Any]
    then: Callable[[Any, Given], Any]
    do: Callable[[Actor, Any, Given], object]
    refuses: Callable[[Any, Given], str] = lambda _record, _given: ""


@dataclass(frozen=True)
class Noun:
    """A list whose records can be changed together."""

    entity: Any
    actions: tuple[Action, ...]
    loading: tuple[Any, ...] = ()


@dataclass
class Outcome:
    """What a change did so far. `refused`: record -> why."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: dict[uuid.UUID, str] = field(default_factory=dict)


# --- what can be done -----------------------------------------------------------------------------------------------


def _same(_record: Any, given: Given) -> Any:
    return given.value


def _works_there(record: Any, given: Given) -> str:
    """Whoever is given a record must be able to read it and to write on it."""
    who = given.person
    if who is None:
        return _("This person may not sign in any more.")
    if not can(who, Permission.CONTACT_LOG, record.office_id):
        return _("%(name)s does not record contacts in its office.", name=who.name)
    if record.level != OPEN and record.office_id not in who.member_of:
        return _("%(name)s may not read it: it is for the members of its office only.", name=who.name)
    return ""


def _is_open(record: FollowUp) -> str:
    return _("It is done. Open it again first.") if record.done_on is not None else ""


def _give_follow_up(actor: Actor, record: FollowUp, given: Given) -> object:
    return follow_ups.edit_follow_up(actor, record.id, text=record.text, due_on=record.due_on, owner_id=given.value, version=record.version)


def _move_follow_up(actor: Actor, record: FollowUp, given: Given) -> object:
    return follow_ups.edit_follow_up(
        actor, record.id, text=record.text, due_on=given.value, owner_id=record.owner_id, version=record.version
    )


def _kinds(record: Party) -> tuple[str, ...]:
    return tuple(sorted(row.kind for row in record.kinds))


_FOLLOW_UPS = Noun(
    FollowUp,
    (
        Action(
            "owner",
            _l("Give to another person"),
            "person",
            lambda record: record.owner_id,
            _same,
            _give_follow_up,
            lambda record, given: _is_open(record) or _works_there(record, given),
        ),
        Action(
            "due",
            _l("Set another due day"),
            "day",
            lambda record: record.due_on,
            _same,
            _move_follow_up,
            lambda record, _given: _is_open(record),
        ),
        Action(
            "done",
            _l("Mark as done"),
            "note",
            lambda record: record.done_on is not None,
            lambda _record, _given: True,
            lambda actor, record, given: follow_ups.finish_follow_up(actor, record.id, note=given.value),
        ),
        Action(
            "reopen",
            _l("Open again"),
            "",
            lambda record: record.done_on is not None,
            lambda _record, _given: False,
            lambda actor, record, _given: follow_ups.reopen_follow_up(actor, record.id),
        ),
    ),
)
_PARTIES = Noun(
    Party,
    (
        Action(
            "add-kind",
            _l("Add a kind"),
            "kind",
            _kinds,
            lambda record, given: tuple(sorted({*_kinds(record), given.value})),
            lambda actor, record, given: parties.change_kinds(actor, record.id, add=[given.value]),
        ),
        Action(
            "remove-kind",
            _l("Take a kind away"),
            "kind",
            _kinds,
            lambda record, given: tuple(kind for kind in _kinds(record) if kind != given.value),
            lambda actor, record, given: parties.change_kinds(actor, record.id, remove=[given.value]),
        ),
        Action(
            "country",
            _l("Set the country"),
            "country",
            lambda record: record.country,
            _same,
            lambda actor, record, given: parties.set_country(actor, record.id, given.value),
        ),
    ),
    (selectinload(Party.kinds),),
)
_COMMITMENTS = Noun(
    Commitment,
    (
        Action(
            "owner",
            _l("Give to another person"),
            "person",
            lambda record: record.owner_id,
            _same,
            lambda actor, record, given: commitments.give_commitment(actor, record.id, given.value),
            _works_there,
        ),
    ),
)
_ASKS = Noun(
    Ask,
    (
        Action(
            "by-when",
            _l("Set another day by when"),
            "day",
            lambda record: record.by_when,
            _same,
            lambda actor, record, given: asks.move_ask(actor, record.id, given.value),
            lambda record, _given: _("It is closed. Open it again first.") if record.closed_on is not None else "",
        ),
        Action(
            "close",
            _l("Close"),
            "reason",
            lambda record: record.closed_on is not None,
            lambda _record, _given: True,
            lambda actor, record, given: asks.close_ask(actor, record.id, reason=given.value, version=record.version),
        ),
    ),
)
NOUNS: Mapping[str, Noun] = {"parties": _PARTIES, "asks": _ASKS, "commitments": _COMMITMENTS, "follow-ups": _FOLLOW_UPS}


def action_of(noun: str, key: str) -> Action:
    """A thing that can be done with records of a list; NotFound where there is none of the name."""
    found = next((action for action in NOUNS[noun].actions if action.key == key), None) if noun in NOUNS else None
    if found is None:
        raise NotFound
    return found


def as_text(value: Any) -> str:
    """How a record stands, as verdicts hold it: a key, a day as 2026-11-30, several kinds with commas between them, "yes" or nothing."""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None else str(value)


def _given(action: Action, text: str) -> Given:
    """The value that was typed. Raises `Invalid` on the field `value`."""
    if action.asks_for == "day":
        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise Invalid(_("Enter the day."), field="value") from error
        if not FIRST_DAY <= day <= LAST_DAY:
            raise Invalid(_("Enter a day between 1945 and 2100."), field="value")
        return Given(day)
    if action.asks_for == "person":
        return _person(text)
    if action.asks_for == "kind" and text not in codes.entries(PARTY_KINDS):
        raise Invalid(_("Choose what they are to us."), field="value")
    if action.asks_for == "country" and text not in countries_by_iso2():
        raise Invalid(_("Choose the country."), field="value")
    if action.asks_for in ("reason", "note"):
        needed = _("Write why they are closed.") if action.asks_for == "reason" else ""
        return Given(tidy(text, "value", SENTENCE_LENGTH, needed=needed))
    return Given(text)


def _person(text: str) -> Given:
    try:
        user_id = uuid.UUID(text)
    except ValueError as error:
        raise Invalid(_("Choose one of your colleagues."), field="value") from error
    if db.session.scalar(select(User.id).where(User.id == user_id)) is None:
        raise Invalid(_("Choose one of your colleagues."), field="value")
    return Given(user_id, users.actor_by_id(user_id))


# --- what it would do ------------------------------------------------------------------------------------------------


def offices_of(noun: str, ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """The offices of some records in scope."""
    entity = NOUNS[noun].entity
    return set(db.session.scalars(select(entity.office_id).where(entity.id.in_(ids)).distinct()))


@transactional
def record_choice(actor: Actor, noun: str, key: str, value: str, ids: Sequence[uuid.UUID], *, query: str = "") -> uuid.UUID:
    """Keep which records are to be changed and how: the batch, to be looked at first. Nothing of them is changed yet. `ids`: in the
    order of their list. `query`: the arguments of the list where they were chosen, to go back to it.

    Raises `Invalid` (field `value`, or the whole: none or too many are chosen), Denied, NotFound. The same choice that nobody went on with
    for a day is forgotten."""
    require(actor, Permission.CONTACT_LOG)
    action = action_of(noun, key)
    _given(action, value)
    chosen = list(dict.fromkeys(ids))
    if not chosen:
        raise Invalid(_("Choose at least one row first."))
    if len(chosen) > MOST:
        raise Invalid(_("At most %(n)s records are changed at once. Filter the list further.", n=MOST))
    offices = offices_of(noun, chosen) & set(offices_where(actor, Permission.CONTACT_LOG))
    office_id = (
        min(offices, key=lambda one: (one != actor.home_office_id, one)) if offices else offices_where(actor, Permission.CONTACT_LOG)[0]
    )
    _forget_old(actor)
    batch = ImportBatch(
        office_id=office_id,
        reference=next_reference(office_id, "bulk"),
        format=BULK,
        file_name="",
        sha256="",
        size=0,
        state="checked",
        header=json.dumps({"noun": noun, "action": key, "value": value}, ensure_ascii=False),
        rows=len(chosen),
        created_by_id=actor.user_id,
    )
    db.session.add(batch)
    db.session.flush()
    db.session.add(
        ImportSheet(office_id=office_id, batch_id=batch.id, settings=json.dumps({"ids": [str(key) for key in chosen], "query": query}))
    )
    db.session.flush()
    return batch.id


def _forget_old(actor: Actor) -> None:
    """Drop what this person only looked at."""
    old = db.session.scalars(
        select(ImportBatch).where(
            ImportBatch.format == BULK,
            ImportBatch.created_by_id == actor.user_id,
            ImportBatch.state == "checked",
            ImportBatch.created_at < clock.now() - _KEPT_UNDONE,
        )
    )
    for batch in old:
        _drop(batch)


def _drop(batch: ImportBatch) -> None:
    db.session.execute(delete(ImportSheet).where(ImportSheet.batch_id == batch.id))
    db.session.delete(batch)
    db.session.flush()


@dataclass(frozen=True)
class Choice:
    """What a batch is to do: with which list's records, what, the records that were chosen in their list's order, and how the list
    was asked for."""

    noun: str
    action: Action
    value: str
    ids: Sequence[uuid.UUID]
    query: str = ""

    @property
    def given(self) -> Given:
        """The value, typed."""
        return _given(self.action, self.value)

    @property
    def in_turn(self) -> list[uuid.UUID]:
        """The records as they are changed: two changes that meet wait for each other in one order."""
        return sorted(self.ids)


def choice_of(batch: ImportBatch) -> Choice:
    """What a batch is to do, or did. One statement."""
    kept = json.loads(batch.header)
    chosen = json.loads(
        db.session.scalar(select(ImportSheet.settings).where(ImportSheet.batch_id == batch.id)) or '{"ids": [], "query": ""}'
    )
    return Choice(
        kept["noun"], action_of(kept["noun"], kept["action"]), kept["value"], [uuid.UUID(key) for key in chosen["ids"]], chosen["query"]
    )


def judge(actor: Actor, choice: Choice) -> list[Verdict]:
    """What the change would do to each record at this moment, in the order of their list; those that are not there (any more) are left
    out. Reads only; a constant number of statements."""
    given = choice.given
    found = {record.id: record for record in _records(choice.noun, choice.ids)}
    return [_verdict(actor, choice.action, found[key], given) for key in choice.ids if key in found]


def _records(noun: str, ids: Collection[uuid.UUID]) -> list[Any]:
    kind = NOUNS[noun]
    statement = select(kind.entity).where(kind.entity.id.in_(ids)).order_by(kind.entity.id).options(*kind.loading)
    return list(db.session.scalars(statement.execution_options(populate_existing=True)))


def titles_of(noun: str, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """What some records in scope are called."""
    return {record.id: title_of(record) for record in _records(noun, ids)}


def changed_by(batch: ImportBatch, choice: Choice) -> list[uuid.UUID]:
    """The records that a change changed, in the order of their list."""
    found = changed_of(batch.id, NOUNS[choice.noun].entity.__tablename__)
    return [key for key in choice.ids if key in found]


def _verdict(actor: Actor, action: Action, record: Any, given: Given) -> Verdict:
    title = title_of(record)
    if not can(actor, Permission.CONTACT_LOG, record.office_id):
        return Verdict(record.id, title, REFUSED, why=_("It belongs to another office, where you may look but not write."))
    now, then = action.now(record), action.then(record, given)
    if now == then:
        return Verdict(record.id, title, SAME, as_text(now), as_text(then))
    if why := action.refuses(record, given):
        return Verdict(record.id, title, REFUSED, why=why)
    return Verdict(record.id, title, CHANGED, as_text(now), as_text(then))


# --- doing it --------------------------------------------------------------------------------------------------------


def own(actor: Actor, batch_id: uuid.UUID) -> ImportBatch:
    """A change of several records that the actor made; NotFound where absent, out of scope or another's."""
    return _own(actor, batch_id, is_locked=False)


def _own(actor: Actor, batch_id: uuid.UUID, *, is_locked: bool = True) -> ImportBatch:
    statement = select(ImportBatch).where(
        ImportBatch.id == batch_id, ImportBatch.format == BULK, ImportBatch.created_by_id == actor.user_id
    )
    if is_locked:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    batch = db.session.scalar(statement)
    if batch is None:
        raise NotFound
    require(actor, Permission.CONTACT_LOG, batch.office_id)
    return batch


def _in_state(batch: ImportBatch, states: Sequence[str]) -> None:
    if batch.state not in states:
        raise Conflict(
            _("This is being done. See how far it is on its page.")
            if batch.state in CARRIED_STATES
            else _("This was done, or dropped, before. Nothing was done a second time.")
        )


@transactional
def discard(actor: Actor, batch_id: uuid.UUID) -> None:
    """Leave all as it is: drop what was chosen. Raises NotFound, Denied, Conflict (done before)."""
    batch = _own(actor, batch_id)
    _in_state(batch, ("checked",))
    _drop(batch)


@transactional
def apply(actor: Actor, batch_id: uuid.UUID) -> ImportBatch:
    """Change the chosen records now, in one transaction, each judged anew. Raises NotFound, Denied, Conflict (done before)."""
    batch = _own(actor, batch_id)
    _in_state(batch, ("checked",))
    choice = choice_of(batch)
    _take(actor, batch, choice, choice.in_turn)
    _finish(batch)
    return batch


@transactional
def queue(actor: Actor, batch_id: uuid.UUID, *, carry: Carry) -> uuid.UUID:
    """Have a worker change the chosen records, or the rest of them where it stopped in between. Raises NotFound, Denied, Conflict,
    Invalid (what was chosen left its list since)."""
    batch = _own(actor, batch_id)
    choice = choice_of(batch)
    _given(choice.action, choice.value)
    _in_state(batch, ("checked", "cancelled", "failed"))
    if import_undo.undone(batch.id) is not None:
        raise Conflict(_("This was undone. Choose the rows again."))
    batch.state, batch.message = "queued", ""
    db.session.flush()
    return jobs.ask(actor, Permission.CONTACT_LOG, batch.office_id, kind=BULK, subject_id=batch.id, total=batch.rows, carry=carry)


@transactional
def take_part(actor: Actor, run: Run, most: int = _PART) -> tuple[int, int]:
    """Change the next records (at most `most`), all of the part or none of it: how many were gone through so far, of how many.
    Raises Superseded where the run lost its job."""
    jobs.still_mine(actor, run)
    batch = _own(actor, run.subject_id)
    if batch.state == "applied":
        return batch.rows, batch.rows
    _in_state(batch, (*CARRIED_STATES, "failed"))
    batch.state, batch.message = "running", ""
    choice = choice_of(batch)
    _take(actor, batch, choice, choice.in_turn[batch.taken : batch.taken + most])
    if batch.taken >= batch.rows:
        _finish(batch)
    return batch.taken, batch.rows


@transactional
def cancel(actor: Actor, batch_id: uuid.UUID) -> ImportBatch:
    """Stop the work; what was changed stays so, and can be undone. Raises NotFound, Denied, Conflict where none is going on."""
    batch = _own(actor, batch_id, is_locked=False)
    _in_state(batch, (*CARRIED_STATES, "failed"))
    jobs.cancel(actor, Permission.CONTACT_LOG, batch.office_id, batch.id)  # a part that is being saved is waited for
    batch = _own(actor, batch_id)
    _in_state(batch, (*CARRIED_STATES, "failed"))
    batch.state, batch.message = ("cancelled" if batch.taken else "checked"), ""
    return batch


@transactional
def stop(actor: Actor, batch_id: uuid.UUID, state: str, sentence: str) -> None:
    """Say that the work ended before its end ("failed"), and why. What was changed stays, and is counted."""
    batch = db.session.scalar(select(ImportBatch).where(ImportBatch.id == batch_id, ImportBatch.format == BULK).with_for_update())
    if batch is not None and batch.state in (*CARRIED_STATES, "failed"):
        require(actor, Permission.CONTACT_LOG, batch.office_id)
        batch.state, batch.message = state, sentence[:SENTENCE_LENGTH]


def _take(actor: Actor, batch: ImportBatch, choice: Choice, ids: Sequence[uuid.UUID]) -> None:
    """Change some records, each through its own service; what was refused is written down with its reason."""
    given = choice.given
    outcome = Outcome()
    with import_journal.journaling(batch):
        for record in _records(choice.noun, ids):
            verdict = _verdict(actor, choice.action, record, given)
            outcome.counts[verdict.outcome] += 1
            if verdict.outcome == REFUSED:
                outcome.refused[verdict.record_id] = verdict.why
            elif verdict.outcome == CHANGED:
                _change(actor, choice.action, record, given, outcome)
    batch.updated += outcome.counts[CHANGED]
    batch.unchanged += outcome.counts[SAME]
    batch.rejected += outcome.counts[REFUSED]
    places = {key: place for place, key in enumerate(choice.ids, 1)}
    for key, why in outcome.refused.items():
        place, reason = places[key], why[:SENTENCE_LENGTH]
        db.session.add(ImportReject(office_id=batch.office_id, batch_id=batch.id, row_number=place, column=str(key), reason=reason))
    batch.taken += len(ids)
    db.session.flush()


def _change(actor: Actor, action: Action, record: Any, given: Given, outcome: Outcome) -> None:
    record_id: uuid.UUID = record.id
    try:
        with savepoint():
            action.do(actor, record, given)
            import_journal.keep()
    except (ThroughlineError, IntegrityError, StaleDataError) as error:
        import_journal.forget()
        outcome.counts.subtract([CHANGED])
        outcome.counts[REFUSED] += 1
        outcome.refused[record_id] = str(error) if isinstance(error, ThroughlineError) else _("Somebody changed it at this moment.")


def _finish(batch: ImportBatch) -> None:
    batch.state, batch.applied_at = "applied", clock.now()
    db.session.flush()


# --- taking it back --------------------------------------------------------------------------------------------------


def why_not(batch: ImportBatch) -> str:
    """The sentence that says why a change cannot be undone; "" where it can."""
    if batch.state != "applied" and not (batch.state in ("cancelled", "failed") and batch.taken):
        return _("Only what was done can be undone.")
    if import_undo.undone(batch.id) is not None:
        return _("This was undone before. Nothing was done a second time.")
    if db.session.scalar(select(ImportChange.id).where(ImportChange.batch_id == batch.id).limit(1)) is None:
        return _("Nothing was changed, so there is nothing to undo.")
    return ""


def plan_undo(actor: Actor, batch: ImportBatch) -> Plan:
    """What undoing would do at this moment; records that the actor may not write any more stay, and those that somebody would get back who
    may not have them now; they are named. Reads only."""
    found = import_undo.plan(batch)
    entity = NOUNS[json.loads(batch.header)["noun"]].entity
    owners = _owners(found)
    ids = {record_id for _noun, record_id in found.restores} | set(owners.values())
    stays: dict[uuid.UUID, Kept] = {}
    people: dict[str, Given] = {}
    for record in db.session.scalars(select(entity).where(entity.id.in_(ids))):
        why = "" if can(actor, Permission.CONTACT_LOG, record.office_id) else _("you may not write on it any more")
        owner = found.restores.get((entity.__tablename__, record.id), {}).get("owner_id")
        if not why and owner:
            if owner not in people:
                people[owner] = Given(owner, users.actor_by_id(uuid.UUID(owner)))
            why = _works_there(record, people[owner])
        if why:
            stays[record.id] = Kept(entity.__tablename__, title_of(record), why, record.id)
    if not stays:
        return found
    found.restores = {key: values for key, values in found.restores.items() if key[1] not in stays}
    found.revivals = {key: values for key, values in found.revivals.items() if owners[key[1]] not in stays}
    found.removals = {noun: [one for one in some if owners[one] not in stays] for noun, some in found.removals.items()}
    found.kept += stays.values()
    return found


def _owners(doing: Plan) -> dict[uuid.UUID, uuid.UUID]:
    """Which party each kind belongs to that a plan takes away or makes again."""
    made = doing.removals.get(PartyKind.__tablename__, [])
    found = dict(db.session.execute(select(PartyKind.id, PartyKind.party_id).where(PartyKind.id.in_(made))).all()) if made else {}
    return found | {key: uuid.UUID(values["party_id"] or "") for (_noun, key), values in doing.revivals.items()}


def touched(doing: Plan) -> int:
    """How many records a plan changes."""
    return len({record_id for _noun, record_id in doing.restores} | set(_owners(doing).values()))


@transactional
def undo(actor: Actor, batch_id: uuid.UUID) -> uuid.UUID:
    """Take a change back, where nobody changed the record since; the rest stays and is named. Raises NotFound, Denied, Conflict."""
    batch = _own(actor, batch_id)
    if sentence := why_not(batch):
        raise Conflict(sentence)
    doing = plan_undo(actor, batch)
    return import_undo.take_back(actor, batch, doing, records=touched(doing))

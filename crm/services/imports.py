"""Import batches: what a file would do, what it did, and doing it: a row whole or not at all, every change in the history. How a kind of
record is compared and written stands in `import_kinds`.

Knows no file: `crm.jobs.imports` reads one and hands over typed records.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import DataError, IntegrityError

from crm import clock
from crm.db import after_commit, db, hold, savepoint, transactional
from crm.errors import Conflict, NotFound, Refused
from crm.i18n import _, ngettext
from crm.models.audit import AuditEntry, AuditValue
from crm.models.base import SENTENCE_LENGTH
from crm.models.flows import Flow, PlanRequirement
from crm.models.imports import BULK, CARRIED_STATES, ImportBatch, ImportLayout, ImportReject, ImportSheet, ImportUndo
from crm.money import from_minor
from crm.policy import Actor, Permission, bound_actor, require
from crm.queries.jobs import open_job_of
from crm.queries.rates import sheets_of
from crm.services import import_journal, jobs, rates
from crm.services.import_kinds import ByChunk, Contents, FileFacts, Kind, Outcome, Record, Reject, ReportedRates, Sample, kind_of
from crm.services.jobs import Carry, Run, Superseded
from crm.services.references import next_reference

log = logging.getLogger("throughline")

#: Rows compared and written together: one SELECT, one flush.
CHUNK = 500
_COLUMN_LENGTH = 100
#: Problems that are kept of one row, beside the first.
_MOST_PROBLEMS = 20
_LET_GO = (Flow, PlanRequirement, AuditEntry, AuditValue, ImportReject)
_NAME_LENGTH = 200
#: Counts of an outcome that are kept while a file is taken in by parts.
_COUNTS = ("created", "updated", "unchanged", "older")


# --- the batch --------------------------------------------------------------------------------------------------


#: Lists that whoever records contacts may bring; every other format needs the grants officer's role (domain.md 0.2).
CONTACT_FORMATS = frozenset({"parties", "positions", "interactions"})


def permission_for(slug: str) -> Permission:
    """What bringing in, discarding and undoing a file of this format needs."""
    return Permission.IMPORT_CONTACTS if slug in CONTACT_FORMATS else Permission.IMPORT_ALL


def compare(office_id: uuid.UUID, contents: Contents[Any]) -> Outcome:
    """What a file would do to what the office holds. Reads only."""
    outcome = Outcome()
    kind = kind_of(contents)
    if kind is None:
        _compare_rates(contents.records, outcome)
        return outcome
    for chunk in _chunks(contents.records):
        if isinstance(kind, ByChunk):
            kind.take(office_id, chunk, outcome, is_writing=False)
            _forget(kind.lets_go)
            continue
        held = kind.held(office_id, chunk)
        for record in chunk:
            _judge(kind, held, record, outcome)
        _forget()
    return outcome


def _judge(kind: Kind[Any], held: Mapping[Any, Any], record: Any, outcome: Outcome) -> tuple[str, Any, Mapping[str, tuple[Any, Any]]]:
    """Count one record, and say what is to be done with it: ("created" | "updated" | "unchanged", the row held, the changes)."""
    row = held.get(kind.key(record))
    if row is None:
        outcome.note("created", lambda: Sample(record.row_number, "created", kind.title(record)))
        return "created", None, {}
    changes = kind.changes(row, record)
    if not changes:
        outcome.older += changes is None
        outcome.note("unchanged", lambda: Sample(record.row_number, "unchanged", ""))
        return "unchanged", row, {}
    shown = tuple((name, _shown(was, name, row), _shown(now, name, record)) for name, (was, now) in changes.items())
    outcome.note("updated", lambda: Sample(record.row_number, "updated", kind.title(record), shown))
    return "updated", row, changes


def _shown(value: object, name: str = "", of: object = None) -> str:
    """A value as the summary keeps it: amounts with their currency and decimals."""
    if value is None:
        return ""
    currency = "USD" if name.endswith("_usd_minor") else getattr(of, "original_currency", None) if name == "original_minor" else None
    return str(from_minor(value, currency)) if currency and isinstance(value, int) else str(value)[:200]


def _compare_rates(records: Sequence[ReportedRates], outcome: Outcome) -> None:
    actor = bound_actor()
    may_correct = actor is not None and actor.covers_all
    for source in sorted({record.source for record in records}):
        given = [record for record in records if record.source == source]
        held = sheets_of(source, (record.on for record in given))
        for record in given:
            count = len(record.quotes)
            title = ngettext(
                "%(source)s, %(day)s: %(num)d rate", "%(source)s, %(day)s: %(num)d rates", count, source=source, day=record.on.isoformat()
            )
            row = held.get(record.on)
            if row is None:
                outcome.note("created", partial(Sample, record.row_number, "created", title))
                outcome.rates["created"] = outcome.rates.get("created", 0) + count
                continue
            known = {code: Decimal(text) for code, text in json.loads(row.quotes).items()}
            wrong = [code for code, value in record.quotes.items() if code in known and known[code] != value]
            if wrong and not may_correct:
                outcome.rejects += [_held_rate(record, code, known[code]) for code in wrong]
            changes = tuple(
                (code, _shown(known.get(code)), str(value))
                for code, value in record.quotes.items()
                if known.get(code) != value and (may_correct or code not in known)
            )
            action = "updated" if changes else "unchanged"
            outcome.rates["updated"] = outcome.rates.get("updated", 0) + len(changes)
            outcome.note(action, partial(Sample, record.row_number, action, title, changes))


def _held_rate(record: ReportedRates, code: str, held: Decimal) -> Reject:
    reason = _(
        "The rate of %(day)s is held as %(held)s and counts in every office. Only who works for all offices corrects it; ask headquarters.",
        day=record.on.isoformat(),
        held=format(held, "f"),
    )
    return Reject(record.row_number, code, reason, record.raw)


def _chunks(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    for start in range(0, len(records), CHUNK):
        yield records[start : start + CHUNK]


@transactional
def record_refusal(actor: Actor, office_id: uuid.UUID, facts: FileFacts, sentence: str) -> uuid.UUID:
    """Keep in the list that a file was refused as a whole, and why; nothing of it is taken."""
    require(actor, permission_for(facts.format), office_id)
    batch = _new_batch(office_id, facts, "refused")
    batch.message = sentence[:SENTENCE_LENGTH]
    db.session.flush()
    return batch.id


@transactional
def record_check(actor: Actor, office_id: uuid.UUID, contents: Contents[Any], outcome: Outcome) -> uuid.UUID:
    """Keep the dry run of a file: its counts, what it would do first, its rejected rows."""
    require(actor, permission_for(contents.facts.format), office_id)
    batch = _new_batch(office_id, contents.facts, "checked")
    _keep_settings(batch, contents)
    _fill(batch, contents, outcome)
    _keep_rejects(batch, [*contents.rejects, *outcome.rejects])
    db.session.flush()
    return batch.id


@transactional
def bring_in(actor: Actor, office_id: uuid.UUID, contents: Contents[Any]) -> uuid.UUID:
    """Take a file at once, without a dry run before: the batch, applied."""
    require(actor, permission_for(contents.facts.format), office_id)
    batch = _new_batch(office_id, contents.facts, "applied")
    _keep_settings(batch, contents)
    _apply(actor, batch, contents)
    return batch.id


@transactional
def record_recheck(
    actor: Actor, batch_id: uuid.UUID, version: int, contents: Contents[Any], outcome: Outcome, *, headings: str = "", layout: str = ""
) -> uuid.UUID:
    """Keep what a checked spreadsheet would do, read as it was said now; `layout` is remembered for the office's next file with these headings.

    `version` is that of what was said when the form was opened: `Conflict` where somebody said otherwise since."""
    batch = _waiting(actor, batch_id, is_locked=True)
    sheet = db.session.scalars(select(ImportSheet).where(ImportSheet.batch_id == batch.id)).one()
    if sheet.version != version:
        raise Conflict(_("Somebody else said how this file is read, or mended it, since you opened this page. Look at it again."))
    sheet.settings = contents.settings
    batch.rows = contents.facts.rows
    batch.header = json.dumps({"header": contents.facts.header, "tags": contents.facts.tags}, ensure_ascii=False)
    db.session.execute(delete(ImportReject).where(ImportReject.batch_id == batch.id))
    _fill(batch, contents, outcome)
    _keep_rejects(batch, [*contents.rejects, *outcome.rejects])
    if layout:
        mine = (ImportLayout.office_id == batch.office_id, ImportLayout.format == batch.format, ImportLayout.headings == headings)
        known = db.session.scalar(select(ImportLayout).where(*mine))
        if known is None:
            db.session.add(ImportLayout(office_id=batch.office_id, format=batch.format, headings=headings, settings=layout))
        else:
            known.settings = layout
    db.session.flush()
    return batch.id


def _keep_settings(batch: ImportBatch, contents: Contents[Any]) -> None:
    if contents.settings:
        db.session.add(ImportSheet(office_id=batch.office_id, batch_id=batch.id, settings=contents.settings))
        db.session.flush()


def batch_to_apply(actor: Actor, batch_id: uuid.UUID) -> ImportBatch:
    """A checked batch that the actor may bring in. Raises NotFound, Denied, or Conflict where it is not waiting any more."""
    return _waiting(actor, batch_id, is_locked=False)


@transactional
def apply_checked(actor: Actor, batch_id: uuid.UUID, contents: Contents[Any]) -> uuid.UUID:
    """Bring in a checked batch, compared anew: what was changed since the dry run counts as it is now. Once only."""
    hold("import")  # before the batch, as an undo of it does: neither waits for the other's
    batch = _waiting(actor, batch_id, is_locked=True)
    _refuse_another_file(batch, contents)
    db.session.execute(delete(ImportReject).where(ImportReject.batch_id == batch.id))
    batch.state = "applied"
    _apply(actor, batch, contents)
    return batch.id


# --- in the background: by parts, each with the place where the next one begins ---------------------------------------


@transactional
def queue(actor: Actor, batch_id: uuid.UUID, *, carry: Carry) -> uuid.UUID:
    """Ask that a checked batch be brought in by a worker, or the rest of one that stopped in between. Raises NotFound, Denied, or
    Conflict where it is neither."""
    batch = _in_state(actor, batch_id, ("checked", "cancelled", "failed"), is_locked=True)
    if sentence := _why_no_more(batch):
        raise Conflict(sentence)
    batch.state, batch.message = "queued", ""
    db.session.flush()
    return jobs.ask(
        actor, permission_for(batch.format), batch.office_id, kind="import", subject_id=batch.id, total=_records_in(batch), carry=carry
    )


def _why_no_more(batch: ImportBatch) -> str:
    """Why the rest of a batch cannot be brought in, where it is undone, wholly or in part; else ""."""
    if undo_is_going_on(batch):
        return is_being_undone()
    if db.session.scalar(select(ImportUndo.id).where(ImportUndo.batch_id == batch.id)) is not None:
        return _("This import was undone. Bring the file again.")
    if undo_progress(batch).get("is_begun"):
        return _("This import was undone in part. Undo the rest, and bring the file again.")
    return ""


#: The kind of a job that undoes a batch, and where in its `progress` stands what that did.
UNDO = "undo"


def undo_progress(batch: ImportBatch) -> dict[str, Any]:
    """What an undo of a batch did so far, as `import_undo` keeps it; empty where none was begun."""
    found: dict[str, Any] = json.loads(batch.progress or "{}").get(UNDO, {})
    return found


def undo_is_going_on(batch: ImportBatch) -> bool:
    """Whether a worker undoes a batch, or will."""
    job = open_job_of(batch.id)
    return job is not None and job.kind == UNDO


def is_being_undone() -> str:
    """The sentence that says so."""
    return _("This import is being undone. See how far it is on its page.")


def _records_in(batch: ImportBatch) -> int:
    """How many records a checked file has (about: what it rejects and repeats is not known apart)."""
    return max(0, batch.rows - batch.rejected)


@transactional
def begin(actor: Actor, office_id: uuid.UUID, contents: Contents[Any]) -> uuid.UUID:
    """Make the batch of a file that is brought in without a dry run before, by parts that `take_part` takes: "running" until the last one.
    Whoever takes them says so with `stop` where they cannot go on; the rest can follow as that of any batch that stopped in between."""
    require(actor, permission_for(contents.facts.format), office_id)
    batch = _new_batch(office_id, contents.facts, "running")
    _keep_settings(batch, contents)
    _keep_rejects(batch, contents.rejects)
    batch.progress = _packed(Outcome(), 0)
    db.session.flush()
    return batch.id


@transactional
def start(actor: Actor, run: Run, contents: Contents[Any]) -> int | None:
    """Begin a batch, or go on with it: how many of its records were taken in before; None where it is done already."""
    jobs.still_mine(actor, run)
    batch = _in_state(actor, run.subject_id, (*CARRIED_STATES, "failed", "applied"), is_locked=True)
    if batch.state == "applied":
        return None
    if sentence := _why_no_more(batch):
        raise Refused(sentence)
    _refuse_another_file(batch, contents)
    if not batch.progress:  # the first time
        db.session.execute(delete(ImportReject).where(ImportReject.batch_id == batch.id))
        _keep_rejects(batch, contents.rejects)
        batch.taken, batch.progress = 0, _packed(Outcome(), 0)
    batch.state, batch.message = "running", ""
    db.session.flush()
    return batch.taken


def recall(office_id: uuid.UUID, contents: Contents[Any], taken: int) -> Iterator[int]:
    """Have a worker that goes on with a file know what its first `taken` rows said, as the worker did that took them in: they are
    compared again, and nothing is written. Yields how many were read so far."""
    kind = kind_of(contents)
    if not isinstance(kind, ByChunk):
        return
    for start, chunk in enumerate(_chunks(contents.records[:taken])):
        kind.recall(office_id, chunk)
        _forget(kind.lets_go)
        yield start * CHUNK + len(chunk)


@transactional
def take_part(actor: Actor, run: Run | None, contents: Contents[Any], most: int = CHUNK, *, batch_id: uuid.UUID | None = None) -> int:
    """Take in the next records (at most `most`) of a batch that was started, all or none of them: how many are taken in now. After the last one the
    batch is applied. Without a run it is the batch `batch_id`, which was begun. Raises Superseded where the run lost its job, or where the
    batch is a worker's by now, and Conflict where it was stopped: nothing is taken then."""
    if run is not None:
        jobs.still_mine(actor, run)
    hold("import")  # before the batch, as an undo of it does
    batch = _in_state(actor, run.subject_id if run is not None else batch_id, ("running",), is_locked=True)
    if run is None and open_job_of(batch.id) is not None:
        raise Superseded(_("This work was stopped, and goes on in the background."))
    outcome, refused = _unpacked(batch.progress)
    part = contents.records[batch.taken : batch.taken + most]
    _take(actor, batch, contents, part, outcome)
    _keep_rejects(batch, outcome.rejects)
    refused += len(outcome.rejects)
    batch.taken += len(part)
    batch.progress = _packed(outcome, refused)
    if batch.taken >= len(contents.records):
        _fill(batch, contents, outcome)
        batch.rejected = len(contents.rejects) + refused
        batch.state, batch.applied_at = "applied", clock.now()
    db.session.flush()
    return batch.taken


@transactional
def stop(actor: Actor, batch_id: uuid.UUID, state: str, sentence: str) -> None:
    """Say on a batch that its work ended before its end ("failed"), and why. What was taken in stays, and is counted.

    A batch that is done, or gone, stays as it is: its job has nothing to tell it."""
    batch = db.session.scalar(
        select(ImportBatch).where(ImportBatch.id == batch_id).with_for_update().execution_options(populate_existing=True)
    )
    if batch is not None and batch.state in (*CARRIED_STATES, "failed"):
        require(actor, permission_for(batch.format), batch.office_id)
        _stop(batch, state, sentence)


@transactional
def cancel(actor: Actor, batch_id: uuid.UUID) -> ImportBatch:
    """Stop the work on a batch. Before anything was taken in it waits again as it was checked; else what was taken in stays, and is
    counted. Raises NotFound, Denied, or Conflict where no work is going on."""
    batch = _in_state(actor, batch_id, (*CARRIED_STATES, "failed"), is_locked=False)
    if undo_is_going_on(batch):
        raise Conflict(is_being_undone())
    jobs.cancel(actor, permission_for(batch.format), batch.office_id, batch.id)  # a part that is being saved is waited for
    batch = _in_state(actor, batch_id, (*CARRIED_STATES, "failed"), is_locked=True)
    if batch.taken:
        _stop(batch, "cancelled", "")
    else:
        batch.state, batch.message, batch.progress = "checked", "", ""
    return batch


def _stop(batch: ImportBatch, state: str, sentence: str) -> None:
    outcome, refused = _unpacked(batch.progress)
    if batch.progress:
        batch.created, batch.updated, batch.unchanged = outcome.created, outcome.updated, outcome.unchanged
        kept = json.loads(batch.summary or "{}")
        batch.summary = json.dumps({**kept, **_more(outcome), "samples": _samples(outcome)}, ensure_ascii=False)
        batch.rejected = (
            db.session.scalar(select(func.count()).select_from(ImportReject).where(ImportReject.batch_id == batch.id)) or refused
        )
    batch.state, batch.message = state, sentence[:SENTENCE_LENGTH]


def _packed(outcome: Outcome, refused: int) -> str:
    """An outcome so far, as the batch keeps it between two parts."""
    counts = {name: getattr(outcome, name) for name in _COUNTS}
    return json.dumps(
        {
            **counts,
            **_more(outcome),
            "notes": outcome.notes,
            "as_read": outcome.as_read,
            "refused": refused,
            "samples": _samples(outcome),
        },
        ensure_ascii=False,
    )


def _unpacked(text: str) -> tuple[Outcome, int]:
    """The outcome so far, and how many records the database refused."""
    kept = json.loads(text or "{}")
    outcome = Outcome(**{name: kept.get(name, 0) for name in _COUNTS})
    outcome.samples = [
        Sample(one["row"], one["action"], one["title"], tuple((str(a), str(b), str(c)) for a, b, c in one["changes"]))
        for one in kept.get("samples", [])
    ]
    outcome.notes, outcome.as_read = list(kept.get("notes", [])), list(kept.get("as_read", []))
    outcome.doubles = [(int(row), str(name), str(like)) for row, name, like in kept.get("doubles", [])]
    outcome.double_rows, outcome.twins = int(kept.get("double_rows", 0)), kept.get("twins", {})
    outcome.joined, outcome.joined_more = int(kept.get("joined", 0)), int(kept.get("joined_more", 0))
    outcome.rates = dict(kept.get("rates", {}))
    outcome.sums = kept.get("sums", {})
    return outcome, int(kept.get("refused", 0))


def _more(outcome: Outcome) -> dict[str, Any]:
    """What a summary says beside its counts, samples and notes."""
    doubles = {"doubles": outcome.doubles, "double_rows": outcome.double_rows, "twins": outcome.twins}
    doubles |= {"joined": outcome.joined, "joined_more": outcome.joined_more}
    doubles |= {"sure": outcome.sure, "employers": outcome.employers, "organisations": outcome.organisations}
    doubles["organisation_rows"] = outcome.organisation_rows
    return {**doubles, "rates": outcome.rates, "sums": outcome.sums}


def _samples(outcome: Outcome) -> list[dict[str, Any]]:
    return [
        {"row": sample.row_number, "action": sample.action, "title": sample.title, "changes": sample.changes} for sample in outcome.samples
    ]


@transactional
def discard(actor: Actor, batch_id: uuid.UUID, *, forget_file: Callable[[str], object]) -> None:
    """Drop a checked or a refused batch; its file, where one is kept, is forgotten once that is saved."""
    batch = _in_state(actor, batch_id, ("checked", "refused"), is_locked=True)
    stored_as = batch.stored_as
    db.session.execute(delete(ImportReject).where(ImportReject.batch_id == batch.id))
    db.session.execute(delete(ImportSheet).where(ImportSheet.batch_id == batch.id))
    db.session.delete(batch)
    db.session.flush()
    if stored_as:
        after_commit(lambda: forget_file(stored_as))


def _refuse_another_file(batch: ImportBatch, contents: Contents[Any]) -> None:
    if contents.facts.sha256 != batch.sha256:
        raise Refused(_("The kept file is not the one that was checked. Bring the file again."))


def _waiting(actor: Actor, batch_id: uuid.UUID, *, is_locked: bool) -> ImportBatch:
    return _in_state(actor, batch_id, ("checked",), is_locked=is_locked)


def _in_state(actor: Actor, batch_id: uuid.UUID | None, states: Sequence[str], *, is_locked: bool) -> ImportBatch:
    statement = select(ImportBatch).where(ImportBatch.id == batch_id, ImportBatch.format != BULK)
    batch = db.session.scalar(statement.with_for_update().execution_options(populate_existing=True) if is_locked else statement)
    if batch is None:
        raise NotFound
    require(actor, permission_for(batch.format), batch.office_id)
    if batch.state not in states:
        raise Conflict(
            _("This file is being brought in. See how far it is on its page.")
            if batch.state in CARRIED_STATES
            else _("This file was brought in, or refused, before. Nothing was done a second time.")
        )
    return batch


def _new_batch(office_id: uuid.UUID, facts: FileFacts, state: str) -> ImportBatch:
    batch = ImportBatch(
        office_id=office_id,
        reference=next_reference(office_id, "import"),
        format=facts.format,
        file_name=facts.name[:_NAME_LENGTH],
        sha256=facts.sha256,
        size=facts.size,
        stored_as=facts.stored_as,
        state=state,
        message="",
        header=json.dumps({"header": facts.header, "tags": facts.tags}, ensure_ascii=False),
        summary=json.dumps({"notes": [], "samples": []}),
        rows=facts.rows,
        created=0,
        updated=0,
        unchanged=0,
        rejected=0,
    )
    db.session.add(batch)
    db.session.flush()
    return batch


def _fill(batch: ImportBatch, contents: Contents[Any], outcome: Outcome) -> None:
    """Write the counts and the summary of a batch."""
    batch.created, batch.updated, batch.unchanged = outcome.created, outcome.updated, outcome.unchanged
    batch.rejected = len(contents.rejects) + len(outcome.rejects)
    notes = [*contents.notes, *outcome.notes]
    if outcome.older:
        notes.append(
            ngettext(
                "%(num)d row is older than what is held; the newer stays.",
                "%(num)d rows are older than what is held; the newer stays.",
                outcome.older,
            )
        )
    kept = {"notes": notes[:100], "samples": _samples(outcome), **_more(outcome), "control": dict(contents.control)}
    kept |= {"is_open": contents.is_open, "left_out": list(contents.left_out), "mended": contents.mended, "settled": contents.settled}
    kept |= {"turnable": list(contents.turnable), "as_read": [*contents.as_read, *outcome.as_read][:100]}
    batch.summary = json.dumps(kept, ensure_ascii=False)


def _keep_rejects(batch: ImportBatch, rejects: Sequence[Reject]) -> None:
    for start in range(0, len(rejects), CHUNK):
        db.session.add_all(
            ImportReject(
                office_id=batch.office_id,
                batch_id=batch.id,
                row_number=reject.row_number,
                column=reject.column[:_COLUMN_LENGTH],
                reason=reject.reason[:SENTENCE_LENGTH],
                raw=json.dumps(reject.raw, ensure_ascii=False),
                also=_also(reject.also),
            )
            for reject in rejects[start : start + CHUNK]
        )
        db.session.flush()


def _also(problems: Sequence[tuple[str, str]]) -> str:
    """The further problems of a row as they are kept; a row of very many says the first of them."""
    kept = [[column[:_COLUMN_LENGTH], reason[:SENTENCE_LENGTH]] for column, reason in problems[:_MOST_PROBLEMS]]
    return json.dumps(kept, ensure_ascii=False) if kept else ""


def _apply(actor: Actor, batch: ImportBatch, contents: Contents[Any]) -> None:
    """One file after the other: two at the same moment would both make the organisation, or the row, that neither finds yet."""
    hold("import")
    outcome = Outcome()
    _take(actor, batch, contents, contents.records, outcome)
    _fill(batch, contents, outcome)
    _keep_rejects(batch, [*contents.rejects, *outcome.rejects])
    batch.applied_at = clock.now()
    db.session.flush()


def _take(actor: Actor, batch: ImportBatch, contents: Contents[Any], records: Sequence[Any], outcome: Outcome) -> None:
    """Compare some records of a file with what is held, and write what differs; count it, and write down what was done."""
    kind = kind_of(contents)
    with import_journal.journaling(batch):
        if kind is None:
            _compare_rates(records, outcome)
            rates.apply_sheets(actor, records, batch.id)
            return
        kind.prepare(actor, batch, records)
        import_journal.keep()
        for chunk in _chunks(records):
            _apply_chunk(kind, batch, chunk, outcome)


def _apply_chunk(kind: Kind[Any], batch: ImportBatch, chunk: Sequence[Any], outcome: Outcome) -> None:
    """Write some rows together; where the database refuses one of them, each on its own, so that only that one is left out."""
    before = (outcome.created, outcome.updated, outcome.unchanged, outcome.older, outcome.joined, outcome.joined_more, len(outcome.samples))
    refused, sums, doubles = len(outcome.rejects), deepcopy(outcome.sums), (len(outcome.doubles), outcome.double_rows)
    try:
        with savepoint():
            _write(kind, batch, chunk, outcome)
            import_journal.keep()
    except (IntegrityError, DataError) as error:
        import_journal.forget()
        outcome.created, outcome.updated, outcome.unchanged, outcome.older, outcome.joined, outcome.joined_more = before[:6]
        del outcome.samples[before[6] :], outcome.rejects[refused:], outcome.doubles[doubles[0] :]
        outcome.sums, outcome.double_rows = sums, doubles[1]
        if len(chunk) > 1:
            for record in chunk:
                _apply_chunk(kind, batch, [record], outcome)
            return
        record = chunk[0]
        log.warning("row %s of %s was refused by the database: %s", record.row_number, batch.reference, type(error.orig).__name__)
        outcome.rejects.append(
            Reject(record.row_number, "", _("The database refused this row: a value breaks one of its rules."), record.raw)
        )
    _forget(kind.lets_go if isinstance(kind, ByChunk) else ())


def _write(kind: Kind[Any], batch: ImportBatch, chunk: Sequence[Any], outcome: Outcome) -> None:
    if isinstance(kind, ByChunk):
        kind.take(batch.office_id, chunk, outcome, is_writing=True)
        return
    held = kind.held(batch.office_id, chunk)
    for record in chunk:
        action, row, changes = _judge(kind, held, record, outcome)
        if action == "created":
            kind.create(batch, record)
        elif action == "updated":
            kind.change(batch, row, record, changes)


def _forget(more: tuple[type[Any], ...] = ()) -> None:
    """Let go of rows that have been written, so that memory stays flat on a large file."""
    session = db.session()
    kinds: tuple[type[Any], ...] = (*_LET_GO, *more)
    changed = session.dirty
    for record in list(session.identity_map.values()):
        if isinstance(record, kinds) and record not in changed:
            session.expunge(record)

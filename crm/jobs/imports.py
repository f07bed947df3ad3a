"""Bringing a file in: reading it (exchange), keeping it, and handing its rows to the service. Pages and commands call this."""

from __future__ import annotations

import hashlib
import secrets
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from flask import current_app

from crm.db import db, refresh_statistics
from crm.errors import BusyError, Conflict, Refused, ThroughlineError
from crm.exchange import registry
from crm.exchange.columns import Column, locate
from crm.exchange.fts import FLOW_COLUMNS, REQUIREMENT_COLUMNS, FlowParty, FlowRow, RequirementFile, RequirementRow
from crm.exchange.rates import RATE_COLUMNS, RateFile, RateSheet
from crm.exchange.sheets import Setup
from crm.exchange.tabular import RowNote, RowProblem, open_table, read_bytes, rejects_csv, unpack_single
from crm.i18n import _, ngettext
from crm.jobs import engine, sheets
from crm.jobs.large import Waiting, seldom_collecting
from crm.models.imports import ImportBatch
from crm.money import Money, to_minor
from crm.policy import Actor, require
from crm.queries import imports as held
from crm.queries.jobs import open_job_of
from crm.services import import_undo, imports
from crm.services.import_kinds import Contents, FileFacts, Outcome, Reject, ReportedFlow, ReportedRates, ReportedRequirement
from crm.services.jobs import Run

#: What a person may ask for: the formats behind each word. "" leaves it to the file.
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "": tuple(registry.FORMATS),
    "fts": ("fts-flows", "fts-requirements"),
    "rates": ("rates-ecb", "rates-per-usd"),
}
#: What a command may ask for: the words above, and the kinds of spreadsheets.
ASKED = (*(family for family in FAMILIES if family), *sheets.KINDS)
_MOST_NOTES = 50
#: Seconds that a part should take: SQLite has one writer at a time, and another one gives up after five.
_PART_SECONDS = 1.0
_LEAST_PART = 25
#: Rows of money that are brought in at once, or as the first part of a longer file.
_MONEY_PART = 50
#: Seconds between two parts. Who waits for SQLite looks again every tenth of a second at last: a shorter gap would be missed.
_BREATH = {"sqlite": 0.12}
#: Seconds that the command waits before it tries again a part that could not begin; SQLite itself waits for five each time.
_WAITS = {"sqlite": (1, 2, 4, 8)}
_ISO3 = 3
#: A file with this share of the needed columns is taken for one of that kind with columns missing.
_ENOUGH = 0.3
_COLUMNS: Mapping[str, Mapping[str, Column]] = {
    "fts-flows": FLOW_COLUMNS,
    "fts-requirements": REQUIREMENT_COLUMNS,
    "rates-per-usd": RATE_COLUMNS,
}
#: FTS's words for kinds of organisations, and ours.
_KINDS: Mapping[str, str] = {
    "government": "government",
    "un agency": "un-agency",
    "ngo": "ngo",
    "red cross/red crescent": "ngo",
    "pooled fund": "pooled-fund",
    "private organization/foundation": "private-sector",
    "financial institution": "private-sector",
}


def check_file(actor: Actor, office_id: uuid.UUID, family: str, name: str, data: bytes) -> uuid.UUID:
    """Read a file and keep what it would do (a dry run): the batch, waiting to be brought in, or refused with its sentence.

    `family`: "fts", "rates", a kind of spreadsheet, a format's slug, or "" to tell by the headings. A refused file changes nothing
    else, and is not kept."""
    require(actor, imports.permission_for(family), office_id)
    try:
        read = _read(family, name, data, office_id)
    except Refused as error:
        return _record_refusal(actor, office_id, family, name, data, str(error))
    with _stored(data) as stored_as:
        contents = read.kept_as(stored_as)
        return imports.record_check(actor, office_id, contents, _compared(office_id, contents))


def apply_batch(actor: Actor, batch_id: uuid.UUID) -> uuid.UUID:
    """Bring in a file that was checked. Raises NotFound, Denied, Conflict (done before), Refused (the kept file is gone)."""
    read = _kept(imports.batch_to_apply(actor, batch_id))
    applied = imports.apply_checked(actor, batch_id, read)
    refresh_statistics()
    return applied


def _kept(batch: ImportBatch) -> Contents[Any]:
    """The file of a batch, read again. Raises Refused where it is not kept any more."""
    path = folder() / batch.stored_as
    if not batch.stored_as or not path.is_file():
        raise Refused(_("The file is no longer kept here. Bring it again."))
    read = _read(batch.format, batch.file_name, path.read_bytes(), batch.office_id, sheets.setup_of(batch.id))
    return read.kept_as(batch.stored_as)


def is_short(batch: ImportBatch) -> bool:
    """Whether a checked file is brought in at once, within about a second; a longer one is work for the background."""
    return batch.rows <= _at_once(batch.format)


def _at_once(slug: str) -> int:
    """How many rows of a format are brought in at once."""
    return _MONEY_PART if _is_money(slug) else imports.CHUNK


def _is_money(slug: str) -> bool:
    """Whether a file's rows are money, of which each is taken by its own service: some tens a second."""
    return slug in sheets.KINDS and sheets.KINDS[slug].is_money


def apply_in_background(actor: Actor, batch_id: uuid.UUID) -> None:
    """Have a worker bring in a checked file, or the rest of one that stopped in between. Raises NotFound, Denied, Conflict."""
    imports.queue(actor, batch_id, carry=engine.carry)


def cancel(actor: Actor, batch_id: uuid.UUID) -> None:
    """Stop the background work on a file. Raises NotFound, Denied, Conflict (none is going on)."""
    imports.cancel(actor, batch_id)


def _perform(running: engine.Running) -> None:
    """Bring a file in by parts, from the place where the last run left it. Between two parts others may save."""
    who = running.actor()
    contents = _kept(held.get(running.run.subject_id))
    taken = imports.start(who, running.run, contents)
    if taken is None:
        return
    for _seen in imports.recall(held.get(running.run.subject_id).office_id, contents, taken):
        running.may_go_on()

    def part(taken: int, size: int) -> int:
        running.may_go_on()
        who = running.actor()
        running.progress(who, taken, len(contents.records))
        return imports.take_part(who, running.run, contents, size)

    _take_parts(contents, taken, part)


def _take_parts(contents: Contents[Any], taken: int, part: Callable[[int, int], int]) -> None:
    """Bring in what is left of a file after the first `taken` records. `part(taken, size)` takes the next ones in, and says how many are
    taken in then; between two parts others may save."""
    size = _MONEY_PART if _is_money(contents.facts.format) else imports.CHUNK // 2
    with seldom_collecting():
        while True:
            started = time.monotonic()
            taken = part(taken, size)
            if taken >= len(contents.records):
                break
            size = _next_size(size, time.monotonic() - started)
            time.sleep(_BREATH.get(db.engine.dialect.name, 0))
    refresh_statistics()


def _next_size(size: int, seconds: float) -> int:
    """How many records the next part has, after one of `size` took so long."""
    wanted = int(size * _PART_SECONDS / max(seconds, 0.01))
    return max(_LEAST_PART, min(wanted, size * 2, imports.CHUNK))


engine.WORKS["import"] = engine.Work(
    perform=_perform, tell=lambda actor, run, state, sentence: imports.stop(actor, run.subject_id, state, sentence)
)


def import_file(actor: Actor, office_id: uuid.UUID, family: str, name: str, data: bytes, *, dry_run: bool = False) -> uuid.UUID:
    """Check a file, or bring it in: the batch ("checked", "applied" or "refused"; its message says why).

    A short file is brought in in one transaction, a longer one by parts, as a worker does it. Where a part cannot be taken in, what was
    taken in stays, the batch says why it stopped, and the error is raised: the rest can follow, or all of it be undone."""
    require(actor, imports.permission_for(family), office_id)
    try:
        read = _read(family, name, data, office_id, is_asking=False)
    except Refused as error:
        return _record_refusal(actor, office_id, family, name, data, str(error))
    with _stored(data) as stored_as:
        contents = read.kept_as(stored_as)
        if dry_run:
            return imports.record_check(actor, office_id, contents, _compared(office_id, contents))
        if len(contents.records) <= _at_once(contents.facts.format):
            batch_id = imports.bring_in(actor, office_id, contents)
            refresh_statistics()
            return batch_id
        batch_id = imports.begin(actor, office_id, contents)
    _bring_in_parts(actor, batch_id, contents)
    return batch_id


def _bring_in_parts(actor: Actor, batch_id: uuid.UUID, contents: Contents[Any]) -> None:
    """Bring in a batch that was begun; where that ends before its end, the batch says why."""
    try:
        _take_parts(contents, 0, lambda _taken, size: _insisting(lambda: imports.take_part(actor, None, contents, size, batch_id=batch_id)))
    except BaseException as error:
        why = (
            str(error)
            if isinstance(error, ThroughlineError)
            else _("The command ended in the middle (%(error)s).", error=type(error).__name__)
        )
        with suppress(ThroughlineError):
            if open_job_of(batch_id) is None:  # else it is a worker's by now
                imports.stop(actor, batch_id, "failed", why)
        if not isinstance(error, ThroughlineError):
            raise
        sentence = _(
            "%(reference)s stopped before its end: %(why)s What was brought in stays. On its page the rest can be brought in, or all of it undone.",
            reference=held.get(batch_id).reference,
            why=why,
        )
        raise Conflict(sentence) from error


def _insisting(take: Callable[[], int]) -> int:
    """Take a part in; where others save so much that it could not even begin, try a few times, after longer and longer waits."""
    for wait in _WAITS.get(db.engine.dialect.name, ()):
        try:
            return take()
        except BusyError:
            time.sleep(wait)
    return take()


def _compared(office_id: uuid.UUID, contents: Contents[Any]) -> Outcome:
    with seldom_collecting():
        return imports.compare(office_id, contents)


def sheet_to_mend(actor: Actor, batch_id: uuid.UUID) -> sheets.ReadSheet:
    """A checked spreadsheet as it is read at this moment. Raises NotFound, Denied, Conflict (not waiting any more), Refused."""
    return _reread(actor, batch_id, sheets.setup_of(batch_id))


def recheck_sheet(actor: Actor, batch_id: uuid.UUID, version: int, setup: Setup, *, is_remembered: bool = False) -> uuid.UUID:
    """Read a checked spreadsheet as `setup` says, and keep what it would do now. Raises also Conflict where somebody said otherwise since,
    and Invalid (totals) where what the amounts should come to cannot be read."""
    read = _reread(actor, batch_id, setup)
    sheets.said_totals(read.file, setup.totals)
    outcome = _compared(held.get(batch_id).office_id, read.contents)
    layout = read.file.remembered().dump() if is_remembered else ""
    headings = sheets.headings_digest(read.file)
    return imports.record_recheck(actor, batch_id, version, read.contents, outcome, headings=headings, layout=layout)


def _reread(actor: Actor, batch_id: uuid.UUID, setup: Setup) -> sheets.ReadSheet:
    batch = imports.batch_to_apply(actor, batch_id)
    path = folder() / batch.stored_as
    if batch.format not in sheets.KINDS or not batch.stored_as or not path.is_file():
        raise Refused(_("The file is no longer kept here. Bring it again."))
    data = path.read_bytes()
    return sheets.read(batch.office_id, batch.format, data, setup, partial(_facts, batch.format, batch.file_name, data))


def undo_is_short(batch: ImportBatch) -> bool:
    """Whether a batch is undone at once; a longer undo is work for the background, as bringing in is."""
    return import_undo.size_of(batch) <= (_MONEY_PART if _is_money(batch.format) else imports.CHUNK)


def undo(actor: Actor, batch_id: uuid.UUID) -> None:
    """Undo a batch now: a short one in one transaction, a longer one by parts, between which others may save. Raises as
    `import_undo.undo` does."""
    if undo_is_short(held.get(batch_id)):
        import_undo.undo(actor, batch_id)
    else:
        _undo_by_parts(batch_id, lambda _done, _left: actor)


def undo_in_background(actor: Actor, batch_id: uuid.UUID) -> None:
    """Have a worker undo a batch, or the rest of it. Raises NotFound, Denied, Conflict."""
    import_undo.queue(actor, batch_id, carry=engine.carry)


def cancel_undo(actor: Actor, batch_id: uuid.UUID) -> None:
    """Stop undoing a batch. Raises NotFound, Denied, Conflict (none is going on)."""
    import_undo.cancel(actor, batch_id)


def _perform_undo(running: engine.Running) -> None:
    running.actor()
    batch_id = running.run.subject_id
    if import_undo.undone(batch_id) is not None:
        return

    def between(done: int, left: int) -> Actor:
        running.may_go_on()
        who = running.actor()
        running.progress(who, done, done + left)
        return who

    _undo_by_parts(batch_id, between, running.run)


def _undo_by_parts(batch_id: uuid.UUID, between: Callable[[int, int], Actor], run: Run | None = None) -> None:
    """Undo what is left of a batch. `between` is called before each part with how much was done and is left, and says who does it."""
    batch = held.get(batch_id)
    size = _MONEY_PART if _is_money(batch.format) else imports.CHUNK
    doing = import_undo.parts(batch)
    who = between(0, doing.left)
    while doing.units:
        started = time.monotonic()
        done = import_undo.take_back_part(who, batch_id, doing, size, run)
        size = _next_size(size, time.monotonic() - started)
        time.sleep(_BREATH.get(db.engine.dialect.name, 0))
        who = between(done, doing.left)
    import_undo.finish(who, batch_id, doing, run)
    refresh_statistics()


engine.WORKS[imports.UNDO] = engine.Work(
    perform=_perform_undo, tell=lambda actor, run, _state, sentence: import_undo.fail(actor, run.subject_id, sentence)
)


def discard(actor: Actor, batch_id: uuid.UUID) -> None:
    """Drop a checked or refused file and what was kept of it."""
    imports.discard(actor, batch_id, forget_file=_forget)


def rejects_of(batch: ImportBatch) -> bytes:
    """The rejected rows of a batch as CSV, each with its row number, column and reason, to be mended and brought again."""
    header, tags = held.header_of(batch)
    problems = (
        RowProblem(row.row_number, row.column, row.reason, tuple(held.cells_of(row)), held.also_of(row))
        for row in held.every_reject(batch.id)
    )
    return rejects_csv(problems, header, tags)


def write_rejects(batch: ImportBatch) -> Path | None:
    """The rejected rows of a batch as a file in the folder of imports; None where there are none."""
    if not batch.rejected:
        return None
    path = folder() / f"{batch.reference}-rejects.csv"
    path.write_bytes(rejects_of(batch))
    path.chmod(0o600)
    return path


# --- the kept file ----------------------------------------------------------------------------------------------


def folder() -> Path:
    """Where files that were brought are kept, under random names; nothing in it is served."""
    path = Path(current_app.instance_path) / "imports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextmanager
def _stored(data: bytes) -> Iterator[str]:
    """Keep the file; where what follows fails, it is not kept."""
    name = f"{secrets.token_hex(16)}.bin"
    path = folder() / name
    path.touch(mode=0o600)
    try:
        path.write_bytes(data)
        yield name
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _forget(stored_as: str) -> None:
    (folder() / Path(stored_as).name).unlink(missing_ok=True)


# --- reading ----------------------------------------------------------------------------------------------------


def _record_refusal(actor: Actor, office_id: uuid.UUID, family: str, name: str, data: bytes, sentence: str) -> uuid.UUID:
    """Keep why a file was refused as a whole; of the file itself only its name, size and digest."""
    kind = family if family in registry.FORMATS or family in FAMILIES or family in sheets.KINDS else ""
    return imports.record_refusal(actor, office_id, _facts(kind or "unknown", name, data), sentence)


def _facts(slug: str, name: str, data: bytes, *, rows: int = 0, header: Sequence[str] = (), tags: Sequence[str] = ()) -> FileFacts:
    shown = "".join(c for c in Path(name.replace("\\", "/")).name if c.isprintable()).strip() or _("unnamed file")
    return FileFacts(slug, shown[:200], hashlib.sha256(data).hexdigest(), len(data), "", tuple(header), tuple(tags), rows)


def _read(
    family: str, name: str, data: bytes, office_id: uuid.UUID, setup: Setup | None = None, *, is_asking: bool = True
) -> Contents[Any]:
    """The facts, records, rejected rows and notes of a file, its records set aside until they are asked for. Raises `Refused`; where nobody
    can be asked, also for a missing column."""
    with seldom_collecting():
        read = _read_whole(family, name, data, office_id, setup, is_asking=is_asking)
        return replace(read, records=Waiting(read.records)) if len(read.records) > imports.CHUNK else read


def _read_whole(
    family: str, name: str, data: bytes, office_id: uuid.UUID, setup: Setup | None = None, *, is_asking: bool = True
) -> Contents[Any]:
    if family in sheets.KINDS:
        sheet = sheets.read(office_id, family, data, setup or Setup(), partial(_facts, family, name, data))
        if not is_asking and (missing := sheet.file.missing()):
            raise Refused(sheets.no_column(", ".join(missing)))
        return sheet.contents
    content = unpack_single(read_bytes(data))
    wanted = FAMILIES.get(family, (family,))
    if len(wanted) == 1:
        chosen: registry.FileFormat | None = registry.find(wanted[0])
    else:
        chosen = registry.recognise(content)
    if chosen is None:
        _say_what_is_missing(content, wanted)
    if chosen.slug not in wanted:
        raise Refused(_("This is a file of %(kind)s. Bring it as such.", kind=str(chosen.title)))
    file = chosen.read(content)
    rejects = [Reject(problem.row_number, problem.column, problem.reason, problem.raw) for problem in file.problems]
    notes = _sentences(file.notes)
    if isinstance(file, RateFile):
        records: list[Any] = [_rates(place, sheet) for place, sheet in enumerate(file.sheets, 1)]
        facts = _facts(chosen.slug, name, data, rows=len(records) + len(rejects), header=file.header)
    elif isinstance(file, RequirementFile):
        _refuse_clusters(file)
        records = [_requirement(row) for row in file.rows if len(row.country) <= _ISO3]
        reason = _("The country is given by its three-letter code.")
        rejects += [Reject(row.row_number, "countryCode", reason, row.raw.cells) for row in file.rows if len(row.country) > _ISO3]
        facts = _facts(chosen.slug, name, data, rows=file.row_count, header=file.header, tags=file.tags)
    else:
        records = [_flow(row) for row in file.rows]
        facts = _facts(chosen.slug, name, data, rows=file.row_count, header=file.header, tags=file.tags)
    return Contents(facts, records, rejects, notes)


def _say_what_is_missing(data: bytes, wanted: Sequence[str]) -> NoReturn:
    """Refuse a file of no known kind: in the words of the reader it comes nearest to, else by naming what is read here."""
    table = open_table(data)
    found = {slug: len(locate(table, columns).keys() & _needed(columns)) / len(_needed(columns)) for slug, columns in _COLUMNS.items()}
    nearest = max(found, key=lambda slug: (slug in wanted, found[slug]))
    if nearest in wanted and found[nearest] >= _ENOUGH:
        registry.find(nearest).read(data)
    kinds = ", ".join(str(registry.FORMATS[slug].title) for slug in wanted)
    raise Refused(_("No known kind of file has these headings. What is read here: %(kinds)s.", kinds=kinds))


def _needed(columns: Mapping[str, Column]) -> set[str]:
    return {name for name, column in columns.items() if column.required}


def _sentences(notes: Sequence[RowNote]) -> list[str]:
    """Notes as sentences for the summary: the file's own first, then the rows', as many as a person reads."""
    ordered = sorted(notes, key=lambda note: (note.row_number > 0, note.row_number))
    said = [
        _("Row %(row)s: %(text)s", row=note.row_number, text=note.text) if note.row_number else note.text for note in ordered[:_MOST_NOTES]
    ]
    left = len(ordered) - len(said)
    if left:
        said.append(ngettext("%(num)d more remark of this kind.", "%(num)d more remarks of this kind.", left))
    return said


def _refuse_clusters(file: RequirementFile) -> None:
    if any(row.cluster or row.cluster_code for row in file.rows):
        raise Refused(_("This file divides each plan by cluster, so its rows are parts of plans. Bring FTS's file of whole plans."))


def _minor(amount: Decimal | None, currency: str | None) -> int | None:
    return None if amount is None or currency is None else to_minor(Money(amount, currency))


def _flow(row: FlowRow) -> ReportedFlow:
    return ReportedFlow(
        row_number=row.row_number,
        source_id=row.source_id,
        status=row.status.value,
        amount_usd_minor=to_minor(Money(row.amount_usd, "USD")),
        flow_date=row.date,
        donor_name=row.donor.name,
        recipient_name=row.recipient.name,
        boundary=row.boundary.value,
        on_boundary=row.on_boundary.value,
        original_minor=_minor(row.original_amount, row.original_currency),
        original_currency=row.original_currency,
        exchange_rate=row.exchange_rate,
        decision_date=row.decision_date,
        first_reported=row.first_reported,
        budget_year=row.budget_year,
        plan_id=row.plan_id,
        plan_code=row.plan_code,
        plan_name=row.plan_name,
        clusters=",".join(row.clusters),
        project=_project(row),
        emergency=row.emergency,
        locations=",".join(row.recipient.locations),
        usage_years=_years(row.recipient),
        contribution_type=row.contribution_type.value,
        flow_type=row.flow_type.value,
        method=row.method,
        description=row.description,
        keywords=",".join(row.keywords),
        ref_code=row.ref_code,
        reported_updated=row.updated,
        donor_kinds=_kinds(row.donor) | {"donor"},
        recipient_kinds=_kinds(row.recipient),
        raw=row.raw.cells,
    )


def _project(row: FlowRow) -> str:
    if row.project_name and row.project_code:
        return f"{row.project_name} ({row.project_code})"  # kept, so the same in every language
    return row.project_name or row.project_code


def _years(party: FlowParty) -> str:
    years = sorted({year for year in (party.usage_from, party.usage_to) if year is not None})
    return "-".join(map(str, years))


def _kinds(party: FlowParty) -> frozenset[str]:
    return frozenset(kind for text in party.types if (kind := _KINDS.get(text.casefold())))


def _requirement(row: RequirementRow) -> ReportedRequirement:
    return ReportedRequirement(
        row_number=row.row_number,
        plan_name=row.plan_name,
        year=row.year,
        country=row.country,
        plan_id=row.plan_id,
        plan_code=row.plan_code,
        plan_type=row.plan_type,
        starts_on=row.starts,
        ends_on=row.ends,
        requirements_usd_minor=_minor(row.requirements_usd, "USD"),
        funding_usd_minor=_minor(row.funding_usd, "USD"),
        percent_funded=row.percent,
        raw=row.raw.cells,
    )


def _rates(place: int, sheet: RateSheet) -> ReportedRates:
    return ReportedRates(place, sheet.source, sheet.base, sheet.on, dict(sheet.quotes))

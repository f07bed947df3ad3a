"""Bringing FTS files and rates in: dry run, a row whole or not at all, the same file twice, rejects back, refusals."""

from __future__ import annotations

import sys
import threading
import time

import pytest
from sqlalchemy import func, select

from crm.db import Base, db
from crm.errors import Conflict, Denied, NotFound, Refused
from crm.jobs import imports
from crm.models.audit import AuditEntry, AuditValue
from crm.models.flows import Flow, PlanRequirement
from crm.models.imports import ImportBatch
from crm.models.parties import Party
from crm.models.rates import RateSheet
from crm.policy import all_offices, bind_actor, system_actor, unscoped
from crm.queries import imports as held
from crm.services import users
from tests.factories import fts, world

GERMANY = "Germany, Government of"


def bring(actor, data, *, family="fts", dry_run=False, office=None):
    batch_id = imports.import_file(actor, office or actor.home_office_id, family, "file.csv", data, dry_run=dry_run)
    return held.get(batch_id)


def counts(batch):
    return batch.created, batch.updated, batch.unchanged, batch.rejected


def prints(*, without=()):
    """Every row of every table, outside scopes."""
    found = {}
    with unscoped("test"):
        for table in Base.metadata.sorted_tables:
            if table.name not in without:
                found[table.name] = sorted(map(repr, db.session.execute(select(table)).all()))
    return found


IMPORT_TABLES = ("import_batches", "import_rejects", "audit_entries", "audit_values", "reference_counters", "sign_ins", "submissions")


# --- the real file -------------------------------------------------------------------------------------------------


def test_the_real_file_is_the_same_with_and_without_its_tag_row(acting):
    actor = acting("grants")
    first = bring(actor, fts.WITH_TAGS.read_bytes())
    assert (first.state, first.format, first.rows, counts(first)) == ("applied", "fts-flows", 440, (440, 0, 0, 0))
    assert counts(bring(actor, fts.PLAIN.read_bytes())) == (0, 0, 440, 0)


def test_the_same_file_twice_changes_nothing(acting):
    actor = acting("grants")
    bring(actor, fts.PLAIN.read_bytes())
    before = prints(without=IMPORT_TABLES)
    assert counts(bring(actor, fts.PLAIN.read_bytes())) == (0, 0, 440, 0)
    assert prints(without=IMPORT_TABLES) == before


def test_organisations_become_shared_parties_of_their_kind(acting):
    actor = acting("grants")
    bring(actor, fts.PLAIN.read_bytes())
    kinds = {}
    for party in db.session.scalars(select(Party)):
        assert (party.visibility, party.form) == ("shared", "organisation")
        kinds[party.name] = {row.kind for row in party.kinds}
    assert kinds[GERMANY] == {"government", "donor"}
    assert kinds["United Nations Children's Fund"] >= {"un-agency"}
    assert kinds["Jordan Humanitarian Fund"] == {"pooled-fund"}
    assert "Multiple" not in kinds
    assert "" not in kinds


def test_two_offices_imports_meet_in_the_same_parties(acting):
    bring(acting("grants"), fts.file_of({}))
    actor = acting("other-grants")
    before = db.session.scalar(select(func.count(Party.id)))
    assert counts(bring(actor, fts.file_of({}))) == (1, 0, 0, 0)
    assert db.session.scalar(select(func.count(Party.id))) == before
    assert db.session.scalar(select(func.count(Flow.id))) == 1  # P1: the other office's copy is not seen


def test_one_changed_row_updates_one_and_writes_history(acting):
    actor = acting("grants")
    bring(actor, fts.file_of(size=5))
    batch = bring(actor, fts.file_of({"amountUSD": "700000", "updatedAt": "2021-03-01"}, size=5))
    assert counts(batch) == (0, 1, 4, 0)
    flow = db.session.scalar(select(Flow).where(Flow.batch_id == batch.id))
    assert flow.amount_usd_minor == 70_000_000
    entry = db.session.scalar(select(AuditEntry).where(AuditEntry.record_id == flow.id, AuditEntry.action == "changed"))
    changed = {row.field: (row.old, row.new) for row in db.session.scalars(select(AuditValue).where(AuditValue.entry_seq == entry.seq))}
    assert changed["amount_usd_minor"] == ("72568900", "70000000")
    sample = held.summary_of(batch).samples[0]
    assert ["amount_usd_minor", "USD 725689.00", "USD 700000.00"] in sample["changes"]


def test_an_older_copy_of_a_row_does_not_overwrite_a_newer_one(acting):
    actor = acting("grants")
    bring(actor, fts.file_of({"amountUSD": "700000", "updatedAt": "2021-03-01"}))
    batch = bring(actor, fts.file_of({}))
    assert counts(batch) == (0, 0, 1, 0)
    assert "older" in held.summary_of(batch).notes[-1]
    assert db.session.scalar(select(Flow.amount_usd_minor)) == 70_000_000


def test_a_flow_id_seen_twice_counts_once(acting):  # M16
    actor = acting("grants")
    data = fts.file_of({}, {})
    line = data.split(b"\r\n")[1]
    batch = bring(actor, data + line + b"\r\n")
    assert (batch.rows, counts(batch)) == (3, (2, 0, 0, 0))


def test_requirements_are_kept_as_fts_gives_them(acting):
    actor = acting("grants")
    batch = bring(actor, fts.REQUIREMENTS.read_bytes())
    assert (batch.format, counts(batch)) == ("fts-requirements", (3, 0, 0, 0))
    plan = db.session.scalar(select(PlanRequirement).where(PlanRequirement.plan_code == "RSYR20"))
    assert (plan.requirements_usd_minor, plan.funding_usd_minor) == (147_542_199_600, 59_724_984_300)
    assert counts(bring(actor, fts.REQUIREMENTS.read_bytes())) == (0, 0, 3, 0)


def test_a_file_of_parts_of_plans_is_refused(acting):
    data = fts.REQUIREMENTS.read_bytes().replace(b"percentFunded", b"percentFunded,cluster").replace(b",40\n", b",40,Health\n")
    data = data.replace(b"+pct", b"+pct,#sector+cluster+name").replace(b",35\n", b",35,Health\n").replace(b"98392138,", b"98392138,,")
    batch = bring(acting("grants"), data)
    assert batch.state == "refused"
    assert "cluster" in batch.message


# --- dry run, applying, discarding ---------------------------------------------------------------------------------


def test_a_dry_run_writes_only_the_batch_and_applying_it_does_what_it_said(acting):
    actor = acting("grants")
    before = prints(without=IMPORT_TABLES)
    batch = bring(actor, fts.PLAIN.read_bytes(), dry_run=True)
    assert (batch.state, counts(batch)) == ("checked", (440, 0, 0, 0))
    assert prints(without=IMPORT_TABLES) == before
    assert len(held.summary_of(batch).samples) == 20
    imports.apply_batch(actor, batch.id)
    assert (held.get(batch.id).state, counts(held.get(batch.id))) == ("applied", (440, 0, 0, 0))
    with pytest.raises(Conflict):
        imports.apply_batch(actor, batch.id)


def test_applying_compares_anew(acting):
    actor = acting("grants")
    waiting = bring(actor, fts.file_of(size=3), dry_run=True).id
    bring(actor, fts.file_of(size=2))
    imports.apply_batch(actor, waiting)
    assert counts(held.get(waiting)) == (1, 0, 2, 0)


def test_a_discarded_file_is_gone(acting):
    actor = acting("grants")
    batch = bring(actor, fts.file_of({}, {"amountUSD": "x"}), dry_run=True)
    assert (imports.folder() / batch.stored_as).is_file()
    imports.discard(actor, batch.id)
    assert list(imports.folder().iterdir()) == []
    with pytest.raises(NotFound):
        held.get(batch.id)


def test_a_kept_file_that_was_tampered_with_is_not_applied(acting):
    actor = acting("grants")
    batch = bring(actor, fts.file_of(size=1), dry_run=True)
    (imports.folder() / batch.stored_as).write_bytes(fts.file_of(size=2))
    before = prints()
    with pytest.raises(Refused):
        imports.apply_batch(actor, batch.id)
    (imports.folder() / batch.stored_as).unlink()
    with pytest.raises(Refused):
        imports.apply_batch(actor, batch.id)
    assert prints() == before


# --- rejects -------------------------------------------------------------------------------------------------------


def test_rejected_rows_come_back_as_a_file_and_are_taken_once_mended(acting):
    actor = acting("grants")
    bad = fts.file_of({}, {"amountUSD": "12,5"}, {"status": "promised", "description": '=HYPERLINK("http://x")'}, size=4)
    batch = bring(actor, bad)
    assert counts(batch) == (2, 0, 0, 2)
    rows = [(row.row_number, row.column) for row in held.every_reject(batch.id)]
    assert rows == [(3, "amountUSD"), (4, "status")]
    back = imports.rejects_of(batch)
    assert b"\"'=HYPERLINK" in back
    mended = back.replace(b'"12,5"', b'"12.5"').replace(b'"promised"', b'"paid"')
    again = bring(actor, mended)
    assert counts(again) == (2, 0, 0, 0)
    flow = db.session.scalar(select(Flow).where(Flow.description.startswith("=")))
    assert flow.description == '=HYPERLINK("http://x")'


def test_a_row_the_database_refuses_is_left_out_alone(acting, monkeypatch):
    actor = acting("grants")
    real = imports._flow

    def broken(row):
        made = real(row)
        object.__setattr__(made, "status", "impossible" if row.row_number == 3 else made.status)
        return made

    monkeypatch.setattr(imports, "_flow", broken)
    batch = bring(actor, fts.file_of(size=4))
    assert counts(batch) == (3, 0, 0, 1)
    assert [row.row_number for row in held.every_reject(batch.id)] == [3]
    assert db.session.scalar(select(func.count(Flow.id))) == 3


# --- refusals: nothing is changed ----------------------------------------------------------------------------------

_HEAD = fts.file_of(size=3)
REFUSED = {
    "empty": b"",
    "blank": b"\n \r\n",
    "wrong header": b"name,telephone\nA,1\n",
    "missing column": _HEAD.replace(b"amountUSD", b"amount"),
    "zero bytes": _HEAD[:200] + b"\0\0" + _HEAD[200:],
    "truncated": _HEAD[: len(_HEAD) - 120],
    "not a table": b"%PDF-1.7 ...",
    "markup": b"<html><script>alert(1)</script></html>",
    "open quotation mark": _HEAD + b'2021-01-01,"never closed,1,2,3\r\n',
    "zip": b"PK\x03\x04 nothing",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_file_changes_nothing_and_says_why(acting, name):
    actor = acting("grants")
    bring(actor, fts.file_of(size=2))
    before = prints(without=IMPORT_TABLES)
    batch = bring(actor, REFUSED[name])
    assert batch.state == "refused"
    assert len(batch.message) > 15
    assert (counts(batch), batch.stored_as) == ((0, 0, 0, 0), "")
    assert prints(without=IMPORT_TABLES) == before


def test_a_file_over_the_limit_is_refused(acting):
    batch = bring(acting("grants"), _HEAD + b"," * 50_000_001)
    assert batch.state == "refused"
    assert "50.0 MB" in batch.message


def test_rates_are_not_taken_for_flows(acting):
    batch = bring(acting("grants"), b"currency,rate,date\nJOD,0.709,2026-11-01\n")
    assert batch.state == "refused"
    assert "Rates per US dollar" in batch.message


def test_latin_1_markup_and_formulas_are_only_text(acting):
    actor = acting("grants")
    data = fts.file_of({"description": "Ésperance <script>alert(1)</script>"}, {"description": "=1+1"}).decode().encode("latin-1")
    batch = bring(actor, data)
    assert counts(batch) == (2, 0, 0, 0)
    assert "cp1252" in held.summary_of(batch).notes[0]
    texts = set(db.session.scalars(select(Flow.description)))
    assert texts == {"Ésperance <script>alert(1)</script>", "=1+1"}


def test_a_hostile_file_name_is_only_a_name(acting):
    actor = acting("grants")
    batch_id = imports.check_file(actor, actor.home_office_id, "", "../../etc/\x00pass\nwd<b>.csv", fts.file_of({}))
    assert held.get(batch_id).file_name == "passwd<b>.csv"
    assert [path.parent for path in imports.folder().iterdir()] == [imports.folder()]


# --- rates ---------------------------------------------------------------------------------------------------------


def test_rates_are_taken_and_the_same_file_changes_nothing(acting):  # M5
    actor = acting("grants")
    data = b"currency,rate,date\nJOD,0.709,2026-11-01\nKES,129.5,2026-11-01\nXXQ,1,2026-11-01\n"
    batch = bring(actor, data, family="rates")
    assert (batch.format, counts(batch)) == ("rates-per-usd", (1, 0, 0, 1))
    assert db.session.scalar(select(RateSheet.quotes)) == '{"JOD":"0.709","KES":"129.5"}'
    assert counts(bring(actor, data, family="rates")) == (0, 0, 1, 1)
    corrected = data.replace(b"129.5", b"130")
    assert counts(bring(actor, corrected, family="rates")) == (0, 0, 1, 2), "what is held counts in every office"
    assert db.session.scalar(select(RateSheet.quotes)) == '{"JOD":"0.709","KES":"129.5"}'
    with unscoped("test"):
        everything = system_actor(all_offices())
    bind_actor(everything)
    assert counts(bring(everything, corrected, family="rates", office=actor.home_office_id)) == (0, 1, 0, 1)
    assert db.session.scalar(select(RateSheet.quotes)) == '{"JOD":"0.709","KES":"130"}'


# --- who may -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["viewer", "officer", "auditor", "admin", "hq"])
def test_others_are_denied_and_nothing_is_kept(acting, name):
    grants = acting("grants")
    waiting = bring(grants, fts.file_of({}), dry_run=True).id
    actor = acting(name)
    before = prints()
    for family, data in (("fts", fts.file_of({})), ("rates", b"currency,rate,date\nJOD,0.709,2026-11-01\n"), ("fts", b"")):
        with pytest.raises(Denied):
            imports.check_file(actor, grants.home_office_id, family, "x.csv", data)
    with pytest.raises((Denied, NotFound)):
        imports.apply_batch(actor, waiting)
    with pytest.raises((Denied, NotFound)):
        imports.discard(actor, waiting)
    assert prints() == before


def test_another_offices_batch_is_absent(acting):  # P1
    waiting = bring(acting("grants"), fts.file_of({}), dry_run=True).id
    actor = acting("other-grants")
    for act in (imports.apply_batch, imports.discard):
        with pytest.raises(NotFound):
            act(actor, waiting)
    jordan = acting("grants").home_office_id
    bind_actor(actor)
    with pytest.raises(Denied):
        bring(actor, fts.file_of({}), office=jordan)


def test_a_region_may_bring_for_its_country_office(acting):
    jordan = acting("grants").home_office_id
    assert counts(bring(acting("regional"), fts.file_of({}), office=jordan)) == (1, 0, 0, 0)
    acting("grants")
    assert db.session.scalar(select(func.count(ImportBatch.id))) == 1


# --- speed: 300 rows a second with history and scope (printed, and only a far lower floor asserted) -----------------


def test_rows_are_taken_fast_and_statements_do_not_grow_by_the_row(acting, capsys):
    actor = acting("grants")
    size = 2000
    header, rows = fts.rows()
    lines = [",".join(header)]
    place = header.index("id")
    for number in range(size):
        row = list(rows[number % len(rows)])
        row[place] = str(5_000_000 + number)
        lines.append(",".join('"' + cell.replace('"', '""') + '"' for cell in row))
    started = time.perf_counter()
    batch = bring(actor, ("\n".join(lines) + "\n").encode())
    rate = size / (time.perf_counter() - started)
    assert counts(batch) == (size, 0, 0, 0)
    with capsys.disabled():
        sys.stdout.write(f"\n  {db.engine.dialect.name}: {rate:,.0f} rows/s taken in, with history and scope\n")
    assert rate > 30


# --- two files at the same moment ----------------------------------------------------------------------------------


def at_once(app, *jobs):
    """Run jobs (a person, what they bring) in threads that start together; what each raised, or None."""
    barrier, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(place, name, job):
        with app.app_context():
            bind_actor(None)
            actor = users.actor_by_email(world.address(name))
            bind_actor(actor)
            barrier.wait(10)
            try:
                job(actor)
            except Exception as error:  # noqa: BLE001 - whatever it was is looked at
                results[place] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(place, *job)) for place, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return results


@pytest.mark.parametrize("people", [("grants", "grants"), ("grants", "other-grants")])
@pytest.mark.parametrize("is_checked", [False, True])
def test_two_files_at_the_same_moment_lose_and_double_nothing(app, people, is_checked):
    """They share rows and organisations that nobody has recorded yet; of the same office, and of two."""
    header, rows = fts.rows()
    half = [fts.table(header, rows[:40]), fts.table(header, rows[20:60])]
    jobs = []
    for name, data in zip(people, half, strict=True):
        if is_checked:
            with app.app_context():
                bind_actor(None)
                actor = users.actor_by_email(world.address(name))
                bind_actor(actor)
                waiting = bring(actor, data, dry_run=True).id
            jobs.append((name, lambda actor, waiting=waiting: imports.apply_batch(actor, waiting)))
        else:
            jobs.append((name, lambda actor, data=data: bring(actor, data)))
    assert at_once(app, *jobs) == [None, None]
    with app.app_context(), unscoped("test"):
        batches = db.session.scalars(select(ImportBatch)).all()
        assert [batch.rejected for batch in batches] == [0, 0]
        found = db.session.execute(select(Flow.office_id, Flow.source_id)).all()
        offices = len(set(people))
        assert len(found) == len(set(found)) == (60 if offices == 1 else 80)
        assert sum(batch.created + batch.unchanged for batch in batches) == 80
        names = db.session.scalars(select(Party.folded_name)).all()
        assert len(names) == len(set(names)), "an organisation is there twice"


@pytest.mark.sqlite_only
def test_who_waits_too_long_for_another_writer_is_told(app, acting):
    """SQLite has one writer: after five seconds the other is asked to try again, in words, never with an error page."""
    actor = acting("grants")
    with app.app_context():
        other = db.engine.raw_connection()
        cursor = other.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            with pytest.raises(Conflict) as told:
                bring(actor, fts.PLAIN.read_bytes())
            assert "Try again" in str(told.value)
        finally:
            cursor.execute("ROLLBACK")
            other.close()
    assert bring(actor, fts.PLAIN.read_bytes()).state == "applied"

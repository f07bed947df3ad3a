"""Background work: asked for in a transaction, done once whatever dies, stopped, tried again, given up; on both databases."""

from __future__ import annotations

import json
import os
import random
import secrets
import subprocess
import sys
import threading
import time
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from crm import clock
from crm.db import db, transactional
from crm.errors import Conflict, Denied, Invalid, NotFound
from crm.jobs import engine, imports
from crm.models.audit import AuditEntry, AuditValue
from crm.models.flows import Flow
from crm.models.imports import ImportBatch, ImportReject
from crm.models.jobs import Job, Worker
from crm.models.parties import Party
from crm.policy import unscoped
from crm.queries import imports as held
from crm.queries import jobs as queries
from crm.queries.paging import Paging
from crm.services import imports as service
from crm.services import jobs, users
from crm.services.jobs import MOST_TRIES, Superseded, wait_after
from tests.factories import fts
from tests.factories import money as made
from tests.factories.workers import wait_until

LONG = 1200


def check(actor, data) -> uuid.UUID:
    return imports.check_file(actor, actor.home_office_id, "fts", "flows.csv", data)


def fresh(batch_id) -> ImportBatch:
    db.session.rollback()
    db.session.expire_all()
    return held.get(batch_id)


def job_of(subject_id) -> Job:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(Job).where(Job.subject_id == subject_id).order_by(Job.created_at.desc())).first()


def counts(batch):
    return batch.created, batch.updated, batch.unchanged, batch.rejected


def carried(job_id) -> list:
    """What the engine holds for a job: (its state, when it may begin)."""
    rows = engine._client().list_workflows(workflow_id_prefix=str(job_id))
    return [(row.status, row.delay_until_epoch_ms) for row in rows]


def run_once(app, job_id) -> None:
    """One run of a job, as a worker does it."""
    db.session.remove()
    with app.app_context():
        engine.perform(job_id, threading.Event())
        db.session.remove()


def assert_each_row_once(size: int) -> None:
    with unscoped("test"):
        ids = db.session.scalars(select(Flow.source_id)).all()
        assert len(ids) == len(set(ids)) == size
        entries = db.session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.noun == "flows"))
        assert entries == size, "a row was written, and undone or done again"
        names = db.session.scalars(select(Party.folded_name)).all()
        assert len(names) == len(set(names)), "an organisation is there twice"
    db.session.rollback()


# --- asking for it ------------------------------------------------------------------------------------------------------


def test_work_is_asked_for_with_its_transaction_or_not_at_all(acting):
    actor = acting("grants")
    batch_id = check(actor, fts.long_file(600))

    @transactional
    def ask_and_fail() -> None:
        imports.apply_in_background(actor, batch_id)
        raise Invalid("no")

    with pytest.raises(Invalid):
        ask_and_fail()
    assert (fresh(batch_id).state, job_of(batch_id)) == ("checked", None)
    assert engine._client().list_workflows() == []
    imports.apply_in_background(actor, batch_id)
    job = job_of(batch_id)
    assert (fresh(batch_id).state, job.state, job.kind, job.total) == ("queued", "queued", "import", 600)
    assert carried(job.id) == [("ENQUEUED", None)]
    row = engine._client().list_workflows()[0]
    assert row.input == {"args": [str(job.id)], "kwargs": {}}, "the engine holds the key of the job and nothing else"


def test_work_on_a_record_is_asked_for_once(acting):
    actor = acting("grants")
    batch_id = check(actor, fts.long_file(600))
    imports.apply_in_background(actor, batch_id)
    with pytest.raises(Conflict) as told:
        imports.apply_in_background(actor, batch_id)
    assert "is being brought in" in str(told.value)
    with pytest.raises(Conflict):
        imports.apply_batch(actor, batch_id)
    with pytest.raises(Conflict):
        imports.discard(actor, batch_id)
    assert db.session.scalar(select(func.count()).select_from(Job)) == 1


@pytest.mark.parametrize("name", ["viewer", "officer", "auditor", "admin", "hq", "other-grants"])
def test_others_may_neither_ask_nor_stop(acting, name):
    grants = acting("grants")
    batch_id = check(grants, fts.long_file(600))
    imports.apply_in_background(grants, batch_id)
    job_id = job_of(batch_id).id
    actor = acting(name)
    for act in (imports.apply_in_background, imports.cancel):
        with pytest.raises((Denied, NotFound)):
            act(actor, batch_id)
    for act in (engine.retry, jobs.dismiss):
        with pytest.raises((Denied, NotFound, Conflict)):
            act(actor, job_id)
    acting("grants")
    assert (fresh(batch_id).state, job_of(batch_id).state) == ("queued", "queued")


# --- a run ---------------------------------------------------------------------------------------------------------------


def test_a_file_taken_in_by_parts_says_the_same_as_one_taken_in_whole(app, acting):
    actor = acting("grants")
    whole = imports.import_file(actor, actor.home_office_id, "fts", "a.csv", fts.long_file(LONG))
    lines = fts.long_file(LONG + 300).decode().replace("\r\n5000007,", "\r\nno number,")
    batch_id = check(actor, lines.encode())
    before = fresh(batch_id)
    expected, notes = counts(before), held.summary_of(before).notes
    imports.apply_in_background(actor, batch_id)
    run_once(app, job_of(batch_id).id)
    actor = acting("grants")
    batch = fresh(batch_id)
    assert (batch.state, counts(batch)) == ("applied", expected)
    assert batch.applied_at is not None
    assert held.summary_of(batch).notes == notes
    assert len(held.summary_of(batch).samples) == 20
    assert db.session.scalar(select(func.count()).select_from(ImportReject).where(ImportReject.batch_id == batch_id)) == batch.rejected
    assert (job_of(batch_id).state, job_of(batch_id).done) == ("done", job_of(batch_id).total)
    assert fresh(whole).created == LONG
    fields = db.session.scalars(select(AuditValue.field).join(AuditEntry).where(AuditEntry.record_id == batch_id)).all()
    assert not {"taken", "progress"} & set(fields), "the history of a batch is not a diary of its parts"


def test_rates_are_taken_in_by_parts_too(app, acting):
    actor = acting("grants")
    lines = [f"JOD,0.7{day:02d},2025-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 29)]
    lines += [f"JOD,0.7{day:02d},2024-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 29)]
    data = ("currency,rate,date\n" + "\n".join(lines) + "\n").encode()
    batch_id = imports.check_file(actor, actor.home_office_id, "rates", "rates.csv", data)
    assert not imports.is_short(fresh(batch_id))
    imports.apply_in_background(actor, batch_id)
    run_once(app, job_of(batch_id).id)
    acting("grants")
    assert (fresh(batch_id).state, fresh(batch_id).created) == ("applied", 672)


def test_the_run_that_lost_its_job_writes_nothing_more(app, acting):
    """Two workers never do one job twice: whoever begins later has it, and the other one's next part is undone."""
    actor = acting("grants")
    batch_id = check(actor, fts.long_file(LONG))
    imports.apply_in_background(actor, batch_id)
    job_id = job_of(batch_id).id
    system = engine._bound_system()
    first = jobs.begin(system, job_id, lambda _run: None)
    actor = acting("grants")
    contents = imports._kept(held.get(batch_id))
    assert service.start(actor, first, contents) == 0
    assert service.take_part(actor, first, contents) == 500
    run_once(app, job_id)  # another worker, since the first gave no sign of life
    actor = acting("grants")
    assert fresh(batch_id).state == "applied"
    for act in (lambda: service.take_part(actor, first, contents), lambda: service.start(actor, first, contents)):
        with pytest.raises(Superseded):
            act()
    assert_each_row_once(LONG)
    assert counts(fresh(batch_id)) == (LONG, 0, 0, 0)


def test_stopping_keeps_what_was_taken_in_and_the_rest_can_follow(app, acting):
    actor = acting("grants")
    batch_id = check(actor, fts.long_file(LONG))
    imports.apply_in_background(actor, batch_id)
    imports.cancel(actor, batch_id)
    assert (fresh(batch_id).state, counts(fresh(batch_id)), job_of(batch_id).state) == ("checked", (LONG, 0, 0, 0), "cancelled")
    run_once(app, job_of(batch_id).id)  # the engine still holds it
    actor = acting("grants")
    assert db.session.scalar(select(func.count()).select_from(Flow)) == 0
    imports.apply_in_background(actor, batch_id)
    run = jobs.begin(engine._bound_system(), job_of(batch_id).id, lambda _run: None)
    actor = acting("grants")
    contents = imports._kept(held.get(batch_id))
    service.start(actor, run, contents)
    service.take_part(actor, run, contents)
    imports.cancel(actor, batch_id)
    with pytest.raises(Superseded):
        service.take_part(actor, run, contents)
    batch = fresh(batch_id)
    assert (batch.state, batch.taken, counts(batch)) == ("cancelled", 500, (500, 0, 0, 0))
    assert db.session.scalar(select(func.count()).select_from(Flow)) == 500
    with pytest.raises(Conflict):
        imports.cancel(actor, batch_id)
    imports.apply_in_background(actor, batch_id)
    run_once(app, job_of(batch_id).id)
    acting("grants")
    assert (fresh(batch_id).state, counts(fresh(batch_id))) == ("applied", (LONG, 0, 0, 0))
    assert_each_row_once(LONG)


def test_a_file_that_is_gone_fails_at_once_with_its_sentence(app, acting):
    actor = acting("grants")
    batch_id = check(actor, fts.long_file(600))
    imports.apply_in_background(actor, batch_id)
    (imports.folder() / fresh(batch_id).stored_as).unlink()
    run_once(app, job_of(batch_id).id)
    acting("grants")
    batch, job = fresh(batch_id), job_of(batch_id)
    assert (batch.state, job.state) == ("failed", "failed")
    assert batch.message == "The file is no longer kept here. Bring it again."
    assert job.message == "The work was refused. Who asked for it sees why."


def test_who_lost_the_right_meanwhile_brings_nothing_in(app, acting):
    actor = acting("grants")
    batch_id = check(actor, fts.long_file(600))
    imports.apply_in_background(actor, batch_id)
    head = acting("head")
    users.change_user(head, actor.user_id, role="viewer", is_active=True, password="")
    run_once(app, job_of(batch_id).id)
    acting("head")
    assert fresh(batch_id).state == "failed"
    assert "grants officer" in fresh(batch_id).message
    assert db.session.scalar(select(func.count()).select_from(Flow)) == 0


# --- tries ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def faulty(acting, monkeypatch):
    """A job whose work fails with a word of a record in its error; and what its record was told."""
    actor, told = acting("grants"), []

    def perform(_running: engine.Running) -> None:
        raise KeyError("Secretname")

    monkeypatch.setitem(engine.WORKS, "faulty", engine.Work(perform, lambda _actor, _run, state, sentence: told.append((state, sentence))))

    @transactional
    def ask() -> uuid.UUID:
        from crm.policy import Permission

        return jobs.ask(
            actor, Permission.IMPORT_ALL, actor.home_office_id, kind="faulty", subject_id=uuid.uuid4(), total=1, carry=engine.carry
        )

    return ask(), told


def test_a_fault_is_tried_again_after_longer_and_longer_waits_and_then_given_up(app, acting, faulty):
    job_id, told = faulty
    for turn in range(1, MOST_TRIES):
        before = clock.now()
        run_once(app, job_id)
        acting("admin")
        job = db.session.get(Job, job_id)
        assert (job.state, job.tries, job.run) == ("queued", turn, None)
        assert wait_after(turn) <= job.next_try_at - before < wait_after(turn) + timedelta(seconds=20)
        state, until = carried(job_id)[-1]
        assert state == "DELAYED"
        assert abs(until / 1000 - job.next_try_at.timestamp()) < 5
    assert [wait_after(turn).total_seconds() for turn in range(1, MOST_TRIES)] == [4, 16, 64, 256]
    assert told == []
    run_once(app, job_id)
    acting("admin")
    job = db.session.get(Job, job_id)
    assert (job.state, job.tries, len(carried(job_id))) == ("failed", MOST_TRIES, MOST_TRIES)
    assert told == [("failed", job.message)]
    assert job.message.startswith("A fault of the program (KeyError)")
    kept = json.dumps([str(vars(row)) for row in engine._client().list_workflows()])
    assert "Secretname" not in kept + job.message


def test_the_administrator_tries_again_or_dismisses_what_failed(app, acting, faulty):
    job_id, _told = faulty
    for _turn in range(MOST_TRIES):
        run_once(app, job_id)
    admin = acting("admin")
    assert [job.id for job in queries.failed(Paging()).rows] == [job_id]
    engine.retry(admin, job_id)
    job = db.session.get(Job, job_id)
    assert (job.state, job.tries) == ("queued", 0)
    assert carried(job_id)[-1] == ("ENQUEUED", None)
    with pytest.raises(Conflict):
        engine.retry(admin, job_id)
    for _turn in range(MOST_TRIES):
        run_once(app, job_id)
    admin = acting("admin")
    jobs.dismiss(admin, job_id)
    assert list(queries.failed(Paging()).rows) == []
    with pytest.raises(Conflict):
        jobs.dismiss(admin, job_id)


def test_work_that_kills_its_worker_again_and_again_is_given_up(app, acting):
    actor = acting("grants")
    batch_id = check(actor, fts.long_file(600))
    imports.apply_in_background(actor, batch_id)
    job_id = job_of(batch_id).id
    system = engine._bound_system()
    for _turn in range(MOST_TRIES):
        assert jobs.begin(system, job_id, lambda _run: None) is not None
    run_once(app, job_id)
    acting("grants")
    assert (job_of(batch_id).state, fresh(batch_id).state) == ("failed", "failed")
    assert "5 times" in fresh(batch_id).message


def test_getting_further_counts_anew(app, acting):
    actor = acting("grants")
    batch_id = check(actor, fts.long_file(LONG))
    imports.apply_in_background(actor, batch_id)
    job_id = job_of(batch_id).id
    contents = imports._kept(fresh(batch_id))
    for _turn in range(3):
        run = jobs.begin(engine._bound_system(), job_id, lambda _run: None)
    assert job_of(batch_id) is not None
    assert db.session.get(Job, job_id).tries == 2
    actor = acting("grants")
    service.start(actor, run, contents)
    service.take_part(actor, run, contents)
    assert job_of(batch_id).tries == 0


def test_progress_is_written_down_once_a_second_at_the_most(acting, monkeypatch):
    actor = acting("grants")
    batch_id = check(actor, fts.long_file(600))
    imports.apply_in_background(actor, batch_id)
    run = jobs.begin(engine._bound_system(), job_of(batch_id).id, lambda _run: None)
    actor = acting("grants")
    running = engine.Running(run, threading.Event())
    moment = [100.0]
    monkeypatch.setattr(engine.time, "monotonic", lambda: moment[0])
    for done in range(1, 101):
        running.progress(actor, done, 100)
        assert job_of(batch_id).done == (done - 1) // 10 * 10 + 1
        moment[0] += 0.1000001


def test_old_jobs_go_and_failed_ones_stay(app, acting, faulty):
    job_id, _told = faulty
    for _turn in range(MOST_TRIES):
        run_once(app, job_id)
    with clock.frozen(clock.now() + timedelta(days=40)):
        assert jobs.forget_old(engine._bound_system()) == 0
        jobs.dismiss(acting("admin"), job_id)
        assert jobs.forget_old(engine._bound_system()) == 1


# --- places of workers --------------------------------------------------------------------------------------------------------


def test_a_place_is_one_processes_until_it_is_gone(acting):
    system = engine._bound_system()
    alive = lambda _worker: False  # noqa: E731
    assert [jobs.take_place(system, "here", pid, alive) for pid in (1, 2)] == ["worker-1", "worker-2"]
    assert jobs.beat(system, "worker-1", "here", 1)
    assert jobs.take_place(system, "here", 3, lambda worker: worker.pid == 1) == "worker-1"
    assert not jobs.beat(system, "worker-1", "here", 1), "the first one learns that it was taken for dead"
    jobs.leave_place(system, "worker-1", "here", 1)
    assert {worker.name for worker in queries.workers()} == {"worker-1", "worker-2"}
    with pytest.raises(Denied):
        jobs.take_place(acting("grants"), "here", 4, alive)


def test_a_worker_is_gone_when_it_is_silent_or_its_process_ended():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    worker = Worker(name="w", host=engine.host(), pid=process.pid, beat_at=clock.now())
    assert engine.is_gone(worker)
    worker.host = "another"
    assert not engine.is_gone(worker)
    worker.beat_at = clock.now() - queries.SILENCE - timedelta(seconds=1)
    assert engine.is_gone(worker)
    assert not engine.is_gone(Worker(name="w", host=engine.host(), pid=os.getpid(), beat_at=clock.now()))


# --- real workers ----------------------------------------------------------------------------------------------------------------


def ask_for(acting, size) -> uuid.UUID:
    actor = acting("grants")
    batch_id = check(actor, fts.long_file(size))
    imports.apply_in_background(actor, batch_id)
    return batch_id


def kill_in_the_middle(acting, start, size: int, kills: int) -> list[float]:
    """Bring a file in while whichever worker does it is killed, again and again, others being there: seconds until one has the job."""
    seed = secrets.randbelow(10**6)
    chance, took = random.Random(seed), []  # noqa: S311 - when to kill
    pool = [start() for _worker in range(min(kills + 1, 5))]
    for worker in pool:
        worker.ready()
    batch_id = ask_for(acting, size)
    for turn in range(kills):
        taken = fresh(batch_id).taken
        wait_until(lambda taken=taken: fresh(batch_id).taken > taken, 120)
        time.sleep(chance.uniform(0, 0.4))
        run, place = job_of(batch_id).run, _holder(batch_id)
        assert fresh(batch_id).state == "running", f"seed {seed}: the file was too short, {turn} kills done"
        holder = next(worker for worker in pool if worker.place == place and worker.process.poll() is None)
        holder.kill()
        pool = [worker for worker in pool if worker is not holder] + [start()]
        took.append(wait_until(lambda run=run: job_of(batch_id).run not in (None, run), 90))
    wait_until(lambda: fresh(batch_id).state == "applied", 300)
    acting("grants")
    assert counts(fresh(batch_id)) == (size, 0, 0, 0), f"seed {seed}"
    assert_each_row_once(size)
    wait_until(lambda: job_of(batch_id).state == "done", 30)
    return took


def _holder(batch_id) -> str:
    rows = engine._client().list_workflows(status="PENDING", workflow_id_prefix=str(job_of(batch_id).id))
    return str(rows[-1].executor_id) if rows else ""


@pytest.mark.slow
def test_a_worker_killed_five_times_in_mid_import_leaves_each_row_once(acting, start, capsys):
    took = kill_in_the_middle(acting, start, 15_000, 5)
    with capsys.disabled():
        sys.stdout.write(f"\n  {db.engine.dialect.name}: another worker had the job after {', '.join(f'{one:.1f}' for one in took)} s\n")


@pytest.mark.kill
def test_a_worker_killed_twenty_times_in_mid_import_leaves_each_row_once(acting, start, capsys):
    took = kill_in_the_middle(acting, start, 40_000, 20)
    with capsys.disabled():
        sys.stdout.write(f"\n  {db.engine.dialect.name}: taken over after {min(took):.1f} to {max(took):.1f} s\n")


@pytest.mark.slow
def test_two_workers_share_the_work_and_do_nothing_twice(acting, start):
    actor = acting("grants")
    header, rows = fts.rows()
    batches = []
    for number in range(6):
        place = header.index("id")
        own = [[*row[:place], str(6_000_000 + number * 1000 + line), *row[place + 1 :]] for line, row in enumerate((rows * 2)[:520])]
        batches.append(check(actor, fts.table(header, own)))
    for batch_id in batches:
        imports.apply_in_background(actor, batch_id)
    first, second = start().ready(), start().ready()
    wait_until(lambda: all(fresh(batch_id).state == "applied" for batch_id in batches), 180)
    assert {first.place, second.place} == {"worker-1", "worker-2"}
    acting("grants")
    assert_each_row_once(6 * 520)
    for batch_id in batches:
        begun = db.session.scalar(
            select(func.count())
            .select_from(AuditValue)
            .join(AuditEntry)
            .where(AuditEntry.record_id == batch_id, AuditValue.new == "running")
        )
        assert (begun, counts(fresh(batch_id))) == (1, (520, 0, 0, 0))


@pytest.mark.slow
def test_others_save_while_a_long_file_is_brought_in(acting, start, capsys):
    """SQLite has one writer at a time: between two parts it is everybody's turn."""
    batch_id = ask_for(acting, 4000)
    start().ready()
    wait_until(lambda: fresh(batch_id).taken > 0, 60)
    waits = []
    while fresh(batch_id).state == "running":
        actor, began = acting("officer"), time.monotonic()
        made.donor(actor, f"Saved meanwhile {len(waits)}")
        waits.append(time.monotonic() - began)
        time.sleep(0.1)
    assert fresh(batch_id).state == "applied"
    assert len(waits) > 2
    with capsys.disabled():
        sys.stdout.write(f"\n  {db.engine.dialect.name}: {len(waits)} saves meanwhile, the longest {max(waits):.2f} s\n")


@pytest.mark.parametrize(("seconds", "then"), [(0.2, 500), (1.0, 250), (2.0, 125), (60.0, 25)])
def test_a_part_is_as_long_as_about_a_second(seconds, then):
    assert imports._next_size(250, seconds) == then


@pytest.mark.slow
def test_a_worker_that_is_asked_to_end_leaves_the_rest_to_the_next_one(acting, start):
    batch_id = ask_for(acting, 6000)
    first = start().ready()
    wait_until(lambda: fresh(batch_id).taken > 0, 60)
    assert first.end() == 0
    assert "ended." in first.said()
    batch, job = fresh(batch_id), job_of(batch_id)
    assert (job.state, job.tries, 0 < batch.taken < 6000) == ("queued", 0, True)
    assert list(queries.workers()) == []
    assert not queries.is_worker_running()
    start()
    wait_until(lambda: fresh(batch_id).state == "applied", 120)
    acting("grants")
    assert_each_row_once(6000)

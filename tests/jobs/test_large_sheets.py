"""Large spreadsheets of parties: by parts that cost the same at the end as at the beginning, stopped, gone on with, undone whole."""

from __future__ import annotations

import gc
import json
import uuid

import pytest
from sqlalchemy import func, select

from bench.sheets import write_parties
from crm.db import Base, db
from crm.errors import Conflict
from crm.jobs import imports
from crm.jobs.large import Waiting, seldom_collecting
from crm.models.audit import AuditEntry
from crm.models.imports import ImportBatch, ImportChange
from crm.models.parties import Party
from crm.policy import unscoped
from crm.queries import imports as held
from crm.services import imports as service
from crm.services.jobs import Superseded
from tests.factories import world
from tests.factories.counting import count_statements
from tests.jobs.test_background import job_of, run_once

PART, ROWS = 150, 900


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "parties.csv"
    write_parties(path, ROWS, seed=3)
    return path.read_bytes()


def begun(actor, data):
    with imports._stored(data) as stored_as:
        contents = imports._read("parties", "list.csv", data, actor.home_office_id).kept_as(stored_as)
        return service.begin(actor, actor.home_office_id, contents), contents


def in_memory() -> int:
    gc.collect()
    return sum(isinstance(one, Base) for one in gc.get_objects())


def everybody() -> int:
    db.session.rollback()
    with unscoped("test"):
        return db.session.scalar(select(func.count()).select_from(Party)) or 0


def newest() -> ImportBatch:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(ImportBatch).order_by(ImportBatch.created_at.desc()).limit(1)).one()


def test_a_later_part_sends_no_more_statements_and_keeps_no_more_than_an_earlier_one(app, acting, data):
    actor = acting("officer")
    batch_id, contents = begun(actor, data)
    sent, kept, taken = [], [], 0
    while taken < ROWS:
        with count_statements(app) as counted:
            taken = service.take_part(actor, None, contents, PART, batch_id=batch_id)
        sent.append(counted.count)
        kept.append((in_memory(), len(db.session().identity_map), len(contents.kind._made)))
    assert len(sent) == ROWS // PART
    assert max(sent[1:]) <= sent[0] + 6, sent  # a part that makes no organisation sends fewer
    assert kept[-1] == kept[1], kept
    assert kept[-1][2] == 0, "a party that was written is found on record: nobody has to remember it"


def test_the_command_brings_a_long_list_in_by_parts_and_undo_takes_all_of_it_back(app, acting, data, tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(data)
    acting("officer")
    before = everybody()
    done = app.test_cli_runner().invoke(args=["import", "parties", str(path), "--as", world.address("officer"), "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    actor = acting("officer")
    batch = held.get(uuid.UUID(said["batch"]))
    assert (batch.state, batch.taken, batch.created) == ("applied", ROWS, said["created"])
    assert batch.created + batch.updated + batch.unchanged == ROWS
    assert everybody() == before + batch.created
    with unscoped("test"):
        noted = db.session.scalar(
            select(func.count()).select_from(AuditEntry).where(AuditEntry.noun == "parties", AuditEntry.action == "created")
        )
    assert noted >= batch.created
    double_rows = held.summary_of(batch).double_rows
    assert double_rows, "some of the list's names come twice, in another order"
    again = imports.import_file(actor, actor.home_office_id, "parties", "list.csv", data)
    assert (held.get(again).created, held.get(again).unchanged) == (0, ROWS)
    imports.undo(actor, batch.id)
    assert everybody() == before


def test_a_dry_run_says_what_the_parts_do(acting, data):
    actor = acting("officer")
    checked = held.get(imports.import_file(actor, actor.home_office_id, "parties", "list.csv", data, dry_run=True))
    expected = (checked.created, checked.updated, checked.unchanged)
    done = held.get(imports.import_file(actor, actor.home_office_id, "parties", "list.csv", data))
    assert (done.created, done.updated, done.unchanged) == expected


@pytest.mark.parametrize("how", ["stopped", "broken"])
def test_what_was_taken_in_before_an_end_in_the_middle_stays_and_the_rest_can_follow(app, acting, data, monkeypatch, how):
    actor = acting("officer")

    def breath(_seconds):
        if how == "broken":
            message = "somebody pulled the plug"
            raise RuntimeError(message)
        imports.cancel(actor, newest().id)

    with monkeypatch.context() as changed:
        changed.setattr(imports.time, "sleep", breath)
        with pytest.raises(Conflict if how == "stopped" else RuntimeError) as raised:
            imports.import_file(actor, actor.home_office_id, "parties", "list.csv", data)
    batch = newest()
    assert batch.state == ("cancelled" if how == "stopped" else "failed")
    assert 0 < batch.taken < ROWS
    assert batch.created
    if how == "stopped":
        assert batch.reference in str(raised.value)
    else:
        assert "RuntimeError" in batch.message
    with unscoped("test"):
        assert db.session.scalar(select(ImportChange.id).where(ImportChange.batch_id == batch.id).limit(1)) is not None
    imports.apply_in_background(actor, batch.id)
    run_once(app, job_of(batch.id).id)
    actor = acting("officer")
    batch = newest()
    assert (batch.state, batch.created + batch.updated + batch.unchanged) == ("applied", ROWS)
    assert held.get(imports.import_file(actor, actor.home_office_id, "parties", "list.csv", data)).unchanged == ROWS


def test_a_batch_that_a_worker_goes_on_with_is_the_commands_no_more(acting, data):
    actor = acting("officer")
    batch_id, contents = begun(actor, data)
    service.take_part(actor, None, contents, PART, batch_id=batch_id)
    imports.cancel(actor, batch_id)
    with pytest.raises(Conflict):
        service.take_part(actor, None, contents, PART, batch_id=batch_id)
    imports.apply_in_background(actor, batch_id)
    with pytest.raises((Conflict, Superseded)):
        service.take_part(actor, None, contents, PART, batch_id=batch_id)
    assert held.get(batch_id).taken == PART


def test_records_that_wait_on_disk_are_those_that_were_put_there():
    records = [(number, "نور" * (number % 7)) for number in range(431)]
    waiting = Waiting(iter(records))
    assert list(waiting) == records
    assert len(waiting) == 431
    for part in (slice(0, 0), slice(0, 100), slice(95, 305), slice(400, 900), slice(430, 431), slice(500, 600)):
        assert waiting[part] == records[part]
    assert (waiting[0], waiting[-1], waiting[250]) == (records[0], records[-1], records[250])
    with pytest.raises(IndexError):
        waiting[431]
    assert list(Waiting([])) == []


def test_the_collector_works_as_before_once_all_have_ended():
    usual = gc.get_threshold()
    with seldom_collecting():
        with seldom_collecting():
            assert gc.get_threshold() != usual
        assert gc.get_threshold() != usual
    assert (gc.get_threshold(), gc.get_freeze_count()) == (usual, 0)


def test_what_a_web_worker_set_aside_stays_so_after_a_large_file():
    gc.freeze()
    try:
        with seldom_collecting():
            pass
        assert gc.get_freeze_count(), "it would be looked through for garbage again from the first file on"
    finally:
        gc.unfreeze()
    with seldom_collecting():
        assert gc.get_freeze_count()
    assert not gc.get_freeze_count()

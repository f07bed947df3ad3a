"""Undoing an import in the background (decision 0012): by parts, the same as at once, whoever dies, is stopped or works on meanwhile."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from crm.db import db
from crm.errors import Conflict, Denied, NotFound, Refused
from crm.jobs import engine, imports
from crm.models.jobs import Job
from crm.models.parties import Channel, Party
from crm.policy import unscoped
from crm.queries import imports as held
from crm.services import import_undo, jobs, parties, users
from crm.services import imports as service
from crm.services.jobs import Superseded
from tests.factories import fts, money
from tests.factories.workers import wait_until
from tests.jobs.test_background import fresh, job_of, run_once
from tests.jobs.test_import_undo import bring, sheet, undo
from tests.jobs.test_import_undo import snapshot as every_row
from tests.jobs.test_money_undo import figures, holds_together, pledge_rows, receipt_rows, scene  # noqa: F401 - scene is a fixture

HEADINGS = ["Name", "Organisation", "Post", "E-mail", "Kind"]


def people(size, tag=""):
    return sheet(HEADINGS, *([f"Person {tag}{n}", f"Org {tag}{n // 5}", f"Head {n}", f"p{tag}{n}@x.example", "NGO"] for n in range(size)))


@pytest.fixture
def by_parts(monkeypatch):
    """Every undo is a long one, of parts of a few records."""
    monkeypatch.setattr(imports, "undo_is_short", lambda _batch: False)
    monkeypatch.setattr(imports, "_next_size", lambda _size, _seconds: 7)
    monkeypatch.setattr(imports, "_MONEY_PART", 3)
    monkeypatch.setattr(imports, "_BREATH", {})


def snapshot():
    return {key: row for key, row in every_row().items() if key[0] not in ("jobs", "workers")}


def said(batch_id):
    db.session.expire_all()
    return import_undo.summary_of(import_undo.undone(batch_id))


def same(summary):
    """What an undo said, without the order of names and the ids."""
    return {
        **summary,
        "reversed": summary.get("reversed", 0),
        "names": sorted((one["noun"], one["title"], one["why"]) for one in summary["names"]),
    }


def begun(batch_id):
    run = jobs.begin(engine._bound_system(), job_of(batch_id).id, lambda _run: None)
    assert run is not None
    return run


# --- the same as at once -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["parties", "fts"])
def test_a_background_undo_leaves_every_table_as_it_was_and_says_the_same(app, acting, by_parts, kind):
    actor = acting("grants")
    data = people(23) if kind == "parties" else fts.WITH_TAGS.read_bytes()
    before = snapshot()
    expected = undo(actor, bring(actor, data, kind))
    batch_id = bring(actor, data, kind).id
    imports.undo_in_background(actor, batch_id)
    run_once(app, job_of(batch_id).id)
    acting("grants")
    assert job_of(batch_id).state == "done"
    assert snapshot() == before
    assert same(said(batch_id)) == same(expected)


@pytest.mark.parametrize(("kind", "rows", "taken"), [("pledges", pledge_rows, 9), ("receipts", receipt_rows, 4)])
def test_money_taken_back_in_the_background_leaves_all_figures_as_before(app, acting, scene, by_parts, kind, rows, taken):  # noqa: F811
    data = rows("N", 9) if kind == "pledges" else rows("B")
    before = figures()
    batch_id = imports.import_file(scene.actor, scene.actor.home_office_id, kind, "list.csv", data)
    imports.undo_in_background(scene.actor, batch_id)
    run_once(app, job_of(batch_id).id)
    acting("grants")
    assert figures() == before
    holds_together()
    assert (said(batch_id)["reversed"], said(batch_id)["gone"], said(batch_id)["kept"]) == (taken, 0, 0)


# --- asked for, and what must not happen meanwhile ------------------------------------------------------------------------


def test_asked_for_twice_it_is_one_job_and_nothing_else_happens_meanwhile(acting):
    actor = acting("grants")
    batch = bring(actor, people(3))
    imports.undo_in_background(actor, batch.id)
    for act in (imports.undo_in_background, imports.undo, import_undo.undo):
        with pytest.raises(Conflict, match="is being undone"):
            act(actor, batch.id)
    for act in (imports.apply_batch, imports.discard, imports.cancel, imports.apply_in_background):
        with pytest.raises(Conflict):
            act(actor, batch.id)
    assert db.session.scalar(select(func.count()).select_from(Job)) == 1
    assert (job_of(batch.id).kind, job_of(batch.id).total) == ("undo", import_undo.size_of(batch))


def brought_in_part(acting):
    """A long file of which the background work took forty rows: who asked, the batch, the run, the file."""
    actor = acting("grants")
    batch_id = imports.check_file(actor, actor.home_office_id, "fts", "flows.csv", fts.long_file(600))
    imports.apply_in_background(actor, batch_id)
    run = begun(batch_id)
    actor = acting("grants")
    contents = imports._kept(held.get(batch_id))
    service.start(actor, run, contents)
    service.take_part(actor, run, contents, 40)
    return actor, batch_id, run, contents


def test_of_a_file_that_stopped_in_between_the_rest_is_not_brought_in_once_its_undo_began(app, acting):
    actor, batch_id, _run, _contents = brought_in_part(acting)
    imports.cancel(actor, batch_id)
    imports.undo_in_background(actor, batch_id)
    with pytest.raises(Conflict, match="is being undone"):
        imports.apply_in_background(actor, batch_id)
    with pytest.raises(Conflict):
        imports.cancel(actor, batch_id)
    imports.cancel_undo(actor, batch_id)
    doing = import_undo.parts(held.get(batch_id))
    import_undo.take_back_part(actor, batch_id, doing, 10)
    with pytest.raises(Conflict, match="undone in part"):
        imports.apply_in_background(actor, batch_id)
    imports.undo_in_background(actor, batch_id)
    run_once(app, job_of(batch_id).id)
    acting("grants")
    assert said(batch_id)["removed"] >= 40
    assert db.session.scalar(select(func.count()).select_from(service.Flow)) == 0
    assert fresh(batch_id).state == "cancelled"


@pytest.mark.parametrize("name", ["viewer", "officer", "auditor", "admin", "hq", "other-grants"])
def test_others_may_neither_ask_nor_stop(acting, name):
    grants = acting("grants")
    batch = bring(grants, fts.file_of(size=3), "fts")
    actor = acting(name)
    with pytest.raises((Denied, NotFound)):
        imports.undo_in_background(actor, batch.id)
    grants = acting("grants")
    imports.undo_in_background(grants, batch.id)
    actor = acting(name)
    with pytest.raises((Denied, NotFound)):
        imports.cancel_undo(actor, batch.id)
    acting("grants")
    assert job_of(batch.id).state == "queued"


def test_who_lost_the_right_meanwhile_takes_nothing_back_and_the_page_can_say_why(app, acting):
    actor = acting("grants")
    batch_id = bring(actor, fts.file_of(size=3), "fts").id
    imports.undo_in_background(actor, batch_id)
    before = snapshot()
    users.change_user(acting("head"), actor.user_id, role="viewer", is_active=True, password="")
    run_once(app, job_of(batch_id).id)
    acting("head")
    assert {key: row for key, row in snapshot().items() if key[0] == "flows"} == {
        key: row for key, row in before.items() if key[0] == "flows"
    }
    assert "grants officer" in import_undo.done_of(fresh(batch_id)).failed
    assert (job_of(batch_id).state, job_of(batch_id).message) == ("failed", "The work was refused. Who asked for it sees why.")
    imports.undo_in_background(acting("head"), batch_id)  # somebody who may tries again
    run_once(app, job_of(batch_id).id)
    acting("head")
    assert said(batch_id)["kept"] == 0


# --- stopped, lost, and meanwhile ------------------------------------------------------------------------------------------


def test_stopped_between_two_parts_it_keeps_what_it_did_and_goes_on_when_asked_again(app, acting, by_parts):
    actor = acting("officer")
    before = snapshot()
    expected = undo(actor, bring(actor, people(23)))
    batch_id = bring(actor, people(23)).id
    imports.undo_in_background(actor, batch_id)
    imports.cancel_undo(actor, batch_id)
    assert (job_of(batch_id).state, import_undo.done_of(fresh(batch_id))) == ("cancelled", None)
    with pytest.raises(Conflict):
        imports.cancel_undo(actor, batch_id)
    imports.undo_in_background(actor, batch_id)
    run = begun(batch_id)
    actor = acting("officer")
    doing = import_undo.parts(held.get(batch_id))
    assert import_undo.take_back_part(actor, batch_id, doing, 10, run) > 0
    imports.cancel_undo(actor, batch_id)
    for act in (import_undo.take_back_part, lambda *args: import_undo.finish(args[0], args[1], args[2], args[4])):
        with pytest.raises(Superseded):
            act(actor, batch_id, doing, 10, run)
    assert import_undo.done_of(fresh(batch_id)).is_begun
    imports.undo_in_background(actor, batch_id)
    run_once(app, job_of(batch_id).id)
    acting("officer")
    assert snapshot() == before
    assert same(said(batch_id)) == same(expected)


def test_a_part_looks_again_and_keeps_whole_what_somebody_built_on_since_it_was_planned(acting):
    actor = acting("officer")
    batch = bring(actor, people(6))
    doing = import_undo.parts(batch)
    last = db.session.scalars(select(Party).where(Party.name == "Person 0")).one().id
    first_of = next(iter(import_undo.parts(batch).part(1)[0].made.get("parties", {})))
    met = last if last != first_of else db.session.scalars(select(Party).where(Party.name == "Person 3")).one().id
    import_undo.take_back_part(actor, batch.id, doing, 1)
    parties.add_channel(actor, met, parties.NewChannel("email", "later@x.example"))
    name = db.session.get(Party, met).name
    while doing.left:
        import_undo.take_back_part(actor, batch.id, doing, 5)
    import_undo.finish(actor, batch.id, doing)
    names = set(db.session.scalars(select(Party.name)))
    assert name in names
    assert len(names) == 2, "the person who was worked on, and their organisation"
    assert len(db.session.scalars(select(Channel.value)).all()) == 2
    assert {one["title"].split(" (")[0] for one in said(batch.id)["names"]} >= names


def test_a_fault_is_on_the_batchs_page_and_among_the_failed_and_can_be_tried_again(app, acting, monkeypatch):
    actor = acting("officer")
    batch_id = bring(actor, people(3)).id
    imports.undo_in_background(actor, batch_id)
    job_id = job_of(batch_id).id
    with monkeypatch.context() as broken:
        broken.setattr(imports, "_undo_by_parts", lambda *_args: {}["Secretname"])
        for _turn in range(jobs.MOST_TRIES):
            run_once(app, job_id)
    acting("officer")
    assert job_of(batch_id).state == "failed"
    assert import_undo.done_of(fresh(batch_id)).failed.startswith("A fault of the program (KeyError)")
    assert import_undo.why_not(fresh(batch_id)) == ""
    engine.retry(acting("admin"), job_id)
    run_once(app, job_id)
    acting("officer")
    assert said(batch_id)["kept"] == 0


def test_a_failed_import_that_was_undone_is_not_brought_in_by_trying_again(app, acting):
    actor, batch_id, run, contents = brought_in_part(acting)
    job_id = job_of(batch_id).id
    system = engine._bound_system()
    jobs.end_badly(system, run, "It failed.", is_final=True, carry=engine.carry, tell=engine._teller(system, run))
    actor = acting("grants")
    import_undo.undo(actor, batch_id)
    engine.retry(acting("admin"), job_id)
    run_once(app, job_id)
    acting("grants")
    with pytest.raises(Refused):
        service.start(acting("grants"), begun_again(job_id), contents)
    assert db.session.scalar(select(func.count()).select_from(service.Flow)) == 0


def begun_again(job_id):
    engine.retry(engine._bound_system(), job_id)
    return jobs.begin(engine._bound_system(), job_id, lambda _run: None)


# --- a real worker -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_worker_killed_in_mid_undo_is_replaced_and_others_save_meanwhile(acting, start):
    actor = acting("officer")
    before = snapshot()
    batch_id = bring(actor, people(1500)).id
    first, second = start().ready(), start().ready()
    imports.undo_in_background(actor, batch_id)
    wait_until(lambda: import_undo.done_of(fresh(batch_id)) is not None, 120)
    rows = engine._client().list_workflows(status="PENDING", workflow_id_prefix=str(job_of(batch_id).id))
    run = job_of(batch_id).run
    next(worker for worker in (first, second) if worker.place == rows[-1].executor_id).kill()
    wait_until(lambda: job_of(batch_id).run not in (None, run), 90)
    made = money.donor(acting("officer"), "Saved meanwhile")
    acting("officer")
    wait_until(lambda: job_of(batch_id).state == "done", 300)
    acting("officer")
    with unscoped("test"):
        assert db.session.get(Party, made) is not None
    assert (said(batch_id)["removed"], said(batch_id)["gone"], said(batch_id)["kept"]) == (1800, 0, 0)
    after = snapshot()
    assert {key: after.get(key) for key in before} == before
    assert {row["name"] for (noun, _id), row in after.items() if noun == "parties" and (noun, _id) not in before} == {"Saved meanwhile"}

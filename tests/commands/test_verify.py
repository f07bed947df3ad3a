"""flask verify: silent on sound records, and it names the first that is not."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from crm.db import db, writing
from crm.models.commitments import Commitment
from crm.models.pledges import Allocation, Instalment, Pledge
from crm.models.search import SearchEntry
from crm.policy import unscoped
from crm.services import allocations
from tests.factories import money as made


@pytest.fixture
def chain(acting):
    actor = acting("grants")
    donor = made.donor(actor)
    pledge_id = made.pledge(actor, donor, plan=made.WORKED_PLAN)
    agreement_id = made.agreement(actor, pledge_id=pledge_id)
    made.receipt(actor, made.eur(5), date(2023, 6, 1), agreement_id=agreement_id)
    return pledge_id


def verify(app):
    result = app.test_cli_runner().invoke(args=["verify", "--json"])
    return result.exit_code, json.loads(result.stdout)


def break_it(entity, record_id, **values):
    """Change a record beside the services, as another tool would."""
    db.session.rollback()
    session = db.session()
    with writing(), unscoped("a test damages a record"):
        session.info["tl_free"] = True
        record = session.get_one(entity, record_id)
        for name, value in values.items():
            setattr(record, name, value)
        session.commit()
        session.info.pop("tl_free")


def test_sound_records_pass_every_check(app, chain):
    code, found = verify(app)
    assert (code, found["ok"], found["bad"]) == (0, True, [])
    assert found["checks"][:3] == ["references", "office scope", "levels"]
    said = app.test_cli_runner().invoke(args=["verify"])
    assert "15 checks passed" in said.stdout


def test_an_index_that_knows_other_words_than_the_record_is_found_and_mended(app, chain):
    with unscoped("test"):
        seq = db.session.scalars(select(SearchEntry.seq).where(SearchEntry.noun == "pledges", SearchEntry.record_id == chain)).one()
    break_it(SearchEntry, seq, words="elsewhere")
    code, found = verify(app)
    assert code == 1
    assert [(bad["check"], bad["table"], bad["record"]) for bad in found["bad"]] == [("search index", "pledges", str(chain))]
    said = app.test_cli_runner().invoke(args=["search", "reindex"])
    assert "Entries written: 1; dropped: 0." in said.stdout
    assert verify(app)[0] == 0


def test_a_quietly_changed_sum_is_found_and_named(app, chain):
    break_it(Pledge, chain, outstanding_minor=5)
    code, found = verify(app)
    assert code == 1
    assert found["bad"][0]["check"] == "pledges"
    assert found["bad"][0]["reference"].startswith("JOR-PL-")
    said = app.test_cli_runner().invoke(args=["verify"])
    assert said.exit_code == 1
    assert "JOR-PL-" in said.stderr


def test_a_quietly_changed_plan_is_found(app, chain):
    with unscoped("a test looks"):
        instalment = db.session.query(Instalment).filter(Instalment.is_current, Instalment.agreement_terms_id.is_not(None)).first()
    break_it(Instalment, instalment.id, amount_minor=instalment.amount_minor + 1)
    code, found = verify(app)
    assert (code, {bad["check"] for bad in found["bad"]}) == (1, {"agreements"})


def test_more_planned_than_was_signed_is_found(app, chain, acting):
    """M12, which no constraint of the database can say."""
    actor = acting("grants")
    agreement_id = made.agreement(actor, made.usd(100), donor_id=made.donor(actor, "Other"), office_id=made.office(), recovery_basis="none")
    source = allocations.MoneySource(agreement_id)
    new = allocations.NewAllocation(source, made.programme(actor), made.usd(100), date(2023, 6, 1), is_planned=True)
    aside = allocations.allocate(actor, new)
    assert verify(app)[0] == 0
    break_it(Allocation, aside, amount_minor=100_01)
    code, found = verify(app)
    assert (code, found["bad"][0]["check"], found["bad"][0]["what"]) == (1, "allocations", "planned more than was signed")


def test_a_level_wider_than_its_parents_is_found(app, chain, acting):
    actor = acting("grants")
    party = made.donor(actor, "A private person", visibility="office")
    break_it(Commitment, chain, party_id=party)
    assert verify(app)[0] == 0
    other = made.donor(acting("other-grants"), "Kenyan person", "KEN", visibility="office")
    break_it(Commitment, chain, party_id=other)
    code, found = verify(app)
    assert (code, found["bad"][0]["check"]) == (1, "office scope")


def test_a_file_that_no_document_owns_is_named_once_it_is_old(app, chain):
    folder = Path(app.instance_path) / "documents"
    folder.mkdir(parents=True, exist_ok=True)
    stray = folder / "0123456789abcdef.pdf"
    stray.write_bytes(b"%PDF-")
    assert verify(app)[0] == 0, "a document on its way is no stray"
    os.utime(stray, (1_700_000_000, 1_700_000_000))
    code, found = verify(app)
    assert (code, found["bad"][0]["check"], found["bad"][0]["record"]) == (1, "stray files", stray.name)


def test_a_file_whose_background_work_is_gone_is_named(app, acting):
    from crm.jobs import engine, imports
    from crm.models.imports import ImportBatch
    from crm.models.jobs import Job
    from tests.factories import fts

    actor = acting("grants")
    batch_id = imports.check_file(actor, actor.home_office_id, "fts", "long.csv", fts.long_file(600))
    imports.apply_in_background(actor, batch_id)
    assert verify(app)[0] == 0
    with unscoped("a test looks"):
        job_id = db.session.scalar(select(Job.id).where(Job.subject_id == batch_id))
    client = engine._client()
    client.delete_workflows([row.workflow_id for row in client.list_workflows()])
    code, found = verify(app)
    assert (code, found["bad"][0]["check"], found["bad"][0]["table"], found["bad"][0]["record"]) == (
        1,
        "background work",
        "jobs",
        str(job_id),
    )
    break_it(Job, job_id, state="done")
    code, found = verify(app)
    assert (code, found["bad"][0]["table"], found["bad"][0]["record"]) == (1, "import_batches", str(batch_id))
    break_it(ImportBatch, batch_id, state="checked")
    assert verify(app)[0] == 0

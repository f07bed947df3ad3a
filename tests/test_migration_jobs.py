"""The migration of background work keeps every row, up and down, and makes the engine's tables; on both databases."""

from __future__ import annotations

from pathlib import Path

from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, select

from crm.db import db
from crm.jobs import engine
from crm.models.imports import ImportBatch, ImportReject
from crm.policy import unscoped
from tests.factories.planted import plant

MIGRATIONS = str(Path(__file__).resolve().parents[1] / "crm" / "migrations")


def test_down_and_up_again_keeps_batches_and_their_rejected_rows(app):
    with app.app_context():
        ids = plant("JOR", "zzown")
        with unscoped("test"):
            rejected = set(db.session.scalars(select(ImportReject.batch_id)))
        db.session.remove()
        downgrade(directory=MIGRATIONS, revision="0002")
        db.engine.dispose()
        with unscoped("test"):
            assert not {"jobs", "workers"} & set(inspect(db.engine).get_table_names())
        upgrade(directory=MIGRATIONS)
        with unscoped("test"):
            batches = {batch.id: batch for batch in db.session.scalars(select(ImportBatch))}
            assert set(batches) == {ids["imports"], ids["bulk"]}
            batch = batches[ids["imports"]]
            assert (batch.state, batch.taken, batch.progress) == ("applied", 0, "")
            assert set(db.session.scalars(select(ImportReject.batch_id))) == rejected
        assert engine._client().list_workflows() == []
        db.session.remove()

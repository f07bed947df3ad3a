"""Several records of a list changed in the background, part by part."""

from __future__ import annotations

import time
import uuid

from crm.db import db
from crm.jobs import engine
from crm.models.imports import BULK, ImportBatch
from crm.policy import Actor
from crm.services import bulk

#: Seconds between two parts: on SQLite one writes at a time, and others want to.
_BREATH = {"sqlite": 0.15}


def is_short(batch: ImportBatch) -> bool:
    """Whether so few records are chosen that they are changed while the person waits."""
    return batch.rows <= bulk.AT_ONCE


def in_background(actor: Actor, batch_id: uuid.UUID) -> None:
    """Have a worker change the chosen records, or the rest of them. Raises NotFound, Denied, Conflict."""
    bulk.queue(actor, batch_id, carry=engine.carry)


def _perform(running: engine.Running) -> None:
    taken, total = 0, 1
    while taken < total:
        running.may_go_on()
        who = running.actor()
        taken, total = bulk.take_part(who, running.run)
        running.progress(who, taken, total)
        time.sleep(_BREATH.get(db.engine.dialect.name, 0))


engine.WORKS[BULK] = engine.Work(
    perform=_perform, tell=lambda actor, run, state, sentence: bulk.stop(actor, run.subject_id, state, sentence)
)

"""Background work: the failed, what waits or runs, and whether a worker is alive. Rows of the offices whose names the actor sees."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.models.jobs import OPEN_STATES, Job, Worker
from crm.queries.paging import Order, Page, Paging, fetch_page

#: A worker that was silent so long is gone: well above any stall. It gives a sign of life every two seconds.
SILENCE = timedelta(seconds=20)


def failed(paging: Paging) -> Page[Job]:
    """The failed jobs, newest first. Two statements."""
    return fetch_page(select(Job).where(Job.state == "failed"), Order(Job.created_at, Job.id, is_descending=True), paging)


def open_counts() -> dict[str, int]:
    """How many jobs wait ("queued") and run ("running")."""
    found = db.session.execute(select(Job.state, func.count()).where(Job.state.in_(OPEN_STATES)).group_by(Job.state)).all()
    return dict.fromkeys(OPEN_STATES, 0) | {str(row[0]): int(row[1]) for row in found}


def open_jobs() -> Sequence[Job]:
    """Every job that waits or runs."""
    return db.session.scalars(select(Job).where(Job.state.in_(OPEN_STATES)).order_by(Job.created_at)).all()


def open_job_of(subject_id: uuid.UUID) -> Job | None:
    """The open job of a record."""
    return db.session.scalar(select(Job).where(Job.subject_id == subject_id, Job.state.in_(OPEN_STATES)))


def open_jobs_of(subject_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Job]:
    """The open jobs of some records: by record."""
    found = db.session.scalars(select(Job).where(Job.subject_id.in_(subject_ids), Job.state.in_(OPEN_STATES)))
    return {job.subject_id: job for job in found}


def workers() -> Sequence[Worker]:
    """Every place of a worker, alive or not."""
    return db.session.scalars(select(Worker).order_by(Worker.name)).all()


def is_silent(worker: Worker) -> bool:
    """Whether a worker gave no sign of life for so long that it is gone."""
    return clock.now() - worker.beat_at > SILENCE


def is_worker_running() -> bool:
    """Whether any worker gave a sign of life of late. One statement."""
    return db.session.scalar(select(Worker.name).where(Worker.beat_at >= clock.now() - SILENCE).limit(1)) is not None

"""Background work as records: asked for, begun, retried, ended; and the places that workers take.

A job carries a record forward and knows nothing about it: what it does is told by `crm.jobs`. Only the run that holds a job may write for it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update

from crm import clock
from crm.db import db, hold, new_id, transactional
from crm.errors import Conflict, NotFound, ThroughlineError
from crm.i18n import _
from crm.models.base import SENTENCE_LENGTH
from crm.models.jobs import OPEN_STATES, Job, Worker
from crm.policy import Actor, Permission, require

#: Runs that may end badly, one after the other, without getting any further.
MOST_TRIES = 5
FIRST_WAIT = timedelta(seconds=4)
KEPT = timedelta(days=30)

#: Hands a job to the engine, inside the transaction: the job and the seconds to wait first.
Carry = Callable[[uuid.UUID, float], object]
#: Tells the record what became of its work, inside the transaction: "failed", and why.
Tell = Callable[[str, str], object]


class Superseded(ThroughlineError):
    """This run holds its job no more: it was cancelled, or another worker took it over. Nothing of the transaction is kept."""


@dataclass(frozen=True)
class Run:
    """One run of a job: who asked for it (None: the system), for which record of which office."""

    job_id: uuid.UUID
    token: uuid.UUID
    kind: str
    subject_id: uuid.UUID
    office_id: uuid.UUID
    user_id: uuid.UUID | None


def wait_after(tries: int) -> timedelta:
    """How long to wait after so many bad ends: 4 seconds, 16, 64, 256."""
    return timedelta(seconds=FIRST_WAIT.total_seconds() * 4 ** (tries - 1))


# --- asking for it ----------------------------------------------------------------------------------------------------


@transactional
def ask(
    actor: Actor, permission: Permission, office_id: uuid.UUID, *, kind: str, subject_id: uuid.UUID, total: int, carry: Carry
) -> uuid.UUID:
    """Ask for background work on a record, in the transaction that needs it; an open job of the record is taken as it is."""
    require(actor, permission, office_id)
    open_job = db.session.scalar(select(Job.id).where(Job.subject_id == subject_id, Job.state.in_(OPEN_STATES)))
    if open_job is not None:
        return open_job
    job = Job(office_id=office_id, kind=kind, subject_id=subject_id, total=total, created_by_id=actor.user_id)
    db.session.add(job)
    db.session.flush()
    carry(job.id, 0)
    return job.id


@transactional
def cancel(actor: Actor, permission: Permission, office_id: uuid.UUID, subject_id: uuid.UUID) -> None:
    """Take the open job of a record from whoever runs it: a run that goes on writes nothing more."""
    require(actor, permission, office_id)
    job = db.session.scalar(
        select(Job)
        .where(Job.subject_id == subject_id, Job.state.in_(OPEN_STATES))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if job is not None:
        _end(job, "cancelled", "")


# --- doing it: the worker ------------------------------------------------------------------------------------------------


@transactional
def begin(actor: Actor, job_id: uuid.UUID, tell: Callable[[Run], Tell]) -> Run | None:
    """Begin a run, which takes the job from an earlier one; None where nothing is to be done (any more)."""
    require(actor, Permission.JOB_MANAGE)
    job = _locked(job_id)
    if job is None or job.state not in OPEN_STATES:
        return None
    was_lost = job.state == "running"
    job.tries += was_lost
    run = Run(job.id, new_id(), job.kind, job.subject_id, job.office_id, job.created_by_id)
    if was_lost and job.tries >= MOST_TRIES:
        sentence = _("The worker ended %(n)s times in the middle of this work.", n=job.tries)
        _end(job, "failed", sentence)
        tell(run)("failed", sentence)
        return None
    job.state, job.run, job.next_try_at, job.message = "running", run.token, None, ""
    return run


@transactional
def still_mine(actor: Actor, run: Run) -> None:
    """Hold the job for a part of its work, in that part's transaction. Raises `Superseded`. What is kept so counts as getting further."""
    require(actor, Permission.RECORD_SEE, run.office_id)
    _mine(run).tries = 0


@transactional
def note_progress(actor: Actor, run: Run, done: int, total: int) -> None:
    """Write down how far a run is. Raises `Superseded`."""
    require(actor, Permission.RECORD_SEE, run.office_id)
    job = _mine(run)
    job.done, job.total = done, total


@transactional
def finish(actor: Actor, run: Run) -> None:
    """The work is done. Raises `Superseded`."""
    require(actor, Permission.JOB_MANAGE)
    job = _mine(run)
    _end(job, "done", "")
    job.done = job.total


@transactional
def hand_back(actor: Actor, run: Run, carry: Carry) -> None:
    """Leave the rest to another worker: this one was asked to end. Raises `Superseded`."""
    require(actor, Permission.JOB_MANAGE)
    job = _mine(run)
    job.state, job.run = "queued", None
    carry(job.id, 0)


@transactional
def end_badly(actor: Actor, run: Run, sentence: str, *, is_final: bool, carry: Carry, tell: Tell) -> None:
    """A run failed: again after a while, each time a longer one; or, for good, among the failed. Raises `Superseded`.

    `sentence` is read by administrators, so that it quotes no record."""
    require(actor, Permission.JOB_MANAGE)
    job = _mine(run)
    job.tries += 1
    if is_final or job.tries >= MOST_TRIES:
        _end(job, "failed", sentence)
        tell("failed", sentence)
        return
    wait = wait_after(job.tries)
    job.state, job.run, job.message, job.next_try_at = "queued", None, sentence[:SENTENCE_LENGTH], clock.now() + wait
    carry(job.id, wait.total_seconds())


# --- looking after it: the administrator -----------------------------------------------------------------------------------


@transactional
def retry(actor: Actor, job_id: uuid.UUID, carry: Carry) -> None:
    """Try a failed job again, from where it stands. Raises NotFound, Denied, or Conflict where it is not among the failed any more."""
    job = _failed(actor, job_id)
    job.state, job.tries, job.ended_at, job.message = "queued", 0, None, ""
    db.session.flush()
    carry(job.id, 0)


@transactional
def dismiss(actor: Actor, job_id: uuid.UUID) -> None:
    """Take a failed job off the list; its record stays as it is. Raises as `retry`."""
    _failed(actor, job_id).state = "dismissed"


def _failed(actor: Actor, job_id: uuid.UUID) -> Job:
    job = _locked(job_id)
    if job is None:
        raise NotFound
    require(actor, Permission.JOB_MANAGE, job.office_id)
    if job.state != "failed":
        raise Conflict(_("This work is not among the failed any more: somebody looked after it."))
    return job


@transactional
def forget_old(actor: Actor) -> int:
    """Drop jobs that ended well, were cancelled or dismissed 30 days ago: how many. The failed stay until somebody looks after them."""
    require(actor, Permission.JOB_MANAGE)
    gone = db.session.execute(delete(Job).where(Job.state.in_(("done", "cancelled", "dismissed")), Job.ended_at < clock.now() - KEPT))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _locked(job_id: uuid.UUID) -> Job | None:
    return db.session.scalar(select(Job).where(Job.id == job_id).with_for_update().execution_options(populate_existing=True))


def _mine(run: Run) -> Job:
    job = _locked(run.job_id)
    if job is None or job.state != "running" or job.run != run.token:
        raise Superseded(_("This work was cancelled, or another worker took it over."))
    return job


def _end(job: Job, state: str, sentence: str) -> None:
    job.state, job.run, job.next_try_at = state, None, None
    job.message, job.ended_at = sentence[:SENTENCE_LENGTH], clock.now()


# --- places of workers ------------------------------------------------------------------------------------------------------


@transactional
def take_place(actor: Actor, host: str, pid: int, is_gone: Callable[[Worker], bool]) -> str:
    """Take the first place that no living worker holds: its name. One process holds a place at a time."""
    require(actor, Permission.JOB_MANAGE)
    hold("worker places")
    held = {worker.name: worker for worker in db.session.scalars(select(Worker))}
    number = 1
    while (worker := held.get(f"worker-{number}")) is not None and not is_gone(worker):
        number += 1
    name = f"worker-{number}"
    if worker is None:
        db.session.add(Worker(name=name, host=host, pid=pid))
    else:
        worker.host, worker.pid, worker.started_at, worker.beat_at = host, pid, clock.now(), clock.now()
    return name


@transactional
def beat(actor: Actor, name: str, host: str, pid: int) -> bool:
    """A sign of life; False where another process has taken the place meanwhile."""
    require(actor, Permission.JOB_MANAGE)
    done = db.session.execute(update(Worker).where(Worker.name == name, Worker.host == host, Worker.pid == pid).values(beat_at=clock.now()))
    return bool(done.rowcount)  # type: ignore[attr-defined]


@transactional
def leave_place(actor: Actor, name: str, host: str, pid: int) -> None:
    """Give the place up: what was left there is taken over at once."""
    require(actor, Permission.JOB_MANAGE)
    db.session.execute(delete(Worker).where(Worker.name == name, Worker.host == host, Worker.pid == pid))

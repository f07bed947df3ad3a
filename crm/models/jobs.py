"""Background work: what is to be done for which record, how far it is, why it failed; and the workers that are alive.

A job holds no text of a record: administrators, who see names only, read it.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, column
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import Base
from crm.models.base import SENTENCE_LENGTH, Keyed, Stamped, one_of

JOB_STATES = ("queued", "running", "done", "failed", "cancelled", "dismissed")
OPEN_STATES = ("queued", "running")


_IS_OPEN = column("state").in_(OPEN_STATES)


class Job(Keyed, Stamped, Base):
    """One piece of background work. `subject_id` is the record it carries forward, which is the truth about itself.

    A record has one open job at the most. Its office is no `OfficeScoped` one: whoever sees the office's names sees its jobs. `run` is the token of the run that holds the
    job: whoever holds another one writes nothing more. `tries` counts runs that ended badly without getting any further."""

    __audit_skip__ = True

    __tablename__ = "jobs"
    __table_args__ = (
        one_of("state", JOB_STATES),
        Index("ix_jobs_state_created", "state", "created_at", "id"),
        Index("ix_jobs_subject", "subject_id"),
        Index("uq_jobs_open_subject", "subject_id", unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
    )

    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"), index=True, sort_order=-15)
    kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[uuid.UUID]
    state: Mapped[str] = mapped_column(String(10), default="queued")
    run: Mapped[uuid.UUID | None]
    tries: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    message: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    next_try_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Worker(Base):
    """A worker's place and its last sign of life. The name is the worker's in the engine too, and is taken by one process at a time."""

    __audit_skip__ = True

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    host: Mapped[str] = mapped_column(String(200))
    pid: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(default=clock.now)
    beat_at: Mapped[datetime] = mapped_column(default=clock.now)

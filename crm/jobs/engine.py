"""The engine of background work: the only file that knows dbos. Hands jobs out, takes over those of dead workers, retries, cleans up.

A row of `jobs` is the truth about a job, and its record about the work; the engine only carries the job's key to a worker that is alive.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pysqlite3
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions, Serializer
from flask import Flask, current_app
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from crm import clock
from crm.db import db
from crm.errors import Conflict, Denied, ThroughlineError
from crm.i18n import DEFAULT_LOCALE, _, use_locale
from crm.models.jobs import Job, Worker
from crm.policy import Actor, all_offices, bind_actor, system_actor
from crm.queries import jobs as held
from crm.services import jobs, users
from crm.services.jobs import Run, Superseded, Tell

log = logging.getLogger("throughline")
R = TypeVar("R")

QUEUE = "throughline"
#: Fixed, so that work asked for before an upgrade is done after it: a job is its key alone.
VERSION = "1"
SCHEMA = "dbos"
#: Jobs that one worker runs at a time: a long import keeps nobody's small work waiting.
AT_A_TIME = 2
POLL_SECONDS = 0.5
BEAT_SECONDS = 2.0
CLEAN_EVERY = timedelta(days=1)
_WAITING = ("ENQUEUED", "DELAYED", "PENDING")
_ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_KEEP_ENDED = timedelta(days=2)
_CLEANED_TOGETHER = 500
_END_SECONDS = 10
_KEY_LENGTH = 36


class Stopping(Exception):
    """The worker was asked to end: the rest of a job is for another one."""


class _Json(Serializer):
    """What the engine keeps is JSON: dbos would pickle it."""

    def serialize(self, data: Any) -> str:
        return json.dumps(data, default=str)

    def deserialize(cls, serialized_data: str) -> Any:  # noqa: N805 - as dbos names it
        return json.loads(serialized_data)

    def name(self) -> str:
        return "throughline_json"


# --- what can be done -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """How one kind of job is done. `perform(run)` can be done again from any point: it asks its record how far that is, and writes
    only in transactions that begin with `jobs.still_mine`. `tell(actor, run, state, sentence)` tells the record how its job ended."""

    perform: Callable[[Running], object]
    tell: Callable[[Actor, Run, str, str], object]


@dataclass
class Running:
    """A run as its work sees it."""

    run: Run
    stop: threading.Event
    _said_at: float = field(default=0.0, repr=False)

    def actor(self) -> Actor:
        """Who asked for it, with the rights of this moment, bound to the session. Raises `Denied` where they may not sign in any more."""
        who = _person(self.run)
        bind_actor(who)
        return who

    def may_go_on(self) -> None:
        """Between two parts of the work: raises `Stopping` when the worker was asked to end."""
        if self.stop.is_set():
            raise Stopping

    def progress(self, actor: Actor, done: int, total: int) -> None:
        """Say how far it is; written down at most once a second."""
        if time.monotonic() - self._said_at >= 1:
            jobs.note_progress(actor, self.run, done, total)
            self._said_at = time.monotonic()


WORKS: dict[str, Work] = {}


def _person(run: Run) -> Actor:
    if run.user_id is None:
        return system_actor(all_offices(), only=run.office_id)
    who = users.actor_by_id(run.user_id)
    if who is None:
        raise Denied(_("Who asked for this work may not sign in any more."))
    return who


# --- asking for it ------------------------------------------------------------------------------------------------------


def carry(job_id: uuid.UUID, wait_seconds: float = 0) -> None:
    """Hand a job to the engine in the transaction that is open: it is carried when that is saved, and only then."""
    options: EnqueueOptions = {
        "workflow_name": "job",
        "workflow_id": f"{job_id}-{uuid.uuid4().hex}",
        "queue_name": QUEUE,
        "app_version": VERSION,
        "application_name": QUEUE,
    }
    if wait_seconds > 0:
        options["delay_seconds"] = wait_seconds
    _client().enqueue_in_transaction(db.session(), options, str(job_id))


def retry(actor: Actor, job_id: uuid.UUID) -> None:
    """Try a failed job again. Raises NotFound, Denied, Conflict."""
    jobs.retry(actor, job_id, carry)


def not_carried(open_jobs: Sequence[Job]) -> list[Job]:
    """Those open jobs that the engine does not hold (any more): nobody will do them. For `flask verify`."""
    held = _client().list_workflows(status=list(_WAITING), load_input=False, load_output=False)
    keys = {workflow.workflow_id[:_KEY_LENGTH] for workflow in held}
    return [job for job in open_jobs if str(job.id) not in keys]


# --- its own tables ------------------------------------------------------------------------------------------------------


def _engine(url: str) -> Engine:
    """An engine for dbos's own tables alone: outside the row scope and its guard, with the SQLite library of the application."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=4, max_overflow=8, pool_pre_ping=True)
    # Waits for a part of an import to be saved; dbos itself expects that a transaction begins as a writing one.
    arguments = {"check_same_thread": False, "timeout": 30.0, "isolation_level": "IMMEDIATE"}
    engine = create_engine(url, module=pysqlite3, connect_args=arguments)

    @event.listens_for(engine, "connect")
    def _connect(dbapi_connection: Any, _record: Any) -> None:
        cursor = dbapi_connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON", "trusted_schema=OFF"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def _make_client(engine: Engine) -> DBOSClient:
    return DBOSClient(
        system_database_engine=engine,
        dbos_system_schema=SCHEMA,
        serializer=_Json(),
        application_name=QUEUE,
        lazy=True,
        retry_connection_errors=False,  # a database that is gone is said at once: dbos would wait for it without end
    )


def _client() -> DBOSClient:
    """This application's client, connected when it is first used: after a server has forked."""
    kept: dict[int, DBOSClient] = current_app.extensions.setdefault("throughline_jobs", {})
    pid = os.getpid()
    if pid not in kept:
        kept[pid] = _make_client(_engine(str(current_app.config["SQLALCHEMY_DATABASE_URI"])))
    return kept[pid]


def forget_client(app: Flask) -> None:
    """Close the client's connections: a process that goes on without the application (a test) keeps none."""
    for client in app.extensions.pop("throughline_jobs", {}).values():
        client._sys_db.engine.dispose()  # noqa: SLF001 - the engine is ours, handed over


def set_up_tables(owner_url: str, application_url: str) -> None:
    """Make or migrate dbos's own tables, which Alembic leaves alone; on PostgreSQL the application's role may use them."""
    logging.getLogger("dbos").setLevel(logging.WARNING)
    engine = _engine(owner_url)
    try:
        # dbos migrates an engine that it was given only when a worker starts; the web server asks for work before.
        _make_client(engine)._sys_db.run_migrations()  # noqa: SLF001
    finally:
        engine.dispose()
    role, owner = make_url(application_url).username, make_url(owner_url).username
    if engine.dialect.name == "postgresql" and role and role != owner:
        DBOS.migrate(owner_url, schema=SCHEMA, application_role=role)


# --- one run ---------------------------------------------------------------------------------------------------------------


def perform(job_id: uuid.UUID, stop: threading.Event) -> None:
    """One run of a job, whatever comes of it. Needs an application context, and leaves nobody bound."""
    system = _bound_system()
    run = _stubborn(functools.partial(jobs.begin, system, job_id, lambda run: _teller(system, run)), stop)
    if run is None:
        return
    with use_locale(_language(run)):
        _perform(run, stop)


def _perform(run: Run, stop: threading.Event) -> None:
    try:
        WORKS[run.kind].perform(Running(run, stop))
    except Superseded:
        return
    except Stopping:
        _close(lambda actor: jobs.hand_back(actor, run, carry), stop)
        return
    except Conflict:
        sentence = _("Somebody else was saving the same records, or a lot of them.")
    except ThroughlineError as error:
        # Why is said to whoever may see the record; it may quote it.
        why = str(error)
        _close(lambda actor: _refuse(actor, run, why), stop)
        return
    except OperationalError:
        log.exception("job %s: the database did not answer", run.job_id)
        sentence = _("The database did not answer.")
    except Exception as error:
        log.exception("job %s failed", run.job_id)
        sentence = _("A fault of the program (%(error)s). The log of the worker says more.", error=type(error).__name__)
    else:
        _close(lambda actor: jobs.finish(actor, run), stop)
        return
    _close(lambda actor: jobs.end_badly(actor, run, sentence, is_final=False, carry=carry, tell=_teller(actor, run)), stop)


def _refuse(actor: Actor, run: Run, why: str) -> None:
    def tell(state: str, _sentence: str) -> None:
        WORKS[run.kind].tell(actor, run, state, why)

    sentence = _("The work was refused. Who asked for it sees why.")
    jobs.end_badly(actor, run, sentence, is_final=True, carry=carry, tell=tell)


def _language(run: Run) -> str:
    who = users.actor_by_id(run.user_id) if run.user_id else None
    return who.language if who else DEFAULT_LOCALE


def _teller(actor: Actor, run: Run) -> Tell:
    return lambda state, sentence: WORKS[run.kind].tell(actor, run, state, sentence)


def _close(end: Callable[[Actor], object], stop: threading.Event) -> None:
    """Write down how a run ended, however long the database makes us wait; where the job is another's by now, nothing."""
    try:
        _stubborn(lambda: end(_bound_system()), stop)
    except Superseded:
        log.info("a run ended after its job was taken from it")


def _bound_system() -> Actor:
    db.session.rollback()
    system = system_actor(all_offices())
    bind_actor(system)
    return system


def _stubborn(action: Callable[[], R], stop: threading.Event) -> R:
    """Do it until the database takes it. A worker that ends meanwhile leaves the job to the next one."""
    wait = 0.5
    while True:
        try:
            return action()
        except (Conflict, DBAPIError) as error:
            log.warning("the database did not take the state of a job (%s); again in %.1f s", type(error).__name__, wait)
            db.session.rollback()
        if stop.wait(wait):
            threading.Event().wait()  # the process ends under this thread, and the engine still holds the job
        wait = min(wait * 2, 30)


# --- a worker ----------------------------------------------------------------------------------------------------------------


def host() -> str:
    """This machine, and where there are such, the space of its process numbers: a number means something only there."""
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = ""
    boot = Path("/proc/sys/kernel/random/boot_id")
    start = boot.read_text().strip()[:8] if boot.exists() else ""
    return " ".join(part for part in (platform.node()[:100], start, space) if part)


def is_gone(worker: Worker) -> bool:
    """Whether a worker is dead: its process ended here, or it gave no sign of life for long."""
    return held.is_silent(worker) or (worker.host == host() and not _lives(worker.pid))


def _lives(pid: int) -> bool:
    if os.name == "nt":
        return True  # nothing can be asked without harm; its silence will tell
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:1] == ["Z"]
    except OSError:
        return False


@dataclass
class _Place:
    """The place a worker holds."""

    name: str
    host: str
    pid: int


def work(app: Flask, stop: threading.Event, say: Callable[[str], object]) -> bool:
    """Run background work until `stop` is set: True, or False where another process took this worker's place meanwhile."""
    logging.getLogger("dbos").setLevel(logging.WARNING)
    busy = _Busy()
    with app.app_context():
        place = _Place("", host(), os.getpid())
        place.name = _settled(lambda: jobs.take_place(_bound_system(), place.host, place.pid, is_gone), stop)
        engine = _engine(str(app.config["SQLALCHEMY_DATABASE_URI"]))
        client = _make_client(engine)
    config: DBOSConfig = {
        "name": QUEUE,
        "system_database_engine": engine,
        "dbos_system_schema": SCHEMA,
        "executor_id": place.name,
        "application_version": VERSION,
        "serializer": _Json(),
        "use_listen_notify": False,
        "run_migrations": False,
        "log_level": "WARNING",
    }
    DBOS(config=config)

    def job(job_id: str) -> None:
        with busy, app.app_context():
            try:
                perform(uuid.UUID(job_id), stop)
            finally:
                db.session.remove()

    DBOS.workflow(name="job", max_recovery_attempts=None)(job)
    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=AT_A_TIME, polling_interval_sec=POLL_SECONDS)
    say(f"Background worker {place.name} is ready (process {place.pid}).")
    try:
        return _live(app, client, place, stop)
    finally:
        stop.set()
        DBOS.destroy(workflow_completion_timeout_sec=_END_SECONDS)
        with app.app_context(), contextlib.suppress(Conflict, DBAPIError):  # else its silence tells
            jobs.leave_place(_bound_system(), place.name, place.host, place.pid)
        engine.dispose()
        if busy.count:  # a thread waits for a database that does not answer: it must not keep the process
            os._exit(0)


class _Busy:
    """How many runs are going on."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.count += 1

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self.count -= 1


def _settled(action: Callable[[], R], stop: threading.Event) -> R:
    """Do it as soon as the database lets us; a worker that is asked to end before has nothing to leave."""
    while True:
        try:
            return action()
        except Conflict:
            db.session.rollback()
            if stop.wait(1):
                raise


def _live(app: Flask, client: DBOSClient, place: _Place, stop: threading.Event) -> bool:
    """Signs of life, and what was left by those who give none; once a day what is old goes."""
    cleaned_at = clock.now() - CLEAN_EVERY
    while not stop.wait(BEAT_SECONDS):
        with app.app_context():
            try:
                system = _bound_system()
                if not jobs.beat(system, place.name, place.host, place.pid):
                    return False
                _take_over(client, place.name)
                if clock.now() - cleaned_at >= CLEAN_EVERY:
                    _clean(client, system)
                    cleaned_at = clock.now()
            except (Conflict, DBAPIError) as error:
                log.warning("worker %s could not give its sign of life: %s", place.name, type(error).__name__)
            finally:
                db.session.remove()
    return True


def _take_over(client: DBOSClient, mine: str) -> None:
    """Hand the work of dead workers out again. By state, each round; asked twice it is done once."""
    pending = {workflow.executor_id for workflow in client.list_workflows(status="PENDING", load_input=False, load_output=False)}
    if not pending - {mine}:
        return
    alive = {worker.name for worker in held.workers() if not is_gone(worker)}
    dead = sorted(name for name in pending - alive - {mine} if name)
    if dead:
        log.warning("taking over the work of %s", ", ".join(dead))
        DBOS._recover_pending_workflows(dead)  # noqa: SLF001 - dbos's own way to name executors that are dead


def _clean(client: DBOSClient, system: Actor) -> None:
    before = (clock.now() - _KEEP_ENDED).isoformat()
    while old := client.list_workflows(
        status=list(_ENDED), completed_before=before, limit=_CLEANED_TOGETHER, load_input=False, load_output=False
    ):
        client.delete_workflows([workflow.workflow_id for workflow in old])
    jobs.forget_old(system)

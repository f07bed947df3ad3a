"""Databases for tests: one PostgreSQL server a run, one migrated template of each kind, a fresh copy for each test.

tests/conftest.py takes it in with `pytest_plugins = ["tests.conftest_database"]`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pysqlite3.dbapi2 as sqlite3
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from tests import postgres_server as keeper

ROOT = Path(__file__).resolve().parent.parent
RUN_FOLDER = "TEST_RUN_FOLDER"
KINDS = ("sqlite", "postgresql")
TEST_KEYS = {"SECRET_KEY": "b6d0f3a1c4e79582" * 4, "AUDIT_KEY": "7c19e5a0d2b84f36" * 4}
Builder = Callable[[str], None]


# --- what a template holds -----------------------------------------------------------------------------------------


def build_template(url: str) -> None:
    """Migrate the empty database at `url` to the newest revision, as `flask db upgrade` does."""
    from flask_migrate import upgrade

    from config import load
    from crm.app import create_app

    with tempfile.TemporaryDirectory(prefix="throughline-template-") as folder:
        app = create_app(load({"APP_ENV": "testing", "DATABASE_URL": url, "INSTANCE_PATH": folder, **TEST_KEYS}))
        with app.app_context():
            upgrade(directory=str(ROOT / "crm" / "migrations"))
            for engine in app.extensions["sqlalchemy"].engines.values():
                engine.dispose()


def build_world(url: str) -> None:
    """The migrated database with the offices and people of tests/factories/world.py in it."""
    from tests.factories import world

    world.build(url)


# Name -> what fills an empty database at an address. `@pytest.mark.template("demo")` on a test asks for another than the first.
TEMPLATE_BUILDERS: dict[str, Builder] = {"migrated": build_template, "world": build_world}


_OUTER = pytest.StashKey[str | None]()


# --- one run, shared by its workers --------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "template(name): the database starts as this template (TEMPLATE_BUILDERS)")
    if hasattr(config, "workerinput"):
        return
    config.stash[_OUTER] = os.environ.get(RUN_FOLDER)
    os.environ[RUN_FOLDER] = tempfile.mkdtemp(prefix="throughline-tests-", dir=keeper.quick_folder())


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the server and drop the templates of this run, however the run ended."""
    if _OUTER not in config.stash:
        return
    folder = Path(os.environ.pop(RUN_FOLDER))
    if (outer := config.stash[_OUTER]) is not None:
        os.environ[RUN_FOLDER] = outer
    state = folder / "server.json"
    try:
        if state.exists():
            known = json.loads(state.read_text())
            if known["folder"]:
                keeper.stop(Path(known["folder"]))
            else:
                server = Server(known["url"])
                for made in folder.glob("postgresql-*.made"):
                    server.drop(made.read_text())
                server.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A rule of one kind of database is not tried, and not reported as skipped, on the other."""
    left_out = []
    for kind in KINDS:
        others = [f"{other}_only" for other in KINDS if other != kind]
        for item in items:
            parameters = getattr(getattr(item, "callspec", None), "params", {})
            if parameters.get("database_kind") == kind and any(item.get_closest_marker(mark) for mark in others):
                left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = {id(item) for item in left_out}
        items[:] = [item for item in items if id(item) not in gone]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """All tests that had to do without PostgreSQL are one line in the summary, not a line each."""
    _ = item
    report = yield
    if report.skipped and call.excinfo is not None and str(call.excinfo.value) == keeper.why_not():
        report.longrepr = (__file__, 1, f"Skipped: {call.excinfo.value}")
    return report


@contextlib.contextmanager
def _one_at_a_time(name: str) -> Iterator[Path]:
    """The run's folder, held by one worker at a time."""
    folder = Path(os.environ[RUN_FOLDER])
    with (folder / f"{name}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield folder


# --- PostgreSQL ----------------------------------------------------------------------------------------------------


@dataclass
class Server:
    """A PostgreSQL server where databases may be made, copied and dropped."""

    url: str
    _connection: psycopg.Connection | None = field(default=None, repr=False)

    def address(self, database: str) -> str:
        """The SQLAlchemy address of one of its databases."""
        return make_url(self.url).set(drivername="postgresql+psycopg", database=database).render_as_string(hide_password=False)

    def create(self, database: str, template: str = "template0") -> None:
        # FILE_COPY copies files instead of writing each page to the log: 2-3x faster for a small template.
        self._do("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", database, template)

    def seal(self, database: str) -> None:
        """Nobody may connect any more, so that copies never fail on a forgotten connection."""
        self._do("ALTER DATABASE {} ALLOW_CONNECTIONS false", database)
        self._open().execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database,))

    def drop(self, database: str) -> None:
        self._do("DROP DATABASE IF EXISTS {} WITH (FORCE)", database)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _open(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            address = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
            self._connection = psycopg.connect(address, autocommit=True, connect_timeout=10)
        return self._connection

    def _do(self, statement: str, *names: str) -> None:
        self._open().execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """TEST_DATABASE_URL's server, else one of this run's own; shared by all workers, ended when the run ends."""
    given = os.environ.get("TEST_DATABASE_URL", "")
    if not given and (reason := keeper.why_not()):
        pytest.skip(reason)
    with _one_at_a_time("server") as folder:
        state = folder / "server.json"
        if not state.exists():
            # A worker's parent is the process that runs the whole; without workers it is this one.
            watched = os.getppid() if os.environ.get("PYTEST_XDIST_WORKER") else os.getpid()
            url, own = (given, "") if given else keeper.start(watched)
            state.write_text(json.dumps({"url": url, "folder": str(own)}))
        server = Server(json.loads(state.read_text())["url"])
    yield server
    server.close()


# --- templates and their copies ------------------------------------------------------------------------------------


@dataclass
class Templates:
    """Makes each template once a run, whichever worker asks first; a builder that failed is not tried again."""

    builders: dict[str, Builder]

    def sqlite(self, name: str) -> Path:
        with self._made("sqlite", name) as (record, folder):
            if not record.exists():
                path = folder / f"{name}.sqlite3"
                self.builders[name](f"sqlite:///{path}")
                with contextlib.closing(sqlite3.connect(str(path))) as connection:
                    connection.execute("PRAGMA journal_mode=WAL")  # kept in the file: the copies need not switch
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                record.write_text(str(path))
            return Path(record.read_text())

    def postgresql(self, name: str, server: Server) -> str:
        with self._made("postgresql", name) as (record, _):
            if not record.exists():
                database = f"tl_template_{name}_{uuid.uuid4().hex[:12]}"
                server.create(database)
                try:
                    self.builders[name](server.address(database))
                except BaseException:
                    server.drop(database)
                    raise
                server.seal(database)
                record.write_text(database)
            return record.read_text()

    @contextlib.contextmanager
    def _made(self, kind: str, name: str) -> Iterator[tuple[Path, Path]]:
        if name not in self.builders:
            message = f"no template {name!r}; there are {', '.join(self.builders)}"
            raise LookupError(message)
        # One lock for all kinds and names: builders configure global things (logging, mappers).
        with _one_at_a_time("templates") as folder:
            failed = folder / f"{kind}-{name}.failed"
            if failed.exists():
                message = f"the template {name!r} could not be built: {failed.read_text()}"
                raise RuntimeError(message)
            try:
                yield folder / f"{kind}-{name}.made", folder
            except Exception as error:
                failed.write_text(f"{type(error).__name__}: {error}")
                raise


@pytest.fixture(scope="session")
def database_templates() -> Templates:
    """The templates of this run; a test of these very fixtures overrides it with builders of its own."""
    return Templates(TEMPLATE_BUILDERS)


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, database_templates: Templates) -> Iterator[str]:
    """The address of a fresh, migrated SQLite file: the same one for every test of a process, so that the application can be kept."""
    source = database_templates.sqlite(_template_of(request))
    folder = Path(os.environ[RUN_FOLDER])
    path = folder / f"test-{os.getpid()}.sqlite3"
    shutil.copyfile(source, path)
    try:
        yield f"sqlite:///{path}"
    finally:
        for left in folder.glob(f"{path.name}*"):
            left.unlink(missing_ok=True)


@pytest.fixture
def postgresql_url(request: pytest.FixtureRequest, postgres_server: Server, database_templates: Templates) -> Iterator[str]:
    """The address of a fresh, migrated PostgreSQL database; dropped afterwards, open connections or not. The address stays the same."""
    source = database_templates.postgresql(_template_of(request), postgres_server)
    database = f"tl_test_{Path(os.environ[RUN_FOLDER]).name}_{os.getpid()}"
    postgres_server.create(database, source)
    try:
        yield postgres_server.address(database)
    finally:
        postgres_server.drop(database)


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    """`sqlite`, then `postgresql`: what asks for it, even through others, runs once on each."""
    return str(request.param)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, database_kind: str) -> str:
    """A fresh, migrated database of each kind in turn."""
    return str(request.getfixturevalue(f"{database_kind}_url"))


@pytest.fixture
def settings_environ(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Settings of an application on `database_url`: for `config.load(…)`, or the environment of a command."""
    instance = tmp_path_factory.getbasetemp() / "instance"
    instance.mkdir(mode=0o700)
    yield {"APP_ENV": "testing", "DATABASE_URL": database_url, "INSTANCE_PATH": str(instance), **TEST_KEYS}
    shutil.rmtree(instance)


def _template_of(request: pytest.FixtureRequest) -> str:
    mark = request.node.get_closest_marker("template")
    return str(mark.args[0]) if mark else next(iter(TEMPLATE_BUILDERS))

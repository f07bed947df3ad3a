"""The database: Base, engines for SQLite and PostgreSQL, and the one transaction rule.

Only `@transactional` commits (the outermost public service call); everything else that flushes or commits raises.
"""

from __future__ import annotations

import functools
import hashlib
import json
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar

import pysqlite3.dbapi2 as pysqlite3
import uuid_utils
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    MetaData,
    String,
    Text,
    Uuid,
    any_,
    event,
    func,
    insert,
    inspect,
    literal,
    select,
)
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql.compiler import InsertmanyvaluesSentinelOpts
from sqlalchemy.sql.selectable import _OffsetLimitParam
from sqlalchemy.types import TypeDecorator

from crm.errors import BusyError, Conflict, ProgrammingError

P = ParamSpec("P")
R = TypeVar("R")

#: A SQLite connection reads the statistics once, when it opens: after so long it is opened anew.
STATISTICS_SECONDS = 3600

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment, to the microsecond; naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """What a value is: cursors and the history ask."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            message = "a moment without a time zone reached the database"
            raise ProgrammingError(message)
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        _ = dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@functools.lru_cache(maxsize=16_384)
def _key_of(text: str | None) -> uuid.UUID | None:
    return None if text is None else uuid.UUID(text)


class Key(Uuid[uuid.UUID]):
    """A key. SQLite holds it as text: one that was read shortly before (an office, a donor, the same page again) is not made anew."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """None where the driver gives keys itself."""
        given = super().result_processor(dialect, coltype)  # type: ignore[no-untyped-call]
        return None if given is None else _key_of


class Base(DeclarativeBase):
    """Every table. Not `db.Model`: `Model.query` would go round the scope."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this attribute by name
        str: String(400),
        int: BigInteger().with_variant(Integer, "sqlite"),
        uuid.UUID: Key,
        datetime: UtcDateTime,
    }


db = SQLAlchemy(metadata=Base.metadata)

LongText = Text


def new_id() -> uuid.UUID:
    """A version 7 UUID: sorted by time of making; the one place where keys are made."""
    return uuid.UUID(int=uuid_utils.uuid7().int)


def among(column: Any, keys: Collection[uuid.UUID]) -> ColumnElement[bool]:
    """`column.in_(keys)` with one value, however many keys: the statement stays the same, so that neither SQLAlchemy nor the driver
    nor the database reads it anew for another number of them."""
    found: ColumnElement[bool]
    if db.engine.dialect.name == "sqlite":
        each = func.json_each(json.dumps([key.hex for key in keys])).table_valued("value")
        found = column.in_(select(each.c.value))
    else:
        found = column == any_(literal(list(keys), ARRAY(Key)))
    return found


@compiles(_OffsetLimitParam, "postgresql")
def _limit(element: Any, compiler: Any, **given: Any) -> str:
    """How many rows are wanted stands in the statement as a number. Where it is a value, the plan that PostgreSQL keeps for a prepared
    statement is one for a tenth of all rows: it walked through a hundred thousand parties by name for the few that an office knows."""
    said: str = compiler.visit_bindparam(element, literal_execute=True, **given)
    return said


# --- engines -----------------------------------------------------------------------------------------------------


def engine_options(url: str) -> dict[str, Any]:
    """Options of `create_engine` for a database address."""
    if url.startswith("sqlite"):
        arguments = {"check_same_thread": False, "timeout": 5.0, "isolation_level": None}
        return {"module": pysqlite3, "connect_args": arguments, "pool_recycle": STATISTICS_SECONDS}
    # The connection given back last is taken first: what it has prepared is used again, and few of them are kept busy.
    return {"pool_size": 8, "max_overflow": 8, "pool_pre_ping": True, "pool_use_lifo": True}


#: A statement that a PostgreSQL connection sends so often is prepared there, and so many are kept: a page's are then neither parsed
#: nor, after some more times, planned again. Those that an officer reads have two hundred between them (decision 23).
_PREPARED_AFTER, _PREPARED_KEPT = 2, 400
#: What PostgreSQL says of a prepared statement whose columns are others since. It has no code of its own.
_OTHER_TYPE = "cached plan must not change result type"
#: How long SQLite waits for another writer: as a rule, and for what can be done later.
_PATIENT_MS, _IMPATIENT_MS = 5000, 100
#: PRAGMA optimize: analyse (0x02) all tables that have grown, not only those just asked (0x10000); this many entries of an index
#: at the most. With its own bound of 2,000 SQLite took a third of all contacts for fewer than those of 25 parties.
_OPTIMIZE, _ANALYSED = 0x10002, 100_000
#: The full text index keeps its pages in tables of its own. Counted while they were nearly empty, they are read whole whenever a few of
#: their rows are removed: at a million contacts a gigabyte each time. So they are never said to be small.
_SHADOWS_ARE_LARGE = """
    UPDATE sqlite_stat1 SET stat = '1000000' WHERE idx IS NULL AND CAST(stat AS INTEGER) < 1000000
    AND tbl IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
"""
_writing: ContextVar[bool] = ContextVar("writing", default=False)
_impatient: ContextVar[bool] = ContextVar("impatient", default=False)
_steady: ContextVar[bool] = ContextVar("steady", default=False)


def _set_up_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def _pg_begin(connection: Any) -> None:
        """The driver says it with BEGIN, which it sends before the first statement: no round trip of its own. It counts for every
        transaction, whatever isolation a connection was asked for otherwise."""
        driver, levels = connection.connection.dbapi_connection, connection.dialect.dbapi.IsolationLevel
        driver.read_only = None if _writing.get() else True
        driver.isolation_level = levels.REPEATABLE_READ if _steady.get() and not _writing.get() else None

    @event.listens_for(engine, "rollback")
    def _pg_end(connection: Any) -> None:
        """What only read ends with COMMIT: at a ROLLBACK the driver forgets every statement that the server has prepared for it, so
        that no page's would ever be. The rollback that follows finds nothing to do. So nothing that reads may change a setting of
        its connection, which a rollback would have taken back: all settings are made here."""
        if connection.closed or connection.invalidated:
            return
        driver, library = connection.connection.dbapi_connection, connection.dialect.dbapi
        if driver.read_only and driver.info.transaction_status == library.pq.TransactionStatus.INTRANS:
            with suppress(library.Error):  # the rollback that follows meets the same, and says it
                driver.commit()

    @event.listens_for(engine, "connect")
    def _pg_connect(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.prepare_threshold, dbapi_connection.prepared_max = _PREPARED_AFTER, _PREPARED_KEPT

    @event.listens_for(engine, "handle_error")
    def _pg_changed(context: Any) -> OperationalError | None:
        """A column whose type was changed by an upgrade meanwhile: what was prepared before fits no more. Said as a connection that
        is lost, so that all of them are made anew and only this request is to be sent again."""
        if _OTHER_TYPE not in str(context.original_exception):
            return None
        context.is_disconnect = True
        return OperationalError(context.statement, context.parameters, context.original_exception, connection_invalidated=True)


def set_up_engine(engine: Engine) -> None:
    """Bind connection settings and transaction starts to an engine (once)."""
    if engine.dialect.name != "sqlite":
        _set_up_postgresql(engine)
        return

    # Rows of one INSERT get rising numbers in their order, so that what comes back, sorted by number, is theirs in turn: one
    # statement for many entries of the history, where SQLAlchemy by itself sends one for each. tests/test_databases.py holds it.
    engine.dialect.insertmanyvalues_implicit_sentinel = InsertmanyvaluesSentinelOpts.ANY_AUTOINCREMENT

    @event.listens_for(engine, "connect")
    def _connect(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            f"busy_timeout={_PATIENT_MS}",
            "foreign_keys=ON",
            "trusted_schema=OFF",
            "cache_size=-4000",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        if not _writing.get():
            connection.exec_driver_sql("BEGIN")
            return
        if not _impatient.get():
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        connection.exec_driver_sql(f"PRAGMA busy_timeout={_IMPATIENT_MS}")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENT_MS}")


@contextmanager
def writing() -> Iterator[None]:
    """Transactions begun inside may write. For `@transactional`, migrations and the test templates only."""
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


def refresh_statistics() -> None:
    """Let SQLite look at tables that have grown, so that it takes the right index; PostgreSQL does so by itself (autovacuum).

    After migrations, after imports and with `flask verify`. Without statistics SQLite takes every index to be equally good, and
    reads all rows of an office for those of one record. Costs nothing where nothing has grown; reads a part of each index only.
    """
    if db.engine.dialect.name != "sqlite":
        return
    connection = db.engine.raw_connection()
    try:
        with suppress(pysqlite3.OperationalError):  # somebody is writing: the next time will do
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA analysis_limit={_ANALYSED}")
            cursor.execute(f"PRAGMA optimize={_OPTIMIZE:#x}")
            cursor.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'")
            if cursor.fetchone():
                cursor.execute(_SHADOWS_ARE_LARGE)
                cursor.execute("ANALYZE sqlite_schema")  # reads the table of statistics again
    finally:
        connection.close()


@contextmanager
def steady_reading() -> Iterator[None]:
    """Every statement inside sees the records as they stood at the first (R5: one query on one snapshot).

    SQLite's read transactions always do; PostgreSQL's do not unless told. Ends the session's transaction before and after."""
    db.session.rollback()
    token = _steady.set(True)
    try:
        yield
    finally:
        db.session.rollback()
        _steady.reset(token)


# --- the transaction rule ----------------------------------------------------------------------------------------

_DEPTH = "tl_depth"
_FAILED = "tl_failed"
_AFTER = "tl_after_commit"
_WAITING = "tl_waiting"
_MAY_COMMIT = "tl_may_commit"
READ_ONLY = "tl_read_only"


def after_commit(action: Callable[[], object]) -> None:
    """Run `action` once the outermost transaction has committed (e-mail, files, jobs); never if it rolls back."""
    info = db.session().info
    if not info.get(_DEPTH):
        message = "after_commit() outside a transaction"
        raise ProgrammingError(message)
    info.setdefault(_AFTER, []).append(action)


def transactional(function: Callable[P, R]) -> Callable[P, R]:
    """Make a service function one transaction: commits when it is the outermost, joins when it is not."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        session = db.session()
        info = session.info
        if info.get(_DEPTH):
            return _inner(session, function, *args, **kwargs)
        if info.get(READ_ONLY) and not getattr(function, "writes_on_read", False):
            message = f"{function.__qualname__} writes, but the request only reads"
            raise ProgrammingError(message)
        return _outer(session, function, *args, **kwargs)

    wrapper.is_transactional = True  # type: ignore[attr-defined]
    return wrapper


def writes_on_read(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a service that may write while a page is read (a session's last use, a logged view). Under `@transactional`."""
    function.writes_on_read = True  # type: ignore[attr-defined]
    return function


def impatient(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a service that gives way (`Conflict`) at once where somebody else is saving: nobody waits for what can be done later.
    Under `@transactional`; on SQLite, where one writes at a time."""
    function.is_impatient = True  # type: ignore[attr-defined]
    return function


def _inner(session: Session, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    session.info[_DEPTH] += 1
    try:
        return function(*args, **kwargs)
    except BaseException:
        session.info[_FAILED] = True
        raise
    finally:
        session.info[_DEPTH] -= 1


def _outer(session: Session, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    info = session.info
    if session.new or session.dirty or session.deleted:
        message = "records were changed outside a transaction"
        raise ProgrammingError(message)
    session.rollback()  # ends a read transaction: a writing one must begin as such
    token, patience = _writing.set(True), _impatient.set(getattr(function, "is_impatient", False))
    info[_DEPTH], info[_FAILED], info[_AFTER] = 1, False, []
    try:
        result = function(*args, **kwargs)
        _refuse_swallowed_failure(info)
        info[_MAY_COMMIT] = True
        session.commit()
    except IntegrityError as error:
        session.rollback()
        raise Conflict(_integrity_sentence(error)) from error
    except OperationalError as error:
        session.rollback()
        if not _is_busy(error):
            raise
        raise BusyError("Somebody is saving a lot at this moment, so that nothing of yours was saved yet. Try again.") from error
    except StaleDataError as error:
        session.rollback()
        raise Conflict("Somebody else changed this record at the same moment. Open it again to see their change.") from error
    except BaseException:
        session.rollback()
        raise
    finally:
        _writing.reset(token)
        _impatient.reset(patience)
        info[_DEPTH] = 0
        info[_MAY_COMMIT] = False
        actions = info.pop(_AFTER, [])
    for action in actions:
        action()
    return result


def _refuse_swallowed_failure(info: dict[Any, Any]) -> None:
    if info[_FAILED]:
        message = "an inner call failed and its error was swallowed: nothing was saved"
        raise ProgrammingError(message)


def _is_busy(error: OperationalError) -> bool:
    """Whether the database gave up waiting for another writer (SQLite after five seconds; PostgreSQL in a deadlock)."""
    text = str(error.orig).lower()
    return "database is locked" in text or "deadlock detected" in text


def _integrity_sentence(error: IntegrityError) -> str:
    text = str(error.orig).lower()
    if "foreign key" in text:
        return "Something this record refers to does not exist, or other records still refer to it."
    if "unique" in text or "duplicate key" in text:
        return "A record with the same identity exists already."
    return "The database refused a value that breaks one of its rules."


def is_writing() -> bool:
    """Whether a transaction that may write is open."""
    return bool(db.session().info.get(_DEPTH))


def hold(*names: str) -> None:
    """Hold some names until the transaction ends: whoever holds one of them too waits. For what no row stands for yet.

    SQLite has one writer at a time as it is. Names are taken in one order, so that two holders never wait for each other."""
    session = db.session()
    if not session.info.get(_DEPTH):
        message = "hold() outside a transaction"
        raise ProgrammingError(message)
    if session.get_bind().dialect.name == "sqlite":
        return
    for key in sorted(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True) for name in names):
        session.execute(select(func.pg_advisory_xact_lock(key)))


def write_following(session: Session, entity: type[Any], rows: Sequence[Mapping[str, Any]], *, key: Any = None) -> list[Any]:
    """Write rows that follow the records of a flush (history, search words, keys of duplicates) with one statement for all of them, since an
    import makes thousands; returns what they have in the column `key`, in their order, where one is named.

    They go in beside the session, so its guards do not see them: only tables that say so (`__follows__`) are written like this."""
    if not getattr(entity, "__follows__", False):
        message = f"{entity.__name__} does not follow other records"
        raise ProgrammingError(message)
    if not rows:
        return []
    options = {"render_nulls": True}  # rows that lack a value go into the same statement as those that have one
    if key is None:
        # Asked for a column, SQLAlchemy sends many rows in a statement; without, each alone, and SQLite's full text index writes all it has
        # gathered before every statement.
        session.execute(insert(entity).returning(inspect(entity).primary_key[0]), rows, execution_options=options)
        return []
    return list(session.scalars(insert(entity).returning(key, sort_by_parameter_order=True), rows, execution_options=options))


def follow(session: Session, name: str, items: Sequence[Any], write: Callable[[Session, Sequence[Any]], None]) -> None:
    """Write what follows the records of a flush: now, or within `together` with that of the other flushes. `write` is the same for a
    name each time."""
    waiting: dict[str, tuple[Callable[[Session, Sequence[Any]], None], list[Any]]] | None = session.info.get(_WAITING)
    if waiting is not None:
        waiting.setdefault(name, (write, []))[1].extend(items)
    elif items:
        write(session, items)


def waiting_for(session: Session, name: str) -> Sequence[Any]:
    """What waits to be written at the end of `together`."""
    waiting = session.info.get(_WAITING) or {}
    return waiting[name][1] if name in waiting else ()


@contextmanager
def together() -> Iterator[None]:
    """A part of a transaction that makes new records in several flushes, since they refer to each other: what follows them is written
    once, at its end. Nothing inside reads it. What a savepoint inside takes back is not written."""
    session = db.session()
    if not session.info.get(_DEPTH):
        message = "together() outside a transaction"
        raise ProgrammingError(message)
    if session.info.get(_WAITING) is not None:
        yield
        return
    session.info[_WAITING] = {}
    try:
        yield
        session.flush()
    except BaseException:
        session.info.pop(_WAITING)
        raise
    for write, items in session.info.pop(_WAITING).values():
        write(session, items)


@contextmanager
def savepoint() -> Iterator[None]:
    """A part of a transaction that may fail alone (one row of an import): its error undoes only itself."""
    session = db.session()
    if not session.info.get(_DEPTH):
        message = "savepoint() outside a transaction"
        raise ProgrammingError(message)
    failed_before = session.info[_FAILED]
    with session.begin_nested():  # flushes what was recorded before, so that it waits already
        waiting: dict[str, tuple[Any, list[Any]]] = session.info.get(_WAITING) or {}
        waited = {name: len(items) for name, (_write, items) in waiting.items()}
        try:
            yield
            session.flush()
        except BaseException:
            session.info[_FAILED] = failed_before
            for name, (_write, items) in waiting.items():
                del items[waited.get(name, 0) :]
            raise


@event.listens_for(Session, "before_commit")
def _only_transactional_commits(session: Session) -> None:
    if session.info.get("tl_free"):
        return
    if session.in_nested_transaction():
        return
    if not session.info.get(_MAY_COMMIT):
        message = "commit outside @transactional"
        raise ProgrammingError(message)


@event.listens_for(Session, "before_flush")
def _only_transactional_flushes(session: Session, _context: Any, _instances: Any) -> None:
    if session.info.get("tl_free"):
        return
    if not session.info.get(_DEPTH) and (session.new or session.dirty or session.deleted):
        message = "records were changed outside a transaction"
        raise ProgrammingError(message)

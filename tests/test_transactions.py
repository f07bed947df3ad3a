"""The transaction rule: one commit at the outermost call, nothing by halves, and one state of the records for a document."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.pool import NullPool

from crm.db import after_commit, db, impatient, savepoint, steady_reading, together, transactional
from crm.errors import Conflict, Invalid, ProgrammingError
from crm.models.audit import AuditEntry, AuditValue
from crm.models.base import OFFICE, OPEN
from crm.models.notes import Note
from crm.models.parties import Party
from crm.models.search import SearchEntry
from crm.policy import bind_actor
from crm.queries.search_index import wrong_entries
from crm.services import users
from tests.factories import money as made
from tests.factories import world
from tests.factories.counting import count_statements


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(Party)) or 0


def newest_entry() -> int:
    return db.session.scalar(select(func.max(AuditEntry.seq))) or 0


def record_elsewhere(app, name: str) -> None:
    """Record a party from another session, as somebody else's request would."""

    def run() -> None:
        with app.app_context():
            actor = users.actor_by_email(world.address("grants"))
            bind_actor(actor)
            made.donor(actor, name)
            db.session.remove()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


def test_a_document_reads_one_state_of_the_records(app, acting):
    """R5: what is recorded while a document is being read is in none of its figures."""
    acting("grants")
    with steady_reading():
        before = count()
        record_elsewhere(app, "Came in between")
        assert count() == before
    assert count() == before + 1


def test_an_outer_call_commits_once_and_an_error_undoes_all(acting):
    actor = acting("grants")
    before = count()

    @transactional
    def two_and_fail() -> None:
        made.donor(actor, "First")
        made.donor(actor, "Second")
        raise Invalid("no")

    with pytest.raises(Invalid):
        two_and_fail()
    assert count() == before

    @transactional
    def two() -> None:
        made.donor(actor, "First")
        made.donor(actor, "Second")

    two()
    assert count() == before + 2


def test_a_swallowed_error_of_an_inner_call_saves_nothing(acting):
    actor = acting("grants")
    before = count()

    @transactional
    def inner() -> None:
        raise Invalid("no")

    @transactional
    def outer() -> None:
        made.donor(actor, "First")
        with contextlib.suppress(Invalid):
            inner()

    with pytest.raises(ProgrammingError):
        outer()
    assert count() == before


def test_a_savepoint_undoes_itself_alone(acting):
    actor = acting("grants")
    before = count()

    @transactional
    def rows() -> None:
        made.donor(actor, "Kept")
        with contextlib.suppress(Invalid), savepoint():
            made.donor(actor, "Bad")
            raise Invalid("a bad row")

    rows()
    assert count() == before + 1


def test_what_follows_several_flushes_is_written_at_the_end(acting):
    """Within `together` history and search words of all new records wait for the last of them, and fall with them."""
    actor = acting("grants")

    @transactional
    def two(*, fails: bool) -> list[int]:
        found = [entries()]
        with together():
            made.donor(actor, "First")
            made.donor(actor, "Second")
            found.append(entries())
            if fails:
                raise Invalid("no")
        found.append(entries())
        return found

    def entries() -> int:
        return db.session.scalar(select(func.count()).select_from(SearchEntry)) or 0

    before, inside, after = two(fails=False)
    assert (inside - before, after - before) == (0, 2)
    with pytest.raises(Invalid):
        two(fails=True)
    assert two(fails=False) == [after, after, after + 2]
    assert list(wrong_entries()) == []
    histories = select(func.count()).select_from(AuditEntry).join(Party, AuditEntry.record_id == Party.id)
    assert db.session.scalar(histories.where(Party.name.in_(["First", "Second"]), AuditEntry.action == "created")) == 4


def test_what_is_taken_back_before_the_end_leaves_nothing_behind(acting):
    """Within `together`: a record that a savepoint undid, one that was removed again, and a part that was."""
    actor = acting("grants")

    @transactional
    def undone() -> None:
        with contextlib.suppress(Invalid), savepoint():
            made.donor(actor, "Undone")
            raise Invalid("no")

    @transactional
    def removed() -> None:
        party = db.session.get_one(Party, made.donor(actor, "Removed"))
        db.session.delete(party)
        db.session.flush()

    @transactional
    def all_at_once() -> None:
        with together():
            made.donor(actor, "Kept before")
            undone()
            removed()
            made.donor(actor, "Kept after")

    before = newest_entry()
    all_at_once()
    assert list(wrong_entries()) == []
    since = select(AuditEntry.action, AuditEntry.record_id).where(AuditEntry.seq > before).order_by(AuditEntry.seq)
    actions = [(action, db.session.get(Party, key)) for action, key in db.session.execute(since)]
    assert [(action, party.name if party else "gone") for action, party in actions] == [
        ("created", "Kept before"),
        ("created", "gone"),
        ("deleted", "gone"),
        ("created", "Kept after"),
    ]


def test_a_note_that_is_narrowed_before_the_end_is_narrow_in_all_its_history(acting):
    actor = acting("grants")
    donor = made.donor(actor)

    @transactional
    def narrow() -> uuid.UUID:
        with together():
            note = Note(office_id=made.office("JOR"), party_id=donor, body="Said in confidence", level=OPEN)
            db.session.add(note)
            db.session.flush()
            note.body = "Said in strict confidence"
            db.session.flush()
            note.level = OFFICE
            db.session.flush()
        return note.id

    key = narrow()
    levels = select(AuditEntry.level, AuditValue.level).outerjoin(AuditValue, AuditValue.entry_seq == AuditEntry.seq)
    assert {tuple(row) for row in db.session.execute(levels.where(AuditEntry.record_id == key))} <= {(OFFICE, OFFICE), (OFFICE, None)}


def test_what_waits_for_the_commit_happens_only_then(acting):
    actor = acting("grants")
    done: list[str] = []

    @transactional
    def work(*, fails: bool) -> None:
        after_commit(lambda: done.append("sent"))
        made.donor(actor, "Somebody")
        assert not done
        if fails:
            raise Invalid("no")

    with pytest.raises(Invalid):
        work(fails=True)
    assert not done
    work(fails=False)
    assert done == ["sent"]


def test_records_changed_or_committed_outside_are_refused(acting):
    acting("grants")
    party = Party(office_id=made.office(), reference="X", form="organisation", name="X", folded_name="x")
    db.session.add(party)
    with pytest.raises(ProgrammingError):
        db.session.commit()
    db.session.rollback()
    with pytest.raises(ProgrammingError):
        db.session.commit()


def test_what_can_be_done_later_gives_way_at_once(app, acting):
    """SQLite has one writer at a time, PostgreSQL many; who only notes something never waits five seconds for another."""
    acting("grants")
    holds, may_end = threading.Event(), threading.Event()

    @transactional
    def long_save() -> None:
        db.session.execute(select(Party.id).limit(1))
        holds.set()
        assert may_end.wait(30)

    def elsewhere() -> None:
        with app.app_context():
            long_save()
            db.session.remove()

    @transactional
    @impatient
    def note() -> None:
        db.session.execute(select(Party.id).limit(1))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    assert holds.wait(30)
    began = time.monotonic()
    is_single = db.engine.dialect.name == "sqlite"
    with pytest.raises(Conflict) if is_single else contextlib.nullcontext():
        note()
    assert time.monotonic() - began < 3
    may_end.set()
    thread.join(30)
    note()
    assert db.session.scalar(select(func.count()).select_from(Party)) is not None


@pytest.mark.postgresql_only
def test_what_only_reads_cannot_write_and_a_writer_leaves_no_trace_on_its_connection(acting):
    """The database itself refuses a write in a transaction that was begun for reading."""
    actor = acting("grants")
    for turn in range(2):
        made.donor(actor, f"Donor {turn}")  # a writer before: the pool gives out its connection next
        with pytest.raises(InternalError, match="read-only"):
            db.session.connection().exec_driver_sql("UPDATE offices SET name = name")
        db.session.rollback()

    def isolation() -> str:
        return db.session.connection().exec_driver_sql("SHOW transaction_isolation").scalar_one()

    with steady_reading():
        assert isolation() == "repeatable read"
    assert isolation() == "read committed"


def prepared() -> list[str]:
    """What the server holds prepared for the connection that the pool gives out next: the texts of the statements."""
    connection = db.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        found = [row[0] for row in cursor.fetchall()]
        connection.commit()  # not a rollback: the driver would forget them
        return found
    finally:
        connection.close()


@pytest.mark.postgresql_only
def test_what_pages_ask_again_is_prepared_and_stays_so(acting):
    """The driver forgets what is prepared at a ROLLBACK, and every page ends with one: what only read is ended otherwise."""
    actor = acting("grants")
    held = []
    for _page in range(6):
        bind_actor(actor)
        assert count() == 0
        db.session.remove()
        held.append([text for text in prepared() if "FROM parties" in text])
    assert held[0] == []
    assert len(held[-1]) == 1
    bind_actor(actor)
    made.donor(actor, "Written between two pages")
    db.session.remove()
    assert [text for text in prepared() if "FROM parties" in text] == held[-1]


@pytest.mark.postgresql_only
def test_what_was_written_and_failed_is_not_kept_by_ending_a_transaction_so(acting):
    """Only what was begun for reading ends with COMMIT; one that the database has given up ends as it must."""
    actor = acting("grants")

    @transactional
    def fails(_actor) -> None:
        db.session.add(Party(office_id=made.office(), visibility=OFFICE, reference="X-1", form="person", name="X", folded_name="x"))
        db.session.flush()
        message = "too late"
        raise Invalid(message, field="name")

    for _turn in range(3):
        with pytest.raises(Invalid, match="too late"):
            fails(actor)
        db.session.remove()
        bind_actor(actor)
        assert count() == 0
    with pytest.raises(InternalError, match="read-only"):
        db.session.connection().exec_driver_sql("UPDATE offices SET name = name")
    db.session.rollback()  # given up by the database: nothing to keep, and the connection is good for the next
    assert count() == 0


@pytest.mark.postgresql_only
def test_how_many_rows_are_wanted_is_part_of_the_statement(acting, app):
    """A plan that PostgreSQL keeps for any number is one for a tenth of all rows."""
    acting("grants")
    with count_statements(app) as sent:
        assert db.session.scalars(select(Party).order_by(Party.folded_name).offset(3).limit(7)).all() == []
    assert sent.texts[-1].split("LIMIT")[1].split() == ["7", "OFFSET", "3"]


@pytest.mark.postgresql_only
def test_a_column_of_another_type_since_is_met_once(acting, database_url):
    """An upgrade beside a running server: what was prepared before fits no more, and every connection is made anew."""
    actor = acting("grants")
    for _page in range(5):
        bind_actor(actor)
        assert db.session.scalars(select(Party.reference)).all() == []
        db.session.remove()
    owner = create_engine(database_url, poolclass=NullPool)
    with owner.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE parties ALTER COLUMN reference TYPE varchar(333)")
    bind_actor(actor)
    with pytest.raises(OperationalError, match="cached plan") as caught:
        db.session.scalars(select(Party.reference)).all()
    assert caught.value.connection_invalidated
    db.session.remove()
    bind_actor(actor)
    assert db.session.scalars(select(Party.reference)).all() == []

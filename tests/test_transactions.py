"""The transaction rule: one commit at the outermost call, nothing by halves, and one state of the records for a document."""

from __future__ import annotations

import contextlib
import threading

import pytest
from sqlalchemy import func, select

from crm.db import after_commit, db, savepoint, steady_reading, transactional
from crm.errors import Invalid, ProgrammingError
from crm.models.parties import Party
from crm.policy import bind_actor
from crm.services import users
from tests.factories import money as made
from tests.factories import world


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(Party)) or 0


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

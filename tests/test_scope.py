"""The row scope: whose rows a statement sees, for each kind of actor, whatever page asks."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from crm.db import db
from crm.errors import ProgrammingError
from crm.models.audit import AuditEntry, AuditValue
from crm.models.parties import Party
from crm.models.pledges import Pledge
from crm.models.users import User
from crm.policy import all_offices, bind_actor, office_rows, unscoped
from tests.factories import money as made


@pytest.fixture
def pledged(acting):
    actor = acting("grants")
    donor = made.donor(actor)
    return donor, made.pledge(actor, donor)


def seen(entity) -> int:
    return len(db.session.scalars(select(entity)).all())


def test_an_administrator_reads_names_and_no_record(pledged, acting):
    """Domain 0.2: an administrator sees names only, whatever page asks; who changed what is seen, not the values."""
    acting("admin")
    assert seen(Party) == 1
    assert seen(User) > 1
    assert seen(AuditEntry) > 0
    assert (seen(Pledge), seen(AuditValue)) == (0, 0)


@pytest.mark.parametrize(("name", "pledges"), [("viewer", 1), ("hq", 1), ("regional", 1), ("other", 0), ("auditor", 1)])
def test_a_row_is_seen_where_its_office_is_in_scope(pledged, acting, name, pledges):
    acting(name)
    assert seen(Pledge) == pledges
    assert seen(Party) == 1, "a shared party is everybody's"


def test_nobody_bound_sees_nothing(pledged, context):
    bind_actor(None)
    assert (seen(Pledge), seen(User), seen(Party)) == (0, 0, 1)


def test_a_statement_round_the_scope_raises(pledged):
    with pytest.raises(ProgrammingError):
        db.session.connection().execute(text("SELECT 1"))


def test_offices_stand_by_code_for_whoever_signs_in(context):
    """The first office that a form offers is the first of them."""
    with unscoped("test"):
        codes = [row.code for row in office_rows()]
        assert codes == sorted(codes) == [office.code for office in all_offices()]

"""The row scope: whose rows a statement sees, for each kind of actor, whatever page asks."""

from __future__ import annotations

import uuid
from datetime import date

import pytest
from sqlalchemy import ColumnElement, exists, func, select, text, update
from sqlalchemy.orm import aliased, joinedload, selectinload

from crm.conditions import Conditions, condition
from crm.db import among, db, transactional
from crm.errors import ProgrammingError
from crm.models.audit import AuditEntry, AuditValue
from crm.models.base import OFFICE
from crm.models.parties import Party
from crm.models.pledges import Pledge
from crm.models.users import User
from crm.policy import _criteria, all_offices, bind_actor, offices_by_id, unscoped
from crm.services.pledges import NewPledge, record_pledge
from tests.factories import money as made

OPTIONS = {"synchronize_session": False}


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
        codes = [row.code for row in offices_by_id().values()]
        assert codes == sorted(codes) == [office.code for office in all_offices()]


def test_people_of_one_kind_share_a_statement_and_not_its_rows(pledged, acting):
    """What is compiled for one office is used for the next with that one's values: plain, under an alias, beneath, counted, changed."""
    donor, _pledge = pledged
    other = aliased(Pledge)
    statements = [
        select(Pledge.id),
        select(other.id).where(other.donor_id == donor),
        select(Party.id).where(exists().where(Pledge.donor_id == Party.id)),
        select(func.count()).select_from(Pledge).group_by(Pledge.donor_id),
        update(Pledge).where(Pledge.donor_id == donor).values(programme_id=None).returning(Pledge.id),
        update(Pledge).where(Pledge.id.in_(select(other.id))).values(programme_id=None).returning(Pledge.id),
    ]
    for _turn in range(2):
        for name, count in (("grants", 1), ("other", 0), ("hq", 1), ("auditor", 1)):
            acting(name)
            found = transactional(lambda: [len(db.session.execute(each, execution_options=OPTIONS).all()) for each in statements])()
            assert found == [count] * len(statements), (name, found)


def test_what_is_asked_for_by_its_keys_is_in_scope_and_answers_for_the_keys_of_its_time(pledged, acting):
    """`among` sends the same statement for any keys: none, one, those of others, thousands; plain, under an alias, beneath, joined."""
    donor, mine = pledged
    theirs = record_pledge(acting("other-grants"), NewPledge(made.office("KEN"), donor, made.eur(1000), pledged_on=date(2024, 5, 2)))
    both, other = {mine, theirs}, aliased(Pledge)
    thousands = [*both, *both, *(uuid.uuid4() for _ in range(5000))]
    for name, readable in (("grants", {mine}), ("other", {theirs}), ("hq", both), ("admin", set())):
        acting(name)
        for keys in ([], [mine], [theirs], thousands, {theirs: 1, mine: 2}, []):
            for statement in (
                select(Pledge.id).where(among(Pledge.id, keys)),
                select(other.id).where(among(other.id, keys)),
                select(Pledge.id).where(exists().where(other.id == Pledge.id, among(other.id, keys)).correlate(Pledge)),
                select(Pledge.id).where(Pledge.id.in_(select(other.id).where(among(other.id, keys)))),
                select(Pledge.id).join(Pledge.donor).where(among(Pledge.id, keys), among(Party.id, [donor])),
            ):
                found = db.session.scalars(statement).all()
                assert sorted(found) == sorted(readable & set(keys)), (name, len(keys), statement)
            assert not db.session.scalars(select(Pledge.id).where(among(Pledge.programme_id, keys))).all(), "no programme is none of them"


@pytest.mark.parametrize("load", [joinedload, selectinload])
def test_what_is_loaded_along_is_in_scope_too(pledged, acting, load):
    """A shared party cannot be taken back from others by any page; were it, their records would not name it."""
    donor, _pledge = pledged
    record_pledge(acting("other-grants"), NewPledge(made.office("KEN"), donor, made.eur(1000), pledged_on=date(2024, 5, 2)))

    def donors(name: str) -> list[object]:
        acting(name)
        db.session.expire_all()
        return [pledge.donor for pledge in db.session.scalars(select(Pledge).options(load(Pledge.donor)))]

    assert all(donors("other"))

    @transactional
    def take_back() -> None:
        db.session.execute(update(Party).where(Party.id == donor).values(visibility=OFFICE), execution_options=OPTIONS)

    with unscoped("test"):
        take_back()
    assert donors("other") == [None]
    assert all(donors("grants"))


def test_the_conditions_of_two_offices_differ_in_values_alone(acting):
    def key(name: str) -> tuple[object, list[object]]:
        values: list[object] = []
        shape = _criteria(acting(name))._gen_cache_key(None, values)
        return shape, [getattr(value, "value", None) for value in values]

    (jordan, ours), (kenya, theirs), (everywhere, _all) = key("officer"), key("other"), key("hq")
    assert jordan == kenya
    assert hash(jordan) == hash(kenya)
    assert len(ours) == len(theirs)
    assert ours != theirs
    assert key("officer") == (jordan, ours)
    assert everywhere != jordan, "who reads all offices has fewer conditions"


def test_a_condition_that_cannot_be_cached_is_refused():
    class Odd(ColumnElement[bool]):
        inherit_cache = False

    with pytest.raises(ProgrammingError, match="cannot be cached"):
        Conditions([condition(Party, Odd())])

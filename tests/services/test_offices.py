"""Offices are changed by who manages them and moved by who manages all that they leave and come under; money keeps its currency."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from sqlalchemy import select

from crm.db import db, savepoint, transactional
from crm.errors import Conflict, Denied, EditConflict, Invalid, NotFound
from crm.models.offices import Office
from crm.policy import Permission, offices_by_id
from crm.queries import offices as queries
from crm.services import offices, users
from crm.services.offices import OfficeInput
from tests.factories import money as made
from tests.factories import world
from tests.queries.test_money_reading import statements

JORDAN = OfficeInput("Jordan", "JOD", "USD", "Asia/Amman")


def office(code: str) -> Office:
    return db.session.scalars(select(Office).where(Office.code == code)).one()


def move(who, code: str, to: str):
    one = office(code)
    return offices.move_office(who, one.id, office(to).id, seen_parent_id=one.parent_id)


def test_a_head_and_an_administrator_change_their_office(acting):
    head = acting("head")
    key = office("JOR").id
    offices.change_office(head, key, JORDAN, version=1)
    assert office("JOR").name == "Jordan"
    admin = acting("admin")
    offices.change_office(admin, key, replace(JORDAN, name="Jordan again"), version=2)
    assert office("JOR").name == "Jordan again"


def test_offices_are_read_once_for_a_transaction_and_again_after_a_change(acting):
    head = acting("head")
    key = office("JOR").id
    with statements() as seen:
        assert offices_by_id()[key].name == offices_by_id()[key].name != "Jordan"
    assert len(seen) == 1

    def taken_back(names: list[str]) -> None:
        with savepoint():
            office("JOR").name = "Taken back"
            db.session.flush()
            names.append(offices_by_id()[key].name)
            raise Invalid("no")

    @transactional
    def change() -> list[str]:
        names = [offices_by_id()[key].name]
        with pytest.raises(Invalid):
            taken_back(names)
        names.append(offices_by_id()[key].name)
        offices.change_office(head, key, JORDAN, version=1)
        return [*names, offices_by_id()[key].name]

    first, inside, after, changed = change()
    assert (inside, after, changed) == ("Taken back", first, "Jordan")
    assert offices_by_id()[key].name == "Jordan"


@pytest.mark.parametrize("name", ["viewer", "officer", "grants", "manager", "auditor", "hq", "regional"])
def test_nobody_else_changes_or_moves_one(acting, name):
    who = acting(name)
    with pytest.raises(Denied):
        offices.change_office(who, office("JOR").id, JORDAN, version=1)
    with pytest.raises(Denied):
        move(who, "JOR", "HQ")


def test_an_office_out_of_scope_is_absent(acting):
    head = acting("head")
    for key in (office("KEN").id, uuid.uuid4()):
        with pytest.raises(NotFound):
            offices.change_office(head, key, JORDAN, version=1)
        with pytest.raises(NotFound):
            queries.office_detail(head, key)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (replace(JORDAN, name=" "), "name"),
        (replace(JORDAN, name="n" * 201), "name"),
        (replace(JORDAN, currency="XX"), "currency"),
        (replace(JORDAN, reporting_currency="usd"), "reporting_currency"),
        (replace(JORDAN, timezone="Amman"), "timezone"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(acting, values, field):
    head = acting("head")
    with pytest.raises(Invalid) as refused:
        offices.change_office(head, office("JOR").id, values, version=1)
    assert list(refused.value.errors) == [field]


def test_the_reporting_currency_stays_once_money_is_on_record(acting):
    grants = acting("grants")
    key = office("JOR").id
    head = acting("head")
    offices.change_office(head, key, replace(JORDAN, reporting_currency="EUR"), version=1)
    offices.change_office(head, key, JORDAN, version=2)
    grants = acting("grants")
    made.pledge(grants, made.donor(grants))
    for name in ("head", "admin"):
        who = acting(name)
        with pytest.raises(Invalid, match="it stays") as refused:
            offices.change_office(who, key, replace(JORDAN, reporting_currency="EUR"), version=3)
        assert list(refused.value.errors) == ["reporting_currency"]
        offices.change_office(who, key, replace(JORDAN, name=f"Jordan of {name}"), version=office("JOR").version)


@pytest.mark.parametrize("name", ["admin", "head"])
def test_two_who_change_the_same_field_are_asked_and_other_fields_join(acting, name):
    who = acting(name)
    key = office("JOR").id
    offices.change_office(who, key, replace(JORDAN, name="One", currency="EUR"), version=1)
    before = "Country office Jordan (test)"
    with pytest.raises(EditConflict) as clash:
        offices.change_office(who, key, replace(JORDAN, name="Two"), version=1)
    assert clash.value.changes == {"name": (before, "One", "Two")}
    assert clash.value.merged["currency"] == "EUR"
    offices.change_office(who, key, replace(JORDAN, name=before, timezone="Asia/Beirut"), version=1)
    now = office("JOR")
    assert (now.name, now.currency, now.timezone) == ("One", "EUR", "Asia/Beirut")


def test_a_moved_office_is_seen_by_whoever_stands_above_it_now(acting):
    regional = acting("regional")
    jordan = office("JOR").id
    assert jordan in regional.grants
    assert office("KEN").id not in regional.grants
    admin = acting("admin")
    move(admin, "JOR", "HQ")
    move(admin, "KEN", "MER")
    after = users.actor_by_email(world.address("regional"))
    assert jordan not in after.grants
    assert office("KEN").id in after.grants
    assert users.actor_by_email(world.address("hq")).grants.keys() == admin.grants.keys()


def test_what_a_move_would_do_is_told_before(acting):
    acting("admin")
    told = queries.move_of(office("JOR").id, office("HQ").id)
    assert [one.code for one in told.offices] == ["JOR"]
    assert ([one.code for one in told.leaves], [one.code for one in told.enters]) == (["MER"], [])
    told = queries.move_of(office("MER").id, office("KEN").id)
    assert [one.code for one in told.offices] == ["MER", "JOR"]
    assert ([one.code for one in told.leaves], [one.code for one in told.enters]) == ([], ["KEN"])
    assert {member.user.email for member in queries.people_of(told.enters)} == {world.address("other"), world.address("other-grants")}


@pytest.mark.parametrize(
    ("code", "to", "said"), [("MER", "JOR", "itself"), ("MER", "MER", "itself"), ("JOR", "MER", "already"), ("HQ", "KEN", "itself")]
)
def test_the_tree_stays_a_tree(acting, code, to, said):
    admin = acting("admin")
    with pytest.raises(Invalid, match=said) as refused:
        move(admin, code, to)
    assert list(refused.value.errors) == ["parent_id"]


def test_two_moves_at_once_make_no_ring(acting):
    admin = acting("admin")
    seen = office("MER").parent_id
    move(admin, "KEN", "MER")
    with pytest.raises(Invalid):
        offices.move_office(admin, office("MER").id, office("KEN").id, seen_parent_id=seen)


def test_a_move_is_not_done_over_another_one(acting):
    admin = acting("admin")
    seen = office("JOR").parent_id
    move(admin, "JOR", "KEN")
    with pytest.raises(Conflict, match="moved this office meanwhile"):
        offices.move_office(admin, office("JOR").id, office("HQ").id, seen_parent_id=seen)


def test_who_manages_only_some_of_the_offices_does_not_move_between_them(acting):
    admin = acting("admin")
    hq, region, jordan, kenya = (office(code).id for code in ("HQ", "MER", "JOR", "KEN"))
    offices.create_office(admin, offices.NewOffice("LBN", "Lebanon", "country", region, "LBP", "Asia/Beirut"))
    admin = acting("admin")
    key = users.create_user(admin, users.NewUser("two@test.example", "Two", region, "administrator", "river stone lantern 42"))
    assert key
    local = users.actor_by_email("two@test.example")
    assert Permission.OFFICE_MANAGE in local.grants[jordan]
    for to in (hq, kenya):
        with pytest.raises(Denied):
            offices.move_office(local, jordan, to, seen_parent_id=region)
    lebanon = office("LBN").id
    offices.move_office(local, jordan, lebanon, seen_parent_id=region)
    assert office("JOR").parent_id == lebanon


def test_the_history_of_an_office_names_what_changed_to_who_keeps_it(acting):
    admin = acting("admin")
    key = office("JOR").id
    offices.change_office(admin, key, JORDAN, version=1)
    move(admin, "JOR", "HQ")
    told = {value.field for row in queries.history_of(key).entries for value in row.values}
    assert {"name", "parent_id"} <= told

"""Signing in (P8), and who may change whom."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from crm.db import db, transactional
from crm.errors import Denied
from crm.models.offices import Office
from crm.models.users import Membership, SignInTry, User
from crm.policy import bind_actor, unscoped
from crm.services import users
from tests.factories import world

WRONG = "wrong stone lantern 42"


def test_the_same_answer_for_an_unknown_person_and_a_wrong_password(context):
    with pytest.raises(Denied) as unknown:
        users.sign_in("nobody@test.example", "x", address="a", browser="")
    with pytest.raises(Denied) as wrong:
        users.sign_in(world.address("officer"), "x", address="a", browser="")
    assert str(unknown.value) == str(wrong.value)


def test_five_failed_tries_slow_the_account_down_and_the_right_password_too(context):
    for _ in range(5):
        with pytest.raises(Denied):
            users.sign_in(world.address("officer"), "x", address="a", browser="")
    with pytest.raises(users.TooManyTries):
        users.sign_in(world.address("officer"), world.PASSWORD, address="b", browser="")
    assert users.sign_in(world.address("manager"), world.PASSWORD, address="b", browser="")


def test_an_unknown_person_is_slowed_down_alike(context):
    for _ in range(5):
        with pytest.raises(Denied):
            users.sign_in("nobody@test.example", "x", address="a", browser="")
    with pytest.raises(users.TooManyTries):
        users.sign_in("nobody@test.example", "x", address="b", browser="")


def test_signing_in_clears_the_tries_of_the_account(context):
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(Denied):
                users.sign_in(world.address("officer"), "x", address="a", browser="")
        assert users.sign_in(world.address("officer"), world.PASSWORD, address="a", browser="")
    with unscoped("test"):
        assert db.session.scalar(select(func.count()).select_from(SignInTry)) == 0


def test_a_try_counts_before_its_password_is_looked_at(context, monkeypatch):
    """A process that dies over the hash, and tries at the same moment, have counted."""

    class Broken:
        def verify(self, known: str, typed: str) -> bool:
            db.session.rollback()
            raise MemoryError

    monkeypatch.setattr(users, "_hasher", Broken())
    with pytest.raises(MemoryError):
        users.sign_in(world.address("officer"), WRONG, address="a", browser="")
    db.session.rollback()
    with unscoped("test"):
        assert db.session.scalar(select(func.count()).select_from(SignInTry)) == 1


def judged(app, people, *, connections=16, tries=3):
    """How many of many wrong passwords, tried at the same moment from one address, were looked at."""
    barrier, results = threading.Barrier(connections), []

    def run(place):
        with app.app_context():
            bind_actor(None)
            barrier.wait(20)
            for number in range(tries):
                try:
                    users.sign_in(people[(place + number) % len(people)], f"{WRONG} {place}", address="a", browser="")
                except Exception as error:  # noqa: BLE001 - whatever it was is counted
                    results.append(type(error))
                finally:
                    db.session.remove()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(results) == connections * tries
    assert set(results) <= {Denied, users.TooManyTries}, results
    return results.count(Denied)


def test_tries_at_the_same_moment_are_counted_one_by_one(app):
    assert judged(app, [world.address("officer")]) == users.TRIES_PER_ACCOUNT


def test_tries_of_many_accounts_from_one_address_at_the_same_moment(app, monkeypatch):
    monkeypatch.setattr(users, "TRIES_PER_ADDRESS", 12)
    people = [f"somebody-{number}@test.example" for number in range(48)]
    assert judged(app, people) == 12


# --- who may change whom -------------------------------------------------------------------------------------------


@transactional
def give(person: str, role: str, code: str) -> None:
    with unscoped("test"):
        user_id = db.session.scalars(select(User.id).where(User.email == world.address(person))).one()
        office_id = db.session.scalars(select(Office.id).where(Office.code == code)).one()
        db.session.add(Membership(user_id=user_id, office_id=office_id, role=role))
        db.session.flush()


def change(actor, person: str):
    with unscoped("test"):
        user_id = db.session.scalars(select(User.id).where(User.email == world.address(person))).one()
    return users.change_user(actor, user_id, role="viewer", is_active=True, password="a fresh stone lantern 7")


@pytest.mark.parametrize(
    ("role", "code"), [("manager", "MER"), ("office-head", "HQ"), ("administrator", "HQ"), ("viewer", "KEN"), ("administrator", "JOR")]
)
def test_who_holds_more_somewhere_else_is_not_changed(acting, role, code):
    """A head of office would take the other role over by setting its holder's password."""
    give("officer", role, code)
    with pytest.raises(Denied):
        change(acting("head"), "officer")
    assert users.sign_in(world.address("officer"), world.PASSWORD, address="a", browser=""), "the password is the old one"


def test_who_manages_all_the_offices_of_a_person_changes_them(acting):
    give("officer", "viewer", "KEN")
    admin = acting("admin")
    assert change(admin, "officer")
    assert change(acting("head"), "viewer")

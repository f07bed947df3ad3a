"""Signing in (P8)."""

from __future__ import annotations

import pytest

from crm.errors import Denied
from crm.services import users
from tests.factories import world


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

"""A record that is narrowed takes along everything below it; `flask verify` agrees afterwards (domain 0.2)."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from crm.db import db, transactional
from crm.models.asks import Ask
from crm.models.base import Levelled
from crm.models.commitments import Commitment
from crm.models.interactions import Interaction
from crm.policy import unscoped
from crm.queries.consistency import _relations
from crm.services.levels import BELOW, carry_level
from tests.factories.planted import plant


def test_every_relation_between_levels_is_carried():
    carried = {(column.class_, column.key) for columns in BELOW.values() for column in columns}
    there = {
        (child, mine)
        for child, parent, pairs in _relations()
        if issubclass(child, Levelled) and issubclass(parent, Levelled)
        for mine, theirs in pairs
        if theirs == "id"
    }
    assert there <= carried


@pytest.mark.parametrize("model", [Ask, Interaction, Commitment])
def test_narrowing_leaves_nothing_wider_below(app, acting, model):
    plant("JOR", "zzown", amount=1_234_500)
    acting("manager")

    @transactional
    def narrow() -> None:
        for record in db.session.scalars(select(model)).all():
            record.level = "office"
            db.session.flush()
            carry_level(record)

    narrow()
    db.session.rollback()
    with unscoped("a test looks"):
        found = app.test_cli_runner().invoke(args=["verify", "--json"])
    assert [bad for bad in json.loads(found.stdout)["bad"] if bad["check"] == "levels"] == []

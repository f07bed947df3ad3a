"""Linking a reported plan to one of our programmes."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from sqlalchemy import func, select

from crm.db import db, transactional
from crm.errors import Denied, Invalid, NotFound
from crm.jobs import imports
from crm.models.flows import PlanLink
from crm.models.programmes import Programme
from crm.queries import flows as queries
from crm.services import flows
from crm.services.flows import NewPlanLink
from tests.factories import fts

PLAN = "Syria Refugee Response and Resilience Plan (3RP) 2020"


@transactional
def programme(actor):
    made = Programme(
        office_id=actor.home_office_id,
        reference=f"T-PR-{uuid.uuid4().hex[:8]}",
        title="Clinics",
        starts_on=dt.date(2026, 1, 1),
        currency="USD",
    )
    db.session.add(made)
    db.session.flush()
    return made.id


@pytest.fixture
def ours(acting):
    actor = acting("grants")
    imports.import_file(actor, actor.home_office_id, "fts", "x.csv", fts.PLAIN.read_bytes())
    return programme(actor)


def test_an_officer_links_a_plan_and_takes_it_back(acting, ours):
    actor = acting("officer")
    link_id = flows.link_plan(actor, NewPlanLink(PLAN, ours))
    assert flows.link_plan(actor, NewPlanLink(PLAN, ours)) == link_id
    assert [(link.plan_name, link.title) for link in queries.links(programme_id=ours)] == [(PLAN, "Clinics")]
    flows.unlink_plan(actor, link_id)
    assert queries.links(programme_id=ours) == []
    with pytest.raises(NotFound):
        flows.unlink_plan(actor, link_id)


@pytest.mark.parametrize("name", ["viewer", "auditor", "hq"])
def test_readers_may_not_link(acting, ours, name):
    link_id = flows.link_plan(acting("officer"), NewPlanLink(PLAN, ours))
    actor = acting(name)
    with pytest.raises(Denied):
        flows.link_plan(actor, NewPlanLink(PLAN, ours))
    with pytest.raises(Denied):
        flows.unlink_plan(actor, link_id)


def test_another_offices_programme_and_link_are_absent(acting, ours):  # P1
    link_id = flows.link_plan(acting("officer"), NewPlanLink(PLAN, ours))
    actor = acting("other")
    with pytest.raises(Invalid) as refused:
        flows.link_plan(actor, NewPlanLink(PLAN, ours))
    assert list(refused.value.errors) == ["programme"]
    with pytest.raises(NotFound):
        flows.unlink_plan(actor, link_id)
    assert queries.links() == []


@pytest.mark.parametrize("plan", ["", "No such plan", "x" * 400, PLAN.upper()])
def test_a_plan_that_nothing_names_is_refused(acting, ours, plan):
    with pytest.raises(Invalid) as refused:
        flows.link_plan(acting("officer"), NewPlanLink(plan, ours))
    assert list(refused.value.errors) == ["plan"]
    assert db.session.scalar(select(func.count(PlanLink.id))) == 0

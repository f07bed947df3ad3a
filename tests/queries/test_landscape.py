"""The funding landscape in figures, checked by hand against the real file (flows into Jordan 2020)."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest
from sqlalchemy import select

from crm.db import db
from crm.jobs import imports
from crm.models.flows import Flow
from crm.models.parties import Party
from crm.money import Money
from crm.queries import flows
from crm.queries.figures import landscape
from crm.queries.flows import Filters
from tests.factories import fts
from tests.factories.counting import count_statements

GERMANY = "Germany, Government of"
PLAN = "Syria Refugee Response and Resilience Plan (3RP) 2020"


def usd(amount):
    return Money(Decimal(amount), "USD")


def eur(amount):
    return Money(Decimal(amount), "EUR")


def bring(actor, data=None):
    return imports.import_file(actor, actor.home_office_id, "fts", "file.csv", data or fts.PLAIN.read_bytes())


def party(name):
    return db.session.scalar(select(Party.id).where(Party.name == name))


def whole(**asked):
    return landscape.by_plan(flows.matching(Filters.of(asked)))[0]


def test_germany_committed_and_paid_what_the_file_says(acting):
    """Summed by hand from the 34 rows of the file: 16 paid, 8 committed, 10 shared (3 paid, 7 parked commitments of 0)."""
    bring(acting("grants"))
    found = landscape.party_flows_summary(party(GERMANY))
    seen = found.given.landscape
    assert not found.received
    assert (seen.paid.financial.usd, seen.paid.financial.flows) == (usd(139_594_872), 16)
    assert (seen.committed.financial.usd, seen.committed.financial.flows) == (usd(22_138_564), 8)
    assert (seen.pledged.flows, seen.pledged.single.usd) == (0, usd(0))
    assert seen.fts_total == usd(161_733_436)
    # Shared flows stand beside, and are in none of these.
    assert (seen.paid.shared.usd, seen.paid.shared.flows) == (usd(81_198_525), 3)
    assert (seen.committed.shared.usd, seen.committed.shared.flows) == (usd(0), 7)
    # Original currency, only where the file gives it.
    assert (seen.paid.financial.originals, seen.paid.financial.with_original) == ((eur(89_719_796),), 6)
    assert (seen.committed.financial.originals, seen.committed.financial.with_original) == ((eur(18_019_245),), 7)
    assert seen.paid.shared.originals == (eur(73_355_123),)
    assert (seen.committed.in_kind.flows, seen.paid.in_kind.flows) == (0, 0)
    assert found.as_of.newest_update.isoformat() == "2020-12-17"
    assert found.as_of.brought_in is not None


def test_germany_by_plan_and_by_recipient(acting):
    bring(acting("grants"))
    given = landscape.party_flows_summary(party(GERMANY)).given
    plans = {part.name: part.landscape for part in given.by_plan}
    assert set(plans) == {PLAN, ""}  # "" is shown as "none given"
    assert (plans[PLAN].paid.financial.usd, plans[PLAN].committed.financial.usd) == (usd(139_594_872), usd(6_078_860))
    assert (plans[""].paid.financial.usd, plans[""].committed.financial.usd) == (usd(0), usd(16_059_704))
    recipients = {part.name: part for part in given.by_counterpart}
    assert recipients["World Food Programme"].landscape.paid.financial.usd == usd(59_009_523)
    refugees = recipients["United Nations High Commissioner for Refugees"].landscape
    assert (refugees.paid.financial.usd, refugees.paid.shared.usd) == (usd(47_491_249), usd(81_198_525))
    assert recipients["KFW Development"].landscape.committed.financial.originals == (eur(10_000_000),)
    assert recipients["KFW Development"].party_id == party("KFW Development")
    assert [part.name for part in given.by_counterpart[:2]] == ["World Food Programme", "United Nations High Commissioner for Refugees"]
    assert (len(given.flows), given.flow_count) == (34, 34)
    assert {line.source_id for line in given.flows} == set(db.session.scalars(select(Flow.source_id).where(Flow.donor_name == GERMANY)))


def test_a_recipient_sees_what_it_received(acting):
    bring(acting("grants"))
    found = landscape.party_flows_summary(party("Jordan Humanitarian Fund"))
    assert (
        found.received.landscape.paid.financial.usd + found.received.landscape.committed.financial.usd == found.received.landscape.fts_total
    )
    assert GERMANY in {part.name for part in found.received.by_counterpart}
    assert not landscape.party_flows_summary(uuid.uuid4())


def test_the_whole_file_comes_to_ftss_own_total_and_stages_stay_apart(acting):
    bring(acting("grants"))
    seen = whole()
    assert seen.fts_total == usd(714_246_261)  # FTS's own figure for Jordan 2020
    assert (seen.committed.financial.usd, seen.committed.financial.flows) == (usd(193_258_853), 93)
    assert (seen.paid.financial.usd, seen.paid.financial.flows) == (usd(514_236_235), 239)
    assert (seen.paid.in_kind.usd, seen.paid.in_kind.flows) == (usd(6_751_173), 15)
    assert (seen.pledged.financial.usd, seen.pledged.flows) == (usd(81_128), 1)
    assert (seen.committed.shared.usd, seen.paid.shared.usd) == (usd(12_747_633), usd(162_899_307))
    assert (seen.committed.parked.usd, seen.paid.passed_through.usd) == (usd(40_852_830), usd(521_098))
    assert seen.flows == 440


@pytest.mark.parametrize("function", [lambda asked: landscape.by_plan(asked)[1], landscape.by_recipient, landscape.by_donor])
def test_parts_come_to_the_whole(acting, function):
    bring(acting("grants"))
    parts = function(flows.matching(Filters()))
    total = usd(0)
    for part in parts:
        total += part.landscape.fts_total
    assert total == usd(714_246_261)
    assert sum(part.landscape.flows for part in parts) == 440


def test_filters_narrow_and_strangers_values_are_harmless(acting):
    bring(acting("grants"))
    assert whole(donor="germany, gov").flows == 34
    assert whole(donor_id=str(party(GERMANY)), status="paid").flows == 19
    assert whole(plan="-").flows == 173
    assert whole(plan=PLAN).flows == 255
    assert whole(cluster="Health").flows > whole(cluster="Health", status="paid").flows > 0
    assert whole(cluster="Heal").flows == 0
    assert 0 < whole(year="2021").flows < whole(year="2020").flows <= 440
    assert whole(year="1999").flows == 0
    for odd in ("%", "_", "'", "x" * 5000, "\x00%"):
        assert whole(donor=odd, plan=odd, cluster=odd, recipient=odd).flows == 0
        assert whole(status=odd, year=odd, donor_id=odd, sort=odd, batch=odd).flows == 440


def test_two_offices_holding_a_flow_count_it_once_for_headquarters(acting):
    """M16, and of two copies the one FTS updated last counts."""
    bring(acting("grants"))
    bring(acting("other-grants"), fts.file_of({"amountUSD": "1000", "updatedAt": "2021-06-01"}, {}))
    assert whole().flows == 2  # P1: KEN sees its own two only
    acting("grants")
    assert whole().fts_total == usd(714_246_261)  # and JOR its own
    acting("hq")
    seen = whole()
    assert seen.flows == 440
    assert seen.fts_total == usd(714_246_261 - 725_689 + 1000)
    canada = landscape.party_flows_summary(party("Canada, Government of"))
    assert canada.given.flow_count == 28
    assert len(canada.given.flows) == 28


def test_another_offices_flows_are_invisible_and_add_nothing(acting):  # P1
    bring(acting("grants"))
    flow_id = db.session.scalar(select(Flow.id).limit(1))
    acting("other")
    assert whole().flows == 0
    assert not landscape.party_flows_summary(party(GERMANY))
    assert flows.choices().donors == []
    assert flows.plan_names() == []
    with pytest.raises(flows.NotFound):
        flows.get(flow_id)


def test_statements_do_not_grow_with_the_data(context, acting):
    actor = acting("grants")
    bring(actor, fts.file_of(size=3))
    with count_statements(context) as few:
        landscape.party_flows_summary(party("Canada, Government of"))
    bring(actor)
    with count_statements(context) as many:
        landscape.party_flows_summary(party("Canada, Government of"))
    assert few.count == many.count <= 8, str(many)


def test_a_whole_list_knows_the_names_that_it_can_be_narrowed_to(acting, app):
    """Taken from its own figures they are those that the database gives, in one statement instead of four."""
    bring(acting("grants"))
    whole_list = flows.matching(Filters.of({}))
    parts = (landscape.by_donor(whole_list), landscape.by_recipient(whole_list), landscape.by_plan(whole_list)[1])
    named = flows.Named(*([part.name for part in one] for one in parts))
    with count_statements(app) as sent:
        known = flows.choices(named)
    assert len(sent.texts) == 1
    assert known == flows.choices()
    assert known.donors
    assert known.recipients
    assert known.plans
    assert known.years

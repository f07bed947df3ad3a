"""Taking a pledge back that was recorded by mistake (M19, decision 0019): on no day it counts, and nothing can hang on it any more."""

from __future__ import annotations

from datetime import date

import pytest

from crm.db import db
from crm.errors import Denied, Invalid, NotFound
from crm.models.pledges import Pledge
from crm.queries.figures import stored
from crm.queries.figures.money import pledge_figures
from crm.services import pledges
from tests.factories import money


@pytest.fixture
def made(acting):
    actor = acting("grants")
    return actor, money.pledge(actor, money.donor(actor), money.usd(100), pledged_on=date(2026, 1, 10))


def test_it_counts_on_no_day_and_is_taken_back_once(made):
    actor, key = made
    pledges.take_back_pledge(actor, key, "Brought in twice")
    for on in (date(2026, 1, 10), date(2026, 6, 1)):
        figures = pledge_figures(key, on)
        assert not figures.announced.money
        assert not figures.outstanding.money
        assert not figures.lapsed.money
    assert not list(stored.wrong_pledges())
    with pytest.raises(Invalid):
        pledges.take_back_pledge(actor, key, "Again")


def test_nothing_is_done_with_it_afterwards(made):
    actor, key = made
    pledges.take_back_pledge(actor, key, "Mistake")
    with pytest.raises(Invalid, match="taken back"):
        pledges.change_pledge(actor, key, pledges.PledgeChange("uplift", date(2026, 2, 1), "More", money.usd(5)))
    with pytest.raises(Invalid):
        money.agreement(actor, money.usd(5), pledge_id=key, signed_on=date(2026, 2, 1))
    with pytest.raises(Invalid):
        money.receipt(actor, money.usd(5), date(2026, 2, 1), pledge_id=key)


def test_what_money_or_a_signature_hangs_on_is_not_taken_back(made):
    actor, key = made
    money.agreement(actor, money.usd(50), pledge_id=key, signed_on=date(2026, 2, 1))
    with pytest.raises(Invalid, match="An agreement was signed on it: JOR-AG-"):
        pledges.take_back_pledge(actor, key, "Mistake")
    assert db.session.get(Pledge, key).outstanding_minor == 5000


def test_a_reason_is_needed_and_only_who_writes_money_may(made, acting):
    actor, key = made
    with pytest.raises(Invalid):
        pledges.take_back_pledge(actor, key, " ")
    with pytest.raises(Denied):
        pledges.take_back_pledge(acting("officer"), key, "Mistake")
    with pytest.raises((NotFound, Denied)):
        pledges.take_back_pledge(acting("other-grants"), key, "Mistake")

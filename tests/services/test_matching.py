"""Matching by hand (M2, M7, M19): a receipt's rest pays other instalments of its donor by reversal and new rows, and back again."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from crm.db import db
from crm.errors import Denied, Invalid, NotFound
from crm.models.pledges import Agreement, Instalment, Pledge, Receipt
from crm.queries import pledges as queries
from crm.queries.figures.money import agreement_figures, party_money, pledge_figures
from crm.services import allocations, receipts
from crm.services.matching import match_receipt, release_receipt
from crm.services.receipts import MatchLine
from tests.factories import money as made
from tests.services.test_money_records import all_is_well

PAID_ON = date(2023, 6, 1)


@pytest.fixture
def grants(acting):
    return acting("grants")


@pytest.fixture
def donor(grants):
    return made.donor(grants)


def loose(actor, donor, amount=5_000_000, **values):
    return made.receipt(actor, made.eur(amount), PAID_ON, office_id=made.office(), donor_id=donor, **values)


def signed(actor, donor, amount=9_000_000, **values):
    plan = (made.line(made.eur(4_000_000), date(2023, 3, 31)), made.line(made.eur(amount - 4_000_000), date(2023, 9, 30)))
    return made.agreement(actor, made.eur(amount), donor_id=donor, office_id=made.office(), plan=plan, **values)


def open_rows(donor, currency="EUR"):
    return queries.open_instalments(donor, made.office(), currency)


def refused(field, do):
    with pytest.raises(Invalid) as caught:
        do()
    assert field in caught.value.errors, caught.value.errors
    db.session.rollback()
    return str(caught.value)


def state(donor):
    return (
        db.session.scalar(select(func.count()).select_from(Receipt)),
        party_money(donor).paid.own,
        db.session.scalar(select(func.sum(Instalment.matched_minor))),
    )


def test_a_receipt_alone_pays_instalments_that_are_chosen(grants, donor):
    """Nothing is added to what was paid; the bank's dollars are split to the cent; secured counts the money once (M2)."""
    made.ecb(grants)
    receipt = loose(grants, donor, bank_reporting=made.usd("5345000.01"))
    agreement = signed(grants, donor)
    before = party_money(donor)
    assert before.secured.own == (made.eur(14_000_000),)
    second = open_rows(donor)[1]
    new = match_receipt(grants, receipt, [MatchLine(second.id, made.eur(3_000_000))])
    after = party_money(donor)
    assert after.paid.own == before.paid.own == (made.eur(5_000_000),)
    assert after.paid.reporting == before.paid.reporting == made.usd("5345000.01")
    assert after.secured.own == (made.eur(11_000_000),)
    assert agreement_figures(agreement).receivable.own == (made.eur(6_000_000),)
    rows = {row.id: row for row in db.session.scalars(select(Receipt))}
    assert len(rows) == 4
    assert rows[new].agreement_id == agreement
    assert rows[new].value_on == PAID_ON
    assert [(match.instalment.due_on, match.amount_minor) for match in queries.receipt_detail(new).matches] == [
        (date(2023, 9, 30), 300_000_000)
    ]
    reversal = next(row for row in rows.values() if row.reversal_of_id == receipt)
    assert reversal.reason == f"Matched by hand to {db.session.get_one(Agreement, agreement).reference}"
    assert rows[receipt].reference in rows[new].reason
    all_is_well()


def test_undoing_puts_the_money_back_beside_the_agreement(grants, donor):
    receipt = loose(grants, donor)
    agreement = signed(grants, donor)
    rows = open_rows(donor)
    new = match_receipt(grants, receipt, [MatchLine(rows[0].id, made.eur(4_000_000)), MatchLine(rows[1].id, made.eur(1_000_000))])
    assert agreement_figures(agreement).paid.own == (made.eur(5_000_000),)
    back = release_receipt(grants, new, "it was for something else")
    assert not agreement_figures(agreement).paid
    found = db.session.get_one(Receipt, back)
    assert (found.agreement_id, found.amount_minor, found.value_on) == (None, 500_000_000, PAID_ON)
    assert party_money(donor).paid.own == (made.eur(5_000_000),)
    all_is_well()


def test_a_surplus_under_one_agreement_pays_another(grants, donor):
    first = made.agreement(grants, made.eur(100), donor_id=donor, office_id=made.office())
    receipt = made.receipt(grants, made.eur(150), PAID_ON, agreement_id=first)
    second = signed(grants, donor)
    target = next(row for row in open_rows(donor) if row.record_id == second)
    match_receipt(grants, receipt, [MatchLine(target.id, made.eur(50))])
    assert agreement_figures(first).paid.own == (made.eur(100),)
    assert not agreement_figures(first).credit
    assert agreement_figures(second).paid.own == (made.eur(50),)
    all_is_well()


def test_a_chosen_instalment_of_a_pledge_is_converted(grants, donor):
    """M3: money against a pledge converts that part; the instalment that was chosen goes, not the oldest."""
    receipt = loose(grants, donor, 1_000_000)
    pledge = made.pledge(grants, donor, plan=made.WORKED_PLAN)
    last = open_rows(donor)[-1]
    assert (last.kind, last.due_on) == ("pledge", date(2024, 6, 30))
    match_receipt(grants, receipt, [MatchLine(last.id, made.eur(1_000_000))])
    found = pledge_figures(pledge)
    assert found.outstanding.own == (made.eur(9_000_000),)
    assert [row.due_on for row in found.instalments] == [date(2023, 3, 31), date(2023, 9, 30), date(2024, 1, 31)]
    assert db.session.get_one(Pledge, pledge).converted_minor == 100_000_000
    all_is_well()


def test_more_than_there_is_another_donor_or_currency_is_refused_and_nothing_changes(grants, donor, acting):
    receipt = loose(grants, donor, 3_000_000)
    signed(grants, donor)
    other = made.donor(grants, "Ministry of Southland")
    signed(grants, other)
    made.agreement(grants, made.usd(10), donor_id=donor, office_id=made.office())
    before = state(donor)
    mine, later = open_rows(donor)
    for field, says, lines in (
        ("matches", "more than the receipt's rest of EUR 3,000,000.00", [MatchLine(mine.id, made.eur(3_500_000))]),
        ("matches-0-amount", "only EUR 4,000,000.00 is open", [MatchLine(mine.id, made.eur(4_000_001))]),
        ("matches-1-amount", "only EUR 0.00 is open", [MatchLine(mine.id, made.eur(4_000_000)), MatchLine(mine.id, made.eur(1))]),
        ("matches-0-instalment_id", "another donor's", [MatchLine(open_rows(other)[0].id, made.eur(1))]),
        ("matches-0-instalment_id", "in USD, the receipt in EUR", [MatchLine(open_rows(donor, "USD")[0].id, made.usd(1))]),
        ("matches-0-amount", "must be in EUR", [MatchLine(mine.id, made.usd(1))]),
        ("matches-0-instalment_id", "present plan", [MatchLine(receipt, made.eur(1))]),
        ("matches-0-amount", "greater than 0", [MatchLine(later.id, made.eur(0))]),
        ("matches", "how much", []),
    ):
        assert says in refused(field, lambda given=lines: match_receipt(grants, receipt, given)), says
        assert state(donor) == before
    with pytest.raises(Denied):
        match_receipt(acting("viewer"), receipt, [MatchLine(mine.id, made.eur(1))])
    with pytest.raises(NotFound):
        match_receipt(acting("other-grants"), receipt, [MatchLine(mine.id, made.eur(1))])


def test_money_from_before_the_signature_and_money_that_was_allocated_stay(grants, donor):
    """M12; domain 2.3: no receipt before the signature."""
    receipt = loose(grants, donor)
    signed(grants, donor, signed_on=date(2023, 7, 1))
    line = [MatchLine(open_rows(donor)[0].id, made.eur(1))]
    assert "Money that came earlier" in refused("value_on", lambda: match_receipt(grants, receipt, line))
    programme = made.programme(grants)
    source = allocations.MoneySource(receipt_id=receipt)
    allocations.split_by_shares(grants, source, [allocations.Share(programme, made.Decimal(1))], PAID_ON)
    early = signed(grants, donor)
    line = [MatchLine(next(row for row in open_rows(donor) if row.record_id == early).id, made.eur(1))]
    assert "Reverse allocations first" in refused("", lambda: match_receipt(grants, receipt, line))


def test_a_reversal_and_what_was_taken_back_are_not_matched_or_released(grants, donor):
    receipt = loose(grants, donor)
    signed(grants, donor)
    line = [MatchLine(open_rows(donor)[0].id, made.eur(1))]
    assert "under no agreement" in refused("", lambda: release_receipt(grants, receipt, "why"))
    reversal = receipts.reverse_receipt(grants, receipt, "typed twice")
    for key in (receipt, reversal):
        refused("", lambda one=key: match_receipt(grants, one, line))
        refused("", lambda one=key: release_receipt(grants, one, "why"))

"""Money rules hold on every day, not today alone: what is dated back is checked on all days since (M2, M3, M12, M16, M19)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db, transactional
from crm.models.asks import Ask
from crm.models.audit import AuditValue
from crm.models.commitments import Commitment
from crm.models.interactions import Interaction
from crm.models.parties import Party
from crm.models.pledges import Allocation, Instalment, Pledge, PledgeTerms, Receipt
from crm.models.users import Membership
from crm.money import Money
from crm.queries.due import DAY_NOT_AGREED
from crm.queries.figures import money, programmable, programmes, stored
from crm.queries.figures.programmes import programme_money
from crm.services import agreements, allocations, matching, pledges, receipts
from crm.services import programmes as programme_services
from crm.services.receipts import MatchLine
from tests.factories import money as made
from tests.factories.planted import plant
from tests.services.test_money_records import all_is_well, refused

E = made.eur


def kes(amount):
    return Money(Decimal(amount), "KES")


@pytest.fixture
def grants(acting):
    return acting("grants")


@pytest.fixture
def donor(grants):
    made.ecb(grants)
    return made.donor(grants)


def signed(grants, donor, amount, on=date(2023, 1, 2), **values):
    return made.agreement(grants, amount, signed_on=on, donor_id=donor, office_id=made.office(), **values)


def cut(grants, agreement_id, amount, on):
    return agreements.amend_agreement(grants, agreement_id, agreements.Amendment(-amount, on, "cut"))


# --- agreements ------------------------------------------------------------------------------------------------


def test_a_cut_dated_back_never_leaves_less_than_came_or_nothing_on_a_day_between(grants, donor):
    agreement_id = signed(grants, donor, E(100))
    made.receipt(grants, E(90), date(2023, 2, 1), agreement_id=agreement_id)
    agreements.amend_agreement(grants, agreement_id, agreements.Amendment(E(200), date(2023, 3, 1), "up"))
    assert "2023" in refused("on", lambda: cut(grants, agreement_id, E(150), date(2023, 1, 15)))
    assert "EUR 90" in refused("on", lambda: cut(grants, agreement_id, E(11), date(2023, 1, 15))).replace("€", "EUR ")
    cut(grants, agreement_id, E(10), date(2023, 1, 15))
    cut(grants, agreement_id, E(150), date(2023, 3, 1))
    assert str(money.agreement_figures(agreement_id, date(2023, 2, 15)).secured.money) == "EUR 90.00"
    assert str(money.agreement_figures(agreement_id).secured.money) == "EUR 140.00"
    all_is_well()


def test_verify_finds_an_agreement_that_came_to_nothing_on_a_day(grants, donor):
    agreement_id = signed(grants, donor, E(100))
    agreements.amend_agreement(grants, agreement_id, agreements.Amendment(E(200), date(2023, 3, 1), "up"))
    newest = cut(grants, agreement_id, E(150), date(2023, 3, 1))

    @transactional
    def move():
        terms = db.session.get_one(agreements.AgreementTerms, newest)
        terms.effective_on = date(2023, 1, 15)

    move()
    assert [wrong.what for wrong in stored.wrong_agreements()] == ["signed for nothing on some day"]


def test_money_is_not_allocated_before_it_came_but_may_be_planned_since_the_signature(grants, donor):
    programme = made.programme(grants)
    agreement_id = signed(grants, donor, E(100))
    made.receipt(grants, E(50), date(2023, 3, 31), agreement_id=agreement_id)
    source, available = allocations.MoneySource(agreement_id), programmable.of_agreement(agreement_id).available

    def give(on, amount=available, **values):
        return allocations.allocate(grants, allocations.NewAllocation(source, programme, amount, on, **values))

    assert "Choose a later day" in refused("allocated_on", lambda: give(date(2023, 3, 30)))
    share = [allocations.Share(programme, Decimal(1))]
    refused("allocated_on", lambda: allocations.split_by_shares(grants, source, share, date(2023, 3, 30)))
    assert db.session.scalars(select(Allocation)).all() == []
    give(date(2023, 3, 31))
    give(date(2023, 1, 3), made.usd(10), is_planned=True)
    refused("allocated_on", lambda: give(date(2022, 12, 31), made.usd(1), is_planned=True))
    early = programmable.of_agreement(agreement_id, date(2023, 2, 1))
    assert (early.allocated_minor, early.planned_minor) == (0, 1_000)
    all_is_well()


def test_what_an_amendment_added_is_not_planned_before_its_day(grants, donor):
    programme = made.programme(grants)
    agreement_id = signed(grants, donor, made.usd(108))
    agreements.amend_agreement(grants, agreement_id, agreements.Amendment(made.usd(108), date(2023, 6, 1), "up"))
    source = allocations.MoneySource(agreement_id)

    def plan(amount, on):
        return allocations.allocate(grants, allocations.NewAllocation(source, programme, made.usd(amount), on, is_planned=True))

    assert "100.00" in refused("allocated_on", lambda: plan(150, date(2023, 2, 1)))
    plan(150, date(2023, 6, 1))
    all_is_well()


def test_a_cut_dated_back_never_takes_what_was_planned_on_a_day_between(grants, donor):
    programme = made.programme(grants)
    agreement_id = signed(grants, donor, made.usd(108))
    new = allocations.NewAllocation(allocations.MoneySource(agreement_id), programme, made.usd(100), date(2023, 2, 1), is_planned=True)
    allocations.allocate(grants, new)
    agreements.amend_agreement(grants, agreement_id, agreements.Amendment(made.usd(108), date(2023, 6, 1), "up"))
    assert "2023" in refused("change", lambda: cut(grants, agreement_id, made.usd(50), date(2023, 1, 15)))
    cut(grants, agreement_id, made.usd(50), date(2023, 6, 2))
    all_is_well()


def test_a_receipt_is_not_taken_back_from_under_an_earlier_allocation(grants, donor):
    programme = made.programme(grants)
    agreement_id = signed(grants, donor, made.usd(216))
    first = made.receipt(grants, made.usd(108), date(2023, 2, 1), agreement_id=agreement_id)
    made.receipt(grants, made.usd(108), date(2023, 5, 1), agreement_id=agreement_id)
    source = allocations.MoneySource(agreement_id)
    allocations.allocate(grants, allocations.NewAllocation(source, programme, made.usd(100), date(2023, 3, 1)))
    assert "JOR-AL-" in refused("", lambda: receipts.reverse_receipt(grants, first, "wrong"))
    all_is_well()


def test_verify_finds_money_allocated_before_it_came(grants, donor):
    programme = made.programme(grants)
    agreement_id = signed(grants, donor, made.usd(108))
    made.receipt(grants, made.usd(108), date(2023, 3, 1), agreement_id=agreement_id)
    source = allocations.MoneySource(agreement_id)
    allocation = allocations.allocate(grants, allocations.NewAllocation(source, programme, made.usd(100), date(2023, 3, 1)))

    @transactional
    def move():
        db.session.get_one(Allocation, allocation).allocated_on = date(2023, 2, 1)

    move()
    assert [wrong.what for wrong in stored.wrong_allocations()] == ["allocated more than can be programmed"]


def test_an_amendment_leaves_what_programmes_had_before_as_it_was(grants, donor):
    one, other = made.programme(grants, "One"), made.programme(grants, "Other")
    lines = (agreements.BudgetLine(one, E("33.33")), agreements.BudgetLine(other, E("66.67")))
    agreement_id = signed(grants, donor, E(100), budget_lines=lines)
    made.receipt(grants, E("99.99"), date(2023, 2, 1), agreement_id=agreement_id)
    day = date(2023, 5, 31)
    before = [programme_money(key, day) for key in (one, other)]
    agreements.amend_agreement(grants, agreement_id, agreements.Amendment(E("0.05"), date(2023, 6, 1), "up"))
    assert [programme_money(key, day) for key in (one, other)] == before
    after = [programme_money(key, date(2023, 6, 1)) for key in (one, other)]
    assert sum((found.secured.own[0].amount for found in after), Decimal(0)) == Decimal("100.05")
    assert sum((found.paid.own[0].amount for found in after), Decimal(0)) == Decimal("99.99")


# --- what a programme needs ------------------------------------------------------------------------------------


def test_an_earlier_day_is_answered_with_the_need_written_down_by_then(grants, donor):
    with clock.frozen(datetime(2023, 3, 1, 12, tzinfo=UTC)):
        programme = made.programme(grants)
        programme_services.set_requirement(grants, programme, 2023, made.usd(100))
    with clock.frozen(datetime(2023, 3, 2, 12, tzinfo=UTC)):
        programme_services.set_requirement(grants, programme, 2023, made.usd(250))
    with clock.frozen(datetime(2023, 3, 3, 12, tzinfo=UTC)):
        needs = {day: str(programme_money(programme, date(2023, 3, day)).required.money) for day in (1, 2, 3)}
        assert needs == {1: "USD 100.00", 2: "USD 250.00", 3: "USD 250.00"}
        before = programme_money(programme, date(2022, 12, 31))
        assert str(before.required.money) == "USD 250.00", "where nothing was written down by then, the newest of all"
        _offices, year = programmes.offices_and_needs([programme], 2023, as_of=date(2023, 3, 1))
        assert [need.minor for need in year[programme]] == [10_000]


# --- receipts --------------------------------------------------------------------------------------------------


def test_a_mistaken_receipt_that_was_taken_back_needs_no_rate(grants, donor):
    agreement_id = signed(grants, donor, kes(1000))
    programme = made.programme(grants)
    lined = signed(grants, donor, kes(1000), budget_lines=(agreements.BudgetLine(programme, kes(1000)),))
    for key in (agreement_id, lined):
        wrong = made.receipt(grants, kes(500), date(2023, 2, 1), agreement_id=key)
        assert programmable.of_agreement(key).left_out or programmable.of_agreement(key).currency == "KES"
        receipts.reverse_receipt(grants, wrong, "typed without the bank's amount")
        made.receipt(grants, kes(500), date(2023, 2, 1), agreement_id=key, bank_reporting=made.usd(4))
        left = programmable.of_agreement(key)
        assert (left.currency, left.received_minor, left.left_out) == ("USD", 400, ())
        paid = money.agreement_figures(key, date(2024, 1, 1)).paid
        assert (str(paid.reporting), str(paid.money), paid.left_out) == ("USD 4.00", "KES 500.00", ())
    assert programme_money(programme, date(2024, 1, 1)).paid.left_out == ()
    assert str(money.party_money(donor, date(2024, 1, 1)).paid.reporting) == "USD 8.00"


def converted_on(pledge_id):
    rows = db.session.execute(
        select(PledgeTerms.effective_on, PledgeTerms.change_minor)
        .where(PledgeTerms.pledge_id == pledge_id, PledgeTerms.kind == "conversion")
        .order_by(PledgeTerms.version)
    )
    return [(row.effective_on, -row.change_minor // 100) for row in rows]


@pytest.mark.parametrize("currency", ["EUR", "USD"])
def test_money_that_came_before_an_uplift_converts_the_rest_on_the_day_of_the_uplift(grants, donor, currency):
    plan = (made.line(E(60), date(2023, 3, 1)), made.line(E(40), date(2023, 9, 1)))
    pledge_id = made.pledge(grants, donor, E(100), plan=plan)
    uplift = pledges.PledgeChange("uplift", date(2023, 6, 1), "more", E(50))
    pledges.change_pledge(grants, pledge_id, uplift)
    other = {} if currency == "EUR" else {"converted": E(120)}
    receipt_id = made.receipt(grants, Money(Decimal(120), currency), date(2023, 5, 1), pledge_id=pledge_id, **other)
    assert converted_on(pledge_id) == [(date(2023, 5, 1), 100), (date(2023, 6, 1), 20)]
    open_on = {day: money.pledge_figures(pledge_id, day).outstanding for day in (date(2023, 5, 2), date(2023, 6, 1))}
    assert [str(figure.own[0]) if figure.own else "none" for figure in open_on.values()] == ["none", "EUR 30.00"]
    all_is_well()
    receipts.reverse_receipt(grants, receipt_id, "wrong")
    pledge = db.session.get_one(Pledge, pledge_id)
    assert (pledge.outstanding_minor, pledge.converted_minor) == (15_000, 0)
    rows = db.session.scalars(
        select(Instalment)
        .join(PledgeTerms, Instalment.pledge_terms_id == PledgeTerms.id)
        .where(PledgeTerms.pledge_id == pledge_id, Instalment.is_current)
        .order_by(Instalment.position)
    ).all()
    assert [(row.amount_minor // 100, row.due_on) for row in rows] == [(60, date(2023, 3, 1)), (40, date(2023, 9, 1)), (50, None)]
    all_is_well()


def test_more_of_a_pledge_than_is_outstanding_is_not_converted_in_another_currency(grants, donor):
    pledge_id = made.pledge(grants, donor, E(100))
    refused("converted", lambda: made.receipt(grants, made.usd(120), date(2023, 5, 1), pledge_id=pledge_id, converted=E(101)))


def test_a_converted_part_that_contradicts_the_receipt_is_refused(grants, donor):
    pledge_id = made.pledge(grants, donor, E(100))
    refused("converted", lambda: made.receipt(grants, E(60), date(2023, 2, 1), pledge_id=pledge_id, converted=E(10)))
    made.receipt(grants, E(60), date(2023, 2, 1), pledge_id=pledge_id, converted=E(60))
    assert db.session.get_one(Pledge, pledge_id).converted_minor == 6_000


def test_the_banks_part_of_a_tiny_match_is_nothing_and_stays_known(grants, donor):
    receipt_id = made.receipt(
        grants, kes(1_000_000), date(2023, 2, 1), donor_id=donor, office_id=made.office(), bank_reporting=made.usd(7500)
    )
    plan = (made.line(kes(1), date(2023, 3, 1)), made.line(kes(499), date(2023, 4, 1)))
    pledge_id = made.pledge(grants, donor, kes(500), plan=plan)
    first = db.session.scalars(
        select(Instalment).join(PledgeTerms, Instalment.pledge_terms_id == PledgeTerms.id).where(PledgeTerms.pledge_id == pledge_id)
    ).all()[0]
    matching.match_receipt(grants, receipt_id, [MatchLine(first.id, kes("0.50"))])
    paid = money.party_money(donor, date(2024, 1, 1)).paid
    assert (str(paid.reporting), paid.left_out) == ("USD 7500.00", ())
    standing = db.session.scalars(select(Receipt.bank_reporting_minor).where(Receipt.pledge_id == pledge_id)).all()
    assert standing == [0]
    refused(
        "bank_reporting",
        lambda: made.receipt(grants, kes(5), date(2023, 2, 1), donor_id=donor, office_id=made.office(), bank_reporting=made.usd(0)),
    )


# --- pledges ---------------------------------------------------------------------------------------------------


def test_a_plan_that_was_replaced_since_is_not_taken_back(grants, donor):
    pledge_id = made.pledge(grants, donor, E(100))
    older = pledges.reschedule_pledge(grants, pledge_id, (made.line(E(100), date(2024, 1, 1)),), "later", on=date(2023, 1, 1))
    newer = pledges.reschedule_pledge(grants, pledge_id, (made.line(E(100), date(2025, 1, 1)),), "later still", on=date(2023, 2, 1))
    assert "replaced" in refused("", lambda: pledges.reverse_terms(grants, older, "no"))
    pledges.reverse_terms(grants, newer, "no")
    assert db.session.get_one(Pledge, pledge_id).next_due_on == date(2024, 1, 1)


def test_a_day_that_is_not_agreed_is_kept_in_no_language(grants, donor, monkeypatch):
    monkeypatch.setattr("crm.services.money_rules.said_when", lambda said: "jour non convenu" if said == DAY_NOT_AGREED else said)
    pledge_id = made.pledge(grants, donor, E(100))
    pledges.reschedule_pledge(grants, pledge_id, (made.line(E(100), None, "jour non convenu"),), "as before", on=date(2023, 1, 1))
    assert set(db.session.scalars(select(Instalment.due_when))) == {DAY_NOT_AGREED}


@pytest.mark.parametrize("nothing", ["\u200b", "\u202e\u202c", "\u2800", " \u3164 ", "\u00ad"])
def test_a_text_that_shows_nothing_is_empty(grants, donor, nothing):
    programme = made.programme(grants)
    refused("title", lambda: programme_services.add_output(grants, programme, nothing))
    programme_services.add_output(grants, programme, f"\u202b{nothing}\u0645\u062f\u0631\u0633\u0629")


# --- whose it is -----------------------------------------------------------------------------------------------


def test_money_of_one_office_is_not_booked_on_another_offices_own_party(acting):
    """Somebody who writes for both offices sees the party, and it stays the other office's."""
    theirs = made.donor(acting("other-grants"), "Kenya's own donor", code="KEN", visibility="office")
    user_id = acting("other-grants").user_id
    acting("admin")

    @transactional
    def also_in_jordan():
        db.session.add(Membership(user_id=user_id, office_id=made.office("JOR"), role="grants-officer"))

    also_in_jordan()
    both = acting("other-grants")
    assert db.session.get_one(Party, theirs).name == "Kenya's own donor"
    assert pledges.record_pledge(both, pledges.NewPledge(made.office("KEN"), theirs, E(5), date(2023, 1, 1)))
    refused("donor_id", lambda: pledges.record_pledge(both, pledges.NewPledge(made.office("JOR"), theirs, E(5), date(2023, 1, 1))))


@pytest.mark.parametrize(("reader", "is_member"), [("manager", True), ("hq", False), ("regional", False)])
def test_what_is_for_the_office_alone_is_read_by_its_members_only(acting, reader, is_member):
    """Those above see the office's records, not those that its people keep to themselves, nor what these said before."""
    plant("JOR", "zzown", amount=1_234_500, level="office")
    acting(reader)
    for model in (Ask, Interaction, Commitment, AuditValue):
        found = set(db.session.scalars(select(model.level)))
        assert ("office" in found) is is_member, model

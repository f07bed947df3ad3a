"""Pledges, agreements, receipts and allocations: what is taken, what is refused and by which field (M2, M3, M7, M12, M19)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.errors import Denied, EditConflict, Invalid, NotFound
from crm.exchange.rates import ecb_history
from crm.models.commitments import Commitment
from crm.models.pledges import Agreement, Allocation, Instalment, Pledge, PledgeTerms, Receipt, ReceiptMatch
from crm.money import Money
from crm.queries import pledges as pledge_queries
from crm.queries.figures import money, programmable, stored
from crm.services import agreements, allocations, pledges, rates, receipts
from tests.factories import money as made

JUNE = date(2023, 6, 1)


def refused(field, do):
    with pytest.raises(Invalid) as refusal:
        do()
    assert field in refusal.value.errors, refusal.value.errors
    return " ".join(refusal.value.errors[field])


def all_is_well():
    for check in (stored.wrong_pledges, stored.wrong_agreements, stored.wrong_matches, stored.wrong_allocations):
        assert list(check()) == []


@pytest.fixture
def grants(acting):
    return acting("grants")


@pytest.fixture
def donor(grants):
    return made.donor(grants)


def plan_of(pledge_id):
    rows = db.session.execute(
        select(Instalment.amount_minor, Instalment.due_on)
        .join(PledgeTerms, Instalment.pledge_terms_id == PledgeTerms.id)
        .where(PledgeTerms.pledge_id == pledge_id, Instalment.is_current)
        .order_by(Instalment.position)
    )
    return [(row.amount_minor // 100, row.due_on) for row in rows]


# --- pledges ---------------------------------------------------------------------------------------------------


def test_a_pledge_shares_its_key_and_reference_with_its_commitment(grants, donor):
    pledge_id = made.pledge(grants, donor, plan=made.WORKED_PLAN, words="We will give ten million.")
    pledge, commitment = db.session.get_one(Pledge, pledge_id), db.session.get_one(Commitment, pledge_id)
    assert pledge.reference == commitment.reference == f"JOR-PL-{clock.today('Asia/Amman').year}-0001"
    assert (commitment.kind, commitment.level, commitment.words) == ("financial", "open", "We will give ten million.")
    assert pledge.next_due_on == date(2023, 3, 31)
    assert pledge.outstanding == made.eur(10_000_000)
    all_is_well()


def test_without_a_plan_there_is_one_instalment_whose_day_is_not_agreed(grants, donor):
    assert plan_of(made.pledge(grants, donor)) == [(10_000_000, None)]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"plan": (made.line(made.eur(9_999_999), JUNE),)}, "plan"),
        ({"plan": (made.line(made.usd(10_000_000), JUNE),)}, "plan-0-amount"),
        ({"plan": (made.line(made.eur(10_000_000), None),)}, "plan-0-due_on"),
        ({"plan": (made.line(made.eur(10_000_000), date(3000, 1, 1)),)}, "plan-0-due_on"),
        ({"plan": tuple(made.line(made.eur(1), JUNE) for _ in range(121))}, "plan"),
        ({"amount": made.eur(0)}, "amount"),
        ({"amount": made.eur(-5)}, "amount"),
        ({"amount": made.eur("0.001")}, "amount"),
        ({"amount": made.eur(10**17)}, "amount"),
        ({"amount": Money(Decimal("1.5"), "JPY")}, "amount"),
        ({"pledged_on": date(2999, 1, 1)}, "pledged_on"),
        ({"pledged_on": date(1900, 1, 1)}, "pledged_on"),
        ({"event_name": "x" * 301}, "event_name"),
        ({"words": "zero\x00byte"}, "words"),
        ({"rate_policy": "guess"}, "rate_policy"),
        ({"rate_policy": "fixed"}, "fixed_rate"),
        ({"fixed_rate": Decimal(1)}, "fixed_rate"),
        ({"rate_policy": "fixed", "fixed_rate": Decimal(-1)}, "fixed_rate"),
    ],
)
def test_a_pledge_is_refused_by_its_field_and_nothing_is_saved(grants, donor, values, field):
    values = dict(values)  # the parameters are shared by the runs on both databases
    amount = values.pop("amount", None)
    refused(field, lambda: made.pledge(grants, donor, amount, **values))
    assert db.session.scalar(select(func.count(Commitment.id))) == 0


def test_a_refused_plan_names_the_missing_amount(grants, donor):
    said = refused("plan", lambda: made.pledge(grants, donor, plan=(made.line(made.eur("9999999.50"), JUNE),)))
    assert "0.50" in said


def test_the_advocacy_officer_and_the_viewer_write_no_money(acting, donor):
    for name in ("officer", "viewer", "auditor", "hq", "other-grants"):
        actor = acting(name)
        with pytest.raises(Denied):
            made.pledge(actor, donor)


def test_other_offices_neither_see_nor_change_a_pledge(grants, donor, acting):
    pledge_id = made.pledge(grants, donor)
    terms_id = db.session.scalars(select(PledgeTerms.id)).one()
    own_donor = made.donor(grants, "A private person", visibility="office")
    other = acting("other-grants")
    change = pledges.PledgeChange("lapse", JUNE, "gone")
    for attempt in (
        lambda: pledges.change_pledge(other, pledge_id, change),
        lambda: pledges.reschedule_pledge(other, pledge_id, (), "x"),
        lambda: pledges.reverse_terms(other, terms_id, "x"),
        lambda: money.pledge_figures(pledge_id),
    ):
        with pytest.raises(NotFound):
            attempt()
    refused("pledge_id", lambda: made.agreement(other, pledge_id=pledge_id))
    refused("pledge_id", lambda: made.receipt(other, made.eur(1), JUNE, pledge_id=pledge_id))
    new = pledges.NewPledge(made.office("KEN"), own_donor, made.eur(5), JUNE)
    refused("donor_id", lambda: pledges.record_pledge(other, new))
    assert not money.party_money(donor).pledged


def test_changes_follow_m3_and_stop_at_what_is_outstanding(grants, donor):
    pledge_id = made.pledge(grants, donor, plan=made.WORKED_PLAN)

    def change(kind, amount=None, on=JUNE, **values):
        return pledges.change_pledge(grants, pledge_id, pledges.PledgeChange(kind, on, "as written", amount, **values))

    change("uplift", made.eur(500_000))
    change("reduction", made.eur(700_000))
    change("lapse", made.eur(4_600_000))
    pledge = db.session.get_one(Pledge, pledge_id)
    assert pledge.outstanding == made.eur(5_200_000)
    assert plan_of(pledge_id) == [(2_900_000, date(2023, 9, 30)), (1_500_000, date(2024, 1, 31)), (800_000, date(2024, 6, 30))]
    assert "5,200,000.00" in refused("amount", lambda: change("reduction", made.eur(5_200_001)))
    refused("amount", lambda: change("reduction", made.usd(5)))
    refused("amount", lambda: change("uplift"))
    refused("amount", lambda: change("uplift", made.eur("9999999999999999.99")))
    refused("kind", lambda: change("conversion", made.eur(5)))
    refused("on", lambda: change("lapse", on=date(2022, 9, 20)))
    refused("plan", lambda: change("lapse", made.eur(1), plan=(made.line(made.eur(1), JUNE),)))
    refused("reason", lambda: pledges.change_pledge(grants, pledge_id, pledges.PledgeChange("lapse", JUNE, " ")))
    change("withdrawal")
    assert not db.session.get_one(Pledge, pledge_id).outstanding
    assert plan_of(pledge_id) == []
    all_is_well()


def test_a_change_dated_back_never_leaves_less_than_nothing_on_a_day_between(grants, donor):
    pledge_id = made.pledge(grants, donor, made.eur(100))
    pledges.change_pledge(grants, pledge_id, pledges.PledgeChange("uplift", date(2023, 3, 1), "more", made.eur(50)))
    early = pledges.PledgeChange("reduction", date(2023, 2, 1), "less", made.eur(120))
    said = refused("amount", lambda: pledges.change_pledge(grants, pledge_id, early))
    assert "1 Feb 2023" in said
    assert "100.00" in said
    pledges.change_pledge(grants, pledge_id, pledges.PledgeChange("reduction", date(2023, 2, 1), "less", made.eur(100)))
    figures = money.pledge_figures(pledge_id, date(2023, 2, 15))
    assert (figures.outstanding.money, figures.instalments) == (figures.outstanding.reporting, ())
    all_is_well()


def test_a_mistaken_lapse_is_reversed_by_a_row_and_the_plan_comes_back(grants, donor):
    pledge_id = made.pledge(grants, donor, plan=made.WORKED_PLAN)
    before = plan_of(pledge_id)
    wrong = pledges.change_pledge(grants, pledge_id, pledges.PledgeChange("lapse", JUNE, "typed the wrong pledge", made.eur(6_000_000)))
    pledges.reverse_terms(grants, wrong, "it was another pledge")
    assert plan_of(pledge_id) == before
    assert db.session.scalar(select(func.count(PledgeTerms.id))) == 3
    refused("", lambda: pledges.reverse_terms(grants, wrong, "again"))
    announced = db.session.scalars(select(PledgeTerms.id).where(PledgeTerms.kind == "announced")).one()
    refused("", lambda: pledges.reverse_terms(grants, announced, "no"))
    figures = money.pledge_figures(pledge_id, JUNE)
    assert not figures.lapsed
    all_is_well()


def test_rescheduling_keeps_the_earlier_plan_readable(grants, donor):
    pledge_id = made.pledge(grants, donor, made.eur(10), plan=(made.line(made.eur(10), JUNE),))
    pledges.reschedule_pledge(
        grants, pledge_id, (made.line(made.eur(10), None, "after the evaluation"),), "the evaluation is late", on=JUNE
    )
    assert plan_of(pledge_id) == [(10, None)]
    assert db.session.scalar(select(func.count(Instalment.id))) == 2
    assert money.pledge_figures(pledge_id, date(2023, 5, 1)).next_due.due_on == JUNE
    assert money.pledge_figures(pledge_id, JUNE).next_due is None
    refused("plan", lambda: pledges.reschedule_pledge(grants, pledge_id, (made.line(made.eur(9), JUNE),), "why"))
    all_is_well()


def test_a_form_opened_before_another_change_is_told(grants, donor):
    pledge_id = made.pledge(grants, donor)
    opened = db.session.get_one(Pledge, pledge_id).version
    pledges.change_pledge(grants, pledge_id, pledges.PledgeChange("uplift", JUNE, "more", made.eur(1), version=opened))
    with pytest.raises(EditConflict):
        pledges.change_pledge(grants, pledge_id, pledges.PledgeChange("uplift", JUNE, "more", made.eur(1), version=opened))


# --- agreements ------------------------------------------------------------------------------------------------


def test_signing_more_than_is_outstanding_needs_an_uplift_first(grants, donor):
    pledge_id = made.pledge(grants, donor)
    said = refused("amount", lambda: made.agreement(grants, made.eur(10_000_001), pledge_id=pledge_id))
    assert "uplift" in said
    assert db.session.scalar(select(func.count(Agreement.id))) == 0
    pledges.change_pledge(grants, pledge_id, pledges.PledgeChange("uplift", date(2022, 12, 1), "more", made.eur(1)))
    made.agreement(grants, made.eur(10_000_001), pledge_id=pledge_id)
    assert not db.session.get_one(Pledge, pledge_id).outstanding
    all_is_well()


def test_an_agreement_in_another_currency_says_what_it_converts_and_scales_the_plan(grants, donor):
    pledge_id = made.pledge(grants, donor, plan=made.WORKED_PLAN)
    refused("converted", lambda: made.agreement(grants, made.usd(8_000_000), pledge_id=pledge_id))
    agreement_id = made.agreement(grants, made.usd(8_000_000), pledge_id=pledge_id, converted=made.eur(7_500_000))
    rows = db.session.scalars(select(Instalment).where(Instalment.currency == "USD").order_by(Instalment.position)).all()
    assert [row.amount_minor for row in rows] == [480_000_000, 320_000_000]
    assert all(row.carried_from_id for row in rows)
    assert db.session.get_one(Pledge, pledge_id).outstanding == made.eur(2_500_000)
    assert db.session.get_one(Agreement, agreement_id).next_due_on == date(2023, 3, 31)
    all_is_well()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": ""}, "title"),
        ({"signed_on": date(2022, 9, 20)}, "signed_on"),
        ({"signed_on": date(2999, 9, 20)}, "signed_on"),
        ({"starts_on": date(2023, 1, 2), "ends_on": date(2023, 1, 1)}, "ends_on"),
        ({"earmarking": "ZZ"}, "earmarking"),
        ({"recovery_rate": Decimal(1)}, "recovery_rate"),
        ({"recovery_rate": Decimal("NaN")}, "recovery_rate"),
        ({"recovery_basis": "guess"}, "recovery_basis"),
        ({"donor_reference": "x" * 101}, "donor_reference"),
        ({"plan": (made.line(made.eur(1), JUNE),)}, "plan"),
        ({"converted": made.eur(5)}, "converted"),
    ],
)
def test_an_agreement_is_refused_by_its_field_and_the_pledge_stays(grants, donor, values, field):
    pledge_id = made.pledge(grants, donor)
    refused(field, lambda: made.agreement(grants, pledge_id=pledge_id, **values))
    assert db.session.get_one(Pledge, pledge_id).outstanding == made.eur(10_000_000)


def test_budget_lines_add_up_and_name_programmes_of_the_office(grants, donor, acting):
    programme = made.programme(grants)
    other = acting("other-grants")
    foreign = made.programme(other, code="KEN")
    acting("grants")

    def sign(*lines):
        return made.agreement(grants, made.eur(100), donor_id=donor, office_id=made.office(), budget_lines=lines)

    refused("budget_lines", lambda: sign(agreements.BudgetLine(programme, made.eur(99))))
    refused("budget_lines-0-programme_id", lambda: sign(agreements.BudgetLine(foreign, made.eur(100))))
    agreement_id = sign(agreements.BudgetLine(programme, made.eur(60)), agreements.BudgetLine(programme, made.eur(40)))
    agreements.amend_agreement(grants, agreement_id, agreements.Amendment(made.eur("0.01"), JUNE, "rounding"))
    agreement = db.session.get_one(Agreement, agreement_id)
    assert sorted(line.amount_minor for line in agreement.budget_lines) == [4_000, 6_000], "as signed"
    parts = pledge_queries.earmarks(agreement, agreement.value)
    assert sum((part.amount for _line, part in parts), Decimal(0)) == Decimal("100.01") == agreement.value.amount


def test_rescheduling_an_agreement_moves_matches_by_reversal_oldest_due_first(grants, donor):
    pledge_id = made.pledge(grants, donor, plan=made.WORKED_PLAN)
    agreement_id = made.agreement(grants, pledge_id=pledge_id)
    made.receipt(grants, made.eur(4_500_000), date(2023, 3, 31), agreement_id=agreement_id)
    plan = (
        made.line(made.eur(5_000_000), date(2023, 12, 31)),
        made.line(made.eur(1_000_000), date(2023, 5, 31)),
        made.line(made.eur(3_000_000), None, "when the report is accepted"),
    )
    agreements.reschedule_agreement(grants, agreement_id, plan, "the donor's new budget year", on=JUNE)
    rows = money.agreement_figures(agreement_id, JUNE).instalments
    assert [str(row.open_amount) for row in rows] == ["EUR 1500000.00", "EUR 0.00", "EUR 3000000.00"]
    earlier = money.agreement_figures(agreement_id, date(2023, 5, 31)).instalments
    assert [str(row.open_amount) for row in earlier] == ["EUR 0.00", "EUR 3000000.00", "EUR 1500000.00"]
    assert db.session.scalar(select(func.sum(ReceiptMatch.amount_minor))) == 450_000_000
    assert db.session.scalar(select(func.count(ReceiptMatch.id))) == 4
    all_is_well()


def test_an_amendment_never_cuts_below_what_came(grants, donor):
    agreement_id = made.agreement(grants, made.eur(100), donor_id=donor, office_id=made.office())
    made.receipt(grants, made.eur(60), JUNE, agreement_id=agreement_id)
    amend = agreements.Amendment
    refused("change", lambda: agreements.amend_agreement(grants, agreement_id, amend(made.eur("-40.01"), JUNE, "cut")))
    refused("change", lambda: agreements.amend_agreement(grants, agreement_id, amend(made.eur(0), JUNE, "nothing")))
    agreements.amend_agreement(grants, agreement_id, amend(made.eur(-40), JUNE, "cut"))
    agreement = db.session.get_one(Agreement, agreement_id)
    assert (agreement.value, agreement.receivable, agreement.next_due_on) == (made.eur(60), made.eur(0), None)
    all_is_well()


def planned(grants, agreement_id, amount, *, is_planned=True):
    source = allocations.MoneySource(agreement_id)
    new = allocations.NewAllocation(source, made.programme(grants), amount, JUNE, is_planned=is_planned)
    return allocations.allocate(grants, new)


def test_an_amendment_never_cuts_below_what_is_planned(grants, donor):
    """M12: what is set aside of signed money stays within it, however the agreement changes afterwards."""
    agreement_id = made.agreement(grants, made.usd(1000), donor_id=donor, office_id=made.office(), recovery_basis="none")
    made.receipt(grants, made.usd(100), JUNE, agreement_id=agreement_id)
    planned(grants, agreement_id, made.usd(50), is_planned=False)
    aside = planned(grants, agreement_id, made.usd(850))

    def cut(amount):
        return agreements.amend_agreement(grants, agreement_id, agreements.Amendment(made.usd(-amount), JUNE, "cut"))

    said = refused("change", lambda: cut(Decimal("100.01")))
    assert "900.00" in said
    assert "899.99" in said
    assert said.count("JOR-AL-") == 1, "only what is planned is to be taken back"
    cut(100)
    all_is_well()
    refused("change", lambda: cut(Decimal("0.01")))
    allocations.reverse_allocation(grants, aside, "the donor cut it")
    cut(800)
    all_is_well()


def test_a_cut_on_a_day_without_a_rate_is_measured_in_proportion(grants, donor):
    """Saving never needs a rate (decision 0003); what was set aside in the reporting currency is still guarded."""
    rates.apply_sheets(grants, [sheet for sheet in ecb_history(since=date(2022, 12, 1)) if sheet.on < date(2023, 1, 15)])
    agreement_id = made.agreement(grants, made.eur(1000), donor_id=donor, office_id=made.office(), recovery_basis="none")
    left = programmable.of_agreement(agreement_id)
    assert (left.currency, left.is_signed_known) == ("USD", True)
    planned(grants, agreement_id, made.usd(500))

    def cut(amount):
        return agreements.amend_agreement(grants, agreement_id, agreements.Amendment(made.eur(-amount), JUNE, "cut"))

    refused("change", lambda: cut(600))
    cut(400)
    assert not programmable.of_agreement(agreement_id).is_signed_known
    all_is_well()


def test_money_that_plans_count_on_is_not_reversed(grants, donor):
    """A surplus, and money that came alone, may be planned; then it cannot go silently."""
    agreement_id = made.agreement(grants, made.usd(100), donor_id=donor, office_id=made.office(), recovery_basis="none")
    came = made.receipt(grants, made.usd(150), JUNE, agreement_id=agreement_id)
    aside = planned(grants, agreement_id, made.usd(140))
    assert "JOR-AL-" in refused("", lambda: receipts.reverse_receipt(grants, came, "wrong"))
    allocations.reverse_allocation(grants, aside, "not ours")
    receipts.reverse_receipt(grants, came, "wrong")
    alone = made.receipt(grants, made.usd(70), JUNE, office_id=made.office(), donor_id=donor)
    new = allocations.NewAllocation(allocations.MoneySource(receipt_id=alone), made.programme(grants), made.usd(70), JUNE, is_planned=True)
    allocations.allocate(grants, new)
    assert "JOR-AL-" in refused("", lambda: receipts.reverse_receipt(grants, alone, "wrong"))
    all_is_well()


# --- receipts --------------------------------------------------------------------------------------------------


def test_a_surplus_stays_visible_and_raises_nothing(grants, donor):
    made.ecb(grants)
    agreement_id = made.agreement(grants, made.eur(100), donor_id=donor, office_id=made.office())
    made.receipt(grants, made.eur(130), JUNE, agreement_id=agreement_id)
    figures = money.agreement_figures(agreement_id, JUNE)
    assert (figures.secured.money, figures.paid.money, figures.credit.money) == (made.eur(100), made.eur(130), made.eur(30))
    assert not figures.receivable
    agreements.amend_agreement(grants, agreement_id, agreements.Amendment(made.eur(20), JUNE, "the donor agreed"))
    assert money.agreement_figures(agreement_id, JUNE).credit.money == made.eur(10)
    all_is_well()


def test_receipts_match_by_hand_first_and_then_oldest_due(grants, donor):
    pledge_id = made.pledge(grants, donor, plan=made.WORKED_PLAN)
    agreement_id = made.agreement(grants, pledge_id=pledge_id)
    rows = {row.due_on: row.id for row in money.agreement_figures(agreement_id, JUNE).instalments}
    last = rows[date(2024, 1, 31)]
    by_hand = (receipts.MatchLine(last, made.eur(1_000_000)),)
    made.receipt(grants, made.eur(2_000_000), JUNE, agreement_id=agreement_id, matches=by_hand)
    left = {row.due_on: row.open_amount for row in money.agreement_figures(agreement_id, JUNE).instalments}
    assert left[date(2024, 1, 31)] == made.eur(500_000)
    assert left[date(2023, 3, 31)] == made.eur(3_500_000)
    too_much = (receipts.MatchLine(last, made.eur(500_001)),)
    refused("matches-0-amount", lambda: made.receipt(grants, made.eur(600_000), JUNE, agreement_id=agreement_id, matches=too_much))
    more = (receipts.MatchLine(last, made.eur(2)),)
    refused("matches-0-amount", lambda: made.receipt(grants, made.eur(1), JUNE, agreement_id=agreement_id, matches=more))
    all_is_well()


def test_what_came_the_day_after_was_not_matched_yet(grants, donor):
    """As of yesterday a receipt by hand for the last part stands alone, although today's has paid the first part since."""
    today = clock.today()
    plan = (made.line(made.eur(6), today - timedelta(days=30)), made.line(made.eur(4), today + timedelta(days=30)))
    agreement_id = made.agreement(
        grants, made.eur(10), donor_id=donor, office_id=made.office(), plan=plan, signed_on=today - timedelta(days=60)
    )
    first, last = (row.id for row in money.agreement_figures(agreement_id).instalments)
    made.receipt(
        grants, made.eur(4), today - timedelta(days=1), agreement_id=agreement_id, matches=(receipts.MatchLine(last, made.eur(4)),)
    )
    made.receipt(grants, made.eur(6), today, agreement_id=agreement_id)

    def left(day):
        return {row.id: row.open_amount for row in money.agreement_figures(agreement_id, day).instalments}

    assert left(today - timedelta(days=1)) == {first: made.eur(6), last: made.eur(0)}
    assert left(today) == {first: made.eur(0), last: made.eur(0)}


def test_money_before_the_signature_or_in_another_currency_is_refused_with_a_sentence(grants, donor):
    agreement_id = made.agreement(grants, donor_id=donor, office_id=made.office())
    said = refused("value_on", lambda: made.receipt(grants, made.eur(1), date(2022, 12, 14), agreement_id=agreement_id))
    assert "15 Dec 2022" in said
    refused("amount", lambda: made.receipt(grants, made.usd(1), JUNE, agreement_id=agreement_id))
    refused("value_on", lambda: made.receipt(grants, made.eur(1), date(2999, 1, 1), agreement_id=agreement_id))
    refused("bank_reporting", lambda: made.receipt(grants, made.eur(1), JUNE, agreement_id=agreement_id, bank_reporting=made.eur(1)))
    refused("donor_id", lambda: made.receipt(grants, made.eur(1), JUNE, office_id=made.office()))


def test_money_against_a_pledge_converts_that_part_and_a_surplus_is_credit(grants, donor):
    made.ecb(grants)
    pledge_id = made.pledge(grants, donor, plan=made.WORKED_PLAN)
    first = made.receipt(grants, made.eur(6_000_000), JUNE, pledge_id=pledge_id)
    pledge = db.session.get_one(Pledge, pledge_id)
    assert (pledge.outstanding, pledge.converted_minor) == (made.eur(4_000_000), 600_000_000)
    assert plan_of(pledge_id)[0] == (1_500_000, date(2023, 9, 30))
    figures = money.party_money(donor, JUNE)
    assert figures.secured.own == figures.paid.own == (made.eur(6_000_000),)
    made.receipt(grants, made.eur(5_000_000), JUNE, pledge_id=pledge_id)
    assert not db.session.get_one(Pledge, pledge_id).outstanding
    refused("pledge_id", lambda: made.receipt(grants, made.eur(1), JUNE, pledge_id=pledge_id))
    all_is_well()
    receipts.reverse_receipt(grants, first, "the bank took it back")
    pledge = db.session.get_one(Pledge, pledge_id)
    assert (pledge.outstanding, pledge.converted_minor) == (made.eur(6_000_000), 400_000_000)
    all_is_well()


def test_a_reversed_receipt_opens_what_it_paid_and_a_second_reversal_is_refused(grants, donor):
    agreement_id = made.agreement(grants, made.eur(100), donor_id=donor, office_id=made.office())
    first = made.receipt(grants, made.eur(100), JUNE, agreement_id=agreement_id)
    made.receipt(grants, made.eur(30), JUNE, agreement_id=agreement_id)
    receipts.reverse_receipt(grants, first, "entered twice")
    agreement = db.session.get_one(Agreement, agreement_id)
    assert (agreement.received, agreement.receivable) == (made.eur(30), made.eur(70))
    refused("", lambda: receipts.reverse_receipt(grants, first, "again"))
    assert db.session.scalar(select(func.sum(Receipt.amount_minor))) == 3_000
    all_is_well()


def test_the_banks_own_dollars_count_where_known(grants, donor):
    made.ecb(grants)
    agreement_id = made.agreement(grants, donor_id=donor, office_id=made.office())
    made.receipt(grants, made.eur(1_000_000), date(2023, 3, 31), agreement_id=agreement_id, bank_reporting=made.usd("1086000.55"))
    assert str(money.agreement_figures(agreement_id, JUNE).paid.reporting) == "USD 1086000.55"


# --- allocations -----------------------------------------------------------------------------------------------


@pytest.fixture
def funded(grants, donor):
    made.ecb(grants)
    agreement_id = made.agreement(grants, made.eur(9_000_000), donor_id=donor, office_id=made.office())
    receipt_id = made.receipt(grants, made.eur(4_500_000), date(2023, 3, 31), agreement_id=agreement_id)
    return allocations.MoneySource(agreement_id), receipt_id, made.programme(grants)


def test_allocations_stop_at_the_programmable_part_of_what_came(grants, funded):
    source, receipt_id, programme = funded

    def give(amount, **values):
        new = allocations.NewAllocation(source, programme, made.usd(amount), values.pop("on", JUNE), **values)
        return allocations.allocate(grants, new)

    assert "4,531,250.00" in refused("amount", lambda: give("4531250.01"))
    refused("allocated_on", lambda: give("0.01", on=date(2022, 1, 1)))
    first = give("4531250.00")
    refused("amount", lambda: give("0.01"))
    give("4000000", is_planned=True)
    refused("amount", lambda: give("4000000", is_planned=True))
    assert "JOR-AL-" in refused("", lambda: receipts.reverse_receipt(grants, receipt_id, "wrong"))
    allocations.reverse_allocation(grants, first, "another output")
    refused("", lambda: allocations.reverse_allocation(grants, first, "again"))
    assert str(programmable.of_agreement(source.agreement_id).unallocated) == "USD 4531250.00"
    all_is_well()


def test_allocations_are_in_the_reporting_currency_only_where_every_receipt_has_a_rate(grants, donor):
    agreement_id = made.agreement(grants, made.eur(108), donor_id=donor, office_id=made.office())
    made.receipt(grants, made.eur(108), JUNE, agreement_id=agreement_id)
    left = programmable.of_agreement(agreement_id)
    assert (left.currency, str(left.available)) == ("EUR", "EUR 100.00")
    made.ecb(grants)
    assert programmable.of_agreement(agreement_id).currency == "USD"


def test_a_receipt_without_an_agreement_is_wholly_programmable_and_counts_for_its_programme(grants, donor):
    receipt_id = made.receipt(grants, made.usd(500), JUNE, office_id=made.office(), donor_id=donor)
    programme = made.programme(grants)
    source = allocations.MoneySource(receipt_id=receipt_id)
    allocations.allocate(grants, allocations.NewAllocation(source, programme, made.usd(500), JUNE))
    assert "JOR-AL-" in refused("", lambda: receipts.reverse_receipt(grants, receipt_id, "wrong"))


def test_money_stays_with_the_programmes_that_the_budget_names(grants, donor):
    named, other = made.programme(grants, "Named"), made.programme(grants, "Other")
    lines = (agreements.BudgetLine(named, made.usd(100)),)
    agreement_id = made.agreement(grants, made.usd(100), donor_id=donor, office_id=made.office(), budget_lines=lines)
    made.receipt(grants, made.usd(100), JUNE, agreement_id=agreement_id)
    new = allocations.NewAllocation(allocations.MoneySource(agreement_id), other, made.usd(1), JUNE)
    assert "Named" in refused("programme_id", lambda: allocations.allocate(grants, new))


def test_a_split_refuses_odd_shares_and_saves_all_or_nothing(grants, funded):
    source, _receipt, programme = funded

    def parts(*shares):
        chosen = [allocations.Share(programme, Decimal(share)) for share in shares]
        return allocations.split_by_shares(grants, source, chosen, JUNE)

    refused("shares", parts)
    refused("shares-1-share", lambda: parts("1", "0"))
    refused("shares-0-share", lambda: parts("NaN"))
    assert db.session.scalar(select(func.count(Allocation.id))) == 0
    assert len(parts("1", "1", "1")) == 3
    refused("amount", lambda: parts("1"))


def test_days_late_fall_into_their_buckets(grants, donor):
    days = (1, 30, 31, 90, 91, 180, 181, 365, 366, 0, -1)
    plan = tuple(made.line(made.usd(1), JUNE - timedelta(days=late)) for late in days)
    made.agreement(grants, made.usd(11), donor_id=donor, office_id=made.office(), plan=plan)
    late = money.party_money(donor, JUNE).late
    assert [str(figure.money) for _name, figure in late.buckets] == ["USD 2.00"] * 4 + ["USD 1.00"]
    assert (late.count, late.oldest_on) == (9, JUNE - timedelta(days=366))
    assert money.party_money(donor, JUNE).next_due.due_on == JUNE

"""The worked case of domain section 3, with the real ECB rates, to the cent (M2, M3, M4, M5, M6, M11, M12)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crm import clock
from crm.queries import rates
from crm.queries.figures import money, programmable
from crm.queries.figures.programmes import programme_money
from crm.services import allocations, pledges
from crm.services import programmes as programme_service
from tests.factories import money as made

REPORT_DAY = date(2024, 3, 29)


@pytest.fixture
def case(acting):
    """Played by the grants officer; every step at its own day, as it was recorded."""
    actor = acting("grants")
    made.ecb(actor)
    donor = made.donor(actor)
    programme = made.programme(actor)
    programme_service.set_requirement(actor, programme, 2023, made.usd(8_000_000))
    programme_service.set_requirement(actor, programme, 2024, made.usd(4_000_000))
    outputs = [programme_service.add_output(actor, programme, title) for title in ("Vaccines", "Cold chain", "Health workers")]
    pledge = made.pledge(actor, donor, plan=made.WORKED_PLAN)
    agreement = made.agreement(actor, pledge_id=pledge)
    first = made.receipt(actor, made.eur(4_500_000), date(2023, 3, 31), agreement_id=agreement)
    second = made.receipt(actor, made.eur(3_000_000), date(2023, 9, 29), agreement_id=agreement)
    return {
        "actor": actor,
        "donor": donor,
        "programme": programme,
        "outputs": outputs,
        "pledge": pledge,
        "agreement": agreement,
        "receipts": [first, second],
    }


def test_the_pledge_on_its_day(case):
    figures = money.pledge_figures(case["pledge"], date(2022, 9, 21))
    assert figures.outstanding.money == made.eur(10_000_000)
    assert str(figures.outstanding.reporting) == "USD 9906000.00"
    assert (figures.rate.value, figures.rate.published_on, figures.rate.source) == (Decimal("0.9906"), date(2022, 9, 21), "ECB")
    assert not figures.chain.secured
    assert not figures.chain.paid


def test_the_agreement_converts_nine_and_one_stays_outstanding(case):
    figures = money.pledge_figures(case["pledge"], date(2022, 12, 15))
    assert figures.outstanding.money == made.eur(1_000_000)
    assert str(figures.outstanding.reporting) == "USD 990600.00"
    assert figures.converted.money == made.eur(9_000_000)
    assert str(figures.chain.secured.reporting) == "USD 9558900.00"
    assert [str(row.open_amount) for row in figures.instalments] == ["EUR 1000000.00"]
    assert figures.instalments[0].due_on == date(2024, 6, 30)


def test_receipts_receivable_and_both_differences_at_the_report_day(case):
    figures = money.agreement_figures(case["agreement"], REPORT_DAY)
    assert str(figures.secured.reporting) == "USD 9558900.00"
    assert figures.signature_rate.value == Decimal("1.0621")
    assert str(figures.paid.reporting) == "USD 8071950.00"
    assert [(rate.value, rate.published_on) for rate in figures.paid.rates] == [
        (Decimal("1.0875"), date(2023, 3, 31)),
        (Decimal("1.0594"), date(2023, 9, 29)),
    ]
    assert str(figures.realised_fx.reporting) == "USD 106200.00"
    assert figures.receivable.money == made.eur(1_500_000)
    assert str(figures.receivable.reporting) == "USD 1621650.00"
    assert (figures.report_rate.value, figures.report_rate.published_on) == (Decimal("1.0811"), date(2024, 3, 28))
    assert str(figures.unrealised_fx.reporting) == "USD 28500.00"
    together = figures.paid.exact + figures.receivable.exact
    assert together == figures.secured.exact + figures.realised_fx.exact + figures.unrealised_fx.exact
    assert str(figures.late.total.money) == "EUR 1500000.00"
    assert figures.late.oldest_on == date(2024, 1, 31)
    assert [name for name, figure in figures.late.buckets if figure] == ["31-90"]


def test_each_receipt_in_dollars(case):
    months = {month.first_on: month.paid for month in money.receipts_by_month(party_id=case["donor"], as_of=REPORT_DAY, months=24)}
    assert str(months[date(2023, 3, 1)].reporting) == "USD 4893750.00"
    assert str(months[date(2023, 9, 1)].reporting) == "USD 3178200.00"
    assert len(months) == 24
    assert sum(bool(figure) for figure in months.values()) == 2


def test_recovery_and_the_split_whose_parts_equal_the_whole(case):
    left = programmable.of_agreement(case["agreement"], REPORT_DAY)
    assert (str(left.available), str(left.recovery)) == ("USD 7474027.78", "USD 597922.22")
    shares = [
        allocations.Share(case["programme"], Decimal(share), output) for share, output in zip((60, 25, 15), case["outputs"], strict=True)
    ]
    made_ids = allocations.split_by_shares(case["actor"], allocations.MoneySource(case["agreement"]), shares, date(2023, 10, 2))
    assert len(made_ids) == 3
    figures = programme_money(case["programme"], REPORT_DAY)
    by_output = {row.output_id: str(row.allocated.reporting) for row in figures.outputs}
    assert [by_output[output] for output in case["outputs"]] == ["USD 4484416.67", "USD 1868506.94", "USD 1121104.17"]
    assert str(figures.allocated.reporting) == "USD 7474027.78"
    assert str(programmable.of_agreement(case["agreement"], REPORT_DAY).unallocated) == "USD 0.00"
    assert str(figures.secured.reporting) == "USD 7474027.78"
    assert str(figures.gap) == "USD 4525972.22"
    assert str(figures.over) == "USD 0.00"


def test_the_last_million_lapses_and_nothing_is_mixed(case):
    pledges.change_pledge(
        case["actor"], case["pledge"], pledges.PledgeChange("lapse", date(2024, 7, 15), "The donor's budget law of 2024 left it out.")
    )
    before = money.party_money(case["donor"], date(2024, 7, 14))
    after = money.party_money(case["donor"], date(2024, 7, 15))
    assert str(before.pledged.reporting) == "USD 990600.00"
    assert str(before.late_pledged.total.money) == "EUR 1000000.00"
    assert (str(after.pledged.reporting), str(after.lapsed.money)) == ("USD 0.00", "EUR 1000000.00")
    assert before.secured == after.secured
    assert before.paid == after.paid
    assert not after.late_pledged.count


def test_today_without_a_newer_file_the_receivable_stands_in_euros_and_says_why(case):
    with clock.frozen(datetime(2026, 11, 23, 12, tzinfo=UTC)):
        figures = money.party_money(case["donor"])
    assert figures.receivable.money == made.eur(1_500_000)
    assert figures.receivable.is_partial
    assert str(figures.receivable.reporting) == "USD 0.00"
    assert "no EUR-USD rate for 23 Nov 2026; newest held 30 Oct 2026; bring a newer file" in figures.left_out[0]
    assert str(figures.paid.reporting) == "USD 8071950.00"
    with pytest.raises(rates.RateMissing, match="newest held 30 Oct 2026"):
        rates.rate("EUR", "USD", date(2026, 11, 23))


def test_every_figure_names_the_records_behind_it(case):
    figures = money.party_money(case["donor"], REPORT_DAY)
    assert [source.reference[:6] for source in figures.pledged.sources] == ["JOR-PL"]
    assert [source.reference[:6] for source in figures.secured.sources] == ["JOR-AG"]
    assert [source.reference[:6] for source in figures.paid.sources] == ["JOR-RC", "JOR-RC"]
    assert {source.kind for source in figures.receivable.sources} == {"agreement"}
    assert {step.key for step in money.funnel(figures)} == {"pledged", "secured", "paid", "receivable", "late"}

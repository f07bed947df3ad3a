"""Lists, details and figures of money: as many statements for much as for little; what a list shows; rates (M5)."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, inspect

from crm.db import db
from crm.errors import Invalid, NotFound, RateMissing
from crm.exchange.rates import RateSheet
from crm.models.pledges import Agreement, AgreementTerms, Pledge, PledgeTerms, Receipt
from crm.money import Money
from crm.policy import all_offices, bind_actor, system_actor, unscoped
from crm.queries import pledges as reading
from crm.queries import programmes as programme_reading
from crm.queries import rates as rate_reading
from crm.queries.figures import money
from crm.queries.figures.programmes import programme_money, programmes_money
from crm.queries.figures.totals import office_totals, party_totals
from crm.queries.figures.years import programmes_year
from crm.queries.paging import Paging
from crm.services import agreements, allocations, pledges, programmes, rates
from tests.factories import money as made

DAY = date(2024, 3, 29)


@contextmanager
def statements():
    seen = []

    def note(_conn, _cursor, statement, *_rest):
        if not statement.startswith(("BEGIN", "SET ", "PRAGMA")):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def chain(actor, donor, programme, place):
    plan = (made.line(made.eur(6), date(2023, 3, 1) + timedelta(days=place)), made.line(made.eur(4), date(2024, 12, 1)))
    pledge_id = made.pledge(
        actor, donor, made.eur(10), plan=plan, pledged_on=date(2022, 9, 21) + timedelta(days=place), programme_id=programme
    )
    lines = (agreements.BudgetLine(programme, made.eur(8)),)
    agreement_id = made.agreement(actor, made.eur(8), pledge_id=pledge_id, budget_lines=lines)
    made.receipt(actor, made.eur(3), date(2023, 4, 3) + timedelta(days=place), agreement_id=agreement_id)
    made.receipt(actor, made.eur(1), date(2023, 5, 3), pledge_id=pledge_id)
    allocations.split_by_shares(actor, allocations.MoneySource(agreement_id), [allocations.Share(programme, Decimal(1))], date(2023, 6, 1))
    return pledge_id, agreement_id


def test_every_read_takes_as_many_statements_for_much_as_for_little(acting):
    actor = acting("grants")
    made.ecb(actor)
    donor, programme = made.donor(actor), made.programme(actor)
    programmes.set_requirement(actor, programme, 2023, made.usd(100))
    indicator = programmes.add_indicator(actor, programme, programmes.IndicatorInput("Children reached"))
    programmes.record_measurement(actor, indicator, DAY, Decimal(5))
    pledge_id, agreement_id = chain(actor, donor, programme, 0)

    def reads():
        return {
            "list": lambda: reading.list_pledges(reading.PledgeFilter(q="north"), Paging(), today=DAY),
            "pledge": lambda: reading.pledge_timeline(reading.pledge_detail(pledge_id)),
            "agreement": lambda: reading.agreement_timeline(reading.agreement_detail(agreement_id)),
            "due": lambda: reading.due_instalments(DAY),
            "programmes": lambda: programme_reading.list_programmes(programme_reading.ProgrammeFilter(), Paging()),
            "programme": lambda: programme_reading.programme_detail(programme),
            "party money": lambda: money.party_money(donor, DAY),
            "office money": lambda: money.office_money([made.office()], DAY),
            "all money": lambda: money.office_money(None, DAY),
            "pledge money": lambda: money.pledge_figures(pledge_id, DAY),
            "agreement money": lambda: money.agreement_figures(agreement_id, DAY),
            "programme money": lambda: programmes_money([programme], DAY),
            "party totals": lambda: party_totals(donor, DAY),
            "office totals": lambda: office_totals(None, DAY),
            "a year of programmes": lambda: programmes_year([programme], 2023, DAY),
            "months": lambda: money.receipts_by_month(party_id=donor, as_of=DAY),
        }

    def counted():
        found = {}
        for name, read in reads().items():
            db.session.expire_all()
            with statements() as seen:
                read()
            found[name] = len(seen)
        return found

    little = counted()
    for place in range(1, 9):
        chain(actor, donor, programme, place)
    pledges.change_pledge(actor, pledge_id, pledges.PledgeChange("uplift", DAY, "more", made.eur(50)))
    for place in range(3):
        again = made.agreement(actor, made.eur(5), pledge_id=pledge_id, signed_on=DAY)
        made.receipt(actor, made.eur(place + 1), DAY, agreement_id=again)
        programmes.record_measurement(actor, indicator, DAY - timedelta(days=place + 1), Decimal(place))
    much = counted()
    assert much == little, {name: (little[name], count) for name, count in much.items() if little[name] != count}
    assert max(much.values()) <= 30, much


def test_lists_filter_by_computed_status_and_sort(acting):
    actor = acting("grants")
    donor = made.donor(actor)
    ids = {}
    for name in ("outstanding", "part-converted", "converted", "lapsed"):
        due = date(2024, 1, 1) if name == "outstanding" else date(2025, 1, 1)
        ids[name] = made.pledge(actor, donor, made.eur(10), plan=(made.line(made.eur(10), due),))
    made.agreement(actor, made.eur(4), pledge_id=ids["part-converted"])
    made.agreement(actor, made.eur(10), pledge_id=ids["converted"])
    pledges.change_pledge(actor, ids["lapsed"], pledges.PledgeChange("lapse", DAY, "gone"))

    def listed(sort="newest", **values):
        page = reading.list_pledges(reading.PledgeFilter(**values), Paging(), today=DAY, sort=sort)
        return [row.id for row in page.rows]

    for name, pledge_id in ids.items():
        assert listed(status=name) == [pledge_id]
    assert listed(status="late") == [ids["outstanding"]]
    assert listed(sort="due") == [ids["outstanding"], ids["part-converted"]]
    assert len(listed(q="northland")) == 4
    assert listed(q="%") == []
    assert len(listed(q="jor-pl")) == 4
    assert listed(currency="USD") == []
    late = reading.due_instalments(DAY, 400)
    assert [(row.kind, row.days_late > 0) for row in late] == [
        ("pledge", True),
        ("agreement", False),
        ("agreement", False),
        ("pledge", False),
    ]


def test_nobody_sees_another_offices_money(acting):
    actor = acting("grants")
    donor, programme = made.donor(actor), made.programme(actor)
    pledge_id = made.pledge(actor, donor, plan=made.WORKED_PLAN)
    agreement_id = made.agreement(actor, made.eur(1), donor_id=donor, office_id=made.office())
    for name, is_seen in (("viewer", True), ("regional", True), ("hq", True), ("other", False)):
        acting(name)
        assert bool(money.office_money(None, DAY).pledged) is is_seen, name
        assert bool(reading.due_instalments(DAY, 999_9)) is is_seen
        for look in (
            lambda: reading.pledge_detail(pledge_id),
            lambda: reading.agreement_detail(agreement_id),
            lambda: programme_reading.programme_detail(programme),
            lambda: programme_money(programme, DAY),
            lambda: money.agreement_figures(agreement_id, DAY),
        ):
            if is_seen:
                look()
            else:
                with pytest.raises(NotFound):
                    look()
    bind_actor(None)
    assert not money.office_money(None, DAY).pledged


def test_headquarters_counts_every_record_once(acting):
    for name, code, cents in (("grants", "JOR", 500), ("other-grants", "KEN", 700)):
        actor = acting(name)
        donor = made.donor(actor, f"Donor {code}", code)
        agreement_id = made.agreement(actor, made.usd(cents), donor_id=donor, office_id=made.office(code))
        made.receipt(actor, made.usd(cents - 100), DAY, agreement_id=agreement_id)
    acting("hq")
    figures = money.office_money(None, DAY)
    assert (str(figures.secured.reporting), str(figures.paid.reporting)) == ("USD 1200.00", "USD 1000.00")
    assert len(figures.secured.sources) == 2


# --- programmes ------------------------------------------------------------------------------------------------


def test_an_agreement_for_several_programmes_is_split_by_its_lines_and_no_cent_is_lost(acting):
    actor = acting("grants")
    made.ecb(actor)
    donor = made.donor(actor)
    ids = [made.programme(actor, f"Programme {number}") for number in range(3)]
    lines = [agreements.BudgetLine(programme, made.eur(amount)) for programme, amount in zip(ids, ("33.33", "33.33", "33.35"), strict=True)]
    plan = (made.line(made.eur("50.01"), date(2023, 5, 1)), made.line(made.eur(50), date(2024, 5, 1)))
    agreement_id = made.agreement(actor, made.eur("100.01"), donor_id=donor, office_id=made.office(), budget_lines=lines, plan=plan)
    made.receipt(actor, made.eur("60.01"), date(2023, 5, 2), agreement_id=agreement_id)
    whole = money.agreement_figures(agreement_id, DAY)
    parts = programmes_money(ids, DAY)
    for stage in ("secured", "paid"):
        together = sum((getattr(parts[key], stage).reporting for key in ids), made.usd(0))
        assert together == getattr(whole, stage).reporting
        for key in ids:
            years = [getattr(year, stage) for year in parts[key].years]
            assert sum((figure.reporting for figure in years), made.usd(0)) == getattr(parts[key], stage).reporting
            assert [year.year for year in parts[key].years] == [2023, 2024]
    assert parts[ids[0]].secured.own == (made.eur("33.33"),)


def test_the_gap_by_year_never_hides_overfunding_of_another(acting):
    actor = acting("grants")
    donor, programme = made.donor(actor), made.programme(actor)
    programmes.set_requirement(actor, programme, 2023, made.usd(90))
    programmes.set_requirement(actor, programme, 2023, made.usd(100), "revised plan")
    programmes.set_requirement(actor, programme, 2024, made.usd(100))
    plan = (made.line(made.usd(130), date(2023, 5, 1)), made.line(made.usd(40), date(2024, 5, 1)))
    lines = (agreements.BudgetLine(programme, made.usd(170)),)
    made.agreement(actor, made.usd(170), donor_id=donor, office_id=made.office(), budget_lines=lines, plan=plan)
    made.pledge(actor, donor, made.usd(500), programme_id=programme)
    figures = programme_money(programme, DAY)
    assert [str(row.gap) for row in figures.years if row.year > 2022] == ["USD 0.00", "USD 60.00"]
    assert [str(row.over) for row in figures.years if row.year > 2022] == ["USD 30.00", "USD 0.00"]
    assert (str(figures.required.reporting), str(figures.gap), str(figures.over)) == ("USD 200.00", "USD 30.00", "USD 0.00")
    assert str(figures.pledged.reporting) == "USD 500.00"


def test_programme_input_is_checked_by_field(acting):
    actor = acting("grants")
    programme = made.programme(actor, tags=(("sdg-goal", "3"), ("sdg-target", "3.8"), ("crc", "24")), sector="12220")
    for field, do in (
        ("title", lambda: made.programme(actor, " ")),
        ("ends_on", lambda: made.programme(actor, ends_on=date(2021, 1, 1))),
        ("sector", lambda: made.programme(actor, sector="99999")),
        ("currency", lambda: made.programme(actor, currency="QQQ")),
        ("tags", lambda: programmes.set_tags(actor, programme, [("crc", "99")])),
        ("tags", lambda: programmes.set_tags(actor, programme, [("moon", "1")])),
        ("year", lambda: programmes.set_requirement(actor, programme, 1066, made.usd(1))),
        ("amount", lambda: programmes.set_requirement(actor, programme, 2024, made.eur(1))),
        ("amount", lambda: programmes.set_requirement(actor, programme, 2024, made.usd(-1))),
        ("direction", lambda: programmes.add_indicator(actor, programme, programmes.IndicatorInput("x", direction="sideways"))),
        ("baseline_on", lambda: programmes.add_indicator(actor, programme, programmes.IndicatorInput("x", baseline_value=Decimal(1)))),
    ):
        with pytest.raises(Invalid) as refusal:
            do()
        assert field in refusal.value.errors, (field, refusal.value.errors)
    detail = programme_reading.programme_detail(programme)
    assert [(tag.scheme, tag.code) for tag in detail.programme.tags] == [("crc", "24"), ("sdg-goal", "3"), ("sdg-target", "3.8")]
    programmes.set_tags(actor, programme, [("crc", "24")])
    version = programme_reading.programme_detail(programme).programme.version
    programmes.edit_programme(actor, programme, programmes.ProgrammeInput("Renamed", date(2022, 1, 1)), version=version)
    assert programme_reading.programme_detail(programme).programme.title == "Renamed"
    indicator = programmes.add_indicator(actor, programme, programmes.IndicatorInput("Reached"))
    programmes.record_measurement(actor, indicator, DAY, Decimal("1.5"))
    with pytest.raises(Invalid, match="already"):
        programmes.record_measurement(actor, indicator, DAY, Decimal(2))


# --- rates -----------------------------------------------------------------------------------------------------


def sheet(on, quotes, source="ECB", base="EUR"):
    return RateSheet(source, base, on, {code: Decimal(value) for code, value in quotes.items()})


def test_rates_come_from_the_newest_day_of_the_last_seven_and_say_which(acting):
    actor = acting("grants")
    rates.apply_sheets(actor, [sheet(date(2024, 3, 28), {"USD": "1.0811", "JPY": "163.45"})])
    for late in range(8):
        found = rate_reading.rate("EUR", "USD", date(2024, 3, 28) + timedelta(days=late))
        assert (found.value, found.published_on) == (Decimal("1.0811"), date(2024, 3, 28))
    with pytest.raises(RateMissing, match="newest held 28 Mar 2024"):
        rate_reading.rate("EUR", "USD", date(2024, 4, 5))
    with pytest.raises(RateMissing, match="within 7 days before"):
        rate_reading.rate("EUR", "USD", date(2024, 3, 27))
    with pytest.raises(RateMissing, match="none is held"):
        rate_reading.rate("JOD", "USD", DAY)
    cross = rate_reading.rate("JPY", "USD", DAY)
    assert cross.convert(Money(Decimal(163450), "JPY")) == made.usd("1081.1")
    assert [leg.quote for leg in cross.legs] == ["JPY", "USD"]
    back = rate_reading.rate("USD", "EUR", DAY)
    assert back.convert(made.usd("1081.1")) == made.eur(1000)
    assert rate_reading.rate("USD", "USD", DAY).value == 1


def test_what_the_ecb_does_not_quote_comes_from_an_imported_sheet_and_is_never_chained(acting):
    actor = acting("grants")
    rates.apply_sheets(actor, [sheet(date(2024, 3, 28), {"USD": "1.0811"}), sheet(DAY, {"JOD": "0.709", "EUR": "0.9"}, "UN", "USD")])
    assert rate_reading.rate("JOD", "USD", DAY).convert(Money(Decimal("709.000"), "JOD")) == made.usd(1000)
    assert rate_reading.rate("EUR", "USD", DAY).source == "ECB"
    assert rate_reading.rate("JOD", "EUR", DAY).source == "UN"
    rates.apply_sheets(actor, [sheet(DAY, {"KES": "130"}, "Other", "USD")])
    with pytest.raises(RateMissing):
        rate_reading.rate("KES", "EUR", DAY)


def test_a_monthly_sheet_of_the_un_counts_until_the_next_one(acting):
    """M5, decision 0009: 31 days for UNORE, whose newest effective date supersedes; 7 for all others; the real date is said."""
    actor = acting("grants")
    monthly = [
        sheet(date(2024, 3, 1), {"JOD": "0.709", "KES": "130"}, "UNORE", "USD"),
        sheet(date(2024, 3, 15), {"KES": "131"}, "UNORE", "USD"),
        sheet(date(2024, 3, 2), {"SYP": "13000"}, "per USD", "USD"),
    ]
    rates.apply_sheets(actor, monthly)
    for on, currency, value, published in (
        (date(2024, 3, 14), "KES", "130", date(2024, 3, 1)),
        (date(2024, 3, 15), "KES", "131", date(2024, 3, 15)),
        (date(2024, 3, 31), "JOD", "0.709", date(2024, 3, 1)),
        (date(2024, 4, 1), "JOD", "0.709", date(2024, 3, 1)),
        (date(2024, 4, 15), "KES", "131", date(2024, 3, 15)),
    ):
        found = rate_reading.rate(currency, "USD", on)
        assert (found.legs[0].value, found.published_on, found.source) == (Decimal(value), published, "UNORE"), on
    with pytest.raises(RateMissing, match="newest held 1 Mar 2024"):
        rate_reading.rate("JOD", "USD", date(2024, 4, 2))
    with pytest.raises(RateMissing, match="within 31 days before"):
        rate_reading.rate("JOD", "USD", date(2024, 2, 29))
    assert rate_reading.rate("SYP", "USD", date(2024, 3, 9)).published_on == date(2024, 3, 2)
    with pytest.raises(RateMissing):
        rate_reading.rate("SYP", "USD", date(2024, 3, 10))
    rates.apply_sheets(actor, [sheet(date(2024, 3, 28), {"USD": "1.08", "KES": "140"})])
    assert rate_reading.rate("KES", "USD", date(2024, 3, 29)).source == "ECB"


def test_the_same_sheets_twice_change_nothing_and_a_correction_changes_one_day(context):
    with unscoped("test"):
        actor = system_actor(all_offices())  # who covers all offices corrects
    bind_actor(actor)
    given = [sheet(date(2024, 3, day), {"USD": "1.08", "JPY": "160"}) for day in (26, 27, 28)]
    assert rates.apply_sheets(actor, given) == rates.Counts(3, 0, 0)
    assert rates.apply_sheets(actor, given) == rates.Counts(0, 0, 3)
    assert rates.apply_sheets(actor, [sheet(date(2024, 3, 28), {"USD": "1.0800"})]) == rates.Counts(0, 0, 1)
    assert rates.apply_sheets(actor, [*given[:2], sheet(date(2024, 3, 28), {"USD": "1.09"})]) == rates.Counts(0, 1, 2)
    assert rate_reading.rate("JPY", "EUR", DAY).legs[0].value == 160
    assert [(row.source, row.days) for row in rate_reading.held()] == [("ECB", 3)]


@pytest.mark.parametrize("entity", [Pledge, PledgeTerms, Agreement, AgreementTerms, Receipt])
def test_every_list_that_a_record_of_money_brings_has_an_order(entity):
    """Loaded by a join, rows come in the order of the join: which payment stands first on a page would be the database's choice."""
    lists = [one for one in inspect(entity).relationships if one.uselist]
    assert lists
    assert [one.key for one in lists if not one.order_by] == []


def test_what_a_receipt_paid_stands_in_the_order_it_was_recorded(acting):
    """However the database keeps the rows: of a plan that was replaced, payments, what took them back, payments again."""
    actor = acting("grants")
    plan = tuple(made.line(made.eur(2), DAY + timedelta(days=place)) for place in range(9))
    agreement = made.agreement(actor, made.eur(18), office_id=made.office("JOR"), donor_id=made.donor(actor), plan=plan)
    receipt = made.receipt(actor, made.eur(18), DAY, agreement_id=agreement)
    for _turn in range(3):
        agreements.amend_agreement(actor, agreement, agreements.Amendment(made.eur(1), DAY, "more"))
    for found in (reading.receipt_detail(receipt), reading.agreement_detail(agreement).agreement.receipts[0]):
        keys = [match.id for match in found.matches]
        assert len(keys) > 60
        assert keys == sorted(keys)
        db.session.expire_all()

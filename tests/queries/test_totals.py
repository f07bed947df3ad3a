"""The database's sums against the ledger's objects: the same figures to the cent, whatever was recorded (M2, M4, M6).

Random chains in four currencies, one of them (KES) without any rate: pledges with fixed and daily rates, agreements for
several programmes, receipts with and without the bank's amount, reversals, amendments dated back and ahead, allocations."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.db import db
from crm.errors import Conflict, Invalid
from crm.models.pledges import Agreement, Pledge
from crm.money import Money, from_minor
from crm.queries.figures import money
from crm.queries.figures.programmes import programmes_money
from crm.queries.figures.totals import office_secured, office_totals, party_totals
from crm.queries.figures.years import programmes_year
from crm.services import agreements, allocations, pledges, programmes, receipts
from tests.factories import money as made

FIRST, LAST = date(2023, 1, 2), date(2024, 6, 28)
AS_OF = (date(2023, 6, 30), date(2024, 1, 2), LAST)
CURRENCIES = ("USD", "EUR", "KES")
days = st.dates(FIRST, LAST)
minor = st.integers(1, 9_999_99)
currency = st.sampled_from(("EUR", "EUR", "USD", "JPY", "KES"))
weights = st.lists(st.integers(1, 97), min_size=0, max_size=3)
step = st.one_of(
    st.tuples(st.just("pledge"), minor, days, currency, st.booleans()),
    st.tuples(st.just("sign"), minor, days, currency, weights),
    st.tuples(st.just("convert"), minor, days, st.integers(0, 5), weights),
    st.tuples(st.just("lapse"), minor, days, st.integers(0, 5), st.none()),
    st.tuples(st.just("amend"), st.integers(-300_00, 300_00).filter(bool), days, st.integers(0, 5), st.none()),
    st.tuples(st.just("receive"), minor, days, st.integers(0, 5), st.one_of(st.none(), minor)),
    st.tuples(st.just("receive-pledge"), minor, days, st.integers(0, 5), st.none()),
    st.tuples(st.just("reverse"), minor, days, st.integers(0, 5), st.none()),
    st.tuples(st.just("allocate"), minor, days, st.integers(0, 5), st.booleans()),
)


def plan_of(amount: Money, on: date):
    """Two parts in two years, and one without a day."""
    whole = int(amount.amount.scaleb(0 if amount.currency == "JPY" else 2))
    first, second = whole // 3, whole // 4
    parts = [(first, on + timedelta(days=40)), (second, on + timedelta(days=380)), (whole - first - second, None)]
    return tuple(made.line(from_minor(part, amount.currency), due, "" if due else "on the report") for part, due in parts if part)


def lines_of(amount: Money, shares, ids):
    """Budget lines for some of the programmes."""
    picked = list(zip(ids, shares, strict=False))
    whole = int(amount.amount.scaleb(0 if amount.currency == "JPY" else 2))
    parts = [whole * share // sum(shares) for _key, share in picked]
    parts = [*parts[:-1], whole - sum(parts[:-1])] if parts else []
    return tuple(
        agreements.BudgetLine(key, from_minor(part, amount.currency)) for (key, _s), part in zip(picked, parts, strict=True) if part
    )


class World:
    def __init__(self, actor):
        self.actor, self.donor = actor, made.donor(actor)
        self.programmes = [made.programme(actor, f"Programme in {code}", currency=code) for code in CURRENCIES]
        self.pledges, self.agreements, self.receipts = [], [], []

    def one(self, among, number):
        return among[number % len(among)] if among else None

    def play(self, what, number, on, which, more):
        if what == "pledge":
            amount = from_minor(number, which)
            values = {"rate_policy": "fixed", "fixed_rate": Decimal("1.0875")} if more and which == "EUR" else {}
            self.pledges.append(
                made.pledge(
                    self.actor,
                    self.donor,
                    amount,
                    pledged_on=on,
                    plan=plan_of(amount, on),
                    programme_id=self.programmes[number % 3],
                    **values,
                )
            )
        elif what == "sign":
            amount = from_minor(number, which)
            self.sign(amount, on, more, donor_id=self.donor, office_id=made.office())
        elif what == "convert" and self.pledges:
            pledge = db.session.get_one(Pledge, self.one(self.pledges, which))
            self.sign(from_minor(min(number, pledge.outstanding_minor) or 1, pledge.currency), on, more, pledge_id=pledge.id)
        elif what == "lapse" and self.pledges:
            pledge = db.session.get_one(Pledge, self.one(self.pledges, which))
            pledges.change_pledge(self.actor, pledge.id, pledges.PledgeChange("lapse", on, "gone", from_minor(number, pledge.currency)))
        elif what == "receive-pledge" and self.pledges:
            pledge = db.session.get_one(Pledge, self.one(self.pledges, which))
            self.receipts.append(made.receipt(self.actor, from_minor(number, pledge.currency), on, pledge_id=pledge.id))
        elif what == "reverse" and self.receipts:
            receipts.reverse_receipt(self.actor, self.one(self.receipts, which), "as told")
        elif self.agreements:
            self.change(what, number, on, db.session.get_one(Agreement, self.one(self.agreements, which)), more)

    def sign(self, amount, on, shares, **values):
        lines = lines_of(amount, shares, self.programmes)
        self.agreements.append(made.agreement(self.actor, amount, signed_on=on, plan=plan_of(amount, on), budget_lines=lines, **values))

    def change(self, what, number, on, agreement, more):
        if what == "amend":
            change = from_minor(abs(number), agreement.currency)
            agreements.amend_agreement(self.actor, agreement.id, agreements.Amendment(change if number > 0 else -change, on, "as told"))
        elif what == "receive":
            bank = {} if more is None or agreement.currency == "USD" else {"bank_reporting": from_minor(more, "USD")}
            self.receipts.append(made.receipt(self.actor, from_minor(number, agreement.currency), on, agreement_id=agreement.id, **bank))
        elif what == "allocate":
            shares = [allocations.Share(key, Decimal(weight)) for key, weight in zip(self.programmes, (3, 2, 1), strict=True)]
            allocations.split_by_shares(self.actor, allocations.MoneySource(agreement.id), shares, on)


def shown(figure):
    """What a page can show of a figure."""
    return {
        "own": figure.own,
        "reporting": figure.reporting,
        "rates": figure.rates,
        "left out": sorted(gap.sentence for gap in figure.left_out),
        "is something": bool(figure),
    }


def same(mine, theirs, *names):
    for name in names:
        assert shown(getattr(mine, name)) == shown(getattr(theirs, name)), name


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(step, min_size=4, max_size=18))
def test_the_databases_sums_are_the_ledgers(acting, steps):
    actor = acting("grants")
    if not db.session.query(Pledge).first() and not db.session.query(Agreement).first():
        made.ecb(actor, date(2022, 12, 1))
    world = World(actor)
    for number, programme in enumerate(world.programmes):
        for year in (2023, 2024):
            programmes.set_requirement(actor, programme, year, from_minor(700_00 + number, CURRENCIES[number]))
    for one in steps:
        try:
            world.play(*one)
        except (Invalid, Conflict):
            continue
    for day in AS_OF:
        compare(world, day)


def compare(world, day):
    for to in ("USD", "EUR"):
        whole, totals = money.party_money(world.donor, day, currency=to), party_totals(world.donor, day, currency=to)
        same(totals, whole, "pledged", "secured", "paid")
        whole = money.office_money([made.office()], day, currency=to)
        same(office_totals([made.office()], day, currency=to), whole, "pledged", "secured", "paid")
        secured = office_secured([made.office()], day, currency=to)
        same(secured, whole, "secured", "paid")
        for month in money.receipts_by_month(office_ids=[made.office()], as_of=day, months=30, currency=to) if day == LAST else ():
            assert round(secured.by_month.get(month.first_on, Decimal(0)), 9) == round(month.paid.exact.amount, 9), month.first_on
    full = programmes_money(world.programmes, day)
    for year in (2022, 2023, 2024, 2025):
        brief = programmes_year(world.programmes, year, day)
        for key, figures in full.items():
            of_year = next((item for item in figures.years if item.year == year), None)
            if of_year is None:
                assert not brief[key].required.sources
                assert not brief[key].secured
                continue
            same(brief[key], of_year, "required", "secured")
            assert (brief[key].gap, brief[key].over) == (of_year.gap, of_year.over)


def test_no_total_leaves_its_office_and_nobody_bound_sees_none(acting):
    actor = acting("grants")
    made.agreement(actor, made.usd(100), donor_id=made.donor(actor), office_id=made.office())
    programme = made.programme(actor)
    acting("other")
    assert not office_totals(None, LAST).secured
    assert programmes_year([programme], 2023, LAST) == {}
    acting("hq")
    assert office_totals(None, LAST).secured.reporting == made.usd(100)
    assert set(programmes_year([programme], 2023, LAST)) == {programme}

"""Whatever is recorded in whatever order: plans add up, nothing goes below zero, what is kept equals what the rows say,
and as of today equals what is kept (M3, M7, M12, M19)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.db import db
from crm.errors import Invalid
from crm.models.pledges import Agreement, Pledge
from crm.money import from_minor, to_minor
from crm.queries.figures import money, programmable, stored
from crm.services import agreements, allocations, pledges, receipts
from crm.services.money_rules import PlanItem, changed_plan, take_first
from tests.factories import money as made

FIRST, LAST = date(2023, 1, 2), date(2024, 6, 28)
few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
days = st.dates(FIRST, LAST)
cents = st.integers(1, 2_000_00)
plans = st.lists(st.integers(1, 10**9), max_size=8).map(lambda amounts: [PlanItem(amount, None, "x") for amount in amounts])


@given(plans, st.integers(0, 10**10))
def test_parting_a_plan_loses_nothing_and_keeps_the_order(plan, amount):
    taken, left = take_first(plan, amount)
    whole = sum(item.minor for item in plan)
    assert sum(item.minor for item in taken) == min(amount, whole)
    assert sum(item.minor for item in (*taken, *left)) == whole
    assert all(item.minor > 0 for item in (*taken, *left))


@given(plans, st.integers(-(10**9), 10**9), st.booleans())
def test_a_changed_plan_adds_up(plan, change, oldest_first):
    whole = sum(item.minor for item in plan)
    change = max(change, -whole)
    assert sum(item.minor for item in changed_plan(plan, change, is_oldest_first=oldest_first)) == whole + change


step = st.one_of(
    st.tuples(st.sampled_from(pledges.CHANGES), cents, days),
    st.tuples(st.just("sign"), cents, days),
    st.tuples(st.just("amend"), st.integers(-500_00, 500_00).filter(bool), days),
    st.tuples(st.just("reschedule"), cents, days),
    st.tuples(st.just("receive"), cents, days),
    st.tuples(st.just("receive-pledge"), cents, days),
    st.tuples(st.just("reverse"), st.integers(0, 20), days),
    st.tuples(st.just("allocate"), cents, days),
    st.tuples(st.just("plan"), cents, days),
)


def play(actor, pledge_id, programme, steps):
    """Do each step; what the rules refuse leaves everything as it was."""
    signed, came = [], []
    for what, number, on in steps:
        amount = from_minor(abs(number), "EUR")
        try:
            if what in pledges.CHANGES:
                pledges.change_pledge(actor, pledge_id, pledges.PledgeChange(what, on, "as told", amount))
            elif what == "sign":
                signed.append(made.agreement(actor, amount, pledge_id=pledge_id, signed_on=on))
            elif what == "receive-pledge":
                came.append(made.receipt(actor, amount, on, pledge_id=pledge_id))
            elif what == "reverse" and came:
                receipts.reverse_receipt(actor, came[number % len(came)], "as told")
            elif signed:
                agreement_id = signed[abs(number) % len(signed)]
                if what == "receive":
                    came.append(made.receipt(actor, amount, on, agreement_id=agreement_id))
                elif what == "amend":
                    change = amount if number > 0 else -amount
                    agreements.amend_agreement(actor, agreement_id, agreements.Amendment(change, on, "as told"))
                elif what == "reschedule":
                    whole = db.session.get_one(Agreement, agreement_id).value_minor
                    first = min(number, whole)
                    parts = [part for part in (first, whole - first) if part]
                    plan = [made.line(from_minor(part, "EUR"), on + timedelta(days=30 * place)) for place, part in enumerate(parts)]
                    agreements.reschedule_agreement(actor, agreement_id, plan, "as told", on=on)
                elif what in ("allocate", "plan"):
                    source = allocations.MoneySource(agreement_id)
                    shares = [allocations.Share(programme, Decimal(share)) for share in (3, 2, 1)]
                    allocations.split_by_shares(actor, source, shares, LAST, is_planned=what == "plan")
        except Invalid:
            continue


@few
@given(st.lists(step, max_size=14))
def test_after_anything_what_is_kept_is_what_the_rows_say(acting, steps):
    actor = acting("grants")
    if not db.session.query(Pledge).first():
        made.ecb(actor, date(2022, 12, 1))
    donor, programme = made.donor(actor), made.programme(actor)
    pledge_id = made.pledge(actor, donor, from_minor(3_000_00, "EUR"), pledged_on=FIRST)
    play(actor, pledge_id, programme, steps)
    for check in (stored.wrong_pledges, stored.wrong_agreements, stored.wrong_matches, stored.wrong_allocations):
        assert list(check()) == []
    today = money.pledge_figures(pledge_id, LAST)
    pledge = db.session.get_one(Pledge, pledge_id)
    assert to_minor(today.outstanding.money if today.outstanding else from_minor(0, "EUR")) == pledge.outstanding_minor
    parts = [
        to_minor(figure.money) if figure else 0
        for figure in (today.announced, today.uplifts, today.reductions, today.converted, today.lapsed)
    ]
    assert parts[0] + parts[1] - parts[2] - parts[3] - parts[4] == pledge.outstanding_minor
    assert pledge.next_due_on == min((row.due_on for row in today.instalments if row.due_on), default=None)
    for agreement in db.session.query(Agreement).filter(Agreement.pledge_id == pledge_id):
        figures = money.agreement_figures(agreement.id, LAST)
        assert figures.secured.money == agreement.value
        assert to_minor(figures.receivable.money if figures.receivable else from_minor(0, "EUR")) == to_minor(agreement.receivable)
        still = sum(to_minor(row.open_amount) for row in figures.instalments)
        assert still == to_minor(agreement.receivable)
        tied = figures.secured.exact + figures.realised_fx.exact + figures.unrealised_fx.exact
        if not figures.credit:
            assert (figures.paid.exact + figures.receivable.exact - tied).rounded() == made.usd(0)
        left = programmable.of_agreement(agreement.id)
        assert left.allocated_minor <= left.available_minor
        assert left.allocated_minor + left.planned_minor <= left.plannable_minor
    earlier = FIRST
    while earlier <= LAST:  # no day before is ever below zero, and its plan is what was outstanding
        then = money.pledge_figures(pledge_id, earlier)
        planned = sum(to_minor(row.amount) for row in then.instalments)
        assert planned == (to_minor(then.outstanding.money) if then.outstanding else 0)
        for row in then.chain.instalments:
            assert 0 <= to_minor(row.open_amount) <= to_minor(row.amount)
        earlier += timedelta(days=90)

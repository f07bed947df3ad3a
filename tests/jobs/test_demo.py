"""The demonstration's own data."""

from __future__ import annotations

from datetime import date, timedelta

from crm.exchange.rates import ecb_history
from crm.jobs import demo
from crm.policy import all_offices, bind_actor, system_actor, unscoped
from crm.queries.rates import MOST_DAYS_BACK, RateBook
from crm.services import rates


def test_amounts_of_the_demonstration_have_a_rate_on_whatever_day_it_is_tried_and_say_that_it_is_made_up(context):
    with unscoped("test"):
        system = system_actor(all_offices())
    bind_actor(system)
    rates.apply_sheets(system, ecb_history())
    newest = max(sheet.on for sheet in ecb_history())
    tried = newest + timedelta(days=200)
    made_up = demo._carried_on(tried)
    assert min(sheet.on for sheet in made_up) == newest + timedelta(days=MOST_DAYS_BACK)
    rates.apply_sheets(system, made_up)
    days = [newest + timedelta(days=count) for count in range(0, 200, 13)]
    book = RateBook("USD", [("EUR", day) for day in days])
    found = [book.rate("EUR", day) for day in days]
    assert {rate.source for rate, day in zip(found, days, strict=True) if day > newest + timedelta(days=MOST_DAYS_BACK)} == {
        demo.MADE_UP_RATES
    }
    assert found[0].source == "ECB", "a real rate comes first where there is one"
    assert {rate.value for rate in found} == {found[0].value}
    assert date(2026, 10, 30) <= newest

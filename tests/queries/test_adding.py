"""Whole cents added up as whole numbers come to the same figure as amounts added one by one (M1, M6)."""

from __future__ import annotations

import uuid
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from crm.money import from_minor
from crm.queries.figures.adding import Adder, Reference

MOST = 10**17
parts = st.lists(
    st.tuples(st.integers(-MOST, MOST), st.sampled_from(["EUR", "JPY", "KWD", "USD"]), st.none() | st.integers(-MOST, MOST)), max_size=20
)


@given(parts, st.sampled_from(["USD", "JPY", "KWD"]))
def test_whole_cents_and_amounts_come_to_the_same(listed, reporting):
    one_by_one, whole = Adder(reporting), Adder(reporting)
    for place, (minor, currency, value) in enumerate(listed):
        source = Reference(uuid.UUID(int=place // 2), f"JOR-PL-2026-{place:04}", "pledge", date(2026, 1, 1))
        exact = None if value is None else from_minor(value, reporting).amount
        one_by_one.add(from_minor(minor, currency), source, exact, None, "no rate")
        whole.add_minor(minor, currency, source, value, "no rate")
    assert whole.figure() == one_by_one.figure()


def test_both_ways_of_adding_meet_in_one_figure():
    source = Reference(uuid.UUID(int=1), "JOR-AG-2026-0001", "agreement", date(2026, 1, 1))
    adder = Adder("USD")
    adder.add(from_minor(1_05, "EUR"), source, from_minor(1_10, "USD").amount)
    adder.add_minor(2_95, "EUR", source, 3_10)
    figure = adder.figure()
    assert (figure.own, figure.reporting) == ((from_minor(4_00, "EUR"),), from_minor(4_20, "USD"))
    assert figure.sources == (source,)

"""How figures and days read, in the six languages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from crm import formatting as f
from crm.errors import Invalid
from crm.money import Money

D = Decimal


def test_money_carries_its_code_and_its_currencys_decimals() -> None:
    assert f.money(Money(D(10_000_000), "EUR")) == "EUR 10,000,000.00"
    assert f.money(Money(D(1_234_567), "JPY")) == "JPY 1,234,567"
    assert f.money(Money(D("1.5"), "KWD")) == "KWD 1.500"
    assert f.money(Money(D("-1234.5"), "EUR")) == "EUR -1,234.50"
    assert f.money(Money(D("1234567.89"), "EUR"), decimals=0) == "EUR 1,234,568"
    assert f.money(Money(D("9999999999999999.99"), "EUR")) == "EUR 9,999,999,999,999,999.99"


def test_m6_rounding_at_presentation_is_half_up() -> None:
    assert f.money(Money(D("2.345"), "EUR")) == "EUR 2.35"
    assert f.money(Money(D("2.335"), "EUR")) == "EUR 2.34"
    assert f.number(D("0.5"), decimals=0) == "1"
    assert f.percent(D("0.125")) == "13%"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("10000000", "EUR 10.0\N{NO-BREAK SPACE}m"),
        ("1250000000", "EUR 1.3\N{NO-BREAK SPACE}bn"),
        ("12450", "EUR 12.5\N{NO-BREAK SPACE}k"),
        ("999", "EUR 999"),
        ("999950", "EUR 1.0\N{NO-BREAK SPACE}m"),
        ("999949.99", "EUR 999.9\N{NO-BREAK SPACE}k"),
        ("-10000000", "EUR -10.0\N{NO-BREAK SPACE}m"),
        ("-999950", "EUR -1.0\N{NO-BREAK SPACE}m"),
        ("0", "EUR 0"),
    ],
)
def test_compact_money_rounds_to_one_decimal_of_its_unit(amount: str, text: str) -> None:
    assert f.money(Money(D(amount), "EUR"), compact=True) == text


def test_each_language_groups_and_points_its_own_way() -> None:
    amount = Money(D("1234567.5"), "EUR")
    assert f.money(amount, "fr") == "EUR 1\u202f234\u202f567,50"
    assert f.money(amount, "es") == "EUR 1.234.567,50"
    assert f.money(amount, "ru") == "EUR 1\u00a0234\u00a0567,50"
    assert f.money(amount, "zh") == "EUR 1,234,567.50"
    assert f.money(amount, "ar") == "EUR 1,234,567.50"
    assert f.money(amount, "fr", compact=True) == "EUR 1,2\u00a0M"
    assert f.money(amount, "de-CH") == "EUR 1’234’567.50"
    assert f.money(amount, "nonsense") == "EUR 1,234,567.50"


def test_percent_and_number() -> None:
    assert f.percent(D("0.07407"), decimals=1) == "7.4%"
    assert f.percent(D("0.4"), "fr") == "40\u00a0%"
    assert f.number(1234567) == "1,234,567"
    assert f.number(D("0.9906")) == "0.9906"
    assert f.number(D("-0.5"), decimals=1) == "-0.5"


def test_days_and_moments() -> None:
    assert f.day(date(2026, 1, 5)) == "5 Jan 2026"
    assert f.long_day(date(2026, 1, 5)) == "5 January 2026"
    assert f.month(date(2026, 1, 5)) == "January 2026"
    assert f.day(date(2026, 1, 5), "fr") == "5 janv. 2026"
    assert f.day(date(2026, 1, 5), "zh") == "2026年1月5日"
    at = datetime(2026, 1, 5, 22, 30, tzinfo=UTC)
    assert f.moment(at, "Africa/Nairobi") == "6 Jan 2026, 01:30 EAT"
    assert f.moment(at, timezone(timedelta(hours=-5), "EST")) == "5 Jan 2026, 17:30 EST"
    with pytest.raises(Invalid, match="not a time zone"):
        f.moment(at, "Mars/Base")


def test_a_due_day_says_how_far_off_or_how_late() -> None:
    today = date(2026, 3, 1)
    assert f.due_day(date(2026, 3, 4), today) == "in 3 days"
    assert f.due_day(date(2026, 3, 1), today) == "today"
    assert f.due_day(date(2026, 3, 2), today) == "tomorrow"
    assert f.due_day(date(2026, 3, 2), today, "fr") == "demain"
    assert f.relative_day(date(2026, 2, 28), today) == "yesterday"
    assert f.due_day(date(2026, 2, 17), today) == "12 days late"
    assert f.due_day(date(2026, 2, 28), today) == "1 day late"
    assert f.due_day(date(2023, 6, 1), today) == "1,004 days late"
    assert f.relative_day(today + timedelta(days=1234), today, "fr") == "dans 1\u202f234 jours"
    assert f.relative_day(date(2026, 2, 17), today) == "12 days ago"
    assert f.relative_day(date(2027, 3, 1), today) == "in 365 days"
    assert f.due_day(date(2026, 2, 17), today, "fr") == "12\u00a0jours de retard"
    assert f.due_day(date(2026, 2, 17), today, "zh") == "逾期12天"
    assert "12" in f.due_day(date(2026, 2, 17), today, "ar")


def test_file_sizes() -> None:
    assert f.file_size(0) == "0 bytes"
    assert f.file_size(999) == "999 bytes"
    assert f.file_size(1_500_000) == "1.5 MB"
    assert f.file_size(999_999) == "1.0 MB"
    assert f.file_size(50_000_000) == "50.0 MB"
    assert f.file_size(7_000_000_000_000) == "7,000.0 GB"


def test_what_was_written_before_is_not_taken_for_another() -> None:
    """Equal values that are written otherwise: zeros at the end, nothing from below, the same moment elsewhere."""
    assert [f.number(D(text)) for text in ("1.5", "1.50", "1E+3", "1000")] == ["1.5", "1.5", "1,000", "1,000"]
    assert [f.number(D(text), decimals=2) for text in ("0", "-0", "0.00", "-0.001")] == ["0.00", "-0.00", "0.00", "-0.00"]
    assert [f.number(D("1234.5"), language) for language in ("en", "fr", "en")] == ["1,234.5", "1\u202f234,5", "1,234.5"]
    late, early = datetime(2026, 1, 5, 23, tzinfo=UTC), datetime(2026, 1, 6, 1, tzinfo=timezone(timedelta(hours=2)))
    assert late == early
    assert [f.patterned_day(one, "d MMM") for one in (late, early, date(2026, 1, 6))] == ["5 Jan", "6 Jan", "6 Jan"]

"""One clock, and month steps that remember the day meant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import clock
from crm.errors import Invalid, ProgrammingError


def test_now_is_aware_and_in_utc() -> None:
    assert clock.now().utcoffset() == timedelta(0)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_today_is_the_offices_day() -> None:
    with clock.frozen(datetime(2026, 12, 31, 22, 30, tzinfo=UTC)):
        assert clock.today() == date(2026, 12, 31)
        assert clock.today("Africa/Nairobi") == date(2027, 1, 1)
        assert clock.today(clock.zone("America/New_York")) == date(2026, 12, 31)


def test_as_of_a_day_includes_that_day_and_ends_with_the_block() -> None:
    with clock.frozen(date(2026, 6, 30)):
        assert clock.today() == date(2026, 6, 30)
        with clock.frozen(date(2025, 1, 1)):
            assert clock.today() == date(2025, 1, 1)
        assert clock.now() > datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_another_thread_keeps_its_own_time() -> None:
    seen: list[date] = []
    with clock.frozen(date(2020, 1, 1)):
        thread = Thread(target=lambda: seen.append(clock.today()))
        thread.start()
        thread.join()
    assert seen[0].year > 2020


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ProgrammingError), clock.frozen(datetime(2026, 1, 1)):  # noqa: DTZ001
        pass


def test_months_clamp_and_return_to_the_anchor_day() -> None:
    assert clock.month_steps(date(2026, 1, 31), 4) == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]
    assert clock.month_steps(date(2028, 1, 31), 2)[1] == date(2028, 2, 29)
    assert clock.month_steps(date(2026, 11, 30), 3, every=3) == [date(2026, 11, 30), date(2027, 2, 28), date(2027, 5, 30)]
    assert clock.month_steps(date(2026, 1, 1), 0) == []
    assert clock.add_months(date(2026, 2, 28), 1, anchor_day=31) == date(2026, 3, 31)
    assert clock.add_months(date(2026, 3, 31), -1) == date(2026, 2, 28)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(-600, 600))
def test_a_step_of_months_lands_in_the_right_month(start: date, months: int) -> None:
    landed = clock.add_months(start, months)
    assert (landed.year * 12 + landed.month) - (start.year * 12 + start.month) == months
    assert landed.day <= start.day
    assert clock.add_months(landed, -months, anchor_day=start.day) == start


def test_nonsense_steps_are_refused() -> None:
    for refused in (
        lambda: clock.add_months(date(2026, 1, 1), 1, anchor_day=32),
        lambda: clock.add_months(date(9999, 12, 1), 1),
        lambda: clock.month_steps(date(2026, 1, 1), -1),
        lambda: clock.month_steps(date(2026, 1, 1), 2, every=0),
        lambda: clock.zone("../etc/passwd"),
        lambda: clock.zone(""),
    ):
        with pytest.raises(Invalid):
            refused()

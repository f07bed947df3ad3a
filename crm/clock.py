"""The one clock: what time it is, what day it is in an office, and month steps. Tests and "as of" views set it with `frozen`."""

from __future__ import annotations

import calendar
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm.errors import Invalid, ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Iterator

_frozen_at: ContextVar[datetime | None] = ContextVar("throughline_clock", default=None)


def zone(name: str) -> ZoneInfo:
    """Return the IANA time zone of that name; raises `Invalid` for a name that is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"“{name}” is not a time zone. Use a name such as Africa/Nairobi."
        raise Invalid(message) from error


def now() -> datetime:
    """Return the moment, aware, in UTC: the real one, or the one `frozen` has set."""
    return _frozen_at.get() or datetime.now(UTC)


def today(tz: tzinfo | str = UTC) -> date:
    """Return the day it is now in a time zone (an office's, by name or object; UTC by default)."""
    return now().astimezone(zone(tz) if isinstance(tz, str) else tz).date()


@contextmanager
def frozen(at: datetime | date) -> Iterator[datetime]:
    """Hold the clock at a moment for this context (this request or task; other threads keep theirs).

    A date means its last microsecond in UTC, so that "as of 31 December" includes that day. A naive datetime is refused.
    """
    if isinstance(at, datetime):
        if at.tzinfo is None:
            message = "the clock takes aware datetimes only"
            raise ProgrammingError(message)
        moment = at.astimezone(UTC)
    else:
        moment = datetime.combine(at, time.max, tzinfo=UTC)
    token = _frozen_at.set(moment)
    try:
        yield moment
    finally:
        _frozen_at.reset(token)


def add_months(start: date, months: int, *, anchor_day: int | None = None) -> date:
    """Step whole months from a date, clamped to the month's last day.

    `anchor_day` (1-31, default the start's own day) is the day meant: 31 January + 1 is 28 February, and
    28 February + 1 with anchor 31 is 31 March. Raises `Invalid` past the years 1 to 9999.
    """
    day = start.day if anchor_day is None else anchor_day
    if not 1 <= day <= 31:  # noqa: PLR2004 - days of a month
        message = "The day of the month must be 1 to 31."
        raise Invalid(message)
    year, month0 = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        message = "That date is out of range."
        raise Invalid(message)
    return date(year, month0 + 1, min(day, calendar.monthrange(year, month0 + 1)[1]))


def month_steps(first: date, count: int, *, every: int = 1) -> list[date]:
    """Return `count` dates, `every` months apart, all measured from the first one's day: 31 Jan, 28 Feb, 31 Mar."""
    if count < 0 or every < 1:
        message = "Instalments need a count of 0 or more and a step of at least 1 month."
        raise Invalid(message)
    return [add_months(first, step * every) for step in range(count)]

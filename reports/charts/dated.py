"""Events along an axis of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from reports.charts.shapes import Chart, Event, Timeline
from reports.charts.sheet import Sheet, describe, draw_empty, new_sheet
from reports.charts.words import BOLD, MISSING, SMALL, day_words, fit, text_width


def timeline(data: Timeline, *, prefix: str, lang: str = "en", width: float = 640) -> Chart:
    """Events on an axis of time; each label, in as many lines as it takes, hangs in the lowest free lane above its mark."""
    sheet = new_sheet(prefix, lang, width)
    events = sorted(data.events, key=lambda event: (event.day, event.label))
    words = dict(data.kind_words)
    rows = tuple((day_words(event.day, lang), event.label, words.get(event.kind, "")) for event in events)
    if not events:
        draw_empty(sheet, data.empty)
        bottom = 80.0
    else:
        top = (
            sheet.key([(kind, word) for kind, word in data.kind_words if any(event.kind == kind for event in events)], 0, marks=True)
            if words
            else 0.0
        )
        bottom = _draw_timeline(sheet, data, events, top, lang)
    description = describe(data.subtitle, (f"{row[0]}: {row[1]}" + (f" ({row[2]})" if row[2] else "") for row in rows))
    return Chart(
        sheet.svg(bottom, data.title, description), data.title, data.subtitle, data.heads, rows, data.source, description, numeric=False
    )


def _draw_timeline(sheet: Sheet, data: Timeline, events: Sequence[Event], top: float, lang: str) -> float:
    days = [event.day for event in events] + ([data.today] if data.today else [])
    first, last = min(days).toordinal(), max(days).toordinal()
    span = max(1, last - first)
    pad = 10.0

    def position(day: date) -> float:
        return pad + (sheet.width - 2 * pad) * (day.toordinal() - first) / span

    limit = min(190.0 if len(events) <= 12 else 140.0, sheet.width * 0.4)  # noqa: PLR2004 - narrower labels where they crowd
    flags = [_flag(event, position(event.day), limit, sheet.width, lang) for event in events]
    lanes = _lanes(flags, crossing=False)
    crossing = max(lanes) > _MOST_LANES  # a tall staircase, or no way at all: leaders then pass behind labels
    if crossing:
        lanes = _lanes(flags, crossing=True)
    heights = [
        max((12 * len(flag[3]) for flag, held in zip(flags, lanes, strict=True) if held == lane), default=12) + 15
        for lane in range(max(lanes) + 1)
    ]
    floors = [sum(heights[:lane]) for lane in range(len(heights))]
    axis = top + sum(heights) + 14
    for (x, *_), lane in zip(flags, lanes, strict=True):
        sheet.line([(x, axis), (x, axis - 10 - floors[lane])], "hairline")
    for (x, start, end, lines, day), lane in zip(flags, lanes, strict=True):
        y = axis - 14 - floors[lane]
        if crossing:
            sheet.rect(start, y - 12 * len(lines) - 10, end - start - 4, 12 * len(lines) + 14, "paper")
        anchor, at = ("start", start + 2) if start >= x else ("end", end - 2)
        for row, words in enumerate(reversed(lines)):
            sheet.text(at, y - 12 * (row + 1), words, anchor=anchor, bold=True)
        sheet.text(at, y, day, anchor=anchor, kind="quiet")
    sheet.line([(0, axis), (sheet.width, axis)], "quiet", 1.2)
    for event, (x, *_) in zip(events, flags, strict=True):
        sheet.mark(x, axis, event.kind)
    bottom = axis + 10
    if data.today:
        x = position(data.today)
        sheet.line([(x, axis - 8), (x, axis + 12)], "accent", 1.6)
        half = text_width(data.today_label, SMALL) / 2
        sheet.text(min(max(x, half), sheet.width - half), axis + 23, data.today_label, anchor="middle", kind="accent")
        bottom = axis + 30
    return bottom


_MOST_LANES: Final = 6
_MOST_LINES: Final = 5
_Flag = tuple[float, float, float, list[str], str]
"""Where an event is, where its label starts and ends, the lines of the label, the day."""


def _flag(event: Event, x: float, limit: float, width: float, lang: str) -> _Flag:
    """The label of one event, to the right of its mark or, where there is no room, to its left."""
    lines = fit(event.label, limit / BOLD, SMALL, _MOST_LINES) or [MISSING]
    day = day_words(event.day, lang)
    wide = max(*(text_width(line, SMALL, bold=True) for line in lines), text_width(day, SMALL)) + 10
    start = x if x + wide <= width else max(0.0, min(x - wide, width - wide))
    return x, start, start + wide, lines, day


def _lanes(flags: Sequence[_Flag], *, crossing: bool) -> list[int]:
    """A lane for each label: none overlaps another and, unless `crossing`, none stands in the way of a leader."""
    left = [index for index, flag in enumerate(flags) if flag[1] < flag[0]]
    right = [index for index in range(len(flags) - 1, -1, -1) if flags[index][1] >= flags[index][0]]
    lanes: dict[int, int] = {}
    for index in [*left, *right]:
        x, start, end, *_ = flags[index]
        lane = 0
        while (crossing or lane <= _MOST_LANES) and any(
            (other == lane and start < flags[one][2] and flags[one][1] < end)
            or (not crossing and other > lane and start - 3 < flags[one][0] < end)
            or (not crossing and other < lane and flags[one][1] - 3 < x < flags[one][2])
            for one, other in lanes.items()
        ):
            lane += 1
        lanes[index] = lane
    return [lanes[index] for index in range(len(flags))]

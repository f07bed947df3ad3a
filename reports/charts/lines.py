"""Lines over periods with baseline and target, and the trend the size of a word."""

from __future__ import annotations

import math

from reports.charts.shapes import Chart, Line, Sparkline
from reports.charts.sheet import Sheet, describe, draw_empty, new_sheet
from reports.charts.standing import columns_within
from reports.charts.words import BOLD, MISSING, RIGHT_TO_LEFT, SMALL, cell, fit, locale_of, short, text_width, to_float


def line(data: Line, *, prefix: str, lang: str = "en", width: float = 640) -> Chart:
    """Lines over periods with direct labels, a break where nothing was measured, baseline and target as dashed lines."""
    sheet = new_sheet(prefix, lang, width)
    table = [[to_float(value) for value in series.values] for series in data.series]
    if any(len(values) != len(data.xs) for values in table):
        message = "every series has one value (or None) per period"
        raise ValueError(message)
    rules = [(to_float(data.baseline), data.baseline_label), (to_float(data.target), data.target_label)]
    known = [value for values in table for value in values if value is not None] + [value for value, _ in rules if value is not None]
    if known and data.xs:
        bottom = _draw_lines(sheet, data, table, rules, known, lang)
    else:
        draw_empty(sheet, data.missing)
        bottom = 80.0
    headers = (data.x_head, *(series.label for series in data.series))
    rows = tuple((x, *(cell(values[index], lang, data.suffix) for values in table)) for index, x in enumerate(data.xs))
    said = []
    for series, values in zip(data.series, table, strict=True):
        points = [(x, value) for x, value in zip(data.xs, values, strict=True) if value is not None]
        if points:
            said.append(
                f"{series.label}: {cell(points[0][1], lang, data.suffix)} ({points[0][0]}) - {cell(points[-1][1], lang, data.suffix)} ({points[-1][0]})"
            )
    said += [f"{label}: {cell(value, lang, data.suffix)}" for value, label in rules if value is not None]
    description = describe(data.subtitle, said)
    return Chart(sheet.svg(bottom, data.title, description), data.title, data.subtitle, headers, rows, data.source, description)


def _draw_lines(
    sheet: Sheet, data: Line, table: list[list[float | None]], rules: list[tuple[float | None, str]], known: list[float], lang: str
) -> float:
    low, high = (min(0.0, *known) if data.zero else min(known)), max(known)
    ends = [
        (series.label, next((value for value in reversed(values) if value is not None), None))
        for series, values in zip(data.series, table, strict=True)
    ]
    tags: list[tuple[float, str, str]] = []
    wanted = [f"{label} {short(value, lang)}{data.suffix}" for label, value in ends if value is not None]
    wanted += [f"{label} {short(value, lang)}{data.suffix}" for value, label in rules if value is not None]
    margin = min(sheet.width * 0.3, max((text_width(word, SMALL, bold=True) for word in wanted), default=0.0) + 10)
    right = sheet.width - margin
    frame = columns_within(sheet, lang, data.xs, 12.0, (low, high), right, data.suffix)
    for value, label in rules:
        if value is not None:
            sheet.line([(frame.left, frame.y(value)), (right, frame.y(value))], "quiet", 1.2, ' stroke-dasharray="5 3"')
            tags.append((frame.y(value), f"{label} {short(value, lang)}{data.suffix}", "quiet"))
    dashes = ("", ' stroke-dasharray="7 3"', ' stroke-dasharray="2 3"', ' stroke-dasharray="9 3 2 3"', "", "")
    for number, (series, values) in enumerate(zip(data.series, table, strict=True)):
        run: list[tuple[float, float]] = []
        last = max((index for index, value in enumerate(values) if value is not None), default=-1)
        spoken = -99.0
        for index, value in enumerate(values):
            if value is None:
                draw_run(sheet, run, series.kind, dashes[number % 6])
                run = []
                if len(data.series) == 1:
                    words = data.missing if text_width(data.missing, SMALL) < frame.slot else MISSING
                    sheet.text(frame.centre(index), frame.top + frame.height - 5, words, anchor="middle", kind="quiet")
                continue
            x, y = frame.centre(index), frame.y(value)
            run.append((x, y))
            sheet.mark(x, y, series.kind, number)
            text = f"{short(value, lang)}{data.suffix}"
            half = text_width(text, SMALL) / 2
            ruled = any(other is not None and abs(frame.y(other) - (y - 12)) < 8 for other, _ in rules)  # noqa: PLR2004 - a line of text
            if len(data.series) == 1 and index != last and x - half > spoken + 4 and x + half < frame.centre(last) - half:
                sheet.text(x, y + 17 if ruled and y + 20 < frame.top + frame.height else y - 8, text, anchor="middle", kind="quiet")
                spoken = x + half
        draw_run(sheet, run, series.kind, dashes[number % 6])
        if last >= 0 and values[last] is not None:
            final = values[last] or 0.0
            tags.append((frame.y(final), f"{series.label} {short(final, lang)}{data.suffix}", series.kind))
    height = frame.top + frame.height
    lowest = _place_tags(sheet, tags, right + 8, margin - 8, height)
    return max(height + 30, lowest + 8)


def draw_run(sheet: Sheet, run: list[tuple[float, float]], kind: str, dash: str) -> None:
    if len(run) > 1:
        sheet.line(run, kind, 2.0, dash)


def _place_tags(sheet: Sheet, tags: list[tuple[float, str, str]], x: float, width: float, height: float) -> float:
    """Direct labels at the right edge, pushed apart by a line; gives the lowest y."""
    tags.sort()
    step, floor = 13.0, -math.inf
    places: list[float] = []
    for y, _, _ in tags:
        floor = max(y, floor + step)
        places.append(floor)
    over = (places[-1] - height) if places else 0.0
    if over > 0:
        ceiling = math.inf
        for index in range(len(places) - 1, -1, -1):
            ceiling = min(places[index], ceiling - step, height if index == len(places) - 1 else math.inf)
            places[index] = max(ceiling, 8.0 + index * step)
    for y, (_, text, kind) in zip(places, tags, strict=True):
        for words in fit(text, width / BOLD, SMALL):
            sheet.text(x, y + 3.6, words, kind="ink" if kind == "pledged" else kind, bold=kind != "quiet")
    return max(places, default=0.0)


def sparkline(data: Sparkline, *, prefix: str, lang: str = "en", width: float = 96, height: float = 24) -> Chart:
    """A trend the size of a word; the last value carries a dot, a missing value breaks the line."""
    sheet = Sheet(new_sheet(prefix, lang, 200).prefix, float(width), locale_of(lang).language in RIGHT_TO_LEFT)
    values = [to_float(value) for value in data.values]
    known = [value for value in values if value is not None]
    labels = data.labels or tuple(str(index + 1) for index in range(len(values)))
    if known:
        low, high = min(0.0, *known), max(0.0, *known)
        span = (high - low) or 1.0
        step = (width - 8) / max(1, len(values) - 1)
        run: list[tuple[float, float]] = []
        final: tuple[float, float] | None = None
        for index, value in enumerate(values):
            if value is None:
                draw_run(sheet, run, data.kind, "")
                run = []
                continue
            final = (4 + index * step, 4 + (height - 8) * (1 - (value - low) / span))
            run.append(final)
        draw_run(sheet, run, data.kind, "")
        if final:
            sheet.mark(*final, data.kind, 0)
    rows = tuple((label, cell(value, lang)) for label, value in zip(labels, values, strict=False))
    description = ", ".join(f"{label}: {cell}" for label, cell in rows) or MISSING
    return Chart(sheet.svg(height, data.title, description, " spark"), data.title, "", ("", ""), rows, "", description)

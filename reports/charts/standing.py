"""Standing columns: funding by year against the requirement, money due and received by month."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.shapes import Chart, FundingWords, FundingYear, Receipts, StackedBars
from reports.charts.sheet import Sheet, describe, draw_empty, new_sheet
from reports.charts.words import MISSING, SMALL, cell, fit, nice_ticks, say, short, text_width, to_float


@dataclass(slots=True)
class Columns:
    """The frame of standing columns: ticks, baseline, the slots and their labels."""

    sheet: Sheet
    left: float
    top: float
    height: float
    ticks: tuple[float, ...]
    slot: float

    def y(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return self.top + self.height * (1 - (value - low) / (high - low))

    def centre(self, index: int) -> float:
        return self.left + self.slot * (index + 0.5)

    def baseline(self, right: float | None = None) -> None:
        y = self.y(max(0.0, self.ticks[0]) if self.ticks[-1] >= 0 else self.ticks[-1])
        self.sheet.line([(self.left, y), (right or self.sheet.width, y)], "quiet")


def draw_columns(sheet: Sheet, lang: str, labels: Sequence[str], top: float, bounds: tuple[float, float], height: float = 170.0) -> Columns:
    """Draw ticks and labels of columns; labels wrap to two lines, or thin out where there are many."""
    ticks = nice_ticks(*bounds)
    words = [short(tick, lang) for tick in ticks]
    left = max(text_width(word, SMALL) for word in words) + 8
    frame = Columns(sheet, left, top, height, ticks, (sheet.width - left) / max(1, len(labels)))
    for tick, word in zip(ticks, words, strict=True):
        y = frame.y(tick)
        sheet.line([(left, y), (sheet.width, y)], "hairline")
        sheet.text(left - 6, y + 3.5, word, anchor="end", kind="quiet")
    step = 1
    if frame.slot < 34:  # noqa: PLR2004 - room for a year
        step = math.ceil(34 / frame.slot)
    for index, label in enumerate(labels):
        if index % step == 0:
            for row, line in enumerate(fit(label, frame.slot * step - 6, SMALL, 2)):
                sheet.text(frame.centre(index), top + height + 15 + row * 12, line, anchor="middle", kind="quiet")
    return frame


def columns_within(
    sheet: Sheet, lang: str, labels: Sequence[str], top: float, bounds: tuple[float, float], right: float, suffix: str
) -> Columns:
    """Columns that end before the right margin."""
    ticks = nice_ticks(*bounds)
    left = max(text_width(short(tick, lang) + suffix, SMALL) for tick in ticks) + 8
    frame = Columns(sheet, left, top, 170.0, ticks, (right - left) / max(1, len(labels)))
    for tick in ticks:
        sheet.line([(left, frame.y(tick)), (right, frame.y(tick))], "hairline")
        sheet.text(left - 6, frame.y(tick) + 3.5, short(tick, lang) + suffix, anchor="end", kind="quiet")
    step = max(1, math.ceil(34 / frame.slot))
    for index, label in enumerate(labels):
        if index % step == 0:
            for row, words in enumerate(fit(label, frame.slot * step - 6, SMALL, 2)):
                sheet.text(frame.centre(index), top + 185 + row * 12, words, anchor="middle", kind="quiet")
    frame.baseline(right)
    return frame


def stacked_bars(data: StackedBars, *, prefix: str, lang: str = "en", width: float = 640) -> Chart:
    """Funding by year: paid and secured from zero, the gap open up to the requirement, pledges beside, outside totals."""
    sheet, words = new_sheet(prefix, lang, width), data.words
    years = [_funding(year) for year in data.years]
    present = [kind for kind in ("paid", "secured", "domestic", "gap", "pledged") if any(year[kind] for year in years)]
    names = {"paid": words.paid, "secured": words.secured_unpaid, "domestic": words.domestic, "gap": words.gap, "pledged": words.pledged}
    top = sheet.key([(kind, names[kind]) for kind in present], 0) + 14 if present else 16.0
    highest = max((_highest(year) for year in years), default=0.0)
    if years:
        slot = (width - 50) / len(years)
        tops = [text for year in years for text in _tops(year, words, lang)]
        longest = max((text_width(text, SMALL, bold=True) for text in tops), default=0.0)
        turned = longest > slot * 0.95
        frame = draw_columns(sheet, lang, [year.label for year in data.years], top + (longest if turned else 0), (0.0, highest))
        aside = 0.0 if turned else _aside(years, words, lang, frame.slot)
        for index, year in enumerate(years):
            _funding_column(frame, index, year, lang, words, turned=turned, aside=aside)
        frame.baseline()
        bottom = frame.top + frame.height + 30
    else:
        draw_empty(sheet, words.missing)
        bottom = 80.0
    columns = ("paid", "secured", "domestic", "pledged", "requirement", "gap")
    heads = {**names, "requirement": words.requirement}
    shown = [column for column in columns if column in {"paid", "secured"} or any(year[column] is not None for year in years)]
    rows = tuple((year.label, *(cell(values[column], lang) for column in shown)) for year, values in zip(data.years, years, strict=True))
    headers = (words.period, *(heads[column] for column in shown))
    said = (
        f"{year.label}: " + ", ".join(f"{heads[column].lower()} {say(values[column], lang)}" for column in shown if values[column])
        for year, values in zip(data.years[:8], years, strict=False)
    )
    description = describe(data.subtitle, said)
    return Chart(sheet.svg(bottom, data.title, description), data.title, data.subtitle, headers, rows, data.source, description)


def _funding(year: FundingYear) -> dict[str, float | None]:
    """Floats of one year, with what is secured altogether and the gap."""
    paid, unpaid, domestic = to_float(year.paid), to_float(year.secured_unpaid), to_float(year.domestic)
    need, gap = to_float(year.requirement), to_float(year.gap)
    known = [value for value in (paid, unpaid) if value is not None]
    secured = sum(known) if known else None
    if gap is None and need is not None and secured is not None:
        gap = max(0.0, need - secured)
    return {
        "paid": paid,
        "secured": unpaid,
        "domestic": domestic,
        "pledged": to_float(year.pledged),
        "requirement": need,
        "gap": gap,
        "secured_all": secured,
    }


def _highest(year: dict[str, float | None]) -> float:
    stack = sum(max(0.0, year[kind] or 0.0) for kind in ("paid", "secured"))
    return max(
        stack + max(0.0, year["pledged"] or 0.0), stack + max(0.0, year["gap"] or 0.0), year["requirement"] or 0.0, year["domestic"] or 0.0
    )


def _is_over(year: dict[str, float | None]) -> bool:
    """Does the column reach beyond the line of the need?"""
    return year["requirement"] is not None and (year["secured_all"] or 0.0) > year["requirement"] > 0


def _tops(year: dict[str, float | None], words: FundingWords, lang: str) -> list[str]:
    """What stands over a column: the need where its line is the top, else what the column itself comes to."""
    need, secured = year["requirement"], year["secured_all"]
    if need and not _is_over(year):
        return [words.need_mark.format(value=short(need, lang))]
    return [] if secured is None else [short(secured, lang)]


def _aside(years: Sequence[dict[str, float | None]], words: FundingWords, lang: str, slot: float) -> float:
    """Room at the start of each column for the need beside its line, in two rows; 0 where no column needs it or none has it."""
    parts = [
        part
        for year in years
        if _is_over(year)
        for part in words.need_mark.format(value=short(year["requirement"] or 0.0, lang)).split(" ", 1)
    ]
    room = max((text_width(part, SMALL) + 6 for part in parts), default=0.0)
    return room if slot - room >= _NARROWEST else 0.0


_NARROWEST = 34.0


def _missing_column(frame: Columns, index: int, missing: str) -> None:
    """Say in words, or with a dash where there is no room, that nothing is known."""
    lines = fit(missing, frame.slot - 4, SMALL, 2)
    if not lines or (frame.slot < 34 and len(missing) > 2):  # noqa: PLR2004 - no room for the words
        lines = [MISSING]
    for row, words in enumerate(lines):
        frame.sheet.text(frame.centre(index), frame.y(0) - 6 - 12 * (len(lines) - 1 - row), words, anchor="middle", kind="quiet")


def _funding_column(
    frame: Columns, index: int, year: dict[str, float | None], lang: str, words: FundingWords, *, turned: bool, aside: float
) -> None:
    """One year: the column, pledges and domestic money as narrow columns beside it, the requirement across, named at its own line."""
    sheet, slot = frame.sheet, frame.slot
    beside = {kind for kind in ("pledged", "domestic") if (year[kind] or 0) > 0}
    narrow = min(20.0, slot * 0.16)
    main = min(64.0, slot * (0.6 - 0.12 * len(beside)), slot - aside - len(beside) * (narrow + 2) - 4)
    left = frame.centre(index) - (main + len(beside) * (narrow + 2)) / 2 + (narrow + 2 if "domestic" in beside else 0)
    left = max(left, frame.centre(index) - slot / 2 + aside + (narrow + 2 if "domestic" in beside else 0))
    middle = left + main / 2
    if year["secured_all"] is None:
        _missing_column(frame, index, words.missing)
    level = 0.0
    for kind in ("paid", "secured", "gap"):
        value = max(0.0, year[kind] or 0.0)
        if value <= 0:
            continue
        y, height = frame.y(level + value), frame.y(level) - frame.y(level + value)
        sheet.rect(left, y, main, height, kind)
        label = short(value, lang)
        if height >= 15 and text_width(label, SMALL) + 6 <= main:  # noqa: PLR2004 - a line of text
            if kind == "paid":
                sheet.text(middle, y + height / 2 + 3.6, label, anchor="middle", kind="paper")
            else:
                sheet.pill(middle, y + height / 2, label)
        level += value
    secured = max(0.0, year["secured_all"] or 0.0)
    for kind in sorted(beside):
        value = year[kind] or 0.0
        base, x = (secured, left + main + 2) if kind == "pledged" else (0.0, left - narrow - 2)
        y = frame.y(base + value)
        sheet.rect(x, y, narrow, frame.y(base) - y, kind)
        label = short(value, lang)
        if slot - main - narrow >= text_width(label, SMALL) * 1.6:
            sheet.text(x if kind == "pledged" else x + narrow, y - 4, label, anchor="start" if kind == "pledged" else "end", kind="quiet")
    need = year["requirement"]
    if need:
        _need_line(frame, need, left, main, words.need_mark.format(value=short(need, lang)), aside if _is_over(year) else 0.0)
    peak = max(level, need or 0.0, secured + (year["pledged"] or 0.0) if slot < 60 else 0.0)  # noqa: PLR2004 - labels then reach over the neighbour
    for label in _tops(year, words, lang):
        spare = max(0.0, slot / 2 - text_width(label, SMALL, bold=True) / 2)
        at = middle if turned else min(max(middle, frame.centre(index) - spare), frame.centre(index) + spare)
        sheet.text(at, frame.y(peak) - 5, label, anchor="start" if turned else "middle", bold=True, turn=turned)


def _need_line(frame: Columns, need: float, left: float, main: float, words: str, aside: float) -> None:
    """The line of the need; where the column reaches beyond it, it runs out to the side and is named there."""
    y = frame.y(need)
    frame.sheet.line([(left - aside, y), (left + main, y)], "ink", 1.8)
    if aside:
        first, _blank, second = words.partition(" ")
        frame.sheet.text(left - 3, y - 4, first, anchor="end", kind="quiet")
        frame.sheet.text(left - 3, y + 11, second, anchor="end", kind="quiet")


def receipts_by_month(data: Receipts, *, prefix: str, lang: str = "en", width: float = 640) -> Chart:
    """Money due and received side by side per period; nothing received is a printed 0, unknown is a dash."""
    sheet = new_sheet(prefix, lang, width)
    pairs = [(to_float(month.due), to_float(month.received)) for month in data.months]
    if pairs:
        top = sheet.key((("secured", data.due), ("paid", data.received)), 0) + 12
        highest = max((value for pair in pairs for value in pair if value is not None), default=0.0)
        words = [[MISSING if value is None else short(value, lang) for value in pair] for pair in pairs]
        half = (sheet.width - 50) / len(pairs) * 0.42
        turned = any(text_width(word, SMALL) > half for pair in words for word in pair)
        longest = max(text_width(word, SMALL) for pair in words for word in pair)
        frame = draw_columns(
            sheet, lang, [month.label for month in data.months], top + (longest if turned else 0), (0.0, max(0.0, highest)), 150.0
        )
        frame.baseline()
        bar = min(34.0, frame.slot * 0.36)
        for index, pair in enumerate(pairs):
            for side, (value, kind) in enumerate(zip(pair, ("secured", "paid"), strict=True)):
                x = frame.centre(index) - bar - 1 + side * (bar + 2)
                size = max(0.0, value or 0.0)
                y = frame.y(size)
                sheet.rect(x, y, bar, frame.y(0) - y, kind)
                colour = "quiet" if value is None or kind == "secured" else "ink"
                if turned:
                    if bar >= 8:  # noqa: PLR2004 - narrower than a line of text
                        sheet.text(x + bar / 2, y - 4, words[index][side], kind=colour, turn=True)
                else:
                    offset = (bar * 0.5 if half <= bar + 2 else half * 0.5) * (-1 if side == 0 else 1)
                    sheet.text(frame.centre(index) + offset, y - 4, words[index][side], anchor="middle", kind=colour)
        bottom = frame.top + frame.height + 30
    else:
        draw_empty(sheet, data.missing)
        bottom = 80.0
    headers = (data.period, data.due, data.received)
    rows = tuple((month.label, cell(due, lang), cell(received, lang)) for month, (due, received) in zip(data.months, pairs, strict=True))
    said = (
        f"{month.label}: {data.due.lower()} {say(due, lang)}, {data.received.lower()} {say(got, lang)}"
        for month, (due, got) in zip(data.months, pairs, strict=True)
    )
    description = describe(data.subtitle, said)
    return Chart(sheet.svg(bottom, data.title, description), data.title, data.subtitle, headers, rows, data.source, description)

"""Lying bars: one per row, with a target; the stages of a funnel."""

from __future__ import annotations

from collections.abc import Sequence

from reports.charts.shapes import Bar, Bars, Chart, Funnel
from reports.charts.sheet import Sheet, describe, draw_empty, new_sheet
from reports.charts.words import BODY, BOLD, MISSING, SMALL, cell, fit, full, short, text_width, to_float

_ROOMY = 400.0


def draw_rows(
    sheet: Sheet, bars: Sequence[Bar], texts: Sequence[str], bounds: tuple[float, float], *, top: float = 0.0, row: float = 24.0
) -> tuple[float, float, float]:
    """Lying bars with labels before and values after them; gives left edge, units per value and zero."""
    sheet_width = sheet.width
    label_width = min(sheet_width * 0.36, max((text_width(bar.label, BODY) for bar in bars), default=0.0)) + 10
    room = max((text_width(text, SMALL, bold=True) for text in texts), default=0.0) + 10
    room = min(room, sheet_width * 0.4)
    low, high = min(0.0, bounds[0]), max(0.0, bounds[1])
    before = min(room, sheet_width * 0.15) if low < 0 else 0.0
    left = label_width + before
    scale = max(20.0, sheet_width - left - room) / ((high - low) or 1.0)
    zero = left - low * scale
    for index, (bar, text) in enumerate(zip(bars, texts, strict=True)):
        y = top + index * row
        for line_index, line in enumerate(lines := fit(bar.label, label_width - 10, BODY, 2 if row >= 30 else 1)):  # noqa: PLR2004 - two lines need 30
            sheet.text(0, y + row / 2 + 4 - (len(lines) - 1) * 6 + line_index * 12.5, line, size=BODY)
        value = to_float(bar.value)
        length = abs(value or 0.0) * scale
        start = zero - length if (value or 0.0) < 0 else zero
        sheet.rect(start, y + 4, length, row - 8, bar.kind)
        for line in fit(text, (sheet_width - max(zero, start + length) - 6) / BOLD, SMALL):
            sheet.text(
                max(zero, start + length) + 6, y + row / 2 + 3.6, line, kind="quiet" if value is None else "ink", bold=value is not None
            )
    sheet.line([(zero, top), (zero, top + row * len(bars))], "quiet")
    return left, scale, zero


def bars(data: Bars, *, prefix: str, lang: str = "en", width: float = 640) -> Chart:
    """Lying bars from zero, each with its value; a dashed line marks the target."""
    sheet = new_sheet(prefix, lang, width)
    values = [to_float(bar.value) for bar in data.bars]
    target = to_float(data.target)
    known = [value for value in (*values, target) if value is not None] or [0.0]
    texts = [
        data.missing if value is None else f"{short(value, lang)}{data.suffix}" + (f"  {bar.note}" if bar.note else "")
        for bar, value in zip(data.bars, values, strict=True)
    ]
    top = 18.0 if target is not None else 0.0
    row = 34.0 if any(text_width(bar.label, BODY) > sheet.width * 0.36 for bar in data.bars) else 24.0
    if data.bars:
        _, scale, zero = draw_rows(sheet, data.bars, texts, (min(known), max(known)), top=top, row=row)
        bottom = top + row * len(data.bars) + 4
        if target is not None:
            x = zero + target * scale
            sheet.line([(x, top - 4), (x, bottom)], "ink", 1.2, ' stroke-dasharray="4 3"')
            label = f"{data.target_label} {short(target, lang)}{data.suffix}"
            half = text_width(label, SMALL) / 2
            sheet.text(min(max(x, half), sheet.width - half), top - 8, label, anchor="middle")
    else:
        draw_empty(sheet, data.missing)
        bottom = 80.0
    headers = (data.label_head, data.value_head)
    rows = tuple((bar.label, cell(value, lang, data.suffix)) for bar, value in zip(data.bars, values, strict=True))
    description = describe(data.subtitle, (f"{name}: {cell}" for name, cell in rows))
    return Chart(sheet.svg(bottom, data.title, description), data.title, data.subtitle, headers, rows, data.source, description)


def funnel(data: Funnel, *, prefix: str, lang: str = "en", width: float = 640) -> Chart:
    """Stages of money from one left edge, each with its amount and its share of the stage before."""
    sheet = new_sheet(prefix, lang, width)
    values = [to_float(stage.value) for stage in data.stages]
    shares: list[str] = []
    texts: list[str] = []
    for index, value in enumerate(values):
        before = values[index - 1] if index else None
        times = value / before if value is not None and before else None
        share = f"{full(round(100 * times), lang)}%" if times is not None and 0 <= times < 1000 else ""  # noqa: PLR2004 - more is a slip in the data
        shares.append(share)
        is_roomy = sheet.width >= _ROOMY  # where there is little room the share alone, as in a column of a phone
        words = data.share_words.format(share=share, stage=data.stages[index - 1].label) if share and is_roomy else share
        texts.append(data.missing if value is None else short(value, lang) + (f"  ({words})" if words else ""))
    if data.stages:
        draw_rows(sheet, data.stages, texts, (0.0, max((value for value in values if value is not None), default=0.0)), row=34.0)
    else:
        draw_empty(sheet, data.missing)
    headers = (data.label_head, data.value_head, data.share_head)
    rows = tuple(
        (stage.label, cell(value, lang), share or MISSING) for stage, value, share in zip(data.stages, values, shares, strict=True)
    )
    description = describe(data.subtitle, (f"{stage.label}: {text}" for stage, text in zip(data.stages, texts, strict=True)))
    height = 34.0 * len(data.stages) + 2 if data.stages else 80.0
    return Chart(sheet.svg(height, data.title, description), data.title, data.subtitle, headers, rows, data.source, description)

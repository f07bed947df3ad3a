"""Data to accessible SVG: the same markup for the web page and the document. Knows shapes, no nouns and no queries.

Values are plain numbers in the unit the subtitle names; None means "not known" and is shown as missing, never as 0.
Colour comes by class (`c-paid` ...) through `currentColor`, with the light colour as attribute, so that a page may turn
it dark and a PDF needs no style sheet. No style attributes, no scripts, no random ids. Every function raises ValueError
for a value that is not finite.
"""

from __future__ import annotations

from reports.charts.dated import timeline
from reports.charts.lines import line, sparkline
from reports.charts.lying import bars, funnel
from reports.charts.screens import for_screens
from reports.charts.shapes import (
    Bar,
    Bars,
    Chart,
    Event,
    FundingWords,
    FundingYear,
    Funnel,
    Kind,
    Line,
    Month,
    Number,
    Receipts,
    Series,
    Sparkline,
    StackedBars,
    Timeline,
)
from reports.charts.sheet import COLOURS, FAMILY
from reports.charts.standing import receipts_by_month, stacked_bars
from reports.charts.words import BODY, BOLD, MISSING, RIGHT_TO_LEFT, SMALL, fit, nice_ticks, text_width

__all__ = [
    "BODY",
    "BOLD",
    "COLOURS",
    "FAMILY",
    "MISSING",
    "RIGHT_TO_LEFT",
    "SMALL",
    "Bar",
    "Bars",
    "Chart",
    "Event",
    "FundingWords",
    "FundingYear",
    "Funnel",
    "Kind",
    "Line",
    "Month",
    "Number",
    "Receipts",
    "Series",
    "Sparkline",
    "StackedBars",
    "Timeline",
    "bars",
    "fit",
    "for_screens",
    "funnel",
    "line",
    "nice_ticks",
    "receipts_by_month",
    "sparkline",
    "stacked_bars",
    "text_width",
    "timeline",
]

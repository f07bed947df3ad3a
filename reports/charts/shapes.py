"""What a chart is made from, and what comes out: plain data, no drawing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from markupsafe import Markup

Number = Decimal | int | float
"""What a chart takes as a value."""

Kind = Literal["paid", "secured", "pledged", "gap", "domestic", "late", "due", "done", "accent", "quiet"]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart with the table behind it. `rows` are ready to print, one tuple per row, as long as `headers`."""

    svg: Markup
    title: str
    subtitle: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    source: str
    description: str = ""
    numeric: bool = True
    """Do the columns after the first hold numbers (set right)?"""


@dataclass(frozen=True, slots=True)
class FundingYear:
    """Money of one year. `gap` None: the requirement less what is secured (paid or not), never less than nothing."""

    label: str
    paid: Number | None
    secured_unpaid: Number | None
    pledged: Number | None = None
    requirement: Number | None = None
    domestic: Number | None = None
    gap: Number | None = None


@dataclass(frozen=True, slots=True)
class FundingWords:
    """Words of `stacked_bars`; hand in translations."""

    period: str = "Year"
    paid: str = "Paid"
    secured_unpaid: str = "Secured, not yet paid"
    domestic: str = "Domestic budget"
    pledged: str = "Pledged (outside totals)"
    gap: str = "Gap"
    requirement: str = "Requirement"
    missing: str = "no data"
    need_mark: str = "need {value}"
    """What stands at the line of the requirement; two words, the second of them the value."""


@dataclass(frozen=True, slots=True)
class StackedBars:
    """Funding by year against the requirement: title = the message, subtitle = what, unit, period."""

    title: str
    subtitle: str
    source: str
    years: tuple[FundingYear, ...]
    words: FundingWords = FundingWords()


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. `note` is printed after the value."""

    label: str
    value: Number | None
    kind: Kind = "accent"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """Lying bars, one per row, with an optional target line. `suffix` follows each value ("%")."""

    title: str
    subtitle: str
    source: str
    bars: tuple[Bar, ...]
    suffix: str = ""
    target: Number | None = None
    target_label: str = "Target"
    label_head: str = ""
    value_head: str = "Value"
    missing: str = "no data"


@dataclass(frozen=True, slots=True)
class Funnel:
    """Stages, widest first: pledged, signed, received, allocated. The share of the stage before is printed."""

    title: str
    subtitle: str
    source: str
    stages: tuple[Bar, ...]
    share_words: str = "{share} of {stage}"
    label_head: str = ""
    value_head: str = "Amount"
    share_head: str = "Share of the stage before"
    missing: str = "no data"


@dataclass(frozen=True, slots=True)
class Series:
    """One line; `values` as long as the chart's `xs`, None where nothing was measured."""

    label: str
    values: tuple[Number | None, ...]
    kind: Kind = "accent"


@dataclass(frozen=True, slots=True)
class Line:
    """Values over periods, at most six series, with optional baseline and target."""

    title: str
    subtitle: str
    source: str
    xs: tuple[str, ...]
    series: tuple[Series, ...]
    suffix: str = ""
    baseline: Number | None = None
    target: Number | None = None
    baseline_label: str = "Baseline"
    target_label: str = "Target"
    x_head: str = "Period"
    zero: bool = True
    missing: str = "no data"


@dataclass(frozen=True, slots=True)
class Event:
    """Something dated. Kind gives mark and colour: accent a circle, paid a square, done a tick, late a triangle, due a clock."""

    day: date
    label: str
    kind: Kind = "accent"


@dataclass(frozen=True, slots=True)
class Timeline:
    """Events along a time axis; `today` draws a line. `kind_words` names kinds for the key and the table."""

    title: str
    subtitle: str
    source: str
    events: tuple[Event, ...]
    today: date | None = None
    today_label: str = "Today"
    kind_words: tuple[tuple[Kind, str], ...] = ()
    heads: tuple[str, str, str] = ("Date", "Event", "Kind")
    empty: str = "no events"


@dataclass(frozen=True, slots=True)
class Month:
    """Money due and received in one period."""

    label: str
    due: Number | None
    received: Number | None


@dataclass(frozen=True, slots=True)
class Receipts:
    """Due against received, period by period."""

    title: str
    subtitle: str
    source: str
    months: tuple[Month, ...]
    period: str = "Month"
    due: str = "Due"
    received: str = "Received"
    missing: str = "no data"


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A small trend of one series, without axes: the figure beside it says the value."""

    title: str
    values: tuple[Number | None, ...]
    kind: Kind = "accent"
    labels: tuple[str, ...] = ()

"""Data to accessible SVG: the same markup for the web page and the document. Knows shapes, no nouns and no queries.

Values are plain numbers in the unit the subtitle names; None means "not known" and is shown as missing, never as 0.
Colour comes by class (`c-paid` ...) through `currentColor`, with the light colour as attribute, so that a page may turn
it dark and a PDF needs no style sheet. No style attributes, no scripts, no random ids. Every function raises ValueError
for a value that is not finite.
"""

from __future__ import annotations

import functools
import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from html import escape
from typing import Final, Literal

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_compact_decimal, format_decimal, format_scientific
from markupsafe import Markup

Number = Decimal | int | float
"""What a chart takes as a value."""

Kind = Literal["paid", "secured", "pledged", "gap", "domestic", "late", "due", "done", "accent", "quiet"]

COLOURS: Final = {
    "paid": "#0B5F8A",
    "secured": "#3F8FB8",
    "pledged": "#CFE6F2",
    "gap": "#B8483B",
    "domestic": "#6B8E3A",
    "late": "#B03A2E",
    "due": "#9A5B00",
    "done": "#2E7D4F",
    "ink": "#15202B",
    "quiet": "#52606D",
    "hairline": "#D9E0E6",
    "paper": "#FFFFFF",
    "accent": "#0A5C63",
}
FAMILY: Final = "Noto Sans,Noto Sans Arabic,Noto Sans SC,Noto Sans Symbols,sans-serif"
SMALL: Final = 10.0
BODY: Final = 11.0
MISSING: Final = "\N{EN DASH}"
RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ur"})

_REGULAR = (
    "26 27 41 65 57 83 73 22 30 30 55 57 27 32 27 37 57 57 57 57 57 57 57 57 57 57 27 27 57 57 57 43 90 64 65 63 73 56 52 73 74 34 27 62 52 91 76 78 "
    "60 78 62 55 56 73 60 93 59 57 57 33 37 33 57 44 28 56 62 48 62 56 34 62 62 26 26 53 26 94 62 60 62 62 41 48 36 62 51 79 53 51 47 38 55 38 57"
)
_ADVANCE: Final = {chr(32 + index): int(width) / 100 for index, width in enumerate(_REGULAR.split())}
BOLD: Final = 1.15  # how much wider bold runs, at most
_SLACK: Final = 1.06  # system fonts on the web run a little wider than Noto


# --- what goes in and what comes out -----------------------------------------------------------------------------


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


# --- numbers and words -------------------------------------------------------------------------------------------


def _value(value: Number | None) -> float | None:
    """A finite float, or None; anything else is refused."""
    if value is None:
        return None
    number = float(value)
    if not math.isfinite(number):
        message = f"a chart cannot show {value!r}"
        raise ValueError(message)
    return number


@functools.lru_cache(maxsize=16)
def _locale(lang: str) -> Locale:
    return Locale.parse("en_GB" if lang == "en" else lang.replace("-", "_"))


@functools.lru_cache(maxsize=8192)
def _short(value: float, lang: str) -> str:
    """A printed value: 950, 4.5, 1.2M. One decimal at most, none where it says nothing."""
    size = abs(value)
    if size >= 1e15:  # noqa: PLR2004 - the compact words end at 10^12
        return str(format_scientific(Decimal(f"{value:.2g}"), locale=_locale(lang)))
    if size >= 10_000:  # noqa: PLR2004 - below it the whole number is as short
        return str(format_compact_decimal(Decimal(repr(value)), locale=_locale(lang), fraction_digits=1 if _significant(size) else 0))
    pattern = "#,##0" if size == int(size) or size >= 100 else ("#,##0.#" if size >= 1 or size == 0 else "0.##")  # noqa: PLR2004
    return str(format_decimal(Decimal(repr(value)), format=pattern, locale=_locale(lang)))


def _significant(size: float) -> bool:
    """Does one decimal of the compact form say something (12.5M yes, 250M no)?"""
    lead = size / 1000 ** int(math.log10(size) // 3)
    return bool(lead < 100 and round(lead, 1) != round(lead))  # noqa: PLR2004


@functools.lru_cache(maxsize=4096)
def _day(day: date, lang: str, style: str) -> str:
    return str(format_date(day, format=style, locale=_locale(lang)))


@functools.lru_cache(maxsize=8192)
def _full(value: float, lang: str) -> str:
    """The value of the data table: all digits, two decimals at most."""
    return str(format_decimal(Decimal(repr(value)), format="#,##0.##", locale=_locale(lang)))


def nice_ticks(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """Round ticks (1, 2, 2.5 or 5 times a power of ten) that enclose low..high; at least two."""
    least = 1e-6 * max(abs(low), abs(high), 1e-3)  # closer than that is one value
    if high - low < least:
        high = low + max(1.0, abs(low) / 10)
    rough = (high - low) / max(1, count - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999), power * 10)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(float(f"{index * step:.12g}") for index in range(first, max(last, first + 1) + 1))


@functools.lru_cache(maxsize=8192)
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Approximate width of a text in the unit of `size`, on the wide side."""
    total = 0.0
    for char in text:
        known = _ADVANCE.get(char)
        if known is not None:
            total += known
        elif unicodedata.combining(char):
            continue
        else:
            total += 1.0 if unicodedata.east_asian_width(char) in {"W", "F"} else 0.62
    return total * size * _SLACK * (BOLD if bold else 1.0)


def fit(text: str, width: float, size: float, lines: int = 1) -> list[str]:
    """The text in at most `lines` lines of `width`, cut with an ellipsis where it does not fit."""
    wrapped: list[str] = []
    rest = " ".join(text.split())
    while rest and len(wrapped) < lines:
        if text_width(rest, size) <= width:
            wrapped.append(rest)
            return wrapped
        cut = _cut(rest, width, size)
        last = len(wrapped) == lines - 1
        space = rest.rfind(" ", 0, cut + 1)
        if not last and space > 0:
            wrapped.append(rest[:space])
            rest = rest[space + 1 :]
        elif not last and cut > 0:
            wrapped.append(rest[:cut])
            rest = rest[cut:]
        else:
            shorter = _cut(rest, width - text_width("…", size), size)
            wrapped.append(rest[:shorter].rstrip() + "…")
            return wrapped
    return wrapped


def _cut(text: str, width: float, size: float) -> int:
    """How many leading characters fit."""
    total = 0.0
    for index, char in enumerate(text):
        total += text_width(char, size)
        if total > width:
            return index
    return len(text)


def _n(value: float) -> str:
    """A coordinate: one decimal, no trailing zero, no minus zero."""
    text = f"{value:.1f}"
    text = text.removesuffix(".0")
    return "0" if text == "-0" else text


# --- the sheet ---------------------------------------------------------------------------------------------------


def _paint(kind: str) -> str:
    """Class and light colour of a kind."""
    return f'class="c-{kind}" color="{COLOURS[kind]}"'


_TILES: Final = {
    "pledged": (6, "M-1,1 1,-1M0,6 6,0M5,7 7,5", "secured", "pledged", 1.2),
    "gap": (8, "M-1,7 1,9M0,0 8,8M7,-1 9,1", "gap", "", 0.8),
    "domestic": (5, "M2.5,0V5", "paper", "domestic", 1.0),
}


@dataclass(slots=True)
class _Sheet:
    """Collects shapes; turns everything round for right-to-left scripts at this one place."""

    prefix: str
    width: float
    rtl: bool
    parts: list[str] = field(default_factory=list)
    tiles: set[str] = field(default_factory=set)

    def x(self, x: float, width: float = 0.0) -> float:
        return self.width - x - width if self.rtl else x

    def rect(self, x: float, y: float, width: float, height: float, kind: str, extra: str = "") -> None:
        """A filled box in the kind's colour or pattern; nothing where it has no extent."""
        if width <= 0 or height <= 0:
            return
        box = f'x="{_n(self.x(x, width))}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
        if kind in _TILES:
            self.tiles.add(kind)
            edge = _TILES[kind][2] if kind != "domestic" else "domestic"
            dash = ' stroke-dasharray="3 2"' if kind == "gap" else ""
            self.parts.append(
                f'<rect {box} fill="url(#{self.prefix}-{kind})" {_paint(edge)} stroke="currentColor" stroke-width=".8"{dash}{extra}/>'
            )
        else:
            self.parts.append(f'<rect {box} {_paint(kind)} fill="currentColor"{extra}/>')

    def line(self, points: Sequence[tuple[float, float]], kind: str, width: float = 1.0, extra: str = "") -> None:
        """An open line through points."""
        path = "M" + " ".join(f"{_n(self.x(x))},{_n(y)}" for x, y in points)
        self.parts.append(f'<path d="{path}" {_paint(kind)} fill="none" stroke="currentColor" stroke-width="{width:g}"{extra}/>')

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        anchor: str = "start",
        kind: str = "ink",
        size: float = SMALL,
        bold: bool = False,
        turn: bool = False,
    ) -> None:
        """One line of text; `anchor` is start, middle or end in reading direction; `turn` stands it upright, centred on x."""
        if not text:
            return
        if self.rtl and not turn:
            anchor = {"start": "end", "end": "start"}.get(anchor, anchor)
        px, py = _n(self.x(x) + (size * 0.35 if turn else 0.0)), _n(y)
        attrs = "" if anchor == "start" else f' text-anchor="{anchor}"'
        attrs += "" if size == SMALL else f' font-size="{size:g}"'
        attrs += ' font-weight="700"' if bold else ""
        attrs += f' transform="rotate(-90 {px} {py})"' if turn else ""
        attrs += "" if kind == "ink" else f' {_paint(kind)} fill="currentColor"'
        words = f"\u2067{text}\u2069" if self.rtl else text  # isolated, so that the anchor stays where it is put
        self.parts.append(f'<text x="{px}" y="{py}"{attrs}>{escape(words)}</text>')

    def pill(self, x: float, y: float, text: str, *, size: float = SMALL) -> None:
        """A value on a paper ground, centred on (x, y), legible on any pattern."""
        width = text_width(text, size) + 4
        self.rect(x - width / 2, y - size * 0.62, width, size * 1.24, "paper", ' rx="2"')
        self.text(x, y + size * 0.36, text, anchor="middle", size=size)

    def mark(self, x: float, y: float, kind: str, index: int = -1) -> None:
        """A small sign that does not rely on colour: by kind, or by the series' index."""
        px, py = self.x(x), y
        shapes = ("circle", "square", "triangle", "diamond", "ring", "cross")
        by_kind = {
            "late": "triangle",
            "done": "tick",
            "due": "clock",
            "paid": "square",
            "secured": "square",
            "pledged": "diamond",
            "gap": "ring",
        }
        shape = shapes[index % len(shapes)] if index >= 0 else by_kind.get(kind, "circle")
        name = {"pledged": "secured"}.get(kind, kind)
        paint = _paint(name)
        filled, open_ = f'{paint} fill="currentColor"', f'{paint} fill="none" stroke="currentColor" stroke-width="1.5"'
        paths = {
            "square": f'<path d="M{_n(px - 3.5)},{_n(py - 3.5)}h7v7h-7z" {filled}/>',
            "triangle": f'<path d="M{_n(px)},{_n(py - 4.5)}l4.5,8h-9z" {filled}/>',
            "diamond": f'<path d="M{_n(px)},{_n(py - 4.5)}l4.5,4.5 -4.5,4.5 -4.5,-4.5z" {filled}/>',
            "tick": f'<path d="M{_n(px - 4.5)},{_n(py)}l3.5,3.5 5.5,-7.5" {paint} fill="none" stroke="currentColor" stroke-width="2.2"/>',
            "cross": f'<path d="M{_n(px - 3.5)},{_n(py - 3.5)}l7,7m0,-7l-7,7" {open_}/>',
            "ring": f'<circle cx="{_n(px)}" cy="{_n(py)}" r="3.5" {open_}/>',
            "clock": f'<path d="M{_n(px - 4.5)},{_n(py)}a4.5,4.5 0 1 1 9,0a4.5,4.5 0 1 1 -9,0M{_n(px)},{_n(py - 3)}v3h2.5" {open_}/>',
            "circle": f'<circle cx="{_n(px)}" cy="{_n(py)}" r="4" {filled}/>',
        }
        self.parts.append(paths[shape])

    def key(self, entries: Iterable[tuple[str, str]], y: float, *, marks: bool = False, left: float = 0.0) -> float:
        """A row of swatches with words, wrapped; gives the y below it."""
        x = left
        for kind, word in entries:
            for line in fit(word, self.width - left - 16, SMALL):
                width = 15 + text_width(line, SMALL) + 14
                if x > left and x + width - 14 > self.width:
                    x, y = left, y + 16
                if marks:
                    self.mark(x + 5, y + 5, kind)
                else:
                    self.rect(x + 0.5, y, 10, 10, kind)
                self.text(x + 15, y + 8.6, line, kind="quiet")
                x += width
        return y + 20

    def svg(self, height: float, title: str, description: str, css: str = "") -> Markup:
        """The whole element."""
        defs = "".join(self._tile(kind) for kind in sorted(self.tiles))
        defs = f"<defs>{defs}</defs>" if defs else ""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="chart{css}" viewBox="0 0 {_n(self.width)} {_n(height)}" width="{_n(self.width)}" height="{_n(height)}" '
            f'role="img" aria-labelledby="{self.prefix}-t {self.prefix}-d" direction="ltr" font-family="{FAMILY}" font-size="{SMALL:g}">'
            f'<title id="{self.prefix}-t">{escape(title)}</title><desc id="{self.prefix}-d">{escape(description)}</desc>'
        )
        body = f'{defs}<g {_paint("ink")} fill="currentColor">{"".join(self.parts)}</g></svg>'
        return Markup(head + body)  # noqa: S704 - every text in it went through escape()

    def _tile(self, kind: str) -> str:
        size, path, stroke, ground, width = _TILES[kind]
        base = f'<rect width="{size}" height="{size}" {_paint(ground)} fill="currentColor"/>' if ground else ""
        return (
            f'<pattern id="{self.prefix}-{kind}" width="{size}" height="{size}" patternUnits="userSpaceOnUse">{base}'
            f'<path d="{path}" {_paint(stroke)} fill="none" stroke="currentColor" stroke-width="{width:g}"/></pattern>'
        )


def _sheet(prefix: str, lang: str, width: float) -> _Sheet:
    if not prefix or not all(char.isalnum() or char in "-_" for char in prefix):
        message = "the prefix of a chart's ids is letters, digits, - and _"
        raise ValueError(message)
    return _Sheet(escape(prefix), max(200.0, float(width)), _locale(lang).language in RIGHT_TO_LEFT)


def _describe(subtitle: str, sentences: Iterable[str]) -> str:
    return " ".join(part for part in (f"{subtitle.rstrip('.')}." if subtitle else "", "; ".join(sentences) + ".") if part != ".")


def _cell(value: float | None, lang: str, suffix: str = "") -> str:
    return MISSING if value is None else _full(value, lang) + suffix


def _say(value: float | None, lang: str) -> str:
    return MISSING if value is None else _short(value, lang)


@dataclass(slots=True)
class _Columns:
    """The frame of standing columns: ticks, baseline, the slots and their labels."""

    sheet: _Sheet
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


def _columns(sheet: _Sheet, lang: str, labels: Sequence[str], top: float, bounds: tuple[float, float], height: float = 170.0) -> _Columns:
    """Draw ticks and labels of columns; labels wrap to two lines, or thin out where there are many."""
    ticks = nice_ticks(*bounds)
    words = [_short(tick, lang) for tick in ticks]
    left = max(text_width(word, SMALL) for word in words) + 8
    frame = _Columns(sheet, left, top, height, ticks, (sheet.width - left) / max(1, len(labels)))
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


def _empty(sheet: _Sheet, words: str) -> None:
    sheet.text(sheet.width / 2, 40, words, anchor="middle", kind="quiet", size=BODY)


# --- the charts --------------------------------------------------------------------------------------------------


def stacked_bars(data: StackedBars, *, prefix: str, lang: str = "en", width: float = 640) -> Chart:
    """Funding by year: paid and secured from zero, the gap open up to the requirement, pledges beside, outside totals."""
    sheet, words = _sheet(prefix, lang, width), data.words
    years = [_funding(year) for year in data.years]
    present = [kind for kind in ("paid", "secured", "domestic", "gap", "pledged") if any(year[kind] for year in years)]
    names = {"paid": words.paid, "secured": words.secured_unpaid, "domestic": words.domestic, "gap": words.gap, "pledged": words.pledged}
    top = sheet.key([(kind, names[kind]) for kind in present], 0) + 14 if present else 16.0
    highest = max((_highest(year) for year in years), default=0.0)
    if years:
        turned = any(
            text_width(_short(value, lang), SMALL) > (width - 50) / len(years) * 0.95
            for year in years
            for value in (year["requirement"], year["secured_all"])
            if value
        )
        frame = _columns(sheet, lang, [year.label for year in data.years], top + (24 if turned else 0), (0.0, highest))
        for index, year in enumerate(years):
            _funding_column(frame, index, year, lang, words.missing, turned=turned)
        frame.baseline()
        bottom = frame.top + frame.height + 30
    else:
        _empty(sheet, words.missing)
        bottom = 80.0
    columns = ("paid", "secured", "domestic", "pledged", "requirement", "gap")
    heads = {**names, "requirement": words.requirement}
    shown = [column for column in columns if column in {"paid", "secured"} or any(year[column] is not None for year in years)]
    rows = tuple((year.label, *(_cell(values[column], lang) for column in shown)) for year, values in zip(data.years, years, strict=True))
    headers = (words.period, *(heads[column] for column in shown))
    said = (
        f"{year.label}: " + ", ".join(f"{heads[column].lower()} {_say(values[column], lang)}" for column in shown if values[column])
        for year, values in zip(data.years[:8], years, strict=False)
    )
    description = _describe(data.subtitle, said)
    return Chart(sheet.svg(bottom, data.title, description), data.title, data.subtitle, headers, rows, data.source, description)


def _funding(year: FundingYear) -> dict[str, float | None]:
    """Floats of one year, with what is secured altogether and the gap."""
    paid, unpaid, domestic = _value(year.paid), _value(year.secured_unpaid), _value(year.domestic)
    need, gap = _value(year.requirement), _value(year.gap)
    known = [value for value in (paid, unpaid) if value is not None]
    secured = sum(known) if known else None
    if gap is None and need is not None and secured is not None:
        gap = max(0.0, need - secured)
    return {
        "paid": paid,
        "secured": unpaid,
        "domestic": domestic,
        "pledged": _value(year.pledged),
        "requirement": need,
        "gap": gap,
        "secured_all": secured,
    }


def _highest(year: dict[str, float | None]) -> float:
    stack = sum(max(0.0, year[kind] or 0.0) for kind in ("paid", "secured"))
    return max(
        stack + max(0.0, year["pledged"] or 0.0), stack + max(0.0, year["gap"] or 0.0), year["requirement"] or 0.0, year["domestic"] or 0.0
    )


def _missing_column(frame: _Columns, index: int, missing: str) -> None:
    """Say in words, or with a dash where there is no room, that nothing is known."""
    lines = fit(missing, frame.slot - 4, SMALL, 2)
    if not lines or (frame.slot < 34 and len(missing) > 2):  # noqa: PLR2004 - no room for the words
        lines = [MISSING]
    for row, words in enumerate(lines):
        frame.sheet.text(frame.centre(index), frame.y(0) - 6 - 12 * (len(lines) - 1 - row), words, anchor="middle", kind="quiet")


def _funding_column(frame: _Columns, index: int, year: dict[str, float | None], lang: str, missing: str, *, turned: bool) -> None:
    """One year: the column, pledges and domestic money as narrow columns beside it, the requirement across."""
    sheet, slot = frame.sheet, frame.slot
    beside = {kind for kind in ("pledged", "domestic") if (year[kind] or 0) > 0}
    main = min(64.0, slot * (0.6 - 0.12 * len(beside)))
    narrow = min(20.0, slot * 0.16)
    left = frame.centre(index) - (main + len(beside) * (narrow + 2)) / 2 + (narrow + 2 if "domestic" in beside else 0)
    middle = left + main / 2
    if year["secured_all"] is None:
        _missing_column(frame, index, missing)
    level = 0.0
    for kind in ("paid", "secured", "gap"):
        value = max(0.0, year[kind] or 0.0)
        if value <= 0:
            continue
        y, height = frame.y(level + value), frame.y(level) - frame.y(level + value)
        sheet.rect(left, y, main, height, kind)
        label = _short(value, lang)
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
        label = _short(value, lang)
        if slot - main - narrow >= text_width(label, SMALL) * 1.6:
            sheet.text(x if kind == "pledged" else x + narrow, y - 4, label, anchor="start" if kind == "pledged" else "end", kind="quiet")
    need = year["requirement"]
    peak = max(level, need or 0.0, secured + (year["pledged"] or 0.0) if slot < 60 else 0.0)  # noqa: PLR2004 - labels then reach over the neighbour
    if need:
        y = frame.y(need)
        sheet.line([(left, y), (left + main, y)], "ink", 1.8)
    head = need if need is not None else year["secured_all"]
    if head is not None and (head > 0 or year["secured_all"] is not None):
        if turned:
            sheet.text(middle, frame.y(peak) - 5, _short(head, lang), turn=True, bold=True)
        else:
            sheet.text(middle, frame.y(peak) - 5, _short(head, lang), anchor="middle", bold=True)


def _bar_rows(
    sheet: _Sheet, bars: Sequence[Bar], texts: Sequence[str], bounds: tuple[float, float], *, top: float = 0.0, row: float = 24.0
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
        value = _value(bar.value)
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
    sheet = _sheet(prefix, lang, width)
    values = [_value(bar.value) for bar in data.bars]
    target = _value(data.target)
    known = [value for value in (*values, target) if value is not None] or [0.0]
    texts = [
        data.missing if value is None else f"{_short(value, lang)}{data.suffix}" + (f"  {bar.note}" if bar.note else "")
        for bar, value in zip(data.bars, values, strict=True)
    ]
    top = 18.0 if target is not None else 0.0
    row = 34.0 if any(text_width(bar.label, BODY) > sheet.width * 0.36 for bar in data.bars) else 24.0
    if data.bars:
        _, scale, zero = _bar_rows(sheet, data.bars, texts, (min(known), max(known)), top=top, row=row)
        bottom = top + row * len(data.bars) + 4
        if target is not None:
            x = zero + target * scale
            sheet.line([(x, top - 4), (x, bottom)], "ink", 1.2, ' stroke-dasharray="4 3"')
            label = f"{data.target_label} {_short(target, lang)}{data.suffix}"
            half = text_width(label, SMALL) / 2
            sheet.text(min(max(x, half), sheet.width - half), top - 8, label, anchor="middle")
    else:
        _empty(sheet, data.missing)
        bottom = 80.0
    headers = (data.label_head, data.value_head)
    rows = tuple((bar.label, _cell(value, lang, data.suffix)) for bar, value in zip(data.bars, values, strict=True))
    description = _describe(data.subtitle, (f"{name}: {cell}" for name, cell in rows))
    return Chart(sheet.svg(bottom, data.title, description), data.title, data.subtitle, headers, rows, data.source, description)


def funnel(data: Funnel, *, prefix: str, lang: str = "en", width: float = 640) -> Chart:
    """Stages of money from one left edge, each with its amount and its share of the stage before."""
    sheet = _sheet(prefix, lang, width)
    values = [_value(stage.value) for stage in data.stages]
    shares: list[str] = []
    texts: list[str] = []
    for index, value in enumerate(values):
        before = values[index - 1] if index else None
        times = value / before if value is not None and before else None
        share = f"{_full(round(100 * times), lang)}%" if times is not None and 0 <= times < 1000 else ""  # noqa: PLR2004 - more is a slip in the data
        shares.append(share)
        words = data.share_words.format(share=share, stage=data.stages[index - 1].label) if share else ""
        texts.append(data.missing if value is None else _short(value, lang) + (f"  ({words})" if words else ""))
    if data.stages:
        _bar_rows(sheet, data.stages, texts, (0.0, max((value for value in values if value is not None), default=0.0)), row=34.0)
    else:
        _empty(sheet, data.missing)
    headers = (data.label_head, data.value_head, data.share_head)
    rows = tuple(
        (stage.label, _cell(value, lang), share or MISSING) for stage, value, share in zip(data.stages, values, shares, strict=True)
    )
    description = _describe(data.subtitle, (f"{stage.label}: {text}" for stage, text in zip(data.stages, texts, strict=True)))
    height = 34.0 * len(data.stages) + 2 if data.stages else 80.0
    return Chart(sheet.svg(height, data.title, description), data.title, data.subtitle, headers, rows, data.source, description)


def line(data: Line, *, prefix: str, lang: str = "en", width: float = 640) -> Chart:
    """Lines over periods with direct labels, a break where nothing was measured, baseline and target as dashed lines."""
    sheet = _sheet(prefix, lang, width)
    table = [[_value(value) for value in series.values] for series in data.series]
    if any(len(values) != len(data.xs) for values in table):
        message = "every series has one value (or None) per period"
        raise ValueError(message)
    rules = [(_value(data.baseline), data.baseline_label), (_value(data.target), data.target_label)]
    known = [value for values in table for value in values if value is not None] + [value for value, _ in rules if value is not None]
    if known and data.xs:
        bottom = _draw_lines(sheet, data, table, rules, known, lang)
    else:
        _empty(sheet, data.missing)
        bottom = 80.0
    headers = (data.x_head, *(series.label for series in data.series))
    rows = tuple((x, *(_cell(values[index], lang, data.suffix) for values in table)) for index, x in enumerate(data.xs))
    said = []
    for series, values in zip(data.series, table, strict=True):
        points = [(x, value) for x, value in zip(data.xs, values, strict=True) if value is not None]
        if points:
            said.append(
                f"{series.label}: {_cell(points[0][1], lang, data.suffix)} ({points[0][0]}) - {_cell(points[-1][1], lang, data.suffix)} ({points[-1][0]})"
            )
    said += [f"{label}: {_cell(value, lang, data.suffix)}" for value, label in rules if value is not None]
    description = _describe(data.subtitle, said)
    return Chart(sheet.svg(bottom, data.title, description), data.title, data.subtitle, headers, rows, data.source, description)


def _draw_lines(
    sheet: _Sheet, data: Line, table: list[list[float | None]], rules: list[tuple[float | None, str]], known: list[float], lang: str
) -> float:
    low, high = (min(0.0, *known) if data.zero else min(known)), max(known)
    ends = [
        (series.label, next((value for value in reversed(values) if value is not None), None))
        for series, values in zip(data.series, table, strict=True)
    ]
    tags: list[tuple[float, str, str]] = []
    wanted = [f"{label} {_short(value, lang)}{data.suffix}" for label, value in ends if value is not None]
    wanted += [f"{label} {_short(value, lang)}{data.suffix}" for value, label in rules if value is not None]
    margin = min(sheet.width * 0.3, max((text_width(word, SMALL, bold=True) for word in wanted), default=0.0) + 10)
    right = sheet.width - margin
    frame = _columns_within(sheet, lang, data.xs, 12.0, (low, high), right, data.suffix)
    for value, label in rules:
        if value is not None:
            sheet.line([(frame.left, frame.y(value)), (right, frame.y(value))], "quiet", 1.2, ' stroke-dasharray="5 3"')
            tags.append((frame.y(value), f"{label} {_short(value, lang)}{data.suffix}", "quiet"))
    dashes = ("", ' stroke-dasharray="7 3"', ' stroke-dasharray="2 3"', ' stroke-dasharray="9 3 2 3"', "", "")
    for number, (series, values) in enumerate(zip(data.series, table, strict=True)):
        run: list[tuple[float, float]] = []
        last = max((index for index, value in enumerate(values) if value is not None), default=-1)
        spoken = -99.0
        for index, value in enumerate(values):
            if value is None:
                _flush(sheet, run, series.kind, dashes[number % 6])
                run = []
                if len(data.series) == 1:
                    words = data.missing if text_width(data.missing, SMALL) < frame.slot else MISSING
                    sheet.text(frame.centre(index), frame.top + frame.height - 5, words, anchor="middle", kind="quiet")
                continue
            x, y = frame.centre(index), frame.y(value)
            run.append((x, y))
            sheet.mark(x, y, series.kind, number)
            text = f"{_short(value, lang)}{data.suffix}"
            half = text_width(text, SMALL) / 2
            ruled = any(other is not None and abs(frame.y(other) - (y - 12)) < 8 for other, _ in rules)  # noqa: PLR2004 - a line of text
            if len(data.series) == 1 and index != last and x - half > spoken + 4 and x + half < frame.centre(last) - half:
                sheet.text(x, y + 17 if ruled and y + 20 < frame.top + frame.height else y - 8, text, anchor="middle", kind="quiet")
                spoken = x + half
        _flush(sheet, run, series.kind, dashes[number % 6])
        if last >= 0 and values[last] is not None:
            final = values[last] or 0.0
            tags.append((frame.y(final), f"{series.label} {_short(final, lang)}{data.suffix}", series.kind))
    height = frame.top + frame.height
    lowest = _place_tags(sheet, tags, right + 8, margin - 8, height)
    return max(height + 30, lowest + 8)


def _columns_within(
    sheet: _Sheet, lang: str, labels: Sequence[str], top: float, bounds: tuple[float, float], right: float, suffix: str
) -> _Columns:
    """Columns that end before the right margin."""
    ticks = nice_ticks(*bounds)
    left = max(text_width(_short(tick, lang) + suffix, SMALL) for tick in ticks) + 8
    frame = _Columns(sheet, left, top, 170.0, ticks, (right - left) / max(1, len(labels)))
    for tick in ticks:
        sheet.line([(left, frame.y(tick)), (right, frame.y(tick))], "hairline")
        sheet.text(left - 6, frame.y(tick) + 3.5, _short(tick, lang) + suffix, anchor="end", kind="quiet")
    step = max(1, math.ceil(34 / frame.slot))
    for index, label in enumerate(labels):
        if index % step == 0:
            for row, words in enumerate(fit(label, frame.slot * step - 6, SMALL, 2)):
                sheet.text(frame.centre(index), top + 185 + row * 12, words, anchor="middle", kind="quiet")
    frame.baseline(right)
    return frame


def _flush(sheet: _Sheet, run: list[tuple[float, float]], kind: str, dash: str) -> None:
    if len(run) > 1:
        sheet.line(run, kind, 2.0, dash)


def _place_tags(sheet: _Sheet, tags: list[tuple[float, str, str]], x: float, width: float, height: float) -> float:
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


def timeline(data: Timeline, *, prefix: str, lang: str = "en", width: float = 640) -> Chart:
    """Events on an axis of time; each label hangs in the lowest free lane above its mark."""
    sheet = _sheet(prefix, lang, width)
    events = sorted(data.events, key=lambda event: (event.day, event.label))
    words = dict(data.kind_words)
    rows = tuple((_day(event.day, lang, "medium"), event.label, words.get(event.kind, "")) for event in events)
    if not events:
        _empty(sheet, data.empty)
        bottom = 80.0
    else:
        top = (
            sheet.key([(kind, word) for kind, word in data.kind_words if any(event.kind == kind for event in events)], 0, marks=True)
            if words
            else 0.0
        )
        bottom = _draw_timeline(sheet, data, events, top, lang)
    description = _describe(data.subtitle, (f"{row[0]}: {row[1]}" + (f" ({row[2]})" if row[2] else "") for row in rows))
    return Chart(
        sheet.svg(bottom, data.title, description), data.title, data.subtitle, data.heads, rows, data.source, description, numeric=False
    )


def _draw_timeline(sheet: _Sheet, data: Timeline, events: Sequence[Event], top: float, lang: str) -> float:
    days = [event.day for event in events] + ([data.today] if data.today else [])
    first, last = min(days).toordinal(), max(days).toordinal()
    span = max(1, last - first)
    pad = 10.0

    def position(day: date) -> float:
        return pad + (sheet.width - 2 * pad) * (day.toordinal() - first) / span

    limit = min(190.0 if len(events) <= 12 else 130.0, sheet.width * 0.4)  # noqa: PLR2004 - shorter labels where they crowd
    flags = [_flag(event, position(event.day), limit, sheet.width, lang) for event in events]
    lanes = _lanes(flags, crossing=False)
    crossing = max(lanes) > _MOST_LANES  # a tall staircase, or no way at all: leaders then pass behind labels
    if crossing:
        lanes = _lanes(flags, crossing=True)
    axis = top + 27 * (max(lanes) + 1) + 14
    for (x, *_), lane in zip(flags, lanes, strict=True):
        sheet.line([(x, axis), (x, axis - 10 - lane * 27)], "hairline")
    for (x, start, end, label, day), lane in zip(flags, lanes, strict=True):
        y = axis - 14 - lane * 27
        if crossing:
            sheet.rect(start, y - 22, end - start - 4, 26, "paper")
        anchor, at = ("start", start + 2) if start >= x else ("end", end - 2)
        sheet.text(at, y - 12, label, anchor=anchor, bold=True)
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
_Flag = tuple[float, float, float, str, str]
"""Where an event is, where its label starts and ends, the label, the day."""


def _flag(event: Event, x: float, limit: float, width: float, lang: str) -> _Flag:
    """The label of one event, to the right of its mark or, where there is no room, to its left."""
    label = fit(event.label, limit / BOLD, SMALL)[0] if event.label.strip() else MISSING
    day = _day(event.day, lang, "d MMM y")
    wide = max(text_width(label, SMALL, bold=True), text_width(day, SMALL)) + 10
    start = x if x + wide <= width else max(0.0, min(x - wide, width - wide))
    return x, start, start + wide, label, day


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


def receipts_by_month(data: Receipts, *, prefix: str, lang: str = "en", width: float = 640) -> Chart:
    """Money due and received side by side per period; nothing received is a printed 0, unknown is a dash."""
    sheet = _sheet(prefix, lang, width)
    pairs = [(_value(month.due), _value(month.received)) for month in data.months]
    if pairs:
        top = sheet.key((("secured", data.due), ("paid", data.received)), 0) + 12
        highest = max((value for pair in pairs for value in pair if value is not None), default=0.0)
        words = [[MISSING if value is None else _short(value, lang) for value in pair] for pair in pairs]
        half = (sheet.width - 50) / len(pairs) * 0.42
        turned = any(text_width(word, SMALL) > half for pair in words for word in pair)
        longest = max(text_width(word, SMALL) for pair in words for word in pair)
        frame = _columns(
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
        _empty(sheet, data.missing)
        bottom = 80.0
    headers = (data.period, data.due, data.received)
    rows = tuple((month.label, _cell(due, lang), _cell(received, lang)) for month, (due, received) in zip(data.months, pairs, strict=True))
    said = (
        f"{month.label}: {data.due.lower()} {_say(due, lang)}, {data.received.lower()} {_say(got, lang)}"
        for month, (due, got) in zip(data.months, pairs, strict=True)
    )
    description = _describe(data.subtitle, said)
    return Chart(sheet.svg(bottom, data.title, description), data.title, data.subtitle, headers, rows, data.source, description)


def sparkline(data: Sparkline, *, prefix: str, lang: str = "en", width: float = 96, height: float = 24) -> Chart:
    """A trend the size of a word; the last value carries a dot, a missing value breaks the line."""
    sheet = _Sheet(_sheet(prefix, lang, 200).prefix, float(width), _locale(lang).language in RIGHT_TO_LEFT)
    values = [_value(value) for value in data.values]
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
                _flush(sheet, run, data.kind, "")
                run = []
                continue
            final = (4 + index * step, 4 + (height - 8) * (1 - (value - low) / span))
            run.append(final)
        _flush(sheet, run, data.kind, "")
        if final:
            sheet.mark(*final, data.kind, 0)
    rows = tuple((label, _cell(value, lang)) for label, value in zip(labels, values, strict=False))
    description = ", ".join(f"{label}: {cell}" for label, cell in rows) or MISSING
    return Chart(sheet.svg(height, data.title, description, " spark"), data.title, "", ("", ""), rows, "", description)

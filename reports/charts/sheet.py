"""The sheet a chart is drawn on: shapes, patterns, marks, the key, and the SVG element around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

from markupsafe import Markup

from reports.charts.words import BODY, RIGHT_TO_LEFT, SMALL, fit, locale_of, text_width
from reports.drawn_text import drawable

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


def coordinate(value: float) -> str:
    """A coordinate: one decimal, no trailing zero, no minus zero."""
    text = f"{value:.1f}"
    text = text.removesuffix(".0")
    return "0" if text == "-0" else text


def paint(kind: str) -> str:
    """Class and light colour of a kind."""
    return f'class="c-{kind}" color="{COLOURS[kind]}"'


_TILES: Final = {
    "pledged": (6, "M-1,1 1,-1M0,6 6,0M5,7 7,5", "secured", "pledged", 1.2),
    "gap": (8, "M-1,7 1,9M0,0 8,8M7,-1 9,1", "gap", "", 0.8),
    "domestic": (5, "M2.5,0V5", "paper", "domestic", 1.0),
}


@dataclass(slots=True)
class Sheet:
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
        box = f'x="{coordinate(self.x(x, width))}" y="{coordinate(y)}" width="{coordinate(width)}" height="{coordinate(height)}"'
        if kind in _TILES:
            self.tiles.add(kind)
            edge = _TILES[kind][2] if kind != "domestic" else "domestic"
            dash = ' stroke-dasharray="3 2"' if kind == "gap" else ""
            self.parts.append(
                f'<rect {box} fill="url(#{self.prefix}-{kind})" {paint(edge)} stroke="currentColor" stroke-width=".8"{dash}{extra}/>'
            )
        else:
            self.parts.append(f'<rect {box} {paint(kind)} fill="currentColor"{extra}/>')

    def line(self, points: Sequence[tuple[float, float]], kind: str, width: float = 1.0, extra: str = "") -> None:
        """An open line through points."""
        path = "M" + " ".join(f"{coordinate(self.x(x))},{coordinate(y)}" for x, y in points)
        self.parts.append(f'<path d="{path}" {paint(kind)} fill="none" stroke="currentColor" stroke-width="{width:g}"{extra}/>')

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
        px, py = coordinate(self.x(x) + (size * 0.35 if turn else 0.0)), coordinate(y)
        attrs = "" if anchor == "start" else f' text-anchor="{anchor}"'
        attrs += "" if size == SMALL else f' font-size="{size:g}"'
        attrs += ' font-weight="700"' if bold else ""
        attrs += f' transform="rotate(-90 {px} {py})"' if turn else ""
        attrs += "" if kind == "ink" else f' {paint(kind)} fill="currentColor"'
        text = drawable(text)
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
        painted = paint(name)
        filled, open_ = f'{painted} fill="currentColor"', f'{painted} fill="none" stroke="currentColor" stroke-width="1.5"'
        paths = {
            "square": f'<path d="M{coordinate(px - 3.5)},{coordinate(py - 3.5)}h7v7h-7z" {filled}/>',
            "triangle": f'<path d="M{coordinate(px)},{coordinate(py - 4.5)}l4.5,8h-9z" {filled}/>',
            "diamond": f'<path d="M{coordinate(px)},{coordinate(py - 4.5)}l4.5,4.5 -4.5,4.5 -4.5,-4.5z" {filled}/>',
            "tick": f'<path d="M{coordinate(px - 4.5)},{coordinate(py)}l3.5,3.5 5.5,-7.5" {painted} fill="none" stroke="currentColor" stroke-width="2.2"/>',
            "cross": f'<path d="M{coordinate(px - 3.5)},{coordinate(py - 3.5)}l7,7m0,-7l-7,7" {open_}/>',
            "ring": f'<circle cx="{coordinate(px)}" cy="{coordinate(py)}" r="3.5" {open_}/>',
            "clock": f'<path d="M{coordinate(px - 4.5)},{coordinate(py)}a4.5,4.5 0 1 1 9,0a4.5,4.5 0 1 1 -9,0M{coordinate(px)},{coordinate(py - 3)}v3h2.5" {open_}/>',
            "circle": f'<circle cx="{coordinate(px)}" cy="{coordinate(py)}" r="4" {filled}/>',
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
            f'<svg xmlns="http://www.w3.org/2000/svg" class="chart{css}" viewBox="0 0 {coordinate(self.width)} {coordinate(height)}" width="{coordinate(self.width)}" height="{coordinate(height)}" '
            f'role="img" aria-labelledby="{self.prefix}-t {self.prefix}-d" direction="ltr" font-family="{FAMILY}" font-size="{SMALL:g}">'
            f'<title id="{self.prefix}-t">{escape(title)}</title><desc id="{self.prefix}-d">{escape(description)}</desc>'
        )
        body = f'{defs}<g {paint("ink")} fill="currentColor">{"".join(self.parts)}</g></svg>'
        return Markup(head + body)  # noqa: S704 - every text in it went through escape()

    def _tile(self, kind: str) -> str:
        size, path, stroke, ground, width = _TILES[kind]
        base = f'<rect width="{size}" height="{size}" {paint(ground)} fill="currentColor"/>' if ground else ""
        return (
            f'<pattern id="{self.prefix}-{kind}" width="{size}" height="{size}" patternUnits="userSpaceOnUse">{base}'
            f'<path d="{path}" {paint(stroke)} fill="none" stroke="currentColor" stroke-width="{width:g}"/></pattern>'
        )


def new_sheet(prefix: str, lang: str, width: float) -> Sheet:
    if not prefix or not all(char.isalnum() or char in "-_" for char in prefix):
        message = "the prefix of a chart's ids is letters, digits, - and _"
        raise ValueError(message)
    return Sheet(escape(prefix), max(200.0, float(width)), locale_of(lang).language in RIGHT_TO_LEFT)


def describe(subtitle: str, sentences: Iterable[str]) -> str:
    return " ".join(part for part in (f"{subtitle.rstrip('.')}." if subtitle else "", "; ".join(sentences) + ".") if part != ".")


def draw_empty(sheet: Sheet, words: str) -> None:
    sheet.text(sheet.width / 2, 40, words, anchor="middle", kind="quiet", size=BODY)

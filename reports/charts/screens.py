"""One chart in two widths: the page's style sheet shows the one that its column has room for, so that words stay readable."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, Protocol

from markupsafe import Markup

from reports.charts.shapes import Chart

WIDE, NARROW = 620.0, 310.0


class Draw(Protocol):
    """A function of this package that draws a chart."""

    def __call__(self, data: Any, *, prefix: str, lang: str, width: float) -> Chart: ...


@functools.lru_cache(maxsize=128)
def for_screens(draw: Draw, data: Any, *, prefix: str, lang: str = "en") -> Chart:
    """The chart drawn twice, for a column of a desk and for a phone; its table and description once. Not for documents.

    A chart is what its data say, so one that was drawn shortly before is taken as it is. Exactly one of the two is displayed (`.chart-wide`, `.chart-narrow`), so that a screen reader meets one as well."""
    wide = draw(data, prefix=prefix, lang=lang, width=WIDE)
    narrow = draw(data, prefix=f"{prefix}-n", lang=lang, width=NARROW)
    both = Markup('<div class="chart-wide">{}</div><div class="chart-narrow">{}</div>').format(wide.svg, narrow.svg)
    return dataclasses.replace(wide, svg=both)

"""A briefing pack from its records to its bytes, the steps timed apart; and the same HTML through WeasyPrint alone."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from dataclasses import dataclass

from bench.dataset import ROOT
from crm import clock
from crm.policy import Actor
from reports import registry, snapshots

SLUG = "briefing-pack"


@dataclass(frozen=True)
class Made:
    """One pack: seconds of reading with figures, charts and HTML (`building`), and of drawing in the child process."""

    building: float
    drawing: float
    pages: int
    size: int
    html: str


def make(actor: Actor, interaction: uuid.UUID) -> Made:
    """Build the pack of a planned meeting. The actor is bound already."""
    report = registry.get(SLUG)
    order = registry.Order({"interaction": interaction}, clock.today(actor.timezone), clock.now(), actor.timezone, "BENCH-0001")
    began = time.perf_counter()
    built = report.build(actor, order)
    middle = time.perf_counter()
    pdf = snapshots.draw(built.frozen)
    return Made(middle - began, time.perf_counter() - middle, pdf.pages, len(pdf.bytes), built.frozen.html)


def weasyprint_alone(html: str, times: int) -> float:
    """Least seconds of WeasyPrint for the same HTML, warm, without our rewriting of the PDF; in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.packs", str(times)], cwd=ROOT, input=html.encode(), capture_output=True, check=True, timeout=300
    )
    return float(done.stdout.decode().split()[-1])


def main() -> None:
    """Read HTML, draw it, print the least seconds."""
    from reports._render_child import Artist  # noqa: PLC0415 - starts WeasyPrint, in this process only

    markup, artist, seconds = sys.stdin.buffer.read().decode(), Artist(), []
    for _number in range(int(sys.argv[1]) + 1):
        began = time.perf_counter()
        html = artist.weasyprint.HTML(string=markup, url_fetcher=artist.fetcher({}, set()), base_url="asset:/")
        html.render(font_config=artist.fonts, presentational_hints=False).write_pdf(pdf_variant="pdf/ua-1")
        seconds.append(time.perf_counter() - began)
    print(min(seconds[1:]))


if __name__ == "__main__":
    main()

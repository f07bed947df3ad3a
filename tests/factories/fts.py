"""FTS files for tests: the real ones, and small ones made from them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

REAL = Path(__file__).resolve().parent.parent / "data" / "real"
WITH_TAGS = REAL / "fts-incoming-funding-jor-2020-hxl.csv"
PLAIN = REAL / "fts-incoming-funding-jor-plain.csv"
REQUIREMENTS = REAL / "fts-requirements-jor-2020-hxl.csv"


def rows() -> tuple[list[str], list[list[str]]]:
    """Headings and rows of the plain file."""
    with PLAIN.open(encoding="utf-8-sig", newline="") as file:
        header, *found = csv.reader(file)
    return header, found


def file_of(*changes: dict[str, Any], size: int | None = None) -> bytes:
    """The first `size` rows (default: one a change) of the real file, each with the cells of a change put in."""
    header, found = rows()
    changed = []
    for place in range(size or len(changes)):
        row = list(found[place])
        for name, value in (changes[place] if place < len(changes) else {}).items():
            row[header.index(name)] = str(value)
        changed.append(row)
    return table(header, changed)


def table(header: list[str], found: list[list[str]]) -> bytes:
    """A file of these headings and rows."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(found)
    return out.getvalue().encode()


def long_file(size: int) -> bytes:
    """The plain file's rows over and over, each with an id of its own."""
    header, found = rows()
    place = header.index("id")
    return table(
        header,
        [[*row[:place], str(5_000_000 + number), *row[place + 1 :]] for number in range(size) for row in [found[number % len(found)]]],
    )

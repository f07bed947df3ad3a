"""The process that opens a workbook: bytes on stdin, its cells as JSON lines on stdout, within bounds. Imports nothing of ours.

Started by `crm.exchange.spreadsheet` as a script. It bounds its own memory and processor time, so that a workbook made to
fill the machine ends this process alone. Formulas are never run: a cell gives the value that was saved with it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import sys
from decimal import Decimal
from functools import lru_cache
from typing import Any

import python_calamine

try:
    import resource as limits
except ImportError:  # pragma: no cover - absent on Windows
    LIMITS: Any = None
else:
    LIMITS = limits

_LARGEST = 1e21
_THOUSANDS = 3
_as_json = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def bound(megabytes: int, seconds: int) -> None:
    """Bound address space and processor time."""
    if LIMITS is None:  # pragma: no cover - absent on Windows
        return
    with contextlib.suppress(ValueError, OSError):
        LIMITS.setrlimit(LIMITS.RLIMIT_AS, (megabytes << 20, megabytes << 20))
        LIMITS.setrlimit(LIMITS.RLIMIT_CORE, (0, 0))
        LIMITS.setrlimit(LIMITS.RLIMIT_CPU, (seconds, seconds + 1))  # the first ends it by a signal that says why


@lru_cache(maxsize=4096, typed=True)  # lists say the same numbers and days again and again; typed: 1.0 is not True
def text_of(value: Any) -> str:
    """A cell as text: whole numbers without a point, days as 2026-11-30, a time of day as 14:30. Other numbers have the fifteen
    digits that spreadsheets show, and never three decimals, which could be read as thousands."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _LARGEST else _number(value)
    if isinstance(value, dt.datetime):
        is_day = (value.hour, value.minute, value.second) == (0, 0, 0)
        return value.date().isoformat() if is_day else value.isoformat(" ", "minutes")
    if isinstance(value, dt.time):
        return value.isoformat("minutes")
    return str(value)


def _number(value: float) -> str:
    text = format(Decimal(f"{value:.15g}"), "f")
    return f"{text}0" if len(text.partition(".")[2]) == _THOUSANDS else text


def send(out: Any, value: object) -> int:
    """Write one JSON line; returns its length."""
    return int(out.write(_as_json(value).encode() + b"\n"))


def first_list(book: Any, names: list[str]) -> tuple[str, Any]:
    """The first sheet of more than one row, since a cover may stand before the list; else the first that holds something. A sheet is
    read once: that is most of the work."""
    first: tuple[str, Any] | None = None
    for name in names:
        sheet = book.get_sheet_by_name(name)
        if sheet.start is not None and sheet.end[0] > sheet.start[0]:
            return name, sheet
        if first is None or (first[1].start is None and sheet.start is not None):
            first = name, sheet
    return first or ("", None)


def main(wanted: str, most_rows: int, most_columns: int, most_bytes: int) -> None:
    """Answer {"sheets": […], "sheet": …} or {"refused": reason}, then [row number, [cells]] for each row that is not blank."""
    out = sys.stdout.buffer
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        names = [sheet.name for sheet in book.sheets_metadata if sheet.visible == python_calamine.SheetVisibleEnum.Visible]
        if not names:
            send(out, {"refused": "empty"})
            return
        name, sheet = (wanted, book.get_sheet_by_name(wanted)) if wanted in names else first_list(book, names)
    except Exception:  # noqa: BLE001 - whatever a strange file does to the parser, it is one answer
        send(out, {"refused": "damaged"})
        return
    if sheet.end is None or sheet.start is None:
        send(out, {"sheets": names, "sheet": name})
        return
    if sheet.end[1] + 1 > most_columns:
        send(out, {"refused": "columns"})
        return
    if sheet.end[0] + 1 > most_rows:
        send(out, {"refused": "rows"})
        return
    send(out, {"sheets": names, "sheet": name})
    lead = [""] * sheet.start[1]
    sent = 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        cells = [*lead, *(cell if type(cell) is str else text_of(cell) for cell in row)]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            sent += send(out, [number, cells])
        if sent > most_bytes:
            send(out, {"refused": "size"})
            return


if __name__ == "__main__":
    bound(int(sys.argv[1]), int(sys.argv[2]))
    main(sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]))

"""The process that looks into files: paths in, one line of JSON for each out. It bounds its own memory, processor time and output."""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pikepdf
from PIL import Image

from crm.exchange.inspection import office, pdfs, photos, sniffing
from crm.exchange.inspection.kinds import MOST_BYTES, PDF, PHOTOS, Unfit

resource: Any = None
with contextlib.suppress(ImportError):  # Windows has none: there the parent's time limit is what remains
    resource = importlib.import_module("resource")

#: Megabytes that looking into a file may take on top of what the process has, by its kind.
_MEMORY = {PDF: 200, **dict.fromkeys(PHOTOS, 500)}
_OTHERS = 150
_SECONDS = 10
_MB = 1 << 20


def _bound(kind: str) -> None:
    """Allow this file so much memory and processor time; beyond them it is refused, or the process ends."""
    if resource is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + _SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    status = Path("/proc/self/statm")
    if status.exists():
        held = int(status.read_text().split()[0]) * resource.getpagesize()
        most = held + _MEMORY.get(kind, _OTHERS) * _MB
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _inspect(order: dict[str, str]) -> dict[str, Any]:
    source, cleaned, thumbnail = Path(order["source"]), Path(order["cleaned"]), Path(order["thumbnail"])
    size = source.stat().st_size
    if size > MOST_BYTES:
        raise Unfit("size")
    kind = sniffing.recognise(source)
    _bound(kind)
    if kind in PHOTOS:
        photos.clean(kind, source, cleaned, thumbnail)
        return {"kind": kind, "is_cleaned": True}
    if kind == PDF:
        pdfs.check(source)
    elif kind == sniffing.ZIP:
        with source.open("rb") as stream:
            kind = office.check(stream, size)
    return {"kind": kind, "is_cleaned": False}


def _answer(order: dict[str, str]) -> dict[str, Any]:
    try:
        return _inspect(order)
    except Unfit as error:
        return {"reason": error.reason, "values": error.values}
    except MemoryError:
        return {"reason": "heavy", "values": {}}
    except (Image.DecompressionBombError, OSError, ValueError, SyntaxError, pikepdf.PdfError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            return {"failed": error.errno}  # the disk, not the file
        return {"reason": "damaged", "values": {}}


def main() -> None:
    """Read the orders, look into one file after the other, say at once what was found."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin.readlines():
        sys.stdout.write(json.dumps(_answer(json.loads(line))) + "\n")
        sys.stdout.flush()


main()

"""Files as evidence: whether they may be kept, said in words; and names that harm nobody. Looking inside is another process's work."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crm.errors import Refused
from crm.exchange.inspection.kinds import (
    CSV,
    DOCX,
    ENDINGS,
    JPEG,
    MOST_BYTES,
    MOST_PAGES,
    MOST_PIXELS,
    ODP,
    ODS,
    ODT,
    PDF,
    PHOTOS,
    PNG,
    PPTX,
    TXT,
    WEBP,
    XLSX,
)
from crm.formatting import file_size, number
from crm.i18n import LazyText, _l, get_locale
from crm.i18n import gettext as _

ROOT = Path(__file__).resolve().parents[2]
NAME_LENGTH = 150
_NAME_BYTES = 220  # an ending more, and it is still a name on every file system
_SECONDS = 15.0  # of wall time for each file, on top of the start
_START = 15.0
_ENDING = re.compile(r"\.([A-Za-z0-9]{1,5})$")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_JOINERS = "\u200c\u200d"  # part of how Persian, Hindi and some signs are written
_DEVICES = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)

KIND_NAMES: Mapping[str, LazyText] = {
    PDF: _l("PDF"),
    JPEG: _l("Photo"),
    PNG: _l("Picture"),
    WEBP: _l("Picture"),
    DOCX: _l("Word document"),
    XLSX: _l("Excel workbook"),
    PPTX: _l("PowerPoint presentation"),
    ODT: _l("OpenDocument text"),
    ODS: _l("OpenDocument spreadsheet"),
    ODP: _l("OpenDocument presentation"),
    TXT: _l("Text"),
    CSV: _l("Table as text"),
}
#: What a file chooser offers (photos by kind, so that a phone offers its camera and turns HEIC into JPEG); the content decides.
ACCEPT = ",".join([*PHOTOS, *(f".{ending}" for kind, endings in ENDINGS.items() if kind not in PHOTOS for ending in endings)])

#: Why a file is not kept, and what to do. Each is one whole text, so that it can be translated.
SENTENCES: Mapping[str, LazyText] = {
    "empty": _l("“%(name)s” is empty."),
    "size": _l("“%(name)s” is larger than %(most)s. Send it in parts, or scan it with fewer dots."),
    "pages": _l("“%(name)s” has %(pages)s pages; at most %(most_pages)s are kept. Send the pages that matter."),
    "pixels": _l("“%(name)s” measures %(width)s × %(height)s pixels; at most %(most_pixels)s million in all are kept. Make it smaller."),
    "heavy": _l("“%(name)s” takes more work to open than a file of its kind should. Print it to a PDF and send that."),
    "bomb": _l("“%(name)s” would unpack to far more than it seems to hold. It is not kept."),
    "damaged": _l("“%(name)s” is damaged or cut off: it cannot be opened. Send it again from where it came from."),
    "locked": _l("“%(name)s” needs a password to be opened. Send it without one; access to it here is that of the record."),
    "acts": _l("“%(name)s” is a PDF that runs something when it is opened. Print it to a PDF and send that."),
    "holds-files": _l("“%(name)s” carries other files inside. Take them out and send each for itself."),
    "two-files": _l("“%(name)s” holds something else behind its end. Print it to a PDF and send that."),
    "macros": _l("“%(name)s” holds macros. Save it without them (as .docx, .xlsx, .pptx or OpenDocument) and send that."),
    "holds-program": _l("“%(name)s” holds a program (%(part)s). It is not kept."),
    "holds-object": _l("“%(name)s” holds an embedded object (%(part)s). Save it as a PDF and send that."),
    "fetches": _l("“%(name)s” would fetch a template or an object from elsewhere when it is opened. Save it as a PDF and send that."),
    "animated": _l("“%(name)s” moves. Send a picture that stands still."),
    "program": _l("“%(name)s” is a program. Programs are not kept."),
    "web-page": _l("“%(name)s” is a web page or a drawing that can run scripts (HTML, XML, SVG). Print it to a PDF and send that."),
    "old-office": _l("“%(name)s” is in an old Office format or needs a password. Save it as .docx, .xlsx, .pptx or PDF and send that."),
    "rich-text": _l("“%(name)s” is rich text (RTF). Save it as .docx or PDF and send that."),
    "postscript": _l("“%(name)s” is PostScript. Save it as a PDF and send that."),
    "gif": _l("“%(name)s” is a GIF. Save it as PNG and send that."),
    "tiff": _l("“%(name)s” is a TIFF. Save it as PDF or PNG and send that."),
    "heic": _l("“%(name)s” is a photo in a format that not every reader opens (HEIC). Send it as JPEG."),
    "archive": _l("“%(name)s” is an archive (ZIP or another). Send the files in it one by one."),
    "unknown": _l("“%(name)s” is of no kind that is kept here. Kept are PDF, photos, Office and OpenDocument files, TXT and CSV."),
    "unknown-kind": _l(
        "“%(name)s” (%(kind)s) is of no kind that is kept here. Kept are PDF, photos, Office and OpenDocument files, TXT and CSV."
    ),
    "ending": _l("“%(name)s” ends with .%(ending)s, which is no kind that is kept here. Give it the ending of what it is (%(wanted)s)."),
    "text": _l(
        "“%(name)s” does not hold what .%(ending)s stands for: it is plain text. Rename it to “%(right)s”, or save it as .%(ending)s and "
        "send that."
    ),
}


class NoRoom(Exception):
    """The disk would not take the cleaned file; `errno` says why."""

    def __init__(self, errno: int) -> None:
        self.errno = errno
        super().__init__(os.strerror(errno))


@dataclass(frozen=True, slots=True)
class Order:
    """A file to look into, and where to put what may come of it. `name` is as given, for the sentences."""

    name: str
    source: Path
    cleaned: Path
    thumbnail: Path


@dataclass(frozen=True, slots=True)
class Fit:
    """A file that may be kept: its kind, the name it goes by, and where it is (`cleaned` for photos)."""

    kind: str
    name: str
    path: Path
    thumbnail: Path | None


def examine(orders: Sequence[Order]) -> list[Fit | Refused]:
    """Look into files in a process of its own: for each what it is, or a refusal in words. Raises `NoRoom`."""
    answers: list[dict[str, Any]] = []
    while len(answers) < len(orders):
        found = _ask(orders[len(answers) :])
        # A process that ended early was ended by the file it was looking into; the others have their own turn.
        answers += found if len(found) == len(orders) - len(answers) else [*found, {"reason": "heavy", "values": {}}]
    return [_judge(order, answer) for order, answer in zip(orders, answers, strict=True)]


def _ask(orders: Sequence[Order]) -> list[dict[str, Any]]:
    """The answers of one process, as far as it came."""
    lines = "".join(
        json.dumps({"source": str(one.source), "cleaned": str(one.cleaned), "thumbnail": str(one.thumbnail)}) + "\n" for one in orders
    )
    kept = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "TMPDIR", "TEMP")
    environ = {name: os.environ[name] for name in kept if name in os.environ} | {"LANG": "C.UTF-8", "PYTHONUTF8": "1"}
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as said:
        asked.write(lines.encode())
        asked.seek(0)
        command = [sys.executable, "-s", "-W", "ignore", "-m", "crm.exchange.inspection"]
        with subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command, stdin=asked, stdout=said, stderr=subprocess.DEVNULL, env=environ, cwd=ROOT
        ) as process:
            try:
                process.wait(_START + _SECONDS * len(orders))
            except subprocess.TimeoutExpired:
                process.kill()
        said.seek(0)
        return [json.loads(line) for line in said.read().splitlines() if line.endswith(b"}")]


def _judge(order: Order, answer: Mapping[str, Any]) -> Fit | Refused:
    name = clean_name(order.name)
    if "failed" in answer:
        raise NoRoom(int(answer["failed"]))
    if "reason" in answer:
        return refusal(str(answer["reason"]), name, **answer["values"])
    kind = str(answer["kind"])
    stem, ending = split_name(name)
    if kind == TXT and ending in ENDINGS[CSV]:
        kind = CSV
    known = {one for endings in ENDINGS.values() for one in endings}
    # A proven kind may go by the ending of another one and is put right; text proves nothing, so that its name must fit.
    if kind in (TXT, CSV) and ending in known and ending not in (*ENDINGS[TXT], *ENDINGS[CSV]):
        return refusal("text", name, ending=ending, right=f"\u2068{stem}.{ENDINGS[TXT][0]}\u2069")
    if ending and ending not in known:
        return refusal("ending", name, ending=ending, wanted=", ".join(f".{one}" for one in ENDINGS[kind]))
    if ending not in ENDINGS[kind]:
        name = f"{stem}.{ENDINGS[kind][0]}"
    is_photo = kind in PHOTOS
    return Fit(kind, name, order.cleaned if is_photo else order.source, order.thumbnail if is_photo else None)


def refusal(reason: str, name: str, **values: str | int) -> Refused:
    """A refusal in the reader's language. `name` is a name as `clean_name` gives it."""
    reason = "unknown-kind" if reason == "unknown" and values.get("kind") else reason
    words: dict[str, object] = {key: number(value, get_locale()) if isinstance(value, int) else value for key, value in values.items()}
    words |= {
        "name": f"\u2068{name}\u2069",
        "most": file_size(MOST_BYTES, get_locale()),
        "most_pages": number(MOST_PAGES, get_locale()),
        "most_pixels": number(MOST_PIXELS // 1_000_000, get_locale()),
    }
    return Refused(str(SENTENCES[reason]) % words)


# --- names ---------------------------------------------------------------------------------------------------------


def clean_name(given: str) -> str:
    """A file name that is one name: no path, nothing that shows nothing or turns the writing round, at most 150 characters."""
    text = unicodedata.normalize("NFC", given.replace("\\", "/").rsplit("/", 1)[-1])
    text = "".join(c for c in text if c in _JOINERS or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
    text = " ".join(_UNSAFE.sub("-", text).split()).lstrip(".").rstrip(". ")
    if _DEVICES.match(text):
        text = f"_{text}"
    stem, small = split_name(text)
    ending = text[-len(small) - 1 :] if small else ""
    stem = _shorter(stem, NAME_LENGTH - len(ending) - 6, _NAME_BYTES - len(ending))
    return f"{stem or _('file')}{ending}"


def split_name(name: str) -> tuple[str, str]:
    """A name without its ending, and the ending in small letters ("" where there is none)."""
    found = _ENDING.search(name)
    if found is None or found[1].isdigit():
        return name, ""
    return name[: found.start()].rstrip(". "), found[1].lower()


def _shorter(text: str, characters: int, size: int) -> str:
    text = text[:characters]
    while len(text.encode()) > size:
        text = text[:-1]
    return text.rstrip(". " + _JOINERS)

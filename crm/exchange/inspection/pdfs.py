"""PDFs: opened whole, without running anything. Kept byte for byte, so that a signature in it stays valid; refused where it acts.

Author, dates and other metadata of a PDF stay: they are part of the evidence.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pikepdf

from crm.exchange.inspection.kinds import MOST_PAGES, Unfit

_MOST_OBJECTS = 300_000
_MOST_IMAGE_PIXELS = 150_000_000
_MOST_PIXELS = 20_000_000_000
_MOST_UNPACKED = 150_000_000
_BLOCK = 1 << 20
_DEFLATED = ("/FlateDecode", "/Fl", "/LZWDecode", "/LZW")
_MOST_ACTIONS = 1_000
_TAIL = 65_536 + 22
_ACTING = re.compile(
    rb"/(?:JS|JavaScript|Launch|ImportData|SubmitForm|GoToE|RichMedia\w*|Rendition|Movie|Sound|Screen|3D|XFA|EmbeddedFiles?|EF|FileAttachment|OpenAction|AA)\b"
)
_ACTIONS = {"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/GoToE", "/RichMediaExecute", "/Rendition", "/Movie", "/Sound"}
#: What a reader may click, but nothing may do by itself: addresses and other files (of another machine, which learns who opened it).
_CALLS = {"/URI", "/GoToR", "/Thread"}
_SHOWS = {"/RichMedia", "/Movie", "/Sound", "/Screen", "/3D", "/FileAttachment"}


def check(path: Path) -> None:
    """Raises `Unfit`: locked, damaged, too many pages, a bomb, something that acts, files within, another file behind its end."""
    _check_frame(path)
    try:
        with pikepdf.open(path, attempt_recovery=True, suppress_warnings=True) as document:
            pages = len(document.pages)
            if pages > MOST_PAGES:
                raise Unfit("pages", pages=pages)
            if not pages:
                raise Unfit("damaged")
            _check_objects(document)
    except pikepdf.PasswordError as error:
        raise Unfit("locked") from error
    except (pikepdf.PdfError, pikepdf.ForeignObjectError, ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise Unfit("damaged") from error


def _check_frame(path: Path) -> None:
    """It ends as a PDF does, and is no archive at the same time."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - _TAIL))
        tail = stream.read()
    end = tail.rfind(b"%%EOF")
    if end < 0:
        raise Unfit("damaged")
    if tail[end + 5 :].strip(b"\r\n\t \x00\x0c\x1a"):
        raise Unfit("two-files")
    for found in re.finditer(rb"PK\x05\x06", tail):  # the end of an archive, with its directory before it
        start = found.start() - int.from_bytes(tail[found.start() + 12 : found.start() + 16], "little")
        if start < 0 or tail[start : start + 4] == b"PK\x01\x02":
            raise Unfit("two-files")


def _check_objects(document: pikepdf.Pdf) -> None:
    unpacked = pixels = count = 0
    found: Iterable[Any] = document.objects  # plain values come as Python's own
    for item in found:
        count += 1
        if count > _MOST_OBJECTS:
            raise Unfit("heavy")
        if not isinstance(item, pikepdf.Object):
            continue
        is_stream = isinstance(item, pikepdf.Stream)
        if _ACTING.search(item.stream_dict.unparse() if is_stream else item.unparse(resolved=True)):
            _check_acts(item)
        if not is_stream:
            continue
        if item.get("/Subtype") == "/Image":
            pixels += _pixels(item)
            if pixels > _MOST_PIXELS:
                raise Unfit("bomb")
        else:
            unpacked += _unpacked(item, _MOST_UNPACKED - unpacked)


def _pixels(image: Any) -> int:
    width, height = image.get("/Width", 0), image.get("/Height", 0)
    if not isinstance(width, int) or not isinstance(height, int) or width < 0 or height < 0:
        raise Unfit("damaged")
    if width * height > _MOST_IMAGE_PIXELS:
        raise Unfit("bomb")
    return width * height


def _unpacked(stream: pikepdf.Object, left: int) -> int:
    """How much a deflated stream unpacks to, looked at in pieces. Raises `Unfit` beyond what is left."""
    filters = stream.get("/Filter")
    names = [str(one) for one in filters] if isinstance(filters, pikepdf.Array) else [str(filters)]
    if sum(name in _DEFLATED for name in names) > 1:
        raise Unfit("bomb")  # packed twice: nothing honest is
    if names[:1] != ["/FlateDecode"] and names[:1] != ["/Fl"]:
        return 0
    size, inflater, waiting = 0, zlib.decompressobj(), bytes(stream.read_raw_bytes())
    try:
        while waiting and not inflater.eof:
            size += len(inflater.decompress(waiting, _BLOCK))
            waiting = inflater.unconsumed_tail
            if size > left:
                raise Unfit("bomb")
    except zlib.error:
        return size  # a reader shows what it can
    return size


def _check_acts(item: Any) -> None:
    """Look through one object and what stands directly in it; what it refers to is looked at in its own turn."""
    if isinstance(item, pikepdf.Name) and str(item) in _ACTIONS | _SHOWS:
        raise Unfit("acts")  # a name set apart, so that no dictionary shows it
    waiting: list[Any] = [item]
    while waiting:
        one = waiting.pop()
        if isinstance(one, pikepdf.Array):
            waiting += _direct(one)
            continue
        if not isinstance(one, (pikepdf.Dictionary, pikepdf.Stream)):
            continue
        _check_dictionary(one)
        waiting += _direct(one.values())


def _direct(parts: Iterable[Any]) -> list[Any]:
    return [part for part in parts if isinstance(part, pikepdf.Object) and not part.is_indirect]


def _check_dictionary(one: pikepdf.Object) -> None:
    keys = set(one.keys())
    if "/JS" in keys or "/JavaScript" in keys or "/XFA" in keys or (str(one.get("/S")) in _ACTIONS):
        raise Unfit("acts")
    if keys & {"/EmbeddedFiles", "/EF"} or str(one.get("/Type")) == "/EmbeddedFile":
        raise Unfit("holds-files")
    if str(one.get("/Subtype")) in _SHOWS or _calls(one):
        raise Unfit("acts")


def _calls(one: pikepdf.Object) -> bool:
    """Whether what is done by itself when this is opened or shown, or what follows that, calls up something else."""
    by_moment = one.get("/AA")
    waiting = [one.get("/OpenAction"), *(by_moment.values() if isinstance(by_moment, pikepdf.Dictionary) else ())]
    for _each in range(_MOST_ACTIONS):
        if not waiting:
            return False
        action = waiting.pop()
        if isinstance(action, pikepdf.Dictionary):  # else a place in the document to begin at
            if str(action.get("/S")) in _CALLS:
                return True
            then = action.get("/Next")
            waiting += list(then) if isinstance(then, pikepdf.Array) else [then]
    return True

"""Telling a kind by content alone: what a name or a browser says of a file is not asked."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import puremagic

from crm.exchange.inspection.kinds import JPEG, PDF, PNG, TXT, WEBP, Unfit

ZIP = "zip"  # a container: which document it is, the check of office files says
_HEAD = 65_536
_BLOCK = 1 << 20
#: What is refused by name, since people send it: (place, first bytes, reason).
_REFUSED: tuple[tuple[int, bytes, str], ...] = (
    (0, b"MZ", "program"),
    (0, b"\x7fELF", "program"),
    (0, b"\xca\xfe\xba\xbe", "program"),
    (0, b"\xcf\xfa\xed\xfe", "program"),
    (0, b"\xce\xfa\xed\xfe", "program"),
    (0, b"L\x00\x00\x00\x01\x14\x02\x00", "program"),
    (0, b"#!", "program"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old-office"),
    (0, b"{\\rtf", "rich-text"),
    (0, b"GIF8", "gif"),
    (0, b"II*\x00", "tiff"),
    (0, b"MM\x00*", "tiff"),
    (0, b"II+\x00", "tiff"),
    (0, b"MM\x00+", "tiff"),
    (4, b"ftypheic", "heic"),
    (4, b"ftypheix", "heic"),
    (4, b"ftypmif1", "heic"),
    (4, b"ftypmsf1", "heic"),
    (4, b"ftypavif", "heic"),
    (0, b"7z\xbc\xaf\x27\x1c", "archive"),
    (0, b"Rar!", "archive"),
    (0, b"\x1f\x8b", "archive"),
    (0, b"BZh", "archive"),
    (0, b"\xfd7zXZ\x00", "archive"),
    (0, b"PK\x05\x06", "archive"),
    (0, b"%!PS", "postscript"),
)
_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_WEB = re.compile(r"<(?:!doctype|html|head|body|script|svg|iframe|object|embed|\?xml|\?php|\?=|%)|__halt_compiler", re.IGNORECASE)


def recognise(path: Path) -> str:
    """The kind of a file, or ZIP. Raises `Unfit` for everything that is not kept."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        raise Unfit("empty")
    if head.startswith(b"%PDF-"):
        return PDF
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head.startswith(b"PK\x03\x04"):
        return ZIP
    for place, signature, reason in _REFUSED:
        if head[place : place + len(signature)] == signature:
            raise Unfit(reason)
    _check_text(path, head)
    return TXT


def _check_text(path: Path, head: bytes) -> None:
    """Text is whole characters without control codes, in UTF-8, UTF-16, UTF-32 or one byte each, and no page or program."""
    encoding = next((name for mark, name in _BOMS if head.startswith(mark)), "")
    if not encoding and _CONTROLS.search(head):
        raise Unfit("unknown", kind=_guess(path))
    with path.open("rb") as stream:
        if not encoding:
            encoding = _single_or_utf8(stream.read())
            stream.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        kept = ""
        while True:
            block = stream.read(_BLOCK)
            try:
                text = kept + decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                raise Unfit("unknown", kind="") from error
            if _CONTROL_CHARACTERS.search(text):
                raise Unfit("unknown", kind="")
            if _WEB.search(text):
                raise Unfit("web-page")
            if not block:
                return
            kept = text[-20:]


def _single_or_utf8(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"  # some encoding of one byte a character: which one, nobody need know to keep it
    return "utf-8"


def _guess(path: Path) -> str:
    """What an unknown file looks like, as the ending of such names: for the sentence alone."""
    try:
        found = puremagic.from_file(str(path))
    except (puremagic.PureError, ValueError, OSError):
        return ""
    return found.lstrip(".")[:12].upper()

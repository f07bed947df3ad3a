"""Office files (OOXML, OpenDocument): a container is looked through part by part, without unpacking it, for what does not belong there.

Kept byte for byte: who wrote a document and when is part of the evidence.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from crm.exchange.inspection.kinds import DOCX, ODP, ODS, ODT, PPTX, XLSX, Unfit

_END = b"PK\x05\x06"
_END_SIZE = 22
_MOST_PARTS = 5_000
_MOST_DIRECTORY = 1_500_000
_MOST_UNPACKED = 300_000_000
_LARGE, _MOST_TIMES = 20_000_000, 150  # a part that unpacks to more than this, and to so many times its packed size, is a bomb
_MOST_INNER = 20_000_000
_MOST_XML, _MOST_ELEMENTS = 5_000_000, 100_000
_HEAD = 65_536
_ENCRYPTED = 0x1
_MAIN = {
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml": DOCX,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml": XLSX,
    "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml": PPTX,
}
_OPEN_DOCUMENT = {kind.encode(): kind for kind in (ODT, ODS, ODP)}
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!", b"L\x00\x00\x00\x01\x14\x02\x00")
_OLE = b"\xd0\xcf\x11\xe0"
_ZIPPED = b"PK\x03\x04"
#: Another document (HTML, RTF) that is put into the text when it is opened: nobody looked into that one.
_TAKEN_IN = "/aFChunk"
_FETCHED = ("/attachedTemplate", "/oleObject", "/frame", "/subDocument")


def check(stream: BinaryIO, size: int, *, is_inner: bool = False) -> str:
    """The kind of an office file. Raises `Unfit`: another container, a bomb, macros, programs, objects, addresses it would fetch."""
    _check_frame(stream, size)
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
            _check_parts(parts, archive.start_dir)
            kind = _open_document(archive) if parts[0].filename == "mimetype" else _office_open(archive)
            for part in parts:
                _check_part(archive, part, is_inner=is_inner)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, expat.ExpatError, UnicodeDecodeError) as error:
        raise Unfit("damaged") from error
    return kind


# --- the container -------------------------------------------------------------------------------------------------


def _check_frame(stream: BinaryIO, size: int) -> None:
    """Its directory stands at the very end and begins where it says, with nothing before, between or behind."""
    stream.seek(max(0, size - _END_SIZE))
    end = stream.read(_END_SIZE)
    if len(end) < _END_SIZE or end[:4] != _END or end[20:22] != b"\x00\x00":
        raise Unfit("archive")
    count, length, start = (int.from_bytes(end[a:b], "little") for a, b in ((10, 12), (12, 16), (16, 20)))
    if count > _MOST_PARTS or length > _MOST_DIRECTORY:
        raise Unfit("heavy")
    if start + length != size - _END_SIZE:
        raise Unfit("archive")


def _check_parts(parts: list[zipfile.ZipInfo], directory: int) -> None:
    """Parts that lie one behind the other from the first byte on, each once, of a sensible size."""
    if not parts:
        raise Unfit("archive")
    names = [part.filename for part in parts]
    if len(set(names)) != len(names) or any(_is_odd(name) for name in names):
        raise Unfit("damaged")
    if any(part.flag_bits & _ENCRYPTED for part in parts):
        raise Unfit("locked")
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
        raise Unfit("damaged")
    at = 0
    for part in sorted(parts, key=lambda part: part.header_offset):
        if part.header_offset < at or (at == 0 and part.header_offset):
            raise Unfit("damaged")
        at = part.header_offset + 30 + len(part.filename) + part.compress_size  # at least: a part of the header may be longer
    if at > directory:
        raise Unfit("damaged")
    if sum(part.file_size for part in parts) > _MOST_UNPACKED:
        raise Unfit("bomb")
    if any(part.file_size > _LARGE and part.file_size > _MOST_TIMES * max(1, part.compress_size) for part in parts):
        raise Unfit("bomb")


def _is_odd(name: str) -> bool:
    return (
        not name
        or name.startswith(("/", "\\"))
        or "\\" in name
        or ".." in name.split("/")
        or "\x00" in name
        or ":" in name.split("/", maxsplit=1)[0]
    )


# --- what it is ----------------------------------------------------------------------------------------------------


def _open_document(archive: zipfile.ZipFile) -> str:
    part = archive.getinfo("mimetype")
    kind = _OPEN_DOCUMENT.get(archive.read(part)) if part.file_size < 100 else None  # noqa: PLR2004 - the longest has 59
    if kind is None:
        raise Unfit("archive")
    if any(name.startswith(("Basic/", "Scripts/")) and not name.endswith("/") for name in archive.namelist()):
        raise Unfit("macros")
    if any(name.endswith("encryption-data") for name, _values in _elements(archive, "META-INF/manifest.xml")):
        raise Unfit("locked")
    return kind


def _office_open(archive: zipfile.ZipFile) -> str:
    names = set(archive.namelist())
    if "[Content_Types].xml" not in names:
        raise Unfit("archive")
    types = [values.get("ContentType", "") for _name, values in _elements(archive, "[Content_Types].xml")]
    if any("macroEnabled" in kind or "vbaProject" in kind for kind in types) or any("vbaproject" in name.lower() for name in names):
        raise Unfit("macros")
    kind = next((_MAIN[kind] for kind in types if kind in _MAIN), None)
    if kind is None:
        raise Unfit("archive")
    relations = sorted(name for name in names if name.endswith(".rels"))
    if sum(archive.getinfo(name).file_size for name in relations) > _MOST_XML:
        raise Unfit("heavy")
    for name in relations:
        for _name, values in _elements(archive, name):
            kind_of_it = values.get("Type", "")
            if values.get("TargetMode", "").lower() == "external" and kind_of_it.endswith(_FETCHED):
                raise Unfit("fetches")
            if kind_of_it.endswith(_TAKEN_IN):
                raise Unfit("holds-object", part=values.get("Target", "")[-60:])
    return kind


def _elements(archive: zipfile.ZipFile, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The elements of a small part of markup, in order, with their attributes. Raises `Unfit` where it declares entities."""
    if archive.getinfo(name).file_size > _MOST_XML:
        raise Unfit("heavy")
    found: list[tuple[str, dict[str, str]]] = []

    def note(element: str, values: dict[str, str]) -> None:
        if len(found) >= _MOST_ELEMENTS:
            raise Unfit("heavy")
        found.append((element, values))

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = note
    parser.Parse(archive.read(name), True)  # noqa: FBT003 - expat names no argument
    yield from found


def _no_doctype(*_details: object) -> None:
    raise Unfit("damaged")


# --- each part -----------------------------------------------------------------------------------------------------


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, *, is_inner: bool) -> None:
    """A part begins as such a part does: no program, no foreign object, no markup that declares entities."""
    with archive.open(part) as stream:
        is_markup = part.filename.endswith((".xml", ".rels", ".rdf"))
        head = stream.read(_HEAD if is_markup else 16)
    if head.startswith(_PROGRAMS):
        raise Unfit("holds-program", part=part.filename[-60:])
    if head.startswith(_OLE) or "activex" in part.filename.lower():
        raise Unfit("holds-object", part=part.filename[-60:])
    if is_markup and b"<!DOCTYPE" in head.replace(b"\x00", b""):
        raise Unfit("damaged")
    if head.startswith(_ZIPPED):
        if is_inner or part.file_size > _MOST_INNER:
            raise Unfit("holds-object", part=part.filename[-60:])
        inner = archive.read(part)
        try:
            check(io.BytesIO(inner), len(inner), is_inner=True)
        except Unfit as error:
            raise Unfit("holds-object", part=part.filename[-60:]) from error

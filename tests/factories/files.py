"""Files made in memory for tests: honest ones of each kind, and those that must be refused."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pikepdf
from pikepdf import Dictionary, Name
from PIL import Image

ORIENTATION, GPS, MAKE = 0x0112, 0x8825, 0x010F
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def pdf(change: Callable[[pikepdf.Pdf], object] | None = None, *, pages: int = 1, text: str = "", **save: Any) -> bytes:
    """A PDF; `text` makes it one of its own."""
    document = pikepdf.new()
    for _page in range(pages):
        document.add_blank_page()
    if text:
        document.docinfo["/Title"] = text
    if change is not None:
        change(document)
    stream = io.BytesIO()
    document.save(stream, **save)
    return stream.getvalue()


def photo(kind: str = "JPEG", size: tuple[int, int] = (400, 300), *, orientation: int = 1, color: str = "red", **save: Any) -> bytes:
    """A photo that says where and with what it was taken."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE] = orientation, "zzcamera"
    exif.get_ifd(GPS).update({1: "N", 2: (31.0, 57.0, 0.0), 3: "E", 4: (35.0, 56.0, 0.0)})
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, kind, exif=exif, **save)
    return stream.getvalue()


def office(parts: dict[str, bytes] | None = None, *, main: str = WORD, rels: str = "") -> bytes:
    """A Word document (or what `main` says) with more parts in it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types><Override PartName="/word/document.xml" ContentType="{main}"/></Types>')
        archive.writestr("_rels/.rels", f"<Relationships>{rels}</Relationships>")
        archive.writestr("word/document.xml", "<document/>")
        for name, data in (parts or {}).items():
            archive.writestr(name, data)
    return stream.getvalue()


def open_document(parts: dict[str, bytes] | None = None, kind: str = "text", manifest: str = "<manifest/>") -> bytes:
    """An OpenDocument file with more parts in it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), f"application/vnd.oasis.opendocument.{kind}")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", "<content/>")
        for name, data in (parts or {}).items():
            archive.writestr(name, data)
    return stream.getvalue()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pixel_flood(side: int = 60_000) -> bytes:
    """A PNG of a kilobyte that says it measures 3,600 million pixels."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(bytes(1000))) + _chunk(b"IEND", b"")


def deflated(megabytes: int) -> bytes:
    """So many megabytes of nothing, packed."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _one in range(megabytes)) + packer.flush()


def zip_bomb(megabytes: int = 350) -> bytes:
    """350 MB in 350 kB, as a document."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types><Override ContentType="{WORD}"/></Types>')
        with archive.open("word/document.xml", "w", force_zip64=True) as part:
            for _one in range(megabytes):
                part.write(bytes(1 << 20))
    return stream.getvalue()


def _raster(document: pikepdf.Pdf) -> None:
    image = document.make_stream(b"\0", Type=Name.XObject, Subtype=Name.Image, Width=30_000, Height=12_000, BitsPerComponent=8)
    image.ColorSpace = Name.DeviceRGB
    for page in document.pages:
        page.Resources = Dictionary(XObject=Dictionary(I=image))


def _flate(document: pikepdf.Pdf) -> None:
    stream = document.make_stream(b"")
    stream.write(deflated(200), filter=Name.FlateDecode)
    document.pages[0].Contents = stream


def _twice(document: pikepdf.Pdf) -> None:
    stream = document.make_stream(b"")
    stream.write(zlib.compress(deflated(20)), filter=pikepdf.Array([Name.FlateDecode, Name.FlateDecode]))
    document.pages[0].Contents = stream


def object_bomb() -> bytes:
    """A PDF whose list of objects unpacks to 400 MB before anything of it can be read."""
    packed = deflated(400)
    head = b"%PDF-1.5\n"
    body = b"1 0 obj\n<</Type/XRef/W[1 2 1]/Size 9/Root 2 0 R/Filter/FlateDecode/Length %d>>\nstream\n" % len(packed)
    return head + body + packed + b"\nendstream\nendobj\nstartxref\n9\n%%EOF"


def _act(**action: Any) -> Callable[[pikepdf.Pdf], object]:
    def change(document: pikepdf.Pdf) -> None:
        document.Root.OpenAction = Dictionary(**action)

    return change


def _shown(document: pikepdf.Pdf) -> None:
    document.pages[0].AA = Dictionary(O=Dictionary(S=Name.GoToR, F="//elsewhere/x.pdf", D=pikepdf.Array([0, Name.Fit])))


def _linked(document: pikepdf.Pdf) -> None:
    """As honest ones are: it opens at a page, which has a link."""
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=Dictionary(S=Name.URI, URI="https://example.org"))
    document.pages[0].Annots = pikepdf.Array([document.make_indirect(link)])
    document.Root.OpenAction = pikepdf.Array([document.pages[0].obj, Name.Fit])


def _named_apart(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = document.make_indirect(Dictionary(S=document.make_indirect(Name("/Launch")), F="x"))


def _carry(document: pikepdf.Pdf) -> None:
    document.attachments["x.exe"] = b"MZ"


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def kept() -> Iterator[tuple[str, bytes, str]]:
    """Honest files: name, bytes, kind."""
    yield "agreement.pdf", pdf(), "application/pdf"
    yield "linked.pdf", pdf(_linked), "application/pdf"
    yield "owner.pdf", pdf(encryption=pikepdf.Encryption(user="", owner="x")), "application/pdf"
    yield "photo.jpg", photo(), "image/jpeg"
    yield "photo.png", photo("PNG"), "image/png"
    yield "photo.webp", photo("WEBP"), "image/webp"
    yield "letter.docx", office({"word/embeddings/Microsoft_Word.docx": office()}), "wordprocessingml.document"
    yield "budget.xlsx", office(main=WORD.replace("wordprocessingml.document", "spreadsheetml.sheet")), "spreadsheetml.sheet"
    yield "talk.pptx", office(main=WORD.replace("wordprocessingml.document", "presentationml.presentation")), "presentationml"
    yield "letter.odt", open_document(), "opendocument.text"
    yield "budget.ods", open_document(kind="spreadsheet"), "opendocument.spreadsheet"
    yield "talk.odp", open_document(kind="presentation"), "opendocument.presentation"
    yield "words.txt", "Grüße, مرحبا 你好".encode(), "text/plain"
    yield "old.txt", "café".encode("latin-1"), "text/plain"
    yield "wide.txt", "Grüße".encode("utf-16"), "text/plain"
    yield "table.csv", b"a;b\n1;2\n", "text/csv"


def acting() -> Iterator[tuple[str, bytes, str]]:
    """PDFs that do something by themselves."""
    yield "script.pdf", pdf(_act(S=Name.JavaScript, JS="app.alert(1)")), "runs something"
    yield "hidden.pdf", pdf(_act(S=Name.JavaScript, JS="x")).replace(b"/JavaScript", b"/J#61vaScript"), "runs something"
    yield "launch.pdf", pdf(_act(S=Name.Launch, F="cmd.exe")), "runs something"
    yield "opens.pdf", pdf(_act(S=Name.URI, URI="http://x/")), "runs something"
    yield "then.pdf", pdf(_act(S=Name.GoTo, D=[0, Name.Fit], Next=[Dictionary(S=Name.URI, URI="http://x/")])), "runs something"
    yield "shown.pdf", pdf(_shown), "runs something"
    yield "apart.pdf", pdf(_named_apart), "runs something"
    yield "packed.pdf", pdf(_named_apart, object_stream_mode=pikepdf.ObjectStreamMode.generate), "runs something"


def refused() -> Iterator[tuple[str, bytes, str]]:
    """Files that are not kept: name, bytes, some words of the sentence."""
    yield "empty.pdf", b"", "is empty"
    yield "drawing.svg", SVG, "web page or a drawing"
    yield "drawing.jpg", SVG, "web page or a drawing"
    yield "page.html", b"<!DOCTYPE html><p>x", "web page"
    yield "later.txt", b"x" * 90_000 + b"<ScRiPt>", "web page"
    yield "wide.txt", "<script>".encode("utf-16"), "web page"
    yield "tool.exe", b"MZ\x90\x00" + bytes(100), "is a program"
    yield "tool.pdf", b"\x7fELF" + bytes(100), "is a program"
    yield "run.sh", b"#!/bin/sh\n", "is a program"
    yield "photo.pHaR", photo(), "ends with .phar"
    yield "run.BAT", b"echo 1", "ends with .bat"
    yield "page.php", b"just words", "ends with .php"
    yield "stub.txt", b"words <?php __HALT_COMPILER();", "web page"
    yield "moving.gif", b"GIF89a" + bytes(20), "is a GIF"
    yield "scan.tif", b"II*\x00" + bytes(20), "is a TIFF"
    yield "phone.heic", b"\x00\x00\x00\x18ftypheic" + bytes(20), "HEIC"
    yield "old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Office format"
    yield "rich.rtf", b"{\\rtf1 x}", "rich text"
    yield "many.zip", office({"x": b"x"}, main="x"), "is an archive"
    yield "noise.pdf", bytes([0, 1, 2, 3]) + os.urandom(500), "of no kind that is kept"
    yield "half.jpg", photo()[:900], "damaged"
    yield "half.pdf", pdf()[:300], "damaged"
    yield "half.docx", office()[:200], "is an archive"
    yield from acting()
    yield "carrier.pdf", pdf(_carry), "carries other files"
    yield "locked.pdf", pdf(encryption=pikepdf.Encryption(user="a", owner="b")), "needs a password"
    yield "two.pdf", pdf() + b"\nMZ\x90", "behind its end"
    yield "both.pdf", pdf() + office() + b"%%EOF", "behind its end"
    yield "long.pdf", pdf(pages=1001), "1,001 pages"
    yield "macro.docx", office({"word/vbaProject.bin": b"x"}), "holds macros"
    yield "macro2.docx", office(main="application/vnd.ms-word.document.macroEnabled.main+xml"), "holds macros"
    yield "macro.odt", open_document({"Basic/Standard/Module1.xml": b"<x/>"}), "holds macros"
    yield "object.docx", office({"word/embeddings/oleObject1.bin": b"\xd0\xcf\x11\xe0" + bytes(50)}), "embedded object"
    yield "inner.docx", office({"word/embeddings/x.docx": office({"word/vbaProject.bin": b"x"})}), "embedded object"
    yield "program.docx", office({"word/media/image1.png": b"MZ" + bytes(50)}), "holds a program"
    remote = '<Relationship Type="x/attachedTemplate" TargetMode="External" Target="http://x/"/>'
    yield "template.docx", office(rels=remote), "would fetch a template"
    other = '<Relationship Type="x/aFChunk" Target="/word/other.rtf"/>'
    yield "chunk.docx", office({"word/other.rtf": b"{\\rtf1 x}"}, rels=other), "embedded object"
    laughs = b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
    yield "laughs.docx", office({"word/styles.xml": laughs}), "damaged"
    yield "locked.odt", open_document(manifest="<m><manifest_encryption-data/></m>"), "needs a password"
    yield "both.docx", b"MZ" + office(), "is a program"
    yield "behind.docx", office() + b"MZ", "is an archive"


def scanned(times: int = 400) -> bytes:
    """A JPEG of some hundred kilobytes whose scans go over 16 million pixels again and again."""
    whole = photo(size=(4000, 4000), progressive=True)
    last, end = whole.rindex(b"\xff\xda"), whole.rindex(b"\xff\xd9")
    return whole[:last] + whole[last:end] * times + whole[end:]


def bombs() -> Iterator[tuple[str, bytes, str]]:
    """Small files that would become large: refused in two seconds and 300 MB."""
    yield "flood.png", pixel_flood(), "60,000 × 60,000"
    yield "bomb.docx", zip_bomb(), "unpack to far more"
    yield "raster.pdf", pdf(_raster, pages=100), "unpack to far more"
    yield "flate.pdf", pdf(_flate), "unpack to far more"
    yield "twice.pdf", pdf(_twice, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none), "unpack to far more"
    yield "objects.pdf", object_bomb(), "“"
    yield "scans.jpg", scanned(), "takes more work"
    yield "elements.docx", office({"word/_rels/a.rels": b"<x>" + b"<a/>" * 1_200_000 + b"</x>"}), "takes more work"
    yield "relations.docx", office({f"word/_rels/{n}.rels": b"<x>" + b" " * 4_900_000 + b"</x>" for n in range(20)}), "takes more work"

"""Photos: what tells place, time, device or author is taken out, the picture stays as it was; upright; with a small likeness.

The parts of a JPEG, PNG or WebP file that draw the picture are copied as they are. Only a photo that lies on its side is drawn anew.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageOps
from PIL.JpegImagePlugin import get_sampling

from crm.exchange.inspection.kinds import JPEG, LONGEST_SIDE, MOST_PIXELS, PNG, THUMBNAIL_SIDE, WEBP, Unfit

Image.MAX_IMAGE_PIXELS = None  # our own limit is looked at before anything is drawn
_FORMATS = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}
_ORIENTATION = 0x0112
#: Pixels times the scans that go over them: fifty million, twenty times, is two seconds' work; an honest photo has at most twelve.
_MOST_SCANNED = 1_000_000_000
_QUALITY = 95
_SCAN = b"\xff\xda"
_MARK = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"pHYs", b"hIST", b"cICP"}
)
_WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"})
_WEBP_METADATA = 0x08 | 0x04  # the flags of VP8X that announce EXIF and XMP
_WEBP_ANIMATION = 0x02


def clean(kind: str, source: Path, cleaned: Path, thumbnail: Path) -> None:
    """Write the photo without its metadata, and its likeness in small. Raises `Unfit`."""
    pixels, is_turned = _look(kind, source)
    data = _STRIPPERS[kind](source.read_bytes())
    if kind == JPEG and pixels * data.count(_SCAN) > _MOST_SCANNED:
        raise Unfit("heavy")
    if is_turned:
        _turn(kind, source, cleaned)
        data = _STRIPPERS[kind](cleaned.read_bytes())
    cleaned.write_bytes(data)
    _draw_small(kind, cleaned, thumbnail)


def _look(kind: str, source: Path) -> tuple[int, bool]:
    """How many pixels the photo has, and whether it lies on its side; its measures are looked at before a pixel is drawn."""
    with Image.open(source, formats=[_FORMATS[kind]]) as image:
        width, height = image.size
        if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
            raise Unfit("pixels", width=width, height=height)
        if getattr(image, "n_frames", 1) > 1 and kind == WEBP:
            raise Unfit("animated")
        return width * height, image.getexif().get(_ORIENTATION, 1) in range(2, 9)


def _turn(kind: str, source: Path, cleaned: Path) -> None:
    """Draw it upright with the camera's own quality; PNG and lossless WebP lose nothing."""
    with Image.open(source, formats=[_FORMATS[kind]]) as image:
        more: dict[str, object] = {"icc_profile": image.info.get("icc_profile")}
        if kind == JPEG:
            sampling = get_sampling(image)
            more |= {"qtables": image.quantization, "subsampling": max(sampling, 0)}  # type: ignore[attr-defined]
        elif kind == WEBP:
            is_lossless = b"VP8L" in source.read_bytes()[:64]
            more |= {"lossless": is_lossless, "quality": 100 if is_lossless else _QUALITY}
        upright = ImageOps.exif_transpose(image)
        upright.info = {}
        upright.save(cleaned, _FORMATS[kind], **more)


def _draw_small(kind: str, source: Path, thumbnail: Path) -> None:
    with Image.open(source, formats=[_FORMATS[kind]]) as image:
        image.draft("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE))  # JPEG: decoded at the size that is needed
        image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))  # reads every part: a damaged photo is found here
        if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
            small = Image.new("RGB", image.size, "white")
            layer = image.convert("RGBA")
            small.paste(layer, mask=layer.getchannel("A"))
        else:
            small = image.convert("RGB")
        small.info = {}
        small.save(thumbnail, "JPEG", quality=80, optimize=True)


# --- copying only what draws the picture --------------------------------------------------------------------------


def _strip_jpeg(data: bytes) -> bytes:
    """The tables, frame and scans of the first picture, JFIF, the colour profile and Adobe's colour mark; all else goes."""
    kept, at = [b"\xff\xd8"], 2
    while True:
        if data[at : at + 1] != b"\xff":
            raise Unfit("damaged")
        while data[at + 1 : at + 2] == b"\xff":  # filling
            at += 1
        mark = data[at + 1] if at + 1 < len(data) else 0
        if mark == 0xD9:  # noqa: PLR2004 - the end of the picture: what follows is another file
            return b"".join([*kept, b"\xff\xd9"])
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if length < 2 or end > len(data) or mark in (0x00, 0x01, *range(0xD0, 0xD9)):  # noqa: PLR2004
            raise Unfit("damaged")
        if body := _drawn(mark, data[at + 4 : end]):
            kept.append(data[at : at + 2] + (len(body) + 2).to_bytes(2, "big") + body)
        at = end
        if mark == 0xDA:  # noqa: PLR2004 - a scan: its coded data run until the next mark
            at = _end_of_scan(data, end)
            kept.append(data[end:at])


def _drawn(mark: int, body: bytes) -> bytes:
    """What of a part is needed to draw the picture. JFIF has room for a small likeness, of the whole picture where it was cut since."""
    if mark == 0xE0:  # noqa: PLR2004
        return body[:12] + b"\0\0" if body.startswith(b"JFIF\x00") and len(body) >= 12 else b""  # noqa: PLR2004
    if mark == 0xE2:  # noqa: PLR2004
        return body if body.startswith(b"ICC_PROFILE\x00") else b""
    if mark == 0xEE:  # noqa: PLR2004
        return body[:12] if body.startswith(b"Adobe") else b""
    return b"" if 0xE0 <= mark <= 0xEF or mark == 0xFE else body  # noqa: PLR2004 - other applications' data, and comments


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the next mark stands: not a stuffed byte, not a restart, not filling."""
    found = _MARK.search(data, at)
    if found is None:
        raise Unfit("damaged")
    return found.start()


def _strip_png(data: bytes) -> bytes:
    kept, at = [data[:8]], 8
    while True:
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data):
            raise Unfit("damaged")
        if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise Unfit("damaged")
        if name in _PNG_KEPT:
            kept.append(data[at:end])
        if name == b"IEND":
            return b"".join(kept)
        at = end


def _strip_webp(data: bytes) -> bytes:
    kept, at = [], 12
    whole = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while at + 8 <= whole:
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + length + length % 2
        if at + 8 + length > whole:
            raise Unfit("damaged")
        if name == b"VP8X":
            if data[at + 8] & _WEBP_ANIMATION:
                raise Unfit("animated")
            flags = bytes([data[at + 8] & ~_WEBP_METADATA])
            kept.append(data[at : at + 8] + flags + data[at + 9 : end])
        elif name in _WEBP_KEPT:
            kept.append(data[at : at + 8 + length] + b"\x00" * (length % 2))
        at = end
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


_STRIPPERS: dict[str, Callable[[bytes], bytes]] = {JPEG: _strip_jpeg, PNG: _strip_png, WEBP: _strip_webp}

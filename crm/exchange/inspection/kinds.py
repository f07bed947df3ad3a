"""The kinds of file that are kept, the limits, and the refusal that every check raises."""

from __future__ import annotations

PDF = "application/pdf"
JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
_OOXML = "application/vnd.openxmlformats-officedocument."
DOCX = f"{_OOXML}wordprocessingml.document"
XLSX = f"{_OOXML}spreadsheetml.sheet"
PPTX = f"{_OOXML}presentationml.presentation"
_ODF = "application/vnd.oasis.opendocument."
ODT, ODS, ODP = f"{_ODF}text", f"{_ODF}spreadsheet", f"{_ODF}presentation"
TXT, CSV = "text/plain", "text/csv"

#: Kind -> the endings of its names; the first is given to a name without one.
ENDINGS: dict[str, tuple[str, ...]] = {
    PDF: ("pdf",),
    JPEG: ("jpg", "jpeg", "jpe", "jfif"),
    PNG: ("png",),
    WEBP: ("webp",),
    DOCX: ("docx",),
    XLSX: ("xlsx",),
    PPTX: ("pptx",),
    ODT: ("odt",),
    ODS: ("ods",),
    ODP: ("odp",),
    TXT: ("txt",),
    CSV: ("csv", "tsv"),
}
PHOTOS = (JPEG, PNG, WEBP)
#: What a signed paper comes as: scanned to PDF, or written.
WRITTEN = (PDF, DOCX, ODT)

MOST_BYTES = 25_000_000
MOST_PAGES = 1_000
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 30_000
THUMBNAIL_SIDE = 360


class Unfit(Exception):
    """A file is not kept. `reason` is a key of `crm.exchange.files.SENTENCES`; `values` fill that sentence."""

    def __init__(self, reason: str, **values: str | int) -> None:
        self.reason = reason
        self.values = values
        super().__init__(reason)

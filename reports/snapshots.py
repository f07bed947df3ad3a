"""A document frozen: canonical JSON of figures, references, rates and texts, and the HTML that was drawn. Same snapshot, same bytes."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from reports import render
from reports.render import Attachment, RenderedPdf

PRINTED_DIGITS = 12
"""Digits of the content's hash that the footer prints."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """All that a PDF is made of. `content` is canonical JSON, with the attachments in it."""

    title: str
    lang: str
    created: datetime
    content: str
    html: str
    attachments: tuple[Attachment, ...]

    @property
    def id(self) -> str:
        """What the footer prints: the start of the content's SHA-256."""
        return content_id(self.content)


def content_id(content: str) -> str:
    """The short name of a content."""
    return hashlib.sha256(content.encode()).hexdigest()[:PRINTED_DIGITS]


def canonical(value: object) -> str:
    """JSON with sorted keys, exact decimals as text, no blanks: equal contents are equal texts."""
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {name: _plain(one) for name, one in named.items() if name != "svg"}  # pictures are in the HTML
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):  # a moment is one too
        return (value.astimezone(UTC) if isinstance(value, datetime) else value).isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, uuid.UUID):
        return str(value)
    return value


def content_of(slug: str, document: object, *, title: str, lang: str, created: datetime, attachments: tuple[Attachment, ...]) -> str:
    """The canonical content of a document: what it says and what is attached to it."""
    whole = {"slug": slug, "title": title, "lang": lang, "created": created, "document": document, "attachments": list(attachments)}
    return canonical(whole)


def thaw(content: str, html: str) -> Frozen:
    """A frozen document from what a snapshot row keeps."""
    held = json.loads(content)
    attachments = tuple(
        Attachment(one["name"], base64.b64decode(one["data"]), one["description"], one["relationship"]) for one in held["attachments"]
    )
    return Frozen(held["title"], held["lang"], datetime.fromisoformat(held["created"]), content, html, attachments)


def draw(frozen: Frozen) -> RenderedPdf:
    """The PDF of a frozen document. Raises RenderFailed."""
    return render.render_pdf(frozen.html, title=frozen.title, lang=frozen.lang, attachments=frozen.attachments, created=frozen.created)


def assets() -> str:
    """Hashes of every font and style sheet, as canonical JSON."""
    return canonical(render.materials())


def versions() -> str:
    """Versions of the libraries that draw, as canonical JSON. Starts the drawing process where none waits."""
    return canonical(render.warm()["libraries"])

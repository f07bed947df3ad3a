"""Document out: context to HTML (own Jinja, no request), HTML to a tagged PDF in a sealed process of its own.

What a document says is decided elsewhere (`reports/<document>.py`, `reports/templates/`); nothing here knows a noun.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import functools
import gettext as gettext_module
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from crm.errors import ThroughlineError
from reports.drawn_text import drawable, finalize

HERE = Path(__file__).resolve().parent
CHILD = HERE / "_render_child.py"

PAGE_CAP = 150
"""Pages a document may have unless the caller allows more."""
SECONDS = 20.0
"""Wall time, and processor time, that one rendering may take."""
MEMORY_MEGABYTES = 1536
"""Address space of the rendering process."""
RENDERS_PER_WORKER = 60
"""Documents after which a rendering process is replaced, so that caches do not grow for ever."""
QUEUE_SECONDS = 60.0
"""How long a caller waits for its turn."""

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})

SENTENCES = {
    "timeout": "The document took longer than {seconds:g} seconds and was stopped. Narrow its period or scope.",
    "pages": "The document came to {detail} pages; at most {page_cap} are allowed. Narrow its period or attach long tables as data.",
    "memory": "The document needed more memory than it may have. Narrow its scope or use smaller pictures.",
    "broken": "The document could not be laid out ({detail}).",
    "died": "The rendering process ended before the document was ready (code {detail}).",
    "start": "The rendering process could not start ({detail}).",
    "busy": "Other documents are being made; this one waited {detail} seconds for its turn. Try again in a minute.",
}


class RenderFailed(ThroughlineError):
    """No PDF came out. `reason` is one of the keys of SENTENCES, for a caller that words it in another language."""

    def __init__(self, reason: str, **values: object) -> None:
        self.reason = reason
        self.values = values
        super().__init__(SENTENCES[reason].format(**values))


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file embedded in the PDF. `relationship` is the PDF's own word: Data, Source, Supplement, Unspecified."""

    name: str
    data: builtins.bytes
    description: str = ""
    relationship: str = "Data"


@dataclass(frozen=True, slots=True)
class RenderedPdf:
    """A PDF. `seconds` is wall time with waiting; `refused` lists addresses the markup asked for and did not get.

    `notes` are WeasyPrint's complaints (a figure it could not draw, a link to nowhere, a character that no font holds):
    a good document has none.
    """

    bytes: builtins.bytes
    pages: int
    seconds: float
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page. All strings are ready to print; `marks` are words such as "Draft"."""

    title: str
    number: str
    level: str
    as_of: str
    marks: tuple[str, ...] = ()
    office: str = ""
    snapshot: str = ""


# --- HTML --------------------------------------------------------------------------------------------------------


@functools.cache
def stylesheet(name: str) -> Markup:
    """Text of one of our style sheets (`reports/css/<name>`), for a <style> element."""
    text = (HERE / "css" / Path(name).name).read_text(encoding="utf-8")
    return Markup(text.replace("</", "<\\/"))  # noqa: S704 - our own file


def _locale(lang: str) -> Locale:
    return Locale.parse("en_GB" if lang == "en" else lang.replace("-", "_"))


_WAYS = {"rtl": Markup(' dir="rtl"'), "ltr": Markup(' dir="ltr"')}


def direction(text: str) -> str:
    """The way of the first letter that has one, "rtl" or "ltr"; empty where none has."""
    for one in text:
        kind = unicodedata.bidirectional(one)
        if kind in ("L", "R", "AL"):
            return "ltr" if kind == "L" else "rtl"
    return ""


@functools.lru_cache(maxsize=32)
def environment(lang: str, translations: gettext_module.NullTranslations | None = None) -> Environment:
    """The Jinja environment of one language.

    Undefined names raise, everything is escaped, there is no request. Filters: `number` (Decimal | int | None ->
    text, `digits` after the point), `percent` (a share, 0.42 -> 42%), `day` (date -> long date); None prints as "-".
    Whatever is printed is `drawable` (reports.drawn_text); what goes into a sentence takes the filter of that name.
    `way` is the dir attribute of a block whose words run against the page (a Hebrew note in an English pack).
    """
    jinja = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    jinja.install_gettext_translations(translations or gettext_module.NullTranslations(), newstyle=True)  # type: ignore[attr-defined] # added by the extension
    locale = _locale(lang)

    def number(value: Decimal | float | None, digits: int = 0) -> str:
        if value is None:
            return "\N{EN DASH}"
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(value, format=pattern, locale=locale)

    def percent(value: Decimal | float | None, digits: int = 0) -> str:
        if value is None:
            return "\N{EN DASH}"
        pattern = locale.percent_formats[None].pattern
        return format_percent(value, format=pattern.replace("0%", "0." + "0" * digits + "%") if digits else pattern, locale=locale)

    def day(value: date | None, style: str = "long") -> str:
        return "\N{EN DASH}" if value is None else format_date(value, format=style, locale=locale)

    own = "rtl" if locale.language in RIGHT_TO_LEFT else "ltr"

    def way(text: str) -> Markup | str:
        """The attribute of a block whose words run against the page: WeasyPrint knows no dir="auto"."""
        found = direction(text)
        return "" if found in ("", own) else _WAYS[found]

    jinja.filters.update(number=number, percent=percent, day=day, way=way, drawable=drawable)
    jinja.globals.update(
        page_number=Markup('<span class="page-number"></span>'),
        page_count=Markup('<span class="page-count"></span>'),
    )
    jinja.globals.update(lang=lang, direction=own, stylesheet=stylesheet)
    return jinja


def render_html(template: str, context: dict[str, object], lang: str, translations: gettext_module.NullTranslations | None = None) -> str:
    """Fill `reports/templates/<template>`; the result is self-contained but for `asset:` addresses.

    Raises jinja2 errors on a missing name or template: those are our faults, not a person's.
    """
    return environment(lang, translations).get_template(template).render(context)


# --- PDF ---------------------------------------------------------------------------------------------------------


class _Worker:
    """One warm rendering process. Not thread-safe; a Renderer lends it to one thread at a time."""

    def __init__(self) -> None:
        self.scratch = tempfile.mkdtemp(prefix="throughline-render-")
        self.owner = os.getpid()
        self.renders = 0
        self.lost = ""
        self.ready: dict[str, Any] = {}
        config = Path(self.scratch) / "fonts.conf"
        config.write_text(
            f'<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig><cachedir>{self.scratch}/cache</cachedir></fontconfig>',
            encoding="utf-8",
        )
        kept = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "WEASYPRINT_DLL_DIRECTORIES")
        environ = {key: os.environ[key] for key in kept if key in os.environ}
        environ |= {"FONTCONFIG_FILE": str(config), "TMPDIR": self.scratch, "TEMP": self.scratch, "HOME": self.scratch}
        environ |= {"LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "946684800", "TZ": "UTC", "PYTHONUTF8": "1"}
        command = [sys.executable, "-s", "-P", "-W", "ignore", str(CHILD), str(MEMORY_MEGABYTES)]
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ, cwd=self.scratch
            )
        except OSError as error:
            shutil.rmtree(self.scratch, ignore_errors=True)
            raise RenderFailed("start", detail=error.strerror or "no process") from error

    def alive(self) -> bool:
        return self.owner == os.getpid() and not self.lost and self.process.poll() is None

    def exchange(self, header: dict[str, Any], blobs: list[bytes], seconds: float) -> tuple[dict[str, Any], list[bytes]]:
        """Send one request and read its answer within `seconds`; the process is killed when they are over."""
        timer = threading.Timer(seconds, self.kill, ["timeout"])
        timer.daemon = True
        timer.start()
        try:
            if not self.ready:
                self.ready, _ = self._read()
            text = json.dumps({**header, "sizes": [len(blob) for blob in blobs]}).encode()
            stream = self._pipe(self.process.stdin)
            stream.write(len(text).to_bytes(4, "big") + text)
            for blob in blobs:
                stream.write(blob)
            stream.flush()
            return self._read()
        except (EOFError, OSError, ValueError) as error:
            why = self.lost or "died"
            self.kill(why)
            raise RenderFailed(why, detail=self.process.returncode, seconds=seconds) from error
        finally:
            timer.cancel()

    def _read(self) -> tuple[dict[str, Any], list[bytes]]:
        stream = self._pipe(self.process.stdout)
        size = int.from_bytes(self._exactly(stream, 4), "big")
        header: dict[str, Any] = json.loads(self._exactly(stream, size))
        return header, [self._exactly(stream, count) for count in header["sizes"]]

    @staticmethod
    def _exactly(stream: IO[bytes], count: int) -> bytes:
        data = stream.read(count)
        if len(data) < count:
            raise EOFError
        return data

    @staticmethod
    def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
        if stream is None:  # pragma: no cover - both were asked for
            raise EOFError
        return stream

    def kill(self, why: str = "closed") -> None:
        self.lost = self.lost or why
        if self.owner != os.getpid():
            return
        with contextlib.suppress(OSError):
            self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)

    def close(self) -> None:
        """Kill the process, close its pipes, remove its scratch directory."""
        self.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        if self.owner == os.getpid():
            shutil.rmtree(self.scratch, ignore_errors=True)


@dataclass(slots=True)
class Renderer:
    """Up to `workers` warm processes shared by any number of threads.

    A process is started on first use, lent to one thread at a time, and replaced after a failure, after a document
    that asked for anything it may not have, and after RENDERS_PER_WORKER documents.
    """

    workers: int = 1
    _idle: list[_Worker] = field(default_factory=list, repr=False)
    _turns: threading.Semaphore = field(init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self._turns = threading.Semaphore(self.workers)

    def render_pdf(
        self,
        html: str,
        *,
        title: str,
        lang: str,
        assets: dict[str, bytes] | None = None,
        attachments: tuple[Attachment, ...] | list[Attachment] = (),
        created: datetime = EPOCH,
        page_cap: int = PAGE_CAP,
        seconds: float = SECONDS,
    ) -> RenderedPdf:
        """See the module's `render_pdf`."""
        started = time.monotonic()
        if not self._turns.acquire(timeout=QUEUE_SECONDS):
            raise RenderFailed("busy", detail=f"{QUEUE_SECONDS:g}")
        try:
            header: dict[str, Any] = {
                "title": title,
                "lang": lang,
                "created": created.isoformat(),
                "page_cap": page_cap,
                "cpu_seconds": seconds,
                "assets": list(assets or {}),
                "attachments": [
                    {"name": one.name, "description": one.description, "relationship": one.relationship} for one in attachments
                ],
            }
            blobs = [html.encode(), *(assets or {}).values(), *(one.data for one in attachments)]
            answer, parts = self._ask(header, blobs, seconds)
        finally:
            self._turns.release()
        if not answer.get("ok"):
            reason = answer.get("reason") if answer.get("reason") in SENTENCES else "broken"
            raise RenderFailed(str(reason), detail=answer.get("detail", ""), page_cap=page_cap, seconds=seconds)
        refused, notes = (tuple(str(one) for one in answer[name]) for name in ("refused", "notes"))
        return RenderedPdf(parts[0], int(answer["pages"]), time.monotonic() - started, refused, notes)

    def _ask(self, header: dict[str, Any], blobs: list[bytes], seconds: float) -> tuple[dict[str, Any], list[bytes]]:
        for attempt in (1, 2):
            worker = self._take()
            used = worker.renders > 0
            try:
                answer, parts = worker.exchange(header, blobs, seconds)
            except RenderFailed as failure:
                worker.close()
                if attempt == 1 and used and failure.reason == "died":
                    continue  # it may have ended while idle; a fresh one answers for itself
                raise
            worker.renders += 1
            if not answer.get("ok") or answer.get("refused") or worker.renders >= RENDERS_PER_WORKER or b"@font-face" in blobs[0]:
                worker.close()
            else:
                with self._lock:
                    self._idle.append(worker)
            return answer, parts
        raise RenderFailed("died", detail="")  # pragma: no cover - the loop returns or raises

    def _take(self) -> _Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive():
                    return worker
                worker.close()
        return _Worker()

    def warm(self) -> dict[str, Any]:
        """Start a process if none waits; what it says of itself: `seals` (walls that stand) and `libraries` (versions)."""
        with self._lock:
            ready = dict(self._idle[-1].ready) if self._idle and self._idle[-1].alive() else {}
        if not ready:
            self.render_pdf("<p>x</p>", title="x", lang="en")
            with self._lock:
                ready = dict(self._idle[-1].ready)
        return {"seals": ready["seals"], "libraries": ready["libraries"]}

    def close(self) -> None:
        """End all idle processes."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.close()


_RENDERER = Renderer()


def _after_fork() -> None:
    """A forked child (gunicorn with preload) starts its own process; the inherited one belongs to its parent."""
    global _RENDERER  # noqa: PLW0603 - one pool per process is the point
    _RENDERER = Renderer(_RENDERER.workers)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(lambda: _RENDERER.close())  # noqa: PLW0108 - whichever it is by then


def render_pdf(
    html: str,
    *,
    title: str,
    lang: str,
    assets: dict[str, bytes] | None = None,
    attachments: tuple[Attachment, ...] | list[Attachment] = (),
    created: datetime = EPOCH,
    page_cap: int = PAGE_CAP,
    seconds: float = SECONDS,
) -> RenderedPdf:
    """Draw HTML as a tagged PDF/UA-1 in a sealed process; same input, same bytes where the libraries are the same.

    `assets` maps the id in `asset:<id>` to bytes (PNG, JPEG, GIF, WebP, SVG). `created` is the document's own date,
    time zone aware: nothing of the clock enters the file. `seconds` bounds wall and processor time of this document
    (waiting for a turn apart). Safe from any thread. Raises RenderFailed, whose text is a sentence for a person.
    """
    return _RENDERER.render_pdf(
        html, title=title, lang=lang, assets=assets, attachments=attachments, created=created, page_cap=page_cap, seconds=seconds
    )


def warm() -> dict[str, Any]:
    """Start the rendering process ahead of need; returns {"seals": {wall: bool}, "libraries": {name: version}}."""
    return _RENDERER.warm()


@functools.cache
def materials() -> dict[str, str]:
    """SHA-256 of every font and style sheet shipped here, by file name: what a snapshot keeps beside its text."""
    files = sorted([*(HERE / "fonts").glob("*.ttf"), *(HERE / "css").glob("*.css")])
    return {f"{file.parent.name}/{file.name}": hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

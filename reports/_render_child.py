"""The process that draws: HTML and bytes in, a PDF out, and nothing else within reach. Imports nothing of ours.

Started by `reports.render` as a script and kept warm. It gives up the network, bounds its own memory and processor
time, sees no fonts but ours, refuses every address but preloaded `asset:` bytes and `data:image/*`, and once warm may
open only Python's own files and its scratch directory. Frames on stdin and stdout: four bytes of length, JSON, blobs.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import ctypes
import gc
import hashlib
import json
import logging
import os
import re
import select
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

HERE = Path(__file__).resolve().parent
SVG = "{http://www.w3.org/2000/svg}"
LINK_SCHEMES = ("https:", "http:", "mailto:", "tel:")
IDLE_SECONDS = 600.0
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000

FONTS = (
    ("Noto Sans", "normal", "400", "NotoSans-Regular.ttf"),
    ("Noto Sans", "normal", "700", "NotoSans-Bold.ttf"),
    ("Noto Sans", "italic", "400", "NotoSans-Italic.ttf"),
    ("Noto Sans", "italic", "700", "NotoSans-BoldItalic.ttf"),
    ("Noto Sans Arabic", "normal", "400", "NotoSansArabic-Regular.ttf"),
    ("Noto Sans Arabic", "normal", "700", "NotoSansArabic-Bold.ttf"),
    ("Noto Sans SC", "normal", "400", "NotoSansSC-Regular.ttf"),
    ("Noto Sans Symbols", "normal", "400", "NotoSansSymbols-Regular.ttf"),
    ("Noto Sans Adlam", "normal", "400", "NotoSansAdlam-Regular.ttf"),
    ("Noto Sans Armenian", "normal", "400", "NotoSansArmenian-Regular.ttf"),
    ("Noto Sans Bengali", "normal", "400", "NotoSansBengali-Regular.ttf"),
    ("Noto Sans Chakma", "normal", "400", "NotoSansChakma-Regular.ttf"),
    ("Noto Sans Devanagari", "normal", "400", "NotoSansDevanagari-Regular.ttf"),
    ("Noto Sans Ethiopic", "normal", "400", "NotoSansEthiopic-Regular.ttf"),
    ("Noto Sans Georgian", "normal", "400", "NotoSansGeorgian-Regular.ttf"),
    ("Noto Sans Gujarati", "normal", "400", "NotoSansGujarati-Regular.ttf"),
    ("Noto Sans Gurmukhi", "normal", "400", "NotoSansGurmukhi-Regular.ttf"),
    ("Noto Sans Hanifi Rohingya", "normal", "400", "NotoSansHanifiRohingya-Regular.ttf"),
    ("Noto Sans Hebrew", "normal", "400", "NotoSansHebrew-Regular.ttf"),
    ("Noto Sans KR", "normal", "400", "NotoSansKR-Regular.ttf"),
    ("Noto Sans Kannada", "normal", "400", "NotoSansKannada-Regular.ttf"),
    ("Noto Sans Khmer", "normal", "400", "NotoSansKhmer-Regular.ttf"),
    ("Noto Sans Lao", "normal", "400", "NotoSansLao-Regular.ttf"),
    ("Noto Sans Malayalam", "normal", "400", "NotoSansMalayalam-Regular.ttf"),
    ("Noto Sans Math", "normal", "400", "NotoSansMath-Regular.ttf"),
    ("Noto Sans Meetei Mayek", "normal", "400", "NotoSansMeeteiMayek-Regular.ttf"),
    ("Noto Sans Myanmar", "normal", "400", "NotoSansMyanmar-Regular.ttf"),
    ("Noto Sans NKo", "normal", "400", "NotoSansNKo-Regular.ttf"),
    ("Noto Sans Ol Chiki", "normal", "400", "NotoSansOlChiki-Regular.ttf"),
    ("Noto Sans Oriya", "normal", "400", "NotoSansOriya-Regular.ttf"),
    ("Noto Sans Sinhala", "normal", "400", "NotoSansSinhala-Regular.ttf"),
    ("Noto Sans Symbols 1", "normal", "400", "NotoSansSymbols1-Regular.ttf"),
    ("Noto Sans Symbols 2", "normal", "400", "NotoSansSymbols2-Regular.ttf"),
    ("Noto Sans Syriac", "normal", "400", "NotoSansSyriac-Regular.ttf"),
    ("Noto Sans Tamil", "normal", "400", "NotoSansTamil-Regular.ttf"),
    ("Noto Sans Telugu", "normal", "400", "NotoSansTelugu-Regular.ttf"),
    ("Noto Sans Thaana", "normal", "400", "NotoSansThaana-Regular.ttf"),
    ("Noto Sans Thai", "normal", "400", "NotoSansThai-Regular.ttf"),
    ("Noto Sans Tifinagh", "normal", "400", "NotoSansTifinagh-Regular.ttf"),
    ("Noto Serif Tibetan", "normal", "400", "NotoSerifTibetan-Regular.ttf"),
)


# --- the walls ---------------------------------------------------------------------------------------------------


def leave_network() -> bool:
    """Move into a network namespace without interfaces; False where the system does not permit it."""
    if not sys.platform.startswith("linux"):
        return False
    uid, gid = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) == 0:
        return True
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        return False
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    return True


def bound_memory(megabytes: int) -> bool:
    """Bound the address space (so that a bomb is a MemoryError here, not the machine's trouble)."""
    try:
        import resource  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return False
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        return True
    return False


def bound_processor(seconds: float) -> None:
    """Allow this many more seconds of processor time; beyond them the system kills this process."""
    try:
        import resource  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds) + 2
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (limit if hard < 0 else min(limit, hard), hard))


def close_doors(scratch: str) -> None:
    """Refuse, from now on, sockets, new processes and any file outside Python's own trees and the scratch directory."""
    trees = {sys.prefix, sys.base_prefix, sys.exec_prefix, *(entry for entry in sys.path if entry), scratch}
    roots = tuple(sorted({str(Path(tree).resolve()) + os.sep for tree in trees}))
    banned = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.fork", "os.system", "urllib.", "ftplib.", "ctypes.dlopen")

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            name = args[0]
            if isinstance(name, int):
                return
            path = os.path.realpath(os.fsdecode(name))
            if not (path + os.sep).startswith(roots):
                message = f"closed: {path}"
                raise PermissionError(message)
        elif event.startswith(banned):
            message = f"closed: {event}"
            raise PermissionError(message)

    sys.addaudithook(hook)


# --- frames ------------------------------------------------------------------------------------------------------


def read_exactly(stream: BinaryIO, count: int) -> bytes:
    """`count` bytes, or fewer at the end of the stream."""
    parts, missing = [], count
    while missing:
        part = stream.read(min(missing, 2**20))
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], list[bytes]] | None:
    """One frame: a JSON object whose "sizes" name the blobs after it; None at the end of the stream."""
    head = read_exactly(stream, 4)
    if len(head) < 4:  # noqa: PLR2004 - the four bytes of the length
        return None
    header: dict[str, Any] = json.loads(read_exactly(stream, int.from_bytes(head, "big")))
    return header, [read_exactly(stream, size) for size in header.get("sizes", [])]


def write_frame(stream: BinaryIO, header: dict[str, Any], blobs: list[bytes]) -> None:
    """Write one frame and flush it."""
    text = json.dumps({**header, "sizes": [len(blob) for blob in blobs]}).encode()
    stream.write(len(text).to_bytes(4, "big") + text)
    stream.writelines(blobs)
    stream.flush()


# --- drawing -----------------------------------------------------------------------------------------------------


def sniff(data: bytes) -> str:
    """The media type of an asset by its first bytes; names are never trusted."""
    for magic, kind in ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"), (b"\0\1\0\0", "font/ttf")):
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "image/svg+xml" if b"<svg" in data[:1024] else "application/octet-stream"


class WholeText(str):
    """A text that WeasyPrint's SVG reader, which lays out `for letter in text`, takes as one letter: so it gets shaped."""

    __slots__ = ()

    def __iter__(self) -> Iterator[str]:
        """Once, the whole."""
        return iter((str(self),))


def shape_svg_text() -> None:
    """Let SVG text without positions per letter be shaped as a whole (Arabic joins, kerning); also four times faster."""
    from weasyprint import svg  # noqa: PLC0415 - only after the walls stand

    original = svg.TAGS["text"]

    def whole(image: Any, node: Any, font_size: float) -> None:
        single = all(len(node.attrib.get(name, "").replace(",", " ").split()) < 2 for name in ("x", "y", "dx", "dy", "rotate"))  # noqa: PLR2004
        if node.text and single and "letter-spacing" not in node.attrib and "textLength" not in node.attrib:
            node._etree_node.text = WholeText(node.text)  # noqa: SLF001 - the only handle there is
        original(image, node, font_size)

    svg.TAGS.update({"text": whole, "tspan": whole, "a": whole, "textPath": original})
    svg.text = whole  # the reader compares a tag's function with this name to find its anchor


class TooManyPages(Exception):
    """The document is longer than the caller allows."""


class Notes(logging.Handler):
    """Keeps what WeasyPrint complains about: a figure it could not draw, a link to nowhere, a character without a glyph."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the first lines, each once; of mere warnings only those that a reader would see on paper."""
        if record.levelno < logging.ERROR and not str(record.msg).startswith(".notdef"):
            return
        if len(self.lines) < 50 and record.getMessage()[:300] not in self.lines:  # noqa: PLR2004 - enough to find the cause
            self.lines.append(record.getMessage()[:300])


class Artist:
    """WeasyPrint with our fonts, warmed once."""

    def __init__(self) -> None:
        import weasyprint  # noqa: PLC0415 - only after the walls stand
        from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415
        from weasyprint.urls import URLFetcher, URLFetcherResponse  # noqa: PLC0415

        class Fetcher(URLFetcher):  # type: ignore[misc] # untyped base
            """Serves preloaded bytes by `asset:<id>` and inline images; writes down everything else it was asked for."""

            def __init__(self, assets: dict[str, bytes], refused: set[str]) -> None:
                super().__init__(allowed_protocols=("asset", "data"), allow_redirects=False)
                self.handlers: list[Any] = []
                self.handle_open: dict[str, Any] = {}
                self.assets, self.refused = assets, refused

            def fetch(self, url: str, headers: object = None) -> Any:
                del headers
                scheme, _, rest = url.partition(":")
                if scheme.lower() == "asset" and rest in self.assets:
                    data = self.assets[rest]
                    return URLFetcherResponse(url, data, {"Content-Type": sniff(data)})
                if scheme.lower() == "data" and (inline := inline_image(rest)) is not None:
                    return URLFetcherResponse("data:", inline[1], {"Content-Type": inline[0]})
                self.refused.add(url[:200])
                message = "only preloaded assets may be drawn"
                raise ValueError(message)

        self.notes = Notes()
        logger = logging.getLogger("weasyprint")
        logger.handlers[:] = [self.notes]
        logger.propagate = False
        shape_svg_text()
        self.weasyprint, self.fetcher = weasyprint, Fetcher
        self.fonts = FontConfiguration()
        files = {f"font/{name}": (HERE / "fonts" / name).read_bytes() for *_, name in FONTS}
        faces = "".join(
            f"@font-face{{font-family:'{family}';font-style:{style};font-weight:{weight};src:url('asset:font/{name}')}}"
            for family, style, weight, name in FONTS
        )
        fetcher = Fetcher(files, set())
        weasyprint.CSS(string=faces, font_config=self.fonts, url_fetcher=fetcher, base_url="asset:/")
        warm = "<p style='font-family:Noto Sans,Noto Sans Arabic,Noto Sans SC'>a<b>b</b><i>c</i> \u0639 \u4e2d<svg width='9' height='9'><text>a</text></svg>"
        self._document(warm, fetcher).write_pdf(pdf_variant="pdf/ua-1")

    def _document(self, markup: str, fetcher: object) -> Any:
        html = self.weasyprint.HTML(string=markup, url_fetcher=fetcher, base_url="asset:/")
        html.base_url = "asset:/"  # <base> in the markup does not move it
        return self._render(html, set())

    def _render(self, html: Any, refused: set[str]) -> Any:
        tidy(html.etree_element, refused)
        return html.render(font_config=self.fonts, presentational_hints=False)

    def draw(self, header: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], list[bytes]]:
        """Answer one request: the PDF and its number of pages, or a verdict."""
        refused: set[str] = set()
        self.notes.lines.clear()
        names, attached = header["assets"], header["attachments"]
        assets = dict(zip(names, blobs[1 : 1 + len(names)], strict=True))
        html = self.weasyprint.HTML(string=blobs[0].decode(), url_fetcher=self.fetcher(assets, refused), base_url="asset:/")
        html.base_url = "asset:/"
        document = self._render(html, refused)
        pages = len(document.pages)
        if pages > header["page_cap"]:
            raise TooManyPages(pages)
        created = datetime.fromisoformat(header["created"]).astimezone(UTC)
        stamp = created.strftime("%Y-%m-%dT%H:%M:%SZ")
        meta = document.metadata
        meta.title, meta.lang, meta.created, meta.modified = header["title"], header["lang"], stamp, stamp
        meta.authors, meta.keywords, meta.generator, meta.description = [], [], None, None
        meta.attachments, meta.custom, meta.xmp_metadata = [], {}, []
        files = [
            self.weasyprint.Attachment(
                string=data,
                name=one["name"],
                description=one["description"],
                created=created,
                modified=created,
                relationship=one["relationship"],
            )
            for one, data in zip(attached, blobs[1 + len(names) :], strict=True)
        ]
        identity = hashlib.sha256(b"\0".join([*blobs, json.dumps(header, sort_keys=True).encode()])).hexdigest()[:32]
        pdf = document.write_pdf(pdf_variant="pdf/ua-1", attachments=files or None, pdf_identifier=identity, finisher=finish(attached))
        return {"ok": True, "pages": pages, "refused": sorted(refused), "notes": list(self.notes.lines)}, [pdf]


def inline_image(rest: str) -> tuple[str, bytes] | None:
    """Type and bytes of the part of a data: address after the colon, if it is an image."""
    kind, comma, payload = rest.partition(",")
    media, *parameters = kind.lower().split(";")
    if not comma or not media.startswith("image/"):
        return None
    data = unquote_to_bytes(payload)
    if "base64" in parameters:
        try:
            data = base64.b64decode(data)
        except (binascii.Error, ValueError):
            return None
    return media, data


def tidy(root: Any, refused: set[str]) -> None:
    """Take out links and attachments that lead anywhere unsafe; let a figure's title and description be its alt text."""
    for element in root.iter():
        tag = element.tag if isinstance(element.tag, str) else ""
        name = tag.rpartition("}")[2].lower()
        if name in {"a", "area", "link", "base"}:
            unlink(element, name, refused)
        elif tag == f"{SVG}svg":
            title, description = element.find(f"{SVG}title"), element.find(f"{SVG}desc")
            if title is not None and description is not None and description.text:
                title.text = f"{(title.text or '').rstrip('.')}. {description.text}"


def unlink(element: Any, name: str, refused: set[str]) -> None:
    """Drop the target of one link unless it is on this page or of a scheme a reader may follow."""
    keys = [key for key in element.attrib if key.rpartition("}")[2].lower() == "href"]
    relations = element.attrib.get("rel", "").lower().split()
    for key in keys:
        target = re.sub(r"[\x00-\x20]+", "", element.attrib[key])
        followed = name in {"a", "area"} and "attachment" not in relations and target.lower().startswith(("#", *LINK_SCHEMES))
        preloaded = name == "link" and relations == ["stylesheet"] and target.startswith("asset:")
        if not followed and not preloaded:
            refused.add(element.attrib[key][:200])
            del element.attrib[key]


def finish(attached: list[dict[str, str]]) -> Any:
    """Make the callback that completes what WeasyPrint leaves open in the tag tree, before the file is written.

    Header cells get their scope, links words and the Print flag, attached files their kind; running heads and feet
    become artifacts (they are tagged as content otherwise), and elements that hold nothing leave the tree.
    """

    def callback(document: Any, pdf: Any) -> None:
        word_links(document)
        dictionaries: list[Any] = [item for item in pdf.objects if isinstance(item, dict)]
        for item in dictionaries:
            if item.get("S") == "/TH":
                item["A"]["Scope"] = "/Column" if within_head(pdf, item) else "/Row"
        tree = next((item for item in dictionaries if item.get("Type") == "/StructTreeRoot"), None)
        if tree is not None:
            seen: set[int] = set()
            prune(pdf, target(pdf, tree["K"][0]), seen)
            pages = {bytes(reference): index for index, reference in enumerate(pdf.page_references)}
            numbers = target(pdf, tree["ParentTree"])["Nums"]
            for item in dictionaries:
                if item.get("Type") == "/StructElem" and item.number not in seen:
                    unmark(pdf, item, numbers[2 * pages[bytes(item["Pg"])] + 1])
        files = [item for item in dictionaries if item.get("Type") == "/Filespec"]
        for item in files:
            item["AFRelationship"] = next(
                (f"/{one['relationship']}" for one in attached if item["UF"].string == one["name"]), "/Unspecified"
            )
        if files:
            pdf.catalog["AF"] = pydyf_array([item.reference for item in files])

    return callback


def word_links(document: Any) -> None:
    """Give every link annotation the Print flag and, where the markup names it, words."""
    for page in document.pages:
        for _, _, _, box in page.links:
            annotation = getattr(box, "link_annotation", None)
            words = box.element.get("aria-label") or box.element.get("title") if box.element is not None else None
            if annotation:
                annotation["F"] = 4
                if words:
                    annotation["Contents"] = pydyf_string(words)


def target(pdf: Any, reference: bytes) -> Any:
    """The object a reference points to."""
    return pdf.objects[int(bytes(reference).split()[0])]


def prune(pdf: Any, element: Any, seen: set[int]) -> bool:
    """Take empty elements out of the tree below `element`; False if it holds nothing itself. Cells may be empty."""
    kept = []
    for kid in element["K"]:
        if isinstance(kid, bytes):
            child = target(pdf, kid)
            if child.get("Type") == "/StructElem" and not prune(pdf, child, seen):
                continue
        kept.append(kid)
    element["K"][:] = kept
    if kept or element["S"] in ("/TD", "/TH"):
        seen.add(element.number)
        return True
    return False


def unmark(pdf: Any, element: Any, numbers: list[Any]) -> None:
    """Turn the content of an element outside the tree (a margin box) into an artifact of pagination."""
    for kid in element["K"]:
        if isinstance(kid, int):
            content = target(pdf, target(pdf, element["Pg"])["Contents"]).stream
            for index, part in enumerate(content):
                if isinstance(part, dict) and part.get("MCID") == kid:
                    content[index - 1] = "/Artifact"
                    part.clear()
                    part["Type"] = "/Pagination"
                    break
            numbers[kid] = "null"


def pydyf_string(text: str) -> Any:
    """A PDF text string."""
    import pydyf  # type: ignore[import-untyped] # noqa: PLC0415 - only after the walls stand

    return pydyf.String(text)


def pydyf_array(items: list[Any]) -> Any:
    """A PDF array."""
    import pydyf  # noqa: PLC0415 - only after the walls stand

    return pydyf.Array(items)


def within_head(pdf: Any, item: Any) -> bool:
    """Does a cell stand in a THead?"""
    for _ in range(6):
        parent = item.get("P")
        if parent is None:
            return False
        item = pdf.objects[int(bytes(parent).split()[0])]
        if item.get("S") == "/THead":
            return True
        if item.get("S") == "/Table":
            return False
    return False


def libraries() -> dict[str, str]:
    """Versions of everything that decides how a page comes out."""
    found = {"python": sys.version.split()[0]}
    for name in ("weasyprint", "pydyf", "tinycss2", "tinyhtml5", "cssselect2", "fonttools", "pillow", "pyphen"):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    with contextlib.suppress(Exception):
        from weasyprint.text.ffi import pango  # noqa: PLC0415

        number = pango.pango_version()
        found["pango"] = f"{number // 10000}.{number // 100 % 100}.{number % 100}"
    with contextlib.suppress(Exception):
        from weasyprint.text.ffi import ffi, harfbuzz  # noqa: PLC0415

        found["harfbuzz"] = ffi.string(harfbuzz.hb_version_string()).decode()
    return found


def orphaned(parent: int) -> bool:
    """Has the process that started us gone?"""
    return os.name == "posix" and os.getppid() != parent


def wait_for_request(stream: BinaryIO, parent: int) -> bool:
    """Wait for the next frame; False when there is none for long or nobody is left to send one."""
    if os.name != "posix":
        return True
    waited = 0.0
    while waited < IDLE_SECONDS:
        if select.select([stream], [], [], 5.0)[0]:
            return True
        if orphaned(parent):
            return False
        waited += 5.0
    return False


def main(memory_megabytes: int) -> None:
    """Serve until stdin ends."""
    parent = os.getppid()
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints does not enter a frame
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    seals = {"network": leave_network(), "memory": bound_memory(memory_megabytes)}
    bound_processor(60)
    artist = Artist()
    close_doors(tempfile.gettempdir())
    gc.collect()
    gc.freeze()
    write_frame(answers, {"ready": True, "seals": seals, "libraries": libraries()}, [])
    while wait_for_request(requests, parent):
        frame = read_frame(requests)
        if frame is None:
            break
        header, blobs = frame
        bound_processor(header["cpu_seconds"])
        gc.disable()
        started = time.perf_counter()
        try:
            answer, pdf = artist.draw(header, blobs)
        except TooManyPages as verdict:
            answer, pdf = {"ok": False, "reason": "pages", "detail": str(verdict)}, []
        except MemoryError:
            answer, pdf = {"ok": False, "reason": "memory", "detail": ""}, []
        except Exception as error:  # noqa: BLE001 - whatever a hostile document provokes is an answer, not a crash
            answer, pdf = {"ok": False, "reason": "broken", "detail": f"{type(error).__name__}: {error}"[:500]}, []
        answer["seconds"] = round(time.perf_counter() - started, 4)
        write_frame(answers, answer, pdf)
        del frame, header, blobs, pdf
        gc.enable()
        gc.collect()
    scratch = Path(tempfile.gettempdir())
    if scratch.name.startswith("throughline-render-"):  # the parent removes it too, unless it was killed
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))

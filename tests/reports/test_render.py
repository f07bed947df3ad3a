"""The document engine with real WeasyPrint: tagged, sealed, bounded, the same bytes twice."""

from __future__ import annotations

import base64
import http.server
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import jinja2
import pikepdf
import pytest
from lxml import etree
from markupsafe import Markup
from pypdf import PdfReader

from crm.errors import ThroughlineError
from reports import render
from tests.reports import sample

CREATED = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def draw(html, **options):
    return render.render_pdf(html, **{"title": "A title", "lang": "en", "created": CREATED, **options})


def page(body, head=""):
    return f'<!doctype html><html lang="en"><head><title>x</title>{head}</head><body style="font-family: Noto Sans">{body}</body></html>'


@pytest.fixture(scope="module")
def pack():
    return render.render_pdf(sample.html(), title="Briefing pack: Northland", lang="en", created=sample.CREATED)


@pytest.fixture(scope="module")
def opened(pack):
    with pikepdf.open(BytesIO(pack.bytes)) as pdf:
        yield pdf


def elements(pdf, kind):
    return [item for item in pdf.objects if isinstance(item, pikepdf.Dictionary) and item.get("/S") == kind and "/P" in item]


# --- what a reader's software finds ---


def test_the_sample_pack_is_drawn_without_a_complaint(pack):
    assert pack.notes == ()
    assert pack.refused == ()
    assert 8 <= pack.pages <= 12


def test_it_is_tagged_and_says_that_it_is_pdf_ua(opened):
    assert opened.Root.MarkInfo.Marked
    assert opened.Root.StructTreeRoot
    with opened.open_metadata(set_pikepdf_as_editor=False) as meta:
        assert meta["pdfuaid:part"] == "1"
        assert meta["dc:title"] == "Briefing pack: Northland"


def test_title_language_and_bookmarks(opened):
    assert str(opened.docinfo["/Title"]) == "Briefing pack: Northland"
    assert str(opened.Root.Lang) == "en"
    assert opened.Root.ViewerPreferences.DisplayDocTitle
    with opened.open_outline() as outline:
        titles = [item.title for item in outline.root[0].children]
    assert titles[0] == "1 Objective and trace"
    assert "Annex A: references" in titles


def test_header_cells_say_which_way_they_lead(opened):
    scopes = [str(item.A.Scope) for item in elements(opened, "/TH")]
    assert set(scopes) == {"/Column", "/Row"}


def test_every_figure_has_alt_text_with_its_numbers(opened):
    alts = [str(item.Alt) for item in elements(opened, "/Figure")]
    assert len(alts) == 5
    assert any("Coverage rose by 18 points" in alt and "66%" in alt for alt in alts)


def test_running_heads_are_artifacts_not_content(opened):
    for one in opened.pages:
        stream = one.Contents.read_bytes()
        assert stream.count(b"/Pagination") >= 3


def test_only_our_fonts_are_in_it_and_all_are_embedded(opened):
    fonts = [item for item in opened.objects if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/FontDescriptor"]
    assert fonts
    for font in fonts:
        assert "Noto" in str(font.FontName), font.FontName
        assert "/FontFile2" in font or "/FontFile3" in font


def test_metadata_names_neither_author_nor_machine(pack, opened):
    assert set(opened.docinfo.keys()) <= {"/Title", "/Producer", "/CreationDate", "/ModDate"}
    assert str(opened.docinfo["/CreationDate"]).startswith("D:20261123093000")
    for word in (os.uname().nodename, str(Path.home()), str(render.HERE), "/throughline-render"):
        told = list(map(str, opened.docinfo.values()))
        told += [
            item.read_bytes().decode() for item in opened.objects if isinstance(item, pikepdf.Stream) and item.get("/Type") == "/Metadata"
        ]
        assert not any(re.search(rf"\b{re.escape(word)}\b", text) for text in told)


def test_links_carry_words_and_print(opened):
    links = [note for one in opened.pages for note in one.get("/Annots", [])]
    assert len(links) > 20
    assert all(int(note.F) & 4 for note in links)
    assert any(str(note.Contents) == "Reference 8" for note in links)


def test_independent_checkers_find_nothing(pack, tmp_path):
    file = tmp_path / "pack.pdf"
    file.write_bytes(pack.bytes)
    # TBL-010 takes a table of one row with a header of that row for a heading cut in pieces.
    for module, arguments in (("pdfua", ["check"]), ("outloud", ["--fail-on", "warning", "--skip", "TBL-010"])):
        command = [str(Path(sys.executable).with_name(module)), *arguments, str(file)]
        result = subprocess.run(command, check=False, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr


# --- what a reader sees ---


MM = 25.4 / 72


@pytest.fixture(scope="module")
def lines(pack, tmp_path_factory):
    """Lines of text of each page: (top, bottom, left, right in mm from the top left, text)."""
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext (poppler-utils) is not installed")
    file = tmp_path_factory.mktemp("pack") / "pack.pdf"
    file.write_bytes(pack.bytes)
    output = subprocess.run(["pdftotext", "-bbox-layout", str(file), "-"], check=True, capture_output=True).stdout
    name = "{http://www.w3.org/1999/xhtml}"
    found = []
    for one in etree.fromstring(output).iter(f"{name}page"):
        parts = []
        for line in one.iter(f"{name}line"):
            top, bottom, left, right = (float(line.get(side)) * MM for side in ("yMin", "yMax", "xMin", "xMax"))
            parts.append((top, bottom, left, right, " ".join(word.text for word in line.iter(f"{name}word"))))
        found.append(parts)
    return found


def test_every_page_says_level_date_number_and_draft(pack):
    reader = PdfReader(BytesIO(pack.bytes))
    for number, one in enumerate(reader.pages, start=1):
        text = " ".join(one.extract_text().split())
        assert "Demonstration data · Draft" in text
        assert "CA-DO-2026-0017" in text
        assert "Internal" in text
        assert "data as of 23 November 2026" in text
        assert f"page {number} of {pack.pages}" in text


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_the_steer_is_one_page_and_nothing_else_is_on_it(lang):
    result = render.render_pdf(sample.html(lang), title="x", lang=lang, created=CREATED)
    assert result.notes == ()
    pages = [one.extract_text() for one in PdfReader(BytesIO(result.bytes)).pages]
    assert "Red line" in pages[0]
    assert "Objective and trace" in pages[1]
    assert "Objective and trace" not in pages[0]


def test_no_page_but_the_last_is_less_than_a_third_full(lines):
    for number, parts in enumerate(lines[:-1], start=1):
        assert max(bottom for _, bottom, *_ in parts if bottom < 278) > 20 + 257 / 3, number


def test_no_page_ends_with_a_heading(pack, lines):
    with pikepdf.open(BytesIO(pack.bytes)) as pdf, pdf.open_outline() as outline:
        waiting, headings = list(outline.root), set()
        while waiting:
            item = waiting.pop()
            headings.add(" ".join(item.title.split()))
            waiting += item.children
    assert len(headings) > 10
    for parts in lines:
        last = max((part for part in parts if part[1] < 278), key=lambda part: part[1])
        assert last[4] not in headings


def test_nothing_stands_outside_the_margins(lines):
    for parts in lines:
        for top, bottom, left, right, text in parts:
            assert 19 < left < right < 191, text
            assert 10 < top < bottom < 290, text


def test_no_line_of_text_lies_on_another(lines):
    for parts in lines:
        for one, two in itertools.combinations(parts, 2):
            across = min(one[3], two[3]) - max(one[2], two[2])
            down = min(one[1], two[1]) - max(one[0], two[0])
            assert across < 0.3 or down < 0.6 * min(one[1] - one[0], two[1] - two[0]), (one[4], two[4])


def test_arabic_in_a_chart_is_shaped_not_spelled():
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40" font-family="Noto Sans Arabic"><title>t</title><text x="5" y="20">{}</text></svg>'
    joined, spelled = (draw(page(svg.format(text))) for text in ("ميل", "م ي ل"))
    glyphs = []
    for result in (joined, spelled):
        with pikepdf.open(BytesIO(result.bytes)) as pdf:
            content = b"".join(one.Contents.read_bytes() for one in pdf.pages)
        glyphs.append([glyph for run in re.findall(rb"<([0-9a-f]+)>", content) for glyph in re.findall(rb"....", run) if glyph != b"0003"])
    assert len(glyphs[0]) == len(glyphs[1]) == 3
    assert not set(glyphs[0]) & set(glyphs[1])


# --- the same input, the same bytes ---


def test_same_input_same_bytes_whatever_was_drawn_before_and_by_whichever_process(pack):
    draw(page("<p>Something <b>else</b> 中文 <i>before</i></p>"))
    again = render.render_pdf(sample.html(), title="Briefing pack: Northland", lang="en", created=sample.CREATED)
    fresh = render.Renderer()
    try:
        third = fresh.render_pdf(sample.html(), title="Briefing pack: Northland", lang="en", created=sample.CREATED)
    finally:
        fresh.close()
    assert pack.bytes == again.bytes == third.bytes


def test_attached_data_is_inside_and_keeps_the_bytes_stable():
    files = [render.Attachment("figures.csv", b"year,paid\n2026,5\n", "Data of figure 1")]
    one, two = (draw(page("<p>x</p>"), attachments=files) for _ in range(2))
    assert one.bytes == two.bytes
    with pikepdf.open(BytesIO(one.bytes)) as pdf:
        assert pdf.attachments["figures.csv"].get_file().read_bytes() == b"year,paid\n2026,5\n"
        assert pdf.Root.AF[0].AFRelationship == "/Data"


def test_what_differs_is_the_input():
    assert draw(page("a")).bytes != draw(page("b")).bytes
    assert draw(page("a")).bytes != draw(page("a"), created=datetime(2026, 11, 24, tzinfo=UTC)).bytes


# --- P6: it reads nothing but what it is handed ---


@pytest.fixture(scope="module")
def canary():
    """A server on loopback that counts who comes."""
    hits = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            hits.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<svg xmlns='http://www.w3.org/2000/svg'/>")

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", hits
    server.shutdown()
    server.server_close()


SECRET = "throughline-canary-5f1c"

HOSTILE = {
    "link attachment file": '<link rel=attachment href="file://{secret}">',
    "link attachment http": '<link rel=attachment href="http://{host}/a">',
    "link attachment passwd": '<link rel="attachment" href="file:///etc/passwd">',
    "link rel twice": '<link rel="stylesheet attachment" href="file://{secret}">',
    "link stylesheet http": '<link rel=stylesheet href="http://{host}/a.css">',
    "link stylesheet file": '<link rel=stylesheet href="file://{secret}">',
    "link stylesheet relative": '<link rel=stylesheet href="../../etc/passwd">',
    "link stylesheet data": '<link rel=stylesheet href="data:text/css,@import%20url(http://{host}/d)">',
    "a attachment": '<a rel=attachment href="file://{secret}">x</a>',
    "a attachment http": '<a rel="attachment nofollow" href="http://{host}/b">x</a>',
    "a file": '<a href="file:///etc/passwd">x</a>',
    "a javascript": '<a href="javascript:alert(1)">x</a>',
    "a javascript tab": '<a href="java\tscript:alert(1)">x</a>',
    "a relative": '<a href="../../x">x</a>',
    "a host": '<a href="//{host}/x">x</a>',
    "a svg": '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width=9 height=9><a xlink:href="file:///etc/passwd"><text y=9>x</text></a></svg>',
    "style import": "<style>@import url(http://{host}/i.css);</style>",
    "style import string": '<style>@import "file://{secret}";</style>',
    "style import host": '<style>@import "//{host}/i.css";</style>',
    "style background": "<style>p{{background:url(http://{host}/bg)}}</style><p>x</p>",
    "style background file": "<p style=\"background-image:url('file://{secret}')\">x</p>",
    "style list image": "<style>li{{list-style-image:url(http://{host}/l)}}</style><li>x</li>",
    "style content": "<style>p::before{{content:url(http://{host}/c)}}</style><p>x</p>",
    "style border image": '<p style="border:5px solid;border-image:url(http://{host}/bi) 3">x</p>',
    "style attr": '<style>p{{content:attr(data-u url)}}</style><p data-u="http://{host}/at">x</p>',
    "style font face": "<style>@font-face{{font-family:E;src:url(http://{host}/f)}}p{{font-family:E}}</style><p>x</p>",
    "style font face file": "<style>@font-face{{font-family:E;src:url(file://{secret})}}p{{font-family:E}}</style><p>x</p>",
    "style font face local": "<style>@font-face{{font-family:E;src:local('DejaVu Sans')}}p{{font-family:E}}</style><p>x</p>",
    "style page": "<style>@page{{background:url(http://{host}/p);@top-left{{content:url(file://{secret})}}}}</style>",
    "style link": "<style>p{{link:url(file://{secret});-weasy-link:url(http://{host}/wl)}}</style><p>x</p>",
    "style colour profile": "<style>@color-profile --x{{src:url(http://{host}/icc)}}</style>",
    "style escapes": "<style>@\\69mport 'http://{host}/e';</style>",
    "style target": "<style>p{{content:target-text(url(http://{host}/t))}}</style><p>x</p>",
    "img http": '<img src="http://{host}/i.png">',
    "img https": '<img src="https://{host}/i.png">',
    "img ftp": '<img src="ftp://{host}/i.png">',
    "img host": '<img src="//{host}/i.png">',
    "img relative": '<img src="etc/passwd">',
    "img absolute path": '<img src="/etc/passwd">',
    "img file": '<img src="file://{secret}">',
    "img file host": '<img src="file://localhost{secret}">',
    "img upper": '<img src="HTTP://{host}/u">',
    "img file upper": '<img src="FILE://{secret}">',
    "img backslash": '<img src="\\\\{host}\\i.png">',
    "img srcset": '<img srcset="http://{host}/s 2x" src="">',
    "img entity": '<img src="&#104;ttp://{host}/en">',
    "img asset unknown": '<img src="asset:unknown">',
    "img asset path": '<img src="asset:../../../../etc/passwd">',
    "img asset font": '<img src="asset:font/NotoSans-Regular.ttf">',
    "img data html": '<img src="data:text/html,<img src=http://{host}/dh>">',
    "img data svg image": "<img src=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' xmlns:x='http://www.w3.org/1999/xlink' width='9' height='9'%3E%3Cimage x:href='http://{host}/ds' width='9' height='9'/%3E%3C/svg%3E\">",
    "img data svg import": "<img src=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'%3E%3Cstyle%3E@import 'http://{host}/di';%3C/style%3E%3C/svg%3E\">",
    "img data svg xxe": "<img src=\"data:image/svg+xml,%3C!DOCTYPE s [%3C!ENTITY e SYSTEM 'file://{secret}'%3E]%3E%3Csvg xmlns='http://www.w3.org/2000/svg' width='300' height='20'%3E%3Ctext y='15'%3E%26e;%3C/text%3E%3C/svg%3E\">",
    "svg image http": '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width=9 height=9><image xlink:href="http://{host}/si" width=9 height=9 /></svg>',
    "svg image file": '<svg xmlns="http://www.w3.org/2000/svg" width=9 height=9><image href="file://{secret}" width=9 height=9 /></svg>',
    "svg use": '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width=9 height=9><use xlink:href="http://{host}/su#a" /></svg>',
    "svg use file": '<svg xmlns="http://www.w3.org/2000/svg" width=9 height=9><use href="file://{secret}#a" /></svg>',
    "svg style": '<svg xmlns="http://www.w3.org/2000/svg" width=9 height=9><style>@import "http://{host}/ss"; rect{{fill:url(http://{host}/sf)}}</style><rect width=9 height=9 /></svg>',
    "svg font face": '<svg xmlns="http://www.w3.org/2000/svg" width=9 height=9><style>@font-face{{font-family:E;src:url(http://{host}/sff)}}</style><text font-family="E" y=9>x</text></svg>',
    "svg filter": '<svg xmlns="http://www.w3.org/2000/svg" width=9 height=9><filter id=f><feImage href="http://{host}/fe" /></filter><rect width=9 height=9 filter="url(http://{host}/ff#f)" /></svg>',
    "svg foreign": '<svg xmlns="http://www.w3.org/2000/svg" width=9 height=9><foreignObject><img src="http://{host}/fo" /></foreignObject></svg>',
    "svg pattern": '<svg xmlns="http://www.w3.org/2000/svg" width=9 height=9><pattern id=p href="http://{host}/pa#p" width=3 height=3 /><rect width=9 height=9 fill="url(#p)" /></svg>',
    "object": '<object data="file://{secret}">x</object>',
    "object http": '<object data="http://{host}/o" type="image/svg+xml">x</object>',
    "embed": '<embed src="http://{host}/em" type="image/png">',
    "iframe": '<iframe src="file://{secret}"></iframe>',
    "iframe srcdoc": '<iframe srcdoc="<img src=http://{host}/ifr>"></iframe>',
    "video": '<video src="http://{host}/v" poster="http://{host}/vp"></video>',
    "base": '<base href="http://{host}/"><img src="b.png"><a href="c">x</a>',
    "base file": '<base href="file:///etc/"><img src="passwd"><link rel=stylesheet href=passwd><link rel=attachment href=passwd>',
    "base asset": '<base href="asset:/"><img src="../x">',
    "meta refresh": '<meta http-equiv=refresh content="0;url=http://{host}/m">',
    "meta author": '<meta name=author content="{secret}"><meta name=generator content=evil>',
    "body background": '<body background="http://{host}/bb">',
    "table background": '<table background="http://{host}/tb"><td background="http://{host}/td">x</table>',
    "form": '<form action="http://{host}/f"><input type=image src="http://{host}/in"></form>',
    "script": '<script src="http://{host}/js"></script><script>document.location="http://{host}/l"</script>',
    "conditional": "<!--[if gte mso 9]><img src='http://{host}/mso'><![endif]-->",
    "xml include": '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://{secret}" parse="text"/>',
    "php": "<?xml-stylesheet href='http://{host}/pi'?><p>x</p>",
}


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    file = tmp_path_factory.mktemp("secret") / "secret.txt"
    file.write_text(SECRET)
    return str(file)


@pytest.fixture(scope="module")
def guarded():
    renderer = render.Renderer()
    yield renderer
    renderer.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_markup_draws_only_text(name, canary, secret, guarded):
    host, hits = canary
    markup = HOSTILE[name].format(host=host, secret=secret)
    if name == "style colour profile":  # WeasyPrint takes a refused profile for a fault
        with pytest.raises(render.RenderFailed):
            guarded.render_pdf(f"<html lang=en><body>{markup}</body></html>", title="T", lang="en")
        assert hits == []
        return
    result = guarded.render_pdf(f"<html lang=en><body>before {markup}<p>after</p></body></html>", title="T", lang="en", created=CREATED)
    with pikepdf.open(BytesIO(result.bytes)) as pdf:
        assert not list(pdf.attachments)
        for item in pdf.objects:
            if isinstance(item, pikepdf.Stream):
                try:
                    content = item.read_bytes()
                except pikepdf.PdfError:
                    continue
                assert SECRET.encode() not in content
                assert b"root:x:0" not in content
            elif isinstance(item, pikepdf.Dictionary):
                assert item.get("/Subtype") not in {"/FileAttachment", "/Image"}
                uri = str(item.get("/URI", ""))
                assert re.match(r"(https?:|mailto:|tel:|$)", uri), uri
        assert "/Author" not in pdf.docinfo
    assert SECRET not in PdfReader(BytesIO(result.bytes)).pages[0].extract_text()
    assert hits == []


def test_a_refused_address_is_written_down():
    result = draw(
        page('<img alt=x src="http://127.0.0.1:9/i.png"><link rel=attachment href="file:///etc/passwd"><a href="javascript:x">y</a>')
    )
    assert result.refused == ("file:///etc/passwd", "http://127.0.0.1:9/i.png", "javascript:x")


def test_preloaded_and_inline_pictures_are_drawn():
    inline = base64.b64encode(PNG).decode()
    result = draw(page(f'<img alt=a src="asset:photo-1"><img alt=b src="data:image/png;base64,{inline}">'), assets={"photo-1": PNG})
    assert result.refused == ()
    with pikepdf.open(BytesIO(result.bytes)) as pdf:
        assert any(isinstance(item, pikepdf.Stream) and item.get("/Subtype") == "/Image" for item in pdf.objects)


def test_a_link_that_a_reader_may_follow_stays():
    with pikepdf.open(BytesIO(draw(page('<a href="https://example.org/a">x</a>')).bytes)) as pdf:
        assert str(pdf.pages[0].Annots[0].A.URI) == "https://example.org/a"


def test_once_warm_the_process_opens_no_file_and_no_socket():
    code = f"""
import sys, tempfile; sys.path.insert(0, {str(render.HERE)!r})
import socket, subprocess, _render_child as child
child.close_doors(tempfile.mkdtemp())
for attempt in (lambda: open('/etc/passwd'), lambda: open({str(Path(__file__))!r}), lambda: socket.create_connection(('127.0.0.1', 9)), lambda: subprocess.run(['true']), lambda: __import__('os').system('true'), lambda: __import__('os').fork()):
    try:
        attempt()
    except PermissionError:
        continue
    sys.exit(1)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_where_the_system_permits_the_process_has_no_network():
    seals = render.warm()["seals"]
    if not seals["network"]:
        pytest.skip("this system does not permit network namespaces: the closed fetcher alone stands")
    assert seals["memory"]


# --- bounds ---


def test_too_many_pages_is_a_sentence():
    with pytest.raises(render.RenderFailed, match=r"came to 6 pages; at most 5") as caught:
        draw(page("<p style='break-after:page'>x</p>" * 5 + "y"), page_cap=5)
    assert caught.value.reason == "pages"
    assert isinstance(caught.value, ThroughlineError)


def test_a_document_that_takes_too_long_is_stopped_and_the_next_one_is_drawn():
    started = time.monotonic()
    with pytest.raises(render.RenderFailed, match="longer than 1 seconds") as caught:
        draw(page("<table>" + "<tr><td>a<td>b<td>c</tr>" * 20000 + "</table>"), seconds=1.0)
    assert caught.value.reason == "timeout"
    assert time.monotonic() - started < 6
    assert draw(page("x")).pages == 1


def test_a_picture_bomb_fails_or_is_left_out_but_does_not_hang():
    svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>" + "<g>" * 3000 + "</g>" * 3000 + "</svg>"
    entities = (
        "<!DOCTYPE s [<!ENTITY a 'aaaaaaaaaa'>"
        + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
        + "]><svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><text>&j;</text></svg>"
    )
    for data in (svg.encode(), entities.encode()):
        started = time.monotonic()
        try:
            draw(page('<img alt=x src="asset:bomb">'), assets={"bomb": data}, seconds=5.0)
        except render.RenderFailed as failure:
            assert failure.reason in {"timeout", "memory", "broken", "died"}  # noqa: PT017 - either end is right
        assert time.monotonic() - started < 10


def test_a_process_killed_while_idle_is_replaced_unnoticed():
    renderer = render.Renderer()
    try:
        first = renderer.render_pdf(page("x"), title="T", lang="en")
        os.kill(renderer._idle[0].process.pid, signal.SIGKILL)
        assert renderer.render_pdf(page("x"), title="T", lang="en").bytes == first.bytes
    finally:
        renderer.close()


def test_a_process_killed_at_work_is_a_sentence():
    renderer = render.Renderer()
    try:
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(renderer.render_pdf, page("<table>" + "<tr><td>a</tr>" * 20000 + "</table>"), title="T", lang="en")
            time.sleep(2.0)
            children = subprocess.run(
                ["pgrep", "-P", str(os.getpid()), "-f", "_render_child.py"], capture_output=True, text=True, check=False
            ).stdout.split()
            mine = {str(worker.process.pid) for worker in render._RENDERER._idle}
            for pid in set(children) - mine:
                os.kill(int(pid), signal.SIGKILL)
            with pytest.raises(render.RenderFailed, match="ended before") as caught:
                slow.result(timeout=30)
        assert caught.value.reason == "died"
    finally:
        renderer.close()


def test_threads_share_processes_and_each_gets_its_own_document():
    renderer = render.Renderer(workers=2)
    try:
        with ThreadPoolExecutor(6) as pool:
            results = list(
                pool.map(lambda n: (n, renderer.render_pdf(page(f"<p>number {n} of many</p>"), title=f"T{n}", lang="en")), range(12))
            )
        for n, result in results:
            reader = PdfReader(BytesIO(result.bytes))
            assert f"number {n} of many" in reader.pages[0].extract_text()
            assert reader.metadata.title == f"T{n}"
        assert len(renderer._idle) <= 2
    finally:
        renderer.close()


def test_scratch_files_go_with_the_process():
    renderer = render.Renderer()
    renderer.render_pdf(page("x"), title="T", lang="en")
    scratch, process = Path(renderer._idle[0].scratch), renderer._idle[0].process
    assert scratch.exists()
    renderer.close()
    assert not scratch.exists()
    assert process.poll() is not None


# --- HTML ---


def test_a_missing_name_raises_and_text_is_escaped():
    with pytest.raises(jinja2.UndefinedError):
        render.environment("en").from_string("{{ nothing }}").render()
    assert render.environment("en").from_string("{{ text }}").render(text="<b>") == "&lt;b&gt;"
    with pytest.raises(jinja2.UndefinedError):
        render.render_html("base.html", {}, "en")


def test_numbers_days_and_direction_follow_the_language():
    text = "{{ 1234567.5 | number(1) }} {{ none | number }} {{ 0.42 | percent }} {{ day | day }} {{ direction }}"
    day = datetime(2026, 11, 23, tzinfo=UTC).date()
    assert render.environment("en").from_string(text).render(day=day) == "1,234,567.5 – 42% 23 November 2026 ltr"
    assert (
        render.environment("fr").from_string(text).render(day=day) == "1\u202f234\u202f567,5 – 42\N{NO-BREAK SPACE}% 23 novembre 2026 ltr"
    )
    assert render.environment("ar").from_string(text).render(day=day).endswith("rtl")


def test_words_of_the_frame_are_translated():
    class Words(__import__("gettext").NullTranslations):
        def gettext(self, message):
            return {"page %(number)s of %(count)s": "page %(number)s sur %(count)s", "data as of %(day)s": "données au %(day)s"}.get(
                message, message
            )

    frame = render.Frame("T", "N", "L", "23 novembre 2026")
    html = render.render_html("base.html", {"frame": frame}, "fr", Words())
    assert "données au 23 novembre 2026" in html
    assert 'sur <span class="page-count">' in html


def test_markup_in_a_record_is_text_in_the_document():
    context = sample.context()
    context["steer"].ask = "<script>alert(1)</script><img src=http://127.0.0.1:9/x>"
    html = sample.html(steer=context["steer"])
    assert "<script>" not in html
    result = render.render_pdf(html, title="x", lang="en")
    assert result.refused == ()
    assert "<script>alert(1)</script>" in " ".join(PdfReader(BytesIO(result.bytes)).pages[0].extract_text().split())


def test_every_component_takes_no_value_as_markup():
    evil = "<i id=evil>"
    template = '{% import "components.html" as c with context %}{{ c.quote(x, x) }}{{ c.status("late", x) }}{{ c.money(1, x) }}{{ c.facts([f]) }}{{ c.references([f]) }}'
    html = (
        render.environment("en")
        .from_string(template)
        .render(x=evil, f=sample.obj(label=evil, value=evil, note=evil, n=evil, text=evil, url=evil))
    )
    assert evil not in html
    assert str(Markup.escape(evil)) in html


def test_materials_name_every_font_and_sheet():
    found = render.materials()
    assert {"css/document.css", "css/charts.css", "fonts/NotoSans-Regular.ttf", "fonts/NotoSansSC-Regular.ttf"} <= set(found)
    assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in found.values())


def processor_seconds(pid):
    """Processor time of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads processor time from /proc")
def test_a_pack_costs_little_processor_time_once_warm():
    renderer = render.Renderer()
    try:
        renderer.render_pdf(sample.html(), title="x", lang="en")
        pid = renderer._idle[0].process.pid
        before = processor_seconds(pid)
        renderer.render_pdf(sample.html(), title="x", lang="en")
        assert processor_seconds(pid) - before < 3.0  # 0.8 s alone on two cores
    finally:
        renderer.close()

"""Scripts in a document: none is drawn as boxes, what no font holds is named, and right-to-left words run from the right."""

from __future__ import annotations

import io
import json
import re
import subprocess
from datetime import date
from pathlib import Path

import pikepdf
import pytest
from fontTools.ttLib import TTFont
from lxml import etree

from crm.i18n import use_locale
from crm.jobs import documents as jobs
from crm.policy import bind_actor
from crm.queries import documents as queries
from crm.services import commitments, notes
from reports import _render_child, glyphs, render
from tests.factories import briefing

SCRIPTS = {
    "Adlam": "𞤆𞤵𞤤𞤢𞤪 𞤀𞤣𞤤𞤢𞤥",
    "Arabic": "صندوق الأمم المتحدة للسكان، عمّان",
    "Urdu": "اقوام متحدہ کا آبادی فنڈ",
    "Armenian": "ՄԱԿ-ի բնակչության հիմնադրամ",
    "Bengali": "জাতিসংঘ জনসংখ্যা তহবিল, স্বাস্থ্য মন্ত্রণালয়।",
    "Chakma": "𑄌𑄋𑄴𑄟𑄳𑄦",
    "Chinese": "联合国人口基金 聯合國人口基金",
    "Cyrillic": "Женева, міністерство охорони здоров’я",
    "Devanagari": "संयुक्त राष्ट्र जनसंख्या कोष, मातृ स्वास्थ्य मंत्रालय। १२३",
    "Ethiopic": "የተባበሩት መንግሥታት የሥነ ሕዝብ ፈንድ፣ ጤና ሚኒስቴር።",
    "Georgian": "გაეროს მოსახლეობის ფონდი",
    "Gujarati": "સંયુક્ત રાષ્ટ્ર વસ્તી ભંડોળ",
    "Gurmukhi": "ਸੰਯੁਕਤ ਰਾਸ਼ਟਰ ਆਬਾਦੀ ਫੰਡ",
    "Hanifi Rohingya": "𐴌𐴗𐴥𐴝𐴙𐴚𐴒𐴙𐴝",
    "Hebrew": "קרן האוכלוסין של האו״ם, שָׁלוֹם (2026)",
    "Japanese": "国連人口基金 ジュネーブ ひらがな",
    "Kannada": "ವಿಶ್ವಸಂಸ್ಥೆ ಜನಸಂಖ್ಯಾ ನಿಧಿ",
    "Khmer": "មូលនិធិសហប្រជាជាតិសម្រាប់ប្រជាជន",
    "Korean": "유엔인구기금 보건복지부 장관, 2026년",
    "Lao": "ກອງທຶນປະຊາກອນສະຫະປະຊາຊາດ",
    "Latin": "Ouagadougou – où l’été; Tiếng Việt; a\u0301\u0323; 1\u202f234",
    "Malayalam": "ഐക്യരാഷ്ട്ര ജനസംഖ്യാ നിധി",
    "Meitei": "ꯃꯩꯇꯩꯂꯣꯟ",
    "Myanmar": "ကုလသမဂ္ဂ လူဦးရေရန်ပုံငွေအဖွဲ့",
    "N’Ko": "ߒߞߏ ߛߌ߰ߟߊ",
    "Ol Chiki": "ᱥᱟᱱᱛᱟᱲᱤ",
    "Oriya": "ଜାତିସଂଘ ଜନସଂଖ୍ୟା ପାଣ୍ଠି",
    "Signs": "→ ✓ ▲ ■ ▪ ➢ ✔ ☐ ☑ ★ ☎ ① ⚠ ≠ ≤ √ ∞ ⌚",
    "Sinhala": "එක්සත් ජාතීන්ගේ ජනගහන අරමුදල ශ්‍රී",
    "Syriac": "ܫܠܡܐ ܥܠܝܟܘܢ",
    "Tamil": "ஐக்கிய நாடுகள் மக்கள்தொகை நிதியம்",
    "Telugu": "ఐక్యరాజ్యసమితి జనాభా నిధి",
    "Thaana": "އދގެ އާބާދީގެ ފަންޑު",
    "Thai": "กองทุนประชากรแห่งสหประชาชาติ ๑๒๓",
    "Tibetan": "རྒྱལ་སྤྱི་མཉམ་འབྲེལ།",
    "Tifinagh": "ⵜⴰⵎⴰⵣⵉⵖⵜ",
}
HEBREW = "הקרן תתרום 1,500,000 EUR עד 31 במרץ 2027 (כולל העמותה בצפון) ותבקש דוח שנתי מפורט על כל מרפאה, על הצוותים ועל הציוד."


@pytest.fixture
def place(tmp_path: Path) -> jobs.Place:
    return jobs.Place(tmp_path / "documents")


@pytest.fixture
def scene(acting):
    return briefing.play(acting("grants"), with_flows=False)


def make(scene, place):
    return queries.get(jobs.make_document(scene.actor, "briefing-pack", {"interaction": scene.meeting}, place, as_of=briefing.DAY))


def page(body: str, lang: str = "en") -> render.RenderedPdf:
    sheet = render.stylesheet("document.css")
    markup = f'<!doctype html><html lang="{lang}"><head><title>x</title><style>{sheet}</style></head><body>{body}</body></html>'
    return render.render_pdf(markup, title="x", lang=lang)


def boxes(data: bytes) -> list[str]:
    """The fonts of a PDF whose .notdef is drawn: WeasyPrint gives a font an encoding of its own where a glyph is missing from it."""
    found = []
    with pikepdf.open(io.BytesIO(data)) as pdf:
        fonts = [item for item in pdf.objects if isinstance(item, pikepdf.Dictionary) and item.get("/Subtype") == "/Type0"]
        found += [str(font.BaseFont) for font in fonts if font.Encoding != "/Identity-H"]
        for one in pdf.pages:
            shown = re.findall(rb"<([0-9a-f]+)>", one.Contents.read_bytes())
            found += ["glyph 0" for run in shown if "0000" in re.findall("....", run.decode())]
    return found


def embedded(data: bytes) -> set[str]:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        fonts = [item for item in pdf.objects if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/FontDescriptor"]
        return {str(item.FontName).partition("+")[2].replace("-", "") for item in fonts}


def lines_of(data: bytes) -> list[tuple[float, float, str]]:
    """Each line of text: its left and right in points, and its words."""
    done = subprocess.run(["pdftotext", "-bbox-layout", "-", "-"], input=data, capture_output=True, check=True)
    name = "{http://www.w3.org/1999/xhtml}"
    return [
        (float(line.get("xMin")), float(line.get("xMax")), " ".join(word.text or "" for word in line.iter(f"{name}word")))
        for line in etree.fromstring(done.stdout).iter(f"{name}line")
    ]


# --- what is shipped -----------------------------------------------------------------------------------------------


def test_every_font_that_is_shipped_is_registered_and_the_other_way_round():
    assert sorted(name for *_, name in _render_child.FONTS) == sorted(file.name for file in (render.HERE / "fonts").glob("*.ttf"))


def test_every_font_has_a_blank():
    """Pango takes the blank after a word from the word's font: without one there it is a box between two words."""
    for file in (render.HERE / "fonts").glob("*.ttf"):
        with TTFont(file, lazy=True) as font:
            assert 0x20 in font.getBestCmap(), file.name


def test_the_fonts_stay_small():
    assert sum(file.stat().st_size for file in (render.HERE / "fonts").glob("*.ttf")) < 8_000_000


@pytest.mark.parametrize("lang", ["en", "ar", "zh"])
@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_is_drawn_with_glyphs_in_every_weight(text, lang):
    drawn = page(f"<h2>{text}</h2><p>{text} <b>{text}</b> <i>{text}</i></p><table><tr><td>{text}</td></tr></table>", lang)
    assert boxes(drawn.bytes) == []
    assert drawn.notes == ()
    assert all(name.startswith("Noto") for name in embedded(drawn.bytes))


def test_what_no_font_holds_is_seen_by_these_tests_and_said_by_the_engine():
    drawn = page("<p>a 🙂 b</p>")
    assert boxes(drawn.bytes)
    assert len(drawn.notes) == 1
    assert "U+1F642" in drawn.notes[0]


def test_what_we_say_is_missing_is_what_the_engine_says():
    """A sample of all planes, each character a paragraph of its own; the whole of Unicode was compared once."""
    fonts = frozenset(file.name for file in (render.HERE / "fonts").glob("*.ttf"))
    sample = [chr(code) for code in [*range(0x21, 0xD800, 211), *range(0xF900, 0x11200, 97), *range(0x1E900, 0x20000, 131)]]
    missing = glyphs.absent("".join(sample), fonts)
    assert 10 < len(missing) < len(sample)
    for start in range(0, len(sample), 40):  # the engine says fifty at most
        part = sample[start : start + 40]
        said = re.findall(r"\(U\+([0-9A-F]+)\)", " ".join(page("".join(f"<p>&#{ord(one)};</p>" for one in part)).notes))
        assert {chr(int(code, 16)) for code in said} == missing & set(part)


# --- in a pack -----------------------------------------------------------------------------------------------------


def test_a_note_in_every_script_is_printed(scene, place):
    for start in range(0, len(SCRIPTS), 8):
        notes.write_note(scene.actor, scene.office_id, scene.donor, "\n".join(list(SCRIPTS.values())[start : start + 8]), "open")
    document = make(scene, place)
    data = jobs.read_file(document, place)
    assert boxes(data) == []
    assert jobs.boxes(queries.snapshot(document.id)) == ()
    fonts = " ".join(embedded(data))
    for script in ("Devanagari", "Bengali", "Tamil", "Thai", "Ethiopic", "Georgian", "Armenian", "Hebrew", "Khmer", "Lao", "Myanmar", "KR"):
        assert f"NotoSans{script}" in fonts, script


def test_a_character_of_no_font_is_named_with_its_record(scene, place):
    """C7: never silently a box: the character, its code, the record and the section."""
    notes.write_note(scene.actor, scene.office_id, scene.donor, "Agreed 🙂 and 𓀀, 🙂 again. القاهرة", "open")
    words = commitments.record_commitment(
        scene.actor,
        commitments.NewCommitment(scene.office_id, scene.donor, "service", "Send the 峠 map", briefing.DAY, "ours", date(2024, 4, 30)),
    )
    document = make(scene, place)
    assert boxes(jobs.read_file(document, place))
    bind_actor(scene.actor)
    said = jobs.boxes(queries.snapshot(document.id))
    reference = next(one.reference for one in queries.snapshot(document.id).used if one.id == words)
    assert any(re.search(r"^Note of .*, in “1\. Who they are”: .*🙂.* \(U\+1F642\), .*𓀀.* \(U\+13000\)$", line) for line in said), said
    assert any(line.startswith(f"{reference}, in “2. Open promises”: ") and "(U+5CE0)" in line for line in said), said
    assert not any("U+0627" in line for line in said)


def test_a_document_without_a_box_says_nothing(scene, place):
    assert jobs.boxes(queries.snapshot(make(scene, place).id)) == ()


def test_the_fonts_that_count_are_those_a_document_was_drawn_with(scene, place):
    """A document made before a font was shipped goes on saying what stands as boxes on its pages."""
    notes.write_note(scene.actor, scene.office_id, scene.donor, SCRIPTS["Devanagari"], "open")
    kept = queries.snapshot(make(scene, place).id)
    before = {name: value for name, value in json.loads(kept.assets).items() if "Devanagari" not in name}
    assert glyphs.unprinted(kept.content, kept.html, kept.assets) == ()
    found = glyphs.unprinted(kept.content, kept.html, json.dumps(before))
    assert {one.section for one in found} == {"1. Who they are"}
    assert "स" in found[0].characters


def test_many_characters_are_counted_rather_than_listed(scene, place):
    notes.write_note(scene.actor, scene.office_id, scene.donor, "".join(chr(0x13000 + number) for number in range(40)), "open")
    said = jobs.boxes(queries.snapshot(make(scene, place).id))
    assert any(line.endswith("and 28 more") for line in said)
    assert all(len(line) < 500 for line in said)


# --- lines ---------------------------------------------------------------------------------------------------------


def test_words_from_right_to_left_stand_so_in_a_pack_that_runs_the_other_way(scene, place):
    notes.write_note(scene.actor, scene.office_id, scene.donor, HEBREW, "open")
    document = make(scene, place)
    assert f'<p dir="rtl">{HEBREW}</p>' in queries.snapshot(document.id).html
    shown = [line for line in lines_of(jobs.read_file(document, place)) if re.search("[\u05d0-\u05ea]", line[2])]
    assert len(shown) >= 2
    left, right = min(line[0] for line in shown), max(line[1] for line in shown)
    assert all(abs(line[1] - right) < 2 for line in shown)  # every line begins at the right edge
    assert min(line[1] - line[0] for line in shown) < right - left - 20  # and the last one ends early, at the left


@pytest.mark.parametrize(
    ("lang", "text", "way"),
    [
        ("en", "שלום", ' dir="rtl"'),
        ("en", "“1. مرحبا", ' dir="rtl"'),
        ("en", "Hello", ""),
        ("en", "2026", ""),
        ("ar", "Hello", ' dir="ltr"'),
        ("ar", "مرحبا", ""),
    ],
)
def test_a_block_says_its_direction_only_where_it_is_not_the_pages(lang, text, way):
    with use_locale(lang):
        assert str(render.environment(lang).filters["way"](text)) == way


@pytest.mark.parametrize(
    "text", ["មូលនិធិសហប្រជាជាតិសម្រាប់ប្រជាជន" * 6, "ကုလသမဂ္ဂလူဦးရေရန်ပုံငွေအဖွဲ့" * 7, "ກອງທຶນປະຊາກອນສະຫະປະຊາຊາດ" * 8, "กองทุนประชากรแห่งสหประชาชาติ" * 7]
)
def test_words_without_blanks_stay_on_the_page(scene, place, text):
    notes.write_note(scene.actor, scene.office_id, scene.donor, text, "open")
    commitments.record_commitment(
        scene.actor, commitments.NewCommitment(scene.office_id, scene.donor, "service", text, date(2024, 1, 5), "theirs", date(2024, 1, 30))
    )
    found = lines_of(jobs.read_file(make(scene, place), place))
    assert max(right for _left, right, _text in found) < 191 / 25.4 * 72

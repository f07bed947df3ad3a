"""Text on a page: marks without end are bounded, controls of direction end with their text, everything else is drawn as written."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import charts
from reports.charts import Bar, Bars
from reports.drawn_text import MOST_DIACRITICS, MOST_MARKS, _, bounded, drawable, isolated
from reports.render import environment

RLO, LRO, FSI, RLI, PDI, PDF = "\u202e", "\u202d", "\u2068", "\u2067", "\u2069", "\u202c"


def stacks(text: str) -> list[int]:
    """How many marks stand on each base character."""
    found = [0]
    for char in text:
        if unicodedata.category(char) in ("Mn", "Me"):
            found[-1] += 1
        elif unicodedata.category(char) != "Cf":
            found.append(0)
    return found


@pytest.mark.parametrize(
    "text",
    [
        "Nguyễn Thị Bảo",
        unicodedata.normalize("NFD", "Nguyễn ᾧ"),
        "ʔə̀́̃̂",
        "בְּרֵאשִׁ֖ית",
        "بِسْمِ ٱللَّهِ ٱلرَّحْمَـٰنِ",
        "ཧཱུྃ་བསྒྲུབས",
        "ក្រុងភ្នំពេញ",
        "กรุงเทพมหานครที่นั้น",
        "👩‍❤️‍👩 1️⃣",
    ],
)
def test_what_people_write_is_drawn_as_it_is(text):
    assert drawable(text) == text


def test_ten_thousand_marks_become_a_few_and_the_letters_stay():
    text = "Za" + "\u0301\u0336" * 5000 + "lgo\u200d" + "\u0e34" * 10_000 + " end"
    drawn = drawable(text)
    assert max(stacks(drawn)) <= MOST_MARKS
    assert drawn.startswith("Za" + "\u0301\u0336" * (MOST_DIACRITICS // 2) + "lgo")
    assert [char for char in drawn if not unicodedata.combining(char) and unicodedata.category(char) != "Mn"] == [
        char for char in text if not unicodedata.combining(char) and unicodedata.category(char) != "Mn"
    ]


def test_a_joiner_starts_no_new_stack():
    assert max(stacks(bounded(("\u0301" * 4 + "\u200d") * 50))) <= MOST_DIACRITICS


@pytest.mark.parametrize("control", ["\u202a", "\u202b", LRO, RLO])
def test_a_control_of_direction_ends_with_its_text(control):
    assert isolated(f"a{control}b") == f"{FSI}a{control}b{PDF}{PDI}"
    assert _("%(name)s, %(post)s", name=f"a{control}b", post="x") == f"{FSI}a{control}b{PDF}{PDI}, x"


def test_a_text_cannot_close_what_stands_around_it():
    assert isolated(f"a{PDI}b{PDF}c") == "abc"
    assert isolated(f"{RLI}a{RLO}b") == f"{RLI}a{RLO}b{PDF}{PDI}"
    assert isolated(f"{RLI}a{PDI}") == f"{RLI}a{PDI}"


@given(st.text(st.sampled_from([*"ab 1א\u0301\u0336\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200d"]), max_size=40))
def test_drawing_twice_is_drawing_once_and_everything_opened_is_closed(text):
    drawn = drawable(text)
    assert drawable(drawn) == drawn
    assert drawn.count(PDI) == sum(drawn.count(one) for one in "\u2066\u2067\u2068")
    seen = [char for char in drawn if char.isalnum() or char == " "]
    assert seen == [char for char in text if char.isalnum() or char == " "]


def test_templates_and_charts_draw_by_the_same_rule():
    page = environment("en").from_string("{{ name }}, {{ markup }}").render(name=f"a{RLO}b", markup="x" + "\u0301" * 99)
    assert page == f"{FSI}a{RLO}b{PDF}{PDI}, x" + "\u0301" * MOST_DIACRITICS
    chart = charts.bars(Bars("t", "s", "x", (Bar("x" + "\u0301" * 99, 5),)), prefix="p")
    assert "\u0301" * (MOST_DIACRITICS + 1) not in str(chart.svg).partition("</desc>")[2]

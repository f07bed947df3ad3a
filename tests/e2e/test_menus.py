"""Menus that open: whole inside the window, whatever its width, the length of the name beside them and the direction of the page."""

from __future__ import annotations

import sqlite3
import uuid

import pytest

pytestmark = pytest.mark.e2e


def person_with(site, order: str) -> uuid.UUID:
    with sqlite3.connect(f"file:{site.folder}/throughline.sqlite3?mode=ro", uri=True) as connection:
        query = "SELECT p.id FROM parties p JOIN offices o ON o.id = p.office_id AND o.code = 'JOR' WHERE p.form = 'person' ORDER BY length(p.name) "
        return uuid.UUID(connection.execute(query + order + " LIMIT 1").fetchone()[0])


@pytest.mark.parametrize("order", ["ASC", "DESC"])
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_no_menu_runs_out_of_the_window(demo_site, page, order, direction):
    demo_site.sign_in(page, "head@demo.example")
    page.goto(f"{demo_site.url}/parties/{person_with(demo_site, order)}")
    page.evaluate("direction => { document.documentElement.dir = direction }", direction)
    menus = page.locator("details.menu")
    opened = set()
    problems = []
    for width in (320, 360, 600, 768, 1024, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        for at in range(menus.count()):
            menu = menus.nth(at)
            if not menu.is_visible():
                continue
            menu.locator("summary").click()
            opened.add(at)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            box = menu.locator(".menu-sheet").bounding_box()
            cut = [
                item.inner_text()
                for item in menu.locator(".menu-item").all()
                if item.evaluate("item => item.scrollWidth > item.clientWidth")
            ]
            if wide > 0 or box["x"] < 0 or box["x"] + box["width"] > width or cut:
                problems.append(f"{menu.inner_text()[:20]!r} at {width} px: {wide} px too wide, {box}, cut: {cut}")
            page.keyboard.press("Escape")
    assert problems == []
    assert len(opened) == menus.count() == 3  # More, the account and the bottom bar's

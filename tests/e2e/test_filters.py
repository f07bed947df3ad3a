"""The filters of a list: folded on a phone, so that its rows begin on the first screen; open where there is room. By keys, without a script."""

from __future__ import annotations

import io

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e
HEAD = "head@demo.example"
PHONE = {"width": 360, "height": 740}
LISTS = (
    "/parties/",
    "/interactions/",
    "/asks/",
    "/commitments/",
    "/follow-ups/?whose=all&state=open",
    "/pledges/",
    "/agreements/",
    "/receipts/",
    "/programmes/",
)


def fold(page: Page):
    return page.locator("details.filter-fold")


@pytest.mark.parametrize("address", LISTS)
def test_a_list_begins_on_the_first_screen_of_a_phone(demo_site, page, address):
    page.set_viewport_size(PHONE)
    demo_site.sign_in(page, HEAD)
    page.goto(demo_site.url + address)
    expect(fold(page).locator("summary")).to_be_visible()
    expect(page.locator(".filter-fields")).to_be_hidden()
    first = page.locator(".table-rows tbody tr").first
    top = first.bounding_box()["y"]
    bar = page.locator(".bottom-bar").bounding_box()["y"]
    assert top + 24 < bar, f"{address}: the first row begins at {top}, the bar below at {bar}"
    assert top < 480, f"{address}: the first row begins at {top}"
    row = [page.locator(one).bounding_box() for one in (".filter-fold summary", ".list-tools summary", ".saved-actions a:last-child")]
    middles = [box["y"] + box["height"] / 2 for box in row]
    assert max(middles) - min(middles) < 8, f"{address}: in one row: {middles}"


def test_the_filters_are_opened_by_keys_and_say_how_many_are_set(demo_site, page):
    page.set_viewport_size(PHONE)
    demo_site.sign_in(page, HEAD)
    page.goto(f"{demo_site.url}/parties/?form=organisation&kind=donor")
    summary = fold(page).locator("summary")
    expect(summary).to_have_text("Filters (2)")
    assert page.get_by_role("link", name="Remove this filter").count() == 2, "what is set stands beside the fold"
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#filter-form")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("#filter-q")).to_be_focused()
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in violations] == []
    page.keyboard.type("vester")
    page.keyboard.press("Enter")
    page.wait_for_url("**/parties/?*q=vester*")
    expect(summary).to_have_text("Filters (3)")
    expect(page.locator("#filter-q")).to_be_hidden()


@pytest.mark.parametrize("has_script", [True, False])
def test_where_there_is_room_the_filters_stand_open(demo_site, chromium, has_script):
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=has_script)
    page = context.new_page()
    demo_site.sign_in(page, HEAD)
    page.goto(f"{demo_site.url}/parties/")
    expect(fold(page).locator("summary")).to_be_hidden()
    box = page.locator("#filter-q")
    expect(box).to_be_visible()
    box.focus()
    page.keyboard.press("Tab")
    expect(page.locator("#filter-form")).to_be_focused()
    box.fill("vester")
    box.press("Enter")
    page.wait_for_url("**/parties/?*q=vester*")
    context.close()


def test_without_a_script_a_phone_opens_them(demo_site, chromium):
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    demo_site.sign_in(page, HEAD)
    page.goto(f"{demo_site.url}/parties/")
    expect(page.locator("#filter-q")).to_be_hidden()
    fold(page).locator("summary").click()
    expect(page.locator("#filter-q")).to_be_visible()
    context.close()


def test_a_browser_whose_style_cannot_open_them_has_a_script_that_does(demo_site, page):
    page.add_init_script(
        "const real = CSS.supports; CSS.supports = (...asked) => !String(asked).includes('details-content') && real(...asked);"
    )
    demo_site.sign_in(page, HEAD)
    page.goto(f"{demo_site.url}/parties/")
    expect(fold(page)).to_have_attribute("open", "")
    expect(fold(page).locator("summary")).to_be_hidden()
    page.set_viewport_size(PHONE)
    page.goto(f"{demo_site.url}/interactions/")
    expect(page.locator(".filter-fields")).to_be_hidden()


@pytest.mark.parametrize("address", LISTS)
def test_a_list_with_every_column_scrolls_in_a_region_of_its_own(demo_site, page, address):
    """The page never scrolls sideways; the first column stays in sight, and what does scroll can be reached by keys."""
    demo_site.sign_in(page, HEAD)
    page.goto(demo_site.url + address)
    boxes = page.locator(".list-columns input[name=columns]")
    columns = sorted(set(boxes.evaluate_all("all => all.map(one => `columns=${one.value}`)")))
    every = f"{demo_site.url}{address}{'&' if '?' in address else '?'}{'&'.join(columns)}"
    for width, target in ((800, demo_site.url + address), (800, every), (1280, every)):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(target)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{target}: the page is {wide} px too wide at {width}"
        region = page.locator(".table-region")
        name = region.locator("tbody .who").first
        before = name.bounding_box()["x"]
        if region.evaluate("one => { one.scrollLeft = 200; return one.scrollLeft > 0 }"):
            assert abs(name.bounding_box()["x"] - before) <= 1, f"{target} at {width}"
            head = region.locator("thead th")
            assert head.first.bounding_box()["y"] == head.last.bounding_box()["y"]
            if head.count() > 8:
                assert (region.get_attribute("tabindex"), bool(region.get_attribute("aria-label"))) == ("0", True)
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in violations] == []


@pytest.mark.parametrize(("address", "width"), [("/parties/", 1280), ("/imports/", 1280), ("/parties/", 800)])
def test_the_line_under_the_head_of_a_list_goes_all_the_way(demo_site, page, address, width):
    """As it is painted: a shadow below a heading is covered by the row that follows it, and below a head that stays it is not drawn."""
    page.set_viewport_size({"width": width, "height": 900})
    demo_site.sign_in(page, "grants@demo.example")
    page.goto(demo_site.url + address)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("L")
    for box in (head.bounding_box() for head in page.locator(".table thead th").all()):
        across, below = box["x"] + box["width"] / 2, round(box["y"] + box["height"])
        if across < width:
            assert min(picture.getpixel((int(across), y)) for y in range(below - 3, below + 3)) < 160, box

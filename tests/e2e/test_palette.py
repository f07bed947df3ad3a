"""The box on top in a real browser: found and done by keys alone, quiet where keys are turned off, a form without a script."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, Page, expect

pytestmark = pytest.mark.e2e
OFFICER = "head@demo.example"


def open_palette(page: Page, keys: str = "Control+k") -> None:
    page.keyboard.press(keys)
    expect(page.locator("#palette")).to_be_visible()


def test_a_record_is_six_keys_away(demo_site, page):
    demo_site.sign_in(page, OFFICER)
    open_palette(page)
    expect(page.get_by_role("option").first).to_be_visible()  # what was recorded last
    page.keyboard.type("vester")
    page.keyboard.press("Enter")  # at once: it waits for the answer
    page.wait_for_url("**/parties/*")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Vesterhav")


def test_an_answer_to_other_words_is_not_opened_by_enter(demo_site, page):
    """What was recorded last, asked for as the box opens, comes after Enter and before the typed words were asked for."""
    demo_site.sign_in(page, OFFICER)
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))  # the pause after the last key ends when the test says so
    held = []
    page.route("**/search/suggest?q=", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks the function it is given
    with page.expect_request("**/search/suggest?q="):
        page.keyboard.press("Control+k")
        page.clock.run_for(1)
    page.get_by_role("combobox").fill("aldermark")
    page.keyboard.press("Enter")
    with suppress(Error):  # asked no more
        held[0].continue_()
    page.wait_for_timeout(1500)
    assert page.url == f"{demo_site.url}/"
    page.clock.run_for(500)
    page.wait_for_url("**/parties/*")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Aldermark")


def test_arrows_choose_and_escape_closes(demo_site, page):
    demo_site.sign_in(page, OFFICER)
    open_palette(page, "/")
    page.keyboard.type("ministry")
    box = page.get_by_role("combobox")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Ministry")
    first = box.get_attribute("aria-activedescendant")
    page.keyboard.press("ArrowDown")
    assert box.get_attribute("aria-activedescendant") not in (None, first)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("option", selected=True)).to_contain_text("All results for “ministry”")
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in violations] == []
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    expect(box).to_have_value("ministry")
    expect(box).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=ministry")


@pytest.mark.parametrize(
    ("typed", "offered", "kind"),
    [
        ("log meeting with vester", "Log a meeting with Kingdom of Vesterhav", "meeting"),
        ("log phone call with vester", "Log a call with Kingdom of Vesterhav", "call"),
    ],
)
def test_things_are_done_by_name(demo_site, page, typed, offered, kind):
    demo_site.sign_in(page, OFFICER)
    open_palette(page)
    page.keyboard.type(typed)
    expect(page.get_by_role("option", selected=True)).to_contain_text(offered)
    page.keyboard.press("Enter")
    page.wait_for_url("**/interactions/new?party=*")
    assert "Vesterhav" in page.locator("input[name='party-text']").input_value()
    expect(page.locator("select[name='kind']")).to_have_value(kind)


def test_single_keys_that_are_turned_off_do_nothing_and_the_box_still_serves(demo_site, page):
    demo_site.sign_in(page, "officer@demo.example")
    page.goto(f"{demo_site.url}/account/")
    page.get_by_label("Keyboard shortcuts").uncheck()
    page.get_by_role("button", name="Save").first.click()
    page.wait_for_load_state()
    page.goto(f"{demo_site.url}/")
    expect(page.get_by_text("Ctrl K", exact=True)).to_be_visible()  # it still finds, as the account page says
    expect(page.get_by_text("n m", exact=True)).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox")).not_to_be_focused()
    expect(page.locator("#palette")).to_be_hidden()
    open_palette(page)  # with Control it is no single key
    page.keyboard.press("Escape")
    page.get_by_role("combobox").press_sequentially("vester")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Vesterhav")
    assert page.locator("#palette kbd").count() == 0
    page.get_by_role("option", selected=True).click()
    page.wait_for_url("**/parties/*")


def test_without_a_script_the_box_searches(demo_site, chromium):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    demo_site.sign_in(page, OFFICER)
    page.locator("#find").fill("vester")
    page.locator("#find").press("Enter")
    page.wait_for_url("**/search?q=vester")
    page.get_by_role("link", name="Vesterhav").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Vesterhav")
    context.close()

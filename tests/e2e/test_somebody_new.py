"""Somebody met for the first time, on a phone, in a real browser: the meeting and the person in one go, by keys, and without a script."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e
OFFICER = "officer@demo.example"
PHONE = {"width": 360, "height": 740}


def test_a_meeting_with_somebody_new_is_one_form(demo_site, page):
    page.set_viewport_size(PHONE)
    demo_site.sign_in(page, OFFICER)
    page.goto(f"{demo_site.url}/interactions/new")
    box = page.locator("#party-text")
    box.press_sequentially("Rania Firsttime")
    add = page.get_by_role("option", name="Add “Rania Firsttime” as a new person")
    expect(add).to_be_visible()
    expect(box).to_have_attribute("aria-expanded", "true")
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
    page.keyboard.press("ArrowDown")
    expect(add).to_have_attribute("aria-selected", "true")
    assert box.get_attribute("aria-activedescendant") == add.get_attribute("id")
    page.keyboard.press("Enter")
    expect(page.get_by_text("A new person, recorded with this.")).to_be_visible()
    page.get_by_label("Their post").fill("Adviser")
    page.get_by_label("Their organisation").fill("Chamber of Firsts")
    page.get_by_label("What was said").fill("We met.")
    page.get_by_role("button", name="Save the interaction").click()
    page.wait_for_url("**done=1")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Rania Firsttime")


def test_what_was_chosen_falls_with_the_text_and_escape_closes(demo_site, page):
    demo_site.sign_in(page, OFFICER)
    page.goto(f"{demo_site.url}/interactions/new")
    box = page.locator("#party-text")
    box.press_sequentially("Nobody Ever")
    page.get_by_role("option", name="as a new person").click()
    choice = page.locator("input[name='party-choice']")
    expect(choice).to_have_value("new:person")
    box.press_sequentially("s")
    expect(choice).to_have_value("")
    expect(page.get_by_label("Their post")).to_be_hidden()
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("option").first).to_be_hidden()
    box.fill("vester")
    page.get_by_role("option", name="Kingdom of Vesterhav").first.click()
    expect(box).to_have_value("Kingdom of Vesterhav, Royal Aid Office")
    assert len(choice.input_value()) == 36


def test_without_a_script_the_form_asks_and_takes_the_post_with_the_answer(demo_site, chromium):
    context = chromium.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    demo_site.sign_in(page, OFFICER)
    page.goto(f"{demo_site.url}/interactions/new")
    expect(page.get_by_label("Their post")).to_be_hidden()
    page.locator("#party-text").fill("Salem Plainform")
    page.get_by_label("What was said").fill("We met.")
    page.get_by_role("button", name="Save the interaction").click()
    expect(page.get_by_role("alert")).to_contain_text("One question first")
    page.get_by_label("Add as a new person").check()
    page.get_by_label("Their post").fill("Clerk")
    page.get_by_label("Their organisation").fill("Chamber of Seconds")
    page.get_by_role("button", name="Save the interaction").click()
    page.wait_for_url("**done=1")
    context.close()


def test_who_is_suggested_for_money_is_whom_the_chosen_office_may_name(demo_site, page):
    """Where several offices are offered the form has a field for them, and the list follows it."""
    demo_site.sign_in(page, "grants@demo.example")
    page.goto(f"{demo_site.url}/pledges/new")
    box = page.locator("#donor-text")
    page.evaluate("""() => {
        const office = Object.assign(document.createElement('input'), { type: 'hidden', name: 'office_id', value: 'of-the-form' });
        document.querySelector('#donor-text').form.append(office);
    }""")
    with page.expect_request("**/parties/suggest?*office=of-the-form*"):
        box.press_sequentially("Vest")

"""Back to a form of something new after it was saved: the page says that it was, and that saving there makes another."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e
OFFICER = "officer@demo.example"


def save_meeting(demo_site, page):
    page.goto(f"{demo_site.url}/interactions/new")
    page.locator("#party-text").fill("Kingdom of Vester")
    page.get_by_role("option", name="Kingdom of Vesterhav").first.click()
    page.get_by_label("What was said").fill("We went back.")
    page.get_by_role("button", name="Save the interaction").click()
    page.wait_for_url("**done=1")


def test_back_after_saving_says_that_it_is_saved_and_leads_to_it(demo_site, page):
    demo_site.sign_in(page, OFFICER)
    save_meeting(demo_site, page)
    record = page.url
    page.go_back()
    note = page.locator("[data-was-saved]")
    expect(note).to_have_count(1)
    expect(note).to_contain_text("saving here again records another one")
    page.get_by_label("What was said").fill("We went back, and corrected it.")
    expect(page.locator("[data-save-status]")).to_contain_text("Draft saved")
    expect(note).to_be_visible()
    note.get_by_role("link").click()
    page.wait_for_url(record)


def test_a_fresh_form_says_nothing_of_the_one_before(demo_site, page):
    demo_site.sign_in(page, OFFICER)
    save_meeting(demo_site, page)
    page.goto(f"{demo_site.url}/interactions/new")
    expect(page.get_by_label("What was said")).to_have_value("")
    expect(page.locator("[data-was-saved]")).to_have_count(0)


def test_a_form_that_was_refused_first_is_the_same_form(demo_site, page):
    """Back from the record leads to a form, not to the browser's question whether to send it again; and nothing is brought back as a draft."""
    demo_site.sign_in(page, OFFICER)
    page.goto(f"{demo_site.url}/interactions/new")
    page.locator("#party-text").fill("Kingdom of Vester")
    page.get_by_role("option", name="Kingdom of Vesterhav").first.click()
    page.get_by_label("Place").evaluate("one => { one.value = 'The old harbour'; }")
    page.get_by_role("button", name="Save the interaction").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    page.get_by_label("What was said").fill("We talked after all.")
    page.get_by_role("button", name="Save the interaction").click()
    page.wait_for_url("**done=1")
    page.go_back()
    expect(page.locator("[data-was-saved]")).to_have_count(1)
    page.goto(f"{demo_site.url}/interactions/new")
    expect(page.locator("[data-save-status]")).to_have_text("")
    expect(page.get_by_label("What was said")).to_have_value("")


def test_a_refused_form_that_is_left_comes_back_with_what_was_typed(demo_site, page):
    demo_site.sign_in(page, OFFICER)
    page.goto(f"{demo_site.url}/interactions/new")
    page.get_by_label("What was said").fill("Nobody was there.")
    page.get_by_role("button", name="Save the interaction").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    page.goto(f"{demo_site.url}/asks/")
    page.go_back()
    expect(page.get_by_label("What was said")).to_have_value("Nobody was there.")
    expect(page.locator("[data-was-saved]")).to_have_count(0)


def test_a_save_that_failed_is_not_said_to_be_one_and_keeps_what_was_typed(demo_site, page):
    demo_site.sign_in(page, OFFICER)
    page.goto(f"{demo_site.url}/interactions/new")
    page.get_by_label("What was said").fill("The form had grown old.")
    page.locator("main form input[name=csrf_token]").evaluate("one => { one.value = 'spoilt'; }")
    page.get_by_role("button", name="Save the interaction").click()
    expect(page.get_by_text("Nothing was saved yet").first).to_be_visible()
    page.go_back()
    expect(page.locator("[data-was-saved]")).to_have_count(0)
    expect(page.get_by_label("What was said")).to_have_value("The form had grown old.")


def test_a_line_that_was_cut_is_no_save(demo_site, page):
    demo_site.sign_in(page, OFFICER)
    page.goto(f"{demo_site.url}/interactions/new")
    page.get_by_label("What was said").fill("The line was bad.")
    page.route("**/interactions/new", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.get_by_role("button", name="Save the interaction").click()
    page.wait_for_url("chrome-error://**")
    page.goto(f"{demo_site.url}/asks/")
    page.goto(f"{demo_site.url}/interactions/new")
    expect(page.get_by_label("What was said")).to_have_value("The line was bad.")
    expect(page.locator("[data-was-saved]")).to_have_count(0)


def test_the_note_is_of_the_form_that_was_saved_and_of_no_later_one(demo_site, page):
    demo_site.sign_in(page, OFFICER)
    save_meeting(demo_site, page)
    page.goto(f"{demo_site.url}/interactions/new")
    page.get_by_label("What was said").fill("Another one, not saved.")
    page.goto(f"{demo_site.url}/asks/")
    page.go_back()
    expect(page.get_by_label("What was said")).to_have_value("Another one, not saved.")
    expect(page.locator("[data-was-saved]")).to_have_count(0)

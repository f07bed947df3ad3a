"""Choices that a form makes for somebody in a real browser, until they make their own; and buttons that read as links."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.factories import files

pytestmark = pytest.mark.e2e


def test_a_countrys_only_time_zone_follows_the_code_until_somebody_chooses(demo_site, page):
    demo_site.sign_in(page, "admin@demo.example")
    page.goto(f"{demo_site.url}/offices/new")
    code, zone = page.get_by_label("Code"), page.get_by_label("Time zone")
    code.fill("npl")
    expect(zone).to_have_value("Asia/Kathmandu")
    code.fill("USA")
    expect(zone).to_have_value("")
    zone.focus()
    page.keyboard.type("amman")
    expect(zone).to_have_value("Asia/Amman")
    code.fill("NPL")
    expect(zone).to_have_value("Asia/Amman")


def test_a_picture_is_not_taken_for_a_signed_agreement_and_a_removed_file_is_put_back_from_its_line(demo_site, page):
    demo_site.sign_in(page, "grants@demo.example")
    page.goto(f"{demo_site.url}/agreements/")
    page.locator("tbody a").first.click()
    page.get_by_role("link", name="Add files").click()
    address, shows, chosen = page.url, page.get_by_label("What it shows"), page.locator("input[type=file]")
    chosen.set_input_files({"name": "signed.PDF", "mimeType": "application/pdf", "buffer": files.pdf()})
    expect(shows).to_have_value("agreement")
    chosen.set_input_files({"name": "hands.jpg", "mimeType": "image/jpeg", "buffer": files.photo()})
    expect(shows).to_have_value("")
    page.get_by_role("button", name="Attach").click()
    expect(shows).to_be_focused()
    assert page.url == address, "the file is still chosen"
    shows.select_option("photo")
    page.get_by_role("button", name="Attach").click()
    page.wait_for_url("**#files")
    page.goto(address)
    page.get_by_role("link", name="Remove hands.jpg").click()
    page.get_by_role("button", name="Remove").click()
    page.wait_for_url("**#files")
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(address)
    put_back = page.get_by_role("button", name="Put back hands.jpg")
    start = "one => { const range = document.createRange(); range.selectNodeContents(one); return range.getBoundingClientRect().x; }"
    line = page.locator("li", has=put_back).locator(".meta > span").last
    assert put_back.evaluate(start) == pytest.approx(line.evaluate(start), abs=0.5)

"""A messy list of contacts, brought in by hand in the browser: each page leads to the next, fits a phone and passes axe."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e

LIST = """Title,Name,Function,Organisation,Category,Country,Phone,E-mail,Since
Dr,Samira Haddad,Director,Ministry of Nutrition,Govt,Jordan,079 555 1234,samira@nutrition.example,2018-04-03
Mr,Boulos Qawar,Clerk,MoN,Goverment,Jordan,,boulos@nutrition.example,4-Aug-15
د.,سميرة حداد,مديرة,وزارة التغذية,Govt,الأردن,0795551234,samira@nutrition.example,03/04/2018
Ms,Haddad Samira,Adviser,Zedland Embassy,Donor,Jordon,,,25/12/2019
Mrs,Karin Zetter,Desk,Zed Aid Bern,Donor,Switzerland,,karin@zedland.example,March 2022
Ms,Lena Zetter,Attaché,Zedland Embassy,Donor,Jordan,,lena@zedland.example,12/06/2021
Ms,Nora Quist,Attaché,Mission of Zedland in the Hashemite Kingdom,Donor,Jordan,,nora@zedland.example,
Mr,Yousef Mentor,Trainer,,Mentor,Jordan,,yousef@@mentor.example,2021-01-01
,vacant,Head,Ministry of Nutrition,Govt,Jordan,,,
""".encode()


def fits(page: Page) -> None:
    """No width of the page scrolls sideways, and axe finds nothing."""
    for width in (320, 360, 768, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} is {wide} px too wide at {width} px"
    assert not [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in Axe().run(page).response["violations"]]


def opened(page: Page) -> None:
    page.locator("main details").evaluate_all("folds => folds.forEach(fold => { fold.open = true })")


def test_a_messy_list_is_mended_settled_and_brought_in_page_after_page(demo_site, page):
    demo_site.sign_in(page, "officer@demo.example")
    page.goto(f"{demo_site.url}/imports/new")
    page.locator("input[type=file]").set_input_files({"name": "people.csv", "mimeType": "text/csv", "buffer": LIST})
    page.get_by_label("What the file holds").select_option("parties")
    page.locator("main form button[type=submit]").last.click()
    place = page.url
    expect(page.get_by_text("5 with problems")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Why it was not taken")).to_be_hidden()
    opened(page)
    expect(page.get_by_role("columnheader", name="Why it was not taken")).to_be_visible()
    fits(page)

    page.get_by_role("link", name="Mend the rejected rows").click()
    expect(page.get_by_label("Years of two digits")).to_have_value("1950")
    expect(page.get_by_label("Use instead, Category: Goverment")).to_have_value("government")
    expect(page.get_by_label("E-mail, row 9")).to_have_value("yousef@mentor.example")
    opened(page)
    fits(page)
    page.get_by_label("Use instead, Category: Mentor").select_option("person")
    page.get_by_label("Leave this row out, row 10").check()
    page.get_by_role("button", name="Read again").last.click()

    page.wait_for_url(f"{place}/doubles")
    expect(page.get_by_role("heading", name="To be settled")).to_be_visible()
    expect(page.get_by_role("heading", name="Chosen already")).to_be_visible()
    opened(page)
    fits(page)
    page.get_by_label("Other rows that are one").fill("6 = 7")
    page.get_by_label("Two different ones").first.check()
    for question in page.locator("select[name^=employer-]").all():
        if not question.input_value():
            question.select_option(label="Different ones")
    page.get_by_role("button", name="Read again").last.click()

    page.wait_for_url(place)
    expect(page.get_by_text("nothing is left to be settled")).to_be_visible()
    opened(page)
    expect(page.get_by_text("Row 7 is brought in as one with row 6.")).to_be_visible()
    expect(page.get_by_text("Days are read day first: 03/04/2018 is 3 April 2018.")).to_be_visible()
    fits(page)
    page.get_by_role("button", name="Bring in").click()
    expect(page.get_by_role("heading", name="What came in")).to_be_visible()
    fits(page)

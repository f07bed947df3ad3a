"""Every page as people see it: axe finds nothing, in light and dark, full and empty, and nothing runs over at 360 px."""

from __future__ import annotations

import sqlite3
import uuid

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from config import load
from crm.app import create_app
from tests.architecture.routes import NOUN_OF, routes
from tests.e2e.conftest import Site, environment

pytestmark = pytest.mark.e2e
TABLES = {noun: noun for noun in NOUN_OF.values()} | {"people": "parties", "planned": "interactions", "imports": "import_batches"}
NOT_A_PAGE = (".csv", ".pdf", "/healthz", "/readyz", ".xlsx")


def ids_of(site: Site) -> dict[str, uuid.UUID]:
    """The newest record of each noun in the site's database."""
    found = {}
    with sqlite3.connect(f"file:{site.folder}/throughline.sqlite3?mode=ro", uri=True) as connection:
        for noun, table in TABLES.items():
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            if "id" not in columns:
                continue
            own = "JOIN offices o ON o.id = t.office_id AND o.code <> 'KEN'" if "office_id" in columns else ""
            row = connection.execute(f"SELECT t.id FROM {table} t {own} ORDER BY t.id LIMIT 1").fetchone()  # noqa: S608 - our own names
            if row:
                found[noun] = uuid.UUID(row[0])
    return found


def addresses(site: Site) -> list[str]:
    app = create_app(load(environment(site.folder)))
    ids = ids_of(site)
    pages = []
    for route in routes(app):
        if route.method != "GET" or route.rule.rule.endswith(NOT_A_PAGE) or "public" in route.needs:
            continue
        nouns = {NOUN_OF.get(name) or route.rule.endpoint.partition(".")[0] for name in route.rule.arguments if name.endswith("_id")}
        if nouns <= set(ids):
            pages.append(route.address(app, ids))
    return ["/sign-in", *pages]


def check_all(site: Site, chromium: Browser, person: str, scheme: str) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    site.sign_in(page, person)
    axe = Axe()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
    for address in addresses(site):
        answer = page.goto(site.url + address)
        if answer is None or "text/html" not in answer.headers.get("content-type", ""):
            continue
        assert answer.status < 500, address
        found = axe.run(page).response["violations"]
        problems += [f"{address} {violation['id']}: {violation['nodes'][0]['html'][:200]}" for violation in found]
        page.set_viewport_size({"width": 360, "height": 740})
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 1:
            problems.append(f"{address} is {wide} px wider than a phone")
        page.set_viewport_size({"width": 1280, "height": 900})
    context.close()
    assert problems == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_demonstration_passes_axe_and_fits_a_phone(demo_site, chromium, scheme):
    check_all(demo_site, chromium, "head@demo.example", scheme)


@pytest.mark.slow
def test_every_page_of_an_empty_office_passes_axe_and_fits_a_phone(empty_site, chromium):
    check_all(empty_site, chromium, "head@abc.example", "light")


def test_the_rejected_rows_of_a_file_pass_axe_and_no_script_of_theirs_fails(demo_site, page):
    demo_site.sign_in(page, "grants@demo.example")
    page.goto(f"{demo_site.url}/imports/new")
    rows = "".join(f"Name {number},nobody at home\n" for number in range(3))
    page.locator("input[type=file]").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": f"Name,E-mail\n{rows}".encode()}
    )
    page.get_by_label("What the file holds").select_option("parties")
    page.locator("main form button[type=submit]").last.click()
    page.get_by_role("link", name="Mend").first.click()
    expect(page.get_by_role("heading", name="Words that are not known, and problems of several rows")).to_be_visible()
    assert page.locator("#several").count() == 1
    assert not Axe().run(page).response["violations"]


def test_a_refused_form_passes_axe(demo_site, page):
    demo_site.sign_in(page, "head@demo.example")
    axe = Axe()
    problems = []
    for address in ("/parties/new", "/interactions/new", "/asks/new", "/commitments/new", "/pledges/new", "/programmes/new", "/users/new"):
        page.goto(demo_site.url + address)
        page.locator("main form button[type=submit]").last.click()
        page.wait_for_load_state()
        if not page.locator("[role=alert]").count():
            problems.append(f"{address}: nothing was refused")
        problems += [
            f"{address} {violation['id']}: {violation['nodes'][0]['html'][:160]}" for violation in axe.run(page).response["violations"]
        ]
    assert problems == []

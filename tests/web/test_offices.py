"""Making offices and people through their pages: currencies are chosen, what has an answer already is not called optional."""

from __future__ import annotations

from sqlalchemy import select

from crm.db import db
from crm.models.offices import Office
from crm.policy import unscoped
from tests.factories.browser import errors, tree

OFFICE = {"code": "NPL", "name": "Nepal", "currency": "NPR", "timezone": "Asia/Kathmandu"}


def test_an_office_is_made_with_currencies_from_a_list(app, browser):
    admin = browser("admin")
    page = tree(admin.get("/offices/new"))
    for name in ("currency", "reporting_currency"):
        assert page.xpath(f"//select[@name='{name}']/optgroup/option[@value='NPR']"), name
    assert page.xpath("//select[@name='currency']//option[@selected]/@value") in ([], [""])
    assert page.xpath("//select[@name='reporting_currency']//option[@selected]/@value") == ["USD"]
    admin.submit("/offices/new", OFFICE)
    with app.app_context(), unscoped("test"):
        made = db.session.scalars(select(Office).where(Office.code == "NPL")).one()
        assert (made.currency, made.reporting_currency) == ("NPR", "USD")


def test_a_local_currency_is_never_guessed(browser):
    refused = browser("admin").submit("/offices/new", {**OFFICE, "currency": ""}, status=422)
    assert "Fill in: Local currency." in errors(refused)
    assert tree(refused).xpath("//input[@name='name']/@value") == ["Nepal"]


def test_choices_that_have_an_answer_are_not_called_optional(browser):
    admin = browser("admin")
    for path, names in (("/offices/new", ("kind", "parent_id", "currency")), ("/users/new", ("office_id", "role"))):
        page = tree(admin.get(path))
        for name in names:
            label = page.xpath(f"//label[@for='{name}']")[0].text_content()
            assert "optional" not in label, (path, name)
    grants = browser("grants")
    assert "optional" in tree(grants.get("/pledges/new")).xpath("//label[@for='programme_id']")[0].text_content()
    assert "optional" not in tree(grants.get("/imports/new")).xpath("//label[@for='office']")[0].text_content()

"""The pages of spreadsheets of money: questions, control totals before anything is brought in, and the undo that takes money back."""

from __future__ import annotations

import csv
import io

import pytest

from crm.policy import bind_actor
from crm.services import users
from tests.factories import money, world
from tests.factories.browser import errors, tree


def sheet(*rows):
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()


def upload(client, data, kind, *, status=303):
    target, values = client.fields("/imports/new")
    values |= {"kind": kind, "file": (io.BytesIO(data), "money.csv")}
    response = client.client.post(target, data=values, content_type="multipart/form-data")
    assert response.status_code == status, errors(response)
    return response


def text(response):
    return " ".join(tree(response).text_content().split())


HEAD = ["Donor", "Grant reference", "Date", "Amount", "Currency"]


@pytest.fixture
def grants(browser, app):
    with app.app_context():
        actor = users.actor_by_email(world.address("grants"))
        bind_actor(actor)
        money.donor(actor, "Fund X")
    return browser("grants")


def row(reference, amount, currency="EUR", donor="Fund X"):
    return [donor, reference, "2026-01-12", amount, currency]


def test_pledges_are_checked_against_the_total_brought_in_and_taken_back(grants):
    data = sheet(HEAD, row("A", "1,000.50"), row("B", "2000"), row("C", "5", donor="Nobody"), ["Total", "", "", "3,005.50", "EUR"])
    place = upload(grants, data, "pledges").location
    page = text(grants.get(place))
    assert "The rows come to the total in row 5: €3,005.50." in page.replace("EUR ", "€")
    assert "3,000.50 (2)" in page
    assert "5.00 (1)" in page
    assert "Nothing is brought in yet." in page
    grants.submit(place, {}, action="/apply")
    listed = text(grants.get("/pledges/"))
    assert listed.count("Fund X") >= 2
    assert "Would be taken back 2" in text(grants.get(f"{place}/undo"))
    grants.submit(f"{place}/undo", {}, action="/undo")
    page = text(grants.get(place))
    assert "Taken back 2" in page
    listed = text(grants.get("/pledges/?status=taken-back"))
    assert "Taken back" in listed
    assert "No pledge fits" in text(grants.get("/pledges/?status=outstanding"))


def test_a_total_that_the_rows_do_not_come_to_is_said_before_bringing_in(grants):
    data = sheet(HEAD, row("A", "1000"), row("B", "2000"), ["TOTAL", "", "", "3500", ""])
    place = upload(grants, data, "pledges").location
    assert "EUR 500.00 less" in text(grants.get(place)).replace("€", "EUR ")
    for typed, said in (("EUR 2,999.00", "EUR 1.00 more"), ("3000", "The rows come to the total you gave"), ("USD 5", "USD 5.00 less")):
        grants.submit(f"{place}/columns", {"totals": typed})
        page = text(grants.get(place)).replace("€", "EUR ").replace("US$", "USD ")
        assert said in page, page
    refused = grants.submit(f"{place}/columns", {"totals": "about 5"}, status=422)
    assert any("not an amount" in sentence for sentence in errors(refused)), errors(refused)
    assert tree(refused).xpath("//input[@name='totals']/@value") == ["about 5"]


def test_what_amounts_leave_open_is_asked_first_and_remembered_without_the_total(grants):
    data = sheet(["Donor", "Date", "Amount"], ["Fund X", "2026-01-12", "1.234"], ["Fund X", "2026-01-13", "9.500 EUR"])
    place = upload(grants, data, "pledges").location
    assert place.endswith("/columns")
    page = text(grants.get(place))
    assert "Nothing says which currency “1.234”" in page
    assert "“9.500 EUR” in the column “Amount” can mean two amounts." in page
    assert "Who may read the notes" not in page
    grants.submit(place, {"amount_mark": "comma", "currency": "USD", "totals": "EUR 1"})
    page = text(grants.get(place.removesuffix("/columns")))
    assert "1,234.00 (1)" in page
    assert "9,500.00 (1)" in page
    again = upload(grants, data, "pledges").location
    assert not again.endswith("/columns")
    assert "You expected" not in text(grants.get(again))


def test_rejected_cells_of_money_are_mended_on_the_page(grants):
    place = upload(grants, sheet(HEAD, row("A", "10"), row("B", "ten")), "pledges").location
    grants.submit(f"{place}/rows", {"cell-3-3": "20.00"})
    assert "30.00 (2)" in text(grants.get(place))


def test_receipts_and_programmes_have_their_pages_too(grants):
    place = upload(grants, sheet(["Programme", "2026 (USD)"], ["Clinics", "1000"]), "programmes").location
    grants.submit(place, {}, action="/apply")
    assert "Clinics" in text(grants.get("/programmes/"))
    data = sheet(["Date", "Donor", "Amount", "Currency", "Bank reference"], ["2026-03-01", "Fund X", "70", "USD", "B1"])
    place = upload(grants, data, "receipts").location
    grants.submit(place, {}, action="/apply")
    assert "1 new, 0 changed" in text(grants.get(place))


def test_an_advocacy_officer_is_not_offered_money(browser):
    client = browser("officer")
    values = tree(client.get("/imports/new")).xpath("//select[@name='kind']/option/@value")
    assert values == ["parties", "positions", "interactions"]


@pytest.mark.parametrize("page", ["", "/columns", "/rows", "/undo"])
def test_nobody_of_another_office_finds_money_sheets(grants, browser, page):  # P1
    place = upload(grants, sheet(HEAD, row("A", "10")), "pledges").location
    browser("other-grants").get(f"{place}{page}", status=404)

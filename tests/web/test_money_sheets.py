"""The pages of spreadsheets of money: questions, control totals before anything is brought in, and the undo that takes money back."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import select

from crm.db import db
from crm.models.parties import Party
from crm.policy import bind_actor
from crm.services import parties, users
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
    assert "Pledges that were taken back are left out." in text(grants.get("/pledges/"))
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


def listed(client, address):
    """The references on a page of a list, its count in the heading, and those of its CSV."""
    page = tree(client.get(address))
    rows = csv.DictReader(io.StringIO(client.get(address.replace("/?", ".csv?")).get_data(as_text=True).lstrip("\ufeff")))
    found = [row["Reference"] for row in rows]
    assert page.xpath("//table[contains(@class, 'table-rows')]//span[contains(@class, 'reference')]/text()") == found
    return len(found), " ".join(page.xpath("//h1/following-sibling::*[1]")[0].text_content().split()) if found else "0"


@pytest.mark.parametrize(("kind", "noun", "back"), [("pledges", "pledges", 1), ("receipts", "receipts", 2)])
def test_what_was_taken_back_is_left_out_of_lists_until_asked_for(grants, kind, noun, back):
    if kind == "pledges":
        batches = (sheet(HEAD, row("A", "10")), sheet(HEAD, row("B", "20")))
    else:
        head = ["Date", "Donor", "Amount", "Currency", "Bank reference"]
        batches = (sheet(head, ["2026-03-01", "Fund X", amount, "EUR", amount]) for amount in ("10", "20"))
    places = [upload(grants, data, kind).location for data in batches]
    for place in places:
        grants.submit(place, {}, action="/apply")
    grants.submit(f"{places[0]}/undo", {}, action="/undo")
    counts = {asked: listed(grants, f"/{noun}/?back={asked}")[0] for asked in ("", "shown", "only", "strange")}
    assert counts == {"": 1, "shown": 1 + back, "only": back, "strange": 1}
    page = tree(grants.get(f"/{noun}/?back=only&sort=oldest"))
    assert "Only those taken back" in " ".join(page.text_content().split())
    save = page.xpath("//a[text()='Save this list']/@href")[0]
    answer = grants.submit(save, {"name": "Back"})
    assert "back=only" in answer.location
    if kind == "pledges":
        assert "EUR, one pledge" in text(grants.get("/pledges/"))
        assert listed(grants, "/pledges/?status=taken-back")[0] == 1


def test_an_advocacy_officer_is_not_offered_money(browser):
    client = browser("officer")
    told = tree(client.get("/imports/new")).xpath("//h2[. = 'What is read here']/following-sibling::dl[1]//dt/text()")
    assert told == ["People, organisations and groups", "Posts and who holds them", "Meetings, calls, visits and letters"]
    values = tree(client.get("/imports/new")).xpath("//select[@name='kind']/option/@value")
    assert values == ["parties", "positions", "interactions"]


def test_totals_are_held_for_each_currency_or_said_to_be_open(grants):
    rows = (row("A", "1000"), row("B", "500", "USD"))
    page = text(grants.get(upload(grants, sheet(HEAD, *rows, ["Total", "", "", "1500", ""]), "pledges").location))
    assert "The total in row 4 adds up several currencies (EUR, USD), so nothing can be held against it." in page
    assert "0 with problems" in page
    place = upload(grants, sheet(HEAD, *rows, ["Total", "", "", "EUR 1000; USD 501", ""]), "pledges").location
    page = text(grants.get(place)).replace("€", "EUR ").replace("US$", "USD ").replace("$", "USD ")
    assert "The rows come to the total in row 4: EUR 1,000.00." in page
    assert "the rows come to USD 500.00: USD 1.00 less" in page
    place = upload(grants, sheet(HEAD, *rows, ["Total EUR", "", "", "1000", ""]), "pledges").location
    assert "No total is given for: USD." in text(grants.get(place))
    grants.submit(f"{place}/columns", {"totals": "USD 500"})
    assert "No total is given for" not in text(grants.get(place))


def test_an_unknown_donor_has_the_nearest_ones_to_take_with_one_tap(grants, app):
    with app.app_context():
        actor = users.actor_by_email(world.address("grants"))
        bind_actor(actor)
        reference = db.session.get_one(Party, money.donor(actor, "Vesterhav, Ministry of <b>Aid</b>")).reference
        for name in ("Northland, Ministry of Health", "Southland, Ministry of Aid", "Children's Fund"):
            money.donor(actor, name)
        for party in db.session.scalars(select(Party).where(Party.name.not_in(["Fund X"]), Party.form == "organisation")).all():
            parties.change_kinds(actor, party.id, add=["donor"])
    who = "Kingdom of Vesterhav"
    data = sheet(HEAD, row("A", "10", donor=who), row("B", "20", donor=who), row("C", "30", donor="Zzyzx"))
    place = upload(grants, data, "pledges").location
    assert f"Perhaps meant: Vesterhav, Ministry of <b>Aid</b> ({reference})." in text(grants.get(place))
    page = tree(grants.get(f"{place}/rows"))
    (offered,) = page.xpath("//fieldset[contains(legend, 'In 2 rows')]//button[@name='take']/@value")
    assert offered.endswith(f":{reference}")
    assert page.xpath("//button[@name='take']/@value") == [offered]  # once for both rows
    grants.submit(f"{place}/rows", {"take": offered})
    assert "2 new, 0 changed, 0 unchanged, 0 possible duplicates, 1 with a problem." in text(grants.get(place))
    grants.submit(f"{place}/rows", {"take": "cell-4-0:JOR-PA-2026-9999"})  # nothing that was offered
    assert "1 with a problem." in text(grants.get(place))


@pytest.mark.parametrize("page", ["", "/columns", "/rows", "/undo"])
def test_nobody_of_another_office_finds_money_sheets(grants, browser, page):  # P1
    place = upload(grants, sheet(HEAD, row("A", "10")), "pledges").location
    browser("other-grants").get(f"{place}{page}", status=404)

"""Programmes through their pages: need, secured, gap by year (M2), outputs, indicators, tags; refusals; who may."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal

import pytest
from flask import Flask

from crm.db import db
from crm.policy import bind_actor
from crm.services import agreements, users
from tests.factories import money as made
from tests.factories import world
from tests.factories.browser import Browser, check_page, errors, tree
from tests.factories.counting import count_statements

PROGRAMME = {
    "title": "Clinics in the dry season",
    "summary": "Vaccines where health posts run dry.",
    "starts_on": "2022-01-01",
    "currency": "USD",
    "sector": "12220",
    "place_text": "Mafraq",
    "goals": ["3"],
    "targets": "3.8",
    "articles": "24, 28",
}


def text_of(response) -> str:
    return " ".join(tree(response).text_content().split())


def make(browser: Browser, **changes) -> str:
    return browser.submit("/programmes/new", {**PROGRAMME, **changes}).location


def secure(app: Flask, programme: str, amount: int = 9_000_000) -> None:
    """A signed agreement for the programme, and money on it."""
    with app.app_context():
        actor = users.actor_by_email(world.address("grants"))
        bind_actor(actor)
        made.ecb(actor)
        key = programme.rsplit("/", 1)[-1]
        line = agreements.BudgetLine(__import__("uuid").UUID(key), made.eur(amount))
        signed = made.agreement(
            actor,
            made.eur(amount),
            office_id=made.office(),
            donor_id=made.donor(actor),
            budget_lines=[line],
            plan=[made.line(made.eur(amount), date(2023, 3, 31))],
        )
        made.receipt(actor, made.eur(4_500_000), date(2023, 3, 31), agreement_id=signed)
        db.session.remove()


def test_a_programme_shows_what_it_is_needs_has_and_lacks(browser, app):
    """M2: gap = requirement - secured; pledges stay outside."""
    grants = browser("grants")
    location = make(grants)
    page = text_of(grants.get(location))
    for words in ("SDG 3", "SDG target 3.8", "CRC article 24", "Mafraq", "not recorded", "no ask yet"):
        assert words in page, words
    grants.submit(f"{location}/requirements/new", {"year": "2023", "amount": "12m", "source": "plan, page 4"})
    secure(app, location)
    page = text_of(grants.get(location))
    for figure in ("USD 12,000,000.00", "USD 9,558,900.00", "USD 4,893,750.00", "USD 2,441,100.00"):
        assert figure in page, figure
    listed = text_of(grants.get("/programmes/?year=2023"))
    assert "USD 2,441,100.00" in listed
    assert "USD 2,441,100.00" not in text_of(grants.get("/programmes/?year=2022"))
    earlier = text_of(grants.get(f"{location}?as_of=2022-12-01"))
    assert "USD 9,558,900.00" not in earlier


def test_a_new_requirement_takes_the_place_of_the_last_which_stays_readable(browser):
    grants = browser("grants")
    location = make(grants)
    grants.submit(f"{location}/requirements/new", {"year": "2024", "amount": "3m", "source": "first"})
    grants.submit(f"{location}/requirements/new", {"year": "2024", "amount": "2.5m", "source": "second"})
    page = text_of(grants.get(location))
    assert "USD 2,500,000.00" in page
    assert "version 2" in page
    assert "first" in page


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("year", "", "Fill in"),
        ("year", "20x4", "whole number"),
        ("year", "9999", "whole number"),
        ("amount", "", "Enter an amount"),
        ("amount", "1.234", "can mean"),
        ("amount", "-1", "must not be negative"),
        ("source", "x" * 601, "at most"),
    ],
)
def test_a_wrong_requirement_is_refused_and_kept(browser, field, value, says):
    grants = browser("grants")
    location = make(grants)
    answer = grants.submit(
        f"{location}/requirements/new", {"year": "2024", "amount": "3m", "source": "kept words", field: value}, status=422
    )
    check_page(answer)
    assert any(says in line for line in errors(answer)), errors(answer)
    assert field == "source" or tree(answer).xpath("//input[@name='source']/@value") == ["kept words"]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("title", "", "Fill in"),
        ("title", "x" * 301, "at most"),
        ("starts_on", "", "Fill in"),
        ("starts_on", "long ago", "not a day"),
        ("ends_on", "2021-01-01", "before the start"),
        ("sector", "99999x", "list"),
        ("targets", "3.99", "not in the list"),
        ("articles", "<b>", "not in the list"),
        ("currency", "QQQ", "currency"),
        ("goals", ["99"], "not in the list"),
    ],
)
def test_wrong_input_is_answered_in_words(browser, field, value, says):
    answer = browser("grants").submit("/programmes/new", {**PROGRAMME, field: value}, status=422)
    check_page(answer)
    assert any(says in line for line in errors(answer)), errors(answer)
    assert "Vaccines where health posts run dry." in answer.get_data(as_text=True)


def test_outputs_indicators_and_measurements(browser):
    grants = browser("grants")
    location = make(grants)
    grants.submit(f"{location}/outputs/new", {"title": "Cold boxes"})
    grants.submit(f"{location}/outputs/new", {"title": ""}, status=422)
    edit = tree(grants.get(location)).xpath("//a[contains(@href, '/outputs/') and contains(@href, '/edit')]/@href")[0]
    grants.submit(edit, {"title": "Cold boxes and fuel"})
    assert "Cold boxes and fuel" in text_of(grants.get(location))
    indicator = {
        "title": "Children with three doses",
        "unit": "percent",
        "direction": "up",
        "baseline_value": "61",
        "baseline_on": "2021-12-31",
    }
    refused = grants.submit(f"{location}/indicators/new", {**indicator, "target_value": "90"}, status=422)
    assert any("neither" in line for line in errors(refused))
    grants.submit(f"{location}/indicators/new", {**indicator, "target_value": "sixty", "target_on": "2026-12-31"}, status=422)
    grants.submit(f"{location}/indicators/new", {**indicator, "target_value": "90", "target_on": "2026-12-31"})
    link = tree(grants.get(location)).xpath("//a[contains(@href, '/measurements/new')]/@href")[0]
    officer = browser("officer")
    for day, value in (("2023-12-31", "71,5"), ("2024-12-31", "78")):
        officer.submit(link, {"measured_on": day, "value": value, "source": "DHIS"})
    officer.submit(link, {"measured_on": "2024-12-31", "value": "79"}, status=422)
    officer.submit(link, {"measured_on": "2099-12-31", "value": "79"}, status=422)
    officer.submit(link, {"measured_on": "2025-01-31", "value": "many"}, status=422)
    page = grants.get(location)
    assert "Latest 78" in text_of(page)
    assert "71.5" in text_of(page)
    assert tree(page).xpath("//section[@id='indicators']//*[local-name()='svg']")
    edit = tree(page).xpath("//a[contains(@href, '/indicators/') and contains(@href, '/edit')]/@href")[0]
    assert tree(grants.get(edit)).xpath("//input[@name='baseline_value']/@value") == ["61"]
    grants.submit(edit, {"unit": "per cent"})


def test_a_blank_currency_is_refused_and_the_one_on_record_stays(browser):
    grants = browser("grants")
    page = make(grants)
    refused = grants.submit(f"{page}/edit", {"currency": " "}, status=422)
    assert "Choose a currency." in text_of(refused)
    grants.submit("/programmes/new", {**PROGRAMME, "currency": ""}, status=422)
    assert "USD" in text_of(grants.get(page))


def test_what_is_typed_for_one_programme_is_kept_for_that_one_alone(browser):
    grants = browser("grants")
    paths = ["/programmes/new", *(f"{make(grants, title=title)}/edit" for title in ("Clinics", "Schools"))]
    kept = [tree(grants.get(path)).xpath("string(//form/@data-draft)") for path in paths]
    assert all(kept)
    assert len(set(kept)) == len(paths), kept


def test_two_editors_are_shown_yours_theirs_and_the_original(browser):
    grants, manager = browser("grants"), browser("manager")
    location = make(grants)
    _action, opened = grants.fields(f"{location}/edit")
    manager.submit(f"{location}/edit", {"title": "Clinics all year"})
    mine = {name: value for name, value in opened.items() if value is not None}
    answer = grants.client.post(f"{location}/edit", data={**mine, "title": "Clinics in summer"})
    assert answer.status_code == 409
    page = text_of(answer)
    for words in ("Clinics all year", "Clinics in summer", "Clinics in the dry season"):
        assert words in page, words
    form = next(form for form in tree(answer).forms if form.method == "POST" and "sign-out" not in (form.action or ""))
    values: dict = {}
    for name, value in form.form_values():
        values.setdefault(name, []).append(value)
    done = grants.client.post(f"{location}/edit", data={**values, "choose-title": "theirs"})
    assert done.status_code == 303, errors(done)
    assert "Clinics all year" in text_of(grants.get(location))


def test_who_may_only_look_has_no_buttons_and_another_office_nothing(browser):
    grants = browser("grants")
    location = make(grants)
    for name in ("viewer", "auditor", "officer"):
        reader = browser(name)
        assert not tree(reader.get(location)).xpath("//main//a[contains(@href, '/edit') or contains(@href, '/requirements/new')]")
        for part in ("/edit", "/requirements/new", "/outputs/new", "/indicators/new"):
            reader.get(location + part, status=403)
    stranger = browser("other-grants")
    for part in ("", "/edit", "/requirements/new", "/outputs/new", "/indicators/new"):
        stranger.get(location + part, status=404)
    assert "Clinics" not in text_of(stranger.get("/programmes/"))


def test_a_year_without_pledges_has_an_empty_cell_and_no_heading_of_nothing_on_a_phone(browser):
    grants = browser("grants")
    location = make(grants)
    grants.submit(f"{location}/requirements/new", {"year": "2023", "amount": "12m"})
    cells = tree(grants.get(location)).xpath("//table[contains(@class, 'table-rows')]//tr[th[starts-with(normalize-space(.), '2023')]]/td")
    assert ["is-empty" in cell.get("class", "") for cell in cells] == [False, False, False, False, True]


def test_pages_send_as_many_statements_for_much_as_for_little(browser, app):
    grants = browser("grants")
    location = make(grants)
    grants.submit(f"{location}/outputs/new", {"title": "One"})
    grants.submit(f"{location}/requirements/new", {"year": "2023", "amount": "12m"})
    secure(app, location)
    grants.get(location)  # what all share is read once
    with count_statements(app) as little:
        grants.get(location)
    with count_statements(app) as one:
        grants.get("/programmes/")
    for number in range(4):
        grants.submit(f"{location}/outputs/new", {"title": f"More {number}"})
        grants.submit(f"{location}/requirements/new", {"year": str(2024 + number), "amount": str(Decimal(number + 1))})
        make(grants, title=f"Other {number}")
    with count_statements(app) as much:
        grants.get(location)
    with count_statements(app) as many:
        grants.get("/programmes/")
    assert much.count == little.count, f"{little}\n\n{much}"
    assert many.count == one.count


def test_odd_addresses_are_harmless(browser):
    grants = browser("grants")
    location = make(grants)
    for odd in ("?year=abcd", "?year=0000", "?sort=x&page=-1", "?q=%00%25", "?after=%F0"):
        grants.get("/programmes/" + odd)
    for odd, said in (
        ("?as_of=never", "“never” is no day"),
        ("?as_of=2999-01-01", "January 2999 is still to come"),
        ("?as_of=0001-01-01", "Figures as of"),
    ):
        assert said in text_of(grants.get(location + odd))


def test_tags_of_two_editors_are_yours_theirs_and_the_original(browser):
    """F7: tags are a field. Tags that one alone changed are kept; where both changed them, nobody's are lost silently."""
    grants, manager = browser("grants"), browser("manager")
    location = make(grants)
    _action, opened = grants.fields(f"{location}/edit")
    manager.submit(f"{location}/edit", {"goals": ["3", "5"], "articles": "24"})
    mine = {name: value for name, value in opened.items() if value is not None}
    answer = grants.client.post(f"{location}/edit", data={**mine, "goals": ["3", "4"], "title": "Clinics in summer"})
    assert answer.status_code == 409
    page = tree(answer)
    field = page.xpath("//fieldset[.//input[@name='choose-goals']]")[0].text_content()
    assert "Quality education" in field or "4 " in field
    assert "5 " in field
    assert not page.xpath("//input[@name='choose-articles']"), "only the other changed them"
    form = next(form for form in page.forms if form.method == "POST" and "sign-out" not in (form.action or ""))
    values: dict = {}
    for name, value in form.form_values():
        values.setdefault(name, []).append(value)
    assert sorted(values["goals"]) == ["3", "4"]
    done = grants.client.post(f"{location}/edit", data={**values, "choose-goals": "theirs"})
    assert done.status_code == 303, errors(done)
    _action, now = grants.fields(f"{location}/edit")
    assert (sorted(now["goals"]), now["articles"], now["title"]) == (["3", "5"], "24", "Clinics in summer")


def test_a_tag_left_alone_keeps_what_the_other_saved(browser):
    grants, manager = browser("grants"), browser("manager")
    location = make(grants)
    _action, opened = grants.fields(f"{location}/edit")
    manager.submit(f"{location}/edit", {"targets": "3.8 4.1"})
    mine = {name: value for name, value in opened.items() if value is not None}
    assert grants.client.post(f"{location}/edit", data={**mine, "summary": "Other words."}).status_code == 303
    assert grants.fields(f"{location}/edit")[1]["targets"] == "3.8 4.1"


def test_many_agreements_are_one_click_away(browser, app):
    """The page keeps its size: the newest fifteen of agreements and pledges, and all of them behind a link."""
    grants = browser("grants")
    location = make(grants)
    key = uuid.UUID(location.rsplit("/", 1)[-1])
    with app.app_context():
        actor = users.actor_by_email(world.address("grants"))
        bind_actor(actor)
        donor = made.donor(actor)
        for day in range(1, 18):
            made.agreement(
                actor,
                made.eur(100),
                office_id=made.office(),
                donor_id=donor,
                budget_lines=[agreements.BudgetLine(key, made.eur(100))],
                plan=[made.line(made.eur(100), date(2023, 3, 31))],
                signed_on=date(2023, 1, day),
            )
            made.pledge(actor, donor, made.eur(200), programme_id=key)
        db.session.remove()
    page = grants.get(location)
    assert text_of(page).count("EUR 100.00") == 15
    parts = tree(page).xpath("//section[@id='behind']//h3[following-sibling::*//table]")
    assert [part.text_content() for part in parts] == ["Agreements", "Pledges"], "which table is which is said on a phone too"
    links = {link.text_content(): link.get("href") for link in tree(page).iter("a")}
    everything = text_of(grants.get(links["Show all 17 agreements"]))
    assert everything.count("EUR 100.00") == 17
    assert "Show all" not in everything
    assert text_of(grants.get(links["Show all 17 pledges"])).count("EUR 200.00") >= 17


def test_who_changed_what_names_the_sector_and_the_days(browser) -> None:
    officer = browser("grants")
    address = make(officer)
    saved = officer.submit(f"{address}/edit", {"sector": "12240", "starts_on": "2022-02-01"})
    assert saved.status_code == 303, errors(saved)
    history = text_of(officer.get(f"{address}/history"))
    for said in ("Basic health care", "Basic nutrition", "1 Jan 2022", "1 Feb 2022"):
        assert said in history
    for raw in ("12220", "2022-01-01"):
        assert raw not in history


def test_years_that_are_short_are_named_where_the_total_is_not(browser, app):
    """Decision 7: the total sets 2023's surplus against 2024; the years do not, and the page says so by the figures."""
    grants = browser("grants")
    location = make(grants)
    grants.submit(f"{location}/requirements/new", {"year": "2023", "amount": "1m", "source": "plan"})
    secure(app, location)  # USD 9,558,900 falls due in 2023
    page = text_of(grants.get(location))
    assert "More is secured than is required" in page
    assert "Year by year" not in page
    grants.submit(f"{location}/requirements/new", {"year": "2024", "amount": "2m", "source": "plan"})
    page = text_of(grants.get(location))
    assert "Gap, all years USD 0.00" in page
    assert "1 year is short" in page
    assert "More is secured than is required" not in page
    assert "Year by year USD 2,000,000.00 is missing, over all years USD 0.00" in page
    grants.submit(f"{location}/requirements/new", {"year": "2025", "amount": "3m", "source": "plan"})
    assert "2 years are short" in text_of(grants.get(location))
    grants.submit(f"{location}/requirements/new", {"year": "2026", "amount": "20m", "source": "plan"})
    page = text_of(grants.get(location))
    assert "Year by year USD 25,000,000.00 is missing, over all years USD 16,441,100.00" in page
    assert "is still missing" in page

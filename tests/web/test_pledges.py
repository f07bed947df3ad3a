"""Pledges through their pages: the whole of step 4, refusals that keep what was typed, who may, what counts (M1-M7, M11, M12)."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import func, select

from crm.db import db
from crm.models.pledges import Agreement, Pledge, Receipt
from crm.money import Money
from crm.policy import bind_actor, unscoped
from crm.services import offices, users
from crm.services import programmes as programme_services
from tests.factories import money as made
from tests.factories import world
from tests.factories.browser import Browser, check_page, errors, tree
from tests.factories.counting import count_statements


@pytest.fixture
def scene(app: Flask):
    """A donor, a programme with three outputs, and the real rates."""
    with app.app_context():
        actor = users.actor_by_email(world.address("grants"))
        bind_actor(actor)
        made.ecb(actor)
        donor = made.donor(actor)
        programme = made.programme(actor)
        outputs = [programme_services.add_output(actor, programme, title) for title in ("Cold boxes", "Outreach", "Training")]
        programme_services.set_requirement(actor, programme, 2023, Money(Decimal(12_000_000), "USD"), "plan")
        db.session.remove()
    return {"donor": donor, "programme": programme, "outputs": outputs}


def text_of(response) -> str:
    return " ".join(tree(response).text_content().split())


def confirm(browser: Browser, path: str, data: dict, *, status: int = 303):
    """Fill in a form, see its check page, save it; the answer to saving."""
    seen = browser.submit(path, {**data, "go": "check"}, status=200)
    check_page(seen)
    form = next(form for form in tree(seen).forms if "sign-out" not in (form.action or "") and form.method == "POST")
    values: dict = {}
    for name, value in form.form_values():
        values.setdefault(name, []).append(value)
    answer = browser.client.post(path, data={**values, "go": "save"})
    assert answer.status_code == status, errors(answer)
    return seen, answer


PLAN = {
    "plan-0-due_on": "2023-03-31",
    "plan-0-amount": "4,500,000",
    "plan-1-due_on": "2023-09-30",
    "plan-1-amount": "3m",
    "plan-2-due_on": "2024-01-31",
    "plan-2-amount": "1.500.000,00",
    "plan-3-due_on": "",
    "plan-3-due_when": "after the report of the third year",
    "plan-3-amount": "1 000 000",
}
PLEDGE = {
    "donor-text": "Ministry of Northland",
    "amount": "10,000,000.00",
    "currency": "EUR",
    "pledged_on": "2022-09-21",
    "words": "We shall give ten million euro.",
    "event_name": "Global conference",
    **PLAN,
}


def record_pledge(browser: Browser, scene, **changes) -> str:
    _seen, answer = confirm(browser, "/pledges/new", {**PLEDGE, "programme_id": str(scene["programme"]), **changes})
    return answer.location


def test_step_4_of_the_issue_through_the_pages_comes_out_to_the_cent(browser, scene):
    grants = browser("grants")
    seen, answer = confirm(grants, "/pledges/new", {**PLEDGE, "programme_id": str(scene["programme"])})
    assert "USD 9,906,000.00" in text_of(seen)
    pledge = answer.location
    assert "This record begins on" in text_of(grants.get(f"{pledge}?as_of=2022-09-01"))
    page = text_of(grants.get(f"{pledge}?as_of=2022-09-30"))
    assert "Figures as of" in page
    assert "EUR 10,000,000.00" in page
    assert "USD 9,906,000.00 at 1 EUR = 0.9906 USD, 21 Sep 2022, ECB" in page

    seen, answer = confirm(
        grants, f"{pledge}/agreement", {"title": "Clinics", "amount": "9,000,000.00", "currency": "EUR", "signed_on": "2022-12-15"}
    )
    assert "USD 9,558,900.00" in text_of(seen)
    agreement = answer.location
    page = text_of(grants.get(pledge))
    assert "EUR 9,000,000.00" in page
    assert "EUR 1,000,000.00" in page

    seen, _answer = confirm(grants, f"{agreement}/receipts/new", {"amount": "4,500,000.00", "value_on": "2023-03-31"})
    assert "31 Mar 2023" in text_of(seen)
    seen, _answer = confirm(grants, f"{agreement}/receipts/new", {"amount": "3,000,000.00", "value_on": "2023-09-29"})
    assert "30 Sep 2023" in text_of(seen)
    page = text_of(grants.get(agreement))
    for figure in ("USD 8,071,950.00", "USD 7,474,027.78", "USD 597,922.22", "USD 106,200.00"):
        assert figure in page, figure

    shares = {}
    for row, (output, share) in enumerate(zip(scene["outputs"], ("60", "25", "15"), strict=True)):
        shares[f"shares-{row}-target"] = f"{scene['programme']}:{output}"
        shares[f"shares-{row}-share"] = share
    seen, _answer = confirm(grants, f"{agreement}/allocations/new", {"allocated_on": "2023-10-02", **shares})
    parts = ("USD 4,484,416.67", "USD 1,868,506.94", "USD 1,121,104.17")
    for part in (*parts, "USD 7,474,027.78"):
        assert part in text_of(seen), part

    grants.submit(f"{pledge}/change", {"kind": "lapse", "on": "2024-02-01", "reason": "the event's deadline has passed"})
    page = text_of(grants.get(f"{pledge}?as_of=2024-03-29"))
    for part in (*parts, "USD 1,621,650.00 at 1 EUR = 1.0811 USD, 28 Mar 2024, ECB", "EUR 1,500,000.00", "USD 106,200.00"):
        assert part in page, part
    assert "58 days late" in page
    assert "EUR 1,000,000.00 lapsed or withdrawn" in page
    assert "EUR 0.00" in page
    programme = text_of(grants.get(f"/programmes/{scene['programme']}"))
    for part in parts:
        assert part in programme, part


def test_the_same_amount_read_two_ways_is_asked_about_and_what_was_typed_is_kept(browser, scene):
    """M1."""
    grants = browser("grants")
    answer = grants.submit("/pledges/new", {**PLEDGE, "amount": "1.234", "go": "check"}, status=422)
    assert any("can mean EUR 1,234 or EUR 1.234" in line for line in errors(answer)), errors(answer)
    page = tree(answer)
    assert page.xpath("//input[@name='amount']/@value") == ["1.234"]
    assert page.xpath("//input[@name='plan-2-amount']/@value") == ["1.500.000,00"]
    assert "We shall give ten million euro." in page.text_content()


def test_a_plan_that_does_not_add_up_says_by_how_much(browser, scene):
    """M7: instalments come to exactly the amount."""
    answer = browser("grants").submit("/pledges/new", {**PLEDGE, "plan-3-amount": "900000", "go": "check"}, status=422)
    assert any("differ by EUR 100,000.00" in line for line in errors(answer)), errors(answer)


def test_equal_parts_are_filled_in_without_a_script_and_add_up(browser, scene):
    """M6: EUR 10,000,000 in three parts."""
    empty = dict.fromkeys(PLAN, "")
    answer = browser("grants").submit(
        "/pledges/new", {**PLEDGE, **empty, "parts": "3", "every": "6", "first_on": "2023-01-31", "go": "equal"}, status=200
    )
    rows = tree(answer)
    amounts = [Decimal(value) for value in rows.xpath("//input[starts-with(@name, 'plan-') and contains(@name, 'amount')]/@value") if value]
    days = [value for value in rows.xpath("//input[starts-with(@name, 'plan-') and contains(@name, 'due_on')]/@value") if value]
    assert sum(amounts) == 10_000_000
    assert days == ["2023-01-31", "2023-07-31", "2024-01-31"]


def test_another_row_comes_without_a_script(browser, scene):
    grants = browser("grants")
    answer = grants.submit("/pledges/new", {**PLEDGE, "add": "plan"}, status=200)
    assert tree(answer).xpath("//input[@name='plan-4-amount']")
    assert tree(answer).xpath("//input[@name='plan-0-amount']/@value") == ["4,500,000"]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("donor-text", "", "Enter who"),
        ("donor-text", "Nobody we know", "Nobody"),
        ("amount", "", "Enter an amount"),
        ("amount", "ten", "not an amount"),
        ("amount", "-5", "must not be negative"),
        ("amount", "0", "greater than 0"),
        ("amount", "9" * 80, "at most 60"),
        ("currency", "XXQ", "Choose a currency"),
        ("pledged_on", "yesterday", "not a day"),
        ("pledged_on", "2099-01-01", "future"),
        ("words", "x" * 20_001, "at most"),
        ("event_name", "x" * 301, "at most"),
        ("programme_id", "not-a-key", "Choose from the list"),
        ("plan-0-due_on", "soon", "not a day"),
        ("plan-0-amount", "1.234", "can mean"),
        ("plan-0-amount", "<script>", "not an amount"),
        ("rate_policy", "fixed", "Fill in"),
        ("fixed_rate", "0.9x", "not a number"),
    ],
)
def test_wrong_input_is_answered_beside_its_field_and_nothing_is_saved(browser, scene, app, field, value, says):
    answer = browser("grants").submit("/pledges/new", {**PLEDGE, field: value, "go": "save"}, status=422)
    check_page(answer)
    assert any(says in line for line in errors(answer)), errors(answer)
    with app.app_context(), unscoped("test"):
        assert db.session.scalar(select(func.count(Pledge.id))) == 0


def test_an_empty_form_is_refused_with_a_link_to_each_field(browser, scene):
    answer = browser("grants").submit("/pledges/new", {"pledged_on": "", "go": "check"}, status=422)
    page = tree(answer)
    links = page.xpath("//*[@role='alert']//a/@href")
    assert links
    for link in links:
        assert page.xpath(f"//*[@id='{link[1:]}']"), link


def test_the_history_says_who_did_what(browser, scene):
    grants = browser("grants")
    location = record_pledge(grants, scene)
    page = text_of(browser("viewer").get(f"{location}/history"))
    assert "Pledge recorded" in page
    assert "Grants Person" in page
    assert "Programme recorded" in text_of(grants.get(f"/programmes/{scene['programme']}/history"))
    browser("other-grants").get(f"{location}/history", status=404)


def test_a_double_click_makes_one_pledge(browser, scene, app):
    grants = browser("grants")
    _action, values = grants.fields("/pledges/new")
    data = {**{k: v for k, v in values.items() if v is not None}, **PLEDGE, "go": "save"}
    first = grants.client.post("/pledges/new", data=data)
    second = grants.client.post("/pledges/new", data=data)
    assert first.location == second.location
    with app.app_context(), unscoped("test"):
        assert db.session.scalar(select(func.count(Pledge.id))) == 1


def test_looking_before_saving_keeps_nothing_not_even_a_number(browser, scene, app):
    grants = browser("grants")
    grants.submit("/pledges/new", {**PLEDGE, "go": "check"}, status=200)
    with app.app_context(), unscoped("test"):
        assert db.session.scalar(select(func.count(Pledge.id))) == 0
    location = record_pledge(grants, scene)
    assert "-PL-" in text_of(grants.get(location))
    assert re.search(r"-PL-\d{4}-0*1\b", text_of(grants.get(location)))


def test_changing_the_answers_keeps_them(browser, scene):
    grants = browser("grants")
    seen = grants.submit("/pledges/new", {**PLEDGE, "go": "check"}, status=200)
    form = next(form for form in tree(seen).forms if form.method == "POST" and "sign-out" not in (form.action or ""))
    again = grants.client.post("/pledges/new", data={**dict(form.form_values()), "go": "change"})
    page = tree(again)
    assert again.status_code == 200
    assert page.xpath("//input[@name='amount']/@value") == ["10,000,000.00"]
    assert page.xpath("//input[@name='plan-1-amount']/@value") == ["3m"]


def test_who_may_only_look_sees_the_pages_without_buttons(browser, scene):
    location = record_pledge(browser("grants"), scene)
    for name in ("viewer", "officer", "auditor"):
        reader = browser(name)
        page = tree(reader.get(location))
        assert not page.xpath("//main//a[contains(@href, '/agreement') or contains(@href, '/change')]"), name
        assert not tree(reader.get("/pledges/")).xpath("//main//a[contains(@href, '/pledges/new')]"), name
        for path in ("/pledges/new", f"{location}/change", f"{location}/agreement", f"{location}/reschedule", f"{location}/receipts/new"):
            reader.get(path, status=403)


def test_another_office_finds_nothing(browser, scene):
    location = record_pledge(browser("grants"), scene)
    stranger = browser("other-grants")
    stranger.get(location, status=404)
    for part in ("/change", "/agreement", "/reschedule", "/receipts/new"):
        stranger.get(location + part, status=404)
    assert "Ministry of Northland" not in tree(stranger.get("/pledges/")).text_content()


def test_the_list_filters_sorts_and_totals_per_currency(browser, scene):
    grants = browser("grants")
    record_pledge(grants, scene)
    record_pledge(grants, scene, currency="USD", event_name="Second", pledged_on="2023-05-05")
    page = text_of(grants.get("/pledges/"))
    assert "EUR, one pledge EUR 10,000,000.00" in page
    assert "USD, one pledge USD 10,000,000.00" in page
    assert "EUR 10,000,000.00" not in text_of(grants.get("/pledges/?year=2023"))
    assert "No pledge fits" in text_of(grants.get("/pledges/?status=converted"))
    late = text_of(grants.get("/pledges/?status=late"))
    assert "Late" in late
    for odd in ("?year=20x3", "?status=nonsense", "?donor=1", "?programme=x&sort=%00&page=999999", "?q=%00%25%27", "?after=zzz"):
        grants.get("/pledges/" + odd)


@pytest.mark.parametrize("noun", ["pledges", "agreements", "receipts"])
def test_where_there_are_too_many_to_choose_from_words_find_them(browser, scene, monkeypatch, noun):
    """Headquarters has thousands of donors: nobody looks through them, and each page would send them all."""

    def offered(address: str) -> list[str]:
        return [
            one.text_content().strip() for one in tree(grants.get(address)).xpath("//form[@role='search']//select[@name='donor']/option")
        ]

    grants = browser("grants")
    place = record_pledge(grants, scene)
    if noun == "agreements":
        confirm(grants, f"{place}/agreement", {"title": "Signed", "signed_on": "2022-11-15", "amount": "10m", "currency": "EUR", **PLAN})
    if noun == "receipts":
        confirm(grants, f"{place}/receipts/new", {"value_on": "2023-04-03", "amount": "4,500,000", "currency": "EUR"})
    assert offered(f"/{noun}/")[1:] == ["Ministry of Northland"]
    monkeypatch.setattr("crm.queries.money_choices.MOST_OFFERED", 0)
    assert offered(f"/{noun}/") == []
    assert "Ministry of Northland" in text_of(grants.get(f"/{noun}/?q=northland"))
    chosen = f"/{noun}/?donor={scene['donor']}"
    assert "Ministry of Northland" in offered(chosen), "what was chosen is shown and can be taken away"
    assert "Donor: Ministry of Northland" in text_of(grants.get(chosen))
    if noun != "receipts":
        assert "Ministry of Northland" in text_of(grants.get(f"/{noun}/?q=dry+season")), "by the programme"


def test_a_pledge_page_sends_as_many_statements_for_much_as_for_little(browser, scene, app):
    grants = browser("grants")
    location = record_pledge(grants, scene)
    _seen, answer = confirm(grants, f"{location}/agreement", {"title": "A", "amount": "2m", "currency": "EUR", "signed_on": "2022-12-15"})
    confirm(grants, f"{answer.location}/receipts/new", {"amount": "100", "value_on": "2023-03-31"})
    confirm(
        grants,
        f"{answer.location}/allocations/new",
        {"allocated_on": "2023-04-01", "amount": "10", "shares-0-target": f"{scene['programme']}:", "shares-0-share": "1"},
    )
    with count_statements(app) as little:
        grants.get(location)
    for number in range(3):
        _seen, answer = confirm(
            grants, f"{location}/agreement", {"title": f"B{number}", "amount": "2m", "currency": "EUR", "signed_on": "2022-12-16"}
        )
        for _twice in range(2):
            confirm(grants, f"{answer.location}/receipts/new", {"amount": "200", "value_on": "2023-03-31"})
        confirm(
            grants,
            f"{answer.location}/allocations/new",
            {"allocated_on": "2023-04-01", "amount": "10", "shares-0-target": f"{scene['programme']}:", "shares-0-share": "1"},
        )
    with count_statements(app) as much:
        grants.get(location)
    assert much.count == little.count, f"{little}\n\n{much}"
    with count_statements(app) as first:
        grants.get("/pledges/")
    record_pledge(grants, scene)
    with count_statements(app) as second:
        grants.get("/pledges/")
    assert first.count == second.count


def test_lapsing_more_than_is_outstanding_is_refused_and_a_stale_form_too(browser, scene):
    """M3: never below what is outstanding."""
    grants = browser("grants")
    location = record_pledge(grants, scene)
    answer = grants.submit(f"{location}/change", {"kind": "lapse", "amount": "11m", "on": "2024-02-01", "reason": "x"}, status=422)
    assert errors(answer)
    stale = grants.fields(f"{location}/change")[1]
    grants.submit(f"{location}/change", {"kind": "uplift", "amount": "5", "on": "2024-02-01", "reason": "more"})
    late = grants.client.post(
        f"{location}/change", data={**{k: v for k, v in stale.items() if v is not None}, "kind": "lapse", "on": "2024-02-01", "reason": "y"}
    )
    assert late.status_code == 409
    assert "Two of you changed this" in late.get_data(as_text=True)


def test_a_change_of_money_made_meanwhile_is_shown_with_mine_and_mine_can_still_be_recorded(browser, scene):
    """Before, now and mine; money changes are added, so mine is recorded on top of theirs once I have seen it."""
    grants = browser("grants")
    location = record_pledge(grants, scene)
    path = f"{location}/change"
    target, values = grants.fields(path)
    browser("head").submit(path, {"kind": "reduction", "amount": "2m", "on": "2023-01-10", "reason": "a new cabinet"})
    mine = {**values, "kind": "lapse", "amount": "1m", "on": "2023-01-11", "reason": "the deadline has passed"}
    clash = grants.client.post(path, data=mine)
    assert clash.status_code == 409
    check_page(clash)
    page = text_of(clash)
    for part in ("EUR 10,000,000.00", "EUR 8,000,000.00", "the deadline has passed", "1m", "11 Jan 2023", "Lapsed"):
        assert part in page, part
    form = next(form for form in tree(clash).forms if form.method == "POST" and "sign-out" not in (form.action or ""))
    saved = grants.client.post(path, data={**dict(form.form_values()), "go": "save"})
    assert saved.status_code == 303, errors(saved)
    assert "EUR 7,000,000.00" in text_of(grants.get(location))
    assert target == path


def test_another_plan_and_an_amendment_meet_the_same_page(browser, scene):
    grants = browser("grants")
    location = record_pledge(grants, scene)
    _seen, answer = confirm(grants, f"{location}/agreement", {"title": "A", "amount": "9m", "currency": "EUR", "signed_on": "2022-12-15"})
    for path, mine, shown in (
        (
            f"{location}/reschedule",
            {"plan-0-due_on": "2023-05-01", "plan-0-amount": "1m", "on": "2023-01-01", "reason": "asked"},
            "EUR 1,000,000.00, 1 May 2023",
        ),
        (f"{answer.location}/reschedule", {"on": "2023-01-01", "reason": "asked again"}, "EUR 1,500,000.00, 31 Jan 2024"),
        (f"{answer.location}/amend", {"direction": "up", "change": "1", "on": "2023-02-01", "reason": "asked for"}, "asked for"),
    ):
        _target, values = grants.fields(path)
        grants.submit(path, mine)
        again = {name: value for name, value in {**values, **mine}.items() if name != "submission"}
        clash = grants.client.post(path, data={**again, "go": "save"})
        assert clash.status_code == 409, (path, errors(clash))
        check_page(clash)
        assert shown in text_of(clash)


def test_promises_and_receipts_say_who_changed_what(browser, scene):
    grants = browser("grants")
    location = record_pledge(grants, scene)
    confirm(grants, f"{location}/receipts/new", {"amount": "1m", "currency": "EUR", "value_on": "2023-03-31"})
    receipt = tree(grants.get(location)).xpath("//a[starts-with(@href, '/receipts/')]/@href")[0]
    assert "Receipt recorded" in text_of(grants.get(f"{receipt}/history"))
    promise = location.replace("/pledges/", "/commitments/")
    assert "Commitment recorded" in text_of(grants.get(f"{promise}/history"))
    assert "Terms of the pledge recorded" in text_of(grants.get(f"{location}/history"))
    browser("other-grants").get(f"{receipt}/history", status=404)
    browser("other-grants").get(f"{promise}/history", status=404)


@pytest.mark.parametrize("address", ["/pledges/new", "/agreements/new", "/receipts/new"])
def test_a_blank_currency_is_refused_and_never_becomes_another(browser, scene, address):
    refused = browser("grants").submit(address, {"amount": "5", "currency": " "}, status=422)
    assert "Choose a currency." in text_of(refused)


def test_rescheduling_keeps_the_earlier_plan_and_a_change_can_be_taken_back(browser, scene):
    """M7, M19."""
    grants = browser("grants")
    location = record_pledge(grants, scene)
    rows = {f"plan-{row}-{part}": "" for row in range(6) for part in ("due_on", "due_when", "amount")}
    grants.submit(
        f"{location}/reschedule",
        {**rows, "plan-0-due_on": "2025-01-01", "plan-0-amount": "10m", "on": "2024-02-01", "reason": "asked for it", "go": "save"},
    )
    assert "asked for it" in text_of(grants.get(location))
    grants.submit(f"{location}/change", {"kind": "uplift", "amount": "5", "on": "2024-02-01", "reason": "mistake"})
    link = tree(grants.get(location)).xpath("//a[contains(@href, '/reverse')]/@href")[0]
    grants.submit(link, {"reason": "typed twice"})
    assert "EUR 10,000,000.00" in text_of(grants.get(location))
    grants.get(link.replace(link.split("/")[-2], str(scene["donor"])), status=404)


def test_a_receipt_taken_back_leaves_both_rows_and_nothing_paid(browser, scene, app):
    """M19; refused while allocated (M12)."""
    grants = browser("grants")
    location = record_pledge(grants, scene)
    _seen, answer = confirm(grants, f"{location}/agreement", {"title": "A", "amount": "9m", "currency": "EUR", "signed_on": "2022-12-15"})
    agreement = answer.location
    confirm(grants, f"{agreement}/receipts/new", {"amount": "4,500,000.00", "value_on": "2023-03-31"})
    confirm(
        grants,
        f"{agreement}/allocations/new",
        {"allocated_on": "2023-04-01", "shares-0-target": f"{scene['programme']}:", "shares-0-share": "1"},
    )
    receipt = tree(grants.get(agreement)).xpath("//a[contains(@href, '/receipts/') and not(contains(@href, '/new'))]/@href")[0]
    refused = grants.submit(f"{receipt}/reverse", {"reason": "wrong account"}, status=422)
    assert any("Reverse allocations first" in line for line in errors(refused)), errors(refused)
    allocation = tree(grants.get(agreement)).xpath("//main//a[contains(@href, '/allocations/') and not(contains(@href, '/new'))]/@href")[0]
    check_page(grants.get(allocation))
    grants.submit(f"{allocation}/reverse", {"reason": "first"})
    done = grants.submit(f"{receipt}/reverse", {"reason": "wrong account"})
    assert "takes back receipt" in text_of(grants.get(done.location))
    assert "was taken back by" in text_of(grants.get(receipt))
    with app.app_context(), unscoped("test"):
        assert db.session.scalar(select(Agreement.received_minor)) == 0
        assert db.session.scalar(select(func.count(Receipt.id))) == 2


def test_money_above_the_agreement_stays_visible_as_credit(browser, scene):
    """M7: a surplus is never hidden in the promised amount."""
    grants = browser("grants")
    location = record_pledge(grants, scene)
    _seen, answer = confirm(grants, f"{location}/agreement", {"title": "A", "amount": "1m", "currency": "EUR", "signed_on": "2022-12-15"})
    seen, _done = confirm(grants, f"{answer.location}/receipts/new", {"amount": "1,000,100.00", "value_on": "2023-03-31"})
    assert "EUR 100.00 is more than is open" in text_of(seen)
    assert "More than was signed EUR 100.00" in text_of(grants.get(answer.location))


def test_saving_never_needs_a_rate(browser, scene):
    """Domain 0.3: an amount without a rate stands in its own currency, with the reason."""
    grants = browser("grants")
    location = record_pledge(grants, scene, currency="KES")
    page = text_of(grants.get(location))
    assert "KES 10,000,000.00" in page
    assert page.count("no KES-USD rate") == 1
    assert "USD 0" not in page
    assert tree(grants.get(location)).xpath("//a[@href='/imports/new#rates']")
    page = text_of(browser("viewer").get(location))
    assert "A grants officer of the office can bring in a file of rates." in page
    confirm(grants, f"{location}/agreement", {"title": "A", "amount": "9m", "currency": "KES", "signed_on": "2022-12-15"})
    page = text_of(grants.get(f"/programmes/{scene['programme']}"))
    assert "no rate" in page


def test_a_year_paid_beyond_what_was_secured_says_that_rates_made_it(browser, scene):
    """M4: the realised exchange difference of the worked case, on the programme's page by year."""
    grants = browser("grants")
    pledge = record_pledge(grants, scene)
    _seen, answer = confirm(
        grants,
        f"{pledge}/agreement",
        {"title": "A", "amount": "9m", "currency": "EUR", "signed_on": "2022-12-15", "lines-0-programme_id": str(scene["programme"])},
    )
    for amount, on in (("4,500,000.00", "2023-03-31"), ("3,000,000.00", "2023-09-29")):
        confirm(grants, f"{answer.location}/receipts/new", {"amount": amount, "value_on": on})
    page = text_of(grants.get(f"/programmes/{scene['programme']}"))
    assert "2023: paid is more than secured by USD 106,200.00" in page


def test_an_amendment_and_a_new_plan_of_an_agreement(browser, scene):
    grants = browser("grants")
    location = record_pledge(grants, scene)
    _seen, answer = confirm(grants, f"{location}/agreement", {"title": "A", "amount": "9m", "currency": "EUR", "signed_on": "2022-12-15"})
    agreement = answer.location
    grants.submit(
        f"{agreement}/amend", {"direction": "up", "change": "500,000.00", "on": "2023-06-01", "reason": "second phase", "go": "save"}
    )
    assert "EUR 9,500,000.00" in text_of(grants.get(agreement))
    grants.submit(f"{agreement}/amend", {"direction": "down", "change": "10m", "on": "2023-06-02", "reason": "x", "go": "save"}, status=422)
    rows = {f"plan-{row}-{part}": "" for row in range(6) for part in ("due_on", "due_when", "amount")}
    grants.submit(
        f"{agreement}/reschedule",
        {**rows, "parts": "2", "every": "12", "first_on": "2024-01-31", "reason": "r", "go": "equal"},
        status=200,
    )
    grants.submit(
        f"{agreement}/reschedule",
        {
            **rows,
            "plan-0-due_on": "2025-01-01",
            "plan-0-amount": "9.5m",
            "on": date(2023, 7, 1).isoformat(),
            "reason": "later",
            "go": "save",
        },
    )
    assert "later" in text_of(grants.get(agreement))


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("title", "", "Fill in"),
        ("title", "x" * 301, "at most"),
        ("amount", "", "Enter an amount"),
        ("amount", "11m", "outstanding"),
        ("currency", "USD", "how much of the pledge"),
        ("signed_on", "", "Fill in"),
        ("signed_on", "2021-01-01", "cannot be older"),
        ("ends_on", "2020-01-01", "before the start"),
        ("earmarking", "Q", "list"),
        ("recovery_rate", "", "Fill in"),
        ("recovery_rate", "800", "less than 100"),
        ("recovery_rate", "some", "not a number"),
        ("recovery_basis", "odd", ""),
        ("lines-0-programme_id", "00000000-0000-0000-0000-000000000000", "programme"),
        ("lines-0-programme_id", "not-a-key", "Choose from the list"),
        ("plan-0-amount", "1", "day"),
    ],
)
def test_a_wrong_agreement_is_refused_in_words_and_kept(browser, scene, field, value, says):
    grants = browser("grants")
    location = record_pledge(grants, scene)
    given = {"title": "Kept title", "amount": "9m", "currency": "EUR", "signed_on": "2022-12-15", "starts_on": "2023-01-01", field: value}
    answer = grants.submit(f"{location}/agreement", {**given, "go": "check"}, status=422)
    check_page(answer)
    assert any(says in line for line in errors(answer)), errors(answer)
    assert field == "title" or tree(answer).xpath("//input[@name='title']/@value") == ["Kept title"]


@pytest.mark.parametrize(
    ("path", "typed", "field"),
    [
        ("/pledges/new", {**PLEDGE, "rate_policy": "fixed", "fixed_rate": "0.99"}, "fixed_rate"),
        (
            "/receipts/new",
            {"donor-text": "Ministry of Northland", "amount": "5", "currency": "JOD", "value_on": "2023-03-31", "bank_reporting": "7"},
            "bank_reporting",
        ),
    ],
)
def test_what_was_asked_for_in_one_reporting_currency_is_never_taken_for_another(browser, scene, app, path, typed, field):
    """The office has no money on record yet, so that its reporting currency may change while the form stands open."""
    grants = browser("grants")
    _target, opened = grants.fields(path)
    assert opened["named_currency"] == "USD"
    with app.app_context():
        head = users.actor_by_email(world.address("head"))
        bind_actor(head)
        office = offices.OfficeInput("Country office Jordan (test)", "JOD", "EUR", "Asia/Amman")
        offices.change_office(head, made.office(), office, version=1)
        db.session.remove()
    answer = grants.client.post(path, data={**opened, **typed, "go": "save"})
    assert answer.status_code == 422
    assert any("asked for it in USD, but the reporting currency of this office is EUR" in line for line in errors(answer)), errors(answer)
    page = tree(answer)
    assert page.xpath(f"//input[@name='{field}']/@value") == [typed[field]]
    assert page.xpath("//input[@name='named_currency']/@value") == ["EUR"]
    assert grants.client.post(path, data={**opened, **typed, "named_currency": "EUR", "go": "save"}).status_code == 303
    assert grants.fields(path)[1]["named_currency"] == "EUR"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("amount", "", "Enter an amount"),
        ("amount", "1.234", "can mean"),
        ("value_on", "", "Fill in"),
        ("value_on", "2022-01-01", "was signed on"),
        ("bank_reporting", "abc", "not an amount"),
        ("bank_reference", "x" * 101, "at most"),
    ],
)
def test_a_wrong_receipt_is_refused_in_words(browser, scene, field, value, says):
    grants = browser("grants")
    location = record_pledge(grants, scene)
    _seen, made_agreement = confirm(
        grants, f"{location}/agreement", {"title": "A", "amount": "9m", "currency": "EUR", "signed_on": "2022-12-15"}
    )
    answer = grants.submit(
        f"{made_agreement.location}/receipts/new", {"amount": "4.5m", "value_on": "2023-03-31", field: value, "go": "check"}, status=422
    )
    check_page(answer)
    assert any(says in line for line in errors(answer)), errors(answer)


def test_wrong_shares_are_refused_beside_their_rows(browser, scene):
    """M12: never more than there is."""
    grants = browser("grants")
    location = record_pledge(grants, scene)
    _seen, made_agreement = confirm(
        grants, f"{location}/agreement", {"title": "A", "amount": "9m", "currency": "EUR", "signed_on": "2022-12-15"}
    )
    path, target = f"{made_agreement.location}/allocations/new", f"{scene['programme']}:"
    base = {"allocated_on": "2023-04-01", "shares-0-target": target, "shares-0-share": "60", "go": "check"}
    for changes, says in (
        ({}, "Nothing is left"),
        ({"amount": "10"}, "only"),
        ({"shares-0-share": "lots"}, "not a number"),
        ({"shares-0-share": "-1"}, "greater than 0"),
        ({"shares-0-target": "nonsense"}, "Choose from the list"),
        ({"shares-0-target": "", "shares-0-share": ""}, "at least one"),
        ({"amount": "1.234"}, "can mean"),
        ({"allocated_on": "never"}, "not a day"),
    ):
        answer = grants.submit(path, {**base, **changes}, status=422)
        check_page(answer)
        assert any(says in line for line in errors(answer)), (changes, errors(answer))
    grants.submit(path, {**base, "add": "shares"}, status=422)
    more = grants.submit(path, {**base, "go": None, "add": "shares"}, status=200)
    assert tree(more).xpath("//select[@name='shares-3-target']")


def test_an_agreement_without_a_pledge(browser, scene):
    grants = browser("grants")
    refused = grants.submit(
        "/agreements/new", {"title": "Direct", "amount": "1m", "currency": "EUR", "signed_on": "2023-01-10", "go": "check"}, status=422
    )
    assert any("Enter who it is" in line for line in errors(refused))
    _seen, answer = confirm(
        grants,
        "/agreements/new",
        {
            "donor-text": "Ministry of Northland",
            "title": "Direct",
            "amount": "1m",
            "currency": "EUR",
            "signed_on": "2023-01-10",
            "lines-0-programme_id": str(scene["programme"]),
        },
    )
    assert "Direct" in text_of(grants.get(answer.location))


def test_money_alone_is_recorded_from_the_party_and_matched_by_hand_and_back(browser, scene):
    """M2: a receipt without agreement; then matched to what was signed, refused beside its row where too much, and undone."""
    grants = browser("grants")
    party = f"/parties/{scene['donor']}"
    link = next(href for href in tree(grants.get(party)).xpath("//a/@href") if href.startswith("/receipts/new"))
    seen, answer = confirm(grants, link, {"amount": "5m", "currency": "EUR", "value_on": "2023-06-01"})
    assert "no agreement and no pledge" in text_of(seen)
    receipt = answer.location
    assert "Match by hand" not in text_of(grants.get(receipt))
    agreement = {"title": "A", "amount": "9m", "currency": "EUR", "signed_on": "2022-12-15", "donor-text": "Ministry of Northland"}
    _seen, answer = confirm(grants, "/agreements/new", agreement)
    assert "It pays no instalment of a plan." in text_of(grants.get(receipt))
    _target, values = grants.fields(f"{receipt}/match")
    assert values["matches-0-amount"] == "5000000.00"
    refused = grants.submit(f"{receipt}/match", {"matches-0-amount": "6m"}, status=422)
    assert any("more than the receipt's rest" in line for line in errors(refused)), errors(refused)
    refused = grants.submit(f"{receipt}/match", {"matches-0-amount": "10m"}, status=422)
    assert any("only EUR 9,000,000.00 is open" in line for line in errors(refused)), errors(refused)
    assert tree(refused).xpath("//input[@name='matches-0-amount']/@value") == ["10m"]
    grants.submit(f"{receipt}/match", {"matches-0-amount": ""}, status=422)
    new = grants.submit(f"{receipt}/match", {"matches-0-amount": "2m"}).location
    assert "EUR 7,000,000.00" in text_of(grants.get(answer.location))
    assert "was taken back by" in text_of(grants.get(receipt))
    grants.submit(f"{new}/release", {"reason": "not for this"})
    assert "EUR 2,000,000.00" not in text_of(grants.get(answer.location)).split("Signed")[0]
    browser("viewer").get(f"{receipt}/match", status=403)
    browser("other-grants").get(f"{receipt}/match", status=404)
    refused = grants.submit(
        "/receipts/new", {"donor-text": "Nobody known", "amount": "5", "value_on": "2023-06-01", "go": "check"}, status=422
    )
    assert any("“Nobody known” is not on record yet." in line for line in errors(refused))


EARMARKED = {
    "donor-text": "Ministry of Northland",
    "title": "Two programmes",
    "amount": "100.01",
    "currency": "EUR",
    "signed_on": "2022-12-15",
}


def test_an_agreement_for_several_programmes_by_percent_or_amount(browser, scene, app):
    """M6: the parts of the percents are the whole, to the cent; a row is added without a script and keeps what was typed."""
    with app.app_context():
        actor = users.actor_by_email(world.address("grants"))
        bind_actor(actor)
        second = made.programme(actor, "Schools that stay open")
        db.session.remove()
    grants = browser("grants")
    both = {"lines-0-programme_id": str(scene["programme"]), "lines-1-programme_id": str(second)}
    grown = grants.submit("/agreements/new", {**EARMARKED, **both, "lines-0-percent": "60", "add": "lines"}, status=200)
    page = tree(grown)
    assert len(page.xpath("//select[contains(@name, '-programme_id')]")) == 3
    assert page.xpath("//input[@name='lines-0-percent']/@value") == ["60"]
    assert len(page.xpath("//input[contains(@name, 'plan-') and contains(@name, '-amount')]")) == 1
    seen, answer = confirm(grants, "/agreements/new", {**EARMARKED, **both, "lines-0-percent": "60", "lines-1-percent": "40"})
    assert "Clinics in the dry season: EUR 60.01; Schools that stay open: EUR 40.00" in text_of(seen)
    page = text_of(grants.get(answer.location))
    assert "EUR 60.01" in page
    assert "EUR 40.00" in page
    seen, _answer = confirm(grants, "/agreements/new", {**EARMARKED, **both, "lines-0-amount": "99", "lines-1-amount": "1.01"})
    assert "EUR 1.01" in text_of(seen)
    for bad, says in (
        ({**both, "lines-0-percent": "60", "lines-1-percent": "30"}, "The shares come to 90 percent"),
        ({**both, "lines-0-percent": "60", "lines-1-amount": "1"}, "every programme its percent, or every one its amount"),
        ({**both, "lines-0-amount": "60", "lines-1-amount": "1"}, "differ by EUR 39.01"),
        ({**both, "lines-0-percent": "0", "lines-1-percent": "100"}, "more than 0 percent"),
        ({**both, "lines-1-programme_id": str(scene["programme"]), "lines-0-percent": "50", "lines-1-percent": "50"}, "named twice"),
        ({"lines-0-percent": "100"}, "Choose a programme"),
        (both, "every programme its percent"),
    ):
        refused = grants.submit("/agreements/new", {**EARMARKED, **bad, "go": "check"}, status=422)
        assert any(says in line for line in errors(refused)), (says, errors(refused))
        check_page(refused)

"""Making offices and people through their pages: currencies are chosen, what has an answer already is not called optional."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.models.offices import Office
from crm.policy import unscoped
from tests.factories import world
from tests.factories.browser import errors, tree
from tests.factories.counting import count_statements

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


def keys(app) -> dict[str, object]:
    with app.app_context(), unscoped("test"):
        return {office.code: office.id for office in db.session.scalars(select(Office))}


def test_an_office_has_a_page_with_its_settings_and_people(app, browser):
    ids = keys(app)
    page = tree(browser("officer").get(f"/offices/{ids['JOR']}"))
    text = " ".join(page.text_content().split())
    for said in ("JOR", "Country office", "Middle East region", "JOD", "Asia/Amman", "Officer Person", "Head of office"):
        assert said in text, said
    assert not page.xpath("//a[contains(@href, '/offices/') and contains(@href, '/edit')]")
    assert "Hq Person" not in text
    assert "Regional Person" in " ".join(tree(browser("regional").get(f"/offices/{ids['JOR']}")).text_content().split())
    browser("officer").get(f"/offices/{ids['KEN']}", status=404)
    browser("officer").get(f"/offices/{ids['JOR']}/edit", status=403)
    browser("head").get(f"/offices/{ids['KEN']}/edit", status=404)
    head = browser("head")
    page = head.get(f"/offices/{ids['JOR']}/move")
    assert "ask the administrator of Middle East region" in page.get_data(as_text=True)
    assert not tree(page).xpath("//select[@name='to']")
    forged = {"csrf_token": head.token(), "parent_id": str(ids["HQ"]), "seen": str(ids["MER"])}
    assert head.client.post(f"/offices/{ids['JOR']}/move", data=forged).status_code == 403


def test_an_office_is_edited_and_two_editors_choose(app, browser):
    path = f"/offices/{keys(app)['JOR']}/edit"
    head, admin = browser("head"), browser("admin")
    target, typed = head.fields(path)
    admin.submit(path, {"name": "Jordan office"})
    clash = head.client.post(target, data={**typed, "name": "Amman office"})
    assert clash.status_code == 409
    for said in ("Country office Jordan (test)", "Jordan office", "Amman office", "Admin Person"):
        assert said in clash.get_data(as_text=True)
    form = next(form for form in tree(clash).forms if form.method == "POST" and "sign-out" not in (form.action or ""))
    assert head.client.post(target, data={**dict(form.form_values()), "choose-name": "yours"}).status_code == 303
    assert "Amman office" in head.get("/offices/").get_data(as_text=True)
    refused = head.submit(path, {"name": "", "timezone": "Moon/Base"}, status=422)
    assert tree(refused).xpath("//*[@id='name-error']")
    told = " ".join(tree(admin.get(path.replace("/edit", "/history"))).text_content().split())
    assert "Amman office" in told
    assert "Head Person" in told


def zones(page):
    return tree(page).xpath("//select[@name='timezone']//option/@value")


def test_the_time_zone_is_a_choice(app, browser):
    """By part of the world; the one that an office has stays, whatever it is called; what is none is refused beside the field."""
    admin = browser("admin")
    new = admin.get("/offices/new")
    offered = zones(new)
    assert offered[:2] == ["", "UTC"]
    assert {"Asia/Amman", "Africa/Nairobi", "Pacific/Kiritimati"} < set(offered)
    for name in offered[1:]:
        clock.zone(name)
    assert len(offered) == len(set(offered)) > 400
    amman = tree(new).xpath("//optgroup[@label='Asia']/option[@value='Asia/Amman']")[0]
    assert (amman.text, amman.get("data-only-of")) == ("Amman (Jordan)", "JOR")
    assert not tree(new).xpath("//option[@data-only-of='USA']"), "it has several"
    for typed, said in (("", "Choose the time zone."), ("Moon/Base", "Choose a known time zone")):
        refused = admin.submit("/offices/new", OFFICE | {"timezone": typed, "reporting_currency": "USD"}, status=422)
        assert said in tree(refused).xpath("//*[@id='timezone-error']")[0].text_content()
        assert tree(refused).xpath("//input[@name='name']/@value") == ["Nepal"]
    path = f"/offices/{keys(app)['JOR']}/edit"
    admin.submit(path, {"timezone": "Asia/Beirut"})
    assert tree(admin.get(path)).xpath("//select[@name='timezone']//option[@selected]/@value") == ["Asia/Beirut"]
    admin.submit(path, {"timezone": "US/Eastern"})
    kept = tree(admin.get(path)).xpath("//select[@name='timezone']//option[@selected]/@value")
    assert kept == ["US/Eastern"], "an older name of a zone is none the less one"


def test_a_move_shows_what_it_would_do_before_it_does_it(app, browser):
    ids = keys(app)
    path = f"/offices/{ids['JOR']}/move"
    admin = browser("admin")
    start = tree(admin.get(path))
    assert str(ids["JOR"]) not in start.xpath("//select[@name='to']/option/@value")
    assert not [form for form in start.forms if form.method == "POST" and "sign-out" not in (form.action or "")]
    shown = " ".join(tree(admin.get(f"{path}?to={ids['KEN']}")).text_content().split())
    for said in ("1 office moves", "Other Person", "Regional Person", "Country office Kenya (test)"):
        assert said in shown, said
    admin.submit(f"{path}?to={ids['KEN']}", {})
    browser("regional").get(f"/offices/{ids['JOR']}", status=404)
    browser("other").get(f"/offices/{ids['JOR']}")
    told = " ".join(tree(admin.get(f"/offices/{ids['JOR']}/history")).text_content().split())
    assert "Middle East region" in told
    assert "Country office Kenya (test)" in told


def test_a_move_that_cannot_be_is_refused_in_a_sentence(app, browser):
    ids = keys(app)
    admin = browser("admin")
    for to, said in (
        (ids["JOR"], "an office below it"),
        (ids["HQ"], "belongs there already"),
        ("x", ""),
        (uuid.uuid4(), "Choose the office"),
    ):
        page = admin.get(f"/offices/{ids['MER']}/move?to={to}")
        assert said in page.get_data(as_text=True)
        assert not [form for form in tree(page).forms if form.method == "POST" and "sign-out" not in (form.action or "")]
    token = admin.token()
    forged = admin.client.post(
        f"/offices/{ids['MER']}/move", data={"csrf_token": token, "parent_id": str(ids["JOR"]), "seen": str(ids["HQ"])}
    )
    assert forged.status_code == 422


def test_the_page_of_an_office_sends_as_many_statements_for_more_people(app, browser):
    ids = keys(app)
    head = browser("head")
    path = f"/offices/{ids['JOR']}"
    head.get(path)
    with count_statements(app) as few:
        head.get(path)
    for number in range(4):
        new = {"name": f"More {number}", "email": f"more{number}@test.example", "office_id": str(ids["JOR"]), "role": "viewer"}
        head.submit("/users/new", {**new, "password": world.PASSWORD})
    with count_statements(app) as many:
        head.get(path)
    assert few.count == many.count, str(many)


def test_a_new_person_is_offered_for_the_office_whose_page_asked(browser, app):
    head = browser("head")
    with app.app_context(), unscoped("test"):
        office = f"/offices/{db.session.scalars(select(Office.id).where(Office.code == 'JOR')).one()}"
    (link,) = tree(head.get(office)).xpath("//a[starts-with(@href, '/users/new')]/@href")
    chosen = tree(head.get(link)).xpath("//select[@name='office_id']/option[@selected]/@value")
    assert chosen == [office.rpartition("/")[2]]
    head.get("/users/new?office=nonsense")

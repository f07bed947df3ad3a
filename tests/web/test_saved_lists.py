"""Saved lists: kept, shared, renamed, removed; nobody else's; they widen nothing; what of them is gone is said."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from crm.db import db, transactional
from crm.errors import Denied, Invalid, NotFound
from crm.models.saved_lists import SavedList
from crm.policy import all_offices, bind_actor, system_actor, unscoped
from crm.queries import saved_lists as queries
from crm.services import saved_lists as services
from crm.services.saved_lists import NewSavedList
from tests.factories.browser import tree
from tests.factories.counting import count_statements
from tests.factories.planted import plant


def links(client, address="/parties/"):
    return {
        link.text_content().split("  ")[0].strip(): link.get("href") for link in tree(client.get(address)).xpath("//a[@class='saved-list']")
    }


def test_a_list_is_saved_as_it_is_shown_and_opened_again(app, browser):
    with app.app_context():
        plant("JOR", "zzown")
    client = browser("officer")
    page = tree(client.get("/parties/?kind=donor&sort=-name&columns=name,website&page=1&evil=1&kind2=x"))
    address = page.xpath("//a[text()='Save this list']/@href")[0]
    answer = client.submit(address, {"name": "Donors <b>backwards</b>"})
    assert "kind=donor" in answer.location
    opened = tree(client.get(answer.location))
    assert opened.xpath("//a[@class='saved-list'][@aria-current='page']//bdi/text()") == ["Donors <b>backwards</b>"]
    assert [head.text_content().split("(")[0].strip() for head in opened.xpath("//thead//th")] == ["Name", "Website"]
    with app.app_context(), unscoped("test"):
        kept = db.session.scalars(select(SavedList)).all()
        query = next(row.query for row in kept if row.name.startswith("Donors"))
    assert query == "kind=donor&sort=-name&columns=name%2Cwebsite", "only what the list understands"


def test_the_form_refuses_and_a_double_click_keeps_one(app, browser):
    client = browser("officer")
    assert client.submit("/lists/new?noun=parties&query=", {"name": "  "}, status=422)
    target, fields = client.fields("/lists/new?noun=parties&query=q%3Dzz")
    fields["name"] = "Once"
    assert [client.client.post(target, data=fields).status_code for _ in range(2)] == [303, 303]
    assert "a list of this name" in client.submit("/lists/new?noun=parties&query=", {"name": "Once"}, status=422).get_data(as_text=True)
    client.submit("/lists/new?noun=interactions&query=", {"name": "Once"})
    assert list(links(client)) == ["Once"]
    for address in ("/lists/new", "/lists/new?noun=users&query=", "/lists/new?noun=<b>"):
        assert client.client.get(address).status_code == 404
    answer = client.get("/lists/new?noun=parties&query=" + "a%3Db%26" * 2000, status=303)
    assert "filtered by is too long" in client.get(answer.location).get_data(as_text=True)
    assert browser("admin").client.get("/lists/new?noun=parties").status_code == 403


def test_shared_with_the_office_and_nobody_else(app, browser):
    client, colleague = browser("officer"), browser("viewer")
    client.submit("/lists/new?noun=parties&query=q%3Dzz", {"name": "Mine alone"})
    client.submit("/lists/new?noun=parties&query=q%3Dzz", {"name": "For all", "is_shared": "y"})
    assert set(links(client)) == {"Mine alone", "For all"}
    assert [name.split()[:2] for name in links(colleague)] == [["For", "all"]]
    for other in ("hq", "regional", "other"):
        assert links(browser(other)) == {}, f"{other} is not of the office"
    key = links(client)["For all"].split("list=")[1]
    assert colleague.client.get(f"/lists/{key}/edit").status_code == 403
    own = links(client)["Mine alone"].split("list=")[1]
    assert colleague.client.get(f"/lists/{own}/edit").status_code == 404
    assert browser("hq").client.get(f"/lists/{key}/edit").status_code == 404
    token = colleague.token()
    assert colleague.client.post(f"/lists/{key}/remove", data={"csrf_token": token}).status_code == 403
    client.submit(f"/lists/{key}/edit", {"name": "Renamed", "is_shared": None}, action="")
    assert links(colleague) == {}
    client.submit(f"/lists/{key}/edit", {}, action="remove")
    assert set(links(client)) == {"Mine alone"}


def test_services_hold_the_same_rules(app, acting):
    officer = acting("officer")
    key = services.save_list(officer, NewSavedList("parties", "A list", "q=x"))
    with pytest.raises(Invalid):
        services.save_list(officer, NewSavedList("users", "A list", ""))
    with pytest.raises(Invalid):
        services.save_list(officer, NewSavedList("parties", "x" * 81, ""))
    with pytest.raises(Denied):
        services.save_list(acting("admin"), NewSavedList("parties", "Of an administrator", ""))
    acting("head")
    assert list(queries.of("parties")) == []
    with pytest.raises(NotFound):
        services.remove_list(acting("head"), key)
    officer = acting("officer")
    for number in range(queries.MOST - 1):
        services.save_list(officer, NewSavedList("parties", f"List {number}", ""))
    with pytest.raises(Invalid, match="50"):
        services.save_list(officer, NewSavedList("parties", "One too many", ""))
    assert services.change_list(officer, key, name="Another name", is_shared=True) == key


def test_a_saved_list_shows_its_reader_no_more_than_the_reader_may_see(app, browser):
    with app.app_context():
        plant("KEN", "zzkenyacanary")
        plant("JOR", "zzown")
    maker, reader = browser("grants"), browser("viewer")
    maker.submit("/lists/new?noun=pledges&query=q%3Dzz", {"name": "Pledges", "is_shared": "y"})
    address = next(iter(links(reader, "/pledges/").values()))
    page = reader.get(address).get_data(as_text=True)
    assert "zzown" in page
    assert "zzkenya" not in page
    key = address.split("list=")[1]
    abroad = browser("other").get(f"/pledges/?list={key}").get_data(as_text=True)
    assert "Pledges</bdi>" not in abroad, "the key of a list of another office opens nothing"


@transactional
def _keep(code, query):
    office = next(office for office in all_offices() if office.code == code)
    row = db.session.scalars(select(SavedList).where(SavedList.office_id == office.id, SavedList.is_shared.is_(True))).first()
    row.query = query
    return row.id


def test_what_of_a_list_no_longer_exists_is_said(app, browser):
    with app.app_context():
        plant("JOR", "zzown")
        with unscoped("test"):
            bind_actor(system_actor(all_offices()))
        key = _keep("JOR", "kind=abolished&country=JO&columns=name,gone&sort=sideways&password=1")
        bind_actor(None)
    client = browser("officer")
    address = next(url for url in links(client).values() if str(key) in url)
    said = tree(client.get(address)).xpath("string(//div[contains(@class, 'notice')])")
    assert "no longer exists" in said
    for word in ("Kind", "Order", "Columns"):
        assert word in said
    assert "Country" not in said
    assert tree(client.get(address.replace("list=", "lost="))).xpath("//div[contains(@class, 'notice')]") == []


def test_statements_do_not_grow_with_the_lists(app, browser):
    client = browser("officer")
    client.submit("/lists/new?noun=parties&query=", {"name": "First"})
    with count_statements(app) as before:
        client.get("/parties/")
    for number in range(6):
        client.submit("/lists/new?noun=parties&query=q%3Dx", {"name": f"More {number}", "is_shared": "y"})
    with count_statements(app) as after:
        client.get("/parties/")
    assert after.count == before.count


@pytest.mark.parametrize("noun", ["asks", "commitments", "follow-ups", "agreements", "receipts", "programmes"])
def test_every_list_can_be_kept(app, browser, noun):
    client = browser("officer")
    answer = client.submit(f"/lists/new?noun={noun}&query=sort%3Dnonsense", {"name": "Kept"})
    assert answer.location.startswith(f"/{noun}/?list=")
    page = tree(client.get(answer.location))
    assert page.xpath("//a[@class='saved-list'][@aria-current='page']//bdi/text()") == ["Kept"]
    edit = page.xpath("//a[text()='Rename, share or remove']/@href")[0]
    assert client.submit(edit, {}, action="remove").location == f"/{noun}/"

"""Names by family name: offered to be turned round, never by themselves, said again of the next file of the source."""

from __future__ import annotations

from tests.factories.browser import tree
from tests.web.test_sheet_imports import sheet, text, upload

HEAD = ["Name", "Form"]
ROWS = (
    ["Haddad, Rania", "person"],
    ["Day, Bo", "person"],
    ["Luxembourg, Government of", "organisation"],
    ["Rivers, Green", "organisation"],
)


def test_names_are_turned_round_where_a_person_says_so(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, *ROWS)).location
    page = client.get(place)
    asked = "2 names under “Name” look like “Family, First”: turn them round, such as “Haddad, Rania” to “Rania Haddad”?"
    assert asked in text(page)
    (link,) = tree(page).xpath("//a[. = 'Say so under “Columns and days”']/@href")
    assert asked in text(client.get(link))
    client.submit(link.removesuffix("#names"), {"turn-0": "yes"})
    page = text(client.get(place))
    assert asked not in page
    assert "2 names under “Name” are turned round: “Haddad, Rania” is read as “Rania Haddad”." in page
    client.submit(place, {}, action="/apply")
    page = text(client.get("/parties/"))
    assert "Rania Haddad" in page
    assert "Luxembourg, Government of" in page
    assert "Rivers, Green" in page
    assert "Haddad, Rania" not in page
    again = upload(client, sheet(HEAD, ["Bell, Ana", "person"])).location  # remembered, and said
    assert "1 name under “Name” is turned round: “Bell, Ana” is read as “Ana Bell”." in text(client.get(again))


def test_nothing_is_turned_by_itself_and_it_is_taken_back(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, *ROWS)).location
    client.submit(f"{place}/columns", {"turn-0": "yes"})
    assert tree(client.get(f"{place}/columns")).xpath("//input[@name='turn-0']/@checked")
    client.submit(f"{place}/columns", {"turn-0": None})
    assert "look like “Family, First”" in text(client.get(place))
    client.submit(place, {}, action="/apply")
    page = client.get(place)
    assert "Haddad, Rania" in text(client.get("/parties/"))
    assert "look like “Family, First”" not in text(page)  # it is too late


def test_a_list_without_such_names_is_not_asked_about(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, ["Ana Bell", "person"], ["Luxembourg, Government of", "person"])).location
    assert "Family, First" not in text(client.get(place))
    assert not tree(client.get(f"{place}/columns")).xpath("//fieldset[@id='names']")
    client.submit(f"{place}/columns", {"turn-0": "yes", "turn-9": "yes"})  # asked by nobody: nothing to turn
    assert "turned round" not in text(client.get(place))

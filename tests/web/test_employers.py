"""Organisations that a list names for posts and that may be one: asked about before they are made, as rows are."""

from __future__ import annotations

import pytest

from tests.factories.browser import tree
from tests.web.test_sheet_imports import sheet, text, upload

HEAD = ["Name", "Position", "Organisation", "Form"]


def people(*organisations):
    return [[f"Person {name}", "Clerk", organisation, ""] for name, organisation in zip("ABCDEFGH", organisations, strict=False)]


def asked(client, place):
    """The organisations that are asked about, and the name of the control of each."""
    page = tree(client.get(f"{place}/doubles"))
    boxes = page.xpath("//fieldset[.//input[starts-with(@name, 'employer-')]]")
    return {box.xpath("string(legend)"): box.xpath(".//input/@name")[0] for box in boxes}


def choices(client, place, name):
    return tree(client.get(f"{place}/doubles")).xpath(f"//input[@name='{name}']/@value")


def organisations(client):
    page = tree(client.get("/parties/?form=organisation&per_page=100"))
    return sorted({one.text_content().strip() for one in page.xpath("//tbody//th//a")})


def test_two_spellings_of_an_employer_are_one_once_that_is_said(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, *people("Ministry of Eductaion", "Ministry of Education", "Petra Daily"))).location
    assert "3 new, 0 changed, 0 unchanged, 1 possible duplicate, 0 with problems." in text(client.get(place))
    found = asked(client, place)
    assert list(found) == ["Ministry of Education"]
    offered = choices(client, place, found["Ministry of Education"])
    assert offered == ["", "same:Ministry of Eductaion", "this:Ministry of Eductaion", "two"]
    client.submit(f"{place}/doubles", {found["Ministry of Education"]: "this:Ministry of Eductaion"})
    page = text(client.get(place))
    assert "0 possible duplicates" in page
    assert "2 organisations of posts are not on record; they are recorded too." in page
    client.submit(place, {}, action="/apply")
    assert organisations(client) == ["Ministry of Education", "Petra Daily"]
    again = upload(client, sheet(HEAD, *people("Ministry of Eductaion"))).location
    assert "0 new, 0 changed, 1 unchanged" in text(client.get(again)), "found by the spelling that was kept"
    client.submit(f"{place}/undo", {})
    assert organisations(client) == []


def test_an_employer_that_is_nearly_one_on_record_is_read_as_that_one(browser):
    client = browser("officer")
    client.submit(upload(client, sheet(["Name", "Form"], ["Ministry of Education", "organisation"])).location, {}, action="/apply")
    place = upload(client, sheet(HEAD, *people("Ministry of Eductaion", "Ministry of Eductaion"))).location
    ((name, control),) = asked(client, place).items()
    assert name == "Ministry of Eductaion"
    _none, same, _two = choices(client, place, control)
    assert same.startswith("same:JOR-PA-")
    client.submit(f"{place}/doubles", {control: same})
    assert "organisations of posts are not on record" not in text(client.get(place))
    assert tree(client.get(f"{place}/doubles")).xpath(f"//input[@name='{control}'][@checked]/@value") == [same]
    client.submit(f"{place}/doubles", {control: ""})
    assert "1 possible duplicate" in text(client.get(place)), "taken back"
    client.submit(f"{place}/doubles", {control: same})
    client.submit(place, {}, action="/apply")
    assert organisations(client) == ["Ministry of Education"]
    again = upload(client, sheet(HEAD, *people("Ministry of Eductaion", "Ministry of Education"))).location
    assert "0 new, 0 changed, 2 unchanged, 0 possible duplicates" in text(client.get(again))


def test_two_employers_are_two_once_that_is_said_and_nobody_is_asked_again(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, *people("Ministry of Eductaion", "Ministry of Education"))).location
    client.submit(f"{place}/doubles", {asked(client, place)["Ministry of Education"]: "two"})
    assert "0 possible duplicates" in text(client.get(place))
    client.submit(place, {}, action="/apply")
    assert organisations(client) == ["Ministry of Education", "Ministry of Eductaion"]
    for page in tree(client.get("/parties/?q=ministry")).xpath("//tbody//th//a/@href"):  # the same address: nobody is asked
        client.submit(f"{page}/channels/new", {"kind": "email", "value": "desk@x.example"})


def test_an_employer_is_held_against_organisations_that_are_rows_before_and_after_it(browser):
    client = browser("officer")
    row = ["Ministry of Education", "", "", "organisation"]
    for rows in ([row, *people("Ministry of Eductaion")], [*people("Ministry of Eductaion"), row]):
        place = upload(client, sheet(HEAD, *rows)).location
        ((name, control),) = asked(client, place).items()
        assert name == "Ministry of Eductaion"
        client.submit(f"{place}/doubles", {control: "same:Ministry of Education"})
        assert "2 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in text(client.get(place))
        client.submit(place, {}, action="/apply")
        assert organisations(client) == ["Ministry of Education"]
        client.submit(f"{place}/undo", {})
        assert organisations(client) == []


@pytest.mark.parametrize("spelling", ["MOEDU", "JOR-PA-2026-0001", "ministry of education"])
def test_a_list_that_names_employers_by_acronym_or_reference_changes_nothing_the_second_time(browser, spelling):
    client = browser("officer")
    head = ["Name", "Form", "Acronym"]
    client.submit(upload(client, sheet(head, ["Ministry of Education", "organisation", "MOEDU"])).location, {}, action="/apply")
    client.submit(upload(client, sheet(HEAD, *people(spelling))).location, {}, action="/apply")
    again = upload(client, sheet(HEAD, *people(spelling))).location
    assert "0 new, 0 changed, 1 unchanged, 0 possible duplicates, 0 with problems." in text(client.get(again))


def test_what_a_stranger_answers_is_no_answer(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, *people("Ministry of Eductaion", "Ministry of Education"))).location
    control = asked(client, place)["Ministry of Education"]
    for strange in ("same:Somebody Else", "this:", "same:", "x" * 5_000, "two\0"):
        client.submit(f"{place}/doubles", {control: strange})
        assert "1 possible duplicate" in text(client.get(place)), strange

"""Organisations that a list names for posts and that may be one: asked about before they are made, as rows are."""

from __future__ import annotations

import pytest

from tests.factories.browser import tree
from tests.web.test_sheet_imports import sheet, text, upload

HEAD = ["Name", "Position", "Organisation", "Form"]


NAMES = ["Amina Bakr", "Boris Cole", "Chandra Dev", "Dalia Eid", "Emil Fox", "Fadi Gul"]


def people(*organisations):
    return [[name, "Clerk", organisation, ""] for name, organisation in zip(NAMES, organisations, strict=False)]


def asked(client, place):
    """The groups of organisations that are asked about: their names, and the name of the control of each."""
    page = tree(client.get(f"{place}/doubles"))
    return {
        box.xpath("string(legend)"): box.xpath(".//select/@name")[0]
        for box in page.xpath("//fieldset[.//select[starts-with(@name, 'employer-')]]")
    }


def choices(client, place, name):
    return tree(client.get(f"{place}/doubles")).xpath(f"//select[@name='{name}']/option/@value")


def organisations(client):
    page = tree(client.get("/parties/?form=organisation&per_page=100"))
    return sorted({one.text_content().strip() for one in page.xpath("//tbody//th//a")})


def test_two_spellings_of_an_employer_are_one_once_that_is_said(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, *people("Ministry of Eductaion", "Ministry of Education", "Petra Daily"))).location
    page = text(client.get(place))
    assert "3 new, 0 changed, 0 unchanged, 1 possible duplicate, 0 with problems." in page
    assert "Ministry of Education (row 3" not in page
    ((names, control),) = asked(client, place).items()
    assert names == "Ministry of Education · Ministry of Eductaion"
    assert choices(client, place, control) == ["", "as:Ministry of Education", "as:Ministry of Eductaion", "two"]
    client.submit(f"{place}/doubles", {control: "as:Ministry of Education"})
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
    ((names, control),) = asked(client, place).items()
    assert names.startswith("Ministry of Eductaion · \u2068Ministry of Education\u2069 (on record)")
    _none, _itself, same, _two = choices(client, place, control)
    assert same.startswith("as:JOR-PA-")
    client.submit(f"{place}/doubles", {control: same})
    assert "organisations of posts are not on record" not in text(client.get(place))
    (said,) = tree(client.get(f"{place}/doubles")).xpath("//select[starts-with(@name, 'said-')]/@name")
    client.submit(f"{place}/doubles", {said: ""})
    assert "1 possible duplicate" in text(client.get(place)), "taken back"
    client.submit(f"{place}/doubles", {control: same})
    client.submit(place, {}, action="/apply")
    assert organisations(client) == ["Ministry of Education"]
    again = upload(client, sheet(HEAD, *people("Ministry of Eductaion", "Ministry of Education"))).location
    assert "0 new, 0 changed, 2 unchanged, 0 possible duplicates" in text(client.get(again))


def test_two_employers_are_two_once_that_is_said_and_nobody_is_asked_again(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, *people("Ministry of Eductaion", "Ministry of Education"))).location
    client.submit(f"{place}/doubles", dict.fromkeys(asked(client, place).values(), "two"))
    assert "0 possible duplicates" in text(client.get(place))
    (said,) = tree(client.get(f"{place}/doubles")).xpath("//select[starts-with(@name, 'said-')]/@name")
    client.submit(f"{place}/doubles", {said: ""})
    assert "1 possible duplicate" in text(client.get(place)), "taken back"
    client.submit(f"{place}/doubles", dict.fromkeys(asked(client, place).values(), "two"))
    client.submit(place, {}, action="/apply")
    assert organisations(client) == ["Ministry of Education", "Ministry of Eductaion"]
    for page in tree(client.get("/parties/?q=ministry")).xpath("//tbody//th//a/@href"):  # the same address: nobody is asked
        client.submit(f"{page}/channels/new", {"kind": "email", "value": "desk@x.example"})


def test_an_employer_is_held_against_organisations_that_are_rows_before_and_after_it(browser):
    client = browser("officer")
    row = ["Ministry of Education", "", "", "organisation"]
    for rows in ([row, *people("Ministry of Eductaion")], [*people("Ministry of Eductaion"), row]):
        place = upload(client, sheet(HEAD, *rows)).location
        ((_names, control),) = asked(client, place).items()
        client.submit(f"{place}/doubles", {control: "as:Ministry of Education"})
        assert "2 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in text(client.get(place))
        client.submit(place, {}, action="/apply")
        assert organisations(client) == ["Ministry of Education"]
        client.submit(f"{place}/undo", {})
        assert organisations(client) == []


def answers(client, place):
    """What is chosen at first for each group, by its names."""
    page = tree(client.get(f"{place}/doubles"))
    boxes = page.xpath("//fieldset[.//select[starts-with(@name, 'employer-')]]")
    return {box.xpath("string(legend)"): "".join(box.xpath(".//option[@selected]/@value")) for box in boxes}


def test_a_name_that_is_no_member_of_its_group_stays_apart(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, *people("Ministry of Health", "Ministry of Housing", "MoH"))).location
    page = tree(client.get(f"{place}/doubles"))
    ((_names, health),) = asked(client, place).items()
    marks = page.xpath(f"//label[starts-with(@for, 'with-{health.removeprefix('employer-')}')]")
    values = {
        " ".join(one.text_content().split()).partition(" (")[0].strip("\u2068\u2069"): one.xpath(".//input/@value")[0] for one in marks
    }
    assert {name.partition(" 1 row")[0] for name in values} == {"Ministry of Health", "Ministry of Housing", "MoH"}
    ticked = [value for name, value in values.items() if "Housing" not in name]
    client.submit(f"{place}/doubles", {health: "as:Ministry of Health", health.replace("employer-", "with-"): ticked})
    assert "0 possible duplicates" in text(client.get(place))
    client.submit(place, {}, action="/apply")
    assert organisations(client) == ["Ministry of Health", "Ministry of Housing"]


def test_what_good_reasons_say_is_chosen_already_and_what_is_doubtful_is_not(browser):
    client = browser("officer")
    head = ["Name", "Position", "Organisation", "Email"]
    for names, emails, chosen in (
        (["Ministry of Health", "MoH"], ["", ""], "as:Ministry of Health"),
        (["MoH", "MoH", "Ministry of Health"], ["", "", ""], "as:Ministry of Health"),  # though it is named less often
        (["Hall of Youth", "Hall of Yuoth", "Hall of Yuoth"], ["", "", ""], "as:Hall of Yuoth"),
        (["Ministry of Health", "Ministry of Housing", "MoH"], ["", "", ""], ""),
        (["British Embassy", "FCDO"], ["a@fcdo.example", "b@fcdo.example"], ""),
        (["Ministry of Health", "وزارة الصحة"], ["a@moh.example", "b@moh.example"], "as:Ministry of Health"),
    ):
        rows = [[person, "Clerk", name, email] for person, name, email in zip(NAMES, names, emails, strict=False)]
        place = upload(client, sheet(head, *rows)).location
        assert list(answers(client, place).values()) == [chosen], names
        client.submit(f"{place}/doubles", {})
        assert ("0 possible duplicates" in text(client.get(place))) is bool(chosen), names


def test_what_is_on_record_is_found_by_its_first_letters_and_they_by_it(browser):
    client = browser("officer")
    rows = ["World Health Organization", "organisation"], ["NRC", "organisation"]
    client.submit(upload(client, sheet(["Name", "Form"], *rows)).location, {}, action="/apply")
    place = upload(client, sheet(HEAD, *people("WHO", "WHO Jordan", "Norwegian Refugee Council"))).location
    found = answers(client, place)
    assert len(found) == 2
    assert all(value.startswith("as:JOR-PA-") for value in found.values()), found
    client.submit(f"{place}/doubles", {})
    client.submit(place, {}, action="/apply")
    assert organisations(client) == ["NRC", "World Health Organization"]


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
    ((_names, control),) = asked(client, place).items()
    for strange in ("as:Somebody Else", "as:", "x" * 5_000, "two\0"):
        client.submit(f"{place}/doubles", {control: strange, control.replace("employer-", "with-"): ["x", "y"]})
        assert "1 possible duplicate" in text(client.get(place)), strange


def likely(client, rows, head=("Name", "Position", "Organisation", "Email")):
    """The groups of organisations that are asked about, of a list."""
    place = upload(client, sheet(list(head), *rows)).location
    return {
        frozenset(one.removeprefix("as:") for one in choices(client, place, control) if one.startswith("as:"))
        for control in asked(client, place).values()
    }


@pytest.mark.parametrize(
    ("names", "is_asked"),
    [
        (["Ministry of Health", "MoH"], True),
        (["NCFA", "National Council for Family Affairs"], True),
        (["Ministry of Planning and International Cooperation", "MoPIC"], True),
        (["GIZ", "G.I.Z."], True),
        (["NRC", "NRC Jordan"], True),
        (["Norwegian Refugee Council", "NRC Jordan"], True),
        (["Basma", "Basma Jordan"], True),
        (["Ministry of Health", "Ministry of Housing", "MoH"], True),
        (["MoH", "MoE", "MoY"], False),
        (["Ministry of Health", "Ministry of Housing", "Ministry of Youth"], False),
        (["Jordan", "UN", "AB"], False),
    ],
)
def test_employers_by_first_letters_and_without_the_country_are_asked_about(browser, names, is_asked):
    assert likely(browser("officer"), people(*names)) == ({frozenset(names)} if is_asked else set())


def test_employers_whose_people_have_addresses_at_one_place_are_asked_about(browser):
    client = browser("officer")
    rows = [
        ["Amina Bakr", "Clerk", "Ministry of Health", "a@moh.example"],
        ["Boris Cole", "Clerk", "وزارة الصحة", "b@moh.example"],
        ["Chandra Dev", "Clerk", "Petra Daily", "c@gmail.com"],
        ["Dalia Eid", "Clerk", "Hall of Youth", "d@gmail.com"],
        ["Emil Fox", "Clerk", "Petra Weekly", "e@yahoo.co.uk"],
        ["Fadi Gul", "Clerk", "Club of Chess", "f@yahoo.co.uk"],
    ]
    assert likely(client, rows) == {frozenset(("وزارة الصحة", "Ministry of Health"))}
    client.submit(upload(client, sheet(["Name", "Form"], ["Ministry of Health", "organisation"])).location, {}, action="/apply")
    (found,) = likely(client, rows)
    assert {one[:7] for one in found} == {"وزارة ا", "JOR-PA-"}


def fields_of_all(client, place):
    """The fields of the list of all new organisations, by name."""
    page = tree(client.get(f"{place}/doubles"))
    return {one.xpath("string(label/bdi)"): one.xpath(".//input/@name")[0] for one in page.xpath("//div[input[starts-with(@name, 'as-')]]")}


def test_any_new_organisation_is_said_to_be_another_one_by_its_name(browser):
    client = browser("officer")
    client.submit(upload(client, sheet(["Name", "Form"], ["United Children", "organisation"])).location, {}, action="/apply")
    place = upload(client, sheet(HEAD, *people("Unicorn", "Hall", "Town Hall", "Unicorn"))).location
    assert "0 possible duplicates" in text(client.get(place))
    found = fields_of_all(client, place)
    assert list(found) == ["Unicorn", "Hall", "Town Hall"]
    for wrong, said in (("Nobody Knows", "No organisation is called “Nobody Knows”"), ("HALL", "That is its own name.")):
        page = client.submit(f"{place}/doubles", {found["Hall"]: wrong}, status=422)
        assert said in text(page)
        assert tree(page).xpath(f"//input[@name='{found['Hall']}']/@value") == [wrong], "what was typed stays"
    client.submit(f"{place}/doubles", {found["Unicorn"]: "united children", found["Hall"]: "town hall"})
    assert list(fields_of_all(client, place)) == ["Town Hall"]
    client.submit(place, {}, action="/apply")
    assert organisations(client) == ["Town Hall", "United Children"]
    again = upload(client, sheet(HEAD, *people("Unicorn", "Hall", "Town Hall", "Unicorn"))).location
    assert "0 new, 0 changed, 4 unchanged, 0 possible duplicates" in text(client.get(again))


def test_two_that_are_said_to_be_each_other_are_one_and_not_none(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, *people("Hall", "Town Hall", "City Hall"))).location
    found = fields_of_all(client, place)
    client.submit(f"{place}/doubles", {found["Hall"]: "Town Hall", found["Town Hall"]: "City Hall", found["City Hall"]: "Hall"})
    client.submit(place, {}, action="/apply")
    assert len(organisations(client)) == 1


@pytest.mark.parametrize("nothing", ["-", "n/a", "TBC", "—"])
def test_a_sign_for_no_employer_is_no_organisation(browser, nothing):
    client = browser("officer")
    head = ["Name", "Position", "Organisation", "Since", "Form of address"]
    place = upload(
        client, sheet(head, ["Ana Bell", "Physiotherapist", nothing, "2022-01-15", "Dr."], ["Bo Cole", "-", nothing, "", ""])
    ).location
    client.submit(place, {}, action="/apply")
    assert organisations(client) == []
    page = text(client.get(tree(client.get("/parties/?q=ana")).xpath("//tbody//th//a/@href")[0]))
    assert "Post: Physiotherapist, since 2022-01-15" in page
    assert "Form of address: Dr." in page


def test_who_works_for_nobody_is_no_organisations(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, *people("Freelance", "retired"))).location
    client.submit(place, {}, action="/apply")
    assert organisations(client) == []
    assert "Organisation: Freelance" in text(client.get(tree(client.get("/parties/?q=amina")).xpath("//tbody//th//a/@href")[0]))


def test_a_row_of_an_organisation_itself_is_about_the_record_that_its_name_was_said_to_be(browser):
    client = browser("officer")
    client.submit(upload(client, sheet(["Name", "Form"], ["Ministry of Education", "organisation"])).location, {}, action="/apply")
    head = ["Name", "Position", "Organisation", "Phone"]
    rows = ["Amina Bakr", "Clerk", "Ministry of Eductaion", ""], ["", "", "Ministry of Eductaion", "+962 6 555 0101"]
    place = upload(client, sheet(head, *rows)).location
    for control in asked(client, place).values():
        (same,) = [one for one in choices(client, place, control) if one.startswith("as:JOR-PA-")]
        client.submit(f"{place}/doubles", {control: same})
    client.submit(place, {}, action="/apply")
    assert [one for one in organisations(client) if "JOR-PA" in one] == []


def test_a_record_that_is_gone_by_then_refuses_the_row_and_makes_no_organisation_of_its_reference(browser):
    client = browser("officer")
    first = upload(client, sheet(["Name", "Form"], ["Ministry of Education", "organisation"])).location
    client.submit(first, {}, action="/apply")
    place = upload(client, sheet(HEAD, *people("Ministry of Eductaion", "Petra Daily"))).location
    ((_names, control),) = asked(client, place).items()
    (same,) = [one for one in choices(client, place, control) if one.startswith("as:JOR-PA-")]
    client.submit(f"{place}/doubles", {control: same})
    client.submit(f"{first}/undo", {})
    client.submit(place, {}, action="/apply")
    assert organisations(client) == ["Petra Daily"]
    assert "No organisation that you can name here has the reference JOR-PA-" in text(client.get(place))


def test_what_is_asked_beyond_the_first_five_hundred_can_be_answered(browser, monkeypatch):
    monkeypatch.setattr("crm.services.sheet_employers.MOST_LISTED", 2)
    client = browser("officer")
    names = ["Alpha Bank", "Cedar Club", "Petra Daily", "Ministry of Eductaion", "Ministry of Education"]
    place = upload(client, sheet(HEAD, *people(*names))).location
    assert set(fields_of_all(client, place)) == {"Alpha Bank", "Cedar Club", "Ministry of Eductaion", "Ministry of Education"}
    ((_names, control),) = asked(client, place).items()
    client.submit(f"{place}/doubles", {control: "as:Ministry of Education"})
    assert "0 possible duplicates" in text(client.get(place))
    client.submit(place, {}, action="/apply")
    assert organisations(client) == sorted(one for one in names if one != "Ministry of Eductaion")


@pytest.mark.parametrize(("name", "most", "found"), [("MOST_ASKED", 1, 1), ("MOST_HELD", 3, 1), ("MOST_HELD", 1, 0)])
def test_no_more_is_compared_and_asked_than_that(browser, monkeypatch, name, most, found):
    monkeypatch.setattr(f"crm.services.sheet_employers.{name}", most)
    client = browser("officer")
    names = ["Hall of Youth", "Hall of Yuoth", "Petra Daily", "Petra Dialy"]
    assert len(likely(client, people(*names), HEAD)) == found


def test_different_ones_are_remembered_of_a_row_of_a_later_part_too(browser, monkeypatch):
    monkeypatch.setattr("crm.services.imports.CHUNK", 1)
    client = browser("officer")
    place = upload(client, sheet(HEAD, *people("Ministry of Eductaion"), ["Ministry of Education", "", "", "organisation"])).location
    client.submit(f"{place}/doubles", dict.fromkeys(asked(client, place).values(), "two"))
    client.submit(place, {}, action="/apply")
    for page in tree(client.get("/parties/?q=ministry")).xpath("//tbody//th//a/@href"):  # the same address: nobody is asked
        client.submit(f"{page}/channels/new", {"kind": "email", "value": "desk@x.example"})


def test_an_organisation_is_no_part_of_itself_by_another_name(browser):
    client = browser("officer")
    head = ["Name", "Form", "Acronym"]
    client.submit(upload(client, sheet(head, ["Ministry of Health", "organisation", "MOH"])).location, {}, action="/apply")
    place = upload(client, sheet(["Name", "Form", "Part of"], ["Ministry of Health", "organisation", "MoH"])).location
    assert "0 new, 0 changed, 1 unchanged" in text(client.get(place))
    client.submit(place, {}, action="/apply")
    assert "Brought in: 0 new, 0 changed, 1 unchanged" in text(client.get(place))


def test_a_person_of_the_file_is_no_organisation_that_another_is(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, *people("Hall", "Petra Daily"))).location
    page = client.submit(f"{place}/doubles", {fields_of_all(client, place)["Hall"]: "Boris Cole"}, status=422)
    assert "No organisation is called “Boris Cole”" in text(page)


def test_who_is_part_of_nobody_keeps_the_word_as_a_note(browser):
    client = browser("officer")
    place = upload(client, sheet(["Name", "Part of"], ["Amina Bakr", "Independent"])).location
    client.submit(place, {}, action="/apply")
    assert "Organisation: Independent" in text(client.get(tree(client.get("/parties/?q=amina")).xpath("//tbody//th//a/@href")[0]))


def test_a_spelling_is_not_kept_on_an_organisation_of_another_office(browser):
    other, client = browser("other"), browser("officer")
    other.submit(upload(other, sheet(["Name", "Form"], ["Ministry of Education", "organisation"])).location, {}, action="/apply")
    place = upload(client, sheet(HEAD, *people("Ministry of Eductaion"))).location
    ((_names, control),) = asked(client, place).items()
    (same,) = [one for one in choices(client, place, control) if one.startswith("as:KEN-PA-")]
    client.submit(f"{place}/doubles", {control: same})
    client.submit(place, {}, action="/apply")
    assert organisations(client) == ["Ministry of Education"]
    (page,) = tree(client.get("/parties/?q=ministry")).xpath("//tbody//th//a/@href")
    assert "Eductaion" not in text(client.get(page))


def test_a_row_that_shares_first_letters_alone_is_no_member_where_more_speaks_for_another(browser):
    client = browser("officer")
    head = ["Name", "Position", "Organisation", "Email", "Form"]
    rows = [
        ["Jerash Camp Committee", "", "", "", "organisation"],
        ["Amina Bakr", "Clerk", "Justice for Children Centre", "a@jcc.example", ""],
        ["Boris Cole", "Clerk", "Justice for Children Center", "b@jcc.example", ""],
        ["Chandra Dev", "Clerk", "JCC", "c@jcc.example", ""],
    ]
    place = upload(client, sheet(head, *rows)).location
    ((names, chosen),) = answers(client, place).items()
    assert "Jerash" not in names
    assert chosen.startswith("as:Justice for Children Cent")
    without = [row for row in rows if row[2] != "Justice for Children Center"]
    without[1][3] = "a@other.example"
    place = upload(client, sheet(head, *without)).location
    ((names, chosen),) = answers(client, place).items()
    assert "Jerash" in names, "first letters alone speak for either"
    assert chosen == ""


def test_an_employer_said_to_be_one_on_record_is_shown_by_its_name(browser):
    """Its reference says to the program which one it is; what would change is read by a person."""
    client = browser("officer")
    client.submit(upload(client, sheet(["Name", "Form"], ["Ministry of Education", "organisation"])).location, {}, action="/apply")
    head = [*HEAD, "E-mail"]
    rows = [["Amina Bakr", "Head", "Petra Daily", "", "a@x.example"], ["Amina Bakr", "Clerk", "Ministry of Eductaion", "", "a@x.example"]]
    place = upload(client, sheet(head, *rows)).location
    ((_names, control),) = asked(client, place).items()
    (same,) = [one for one in choices(client, place, control) if one.startswith("as:JOR-PA-")]
    client.submit(f"{place}/doubles", {control: same, "twin-3": "2"})
    page = text(client.get(place))
    assert "Clerk, Ministry of Education" in page
    assert "Clerk, JOR-PA-" not in page


def test_the_office_of_a_country_is_asked_about_and_not_chosen_beside_one_on_record(browser):
    client = browser("officer")
    client.submit(upload(client, sheet(["Name", "Form"], ["Caritas", "organisation"])).location, {}, action="/apply")
    place = upload(client, sheet(HEAD, *people("Caritas Jordan"))).location
    assert list(answers(client, place).values()) == [""]
    place = upload(client, sheet(HEAD, *people("Water Fund Jordan", "Water Fund"))).location
    assert list(answers(client, place).values()) != [""], "two of one list"


def test_whose_an_employer_is_stands_beside_what_is_to_be_decided(browser):
    client = browser("officer")
    head = ["Name", "Position", "Organisation", "Country", "Email"]
    rows = [
        ["Amina Bakr", "Head", "Swiss Office", "Jordan", "a@eda.example"],
        ["Boris Cole", "Desk", "SDC Bern", "Switzerland", "b@eda.example"],
    ]
    place = upload(client, sheet(head, *rows)).location
    (box,) = tree(client.get(f"{place}/doubles")).xpath("//fieldset[.//select[starts-with(@name, 'employer-')]]")
    words = " ".join(box.text_content().split()).replace("\u2068", "").replace("\u2069", "")
    assert "SDC Bern: Boris Cole · Switzerland" in words
    assert "Swiss Office (row 2: addresses at eda.example): Amina Bakr · Jordan" in words
    assert "proposed" not in words, "nothing speaks for one of them"

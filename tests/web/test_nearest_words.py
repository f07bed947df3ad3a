"""Misspelt words of a list in a spreadsheet: what is surely meant is chosen already, asked once, and remembered."""

from __future__ import annotations

import pytest

from crm.services.sheet_channels import nearest_address
from tests.factories.browser import tree
from tests.web.test_equal_problems import HEAD, contact, legends, name_of, rejected
from tests.web.test_sheet_imports import sheet, text, upload


def chosen(client, place):
    """What is chosen for each word that is asked about: its name, and the choice as it is sent."""
    page = tree(client.get(f"{place}/rows"))
    found = {}
    for one in page.xpath("//form//section[h2]//fieldset[.//select]"):
        (choice,) = one.xpath(".//option[@selected]")
        found[one.xpath("string(legend)").partition("“")[2].rstrip("”")] = (choice.text, choice.get("value"))
    return found


MISSPELT = {
    "Goverment": ("Government (nearest)", "government"),
    "Doner": ("Donor (nearest)", "donor"),
    "Meida": ("Media (nearest)", "media"),
    "Privat": ("Private sector (nearest)", "private-sector"),
    "relegious leader": ("Religious leader (nearest)", "local-leader-religious"),
    "Organisaton": ("No category: it is an organisation (nearest)", "organisation"),
}


def test_what_is_surely_meant_is_chosen_and_a_page_as_it_stands_takes_it(browser):
    client = browser("officer")
    rows = [contact(n, word, "Jordan") for n, word in enumerate(MISSPELT)]
    rows += [contact(10, "", "Lebannon"), contact(11, "", "Jordon"), contact(12, "", "Jordon"), contact(13, "", "Switzerlnad")]
    place = upload(client, sheet(HEAD, *rows)).location
    countries = {"Lebannon": ("Lebanon", "LB"), "Jordon": ("Jordan", "JO"), "Switzerlnad": ("Switzerland", "CH")}
    assert chosen(client, place) == MISSPELT | {word: (f"{name} (nearest)", code) for word, (name, code) in countries.items()}
    assert "What is chosen already is a guess" in text(client.get(f"{place}/rows"))
    client.submit(f"{place}/rows", {})
    page = text(client.get(place))
    assert "10 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in page
    assert "“Goverment” under “Category” is read as “Government” in 1 row." in page
    assert "“Jordon” under “Country” is read as “Jordan” in 2 rows." in page


def test_nothing_is_chosen_where_two_are_near_or_none_or_the_word_is_short(browser):
    """Slovenia and Slovakia; a company as a form and as the private sector; one slip from “cso”."""
    client = browser("officer")
    rows = [contact(1, "Compny", "Slovania"), contact(2, "Cxo", "Utopia"), contact(3, "Mentor", "Austrlia"), contact(4, "2024", "Omx")]
    place = upload(client, sheet(HEAD, *rows)).location
    assert set(chosen(client, place).values()) == {("Choose …", "")}
    assert "is a guess" not in text(client.get(f"{place}/rows"))
    client.submit(f"{place}/rows", {})
    assert len(chosen(client, place)) == 8


def test_a_guess_gives_way_to_another_choice_an_empty_cell_and_the_word_as_it_stands(browser):
    client = browser("officer")
    rows = [contact(1, "Doner"), contact(2, "Meida"), contact(3, "Privat"), contact(4, "NGO")]
    place = upload(client, sheet(HEAD, *rows)).location
    names = {word: name_of(client, place, word) for word in ("Doner", "Meida", "Privat")}
    client.submit(f"{place}/rows", {names["Doner"]: "ngo", names["Meida"]: "-", names["Privat"]: ""})
    page = text(client.get(place))
    assert "“Doner” under “Category” is read as “NGO or civil society” in 1 row." in page
    assert "“Meida” under “Category” is read as an empty cell in 1 row." in page
    assert legends(client, place) == ["In 1 row: Category “Privat”"]


def test_a_guess_that_the_page_did_not_show_or_whose_row_is_left_out_says_nothing(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, contact(1, "Doner"), contact(2, "Meida"), contact(3, "NGO"))).location
    unseen, out = name_of(client, place, "Doner"), name_of(client, place, "Meida").removeprefix("all-")
    client.submit(f"{place}/rows", {unseen: None, "out-all": out})
    page = text(client.get(place))
    assert "1 new, 0 changed, 0 unchanged, 0 possible duplicates, 1 with a problem, 1 left out." in page
    assert "is read as" not in page
    client.submit(f"{place}/rows", {"none-out": "yes", name_of(client, place, "Doner"): ""})
    assert legends(client, place) == ["In 1 row: Category “Doner”", "In 1 row: Category “Meida”"]


@pytest.mark.parametrize("is_remembered", [True, False])
def test_a_word_of_one_row_is_remembered_for_the_next_file_if_the_mark_is_left(browser, is_remembered):
    client = browser("officer")
    rows = [contact(1, "Goverment"), contact(2, "NGO; Mentor", "", "no address")]
    place = upload(client, sheet(HEAD, *rows)).location
    assert legends(client, place) == ["In 1 row: Category “Mentor”", "In 1 row: Category “Goverment”"]
    said = {name_of(client, place, "Mentor"): "youth", "cell-3-3": "", "is_remembered": "y" if is_remembered else None}
    client.submit(f"{place}/rows", said)
    assert "2 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in text(client.get(place))
    again = upload(client, sheet(HEAD, contact(3, "goverment"), contact(4, "Mentor"))).location
    assert bool(legends(client, again)) != is_remembered
    assert ("“Mentor” under “Category” is read as “Youth” in 1 row." in text(client.get(again))) == is_remembered


def test_a_word_of_one_row_shows_the_row_and_its_other_problems_stand_with_the_row(browser):
    client = browser("officer")
    rows = [contact(1, "Goverment"), contact(2, "Meida", "", "no address"), contact(3, "NGO")]
    place = upload(client, sheet(HEAD, *rows)).location
    page = tree(client.get(f"{place}/rows"))
    (first,) = page.xpath("//*[@id='row-2']")
    words = " ".join(first.text_content().split())
    assert words.startswith("In 1 row: Category “Goverment” “Goverment” is none of the words known")
    assert "Row 2: Contact 1 · Goverment" in words
    (second,) = page.xpath("//*[@id='row-3'][not(ancestor::details)]")
    assert [" ".join(why.text_content().split())[:7] for why in second.xpath(".//*[@class='field-error']")] == ["E-mail:"]
    assert [links for _cells, links in rejected(client, place)] == [[f"{place}/rows#row-2"]]  # both: the column is the same
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_a_word_that_is_known_but_refused_in_one_row_is_not_said_of_all(browser):
    """It contradicts the rest of this row alone: said of the column, it would turn organisations of the next file into people."""
    client = browser("officer")
    head = ["Name", "Organisation", "Position", "Type"]
    place = upload(client, sheet(head, ["Ana Bell", "Zain", "Head", "organisation"], ["Bo Day", "Zain", "Clerk", "person"])).location
    assert legends(client, place) == []
    (select,) = tree(client.get(f"{place}/rows")).xpath("//fieldset[@id='row-2']//select[@aria-invalid='true']")
    assert select.xpath("./option[@selected]/@value")[0] == "organisation"
    assert not select.xpath("./option[contains(., 'nearest')]")


def test_words_beyond_those_that_are_asked_once_are_guessed_row_by_row(browser, monkeypatch):
    monkeypatch.setattr("crm.jobs.mending._MOST_ALONE", 1)
    client = browser("officer")
    place = upload(client, sheet(HEAD, contact(1, "Goverment"), contact(2, "", "Lebannon"), contact(3, "", "Utopia"))).location
    assert legends(client, place) == ["In 1 row: Category “Goverment”"]
    page = tree(client.get(f"{place}/rows"))
    assert page.xpath("//fieldset[@id='row-3']//option[@selected]/text()") == ["Lebanon (nearest)"]
    assert page.xpath("//fieldset[@id='row-4']//option[@selected]/text()") == ["As it stands: Utopia"]
    client.submit(f"{place}/rows", {"cell-3-2": "Lebannon"})
    assert legends(client, place) == ["In 1 row: Country “Lebannon”"]
    client.submit(f"{place}/rows", {})
    assert "2 new, 0 changed, 0 unchanged, 0 possible duplicates, 1 with a problem." in text(client.get(place))


def test_a_word_with_where_it_works_before_it_and_what_a_person_is_called_are_chosen(browser):
    client = browser("officer")
    words = {
        "Local NGO": "ngo",
        "international press": "media",
        "Volunteer": "person",
        "متطوعة": "person",
        "Private donor": "",
        "Local": "",
    }
    place = upload(client, sheet(HEAD, *(contact(n, word) for n, word in enumerate(words)))).location
    assert {word: code for word, (_name, code) in chosen(client, place).items()} == words


def test_of_an_address_with_a_slip_the_nearest_stands_in_its_field_and_is_taken_as_it_stands(browser):
    client = browser("officer")
    slips = {
        "a.b@@x.example": "a.b@x.example",
        "ana@x.example,": "ana@x.example",
        "bo@x,example": "bo@x.example",
        "cy@gmail com": "cy@gmail.com",
        "dee@nowhere": "dee@nowhere",  # nothing is near
        "e@x.example f@@y.example": "e@x.example f@@y.example",  # two
    }
    place = upload(client, sheet(HEAD, *(contact(n, "NGO", "Jordan", slip) for n, slip in enumerate(slips)))).location
    page = tree(client.get(f"{place}/rows"))
    held = [one.get("value") for one in page.xpath("//fieldset[starts-with(@id, 'row-')]//input[@aria-describedby]")]
    assert [one.get("value") for one in page.xpath("//input[@aria-invalid='true']")] == list(slips)[-2:]
    wrong = [slip for slip in slips if slip != "ana@x.example,"]  # a comma at the end is none
    assert held in ([slips[slip] for slip in wrong], list(slips.values()))
    assert text(client.get(f"{place}/rows")).count("The nearest address stands in the field: look whether it is right.") == sum(
        one not in slips for one in held
    )
    client.submit(f"{place}/rows", {})
    answer = client.submit(f"{place}/rows", {"cell-6-3": "dee@x.example", "also_out": "none"}, status=422)
    assert "dee@x.example" in [one.get("value") for one in tree(answer).xpath("//input")], "what was typed stays"
    left = [one.get("value") for one in tree(client.get(f"{place}/rows")).xpath("//input[@aria-invalid='true']")]
    assert left == ["dee@nowhere", "e@x.example f@@y.example"]
    client.submit(f"{place}/rows", {"out": ["6", "7"]})
    client.submit(place, {}, action="/apply")
    (link,) = tree(client.get("/parties/?q=contact+3")).xpath("//tbody//th//a/@href")
    assert "cy@gmail.com" in text(client.get(link))


def of_days(client, place):
    page = tree(client.get(f"{place}/rows"))
    return {one.get("name"): one.xpath("string(./option[@selected])") for one in page.xpath("//select[@name='century' or @name='months']")}


def test_years_and_months_that_can_mean_one_thing_are_proposed_and_nothing_is_said_before_the_page_is_sent(browser):
    client = browser("officer")
    head = ["Name", "Post", "Organisation", "Since"]

    def place_of(*days):
        rows = [[f"Person {letter}", "Clerk", "Petra Daily", day] for letter, day in zip("ABC", days, strict=False)]
        return upload(client, sheet(head, *rows)).location

    place = place_of("4-Aug-15", "1-Mar-17", "March 2022")
    assert of_days(client, place) == {
        "century": "1950 to 2049: 26 is 2026, 98 is 1998 (proposed)",
        "months": "Take the first of the month: March 2024 is 1 March 2024 (proposed)",
    }
    assert "3 with problems" in text(client.get(place)), "a proposal is no answer"
    client.submit(f"{place}/rows", {"months": "", "is_remembered": None})
    assert of_days(client, place)["months"].endswith("(proposed)")
    assert "2 new, 0 changed, 0 unchanged, 0 possible duplicates, 1 with a problem." in text(client.get(place))
    client.submit(f"{place}/rows", {"is_remembered": None})
    assert "3 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in text(client.get(place))
    assert of_days(client, place_of("4-Aug-98", "1-Mar-17"))["century"] == "Write them with four digits, row by row"
    assert of_days(client, place_of("4-Aug-50"))["century"] == "Write them with four digits, row by row"
    assert of_days(client, place_of("4-Aug-49"))["century"].endswith("(proposed)")


def test_a_month_without_a_day_of_an_amount_is_not_proposed(browser):
    client = browser("grants")
    head = ["Donor", "Amount (EUR)", "Date"]
    place = upload(client, sheet(head, ["Nobody", "5", "March 2026"]), kind="pledges").location.removesuffix("/columns")
    assert of_days(client, place) == {"months": "Write the days, row by row"}


def test_the_summary_says_how_days_that_could_be_read_either_way_are_read(browser):
    client = browser("officer")
    head = ["Name", "Post", "Organisation", "Since"]
    rows = [["Ana Bell", "Clerk", "Petra", "03/04/2018"], ["Bo Carr", "Clerk", "Petra", "25/12/2019"]]
    assert "Days are read day first: 03/04/2018 is 3 April 2018." in text(client.get(upload(client, sheet(head, *rows)).location))
    rows[1][-1] = "12/25/2019"
    assert "Days are read month first: 03/04/2018 is 4 March 2018." in text(client.get(upload(client, sheet(head, *rows)).location))
    rows[0][-1] = "03/04/0018"
    assert "Days are read" not in text(client.get(upload(client, sheet(head, *rows)).location)), "no day at all"
    rows[0][-1] = "2018-04-03"
    assert "Days are read" not in text(client.get(upload(client, sheet(head, *rows)).location))


def test_rows_that_are_all_mended_on_the_page_have_no_next_ones(browser):
    client = browser("officer")
    rows = [*(contact(n, "Coop.", "Jordan") for n in range(45)), contact(50, "NGO", "Jordan", "nowhere")]
    place = upload(client, sheet(HEAD, *rows)).location
    assert "the next ones come" not in text(client.get(f"{place}/rows"))
    place = upload(client, sheet(HEAD, *(contact(n, "NGO", "Jordan", f"wrong {n}") for n in range(45)))).location
    assert "The first 40 are shown; the next ones come when these are mended." in text(client.get(f"{place}/rows"))


def test_a_page_that_did_not_ask_of_years_says_nothing_of_them(browser):
    client = browser("officer")
    place = upload(client, sheet(["Name", "Post", "Organisation", "Since"], ["Ana Bell", "Clerk", "Petra", "4-Aug-15"])).location
    page = tree(client.get(f"{place}/rows"))
    version = page.xpath("//input[@name='version']/@value")[0]
    client.client.post(f"{place}/rows", data={"csrf_token": client.token(), "version": version})
    assert "1 with a problem" in text(client.get(place))
    assert "Row 2 is the first: “4-Aug-15”. Say which years these are" in text(client.get(f"{place}/rows"))


def test_beside_a_word_stands_whose_it_is_and_where_no_more_is_known_the_row(browser):
    client = browser("officer")
    head = ["Name", "Post", "Organisation", "Category", "Phone"]
    rows = [
        ["Ana Bell", "Clerk", "Petra Daily", "Coop.", "+962 79 555 0101"],
        ["Bo Carr", "", "Petra Daily", "Coop.", ""],
        ["Cy Dunn", "", "", "Shop", "+962 79 555 0102"],
    ]
    place = upload(client, sheet(head, *rows)).location
    boxes = tree(client.get(f"{place}/rows")).xpath("//fieldset[contains(@class, 'mend-line')]//p[@class='small']")
    said = [" ".join(one.text_content().split()) for one in boxes]
    assert said == ["Row 2: Ana Bell · Clerk · Petra Daily", "Row 4: Cy Dunn · Shop · +962 79 555 0102"]


def test_of_an_address_that_several_rows_have_the_answer_above_counts_and_nothing_is_proposed_behind_a_fold(browser):
    client = browser("officer")
    for answer, kept in (("right@y.example", 3), ("", 0)):
        place = upload(client, sheet(HEAD, *(contact(n, "NGO", "Jordan", "info@@x.example") for n in range(3)))).location
        page = tree(client.get(f"{place}/rows"))
        assert not page.xpath("//details//input[@value = 'info@x.example']")
        client.submit(f"{place}/rows", {name_of(client, place, "info@@x.example"): answer})
        client.submit(place, {}, action="/apply")
        people = [text(client.get(link)) for link in tree(client.get("/parties/?q=contact")).xpath("//tbody//th//a/@href")]
        assert sum("right@y.example" in one for one in people) == kept
        assert not any("info@x.example" in one for one in people)
        client.submit(f"{place}/undo", {}, action="/undo")


def test_what_was_proposed_of_years_is_right_of_an_older_year_of_the_next_file(browser):
    client = browser("officer")
    head = ["Name", "Post", "Organisation", "Since"]
    place = upload(client, sheet(head, ["Ana Bell", "Clerk", "Petra Daily", "4-Aug-15"])).location
    client.submit(f"{place}/rows", {})
    client.submit(place, {}, action="/apply")
    place = upload(client, sheet(head, ["Bo Carr", "Clerk", "Petra Daily", "4-Aug-98"])).location
    client.submit(place, {}, action="/apply")
    (link,) = tree(client.get("/parties/?q=carr")).xpath("//tbody//th//a/@href")
    assert "1998" in text(client.get(link))
    assert "2098" not in text(client.get(link))


def test_what_was_typed_in_place_of_a_proposal_is_not_said_to_be_one(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, contact(1, "NGO", "Jordan", "a.b@@x.example"))).location
    answer = client.submit(f"{place}/rows", {"cell-2-3": "junk", "also_out": "none"}, status=422)
    assert tree(answer).xpath("//input[@name='cell-2-3' and @aria-invalid='true']/@value") == ["junk"]
    assert "The nearest address stands in the field" not in text(answer)


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("rana@unicef.org Amman", ""),
        ("ana@x.example, call first", ""),
        ("lina@unicef.org; by post", ""),
        ("rana@x.example;omar", ""),
        ("rana@x,example", "rana@x.example"),
        ("rana@ x , example", "rana@x.example"),
        ("rana @@ gmail com", "rana@gmail.com"),
        ("rana@x;example", ""),
        ("rana", ""),
        ("@@", ""),
        ("", ""),
    ],
)
def test_only_a_slip_within_an_address_is_mended(cell, meant):
    assert nearest_address(cell) == meant

"""A row of a spreadsheet with several things wrong: all of them are shown, and mended, in one go."""

from __future__ import annotations

import csv
import io
import re

import pytest

from tests.factories.browser import tree
from tests.factories.counting import statements_of
from tests.web.test_equal_problems import legends, name_of
from tests.web.test_sheet_imports import sheet, text, upload

HEAD = ["Name", "Country", "E-mail", "Phone", "Position", "Organisation", "Since"]
WRONG = ["Ana Bell", "Utopia", "ana at home", "", "Editor", "Petra Daily", "yesterday"]
BEHIND = ["Ben Cole", "Jordan", "ben at home", "079 12", "", "", ""]


def problems(client, place, row):
    found = tree(client.get(f"{place}/rows")).xpath(f"//fieldset[@id='row-{row}']//p[@class='field-error']")
    return [" ".join(one.text_content().split()).partition(":")[0] for one in found]


def wrong_cells(client, place, row):
    """The names of the cells that are wrong, by the columns whose sentences stand above them."""
    fields = tree(client.get(f"{place}/rows")).xpath(f"//fieldset[@id='row-{row}']//*[@aria-invalid='true']/@name")
    return dict(zip(problems(client, place, row), fields, strict=True))


def test_all_that_is_wrong_with_a_row_is_shown_and_mended_at_once(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, WRONG, BEHIND, ["Cleo Dahl", "", "cleo@x.example", "", "", "", ""])).location
    assert "1 new, 0 changed, 0 unchanged, 0 possible duplicates, 2 with problems." in text(client.get(place))
    assert legends(client, place) == ["In 1 row: Country “Utopia”"]
    assert problems(client, place, 2) == ["E-mail", "Since"]  # in the order of the columns, each above its cell
    assert problems(client, place, 3) == ["E-mail", "Phone"]
    cells = wrong_cells(client, place, 2)
    mended = {name_of(client, place, "Utopia"): "KE", cells["E-mail"]: "ana@x.example", cells["Since"]: "2024-03-01"}
    others = wrong_cells(client, place, 3)
    mended |= {others["E-mail"]: "ben@x.example", others["Phone"]: ""}
    client.submit(f"{place}/rows", mended)
    assert "3 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in text(client.get(place))
    client.submit(place, {}, action="/apply")
    assert "Kenya" in text(client.get("/parties/?q=ana+bell"))


def test_the_rejected_rows_as_a_file_say_all_that_is_wrong(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, WRONG, ["=1+1", "=2+2", "=3", "", "", "", ""])).location
    first, second = list(csv.reader(io.StringIO(client.get(f"{place}/rejects.csv").get_data().decode("utf-8-sig"))))[1:]
    assert first[:2] == ["2", "Country, Since, E-mail"]
    for column in ("Country: ", "Since: ", "E-mail: "):
        assert first[2].count(column) == 1
    assert first[3:] == WRONG
    assert second[1] == "Country, E-mail"
    assert "\n" not in second[2]


def test_what_follows_from_a_cell_that_cannot_be_read_is_no_problem_of_its_own(browser):
    client = browser("officer")
    head = ["Name", "Form", "Position", "Organisation"]
    rows = ["Ana Bell", "humn", "Editor", "Petra Daily"], ["x" * 400, "humn", "", ""]
    place = upload(client, sheet(head, *rows)).location
    assert problems(client, place, 2) == ["Form"]
    assert problems(client, place, 3) == ["Name"]  # the form is asked above, for both rows


def test_a_problem_behind_another_one_is_mended_with_its_equals(browser):
    client = browser("officer")
    rows = [[f"Contact {n}", "", "ask the office", "12" if n == 1 else "", "", "", ""] for n in range(3)]
    place = upload(client, sheet(HEAD, *rows)).location
    assert legends(client, place) == ["In 3 rows: E-mail “ask the office”"]
    shown = tree(client.get(f"{place}/rows"))
    alone = shown.xpath("//fieldset[starts-with(@id, 'row-')][not(ancestor::details)]/@id")
    assert alone == ["row-3"], "the one row with a problem that no other has"
    phone = wrong_cells(client, place, 3)["Phone"]
    client.submit(f"{place}/rows", {name_of(client, place, "ask the office"): "", phone: "079 551 2299"})
    assert "3 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in text(client.get(place))


def test_a_wrong_word_is_chosen_from_its_list_and_the_other_cells_stay_folded(browser, monkeypatch):
    """Where a file has more unknown words than are asked once each, the others are chosen row by row."""
    monkeypatch.setattr("crm.jobs.mending._MOST_ALONE", 0)
    client = browser("officer")
    rows = ["Ana Bell", "Utopia", "", "", "", "", ""], ["Ben Cole", "Atlantis", "", "079 12", "", "", ""]
    place = upload(client, sheet(HEAD, *rows)).location
    page = tree(client.get(f"{place}/rows"))
    (choose,) = page.xpath("//fieldset[@id='row-2']//select[@aria-invalid='true']")
    assert choose.xpath("string(./option[1])") == "As it stands: Utopia"
    assert choose.xpath("./option[@selected]/@value") == ["Utopia"]
    assert {"KE", "JO", ""} <= set(choose.xpath("./option/@value"))
    assert page.xpath("//fieldset[@id='row-2']/details[not(@open)]//input/@value") == ["Ana Bell", "", "", "", "", ""]
    assert page.xpath("string(//fieldset[@id='row-3']/p[1])") == "Ben Cole · Atlantis · 079 12"
    emptied = page.xpath("//fieldset[@id='row-3']//select/@name")[0]
    client.submit(f"{place}/rows", {choose.get("name"): "KE", emptied: ""})
    assert "1 new, 0 changed, 0 unchanged, 0 possible duplicates, 1 with a problem." in text(client.get(place))
    page = tree(client.get(f"{place}/rows"))
    assert page.xpath("//fieldset[starts-with(@id, 'row-')]/@id") == ["row-3"]
    assert not page.xpath("//select[@aria-invalid='true']")


def test_what_a_number_is_depends_on_a_country_that_cannot_be_read(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, ["Ana", "Germanyy", "", "0171 1234567", "", "", ""])).location
    page = tree(client.get(f"{place}/rows"))
    whys = [" ".join(one.text_content().split()) for one in page.xpath("//*[@class='field-error']")]
    assert all("“Germanyy” is not a country" in why for why in whys), "nothing is said of the number"
    client.submit(f"{place}/rows", {name_of(client, place, "Germanyy"): "DE"})
    assert "1 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in text(client.get(place))


def test_a_row_with_a_short_year_and_something_else_stands_open(browser):
    client = browser("officer")
    rows = [[f"Contact {n}", "", "no address" if n == 1 else "", "", "Editor", "Petra Daily", "13-Apr-26"] for n in range(3)]
    place = upload(client, sheet(HEAD, *rows)).location
    page = tree(client.get(f"{place}/rows"))
    assert page.xpath("//fieldset[starts-with(@id, 'row-')][not(ancestor::details)]/@id") == ["row-3"]
    assert page.xpath("//details//fieldset[starts-with(@id, 'row-')]/@id") == ["row-2", "row-4"]


def test_cells_for_nothing_are_counted_and_beside_an_amount_they_are_no_currency(browser):
    client, grants = browser("officer"), browser("grants")
    place = upload(client, sheet(HEAD, ["Ana", "n/a", "", "", "", "", "-"], ["Bo", "-", "", "", "", "", ""])).location
    assert "3 cells say that there is nothing (“-”, “n/a”): they count as empty." in text(client.get(place))
    for sign in ("$", "£", "-", "n/a"):
        money = sheet(["Donor", "Amount (EUR)", "Currency", "Date"], ["Petra Daily", "1000", sign, "2026-01-01"])
        place = upload(grants, money, kind="pledges").location.removesuffix("/columns")
        assert "1 with a problem" in text(grants.get(place)), sign


def test_months_without_a_day_are_asked_about_once(browser):
    client = browser("officer")
    days = ["March 2024", "03/2024", "2024-03", "mars 2024", "آذار 2024"]
    rows = [[f"Contact {n}", "", "", "", "Editor", "Petra Daily", day] for n, day in enumerate(days)]
    place = upload(client, sheet(HEAD, *rows)).location
    assert legends(client, place) == ["In 5 rows: a month has no day"]
    client.submit(f"{place}/rows", {"months": "first"})
    page = text(client.get(place))
    assert "5 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in page
    assert "A month without a day is taken as its first day." in page
    again = upload(client, sheet(HEAD, *rows[:1])).location  # said of the source, until it is taken back
    assert "A month without a day is taken as its first day." in text(client.get(again))
    client.submit(f"{again}/rows", {"months": ""})
    assert legends(client, again) == ["In 1 row: a month has no day"]
    client.submit(place, {}, action="/apply")
    first = tree(client.get("/parties/?q=contact")).xpath("//table//a[starts-with(@href, '/parties/0')]/@href")[0]
    assert "1 Mar 2024" in text(client.get(first))


def test_letters_are_no_digits_of_a_number(browser):
    client = browser("officer")
    rows = [
        [f"Contact {n}", "", "", phone, "", "", ""] for n, phone in enumerate(("079 77 (old), 078 812 4431 (new)", "079 5 (wife)", "07955"))
    ]
    place = upload(client, sheet(HEAD, *rows)).location
    assert [problems(client, place, row) for row in (2, 3, 4)] == [["Phone"]] * 3
    fine = [["Ana", "", "", "+1 800 FLOWERS", "", "", ""], ["Bo", "", "", "06 555 0101 ext. 12", "", "", ""]]
    assert "2 new" in text(client.get(upload(client, sheet(HEAD, *fine)).location))


def test_two_numbers_parted_by_a_blank_are_two(browser):
    client = browser("officer")
    phones = ("0795512299 0777001122", "079 551 2299 077 700 1122", "+962 79 551 2299 12", "0795512299 077")
    place = upload(client, sheet(HEAD, *([f"Contact {n}", "", "", phone, "", "", ""] for n, phone in enumerate(phones)))).location
    assert "2 new, 0 changed, 0 unchanged, 1 possible duplicate, 2 with problems." in text(client.get(place))
    client.submit(place, {}, action="/apply")
    places = dict.fromkeys(tree(client.get("/parties/?q=contact")).xpath("//table//a[starts-with(@href, '/parties/0')]/@href"))
    for href in places:
        page = text(client.get(href))
        assert "+962 7 9551 2299" in page
        assert "+962 7 7700 1122" in page


def test_what_is_asked_once_is_not_asked_again_in_a_row_that_has_more(browser):
    client = browser("officer")
    rows = [[f"Contact {n}", "Utopia", "no address" if n == 1 else "", "", "", "", ""] for n in range(3)]
    place = upload(client, sheet(HEAD, *rows)).location
    assert legends(client, place) == ["In 3 rows: Country “Utopia”"]
    assert problems(client, place, 3) == ["E-mail"]
    assert problems(client, place, 2) == ["Country"], "folded, where it may be mended by itself"
    (address,) = wrong_cells(client, place, 3).values()
    client.submit(f"{place}/rows", {name_of(client, place, "Utopia"): "KE", address: ""})
    assert "3 new, 0 changed, 0 unchanged" in text(client.get(place))


def test_an_address_torn_by_a_blank_is_read_and_that_is_said(browser):
    client = browser("officer")
    mails = ("ana@ x.example", "bo [at] x.example", "c.d@x.example e.f@x.example", "no one @ x . example")
    rows = [[f"Contact {n}", "", mail, "", "", "", ""] for n, mail in enumerate(mails)]
    rows += [["Wrong", "", "ana @ x.example and more", "", "", "", ""], ["Two", "", "a@x b@y.example", "", "", "", ""]]
    place = upload(client, sheet(HEAD, *rows)).location
    page = text(client.get(place))
    assert "2 e-mail addresses were written with a blank inside, or “(at)”: they are read without." in page
    assert [problems(client, place, row) for row in (5, 6, 7)] == [["E-mail"]] * 3
    client.submit(place, {}, action="/apply")
    places = tree(client.get("/parties/?q=contact")).xpath("//table//a[starts-with(@href, '/parties/0')]/@href")
    pages = " ".join(text(client.get(place)) for place in dict.fromkeys(places))
    assert all(address in pages for address in ("ana@x.example", "bo@x.example", "c.d@x.example", "e.f@x.example"))


def test_headings_of_sections_and_names_of_nobody_are_no_people(browser):
    client = browser("officer")
    rows = [["PARTNERS AND OTHERS (old list 2021)", *[""] * 6], ["TBC", "", "", "06 555 0101", "", "", ""], ["n/a", *[""] * 6]]
    fine = [["ANA BELL", "", "", "06 555 0102", "", "", ""], ["UNICEF", *[""] * 6], ["Ben Cole", *[""] * 6]]
    place = upload(client, sheet(HEAD, *rows, *fine)).location
    assert "3 new, 0 changed, 0 unchanged, 0 possible duplicates, 3 with problems." in text(client.get(place))
    assert "as the heading of a section does" in text(client.get(place))
    assert [problems(client, place, row) for row in (3, 4)] == [["Name"], ["Name"]]


def test_an_organisation_without_a_post_is_never_lost(browser):
    """It is what the person is a part of; where that is said already, it stands in the notes."""
    client = browser("officer")
    head = ["Name", "E-mail", "Position", "Organisation"]
    rows = [
        ["Ana Bell", "a@x.example", "Editor", "Petra Daily"],
        ["Ana Bell", "a@x.example", "", "UNICEF"],
        ["Ana Bell", "a@x.example", "", "Petra Daily"],
    ]
    rows += [["Ben Cole", "", "", "Water Board"], ["Ben Cole", "", "", "Water Board"], ["Ben Cole", "", "", "River Board"]]
    place = upload(client, sheet(head, *rows)).location
    page = text(client.get(place))
    assert (
        "4 rows have the name of an earlier one and nothing speaks against it: they come in as one, row 3 with row 2, row 4 with row 2"
        in page
    )
    client.submit(place, {}, action="/apply")
    notes = {}
    for name in ("ana bell", "ben cole"):
        (href,) = dict.fromkeys(tree(client.get(f"/parties/?q={name}")).xpath("//table//a[starts-with(@href, '/parties/0')]/@href"))
        notes[name] = text(client.get(href))
    assert "Organisation: UNICEF" in notes["ana bell"]
    assert "Organisation: Petra Daily" not in notes["ana bell"]
    assert "Part of Water Board" in notes["ben cole"]
    assert "Organisation: River Board" in notes["ben cole"]
    assert "Organisation: Water Board" not in notes["ben cole"]


def test_names_in_two_scripts_or_with_words_in_brackets_are_asked_about(browser):
    client = browser("officer")
    names = ["Sana Abbadi / سناء العبادي", "سناء العبادي", "Jamal Rawashdeh (Abu Ahmad)", "Jamal Rawashdeh", "Water Board / River Board"]
    place = upload(client, sheet(HEAD, *([name, *[""] * 6] for name in names))).location
    assert "5 new, 0 changed, 0 unchanged, 2 possible duplicates" in text(client.get(place))


@pytest.mark.parametrize("nothing", ["n/a", "-", "None", "لا يوجد", " – "])
def test_a_cell_that_says_there_is_nothing_is_empty(browser, nothing):
    client = browser("officer")
    place = upload(client, sheet(HEAD, ["Ana Bell", nothing, nothing, nothing, nothing, "", nothing])).location
    assert "1 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in text(client.get(place))


@pytest.mark.parametrize("lost", ["??", "#N/A", "unknown", "?", "\ufffd\ufffd", "؟؟", "✓", "@", "…."])
def test_a_cell_of_which_letters_were_lost_or_a_formula_failed_is_not(browser, lost):
    client = browser("officer")
    place = upload(client, sheet(HEAD, ["Ana Bell", lost, lost, "", "", "", lost])).location
    assert legends(client, place) == [f"In 1 row: Country “{lost}”"]
    assert sorted(problems(client, place, 2)) == ["E-mail", "Since"]


def test_rows_with_more_problems_cost_no_more_statements(app, browser):
    client = browser("officer")
    few = upload(client, sheet(HEAD, WRONG)).location
    many = upload(client, sheet(HEAD, *([f"{WRONG[0]} {n}", *WRONG[1:]] for n in range(30)))).location
    counts = statements_of(app, client, [f"{few}/rows", f"{few}/rows", f"{many}/rows"])
    assert counts[1] == counts[2]


def test_a_remark_with_an_hour_in_a_telephone_cell_goes_to_the_notes(browser):
    client = browser("officer")
    phones = ("after 2 pm", "ext. 214", "112", "٣ مساءً", "12")
    place = upload(client, sheet(HEAD, *([f"Contact {n}", "", "", phone, "", "", ""] for n, phone in enumerate(phones)))).location
    page = text(client.get(place))
    assert "3 telephone cells hold words and no number: the words stand in the notes." in page
    assert [problems(client, place, row) for row in (4, 6)] == [["Phone"]] * 2
    client.submit(place, {}, action="/apply")
    places = tree(client.get("/parties/?q=contact")).xpath("//table//a[starts-with(@href, '/parties/0')]/@href")
    assert "Phone: after 2 pm" in " ".join(text(client.get(one)) for one in dict.fromkeys(places))


def test_a_number_that_its_country_does_not_give_out_is_taken_and_named(browser):
    client = browser("officer")
    rows = [["Ana", "Jordan", "", "078 800 12", "", "", ""], ["Bo", "Jordan", "", "079 551 2299", "", "", ""]]
    page = text(client.get(upload(client, sheet(HEAD, *rows)).location))
    assert "may be wrong, as no number of its country begins so: row 2." in page
    assert "may be wrong" not in text(client.get(upload(client, sheet(HEAD, rows[1])).location))
    many = [["Person " + letter, "Jordan", "", f"078 800 1{n}", "", "", ""] for n, letter in enumerate("ABCDEFGHI")]
    page = text(client.get(upload(client, sheet(HEAD, *many)).location))
    assert "rows 2, 3, 4, 5, 6, 7, 8, 9 and 1 more." in page
    assert "A telephone number may be wrong in rows 2, 3, 4, 5, 6, 7, 8, 9, 10." in page, "all of them, behind a fold"


def test_a_number_with_its_country_code_is_judged_whatever_the_country_is(browser):
    client = browser("officer")
    rows = [["Ana", "Germanyy", "", "+962 12", "", "", ""], ["Bo", "Germanyy", "", "0049 30 1", "", "", ""]]
    rows += [["Cleo", "Germanyy", "", "+962 12 / 030 123456789", "", "", ""]]
    place = upload(client, sheet(HEAD, *rows)).location
    found = [one.text_content() for one in tree(client.get(f"{place}/rows")).xpath("//fieldset[@id]//p[@class='field-error']")]
    assert sum("too short or too long" in one for one in found) == 2, found


def test_a_post_of_nobody_says_what_else_can_be_done_at_once(browser):
    client = browser("officer")
    rows = [["TBC", "", "", "", "Director", "Petra Daily", ""], ["TBC", "", "", "", "", "Petra Daily", ""]]
    place = upload(client, sheet(HEAD, *rows)).location
    page = text(client.get(f"{place}/rows"))
    assert (
        "Write who holds the post “Director”, or leave the row out. Where you empty name and post, the organisation alone is recorded."
        in page
    )
    assert "Write the name, or leave the row out." in page


def test_rows_without_a_problem_can_be_left_out_by_their_numbers(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, *([f"Contact {n}", "", "", "", "", "", ""] for n in range(2, 12)))).location
    assert tree(client.get(place)).xpath("//a[text()='Leave rows out']/@href") == [f"{place}/rows"]
    assert "No row has a problem." in text(client.get(f"{place}/rows"))
    for wrong, said in (
        ("x", "“x” is none."),
        ("99", "no row 99"),
        ("4-", "is none"),
        ("20-30", "no row 20-30"),
        ("3; 9999999999", "none"),
    ):
        page = text(client.submit(f"{place}/rows", {"also_out": wrong}, status=422))
        assert said in page, wrong
        assert "10 new" in text(client.get(place)), wrong
    client.submit(f"{place}/rows", {"also_out": "3, 5-7; ٩ 11"})
    assert "4 new" in text(client.get(place))
    assert "6 rows were left out by hand: 3, 5, 6, 7, 9, 11." in text(client.get(place))
    client.submit(f"{place}/rows", {"also_out": "2"})
    assert "7 rows were left out by hand" in text(client.get(place))
    client.submit(place, {}, action="/apply")
    page = text(client.get("/parties/?q=contact"))
    assert sorted(set(map(int, re.findall(r"Contact (\d+)", page)))) == [4, 8, 10]


def test_new_organisations_are_said_to_be_seen_by_every_office(browser):
    client = browser("officer")
    said = "new organisations are seen by every office"
    rows = [["Ana", "", "", "", "Editor", "Petra Weekly", ""], ["", "", "", "", "", "Petra Hourly", ""]]
    assert f"2 {said}" in text(client.get(upload(client, sheet(HEAD, *rows)).location))
    assert "seen by every office" not in text(client.get(upload(client, sheet(HEAD, ["Ana", *[""] * 6])).location))

"""A row of a spreadsheet with several things wrong: all of them are shown, and mended, in one go."""

from __future__ import annotations

import csv
import io

import pytest

from tests.factories.browser import tree
from tests.factories.counting import statements_of
from tests.web.test_equal_problems import legends, name_of
from tests.web.test_sheet_imports import sheet, text, upload

HEAD = ["Name", "Country", "E-mail", "Phone", "Position", "Organisation", "Since"]
WRONG = ["Ana Bell", "Utopia", "ana at home", "079 12", "Editor", "Petra Daily", "yesterday"]
BEHIND = ["Ben Cole", "Jordan", "ben at home", "079 12", "", "", ""]


def problems(client, place, row):
    found = tree(client.get(f"{place}/rows")).xpath(f"//fieldset[@id='row-{row}']//p[@class='field-error']")
    return [" ".join(one.text_content().split()).partition(":")[0] for one in found]


def wrong_cells(client, place, row):
    fields = tree(client.get(f"{place}/rows")).xpath(f"//fieldset[@id='row-{row}']//*[@aria-invalid='true']/@name")
    return dict(zip(("Country", "E-mail", "Phone", "Since"), fields, strict=False))


def test_all_that_is_wrong_with_a_row_is_shown_and_mended_at_once(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, WRONG, BEHIND, ["Cleo Dahl", "", "cleo@x.example", "", "", "", ""])).location
    assert "1 new, 0 changed, 0 unchanged, 0 possible duplicates, 2 with problems." in text(client.get(place))
    assert problems(client, place, 2) == ["Country", "Since", "E-mail", "Phone"]
    assert problems(client, place, 3) == ["E-mail", "Phone"]
    cells = wrong_cells(client, place, 2)
    assert len(cells) == 4
    mended = {cells["Country"]: "Kenya", cells["E-mail"]: "ana@x.example", cells["Phone"]: "", cells["Since"]: "2024-03-01"}
    others = wrong_cells(client, place, 3)
    mended |= {others["Country"]: "ben@x.example", others["E-mail"]: ""}  # by their order: the e-mail, the number
    client.submit(f"{place}/rows", mended)
    assert "3 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in text(client.get(place))
    client.submit(place, {}, action="/apply")
    assert "Kenya" in text(client.get("/parties/?q=ana+bell"))


def test_the_rejected_rows_as_a_file_say_all_that_is_wrong(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, WRONG, ["=1+1", "=2+2", "=3", "", "", "", ""])).location
    first, second = list(csv.reader(io.StringIO(client.get(f"{place}/rejects.csv").get_data().decode("utf-8-sig"))))[1:]
    assert first[:2] == ["2", "Country, Since, E-mail, Phone"]
    for column in ("Country: ", "Since: ", "E-mail: ", "Phone: "):
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
    assert problems(client, place, 3) == ["Form", "Name"]


def test_a_problem_behind_another_one_is_mended_with_its_equals(browser):
    client = browser("officer")
    rows = [[f"Contact {n}", "Utopia" if n == 1 else "", "ask the office", "", "", "", ""] for n in range(3)]
    place = upload(client, sheet(HEAD, *rows)).location
    assert legends(client, place) == ["In 3 rows: E-mail “ask the office”"]
    shown = tree(client.get(f"{place}/rows"))
    alone = shown.xpath("//fieldset[starts-with(@id, 'row-')][not(ancestor::details)]/@id")
    assert alone == ["row-3"], "the one row with a problem that no other has"
    country = wrong_cells(client, place, 3)["Country"]
    client.submit(f"{place}/rows", {name_of(client, place, "ask the office"): "", country: "Kenya"})
    assert "3 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in text(client.get(place))


@pytest.mark.parametrize("nothing", ["n/a", "-", "None", "لا يوجد", " – "])
def test_a_cell_that_says_there_is_nothing_is_empty(browser, nothing):
    client = browser("officer")
    place = upload(client, sheet(HEAD, ["Ana Bell", nothing, nothing, nothing, nothing, "", nothing])).location
    assert "1 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in text(client.get(place))


@pytest.mark.parametrize("lost", ["??", "#N/A", "unknown", "?"])
def test_a_cell_of_which_letters_were_lost_or_a_formula_failed_is_not(browser, lost):
    client = browser("officer")
    place = upload(client, sheet(HEAD, ["Ana Bell", lost, lost, "", "", "", lost])).location
    assert sorted(problems(client, place, 2)) == ["Country", "E-mail", "Since"]


def test_rows_with_more_problems_cost_no_more_statements(app, browser):
    client = browser("officer")
    few = upload(client, sheet(HEAD, WRONG)).location
    many = upload(client, sheet(HEAD, *([f"{WRONG[0]} {n}", *WRONG[1:]] for n in range(30)))).location
    counts = statements_of(app, client, [f"{few}/rows", f"{few}/rows", f"{many}/rows"])
    assert counts[1] == counts[2]

"""Rows of a spreadsheet that have the same problem with the same value: mended at once, left out at once, said of the next file too."""

from __future__ import annotations

import pytest

from tests.exchange.test_unsaved_formulas import row, word, xlsx
from tests.factories.browser import errors, tree
from tests.factories.counting import statements_of
from tests.web.test_sheet_imports import sheet, text, upload

HEAD = ["Name", "Category", "Country", "E-mail"]


def contact(place, kind="", country="", email=""):
    return [f"Contact {place}", kind, country, email]


def name_of(client, place, value, what="all"):
    """The name of the control that mends a value."""
    page = tree(client.get(f"{place}/rows"))
    found = page.xpath(f"//fieldset[contains(legend, '“{value}”')]//*[starts-with(@name, '{what}-')]/@name")
    assert len(found) == 1, (value, found)
    return found[0]


def legends(client, place):
    page = tree(client.get(f"{place}/rows"))
    return [
        " ".join(legend.text_content().split())
        for legend in page.xpath(
            "//h2[.='Words that are not known, and problems of several rows']/following-sibling::*/descendant-or-self::fieldset/legend"
        )
    ]


def messy(client):
    rows = [contact(n, "Coop.", "Jordan") for n in range(5)]
    rows += [contact(n, "Donor; coop.", "Kenyaa") for n in range(5, 8)]
    rows += [contact(8, "NGO", "Kenyaa"), contact(9, "NGO", "Kenya", "once wrong")]
    return upload(client, sheet(HEAD, *rows)).location


def test_equal_problems_are_mended_at_once_the_biggest_first(browser):
    client = browser("officer")
    place = messy(client)
    assert "1 new, 0 changed, 0 unchanged, 0 possible duplicates" not in text(client.get(place))
    assert legends(client, place) == ["In 8 rows: Category “Coop.”", "In 4 rows: Country “Kenyaa”"]
    page = tree(client.get(f"{place}/rows"))
    offered = page.xpath("//fieldset[contains(legend, '“Coop.”')]//option")
    assert {"ngo", "media", "person", "-"} <= {option.get("value") for option in offered}
    assert (
        page.xpath("//h2[. = 'Row by row']/following-sibling::fieldset[1]/legend")[0].text_content() == "Row 11"
    )  # what is mended alone first
    client.submit(f"{place}/rows", {name_of(client, place, "Coop."): "ngo", name_of(client, place, "Kenyaa"): "KE"})
    (note,) = tree(client.get(place)).xpath("//section[starts-with(h2, 'How it was read')]//ul/li[contains(., 'Coop.')]")
    assert [part.text for part in note] == ["Coop.", "Category", "NGO or civil society"], (
        "each in its own direction, the line in the page's"
    )
    page = text(client.get(place))
    assert "9 new, 0 changed, 0 unchanged, 0 possible duplicates, 1 with a problem." in page
    assert "“Coop.” under “Category” is read as “NGO or civil society” in 8 rows." in page
    assert "“Kenyaa” under “Country” is read as “Kenya” in 4 rows." in page
    client.submit(place, {}, action="/apply")
    assert text(client.get("/parties/?kind=ngo")).count("Contact ") >= 9
    assert "Donor" in text(client.get("/parties/?kind=donor"))  # the other word of the cell


def test_what_is_read_otherwise_is_shown_changed_and_taken_back(browser):
    client = browser("officer")
    place = messy(client)
    client.submit(f"{place}/rows", {name_of(client, place, "Coop."): "ngo", name_of(client, place, "Kenyaa"): ""})
    client.submit(f"{place}/rows", {name_of(client, place, "Kenyaa"): "-"})
    assert "“Kenyaa” under “Country” is read as an empty cell in 4 rows." in text(client.get(place))
    page = tree(client.get(f"{place}/rows"))
    assert page.xpath("//h2[. = 'What is read otherwise']/following-sibling::fieldset//option[@selected]/@value") == ["ngo", "-"]
    client.submit(f"{place}/rows", {name_of(client, place, "Coop.", "as"): "", name_of(client, place, "Kenyaa", "as"): "KE"})
    assert "“Kenyaa” under “Country” is read as “Kenya” in 4 rows." in text(client.get(place))
    assert legends(client, place) == ["In 8 rows: Category “Coop.”"]


def test_what_was_said_stays_to_be_taken_back_when_no_row_has_a_problem(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, *(contact(n, "Coop.") for n in range(3)))).location
    client.submit(f"{place}/rows", {name_of(client, place, "Coop."): "ngo"})
    page = client.get(place)
    assert "0 with problems." in text(page)
    assert tree(page).xpath("//a[. = 'What was mended and left out']/@href") == [f"{place}/rows"]
    client.submit(f"{place}/rows", {name_of(client, place, "Coop.", "as"): ""})
    assert "3 with problems." in text(client.get(place))


@pytest.mark.parametrize("is_remembered", [True, False])
def test_words_are_remembered_for_the_next_file_of_the_source_and_nothing_else(browser, is_remembered):
    client = browser("officer")
    rows = [contact(n, "Coop.", "", "by post") for n in range(3)]
    place = upload(client, sheet(HEAD, *rows)).location
    remembered = {"is_remembered": "y" if is_remembered else None}
    client.submit(f"{place}/rows", {name_of(client, place, "Coop."): "ngo"} | remembered)
    client.submit(f"{place}/rows", {name_of(client, place, "by post"): ""} | remembered)
    assert "3 new" in text(client.get(place))
    rows = [contact(n, "coop.", "", "by post") for n in range(20, 24)]
    again = upload(client, sheet(HEAD, *rows)).location
    page = text(client.get(again))
    assert ("“Coop.” under “Category” is read as “NGO or civil society” in 4 rows." in page) == is_remembered
    assert legends(client, again) == ["In 4 rows: E-mail “by post”", *([] if is_remembered else ["In 4 rows: Category “coop.”"])]
    other = upload(browser("other"), sheet(HEAD, *rows)).location
    assert "is read as" not in text(browser("other").get(other))  # of that office alone


def test_all_rows_with_a_value_are_left_out_at_once_and_read_again(browser):
    client = browser("officer")
    rows = [["x", "", "", "y"] for _n in range(30)]
    place = upload(client, sheet(HEAD, contact(1), *rows)).location
    page = tree(client.get(f"{place}/rows"))
    (key,) = page.xpath("//input[@name='out-all']/@value")
    client.submit(f"{place}/rows", {"out-all": key})
    assert "1 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems, 30 left out." in text(client.get(place))
    client.submit(f"{place}/rows", {"none-out": "yes"})
    assert "30 with problems." in text(client.get(place))


def test_a_value_that_is_fine_in_another_row_is_not_offered_for_all(browser):
    """A name that several have is refused where nothing tells them apart, and fine where the reference stands beside."""
    client = browser("officer")
    people = [["Ali Hassan", "Teacher", "School A", "a@a.example"], ["Ali Hassan", "Nurse", "Clinic B", "b@b.example"]]
    place = upload(client, sheet(["Name", "Post", "Organisation", "E-mail"], *people)).location
    client.submit(place, {}, action="/apply")
    log = [["Ali Hassan", "", f"2026-03-0{n}", f"Talk {n}"] for n in (1, 2, 3)]
    place = upload(client, sheet(["With", "Organisation", "Date", "Subject"], *log), kind="interactions").location
    assert legends(client, place) == ["In 3 rows: With “Ali Hassan”"]
    assert not legends(client, upload(client, sheet(["With", "Organisation", "Date", "Subject"], *log[:1]), kind="interactions").location)
    log.append(["Ali Hassan", "School A", "2026-03-04", "Talk 4"])
    place = upload(client, sheet(["With", "Organisation", "Date", "Subject"], *log), kind="interactions").location
    assert "1 new, 0 changed, 0 unchanged, 0 possible duplicates, 3 with problems." in text(client.get(place)) or "1 new" in text(
        client.get(place)
    )
    assert legends(client, place) == []


def test_a_name_that_is_not_on_record_is_typed_once_for_all_its_rows(browser):
    client = browser("officer")
    place = upload(client, sheet(["Name", "Form"], ["Ministry of Health", "organisation"])).location
    client.submit(place, {}, action="/apply")
    rows = [["Min of Hlth", f"2026-03-0{n}", f"Talk {n}"] for n in (1, 2, 3)]
    place = upload(client, sheet(["With", "Date", "Subject"], *rows), kind="interactions").location
    name = name_of(client, place, "Min of Hlth")
    client.submit(f"{place}/rows", {name: "Ministry of Helth"})  # wrong again: what was said leads on
    client.submit(f"{place}/rows", {name_of(client, place, "Ministry of Helth"): "Ministry of Health"})
    page = text(client.get(place))
    assert "3 new" in page
    assert "“Min of Hlth” under “With” is read as “Ministry of Health” in 3 rows." in page


def test_years_of_two_digits_are_said_once(browser):
    client = browser("officer")
    rows = [["Ana", "Org", "Head", "25/12/98"], ["Bo", "Org", "Deputy", "3-Apr-26"], ["Cy", "Org", "Clerk", "03/04/26"]]
    place = upload(client, sheet(["Name", "Organisation", "Post", "Since"], *rows)).location
    assert legends(client, place) == ["In 3 rows: the year of a day has two digits"]
    client.submit(f"{place}/rows", {"century": "1950"})
    page = text(client.get(place))
    assert "3 new, 0 changed" in page
    assert "Years of two digits are taken as 1950 to 2049." in page
    assert tree(client.get(f"{place}/rows")).xpath("//select[@name='century']/option[@selected]/@value") == ["1950"]
    client.submit(place, {}, action="/apply")
    people = tree(client.get(place)).xpath("//h2[. = 'What came in']/following-sibling::ul//a/@href")
    assert "1998" in text(client.get(people[0]))


def test_an_answer_that_was_not_offered_is_none_and_a_stale_page_is_refused_with_what_was_typed(browser):
    one, other = browser("officer"), browser("grants")
    place = messy(one)
    client_name = name_of(one, place, "Coop.")
    one.submit(f"{place}/rows", {client_name: "bishop", name_of(one, place, "Kenyaa"): ""})
    assert legends(one, place)[0] == "In 8 rows: Category “Coop.”"
    target, values = one.fields(f"{place}/rows")
    other.submit(f"{place}/rows", {name_of(other, place, "Kenyaa"): "KE"})
    response = one.client.post(target, data=values | {client_name: "media"})
    assert response.status_code == 422
    assert "Somebody else" in text(response)
    assert tree(response).xpath(f"//select[@name='{client_name}']/option[@selected]/@value") == ["media"]


def test_too_much_said_of_one_file_is_refused_in_a_sentence(browser, monkeypatch):
    monkeypatch.setattr("crm.web.sheet_imports.MOST_VALUES", 1)
    client = browser("officer")
    place = messy(client)
    said = {name_of(client, place, "Coop."): "ngo", name_of(client, place, "Kenyaa"): "KE"}
    answer = client.submit(f"{place}/rows", said, status=422)
    assert errors(answer) == ["So many rows are mended sooner in the file itself: download the rejected rows."]


def test_thousands_of_rows_are_mended_with_the_statements_of_a_few(app, browser):
    client = browser("officer")

    def brought(count):
        rows = [contact(n, "Coop.", "Kenyaa" if n % 2 else "") for n in range(count)]
        place = upload(client, sheet(HEAD, *rows)).location
        statements_of(app, client, [f"{place}/rows"])
        return place, statements_of(app, client, [f"{place}/rows", place])

    _place, few = brought(4)
    place, many = brought(3000)
    assert few == many
    assert legends(client, place)[0] == "In 3,000 rows: Category “Coop.”"
    client.submit(f"{place}/rows", {name_of(client, place, "Coop."): "ngo", name_of(client, place, "Kenyaa"): "KE"})
    assert "Read again: no row has a problem." in text(client.get(place))
    assert "3,000 new, 0 changed" in text(client.get(place))


def unsaved(count):
    """A workbook whose addresses are formulas that nobody saved the results of."""
    rows = [row(n, word(f"A{n}", f"Contact {n}"), f'<c r="B{n}"><f>A{n}</f></c>') for n in range(2, count + 2)]
    return xlsx(row(1, word("A1", "Name"), word("B1", "E-mail")) + "".join(rows))


def test_formulas_without_a_saved_result_are_said_typed_or_read_as_empty(browser):
    client = browser("officer")
    place = upload(client, unsaved(3), "list.xlsx").location
    page = text(client.get(place))
    assert "3 with problems." in page
    why = "The cell holds a formula without a saved result. Open the file, save it again and bring that, or type the value here."
    assert rejected(client, place) == [(["3 rows: 2, 3, 4 Mend", "E-mail", "", why], [f"{place}/rows#several"])]
    assert legends(client, place) == ["In 3 rows: E-mail, a formula without a saved result"]
    client.submit(f"{place}/rows", {"cell-3-1": "c3@x.example"})
    assert "1 new, 0 changed, 0 unchanged, 0 possible duplicates, 2 with problems." in text(client.get(place))
    client.submit(f"{place}/rows", {"emptied": "1"})
    page = text(client.get(place))
    assert "3 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in page
    assert "2 formulas without a saved result under “E-mail” are read as empty cells." in page
    assert tree(client.get(f"{place}/rows")).xpath("//input[@name='emptied']/@checked")
    client.submit(f"{place}/rows", {"emptied": None})
    assert "2 with problems." in text(client.get(place))


def test_a_row_whose_formula_is_answered_and_that_has_another_problem_stands_open(browser):
    client = browser("officer")
    rows = [
        row(n, word(f"A{n}", f"Contact {n}"), f'<c r="B{n}"><f>A{n}</f></c>', word(f"C{n}", "12" if n == 3 else "06 555 0101"))
        for n in (2, 3)
    ]
    data = xlsx(row(1, word("A1", "Name"), word("B1", "E-mail"), word("C1", "Phone")) + "".join(rows))
    place = upload(client, data, "list.xlsx").location
    page = tree(client.get(f"{place}/rows"))
    assert page.xpath("//details//fieldset[@class='mend']/legend/text()") == ["Row 2"], "the other one has a problem of its own"
    assert not page.xpath("//h2[. = 'What is read otherwise']")
    client.submit(f"{place}/rows", {"emptied": "1"})
    page = tree(client.get(f"{place}/rows"))
    assert not page.xpath(
        "//form//section/h2[.='Words that are not known, and problems of several rows'] | //details//fieldset[@class='mend']"
    )
    open_rows = page.xpath("//h2[. = 'Row by row']/following-sibling::fieldset")
    assert [one.xpath("string(legend)") for one in open_rows] == ["Row 3"]
    assert [" ".join(one.text_content().split())[:6] for one in page.xpath("//*[@class='field-error']")] == ["Phone:"]
    said = page.xpath("//section[h2 = 'What is read otherwise']//fieldset")
    assert [" ".join(one.xpath("string(legend)").split()) for one in said] == ["In 2 rows: E-mail, a formula without a saved result"]
    assert said[0].xpath(".//input[@name='emptied']/@checked")
    client.submit(f"{place}/rows", {"emptied": None})
    assert legends(client, place) == ["In 2 rows: E-mail, a formula without a saved result"]


def test_what_was_chosen_is_shown_by_its_name_and_a_form_says_what_it_does(browser):
    client = browser("officer")
    rows = [contact(n, "Coop.", "Kenyaa", "once wrong" if n == 1 else "") for n in range(3)] + [contact(3, "Donor; Coop.", "", "wrong too")]
    place = upload(client, sheet(HEAD, *rows)).location
    options = tree(client.get(f"{place}/rows")).xpath("//fieldset[contains(legend, '“Coop.”')]//option[@value='person']/text()")
    assert options == ["No category: it is a person"]
    client.submit(f"{place}/rows", {name_of(client, place, "Coop."): "ngo", name_of(client, place, "Kenyaa"): "KE"})
    page = tree(client.get(f"{place}/rows"))
    shown = [page.xpath(f"string(//input[@name='cell-{name}']/@value)") for name in ("3-1", "3-2", "5-1", "5-2")]
    assert shown == ["NGO or civil society", "Kenya", "Donor; NGO or civil society", ""]
    client.submit(f"{place}/rows", {"cell-3-3": "a@x.example", "cell-5-3": "b@x.example"})
    assert "4 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in text(client.get(place))
    client.submit(f"{place}/rows", {name_of(client, place, "Coop.", "as"): ""})  # no cell was typed over
    assert "4 with problems." in text(client.get(place))


def rejected(client, place):
    """The table of rejected rows on the page of an import: rows, column, what stands there, why, where it is mended."""
    lines = tree(client.get(place)).xpath("//h2[@id='rejected']/..//tbody/tr")
    found = []
    for line in lines:
        for hidden in line.xpath(".//*[@class='visually-hidden']"):
            hidden.getparent().remove(hidden)
        found.append(([" ".join(cell.text_content().split()) for cell in line], line.xpath(".//a/@href")))
    return found


def test_equal_problems_of_rejected_rows_are_one_line_the_biggest_first_with_its_rows(browser):
    client = browser("officer")
    place = messy(client)
    lines = rejected(client, place)
    several = [f"{place}/rows#several"]
    assert lines[:2] == [
        (["8 rows: 2, 3, 4, 5, 6 and 3 more Mend", "Category", "Coop.", "“Coop.” is none of the words known for this column."], several),
        (["Row 10 Mend", "Country", "Kenyaa", "“Kenyaa” is not a country that is known here."], [f"{place}/rows#row-10"]),
    ]
    (cells, links) = lines[2]
    assert (len(lines), cells[:3], links) == (3, ["Row 11 Mend", "E-mail", "once wrong"], [f"{place}/rows#row-11"])
    page = tree(client.get(f"{place}/rows"))
    for link in {*several, *links}:
        assert page.xpath(f"//*[@id='{link.rpartition('#')[2]}']"), link
    client.submit(place, {}, action="/apply")
    after = rejected(client, place)
    assert [line[0][1:] for line in after] == [line[0][1:] for line in lines]
    assert not any(links for _cells, links in after)  # too late to mend
    assert after[0][0][0] == "8 rows: 2, 3, 4, 5, 6 and 3 more"
    assert client.get(f"{place}/rejects.csv").get_data(as_text=True).count("Contact ") == 10  # the file is as it was


@pytest.mark.parametrize(
    ("count", "words"), [(1, "Row 3 Mend"), (200, "200 rows: 3, 4, 5, 6, 7 and 195 more Mend"), (5000, "5,000 rows: 3, ")]
)
def test_values_that_are_each_wrong_in_their_own_way_are_one_line_too(browser, count, words):
    client = browser("officer")
    place = upload(client, sheet(HEAD, contact(0), *(contact(n, "", f"Nowhere{n}") for n in range(count)))).location
    (line,) = rejected(client, place)
    cells, links = line
    assert cells[0].startswith(words)
    such = "“Nowhere0” is not a country that is known here."
    assert cells[1] == "Country"
    assert cells[2:] == (
        ["Nowhere0", such] if count == 1 else ["Nowhere0 · Nowhere1 · Nowhere2 · Nowhere3 · Nowhere4 …", f"such as: {such}"]
    )
    assert links == [f"{place}/rows#row-3"]


def test_more_problems_than_a_person_reads_are_counted_below_and_cost_the_statements_of_a_few(app, browser, monkeypatch):
    client = browser("officer")
    few = upload(client, sheet(HEAD, contact(1, "Odd"), contact(2, "Odd"))).location
    many = upload(client, sheet(HEAD, *(contact(n, f"Odd {'x' * (n % 9 + 1)}") for n in range(300)))).location
    client.get(few)
    assert statements_of(app, client, [few]) == statements_of(app, client, [many])
    assert len(rejected(client, many)) == 9
    assert "more rows have other problems" not in text(client.get(many))
    monkeypatch.setattr("crm.queries.imports._KINDS_SHOWN", 7)
    assert len(rejected(client, many)) == 7
    assert "66 more rows have other problems; the file holds all." in text(client.get(many))


def test_a_file_without_rejected_rows_has_no_list_of_them_and_who_may_not_mend_no_link(browser):
    client, grants = browser("officer"), browser("grants")
    assert rejected(client, upload(client, sheet(HEAD, contact(1))).location) == []
    place = upload(grants, sheet(["Donor", "Amount (EUR)", "Date"], ["Nobody at all", "5", "2026-01-01"]), kind="pledges").location
    place = place.removesuffix("/columns")
    assert rejected(grants, place)[0][1] == [f"{place}/rows#row-2"]
    assert rejected(client, place)[0][1] == []
    assert "Nobody at all" in rejected(client, place)[0][0][2]
    browser("other").get(place, status=404)


@pytest.mark.parametrize("wrong", ["", "@"])
def test_mend_leads_to_problems_that_are_mended_row_by_row_too(browser, wrong):
    """Rows without a name, and wrong addresses of which each is another one: nothing there is said once for all."""
    client = browser("officer")
    rows = (
        [contact(n, "NGO", "Jordan", f"wrong {n}") for n in range(12)]
        if wrong
        else [["", "NGO", "Jordan", f"c{n}@x.example"] for n in range(3)]
    )
    place = upload(client, sheet(HEAD, contact(50, "", ""), *rows)).location
    ((cells, links),) = rejected(client, place)
    assert cells[0].startswith(f"{len(rows)} rows: ")
    assert not wrong or cells[2].endswith(" …"), "more stand there than are shown"
    anchor = "row-3" if wrong else "several"  # several different values: to the first row; nothing typed: to the top
    assert links == [f"{place}/rows#{anchor}"]
    assert len(tree(client.get(f"{place}/rows")).xpath(f"//*[@id='{anchor}'][not(ancestor::details)]")) == 1


@pytest.mark.parametrize("heading", ["Type", "Form", "Category"])
def test_people_that_a_word_calls_organisations_are_told_apart_at_once(browser, heading):
    client = browser("officer")
    rows = [[f"Person {n}", "Zain", "Manager", "organisation"] for n in range(3)]
    place = upload(client, sheet(["Name", "Organisation", "Position", heading], *rows, ["Ana Bell", "Zain", "Head", "person"])).location
    page = text(client.get(place))
    assert "“organisation” says that the row is no person, but a post or a title stands beside it." in page
    assert legends(client, place) == [f"In 3 rows: {heading} “organisation”"]
    client.submit(f"{place}/rows", {name_of(client, place, "organisation"): "person"})
    assert "4 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in text(client.get(place))
    client.submit(place, {}, action="/apply")
    assert text(client.get("/parties/?form=person")).count("Person ") >= 3

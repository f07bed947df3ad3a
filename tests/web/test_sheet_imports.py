"""The pages of spreadsheets: bring one, say what its columns are, mend rows, bring it in, undo it."""

from __future__ import annotations

import csv
import io
import uuid

import pytest
import xlsxwriter

from crm.jobs import engine, imports
from crm.policy import bind_actor
from crm.queries import imports as held
from crm.services import import_undo, jobs, users
from tests.factories import world
from tests.factories.browser import errors, tree
from tests.factories.counting import count_statements
from tests.factories.messy import LOGGED, ROWS, messy_contacts, messy_log
from tests.factories.parties import make
from tests.jobs.test_background import job_of


def sheet(*rows):
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()


def upload(client, data, name="contacts.csv", *, status=303, **more):
    target, values = client.fields("/imports/new")
    values |= {"kind": "parties"} | more
    values["file"] = (io.BytesIO(data), name)
    response = client.client.post(target, data=values, content_type="multipart/form-data")
    assert response.status_code == status, errors(response)
    return response


def text(response):
    return " ".join(tree(response).text_content().split())


GOOD = sheet(["Name", "E-mail"], ["Ana <b>Bell</b>", "ana@x.example"], ["Bo", "bo@x.example"])


def test_a_list_is_checked_brought_in_and_undone_by_an_advocacy_officer(browser):
    client = browser("officer")
    place = upload(client, GOOD).location
    assert place.endswith("/imports/" + place.rsplit("/", 1)[1])
    page = text(client.get(place))
    assert "2 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems." in page
    client.submit(place, {}, action="/apply")
    assert "Ana <b>Bell</b>" in text(client.get("/parties/"))
    done = client.get(place)
    assert "Undo this import" in text(done)
    came = tree(done).xpath("//h2[. = 'What came in']/following-sibling::ul//a")
    assert [link.text_content().split(" (")[0] for link in came] == ["Ana <b>Bell</b>", "Bo"]
    assert "ana@x.example" in text(client.get(came[0].get("href")))
    page = text(client.get(f"{place}/undo"))
    assert "Would be removed 2" in page
    client.submit(f"{place}/undo", {}, action="/undo")
    page = text(client.get(place))
    assert "This import was undone." in page
    assert "Undo this import" not in page
    assert "Bell" not in text(client.get("/parties/"))
    target = client.client.post(f"{place}/undo", data={"csrf_token": client.token()})  # a second click finds it done
    assert target.status_code == 303


def test_a_row_that_repeats_one_is_no_duplicate_and_one_that_is_like_it_says_why(browser):
    client = browser("officer")
    rows = (["Dina Masri", "dina@x.example"], ["DINA MASRI", "dina@x.example"], ["Petra Daily", "dina@x.example"])
    page = text(client.get(upload(client, sheet(["Name", "E-mail"], *rows)).location))
    assert (
        "2 new, 1 changed, 0 unchanged, 1 possible duplicate," in page or "2 new, 0 changed, 1 unchanged, 1 possible duplicate," in page
    ), page
    assert "4Petra Dailyrow 2 of this file: the same e-mail address" in page


def test_rows_of_a_file_that_name_one_in_another_order_are_named_before_anything_happens(browser):
    client = browser("officer")
    rows = (
        ["Dr Lina Haddad", "person"],
        ["Haddad Liná", "person"],
        ["Luxembourg, Government of", "organisation"],
        ["Government of Luxembourg", "organisation"],
        ["Government of Norway", "organisation"],
    )
    page = text(client.get(upload(client, sheet(["Name", "Form"], *rows)).location))
    assert "5 new, 0 changed, 0 unchanged, 2 possible duplicates, 0 with problems." in page
    assert "3Haddad Linárow 2 of this file: the same name" in page
    assert "5Government of Luxembourgrow 4 of this file: the same name" in page


def test_a_row_without_a_name_is_an_organisation_that_is_said_or_a_post_that_nobody_holds(browser):
    client = browser("officer")
    rows = (["", "Jordan River Trust", ""], ["", "European Union", "Director"], ["Ana Bell", "Jordan River Trust", "Head"])
    page = text(client.get(upload(client, sheet(["Name", "Organisation", "Position"], *rows)).location))
    assert "2 new, 0 changed, 0 unchanged, 0 possible duplicates, 1 with a problem." in page, page
    assert "1 row has no name; what stands under Organisation is taken as an organisation." in page
    assert "The row has no name. Write who holds the post “Director”, or leave the post out." in page


def test_a_name_whose_letters_were_lost_is_refused_and_the_file_says_so(browser):
    client = browser("officer")
    data = "Name;City\n???? ?????;Amman\nLefèvre Élodie;Amman\n??????;Zarqa\n".encode("cp1252")
    page = text(client.get(upload(client, data, name="list.csv").location))
    assert "1 new, 0 changed, 0 unchanged, 0 possible duplicates, 2 with problems." in page
    assert "Letters of this name were lost when the file was saved." in page
    assert "Letters were lost when the file was saved: in 3 places question marks stand for them." in page


def test_two_numbers_in_a_cell_are_two_numbers(browser):
    client = browser("officer")
    rows = (
        ["Ana Bell", "079/203 1377 / 06 555 1234"],
        ["Bo Day", "06 555 1235 ou 06 555 1236"],
        ["Cy Ray", "06/555 1237"],
        ["Di Lee", "06 555 / 12"],
    )
    place = upload(client, sheet(["Name", "Phone"], *rows)).location
    page = text(client.get(place))
    assert "3 new, 0 changed, 0 unchanged, 0 possible duplicates, 1 with a problem." in page, page
    client.submit(place, {}, action="/apply")
    links = tree(client.get(place)).xpath("//h2[. = 'What came in']/following-sibling::ul//a/@href")
    ana, bo, cy = (text(client.get(link)) for link in links)
    assert "+962 7 9203 1377" in ana
    assert "+962 6 555 1234" in ana
    assert "+962 6 555 1236" in bo
    assert "+962 6 555 1237" in cy


def test_a_list_of_contacts_goes_out_with_posts_and_numbers_and_comes_back_unchanged(browser):
    client = browser("officer")
    heading = ["Name", "Type", "Post", "Organisation", "E-mail", "Phone", "Mobile"]
    rows = (
        ["Ana Bell", "person", "Head; of all", "Org & Co", "ana@x.example; a2@x.example", "+962 6 555 0101", "+962 7 9203 1377"],
        ["Org & Co", "organisation", "", "", "info@x.example", "", ""],
    )
    place = upload(client, sheet(heading, *rows)).location.removesuffix("/columns")
    client.submit(place, {}, action="/apply")
    columns = "name,form,post,organisation,email,phone,mobile,reference"
    out = client.get(f"/parties.csv?columns={columns}").get_data()
    assert ",Person,Head; of all,Org & Co,a2@x.example; ana@x.example,+962 6 555 0101,+962 7 9203 1377\r\n" in out.decode("utf-8-sig")
    assert "Head; of all" in text(client.get(f"/parties/?columns={columns}"))
    again = text(client.get(upload(client, out, name="out.csv").location))
    assert "0 new, 0 changed, 2 unchanged, 0 possible duplicates, 0 with problems." in again, again
    elsewhere = browser("other").get(f"/parties.csv?columns={columns}").get_data(as_text=True)
    assert "Org & Co" in elsewhere
    assert "x.example" not in elsewhere


def test_what_a_file_leaves_open_is_asked_first(browser):
    client = browser("officer")
    data = sheet(["Wer", "Organisation", "Post", "Since"], ["Ana", "Org", "Head", "03/04/2026"])
    place = upload(client, data).location
    assert place.endswith("/columns")
    page = text(client.get(place))
    assert "No column gives: Name." in page
    assert "can mean two days" in page
    assert errors(client.submit(place, {"column-0": "name", "header_row": "x"}, status=422)) == ["Enter the number of a row of the sheet."]
    twice = client.submit(place, {"column-0": "name", "column-1": "name"}, status=422)
    assert any("Two columns" in sentence for sentence in errors(twice)) or "Two columns" in text(twice)
    client.submit(place, {"column-0": "name", "day_order": "dmy"})
    detail = place.removesuffix("/columns")
    assert "1 new" in text(client.get(detail))
    again = upload(client, data + b"Bo,Org,Deputy,05/06/2026\n").location
    assert not again.endswith("/columns")  # remembered


def test_columns_are_kept_of_a_sheet_whose_name_ends_with_a_blank(browser):
    """Excel takes such names, a form field does not give them back."""
    stream, client = io.BytesIO(), browser("officer")
    with xlsxwriter.Workbook(stream) as book:
        book.add_worksheet("Contacts ").write_column(0, 0, ["Wer", "Ana"])
        book.add_worksheet("Guests ").write_column(0, 0, ["Gast", "Bo"])
    place = upload(client, stream.getvalue(), "list.xlsx").location
    detail = place.removesuffix("/columns")
    client.submit(place, {"column-0": "name"})
    assert "1 new" in text(client.get(detail))
    assert tree(client.get(place)).xpath("//select[@name='sheet']/option[@selected]/text()") == ["Contacts "]
    client.submit(place, {"sheet": "1"})
    client.submit(place, {"column-0": "name"})
    client.submit(detail, {}, action="/apply")
    page = text(client.get("/parties/"))
    assert "Bo" in page
    assert "Ana" not in page


def test_a_cover_before_the_list_is_no_end_and_a_failed_formula_no_name(browser):
    stream, client = io.BytesIO(), browser("officer")
    with xlsxwriter.Workbook(stream) as book:
        book.add_worksheet("Cover").write_column(0, 0, ["Contacts of 2026", "", ""])
        book.get_worksheet_by_name("Cover").write_row(3, 0, ["Kept by", "Zed"])
        book.add_worksheet("People").write_column(0, 0, ["Name", "Ana", "#REF!"])
    place = upload(client, stream.getvalue(), "list.xlsx").location
    assert place.endswith("/columns")
    client.submit(place, {"sheet": "1"})
    page = text(client.get(place.removesuffix("/columns")))
    assert "1 new, 0 changed, 0 unchanged, 0 possible duplicates, 1 with a problem." in page
    assert "The cell shows an error of the spreadsheet, “#REF!”." in page


def test_a_day_column_that_is_named_by_hand_asks_how_days_are_written_before_bringing_in(browser):
    client = browser("officer")
    data = sheet(
        ["Name", "Organisation", "Post", "Angefangen"], ["Ana", "Org", "Head", "03/04/2026"], ["Bo", "Org", "Deputy", "05/06/2026"]
    )
    place = upload(client, data).location
    assert not place.endswith("/columns")
    answer = client.submit(f"{place}/columns", {"column-3": "post_since"})
    assert answer.location.endswith("/columns")
    assert "“03/04/2026” in the column “Angefangen” can mean two days. Say below how days are written." in text(client.get(answer.location))
    page = client.get(place)
    assert "Say what is left open" in text(page)
    assert not tree(page).xpath("//form[contains(@action, '/apply')]")
    bold = client.client.post(f"{place}/apply", data={"csrf_token": client.token()})  # a page that stood open since
    assert bold.location.endswith("/columns")
    assert client.submit(f"{place}/columns", {"day_order": "dmy"}).location.endswith(place)
    client.submit(place, {}, action="/apply")
    assert "Brought in: 2 new" in text(client.get(place))


def test_rows_that_are_no_records_are_left_out_taken_back_and_counted(browser):
    client = browser("officer")
    place = upload(client, sheet(["Name", "E-mail"], ["Ana", "ana@x.example"], ["Gesamt", "1"], ["Bo", "bo at x"])).location
    assert "2 with problems." in text(client.get(place))
    client.submit(f"{place}/rows", {"out": ["3", "4", "999"]})
    page = text(client.get(place))
    assert "1 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems, 2 left out." in page
    assert "2 rows were left out by hand: 3, 4." in page
    kept = client.get(f"{place}/rows")
    assert tree(kept).xpath("//input[@name='out'][@checked]/@value") == ["3", "4"]
    assert "Row 4: Bo · bo at x" in text(kept)
    client.submit(f"{place}/rows", {"out": "3"})
    page = text(client.get(place))
    assert "1 with a problem, 1 left out." in page
    assert "Row 3 was left out by hand" in page
    client.submit(f"{place}/rows", {"cell-4-1": "bo@x.example"})
    client.submit(place, {}, action="/apply")
    page = text(client.get(place))
    assert "2 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems, 1 left out." in page
    assert "Gesamt" not in text(client.get("/parties/"))
    again = upload(client, sheet(["Name", "E-mail"], ["Ana", "ana@x.example"], ["Cy", "c@x.example"])).location
    assert "left out" not in text(client.get(again)).split("Worth knowing")[0]  # of that file alone


def test_rejected_cells_are_mended_on_the_page_and_typed_text_stays(browser):
    client = browser("officer")
    place = upload(client, sheet(["Name", "E-mail"], ["Ana", "ana at x"], ["Bo", "bo at x"])).location
    assert "Mend the rejected rows" in text(client.get(place))
    client.submit(f"{place}/rows", {"cell-2-1": "ana@x.example", "cell-3-1": "still wrong"})
    page = client.get(f"{place}/rows")
    assert tree(page).xpath("//input[@name='cell-3-1']/@value") == ["still wrong"]
    assert not tree(page).xpath("//input[@name='cell-2-1']")
    client.submit(f"{place}/rows", {"cell-3-1": "bo@x.example"})
    assert "2 new" in text(client.get(place))
    client.submit(place, {}, action="/apply")
    assert "2 new, 0 changed" in text(client.get(place))


def test_two_people_who_mend_one_file_do_not_overwrite_each_other(browser):
    one, other = browser("officer"), browser("grants")
    place = upload(one, sheet(["Name", "E-mail"], ["Ana", "ana at x"])).location
    target, values = one.fields(f"{place}/rows")
    other.submit(f"{place}/rows", {"cell-2-1": "wrong again"})
    response = one.client.post(target, data=values | {"cell-2-1": "ana@x.example"})
    assert response.status_code == 422
    assert "Somebody else" in text(response)
    assert tree(response).xpath("//input[@name='cell-2-1']/@value") == ["ana@x.example"]


@pytest.mark.parametrize("page", ["", "/columns", "/rows", "/undo"])
def test_nobody_of_another_office_finds_it(browser, page):  # P1
    place = upload(browser("officer"), sheet(["Name", "E-mail"], ["Ana", "ana at x"])).location
    browser("other").get(f"{place}{page}", status=404)
    browser("viewer").get(f"{place}{page}", status=403)


def test_an_officer_does_not_undo_or_mend_what_takes_the_grants_officer(browser):
    from tests.factories import fts

    grants = browser("grants")
    place = upload(grants, fts.file_of(size=2), "flows.csv", kind="").location
    grants.submit(place, {}, action="/apply")
    officer = browser("officer")
    assert "Undo this import" not in text(officer.get(place))
    for page in ("undo", "columns", "rows"):
        assert officer.get(f"{place}/{page}", status=303).location.endswith(place)
    assert "needs the grants officer's role" in text(officer.get(place))
    assert officer.client.post(f"{place}/undo", data={"csrf_token": officer.token()}).status_code == 403
    assert "Undo this import" in text(grants.get(place))


def test_pages_of_a_batch_that_is_done_say_so(browser):
    client = browser("officer")
    place = upload(client, GOOD).location
    client.get(f"{place}/undo", status=303)
    client.submit(place, {}, action="/apply")
    for page in ("columns", "rows"):
        assert client.get(f"{place}/{page}", status=303).location.endswith(place)


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "The file is empty."), (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old Excel"), (b"Name\n", "no rows"), (b"%PDF-1.7", "PDF")],
)
def test_a_file_that_is_no_list_is_refused_beside_the_field(browser, data, said):
    assert any(said in sentence for sentence in errors(upload(browser("officer"), data, status=422)))


def test_the_messy_list_of_an_office_comes_in(browser):
    """Titles, merged headings, two languages, three ways to write a day, six people twice, four bad cells."""
    client = browser("officer")
    place = upload(client, messy_contacts(), "contacts 2026.xlsx").location.removesuffix("/columns")
    page = text(client.get(place))
    assert "4 with problems." in page, page[:600]
    assert "The workbook has 2 sheets; “Contacts 2026” was read." in page
    client.submit(place, {}, action="/apply")
    assert f"of {ROWS}" not in page
    assert "Brought in:" in text(client.get(place))
    again = upload(client, messy_contacts(), "contacts 2026.xlsx").location.removesuffix("/columns")
    assert "0 new, 0 changed, 196 unchanged" in text(client.get(again))


def test_the_messy_log_of_an_office_comes_in_after_its_list_of_contacts(browser):
    """Its people are found by name in any case; namesakes, strangers and other doubtful cells are named and mended on the page."""
    client = browser("officer")
    place = upload(client, messy_contacts(), "contacts 2026.xlsx").location.removesuffix("/columns")
    client.submit(place, {}, action="/apply")
    place = upload(client, messy_log(), "log.xlsx", kind="interactions").location.removesuffix("/columns")
    page = text(client.get(place))
    assert f"{LOGGED - 3 - 5} new, 0 changed, 3 unchanged, 0 possible duplicates, 5 with problems." in page, page[:3000]
    assert "“Nobody Known” is not on record." in page
    assert "“someone@else.example” is none of your colleagues here." in page
    rows = client.get(f"{place}/rows")
    wrong = {cell.get("name"): cell.get("value") for cell in tree(rows).xpath("//input[starts-with(@name, 'cell-')]")}
    stranger = next(name for name, value in wrong.items() if value == "Nobody Known")
    client.submit(f"{place}/rows", {stranger: "Amal Haddad"})
    assert "4 with problems." in text(client.get(place))
    client.submit(place, {}, action="/apply")
    assert f"Brought in: {LOGGED - 3 - 4} new" in text(client.get(place))
    again = upload(client, messy_log(), "log.xlsx", kind="interactions").location.removesuffix("/columns")
    assert "0 new, 0 changed, 55 unchanged" in text(client.get(again))
    client.submit(f"{place}/undo", {}, action="/undo")
    assert "This import was undone." in text(client.get(place))
    assert "Cold chain" not in text(client.get("/interactions/"))


POSTS = sheet(["Organisation", "Post", "Holder", "Since"], ["Fund <b>X</b>", "Director", "Ana", "03/04/2026"])


def test_a_list_of_posts_asks_only_what_it_needs_and_is_brought_in_and_undone(browser):
    client = browser("officer")
    upload_and_apply(client, sheet(["Name", "Type"], ["Fund <b>X</b>", "organisation"], ["Ana", "person"]))
    place = upload(client, POSTS, kind="positions").location
    assert place.endswith("/columns")  # 3 April or 4 March
    page = tree(client.get(place))
    assert not page.xpath("//*[@name='form_of' or @name='country' or @name='note_level']")
    client.submit(place, {"day_order": "dmy"})
    place = place.removesuffix("/columns")
    assert "1 new" in text(client.get(place))
    assert "Director, Fund <b>X</b>, Ana" in text(client.get(place))
    client.submit(place, {}, action="/apply")
    assert "Director, Fund <b>X</b>" in text(client.get(place))
    assert "Would be removed 2 records" in text(client.get(f"{place}/undo"))  # the post and who holds it
    client.submit(f"{place}/undo", {}, action="/undo")
    assert "This import was undone." in text(client.get(place))


def test_the_figures_of_an_undo_say_why_they_are_not_those_of_the_import(browser):
    client = browser("officer")
    head = ["Name", "E-mail", "Country", "Organisation", "Post"]
    upload_and_apply(client, sheet(head, ["Ana", "ana@x.example", "", "", ""], ["Bo", "", "", "", ""]))
    data = sheet(head, ["Ana", "ana@x.example", "", "Org", "Head"], ["Bo", "", "Kenya", "", ""], ["Cy", "cy@x.example", "", "", ""])
    place = upload_and_apply(client, data)
    assert "1 new, 2 changed" in text(client.get(place))
    page = client.get(f"{place}/undo")
    assert "Would be removed 2 records that this file made; their parts are named below Would be put back 1" in text(page)
    assert "The import counted rows of the file: 1 new, 2 changed. Undoing counts records." in text(page)
    lines = [[cell.text_content().strip() for cell in line.xpath("./th|./td")] for line in tree(page).xpath("//tbody/tr")]
    assert lines == [["Party", "2", "1"], ["Post", "1", "0"], ["Who holds a post", "1", "0"], ["Way to reach a party", "1", "0"]]
    client.submit(f"{place}/undo", {}, action="/undo")
    page = client.get(place)
    done = [[cell.text_content().strip() for cell in line.xpath("./th|./td")] for line in tree(page).xpath("//tbody/tr")]
    assert done[: len(lines)] == lines
    assert "Removed 2 records; their parts are named below Put back 1 records" in text(page)


def test_changes_are_shown_in_words_and_not_in_codes(browser):
    client = browser("officer")
    head = ["Name", "Type", "Country", "Category"]
    upload_and_apply(client, sheet(head, ["Tamkeen", "organisation", "", "Donor"]))
    page = tree(client.get(upload(client, sheet(head, ["Tamkeen", "organisation", "JO", "Private sector"])).location))
    lines = [[cell.text_content() for cell in line.xpath("./td")] for line in page.xpath("//table[caption='The first changes']/tbody/tr")]
    assert {tuple(line[1:]) for line in lines} == {("Country", "–", "Jordan"), ("What they are to us", "Donor", "Donor, Private sector")}


def upload_and_apply(client, data, **more):
    place = upload(client, data, **more).location.removesuffix("/columns")
    client.submit(place, {}, action="/apply")
    return place


def test_the_columns_of_a_log_ask_for_the_kind_and_who_may_read_what_was_said(browser):
    client = browser("officer")
    upload_and_apply(client, sheet(["Name", "Type"], ["Ana", "person"]))
    data = sheet(["Date", "With", "Summary"], ["2026-04-03", "Ana", "Words <i>said</i>"])
    place = upload(client, data, kind="interactions").location
    page = client.get(f"{place}/columns")
    assert "Who may read what was said" in text(page)
    assert tree(page).xpath("//select[@name='form_of']/option/@value")[0] == "meeting"
    assert tree(page).xpath("//select[@name='note_level']/option[@selected]/@value") == ["office"]
    client.submit(f"{place}/columns", {"form_of": "visit", "note_level": "open"})
    client.submit(place, {}, action="/apply")
    assert "Words <i>said</i>" in text(browser("regional").get("/interactions/"))


@pytest.mark.parametrize("kind", ["positions", "interactions"])
def test_who_may_not_log_contacts_is_told_so(browser, kind):
    browser("viewer").get("/imports/new", status=403)
    other = browser("other")
    place = upload(browser("officer"), POSTS, kind=kind).location.removesuffix("/columns")
    other.get(place, status=404)


def test_a_long_undo_is_done_in_the_background_and_its_page_says_so_meanwhile(browser, monkeypatch):
    monkeypatch.setattr("crm.jobs.imports.undo_is_short", lambda _batch: False)
    client = browser("officer")
    place = upload_and_apply(client, sheet(["Name", "E-mail"], ["Ana", "ana@x.example"]))
    target = client.submit(f"{place}/undo", {}, action="/undo")
    assert target.location.endswith(place)
    page = text(client.get(place))
    assert "Undoing waits for the background worker" in page
    assert "asked for it" in page
    assert "Nothing is taken back yet." in page
    assert "Undo this import …" not in page
    assert client.get(f"{place}/progress.json").json["is_over"] is False
    second = browser("grants")
    second.client.post(f"{place}/undo", data={"csrf_token": second.token()})
    assert "This import is being undone." in text(second.get(place))
    client.submit(place, {}, action="/cancel")
    assert "Stopped before anything was taken back." in text(client.get(place))
    assert "Undo this import …" in text(client.get(place))
    again = client.client.post(f"{place}/cancel", data={"csrf_token": client.token()}, follow_redirects=True)
    assert "The work had ended before." in text(again)


def standing(client, place):
    """How an import stands: on the list, with how far it is, and on its own page."""
    listed = tree(client.get("/imports/")).xpath(f"//tr[.//a[@href='{place}']]/td[1]")[0]
    own = tree(client.get(place)).xpath("//dt[text()='How it stands']/following-sibling::dd[1]")[0]
    return " ".join(listed.text_content().split()), " ".join(own.text_content().split())


def test_list_and_page_say_that_an_import_is_being_undone_how_far_and_what_became_of_it(app, browser, monkeypatch):
    monkeypatch.setattr("crm.jobs.imports.undo_is_short", lambda _batch: False)
    client = browser("officer")
    place = upload_and_apply(client, sheet(["Name", "E-mail"], *([f"Ana {n}", f"ana{n}@x.example"] for n in range(8))))
    assert standing(client, place) == ("Brought in", "Brought in")
    client.submit(f"{place}/undo", {}, action="/undo")
    waits = "Undoing waits for the background worker"
    assert standing(client, place) == (waits, waits)
    with app.app_context():
        batch_id = uuid.UUID(place.rpartition("/")[2])
        system = engine._bound_system()
        run = jobs.begin(system, job_of(batch_id).id, lambda _run: None)
        jobs.note_progress(system, run, 4, 16)
    assert standing(client, place) == ("Being undone 25%", "Being undone")
    with app.app_context():
        actor = users.actor_by_email(world.address("officer"))
        bind_actor(actor)
        doing = import_undo.parts(held.get(batch_id))
        import_undo.take_back_part(actor, batch_id, doing, 2, run)
        imports.cancel_undo(actor, batch_id)
    assert standing(client, place) == ("Undone in part", "Undone in part")
    with app.app_context():
        bind_actor(users.actor_by_email(world.address("officer")))
        import_undo.fail(users.actor_by_email(world.address("officer")), batch_id, "No room.")
    assert standing(client, place) == ("Undoing failed", "Undoing failed")
    monkeypatch.undo()
    client.submit(f"{place}/undo", {}, action="/undo")
    assert standing(client, place) == ("Undone", "Undone")


def test_what_a_file_of_contacts_says_is_read_by_the_office_and_by_who_brought_it(app, browser):
    """Its rows, and what they change, are often of contacts that nobody above the office may read."""
    log = "Date,With,Summary,Note\n2026-04-03,Amal Haddad,zzsaid,zznote\n2026-04-05,Nobody Known,zzrefused,\n"
    with app.app_context():
        actor = users.actor_by_email(world.address("officer"))
        bind_actor(actor)
        make(actor, "Amal Haddad", form="person")
        batch = imports.import_file(actor, actor.home_office_id, "interactions", "zzlog.csv", log.encode())
        regional = users.actor_by_email(world.address("regional"))
        bind_actor(regional)
        own = imports.import_file(
            regional, actor.home_office_id, "interactions", "zzown.csv", log.replace("zz", "yy").replace("yynote", "").encode()
        )
        bind_actor(None)
    assert "zzsaid" in browser("manager").get(f"/imports/{batch}").get_data(as_text=True)
    above = browser("regional")
    for path in ("", "/rows", "/columns", "/rejects.csv", "/undo", "/progress.json"):
        above.get(f"/imports/{batch}{path}", status=404)
    assert "zzlog.csv" not in above.get("/imports/").get_data(as_text=True)
    assert "zzown.csv" in above.get("/imports/").get_data(as_text=True)
    assert "yysaid" in above.get(f"/imports/{own}").get_data(as_text=True)


def test_a_file_that_waits_for_an_answer_has_no_counts_yet(browser):
    client = browser("officer")
    data = sheet(
        ["Organisation", "Post", "Name", "Since"], ["Board", "Chair", "Ana Bell", "03/04/2026"], ["Board", "Clerk", "Bo", "05/04/2026"]
    )
    place = upload(client, data, "zzopen.csv", kind="positions").location
    assert place.endswith("/columns")
    row = tree(client.get("/imports/")).xpath("//tbody/tr[contains(., 'zzopen.csv')]")[0]
    assert "Waits for an answer" in row.text_content()
    counts = [" ".join(cell.text_content().split()) for cell in row.xpath("./td")[-4:]]
    assert not any(character.isdigit() for character in "".join(counts)), counts
    clear = text(client.get(upload(client, GOOD, "zzclear.csv").location))
    assert "Waiting for you" in clear, clear
    row = tree(client.get("/imports/")).xpath("//tbody/tr[contains(., 'zzclear.csv')]")[0]
    assert "Waiting for you" in row.text_content()
    assert "2" in row.xpath("./td")[-4].text_content()


def buttons(client, place):
    """Of the summary: the primary one, and the others."""
    found = tree(client.get(place)).xpath("//main//*[contains(@class, 'actions')]//*[self::a or self::button][contains(@class, 'button')]")
    named = [(" ".join(one.text_content().split()), "button-primary" in one.get("class")) for one in found]
    return [name for name, is_primary in named if is_primary], [name for name, is_primary in named if not is_primary]


def test_what_is_left_to_say_of_a_list_comes_before_bringing_it_in(browser):
    client = browser("officer")
    rows = (["Lina Haddad", "lina@x.example"], ["Haddad Lina", ""], ["Ana", "no address"])
    place = upload(client, sheet(["Name", "E-mail"], *rows)).location
    primary, others = buttons(client, place)
    assert primary == ["Mend the rejected rows"]
    assert {"Bring in 2 rows", "Possible duplicates"} <= set(others)
    client.submit(f"{place}/rows", {"cell-4-1": "ana@x.example"})
    primary, others = buttons(client, place)
    assert primary == ["Possible duplicates"]
    assert "Bring in 3 rows" in others
    client.submit(f"{place}/doubles", {"twin-3": "two"})
    primary, others = buttons(client, place)
    assert primary == ["Bring in 3 rows"]
    assert "Possible duplicates" in others
    other = upload(client, sheet(["Name", "E-mail"], *rows), name="again.csv").location
    client.submit(other, {}, action="/apply")  # bringing in the rest stays possible
    assert "Haddad Lina" in text(client.get("/parties/"))


@pytest.mark.parametrize(
    ("heading", "is_hinted"), [("Dernier contact", True), ("Last contact (date)", True), ("آخر تواصل", True), ("Shoe size", False)]
)
def test_a_column_of_last_contacts_says_how_a_log_of_them_is_brought_in(browser, heading, is_hinted):
    client = browser("officer")
    page = text(client.get(upload(client, sheet(["Name", heading], ["Ana", "2026-03-04"])).location))
    assert f"1 column is left out: “{heading}”." in page
    assert (f"“{heading}” looks like contacts that were held." in page) == is_hinted


def test_a_file_of_which_nothing_was_said_is_discarded_at_one_click(browser):
    client = browser("officer")
    place = upload(client, GOOD).location
    client.submit(f"{place}/columns", {})  # what the columns mean is no work that would be lost
    assert not tree(client.get(place)).xpath("//a[contains(@href, '/discard')]")
    page = client.get(f"{place}/discard")
    assert "Nothing was said of this file by hand." in text(page)
    assert not tree(page).xpath("//dl")
    client.submit(place, {}, action="/discard")
    client.get(place, status=404)


def test_before_a_file_is_discarded_it_is_said_what_would_be_lost_with_it(browser):
    """Cells mended, answers for several rows, rows left out, duplicates settled: a click on a page from before that, or on a question
    from before the last answer, asks first."""
    client = browser("officer")
    bad = [["Ana", "ana@@x", "Jordon"], ["Bo", "", "Jordon"], ["Dr Lina Haddad", "", ""], ["Haddad Liná", "", ""], ["Total", "", ""]]
    place = upload(client, sheet(["Name", "E-mail", "Country"], *bad)).location
    target, values = client.fields(place, action="/discard")
    (key,) = tree(client.get(f"{place}/rows")).xpath("//select[starts-with(@name, 'all-')]/@name")
    client.submit(f"{place}/rows", {key: "JO", "is_remembered": None, "cell-2-1": "ana@x.example", "also_out": "6"})
    client.submit(f"{place}/doubles", {"twin-5": "4"})
    assert client.client.post(target, data=values).location == f"{place}/discard"
    assert tree(client.get(place)).xpath("//a[. = 'Discard the file …']/@href") == [f"{place}/discard"]
    page = tree(client.get(f"{place}/discard"))
    facts = [(one.findtext("dt"), one.xpath("string(dd)").split()[0]) for one in page.xpath("//dl/div")]
    assert facts == [("Cells mended", "1"), ("Answers for several rows", "1"), ("Rows left out", "1"), ("Possible duplicates settled", "1")]
    target, values = client.fields(f"{place}/discard", action="/discard")
    client.submit(f"{place}/rows", {"also_out": "3"})
    assert client.client.post(target, data=values).location == f"{place}/discard"
    assert "Rows left out 2" in text(client.get(f"{place}/discard"))
    client.submit(f"{place}/discard", {}, action="/discard")
    client.get(place, status=404)


def test_what_the_office_remembers_is_not_lost_with_a_file(browser):
    client = browser("officer")
    data = sheet(["Name", "Country"], ["Ana", "Jordon"], ["Bo", "Jordon"])
    place = upload(client, data).location
    (key,) = tree(client.get(f"{place}/rows")).xpath("//select[starts-with(@name, 'all-')]/@name")
    client.submit(f"{place}/rows", {key: "JO", "is_remembered": "y"})
    assert not tree(client.get(place)).xpath("//a[contains(@href, '/discard')]")
    place = upload(client, data, name="again.csv").location
    assert "2 new" in text(client.get(place))
    client.submit(place, {}, action="/discard")
    client.get(place, status=404)


def test_only_who_may_bring_a_file_in_is_asked_whether_to_discard_it_and_only_while_it_waits(browser):
    client = browser("officer")
    place = upload(client, GOOD).location
    browser("other-grants").get(f"{place}/discard", status=404)
    client.submit(place, {}, action="/apply")
    assert client.get(f"{place}/discard", status=303).location == place
    assert "Only a file that waits for you can be discarded." in text(client.get(place))


def test_what_came_in_says_whose_a_post_is_and_what_a_party_is(app, browser):
    client = browser("officer")
    head = ["Name", "Type", "Position", "Organisation"]
    rows = (
        ["Ana", "person", "Director", "Ministry of Health"],
        ["Bo", "person", "Director", "City Hall"],
        ["Health cluster", "group", "", ""],
    )
    place = upload(client, sheet(head, *rows)).location
    client.submit(place, {}, action="/apply")
    found = tree(client.get(f"{place}/records")).xpath("//table//tbody/tr")
    shown = {(row.xpath("string(th//a)").split(" (")[0], row.xpath("string(td)").strip()) for row in found}
    posts = {("Director, Ministry of Health", "Post"), ("Director, City Hall", "Post")}
    parties = {("Ana", "Person"), ("Bo", "Person"), ("Health cluster", "Group")}
    assert shown == posts | parties | {("Ministry of Health", "Organisation"), ("City Hall", "Organisation")}


def test_the_statements_of_what_came_in_are_as_many_however_many_posts_there_are(app, browser):
    client, sent = browser("officer"), []
    for count in (2, 20):
        rows = [[f"Person {count} {n:02}", f"Clerk {n}", f"Hall {count} {n}"] for n in range(count)]
        place = upload(client, sheet(["Name", "Position", "Organisation"], *rows)).location
        client.submit(place, {}, action="/apply")
        with count_statements(app) as counted:
            page = client.get(f"{place}/records?per_page=100")
        sent.append(len(counted.texts))
    assert text(page).count(", Hall 20 ") == 20
    assert sent[0] == sent[1]


def test_everything_that_came_in_is_listed_in_pages(app, browser):
    client = browser("officer")
    place = upload(client, sheet(["Name", "Position", "Organisation"], *([f"Person {n:02}", "Clerk", "Hall"] for n in range(60)))).location
    client.submit(place, {}, action="/apply")
    assert tree(client.get(place)).xpath("//a[text()='All that came in']/@href") == [f"{place}/records"]
    seen: list[str] = []
    address = f"{place}/records"
    while address:
        page = tree(client.get(address))
        seen += page.xpath("//table//a[contains(@href, '/parties/') or contains(@href, '/positions/')]/@href")
        address = next(iter(page.xpath("//a[@rel='next']/@href")), "")
    assert len(seen) == len(set(seen)) == 62, "sixty people, their organisation and its post"
    for strange in ("page=0", "page=-1", "page=9999999", "page=x", "per_page=7"):
        client.get(f"{place}/records?{strange}")
    browser("other-grants").get(f"{place}/records", status=404)
    client.submit(f"{place}/undo", {})
    assert "No record is here" in text(client.get(f"{place}/records"))


def test_an_organisation_merged_over_rows_is_that_of_each_of_their_people_and_it_is_said(browser):
    def fill(stream):
        book = xlsxwriter.Workbook(stream)
        page = book.add_worksheet("Contacts")
        page.write_row(0, 0, ["No.", "Name", "Post", "Organisation", "E-mail"])
        for place, name in enumerate(("Ana Bell", "Bo Carr", "Cy Dunn")):
            page.write_row(place + 1, 0, [str(place + 1), f"{name}", "Adviser", "", f"{name[:2].strip().casefold()}@x.example"])
        page.merge_range(1, 3, 3, 3, "Water Fund X")
        page.write(4, 0, "Total contacts: 3")
        page.write_comment("B3", "Birthday 9 June")
        book.close()

    stream = io.BytesIO()
    fill(stream)
    client = browser("officer")
    place = upload(client, stream.getvalue(), "contacts.xlsx").location
    known = text(client.get(place)).split("Worth knowing")[1]
    assert "2 cells took the value of a merged cell above them (rows 3, 4)." in known
    assert "1 cell has a comment, which is not brought in (row 3)." in known
    assert "1 row is left out, such as the heading of a section" in known
    client.submit(place, {}, action="/apply")
    came = tree(client.get(place)).xpath("//h2[. = 'What came in']/following-sibling::ul//a")
    people = {link.text_content().split(" (")[0]: text(client.get(link.get("href"))) for link in came}
    assert all("Water Fund X" in people[name] for name in ("Ana Bell", "Bo Carr", "Cy Dunn"))

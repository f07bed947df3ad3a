"""Possible duplicates of a file, settled on their page: one with an earlier row or a record, or two; taken back; seen by nobody else."""

from __future__ import annotations

import pytest

from tests.factories.browser import errors, tree
from tests.factories.counting import statements_of
from tests.web.test_sheet_imports import sheet, text, upload

HEAD = ["Name", "E-mail", "Country"]


def put(client):
    rows = ["Dr Lina Haddad", "", ""], ["Haddad Liná", "lina@x.example", "Kenya"], ["Petra Daily", "lina@x.example", ""]
    return upload(client, sheet(HEAD, *rows)).location


def chosen(client, place):
    return tree(client.get(f"{place}/doubles")).xpath(
        "//input[@checked][starts-with(@name, 'twin-')]/@value | //select[starts-with(@name, 'twin-')]/option[@selected]/@value"
    )


def test_rows_that_look_alike_are_settled_on_their_page(browser):
    client = browser("officer")
    place = put(client)
    page = client.get(place)
    assert "3 new, 0 changed, 0 unchanged, 2 possible duplicates, 0 with problems." in text(page)
    assert "say of each whether it is the same, or another one" in text(page)
    (link,) = tree(page).xpath("//a[. = 'Possible duplicates']/@href")
    page = text(client.get(link))
    assert "Row 3: perhaps the same as row 2 of this file: the same name" in page
    assert "Row 3 Haddad Liná · lina@x.example · Kenya Row 2 Dr Lina Haddad The same as row 2 Two different ones Not said yet" in page
    assert chosen(client, place) == ["", ""]
    client.submit(link, {"twin-3": "2", "twin-4": "two"})
    page = text(client.get(place))
    assert "2 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems. 1 row is joined with another row." in page
    assert "Row 3 is brought in as one with row 2." in page
    assert "What the first joined rows add" in page
    assert "The first changes" not in page, "nothing on record changes"
    assert "What you said" in text(client.get(link))
    assert chosen(client, place) == ["2", "two"]
    client.submit(place, {}, action="/apply")
    page = text(client.get("/parties/"))
    assert "Haddad Liná" not in page
    assert "Petra Daily" in page
    assert client.get(link, status=303).location.endswith(place)  # too late, and said so
    client.submit(f"{place}/undo", {}, action="/undo")
    assert "Dr Lina Haddad" not in text(client.get("/parties/"))


def test_of_two_spellings_the_better_one_becomes_the_name(browser):
    """Capitals, small letters, an initial: surely the worse. Of two orders of the words the earlier row's stays."""
    client = browser("officer")
    pairs = [("R. Qasem", "Rania Qasem"), ("GHASSAN TELL", "Ghassan Tell"), ("Issam Aziz", "Aziz Issam"), ("Huda Sweiss", "HUDA SWEISS")]
    rows = [[name, f"m{n}@x.example", ""] for n, pair in enumerate(pairs) for name in pair]
    place = upload(client, sheet(HEAD, *rows)).location
    said = {f"twin-{2 * n + 3}": str(2 * n + 2) for n in range(4)}
    waiting = tree(client.get(f"{place}/doubles")).xpath("//input[@type='radio']/@name")
    client.submit(f"{place}/doubles", {name: row for name, row in said.items() if name in waiting})
    client.submit(place, {}, action="/apply")
    page = text(client.get("/parties/"))
    for kept, gone in (
        ("Rania Qasem", "R. Qasem"),
        ("Ghassan Tell", "GHASSAN TELL"),
        ("Issam Aziz", "Aziz Issam"),
        ("Huda Sweiss", "HUDA SWEISS"),
    ):
        assert kept in page
        assert gone not in page
    rania = tree(client.get("/parties/?q=rania")).xpath("//table//a[starts-with(@href, '/parties/0')]/@href")[0]
    assert "R. Qasem" in text(client.get(rania)), "the other spelling is kept"


def test_a_row_that_begins_in_arabic_stays_in_the_direction_of_the_page(browser):
    """Every value is isolated on its own: a day after one in Arabic does not read from its end."""
    client = browser("officer")
    head = ["Name", "Country", "Phone", "Note"]
    rows = ["محمد الخطيب", "الأردن", "0794088766", "2023-05-31"], ["Mohammed Al-Khatib", "", "0794088766", ""]
    place = upload(client, sheet(head, *rows)).location
    page = tree(client.get(f"{place}/doubles"))
    (hint,) = page.xpath("//p[@class='small like']")
    assert [value.text_content() for value in hint.xpath(".//bdi")] == [value for value in rows[0] if value]
    assert not page.xpath("//bdi[contains(., ' · ')]")


def test_of_each_row_the_name_stands_out_whatever_stands_before_it(browser):
    """A form of address before it, or two values in Arabic beside each other: the name is found at once, of a row and of a record."""
    client = browser("officer")
    head = ["Form of address", "Name", "Phone", "Note"]
    client.submit(upload(client, sheet(head, ["", "Rami Saleh", "+962791234567", ""])).location, {}, action="/apply")
    rows = (
        ["Dr", "محمد الخطيب", "0794088766", "الأردن"],
        ["", "Mohammed Al-Khatib", "0794088766", ""],
        ["Mr", "Saleh Rami", "+962791234567", ""],
    )
    place = upload(client, sheet(head, *rows)).location
    page = tree(client.get(f"{place}/doubles"))
    lines = [page.xpath(f"//p[@class='{which}']/*[@class='value']//strong/text()") for which in ("small", "small like")]
    assert sorted(zip(*lines, strict=True)) == [("Mohammed Al-Khatib", "محمد الخطيب"), ("Saleh Rami", "Rami Saleh")]
    names = [[one.text for one in box.iter("bdi")] for box in page.xpath("//legend[bdi]")]
    assert names == [["Mohammed Al-Khatib", "محمد الخطيب"]], "what is chosen already is a line with both names"


def test_what_was_said_is_taken_back_and_half_of_it_can_wait(browser):
    client = browser("officer")
    place = put(client)
    assert client.submit(f"{place}/doubles", {"twin-3": "2"}).location.endswith("/doubles")
    assert "Read again: 1 possible duplicate is left." in text(client.get(f"{place}/doubles"))
    assert chosen(client, place) == ["", "2"]
    client.submit(f"{place}/doubles", {"twin-3": ""})
    assert "3 new, 0 changed, 0 unchanged, 2 possible duplicates" in text(client.get(place))
    assert chosen(client, place) == ["", ""]


def test_a_row_that_is_on_record_is_said_to_be_that_one(browser):
    client = browser("officer")
    head, known = [*HEAD, "Position", "Organisation"], ["Ana B. Bell", "ana@x.example", "Jordan", "Editor", "Petra Daily"]
    client.submit(upload(client, sheet(head, known)).location, {}, action="/apply")
    place = upload(client, sheet(HEAD, ["Annie", "ana@x.example", "Kenya"])).location
    page = tree(client.get(f"{place}/doubles"))
    (hint,) = page.xpath("//p[@class='small like']")
    assert [one.text_content() for one in hint.iter("bdi")] == ["Ana B. Bell", "Editor", "Petra Daily", "Jordan", "ana@x.example"]
    (link,) = page.xpath("//fieldset//a/@href")
    assert "Ana B. Bell" in text(client.get(link))
    (reference,) = tree(client.get(f"{place}/doubles")).xpath("//input[starts-with(@value, 'JOR-PA-')]/@value")
    client.submit(f"{place}/doubles", {"twin-2": reference})
    page = text(client.get(place))
    assert "0 new, 1 changed, 0 unchanged, 0 possible duplicates" in page
    assert f"Row 2 is brought in as one with Ana B. Bell ({reference})." in page
    client.submit(f"{place}/doubles", {"twin-2": "two"})  # the other answer, in one step
    assert "1 new, 0 changed, 0 unchanged, 0 possible duplicates" in text(client.get(place))
    assert chosen(client, place) == ["two"]
    client.submit(f"{place}/doubles", {"twin-2": reference})
    assert "0 new, 1 changed, 0 unchanged, 0 possible duplicates" in text(client.get(place))


def test_two_different_ones_are_asked_about_no_more_on_the_page_of_either(browser):
    client = browser("officer")
    first = client.submit("/parties/new?form=person", {"name": "Ana Bell"}).location
    client.submit(f"{first}/channels/new", {"kind": "email", "value": "desk@x.example"})
    place = upload(client, sheet(HEAD, ["Annie", "desk@x.example", ""], ["Annie Desk", "desk@x.example", ""])).location
    client.submit(f"{place}/doubles", {"twin-2": "two", "twin-3": "two"})
    client.submit(f"{place}/columns", {})  # read again for something else: what was said stays
    client.submit(f"{place}/doubles", {"twin-3": ""})
    client.submit(f"{place}/doubles", {"twin-3": "two"})  # said, taken back and said again
    client.submit(place, {}, action="/apply")
    again = upload(client, sheet(HEAD, ["Annie", "desk@x.example", ""], ["Annie Desk", "desk@x.example", ""])).location
    assert "0 new, 0 changed, 2 unchanged, 0 possible duplicates" in text(client.get(again))
    parties = tree(client.get("/parties/")).xpath("//a[starts-with(., 'Annie')]/@href")
    for page in (first, *parties):  # the same number as those: nobody is asked, but those who came later
        client.submit(f"{page}/channels/new", {"kind": "email", "value": "DESK@x.example "})


def test_what_was_not_offered_is_not_taken_and_a_stale_page_is_refused(browser):
    one, other = browser("officer"), browser("grants")
    place = put(one)
    one.submit(f"{place}/doubles", {"twin-3": "4", "twin-4": "JOR-PA-2026-0001", "twin-2": "3"})
    assert "2 possible duplicates" in text(one.get(place))
    target, values = one.fields(f"{place}/doubles")
    other.submit(f"{place}/doubles", {"twin-4": "two"})
    answer = one.client.post(target, data=values | {"twin-3": "2"})
    assert answer.status_code == 422
    assert "Somebody else" in text(answer)
    assert "2" in tree(answer).xpath("//input[@name='twin-3'][@checked]/@value")


def test_too_many_of_one_file_are_refused_in_a_sentence(browser, monkeypatch):
    monkeypatch.setattr("crm.web.sheet_imports.MOST_EDITS", 1)
    client = browser("officer")
    place = put(client)
    answer = client.submit(f"{place}/doubles", {"twin-3": "2", "twin-4": "two"}, status=422)
    assert "So many duplicates are put together sooner in the file itself." in errors(answer)[0]


def test_the_page_of_a_file_without_any_says_so_and_those_who_may_not_do_not_see_it(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, ["Ana", "", ""])).location
    assert "No row of this file looks like another one." in text(client.get(f"{place}/doubles"))
    assert tree(client.get(place)).xpath("//a[. = 'Possible duplicates']"), "rows of which nothing is asked are put together there"
    browser("other").get(f"{place}/doubles", status=404)
    browser("viewer").get(f"{place}/doubles", status=403)
    token = browser("viewer").token()
    assert browser("viewer").client.post(f"{place}/doubles", data={"csrf_token": token}).status_code == 403


def test_many_duplicates_cost_the_statements_of_a_few(app, browser):
    client = browser("officer")

    def cost(count):
        rows = [[f"Name{n} Word{n}", "", ""] for n in range(count)] + [[f"Word{n} Name{n}", "", ""] for n in range(count)]
        place = upload(client, sheet(HEAD, *rows)).location
        statements_of(app, client, [f"{place}/doubles"])
        return place, statements_of(app, client, [f"{place}/doubles", place])

    _place, few = cost(2)
    place, many = cost(60)
    assert few == many
    page = client.get(f"{place}/doubles")
    assert "The first 40 are shown" in text(page)
    assert len(tree(page).xpath("//fieldset")) == 40


def listed(client):
    """The first import of the list: column -> what stands there."""
    (row,) = tree(client.get("/imports/")).xpath("//tbody/tr[1]")
    return {cell.get("data-label"): " ".join(cell.text_content().split()) for cell in row}


def test_rows_that_are_joined_with_others_are_counted_apart_from_unchanged_ones(browser):
    client = browser("officer")
    first = upload(client, sheet(HEAD, ["Omar Said", "", ""])).location
    client.submit(first, {}, action="/apply")
    assert "Brought in: 1 new, 0 changed, 0 unchanged, 0 rejected." in text(client.get(first))
    rows = (["Lina Haddad", "", ""], ["Haddad Lina", "", ""], ["Omar Said", "", ""])
    place = upload(client, sheet(HEAD, *rows)).location
    assert "Joined with another row" not in text(client.get(place))
    assert "Joined" not in listed(client)
    client.submit(f"{place}/doubles", {"twin-3": "2"})
    for _done in range(2):
        page = text(client.get(place))
        assert "1 new, 0 changed, 1 unchanged, 0 possible duplicates, 0 with problems. 1 row is joined with another row." in page
        assert "Unchanged 1 held as they are Joined with another row 1 as you said" in page.replace("\n", " ")
        assert {name: listed(client)[name] for name in ("New", "Changed", "Unchanged", "Joined", "Rejected")} == {
            "New": "1",
            "Changed": "0",
            "Unchanged": "1",
            "Joined": "1",
            "Rejected": "0",
        }
        client.submit(place, {}, action="/apply") if not _done else None
    (other,) = tree(client.get("/imports/")).xpath("//tbody/tr[2]/td[@data-label='Joined']")
    assert other.text_content() == "0"


def test_what_is_said_after_a_file_came_in_counts_joined_rows_apart(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, ["Lina Haddad", "", ""], ["Haddad Lina", "", ""])).location
    client.submit(f"{place}/doubles", {"twin-3": "2"})
    client.submit(place, {}, action="/apply")
    assert "Brought in: 1 new, 0 changed, 0 unchanged, 1 joined with other rows, 0 rejected." in text(client.get(place))
    client.submit(f"{place}/undo", {}, action="/undo")
    page = text(client.get(place))
    assert "What it had done 1 new, 0 changed, 0 unchanged" in page
    assert "1 row is joined with another row." in page
    assert (listed(client)["How it stands"], listed(client)["Joined"]) == ("Undone", "1")


def test_where_name_and_address_agree_the_answer_is_chosen_already_and_nowhere_else(browser):
    client = browser("officer")
    rows = [
        ["Lina Haddad", "lina@x.example", ""],
        ["Haddad Lina", "lina@x.example", ""],  # both: chosen
        ["Omar Said", "desk@x.example", ""],
        ["Rana Aziz", "desk@x.example", ""],  # a desk of two people: not chosen
        ["Huda Sweiss", "", ""],
        ["Sweiss Huda", "", ""],  # the name alone: not chosen
    ]
    place = upload(client, sheet(HEAD, *rows)).location
    assert "3 possible duplicates" in text(client.get(place))
    assert chosen(client, place) == ["", "", "2"], "what a person has to say stands first"
    client.submit(f"{place}/doubles", {})
    page = text(client.get(place))
    assert "2 possible duplicates" in page
    assert "Row 3 is brought in as one with row 2." in page


def test_saying_nothing_more_leads_on_to_what_the_file_would_do(browser):
    """Whoever does not know whether two are one goes on by the same button, and is told what becomes of them."""
    client = browser("officer")
    place = put(client)
    assert client.submit(f"{place}/doubles", {"twin-3": "2"}).location.endswith("/doubles")
    assert client.submit(f"{place}/doubles", {}).location.endswith(place)
    page = text(client.get(place))
    assert "1 possible duplicate is left: it is brought in as a new one." in page
    assert "Row 3 is brought in as one with row 2." in page, "what was said before stays"
    client.submit(place, {}, action="/apply")
    assert "Petra Daily" in text(client.get("/parties/"))


JOINED = [["Randa Kawar", "randa@x.example", "Jordan"], ["Somebody Else", "", ""], ["Um Ziad", "", ""], ["Colleague of Omar", "", "Kenya"]]


def test_rows_of_which_nothing_is_asked_are_said_to_be_one_by_their_numbers(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, *JOINED)).location
    assert chosen(client, place) == []
    client.submit(f"{place}/doubles", {"also_one": "٤ = ٢، 2=5"})
    page = text(client.get(place))
    assert "Row 4 is brought in as one with row 2." in page
    assert "2 new, 0 changed, 0 unchanged, 0 possible duplicates, 0 with problems. 2 rows are joined with other rows." in page
    assert chosen(client, place) == ["2", "2"], "listed under what was said, and taken back there"
    client.submit(f"{place}/doubles", {"twin-4": ""})
    assert "3 new" in text(client.get(place))
    client.submit(f"{place}/doubles", {"also_one": "4 = 2"})
    client.submit(place, {}, action="/apply")
    rows = tree(client.get("/parties/?form=person")).xpath("//tbody//th//a")
    assert sorted(row.text_content().strip() for row in rows) == ["Randa Kawar", "Somebody Else"]
    found = text(client.get(tree(client.get("/parties/?q=randa")).xpath("//tbody//th//a/@href")[0]))
    assert "Um Ziad" in found
    assert "Colleague of Omar" in found, "the other spellings are kept"
    client.submit(f"{place}/undo", {}, action="/undo")
    assert not tree(client.get("/parties/")).xpath("//tbody//th//a")


def test_a_row_is_said_to_be_one_on_record_by_its_reference(browser):
    client = browser("officer")
    client.submit(upload(client, sheet(HEAD, JOINED[0])).location, {}, action="/apply")
    place = upload(client, sheet(HEAD, JOINED[2])).location
    client.submit(f"{place}/doubles", {"also_one": "2 = jor-pa-2026-0001"})
    assert "0 new, 1 changed" in text(client.get(place))
    other = browser("other")
    theirs = upload(other, sheet(HEAD, JOINED[2])).location
    (error,) = errors(other.submit(f"{theirs}/doubles", {"also_one": "2 = JOR-PA-2026-0001"}, status=422))
    assert "There is no JOR-PA-2026-0001 that you can name here." in error, "a person of another office"


def test_pairs_of_rows_that_cannot_be_are_refused_beside_their_field_and_stay_typed(browser):
    client = browser("officer")
    place = upload(client, sheet(HEAD, *JOINED)).location
    for typed, says in (
        ("4 is 2", "Write two rows that are one as 12 = 4. “4 is 2” says something else."),
        ("4 = 2 = 5", "“4 = 2 = 5” says something else."),
        ("JOR-PA-2026-0001 = JOR-PA-2026-0002", "says something else."),
        ("=", "says something else."),
        ("9 = 2", "The list has no row 9."),
        ("4 = 4", "Row 4 is itself."),
        ("5 = 2, 5 = 4", "Row 5 is said to be one with two."),
        ("4 = JOR-PA-2026-0099", "There is no JOR-PA-2026-0099 that you can name here."),
        ("4 = ²", "says something else."),
        (f"{'9' * 60} = 2", "says something else."),
    ):
        answer = client.submit(f"{place}/doubles", {"also_one": typed}, status=422)
        assert any(says in one for one in errors(answer)), (typed, errors(answer))
        assert tree(answer).xpath("//input[@name='also_one']/@value") == [typed]
    assert "4 new" in text(client.get(place)), "nothing was said"
    head = ["Day", "Kind", "With", "What was said"]
    log = upload(client, sheet(head, ["2026-01-05", "meeting", "Nobody", "x"]), kind="interactions").location
    page = tree(client.get(f"{log}/doubles"))
    assert not page.xpath("//input[@name='also_one']"), "a log is no list of contacts"
    client.client.post(f"{log}/doubles", data={"csrf_token": client.token(), "version": "0", "also_one": "2 = JOR-PA-2026-0001"})
    assert "0 with problems" not in text(client.get(log)), "nor is anything said of it"
    client.submit(f"{place}/rows", {"also_out": "3"})
    answer = client.submit(f"{place}/doubles", {"also_one": "4 = 3"}, status=422)
    assert any("The list has no row 3." in one for one in errors(answer)), "it was left out"
    client.submit(f"{place}/doubles", {})
    assert "Read again: nothing is left to be settled." in text(client.get(place))


@pytest.mark.parametrize("answer", ["2", "two"])
def test_whatever_was_said_saying_nothing_more_leads_on(browser, answer):
    client = browser("officer")
    place = put(client)
    assert client.submit(f"{place}/doubles", {"twin-3": answer}).location.endswith("/doubles")
    assert client.submit(f"{place}/doubles", {}).location.endswith(place)
    client.submit(f"{place}/doubles", {"twin-4": "two"})
    client.submit(f"{place}/doubles", {})
    page = text(client.get(place))
    assert "Read again: nothing is left to be settled." in page
    assert "0 possible duplicates are left" not in page


def test_a_pair_that_another_answer_contradicts_is_refused_and_nothing_is_dropped(browser):
    client = browser("officer")
    rows = ["Lina Haddad", "lina@x.example", ""], ["Omar Said", "", ""], ["Haddad Lina", "lina@x.example", ""], ["Um Ziad", "", ""]
    place = upload(client, sheet(HEAD, *rows)).location
    says = "Row 4 is said to be one with row 2 already. Take that back, or name that one."
    assert errors(client.submit(f"{place}/doubles", {"also_one": "3 = 4"}, status=422)) == [says], "chosen already on the page"
    says = "Of row 4 it is said above that they are two different ones."
    assert errors(client.submit(f"{place}/doubles", {"also_one": "4 = 2", "twin-4": "two"}, status=422)) == [says]
    client.submit(f"{place}/doubles", {"also_one": "5 = 2, 4 = 2"})
    assert "2 new" in text(client.get(place))
    says = "Row 5 is said to be one with row 2 already. Take that back, or name that one."
    assert errors(client.submit(f"{place}/doubles", {"also_one": "5 = 3"}, status=422)) == [says]


def test_of_a_row_with_a_reference_of_its_own_nothing_else_is_said(browser):
    client = browser("officer")
    known = ["Ana Bell", "ana@x.example", ""], ["Bo Day", "bo@x.example", ""]
    client.submit(upload(client, sheet(HEAD, *known)).location, {}, action="/apply")
    rows = ["JOR-PA-2026-0001", "Ana Bell", "", ""], ["JOR-PA-2026-0077", "Cy Dunn", "bo@x.example", ""], ["", "Dee", "", ""]
    place = upload(client, sheet(["Reference", *HEAD], *rows)).location
    refused = client.submit(f"{place}/doubles", {"also_one": "2 = JOR-PA-2026-0002"}, status=422)
    assert errors(refused) == ["Row 2 has the reference JOR-PA-2026-0001. Empty that cell first."]
    client.submit(f"{place}/doubles", {"also_one": "4 = 2"})
    client.submit(f"{place}/doubles", {"twin-3": "JOR-PA-2026-0002"})
    page = text(client.get(place))
    assert "Row 3 is brought in as one with Bo Day (JOR-PA-2026-0002)." in page, "the answer counts more than a reference of nobody"
    assert "0 new" in page


def test_an_answer_by_which_a_row_is_refused_leads_to_it(browser):
    client = browser("officer")
    rows = ["Ana Bell", "", "Person"], ["Water Fund", "", "Organisation"]
    place = upload(client, sheet(["Name", "E-mail", "Type"], *rows)).location
    assert client.submit(f"{place}/doubles", {"also_one": "3 = 2"}).location.endswith("/rows")
    page = text(client.get(f"{place}/rows"))
    assert "Read again: 1 row has a problem." in page
    assert "one is a person and the other is not" in page


def test_a_settled_row_that_is_left_out_is_not_on_the_page_and_people_have_both_their_names(browser):
    client = browser("officer")
    head = ["First name", "Family name", "E-mail"]
    place = upload(client, sheet(head, ["Lina", "Haddad", "lina@x.example"], ["Liná", "Hadad", "lina@x.example"])).location
    names = tree(client.get(f"{place}/doubles")).xpath("//legend[bdi]")
    assert [" ".join(one.text_content().split()) for one in names] == ["Liná Hadad · Lina Haddad"]
    client.submit(f"{place}/doubles", {})
    client.submit(f"{place}/rows", {"also_out": "3"})
    assert not tree(client.get(f"{place}/doubles")).xpath("//legend[bdi]")

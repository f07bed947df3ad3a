"""Which column of a list is taken for what."""

from __future__ import annotations

import pytest

from crm.exchange.sheet_columns import guess
from crm.exchange.sheets import Setup, read_sheet


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        *((word, "ngo") for word in ("INGO", "international NGO", "Association", "جمعية", "asociación")),
        *((word, "government") for word in ("Embassy", "ambassade", "سفارة")),
    ],
)
def test_words_of_contact_lists_for_kinds(word, kind):
    data = f"Name,Organisation,Type\nAna Bell,Org,{word}\nBo Day,Org,NGO\n".encode()
    file = read_sheet(data, "parties", Setup())
    assert [row.values["kinds"] for row in file.rows] == [(kind,), ("ngo",)], file.problems


@pytest.mark.parametrize("word", ["foundation", "think tank"])
def test_words_that_may_be_of_several_kinds_are_asked(word):
    file = read_sheet(f"Name,Type\nAna Bell,{word}\nBo Day,NGO\n".encode(), "parties", Setup())
    assert [problem.row_number for problem in file.problems] == [2]


@pytest.mark.parametrize(
    ("types", "field"),
    [
        (["Donor", "NGO", "Person"], "kinds"),
        (["Person", "Organisation", "Donor"], "form"),
        (["ONG", "Gov't", ""], "kinds"),
        (["", "", ""], "form"),
    ],
)
def test_a_column_of_types_is_taken_for_what_stands_there(types, field):
    rows = "".join(f"Name {number},{word}\n" for number, word in enumerate(types))
    assert read_sheet(f"Name,Type\n{rows}".encode(), "parties", Setup()).columns["Type"] == field
    with_kinds = "".join(f"Name {number},{word},Donor\n" for number, word in enumerate(types))
    assert read_sheet(f"Name,Type,Category\n{with_kinds}".encode(), "parties", Setup()).columns["Type"] == "form"


@pytest.mark.parametrize("post", ["Fonction", "Poste", "Cargo", "Puesto", "المنصب", "الوظيفة", "Fonction (actuelle)", "Position"])
@pytest.mark.parametrize("title", ["Title", "Titre", "Title (Mr, Ms)", "Title / Titre"])
def test_a_title_beside_a_column_for_the_post_is_the_form_of_address(title, post):
    for headings in ([title, "Name", post], [post, "Name", title]):
        found = guess("parties", headings)
        assert (found[title], found[post], found["Name"]) == ("form_of_address", "post_title", "name")
    assert guess("parties", [title, "Name"])[title] == "post_title"
    assert guess("positions", [title, "Organisation", "Position"])[title] == "form_of_address"


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        (["Dr.", "Mr", "", "Ms"], "form_of_address"),
        (["H.E. Mr", "Sheikh", "Fr.", "Editor"], "form_of_address"),
        (["M.", "Mme", "Mlle"], "form_of_address"),
        (["Sr", "Sra.", "Dra."], "form_of_address"),
        (["د.", "أ.د.", "م.", "السيدة", "الشيخ"], "form_of_address"),
        (["Editor", "Head of Unit", "Dr."], "post_title"),
        (["Mr", "Editor"], "post_title"),
        (["Editor", "Director General"], "post_title"),
        (["", "", "?"], "post_title"),
    ],
)
def test_a_title_is_what_its_cells_are(cells, field):
    rows = "".join(f"{cell},Name {number},\n" for number, cell in enumerate(cells))
    file = read_sheet(f"Title,Name,Phone\n{rows}".encode(), "parties", Setup())
    assert file.columns["Title"] == field
    assert [row.values.get(field) for row in file.rows] == [cell or None for cell in cells]


def test_a_title_that_never_addresses_anybody_stays_the_post_beside_another_column_for_it():
    rows = "Editor,Ana Bell,Books\nHead,Bo Day,Press\n"
    assert read_sheet(f"Title,Name,Function\n{rows}".encode(), "parties", Setup()).columns["Title"] == "post_title"
    rows += "Mr,Cy Fox,Press\n"
    columns = read_sheet(f"Title,Name,Function\n{rows}".encode(), "parties", Setup()).columns
    assert columns == {"Title": "form_of_address", "Name": "name", "Function": "post_title"}


def test_a_form_of_address_has_one_column():
    columns = read_sheet(b"Title,Name,Salutation\nDr.,Ana Bell,Dear Ana\n", "parties", Setup()).columns
    assert columns == {"Title": "", "Name": "name", "Salutation": "form_of_address"}

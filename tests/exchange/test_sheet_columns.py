"""Which column of a list is taken for what."""

from __future__ import annotations

import pytest

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

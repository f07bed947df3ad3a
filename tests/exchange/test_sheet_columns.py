"""Which column of a list is taken for what."""

from __future__ import annotations

import pytest

from crm.exchange.sheets import Setup, read_sheet


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

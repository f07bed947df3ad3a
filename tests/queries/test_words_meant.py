"""What a misspelt word of a list is surely meant for."""

from __future__ import annotations

import pytest

from crm.queries.words import meant

KNOWN = [
    ("government", "government"),
    ("gov", "government"),
    ("donor", "donor"),
    ("media", "media"),
    ("press", "media"),
    ("اعلام", "media"),
]


@pytest.mark.parametrize(
    ("word", "entry"),
    [
        ("Goverment", "government"),
        ("Govenrmen", "government"),
        ("DONER", "donor"),
        ("Meida", "media"),
        ("إعالم", "media"),
        ("Pres", "media"),
        ("Donxr", "donor"),
        ("Monor", ""),
        ("Edia", ""),
        ("Donors", ""),
        ("Medic", ""),
        ("Govrxnmt", ""),
        ("Dxnxr", ""),
        ("Gxvxrnmxnt", ""),
        ("Gox", ""),
        ("Govx", ""),
        ("12345", ""),
        ("donor", ""),
        ("", ""),
    ],
)
def test_the_only_entry_a_slip_away_is_meant(word, entry):
    assert meant(word, KNOWN) == entry


def test_of_two_entries_none_is_meant_and_of_two_names_of_one_it_is():
    assert meant("Medai", [*KNOWN, ("medal", "medal")]) == ""
    assert meant("Medai", [*KNOWN, ("medal", "media")]) == "media"


def test_scripts_without_blanks_have_no_slips():
    assert meant("政府部间", [("政府部门", "government")]) == ""

"""Names by family name: which look like it, and how they are turned round."""

from __future__ import annotations

import time

import pytest

from crm.exchange.sheets import Setup, read_sheet
from crm.exchange.turned_names import turned
from tests.web.test_sheet_imports import sheet


@pytest.mark.parametrize(
    ("name", "round_"),
    [
        ("Haddad, Rania", "Rania Haddad"),
        ("  Núñez-García ,  Ana María ", "Ana María Núñez-García"),
        ("O'Brien, J. P.", "J. P. O'Brien"),
        ("van der Berg, Dr Jan", "Dr Jan van der Berg"),
        ("حداد، رانيا", "رانيا حداد"),
        ("Ba, Awa", "Awa Ba"),
    ],
)
def test_names_that_look_like_it(name, round_):
    assert turned(name) == round_


@pytest.mark.parametrize(
    "name",
    [
        "Rania Haddad",
        "Luxembourg, Government of",
        "Vesterhav, Ministry of Aid",
        "Jordanie, Gouvernement de",
        "Kenya, Republic of",
        "Cedar Partners, Inc.",
        "Rania Haddad, PhD",
        "Smith, John, Jr",
        "Haddad, Rania (Minister)",
        "Haddad, Minister",
        "Water, Sanitation and Hygiene Cluster",
        "Haddad,",
        ", Rania",
        "One, 2",
        "Netherlands, Kingdom of the",
        "",
        "," * 500,
    ],
)
def test_names_that_do_not(name):
    assert turned(name) == ""


def read(rows, head, slug="parties", **said):
    return read_sheet(sheet(head, *rows), slug, Setup(**said))


def test_only_people_are_counted_and_turned_and_only_where_it_was_said():
    rows = [
        ["Haddad, Rania", "", ""],
        ["Day, Bo", "person", ""],
        ["Rivers, Green", "organisation", ""],
        ["Seas, Blue", "", "Organisation"],
        ["Ana Bell", "", ""],
    ]
    head = ["Name", "Form", "Category"]
    file = read(rows, head)
    assert file.turnable == {"Name": (2, "Haddad, Rania")}
    assert [row.values["name"] for row in file.rows] == [row[0] for row in rows]
    file = read(rows, head, turned=["Name"])
    assert [row.values["name"] for row in file.rows] == ["Rania Haddad", "Bo Day", "Rivers, Green", "Seas, Blue", "Ana Bell"]
    assert [row.raw[0] for row in file.rows] == [row[0] for row in rows]  # what stands in the file stays to be seen
    assert read(rows, head, form="organisation").turnable == {"Name": (1, "Day, Bo")}
    assert read([["Haddad, Rania", "Rania"]], ["Nom", "Prénom"]).turnable == {}


@pytest.mark.parametrize(
    ("slug", "head", "row", "name"),
    [
        ("positions", ["Organisation", "Title", "Holder"], ["Org", "Head", "Haddad, Rania"], "holder"),
        ("interactions", ["With", "Date", "Subject"], ["Haddad, Rania", "2026-03-01", "Talk"], "party"),
    ],
)
def test_names_in_other_lists(slug, head, row, name):
    heading = next(heading for heading, text in zip(head, row, strict=True) if text == "Haddad, Rania")
    assert read([row], head, slug).turnable == {heading: (1, "Haddad, Rania")}
    assert read([row], head, slug, turned=[heading]).rows[0].values[name] == "Rania Haddad"


@pytest.mark.parametrize("cell", ["a" + " " * 9_000 + "," + " " * 9_000 + "b", "a" + " " * 19_000 + "b", "a," * 9_000, "," * 19_000])
def test_a_cell_of_blanks_and_commas_is_read_at_once(cell):
    began = time.process_time()
    assert [turned(cell) for _ in range(100)] == [""] * 100
    assert time.process_time() - began < 1

"""What is read in place of what: answers given at once, and values that are long."""

from __future__ import annotations

from crm.exchange.sheet_columns import SHEETS
from crm.exchange.sheet_values import Replaced, said_of_values, value_key


def test_two_values_change_places():
    said = said_of_values({}, {("H", "A"): "B", ("H", "B"): "A"})
    assert said == {"H": {"A": "B", "B": "A"}}


def test_what_led_to_a_value_leads_to_what_is_read_instead_of_it():
    first = said_of_values({}, {("H", "Gov't"): "Govt"})
    assert said_of_values(first, {("H", "govt"): "government"}) == {"H": {"Gov't": "government", "govt": "government"}}
    assert said_of_values(first, {("H", "gov't"): None}) == {}
    both = {("H", "govt"): "government", ("H", "Gov't"): "Govt"}  # as the page sends it: the earlier answer once more
    assert said_of_values(first, both) == {"H": {"Gov't": "government", "govt": "government"}}
    assert said_of_values({}, {("H", "x"): ""}) == {"H": {"x": ""}}


def test_long_values_are_told_apart_to_their_end():
    begun = "x" * 400
    assert value_key(f"{begun} one") != value_key(f"{begun} two")
    assert value_key(f"{begun}  ONE ") == value_key(f"{begun} one")
    field = SHEETS["parties"].fields["name"]
    read = Replaced(["H"], {"H": field}, {"H": {f"{begun} one": "short"}})
    assert read.cells((f"{begun} one",)) == ("short",)
    assert read.cells((f"{begun} two",)) == (f"{begun} two",)

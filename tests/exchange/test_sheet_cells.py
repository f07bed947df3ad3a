"""Cells of offices' spreadsheets: days in five languages and three forms, what can mean two things, countries, headings."""

from __future__ import annotations

from datetime import date

import pytest

from crm.exchange.cells import CellInvalid
from crm.exchange.sheet_cells import DayAmbiguous, day_order, parts, read_country, read_day
from crm.exchange.sheet_columns import guess, is_heading, missing

APRIL = date(2026, 4, 3)


@pytest.mark.parametrize(
    "text",
    [
        "2026-04-03",
        "2026-04-03 00:00",
        "03.04.2026",
        "3 April 2026",
        "3-Apr-2026",
        "April 3, 2026",
        "3 avril 2026",
        "3 de abril de 2026",
        "3 أبريل 2026",
        "٣ نيسان ٢٠٢٦",
    ],
)
def test_a_day_is_read_in_many_forms(text):
    assert read_day(text) == APRIL


def test_a_day_that_can_mean_two_things_is_not_guessed():
    with pytest.raises(DayAmbiguous) as refused:
        read_day("03/04/2026")
    assert refused.value.readings == (APRIL, date(2026, 3, 4))
    assert read_day("03/04/2026", "dmy") == APRIL
    assert read_day("03/04/2026", "mdy") == date(2026, 3, 4)
    assert read_day("25/12/2026") == date(2026, 12, 25)


@pytest.mark.parametrize("text", ["03/04/26", "31 April 2026", "soon", "99", "1 2 3", "30/02/2026", "1/1/1800", "x" * 500])
def test_what_is_no_day_is_refused(text):
    with pytest.raises(CellInvalid):
        read_day(text)


def test_a_column_says_how_its_days_are_written():
    assert day_order(["03/04/2026", "25/12/2026"]) == ("dmy", "")
    assert day_order(["03/04/2026", "12/25/2026"]) == ("mdy", "")
    assert day_order(["03/04/2026", "04/04/2026"]) == ("", "03/04/2026")
    assert day_order(["25/12/2026", "12/25/2026", "01/02/2026"]) == ("", "01/02/2026")
    assert day_order(["2026-04-03", "3.4.2026", "", "x"]) == ("", "")


def test_countries_and_lists():
    assert [read_country(text) for text in ("Jordanie", "الأردن", "JOR", "jo", " ")] == ["JO", "JO", "JO", "JO", ""]
    assert parts("a; b\nA;a | c") == ("a", "b", "A", "c")


def test_headings_in_four_languages_are_known():
    french = guess("parties", ["Nom", "Prénom", "Courriel", "Téléphone", "Fonction", "rejected because", "Autre"])
    assert list(french.values()) == ["name", "given_name", "email", "phone", "post_title", "", ""]
    arabic = guess("parties", ["الاسم", "الجوال", "البريد الإلكتروني", "ملاحظات"])
    assert list(arabic.values()) == ["name", "mobile", "email", "note"]
    assert guess("parties", ["Nombre", "Correo electrónico", "País"]) == {
        "Nombre": "name",
        "Correo electrónico": "email",
        "País": "country",
    }
    assert not is_heading("parties", "Ana Núñez")
    assert missing("parties", {"a": "name"}) == []
    assert [str(label) for label in missing("parties", {})] == ["Name"]

"""Cells of offices' spreadsheets: days in five languages and three forms, what can mean two things, countries, headings."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.exchange.cells import CellInvalid
from crm.exchange.sheet_cells import (
    AmountDoubtful,
    DayAmbiguous,
    NoCurrency,
    amount_mark,
    begins_with_total,
    day_order,
    is_total_label,
    joined,
    parts,
    read_amount,
    read_country,
    read_currency,
    read_day,
)
from crm.exchange.sheet_columns import guess, is_heading, missing
from crm.exchange.sheets import Setup, read_sheet, read_totals
from crm.money import Money, to_minor

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
    assert day_order(["03/04/2026", "25/12/2026"]) == ("dmy", "03/04/2026")
    assert day_order(["03/04/2026", "12/25/2026"]) == ("mdy", "03/04/2026")
    assert day_order(["03/04/2026", "04/04/2026"]) == ("", "03/04/2026")
    assert day_order(["25/12/2026", "12/25/2026", "01/02/2026"]) == ("", "01/02/2026")
    assert day_order(["2026-04-03", "3.4.2026", "", "x"]) == ("", "")


def test_countries_and_lists():
    assert [read_country(text) for text in ("Jordanie", "الأردن", "JOR", "jo", " ")] == ["JO", "JO", "JO", "JO", ""]
    assert parts("a; b\nA;a | c") == ("a", "b", "A", "c")


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("AE", "UAE/U.A.E./EAU/الإمارات/الامارات"),
        ("SA", "KSA/K.S.A./Kingdom of Saudi Arabia/السعودية"),
        ("CD", "DRC/D.R. Congo/RDC/République démocratique du Congo"),
        ("CF", "CAR/RCA/Centrafrique"),
        ("CG", "Congo"),
        ("KP", "DPRK/North Korea"),
        ("US", "USA/U.S.A./US/EE.UU./أمريكا"),
        ("GB", "UK/U.K./Great Britain/بريطانيا"),
        ("TR", "Turkey/Türkiye/Turquie"),
        ("CI", "Ivory Coast/Côte d’Ivoire"),
        ("SY", "Syria/سوريا/سورية"),
        ("PS", "Palestine/State of Palestine/oPt/فلسطين"),
        ("CZ", "Czech Republic/Czechia"),
        ("JO", "Hashemite Kingdom of Jordan"),
    ],
)
def test_countries_are_known_by_their_usual_short_names(code, names):
    assert {name: read_country(name) for name in names.split("/")} == dict.fromkeys(names.split("/"), code)


@pytest.mark.parametrize("name", ["Korea", "Lebannon", "R.D.X.", "."])
def test_what_may_be_two_countries_or_none_is_refused(name):
    with pytest.raises(CellInvalid):
        read_country(name)


def test_headings_in_four_languages_are_known():
    assert guess("parties", ["First name", "Last name", "Last contact"])["Last contact"] == ""
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


# --- money -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["1.234,56", "1,234.56", "1 234,56", "1\u00a0234,56", "1'234.56", "١٬٢٣٤٫٥٦", "EUR 1234.56", "1234,56 €", "\u200f1,234.56"]
)
def test_an_amount_is_read_in_many_forms_in_the_row_s_currency_or_its_own(text):
    assert read_amount(text, "EUR") == Money(Decimal("1234.56"), "EUR")


@pytest.mark.parametrize(
    ("text", "amount"), [("€ 9m", "9000000"), ("1.5 million EUR", "1500000"), ("2 bn €", "2000000000"), ("500k EUR", "500000")]
)
def test_amounts_in_words_are_those_that_a_form_understands(text, amount):
    assert read_amount(text) == Money(Decimal(amount), "EUR")


@pytest.mark.parametrize("text", ["", " ", "-", "–", " - "])
def test_a_dash_or_nothing_is_no_amount(text):
    assert read_amount(text, "EUR") is None


def test_an_amount_that_can_mean_two_things_is_not_guessed():
    with pytest.raises(AmountDoubtful, match=r"EUR 1,234 or EUR 1\.234"):
        read_amount("1.234", "EUR")
    assert read_amount("1.234", "EUR", "comma") == Money(Decimal(1234), "EUR")
    assert read_amount("1,234", "EUR", "point") == Money(Decimal(1234), "EUR")
    assert read_amount("1.234", "KWD", "point") == Money(Decimal("1.234"), "KWD")
    assert read_amount("1.234", "JPY") == Money(Decimal(1234), "JPY")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1.2345", "EUR has 2 decimals"),
        ("0.125", "EUR has 2 decimals"),
        ("-5", "must not be negative"),
        ("(5)", "must not be negative"),
        ("0", "greater than 0"),
        ("USD 5", "The amount says USD, but the currency is EUR."),
        ("five", "not an amount"),
        ("1,23,4", "not an amount"),
        ("9" * 40, "too large"),
        ("5" * 500, "not an amount"),
        ("=1+1", "not an amount"),
    ],
)
def test_what_is_no_amount_is_refused(text, said):
    with pytest.raises(CellInvalid, match=said):
        read_amount(text, "EUR")


def test_a_currency_that_nothing_says_is_asked_for():
    with pytest.raises(NoCurrency):
        read_amount("1500")
    with pytest.raises(NoCurrency):
        read_amount("$ 1500")
    assert read_amount("$ 1500", otherwise="USD") == Money(Decimal(1500), "USD")
    assert read_amount("EUR 1500", otherwise="USD") == Money(Decimal(1500), "EUR")
    assert [read_currency(text) for text in ("eur", "€", "US$", "Euros", "dinar jordanien", "")] == ["EUR", "EUR", "USD", "EUR", "JOD", ""]
    with pytest.raises(CellInvalid):
        read_currency("gold")


def test_a_column_says_how_its_amounts_are_written():
    assert amount_mark(["1.234", "12,50"]) == amount_mark(["1.234.567"]) == "comma"
    assert amount_mark(["1,234", "12.5"]) == amount_mark(["1,234,567"]) == "point"
    assert amount_mark(["1.234", "5", "", "x"]) == amount_mark(["1,5", "1.5"]) == ""


def test_words_for_totals_are_known_and_a_donor_called_so_is_none():
    assert all(map(is_total_label, ("Total", "TOTAL EUR:", "Grand total", "Somme", "Total général", "Suma", "المجموع", "Total 2026")))
    assert all(map(begins_with_total, ("Total contacts", "TOTAL number of people:", "Nombre total", "إجمالي الأسماء")))
    assert not any(map(begins_with_total, ("Contacts of Total Energies", "Totally Good Fund", "", "x" * 200)))
    assert not any(map(is_total_label, ("Total Energies", "Totally Good Fund", "Summit", "", "x" * 200)))


def test_headings_that_are_years_or_name_a_currency_are_known():
    wide = guess("programmes", ["Programme", "2026", "Budget 2027 (USD)", "Besoins 2028", "Report 2029"])
    assert list(wide.values()) == ["title", "need", "need", "need", ""]
    spanish = guess("pledges", ["Donante", "Fecha", "Importe", "Moneda", "Vencimiento"])
    assert list(spanish.values()) == ["donor", "pledged_on", "amount", "currency", "due_on"]
    arabic = guess("receipts", ["التاريخ", "المانح", "المبلغ", "العملة", "مرجع البنك"])
    assert list(arabic.values()) == ["value_on", "donor", "amount", "currency", "bank_reference"]


def pledges(text, **said):
    return read_sheet(text.encode(), "pledges", Setup(**said))


@pytest.mark.parametrize("cell", ['"EUR 10; USD 5"', "10 EUR / 5 USD", "EUR 10 + USD 5", '"EUR 10\nUSD 5"'])
def test_a_total_in_several_currencies_is_held_for_each(cell):
    file = pledges(f"Donor,Date,Amount\nA,2026-01-01,EUR 10\nB,2026-01-01,USD 5\nTotal,,{cell}\n")
    assert [(total.currency, total.minor) for total in file.control.totals] == [("EUR", 1000), ("USD", 500)]


def test_a_total_without_a_currency_is_not_held_against_the_currency_of_rows_that_say_none():
    data = "Donor,Date,Amount\nA,2026-01-01,EUR 10\nB,2026-01-01,5\nTotal,,15\n"
    file = pledges(data, currency="USD")
    assert (file.control.totals, file.control.mixed, file.problems) == ([], [4], [])


@pytest.mark.parametrize(
    ("foot", "is_total"),
    [
        ("Total contacts,,198", True),
        ("Total number of people: 198,,", True),
        ("Nombre total,,12", True),
        ("Total contacts,,", False),
        ("Total Energies,,+33 1 44 44 55 55", False),
        ("Total Energies,,0144445555", False),
        ("Total Energies,info@total.example,", False),
    ],
)
def test_a_count_of_the_rows_at_the_foot_is_no_record(foot, is_total):
    file = read_sheet(f"Name,E-mail,Phone\nAna,,\n{foot}\n".encode(), "parties", Setup())
    assert bool(file.problems) is is_total
    assert len(file.rows) == 2 - is_total


@pytest.mark.parametrize("label", ["Total", "Sum", "Gesamt", "المجموع", "Итого", "合计"])
def test_a_total_in_a_list_without_amounts_is_no_record_unless_it_says_more(label):
    file = read_sheet(f"Name,E-mail,Phone\nAna,,\n{label},,12\n{label},info@x.example,\n".encode(), "parties", Setup())
    assert [problem.row_number for problem in file.problems] == [3]
    assert "looks like a total" in file.problems[0].reason
    out = read_sheet(f"Name,E-mail,Phone\nAna,,\n{label},,12\n".encode(), "parties", Setup(left_out=[3]))
    assert (out.problems, out.left_out, len(out.rows)) == ([], [3], 1)


def test_a_row_that_is_left_out_or_mended_asks_nothing():
    data = b"Name,Organisation,Post,Since\nAna,Org,Head,03/04/2026\n"
    assert read_sheet(data, "parties", Setup()).questions
    assert not read_sheet(data + b"Bo,Org,Head,2026-01-01\n", "parties", Setup(left_out=[2])).questions
    assert not read_sheet(data, "parties", Setup(edits={"2": {"Since": "2026-04-03"}})).questions


def test_totals_at_the_foot_are_held_apart_and_subtotals_left_out():
    file = pledges("Donor,Date,Amount,Currency\nA,2026-01-01,10,EUR\nSubtotal,,10,EUR\nB,2026-01-01,5,USD\nTotal EUR,,10,\nTotal,,5,USD\n")
    assert [row.values["donor"] for row in file.rows] == ["A", "B"]
    assert [(total.row_number, total.currency, total.minor) for total in file.control.totals] == [(5, "EUR", 1000), (6, "USD", 500)]
    assert file.notes[0].text == "Row 3 is a subtotal, not a row of the list. It is left out."
    bare = pledges("Donor,Date,Amount\nA,2026-01-01,EUR 10\nB,2026-01-01,EUR 5\n,,15\n")
    assert (len(bare.rows), [total.minor for total in bare.control.totals]) == (2, [1500])
    mixed = pledges("Donor,Date,Amount\nA,2026-01-01,EUR 10\nB,2026-01-01,USD 5\nTotal,,15\n")
    assert (mixed.problems, mixed.control.totals, mixed.control.mixed) == ([], [], [4])
    named = pledges("Donor,Date,Amount\nTotal,2026-01-01,EUR 10\n")  # a donor of this name
    assert len(named.rows) == 1


def test_typed_totals_are_read_by_currency():
    assert read_totals("EUR 1,250.50; 300 USD", ["EUR"]) == {"EUR": 125_050, "USD": 30_000}
    assert read_totals("1250", ["EUR"]) == {"EUR": 125_000}
    for text in ("1250; EUR 3", "many", "1.234"):
        with pytest.raises(CellInvalid):
            read_totals(text, ["EUR"])


@given(st.text(alphabet=st.sampled_from("0123456789.,' -()+€$£EURUSDmbnk٣٫\u00a0\u200f=x"), max_size=30) | st.text(max_size=80))
def test_whatever_stands_in_a_cell_is_an_amount_in_whole_minor_units_or_a_sentence(text):
    for mark in ("", "point", "comma"):
        with suppress(CellInvalid):
            amount = read_amount(text, "EUR", mark)
            assert amount is None or (to_minor(amount) > 0 and amount.currency == "EUR")
    amount_mark([text])
    is_total_label(text)


@given(st.lists(st.text(alphabet=st.sampled_from('ab=;|"\n, '), min_size=1, max_size=12), max_size=5))
def test_entries_of_one_cell_come_apart_as_they_were(entries):
    kept = tuple(dict.fromkeys(text for entry in entries if (text := " ".join(entry.split()))))
    assert parts(joined(kept)) == kept


@pytest.mark.parametrize(
    ("cell", "entries"),
    [
        ("a; b|c\nd", ("a", "b", "c", "d")),
        ('"x;=1+1"; y', ("x;=1+1", "y")),
        ('"The Fund" Ltd; "open', ('"The Fund" Ltd', '"open')),
        ('"a ""b"" c"', ('a "b" c',)),
        ("; ;", ()),
    ],
)
def test_entries_in_quotation_marks_hold_the_marks_that_part_them(cell, entries):
    assert parts(cell) == entries


def test_no_cell_of_entries_takes_long():
    started = time.perf_counter()
    for piece in ('";', '";"', '"";', '"""', 'a"', ' "', ";"):
        parts(piece * 7_000)
    for blank in (" ", "\n", "\t", "\u3000"):  # addresses are parted by blanks too
        assert parts(f"x{blank * 20_000}y", ";\n|, ")[0] == "x"
    assert time.perf_counter() - started < 1

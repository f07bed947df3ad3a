"""Exchange rates: the ECB's files, a generic file per USD, and the shipped history (M5)."""

from __future__ import annotations

import io
import lzma
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from crm import clock, data
from crm.errors import Refused
from crm.exchange.rates import ecb_history, read_ecb, read_per_usd
from crm.exchange.registry import FORMATS, find, recognise
from crm.i18n import use_locale
from crm.money import convert_across, round_half_up

REAL = Path(__file__).parent.parent / "data" / "real"
DAILY = (REAL / "eurofxref-sample.csv").read_bytes()
HISTORY = b"Date,USD,JPY,CYP,\n2026-10-30,1.1172,175.68,N/A,\n2026-10-29,1.1150,175.10,N/A,\n1999-01-04,1.1789,133.73,0.58231,\n"
D = Decimal


def test_the_shipped_history_is_whole() -> None:
    sheets = list(ecb_history())
    assert len(sheets) == 7126
    assert (sheets[0].on, sheets[-1].on) == (date(1999, 1, 4), date(2026, 10, 30))
    assert [sheet.on for sheet in sheets] == sorted({sheet.on for sheet in sheets})
    assert sum(len(sheet.quotes) for sheet in sheets) == 221_702
    assert {(sheet.source, sheet.base) for sheet in sheets} == {("ECB", "EUR")}
    assert all(rate > 0 for sheet in sheets for rate in sheet.quotes.values())
    assert {code for sheet in sheets for code in sheet.quotes} <= set(data.currencies())
    assert (Path(data.__file__).parent / "ecb-history.txt.xz").stat().st_size < 400_000


@pytest.mark.parametrize(
    ("day", "rate"),
    [("2022-09-21", "0.9906"), ("2022-12-15", "1.0621"), ("2023-03-31", "1.0875"), ("2023-09-29", "1.0594"), ("2024-03-28", "1.0811")],
)
def test_m5_the_worked_cases_rates_are_in_it(day: str, rate: str) -> None:
    sheet = next(ecb_history(since=date.fromisoformat(day)))
    assert sheet.on == date.fromisoformat(day)
    assert sheet.quotes["USD"] == D(rate)


def test_m5_a_holiday_has_no_sheet_of_its_own() -> None:
    assert next(ecb_history(since=date(2024, 3, 29))).on == date(2024, 4, 2)


def test_the_daily_file_is_read() -> None:
    file = read_ecb(DAILY)
    (sheet,) = file
    assert (sheet.source, sheet.base, sheet.on) == ("ECB", "EUR", date(2026, 4, 13))
    assert (sheet.quotes["USD"], sheet.quotes["ZAR"], len(sheet.quotes)) == (D("1.1684"), D("19.3849"), 29)
    assert (file.problems, file.notes) == ((), ())
    assert round_half_up(convert_across(D(100), sheet.quotes["GBP"], sheet.quotes["JPY"]), "JPY") == 21451


def _zip(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("eurofxref-hist.csv", content)
    return buffer.getvalue()


@pytest.mark.parametrize("content", [HISTORY, _zip(HISTORY)])
def test_the_history_file_is_read_plain_and_zipped(content: bytes) -> None:
    file = read_ecb(content)
    assert [sheet.on for sheet in file] == [date(1999, 1, 4), date(2026, 10, 29), date(2026, 10, 30)]
    assert set(file.sheets[0].quotes) == {"USD", "JPY", "CYP"}
    assert set(file.sheets[2].quotes) == {"USD", "JPY"}
    with pytest.raises(TypeError):
        file.sheets[0].quotes["USD"] = D(1)  # type: ignore[index]


def test_our_packed_history_reads_like_the_banks_own_file() -> None:
    with lzma.open(Path(data.__file__).parent / "ecb-history.txt.xz", "rt") as packed:
        columns = [line.rstrip("\n").split(",") for line in packed]
    text = "\n".join(",".join(cell or "N/A" for cell in row) + "," for row in zip(*columns, strict=True)) + "\n"
    assert read_ecb(text.encode()).sheets == tuple(ecb_history())


def test_a_bad_day_is_rejected_whole_and_others_stay() -> None:
    file = read_ecb(HISTORY.replace(b"1.1150", b"-1").replace(b"1999-01-04", b"1999-01-44"))
    assert [sheet.on for sheet in file] == [date(2026, 10, 30)]
    assert [(problem.row_number, problem.column) for problem in file.problems] == [(3, "USD"), (4, "Date")]


@pytest.mark.parametrize("rate", [b"0", b"abc", b"1e5", b"9999999999999", b"1.1234567890123", b"1,15", b"NaN"])
def test_a_quote_that_is_no_rate_is_rejected(rate: bytes) -> None:
    file = read_ecb(b"Date;USD\n2026-10-30;" + rate + b"\n")
    assert file.sheets == ()
    assert file.problems[0].column == "USD"


def test_a_day_given_twice_counts_once_or_not_at_all() -> None:
    same = read_ecb(HISTORY + b"2026-10-30,1.1172,175.68,N/A,\n")
    assert len(same.sheets) == 3
    assert same.problems == ()
    other = read_ecb(HISTORY + b"2026-10-30,1.2,175.68,N/A,\n2026-10-30,1.1172,175.68,N/A,\n")
    assert [sheet.on for sheet in other] == [date(1999, 1, 4), date(2026, 10, 29)]
    assert [problem.row_number for problem in other.problems] == [2, 5, 6]


def test_a_strange_column_is_left_out_and_said() -> None:
    file = read_ecb(b"Date,USD,XYZ,Note\n2026-10-30,1.1,5,hello\n")
    assert dict(file.sheets[0].quotes) == {"USD": D("1.1")}
    assert "XYZ, Note" in file.notes[0].text


def test_a_file_without_dollars_or_dates_is_refused() -> None:
    with pytest.raises(Refused, match="“USD” is missing"):
        read_ecb(b"Date,GBP\n2026-10-30,0.8\n")
    with pytest.raises(Refused, match="“Date” is missing"):
        read_ecb(b"USD,GBP\n1,0.8\n")


# --- per USD --------------------------------------------------------------------------------------------------------


def test_units_per_dollar_are_read_by_day() -> None:
    file = read_per_usd(
        b"Country,Currency Code,Rate,Effective Date\nKenya,KES,129.2,1 Nov 2026\nJordan,JOD,0.708,01-Nov-2026\nKenya,kes,129.5,2026-11-15\n"
        b"Mali,XOF,565,2026-11-01\nNiger,XOF,565,2026-11-01\nUSA,USD,1,2026-11-01\n",
        name="UNORE",
    )
    assert [(sheet.source, sheet.base, sheet.on, dict(sheet.quotes)) for sheet in file] == [
        ("UNORE", "USD", date(2026, 11, 1), {"JOD": D("0.708"), "KES": D("129.2"), "USD": D(1), "XOF": D(565)}),
        ("UNORE", "USD", date(2026, 11, 15), {"KES": D("129.5")}),
    ]
    assert file.problems == ()


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (b"XYZ,5,2026-11-01", "currency"),
        (b",5,2026-11-01", "currency"),
        (b"KES,0,2026-11-01", "rate"),
        (b"KES,,2026-11-01", "rate"),
        (b"KES,-5,2026-11-01", "rate"),
        (b"KES,5,", "date"),
        (b"KES,5,11/01/2026", "date"),
        (b"KES,5,2999-01-01", "date"),
        (b"USD,2,2026-11-01", "rate"),
    ],
)
def test_a_bad_rate_is_rejected_alone(row: bytes, column: str) -> None:
    file = read_per_usd(b"currency,rate,date\n" + row + b"\nETB,150,2026-11-01\n")
    assert dict(file.sheets[0].quotes) == {"ETB": D(150)}
    assert [(problem.row_number, problem.column) for problem in file.problems] == [(2, column)]


def test_rates_are_published_ahead_but_not_far() -> None:
    with clock.frozen(date(2026, 10, 25)):
        file = read_per_usd(b"currency,rate,date\nKES,129,2026-11-01\nKES,130,2027-11-01\n")
    assert [sheet.on for sheet in file] == [date(2026, 11, 1)]
    assert "future" in file.problems[0].reason


def test_two_rates_for_one_day_leave_none() -> None:
    file = read_per_usd(b"currency,rate,date\nKES,129,2026-11-01\nKES,130,2026-11-01\nKES,129,2026-11-01\nETB,150,2026-11-01\n")
    assert dict(file.sheets[0].quotes) == {"ETB": D(150)}
    assert [problem.row_number for problem in file.problems] == [2, 3, 4]


def test_another_base_is_rejected() -> None:
    file = read_per_usd(b"currency,rate,date,base\nKES,129,2026-11-01,EUR\nKES,128,2026-11-01,USD\n")
    assert dict(file.sheets[0].quotes) == {"KES": D(128)}
    assert file.problems[0].column == "base"


@pytest.mark.parametrize("code", ["JOD", "KWD", "BHD", "OMR"])
def test_a_file_the_wrong_way_round_is_refused(code: str) -> None:
    with pytest.raises(Refused, match="dollars per unit"):
        read_per_usd(f"currency,rate,date\nKES,0.0077,2026-11-01\n{code},1.41,2026-11-01\n".encode())


# --- the registry ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("fts-incoming-funding-jor-2020-hxl.csv", "fts-flows"),
        ("fts-incoming-funding-jor-plain.csv", "fts-flows"),
        ("fts-requirements-jor-2020-hxl.csv", "fts-requirements"),
        ("eurofxref-sample.csv", "rates-ecb"),
    ],
)
def test_a_file_is_recognised_and_its_reader_reads_it(name: str, slug: str) -> None:
    content = (REAL / name).read_bytes()
    found = recognise(content)
    assert found is FORMATS[slug]
    assert found.read(content).problems == ()
    with use_locale("en"):
        assert str(found.title)
        assert str(found.description)


def test_rates_per_dollar_and_strangers_are_told_apart() -> None:
    per_usd, history, stranger = recognise(b"currency,rate,date\nKES,1,2026-11-01\n"), recognise(_zip(HISTORY)), recognise(b"a,b\n1,2\n")
    assert per_usd is find("rates-per-usd")
    assert history is None or history.slug == "rates-ecb"
    assert stranger is None
    with pytest.raises(Refused, match="no file format"):
        find("unknown")


def test_a_file_says_whose_rates_it_holds():
    """M5: by its column "source" or the heading of its rate; the UN's rates are known by either, and one file has one source."""
    assert read_per_usd(b"currency,operational rate,effective date\nKES,129,2026-11-01\n").source == "UNORE"
    assert read_per_usd(b"currency,rate,date,source\nKES,129,2026-11-01,UN operational rates\n").source == "UNORE"
    assert read_per_usd(b"currency,rate,date,source\nKES,129,2026-11-01,\nJOD,0.7,2026-11-01,Central bank\n").source == "Central bank"
    assert read_per_usd(b"currency,rate,date\nKES,129,2026-11-01\n").source == "per USD"
    file = read_per_usd(b"currency,rate,date,source\nKES,129,2026-11-01,UNORE\nJOD,0.7,2026-11-01,Bank\nETB,150,2026-11-01,\n")
    assert [(problem.row_number, problem.column) for problem in file.problems] == [(3, "source")]
    assert set(file.sheets[0].quotes) == {"KES", "ETB"}
    for name in ("ECB", "x" * 41):
        file = read_per_usd(f"currency,rate,date,source\nKES,129,2026-11-01,{name}\n".encode())
        assert [problem.column for problem in file.problems] == ["source"], name

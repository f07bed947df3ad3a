"""FTS files: real ones with and without the HXL row, older forms, and hostile ones; flows count once (M16)."""

from __future__ import annotations

import csv
import io
import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm import clock
from crm.errors import Refused
from crm.exchange.fts import (
    FLOW_COLUMNS,
    MAX_CODE,
    MAX_DESCRIPTION,
    MAX_NAME,
    Boundary,
    ContributionType,
    FlowFile,
    FlowStatus,
    FlowType,
    OnBoundary,
    read_flows,
    read_requirements,
)
from crm.exchange.tabular import rejects_csv
from crm.money import MAX_MINOR

REAL = Path(__file__).parent.parent / "data" / "real"
HXL = (REAL / "fts-incoming-funding-jor-2020-hxl.csv").read_bytes()
PLAIN = (REAL / "fts-incoming-funding-jor-plain.csv").read_bytes()
REQUIREMENTS = (REAL / "fts-requirements-jor-2020-hxl.csv").read_bytes()
D = Decimal

Record = dict[str, str]


def records() -> list[Record]:
    return list(csv.DictReader(io.StringIO(PLAIN.decode(), newline="")))


def as_csv(rows: list[Record], header: list[str] | None = None, tags: dict[str, str] | None = None, delimiter: str = ",") -> bytes:
    buffer = io.StringIO(newline="")
    header = header or list(rows[0])
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    if tags:
        writer.writerow([tags.get(name, "") for name in header])
    writer.writerows([row.get(name, "") for name in header] for row in rows)
    return buffer.getvalue().encode()


def flow(**changes: str) -> bytes:
    """One good row of a real file, changed."""
    return as_csv([records()[0] | changes])


def facts(file: FlowFile) -> list[tuple[object, ...]]:
    return sorted(
        (row.source_id, row.status, row.amount_usd, row.donor, row.recipient, row.original_amount, row.clusters, row.flow_type, row.updated)
        for row in file.rows
    )


# --- real files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [HXL, PLAIN])
def test_the_real_file_is_taken_whole_with_and_without_the_tag_row(data: bytes) -> None:
    file = read_flows(data)
    assert len(file.rows) == file.row_count == 440
    assert file.problems == ()
    assert Counter(row.status for row in file.rows) == {FlowStatus.PAID: 304, FlowStatus.COMMITMENT: 135, FlowStatus.PLEDGE: 1}
    assert Counter(row.on_boundary for row in file.rows) == {OnBoundary.SINGLE: 348, OnBoundary.SHARED: 92}
    assert Counter(row.flow_type for row in file.rows) == {FlowType.STANDARD: 388, FlowType.PARKED: 41, FlowType.PASS_THROUGH: 11}
    assert Counter(row.contribution_type for row in file.rows) == {ContributionType.FINANCIAL: 424, ContributionType.IN_KIND: 16}
    assert {row.boundary for row in file.rows} == {Boundary.INCOMING}
    assert bool(file.tags) is (data is HXL)
    assert [note.kind for note in file.notes] == ["rate"] * 3  # SEK 15,000,000 at a rate of 1 among them


def test_both_forms_say_the_same() -> None:
    assert facts(read_flows(HXL)) == facts(read_flows(PLAIN))


def test_m2_the_sums_of_one_donor_are_kept_apart_by_status_and_boundary() -> None:
    sums: Counter[tuple[FlowStatus, OnBoundary]] = Counter()
    count = 0
    for row in read_flows(HXL).rows:
        if row.donor.name == "Germany, Government of":
            count += 1
            sums[row.status, row.on_boundary] += int(row.amount_usd)
    assert count == 34
    assert sums == {
        (FlowStatus.PAID, OnBoundary.SINGLE): 139_594_872,
        (FlowStatus.PAID, OnBoundary.SHARED): 81_198_525,
        (FlowStatus.COMMITMENT, OnBoundary.SINGLE): 22_138_564,
        (FlowStatus.COMMITMENT, OnBoundary.SHARED): 0,
    }


def test_m16_what_counts_adds_up_to_the_publishers_own_total() -> None:
    flows = sum(row.amount_usd for row in read_flows(HXL).rows if row.counts_in_totals)
    funded = sum(row.funding_usd or 0 for row in read_requirements(REQUIREMENTS).rows)
    assert flows == funded == 714_246_261


def test_a_row_is_read_field_by_field() -> None:
    row = read_flows(HXL).rows[0]
    assert row.row_number == 3
    assert (row.source_id, row.status, row.amount_usd) == ("227992", FlowStatus.PAID, D(725689))
    assert (row.original_amount, row.original_currency, row.exchange_rate) == (D(1000000), "CAD", D("1.378"))
    assert (row.date, row.decision_date, row.first_reported) == (date(2021, 2, 16), date(2020, 5, 13), date(2021, 2, 11))
    assert row.donor.name == "Canada, Government of"
    assert (row.donor.types, row.donor.locations, row.donor.usage_from, row.donor.usage_to) == (("Government",), (), 2020, 2020)
    assert (row.recipient.name, row.recipient.locations) == ("Jordan Humanitarian Fund", ("JOR",))
    assert (row.plan_name, row.plan_code, row.plan_id) == ("Syria Refugee Response and Resilience Plan (3RP) 2020", "RSYR20", "943")
    assert (row.method, row.ref_code, row.budget_year, row.keywords) == ("Traditional aid", "P009530001", "", ())
    assert (row.created, row.updated) == (date(2021, 2, 16), date(2021, 2, 16))
    assert row.raw["srcOrganization"] == "Canada, Government of"
    assert len(row.raw) == 37


def test_names_with_commas_stay_whole_and_lists_are_parted() -> None:
    rows = read_flows(PLAIN).rows
    names = {row.donor.name for row in rows}
    assert {"Korea, Republic of, Government of", "Saudi Arabia (Kingdom of), Government of", ""} <= names
    assert ("Gender Based Violence", "Multi-sector") in {row.clusters for row in rows}
    assert ("AFG", "JOR") in {row.recipient.locations for row in rows}
    assert ("Humanitarian aid", "Multiyear") in {row.keywords for row in rows}


def test_an_original_currency_without_amount_or_rate_is_taken() -> None:
    rows = read_flows(PLAIN).rows
    assert sum(row.original_currency is not None and row.original_amount is None for row in rows) == 4
    assert sum(row.original_amount is not None and row.exchange_rate is None for row in rows) == 2


def test_the_real_requirements_are_taken() -> None:
    file = read_requirements(REQUIREMENTS)
    assert file.problems == ()
    plan, covid, outside = file.rows
    assert (plan.country, plan.plan_id, plan.year, plan.requirements_usd, plan.funding_usd, plan.percent) == (
        "JOR",
        "943",
        2020,
        D(1475421996),
        D(597249843),
        D(40),
    )
    assert (covid.starts, covid.ends, covid.plan_type) == (date(2020, 5, 1), date(2020, 12, 31), "Other")
    assert (outside.plan_name, outside.plan_id, outside.requirements_usd, outside.percent) == ("Not specified", "", None, None)


# --- other forms of the same --------------------------------------------------------------------------------------


def test_columns_may_stand_in_any_order_with_extra_ones_between() -> None:
    rows = [row | {"our note": "x", "2": ""} for row in records()]
    header = list(rows[0])
    random.Random(4).shuffle(header)  # noqa: S311 - any order will do
    assert facts(read_flows(as_csv(rows, header))) == facts(read_flows(PLAIN))


@pytest.mark.parametrize("shuffled", [False, True])
def test_renamed_headings_are_recognised_by_their_tags(shuffled: bool) -> None:
    tags = {
        column.heading: column.tag.split("+")[0] + "".join(f" +{part.upper()}" for part in reversed(column.tag.split("+")[1:]))
        for column in FLOW_COLUMNS.values()
    }
    header = list(records()[0])
    if shuffled:
        random.Random(9).shuffle(header)  # noqa: S311
    named = {name: f"Spalte {place}" for place, name in enumerate(header)}
    rows = [{named[name]: cell for name, cell in row.items()} for row in records()]
    data = as_csv(rows, [named[name] for name in header], {named[name]: tag for name, tag in tags.items()})
    file = read_flows(data)
    assert facts(file) == facts(read_flows(PLAIN))
    assert Counter(row.contribution_type for row in file.rows)[ContributionType.IN_KIND] == 16
    assert Counter(row.on_boundary for row in file.rows)[OnBoundary.SHARED] == 92


def test_a_tag_row_without_any_heading_is_enough() -> None:
    data = b"\n".join(HXL.split(b"\n")[1:])
    assert facts(read_flows(data)) == facts(read_flows(PLAIN))


def test_tab_and_semicolon_separated_files_are_the_same_files() -> None:
    for delimiter in "\t;":
        assert facts(read_flows(as_csv(records(), delimiter=delimiter))) == facts(read_flows(PLAIN))


def test_an_older_file_without_some_columns_says_what_is_taken_for_granted() -> None:
    gone = {"onBoundary", "boundary", "flowType", "contributionType", "destEmergency", "keywords", "originalAmount", "updatedAt"}
    rows = [{name: cell for name, cell in row.items() if name not in gone} for row in records()]
    file = read_flows(as_csv(rows))
    assert len(file.rows) == 440
    assert [note.text for note in file.notes if note.kind == "default"] == [
        "The file has no column “onBoundary”: every flow is taken as single.",
        "The file has no column “boundary”: every flow is taken as incoming.",
        "The file has no column “contributionType”: every flow is taken as financial.",
        "The file has no column “flowType”: every flow is taken as standard.",
    ]
    assert {row.updated for row in file.rows} == {None}


def test_the_form_of_2020_with_its_longer_tags_is_read() -> None:
    data = (
        b"when,amt,donor type,giver,getter,n,st,kind\n"
        b"#date,#value+funding+total+usd,#org+type+funder+list,#org+name+funder,#org+name+impl,#activity+id+fts_internal,#status+text,"
        b"#activity+appeal+name+impl\n"
        b'2017-04-17,10250000,"Government,National government","United States of America, Government of",'
        b"International Committee of the Red Cross,149198,commitment,Afghanistan 2017\n"
    )
    (row,) = read_flows(data).rows
    assert row.donor.name == "United States of America, Government of"
    assert row.donor.types == ("Government", "National government")
    assert row.plan_name == "Afghanistan 2017"
    assert row.recipient.name == "International Committee of the Red Cross"


def test_what_other_programs_do_to_numbers_and_dates_is_understood() -> None:
    data = flow(
        id="227992.0",
        amountUSD="725,689.00",
        destPlanId="943.0",
        srcUsageYearStart="2020.0",
        budgetYear="2020.0",
        date="2021-02-16T00:00:00.000Z",
        status=" Paid ",
        contributionType="In-Kind",
        flowType="Carry-over",
        boundary="Outgoing",
        originalCurrency="cad",
    )
    (row,) = read_flows(data).rows
    assert (row.source_id, row.amount_usd, row.plan_id, row.donor.usage_from, row.budget_year) == ("227992", D(725689), "943", 2020, "2020")
    assert (row.date, row.status, row.contribution_type) == (date(2021, 2, 16), FlowStatus.PAID, ContributionType.IN_KIND)
    assert (row.flow_type, row.boundary, row.original_currency) == (FlowType.CARRY_OVER, Boundary.OUTGOING, "CAD")


def test_a_new_kind_of_flow_is_taken_as_other_and_several_plans_as_none() -> None:
    (row,) = read_flows(flow(flowType="Teleported", destPlanId="Multiple", destPlan="Multiple")).rows
    assert row.flow_type is FlowType.OTHER
    assert (row.plan_id, row.plan_name) == ("", "Multiple")


# --- rows that are wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("id", "", "no number"),
        ("id", "abc", "not an FTS number"),
        ("id", "0", "not an FTS number"),
        ("id", "-5", "not an FTS number"),
        ("id", "1.5", "not an FTS number"),
        ("id", "1" * 30, "not an FTS number"),
        ("id", "٢٢٧", "not an FTS number"),
        ("id", "' OR 1=1 --", "not an FTS number"),
        ("date", "", "no date"),
        ("date", "2021-02-30", "no such day"),
        ("date", "16/02/2021", "not a date"),
        ("date", "0001-01-01", "year"),
        ("date", "9999-12-31", "year"),
        ("date", "yesterday", "not a date"),
        ("decisionDate", "2020-13-01", "no such day"),
        ("updatedAt", "2021-0", "not a date"),
        ("amountUSD", "", "no amount"),
        ("amountUSD", "-5", "negative"),
        ("amountUSD", "(5)", "negative"),
        ("amountUSD", "0.12345678", "more than 2 decimals"),
        ("amountUSD", "725,689", "more than one way"),
        ("amountUSD", "725.689,00", "more than one way"),
        ("amountUSD", "7.25689E+05", "scientific notation"),
        ("amountUSD", "NaN", "not a number"),
        ("amountUSD", "inf", "not a number"),
        ("amountUSD", "=1+1", "not a number"),
        ("amountUSD", "١٢٣", "not a number"),
        ("amountUSD", str(2**63), "too large"),
        ("amountUSD", "9" * 41, "more than one way|not a number|too large"),
        ("originalAmount", "-1", "negative"),
        ("originalAmount", "1.005", "more than 2 decimals"),
        ("originalAmount", "9" * 19, "too large"),
        ("originalCurrency", "XYZ", "not a currency"),
        ("originalCurrency", "", "has no currency"),
        ("exchangeRate", "0", "rate of 0"),
        ("exchangeRate", "abc", "not a number"),
        ("status", "", "unknown"),
        ("status", "promised", "Known: pledge, commitment, paid"),
        ("boundary", "sideways", "unknown"),
        ("onBoundary", "twice", "unknown"),
        ("contributionType", "barter", "unknown"),
        ("srcUsageYearStart", "20x0", "not a year"),
        ("srcUsageYearStart", "2022", "before they begin"),
        ("destUsageYearEnd", "3020", "not a year"),
        ("destPlanId", "HJOR", "not an FTS number"),
        ("srcOrganization", "x" * (MAX_NAME + 1), "longer than"),
        ("srcOrganization", "Germany, Government of\u202e", "direction of writing"),
        ("description", "x" * (MAX_DESCRIPTION + 1), "longer than"),
        ("refCode", "x" * (MAX_CODE + 1), "longer than"),
    ],
)
def test_a_row_is_taken_whole_or_not_at_all(column: str, cell: str, reason: str) -> None:
    good, bad = records()[1], records()[0] | {column: cell}
    file = read_flows(as_csv([bad, good]))
    assert [row.source_id for row in file.rows] == [good["id"]]
    (problem,) = file.problems
    assert problem.row_number == 2
    assert problem.column in {column, "amountUSD", "originalCurrency"}
    assert cell[:20] in " ".join(problem.raw)
    assert re.search(reason, problem.reason), problem.reason


def test_a_currency_without_decimals_takes_none() -> None:
    assert read_flows(flow(originalCurrency="JPY", originalAmount="1000.5")).problems[0].column == "originalAmount"
    assert read_flows(flow(originalCurrency="JPY", originalAmount="1000.00")).rows[0].original_amount == 1000


def test_the_largest_amount_that_fits_is_taken() -> None:
    assert read_flows(flow(amountUSD="9999999999999999.99")).rows[0].amount_usd == D(MAX_MINOR).scaleb(-2)


def test_markup_formulas_and_strange_letters_stay_text() -> None:
    texts = [
        "=cmd|' /C calc'!A0",
        "<script>alert(1)</script>",
        "{{ 7*7 }}",
        "'; DROP TABLE flows;--",
        "منظمة أهلية",
        "e\u0301cole",
        "@SUM(1)",
        "-x",
    ]
    for text in texts:
        (row,) = read_flows(flow(description=text, srcOrganization=text)).rows
        assert row.description == row.donor.name
        assert row.description in {text, "école"}
        assert row.raw["description"] == text
    (row,) = read_flows(flow(description="bell\x07 and\ttab\nline \u200fمرحبا")).rows
    assert row.description == "bell and\ttab\nline \u200fمرحبا"


def test_a_date_in_the_future_is_noted_and_taken() -> None:
    with clock.frozen(datetime(2020, 12, 31, tzinfo=UTC)):
        file = read_flows(flow())
    assert len(file.rows) == 1
    assert [note.kind for note in file.notes] == ["future"]


# --- M16: counted once ----------------------------------------------------------------------------------------------


def test_m16_the_same_flow_twice_counts_once() -> None:
    file = read_flows(as_csv([records()[0], records()[1], records()[0]]))
    assert [row.row_number for row in file.rows] == [2, 3]
    assert [(note.row_number, note.text) for note in file.duplicates] == [(4, "Flow 227992 is counted once, from row 2.")]
    assert file.problems == ()


def test_m16_the_same_flow_at_two_boundaries_counts_once_by_its_last_update() -> None:
    older, newer = records()[0], records()[0] | {"boundary": "outgoing", "updatedAt": "2021-03-01"}
    file = read_flows(as_csv([older, newer]))
    assert [row.boundary for row in file.rows] == [Boundary.OUTGOING]
    assert [note.row_number for note in file.duplicates] == [2]


def test_m16_a_corrected_amount_is_the_one_updated_last() -> None:
    older, newer = records()[0] | {"updatedAt": ""}, records()[0] | {"amountUSD": "1"}
    file = read_flows(as_csv([newer, older]))
    assert [row.amount_usd for row in file.rows] == [1]


@pytest.mark.parametrize("change", [{"amountUSD": "1"}, {"status": "pledge"}, {"contributionType": "in kind"}, {"originalAmount": "7"}])
def test_m16_rows_that_contradict_each_other_are_all_rejected(change: Record) -> None:
    file = read_flows(as_csv([records()[0], records()[0] | change, records()[1]]))
    assert [row.source_id for row in file.rows] == ["227996"]
    assert [problem.row_number for problem in file.problems] == [2, 3]
    assert "Rows 2, 3 report flow 227992 differently" in file.problems[0].reason
    assert not [note for note in file.notes if note.row_number in {2, 3}]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["paid", "pledge", "?"]), st.sampled_from(["1", "2", "x"])), max_size=15))
def test_every_row_ends_in_exactly_one_place(choices: list[tuple[int, str, str]]) -> None:
    base = records()[0]
    rows = [base | {"id": str(number + 1), "status": status, "amountUSD": amount} for number, status, amount in choices] or [base]
    file = read_flows(as_csv(rows))
    places = [row.row_number for row in file.rows] + [problem.row_number for problem in file.problems]
    places += [note.row_number for note in file.duplicates]
    assert sorted(places) == list(range(2, len(rows) + 2))
    assert file.row_count == len(rows)
    assert len({row.source_id for row in file.rows}) == len(file.rows)


# --- files that are wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["id", "status", "amountUSD", "date", "srcOrganization", "destOrganization"])
def test_a_needed_column_that_is_missing_is_named(column: str) -> None:
    data = PLAIN.replace(column.encode() + b",", b"zzz,", 1) if column not in {"id", "date"} else None
    if data is None:
        data = as_csv([{("zzz" if name == column else name): cell for name, cell in row.items()} for row in records()])
    with pytest.raises(Refused, match=f"“{column}” is missing"):
        read_flows(data)


def test_one_kind_of_file_given_as_the_other_is_refused() -> None:
    with pytest.raises(Refused, match="“status”, “date”, “srcOrganization”"):
        read_flows(REQUIREMENTS)
    with pytest.raises(Refused, match="“requirements”"):
        read_requirements(PLAIN)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda data: data[:-60], "stops in the middle of row 441"),
        (lambda data: data[: data.rindex(b'"')], "row 4|never closed|middle"),
        (lambda data: data.replace(b"227996", b"22\x007996"), "zero bytes"),
        (lambda _data: b"", "empty"),
    ],
)
def test_a_spoilt_file_changes_nothing(spoil: Callable[[bytes], bytes], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        read_flows(spoil(PLAIN))


def test_latin_1_is_read_with_a_warning() -> None:
    data = flow(srcOrganization="Médecins du Monde").decode().encode("latin-1")
    file = read_flows(data)
    assert file.rows[0].donor.name == "Médecins du Monde"
    assert [note.kind for note in file.notes] == ["encoding"]


def test_headings_alone_are_a_file_without_rows() -> None:
    file = read_flows(PLAIN.splitlines(keepends=True)[0])
    assert (file.rows, file.problems, file.row_count) == ((), (), 0)


def test_rejected_rows_can_be_mended_and_brought_again() -> None:
    rows = [records()[0] | {"amountUSD": "?", "description": "=1+1"}, records()[1] | {"description": "'=x"}, records()[2] | {"date": "?"}]
    file = read_flows(as_csv(rows))
    back = rejects_csv(file.problems, file.header, file.tags)
    assert b"'=1+1" in back
    assert read_flows(back).problems[0].column == "amountUSD"
    mended = back.replace(b'"?"', b'"2021-01-01"').replace(b'"2021-01-01","Canada', b'"5","Canada', 1)
    again = read_flows(mended)
    assert again.rows
    assert again.rows[0].description in {"=1+1", records()[2]["description"]}


@pytest.mark.slow
def test_fifty_megabytes_of_flows_are_read() -> None:
    many, number = [], 300_000
    rows = records()
    while number < 300_000 + 100_000:
        many.append(rows[number % 440] | {"id": str(number)})
        number += 1
    file = read_flows(as_csv(many))
    assert len(file.rows) == 100_000
    assert file.problems == ()


# --- requirements ---------------------------------------------------------------------------------------------------


def requirement(**changes: str) -> Record:
    rows = list(csv.DictReader(io.StringIO(REQUIREMENTS.decode(), newline="")))
    return rows[1] | changes


def test_requirements_by_cluster_are_marked_as_parts() -> None:
    rows = [
        requirement(clusterCode="5833", cluster="Health COVID-19", requirements="52045731", funding="200000"),
        requirement(clusterCode="", cluster="Not specified", requirements="", funding="400003"),
        requirement(clusterCode="", cluster="Not specified", requirements="", funding="400003"),
    ]
    file = read_requirements(as_csv(rows))
    assert [row.cluster for row in file.rows] == ["Health COVID-19", "Not specified"]
    assert [(note.kind, note.row_number) for note in file.notes] == [("duplicate", 4)]


def test_requirements_that_contradict_each_other_are_rejected() -> None:
    file = read_requirements(as_csv([requirement(), requirement(funding="5")]))
    assert file.rows == ()
    assert [problem.row_number for problem in file.problems] == [2, 3]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("year", ""),
        ("year", "twenty"),
        ("name", ""),
        ("requirements", "-1"),
        ("funding", "1.234"),
        ("percentFunded", "lots"),
        ("startDate", "2020-02-31"),
        ("endDate", "2019-01-01"),
        ("id", "x"),
    ],
)
def test_a_bad_requirement_is_rejected(column: str, cell: str) -> None:
    file = read_requirements(as_csv([requirement(**{column: cell})]))
    assert file.rows == ()
    assert file.problems[0].column == column

"""Spreadsheets of money: pledges with instalments, receipts, programmes with needs; control totals, the same file twice, refusals."""

from __future__ import annotations

import csv
import io
import threading
from datetime import date
from decimal import Decimal

import pytest
import xlsxwriter
from sqlalchemy import func, select

from crm.db import db
from crm.errors import Denied, Invalid
from crm.exchange.sheets import Setup
from crm.jobs import engine, imports, sheets
from crm.models.jobs import Job
from crm.models.pledges import Agreement, Instalment, Pledge, Receipt
from crm.models.programmes import Programme, Requirement
from crm.money import Money
from crm.queries import imports as held
from crm.queries.figures import stored
from crm.services import pledges, receipts
from tests.factories import money


def sheet(*rows):
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()


def bring(actor, data, kind, **more):
    return held.get(imports.import_file(actor, actor.home_office_id, kind, "list.csv", data, **more))


def counts(batch):
    return batch.created, batch.updated, batch.unchanged, batch.rejected


def reasons(batch):
    return [(row.row_number, row.column, row.reason) for row in held.every_reject(batch.id)]


def sums(batch):
    return held.summary_of(batch).sums


def count(entity):
    return db.session.scalar(select(func.count()).select_from(entity))


def holds_together():
    wrong = [*stored.wrong_pledges(), *stored.wrong_agreements(), *stored.wrong_matches()]
    assert not wrong, wrong


@pytest.fixture
def grants(acting):
    actor = acting("grants")
    money.donor(actor, "Ministry of Northland")
    money.donor(actor, "Fonds du Sud")
    return actor


PLEDGES = sheet(
    ["Donor", "Grant reference", "Date", "Amount", "Currency", "Due date", "Purpose"],
    ["Ministry of Northland", "NL-1", "2026-01-10", "1.500.000,00", "EUR", "2026-03-31", "Clinics"],
    ["Ministry of Northland", "NL-1", "2026-01-10", "500.000", "EUR", "2026-09-30", ""],
    ["Fonds du Sud", "FS 7", "2026-02-01", "250 000", "USD", "", ""],
    ["fonds du sud", "", "2026-02-03", "١٠٠٠", "KWD", "", "Schools"],
    ["Total", "", "", "2.000.000,00", "EUR", "", ""],
)


def test_pledges_come_in_with_their_instalments_and_the_same_file_twice_changes_nothing(grants):
    dry = bring(grants, PLEDGES, "pledges", dry_run=True)
    batch = bring(grants, PLEDGES, "pledges")
    assert counts(dry) == counts(batch) == (3, 0, 0, 0), (reasons(dry), reasons(batch))
    northland = db.session.scalars(select(Pledge).where(Pledge.donor_reference == "NL-1")).one()
    assert (northland.announced, northland.commitment.words) == (Money(Decimal(2_000_000), "EUR"), "Clinics")
    plan = db.session.execute(select(Instalment.due_on, Instalment.amount_minor).where(Instalment.currency == "EUR")).all()
    assert {tuple(row) for row in plan} == {(date(2026, 3, 31), 150_000_000), (date(2026, 9, 30), 50_000_000)}
    assert db.session.scalars(select(Pledge.announced_minor).where(Pledge.currency == "KWD")).one() == 1_000_000
    holds_together()
    again = bring(grants, PLEDGES, "pledges")
    assert counts(again) == (0, 0, 3, 0), reasons(again)
    assert count(Pledge) == 3


def test_control_totals_stand_for_each_currency_and_the_total_row_is_no_pledge(grants):
    batch = bring(grants, PLEDGES, "pledges", dry_run=True)
    said = held.summary_of(batch)
    assert said.control["read"] == {"EUR": [2, 200_000_000], "USD": [1, 25_000_000], "KWD": [1, 1_000_000]}
    assert said.control["totals"] == [["EUR", 200_000_000, 6]]
    assert said.sums == {"created": said.control["read"]}
    assert batch.rows == 4
    assert any("Row 6 is taken for the total" in note for note in said.notes)


def test_what_is_refused_is_in_the_totals_too(grants):
    data = sheet(
        ["Donor", "Ref", "Date", "Amount", "Currency", "Due"],
        ["Ministry of Northland", "A", "2026-01-10", "100", "EUR", ""],
        ["Nobody at all", "B", "2026-01-10", "200", "EUR", ""],
        ["Ministry of Northland", "C", "2026-01-10", "300", "EUR", "soon"],
        ["Ministry of Northland", "C", "2026-01-10", "400", "EUR", "2026-05-01"],
        ["Ministry of Northland", "D", "2026-01-10", "1.005", "EUR", ""],
        ["Ministry of Northland", "E", "2026-01-10", "12.50", "EUR", ""],
        ["Ministry of Northland", "F", "2026-01-10", "0.125", "EUR", ""],
    )
    batch = bring(grants, data, "pledges")
    said = held.summary_of(batch)
    assert counts(batch) == (2, 0, 0, 5), reasons(batch)
    why = {row: reason for row, _column, reason in reasons(batch)}
    assert "“Nobody at all” is not on record" in why[3]
    assert "“soon” is not a date" in why[4]
    assert "Row 4 of the same record cannot be read" in why[5]
    assert why[6] == why[8] == "EUR has 2 decimals; this amount has more."
    total = dict.fromkeys(("created", "updated", "unchanged", "rejected"), 0)
    for action, by_currency in said.sums.items():
        total[action] += by_currency["EUR"][1]
    assert (total["created"], total["rejected"], said.control["refused"]["EUR"][1]) == (11_250, 20_000, 70_000)
    assert said.control["read"]["EUR"][1] == sum(total.values()) + said.control["refused"]["EUR"][1]
    assert said.control["unread"] == 2


def test_amounts_that_can_mean_two_things_are_asked_and_settled_by_the_column(grants):
    rows = [["Donor", "Ref", "Date", "Amount", "Currency"], ["Ministry of Northland", "A", "2026-01-10", "1.234", "EUR"]]
    batch = bring(grants, sheet(*rows), "pledges", dry_run=True)
    read = imports.sheet_to_mend(grants, batch.id)
    assert [(question.heading, question.about) for question in read.file.questions] == [("Amount", "amounts")]
    assert "EUR 1,234 or EUR 1.234" in reasons(batch)[0][2]
    said = Setup.load(sheets.setup_of(batch.id).dump().replace('"amount_mark": ""', '"amount_mark": "comma"'))
    imports.recheck_sheet(grants, batch.id, 1, said, is_remembered=True)
    assert sums(held.get(batch.id)) == {"created": {"EUR": [1, 123_400]}}
    settled = [*rows, ["Ministry of Northland", "B", "2026-01-10", "12,5", "EUR"]]
    assert counts(bring(grants, sheet(*settled), "pledges", dry_run=True)) == (2, 0, 0, 0)


def test_a_file_that_says_no_currency_is_asked_for_it_once(grants):
    data = sheet(["Donor", "Date", "Amount"], ["Ministry of Northland", "2026-01-10", "$ 5m"], ["Fonds du Sud", "2026-01-10", "€ 9m"])
    batch = bring(grants, data, "pledges", dry_run=True)
    assert counts(batch) == (1, 0, 0, 1)
    read = imports.sheet_to_mend(grants, batch.id)
    assert [(question.heading, question.about) for question in read.file.questions] == [("Amount", "currency")]
    imports.recheck_sheet(grants, batch.id, 1, Setup(currency="USD"))
    assert sums(held.get(batch.id)) == {"created": {"USD": [1, 500_000_000], "EUR": [1, 900_000_000]}}


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        (["", "X", "2026-01-10", "10", "EUR", ""], "Donor", "Say who pledged this."),
        (["Ministry of Nordland", "X", "2026-01-10", "10", "EUR", ""], "Donor", "Perhaps meant: Ministry of Northland"),
        (["Ministry of Northland", "X", "", "10", "EUR", ""], "Date", "on which day"),
        (["Ministry of Northland", "X", "2199-01-10", "10", "EUR", ""], "Date", "outside"),
        (["Ministry of Northland", "X", "2099-01-10", "10", "EUR", ""], "Date", "in the future"),
        (["Ministry of Northland", "X", "2026-01-10", "-10", "EUR", ""], "Amount", "negative"),
        (["Ministry of Northland", "X", "2026-01-10", "0", "EUR", ""], "Amount", "greater than 0"),
        (["Ministry of Northland", "X", "2026-01-10", "", "EUR", ""], "Amount", "how much"),
        (["Ministry of Northland", "X", "2026-01-10", "1.5", "JPY", ""], "Amount", "JPY has no decimals"),
        (["Ministry of Northland", "X", "2026-01-10", "10", "DEM", ""], "Currency", "no longer in use"),
        (["Ministry of Northland", "X", "2026-01-10", "10", "ecu", ""], "Currency", "no currency"),
        (["Ministry of Northland", "X", "2026-01-10", "USD 10", "EUR", ""], "Amount", "The amount says USD"),
        (["Ministry of Northland", "X", "2026-01-10", "1e9", "EUR", ""], "Amount", "not an amount"),
        (["Ministry of Northland", "X", "2026-01-10", "9" * 19, "EUR", ""], "Amount", "too large"),
        (["Ministry of Northland", "X", "2026-01-10", "10", "EUR", "Nothing"], "Programme", "No programme of this office"),
        (["Ministry of Northland", "JOR-PL-2026-9999", "2026-01-10", "10", "EUR", ""], "Ref", "not on record in this office"),
    ],
)
def test_a_pledge_is_refused_with_its_column_and_reason(grants, row, column, said):
    batch = bring(grants, sheet(["Donor", "Ref", "Date", "Amount", "Currency", "Programme"], row), "pledges")
    assert counts(batch) == (0, 0, 0, 1)
    ((_number, where, why),) = reasons(batch)
    assert (where, said in why) == (column, True), why
    assert count(Pledge) == 0


def test_a_donor_with_a_namesake_is_named_by_reference(grants):
    money.donor(grants, "Ministry of Northland")
    data = sheet(["Donor", "Ref", "Date", "Amount"], ["Ministry of Northland", "A", "2026-01-10", "EUR 10"])
    ((_row, _column, why),) = reasons(bring(grants, data, "pledges"))
    assert "Several have this name" in why
    assert why.count("JOR-PA-") == 2


def test_a_pledge_on_record_is_never_changed_by_a_file(grants):
    donor = money.donor(grants, "Fund X")
    key = money.pledge(grants, donor, money.eur(1000), pledged_on=date(2026, 1, 10))
    reference = db.session.get(Pledge, key).reference
    head = ["Reference", "Donor", "Date", "Amount", "Currency"]
    same = bring(grants, sheet(head, [reference, "", "", "1000", "EUR"], ["", "Fund X", "2026-01-10", "1000", "EUR"]), "pledges")
    assert (same.unchanged, same.rejected) == (1, 0), reasons(same)
    other = bring(grants, sheet(head, [reference, "Fund X", "2026-01-10", "1200", "EUR"]), "pledges")
    ((_row, column, why),) = reasons(other)
    assert column == "Amount"
    assert reference in why
    pledges.change_pledge(grants, key, pledges.PledgeChange("uplift", date(2026, 2, 1), "More", money.eur(200)))
    assert counts(bring(grants, sheet(head, [reference, "Fund X", "2026-01-10", "1200", "EUR"]), "pledges")) == (0, 0, 1, 0)


def test_two_rows_alike_without_a_reference_are_not_both_taken(grants):
    data = sheet(["Donor", "Date", "Amount"], *[["Fonds du Sud", "2026-01-10", "EUR 10"]] * 2)
    for expected in ((1, 0, 0, 1), (0, 0, 1, 1)):
        dry, batch = bring(grants, data, "pledges", dry_run=True), bring(grants, data, "pledges")
        assert counts(dry) == counts(batch) == expected
        assert "Row 2 says the same" in reasons(batch)[0][2]


def test_instalments_beside_the_whole_amount_must_add_up(grants):
    head = ["Donor", "Ref", "Date", "Amount", "Instalment", "Due", "Currency"]
    good = [["Fonds du Sud", "A", "2026-01-10", "100", part, "2026-05-01", "EUR"] for part in ("60", "40")]
    bad = [["Fonds du Sud", "B", "2026-01-10", "100", part, "2026-05-01", "EUR"] for part in ("60", "30")]
    batch = bring(grants, sheet(head, *good, *bad), "pledges")
    assert counts(batch) == (1, 0, 0, 2)
    assert {why for _row, _column, why in reasons(batch)} == {"The instalments add up to EUR 90.00, but the amount is EUR 100.00."}
    assert sums(batch) == {"created": {"EUR": [2, 10_000]}, "rejected": {"EUR": [2, 9_000]}}


def test_a_pledge_like_one_of_the_same_week_is_named(grants):
    donor = db.session.scalars(select(pledges.Party.id).where(pledges.Party.name == "Fonds du Sud")).one()
    money.pledge(grants, donor, money.eur(10), pledged_on=date(2026, 1, 8))
    batch = bring(grants, sheet(["Donor", "Ref", "Date", "Amount"], ["Fonds du Sud", "A", "2026-01-10", "EUR 10"]), "pledges", dry_run=True)
    assert held.summary_of(batch).double_rows == 1


def test_pledges_of_one_file_that_may_be_one_are_named_by_the_check_and_by_the_import(grants):
    heading = ["Donor", "Ref", "Date", "Amount"]
    rows = [
        ["Fonds du Sud", "A", "2026-01-10", "EUR 10"],
        ["Fonds du Sud", "B", "2026-01-12", "EUR 10"],
        ["Fonds du Sud", "C", "2026-02-12", "EUR 10"],
    ]
    others = [["Fonds du Sud", "D", "2026-01-12", "USD 10"], ["Ministry of Northland", "E", "2026-01-12", "EUR 10"]]
    data = sheet(heading, *rows, *others)
    for dry_run in (True, False):
        batch = bring(grants, data, "pledges", dry_run=dry_run)
        assert counts(batch) == (5, 0, 0, 0)
        (double,) = held.summary_of(batch).doubles
        assert (double[0], double[2]) == (3, "row 2 of this file: the same donor and amount within a week")


# --- receipts --------------------------------------------------------------------------------------------------------


@pytest.fixture
def signed(grants):
    donor = money.donor(grants, "Fund X")
    pledge = money.pledge(grants, donor, money.eur(1000), pledged_on=date(2026, 1, 10), donor_reference="FX-P")
    agreement = money.agreement(
        grants, money.eur(600), pledge_id=pledge, signed_on=date(2026, 2, 1), donor_reference="FX-A", title="Support"
    )
    return pledge, agreement


HEAD = ["Date", "Agreement", "Donor", "Amount", "Currency", "Bank reference"]


def test_receipts_pay_agreements_and_pledges_and_the_same_file_twice_changes_nothing(grants, signed):
    pledge, agreement = signed
    data = sheet(
        HEAD,
        ["2026-03-01", "FX-A", "Fund X", "250,50", "EUR", "BK1"],
        ["2026-03-02", db.session.get(Agreement, agreement).reference, "", "100", "EUR", ""],
        ["2026-03-03", "FX-P", "", "50", "EUR", "BK2"],
        ["2026-03-04", "", "Fonds du Sud", "70", "USD", "BK3"],
        ["Somme", "", "", "400,50", "EUR", ""],
    )
    dry, batch = bring(grants, data, "receipts", dry_run=True), bring(grants, data, "receipts")
    assert counts(dry) == counts(batch) == (4, 0, 0, 0), (reasons(dry), reasons(batch))
    db.session.expire_all()
    assert db.session.get(Agreement, agreement).received_minor == 35_050
    assert db.session.get(Pledge, pledge).outstanding_minor == 35_000
    assert held.summary_of(batch).control["totals"] == [["EUR", 40_050, 6]]
    holds_together()
    assert counts(bring(grants, data, "receipts")) == (0, 0, 4, 0)
    assert count(Receipt) == 4


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        (["2026-01-20", "FX-A", "", "10", "EUR", ""], "Date", "was signed on"),
        (["2026-03-01", "FX-A", "", "10", "USD", ""], "Amount", "it must be in EUR"),
        (["2026-03-01", "FX-A", "Fonds du Sud", "10", "EUR", ""], "Donor", "another donor's"),
        (["2026-03-01", "FX-P", "", "10", "USD", ""], "Amount", "is in EUR"),
        (["2026-03-01", "FX-B", "", "10", "EUR", ""], "Agreement", "Perhaps meant"),
        (["2026-03-01", "", "", "10", "EUR", ""], "Agreement", "Say under which agreement"),
        (["2099-03-01", "FX-A", "", "10", "EUR", ""], "Date", "in the future"),
    ],
)
def test_a_receipt_that_a_money_rule_refuses_says_why(grants, signed, row, column, said):
    dry = bring(grants, sheet(HEAD, row), "receipts", dry_run=True)
    batch = bring(grants, sheet(HEAD, row), "receipts")
    assert reasons(dry) == reasons(batch)
    ((_number, where, why),) = reasons(batch)
    assert (where, said in why) == (column, True), why
    assert count(Receipt) == 0


def test_a_dry_run_knows_what_earlier_rows_take_of_a_pledge(grants, signed):
    data = sheet(HEAD, *[["2026-03-01", "FX-P", "", "300", "EUR", f"B{n}"] for n in range(3)])
    dry, batch = bring(grants, data, "receipts", dry_run=True), bring(grants, data, "receipts")
    assert counts(dry) == counts(batch) == (2, 0, 0, 1)
    assert "Nothing of pledge" in reasons(dry)[0][2]


def test_receipts_of_one_file_that_may_be_one_are_named(grants, signed):
    data = sheet(HEAD, *[["2026-03-01", "FX-A", "", "10", "EUR", f"B{n}"] for n in range(2)], ["2026-04-01", "FX-A", "", "10", "EUR", "B3"])
    batch = bring(grants, data, "receipts", dry_run=True)
    assert [double[0] for double in held.summary_of(batch).doubles] == [3]


def test_one_transfer_for_two_agreements_is_two_receipts_and_a_changed_amount_is_refused(grants, signed):
    data = sheet(HEAD, ["2026-03-01", "FX-A", "", "10", "EUR", "BK"], ["2026-03-01", "FX-P", "", "20", "EUR", "BK"])
    assert counts(bring(grants, data, "receipts")) == (2, 0, 0, 0)
    assert counts(bring(grants, data, "receipts")) == (0, 0, 2, 0)
    other = bring(grants, sheet(HEAD, ["2026-03-01", "FX-A", "", "11", "EUR", "BK"]), "receipts")
    assert "It is on record as JOR-RC-" in reasons(other)[0][2]


def test_a_row_that_names_a_receipt_says_of_it_what_is_so_and_says_it_once(grants, signed):
    head = ["Reference", *HEAD]
    bring(grants, sheet(HEAD, ["2026-03-01", "FX-A", "", "10", "EUR", "BK"]), "receipts")
    reference = db.session.scalars(select(Receipt.reference)).one()
    right = [reference, "2026-03-01", "FX-A", "Fund X", "10", "EUR", "bk"]
    wrong = (
        [reference, "2026-03-01", "FX-P", "", "10", "EUR", ""],
        [reference, "2026-03-01", "", "Fonds du Sud", "10", "EUR", ""],
        [reference, "2026-03-01", "", "", "10", "EUR", "OTHER"],
    )
    for dry_run in (True, False):
        batch = bring(grants, sheet(head, right, *wrong, right), "receipts", dry_run=dry_run)
        assert counts(batch) == (0, 0, 1, 4)
        assert sums(batch)["unchanged"] == {"EUR": [1, 1000]}
        assert {(where, why) for _row, where, why in reasons(batch)} == {("Reference", f"Row 2 is about {reference} already.")}
        for row, column in zip(wrong, ("Agreement", "Donor", "Bank reference"), strict=True):
            ((_number, where, why),) = reasons(bring(grants, sheet(head, row), "receipts", dry_run=dry_run))
            assert (where, f"{reference} is on record otherwise" in why) == (column, True)
    assert count(Receipt) == 1


@pytest.mark.parametrize("kind", ["receipts", "pledges"])
def test_a_row_that_is_refused_after_all_is_told_to_no_later_row(grants, signed, monkeypatch, kind):
    service, name = {"receipts": (receipts, "record_receipt"), "pledges": (pledges, "record_pledge")}[kind]
    record, calls = getattr(service, name), []

    def first_refused(*given):
        calls.append(given)
        if len(calls) == 1:
            raise Invalid("Not now.", field="amount")
        return record(*given)

    monkeypatch.setattr(service, name, first_refused)
    rows = {
        "receipts": (HEAD, ["2026-03-01", "FX-P", "", "1000", "EUR", "B1"]),
        "pledges": (["Donor", "Date", "Amount", "Currency"], ["Fund X", "2026-03-01", "10", "EUR"]),
    }[kind]
    batch = bring(grants, sheet(rows[0], rows[1], rows[1]), kind)
    assert counts(batch) == (1, 0, 0, 1)
    assert [why for _row, _where, why in reasons(batch)] == ["Not now."]


# --- programmes ------------------------------------------------------------------------------------------------------


def needs(title):
    statement = (
        select(Requirement.year, Requirement.version, Requirement.amount_minor)
        .join(Programme, Programme.id == Requirement.programme_id)
        .where(Programme.title == title)
    )
    return sorted(tuple(row) for row in db.session.execute(statement))


def test_programmes_with_a_column_for_each_year(grants):
    data = sheet(
        ["Programme", "Start", "2026", "Besoins 2027"],
        ["Clinics", "01.02.2026", "1,000.00", "2,000"],
        ["Schools", "", "-", "0"],
        ["Total", "", "1,000.00", "2,000"],
    )
    dry = imports.check_file(grants, grants.home_office_id, "programmes", "p.csv", data)
    imports.recheck_sheet(grants, dry, 1, Setup(currency="USD"))
    assert counts(held.get(dry)) == (2, 0, 0, 0), reasons(held.get(dry))
    assert held.summary_of(held.get(dry)).control["totals"] == [["USD", 300_000, 4]]
    imports.apply_batch(grants, dry)
    assert needs("Clinics") == [(2026, 1, 100_000), (2027, 1, 200_000)]
    assert needs("Schools") == [(2027, 1, 0)]
    assert db.session.scalars(select(Programme.starts_on).where(Programme.title == "Schools")).one() == date(2027, 1, 1)
    again = imports.check_file(grants, grants.home_office_id, "programmes", "p.csv", data)
    imports.recheck_sheet(grants, again, 1, Setup(currency="USD"))
    assert counts(held.get(again)) == (0, 0, 2, 0)


def test_programmes_with_a_row_for_each_year_change_only_what_differs(grants):
    key = money.programme(grants, "Clinics", currency="USD", summary="Old")
    money.programmes.set_requirement(grants, key, 2026, money.usd(10))
    data = sheet(
        ["Title", "Year", "Requirement (USD)", "Summary", "End date"],
        ["clinics", "2026", "10", "New", ""],
        ["Clinics", "2027", "20", "", "2028-12-31"],
        ["Other", "2027", "EUR 5", "", ""],
        ["Clinics", "2026", "x", "", ""],
    )
    batch = bring(grants, data, "programmes")
    assert counts(batch) == (1, 0, 0, 3), reasons(batch)
    batch = bring(grants, data.replace(b"Clinics,2026,x,,\r\n", b""), "programmes")
    assert counts(batch) == (0, 1, 1, 0), reasons(batch)
    assert sums(batch) == {"unchanged": {"USD": [1, 1000], "EUR": [1, 500]}, "created": {"USD": [1, 2000]}}
    record = db.session.get(Programme, key)
    assert (record.summary, record.ends_on, needs("Clinics")) == ("New", date(2028, 12, 31), [(2026, 1, 1000), (2027, 1, 2000)])


# --- who -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["programmes", "pledges", "receipts"])
def test_money_is_brought_by_the_grants_officer_of_the_office_alone(grants, acting, kind):
    for name in ("officer", "viewer", "other-grants"):
        actor = acting(name)
        with pytest.raises(Denied):
            imports.check_file(actor, grants.home_office_id, kind, "x.csv", PLEDGES)


def test_another_office_is_neither_matched_nor_named(grants, acting):
    other = acting("other-grants")
    donor = money.donor(other, "Hidden Fund", code="KEN", visibility="office")
    assert donor
    actor = acting("grants")
    batch = bring(actor, sheet(["Donor", "Ref", "Date", "Amount"], ["Hidden Fund", "A", "2026-01-10", "EUR 1"]), "pledges")
    assert reasons(batch)[0][2] == "“Hidden Fund” is not on record. Record this party first, or write its name as it stands there."


# --- workbooks, parts, speed -----------------------------------------------------------------------------------------


def test_numbers_of_a_workbook_say_nothing_about_the_texts_beside_them(grants):
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    page = book.add_worksheet("Pledges")
    for place, row in enumerate(
        [
            ("Donor", "Ref", "Date", "Amount", "Currency"),
            ("Fonds du Sud", "A", "2026-01-10", 250000.5, "EUR"),
            ("Fonds du Sud", "B", "2026-01-10", 0.1 + 0.2, "EUR"),
            ("Fonds du Sud", "C", "2026-01-10", 12.345, "KWD"),
            ("Fonds du Sud", "D", "2026-01-10", "1.500", "EUR"),
        ]
    ):
        page.write_row(place, 0, row)
    book.close()
    batch = bring(grants, buffer.getvalue(), "pledges", dry_run=True)
    assert sums(batch) == {"created": {"EUR": [2, 25_000_080], "KWD": [1, 12_345]}}, reasons(batch)
    ((row, _column, why),) = reasons(batch)
    assert (row, "EUR 1,500 or EUR 1.500" in why) == (5, True)


@pytest.mark.parametrize("kind", ["pledges", "receipts"])
def test_a_long_file_taken_in_by_parts_says_the_same_as_its_dry_run(app, acting, grants, signed, kind, monkeypatch):
    monkeypatch.setattr(imports, "_MONEY_PART", 3)
    monkeypatch.setattr(imports, "_LEAST_PART", 2)
    monkeypatch.setattr("crm.services.imports.CHUNK", 4)
    if kind == "pledges":
        head, rows = (
            ["Donor", "Ref", "Date", "Amount", "Due"],
            [["Fonds du Sud", f"R{n % 7}", "2026-01-10", "EUR 5", ""] for n in range(14)],
        )
        rows.append(["Fonds du Sud", "", "2026-01-10", "EUR 9", ""])
        rows.append(rows[-1])
    else:
        head, rows = HEAD, [["2026-03-01", "FX-P", "", "60", "EUR", f"B{n}"] for n in range(9)]
    batch = imports.check_file(grants, grants.home_office_id, kind, "x.csv", sheet(head, *rows))
    dry, said = counts(held.get(batch)), sums(held.get(batch))
    assert dry[0] in (8, 7), reasons(held.get(batch))
    imports.apply_in_background(grants, batch)
    job = db.session.scalars(select(Job).where(Job.subject_id == batch)).one().id
    db.session.remove()
    with app.app_context():
        engine.perform(job, threading.Event())
        db.session.remove()
    acting("grants")
    done = held.get(batch)
    assert (done.state, counts(done), sums(done)) == ("applied", dry, said), reasons(done)
    holds_together()

"""Lists of agreements and receipts say the same as the pages of the records: what is late, under what, what is not matched."""

from __future__ import annotations

from datetime import date

import pytest

from crm.queries import money_lists as lists
from crm.queries import pledges as queries
from crm.queries.money_lists import AgreementFilter, ReceiptFilter
from crm.queries.paging import Paging
from crm.services import agreements, receipts
from tests.factories import money as made

TODAY = date(2023, 6, 30)
PLAN = (made.line(made.eur(4_000_000), date(2023, 3, 31)), made.line(made.eur(5_000_000), date(2023, 9, 30)))


@pytest.fixture
def grants(acting):
    return acting("grants")


@pytest.fixture
def donor(grants):
    return made.donor(grants)


def signed(actor, donor, title, paid=0):
    key = made.agreement(actor, made.eur(9_000_000), donor_id=donor, office_id=made.office(), plan=PLAN, title=title)
    if paid:
        made.receipt(actor, made.eur(paid), date(2023, 4, 1), agreement_id=key)
    return key


def titles(filters=None, **more):
    return [row.title for row in lists.list_agreements(filters or AgreementFilter(), Paging(), today=TODAY, **more).rows]


def test_agreements_by_what_is_late_still_to_come_or_paid(grants, donor):
    signed(grants, donor, "Late")
    signed(grants, donor, "To come", 4_000_000)
    signed(grants, donor, "Paid", 9_000_000)
    found = {status: set(titles(AgreementFilter(status=status))) for status in lists.AGREEMENT_STATES}
    assert found == {"open": {"Late", "To come"}, "late": {"Late"}, "paid": {"Paid"}}
    assert titles(sort="due") == ["Late", "To come"], "nothing is due of what is paid"
    assert titles(AgreementFilter(q="come")) == ["To come"]
    assert set(titles(AgreementFilter(q="northland"))) == {"Late", "To come", "Paid"}, "by the donor's name"
    assert titles(AgreementFilter(since=date(2023, 1, 1))) == []


def test_agreements_of_a_programme(grants, donor):
    programme = made.programme(grants)
    signed(grants, donor, "Unearmarked")
    lines = (agreements.BudgetLine(programme, made.eur(9_000_000)),)
    named = made.agreement(grants, donor_id=donor, office_id=made.office(), plan=PLAN, title="For the clinics", budget_lines=lines)
    assert titles(AgreementFilter(programme_id=programme)) == ["For the clinics"]
    assert titles(AgreementFilter(q="dry SEASON")) == ["For the clinics"], "by the programme's title"
    assert lists.programmes_of([named]) == {named: ["Clinics in the dry season"]}


def test_receipts_under_what_and_how_much_is_unmatched(grants, donor):
    agreement = signed(grants, donor, "Signed")
    pledge = made.pledge(grants, donor, made.usd(1_000_000))
    keys = {
        "agreement": made.receipt(grants, made.eur(9_500_000), date(2023, 4, 1), agreement_id=agreement),
        "pledge": made.receipt(grants, made.usd(400_000), date(2023, 4, 2), pledge_id=pledge),
        "alone": made.receipt(grants, made.eur(7), date(2023, 4, 3), office_id=made.office(), donor_id=donor),
    }
    for under, key in keys.items():
        rows = lists.list_receipts(ReceiptFilter(under=under), Paging()).rows
        assert [row.id for row in rows] == [key]
        one = queries.unmatched(queries.receipt_detail(key))
        assert lists.unmatched_among(rows)[key] == int(one.amount * 100), under
    assert lists.references_of([agreement], [pledge]).keys() == {agreement, pledge}
    receipts.reverse_receipt(grants, keys["alone"], reason="Typed twice")
    rows = lists.list_receipts(ReceiptFilter(under="alone"), Paging()).rows
    assert len(rows) == 2
    assert lists.taken_back_among([row.id for row in rows]) == {keys["alone"]}

"""Undoing imports of money (M19, decision 0019): figures are as before, money that something hangs on stays and is named."""

from __future__ import annotations

import csv
import io
from datetime import date
from itertools import count
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from crm.db import db
from crm.jobs import imports
from crm.models.commitments import Commitment
from crm.models.pledges import Agreement, Pledge, Receipt
from crm.models.programmes import Programme, Requirement
from crm.queries import imports as held
from crm.queries.figures import stored
from crm.queries.figures.lists import pledge_totals
from crm.queries.figures.money import office_money
from crm.queries.pledges import PledgeFilter
from crm.services import allocations, import_undo, pledges, receipts
from tests.factories import money

DAYS = (date(2026, 1, 15), date(2026, 3, 2), date(2026, 6, 1))
TAGS = count()


def sheet(*rows):
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()


def bring(actor, data, kind):
    batch = held.get(imports.import_file(actor, actor.home_office_id, kind, "list.csv", data))
    assert batch.state == "applied", batch.message
    return batch


def undo(actor, batch):
    imports.undo(actor, batch.id)
    db.session.expire_all()
    return import_undo.summary_of(import_undo.undone(batch.id))


def figures():
    """What pages say of the office's money, on several days: amounts by stage, totals under the list, sums kept on agreements."""
    db.session.expire_all()
    said = {}
    for on in DAYS:
        books = office_money(None, on)
        stages = ("pledged", "announced", "converted", "lapsed", "secured", "paid", "receivable", "credit")
        own = {name: [str(amount) for amount in getattr(books, name).own if amount] for name in stages}
        said[on] = own, sorted(str(part.open_amount) for part in books.instalments if part.open_amount)
    totals = {row.currency: (row.announced, row.outstanding) for row in pledge_totals(PledgeFilter(), DAYS[-1]) if row.announced}
    signed = {row.id: (row.received_minor, row.next_due_on) for row in db.session.scalars(select(Agreement))}
    needs = {(row.programme_id, row.year, row.version): row.amount_minor for row in db.session.scalars(select(Requirement))}
    return said, totals, signed, needs


def holds_together():
    wrong = [*stored.wrong_pledges(), *stored.wrong_agreements(), *stored.wrong_matches(), *stored.wrong_allocations()]
    assert not wrong, wrong


@pytest.fixture
def scene(acting):
    """A donor with a pledge, of which a part is signed, on record; a programme."""
    actor = acting("grants")
    donor = money.donor(actor, "Fund X")
    pledge = money.pledge(actor, donor, money.usd(1000), pledged_on=date(2026, 1, 10), donor_reference="P0")
    agreement = money.agreement(actor, money.usd(600), pledge_id=pledge, signed_on=date(2026, 2, 1), donor_reference="A0")
    programme = money.programme(actor, "Clinics", currency="USD")
    money.programmes.set_requirement(actor, programme, 2026, money.usd(10))
    return SimpleNamespace(actor=actor, donor=donor, pledge=pledge, agreement=agreement, programme=programme)


def pledge_rows(tag, size=3):
    rows = [["Fund X", f"{tag}-{n}", "2026-01-12", "100", "USD", "2026-05-01"] for n in range(size)]
    return sheet(["Donor", "Grant reference", "Date", "Amount", "Currency", "Due date"], *rows, [*rows[0][:3], "50", "USD", "2026-08-01"])


def receipt_rows(tag):
    rows = [["A0", "", "100"], ["A0", "", "60.50"], ["P0", "", "40"], ["", "Fund X", "70"]]
    return sheet(
        ["Date", "Agreement", "Donor", "Amount", "Currency", "Bank reference"],
        *([f"2026-03-0{n + 1}", target, donor, amount, "USD", f"{tag}{n}"] for n, (target, donor, amount) in enumerate(rows)),
    )


NEEDS = sheet(["Programme", "Start", "2026 (USD)", "2027 (USD)", "Summary"], ["Clinics", "", "25", "30", "New"], ["Other", "", "7", "", ""])


@pytest.mark.parametrize(
    ("kind", "data", "taken"), [("pledges", pledge_rows("N"), 3), ("receipts", receipt_rows("B"), 4), ("programmes", NEEDS, 0)]
)
def test_import_and_undo_leave_all_figures_as_before(scene, kind, data, taken):
    before = figures()
    batch = bring(scene.actor, data, kind)
    assert figures() != before
    doing = import_undo.plan(batch)
    said = undo(scene.actor, batch)
    assert figures() == before
    holds_together()
    assert (doing.reversed, said.get("reversed", 0), said["kept"]) == (taken, taken, 0), said
    again = bring(scene.actor, data, kind)
    assert (again.created, again.updated, again.rejected) == (batch.created, batch.updated, 0)


def test_a_long_undo_goes_by_parts_and_goes_on_where_it_stopped(scene, monkeypatch):
    monkeypatch.setattr(imports, "_MONEY_PART", 2)
    before = figures()
    batch = bring(scene.actor, pledge_rows("N", 7), "pledges")
    assert undo(scene.actor, batch)["reversed"] == 7
    assert figures() == before
    batch = bring(scene.actor, pledge_rows("N", 7), "pledges")
    assert import_undo.take_back_part(scene.actor, batch.id, import_undo.parts(batch), 3) == 3
    said = undo(scene.actor, batch)
    assert (said["reversed"], said["gone"], said["kept"]) == (7, 0, 0)
    assert figures() == before


def test_what_is_taken_back_stays_to_be_seen_and_says_why(scene):
    batch = bring(scene.actor, pledge_rows("N"), "pledges")
    undo(scene.actor, batch)
    pledge = db.session.scalars(select(Pledge).where(Pledge.donor_reference == "N-0")).one()
    assert (pledge.announced_minor, pledge.outstanding_minor) == (0, 0)
    assert [terms.kind for terms in pledge.terms] == ["announced", "reversal"]
    assert pledge.terms[1].reason == f"Import {batch.reference} was undone."
    promise = db.session.get(Commitment, pledge.id)
    assert (promise.outcome, promise.outcome_note) == ("overtaken", pledge.terms[1].reason)
    receipts_in = bring(scene.actor, receipt_rows("B"), "receipts")
    undo(scene.actor, receipts_in)
    assert len(db.session.scalars(select(Receipt).where(Receipt.reversal_of_id.is_not(None))).all()) == 4


def test_programmes_go_fields_go_back_and_what_a_year_needed_counts_again(scene):
    batch = bring(scene.actor, NEEDS, "programmes")
    undo(scene.actor, batch)
    assert [programme.title for programme in db.session.scalars(select(Programme))] == ["Clinics"]
    assert db.session.get(Programme, scene.programme).summary == ""
    kept = bring(scene.actor, NEEDS, "programmes")
    other = db.session.scalars(select(Programme).where(Programme.title == "Other")).one()
    money.programmes.set_requirement(scene.actor, other.id, 2028, money.usd(3))
    said = undo(scene.actor, kept)
    assert [one["title"].split(" (")[0] for one in said["names"]] == ["Other"]


def test_money_that_something_hangs_on_stays_and_is_named(scene):
    actor = scene.actor
    batch = bring(actor, pledge_rows("N", 4), "pledges")
    by_reference = {pledge.donor_reference: pledge.id for pledge in db.session.scalars(select(Pledge))}
    money.agreement(actor, money.usd(30), pledge_id=by_reference["N-1"], signed_on=date(2026, 2, 1))
    pledges.change_pledge(actor, by_reference["N-2"], pledges.PledgeChange("uplift", date(2026, 2, 1), "More", money.usd(5)))
    receipt = money.receipt(actor, money.usd(20), date(2026, 2, 2), pledge_id=by_reference["N-3"])
    planned = {one.title: one.why for one in import_undo.plan(batch).kept}
    said = undo(actor, batch)
    assert {one["title"]: one["why"] for one in said["names"]} == planned
    assert sorted(why.split(":")[0] for why in planned.values()) == [
        "An agreement was signed on it",
        "Its terms were changed since.",
        "Money came for it",
    ]
    assert said["reversed"] == 1
    holds_together()
    receipts.reverse_receipt(actor, receipt, "Mistake")
    pledges.take_back_pledge(actor, by_reference["N-3"], "Mistake too")
    holds_together()


def test_money_that_was_allocated_since_stays_and_is_named(scene):
    actor = scene.actor
    batch = bring(actor, receipt_rows("B"), "receipts")
    source = allocations.MoneySource(agreement_id=scene.agreement)
    allocations.allocate(actor, allocations.NewAllocation(source, scene.programme, money.usd(50), date(2026, 4, 1)))
    planned = import_undo.plan(batch)
    said = undo(actor, batch)
    assert (len(planned.kept), planned.reversed) == (said["kept"], said["reversed"]) == (1, 3)
    assert "allocated" in said["names"][0]["why"]
    holds_together()


EDITS = st.lists(st.tuples(st.sampled_from(["uplift", "sign", "pay", "pay-back", "reverse", "allocate"]), st.integers(0, 3)), max_size=5)


@settings(
    max_examples=10, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits=EDITS)
def test_import_later_edits_undo_leaves_the_figures_of_the_edits_alone(scene, edits):
    """Two files come in, people go on working, both are undone: what nobody built on counts nowhere any more, the rest is untouched."""
    actor, tag = scene.actor, f"T{next(TAGS)}"
    before = figures()
    first, second = bring(actor, pledge_rows(tag, 4), "pledges"), bring(actor, receipt_rows(tag), "receipts")
    made = {row.donor_reference: row.id for row in db.session.scalars(select(Pledge).where(Pledge.donor_reference.startswith(f"{tag}-")))}
    came = list(db.session.scalars(select(Receipt.id).where(Receipt.bank_reference.startswith(tag)).order_by(Receipt.value_on)))
    touched, paid, reversed_by_hand, is_allocated = set(), [], set(), False
    for what, n in edits:
        key = made[f"{tag}-{n}"]
        if what == "uplift":
            pledges.change_pledge(actor, key, pledges.PledgeChange("uplift", date(2026, 2, 1), "More", money.usd(5)))
            touched.add(key)
        elif what == "sign":
            money.agreement(actor, money.usd(3), pledge_id=key, signed_on=date(2026, 2, 1))
            touched.add(key)
        elif what in ("pay", "pay-back"):
            receipt = money.receipt(actor, money.usd(2), date(2026, 2, 2), pledge_id=key)
            if what == "pay":
                paid.append(receipt)
                touched.add(key)
            else:
                receipts.reverse_receipt(actor, receipt, "Mistake")
        elif what == "reverse" and came[n] not in reversed_by_hand and not is_allocated:
            receipts.reverse_receipt(actor, came[n], "Mistake")
            reversed_by_hand.add(came[n])
        elif what == "allocate" and not reversed_by_hand & set(came[:2]) and not is_allocated:
            source = allocations.MoneySource(agreement_id=scene.agreement)
            allocations.allocate(actor, allocations.NewAllocation(source, scene.programme, money.usd(50), date(2026, 4, 1)))
            is_allocated = True
    standing = {key: (db.session.get(Pledge, key).announced_minor, db.session.get(Pledge, key).outstanding_minor) for key in touched}
    after_second, after_first = undo(actor, held.get(second.id)), undo(actor, held.get(first.id))
    holds_together()
    assert after_first["kept"] == len(touched)
    assert after_second["kept"] <= is_allocated * 2  # never more than the two of the agreement, and only for an allocation
    for key in made.values():
        pledge = db.session.get(Pledge, key)
        assert (pledge.announced_minor, pledge.outstanding_minor) == standing.get(key, (0, 0))
    if not touched and not is_allocated:
        assert figures() == before

"""Words such as “company” in a list of contacts: what they say beside a person, beside an organisation, and where they contradict the row."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from crm.db import db
from crm.exchange.sheets import Setup
from crm.jobs import imports
from crm.models.parties import Party
from crm.queries import imports as held
from crm.queries.parties import get
from tests.jobs.test_sheets import bring, counts, named, reasons, sheet

HEAD = ["Name", "Organisation", "Position", "Type"]


def bring_as(actor, data, said):
    """The batch of a file of which something was said on its pages."""
    batch = imports.check_file(actor, actor.home_office_id, "parties", "l.csv", data)
    imports.recheck_sheet(actor, batch, 1, said)
    if held.get(batch).rejected == 0:
        imports.apply_batch(actor, batch)
    return held.get(batch)


def brought(name):
    (party,) = named(name)
    return party.form, {row.kind for row in get(party.id).kinds}


@pytest.mark.parametrize("others", [[], [["Ed Ray", "Save", "Head", "NGO"]], [["Ed Ray", "", "", "person"]]])
def test_company_beside_a_person_is_the_kind_of_the_organisation_and_nobody_becomes_one(acting, others):
    rows = [
        ["Sara Odeh", "Zain", "Manager", "company"],
        ["Sweiss, Rula", "Orange Jordan", "", "Company"],
        ["Dr. Omar Tell", "", "", "company"],
        ["Huda Aziz", "", "Chair", "committee"],
        ["Orange Jordan", "", "", "company"],
        ["Zain", "Zain", "-", "company"],
        ["Zain Foundation", "Zain", "", "company"],
        ["", "Umniah", "", "company"],
    ]
    actor = acting("officer")
    batch = bring_as(actor, sheet(HEAD, *rows, *others), Setup(turned=["Name"]))
    assert counts(batch) == (8 + len(others), 0, 0, 0), reasons(batch)
    for name in ("Sara Odeh", "Rula Sweiss", "Dr. Omar Tell"):
        assert brought(name) == ("person", {"private-sector"}), name
        assert named(name)[0].visibility == "office"
    assert brought("Huda Aziz") == ("person", set())
    for name in ("Orange Jordan", "Zain", "Zain Foundation", "Umniah"):
        assert brought(name)[0] == "organisation", name
    notes = held.summary_of(batch).notes
    assert "“company” under “Type” stands beside people, who stay people, in 2 rows." in notes
    again = bring_as(actor, sheet(HEAD, *rows, *others), Setup(turned=["Name"]))
    assert counts(again) == (0, 0, 8 + len(others), 0), reasons(again)


@pytest.mark.parametrize("column", ["form", "kinds"])
def test_what_was_said_of_the_column_and_of_the_file_counts(acting, column):
    said = Setup(columns={"Name": "name", "Organisation": "post_organisation", "Position": "post_title", "Type": column})
    batch = bring_as(acting("officer"), sheet(HEAD, ["Sara Odeh", "Zain", "Manager", "company"]), said)
    assert (counts(batch), brought("Sara Odeh")) == ((1, 0, 0, 0), ("person", {"private-sector"})), reasons(batch)


def test_a_word_that_contradicts_its_row_is_a_problem_that_an_answer_settles(acting):
    actor = acting("officer")
    data = sheet(
        HEAD,
        ["Sara Odeh", "Zain", "Manager", "Organisation"],
        ["Dr. Omar Tell", "", "", "organisation"],
        ["Jordan Ahli Bank", "", "Lender", "company"],
        ["Water Department", "Ministry of Water", "", "organisation"],
    )
    batch = bring(actor, data, dry_run=True)
    assert [(row, column) for row, column, _why in reasons(batch)] == [(2, "Type"), (3, "Type"), (4, "Type")]
    said = Setup(edits={"2": {"Type": "person"}, "3": {"Position": "", "Name": "Tell"}, "4": {"Type": "organisation"}})
    batch = bring_as(actor, data, said)
    assert counts(batch) == (4, 0, 0, 0), reasons(batch)
    forms = dict(db.session.execute(select(Party.name, Party.form)).all())
    assert {name: forms[name] for name in ("Sara Odeh", "Tell", "Jordan Ahli Bank", "Water Department")} == {
        "Sara Odeh": "person",
        "Tell": "organisation",
        "Jordan Ahli Bank": "organisation",
        "Water Department": "organisation",
    }

"""Rows of one file that a person says are one: brought in as one, the earlier counts, the later fills; undone like every import."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from crm.db import db
from crm.exchange.sheets import TWO, Setup
from crm.jobs import imports, sheets
from crm.models.imports import ImportLayout
from crm.models.notes import Note
from crm.models.parties import Channel, Party, Position, Tenure
from crm.queries import imports as held
from crm.queries import sheet_imports
from crm.queries.parties import get
from crm.services import imports as apply
from crm.services import parties as service
from tests.factories.parties import make
from tests.jobs.test_background import run_once
from tests.jobs.test_import_undo import snapshot, undo
from tests.jobs.test_sheets import counts, named, reasons, sheet, taken_in_part

HEAD = ["Name", "Form", "Country", "About", "Kind", "E-mail", "Phone", "Post", "Organisation", "Note"]
FIRST = ["Dr Lina Haddad", "person", "", "First words", "Donor", "lina@x.example", "", "", "", "One"]
SECOND = ["L. Haddad", "person", "Jordan", "Other words", "Media", "lina@x.example", "+962 6 555 0101", "Editor", "Radio X", "Two"]
MANY = [[f"Name {number}", "group", *[""] * 8] for number in range(505)]  # more than one part of a file
OTHER = ["Bo Day", "person", "", "", "", "bo@x.example", "", "", "", ""]


def checked(actor, data, twins, kind="parties"):
    batch_id = imports.check_file(actor, actor.home_office_id, kind, "list.csv", data)
    return held.get(say(actor, batch_id, twins))


def say(actor, batch_id, twins):
    version = sheet_imports.sheet_of(batch_id).version
    return imports.recheck_sheet(actor, batch_id, version, replace(sheets.setup_of(batch_id), twins=twins))


@pytest.mark.parametrize("size", [500, 1])
def test_two_rows_that_are_one_make_one_and_the_dry_run_says_so(acting, monkeypatch, size):
    monkeypatch.setattr("crm.services.imports.CHUNK", size)
    actor = acting("officer")
    before = snapshot()
    dry = checked(actor, sheet(HEAD, FIRST, OTHER, SECOND), {"4": "2"})
    assert counts(dry) == (2, 1, 0, 0), reasons(dry)
    summary = held.summary_of(dry)
    assert (summary.double_rows, summary.twins, summary.settled) == (0, {}, 1)
    said = "Row 4 is brought in as one with row 2. It says otherwise, which is left aside: About."
    assert said in summary.notes
    assert snapshot() == before
    imports.apply_batch(actor, dry.id)
    done = held.get(dry.id)
    assert counts(done) == (2, 1, 0, 0)
    assert said in held.summary_of(done).notes
    lina = get(named("Dr Lina Haddad")[0].id)
    assert (lina.country, lina.about, {row.kind for row in lina.kinds}) == ("JO", "First words", {"donor", "media"})
    assert {(row.kind, row.name) for row in lina.names} == {("alias", "L. Haddad")}
    assert set(db.session.scalars(select(Channel.value).where(Channel.party_id == lina.id))) == {"lina@x.example", "+962 6 555 0101"}
    assert set(db.session.scalars(select(Note.body).where(Note.party_id == lina.id))) == {"One", "Two"}
    post = db.session.scalars(select(Position).join(Tenure).where(Tenure.person_id == lina.id)).one()
    assert (post.title, post.organisation.name) == ("Editor", "Radio X")
    assert not named("L. Haddad")
    assert undo(actor, done)["kept"] == 0
    assert snapshot() == before


def test_undo_puts_back_a_record_that_a_row_was_said_to_be(acting):
    actor = acting("officer")
    ana = make(actor, "Ana B. Bell", form="person")
    service.add_channel(actor, ana, service.NewChannel("email", "ana@x.example"))
    reference = get(ana).reference
    before = snapshot()
    data = sheet(["Name", "E-mail", "Country"], ["A. Bell", "ana@x.example", "Kenya"], ["Annie", "ana@x.example", ""])
    first = imports.check_file(actor, actor.home_office_id, "parties", "l.csv", data)
    assert held.summary_of(held.get(first)).twins == {"2": [reference], "3": [reference, "2"]}
    say(actor, first, {"2": reference, "3": "2"})
    batch = held.get(first)
    assert counts(batch) == (0, 2, 0, 0), reasons(batch)
    imports.apply_batch(actor, first)
    assert db.session.scalar(select(func.count()).select_from(Party)) == 1
    assert get(ana).country == "KE"
    assert {row.name for row in get(ana).names} == {"A. Bell", "Annie"}
    notes = held.summary_of(held.get(first)).notes
    assert f"Row 2 is brought in as one with {reference}." in notes
    assert "Row 3 is brought in as one with row 2." in notes
    assert undo(actor, held.get(first))["kept"] == 0
    assert snapshot() == before


def test_two_that_are_two_stay_two_and_are_named_no_more(acting):
    actor = acting("officer")
    data = sheet(HEAD, FIRST, SECOND)
    assert held.summary_of(checked(actor, data, {})).double_rows == 1
    batch = checked(actor, data, {"3": TWO})
    assert (counts(batch), held.summary_of(batch).double_rows) == ((2, 0, 0, 0), 0)
    version = sheet_imports.sheet_of(batch.id).version
    imports.recheck_sheet(actor, batch.id, version, sheets.setup_of(batch.id), is_remembered=True)
    layout = db.session.scalars(select(ImportLayout.settings)).one()
    assert (Setup.load(layout).twins, sheets.setup_of(batch.id).twins) == ({}, {"3": TWO})  # of this import alone
    imports.apply_batch(actor, batch.id)
    assert len(named("L. Haddad")) == 1


def test_a_person_and_an_organisation_are_never_put_together(acting):
    actor = acting("officer")
    rows = ["Radio Seven", "organisation"], ["Seven Radio", "person"], ["Radio SEVEN,", ""]
    batch = checked(actor, sheet(["Name", "Form"], *rows), {"3": "2", "4": "2"})
    assert counts(batch)[0] == 1
    assert [(row, column) for row, column, _why in reasons(batch)] == [(3, "Name")]
    assert "one is a person and the other is not" in reasons(batch)[0][2]


def test_a_row_whose_other_one_is_rejected_is_brought_in_by_itself(acting):
    actor = acting("officer")
    batch = checked(actor, sheet(["Name", "E-mail"], ["Lina Haddad", "lina at x"], ["Haddad Lina", "lina@x.example"]), {"3": "2"})
    assert counts(batch) == (1, 0, 0, 1)
    assert "Row 3 is brought in by itself: row 2, with which it is one, is not taken." in held.summary_of(batch).notes


def test_a_worker_that_goes_on_knows_which_rows_are_one(app, acting):
    actor = acting("officer")
    batch_id = checked(actor, sheet(HEAD, FIRST, *MANY, SECOND), {"508": "2"}).id
    job_id, _run, _contents = taken_in_part(acting, batch_id)
    run_once(app, job_id)
    acting("officer")
    batch = held.get(batch_id)
    assert (batch.state, counts(batch)) == ("applied", (506, 1, 0, 0)), reasons(batch)
    assert not named("L. Haddad")
    assert get(named("Dr Lina Haddad")[0].id).country == "JO"


def renamed_on_the_way(acting):
    """A file in the background whose first part is taken, and whose second row's party got another name then: worker's run and contents."""
    actor = acting("officer")
    batch_id = checked(actor, sheet(HEAD, FIRST, *MANY, SECOND), {"508": "2"}).id
    job_id, run, contents = taken_in_part(acting, batch_id)
    actor = acting("officer")
    party = named("Dr Lina Haddad")[0]
    service.edit_party(actor, party.id, get(party.id).version, service.NewParty("person", "Lina Smith", about="By hand", kinds=("donor",)))
    return actor, batch_id, job_id, run, contents


def people():
    return sorted(db.session.scalars(select(Party.name).where(Party.form == "person")))


def test_a_row_stays_one_with_a_party_that_is_renamed_while_the_file_comes_in(acting):
    actor, batch_id, _job, run, contents = renamed_on_the_way(acting)
    assert apply.take_part(actor, run, contents) == 507
    acting("officer")
    assert people() == ["Lina Smith"]
    notes = held.summary_of(held.get(batch_id)).notes
    assert "Row 508 is brought in as one with row 2. It says otherwise, which is left aside: About." in notes


def test_another_worker_that_goes_on_says_that_it_does_not_find_the_renamed_party(app, acting):
    _actor, batch_id, job_id, _run, _contents = renamed_on_the_way(acting)
    run_once(app, job_id)
    acting("officer")
    assert people() == ["L. Haddad", "Lina Smith"]
    assert "Row 508 is brought in by itself: who was made of row 2 has another name by now." in held.summary_of(held.get(batch_id)).notes


def test_more_names_than_a_party_may_have_are_refused_before_anything_is_brought_in(acting):
    actor = acting("officer")
    data = sheet(["Name", "E-mail"], *([f"Ann{number} Bell{number}", "a@x.example"] for number in range(60)))
    dry = checked(actor, data, {str(row): "2" for row in range(3, 62)})
    assert counts(dry) == (1, 40, 0, 19)
    assert {sentence for _row, _column, sentence in reasons(dry)} == {"Keep at most 40 other names."}
    before = snapshot()
    imports.apply_batch(actor, dry.id)
    done = held.get(dry.id)
    assert (done.state, counts(done)) == ("applied", (1, 40, 0, 19))
    assert len(get(named("Ann0 Bell0")[0].id).names) == service.MOST_NAMES
    assert undo(actor, done)["kept"] == 0
    assert snapshot() == before

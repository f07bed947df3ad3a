"""Rows of one file that a person says are one: brought in as one, the earlier counts, the later fills; undone like every import."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from crm.db import db
from crm.errors import Denied
from crm.exchange.sheets import TWO, Setup
from crm.jobs import imports, sheets
from crm.models.imports import ImportLayout
from crm.models.notes import Note
from crm.models.parties import Channel, Party, PartyDistinction, Position, Tenure
from crm.queries import imports as held
from crm.queries import sheet_imports
from crm.queries.duplicates import Candidate, possible_duplicates
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
    assert not any("Row 4" in one for one in summary.as_read), "what is left aside is said once"
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
    notes = held.summary_of(held.get(first)).as_read
    assert f"Row 2 is brought in as one with Ana B. Bell ({reference})." in notes
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


def pairs():
    """Who is known to be somebody else than whom: pairs of names."""
    names = {row.id: row.name for row in db.session.execute(select(Party.id, Party.name))}
    return sorted(tuple(sorted((names[one.one_id], names[one.other_id]))) for one in db.session.scalars(select(PartyDistinction)))


def parted(actor, data, said):
    """A checked file of which rows were said to be other ones than some rows and references."""
    batch_id = imports.check_file(actor, actor.home_office_id, "parties", "list.csv", data)
    version = sheet_imports.sheet_of(batch_id).version
    setup = replace(sheets.setup_of(batch_id), twins=dict.fromkeys(said, TWO), parted=said)
    return held.get(imports.recheck_sheet(actor, batch_id, version, setup))


def may_be(name):
    """Whom the party of this name is still asked about."""
    party = get(named(name)[0].id)
    emails = tuple(db.session.scalars(select(Channel.value).where(Channel.party_id == party.id, Channel.kind == "email")))
    return [one.name for one in possible_duplicates(Candidate(party.name, party.form, emails=emails, party_id=party.id))]


@pytest.mark.parametrize("size", [500, 1])
def test_two_different_ones_are_remembered_as_such_when_they_are_brought_in_and_forgotten_by_the_undo(acting, monkeypatch, size):
    monkeypatch.setattr("crm.services.imports.CHUNK", size)
    actor = acting("officer")
    ana = make(actor, "Ana B. Bell", form="person")
    service.add_channel(actor, ana, service.NewChannel("email", "ana@x.example"))
    make(actor, "Haddad Lina", form="person")  # not among those that were shown: still to be asked about
    before = snapshot()
    data = sheet(["Name", "E-mail"], ["Dr Lina Haddad", "lina@x.example"], ["L. Haddad", "lina@x.example"], ["Annie", "ana@x.example"])
    batch = parted(actor, data, {"3": ["2"], "4": [get(ana).reference, "JOR-PA-1999-0001"]})
    assert counts(batch) == (3, 0, 0, 0), reasons(batch)
    assert pairs() == []  # a dry run
    assert snapshot() == before
    imports.apply_batch(actor, batch.id)
    assert pairs() == [("Ana B. Bell", "Annie"), ("Dr Lina Haddad", "L. Haddad")]
    assert may_be("Annie") == may_be("Ana B. Bell") == []
    assert "Dr Lina Haddad" not in may_be("L. Haddad")
    assert "Haddad Lina" in may_be("Dr Lina Haddad")
    again = held.get(imports.check_file(actor, actor.home_office_id, "parties", "list.csv", data))
    assert (counts(again), held.summary_of(again).double_rows) == ((0, 0, 3, 0), 0)
    assert undo(actor, held.get(batch.id))["kept"] == 0
    assert snapshot() == before
    assert pairs() == []
    assert db.session.scalar(select(func.count()).select_from(PartyDistinction)) == 0


def test_what_was_said_of_two_is_remembered_of_the_record_that_the_earlier_row_turned_out_to_be(acting):
    actor = acting("officer")
    make(actor, "Dr Lina Haddad", form="person")
    batch = parted(actor, sheet(["Name", "E-mail"], ["Dr Lina Haddad", "l@x.example"], ["L. Haddad", "l@x.example"]), {"3": ["2"]})
    assert counts(batch) == (1, 1, 0, 0)
    imports.apply_batch(actor, batch.id)
    assert pairs() == [("Dr Lina Haddad", "L. Haddad")]


def test_nothing_is_remembered_of_a_row_that_makes_nobody_or_whose_other_one_is_not_taken(acting):
    actor = acting("officer")
    rows = ["Lina Haddad", "lina at x"], ["Haddad Lina", "lina@x.example"], ["Omar Said", ""]
    make(actor, "Omar Said", form="person")
    batch = parted(actor, sheet(["Name", "E-mail"], *rows), {"3": ["2"], "4": ["3"]})
    assert counts(batch) == (1, 0, 1, 1)
    imports.apply_batch(actor, batch.id)
    assert pairs() == []


def test_a_worker_that_goes_on_remembers_two_of_which_another_one_took_the_first(app, acting):
    actor = acting("officer")
    batch_id = parted(actor, sheet(HEAD, FIRST, *MANY, SECOND), {"508": ["2"]}).id
    job_id, _run, _contents = taken_in_part(acting, batch_id)
    acting("officer")
    assert pairs() == []
    run_once(app, job_id)
    acting("officer")
    assert held.get(batch_id).state == "applied"
    assert pairs() == [("Dr Lina Haddad", "L. Haddad")]


def test_what_was_said_of_two_is_of_its_file_alone(acting):
    actor = acting("officer")
    batch = parted(actor, sheet(HEAD, FIRST, SECOND), {"3": ["2"]})
    version = sheet_imports.sheet_of(batch.id).version
    imports.recheck_sheet(actor, batch.id, version, sheets.setup_of(batch.id), is_remembered=True)
    assert Setup.load(db.session.scalars(select(ImportLayout.settings)).one()).parted == {}
    assert sheets.setup_of(batch.id).parted == {"3": ["2"]}


def test_telling_apart_needs_the_permission_and_takes_nobody_out_of_sight(acting):
    actor = acting("officer")
    one, other = (make(actor, name, form="person") for name in ("Ana Bell", "Bo Day"))
    service.tell_apart(actor, actor.home_office_id, [(one, other), (other, one), (one, one), (one, uuid.uuid4())])
    service.tell_apart(actor, actor.home_office_id, [(other, one)])
    service.tell_apart(actor, actor.home_office_id, [])
    assert pairs() == [("Ana Bell", "Bo Day")]
    office_id = actor.home_office_id
    viewer = acting("viewer")
    with pytest.raises(Denied):
        service.tell_apart(viewer, office_id, [(one, other)])


@pytest.mark.parametrize("size", [500, 1])
def test_since_when_a_post_is_held_may_stand_in_the_later_row_alone(acting, monkeypatch, size):
    monkeypatch.setattr("crm.services.imports.CHUNK", size)
    actor = acting("officer")
    before = snapshot()
    head = ["Name", "Form", "E-mail", "Post", "Organisation", "In post since"]
    first = ["Lina Haddad", "person", "lina@x.example", "Editor", "Radio X", ""]
    second = ["L. Haddad", "person", "lina@x.example", "editor", "RADIO X", "2021-05-03"]
    third = ["Haddad Lina", "person", "lina@x.example", "Editor", "Radio X", "2022-06-04"]
    dry = checked(actor, sheet(head, first, second, third), {"3": "2", "4": "2"})
    aside = "Row 4 is brought in as one with row 2. It says otherwise, which is left aside: In post since."
    assert aside in held.summary_of(dry).notes
    imports.apply_batch(actor, dry.id)
    done = held.get(dry.id)
    assert aside in held.summary_of(done).notes
    lina = named("Lina Haddad")[0]
    assert list(db.session.scalars(select(Tenure.starts_on).where(Tenure.person_id == lina.id))) == [date(2021, 5, 3)]
    assert undo(actor, done)["kept"] == 0
    assert snapshot() == before


def test_since_when_a_post_on_record_is_held_is_filled_never_replaced_and_undone(acting):
    actor = acting("officer")
    head = ["Name", "Form", "Post", "Organisation", "In post since"]
    imports.apply_batch(actor, checked(actor, sheet(head, ["Ana Bell", "person", "Editor", "Radio X", ""], ["Bo Day", "person", "Clerk", "Radio X", "2020-01-02"]), {}).id)  # fmt: skip
    before = snapshot()
    data = sheet(head, ["Ana Bell", "person", "Editor", "Radio X", "2021-05-03"], ["Bo Day", "person", "Clerk", "Radio X", "2022-02-02"])
    dry = checked(actor, data, {})
    assert counts(dry) == (0, 1, 1, 0), reasons(dry)
    assert "1 row says another first day of a post than is on record; the day on record stays." in held.summary_of(dry).notes
    imports.apply_batch(actor, dry.id)
    days = dict(db.session.execute(select(Party.name, Tenure.starts_on).join(Tenure, Tenure.person_id == Party.id)).all())
    assert (days["Ana Bell"], days["Bo Day"]) == (date(2021, 5, 3), date(2020, 1, 2))
    again = checked(actor, data, {})
    assert counts(again)[1] == 0, "the same file once more changes nothing"
    assert undo(actor, held.get(dry.id))["kept"] == 0
    assert snapshot() == before


@pytest.mark.parametrize("size", [1, 2, 500])
def test_a_row_is_one_with_an_earlier_one_that_got_a_better_name_in_between_in_the_dry_run_too(acting, monkeypatch, size):
    """Whatever the parts by which a file is taken."""
    monkeypatch.setattr("crm.services.imports.CHUNK", size)
    actor = acting("officer")
    batch = checked(actor, sheet(["Name"], ["R. Kawar"], ["Randa Kawar"], ["Um Ziad"]), {"3": "2", "4": "2"})
    summary = held.summary_of(batch)
    assert (batch.created, summary.joined + summary.joined_more) == (1, 2)
    assert "Row 4 is brought in as one with row 2." in summary.as_read
    imports.apply_batch(actor, batch.id)
    assert len(people()) == 1

"""Two people, or two workers, at the same moment: one effect, a sentence for the other, nothing doubled and nothing lost."""

from __future__ import annotations

import threading
import time
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from crm import clock
from crm.db import db, transactional
from crm.errors import Conflict, EditConflict, Invalid, NotFound, ThroughlineError
from crm.jobs import engine, imports
from crm.models.codes import GOAL_AREAS, INTERACTION_KINDS, PARTY_KINDS, SECTORS, Code
from crm.models.imports import ImportBatch, ImportUndo
from crm.models.offices import Office
from crm.models.parties import Party
from crm.models.saved_lists import SavedList
from crm.policy import all_offices, bind_actor, system_actor, unscoped
from crm.queries import codes as code_queries
from crm.queries import imports as held
from crm.queries import parties as found
from crm.queries.consistency import unknown_codes
from crm.services import bulk, codes, import_undo, jobs, offices, parties, programmes, saved_lists, users
from crm.services import imports as import_services
from crm.services.codes import CodeInput
from crm.services.interactions import NewInteraction, log_interaction
from crm.services.parties import NewParty
from crm.services.programmes import ProgrammeInput
from tests.factories import money, world
from tests.factories import parties as made_parties
from tests.jobs.test_background import job_of
from tests.jobs.test_import_undo import sheet


def overlapping(app, first, second, *, ready=lambda: None):
    """`first` is done and kept open until `second`, whose session has read what `ready` reads, waits or has ended; then it is saved.
    Each is (person, action of the actor). What each gave back or raised."""
    results = [None, None]
    is_open, has_read = threading.Event(), threading.Event()

    @transactional
    def slowly(actor):
        results[0] = first[1](actor)
        db.session.flush()
        is_open.set()
        time.sleep(0.7)

    def run(place, name, action):
        with app.app_context():
            bind_actor(None)
            actor = users.actor_by_email(world.address(name))
            bind_actor(actor)
            try:
                if place == 1:
                    ready()
                    has_read.set()
                    is_open.wait(20)
                else:
                    has_read.wait(20)
                found = action(actor)
                if place == 1:
                    results[1] = found
            except Exception as error:  # noqa: BLE001 - whatever it was is looked at
                results[place] = error
            finally:
                is_open.set()
                has_read.set()
                db.session.remove()

    db.session.remove()
    threads = [threading.Thread(target=run, args=(0, first[0], slowly)), threading.Thread(target=run, args=(1, *second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def entry(name, code):
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(Code).where(Code.list_name == name, Code.code == code)).one_or_none()


def office(code="JOR"):
    return db.session.scalars(select(Office.id).where(Office.code == code)).one()


def said(result):
    """The sentence of a refusal."""
    assert isinstance(result, ThroughlineError), repr(result)
    assert str(result)
    return str(result)


# --- code lists -------------------------------------------------------------------------------------------------------


def take(actor, name, code, home, party):
    """Make a record that holds an entry."""
    if name == INTERACTION_KINDS:
        new = NewInteraction(home, "held", code, clock.now() - timedelta(days=1), party, summary="Heard.")
        log_interaction(actor, new)
    elif name == PARTY_KINDS:
        parties.create_party(actor, home, NewParty("organisation", "A guild", kinds=(code,)))
    else:
        more = {"sector": code} if name == SECTORS else {"tags": (("goal-area", code),)}
        programmes.create_programme(actor, ProgrammeInput("Vaccines", date(2026, 1, 1), home, **more))


CODES = {SECTORS: "99999", GOAL_AREAS: "Z-1", INTERACTION_KINDS: "site-visit-z", PARTY_KINDS: "guild-z"}


@pytest.mark.parametrize("name", list(CODES))
@pytest.mark.parametrize("removed_first", [True, False])
def test_no_record_holds_an_entry_that_is_removed_at_the_same_moment(app, acting, name, removed_first):
    code = CODES[name]
    key = codes.add_code(acting("admin"), name, CodeInput("Of a moment", code))
    officer = acting("grants")
    home, party = office(), made_parties.make(officer, "Guests")
    remove = ("admin", lambda actor: codes.remove_code(actor, key))
    record = ("grants", lambda actor: take(actor, name, code, home, party))
    sides = (remove, record) if removed_first else (record, remove)
    results = overlapping(app, *sides, ready=lambda: code_queries.entries(name))
    said(results[1])
    assert not isinstance(results[0], Exception), results
    acting("admin")
    assert (entry(name, code) is None) == removed_first
    assert list(unknown_codes()) == []


def test_two_remove_one_entry_at_once(app, acting):
    key = codes.add_code(acting("admin"), SECTORS, CodeInput("Of a moment", "99999"))
    results = overlapping(app, *[("admin", lambda actor: codes.remove_code(actor, key))] * 2)
    assert isinstance(results[1], NotFound | Conflict), results


def test_an_entry_is_changed_while_it_is_removed(app, acting):
    key = codes.add_code(acting("admin"), SECTORS, CodeInput("Of a moment", "99999"))
    results = overlapping(
        app,
        ("admin", lambda actor: codes.remove_code(actor, key)),
        ("admin", lambda actor: codes.change_code(actor, key, CodeInput("Another"), version=1)),
    )
    assert isinstance(results[1], NotFound | Conflict), results


def test_two_withdraw_and_rename_one_entry_at_once(app, acting):
    key = codes.add_code(acting("admin"), SECTORS, CodeInput("Of a moment", "99999"))
    results = overlapping(
        app,
        ("admin", lambda actor: codes.change_code(actor, key, CodeInput("Of a moment", is_withdrawn=True, labels={"fr": "Un"}), version=1)),
        ("admin", lambda actor: codes.change_code(actor, key, CodeInput("Renamed", labels={"fr": ""}), version=1)),
    )
    assert not any(isinstance(one, Exception) for one in results), results
    acting("admin")
    row = entry(SECTORS, "99999")
    assert (row.label, row.is_withdrawn, [one.label for one in row.labels]) == ("Renamed", True, ["Un"])


def test_two_name_one_entry_at_once(app, acting):
    key = codes.add_code(acting("admin"), SECTORS, CodeInput("Of a moment", "99999"))
    results = overlapping(
        app,
        ("admin", lambda actor: codes.change_code(actor, key, CodeInput("Of a moment", labels={"fr": "Un"}), version=1)),
        ("admin", lambda actor: codes.change_code(actor, key, CodeInput("Of a moment", labels={"fr": "Deux"}), version=1)),
    )
    assert isinstance(results[1], EditConflict), results


def test_two_add_one_code_at_once(app, acting):
    acting("admin")
    results = overlapping(app, *[("admin", lambda actor: codes.add_code(actor, SECTORS, CodeInput("Of a moment", "99999")))] * 2)
    assert isinstance(results[1], Invalid), results


# --- saved lists ------------------------------------------------------------------------------------------------------


def test_a_list_saved_twice_at_once_is_kept_once(app, acting):
    acting("officer")
    new = saved_lists.NewSavedList("parties", "Mine", "kind=donor")
    results = overlapping(app, *[("officer", lambda actor: saved_lists.save_list(actor, new))] * 2)
    assert isinstance(results[1], Invalid), results
    acting("officer")
    assert db.session.scalar(select(func.count(SavedList.id))) == 1


def test_a_list_is_changed_while_it_is_removed(app, acting):
    key = saved_lists.save_list(acting("officer"), saved_lists.NewSavedList("parties", "Mine", "kind=donor"))
    results = overlapping(
        app,
        ("officer", lambda actor: saved_lists.remove_list(actor, key)),
        ("officer", lambda actor: saved_lists.change_list(actor, key, name="Other", is_shared=True)),
        ready=lambda: saved_lists.found.get(key),
    )
    assert isinstance(results[1], NotFound | Conflict), results
    acting("officer")
    key = saved_lists.save_list(acting("officer"), saved_lists.NewSavedList("parties", "Mine", "kind=donor"))
    results = overlapping(
        app, *[("officer", lambda actor: saved_lists.remove_list(actor, key))] * 2, ready=lambda: saved_lists.found.get(key)
    )
    assert isinstance(results[1], NotFound | Conflict), results


# --- imports ----------------------------------------------------------------------------------------------------------

PEOPLE = sheet(
    ["Name", "Organisation", "Post", "E-mail", "Kind"],
    *([f"Person {n}", f"Org {n // 5}", f"Head {n}", f"p{n}@x.example", "NGO"] for n in range(12)),
)


def names():
    db.session.rollback()
    db.session.expire_all()
    with unscoped("test"):
        return sorted(db.session.scalars(select(Party.name)))


def test_the_same_file_brought_in_twice_at_once_makes_each_party_once(app, acting):
    actor = acting("officer")
    home = actor.home_office_id
    results = overlapping(app, *[("officer", lambda who: imports.import_file(who, home, "parties", "list.csv", PEOPLE))] * 2)
    assert not any(isinstance(one, Exception) for one in results), results
    acting("officer")
    assert len(names()) == len(set(names())) == 15
    batches = db.session.scalars(select(ImportBatch).order_by(ImportBatch.reference)).all()
    assert sorted(batch.created for batch in batches) == [0, batches[0].created or batches[1].created]


def test_one_checked_file_is_brought_in_once_by_two(app, acting):
    actor = acting("officer")
    key = imports.check_file(actor, actor.home_office_id, "parties", "list.csv", PEOPLE)
    results = overlapping(app, *[("officer", lambda who: imports.apply_batch(who, key))] * 2)
    assert isinstance(results[1], Conflict), results
    acting("officer")
    assert len(names()) == len(set(names())) == 15


def test_two_undo_one_import_at_once(app, acting):
    actor = acting("officer")
    key = imports.import_file(actor, actor.home_office_id, "parties", "list.csv", PEOPLE)
    results = overlapping(app, *[("officer", lambda who: import_undo.undo(who, key))] * 2, ready=lambda: held.get(key))
    assert isinstance(results[1], Conflict), results
    acting("officer")
    assert names() == []
    assert db.session.scalar(select(func.count(ImportUndo.id))) == 1


def test_an_undo_that_comes_while_the_file_is_still_brought_in_waits_and_takes_it_back(app, acting):
    actor = acting("officer")
    key = imports.check_file(actor, actor.home_office_id, "parties", "list.csv", PEOPLE)
    results = overlapping(
        app,
        ("officer", lambda who: imports.apply_batch(who, key)),
        ("officer", lambda who: import_undo.undo(who, key)),
        ready=lambda: held.get(key),
    )
    acting("officer")
    assert not isinstance(results[0], Exception), results
    if isinstance(results[1], Exception):
        said(results[1])
        assert isinstance(results[1], Conflict)
        assert len(names()) == 15
    else:
        assert names() == []


def fund(actor, website=""):
    return parties.create_party(actor, actor.home_office_id, NewParty("organisation", "Fund X", kinds=("ngo",), website=website))


def edit(party, **more):
    """An edit by hand of what is on record now."""

    def do(actor):
        record = found.get(party)
        kept = {
            "kinds": tuple(row.kind for row in record.kinds),
            "website": record.website,
            "country": record.country,
            "about": record.about,
        }
        parties.edit_party(actor, party, record.version, NewParty("organisation", record.name, **{**kept, **more}))

    return do


def now(party):
    db.session.rollback()
    db.session.expire_all()
    record = found.get(party)
    return record.website, record.country, record.about, [row.kind for row in record.kinds]


def test_an_undo_that_waits_for_an_edit_keeps_the_edit(app, acting):
    actor = acting("officer")
    party = fund(actor, "https://before.example")
    key = imports.import_file(
        actor,
        actor.home_office_id,
        "parties",
        "list.csv",
        sheet(["Name", "Type", "Website"], ["Fund X", "organisation", "https://file.example"]),
    )
    assert now(party)[0] == "https://file.example"
    results = overlapping(app, ("grants", edit(party, website="https://hand.example")), ("officer", lambda who: import_undo.undo(who, key)))
    assert not isinstance(results[0], Exception), results
    acting("officer")
    assert now(party)[0] == "https://hand.example", results


def test_an_undo_keeps_what_somebody_is_editing_of_the_records_that_it_would_remove(app, acting):
    actor = acting("officer")
    key = imports.import_file(
        actor, actor.home_office_id, "parties", "list.csv", sheet(["Name", "Type"], ["Fund X", "organisation"], ["Fund Y", "organisation"])
    )
    with unscoped("test"):
        party = db.session.scalars(select(Party.id).where(Party.name == "Fund X")).one()
    results = overlapping(app, ("grants", edit(party, about="By hand")), ("officer", lambda who: import_undo.undo(who, key)))
    assert not any(isinstance(one, Exception) for one in results), results
    acting("officer")
    assert names() == ["Fund X"]
    assert now(party)[2] == "By hand"


def chosen(actor, key, value, party):
    batch = bulk.record_choice(actor, "parties", key, value, [party])
    db.session.rollback()
    return batch


@pytest.mark.parametrize(("key", "value"), [("country", "KE"), ("add-kind", "donor"), ("remove-kind", "ngo")])
def test_a_change_of_several_that_waits_for_an_edit_loses_nothing(app, acting, key, value):
    actor = acting("officer")
    party = fund(actor)
    batch = chosen(actor, key, value, party)
    results = overlapping(
        app,
        ("grants", edit(party, about="By hand", country="JO", kinds=("ngo", "government"))),
        ("officer", lambda who: bulk.apply(who, batch).rejected),
    )
    assert not any(isinstance(one, Exception) for one in results), results
    acting("officer")
    _website, country, about, kinds = now(party)
    assert about == "By hand"
    if results[1]:
        assert (country, sorted(kinds)) == ("JO", ["government", "ngo"])
    else:
        assert country == ("KE" if key == "country" else "JO")
        assert (
            sorted(kinds)
            == {"country": ["government", "ngo"], "add-kind": ["donor", "government", "ngo"], "remove-kind": ["government"]}[key]
        )


@pytest.mark.parametrize(("key", "value"), [("country", "KE"), ("add-kind", "donor")])
def test_an_edit_that_waits_for_a_change_of_several_loses_nothing(app, acting, key, value):
    actor = acting("officer")
    party = fund(actor)
    batch = chosen(actor, key, value, party)
    version = found.get(party).version
    new = NewParty("organisation", "Fund X", kinds=("ngo",), country="JO", about="By hand")
    results = overlapping(
        app,
        ("officer", lambda who: bulk.apply(who, batch).rejected),
        ("grants", lambda who: parties.edit_party(who, party, version, new)),
        ready=lambda: found.get(party),
    )
    assert results[0] == 0
    acting("officer")
    if isinstance(results[1], Exception):
        said(results[1])
        assert now(party)[2] == ""
    else:
        assert now(party) == ("", "JO", "By hand", ["donor", "ngo"])


@pytest.mark.parametrize(("key", "value"), [("country", "KE"), ("add-kind", "donor"), ("remove-kind", "ngo")])
def test_an_undo_of_a_change_of_several_that_waits_for_an_edit_loses_nothing(app, acting, key, value):
    actor = acting("officer")
    party = fund(actor)
    batch = chosen(actor, key, value, party)
    bulk.apply(actor, batch)
    results = overlapping(
        app,
        ("grants", edit(party, about="By hand", country="FR", kinds=("government",))),
        ("officer", lambda who: bulk.undo(who, batch)),
    )
    assert not isinstance(results[0], Exception), results
    acting("officer")
    _website, country, about, kinds = now(party)
    assert (country, about) == ("FR", "By hand"), results
    assert sorted(kinds) in (["government"], ["government", "ngo"]), results


# --- what an undo would bring back of a list --------------------------------------------------------------------------


def test_an_undo_brings_no_entry_back_that_its_list_has_no_more(acting):
    key = codes.add_code(acting("admin"), PARTY_KINDS, CodeInput("A guild", "guild-z"))
    actor = acting("officer")
    party = parties.create_party(actor, actor.home_office_id, NewParty("organisation", "Fund X", kinds=("guild-z", "ngo")))
    batch = chosen(actor, "remove-kind", "guild-z", party)
    bulk.apply(actor, batch)
    codes.remove_code(acting("admin"), key)
    bulk.undo(acting("officer"), batch)
    assert now(party)[3] == ["ngo"]
    (kept,) = import_undo.summary_of(import_undo.undone(batch))["names"]
    assert "list" in kept["why"]
    acting("admin")
    assert list(unknown_codes()) == []


# --- background work --------------------------------------------------------------------------------------------------


def queued(actor):
    key = imports.check_file(actor, actor.home_office_id, "parties", "list.csv", PEOPLE)
    imports.apply_in_background(actor, key)
    run = jobs.begin(engine._bound_system(), job_of(key).id, lambda _run: None)
    contents = imports._kept(held.get(key))
    bind_actor(actor)
    import_services.start(actor, run, contents)
    return key, run, contents


@pytest.mark.parametrize("cancelled_first", [True, False])
def test_a_job_that_is_cancelled_while_it_ends_is_cancelled_or_done(app, acting, cancelled_first):
    key, run, contents = queued(acting("officer"))
    end = ("officer", lambda who: import_services.take_part(who, run, contents))
    cancel = ("officer", lambda who: import_services.cancel(who, key).state)
    results = overlapping(app, *((cancel, end) if cancelled_first else (end, cancel)))
    said(results[1])
    assert not isinstance(results[0], Exception), results
    acting("officer")
    assert held.get(key).state == ("checked" if cancelled_first else "applied")
    assert len(names()) == (0 if cancelled_first else 15)
    assert job_of(key).state == ("cancelled" if cancelled_first else "running"), "the run still has to say that it is done"


def test_two_workers_that_begin_one_job_at_once_hold_it_one_after_the_other(app, acting):
    actor = acting("officer")
    key = imports.check_file(actor, actor.home_office_id, "parties", "list.csv", PEOPLE)
    imports.apply_in_background(actor, key)
    job_id = job_of(key).id
    begin = ("officer", lambda _who: jobs.begin(system_actor(all_offices()), job_id, lambda _run: None))
    runs = overlapping(app, begin, begin)
    assert not any(isinstance(one, Exception) for one in runs), runs
    acting("officer")
    contents = imports._kept(held.get(key))
    with pytest.raises(jobs.Superseded):
        import_services.start(acting("officer"), runs[0], contents)
    import_services.start(acting("officer"), runs[1], contents)
    import_services.take_part(acting("officer"), runs[1], contents)
    assert len(names()) == 15


def test_an_undo_that_comes_while_a_part_is_saved_is_refused_in_words(app, acting):
    key, run, contents = queued(acting("officer"))
    results = overlapping(
        app,
        ("officer", lambda who: import_services.take_part(who, run, contents, 5)),
        ("officer", lambda who: import_undo.undo(who, key)),
    )
    assert not isinstance(results[0], Exception), results
    assert "brought in" in said(results[1]), results


# --- offices ----------------------------------------------------------------------------------------------------------


def test_the_reporting_currency_stays_where_money_is_being_recorded(app, acting):
    actor = acting("grants")
    donor, home = money.donor(actor), office()
    row = db.session.get_one(Office, home)
    values = offices.OfficeInput(row.name, row.currency, "EUR", row.timezone)
    version = row.version
    results = overlapping(
        app,
        ("grants", lambda who: money.pledge(who, donor)),
        ("admin", lambda who: offices.change_office(who, home, values, version=version)),
    )
    assert isinstance(results[1], Invalid), results


def test_two_offices_of_one_code_at_once(app, acting):
    acting("admin")
    above = office("HQ")
    new = offices.NewOffice("UGA", "Uganda", "country", above, "UGX", "Africa/Kampala")
    results = overlapping(app, *[("admin", lambda who: offices.create_office(who, new))] * 2)
    said(results[1])

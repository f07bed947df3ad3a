"""Undoing imports (domain.md 0.3): what was made goes, what was changed is put back, what somebody built on is kept and named."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, or_, select

from crm import clock
from crm.db import Base, db, transactional
from crm.errors import Conflict, Denied, NotFound
from crm.jobs import imports
from crm.models.audit import AuditEntry, AuditValue
from crm.models.flows import Flow, PlanRequirement
from crm.models.notes import Note
from crm.models.parties import Channel, Party, Position
from crm.models.rates import RateSheet
from crm.policy import unscoped
from crm.queries import imports as held
from crm.queries import parties as found
from crm.services import import_undo, interactions, parties, positions
from crm.services.import_journal import NOT_JOURNALED
from tests.factories import fts
from tests.factories.parties import make

RATES = b"currency,rate,date\nKES,129.5,2026-10-30\nJOD,0.709,2026-10-30\n"


def sheet(*rows):
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()


def bring(actor, data, kind="parties"):
    batch = held.get(imports.import_file(actor, actor.home_office_id, kind, "list.csv", data))
    assert batch.state == "applied", batch.message
    return batch


def snapshot():
    """Every row of every table that files can reach, by table and id; versions count changes, so they are left out."""
    found_rows = {}
    with unscoped("test"):
        for mapper in Base.registry.mappers:
            if mapper.class_.__tablename__ in NOT_JOURNALED or not hasattr(mapper.class_, "id"):
                continue
            db.session.expire_all()
            for record in db.session.scalars(select(mapper.class_)):
                values = {column.key: getattr(record, column.key) for column in inspect(mapper).column_attrs if column.key != "version"}
                found_rows[record.__tablename__, record.id] = values
    return found_rows


def undo(actor, batch, most=0):
    """At once, or (`most`) by parts of about so many records."""
    if not most:
        import_undo.undo(actor, batch.id)
    else:
        doing = import_undo.parts(batch)
        while doing.left:
            import_undo.take_back_part(actor, batch.id, doing, most)
        import_undo.finish(actor, batch.id, doing)
    return import_undo.summary_of(import_undo.undone(batch.id))


@pytest.mark.parametrize(
    ("kind", "data", "entity"),
    [
        ("fts", fts.WITH_TAGS.read_bytes(), Flow),
        ("rates", RATES, RateSheet),
        (
            "parties",
            sheet(["Name", "Organisation", "Post", "E-mail", "Kind", "Note"], ["Ana", "Org", "Head", "a@x.example", "donor", "Hm"]),
            Party,
        ),
        ("parties", sheet(["Name", "Phone"], ["Ana", "+962 79 789 4204 (après 14h)"]), Note),
    ],
)
def test_an_import_undone_leaves_every_table_as_it_was(acting, kind, data, entity):
    actor = acting("grants")
    before = snapshot()
    batch = bring(actor, data, kind)
    assert db.session.scalars(select(entity)).first() is not None
    doing = import_undo.plan(batch)
    said = undo(actor, batch)
    assert snapshot() == before
    assert (said["removed"], said["kept"]) == (doing.removed, 0)
    again = bring(actor, data, kind)
    assert again.created == batch.created


def test_requirements_changed_by_a_newer_file_are_put_back(acting):
    actor = acting("grants")
    heading = b"countryCode,id,name,code,typeId,typeName,startDate,endDate,year,requirements,funding,percentFunded"
    data = heading + b"\nJOR,1,Plan A,PA,1,Appeal,2026-01-01,2026-12-31,2026,1000,500,50\n"
    bring(actor, data, "fts")
    before = snapshot()
    batch = bring(actor, data.replace(b"1000,500,50", b"2000,500,25"), "fts")
    assert batch.updated == 1
    said = undo(actor, batch)
    assert snapshot() == before
    assert said["restored"] == 1
    assert db.session.scalars(select(PlanRequirement.requirements_usd_minor)).all() == [100_000]


def test_changed_fields_go_back_and_those_touched_since_are_named(acting):
    actor = acting("officer")
    party = make(actor, "Fund X", about="Before", website="before.example", kinds=("donor",))
    data = sheet(["Name", "Type", "About", "Website", "Kind", "Alias"], ["Fund X", "organisation", "File", "file.example", "NGO", "FX"])
    batch = bring(actor, data)
    record = found.get(party)
    edit = parties.NewParty(
        "organisation", "Fund X", kinds=("donor", "ngo"), names=[parties.OtherName("FX")], about="By hand", website=record.website
    )
    parties.edit_party(actor, party, record.version, edit)
    said = undo(actor, batch)
    record = found.get(party)
    assert (record.about, record.website) == ("By hand", "https://before.example")
    assert [row.kind for row in record.kinds] == ["donor"]
    assert record.names == []
    (kept,) = said["names"]
    assert kept["title"].startswith("Fund X")
    assert "about" in kept["why"]


@pytest.mark.parametrize("most", [0, 1])
def test_who_was_changed_and_changed_back_goes_and_who_differs_in_anything_stays(acting, most):
    actor = acting("officer")
    before = snapshot()
    head = ["Name", "Type", "About", "Kind", "Alias", "E-mail"]
    names = ("as it was", "by an undo", "another about", "lost a name", "another name", "one more name", "kind there and back", "kind gone")
    rows = [[name, "organisation", "file", "NGO", f"alias {name}", f"{name.replace(' ', '.')}@x.example"] for name in names]
    batch = bring(actor, sheet(head, *rows))
    ids = dict(db.session.execute(select(Party.name, Party.id)).all())
    for name in ("as it was", "another about"):
        _set(actor, ids[name], "about", "by hand")
        _set(actor, ids[name], "about", "by hand too")
    _set(actor, ids["as it was"], "about", "file")
    again = bring(actor, sheet(["Name", "Type", "About"], ["by an undo", "organisation", "a second file"]))
    assert again.updated == 1
    undo(actor, again, most)
    named = {"lost a name": [], "another name": ["alias of another"], "one more name": ["alias one more name", "one more"]}
    for name, others in named.items():
        aliases = [parties.OtherName(other) for other in others]
        edit = parties.NewParty("organisation", name, kinds=("ngo",), names=aliases, about="file")
        parties.edit_party(actor, ids[name], found.get(ids[name]).version, edit)
    parties.change_kinds(actor, ids["kind there and back"], add=["media"])
    parties.change_kinds(actor, ids["kind there and back"], remove=["media"])
    parties.change_kinds(actor, ids["kind gone"], remove=["ngo"])
    said = undo(actor, batch, most)
    stay = ["another about", "another name", "kind gone", "lost a name", "one more name"]
    assert sorted(db.session.scalars(select(Party.name))) == stay
    assert sorted(one["title"].split(" (")[0] for one in said["names"]) == stay
    assert {one["why"] for one in said["names"]} == {"changed since"}
    assert {key for key in snapshot() if key[0] == "parties"} - set(before) == {("parties", ids[name]) for name in stay}


def test_what_the_history_does_not_show_whole_is_no_change_back(acting):
    actor = acting("officer")
    with clock.frozen(clock.now()):  # nothing tells what the import wrote from what came after it
        batch = bring(actor, sheet(["Name", "About"], ["ana", "file"], ["bo", "file"]))
        ids = dict(db.session.execute(select(Party.name, Party.id)).all())
        _set(actor, ids["ana"], "about", "by hand")
    for text in ("by hand", "file"):
        _set(actor, ids["bo"], "about", text)
    _lose(AuditEntry.record_id == ids["bo"], AuditEntry.version > 1)
    said = undo(actor, batch)
    assert sorted(one["title"].split(" (")[0] for one in said["names"]) == ["ana", "bo"]


@pytest.mark.parametrize("erased", [["old"], ["new"], ["old", "new"]])
def test_a_change_of_which_the_words_were_erased_since_is_no_change_back(acting, erased):
    actor = acting("officer")
    batch = bring(actor, sheet(["Name", "About"], ["ana", "file"]))
    (party,) = db.session.scalars(select(Party.id))
    _set(actor, party, "about", "by hand")
    _set(actor, party, "about", "file")
    _erase(AuditValue.field == "about", or_(*(getattr(AuditValue, side) == "by hand" for side in erased)))
    said = undo(actor, batch)
    assert [one["title"].split(" (")[0] for one in said["names"]] == ["ana"]


def test_what_was_changed_between_two_parts_of_an_import_stays(acting):
    """The next part touches the record once more: how it left it is not how the import alone would have."""
    actor = acting("officer")
    first, last = ["Org X", "organisation", "NGO", "file"], ["Org X", "organisation", "media", ""]
    data = sheet(["Name", "Type", "Kind", "About"], first, *[[f"p{n}", "person", "", ""] for n in range(40)], last)
    read = imports._read("parties", "list.csv", data, actor.home_office_id, is_asking=False)
    with imports._stored(data) as stored:
        contents = read.kept_as(stored)
        batch_id = imports.imports.begin(actor, actor.home_office_id, contents)
    taken = imports.imports.take_part(actor, None, contents, 10, batch_id=batch_id)
    org = db.session.scalars(select(Party.id).where(Party.name == "Org X")).one()
    _set(actor, org, "about", "By hand")
    while taken < len(contents.records):
        taken = imports.imports.take_part(actor, None, contents, 100, batch_id=batch_id)
    assert {row.kind for row in found.get(org).kinds} == {"ngo", "media"}
    said = undo(actor, held.get(batch_id))
    assert db.session.scalars(select(Party.name)).all() == ["Org X"]
    assert found.get(org).about == "By hand"
    assert [(one["title"].split(" (")[0], one["why"]) for one in said["names"]] == [("Org X", "changed since")]


def test_a_record_that_later_parts_of_the_same_import_touched_goes(acting):
    actor = acting("officer")
    before = snapshot()
    rows = [["Org X", "organisation", "NGO"], *[[f"p{n}", "person", ""] for n in range(600)], ["Org X", "organisation", "media"]]
    batch = bring(actor, sheet(["Name", "Type", "Kind"], *rows))
    assert undo(actor, batch, 200)["kept"] == 0
    assert snapshot() == before


def test_values_that_were_erased_in_part_prove_nothing(acting):
    actor = acting("officer")
    batch = bring(actor, sheet(["Name", "About"], ["ana", "file"], ["bo", ""], ["cleo", "file"]))
    ids = dict(db.session.execute(select(Party.name, Party.id)).all())
    _set(actor, ids["ana"], "about", "by hand")
    for text in ("one", "two"):
        _set(actor, ids["bo"], "about", text)
    for text in ("one", "two", "file"):
        _set(actor, ids["cleo"], "about", text)
    _lose_values(AuditValue.new == "by hand")
    _erase_side("new", AuditValue.old == "one", AuditValue.new == "two")  # of both: the last of bo's, the middle of cleo's
    said = undo(actor, batch)
    assert sorted(one["title"].split(" (")[0] for one in said["names"]) == ["ana", "bo", "cleo"]


def test_posts_and_tenures_that_were_changed_back_go_too(acting):
    actor = acting("officer")
    before = snapshot()
    first = bring(actor, sheet(["Name", "Organisation", "Post"], ["ana", "Org", "Head"]))
    position = db.session.scalars(select(Position)).one()
    for title in ("Boss", "Head"):
        positions.edit_position(actor, position.id, position.version, title=title, portfolio="")
    second = bring(actor, sheet(["Name", "Organisation", "Post", "Since"], ["ana", "Org", "Head", "2020-01-01"]))
    undo(actor, second)
    assert undo(actor, first)["kept"] == 0
    assert snapshot() == before


@pytest.mark.parametrize("most", [0, 2])
def test_who_was_edited_since_keeps_the_notes_that_came_with_them(acting, most):
    actor = acting("officer")
    rows = [[name, f"{name}@x.example", f"Met {name} in May."] for name in ("ana", "bo")]
    batch = bring(actor, sheet(["Name", "E-mail", "Note"], *rows))
    record = found.get(db.session.scalars(select(Party.id).where(Party.name == "bo")).one())
    parties.edit_party(actor, record.id, record.version, parties.NewParty("person", "bo", about="By hand"))
    said = undo(actor, batch, most)
    assert [row.name for row in db.session.scalars(select(Party))] == ["bo"]
    assert db.session.scalars(select(Channel.value)).all() == ["bo@x.example"]
    assert db.session.scalars(select(Note.body)).all() == ["Met bo in May."]
    assert [one["title"].split(" (")[0] for one in said["names"]] == ["bo"]


def test_who_was_met_since_is_kept_whole_and_the_rest_goes(acting):
    actor = acting("officer")
    rows = [[name, "Org", "Head of " + name, f"{name}@x.example"] for name in ("ana", "bo", "chi")]
    batch = bring(actor, sheet(["Name", "Organisation", "Post", "E-mail"], *rows))
    bo = db.session.scalars(select(Party).where(Party.name == "bo")).one()
    met = interactions.NewInteraction(
        actor.home_office_id, "held", "meeting", interactions.clock.now(), party_id=bo.id, summary="They agreed."
    )
    interactions.log_interaction(actor, met)
    names = {one.title.split(" (")[0] for one in import_undo.plan(batch).kept}
    said = undo(actor, batch)
    assert {row.name for row in db.session.scalars(select(Party))} == {"bo", "Org"}
    assert db.session.scalars(select(Channel.value)).all() == ["bo@x.example"]
    assert names == {"bo", "Org"}
    record = import_undo.undone(batch.id)
    assert "bo" not in record.summary, "what stays is read with its reader's rights, and goes with its record"
    assert {one["title"].split(" (")[0] for one in import_undo.summary_of(record)["names"]} == {"bo", "Org"}
    acting("other")
    seen_elsewhere = {one["title"].split(" (")[0] for one in import_undo.summary_of(record)["names"]}
    assert seen_elsewhere == {"A record that you may not see", "Org"}, "organisations are shared by all offices, people are not"
    assert said["removed"] == 2


def test_what_another_office_built_on_is_kept_without_saying_what(acting):
    officer = acting("officer")
    batch = bring(officer, sheet(["Name", "Type"], ["World Fund", "organisation"], ["Other Fund", "organisation"]))
    world = db.session.scalars(select(Party).where(Party.name == "World Fund")).one().id
    other = acting("other")
    parties.add_channel(other, world, parties.NewChannel("email", "secret@ken.example"))
    officer = acting("officer")
    said = undo(officer, held.get(batch.id))
    assert [party.name for party in db.session.scalars(select(Party))] == ["World Fund"]
    assert "KEN" not in str(said)
    assert "secret" not in str(said)


def test_who_may_and_how_often(acting):
    officer = acting("officer")
    batch = bring(officer, sheet(["Name"], ["Ana"]))
    flows = bring(acting("grants"), fts.file_of(size=2), "fts")
    officer = acting("officer")
    with pytest.raises(Denied):
        import_undo.undo(officer, flows.id)
    with pytest.raises(NotFound):
        import_undo.undo(acting("other-grants"), batch.id)
    officer = acting("officer")
    undo(officer, batch)
    with pytest.raises(Conflict, match="undone before"):
        import_undo.undo(officer, batch.id)
    dry = imports.check_file(officer, officer.home_office_id, "parties", "x.csv", sheet(["Name"], ["Bo"]))
    with pytest.raises(Conflict, match="brought in"):
        import_undo.undo(officer, dry)


EDITS = st.lists(
    st.tuples(st.sampled_from(["held-about", "held-website", "about", "channel", "meet", "gone", "back", "kind-back"]), st.integers(0, 3)),
    max_size=5,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS, most=st.sampled_from([0, 1, 9]))
def test_import_later_edits_undo_leaves_all_but_the_edits(acting, edits, most):
    """P4 of the issue: a file makes four parties with all parts and changes two on record; people go on working; the undo takes back
    exactly what nobody touched."""
    actor = acting("officer")
    tag = str(import_undo.uuid.uuid4())[:8]
    olds = [make(actor, f"Old {tag} {n}", about="before", website="before.example") for n in range(2)]
    before = snapshot()
    rows = [[f"New {tag} {n}", "person", "", "", f"Org {tag} {n}", "Head", f"n{n}{tag}@x.example", "NGO"] for n in range(4)]
    rows += [[f"Old {tag} {n}", "organisation", "file", "file.example", "", "", f"o{n}{tag}@x.example", "donor"] for n in range(2)]
    batch = bring(actor, sheet(["Name", "Type", "About", "Website", "Organisation", "Post", "E-mail", "Kind"], *rows))
    assert (batch.created, batch.updated) == (4, 2)
    touched: dict[object, dict[str, str]] = {}
    kept, gone = set(), set()
    back, lost = set(), set()
    for what, n in edits:
        if what.startswith("held-"):
            party, field = found.get(olds[n % 2]), what.removeprefix("held-")
            value = f"https://hand{len(touched)}.example" if field == "website" else "by hand"
            _set(actor, party.id, field, value)
            touched.setdefault(("parties", party.id), {})[field] = value
            continue
        name = f"New {tag} {n}"
        record = db.session.scalar(select(Party).where(Party.name == name))
        if record is None:
            continue
        if what == "about":
            _set(actor, record.id, "about", "by hand")
            kept.add(name)
        elif what.endswith("back"):
            _there_and_back(actor, record, what)
            back.add(name)
        elif what == "channel":
            parties.add_channel(actor, record.id, parties.NewChannel("email", "later@x.example"))
            kept.add(name)
        elif what == "meet":
            new = interactions.NewInteraction(
                actor.home_office_id, "held", "call", interactions.clock.now(), party_id=record.id, summary="Said."
            )
            interactions.log_interaction(actor, new)
            kept.add(name)
        else:
            channel = db.session.scalars(select(Channel).where(Channel.party_id == record.id)).first()
            if channel is not None:
                parties.remove_channel(actor, channel.id)
                gone.add(channel.id)
                lost.add(name)
    kept |= back & lost  # not as it was left: a part is gone
    middle = snapshot()
    undo(actor, held.get(batch.id), most)
    after = snapshot()
    expected = {key: {**row, **touched.get(key, {})} for key, row in before.items()}
    assert {key: after.get(key) for key in before} == expected
    _only_these_stay(kept, before, middle, after)


def _only_these_stay(kept, before, middle, after):
    """Of what the file brought: whole, and as it stood before the undo."""
    extra = {key: row for key, row in after.items() if key not in before}
    assert {row["name"] for (noun, _id), row in extra.items() if noun == "parties" and row["form"] == "person"} == kept
    assert all(middle[key] == row for key, row in extra.items())
    if not kept:
        assert extra == {}
    for name in kept:  # whole: its parts are there as they were
        ids = {key[1] for key, row in middle.items() if key[0] == "parties" and row["name"] == name}
        parts = {key for key, row in middle.items() if {row.get("party_id"), row.get("person_id")} & ids}
        assert parts <= extra.keys()


@transactional
def _lose(*which):
    with unscoped("test"):
        for entry in db.session.scalars(select(AuditEntry).where(*which)):
            for value in entry.values:
                db.session.delete(value)
            db.session.flush()
            db.session.delete(entry)
        db.session.flush()


@transactional
def _lose_values(*which):
    with unscoped("test"):
        for value in db.session.scalars(select(AuditValue).where(*which)):
            db.session.delete(value)
        db.session.flush()


@transactional
def _erase_side(side, *which):
    with unscoped("test"):
        for value in db.session.scalars(select(AuditValue).where(*which)):
            setattr(value, side, None)
        db.session.flush()


def _there_and_back(actor, record, what):
    if what == "back":
        _set(actor, record.id, "about", f"{record.about} for a moment")
        _set(actor, record.id, "about", record.about.removesuffix(" for a moment"))
    else:
        parties.change_kinds(actor, record.id, add=["media"])
        parties.change_kinds(actor, record.id, remove=["media"])


@transactional
def _erase(*which):
    with unscoped("test"):
        for value in db.session.scalars(select(AuditValue).where(*which)):
            value.old = value.new = None
        db.session.flush()


@transactional
def _write(party_id, field, value):
    setattr(db.session.get_one(Party, party_id), field, value)


def _set(actor, party_id, field, value):
    assert actor
    _write(party_id, field, value)

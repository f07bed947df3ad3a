"""Spreadsheets of parties: columns guessed, rows compared, the same file twice, rejects, namesakes, what a file leaves open."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import func, select

from crm.db import db
from crm.errors import Conflict, Denied
from crm.exchange.sheets import Setup
from crm.jobs import engine, imports, sheets
from crm.models.codes import PARTY_KINDS, Code
from crm.models.notes import Note
from crm.models.parties import Channel, Party, Position, Tenure
from crm.queries import imports as held
from crm.queries.parties import get
from crm.services import codes
from crm.services import imports as apply
from crm.services import jobs as work
from crm.services import parties as service
from tests.factories.parties import make, office_id
from tests.jobs.test_background import job_of, run_once


def sheet(*rows):
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()


def bring(actor, data, *, kind="parties", **more):
    return held.get(imports.import_file(actor, actor.home_office_id, kind, "list.csv", data, **more))


def counts(batch):
    return batch.created, batch.updated, batch.unchanged, batch.rejected


def reasons(batch):
    return [(row.row_number, row.column, row.reason) for row in held.every_reject(batch.id)]


def named(name):
    return db.session.scalars(select(Party).where(Party.name == name)).all()


CONTACTS = sheet(
    ["Nom", "Prénom", "Organisation", "Fonction", "Courriel", "Téléphone", "Pays", "Depuis", "Catégorie", "Remarques"],
    [
        "Haddad",
        "Amal",
        "Ministère de la Santé",
        "Ministre",
        "amal@moh.example",
        "+962 6 555 0101",
        "Jordanie",
        "03.04.2026",
        "Gouvernement",
        "Prefers mornings",
    ],
    ["Núñez", "Ana", "Fondation X", "Directrice", "ana@x.example; ana2@x.example", "", "", "", "Bailleur; ONG", ""],
    ["", "", "Comité des parents", "", "", "", "", "", "", ""],
)


def test_contacts_in_french_are_brought_in_with_posts_channels_and_notes(acting):
    actor = acting("officer")
    batch = bring(actor, CONTACTS)
    assert (batch.state, counts(batch)) == ("applied", (3, 0, 0, 0)), reasons(batch)
    amal = get(named("Amal Haddad")[0].id)
    assert (amal.form, amal.visibility, amal.country, [row.kind for row in amal.kinds]) == ("person", "office", "JO", ["government"])
    channels = {tuple(row) for row in db.session.execute(select(Channel.kind, Channel.value).where(Channel.party_id == amal.id))}
    assert channels == {("email", "amal@moh.example"), ("phone", "+962 6 555 0101")}
    tenure = db.session.scalars(select(Tenure).where(Tenure.person_id == amal.id)).one()
    assert (tenure.starts_on.isoformat(), tenure.visibility) == ("2026-04-03", "office")
    post = db.session.get(Position, tenure.position_id)
    assert (post.title, post.visibility, post.organisation.name) == ("Ministre", "shared", "Ministère de la Santé")
    assert db.session.scalars(select(Note.body).where(Note.party_id == amal.id)).all() == ["Prefers mornings"]
    assert named("Comité des parents")[0].form == "organisation"
    assert len(db.session.scalars(select(Channel).where(Channel.value.like("ana%"))).all()) == 2


def test_the_same_file_twice_changes_nothing(acting):
    actor = acting("officer")
    bring(actor, CONTACTS)
    before = db.session.scalar(select(func.count()).select_from(Party))
    again = bring(actor, CONTACTS)
    assert counts(again) == (0, 0, 3, 0), reasons(again)
    assert db.session.scalar(select(func.count()).select_from(Party)) == before


def test_a_dry_run_says_the_same_as_doing_it_and_changes_nothing(acting):
    actor = acting("officer")
    rows = [
        ["Name", "E-mail", "Country"],
        ["Ana", "ana@x.example", "Kenya"],
        ["Ana", "ana@x.example", ""],
        ["Bo", "no address", ""],
        ["ana", "", "Kenya"],
    ]
    dry = bring(actor, sheet(*rows), dry_run=True)
    assert counts(dry) == (1, 0, 2, 1)
    assert db.session.scalar(select(func.count()).select_from(Party)) == 0
    assert counts(bring(actor, sheet(*rows))) == counts(dry)
    assert len(named("Ana")) == 1


def test_a_row_adds_and_changes_and_takes_nothing_away(acting):
    actor = acting("officer")
    party = make(actor, "Fund X", kinds=("donor",), names=[service.OtherName("FX", "acronym")], about="Old words", country="KE")
    data = sheet(
        ["Name", "Type", "Kind", "About", "Website", "Alias", "E-mail"],
        ["FUND  X", "Organisation", "NGO", "New words", "x.example", "The Fund", "a@x.example"],
    )
    batch = bring(actor, data)
    assert counts(batch) == (0, 1, 0, 0), reasons(batch)
    record = get(party)
    assert (record.name, record.about, record.country, record.website) == ("Fund X", "New words", "KE", "https://x.example")
    assert {row.kind for row in record.kinds} == {"donor", "ngo"}
    assert {(row.kind, row.name) for row in record.names} == {("acronym", "FX"), ("alias", "The Fund")}
    changes = {name: (old, new) for name, old, new in held.summary_of(batch).samples[0]["changes"]}
    assert changes["about"] == ("Old words", "New words")
    assert changes["email"] == ("", "a@x.example")


def test_our_own_export_comes_back_unchanged(browser, acting, app):
    with app.app_context():
        actor = acting("officer")
        make(
            actor,
            "=1+1 Fund",
            kinds=("donor", "ngo"),
            names=[service.OtherName("+Alias"), service.OtherName("صندوق", "native")],
            website="x.example",
            country="JO",
        )
        make(actor, "Ana Núñez", form="person")
        make(actor, "@Group", form="group", kinds=("youth",))
    exported = browser("officer").get("/parties.csv").get_data()
    assert b"'=1+1 Fund" in exported
    with app.app_context():
        batch = bring(acting("officer"), exported)
        assert counts(batch) == (0, 0, 3, 0), (reasons(batch), held.summary_of(batch).samples)


def test_sister_organisations_and_namesakes_are_not_put_together(acting):
    actor = acting("officer")
    data = sheet(
        ["Name", "Type", "Organisation", "Post", "E-mail", "Country"],
        ["Ministry of Health", "organisation", "", "", "", "Jordan"],
        ["Ministry of Health", "organisation", "", "", "", "Kenya"],
        ["Ali Hassan", "person", "School A", "Teacher", "a@a.example", ""],
        ["Ali Hassan", "person", "Clinic B", "Nurse", "b@b.example", ""],
        ["Ali Hassan", "person", "", "", "", ""],
    )
    batch = bring(actor, data)
    assert (batch.created, batch.rejected) == (4, 1)
    assert "Several have this name" in reasons(batch)[0][2]
    assert held.summary_of(batch).double_rows == 2
    assert counts(bring(actor, data)) == (0, 0, 4, 1)


def test_possible_duplicates_are_named_and_never_those_of_another_office(acting):
    make(acting("other"), "Secret Person", form="person", code="KEN", names=[service.OtherName("Ana Bell")])
    actor = acting("officer")
    ana = make(actor, "Ana B. Bell", form="person", names=[service.OtherName("Ana Bell")])
    service.add_channel(actor, ana, service.NewChannel("email", "ana@x.example"))
    batch = bring(actor, sheet(["Name", "E-mail"], ["Ana Bell", ""], ["A. Bell", "ana@x.example"], ["Secret Person", ""]), dry_run=True)
    summary = held.summary_of(batch)
    assert (batch.created, summary.double_rows) == (3, 2)
    assert all("Ana B. Bell" in like for _row, _name, like in summary.doubles)
    assert "KEN" not in batch.summary


@pytest.mark.parametrize("country", ["Jordan", "Lebanon", ""])
def test_one_person_in_two_scripts_is_named_within_a_file_as_against_records(acting, country):
    actor = acting("officer")
    first, second = ["Leila Haddad", "Jordan", ""], ["ليلى حداد", country, ""]
    others = [["Rana Haddad", "", ""], ["Omar Haddad", "", ""], ["Leila Haddad Foundation", "", "organisation"]]
    heading = ["Name", "Country", "Form"]
    within = held.summary_of(bring(actor, sheet(heading, first, second, *others), dry_run=True))
    assert [(row, like) for row, _name, like in within.doubles] == [(3, "row 2 of this file: the same name, spelt otherwise")]
    assert within.twins == {"3": ["2"]}
    bring(actor, sheet(heading, first))
    against = held.summary_of(bring(actor, sheet(heading, second, *others), dry_run=True))
    assert [row for row, _name, _like in against.doubles] == [2]
    assert "the same name, spelt otherwise" in against.doubles[0][2]


def test_two_rows_that_contradict_each_other_are_not_both_taken(acting):
    actor = acting("officer")
    data = sheet(["Name", "About"], ["Ana", "One thing"], ["Ana", "Another"])
    batch = bring(actor, data)
    assert counts(batch) == (1, 0, 0, 1)
    assert reasons(batch) == [(3, "About", "Row 2 says otherwise about the same party. Mend one of the two.")]
    assert counts(bring(actor, data)) == (0, 0, 1, 1)


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        (["", "a@x.example", "", ""], "Name", "Enter a name."),
        (["Ana", "not an address", "", ""], "E-mail", "Enter an e-mail address"),
        (["Ana", "", "12", ""], "Phone", "too short"),
        (["Ana", "", "", "Atlantis"], "Country", "not a country"),
        (["x" * 301, "", "", ""], "Name", "at most 300 characters"),
    ],
)
def test_a_row_is_refused_whole_with_its_column_and_reason(acting, row, column, said):
    batch = bring(acting("officer"), sheet(["Name", "E-mail", "Phone", "Country"], ["Bo", "", "", ""], row))
    assert counts(batch) == (1, 0, 0, 1)
    ((_number, where, why),) = reasons(batch)
    assert where == column
    assert said in why
    mended = imports.rejects_of(batch).decode("utf-8-sig")
    assert mended.splitlines()[0].startswith('"rejected row"')


def test_days_that_can_mean_two_things_are_asked(acting):
    actor = acting("officer")
    rows = (["Name", "Organisation", "Post", "Since"], ["Ana", "Org", "Head", "03/04/2026"])
    batch = bring(actor, sheet(*rows), dry_run=True)
    assert batch.rejected == 1
    assert "2026-04-03 or 2026-03-04" in reasons(batch)[0][2]
    read = imports.sheet_to_mend(actor, batch.id)
    assert [question.heading for question in read.file.questions] == ["Since"]
    setup = sheets.setup_of(batch.id)
    imports.recheck_sheet(actor, batch.id, 1, Setup.load(setup.dump().replace('"day_order": ""', '"day_order": "mdy"')), is_remembered=True)
    imports.apply_batch(actor, batch.id)
    assert db.session.scalars(select(Tenure.starts_on)).one().isoformat() == "2026-03-04"
    assert sheets.setup_of(bring(actor, sheet(*rows), dry_run=True).id).day_order == "mdy"


def test_columns_are_remembered_for_the_office_only(acting):
    actor = acting("officer")
    data = sheet(["Wer", "Was"], ["Ana", "Health"])
    batch = imports.check_file(actor, actor.home_office_id, "parties", "l.csv", data)
    assert imports.sheet_to_mend(actor, batch).file.missing() == ["Name"]
    said = Setup(columns={"Wer": "name", "Was": "about"})
    imports.recheck_sheet(actor, batch, 1, said, is_remembered=True)
    assert counts(held.get(batch)) == (1, 0, 0, 0)
    again = imports.check_file(actor, actor.home_office_id, "parties", "l.csv", data)
    assert counts(held.get(again)) == (1, 0, 0, 0)
    other = acting("other")
    theirs = imports.check_file(other, other.home_office_id, "parties", "l.csv", data)
    assert counts(held.get(theirs)) == (0, 0, 0, 0)


def test_a_cell_mended_on_the_page_is_read_instead(acting):
    actor = acting("officer")
    batch = imports.check_file(actor, actor.home_office_id, "parties", "l.csv", sheet(["Name", "E-mail"], ["Ana", "ana at x"]))
    assert held.get(batch).rejected == 1
    imports.recheck_sheet(actor, batch, 1, Setup(edits={"2": {"E-mail": "ana@x.example"}}))
    with pytest.raises(Conflict):
        imports.recheck_sheet(actor, batch, 1, Setup())
    imports.apply_batch(actor, batch)
    assert db.session.scalars(select(Channel.value)).all() == ["ana@x.example"]


def test_who_records_contacts_brings_contacts_and_nobody_else(acting):
    viewer = acting("viewer")
    with pytest.raises(Denied):
        bring(viewer, CONTACTS)
    officer = acting("officer")
    with pytest.raises(Denied):
        imports.check_file(officer, officer.home_office_id, "fts", "x.csv", b"a,b\n")
    with pytest.raises(Denied):
        imports.check_file(officer, office_id("KEN"), "parties", "x.csv", CONTACTS)


def test_a_shared_party_of_another_office_is_used_but_not_edited(acting):
    make(acting("other"), "World Fund", code="KEN", about="Theirs")
    actor = acting("officer")
    batch = bring(actor, sheet(["Name", "Type", "About", "E-mail"], ["World Fund", "organisation", "Ours", "w@fund.example"]))
    assert counts(batch) == (0, 1, 0, 0)
    assert [party.about for party in named("World Fund")] == ["Theirs"]
    assert db.session.scalars(select(Channel.office_id)).all() == [actor.home_office_id]


def test_an_organisation_named_by_a_post_and_listed_far_below_is_one_and_a_dry_run_says_so(acting, monkeypatch):
    monkeypatch.setattr("crm.services.imports.CHUNK", 2)
    actor = acting("officer")
    people = [[f"P{n}", "person", "Org Z", "Head"] for n in range(3)]
    data = sheet(["Name", "Type", "Organisation", "Post"], *people, ["Org Z", "organisation", "", ""])
    dry = bring(actor, data, dry_run=True)
    done = bring(actor, data)
    assert counts(dry) == counts(done) == (3, 0, 1, 0), (reasons(dry), reasons(done))
    assert len(named("Org Z")) == 1
    said = "1 organisation of a post is not on record; it is recorded too."
    assert said in held.summary_of(dry).as_read
    assert said in held.summary_of(done).as_read


def test_every_kind_and_form_in_our_words_is_read_back(acting):
    from crm.exchange.sheet_columns import FORM_WORDS, KIND_WORDS
    from crm.forms.parties import FORM_NAMES
    from crm.queries.names import fold
    from crm.queries.parties import KIND_NAMES

    acting("viewer")

    assert {KIND_WORDS.get(fold(str(label))) for label in KIND_NAMES.values()} == set(KIND_NAMES)
    assert {FORM_WORDS.get(fold(str(label))) for label in FORM_NAMES.values()} == set(FORM_NAMES)


def test_our_own_list_comes_back_though_kinds_were_renamed_added_and_translated(acting):
    admin = acting("admin")
    codes.add_code(admin, PARTY_KINDS, codes.CodeInput("=Trade union", "trade-union", labels={"fr": "Syndicat", "ar": "نقابة"}))
    donor = db.session.scalars(select(Code.id).where(Code.list_name == PARTY_KINDS, Code.code == "donor")).one()
    codes.change_code(admin, donor, codes.CodeInput("Funding partner"), version=1)
    actor = acting("officer")
    told = ("Organisation; =Trade union; Funding partner", "Syndicat", "نقابة", "trade-union", "bailleur", "Donor")
    data = sheet(["Name", "What they are to us"], *([f"Org {number}", words] for number, words in enumerate(told)))
    assert counts(bring(actor, data)) == (len(told), 0, 0, 0)
    kinds = [{row.kind for row in get(named(f"Org {number}")[0].id).kinds} for number in range(len(told))]
    assert kinds == [{"trade-union", "donor"}, {"trade-union"}, {"trade-union"}, {"trade-union"}, {"donor"}, {"donor"}]
    assert counts(bring(actor, data)) == (0, 0, len(told), 0)
    refused = bring(actor, sheet(["Name", "What they are to us"], ["Org Q", "Guild"]))
    assert (counts(refused), reasons(refused)[0][2]) == ((0, 0, 0, 1), "“Guild” is none of the words known for this column.")


def taken_in_part(acting, batch_id):
    """A file in the background of which one worker took the first part: its job, that worker's run, and what the file says."""
    imports.apply_in_background(acting("officer"), batch_id)
    job_id = job_of(batch_id).id
    run = work.begin(engine._bound_system(), job_id, lambda _run: None)
    actor = acting("officer")
    contents = imports._kept(held.get(batch_id))
    assert (apply.start(actor, run, contents), apply.take_part(actor, run, contents)) == (0, 500)
    return job_id, run, contents


@pytest.mark.parametrize("kind", ["parties", "positions", "interactions"])
def test_a_worker_that_goes_on_knows_what_the_rows_before_said(app, acting, kind):
    """The first rows were taken in by a worker that was killed: a row that contradicts one of them is refused all the same."""
    actor = acting("officer")
    make(actor, "Ana", form="person")
    make(actor, "Org")
    heads, first, later = {
        "parties": (["Name", "Type", "About"], ["Bo", "person", "One"], ["Bo", "person", "Two"]),
        "positions": (["Organisation", "Post", "Portfolio"], ["Org", "Head", "One"], ["Org", "Head", "Two"]),
        "interactions": (["Date", "With", "Summary", "Place"], ["2026-04-03", "Ana", "W", "One"], ["2026-04-03", "Ana", "W", "Two"]),
    }[kind]
    many = {
        "parties": lambda n: [f"Name {n}", "group", ""],
        "positions": lambda n: ["Org", f"Post {n}", ""],
        "interactions": lambda n: ["2026-04-04", "Ana", f"Words {n}", ""],
    }[kind]
    data = sheet(heads, first, *map(many, range(505)), later)
    batch_id = imports.check_file(actor, actor.home_office_id, kind, "l.csv", data)
    job_id, _run, _contents = taken_in_part(acting, batch_id)
    run_once(app, job_id)
    acting("officer")
    batch = held.get(batch_id)
    assert (batch.state, counts(batch)) == ("applied", (506, 0, 0, 1)), reasons(batch)
    assert "Row 2 says otherwise" in reasons(batch)[0][2]


WORDED = [
    ["Name", "Phone", "Mobile", "Note"],
    ["Ana", "+962 79 789 4204 (après 14h, pas le lundi)", "", "Speaks French"],
    ["Bo", "+962 6 555 0101 - ask for secretary", "", ""],
    ["Cy", "Rana: 06 555 0102; 06 555 0103", "٠٧٩ ٧٨٩ ٤٢٠٥ مساء", ""],
    ["Di", "+962 6 555 0104 ext. 12", "Tel. +962 79 789 4206", ""],
    ["Ed", "+962 6 555 0105 ext. 12 (home) / 06 555 0106 bureau", "", ""],
]


def test_words_beside_a_number_go_to_the_notes_and_the_number_is_kept(acting):
    actor = acting("officer")
    dry = bring(actor, sheet(*WORDED), dry_run=True)
    batch = bring(actor, sheet(*WORDED))
    assert counts(batch) == counts(dry) == (5, 0, 0, 0), reasons(batch)
    sentence = "6 numbers have words beside them: the numbers are kept, the words stand in the notes."
    assert sentence in held.summary_of(dry).as_read
    assert sentence in held.summary_of(batch).as_read
    people = dict(db.session.execute(select(Party.id, Party.name)).all())
    numbers, notes = {}, {}
    for party, value in db.session.execute(select(Channel.party_id, Channel.value)):
        numbers.setdefault(people[party], set()).add(value)
    for party, body in db.session.execute(select(Note.party_id, Note.body)):
        notes.setdefault(people[party], set()).add(body)
    assert numbers == {
        "Ana": {"+962 7 9789 4204"},
        "Bo": {"+962 6 555 0101"},
        "Cy": {"+962 6 555 0102", "+962 6 555 0103", "+962 7 9789 4205"},
        "Di": {"+962 6 555 0104 ext. 12", "+962 7 9789 4206"},
        "Ed": {"+962 6 555 0105 ext. 12", "+962 6 555 0106"},
    }
    assert notes == {
        "Ana": {"Speaks French", "Phone +962 7 9789 4204: après 14h, pas le lundi"},
        "Bo": {"Phone +962 6 555 0101: ask for secretary"},
        "Cy": {"Phone +962 6 555 0102: Rana", "Phone +962 7 9789 4205: مساء"},
        "Ed": {"Phone +962 6 555 0105 ext. 12: home", "Phone +962 6 555 0106: bureau"},
    }
    again = bring(actor, sheet(*WORDED))
    assert counts(again) == (0, 0, 5, 0), reasons(again)
    assert db.session.scalar(select(func.count()).select_from(Note)) == 7


@pytest.mark.parametrize(
    "cell", ["+962", "ext. 1234", "+962 (matin)", "+962 6 555 0101 - home 06 555", "0101 or +962 6 555 0101 x: 06 55501 home"]
)
def test_words_beside_digits_that_are_no_number_are_refused_as_before(acting, cell):
    batch = bring(acting("officer"), sheet(["Name", "Phone"], ["Ana", cell]))
    if cell.endswith("06 555"):  # a piece of one is no second number: it stands in the notes
        assert counts(batch) == (1, 0, 0, 0), reasons(batch)
        assert db.session.scalars(select(Note.body)).all() == ["Phone +962 6 555 0101: home 06 555"]
    else:
        assert (counts(batch), reasons(batch)[0][1]) == ((0, 0, 0, 1), "Phone")
        assert db.session.scalar(select(func.count()).select_from(Note)) == 0


def test_a_number_that_could_be_of_two_countries_is_named(acting):
    """The row's own country counts for its numbers; where the file's would do as well that is said."""
    actor = acting("officer")
    head = ["Name", "Form", "Country", "Phone"]
    rows = (
        ["Ana Bell", "person", "France", "0797790957"],
        ["Bo Day", "person", "", "0797790957"],
        ["Cy Poe", "person", "France", "01 44 44 55 55"],
        ["Di Roe", "person", "France", "+33 7 97 79 09 57"],
        ["Ed Moe", "person", "Jordan", "0797790958"],
    )
    batch_id = imports.check_file(actor, actor.home_office_id, "parties", "list.csv", sheet(head, *rows))
    said = [note for note in held.summary_of(held.get(batch_id)).notes if "without a country code" in note]
    assert said == ["A number without a country code is read as one of its row's country, and could be of the file's too: row 2."]
    imports.apply_batch(actor, batch_id)
    numbers = dict(db.session.execute(select(Party.name, Channel.value).join(Channel, Channel.party_id == Party.id)).all())
    assert numbers["Ana Bell"] == "+33 7 97 79 09 57"
    assert numbers["Bo Day"].startswith("+962 7 9")


UNNUMBERED = [
    ["Name", "Phone", "Mobile", "Note"],
    ["Ana", "call secretary Um Ahmad", "+962 79 789 4204", "Speaks French"],
    ["Bo", "-", "n/a", ""],
    ["Cy", "None", "لا يوجد", ""],
    ["Di", "06 555 0101, ask at reception, (not Mondays)", "N.A.", ""],
    ["Ed", "اسأل في الاستقبال", "—; ask Rana", ""],
]


def test_a_telephone_cell_without_any_number_is_a_note_or_empty(acting):
    actor = acting("officer")
    dry = bring(actor, sheet(*UNNUMBERED), dry_run=True)
    batch = bring(actor, sheet(*UNNUMBERED))
    assert counts(batch) == counts(dry) == (5, 0, 0, 0), reasons(batch)
    sentence = "4 telephone cells hold words and no number: the words stand in the notes."
    assert sentence in held.summary_of(dry).as_read
    assert sentence in held.summary_of(batch).as_read
    said = db.session.execute(select(Party.name, Note.body).join(Note, Note.party_id == Party.id)).all()
    assert sorted(map(tuple, said)) == [
        ("Ana", "Phone: call secretary Um Ahmad"),
        ("Ana", "Speaks French"),
        ("Di", "Phone: ask at reception, not Mondays"),
        ("Ed", "Phone: ask Rana"),
        ("Ed", "Phone: اسأل في الاستقبال"),
    ]
    assert sorted(db.session.scalars(select(Channel.value))) == ["+962 6 555 0101", "+962 7 9789 4204"]
    again = bring(actor, sheet(*UNNUMBERED))
    assert counts(again) == (0, 0, 5, 0), reasons(again)

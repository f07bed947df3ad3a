"""Lists of posts: found by organisation and title, holders by name, times that end and begin again, the same file twice, undo."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from crm.db import db
from crm.errors import Denied
from crm.jobs import imports
from crm.models.base import OFFICE, SHARED
from crm.models.parties import Party, Position, Tenure
from crm.queries import imports as held
from crm.services import import_undo, positions
from tests.factories.parties import make
from tests.jobs.test_import_undo import snapshot
from tests.jobs.test_sheets import bring, counts, reasons, sheet

HEADINGS = ["Organisme", "Poste", "Titulaire", "Depuis le", "Jusqu'au", "Formule d'appel", "Portefeuille"]


@pytest.fixture
def ministry(acting):
    """An officer, a ministry and two people on record."""
    actor = acting("officer")
    make(actor, "Ministry of Health", country="JO")
    make(actor, "Amal Haddad", form="person")
    make(actor, "Omar Nasser", form="person")
    return actor


def tenures():
    rows = db.session.execute(
        select(Position.title, Party.name, Tenure.starts_on, Tenure.ends_on)
        .join(Position, Position.id == Tenure.position_id)
        .join(Party, Party.id == Tenure.person_id)
        .order_by(Tenure.starts_on, Party.name)
    )
    return [(title, name, str(since), str(until) if until else "") for title, name, since, until in rows]


POSTS = sheet(
    HEADINGS,
    ["Ministry of Health", "Minister", "Omar Nasser", "01.02.2018", "30.06.2022", "His Excellency", "Health of all"],
    ["ministry of health", "MINISTER", "Amal Haddad", "1 juillet 2022", "", "Her Excellency", ""],
    ["Ministry of Health", "Secretary General", "", "", "", "", "Budget"],
)


def test_posts_are_brought_in_with_who_held_them_and_the_same_file_twice_changes_nothing(ministry):
    batch = bring(ministry, POSTS, kind="positions")
    assert counts(batch) == (3, 0, 0, 0), reasons(batch)
    assert tenures() == [("Minister", "Omar Nasser", "2018-02-01", "2022-06-30"), ("Minister", "Amal Haddad", "2022-07-01", "")]
    posts = dict(db.session.execute(select(Position.title, Position.portfolio)).all())
    assert posts == {"Minister": "Health of all", "Secretary General": "Budget"}
    assert set(db.session.scalars(select(Position.visibility))) == {SHARED}
    assert set(db.session.scalars(select(Tenure.visibility))) == {OFFICE}
    again = bring(ministry, POSTS, kind="positions")
    assert counts(again) == (0, 0, 3, 0), held.summary_of(again).samples


def test_a_dry_run_says_what_doing_it_does(ministry):
    dry = bring(ministry, POSTS, kind="positions", dry_run=True)
    assert counts(dry) == (3, 0, 0, 0)
    assert db.session.scalar(select(func.count()).select_from(Position)) == 0


def test_somebody_leaves_and_a_first_day_is_mended_and_undo_puts_both_back(ministry):
    bring(ministry, POSTS, kind="positions")
    before, rows = tenures(), snapshot()
    leaves = sheet(
        HEADINGS,
        ["Ministry of Health", "Minister", "Amal Haddad", "2022-07-02", "2026-01-31", "", "Health"],
        ["Ministry of Health", "Minister", "Omar Nasser", "2026-02-01", "", "", ""],
    )
    batch = bring(ministry, leaves, kind="positions")
    assert counts(batch) == (1, 1, 0, 0), reasons(batch)
    (sample,) = [one for one in held.summary_of(batch).samples if one["action"] == "updated"]
    assert [tuple(change) for change in sample["changes"]] == [
        ("portfolio", "Health of all", "Health"),
        ("since", "2022-07-01", "2022-07-02"),
        ("until", "", "2026-01-31"),
    ]
    assert [row[1:] for row in tenures()] == [
        ("Omar Nasser", "2018-02-01", "2022-06-30"),
        ("Amal Haddad", "2022-07-02", "2026-01-31"),
        ("Omar Nasser", "2026-02-01", ""),
    ]
    assert counts(bring(ministry, leaves, kind="positions")) == (0, 0, 2, 0)
    import_undo.undo(ministry, batch.id)
    assert (tenures(), snapshot()) == (before, rows)
    assert db.session.scalars(select(Position.portfolio).where(Position.title == "Minister")).one() == "Health of all"


def test_undo_takes_every_new_post_back(ministry):
    rows = snapshot()
    batch = bring(ministry, POSTS, kind="positions")
    import_undo.undo(ministry, batch.id)
    assert (tenures(), snapshot()) == ([], rows)
    assert db.session.scalar(select(func.count()).select_from(Position)) == 0


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        (["", "Minister", "", "", ""], "Organisation", "Enter the organisation"),
        (["Ministry of Helth", "Minister", "", "", ""], "Organisation", "Perhaps it is Ministry of Health (JOR-PA"),
        (["Nowhere", "Minister", "", "", ""], "Organisation", "“Nowhere” is not on record."),
        (["Amal Haddad", "Minister", "", "", ""], "Organisation", "is not on record"),
        (["Ministry of Health", "", "", "", ""], "Post", "Enter the title of the post."),
        (["Ministry of Health", "Minister", "Ali", "", ""], "Holder", "can mean several: Ali (JOR-PA"),
        (["Ministry of Health", "Minister", "Ministry of Health", "", ""], "Holder", "is not on record"),
        (["Ministry of Health", "Minister", "", "2020-01-01", ""], "Since", "Write who holds the post"),
        (["Ministry of Health", "Minister", "Amal Haddad", "2020-01-01", "2019-01-01"], "Until", "The end cannot be before the start."),
        (["Ministry of Health", "Minister", "Amal Haddad", "0001-01-01", ""], "Since", "outside 1945 to 2100"),
    ],
)
def test_a_row_is_refused_with_its_column_and_the_candidates(ministry, row, column, said):
    make(ministry, "Ali", form="person")
    make(ministry, "Ali", form="person")
    data = sheet(["Organisation", "Post", "Holder", "Since", "Until"], row, ["Ministry of Health", "Adviser", "", "", ""])
    batch = bring(ministry, data, kind="positions")
    assert counts(batch) == (1, 0, 0, 1)
    ((_number, where, why),) = reasons(batch)
    assert where == column
    assert said in why


def test_a_namesake_who_holds_the_post_already_is_meant_and_a_reference_settles_the_rest(ministry):
    one, _other = make(ministry, "Ali", form="person"), make(ministry, "Ali", form="person")
    reference = db.session.get_one(Party, one).reference
    first = sheet(["Organisation", "Post", "Holder"], ["Ministry of Health", "Adviser", reference.lower()])
    assert counts(bring(ministry, first, kind="positions")) == (1, 0, 0, 0)
    again = sheet(["Organisation", "Post", "Holder"], ["Ministry of Health", "Adviser", "Ali"])
    assert counts(bring(ministry, again, kind="positions")) == (0, 0, 1, 0)


def test_rows_that_contradict_each_other_are_not_both_taken(ministry):
    data = sheet(
        ["Organisation", "Post", "Holder", "Since"],
        ["Ministry of Health", "Minister", "Amal Haddad", "2020-01-01"],
        ["Ministry of Health", "Minister", "Amal Haddad", "2021-01-01"],
    )
    batch = bring(ministry, data, kind="positions")
    assert counts(batch) == (1, 0, 0, 1)
    assert reasons(batch) == [(3, "Since", "Row 2 says otherwise about the same post. Mend one of the two.")]


def test_a_title_written_shorter_is_named_and_a_deputy_is_another_post(ministry):
    data = sheet(
        ["Organisation", "Post"],
        ["Ministry of Health", "Minister of Health"],
        ["Ministry of Health", "Minister"],
        ["Ministry of Health", "Deputy Minister"],
    )
    batch = bring(ministry, data, kind="positions", dry_run=True)
    assert held.summary_of(batch).doubles == [[3, "Minister, Ministry of Health", "Minister of Health"]]


def test_what_another_office_keeps_is_not_changed(ministry, acting):
    other = acting("other")
    ministry_id = db.session.scalars(select(Party.id).where(Party.name == "Ministry of Health")).one()
    positions.add_position(other, other.home_office_id, positions.NewPosition(ministry_id, "Minister", "Theirs"))
    officer = acting("officer")
    data = sheet(["Organisation", "Post", "Portfolio"], ["Ministry of Health", "Minister", "Ours"], ["Ministry of Health", "Minister", ""])
    batch = bring(officer, data, kind="positions")
    assert counts(batch) == (0, 0, 1, 1)
    assert "Another office keeps this post." in reasons(batch)[0][2]


def test_who_may_not_record_contacts_brings_no_posts(acting):
    viewer = acting("viewer")
    with pytest.raises(Denied):
        imports.check_file(viewer, viewer.home_office_id, "positions", "l.csv", POSTS)

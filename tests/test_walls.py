"""Each wall by itself: levels of the history and of its values, private parties, people of two offices (P1)."""

from __future__ import annotations

import dataclasses
import uuid

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db, transactional
from crm.models.audit import AuditEntry, AuditValue
from crm.models.base import OFFICE
from crm.models.commitments import Commitment
from crm.models.parties import Party, PartyKind, PartyName, Position, Tenure
from crm.models.pledges import Pledge
from crm.models.users import Membership
from crm.policy import all_offices, bind_actor, system_actor, unscoped
from crm.queries import history
from crm.services import commitments, notes, positions, users
from crm.services.agreements import BudgetLine
from crm.services.commitments import NewCommitment
from crm.services.parties import NewParty, OtherName, create_party
from tests.factories import money as made
from tests.factories import world
from tests.factories.browser import tree
from tests.services.test_promises import ministry, office, promise

SECRET = "the minister's brother in law asked for a share"


def seen(statement) -> int:
    return len(db.session.scalars(statement).all())


@transactional
def _keep(*records) -> None:
    for record in records:
        db.session.add(record)
        db.session.flush()


def entry(office_id, about, *, level, values, action="changed"):
    return AuditEntry(
        office_id=office_id,
        level=level,
        at=clock.now(),
        actor_name="x",
        noun="commitments",
        record_id=about,
        about_id=about,
        action=action,
        values=[AuditValue(office_id=office_id, level=one, field="words", old="a", new="b") for one in values],
    )


# --- the history's levels ------------------------------------------------------------------------------------------


def test_the_history_of_an_office_record_carries_its_level(acting):
    """crm/audit.py: the level of the record goes to the entry AND to each of its values."""
    officer = acting("officer")
    key = notes.write_note(officer, office(), ministry(officer), "first words", "office")
    notes.edit_note(officer, key, 1, "second words")
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.record_id == key)).all()
    assert {one.action for one in entries} == {"created", "changed"}
    assert {one.level for one in entries} == {"office"}
    assert {value.level for one in entries for value in one.values} == {"office"}


@pytest.mark.parametrize(
    ("name", "is_member"),
    [("officer", True), ("viewer", True), ("auditor", True), ("hq", False), ("regional", False), ("admin", False), ("other", False)],
)
def test_the_history_of_an_office_record_is_its_members_alone(acting, name, is_member):
    officer = acting("officer")
    key = notes.write_note(officer, office(), ministry(officer), "first words", "office")
    notes.edit_note(officer, key, 1, "second words")
    acting(name)
    entries = select(AuditEntry).where(AuditEntry.about_id == key)
    values = select(AuditValue).join(AuditEntry, AuditValue.entry_seq == AuditEntry.seq).where(AuditEntry.about_id == key)
    assert (seen(entries) > 0, seen(values) > 0) == (is_member, is_member)
    assert bool(history.history_of(key).entries) is is_member


@pytest.mark.parametrize("name", ["hq", "regional"])
def test_entry_and_value_are_each_behind_a_wall_of_their_own(acting, name):
    """One wall alone is not enough: an open entry may hold an office value, and the other way round."""
    officer = acting("officer")
    first, second, third = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    _keep(
        entry(office(), first, level="open", values=["office"]),
        entry(office(), second, level="office", values=["open"]),
        entry(office(), third, level="open", values=["open", "office"]),
    )
    assert officer
    acting(name)
    assert seen(select(AuditEntry).where(AuditEntry.about_id.in_([first, second, third]))) == 2
    assert seen(select(AuditEntry).where(AuditEntry.about_id == second)) == 0
    levels = db.session.scalars(select(AuditValue.level).join(AuditEntry, AuditValue.entry_seq == AuditEntry.seq)).all()
    assert "office" not in levels
    assert seen(select(AuditValue)) >= 1
    assert history.history_of(first).entries == [], "a change of which nothing may be seen is not a line"
    assert [value.level for value in history.history_of(third).entries[0].values] == ["open"]


def test_a_pledge_whose_words_are_of_the_office_shows_headquarters_no_words(acting, browser):
    """Pledge and promise share a key, so a pledge's history (open) is read by headquarters too."""
    grants = acting("grants")
    key = made.pledge(grants, made.donor(grants))
    edit(grants, key, level="office")
    edit(grants, key, words=SECRET)
    edit(grants, key, words="Something else")
    acting("hq")
    assert seen(select(Pledge).where(Pledge.id == key)) == 1
    assert seen(select(Commitment).where(Commitment.id == key)) == 0
    assert seen(select(AuditValue).where(AuditValue.field == "words")) == 0
    acting("officer")
    assert seen(select(AuditValue).where(AuditValue.field == "words")) == 2
    db.session.remove()
    assert "brother in law" not in page_of(browser, "hq", f"/pledges/{key}/history")


@pytest.mark.parametrize(("name", "values"), [("officer", 2), ("hq", 2), ("regional", 2), ("other", 0), ("admin", 0)])
def test_values_are_not_seen_on_their_own_either(acting, name, values):
    """Asked for without their entries: another office, and an administrator (who reads names only), see none."""
    officer = acting("officer")
    first, second = uuid.uuid4(), uuid.uuid4()
    _keep(entry(office(), first, level="open", values=["open"]), entry(office(), second, level="open", values=["open"]))
    assert officer
    acting(name)
    assert seen(select(AuditValue).where(AuditValue.field == "words")) == values


def private_party(acting, name: str, code: str) -> uuid.UUID:
    actor = acting(name)
    return create_party(
        actor, office(code), NewParty("person", f"Private of {code}", kinds=("media",), names=(OtherName("Alias"),), visibility="office")
    )


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("officer", {"JOR"}),
        ("other", {"KEN"}),
        ("regional", {"JOR"}),
        ("hq", {"JOR", "KEN"}),
        ("admin", {"JOR", "KEN"}),
        ("auditor", {"JOR"}),
    ],
)
def test_a_private_party_and_its_parts_are_seen_where_its_office_is(acting, name, codes):
    """regional holds two offices (MER, JOR): that is not all of them."""
    keys = {"JOR": private_party(acting, "officer", "JOR"), "KEN": private_party(acting, "other", "KEN")}
    acting(name)
    for entity, column in ((Party, Party.id), (PartyKind, PartyKind.party_id), (PartyName, PartyName.party_id)):
        assert {code for code, key in keys.items() if seen(select(entity).where(column == key))} == codes, entity.__name__


def test_two_memberships_are_two_offices_and_no_third(acting, context):
    """A person of MER and KEN sees private parties, office records and histories of MER (and JOR below it) and KEN; one of JOR and KEN nothing of MER's."""
    keys = {
        "JOR": private_party(acting, "officer", "JOR"),
        "KEN": private_party(acting, "other", "KEN"),
        "MER": private_party(acting, "regional", "MER"),
    }
    ids = {one.code: one.id for one in all_offices()}
    with unscoped("test"):
        everything = system_actor(all_offices())
    bind_actor(everything)
    user_id = users.create_user(everything, users.NewUser("two@test.example", "Two Offices", ids["JOR"], "viewer", world.PASSWORD))
    _keep(Membership(user_id=user_id, office_id=ids["KEN"], role="viewer"))
    two = users.actor_by_email("two@test.example")
    bind_actor(two)
    assert two.visible == two.readable == two.member_of == {ids["JOR"], ids["KEN"]}
    assert (two.covers_all, two.reads_all) == (False, False)
    assert {code for code, key in keys.items() if seen(select(Party).where(Party.id == key))} == {"JOR", "KEN"}
    assert {code for code, key in keys.items() if seen(select(AuditEntry).where(AuditEntry.about_id == key))} == {"JOR", "KEN"}


def test_a_private_post_and_its_holder_stay_in_the_office(acting):
    for name, code in (("officer", "JOR"), ("other", "KEN")):
        actor = acting(name)
        person = create_party(actor, office(code), NewParty("person", f"Holder {code}", visibility="office"))
        body = create_party(actor, office(code), NewParty("organisation", f"Body {code}", visibility="office"))
        post = positions.find_or_add_position(actor, office(code), positions.NewPosition(body, f"Post {code}"))
        positions.add_tenure(actor, office(code), positions.NewTenure(post, person))
    acting("regional")
    assert db.session.scalars(select(Position.title)).all() == ["Post JOR"]
    assert seen(select(Tenure)) == 1


def test_what_belongs_to_no_office_is_for_those_who_cover_all(acting):
    """Accounts have no office in the history: only who reads all offices sees such entries, an administrator does not."""
    grants = acting("grants")
    about = uuid.uuid4()
    _keep(entry(None, about, level="open", values=["open"]))
    assert grants
    for name, expected in (("grants", 0), ("regional", 0), ("admin", 0), ("other", 0), ("hq", 1)):
        acting(name)
        assert seen(select(AuditEntry).where(AuditEntry.about_id == about)) == expected, name
        assert (
            seen(select(AuditValue).join(AuditEntry, AuditValue.entry_seq == AuditEntry.seq).where(AuditEntry.about_id == about))
            == expected
        ), name


def edit(actor, key, **more):
    record = db.session.get_one(Commitment, key)
    new = NewCommitment(
        office_id=record.office_id,
        party_id=record.party_id,
        kind=record.kind,
        words=record.words,
        made_on=record.made_on,
        level=record.level,
    )
    commitments.edit_commitment(actor, key, dataclasses.replace(new, **more), record.version)


def page_of(browser, name, path):
    return browser(name).client.get(path).get_data(as_text=True)


# --- levels that change --------------------------------------------------------------------------------------------


def test_widening_and_rewriting_in_one_save_does_not_show_the_old_words(browser, acting):
    officer = acting("officer")
    key = commitments.record_commitment(officer, promise(ministry(officer), words=SECRET, level="office"))
    edit(officer, key, words="A line of half a million.", level="open")
    db.session.remove()
    assert "brother in law" not in page_of(browser, "hq", f"/commitments/{key}/history")


def test_narrowing_takes_the_history_along(browser, acting):
    grants = acting("grants")
    key = made.pledge(grants, made.donor(grants))
    edit(grants, key, words=SECRET)
    edit(grants, key, words="Another text", level="office")
    db.session.remove()
    assert "brother in law" not in page_of(browser, "hq", f"/pledges/{key}/history")


def test_money_of_a_donor_out_of_sight_stays_on_its_programme_without_the_name(browser, acting):
    """Shared when it signed, then its office's alone: others keep their agreement and pledge, called by their references."""
    theirs = acting("other-grants")
    signer, pledger = made.donor(theirs, "Hidden Signer", code="KEN"), made.donor(theirs, "Hidden Pledger", code="KEN")
    grants = acting("grants")
    programme = made.programme(grants)
    lines = (BudgetLine(programme, made.usd(100)),)
    made.agreement(grants, made.usd(100), donor_id=signer, office_id=made.office(), budget_lines=lines)
    made.pledge(grants, pledger, made.usd(50), programme_id=programme)
    acting("other-grants")
    _keep_to_its_office(signer, pledger)
    page = tree(browser("grants").get(f"/programmes/{programme}"))
    rows = [" ".join(row.text_content().split()) for row in page.xpath("//*[@id='behind']//tbody/tr")]
    assert [row.split()[0].partition("-")[2][:2] for row in rows] == ["AG", "PL"]
    assert "Hidden" not in page.text_content()


@transactional
def _keep_to_its_office(*keys):
    for key in keys:
        db.session.get_one(Party, key).visibility = OFFICE

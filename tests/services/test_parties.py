"""What a person can do with parties, and what an import may."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from crm.db import db, transactional
from crm.errors import Denied, EditConflict, Invalid, NotFound
from crm.models.audit import AuditEntry, AuditValue
from crm.models.parties import Party, PartyIdentifier, PartyKind
from crm.queries import parties as found
from crm.queries import positions as posts
from crm.services import notes, parties, positions
from tests.factories.counting import count_statements
from tests.factories.parties import make, office_id


def test_an_organisation_is_shared_and_a_person_is_the_offices_unless_said_otherwise(acting):
    actor = acting("officer")
    assert found.get(make(actor)).visibility == "shared"
    assert found.get(make(actor, "Amal", form="person")).visibility == "office"
    assert found.get(make(actor, "Bishop", form="person", visibility="shared")).visibility == "shared"


@pytest.mark.parametrize("name", ["viewer", "auditor", "hq", "other"])
def test_who_may_not_log_contacts_here_may_not_make_parties_here(acting, name):
    actor = acting(name)
    with pytest.raises(Denied):
        make(actor)
    assert db.session.scalars(select(Party)).all() == []


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("form", {"form": "ghost"}),
        ("name", {"name": " \x00 "}),
        ("kinds", {"kinds": ("donor", "king")}),
        ("country", {"country": "ZZ"}),
        ("visibility", {"visibility": "public"}),
        ("website", {"website": "file:///etc/passwd"}),
        ("website", {"website": "http://["}),
        ("about", {"about": "x" * 20_001}),
        ("acronyms", {"names": (parties.OtherName("x" * 301, "acronym"),)}),
        ("aliases", {"names": tuple(parties.OtherName(f"n{i}") for i in range(41))}),
    ],
)
def test_each_wrong_field_is_named_and_nothing_is_saved(acting, field, more):
    actor = acting("officer")
    with pytest.raises(Invalid) as caught:
        make(actor, **more)
    assert list(caught.value.errors) == [field]
    assert db.session.scalars(select(Party)).all() == []


def test_a_post_that_is_refused_takes_its_person_and_organisation_back(acting):
    actor = acting("officer")
    with pytest.raises(Invalid) as caught:
        make(actor, "Amal", form="person", post=parties.HeldPost("", new_organisation="Ministry"))
    assert list(caught.value.errors) == ["post_title"]
    assert db.session.scalars(select(Party)).all() == []


def test_nobody_is_part_of_itself_or_of_its_own_part(acting):
    actor = acting("officer")
    above = make(actor, "Government")
    below = make(actor, "Ministry", part_of_id=above)
    for above_id in (above, below):
        edit = parties.NewParty("", "Government", part_of_id=above_id)
        with pytest.raises(Invalid) as caught:
            parties.edit_party(actor, above, 1, edit)
        assert list(caught.value.errors) == ["part_of"]


def test_a_party_of_another_office_is_neither_found_nor_part_of_anything(acting):
    hidden = make(acting("other"), "Hidden", form="group", code="KEN")
    actor = acting("officer")
    with pytest.raises(NotFound):
        found.get(hidden)
    with pytest.raises(Invalid):
        make(actor, "Ours", part_of_id=hidden)
    assert found.namesakes("Hidden") == []
    with pytest.raises(Invalid):
        notes.write_note(actor, office_id("JOR"), hidden, "text", "open")


def test_changed_kinds_alone_count_as_a_change_and_conflict(acting):
    actor = acting("officer")
    key = make(actor, kinds=("donor",))
    parties.edit_party(actor, key, 1, parties.NewParty("", "Ministry of Health", kinds=("donor", "media")))
    assert found.get(key).version == 2
    parties.edit_party(actor, key, 1, parties.NewParty("", "New Name", kinds=("donor",)))
    party = found.get(key)
    assert (party.name, [row.kind for row in party.kinds]) == ("New Name", ["donor", "media"])
    with pytest.raises(EditConflict) as caught:
        parties.edit_party(actor, key, 1, parties.NewParty("", "Ministry of Health", kinds=()))
    assert caught.value.changes == {"kinds": (("donor",), ("donor", "media"), ())}


def test_a_shared_party_stays_shared_and_sharing_takes_its_parts_along(acting):
    actor = acting("officer")
    key = make(actor, "Bishop", form="person", kinds=("local-leader-religious",), names=(parties.OtherName("Abuna"),))
    acting("other")
    with pytest.raises(NotFound):
        found.get(key)
    actor = acting("officer")
    parties.edit_party(
        actor,
        key,
        1,
        parties.NewParty("", "Bishop", visibility="shared", kinds=("local-leader-religious",), names=(parties.OtherName("Abuna"),)),
    )
    acting("other")
    party = found.get(key)
    assert [row.kind for row in party.kinds] == ["local-leader-religious"]
    assert [row.name for row in party.names] == ["Abuna"]
    actor = acting("officer")
    with pytest.raises(Invalid):
        parties.edit_party(actor, key, 2, parties.NewParty("", "Bishop", visibility="office"))


# --- what files report -----------------------------------------------------------------------------------------------


def test_two_offices_imports_meet_in_one_shared_organisation(acting):
    """domain.md 0.2: matched by source id or exact name."""
    actor = acting("grants")
    first, made = parties.find_or_create_reported_organisation(actor, office_id("JOR"), "Germany, Government of", ("donor",), "DEU")
    assert made
    assert found.get(first).country == "DE"
    other = acting("other-grants")
    again, made = parties.find_or_create_reported_organisation(other, office_id("KEN"), "Germany, Government of", ("government",))
    assert (again, made) == (first, False)
    assert len(db.session.scalars(select(PartyIdentifier)).all()) == 1


def test_a_renamed_party_is_still_found_by_what_the_source_calls_it(acting):
    actor = acting("grants")
    key, _ = parties.find_or_create_reported_organisation(actor, office_id("JOR"), "Germany, Government of")
    parties.edit_party(actor, key, 1, parties.NewParty("", "Federal Republic of Germany"))
    assert parties.find_or_create_reported_organisation(actor, office_id("JOR"), "Germany, Government of") == (key, False)


def test_an_office_own_party_of_the_same_name_is_never_taken_for_a_shared_one(acting):
    acting("other")
    hidden = make(acting("other"), "Quiet Fund", code="KEN", visibility="office")
    actor = acting("grants")
    key, made = parties.find_or_create_reported_organisation(actor, office_id("JOR"), "Quiet Fund")
    assert made
    assert key != hidden


def test_hundreds_are_looked_up_and_made_with_a_few_statements(acting, context):
    actor = acting("grants")
    named = {f"Organisation {number}": ("ngo",) for number in range(300)}
    with count_statements(context) as sent:
        made = parties.find_or_create_reported_organisations(actor, office_id("JOR"), named)
    assert sum(" audit_" not in text for text in sent.texts) < 20, sent
    assert set(made) == set(named)
    assert len(db.session.scalars(select(PartyKind)).all()) == 300
    assert sent.count < 60, sent  # the history too goes in together, on both databases
    its = select(AuditValue.new, AuditEntry.record_id).join(AuditEntry, AuditEntry.seq == AuditValue.entry_seq)
    told = db.session.execute(its.where(AuditEntry.noun == "party_identifiers", AuditValue.field == "value"))
    held = {row.value: row.id for row in db.session.scalars(select(PartyIdentifier))}
    assert dict(told.all()) == held
    with count_statements(context) as sent:
        assert parties.find_or_create_reported_organisations(actor, office_id("JOR"), named) == made
    assert sent.count <= 4, sent
    with pytest.raises(Denied):
        parties.find_or_create_reported_organisations(acting("viewer"), office_id("JOR"), named)


# --- posts -------------------------------------------------------------------------------------------------------------


def test_another_office_adds_its_own_post_to_a_shared_organisation_but_does_not_edit_ours(acting):
    actor = acting("officer")
    ministry = make(actor)
    ours = positions.add_position(actor, office_id("JOR"), positions.NewPosition(ministry, "Minister"))
    other = acting("other")
    positions.add_position(other, office_id("KEN"), positions.NewPosition(ministry, "Attaché"))
    with pytest.raises(Denied):
        positions.edit_position(other, ours, 1, title="Taken", portfolio="")
    acting("officer")
    assert sorted(position.title for position in posts.positions_of(ministry)) == ["Attaché", "Minister"]


def test_only_people_hold_posts_and_only_organisations_have_them(acting):
    actor = acting("officer")
    ministry, person = make(actor), make(actor, "Amal", form="person")
    with pytest.raises(Invalid):
        positions.add_position(actor, office_id("JOR"), positions.NewPosition(person, "Minister"))
    post = positions.add_position(actor, office_id("JOR"), positions.NewPosition(ministry, "Minister"))
    with pytest.raises(Invalid) as caught:
        positions.add_tenure(actor, office_id("JOR"), positions.NewTenure(post, ministry))
    assert list(caught.value.errors) == ["person_id"]


# --- notes -------------------------------------------------------------------------------------------------------------


def test_a_note_for_the_office_alone_is_written_by_its_own_people_only(acting):
    key = make(acting("officer"))
    region = acting("regional")
    with pytest.raises(Invalid) as caught:
        notes.write_note(region, office_id("JOR"), key, "text", "office")
    assert list(caught.value.errors) == ["level"]
    notes.write_note(region, office_id("JOR"), key, "text", "open")


def test_several_calls_are_one_transaction(acting):
    actor = acting("officer")

    @transactional
    def both() -> None:
        make(actor, "First")
        make(actor, "")

    with pytest.raises(Invalid):
        both()
    assert db.session.scalars(select(Party)).all() == []

"""Possible duplicates: named before a party is saved, suggestions only, remembered when they are not the same, and never another
office's (P1b)."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from crm.db import db
from crm.models.parties import Party, PartyDistinction, PartyKey
from crm.policy import bind_actor
from crm.queries.duplicates import Candidate, possible_duplicates, possible_duplicates_of
from crm.services import parties, party_keys
from crm.services.parties import NewChannel, NewParty, OtherName
from tests.factories.browser import tree
from tests.factories.counting import count_statements
from tests.web.test_parties import in_context, main_form


@pytest.fixture
def officer(acting):
    return acting("officer")


def record(officer, name, form="person", **values):
    return parties.create_party(officer, officer.home_office_id, NewParty(form, name, **values))


def alike(name, form="person", **values):
    return [(other.id, other.reason) for other in possible_duplicates(Candidate(name, form, **values))]


def test_whoever_is_spelt_otherwise_is_found_and_a_sister_is_not(officer):
    amal = record(officer, "Dr Amal Haddad", names=[OtherName("أمل حداد", "native")])
    record(officer, "Amal Haddadin Nasser")
    assert alike("HADDAD, Amal") == [(amal, "same")]
    assert alike("أمل حداد") == [(amal, "same")]
    assert alike("Amaal Hadad") == [(amal, "written")]
    assert alike("Amal Haddar") == [(amal, "typed")]
    assert alike("Amal Haddad", "organisation") == []
    jordan = record(officer, "Plan Jordan", "organisation")
    assert alike("Plan Kenya", "organisation") == []
    assert alike("Jordan Plan", "organisation") == [(jordan, "same")]


def test_an_address_or_number_tells_more_than_a_name(officer):
    one = record(officer, "Amal Haddad")
    parties.add_channel(officer, one, NewChannel("email", "Amal@moh.example"))
    parties.add_channel(officer, one, NewChannel("mobile", "+962 79 012 3456"))
    assert alike("Somebody Else", emails=("amal@MOH.example",)) == [(one, "email")]
    assert alike("Somebody Else", phones=("+962 7 9012 3456",)) == [(one, "phone")]
    assert alike("Somebody Else") == []


def test_keys_follow_every_change_of_a_name(officer):
    one = record(officer, "Amal Haddad")
    parties.edit_party(officer, one, 1, NewParty("", "Rana Qasem", names=[OtherName("Amal Kasem", "former")]))
    assert alike("Amal Haddad") == []
    assert [key for key, _why in alike("Qasim Rana")] == [one]
    assert [key for key, _why in alike("Amal Kassem")] == [one]
    assert list(party_keys.wrong_keys()) == []


def test_keys_of_an_older_database_are_written_once_after_its_migration(officer):
    one = record(officer, "Amal Haddad")
    before = set(db.session.scalars(select(PartyKey.key).where(PartyKey.party_id == one)))

    @parties.transactional
    def lose():
        for row in db.session.scalars(select(PartyKey)):
            db.session.delete(row)

    lose()
    assert [key for key, _reference in party_keys.wrong_keys()] == [one]
    bind_actor(None)
    party_keys.fill_if_empty()
    party_keys.fill_if_empty()
    bind_actor(officer)
    assert set(db.session.scalars(select(PartyKey.key).where(PartyKey.party_id == one))) == before
    assert len(db.session.scalars(select(PartyKey.key).where(PartyKey.party_id == one)).all()) == len(before)


def test_another_offices_people_are_never_suggested_and_shared_institutions_are(acting, officer):
    """P1b."""
    kenya = acting("other")
    hidden = parties.create_party(kenya, kenya.home_office_id, NewParty("person", "Amal Haddad"))
    parties.add_channel(kenya, hidden, NewChannel("email", "amal@example.org"))
    shared = parties.create_party(kenya, kenya.home_office_id, NewParty("organisation", "Nordic Fund"))
    bind_actor(officer)
    assert alike("Amal Haddad", emails=("amal@example.org",)) == []
    assert alike("Fund Nordic", "organisation") == [(shared, "same")]


def test_many_are_looked_up_with_a_constant_number_of_statements(officer):
    for place in range(6):
        record(officer, f"Person {place} Haddad")
    with count_statements(db.engine) as few:
        possible_duplicates_of([Candidate("Person 1 Haddad", "person")])
    with count_statements(db.engine) as many:
        found = possible_duplicates_of([Candidate(f"Haddad Person {place}", "person", emails=("a@b.example",)) for place in range(6)])
    assert all(len(one) == 1 for one in found), "numbers in names count"
    assert many.count <= few.count + 1


# --- the form ------------------------------------------------------------------------------------------------------


def submitted_again(client, address, page):
    return client.client.post(address, data=dict(main_form(page).form_values()))


def test_the_form_asks_once_and_the_answer_is_remembered(browser):
    client = browser("officer")
    first = client.submit("/parties/new?form=person", {"name": "Amal Haddad"}).location
    asked = tree(client.submit("/parties/new?form=person", {"name": "Haddad Amaal", "about": "typed"}, status=422))
    assert asked.xpath("//*[@id='alike']//a/@href") == [first]
    assert "spelt otherwise" in " ".join(asked.xpath("//*[@id='alike']")[0].text_content().split())
    second = submitted_again(client, "/parties/new", asked).location
    assert second != first
    edited = client.submit(f"{second}/edit", {"name": "Amal Hadad"})
    assert edited.status_code == 303, "they are known to be two"
    renamed = client.submit("/parties/new?form=person", {"name": "Amal Haddad"}, status=422)
    assert len(tree(renamed).xpath("//*[@id='alike']//a")) == 2


def test_a_renamed_party_is_compared_too(browser):
    client = browser("officer")
    first = client.submit("/parties/new?form=person", {"name": "Amal Haddad"}).location
    second = client.submit("/parties/new?form=person", {"name": "Rana Qasem"}).location
    client.submit(f"{second}/edit", {"about": "nothing about the name"})
    asked = tree(client.submit(f"{second}/edit", {"name": "Haddad Amal"}, status=422))
    assert asked.xpath("//*[@id='alike']//a/@href") == [first]
    assert submitted_again(client, f"{second}/edit", asked).status_code == 303


def test_an_address_that_somebody_else_has_is_asked_about_before_it_is_saved(app, browser):
    client = browser("officer")
    first = client.submit("/parties/new?form=person", {"name": "Amal Haddad"}).location
    second = client.submit("/parties/new?form=person", {"name": "Rana Qasem"}).location
    client.submit(f"{first}/channels/new", {"kind": "email", "value": "desk@moh.example"})
    asked = tree(client.submit(f"{second}/channels/new", {"kind": "email", "value": "DESK@moh.example"}, status=422))
    assert asked.xpath("//*[@id='alike']//a/@href") == [first]
    assert submitted_again(client, f"{second}/channels/new", asked).status_code == 303
    ids = sorted(uuid.UUID(location.rsplit("/", 1)[1]) for location in (first, second))
    with app.app_context():
        in_context(app, "officer")
        pair = db.session.scalars(select(PartyDistinction)).one()
        assert [pair.one_id, pair.other_id] == ids
    client.submit(f"{second}/channels/new", {"kind": "phone", "value": "+962 6 555 0101"})


def test_a_strangers_list_of_seen_people_hides_nobody(app, browser):
    client = browser("officer")
    client.submit("/parties/new?form=person", {"name": "Amal Haddad"})
    for seen in ("x" * 5000, str(uuid.uuid4()), "' OR 1=1", " ".join(str(uuid.uuid4()) for _ in range(99))):
        client.submit("/parties/new?form=person", {"name": "Amal Haddad", "seen": seen}, status=422)
    with app.app_context():
        in_context(app, "officer")
        assert len(db.session.scalars(select(Party.id).where(Party.name == "Amal Haddad")).all()) == 1

"""Names as people type them: one party, several to choose from, or nobody; never a party that the office may not name."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import select

from crm.db import db
from crm.models.offices import Office
from crm.policy import Actor
from crm.queries import lookups
from crm.services.parties import NewParty, OtherName, create_party

Acting = Callable[[str], Actor]


def office(code: str) -> uuid.UUID:
    return db.session.scalars(select(Office.id).where(Office.code == code)).one()


def test_a_name_means_one_party(acting: Acting) -> None:
    actor = acting("officer")
    made = create_party(actor, office("JOR"), NewParty("organisation", "Ministère de la Santé", names=[OtherName("MoH", "acronym")]))
    create_party(actor, office("JOR"), NewParty("organisation", "Ministère de la Santé publique"))
    found = lookups.party_match(made)
    assert found is not None
    for text in (
        "Ministère de la Santé",
        "ministere de la sante",
        "  MINISTERE DE LA SANTÉ ",
        "moh",
        found.reference,
        found.reference.lower(),
    ):
        one = lookups.resolve_party(text).one
        assert one is not None, text
        assert one.id == made, text


def test_names_in_doubt_are_offered_nearest_first(acting: Acting) -> None:
    actor = acting("officer")
    same = {create_party(actor, office("JOR"), NewParty("person", "Rana Haddad")) for _index in range(2)}
    near = create_party(actor, office("JOR"), NewParty("person", "Omar Saleh"))
    twice = lookups.resolve_party("rana haddad")
    assert twice.one is None
    assert {match.id for match in twice.several} == same
    begun = lookups.resolve_party("Omar")
    assert begun.one is None
    assert [match.id for match in begun.several] == [near]


@pytest.mark.parametrize("text", ["", "   ", "%", "_", "Nobody at all", "x" * 5000, "JOR-PA-1999-0001", "' OR 1=1 --", "\u202e", "-"])
def test_nobody_is_nobody(acting: Acting, text: str) -> None:
    actor = acting("officer")
    create_party(actor, office("JOR"), NewParty("person", "Somebody"))
    assert lookups.resolve_party(text) == lookups.Resolution(None)


def test_another_offices_people_are_nobody(acting: Acting) -> None:
    """P1: neither in scope nor, for who sees several offices, nameable in another office's record."""
    kenyan = create_party(acting("other"), office("KEN"), NewParty("person", "Kenyan Person"))
    shared = create_party(acting("other"), office("KEN"), NewParty("organisation", "Shared Fund"))
    acting("officer")
    assert lookups.resolve_party("Kenyan Person").several == ()
    assert lookups.party_match(kenyan) is None
    assert lookups.party_match(shared) is not None
    acting("hq")
    assert lookups.party_match(kenyan) is not None
    assert lookups.party_match(kenyan, office("JOR")) is None
    assert lookups.resolve_party("Kenyan Person", office("JOR")).one is None

"""When a party was last met, called or written to, for every reader: as asked of all its interactions at once."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from crm.db import db, transactional
from crm.models.interactions import Interaction
from crm.models.parties import Party
from crm.policy import Actor, all_offices, bind_actor, system_actor, unscoped
from crm.queries.parties import last_contacts
from tests.factories.parties import office_id
from tests.factories.world import OFFICES, PEOPLE

BEGIN = datetime(2026, 3, 4, tzinfo=UTC)


@transactional
def _plant(chance: random.Random) -> None:
    """Parties of all offices, shared or not, met by their own office or by any; few moments, so that many are the same."""
    offices = [office_id(code) for code, *_rest in OFFICES]
    for number in range(24):
        owner, visibility = chance.choice(offices), chance.choice(["shared", "office"])
        name = f"Party {number}"
        party = Party(office_id=owner, visibility=visibility, reference=name, form="organisation", name=name, folded_name=name.casefold())
        db.session.add(party)
        db.session.flush()
        for turn in range(chance.randrange(16)):
            db.session.add(
                Interaction(
                    office_id=chance.choice(offices) if visibility == "shared" else owner,
                    reference=f"{name} {turn}",
                    kind="meeting",
                    state=chance.choice(["planned", "held", "held", "cancelled"]),
                    level=chance.choice(["open", "office"]),
                    starts_at=BEGIN + timedelta(days=chance.randrange(12), microseconds=chance.randrange(2)),
                    party_id=party.id,
                )
            )


def _of_all(keys: list[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    newest = select(Interaction.party_id, func.max(Interaction.starts_at)).where(Interaction.party_id.in_(keys))
    rows = db.session.execute(newest.where(Interaction.state == "held").group_by(Interaction.party_id))
    return {row[0]: row[1] for row in rows}


@pytest.mark.parametrize("seed", range(2))
def test_the_last_contact_is_the_newest_that_was_held_and_that_the_reader_sees(acting: Callable[[str], Actor], seed: int) -> None:
    with unscoped("test"):
        bind_actor(system_actor(all_offices()))
        _plant(random.Random(seed))  # noqa: S311 - test data
        every = list(db.session.scalars(select(Party.id)))
    answers = {}
    for name, _office, _role in PEOPLE:
        acting(name)
        seen = list(db.session.scalars(select(Party.id)))
        answers[name] = last_contacts(seen)
        assert answers[name] == _of_all(seen), name
        assert last_contacts(every) == answers[name], f"{name} asks for parties that are not in scope"
        assert last_contacts([]) == {}
    assert len({repr(sorted(found.items())) for found in answers.values()}) > 3, "the readers must differ"
    assert answers["admin"] == {}

"""When a party was last met, called or written to, for every reader: as asked of all its interactions at once."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from crm.data import countries_by_iso2
from crm.db import db, transactional
from crm.models.interactions import Interaction
from crm.models.parties import Party
from crm.policy import Actor, all_offices, bind_actor, system_actor, unscoped
from crm.queries.names import fold
from crm.queries.paging import Paging
from crm.queries.parties import Filters, find, last_contacts
from crm.queries.parties import every as every_party
from tests.factories.parties import make, office_id
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


# --- the list by country -----------------------------------------------------------------------------------------------


@transactional
def _of_countries() -> None:
    """Countries whose codes stand in another order than their names, some parties with none."""
    for number, country in enumerate(["CH", "DE", None, "AT", "JO", "CH", "ES", None, "JO", "AF", "DE", "PS", "ZW"] * 3):
        name = f"Party {number * 7 % 39:02}"
        db.session.add(
            Party(
                office_id=office_id("JOR" if number % 5 else "KEN"),
                visibility="office",
                reference=f"R-{number}",
                form="organisation",
                name=name,
                folded_name=name.casefold(),
                country=country,
            )
        )


def _rows(sort: str, size: int, *, by_cursor: bool) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    paging = Paging(size=size)
    while True:
        page = find(Filters(sort=sort), paging)
        found += [(countries_by_iso2()[row.country].name if row.country else "", row.name) for row in page.rows]
        if not page.has_next:
            return found
        paging = Paging(size=size, after=page.after) if by_cursor else Paging(number=page.number + 1, size=size)


@pytest.mark.parametrize("sort", ["country", "-country"])
@pytest.mark.parametrize("reader", ["officer", "hq"])
@pytest.mark.parametrize("few", [0, 500])
def test_parties_are_sorted_by_the_names_of_their_countries(
    acting: Callable[[str], Actor], monkeypatch: pytest.MonkeyPatch, sort: str, reader: str, few: int
) -> None:
    with unscoped("test"):
        bind_actor(system_actor(all_offices()))
        _of_countries()
    acting(reader)
    monkeypatch.setattr("crm.queries.paging._FEW", few)
    every = list(db.session.execute(select(Party.country, Party.name)))
    wanted = [(countries_by_iso2()[code].name if code else "", name) for code, name in every]
    given, none = [row for row in wanted if row[0]], [row for row in wanted if not row[0]]

    def key(row: tuple[str, str]) -> tuple[str, str]:
        return fold(row[0]), fold(row[1])

    is_back = sort.startswith("-")
    wanted = sorted(given, key=key, reverse=is_back) + sorted(none, key=key, reverse=is_back)
    assert len(wanted) > 25
    for size in (1, 4, 25):
        assert _rows(sort, size, by_cursor=True) == wanted, "those with none stand last, whichever way"
        assert _rows(sort, size, by_cursor=False) == wanted
    assert find(Filters(sort=sort), Paging(number=200)).rows == []
    assert find(Filters(sort=sort), Paging()).total == len(wanted)
    assert [row.name for rows in every_party(Filters(sort=sort)) for row in rows] == [name for _country, name in wanted]


@pytest.mark.parametrize("sort", ["country", "-country"])
def test_parties_of_codes_that_name_no_country_stand_in_the_list_once(acting: Callable[[str], Actor], sort: str) -> None:
    """Such as were stored before a country went: all of them share a place."""
    actor = acting("officer")
    for number in range(40):
        make(actor, f"Party {number % 7} of {number}", country=["JO", None, "KE"][number % 3])
    _without_countries()
    every = [row.id for rows in every_party(Filters(sort=sort)) for row in rows]
    assert len(every) == len(set(every)) == find(Filters(sort=sort), Paging()).total
    for size in (1, 3, 25):
        for by_cursor in (True, False):
            found, paging = [], Paging(size=size)
            while True:
                page = find(Filters(sort=sort), paging)
                found += [row.id for row in page.rows]
                if not page.has_next:
                    break
                paging = Paging(size=size, after=page.after) if by_cursor else Paging(number=page.number + 1, size=size)
            assert found == every


@transactional
def _without_countries() -> None:
    for number, party in enumerate(db.session.scalars(select(Party).where(Party.country == "KE").order_by(Party.id))):
        party.country = ["ZZ", "QQ", "XX"][number % 3]

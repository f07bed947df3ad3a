"""Posts and who holds them, as far as the scope allows."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from crm.db import db
from crm.errors import NotFound
from crm.models.parties import Position, Tenure

MOST = 200


def get(position_id: uuid.UUID) -> Position:
    """A post with its organisation and tenures, newest first; NotFound where absent or out of scope."""
    position = db.session.scalar(
        select(Position)
        .where(Position.id == position_id)
        .options(selectinload(Position.organisation), selectinload(Position.tenures).selectinload(Tenure.person))
    )
    if position is None:
        raise NotFound
    return position


def visibilities(position_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """How widely posts in scope are visible. One statement a 400."""
    found: dict[uuid.UUID, str] = {}
    ids = sorted(position_ids)
    for start in range(0, len(ids), 400):
        rows = db.session.execute(select(Position.id, Position.visibility).where(Position.id.in_(ids[start : start + 400])))
        found |= {row.id: row.visibility for row in rows}
    return found


def tenure(tenure_id: uuid.UUID) -> Tenure:
    """A tenure with its post, organisation and person; NotFound where absent or out of scope."""
    found = db.session.scalar(
        select(Tenure)
        .where(Tenure.id == tenure_id)
        .options(selectinload(Tenure.position).selectinload(Position.organisation), selectinload(Tenure.person))
    )
    if found is None:
        raise NotFound
    return found


def positions_of(organisation_id: uuid.UUID) -> Sequence[Position]:
    """The posts of an organisation by title, each with its tenures and their people."""
    return db.session.scalars(
        select(Position)
        .where(Position.organisation_id == organisation_id)
        .order_by(Position.title, Position.id)
        .limit(MOST)
        .options(selectinload(Position.tenures).selectinload(Tenure.person))
    ).all()


def tenures_of(person_id: uuid.UUID) -> Sequence[Tenure]:
    """The posts a person holds and held, newest first, each with its organisation."""
    return db.session.scalars(
        select(Tenure)
        .where(Tenure.person_id == person_id)
        .order_by(Tenure.starts_on.desc().nulls_last(), Tenure.id.desc())
        .limit(MOST)
        .options(joinedload(Tenure.position).joinedload(Position.organisation))
    ).all()


def tenures_of_people(person_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Tenure]]:
    """The posts that some people hold and held, each with its organisation; those begun last come last."""
    found: dict[uuid.UUID, list[Tenure]] = {}
    ids = sorted(person_ids)
    for start in range(0, len(ids), 400):
        rows = db.session.scalars(
            select(Tenure)
            .where(Tenure.person_id.in_(ids[start : start + 400]))
            .order_by(Tenure.starts_on.nulls_first(), Tenure.id)
            .options(joinedload(Tenure.position).joinedload(Position.organisation))
        )
        for row in rows:
            found.setdefault(row.person_id, []).append(row)
    return found


def is_current(holding: Tenure, day: date) -> bool:
    """Whether a tenure runs on a day."""
    return (holding.starts_on is None or holding.starts_on <= day) and (holding.ends_on is None or holding.ends_on >= day)

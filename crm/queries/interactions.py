"""Interactions as they are read: one with everything on its page, lists, and what waits to be written up."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import joinedload, selectinload

from crm.db import db
from crm.errors import NotFound
from crm.i18n import LazyText, _, _l
from crm.models.asks import AskAnswer
from crm.models.codes import INTERACTION_KINDS
from crm.models.interactions import FollowUp, Interaction, Participant
from crm.models.notes import Note
from crm.queries import codes
from crm.queries.paging import Order, Page, Paging, fetch_all, fetch_page

KIND_LABELS = codes.Names(INTERACTION_KINDS)
STATE_LABELS: Mapping[str, LazyText] = {"planned": _l("Planned"), "held": _l("Held"), "cancelled": _l("Cancelled")}


@dataclass(frozen=True)
class Filters:
    """What a list of interactions shows; `since` and `until` bound the start (until excluded)."""

    state: str = ""
    kind: str = ""
    party_id: uuid.UUID | None = None
    programme_id: uuid.UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


def get(interaction_id: uuid.UUID) -> Interaction:
    """One interaction with participants, ask, answers and follow-ups; raises `NotFound` (absent or out of scope alike)."""
    found = db.session.scalar(
        select(Interaction)
        .where(Interaction.id == interaction_id)
        .options(
            joinedload(Interaction.party),
            joinedload(Interaction.ask),
            selectinload(Interaction.participants).joinedload(Participant.party),
            selectinload(Interaction.answers).joinedload(AskAnswer.ask),
            selectinload(Interaction.follow_ups).joinedload(FollowUp.owner),
        )
    )
    if found is None:
        raise NotFound(_("There is no such interaction here."))
    return found


def notes_of(interaction_id: uuid.UUID) -> list[Note]:
    """The notes about an interaction that the reader may see, oldest first."""
    return list(db.session.scalars(select(Note).where(Note.interaction_id == interaction_id).order_by(Note.created_at, Note.id)))


def matching(filters: Filters) -> Select[Interaction]:
    """The statement of a list. A party's contacts are those where it is the one met or takes part."""
    statement = select(Interaction)
    if filters.state:
        statement = statement.where(Interaction.state == filters.state)
    if filters.kind:
        statement = statement.where(Interaction.kind == filters.kind)
    if filters.party_id:
        took_part = select(Participant.interaction_id).where(Participant.party_id == filters.party_id)
        statement = statement.where((Interaction.party_id == filters.party_id) | Interaction.id.in_(took_part))
    if filters.programme_id:
        statement = statement.where(Interaction.programme_id == filters.programme_id)
    if filters.since:
        statement = statement.where(Interaction.starts_at >= filters.since)
    if filters.until:
        statement = statement.where(Interaction.starts_at < filters.until)
    return statement


_LISTED: tuple[Any, ...] = (
    Interaction.id,
    Interaction.office_id,
    Interaction.reference,
    Interaction.kind,
    Interaction.state,
    Interaction.starts_at,
    Interaction.minutes,
    Interaction.party_id,
    Interaction.programme_id,
    Interaction.place_text,
    Interaction.purpose,
    Interaction.summary,
)


def _order(*, is_newest_first: bool) -> Order:
    return Order(Interaction.starts_at, Interaction.id, is_descending=is_newest_first)


def listing(filters: Filters, paging: Paging, *, is_newest_first: bool = True) -> Page[Any]:
    """One page of interactions by when they start, as rows of columns."""
    return fetch_page(matching(filters).with_only_columns(*_LISTED), _order(is_newest_first=is_newest_first), paging)


def every(filters: Filters, *, is_newest_first: bool = True) -> Iterator[Sequence[Any]]:
    """All interactions of a list in its order, the same rows as on its pages, a chunk at a time: for files."""
    return fetch_all(matching(filters).with_only_columns(*_LISTED), _order(is_newest_first=is_newest_first))


def planned_between(since: datetime, until: datetime, limit: int, offices: Collection[uuid.UUID] | None = None) -> list[Interaction]:
    """Planned interactions that start in a span, earliest first."""
    return _planned(Interaction.starts_at >= since, Interaction.starts_at < until, limit=limit, offices=offices, is_newest_first=False)


def next_planned(party_ids: Collection[uuid.UUID], since: datetime) -> dict[uuid.UUID, Interaction]:
    """The next planned interaction with each of a few parties. One statement."""
    rows = _planned(Interaction.party_id.in_(party_ids), Interaction.starts_at >= since, limit=100, offices=None, is_newest_first=False)
    return {row.party_id: row for row in reversed(rows)}


def to_write_up(before: datetime, limit: int, offices: Collection[uuid.UUID] | None = None) -> list[Interaction]:
    """Planned interactions whose time has passed and that nobody wrote up or cancelled, newest first."""
    return _planned(Interaction.starts_at < before, limit=limit, offices=offices, is_newest_first=True)


def _planned(
    *conditions: ColumnElement[bool], limit: int, offices: Collection[uuid.UUID] | None, is_newest_first: bool
) -> list[Interaction]:
    statement = select(Interaction).where(Interaction.state == "planned", *conditions)
    if offices is not None:
        statement = statement.where(Interaction.office_id.in_(offices))
    order = (Interaction.starts_at.desc(), Interaction.id.desc()) if is_newest_first else (Interaction.starts_at, Interaction.id)
    return list(db.session.scalars(statement.order_by(*order).limit(limit).options(joinedload(Interaction.party))))


def last_held_with(party_id: uuid.UUID) -> Interaction | None:
    """The last contact held with a party, to prefill the next."""
    return db.session.scalar(
        select(Interaction)
        .where(Interaction.party_id == party_id, Interaction.state == "held")
        .order_by(Interaction.starts_at.desc(), Interaction.id.desc())
        .limit(1)
        .options(selectinload(Interaction.participants))
    )

"""How things stand with a party: what there is about it at all, what is open, what comes next, and the chain from ask to programme."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, case, select
from sqlalchemy.orm import joinedload

from crm.db import db
from crm.models.asks import Ask
from crm.models.commitments import Commitment
from crm.models.files import File
from crm.models.flows import Flow
from crm.models.interactions import FollowUp, Interaction
from crm.models.notes import Note
from crm.models.parties import Channel, Party
from crm.models.pledges import Agreement, Pledge, Receipt
from crm.models.programmes import Programme
from crm.queries.asks import unsettled
from crm.queries.commitments import still_open, taken_back
from crm.queries.paging import fetch_first
from crm.queries.timeline import Timeline

OPEN_SHOWN = 20


@dataclass(frozen=True)
class There:
    """What there is about a party at all, as far as its reader may see it: what there is nothing of need not be asked for again.
    Also what is no longer open, was taken back or removed."""

    interactions: bool
    follow_ups: bool
    asks: bool
    commitments: bool
    pledges: bool
    agreements: bool
    receipts: bool
    notes: bool
    files: bool
    channels: bool
    members: bool
    given: bool
    received: bool


@cache
def _is_there() -> Select[Any]:
    """One row: for each part of `There`, by its name, whether a record is there. Each looks for one by an index."""
    columns: dict[str, Any] = {
        "interactions": Interaction.party_id,
        "follow_ups": FollowUp.party_id,
        "asks": Ask.addressee_id,
        "commitments": Commitment.party_id,
        "pledges": Pledge.donor_id,
        "agreements": Agreement.donor_id,
        "receipts": Receipt.donor_id,
        "notes": Note.party_id,
        "files": File.party_id,
        "channels": Channel.party_id,
        "members": Party.part_of_id,
        "given": Flow.donor_id,
        "received": Flow.recipient_id,
    }
    party: Any = bindparam("party_id")
    looked_for: list[Any] = [select(column.class_.id).where(column == party).exists().label(name) for name, column in columns.items()]
    return select(*looked_for)


def there(party_id: uuid.UUID) -> There:
    """What there is about a party. One statement."""
    found = db.session.execute(_is_there(), {"party_id": party_id}).mappings().one()
    return There(**{name: bool(is_there) for name, is_there in found.items()})


@dataclass(frozen=True)
class Standing:
    """How things stand with a party: what is open, what comes next, and the chain from ask to programme."""

    last_contact: Interaction | None
    next_contact: Interaction | None
    next_follow_up: FollowUp | None
    open_asks: Sequence[Ask]
    open_ask_count: int
    ours: Sequence[Commitment]
    ours_count: int
    theirs: Sequence[Commitment]
    theirs_count: int
    ask: Ask | None
    commitment: Commitment | None
    pledge: Pledge | None
    agreement: Agreement | None
    programme: Programme | None


def standing(party_id: uuid.UUID, now: datetime, known: There, newest: Timeline | None) -> Standing:
    """How things stand with a party now. `known`: what there is about it; `newest`: the newest events about it (None: not read). At most
    twelve statements, however much there is."""
    held, planned = _contacts(party_id, now, newest) if known.interactions else (None, None)
    asks, ask_count = _open_asks(party_id) if known.asks else ([], 0)
    ours, ours_count = _open_commitments(party_id, "ours") if known.commitments else ([], 0)
    theirs, theirs_count = _open_commitments(party_id, "theirs") if known.commitments else ([], 0)
    pledge = _newest_pledge(party_id) if known.pledges else None
    commitment = _chain_commitment(party_id, pledge.id if pledge else None) if known.commitments else None
    ask = asks[0] if asks else None
    if commitment is not None and commitment.ask_id is not None and commitment.ask_id not in {one.id for one in asks[:1]}:
        ask = db.session.scalar(select(Ask).where(Ask.id == commitment.ask_id)) or ask
    if ask is None and known.asks:
        ask = _newest(select(Ask).where(Ask.addressee_id == party_id), Ask.created_at, Ask.id)
    return Standing(
        last_contact=held,
        next_contact=planned,
        next_follow_up=_next_follow_up(party_id) if known.follow_ups else None,
        open_asks=asks,
        open_ask_count=ask_count,
        ours=ours,
        ours_count=ours_count,
        theirs=theirs,
        theirs_count=theirs_count,
        ask=ask,
        commitment=commitment,
        pledge=pledge,
        agreement=_chain_agreement(party_id, pledge) if known.agreements else None,
        # A pledge leads to its own programme alone.
        programme=_programme_of((pledge,) if pledge is not None else (commitment, ask)),
    )


def _contacts(party_id: uuid.UUID, now: datetime, newest: Timeline | None) -> tuple[Interaction | None, Interaction | None]:
    """The last interaction with a party that was held, and the next that is planned: out of the newest events where those reach back
    far enough to tell."""
    events = newest.events if newest is not None else []
    mine = [event.record for event in events if event.kind == "interaction" and event.record.party_id == party_id]
    reaches_now = newest is not None and (newest.earlier is None or (bool(events) and events[-1].at < now))
    contacts = select(Interaction).where(Interaction.party_id == party_id).limit(1)
    held = next((one for one in mine if one.state == "held"), None)
    if held is None and (newest is None or newest.earlier is not None):
        held = db.session.scalar(contacts.where(Interaction.state == "held").order_by(Interaction.starts_at.desc(), Interaction.id.desc()))
    if reaches_now:
        to_come = (one for one in mine if one.state == "planned" and one.starts_at >= now)
        return held, min(to_come, key=lambda one: (one.starts_at, one.id), default=None)
    to_come_first = contacts.where(Interaction.state == "planned", Interaction.starts_at >= now)
    return held, db.session.scalar(to_come_first.order_by(Interaction.starts_at, Interaction.id))


def _next_follow_up(party_id: uuid.UUID) -> FollowUp | None:
    return db.session.scalar(
        select(FollowUp)
        .where(FollowUp.party_id == party_id, FollowUp.done_on.is_(None))
        .order_by(FollowUp.due_on, FollowUp.id)
        .options(joinedload(FollowUp.owner))
        .limit(1)
    )


def _newest_pledge(party_id: uuid.UUID) -> Pledge | None:
    found: Pledge | None = _newest(select(Pledge).where(Pledge.donor_id == party_id, ~Pledge.is_taken_back), Pledge.pledged_on, Pledge.id)
    return found


def _chain_agreement(party_id: uuid.UUID, pledge: Pledge | None) -> Agreement | None:
    """The newest agreement; that of the pledge which the chain follows first."""
    agreements = select(Agreement).where(Agreement.donor_id == party_id)
    if pledge is not None:
        agreements = agreements.order_by(case((Agreement.pledge_id == pledge.id, 0), else_=1))
    found: Agreement | None = _newest(agreements, Agreement.signed_on, Agreement.id)
    return found


def _programme_of(sources: Sequence[Pledge | Commitment | Ask | None]) -> Programme | None:
    """The programme of the first of some records that has one in scope."""
    programme_ids = [record.programme_id for record in sources if record is not None and record.programme_id is not None]
    if not programme_ids:
        return None
    programmes = {row.id: row for row in db.session.scalars(select(Programme).where(Programme.id.in_(programme_ids)))}
    return next((programmes[key] for key in programme_ids if key in programmes), None)


def _chain_commitment(party_id: uuid.UUID, pledge_id: uuid.UUID | None) -> Commitment | None:
    """The promise of the chain: the newest pledge's own, else the newest of money, else the newest of all that they made."""
    statement = select(Commitment).where(Commitment.party_id == party_id, Commitment.direction == "theirs", ~taken_back())
    rank = case((Commitment.id == pledge_id, 0), (Commitment.kind == "financial", 1), else_=2)
    found: Commitment | None = _newest(statement.order_by(rank), Commitment.made_on, Commitment.id)
    return found


def _newest(statement: Select[Any], column: Any, key: Any) -> Any:
    return db.session.scalar(statement.order_by(column.desc(), key.desc()).limit(1))


def _open_asks(party_id: uuid.UUID) -> tuple[Sequence[Ask], int]:
    return fetch_first(select(Ask).where(Ask.addressee_id == party_id, unsettled()), (Ask.by_when.nulls_last(), Ask.id), Ask.id, OPEN_SHOWN)


def _open_commitments(party_id: uuid.UUID, direction: str) -> tuple[Sequence[Commitment], int]:
    statement = select(Commitment).where(Commitment.party_id == party_id, Commitment.direction == direction, still_open())
    return fetch_first(statement, (Commitment.due_on.nulls_last(), Commitment.id), Commitment.id, OPEN_SHOWN)


def is_late(due_on: date | None, today: date) -> bool:
    """Whether a day to keep has passed: computed, never stored."""
    return due_on is not None and due_on < today

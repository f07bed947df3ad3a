"""What money forms offer to choose from: programmes, outputs, a donor's interactions and asks; and what a page links to."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from crm.db import db
from crm.models.asks import Ask
from crm.models.commitments import Commitment
from crm.models.interactions import Interaction
from crm.models.parties import Party
from crm.models.pledges import Agreement, Allocation, Pledge, Receipt
from crm.models.programmes import Output, Programme
from crm.policy import offices_by_id

MOST = 300
MOST_OFFERED = 100
FEW = 20


@dataclass(frozen=True)
class ProgrammeChoice:
    """A programme to choose."""

    id: uuid.UUID
    office_id: uuid.UUID
    title: str


@dataclass(frozen=True)
class Target:
    """Where money can go: a programme, or one of its outputs."""

    programme_id: uuid.UUID
    output_id: uuid.UUID | None
    programme: str
    output: str


@dataclass(frozen=True)
class Contact:
    """An interaction to choose: its day, its purpose (else what was said at it), its kind."""

    id: uuid.UUID
    at: datetime
    title: str
    kind: str


@dataclass(frozen=True)
class OneAsk:
    """An ask to choose."""

    id: uuid.UUID
    reference: str
    sentence: str
    programme_id: uuid.UUID | None = None


def programmes_of(office_ids: Collection[uuid.UUID]) -> list[ProgrammeChoice]:
    """The programmes of some offices, by title."""
    rows = db.session.execute(
        select(Programme.id, Programme.office_id, Programme.title)
        .where(Programme.office_id.in_(list(office_ids)))
        .order_by(Programme.title, Programme.id)
        .limit(MOST)
    )
    return [ProgrammeChoice(row.id, row.office_id, row.title) for row in rows]


def targets_of(office_id: uuid.UUID, only: Collection[uuid.UUID] = ()) -> list[Target]:
    """The programmes of an office (or only some of them), each followed by its outputs."""
    statement = select(Programme.id, Programme.title).where(Programme.office_id == office_id).order_by(Programme.title, Programme.id)
    if only:
        statement = statement.where(Programme.id.in_(list(only)))
    found = list(db.session.execute(statement.limit(MOST)))
    outputs: dict[uuid.UUID, list[Target]] = {row.id: [] for row in found}
    rows = db.session.execute(
        select(Output.id, Output.programme_id, Output.title).where(Output.programme_id.in_(list(outputs))).order_by(Output.position)
    )
    titles = {row.id: row.title for row in found}
    for row in rows:
        outputs[row.programme_id].append(Target(row.programme_id, row.id, titles[row.programme_id], row.title))
    return [target for row in found for target in (Target(row.id, None, row.title, ""), *outputs[row.id])]


_CONTACT = (Interaction.id, Interaction.starts_at, Interaction.purpose, Interaction.summary, Interaction.kind)


def contacts_of(party_id: uuid.UUID) -> list[Contact]:
    """The last interactions with a party."""
    newest = (Interaction.starts_at.desc(), Interaction.id.desc())
    rows = db.session.execute(select(*_CONTACT).where(Interaction.party_id == party_id).order_by(*newest).limit(FEW))
    return [Contact(row.id, row.starts_at, row.purpose or row.summary, row.kind) for row in rows]


def contact_of(interaction_id: uuid.UUID) -> Contact | None:
    """One interaction, as far as scope and level allow."""
    row = db.session.execute(select(*_CONTACT).where(Interaction.id == interaction_id)).one_or_none()
    return Contact(row.id, row.starts_at, row.purpose or row.summary, row.kind) if row else None


def asks_of(party_id: uuid.UUID) -> list[OneAsk]:
    """The newest asks of a party."""
    rows = db.session.execute(
        select(Ask.id, Ask.reference, Ask.sentence).where(Ask.addressee_id == party_id).order_by(Ask.created_at.desc()).limit(FEW)
    )
    return [OneAsk(row.id, row.reference, row.sentence) for row in rows]


def ask_of(ask_id: uuid.UUID) -> OneAsk | None:
    """One ask, as far as scope and level allow."""
    row = db.session.execute(select(Ask.id, Ask.reference, Ask.sentence, Ask.programme_id).where(Ask.id == ask_id)).one_or_none()
    return OneAsk(row.id, row.reference, row.sentence, row.programme_id) if row else None


def donors_of(entity: type[Pledge | Agreement | Receipt], chosen: uuid.UUID | None) -> list[tuple[uuid.UUID, str]]:
    """Those who pledged, signed or paid, by name: for the filter of the list. Of more than a hundred only the one chosen: nobody looks
    through so many, and the words of the list find a donor by name."""
    return _offered(Party.id, Party.name, (Party.folded_name, Party.id), chosen, Party.id.in_(select(entity.donor_id)))


def programmes_offered(chosen: uuid.UUID | None) -> list[tuple[uuid.UUID, str]]:
    """The programmes in scope, by title, for the filter of a list; of more than a hundred only the one chosen."""
    return _offered(Programme.id, Programme.title, (Programme.title, Programme.id), chosen)


def _offered(
    key: Any, name: Any, order: tuple[Any, ...], chosen: uuid.UUID | None, *where: ColumnElement[bool]
) -> list[tuple[uuid.UUID, str]]:
    statement = select(key, name).where(*where)
    rows = db.session.execute(statement.order_by(*order).limit(MOST_OFFERED + 1)).all()
    if len(rows) > MOST_OFFERED:
        rows = db.session.execute(statement.where(key == chosen)).all() if chosen else []
    return [(row[0], row[1]) for row in rows]


def party(party_id: uuid.UUID) -> tuple[str, str] | None:
    """Name and reference of a party in scope."""
    row = db.session.execute(select(Party.name, Party.reference).where(Party.id == party_id)).one_or_none()
    return None if row is None else (row.name, row.reference)


def office_currency(office_id: uuid.UUID) -> tuple[str, str]:
    """Local and reporting currency of an office."""
    office = offices_by_id()[office_id]
    return office.currency, office.reporting_currency


def asks_for(programme_id: uuid.UUID) -> Sequence[Any]:
    """The newest asks for a programme, and those that named another one but whose pledges go to it, as rows of columns."""
    led_here = (
        select(Commitment.ask_id).join(Pledge, Pledge.id == Commitment.id).where(Pledge.programme_id == programme_id, ~Pledge.is_taken_back)
    )
    statement = (
        select(Ask.id, Ask.reference, Ask.sentence, Ask.by_when, Ask.closed_on, Ask.programme_id)
        .where(or_(Ask.programme_id == programme_id, Ask.id.in_(led_here)))
        .order_by(Ask.created_at.desc(), Ask.id)
        .limit(FEW)
    )
    return db.session.execute(statement).all()


def promises_for(programme_id: uuid.UUID) -> list[Commitment]:
    """The newest commitments for a programme that are not pledges."""
    pledged = select(Pledge.id).where(Pledge.programme_id == programme_id)
    statement = (
        select(Commitment)
        .where(Commitment.programme_id == programme_id, Commitment.id.not_in(pledged))
        .order_by(Commitment.made_on.desc(), Commitment.id)
        .limit(FEW)
    )
    return list(db.session.scalars(statement))


@dataclass(frozen=True)
class Other:
    """Another money record to link to: its kind (pledge, agreement, receipt, allocation), key and reference."""

    kind: str
    id: uuid.UUID
    reference: str


def receipt_reversal(receipt: Receipt) -> Other | None:
    """What a receipt takes back, or what took it back."""
    condition = Receipt.id == receipt.reversal_of_id if receipt.reversal_of_id else Receipt.reversal_of_id == receipt.id
    row = db.session.execute(select(Receipt.id, Receipt.reference).where(condition)).one_or_none()
    return Other("receipt", row.id, row.reference) if row else None


def allocation_reversal(allocation: Allocation) -> Other | None:
    """What an allocation takes back, or what took it back."""
    condition = Allocation.id == allocation.reversal_of_id if allocation.reversal_of_id else Allocation.reversal_of_id == allocation.id
    row = db.session.execute(select(Allocation.id, Allocation.reference).where(condition)).one_or_none()
    return Other("allocation", row.id, row.reference) if row else None


def source_of(allocation: Allocation) -> Other:
    """The agreement or receipt whose money an allocation gives."""
    if allocation.agreement_id:
        row = db.session.execute(select(Agreement.id, Agreement.reference).where(Agreement.id == allocation.agreement_id)).one()
        return Other("agreement", row.id, row.reference)
    row = db.session.execute(select(Receipt.id, Receipt.reference).where(Receipt.id == allocation.receipt_id)).one()
    return Other("receipt", row.id, row.reference)


def pledge_of(pledge_id: uuid.UUID | None) -> Other | None:
    """A pledge to link to."""
    row = db.session.execute(select(Pledge.id, Pledge.reference).where(Pledge.id == pledge_id)).one_or_none() if pledge_id else None
    return Other("pledge", row.id, row.reference) if row else None

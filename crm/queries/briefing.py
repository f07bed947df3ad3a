"""What a briefing pack reads about a meeting besides money: the people, contacts, promises and notes, as of a day."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import joinedload, selectinload

from crm.db import db
from crm.errors import NotFound
from crm.i18n import _
from crm.models.asks import Ask, AskAnswer
from crm.models.commitments import Commitment
from crm.models.interactions import Interaction, Participant
from crm.models.notes import Note
from crm.models.offices import Office
from crm.models.parties import Party, Position, Tenure
from crm.models.pledges import Agreement, Pledge
from crm.models.programmes import Programme

LAST_CONTACTS = 5
TIMELINE_MONTHS = 24


@dataclass(frozen=True)
class Meeting:
    """A meeting with its office, its ask and whose money it is about."""

    interaction: Interaction
    office: Office
    party: Party
    about: tuple[Party, ...]
    tenures: tuple[Tenure, ...]
    programme: Programme | None


def meeting(interaction_id: uuid.UUID, day: date, *, party_id: uuid.UUID | None = None) -> Meeting:
    """A meeting and the people at it, with the posts they hold on `day`; raises NotFound when absent or out of scope.

    `about`: the party met (or `party_id`), and the organisation whose post it holds: one donor under several records.
    """
    found = db.session.scalar(
        select(Interaction)
        .where(Interaction.id == interaction_id)
        .options(selectinload(Interaction.participants), joinedload(Interaction.ask).selectinload(Ask.answers))
    )
    if found is None:
        raise NotFound(_("There is no such meeting here."))
    party = _party(party_id or found.party_id)
    people = {party.id, *(one.party_id for one in found.participants if one.side == "theirs" and one.party_id)}
    tenures = tuple(_tenures(people, day))
    about = {party.id: party}
    for tenure in tenures:
        if tenure.person_id == party.id:
            about[tenure.position.organisation_id] = _party(tenure.position.organisation_id)
    office = db.session.get_one(Office, found.office_id)
    programme_id = found.programme_id or (found.ask.programme_id if found.ask else None) or _programme_of(tuple(about), found.office_id)
    programme = db.session.scalar(select(Programme).where(Programme.id == programme_id)) if programme_id else None
    return Meeting(found, office, party, tuple(about.values()), tenures, programme)


def _party(party_id: uuid.UUID) -> Party:
    party = db.session.scalar(
        select(Party).where(Party.id == party_id).options(selectinload(Party.kinds), selectinload(Party.names), joinedload(Party.part_of))
    )
    if party is None:
        raise NotFound(_("There is no such party here."))
    return party


def _tenures(person_ids: Collection[uuid.UUID], day: date) -> Sequence[Tenure]:
    return db.session.scalars(
        select(Tenure)
        .where(
            Tenure.person_id.in_(list(person_ids)),
            or_(Tenure.starts_on.is_(None), Tenure.starts_on <= day),
            or_(Tenure.ends_on.is_(None), Tenure.ends_on >= day),
        )
        .options(joinedload(Tenure.position).joinedload(Position.organisation), joinedload(Tenure.person))
        .order_by(Tenure.starts_on.desc(), Tenure.id)
    ).all()


def _programme_of(party_ids: tuple[uuid.UUID, ...], office_id: uuid.UUID) -> uuid.UUID | None:
    """The programme of the donor's newest pledge, where the meeting names none."""
    return db.session.scalar(
        select(Pledge.programme_id)
        .where(Pledge.donor_id.in_(party_ids), Pledge.office_id == office_id, Pledge.programme_id.is_not(None), ~Pledge.is_taken_back)
        .order_by(Pledge.pledged_on.desc(), Pledge.id.desc())
        .limit(1)
    )


def contacts(meeting_: Meeting, day: date) -> Sequence[Interaction]:
    """Contacts held with the party (or its organisation, or somebody at the meeting) in the last two years, newest first."""
    ids = [party.id for party in meeting_.about]
    took_part = exists().where(
        and_(Participant.interaction_id == Interaction.id, Participant.party_id.in_(ids), Participant.side == "theirs")
    )
    since = datetime.combine(day - timedelta(days=TIMELINE_MONTHS * 31), time.min, tzinfo=UTC)
    until = datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC)
    return db.session.scalars(
        select(Interaction)
        .where(
            Interaction.state == "held",
            Interaction.id != meeting_.interaction.id,
            Interaction.starts_at.between(since, until),
            or_(Interaction.party_id.in_(ids), took_part),
        )
        .options(selectinload(Interaction.answers).joinedload(AskAnswer.ask), selectinload(Interaction.participants))
        .order_by(Interaction.starts_at.desc(), Interaction.id.desc())
        .limit(40)
    ).all()


def promises(meeting_: Meeting, day: date) -> Sequence[Commitment]:
    """Every promise between the party and the offices in scope made until `day`, ours first, the earliest due first.

    A pledge without anything outstanding is not listed: its money stands on the money page.
    """
    found = db.session.scalars(
        select(Commitment)
        .where(Commitment.party_id.in_([party.id for party in meeting_.about]), Commitment.made_on <= day)
        .options(joinedload(Commitment.party))
    ).all()
    settled = set(db.session.scalars(select(Pledge.id).where(Pledge.id.in_([one.id for one in found]), Pledge.outstanding_minor == 0)))
    listed = [one for one in found if one.id not in settled]
    return sorted(listed, key=lambda one: (one.direction != "ours", one.due_on or date.max, one.reference))


def asks_of(meeting_: Meeting) -> Sequence[Ask]:
    """Open asks of the party, the earliest due first."""
    found = db.session.scalars(
        select(Ask)
        .where(Ask.addressee_id.in_([party.id for party in meeting_.about]), Ask.closed_on.is_(None))
        .options(selectinload(Ask.answers))
    ).all()
    return sorted(found, key=lambda ask: (ask.by_when or date.max, ask.reference))


def notes(meeting_: Meeting) -> Sequence[Note]:
    """Notes about the party and the meeting that the reader's level covers, newest first."""
    ids = [party.id for party in meeting_.about]
    return db.session.scalars(
        select(Note)
        .where(or_(Note.party_id.in_(ids), Note.interaction_id == meeting_.interaction.id))
        .order_by(Note.created_at.desc(), Note.id.desc())
        .limit(12)
    ).all()


def titles(pledge_ids: Collection[uuid.UUID], agreement_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The event at which a pledge was made, or an agreement's title, by key."""
    pledges = db.session.execute(select(Pledge.id, Pledge.event_name).where(Pledge.id.in_(list(pledge_ids))))
    agreements = db.session.execute(select(Agreement.id, Agreement.title).where(Agreement.id.in_(list(agreement_ids))))
    return {row.id: row[1] for row in (*pledges, *agreements)}

"""Interactions: contacts planned and held, who took part on both sides, and what must follow."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.db import Base
from crm.models.asks import Ask, AskAnswer
from crm.models.base import (
    NAME_LENGTH,
    SENTENCE_LENGTH,
    Keyed,
    Levelled,
    Stamped,
    Versioned,
    level_check,
    one_of,
    scoped_key,
    scoped_parent,
)
from crm.models.codes import CODE_LENGTH
from crm.models.parties import Party
from crm.models.users import User

#: The kinds that come with the product; an administrator keeps the list (crm.models.codes).
INTERACTION_KINDS = ("meeting", "call", "visit", "letter", "event", "media")
INTERACTION_STATES = ("planned", "held", "cancelled")
SIDES = ("ours", "theirs")


class Interaction(Keyed, Levelled, Versioned, Stamped, Base):
    """A meeting, call, visit, letter, event or media contact (a code of the list of kinds); planned, then held or cancelled."""

    __tablename__ = "interactions"
    __table_args__ = (
        scoped_key(),
        level_check(),
        scoped_parent("ask_id", "asks"),
        scoped_parent("programme_id", "programmes"),
        one_of("state", INTERACTION_STATES),
        Index("ix_interactions_office_state_starts", "office_id", "state", "starts_at", "id"),
        Index("ix_interactions_office_starts", "office_id", "starts_at", "id"),
        Index("ix_interactions_starts", "starts_at", "id"),
        # for readers of all offices; office and level are in it, so that contacts are counted from the index alone
        Index("ix_interactions_state_starts", "state", "starts_at", "id", "office_id", "level"),
        # the last contact of each party of a list is read from the index alone: a contact lies anywhere in a table of millions
        Index("ix_interactions_party_starts", "party_id", "starts_at", "state", "level", "office_id"),
    )

    reference: Mapped[str] = mapped_column(String(30), unique=True)
    kind: Mapped[str] = mapped_column(String(CODE_LENGTH))
    state: Mapped[str] = mapped_column(String(10))
    starts_at: Mapped[datetime]
    minutes: Mapped[int | None]
    party_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("parties.id"))
    place_text: Mapped[str] = mapped_column(String(200), default="")
    language: Mapped[str] = mapped_column(String(60), default="")
    purpose: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    ask_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    programme_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    fallback: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    offer: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    point_1: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    point_2: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    point_3: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    red_line: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    cancelled_reason: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")
    written_up_at: Mapped[datetime | None]

    party: Mapped[Party] = relationship()
    ask: Mapped[Ask | None] = relationship(primaryjoin="foreign(Interaction.ask_id) == Ask.id", viewonly=True)
    participants: Mapped[list[Participant]] = relationship(
        primaryjoin="foreign(Participant.interaction_id) == Interaction.id",
        cascade="all, delete-orphan",
        order_by="Participant.side.desc(), Participant.position",
    )
    answers: Mapped[list[AskAnswer]] = relationship(primaryjoin="foreign(AskAnswer.interaction_id) == Interaction.id", viewonly=True)
    follow_ups: Mapped[list[FollowUp]] = relationship(
        primaryjoin="foreign(FollowUp.interaction_id) == Interaction.id", viewonly=True, order_by="FollowUp.due_on"
    )

    @property
    def points(self) -> list[str]:
        """The points to make that were filled in, at most three."""
        return [point for point in (self.point_1, self.point_2, self.point_3) if point]


class Participant(Keyed, Levelled, Base):
    """Somebody who takes part: a party with the post they held that day, a colleague, or a name only."""

    __audit_parent__ = "interaction_id"

    __tablename__ = "participants"
    __table_args__ = (
        level_check(),
        scoped_parent("interaction_id", "interactions"),
        one_of("side", SIDES),
        UniqueConstraint("interaction_id", "position"),
        CheckConstraint("length(name) > 0", name="name_present"),
    )

    interaction_id: Mapped[uuid.UUID] = mapped_column(index=True)
    position: Mapped[int]
    side: Mapped[str] = mapped_column(String(6))
    party_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("parties.id"))
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    post: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")

    party: Mapped[Party | None] = relationship()


#: Theirs are parties, ours are users: with those that are neither in it, an index seems to find half of all for any of them.
for _column in (Participant.party_id, Participant.user_id):
    _is_known = _column.is_not(None)
    Index(f"ix_participants_{_column.key}", _column, sqlite_where=_is_known, postgresql_where=_is_known)


class FollowUp(Keyed, Levelled, Versioned, Stamped, Base):
    """Something one of us must do by a day."""

    __tablename__ = "follow_ups"
    __table_args__ = (
        scoped_key(),
        level_check(),
        scoped_parent("interaction_id", "interactions"),
        scoped_parent("ask_id", "asks"),
        scoped_parent("commitment_id", "commitments"),
        Index("ix_follow_ups_office_open_due", "office_id", "done_on", "due_on"),
    )

    text: Mapped[str] = mapped_column(String(SENTENCE_LENGTH))
    due_on: Mapped[date]
    owner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    party_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("parties.id"), index=True)
    interaction_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    ask_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    commitment_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    done_on: Mapped[date | None]
    done_note: Mapped[str] = mapped_column(String(SENTENCE_LENGTH), default="")

    owner: Mapped[User | None] = relationship()
    party: Mapped[Party | None] = relationship()
